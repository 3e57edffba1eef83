"""What a sampler must pass: right draws do, at many seeds; copies, mirrors, even and chained draws do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from genutils.check.draws import _kolmogorov, expect_gaussian, lag_correlation
from genutils.check.expect import Wrong

N, D = 20_000, 3


def gaussian(seed: int, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, D))


@pytest.mark.parametrize("seed", range(20))
def test_draws_that_are_right_pass(seed):
    expect_gaussian(gaussian(seed))
    expect_gaussian(gaussian(seed)[:, :1])


def _chain(x, weight):
    x = x.copy()
    for i in range(1, len(x)):
        x[i] = weight * x[i - 1] + np.sqrt(1 - weight**2) * x[i]
    return x


def _stratified(x):
    even = stats.norm.ppf((np.arange(N) + 0.5) / N)
    return np.stack([np.random.default_rng(i).permutation(even) for i in range(D)], axis=1)


WRONG = {
    "copies": (lambda x: np.concatenate([x[: N // 2]] * 2), "twice"),
    "mirror images": (lambda x: np.concatenate([x[: N // 2], -x[: N // 2]]), "mirror"),
    "near copies": (lambda x: np.concatenate([x[: N // 2], 0.9 * x[: N // 2] + 0.436 * x[N // 2 :]]), "its own"),
    "a chain": (lambda x: _chain(x, 0.2), "its own"),
    "shared by neighbours": (lambda x: np.lib.stride_tricks.sliding_window_view(x.ravel()[: N + D - 1], D), "its own"),
    "sorted": (lambda x: np.sort(x, axis=0), "its own"),
    "chained sizes": (lambda x: np.abs(_chain(x, 0.8)) * np.sign(gaussian(99)), "its own"),
    "standardised": (lambda x: (x - x.mean(0)) / x.std(0), "too even"),
    "whitened": (lambda x: (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, bias=True))).T, "too even"),
    "stratified": (_stratified, "too even"),
    "uniform": (lambda x: np.sqrt(12) * (stats.norm.cdf(x) - 0.5), "Gaussian"),
    "laplace": (lambda x: stats.laplace.ppf(stats.norm.cdf(x)) / np.sqrt(2), "Gaussian"),
    "one sign for all": (lambda x: np.abs(x) * np.sign(x[:, :1]), "Gaussian"),
    "one size for all": (lambda x: np.abs(x[:, :1]) * np.sign(x), "Gaussian"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("seed", range(3))
def test_draws_that_are_wrong_do_not(name, seed):
    change, hint = WRONG[name]
    with pytest.raises(Wrong, match="the draws (are|differ) ") as caught:
        expect_gaussian(change(gaussian(seed)))
    assert hint in caught.value.hint


def test_a_gap_between_distributions_and_a_correlation_are_what_scipy_and_a_loop_find():
    u = np.random.default_rng(0).uniform(size=30) ** 1.2
    for values in (u, 1 - u, np.array([0.25, 0.75]), np.full(3, 0.9)):
        assert np.isclose(_kolmogorov(values), stats.kstest(values, "uniform").statistic, rtol=1e-12)
    x = gaussian(1, 40) * [1, 5, 0.2] + [0, 70, -3]
    z = (x - x.mean(0)) / x.std(0)
    want = max(np.abs((z[lag:] * z[:-lag]).sum(0)).max() / len(z) for lag in range(1, len(z)))
    assert np.isclose(lag_correlation(x), want, rtol=1e-9)
