"""Small networks that several families share. The mathematics of each family stands in its own file."""

from __future__ import annotations

import math

import torch
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
    steps = torch.linspace(math.log(slowest), math.log(fastest), n, device=t.device)
    phase = t[..., None] * steps.exp()
    return torch.cat([phase.sin(), phase.cos()], -1)
