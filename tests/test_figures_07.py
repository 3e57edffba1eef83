"""The live figure of lesson 07: its numbers, computed in the page, agree with scipy's."""

from __future__ import annotations

import math

import pytest
from scipy import special, stats

from genutils.figures.lesson_07 import COIN, coin
from genutils.live import Live, Slider

CONTROLS = (
    Slider("a", "prior's a", 0.5, 20, 2, 0.5),
    Slider("b", "prior's b", 0.5, 20, 2, 0.5),
    Slider("heads", "heads seen", 0, 60, 3, 1),
    Slider("tails", "tails seen", 0, 60, 0, 1),
)


@pytest.fixture
def page(open_page, tmp_path):
    file = tmp_path / "figure.html"
    shown = Live(CONTROLS, COIN, "Three densities over the bias of a coin.", "Toss.")._repr_html_()
    file.write_text(f"<!doctype html><meta charset='utf-8'><body>{shown}")
    tab = open_page(width=390)
    tab.goto(file.as_uri())
    tab.wait_for_selector("dd")
    return tab


def put(page, **values):
    for name, value in values.items():
        page.locator(f"[data-name={name}]").evaluate(
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", str(value)
        )


def read(page) -> dict[str, float]:
    return dict(page.evaluate("[...document.querySelectorAll('dd')].map(e => [e.dataset.quantity, +e.dataset.value])"))


@pytest.mark.browser
class TestInThePage:
    @pytest.mark.parametrize(
        "a, b, heads, tails", [(2, 2, 3, 0), (0.5, 0.5, 0, 0), (0.5, 20, 60, 60), (1, 1, 0, 7), (20, 0.5, 13, 60)]
    )
    def test_numbers_agree_with_scipy(self, page, a, b, heads, tails):
        put(page, a=a, b=b, heads=heads, tails=tails)
        found, law = read(page), stats.beta(a + heads, b + tails)
        want = {
            "next toss heads": law.mean(),
            "posterior sd of θ": law.std(),
            "P(θ > ½)": law.sf(0.5),
            "log p(tosses)": special.betaln(a + heads, b + tails) - special.betaln(a, b),
        }
        for name, value in want.items():
            assert abs(found[name] - value) < 1e-6, (name, found[name], value)
        best = found["best θ (likelihood)"]
        assert math.isclose(best, heads / (heads + tails)) if heads + tails else math.isnan(best)

    def test_every_curve_is_explained_and_no_likelihood_is_drawn_before_the_first_toss(self, page):
        assert page.locator(".live-legend span").all_text_contents() == [
            "prior",
            "likelihood, scaled to area 1",
            "posterior",
        ]
        put(page, heads=0, tails=0)
        assert page.locator(".live-legend span").all_text_contents() == ["prior", "posterior"]
        assert "?" in page.locator("dd").nth(1).text_content()
        assert page.errors == [] and page.left == []

    def test_the_keyboard_tosses_the_coin(self, page):
        before = read(page)["next toss heads"]
        page.locator("[data-name=tails]").focus()
        page.keyboard.press("ArrowRight")
        assert read(page)["next toss heads"] < before

    def test_it_fits_a_phone(self, page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    @pytest.mark.parametrize("values", [dict(a=0.5, b=0.5, heads=0, tails=0), dict(heads=60, tails=60)])
    def test_every_curve_can_be_drawn(self, page, values):
        put(page, **values)
        drawn = page.evaluate("[...document.querySelectorAll('path')].map(e => e.getAttribute('d'))")
        assert len(drawn) > 4 and not any("NaN" in d or "Infinity" in d for d in drawn)


def test_it_shows_itself_in_words_in_a_terminal(capsys):
    coin()
    assert capsys.readouterr().out.startswith("[live figure: Three densities over the probability of heads")
