"""n-grams by counting: on text, and on the pixels of an image, row by row."""

from __future__ import annotations

from typing import Any

from genutils.ngram import NGram
from genutils.recipes.settings import MINUTE, Budget, Settings, choose
from genutils.tasks import Task


def text(task: Task, *, context: int) -> NGram:
    """The training text in one piece."""
    return NGram(task.sequence().numpy(), symbols=task.levels, context=context, length=task.dims)


def pixels(task: Task, *, context: int) -> NGram:
    """One image after another; so at the head of one, the tail of another is seen while counting."""
    return NGram(task.examples().flatten().numpy(), symbols=task.levels, context=context, length=task.dims)


SETTINGS = {"digits": Settings(pixels, model={"context": 3}), "text": Settings(text, model={"context": 5})}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> NGram:
    """Nothing is random, and any budget is enough."""
    settings = choose(SETTINGS, task)
    return settings.build(task, **(settings.model | model))
