"""Variational autoencoders: hidden causes z with a prior, a decoder p(x | z), and an encoder q(z | x) learned with it.

    log p(x) >= E_q[log p(x | z)] - KL(q(z | x) || p(z))        (a bound, the ELBO)

Encoder and decoder are networks that return distributions, whose log-probabilities are summed over dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal

from genutils.door import answering, usable, whole
from genutils.inference import iwae_bound
from genutils.model import Model, one_each

INDEPENDENT = "wrap it as torch.distributions.Independent(..., dims), dims being the axes of one example"


class Gaussian(nn.Module):
    """The independent Gaussian N(mu, sigma^2) whose mu and log sigma a network puts out, K numbers each.

    Args:
        network: from (B, ...) to (B, 2 K), first all mu, then all log sigma.
        lowest, highest: log sigma is held smoothly between them, so that no early step can blow it up.
    """

    def __init__(self, network: nn.Module, *, lowest: float = -6.0, highest: float = 2.0):
        super().__init__()
        if not lowest < highest:
            raise ValueError(f"lowest must be below highest; they are {lowest} and {highest}")
        self.network, self.lowest, self.highest = network, lowest, highest

    def forward(self, x: Tensor, **told: Tensor) -> Independent:
        mu, raw = self.network(x, **told).chunk(2, -1)
        middle, half = (self.highest + self.lowest) / 2, (self.highest - self.lowest) / 2
        log_sigma = middle + half * torch.tanh((raw - middle) / half)
        return Independent(Normal(mu, log_sigma.exp(), validate_args=False), mu.ndim - 1, validate_args=False)


class _WholeLevels(Categorical):
    """Torch would read 0.9 as level 0."""

    def log_prob(self, value: Tensor) -> Tensor:
        return super().log_prob(whole(value, self.logits.shape[-1]))


class Levels(nn.Module):
    """Independent categorical pixels: any of L levels, with logits (B, ..., L) that a network puts out.

    The distribution refuses values that are not whole numbers 0 ... L - 1.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor, **told: Tensor) -> Independent:
        logits = self.network(z, **told)
        return Independent(_WholeLevels(logits=logits, validate_args=False), logits.ndim - 2, validate_args=False)


def draw(p: Distribution, *, generator: torch.Generator | None = None) -> Tensor:
    """One example for each element of a batch of `Gaussian` or `Levels`; Gaussians so that gradients pass through.

    The Gaussian is reparameterised, ``mu + sigma eps`` (Kingma, Welling 2014; Rezende, Mohamed, Wierstra 2014).
    """
    base = getattr(p, "base_dist", p)
    if isinstance(base, Normal):
        eps = torch.randn(base.loc.shape, generator=generator).to(base.loc)
        return base.loc + base.scale * eps
    if isinstance(base, Categorical):
        probs = usable(base.probs, p).flatten(0, -2).cpu()
        return torch.multinomial(probs, 1, generator=generator).view(base.probs.shape[:-1]).to(base.probs.device)
    raise TypeError(f"draw knows Gaussian and Levels, not {type(base).__name__}")


class VAE(Model, nn.Module):
    """A latent-variable model with an encoder learned beside it. Its likelihood is known as a bound only.

    Args:
        latent: K.
        encoder: from x (B, ...) to q(z | x), such as `Gaussian`.
        decoder: from z (B, K) to p(x | z), such as `Levels` or `Gaussian`.
        prior: has ``log_prob(z)`` and ``sample(n, generator=)``; by default the standard Gaussian.

    Source: Kingma, Welling (2014); the bound with several samples: Burda, Grosse, Salakhutdinov (2016).
    """

    why = "the integral over z has no closed form; elbo and iwae_bound bound it"

    def __init__(
        self,
        latent: int,
        encoder: Callable[[Tensor], Distribution],
        decoder: Callable[[Tensor], Distribution],
        prior: nn.Module | None = None,
    ):
        super().__init__()
        self.latent, self.encoder, self.decoder, self.prior = latent, encoder, decoder, prior

    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z), (B, K) to (B,) nats."""
        if not bool(z.isfinite().all()):
            return z.sum(-1) * torch.nan  # the encoder's weights are of no use, and no prior can say more
        if self.prior is not None:
            return one_each(self.prior.log_prob(z), len(z), "the prior's log_prob")
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)

    def parts(self, x: Tensor, *, generator: torch.Generator | None = None, **told: Tensor) -> tuple[Tensor, Tensor]:
        """Distortion and rate, (B,) nats each; the ELBO is minus their sum. ``told`` goes on to the decoder.

        Distortion is ``-log p(x | z)`` at one z from q(z | x). Rate is KL(q(z | x) || p(z)): in closed form for
        Gaussians against the standard prior, otherwise estimated at the same z.
        """
        with answering(self, x):
            if not len(x):
                return self._none(), self._none()
            return self._parts(x, generator, told)

    def _none(self) -> Tensor:
        """What is said of no examples; torch's distributions fail there."""
        return next(self.parameters()).new_zeros(0)

    def _parts(self, x: Tensor, generator: torch.Generator | None, told: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        q = self._believed(x)
        z = draw(q, generator=generator)
        distortion = -_probability(self.decoder(z, **told), x)
        if self.prior is None and isinstance(q.base_dist, Normal):
            mu, sigma = q.base_dist.loc, q.base_dist.scale
            return distortion, 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum(-1)
        return distortion, q.log_prob(z) - self.log_prior(z)

    def _believed(self, x: Tensor) -> Distribution:
        """q(z | x): of B examples, K numbers each."""
        q = self.encoder(x)
        shape = (tuple(q.batch_shape), tuple(q.event_shape))
        if shape != ((len(x),), (self.latent,)):
            raise ValueError(
                f"the encoder must give one distribution of {self.latent} numbers for each of {len(x)} examples; the "
                f"shapes of batch and event are {shape[0]} and {shape[1]}: {INDEPENDENT}"
            )
        return q

    def elbo(
        self, x: Tensor, labels: Tensor | None = None, *, generator: torch.Generator | None = None, **told: Tensor
    ) -> Tensor:
        """An unbiased estimate of the evidence lower bound, (B, ...) to (B,) nats. Labels are refused.

        What else it is told by name goes on to the decoder as it is.
        """
        self._refuse(labels)
        distortion, rate = self.parts(x, generator=generator, **told)
        return -distortion - rate

    def iwae_bound(self, x: Tensor, samples: int = 64, *, generator: torch.Generator | None = None) -> Tensor:
        """An estimate of the importance-weighted bound, (B,) nats, by `genutils.inference.iwae_bound`.

        One sample is the ELBO; more are never looser in expectation, and the limit is log p(x).
        """
        if samples < 1:
            raise ValueError(f"samples is how many z are drawn for each x, 1 or more; it is {samples}")
        with answering(self, x):
            if not len(x):
                return self._none()
            q = self._believed(x).base_dist
            mu, sigma = (part.repeat_interleave(samples, 0) for part in (q.loc, q.scale))  # (B samples, K)
            many, x = Independent(Normal(mu, sigma, validate_args=False), 1), x.repeat_interleave(samples, 0)
            z = draw(many, generator=generator)
            weight = _probability(self.decoder(z), x) + self.log_prior(z) - many.log_prob(z)
            return iwae_bound(weight.view(-1, samples).T)  # from (samples, B)

    @torch.no_grad()
    def sample(self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """n examples: z from the prior (not from the encoder), then x from p(x | z)."""
        self._refuse(labels)
        if self.prior is not None:
            z = self.prior.sample(n, generator=generator)
        else:
            z = torch.randn(n, self.latent, generator=generator)
            z = z.to(next(self.parameters()))
        return draw(self.decoder(z), generator=generator)


def _probability(p: Distribution, x: Tensor) -> Tensor:
    """log p(x), (B,), by a decoder's p; torch would broadcast one that is not of the shape of x, or sum too little."""
    shape = tuple(getattr(p, "batch_shape", ())) + tuple(getattr(p, "event_shape", ()))
    if isinstance(p, Distribution) and shape != tuple(x.shape):
        raise ValueError(f"the decoder's distribution must have the shape of x, {tuple(x.shape)}; it has {shape}")
    found = p.log_prob(x)
    if tuple(found.shape) != (len(x),):
        raise ValueError(
            f"the decoder's log_prob must be one number for each of {len(x)} examples; its shape is "
            f"{tuple(found.shape)}: {INDEPENDENT}"
        )
    return found
