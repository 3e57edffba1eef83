"""Checks of lesson 07, Bayes and variational inference: quadrature, fixed points and invariances, on random inputs."""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, special, stats

from genutils.check import exercise
from genutils.check.expect import BITS, brief, expect, expect_close, expect_shape, numbers, unchanged

ROUNDING = 1e-9
STUCK = "return the proposals that were accepted; and compare log u, not u, with the log of the ratio"


def _log_normal(z, mu, sigma):
    return -0.5 * ((z - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * math.log(2 * math.pi)


# 07.1 -----------------------------------------------------------------------------------------------------------------


@exercise("07.1", "gamma_posterior", points=2)
def _(answer, rng):
    says = "prior times likelihood is the posterior"
    for n in (1, 7, 40):
        counts, (a, b) = rng.poisson(rng.uniform(1.5, 4), n), rng.uniform(0.5, 5, 2)
        counts[0] += 2  # so that the sum is not the length
        total = counts.sum()
        given = f"{n} counts that sum to {total}, prior Gamma({a:.3f}, {b:.3f})"
        found = numbers(answer(counts.copy(), float(a), float(b)), "you return two numbers", given=given)
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
    for _ in range(4):
        a, b = float(rng.uniform(1.0, 6)), float(rng.uniform(0.5, 4))
        k = rng.integers(0, 8, 5)
        k[:2] = 0, 9
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
        answer(3, 2.0, 1.0), stats.nbinom(2.0, 0.5).logpmf(3), "one number works as well", given="k = 3, a = 2, b = 1"
    )
    expect_close(
        answer(np.array([900]), 700.0, 1.0),
        stats.nbinom(700.0, 0.5).logpmf([900]),
        "large counts are no problem",
        given="k = 900, rate ~ Gamma(700, 1)",
        mistakes=[([np.nan], "Gamma overflows at 171: work with gammaln"), ([np.inf], "Gamma overflows: use gammaln")],
        hint="Gamma overflows at 171: work with gammaln",
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

    for s, k in ((6, 1), (5, 3), (8, 4)):
        mu, log_sigma, eps = rng.normal(size=k), rng.uniform(-0.9, 0.9, k), rng.standard_normal((s, k))
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
            ],
        )
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
            "if q is the posterior, every single draw gives log p(x), without noise",
            given=f"log p(x) = {evidence:.2f}, one draw",
        )


# 07.4 -----------------------------------------------------------------------------------------------------------------


@exercise("07.4", "importance_bound", points=2)
def _(answer, rng):
    for k, b in ((5, 3), (4, 4), (7, 1), (1, 6)):
        w = rng.normal(-3, 2, (k, b))
        want = special.logsumexp(w, axis=0) - math.log(k)
        mine = w.copy()
        first = numbers(answer(mine), "you return one number for each example", given=f"shape {w.shape}")
        unchanged(w, mine, given=f"shape {w.shape}")
        other = special.logsumexp(w, axis=1) - math.log(b)
        mistakes = [
            (want + math.log(k), "the log K is missing: it is the log of the mean, not of the sum"),
            (w.mean(0), "that is the mean of the logs, the ELBO: average before you take the log"),
            (want[None], "the axis of the samples is still there: return shape (B,), without keepdims"),
            (other, "the wrong axis: axis 0 holds the K samples, axis 1 the examples"),
            (special.logsumexp(w, axis=1) - math.log(k), "the wrong axis: axis 0 holds the K samples"),
            (w.max(0), "that is the largest weight only"),
            (want.mean(), "that is the mean over the batch: return one number for each example"),
            (want.sum(), "that is the sum over the batch: return one number for each example"),
            (np.exp(want), "that is the mean weight: return its logarithm"),
            (-want, "that is the loss: the bound itself has the other sign"),
            (special.logsumexp(w) - math.log(w.size), "that mixes the examples: average over axis 0 only"),
            (want / math.log(2), BITS),
        ]
        if k == 1 or b == 1:  # there the mistakes coincide
            mistakes = mistakes[:3] if k > 1 else mistakes[2:3]
        expect_close(
            first, want, "the bound is the log of the mean weight", given=f"shape {w.shape}", mistakes=mistakes
        )
    w = rng.normal(0, 2, (6, 4))
    under = "exp of such numbers is zero or infinite: take the largest out first (or use scipy's logsumexp)"
    for constant in (-5000.0, 3000.0):
        expect_close(
            answer(w + constant),
            special.logsumexp(w, axis=0) - math.log(6) + constant,
            "log-weights in the thousands are no problem",
            given=f"log-weights around {constant:.0f}",
            hint=under,
        )
    apart = np.array([[-4000.0, 10.0], [-4001.0, 9.0]])  # two examples of very different size
    expect_close(
        answer(apart.copy()),
        special.logsumexp(apart, axis=0) - math.log(2),
        "each example has its own scale",
        given="log-weights around -4000 for one example, 10 for the other",
        hint="take the largest out of each column, not of the whole array",
    )
    gone = np.array([[-np.inf, 0.0], [math.log(2), -1.0]])
    expect_close(
        answer(gone.copy())[0] if np.ndim(answer(gone.copy())) else np.nan,
        0.0,
        "a weight of zero counts as a sample",
        given="weights 0 and 2 of one example",
        atol=1e-9,
    )


# 07.5 -----------------------------------------------------------------------------------------------------------------


def _mean_and_precision(x, mu0, lam0, a0, b0, *, power=0.5, spread=True, prior_term=True, steps=400):
    """Coordinate ascent, or a mistaken one."""
    n = len(x)
    a, b = a0 + n / 2 + power, b0
    m, precision = (lam0 * mu0 + x.sum()) / (lam0 + n), np.nan
    for _ in range(steps):
        precision = (lam0 + n) * a / b
        extra = 1 / precision if spread else 0.0
        squares = ((x - m) ** 2).sum() + n * extra
        if prior_term:
            squares += lam0 * ((m - mu0) ** 2 + extra)
        b = b0 + 0.5 * squares
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
        hint = ""
        if np.isclose(found[0], m) and np.isclose(found[2], a) and abs(found[3] / b - 1) > 1e-7:
            rate = found[3] - b0 - 0.5 * (((x - m) ** 2).sum() + lam0 * (m - mu0) ** 2 + (lam0 + n) / found[1])
            if abs(rate) > 1e-6 and abs(found[1] - (lam0 + n) * found[2] / found[3]) < 1e-6 * found[1]:
                hint = "q(tau) averages the squares over q(m): each (x - m)^2 brings the variance of m with it"
            else:
                hint = "not converged, or not at the same fixed point: the two factors must agree with each other"
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
                    _mean_and_precision(*args, spread=False),
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
                ((m, 1 / precision, a, b), "that is the variance of q(m): return its precision"),
                ((m, precision**-0.5, a, b), "that is the standard deviation of q(m): return its precision"),
                ((m, lam0 + n, a, b), "the precision of q(m) has a factor E[tau]"),
                ((m, precision, a, 1 / b), "that is the scale of q(tau): return its rate"),
                ((x.mean(), precision, a, b), "the prior mean counts like lam0 numbers that were seen before"),
                (once, "one round is not enough: iterate until nothing changes"),
                (found, hint),
            ],
        )
    bits = np.array([5.0, 5.0, 5.0])
    expect_close(
        answer(bits.copy(), 5.0, 1.0, 2.0, 1e-3),
        _mean_and_precision(bits, 5.0, 1.0, 2.0, 1e-3),
        "equal numbers do no harm",
        given="x = [5, 5, 5], mu0 = 5",
        rtol=1e-6,
    )


# 07.6 -----------------------------------------------------------------------------------------------------------------


@exercise("07.6", "path_gradient", points=3)
def _(answer, rng):
    for s, k in ((5, 1), (7, 3), (4, 4)):
        mu, log_sigma, eps = rng.normal(size=k), rng.uniform(-1, 0.8, k), rng.standard_normal((s, k))
        weight, curve = rng.normal(size=k), rng.uniform(0.2, 1, k)

        def f(z, w=weight, c=curve):
            return np.sin(z @ w) - (c * z**2).sum(1)

        def grad_f(z, w=weight, c=curve):
            z = np.asarray(z, dtype=float)
            if z.ndim != 2:
                raise ValueError(f"grad_f takes z of shape (S, K), and was given {z.shape}")
            return np.cos(z @ w)[:, None] * w - 2 * c * z

        def value(m, t, f=f, eps=eps):
            return f(m + np.exp(t) * eps).mean()

        h, eye = 1e-5, np.eye(k)
        by_mu = np.array([(value(mu + h * e, log_sigma) - value(mu - h * e, log_sigma)) / (2 * h) for e in eye])
        by_log = np.array([(value(mu, log_sigma + h * e) - value(mu, log_sigma - h * e)) / (2 * h) for e in eye])
        sigma, z = np.exp(log_sigma), mu + np.exp(log_sigma) * eps
        wrong_z = mu + log_sigma * eps
        q_mu, q_log = f(z)[:, None] * eps / sigma, f(z)[:, None] * (eps**2 - 1)
        expect_close(
            answer(grad_f, mu.copy(), log_sigma.copy(), eps.copy()),
            np.stack([by_mu, by_log]),
            "it is the gradient of the sample mean (by finite differences)",
            given=f"{s} draws in {k} dimensions",
            rtol=1e-5,
            atol=1e-7,
            mistakes=[
                ((by_mu, by_log / sigma), "that is with respect to sigma: by the chain rule log_sigma brings a sigma"),
                ((by_mu, by_log * sigma), "one sigma too many: dz / dlog_sigma is sigma * eps"),
                ((by_log, by_mu), "the two gradients are swapped: mu first"),
                ((by_mu * s, by_log * s), "average over the draws, do not add them up"),
                ((by_mu.mean(), by_log.mean()), "average over the draws only, axis 0: a slope for each dimension"),
                ((by_mu, by_mu * sigma), "the eps is missing: a draw moves with sigma by its own eps, draw by draw"),
                ((by_mu, by_mu * eps.mean(0) * sigma), "multiply draw by draw, and then average"),
                (
                    (grad_f(wrong_z).mean(0), (grad_f(wrong_z) * log_sigma * eps).mean(0)),
                    "log_sigma was used as sigma: take its exponential",
                ),
                (
                    (grad_f(mu + sigma**0.5 * eps).mean(0), (grad_f(mu + sigma**0.5 * eps) * sigma**0.5 * eps).mean(0)),
                    "log_sigma was taken for the log of a variance",
                ),
                ((q_mu.mean(0), q_log.mean(0)), "that is the score-function estimator"),
                (
                    (grad_f(np.tile(mu, (s, 1))).mean(0), (grad_f(np.tile(mu, (s, 1))) * sigma * eps).mean(0)),
                    "the slope is wanted at the draws z, not at mu",
                ),
            ],
        )
    mine = [mu.copy(), log_sigma.copy(), eps.copy()]
    answer(grad_f, *mine)
    unchanged([mu, log_sigma, eps], mine)
    noise = rng.standard_normal((20_000, 2))
    got = numbers(answer(lambda z: 2 * z, np.array([1.0, -2.0]), np.log([0.5, 1.5]), noise))
    want = np.array([[2.0, -4.0], [0.5, 4.5]])  # of mu^2 + sigma^2
    expect(
        bool(np.abs(got - want).max() < 0.3),
        "for f(z) = z^2 it is the gradient of mu^2 + sigma^2, up to noise",
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
    z = np.exp(generator.uniform(-1, 1, 4000))
    move = np.log(step(lambda v: -np.log(v), z, 0.4, given) / z)
    stayed = float((np.abs(move) < ROUNDING).mean())
    expect(
        stayed == 0 or stayed > 0.999,
        "for the target 1/z every proposal is accepted",
        given=given,
        expected="no walker stays",
        got=f"{100 * stayed:.0f} % stay",
        hint="the ratio of proposal densities, z' / z, is missing, or upside down; or the step is added to z, where it "
        "should multiply",
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
            return law.logpdf(v) - 40.0

        z = law.rvs(30_000, random_state=generator)
        given = f"30,000 walkers distributed as Gamma({shape}), scale {scale}"
        moved = z
        for _ in range(4):
            before, moved = moved, step(log_p, moved, scale, given)
        share = float((np.abs(np.log(moved / before)) > ROUNDING).mean())
        hint = ""
        if share == 1.0:
            hint = "nothing is ever refused: where a proposal is refused, the walker stays"
        elif moved.mean() < 0.97 * z.mean():
            hint = "they drift to small values: the ratio of proposal densities, z' / z, is missing"
        elif moved.mean() > 1.03 * z.mean():
            hint = "they drift to large values: is the ratio of densities upside down?"
        p_value = float(stats.kstest(moved, law.cdf).pvalue)
        expect(
            0.1 < share < 0.97 and p_value > 1e-7,
            "walkers that are distributed as the target stay so",
            given=given,
            expected=f"mean {law.mean():.3f}",
            got=f"mean {moved.mean():.3f} after four steps, {100 * share:.0f} % moved in the last",
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
