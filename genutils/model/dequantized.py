"""Whole numbers made continuous by uniform noise, and a model of the ones from a density of the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from genutils.kinds import Kind
from genutils.model.interface import Model, kind, one_each, unwrapped


def dequantize(x: Any, levels: int, *, generator: Any = None) -> Any:
    """Integers 0 ... levels - 1 made continuous: ``y = (x + u) / levels`` with u uniform in [0, 1), so y is in [0, 1).

    Args:
        x: an array or tensor of whole numbers, of any dtype that holds them (a list counts as an array).
        levels: L, how many values there are; for a tensor at most 2**20, as float32 has 24 bits.
        generator: numpy's ``Generator`` for arrays, ``torch.Generator`` for tensors.

    Returns:
        Shaped like x; float64 for an array, float32 for a tensor. ``quantize`` turns it back without loss.

    Raises:
        ValueError: a value is not a level.
    """
    if not hasattr(x, "new_zeros"):  # no tensor
        x = np.asarray(x, dtype=np.float64)  # in uint8, 255 + 1 would be 0
        if x.size:
            _levels(x.min(), x.max(), (x == np.floor(x)).all(), levels)
        u = (generator or np.random.default_rng()).random(x.shape)
        y = (x + u) / levels
        return np.minimum(y, np.nextafter((x + 1) / levels, 0))  # rounding may not lift it into the next bin
    import torch

    from genutils.door import countable

    if levels > 2**20:
        raise ValueError(f"float32 cannot hold noise between {levels:,} levels, only up to {2**20:,}; give an array")
    x = countable(x)
    if x.numel():
        _levels(x.min().item(), x.max().item(), bool((x == x.floor()).all() if x.is_floating_point() else True), levels)
    u = torch.rand(x.shape, generator=generator, device=x.device)
    y = (x.float() + u) / levels
    above = (x.float() + 1) / levels
    return torch.minimum(y, torch.nextafter(above, torch.zeros_like(above)))


def quantize(y: Any, levels: int) -> Any:
    """The level of each value in [0, 1): ``floor(y * levels)``, values outside going to the nearest level.

    Raises:
        ValueError: a value is not a number (nan), which has no nearest level.
    """
    if not hasattr(y, "new_zeros"):
        y = np.asarray(y, dtype=np.float64)
        _numbers(bool(np.isnan(y).any()))
        return np.clip(np.floor(y * levels), 0, levels - 1).astype(np.int64)
    _numbers(bool(y.isnan().any()))
    return (y.float() if y.element_size() < 4 else y).mul(levels).floor().clamp(0, levels - 1).long()


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
        if kind(model) not in (Kind.EXACT, Kind.BOUND):
            raise ValueError(
                f"a {type(model).__name__} has no density to bound with; it only samples"
                if kind(model) is Kind.NONE
                else f"a {type(model).__name__} knows its density {kind(model).phrase} only; a bound needs more"
            )
        self.model, self.levels = model, levels
        self.classes = getattr(model, "classes", None)

    def sample(self, n: int, labels: Any = None, *, generator: Any = None) -> Any:
        """n examples of whole numbers; what the density puts outside [0, 1) goes to the nearest level."""
        given = () if labels is None else (self._labels(labels, n),)
        return quantize(unwrapped(self.model).sample(n, *given, generator=generator), self.levels)

    def elbo(self, x: Any, labels: Any = None, *, generator: Any = None, samples: int = 1, **told: Any) -> Any:
        """An unbiased estimate of the lower bound on log P(x), (B,) nats, from ``samples`` draws of the noise.

        ``told`` goes on to the density as it is.
        """
        if samples < 1:
            raise ValueError(f"samples is how often noise is drawn, 1 or more; it is {samples}")
        dims, given = math.prod(x.shape[1:]), () if labels is None else (self._labels(labels, len(x)),)
        density = unwrapped(self.model)
        inner = density.log_prob if kind(density) is Kind.EXACT else density.elbo
        noisy = (_as_weights(dequantize(x, self.levels, generator=generator), density) for _ in range(samples))
        return sum(one_each(inner(y, *given, **told), len(x)) for y in noisy) / samples - dims * math.log(self.levels)


def _as_weights(y: Any, density: Any) -> Any:
    """In the precision of a density's weights; arrays, and for a density without weights tensors, as they are."""
    weights = getattr(density, "parameters", None)
    first = next(iter(weights()), None) if weights and hasattr(y, "new_zeros") else None
    return y if first is None else y.to(first.dtype)


def _numbers(bad: bool) -> None:
    if bad:
        raise ValueError(
            "a value is nan, which is no level. If a model made it, its weights are of no use: train it anew"
        )


def _levels(low: float, high: float, whole: bool, levels: int) -> None:
    if low < 0 or high >= levels or not whole:
        raise ValueError(
            f"dequantize takes whole numbers 0 ... {levels - 1}; these run from {low:g} to {high:g}"
            f"{'' if whole else ' and are not whole'}. Data scaled already must be turned back first"
        )
