"""Entropy, divergences and mutual information of arrays of probabilities. Nats, unless ``base=2`` says bits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


def _floats(values, name: str, what: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be {what}; it is {type(values).__name__}: {error}") from None


def _refuse(bad: np.ndarray, values: np.ndarray, name: str, why: str) -> None:
    """ValueError that names the first bad value and its place."""
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"[{', '.join(map(str, at))}]" if at else ""
        raise ValueError(f"{name}{where} = {values[at]} {why}")


def _distribution(p, name: str, axes: tuple[int, ...] = (-1,)) -> np.ndarray:
    """``p`` as float64, nonnegative and summing to 1 over the axes (to 1e-6), or ValueError."""
    p = _floats(p, name, "an array of probabilities")
    if p.ndim < len(axes) or p.size == 0:
        raise ValueError(f"{name} needs at least {len(axes)} axes with something in them; its shape is {p.shape}")
    _refuse(~(np.isfinite(p) & (p >= 0)), p, name, "is not a probability; they are finite and not negative")
    total = p.sum(axes, keepdims=True)
    off = np.abs(total - 1)
    if (off > 1e-6).any():
        worst = np.unravel_index(np.argmax(off), total.shape)
        summed = {axis % p.ndim for axis in axes}
        place = [":" if axis in summed else str(i) for axis, i in enumerate(worst)]
        where = f"[{', '.join(place)}]" if p.ndim > len(axes) else ""
        raise ValueError(
            f"{name}{where} sums to {total[worst]:.6g}, not to 1; if these are counts, divide them by their sum first"
        )
    return p


def _scale(base: float | None) -> float:
    """Nats per unit of the given base."""
    if base is None:
        return 1.0
    if not isinstance(base, (int, float, np.number)) or not 1 < base < math.inf:
        raise ValueError(f"base must be a number above 1; it is {base!r}. Use base=2 for bits, or none for nats")
    return math.log(base)


def _pair(p, q, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    p, q = _distribution(p, "p", (axis,)), _distribution(q, "q", (axis,))
    if p.shape[axis] != q.shape[axis]:
        raise ValueError(f"p has {p.shape[axis]} outcomes and q has {q.shape[axis]}; they must be over the same ones")
    try:
        return tuple(np.broadcast_arrays(p, q))
    except ValueError:
        raise ValueError(
            f"shapes {p.shape} of p and {q.shape} of q cannot be compared; their other axes must match"
        ) from None


def _xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x log y with 0 log 0 = 0 and x log 0 = -inf."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, x * np.log(y), 0.0)


def _divergence(p: np.ndarray, q: np.ndarray, axis: int = -1) -> np.ndarray:
    """KL(p || q) in nats. Each term p log(p/q) - p + q is at least 0, so rounding cannot make the sum negative."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = (q - p) / p
        near, far = p * (t - np.log1p(t)), p * (np.log(p) - np.log(q)) - p + q  # log1p where p and q nearly agree
    terms = np.where(p > 0, np.where(np.abs(t) < 0.5, near, far), q)
    return np.maximum(terms.sum(axis), 0.0)


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
    p = _floats(p, "p", "probabilities")
    _refuse(~((p >= 0) & (p <= 1)), p, "p", "is not a probability; they lie between 0 and 1")
    with np.errstate(divide="ignore"):
        return np.abs(np.log(p)) / _scale(base)


def entropy(p, *, axis: int = -1, base: float | None = None) -> np.ndarray:
    """Entropy of a distribution, exact: ``H(p) = -sum_k p_k log p_k``, with 0 log 0 = 0.

    Args:
        p: (..., K) probabilities.
        axis: where the K outcomes lie; the last one if not said.
        base: 2 for bits; nats otherwise.

    Returns:
        (...) array, or a number for one distribution.

    Raises:
        ValueError: a value is negative or not finite, or the sum is not 1; names it.

    Source: Shannon (1948), section 6.

    >>> float(entropy([0.5, 0.25, 0.25], base=2))
    1.5
    """
    p = _distribution(p, "p", (axis,))
    return np.abs(_xlogy(p, p).sum(axis)) / _scale(base)


def cross_entropy(p, q, *, axis: int = -1, base: float | None = None) -> np.ndarray:
    """Expected cost of coding p with the code of q, exact: ``H(p, q) = -sum_k p_k log q_k = H(p) + KL(p || q)``.

    Args:
        p, q: (..., K) probabilities; the other axes broadcast.
        axis: where the K outcomes lie.
        base: 2 for bits; nats otherwise.

    Returns:
        (...); infinite if p gives weight where q has none.

    Raises:
        ValueError: as `entropy`, or the shapes do not match.

    >>> float(cross_entropy([0.5, 0.5], [0.25, 0.75], base=2)) > 1
    True
    """
    p, q = _pair(p, q, axis)
    return (0.0 - _xlogy(p, q).sum(axis)) / _scale(base)  # 0.0 - 0.0 is not -0.0


def kl(p, q, *, axis: int = -1, base: float | None = None) -> np.ndarray:
    """Kullback-Leibler divergence, exact: ``KL(p || q) = sum_k p_k log(p_k / q_k)``; never negative, 0 only for p = q.

    Args:
        p, q: (..., K) probabilities; p is the truth, q the belief.
        axis: where the K outcomes lie.
        base: 2 for bits; nats otherwise.

    Returns:
        (...); infinite if p gives weight where q has none.

    Raises:
        ValueError: as `cross_entropy`.

    Source: Kullback and Leibler (1951).

    >>> float(kl([1.0, 0.0], [0.25, 0.75], base=2)), float(kl([0.5, 0.5], [1.0, 0.0]))
    (2.0, inf)
    """
    p, q = _pair(p, q, axis)
    return _divergence(p, q, axis) / _scale(base)


def js(p, q, *, axis: int = -1, base: float | None = None) -> np.ndarray:
    """Jensen-Shannon divergence, exact: ``JS = KL(p || m) / 2 + KL(q || m) / 2`` with m = (p + q) / 2; at most 1 bit.

    Args:
        p, q: (..., K) probabilities.
        axis: where the K outcomes lie.
        base: 2 for bits; nats otherwise.

    Returns:
        (...), between 0 and log 2; symmetric.

    Raises:
        ValueError: as `cross_entropy`.

    Source: Lin (1991).

    >>> float(js([1.0, 0.0], [0.0, 1.0], base=2))
    1.0
    """
    p, q = _pair(p, q, axis)
    m = (p + q) / 2
    m = np.where(m > 0, m, np.maximum(p, q))  # half of the smallest float rounds to 0: keep the support
    return (_divergence(p, m, axis) + _divergence(q, m, axis)) / 2 / _scale(base)


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
    px = joint.sum(-1, keepdims=True)  # (..., A, 1)
    py = joint.sum(-2, keepdims=True) / joint.sum((-2, -1), keepdims=True)  # (..., 1, B)
    # the mean over x of KL(p(y | x) || p(y)): the product p(x) p(y) could underflow to 0, and the result be infinite
    given_x = np.divide(joint, px, out=np.broadcast_to(py, joint.shape).copy(), where=px > 0)
    return (px[..., 0] * _divergence(given_x, py)).sum(-1) / _scale(base)


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
    counts = _floats(counts, "counts", "an array of counts")
    if counts.ndim == 0:
        raise ValueError(f"counts must be an array with the symbols along its last axis; it is the number {counts}")
    _refuse(~(np.isfinite(counts) & (counts >= 0)), counts, "counts", "is no count; they are finite and not negative")
    n = counts.sum(-1, keepdims=True)
    if (n == 0).any():
        raise ValueError("there are no counts: nothing was observed, so there is nothing to estimate")
    h = entropy(counts / n)
    if correct:
        h = h + ((counts > 0).sum(-1) - 1) / (2 * n[..., 0])
    return h / _scale(base)


# Gaussians ------------------------------------------------------------------------------------------------------------


def _mu(mu, name: str) -> np.ndarray:
    mu = _floats(mu, name, "a mean")
    _refuse(~np.isfinite(mu), mu, name, "is not a mean; it must be finite")
    return mu


def _sigma(sigma, name: str) -> np.ndarray:
    sigma = _floats(sigma, name, "a standard deviation")
    _refuse(~(np.isfinite(sigma) & (sigma > 0)), sigma, name, "is not a standard deviation: positive, finite")
    return sigma


def _cov(cov, name: str) -> np.ndarray:
    cov = _floats(cov, name, "a covariance matrix")
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1] or cov.size == 0:
        raise ValueError(f"{name} must be a symmetric (D, D) matrix; its shape is {cov.shape}")
    _refuse(~np.isfinite(cov), cov, name, "is not finite")
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
        ValueError: a standard deviation is not positive, or a mean not finite.

    >>> float(gaussian_kl(1.0, 1.0, 0.0, 1.0))
    0.5
    """
    sigma_p, sigma_q = _sigma(sigma_p, "sigma_p"), _sigma(sigma_q, "sigma_q")
    mu_p, mu_q = _mu(mu_p, "mu_p"), _mu(mu_q, "mu_q")
    with np.errstate(over="ignore", divide="ignore"):
        t = (sigma_p - sigma_q) / sigma_q
        log_ratio = np.where(np.abs(t) < 0.5, np.log1p(t), np.log(sigma_p) - np.log(sigma_q))
        return ((t - log_ratio) + t**2 / 2 + ((mu_p - mu_q) / sigma_q) ** 2 / 2) / _scale(base)


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
    mu_p, mu_q = _mu(mu_p, "mu_p"), _mu(mu_q, "mu_q")
    if not cov_p.shape == cov_q.shape == mu_p.shape * 2 == mu_q.shape * 2:
        shapes = f"mu_p {mu_p.shape}, cov_p {cov_p.shape}, mu_q {mu_q.shape}, cov_q {cov_q.shape}"
        raise ValueError(f"dimensions differ: {shapes}; they must be (D,) and (D, D)")
    shift = mu_q - mu_p
    trace = np.trace(np.linalg.solve(cov_q, cov_p))
    volume = np.linalg.slogdet(cov_q)[1] - np.linalg.slogdet(cov_p)[1]
    twice = trace + shift @ np.linalg.solve(cov_q, shift) - len(shift) + volume
    return max(float(twice), 0.0) / 2 / _scale(base)


def gaussian_cross_entropy_full(mu_p, cov_p, mu_q, cov_q, *, base: float | None = None) -> float:
    """H(p, q) of two Gaussians with covariance matrices, exact: ``H(p) + KL(p || q)``.

    Args and errors as `gaussian_kl_full`.

    >>> round(gaussian_cross_entropy_full([1], [[1.0]], [0], [[1.0]]) - float(gaussian_entropy(1.0)), 4)
    0.5
    """
    kl_full = gaussian_kl_full(mu_p, cov_p, mu_q, cov_q, base=base)
    return float(gaussian_entropy(cov=cov_p, base=base)) + kl_full


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
        `Estimate`: value and standard error; infinite with an error of NaN where q misses a sample.

    Raises:
        ValueError: unknown estimator, shapes that differ, fewer than two samples, NaN, or a sample with p(x) = 0.

    Source: Schulman (2020).

    >>> kl_monte_carlo([0.0, 0.0], [0.0, 0.0]).value
    0.0
    """
    log_p, log_q = _floats(log_p, "log_p", "log-densities"), _floats(log_q, "log_q", "log-densities")
    if log_p.ndim != 1 or log_p.shape != log_q.shape or len(log_p) < 2:
        raise ValueError(
            f"log_p and log_q need one shape (n,), n at least 2; they have {log_p.shape} and {log_q.shape}"
        )
    _refuse(~np.isfinite(log_p), log_p, "log_p", "is not finite; at a sample of p, p(x) is neither 0 nor infinite")
    _refuse(~(log_q < np.inf), log_q, "log_q", "is not the log of a density; it must be finite, or -inf")
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
