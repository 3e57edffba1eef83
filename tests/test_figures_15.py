"""The live figure of lesson 15 counts modes and measures distances as Python does."""

from __future__ import annotations

import numpy as np
import pytest

from genutils.figures.lesson_15 import CELLS, SIDE, Moment, chase, chase_script, field_grid
from genutils.live import Choice, Slider
from genutils.twosample import energy_distance, mode_counts, modes_covered

CENTRES = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)
RADIUS, EVERY = 0.6, 50


def games():
    rng = np.random.default_rng(0)
    grid = field_grid()
    found = {}
    for name, modes in (("plain", [1, 2, 2]), ("mended", [3, 6, 8])):
        found[name] = []
        for k in modes:
            samples = CENTRES[rng.integers(k, size=60)] + 0.3 * rng.normal(size=(60, 2))
            logits = (grid**2).sum(1) - k
            found[name].append(Moment(np.round(samples, 2), logits.reshape(CELLS + 1, CELLS + 1)))
    return found, np.round(CENTRES[rng.integers(8, size=80)] + 0.2 * rng.normal(size=(80, 2)), 2)


@pytest.fixture
def page(live_page):
    found, real = games()
    controls = (Choice("game", "game", list(found), "plain"), Slider("step", "step", 0, 2 * EVERY, 0, EVERY))
    return live_page(controls, chase_script(found, real, CENTRES, RADIUS, EVERY))


@pytest.mark.browser
@pytest.mark.parametrize("game", ["plain", "mended"])
@pytest.mark.parametrize("moment", [0, 1, 2])
def test_numbers_agree_with_python(page, game, moment):
    page.put(game=game, step=moment * EVERY)
    told = page.numbers()
    found, real = games()
    samples = found[game][moment].samples
    assert told["modes covered"] == modes_covered(samples, CENTRES, RADIUS)
    assert told["samples in a mode"] == pytest.approx(100 * mode_counts(samples, CENTRES, RADIUS).sum() / 60, abs=1e-9)
    assert told["energy distance"] == pytest.approx(energy_distance(samples, real), abs=1e-9)


@pytest.mark.browser
def test_the_line_of_doubt_lies_where_the_logit_is_zero(page):
    """Here the logit is |x|^2 - 1, so the line is a circle of radius 1, drawn in short pieces."""
    frame, paths = page.tab.evaluate(
        """() => { const svg = document.querySelector('.live-chart svg svg');
        return [[+svg.getAttribute('width'), +svg.getAttribute('height')],
        [...svg.querySelectorAll('path[stroke="#0d9488"]')].map(e => e.getAttribute('d'))] }"""
    )
    ends = np.array([[float(v) for v in p.replace("M", "").replace("L", " ").split()] for p in paths]).reshape(-1, 2)
    x, y = ends[:, 0] / frame[0] * 2 * SIDE - SIDE, SIDE - ends[:, 1] / frame[1] * 2 * SIDE
    assert len(ends) > 16 and np.allclose(np.hypot(x, y), 1, atol=0.06)


def test_shows_outside_a_notebook_and_refuses_games_of_different_length(capsys):
    found, real = games()
    chase(found, real, CENTRES, RADIUS, EVERY)
    assert "slider" in capsys.readouterr().out
    with pytest.raises(ValueError, match="as many moments"):
        chase_script({"a": found["plain"], "b": found["mended"][:2]}, real, CENTRES, RADIUS, EVERY)
