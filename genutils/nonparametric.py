"""Densities without a formula: histograms and kernel density estimates, for a few dimensions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from genutils.model import Model

CHUNK = 2_000_000  # differences held in memory at a time


class Histogram(Model):
    """A density that is constant on boxes, exact: ``p(x) = (count + smoothing) / (total * volume of a box)``.

    Args:
        bounds: ((low, high), ...), one pair for each dimension. Outside the density is 0.
        bins: boxes on a side.
        smoothing: pretended examples in each box.

    Raises:
        ValueError: there would be more boxes than a machine can hold, or an argument is out of range.

    >>> Histogram(((0, 4),), bins=2).fit(np.array([[0.5], [1.0], [3.0]])).log_prob(np.array([[1.9]])).round(6).item()
    -1.098612
    """

    def __init__(self, bounds: ArrayLike, bins: int = 32, smoothing: float = 0.0):
        self.low, self.high = np.array(bounds, dtype=float).T
        if not (
            (self.high > self.low).all()
            and np.isfinite([self.low, self.high]).all()
            and (1 <= bins < math.inf and bins == int(bins))
            and 0 <= smoothing < math.inf
        ):
            raise ValueError(
                f"a histogram needs finite low < high, whole bins >= 1, smoothing >= 0; {bounds}, {bins}, {smoothing}"
            )
        self.bins, self.smoothing = int(bins), smoothing
        if self.bins ** len(self.low) > 1e8:
            raise ValueError(
                f"{bins} bins on a side in {len(self.low)} dimensions are {float(bins) ** len(self.low):.1e} boxes: "
                "too many to count in. Use fewer bins or dimensions, or another model"
            )
        self.log_volume = float(np.log((self.high - self.low) / self.bins).sum())

    def fit(self, x: np.ndarray) -> Histogram:
        """Count examples (N, D); those outside the bounds are refused by name."""
        box, inside = self._box(_some(x))
        if not inside.all():
            raise ValueError(f"example {int(np.argmin(inside))} lies outside the bounds; widen them, or leave it out")
        counts = np.bincount(box, minlength=self.bins ** len(self.low)) + self.smoothing
        self.p = counts / counts.sum()
        return self

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """(B,) exact log-density in nats; -inf in empty boxes and outside the bounds."""
        self._refuse(labels)
        _fitted(self, "p")
        box, inside = self._box(x)
        with np.errstate(divide="ignore"):
            return np.where(inside, np.log(self.p[box]) - self.log_volume, -np.inf)

    def sample(
        self, n: int, labels: np.ndarray | None = None, *, generator: np.random.Generator | None = None
    ) -> np.ndarray:
        """(n, D): a box by its probability, then a place in it."""
        self._refuse(labels)
        _fitted(self, "p")
        rng = generator or np.random.default_rng()
        box = rng.choice(len(self.p), size=n, p=self.p)
        corner = np.stack(np.unravel_index(box, (self.bins,) * len(self.low)), 1)
        return self.low + (corner + rng.random(corner.shape)) * (self.high - self.low) / self.bins

    def parameter_count(self) -> int:
        """Numbers that were fitted: the shares of the boxes."""
        return len(self.p) - 1

    def _box(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = _examples(x, len(self.low))
        place = np.floor((x - self.low) / (self.high - self.low) * self.bins)
        inside = ((place >= 0) & (place < self.bins)).all(1)
        place = np.where(inside[:, None], place, 0).astype(int)
        return np.ravel_multi_index(tuple(place.T), (self.bins,) * len(self.low)), inside


class Frequencies(Model):
    """How often each level comes, counted for each dimension or for all together: independent dimensions, exact.

    ``P(x) = prod_d p_d(x_d)``, where ``p_d(l) = (count + smoothing) / (examples + L smoothing)``.

    Args:
        levels: L; the data are whole numbers 0 ... L - 1.
        smoothing: pretended counts of each level.
        apart: a table for each dimension; False for one table that all share.

    >>> model = Frequencies(2, smoothing=0.0, apart=False).fit(np.array([[0, 1], [0, 0]]))
    >>> model.log_prob(np.array([[1, 1]])).round(6).tolist() == [round(2 * math.log(1 / 4), 6)]
    True
    """

    def __init__(self, levels: int, smoothing: float = 0.1, *, apart: bool = True):
        if not (2 <= levels < math.inf and levels == int(levels) and 0 <= smoothing < math.inf):
            raise ValueError(
                f"levels is a whole number, 2 or more, and smoothing 0 or more; they are {levels} and {smoothing}"
            )
        self.levels, self.smoothing, self.apart = int(levels), smoothing, apart

    def fit(self, x: np.ndarray) -> Frequencies:
        """Count in (N, D) whole numbers."""
        x = self._checked(_some(x))
        counts = np.stack([np.bincount(column, minlength=self.levels) for column in x.T]) + 0.0  # (D, L)
        if not self.apart:
            counts = np.broadcast_to(counts.sum(0), counts.shape)
        counts = counts + self.smoothing
        self.tables = counts / counts.sum(1, keepdims=True)
        return self

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Exact log-probability, (B, D) whole numbers to (B,) nats; -inf where a level never came."""
        self._refuse(labels)
        _fitted(self, "tables")
        x = self._checked(x, len(self.tables))
        with np.errstate(divide="ignore"):
            return np.log(self.tables)[np.arange(x.shape[1]), x].sum(1)

    def sample(
        self, n: int, labels: np.ndarray | None = None, *, generator: np.random.Generator | None = None
    ) -> np.ndarray:
        """(n, D): each dimension on its own."""
        self._refuse(labels)
        _fitted(self, "tables")
        rng = generator or np.random.default_rng()
        below = rng.random((n, len(self.tables), 1)) >= self.tables.cumsum(1)[:, :-1]  # (n, D, L - 1)
        return below.sum(2)

    def parameter_count(self) -> int:
        """Numbers that were fitted: a table or D of them."""
        return (len(self.tables) if self.apart else 1) * (self.levels - 1)

    def _checked(self, x: np.ndarray, dims: int | None = None) -> np.ndarray:
        x = _examples(x, dims)
        if len(x) and (x.min() < 0 or x.max() >= self.levels or (x != np.floor(x)).any()):
            raise ValueError(f"data are whole numbers 0 ... {self.levels - 1}; these run from {x.min()} to {x.max()}")
        return x.astype(np.int64)


class KDE(Model):
    """A Gaussian kernel density estimate, exact: ``p(x) = 1/N sum_i N(x; x_i, h^2 I)``.

    Args:
        bandwidth: h, in the units of the data.

    Source: Rosenblatt (1956); Parzen (1962).

    >>> KDE(1.0).fit(np.zeros((3, 2))).log_prob(np.zeros((1, 2))).round(6).item()  # -log(2 pi)
    -1.837877
    """

    def __init__(self, bandwidth: float):
        if isinstance(bandwidth, bool) or not (
            isinstance(bandwidth, (int, float, np.number)) and 0 < bandwidth < math.inf
        ):
            raise ValueError(f"the bandwidth is a positive number in the units of the data; it is {bandwidth!r}")
        self.bandwidth = float(bandwidth)

    def fit(self, x: np.ndarray) -> KDE:
        """Remember the examples (N, D)."""
        self.x = _examples(_some(x))
        return self

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """(B,) exact log-density in nats."""
        self._refuse(labels)
        _fitted(self, "x")
        return self._log_prob(_examples(x, self.x.shape[1]), leave_out=False)

    def leave_one_out(self) -> np.ndarray:
        """(N,) the log-density of each remembered example under the estimate from all the others, nats."""
        _fitted(self, "x")
        if len(self.x) < 2:
            raise ValueError(
                f"leaving one out of {len(self.x)} leaves nothing to estimate from; fit at least 2 examples"
            )
        return self._log_prob(self.x, leave_out=True)

    def sample(
        self, n: int, labels: np.ndarray | None = None, *, generator: np.random.Generator | None = None
    ) -> np.ndarray:
        """(n, D): an example at random, and noise of standard deviation h."""
        self._refuse(labels)
        _fitted(self, "x")
        rng = generator or np.random.default_rng()
        chosen = self.x[rng.integers(len(self.x), size=n)]
        return chosen + self.bandwidth * rng.standard_normal(chosen.shape)

    def parameter_count(self) -> int:
        """Numbers that are kept: all examples."""
        return self.x.size

    def _log_prob(self, x: np.ndarray, leave_out: bool) -> np.ndarray:
        n, dims = self.x.shape
        out, step = np.empty(len(x)), max(1, CHUNK // n)
        for a in range(0, len(x), step):
            part = x[a : a + step]
            square = cdist(part, self.x, "sqeuclidean")  # (b, N); expanding the square would cancel at small h
            if leave_out:
                square[np.arange(len(part)), np.arange(a, a + len(part))] = np.inf
            out[a : a + step] = logsumexp(-square / (2 * self.bandwidth**2), axis=1)
        norm = math.log(n - leave_out) + dims * math.log(self.bandwidth * math.sqrt(2 * math.pi))
        return out - norm


def _examples(x: np.ndarray, dims: int | None = None) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or not x.shape[1] or (dims is not None and x.shape[1] != dims):
        wanted = f"(B, {dims})" if dims is not None else "(N, D)"
        raise ValueError(f"examples have shape {wanted}; these have shape {x.shape}. One dimension needs x[:, None]")
    if not np.isfinite(x).all():
        raise ValueError(f"example {int(np.argmin(np.isfinite(x).all(1)))} holds a value that is not finite")
    return x


def _some(x: np.ndarray) -> np.ndarray:
    if not np.size(x):
        raise ValueError(f"there are no examples to fit: the shape is {np.shape(x)}")
    return x


def _fitted(model: Model, part: str) -> None:
    if part not in vars(model):
        raise ValueError(f"this {type(model).__name__} has not been fitted; call fit(x) first")
