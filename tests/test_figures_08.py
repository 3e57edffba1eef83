"""The live figure of lesson 08 draws what its belief nets say, pixel by pixel, in the chosen order."""

from __future__ import annotations

import json

import numpy as np
import pytest

from genutils.figures.lesson_08 import draw_digit, draw_script
from genutils.live import Choice, Slider


def nets():
    rng = np.random.default_rng(3)
    return {
        name: (rng.normal(size=(64, 64)) * 0.4, rng.normal(size=64), order)
        for name, order in (("rows", np.arange(64)), ("shuffled", rng.permutation(64)))
    }


def draws(seed):
    """Park and Miller's generator, as in the page."""
    state = 48271 * (seed + 12345) % 2147483647
    while True:
        state = 48271 * state % 2147483647
        yield state / 2147483647


def expected(weights, bias, order, seed, step):
    """The probability of the pixel after ``step`` pixels, and the bits of those before it."""
    uniform, x, bits = draws(seed), np.zeros(64), 0.0
    for _ in range(20):
        next(uniform)
    for k in range(64):
        p = 1 / (1 + np.exp(-(np.round(weights[k, :k], 3) @ x[order[:k]] + np.round(bias[k], 3))))
        if k == step:
            return p, bits
        x[order[k]] = next(uniform) < p
        bits -= np.log2(p if x[order[k]] else 1 - p)
    return np.nan, bits


@pytest.fixture
def page(live_page):
    controls = (
        Slider("step", "step", 0, 64, 0, 1),
        Slider("seed", "seed", 1, 40, 1, 1),
        Choice("order", "order", ["rows", "shuffled"], "rows"),
    )
    return live_page(controls, draw_script(nets()))


@pytest.mark.browser
@pytest.mark.parametrize("order", ["rows", "shuffled"])
@pytest.mark.parametrize(("step", "seed"), [(0, 1), (1, 7), (33, 7), (64, 40)])
def test_numbers_agree_with_python(page, order, step, seed):
    page.put(order=order, step=step, seed=seed)
    found = page.numbers()
    p, bits = expected(*nets()[order], seed, step)
    assert found["this picture so far"] == pytest.approx(bits, abs=1e-8)
    assert found["P(next pixel is ink)"] == pytest.approx(p, abs=1e-10, nan_ok=True)  # nan: no pixel is left
    assert np.isnan(p) == (step == 64)
    assert page.tab.locator(".live-chart svg").first.locator("rect[fill='currentColor']").count() == step


def test_the_script_holds_no_weight_that_looks_ahead(capsys):
    script = draw_script(nets())
    models = json.loads(script[script.index("{", script.index("order } =") + 9) :].split("[v.order]")[0])
    assert [len(row) for row in models["rows"]["weights"]] == list(range(64))
    assert len(script) < 60_000
    draw_digit(nets())
    assert "live figure" in capsys.readouterr().out
