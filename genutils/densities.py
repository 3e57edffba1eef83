"""Five densities in the plane with exact samples, exact log-densities and known entropies: limits no model passes.

Because the entropy H(p) is known, so is the distance of a model from perfection: ``NLL - H(p) = KL(p || model)``.
"""

from __future__ import annotations

import math
import operator

import torch
from torch import Tensor

CHUNK = 8192  # points whose log-density is computed at a time, to bound the memory


class Density:
    """A density in the plane.

    Attributes:
        name: what it is called in tables.
        entropy: its differential entropy, in nats.
        support: where the density is positive, in words.
        entropy_error: a bound on the numerical error of ``entropy``; 0 where it is exact.
        bounds: ((x0, x1), (y0, y1)), a box for plots that holds all but ``outside`` of the mass.
        outside: an upper bound on the mass outside the box.
    """

    name: str
    entropy: float
    entropy_error: float
    support: str = "the whole plane"
    bounds: tuple[tuple[float, float], tuple[float, float]]
    outside: float = 1e-9

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Exact independent samples.

        Args:
            n: how many.
            generator: a ``torch.Generator`` on the CPU; the same seed gives the same points. Without one, torch's own
                is used.

        Returns:
            (n, 2) float32.

        Raises:
            ValueError: n is not a whole number of 0 or more, or the generator is on another device.
            TypeError: the generator is not torch's.
        """
        try:
            count = -1 if isinstance(n, bool) else operator.index(n)  # numpy's integers are whole numbers too
        except TypeError:
            count = -1
        if count < 0:
            raise ValueError(f"n must be a whole number of samples, 0 or more; it was {n!r}")
        if generator is not None and not isinstance(generator, torch.Generator):
            kind = type(generator).__name__
            raise TypeError(f"generator must be a torch.Generator, not {kind}; use torch.Generator().manual_seed(0)")
        if generator is not None and generator.device.type != "cpu":
            raise ValueError(f"generator is on {generator.device}; samples are drawn on the CPU: use torch.Generator()")
        return self._sample(count, generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log-density.

        Args:
            x: (B, 2), a floating-point tensor; the result has its dtype and can be differentiated.

        Returns:
            (B,) nats; -inf outside the support.

        Raises:
            TypeError, ValueError: x is not a floating-point tensor of shape (B, 2); says what it is.
        """
        if not isinstance(x, Tensor) or not x.is_floating_point():
            kind = f"a tensor of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"log_prob takes a floating-point tensor, not {kind}; use torch.as_tensor(x).float()")
        if x.ndim != 2 or x.shape[1] != 2:
            raise ValueError(f"log_prob takes points of shape (B, 2); this tensor has shape {tuple(x.shape)}")
        if len(x) <= CHUNK:
            return self._log_prob(x)
        return torch.cat([self._log_prob(part) for part in x.split(CHUNK)])

    def __repr__(self) -> str:
        return f"<density {self.name}, entropy {self.entropy:.4f} nats>"

    def _sample(self, n: int, generator: torch.Generator | None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must say how to sample")

    def _log_prob(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must say its log-density")


class Mixture(Density):
    """K equal round Gaussians: ``p(x) = 1/K sum_k N(x; c_k, sigma^2 I)``."""

    def __init__(self, name: str, centres: Tensor, sigma: float, *, entropy: float, entropy_error: float):
        self.name, self.centres, self.sigma = name, centres.double(), sigma  # centres (K, 2)
        self.entropy, self.entropy_error = entropy, entropy_error
        low, high = self.centres.min(0).values - 7 * sigma, self.centres.max(0).values + 7 * sigma
        self.bounds = tuple((round(a, 4), round(b, 4)) for a, b in zip(low.tolist(), high.tolist(), strict=True))

    def _sample(self, n: int, generator: torch.Generator | None) -> Tensor:
        which = torch.randint(len(self.centres), (n,), generator=generator)
        return self.centres.float()[which] + self.sigma * torch.randn(n, 2, generator=generator)

    def _log_prob(self, x: Tensor) -> Tensor:
        c = self.centres.to(x)
        square = (x[:, :1] - c[:, 0]) ** 2 + (x[:, 1:] - c[:, 1]) ** 2  # (B, K)
        norm = math.log(len(c)) + math.log(2 * math.pi * self.sigma**2)
        return torch.logsumexp(-square / (2 * self.sigma**2), 1) - norm


class Pinwheel(Density):
    """Five Gaussians, long radially and short tangentially, then turned by an angle that grows with the radius.

    The turn ``x -> R(rate |x|) x`` keeps areas (in polar coordinates it is a shear), so the density is that of the five
    Gaussians at the point turned back, and the entropy is theirs.
    """

    def __init__(self, *, entropy: float, entropy_error: float):
        self.name, self.arms, self.radius, self.sigma_r, self.sigma_t, self.rate = "pinwheel", 5, 2.0, 0.5, 0.2, 0.8
        self.entropy, self.entropy_error = entropy, entropy_error
        self.bounds = ((-5.2, 5.2), (-5.2, 5.2))

    def _turn(self, x: Tensor, sign: float) -> Tensor:
        angle = sign * self.rate * torch.linalg.vector_norm(x, dim=1)
        cos, sin = angle.cos(), angle.sin()
        return torch.stack([cos * x[:, 0] - sin * x[:, 1], sin * x[:, 0] + cos * x[:, 1]], 1)

    def _sample(self, n: int, generator: torch.Generator | None) -> Tensor:
        theta = torch.randint(self.arms, (n,), generator=generator) * (2 * math.pi / self.arms)
        along, across = torch.randn(2, n, generator=generator)
        along, across = self.radius + self.sigma_r * along, self.sigma_t * across
        cos, sin = theta.cos(), theta.sin()
        return self._turn(torch.stack([cos * along - sin * across, sin * along + cos * across], 1), 1.0)

    def _log_prob(self, x: Tensor) -> Tensor:
        y = self._turn(x, -1.0)
        theta = torch.arange(self.arms, dtype=x.dtype, device=x.device) * (2 * math.pi / self.arms)
        cos, sin = theta.cos(), theta.sin()
        along = (y[:, :1] * cos + y[:, 1:] * sin - self.radius) / self.sigma_r  # (B, arms)
        across = (y[:, 1:] * cos - y[:, :1] * sin) / self.sigma_t
        norm = math.log(self.arms) + math.log(2 * math.pi * self.sigma_r * self.sigma_t)
        value = torch.logsumexp(-(along**2 + across**2) / 2, 1) - norm
        return torch.where(x.isinf().any(1) & ~x.isnan().any(1), -math.inf, value)  # infinity has no angle


class Checkerboard(Density):
    """Uniform on 8 of the 16 cells of side 2 in [-4, 4]^2: those (i, j) with i and j both even or both odd."""

    name, support = "checkerboard", "eight squares of side 2 in [-4, 4]^2, corner to corner"
    entropy, entropy_error = math.log(32), 0.0
    bounds, outside = ((-4.0, 4.0), (-4.0, 4.0)), 0.0

    def _sample(self, n: int, generator: torch.Generator | None) -> Tensor:
        cell = torch.randint(8, (n,), generator=generator)
        i = cell // 2
        j = 2 * (cell % 2) + i % 2
        corner = torch.stack([i, j], 1) * 2.0 - 4.0
        # float32 rounds -2 + 1.99999999 up to the next cell: keep a hair away from the far edge
        return corner + (2 * torch.rand(n, 2, generator=generator)).clamp(max=2 - 1e-6)

    def _log_prob(self, x: Tensor) -> Tensor:
        cell = ((x.detach() + 4) / 2).floor()
        inside = ((cell >= 0) & (cell <= 3)).all(1) & (cell.sum(1).remainder(2) == 0)
        level = -math.log(32) + 0 * x.sum(1)  # the gradient is 0, not missing; NaN stays NaN
        return torch.where(inside | x.isnan().any(1), level, torch.full_like(level, -math.inf))


def _ring() -> Tensor:
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    return 2 * torch.stack([angle.cos(), angle.sin()], 1)


def _moons() -> Tensor:
    t = (torch.arange(400, dtype=torch.float64) + 0.5) * math.pi / 400
    return torch.cat([torch.stack([t.cos(), t.sin()], 1), torch.stack([1 - t.cos(), 0.5 - t.sin()], 1)])


def _spiral() -> Tensor:
    t = 3 * math.pi * ((torch.arange(400, dtype=torch.float64) + 0.5) / 400).sqrt()
    arm = torch.stack([t * t.cos(), t * t.sin()], 1) / 3
    return torch.cat([arm, -arm])


# Entropies by the trapezoidal rule, which converges exponentially here; tests/test_densities.py computes them again.
ring = Mixture("ring", _ring(), 0.2, entropy=1.6980612031, entropy_error=1e-9)
moons = Mixture("moons", _moons(), 0.1, entropy=1.0075715327, entropy_error=1e-9)
spiral = Mixture("spiral", _spiral(), 0.1, entropy=2.5405759294, entropy_error=1e-9)
pinwheel = Pinwheel(entropy=2.1434659451, entropy_error=1e-9)
checkerboard = Checkerboard()
