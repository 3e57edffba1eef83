"""At the door of every model made of a network: what it cannot take is named, with the remedy, before it goes in.

Behind the door a NaN becomes a wrong index or a level, a missing axis broadcasts, and torch's message speaks of an
operation that the reader did not write.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from genutils.batches import tensors


@contextlib.contextmanager
def answering(model: nn.Module, x: Any) -> Iterator[None]:
    """Around the answer of a model about examples x.

    Raises:
        TypeError: x is no tensor, or of another dtype than the model.
        ValueError: an example is not finite.

    >>> with answering(nn.Linear(2, 1), torch.tensor([[0.0, 1.0], [0.0, torch.nan]])):
    ...     pass
    Traceback (most recent call last):
    ValueError: example 1 holds nan: leave such examples out, or fill in a number
    """
    needs_tensor(model, x)
    if said := not_finite(x):
        raise ValueError(f"{said}: leave such examples out, or fill in a number")
    with dtypes_named(model, x):
        yield


def needs_tensor(model: nn.Module, x: Any) -> None:
    """TypeError if x is an array, a list, or something else that a network does not take."""
    if not isinstance(x, Tensor):
        name, kind = type(model).__name__, type(x).__name__
        raise TypeError(f"a {name} takes a tensor, not a {kind}: give torch.as_tensor(x), .float() if x is real")


def not_finite(x: Tensor, name: str = "example") -> str:
    """The first example that is not finite, in words; "" if all are."""
    if not x.is_floating_point() or not x.numel() or bool(x.isfinite().all()):
        return ""
    values = x.reshape(len(x), -1) if x.ndim else x.view(1, 1)
    bad = ~values.isfinite()
    row = int(bad.any(1).nonzero()[0])
    return f"{name} {row} holds {values[row][bad[row]][0].item()}"


def shaped(found: Tensor, like: Tensor | tuple[int, ...], what: str) -> Tensor:
    """``found``, if it has the shape that is wanted; torch would broadcast another without a word.

    Raises:
        ValueError: it has another; says both.

    >>> shaped(torch.zeros(3), (3, 1), "the network's output")
    Traceback (most recent call last):
    ValueError: the network's output must have shape (3, 1); it has (3,)
    """
    wanted = tuple(like.shape) if isinstance(like, Tensor) else tuple(like)
    if tuple(found.shape) != wanted:
        raise ValueError(f"{what} must have shape {wanted}; it has {tuple(found.shape)}")
    return found


def whole(x: Tensor, levels: int) -> Tensor:
    """x as int64, if its numbers are whole and 0 ... levels - 1, whatever their dtype.

    Raises:
        ValueError: a number is none of these; ``.long()`` would make 0 of most data that were scaled.

    >>> whole(torch.tensor([0.5]), 17)
    Traceback (most recent call last):
    ValueError: expected whole numbers 0 ... 16; these are torch.float32 from 0.5 to 0.5. Were they scaled?
    """
    x = countable(x)
    if x.numel():
        low, high = x.min().item(), x.max().item()
        fractions = x.is_floating_point() and not bool((x == x.floor()).all())
        if fractions or not 0 <= low <= high < levels:
            raise ValueError(
                f"expected whole numbers 0 ... {levels - 1}; these are {x.dtype} from {low:g} to {high:g}. "
                "Were they scaled?"
            )
    return x.long()


def countable(x: Tensor) -> Tensor:
    """x, as int64 where it is of one of the unsigned dtypes of which torch finds no minimum."""
    return x.long() if x.dtype in (torch.uint16, torch.uint32, torch.uint64) else x


def usable(made: Tensor, who: Any) -> Tensor:
    """What a model made, if it is finite: no level is nearest to nan, and no draw comes of such probabilities.

    Raises:
        ValueError: it is not.
    """
    if made.is_floating_point() and not bool(made.isfinite().all()):
        who = who if isinstance(who, str) else f"this {type(who).__name__}"
        raise ValueError(f"{who}'s output is not finite: its weights are of no use, train it anew")
    return made


@contextlib.contextmanager
def dtypes_named(model: nn.Module, batch: Any) -> Iterator[None]:
    """Say in one line what torch says in many ways: the numbers of the data are of another kind than the weights."""
    try:
        yield
    except RuntimeError as error:
        want = next((p.dtype for p in model.parameters() if p.is_floating_point()), None)
        parts = [part.dtype for part in tensors(batch) if part.dtype != want]
        odd = [dtype for dtype in parts if dtype.is_floating_point]
        if not odd and re.search("mat1|same dtype|Input type", str(error)):  # labels are whole numbers, and rightly so
            odd = parts
        if want is None or not odd or not re.search("dtype|scalar type|Input type|Double|double", str(error)):
            raise
        raise TypeError(f"the data is {odd[0]} and the model {want}: give data.to({want})") from error


@contextlib.contextmanager
def data_named(batch: Any) -> Iterator[None]:
    """Around a step of training: what diverged because the data were no numbers says so."""
    try:
        yield
    except FloatingPointError as error:
        error.args = (f"{error}{spoilt(batch)}",)
        raise


def spoilt(batch: Any) -> str:
    """What to add to the words about a loss that is no number: the first example that is none either, or nothing."""
    found = next(filter(None, map(not_finite, tensors(batch))), "")
    return f", as the data are no numbers: {found} (leave such examples out)" if found else ""
