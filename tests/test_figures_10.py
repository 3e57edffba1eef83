"""The live figures of lesson 10: receptive fields as the package's stacks have them, drawings as they were drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genutils.figures.lesson_10 import (
    SIDE,
    drawing_script,
    fields_controls,
    fields_script,
    receptive_fields,
    show_drawing,
)
from genutils.live import Choice, Slider
from genutils.stacks import OneStack, TwoStacks
from tests.test_stacks import sees


@pytest.fixture
def drawings():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(17, 5.0), size=(2, 4, 4))
    return {name: (p[k].argmax(-1), p[k]) for k, name in enumerate(("a 3", "a 7"))}


@pytest.mark.browser
def test_fields_are_those_of_the_stacks(live_page):
    page = live_page(fields_controls(), fields_script())
    small, large = "3 x 3", "5 x 5"
    for layers, window, row, column in ((1, small, 9, 5), (4, small, 13, 2), (3, large, 8, 13), (8, small, 7, 1)):
        page.put(layers=layers, window=window, row=row, column=column)
        reach, target = 1 if window == small else 2, (row - 1) * SIDE + column - 1
        torch.manual_seed(0)
        expected = {
            name: int(sees(kind(2, 8, layers - 1, first=reach, reach=reach), layers - 1, SIDE)[target].sum())
            for name, kind in {"seen by one stack": OneStack, "seen by two stacks": TwoStacks}.items()
        }
        assert page.numbers() == {"pixels before": target} | expected


@pytest.mark.browser
def test_a_drawing_costs_what_its_probabilities_say(live_page, drawings):
    controls = (Slider("step", "step", 0, 16, 0, 1), Choice("digit", "digit", list(drawings), "a 3"))
    page = live_page(controls, drawing_script(drawings))
    for step, digit in ((0, "a 3"), (7, "a 7"), (16, "a 7")):
        page.put(step=step, digit=digit)
        x, p = drawings[digit][0].ravel(), np.round(drawings[digit][1].reshape(16, 17), 4)
        found = page.numbers()
        assert found["this picture so far"] == pytest.approx(-np.log2(p[range(step), x[:step]]).sum(), abs=1e-6)
        doubt = -(p[step] * np.log2(p[step])).sum() if step < 16 else math.nan
        assert found["doubt about the next pixel"] == pytest.approx(doubt, abs=1e-6, nan_ok=True)
        assert page.tab.locator(".live-chart svg").first.locator("rect[fill='currentColor']").count() == step


def test_figures_are_shown_and_say_what_is_seen(capsys, drawings):
    receptive_fields()
    show_drawing(drawings)
    said = capsys.readouterr().out
    assert said.count("live figure") == 2 and len(drawing_script(drawings)) < 20_000
    x, p = drawings["a 3"]
    p = p.copy()
    p[0, 0, x[0, 0]] = 0
    with pytest.raises(ValueError, match="a 3: a pixel has a level .* choose another"):
        drawing_script({"a 3": (x, p)})
