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

from genutils.inference import iwae_bound
from genutils.model import Model


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


class Levels(nn.Module):
    """Independent categorical pixels: any of L levels, with logits (B, ..., L) that a network puts out."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor, **told: Tensor) -> Independent:
        logits = self.network(z, **told)
        return Independent(Categorical(logits=logits, validate_args=False), logits.ndim - 2, validate_args=False)


def draw(p: Distribution, *, generator: torch.Generator | None = None) -> Tensor:
    """One example for each element of a batch of `Gaussian` or `Levels`; Gaussians so that gradients pass through.

    The Gaussian is reparameterised, ``mu + sigma eps`` (Kingma, Welling 2014; Rezende, Mohamed, Wierstra 2014).
    """
    base = getattr(p, "base_dist", p)
    if isinstance(base, Normal):
        eps = torch.randn(base.loc.shape, generator=generator).to(base.loc)
        return base.loc + base.scale * eps
    if isinstance(base, Categorical):
        probs = base.probs.flatten(0, -2).cpu()
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
        if self.prior is not None:
            return self.prior.log_prob(z)
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)

    def parts(self, x: Tensor, *, generator: torch.Generator | None = None, **told: Tensor) -> tuple[Tensor, Tensor]:
        """Distortion and rate, (B,) nats each; the ELBO is minus their sum. ``told`` goes on to the decoder.

        Distortion is ``-log p(x | z)`` at one z from q(z | x). Rate is KL(q(z | x) || p(z)): in closed form for
        Gaussians against the standard prior, otherwise estimated at the same z.
        """
        q = self.encoder(x)
        z = draw(q, generator=generator)
        distortion = -self.decoder(z, **told).log_prob(x)
        if self.prior is None and isinstance(q.base_dist, Normal):
            mu, sigma = q.base_dist.loc, q.base_dist.scale
            return distortion, 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum(-1)
        return distortion, q.log_prob(z) - self.log_prior(z)

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
        q = self.encoder(x).base_dist
        mu, sigma = (part.repeat_interleave(samples, 0) for part in (q.loc, q.scale))  # (B samples, K)
        many, x = Independent(Normal(mu, sigma, validate_args=False), 1), x.repeat_interleave(samples, 0)
        z = draw(many, generator=generator)
        weight = self.decoder(z).log_prob(x) + self.log_prior(z) - many.log_prob(z)
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
