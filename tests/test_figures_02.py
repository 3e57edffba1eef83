"""The live figure of lesson 02: its densities, computed in the page, agree with the package."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from genutils.figures.lesson_02 import bandwidth, script
from genutils.live import Slider
from genutils.nonparametric import KDE

SEEN, UNSEEN = np.random.default_rng(0).normal(size=(2, 60)).round(5)


@pytest.fixture
def page(live_page):
    return live_page([Slider("h", "log₁₀ of the bandwidth", -2.5, 0.7, -1.5, 0.05)], script(SEEN, UNSEEN))


@pytest.mark.browser
@pytest.mark.parametrize("log_h", [-2.5, -1.5, 0.0, 0.7])
def test_numbers_agree_with_the_package(page, log_h):
    page.put(h=log_h)
    found = page.numbers()
    model = KDE(10**log_h).fit(SEEN[:, None])
    truth = 0.35 * stats.norm.pdf(UNSEEN, -1.5, 0.25) + 0.65 * stats.norm.pdf(UNSEEN, 1, 0.8)
    want = {
        "bandwidth h": 10**log_h,
        "points seen": model.log_prob(SEEN[:, None]).mean(),
        "unseen points": model.log_prob(UNSEEN[:, None]).mean(),
        "truth, unseen points": np.log(truth).mean(),
    }
    for name, value in want.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name


def test_it_says_what_it_shows(capsys):
    bandwidth(SEEN, UNSEEN)
    assert "density estimate over grey points" in capsys.readouterr().out
