"""Normalizing flows: an invertible map f between data and noise, ``log p(x) = log p_z(f(x)) + log |det J_f(x)|``.

Every transform takes x to ``z, ladj`` and has ``inverse``, which takes z to ``x, ladj``; ladj is the log-determinant of
the step taken, (B,) nats, so the two of a round trip add to zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from genutils.door import answering, shaped
from genutils.model import Model
from genutils.networks import Constant as Constant
from genutils.networks import Lookup as Lookup
from genutils.networks import ResidualMLP
from genutils.splines import spline as spline


class Coupling(nn.Module):
    """Some coordinates are kept, and a network that sees only them says how others are bent.

    Args:
        kept: indices of the coordinates that the network sees; none is allowed.
        bent: indices of those that it bends. What is in neither list passes unseen.
        network: from (B, kept) to (B, bent * parameters each): 2 for "affine", ``x -> x exp(s) + t`` with s within 3;
            K heights and K - 1 slopes for "spline"; K heights and K + 1 slopes for "box", a spline whose outer slopes
            are free, for data and noise that fill a box; K heights for "lines".
        kind: see there.

    What else a call is told, by name, goes on to the network as it is.

    Source: Dinh, Sohl-Dickstein, Bengio (2017), section 3.4, with bounded scales; splines as in `spline`, with equal
    widths, which train more steadily.
    """

    def __init__(self, kept: Sequence[int], bent: Sequence[int], network: nn.Module, *, kind: str = "spline"):
        super().__init__()
        if kind not in ("affine", "spline", "box", "lines"):
            raise ValueError(f"kind is 'affine', 'spline', 'box' or 'lines'; it is {kind!r}")
        if not len(bent) or set(kept) & set(bent):
            raise ValueError(f"some coordinates must be bent, and none of them kept; kept {kept}, bent {bent}")
        self.register_buffer("kept", torch.as_tensor(kept, dtype=torch.long))
        self.register_buffer("bent", torch.as_tensor(bent, dtype=torch.long))
        self.network, self.kind = network, kind

    def forward(self, x: Tensor, **told: Tensor) -> tuple[Tensor, Tensor]:
        return self._go(x, inverse=False, **told)

    def inverse(self, z: Tensor, **told: Tensor) -> tuple[Tensor, Tensor]:
        return self._go(z, inverse=True, **told)

    def bend(self, x: Tensor, params: Tensor, *, inverse: bool = False) -> tuple[Tensor, Tensor]:
        """Numbers (B, n) bent by what a network says of each, (B, n, parameters each), and their log-slopes (B, n)."""
        params = params.to(x.dtype)
        if self.kind == "affine":
            shaped(
                params,
                (*x.shape, 2),
                "for each bent number an affine coupling's network gives log-scale and shift: they",
            )
            log_scale, shift = 3 * torch.tanh(params[..., 0] / 3), params[..., 1]
            moved = (x - shift) * (-log_scale).exp() if inverse else x * log_scale.exp() + shift
            return moved, -log_scale if inverse else log_scale
        size = params.shape[-1]
        bins = {"spline": (size + 1) // 2, "box": (size - 1) // 2, "lines": size}[self.kind]
        return spline(x, params[..., :bins], None if self.kind == "lines" else params[..., bins:], inverse=inverse)

    def _go(self, x: Tensor, inverse: bool, **told: Tensor) -> tuple[Tensor, Tensor]:
        params, bent = self.network(x[:, self.kept], **told), len(self.bent)
        each, rest = divmod(math.prod(params.shape[1:]), bent)
        if len(params) != len(x) or rest or not each:
            raise ValueError(
                f"a coupling's network gives {len(x)} examples so many numbers for each of {bent} bent coordinates, "
                f"(B, {bent} n); this one gave the shape {tuple(params.shape)}"
            )
        params = params.reshape(len(x), bent, each)
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
        s, t = self._told(given)
        return given * s.exp() + t, s.sum(1)

    def _slow(self, made: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.zeros_like(made)
        for _ in range(made.shape[1]):  # each call makes one more coordinate right, from the first on
            s, t = self._told(found)
            found = (made - t) * (-s).exp()
        return found, -s.sum(1)

    def _told(self, x: Tensor) -> Iterator[Tensor]:
        return (shaped(part, x, "log-scales and shifts, each,") for part in self.network(x))


class Turn(nn.Module):
    """The plane turned about the origin by an angle, so that couplings bend it along slanted lines too. Areas stay."""

    def __init__(self, angle: float = math.pi / 4):
        super().__init__()
        self.register_buffer("angle", torch.tensor(angle))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._go(x, self.angle)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self._go(z, -self.angle)

    def _go(self, x: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
        cos, sin = angle.cos(), angle.sin()
        return x @ torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])]), x.new_zeros(len(x))


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

    def __init__(
        self,
        dims: int,
        transforms: Sequence[nn.Module],
        *,
        low: float | Sequence[float] = 0.0,
        high: float | Sequence[float] = 1.0,
        base: str = "box",
    ):
        super().__init__()
        if base not in ("normal", "box"):
            raise ValueError(f"base is 'normal' or 'box'; it is {base!r}")
        self.dims, self.base, self.transforms = dims, base, nn.ModuleList(transforms)
        low, high = (torch.as_tensor(v, dtype=torch.get_default_dtype()).expand(dims) for v in (low, high))
        if not (high > low).all():
            raise ValueError(f"high must be above low; they are {high.tolist()} and {low.tolist()}")
        self.register_buffer("scale", (high - low) / (1 if base == "box" else 6))
        self.register_buffer("shift", low.clone() if base == "box" else (low + high) / 2)

    def forward(self, x: Tensor, **told: Tensor) -> tuple[Tensor, Tensor]:
        """Data (B, D) to noise (B, D), and ``log |det|`` of that map, (B,) nats; ``told`` goes on to each transform."""
        z, total = (x - self.shift) / self.scale, -self.scale.log().sum().expand(len(x))
        for transform in self.transforms:
            z, ladj = transform(z, **told)
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

    def log_prob(self, x: Tensor, labels: Tensor | None = None, **told: Tensor) -> Tensor:
        """Exact log-density, (B, ...) with D numbers each to (B,) nats. It knows no classes: labels are refused."""
        self._refuse(labels)
        with answering(self, x):
            x = x.flatten(1)
            if x.shape[1] != self.dims:
                raise ValueError(f"expected examples of {self.dims} numbers; these have {x.shape[1]}")
            z, ladj = self(x, **told)
            return shaped(ladj, (len(x),), "the log-determinant of the transforms") + self.log_noise(z)

    @torch.no_grad()
    def sample(self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """(n, D), in one pass back through the transforms."""
        self._refuse(labels)
        normal = torch.randn(n, self.dims, generator=generator)
        if self.base == "box":
            uniform, tail = (torch.rand(n, d, generator=generator) for d in (self.dims, 1))
            normal = torch.where(tail < self.TAIL, normal + 0.5, uniform)
        return self.inverse(normal.to(self.shift))[0]


def shuffled_couplings(dims: int, layers: int, width: int) -> Flow:
    """A flow of numbers without an order, such as codes: affine couplings whose kept and bent halves change each time.

    Args:
        dims: D.
        layers: how many couplings.
        width: of their networks.
    """
    generator, half, parts = torch.Generator().manual_seed(0), dims // 2, []
    for _ in range(layers):
        order = torch.randperm(dims, generator=generator).tolist()
        net = ResidualMLP(half, 2 * (dims - half), width=width, blocks=1, zero=True)
        parts.append(Coupling(sorted(order[:half]), sorted(order[half:]), net, kind="affine"))
    return Flow(dims, parts, low=-3, high=3, base="normal")
