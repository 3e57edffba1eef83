"""Batches for training: a tensor, a tuple or a dictionary of tensors, cut from examples or drawn by a function."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Batch = Tensor | tuple | dict  # all its tensors hold the same number of examples; what is no tensor passes unchanged


class Batches:
    """Batches on a device: ``batches(n)`` gives n examples, from a shuffled epoch or from a function of n.

    Args:
        data: a tensor (N, ...), a tuple or a dictionary of such, or a function of n that gives one of these with n
            examples.
        where: the device that they are moved to.
    """

    def __init__(self, data: Batch | Callable[[int], Batch], where: torch.device):
        self.data, self.where, self.order = data, where, None

    def __call__(self, n: int) -> Batch:
        if n < 0:
            raise ValueError(f"a batch has 1 example or more; batch_size is {n}")
        if callable(self.data):
            batch = self.data(n)
        else:
            total = count(self.data)
            if self.order is None or len(self.order) < min(n, total):
                self.order = torch.randperm(total)
            chosen, self.order = self.order[:n], self.order[n:]
            batch = each(lambda part: part[chosen.to(part.device)], self.data)
        if count(batch) == 0:
            raise ValueError(f"a batch of no examples: asked for {n}, data gave none. No loss can be their mean")
        return each(lambda part: part.to(self.where), batch)

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"order": self.order}

    def load_state_dict(self, state: dict[str, Tensor | None]) -> None:
        self.order = state["order"]


def each(f: Callable[[Tensor], Tensor], batch: Any) -> Any:
    """A batch with f applied to every tensor in it; what is no tensor stays as it is."""
    if isinstance(batch, Tensor):
        return f(batch)
    if isinstance(batch, dict):
        parts = copy.copy(batch)  # of its own type, whatever that needs to be made
        parts.update({name: each(f, part) for name, part in batch.items()})
        return parts
    if isinstance(batch, tuple | list):
        parts = [each(f, part) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def tensors(batch: Any) -> list[Tensor]:
    """All tensors of a batch."""
    found: list[Tensor] = []
    each(lambda part: found.append(part) or part, batch)
    return found


def examples(name: str, data: Any) -> None:
    """Refuse data called ``name`` that no batch can be cut from; a function passes.

    Raises:
        TypeError: there is no tensor in it.
        ValueError: its tensors have different lengths, or none.
    """
    if callable(data):
        return
    shapes = [tuple(part.shape) for part in tensors(data)]
    if not shapes:
        kind = type(data).__name__
        raise TypeError(f"{name} is a {kind}: give a tensor (torch.as_tensor), a tuple or dictionary, or a function")
    if len({shape[:1] for shape in shapes}) > 1:
        raise ValueError(f"the parts of {name} must hold one number of examples; their shapes are {shapes}")
    if not sum(shapes[0][:1]):
        raise ValueError(f"there are no examples in {name}: it has shape {shapes[0]}")


def count(batch: Any) -> int:
    """How many examples a batch has, by its first tensor that is no single number; -1 if it has none.

    >>> count((torch.zeros(3, 2), torch.zeros(3))), count({"x": torch.zeros(0, 2)}), count({})
    (3, 0, -1)
    """
    lengths = [len(part) for part in tensors(batch) if part.ndim]
    return lengths[0] if lengths else -1


def split(data: Batch, n: int) -> list[Batch]:
    """Data in batches of n, the last with what is left, in their order."""
    return [each(lambda part, i=i: part[i : i + n], data) for i in range(0, count(data), n)]
