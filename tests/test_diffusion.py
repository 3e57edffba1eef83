"""Noise has closed forms; on Gaussian data everything else has one, too."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from genutils.convolutional import ImageDenoiser
from genutils.data import digits, ring
from genutils.diffusion import Cosine, Diffusion, LevelDiffusion, Schedule
from genutils.model import bits_per_dim, kind
from genutils.recipes import Budget
from genutils.recipes import diffusion as recipe
from genutils.tasks import task

SCHEDULES = [Schedule(-9, 7), Cosine(-9, 7)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Exact(nn.Module):
    """v for Gaussian data N(mean, std^2): E[x | z] in closed form."""

    def __init__(self, mean: float, std: float, schedule: Schedule):
        super().__init__()
        self.mean, self.std, self.schedule = mean, std, schedule
        self.extra = nn.Parameter(torch.zeros(()))

    def forward(self, z, t, labels):
        alpha, sigma = (v.view(-1, 1) for v in self.schedule(t))
        x = self.mean + alpha * self.std**2 / (alpha**2 * self.std**2 + sigma**2) * (z - alpha * self.mean)
        return (alpha * z - x) / sigma


def gaussian(mean=0.4, std=0.6, schedule=None) -> Diffusion:
    schedule = schedule or Schedule(-9, 7)
    return Diffusion(Exact(mean, std, schedule), (1,), schedule=schedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_run_from_data_to_noise(schedule):
    t = torch.linspace(0, 1, 1001, dtype=torch.float64).requires_grad_()
    alpha, sigma = schedule(t)
    assert torch.allclose(alpha**2 + sigma**2, torch.ones(()).double())
    assert (sigma.diff() > 0).all() and sigma[0] < 0.02 and alpha[-1] ** 2 < 1e-2
    gamma = schedule.gamma(t)
    assert gamma[0].item() == pytest.approx(-9) and gamma[-1].item() == pytest.approx(7)
    (slope,) = torch.autograd.grad(gamma.sum(), t)
    assert torch.allclose(schedule.slope(t), slope, rtol=1e-5)
    assert torch.isfinite(schedule.slope(t)).all()  # no 0/0 at t = 0


def test_noised_data_have_the_moments_of_q():
    model, x = gaussian(), torch.full((40_000, 1), 1.7)
    t = torch.full((40_000,), 0.4)
    alpha, sigma = model.schedule(t[:1])
    z = model.noised(x, t, torch.randn(x.shape, generator=seeded()))
    assert z.mean().item() == pytest.approx((1.7 * alpha).item(), abs=0.02)
    assert z.std().item() == pytest.approx(sigma.item(), rel=0.02)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_posterior_of_a_step_is_that_of_bayes(schedule):
    """q(z_s | z_t, x) is proportional to q(z_t | z_s) q(z_s | x): multiply both on a grid."""
    model = gaussian(schedule=schedule)
    s, t, x, z = torch.tensor([0.35]), torch.tensor([0.5]), torch.tensor([[0.8]]), torch.tensor([[-0.3]])
    (a_s, s_s), (a_t, s_t) = schedule(s), schedule(t)
    grid = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    ratio, spread = a_t / a_s, (s_t**2 - (a_t / a_s * s_s) ** 2).sqrt()
    log = -0.5 * ((z[0] - ratio * grid) / spread) ** 2 - 0.5 * ((grid - a_s * x[0]) / s_s) ** 2
    p = log.softmax(0)
    mean, std = model.posterior(x, z, s, t)
    want = (p * grid).sum()
    assert mean.item() == pytest.approx(want.item(), abs=1e-5)
    assert std.item() == pytest.approx((p * (grid - want) ** 2).sum().sqrt().item(), rel=1e-4)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_with_the_exact_denoiser_the_bound_is_the_evidence(schedule):
    """In continuous time, up to what the narrow last Gaussian costs."""
    model = gaussian(schedule=schedule)
    x = 0.4 + 0.6 * torch.randn(500, 1, generator=seeded())
    with torch.no_grad():
        draws = torch.stack([model.elbo(x, generator=seeded(i)).mean() for i in range(300)])
    truth = torch.distributions.Normal(0.4, 0.6).log_prob(x).mean()
    error = draws.std().item() / 300**0.5
    assert abs(draws.mean() - truth) < 4 * error + 2e-3 and error < 0.06


def test_the_score_is_that_of_the_noised_gaussian():
    model = gaussian()
    z, t = torch.randn(50, 1, generator=seeded()), torch.rand(50, generator=seeded(1))
    alpha, sigma = (v[:, None] for v in model.schedule(t))
    score = -model.noise(z, t) / sigma
    want = -(z - alpha * 0.4) / (alpha**2 * 0.36 + sigma**2)
    assert torch.allclose(score, want, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("steps", [150, 400])
def test_samplers_recover_mean_and_spread(eta, steps):
    model = gaussian()
    x = model.sample(20_000, steps=steps, eta=eta, generator=seeded())
    assert x.mean().item() == pytest.approx(0.4, abs=0.03)
    assert x.std().item() == pytest.approx(0.6, rel=0.05)


def test_data_scaled_first_count_in_the_bound():
    """A model of 10 x + 3 is that of x, with log 10 more nats of cost."""
    inner = Exact(0.4, 0.6, Schedule(-9, 7))
    plain = Diffusion(inner, (1,), schedule=Schedule(-9, 7))
    scaled = Diffusion(inner, (1,), schedule=Schedule(-9, 7), shift=3.0, scale=10.0)
    x = torch.randn(20, 1, generator=seeded())
    a, b = plain.elbo(x, generator=seeded(1)), scaled.elbo(10 * x + 3, generator=seeded(1))
    assert torch.allclose(a - b, torch.tensor(math.log(10)).expand(20), atol=1e-2)


class Labelled(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([-1.0, 1.0, 0.0]))

    def forward(self, z, t, labels):
        y = torch.full((len(z),), 2) if labels is None else labels
        return self.shift[y][:, None] * torch.ones_like(z)


def test_guidance_zero_is_any_label_and_one_is_the_label():
    model, z, t, y = (
        Diffusion(Labelled(), (1,), classes=2),
        torch.randn(4, 1),
        torch.full((4,), 0.5),
        torch.tensor([0, 1, 0, 1]),
    )
    any_label, label = model.noise(z, t), model.noise(z, t, y)
    assert torch.allclose(model.noise(z, t, y, guidance=0.0), any_label)
    assert torch.allclose(model.noise(z, t, y, guidance=1.0), label)
    assert torch.allclose(model.noise(z, t, y, guidance=3.0), any_label + 3 * (label - any_label), atol=1e-5)


class Table(nn.Module):
    """The right network for independent pixels: their log-frequencies, whatever it sees."""

    def __init__(self, p):
        super().__init__()
        self.logits = nn.Parameter(p.log())

    def forward(self, z, t, labels):
        return self.logits.expand(*z.shape, -1)


def test_levels_with_the_right_network_cost_their_entropy():
    p = torch.tensor([[0.5, 0.2, 0.0, 0.3], [0.1, 0.1, 0.7, 0.1]]) + 1e-9
    model = LevelDiffusion(Table(p), (2,), 4, schedule=Schedule(-9, 7))
    x = torch.stack([torch.multinomial(row, 2000, True, generator=seeded(i)) for i, row in enumerate(p)], 1)
    with torch.no_grad():
        draws = torch.stack([model.elbo(x, generator=seeded(i)).mean() for i in range(100)])
    truth = p.log()[torch.arange(2), x].sum(1).mean()
    assert draws.mean().item() == pytest.approx(truth.item(), abs=4 * draws.std().item() / 10 + 3e-3)
    drawn = model.sample(4000, steps=100, generator=seeded(3))
    share = torch.stack([torch.bincount(c, minlength=4) for c in drawn.T]) / 4000
    assert torch.allclose(share, p, atol=0.04)


def test_one_row_does_not_depend_on_its_batch():
    net = ImageDenoiser(8).eval()
    z, t = torch.randn(5, 8, 8, generator=seeded()), torch.rand(5, generator=seeded(1))
    with torch.no_grad():
        whole = net(z, t, torch.arange(5))
        alone = torch.cat([net(z[i : i + 1], t[i : i + 1], torch.tensor([i])) for i in range(5)])
    assert torch.allclose(whole, alone, atol=1e-4)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="low must be below high; they are 3"):
        Schedule(3, -3)
    with pytest.raises(ValueError, match="scale must be positive"):
        Diffusion(Labelled(), (1,), scale=0.0)
    with pytest.raises(ValueError, match=r"shape \(1,\).*\(3,\)"):
        gaussian().elbo(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="1 or more; it is 0"):
        gaussian().sample(3, steps=0)
    with pytest.raises(ValueError, match="whole numbers 0 ... 3"):
        LevelDiffusion(Table(torch.ones(2, 4)), (2,), 4).elbo(torch.full((1, 2), 4))


def test_recipes_run_short_and_say_bound():
    model = recipe.train(task("ring"), 0, Budget(steps=20))
    x = ring.sample(8, generator=seeded())
    assert kind(model) == "bound" and recipe.bound(model, x, seeded()).shape == (8,)
    first, again = (recipe.train(task("digits"), 0, Budget(steps=5), width=8) for _ in range(2))
    x = torch.tensor(np.array(digits().validation[:8])).long()
    with torch.no_grad():
        values = [recipe.bound(m, x, seeded()) for m in (first, again)]
    assert torch.equal(*values) and bits_per_dim(values[0], 64).mean() < math.log2(17) + 0.5
    drawn = first.sample(4, steps=5, generator=seeded())
    assert drawn.shape == (4, 8, 8) and drawn.dtype == torch.int64 and 0 <= drawn.min() and drawn.max() <= 16


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cpu_and_gpu_agree():
    model, x = gaussian(), torch.randn(6, 1, generator=seeded())
    here = model.elbo(x, generator=seeded())
    assert torch.allclose(model.cuda().elbo(x.cuda(), generator=seeded()).cpu(), here, atol=1e-3)


def test_without_labels_the_network_is_asked_for_any():
    asked = []

    def network(z, t, labels):
        asked.append(labels.tolist())
        return torch.zeros_like(z)

    model = Diffusion(Scripted(network), (2,), classes=3)
    for labels in (None, torch.tensor([2, -1])):
        model.asked(torch.zeros(2, 2), torch.zeros(2), labels)
    assert asked == [[3, 3], [2, 3]]


class Scripted(nn.Module):
    def __init__(self, script):
        super().__init__()
        self.forward = script


@pytest.mark.parametrize("levels", [None, 4])
def test_the_last_part_of_the_bound_is_the_cost_of_x_given_z_0(levels):
    """With so much noise at t = 0 that x and z_0 are far apart."""
    schedule = Schedule(1.0, 3.0)
    network = Scripted(lambda z, t, labels: torch.zeros(*z.shape, levels) if levels else torch.zeros_like(z))
    if levels:
        model, x = LevelDiffusion(network, (2,), levels, schedule=schedule), torch.tensor([[0, 3], [1, 2], [3, 3]])
    else:
        model, x = Diffusion(network, (2,), schedule=schedule), torch.tensor([[0.5, -1.0], [2.0, 0.0], [1.0, 1.0]])
    *_, rest = model.parts(x, generator=torch.Generator().manual_seed(0))
    generator, data = torch.Generator().manual_seed(0), model.encode(x)
    _, last = (torch.randn(data.shape, generator=generator) for _ in range(2))
    alpha, sigma = schedule(torch.zeros(()))
    z = alpha * data + sigma * last
    if levels:
        fit = -0.5 * ((z[..., None] - alpha * model.values) / sigma) ** 2
        want = -fit.log_softmax(-1).gather(-1, x[..., None]).flatten(1).sum(1)
    else:
        want = -torch.distributions.Normal(z / alpha, sigma / alpha).log_prob(data).sum(1) - model.volume()
    assert torch.allclose(rest, want, atol=1e-5)
