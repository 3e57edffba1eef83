"""WaveNet: a sequence of levels, each from a stack of dilated causal convolutions over those before it. Exact.

With dilations 1, 2, 4, ... each layer doubles how far back the stack sees. All T conditionals of a given sequence come
from one pass; to draw one, a cache keeps for each layer the few states that it will need again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils import mulaw
from genutils.door import needs_tensor, usable, whole
from genutils.model import Model, unwrapped


class GatedBlock(nn.Module):
    """A dilated causal convolution of two taps, a gate, and a way around. States (B, T, C), features (B, T, C).

        z_t = tanh(W_f [h_{t-d}, h_t] + V_f y) * sigmoid(W_g [h_{t-d}, h_t] + V_g y),    h_t <- h_t + W z_t,

    with h = 0 before the beginning. What was said about the whole sequence (y, its label) enters both halves.

    Source: van den Oord et al. (2016), equations (2) and (4), figure 4.
    """

    def __init__(self, channels: int, dilation: int, classes: int):
        super().__init__()
        self.dilation = dilation
        self.taps = nn.Linear(2 * channels, 2 * channels)  # both halves at once
        self.told = nn.Embedding(classes, 2 * channels)
        self.back = nn.Linear(channels, channels)
        nn.init.xavier_normal_(self.taps.weight)
        nn.init.normal_(self.told.weight, std=0.5)

    def forward(self, h: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """The next states, and the features z for the skip connection; ``told`` is (B, 1, 2C)."""
        before = F.pad(h, (0, 0, self.dilation, 0))[:, : h.shape[1]]  # h_{t-d}
        return self.combine(before, h, told)

    def combine(self, before: Tensor, now: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """One moment or all of them, from the states d before and now, (..., C)."""
        signal, gate = (self.taps(torch.cat([before, now], -1)) + told).chunk(2, -1)
        z = signal.tanh() * gate.sigmoid()
        return now + self.back(z), z


@dataclass
class Cache:
    """What a stack must remember to go on: the last d states of each layer of dilation d, in a ring; all of n rows."""

    rings: list[Tensor]  # each (d, n, C)
    told: list[Tensor]  # each (n, 2C)
    time: int = 0


class WaveNet(Model, nn.Module):
    """Sequences x (T,) of L levels, of any length, each of one of some classes (pitches, speakers) or of none. Exact.

    Args:
        levels: L. Levels go by size, as those of `genutils.mulaw` do: they begin with smooth embeddings.
        classes: number of labels; 1 for none.
        layers: of dilations 1, 2, 4, ..., 2^(layers - 1).
        cycles: how often these come; with one, 2^layers samples are seen.
        channels: C of the states; the features of all layers together make ``features`` numbers for the output.
        length: T of what is sampled, unless another is asked for.

    Source: van den Oord et al. (2016), WaveNet: A Generative Model for Raw Audio.

    >>> model = WaveNet(levels=3, classes=2, layers=2, channels=4, features=4)
    >>> every = torch.cartesian_prod(*[torch.arange(3)] * 4)
    >>> round(model.log_prob(every).exp().sum().item(), 5)
    1.0
    """

    def __init__(
        self,
        *,
        levels: int = 64,
        classes: int = 1,
        layers: int = 5,
        cycles: int = 1,
        channels: int = 24,
        features: int = 64,
        length: int = 512,
    ):
        super().__init__()
        if layers < 1 or cycles < 1 or classes < 1:
            raise ValueError(f"layers, cycles and classes are 1 or more; they are {layers}, {cycles} and {classes}")
        self.levels, self.classes, self.length = levels, classes, length
        dilations = [2**i for i in range(layers)] * cycles
        self.receptive_field = 1 + sum(dilations)  # with the sample just before: x_{t-1} ... x_{t-receptive_field}
        self.level = nn.Embedding(levels, channels)
        with torch.no_grad():
            self.level.weight.copy_(_smooth(levels) @ (0.3 * torch.randn(8, channels)))
        self.blocks = nn.ModuleList(GatedBlock(channels, d, classes) for d in dilations)
        self.skips = nn.Linear(channels * len(dilations), features)  # the sum of all skip connections
        self.hidden, self.out = nn.Linear(features, features), nn.Linear(features, levels)

    def logits(self, x: Tensor, labels: Tensor) -> Tensor:
        """Unnormalised log p(x_t = l | x_<t, label): (B, T) and (B,), none of them -1, to (B, T, L)."""
        h = F.pad(self.level(x), (0, 0, 1, 0))[:, : x.shape[1]]  # x_t is predicted from x_{t-1}: nothing leads to t
        features = []
        for block in self.blocks:
            h, z = block(h, block.told(labels)[:, None])
            features.append(z)
        return self._read(features)

    def _read(self, features: list[Tensor]) -> Tensor:
        return self.out(self.hidden(self.skips(torch.cat(features, -1)).relu()).relu())

    def surprise(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, T) nats: minus log p(x_t | x_<t, label), or without a label, or for -1, what the past leaves open."""
        needs_tensor(self, x)
        if x.ndim != 2:
            raise ValueError(f"sequences are of shape (B, T), one row each; this is {tuple(x.shape)}")
        x, labels = whole(x, self.levels), self._labels(labels, len(x))
        asked = torch.full((len(x),), -1) if labels is None else torch.as_tensor(labels)
        asked = asked.to(x.device).long()
        if self.classes == 1:
            return self._given(x, torch.zeros_like(asked))
        if len(x) and bool((asked >= 0).all()):
            return self._given(x, asked)
        paths = torch.stack([-self._given(x, torch.full_like(asked, c)).cumsum(1) for c in range(self.classes)])
        unknown = torch.logsumexp(paths, 0) - math.log(self.classes)  # (B, T) log p(x_1 ... x_t)
        known = paths[asked.clamp(min=0), torch.arange(len(x), device=x.device)]
        path = torch.where((asked < 0)[:, None], unknown, known)
        return -path.diff(dim=1, prepend=path.new_zeros(len(x), 1))

    def _given(self, x: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self.logits(x, labels).float().mT, x, reduction="none")

    def log_prob(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-probability in nats, (B, T) to (B,): given labels (B,), or with all classes equally likely."""
        return -self.surprise(x, labels).sum(1)

    def begin(self, labels: Tensor) -> Cache:
        """An empty cache for (n,) sequences with these labels, none of them -1."""
        n, like = len(labels), self.level.weight
        rings = [like.new_zeros(block.dilation, n, like.shape[1]) for block in self.blocks]
        return Cache(rings, [block.told(labels) for block in self.blocks])

    def step(self, cache: Cache, last: Tensor | None = None) -> Tensor:
        """(n, L) logits of the next sample, after the last one (n,), or after nothing; the cache moves on.

        One multiplication per layer, whatever the length and the receptive field.
        """
        h = cache.rings[0].new_zeros(cache.rings[0].shape[1:]) if last is None else self.level(last)
        features = []
        for block, ring, told in zip(self.blocks, cache.rings, cache.told, strict=True):
            place = cache.time % block.dilation  # its state of d steps ago, which is not needed again
            before, ring[place] = ring[place].clone(), h
            h, z = block.combine(before, h, told)
            features.append(z)
        cache.time += 1
        return self._read(features)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        *,
        length: int | None = None,
        start: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """(n, length) sequences, sample by sample, each from a step of the cache.

        Args:
            labels: (n,); where not given, or -1, drawn: evenly, or given what is there already, from p(label | start).
            start: (n, T) beginnings that are gone on with; they count in ``length`` and are the first of what returns.

        Raises:
            ValueError: start is empty, longer than length, or not one row for each sequence.
        """
        length, device = self.length if length is None else length, self.level.weight.device
        labels = self._labels(labels, n)
        labels = torch.full((n,), -1) if labels is None else torch.as_tensor(labels).long()
        x = torch.zeros(n, length, dtype=torch.long)
        known = 0 if start is None else self._begun(start, n, length)
        if known:
            x[:, :known] = whole(start, self.levels)
        if bool((labels < 0).any()):
            p = self.label_given(x[:, :known].to(device)).cpu()
            labels = torch.where(labels < 0, torch.multinomial(p, 1, generator=generator)[:, 0], labels)
        cache, last = self.begin(labels.to(device)), None
        for t in range(length):
            logits = self.step(cache, last)
            if t >= known:
                p = usable(logits, self).softmax(-1).cpu()
                x[:, t] = torch.multinomial(p, 1, generator=generator)[:, 0]
            last = x[:, t].to(device)
        return x

    @torch.no_grad()
    def label_given(self, x: Tensor) -> Tensor:
        """p(label | x) of sequences or beginnings, labels equally likely before: (B, T) to (B, classes). Exact."""
        each = [-self._given(x, torch.full((len(x),), c, device=x.device)).sum(1) for c in range(self.classes)]
        return torch.stack(each, 1).softmax(1)

    def _begun(self, start: Tensor, n: int, length: int) -> int:
        needs_tensor(self, start)
        if start.ndim != 2 or len(start) != n or not 1 <= start.shape[1] <= length:
            empty = " An empty one is no beginning: leave start out" if 0 in start.shape else ""
            raise ValueError(
                f"start is a beginning for each of {n} sequences, ({n}, T) with T = 1 ... {length}; its shape is "
                f"{tuple(start.shape)}.{empty}"
            )
        return start.shape[1]


def from_full_past(model: WaveNet, batch: dict[str, Tensor]) -> Tensor:
    """A loss for windows cut out of longer sequences: minus log p(x_t | x_<t) where the net sees all that it can.

    The first samples of a window have their past cut off, and count only as past.

    Args:
        batch: ``x`` (B, T), and where there are classes ``labels`` (B,).

    Returns:
        The mean over samples, in nats per sample.

    Raises:
        ValueError: the window is no longer than the receptive field.
    """
    x, seen = batch["x"], unwrapped(model).receptive_field
    if x.shape[1] <= seen:
        raise ValueError(
            f"a window of {x.shape[1]} samples is no longer than the receptive field of {seen}, so none is predicted "
            "from a full past: cut longer windows, or take fewer layers"
        )
    return unwrapped(model).surprise(x, batch.get("labels"))[:, seen:].mean()


def _smooth(levels: int) -> Tensor:
    """(L, 8) functions of a level that begin by saying how large it is: the wave, and slow cosines of its level."""
    place = torch.linspace(0, 1, levels)[:, None]
    size = mulaw.middles(levels).float()[:, None]
    return torch.cat([5 * size, torch.cos(math.pi * place * torch.arange(1, 8))], 1)
