"""Bounds on the evidence, and Markov chains, against models in which everything is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from genutils.inference import effective_sample_size, effective_weights, elbo, hmc, iwae_bound, metropolis, r_hat

RNG = np.random.default_rng
COV = np.array([[1.0, 0.8], [0.8, 2.0]])
MEAN = np.array([0.5, -1.0])


def log_prob(z):
    d = z - MEAN
    return -0.5 * (d @ np.linalg.inv(COV) * d).sum(1)


def score(z):
    return -(z - MEAN) @ np.linalg.inv(COV)


def weights(K, B, x=1.3, noise=0.5, shift=0.2, wide=1.0, seed=0):
    """log p(x, z) - log q(z) for z ~ N(0, 1), x = z + noise * eps, q a shifted and stretched posterior."""
    variance = noise**2 / (1 + noise**2)
    q = stats.norm(x / (1 + noise**2) + shift, wide * math.sqrt(variance))
    z = q.rvs((K, B), random_state=RNG(seed))
    return stats.norm.logpdf(z) + stats.norm.logpdf(x, z, noise) - q.logpdf(z)


EVIDENCE = stats.norm(0, math.sqrt(1.25)).logpdf(1.3)


class TestBounds:
    def test_the_exact_posterior_has_no_gap_and_no_noise(self):
        w = weights(7, 3, shift=0.0)
        for bound in (elbo, iwae_bound):
            assert np.allclose(bound(w), EVIDENCE, rtol=0, atol=1e-12)
        assert np.allclose(effective_weights(w), 7)

    def test_one_sample_gives_the_elbo(self):
        w = weights(1, 50)
        assert np.array_equal(iwae_bound(w), elbo(w))

    def test_the_elbo_is_the_evidence_minus_kl(self):
        w = weights(1, 100_000, wide=1.4)
        kl = 0.2**2 / (2 * 0.2) + 0.5 * (1.4**2 - 1 - math.log(1.4**2))
        got = elbo(w)
        assert abs(got.mean() - (EVIDENCE - kl)) < 4 * got.std() / math.sqrt(len(got))

    def test_more_samples_tighten_it_towards_the_evidence_and_never_pass_it(self):
        means, errors = [], []
        for K in (1, 2, 8, 64, 512):
            got = iwae_bound(weights(K, 4000, shift=0.8, wide=1.3))
            means.append(got.mean())
            errors.append(got.std() / math.sqrt(len(got)))
        assert all(b > a for a, b in zip(means, means[1:], strict=False))
        assert all(m < EVIDENCE + 4 * e for m, e in zip(means, errors, strict=True))
        assert abs(means[-1] - EVIDENCE) < 0.01

    def test_leaving_one_sample_out_lowers_it_on_average(self):
        w = weights(6, 40, shift=1.0)
        fewer = np.mean([iwae_bound(np.delete(w, k, 0)) for k in range(6)], 0)
        assert (fewer <= iwae_bound(w) + 1e-12).all() and (elbo(w) <= fewer + 1e-12).all()

    @pytest.mark.parametrize("constant", [-5000.0, 5000.0])
    def test_a_constant_moves_it_and_nothing_overflows(self, constant):
        w = weights(9, 4)
        assert np.allclose(iwae_bound(w + constant), iwae_bound(w) + constant)
        assert np.allclose(effective_weights(w + constant), effective_weights(w))

    def test_tensors_give_the_same_numbers_and_gradients_flow(self):
        torch = pytest.importorskip("torch")
        w = weights(5, 3)
        t = torch.tensor(w, requires_grad=True)
        for bound in (elbo, iwae_bound, effective_weights):
            assert np.allclose(bound(t).detach().numpy(), bound(w))
        iwae_bound(t).sum().backward()
        normalised = np.exp(w - w.max(0)) / np.exp(w - w.max(0)).sum(0)
        assert np.allclose(t.grad.numpy(), normalised)

    def test_one_giant_weight_counts_as_one_sample(self):
        w = np.zeros((100, 1))
        w[3] = 50.0
        assert abs(effective_weights(w)[0] - 1) < 1e-6

    @pytest.mark.parametrize("bad", [np.zeros(4), np.zeros((0, 3)), np.zeros((2, 2, 2)), 3.0])
    def test_a_wrong_shape_is_named(self, bad):
        with pytest.raises(ValueError, match=r"\(K, B\)"):
            iwae_bound(bad)


CHAINS = {
    "metropolis": lambda g, **k: metropolis(log_prob, np.zeros((20, 2)), steps=3000, scale=1.5, generator=g),
    "hmc": lambda g, **k: hmc(log_prob, score, np.zeros((20, 2)), steps=800, step_size=0.4, generator=g),
}


@pytest.mark.parametrize("run", CHAINS.values(), ids=CHAINS)
class TestChains:
    def test_moments_within_the_error_that_the_effective_sample_size_gives(self, run):
        chains = run(RNG(1))
        kept = chains.samples[200:]
        size = effective_sample_size(kept)
        z = kept.reshape(-1, 2)
        assert (np.abs(z.mean(0) - MEAN) < 4 * np.sqrt(np.diag(COV) / size)).all()
        assert (np.abs(z.var(0) / np.diag(COV) - 1) < 5 * np.sqrt(2 / size) * 2).all()
        assert abs(np.corrcoef(z.T)[0, 1] - 0.8 / math.sqrt(2)) < 0.05
        assert (r_hat(kept) < 1.01).all() and (size > 500).all() and 0.2 < chains.accepted <= 1
        assert np.array_equal(chains.after(200), z)

    def test_the_log_density_belongs_to_the_samples(self, run):
        chains = run(RNG(2))
        assert np.allclose(chains.log_prob[5], log_prob(chains.samples[5]))

    def test_the_same_seed_gives_the_same_numbers(self, run):
        assert np.array_equal(run(RNG(3)).samples, run(RNG(3)).samples)


def test_metropolis_stays_where_the_target_is_positive():
    def exponential(z):
        with np.errstate(invalid="ignore"):
            return np.where(z[:, 0] > 0, -z[:, 0], -np.inf)

    chains = metropolis(exponential, np.ones((50, 1)), steps=2000, scale=2.0, generator=RNG(0))
    z = chains.samples[200:]
    assert z.min() > 0
    assert abs(z.mean() - 1) < 4 / math.sqrt(effective_sample_size(z)[0])


def test_hmc_with_many_tiny_steps_accepts_nearly_everything():
    few = hmc(log_prob, score, np.zeros((10, 2)), steps=100, step_size=0.02, generator=RNG(0)).accepted
    many = hmc(log_prob, score, np.zeros((10, 2)), steps=100, step_size=1.3, generator=RNG(0)).accepted
    assert few > 0.995 > many


def test_a_wrong_score_costs_acceptance_and_not_truth():
    """The accept step corrects a trajectory that follows another slope."""
    chains = hmc(log_prob, lambda z: 0.5 * score(z), np.zeros((20, 2)), steps=1500, step_size=0.3, generator=RNG(4))
    z = chains.samples[100:]
    size = effective_sample_size(z)
    assert (np.abs(z.reshape(-1, 2).mean(0) - MEAN) < 4 * np.sqrt(np.diag(COV) / size)).all()
    assert (np.abs(z.reshape(-1, 2).var(0) / np.diag(COV) - 1) < 0.1).all()


class TestDiagnostics:
    @pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, -0.4])
    def test_effective_sample_size_of_an_autoregressive_chain(self, phi):
        S, C = 20_000, 4
        e, x = RNG(0).standard_normal((S, C, 1)), np.zeros((S, C, 1))
        x[0] = e[0] / math.sqrt(1 - phi**2)
        for s in range(1, S):
            x[s] = phi * x[s - 1] + e[s]
        want = S * C * (1 - phi) / (1 + phi)
        assert abs(effective_sample_size(x)[0] / want - 1) < 0.12

    def test_one_chain_has_no_other_to_disagree_with(self):
        assert abs(effective_sample_size(RNG(0).standard_normal((4000, 1, 1)))[0] / 4000 - 1) < 0.12

    def test_chains_that_disagree_count_for_little_and_are_reported(self):
        x = RNG(0).standard_normal((1000, 4, 1))
        x[:, 0] += 3
        assert effective_sample_size(x)[0] < 40 and r_hat(x)[0] > 1.2
        drifting = RNG(0).standard_normal((1000, 4, 1)) + np.linspace(0, 3, 1000)[:, None, None]
        assert r_hat(drifting)[0] > 1.2

    def test_coordinates_are_judged_one_by_one(self):
        x = RNG(0).standard_normal((500, 2, 3))
        one = [effective_sample_size(x[:, :, [d]])[0] for d in range(3)]
        assert np.allclose(effective_sample_size(x), one)

    def test_errors_say_what_to_do(self):
        with pytest.raises(ValueError, match="smaller steps"):
            effective_sample_size(np.zeros((10, 2, 1)))
        with pytest.raises(ValueError, match=r"\(S, C, D\)"):
            r_hat(np.zeros((10, 2)))
        with pytest.raises(ValueError, match="not finite"):
            metropolis(lambda z: np.full(len(z), -np.inf), np.zeros((3, 1)), steps=1, scale=1, generator=RNG(0))
        with pytest.raises(ValueError, match=r"start is \(C, D\)"):
            metropolis(log_prob, np.zeros(2), steps=1, scale=1, generator=RNG(0))
        with pytest.raises(ValueError, match="positive"):
            metropolis(log_prob, np.zeros((1, 2)), steps=1, scale=0, generator=RNG(0))
        with pytest.raises(ValueError, match="one number for each"):
            metropolis(lambda z: 0.0, np.zeros((2, 2)), steps=1, scale=1, generator=RNG(0))
