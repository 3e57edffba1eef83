"""Diffusion models: data are drowned in Gaussian noise, and a network learns to see through it. A bound.

    z_t = alpha_t x + sigma_t eps,    alpha_t^2 + sigma_t^2 = 1,    t = 0 is data, t = 1 is noise.

All that matters about the schedule is ``gamma(t) = log(sigma_t^2 / alpha_t^2)``, minus the log signal-to-noise ratio.
Written as in Kingma, Salimans, Poole, Ho (2021); the discrete form is that of Ho, Jain, Abbeel (2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from genutils.door import answering, countable, shaped, usable
from genutils.model import Model
from genutils.schedules import Cosine as Cosine
from genutils.schedules import Schedule as Schedule


class Diffusion(Model, nn.Module):
    """A diffusion model of real data, whose network puts out v = alpha eps - sigma x.

    Args:
        network: of (z, t, labels): z (B, ...), t (B,), labels (B,), of which ``classes`` itself stands for "any"; None
            where there are no classes. It puts out something like z.
        shape: of one example.
        schedule: how noise grows.
        shift, scale: numbers or shaped like an example; data are centred by one and divided by the other first, which
            counts in the bound.
        classes: how many labels the network knows, beside "any".

    Labels of a model are (B,) whole numbers 0 ... classes - 1, and -1 for "any", which is also what is meant without
    labels. What else `elbo` is told by name goes on to the network as it is.

    Source: Kingma et al. (2021); v from Salimans, Ho (2022). Its zero is right for standard Gaussian data.
    """

    why = "the integral over all paths has no closed form; elbo bounds it"

    def __init__(
        self,
        network: nn.Module,
        shape: Sequence[int],
        *,
        schedule: Schedule | None = None,
        shift: float | Tensor = 0.0,
        scale: float | Tensor = 1.0,
        classes: int | None = None,
    ):
        super().__init__()
        self.network, self.shape, self.schedule = network, tuple(shape), schedule or Schedule()
        self.classes = classes
        for name, value in (("shift", shift), ("scale", scale)):
            value = torch.as_tensor(value, dtype=torch.get_default_dtype()).expand(self.shape).clone()
            self.register_buffer(name, value)
        if not (self.scale > 0).all():
            raise ValueError(f"scale must be positive; its smallest value is {self.scale.min().item()}")

    # what is known of noise ------------------------------------------------------------------------------------------

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma for t (B,), with axes added to multiply examples."""
        alpha, sigma = self.schedule(t)
        return tuple(v.view(-1, *[1] * len(self.shape)) for v in (alpha, sigma))

    def noised(self, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """A draw from q(z_t | x), which is N(alpha_t x, sigma_t^2), made of standard noise."""
        alpha, sigma = self.at(t)
        return alpha * x + sigma * eps

    def posterior(self, x: Tensor, z: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of q(z_s | z_t = z, x) for s < t: what lies between data and noise."""
        (alpha_s, sigma_s), (alpha_t, sigma_t) = self.at(s), self.at(t)
        ratio = alpha_t / alpha_s
        grown = (sigma_t**2 - ratio**2 * sigma_s**2).clamp_min(0)  # variance of q(z_t | z_s)
        mean = ratio * (sigma_s / sigma_t) ** 2 * z + alpha_s * grown / sigma_t**2 * x
        return mean, grown.sqrt() * sigma_s / sigma_t

    # what is learned -------------------------------------------------------------------------------------------------

    def asked(self, z: Tensor, t: Tensor, labels: Tensor | None = None, **told: Tensor) -> Tensor:
        """What the network says, in the precision of z; labels are those of the model, -1 for "any"."""
        labels = self._labels(labels, len(z))
        if self.classes is not None:
            labels = torch.full((len(z),), -1) if labels is None else torch.as_tensor(labels)
            labels = torch.where(labels < 0, self.classes, labels).to(z.device).long()
        said = self.network(z, t, labels, **told).to(z.dtype)
        return shaped(said, (*z.shape, *self._each()), "what the network puts out")

    def _each(self) -> tuple[int, ...]:
        """The axes that the network's output has beyond those of z."""
        return ()

    def denoise(self, z: Tensor, t: Tensor, labels: Tensor | None = None, **told: Tensor) -> Tensor:
        """The expected data E[x | z_t], shaped like z."""
        alpha, sigma = self.at(t)
        return alpha * z - sigma * self.asked(z, t, labels, **told)

    def noise(
        self, z: Tensor, t: Tensor, labels: Tensor | None = None, *, guidance: float = 1.0, **told: Tensor
    ) -> Tensor:
        """The expected noise; the score is ``-noise / sigma``. Guidance is 0 for "any label", 1 for the label, or more.

        Source of guidance: Ho, Salimans (2022), here ``any + guidance * (label - any)``.
        """
        alpha, sigma = self.at(t)
        x = self.denoise(z, t, labels if guidance else None, **told)
        if labels is not None and guidance not in (0.0, 1.0):
            any_label = self.denoise(z, t, None, **told)
            x = any_label + guidance * (x - any_label)
        return (z - alpha * x) / sigma

    def log_reconstruction(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z_0), (B,) nats: a Gaussian as narrow as the last noise."""
        t = x.new_zeros(len(x))
        alpha, sigma = self.at(t)
        width = sigma / alpha
        values = -0.5 * ((x - z / alpha) / width) ** 2 - width.log() - 0.5 * math.log(2 * math.pi)
        return values.flatten(1).sum(1)

    def encode(self, x: Tensor) -> Tensor:
        """Data as the network sees them."""
        return (x - self.shift) / self.scale

    def decode(self, z: Tensor) -> Tensor:
        """Data from z_0."""
        alpha, _ = self.at(z.new_zeros(len(z)))
        return z / alpha * self.scale + self.shift

    def volume(self) -> Tensor | float:
        """``log |det|`` of `encode`."""
        return -self.scale.log().sum()

    # the bound, and samples ------------------------------------------------------------------------------------------

    def parts(
        self, x: Tensor, labels: Tensor | None = None, *, generator: torch.Generator | None = None, **told: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Costs in nats, (B,) each: of the prior, of the steps (estimated at one time an example), of x given z_0.

        Their sum is minus the bound. Times are spread evenly over [0, 1] within a batch.
        """
        with answering(self, x):
            return self._parts(x, labels, generator, told)

    def _parts(
        self, x: Tensor, labels: Tensor | None, generator: torch.Generator | None, told: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        data, b = self.encode(x), len(x)
        eps, last = (torch.randn(data.shape, generator=generator).to(data) for _ in range(2))
        t = ((torch.rand(1, generator=generator) + torch.randperm(b, generator=generator) / b) % 1).to(data)
        alpha, sigma = self.schedule(data.new_ones(()))
        prior = 0.5 * ((alpha * data) ** 2 + sigma**2 - 1 - 2 * sigma.log()).flatten(1).sum(1)
        off = eps - self.noise(self.noised(data, t, eps), t, labels, **told)
        steps = 0.5 * self.schedule.slope(t) * off.square().flatten(1).sum(1)
        zero = data.new_zeros(b)
        rest = -self.log_reconstruction(data, self.noised(data, zero, last)) - self.volume()
        return prior, steps, rest

    def elbo(
        self, x: Tensor, labels: Tensor | None = None, *, generator: torch.Generator | None = None, **told: Tensor
    ) -> Tensor:
        """An unbiased estimate of the lower bound on log p(x), or on log p(x | label): (B, ...) to (B,) nats."""
        if isinstance(x, Tensor) and x.shape[1:] != self.shape:
            raise ValueError(f"expected examples of shape {self.shape}; these have {tuple(x.shape[1:])}")
        return -sum(self.parts(x, labels, generator=generator, **told))

    @torch.no_grad()
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        *,
        steps: int = 100,
        guidance: float = 1.0,
        eta: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """n examples from noise, in ``steps`` steps back in time.

        Not quite from the model that `elbo` bounds: that one takes infinitely many ancestral steps and ends with a draw
        from p(x | z_0), in whose place `decode` is taken here.

        Args:
            labels: (n,), where the model has classes.
            guidance: see `noise`.
            eta: share of the noise put back in each step: 1 is ancestral sampling, 0 the deterministic DDIM (Song,
                Meng, Ermon 2021).
        """
        if steps < 1:
            raise ValueError(f"steps is how often the network is asked, 1 or more; it is {steps}")
        z = torch.randn(n, *self.shape, generator=generator).to(self.shift)
        *_, (last, _) = self.walk(z, steps, labels=labels, guidance=guidance, eta=eta, generator=generator)
        return self.decode(last)

    @torch.no_grad()
    def walk(
        self,
        z: Tensor,
        steps: int,
        *,
        labels: Tensor | None = None,
        guidance: float = 1.0,
        eta: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """From z at t = 1 back to t = 0; yields z and t after each step."""
        times = torch.linspace(1, 0, steps + 1)
        for now, then in zip(times, times[1:], strict=False):
            t, s = (z.new_full((len(z),), v.item()) for v in (now, then))
            (alpha_t, sigma_t), (alpha_s, sigma_s) = self.at(t), self.at(s)
            eps = self.noise(z, t, labels, guidance=guidance)
            x = (z - sigma_t * eps) / alpha_t
            spread = eta * self.posterior(x, z, s, t)[1]
            z = alpha_s * x + (sigma_s**2 - spread**2).clamp_min(0).sqrt() * eps
            if eta:
                z = z + spread * torch.randn(z.shape, generator=generator).to(z)
            yield z, then.item()


class LevelDiffusion(Diffusion):
    """A diffusion of whole numbers 0 ... L - 1, laid out evenly on [-1, 1]. The bound is on their probability.

    The network puts out logits for the L levels of each pixel. What the pixel's own noisy value says about its level
    is added to them: Bayes' rule for a network that sees only the other pixels, and for one that sees this pixel too a
    shortcut, right where there is little noise. The bound holds either way.

    Args:
        network: as in `Diffusion`, but it puts out (B, ..., L).
        levels: L.
    """

    def __init__(
        self,
        network: nn.Module,
        shape: Sequence[int],
        levels: int,
        *,
        schedule: Schedule | None = None,
        classes: int | None = None,
    ):
        super().__init__(network, shape, schedule=schedule, classes=classes)
        self.levels = levels
        self.register_buffer("values", torch.linspace(-1, 1, levels))

    def _each(self) -> tuple[int, ...]:
        return (self.levels,)

    def logits(self, z: Tensor, t: Tensor, labels: Tensor | None = None, **told: Tensor) -> Tensor:
        """log p(level | z_t) up to a constant, (B, ..., L)."""
        alpha, sigma = (v[..., None] for v in self.at(t))
        own = -0.5 * ((z[..., None] - alpha * self.values) / sigma) ** 2
        return self.asked(z, t, labels, **told) + own

    def denoise(self, z: Tensor, t: Tensor, labels: Tensor | None = None, **told: Tensor) -> Tensor:
        return self.logits(z, t, labels, **told).softmax(-1) @ self.values

    def nearest(self, z: Tensor) -> Tensor:
        """log p(level | z_0), (B, ..., L), for levels equally likely: so little noise that nobody need be asked."""
        alpha, sigma = self.at(z.new_zeros(len(z)))
        return (-0.5 * ((z[..., None] - alpha[..., None] * self.values) / sigma[..., None]) ** 2).log_softmax(-1)

    def log_reconstruction(self, x: Tensor, z: Tensor) -> Tensor:
        k = ((x + 1) / 2 * (self.levels - 1)).round().long()
        return self.nearest(z).gather(-1, k[..., None])[..., 0].flatten(1).sum(1)

    def encode(self, x: Tensor) -> Tensor:
        x = countable(x)
        if x.is_floating_point() or (x.numel() and not 0 <= int(x.min()) <= int(x.max()) < self.levels):
            raise ValueError(
                f"expected whole numbers 0 ... {self.levels - 1}; got {x.dtype} from {x.min()} to {x.max()}"
            )
        return self.values[x.long()]

    def decode(self, z: Tensor) -> Tensor:
        return self.nearest(usable(z, self)).argmax(-1)

    def volume(self) -> float:
        return 0.0  # whole numbers have no units
