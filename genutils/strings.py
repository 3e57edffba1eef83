"""Plucked strings from a stated model, in which the probability of every sample given the past is known.

A string is a delay line: a wave runs along it and back, and returns a little softer and duller. One end of ours is
loose, and there the wave turns upside down, so that a period takes two rounds and no constant offset stays. The first
instruments of Karplus and Strong kept the line in a memory of 8 bits, and so do these: every number that goes into it
is rounded to a level. So what a listener has heard is all that the string itself knows, and the best possible
predictor is the string. A light wind blows all the time, without which the future would be certain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from genutils import mulaw
from genutils.door import whole
from genutils.model import Model


class Strings(Model):
    """Notes x (T,) of L levels, each of one of several strings: a Markov chain of known transitions. Exact.

    With w(l) the number that a level stands for (`genutils.mulaw.middles`) and N the delay of the string,

        x_t = level of (-loss (w(x_{t-N}) + w(x_{t-N-1})) / 2 + noise eps_t),    eps_t ~ N(0, 1).

    The mean of two neighbours is half a sample late, so a round takes N + 1/2 samples, and a period of two rounds
    2N + 1. Only odd overtones sound. A note begins with the pluck: N + 1 samples of uniform noise in [-a, a], where the
    loudness a is one of a few, each equally likely.

    Args:
        delays: N of each string, in samples; the label of a note is the place of its string here.
        rate: samples per second.
        levels: L.
        loss: what is left of a slow wave after one round, below 1.
        noise: of the wind, on the scale of the wave (full scale is 1).
        loudness: the a of plucks.
        length: T of notes that are sampled, unless another is asked for.

    Raises:
        ValueError: a string of no length, a loss that is none, and the like; says which.

    Source: Karplus and Strong (1983), with the sign of their blend factor 0; the wind is ours.

    >>> strings = Strings(delays=(2, 3), levels=4, loudness=(0.5,), noise=0.2)
    >>> every = torch.cartesian_prod(*[torch.arange(4)] * 5)
    >>> round(strings.log_prob(every).exp().sum().item(), 6)
    1.0
    """

    def __init__(
        self,
        *,
        delays: Sequence[int] = (30, 27, 24, 22, 20, 18, 16, 15),
        rate: int = 8000,
        levels: int = 64,
        loss: float = 0.99,
        noise: float = 0.012,
        loudness: Sequence[float] = (0.1, 0.2, 0.4),
        length: int = 512,
    ):
        if not delays or min(delays) < 1 or any(n != int(n) for n in delays):
            raise ValueError(f"delays are whole numbers of samples, 1 or more, one for each string; they are {delays}")
        if not 0 < loss < 1:
            raise ValueError(f"loss is what is left of a wave after a round, 0 < loss < 1; it is {loss}")
        if not 0 < noise < math.inf:
            raise ValueError(f"noise is positive: without wind the future is certain and costs 0 bits; it is {noise}")
        if not loudness or not 0 < min(loudness) <= max(loudness) <= 1:
            raise ValueError(f"loudness is in 0 ... 1, where 1 is full scale; it is {loudness}")
        self.delays = torch.tensor([int(n) for n in delays])
        self.rate, self.levels, self.loss, self.noise, self.length = rate, levels, loss, noise, length
        self.loudness = torch.tensor(loudness).double()
        self.middles, self.edges = mulaw.middles(levels), mulaw.edges(levels)
        self.classes = len(self.delays)

    @property
    def pitches(self) -> Tensor:
        """(classes,) Hz: of each string, rate / (2N + 1)."""
        return self.rate / (2 * self.delays + 1)

    def string(self, pitch: float) -> int:
        """The label of the string that is nearest to a pitch in Hz, in ratio.

        Raises:
            ValueError: it is further off than neighbours are from each other; says which pitches there are.

        >>> Strings().string(196.0)  # a G
        4
        """
        low, high = self.pitches.min().item(), self.pitches.max().item()
        if not low / 1.06 <= pitch <= high * 1.06:
            raise ValueError(
                f"no string is near {pitch:g} Hz: they go from {low:.0f} to {high:.0f} Hz. Ask for one between, or "
                "make Strings with other delays, N = (rate / pitch - 1) / 2"
            )
        return int((self.pitches.log() - math.log(pitch)).abs().argmin())

    def damping(self, overtone: int = 1) -> Tensor:
        """(classes,) how fast an overtone dies, in 1/s: its size goes like exp(-damping t), were there no wind.

        Each round multiplies it by ``loss cos(pi f / rate)``, f being its frequency: two neighbours of a fast wave
        differ, and their mean is smaller than either.

        Args:
            overtone: 1 for the tone itself, or another odd number.
        """
        if overtone < 1 or overtone % 2 == 0:
            raise ValueError(f"these strings have odd overtones, 1, 3, 5 ...; not {overtone}")
        f = overtone * self.pitches
        return -2 * self.pitches * torch.log(self.loss * torch.cos(math.pi * f / self.rate).abs())

    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        *,
        length: int | None = None,
        loudness: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """(n, length) notes of whole numbers 0 ... L - 1; labels are drawn where they are not given, or -1.

        Args:
            loudness: of all plucks; by default drawn anew for each note.
        """
        length, labels = self.length if length is None else length, self._labels(labels, n)
        drawn = torch.randint(self.classes, (n,), generator=generator)
        labels = drawn if labels is None else torch.where(torch.as_tensor(labels) < 0, drawn, torch.as_tensor(labels))
        kind = torch.randint(len(self.loudness), (n,), generator=generator)
        loud = self.loudness[kind] if loudness is None else torch.full((n,), float(loudness)).double()
        delay, longest = self.delays[labels][:, None], int(self.delays.max()) + 1
        pluck = (2 * torch.rand(n, longest, generator=generator).double() - 1) * loud[:, None]
        x = torch.zeros(n, max(length, longest), dtype=torch.long)
        x[:, :longest] = mulaw.encode(pluck, self.levels)
        wind = self.noise * torch.randn(n, x.shape[1], generator=generator).double()
        step = int(self.delays.min())  # so many samples follow from what is there already
        for a in range(step + 1, length, step):
            t = torch.arange(a, min(a + step, length))
            moved = self._mean(x, t, delay) + wind[:, t]
            x[:, t] = torch.where(t > delay, mulaw.encode(moved.clamp(-1, 1), self.levels), x[:, t])
        return x[:, :length]

    def surprise(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, T) nats: minus the log-probability of each sample given those before it (and its label, if one is given).

        What is not known, the loudness and without a label the string, is summed out given the past.
        """
        x = self._notes(x)
        labels = self._labels(labels, len(x))
        asked = torch.full((len(x),), -1) if labels is None else torch.as_tensor(labels).long()
        each = [self._given(x, c) for c in range(self.classes)]  # of (B, T) log p(x_t | x_<t, string)
        each = torch.stack(each)  # (classes, B, T)
        known = each[asked.clamp(min=0), torch.arange(len(x))]
        path = torch.logsumexp(each.cumsum(2), 0) - math.log(self.classes)  # (B, T) log p(x_1 ... x_t)
        unknown = path.diff(dim=1, prepend=path.new_zeros(len(x), 1)).nan_to_num(nan=-math.inf, neginf=-math.inf)
        return -torch.where((asked < 0)[:, None], unknown, known)

    def log_prob(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-probability of notes, (B, T) whole numbers to (B,) nats, float64."""
        return -self.surprise(x, labels).sum(1)

    def next_probs(self, x: Tensor, labels: Tensor) -> Tensor:
        """(B, T, L): the distribution of each sample given those before it and its string, nan while it is plucked."""
        x, delay = self._notes(x), self.delays[torch.as_tensor(labels)][:, None]
        t = torch.arange(x.shape[1])
        mean = torch.where(t > delay, self._mean(x, t, delay), torch.nan)[..., None]
        bounds = self.edges.clone()
        bounds[0], bounds[-1] = -math.inf, math.inf
        return torch.special.ndtr((bounds - mean) / self.noise).diff(dim=2)

    def _notes(self, x: Tensor) -> Tensor:
        x = torch.as_tensor(x)
        if x.ndim != 2:
            raise ValueError(f"notes have shape (B, T), one row each; this has shape {tuple(x.shape)}")
        return whole(x, self.levels)

    def _mean(self, x: Tensor, t: Tensor, delay: Tensor) -> Tensor:
        """What comes back round the loop at times t: (B, len(t)), from x (B, T) and delays (B, 1)."""
        back = (t - delay).clamp(min=1)
        return -self.loss * (self.middles[x.gather(1, back)] + self.middles[x.gather(1, back - 1)]) / 2

    def _given(self, x: Tensor, label: int) -> Tensor:
        """(B, T) log p(x_t | x_<t, string), the loudness summed out."""
        n = int(self.delays[label])
        low, high = self.edges[x], self.edges[x + 1]  # (B, T)
        a = self.loudness[:, None, None]
        share = (high.clamp(max=a) - low.clamp(min=-a)).clamp(min=0) / (2 * a)  # (loudness, B, T)
        path = torch.logsumexp(share[..., : n + 1].log().cumsum(2), 0) - math.log(len(a))  # (B, N + 1)
        pluck = path.diff(dim=1, prepend=path.new_zeros(len(x), 1))
        pluck = pluck.nan_to_num(nan=-math.inf)  # minus infinity once, minus infinity ever after
        t = torch.arange(n + 1, x.shape[1])
        mean = self._mean(x, t, torch.full((len(x), 1), n)) if len(t) else low[:, :0]
        below = torch.where(x == 0, -math.inf, low)[:, n + 1 :]
        above = torch.where(x == self.levels - 1, math.inf, high)[:, n + 1 :]
        return torch.cat([pluck, log_between((below - mean) / self.noise, (above - mean) / self.noise)], 1)


def log_between(a: Tensor, b: Tensor) -> Tensor:
    """log P(a < eps < b) of a standard Gaussian eps, also far out, where both tails round to 1; shaped like a and b.

    >>> round(log_between(torch.tensor([40.0]).double(), torch.tensor([41.0]).double()).item(), 3)
    -804.608

    Raises:
        ValueError: an interval ends before it begins, or an end is nan.
    """
    if not bool((a <= b).all()):
        raise ValueError("an interval goes from a to b with a <= b; here one does not, or an end is nan")
    flip = a + b > 0  # mirrored, so that the interval lies on the left, where log_ndtr is accurate
    a, b = torch.where(flip, -b, a), torch.where(flip, -a, b)
    upper = torch.special.log_ndtr(b)
    return upper + torch.log1p(-torch.exp(torch.special.log_ndtr(a) - upper))
