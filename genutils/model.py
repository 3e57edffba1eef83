"""What a model can answer is its type: all models sample; an exact one has ``log_prob``, a bound ``elbo``, or neither.

Classical models (mixtures, kernel densities, PPCA) take and give numpy arrays in float64; neural ones take and give
tensors. What stands here works for both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

ANSWERS = {
    "log_prob": "it has no exact density",
    "elbo": "it has no bound on its log-density",
}


class Model:
    """A model of data x. A subclass defines ``sample`` and, where it can, ``log_prob`` or ``elbo``.

    - ``sample(n, *, generator=None)`` gives n independent samples.
    - ``log_prob(x)`` is the exact log-density (or log-probability) of each example: (B,) nats, summed over dimensions.
    - ``elbo(x, *, generator=None)`` gives a lower bound on it, or an unbiased estimate of one: (B,) nats.

    Asking for what a model cannot answer raises an AttributeError that says why: ``why`` is the reason.

    >>> class Coin(Model):
    ...     why = "it only tosses"
    >>> Coin().log_prob
    Traceback (most recent call last):
    AttributeError: a Coin has no log_prob: it only tosses. It can answer: sample
    """

    why: str = ""

    def sample(self, n: int, *, generator: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say how to sample")

    def __getattr__(self, name: str) -> Any:
        if name in ANSWERS:
            able = [a for a in ("sample", *ANSWERS) if hasattr(type(self), a)]
            why = self.why or ANSWERS[name]
            raise AttributeError(f"a {type(self).__name__} has no {name}: {why}. It can answer: {', '.join(able)}")
        above = getattr(super(), "__getattr__", None)  # torch.nn.Module keeps its parameters behind one
        if above is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return above(name)


def kind(model: Any) -> str:
    """``"exact"`` if a model has ``log_prob``, ``"bound"`` if it has only ``elbo``, ``"none"`` if it only samples."""
    if hasattr(type(model), "log_prob"):
        return "exact"
    return "bound" if hasattr(type(model), "elbo") else "none"


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


def dequantize(x: Any, levels: int, *, generator: Any = None) -> Any:
    """Integers 0 ... levels - 1 made continuous: ``y = (x + u) / levels`` with u uniform in [0, 1), so y is in [0, 1).

    Args:
        x: an array or tensor of whole numbers.
        levels: L, how many values there are.
        generator: numpy's ``Generator`` for arrays, ``torch.Generator`` for tensors.

    Returns:
        Shaped like x; float64 for an array, float32 for a tensor. ``quantize`` turns it back without loss.

    Raises:
        ValueError: a value is not a level.
    """
    if isinstance(x, np.ndarray):
        _levels(x.min(initial=0), x.max(initial=0), (x == np.floor(x)).all(), levels)
        u = (generator or np.random.default_rng()).random(x.shape)
        y = (x + u) / levels
        return np.minimum(y, np.nextafter((x + 1) / levels, 0))  # rounding may not lift it into the next bin
    import torch

    if x.numel():
        _levels(x.min().item(), x.max().item(), bool((x == x.floor()).all() if x.is_floating_point() else True), levels)
    u = torch.rand(x.shape, generator=generator, device=x.device)
    y = (x.float() + u) / levels
    above = (x.float() + 1) / levels
    return torch.minimum(y, torch.nextafter(above, torch.zeros_like(above)))


def quantize(y: Any, levels: int) -> Any:
    """The level of each value in [0, 1): ``floor(y * levels)``, values outside going to the nearest level."""
    if isinstance(y, np.ndarray):
        return np.clip(np.floor(y * levels), 0, levels - 1).astype(np.int64)
    return (y * levels).floor().clamp(0, levels - 1).long()


class Dequantized(Model):
    """A model of whole numbers 0 ... L - 1 made from a density p on [0, 1)^D, by uniform noise.

    By Jensen, ``log P(x) = log E_u[p(y)] - D log L >= E_u[log p(y)] - D log L`` with ``y = (x + u) / L``. The term
    ``D log L`` is the change of variables from y to x + u; without it the result is off by D log L nats.

    Args:
        model: has ``log_prob(y)`` for y (B, D), or ``elbo``.
        levels: L.

    Source: Theis, van den Oord, Bethge (2016), section 3.1.
    """

    why = "a density over a bin has no closed form, only the bound that uniform noise gives"

    def __init__(self, model: Any, levels: int):
        if kind(model) == "none":
            raise ValueError(f"a {type(model).__name__} has no density to bound with; it only samples")
        self.model, self.levels = model, levels

    def sample(self, n: int, *, generator: Any = None) -> Any:
        """n examples of whole numbers; what the density puts outside [0, 1) goes to the nearest level."""
        return quantize(self.model.sample(n, generator=generator), self.levels)

    def elbo(self, x: Any, *, generator: Any = None, samples: int = 1) -> Any:
        """An unbiased estimate of the lower bound on log P(x), (B,) nats, from ``samples`` draws of the noise."""
        dims = math.prod(x.shape[1:])
        inner = self.model.log_prob if kind(self.model) == "exact" else self.model.elbo
        total = sum(inner(dequantize(x, self.levels, generator=generator)) for _ in range(samples))
        return total / samples - dims * math.log(self.levels)


@dataclass(frozen=True)
class Score:
    """What a model scores on data: ``value`` in ``unit`` with its standard error over examples, and its ``kind``.

    ``unit`` is "bpd" (bits per dimension) or "nats_above_limit"; value and stderr are None where kind is "none".
    """

    kind: str
    value: float | None
    stderr: float | None
    unit: str | None


def score(model: Any, x: Any, *, truth: Any = None, generator: Any = None) -> Score:
    """Held-out score: bits per dimension of discrete data, or nats above the entropy limit of a known density.

    Args:
        model: any `Model`.
        x: (B, ...) examples that the model has not seen.
        truth: the density that x was drawn from, for continuous data; the score is then the mean of
            ``log p(x) - log q(x)``, a paired estimate of KL(p || q).
        generator: for the noise of a bound.

    Returns:
        A `Score`. Its standard error is that of the mean over the B examples.
    """
    answer = kind(model)
    if answer == "none":
        return Score("none", None, None, None)
    values = model.log_prob(x) if answer == "exact" else model.elbo(x, generator=generator)
    if truth is None:
        values, unit = bits_per_dim(values, math.prod(x.shape[1:])), "bpd"
    else:
        values, unit = truth.log_prob(x) - values, "nats_above_limit"
    values = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"example {bad} scores {values[bad]}: the model gives it no probability. Smooth the model, or see whether "
            "it was trained on data of this kind"
        )
    return Score(answer, float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))), unit)


def _dims(dims: int) -> int:
    if isinstance(dims, bool) or dims != int(dims) or dims < 1:
        raise ValueError(f"dims is the number of dimensions of one example, 1 or more; it is {dims!r}")
    return int(dims)


def _levels(low: float, high: float, whole: bool, levels: int) -> None:
    if low < 0 or high >= levels or not whole:
        raise ValueError(
            f"dequantize takes whole numbers 0 ... {levels - 1}; these run from {low} to {high}"
            f"{'' if whole else ' and are not whole'}. Data scaled already must be turned back first"
        )
