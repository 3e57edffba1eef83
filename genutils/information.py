"""Entropy, divergences and mutual information of arrays of probabilities. Nats, unless ``base=2`` says bits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


def _distribution(p, name: str, axes: tuple[int, ...] = (-1,)) -> np.ndarray:
    """``p`` as float64, nonnegative and summing to 1 over the axes (to 1e-6), or ValueError."""
    try:
        p = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of probabilities; it is {type(p).__name__}: {error}") from None
    if p.ndim < len(axes) or p.size == 0:
        raise ValueError(f"{name} needs at least {len(axes)} axes with something in them; its shape is {p.shape}")
    bad = ~(np.isfinite(p) & (p >= 0))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = ", ".join(map(str, at))
        raise ValueError(f"{name}[{where}] = {p[at]} is not a probability; they are finite and not negative")
    total = p.sum(axes)
    off = np.abs(total - 1)
    if (off > 1e-6).any():
        worst = np.ravel(total)[np.argmax(off)]
        raise ValueError(f"{name} sums to {worst:.6g}, not to 1; if these are counts, divide them by their sum first")
    return p


def _scale(base: float | None) -> float:
    """Nats per unit of the given base."""
    if base is None:
        return 1.0
    if not base > 0 or base == 1:
        raise ValueError(f"base must be positive and not 1; it is {base}. Use base=2 for bits, or none for nats")
    return math.log(base)


def _pair(p, q) -> tuple[np.ndarray, np.ndarray]:
    p, q = _distribution(p, "p"), _distribution(q, "q")
    if p.shape[-1] != q.shape[-1]:
        raise ValueError(f"p has {p.shape[-1]} outcomes and q has {q.shape[-1]}; they must be over the same ones")
    try:
        return tuple(np.broadcast_arrays(p, q))
    except ValueError:
        raise ValueError(
            f"shapes {p.shape} of p and {q.shape} of q cannot be compared; their leading axes must match"
        ) from None


def _xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x log y with 0 log 0 = 0 and x log 0 = -inf."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, x * np.log(y), 0.0)


def surprisal(p, *, base: float | None = None) -> np.ndarray:
    """Surprise of outcomes, exact: ``-log p``.

    Args:
        p: probabilities of any shape, each between 0 and 1.
        base: 2 for bits; nats otherwise.

    Returns:
        Array shaped like ``p``; infinite where ``p`` is 0.

    Raises:
        ValueError: a value is not a probability.

    >>> float(surprisal(1 / 8, base=2))
    3.0
    """
    p = np.asarray(p, dtype=np.float64)
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        raise ValueError(f"{p[bad].flat[0]} is not a probability; they lie between 0 and 1")
    with np.errstate(divide="ignore"):
        return np.abs(np.log(p)) / _scale(base)


def entropy(p, *, base: float | None = None) -> np.ndarray:
    """Entropy of a distribution, exact: ``H(p) = -sum_k p_k log p_k``, with 0 log 0 = 0.

    Args:
        p: (..., K) probabilities.
        base: 2 for bits; nats otherwise.

    Returns:
        (...) array, or a number for one distribution.

    Raises:
        ValueError: a value is negative or not finite, or the sum is not 1; names it.

    Source: Shannon (1948), section 6.

    >>> float(entropy([0.5, 0.25, 0.25], base=2))
    1.5
    """
    p = _distribution(p, "p")
    return np.abs(_xlogy(p, p).sum(-1)) / _scale(base)


def cross_entropy(p, q, *, base: float | None = None) -> np.ndarray:
    """Expected cost of coding p with the code of q, exact: ``H(p, q) = -sum_k p_k log q_k = H(p) + KL(p || q)``.

    Args:
        p, q: (..., K) probabilities; leading axes broadcast.
        base: 2 for bits; nats otherwise.

    Returns:
        (...); infinite if p gives weight where q has none.

    Raises:
        ValueError: as `entropy`, or the shapes do not match.

    >>> float(cross_entropy([0.5, 0.5], [0.25, 0.75], base=2)) > 1
    True
    """
    p, q = _pair(p, q)
    return -_xlogy(p, q).sum(-1) / _scale(base)


def kl(p, q, *, base: float | None = None) -> np.ndarray:
    """Kullback-Leibler divergence, exact: ``KL(p || q) = sum_k p_k log(p_k / q_k)``; never negative, 0 only for p = q.

    Args:
        p, q: (..., K) probabilities; p is the truth, q the belief.
        base: 2 for bits; nats otherwise.

    Returns:
        (...); infinite if p gives weight where q has none.

    Raises:
        ValueError: as `cross_entropy`.

    Source: Kullback and Leibler (1951).

    >>> float(kl([1.0, 0.0], [0.25, 0.75], base=2)), float(kl([0.5, 0.5], [1.0, 0.0]))
    (2.0, inf)
    """
    p, q = _pair(p, q)
    # p log(p/q) - p + q is never negative, term by term, so no rounding can make the sum so; near p = q by log1p
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = (q - p) / p
        near, far = p * (t - np.log1p(t)), p * (np.log(p) - np.log(q)) - p + q
    terms = np.where(p > 0, np.where(np.abs(t) < 0.5, near, far), q)
    return np.maximum(terms.sum(-1), 0.0) / _scale(base)


def js(p, q, *, base: float | None = None) -> np.ndarray:
    """Jensen-Shannon divergence, exact: ``JS = KL(p || m) / 2 + KL(q || m) / 2`` with m = (p + q) / 2; at most 1 bit.

    Args:
        p, q: (..., K) probabilities.
        base: 2 for bits; nats otherwise.

    Returns:
        (...), between 0 and log 2; symmetric.

    Raises:
        ValueError: as `cross_entropy`.

    Source: Lin (1991).

    >>> float(js([1.0, 0.0], [0.0, 1.0], base=2))
    1.0
    """
    p, q = _pair(p, q)
    m = (p + q) / 2
    return (kl(p, m, base=base) + kl(q, m, base=base)) / 2


def joint_entropy(joint, *, base: float | None = None) -> np.ndarray:
    """Entropy of a table of joint probabilities, exact: ``H(X, Y) = -sum_xy p(x, y) log p(x, y)``.

    Args:
        joint: (..., A, B); the table sums to 1.
        base: 2 for bits; nats otherwise.

    >>> float(joint_entropy([[0.25, 0.25], [0.25, 0.25]], base=2))
    2.0
    """
    joint = _distribution(joint, "joint", (-2, -1))
    return np.abs(_xlogy(joint, joint).sum((-2, -1))) / _scale(base)


def conditional_entropy(joint, *, given: str = "x", base: float | None = None) -> np.ndarray:
    """What is left to say of one part when the other is known, exact: ``H(Y | X) = H(X, Y) - H(X)``.

    Args:
        joint: (..., A, B) probabilities p(x, y); x is the row, y the column.
        given: ``"x"`` for H(Y | X), ``"y"`` for H(X | Y).
        base: 2 for bits; nats otherwise.

    Raises:
        ValueError: as `entropy`, or ``given`` is neither x nor y.

    >>> float(conditional_entropy([[0.5, 0.0], [0.25, 0.25]], base=2))  # rows: certain, a coin
    0.5
    """
    if given not in ("x", "y"):
        raise ValueError(f"given is 'x' (the row) or 'y' (the column); it was {given!r}")
    joint = _distribution(joint, "joint", (-2, -1))
    known = joint.sum(-1 if given == "x" else -2)
    return np.maximum(joint_entropy(joint, base=base) - entropy(known, base=base), 0.0)


def mutual_information(joint, *, base: float | None = None) -> np.ndarray:
    """What two parts know about each other, exact: ``I(X; Y) = KL(p(x, y) || p(x) p(y))``.

    Args:
        joint: (..., A, B) probabilities; x is the row, y the column.
        base: 2 for bits; nats otherwise.

    Returns:
        (...), never negative, and 0 only if X and Y are independent.

    Source: Shannon (1948); Cover and Thomas (2006), section 2.3.

    >>> round(float(mutual_information([[0.5, 0.0], [0.0, 0.5]], base=2)), 12)
    1.0
    """
    joint = _distribution(joint, "joint", (-2, -1))
    product = joint.sum(-1, keepdims=True) * joint.sum(-2, keepdims=True)
    flat = joint.shape[:-2] + (-1,)
    return kl(joint.reshape(flat), product.reshape(flat), base=base)


def plug_in_entropy(counts, *, correct: bool = False, base: float | None = None) -> np.ndarray:
    """Entropy of observed frequencies: an *estimate*, too low on average by about (K - 1) / 2n nats.

    Args:
        counts: (..., K) nonnegative counts.
        correct: add Miller and Madow's correction, (seen - 1) / 2n nats, over the symbols seen.
        base: 2 for bits; nats otherwise.

    Raises:
        ValueError: a count is negative or not finite, or there are none.

    Source: Miller (1955).

    >>> float(plug_in_entropy([1, 1], base=2)), round(float(plug_in_entropy([1, 1], correct=True)), 4)
    (1.0, 0.9431)
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim == 0 or not (np.isfinite(counts) & (counts >= 0)).all():
        raise ValueError("counts must be nonnegative numbers along the last axis")
    n = counts.sum(-1, keepdims=True)
    if (n == 0).any():
        raise ValueError("there are no counts: nothing was observed, so there is nothing to estimate")
    h = entropy(counts / n)
    if correct:
        h = h + ((counts > 0).sum(-1) - 1) / (2 * n[..., 0])
    return h / _scale(base)


# Gaussians ------------------------------------------------------------------------------------------------------------


def _sigma(sigma, name: str) -> np.ndarray:
    sigma = np.asarray(sigma, dtype=np.float64)
    if not (np.isfinite(sigma) & (sigma > 0)).all():
        worst = np.ravel(sigma)[np.argmin(np.nan_to_num(np.ravel(sigma), nan=-np.inf))]
        raise ValueError(f"{name} must be a positive standard deviation; it holds {worst}")
    return sigma


def _cov(cov, name: str) -> np.ndarray:
    cov = np.asarray(cov, dtype=np.float64)
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1] or not np.allclose(cov, cov.T):
        raise ValueError(f"{name} must be a symmetric (D, D) matrix; its shape is {cov.shape}")
    try:
        np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        low = np.linalg.eigvalsh(cov)[0]
        raise ValueError(f"{name} is not positive definite: its smallest eigenvalue is {low:.3g}") from None
    return cov


def gaussian_entropy(sigma=None, *, cov=None, base: float | None = None) -> np.ndarray:
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
        return np.linalg.slogdet(2 * math.pi * math.e * cov)[1] / 2 / _scale(base)
    return (0.5 * math.log(2 * math.pi * math.e) + np.log(_sigma(sigma, "sigma"))) / _scale(base)


def gaussian_kl(mu_p, sigma_p, mu_q, sigma_q, *, base: float | None = None) -> np.ndarray:
    """KL(p || q) of two Gaussians, exact, one value per dimension (sum them for a diagonal Gaussian):
    ``log(sigma_q / sigma_p) + (sigma_p^2 + (mu_p - mu_q)^2) / (2 sigma_q^2) - 1/2``.

    Args:
        mu_p, sigma_p, mu_q, sigma_q: shapes that broadcast; sigma is the standard deviation, not the variance.
        base: 2 for bits; nats otherwise.

    Returns:
        The broadcast shape, not summed.

    Raises:
        ValueError: a standard deviation is not positive.

    >>> float(gaussian_kl(1.0, 1.0, 0.0, 1.0))
    0.5
    """
    sigma_p, sigma_q = _sigma(sigma_p, "sigma_p"), _sigma(sigma_q, "sigma_q")
    ratio = sigma_p / sigma_q
    shift = (np.asarray(mu_p, dtype=np.float64) - np.asarray(mu_q, dtype=np.float64)) / sigma_q
    return (0.5 * (ratio**2 - 1 + shift**2) - np.log(ratio)) / _scale(base)


def gaussian_cross_entropy(mu_p, sigma_p, mu_q, sigma_q, *, base: float | None = None) -> np.ndarray:
    """H(p, q) of two Gaussians, exact, per dimension:
    ``log(2 pi sigma_q^2) / 2 + (sigma_p^2 + (mu_p - mu_q)^2) / (2 sigma_q^2)``.

    Args and errors as `gaussian_kl`.

    >>> bool(np.isclose(gaussian_cross_entropy(0, 2, 0, 2), gaussian_entropy(2.0)))
    True
    """
    return gaussian_entropy(sigma_p, base=base) + gaussian_kl(mu_p, sigma_p, mu_q, sigma_q, base=base)


def gaussian_kl_full(mu_p, cov_p, mu_q, cov_q, *, base: float | None = None) -> float:
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
    mu_p, mu_q = np.asarray(mu_p, dtype=np.float64), np.asarray(mu_q, dtype=np.float64)
    if not cov_p.shape == cov_q.shape == mu_p.shape * 2 == mu_q.shape * 2:
        shapes = f"mu_p {mu_p.shape}, cov_p {cov_p.shape}, mu_q {mu_q.shape}, cov_q {cov_q.shape}"
        raise ValueError(f"dimensions differ: {shapes}; they must be (D,) and (D, D)")
    shift = mu_q - mu_p
    trace = np.trace(np.linalg.solve(cov_q, cov_p))
    volume = np.linalg.slogdet(cov_q)[1] - np.linalg.slogdet(cov_p)[1]
    return 0.5 * (trace + shift @ np.linalg.solve(cov_q, shift) - len(shift) + volume) / _scale(base)


# Monte Carlo ----------------------------------------------------------------------------------------------------------


class Estimate(NamedTuple):
    """A Monte Carlo estimate and its standard error, in the same unit."""

    value: float
    stderr: float


def kl_monte_carlo(log_p, log_q, *, estimator: str = "k1", base: float | None = None) -> Estimate:
    """An *estimate* of KL(p || q) from samples x ~ p, by the log-densities at them. With r = q(x) / p(x):

    ``k1``: mean of -log r; unbiased, may come out negative. ``k2``: mean of (log r)^2 / 2; biased, low variance for p
    near q. ``k3``: mean of (r - 1) - log r; unbiased, never negative, low variance near q but a high one far away.

    Args:
        log_p, log_q: (n,) log-densities in nats of p and q at n >= 2 independent samples *from p*.
        estimator: ``"k1"``, ``"k2"`` or ``"k3"``.
        base: 2 for bits; nats otherwise.

    Returns:
        `Estimate`: value and standard error.

    Raises:
        ValueError: unknown estimator, shapes that differ, fewer than two samples, NaN, or a sample with p(x) = 0.

    Source: Schulman (2020).

    >>> kl_monte_carlo([0.0, 0.0], [0.0, 0.0]).value
    0.0
    """
    log_p, log_q = np.asarray(log_p, dtype=np.float64), np.asarray(log_q, dtype=np.float64)
    if log_p.ndim != 1 or log_p.shape != log_q.shape or len(log_p) < 2:
        raise ValueError(
            f"log_p and log_q need one shape (n,), n at least 2; they have {log_p.shape} and {log_q.shape}"
        )
    if np.isnan(log_p).any() or np.isnan(log_q).any() or not np.isfinite(log_p).all():
        raise ValueError("log_p must be finite and log_q not NaN at every sample; a sample of p cannot have p(x) = 0")
    log_r = log_q - log_p
    with np.errstate(over="ignore", invalid="ignore"):
        if estimator == "k1":
            terms = -log_r
        elif estimator == "k2":
            terms = log_r**2 / 2
        elif estimator == "k3":
            terms = np.expm1(log_r) - log_r
        else:
            raise ValueError(f"no estimator {estimator!r}; there are k1, k2 and k3")
        unit = _scale(base)
        return Estimate(float(terms.mean()) / unit, float(terms.std(ddof=1)) / math.sqrt(len(terms)) / unit)
