"""Reasoning back from x to z: bounds on log p(x) from weighted samples, and two Markov chains to check an answer with.

Bounds work on numpy arrays and on torch tensors, and let gradients through. Chains are numpy, float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logsumexp


def elbo(log_weights: Any) -> Any:
    """Unbiased estimate of the evidence lower bound ``E_q[log p(x, z) - log q(z)] <= log p(x)``: the mean of the logs.

    Args:
        log_weights: (K, B) nats; ``log p(x, z_k) - log q(z_k)`` for K samples z_k of q, for each of B examples.

    Returns:
        (B,) nats.

    >>> elbo(np.log([[1.0], [4.0]])).round(6).tolist() == [round(math.log(2), 6)]
    True
    """
    return _weights(log_weights).mean(0)


def iwae_bound(log_weights: Any) -> Any:
    """Unbiased estimate of the importance-weighted lower bound on log p(x): the log of the mean of K weights,
    ``E[log 1/K sum_k p(x, z_k) / q(z_k)]``. For K = 1 it is the ELBO; it tightens as K grows.

    A single value may lie above log p(x). Its expectation may not.

    Args:
        log_weights: (K, B) nats, as in `elbo`.

    Returns:
        (B,) nats.

    Source: Burda, Grosse, Salakhutdinov (2016), equation 8.

    >>> iwae_bound(np.log([[1.0], [3.0]])).round(6).tolist() == [round(math.log(2), 6)]
    True
    """
    w = _weights(log_weights)
    total = logsumexp(w, axis=0) if isinstance(w, np.ndarray) else w.logsumexp(0)
    return total - math.log(len(w))


def effective_weights(log_weights: Any) -> Any:
    """How many of K weighted samples count: ``(sum w)^2 / sum w^2``, between 1 and K.

    It is itself an estimate, and too high when the samples that would carry most weight have not been seen.
    ``log_weights`` are (K, B) nats; a constant added to a column changes nothing. Where all weights of an example are
    zero, or one is nan, there is nothing to count: ValueError.

    Source: Kong (1992).

    >>> effective_weights(np.zeros((5, 1))).round(6).tolist()
    [5.0]
    """
    w = _weights(log_weights)
    largest = w.max(0) if isinstance(w, np.ndarray) else w.amax(0)
    lost = ~((largest > -math.inf) & (largest < math.inf))
    if bool(lost.any()):
        i = int(lost.nonzero()[0][0])
        raise ValueError(
            f"of example {i} the largest log-weight is {float(largest[i])}, so no sample counts: look for a density of "
            "0 or infinity, or for nan"
        )
    if isinstance(w, np.ndarray):
        return np.exp(2 * logsumexp(w, axis=0) - logsumexp(2 * w, axis=0))
    return (2 * w.logsumexp(0) - (2 * w).logsumexp(0)).exp()


@dataclass(frozen=True)
class Chains:
    """What a Markov chain visited: C chains that ran side by side, S steps each.

    Attributes:
        samples: (S, C, D) the states after each step.
        log_prob: (S, C) their log-density, nats, up to the constant that the target lacks.
        accepted: the share of proposals that were accepted.
    """

    samples: np.ndarray = field(repr=False)
    log_prob: np.ndarray = field(repr=False)
    accepted: float

    def after(self, warm_up: int) -> np.ndarray:
        """(N, D) all states but the first ``warm_up`` of each chain, in one heap."""
        return self.samples[warm_up:].reshape(-1, self.samples.shape[2])


def metropolis(
    log_prob: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    steps: int,
    scale: float,
    generator: np.random.Generator,
) -> Chains:
    """Random-walk Metropolis: propose ``z + scale * eps``, accept with probability ``min(1, p(new) / p(old))``.

    Args:
        log_prob: (C, D) -> (C,) log-density of the target in nats, up to a constant; -inf where there is none.
        start: (C, D), where each chain begins.
        steps: S.
        scale: standard deviation of a step, in units of z.

    Returns:
        `Chains`. Neighbouring states are alike: see `effective_sample_size`.

    Raises:
        ValueError: a chain starts where the target is zero or undefined, or ``start`` has the wrong shape.

    Source: Metropolis et al. (1953).
    """
    z, now = _start(log_prob, start, scale)

    def propose(z: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        new = z + scale * generator.standard_normal(z.shape)
        value = np.asarray(log_prob(new))
        return new, value, value - now

    return _run(propose, z, now, steps, generator)


def hmc(
    log_prob: Callable[[np.ndarray], np.ndarray],
    score: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    steps: int,
    step_size: float,
    leapfrog: int = 10,
    generator: np.random.Generator,
) -> Chains:
    """Hamiltonian Monte Carlo: give z a random kick, follow the slope for a while, accept by the energy's error.

    Args:
        log_prob: (C, D) -> (C,) as in `metropolis`.
        score: (C, D) -> (C, D) its gradient.
        start: (C, D).
        steps: S.
        step_size: length of one leapfrog step, in units of z; each trajectory draws its own, within 20 percent of it.
        leapfrog: steps of a trajectory.

    Returns and raises as `metropolis`.

    Source: Duane et al. (1987); Neal (2011), figure 2.
    """
    z, now = _start(log_prob, start, step_size)
    if leapfrog < 1:
        raise ValueError(f"leapfrog is how many steps a trajectory has, 1 or more; it is {leapfrog}")
    if np.shape(score(z)) != z.shape:
        raise ValueError(f"score must be shaped like the states, {z.shape}; its shape is {np.shape(score(z))}")

    def propose(z: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        kick = generator.standard_normal(z.shape)
        size = step_size * generator.uniform(0.8, 1.2)  # or a trajectory may return to where it began, for ever
        new, speed = z, kick + 0.5 * size * score(z)
        for i in range(leapfrog):
            new = new + size * speed
            speed = speed + (size if i < leapfrog - 1 else 0.5 * size) * score(new)
        value = np.asarray(log_prob(new))
        return new, value, value - now - 0.5 * (speed**2).sum(1) + 0.5 * (kick**2).sum(1)

    return _run(propose, z, now, steps, generator)


def effective_sample_size(samples: np.ndarray) -> np.ndarray:
    """How many independent samples the chains are worth for a mean: ``S C / (1 + 2 sum_t rho_t)``, an estimate.

    The sum of autocorrelations stops where pairs of them are no longer positive; chains that disagree count for little.

    Args:
        samples: (S, C, D), warm-up removed, S at least 4.

    Returns:
        (D,) one number for each coordinate, at most S C log10(S C).

    Raises:
        ValueError: the shape is another one, or a coordinate never moved.

    Source: Gelman et al. (2013), section 11.5; Geyer (1992) for where to stop.
    """
    x = _chains(samples)
    s, c, _ = x.shape
    centred = x - x.mean(0)
    padded = np.fft.rfft(centred, 2 * s, axis=0)
    covariance = np.fft.irfft(padded * padded.conj(), axis=0)[:s].mean(1) / s  # (S, D) by lag, mean over chains
    within = covariance[0] * s / (s - 1)
    spread = covariance[0] + (x.mean(0).var(0, ddof=1) if c > 1 else 0.0)  # (D,)
    rho = 1 - (within - covariance) / spread  # (S, D)
    rho[0] = 1.0
    pairs = rho[: s // 2 * 2].reshape(s // 2, 2, -1).sum(1)  # (S/2, D), positive and falling for a reversible chain
    alive = np.cumprod(pairs > 0, axis=0)
    pairs = np.minimum.accumulate(np.where(alive, pairs, 0.0), axis=0)
    return s * c / np.maximum(2 * pairs.sum(0) - 1, 1 / math.log10(s * c))


def r_hat(samples: np.ndarray) -> np.ndarray:
    """Do the chains tell the same story? Spread over all states against spread within half chains, an estimate.

    (D,) values close to 1 (below 1.01, say) if they do; larger if a chain still drifts, or sits elsewhere than others.

    Args:
        samples: (S, C, D), warm-up removed, S at least 4.

    Source: Gelman et al. (2013), section 11.4.
    """
    x = _chains(samples)
    half = len(x) // 2
    x = np.concatenate([x[:half], x[-half:]], axis=1)  # (S/2, 2C, D)
    within = x.var(0, ddof=1).mean(0)
    return np.sqrt((half - 1) / half + x.mean(0).var(0, ddof=1) / within)


def _weights(log_weights: Any) -> Any:
    """As they are, tensors; everything else as an array of floats, as whole numbers of 8 bits overflow in a sum."""
    if not hasattr(log_weights, "new_zeros"):
        log_weights = np.asarray(log_weights)
        if log_weights.dtype.kind in "biu":
            log_weights = log_weights.astype(np.float64)
    elif not log_weights.is_floating_point():
        log_weights = log_weights.double()
    shape = tuple(getattr(log_weights, "shape", ()))
    if len(shape) != 2 or shape[0] == 0:
        raise ValueError(f"log_weights are (K, B), K samples for each of B examples; these have shape {shape}")
    return log_weights


def _chains(samples: np.ndarray) -> np.ndarray:
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 3 or len(x) < 4:
        raise ValueError(f"samples are (S, C, D) with S at least 4; not {x.shape}. Add axes with x[:, None]")
    if not np.isfinite(x).all():  # a comparison with nan is false, and the sum of correlations would end at once
        s, c, d = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"state {s} of chain {c} holds {x[s, c, d]}; states must be finite")
    stuck = np.flatnonzero((x.var(0) == 0).all(0))
    if len(stuck):
        raise ValueError(f"coordinate {stuck[0]} never moved: every proposal was refused. Take smaller steps")
    return x


def _start(log_prob: Callable, start: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    z = np.array(start, dtype=np.float64)
    if z.ndim != 2 or not z.size:
        raise ValueError(f"start is (C, D), one row for each chain; its shape is {z.shape}")
    if not 0 < scale < math.inf:
        raise ValueError(f"a step must be positive and finite; it is {scale!r}")
    now = np.asarray(log_prob(z), dtype=np.float64)
    if now.shape != (len(z),):
        raise ValueError(f"log_prob must give one number for each of {len(z)} chains; its shape is {now.shape}")
    if not np.isfinite(now).all():
        raise ValueError(f"chain {np.flatnonzero(~np.isfinite(now))[0]} starts where the log-density is not finite")
    return z, now


def _run(propose: Callable, z: np.ndarray, now: np.ndarray, steps: int, generator: np.random.Generator) -> Chains:
    if steps < 1:
        raise ValueError(f"steps is how many states of each chain are wanted, 1 or more; it is {steps}")
    samples, values, accepted = np.empty((steps, *z.shape)), np.empty((steps, len(z))), 0
    for s in range(steps):
        new, value, gain = propose(z, now)
        yes = np.log1p(-generator.random(len(z))) < gain  # nan is refused
        z, now = np.where(yes[:, None], new, z), np.where(yes, value, now)
        samples[s], values[s], accepted = z, now, accepted + yes.sum()
    return Chains(samples, values, float(accepted) / (steps * len(z)))
