"""Checks of lesson 05, cross-entropy and KL: identities, bounds, quadrature and games, on random inputs."""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, stats

from genutils.check import exercise
from genutils.check.expect import BITS, NATS, brief, expect, expect_close, numbers

SWAPPED = "the arguments are swapped: KL(p || q) averages over p, the truth"


def _kl(p, q) -> float:
    """KL in nats."""
    p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    some = p > 0
    with np.errstate(divide="ignore"):
        return float((p[some] * (np.log(p[some]) - np.log(q[some]))).sum())


def _entropy(p) -> float:
    p = np.asarray(p, dtype=float)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


# 05.1 -----------------------------------------------------------------------------------------------------------------


@exercise("05.1", "kl_bits", points=2)
def _(answer, rng):
    zero = "what never comes (p = 0) costs nothing: leave those terms out"
    for k in (2, 6):
        p, q = rng.dirichlet(np.ones(k), size=2)
        nats = _kl(p, q)
        expect_close(
            answer(p.copy(), q.copy()),
            nats / math.log(2),
            "KL is cross-entropy minus entropy",
            given=f"p = {brief(p)}, q = {brief(q)}",
            mistakes=[
                (nats, NATS),
                (_kl(q, p) / math.log(2), SWAPPED),
                (_kl(q, p), SWAPPED),
                (-nats / math.log(2), "the sign: the ratio is p over q"),
                ((nats + _entropy(p)) / math.log(2), "that is the cross-entropy: subtract the entropy of p"),
                (nats / math.log(2) / k, "that is the mean over outcomes; p already is the weight: sum"),
            ],
        )
    expect_close(answer(p.copy(), p.copy()), 0.0, "believing the truth costs nothing: KL(p || p) = 0", atol=1e-9)
    p, q = np.array([0.5, 0.0, 0.5]), np.array([0.25, 0.5, 0.25])
    expect_close(
        answer(p.copy(), q.copy()),
        1.0,
        "an outcome that never comes costs nothing",
        given="p = [0.5, 0, 0.5], q = [0.25, 0.5, 0.25]",
        mistakes=[(np.nan, zero)],
    )
    got = float(numbers(answer(q.copy(), p.copy()), "KL is a number").reshape(()))
    expect(
        got == math.inf,
        "something that comes was believed impossible: the cost is infinite",
        given="p = [0.25, 0.5, 0.25], q = [0.5, 0, 0.5]",
        expected="inf",
        got=got,
        hint="a small constant in the logarithm, or leaving out q = 0, hides the infinite mistake"
        if math.isfinite(got)
        else "",
    )
    joint_p, joint_q = rng.dirichlet(np.ones(12), size=2).reshape(2, 3, 4)  # the chain rule of KL
    rows = [
        joint_p[i].sum()
        * float(numbers(answer(joint_p[i] / joint_p[i].sum(), joint_q[i] / joint_q[i].sum())).reshape(()))
        for i in range(3)
    ]
    first = float(numbers(answer(joint_p.sum(1), joint_q.sum(1))).reshape(()))
    expect_close(
        answer(joint_p.ravel(), joint_q.ravel()),
        first + sum(rows),
        "the cost of a pair is that of the first part and, on average, that of the second given the first",
        given="two random tables of 3 x 4",
    )


# 05.2 -----------------------------------------------------------------------------------------------------------------


@exercise("05.2", "mean_kl", points=3)
def _(answer, rng):
    for b, k in ((4, 3), (3, 8)):
        p, q = rng.dirichlet(np.ones(k), size=(2, b))
        each, other = [_kl(x, y) for x, y in zip(p, q, strict=True)], [_kl(y, x) for x, y in zip(p, q, strict=True)]
        expect_close(
            answer(p.copy(), q.copy()),
            np.mean(each),
            "sum over outcomes, then average over the batch",
            given=f"random p and q of shape {p.shape}",
            rtol=1e-5,  # a small constant in the logarithm is caught, and named, further down
            mistakes=[
                (np.mean(other), SWAPPED),
                (np.array(each), "that is one number for each row: average them over the batch"),
                (
                    np.sum(each) / k,
                    "the wrong axis: axis 0 is the batch, axis 1 the outcomes. Sum over axis 1, then average",
                ),
                ((q * (np.log(q + 1e-8) - np.log(p + 1e-8))).mean(), f"{SWAPPED}. That is one of the three mistakes"),
                (np.mean(other) / k, f"{SWAPPED}; and it is a mean over outcomes where a sum belongs"),
                (
                    np.mean(each) / k,
                    "sum over the outcomes, and average over the batch only: the result is too small by K",
                ),
                (np.sum(each), "that is the sum over the batch: average it"),
                (np.mean(each) / math.log(2), BITS),
            ],
        )
    p, q = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.5, 0.5], [0.5, 0.5]])
    expect_close(
        answer(p.copy(), q.copy()),
        math.log(2) / 2,
        "an outcome that never comes costs nothing",
        given="p = [[1, 0], [0.5, 0.5]], q uniform",
        rtol=1e-5,
        mistakes=[(np.nan, "0 times log 0 counts as 0")],
    )
    got = float(numbers(answer(q.copy(), np.array([[0.5, 0.5], [1.0, 0.0]])), "the loss is a number").reshape(()))
    expect(
        got == math.inf,
        "one impossible thing that comes makes the loss infinite",
        given="p uniform, q = [[0.5, 0.5], [1, 0]]",
        expected="inf",
        got=got,
        hint="the small constant hides it: a model that excludes what comes must not look merely bad"
        if math.isfinite(got)
        else "",
    )
    p, q = rng.dirichlet(np.ones(5), size=(2, 6))
    parts = [float(numbers(answer(p[i : i + 3], q[i : i + 3])).reshape(())) for i in (0, 3)]
    expect_close(answer(p, q), np.mean(parts), "two half batches average to the whole batch")
    tiny = p[:1] + np.array([[1e-7, -1e-7, 0, 0, 0]])
    expect_close(
        answer(np.array([[1e-9, 1 - 1e-9]]), np.array([[1e-3, 1 - 1e-3]])),
        _kl([1e-9, 1 - 1e-9], [1e-3, 1 - 1e-3]),
        "rare outcomes are counted exactly",
        given="p = [1e-9, 1 - 1e-9], q = [1e-3, 1 - 1e-3]",
        rtol=1e-7,
        atol=1e-15,
        hint="a constant of 1e-8 is not small next to a probability of 1e-9",
    )
    expect(
        float(numbers(answer(p[:1], tiny)).reshape(())) > -1e-12, "KL is never negative", given="p and q nearly equal"
    )


# 05.3 -----------------------------------------------------------------------------------------------------------------


@exercise("05.3", "js_bits", points=2)
def _(answer, rng):
    for k in (3, 9):
        p, q = rng.dirichlet(np.ones(k), size=2)
        m = (p + q) / 2
        game = _entropy(m) - (_entropy(p) + _entropy(q)) / 2  # what one outcome tells about the coin
        bits = game / math.log(2)
        jeffreys = (_kl(p, q) + _kl(q, p)) / 2 / math.log(2)
        expect_close(
            answer(p.copy(), q.copy()),
            bits,
            "JS is what one outcome tells about which of the two it came from",
            given=f"p = {brief(p)}, q = {brief(q)}",
            mistakes=[
                (game, NATS),
                (2 * bits, "half of each: the two KLs are averaged, not added"),
                (jeffreys, "that is the average of the two KLs with each other; measure both against the middle m"),
                (2 * jeffreys, "that is the sum of the two KLs with each other; measure both against the middle m"),
                ((_kl(m, p) + _kl(m, q)) / 2 / math.log(2), "KL(p || m), not KL(m || p): the truth comes first"),
                (math.sqrt(bits), "that is the square root, the Jensen-Shannon *distance*"),
            ],
        )
        expect_close(answer(q.copy(), p.copy()), bits, "JS is symmetric", given=f"p = {brief(p)}, q = {brief(q)}")
    expect_close(
        answer(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.5])),
        1.0,
        "if one glance always settles it, the outcome tells the whole bit",
        given="p = [1, 0, 0], q = [0, 0.5, 0.5]",
        mistakes=[
            (math.log(2), NATS),
            (np.nan, "0 times log 0 counts as 0"),
            (math.inf, "measure against m: it is zero only where both are"),
        ],
    )
    expect_close(answer(p.copy(), p.copy()), 0.0, "nothing tells equals apart: JS(p, p) = 0", atol=1e-9)


# 05.4 -----------------------------------------------------------------------------------------------------------------


@exercise("05.4", "gaussian_kl_nats", points=2)
def _(answer, rng):
    for _ in range(6):
        a, b = rng.normal(size=2)
        s, t = np.exp(rng.uniform(-0.7, 0.7, size=2))
        p, q = stats.norm(a, s), stats.norm(b, t)
        want = integrate.quad(
            lambda x, p=p, q=q: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), a - 12 * s, a + 12 * s, epsabs=1e-11
        )[0]
        shift = (a - b) ** 2
        back = math.log(s / t) + (t**2 + shift) / (2 * s**2) - 0.5
        expect_close(
            answer(float(a), float(s), float(b), float(t)),
            want,
            "the closed form equals the integral",
            given=f"p = N({a:.3f}, {s:.3f}²), q = N({b:.3f}, {t:.3f}²)",
            mistakes=[
                (want / math.log(2), BITS),
                (back, SWAPPED),
                (
                    math.log(t / s) + (s + shift) / (2 * t) - 0.5,
                    "a standard deviation was used where its square, the variance, belongs",
                ),
                (
                    0.5 * math.log(t / s) + (s + shift) / (2 * t) - 0.5,
                    "sigma was taken for a variance: it is a standard deviation",
                ),
                (want + 0.5, "the -1/2 is missing: for p = q the result must be 0"),
                (
                    math.log(t / s) + (s**2 + shift) / t**2 - 0.5,
                    "a factor 1/2 is missing in front of the quadratic term",
                ),
                (
                    2 * math.log(t / s) + (s**2 + shift) / (2 * t**2) - 0.5,
                    "log(sigma_q / sigma_p) without the factor 2: half the log of the ratio of variances",
                ),
                (
                    math.log(s / t) + (s**2 + shift) / (2 * t**2) - 0.5,
                    "the sign of the logarithm: sigma_q over sigma_p",
                ),
                (math.log(t / s) + (s**2 + abs(a - b)) / (2 * t**2) - 0.5, "the difference of the means is squared"),
                (
                    math.log(t / s) + (s**2 + shift) / (2 * t) - 0.5,
                    "sigma_q is squared in the denominator: it is a standard deviation, and 2 sigma_q^2 a variance",
                ),
                (
                    math.log(t / s) + (s**2 - shift) / (2 * t**2) - 0.5,
                    "the sign of the shift: distant means cost more, so their squared difference is added",
                ),
            ],
            rtol=1e-5,
            atol=1e-8,
        )
    expect_close(answer(1.5, 0.3, 1.5, 0.3), 0.0, "believing the truth costs nothing", given="p = q = N(1.5, 0.3²)")
    c = 7.0
    one, other = answer(0.2, 0.5, -0.4, 0.9), answer(0.2 * c, 0.5 * c, -0.4 * c, 0.9 * c)
    expect_close(
        other, numbers(one), "KL does not depend on the unit", given="everything measured in a unit 7 times smaller"
    )


# 05.5 -----------------------------------------------------------------------------------------------------------------


def _reverse(log_p, mu: float, sigma: float) -> float:
    """KL(q || p) in nats up to p's constant, by quadrature on a grid that moves with q."""
    u = np.linspace(-9, 9, 1201)
    w = stats.norm(0, 1).pdf(u)
    return float((w * log_p(mu + sigma * u)).sum() * -(u[1] - u[0]) - math.log(sigma))


@exercise("05.5", "reverse_kl_fit", points=4)
def _(answer, rng):
    says = "you return two numbers, the mean and the standard deviation"

    def fit(log_p, mu, sigma, given):
        found = numbers(answer(log_p, mu, sigma), says, given=given)
        expect(found.shape == (2,) and bool(np.isfinite(found).all()), says, given=given, got=found)
        expect(
            float(found[1]) > 0,
            "a standard deviation is positive",
            given=given,
            got=found,
            hint="optimise log sigma, and return its exponential",
        )
        return float(found[0]), float(found[1])

    m, s, constant = float(rng.normal()), float(np.exp(rng.uniform(-0.6, 0.6))), float(rng.uniform(2, 6))
    given = f"log p = {constant:.2f} - (x - {m:.3f})² / (2 · {s:.3f}²), start at (0, 1)"
    found = fit(lambda x: constant - (np.asarray(x) - m) ** 2 / (2 * s**2), 0.0, 1.0, given)
    hint = ""
    if abs(found[1] - math.log(s)) < 1e-2:
        hint = "that is log sigma: return its exponential"
    elif found[1] < 0.2 * s:
        hint = "q shrinks to a spike: KL(q || p) is minus the entropy of q minus E_q[log p]; the entropy is missing"
    elif abs(found[1] - s**2) < 1e-2 * s**2 and abs(s - 1) > 0.05:
        hint = "that is the variance: return the standard deviation"
    elif abs(found[0] - m) < 0.2 * s and abs(found[1] - s) < 0.2 * s:
        hint = "close, but not there: an average over random samples is noisy, one over a grid is not"
    expect_close(
        found,
        (m, s),
        "if p is a Gaussian, q is p",
        given=given,
        rtol=2e-2,
        atol=5e-3,
        mistakes=[(np.array(found), hint)] if hint else [],
    )

    gap, left, right = float(rng.uniform(6, 9)), float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.9, 1.3))

    def two_humps(x):
        x = np.asarray(x, dtype=float)
        a = math.log(0.5) + stats.norm(-gap / 2, left).logpdf(x)
        b = math.log(0.5) + stats.norm(gap / 2, right).logpdf(x)
        return np.logaddexp(a, b) + constant

    whole = math.sqrt((left**2 + right**2) / 2 + gap**2 / 4)
    for mode, width, start in ((-gap / 2, left, -gap / 2 + 0.7), (gap / 2, right, gap / 2 - 0.7)):
        given = f"two humps at ±{gap / 2:.2f}, widths {left:.2f} and {right:.2f}, start at ({start:.2f}, 0.8)"
        found = fit(two_humps, start, 0.8, given)
        hint = ""
        if abs(found[0]) < gap / 4 and abs(found[1] - whole) < 0.3 * whole:
            hint = "q covers both humps: that minimises KL(p || q); here the average is over q"
        elif abs(found[0] + mode) < 0.3:
            hint = "that is the other hump: descend from the start that was given"
        expect_close(
            found,
            (mode, width),
            "near a hump, q settles on that hump and no other",
            given=given,
            rtol=5e-2,
            atol=3e-2,
            mistakes=[(np.array(found), hint)] if hint else [],
        )
    skew = lambda x: stats.gumbel_r(1.0, 0.8).logpdf(np.asarray(x, dtype=float))  # noqa: E731
    mu, sigma = fit(skew, 0.0, 1.0, "a skewed density (Gumbel), start at (0, 1)")
    best = _reverse(skew, mu, sigma)
    nudged = [_reverse(skew, mu + a, sigma * math.exp(b)) for a, b in ((0.05, 0), (-0.05, 0), (0, 0.06), (0, -0.06))]
    expect(
        best <= min(nudged) + 1e-4,
        "no Gaussian nearby has a smaller KL(q || p)",
        given="a skewed density (Gumbel), start at (0, 1)",
        expected=f"at most {min(nudged):.5f}",
        got=f"{best:.5f} at mean {mu:.4f}, sigma {sigma:.4f}",
        hint="the mean and width of p itself minimise KL(p || q), the other direction"
        if abs(mu - stats.gumbel_r(1.0, 0.8).mean()) < 0.03
        else "has the descent converged?",
    )


# 05.6 -----------------------------------------------------------------------------------------------------------------


@exercise("05.6", "kl_estimate", points=4)
def _(answer, rng):
    n, repeats, shift = 100, 300, 0.3
    x = rng.normal(size=(repeats, n))
    log_p, log_q = -(x**2) / 2, -((x - shift) ** 2) / 2
    found = np.array(
        [
            float(numbers(answer(a, b), "the estimate is a number").reshape(()))
            for a, b in zip(log_p, log_q, strict=True)
        ]
    )
    u = log_q - log_p
    truth, k1, k2 = shift**2 / 2, (-u).mean(1), (u**2 / 2).mean(1)
    k3 = (np.expm1(u) - u).mean(1)
    wrong_way = (np.expm1(-u) + u).mean(1)
    given = f"{n} samples of N(0, 1), q = N({shift}, 1)"
    for value, words in (
        (k1, "those are the plain averages of log p/q: unbiased, but noisy, and sometimes negative"),
        (k2, "that is k2, half the squared log ratio: quiet, but its mean is not KL"),
        (wrong_way, "the ratio is upside down: with samples of p, r = q / p has mean 1"),
        (-k1, "the sign: r - 1 - log r"),
        (k3 * n, "average over the samples, do not add them up"),
        (np.exp(u).mean(1) - 1, "the -log r is missing: r - 1 alone has mean zero"),
    ):
        if np.allclose(found, value, rtol=1e-6, atol=1e-12):
            expect(
                False,
                "the estimate is unbiased, never negative and quiet",
                given=given,
                got=brief(found[:4]),
                hint=words,
            )
    expect(bool((found >= -1e-15).all()), "the estimate is never negative", given=given, got=float(found.min()))
    error = found.std() / math.sqrt(repeats)
    expect(
        bool(abs(found.mean() - truth) < 4.5 * error + 1e-12),
        "on average it is KL",
        given=given,
        expected=f"{truth:.4f}",
        got=f"{found.mean():.4f} ± {error:.4f}",
    )
    expect(
        bool(found.std() < 0.5 * k1.std()),
        "it is much quieter than the average of log p/q",
        given=given,
        got=f"spread {found.std():.4f}",
        hint="add to each term what has mean zero under p, r - 1 with r = q / p: it cancels most of the noise",
    )
    far = np.array([-5000.0, -4000.0]), np.array([-5001.0, -4000.5])
    expect_close(
        answer(*far),
        np.mean([math.exp(-1) - 1 + 1, math.exp(-0.5) - 1 + 0.5]),
        "log-densities in the thousands are no problem",
        given="log_p = [-5000, -4000], log_q = [-5001, -4000.5]",
        mistakes=[(np.nan, "subtract the logarithms before you exponentiate: exp(-5000) is 0")],
    )
    near = np.zeros(2), np.array([1e-9, -1e-9])
    expect_close(
        answer(*near),
        5e-19,
        "tiny differences are not lost",
        given="log_q - log_p = ±1e-9",
        rtol=0.5,
        atol=1e-19,
        hint="exp(u) - 1 loses all its digits for small u; np.expm1(u) does not",
    )
