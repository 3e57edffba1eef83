"""A data set as a task: what there is to learn from, what is held out, and the unit in which the answer is given.

Recipes and the yardstick know a data set only through this, so that a new one is a new task and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genutils import data
from genutils.kinds import Unit
from genutils.strings import Strings
from genutils.tasks.interface import PARTS, Task
from genutils.tasks.sorts import Notes, Pictures, Points, Windows

__all__ = ["TASKS", "Notes", "Pictures", "Points", "Task", "Windows", "task"]


def _digits() -> Task:
    digits = data.digits()
    images, labels = ({part: getattr(digits, part + end) for part in PARTS} for end in ("", "_labels"))
    return Pictures("digits", images, labels, digits.levels)


def _photos() -> Task:
    photos = data.photos()
    return Pictures("photos", {part: getattr(photos, part) for part in PARTS}, None, photos.levels)


def _text(length: int = 256) -> Task:
    text = data.text()
    parts = {part: text.encode(getattr(text, part)) for part in PARTS}
    sizes = {Unit.BITS_PER_BYTE: np.array([len(character.encode()) for character in text.alphabet], dtype=float)}
    units = {"unit": Unit.BITS_PER_CHARACTER, "also": (Unit.BITS_PER_BYTE,)}
    return Windows("text", parts, levels=len(text.alphabet), length=length, sizes=sizes, **units)


def _strings(length: int = 512) -> Task:
    return Notes("strings", Strings(), length=length)


def _points(name: str) -> Callable[[], Task]:
    return lambda: Points(getattr(data, name))


TASKS: dict[str, Callable[..., Task]] = {
    "digits": _digits,
    **{name: _points(name) for name in data.DENSITIES},
    "photos": _photos,
    "text": _text,
    "strings": _strings,
}


def task(name: str, **settings: int) -> Task:
    """A new task by its name, with its test data untouched.

    Args:
        name: one of `TASKS`: "digits", "photos" (patches of 8 x 8), "text", "strings", or a density in the plane.
        settings: of "text", the ``length`` of a window; of "strings", of a note.

    Raises:
        ValueError: there is no such task.

    >>> digits = task("digits")
    >>> digits.shape, digits.levels, digits.unit.short, task("ring").unit.short
    ((8, 8), 17, 'bits/dim', 'nats above H')
    >>> sorted(digits.batch(5, warped=0.5))
    ['labels', 'warped', 'x']
    """
    if name not in TASKS:
        raise ValueError(f"no task is called {name!r}; there are {', '.join(TASKS)}")
    return TASKS[name](**settings)
