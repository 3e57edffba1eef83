"""Checks of lesson 00, start here: probabilities, frequencies, samples and surprise of small tables."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from genutils.check import exercise
from genutils.check.expect import BITS, Wrong, brief, expect, expect_close, expect_shape, numbers, unchanged


def _given(rolls) -> str:
    return f"rolls = {brief(np.asarray(rolls))}"


# 00.1 -----------------------------------------------------------------------------------------------------------------


@exercise("00.1", "fair_die", points=1)
def _(answer, rng):
    for faces in (6, 1, int(rng.integers(2, 30))):
        got = numbers(answer(faces), "fair_die returns an array of probabilities", given=f"faces = {faces}")
        given = f"faces = {faces}"
        if got.shape == () and np.isclose(float(got), 1 / faces) and faces > 1:
            raise Wrong(
                "there is one probability for each face",
                given=given,
                expected=f"{faces} numbers",
                got=brief(got),
                hint="that is the probability of one face: return an array of them all, for example with np.full",
            )
        total = float(got.sum()) if got.size else 0.0
        if got.shape == (faces, 1):
            hint = "one row of numbers, not a column: np.full(faces, ...)"
        else:
            hint = f"these sum to {total:g}: probabilities sum to 1" if not np.isclose(total, 1) else ""
        expect_close(
            got,
            np.full(faces, 1 / faces),
            "all faces are equally likely, and the probabilities sum to 1",
            given=given,
            hint=hint,
            mistakes=[
                (np.ones(faces), "these sum to the number of faces: divide"),
                (np.full(6, 1 / 6), "that is a die of six faces; how many there are is an argument"),
                (np.arange(1, faces + 1), "those are the faces; their probabilities are asked for"),
                (np.full(faces, 100 / faces), "those are percentages: probabilities sum to 1"),
            ],
        )


# 00.2 -----------------------------------------------------------------------------------------------------------------


@exercise("00.2", "learn_table", points=2)
def _(answer, rng):
    for faces, n, extra in ((6, 50, 0.0), (4, 9, 0.5), (17, 30, 2.0)):
        rolls = rng.integers(faces - 1, size=n)  # the last face never comes
        before = rolls.copy()
        counts = np.bincount(rolls, minlength=faces)
        given = f"{_given(rolls)}, faces = {faces}, extra = {extra}"
        want = (counts + extra) / (n + faces * extra)
        seen = counts[: rolls.max() + 1]
        expect_close(
            answer(rolls, faces, extra),
            want,
            "probabilities are proportional to count + extra",
            given=given,
            mistakes=[
                (seen / n, "faces that never came are missing: np.bincount has minlength"),
                (
                    (seen + extra) / (n + len(seen) * extra),
                    "faces that never came are missing: np.bincount has minlength",
                ),
                (
                    (counts + extra) / n,
                    "this does not sum to 1: each of the faces got the extra, so the total grew by faces * extra",
                ),
                ((counts + extra) / (n + extra), "this does not sum to 1: the extra came once for each face"),
                (counts / n + extra, "add the extra to the counts, not to the probabilities"),
                (
                    (np.histogram(rolls, bins=faces)[0] + extra) / (n + faces * extra),
                    "np.histogram cuts up the range from the least roll to the greatest: count with np.bincount",
                ),
                (counts + extra, "those are counts: divide by their sum"),
                (counts / n, "the extra is missing"),
            ],
        )
        unchanged(before, rolls, "the rolls are left as they were", given=given)
    none = np.array([], dtype=int)
    expect_close(
        answer(none, 5, 1.0),
        np.full(5, 0.2),
        "whoever has seen nothing but the extra finds all faces equally likely",
        given="no rolls, faces = 5, extra = 1",
    )


# 00.3 -----------------------------------------------------------------------------------------------------------------


@exercise("00.3", "roll", points=2)
def _(answer, rng):
    n = 6000
    for p in (np.array([0.5, 0.0, 0.2, 0.3]), rng.dirichlet(np.ones(9)), np.array([1.0])):
        given = f"p = {brief(p)}, n = {n}"
        seed = int(rng.integers(2**32))
        np.random.seed(1)  # noqa: NPY002 (to see whether the answer draws from somewhere else than rng)
        x = numbers(answer(p.copy(), n, np.random.default_rng(seed)), "roll returns an array", given=given)
        expect_shape(
            x,
            (n,),
            "one sample for each of the n",
            given=given,
            hint={
                (len(p),): "those are counts of the faces: the rolls themselves are asked for",
                (n, len(p)): "each roll is a row with a single 1: say where it stands",
            }.get(x.shape, ""),
        )
        expect(
            bool((x == np.floor(x)).all()),
            "samples are whole numbers: the places in the table",
            given=given,
            got=x[:6],
            hint="return which face came, not its probability",
        )
        expect(
            bool((x >= 0).all() and (x < len(p)).all()),
            "faces are numbered from 0 to faces - 1",
            given=given,
            got=f"from {x.min():g} to {x.max():g}",
            hint="numbered from 1? The first face is 0" if x.min() == 1 and x.max() == len(p) else "",
        )
        counts = np.bincount(x.astype(int), minlength=len(p))
        expect(
            bool((counts[p == 0] == 0).all()),
            "what has probability 0 never comes",
            given=given,
            got=f"counts {counts}",
            hint="all faces came about equally often: p was not used"
            if np.ptp(counts) < 6 * math.sqrt(n / len(p))
            else "",
        )
        some = p > 0
        if some.sum() > 1:
            pvalue = stats.chisquare(counts[some], n * p[some] / p[some].sum()).pvalue
            even = stats.chisquare(counts).pvalue
            hint = "all faces came about equally often: p was not used" if even > 1e-4 else ""
            order = np.array_equal(x, np.sort(x))
            expect(
                bool(pvalue > 1e-7),
                "each face comes as often as its probability says",
                given=given,
                expected=f"about {brief(n * p)}",
                got=f"{counts}",
                hint=hint,
            )
            expect(
                not order and abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.1,
                "samples are independent, in no order",
                given=given,
                hint="these are sorted, or repeated: each sample is drawn anew",
            )
        np.random.seed(2)  # noqa: NPY002
        again = numbers(answer(p.copy(), n, np.random.default_rng(seed)), "roll returns an array", given=given)
        hint = "draw from rng and from nothing else: not np.random, and no generator of your own"
        expect(bool((x == again).all()), "the same seed gives the same rolls", given=given, hint=hint)
        other = numbers(answer(p.copy(), n, np.random.default_rng(seed + 1)), "roll returns an array", given=given)
        if some.sum() > 1:
            hint = "a seed is fixed inside: draw from rng and from nothing else"
            expect(bool((x != other).any()), "another seed gives other rolls", given=given, hint=hint)


# 00.4 -----------------------------------------------------------------------------------------------------------------


@exercise("00.4", "average_surprise", points=2)
def _(answer, rng):
    for faces, n in ((6, 40), (3, 7)):
        q = rng.dirichlet(np.ones(faces))
        rolls = rng.integers(faces, size=n)
        each = -np.log(q[rolls])
        expect_close(
            answer(q.copy(), rolls.copy()),
            each.mean(),
            "the mean of -log q(x) over the rolls, in nats",
            given=f"q = {brief(q)}, {_given(rolls)}",
            mistakes=[
                (-each.mean(), "the sign: surprise is minus the logarithm, so it is never negative"),
                (each.sum(), "that is the sum: take the mean over the rolls"),
                (each.mean() / math.log(2), BITS),
                (
                    -np.log(q[rolls].mean()),
                    "the log of the mean probability is not the mean of the logs: log first, then average",
                ),
                (
                    -np.log(q).mean(),
                    "that averages over the faces; average over the rolls, so that what comes often counts often",
                ),
                (
                    -(q * np.log(q)).sum(),
                    "that is how surprised the model expects to be, its entropy: use the rolls that came",
                ),
                (each, "that is one number for each roll: take their mean"),
            ],
        )
    try:
        got = float(numbers(answer(np.array([0.5, 0.5, 0.0]), np.array([0, 2, 1])), "one number").reshape(-1)[0])
    except (ValueError, ZeroDivisionError) as error:
        raise Wrong(
            "something came that the table calls impossible: the surprise is infinite",
            given="q = [0.5, 0.5, 0], rolls = [0, 2, 1]",
            expected="inf",
            got=f"{type(error).__name__}: {error}",
            hint="math.log(0) raises an error; np.log(0) is -inf, or return math.inf yourself",
        ) from None
    expect(
        got == math.inf,
        "something came that the table calls impossible: the surprise is infinite",
        given="q = [0.5, 0.5, 0], rolls = [0, 2, 1]",
        expected="inf",
        got=got,
        hint="no small constants and no leaving out: -log 0 is inf" if got != -math.inf else "the sign",
    )
    got = answer(np.array([0.5, 0.5, 0.0]), np.array([0, 1, 1]))
    expect_close(
        got,
        math.log(2),
        "a face that is impossible and does not come costs nothing",
        given="q = [0.5, 0.5, 0], rolls = [0, 1, 1]",
        hint="look up q at the rolls only",
    )


# 00.5 -----------------------------------------------------------------------------------------------------------------


@exercise("00.5", "choose_extra", points=3)
def _(answer, rng):
    candidates = [3.0, 0.0, 0.1, 30.0, 1.0]
    cases = []
    for n in (15, 60, 400):
        p = rng.dirichlet(np.ones(12))
        cases.append((rng.choice(12, n, p=p), rng.choice(12, 300, p=p), 12, candidates))
    cases.append((np.array([0, 0, 0, 1]), np.array([2, 2, 2]), 3, [0.5, 5.0, 50.0, 0.0]))  # only by pretending
    cases.append((np.array([0, 1, 1, 0]), np.array([0, 1]), 2, [0.1, 2.0, 1.0]))  # all tables alike: the larger
    for train, validation, faces, some in cases:
        given = (
            f"{len(train)} rolls to learn from, {len(validation)} to choose by, faces = {faces}, candidates = {some}"
        )

        def table(rolls, extra, faces=faces):
            counts = np.bincount(rolls, minlength=faces) + extra
            return counts / counts.sum()

        def cost(rolls, t):
            with np.errstate(divide="ignore"):
                return -np.log(t[rolls]).mean()

        costs = {e: cost(validation, table(train, e)) for e in some}
        low = min(costs.values())
        best = max(e for e in some if costs[e] <= low + 1e-12)
        value = answer(train.copy(), validation.copy(), faces, list(some))
        if type(value) not in (tuple, list) or len(value) != 2:
            raise Wrong(
                "choose_extra returns the candidate and the table",
                given=given,
                expected="two things",
                got=type(value).__name__,
            )
        if np.shape(value[0]) == (faces,) and np.shape(value[1]) == ():
            raise Wrong(
                "choose_extra returns the candidate first, and then the table",
                given=given,
                got="the table first",
                hint="end with `return extra, table`",
            )
        on_train = min(some, key=lambda e: cost(train, table(train, e)))
        worst = max(some, key=lambda e: costs[e])
        expect_close(
            value[0],
            best,
            "the candidate whose table is least surprised by the validation rolls"
            + (" (of equals, the larger)" if sum(c <= low + 1e-12 for c in costs.values()) > 1 else ""),
            given=given,
            mistakes=[
                *((e, "several do equally well: take the larger") for e in some if costs[e] <= low + 1e-12),
                *(
                    [(worst, "that is the most surprised of all: judge by the validation rolls, and take the lowest")]
                    if worst == on_train
                    else [
                        (
                            on_train,
                            "the smallest always wins on the rolls it learned from: judge by the validation rolls",
                        ),
                        (worst, "that is the most surprised of all: take the lowest average surprise"),
                    ]
                ),
            ],
        )
        both = np.concatenate([train, validation])
        expect_close(
            value[1],
            table(train, best),
            "the table is learned from the training rolls alone",
            given=given,
            mistakes=[
                (table(both, best), "the validation rolls were learned from as well: they may only choose"),
                (table(validation, best), "learned from the validation rolls: they may only choose"),
            ],
        )


# 00.6 -----------------------------------------------------------------------------------------------------------------


@exercise("00.6", "sample_mixture", points=3)
def _(answer, rng):
    n = 6000
    weights, sigmas = np.array([0.5, 0.2, 0.3]), np.array([0.1, 0.5, 0.25])
    for dims in (2, 5):
        means = 10 * np.eye(3, dims) + rng.normal(size=(3, dims))
        given = f"{len(weights)} causes in {dims} dimensions, weights {weights}, sigmas {sigmas}, n = {n}"
        says = "sample_mixture returns an array"
        seed = int(rng.integers(2**32))
        x = numbers(
            answer(weights.copy(), means.copy(), sigmas.copy(), n, np.random.default_rng(seed)), says, given=given
        )
        expect_shape(x, (n, dims), "n samples of D dimensions", given=given)
        expect(bool(np.isfinite(x).all()), "samples are finite", given=given)
        squares = ((x[:, None] - means) ** 2).sum(2)  # (n, 3)
        which, near = squares.argmin(1), np.sqrt(squares.min(1) / dims)
        lost = (near > 2.5).mean()
        expect(
            bool(lost < 0.01),
            "each point lies near the centre of its cause",
            given=given,
            got=f"{lost:.0%} of the points lie between the centres, or far away",
            hint="a cause belongs to the point, not to each coordinate: draw one cause for each point",
        )
        counts = np.bincount(which, minlength=3)
        even = stats.chisquare(counts).pvalue > 1e-4
        expect(
            bool(stats.chisquare(counts, n * weights).pvalue > 1e-7),
            "each cause comes as often as its weight says",
            given=given,
            expected=f"about {n * weights}",
            got=f"{counts}",
            hint="all causes came about equally often: use the weights"
            if even
            else "draw the cause of each point anew",
        )
        for k in range(3):
            spread = (x[which == k] - means[k]).std(0)
            hint = ""
            if np.allclose(spread, sigmas[k] ** 2, rtol=0.15):
                hint = "sigma squared was used as the standard deviation"
            elif np.allclose(spread, math.sqrt(sigmas[k]), rtol=0.15):
                hint = "sigma was used as a variance: it is a standard deviation"
            elif np.allclose(spread, 1, rtol=0.15):
                hint = "sigma was not used: noise has standard deviation sigma"
            elif np.allclose(spread, 0):
                hint = "that is the centre itself: add noise"
            expect(
                bool(np.allclose(spread, sigmas[k], rtol=0.12)),
                "around its centre a cause scatters with its own sigma",
                given=given + f"; cause {k}",
                expected=f"{sigmas[k]}",
                got=brief(spread),
                hint=hint,
            )
            correlation = np.corrcoef((x[which == k] - means[k]).T)[0, 1]
            hint = "one noise for all coordinates: each has its own"
            expect(
                abs(correlation) < 0.2,
                "the noise of the coordinates is independent",
                given=given,
                got=f"correlation {correlation:.2f}",
                hint=hint,
            )
        changes = (which[1:] != which[:-1]).mean()  # 1 - sum of squared weights if causes are drawn one by one
        expect(
            bool(abs(changes - 0.62) < 0.05),
            "samples are independent, in no order",
            given=given,
            got=f"{changes:.0%} of the points have another cause than the one before",
            hint="the points of each cause stand together: draw the cause of each point anew",
        )
        again = numbers(answer(weights.copy(), means.copy(), sigmas.copy(), n, np.random.default_rng(seed)), says)
        expect(
            bool((x == again).all()),
            "the same seed gives the same points",
            given=given,
            hint="draw from rng and from nothing else",
        )
    few = set()  # how many of ten points have the first cause, at thirty seeds
    for _ in range(30):
        ten = numbers(answer(weights, means, sigmas, 10, np.random.default_rng(int(rng.integers(2**32)))), says)
        expect_shape(ten, (10, dims), "n samples of D dimensions", given="n = 10")
        few.add(int((((ten[:, None] - means) ** 2).sum(2).argmin(1) == 0).sum()))
    expect(
        len(few) > 2,
        "how many points a cause has is up to chance too",
        given="ten points at a time, thirty times",
        got=f"always {sorted(few)} of the first cause",
        hint="the share of each cause was fixed in advance: draw the cause of each point by chance",
    )
