"""Probabilistic PCA against the multivariate normal, PCA, Bayes' rule and its own EM."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from genutils.model import kind
from genutils.ppca import PPCA


def data(seed=0, n=400, dims=6, hidden=2, noise=0.3):
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(dims, hidden)) * [3, 1.5][:hidden]
    return rng.normal(size=(n, hidden)) @ W.T + math.sqrt(noise) * rng.normal(size=(n, dims)) + rng.normal(size=dims)


class TestDensity:
    @pytest.mark.parametrize("K", [0, 1, 2, 5])
    def test_is_the_multivariate_normal(self, K):
        x = data()
        m = PPCA(K).fit(x)
        cov = m.W @ m.W.T + m.noise * np.eye(6)
        assert np.allclose(m.log_prob(x), stats.multivariate_normal(m.mean, cov).logpdf(x))
        assert kind(m) == "exact"

    def test_full_rank_is_the_sample_gaussian(self):
        x = data()
        m = PPCA(5).fit(x)
        assert np.allclose(m.W @ m.W.T + m.noise * np.eye(6), np.cov(x.T, bias=True))

    def test_is_the_integral_over_z(self):
        x = data(hidden=1)[:20]
        m = PPCA(1).fit(data(hidden=1))
        z = np.linspace(-9, 9, 4001)
        means = m.decode(z[:, None])  # (Z, D)
        inner = stats.norm(0, math.sqrt(m.noise)).logpdf(x[:, None] - means).sum(2) + stats.norm.logpdf(z)
        assert np.allclose(np.log(np.exp(inner).sum(1) * (z[1] - z[0])), m.log_prob(x))

    def test_samples_have_the_covariance(self):
        m = PPCA(2).fit(data())
        y = m.sample(60_000, generator=np.random.default_rng(0))
        cov = m.W @ m.W.T + m.noise * np.eye(6)
        error = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / len(y))
        assert (np.abs(np.cov(y.T) - cov) < 5 * error).all()
        assert (np.abs(y.mean(0) - m.mean) < 5 * np.sqrt(np.diag(cov) / len(y))).all()


class TestFit:
    def test_zero_noise_is_pca(self):
        x = data()
        _, _, directions = np.linalg.svd(x - x.mean(0), full_matrices=False)
        pca = (x - x.mean(0)) @ directions[:2].T @ directions[:2] + x.mean(0)
        gaps = []
        for noise in (1e-1, 1e-3, 1e-5):
            m = PPCA(2).fit(x, noise=noise)
            gaps.append(np.abs(m.decode(m.encode(x).mean) - pca).max())
            assert np.abs(m.encode(x).covariance).max() < noise
        assert gaps[0] > 50 * gaps[1] > 2500 * gaps[2] and gaps[2] < 1e-4

    def test_no_other_parameters_are_likelier(self):
        x, rng = data(), np.random.default_rng(1)
        m = PPCA(2).fit(x)
        best = m.log_prob(x).mean()
        for _ in range(50):
            other = PPCA(2).fit(x)
            other.W = m.W + 0.05 * rng.normal(size=m.W.shape)
            other.noise = m.noise * math.exp(0.1 * rng.normal())
            assert other.log_prob(x).mean() < best

    @pytest.mark.parametrize("seed", range(3))
    def test_em_climbs_to_the_closed_form(self, seed):
        x = data(seed)
        exact, em = PPCA(2).fit(x), PPCA(2).fit_em(x, steps=500, seed=seed)
        assert np.diff(em.history).min() > -1e-9
        assert abs(em.history[-1] - exact.log_prob(x).mean()) < 1e-6
        assert np.allclose(em.W @ em.W.T, exact.W @ exact.W.T, atol=0.1) and abs(em.noise - exact.noise) < 1e-4

    def test_rotation_changes_nothing_that_can_be_seen(self):
        x = data()
        m = PPCA(2).fit(x)
        before, seen = m.log_prob(x), m.decode(m.encode(x).mean)
        c, s = math.cos(1), math.sin(1)
        m.W = m.W @ np.array([[c, -s], [s, c]])
        assert np.allclose(m.log_prob(x), before) and np.allclose(m.decode(m.encode(x).mean), seen)

    def test_data_on_a_plane_stop_at_the_floor(self):
        x = data(noise=0.0)
        for m in (PPCA(2, floor=1e-4).fit(x), PPCA(2, floor=1e-4).fit_em(x, steps=200)):
            assert m.noise == 1e-4 and np.isfinite(m.log_prob(x)).all()

    def test_two_examples_are_enough_and_em_stops_when_a_step_gains_too_little(self):
        x = data()
        assert np.allclose(PPCA(1).fit(x[:2]).mean, x[:2].mean(0))
        assert len(PPCA(2).fit_em(x, tolerance=1e9).history) == 2
        gains = np.diff(PPCA(2).fit_em(x, steps=500, tolerance=1e-4).history)
        assert len(gains) < 400 and gains[-1] < 1e-4 <= gains[:-1].min()


class TestPosterior:
    def test_is_bayes_rule(self):
        x = data(hidden=1)
        m = PPCA(1).fit(x)
        mean, cov = m.encode(x[:3])
        z = np.linspace(-8, 8, 4001)
        for i in range(3):
            log = stats.norm(0, math.sqrt(m.noise)).logpdf(x[i] - m.decode(z[:, None])).sum(1) + stats.norm.logpdf(z)
            p = np.exp(log - log.max())
            p /= p.sum()
            assert abs(p @ z - mean[i, 0]) < 1e-6 and abs(p @ z**2 - (p @ z) ** 2 - cov[0, 0]) < 1e-6

    def test_average_posterior_is_the_prior(self):
        x = data(n=4000)
        mean, cov = PPCA(2).fit(x).encode(x)
        assert np.allclose(np.cov(mean.T, bias=True) + cov, np.eye(2), atol=1e-6)  # exact at the maximum

    def test_shrinks_towards_the_prior(self):
        x = data()
        m = PPCA(2).fit(x)
        least_squares = (x - m.mean) @ np.linalg.pinv(m.W).T
        assert (np.linalg.norm(m.encode(x).mean, axis=1) < np.linalg.norm(least_squares, axis=1)).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: PPCA(-1), "0 or more"),
        (lambda: PPCA(1, floor=0), "infinite"),
        (lambda: PPCA(6).fit(data()), "choose K below 6"),
        (lambda: PPCA(1).fit(data()[:1]), "two examples"),
        (lambda: PPCA(1).log_prob(data()), "call fit"),
        (lambda: PPCA(1).sample(3), "call fit"),
        (lambda: PPCA(1).fit(data().reshape(-1, 3, 2)), "Flatten"),
        (lambda: PPCA(1).fit(data()).log_prob(np.zeros((2, 5))), r"\(B, 6\)"),
        (lambda: PPCA(2).fit(data()).decode(np.zeros((2, 3))), r"\(B, 2\)"),
        (lambda: PPCA(1).fit(np.full((4, 3), np.nan)), "finite"),
    ],
)
def test_errors_say_what_to_do(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_same_seed_same_numbers():
    x = data()
    assert np.array_equal(PPCA(2).fit_em(x, steps=5, seed=3).W, PPCA(2).fit_em(x, steps=5, seed=3).W)
    m = PPCA(2).fit(x)
    one, two = (m.sample(4, generator=np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, two)
