"""Checks of lesson 01, discriminative and generative: Bayes' rule, closed forms, quadrature, moments."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from genutils.check import exercise
from genutils.check.draws import expect_gaussian
from genutils.check.expect import (
    BITS,
    Wrong,
    brief,
    expect,
    expect_close,
    expect_shape,
    numbers,
    pair,
    unchanged,
)

LAW = stats.multivariate_normal
INDEPENDENT = (
    "the dimensions were taken to be independent (cov[s, s] is only a diagonal; cov[np.ix_(s, s)] is the block)"
)


class _Noise(np.random.Generator):
    """A generator that leaves the covariance to the learner."""

    def multivariate_normal(self, *args, **kwargs):
        """Refused: it is what the exercise asks for."""
        raise Wrong(
            "the samples are made of standard noise", hint="that sampler is what you are to write: use standard_normal"
        )


def _covariance(rng, d: int) -> np.ndarray:
    """(d, d) well-conditioned, with unequal variances and real correlations."""
    a = rng.normal(size=(d, d))
    scale = np.diag(rng.uniform(0.5, 2.0, d))
    return scale @ (a @ a.T / d + 0.3 * np.eye(d)) @ scale


# 01.1 -----------------------------------------------------------------------------------------------------------------


@exercise("01.1", "posterior_from_joint", points=2)
def _(answer, rng):
    says = "posterior_from_joint returns p(y | x) and log p(x)"
    for b, k in ((4, 3), (3, 6), (1, 2), (2, 1)):
        joint = rng.normal(-1, 1.5, (b, k))
        given = f"a random log_joint of shape {joint.shape}"
        handed = joint.copy()
        posterior, evidence = pair(answer(handed), says, given)
        unchanged([joint], [handed], given=given)
        p = np.exp(joint)
        total = p.sum(1)
        if np.shape(evidence) == (b, k) and np.shape(posterior) in ((b,), (b, 1)):
            raise Wrong(
                says, given=given, got="log p(x) first", hint="the posterior comes first, then log p(x): swap the two"
            )
        expect_close(
            posterior,
            p / total[:, None],
            "the posterior is p(x, y) divided by its sum over the classes",
            given=given,
            rtol=1e-5,
            atol=1e-6,
            mistakes=[
                (p, "these are the joint probabilities: divide by their sum over the classes, p(x)"),
                (p / p.sum(0), "the wrong axis: axis 0 is the batch; each row is to sum to 1"),
                (p / p.sum(), "divided by the sum over everything: each example has a p(x) of its own"),
                (joint - np.log(total)[:, None], "that is the log-posterior: exponentiate it"),
                (joint / joint.sum(1, keepdims=True), "these are logarithms: exponentiate before you divide"),
            ],
        )
        expect_close(
            evidence,
            np.log(total),
            "log p(x) is the logarithm of the sum of p(x, y) over the classes",
            given=given,
            rtol=1e-5,
            atol=1e-6,
            mistakes=[
                (total, "that is p(x): its logarithm is asked for"),
                (joint.sum(1), "that is a sum of logarithms, the log of a product: sum the probabilities"),
                (np.log(total / k), "that is the logarithm of the mean: Bayes' rule sums over the classes"),
                (joint.max(1), "that is the largest term alone; the others count too"),
                (
                    np.log(total) - joint.max(1),
                    "the largest was subtracted first, and never added back",
                ),
                (np.log(total) / math.log(2), BITS),
                (-np.log(total), "the sign: log p(x), not minus it"),
                (np.log(total)[:, None], "a column of shape (B, 1): one number for each example is asked for, [:, 0]"),
            ],
        )
    for shift, words in ((-900.0, "exp(-900) is 0, and 0/0 is nan"), (800.0, "exp(800) is infinite")):
        joint = shift + np.array([[0.0, 1.0, -2.0], [0.5, -60.0, 0.0]])
        p = np.exp(joint - shift)
        posterior, evidence = pair(answer(joint.copy()), says)
        hint = f"{words}: subtract the largest of the row before you exponentiate"
        given = f"log-densities near {shift:.0f}"
        for got, want, what in (
            (posterior, p / p.sum(1, keepdims=True), "only differences of logarithms matter to the posterior"),
            (evidence, np.log(p.sum(1)) + shift, "log p(x) moves with the log-densities"),
        ):
            expect_close(got, want, what, given=given, hint=hint, rtol=1e-6, atol=2e-4)  # float32 will do
    joint = np.array([[-5.0, -3000.0], [-4000.0, -1000.0]])
    for order in (slice(None), slice(None, None, -1)):
        posterior, evidence = pair(answer(joint[order].copy()), says)
        for got, want in ((evidence, np.array([-5.0, -1000.0])[order]), (posterior, np.eye(2)[order])):
            expect_close(
                got,
                want,
                "each row has its own largest",
                given="rows [-5, -3000] and [-4000, -1000]",
                hint="subtract from each row its own largest: with any other number exponentials vanish or overflow",
            )
    joint = np.array([[math.log(0.2), -np.inf, math.log(0.6)]])
    posterior, evidence = pair(answer(joint.copy()), says)
    given = "a class with log p(x, y) = -inf"
    expect_close(posterior, [[0.25, 0.0, 0.75]], "an impossible class gets 0", given=given, atol=1e-6)
    expect_close(evidence, [math.log(0.8)], "an impossible class adds nothing", given=given, atol=1e-6)
    for far in (-25.0, -80.0):  # small, and not nothing
        posterior, evidence = pair(answer(np.array([[0.0, far]])), says)
        got = numbers(posterior, says)
        expect_shape(got, (1, 2), "one row for each example", given="one example")
        expect_close(
            got[0, 1] / math.exp(far),
            1.0,
            "an improbable class keeps its small probability",
            given=f"log_joint [0, {far:.0f}]; shown is p(y = 1 | x) divided by e^{far:.0f}",
            rtol=1e-3,
            hint="was something added, or cut off, to make it safe? Subtracting the largest is enough",
        )
        expect_shape(
            numbers(evidence, says),
            (1,),
            "one log p(x) for each example, also if there is one only",
            given="log_joint of shape (1, 2)",
            hint="np.squeeze takes away the batch, too, if it is of size 1: [:, 0]",
        )


# 01.2 -----------------------------------------------------------------------------------------------------------------


@exercise("01.2", "lda_weights", points=3)
def _(answer, rng):
    says = "lda_weights returns w and b"
    for d in (1, 2, 5):
        mean_0, mean_1 = rng.normal(0, 2, (2, d))
        cov, prior = _covariance(rng, d), rng.uniform(0.1, 0.4)
        given = f"two random classes in {d} dimensions, p(y = 1) = {prior:.3f}"
        handed = mean_0.copy(), mean_1.copy(), cov.copy()
        w, b = pair(answer(*handed, prior), says, given)
        unchanged((mean_0, mean_1, cov), handed, given=given)
        w, b = numbers(w, "w is an array", given=given), numbers(b, "b is a number", given=given)
        expect_shape(
            w,
            (d,),
            "w has one weight for each dimension",
            given=given,
            hint="a plain array, not a matrix of one row or column" if w.size == d else "",
        )
        expect(b.size == 1, "b is one number", given=given, got=b)
        gap, middle, inverse = mean_1 - mean_0, (mean_0 + mean_1) / 2, np.linalg.inv(cov)
        best = inverse @ gap
        log_odds = math.log(prior / (1 - prior))
        standard = gap / np.diag(cov)
        # the property itself: the log odds by Bayes' rule, at random points, some far out
        at = mean_0 + rng.normal(0, 1, (40, d)) * rng.choice([1, 5, 30], (40, 1))
        one, two = (np.atleast_1d(stats.multivariate_normal(m, cov).logpdf(at)) for m in (mean_1, mean_0))
        mistakes = [
            (-best, "the sign: class 1 is the one whose odds are asked for; swap the means"),
            (gap, "the covariance is missing: solve(cov, mean_1 - mean_0)"),
            (cov @ gap, "multiplied by the covariance: its inverse is needed, solve(cov, ...)"),
            (2 * best, "twice too large: mind the factor of one half in the Gaussian's exponent"),
            (best / 2, "half too small: the cross term comes twice in the square"),
        ]
        if d > 1:  # in one dimension these are the same thing, or right
            mistakes += [
                (standard, "only the variances were used: the covariances between the dimensions count too"),
                (best / np.linalg.norm(best), "the length of w matters: it says how fast the odds change"),
            ]
        expect_close(
            w,
            best,
            "the odds change by exp(w . step) with each step",
            given=given,
            mistakes=mistakes,
            rtol=1e-4,
            atol=1e-5,
        )
        expect_close(
            b.reshape(()),
            log_odds - best @ middle,
            "b makes the odds right everywhere",
            given=given,
            rtol=1e-4,
            atol=1e-4,
            mistakes=[
                (-best @ middle, "the prior is missing: log p(1) - log p(0) belongs to b"),
                (math.log(prior) - best @ middle, "log p(y = 1) alone is no odds: subtract log p(y = 0)"),
                (-log_odds - best @ middle, "the log odds of the prior have the wrong sign"),
                (log_odds + best @ middle, "the sign of the part with the means: w . x + b must be 0 in the middle"),
                (log_odds - 2 * best @ middle, "the squares of the means come with a factor of one half"),
                (
                    log_odds - best @ gap / 2,
                    "expand both squares: the difference of two squares is no square of a difference",
                ),
                (log_odds - mean_1 @ inverse @ mean_1 / 2, "the square of mean_0 is missing in b"),
                (log_odds + mean_0 @ inverse @ mean_0 / 2, "the square of mean_1 is missing in b"),
                (log_odds, "the means are missing in b: halfway between them the odds are those of the prior"),
                (best @ middle - log_odds, "the sign of b as a whole: w . x + b must be the log odds of class 1"),
                (log_odds - best @ mean_1, "halfway between the means only the prior speaks; yours does so at mean_1"),
                (log_odds - best @ mean_0, "halfway between the means only the prior speaks; yours does so at mean_0"),
                (log_odds - gap @ middle, "the covariance is missing in b: w . middle, with the w that you return"),
                (
                    log_odds / math.log(2) - best @ middle,
                    "the log odds of the prior are in bits: the natural logarithm",
                ),
                (prior / (1 - prior) - best @ middle, "the odds of the prior enter as a logarithm"),
            ],
        )
        expect_close(
            at @ w + b.reshape(()),
            one - two + log_odds,
            "w . x + b is the log odds of Bayes' rule, everywhere",
            given=given,
            rtol=1e-3,
            atol=1e-3,
        )
    for prior in (0.5, 0.52, 1e-9, 0.97):
        w, b = pair(answer(np.array([1.0, 0.0]), np.array([-1.0, 2.0]), np.eye(2), prior), says)
        expect_close(
            numbers(b, "b is a number").reshape(()),
            math.log(prior / (1 - prior)) - 2.0,
            "b holds the log odds of the prior, whatever they are",
            given=f"means [1, 0] and [-1, 2], the identity as covariance, p(y = 1) = {prior:g}",
            rtol=1e-5,
        )
    w, _ = pair(answer(np.zeros(2), np.array([1e-3, 2e-3]), 1e-8 * np.array([[2.0, 1.0], [1.0, 2.0]]), 0.5), says)
    expect_close(
        w,
        [0.0, 1e5],
        "small variances are variances like others",
        given="means [0, 0] and [0.001, 0.002], covariance 1e-8 [[2, 1], [1, 2]]",
        rtol=1e-4,
        atol=1e-1,
        hint="was something added to the covariance? It can be inverted as it is",
    )


# 01.3 -----------------------------------------------------------------------------------------------------------------


@exercise("01.3", "change_prior", points=2)
def _(answer, rng):
    for k in (2, 4):
        likelihood = rng.uniform(0.05, 3.0, (5, k))  # p(x | y) of five examples
        old, new = rng.dirichlet(np.full(k, 3.0), size=2)
        before, after = ((likelihood * p) / (likelihood @ p)[:, None] for p in (old, new))
        given = f"{k} classes, old prior {brief(old)}, new prior {brief(new)}"
        handed = before.copy(), old.copy(), new.copy()
        got = answer(*handed)
        unchanged((before, old, new), handed, given=given)
        once = before * new
        ratio = before * new / old
        back = before * old / new
        guessed = before / before.mean(0) * new
        expect_close(
            got,
            after,
            "the posterior that Bayes' rule gives with the new prior and the same p(x | y)",
            given=given,
            rtol=1e-4,
            atol=1e-6,
            mistakes=[
                (once / once.sum(1, keepdims=True), "the old prior is still in it: divide by it first"),
                (ratio, "the rows no longer sum to 1: divide by their sums"),
                (once, "the old prior is still in it, and the rows do not sum to 1"),
                (back / back.sum(1, keepdims=True), "upside down: divide by the old prior, multiply by the new"),
                (
                    (before / old) / (before / old).sum(1, keepdims=True),
                    "the old prior is out, and the new one is not in: multiply by it",
                ),
                (ratio / ratio.sum(0), "the wrong axis: each row is to sum to 1"),
                (ratio / ratio.sum(), "divided by the sum over everything: each row is to sum to 1"),
                (ratio / ratio.max(1, keepdims=True), "divided by the largest of the row: divide by its sum"),
                (before, "that is the old posterior"),
                (guessed / guessed.sum(1, keepdims=True), "the old frequencies are given: do not estimate them here"),
                (before * (new / old / (new / old).sum()), "the rows no longer sum to 1: divide by their sums"),
                (new + 0 * before, "that is the new prior alone: what was seen counts too"),
                (before + new - old, "probabilities are not shifted by a difference: p(x | y) is a factor"),
            ],
        )
        loose = {"rtol": 1e-4, "atol": 1e-6}
        same = answer(before.copy(), old.copy(), old.copy())
        expect_close(same, before, "with the same prior nothing changes", **loose)
        expect_close(
            answer(after.copy(), new.copy(), old.copy()),
            before,
            "there and back again is where you began",
            given=given,
            **loose,
        )
        expect_close(
            answer(before[2:3].copy(), old.copy(), new.copy()),
            after[2:3],
            "an example is judged alike alone and in company",
            given="one row",
            **loose,
        )
        third = rng.dirichlet(np.full(k, 3.0))
        expect_close(
            answer(answer(before.copy(), old.copy(), third.copy()), third.copy(), new.copy()),
            after,
            "in two steps the result is the same as in one",
            given=given,
            **loose,
        )
    few = 1e-10
    expect_close(
        answer(np.array([[1 - few, few]]), np.array([1 - few, few]), np.array([0.5, 0.5])),
        [[0.5, 0.5]],
        "a small posterior may become a large one",
        given=f"posterior [1 - {few:g}, {few:g}], the same as old prior, new prior [0.5, 0.5]",
        rtol=1e-3,
        hint="was something added, or cut off, to make it safe? The old frequencies are all positive",
    )
    gone = np.array([0.0, 1.0])
    expect_close(
        answer(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([0.5, 0.5]), gone),
        [[0.0, 1.0], [0.0, 1.0]],
        "a class that does not come any more gets nothing",
        given="new prior [0, 1]",
    )


# 01.4 -----------------------------------------------------------------------------------------------------------------


@exercise("01.4", "log_prob_of_seen", points=4)
def _(answer, rng):
    for d in (3, 5):
        mean, cov = rng.normal(0, 2, d), _covariance(rng, d)
        x = mean + rng.multivariate_normal(np.zeros(d), cov, size=6)
        given = f"a random Gaussian in {d} dimensions"
        full = LAW(mean, cov).logpdf(x)
        handed = x.copy(), mean.copy(), cov.copy()
        got = answer(*handed)
        unchanged((x, mean, cov), handed, given=given)
        inverse = np.linalg.inv(cov)
        squared = np.einsum("bi,ij,bj->b", x - mean, inverse, x - mean)
        expect_close(
            got,
            full,
            "where nothing is missing it is the log-density",
            given=given,
            mistakes=[
                (np.exp(full), "that is the density: its logarithm is asked for"),
                (-full, "the sign: the log-density, not minus it"),
                (-0.5 * squared, "only the exponent: the log-determinant and D log(2 pi) belong to a density"),
                (full + 0.5 * d * math.log(2 * math.pi), "D/2 log(2 pi) is missing"),
                (full + 0.5 * np.linalg.slogdet(cov)[1], "the log-determinant is missing"),
                (full - 0.5 * np.linalg.slogdet(cov)[1], "the log-determinant needs a factor of one half"),
                (LAW(mean, np.diag(np.diag(cov))).logpdf(x), INDEPENDENT),
                (full.sum(), "that is the sum over the examples: one number for each"),
                (full / math.log(2), BITS),
            ],
        )
        seen = rng.random((6, d)) < 0.6
        seen[0], seen[1], seen[2] = True, [True] * (d - 1) + [False], [False] + [True] * (d - 1)
        seen[3], seen[4] = np.arange(d) == 1, np.arange(d) != 1
        holes = np.where(seen, x, np.nan)

        def by_row(rule, holes=holes, seen=seen):
            return np.array([rule(row[s], s) if s.any() else 0.0 for row, s in zip(holes, seen, strict=True)])

        def proper(row, s, mean=mean, cov=cov):
            return float(LAW(mean[s], cov[np.ix_(s, s)]).logpdf(row))

        def conditional(row, s, mean=mean, inverse=inverse):  # slicing the precision fixes the missing at their means
            return float(LAW(mean[s], np.linalg.inv(inverse[np.ix_(s, s)])).logpdf(row))

        def scaled(row, s, mean=mean, cov=cov, d=d):
            return proper(row, s) - 0.5 * (d - s.sum()) * math.log(2 * math.pi)

        def independent(row, s, mean=mean, cov=cov):
            return float(stats.norm(mean[s], np.sqrt(np.diag(cov)[s])).logpdf(row).sum())

        handed = holes.copy(), mean.copy(), cov.copy()
        got = answer(*handed)
        unchanged((holes, mean, cov), handed, given=f"{given}, rows with nan")
        expect_close(
            got,
            by_row(proper),
            "the missing numbers are integrated out",
            given=f"{given}; a different part of each row is missing",
            mistakes=[
                (
                    LAW(mean, cov).logpdf(np.where(seen, x, mean)),
                    "the means were put in: that is the density of an example nobody saw. Leave out rows and columns",
                ),
                (LAW(mean, cov).logpdf(np.where(seen, x, 0)), "zeros were put in: leave out rows and columns"),
                (
                    by_row(conditional),
                    "rows and columns were left out of the inverse: that conditions on the missing being at their "
                    "means. Leave them out of the covariance",
                ),
                (by_row(scaled), "log(2 pi) comes once for each dimension that is seen, not for all D"),
                (by_row(independent), INDEPENDENT),
                (np.where(seen.all(1), full, np.nan), "nan came out: do not calculate with the missing numbers"),
            ],
        )
        expect_close(
            answer(holes[::-1].copy(), mean.copy(), cov.copy()),
            by_row(proper)[::-1],
            "each row misses its own numbers, in any order of the rows",
            given=given,
            hint="the pattern of one row was used for all of them",
        )
    mean, cov = rng.normal(0, 1, 2), _covariance(rng, 2)  # the property itself, by quadrature
    grid = mean[1] + np.linspace(-9, 9, 2001) * math.sqrt(cov[1, 1])
    whole = np.column_stack([np.full_like(grid, 0.7), grid])
    summed = np.exp(numbers(answer(whole, mean.copy(), cov.copy()), "an array comes back")).sum()
    expect_close(
        answer(np.array([[0.7, np.nan]]), mean.copy(), cov.copy()),
        [math.log(summed * (grid[1] - grid[0]))],
        "it is the logarithm of the density, added up over everything the missing number may be",
        given="two dimensions, the second missing",
        rtol=1e-5,
    )
    expect_close(
        answer(np.full((2, 2), np.nan), mean.copy(), cov.copy()),
        [0.0, 0.0],
        "if nothing is seen the integral is 1 and its logarithm 0",
        given="rows of nan only",
    )
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    far = np.array([[60.0, np.nan], [np.nan, 0.0]])
    expect_close(
        answer(far.copy(), np.zeros(2), cov.copy()),
        [-900 - 0.5 * math.log(4 * math.pi), -0.5 * math.log(2 * math.pi)],
        "far from the mean the density is small, and its logarithm a number like others",
        given="mean [0, 0], variances [2, 1]; rows [60, nan] and [nan, 0]",
        hint="exp(-900) is 0 in a computer: do not go by way of the density. And a 0 that was seen is not missing",
    )
    d = 80
    for scale, words in ((1e-6, "1e-480 is 0"), (1e6, "1e480 is infinite")):  # a determinant that leaves the numbers
        got = numbers(answer(np.zeros((1, d)), np.zeros(d), scale * np.eye(d)), "an array comes back")
        lost = f"a determinant of {words} in a computer: np.linalg.slogdet gives its logarithm"
        expect_close(
            got,
            [-0.5 * d * math.log(2 * math.pi * scale)],
            "many dimensions are no problem",
            given=f"80 dimensions of variance {scale:g}",
            hint="" if np.isfinite(got).all() else lost,
        )


# 01.5 -----------------------------------------------------------------------------------------------------------------


@exercise("01.5", "sample_class", points=2)
def _(answer, rng):
    seed = int(rng.integers(2**31))
    for d in (2, 4):
        mean, cov = rng.normal(0, 3, d), _covariance(rng, d)
        given = f"a random Gaussian in {d} dimensions, 20,000 draws"
        n = 20_000
        handed = mean.copy(), cov.copy()
        x = answer(*handed, n, _Noise(np.random.PCG64(seed)))
        x = numbers(x, "the samples are an array", given=given)
        unchanged((mean, cov), handed, given=given)
        expect_shape(
            x,
            (n, d),
            "n rows of D numbers",
            given=given,
            hint="each example is a row, not a column: transpose" if x.shape == (d, n) else "",
        )
        varied = len(np.unique(x[:, 0])) > n - 5
        ends = int(((x[:, 0] == x[:, 0].max()) | (x[:, 0] == x[:, 0].min())).sum())
        if not varied and 20 < ends < n / 4:
            raise Wrong(
                "the draws are Gaussian, and a Gaussian has no ends",
                given=given,
                got=f"{ends} draws on the edge, at {x[:, 0].min():.3g} or at {x[:, 0].max():.3g}",
                hint="something is cut off",
            )
        words = "some draws come twice: each draw needs its own noise"
        expect(varied, "the draws are independent of each other", given=given, hint=words)
        expect(bool(np.isfinite(x).all()), "all samples are finite", given=given, got=x[0])
        error = np.sqrt(np.diag(cov) / n)
        expect(
            bool((np.abs(x.mean(0) - mean) < 6 * error).all()),
            "the mean of the draws is the mean",
            given=given,
            expected=brief(mean),
            got=x.mean(0),
            hint="add the mean" if (np.abs(x.mean(0)) < 6 * np.sqrt(np.abs(cov @ cov).max() / n) + 0.05).all() else "",
        )
        found = np.cov(x.T, bias=True)
        noise = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / n)  # standard error of each entry
        root = np.linalg.cholesky(cov)
        hint = ""
        for wrong, words in (
            (root.T @ root, "the factor was used from the wrong side: with rows as examples, x = mean + eps @ A.T"),
            (cov @ cov, "that is the covariance itself where its root belongs: A A^T = cov, np.linalg.cholesky"),
            (np.diag(np.diag(cov)), "only the variances were used: the dimensions of your draws are independent"),
            (
                np.diag(np.diag(cov) ** 2),
                "variances used as standard deviations, and no correlations",
            ),
            (
                np.outer(np.sqrt(np.diag(cov)), np.sqrt(np.diag(cov))),
                "one noise served all dimensions of a draw: each has its own",
            ),
            (np.eye(d), "the noise was not given the covariance: mean + A eps with A A^T = cov"),
            (np.sqrt(np.abs(cov)) @ np.sqrt(np.abs(cov)).T, "the root of a matrix is not the root of each entry"),
        ):
            wide = np.sqrt((wrong**2 + np.outer(np.diag(wrong), np.diag(wrong))) / n)
            if (np.abs(found - wrong) < 6 * wide + 1e-9).all():
                hint = words
        expect(
            bool((np.abs(found - cov) < 6 * noise).all()),
            "the covariance of the draws is the covariance",
            given=given,
            expected=brief(cov),
            got=found,
            hint=hint,
        )
        white = np.linalg.solve(root, (x - mean).T).T  # standard Gaussians, if all is right
        expect_gaussian(white, given=given)
        again, other = (
            numbers(answer(mean.copy(), cov.copy(), 5, np.random.default_rng(s)), "the samples are an array")
            for s in (seed, seed)
        )
        expect(
            bool(np.array_equal(again, other)),
            "the same seed gives the same draw",
            given=given,
            hint="take chance only from the generator you were given",
        )
        generator = np.random.default_rng(seed)
        first, second = (numbers(answer(mean.copy(), cov.copy(), 5, generator), "an array") for _ in range(2))
        expect(
            not np.allclose(first, second),
            "two draws from one generator differ",
            given=given,
            hint="the generator was made anew, or its seed fixed: use the one you were given",
        )
    for d in (3, 1):
        one = numbers(answer(np.zeros(d), np.eye(d), 1, np.random.default_rng(seed)), "the samples are an array")
        expect_shape(one, (1, d), "one draw is a row of its own", given=f"n = 1, D = {d}")
    tiny = numbers(
        answer(np.zeros(2), 1e-12 * np.eye(2), 4000, np.random.default_rng(seed)), "the samples are an array"
    )
    expect_close(
        tiny.std() / 1e-6,
        1.0,
        "a small variance is kept",
        given="a covariance of 1e-12 I; shown is the standard deviation divided by 1e-6",
        rtol=0.08,
        hint="was something added to the covariance? It has a root as it is",
    )


# 01.6 -----------------------------------------------------------------------------------------------------------------


def _log_p(joint) -> np.ndarray:
    top = joint.max(1)
    return top + np.log(np.exp(joint - top[:, None]).sum(1))


def _labels(got, want, says, *, given: str, mistakes) -> None:
    """`expect_close` whose report shows the places where the labels differ."""
    try:
        expect_close(got, want, says, given=given, mistakes=mistakes)
    except Wrong as wrong:
        at = np.flatnonzero(got != want)[:8]
        shown = f"{given}; shown are the examples {at.tolist()}"
        raise Wrong(says, given=shown, expected=brief(want[at]), got=brief(got[at]), hint=wrong.hint) from None


@exercise("01.6", "classify_or_reject", points=4)
def _(answer, rng):
    says = "one label, or -1, for each example"
    for k, rate in ((3, 0.1), (5, 0.3)):
        calibration = rng.normal(-820, 7.0, (400, k)) + rng.exponential(18, (400, 1))  # skewed: no Gaussian's quantile
        joint = rng.normal(-820, 7.0, (60, k)) + rng.normal(-8, 14, (60, 1))
        given = f"{k} classes, rate {rate}, log-densities near -820"
        known = _log_p(calibration)
        bar = np.quantile(known, rate)
        near = np.abs(_log_p(joint) - bar) < max(bar - known[known <= bar].max(), known[known > bar].min() - bar)
        joint[near] += 9.0  # how a quantile lies between its neighbours is asked further down
        level, best = _log_p(joint), joint.argmax(1)
        handed = joint.copy(), calibration.copy()
        got = numbers(answer(*handed, rate), says, given=given)
        unchanged((joint, calibration), handed, given=given)

        def refuse(where, best=best):
            return np.where(where, -1, best)

        chosen = best[level >= bar]
        if got.shape == chosen.shape and (got == chosen).all():
            raise Wrong(says, given=given, hint="the refused were left out: they get -1, so that each keeps its place")
        expect_shape(got, (60,), says, given=given)
        named = calibration.argmax(1)
        own = np.array([np.quantile(known[named == j], rate) if (named == j).any() else -np.inf for j in range(k)])
        softmax = np.exp(joint - level[:, None]).max(1), np.exp(calibration - known[:, None]).max(1)
        _labels(
            got,
            refuse(level < bar),
            "refused are those whose log p(x) is below the bar; the others get their likeliest class",
            given=given,
            mistakes=[
                (best, "nothing was refused. Did you exponentiate? exp(-820) is 0: stay with logarithms"),
                (refuse(level > bar), "upside down: what is *un*likely is refused"),
                (refuse(level < np.quantile(known, 1 - rate)), "the wrong end: the bar is the quantile `rate`"),
                (
                    refuse(level < np.quantile(level, rate)),
                    "the bar was taken from the examples in question: it belongs to the calibration set",
                ),
                (
                    refuse(softmax[0] < np.quantile(softmax[1], rate)),
                    "that refuses by certainty, max p(y | x), which says nothing about p(x)",
                ),
                (
                    refuse(softmax[0] < 1 - rate),
                    "that refuses by certainty, max p(y | x), which says nothing about p(x)",
                ),
                (
                    refuse(level < own[best]),
                    "a bar for each class would be another rule: all examples share one",
                ),
                (
                    refuse(level < known.mean() + known.std() * stats.norm.ppf(rate)),
                    "mean and standard deviation give a Gaussian's quantile: take that of the examples, np.quantile",
                ),
                (
                    refuse(joint.max(1) < np.quantile(calibration.max(1), rate)),
                    "p(x) is the sum over the classes, not the largest of them: log-sum-exp",
                ),
                (
                    refuse(joint.sum(1) < np.quantile(calibration.sum(1), rate)),
                    "a sum of logarithms is the log of a product: sum the probabilities (log-sum-exp)",
                ),
                (
                    refuse(joint.mean(1) < np.quantile(calibration.mean(1), rate)),
                    "a mean of logarithms is not the log of p(x): sum the probabilities (log-sum-exp)",
                ),
                (np.where(level < bar, -1, joint.argmin(1)), "the least likely class was named: argmax"),
                (np.where(level < bar, -1, best + 1), "classes are numbered from 0"),
                (level < bar, "that says which are refused; the others are to get their class, the refused -1"),
            ],
        )
        alone = [numbers(answer(joint[i : i + 1].copy(), calibration.copy(), rate), says).item() for i in range(8)]
        expect_close(alone, got[:8], "an example is judged alike alone and in company", given=given)
    same = rng.normal(-900, 1, (200, 3)) + rng.normal(0, 12, (200, 1))
    found = numbers(answer(same.copy(), same.copy(), 0.25), says)
    expect_close((found == -1).mean(), 0.25, "of the calibration set itself, a share `rate` is refused", atol=0.006)
    found = numbers(answer(same.copy(), same.copy(), 0.0), says)
    hint = "below the bar is <, not <=: at rate 0 the bar is the least of them" if (found < 0).sum() == 1 else ""
    expect(bool((found >= 0).all()), "at rate 0 nothing of the calibration set is refused", got=found[:10], hint=hint)
    known = np.array([-9.0, -5.0, -4.0, -2.0, -1.0])  # the bar at 0.3 is np.quantile's: -5 + 0.2
    steps = np.array([-5.1, -4.9, -4.7, -3.9])
    found = numbers(answer(np.stack([steps, steps - 40], 1), np.stack([known, known - 40], 1), 0.3), says)
    expect_close(
        found,
        [-1, -1, 0, 0],
        "the bar lies between two of the calibration set, as np.quantile puts it",
        given="log p(x) of five known examples -9, -5, -4, -2, -1, rate 0.3; of four new ones -5.1, -4.9, -4.7, -3.9",
        mistakes=[
            ([-1, 0, 0, 0], "np.quantile goes between neighbours; your bar is the lower of the two"),
            ([-1, -1, -1, 0], "np.quantile goes between neighbours; your bar is the upper of the two"),
        ],
    )
    tall = np.array([[0.0, -99.0], [-1.0, -99.0], [-2.0, -99.0], [-99.0, -50.0], [-99.0, -51.0]])
    found = numbers(answer(np.array([[-99.0, -50.2], [-1.8, -99.0]]), tall.copy(), 0.4), says)
    expect_close(
        found,
        [-1, 0],
        "there is one bar, whatever the class",
        given="log p(x) of known examples 0, -1, -2 (class 0), -50, -51 (class 1), rate 0.4; of new ones -50.2, -1.8",
        mistakes=[([1, -1], "a bar for each class would be another rule: all examples share one")],
    )
    low = np.array([[-3000.0, -np.inf], [-np.inf, -3010.0], [-3020.0, -np.inf]])
    expect_close(
        answer(np.array([[-np.inf, -3001.0], [-3015.0, -np.inf]]), low.copy(), 0.5),
        [1, -1],
        "-inf stays below every number",
        given="calibration [-3000, -inf], [-inf, -3010], [-3020, -inf], rate 0.5; rows [-inf, -3001] and [-3015, -inf]",
        hint="put no number of your own in the place of -inf: np.logaddexp.reduce knows what to do",
    )
    # log p(x) depends on all classes: the second has the smaller largest term and the larger sum
    edge = np.array([[-10.0, -50.0, -50.0], [-10.3, -10.31, -10.32]])
    found = answer(edge.copy(), np.tile([[-10.0, -11.5, -12.5]], (9, 1)), 0.5)
    expect_close(
        found,
        [-1, 0],
        "p(x) is the sum over the classes",
        given="rows [-10, -50, -50] and [-10.3, -10.31, -10.32]",
        hint="p(x) is the sum over the classes, not the largest of them: log-sum-exp",
    )
    impossible = np.array([[-np.inf, -np.inf], [-np.inf, -3.0]])
    expect_close(
        answer(impossible, np.full((5, 2), -4.0), 0.2),
        [-1, 1],
        "what is impossible under every class is refused",
        given="rows [-inf, -inf] and [-inf, -3]",
        hint="inf - inf is nan, and nan is below nothing: np.logaddexp.reduce knows what to do",
    )
