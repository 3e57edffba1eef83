"""A kernel density estimate in the plane; its bandwidth is chosen on held-out points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from genutils.nonparametric import KDE
from genutils.recipes.settings import MINUTE, Budget, Settings, choose
from genutils.tasks import Task


def kernels(task: Task, seed: int, *, points: int, bandwidths: Sequence[float]) -> KDE:
    """The bandwidth with which the remembered points make each other likeliest, each by all but itself."""
    x = task.examples(points, generator=torch.Generator().manual_seed(seed)).double().numpy()
    scale = float(x.std(0).mean())
    candidates = [KDE(h * scale).fit(x) for h in bandwidths]
    return max(candidates, key=lambda model: model.leave_one_out().mean())


SETTINGS = {"plane": Settings(kernels, model={"points": 4000, "bandwidths": (0.02, 0.03, 0.045, 0.07, 0.1, 0.15)})}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> KDE:
    """Any budget is enough."""
    settings = choose(SETTINGS, task)
    return settings.build(task, seed, **(settings.model | model))
