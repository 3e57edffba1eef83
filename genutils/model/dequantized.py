"""Whole numbers made continuous by uniform noise, and a model of the ones from a density of the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from genutils.kinds import Kind
from genutils.model.interface import Model, kind


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
        return quantize(self.model.sample(n, *given, generator=generator), self.levels)

    def elbo(self, x: Any, labels: Any = None, *, generator: Any = None, samples: int = 1, **told: Any) -> Any:
        """An unbiased estimate of the lower bound on log P(x), (B,) nats, from ``samples`` draws of the noise.

        ``told`` goes on to the density as it is.
        """
        dims, given = math.prod(x.shape[1:]), () if labels is None else (self._labels(labels, len(x)),)
        inner = self.model.log_prob if kind(self.model) is Kind.EXACT else self.model.elbo
        noisy = (dequantize(x, self.levels, generator=generator) for _ in range(samples))
        return sum(inner(y, *given, **told) for y in noisy) / samples - dims * math.log(self.levels)


def _levels(low: float, high: float, whole: bool, levels: int) -> None:
    if low < 0 or high >= levels or not whole:
        raise ValueError(
            f"dequantize takes whole numbers 0 ... {levels - 1}; these run from {low} to {high}"
            f"{'' if whole else ' and are not whole'}. Data scaled already must be turned back first"
        )
