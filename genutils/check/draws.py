"""Are these draws independent standard Gaussians? What a sampler must pass, beyond its mean and its covariance."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from genutils.check.expect import Wrong

OWN = "each draw needs noise of its own, from the generator"


def expect_gaussian(white: np.ndarray, *, given: str = "", what: str = "the draws") -> None:
    """`Wrong` unless the rows of ``white`` (n, D) look like n independent draws of ``N(0, I_D)``.

    Each test is two-sided: draws that are more even than chance (standardised, stratified, mirrored) fail as well. For
    n of ten thousand or more a right sampler fails less than once in a million runs. What is tested: copies and mirror
    images, the correlation of each draw with every later one (of its numbers and of their squares), the exactness of
    mean and covariance, and the distribution of each number, of a random direction, and of the length.

    Args:
        white: (n, D) draws, shifted and turned such that they should be standard.
        given: the input, in words.
        what: the subject of the sentence.
    """
    n, d = white.shape

    def wrong(says: str, hint: str = "") -> None:
        raise Wrong(f"{what} {says}", given=given, hint=hint)

    even = f"they are too even for chance. Do not correct the draws afterwards, and do not lay them out: {OWN}"
    along = np.random.default_rng(d).normal(size=d)  # a direction of no meaning, the same every time
    axes = [*white.T, white @ along / np.linalg.norm(along)]
    laws = [*((a, stats.norm.cdf) for a in axes), ((white**2).sum(1), stats.chi2(d).cdf)]
    distances = [_kolmogorov(law(values)) * math.sqrt(n) for values, law in laws]
    if min(distances) < 0.2:
        wrong("are spread as chance spreads them", even)
    own = 0.99 * n  # among 40,000 numbers in float32 some fifty are equal by chance
    if len(np.unique(np.round(np.abs(white[:, 0]), 12))) < own:
        copies = len(np.unique(np.round(white[:, 0], 12))) < own
        words = "some come twice" if copies else "each comes with its mirror image"
        wrong("are independent of each other", f"{words}: {OWN}")
    turned = np.column_stack([white, axes[-1]])  # a draw may also share its numbers with the next in other places
    for values in (turned, turned**2 - 1):
        if lag_correlation(values) > 7.5 / math.sqrt(n):
            wrong("are independent of each other", OWN)
    if n * (white.mean(0) ** 2).sum() < 1e-8 or np.abs(white.T @ white / n - np.eye(d)).max() < 1e-7:
        wrong("differ from the mean and the covariance as much as chance demands", even)
    if max(distances) > 3.2:
        wrong("are Gaussian, not only of the right mean and covariance", "use standard Gaussian noise, rows of N(0, I)")


def _kolmogorov(u: np.ndarray) -> float:
    """The largest gap between the distribution of u (n,) and the uniform one on [0, 1]."""
    u, i = np.sort(u), np.arange(len(u))
    return float(max((u - i / len(u)).max(), ((i + 1) / len(u) - u).max()))


def lag_correlation(x: np.ndarray) -> float:
    """The largest correlation in size, over all lags and columns, of a row of x (n, D) with a later one."""
    x = (x - x.mean(0)) / x.std(0)
    power = np.abs(np.fft.rfft(x, n=2 * len(x), axis=0)) ** 2
    return float(np.abs(np.fft.irfft(power, axis=0)[1 : len(x)]).max() / len(x))
