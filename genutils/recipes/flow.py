"""Coupling flows for the yardstick: splines in the plane, one group of pixels after another on images."""

from __future__ import annotations

from typing import Any

from torch import nn

from genutils.flow import Coupling, Flow, Lookup, Turn
from genutils.pixelflow import PixelFlow, pixel_flow
from genutils.planar import Wavy
from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose
from genutils.tasks import Task


def images(task: Task, **settings: Any) -> PixelFlow:
    """Groups of pixels in turn, each as those before it say."""
    return pixel_flow(levels=task.levels, **settings)


def splines(task: Task, *, bins: int) -> Flow:
    """Two couplings of splines: x_2 given x_1, then x_1 given what x_2 became."""
    pair: list[nn.Module] = [Coupling([0], [1], Lookup(2 * bins - 1)), Coupling([1], [0], Lookup(2 * bins - 1))]
    return _between(task, pair, base="box")


def scales_and_shifts(task: Task, *, pairs: int) -> Flow:
    """Affine couplings (RealNVP), with a turn of the plane after every other."""
    transforms: list[nn.Module] = []
    for _ in range(pairs):
        transforms += [Coupling([0], [1], Wavy(), kind="affine"), Coupling([1], [0], Wavy(), kind="affine"), Turn()]
    return _between(task, transforms, base="normal")


def _between(task: Task, transforms: list[nn.Module], base: str) -> Flow:
    (left, right), (bottom, top) = task.truth.bounds
    return Flow(2, transforms, low=[left, bottom], high=[right, top], base=base)


SETTINGS = {
    "digits": Settings(
        images,
        seconds_per_step=0.0745,
        model={"kind": "lines", "dropout": 0.06},
        batch={"warped": 0.65},
        fit={"batch_size": 32, "lr": 4e-3, "ema": 0.997, "clip": 50},
    ),
    "plane": Settings(
        splines,
        seconds_per_step=0.0214,
        model={"bins": 32},
        fit={"batch_size": 1024, "lr": 6e-3, "ema": 0.998, "clip": 5},
    ),
}
AFFINE = Settings(
    scales_and_shifts,
    seconds_per_step=0.026,
    model={"pairs": 8},
    fit={"batch_size": 512, "lr": 4e-3, "ema": 0.998, "clip": 5},
)


def train(
    task: Task, seed: int = 0, budget: Budget = MINUTE, *, settings: Settings | None = None, **model: Any
) -> PixelFlow | Flow:
    """Splines, or with ``settings=AFFINE`` affine couplings of points; ``model`` in place of the model's settings."""
    return by_gradient(settings or choose(SETTINGS, task), task, seed, budget, **model)
