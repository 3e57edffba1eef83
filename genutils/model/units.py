"""From nats per example to bits per dimension, and back."""

from __future__ import annotations

import math
from typing import Any


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
    return -log_prob / (_dims(dims) * math.log(2))


def nats_per_example(bpd: Any, dims: int) -> Any:
    """The negative log-likelihood in nats of whole examples that cost ``bpd`` bits per dimension.

    >>> round(nats_per_example(bits_per_dim(-100.0, 64), 64), 9)
    100.0
    """
    return bpd * _dims(dims) * math.log(2)


def _dims(dims: int) -> int:
    if isinstance(dims, bool) or dims != int(dims) or dims < 1:
        raise ValueError(f"dims is the number of dimensions of one example, 1 or more; it is {dims!r}")
    return int(dims)
