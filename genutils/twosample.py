"""How far apart are two samples? Distances that need no density: all that can be asked of a model that only samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

CHUNK = 2_000_000  # distances held in memory at a time


def energy_distance(x: Any, y: Any) -> float:
    """Squared energy distance between the distributions of two samples, an unbiased estimate (a U-statistic).

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|``, where X, X' are independent draws of one distribution and Y, Y' of the
    other. It is zero only if the two are the same. A pair of an example with itself is left out of the last two means,
    so that the estimate is right on average at any size; where there is no difference it may fall a little below zero.

    Args:
        x: (B, ...) examples of one distribution, an array or tensor; each is taken as one vector.
        y: (C, ...) of the other; B and C may differ.

    Returns:
        A number, in the unit of x. Its square root, where positive, is a metric between distributions.

    Raises:
        ValueError: the examples differ in size, there are fewer than two, or one is not finite.

    Source: Szekely and Rizzo (2013), equation 2.

    >>> energy_distance(np.array([[0.0], [0.0]]), np.array([[3.0], [3.0]]))  # two points at distance 3
    6.0
    """
    x, y = _vectors(x, "x"), _vectors(y, "y")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"examples of {x.shape[1]} and of {y.shape[1]} numbers cannot be compared")
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise ValueError(f"a distance within a sample takes two examples or more; there are {n} and {m}")
    return 2 * _total(x, y) / (n * m) - _within(x) / (n * (n - 1)) - _within(y) / (m * (m - 1))


def mode_counts(samples: Any, centres: Any, radius: float) -> np.ndarray:
    """How many samples lie within ``radius`` of each centre, and nearer to it than to any other.

    Args:
        samples: (B, D), an array or tensor.
        centres: (K, D).
        radius: in the unit of the samples; three standard deviations of a mode, say.

    Returns:
        (K,) whole numbers. Their sum, divided by B, is the share of samples that lie in any mode.

    >>> mode_counts(np.array([[0.1, 0.0], [4.9, 0.0], [2.5, 2.5]]), np.array([[0.0, 0.0], [5.0, 0.0]]), 1.0).tolist()
    [1, 1]
    """
    samples, centres = _vectors(samples, "samples"), _vectors(centres, "centres")
    if samples.shape[1] != centres.shape[1]:
        raise ValueError(f"samples of {samples.shape[1]} numbers, centres of {centres.shape[1]}: they must agree")
    if not radius > 0:
        raise ValueError(f"the radius must be positive; it is {radius}")
    rows = max(1, CHUNK // len(centres))
    counts = np.zeros(len(centres), dtype=np.int64)
    for start in range(0, len(samples), rows):
        distance = cdist(samples[start : start + rows], centres)  # (rows, K)
        nearest, inside = distance.argmin(1), distance.min(1) <= radius
        counts += np.bincount(nearest[inside], minlength=len(centres))
    return counts


def modes_covered(samples: Any, centres: Any, radius: float, *, least: float = 0.1) -> int:
    """How many modes a sample covers: a mode counts if it holds ``least`` of its fair share B/K, and a sample at all.

    A single stray sample would count as coverage without such a floor, and any sampler covers everything if it draws
    long enough.

    >>> modes_covered(np.zeros((100, 2)), np.array([[0.0, 0.0], [5.0, 0.0]]), 1.0)
    1
    """
    counts = mode_counts(samples, centres, radius)
    return int((counts >= max(1.0, least * len(samples) / len(counts))).sum())


def real_against_real(
    statistic: Callable[[Any, Any], float],
    real: Any,
    n: int,
    *,
    against: Any = None,
    repeats: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """What a comparison gives where there is no difference: the honest limit of every "near" and "told apart".

    Both samples are real, drawn at random and without overlap, as large as those that are judged. Data in a file have
    an order (of writers, of days), so the first n rows are no sample.

    Args:
        statistic: a function of two samples of n examples; a number.
        real: (N, ...) real examples, an array or tensor.
        n: examples in each sample.
        against: (M, ...) other real examples for the second sample, such as training data where ``real`` is held out;
            by default the second sample comes from ``real`` as well.
        repeats: how many pairs of samples.
        seed: of the draws.

    Returns:
        (repeats,) values of the statistic.

    Raises:
        ValueError: there are too few examples.

    >>> values = real_against_real(lambda a, b: a.mean() - b.mean(), np.arange(100.0), 50, repeats=200)
    >>> bool(abs(values.mean()) < 2), values.shape
    (True, (200,))
    """
    if n < 1 or repeats < 1:
        raise ValueError(f"n and repeats are 1 or more; they are {n} and {repeats}")
    if len(real) < (2 * n if against is None else n):
        raise ValueError(f"{len(real)} real examples are too few for samples of {n} that do not overlap")
    if against is not None and len(against) < n:
        raise ValueError(f"{len(against)} examples to compare with are too few for samples of {n}")
    real, against = (x if x is None or hasattr(x, "shape") else np.asarray(x) for x in (real, against))
    rng, values = np.random.default_rng(seed), np.empty(repeats)
    for i in range(repeats):
        order = rng.permutation(len(real))
        second = real[order[n : 2 * n]] if against is None else against[rng.permutation(len(against))[:n]]
        values[i] = statistic(real[order[:n]], second)
        if math.isnan(values[i]):
            raise ValueError(f"the statistic of pair {i} is nan, and no spread can be told from it")
    return values


def _total(x: np.ndarray, y: np.ndarray) -> float:
    """The sum of all distances between a row of x and a row of y, a few rows at a time."""
    rows = max(1, CHUNK // len(y))
    return float(sum(cdist(x[i : i + rows], y).sum() for i in range(0, len(x), rows)))


def _within(x: np.ndarray) -> float:
    """The sum of all distances between two rows of x, each pair counted twice: half the work of ``_total(x, x)``."""
    rows = max(1, CHUNK // len(x))
    total = 0.0
    for i in range(0, len(x), rows):
        part = x[i : i + rows]
        total += 2 * float(pdist(part).sum() + cdist(part, x[i + rows :]).sum())
    return total


def _vectors(x: Any, name: str) -> np.ndarray:
    """(B, D) float64, from an array or a tensor of examples of any shape."""
    x = np.asarray(
        x.detach().cpu().double() if hasattr(x, "detach") else x, dtype=np.float64
    )  # bfloat16 is torch's own
    if x.ndim < 2 or not x.size:
        raise ValueError(f"{name} holds examples in its rows, (B, D); it has shape {x.shape}")
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: example {int(np.argmin(np.isfinite(x).all(1)))} is not finite")
    return x
