"""Checks of lesson 02, learning a distribution: integrals, closed forms, exact inversion, and tests of samples."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from genutils.check import exercise
from genutils.check.expect import BITS, Wrong, brief, expect, expect_close, expect_shape, numbers, unchanged

# 02.1 -----------------------------------------------------------------------------------------------------------------


@exercise("02.1", "histogram_density", points=2)
def _(answer, rng):
    for edges in (np.linspace(-2, 3, 6), np.array([0.0, 0.5, 2.0, 2.25, 7.0])):
        train = rng.uniform(edges[0], edges[-1], 60)
        train = train[(train < edges[1]) | (train >= edges[2])]  # the second box stays empty
        train[0] = edges[2]  # on an edge: belongs to the box on its right
        rng.shuffle(train)
        counts = np.array([((train >= a) & (train < b)).sum() for a, b in zip(edges[:-1], edges[1:], strict=True)])
        width = np.diff(edges)
        middles = (edges[:-1] + edges[1:]) / 2
        given = f"{len(train)} numbers, edges = {brief(edges)}, x = the middles of the boxes"
        before = train.copy()
        density = counts / (len(train) * width)
        expect_close(
            answer(train, edges.copy(), middles),
            density,
            "density is count / (N * width), so that it integrates to 1",
            given=given,
            mistakes=[
                (counts / len(train), "that is the probability of the box: divide by its width"),
                (counts / width, "divide by the number of points, too: the area must be 1"),
                (counts, "those are counts: divide by N and by the width"),
                (counts / (len(train) * width.mean()), "the boxes have different widths: divide each by its own"),
                (counts / (len(train) * width[0]), "the boxes have different widths: divide each by its own"),
                (
                    counts * width / len(train),
                    "divide by the width, do not multiply: a narrower box has a higher density",
                ),
            ],
        )
        unchanged(before, train, "the numbers are left as they were", given=given)
        places = rng.permutation(np.r_[edges[0] - 1, edges[-1] + 1, edges[0], edges[2], middles])
        index = np.searchsorted(edges, places, side="right") - 1
        inside = (places >= edges[0]) & (places < edges[-1])
        want = np.where(inside, density[np.clip(index, 0, len(density) - 1)], 0.0)
        got = numbers(answer(train.copy(), edges.copy(), places), "histogram_density returns numbers")
        hint = "one number for each place in x, and not for each box" if got.shape == density.shape else ""
        if got.shape == want.shape:
            hint = (
                "outside all boxes the density is 0; the nearest box does not reach there"
                if not np.allclose(got[~inside], 0)
                else "a place on an edge belongs to the box on its right"
            )
        expect_close(got, want, "also on edges, outside, and in any order", given=f"x = {brief(places)}", hint=hint)


# 02.2 and 02.3 --------------------------------------------------------------------------------------------------------


def _terms(x, points, h) -> np.ndarray:
    """(B, N) log N(x; point, h^2 I)."""
    square = ((x[:, None] - points) ** 2).sum(2)
    return -square / (2 * h**2) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@exercise("02.2", "kde_log_density", points=3)
def _(answer, rng):
    for b, n, dims, h in ((5, 30, 1, 0.3), (4, 12, 3, 0.7), (3, 8, 10, 2.0)):
        points, x = rng.normal(size=(n, dims)), rng.normal(size=(b, dims))
        given = f"{n} points and {b} places in {dims} dimensions, h = {h}"
        terms = _terms(x, points, h)
        want = logsumexp(terms, axis=1) - math.log(n)
        unit = -0.5 * ((x[:, None] - points) ** 2).sum(2) / h**2
        half = 0.5 * math.log(2 * math.pi)
        says = "the log of the mean of N Gaussians of width h"
        expect_close(
            answer(x.copy(), points.copy(), h),
            want,
            says,
            given=given,
            mistakes=[
                (want + math.log(n), "that is the log of the sum: the estimate is a mean over the points"),
                (terms.mean(1), "a mean of logs is not the log of a mean: average the densities, then take the log"),
                (
                    want + (dims - 1) * math.log(h) + (dims - 1) * half,
                    "the normaliser is (h sqrt(2 pi)) to the power D",
                ),
                (want + (dims - 1) * math.log(h), "h stands in the normaliser with the power D"),
                (want + (dims - 1) * half, "sqrt(2 pi) stands in the normaliser with the power D"),
                (want + dims * math.log(h), "the h in the normaliser is missing"),
                (want + dims * (math.log(h) + half), "the normaliser is missing: the density does not integrate to 1"),
                (
                    logsumexp(unit * h, axis=1) - math.log(n) - dims * (math.log(h) / 2 + half),
                    "h is a standard deviation: its square stands in the exponent",
                ),
                (np.exp(want), "that is the density: take its logarithm"),
                (want / math.log(2), BITS),
                (logsumexp(terms / dims, axis=1) - math.log(n), "sum over dimensions, do not average"),
                (logsumexp(terms, axis=0) - math.log(n) if b == n else np.nan, "the wrong axis: average over points"),
            ],
        )
    far = np.full((2, 3), 500.0)
    got = numbers(
        answer(far, np.zeros((4, 3)), 0.1), "kde_log_density returns numbers", given="places far from all points"
    )
    expect(
        bool(np.isfinite(got).all()),
        "far from all points the log-density is very low, and finite",
        given="places 866 away from all points, h = 0.1",
        expected=brief(logsumexp(_terms(far, np.zeros((4, 3)), 0.1), axis=1) - math.log(4)),
        got=got,
        hint="exp underflowed to 0 before the logarithm: scipy.special.logsumexp takes the largest exponent out first",
    )
    expect_close(
        got,
        logsumexp(_terms(far, np.zeros((4, 3)), 0.1), axis=1) - math.log(4),
        "far from all points the log-density is exact",
        given="places 866 away from all points, h = 0.1",
    )


@exercise("02.3", "leave_one_out_score", points=4)
def _(answer, rng):
    for n, dims, h in ((25, 1, 0.4), (9, 4, 1.1), (2, 2, 0.8)):
        points = rng.normal(size=(n, dims))
        given = f"{n} points in {dims} dimensions, h = {h}"
        terms = _terms(points, points, h)
        others = terms.copy()
        np.fill_diagonal(others, -np.inf)
        want = (logsumexp(others, axis=1) - math.log(n - 1)).mean()
        with_self = (logsumexp(terms, axis=1) - math.log(n)).mean()
        before = points.copy()
        expect_close(
            answer(points, h),
            want,
            "each point is judged by the estimate from all the others",
            given=given,
            mistakes=[
                (with_self, "each point is still among its own judges: leave its own hill out"),
                (want + math.log(n - 1) - math.log(n), "there are N - 1 others: divide by N - 1"),
                (
                    (logsumexp(terms, axis=1) - math.log(n - 1)).mean(),
                    "each point is still among its own judges: leave its own hill out",
                ),
                (want * n, "that is the sum over the points: take the mean"),
                (want + math.log(n - 1), "the mean over the others is missing: divide by N - 1"),
                (
                    np.log(np.exp(others).sum(1) / (n - 1)).mean() * 0
                    + math.log(np.mean(np.exp(others).sum(1) / (n - 1))),
                    "the log of the mean density is not the mean log-density: log first, then average over the points",
                ),
            ],
        )
        unchanged(before, points, "the points are left as they were", given=given)
    twins = np.array([[0.0], [0.0], [5.0]])
    terms = _terms(twins, twins, 0.5)
    np.fill_diagonal(terms, -np.inf)
    got = numbers(answer(twins.copy(), 0.5), "leave_one_out_score returns a number")
    expect_close(
        got,
        (logsumexp(terms, axis=1) - math.log(2)).mean(),
        "two equal points are two points: each is the other's neighbour",
        given="points = [[0], [0], [5]], h = 0.5",
        hint="leave out the point itself, by its number, and not every point at distance 0"
        if np.isfinite(got).all()
        else "your own hill added and taken away again swallows a far neighbour: leave it out before you add",
    )
    apart = np.array([[0.0], [100.0]])
    expect_close(
        answer(apart, 0.5),
        -(100.0**2) / (2 * 0.25) - math.log(0.5 * math.sqrt(2 * math.pi)),
        "a lonely point has a very low score, and a finite one",
        given="points = [[0], [100]], h = 0.5",
        hint="work with logarithms throughout: exp of a large negative number is 0",
    )


# 02.4 -----------------------------------------------------------------------------------------------------------------


@exercise("02.4", "sample_histogram", points=3)
def _(answer, rng):
    for edges, p in (
        (np.linspace(0, 4, 5), np.array([0.1, 0.4, 0.2, 0.3])),
        (np.array([-3.0, -1.0, 0.0, 0.5, 4.0]), rng.dirichlet(np.ones(4))),
        (np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.5, 0.0, 0.5])),
        (np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 0.7, 0.3])),
    ):
        u = rng.random(4000)
        given = f"edges = {brief(edges)}, probabilities = {brief(p)}"
        cumulative = np.r_[0, np.cumsum(p)]
        j = np.clip(np.searchsorted(cumulative, u, side="right") - 1, 0, len(p) - 1)
        want = edges[j] + (u - cumulative[j]) / p[j] * np.diff(edges)[j]
        x = numbers(answer(edges.copy(), p.copy(), u.copy()), "sample_histogram returns numbers", given=given)
        expect_shape(x, u.shape, "one sample for each u", given=given)
        counts = np.array([((x >= a) & (x < b)).sum() for a, b in zip(edges[:-1], edges[1:], strict=True)])
        hint = ""
        if np.allclose(np.sort(x), np.sort(want), rtol=1e-6, atol=1e-9):
            hint = "right samples in another order: sample i belongs to u[i]"
        elif len(np.unique(x)) <= len(edges):
            hint = "these are edges or middles: within its box a sample falls anywhere, by where u lies within the step"
        elif np.allclose(x, edges[0] + u * (edges[-1] - edges[0])):
            hint = "the probabilities were not used"
        elif np.allclose(x, np.interp(u, cumulative[1:], edges[1:])) or np.allclose(
            x, np.interp(u, cumulative[1:], edges[:-1])
        ):
            hint = "the cumulative curve begins with 0 at the first edge: it has one value for each edge"
        elif (counts[p == 0] > 0).any():
            hint = "an empty box got samples"
        elif np.allclose(x, np.interp(u, edges, cumulative)):
            hint = "the axes are swapped: u is a place on the vertical axis, and the sample one on the horizontal axis"
        elif np.isfinite(x).all() and stats.ks_2samp(x, want).pvalue > 0.001:
            hint = "the distribution looks right, but sample i must come from u[i]: draw no numbers of your own"
        expect_close(
            x,
            want,
            "the cumulative distribution at sample i is u[i]",
            given=given,
            hint=hint,
            rtol=1e-6,
            atol=1e-7,
        )


# 02.5 -----------------------------------------------------------------------------------------------------------------


@exercise("02.5", "sample_by_rejection", points=4)
def _(answer, rng):
    cases = [  # height, low, high, ceiling, its integral, and the distribution of the first coordinate
        (lambda x: x[:, 0], [0.0], [1.0], 1.0, 0.5, stats.beta(2, 1)),
        (lambda x: 3 * np.exp(-0.5 * (x**2).sum(1)), [-4.0, -5.0], [5.0, 4.0], 3.5, 3 * 2 * math.pi, stats.norm()),
        (lambda x: 0.2 * (x[:, 0] > 1.5), [0.0, 0.0, 0.0], [2.0, 1.0, 1.0], 0.2, 0.1, stats.uniform(1.5, 0.5)),
    ]
    for height, low, high, ceiling, integral, first in cases:
        low, high, n = np.array(low), np.array(high), 3000
        proposed = []

        def spy(x, height=height, low=low, high=high, proposed=proposed):
            x = numbers(x, "height is called with an array of proposals")
            expect(
                x.ndim == 2 and x.shape[1] == len(low),
                "height is called with proposals of shape (B, D)",
                given=f"D = {len(low)}",
                got=f"shape {x.shape}",
            )
            expect(
                bool((x >= low).all() and (x <= high).all()),
                "proposals lie in the box",
                given=f"low = {low}, high = {high}",
                got=brief(x[0]),
            )
            proposed.append(len(x))
            if sum(proposed) > 2_000_000:
                raise Wrong(
                    "it ends",
                    got="two million proposals for 3,000 samples",
                    hint="is a kept share of a half mistaken for none?",
                )
            return height(x)

        given = f"a height in {len(low)} dimensions, ceiling = {ceiling}, n = {n}"
        seed = int(rng.integers(2**32))
        value = answer(spy, low.copy(), high.copy(), ceiling, n, np.random.default_rng(seed))
        if type(value) not in (tuple, list) or len(value) != 2:
            raise Wrong(
                "it returns the samples and the share that was kept",
                given=given,
                expected="two things",
                got=type(value).__name__,
            )
        x = numbers(value[0], "samples are an array", given=given)
        expect_shape(
            x,
            (n, len(low)),
            "n samples of D dimensions",
            given=given,
            hint="keep proposing until there are n, and cut off what is too many",
        )
        box = np.prod(high - low)
        want = integral / (box * ceiling)
        share = float(numbers(value[1], "the share is a number", given=given).reshape(-1)[0])
        total = sum(proposed)
        tolerance = 6 * math.sqrt(want * (1 - want) / max(total, 1)) + 1e-3
        flat = stats.kstest((x[:, 0] - low[0]) / (high - low)[0], "uniform").pvalue > 1e-4
        pvalue = stats.kstest(x[:, 0], first.cdf).pvalue
        squared = stats.kstest(x[:, 0], stats.beta(3, 1).cdf).pvalue > 1e-4 and len(low) == 1
        hint = (
            "all proposals were kept"
            if flat
            else (
                "height was used twice, or squared"
                if squared
                else "keep x when u * ceiling < height(x), u uniform and new for each"
            )
        )
        expect(
            bool(pvalue > 1e-6),
            "the samples have the density of height",
            given=given,
            got=f"a test gives p = {pvalue:.1e}",
            hint=hint,
        )
        if len(low) > 1 and first.dist.name == "norm":
            pvalue = stats.kstest(x[:, 1], first.cdf).pvalue
            expect(bool(pvalue > 1e-6), "in all coordinates", given=given, got=f"second coordinate: p = {pvalue:.1e}")
        expect(
            abs(share - want) < tolerance,
            "the share is kept / proposed, over all proposals that were made",
            given=given,
            expected=f"about {want:.4f}",
            got=share,
            hint="that is n / proposed: count all that were kept, also those that you cut off at the end"
            if abs(share - n / total) < 1e-9
            else ("that is proposed / kept" if abs(share - 1 / want) < 0.2 / want else ""),
        )
        again = answer(height, low.copy(), high.copy(), ceiling, n, np.random.default_rng(seed))
        expect(
            bool((numbers(again[0]) == x).all()),
            "the same seed gives the same samples",
            given=given,
            hint="draw from rng and from nothing else",
        )
    shares = []  # with few samples at a time it shows whether all that were kept are counted
    for seed in range(40):
        value = answer(lambda x: x[:, 0], np.zeros(1), np.ones(1), 1.0, 200, np.random.default_rng(seed))
        shares.append(float(numbers(value[1]).reshape(-1)[0]))
    expect(
        abs(np.mean(shares) - 0.5) < 0.03,
        "the share is kept / proposed, over all proposals that were made",
        given="height = x on [0, 1], ceiling = 1, n = 200, forty times",
        expected="about 0.5 on average",
        got=float(np.mean(shares)),
        hint="is it n / proposed? One must count all that were kept, also those that you cut off at the end",
    )
    try:
        value = answer(lambda x: 2 * x[:, 0], np.zeros(1), np.ones(1), 1.0, 500, np.random.default_rng(0))
    except NotImplementedError:
        raise
    except ValueError:
        return
    except Exception as error:
        raise Wrong(
            "a height above the ceiling is refused", expected="ValueError", got=f"{type(error).__name__}: {error}"
        ) from None
    raise Wrong(
        "a height above the ceiling is refused",
        given="height = 2x on [0, 1], ceiling = 1",
        expected="a ValueError",
        got=brief(value[0]) if type(value) in (tuple, list) and len(value) else "samples",
        hint="raise a ValueError when height exceeds ceiling: the top of the density would be cut off, unnoticed",
    )


# 02.6 -----------------------------------------------------------------------------------------------------------------


@exercise("02.6", "count_parameters", points=2)
def _(answer, rng):
    for levels, dims, memory in ((17, 64, 0), (2, 3, 1), (17, 64, 1), (3, 5, 2), (2, 10, 9), (17, 64, 63), (4, 3, 8)):
        parts = [levels ** min(i, memory) for i in range(dims)]
        want = (levels - 1) * sum(parts)
        given = f"levels = {levels}, dims = {dims}, memory = {memory}"
        got = answer(levels, dims, memory)
        if type(got) not in (int, np.int64):
            raise Wrong(
                "an exact whole number",
                given=given,
                expected=f"{want:.6g}",
                got=f"{brief(got)}, a {type(got).__name__}",
                hint="use ** and // with Python's ints: floats have 53 bits, numpy's integers 64",
            )
        hint = ""
        if type(got) is np.int64:
            hint = "numpy's integers wrap around beyond 64 bits: use Python's"
        elif got == levels * sum(parts):
            hint = "the probabilities of a table sum to 1: of L numbers L - 1 are free"
        elif got == levels**dims - 1:
            hint = "that is the full table: each variable looks back at `memory` others and not at all of them"
        elif got == (levels - 1) * dims * levels**memory:
            hint = "the first variables have fewer than `memory` before them"
        elif memory >= dims - 1 and got == levels**dims:
            hint = "the probabilities sum to 1: one of them is not free"
        elif got == (levels - 1) * sum(levels ** max(0, min(i, memory)) for i in range(1, dims)):
            hint = "the first variable has a table, too"
        elif memory > dims - 1:
            hint = "a long memory finds no more than what is there: variable i has i variables before it"
        expect(
            int(got) == want and type(got) is int,
            "each variable has one table for each combination of those before it",
            given=given,
            expected=f"{want:.6g}",
            got=f"{got:.6g}" if abs(got) < 1e300 else "a larger number",
            hint=hint,
        )
