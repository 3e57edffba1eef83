"""Mu-law companding: a wave in few levels, narrow where it is quiet and wide where it is loud.

The ear, and the error of rounding, go by ratios: with levels in equal steps a soft sound drowns in its rounding, with
levels in steps that grow with the size of the wave the error stays a fixed share of it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genutils.data import Audio
from genutils.door import not_finite, whole


def compress(x: Tensor, mu: float = 255.0) -> Tensor:
    """``sign(x) log(1 + mu |x|) / log(1 + mu)``, from [-1, 1] onto [-1, 1], shaped like x. Exact.

    Source: Smith (1957); ITU-T Recommendation G.711 (1988) with mu = 255.

    >>> compress(torch.tensor([0.0, 1.0, -1.0])).tolist()
    [0.0, 1.0, -1.0]
    """
    return x.sign() * torch.log1p(_positive(mu) * x.abs()) / math.log1p(mu)


def expand(y: Tensor, mu: float = 255.0) -> Tensor:
    """The inverse of `compress`: ``sign(y) ((1 + mu)^|y| - 1) / mu``, shaped like y."""
    return y.sign() * torch.expm1(y.abs() * math.log1p(_positive(mu))) / mu


def encode(x: Tensor, levels: int = 256) -> Tensor:
    """The level 0 ... levels - 1 of each number of a wave: L equal bins of the compressed wave, mu being L - 1.

    Args:
        x: (...) a wave, -1 ... 1.

    Returns:
        (...) int64.

    Raises:
        ValueError: a number is not finite, or beyond full scale.
    """
    levels = _many(levels)
    if said := not_finite(x.reshape(1, -1), "the wave"):
        raise ValueError(f"{said.replace('the wave 0', 'the wave')}: leave such parts out")
    if x.numel() and (loudest := x.abs().max().item()) > 1:
        raise ValueError(f"a wave lies in -1 ... 1; this one reaches {loudest:g}. Divide it by {loudest:g}")
    y = compress(x if x.is_floating_point() else x.float(), levels - 1)
    return ((y + 1) / 2 * levels).floor().clamp(0, levels - 1).long()


def decode(levels_of_x: Tensor, levels: int = 256) -> Tensor:
    """The wave that levels stand for: the middle of each bin of the compressed wave, expanded; (...) float32.

    The middle of a bin [a, b] is off by half of b - a at most in the compressed wave, in the wave itself by
    ``log(1 + mu) (1 + mu a) / (mu L)``, a being the larger size of both.

    Raises:
        ValueError: a number is no level.

    >>> round(decode(encode(torch.tensor(0.5))).item(), 3)
    0.509
    """
    return middles(levels)[whole(levels_of_x, levels)].float()


def middles(levels: int = 256) -> Tensor:
    """(L,) float64: the number that each level stands for, in ascending order, symmetric about 0."""
    return expand((torch.arange(_many(levels)).double() + 0.5) / levels * 2 - 1, levels - 1)


def edges(levels: int = 256) -> Tensor:
    """(L + 1,) float64: where the bins end, from -1 to 1. What rounds to level l lies between edges l and l + 1."""
    return expand(torch.arange(_many(levels) + 1).double() / levels * 2 - 1, levels - 1)


def signal_to_noise(x: Tensor, rounded: Tensor) -> float:
    """The mean square of a wave over that of its error, in decibels: 10 log10 of the ratio.

    >>> round(signal_to_noise(torch.tensor([1.0, -1.0]), torch.tensor([0.9, -0.9])), 3)
    20.0

    Raises:
        ValueError: the wave is silent, or rounded without error: no ratio is finite.
    """
    if not 0 < ((x - rounded) ** 2).mean().item() < math.inf or not (x**2).mean().item() > 0:
        raise ValueError("a ratio needs a wave that is not silent and an error that is not 0, both finite")
    return 10 * math.log10((x**2).mean().item() / ((x - rounded) ** 2).mean().item())


def wave(audio: Audio, rate: int, *, clipped: int = 3) -> Tensor:
    """The samples of a sound, (n,) float32, if it is of the rate that a model was made for and was not cut off.

    Args:
        audio: for example from ``genutils.data.own("my.wav")``.
        rate: samples per second that are wanted.
        clipped: so many equal samples in a row at the loudest place mean that the recording was cut off there.

    Raises:
        ValueError: it is of another rate, silent, or was cut off; says what to do.
    """
    if audio.rate != rate:
        up, down = rate // math.gcd(rate, audio.rate), audio.rate // math.gcd(rate, audio.rate)
        raise ValueError(
            f"{audio.source}, and {rate:,} Hz is wanted: played as it is, every pitch would be off by a factor "
            f"{rate / audio.rate:.3g}. Resample it: scipy.signal.resample_poly(audio.samples, {up}, {down})"
        )
    x = torch.as_tensor(audio.samples).float()
    loudest = x.abs().max().item() if len(x) else 0.0
    if not loudest:
        raise ValueError(f"{audio.source}: it is silent; there is nothing to learn from")
    flat = (x.abs() == loudest) & (loudest > 0.5)
    if len(x) >= clipped and bool(flat.unfold(0, clipped, 1).all(1).any()):
        at = int(flat.unfold(0, clipped, 1).all(1).nonzero()[0])
        raise ValueError(
            f"{audio.source}: from sample {at:,} on it stays at {loudest:g}: it was cut off there, and the model would "
            "learn the flat tops. Record it more softly"
        )
    return x


def _positive(mu: float) -> float:
    if not 0 < mu < math.inf:
        raise ValueError(f"mu is positive: the larger, the finer the steps near zero; it is {mu}")
    return mu


def _many(levels: int) -> int:
    if levels != int(levels) or levels < 2:
        raise ValueError(f"levels is how many there are, 2 or more; it is {levels}")
    return int(levels)
