"""One table of levels for all pixels: what anything must beat."""

from __future__ import annotations

from typing import Any

from genutils.nonparametric import Frequencies
from genutils.recipes.settings import MINUTE, Budget, Settings, choose
from genutils.tasks import Task


def one_table(task: Task, *, smoothing: float) -> Frequencies:
    """Counted over the training images."""
    return Frequencies(task.levels, smoothing, apart=False).fit(task.examples().flatten(1).numpy())


SETTINGS = {group: Settings(one_table, model={"smoothing": 0.1}) for group in ("digits", "photos")}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> Frequencies:
    """Nothing is random, and any budget is enough."""
    settings = choose(SETTINGS, task)
    return settings.build(task, **(settings.model | model))
