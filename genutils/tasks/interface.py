"""What every task offers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genutils.kinds import Unit
from genutils.model import as_array, one_each

PARTS = ("train", "validation", "test")


class Task:
    """A data set in three parts, and what a model of it is measured in.

    The test part can be touched once. Make a new task for another run: `task` makes one in no time.

    Attributes:
        name: what it is called.
        group: of what sort it is; recipes have settings for a name, or for all tasks of a group.
        shape: of one example.
        levels: L, where data are whole numbers 0 ... L - 1; None where they are real numbers.
        classes: how many labels there are; None where there are none.
        unit: of the value on the yardstick.
        also: further units in which it is given.
        truth: what the data come from, where that is known: it has ``log_prob``.
        comparable: whether a distance between samples, example by example as vectors, says anything.
    """

    group: str
    levels: int | None = None
    classes: int | None = None
    unit = Unit.BITS_PER_DIM
    also: tuple[Unit, ...] = ()
    truth: Any = None
    comparable = True

    def __init__(self, name: str, shape: tuple[int, ...]):
        self.name, self.shape, self._touched = name, tuple(shape), False

    @property
    def dims(self) -> int:
        """D, the numbers in one example."""
        return math.prod(self.shape)

    def batch(self, n: int, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """n examples to train on: ``x`` (n, ...), and where there are classes ``labels`` (n,), -1 for "not told".

        Subclasses say what else can be asked for, and what further fields there are, all with n rows.
        """
        raise NotImplementedError(f"{type(self).__name__} must say how to draw a batch")

    def split(self, part: str) -> dict[str, Tensor]:
        """All of "train", "validation" or "test": the field ``x`` and, where there are classes, ``labels``.

        Raises:
            ValueError: there is no such part, or no end to the training data.
            RuntimeError: the test part has been touched before.
        """
        if part not in PARTS:
            raise ValueError(f"the parts of a task are {', '.join(PARTS)}; {part!r} is none")
        if part == "test":
            if self._touched:
                raise RuntimeError(
                    f"the test data of {self.name!r} have been touched before, and can be once only: choose on "
                    "validation data, or make a new task for a new run"
                )
            self._touched = True
        return self._part(part)

    def examples(self, n: int | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """n different training examples at random, or all there are; fresh ones where there is no end to them."""
        x = self.split("train")["x"]
        return x if n is None or n >= len(x) else x[torch.randperm(len(x), generator=generator)[:n]]

    def values(self, log_prob: np.ndarray, x: Tensor, unit: Unit | None = None) -> tuple[np.ndarray, float]:
        """What each example costs, in ``unit`` (by default the task's), from its log-probability in nats.

        Their mean is the cost of all examples together, also where some are longer than others.

        Args:
            log_prob: (B,) nats.
            x: (B, ...) the examples.

        Returns:
            (B,) costs, and what a nat of one example is in that unit.
        """
        unit, log_prob = unit or self.unit, one_each(as_array(log_prob), len(x))
        if unit in (Unit.NATS_ABOVE_LIMIT, Unit.BITS_ABOVE_LIMIT):
            scale = 1.0 if unit is Unit.NATS_ABOVE_LIMIT else 1 / (self.dims * math.log(2))
            return (self.truth.log_prob(x).double().numpy() - log_prob) * scale, scale
        count = self._count(x, unit)  # (B,)
        scale = 1 / (count.mean() * math.log(2))
        mean = -log_prob.mean() * scale
        return mean - log_prob * scale - mean * count / count.mean(), float(scale)

    def _part(self, part: str) -> dict[str, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} must say what its {part} data are")

    def _count(self, x: Tensor, unit: Unit) -> np.ndarray:
        return np.full(len(x), float(self.dims))
