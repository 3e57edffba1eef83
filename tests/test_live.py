"""Live figures: what they compute in the page agrees with the package, and they can be worked without a mouse."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scipy import stats

from genutils import information
from genutils.figures.lesson_05 import DIVERGENCES, divergences
from genutils.live import Choice, Keys, Live, Slider, live_figure

CONTROLS = (
    Slider("gap", "gap of p's humps", 0, 8, 6),
    Slider("mu", "mean of q", -6, 6, 1.5),
    Slider("sigma", "width of q", 0.3, 4, 1.2, 0.05),
)


def figure() -> str:
    return Live(CONTROLS, DIVERGENCES, "Two densities that move.", "Move them.")._repr_html_()


@pytest.fixture
def page(open_page, tmp_path):
    file = tmp_path / "figure.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><body>{figure()}{figure()}</body>")
    tab = open_page(width=390)
    tab.goto(file.as_uri())
    tab.wait_for_selector("dd")
    return tab


def read(page) -> dict[str, float]:
    found = page.evaluate(
        "[...document.querySelector('figure').querySelectorAll('dd')].map(e => [e.dataset.quantity, +e.dataset.value])"
    )
    return dict(found)


def truth(gap: float, mu: float, sigma: float) -> dict[str, float]:
    x = np.linspace(-40, 40, 400_001)
    p = 0.6 * stats.norm(-gap / 2, 1).pdf(x) + 0.4 * stats.norm(gap / 2, 1).pdf(x)
    log_q = stats.norm(mu, sigma).logpdf(x)
    log_p = np.logaddexp(
        np.log(0.6) + stats.norm(-gap / 2, 1).logpdf(x), np.log(0.4) + stats.norm(gap / 2, 1).logpdf(x)
    )
    q, dx = np.exp(log_q), x[1] - x[0]
    a, b = p * dx / (p * dx).sum(), q * dx / (q * dx).sum()
    return {
        "H(p)": -(p * log_p).sum() * dx,
        "H(p, q)": -(p * log_q).sum() * dx,
        "KL(p ‖ q)": (p * (log_p - log_q)).sum() * dx,
        "KL(q ‖ p)": (q * (log_q - log_p)).sum() * dx,
        "JS": float(information.js(a, b)),
    }


def put(page, **values):
    for name, value in values.items():
        page.locator(f"[data-name={name}]").first.evaluate(
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", str(value)
        )


@pytest.mark.browser
class TestInThePage:
    @pytest.mark.parametrize("gap, mu, sigma", [(5, 1.5, 1.2), (0, 0, 1), (8, -4, 0.3), (3.2, 6, 4), (0, 2, 1.5)])
    def test_numbers_agree_with_the_package(self, page, gap, mu, sigma):
        put(page, gap=gap, mu=mu, sigma=sigma)
        found, want = read(page), truth(gap, mu, sigma)
        assert set(found) == set(want)
        for name in want:
            assert abs(found[name] - want[name]) < 1e-6 + 1e-6 * abs(want[name]), (name, found[name], want[name])
        if gap == 0:
            assert abs(found["KL(p ‖ q)"] - information.gaussian_kl(0, 1, mu, sigma)) < 1e-6
            assert abs(found["H(p)"] - information.gaussian_entropy(1.0)) < 1e-6

    def test_the_keyboard_moves_it_and_words_follow(self, page):
        before = read(page)
        page.locator("[data-name=mu]").first.focus()
        page.keyboard.press("ArrowRight")
        after = read(page)
        assert before["H(p)"] == after["H(p)"] and before["KL(p ‖ q)"] != after["KL(p ‖ q)"]
        assert page.locator("output").nth(1).text_content() == "1.6"
        page.wait_for_function("document.querySelector('.live-words').textContent.includes('JS is')")

    def test_two_on_a_page_move_separately(self, page):
        second = page.locator("figure").nth(1)
        before = second.locator("dd").nth(1).text_content()
        put(page, mu=-3)
        assert second.locator("dd").nth(1).text_content() == before
        assert page.errors == [] and page.left == []

    def test_it_fits_a_phone_and_its_type_keeps_its_size(self, page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small = "[...document.querySelectorAll('.live-chart text')].filter(t => t.getBoundingClientRect().height < 12)"
        assert page.locator(".live-chart text").count() > 10
        assert page.evaluate(f"{small}.map(t => t.textContent)") == []

    def test_jupyterlabs_style_of_lists_does_not_reach_the_numbers(self, page):
        page.add_style_tag(content=".jp dt { float: left; width: 20%; display: block } .jp dd { margin: 1em }")
        page.evaluate("document.body.className = 'jp'")
        name, number = (page.locator(f".live-numbers {tag}").nth(2).bounding_box() for tag in ("dt", "dd"))
        assert number["y"] >= name["y"] + name["height"] - 1

    @pytest.mark.parametrize("width, side_by_side", [(390, False), (900, True)])
    def test_panels_stand_side_by_side_where_there_is_room(self, open_page, tmp_path, width, side_by_side):
        script = """draw.pixels([[0, 1, 1, 0]], 2, { part: 0.3 });
            draw.axes({ x: [0, 1], y: [0, 1], part: 0.7 }); return [["a", 1, ""]];"""
        file = tmp_path / "figure.html"
        html = Live(CONTROLS, script, "Two panels that stand.", "Two.")._repr_html_()
        file.write_text(f"<!doctype html><meta charset='utf-8'><body>{html}</body>")
        tab = open_page(width=width)
        tab.goto(file.as_uri())
        tab.wait_for_selector("dd")
        first, second = (box.bounding_box() for box in tab.locator(".live-chart > svg").all())
        assert (first["y"] == second["y"]) == side_by_side
        for box in (first, second):  # one unit stays one pixel
            unit = tab.locator(".live-chart > svg").nth(int(box is second)).evaluate("e => e.viewBox.baseVal.width")
            assert box["width"] == pytest.approx(unit, abs=0.1)

    def test_it_is_drawn_anew_when_the_page_gets_wider(self, page):
        page.set_viewport_size({"width": 900, "height": 700})
        page.wait_for_function("document.querySelector('.live-chart > svg').viewBox.baseVal.width > 600")

    def test_numbers_are_rounded_for_reading_and_signed_properly(self, page):
        put(page, gap=0, mu=0, sigma=1)
        shown = page.locator("figure").first.locator("dd").all_text_contents()
        assert shown == ["1.419 nats", "1.419 nats", "0.000 nats", "0.000 nats", "0.000 nats"]
        put(page, mu=-2.5)
        assert page.locator("output").nth(1).text_content() == "\u22122.5"

    def test_curves_are_explained_and_bars_follow_the_numbers(self, page):
        legend = page.locator("figure").first.locator(".live-legend span").all_text_contents()
        assert legend[:2] == ["truth p", "belief q"] and len(legend) == 4
        put(page, gap=8, mu=-6, sigma=0.3)
        bars = page.locator("figure").first.locator("dd i")
        assert bars.count() == 3
        assert all(0 <= w <= 100 for w in bars.evaluate_all("all => all.map(b => parseFloat(b.style.width))"))

    def test_every_control_has_a_label(self, page):
        controls = "document.querySelector('figure').querySelectorAll('input, select')"
        assert page.evaluate(f"[...{controls}].every(e => e.labels.length === 1 && e.labels[0].textContent)")


class TestMaking:
    def test_it_shows_itself_in_words_in_a_terminal(self, capsys):
        divergences()
        assert capsys.readouterr().out.startswith("[live figure: A dashed density p")

    def test_it_is_self_contained_and_small(self):
        page = figure()
        assert len(page) < 16_000 and "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page and "src=" not in page

    def test_words_are_escaped(self):
        page = Live(
            (Choice("c", "a < b", ["x & y"], "x & y"),), "return [];", 'an "alt" of four', "c > d"
        )._repr_html_()
        assert "a &lt; b" in page and "x &amp; y" in page and "&quot;alt&quot;" in page and "c &gt; d" in page

    def test_arrow_keys_belong_to_the_control_in_jupyterlab(self):
        page = Live((*CONTROLS, Choice("c", "c", ["x", "y"], "x")), "return [];", "a b c d", "e")._repr_html_()
        controls = re.findall(r"<(?:input|select)[^>]*>", page)
        assert len(controls) == 4 and all('data-lm-suppress-shortcuts="true"' in c for c in controls)

    @pytest.mark.parametrize("name", ["two words", "1st", "a-b", "\u03bc"])
    def test_a_name_that_the_script_could_not_use_is_refused(self, name):
        with pytest.raises(ValueError, match="identifier"):
            Slider(name, "label", 0, 1, 0)

    def test_a_script_that_would_end_itself_is_refused(self):
        with pytest.raises(ValueError, match="</script"):
            live_figure([], "return ['</SCRIPT>'];", alt="a b c d e", caption="")

    @pytest.mark.parametrize("bad", [dict(value=9), dict(step=0), dict(low=3, value=2)])
    def test_a_slider_out_of_range_is_named(self, bad):
        with pytest.raises(ValueError, match="slider 'a'"):
            Slider(**{**dict(name="a", label="a", low=0, high=5, value=1), **bad})

    def test_a_choice_that_is_no_option_is_named(self):
        with pytest.raises(ValueError, match="'z' is not among"):
            Choice("c", "c", ["x", "y"], "z")

    def test_keys_are_buttons_and_one_that_is_no_option_is_named(self):
        page = Live((Keys("k", "press", ["x", "a<b"], "x"),), "return [];", "a b c d", "e")._repr_html_()
        assert page.count('<button type="button"') == 2 and 'data-sets="a&lt;b"' in page
        with pytest.raises(ValueError, match="'z' is not among"):
            Keys("k", "press", ["x", "y"], "z")

    def test_controls_need_names_of_their_own(self):
        with pytest.raises(ValueError, match="a name of its own"):
            live_figure([CONTROLS[0], CONTROLS[0]], "return [];", alt="a b c d e", caption="")
        with pytest.raises(ValueError, match="alt must say"):
            live_figure([], "return [];", alt="figure", caption="")

    def test_colours_are_those_of_the_course(self):
        from genutils.plot import COLOURS

        assert json.dumps(COLOURS["model"]) in figure() and "#010203" not in figure()
