"""The live figure of lesson 12 bends as autograd's Jacobian says."""

from __future__ import annotations

import pytest
import torch

from genutils.figures.lesson_12 import CONTROLS, GRID, bend_a_grid

SETTINGS = [
    dict(scale1=0.6, shift1=0.5, scale2=0.0, shift2=0.0, x1=0.7, x2=0.6),
    dict(scale1=-0.8, shift1=1.0, scale2=0.75, shift2=-0.45, x1=-1.25, x2=0.9),
    dict(scale1=0.0, shift1=0.0, scale2=0.0, shift2=0.0, x1=0.0, x2=0.0),
]


@pytest.fixture
def page(live_page):
    return live_page(CONTROLS, GRID)


@pytest.mark.browser
@pytest.mark.parametrize("setting", SETTINGS)
def test_area_and_determinant_are_autograds(page, setting):
    def bend(x):
        c = x[1] * torch.exp(setting["scale1"] * torch.sin(2 * x[0])) + setting["shift1"] * torch.cos(1.5 * x[0])
        a = x[0] * torch.exp(setting["scale2"] * torch.sin(2 * c)) + setting["shift2"] * torch.cos(1.5 * c)
        return torch.stack([a, c])

    at = torch.tensor([setting["x1"], setting["x2"]], dtype=torch.float64)
    want = torch.linalg.det(torch.autograd.functional.jacobian(bend, at)).item()
    page.put(**setting)
    found = page.numbers()
    assert found["|det J|"] == pytest.approx(want, rel=1e-6)
    assert found["area, after by before"] == pytest.approx(want, rel=1e-3)


def test_shows_outside_a_notebook(capsys):
    bend_a_grid()
    assert "square" in capsys.readouterr().out
