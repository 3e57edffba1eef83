"""Checks of lesson 08, autoregressive models: sums over everything there is, and changes that must not matter."""

from __future__ import annotations

import itertools
import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import (
    BITS,
    brief,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    numbers,
    pair,
    plain,
    unchanged,
)


def every(d: int) -> np.ndarray:
    """(2^d, d) all binary vectors."""
    return np.array(list(itertools.product([0, 1], repeat=d)))


# 08.1 -----------------------------------------------------------------------------------------------------------------


@exercise("08.1", "sequence_log_prob", points=1)
def _(answer, rng):
    k = 4
    taste, start = rng.normal(size=(21, k, k)), rng.normal(size=k)

    def guesser(prefix):  # it looks at the whole of the prefix: which symbol stands where
        prefix = np.asarray(prefix)
        if prefix.ndim != 1 or len(prefix) > len(taste):
            raise ValueError(f"the guesser takes a prefix, one row of at most 20 symbols; it was given {prefix.shape}")
        logits = start + sum((taste[i, int(c)] for i, c in enumerate(prefix)), np.zeros(k))
        p = np.exp(logits - logits.max())
        return p / p.sum()

    for n in (1, 2, 8, 20):
        ids = rng.integers(k, size=n)
        while n > 2 and (ids == ids[::-1]).all():
            ids = rng.integers(k, size=n)
        at = range(n)
        want = sum(np.log(guesser(ids[:i])[ids[i]]) for i in at)
        last = [np.log(guesser(ids[max(0, i - 1) : i])[ids[i]]) for i in at]
        mistakes = [
            (want / math.log(2), BITS),
            (-want, "that is the surprise: the log-probability is negative"),
            (want / n, "that is the mean over positions; a sequence's log-probability is the sum"),
            (math.exp(want), "that is the probability itself: take the logarithm"),
            (
                sum(np.log(guesser(ids[: i + 1])[ids[i]]) for i in at),
                "the guesser was shown the symbol that it is to guess: the prefix ends before it",
            ),
            (
                sum(np.log(guesser(ids[: i + 1])[ids[i + 1]]) for i in at[:-1]),
                "the first symbol costs something too: its prefix is empty",
            ),
            (
                sum(np.log(guesser(ids[:i])[ids[i - 1]]) for i in at),
                "the bet is read off for the symbol before: after the prefix ids[:i] comes ids[i]",
            ),
            (
                sum(np.log(guesser(ids[:i])[ids[i - 1]]) for i in at[1:]),
                "the bet is read off for the symbol before: after the prefix ids[:i] comes ids[i]",
            ),
            (sum(last), "the guesser is to see the whole prefix, not only the symbol before"),
            (
                sum(np.log(guesser(ids[:i][::-1])[ids[i]]) for i in at),
                "the prefix was handed over backwards: the oldest symbol comes first",
            ),
            (sum(np.log(guesser(ids[:0])[ids[i]]) for i in at), "the guesser was shown an empty prefix every time"),
            (sum(np.log(guesser(ids[:i]).max()) for i in at), "ask for the bet on what came, not for the largest bet"),
        ]
        kept = ids.copy()
        got = answer(guesser, kept)
        given = f"ids = {brief(ids)} and a guesser that looks at the whole prefix"
        expect_close(got, want, "the logarithm of a product is a sum of logarithms", given=given, mistakes=mistakes)
        unchanged(ids, kept, given=given)
    long = rng.integers(3, size=2000)
    move = rng.dirichlet(np.ones(3) * 5, size=3)
    bets = [1 / 3, *(move[a, b] for a, b in zip(long, long[1:], strict=False))]
    got = numbers(
        answer(lambda prefix: move[int(prefix[-1])].copy() if len(prefix) else np.full(3, 1 / 3), long.copy()),
        "long sequences have tiny probabilities",
    )
    expect_close(
        got,
        np.log(bets).sum(),
        "long sequences have tiny probabilities",
        given="2,000 symbols, each guessed from the one before",
        mistakes=[
            (-math.inf, "the product is too small for a float and becomes 0: add logarithms instead"),
            (np.log(np.maximum(np.prod(bets), 1e-300)), "the product is too small for a float: add logarithms instead"),
        ],
    )
    sure = np.array([0.5, 0.5, 0.0])
    expect_close(
        numbers(answer(lambda prefix: sure.copy(), np.array([0, 2, 1])), "what was called impossible is asked below"),
        -math.inf,
        "what was called impossible and came costs all: log 0 is minus infinity",
        given="ids = [0 2 1] and a guesser that gives [0.5 0.5 0] every time",
        hint="nothing is added to the bets, and none is left out",
    )
    expect_close(
        answer(lambda prefix: np.array([1e-120, 1 - 1e-120]), np.zeros(30, dtype=int)),
        30 * math.log(1e-120),
        "a few great surprises have tiny probabilities, too",
        given="30 symbols 0 and a guesser that gives [1e-120, 1 - 1e-120] every time",
        mistakes=[(-math.inf, "the product is too small for a float and becomes 0: add logarithms instead")],
        hint="nothing is added to the bets, and none is left out",
    )


# 08.2 -----------------------------------------------------------------------------------------------------------------


@exercise("08.2", "absolute_discount", points=2)
def _(answer, rng):
    with np.errstate(all="ignore"):
        for k, d in ((4, 0.75), (9, rng.uniform(0.2, 0.9)), (6, 1.0), (5, 0.0)):
            counts, shorter = rng.poisson(1.2, size=k), rng.dirichlet(np.ones(k))
            counts[rng.integers(k)] += 5
            came = int(counts.argmax())
            counts[(came + 1) % k], counts[(came + 2) % k] = 0, 1
            n, kinds, new = counts.sum(), (counts > 0).sum(), counts == 0
            less = np.maximum(counts - d, 0)
            given = f"counts = {brief(counts)}, shorter = {brief(shorter)}, d = {d:.3g}"
            want = (less + d * kinds * shorter) / n
            mistakes = [
                (counts / n, "that is counting alone: what never came still has probability 0"),
                (less / n, "what was taken was not given back: the result sums to less than one"),
                (less / less.sum(), "what was taken goes to `shorter`; here it went back to those that had it"),
                ((less + d * kinds / k) / n, "what was taken goes out as `shorter` says, not evenly"),
                ((less + d * shorter) / n, "d was taken from every symbol that came, so d times their number is free"),
                ((less + d * k * shorter) / n, "d was taken from the symbols that came, not from all there are"),
                (
                    (less + d * n * shorter) / n,
                    "d was taken once from each *different* symbol, not at each time it came",
                ),
                (
                    (counts - d + d * k * shorter) / n,
                    "what never came has nothing to give: a count of 0 stays 0 before it gets its share",
                ),
                ((counts - d + d * kinds * shorter) / n, "what never came has nothing to give: a count of 0 stays 0"),
                (
                    (counts + d * kinds * shorter) / (n + d * kinds),
                    "that adds imaginary counts; here real ones are taken",
                ),
                (
                    (counts + kinds * shorter) / (n + kinds),
                    "that is Witten and Bell's rule, which adds; here d is taken",
                ),
                ((1 - d) * counts / n + d * shorter, "that takes the share d of each count; take d itself from each"),
                (
                    np.where(new, d * kinds * shorter / shorter[new].sum(), less) / n,
                    "that is backing off in the strict sense: only what never came gets some. Here all get a share",
                ),
                (
                    np.where(new, d * kinds * shorter, less) / n,
                    "symbols that came get their share of what was taken as well: the result sums to less than one",
                ),
                (less / n + shorter, "how much of `shorter` comes in is what was taken, as a share of all"),
            ]
            if d == 0:
                mistakes = []
            kept = counts.copy(), shorter.copy()
            got = answer(*kept, d)
            expect_close(
                got,
                want,
                "d from each count that is not 0, and all that was taken spread as the shorter context says",
                given=given,
                mistakes=mistakes,
                hint="with d = 0 nothing is taken" if d == 0 else "",
            )
            unchanged((counts, shorter), kept, given=given)
    counts = np.array([3_000_000_000, 0, 200, 1])
    expect_close(
        answer(counts.copy(), np.array([0.1, 0.2, 0.3, 0.4]), 0.5),
        (np.maximum(counts - 0.5, 0) + 1.5 * np.array([0.1, 0.2, 0.3, 0.4])) / counts.sum(),
        "large counts are no harder than small ones",
        given="counts = [3000000000 0 200 1], shorter = [0.1 0.2 0.3 0.4], d = 0.5",
        rtol=1e-5,
        atol=1e-12,
    )
    for d in (0.5, 0.0):
        got = numbers(answer(np.zeros(k, dtype=int), shorter.copy(), d), "what never came is asked below")
        expect_close(
            got,
            shorter,
            "a context that never came knows no better than the shorter one",
            given=f"counts = all zero, d = {d}",
            mistakes=[(np.full(k, np.nan), "0 / 0: return `shorter` where no symbol was counted")],
            hint="return `shorter` where no symbol was counted",
        )


# 08.3 -----------------------------------------------------------------------------------------------------------------


def _tables(rng, d: int) -> list[np.ndarray]:
    """p(1 | values before) for the k-th of d variables in the order, (2^k,) each, told well apart."""
    return [np.where(rng.permutation(2**k) % 2, 0.75, 0.25) + rng.uniform(-0.13, 0.13, size=2**k) for k in range(d)]


@exercise("08.3", "ancestral_sample", points=2)
def _(answer, rng):
    def network(order, tables):
        place, d = np.argsort(order), len(order)

        def conditional(x, i):
            x, k = np.asarray(x), int(place[int(i)])
            expect(x.ndim == 2 and x.shape[1] == d, "`conditional` reads x, (n, D)", got=f"shape {x.shape}")
            later = x[:, order[k:]]
            expect(
                bool((later == 0).all()),
                "what is not drawn yet holds 0",
                given=f"order = {brief(order)}",
                got=f"`conditional` was asked for variable {int(i)} when x was {brief(x[0])}",
                hint="variables are drawn in the order of `order`, each once; start from zeros",
            )
            before = x[:, order[:k]].astype(int)  # (n, k)
            return tables[k][before @ (2 ** np.arange(k)[::-1]) if k else np.zeros(len(before), dtype=int)]

        return conditional

    def fresh():  # a copied generator stays where it was, so each call gets its own
        return np.random.default_rng(int(rng.integers(2**40)))

    n = 20_000
    for order in (np.array([2, 0, 1]), np.array([1, 3, 0, 2]), np.array([0])):
        d = len(order)
        tables, place = _tables(rng, d), np.argsort(order)
        conditional = network(order, tables)
        powers = 2 ** np.arange(d)[::-1]

        def joint(drawn, flip=False, d=d, place=place, order=order, tables=tables):
            """Probabilities of all x if each is drawn knowing only what stands in `drawn`."""
            x, p = every(d), np.ones(2**d)
            for k, i in enumerate(order):
                known = np.where([place[j] < place[i] and drawn(j, i) for j in range(d)], x, 0)
                a = tables[k][known[:, order[:k]] @ (2 ** np.arange(k)[::-1]) if k else np.zeros(2**d, dtype=int)]
                p = p * np.where((x[:, i] == 1) ^ flip, a, 1 - a)
            return p

        def simulated(draws, columns, d=d, order=order, tables=tables, powers=powers):
            """The shares if variable order[k] is compared with draws[:, k] and goes to columns[k]."""
            x = np.zeros((n, d), dtype=int)
            for k in range(d):
                p = tables[k][x[:, order[:k]] @ (2 ** np.arange(k)[::-1]) if k else np.zeros(n, dtype=int)]
                x[:, columns[k]] = draws[:, k] < p
            return np.bincount(x @ powers, minlength=2**d) / n

        right = joint(lambda j, i: True)
        kept = order.copy()
        x = numbers(answer(conditional, kept, n, fresh()), "samples are an array of 0 and 1")
        given = f"{n:,} samples of {d} variables, order = {brief(order)}"
        unchanged(order, kept, given=given)
        expect_shape(x, (n, d), "n samples of D variables", given=given)
        expect(bool(np.isin(x, (0, 1)).all()), "entries are 0 or 1", got=brief(x), hint="1 where a number is below p")
        share = np.bincount(x.astype(int) @ powers, minlength=2**d) / n

        def far(p, share=share):  # chi-square of the counts: about as many as there are pictures
            return float((n * (share - p) ** 2 / np.maximum(p, 1e-4)).sum())

        uniform = rng.random((n, d))
        wrongs = [
            (simulated(uniform[:, :1].repeat(d, 1), order), "each variable needs a uniform number of its own, too"),
            (simulated(uniform, range(d)), "variable order[k] stands in column order[k] of x, not in column k"),
            (joint(lambda j, i: False), "each was asked before the others were written into x"),
            (
                joint(lambda j, i: True, flip=True),
                "0 and 1 are swapped: a uniform number is below p with probability p",
            ),
        ]
        hint = next((words for wrong, words in wrongs if far(wrong) < 80 + 30 * 2**d / 8 and d > 1), "")
        if share.max() > 0.999:
            hint = "all are equal: do not round p; compare it with a uniform number, each sample with its own"
        expect(
            far(right) < 60 + 2 * 2**d,
            "samples come as often as the chain rule says",
            given=given,
            expected=brief(right),
            got=brief(share),
            hint=hint,
        )

    # Independent? Then how many of 30 are 1 is binomial, and varies from call to call just so much.
    calls, few, order = 400, 30, np.array([1, 2, 0])
    tables = [rng.uniform(0.42, 0.58, size=1), *_tables(rng, 3)[1:]]
    conditional = network(order, tables)
    p = np.zeros(3)
    for x in every(3):
        k0, k1, k2 = (int(x[i]) for i in order)
        values = tables[0][0], tables[1][k0], tables[2][2 * k0 + k1]
        weight = math.prod(v if b else 1 - v for v, b in zip(values, (k0, k1, k2), strict=True))
        p += weight * x
    ones = []
    for _ in range(calls):
        x = numbers(answer(conditional, order.copy(), few, fresh()), "samples are an array of 0 and 1")
        expect_shape(x, (few, 3), "n samples of D variables", given=f"n = {few}")
        ones.append(x.sum(0))
    spread = ((np.array(ones) - few * p) ** 2 / (few * p * (1 - p))).sum(0)  # (3,): chi-square, 400 degrees
    less, more = bool((spread < 262).any()), bool((spread > 560).any())
    words = ("evenly spread over the samples", "shared by samples, or repeated")
    expect(
        not less and not more,
        "the samples are independent: how many of them are 1 varies from call to call as coins do",
        given=f"{calls} calls with n = {few}",
        expected="a variance of about 1 times that of independent coins",
        got=f"{brief(spread / calls)} times, variable by variable",
        hint=f"are your random numbers {words[0 if less else 1]}?",
    )
    x = numbers(answer(conditional, order.copy(), n, fresh()), "samples are an array of 0 and 1")
    expect_shape(x, (n, 3), "n samples of D variables", given=f"n = {n}")
    after = [float(np.corrcoef(v[:-1], v[1:])[0, 1] * math.sqrt(n)) for v in x.astype(float).T]
    expect(
        max(map(abs, after)) < 7,
        "the samples are independent: what one is says nothing about the next",
        given=f"{n:,} samples of 3 variables, order = {brief(order)}",
        expected="a correlation with the next row of about 0",
        got=f"{brief(np.array(after) / math.sqrt(n))}, variable by variable",
        hint="are rows sorted, repeated, or in pairs?",
    )
    seed = int(rng.integers(2**40))
    first, again = (numbers(answer(conditional, order.copy(), 40, np.random.default_rng(seed))) for _ in range(2))
    expect(
        np.array_equal(first, again),
        "the same generator gives the same samples",
        hint="all randomness comes from `rng`, none from numpy's global functions",
    )


# 08.4 -----------------------------------------------------------------------------------------------------------------

_TRIANGLES = {
    "": lambda W: np.tril(W, -1),
    "the diagonal is in: each pixel sees itself, and guesses itself well": np.tril,
    "all weights are used: each pixel sees the later ones, too": lambda W: W,
    "that is the triangle above: each pixel sees those after it": lambda W: np.triu(W, 1),
    "that is the triangle above, with the diagonal: each pixel sees itself and those after it": np.triu,
    "W is transposed: W[i, j] tells pixel i about pixel j": lambda W: np.tril(W, -1).T,
    "W is transposed, and the diagonal is in: W[i, j] tells pixel i about pixel j": lambda W: np.tril(W).T,
    "W is not used at all": np.zeros_like,
}
_ENDS = {
    "": lambda t: t.sum(1),
    "that is the mean over pixels; a picture's log-probability is the sum": lambda t: t.mean(1),
    BITS: lambda t: t.sum(1) / math.log(2),
    "the sign: a log-probability is negative": lambda t: -t.sum(1),
    "that is the probability itself: take the logarithm": lambda t: np.exp(t.sum(1)),
    "one number for each picture: do not sum over the batch": lambda t: np.full(len(t), t.sum()),
}
_HIDES = "the constant 1e-9 hides what an improbable pixel costs"


@exercise("08.4", "belief_net_log_prob", points=3)
def _(answer, rng):
    def terms(x, W, b, flip=False, plus=0.0):
        logits = x @ W.T + b
        logits = np.where((x == 1) ^ flip, logits, -logits)
        return -np.logaddexp(0, -logits) if not plus else np.log(1 / (1 + np.exp(-np.clip(logits, -500, 500))) + plus)

    for d, batch in ((6, 64), (4, 3), (1, 2), (5, 1)):
        x = every(d) if batch == 2**d else rng.integers(2, size=(batch, d))
        W, b = rng.normal(size=(d, d)) * 2, rng.normal(size=d)
        W += np.triu(np.full((d, d), 3.0))  # what does not belong to the model is large
        want = terms(x, np.tril(W, -1), b).sum(1)
        mistakes = [(terms(x, np.tril(W, -1), b, flip=True).sum(1), "0 and 1 are swapped: sigma(a) is p(x_i = 1)")]
        mistakes.append((terms(x, np.tril(W, -1), 0 * b).sum(1), "the bias b is missing"))
        for plus, (tri, triangle), (end, reduce) in itertools.product((0.0, 1e-9), _TRIANGLES.items(), _ENDS.items()):
            words = "; ".join(filter(None, [tri, end, _HIDES if plus else ""]))
            if words and (d > 1 or not tri or "diagonal" in tri):
                mistakes.append((reduce(terms(x, triangle(W), b, plus=plus)), words))
        kept = x.copy(), W.copy(), b.copy()
        got = numbers(answer(*kept), "log-probabilities are numbers")
        total = f"; your probabilities sum to {np.exp(np.minimum(got, 50)).sum():.4g}" if batch == 2**d else ""
        given = f"{'all ' if batch == 2**d else ''}{batch} pictures of {d} pixels{total}"
        if d == 1 or batch == 1:  # too few numbers to tell mistakes apart
            mistakes = []
        expect_close(
            got,
            want,
            "the sum over pixels of the log-probability of each, given those before it",
            given=given,
            mistakes=[(w, h) for w, h in mistakes if not (np.shape(w) == want.shape and np.allclose(w, want))],
            rtol=1e-9,
            atol=1e-7,
        )
        unchanged((x, W, b), kept, given=given)
    overflowed = "exp overflowed, or 1 - p became 0: use logaddexp, log sigma(a) = -log(1 + exp(-a))"
    for W, b, x, want in (
        (np.zeros((2, 2)), [1000.0, -1000.0], [[1, 0], [0, 1]], [0.0, -2000.0]),
        (np.array([[7.0, 7], [900, 7]]), [0.0, -50.0], [[1, 1], [1, 0]], [-math.log(2), -math.log(2) - 850.0]),
        (np.zeros((2, 2)), [40.0, -40.0], [[0, 0], [1, 1]], [-40.0, -40.0]),
    ):
        got = numbers(answer(np.array(x), W.copy(), np.array(b)), "log-probabilities are numbers")
        p = np.array([1 / (1 + np.exp(-np.clip(np.array(x) @ np.tril(W, -1).T + b, -700, 700)))])[0]
        p = np.where(np.array(x) == 1, p, 1 - p)
        floors = [(np.log(p + 1e-9).sum(1), _HIDES), (np.log(np.maximum(p, 1e-9)).sum(1), _HIDES)]
        expect_close(
            got,
            want,
            "log-probabilities survive large logits",
            given=f"W = {W.tolist()}, b = {b}, x = {x}",
            mistakes=[(w, h) for w, h in floors if not np.allclose(w, want)],
            hint=overflowed if not np.isfinite(got).all() else "a floor or a clip hides the cost; use logaddexp",
            atol=1e-6,
        )


# 08.5 -----------------------------------------------------------------------------------------------------------------


@exercise("08.5", "made_masks", points=2)
def _(answer, rng):
    for d, h in ((3, 5), (6, 40), (2, 1), (7, 4)):
        place = rng.permutation(d)
        while d > 2 and (place == np.argsort(place)).all():  # else `place` could be read either way
            place = rng.permutation(d)
        degrees = rng.integers(1, d, size=h)
        if h > d:
            degrees[: d - 1] = np.arange(1, d)
        rng.shuffle(degrees)
        given = f"place = {brief(place)}, degrees = {brief(degrees)}"
        kept = place.copy(), degrees.copy()
        got = pair(answer(*kept), "two masks are returned", given)
        unchanged((place, degrees), kept, given=given)
        into, out = (numbers(m, "a mask is an array of 0 and 1").astype(float) for m in got)
        if into.shape == (d, h) and out.shape == (h, d) and d != h:
            expect_shape(
                into,
                (h, d),
                "a mask has the shape of a weight matrix",
                given=given,
                hint="transposed, or swapped: rows are what is computed",
            )
        for name, mask, shape in (("inputs to hidden", into, (h, d)), ("hidden to outputs", out, (d, h))):
            expect_shape(
                mask, shape, f"the mask from {name} is shaped like a weight matrix, (outputs, inputs)", given=given
            )
            expect(bool(np.isin(mask, (0, 1)).all()), "masks hold 0 and 1", given=given, got=brief(mask))

        def masks(place, strict_in=True, strict_out=False, degrees=degrees):
            a = degrees[:, None] > place[None] if strict_in else degrees[:, None] >= place[None]
            b = place[:, None] > degrees[None] if strict_out else place[:, None] >= degrees[None]
            return a.astype(float), b.astype(float)

        natural, other = np.arange(d), np.argsort(place)
        known = [
            (masks(natural), "these are masks for the order 0, 1, 2, ...; use `place`"),
            (masks(other), "place[j] is where variable j stands, not which variable stands at j"),
            (masks(d - 1 - place), "that is the order backwards: place 0 comes first"),
            (masks(place + 1), "a unit of degree m sees the first m variables: places 0 ... m - 1 are m places"),
        ]
        hint = next((w for (a, b), w in known if np.array_equal(a, into) and np.array_equal(b, out) and d > 2), "")
        right_in, right_out = masks(place)
        if not hint and np.array_equal(out, masks(place + 1)[1]) and not np.array_equal(out, right_out):
            hint = "an output sees its own input: compare the place with the degree, both counted from 0 variables on"
        if not hint and np.array_equal(into, masks(place, strict_in=False)[0]) and not np.array_equal(into, right_in):
            hint = "a unit of degree m sees the first m variables: places 0 ... m - 1, and not place m"
        ways = out @ into
        leaking = np.argwhere((ways > 0) & (place[None] >= place[:, None]))
        expect(
            not len(leaking),
            "no way leads from an input to an output at its own place or before it",
            given=given,
            got=f"variable {leaking[0][1]} reaches output {leaking[0][0]}" if len(leaking) else "",
            hint=hint,
        )
        if not np.array_equal(into, right_in):
            m = int(np.flatnonzero((into != right_in).any(1))[0])
            few = (
                "places 0 ... m - 1 are m places"
                if into[m].sum() != degrees[m]
                else "the first in the order of `place`"
            )
            expect(
                False,
                "a hidden unit of degree m sees the first m variables of the order, all of them",
                given=given,
                expected=f"for the unit of degree {degrees[m]}: {brief(right_in[m].astype(int))}",
                got=brief(into[m].astype(int)),
                hint=hint or few,
            )
        if not np.array_equal(out, right_out):
            i, m = np.argwhere(out != right_out)[0]
            expect(
                False,
                "as many connections as possible are kept",
                given=given,
                got=f"in the mask from hidden to outputs, entry {int(i), int(m)} is 0 but would let nothing leak",
                hint=hint or "the output at place i may see every unit of degree i or less",
            )


# 08.6 -----------------------------------------------------------------------------------------------------------------


@exercise("08.6", "leaks", points=3)
def _(answer, rng):
    def network(place, extra, wakes):
        """Causal in the order, with extra dependences (i, j) added, which show themselves as `wakes` says."""
        d = len(place)
        allowed = place[None] < place[:, None]
        A = np.where(allowed, rng.uniform(0.5, 1.5, size=(d, d)), 0.0)
        B = np.zeros((d, d))
        for i, j in extra:
            B[i, j] = rng.uniform(1, 2)

        def f(x):
            x = np.asarray(x, dtype=float)
            expect(
                x.ndim == 2 and x.shape[1] == d, "f reads a batch", expected=f"shape (B, {d})", got=f"shape {x.shape}"
            )
            bump = {
                "always": np.tanh(x),
                "far": np.maximum(np.abs(x) - 1.5, 0),
                "above": np.maximum(x - 1.5, 0),
                "below": np.maximum(-1.5 - x, 0),
                "gate": x * (x[:, :1] > 1),  # only if variable 0 is large
                "step": np.floor(np.clip(x / 2, -1, 1)),  # flat nearly everywhere
                "faint": 0.001 * np.tanh(x),
            }[wakes]
            # term by term: a matrix product may round a row differently in another batch
            return (np.sin(x)[:, None] * A).sum(2) + (bump[:, None] * B).sum(2)

        return f

    line, mixed = np.arange(4), np.array([2, 0, 3, 1])
    turned = np.array([3, 0, 1, 2])
    wide = "some outputs move only when an input moves far, or far from 0: try more"
    either = "some outputs move only when an input is large, some only when it is very negative: try both"
    gate = "some inputs are seen only when another one is large: try many points, not one"
    by_place = "what is before what is said by `place`, not by the index"
    cases = [
        (line, [], "always", ""),
        (line, [(0, 3), (2, 3)], "always", ""),
        (line, [(1, 1)], "always", "the diagonal counts: output i may not see x[i]"),
        (mixed, [], "always", by_place),
        (mixed, [(1, 2), (3, 3)], "always", by_place),
        (turned, [(3, 0)], "always", by_place),
        (turned, [(2, 3), (1, 1)], "always", by_place),
        (np.arange(5), [(0, 4), (3, 3)], "far", wide),
        (np.arange(3), [(0, 0), (1, 1), (2, 2)], "far", wide),
        (line, [(0, 2), (3, 3)], "above", either),
        (line, [(0, 2), (3, 3)], "below", either),
        *[(line, [(1, 3), (2, 2)], "gate", gate)] * 4,
        *[(line, [(1, 2), (1, 3), (3, 3)], "gate", gate)] * 3,
        (
            line,
            [(0, 3), (2, 2)],
            "faint",
            "a leak may be small: an output that sees no leak gives the very same number",
        ),
        (line, [(0, 1), (2, 2)], "step", "some outputs move in steps, so that a small change moves none"),
        (np.array([0]), [(0, 0)], "far", "with one variable there is one pair: the output and its own input"),
        (np.array([0]), [], "always", ""),
        (line, [(i, j) for i in range(4) for j in range(i, 4)], "always", "every pair that is not in order leaks here"),
    ]
    for place, extra, wakes, hint in cases:
        d, want = len(place), sorted(map(list, extra))
        kept = place.copy()
        got = plain(answer(network(place, extra, wakes), kept, rng), "a list of pairs of whole numbers")
        given = f"place = {brief(place)}, and a network that leaks at {extra or 'no pair'}"
        unchanged(place, kept, given=given)
        expect(isinstance(got, (list, tuple)), "the answer is a list of pairs", given=given, got=type(got).__name__)
        expect(
            all(isinstance(p, (list, tuple)) and len(p) == 2 for p in got),
            "the answer is a list of pairs",
            given=given,
            got=brief(got),
        )
        got = sorted([int(v) for v in p] for p in got)
        swapped = sorted([j, i] for i, j in extra)
        inside = all(0 <= i < d and 0 <= j < d for i, j in got)
        if got != want:
            diagonal = [p for p in want if p[0] == p[1]]
            if got == swapped:
                hint = "the pair is (i, j): output i sees input j"
            elif inside and any(place[j] < place[i] for i, j in got):
                hint = hint if hint == by_place else "a dependence on a variable *before* i is no leak"
            elif wakes == "always" and diagonal and got == [p for p in want if p[0] != p[1]]:
                hint = "the diagonal counts: output i may not see x[i]"
            elif any(p not in want for p in got):
                hint = "an output that does not see an input gives the very same number"
            elif len({tuple(p) for p in got}) < len(got):
                hint = "each pair once"
        expect_equal(got, want, "the leaks, all of them and no others", given=given, hint=hint)
