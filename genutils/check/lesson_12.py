"""Checks of lesson 12, normalizing flows: Jacobians by differences, round trips, Gaussians whose density is known."""

from __future__ import annotations

import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import NATS, brief, expect, expect_close, numbers, unchanged

_ABSOLUTE = "a falling g has a negative slope: take its absolute value"


def _pair(got, says: str):
    """The two results of a function, each as an array."""
    expect(
        isinstance(got, (tuple, list)) and len(got) == 2,
        says,
        got=type(got).__name__,
        hint="return both, in this order",
    )
    return numbers(got[0], says), numbers(got[1], says)


# 12.1 -----------------------------------------------------------------------------------------------------------------


@exercise("12.1", "folded_log_density", points=1)
def _(answer, rng):
    def gaussian(z):
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)

    a, b = rng.uniform(0.5, 2), rng.normal()

    def lopsided(z):  # not the same at z and -z, so that every layer counts
        return gaussian(z - 0.7)

    cases = [
        ("one place, a rising g", lambda x: ((x - b) / a)[None], lambda z: a + 0 * z, gaussian),
        ("one place, a falling g", lambda x: ((b - x) / a)[None], lambda z: -a + 0 * z, lopsided),
        (
            "three places, x = frac(z)",
            lambda x: np.stack([x - 1, x, x + 1]),
            lambda z: np.ones_like(z),
            lambda z: np.where(np.abs(z) < 2, gaussian(z), -np.inf),
        ),
        ("two places, x = z^2", lambda x: np.stack([np.sqrt(x), -np.sqrt(x)]), lambda z: 2 * z, lopsided),
        (
            "two places, x = |z| with other slopes",
            lambda x: np.stack([x / a, -x]),
            lambda z: np.where(z > 0, a, -1.0),
            lopsided,
        ),
    ]
    for name, places, slope, log_noise in cases:
        x = rng.permutation(np.linspace(0.1, 0.95, 6)) + rng.uniform(0, 0.04, size=6)
        z = places(x)
        base, logs = log_noise(z), np.log(np.abs(slope(z)))
        want = np.logaddexp.reduce(base - logs)
        tall = len(z) > 1
        mistakes = [
            (np.logaddexp.reduce(base), "the stretch is missing: divide each layer's density by |g'|"),
            (np.logaddexp.reduce(base + logs), "the sign: g goes from noise to data, so its log-slope is subtracted"),
            (base[0] - logs[0], "only the first place is counted: dust from all places lies at x"),
            (base[-1] - logs[-1], "only the last place is counted: dust from all places lies at x"),
            ((base - logs).max(0), "only the densest place is counted: dust from all places lies at x"),
            ((base - logs).sum(0), "densities of layers add up, their logarithms do not"),
            (want - math.log(len(z)), "that is the mean over places: the layers' densities add up"),
            ((base - logs).mean(0), "densities of layers add up, their logarithms do not"),
            (np.exp(want), "that is the density itself: return its logarithm"),
            (np.logaddexp.reduce(base) - logs[0], "each place has a slope of its own"),
            (
                np.logaddexp.reduce(base - np.log(np.abs(slope(x)))[None]),
                "the slope is asked at the places z, not at x",
            ),
            (np.full(6, np.nan), _ABSOLUTE),
            (np.log(np.abs((np.exp(base) / slope(z)).sum(0))), _ABSOLUTE),
            (
                np.full(6, np.logaddexp.reduce(base - logs, axis=None)),
                "one value for each x: sum over the K places only",
            ),
            (want.sum(), "one value for each x: nothing is summed over the batch"),
        ]
        if not tall:
            mistakes = [m for m in mistakes if "place" not in m[1] and "layers add" not in m[1]]
        kept = x.copy()
        got = answer(kept, places, slope, log_noise)
        given = f"x = {brief(x)}, {name}"
        mistakes = [(w, h) for w, h in mistakes if np.shape(w) != want.shape or not np.allclose(w, want)]
        expect_close(got, want, "p(x) is the sum over the places z of p_z(z) / |g'(z)|", given=given, mistakes=mistakes)
        unchanged(x, kept, given=given)
    for x, asked, says, words, hint in (
        (
            np.array([1600.0, 4900.0]),
            "far out is asked below",
            "far out the logarithm is as good as anywhere",
            "[1600, 4900]",
            "exp became 0: add densities by their logarithms, with logaddexp",
        ),
        (
            np.array([1e-24, 4e-22]),
            "flat places are asked below",
            "where g is nearly flat the density is as high as the slope says",
            "[1e-24, 4e-22]",
            "nothing is added to a slope, and none is cut off",
        ),
    ):
        root = np.sqrt(x)
        got = answer(x.copy(), lambda x: np.stack([np.sqrt(x), -np.sqrt(x)]), lambda z: 2 * z, gaussian)
        given = f"x = {words}, x = z^2, Gaussian noise"
        expect_close(numbers(got, asked), gaussian(root) - np.log(root), says, given=given, hint=hint)


# 12.2 -----------------------------------------------------------------------------------------------------------------


@exercise("12.2", "affine_coupling", points=2)
def _(answer, rng):
    for d, k, batch, strong in ((2, 1, 4, 1), (5, 2, 4, 1), (4, 3, 1, 1), (7, 2, 6, 1), (6, 3, 5, 12)):
        weights = rng.normal(size=(2, k, d - k)) * 0.7
        calls = []

        def network(kept, weights=weights, k=k, calls=calls, strong=strong):
            kept = np.asarray(kept, dtype=float)
            calls.append(len(kept))
            if kept.ndim != 2 or kept.shape[1] != k:
                raise ValueError(f"the network takes the first {k} numbers, (B, {k}); it was given {kept.shape}")
            return strong * np.tanh(kept @ weights[0]), np.sin(kept @ weights[1])

        x = rng.normal(size=(batch, d)) * rng.uniform(0.3, 3, size=d)
        s, t = network(x[:, :k])
        calls.clear()
        bent = x[:, k:] * np.exp(s) + t
        given = f"D = {d}, k = {k}, x = {brief(x)}"
        kept_x = x.copy()
        z, ladj = _pair(answer(kept_x, k, network), "a coupling returns z and the log-determinant")
        unchanged(x, kept_x, given=given)
        expect(
            calls == [batch],
            "the network is called once, with the whole batch",
            given=given,
            got=f"{len(calls)} calls, of {brief(calls)} rows",
            hint="one call answers for all examples, and gives s and t together",
        )
        expect_close(
            z,
            np.hstack([x[:, :k], bent]),
            "the first k numbers are kept, the others are x exp(s) + t",
            given=given,
            mistakes=[
                (bent, "the numbers that were kept belong to z, too"),
                (np.hstack([bent, x[:, :k]]), "the kept numbers come first, as in x"),
                (np.hstack([x[:, :k], x[:, k:] * s + t]), "s is a logarithm: multiply by exp(s)"),
                (np.hstack([x[:, :k], (x[:, k:] - t) * np.exp(-s)]), "that is the way back, from noise to data"),
                (np.hstack([x[:, :k], (x[:, k:] + t) * np.exp(s)]), "stretch first, then shift"),
                (np.hstack([x[:, :k], x[:, k:] * np.exp(t) + s]), "the network returns s first, then t"),
                *(
                    (np.hstack([x[:, :k], x[:, k:] * np.exp(bound) + t]), "take s as the network gives it, unbounded")
                    for bound in (2 * np.tanh(s / 2), np.tanh(s), *(np.clip(s, -c, c) for c in (1, 2, 3, 5, 10)))
                    if not np.allclose(bound, s)
                ),
            ],
        )
        expect_close(
            ladj,
            s.sum(1),
            "log |det J| is the sum of s over the numbers that were bent",
            given=given,
            mistakes=[
                (-s.sum(1), "the sign: from x to z the numbers are multiplied by exp(s)"),
                (s.mean(1), "that is the mean over dimensions; the determinant is a product, its logarithm a sum"),
                ([s.sum()], "that is summed over the batch: one number for each example"),
                (s.sum(), "that is summed over the batch: one number for each example"),
                (s, "sum over the numbers that were bent"),
                (np.exp(s).prod(1), "that is the determinant: return its logarithm"),
                (np.exp(s).sum(1), "the logarithm of a product of exp(s) is the sum of s"),
                (np.log(np.exp(s).sum(1)), "the determinant is the product of exp(s), not their sum"),
                (
                    np.abs(s).sum(1),
                    "the absolute value is that of the determinant, not of its logarithm: s may be negative",
                ),
                (s.sum(1)[:, None], "one number for each example: shape (B,), not (B, 1)"),
            ],
        )
    for size, became in ((2.0, "overflows to inf"), (-2.0, "becomes 0")):
        x, s = rng.normal(size=(2, 1001)), np.full((2, 1000), size)
        given = f"B = 2, D = 1001, k = 1, s = {size:g} everywhere"
        with np.errstate(over="ignore", divide="ignore"):
            z, ladj = _pair(answer(x, 1, lambda kept, s=s: (s, 0 * s)), "a coupling returns z and the log-determinant")
        expect_close(
            ladj,
            [1000 * size] * 2,
            "the logarithm is finite where the determinant is not",
            given=given,
            hint="" if np.isfinite(ladj).all() else f"a product of a thousand scales {became}: add the logarithms",
        )


# 12.3 -----------------------------------------------------------------------------------------------------------------


def _bin(t, y0, w, h, d0, d1):
    s = h / w
    return y0 + h * (s * t * t + d0 * t * (1 - t)) / (s + (d0 + d1 - 2 * s) * t * (1 - t))


def _place(y, *bin):
    """Where in a bin y is reached, a share of its width, by halving."""
    low, high = np.zeros_like(y), np.ones_like(y)
    for _ in range(60):
        middle = (low + high) / 2
        below = _bin(middle, *bin) < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


@exercise("12.3", "spline_bin_inverse", points=3)
def _(answer, rng):
    n = 40
    x0, y0, t = rng.normal(size=n), rng.normal(size=n), rng.uniform(0, 1, size=n)
    w, h, d0, d1 = (rng.uniform(0.2, 2, size=n) for _ in range(4))
    t[:2] = (0, 1)
    y = _bin(t, y0, w, h, d0, d1)
    args = [y, x0, y0, w, h, d0, d1]
    kept = [a.copy() for a in args]
    got = numbers(answer(*kept), "x is an array of numbers")
    unchanged(args, kept)
    slope, linear = h / w, (y - y0) / h
    with np.errstate(invalid="ignore", divide="ignore"):
        other = 1 - t - slope / (slope - d0 + linear * (d0 - slope + d1 - slope))  # by the sum of both roots
    swapped = _place(y, y0, w, h, d1, d0)
    expect_close(
        got,
        x0 + t * w,
        "the spline takes your x back to y",
        given=f"{n} bins with random corners, sizes and slopes",
        mistakes=[
            (t, "that is t, the place within the bin: x = x0 + t w"),
            (x0 + other * w, "that is the other root of the quadratic: it lies outside the bin"),
            (other, "that is the other root of the quadratic, and it is t, not x"),
            (x0 + linear * w, "that is a straight line: the slopes at the knots do not matter in it"),
            (x0 + t, "t counts in widths of the bin: x = x0 + t w"),
            (t * w, "that is how far into the bin: x = x0 + t w"),
            (x0 + w * swapped, "d0 is the slope at the left knot, d1 the one at the right: you have them swapped"),
        ],
        rtol=1e-5,
        atol=1e-6,
    )
    for name, d in (("straight", 0.0), ("nearly straight", 1e-13)):
        t = np.linspace(0, 1, 9)
        ones = np.ones(9)
        x0, w, h = rng.normal() * ones, 0.5 * ones, 0.75 * ones
        y = _bin(t, 0 * ones, w, h, 1.5 * ones, (1.5 + d) * ones)
        with np.errstate(all="ignore"):
            got = numbers(answer(y, x0, 0 * ones, w, h, 1.5 * ones, (1.5 + d) * ones), "straight bins are asked below")
        expect_close(
            got,
            x0 + t * w,
            f"a {name} bin is undone as well",
            given="d0 = d1 = h / w",
            hint="a is zero there, and (-b + root) / (2 a) is 0 / 0: multiply above and below by (b + root), which "
            "gives -2 c / (b + root)",
            rtol=1e-5,
            atol=1e-6,
        )
    y = _bin(t, 0 * ones, w, h, 1.5 * ones, (1.5 + 1.2e-5) * ones)
    with np.errstate(all="ignore"):
        got = numbers(
            answer(y, 0 * ones, 0 * ones, w, h, 1.5 * ones, (1.5 + 1.2e-5) * ones), "x is an array of numbers"
        )
    off = np.abs(got - t * w).max() if got.shape == t.shape else np.nan
    expect(
        bool(off < 2e-6),
        "a bin that is bent a little is not straight",
        given="w = 0.5, d0 = h / w = 1.5, d1 = d0 + 0.000012, nine values of y from one end to the other",
        expected="x right to 0.000002",
        got=f"x off by {off:.1g}",
        hint="-2 c / (b + root) needs no special case where a is nearly zero",
    )
    t = np.linspace(0, 1, 9)
    for w1, h1, e0, e1 in (
        (1.0, 0.01, 5.0, 0.2),
        (0.01, 1.0, 0.1, 300.0),
        (1.0, 1.0, 1e-3, 1e-3),
        (1.0, 1.0, 50.0, 50.0),
    ):
        w2, h2, d2, d3 = (v * np.ones(9) for v in (w1, h1, e0, e1))
        y = _bin(t, 2.0, w2, h2, d2, d3)
        got = numbers(answer(y, -np.ones(9), 2 * np.ones(9), w2, h2, d2, d3), "steep and flat bins are asked below")
        expect_close(
            _bin((got + 1) / w2, 2.0, w2, h2, d2, d3),
            y,
            "the spline takes your x back to y, in steep and flat bins as well",
            given=f"w = {w1}, h = {h1}, d0 = {e0}, d1 = {e1}, nine values of y from one end to the other",
            rtol=1e-6,
            atol=1e-8 * h1,
        )


# 12.4 -----------------------------------------------------------------------------------------------------------------


@exercise("12.4", "flow_log_prob", points=3)
def _(answer, rng):
    d, b = 3, 5
    mean, std = rng.normal(size=d), rng.uniform(0.3, 3, size=d)
    x = mean + std * rng.normal(size=(b, d))
    first, second = (rng.normal(size=(d, d)) + 2 * np.eye(d) for _ in range(2))

    def linear(m):
        return lambda z: (np.asarray(z, dtype=float) @ m.T, np.full(len(z), np.linalg.slogdet(m)[1]))

    def squash(z):  # each number by itself: here the toll differs from example to example
        z = np.asarray(z, dtype=float)
        return np.arcsinh(z), -0.5 * np.log1p(z**2).sum(1)

    def gaussian(z):
        return -0.5 * np.asarray(z) ** 2 - 0.5 * math.log(2 * math.pi)

    def logistic(z):
        z = np.asarray(z, dtype=float)
        return -z - 2 * np.logaddexp(0, -z)

    for name, layers, log_noise in (
        (
            "Gaussian noise, two linear layers: x is Gaussian, and its density known",
            [linear(first), linear(second)],
            gaussian,
        ),
        (
            "Gaussian noise, a linear layer, arcsinh of each number, a linear layer",
            [linear(first), squash, linear(second)],
            gaussian,
        ),
        ("Gaussian noise, no layer at all", [], gaussian),
        ("logistic noise, a linear layer", [linear(second)], logistic),
    ):
        z, tolls = (x - mean) / std, [np.zeros(b)]
        for layer in layers:
            z, toll = layer(z)
            tolls.append(toll)
        base, total, scaled = log_noise(z), sum(tolls), -np.log(std).sum()
        last = "only the last layer's log-determinant is counted: they add up"
        scale = "dividing by std is a layer, too: its log-determinant is missing"
        mean_of, sum_of = (
            "log_noise is averaged over dimensions: sum",
            "log_noise is summed over the batch: sum over dimensions only",
        )
        mistakes = [
            (noise + toll + extra, "; ".join(filter(None, [first_words, toll_words, extra_words])))
            for noise, first_words in ((base.sum(1), ""), (base.mean(1), mean_of), (np.full(b, base.sum()), sum_of))
            for toll, toll_words in ((total, ""), (tolls[-1], last))
            for extra, extra_words in ((scaled, ""), (0.0, scale))
            if first_words or (toll_words and len(layers) > 1) or extra_words
        ]
        kept = x.copy(), mean.copy(), std.copy()
        handed = list(layers)
        got = answer(*kept, handed, log_noise)
        backwards, other = (x - mean) / std, 0.0
        for layer in reversed(layers):
            backwards, toll = layer(backwards)
            other = other + toll
        if len(layers) > 1:
            wrong = log_noise(backwards).sum(1) + other + scaled
            mistakes.append((wrong, "the layers are applied in the order of the list, the first one first"))
        expect_close(
            got,
            base.sum(1) + total + scaled,
            "log p(x) is the noise's log-density plus the log-determinants of all that was done to x",
            given=f"B = {b}, D = {d}, {name}",
            mistakes=[
                *mistakes,
                (
                    base.sum(1) + total - scaled,
                    "the sign: dividing by std has the determinant 1 / (product of std)",
                ),
                (
                    base.sum(1) + total - np.log(std).mean(),
                    "the log-determinant of dividing by std is a sum over dimensions, not their mean",
                ),
                (
                    base.sum(1) - total + scaled,
                    "the sign: layers go from data to noise, so their log |det| is added",
                ),
                (base + (total + scaled)[:, None], "sum log_noise over dimensions: one number for each example"),
                (
                    base.sum(1) + total + b * scaled,
                    "the log-determinant of dividing by std is counted once for each example, not for the whole batch",
                ),
                (
                    base.sum(1) + total.mean() + scaled,
                    "each example has its own log-determinant: do not average or sum over the batch",
                ),
                (
                    (base.sum(1) + total + scaled).mean(),
                    "one number for each example: shape (B,), no mean over the batch",
                ),
                (
                    gaussian(z).sum(1) + total + scaled,
                    "the noise need not be Gaussian: ask log_noise",
                ),
            ],
        )
        expect(
            len(handed) == len(layers), "your arguments are left as they were", hint="leave the list of layers whole"
        )
    d = 1000  # numbers in small units
    mean, std = rng.normal(size=d), 10.0 ** rng.uniform(-5, -3, size=d)
    z = rng.normal(size=(2, d))
    scaled = -np.log(std).sum()
    got = numbers(answer(mean + std * z, mean.copy(), std.copy(), [], gaussian), "many numbers are asked below")
    expect_close(
        got,
        gaussian(z).sum(1) + scaled,
        "a thousand numbers in small units are no harder than three",
        given="B = 2, D = 1000, std between 0.00001 and 0.001, Gaussian noise, no layer at all",
        mistakes=[(gaussian(z).sum(1), "dividing by std is a layer, too: its log-determinant is missing")],
        hint=""
        if np.isfinite(got).all()
        else "the product of a thousand std becomes 0, that of their inverses inf: add logarithms",
    )


# 12.5 -----------------------------------------------------------------------------------------------------------------


@exercise("12.5", "autoregressive_inverse", points=2)
def _(answer, rng):
    for d, strength, size in ((1, 1, 1), (2, 1, 1), (6, 1, 1), (10, 1, 1), (5, 0.02, 5), (5, 0.1, 100)):
        weights = strength * np.tril(rng.normal(size=(2, d, d)), -1)
        start = rng.normal(size=(2, d)) * 0.5
        calls = []

        def network(x, weights=weights, start=start, calls=calls, d=d):
            x = np.asarray(x, dtype=float)
            if x.ndim != 2 or x.shape[1] != d:
                raise ValueError(f"the network takes all of x, (B, {d}); it was given {x.shape}")
            if not np.isfinite(x).all():
                raise ValueError("the network was given a number that is not finite: start from zeros")
            calls.append(len(x))
            return np.tanh(x @ weights[0].T + start[0]), x @ weights[1].T + start[1]

        x = size * rng.normal(size=(3, d))
        s, t = network(x)
        z = x * np.exp(s) + t
        s0, t0 = network(np.zeros((3, d)))
        once = (z - t0) * np.exp(-s0)
        sz, tz = network(z)
        calls.clear()
        got = numbers(answer(z.copy(), network), "x is an array of numbers")
        used = len(calls)
        mistakes = [
            (z * np.exp(s0) + t0, "that is the way from data to noise: x = (z - t) exp(-s)"),
            ((z - t0) * np.exp(s0), "the sign of s: divide by exp(s)"),
            (z * np.exp(-s0) - t0, "shift back first, then divide by exp(s)"),
        ]
        if d > 1:
            mistakes += [
                (once, "one call is not enough: s_2 needs x_1, which is known only after the first"),
                (
                    (z - tz) * np.exp(-sz),
                    "s and t are functions of x, not of z: that would be an inverse autoregressive flow",
                ),
                (z * np.exp(sz) + tz, "that is the map from data to noise once more"),
            ]
        expect_close(
            got, x, "the map takes your x to z", given=f"B = 3, D = {d}", mistakes=mistakes, rtol=1e-6, atol=1e-7
        )
        expect(
            used <= d,
            "D calls of the network are enough",
            given=f"B = 3, D = {d}",
            expected=f"at most {d}",
            got=str(used),
            hint="one call answers for the whole batch, and each makes one more coordinate right",
        )


# 12.6 -----------------------------------------------------------------------------------------------------------------


@exercise("12.6", "dequantized_bits", points=2)
def _(answer, rng):
    expect_close(
        answer(lambda y: np.zeros(len(y)), rng.integers(17, size=(5, 3)), 17, rng.uniform(size=(2, 5, 3))),
        math.log2(17),
        "a uniform density costs log2 L bits for every number",
        given="log_density = 0, levels = 17, D = 3",
        mistakes=[
            (0.0, "the units: going from y to x + u costs D log L nats"),
            (-math.log2(17), "the sign: a smaller density for each level means more bits"),
            (math.log(17), NATS),
            (math.log2(17) * 3, "per dimension: divide by D"),
            (math.log2(17) / 3, "D log L, not log L: every dimension pays for its units"),
            (math.log2(16), "there are `levels` levels, 0 ... levels - 1"),
            (np.full(5, math.log2(17)), "one number: the mean over draws and examples"),
        ],
    )
    levels, d = 5, 2
    phase = rng.uniform(0, 1)

    def log_density(y):
        y = np.asarray(y, dtype=float)
        if y.ndim != 2 or y.min() < 0 or y.max() >= 1:
            where = "outside [0, 1)" if y.ndim == 2 else f"of shape {y.shape}; it takes (B, D)"
            raise ValueError(f"log_density was given numbers {where}: y = (x + u) / levels")
        return np.log1p(0.9 * np.cos(2 * math.pi * (2 * y[:, 0] + 3 * y[:, 1] + phase)))  # integrates to one

    x, noise = rng.integers(levels, size=(4, d)), rng.uniform(size=(3, 4, d))
    values = np.stack([log_density((x + u) / levels) for u in noise])  # (S, B)
    units = d * math.log(levels)
    bits = -(values - units) / (d * math.log(2))

    def cost_of(y):
        return -(log_density(y) - units).mean() / (d * math.log(2))

    best = -(np.log(np.exp(values).mean(0)) - units).mean() / (d * math.log(2))
    half = -np.mean([log_density((x + u / 2) / levels) - units for u in noise]) / (d * math.log(2))
    plain = -(log_density(x / levels) - units).mean() / (d * math.log(2))
    expect_close(
        answer(log_density, x.copy(), levels, noise.copy()),
        bits.mean(),
        "the mean over draws and examples of -(log p(y) - D log L), in bits per dimension",
        given=f"B = 4, D = {d}, S = 3, levels = {levels}, a density in waves",
        mistakes=[
            (bits.sum(0).mean(), "that is the sum over draws: take their mean"),
            (bits.sum(), "that is a sum over draws and examples: take the mean"),
            (bits.mean() * d, "per dimension: divide by D"),
            (bits.mean() * math.log(2), NATS),
            (-bits.mean(), "the sign: a cost is positive"),
            (bits[0].mean(), "only the first draw is used"),
            (best, "that is the logarithm of the mean density: a tighter bound, but not the one asked for"),
            (plain, "the noise is missing: data must fill their bins"),
            (half, "that is noise of half a bin: the bins are one wide"),
            *(
                (cost, "each draw of noise belongs to its own example: noise[s, b] to x[b]")
                for cost in (
                    np.mean([cost_of((x + u[::-1]) / levels) for u in noise]),
                    cost_of((np.repeat(x, 3, axis=0) + noise.reshape(-1, d)) / levels),
                )
            ),
            (cost_of((x + noise.mean(0)) / levels), "take the mean of the costs, not of the noise"),
            (bits.mean(0), "one number: the mean over draws and examples"),
            (bits.mean(1), "one number: the mean over draws and examples"),
        ],
    )
