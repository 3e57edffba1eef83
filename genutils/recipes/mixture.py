"""Mixtures by EM: of tables on images, of Gaussians in the plane."""

from __future__ import annotations

from typing import Any

import torch

from genutils.mixture import CategoricalMixture, GaussianMixture, Mixture
from genutils.recipes.settings import MINUTE, Budget, Settings, choose
from genutils.tasks import Task


def tables(task: Task, seed: int, *, K: int, tolerance: float, **prior: float) -> CategoricalMixture:
    """K causes; the step that is best on validation images is kept."""
    x, held_out = (task.split(part)["x"].flatten(1).numpy() for part in ("train", "validation"))
    model = CategoricalMixture(K, task.levels, **prior)
    return model.fit(x, validation=held_out, tolerance=tolerance, seed=seed)


def gaussians(task: Task, seed: int, *, K: int, points: int, **how: Any) -> GaussianMixture:
    """K Gaussians on some points of the density."""
    x = task.examples(points, generator=torch.Generator().manual_seed(seed)).double().numpy()
    return GaussianMixture(K, **how).fit(x, seed=seed)


SETTINGS = {
    "digits": Settings(tables, model={"K": 40, "tolerance": 1e-3, "smoothing": 0.02, "towards": 2.0, "blur": 3.0}),
    "plane": Settings(gaussians, model={"K": 32, "points": 20_000, "floor": 1e-4}),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> Mixture:
    """Any budget is enough."""
    settings = choose(SETTINGS, task)
    return settings.build(task, seed, **(settings.model | model))
