"""Points in the plane: an autoregressive model of them, and small networks for the other families."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.door import answering, usable
from genutils.model import Model
from genutils.networks import ResidualMLP, waves


class PlaneNet(Model, nn.Module):
    """p(x_1) p(x_2 | x_1) on the plane, each factor a density that is linear between knots. Exact.

    A density on a line is a mixture of hats, ``sum_k w_k hat_k(x)``, triangles of area 1 around equally spaced knots,
    with weights from a softmax. For x_2 the logits come from a network that reads x_1 through the same hats. What it
    reads there is a sum of tables from coarse to fine: the coarse ones learn the shape fast, the finest the edges.
    One in 10^5 of the mass is a wide Gaussian, so that no point of the plane has density 0.

    Args:
        bounds: ((x0, x1), (y0, y1)), the box of the knots.
        knots: K on each side.
    """

    TAIL = 1e-5

    def __init__(self, bounds: Sequence[Sequence[float]], *, knots: int = 128, width: int = 128, blocks: int = 2):
        super().__init__()
        low, high = torch.tensor(bounds, dtype=torch.get_default_dtype()).T
        if not (high > low).all():
            raise ValueError(f"bounds are ((x0, x1), (y0, y1)) with x0 < x1 and y0 < y1; they are {bounds}")
        self.register_buffer("low", low)
        self.register_buffer("step", (high - low) / (knots - 1))
        if knots < 16:
            raise ValueError(
                f"knots is 16 or more, as the coarsest of five tables has a sixteenth of them; it is {knots}"
            )
        self.knots = knots
        sizes = [knots // 2**i for i in range(5)]
        self.tables = nn.ParameterList(nn.Parameter(torch.randn(1, width, size) * 0.2) for size in sizes)
        self.firsts = nn.ParameterList(nn.Parameter(torch.zeros(1, 1, size)) for size in sizes)
        self.net = ResidualMLP(None, knots, width=width, blocks=blocks)

    def log_prob(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-density, (B, 2) to (B,) nats. It knows no classes: labels are refused."""
        self._refuse(labels)
        with answering(self, x):
            if x.ndim != 2 or x.shape[1] != 2:
                raise ValueError(f"expected points of the plane, (B, 2); these have shape {tuple(x.shape)}")
            return self._log_prob(x)

    def _log_prob(self, x: Tensor) -> Tensor:
        place = (x - self.low) / self.step  # in units of knots
        inside = ((place > -1) & (place < self.knots)).all(1)
        k = place.floor().clamp(-1, self.knots - 1).long()  # (B, 2): the knot to the left, -1 before the first
        t = (place - k).clamp(0, 1)
        logits = torch.stack([self._first(len(x)), self.net(self._embed(k[:, 0], t[:, 0]))], 1)  # (B, 2, K)
        weights = F.pad(logits.float().log_softmax(-1), (1, 1), value=-torch.inf)  # (B, 2, K + 2): 0 outside
        left = weights.gather(2, k[..., None] + 1)[..., 0] + torch.log1p(-t)
        right = weights.gather(2, k[..., None] + 2)[..., 0] + t.clamp_min(1e-30).log()
        hats = (torch.logaddexp(left, right) - self.step.log()).sum(1)
        middle, scale = self.low + self.step * (self.knots - 1) / 2, self.step * self.knots / 2
        tail = torch.distributions.Normal(middle, scale).log_prob(x).sum(1) + math.log(self.TAIL)
        hats = torch.where(inside, hats + math.log1p(-self.TAIL), -torch.inf)
        return torch.logaddexp(hats, tail)

    @torch.no_grad()
    def sample(self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """(n, 2). A hat is the sum of two uniforms."""
        self._refuse(labels)

        def along(logits: Tensor) -> Tensor:  # (n, K) to places (n,)
            k = torch.multinomial(usable(logits, self).softmax(-1), 1, generator=generator)[:, 0]
            return k + torch.rand(n, generator=generator) + torch.rand(n, generator=generator) - 1

        a = along(self._first(n))
        k = a.floor().long()
        b = along(self.net(self._embed(k, a - k)))
        x = self.low + torch.stack([a, b], 1) * self.step
        middle, scale = self.low + self.step * (self.knots - 1) / 2, self.step * self.knots / 2
        wide = middle + scale * torch.randn(n, 2, generator=generator)
        return torch.where(torch.rand(n, 1, generator=generator) < self.TAIL, wide, x)

    def _embed(self, k: Tensor, t: Tensor) -> Tensor:
        """What stands at x_1, linear between knots: (B,) and (B,) to (B, width)."""
        table = self._fine(self.tables)[0].T
        left, right = k.clamp(0, self.knots - 1), (k + 1).clamp(0, self.knots - 1)
        return F.embedding(left, table) * (1 - t)[:, None] + F.embedding(right, table) * t[:, None]

    def _first(self, n: int) -> Tensor:
        return 4 * self._fine(self.firsts)[0].expand(n, -1)  # each weight sees one in K: it may take larger steps

    def _fine(self, tables: nn.ParameterList) -> Tensor:
        return sum(F.interpolate(table, size=self.knots, mode="linear", align_corners=True) for table in tables)


class Wavy(nn.Module):
    """Scale and shift, (B, 2), from one number and its waves, (B, 1): the number alone would give too smooth a bend."""

    def __init__(self, *, width: int = 48, frequencies: int = 6):
        super().__init__()
        self.frequencies = frequencies
        self.net = ResidualMLP(1 + 2 * frequencies, 2, width=width, blocks=1, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.cat([x, waves(x[:, 0], self.frequencies, slowest=0.7, fastest=8)], 1))


class NearPoint(nn.Module):
    """Means and log standard deviations (B, 4) for points (B, 2): to begin with, the points and ``sigma``."""

    def __init__(self, sigma: float, *, width: int = 96, blocks: int = 2, frequencies: int = 6):
        super().__init__()
        self.frequencies, self.start = frequencies, math.log(sigma)
        self.net = ResidualMLP(2 + 4 * frequencies, 4, width=width, blocks=blocks, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        features = torch.cat([x, waves(x, self.frequencies, slowest=0.7, fastest=8).flatten(1)], 1)
        mu, log_sigma = self.net(features).chunk(2, -1)
        return torch.cat([x + mu, self.start + log_sigma], -1)


class PointDenoiser(nn.Module):
    """Noisy points (B, 2) and times (B,) to v (B, 2)."""

    def __init__(self, width: int = 128, blocks: int = 3, frequencies: int = 6):
        super().__init__()
        self.frequencies = frequencies
        self.net = ResidualMLP(2 + 4 * frequencies + 16, 2, width=width, blocks=blocks, zero=True)

    def forward(self, z: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        place = waves(z, self.frequencies, slowest=1, fastest=12).flatten(1)
        return self.net(torch.cat([z, place, waves(t, 8, slowest=1.5, fastest=20)], 1))


class WithSigns(nn.Module):
    """z (B, K) to (z, sign z), (B, 2 K): a continuous sampler would draw threads between separate modes."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([z, z.sign()], 1)


def leaky_layers(inputs: int, outputs: int, width: int = 128) -> nn.Sequential:
    """Three plain layers of leaky units, then a linear one: (B, inputs) to (B, outputs)."""
    sizes = [inputs, width, width, width]
    parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*parts, nn.Linear(width, outputs))
