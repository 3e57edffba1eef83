"""WaveNet for the yardstick: notes of strings, each told which string it is of."""

from __future__ import annotations

from typing import Any

from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose
from genutils.tasks import Task
from genutils.wavenet import WaveNet


def notes(task: Task, **settings: Any) -> WaveNet:
    """As long as those of the task; labels are used in training only: p(x) is the mean over strings."""
    return WaveNet(levels=task.levels, classes=task.classes, length=task.dims, **settings)


SETTINGS = {
    "strings": Settings(
        notes,
        seconds_per_step=0.0175,
        model={"layers": 5, "channels": 24, "features": 64},
        batch={"length": 128},  # more steps are worth more than longer notes
        fit={"batch_size": 8, "lr": 0.015, "ema": 0.99, "clip": None},
    ),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> WaveNet:
    """A WaveNet of fresh notes without end; ``model`` in place of the settings."""
    return by_gradient(choose(SETTINGS, task), task, seed, budget, **model)
