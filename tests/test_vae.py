"""A linear-Gaussian model has a known evidence and a known posterior: every bound is held against them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

from genutils.data import digits, ring
from genutils.flow import shuffled_couplings
from genutils.model import bits_per_dim, kind
from genutils.recipes import Budget
from genutils.recipes import vae as recipe
from genutils.tasks import task
from genutils.vae import VAE, Gaussian, Levels, draw


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Affine(nn.Module):
    """A Gaussian with mean A h + b and standard deviations s."""

    def __init__(self, A, b, s):
        super().__init__()
        self.A, self.b, self.s = (nn.Parameter(torch.as_tensor(v, dtype=torch.float64)) for v in (A, b, s))

    def forward(self, h):
        return Independent(Normal(h @ self.A.T + self.b, self.s.expand(len(h), -1)), 1)


A, B, S = torch.tensor([[1.0], [-0.5], [2.0]]).double(), torch.tensor([0.5, 0.0, -1.0]).double(), 0.7
EVIDENCE = MultivariateNormal(B, A @ A.T + S**2 * torch.eye(3))
GAIN = A.T / (A.T @ A + S**2)  # the posterior: mean GAIN (x - b), variance s^2 / (a^T a + s^2)
SPREAD = (S**2 / (A.T @ A + S**2)).sqrt().item()


def linear(shift: float = 0.0, stretch: float = 1.0) -> VAE:
    """x = A z + b + noise, with the exact posterior as encoder, or one that is off."""
    encoder = Affine(GAIN, -(GAIN @ B) + shift, [SPREAD * stretch])
    return VAE(1, encoder, Affine(A, B, [S] * 3))


def data(n: int = 200):
    return linear().sample(n, generator=seeded(5))


def test_with_the_exact_posterior_every_single_draw_gives_the_evidence():
    x = data()
    for samples in (1, 3):
        assert torch.allclose(linear().iwae_bound(x, samples, generator=seeded()), EVIDENCE.log_prob(x), atol=1e-8)


def test_elbo_and_the_divergence_to_the_posterior_add_up_to_the_evidence():
    model, x = linear(0.3, 1.6), data(20)
    with torch.no_grad():
        elbo = torch.stack([model.elbo(x, generator=seeded(i)) for i in range(4000)])
    q, p = model.encoder(x).base_dist, linear().encoder(x).base_dist
    gap = torch.distributions.kl_divergence(q, p).sum(1)
    error = elbo.std(0) / 4000**0.5
    assert ((elbo.mean(0) + gap - EVIDENCE.log_prob(x)).abs() < 5 * error + 1e-9).all() and gap.min() > 0.1


def test_more_samples_never_loosen_the_bound_and_approach_the_evidence():
    model, x = linear(0.3, 1.6), data(2000)
    with torch.no_grad():
        means = [model.iwae_bound(x, k, generator=seeded(k)).mean().item() for k in (1, 4, 16, 256)]
        single = model.elbo(x, generator=seeded()).mean().item()
    evidence = EVIDENCE.log_prob(x).mean().item()
    assert means[0] == pytest.approx(single, abs=0.1)
    assert all(a < b for a, b in zip(means, means[1:], strict=False)) and means[-1] < evidence
    assert means[-1] == pytest.approx(evidence, abs=5e-3)


def test_the_rate_is_torchs_divergence_for_each_example():
    model = VAE(4, Gaussian(nn.Linear(3, 8)), Affine(torch.zeros(3, 4), B, [1.0] * 3))
    model, x = model.float(), torch.randn(7, 3, generator=seeded())
    _, rate = model.parts(x, generator=seeded())
    q = model.encoder(x).base_dist
    want = torch.distributions.kl_divergence(q, Normal(0.0, 1.0)).sum(1)
    assert rate.shape == (7,) and torch.allclose(rate, want, atol=1e-6)
    alone = torch.stack([model.parts(x[i : i + 1], generator=seeded())[1][0] for i in range(7)])
    assert torch.allclose(alone, rate, atol=1e-6)  # no batch in it


def test_distortion_adds_up_over_pixels():
    logits = torch.randn(1, 2, 3, 5, generator=seeded())
    decoder = Levels(nn.Sequential(nn.Linear(2, 30), nn.Unflatten(1, (2, 3, 5))))
    nn.init.zeros_(decoder.network[0].weight)
    decoder.network[0].bias.data = logits.flatten()
    x = torch.randint(5, (4, 2, 3), generator=seeded())
    want = logits.expand(4, -1, -1, -1).log_softmax(-1).gather(-1, x[..., None]).sum((1, 2, 3))
    assert torch.allclose(decoder(torch.zeros(4, 2)).log_prob(x), want, atol=1e-5)


def test_draws_have_the_spread_that_the_distribution_names():
    """exp(log sigma) is the standard deviation, not the variance; and gradients pass through mu and sigma."""
    net = nn.Linear(1, 2)
    nn.init.zeros_(net.weight)
    net.bias.data = torch.tensor([1.0, math.log(0.3)])
    q = Gaussian(net)(torch.zeros(20_000, 1))
    z = draw(q, generator=seeded())
    assert z.std().item() == pytest.approx(q.base_dist.scale[0].item(), rel=0.03)
    assert q.base_dist.scale[0].item() == pytest.approx(0.3, rel=0.2)  # held between bounds, softly
    z.square().mean().backward()
    assert net.bias.grad.abs().min() > 0.01
    with pytest.raises(TypeError, match="Poisson"):
        draw(torch.distributions.Poisson(torch.ones(3)))


def test_levels_are_drawn_as_often_as_they_say():
    decoder = Levels(nn.Sequential(nn.Linear(1, 6), nn.Unflatten(1, (2, 3))))
    p = decoder(torch.zeros(30_000, 1))
    x = draw(p, generator=seeded())
    share = nn.functional.one_hot(x, 3).double().mean(0)
    assert torch.allclose(share, p.base_dist.probs[0].double(), atol=0.015)


def test_samples_come_from_the_prior():
    drawn = linear().sample(40_000, generator=seeded())
    assert torch.allclose(drawn.mean(0), B, atol=0.05)
    assert torch.allclose(torch.cov(drawn.T), EVIDENCE.covariance_matrix, atol=0.12)
    assert kind(linear()) == "bound"


def test_a_learned_prior_takes_part_in_bound_and_samples():
    prior = shuffled_couplings(4, 2, 8)
    with torch.no_grad():
        for p in prior.parameters():
            p.add_(0.2 * torch.randn(p.shape, generator=seeded(1)))
    decoder = Affine(torch.randn(3, 4, generator=seeded()), B, [1.0] * 3)
    model = VAE(4, Gaussian(nn.Linear(3, 8)), decoder, prior).double()
    x = torch.randn(6, 3, generator=seeded(), dtype=torch.float64)
    q = model.encoder(x)
    z = draw(q, generator=seeded(2))
    want = model.decoder(z).log_prob(x) + prior.log_prob(z) - q.log_prob(z)
    assert torch.allclose(model.elbo(x, generator=seeded(2)), want)
    assert prior.log_prob(z).shape == (6,)  # the log-determinant counts once for each example


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="1 or more; it is 0"):
        linear().iwae_bound(data(3), 0)
    with pytest.raises(ValueError, match="lowest must be below"):
        Gaussian(nn.Identity(), lowest=2, highest=1)


def test_recipes_run_short_and_say_bound():
    model = recipe.train(task("ring"), 0, Budget(steps=20))
    x = ring.sample(8, generator=seeded())
    assert kind(model) == "bound" and recipe.bound(model, x, seeded()).shape == (8,)
    first, again = (recipe.train(task("digits"), 0, Budget(steps=6), width=8) for _ in range(2))
    x = torch.tensor(np.array(digits().validation[:8])).long()
    with torch.no_grad():
        values = [recipe.bound(m, x, seeded()) for m in (first, again)]
    assert torch.equal(*values) and bits_per_dim(values[0], 64).mean() < math.log2(17) + 0.3
    drawn = first.sample(5, generator=seeded())
    assert drawn.shape == (5, 8, 8) and drawn.dtype == torch.int64 and 0 <= drawn.min() and drawn.max() <= 16


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cpu_and_gpu_agree():
    model, x = linear(0.3).float(), data(5).float()
    here = model.elbo(x, generator=seeded())
    assert torch.allclose(model.cuda().elbo(x.cuda(), generator=seeded()).cpu(), here, atol=1e-4)


def test_the_bound_passes_on_what_it_is_told_and_refuses_labels():
    told = []

    def decoder(z, **more):
        told.append(more)
        return Independent(Normal(z, 1.0), 1)

    model = VAE(2, lambda x: Independent(Normal(x, 1.0), 1), decoder)
    model.elbo(torch.zeros(3, 2), warped=torch.ones(3))
    assert told[0]["warped"].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="without classes|no classes|labels"):
        model.elbo(torch.zeros(3, 2), torch.zeros(3).long())


def test_the_importance_weighted_bound_takes_64_samples_unless_told():
    drawn = []

    def decoder(z):
        drawn.append(len(z))
        return Independent(Normal(z, 1.0), 1)

    VAE(2, lambda x: Independent(Normal(x, 1.0), 1), decoder).iwae_bound(torch.zeros(3, 2))
    assert drawn == [3 * 64]
