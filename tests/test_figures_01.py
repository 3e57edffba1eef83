"""The live figure of lesson 01: what it says of a fruit agrees with the classifier of the package."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from genutils.classifiers import GaussianClassifier
from genutils.figures.lesson_01 import HEIGHTS, WIDTHS, belt, belt_script
from genutils.live import Slider

W, B = np.array([2.0, -3.0]), 4.0


def fruit():
    rng = np.random.default_rng(2)
    y = np.arange(40) % 5 // 3  # three of five are apples
    x = np.array([[7.0, 7.6], [9.2, 6.6]])[y] + rng.normal(size=(40, 2)) @ [[1.3, 0.7], [0.0, 0.8]]
    return np.round(x, 3), y


@pytest.fixture
def page(live_page):
    controls = (
        Slider("height", "height", *HEIGHTS, 8.0),
        Slider("width", "width", *WIDTHS, 7.0),
        Slider("pears", "pears", 1, 99, 40, 1),
    )
    x, y = fruit()
    return live_page(controls, belt_script(x, y, W, B, GaussianClassifier().fit(x, y)))


@pytest.mark.browser
@pytest.mark.parametrize("at, pears", [((8.0, 7.0), 40), ((17.0, 21.0), 40), ((3.0, 23.0), 1), ((9.3, 6.6), 99)])
def test_numbers_agree_with_the_package(page, at, pears):
    page.put(height=at[0], width=at[1], pears=pears)
    found, (x, y) = page.numbers(), fruit()
    model = GaussianClassifier().fit(x, y)
    model.prior = np.array([1 - pears / 100, pears / 100])
    here, seen = model.log_prob(np.array([at]))[0], model.log_prob(x)
    assert found["a pear, says the line"] == pytest.approx(expit(W @ at + B), abs=1e-9)
    assert found["says the distribution"] == pytest.approx(model.posterior(np.array([at]))[0, 1], abs=1e-9)
    assert found["log p(x)"] == pytest.approx(here, abs=1e-8)
    assert found["share of stranger fruit"] == pytest.approx((seen < here).mean())


def test_shows_outside_a_notebook(capsys):
    x, y = fruit()
    belt(x, y, W, B, GaussianClassifier().fit(x, y))
    assert "slider" in capsys.readouterr().out
