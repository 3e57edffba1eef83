"""Checks of lesson 02, learning a distribution: integrals, closed forms, exact inversion, and tests of samples."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from genutils.check import exercise
from genutils.check.draws import lag_correlation
from genutils.check.expect import (
    BITS,
    FLOAT32,
    RARE,
    Wrong,
    brief,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    number,
    numbers,
    pair,
    unchanged,
)

# 02.1 -----------------------------------------------------------------------------------------------------------------


@exercise("02.1", "histogram_density", points=2)
def _(answer, rng):
    uneven = np.array([0.0, 0.5, 2.0, 2.25, 7.0])
    for edges in (np.linspace(-2, 3, 6), uneven, np.array([-3, -1, 0, 4, 5, 9]), np.array([1.0, 4.0])):
        train = rng.uniform(edges[0], edges[-1], 60)
        if len(edges) > 2:
            train = train[(train < edges[1]) | (train >= edges[2])]  # the second box stays empty
            train[:3] = edges[2]  # on an edge: belongs to the box on its right; three times
            rng.shuffle(train)
        counts = np.array([((train >= a) & (train < b)).sum() for a, b in zip(edges[:-1], edges[1:], strict=True)])
        width = np.diff(edges)
        middles = (edges[:-1] + edges[1:]) / 2
        given = f"{len(train)} numbers, edges = {brief(edges)}, x = the middles of the boxes"
        before, kept = (train.copy(), edges.copy(), middles.copy()), (train, edges, middles)
        density = counts / (len(train) * width)
        expect_close(
            answer(*kept),
            density,
            "density is count / (N * width), so that it integrates to 1",
            given=given,
            mistakes=[
                (counts / len(train), "that is the probability of the box: divide by its width"),
                (counts, "those are counts: divide by N and by the width"),
                (counts / width, "divide by the number of points, too: the area must be 1"),
                (counts / (len(train) * width.mean()), "the boxes have different widths: divide each by its own"),
                (counts / (len(train) * width[0]), "the boxes have different widths: divide each by its own"),
                (counts / (len(middles) * width), "divide by the number of points in train, not by that in x"),
                ((counts + 1) / (counts + 1).sum() / width, "count what is there: nothing is added to the counts"),
                (
                    counts * width / len(train),
                    "divide by the width, do not multiply: a narrower box has a higher density",
                ),
                (np.log(np.maximum(density, 1e-300)), "that is the logarithm of the density"),
            ],
            **FLOAT32,
        )
        unchanged(before, kept, "the arguments are left as they were", given=given)
        # on every edge, just below it, outside, twice at the same place, in any order; then whole numbers
        just_below = np.nextafter(edges.astype(float), -np.inf)
        outside = [edges[0] - 1, edges[-1] + 1, edges[-1] + 100]
        for places in (
            rng.permutation(np.r_[outside, edges, just_below, middles, middles[0]]),
            rng.permutation(np.arange(math.floor(edges[0]) - 1, math.ceil(edges[-1]) + 2)),
            middles[-1:],
        ):
            inside = (places >= edges[0]) & (places < edges[-1])
            box = np.clip(np.searchsorted(edges, places, side="right") - 1, 0, len(density) - 1)
            want = np.where(inside, density[box], 0.0)
            given = f"{len(train)} numbers, edges = {brief(edges)}, x = {brief(places)}"
            got = numbers(answer(train.copy(), edges.copy(), places.copy()), "it returns numbers", given=given)
            hint = ""
            if got.shape != want.shape:
                per_box = got.shape == density.shape
                hint = "one number for each place in x, and not for each box" if per_box else ""
            else:
                bad = ~np.isclose(got, want, **FLOAT32)
                if bad.any():
                    i = int(np.argmax(bad))
                    given = f"{len(train)} numbers, edges = {brief(edges)}, x = {float(places[i])!r} among others"
                    if np.array_equal(got, np.trunc(want)):
                        hint = "the density was cut to whole numbers: np.zeros_like(x) has the dtype of x"
                    elif np.allclose(np.sort(got), np.sort(want), **FLOAT32):
                        hint = "right densities in another order: the answer for x[i] stands at i"
                    elif (bad & ~inside & (places != edges[-1])).any():
                        hint = "outside all boxes the density is 0; the nearest box does not reach there"
                    elif (bad == (places == edges[-1])).all():
                        hint = "the last edge belongs to a box on its right, and there is none: 0"
                    elif bad[inside].any() and np.isin(places[bad], edges).all():
                        hint = "a place on an edge belongs to the box on its right"
                    raise Wrong(
                        "also on edges, outside, at whole numbers and in any order",
                        given=given,
                        expected=brief(float(want[i])),
                        got=brief(float(got[i])),
                        hint=hint,
                    )
            expect_shape(got, want.shape, "one density for each place in x", given=given, hint=hint)


# 02.2 and 02.3 --------------------------------------------------------------------------------------------------------


def _terms(x, points, h) -> np.ndarray:
    """(B, N) log N(x; point, h^2 I)."""
    square = ((x[:, None] - points) ** 2).sum(2)
    return -square / (2 * h**2) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@exercise("02.2", "kde_log_density", points=3)
def _(answer, rng):
    for b, n, dims, h in ((5, 30, 1, 0.3), (4, 12, 3, 0.7), (3, 8, 10, 2.0), (1, 1, 2, 1.3), (6, 6, 2, 0.5)):
        points, x = rng.normal(size=(n, dims)), rng.normal(size=(b, dims))
        given = f"{n} points and {b} places in {dims} dimensions, h = {h}"
        terms = _terms(x, points, h)
        want = logsumexp(terms, axis=1) - math.log(n)
        unit = -0.5 * ((x[:, None] - points) ** 2).sum(2) / h**2
        half = 0.5 * math.log(2 * math.pi)
        before = x.copy(), points.copy()
        expect_close(
            answer(x, points, h),
            want,
            "the log of the mean of N Gaussians of width h",
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
                (want - dims * math.log(h), "the normaliser has h to the power D, and not h squared"),
                (want + dims * half, "the normaliser has sqrt(2 pi) to the power D as well"),
                (want + dims * (math.log(h) + half), "the normaliser is missing: the density does not integrate to 1"),
                (want + 2 * dims * (math.log(h) + half), "the sign of the normaliser: divide by it"),
                (
                    logsumexp(unit * h, axis=1) - math.log(n) - dims * (math.log(h) / 2 + half),
                    "h is a standard deviation: its square stands in the exponent",
                ),
                (
                    logsumexp(unit * h, axis=1) - math.log(n) - dims * (math.log(h) + half),
                    "h is a standard deviation: its square stands in the exponent",
                ),
                (
                    logsumexp(2 * unit, axis=1) - math.log(n) - dims * (math.log(h) + half),
                    "half the squared distance stands in the exponent",
                ),
                (
                    logsumexp(-0.5 * np.sqrt(-2 * unit), axis=1) - math.log(n) - dims * (math.log(h) + half),
                    "the squared distance stands in the exponent",
                ),
                (np.exp(want), "that is the density: take its logarithm"),
                (want.mean(), "one number for each place: do not average over x"),
                (want.sum(), "one number for each place: do not add over x"),
                (-want, "the sign: this is minus the log-density"),
                (want / math.log(2), BITS),
                (logsumexp(terms / dims, axis=1) - math.log(n), "sum over dimensions, do not average"),
                (logsumexp(terms, axis=0) - math.log(n), "the wrong axis: average over points"),
                (logsumexp(terms, axis=0) - math.log(b), "the wrong axis: average over points"),
            ],
            **FLOAT32,
        )
        unchanged(before, (x, points), "the arguments are left as they were", given=given)
    points = rng.normal(size=(5, 2))
    points[3] = points[1]  # two equal points are two points
    terms = _terms(points, points, 0.4)
    alone = terms.copy()
    np.fill_diagonal(alone, -np.inf)
    apart = np.where(terms > terms.max() - 1e-9, -np.inf, terms)
    left_out = "nothing is left out here: a point at the very place is one of the N"
    expect_close(
        answer(points.copy(), points.copy(), 0.4),
        logsumexp(terms, axis=1) - math.log(5),
        "also at the points themselves, of which two are equal",
        given="5 points, two of them equal, and the places are the points",
        mistakes=[
            (logsumexp(alone, axis=1) - math.log(5), left_out),
            (logsumexp(alone, axis=1) - math.log(4), left_out),
            (logsumexp(apart, axis=1) - math.log(5), left_out),
            (logsumexp(np.delete(terms, 3, 1), axis=1) - math.log(4), "two equal points count twice"),
        ],
        **FLOAT32,
    )
    close, near = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    far = np.array([[500.0, 500.0, 500.0], [-300.0, 20.0, 700.0]])
    for x, points, where in (
        (far[[0, 0]], np.zeros((4, 3)), "two places far from all points"),
        (np.concatenate([near, far]), close, "two places near the points and two far away"),
    ):
        given = f"4 points in 3 dimensions, {where}, h = 0.1"
        got = numbers(answer(x.copy(), points.copy(), 0.1), "kde_log_density returns numbers", given=given)
        want = logsumexp(_terms(x, points, 0.1), axis=1) - math.log(4)
        hint = ""
        if got.shape == want.shape and not np.allclose(got, want, **FLOAT32):
            if len(x) == 2 and not np.isfinite(got).all():
                hint = (
                    "exp underflowed to 0 before the logarithm: "
                    "scipy.special.logsumexp takes the largest exponent out first"
                )
            elif not np.isfinite(got[-2:]).all() or (np.isfinite(got) & (got > want / 2)).any() and len(x) > 2:
                hint = "each place needs its own largest exponent: one for the whole array leaves 0 in the other rows"
            elif (got > want / 2).all():
                hint = "no small constants and no clipping: take the largest exponent out before you exponentiate"
        says = "far from all points the log-density is very low, and finite"
        expect_close(got, want, says, given=given, hint=hint, **FLOAT32)
    dims, h = 400, 0.02
    points, x = h * rng.normal(size=(5, dims)), h * rng.normal(size=(2, dims))
    want = logsumexp(_terms(x, points, h), axis=1) - math.log(5)
    got = numbers(answer(x, points, h), "kde_log_density returns numbers", given=f"{dims} dimensions, h = {h}")
    expect_close(
        got,
        want,
        "also in many dimensions, where the normaliser itself is too small for a float",
        given=f"5 points and 2 places in {dims} dimensions, h = {h}",
        hint="" if np.isfinite(got).all() else "take the log of the normaliser as D log(h sqrt(2 pi)), never its power",
        **FLOAT32,
    )


@exercise("02.3", "leave_one_out_score", points=4)
def _(answer, rng):
    half = 0.5 * math.log(2 * math.pi)
    for n, dims, h in ((25, 1, 0.4), (9, 4, 1.1), (2, 2, 0.8)):
        points = rng.normal(size=(n, dims))
        given = f"{n} points in {dims} dimensions, h = {h}"
        terms = _terms(points, points, h)
        others = terms.copy()
        np.fill_diagonal(others, -np.inf)
        each = logsumexp(others, axis=1) - math.log(n - 1)
        want = each.mean()
        with_self = (logsumexp(terms, axis=1) - math.log(n)).mean()
        own = "each point is still among its own judges: leave its own hill out"
        power = "the normaliser is (h sqrt(2 pi)) to the power D"
        before = points.copy()
        expect_close(
            answer(points, h),
            want,
            "each point is judged by the estimate from all the others",
            given=given,
            mistakes=[
                (with_self, own),
                (want + math.log(n - 1) - math.log(n), "there are N - 1 others: divide by N - 1"),
                ((logsumexp(terms, axis=1) - math.log(n - 1)).mean(), own),
                (want * n, "that is the sum over the points: take the mean"),
                (want * n / (n - 1), "the mean over the points divides by N: each of the N points has a score"),
                (each, "that is one score for each point: take their mean"),
                (np.median(each), "that is the median of the scores: take their mean"),
                (want + math.log(n - 1), "the mean over the others is missing: divide by N - 1"),
                (
                    math.log(np.exp(each).mean()),
                    "the log of the mean density is not the mean log-density: log first, then average over the points",
                ),
                (
                    (others[~np.eye(n, dtype=bool)]).mean(),
                    "a mean of logs is not the log of a mean: average the densities of the others, then take the log",
                ),
                (others.max(1).mean(), "that is the nearest neighbour's hill alone: all the others are judges"),
                (want + (dims - 1) * (math.log(h) + half), power),
                (want + (dims - 1) * half, "sqrt(2 pi) stands in the normaliser with the power D"),
                (want + (dims - 1) * math.log(h), "h stands in the normaliser with the power D"),
                (want + dims * (math.log(h) + half), "the normaliser is missing: the density does not integrate to 1"),
                (-want, "the sign: this is minus the score"),
                (want / math.log(2), BITS),
            ],
            **FLOAT32,
        )
        unchanged(before, points, "the points are left as they were", given=given)
    twins = np.array([[0.0], [0.0], [5.0]])
    terms = _terms(twins, twins, 0.5)
    np.fill_diagonal(terms, -np.inf)
    got = number(answer(twins.copy(), 0.5), "leave_one_out_score returns a number")
    expect_close(
        got,
        (logsumexp(terms, axis=1) - math.log(2)).mean(),
        "two equal points are two points: each is the other's neighbour",
        given="points = [[0], [0], [5]], h = 0.5",
        hint="leave out the point itself, by its number, and not every point at distance 0"
        if np.isfinite(got) and got < -30
        else (
            "your own hill added and taken away again swallows a far neighbour: leave it out before you add"
            if not np.isfinite(got)
            else ""
        ),
        **FLOAT32,
    )
    logarithms = "work with logarithms throughout: exp of a large negative number is 0"
    rows = "each point needs its own largest exponent: one for the whole table leaves 0 in the other rows"
    apart = np.array([[0.0], [100.0]])
    crowd = np.concatenate([rng.normal(size=(6, 1)), [[100.0], [-250.0]]])
    for points, given, hint in (
        (apart, "points = [[0], [100]], h = 0.5", logarithms),
        (crowd, "six points near 0, one at 100 and one at -250, h = 0.5", rows),
    ):
        terms = _terms(points, points, 0.5)
        np.fill_diagonal(terms, -np.inf)
        got = number(answer(points.copy(), 0.5), "leave_one_out_score returns a number", given=given)
        want = (logsumexp(terms, axis=1) - math.log(len(points) - 1)).mean()
        clipped = np.isfinite(got) and got > want / 2
        expect_close(
            got,
            want,
            "a lonely point has a very low score, and a finite one",
            given=given,
            hint=hint if not np.isfinite(got) else ("no small constants and no clipping" if clipped else ""),
            **FLOAT32,
        )
    dims, h = 400, 0.02
    points = h * rng.normal(size=(4, dims))
    terms = _terms(points, points, h)
    np.fill_diagonal(terms, -np.inf)
    got = number(answer(points, h), "leave_one_out_score returns a number", given=f"{dims} dimensions, h = {h}")
    expect_close(
        got,
        (logsumexp(terms, axis=1) - math.log(3)).mean(),
        "also in many dimensions, where the normaliser itself is too small for a float",
        given=f"4 points in {dims} dimensions, h = {h}",
        hint="" if np.isfinite(got) else "take the log of the normaliser as D log(h sqrt(2 pi)), never its power",
        **FLOAT32,
    )


# 02.4 -----------------------------------------------------------------------------------------------------------------


@exercise("02.4", "sample_histogram", points=3)
def _(answer, rng):
    for edges, p in (
        (np.linspace(0, 4, 5), np.array([0.1, 0.4, 0.2, 0.3])),
        (np.array([-3.0, -1.0, 0.0, 0.5, 4.0]), 0.8 * rng.dirichlet(np.ones(4)) + 0.05),
        (np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.5, 0.0, 0.5])),
        (np.array([0.0, 1.0, 2.0, 3.0, 5.0]), np.array([0.0, 0.0, 0.7, 0.3])),
        (np.array([-2.0, -1.0, 2.0, 3.0]), np.array([0.6, 0.4, 0.0])),
        (np.array([2.0, 5.0]), np.array([1.0])),
    ):
        u = rng.permutation(np.r_[rng.random(2000), 1e-4, 1 - 1e-4])
        given = f"edges = {brief(edges)}, probabilities = {brief(p)}"
        cumulative = np.r_[0, np.cumsum(p)]

        def inverse(u, edges=edges, p=p, cumulative=cumulative):
            j = np.clip(np.searchsorted(cumulative, u, side="right") - 1, 0, len(p) - 1)
            return edges[j] + (u - cumulative[j]) / p[j] * np.diff(edges)[j]

        kept = edges.copy(), p.copy(), u.copy()
        x = numbers(answer(*kept), "sample_histogram returns numbers", given=given)
        unchanged((edges, p, u), kept, "the arguments are left as they were", given=given)
        expect_shape(x, u.shape, "one sample for each u", given=given)
        reached = np.interp(x, edges, cumulative)  # the other way: where the cumulative curve is at each sample
        inside = (x >= edges[0] - 1e-6) & (x <= edges[-1] + 1e-6)
        wrong = ~(inside & (np.abs(reached - u) < 1e-5))
        if not wrong.any():
            continue
        want, near = inverse(u), {"rtol": 1e-5, "atol": 1e-5}
        j = np.clip(np.searchsorted(cumulative, u, side="right") - 1, 0, len(p) - 1)
        i = int(np.argmax(wrong))
        hint = ""
        if np.allclose(np.sort(x), np.sort(want), **near):
            hint = "right samples in another order: sample i belongs to u[i]"
        elif len(np.unique(x)) <= len(edges) + 1:
            hint = "these are edges or middles: within its box a sample falls anywhere, by where u lies within the step"
        elif np.allclose(x, edges[0] + u * (edges[-1] - edges[0]), **near):
            hint = "the probabilities were not used"
        elif any(np.allclose(x, np.interp(u, cumulative[1:], e), **near) for e in (edges[1:], edges[:-1])):
            hint = "the cumulative curve begins with 0 at the first edge: it has one value for each edge"
        elif np.allclose(x, np.interp(u, edges, cumulative), **near):
            hint = "the axes are swapped: u is a place on the vertical axis, and the sample one on the horizontal axis"
        elif np.allclose(x, inverse(1 - u), **near):
            hint = "that is where the curve reaches 1 - u"
        elif np.allclose(
            x, edges[0] + (want - edges[j]) / np.diff(edges)[j] * np.diff(edges)[0] + j * np.diff(edges)[0]
        ):
            hint = "the boxes have different widths: take each from its own edges"
        elif np.allclose(x, edges[j] + u * np.diff(edges)[j], **near):
            hint = "within the box it is the rest of u that counts: (u - reached before) / the box's probability"
        elif np.allclose(x, edges[j] + (u - cumulative[j]) * np.diff(edges)[j], **near):
            hint = "within the box the rest of u goes from 0 to the box's probability: divide by it"
        elif (
            np.isfinite(x).all()
            and abs(stats.spearmanr(x, u).statistic) < 0.2
            and stats.ks_2samp(x, want).pvalue > 0.001
        ):
            hint = "the distribution looks right, but sample i must come from u[i]: draw no numbers of your own"
        raise Wrong(
            "the cumulative distribution at sample i is u[i]",
            given=f"{given}, u[{i}] = {u[i]:.6g}",
            expected=f"sample {want[i]:.6g}",
            got=f"{x[i]:.6g}",
            hint=hint,
        )


# 02.5 -----------------------------------------------------------------------------------------------------------------


def _counted(height, low, high):
    """The height, and how many proposals it was asked about (in all, and the last time), at little cost: an answer may
    propose one at a time. A place that it is asked about again is no new proposal."""
    asked, known = {"total": 0, "last": 0, "rows": 0}, set()

    def spy(x):
        if type(x) is not np.ndarray or x.ndim != 2 or x.shape[1] != len(low):
            x = numbers(x, "height is called with an array of proposals")
            says = "height is called with proposals of shape (B, D)"
            expect_shape(x, (len(x) if x.ndim else 1, len(low)), says)
        if not ((x >= low).all() and (x <= high).all()):
            raise Wrong(
                "proposals lie in the box",
                given=f"low = {low}, high = {high}",
                got=brief(x[0]),
                hint="low + (high - low) * u, with a u in [0, 1) for each coordinate",
            )
        known.update(np.ascontiguousarray(x).view(f"V{x.shape[1] * x.itemsize}").ravel().tolist())
        if len(known) > asked["total"]:
            asked["total"], asked["last"] = len(known), len(known) - asked["total"]
        asked["rows"] += len(x)
        if asked["rows"] > 2_000_000:
            raise Wrong("it ends", got="two million proposals", hint="is a kept share of a half mistaken for none?")
        return height(x)

    return spy, asked


def _correlated(x):
    return 3 * np.exp(-((x[:, 0] ** 2 - 1.6 * x[:, 0] * x[:, 1] + x[:, 1] ** 2) / 0.72))  # sd 1, correlation 0.8


@exercise("02.5", "sample_by_rejection", points=4)
def _(answer, rng):
    uniform, normal = stats.uniform, stats.norm
    cases = [  # height, low, high, ceiling, its peak, its integral, and numbers whose distribution is known
        (lambda x: x[:, 0], [0.0], [1.0], 1.5, 1.0, 0.5, [(lambda x: x[:, 0], stats.beta(2, 1))]),
        (
            _correlated,
            [-3.5, -4.0],
            [4.0, 3.5],
            3.1,
            3.0,
            3 * 2 * math.pi * 0.6,
            [
                (lambda x: x[:, 0], normal()),
                (lambda x: x[:, 1], normal()),
                (lambda x: (x[:, 0] + x[:, 1]) / math.sqrt(3.6), normal()),
                (lambda x: (x[:, 0] - x[:, 1]) / math.sqrt(0.4), normal()),
            ],
        ),
        (
            lambda x: 0.2 * (x[:, 0] > 1.5),
            [0.0, -1.0, 2.0],
            [2.0, 1.0, 2.5],
            0.2,
            0.2,
            0.1,
            [
                (lambda x: x[:, 0], uniform(1.5, 0.5)),
                (lambda x: x[:, 1], uniform(-1, 2)),
                (lambda x: x[:, 2], uniform(2, 0.5)),
                (lambda x: (x[:, 1] + 1) / 2 + (x[:, 2] - 2) / 0.5, stats.triang(0.5, 0, 2)),
            ],
        ),
    ]
    sizes = 1200, 400, 400
    alone, runs = [], []  # was each share n / proposed to the last digit?
    for (height, low, high, ceiling, peak, integral, known), n in zip(cases, sizes, strict=True):
        low, high = np.array(low), np.array(high)
        given = f"a height in {len(low)} dimensions, ceiling = {ceiling}, n = {n}"
        seed = int(rng.integers(2**32))

        def run(n, seed, height=height, low=low, high=high, ceiling=ceiling, given=given):
            spy, asked = _counted(height, low, high)
            try:
                value = answer(spy, low.copy(), high.copy(), ceiling, n, np.random.default_rng(seed))
            except ValueError as error:
                raise Wrong(
                    "it samples where height is nowhere above the ceiling",
                    given=given,
                    got=f"ValueError: {error}",
                    hint="height may touch the ceiling: refuse only what is above it",
                ) from None
            value = pair(value, "it returns the samples and the share that was kept", given)
            x = numbers(value[0], "samples are an array", given=given)
            hint = "keep proposing until there are n, and cut off what is too many" if x.ndim == 2 else ""
            expect_shape(x, (n, len(low)), "n samples of D dimensions", given=given, hint=hint)
            share = number(value[1], "the share is one number", given=given)
            alone.append(abs(share * asked["total"] - n) < 1e-6 * n and asked["last"] >= 8)
            return x, share, asked["total"]

        x, share, total = run(n, seed)
        want = integral / (np.prod(high - low) * ceiling)
        first = (x[:, 0] - low[0]) / (high - low)[0]
        flat = stats.kstest(first, "uniform").pvalue > 1e-4
        squared = stats.kstest(first, stats.beta(3, 1).cdf).pvalue > 1e-4 and len(low) == 1
        root = stats.kstest(first, stats.beta(1.5, 1).cdf).pvalue > 1e-4 and len(low) == 1
        for part, law in known:
            test = stats.kstest(part(x), law.cdf)
            if len(np.unique(x[:, 0])) < 0.9 * n:
                hint = "the same samples come again and again"
            elif flat and not len(low) == 3:
                hint = "all proposals were kept"
            elif squared:
                hint = "height was used twice, or squared"
            elif root:
                hint = "that has the root of the height for its density"
            else:
                hint = "keep x when u * ceiling < height(x), u uniform, and each x with a u of its own"
            expect(
                bool(test.pvalue > RARE),
                "the samples have the density of height, in all coordinates",
                given=given,
                expected="a test of Kolmogorov and Smirnov that they pass",
                got=f"p = {test.pvalue:.1e}",
                hint=hint,
            )
            steps = stats.spearmanr(part(x)[1:], part(x)[:-1]).statistic
            expect(
                abs(steps) < 6.5 / math.sqrt(n) and test.statistic * math.sqrt(n) > 0.2,
                "samples are independent, in no order",
                given=given,
                got=f"a correlation of {steps:.2f} between each sample and the next",
                hint="are they sorted?" if abs(steps) > 0.9 else "has each x a u of its own?",
            )
        expect(len(np.unique(x[:, 0])) > 0.99 * n, "no sample comes twice", given=given, hint="each is drawn anew")
        hint = ""
        if abs(share * total - n) < 1e-6 * n:
            hint = "that is n / proposed: count all that were kept, also those that you cut off at the end"
        elif abs(share - 1 / want) < 0.2 / want:
            hint = "that is proposed / kept"
        elif abs(share - want * total) < 6 * math.sqrt(want * total) and share > 1:
            hint = "that is how many were kept: divide by how many were proposed"
        elif abs(share - (1 - want)) < 0.05 and abs(want - 0.5) > 0.1:
            hint = "that is the share that was thrown away"
        elif abs(share - want * ceiling / peak) < 0.1 * want and peak < ceiling:
            hint = "divide by the ceiling that was given, not by the greatest height that you met"
        expect(
            abs(share - want) < 6.5 * math.sqrt(want * (1 - want) / max(total, 1)) + 1e-3,
            "the share is kept / proposed, over all proposals that were made",
            given=given,
            expected=f"about {want:.4f}",
            got=share,
            hint=hint,
        )
        small = 30
        once, again, other = run(small, seed)[0], run(small, seed)[0], run(small, seed + 1)[0]
        expect(
            bool((once == again).all()),
            "the same seed gives the same samples",
            given=given,
            hint="draw from rng and from nothing else",
        )
        expect(
            bool((once != other).any()),
            "another seed gives other samples",
            given=given,
            hint="a seed is fixed inside: draw from rng and from nothing else",
        )
    for _ in range(6):  # with few samples at a time it shows whether all that were kept are counted
        spy, asked = _counted(lambda x: x[:, 0], np.zeros(1), np.ones(1))
        value = answer(spy, np.zeros(1), np.ones(1), 1.0, 60, np.random.default_rng(int(rng.integers(2**32))))
        share = number(pair(value, "it returns the samples and the share")[1], "the share is one number")
        runs.append(share)
        alone.append(abs(share * asked["total"] - 60) < 1e-4 and asked["last"] >= 8)
    expect(
        not all(alone) and abs(np.mean(runs) - 0.5) < 0.15,
        "the share is kept / proposed, over all proposals that were made",
        given="height = x on [0, 1], ceiling = 1, n = 60, six times",
        expected="about 0.5 on average, and more kept than the 60 that are returned",
        got=f"{np.mean(runs):.4f} on average" + (", always 60 / proposed" if all(alone) else ""),
        hint="that is n / proposed: count all that were kept, also those that you cut off at the end"
        if all(alone)
        else "",
    )
    _by_chance(answer, rng)
    for height, words in (
        (lambda x: 2 * x[:, 0], "height = 2x on [0, 1], ceiling = 1"),
        (lambda x: np.where(x[:, 0] > 0.97, 1.01, 0.5), "height = 1.01 for x above 0.97 and 0.5 below, ceiling = 1"),
    ):
        dice = np.random.default_rng(int(rng.integers(2**32)))
        expect_raises(
            lambda height=height, dice=dice: answer(height, np.zeros(1), np.ones(1), 1.0, 500, dice),
            ValueError,
            "a height above the ceiling is refused",
            given=words,
            hint="raise a ValueError when height exceeds ceiling at any proposal: "
            "the top of the density would be cut off, unnoticed",
        )


def _by_chance(answer, rng) -> None:
    """Under a level height proposals are even and independent, as is whether each is kept; and nothing is too rare."""
    shares = []
    for n in (1500, 60, 60, 60, 60, 60):
        asked = []

        def level(x, asked=asked):
            asked.append(np.array(x, dtype=np.float32)[:, 0])
            return np.full(len(x), 0.5)

        dice = np.random.default_rng(int(rng.integers(2**32)))
        x, share = pair(answer(level, np.zeros(1), np.ones(1), 1.0, n, dice), "it returns the samples and the share")
        shares.append(number(share, "the share is one number"))
        if n < 1500:
            continue
        proposed = np.concatenate(asked)
        proposed = proposed[np.sort(np.unique(proposed, return_index=True)[1])]  # in the order in which they were made
        kept = np.isin(proposed, np.asarray(x, dtype=np.float32))
        if not kept.any():
            continue
        first, last = np.flatnonzero(kept)[[0, -1]]
        proposed, kept = proposed[first : last + 1], kept[first : last + 1]
        given = "height = 0.5 on [0, 1], ceiling = 1, n = 1,500"
        for values, says, hint in (
            (proposed, "the proposals are independent of each other", "each proposal is uniform and drawn anew"),
            (kept, "a proposal is kept or not whatever befalls the others", "has each x a u of its own, drawn anew?"),
        ):
            follow = lag_correlation(values[:, None].astype(float)) * math.sqrt(len(values))
            expect(follow < 7.5, says, given=given, got=f"a correlation {follow:.0f} times too large", hint=hint)
        even = stats.kstest(proposed.astype(float), "uniform").statistic * math.sqrt(len(proposed))
        expect(even > 0.2, "the proposals are spread as chance spreads them", given=given, hint="draw each by itself")
    expect(
        len(set(shares)) > 1,
        "the share is kept / proposed, over all proposals that were made",
        given="height = 0.5 on [0, 1], ceiling = 1, six times",
        expected="about 0.5, each time a little different",
        got=f"exactly {shares[0]} each time",
        hint="count what was kept, and leave to chance what is kept: the average of height / ceiling is another number",
    )
    dice = np.random.default_rng(int(rng.integers(2**32)))
    value = answer(lambda x: 1.0 * (x[:, 0] < 1 / 2000), np.zeros(1), np.ones(1), 1.0, 2, dice)
    x = numbers(pair(value, "it returns the samples and the share")[0], "samples are an array")
    given = "height = 1 for x below 1/2000 and 0 above, on [0, 1], ceiling = 1, n = 2"
    expect_shape(x, (2, 1), "n samples of D dimensions", given=given, hint="keep proposing until there are n")


# 02.6 -----------------------------------------------------------------------------------------------------------------


@exercise("02.6", "count_parameters", points=2)
def _(answer, rng):
    some = tuple((int(rng.integers(2, 9)), int(rng.integers(4, 9)), int(rng.integers(1, 4))) for _ in range(4))
    known = (
        (17, 64, 0),
        (3, 5, 2),
        (17, 64, 2),
        (2, 3, 1),
        (17, 64, 1),
        (2, 10, 9),
        (17, 64, 63),
        (17, 64, 20),
        (17, 64, 64),
        (11, 40, 500),
        (4, 3, 8),
        (5, 1, 2),
    )
    for levels, dims, memory in known + some:
        parts = [levels ** min(i, memory) for i in range(dims)]
        want = (levels - 1) * sum(parts)
        given = f"levels = {levels}, dims = {dims}, memory = {memory}"
        got = answer(levels, dims, memory)
        if type(got) not in (int, np.int64):
            plain = type(got) is float or isinstance(got, np.number)
            raise Wrong(
                "an exact whole number",
                given=given,
                expected=f"the int {want}",
                got=f"{brief(got)}, of type {type(got).__name__}",
                hint="use ** and // with Python's ints: floats have 53 bits, numpy's integers 64" if plain else "",
            )
        hint = ""
        if type(got) is np.int64:
            hint = "numpy's integers wrap around beyond 64 bits: use Python's"
        elif got != want and abs(want) > 2**63 and (got - want) % 2**64 == 0:
            hint = "numpy's integers wrap around beyond 64 bits: use Python's"
        elif got != want and want > 2**53 and abs(got - want) < 1e-9 * want:
            hint = "nearly: somewhere a float was made, which has 53 bits; use ** and // with Python's ints"
        elif got == levels * sum(parts) or (memory >= dims - 1 and got == levels**dims):
            hint = "the probabilities of a table sum to 1: of L numbers L - 1 are free"
        elif got == sum(parts):
            hint = "that is how many tables there are: each has L - 1 free numbers"
        elif got == levels**dims - 1:
            hint = "that is the full table: each variable looks back at `memory` others and not at all of them"
        elif got == levels ** (memory + 1) - 1:
            hint = "that is the full table of the first memory + 1 variables: the others have tables, too"
        elif got == (levels - 1) * dims * levels**memory:
            hint = "the first variables have fewer than `memory` before them"
        elif got == (levels - 1) * (dims - memory) * levels**memory or got == (levels - 1) * sum(parts[1:]):
            hint = "the first variables have tables, too"
        elif memory > 1 and got == (levels - 1) * sum(levels * min(i, memory) if i else 1 for i in range(dims)):
            hint = "two variables before it make L * L combinations, and not L + L"
        elif got == (levels - 1) * sum(levels ** min(i, memory + 1) for i in range(dims)):
            hint = "one too many: the variable itself is no part of its memory"
        elif got == (levels - 1) * sum(levels ** min(i + 1, memory) for i in range(dims)):
            hint = "the first variable has none before it, the second has one: variable i has i"
        elif memory > dims - 1:
            hint = "a long memory finds no more than what is there: variable i has i variables before it"
        expect(
            int(got) == want and type(got) is int,
            "each variable has one table for each combination of those before it",
            given=given,
            expected=f"the int {want}",
            got=f"{int(got)}, of type {type(got).__name__}" if abs(got) < 10**300 else "a much larger number",
            hint=hint,
        )
