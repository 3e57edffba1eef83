"""Transformers for the yardstick: over the pixels of images row by row, and over the characters of text."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import nn

from genutils.optimizers import Muon
from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose, make_less_sure
from genutils.tasks import Task
from genutils.training import flat_then_down
from genutils.transformer import Transformer


def pixels(task: Task, **settings: Any) -> Transformer:
    """Labels are used in training only: p(x) is the mean over classes.

    Distances (rotary) say where a pixel above stands, and a vector for each place where the edges are. Levels near each
    other begin alike.
    """
    model = Transformer(levels=task.levels, dims=task.shape, classes=task.classes, positions="rotary", **settings)
    width = model.symbol.weight.shape[1]
    model.place = nn.Parameter(0.3 * torch.randn(model.length, width))
    grey = torch.arange(8) * torch.arange(task.levels)[:, None] * math.pi / (task.levels - 1)  # (L, 8)
    with torch.no_grad():
        model.symbol.weight[:-1] = 0.3 * grey.cos() @ torch.randn(8, width)
    return model


def characters(task: Task, **settings: Any) -> Transformer:
    """Begins by knowing how often each character comes."""
    model = Transformer(levels=task.levels, dims=task.dims, positions="rotary", **settings)
    counts = torch.bincount(task.sequence(), minlength=task.levels)
    with torch.no_grad():
        model.out.bias.copy_((counts + 1.0).log())
    return model


def muon(model: Transformer, **settings: float) -> partial:
    """For the matrices of the blocks; Adam for what comes before and after them."""
    return partial(Muon, hidden=list(model.blocks.parameters()), **settings)


SETTINGS = {
    "digits": Settings(
        pixels,
        seconds_per_step=0.095,
        model={"width": 64, "layers": 3, "heads": 2, "dropout": 0.1},
        batch={"warped": 0.6},
        fit={"batch_size": 32, "lr": 0.05, "ema": 0.997, "clip": None},
        optimizer=partial(muon, momentum=0.9, adam=0.2),
        after=make_less_sure,
    ),
    "text": Settings(
        characters,
        seconds_per_step=0.19,
        model={"width": 96, "layers": 3, "heads": 4},
        fit={"batch_size": 8, "lr": 0.1, "schedule": flat_then_down, "ema": 0.99, "clip": 1.0},
        optimizer=partial(muon, momentum=0.9, adam=0.3),
    ),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> Transformer:
    """A Transformer over images and warped copies of them, or over windows of text; ``model`` in place of settings."""
    return by_gradient(choose(SETTINGS, task), task, seed, budget, **model)
