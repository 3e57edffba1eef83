"""Checks of lesson 00, start here: probabilities, frequencies, samples and surprise of small tables."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from genutils.check import exercise
from genutils.check.expect import (
    BITS,
    FLOAT32,
    RARE,
    Wrong,
    brief,
    expect,
    expect_close,
    expect_shape,
    number,
    numbers,
    pair,
    unchanged,
)


def _given(rolls) -> str:
    return f"rolls = {brief(np.asarray(rolls))}"


def _by_chance(counts: np.ndarray, p: np.ndarray, given: str) -> None:
    """Counts (R, K) in R runs vary as those of independent draws do: neither less nor more."""
    want = counts.sum(1, keepdims=True) * p
    square, freedom = ((counts - want) ** 2 / want).sum(), len(counts) * (len(p) - 1)
    less, more = stats.chi2.cdf(square, freedom) < RARE, stats.chi2.sf(square, freedom) < 1e-12
    expect(
        not (less or more),
        "how often each comes is up to chance as well",
        given=given,
        expected=f"the first from {int(stats.binom.ppf(0.05, counts[0].sum(), p[0]))} to "
        f"{int(stats.binom.ppf(0.95, counts[0].sum(), p[0]))} times, in most runs",
        got=f"from {counts[:, 0].min()} to {counts[:, 0].max()} times",
        hint="how often each comes was fixed in advance: draw each one by chance"
        if less
        else "the draws hang together: each is drawn anew",
    )


def _no_pattern(x: np.ndarray, given: str) -> None:
    """Numbers (n,) that are independent of those before, half a length away, and at the mirrored place."""
    half = len(x) // 2
    for a, b, hint in (
        (x[1:], x[:-1], "these are sorted, or each hangs on the one before: each sample is drawn anew"),
        (x[:half], x[half : 2 * half], "the second half was made from the first: each sample is drawn anew"),
        (x[:half], x[::-1][:half], "the second half was made from the first: each sample is drawn anew"),
    ):
        correlation = np.corrcoef(a, b)[0, 1]
        expect(
            abs(correlation) < 6.5 / math.sqrt(len(a)),
            "samples are independent, in no order",
            given=given,
            got=f"a correlation of {correlation:.2f} where there is none",
            hint=hint,
        )


def _no_echo(x: np.ndarray, p: np.ndarray, given: str) -> None:
    """Rolls (n,) are like the one before (or two, ... ten before) as often as any two are: ``sum p^2`` of the time."""
    alike, n = (p**2).sum(), len(x)
    for lag in range(1, 11):
        pairs = n - lag  # two pairs that share a roll hang together a little
        spread = math.sqrt(pairs * (alike * (1 - alike) + 2 * ((p**3).sum() - alike**2)))
        came = int((x[lag:] == x[:-lag]).sum())
        expect(
            abs(came - pairs * alike) < 6.5 * spread,
            "a roll knows nothing of those before",
            given=given,
            expected=f"about {pairs * alike:.0f} rolls that are like the one {lag} before",
            got=f"{came}",
            hint="each hangs on the one before: each sample is drawn anew" if lag == 1 else "draw each sample anew",
        )


# 00.1 -----------------------------------------------------------------------------------------------------------------


@exercise("00.1", "fair_die", points=1)
def _(answer, rng):
    for faces in (6, 1, int(rng.integers(7, 30)), 200):
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
                (np.zeros(faces), "all are 0: does // stand where / should?"),
                (np.full(faces + 1, 1 / (faces + 1)), "one too many: faces are numbered 0 ... faces - 1"),
                (np.full(faces - 1, 1 / max(faces - 1, 1)), "one too few: as many numbers as faces"),
                (np.arange(1, faces + 1) / faces, "that adds up as it goes: one probability for each face alone"),
            ],
            **FLOAT32,
        )


# 00.2 -----------------------------------------------------------------------------------------------------------------


@exercise("00.2", "learn_table", points=2)
def _(answer, rng):
    for faces, n, extra in ((6, 50, 0.0), (5, 9, 0.5), (17, 30, 2.0), (6, 40, 3), (8, 40, 0.25)):
        rolls = rng.integers(faces - 1, size=n)  # the last face never comes
        if extra == 0.25:
            rolls = rng.choice([1, 2, 5], size=n)  # nor some at the start and in the middle
        before = rolls.copy()
        counts = np.bincount(rolls, minlength=faces)
        given = f"{_given(rolls)}, faces = {faces}, extra = {extra}"
        want = (counts + extra) / (n + faces * extra)
        seen, came = counts[: rolls.max() + 1], counts[counts > 0]
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
                    (counts / n + extra) / (1 + faces * extra),
                    "add the extra to the counts, not to the probabilities",
                ),
                ((counts + 1) / (n + faces), "add `extra`, which need not be 1"),
                ((counts + extra) / (n + faces), "this does not sum to 1: the total grew by faces * extra"),
                (
                    np.where(counts > 0, counts, extra) / np.where(counts > 0, counts, extra).sum(),
                    "every face gets the extra, also those that came",
                ),
                ((came + extra) / (came + extra).sum(), "faces that never came are missing: np.bincount has minlength"),
                (came / n, "faces that never came are missing: np.bincount has minlength"),
                (
                    (np.histogram(rolls, bins=faces)[0] + extra) / (n + faces * extra),
                    "np.histogram cuts up the range from the least roll to the greatest: count with np.bincount",
                ),
                (counts + extra, "those are counts: divide by their sum"),
                (counts / n, "the extra is missing"),
            ],
            **FLOAT32,
        )
        unchanged(before, rolls, "the rolls are left as they were", given=given)
        if extra == 0:
            got = numbers(answer(rolls.copy(), faces, extra), "an array", given=given)
            expect(
                bool((got[counts == 0] == 0).all()),
                "with nothing added, what did not come has the probability 0",
                given=given,
                got=got,
                hint="add `extra` as it is, also if it is 0",
            )
    none = np.array([], dtype=int)
    expect_close(
        answer(none, 5, 1.0),
        np.full(5, 0.2),
        "whoever has seen nothing but the extra finds all faces equally likely",
        given="no rolls, faces = 5, extra = 1",
        hint="nothing came, and 0/0 is nan: divide by the sum of count + extra",
        **FLOAT32,
    )


# 00.3 -----------------------------------------------------------------------------------------------------------------


@exercise("00.3", "roll", points=2)
def _(answer, rng):
    n = 6000
    for p in (np.array([0.5, 0.0, 0.2, 0.3]), rng.dirichlet(np.full(40, 5.0)), np.array([1.0])):
        given = f"p = {brief(p)}, n = {n}"
        seed = int(rng.integers(2**32))
        np.random.seed(1)  # noqa: NPY002 (to see whether the answer draws from somewhere else than rng)
        kept = p.copy()
        x = numbers(answer(kept, n, np.random.default_rng(seed)), "roll returns an array", given=given)
        unchanged(p, kept, "the probabilities are left as they were", given=given)
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
            expect(
                bool(pvalue > RARE),
                "each face comes as often as its probability says",
                given=given,
                expected=f"about {brief(n * p)}",
                got=brief(counts),
                hint=hint,
            )
            _no_pattern(x, given)
            _no_echo(x, p, given)
        np.random.seed(2)  # noqa: NPY002
        again = numbers(answer(p.copy(), n, np.random.default_rng(seed)), "roll returns an array", given=given)
        hint = "draw from rng and from nothing else: not np.random, and no generator of your own"
        expect(bool((x == again).all()), "the same seed gives the same rolls", given=given, hint=hint)
        other = numbers(answer(p.copy(), n, np.random.default_rng(seed + 1)), "roll returns an array", given=given)
        if some.sum() > 1:
            hint = "a seed is fixed inside: draw from rng and from nothing else"
            expect(bool((x != other).any()), "another seed gives other rolls", given=given, hint=hint)
    p, runs = np.array([0.5, 0.2, 0.3]), []
    one = np.random.default_rng(int(rng.integers(2**32)))
    lots = [tuple(numbers(answer(p.copy(), 60, one), "roll returns an array").tolist()) for _ in range(30)]
    expect(
        len(set(lots)) == 30,
        "rolled again with the same rng, other rolls come",
        given=f"p = {p}, n = 60, thirty times with one generator",
        got=f"{len(set(lots))} different results",
        hint="make no generator of your own: draw every roll from rng",
    )
    for run in range(41):
        n = 50 if run < 40 else 1
        if n == 1:
            _by_chance(np.array(runs), p, f"p = {p}, n = 50, forty times")
        given = f"p = {p}, n = {n}"
        x = numbers(answer(p.copy(), n, np.random.default_rng(int(rng.integers(2**32)))), "roll returns an array")
        expect_shape(x, (n,), "one sample for each of the n", given=given)
        expect(bool(np.isin(x, [0, 1, 2]).all()), "faces are 0 ... faces - 1", given=given, got=x[:6])
        runs.append(np.bincount(x.astype(int), minlength=3))


# 00.4 -----------------------------------------------------------------------------------------------------------------


@exercise("00.4", "average_surprise", points=2)
def _(answer, rng):
    for faces, n in ((6, 40), (3, 7), (4, 1), (5, 3000)):
        q = 0.9 * rng.dirichlet(np.ones(faces)) + 0.1 / faces
        rolls = rng.integers(faces, size=n)
        each = -np.log(q[rolls])
        kept = q.copy(), rolls.copy()
        expect_close(
            answer(*kept),
            each.mean(),
            "the mean of -log q(x) over the rolls, in nats",
            given=f"q = {brief(q)}, {_given(rolls)}",
            mistakes=[
                (-each.mean(), "the sign: surprise is minus the logarithm, so it is never negative"),
                (each.sum(), "that is the sum: take the mean over the rolls"),
                (each.mean() / math.log(2), BITS),
                (each.mean() / math.log(10), "that is the logarithm of base 10: nats take the natural one, np.log"),
                (math.exp(each.mean()), "that is e to the surprise: leave the logarithm as it is"),
                (np.inf if n > 1000 else np.nan, "a product of so many probabilities underflows to 0: add logarithms"),
                (1 - q[rolls].mean(), "that is one minus the mean probability: surprise is minus the logarithm"),
                (np.median(each), "that is the median: take the mean over the rolls"),
                (
                    -np.log(q[rolls].mean()),
                    "the log of the mean probability is not the mean of the logs: log first, then average",
                ),
                (
                    -np.log(q).mean(),
                    "that averages over the faces; average over the rolls, so that what comes often counts often",
                ),
                (
                    -np.log(q[np.unique(rolls)]).mean(),
                    "each roll counts, also one that came before, so that what comes often counts often",
                ),
                (
                    -(q * np.log(q)).sum(),
                    "that is how surprised the model expects to be, its entropy: use the rolls that came",
                ),
                (each, "that is one number for each roll: take their mean"),
            ],
            **FLOAT32,
        )
        unchanged((q, rolls), kept, "the arguments are left as they were")
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
        hint="it did not come: only what came can surprise"
        if np.isinf(numbers(got, "one number")).any()
        else "0 * log 0 is nan: look up q at the rolls only",
        **FLOAT32,
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
    cases.append((np.array([0, 1, 1, 0]), np.array([0, 1]), 2, [0.25, 2.0, 1.0]))  # all tables alike: the larger
    cases.append((np.array([0, 0, 0, 1]), np.array([0, 1, 0, 0] * 5), 2, [1.0, 0.0, 0.1]))  # nothing is worth adding
    cases.append((np.array([1, 1, 0, 1]), np.array([0, 0, 2, 2, 2, 1]), 4, [2.0]))  # one candidate, a face unseen
    cases.append((np.array([0, 1] * 10), np.array([0, 1] * 100 + [2]), 3, [0.0, 1.0]))  # one surprise is enough
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
        kept = train.copy(), validation.copy(), list(some)
        value = pair(answer(*kept[:2], faces, kept[2]), "choose_extra returns the candidate and the table", given)
        unchanged((train, validation, some), kept, "the arguments are left as they were", given=given)
        if np.shape(value[0]) == (faces,) and np.shape(value[1]) == ():
            raise Wrong(
                "choose_extra returns the candidate first, and then the table",
                given=given,
                got="the table first",
                hint="end with `return extra, table`",
            )
        choice = number(value[0], "the candidate is one number", given=given)
        on_train = min(some, key=lambda e: cost(train, table(train, e)))
        worst = max(some, key=lambda e: costs[e])
        learned = numbers(value[1], "the table is an array", given=given)
        right = learned.shape == (faces,) and np.allclose(learned, table(train, best), **FLOAT32)
        as_good = choice in some and costs[choice] <= low + 1e-12
        if not as_good and choice == some.index(best) and right:
            raise Wrong(
                "choose_extra returns the candidate",
                given=given,
                expected=f"one of {some}",
                got=brief(choice),
                hint="that is its place in the list: return the candidate itself",
            )
        above = [e for e in some if e > 0]
        expect_close(
            choice,
            best,
            "the candidate whose table is least surprised by the validation rolls"
            + (" (of equals, the larger)" if sum(c <= low + 1e-12 for c in costs.values()) > 1 else ""),
            given=given,
            mistakes=[
                *((e, "several do equally well: take the larger") for e in some if costs[e] <= low + 1e-12),
                *([(min(above, key=lambda e: costs[e]), "0 is a candidate like the others")] if best == 0 else []),
                *(
                    [
                        (
                            worst,
                            "that is the most surprised of all, for it calls something impossible that came: judge by "
                            "the validation rolls, and take the lowest"
                            if math.isinf(costs[worst])
                            else "that is the most surprised of all: judge by the validation rolls, "
                            "and take the lowest",
                        )
                    ]
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
                *((table(train, e), "that table was learned with another candidate") for e in some if e != best),
                (table(train, 0.0) if len(train) else np.nan, "that table was learned with nothing added"),
                (np.bincount(train, minlength=faces) + best, "those are counts: divide by their sum"),
            ],
            **FLOAT32,
        )


# 00.6 -----------------------------------------------------------------------------------------------------------------


@exercise("00.6", "sample_mixture", points=3)
def _(answer, rng):
    says = "sample_mixture returns an array"
    three, four = np.array([0.5, 0.2, 0.3]), np.array([0.3, 0.0, 0.25, 0.45])
    for dims, weights, sigmas in (
        (2, three, np.array([0.1, 0.5, 0.25])),
        (5, three, np.array([0.1, 0.5, 0.25])),
        (1, four, np.array([0.2, 0.3, 0.4, 0.1])),
    ):
        count, n = len(weights), 6000 if dims > 1 else 1500
        corners = 10 * np.eye(count, dims) if dims > 1 else 10.0 * np.arange(count)[:, None]
        means = corners + rng.normal(size=(count, dims))
        given = f"{count} causes in {dims} dimensions, weights {weights}, sigmas {sigmas}, n = {n}"
        seed, used = int(rng.integers(2**32)), np.flatnonzero(weights)
        kept = weights.copy(), means.copy(), sigmas.copy()
        x = numbers(answer(*kept, n, np.random.default_rng(seed)), says, given=given)
        unchanged((weights, means, sigmas), kept, "the arguments are left as they were", given=given)
        hint = "sigmas[cause][:, None] lets one sigma serve all coordinates of a point" if x.shape == (n, n) else ""
        expect_shape(x, (n, dims), "n samples of D dimensions", given=given, hint=hint)
        expect(bool(np.isfinite(x).all()), "samples are finite", given=given)
        squares = ((x[:, None] - means) ** 2).sum(2)  # (n, K)
        which, near = squares.argmin(1), np.sqrt(squares.min(1) / dims)
        lost = (near > 2.5).mean()
        expect(
            bool(lost < 0.01),
            "each point lies near the centre of its cause",
            given=given,
            got=f"{lost:.0%} of the points lie between the centres, or far away",
            hint="no cause was drawn: all points lie around one place, the mean of all"
            if x.std(0).max() < 2
            else "a cause belongs to the point, not to each coordinate: draw one cause for each point"
            if dims > 1
            else "",
        )
        counts = np.bincount(which, minlength=count)
        even = stats.chisquare(counts).pvalue > 1e-4
        expect(
            counts[weights == 0].sum() == 0 and stats.chisquare(counts[used], n * weights[used]).pvalue > RARE,
            "each cause comes as often as its weight says",
            given=given,
            expected=f"about {n * weights}",
            got=f"{counts}",
            hint="all causes came about equally often: use the weights" if even else "",
        )
        changes = (which[1:] != which[:-1]).mean()  # 1 - sum of squared weights if causes are drawn one by one
        want = 1 - (weights**2).sum()
        expect(
            bool(abs(changes - want) < 4 / math.sqrt(n)),
            "samples are independent, in no order",
            given=given,
            expected=f"about {want:.0%} of the points have another cause than the one before",
            got=f"{changes:.0%}",
            hint="the points of each cause stand together: draw the cause of each point anew" if changes < 0.05 else "",
        )
        for k in used:
            spread = (x[which == k] - means[k]).std(0)
            hint = ""
            if np.allclose(spread, sigmas[k] ** 2, rtol=0.07):
                hint = "sigma squared was used as the standard deviation"
            elif np.allclose(spread, math.sqrt(sigmas[k]), rtol=0.07):
                hint = "sigma was used as a variance: it is a standard deviation"
            elif np.allclose(spread, 1, rtol=0.07):
                hint = "sigma was not used: noise has standard deviation sigma"
            elif np.allclose(spread, 0):
                hint = "that is the centre itself: add noise"
            elif np.allclose(spread, sigmas[0], rtol=0.1) or np.allclose(spread, sigmas.mean(), rtol=0.1):
                hint = "each cause has a sigma of its own: index sigmas by the cause"
            expect(
                bool(np.allclose(spread, sigmas[k], rtol=6.5 / math.sqrt(2 * counts[k]))),
                "around its centre a cause scatters with its own sigma",
                given=given + f"; cause {k}",
                expected=f"{sigmas[k]}",
                got=brief(spread),
                hint=hint,
            )
        z = (x - means[which]) / sigmas[which][:, None]  # (n, D) the noise
        cut = (np.abs(z) > np.abs(z).max() * (1 - 1e-6)).sum() > 2
        once = min(len(np.unique(np.abs(column).astype(np.float32))) for column in z.T)
        expect(
            once > 0.98 * n if x.dtype != np.float32 else once > 0.5 * n,
            "no noise comes twice",
            given=given,
            got=f"{once} different numbers, apart from the sign, in {n}",
            hint="the noise is cut off: a normal one has no ends"
            if cut
            else "some points were made from others: draw the noise of each point anew",
        )
        if dims > 1:
            correlation = np.abs(np.corrcoef(z.T) - np.eye(dims)).max()
            expect(
                bool(correlation < 6.5 / math.sqrt(n)),
                "the noise of the coordinates is independent",
                given=given,
                got=f"correlation {correlation:.2f}",
                hint="one noise for all coordinates: each has its own" if correlation > 0.9 else "",
            )
        pvalue = stats.kstest(z.ravel(), "norm").pvalue
        flat = stats.kstest(z.ravel(), stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)).cdf).pvalue > 1e-4
        expect(
            bool(pvalue > RARE),
            "around its centre each cause is a Gaussian",
            given=given,
            expected="a test of Kolmogorov and Smirnov that it passes",
            got=f"p = {pvalue:.1e}",
            hint="the noise is uniform" if flat else "is the noise normal, with mean 0?",
        )
        exact = np.abs(z.mean(0)).max() < 1e-11 or np.abs(z[which == used[0]].mean(0)).max() < 1e-11
        expect(
            not exact,
            "samples are independent",
            given=given,
            got="noise whose mean is 0 to the last digit",
            hint="the noise was standardised: of independent draws the mean is only about 0",
        )
        for column in (*z.T, z @ np.arange(1, dims + 1)):  # and across the coordinates
            _no_pattern(column, given)
        again = numbers(answer(weights.copy(), means.copy(), sigmas.copy(), n, np.random.default_rng(seed)), says)
        expect(
            bool((x == again).all()),
            "the same seed gives the same points",
            given=given,
            hint="draw from rng and from nothing else",
        )
        other = numbers(answer(weights.copy(), means.copy(), sigmas.copy(), n, np.random.default_rng(seed + 1)), says)
        expect(
            bool((x != other).any()),
            "another seed gives other points",
            given=given,
            hint="a seed is fixed inside: draw from rng and from nothing else",
        )
        causes = ((other[:, None] - means) ** 2).sum(2).argmin(1)
        noise = (other - means[causes]) / sigmas[causes][:, None]
        for same, what in (
            ((causes == which).mean() > 0.99, "causes"),
            ((np.abs(noise - z) < 1e-4).mean() > 0.5, "noise"),
        ):
            expect(
                bool(not same),
                f"another seed gives other {what}",
                given=given,
                hint=f"the {what} came from a seed that is fixed inside: draw from rng and from nothing else",
            )
    runs, means, sigmas = [], 10 * np.eye(3, 2) + rng.normal(size=(3, 2)), np.array([0.1, 0.5, 0.25])
    for run in range(41):
        few, seed = 50 if run < 40 else 1, int(rng.integers(2**32))
        if few == 1:
            _by_chance(np.array(runs), three, f"weights {three}, fifty points at a time, forty times")
        x = numbers(answer(three.copy(), means.copy(), sigmas.copy(), few, np.random.default_rng(seed)), says)
        expect_shape(x, (few, 2), "n samples of D dimensions", given=f"n = {few}")
        runs.append(np.bincount(((x[:, None] - means) ** 2).sum(2).argmin(1), minlength=3))
