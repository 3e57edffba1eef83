"""Entropy, divergences and mutual information of arrays of probabilities. Nats, unless ``base=2`` says bits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from genutils.information.arguments import distribution, floats, refuse, scale, tolerance


def _pair(p: ArrayLike, q: ArrayLike, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    p, q = distribution(p, "p", (axis,)), distribution(q, "q", (axis,))
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


def surprisal(p: ArrayLike, *, base: float | None = None) -> np.ndarray:
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
    most = 1 + tolerance(p, 1)  # what float32 makes of 1
    p = floats(p, "p", "probabilities")
    refuse(~((p >= 0) & (p <= most)), p, "p", "is not a probability; they lie between 0 and 1")
    with np.errstate(divide="ignore"):
        return np.abs(np.log(np.minimum(p, 1.0))) / scale(base)


def entropy(p: ArrayLike, *, axis: int = -1, base: float | None = None) -> np.ndarray:
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
    p = distribution(p, "p", (axis,))
    return np.abs(_xlogy(p, p).sum(axis)) / scale(base)


def cross_entropy(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float | None = None) -> np.ndarray:
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
    return (0.0 - _xlogy(p, q).sum(axis)) / scale(base)  # 0.0 - 0.0 is not -0.0


def kl(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float | None = None) -> np.ndarray:
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
    return _divergence(p, q, axis) / scale(base)


def js(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float | None = None) -> np.ndarray:
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
    return (_divergence(p, m, axis) + _divergence(q, m, axis)) / 2 / scale(base)


def joint_entropy(joint: ArrayLike, *, base: float | None = None) -> np.ndarray:
    """Entropy of a table of joint probabilities, exact: ``H(X, Y) = -sum_xy p(x, y) log p(x, y)``.

    Args:
        joint: (..., A, B); the table sums to 1.
        base: 2 for bits; nats otherwise.

    >>> float(joint_entropy([[0.25, 0.25], [0.25, 0.25]], base=2))
    2.0
    """
    joint = distribution(joint, "joint", (-2, -1))
    return np.abs(_xlogy(joint, joint).sum((-2, -1))) / scale(base)


def conditional_entropy(joint: ArrayLike, *, given: str = "x", base: float | None = None) -> np.ndarray:
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
    joint = distribution(joint, "joint", (-2, -1))
    known = joint.sum(-1 if given == "x" else -2)
    return np.maximum(joint_entropy(joint, base=base) - entropy(known, base=base), 0.0)


def mutual_information(joint: ArrayLike, *, base: float | None = None) -> np.ndarray:
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
    joint = distribution(joint, "joint", (-2, -1))
    px = joint.sum(-1, keepdims=True)  # (..., A, 1)
    py = joint.sum(-2, keepdims=True) / joint.sum((-2, -1), keepdims=True)  # (..., 1, B)
    # the mean over x of KL(p(y | x) || p(y)): the product p(x) p(y) could underflow to 0, and the result be infinite
    given_x = np.divide(joint, px, out=np.broadcast_to(py, joint.shape).copy(), where=px > 0)
    return (px[..., 0] * _divergence(given_x, py)).sum(-1) / scale(base)


def plug_in_entropy(counts: ArrayLike, *, correct: bool = False, base: float | None = None) -> np.ndarray:
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
    counts = floats(counts, "counts", "an array of counts")
    if counts.ndim == 0:
        raise ValueError(f"counts must be an array with the symbols along its last axis; it is the number {counts}")
    refuse(~(np.isfinite(counts) & (counts >= 0)), counts, "counts", "is no count; they are finite and not negative")
    n = counts.sum(-1, keepdims=True)
    if (n == 0).any():
        raise ValueError("there are no counts: nothing was observed, so there is nothing to estimate")
    h = entropy(counts / n)
    if correct:
        h = h + ((counts > 0).sum(-1) - 1) / (2 * n[..., 0])
    return h / scale(base)


# Monte Carlo ----------------------------------------------------------------------------------------------------------


class Estimate(NamedTuple):
    """A Monte Carlo estimate and its standard error, in the same unit."""

    value: float
    stderr: float


def kl_monte_carlo(log_p: ArrayLike, log_q: ArrayLike, *, estimator: str = "k1", base: float | None = None) -> Estimate:
    """An *estimate* of KL(p || q) from samples x ~ p, by the log-densities at them. With r = q(x) / p(x):

    ``k1``: mean of -log r; unbiased, may come out negative. ``k2``: mean of (log r)^2 / 2; biased, low variance for p
    near q. ``k3``: mean of (r - 1) - log r; never negative, low variance near q but a high one far away; unbiased if q
    puts no mass where p has none, and otherwise too small by that mass, which no sample of p can show. Where q is much
    wider than p (Gaussians: more than twice the variance) k3 has no variance, and its standard error says too little.

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
    log_p, log_q = floats(log_p, "log_p", "log-densities"), floats(log_q, "log_q", "log-densities")
    if log_p.ndim != 1 or log_p.shape != log_q.shape or len(log_p) < 2:
        raise ValueError(
            f"log_p and log_q need one shape (n,), n at least 2; they have {log_p.shape} and {log_q.shape}"
        )
    refuse(~np.isfinite(log_p), log_p, "log_p", "is not finite; at a sample of p, p(x) is neither 0 nor infinite")
    refuse(~(log_q < np.inf), log_q, "log_q", "is not the log of a density; it must be finite, or -inf")
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
        unit = scale(base)
        return Estimate(float(terms.mean()) / unit, float(terms.std(ddof=1)) / math.sqrt(len(terms)) / unit)
