"""A data set as a task: what there is to learn from, what is held out, and the unit in which the answer is given.

Recipes and the yardstick know a data set only through this, so that a new one is a new task and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from genutils import data
from genutils.augment import warp
from genutils.densities import Density
from genutils.kinds import Unit

PARTS = ("train", "validation", "test")
TEST_SEED, VALIDATION_SEED = 20_261_123, 20_261_124  # of the points held out from a density


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
        truth: the density of the data, where it is known.
        comparable: whether a distance between samples, example by example as vectors, says anything.
    """

    group: str
    levels: int | None = None
    classes: int | None = None
    unit = Unit.BITS_PER_DIM
    also: tuple[Unit, ...] = ()
    truth: Density | None = None
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
        """All examples of "train", "validation" or "test", as the fields ``x`` and, where there are classes, ``labels``.

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
        unit = unit or self.unit
        if unit is Unit.NATS_ABOVE_LIMIT:
            return self.truth.log_prob(x).double().numpy() - log_prob, 1.0
        count = self._count(x, unit)  # (B,)
        scale = 1 / (count.mean() * math.log(2))
        mean = -log_prob.mean() * scale
        return mean - log_prob * scale - mean * count / count.mean(), float(scale)

    def _part(self, part: str) -> dict[str, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} must say what its {part} data are")

    def _count(self, x: Tensor, unit: Unit) -> np.ndarray:
        return np.full(len(x), float(self.dims))


class Pictures(Task):
    """Grey images (size, size) of whole levels, with labels or without.

    Args:
        images: the arrays of the three parts, (N, size, size).
        labels: (N,) for each part.
    """

    def __init__(self, name: str, images: dict[str, np.ndarray], labels: dict[str, np.ndarray] | None, levels: int):
        super().__init__(name, images["train"].shape[1:])
        self.group, self.levels = name, levels
        self._images = {part: torch.tensor(np.array(x)).long() for part, x in images.items()}
        self._labels = {part: torch.tensor(np.array(y)).long() for part, y in (labels or {}).items()}
        self.classes = int(self._labels["train"].max()) + 1 if labels else None

    def batch(
        self, n: int, *, generator: torch.Generator | None = None, warped: float = 0.0, labelled: float = 1.0
    ) -> dict[str, Tensor]:
        """n training images drawn with replacement.

        Args:
            n: how many.
            generator: of torch, on the CPU.
            warped: share of them that comes as warped copies (`genutils.augment.warp`). If it is not 0 there is a field
                ``warped`` (n,), true for those; networks are told, as copies are a little softer.
            labelled: share of them that keeps its label; the others have -1.
        """
        i = torch.randint(len(self._images["train"]), (n,), generator=generator)
        fields = {"x": self._images["train"][i]}
        if self.classes:
            fields["labels"] = self._labels["train"][i]
        if warped:
            fields["warped"] = torch.rand(n, generator=generator) < warped
            copies = warp(fields["x"], generator=generator, levels=self.levels)
            fields["x"] = torch.where(fields["warped"][:, None, None], copies, fields["x"])
        if self.classes and labelled < 1:
            kept = torch.rand(n, generator=generator) < labelled
            fields["labels"] = torch.where(kept, fields["labels"], -1)
        return fields

    def _part(self, part: str) -> dict[str, Tensor]:
        return {"x": self._images[part]} | ({"labels": self._labels[part]} if self.classes else {})


class Points(Task):
    """Points in the plane from a density of known entropy: fresh ones without end to train on, 50,000 to test on."""

    group, unit = "plane", Unit.NATS_ABOVE_LIMIT
    SIZES = {"validation": 10_000, "test": 50_000}

    def __init__(self, truth: Density):
        super().__init__(truth.name, (2,))
        self.truth = truth

    def batch(self, n: int, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """n fresh points."""
        return {"x": self.truth.sample(n, generator=generator)}

    def examples(self, n: int | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """n fresh points."""
        if n is None:
            return self._part("train")["x"]
        return self.truth.sample(n, generator=generator)

    def _part(self, part: str) -> dict[str, Tensor]:
        if part == "train":
            raise ValueError(f"there is no end to the training data of {self.name!r}; say how many: batch(n)")
        seed = TEST_SEED if part == "test" else VALIDATION_SEED
        return {"x": self.truth.sample(self.SIZES[part], generator=torch.Generator().manual_seed(seed))}


class Windows(Task):
    """A long sequence of whole numbers, cut into windows (length,): side by side to test on, anywhere to train on.

    Each window is asked about on its own, so its first symbols have little before them. What does not fill a window is
    left out.

    Args:
        name: of the task and its group.
        parts: the (N,) sequences of the three parts.
        levels: L, how many symbols there are.
        length: of a window.
        unit, also: of the answer.
        sizes: for a unit that does not count symbols, the (L,) size of each symbol in it, such as bytes.
    """

    comparable = False

    def __init__(
        self,
        name: str,
        parts: dict[str, np.ndarray],
        *,
        levels: int,
        length: int,
        unit: Unit,
        also: tuple[Unit, ...] = (),
        sizes: dict[Unit, np.ndarray] | None = None,
    ):
        super().__init__(name, (length,))
        self.group, self.levels, self.unit, self.also, self._sizes = name, levels, unit, tuple(also), sizes or {}
        self._sequences = {part: torch.tensor(np.array(ids)).long() for part, ids in parts.items()}
        short = min(map(len, self._sequences.values()))
        if not 1 <= length <= short:
            raise ValueError(f"a window of {name!r} has 1 ... {short:,} symbols; length is {length}")

    def batch(
        self, n: int, *, generator: torch.Generator | None = None, length: int | None = None
    ) -> dict[str, Tensor]:
        """n windows that begin anywhere in the training part, of the task's length or another."""
        ids, length = self._sequences["train"], length or self.shape[0]
        start = torch.randint(len(ids) - length + 1, (n, 1), generator=generator)
        return {"x": ids[start + torch.arange(length)]}

    def sequence(self, part: str = "train") -> Tensor:
        """(N,) the training or validation part in one piece."""
        if part not in ("train", "validation"):
            raise ValueError(f"in one piece there are train and validation; for {part!r} ask split")
        return self._sequences[part]

    def _part(self, part: str) -> dict[str, Tensor]:
        ids, length = self._sequences[part], self.shape[0]
        return {"x": ids[: len(ids) // length * length].view(-1, length)}

    def _count(self, x: Tensor, unit: Unit) -> np.ndarray:
        return self._sizes[unit][x.numpy()].sum(1) if unit in self._sizes else super()._count(x, unit)


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


def _points(name: str) -> Callable[[], Task]:
    return lambda: Points(getattr(data, name))


TASKS: dict[str, Callable[..., Task]] = {
    "digits": _digits,
    **{name: _points(name) for name in data.DENSITIES},
    "photos": _photos,
    "text": _text,
}


def task(name: str, **settings: int) -> Task:
    """A new task by its name, with its test data untouched.

    Args:
        name: one of `TASKS`: "digits", "photos" (patches of 8 x 8), "text", or a density in the plane.
        settings: of "text", the ``length`` of a window.

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
