"""Closed forms for Gaussians: entropy, cross-entropy and KL. Nats, unless ``base=2`` says bits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from genutils.information.arguments import floats, refuse, scale


def _mu(mu: ArrayLike, name: str) -> np.ndarray:
    mu = floats(mu, name, "a mean")
    refuse(~np.isfinite(mu), mu, name, "is not a mean; it must be finite")
    return mu


def _sigma(sigma: ArrayLike, name: str) -> np.ndarray:
    sigma = floats(sigma, name, "a standard deviation")
    refuse(~(np.isfinite(sigma) & (sigma > 0)), sigma, name, "is not a standard deviation: positive, finite")
    return sigma


def _cov(cov: ArrayLike, name: str) -> np.ndarray:
    cov = floats(cov, name, "a covariance matrix")
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1] or cov.size == 0:
        raise ValueError(f"{name} must be a symmetric (D, D) matrix; its shape is {cov.shape}")
    refuse(~np.isfinite(cov), cov, name, "is not finite")
    gap = np.abs(cov - cov.T)
    if gap.max() > 1e-8 * np.abs(cov).max():
        i, j = (int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
        raise ValueError(f"{name} is not symmetric: {name}[{i}, {j}] = {cov[i, j]} and {name}[{j}, {i}] = {cov[j, i]}")
    try:
        np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        low = np.linalg.eigvalsh(cov)[0]
        raise ValueError(f"{name} is not positive definite: its smallest eigenvalue is {low:.3g}") from None
    return cov


def gaussian_entropy(
    sigma: ArrayLike | None = None, *, cov: ArrayLike | None = None, base: float | None = None
) -> np.ndarray:
    """Differential entropy of a Gaussian, exact: ``log(2 pi e sigma^2) / 2`` or ``log det(2 pi e cov) / 2``.

    Args:
        sigma: standard deviations of any shape (one entropy each); or
        cov: a (D, D) covariance matrix.
        base: 2 for bits; nats otherwise.

    Raises:
        ValueError: a deviation is not positive, a covariance not positive definite, or not exactly one is given.

    Source: Shannon (1948), section 20.

    >>> round(float(gaussian_entropy(1.0)), 4)
    1.4189
    """
    if (sigma is None) == (cov is None):
        raise ValueError("give either sigma (standard deviations) or cov (a covariance matrix)")
    if cov is not None:
        cov = _cov(cov, "cov")
        return np.linalg.slogdet(2 * math.pi * math.e * cov)[1] / 2 / scale(base)
    return (0.5 * math.log(2 * math.pi * math.e) + np.log(_sigma(sigma, "sigma"))) / scale(base)


def gaussian_kl(
    mu_p: ArrayLike, sigma_p: ArrayLike, mu_q: ArrayLike, sigma_q: ArrayLike, *, base: float | None = None
) -> np.ndarray:
    """KL(p || q) of two Gaussians, exact, one value per dimension (sum them for a diagonal Gaussian):
    ``log(sigma_q / sigma_p) + (sigma_p^2 + (mu_p - mu_q)^2) / (2 sigma_q^2) - 1/2``.

    Args:
        mu_p, sigma_p, mu_q, sigma_q: shapes that broadcast; sigma is the standard deviation, not the variance.
        base: 2 for bits; nats otherwise.

    Returns:
        The broadcast shape, not summed.

    Raises:
        ValueError: a standard deviation is not positive, or a mean not finite.

    >>> float(gaussian_kl(1.0, 1.0, 0.0, 1.0))
    0.5
    """
    sigma_p, sigma_q = _sigma(sigma_p, "sigma_p"), _sigma(sigma_q, "sigma_q")
    mu_p, mu_q = _mu(mu_p, "mu_p"), _mu(mu_q, "mu_q")
    with np.errstate(over="ignore", divide="ignore"):
        t = (sigma_p - sigma_q) / sigma_q
        log_ratio = np.where(np.abs(t) < 0.5, np.log1p(t), np.log(sigma_p) - np.log(sigma_q))
        return ((t - log_ratio) + t**2 / 2 + ((mu_p - mu_q) / sigma_q) ** 2 / 2) / scale(base)


def gaussian_cross_entropy(
    mu_p: ArrayLike, sigma_p: ArrayLike, mu_q: ArrayLike, sigma_q: ArrayLike, *, base: float | None = None
) -> np.ndarray:
    """H(p, q) of two Gaussians, exact, per dimension:
    ``log(2 pi sigma_q^2) / 2 + (sigma_p^2 + (mu_p - mu_q)^2) / (2 sigma_q^2)``.

    Args and errors as `gaussian_kl`.

    >>> bool(np.isclose(gaussian_cross_entropy(0, 2, 0, 2), gaussian_entropy(2.0)))
    True
    """
    return gaussian_entropy(sigma_p, base=base) + gaussian_kl(mu_p, sigma_p, mu_q, sigma_q, base=base)


def gaussian_kl_full(
    mu_p: ArrayLike, cov_p: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike, *, base: float | None = None
) -> float:
    """KL(p || q) of two Gaussians with covariance matrices, exact:
    ``(tr(cov_q^-1 cov_p) + (mu_q - mu_p)^T cov_q^-1 (mu_q - mu_p) - D + log det cov_q / det cov_p) / 2``.

    Args:
        mu_p, mu_q: (D,).
        cov_p, cov_q: (D, D), symmetric and positive definite.
        base: 2 for bits; nats otherwise.

    >>> round(float(gaussian_kl_full([1, 0], np.eye(2), [0, 0], np.eye(2))), 4)
    0.5
    """
    cov_p, cov_q = _cov(cov_p, "cov_p"), _cov(cov_q, "cov_q")
    mu_p, mu_q = _mu(mu_p, "mu_p"), _mu(mu_q, "mu_q")
    if not cov_p.shape == cov_q.shape == mu_p.shape * 2 == mu_q.shape * 2:
        shapes = f"mu_p {mu_p.shape}, cov_p {cov_p.shape}, mu_q {mu_q.shape}, cov_q {cov_q.shape}"
        raise ValueError(f"dimensions differ: {shapes}; they must be (D,) and (D, D)")
    shift = mu_q - mu_p
    trace = np.trace(np.linalg.solve(cov_q, cov_p))
    volume = np.linalg.slogdet(cov_q)[1] - np.linalg.slogdet(cov_p)[1]
    twice = trace + shift @ np.linalg.solve(cov_q, shift) - len(shift) + volume
    return max(float(twice), 0.0) / 2 / scale(base)


def gaussian_cross_entropy_full(
    mu_p: ArrayLike, cov_p: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike, *, base: float | None = None
) -> float:
    """H(p, q) of two Gaussians with covariance matrices, exact: ``H(p) + KL(p || q)``.

    Args and errors as `gaussian_kl_full`.

    >>> round(gaussian_cross_entropy_full([1], [[1.0]], [0], [[1.0]]) - float(gaussian_entropy(1.0)), 4)
    0.5
    """
    kl_full = gaussian_kl_full(mu_p, cov_p, mu_q, cov_q, base=base)
    return float(gaussian_entropy(cov=cov_p, base=base)) + kl_full
