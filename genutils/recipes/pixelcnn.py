"""PixelCNN for the yardstick: gated stacks of convolutions over images, with labels where there are some."""

from __future__ import annotations

from functools import partial
from typing import Any

from genutils.optimizers import Adam
from genutils.pixelcnn import PixelCNN
from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose, make_less_sure
from genutils.tasks import Task


def images(task: Task, **settings: Any) -> PixelCNN:
    """Labels are used in training only: p(x) is the mean over classes."""
    return PixelCNN(size=task.shape, levels=task.levels, classes=task.classes, **settings)


# Weights stay small where data say little: Loshchilov, Hutter (2019).
decaying = partial(Adam, betas=(0.9, 0.99), fused=True, weight_decay=0.4, decoupled_weight_decay=True)

SETTINGS = {
    "digits": Settings(
        images,
        seconds_per_step=0.056,
        model={"width": 32, "layers": 4},
        batch={"warped": 0.6},
        fit={"batch_size": 32, "lr": 7e-3, "ema": 0.997, "clip": 50, "optimizer": decaying},
        after=make_less_sure,
    ),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> PixelCNN:
    """A PixelCNN of images and warped copies of them; ``model`` in place of the settings."""
    return by_gradient(choose(SETTINGS, task), task, seed, budget, **model)
