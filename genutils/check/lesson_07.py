"""Checks of lesson 07, Bayes and variational inference: quadrature, fixed points and invariances, on random inputs."""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, special, stats

from genutils.check import exercise
from genutils.check.expect import BITS, RARE, brief, expect, expect_close, expect_shape, numbers, pair, unchanged

ROUNDING = 1e-9
STUCK = "return the proposals that were accepted; and compare log u, not u, with the log of the ratio"


def _log_normal(z, mu, sigma):
    return -0.5 * ((z - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * math.log(2 * math.pi)


# 07.1 -----------------------------------------------------------------------------------------------------------------


@exercise("07.1", "gamma_posterior", points=2)
def _(answer, rng):
    says = "prior times likelihood is the posterior"
    for n, rate in ((40, 3.0), (7, 2.0), (1, 3.0), (5, 400.0)):
        counts, (a, b) = rng.poisson(rate * rng.uniform(0.6, 1.3), n), rng.uniform(0.5, 5, 2)
        counts[0] += 2  # so that the sum is not the length
        if n > 1:
            counts[-1] = 0
        total = counts.sum()
        given = f"{n} counts that sum to {total}, prior Gamma({a:.3f}, {b:.3f})"
        mine = counts.copy()
        found = numbers(answer(mine, float(a), float(b)), "you return two numbers", given=given)
        unchanged(counts, mine, given=given)
        mistakes = [
            ((a + n, b + total), "the two are swapped: the deaths go to the shape, the years to the rate"),
            ((b + n, a + total), "the two are swapped: return the shape first"),
            ((b + n, a + total)[::-1], "a is the shape: look at the power of the rate, a - 1"),
            ((a + total / n, b + 1), "the sum of the counts goes into the shape, not their mean"),
            ((a + total / n, b + n), "the sum of the counts goes into the shape, not their mean"),
            ((a + total, 1 / (b + n)), "that is the scale, 1 / rate: return the rate"),
            ((a + total - 1, b + n), "the density has the power a - 1: read the shape off, do not subtract twice"),
            ((total, n), "the prior is missing: a and b count like data that were seen before"),
            ((total + 1, n), "that is the posterior under a flat prior: a and b count too"),
            ((a + total, b), "each count brings a factor exp(-rate): the rate grows by n"),
            ((b + total, a + n), "a and b are swapped: a is the shape"),
            ((a + total, b + (counts > 0).sum()), "a year without deaths counts, too: the rate grows by n"),
            (
                (a + (counts > 0).sum(), b + n),
                "the shape grows by the counts themselves, not by how many are above zero",
            ),
        ]
        if found.shape == (2,):
            one, two = rng.uniform(0.3, 6, 2)  # the posterior's log-ratio at two rates, against the joint's
            joint = (total + a - 1) * math.log(one / two) - (n + b) * (one - two)
            here = (found[0] - 1) * math.log(one / two) - found[1] * (one - two)
            ok = bool(np.isclose(here, joint, rtol=1e-7)) and bool(np.isfinite(found).all())
            if ok and np.isclose(found[0] - a, total):
                continue
        expect_close(found, (a + total, b + n), says, given=given, mistakes=mistakes)
    x = rng.poisson(2.0, 20)
    half = numbers(answer(x[:9].copy(), 1.5, 0.7))
    both = numbers(answer(x[9:].copy(), float(half[0]), float(half[1])))
    expect_close(both, numbers(answer(x.copy(), 1.5, 0.7)), "today's posterior is tomorrow's prior", given="9, then 11")
    none = np.array([], dtype=int)
    expect_close(answer(none, 1.5, 0.7), (1.5, 0.7), "without data the posterior is the prior", given="no counts")


# 07.2 -----------------------------------------------------------------------------------------------------------------


@exercise("07.2", "next_count_log_prob", points=3)
def _(answer, rng):
    for _ in range(3):
        a, b = float(rng.uniform(1.0, 6)), float(rng.uniform(0.5, 4))
        k = rng.integers(0, 8, 5)
        k[:2] = 0, 9
        k = rng.permutation(k)
        law = stats.gamma(a, scale=1 / b)
        want = np.log(
            [
                integrate.quad(lambda r, c=c, law=law: stats.poisson.pmf(c, r) * law.pdf(r), 0, law.isf(1e-15))[0]
                for c in k
            ]
        )
        plug_in = stats.poisson.logpmf(k, a / b)
        mean_log = -a / b + k * (special.digamma(a) - math.log(b)) - special.gammaln(k + 1)
        other = stats.nbinom(a, 1 / (b + 1)).logpmf(k)
        mode = stats.poisson.logpmf(k, max(a - 1, 1e-9) / b)
        expect_close(
            answer(k.copy(), a, b),
            want,
            "it is the log of the integral of Poisson times Gamma",
            given=f"k = {brief(k)}, rate ~ Gamma({a:.3f}, {b:.3f})",
            mistakes=[
                (plug_in, "that is the Poisson law at the posterior mean: the rate's uncertainty is lost"),
                (mode, "that is the Poisson law at the best rate: average over the rate"),
                (mean_log, "that is the mean of the log: take the log of the mean"),
                (np.exp(want), "that is the probability: return its logarithm"),
                (want / math.log(2), BITS),
                (other, "swapped: b / (b + 1) to the power a, 1 / (b + 1) to the power k; b is a rate, not a scale"),
                (want + special.gammaln(k + 1), "the k! of the Poisson law is missing"),
                (want - a * math.log(b), "the prior's own constant b^a / Gamma(a) is missing"),
                (want - a * math.log(b) + special.gammaln(a), "the prior's own constant b^a / Gamma(a) is missing"),
                (want + special.gammaln(a), "the prior's own constant b^a / Gamma(a) is missing"),
            ],
            rtol=1e-5,
            atol=1e-7,
        )
    whole = numbers(answer(np.arange(400), 3.0, 0.8), "you return one number for each k")
    expect(
        whole.shape == (400,) and bool(abs(np.exp(whole).sum() - 1) < 1e-8),
        "the probabilities of all counts sum to 1",
        given="k = 0 ... 399, rate ~ Gamma(3, 0.8)",
        got=float(np.exp(whole).sum()) if whole.size else "",
        hint="Gamma overflows at 171: work with gammaln" if np.isnan(whole).any() else "",
    )
    expect_close(
        answer(3, 2.5, 1.0), stats.nbinom(2.5, 0.5).logpmf(3), "one number works as well", given="k = 3, a = 2.5, b = 1"
    )
    mine = np.array([4, 0, 2])
    answer(mine, 2.5, 1.0)
    unchanged(np.array([4, 0, 2]), mine)
    for k, a, b in ((900, 700.0, 1.0), (3, 0.2, 60.0), (250, 0.4, 0.01), (5000, 900.5, 0.3)):
        given = f"k = {k}, rate ~ Gamma({a}, {b})"
        found = numbers(answer(np.array([k]), a, b), "you return one number for each k", given=given)
        expect_close(
            found,
            special.gammaln(a + k)
            - special.gammaln(a)
            - special.gammaln(k + 1)
            + np.array([a * (math.log(b) - math.log1p(b)) - k * math.log1p(b)]),
            "large and small numbers are no problem",
            given=given,
            hint="" if np.isfinite(found).all() else "Gamma overflows at 171: work with gammaln",
            rtol=1e-5,
        )


# 07.3 -----------------------------------------------------------------------------------------------------------------


@exercise("07.3", "elbo_estimate", points=3)
def _(answer, rng):
    def batched(f):
        def log_joint(z):
            z = np.asarray(z, dtype=float)
            if z.ndim != 2:
                raise ValueError(f"log_joint takes z of shape (S, K), and was given {z.shape}")
            return f(z)

        return log_joint

    for s, k in ((6, 1), (5, 3), (8, 4), (300, 2), (1, 2), (3, 12)):
        mu, log_sigma, eps = rng.normal(size=k), rng.uniform(-0.9, 0.9, k), rng.standard_normal((s, k))
        if k == 12:  # coordinates of very different width
            log_sigma = np.linspace(-7, 2.5, k)
        weight = rng.normal(size=k)
        log_joint = batched(lambda z, w=weight: -0.3 * (z**2).sum(1) + np.sin(z @ w) - 7.0)
        sigma = np.exp(log_sigma)
        z = mu + sigma * eps
        p, q = log_joint(z), _log_normal(z, mu, sigma).sum(1)
        w = p - q
        constant = 0.5 * k * math.log(2 * math.pi)
        swapped = log_joint(mu + log_sigma * eps) - _log_normal(mu + log_sigma * eps, mu, np.abs(log_sigma)).sum(1)
        root = np.exp(0.5 * log_sigma)
        var = log_joint(mu + root * eps) - _log_normal(mu + root * eps, mu, root).sum(1)
        closed = p.mean() + log_sigma.sum() + constant + 0.5 * k
        expect_close(
            answer(log_joint, mu.copy(), log_sigma.copy(), eps.copy()),
            w.mean(),
            "the ELBO is the mean of log p(x, z) - log q(z)",
            given=f"{s} draws in {k} dimensions",
            mistakes=[
                ((p + q).mean(), "the sign: log q is subtracted"),
                (-w.mean(), "that is the loss: the bound itself has the other sign"),
                (special.logsumexp(w) - math.log(s), "that is the log of the mean: the ELBO is the mean of the logs"),
                (w.sum(), "average over the draws, do not add them up"),
                (w, "that is one number for each draw: average them"),
                (np.median(w), "that is the median of the draws: the ELBO is their mean"),
                (w.max(), "that is the best draw only: average over all of them"),
                (p.mean(), "log q is missing: without it q would shrink to a point"),
                (p.mean() - _log_normal(z, mu, sigma).mean(1).mean(), "log q is summed over dimensions, not averaged"),
                (p.mean() - _log_normal(z, mu, sigma).mean(), "log q is summed over dimensions, not averaged"),
                (p.mean() - _log_normal(z, mu, sigma).sum(), "log q is summed over dimensions and averaged over draws"),
                (w.mean() - constant, "the constant log(2 pi) / 2 of each dimension is missing from log q"),
                (
                    w.mean() - log_sigma.sum(),
                    "that is the density of eps, not of z: log q has a -log sigma for each dimension",
                ),
                (swapped.mean(), "log_sigma was used as sigma: take its exponential"),
                (var.mean(), "log_sigma was taken for the log of a variance"),
                (closed, "that has the entropy of q in closed form: right on average, but not at the same draws"),
                (w.mean() / math.log(2), BITS),
            ]
            if s > 1  # with one draw many of them coincide
            else [],
            rtol=1e-5,
            atol=1e-6,
        )
    k, s = 300, 4  # a density of 300 numbers is below what a floating-point number can be
    wide, eps = rng.uniform(2, 3, k), rng.standard_normal((s, k))
    got = numbers(answer(lambda z: -0.5 * (z**2).sum(1) / 100, np.zeros(k), wide.copy(), eps.copy()))
    z = np.exp(wide) * eps
    expect_close(
        got,
        (-0.5 * (z**2).sum(1) / 100 - _log_normal(z, 0.0, np.exp(wide)).sum(1)).mean(),
        "three hundred dimensions are no problem",
        given=f"{s} draws in {k} dimensions, all standard deviations above 7",
        hint="" if np.isfinite(got).all() else "a product of 300 densities is 0 to the computer: add their logarithms",
        rtol=1e-5,
    )
    k, s = len(mu), 8
    eps = rng.standard_normal((s, k))
    mine = [mu.copy(), log_sigma.copy(), eps.copy()]
    answer(log_joint, *mine)
    unchanged([mu, log_sigma, eps], mine)
    k = 3
    mu, log_sigma, evidence = rng.normal(size=k), rng.uniform(-1, 1, k), float(rng.uniform(-900, -100))
    exact = batched(lambda z: evidence + _log_normal(z, mu, np.exp(log_sigma)).sum(1))
    for _ in range(3):
        expect_close(
            answer(exact, mu.copy(), log_sigma.copy(), rng.standard_normal((1, k))),
            evidence,
            rtol=1e-5,
            says="if q is the posterior, every single draw gives log p(x), without noise",
            given=f"log p(x) = {evidence:.2f}, one draw",
        )


# 07.4 -----------------------------------------------------------------------------------------------------------------


def _left_out(w):
    """L_K and L_(K-1) of each column, by brute force, (2, B)."""
    k = len(w)
    others = [special.logsumexp(np.delete(w, i, axis=0), axis=0) - math.log(k - 1) for i in range(k)]
    return np.stack([special.logsumexp(w, axis=0) - math.log(k), np.mean(others, axis=0)])


@exercise("07.4", "left_out_bounds", points=3)
def _(answer, rng):
    says = "you return two arrays (B,), the estimates of L_K and of L_(K-1)"

    def asked(w, given):
        mine = w.copy()
        first, second = pair(answer(mine), says, given)
        unchanged(w, mine, given=given)
        first, second = numbers(first, says, given=given), numbers(second, says, given=given)
        shapes = f"shapes {first.shape} and {second.shape}"
        keeps = "without keepdims" if first.shape == (1, w.shape[1]) else ""
        right = first.shape == second.shape == w.shape[1:]
        hint = keeps and f"the axis of the samples is still there: return shape (B,), {keeps}"
        expect(right, says, given=given, expected=f"shapes {w.shape[1:]}", got=shapes, hint=hint)
        return np.stack([first, second])

    for k, b in ((5, 3), (4, 4), (7, 1), (2, 6), (2, 2), (40, 3)):
        w = rng.normal(-3, 2, (k, b))
        given = f"shape {w.shape}"
        one, two = want = _left_out(w)
        total = one + math.log(k)
        last = special.logsumexp(w[:-1], axis=0) - math.log(k - 1)
        mistakes = [
            ((total, two + math.log(k - 1)), "the log K is missing: it is the log of the mean, not of the sum"),
            ((total, two), "the log K is missing from the first: it is the log of the mean, not of the sum"),
            ((one, two + math.log(k - 1)), "the log (K - 1) is missing from the second"),
            (
                (one, two + math.log((k - 1) / k)),
                "of the K - 1 that are left the mean is wanted: log(K - 1), not log K",
            ),
            ((one, one), "that is the log of the mean again: average the logs over the K ways to leave one out"),
            ((two, one), "the two are swapped: L_K first"),
            ((one, last), "leave each one out in turn, not only the last, and average"),
            ((one, special.logsumexp(w[1:], axis=0) - math.log(k - 1)), "leave each one out in turn, and average"),
            ((one, two * k), "average over the K ways to leave one out, do not add them up"),
            ((-one, -two), "that is the loss: the bound itself has the other sign"),
            (want / math.log(2), BITS),
            (np.exp(want), "that is the mean weight: return its logarithm"),
        ]
        if k > 2:
            mistakes.append(((one, w.mean(0)), "that is L_1, the mean of the logs: leave one out, and keep the rest"))
        if k == b:
            turned = _left_out(w.T)
            mistakes.append((turned, "the wrong axis: axis 0 holds the K samples, axis 1 the examples"))
        expect_close(
            asked(w, given),
            want,
            "they are the log of the mean weight, and the mean of the logs with one left out",
            given=given,
            mistakes=mistakes,
            rtol=1e-5,
            atol=1e-6,
        )
    w = rng.normal(0, 2, (6, 4))
    for constant in (-5000.0, 3000.0):
        given = f"log-weights around {constant:.0f}"
        found = asked(w + constant, given)
        under = "exp of such numbers is zero or infinite: take the largest out first (or use scipy's logsumexp)"
        expect_close(
            found,
            _left_out(w) + constant,
            "log-weights in the thousands are no problem",
            given=given,
            hint="" if np.isfinite(found).all() and np.ptp(found) > 0 and (abs(found) > 1500).all() else under,
            rtol=1e-7,
        )
    apart = rng.normal(0, 1, (3, 2)) + [-4000.0, 10.0]
    found = asked(apart, "log-weights around -4000 for one example, 10 for the other")
    whole = "take the largest out of each column, not of the whole array"
    expect_close(
        found,
        _left_out(apart),
        "each example has its own scale",
        given="log-weights around -4000 for one example, 10 for the other",
        hint="" if np.isfinite(found[:, 0]).all() and found[0, 0] < -3000 else whole,
    )
    for above in (20.0, 36.0, 60.0, 900.0):
        w = rng.normal(0, 1, (5, 3))
        w[rng.permutation(5)[:3], np.arange(3)] += above
        given = f"in each column one log-weight about {above:.0f} above the rest"
        found, want = asked(w, given), _left_out(w)
        lost = "the sum less the largest leaves no digits: add up those that are left, without the one left out"
        expect_close(
            found,
            want,
            "one weight that dwarfs the rest does no harm",
            given=given,
            hint=lost if np.allclose(found[0], want[0], rtol=1e-5, atol=1e-6) else "",
            rtol=1e-5,
            atol=1e-6,
        )
    gone = np.array([[-np.inf, 0.0], [math.log(2), -1.0], [0.0, 1.0]])
    expect_close(
        asked(gone, "weights 0, 2 and 1 of one example"),
        _left_out(gone),
        "a weight of zero counts as a sample",
        given="weights 0, 2 and 1 of one example",
    )


# 07.5 -----------------------------------------------------------------------------------------------------------------


def _mean_and_precision(
    x, mu0, lam0, a0, b0, *, power=0.5, spread=1.0, prior_term=True, prior_spread=1.0, half=0.5, steps=400
):
    """Coordinate ascent, or a mistaken one."""
    n = len(x)
    a, b = a0 + n / 2 + power, b0 or 1.0
    m, precision = (lam0 * mu0 + x.sum()) / (lam0 + n), np.nan
    for _ in range(steps):
        precision = (lam0 + n) * a / b
        extra = spread / precision
        squares = ((x - m) ** 2).sum() + n * extra
        if prior_term:
            squares += lam0 * ((m - mu0) ** 2 + prior_spread * extra)
        b = b0 + half * squares
        if not np.isfinite(b):
            break
    return np.array([m, precision, a, b])


@exercise("07.5", "mean_and_precision", points=4)
def _(answer, rng):
    says = "you return four numbers: mean and precision of q(m), shape and rate of q(tau)"
    for n in (1, 6, 30):
        x, mu0 = rng.normal(rng.normal(), rng.uniform(0.5, 2), n), float(rng.normal(2))
        lam0, a0, b0 = (float(v) for v in rng.uniform(0.5, 3, 3))
        given = f"{n} numbers, mu0 = {mu0:.2f}, lam0 = {lam0:.2f}, a0 = {a0:.2f}, b0 = {b0:.2f}"
        mine = x.copy()
        found = numbers(answer(mine, mu0, lam0, a0, b0), says, given=given)
        unchanged(x, mine, given=given)
        expect(found.shape == (4,) and bool(np.isfinite(found).all()), says, given=given, got=found)
        args = (x, mu0, lam0, a0, b0)
        m, precision, a, b = want = _mean_and_precision(*args)
        once = _mean_and_precision(*args, steps=1)
        agree = abs(found[1] - (lam0 + n) * found[2] / found[3]) < 1e-6 * abs(found[1])
        hint = (
            ""
            if agree
            else "the two factors do not agree: the precision of q(m) is not (lam0 + n) a / b at the a and b you return"
        )
        if not np.isclose(found[0], m) or not np.isclose(found[2], a):
            hint = ""
        rate = b0 + 0.5 * (((x - m) ** 2).sum() + lam0 * (m - mu0) ** 2)  # of the exact posterior
        shape = a0 + n / 2
        expect_close(
            found,
            want,
            "no factor can be improved while the other stays",
            given=given,
            rtol=1e-7,
            mistakes=[
                (
                    _mean_and_precision(*args, power=0.0),
                    "count the powers of tau: n/2 from the data, and 1/2 more from the prior of m",
                ),
                (_mean_and_precision(*args, power=1.0), "count the powers of tau: the prior of m brings 1/2, not 1"),
                (
                    _mean_and_precision(*args, spread=0.0),
                    "q(tau) averages the squares over q(m): each (x - m)^2 brings the variance of m with it",
                ),
                (
                    _mean_and_precision(*args, prior_term=False),
                    "the prior of m depends on tau too: its lam0 (m - mu0)^2 belongs in the rate",
                ),
                (
                    _mean_and_precision(*args, power=0.0, prior_term=False),
                    "the prior of m depends on tau too: q(tau) gets half a power and lam0 (m - mu0)^2 from it",
                ),
                (_mean_and_precision(*args, half=1.0), "the quadratic forms have a factor 1/2 in the rate"),
                (
                    _mean_and_precision(*args, prior_spread=0.0),
                    "lam0 (m - mu0)^2 is averaged over q(m) as well: it brings lam0 times the variance of m",
                ),
                (
                    _mean_and_precision(*args, spread=1 / n, prior_spread=0.0),
                    "the variance of m comes with each of the n squares, and lam0 times with the prior's",
                ),
                (
                    _mean_and_precision(x, mu0, lam0, a0, 0.0),
                    "the prior's rate b0 is missing",
                ),
                (
                    (m, (lam0 + n) * shape / rate, shape, rate),
                    "that is the exact posterior of tau, not the mean field's",
                ),
                ((m, lam0 + n, shape, rate), "that is the exact posterior's parameters, not the mean field's"),
                ((m, 1 / precision, a, b), "that is the variance of q(m): return its precision"),
                ((m, precision**-0.5, a, b), "that is the standard deviation of q(m): return its precision"),
                ((m, lam0 + n, a, b), "the precision of q(m) has a factor E[tau]"),
                ((m, precision, a, 1 / b), "that is the scale of q(tau): return its rate"),
                ((x.mean(), precision, a, b), "the prior mean counts like lam0 numbers that were seen before"),
                (once, "one round is not enough: iterate until nothing changes"),
                (found, hint),
            ],
        )
    rest = [
        ("x = [5, 5, 5], mu0 = 5: equal numbers", np.array([5.0, 5.0, 5.0]), (5.0, 1.0, 2.0, 1e-3)),
        ("one number and a0 = 0.01, which converges slowly", rng.normal(3, 1, 1), (-1.0, 0.2, 0.01, 0.5)),
        ("numbers around 2000, as precise as 1e-6", rng.normal(2000, 1e-3, 8), (2000.0, 0.01, 1.0, 1e-7)),
        ("a wide prior, far from the numbers", rng.normal(0, 100, 4), (-900.0, 5.0, 3.0, 0.1)),
    ]
    for given, x, (mu0, lam0, a0, b0) in rest:
        found = numbers(answer(x.copy(), mu0, lam0, a0, b0), says, given=given)
        want = _mean_and_precision(x, mu0, lam0, a0, b0)
        loose = found.shape == (4,) and bool(np.allclose(found, want, rtol=0.2))
        expect_close(
            found,
            want,
            "no factor can be improved while the other stays",
            given=given,
            rtol=1e-6,
            hint="go on until nothing changes to eight digits, on the scale of the numbers" if loose else "",
        )


# 07.6 -----------------------------------------------------------------------------------------------------------------


@exercise("07.6", "path_gradient", points=3)
def _(answer, rng):
    says = "you return two arrays, (K,) and (K, K)"
    for s, k in ((7, 3), (4, 4), (5, 1), (1, 2), (3, 6)):
        mu, eps = rng.normal(size=k), rng.standard_normal((s, k))
        L = np.tril(rng.normal(size=(k, k)), -1) + np.diag(rng.uniform(0.3, 2, k))
        L[-1, 0] = 0.0 if k > 2 else L[-1, 0]  # a zero below the diagonal is a parameter like others
        weight, curve = rng.normal(size=k), rng.uniform(0.2, 1, k)

        def f(z, w=weight, c=curve):
            return np.sin(z @ w) - (c * z**2).sum(1)

        def grad_f(z, w=weight, c=curve):
            z = np.asarray(z, dtype=float)
            if z.ndim != 2:
                raise ValueError(f"grad_f takes z of shape (S, K), and was given {z.shape}")
            return np.cos(z @ w)[:, None] * w - 2 * c * z

        def value(m, lower, f=f, eps=eps):
            return f(m + eps @ lower.T).mean()

        h, eye = 1e-5, np.eye(k)
        by_mu = np.array([(value(mu + h * e, L) - value(mu - h * e, L)) / (2 * h) for e in eye])
        by_L = np.zeros((k, k))
        for i, j in zip(*np.tril_indices(k), strict=True):
            step = h * np.outer(eye[i], eye[j])
            by_L[i, j] = (value(mu, L + step) - value(mu, L - step)) / (2 * h)
        given = f"{s} draws in {k} dimensions"
        found = pair(answer(grad_f, mu.copy(), L.copy(), eps.copy()), says, given)
        one, two = (numbers(v, says, given=given) for v in found)
        sizes, right = f"shapes {one.shape} and {two.shape}", f"shapes ({k},) and ({k}, {k})"
        diagonal = "L has K x K entries: one slope for each, not for the diagonal alone" if two.shape == (k,) else ""
        summed = "average over the draws only, axis 0: a slope for each dimension" if one.shape == () else ""
        swapped = "the two gradients are swapped: mu first" if one.shape == (k, k) and two.shape == (k,) else ""
        expect(
            one.shape == (k,) and two.shape == (k, k),
            says,
            given=given,
            expected=right,
            got=sizes,
            hint=swapped if swapped and k > 1 else summed or diagonal,
        )
        g = grad_f(mu + eps @ L.T)
        full = g.T @ eps / s
        leant = grad_f(mu + eps @ L)
        at_mu = grad_f(np.tile(mu, (s, 1)))
        wide = grad_f(mu + np.diag(L) * eps)

        def both(a, b):
            return np.concatenate([np.ravel(a), np.ravel(b)])

        mistakes = []
        if k > 1 and s > 1:
            mistakes = [
                (both(by_mu, full), "what is above the diagonal of L is no parameter: its gradient is zero"),
                (both(by_mu, np.tril(full.T)), "transposed: L_ij moves z_i by eps_j"),
                (both(by_mu, full.T), "transposed, and not triangular: L_ij moves z_i by eps_j, for j <= i"),
                (both(by_mu, np.triu(full)), "that is the upper triangle: L is lower triangular"),
                (both(by_mu, by_L.T), "that is the upper triangle: L is lower triangular"),
                (both(by_mu * s, by_L * s), "average over the draws, do not add them up"),
                (both(by_mu, by_L * s), "average over the draws, do not add them up"),
                (both(by_mu, np.diag(np.diag(by_L))), "L moves z below its diagonal too: one slope for each entry"),
                (both(by_mu, np.tril(np.outer(g.mean(0), eps.mean(0)))), "multiply draw by draw, and then average"),
                (
                    both(by_mu, np.tril(np.tile(g.mean(0)[:, None], (1, k)))),
                    "the eps is missing: L_ij moves z_i by eps_j",
                ),
                (
                    both(by_mu, np.tril(g.T @ (eps @ L.T) / s)),
                    "by the chain rule L_ij brings its own eps_j, not the whole step L eps",
                ),
                (
                    both(leant.mean(0), np.tril(leant.T @ eps / s)),
                    "a draw is mu + L eps: for rows of eps that is eps @ L.T",
                ),
                (both(at_mu.mean(0), np.tril(at_mu.T @ eps / s)), "the slope is wanted at the draws z, not at mu"),
                (
                    both(wide.mean(0), np.tril(wide.T @ eps / s)),
                    "a draw is mu + L eps, with all of L, not its diagonal",
                ),
                (both(-by_mu, -by_L), "the sign: it is the gradient of f, not of a loss"),
                (
                    both(by_mu, np.tril(by_L + 1 / np.where(L == 0, np.inf, L) * eye)),
                    "the entropy of q is not asked for",
                ),
            ]
        expect_close(
            both(one, two),
            both(by_mu, by_L),
            "it is the gradient of the sample mean (by finite differences)",
            given=given,
            rtol=1e-4,
            atol=1e-5,
            mistakes=mistakes,
        )
        expect(
            bool((np.abs(np.triu(two, 1)) < 1e-12).all()),
            "above the diagonal the gradient is exactly zero",
            given=given,
            got=two,
        )
    mine = [mu.copy(), L.copy(), eps.copy()]
    answer(grad_f, *mine)
    unchanged([mu, L, eps], mine)
    noise = rng.standard_normal((20_000, 2))
    lower = np.array([[0.5, 0.0], [-1.0, 1.5]])
    got = pair(answer(lambda z: 2 * z, np.array([1.0, -2.0]), lower, noise), says)
    got = np.concatenate([numbers(v, says).ravel() for v in got])
    want = np.array([2.0, -4.0, 1.0, 0.0, -2.0, 3.0])  # of mu . mu + the squares of all entries of L
    expect(
        got.shape == want.shape and bool(np.abs(got - want).max() < 0.3),
        "for f(z) = |z|^2 it is the gradient of |mu|^2 + the squares of L's entries, up to noise",
        expected=brief(want),
        got=brief(got),
    )


# 07.7 -----------------------------------------------------------------------------------------------------------------


@exercise("07.7", "positive_step", points=4)
def _(answer, rng):
    says = "you return (C,) places"
    generator = np.random.default_rng(rng.integers(2**32))

    def step(log_p, z, scale, given):
        before = z.copy()
        found = numbers(answer(log_p, z, scale, generator), says, given=given)
        expect_shape(found, z.shape, says, given=given)
        unchanged(before, z, given=given, hint="copy z first")
        expect(
            bool(np.isfinite(found).all() and (found > 0).all()),
            "the walkers stay on the positive numbers",
            given=given,
            hint="propose by multiplying, z * exp(scale * eps), not by adding",
        )
        return found

    # under p(z) ~ 1/z, log z is uniform: multiplying is then a symmetric walk, and nothing is ever refused
    given = "the target 1/z, for which every proposal is accepted"
    z = np.exp(generator.uniform(-1, 1, 20_000))
    move = np.log(step(lambda v: -np.log(v), z, 0.4, given) / z)
    stayed = float((np.abs(move) < ROUNDING).mean())
    hint = "the ratio of proposal densities, z' / z, is missing, or upside down; or the step is added to z, where it "
    hint += "should multiply"
    if abs(stayed - 0.5) < 0.03:
        hint = "accept with probability min(1, ratio): where the ratio is 1, nothing is refused"
    expect(
        stayed == 0 or stayed > 0.999,
        "for the target 1/z every proposal is accepted",
        given=given,
        expected="no walker stays",
        got=f"{100 * stayed:.0f} % stay",
        hint=hint,
    )
    if stayed > 0.999:
        expect(False, "the walkers move", given=given, got="none did", hint=STUCK)
    expect(
        float(np.ptp(move)) > 0.1,
        "each walker draws its own step",
        given=given,
        got="all moved by the same factor",
        hint="draw C numbers, one for each walker",
    )
    expect(
        bool(abs(move.std() / 0.4 - 1) < 0.1 and abs(move.mean()) < 0.04),
        "log z moves by scale * eps",
        given="scale = 0.4, the target 1/z",
        expected="standard deviation 0.4",
        got=f"{move.std():.3f}",
        hint="z' = z * exp(scale * eps), with standard normal eps",
    )
    spread, half = move / 0.4, len(move) // 2
    p_value = float(stats.kstest(spread, stats.norm.cdf).pvalue)
    expect(
        p_value > RARE,
        "eps is standard normal",
        given="20,000 walkers, scale = 0.4, the target 1/z",
        expected="a normal law",
        got=f"another law with standard deviation {spread.std():.2f} (p = {p_value:.1g})",
        hint="z' = z * exp(scale * eps), with standard normal eps",
    )
    rank = np.argsort(z)
    for how, one, two in (
        ("the first half and the second", spread[:half], spread[half:]),
        ("neighbours", spread[::2], spread[1::2]),
        ("the first half and the second, backwards", spread[:half], spread[half:][::-1]),
        ("walkers near each other", spread[rank][:-1], spread[rank][1:]),
    ):
        link = float(np.corrcoef(one, two)[0, 1])
        expect(
            abs(link) < 6.5 / math.sqrt(half),
            "the walkers move independently",
            given=f"20,000 walkers: {how}",
            expected="a correlation of zero",
            got=f"{link:.2f}",
        )
    means = []
    for _ in range(20):
        z = np.full(100, 1.5)
        means.append(10 * np.log(step(lambda v: -np.log(v), z, 0.4, given) / z).mean() / 0.4)
    expect(
        float(np.var(means)) > 0.05,
        "the steps of a call do not cancel out",
        given="20 calls with 100 walkers each",
        expected="means of eps that spread by about 0.1",
        got=f"{np.std(means) / 10:.2g}",
    )
    z = np.exp(generator.uniform(-1, 1, 50))
    first, again, other = (
        numbers(answer(lambda v: -2 * v, z.copy(), 0.7, np.random.default_rng(seed)), says) for seed in (5, 5, 6)
    )
    expect(
        bool(np.array_equal(first, again)) and not np.array_equal(first, other),
        "all randomness comes from the generator that is handed over",
        given="two generators of one seed, and one of another",
        expected="the same places for the same seed, and other places for another",
        got="different places for the same seed" if not np.array_equal(first, again) else "the same places for both",
        hint="draw with generator.standard_normal and generator.random",
    )
    given = "2,000 walkers that all stand at 2, target exp(-0.3 z), ten times"
    stay = []
    for _ in range(10):
        move = np.log(step(lambda v: -0.3 * v, np.full(2000, 2.0), 1.0, given) / 2)
        stay.append(float((np.abs(move) < ROUNDING).mean()))
    expect(
        float(np.std(stay)) < 0.04,
        "each walker draws its own acceptance",
        given=given,
        expected="about as many refusals each time",
        got=f"{100 * min(stay):.0f} % to {100 * max(stay):.0f} % refused",
        hint="draw C numbers, one for each walker",
    )
    for shape, scale in ((3.0, 1.0), (1.2, 0.7)):
        law = stats.gamma(shape)

        def log_p(v, law=law):
            return law.logpdf(v) - 2000.0

        z = law.rvs(30_000, random_state=generator)
        given = f"30,000 walkers distributed as Gamma({shape}), scale {scale}"
        moved = z
        for _ in range(6):
            before, moved = moved, step(log_p, moved, scale, given)
        share = float((np.abs(np.log(moved / before)) > ROUNDING).mean())
        hint = ""
        if share == 1.0:
            hint = "nothing is ever refused: where a proposal is refused, the walker stays"
        elif share == 0.0:
            hint = "log_p is near -2000 here, and exp(-2000) is 0 to the computer: take the difference of the logs"
        p_value = float(stats.kstest(moved, law.cdf).pvalue)
        expect(
            0.1 < share < 0.97 and p_value > RARE,
            "walkers that are distributed as the target stay so",
            given=given,
            expected=f"mean {law.mean():.3f}",
            got=f"mean {moved.mean():.3f} after six steps, {100 * share:.0f} % moved in the last",
            hint=hint,
        )
    lost = np.full(4000, 8.0)
    for _ in range(60):
        lost = step(lambda v: stats.gamma(3.0).logpdf(v), lost, 0.8, "4,000 walkers that start at 8, target Gamma(3)")
    expect(
        bool(abs(lost.mean() - 3) < 0.2),
        "walkers that start in the wrong place find the target",
        given="4,000 walkers that start at 8, target Gamma(3), 60 steps",
        expected="mean 3",
        got=float(lost.mean()),
        hint="accept when log u < log p(z') - log p(z) + log z' - log z",
    )
