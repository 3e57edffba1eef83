"""From nats per example to bits per dimension, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def bits_per_dim(log_prob: Any, dims: int) -> Any:
    """Bits per dimension of *discrete* data: ``-log P(x) / (D ln 2)``.

    A log-density of continuous data has no such unit: convert it with `Dequantized` first.

    Args:
        log_prob: nats, summed over the dimensions of an example; a number, array or tensor of any shape.
        dims: D, the number of dimensions of an example (64 for an image of 8 x 8).

    Returns:
        Shaped like ``log_prob``.

    >>> round(bits_per_dim(-64 * math.log(17), 64), 6)  # a uniform model over 17 levels costs log2 17
    4.087463
    """
    return -_floating(log_prob) / (_dims(dims) * math.log(2))


def nats_per_example(bpd: Any, dims: int) -> Any:
    """The negative log-likelihood in nats of whole examples that cost ``bpd`` bits per dimension.

    >>> round(nats_per_example(bits_per_dim(-100.0, 64), 64), 9)
    100.0
    """
    return _floating(bpd) * _dims(dims) * math.log(2)


def _floating(values: Any) -> Any:
    """Lists as arrays, whole numbers as floats: of 8 bits, minus -128 is -128."""
    if isinstance(values, list | tuple):
        return np.asarray(values, dtype=np.float64)
    kind = getattr(getattr(values, "dtype", None), "kind", "f")  # tensors have none
    return values.astype(np.float64) if kind in "biu" else values


def _dims(dims: int) -> int:
    if isinstance(dims, bool) or not 1 <= dims < math.inf or dims != int(dims):
        raise ValueError(f"dims is the number of dimensions of one example, 1 or more; it is {dims!r}")
    return int(dims)
