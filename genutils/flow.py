"""Normalizing flows: an invertible map f between data and noise, ``log p(x) = log p_z(f(x)) + log |det J_f(x)|``.

Every transform takes x to ``z, ladj`` and has ``inverse``, which takes z to ``x, ladj``; ladj is the log-determinant of
the step taken, (B,) nats, so the two of a round trip add to zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.model import Model
from genutils.networks import ResidualMLP

LEAST = 1e-5  # of a bin's share, and of a slope: no bin may close
UNIT = math.log(math.expm1(1 - LEAST))  # so that softplus(0 + UNIT) + LEAST is 1


def spline(
    x: Tensor, heights: Tensor, slopes: Tensor | None = None, widths: Tensor | None = None, *, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """A monotone rational-quadratic spline of each number, from [0, 1] onto itself; the identity outside.

    Args:
        x: (...) numbers.
        heights: (..., K) logits of the shares of the K bins in the image.
        slopes: (..., K - 1) slopes at the inner knots before a softplus, 0 for slope 1; the outer two are 1. Without
            them the curve is made of straight lines.
        widths: (..., K) logits of the shares of the bins in [0, 1]; without them all are equal.
        inverse: go back.

    Returns:
        The image of x and the logarithm of the slope there, both shaped like x, in nats.

    Raises:
        ValueError: the shapes do not fit.

    Source: Durkan, Bekasov, Murray, Papamakarios (2019), equations 4 to 8; straight lines: Müller et al. (2019).

    >>> y, ladj = spline(torch.tensor([0.3, 9.0]), torch.zeros(2, 4), torch.zeros(2, 3))
    >>> [round(v, 5) for v in y.tolist()], ladj.abs().max().item() < 1e-5
    ([0.3, 9.0], True)
    """
    bins = heights.shape[-1]
    wanted = {"heights": (heights, bins), "slopes": (slopes, bins - 1), "widths": (widths, bins)}
    for name, (part, size) in wanted.items():
        if part is not None and part.shape != (*x.shape, size):
            raise ValueError(
                f"{name} must have shape {(*x.shape, size)}, as x and K = {bins} bins ask; it is {tuple(part.shape)}"
            )
    h = LEAST + (1 - LEAST * bins) * heights.softmax(-1)
    ys = F.pad(h.cumsum(-1), (1, 0))  # (..., K + 1) knots
    inside = (x > 0) & (x < 1)
    v = x.clamp(1e-7, 1 - 1e-7)
    if widths is not None:
        w = LEAST + (1 - LEAST * bins) * widths.softmax(-1)
        xs = F.pad(w.cumsum(-1), (1, 0))
    if inverse or widths is not None:
        knots = ys if inverse else xs
        k = (torch.searchsorted(knots.detach().contiguous(), v[..., None].contiguous()) - 1).clamp(0, bins - 1)
    else:
        k = (v.detach()[..., None] * bins).long().clamp(max=bins - 1)  # (..., 1)

    def at(values: Tensor, i: Tensor) -> Tensor:
        return values.gather(-1, i)[..., 0]

    x0, w = (k[..., 0] / bins, 1 / bins) if widths is None else (at(xs, k), at(w, k))
    y0, h = at(ys, k), at(h, k)
    s = h / w
    if slopes is None:
        t = ((v - y0) / h if inverse else (v - x0) / w).clamp(0, 1)
        out, ladj = x0 + t * w if inverse else y0 + t * h, s.log()
    else:  # the slopes of this bin alone; the softplus of 0 is 1, as it is at the ends
        d = F.softplus(F.pad(slopes, (1, 1)).gather(-1, torch.cat([k, k + 1], -1)) + UNIT) + LEAST
        d0, d1 = d.unbind(-1)
        bend = d0 + d1 - 2 * s
        if inverse:  # a quadratic in the place t within the bin
            u = v - y0
            b = h * d0 - u * bend
            t = 2 * s * u / (b + (b * b + 4 * s * u * (h * (s - d0) + u * bend)).clamp_min(0).sqrt())
        else:
            t = (v - x0) / w
        t = t.clamp(0, 1)
        t2, tt = t * t, t * (1 - t)
        below = s + bend * tt
        ladj = (s * s * (d1 * t2 + 2 * s * tt + d0 * (1 - t) ** 2) / (below * below)).log()
        out = x0 + t * w if inverse else y0 + h * (s * t2 + d0 * tt) / below
    return torch.where(inside, out, x), torch.where(inside, -ladj if inverse else ladj, 0.0)


class Coupling(nn.Module):
    """Some coordinates are kept, and a network that sees only them says how others are bent.

    Args:
        kept: indices of the coordinates that the network sees; none is allowed.
        bent: indices of those that it bends. What is in neither list passes unseen.
        network: from (B, kept) to (B, bent * parameters each): 2 for "affine", ``x -> x exp(s) + t`` with s within 3;
            K heights and K - 1 slopes for "spline"; K heights for "lines".
        kind: see there.

    Source: Dinh, Sohl-Dickstein, Bengio (2017), section 3.4, with bounded scales; splines as in `spline`, with equal
    widths, which train more steadily.
    """

    def __init__(self, kept: Sequence[int], bent: Sequence[int], network: nn.Module, *, kind: str = "spline"):
        super().__init__()
        if kind not in ("affine", "spline", "lines"):
            raise ValueError(f"kind is 'affine', 'spline' or 'lines'; it is {kind!r}")
        if not len(bent) or set(kept) & set(bent):
            raise ValueError(f"some coordinates must be bent, and none of them kept; kept {kept}, bent {bent}")
        self.register_buffer("kept", torch.as_tensor(kept, dtype=torch.long))
        self.register_buffer("bent", torch.as_tensor(bent, dtype=torch.long))
        self.network, self.kind = network, kind

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._go(x, inverse=False)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self._go(z, inverse=True)

    def bend(self, x: Tensor, params: Tensor, *, inverse: bool = False) -> tuple[Tensor, Tensor]:
        """Numbers (B, n) bent by what a network says of each, (B, n, parameters each), and their log-slopes (B, n)."""
        params = params.to(x.dtype)
        if self.kind == "affine":
            log_scale, shift = 3 * torch.tanh(params[..., 0] / 3), params[..., 1]
            moved = (x - shift) * (-log_scale).exp() if inverse else x * log_scale.exp() + shift
            return moved, -log_scale if inverse else log_scale
        bins = (params.shape[-1] + 1) // 2 if self.kind == "spline" else params.shape[-1]
        slopes = params[..., bins:] if self.kind == "spline" else None
        return spline(x, params[..., :bins], slopes, inverse=inverse)

    def _go(self, x: Tensor, inverse: bool) -> tuple[Tensor, Tensor]:
        params = self.network(x[:, self.kept]).view(len(x), len(self.bent), -1)  # (B, bent, parameters each)
        moved, ladj = self.bend(x[:, self.bent], params, inverse=inverse)
        return x.index_copy(1, self.bent, moved), ladj.sum(1)


class Autoregressive(nn.Module):
    """Every coordinate is stretched and moved as all before it say; one call of the network one way, D the other.

    Args:
        network: from (B, D) to log-scales s and shifts t, (B, D) each; entry i may depend on entries before i alone.
        reads: "data" for ``z_i = x_i exp(s_i) + t_i`` with s, t functions of x: data to noise in one call (MAF);
            "noise" for ``x_i = z_i exp(s_i) + t_i`` with s, t functions of z: noise to data in one call (IAF).

    Source: Papamakarios, Pavlakou, Murray (2017), section 3; Kingma et al. (2016), section 3.
    """

    def __init__(self, network: nn.Module, *, reads: str = "data"):
        super().__init__()
        if reads not in ("data", "noise"):
            raise ValueError(f"reads is 'data' or 'noise'; it is {reads!r}")
        self.network, self.reads = network, reads

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._fast(x) if self.reads == "data" else self._slow(x)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self._slow(z) if self.reads == "data" else self._fast(z)

    def _fast(self, given: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self.network(given)
        return given * s.exp() + t, s.sum(1)

    def _slow(self, made: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.zeros_like(made)
        for _ in range(made.shape[1]):  # each call makes one more coordinate right, from the first on
            s, t = self.network(found)
            found = (made - t) * (-s).exp()
        return found, -s.sum(1)


class Flow(Model, nn.Module):
    """Transforms in a row, from data to simple noise. Exact.

    Args:
        dims: D.
        transforms: applied to data in this order.
        low, high: (D,) or numbers. Data are first moved from the box between them to [0, 1]^D (base "box") or to
            [-3, 3]^D (base "normal"); that counts in the density.
        base: "normal", a standard Gaussian, or "box", uniform on [0, 1]^D, where splines live. One in 10^5 of the
            mass of the box is a wide Gaussian, so that no point of the space has density 0.

    >>> flow = Flow(2, [], low=-4, high=4)
    >>> round(flow.log_prob(torch.zeros(1, 2)).exp().item() * 64, 4)
    1.0
    """

    TAIL = 1e-5

    def __init__(self, dims: int, transforms: Sequence[nn.Module], *, low=0.0, high=1.0, base: str = "box"):
        super().__init__()
        if base not in ("normal", "box"):
            raise ValueError(f"base is 'normal' or 'box'; it is {base!r}")
        self.dims, self.base, self.transforms = dims, base, nn.ModuleList(transforms)
        low, high = (torch.as_tensor(v, dtype=torch.float32).expand(dims) for v in (low, high))
        if not (high > low).all():
            raise ValueError(f"high must be above low; they are {high.tolist()} and {low.tolist()}")
        self.register_buffer("scale", (high - low) / (1 if base == "box" else 6))
        self.register_buffer("shift", low.clone() if base == "box" else (low + high) / 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Data (B, D) to noise (B, D), and ``log |det|`` of that map, (B,) nats."""
        z, total = (x - self.shift) / self.scale, -self.scale.log().sum().expand(len(x))
        for transform in self.transforms:
            z, ladj = transform(z)
            total = total + ladj
        return z, total

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Noise to data, and ``log |det|`` of that map."""
        total = self.scale.log().sum().expand(len(z))
        for transform in reversed(self.transforms):
            z, ladj = transform.inverse(z)
            total = total + ladj
        return z * self.scale + self.shift, total

    def log_noise(self, z: Tensor) -> Tensor:
        """Log-density of the base, (B, D) to (B,) nats."""
        if self.base == "normal":
            return -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)
        box = torch.where(((z >= 0) & (z <= 1)).all(1), math.log1p(-self.TAIL), -torch.inf)
        wide = -0.5 * ((z - 0.5).square() + math.log(2 * math.pi)).sum(1) + math.log(self.TAIL)
        return torch.logaddexp(box, wide)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log-density, (B, ...) with D numbers each to (B,) nats."""
        x = x.flatten(1)
        if x.shape[1] != self.dims:
            raise ValueError(f"expected examples of {self.dims} numbers; these have {x.shape[1]}")
        z, ladj = self(x)
        return ladj + self.log_noise(z)

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """(n, D), in one pass back through the transforms."""
        normal = torch.randn(n, self.dims, generator=generator)
        if self.base == "box":
            uniform, tail = (torch.rand(n, d, generator=generator) for d in (self.dims, 1))
            normal = torch.where(tail < self.TAIL, normal + 0.5, uniform)
        return self.inverse(normal.to(self.shift.device))[0]


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
        k = place.floor().clamp(max=self.knots - 2).long()
        t = (place - k)[:, None]
        return self.net(torch.lerp(F.embedding(k, fine), F.embedding(k + 1, fine), t))
