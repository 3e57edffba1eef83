"""Figures as the page gets them, and what the helpers draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from genutils.plot import (
    COLOURS,
    INK,
    _Shown,
    _svg,
    bars,
    curve,
    panels,
    points,
    show,
    show_density,
    show_images,
    use_style,
)


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context():
        use_style()
        yield
    plt.close("all")


def drawn(label="model"):
    fig, ax = plt.subplots()
    curve(ax, [0, 1, 2], [0, 1, 4], label=label, spread=[0.1, 0.1, 0.1])
    curve(ax, [0, 1, 2], [0, 1, 3], role="truth")
    ax.set(xlabel="x", ylabel="y (nats)")
    ax.legend()
    return fig


class TestFigure:
    def test_ink_is_the_colour_of_the_page(self):
        svg, _ = _svg(drawn())
        assert INK not in svg and "currentColor" in svg and COLOURS["model"] in svg

    def test_is_well_formed_and_has_no_fixed_size_or_background(self):
        svg, width = _svg(drawn())
        root = ET.fromstring(svg)
        assert "width" not in root.attrib and root.attrib["viewBox"].startswith("0 0 ") and width > 100
        assert not re.search(r"fill:\s*#fff", svg)

    def test_two_figures_share_no_id(self):
        ids = [set(re.findall(r' id="([^"]+)"', _svg(drawn(label))[0])) for label in ("one", "two")]
        assert ids[0] and not ids[0] & ids[1]

    def test_every_reference_is_defined(self):
        svg, _ = _svg(drawn())
        used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
        assert used and used == set(re.findall(r' id="([^"]+)"', svg))

    def test_the_same_figure_gives_the_same_bytes(self):
        assert _svg(drawn()) == _svg(drawn())

    def test_says_what_is_seen_and_closes(self, capsys):
        show(drawn(), alt="Two rising curves, one dashed.", caption="The point.")
        assert capsys.readouterr().out == "[figure: Two rising curves, one dashed.]\nThe point.\n"
        assert not plt.get_fignums()

    def test_alternative_text_is_escaped(self):
        page = _Shown([_svg(drawn())], 'p < q & "more"', "c < d")._repr_html_()
        assert 'aria-label="p &lt; q &amp; &quot;more&quot;"' in page and "c &lt; d" in page and "role='img'" in page

    @pytest.mark.parametrize("alt", ["", "a figure", "The point of it all."])
    def test_refuses_a_figure_without_words(self, alt):
        with pytest.raises(ValueError, match="alt must say"):
            show(drawn(), alt=alt, caption="The point of it all.")

    def test_panels_stand_beside_each_other(self):
        figs, axes = panels(3)
        assert len(figs) == len(axes) == 3
        assert _Shown([_svg(f) for f in figs], "three panels", "")._repr_html_().count("<svg") == 3


class TestHelpers:
    def test_unknown_roles_are_named(self):
        with pytest.raises(ValueError, match="no role 'modle'"):
            bars(plt.subplots()[1], [1], [1], role="modle")

    def test_a_curve_has_its_colour_and_a_band_of_its_spread(self):
        ax = plt.subplots()[1]
        curve(ax, [1, 2], [5.0, 7.0], role="second", label="mine", spread=[0.5, 1.0])
        line, band = ax.lines[0], ax.collections[0]
        assert line.get_xydata().tolist() == [[1, 5], [2, 7]] and line.get_label() == "mine"
        corners = {tuple(p) for p in band.get_paths()[0].vertices.tolist()}
        assert corners == {(1.0, 4.5), (1.0, 5.5), (2.0, 6.0), (2.0, 8.0)}
        assert line.get_color() == COLOURS["second"] == matplotlib.colors.to_hex(band.get_facecolor()[0])

    def test_bars_stand_at_x_and_are_as_high_as_told(self):
        ax = plt.subplots()[1]
        bars(ax, [1, 2], [5.0, 7.0], role="data", label="mine", width=0.5)
        assert [(b.get_x() + b.get_width() / 2, b.get_height()) for b in ax.patches] == [(1, 5), (2, 7)]
        assert matplotlib.colors.to_hex(ax.patches[0].get_facecolor()) == COLOURS["data"]
        assert ax.get_legend_handles_labels()[1] == ["mine"] and ax.patches[0].get_width() == 0.5

    def test_points_lie_where_they_are(self):
        ax = plt.subplots()[1]
        points(ax, [[1, 2], [3, 4]], label="mine", size=9)
        drawn = ax.collections[0]
        assert drawn.get_offsets().tolist() == [[1, 2], [3, 4]] and drawn.get_sizes().tolist() == [9]
        assert not drawn.get_rasterized() and drawn.get_label() == "mine"

    def test_white_and_black_are_the_ends_asked_for(self):
        images = np.arange(2.0, 6).reshape(1, 2, 2)
        for asked, ends in (({}, (0, 5)), ({"vmin": 2}, (2, 5)), ({"vmax": 9}, (0, 9)), ({"gap": 0}, (0, 5))):
            ax = plt.subplots()[1]
            show_images(ax, images, **asked)
            assert ax.images[0].get_clim() == ends
            assert ax.images[0].get_array().min() == (2 if "gap" in asked else ends[0])
            assert ax.images[0].get_cmap().name == "gray_r" and not ax.axison

    def test_a_density_lies_the_right_way_up(self):
        class Corner:
            bounds = ((0, 2), (0, 1))

            def log_prob(self, x):
                return (2 * x[:, 0] + x[:, 1]).double()

        ax = plt.subplots()[1]
        show_density(ax, Corner(), resolution=5)
        shown, image = ax.images[0].get_array(), ax.images[0]
        x, y = np.meshgrid(np.linspace(0, 2, 5), np.linspace(0, 1, 5))
        assert np.allclose(shown, np.exp(2 * x + y)) and image.origin == "lower"
        assert list(image.get_extent()) == [0, 2, 0, 1] and image.get_clim()[0] == 0
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")

    def test_images_lie_in_reading_order(self):
        ax = plt.subplots()[1]
        show_images(ax, np.arange(1, 7).reshape(6, 1, 1) * np.ones((6, 2, 3)), columns=3)
        sheet = ax.images[0].get_array()
        assert sheet.shape == (2 * 3 + 1, 3 * 4 + 1)
        assert sheet[1, 1] == 1 and sheet[1, 5] == 2 and sheet[4, 1] == 4 and sheet[0].max() == 0

    @pytest.mark.parametrize("images", [np.ones((8, 8)), np.ones((0, 8, 8))])
    def test_images_of_another_shape_are_refused(self, images):
        with pytest.raises(ValueError, match="shape"):
            show_images(plt.subplots()[1], images)

    def test_many_points_become_a_bitmap(self):
        ax = plt.subplots()[1]
        points(ax, np.zeros((1000, 2)))
        assert ax.collections[0].get_rasterized()
        with pytest.raises(ValueError, match=r"\(B, 2\)"):
            points(ax, np.zeros(4))
