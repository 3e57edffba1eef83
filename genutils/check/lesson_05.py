"""Checks of lesson 05, cross-entropy and KL: identities, bounds, quadrature and games, on random inputs."""

from __future__ import annotations

import itertools
import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import BITS, NATS, brief, expect, expect_close, number, numbers, unchanged

LOOSE = {"rtol": 1e-5, "atol": 2e-6}  # an answer in float32 is right
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
    hides = "a small constant in the logarithm, a clipped q, or leaving out q = 0, hides the infinite mistake"
    cases = [(*rng.dirichlet(np.ones(k), size=2), "") for k in (2, 6, 40)]
    rare = np.array([1e-30, 0.25, 0.75 - 1e-30])
    third = rng.dirichlet(np.ones(3))
    cases += [
        (third, third, "the same distribution twice: believing the truth costs nothing"),
        (np.array([0.5, 0.0, 0.5]), np.array([0.25, 0.5, 0.25]), "an outcome that never comes costs nothing"),
        (np.array([0.5, 0.0, 0.5]), np.array([0.25, 0.0, 0.75]), "what neither comes nor is believed costs nothing"),
        (np.array([0.0, 1.0]), np.array([0.9, 0.1]), "a certain outcome"),
        (np.array([0.9, 0.05, 0.05]), rare, "believed to be nearly impossible, but not quite: the cost is finite"),
        (np.array([1.0]), np.array([1.0]), "only one outcome"),
    ]
    impossible = [
        (np.array([0.25, 0.5, 0.25]), np.array([0.5, 0.0, 0.5])),
        (np.array([0.999, 0.0, 0.001]), np.array([0.5, 0.5, 0.0])),
        (np.array([0.0, 1.0]), np.array([1.0, 0.0])),
    ]

    def infinite(p, q):
        got = number(answer(p.copy(), q.copy()), "KL is a number")
        expect(
            got == math.inf,
            "something that comes was believed impossible: the cost is infinite",
            given=f"p = {brief(p)}, q = {brief(q)}",
            expected="inf",
            got=got,
            hint=hides if math.isfinite(got) else "",
        )

    for i, (p, q, what) in enumerate(cases):
        if i == 3:  # after the plain ones, before the edges
            infinite(*impossible[0])
        nats, entropy = _kl(p, q), _entropy(p)
        given = f"p = {brief(p)}, q = {brief(q)}" + (f" ({what})" if what else "")
        mistakes = [(np.nan, zero)] if (p == 0).any() else []
        if nats > 1e-3 and (q > 0).all() and (p > 0).all():
            mistakes += [
                (nats, NATS),
                (_kl(q, p) / math.log(2), SWAPPED),
                (_kl(q, p), SWAPPED),
                ((nats + _kl(q, p)) / math.log(2), "that is the sum of both directions: only KL(p || q) is asked for"),
                ((nats + _kl(q, p)) / 2 / math.log(2), "that is the mean of both directions: KL(p || q) alone"),
                (-nats / math.log(2), "the sign: the ratio is p over q"),
                ((nats + entropy) / math.log(2), "that is the cross-entropy: subtract the entropy of p"),
                (nats / math.log(2) / len(p), "that is the mean over outcomes; p already is the weight: sum"),
                (np.log2(p / q).sum(), "weight each log ratio by p: how often the outcome comes"),
                (np.abs(p * np.log2(p / q)).sum(), "some terms are negative, and they count as such"),
                (np.maximum(p * np.log2(p / q), 0).sum(), "some terms are negative, and they count as such"),
            ]
        handed = p.copy(), q.copy()
        expect_close(
            answer(*handed),
            nats / math.log(2),
            "KL is cross-entropy minus entropy",
            given=given,
            mistakes=mistakes,
            **LOOSE,
        )
        unchanged((p, q), handed, given=given)
    for p, q in impossible[1:]:
        infinite(p, q)
    joint_p, joint_q = rng.dirichlet(np.ones(12), size=2).reshape(2, 3, 4)  # the chain rule of KL
    rows = [
        joint_p[i].sum() * number(answer(joint_p[i] / joint_p[i].sum(), joint_q[i] / joint_q[i].sum()))
        for i in range(3)
    ]
    first = number(answer(joint_p.sum(1), joint_q.sum(1)))
    expect_close(
        answer(joint_p.ravel(), joint_q.ravel()),
        first + sum(rows),
        "the cost of a pair is that of the first part and, on average, that of the second given the first",
        given="two random tables of 3 x 4",
        **LOOSE,
    )


# 05.2 -----------------------------------------------------------------------------------------------------------------


@exercise("05.2", "mean_kl", points=3)
def _(answer, rng):
    for b, k in ((4, 3), (3, 8), (1, 5), (30, 2)):
        p, q = rng.dirichlet(np.ones(k), size=(2, b))
        if b == 4:
            q[1] = 0.98 * p[1] + 0.02 * q[1]  # rows that cost very different amounts
        each, other = [_kl(x, y) for x, y in zip(p, q, strict=True)], [_kl(y, x) for x, y in zip(p, q, strict=True)]
        handed = p.copy(), q.copy()
        got = answer(*handed)
        unchanged((p, q), handed)
        expect_close(
            got,
            np.mean(each),
            "sum over outcomes, then average over the batch",
            given=f"random p and q of shape {p.shape}",
            rtol=1e-5,  # a small constant in the logarithm is caught, and named, further down
            atol=2e-6,
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
                (np.median(each), "the average over the batch is the mean, not the median"),
                (np.mean(each) + np.mean([_entropy(x) for x in p]), "that is the cross-entropy: subtract p log p, too"),
                (
                    _kl(p.mean(0), q.mean(0)),
                    "that is KL of the averages; average the KL of the rows",
                ),
            ][: None if b > 1 and k != b else 2],
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
    both = np.array([[0.5, 0.0, 0.5]]), np.array([[0.25, 0.0, 0.75]])
    expect_close(
        answer(both[0].copy(), both[1].copy()),
        _kl(both[0][0], both[1][0]),
        "what neither comes nor is believed costs nothing",
        given="p = [[0.5, 0, 0.5]], q = [[0.25, 0, 0.75]]",
        mistakes=[(np.nan, "0 times log 0 counts as 0"), (math.inf, "q = 0 is infinitely dear only where p > 0")],
        **LOOSE,
    )
    got = number(answer(q.copy(), np.array([[0.5, 0.5], [1.0, 0.0]])), "the loss is a number")
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
    p, q = np.array([[0.9995, 0.0005], [0.3, 0.7]]), np.array([[1.0, 1e-30], [0.6, 0.4]])
    expect_close(
        answer(p.copy(), q.copy()),
        np.mean([_kl(x, y) for x, y in zip(p, q, strict=True)]),
        "what is rare counts, too, and what was believed nearly impossible is dear, but not infinitely",
        given=f"p = {brief(p)}, q = {brief(q)}",
        **LOOSE,
    )
    p, q = p[[0, 1, 1, 1]], np.array([[0.8, 0.2], [0.6, 0.4], [0.6, 0.4], [0.9, 0.1]])
    expect_close(
        answer(p.copy(), q.copy()),
        np.mean([_kl(x, y) for x, y in zip(p, q, strict=True)]),
        "a row that comes twice counts twice",
        given=f"p = {brief(p)}, q = {brief(q)}",
        **LOOSE,
    )
    p, q = rng.dirichlet(np.ones(5), size=(2, 6))
    parts = [number(answer(p[i : i + 3].copy(), q[i : i + 3].copy())) for i in (0, 3)]
    expect_close(answer(p.copy(), q.copy()), np.mean(parts), "two half batches average to the whole batch", **LOOSE)
    near = p[:1] + np.array([[1e-7, -1e-7, 0, 0, 0]])
    expect(number(answer(p[:1].copy(), near)) > -1e-6, "KL is never negative", given="p and q nearly equal")


# 05.3 -----------------------------------------------------------------------------------------------------------------


@exercise("05.3", "js_bits", points=2)
def _(answer, rng):
    pairs = [(rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(k)), "") for k in (3, 9, 60)]
    p, q = pairs[1][:2]
    skew = rng.dirichlet(np.ones(4))
    pairs += [
        (q, p, "the same pair, swapped: JS is symmetric"),
        (p, p, "nothing tells equals apart"),
        (np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.5]), "one glance always settles it: the whole bit"),
        (np.append(skew, 0.0), np.append(skew[::-1], 0.0), "an outcome that neither gives"),
        (np.array([0.7, 0.3, 0.0]), np.array([0.0, 0.3, 0.7]), "each lacks what the other has"),
        (np.array([1.0]), np.array([1.0]), "only one outcome"),
        (np.array([1 - 1e-6, 1e-6]), np.array([1e-6, 1 - 1e-6]), "nearly, but not quite disjoint"),
    ]
    for p, q, what in pairs:
        m = (p + q) / 2
        game = _entropy(m) - (_entropy(p) + _entropy(q)) / 2  # what one outcome tells about the coin
        bits, unit = game / math.log(2), math.log(2)
        given = f"p = {brief(p)}, q = {brief(q)}" + (f" ({what})" if what else "")
        mistakes = []
        if (p == 0).any() or (q == 0).any():
            mistakes += [
                (np.nan, "0 times log 0 counts as 0"),
                (math.inf, "measure against m: it is zero only where both are"),
            ]
        if not what:  # here the values of the mistakes differ
            there, back = _kl(p, q) / unit, _kl(q, p) / unit
            middle = np.sqrt(p * q)
            mistakes += [
                (game, NATS),
                (2 * bits, "half of each: the two KLs are averaged, not added"),
                (
                    (there + back) / 2,
                    "that is the average of the two KLs with each other; measure both against the middle m",
                ),
                (there + back, "that is the sum of the two KLs with each other; measure both against the middle m"),
                ((_kl(m, p) + _kl(m, q)) / 2 / unit, "KL(p || m), not KL(m || p): the truth comes first"),
                (_kl(p, m) / unit, "that is KL(p || m) alone: q loses against the middle, too"),
                (_kl(q, m) / unit, "that is KL(q || m) alone: p loses against the middle, too"),
                (math.sqrt(bits), "that is the square root, the Jensen-Shannon *distance*"),
                (math.sqrt(game), "that is the square root, the Jensen-Shannon *distance*"),
                (np.abs(p - q).sum() / 2, "that is the total variation, half the sum of |p - q|"),
                (
                    (_kl(p, middle / middle.sum()) + _kl(q, middle / middle.sum())) / 2 / unit,
                    "the middle is the arithmetic mean (p + q) / 2, not the geometric one",
                ),
                (
                    (_kl(p, middle) + _kl(q, middle)) / 2 / unit,
                    "the middle is the arithmetic mean (p + q) / 2, not the geometric one",
                ),
                ((_kl(p, p + q) + _kl(q, p + q)) / 2 / unit, "m is *half* the sum: (p + q) / 2"),
            ]
        elif "settles" in what:
            mistakes.append((math.log(2), NATS))
        handed = p.copy(), q.copy()
        expect_close(
            answer(*handed),
            bits,
            "JS is what one outcome tells about which of the two it came from",
            given=given,
            mistakes=mistakes,
            **LOOSE,
        )
        unchanged((p, q), handed, given=given)


# 05.4 -----------------------------------------------------------------------------------------------------------------


@exercise("05.4", "gaussian_kl_nats", points=2)
def _(answer, rng):
    drawn = [tuple(rng.normal() if i % 2 == 0 else np.exp(rng.uniform(-0.7, 0.7)) for i in range(4)) for _ in range(5)]
    drawn += [
        (1.0, 0.6, 1.0, 1.7),
        (0.4, 1.3, -0.9, 1.3),
        (50.0, 2.0, 47.0, 1.5),
        (0.0, 0.05, 0.1, 2.0),
        (3.0, 2.0, 0.0, 0.4),
        (0.7, 1.4, -0.5, 1.0),
    ]
    for a, s, b, t in drawn:
        z = np.linspace(-12, 12, 2401)  # the integral over p, in units of its width
        log_p, log_q = -(z**2) / 2 - math.log(s), -(((a + s * z - b) / t) ** 2) / 2 - math.log(t)
        want = float(np.exp(-(z**2) / 2) @ (log_p - log_q)) * (z[1] - z[0]) / math.sqrt(2 * math.pi)
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
                ((want + back) / 2, "that is the mean of both directions: KL(p || q) alone"),
                (want + back, "that is the sum of both directions: KL(p || q) alone"),
                (0.5 * shift / t**2, "that holds for equal widths only: the ratio of the widths costs, too"),
                (
                    want + 0.5 * math.log(2 * math.pi * math.e * s**2),
                    "that is the cross-entropy: subtract the entropy of p",
                ),
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
            ][: 6 if s == t or a == b else None],
            rtol=1e-5,
            atol=1e-8,
        )
    expect_close(
        answer(1.5, 0.3, 1.5, 0.3), 0.0, "believing the truth costs nothing", given="p = q = N(1.5, 0.3²)", **LOOSE
    )
    expect_close(
        answer(0, 1, 2, 2),
        math.log(2) - 0.5 + 5 / 8,
        "whole numbers are numbers, too",
        given="p = N(0, 1²), q = N(2, 2²)",
        **LOOSE,
    )
    c = 7.0
    one, other = answer(0.2, 0.5, -0.4, 0.9), answer(0.2 * c, 0.5 * c, -0.4 * c, 0.9 * c)
    expect_close(
        other,
        numbers(one),
        "KL does not depend on the unit",
        given="everything measured in a unit 7 times smaller",
        **LOOSE,
    )


# 05.5 -----------------------------------------------------------------------------------------------------------------


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

    m, s = float(rng.normal()), float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.2, 0.6)))
    constant = float(rng.uniform(2, 6))
    given = f"log p = {constant:.2f} - (x - {m:.3f})² / (2 · {s:.3f}²), start at (0, 1)"
    found = fit(lambda x: constant - (np.asarray(x) - m) ** 2 / (2 * s**2), 0.0, 1.0, given)
    hint = ""
    if math.dist(found, (0, 1)) < 1e-6:
        hint = "that is the start: descend from there"
    elif abs(found[1] - math.log(s)) < 1e-2:
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
        a, b = (
            (x + side * gap / 2) ** 2 / (-2 * width**2) - math.log(width) for side, width in ((1, left), (-1, right))
        )
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
    # Gumbel's density: E_q[log p] is known, and with it the best q: mean loc + scale / 2, width scale
    for turn, loc, scale, more in ((1.0, 1.0, 0.8, 0.0), (-1.0, 30.0, 0.5, 0.0), (1.0, -1.0, 1.2, -2000.0)):

        def skew(x, turn=turn, loc=loc, scale=scale, more=more):
            z = np.clip(turn * (np.asarray(x, dtype=float) - loc) / scale, -600, None)
            return more - z - np.exp(-z)

        side = "right" if turn > 0 else "left"
        given = f"a density with a long tail to the {side} (Gumbel), mode {loc:g}, scale {scale:g}"
        given += f", constant {more:g}" if more else ""
        start = loc - 0.4 * turn
        found = fit(skew, start, 1.0, f"{given}, start at ({start:g}, 1)")
        best = loc + turn * scale / 2, scale
        centre, spread = loc + turn * 0.5772 * scale, scale * math.pi / math.sqrt(6)
        hint = ""
        if math.dist(found, (centre, spread)) < 0.06 * scale:
            hint = "the mean and width of p itself minimise KL(p || q), the other direction"
        elif math.dist(found, (loc, scale)) < 0.06 * scale:
            hint = "that is Laplace's approximation, the peak and its curvature: average log p over q instead"
        expect_close(
            found,
            best,
            "no Gaussian has a smaller KL(q || p)",
            given=f"{given}, start at ({start:g}, 1)",
            rtol=0,
            atol=0.04 * scale,
            mistakes=[(np.array(found), hint)] if hint else [],
        )
    unit, place = float(rng.uniform(1.5, 2.5)), float(rng.normal())

    def arch(x):  # two humps, and a valley for a q that straddles both
        u = (np.asarray(x, dtype=float) - place) / unit
        return np.logaddexp(
            math.log(0.6 / 0.7) - ((u + 2) / 0.7) ** 2 / 2, math.log(0.4 / 0.9) - ((u - 2.5) / 0.9) ** 2 / 2
        )

    z = np.linspace(-7, 7, 281)
    w = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    m, s = np.meshgrid(np.linspace(-0.4, 1.2, 41), np.linspace(1.7, 2.6, 46), indexing="ij")
    cost = -np.log(s) - arch(place + unit * (m[..., None] + s[..., None] * z)) @ w
    at = np.unravel_index(cost.argmin(), cost.shape)
    start = place + 0.4 * unit, 2.2 * unit
    given = f"two humps, start at ({start[0]:.2f}, {start[1]:.2f}), wide enough for both"
    found = fit(arch, *start, given)
    stray = "from a wide start descend to the valley nearby: begin with the mean *and* the sigma that were given"
    expect_close(
        found,
        (place + unit * m[at], unit * s[at]),
        "from a wide start, q settles on the arch over both humps",
        given=given,
        rtol=0,
        atol=0.35 * unit,  # the valley is flat: quadrature with few nodes ends a quarter of a unit away
        mistakes=[(np.array(found), stray)] if found[1] < 1.5 * unit else [],
    )
    found = fit(lambda x: -((np.asarray(x, dtype=float) - 2) ** 4) / 4, 1.5, 1.0, "log p = -(x - 2)⁴/4")
    expect_close(
        found,
        (2.0, 3**-0.25),
        "no Gaussian has a smaller KL(q || p)",
        given="log p = -(x - 2)⁴/4, start at (1.5, 1)",
        rtol=0,
        atol=0.03,
    )


# 05.6 -----------------------------------------------------------------------------------------------------------------


def _every_sample(answer, p, q, n):
    """Probabilities and estimates of all samples of n outcomes of p, in nats."""
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log(p), np.log(q)
    samples = np.array(list(itertools.product(np.flatnonzero(p), repeat=n)))
    values = [number(answer(log_p[i], log_q[i]), "the estimate is a number") for i in samples]
    return p[samples].prod(1), np.array(values), samples


@exercise("05.6", "reverse_kl_estimate", points=4)
def _(answer, rng):
    says = "the estimate is unbiased, and every term is nonnegative"
    for p, n in (
        (rng.dirichlet(np.full(3, 3.0)), 3),
        (rng.dirichlet(np.full(5, 3.0)), 1),
        (np.array([0.1, 0.2, 0.7]), 2),
    ):
        q = rng.dirichlet(np.full(len(p), 3.0)) * 0.9 + 0.1 / len(p)
        given = f"all samples of {n} from p = {brief(p)}; q = {brief(q)}"
        weight, found, samples = _every_sample(answer, p, q, n)
        u = np.log(q / p)[samples]
        r, want = np.exp(u), _kl(q, p)
        term = r * u - np.expm1(u)
        share = r / r.sum(1, keepdims=True)
        for value, words in (
            ((r * u).mean(1), "that is the average of r log r: unbiased, but noisy, and sometimes negative"),
            ((np.expm1(u) - u).mean(1), "that estimates KL(p || q), as k3 does; the other direction is asked for"),
            ((-u).mean(1), "that estimates KL(p || q), as k1 does; the other direction is asked for"),
            (u.mean(1), "the average of log r over p is -KL(p || q): weight each sample by r"),
            ((u**2 / 2).mean(1), "half of the squared log ratio is quiet, but its mean is not KL"),
            ((r * u**2 / 2).mean(1), "half of the squared log ratio is quiet, but its mean is not KL"),
            (((r - 1) ** 2 / 2).mean(1), "half of (r - 1) squared is quiet, but its mean is not KL"),
            ((r * u + np.expm1(u)).mean(1), "r - 1 is subtracted, not added: then each term is nonnegative"),
            ((u / r * -1 - np.expm1(-u)).mean(1), "the ratio is upside down: r = q / p"),
            ((np.exp(-u) * -u - np.expm1(-u)).mean(1), "the ratio is upside down: r = q / p"),
            ((np.expm1(-u) + u).mean(1), "the ratio is upside down, and the weights are missing: r = q / p"),
            (-term.mean(1), "the sign: r log r - (r - 1)"),
            (
                (share * u).sum(1),
                "weights divided by their sum are biased in a small sample: average r log r - (r - 1)",
            ),
            (np.maximum((r * u).mean(1), 0), "cut at zero it is no longer unbiased: add what has mean zero instead"),
            (np.abs((r * u).mean(1)), "an absolute value is no longer unbiased: add what has mean zero instead"),
            (term.mean(1) / math.log(2), BITS),
            *([(term.sum(1), "average over the samples, do not add them up")] if n > 1 else []),
        ):
            if np.allclose(found, value, rtol=1e-5, atol=1e-7) and not np.allclose(found, term.mean(1), rtol=1e-4):
                raise_got = f"{brief(found[:4])}, on average {weight @ found:.5g}"
                expect(False, says, given=given, expected=f"{want:.5g} on average", got=raise_got, hint=words)
        expect(bool((found >= -1e-6).all()), "the estimate is never negative", given=given, got=float(found.min()))
        mean = float(weight @ found)
        expect(
            abs(mean - want) < 1e-5 + 1e-4 * want,
            "over all samples of p, each as often as it comes, the average is KL(q || p) exactly",
            given=given,
            expected=f"{want:.6g}",
            got=f"{mean:.6g}",
        )
        close = p * (1 + 0.02 * (rng.random(len(p)) - 0.5))
        close /= close.sum()
        _, found, samples = _every_sample(answer, p, close, n)
        plain = ((close / p) * np.log(close / p))[samples].mean(1)
        expect(
            bool(found.std() < 0.1 * plain.std()),
            "close to p it is much quieter than the average of r log r",
            given=f"p = {brief(p)}, q within one percent of it",
            got=f"spread {found.std():.3g}, where r log r has {plain.std():.3g}",
            hint="add to each term a multiple of r - 1, which has mean zero under p",
        )
    log_p, log_q = rng.normal(size=(2, 40))
    terms = [number(answer(log_p[i : i + 1].copy(), log_q[i : i + 1].copy())) for i in range(40)]
    expect_close(
        answer(log_p.copy(), log_q.copy()),
        np.mean(terms),
        "the estimate from many samples is the average of those from each alone",
        given="40 samples",
        **LOOSE,
    )
    log_p, log_q = np.array([-5000.0, -4000.0, 3000.0]), np.array([-5001.0, -4000.5, 3000.5])
    u = log_q - log_p
    handed = log_p.copy(), log_q.copy()
    expect_close(
        answer(*handed),
        np.mean(np.exp(u) * u - np.expm1(u)),
        "log-densities in the thousands are no problem",
        given="log_p = [-5000, -4000, 3000], log_q = [-5001, -4000.5, 3000.5]",
        hint="subtract the logarithms before you exponentiate: exp(-5000) is 0 and exp(3000) infinite",
        **LOOSE,
    )
    unchanged((log_p, log_q), handed)
    expect_close(
        answer(np.zeros(3), np.array([-math.inf, 0.0, math.log(2)])),
        (1 + 0 + 2 * math.log(2) - 1) / 3,
        "a sample that q cannot draw counts 1: r = 0, and 0 log 0 = 0",
        given="log_p = [0, 0, 0], log_q = [-inf, 0, log 2]",
        mistakes=[
            (np.nan, "0 times log 0 counts as 0: take care of r = 0 apart"),
            ((2 * math.log(2) - 1) / 3, "r log r is 0 there, but -(r - 1) is 1"),
            ((2 * math.log(2) - 1) / 2, "such a sample is one of the n: its term is 1"),
        ],
        **LOOSE,
    )
    expect_close(
        answer(np.zeros(2), np.array([30.0, -900.0])),
        (29 * math.exp(30) + 2) / 2,
        "one sample that q likes far better than p carries the whole sum",
        given="log_p = [0, 0], log_q = [30, -900]",
        hint="was a log ratio clipped? exp of the difference is finite here",
        **LOOSE,
    )
    u = np.array([0.25, -0.25])
    expect_close(
        answer(np.zeros(2), u.copy()),
        np.mean(np.exp(u) * u - np.expm1(u)),
        "small differences are no other formula",
        given="log_q - log_p = ±0.25",
        **LOOSE,
    )
    for small in (1e-9, 1e-4):
        expect_close(
            answer(np.zeros(2), np.array([small, -small])),
            small**2 / 2,
            "tiny differences are not lost",
            given=f"log_q - log_p = ±{small:g}",
            rtol=0.01,
            atol=1e-21,
            hint="exp(u) - 1 loses its digits for small u; np.expm1(u) does not",
        )
