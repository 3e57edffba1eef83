"""Histograms: a table of levels for each pixel, boxes in the plane."""

from __future__ import annotations

from typing import Any

import torch

from genutils.nonparametric import Frequencies, Histogram
from genutils.recipes.settings import MINUTE, Budget, Settings, choose
from genutils.tasks import Task


def tables(task: Task, seed: int, *, smoothing: float) -> Frequencies:
    """A table for each pixel, as if they had nothing to do with each other."""
    return Frequencies(task.levels, smoothing).fit(task.examples().flatten(1).numpy())


def boxes(task: Task, seed: int, *, points: int, bins: int, smoothing: float) -> Histogram:
    """Boxes that fill the box around the density."""
    x = task.examples(points, generator=torch.Generator().manual_seed(seed)).double()
    low, high = torch.tensor(task.truth.bounds, dtype=torch.float64).T
    inside = ((x >= low) & (x < high)).all(1)
    return Histogram(task.truth.bounds, bins, smoothing).fit(x[inside].numpy())


SETTINGS = {
    "digits": Settings(tables, model={"smoothing": 0.1}),
    "photos": Settings(tables, model={"smoothing": 0.1}),
    "plane": Settings(boxes, model={"points": 200_000, "bins": 100, "smoothing": 0.5}),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> Frequencies | Histogram:
    """Any budget is enough."""
    settings = choose(SETTINGS, task)
    return settings.build(task, seed, **(settings.model | model))
