"""Checks of lesson 03, latent variables: Bayes' rule, tops of bounds, matchings, moments and conditionals."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp

from genutils.check import exercise
from genutils.check.draws import expect_gaussian
from genutils.check.expect import (
    BITS,
    brief,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    numbers,
    pair,
    unchanged,
)


def _unchanged(before: np.ndarray, after: np.ndarray, name: str) -> None:
    says = f"your function leaves its input {name} as it was"
    unchanged(before, after, says, hint=f"it wrote into {name}: work on a copy")


# 03.1 -----------------------------------------------------------------------------------------------------------------


TWICE = "each number of x was given a cause of its own: sum the logs over the D numbers first, then over the causes"


@exercise("03.1", "mixture_log_prob", points=2)
def _(answer, rng):
    for b, k, d in ((5, 3, 2), (4, 2, 5), (1, 4, 3), (3, 1, 2), (2, 3, 1)):
        weights, sds = rng.dirichlet(np.full(k, 3.0)), rng.uniform(0.4, 2.0, (k, d))
        means = rng.normal(scale=1.5, size=(k, d))
        x = means[rng.choice(k, b)] + rng.normal(size=(b, d))
        one = stats.norm.pdf(x[:, None], means, sds)  # (B, K, D)
        want = np.log(one.prod(2) @ weights)
        given = f"{b} points, {k} causes, {d} dimensions"
        handed = x.copy(), weights.copy(), means.copy(), sds.copy()
        got = answer(*handed)
        unchanged((x, weights, means, sds), handed, given=given)
        logs = np.log(one).sum(2)
        mistakes = [
            (np.exp(want), "that is p(x); its logarithm was asked for"),
            (want / math.log(2), BITS),
            (want[:, None], "the right numbers in a column, (B, 1): drop the axis that `keepdims` has kept"),
        ]
        if d > 1:
            own = np.log(np.einsum("bkd,k->bd", one, weights))
            mistakes += [(own.sum(1), TWICE), (want / d, "sum over the numbers of x, do not average")]
        if k > 1:
            mistakes += [
                (np.log(one.prod(2).sum(1)), "the weights are missing: add log w_k to each log p(x | z = k)"),
                (np.log(one.prod(2).mean(1)), "the weights are missing: the causes are not equally frequent"),
                ((np.log(weights) + logs).max(1), "that is the largest term of the sum over causes, not the sum"),
                ((np.log(weights) + logs).sum(1), "a sum of logarithms is the log of a product: log-sum-exp"),
                (logs @ weights, "that is an average of logarithms: the logarithm of the average is asked for"),
            ]
        if b > 1:
            mistakes += [
                (np.full(b, want.sum()), "one number for each point"),
                (want.sum(), "one number for each point"),
            ]
        scaled = stats.norm.pdf(x[:, None], means, np.sqrt(sds))
        bare = np.exp(-0.5 * ((x[:, None] - means) / sds) ** 2)
        mistakes += [
            (np.log(scaled.prod(2) @ weights), "sds are standard deviations, not variances"),
            (np.log(bare.prod(2) @ weights), "a density has its normaliser: - log sd - log(2 pi) / 2 for each number"),
        ]
        expect_close(
            got,
            want,
            "the density of who draws one cause, and then x from it",
            given=given,
            mistakes=mistakes,
            rtol=1e-4,
            atol=1e-5,
        )
    far = np.array([[0.0, 0.0], [400.0, -300.0], [9.0, 9.0], [1e4, 0.0]])
    weights, means = np.array([0.5, 0.5]), np.array([[0.0, 0.0], [9.0, 9.0]])
    joint = stats.norm.logpdf(far[:, None], means, 1.0).sum(2) + math.log(0.5)
    for order in (slice(None), slice(None, None, -1)):
        expect_close(
            answer(far[order].copy(), weights.copy(), means.copy(), np.ones((2, 2))),
            logsumexp(joint, axis=1)[order],
            "far from all causes the density is tiny, and its logarithm a number like others",
            given="points near the causes and far away in one batch",
            hint="underflow: stay with logarithms, and take out the largest of each row, not of all",
            rtol=1e-5,
            atol=1e-4,
        )
    d = 3000
    x, sds = rng.normal(size=(2, d)) * 1e-3, np.full((2, d), 1e-3)
    means = np.stack([np.zeros(d), np.full(d, 1e-5)])
    joint = stats.norm.logpdf(x[:, None], means, sds).sum(2) + np.log([0.3, 0.7])
    expect_close(
        answer(x.copy(), np.array([0.3, 0.7]), means, sds),
        logsumexp(joint, axis=1),
        "many dimensions and small deviations are no problem",
        given="3,000 dimensions, standard deviations of 0.001",
        hint="overflow: a product of 3,000 densities is infinite in a computer. Add logarithms, and use log-sum-exp",
        rtol=1e-5,
    )
    expect_close(
        answer(np.array([[0.5], [60.0]]), np.array([1.0, 0.0]), np.array([[0.0], [60.0]]), np.ones((2, 1))),
        stats.norm.logpdf([0.5, 60.0]),
        "a cause of weight 0 adds nothing",
        given="weights [1, 0], and a point where only the other cause could be",
        rtol=1e-5,
    )


# 03.2 -----------------------------------------------------------------------------------------------------------------


@exercise("03.2", "coin_e_step", points=3)
def _(answer, rng):
    says = "the answer is a pair: responsibilities (B, K) and log p(x) (B,)"
    for b, k, d in ((5, 3, 4), (3, 2, 9), (4, 1, 3)):
        x, weights, theta = (
            (rng.random((b, d)) < 0.5) * 1.0,
            rng.dirichlet(np.ones(k) * 2),
            rng.uniform(0.1, 0.9, (k, d)),
        )
        parts = stats.bernoulli.pmf(x[:, None].astype(int), theta)  # (B, K, D)
        joint = weights * parts.prod(2)
        p = joint.sum(1)
        r = joint / p[:, None]
        flat, ones = parts.prod(2), np.where(x[:, None] == 1, theta, 1.0).prod(2)
        given = f"{b} pictures of {d} pixels, {k} causes"
        got_r, got_log = pair(answer(x.copy(), weights.copy(), theta.copy()), says)
        if k > 1:
            column = joint / joint.sum(0)
            mistakes = [
                (flat / flat.sum(1, keepdims=True), "the weights are missing: add log w_k to each log p(x | z = k)"),
                (weights * ones / (weights * ones).sum(1, keepdims=True), "a pixel that is 0 has a factor 1 - theta"),
                (column, "you normalised over the pictures: each picture's responsibilities sum to 1"),
                (joint, "divide by p(x): these are joint probabilities"),
                (np.log(r), "those are log-responsibilities: take the exponential"),
                (np.eye(k)[r.argmax(1)], "a point may belong to several causes: do not round to 0 and 1"),
            ]
            expect_close(got_r, r, "responsibilities follow Bayes' rule", given=given, mistakes=mistakes)
        else:
            expect_close(got_r, r, "with one cause, it is responsible for everything", given=given)
        expect_close(
            got_log,
            np.log(p),
            "log p(x) sums over causes",
            given=given,
            mistakes=[
                (p, "that is p(x); its logarithm was asked for"),
                (np.log(p) / math.log(2), BITS),
                (np.log(p) / d, "sum over the pixels, do not average"),
                (np.log(flat.sum(1)), "the weights are missing: add log w_k to each log p(x | z = k)"),
                (np.log((weights * ones).sum(1)), "a pixel that is 0 has a factor 1 - theta"),
                (np.full(b, np.log(p).sum()), "one number for each picture"),
                (np.log(joint).max(1), "that is the largest term of the sum over causes, not the sum"),
                (np.log(p)[:, None], "the right numbers in a column, (B, 1): drop the axis that `keepdims` has kept"),
            ],
        )
    for d, b in ((5000, 3), (1, 1)):
        theta = rng.uniform(0.1, 0.9, (2, d))
        x = (rng.random((b, d)) < rng.uniform(0.05, 0.95, (b, 1))) * 1.0  # rows that differ in size by thousands
        log = stats.bernoulli.logpmf(x[:, None].astype(int), theta).sum(2) + np.log([0.3, 0.7])
        handed = x.copy(), np.array([0.3, 0.7]), theta.copy()
        got_r, got_log = pair(answer(*handed), says)
        unchanged((x, theta), (handed[0], handed[2]))
        under = "underflow: a product of 5,000 probabilities is 0 in a computer. Add logarithms, and use log-sum-exp"
        under = under if d > 1 else ""
        given = f"{d:,} pixels"
        finite = bool(np.isfinite(numbers(got_log, says)).all())
        hint = "" if finite else under
        expect_close(got_log, logsumexp(log, axis=1), "log p(x) of a picture of any size", given=given, hint=hint)
        want = np.exp(log - logsumexp(log, axis=1, keepdims=True))
        hint = "" if finite and np.isfinite(numbers(got_r, says)).all() else under
        expect_close(got_r, want, "so are its responsibilities", given=given, hint=hint, atol=1e-6)
    x = np.array([[0, 1] * 2000, [1, 0] * 2000], dtype=float)  # one picture is far likelier than the other
    theta = np.array([[1e-3, 1 - 1e-3] * 2000, [2e-3, 1 - 2e-3] * 2000])
    log = stats.bernoulli.logpmf(x[:, None].astype(int), theta).sum(2) + math.log(0.5)
    got_r, got_log = pair(answer(x.copy(), np.array([0.5, 0.5]), theta.copy()), says)
    hint = "take out the largest log of each picture, not the largest of the whole batch"
    expect_close(got_log, logsumexp(log, axis=1), "each picture stands for itself", given="4,000 pixels", hint=hint)
    want = np.exp(log - logsumexp(log, axis=1, keepdims=True))
    expect_close(got_r, want, "each picture stands for itself", given="4,000 pixels", hint=hint, atol=1e-6)
    x = np.array([[1.0, 0, 1], [1, 1, 0], [0, 0, 1], [0, 1, 1]])
    theta, weights = np.array([[1e-9, 0.4, 0.3], [0.6, 1e-11, 0.5]]), np.array([0.3, 0.7])
    log = stats.bernoulli.logpmf(x[:, None].astype(int), theta).sum(2) + np.log(weights)
    given = "coins with theta of 1e-9 and 1e-11"
    got_r, got_log = pair(answer(x.copy(), weights.copy(), theta.copy()), says)
    hint = "was something added, or cut off, to make it safe? No coin is certain, and logarithms need no help"
    expect_close(got_log, logsumexp(log, axis=1), "rare is not impossible", given=given, hint=hint)
    want = np.exp(log - logsumexp(log, axis=1, keepdims=True))
    got_r = numbers(got_r, says)
    expect_shape(got_r, want.shape, says, given=given)
    expect_close(
        got_r / want, np.ones_like(want), "small responsibilities are kept", given=f"{given}; shown is r / r", hint=hint
    )


# 03.3 -----------------------------------------------------------------------------------------------------------------


@exercise("03.3", "coin_m_step", points=3)
def _(answer, rng):
    says = "the answer is a pair: weights (K,) and coins (K, D)"
    for n, k, d, s in ((7, 3, 4, 0.5), (20, 2, 5, 2.0), (6, 1, 3, 1e-3)):
        x, r = (rng.random((n, d)) < 0.4) * 1.0, rng.dirichlet(np.ones(k), size=n)
        x_given, r_given = x.copy(), r.copy()
        mass, ones = r.sum(0), r.T @ x
        got_w, got_theta = pair(answer(x_given, r_given, s), says)
        _unchanged(x, x_given, "x")
        _unchanged(r, r_given, "r")
        given = f"{n} pictures of {d} pixels, {k} causes, smoothing {s:g}"
        smooth = mass + 2 * s
        hard = np.eye(k)[r.argmax(1)]
        expect_close(
            got_w,
            mass / n,
            "a cause's weight is its share of all responsibility",
            given=given,
            rtol=1e-5,
            mistakes=[
                (mass, "divide by the number of pictures: weights sum to 1"),
                (smooth / smooth.sum(), "smoothing is for the coins; leave the weights alone"),
                ((mass + s) / (mass + s).sum(), "smoothing is for the coins; leave the weights alone"),
                (np.full(k, 1 / k), "the weights are learned too: average the responsibilities"),
                (hard.mean(0), "you rounded the responsibilities: a picture counts for each cause in part"),
            ],
        )
        expect_close(
            got_theta,
            (ones + s) / smooth[:, None],
            "a coin's bias is the share of ones among the pictures its cause is responsible for, smoothed",
            given=given,
            rtol=1e-5,
            mistakes=[
                (ones / mass[:, None], "the smoothing is missing: a coin that never fell on 1 must not be certain"),
                (
                    (ones + s) / (mass + s)[:, None],
                    "as many pretended zeros as ones: the denominator grows by twice the smoothing",
                ),
                ((ones + s) / mass[:, None], "pretended pictures count in the denominator, too"),
                (ones / mass[:, None] + s, "the pretended pixels are counts: add them before you divide"),
                ((ones + s) / (n + 2 * s), "divide by what the cause is responsible for, not by all N pictures"),
                (ones / n, "divide by what the cause is responsible for, not by all N pictures"),
                (((ones + s) / smooth[:, None]).T, "theta is (K, D): one row for each cause"),
                (1 - (ones + s) / smooth[:, None], "that is the probability of a 0: theta is that of a 1"),
                ((ones + 2 * s) / smooth[:, None], "the pretended ones count once, the pretended ones and zeros twice"),
                ((ones + s) / (mass + 2 * s).sum(), "divide by what the cause is responsible for, not by all of it"),
                (
                    (hard.T @ x + s) / (hard.sum(0) + 2 * s)[:, None],
                    "you rounded the responsibilities: a picture counts for each cause in part",
                ),
                (
                    np.repeat((x.sum(0) + s)[None] / (n + 2 * s), k, 0),
                    "the responsibilities are not used: every cause has its own average",
                ),
            ],
        )
    r = np.zeros((4, 2))
    r[:, 0] = 1.0
    got_w, got_theta = pair(answer(np.ones((4, 3)), r, 1.0), says)
    expect_close(
        got_theta,
        np.array([[5 / 6] * 3, [0.5] * 3]),
        "a cause that is responsible for nothing has fair coins",
        given="four black pictures, all of the first cause, smoothing 1",
        mistakes=[(np.array([[5 / 6] * 3, [np.nan] * 3]), "0/0: put the smoothing into the denominator too")],
    )
    expect_close(got_w, np.array([1.0, 0.0]), "and it has no weight")
    r = np.tile([1e-12, 1 - 1e-12], (10, 1))  # nearly nothing is not nothing
    x = np.tile([[1.0, 0.0]], (10, 1))
    got_w, got_theta = pair(answer(x, r.copy(), 1e-12), says)
    expect_close(
        got_theta,
        np.array([[11 / 12, 1 / 12], [1.0, 0.0]]),
        "a cause that is responsible for next to nothing is learned like the others",
        given="ten pictures [1, 0], responsibilities [1e-12, 1 - 1e-12], smoothing 1e-12",
        rtol=1e-4,
        atol=1e-6,
        hint="was something added, or cut off, to make it safe? The smoothing is what is asked for",
    )
    expect_close(
        numbers(got_w, says)[0] / 1e-12, 1.0, "a small weight is kept", given="the same; shown is w / 1e-12", rtol=1e-4
    )


# 03.4 -----------------------------------------------------------------------------------------------------------------


def _tempting(rng, k: int) -> np.ndarray:
    """(K, K), rows sum to 1: neither cause by cause, nor largest first, nor swapping pairs finds the best matching."""
    while True:
        table = rng.dirichlet(np.full(k, 0.7), size=k)
        best = table[np.arange(k), linear_sum_assignment(-table)[1]].sum() - 1e-6
        left, by_row, by_size = table.copy(), 0.0, 0.0
        for i in range(k):
            by_row += left[i].max()
            left[:, left[i].argmax()] = -1.0
        left = table.copy()
        for _ in range(k):
            i, j = np.unravel_index(left.argmax(), left.shape)
            by_size += left[i, j]
            left[i], left[:, j] = -1.0, -1.0
        order, swapped = np.arange(k), True
        while swapped:
            swapped = False
            for i, j in itertools.combinations(range(k), 2):
                if table[i, order[j]] + table[j, order[i]] > table[i, order[i]] + table[j, order[j]] + 1e-12:
                    order[[i, j]], swapped = order[[j, i]], True
        if max(by_row, by_size, table[np.arange(k), order].sum()) < best:
            return table


def _soft(rng, k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two (N, K) of which other measures of likeness than the sum of products find other matchings than the best."""
    while True:
        a, b = (rng.dirichlet(np.full(k, 0.6), size=n) * 0.98 + 0.02 / k for _ in range(2))
        table, (u, v) = a.T @ b, (c / np.linalg.norm(c, axis=0) for c in (a, b))
        far = np.abs(a[:, :, None] - b[:, None]).sum(0)
        others = far, -(u.T @ v), -np.corrcoef(a.T, b.T)[:k, k:], -(a.T @ np.log(b)), -(np.log(a).T @ b)
        orders = [linear_sum_assignment(cost)[1] for cost in others]
        orders.append(linear_sum_assignment(-np.sqrt(a).T @ np.sqrt(b))[1])
        best = table[np.arange(k), linear_sum_assignment(-table)[1]].sum()
        if all(table[np.arange(k), order].sum() < best - 1e-3 for order in orders):
            return a, b


@exercise("03.4", "align_causes", points=3)
def _(answer, rng):
    def agreement(a, b, order):
        return float((a * b[:, order]).sum())

    def look(a, b, given):
        k = a.shape[1]
        handed = a.copy(), b.copy()
        order = numbers(answer(*handed), "the order is K integers", given=given)
        unchanged((a, b), handed, given=given)
        expect_shape(order, (k,), "the order is K integers", given=given)
        says = "the order is K integers, which can serve as an index: b[:, order]"
        expect(order.dtype.kind in "iu", says, given=given, got=order, hint="make them integers: order.astype(int)")
        expect(
            bool(np.array_equal(np.sort(order), np.arange(k))),
            "the order is a permutation of 0 ... K - 1: each cause gets one partner, and no two the same",
            given=given,
            got=order,
            hint="you gave one partner twice. Match all of them together, so that the total is largest"
            if len(set(order.tolist())) < k and set(order.tolist()) <= set(range(k))
            else "",
        )
        table = a.T @ b  # (K, K)
        best = linear_sum_assignment(-table)[1]
        inverse = np.argsort(order)
        worst = linear_sum_assignment(table)[1]
        hint = "some other renumbering agrees better: the matching must be best in total, not cause by cause in turn"
        if math.isclose(agreement(a, b, inverse), agreement(a, b, best)):
            hint = "that is the inverse: b[:, order] should agree with a, and a[:, order] with b does"
        elif math.isclose(agreement(a, b, order), agreement(a, b, worst)):
            hint = "the sign: linear_sum_assignment makes the total small; ask it for the largest"
        expect(
            agreement(a, b, order) > agreement(a, b, best) - 1e-9,
            "b[:, order] agrees with a as well as any renumbering can",
            given=given,
            expected=f"an agreement of {agreement(a, b, best):.6g}",
            got=agreement(a, b, order),
            hint=hint,
        )

    for k in (6, 9, 12):
        a = rng.dirichlet(np.full(k, 0.05), size=40 * k)
        cycle = np.roll(np.arange(k), 1)  # not its own inverse
        look(a, a[:, cycle], f"the same responsibilities of {k} causes under new numbers")
        noisy = 0.8 * a[:, cycle] + 0.2 * rng.dirichlet(np.ones(k), size=len(a))
        look(a, noisy, f"nearly the same responsibilities of {k} causes under new numbers")
    for k in (4, 5, 6, 7):
        b = np.repeat(_tempting(rng, k), 10, axis=0)
        look(np.repeat(np.eye(k), 10, axis=0), b, f"two runs that have mixed up {k} causes, and where haste goes wrong")
    for k, n in ((4, 12), (5, 20)):
        look(*_soft(rng, k, n), f"{n} points of which two runs with {k} causes are unsure")
    a = np.repeat(np.eye(3), [40, 30, 10], axis=0)  # the second run has put two clouds into one cause
    b = np.repeat(np.array([[0.9, 0.1, 0], [0.6, 0.4, 0], [0, 0, 1.0]]), [40, 30, 10], axis=0)
    look(a, b, "a second run that has one cause for two clouds")
    b = np.repeat(np.array([[0.6, 0.4, 0], [0.9, 0.0, 0.1], [0, 0, 1.0]]), [40, 30, 10], axis=0)
    look(a, b, "two causes that want the same partner, where the first should give way")


# 03.5 -----------------------------------------------------------------------------------------------------------------


@exercise("03.5", "choose_K", points=3)
def _(answer, rng):
    train, held = rng.normal(size=(60, 2)), rng.normal(size=(40, 2)) + 1

    def play(table, candidates, margin, want, says, mistakes=(), growing=True, skew=None):
        """table[K] holds the held-out score for each seed; training scores grow with K."""
        seeds = [7, 3, 12][: len(next(iter(table.values())))]
        fitted, alarm = set(), []
        shown = {K: [round(float(s), 2) for s in v] for K, v in table.items()}

        class Fake:
            def __init__(self, x, K, seed):
                if not np.array_equal(x, train):
                    alarm.append("fit")
                fitted.add((int(K), int(seed)))
                if int(seed) not in seeds:
                    alarm.append("seed")
                self.K, self.seed = int(K), int(seed)

            def log_prob(self, x):
                if np.array_equal(x, held):
                    noise = np.linspace(-1, 1, len(x))
                    if skew and self.K in skew:  # of mean 0 and another median
                        noise = np.full(len(x), skew[self.K])
                        noise[0] = -noise[1:].sum()
                    return table[self.K][seeds.index(self.seed) if self.seed in seeds else 0] + noise
                return np.full(len(x), -1.0 + (self.K if growing else 0))

        handed, last = (list(candidates), list(seeds)), (margin,) if margin else ()
        got = answer(lambda x, K, seed: Fake(x, K, seed), train.copy(), held.copy(), *handed, *last)
        same = handed == (list(candidates), seeds)
        expect(same, "the lists that were given are left as they were", hint="work on a copy")
        expect(
            "seed" not in alarm,
            "the models are fitted with the seeds that were given",
            given=f"seeds {seeds}",
            hint="loop over seeds themselves: they need not be 0, 1, 2",
        )
        expect(
            not alarm,
            "the models are fitted to the training examples",
            hint="fit to train only; held_out is for choosing",
        )
        expect_equal(
            got,
            want,
            says,
            given=f"held-out scores by seed {shown}, " + (f"margin {margin:g}" if margin else "no margin given"),
            mistakes=mistakes,
        )
        missing = {(K, s) for K in candidates for s in seeds} - fitted
        expect(
            not missing,
            "every candidate is tried with every seed",
            got=f"{len(missing)} fits were left out",
            hint="one seed is luck: average over all of them",
        )

    base = -float(rng.uniform(3, 5))
    up = "that is what the training likelihood would choose: it always likes the most causes best. Score on held_out"
    play(
        {
            2: [base - 1, base - 1.2],
            3: [base + 0.5, base + 0.4],
            6: [base + 0.1, base - 0.3],
            9: [base - 0.5, base - 1],
        },
        [2, 3, 6, 9],
        0.0,
        3,
        "the best held-out average wins",
        [
            (9, up),
            (2, "the sign: log-likelihoods are better when they are larger"),
            (1, "return the candidate, not its place in the list"),
        ],
    )
    play(
        {2: [base, base, base], 4: [base + 0.9, base - 2, base - 1], 8: [base - 1, base - 1, base - 1]},
        [8, 2, 4],
        0.0,
        2,
        "average over the seeds, then choose",
        [
            (4, "you took the luckiest seed of each candidate: average over the seeds"),
            (8, up),
            (1, "return the candidate, not its place in the list"),
        ],
    )
    play(
        {2: [base, base, base], 4: [base + 0.1, base + 0.1, base - 2]},
        [2, 4],
        0.0,
        2,
        "average over the seeds, then choose",
        [(4, "average over the seeds: their mean, not their median, and not the luckiest of them")],
    )
    play(
        {3: [base, base], 5: [base - 0.2, base - 0.2]},
        [5, 3],
        0.0,
        3,
        "a model's score is the average over the held-out examples",
        [(5, "the mean over the examples, not the median: a few very unlikely ones count in full")],
        skew={5: 0.5},
        growing=False,
    )
    play(
        {2: [base, base - 2, base - 2], 4: [base - 1.5, base - 0.1, base - 0.5], 7: [base - 1, base - 1, base - 0.4]},
        [4, 7, 2],
        0.0,
        4,
        "average over the seeds, then choose",
        [
            (7, "average over the seeds: their mean, and neither the unluckiest of them nor the last"),
            (2, "average over the seeds: their mean, and neither the luckiest of them nor the first"),
        ],
        growing=False,
    )
    play(
        {3: [base - 0.004] * 2, 6: [base] * 2},
        [6, 3],
        0.0,
        6,
        "without a margin the best wins, and be it by little",
        [(3, "the margin is 0 unless another is given")],
    )
    play(
        {4: [base, base - 1], 9: [base - 0.6, base - 0.2]},
        [4, 9],
        0.0,
        9,
        "every seed counts",
        [(4, "one seed is luck: average over all of them")],
        growing=False,
    )
    play(
        {2: [base - 0.04, base - 0.04], 5: [base, base], 7: [base - 0.03, base - 0.01]},
        [7, 5, 2],
        0.05,
        2,
        "among those within the margin of the best, the smallest K",
        [
            (
                5,
                "within the margin the simpler model is preferred (it is in nats per example: average log_prob)",
            ),
            (7, "the smallest K within the margin, not the first in the list"),
        ],
    )
    play(
        {10: [base, base], 6: [base, base], 3: [base - 1, base - 1]},
        [10, 6, 3],
        0.0,
        6,
        "of equals, the smallest K",
        [(10, "two are equally good: the smaller K is preferred, wherever it stands in the list")],
    )
    within = "within the margin of the best: not of its neighbour, nor of the best so far, and as a difference in nats"
    play(
        {2: [base - 0.15] * 2, 4: [base - 0.08] * 2, 8: [base] * 2},
        [2, 4, 8],
        0.1,
        4,
        "among those within the margin of the best, the smallest K",
        [(2, within), (8, within)],
    )
    play(
        {2: [base - 1] * 2, 3: [base - 2] * 2, 4: [base - 0.05] * 2, 6: [base - 1] * 2, 8: [base] * 2},
        [2, 3, 4, 6, 8],
        0.1,
        4,
        "among those within the margin of the best, the smallest K",
        [(2, "try them all: the scores may fall and rise again"), (8, "the smallest K within the margin, gaps or not")],
    )


# 03.6 -----------------------------------------------------------------------------------------------------------------


@exercise("03.6", "ppca_sample", points=2)
def _(answer, rng):
    for d, k, noise in ((5, 2, 0.3), (4, 1, 2.5)):
        _has_moments(answer, rng, d, k, noise)
    mean, W = rng.normal(size=6), rng.normal(size=(6, 5))
    dice = np.random.default_rng(int(rng.integers(2**31)))
    x = numbers(answer(3000, mean.copy(), W.copy(), 1e-12, dice), "samples are numbers")
    expect_shape(x, (3000, 6), "n samples of D dimensions")
    expect(
        len(np.unique(np.round(x, 4), axis=0)) > 2970,
        "no cause comes twice",
        given="n = 3,000, and a noise of 1e-12, which hides nothing",
        hint="each sample needs a cause of its own: draw n of them, and not some from a few",
    )
    x = numbers(answer(40_000, np.zeros(2), np.array([[3.0], [4.0]]), 1e-9, dice), "samples are numbers")
    tail = int((np.abs(x @ np.array([0.6, 0.8])) > 15).sum())
    expect(
        40 < tail < 200,
        "there are as many far samples as a Gaussian has",
        given="K = 1, hardly any noise, n = 40,000",
        expected="about 108 beyond three standard deviations",
        got=tail,
        hint="do not clip the draws" if tail <= 40 else "",
    )
    few = [numbers(answer(4, mean.copy(), W.copy(), 0.1, dice), "samples are numbers") for _ in range(250)]
    expect_shape(few[0], (4, 6), "n samples of D dimensions", given="n = 4")
    axes, sizes, _ = np.linalg.svd(W)
    sums = (np.array(few).reshape(250, 4, 6) - mean).sum(1) @ axes[:, :5] / np.sqrt(4 * (sizes**2 + 0.1))  # (250, 5)
    expect(
        bool(np.all((sums**2).mean(0) > 0.5) and np.all((sums**2).mean(0) < 1.8)),
        "the samples of one call are independent of each other, however few they are",
        given="n = 4, in 250 calls",
        got=f"sums of four whose variance is {brief((sums**2).mean(0) * 4)} times that of one, and not 4",
        hint="do not pair, centre or scale the draws of a call: leave them as chance gives them",
    )


def _has_moments(answer, rng, d: int, k: int, noise: float, n: int = 40_000) -> None:
    """The samples have the mean, covariance and independence of PPCA, to within their sampling error."""
    mean, W = rng.normal(scale=3, size=d), rng.normal(scale=1.5, size=(d, k))
    seed = int(rng.integers(2**31))
    given = f"D = {d}, K = {k}, noise {noise}"
    x = numbers(
        answer(n, mean.copy(), W.copy(), noise, np.random.default_rng(seed)), "samples are numbers", given=given
    )
    expect_shape(x, (n, d), "n samples of D dimensions", given=given)
    expect(bool(np.isfinite(x).all()), "samples are finite", given=given)
    signal, eye = W @ W.T, np.eye(d)
    cov = signal + noise * eye
    axes = np.linalg.svd(W, full_matrices=True)[0]  # (D, D) those of the signal first, then those of the noise alone

    def misfit(seen, want):
        seen, want = axes.T @ seen @ axes, axes.T @ want @ axes
        spread = np.maximum(np.diag(want), 0)
        error = np.sqrt((want**2 + np.outer(spread, spread)) / n) + 1e-9
        return float((np.abs(seen - want) / error).max())

    def near(v, want):
        return float((np.abs(v - want) / np.sqrt(np.diag(cov) / n)).max()) < 6

    own = len(np.unique(x[:, 0])) > 0.99 * n  # in float32 some are equal by chance
    expect(own, "no sample comes twice", hint="each sample needs a cause and noise of its own")
    seen = x.mean(0)
    expect(
        near(seen, mean),
        "the samples lie about the mean",
        given=given,
        expected=brief(mean),
        got=brief(seen),
        hint="add the mean"
        if near(seen, 0.0)
        else "is one z shared by all samples? Each sample needs a cause of its own",
    )
    table = np.cov(x.T, bias=True)
    wrong = [
        (signal, "the noise is missing: these samples lie on a plane"),
        (signal + noise**2 * eye, "noise is a variance: multiply by its square root"),
        (signal + math.sqrt(noise) * eye, "noise is the variance itself: take its root once, not twice"),
        (signal + noise, "every dimension needs noise of its own; yours shares one number"),
        (signal / k + noise * eye, "z has variance 1 in each dimension: do not divide by K"),
        (noise * eye, "the cause is missing: add W z"),
        (
            W.mean(1, keepdims=True) @ W.mean(1)[None] * k**2 + noise * eye,
            "each of the K dimensions of z is drawn by itself; yours share one number",
        ),
        (signal / 3 + noise * eye, "z is Gaussian with variance 1, not uniform"),
        (signal / 12 + noise * eye, "z is Gaussian with variance 1, not uniform"),
    ]
    closest, hint = min(((misfit(table, other), words) for other, words in wrong), key=lambda pair: pair[0])
    hint = hint if closest < 6 else ""
    expect(
        misfit(table, cov) < 6,
        "the samples have the covariance W W^T + noise I, to within their sampling error",
        given=given,
        expected=brief(np.diag(cov)) + " on the diagonal",
        got=brief(np.diag(table)),
        hint=hint,
    )
    expect_gaussian(np.linalg.solve(np.linalg.cholesky(cov), (x - mean).T).T, given=given, what="the samples")
    again = numbers(answer(n, mean.copy(), W.copy(), noise, np.random.default_rng(seed)), "samples are numbers")
    other = numbers(answer(n, mean.copy(), W.copy(), noise, np.random.default_rng(seed + 1)), "samples are numbers")
    expect(
        bool(np.array_equal(x, again)) and not np.array_equal(x, other),
        "the same generator gives the same samples, another one gives others",
        hint="draw every number from rng, and make no generator of your own",
    )
    width = np.sqrt(np.diag(axes.T @ cov @ axes))
    white, apart = ((v - mean) @ axes / width for v in (x, other))
    expect(
        float(np.abs(white.T @ apart).max()) < 7 * math.sqrt(n),
        "two generators give samples that have nothing in common",
        given=given,
        hint="draw every number from rng, and make no generator of your own",
    )


# 03.7 -----------------------------------------------------------------------------------------------------------------


@exercise("03.7", "fill_in", points=4)
def _(answer, rng):
    for b, d, k, noise in ((4, 8, 2, 0.5), (3, 12, 5, 0.1)):
        _is_conditional(answer, rng, b, d, k, noise)


def _is_conditional(answer, rng, b: int, d: int, k: int, noise: float) -> None:
    """Unseen pixels are filled with their conditional expectation under the joint Gaussian."""
    mean, W = rng.normal(scale=2, size=d), rng.normal(size=(d, k))
    full = mean + rng.normal(size=(b, k)) @ W.T + math.sqrt(noise) * rng.normal(size=(b, d))
    seen = np.zeros(d, dtype=bool)
    seen[rng.choice(d, d // 2, replace=False)] = True
    x = np.where(seen, full, np.nan)
    C = W @ W.T + noise * np.eye(d)
    gain = np.linalg.solve(C[np.ix_(seen, seen)], C[np.ix_(seen, ~seen)])  # the conditional of a joint Gaussian
    want = x.copy()
    want[:, ~seen] = mean[~seen] + (x[:, seen] - mean[seen]) @ gain

    def with_unseen(value, rows=slice(None), sigma2=noise):
        """The posterior mean from pictures whose unseen pixels were set to a value, then decoded."""
        y = np.where(seen, x, value)
        z = (y - mean)[:, rows] @ W[rows] @ np.linalg.inv(W[rows].T @ W[rows] + sigma2 * np.eye(k))
        return z @ W.T + mean

    def kept(y):
        return np.where(seen, x, y)

    given = f"D = {d}, K = {k}, {int(seen.sum())} pixels seen"
    x_given, seen_given = x.copy(), seen.copy()
    got = answer(x_given, seen_given, mean.copy(), W.copy(), noise)
    _unchanged(x, x_given, "x")
    expect_close(
        got,
        want,
        "the unseen pixels are their conditional expectation given the seen ones, under N(mean, W W^T + noise I)",
        given=given,
        mistakes=[
            (
                np.full_like(x, np.nan),
                "nan: unseen pixels must not enter the computation at all; drop those rows of W",
            ),
            (
                kept(np.full_like(x, np.nan)),
                "nan: unseen pixels must not enter the computation at all; drop those rows of W",
            ),
            (kept(with_unseen(0.0)), "an unseen pixel is not a pixel that is 0: drop its row of W"),
            (kept(with_unseen(mean)), "an unseen pixel is not an average pixel: drop its row of W, also in W^T W"),
            (kept(np.broadcast_to(mean, x.shape)), "that is the average picture: the seen pixels tell more"),
            (with_unseen(0.0, seen), "leave the seen pixels as they are"),
            (kept(with_unseen(0.0, seen) - mean), "add the mean back"),
            (kept(with_unseen(0.0, seen, 0.0)), "the prior is missing: add the noise to the diagonal of W^T W"),
            (kept(with_unseen(0.0, seen, 1.0)), "M = W^T W + noise I: the noise multiplies the identity"),
            (kept(with_unseen(0.0, seen, noise**2)), "noise is a variance already: do not square it"),
            (kept(with_unseen(0.0, seen, math.sqrt(noise))), "noise is a variance: do not take its root"),
        ],
    )
    expect_close(
        answer(np.where(seen, full, 1e6 * rng.normal(size=(b, d))), seen.copy(), mean.copy(), W.copy(), noise),
        want,
        "what stands in the unseen places means nothing, whether it is nan or a number",
        given=f"{given}, and numbers of a million in the unseen places",
        hint="it is `seen` that says what was seen, not nan",
    )
    expect_close(
        answer(x[1:2].copy(), seen.copy(), mean.copy(), W.copy(), noise), want[1:2], "one picture alone", given=given
    )
    expect_close(
        answer(full.copy(), np.ones(d, dtype=bool), mean.copy(), W.copy(), noise),
        full,
        "if all was seen, nothing changes",
    )
    expect_close(
        answer(np.full((b, d), np.nan), np.zeros(d, dtype=bool), mean.copy(), W.copy(), noise),
        np.broadcast_to(mean, (b, d)),
        "if nothing was seen, only the average remains",
        given="seen all False",
    )
    one = np.zeros(d, dtype=bool)
    one[0] = True  # fewer seen pixels than latents
    got = numbers(answer(np.where(one, full, np.nan), one, mean.copy(), W.copy(), noise), "pictures are numbers")
    want = mean + np.outer(full[:, 0] - mean[0], C[0] / C[0, 0])
    want[:, 0] = full[:, 0]
    expect_close(
        got,
        want,
        "one seen pixel is enough for a posterior",
        given="1 pixel seen, 5 latents",
        hint="with fewer pixels than latents W^T W is singular; the prior makes it whole",
    )
