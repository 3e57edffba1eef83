"""Checks of lesson 04, entropy: each tests what any right answer must satisfy, on random inputs."""

from __future__ import annotations

import itertools
import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import (
    NATS,
    Wrong,
    brief,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    is_distribution,
    numbers,
    plain,
)
from genutils.coding import huffman_code


def _bits(p: np.ndarray) -> float:
    p = np.asarray(p, dtype=float)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


# 04.1 -----------------------------------------------------------------------------------------------------------------


@exercise("04.1", "entropy_bits", points=2)
def _(answer, rng):
    sign = "log p is negative: the minus sign is missing"
    expect_close(
        answer(np.array([0.5, 0.5])),
        1.0,
        "a fair coin carries one bit",
        given="p = [0.5, 0.5]",
        mistakes=[
            (math.log(2), NATS),
            (math.log10(2), "that is base 10: bits take log2"),
            (-1.0, sign),
            (0.5, "that is the mean over symbols; the probabilities already are the weights: sum"),
        ],
    )
    expect_close(
        answer(np.array([0.0, 1.0, 0.0])),
        0.0,
        "what is certain carries no information",
        given="p = [0, 1, 0]",
        mistakes=[(np.nan, "0 times log 0 counts as 0: leave out the symbols that never come")],
        atol=1e-7,
    )
    for k in rng.integers(2, 40, size=3):
        expect_close(
            answer(np.full(k, 1 / k)),
            math.log2(k),
            "k equally likely symbols carry log2 k bits",
            given=f"the uniform distribution on {k} symbols",
            mistakes=[(math.log(k), NATS)],
        )
    p, q = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(4))
    h = [float(numbers(answer(x)).reshape(())) for x in (p, q)]
    expect_close(
        answer(np.outer(p, q).ravel()),
        sum(h),
        "independent sources add: H(p ⊗ q) = H(p) + H(q)",
        given=f"p = {brief(p)}, q = {brief(q)}",
    )
    first = p[:2].sum()  # Shannon's third axiom: choose a group, then a member
    grouped = float(numbers(answer(np.array([first, *p[2:]]))).reshape(()))
    inside = float(numbers(answer(p[:2] / first)).reshape(()))
    expect_close(
        h[0], grouped + first * inside, "a choice in two steps carries as much as one", given=f"p = {brief(p)}"
    )
    expect_close(
        answer(rng.permutation(p)), h[0], "the names of the symbols do not matter", given=f"p = {brief(p)} shuffled"
    )
    expect(0 < h[0] < math.log2(5), "entropy lies between 0 and log2 k", given=f"p = {brief(p)}", got=h[0])


# 04.2 -----------------------------------------------------------------------------------------------------------------


@exercise("04.2", "huffman_words", points=3)
def _(answer, rng):
    cases = [
        np.array([0.5, 0.25, 0.125, 0.125]),
        np.array([0.4, 0.35, 0.2, 0.05]),
        rng.dirichlet(np.full(12, 0.5)) + 1e-4,
    ]
    cases.append(2.0 ** -np.array([1, 2, 3, 4, 5, 5]))
    for p in cases:
        p = p / p.sum()
        given = f"p = {brief(p)}"
        words = plain(answer(p.copy()), "you return one code word per symbol", given=given)
        if isinstance(words, dict):
            words = [words.get(i) for i in range(len(p))]
        expect(
            type(words) in (list, tuple) and len(words) == len(p),
            "there is one code word per symbol, in the order of p",
            given=given,
            got=words,
        )
        for word in words:
            expect(
                type(word) is str and len(word) > 0 and set(word) <= {"0", "1"},
                "a code word is text of 0s and 1s, at least one",
                given=given,
                got=word,
                hint="is a leaf's word still empty when you return it?" if word == "" else "",
            )
        for a, b in itertools.permutations(words, 2):
            expect(
                not b.startswith(a),
                "no word begins another, so that the message can be read back",
                given=given,
                got=f"{a!r} and {b!r}",
                hint="put the new bit in front of the word when two groups merge (the last merge is the first bit)",
            )
        lengths = np.array([len(w) for w in words])
        length, best = float(p @ lengths), huffman_code(p).expected_length(p)
        hint = ""
        if np.array_equal(lengths, np.ceil(-np.log2(p))):
            hint = "lengths of -log2 p rounded up are Shannon's code: within a bit of H, but not the best"
        elif len(set(lengths)) == 1:
            hint = "all words are equally long: give rare symbols the long ones"
        elif lengths[p.argmax()] > lengths[p.argmin()]:
            hint = (
                "the commonest symbol has the longest word: merge the two least probable groups, not the most probable"
            )
        elif length > best + 1e-9:
            hint = "each merge takes the two least probable groups *of those left*, merged ones included"
        expect(
            length <= best + 1e-9,
            "no prefix code is shorter on average",
            given=given,
            expected=f"{best:.6g} bits per symbol",
            got=f"{length:.6g} bits per symbol",
            hint=hint,
        )


# 04.3 -----------------------------------------------------------------------------------------------------------------


def _encode(symbols, counts) -> tuple[int, int]:
    """The coder of the lesson: (number, bits)."""
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    low, width, whole = 0, 1, 1
    for s in symbols:
        low, width, whole = low * total + starts[s] * width, width * counts[s], whole * total
    bits = (-(-whole // width) - 1).bit_length()
    return -(-low * 2**bits // whole), bits


@exercise("04.3", "arithmetic_decode", points=4)
def _(answer, rng):
    counts = [2, 1, 1]
    for message in ([0, 0, 1, 2], [2], [1, 2, 0]):
        number, bits = _encode(message, counts)
        got = plain(answer(number, bits, len(message), list(counts)), "you return the list of symbols")
        _same(got, message, f"the message {message} with counts {counts}, written as {number:0{bits}b}")
    for _ in range(6):
        counts = [int(c) for c in rng.integers(1, 50, size=rng.integers(2, 9))]
        n = int(rng.integers(1, 120))
        message = [int(s) for s in rng.choice(len(counts), p=np.array(counts) / sum(counts), size=n)]
        number, bits = _encode(message, counts)
        got = plain(answer(number, bits, n, list(counts)), "you return the list of symbols")
        _same(got, message, f"a message of {n} symbols with counts {counts}")
    counts = [1, 2**70, 3]
    message = [0, 1, 1, 2, 1, 0]
    number, bits = _encode(message, counts)
    got = plain(answer(number, bits, len(message), list(counts)), "you return the list of symbols")
    _same(got, message, f"counts as large as {max(counts)}: floats lose digits here, integers do not")


def _same(got, message, given):
    says = "decoding gives the message back, symbol for symbol"
    if type(got) not in (list, tuple) or len(got) != len(message):
        came = f"{len(got)} symbols" if type(got) in (list, tuple) else brief(got)
        raise Wrong(says, given=given, expected=f"{len(message)} symbols", got=came)
    if list(got) == message:
        return
    at = next(i for i, (a, b) in enumerate(zip(got, message, strict=True)) if a != b)
    hint = "the first symbol is wrong: which one's share holds number / 2**bits?"
    if list(got) == message[::-1]:
        hint = "the message comes out backwards: the first symbol made the coarsest cut"
    elif at:
        hint = "right at first, then astray: after each symbol, stretch its share to the whole interval, exactly"
    raise Wrong(says, given=given, expected=brief(message), got=brief(list(got)), hint=hint)


# 04.4 -----------------------------------------------------------------------------------------------------------------


@exercise("04.4", "miller_madow_bits", points=2)
def _(answer, rng):
    for cells in (6, 30):
        counts = rng.multinomial(20 * cells, rng.dirichlet(np.full(cells, 2.0)))
        counts = np.concatenate([counts, np.zeros(5, dtype=int)])  # five symbols that were never seen
        n, seen = counts.sum(), int((counts > 0).sum())
        naive = _bits(counts / n)
        with np.errstate(all="ignore"):
            raw = -float((counts[counts > 0] * np.log2(counts[counts > 0])).sum())
        step = (seen - 1) / (2 * n)
        expect_close(
            answer(counts.copy()),
            naive + step / math.log(2),
            "the plug-in entropy, raised by (seen - 1) / 2n nats",
            given=f"counts = {brief(counts)}",
            mistakes=[
                (naive, "that is the plug-in value: the correction is missing"),
                (naive + step, "the correction is in nats, the entropy in bits: divide it by log 2"),
                (naive - step / math.log(2), "the plug-in estimate is too low: the correction is added"),
                (naive + (len(counts) - 1) / (2 * n) / math.log(2), "count only the symbols that were seen"),
                (naive + seen / (2 * n) / math.log(2), "seen - 1, not seen: the frequencies sum to one"),
                (raw, "counts are not probabilities: divide by their sum first"),
                (raw + step / math.log(2), "counts are not probabilities: divide by their sum first"),
                (np.nan, "0 times log 0 counts as 0: leave out the symbols that were not seen"),
            ],
        )
    expect_close(answer(np.array([7, 0, 0])), 0.0, "one symbol only: nothing to learn, nothing to correct", atol=1e-7)
    # on average the corrected estimate is closer to the truth than the plug-in
    k, n = 32, 60
    draws = rng.multinomial(n, np.full(k, 1 / k), size=200)
    mean = np.mean([float(numbers(answer(c)).reshape(())) for c in draws])
    naive = np.mean([_bits(c / n) for c in draws])
    expect(
        bool(abs(mean - math.log2(k)) < 0.6 * abs(naive - math.log2(k))),
        "over many samples the corrected estimate is nearer to the truth",
        given=f"{n} draws from {k} equally likely symbols (truth {math.log2(k):.3g} bits)",
        got=f"{mean:.4g} on average, where the plug-in has {naive:.4g}",
    )


# 04.5 -----------------------------------------------------------------------------------------------------------------


def _terms(answer, joint: np.ndarray, given: str) -> np.ndarray:
    says = "you return three numbers: H(X), H(Y | X), H(X, Y)"
    terms = numbers(answer(joint.copy()), says, given=given)
    expect_shape(terms, (3,), says, given=given)
    return terms


@exercise("04.5", "chain_rule_terms", points=3)
def _(answer, rng):
    for shape in ((2, 5), (6, 3)):
        joint = rng.dirichlet(np.full(shape[0] * shape[1], 0.6)).reshape(shape)
        given = f"a random joint distribution with {shape[0]} rows (x) and {shape[1]} columns (y)"
        px, py = joint.sum(1), joint.sum(0)
        rows = [_bits(row / row.sum()) for row in joint]
        _terms(answer, joint, given)
        right = np.array([_bits(px), px @ rows, _bits(joint)])
        columns = py @ [_bits(c / c.sum()) for c in joint.T]
        expect_close(
            answer(joint.copy()),
            right,
            "H(X) from the row sums, H(Y | X) as the average entropy of a row, H(X, Y) of the whole table",
            given=given,
            mistakes=[
                (np.array([_bits(py), columns, _bits(joint)]), "rows and columns are swapped: x is the row"),
                (
                    np.array([_bits(px), np.mean(rows), _bits(joint)]),
                    "weight each row's entropy by the row's probability p(x)",
                ),
                (np.array([_bits(px), columns, _bits(joint)]), "that is H(X | Y): condition on the row"),
                (np.array([_bits(px), _bits(py), _bits(joint)]), "that is H(Y): the row has not been used"),
                (
                    np.array([_bits(px), sum(_bits(row) for row in joint), _bits(joint)]),
                    "a row of the table is not yet a distribution: divide it by p(x)",
                ),
                (right * math.log(2), NATS),
            ],
        )
    joint = np.outer(rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4)))
    h = _terms(answer, joint, "an independent pair")
    expect_close(h[1], _bits(joint.sum(0)), "if X and Y are independent, knowing X saves nothing: H(Y | X) = H(Y)")
    joint = np.zeros((4, 3))
    joint[np.arange(3), [2, 0, 1]] = rng.dirichlet(np.ones(3))
    h = _terms(answer, joint, "Y a function of X, and a row that never comes")
    expect_close(
        h[1],
        0.0,
        "if Y is a function of X, nothing is left to say: H(Y | X) = 0",
        given="Y a function of X, and a row that never comes",
        mistakes=[(np.nan, "a row with p(x) = 0 has no conditional distribution: it must not count")],
        atol=1e-9,
    )


# 04.6 -----------------------------------------------------------------------------------------------------------------


@exercise("04.6", "pixel_information", points=3)
def _(answer, rng):
    levels = 5
    x = rng.integers(0, levels, size=(400, 3, 3))
    x[:, 0, 1] = (x[:, 0, 0] + rng.integers(0, 2, size=400)) % levels  # depends on its neighbour
    x[:, 2, 2] = np.array([3, 0, 4, 1, 2])[x[:, 0, 0]]  # another name for the same thing
    x[:, 1, 1] = 2  # says nothing
    x = x.astype(np.uint8)
    given = "400 random 3x3 images with 5 levels"

    def h(*pixels):
        stacked = np.stack([x[:, r, c].astype(int) for r, c in pixels], 1)
        return _bits(np.unique(stacked, axis=0, return_counts=True)[1] / len(x))

    a, b, same, dead = (0, 0), (0, 1), (2, 2), (1, 1)
    expect_close(
        answer(x.copy(), a, a),
        h(a),
        "a pixel tells everything about itself: I(X; X) = H(X)",
        given=given,
        mistakes=[(h(a) * math.log(2), NATS), (0.0, "I is not H(X | Y)")],
    )
    expect_close(
        answer(x.copy(), a, dead), 0.0, "a pixel that is always the same tells nothing", given=given, atol=1e-9
    )
    expect_close(
        answer(x.copy(), a, same),
        h(a),
        "renaming the levels loses nothing: information is not correlation",
        given=given,
    )
    want = h(a) + h(b) - h(a, b)
    expect_close(
        answer(x.copy(), a, b),
        want,
        "I(X; Y) = H(X) + H(Y) - H(X, Y)",
        given=given,
        mistakes=[
            (h(a, b), "that is the joint entropy H(X, Y)"),
            (-want, "the sign: H(X) + H(Y) - H(X, Y)"),
            (h(a, b) - h(a), "that is H(Y | X), what is left to say; I is what was saved"),
            (want * math.log(2), NATS),
        ],
    )
    expect_close(answer(x.copy(), b, a), want, "information is mutual: I(X; Y) = I(Y; X)", given=given)
    fine = rng.integers(0, 17, size=(600, 2, 4)).astype(np.uint8)  # as many levels as the digits have
    fine[:, 1, 3] = (fine[:, 0, 2] + rng.integers(0, 3, size=600)) % 17
    pair = np.zeros((17, 17))
    np.add.at(pair, (fine[:, 0, 2], fine[:, 1, 3]), 1 / len(fine))
    want = _bits(pair.sum(1)) + _bits(pair.sum(0)) - _bits(pair.ravel())
    coarse = np.histogram2d(fine[:, 0, 2], fine[:, 1, 3])[0] / len(fine)
    swapped = np.zeros((17, 17))
    np.add.at(swapped, (fine[:, 0, 2], fine[:, 1, 2]), 1 / len(fine))
    expect_close(
        answer(fine.copy(), (0, 2), (1, 3)),
        want,
        "every grey level counts by itself, and a pixel is given as (row, column)",
        given="600 random 2x4 images with 17 levels",
        mistakes=[
            (
                _bits(coarse.sum(1)) + _bits(coarse.sum(0)) - _bits(coarse.ravel()),
                "levels were merged into ten bins (np.histogram2d does that unless told otherwise): count each level",
            ),
            (-want, "the sign: H(X) + H(Y) - H(X, Y)"),
            (want * math.log(2), NATS),
        ],
        hint="is the table of counts divided by its sum before its entropy is taken? A pixel is images[:, row, column]",
    )


# 04.7 -----------------------------------------------------------------------------------------------------------------


@exercise("04.7", "maximum_entropy", points=4)
def _(answer, rng):
    die = np.arange(1, 7)
    for values, mean in (
        (die, 3.5),
        (die, 4.5),
        (np.sort(rng.normal(size=9)), None),
        (np.array([0.0, 1.0, 10.0]), 2.0),
        (die, 5.95),  # nearly certain: the straight line is steep
        (die * 0.01, 0.02),  # the slope is per unit of the value, whatever the unit
        (die * 1000.0, 4700.0),
        (np.array([4.0, 1.0, 6.0, 2.0, 5.0, 3.0]), 2.2),  # in no order
    ):
        values = np.asarray(values, dtype=float)
        if mean is None:
            mean = float(values.min() + rng.uniform(0.2, 0.8) * np.ptp(values))
        given = f"values = {brief(values)}, mean = {mean:.4g}"
        p = numbers(answer(values.copy(), mean), "you return one probability per value", given=given)
        expect_shape(p, values.shape, "there is one probability per value", given=given)
        expect(is_distribution(p), "probabilities are nonnegative and sum to 1", given=given, got=p)
        expect_close(
            p @ values,
            mean,
            "the mean is the one that was asked for",
            given=given,
            rtol=1e-4,
            atol=1e-5 * float(np.ptp(values)),
            hint="is the slope looked for in a bracket that is too narrow? It is per unit of the value: widen it "
            "until the mean lies between, or measure the values in units of their range",
            mistakes=[(values.mean(), "that is the uniform distribution: it ignores the constraint")],
        )
        if len(values) < 3:
            continue
        # no distribution with the same mean has more entropy: move along directions that keep both constraints
        _, _, basis = np.linalg.svd(np.stack([np.ones_like(values), values]))
        best = _bits(p)
        for direction in rng.normal(size=(20, len(values) - 2)) @ basis[2:]:
            for step in (1e-2, -1e-2):
                other = p + step * direction / np.abs(direction).max()
                if other.min() > 0:
                    expect(
                        _bits(other) < best + 1e-7,
                        "no other distribution with this mean has more entropy",
                        given=given,
                        expected=f"at least {_bits(other):.6g} bits",
                        got=f"{best:.6g} bits",
                        hint="set the derivative of the Lagrangian to zero: log p is a straight line in the value",
                    )
        expect(
            bool(p.min() > 0),
            "every value that may come does come, a little",
            given=given,
            got=p,
            hint="log p is a straight line in the value, so no probability is zero",
        )
    for mean in (0.5, 6.5, 1.0, 6.0):
        expect_raises(
            lambda mean=mean: answer(die.astype(float), mean),
            ValueError,
            "a mean outside the range of the values cannot be had",
            given=f"values = 1..6, mean = {mean}",
            hint="raise ValueError when the mean is not strictly between the smallest and the largest value",
        )
