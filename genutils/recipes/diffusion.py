"""Diffusion models for the yardstick: convolutions over the levels of images, a small network in the plane."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genutils.convolutional import ImageDenoiser
from genutils.diffusion import Diffusion, LevelDiffusion, Schedule
from genutils.planar import PointDenoiser
from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose
from genutils.tasks import Task


def images(task: Task, *, width: int, blocks: int, low: float, high: float) -> LevelDiffusion:
    """Logits of the levels, so that the bound is on their probability."""
    network = ImageDenoiser(width, blocks, levels=task.levels, size=task.shape[0], classes=task.classes or 0)
    network = network.to(memory_format=torch.channels_last)
    return LevelDiffusion(network, task.shape, task.levels, schedule=Schedule(low, high), classes=task.classes)


def points(task: Task, *, low: float, high: float, **network: int) -> Diffusion:
    """From less noise than on images, as sharp edges need it."""
    some = task.examples(10_000, generator=torch.Generator().manual_seed(0))
    schedule = Schedule(low, high)
    return Diffusion(PointDenoiser(**network), (2,), schedule=schedule, shift=some.mean(0), scale=some.std(0))


SETTINGS = {
    "digits": Settings(
        images,
        seconds_per_step=0.03,
        model={"width": 32, "blocks": 4, "low": -8.5, "high": 5.0},
        batch={"warped": 0.5, "labelled": 0.2},  # so that labels can be asked for
        fit={"batch_size": 32, "lr": 6e-3, "ema": 0.997, "clip": 50},
    ),
    "plane": Settings(
        points,
        seconds_per_step=0.0142,
        model={"low": -11.0, "high": 6.0},
        fit={"batch_size": 1024, "lr": 6e-3, "ema": 0.998, "clip": 50},
    ),
}
BOUND = "ELBO"


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> Diffusion:
    """A diffusion of whole levels, or of points; ``model`` in place of the settings."""
    return by_gradient(choose(SETTINGS, task), task, seed, budget, **model)


def bound(model: Diffusion, x: Tensor, generator: torch.Generator) -> Tensor:
    """The mean of 32 draws of times and noise for each example, (B,) nats: the same bound, with less noise."""
    return torch.stack([model.elbo(x, generator=generator) for _ in range(32)]).mean(0)
