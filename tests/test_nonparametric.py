"""Histograms and kernel estimates: they integrate to one, agree with scipy, and sample what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genutils.model import kind
from genutils.nonparametric import KDE, Histogram


def points(n=200, dims=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dims))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.floats(0, 3), st.integers(1, 3))
def test_a_histogram_integrates_to_one(bins, smoothing, dims):
    h = Histogram(((-8, 8),) * dims, bins=bins, smoothing=smoothing).fit(points(dims=dims))
    assert (h.p * np.exp(-h.log_volume) * np.exp(h.log_volume)).sum() == pytest.approx(1)
    middles = h.low + (np.stack(np.unravel_index(np.arange(len(h.p)), (bins,) * dims), 1) + 0.5) * 16 / bins
    assert np.exp(h.log_prob(middles)).sum() * np.exp(h.log_volume) == pytest.approx(1)


def test_a_histogram_agrees_with_numpy():
    x = points(dims=1)
    h = Histogram(((-5, 5),), bins=20).fit(x)
    want, _ = np.histogram(x[:, 0], bins=20, range=(-5, 5), density=True)
    middles = (np.linspace(-5, 5, 21)[:-1] + 0.25)[:, None]
    with np.errstate(divide="ignore"):
        assert np.allclose(h.log_prob(middles), np.log(want))


def test_outside_and_in_empty_boxes_there_is_nothing():
    h = Histogram(((0, 1), (0, 1)), bins=2).fit(np.array([[0.1, 0.1]]))
    assert h.log_prob(np.array([[0.1, 0.2], [0.9, 0.9], [1.0, 0.5], [-1, 0.5]])).tolist()[1:] == [-math.inf] * 3


def test_too_many_boxes_are_refused_with_their_number():
    with pytest.raises(ValueError, match=r"2 bins on a side in 64 dimensions are 1.8e\+19 boxes"):
        Histogram(((0, 16),) * 64, bins=2)


def test_histogram_samples_lie_where_it_says():
    h = Histogram(((-4, 4), (-4, 4)), bins=8).fit(points().clip(-3.9, 3.9))
    drawn = h.sample(40_000, generator=np.random.default_rng(0))
    counts = np.bincount(h._box(drawn)[0], minlength=64)
    some = h.p > 0
    assert (counts[~some] == 0).all() and stats.chisquare(counts[some], 40_000 * h.p[some]).pvalue > 1e-4
    assert (drawn == h.sample(40_000, generator=np.random.default_rng(0))).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 2), st.integers(1, 4), st.integers(2, 60))
def test_a_kernel_estimate_is_the_mean_of_gaussians(h, dims, n):
    x, at = points(n, dims), points(7, dims, 1)
    want = np.mean([stats.multivariate_normal(c, h**2 * np.eye(dims)).pdf(at) for c in x], axis=0)
    assert np.allclose(np.exp(KDE(h).fit(x).log_prob(at)), want)


def test_a_kernel_estimate_agrees_with_scipy():
    x, at = points(), points(50, seed=1)
    reference = stats.gaussian_kde(x.T, bw_method=0.3)
    white = np.linalg.cholesky(np.linalg.inv(reference.covariance / 0.09))
    ours = KDE(0.3).fit(x @ white).log_prob(at @ white) + np.linalg.slogdet(white)[1]
    assert np.allclose(ours, reference.logpdf(at.T))


def test_leaving_one_out_is_what_it_says():
    x = points(30)
    got = KDE(0.4).fit(x).leave_one_out()
    want = [KDE(0.4).fit(np.delete(x, i, 0)).log_prob(x[i : i + 1])[0] for i in range(30)]
    assert np.allclose(got, want)


def test_the_training_score_rises_for_ever_as_the_bandwidth_shrinks():
    x = points(100)
    scores = [KDE(h).fit(x).log_prob(x).mean() for h in 10.0 ** -np.arange(0, 9)]
    assert (np.diff(scores) > 0).all()
    assert scores[-1] - scores[-2] == pytest.approx(2 * math.log(10), rel=1e-6)  # D log 10


def test_chunks_do_not_matter(monkeypatch):
    x = points(300)
    whole, left = KDE(0.3).fit(x).log_prob(x), KDE(0.3).fit(x).leave_one_out()
    monkeypatch.setattr("genutils.nonparametric.CHUNK", 1000)
    assert np.allclose(KDE(0.3).fit(x).log_prob(x), whole) and np.allclose(KDE(0.3).fit(x).leave_one_out(), left)


def test_far_away_the_log_density_is_finite():
    assert np.isfinite(KDE(0.01).fit(points()).log_prob(np.array([[100.0, 100.0]]))).all()


def test_kernel_samples_have_the_right_spread_and_repeat():
    x = points(500)
    drawn = KDE(0.7).fit(x).sample(50_000, generator=np.random.default_rng(0))
    assert np.allclose(np.cov(drawn.T), np.cov(x.T, bias=True) + 0.49 * np.eye(2), atol=0.05)
    assert (drawn == KDE(0.7).fit(x).sample(50_000, generator=np.random.default_rng(0))).all()
    assert kind(KDE(1.0)) == kind(Histogram(((0, 1),))) == "exact"


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: KDE(0), "bandwidth is a positive number"),
        (lambda: KDE("scott"), "bandwidth is a positive number"),
        (lambda: KDE(1.0).fit(np.zeros(3)), r"One dimension needs x\[:, None\]"),
        (lambda: KDE(1.0).fit(np.array([[0.0], [np.nan]])), "example 1 holds a value that is not finite"),
        (lambda: KDE(1.0).fit(np.zeros((1, 2))).leave_one_out(), "leaves nothing"),
        (lambda: KDE(1.0).fit(np.zeros((3, 2))).log_prob(np.zeros((3, 1))), r"shape \(B, 2\)"),
        (lambda: Histogram(((1, 0),)), "low < high"),
        (lambda: Histogram(((0, 1),)).fit(np.array([[0.5], [1.5]])), "example 1 lies outside"),
    ],
)
def test_bad_input_is_named(build, words):
    with pytest.raises(ValueError, match=words):
        build()
