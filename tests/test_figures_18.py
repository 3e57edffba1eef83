"""The live figure of lesson 18 walks as `genutils.diffusion` does."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genutils.diffusion import Diffusion, Schedule
from genutils.figures.lesson_18 import CONTROLS, COUNT, HIGH, LOW, STEPS, WAYS, walk_script, way_back

SCALE = 1.45
CENTRES = torch.tensor([[math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)] for k in range(8)]).double() * 2 / SCALE


class Ring(nn.Module):
    """v for eight blobs of width 0.2 / SCALE, by the exact score."""

    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule

    def forward(self, z, t, labels=None):
        alpha, sigma = (v[:, None] for v in self.schedule(t))
        away = z[:, None] - alpha[:, None] * CENTRES
        variance = (0.2 / SCALE * alpha) ** 2 + sigma**2
        share = (-0.5 * away.square().sum(2) / variance).softmax(1)
        eps = sigma * (share[..., None] * away).sum(1) / variance
        return (eps - sigma * z) / alpha


def start(seed: int) -> torch.Tensor:
    """The figure's first points: Park and Miller's generator, then Box and Muller."""
    state = 48271 * (seed + 12345) % 2147483647

    def random():
        nonlocal state
        state = 48271 * state % 2147483647
        return state / 2147483647

    for _ in range(20):
        random()
    draws = [math.sqrt(-2 * math.log(random())) * math.cos(2 * math.pi * random()) for _ in range(2 * COUNT)]
    return torch.tensor(draws, dtype=torch.float64).view(COUNT, 2)


def walked(seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    schedule = Schedule(LOW, HIGH)
    model = Diffusion(Ring(schedule), (2,), schedule=schedule)
    path = [start(seed), *(z for z, _ in model.walk(start(seed), STEPS, eta=0.0))]
    alpha, _ = schedule(torch.tensor(1 - step / STEPS, dtype=torch.float64))
    return path[step], path[-1], alpha


def nearest(z: torch.Tensor) -> torch.Tensor:
    return (z[:, None] - CENTRES).square().sum(2).argmin(1)


@pytest.fixture
def page(live_page):
    return live_page(CONTROLS, walk_script())


@pytest.mark.browser
@pytest.mark.parametrize(("seed", "step"), [(1, 0), (1, 30), (3, 45), (7, 60)])
def test_the_deterministic_walk_is_the_models(page, seed, step):
    z, end, alpha = walked(seed, step)
    page.put(seed=seed, step=step, way=WAYS[0])
    found = page.numbers()
    away = z - alpha * CENTRES[nearest(z / alpha)]
    assert found["mean distance to the nearest blob"] == pytest.approx(SCALE * away.norm(dim=1).mean().item(), rel=1e-4)
    assert found["noise σ"] == pytest.approx(math.sqrt(1 - alpha.item() ** 2), rel=1e-5)
    decided = (nearest(z) == nearest(end)).double().mean().item()
    assert found["share already nearest to its last blob"] == pytest.approx(decided, abs=0.01)


@pytest.mark.browser
def test_with_fresh_noise_the_end_is_open_for_longer(page):
    page.put(seed=2, step=25, way=WAYS[0])
    sure = page.numbers()["share already nearest to its last blob"]
    page.put(seed=2, step=25, way=WAYS[1])
    open_ = page.numbers()["share already nearest to its last blob"]
    assert open_ < 0.7 < 0.9 < sure
    page.put(seed=2, step=STEPS, way=WAYS[1])
    at_end = page.numbers()
    # mean distance of a Gaussian in the plane from its centre: sigma sqrt(pi / 2)
    assert at_end["mean distance to the nearest blob"] == pytest.approx(0.2 * math.sqrt(math.pi / 2), rel=0.2)
    assert at_end["share already nearest to its last blob"] == 1


def test_shows_outside_a_notebook(capsys):
    way_back()
    assert "cloud of points" in capsys.readouterr().out
