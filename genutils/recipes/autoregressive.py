"""Autoregressive models for the yardstick: every pixel from those before it, x_2 from x_1."""

from __future__ import annotations

from typing import Any

from genutils.autoregressive import PixelNet, PlaneNet, in_all_orders, temper
from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose
from genutils.tasks import Task


def pixels(task: Task, **settings: Any) -> PixelNet:
    """Labels are used in training only: p(x) is the mean over classes."""
    return PixelNet(levels=task.levels, size=task.shape[0], **({"classes": task.classes or 1} | settings))


def points(task: Task, **settings: Any) -> PlaneNet:
    """The knots fill the box that holds the density."""
    return PlaneNet(task.truth.bounds, **settings)


def make_less_sure(model: PixelNet, task: Task) -> None:
    """By `genutils.autoregressive.temper`, on validation data."""
    held_out = task.split("validation")
    temper(model, held_out["x"], held_out.get("labels"))


SETTINGS = {
    "digits": Settings(
        pixels,
        seconds_per_step=0.046,
        model={"orders": 2, "dropout": 0.06},
        batch={"warped": 0.6},
        fit={"batch_size": 32, "lr": 4e-3, "ema": 0.997, "clip": 50},
        loss=in_all_orders,
        after=make_less_sure,
    ),
    "plane": Settings(
        points,
        seconds_per_step=0.02,
        fit={"batch_size": 1024, "lr": 6e-3, "ema": 0.998, "clip": 5},
    ),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> PixelNet | PlaneNet:
    """`PixelNet` on images and warped copies of them, `PlaneNet` on points; ``model`` in place of the settings."""
    return by_gradient(choose(SETTINGS, task), task, seed, budget, **model)
