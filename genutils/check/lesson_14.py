"""Checks of lesson 14, variational autoencoders: closed forms, evidence that is known, and sums over the right axes."""

from __future__ import annotations

import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import BITS, brief, expect, expect_close, expect_equal, numbers, unchanged


def _rate(mu, log_sigma):
    return 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1) - log_sigma  # (B, K)


def _reversed(mu, log_sigma):
    """KL(N(0, 1) || q) of each code, the divergence the other way round."""
    return 0.5 * ((1 + mu**2) * np.exp(-2 * log_sigma) - 1) + log_sigma


def _asked(answer, *arguments):
    """What the answer says about copies of the arguments, which it must leave as they are."""
    handed = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    said = answer(*handed)
    arrays = [(a, b) for a, b in zip(arguments, handed, strict=True) if isinstance(a, np.ndarray)]
    unchanged([a for a, _ in arrays], [b for _, b in arrays])
    return said


# 14.1 -----------------------------------------------------------------------------------------------------------------


@exercise("14.1", "rate", points=1)
def _(answer, rng):
    for b, k in ((4, 3), (3, 1), (1, 2), (3, 3)):
        mu, log_sigma = rng.normal(size=(b, k)) * 2, rng.normal(size=(b, k)) * 0.7 - 0.5
        each = _rate(mu, log_sigma)
        expect_close(
            _asked(answer, mu, log_sigma),
            each.sum(1),
            "the rate of each example, summed over its codes",
            given=f"mu = {brief(mu)}, log_sigma = {brief(log_sigma)}",
            mistakes=[
                (each.mean(1), "that is the mean over codes: independent codes' costs add up"),
                (each.sum(0), "axes: that is summed over the batch; sum over the codes"),
                (each.sum(1, keepdims=True), "one number for each example: shape (B,), not (B, 1)"),
                (each.sum(), "that is summed over the batch: one number for each example"),
                (each.sum(1).mean(), "that is averaged over the batch: one number for each example"),
                (each, "sum over the codes"),
                (-each.sum(1), "the sign: a divergence is never negative"),
                (2 * each.sum(1), "twice too much: the half belongs to mu^2 + sigma^2 - 1, and log sigma stands alone"),
                (each.sum(1) / 2, "half too little: log sigma has no half, log sigma^2 has"),
                (_reversed(mu, log_sigma).sum(1), "that is KL(p, q), the other way round: the mean goes over q"),
                ((each + 0.5).sum(1), "the -1 is missing: at mu = 0, sigma = 1 the rate is zero"),
                ((each + 0.5 * log_sigma).sum(1), "log sigma was halved: only mu^2 + sigma^2 - 1 has the half"),
                ((each - 0.5 * np.exp(2 * log_sigma) + 0.5 * np.exp(log_sigma)).sum(1), "sigma^2 = exp(2 log_sigma)"),
                (
                    (0.5 * (mu**2 + np.exp(log_sigma) - 1 - log_sigma)).sum(1),
                    "log_sigma was taken for the logarithm of the variance: sigma^2 = exp(2 log_sigma)",
                ),
                (
                    (0.5 * (mu**2 + log_sigma**2 - 1) - np.log(np.abs(log_sigma))).sum(1),
                    "log_sigma was taken for sigma itself: sigma = exp(log_sigma)",
                ),
                ((each + 2 * log_sigma).sum(1), "the sign of log sigma: a thin cloud is dear"),
                (each.sum(1) / math.log(2), BITS),
                ((each - 0.5 * mu**2).sum(1), "the means are missing: a code far from 0 costs more"),
                ((each - 0.5 * mu**2 + 0.5 * np.abs(mu)).sum(1), "the means enter squared"),
                ((each - 0.5 * mu**2 + 0.5 * mu).sum(1), "the means enter squared"),
            ],
        )
    got = answer(np.zeros((2, 5)), np.zeros((2, 5)))
    expect_close(got, [0.0, 0.0], "a posterior equal to the prior costs nothing", given="mu = 0, log_sigma = 0")
    expect_close(
        answer(np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([[-500.0, 0.0], [-500.0, -400.0]])),
        [504.0, 899.0],
        "a cloud may be as thin as it likes",
        given="mu = [[3, 0], [0, 0]], log_sigma = [[-500, 0], [-500, -400]]",
        hint="exp(-500) squared is 0, and its logarithm is -inf: use log_sigma as it is given",
    )


# 14.2 -----------------------------------------------------------------------------------------------------------------


@exercise("14.2", "elbo", points=2)
def _(answer, rng):
    for b, d, k, levels, loud in ((4, 6, 2, 5, 1.0), (3, 4, 3, 4, 1.0), (1, 2, 1, 3, 1.0), (3, 5, 2, 4, 900.0)):
        weights, start = rng.normal(size=(k, d * levels)), rng.normal(size=d * levels)

        def decoder(z, b=b, d=d, k=k, levels=levels, loud=loud, weights=weights, start=start):
            z = np.asarray(z, dtype=float)
            if z.ndim != 2 or z.shape[1] != k:
                raise ValueError(f"the decoder takes codes (B, {k}); it was given {z.shape}")
            return 3 + loud * (np.tanh(z @ weights) + start).reshape(len(z), d, levels)

        x = rng.integers(levels, size=(b, d))
        mu, log_sigma, eps = rng.normal(size=(b, k)), rng.normal(size=(b, k)) * 0.5 - 0.7, rng.normal(size=(b, k))

        def surprise(z, normalised=True, axis=-1, x=x, decoder=decoder):
            logits = decoder(z)
            top = logits.max(axis, keepdims=True)
            if normalised:
                logits = logits - top - np.log(np.exp(logits - top).sum(axis, keepdims=True))
            return -np.take_along_axis(logits, x[..., None], -1)[..., 0]  # (B, D)

        def probable(z, decoder=decoder):
            logits = decoder(z)
            top = logits.max(-1, keepdims=True)
            return (np.exp(logits - top) / np.exp(logits - top).sum(-1, keepdims=True)).max(-1)

        z = eps * np.exp(log_sigma) + mu
        each = surprise(z)
        cost = _rate(mu, log_sigma).sum(1)
        want = -each.sum(1) - cost
        drawn = (-0.5 * z**2 + 0.5 * eps**2 + log_sigma).sum(1)
        loudly = "stay in logarithms (log_softmax): exp of a large logit overflows, and a probability of 0 has no log"
        expect_close(
            _asked(answer, x, mu, log_sigma, decoder, eps),
            want,
            "log p(x | z) summed over pixels, minus the rate, at z = mu + sigma eps",
            given=f"B = {b}, D = {d}, K = {k}, L = {levels}" + (", logits up to thousands" if loud > 1 else ""),
            mistakes=[
                (-want, "the sign: that is the negative bound, a loss"),
                (-each.mean(1) - cost, "log p(x | z) is averaged over pixels while the rate is summed: sum both"),
                (-each.sum(1) + cost, "the rate is subtracted"),
                (-each.sum(1), "the rate is missing"),
                (-each.sum(1) - _rate(mu, log_sigma).mean(1), "the rate is averaged over codes: sum"),
                (-each.mean(1) - _rate(mu, log_sigma).mean(1), "sums, not means: over the pixels, and over the codes"),
                ([want.sum()], "one number for each example"),
                (want.mean(), "one number for each example"),
                (want[:, None], "one number for each example: shape (B,), not (B, 1)"),
                (want / math.log(2), BITS),
                (
                    -each.sum(1) + drawn,
                    "that is log p(z) - log q(z | x) at the one z: right on average, and noisier; the closed form is "
                    "asked for",
                ),
                (-surprise(mu).sum(1) - cost, "z is mu: the noise is missing"),
                (-surprise(eps).sum(1) - cost, "z is a draw from the prior, not from q(z | x)"),
                (
                    -surprise(mu + np.exp(2 * log_sigma) * eps).sum(1) - cost,
                    "z = mu + sigma eps: that is sigma squared",
                ),
                (-surprise(mu + np.exp(log_sigma / 2) * eps).sum(1) - cost, "log_sigma is not the log-variance"),
                (-surprise(mu + log_sigma * eps).sum(1) - cost, "sigma is exp(log_sigma)"),
                (-surprise(mu - np.exp(log_sigma) * eps).sum(1) - cost, "z = mu + sigma eps: the sign of the noise"),
                (-surprise(z, False).sum(1) - cost, "the logits are not normalised: take their log-softmax"),
                (
                    -surprise(z, axis=1).sum(1) - cost,
                    "the softmax goes over the levels, the last axis, not over the pixels",
                ),
                (np.log(probable(z)).sum(1) - cost, "pick the level that x has, not the most probable one"),
                (
                    -each.sum(1) - (0.5 * (mu**2 + np.exp(log_sigma) - 1 - log_sigma)).sum(1),
                    "the rate takes log_sigma for the logarithm of the variance",
                ),
                (np.full(b, np.nan), loudly),
                (np.full(b, -np.inf), loudly),
                (np.full(b, np.inf), loudly),
            ],
            hint=loudly if loud > 1 else "",
        )


# 14.3 -----------------------------------------------------------------------------------------------------------------


@exercise("14.3", "gaussian_bound", points=3)
def _(answer, rng):
    for b, d, k, s in ((4, 5, 2, 0.3), (4, 5, 2, 1.7), (1, 3, 1, 0.02), (3, 1, 3, 30.0)):
        x, mean = rng.normal(size=(b, d)), rng.normal(size=(b, d))
        mu, log_var = rng.normal(size=(b, k)), rng.normal(size=(b, k))
        error, cost = ((x - mean) ** 2).sum(1), _rate(mu, log_var / 2).sum(1)
        constant = d * math.log(s * math.sqrt(2 * math.pi))
        want = -0.5 * error / s**2 - constant - cost
        expect_close(
            _asked(answer, x, mean, s, mu, log_var),
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
                (-0.5 * error / s**2 - constant, "the rate is missing"),
                (
                    -0.5 * error / s**2 + constant - cost,
                    "the sign of the constant: s divides the density",
                ),
                (
                    -0.5 * error / s - 0.5 * d * math.log(2 * math.pi * s) - cost,
                    "s is the standard deviation, not the variance",
                ),
                (-0.5 * error / s**2 - constant - cost / k, "the rate is averaged over codes: sum"),
                (-0.5 * error / s**2 - constant - cost.mean(), "the rate is that of each example, not of the batch"),
                (-0.5 * error.mean() / s**2 - constant - cost, "the squared error is averaged over the batch"),
                (want[:, None], "one number for each example: shape (B,), not (B, 1)"),
                (want / math.log(2), BITS),
                (
                    -0.5 * error / s**2 - constant - _reversed(mu, log_var / 2).sum(1),
                    "the rate is KL(q, p), not KL(p, q)",
                ),
                (-0.5 * error / s**2 - constant - cost - k / 2, "the rate lacks its -1"),
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
    thin = answer(np.zeros((2, 1)), np.zeros((2, 1)), 1.0, np.zeros((2, 1)), np.array([[-2000.0], [0.0]]))
    expect_close(
        thin,
        np.array([0.5 - 1000, 0.0]) - 0.5 * math.log(2 * math.pi),
        "a cloud may be as thin as it likes",
        given="x = mean = mu = 0, s = 1, log_var = -2000 and 0",
        hint="exp(-2000) is 0, and its logarithm is -inf: use log_var as it is given",
    )
    # The oracle: with a linear decoder and the exact posterior, the mean over draws of z is the evidence.
    d, s = 5, 0.5
    a = rng.normal(size=d)
    x = rng.normal(size=(1, d))
    variance = s**2 / (a @ a + s**2)
    mu = x @ a / (a @ a + s**2)
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
    def price(means, least, groups):
        return sum(max(least, means[groups == g].sum()) for g in np.unique(groups))

    each = np.array([0.05, 0.25, 1.0, 0.3, 3.0, 0.1])  # mean rates: some groups pay and some do not
    for least, groups in (
        (1.7, [0, 1, 1, 1, 2, 1]),
        (0.5, [0, 1, 2, 1, 0, 2]),
        (1.2, [7, 3, 3, 7, 12, 3]),
        (0.7, [0, 1, 2, 3, 4, 5]),
        (2.0, [1, 1, 1, 1, 1, 1]),
        (0.0, [2, 0, 2, 0, 2, 0]),
    ):
        groups = np.array(groups)
        b = int(rng.integers(3, 8))
        kl = rng.uniform(0.2, 1.8, size=(b, 6))
        kl *= each * rng.uniform(0.95, 1.05, size=6) / kl.mean(0)
        means, names = kl.mean(0), np.unique(groups)
        per_example = np.stack([kl[:, groups == g].sum(1) for g in names], 1)  # (B, G)
        sums = per_example.mean(0)
        blocks = np.sort(groups)
        given = f"mean rates {brief(means)}, groups {groups.tolist()}, least = {least}"
        allowance = "a group's allowance is shared: add up the codes of the group before it is compared"
        expect_close(
            _asked(answer, kl, least, groups),
            price(means, least, groups),
            "sum over groups of max(least, mean over the batch of the group's rate)",
            given=given,
            mistakes=[
                (np.maximum(means, least).sum(), allowance),
                (np.maximum(kl, least).sum(1).mean(), "`least` is free on average over the batch, for a whole group"),
                (
                    np.maximum(per_example, least).sum(1).mean(),
                    "`least` is free on average over the batch, not in each example: the mean comes first",
                ),
                (np.minimum(sums, least).sum(), "the larger of both, not the smaller"),
                (max(sums.sum(), least), "`least` holds for each group, not for the sum of all"),
                (
                    max(sums.sum(), len(names) * least),
                    "each group has its own allowance: it cannot be lent to another",
                ),
                (np.maximum(sums - least, 0).sum(), "that subtracts the allowance; same gradient, other value"),
                (np.maximum(sums, least).mean(), "that is the mean over groups: sum"),
                (np.maximum(sums, least), "that is the price of each group: add them up"),
                (means.sum(), "nothing is free here"),
                (np.maximum(sums * b, least).sum(), "the mean over the batch, not the sum"),
                (
                    sum(max(least, means[groups == g].mean()) for g in names),
                    "the rates of a group's codes add up: no mean over the codes of a group",
                ),
                (
                    np.maximum(np.bincount(groups, means), least).sum(),
                    "a number that no code has is no group: it costs nothing",
                ),
                (
                    price(means, least, blocks),
                    "groups come in any order: codes of one group need not be neighbours",
                ),
                (
                    sum(max(least * (groups == g).sum(), means[groups == g].sum()) for g in names),
                    "`least` is free for the group as a whole, however many codes it has",
                ),
            ],
        )
    expect_close(
        _asked(answer, np.array([[1.0, 0.0], [0.0, 1.0]]), 0.5, np.array([4, 2])),
        1.0,
        "one picture may use a code and another not, within one allowance",
        given="kl = [[1, 0], [0, 1]], two groups, least = 0.5",
        mistakes=[(1.5, "the mean over the batch comes before the maximum")],
    )


# 14.5 -----------------------------------------------------------------------------------------------------------------


@exercise("14.5", "importance_weighted_bound", points=3)
def _(answer, rng):
    for s, b in ((7, 3), (4, 4), (1, 5), (40, 1)):
        log_joint, log_q = rng.normal(size=(s, b)) * 2 - 5, rng.normal(size=(s, b))
        w = log_joint - log_q
        want = np.log(np.exp(w).mean(0))
        expect_close(
            _asked(answer, log_joint, log_q),
            want,
            "the logarithm of the mean weight" if s > 1 else "with one draw it is the ELBO",
            given=f"S = {s}, B = {b}",
            mistakes=[
                (w.mean(0), "that is the mean of the logarithms: the ELBO with S draws"),
                (want + math.log(s), "the sum of the weights, not their mean: -log S is missing"),
                (want - math.log(s), "log S is subtracted twice: the mean has it already"),
                (np.log(np.exp(w).mean(1)), "axes: the mean goes over the draws, the first axis"),
                (np.log(np.exp(w).sum(0)) - math.log(b), "S is the number of draws, the first axis, not the last"),
                (np.log(np.exp(w).mean()), "one number for each example: the mean goes over the draws only"),
                (np.log(np.exp(log_joint).mean(0)), "the weights are p(x, z) / q(z | x): log_q is missing"),
                (np.log(np.exp(log_joint + log_q).mean(0)), "the weights are p(x, z) divided by q(z | x)"),
                (np.log(np.exp(-w).mean(0)), "upside down: the weights are p(x, z) / q(z | x)"),
                (-np.log(np.exp(-w).mean(0)), "the mean goes over the weights, not over their inverses"),
                (w.max(0), "that is the largest weight only"),
                (np.median(w, 0), "that is the median of the logarithms"),
                (np.exp(w).mean(0), "the logarithm is missing"),
                (-want, "the sign: the bound itself, not a loss"),
                (want.mean(), "one number for each example: do not average over the batch"),
                (want / math.log(2), BITS),
                (
                    np.log(np.exp(log_joint).mean(0)) - np.log(np.exp(log_q).mean(0)),
                    "the mean of ratios is not the ratio of means",
                ),
            ],
        )
    s, b = 9, 4
    log_joint, log_q = rng.normal(size=(s, b)) * 2, rng.normal(size=(s, b))
    log_joint[3, 1] = log_joint[0, 2] = -np.inf  # draws that cannot have made the picture
    log_joint[0, 0] = log_joint[5, 3] = -9000.0  # and some that hardly can
    want = np.log(np.exp(log_joint - log_q).mean(0))
    shift = np.array([0.0, -10_000.0, 700.0, -900.0])
    under = "exp(-10,000) is 0 and exp(800) is too large: subtract each example's own largest before exp (logsumexp)"
    expect_close(
        answer(log_joint + shift, log_q.copy()),
        want + shift,
        "it stays finite where weights under- or overflow, in each example by itself",
        given="log p(x, z) near 0, -10,000, 700 and -900 for four examples, a few draws far below or of probability 0",
        mistakes=[(np.where(shift < -800, -np.inf, want + shift), under)],
        hint=under,
    )
    expect_close(
        answer(log_joint[1:2] - 10_000, log_q[1:2] - 10_000),
        (log_joint - log_q)[1],
        "a difference of two low logarithms is an ordinary number",
        given="S = 1, both logarithms near -10,000",
        hint="take the difference of the logarithms before any exp",
    )


# 14.6 -----------------------------------------------------------------------------------------------------------------


@exercise("14.6", "traversal", points=2)
def _(answer, rng):
    for k_all, count, k in ((4, 5, 0), (4, 5, 2), (3, 1, 2), (6, 6, 5), (1, 3, 0)):
        weights, calls = rng.normal(size=(k_all, 9)), []

        def decode(z, k_all=k_all, weights=weights):
            z = np.array(z, dtype=float)
            if z.ndim != 2 or z.shape[1] != k_all:
                raise ValueError(f"decode takes codes (V, {k_all}); it was given {z.shape}")
            return np.tanh(z @ weights).reshape(len(z), 3, 3)

        def recorded(z, decode=decode, calls=calls):
            pictures = decode(z)
            calls.append(np.array(z, dtype=float))
            return pictures

        z, values = rng.normal(size=k_all), rng.normal(size=count) * 2
        codes = np.tile(z, (count, 1))
        codes[:, k] = values
        added, others, column = np.tile(z, (count, 1)), np.zeros((count, k_all)), np.tile(z, (count, 1))
        added[:, k] += values
        others[:, k] = values
        column[:, (k + 1) % k_all] = values
        before, given = z.copy(), f"z = {brief(z)}, k = {k}, values = {brief(values)}"
        expect_close(
            answer(recorded, before, k, values.copy()),
            decode(codes),
            "coordinate k takes the values, all others stay as in z",
            given=given,
            mistakes=[
                (decode(added), "coordinate k is set to the values, not moved by them"),
                (decode(others), "the other coordinates stay as in z, not at 0"),
                (decode(np.tile(z, (count, 1))), "nothing was changed"),
                (decode(column), "another coordinate was changed: the first one is number 0"),
                (decode(codes[::-1]), "the pictures come in the order of the values"),
                (decode(codes[np.argsort(values)]), "the pictures come in the order of the values, not sorted"),
                (decode(np.tile(values[:, None], (1, k_all))), "only coordinate k takes the values"),
                (
                    decode(np.vstack([np.where(np.arange(k_all) == k, values[-1], z)] * count)),
                    "all rows are the same array: give each value its own copy of z",
                ),
                (codes, "those are the codes: decode them"),
                (decode(codes).reshape(count, 9), "return what decode returns, in the shape that it has"),
            ],
        )
        expect_equal(
            len(calls),
            1,
            "decode is asked once",
            given=given,
            hint="put all V codes into one array (V, K) and decode them together"
            if len(calls) > 1
            else "the pictures come from decode",
        )
        expect(bool(np.array_equal(calls[0], codes)), "decode is given the V codes in order", given=given)
        unchanged(z, before, "z stays as it was", given=given, hint="copy z before you change it")
