"""Gaussian classifiers against closed forms, scikit-learn, grids and their own samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from genutils.classifiers import GaussianClassifier
from genutils.model import evaluate, kind


def data(seed=0, n=200, d=2, k=3, spread=2.0):
    """Classes of different sizes, means and covariances; labels are strings."""
    rng = np.random.default_rng(seed)
    y = rng.choice(k, size=n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    roots = rng.normal(0, 1, (k, d, d)) + np.eye(d)
    x = rng.normal(0, spread, (k, d))[y] + np.einsum("nde,ne->nd", roots[y], rng.normal(size=(n, d)))
    return x, np.array(["apple", "pear", "quince", "rowan"])[y]


class TestLDA:
    @settings(max_examples=20, deadline=None)
    @given(seed=st.integers(0, 10_000), d=st.integers(1, 5), ridge=st.sampled_from([0.0, 0.3]))
    def test_the_posterior_is_a_softmax_of_linear_functions(self, seed, d, ridge):
        """w_k = cov^-1 mean_k, b_k = log prior_k - mean_k cov^-1 mean_k / 2; for two classes a logistic function."""
        x, y = data(seed, n=60, d=d)
        m = GaussianClassifier(ridge=ridge).fit(x, y)
        w = np.linalg.solve(m.covariances[0], m.means.T).T
        b = np.log(m.prior) - 0.5 * (w * m.means).sum(1)
        at = np.random.default_rng(seed).normal(0, 4, (50, d))
        a = at @ w.T + b
        p = np.exp(a - a.max(1, keepdims=True))
        assert np.allclose(m.posterior(at), p / p.sum(1, keepdims=True), atol=1e-9)
        two = m.posterior(at)[:, [0, 1]]
        assert np.allclose(two[:, 1] / two.sum(1), expit(a[:, 1] - a[:, 0]), atol=1e-6)

    def test_agrees_with_scikit_learn(self):
        x, y = data(1, d=4)
        theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(x, y)  # divides by N, as maximum likelihood does
        ours = GaussianClassifier().fit(x, y)
        assert np.allclose(ours.posterior(x), theirs.predict_proba(x), atol=1e-8)
        assert np.array_equal(ours.predict(x), theirs.predict(x)) and np.array_equal(ours.classes, theirs.classes_)


class TestQDA:
    def test_agrees_with_scikit_learn(self):
        x, y = data(2, d=3)
        ours = GaussianClassifier(shared=False).fit(x, y)
        theirs = QuadraticDiscriminantAnalysis(store_covariance=True).fit(x, y)
        # theirs divides by N or by N - 1, according to its version; the rest must agree with that covariance
        for k, c in enumerate(ours.classes):
            ratio = theirs.covariance_[k] / ours.covariances[k]
            n = (y == c).sum()
            assert np.allclose(ratio, ratio[0, 0]) and np.isclose(ratio[0, 0], [1, n / (n - 1)]).any()
        ours.covariances = np.stack(theirs.covariance_)
        assert np.allclose(ours.posterior(x), theirs.predict_proba(x), atol=1e-8)

    def test_is_the_maximum_of_the_likelihood(self):
        x, y = data(3)
        m = GaussianClassifier(shared=False).fit(x, y)
        which = np.searchsorted(m.classes, y)

        def likelihood():
            return m.log_joint(x)[np.arange(len(x)), which].sum()

        best, rng = likelihood(), np.random.default_rng(0)
        for name in ("means", "covariances", "prior"):
            kept = getattr(m, name)
            for _ in range(10):
                change = 0.02 * rng.normal(size=kept.shape)
                if name == "covariances":  # symmetric, and small in every direction
                    roots = np.linalg.cholesky(kept)
                    change = roots @ (change + change.swapaxes(1, 2)) @ roots.swapaxes(1, 2)
                moved = kept + change
                setattr(m, name, moved / moved.sum() if name == "prior" else moved)
                assert likelihood() < best
            setattr(m, name, kept)

    def test_diagonal_is_independence_within_a_class(self):
        x, y = data(4, d=3)
        m = GaussianClassifier(shared=False, diagonal=True).fit(x, y)
        for k, c in enumerate(m.classes):
            assert np.allclose(m.covariances[k], np.diag(x[y == c].var(0)))


@pytest.mark.parametrize("shared", [True, False])
class TestDensity:
    def test_integrates_to_one(self, shared):
        m = GaussianClassifier(shared).fit(*data(5))
        low, high = m.means.min(0), m.means.max(0)
        reach = 9 * np.sqrt(max(c.max() for c in m.covariances))
        axes = [np.linspace(a - reach, b + reach, 700) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
        cell = np.prod([a[1] - a[0] for a in axes])
        assert abs(np.exp(m.log_prob(grid)).sum() * cell - 1) < 1e-6

    def test_is_the_sum_of_its_classes(self, shared):
        x, y = data(6, d=3)
        m = GaussianClassifier(shared).fit(x, y)
        p = sum(w * multivariate_normal(a, c).pdf(x) for w, a, c in zip(m.prior, m.means, m.covariances, strict=True))
        assert np.allclose(m.log_prob(x), np.log(p), atol=1e-9)
        assert np.allclose(np.exp(m.log_joint(x)).sum(1), p) and np.allclose(m.posterior(x).sum(1), 1)

    def test_the_marginal_is_the_integral(self, shared):
        m = GaussianClassifier(shared).fit(*data(7))
        axis = np.linspace(-60, 60, 24_001)
        for column in (0, 1):
            whole = np.full((len(axis), 2), 1.3)
            whole[:, column] = axis
            seen = np.full((1, 2), 1.3)
            seen[0, column] = np.nan
            summed = np.exp(m.log_joint(whole)).sum(0) * (axis[1] - axis[0])
            assert np.allclose(np.exp(m.log_joint(seen)[0]), summed, rtol=1e-6)
            assert np.allclose(m.posterior(seen)[0], summed / summed.sum(), rtol=1e-6)

    def test_each_row_misses_its_own(self, shared):
        x, y = data(8, d=4)
        m = GaussianClassifier(shared).fit(x, y)
        holes = np.where(np.random.default_rng(0).random(x.shape) < 0.4, np.nan, x)
        holes[3] = np.nan
        together = m.log_joint(holes)
        assert np.allclose(together, np.concatenate([m.log_joint(row[None]) for row in holes]))
        assert np.allclose(together[3], np.log(m.prior)) and abs(m.log_prob(holes)[3]) < 1e-12
        for i in (0, 1, 2):
            s = ~np.isnan(holes[i])
            assert s.any()
            law = [multivariate_normal(a[s], c[np.ix_(s, s)]) for a, c in zip(m.means, m.covariances, strict=True)]
            assert np.allclose(together[i], np.log(m.prior) + [p.logpdf(holes[i][s]) for p in law])

    def test_units_move_the_density_and_not_the_posterior(self, shared):
        x, y = data(9)
        a, b = GaussianClassifier(shared).fit(x, y), GaussianClassifier(shared).fit(x / 100, y)
        assert np.allclose(b.log_prob(x / 100), a.log_prob(x) + 2 * math.log(100))
        assert np.allclose(b.posterior(x / 100), a.posterior(x))

    def test_samples_have_the_moments(self, shared):
        m, n = GaussianClassifier(shared).fit(*data(10)), 40_000
        for k, c in enumerate(m.classes):
            x = m.sample(n, c, generator=np.random.default_rng(k))
            cov = m.covariances[k]
            assert (np.abs(x.mean(0) - m.means[k]) < 5 * np.sqrt(np.diag(cov) / n)).all()
            error = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / n)
            assert (np.abs(np.cov(x.T) - cov) < 5 * error).all()
        x = m.sample(n, generator=np.random.default_rng(9))
        assert (np.abs(x.mean(0) - m.prior @ m.means) < 5 * x.std(0) / math.sqrt(n)).all()

    def test_the_mean_surprise_of_its_samples_is_its_entropy_on_a_grid(self, shared):
        m = GaussianClassifier(shared).fit(*data(11))
        axes = [np.linspace(-40, 40, 1201)] * 2
        logs = m.log_prob(np.stack(np.meshgrid(*axes), -1).reshape(-1, 2))
        entropy = -(np.exp(logs) * logs).sum() * (80 / 1200) ** 2
        drawn = -m.log_prob(m.sample(20_000, generator=np.random.default_rng(0)))
        assert abs(drawn.mean() - entropy) < 5 * drawn.std() / math.sqrt(len(drawn))


def test_a_new_prior_is_used_everywhere():
    x, y = data(12)
    m = GaussianClassifier().fit(x, y)
    old, before = m.prior, m.posterior(x)
    m.prior = np.array([0.7, 0.3, 0.0])
    want = before / old * m.prior
    assert np.allclose(m.posterior(x), want / want.sum(1, keepdims=True))
    assert "quince" not in m.predict(m.sample(500, generator=np.random.default_rng(0)))


def test_samples_follow_their_labels_and_the_seed():
    m = GaussianClassifier().fit(*data(13, spread=60.0))
    wanted = np.array(["pear", "apple", "quince", "pear"])
    x = m.sample(4, wanted, generator=np.random.default_rng(0))
    assert np.array_equal(m.predict(x), wanted)
    assert np.array_equal(x, m.sample(4, wanted, generator=np.random.default_rng(0)))
    assert m.sample(0).shape == (0, 2)


def test_it_is_an_exact_model():
    x, y = data(14)
    m = GaussianClassifier().fit(x, y)
    assert kind(m) == "exact" and evaluate(m, x, truth=m).value == 0
    with pytest.raises(AttributeError, match="has no elbo"):
        m.elbo  # noqa: B018


class TestErrors:
    @pytest.mark.parametrize("setting", [{"ridge": -1}, {"ridge": math.inf}, {"ridge": "a"}, {"ridge": True}])
    def test_a_ridge_out_of_range(self, setting):
        with pytest.raises(ValueError, match="ridge is a variance to add, 0 or more; it is"):
            GaussianClassifier(**setting)

    @pytest.mark.parametrize("name", ["shared", "diagonal"])
    def test_switches_are_truth_values(self, name):
        with pytest.raises(ValueError, match=f"{name} is True or False; it is 'yes'"):
            GaussianClassifier(**{name: "yes"})

    def test_shapes(self):
        x, y = data()
        with pytest.raises(ValueError, match=r"\(200, 2\) and \(199,\)"):
            GaussianClassifier().fit(x, y[1:])
        with pytest.raises(ValueError, match=r"\(200, 2, 1\) .*Flatten images first"):
            GaussianClassifier().fit(x[..., None], y)
        with pytest.raises(ValueError, match=r"of shape \(B, 2\); this has \(200, 1\)"):
            GaussianClassifier().fit(x, y).posterior(x[:, :1])

    def test_missing_numbers_in_training(self):
        x, y = data()
        x[7, 1] = np.nan
        with pytest.raises(ValueError, match=r"x\[7, 1\] = nan.*Leave such examples out"):
            GaussianClassifier().fit(x, y)

    def test_an_infinite_number_is_not_a_missing_one(self):
        x, y = data()
        m = GaussianClassifier().fit(x, y)
        with pytest.raises(ValueError, match=r"x\[0, 1\] = inf.*nan where they are missing"):
            m.log_prob(np.array([[0.0, np.inf]]))

    def test_a_constant_feature_is_named(self):
        x, y = data(d=3)
        x[:, 2] = 5.0
        with pytest.raises(ValueError, match="singular: feature 2 is constant within the class. Give a ridge"):
            GaussianClassifier().fit(x, y)
        with pytest.raises(ValueError, match="covariance of class 'apple' is singular: feature 2"):
            GaussianClassifier(shared=False).fit(x, y)
        assert np.isfinite(GaussianClassifier(ridge=0.1).fit(x, y).log_prob(x)).all()

    def test_too_few_examples_for_the_dimensions(self):
        x, y = data(n=10, d=9)
        with pytest.raises(ValueError, match="10 examples do not fill 9 dimensions.*Give a ridge"):
            GaussianClassifier().fit(x, y)
        assert np.isfinite(GaussianClassifier(diagonal=True).fit(x, y).log_prob(x)).all()

    def test_not_fitted(self):
        for ask in (lambda m: m.log_prob(np.zeros((1, 2))), lambda m: m.sample(3)):
            with pytest.raises(ValueError, match=r"has not been fitted; call fit\(x, y\) first"):
                ask(GaussianClassifier())

    def test_labels_to_sample(self):
        m = GaussianClassifier().fit(*data())
        with pytest.raises(ValueError, match="'melon' is not among the classes"):
            m.sample(3, "melon")
        with pytest.raises(ValueError, match=r"one for all, or 3 of them; their shape is \(2,\)"):
            m.sample(3, ["apple", "pear"])
