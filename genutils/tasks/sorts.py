"""The sorts of tasks: pictures, points in the plane, windows of a sequence, notes of an instrument."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genutils.augment import warp
from genutils.densities import Density
from genutils.door import whole
from genutils.kinds import Unit
from genutils.tasks.interface import Task

TEST_SEED, VALIDATION_SEED = 20_261_123, 20_261_124  # of what is held out where there is no end to data


class Pictures(Task):
    """Grey images (size, size) of whole levels, with labels or without.

    Args:
        images: the arrays of the three parts, (N, size, size).
        labels: (N,) for each part.
    """

    def __init__(self, name: str, images: dict[str, np.ndarray], labels: dict[str, np.ndarray] | None, levels: int):
        super().__init__(name, images["train"].shape[1:])
        self.group, self.levels = name, levels
        self._images = {part: whole(torch.tensor(np.array(x)), levels) for part, x in images.items()}
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
        for name, share in (("warped", warped), ("labelled", labelled)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is a share of the images, 0 ... 1; it is {share}")
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
        return {"x": self.truth.sample(_held_out(self, part), generator=_seeded(part))}


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
        self._sequences = {part: whole(torch.tensor(np.array(ids)), levels) for part, ids in parts.items()}
        short = min(map(len, self._sequences.values()))
        if not 1 <= length <= short:
            raise ValueError(f"a window of {name!r} has 1 ... {short:,} symbols; length is {length}")

    def batch(
        self, n: int, *, generator: torch.Generator | None = None, length: int | None = None
    ) -> dict[str, Tensor]:
        """n windows that begin anywhere in the training part, of the task's length or another."""
        ids, length = self._sequences["train"], self.shape[0] if length is None else length
        if not 1 <= length <= len(ids):
            raise ValueError(f"a window of {self.name!r} has 1 ... {len(ids):,} symbols; length is {length}")
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


class Notes(Task):
    """Notes (length,) of whole levels from an instrument whose probabilities are known: fresh ones without end.

    A model is asked without being told which string was plucked. What it costs is given per sample of the sound, and
    above what the instrument itself would pay, which knows all about strings but is not told that either.

    Args:
        name: of the task and its group.
        truth: the instrument: ``sample(n, labels, length=, generator=)``, ``log_prob(x)``, ``levels``, ``classes``.
        length: of a note.
    """

    comparable = False
    unit, also = Unit.BITS_PER_SAMPLE, (Unit.BITS_ABOVE_LIMIT,)
    SIZES = {"validation": 250, "test": 1_000}

    def __init__(self, name: str, truth: Any, *, length: int):
        if length < 1:
            raise ValueError(f"a note of {name!r} has 1 sample or more; length is {length}")
        super().__init__(name, (length,))
        self.group, self.truth, self.levels, self.classes = name, truth, truth.levels, truth.classes

    def batch(
        self, n: int, *, generator: torch.Generator | None = None, length: int | None = None
    ) -> dict[str, Tensor]:
        """n fresh notes of the task's length or another, and as ``labels`` the strings that were plucked."""
        length = self.dims if length is None else length
        if length < 1:
            raise ValueError(f"a note of {self.name!r} has 1 sample or more; length is {length}")
        labels = torch.randint(self.classes, (n,), generator=generator)
        return {"x": self.truth.sample(n, labels, length=length, generator=generator), "labels": labels}

    def examples(self, n: int | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """n fresh notes."""
        return self._part("train")["x"] if n is None else self.batch(n, generator=generator)["x"]

    def _part(self, part: str) -> dict[str, Tensor]:
        return self.batch(_held_out(self, part), generator=_seeded(part))


def _held_out(task: Points | Notes, part: str) -> int:
    """How many examples this part has, of data without end."""
    if part == "train":
        raise ValueError(f"there is no end to the training data of {task.name!r}; say how many: batch(n)")
    return task.SIZES[part]


def _seeded(part: str) -> torch.Generator:
    return torch.Generator().manual_seed(TEST_SEED if part == "test" else VALIDATION_SEED)
