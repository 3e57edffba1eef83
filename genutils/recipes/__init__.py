"""What the yardstick trains: one file a family, each with settings for the tasks it can do, and ``train``.

``train(task, seed, budget)`` returns a trained `genutils.model.Model`. It sees training and validation data only, and
how long it trains follows from the budget and from what a step is stated to cost, never from a clock: the same call
gives the same model everywhere. Models and networks live in `genutils`; what stands here are numbers, so that a recipe
can be tuned without changing any lesson.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose

__all__ = ["MINUTE", "RECIPES", "Budget", "Settings", "by_gradient", "choose", "does", "recipe"]

RECIPES = (  # in the order of the course
    "frequencies",
    "histogram",
    "kde",
    "mixture",
    "ngram",
    "autoregressive",
    "transformer",
    "pixelcnn",
    "wavenet",
    "flow",
    "vae",
    "gan",
    "diffusion",
)


def recipe(name: str) -> ModuleType:
    """The recipe of this name: a module with ``train`` and ``SETTINGS``.

    Raises:
        ValueError: no recipe is called so.
        ImportError: its file is missing, does not import, or is no recipe; says which.
    """
    if name not in RECIPES:
        raise ValueError(f"no model is called {name!r}; there are {', '.join(RECIPES)}")
    try:
        module = importlib.import_module(f"genutils.recipes.{name}")
    except Exception as error:
        raise ImportError(f"the recipe {name!r} does not import: {type(error).__name__}: {error}") from error
    for part in ("train", "SETTINGS"):
        if not hasattr(module, part):
            raise ImportError(f"the recipe {name!r} ({module.__file__}) has no {part}")
    return module


def does(recipe: Any, task: Any) -> bool:
    """Whether a recipe has settings for a task; one without any ``SETTINGS`` is taken at its word."""
    settings = getattr(recipe, "SETTINGS", None)
    return settings is None or task.name in settings or task.group in settings
