"""The live figure of lesson 14 shows the picture that belongs to the place."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genutils.figures.lesson_14 import CONTROLS, REACH, SIDE, STEP, walk, walk_script


def pictures():
    return np.random.default_rng(0).uniform(size=(SIDE**2, 1)) * np.ones((1, 64))


def codes():
    rng = np.random.default_rng(1)
    return rng.normal(size=(60, 2)), np.arange(60) % 10


@pytest.mark.browser
@pytest.mark.parametrize("at", [(0, 0), (10, 10), (20, 3), (12, 11)])
def test_the_picture_is_that_of_the_place(live_page, at):
    page = live_page(CONTROLS, walk_script(pictures(), *codes()))
    z1, z2 = (round(-REACH + STEP * i, 6) for i in at)
    page.put(z1=z1, z2=z2)
    found = page.numbers()
    assert found["ink in the picture"] == pytest.approx(pictures()[at[0] * SIDE + at[1], 0], abs=0.006)
    assert found["prior log-density here"] == pytest.approx(-(z1**2 + z2**2) / 2 - math.log(2 * math.pi), abs=1e-6)


def test_pictures_must_fill_the_grid():
    with pytest.raises(ValueError, match=r"\(441, 64\)"):
        walk_script(pictures()[:-1], *codes())


def test_shows_outside_a_notebook(capsys):
    walk(pictures(), *codes())
    assert "slider" in capsys.readouterr().out
