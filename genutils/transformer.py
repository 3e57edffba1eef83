"""A Transformer as an autoregressive model: each symbol from all before it, by attention. Exact.

The same network models text (windows of characters or tokens) and images (pixels row by row, with labels). What turns
its logits into the symbol that is drawn stands in `genutils.decoding`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.decoding import draw, next_probs
from genutils.door import needs_tensor, usable, whole
from genutils.model import Model
from genutils.networks import Dropout


@dataclass
class Cache:
    """Keys and values of what has been read, so that each symbol is read once. To forget the last, lower ``length``.

    Attributes:
        keys, values: (layers, n, heads, T, width / heads); the first ``length`` places count.
        told: (n, 1, width), what is added at every place: the label.
        length: how many inputs have been read; the first input is the beginning, which is no symbol.
    """

    keys: Tensor
    values: Tensor
    told: Tensor
    length: int = 0


class Transformer(Model, nn.Module):
    """log p(x) = sum over i of log p(x_i | x_<i), where a stack of masked attention sees x_<i. Exact, in one pass.

    The input at place i is the symbol before it, at the first place a sign for "the beginning". Blocks add to a
    residual stream: ``h + attention(norm(h))``, then ``h + mlp(norm(h))``; all of them begin at zero.

    Args:
        levels: L, how many symbols there are.
        dims: T, the longest sequence (the window); or the shape of an example, such as (8, 8), read row by row.
        width: of the residual stream, a multiple of ``heads``.
        layers, heads: how many.
        positions: "learned", a vector for each place; or "rotary", queries and keys turned by angles that grow with
            the place, so that their product knows the distance only; or "none".
        classes: how many labels; None for no labels.
        dropout: share of what a block adds that is left out at random while training.

    Raises:
        ValueError: settings that do not fit together; says which.

    Source: Vaswani et al. (2017); blocks in the order of Radford et al. (2019); rotary: Su et al. (2021), section 3.

    >>> model = Transformer(levels=2, dims=3, width=8, layers=1, heads=2)
    >>> x = torch.cartesian_prod(*[torch.arange(2)] * 3)
    >>> round(model.log_prob(x).exp().sum().item(), 5)
    1.0
    """

    def __init__(
        self,
        *,
        levels: int,
        dims: int | Sequence[int],
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        positions: str = "learned",
        classes: int | None = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        shape = (dims,) if isinstance(dims, int) else tuple(dims)
        if levels < 1 or layers < 1 or heads < 1 or min(shape, default=0) < 1:
            raise ValueError(
                f"levels, dims, layers and heads are 1 or more; they are {levels}, {dims}, {layers}, {heads}"
            )
        if width % heads or (positions == "rotary" and width // heads % 2):
            even = "an even multiple" if positions == "rotary" else "a multiple"
            raise ValueError(f"width must be {even} of heads; they are {width} and {heads}")
        if positions not in ("learned", "rotary", "none"):
            raise ValueError(f'positions are "learned", "rotary" or "none"; not {positions!r}')
        self.levels, self.shape, self.length, self.classes = levels, shape, math.prod(shape), classes
        self.symbol = nn.Embedding(levels + 1, width)  # the last is the beginning
        self.place = nn.Parameter(torch.randn(self.length, width) * 0.3) if positions == "learned" else None
        self.label = nn.Parameter(torch.randn(classes, width) * 0.3) if classes else None
        self.warped = nn.Parameter(torch.zeros(width)) if len(shape) > 1 else None
        nn.init.normal_(self.symbol.weight, std=0.5)
        turns = angles(self.length, width // heads) if positions == "rotary" else None
        self.blocks = nn.ModuleList(Block(width, heads, dropout, turns) for _ in range(layers))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, levels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def log_prob(self, x: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """Exact log-probability in nats, (B, ...) whole numbers to (B,).

        Args:
            x: ``(B, *shape)``, or (B, t) sequences of at most T symbols, whose rest is left open.
            labels: (B,), 0 ... classes - 1; of an example whose label is -1, and of all without labels, the answer is
                about p(x), all classes equally likely.
            warped: (B,), 1 where an image is a warped copy, told to the network while training.
        """
        x, labels = self._sequence(x), self._labels(labels, len(x))
        if self.classes is None:
            return self._given(x, None, warped)
        asked = torch.full((len(x),), -1) if labels is None else torch.as_tensor(labels)
        asked = asked.to(x.device).long()
        known = asked >= 0
        if known.all():
            return self._given(x, asked, warped)
        every = [self._given(x, torch.full_like(asked, c), warped) for c in range(self.classes)]
        mixed = torch.stack(every).logsumexp(0) - math.log(self.classes)
        return torch.where(known, self._given(x, asked.clamp_min(0), warped), mixed) if known.any() else mixed

    def logits(self, x: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """Unnormalised log p(x_i | x_<i, label) of all symbols: (B, t) whole numbers to (B, t, L).

        ``labels`` (B,) are needed where there are classes, none of them -1; ``warped`` as in `log_prob`.
        """
        return self._read(self._inputs(x), self._told(labels, len(x), warped))

    def _given(self, x: Tensor, labels: Tensor | None, warped: Tensor | None) -> Tensor:
        logits = self.logits(x, labels, warped=warped).float()
        return -F.cross_entropy(logits.flatten(0, 1), x.flatten(), reduction="none").view(x.shape).sum(1)

    def _told(self, labels: Tensor | None, n: int, warped: Tensor | None = None) -> Tensor:
        """(n, 1, width): what is added at every place."""
        told = self.symbol.weight.new_zeros(n, self.symbol.weight.shape[1])
        if self.classes is not None:
            if labels is None or tuple(labels.shape) != (n,) or (n and not 0 <= labels.min() <= labels.max()):
                raise ValueError(f"this model knows {self.classes} classes: give each of {n} examples a label")
            told = told + self.label[self._labels(labels, n).to(told.device)]
        if warped is not None:
            if self.warped is None:
                raise ValueError(
                    f"only images can be warped copies; this model takes sequences of {self.length} symbols"
                )
            told = told + warped.to(told)[:, None] * self.warped
        return told[:, None]

    def _read(self, inputs: Tensor, told: Tensor, cache: Cache | None = None) -> Tensor:
        """Inputs (B, t), after those in the cache, to (B, t, L); with a cache these are added to it."""
        start, end = (cache.length, cache.length + inputs.shape[1]) if cache else (0, inputs.shape[1])
        h = self.symbol(inputs) + told  # (B, t, width)
        if self.place is not None:
            h = h + self.place[start:end]
        for i, block in enumerate(self.blocks):
            h = block(h, start, (cache.keys[i], cache.values[i]) if cache else None)
        if cache:
            cache.length = end
        return self.out(self.norm(h))

    @torch.no_grad()
    def attention(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Who looks where: (B, t) whole numbers to (B, layers, heads, t, t) weights; each row sums to one.

        Row i is the look back when x_i is predicted; column j is the input at place j: x_(j-1), for j = 0 the
        beginning.
        """
        inputs, found = self._inputs(x), []
        h = self.symbol(inputs) + self._told(labels, len(x))
        if self.place is not None:
            h = h + self.place[: inputs.shape[1]]
        for block in self.blocks:
            q, k, _ = block.attention.queries_keys_values(block.norm1(h), 0)
            scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, heads, t, t)
            future = torch.ones_like(scores, dtype=torch.bool).triu(1)
            found.append(scores.masked_fill(future, -math.inf).softmax(-1))
            h = block(h)
        return torch.stack(found, 1)

    @torch.no_grad()
    def start(self, n: int, labels: Tensor | None = None) -> Cache:
        """An empty cache for n sequences."""
        weight = self.out.weight
        heads = self.blocks[0].attention.heads
        size = (len(self.blocks), n, heads, self.length, weight.shape[1] // heads)
        return Cache(weight.new_zeros(size), weight.new_zeros(size), self._told(labels, n))

    @torch.no_grad()
    def read(self, symbols: Tensor, cache: Cache) -> Tensor:
        """Read (n, t) symbols after those in the cache: (n, t', L) logits, the last row of what comes next.

        The beginning is read before the first symbol, so t' is t + 1 for a fresh cache and t afterwards.
        """
        inputs = symbols if cache.length else F.pad(symbols, (1, 0), value=self.levels)
        if cache.length + inputs.shape[1] > self.length:
            raise ValueError(f"the window has {self.length} places; there is no symbol after its last")
        return usable(self._read(inputs, cache.told, cache), self)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        *,
        length: int | None = None,
        start: Any = (),
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        cached: bool = True,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """n sequences, symbol by symbol: (n, length), or ``(n, *shape)``, ``start`` included only in a whole shape.

        Args:
            labels: (n,); where not given, or -1, drawn from p(label | start), all equally likely without a start.
            length: how many symbols to draw; by default as many as fit. They go on from ``start``.
            start: the prompt, (m,) the same for all or (n, m); empty for none.
            temperature, top_k, top_p: see `genutils.decoding.next_probs`. Other values than the defaults do not draw
                from the model's distribution; temperature 0 takes the likeliest symbol each time.
            cached: keep keys and values. Otherwise all is computed anew for each symbol, to the same numbers.

        Raises:
            ValueError: the window is too short, a symbol is unknown, or a setting has no meaning; says which.
        """
        x = torch.as_tensor(start, device=self.out.weight.device)
        x = whole(x.expand(n, -1) if x.ndim == 1 else x, self.levels)
        if x.ndim != 2 or len(x) != n:
            raise ValueError(f"start is (m,) symbols or ({n}, m); its shape is {tuple(x.shape)}")
        known, left = x.shape[1], self.length - x.shape[1]
        length = left if length is None else length
        if not 0 <= length <= left or (len(self.shape) > 1 and length < left):
            raise ValueError(
                f"the window has {self.length} places, of which start takes {known}; length is {length}. Draw fewer, "
                "begin with the last part of start, or train with a longer window"
            )
        labels = self._drawn_labels(x, labels, generator)
        cache = self.start(n, labels)
        for i in range(length):
            logits = self.read(x[:, cache.length - 1 if cache.length else 0 :], cache)[:, -1]
            p = next_probs(logits, temperature=temperature, top_k=top_k, top_p=top_p)
            x = torch.cat([x, draw(p, generator)[:, None]], 1)
            if not cached and i + 1 < length:
                cache.length = 0
        return x.view(n, *self.shape) if len(self.shape) > 1 else x[:, known:]

    def _drawn_labels(self, x: Tensor, labels: Any, generator: torch.Generator | None) -> Tensor | None:
        """A label for each sequence: the one that is given, or a draw from p(label | x), x being what is known."""
        if (labels := self._labels(labels, len(x))) is None and self.classes is None:
            return None
        labels = torch.full((len(x),), -1) if labels is None else torch.as_tensor(labels)
        labels = labels.to(x.device).long()
        if (labels >= 0).all():
            return labels
        nats = [self._given(x, torch.full_like(labels, c), None) for c in range(self.classes)]  # zeros without a start
        return torch.where(labels >= 0, labels, draw(usable(torch.stack(nats, 1), self).softmax(1), generator))

    def _sequence(self, x: Tensor) -> Tensor:
        """x as (B, t) symbols, if it is what the model was made for."""
        needs_tensor(self, x)
        if tuple(x.shape[1:]) != self.shape and (x.ndim != 2 or x.shape[1] > self.length):
            raise ValueError(
                f"this model takes examples of shape {self.shape}, or (B, t) symbols, t up to {self.length}; these "
                f"have shape {tuple(x.shape)}. Cut what is longer into windows"
            )
        return whole(x.flatten(1), self.levels)

    def _inputs(self, x: Tensor) -> Tensor:
        """(B, t): the beginning, then all symbols but the last."""
        return F.pad(self._sequence(x), (1, 0), value=self.levels)[:, :-1]


class Block(nn.Module):
    """``h + attention(norm(h))``, then ``h + mlp(norm(h))``: what is added to the residual stream is zero at first."""

    def __init__(self, width: int, heads: int, dropout: float, turns: Tensor | None):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads, turns)
        self.norm2, self.mlp = (
            nn.LayerNorm(width),
            nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)),
        )
        self.dropout = Dropout(dropout)
        for last in (self.attention.out, self.mlp[-1]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, h: Tensor, start: int = 0, cache: tuple[Tensor, Tensor] | None = None) -> Tensor:
        h = h + self.dropout(self.attention(self.norm1(h), start, cache))
        return h + self.dropout(self.mlp(self.norm2(h)))


class Attention(nn.Module):
    """Causal attention of several heads: softmax(q k^T / sqrt(d)) v over what is not later."""

    def __init__(self, width: int, heads: int, turns: Tensor | None):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.register_buffer("turns", turns, persistent=False)

    def queries_keys_values(self, h: Tensor, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """(B, t, width), of which the first stands at place ``start``, to three of (B, heads, t, width / heads)."""
        q, k, v = (part(h).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
        if self.turns is not None:
            turns = self.turns[:, start : start + h.shape[1]]
            q, k = rotate(q, turns), rotate(k, turns)
        return q, k, v

    def forward(self, h: Tensor, start: int = 0, cache: tuple[Tensor, Tensor] | None = None) -> Tensor:
        q, k, v = self.queries_keys_values(h, start)
        new, end = h.shape[1], start + h.shape[1]
        if cache:
            for kept, fresh in zip(cache, (k, v), strict=True):
                kept[:, :, start:end] = fresh
            k, v = (kept[:, :, :end] for kept in cache)
        mask = torch.ones(new, end, dtype=torch.bool, device=h.device).tril(start) if start and new > 1 else None
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=new > 1 and not start)
        return self.out(mixed.transpose(1, 2).flatten(2))  # heads side by side again


def angles(length: int, d: int, base: float = 100.0) -> Tensor:
    """(2, length, d / 2): cosines and sines of ``place * base**(-2 i / d)``. Source: Su et al. (2021), section 3.2.2.

    Their base is 10,000, for texts of thousands of tokens; ours is for windows of a few hundred symbols.
    """
    phase = torch.arange(length)[:, None] * base ** (-2 * torch.arange(d // 2) / d)
    return torch.stack([phase.cos(), phase.sin()])


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Coordinates i and i + d/2 turned by the angle of their place: (..., t, d) and (2, t, d/2) to (..., t, d).

    The product of a query turned by place m and a key turned by place n depends on m - n alone.

    >>> rotate(torch.tensor([[1.0, 0.0]]), torch.tensor([[[0.0]], [[1.0]]])).tolist()  # by a quarter
    [[0.0, 1.0]]
    """
    a, b = x.chunk(2, -1)
    cos, sin = turns
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
