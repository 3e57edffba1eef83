"""Mixtures: densities that sum to one, EM that never lowers its objective, floors that hold, errors with remedies."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from scipy import stats

from genutils.data import digits
from genutils.mixture import CategoricalMixture, GaussianMixture
from genutils.model import bits_per_dim, evaluate, kind

FORMS = ("full", "diagonal", "round")
TABLES = (dict(smoothing=0.1), dict(smoothing=0.05, towards=3.0), dict(smoothing=0.1, blur=1.5))


def clouds(seed=0, n=300):
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.normal(size=(n, 2)) @ [[1, 0.8], [0, 0.4]], rng.normal(size=(n // 2, 2)) * [0.2, 1] + [4, 1]]
    )


def codes(seed=0, n=200, dims=3, levels=4):
    rng = np.random.default_rng(seed)
    cause = rng.integers(2, size=n)
    return np.where(cause[:, None] == 0, rng.integers(0, 2, (n, dims)), rng.integers(1, levels, (n, dims)))


class TestGaussian:
    @pytest.mark.parametrize("form", FORMS)
    def test_integrates_to_one(self, form):
        mixture = GaussianMixture(3, form).fit(clouds())
        axis = np.linspace(-12, 14, 600)
        grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
        assert abs(np.exp(mixture.log_prob(grid)).sum() * (axis[1] - axis[0]) ** 2 - 1) < 1e-4

    def test_is_the_weighted_sum_of_normals(self):
        x = clouds()
        m = GaussianMixture(3).fit(x)
        parts = [w * stats.multivariate_normal(a, c).pdf(x) for w, a, c in zip(m.weights, m.means, m.covariances)]  # noqa: B905
        assert np.allclose(m.log_prob(x), np.log(sum(parts)))
        assert np.allclose(m.responsibilities(x), (np.array(parts) / sum(parts)).T)

    def test_one_component_is_the_sample_mean_and_covariance(self):
        x = clouds()
        m = GaussianMixture(1).fit(x)
        assert np.allclose(m.means[0], x.mean(0)) and np.allclose(m.covariances[0], np.cov(x.T, bias=True))
        assert np.allclose(np.diag(GaussianMixture(1, "diagonal").fit(x).covariances[0]), x.var(0))
        assert np.allclose(np.diag(GaussianMixture(1, "round").fit(x).covariances[0]), x.var(0).mean())

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("floor", [1e-6, 0.3])
    def test_em_never_lowers_the_likelihood(self, form, floor):
        for seed in range(3):
            m = GaussianMixture(6, form, floor).fit(clouds(), steps=40, tolerance=-math.inf, seed=seed)
            assert len(m.history) == 40 and np.diff(m.history).min() > -1e-9
            assert np.isclose(m.history[-1], m.log_prob(clouds()).mean())

    @pytest.mark.parametrize("form", FORMS)
    def test_floor_holds_where_points_coincide(self, form):
        x = np.repeat(np.array([[0.0, 0.0], [1.0, 5.0], [7.0, 2.0]]), 5, axis=0)
        m = GaussianMixture(3, form, floor=1e-4).fit(x)
        assert np.linalg.eigvalsh(m.covariances).min() >= 1e-4 * (1 - 1e-9) and np.isfinite(m.log_prob(x)).all()

    def test_far_away_there_is_no_underflow(self):
        m = GaussianMixture(2).fit(clouds())
        far = np.array([[1e4, 1e4]])
        assert np.isfinite(m.log_prob(far)).all() and m.log_prob(far) < -1e6
        assert np.allclose(m.responsibilities(far).sum(1), 1)

    def test_samples_have_the_moments_of_the_data(self):
        x = clouds()
        m = GaussianMixture(3).fit(x)
        y = m.sample(20_000, generator=np.random.default_rng(0))
        error = x.std(0) / math.sqrt(len(y))
        assert (np.abs(y.mean(0) - x.mean(0)) < 4.5 * error).all()  # EM keeps the mean and covariance of the data
        assert np.allclose(np.cov(y.T), np.cov(x.T), rtol=0.05, atol=0.05)

    def test_units_shift_the_density_by_the_jacobian(self):
        x = clouds()
        a, b = GaussianMixture(2).fit(x), GaussianMixture(2, floor=1e-4).fit(10 * x)
        assert np.allclose(a.log_prob(x), b.log_prob(10 * x) + 2 * math.log(10), atol=1e-6)


class TestCategorical:
    @pytest.mark.parametrize("setting", TABLES)
    def test_sums_to_one(self, setting):
        m = CategoricalMixture(3, 4, **setting).fit(codes())
        every = np.array(list(itertools.product(range(4), repeat=3)))
        assert abs(np.exp(m.log_prob(every)).sum() - 1) < 1e-9

    def test_one_component_is_a_smoothed_histogram(self):
        x = codes()
        m = CategoricalMixture(1, 4, smoothing=0.5).fit(x)
        want = np.array([(np.bincount(x[:, d], minlength=4) + 0.5) / (len(x) + 2) for d in range(3)])
        assert np.allclose(np.exp(m.log_tables[0]), want)
        assert np.allclose(m.log_prob(x[:5]), np.log(want[np.arange(3), x[:5]]).sum(1))

    @pytest.mark.parametrize("setting", TABLES)
    def test_em_never_lowers_its_objective(self, setting):
        for seed in range(3):
            m = CategoricalMixture(5, 4, **setting).fit(codes(), steps=40, tolerance=-math.inf, seed=seed)
            assert np.diff(m.history).min() > -1e-9

    def test_samples_have_the_probabilities(self):
        m = CategoricalMixture(3, 4).fit(codes())
        y = m.sample(40_000, generator=np.random.default_rng(1))
        every = np.array(list(itertools.product(range(4), repeat=3)))
        seen = np.bincount(y @ [16, 4, 1], minlength=64) / len(y)
        p = np.exp(m.log_prob(every))
        assert (np.abs(seen - p) < 5 * np.sqrt(p * (1 - p) / len(y)) + 1e-9).all()

    def test_digits(self):
        d = digits()
        train, validation, test = (x.reshape(len(x), 64) for x in (d.train, d.validation, d.test))
        assert abs(evaluate(CategoricalMixture(1, 17).fit(train), test).value - 2.396) < 0.001
        m = CategoricalMixture(40, 17, smoothing=0.03, towards=16.0).fit(train, validation=validation)
        assert bits_per_dim(m.log_prob(test).mean(), 64) < 2.205
        m = CategoricalMixture(40, 17, smoothing=0.03, towards=4.0, blur=2.0).fit(train, validation=validation)
        assert bits_per_dim(m.log_prob(test).mean(), 64) < 2.14


class TestBoth:
    def test_kind_is_exact(self):
        assert kind(GaussianMixture(2)) == kind(CategoricalMixture(2, 3)) == "exact"

    def test_same_seed_same_numbers(self):
        x = clouds()
        a, b = (GaussianMixture(3).fit(x, seed=4) for _ in range(2))
        assert np.array_equal(a.means, b.means)
        one, two = (a.sample(9, generator=np.random.default_rng(2)) for _ in range(2))
        assert np.array_equal(one, two)

    def test_best_on_validation_is_kept(self):
        x, held = clouds(0, 30), clouds(1, 300)
        m = GaussianMixture(8, floor=1e-6).fit(x, validation=held, tolerance=-math.inf, steps=60)
        assert len(m.held_out) == 60 and m.held_out[-1] < max(m.held_out)
        assert np.isclose(m.log_prob(held).mean(), max(m.held_out))

    def test_stops_when_a_step_gains_too_little(self):
        assert len(GaussianMixture(3).fit(clouds(), steps=40, tolerance=1e9).history) == 2
        gains = np.diff(GaussianMixture(3).fit(clouds(), steps=500, tolerance=1e-3).history)
        assert len(gains) < 400 and gains[-1] < 1e-3 <= gains[:-1].min()

    def test_can_be_fitted_again_to_other_data(self):
        m = GaussianMixture(2).fit(clouds())
        x = np.random.default_rng(0).normal(size=(50, 3))
        assert m.fit(x).log_prob(x).shape == (50,)
        assert m.fit(x).weights.sum() == pytest.approx(1)

    @pytest.mark.parametrize(
        "call, words",
        [
            (lambda: GaussianMixture(0), "1 or more"),
            (lambda: GaussianMixture(2, "spherical"), "'round'"),
            (lambda: GaussianMixture(2, floor=0), "shrink to a point"),
            (lambda: GaussianMixture(2).log_prob(clouds()), "call fit"),
            (lambda: GaussianMixture(2).sample(3), "call fit"),
            (lambda: GaussianMixture(9).fit(clouds()[:4]), "at most 4"),
            (lambda: GaussianMixture(2).fit(clouds(), steps=0), "at least one step"),
            (lambda: GaussianMixture(2).fit(np.array([[0.0, np.nan]] * 4)), "finite"),
            (lambda: GaussianMixture(1).fit(np.zeros((5, 2, 2))), "Flatten"),
            (lambda: GaussianMixture(1).fit(clouds()).log_prob(np.zeros((3, 5))), r"\(B, 2\)"),
            (lambda: CategoricalMixture(2, 1), "2 or more"),
            (lambda: CategoricalMixture(2, 4, smoothing=0), "impossible"),
            (lambda: CategoricalMixture(2, 4, towards=-1), "0 or more"),
            (lambda: CategoricalMixture(2, 4).fit(codes() / 4), "Was it scaled"),
            (lambda: CategoricalMixture(2, 3).fit(codes()), "0 ... 2; this holds 3"),
        ],
    )
    def test_errors_say_what_to_do(self, call, words):
        with pytest.raises(ValueError, match=words):
            call()


def test_the_share_that_is_blurred_may_be_nothing_and_never_all():
    x = np.random.default_rng(0).integers(4, size=(30, 3))
    fits = [CategoricalMixture(2, 4, **more).fit(x).log_prob(x) for more in ({}, {"blur": 1.0, "share": 0.0})]
    assert np.allclose(*fits)
    for share in (-0.1, 1.0):
        with pytest.raises(ValueError, match="share is in"):
            CategoricalMixture(2, 4, blur=1.0, share=share)


def test_parameters_are_counted_as_they_can_be_chosen():
    """Weights and tables sum to one, so the last number of each is no choice; a covariance is symmetric."""
    assert CategoricalMixture(5, 4).fit(codes()).parameter_count() == 4 + 5 * 3 * 3
    counts = [GaussianMixture(3, form).fit(clouds()).parameter_count() for form in FORMS]
    assert counts == [2 + 3 * (2 + own) for own in (3, 2, 1)]


def test_a_cause_that_has_lost_its_weight_is_quietly_never_it():
    m = CategoricalMixture(2, 4).fit(codes())
    m.weights = np.array([1.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(m.log_prob(codes())).all() and (m.responsibilities(codes())[:, 1] == 0).all()
