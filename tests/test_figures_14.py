"""The live figure of lesson 14 shows the picture that belongs to the place."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genutils.figures.lesson_14 import CONTROLS, REACH, SIDE, STEP, walk, walk_script
from genutils.plot import COLOURS


def pictures():
    return np.random.default_rng(0).uniform(size=(SIDE**2, 1)) * np.ones((1, 64))


def unsure():
    return np.random.default_rng(2).uniform(0, 4, size=SIDE**2)


def codes():
    rng = np.random.default_rng(1)
    return rng.normal(size=(60, 2)), np.arange(60) % 10


@pytest.mark.browser
@pytest.mark.parametrize("at", [(0, 0), (10, 10), (20, 3), (12, 11)])
def test_the_picture_is_that_of_the_place(live_page, at):
    page = live_page(CONTROLS, walk_script(pictures(), unsure(), *codes()))
    z1, z2 = (round(-REACH + STEP * i, 6) for i in at)
    page.put(z1=z1, z2=z2)
    found = page.numbers()
    assert found["ink in the picture"] == pytest.approx(pictures()[at[0] * SIDE + at[1], 0], abs=0.006)
    assert found["the decoder's doubt"] == pytest.approx(unsure()[at[0] * SIDE + at[1]], abs=0.001)
    assert found["prior log-density here"] == pytest.approx(-(z1**2 + z2**2) / 2 - math.log(2 * math.pi), abs=1e-6)


@pytest.mark.browser
@pytest.mark.parametrize("digit", [0, 7])
def test_the_chosen_digit_is_marked_and_no_other(live_page, digit):
    page = live_page(CONTROLS, walk_script(pictures(), unsure(), *codes()))
    page.put(digit=str(digit))
    fills = page.tab.evaluate("[...document.querySelectorAll('circle')].map((c) => c.getAttribute('fill'))")
    z, labels = codes()
    inside = np.abs(z).max(1) < REACH
    assert len(fills) == inside.sum()
    assert sum(f == COLOURS["second"] for f in fills) == (inside & (labels == digit)).sum()


def test_pictures_and_doubts_must_fill_the_grid():
    with pytest.raises(ValueError, match=r"\(441, 64\)"):
        walk_script(pictures()[:-1], unsure(), *codes())
    with pytest.raises(ValueError, match=r"\(441,\)"):
        walk_script(pictures(), unsure()[:-1], *codes())


def test_shows_outside_a_notebook(capsys):
    walk(pictures(), unsure(), *codes())
    assert "slider" in capsys.readouterr().out
