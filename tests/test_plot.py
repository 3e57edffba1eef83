"""Figures, sentences, claims and listings as the page gets them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from genutils import claim, say, source, took
from genutils.plot import COLOURS, INK, _Shown, _svg, bars, curve, panels, points, show, show_images, use_style


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


class TestWords:
    def test_a_number_in_percent_may_begin_a_line(self, capsys):
        say("Of all there are\n% which the book would take for a comment, and\n12 % and\n  %.")
        lines = capsys.readouterr().out.splitlines()
        assert [line.lstrip()[0] for line in lines] == ["O", "\\", "1", "\\"]

    def test_a_claim_that_holds_is_shown(self, capsys):
        claim(np.bool_(True), "It holds.")
        assert capsys.readouterr().out == "✓ It holds.\n"

    def test_a_claim_that_fails_stops_the_lesson(self):
        with pytest.raises(AssertionError, match="does not hold here: It holds"):
            claim(False, "It holds.")

    @pytest.mark.parametrize("condition", ["yes", [True], 1, np.array([True, True])])
    def test_a_claim_needs_a_truth_value(self, condition):
        with pytest.raises(TypeError, match="True or False"):
            claim(condition, "It holds.")

    def test_say_shows_its_sentence(self, capsys):
        say(f"There are {3} of them.")
        assert capsys.readouterr().out == "There are 3 of them.\n"

    def test_took_is_one_sentence_with_seconds_and_memory(self, capsys):
        took()
        sentence = r"\*This run took \d+ seconds( and at most [\d,]+ MB of memory)?, on .* cores\.\*\n"
        assert re.fullmatch(sentence, capsys.readouterr().out)

    def test_source_shows_code_without_the_docstring(self, capsys):
        source(claim)
        out = capsys.readouterr().out
        assert out.startswith("```python\ndef claim(") and "Assert a claim" not in out and "raise AssertionError" in out
        source(claim, docstring=True)
        assert "Assert a claim" in capsys.readouterr().out

    def test_source_of_something_built_in_is_refused(self):
        with pytest.raises(TypeError, match="no source to show"):
            source(len)
