"""Checks of lesson 04, entropy: each tests what any right answer must satisfy, on random inputs."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

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
    number,
    numbers,
    plain,
    unchanged,
)
from genutils.coding import huffman_code

LOOSE = {"rtol": 1e-5, "atol": 2e-6}  # an answer in float32 is right


def _bits(p: np.ndarray) -> float:
    p = np.asarray(p, dtype=float)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


# 04.1 -----------------------------------------------------------------------------------------------------------------


@exercise("04.1", "entropy_bits", points=2)
def _(answer, rng):
    zero = "0 times log 0 counts as 0: leave out the symbols that never come"
    coin, sign = np.array([0.5, 0.5]), "log p is negative: the minus sign is missing"
    bits = numbers(answer(coin.copy()))
    if bits.shape != () or not math.isclose(bits, 0.5):  # what 0.5 would mean is clearer further down
        expect_close(
            bits,
            1.0,
            "a fair coin carries one bit",
            given="p = [0.5, 0.5]",
            mistakes=[
                (math.log(2), NATS),
                (math.log10(2), "that is base 10: bits take log2"),
                (-1.0, sign),
                (2.0, "weight each surprise by its probability, then sum"),
            ],
            **LOOSE,
        )
    known = rng.dirichlet(np.full(5, 2.0)) * 0.9 + 0.02
    spread = rng.dirichlet(np.full(300, 0.3)) + 1e-9
    for p, given in (
        (known, f"p = {brief(known)}"),
        (coin, "p = [0.5, 0.5]"),
        (np.array([0.0, 1.0, 0.0]), "p = [0, 1, 0]"),
        (np.array([1.0]), "p = [1]"),
        (np.array([0.0, 0.0, 0.25, 0.0, 0.75]), "p = [0, 0, 0.25, 0, 0.75]"),
        *((np.full(k, 1 / k), f"the uniform distribution on {k} symbols") for k in (3, int(rng.integers(5, 40)))),
        (spread / spread.sum(), "300 probabilities, most of them tiny"),
        (np.array([1 - 1e-4, 1e-4]), "p = [0.9999, 0.0001]"),
    ):
        want, handed = _bits(p), p.copy()
        mistakes = [(np.nan, zero), (np.inf, zero), (-np.inf, zero)] if (p == 0).any() else []
        if want > 0:
            mistakes += [(-want, sign)]
        if p is known:  # here the values of all mistakes differ
            mistakes += [
                (want * math.log(2), NATS),
                (want * math.log10(2), "that is base 10: bits take log2"),
                (want / len(p), "that is the mean over symbols; the probabilities already are the weights: sum"),
                (-np.log2(p).sum(), "weight each surprise by its probability, then sum"),
                (-np.log2(p).mean(), "weight each surprise by its probability; a plain mean counts all symbols alike"),
                (1 - (p**2).sum(), "that is the Gini index, 1 - sum of p squared: entropy averages -log2 p"),
                (-math.log2((p**2).sum()), "that is the log of the average p; entropy is the average of -log2 p"),
                (-math.log2(p.max()), "that is the surprise of the commonest symbol only: average over all"),
                (math.log2(len(p)), "that is log2 K, the entropy if all symbols were equally likely"),
            ]
        expect_close(
            answer(handed),
            want,
            "entropy is the expected surprise, in bits",
            given=given,
            mistakes=mistakes,
            **LOOSE,
        )
        unchanged(p, handed, given=given)
    p, q = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(4))
    h = [number(answer(x.copy())) for x in (p, q)]
    expect_close(
        answer(np.outer(p, q).ravel()),
        sum(h),
        "independent sources add: H(p ⊗ q) = H(p) + H(q)",
        given=f"p = {brief(p)}, q = {brief(q)}",
        **LOOSE,
    )
    first = p[:2].sum()  # Shannon's third axiom: choose a group, then a member
    grouped, inside = number(answer(np.array([first, *p[2:]]))), number(answer(p[:2] / first))
    expect_close(
        h[0], grouped + first * inside, "a choice in two steps carries as much as one", given=f"p = {brief(p)}", **LOOSE
    )
    expect_close(
        answer(rng.permutation(p)),
        h[0],
        "the names of the symbols do not matter",
        given=f"p = {brief(p)} shuffled",
        **LOOSE,
    )


# 04.2 -----------------------------------------------------------------------------------------------------------------


def _splitting(p: np.ndarray) -> np.ndarray:
    """Word lengths of Shannon and Fano's code: sort, and split from the top into halves as equal as can be."""
    lengths, order = np.zeros(len(p), dtype=int), list(np.argsort(-p, kind="stable"))

    def split(group):
        if len(group) < 2:
            return
        mass = np.cumsum(p[group])
        cut = int(np.argmin(np.abs(2 * mass[:-1] - mass[-1]))) + 1
        lengths[group] += 1
        split(group[:cut])
        split(group[cut:])

    split(order)
    return lengths


def _prefix_free(words) -> bool:
    ordered = sorted(words)
    return not any(b.startswith(a) for a, b in itertools.pairwise(ordered))


def _huffman_hint(tried: list[tuple[np.ndarray, np.ndarray]]) -> str:
    """The mistake that explains the word lengths of *every* distribution tried; empty if none does."""

    def always(mistake):
        return all(mistake(p, lengths) for p, lengths in tried)

    def as_long_as(p, lengths, other):
        down = np.sort(p)[::-1]
        return math.isclose(down @ np.sort(lengths), down @ np.sort(other), abs_tol=1e-9)

    uneven = [(p, lengths) for p, lengths in tried if np.ptp(p) > 0.1]
    if always(lambda p, n: np.array_equal(n, np.ceil(-np.log2(p) - 1e-12))):
        return "lengths of -log2 p rounded up are Shannon's code: within a bit of H, but not the best"
    if always(lambda p, n: np.ptp(n) <= (1 if len(p) & (len(p) - 1) else 0)):
        return "all words are about equally long: give rare symbols the long ones"
    if always(lambda p, n: as_long_as(p, n, huffman_code(p).lengths)):
        return "the words themselves are best, but they are given to the wrong symbols: keep the order of p"
    if all(n[p.argmax()] == n.max() for p, n in uneven):
        return "the commonest symbol has the longest word: merge the two least probable groups, not the most probable"
    if always(lambda p, n: sorted(n) == [*range(1, len(p)), len(p) - 1]):
        return (
            "a merged group is taken again at once: its probability is the sum of its parts', and it waits for its turn"
        )
    if always(lambda p, n: as_long_as(p, n, _splitting(p))):
        return "that is splitting from the top (Shannon and Fano): merging from the bottom is better"
    return ""


@exercise("04.2", "huffman_words", points=3)
def _(answer, rng):
    cases = [
        np.array([0.15, 0.17, 0.35, 0.16, 0.17]),  # not in order; splitting from the top is worse
        np.array([0.5, 0.25, 0.125, 0.125]),
        np.array([0.4, 0.35, 0.2, 0.05]),
        np.array([0.05, 0.3, 0.65]),
        np.array([0.1, 0.1, 0.15, 0.3, 0.35]),
        rng.dirichlet(np.full(12, 0.5)) + 1e-4,
        2.0 ** -np.array([1, 2, 3, 4, 5, 5]),
        np.array([0.7, 0.3]),
        np.ones(7),  # ties
        rng.permutation([1, 1, 1, 1, 2, 2, 2, 4, 4, 9]),
        1.6 ** -rng.permutation(25.0 * np.arange(26) / 25),  # from common to very rare
        np.array([0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.5])[rng.permutation(7)],
        rng.dirichlet(np.full(60, 1.0)) + 1e-5,
        *(rng.dirichlet(np.full(k, 2.0)) + 1e-4 for k in rng.integers(5, 15, size=6)),
    ]
    tried = []
    for p in cases:
        p = p / p.sum()
        given, handed = f"p = {brief(p)}", p.copy()
        words = plain(answer(handed), "you return one code word per symbol", given=given)
        unchanged(p, handed, given=given)
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
        best = huffman_code(p).expected_length(p)
        lengths = np.array([len(w) for w in words])
        turned = _prefix_free([word[::-1] for word in words]) and float(p @ lengths) <= best + 1e-9
        for a, b in itertools.pairwise(sorted(words)):
            expect(
                not b.startswith(a),
                "no word begins another, so that the message can be read back",
                given=given,
                got=f"{a!r} and {b!r}",
                hint="put the new bit in front of the word when two groups merge (the last merge is the first bit)"
                if turned
                else "",
            )
        tried.append((p, lengths))
    for p, lengths in tried:
        length, best = float(p @ lengths), huffman_code(p).expected_length(p)
        expect(
            length <= best + 1e-9,
            "no prefix code is shorter on average",
            given=f"p = {brief(p)}",
            expected=f"{best:.6g} bits per symbol",
            got=f"{length:.6g} bits per symbol",
            hint=_huffman_hint(tried),
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
    def decodes(message, counts, given, hint=""):
        number, bits = _encode(message, counts)
        handed = list(counts)
        got = plain(answer(number, bits, len(message), handed), "you return the list of symbols", given=given)
        expect(handed == counts, "your arguments are left as they were", given=given, hint="work on a copy")
        _same(got, message, given, hint, number, bits, counts)

    counts = [2, 1, 1]
    for message in ([1, 0, 0, 1, 2, 1, 0, 2, 0, 0, 1], [0, 0, 1, 2], [2], [1, 2, 0], [1, 0, 0, 0, 0], [0, 0, 0, 2], []):
        number, bits = _encode(message, counts)
        decodes(message, counts, f"the message {message} with counts {counts}, written as {number:0{max(bits, 1)}b}")
    decodes([0, 0, 0], [5], "an alphabet of one symbol: the message [0, 0, 0] takes no bits at all")
    decodes([1, 0, 1, 1], [1, 1], "the message [1, 0, 1, 1] with counts [1, 1]")
    turning = [1, 1] + [0] * int(rng.integers(2, 6))  # after a third, its number lies exactly where a share begins
    decodes(turning, [2, 3, 1], f"the message {turning} with counts [2, 3, 1], whose number is exactly 1/2", _EXACT)
    for _ in range(40):
        counts = [int(c) for c in rng.integers(1, 50, size=rng.integers(2, 5))]
        message = [int(s) for s in rng.choice(len(counts), p=np.array(counts) / sum(counts), size=9)]
        decodes(message, counts, f"the message {message} with counts {counts}", _EXACT)
    for _ in range(6):
        counts = [int(c) for c in rng.integers(1, 50, size=rng.integers(2, 9))]
        n = int(rng.integers(5, 120))
        message = [int(s) for s in rng.choice(len(counts), p=np.array(counts) / sum(counts), size=n)]
        decodes(message, counts, f"a message of {n} symbols with counts {counts}")
    unlikely = [int(s) for s in rng.integers(0, 6, size=250)]
    decodes(unlikely, [1, 9, 200, 3, 50, 7], "250 symbols, all equally often, with counts [1, 9, 200, 3, 50, 7]")
    counts = [1, 2**70, 3]
    decodes(
        [0, 1, 1, 2, 1, 0],
        counts,
        f"counts as large as {max(counts)}",
        "it went well with small counts: floats and a fixed number of digits do not do here, integers do",
    )
    digits = "one count of 2**20000: the number has thousands of digits"
    decodes([0, 1, 1, 2, 1, 0], [1, 2**20000, 3], digits, "a fixed number of digits, however many, is not enough")


_EXACT = "something was rounded on the way, by // perhaps, or to so many digits: thirds, too, must stay exact"


def _astray(number, bits, n, counts, mistake) -> list | None:
    """What a decoder with a known mistake makes of the number; None if it stumbles."""
    equal = [1] * len(counts) if mistake == "counts" else counts
    total, starts = sum(equal), [0, *itertools.accumulate(equal)]
    v, out = (number / 2**bits if mistake == "floats" else Fraction(number, 2**bits)), []
    for _ in range(n):
        inside = [i for i in range(len(counts)) if starts[i] < v * total or (starts[i] == v * total and mistake != "<")]
        s = inside[-1] if inside else 0
        out.append(s)
        if mistake == "share":
            v = v - Fraction(starts[s], total)
        elif mistake == "total":
            v = v * total - starts[s]
        else:
            v = (v * total - starts[s]) / equal[s]
    return out


_ASTRAY = {
    "share": "after each symbol, subtract where its share begins *and* stretch the share to the whole interval",
    "total": "stretch by the symbol's own share: divide by its count, too",
    "floats": "a float holds 53 binary digits: use integers or Fraction",
    "counts": "the shares are not equal: they are in proportion to the counts",
    "<": "the beginning of a share belongs to it: <= and not <",
}


def _same(got, message, given, hint, number, bits, counts):
    says = "decoding gives the message back, symbol for symbol"
    if type(got) not in (list, tuple) or len(got) != len(message):
        came = f"{len(got)} symbols" if type(got) in (list, tuple) else brief(got)
        raise Wrong(says, given=given, expected=f"{len(message)} symbols", got=came)
    got = list(got)
    if got == message:
        return
    at = next(i for i, (a, b) in enumerate(zip(got, message, strict=True)) if a != b)
    small = max(counts) < 2**100  # beyond, floats overflow
    found = [w for m, w in _ASTRAY.items() if small and _astray(number, bits, len(message), counts, m) == got]
    if got == message[::-1]:
        hint = "the message comes out backwards: the first symbol made the coarsest cut"
    elif (not hint or hint == _EXACT and found == [_ASTRAY["floats"]]) and len(found) == 1 and len(message) > 3:
        hint = found[0]
    elif not hint:
        lies = "the stretched number" if at else "number / 2**bits"
        hint = f"symbol {at} is the first that is wrong: in whose share, its beginning included, does {lies} lie?"
    raise Wrong(says, given=given, expected=brief(message), got=brief(got), hint=hint)


# 04.4 -----------------------------------------------------------------------------------------------------------------


@exercise("04.4", "miller_madow_bits", points=2)
def _(answer, rng):
    few = np.append(rng.permutation([5, 0, 1, 1, 2, 0, 0, 3]), rng.integers(8, 14))
    cases = [(few, f"counts = {brief(few)}")]
    for cells in (6, 30):
        counts = rng.multinomial(20 * cells, rng.dirichlet(np.full(cells, 2.0)))
        counts = rng.permutation(np.concatenate([counts, np.zeros(5, dtype=int)]))  # five symbols never seen
        cases.append((counts, f"counts = {brief(counts)}"))
    cases += [
        (np.array([10, 10, 10, 10]), "counts = [10, 10, 10, 10]"),  # above log2 K: so be it
        (np.ones(12, dtype=int), "12 symbols, each seen once"),
        (np.array([7, 0, 0]), "counts = [7, 0, 0]: one symbol only"),
        (rng.integers(10**6, 10**9, size=5), "counts in the millions"),
    ]
    for counts, given in cases:
        n, seen = int(counts.sum()), int((counts > 0).sum())
        some = counts[counts > 0].astype(float)
        naive, step = _bits(counts / n), (seen - 1) / (2 * n)
        raw, divide = -float((some * np.log2(some)).sum()), "counts are not probabilities: divide by their sum first"
        right, handed = naive + step / math.log(2), counts.copy()
        mistakes = [
            *(
                (min(right, math.log2(k)), "do not cut it at log2 K: the estimate may lie above")
                for k in (len(counts), seen)
            ),
            (naive, "that is the plug-in value: the correction is missing"),
            (naive + step, "the correction is in nats, the entropy in bits: divide it by log 2"),
            (naive - step / math.log(2), "the plug-in estimate is too low: the correction is added"),
            (naive + 2 * step / math.log(2), "a half is missing: the correction is (seen - 1) / (2 n)"),
            (naive + 2 * step, "a half is missing, and the correction is in nats, the entropy in bits"),
            (naive + step / math.log(2) * n / len(counts), "n is the number of draws, the sum of the counts"),
            (naive + step / math.log(2) * n / seen, "n is the number of draws, the sum of the counts"),
            (naive + (len(counts) - 1) / (2 * n) / math.log(2), "count only the symbols that were seen"),
            (naive + seen / (2 * n) / math.log(2), "seen - 1, not seen: the frequencies sum to one"),
            (right * math.log(2), NATS),
            (naive * math.log(2) + step, NATS),
            (raw, divide),
            (raw + step / math.log(2), divide),
            (np.nan, "0 times log 0 counts as 0: leave out the symbols that were not seen"),
        ]
        expect_close(
            answer(handed),
            right,
            "the plug-in entropy, raised by (seen - 1) / 2n nats",
            given=given,
            mistakes=[m for m in mistakes if not math.isclose(m[0], right, rel_tol=1e-4)],
            **LOOSE,
        )
        unchanged(counts, handed, given=given)


# 04.5 -----------------------------------------------------------------------------------------------------------------


def _terms(answer, joint: np.ndarray, given: str) -> np.ndarray:
    says, handed = "you return three numbers: H(X), H(Y | X), H(X, Y)", joint.copy()
    terms = numbers(answer(handed), says, given=given)
    unchanged(joint, handed, given=given)
    expect_shape(terms, (3,), says, given=given)
    return terms


@exercise("04.5", "chain_rule_terms", points=3)
def _(answer, rng):
    for shape in ((2, 5), (6, 3), (4, 4), (1, 4), (5, 1), (40, 30)):
        joint = rng.dirichlet(np.full(shape[0] * shape[1], 0.6)).reshape(shape)
        if shape == (4, 4):
            joint[[0, 1, 2], [1, 3, 0]] = 0.0  # pairs that never come
            joint /= joint.sum()
        if shape == (6, 3):
            joint[2] *= 3e-4 / joint[2].sum()  # a rare row counts by its probability, however small
            joint /= joint.sum()
        given = f"a random joint distribution with {shape[0]} rows (x) and {shape[1]} columns (y)"
        px, py = joint.sum(1), joint.sum(0)
        rows = [_bits(row / row.sum()) for row in joint]
        right = np.array([_bits(px), px @ rows, _bits(joint)])
        columns = py @ [_bits(c / c.sum()) for c in joint.T if c.sum()] if (py > 0).all() else np.nan
        apart, undivided = (np.mean(rows), np.sum(rows)), sum(_bits(row) for row in joint)
        mistakes = [
            (np.array([_bits(py), columns, _bits(joint)]), "rows and columns are swapped: x is the row"),
            *(
                (np.array([_bits(px), y, _bits(joint)]), "weight each row's entropy by its probability p(x)")
                for y in apart
            ),
            (np.array([_bits(px), columns, _bits(joint)]), "that is H(X | Y): condition on the row"),
            (np.array([_bits(px), _bits(py), _bits(joint)]), "that is H(Y): the row has not been used"),
            (
                np.array([_bits(px), _bits(px) + _bits(py) - _bits(joint), _bits(joint)]),
                "that is I(X; Y), what knowing X saves; H(Y | X) is what is left to say",
            ),
            (
                np.array([_bits(px), right[1], _bits(px) + _bits(py)]),
                "H(X) + H(Y) is the joint entropy only if X and Y are independent: take that of the whole table",
            ),
            (
                np.array([_bits(px), undivided, _bits(joint)]),
                "a row of the table is not yet a distribution: divide it by p(x)",
            ),
            (
                np.array([_bits(px), px @ [_bits(row) for row in joint], _bits(joint)]),
                "a row of the table is not yet a distribution: divide it by p(x)",
            ),
            (right * math.log(2), NATS),
            *((right[list(o)], "three numbers in this order: H(X), H(Y | X), H(X, Y)") for o in _ORDERS),
        ]
        expect_close(
            _terms(answer, joint, given),
            right,
            "H(X) from the row sums, H(Y | X) as the average entropy of a row, H(X, Y) of the whole table",
            given=given,
            mistakes=mistakes if min(shape) > 1 else [],
            **LOOSE,
        )
    joint = rng.permutation([[2, 1, 1], [1, 2, 1], [0, 1, 1]]) / 10
    expect_close(
        _terms(answer, joint, "tenths, many of them equal"),
        np.array([_bits(joint.sum(1)), joint.sum(1) @ [_bits(r / r.sum()) for r in joint], _bits(joint)]),
        "equal probabilities count as often as they stand in the table",
        given=f"joint = {(joint * 10).astype(int).tolist()} / 10",
        **LOOSE,
    )
    joint = np.outer(rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4)))
    expect_close(
        _terms(answer, joint, "an independent pair")[1],
        _bits(joint.sum(0)),
        "if X and Y are independent, knowing X saves nothing: H(Y | X) = H(Y)",
        given="an independent pair",
        **LOOSE,
    )
    joint = np.zeros((4, 3))
    joint[np.arange(3), [2, 0, 1]] = rng.dirichlet(np.ones(3))
    given = "Y a function of X, and a row that never comes"
    h, px = _terms(answer, joint, given), joint.sum(1)
    nan = "a row with p(x) = 0 has no conditional distribution: it must not count"
    expect_close(
        h,
        np.array([_bits(px), 0.0, _bits(joint)]),
        "if Y is a function of X, nothing is left to say: H(Y | X) = 0",
        given=given,
        mistakes=[(np.array([a, np.nan, b]), nan) for a in (_bits(px), np.nan) for b in (_bits(joint), np.nan)],
        **LOOSE,
    )


_ORDERS = [o for o in itertools.permutations(range(3)) if o != (0, 1, 2)]


# 04.6 -----------------------------------------------------------------------------------------------------------------


@exercise("04.6", "pixel_information", points=3)
def _(answer, rng):
    levels = 5
    x = rng.integers(0, levels, size=(400, 3, 3))
    x[:, 0, 1] = (x[:, 0, 0] + rng.integers(0, 2, size=400)) % levels  # depends on its neighbour
    x[:, 2, 2] = np.array([3, 0, 4, 1, 2])[x[:, 0, 0]]  # another name for the same thing
    x[:, 1, 1] = 2  # says nothing
    a, b, same, dead = (0, 0), (0, 1), (2, 2), (1, 1)
    _information(answer, x.astype(np.uint8), a, b, "400 random 3x3 images with 5 levels")
    given = "400 random 3x3 images with 5 levels, "
    _information(answer, x.astype(np.uint8), a, a, given + "a pixel and itself: I(X; X) = H(X)")
    _information(answer, x.astype(np.uint8), a, dead, given + "one pixel of the two always the same")
    _information(answer, x, a, same, given + "one pixel a new name for the other: information is not correlation")
    _information(answer, x, b, a, given + "the pixels swapped: information is mutual")
    _information(answer, x, a, (1, 0), given + "two pixels that know nothing: the frequencies still share a little")
    fine = rng.integers(0, 17, size=(600, 2, 4)).astype(np.uint8)  # as many levels as the digits have
    fine[:400, 1, 3] = (fine[:400, 0, 2] + rng.integers(0, 3, size=400)) % 17
    _information(answer, fine, (0, 2), (1, 3), "600 random 2x4 images with 17 levels")
    far = rng.choice([0, 1, 7, 90, 180, 181, 200, 255], size=(300, 4, 2)).astype(np.uint8)  # sparse, up to 255
    far[:, 3, 0] = np.where(rng.random(300) < 0.8, far[:, 1, 1], far[:, 3, 0])
    _information(answer, far, (1, 1), (3, 0), "300 random 4x2 images with levels up to 255, stored in eight bits")
    one_sided = rng.integers(0, 3, size=(50, 2, 2))
    one_sided[:, 1, 0] = one_sided[:, 0, 1] + 10  # fewer images, other levels for each pixel
    _information(answer, one_sided, (0, 1), (1, 0), "50 random 2x2 images; one pixel has levels 0..2, the other 10..12")


def _information(answer, images, first, second, given):
    given = f"{given}; first = {first}, second = {second}"
    handed = images.copy()
    got = answer(handed, first, second)
    unchanged(images, handed, given=given)
    n = len(images)
    u, v = (images[(slice(None), *pixel)].astype(int) for pixel in (first, second))

    def h(*parts):
        return _bits(np.unique(np.stack(parts, 1), axis=0, return_counts=True)[1] / n)

    hx, hy, hxy = h(u), h(v), h(u, v)
    want = hx + hy - hxy
    coarse = np.histogram2d(u, v)[0] / n
    wrapped = [hx + hy - h((u * k + v) % 256) for k in (int(images.max()) + 1, 17, 256)]
    seen = [len(np.unique(part)) for part in (u, v)]
    cells = len(np.unique(np.stack([u, v], 1), axis=0))
    with np.errstate(all="ignore"):
        gauss = -0.5 * math.log2(max(1 - np.corrcoef(u, v)[0, 1] ** 2, 1e-300)) if hx and hy else 0.0
    mistakes = [
        (hxy, "that is the joint entropy H(X, Y)"),
        (gauss, "information is not correlation: count the pairs of levels"),
        (-want, "the sign: H(X) + H(Y) - H(X, Y)"),
        (hxy - hx, "that is H(Y | X), what is left to say; I is what was saved"),
        (hxy - hy, "that is H(X | Y), what is left to say; I is what was saved"),
        (want * math.log(2), NATS),
        (
            _bits(coarse.sum(1)) + _bits(coarse.sum(0)) - _bits(coarse.ravel()),
            "levels were merged into ten bins (np.histogram2d does that unless told otherwise): count each level",
        ),
        *((w, "grey levels are stored in eight bits, and a product overflows: astype(int) first") for w in wrapped),
        *((want / d, "information in bits is asked for, not divided by an entropy") for d in (hx, hy, hxy) if d > 0),
        (
            want + (sum(seen) - cells - 1) / (2 * n * math.log(2)),
            "the frequencies themselves are asked for, without a correction of their bias",
        ),
    ]
    if first[::-1] != first or second[::-1] != second:
        turned = [(p[1], p[0]) for p in (first, second)]
        if all(p[0] < images.shape[1] and p[1] < images.shape[2] for p in turned):
            s, t = (images[(slice(None), *pixel)].astype(int) for pixel in turned)
            mistakes.append((h(s) + h(t) - h(s, t), "a pixel is (row, column): images[:, row, column]"))
    apart = [m for m in mistakes if not math.isclose(m[0], want, rel_tol=1e-4, abs_tol=1e-4)]
    expect_close(got, want, "I(X; Y) = H(X) + H(Y) - H(X, Y), by the frequencies", given=given, mistakes=apart, **LOOSE)


# 04.7 -----------------------------------------------------------------------------------------------------------------


def _tilted(values: np.ndarray, mean: float) -> np.ndarray:
    """Probabilities proportional to exp(slope * value) with this mean, by bisection in units of the range."""
    u = (values - mean) / np.ptp(values)
    low, high = -1e4, 1e4
    for _ in range(200):
        slope = (low + high) / 2
        w = np.exp(slope * u - (slope * u).max())
        low, high = (slope, high) if w @ u < 0 else (low, slope)
    return w / w.sum()


@exercise("04.7", "maximum_entropy", points=4)
def _(answer, rng):
    narrow = (
        "is the slope looked for in a bracket that is too narrow, or the search stopped too soon? The slope is per "
    )
    narrow += "unit of the value: widen the bracket until the mean lies between, or use units of the values' range"
    order = "compare with min(values) and max(values): they may be negative or in no order"
    die, nine = np.arange(1, 7), np.sort(rng.normal(size=9))
    within = float(nine.min() + rng.uniform(0.2, 0.8) * np.ptp(nine))
    for values, mean in (
        (die, 3.5),
        (die, 4.5),
        (nine, within),
        (np.array([0.0, 1.0, 10.0]), 2.0),
        (np.array([-3.0, 5.0]), 1.0),  # two values: the mean alone decides
        (die, 5.95),  # nearly certain: the straight line is steep
        (die, 1.0005),
        (die * 0.01, 0.02),  # the slope is per unit of the value, whatever the unit
        (die * 1000.0, 4700.0),
        (die + 10_000.0, 10_004.5),  # where the values lie does not matter
        (-die[::-1] * 1.0, -2.5),
        (np.array([4.0, 1.0, 6.0, 2.0, 5.0, 3.0]), 2.2),  # in no order
        (rng.permutation(np.arange(40.0)), 11.0),
    ):
        given, handed = f"values = {brief(values)}, mean = {mean:.6g}", values.copy()
        try:
            p = answer(handed, mean)
        except ValueError as error:
            signs = "sign" in str(error)  # scipy's root finders
            raise Wrong(
                "this mean can be had: it lies between the smallest and the largest value",
                given=given,
                got=f"ValueError: {error}".rstrip(": "),
                hint=narrow if signs else order if (np.diff(values) < 0).any() or mean < 0 else "",
            ) from None
        p = numbers(p, "you return one probability per value", given=given)
        unchanged(values, handed, given=given)
        values = values.astype(float)
        expect_shape(p, values.shape, "there is one probability per value", given=given)
        expect(
            is_distribution(p, 1e-5),
            "probabilities are nonnegative and sum to 1",
            given=given,
            got=p,
            hint="subtract the largest exponent before np.exp" if np.isnan(p).any() else "",
        )
        want, off = _tilted(values, mean), float(p @ values) - mean
        uniform = np.allclose(p, 1 / len(p), atol=1e-6)
        hint = "that is the uniform distribution: it ignores the constraint" if uniform else ""
        log_p = np.log(np.maximum(p, 1e-300))
        if not hint and (p > 0).all() and _straight(values, log_p):
            turned = np.allclose(np.sort(p), np.sort(want), atol=1e-4)
            hint = "the order of the values: p[i] belongs to values[i]" if turned else narrow
        elif not hint and np.allclose(np.sort(p), np.sort(want), atol=1e-4):
            hint = "the order of the values: p[i] belongs to values[i]"
        expect(
            abs(off) <= 1e-4 * float(np.ptp(values)) + 2e-7 * float(np.abs(values).max()),
            "the mean is the one that was asked for",
            given=given,
            expected=f"{mean:.10g}",
            got=f"{mean + off:.10g}",
            hint=hint,
        )
        expect(
            bool(np.abs(p - want).max() < 2e-3),
            "no other distribution with this mean has as much entropy as the right one",
            given=given,
            expected=f"{_bits(want):.6g} bits",
            got=f"{_bits(p):.6g} bits, p = {brief(p)}",
            hint="set the derivative of the Lagrangian to zero: log p is a straight line in the value",
        )
    for mean in (0.5, 6.5, 1.0, 6.0, -4.5):
        expect_raises(
            lambda mean=mean: answer(die.astype(float), mean),
            ValueError,
            "a mean outside the range of the values cannot be had",
            given=f"values = 1..6, mean = {mean}",
            hint="raise ValueError when the mean is not strictly between the smallest and the largest value",
        )
    expect_raises(
        lambda: answer(np.array([5.0, 1.0, 3.0]), 6.0),
        ValueError,
        "a mean outside the range of the values cannot be had",
        given="values = [5, 1, 3], mean = 6",
        hint="raise ValueError when the mean is not strictly between the smallest and the largest value",
    )


def _straight(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether y is a straight line in x, but for rounding."""
    if len(x) < 3:
        return False
    u = (x - x.mean()) / np.ptp(x)
    return bool(np.abs(y - y.mean() - (y @ u) / (u @ u) * u).max() < 1e-4 * max(1.0, np.ptp(y)))
