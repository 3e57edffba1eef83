"""Small networks that several families share. The mathematics of each family stands in its own file."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Module):
    """`torch.nn.Dropout` with one random byte, not one random float, for each unit: its cost on a CPU all but vanishes.

    The share that is left out is ``p`` rounded to a 256th.
    """

    def __init__(self, p: float):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p is the share of units left out, 0 <= p < 1; it is {p}")
        self.out = round(256 * p)

    def forward(self, x: Tensor) -> Tensor:
        """Shaped like x; what is kept is scaled up, so that the mean stays."""
        if not self.training or not self.out:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        keep = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.out
        return x * (keep * (256 / (256 - self.out))).to(x.dtype)


class ResidualMLP(nn.Module):
    """A stack of residual blocks ``h + W2 act(W1 norm(h))`` that starts as a linear map: every W2 begins at zero.

    Args:
        inputs, outputs: sizes of the last axis; ``inputs=None`` where h comes in at its width already.
        width: of h.
        blocks: how many.
        dropout: share of the hidden units left out at random while training.
        zero: begin with all outputs at zero, so that a new layer of a flow, say, starts as the identity.

    >>> net = ResidualMLP(2, 3, zero=True)
    >>> net(torch.ones(5, 2)).abs().sum().item()
    0.0
    """

    def __init__(
        self,
        inputs: int | None,
        outputs: int,
        *,
        width: int = 128,
        blocks: int = 2,
        dropout: float = 0.0,
        zero: bool = False,
    ):
        super().__init__()
        self.inp = nn.Linear(inputs, width) if inputs is not None else nn.Identity()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, width),
                nn.SiLU(),
                Dropout(dropout),
                nn.Linear(width, width),
            )
            for _ in range(blocks)
        )
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, outputs)
        for layer in [block[-1] for block in self.blocks] + [self.out] * zero:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        h = self.inp(x)
        for block in self.blocks:
            h = h + block(h)
        return self.out(self.norm(h))


def waves(t: Tensor, n: int, *, slowest: float = 1.0, fastest: float = 100.0) -> Tensor:
    """Sines and cosines of t at n frequencies (radians per unit of t) in geometric steps: features of time or place.

    Args:
        t: (...) numbers of size about 1.
        n: how many frequencies.

    Returns:
        (..., 2 n).

    >>> waves(torch.zeros(3), 2).tolist()[0]
    [0.0, 0.0, 1.0, 1.0]
    """
    if not (0 < slowest < math.inf and 0 < fastest < math.inf):
        raise ValueError(f"slowest and fastest are positive frequencies; they are {slowest} and {fastest}")
    steps = torch.linspace(math.log(slowest), math.log(fastest), n, device=t.device)
    phase = t[..., None] * steps.exp()
    return torch.cat([phase.sin(), phase.cos()], -1)


class Constant(nn.Module):
    """A network that sees nothing: the same outputs for every example, and large steps in training."""

    def __init__(self, outputs: int):
        super().__init__()
        self.values = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return (4 * self.values).expand(len(x), -1)


class Lookup(nn.Module):
    """A function of one number as a sum of tables from coarse to fine, linear between entries, then a small network.

    Coarse tables learn the shape fast, the finest one learns edges, which a network on the bare number learns slowly.

    Args:
        outputs: of the network, which starts at zero.
        low, high: range of the tables; beyond it their last entries hold.
        knots: entries of the finest table.
    """

    def __init__(
        self, outputs: int, *, low: float = 0.0, high: float = 1.0, knots: int = 128, width: int = 96, blocks: int = 1
    ):
        super().__init__()
        if knots < 16:
            raise ValueError(
                f"knots is 16 or more, as the coarsest of five tables has a sixteenth of them; it is {knots}"
            )
        if not low < high:
            raise ValueError(f"low must be below high; they are {low} and {high}")
        self.knots, self.low, self.high = knots, low, high
        sizes = [knots // 2**i for i in range(5)]
        self.tables = nn.Parameter(torch.cat([torch.randn(width, size) * 0.2 for size in sizes], 1))
        spread = [F.interpolate(torch.eye(n)[None], size=knots, mode="linear", align_corners=True)[0] for n in sizes]
        self.register_buffer("spread", torch.cat(spread))  # (all entries, knots): from coarse tables to the finest
        self.net = ResidualMLP(None, outputs, width=width, blocks=blocks, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1) to (B, outputs)."""
        fine = (self.tables @ self.spread).T.contiguous()  # (knots, width)
        place = ((x[:, 0] - self.low) / (self.high - self.low)).clamp(0, 1) * (self.knots - 1)
        k = place.nan_to_num(0.0).floor().clamp(max=self.knots - 2).long()  # what is nan comes out as nan, by t
        t = (place - k)[:, None]
        return self.net(torch.lerp(F.embedding(k, fine), F.embedding(k + 1, fine), t))
