"""The live figure of lesson 07: its numbers, computed in the page, agree with scipy's."""

from __future__ import annotations

import math

import pytest
from scipy import special, stats

from genutils.figures.lesson_07 import COIN, coin
from genutils.live import Slider

CONTROLS = (
    Slider("a", "prior's a", 0.5, 20, 2, 0.5),
    Slider("b", "prior's b", 0.5, 20, 2, 0.5),
    Slider("heads", "heads seen", 0, 60, 3, 1),
    Slider("tails", "tails seen", 0, 60, 0, 1),
)


@pytest.fixture
def page(live_page):
    return live_page(CONTROLS, COIN)


@pytest.mark.browser
class TestInThePage:
    @pytest.mark.parametrize(
        "a, b, heads, tails", [(2, 2, 3, 0), (0.5, 0.5, 0, 0), (0.5, 20, 60, 60), (1, 1, 0, 7), (20, 0.5, 13, 60)]
    )
    def test_numbers_agree_with_scipy(self, page, a, b, heads, tails):
        page.put(a=a, b=b, heads=heads, tails=tails)
        found, law = page.numbers(), stats.beta(a + heads, b + tails)
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
        assert page.tab.locator(".live-legend span").all_text_contents() == [
            "prior",
            "likelihood, scaled to area 1",
            "posterior",
        ]
        page.put(heads=0, tails=0)
        assert page.tab.locator(".live-legend span").all_text_contents() == ["prior", "posterior"]
        assert "?" in page.tab.locator("dd").nth(1).text_content()
        assert page.tab.errors == [] and page.tab.left == []

    def test_the_keyboard_tosses_the_coin(self, page):
        before = page.numbers()["next toss heads"]
        page.tab.locator("[data-name=tails]").focus()
        page.tab.keyboard.press("ArrowRight")
        assert page.numbers()["next toss heads"] < before

    def test_it_fits_a_phone(self, page):
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390

    @pytest.mark.parametrize("values", [dict(a=0.5, b=0.5, heads=0, tails=0), dict(heads=60, tails=60)])
    def test_every_curve_can_be_drawn(self, page, values):
        page.put(**values)
        drawn = page.tab.evaluate("[...document.querySelectorAll('path')].map(e => e.getAttribute('d'))")
        assert len(drawn) > 4 and not any("NaN" in d or "Infinity" in d for d in drawn)


def test_it_shows_itself_in_words_in_a_terminal(capsys):
    coin()
    assert capsys.readouterr().out.startswith("[live figure: Three densities over the probability of heads")
