"""Checks of lesson 14, variational autoencoders: closed forms, evidence that is known, and sums over the right axes."""

from __future__ import annotations

import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import BITS, brief, expect_close, numbers, unchanged


def _rate(mu, log_sigma):
    return 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1) - log_sigma  # (B, K)


# 14.1 -----------------------------------------------------------------------------------------------------------------


@exercise("14.1", "rate", points=1)
def _(answer, rng):
    for b, k in ((4, 3), (3, 1)):
        mu, log_sigma = rng.normal(size=(b, k)), rng.normal(size=(b, k)) * 0.7 - 0.5
        each = _rate(mu, log_sigma)
        expect_close(
            answer(mu.copy(), log_sigma.copy()),
            each.sum(1),
            "the sum over codes of (mu^2 + sigma^2 - 1)/2 - log sigma",
            given=f"mu = {brief(mu)}, log_sigma = {brief(log_sigma)}",
            mistakes=[
                (each.mean(1), "that is the mean over codes: independent codes' costs add up"),
                (each.sum(0), "axes: that is summed over the batch; sum over the codes"),
                (each.sum(1, keepdims=True), "one number for each example: shape (B,), not (B, 1)"),
                (each.sum(), "that is summed over the batch: one number for each example"),
                (each.sum(1).mean(), "that is averaged over the batch: one number for each example"),
                (each, "sum over the codes"),
                (-each.sum(1), "the sign: a divergence is never negative"),
                (
                    (0.5 * (mu**2 + np.exp(log_sigma) - 1 - log_sigma)).sum(1),
                    "log_sigma was taken for the logarithm of the variance: sigma^2 = exp(2 log_sigma)",
                ),
                ((0.5 * (mu**2 + np.exp(log_sigma) - 1) - log_sigma).sum(1), "sigma^2 = exp(2 log_sigma)"),
                (each.sum(1) / math.log(2), BITS),
                ((each - 0.5 * mu**2).sum(1), "the means are missing: a code far from 0 costs more"),
            ],
        )
    got = answer(np.zeros((2, 5)), np.zeros((2, 5)))
    expect_close(got, [0.0, 0.0], "a posterior equal to the prior costs nothing", given="mu = 0, log_sigma = 0")


# 14.2 -----------------------------------------------------------------------------------------------------------------


@exercise("14.2", "elbo", points=2)
def _(answer, rng):
    b, d, k, levels = 4, 6, 2, 5
    weights, start = rng.normal(size=(k, d * levels)), rng.normal(size=d * levels)

    def decoder(z):
        z = np.asarray(z, dtype=float)
        if z.ndim != 2 or z.shape[1] != k:
            raise ValueError(f"the decoder takes codes (B, {k}); it was given {z.shape}")
        return 3 + (np.tanh(z @ weights) + start).reshape(len(z), d, levels)

    x = rng.integers(levels, size=(b, d))
    mu, log_sigma, eps = rng.normal(size=(b, k)), rng.normal(size=(b, k)) * 0.5 - 0.5, rng.normal(size=(b, k))

    def surprise(z, normalised=True, axis=-1):
        logits = decoder(z)
        top = logits.max(axis, keepdims=True)
        if normalised:
            logits = logits - top - np.log(np.exp(logits - top).sum(axis, keepdims=True))
        return -np.take_along_axis(logits, x[..., None], -1)[..., 0]  # (B, D)

    z = mu + np.exp(log_sigma) * eps
    each = surprise(z)
    cost = _rate(mu, log_sigma).sum(1)
    want = -each.sum(1) - cost
    expect_close(
        answer(x.copy(), mu.copy(), log_sigma.copy(), decoder, eps.copy()),
        want,
        "log p(x | z) summed over pixels, minus the rate, at z = mu + sigma eps",
        given=f"B = {b}, D = {d}, K = {k}, L = {levels}",
        mistakes=[
            (-want, "the sign: that is the negative bound, a loss"),
            (-each.mean(1) - cost, "log p(x | z) is averaged over pixels while the rate is summed: sum both"),
            (-each.sum(1) + cost, "the rate is subtracted"),
            (-each.sum(1), "the rate is missing"),
            (-each.sum(1) - _rate(mu, log_sigma).mean(1), "the rate is averaged over codes: sum"),
            ([want.sum()], "one number for each example"),
            (want.mean(), "one number for each example"),
            (want / math.log(2), BITS),
            (-surprise(mu).sum(1) - cost, "z is mu: the noise is missing"),
            (-surprise(mu + np.exp(2 * log_sigma) * eps).sum(1) - cost, "z = mu + sigma eps: that is sigma squared"),
            (-surprise(mu + np.exp(log_sigma / 2) * eps).sum(1) - cost, "log_sigma is not the log-variance"),
            (-surprise(mu + log_sigma * eps).sum(1) - cost, "sigma is exp(log_sigma)"),
            (-surprise(z, False).sum(1) - cost, "the logits are not normalised: take their log-softmax"),
            (
                -surprise(z, axis=1).sum(1) - cost,
                "the softmax goes over the levels, the last axis, not over the pixels",
            ),
            (
                -each.sum(1) - (0.5 * (mu**2 + np.exp(log_sigma) - 1 - log_sigma)).sum(1),
                "the rate takes log_sigma for the logarithm of the variance",
            ),
        ],
    )


# 14.3 -----------------------------------------------------------------------------------------------------------------


@exercise("14.3", "gaussian_bound", points=3)
def _(answer, rng):
    b, d, k = 4, 5, 2
    for s in (0.3, 1.7):
        x, mean = rng.normal(size=(b, d)), rng.normal(size=(b, d))
        mu, log_var = rng.normal(size=(b, k)), rng.normal(size=(b, k))
        error, cost = ((x - mean) ** 2).sum(1), _rate(mu, log_var / 2).sum(1)
        constant = d * math.log(s * math.sqrt(2 * math.pi))
        want = -0.5 * error / s**2 - constant - cost
        expect_close(
            answer(x.copy(), mean.copy(), s, mu.copy(), log_var.copy()),
            want,
            "the Gaussian's log-density summed over pixels, minus the KL summed over codes",
            given=f"B = {b}, D = {d}, K = {k}, s = {s}",
            mistakes=[
                (-want, "that is the loss: the bound is its negative"),
                (-0.5 * error / s**2 - cost, "the Gaussian's constant is missing: -D log(s sqrt(2 pi))"),
                (-error - cost, "a squared error is no log-density: divide by 2 s^2, and add the constant"),
                (-error / s**2 - constant - cost, "the Gaussian has (x - mean)^2 / (2 s^2)"),
                (-0.5 * error / s - constant - cost, "divide by the variance s^2, not by s"),
                (-0.5 * error / d / s**2 - constant - cost, "the squared error is averaged over pixels: sum"),
                (-0.5 * error / s**2 - constant / d - cost, "every pixel has its constant: D log(s sqrt(2 pi))"),
                (-0.5 * error / s**2 - constant + cost, "the rate is subtracted"),
                (-0.5 * error / d / s**2 - cost, "two of three are left: sum over pixels, and add the constant"),
                (
                    -0.5 * error / s**2 - 0.5 * d * math.log(2 * math.pi * s) - cost,
                    "the constant has the variance in it: D/2 log(2 pi s^2)",
                ),
                (-error.mean() / d - cost.mean(), "that is what was published: one number for the whole batch"),
                (want.mean(), "one number for each example"),
                (
                    -0.5 * error / s**2 - constant - _rate(mu, log_var).sum(1),
                    "log_var is the logarithm of the variance: sigma^2 = exp(log_var)",
                ),
            ],
        )
    # The oracle: with a linear decoder and the exact posterior, the mean over draws of z is the evidence.
    a, s = rng.normal(size=d), 0.5
    x = rng.normal(size=(1, d))
    variance = s**2 / (a @ a + s**2)
    mu, z = x @ a / (a @ a + s**2), None
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    bound = 0.0
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        z = mu + math.sqrt(variance) * node
        got = numbers(
            answer(x, z[:, None] * a, s, mu[:, None], np.full((1, 1), math.log(variance))), "the bound is asked below"
        )
        bound += weight * float(got.ravel()[0])
    covariance = np.outer(a, a) + s**2 * np.eye(d)
    evidence = -0.5 * (x @ np.linalg.solve(covariance, x.T) + np.linalg.slogdet(2 * math.pi * covariance)[1]).item()
    expect_close(
        bound,
        evidence,
        "for a linear decoder and the exact posterior the bound is the evidence",
        given=f"one code, D = {d}, averaged over q by quadrature",
        rtol=1e-5,
    )


# 14.4 -----------------------------------------------------------------------------------------------------------------


@exercise("14.4", "free_bits", points=2)
def _(answer, rng):
    for least in (0.5, 1.0):
        kl = np.abs(rng.normal(size=(6, 4))) * np.array([0.05, 0.4, 1.0, 3.0]) + np.array([0, 0.1, 0.3, 1.0])
        means = kl.mean(0)
        given = f"kl of means {brief(means)}, least = {least}"
        expect_close(
            answer(kl.copy(), least),
            np.maximum(means, least).sum(),
            "sum over codes of max(least, mean over the batch)",
            given=given,
            mistakes=[
                (np.maximum(kl, least).sum(1).mean(), "`least` is free on average over the batch, not in each example"),
                (np.minimum(means, least).sum(), "the larger of both, not the smaller"),
                (max(means.sum(), least), "`least` holds for each code, not for their sum"),
                (max(means.sum(), 4 * least), "each code has its own allowance: it cannot be lent to another"),
                (np.maximum(means - least, 0).sum(), "that subtracts the allowance; same gradient, other value"),
                (np.maximum(means, least).mean(), "that is the mean over codes: sum"),
                (means.sum(), "nothing is free here"),
                (np.maximum(kl.sum(0), least).sum(), "the mean over the batch, not the sum"),
                (np.maximum(kl.mean(1), least).sum(), "axes: the mean goes over the batch, the sum over the codes"),
            ],
        )


# 14.5 -----------------------------------------------------------------------------------------------------------------


@exercise("14.5", "importance_weighted_bound", points=3)
def _(answer, rng):
    s, b = 7, 3
    log_joint, log_q = rng.normal(size=(s, b)) * 2 - 5, rng.normal(size=(s, b))
    w = log_joint - log_q
    want = np.log(np.exp(w).mean(0))
    expect_close(
        answer(log_joint.copy(), log_q.copy()),
        want,
        "the logarithm of the mean weight",
        given=f"S = {s}, B = {b}",
        mistakes=[
            (w.mean(0), "that is the mean of the logarithms: the ELBO with S draws"),
            (want + math.log(s), "the sum of the weights, not their mean: -log S is missing"),
            (np.log(np.exp(w).mean(1)), "axes: the mean goes over the draws, the first axis"),
            (np.log(np.exp(log_joint).mean(0)), "the weights are p(x, z) / q(z | x): log_q is missing"),
            (np.log(np.exp(log_joint + log_q).mean(0)), "the weights are p(x, z) divided by q(z | x)"),
            (w.max(0), "that is the largest weight only"),
            (np.log(np.exp(w).mean(0)) / math.log(2), BITS),
            (
                np.log(np.exp(log_joint).mean(0)) - np.log(np.exp(log_q).mean(0)),
                "the mean of ratios is not the ratio of means",
            ),
        ],
    )
    one = numbers(answer(log_joint[:1], log_q[:1]), "one draw is allowed")
    expect_close(one, w[0], "with one draw it is the ELBO", given="S = 1")
    low = log_joint - 10_000
    expect_close(
        answer(low, log_q.copy()),
        want - 10_000,
        "it stays finite where all weights underflow",
        given="log_joint near -10,000",
        mistakes=[(np.full(b, -np.inf), "exp(-10,000) is 0: subtract the largest before exp (logsumexp)")],
        hint="subtract the largest before exp (logsumexp)",
    )


# 14.6 -----------------------------------------------------------------------------------------------------------------


@exercise("14.6", "traversal", points=2)
def _(answer, rng):
    k_all = 4
    weights = rng.normal(size=(k_all, 9))

    def decode(z):
        z = np.asarray(z, dtype=float)
        if z.ndim != 2 or z.shape[1] != k_all:
            raise ValueError(f"decode takes codes (V, {k_all}); it was given {z.shape}")
        return np.tanh(z @ weights).reshape(len(z), 3, 3)

    z, values = rng.normal(size=k_all), rng.normal(size=5) * 2
    for k in (0, 2):
        codes = np.tile(z, (5, 1))
        codes[:, k] = values
        added, others, column = np.tile(z, (5, 1)), np.zeros((5, k_all)), np.tile(z, (5, 1))
        added[:, k] += values
        others[:, k] = values
        column[:, (k + 1) % k_all] = values
        before = z.copy()
        expect_close(
            answer(decode, before, k, values.copy()),
            decode(codes),
            "coordinate k takes the values, all others stay as in z",
            given=f"z = {brief(z)}, k = {k}, values = {brief(values)}",
            mistakes=[
                (decode(added), "coordinate k is set to the values, not moved by them"),
                (decode(others), "the other coordinates stay as in z, not at 0"),
                (decode(np.tile(z, (5, 1))), "nothing was changed"),
                (decode(column), "another coordinate was changed: the first one is number 0"),
                (
                    decode(np.vstack([np.where(np.arange(k_all) == k, values[-1], z)] * 5)),
                    "all rows are the same array: give each value its own copy of z",
                ),
                (codes, "those are the codes: decode them"),
            ],
        )
        unchanged(z, before, "z stays as it was", hint="copy z before you change it")
