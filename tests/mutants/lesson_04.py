"""Wrong and differently written answers to the exercises of lesson 04."""

import heapq
import itertools
import math
from fractions import Fraction

import numpy as np
from scipy import optimize, stats

from tests.mutants import alternative, mutant

# 04.1 entropy_bits


@alternative("04.1")
def entropy_bits(p):
    return float(stats.entropy(p, base=2))


@mutant("04.1", hint="nats")
def entropy_bits(p):  # noqa: F811
    p = p[p > 0]
    return -(p * np.log(p)).sum()


@mutant("04.1", hint="0 times log 0")
def entropy_bits(p):  # noqa: F811
    return -(p * np.log2(p)).sum()


@mutant("04.1", hint="minus sign")
def entropy_bits(p):  # noqa: F811
    p = p[p > 0]
    return (p * np.log2(p)).sum()


@mutant("04.1", hint="mean over symbols")
def entropy_bits(p):  # noqa: F811
    p = p[p > 0]
    return -(p * np.log2(p)).mean()


@mutant("04.1", hint="without a `return`")
def entropy_bits(p):  # noqa: F811
    p = p[p > 0]
    print(end="")


# 04.2 huffman_words


@alternative("04.2")
def huffman_words(p):
    lengths, heap = [0] * len(p), [(float(q), i, [i]) for i, q in enumerate(p)]
    heapq.heapify(heap)
    fresh = itertools.count(len(p))
    while len(heap) > 1:
        (a, _, left), (b, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for s in left + right:
            lengths[s] += 1
        heapq.heappush(heap, (a + b, next(fresh), left + right))
    words, code, before = [""] * len(p), 0, 0
    for length, s in sorted((n, s) for s, n in enumerate(lengths)):  # canonical: count upwards
        code <<= length - before
        words[s], code, before = format(code, f"0{length}b"), code + 1, length
    return words


def _merge(p, pick, join):
    groups = [(float(q), {i: ""}) for i, q in enumerate(p)]
    while len(groups) > 1:
        groups.sort(key=lambda g: g[0])
        (a, left), (b, right) = pick(groups)
        merged = {i: join("0", w) for i, w in left.items()} | {i: join("1", w) for i, w in right.items()}
        groups.append((a + b, merged))
    return [groups[0][1][i] for i in range(len(p))]


@mutant("04.2", hint="in front of the word")
def huffman_words(p):  # noqa: F811
    return _merge(p, lambda g: (g.pop(0), g.pop(0)), lambda bit, word: word + bit)


@mutant("04.2", hint="not the most probable")
def huffman_words(p):  # noqa: F811
    return _merge(p, lambda g: (g.pop(), g.pop()), lambda bit, word: bit + word)


@mutant("04.2", hint="Shannon's code")
def huffman_words(p):  # noqa: F811
    order, words, total = np.argsort(-p, kind="stable"), [""] * len(p), 0.0
    for s in order:
        n = math.ceil(-math.log2(p[s]))
        words[s] = "".join(str(int(total * 2 ** (i + 1)) % 2) for i in range(n))
        total += p[s]
    return words


@mutant("04.2", hint="equally long")
def huffman_words(p):  # noqa: F811
    n = math.ceil(math.log2(len(p)))
    return [format(i, f"0{n}b") for i in range(len(p))]


# 04.3 arithmetic_decode


@alternative("04.3")
def arithmetic_decode(number, bits, n, counts):
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = Fraction(number, 2**bits), []
    for _ in range(n):
        s = max(i for i in range(len(counts)) if Fraction(starts[i], total) <= v)
        out.append(s)
        v = (v * total - starts[s]) / counts[s]
    return out


@mutant("04.3", hint="floats lose digits")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    from decimal import Decimal, localcontext

    with localcontext() as context:  # enough digits for the short messages, not for large counts
        context.prec = 18
        if max(counts) < 2**53:
            return _decode_with(Fraction, number, bits, n, counts)
        return _decode_with(Decimal, number, bits, n, counts)


def _decode_with(kind, number, bits, n, counts):
    total, starts = kind(sum(counts)), [0, *itertools.accumulate(counts)]
    v, out = kind(number) / kind(2**bits), []
    for _ in range(n):
        s = max(i for i in range(len(counts)) if starts[i] <= v * total)
        out.append(s)
        v = (v * total - starts[s]) / counts[s]
    return out


@mutant("04.3", hint="stretch its share")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = Fraction(number, 2**bits), []
    for _ in range(n):
        s = max(i for i in range(len(counts)) if Fraction(starts[i], total) <= v)
        out.append(s)
        v = v - Fraction(starts[s], total)
    return out


@mutant("04.3", hint="backwards")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    return _decode_with(Fraction, number, bits, n, counts)[::-1]


@mutant("04.3", hint="which one's share")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = Fraction(number, 2**bits), []
    for _ in range(n):
        s = min((i for i in range(len(counts)) if Fraction(starts[i], total) >= v), default=0)
        out.append(s)
        v = abs(v * total - starts[s]) / counts[s]
    return out


# 04.4 miller_madow_bits


@alternative("04.4")
def miller_madow_bits(counts):
    n, seen = np.sum(counts), np.count_nonzero(counts)
    return (stats.entropy(counts) + (seen - 1) / (2 * n)) / np.log(2)


def _plug_in(counts):
    p = counts[counts > 0] / counts.sum()
    return -(p * np.log2(p)).sum()


@mutant("04.4", hint="correction is missing")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts)


@mutant("04.4", hint="divide it by log 2")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) + ((counts > 0).sum() - 1) / (2 * counts.sum())


@mutant("04.4", hint="only the symbols that were seen")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) + (len(counts) - 1) / (2 * counts.sum() * np.log(2))


@mutant("04.4", hint="not probabilities")
def miller_madow_bits(counts):  # noqa: F811
    c = counts[counts > 0]
    return -(c * np.log2(c)).sum() + (len(c) - 1) / (2 * counts.sum() * np.log(2))


# 04.5 chain_rule_terms


@alternative("04.5")
def chain_rule_terms(joint):
    hx, hxy = stats.entropy(joint.sum(1), base=2), stats.entropy(joint.ravel(), base=2)
    return [hx, max(hxy - hx, 0.0), hxy]


def _h(p):
    p = np.ravel(p)
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


@mutant("04.5", hint="rows and columns are swapped")
def chain_rule_terms(joint):  # noqa: F811
    py = joint.sum(0)
    return _h(py), sum(w * _h(c / w) for w, c in zip(py, joint.T, strict=True) if w), _h(joint)


@mutant("04.5", hint="weight each row's entropy")
def chain_rule_terms(joint):  # noqa: F811
    px = joint.sum(1)
    return _h(px), np.mean([_h(r / w) for w, r in zip(px, joint, strict=True) if w]), _h(joint)


@mutant("04.5", hint="not yet a distribution")
def chain_rule_terms(joint):  # noqa: F811
    return _h(joint.sum(1)), sum(_h(r) for r in joint), _h(joint)


@mutant("04.5", hint="must not count")
def chain_rule_terms(joint):  # noqa: F811
    px = joint.sum(1)
    return (
        _h(px),
        np.sum(
            [
                w * -np.nansum(np.where(r > 0, r / w * np.log2(r / w), r / w)) if w else np.nan
                for w, r in zip(px, joint, strict=True)
            ]
        ),
        _h(joint),
    )


# 04.6 pixel_information


@alternative("04.6")
def pixel_information(images, first, second):
    a, b = images[(slice(None), *first)], images[(slice(None), *second)]
    table = np.zeros((int(images.max()) + 1,) * 2)
    np.add.at(table, (a, b), 1 / len(images))
    expected = np.outer(table.sum(1), table.sum(0))
    some = table > 0
    return (table[some] * np.log2(table[some] / expected[some])).sum()


def _counts(images, *pixels):
    x = np.stack([images[:, r, c].astype(int) for r, c in pixels], 1)
    return np.unique(x, axis=0, return_counts=True)[1] / len(images)


@mutant("04.6", hint="nats")
def pixel_information(images, first, second):  # noqa: F811
    h = [_h(_counts(images, *q)) for q in ([first], [second], [first, second])]
    return (h[0] + h[1] - h[2]) * np.log(2)


@mutant("04.6", hint="I is not H(X | Y)")
def pixel_information(images, first, second):  # noqa: F811
    return _h(_counts(images, first, second)) - _h(_counts(images, first))


@mutant("04.6", hint="information is not correlation")
def pixel_information(images, first, second):  # noqa: F811
    a, b = images[:, first[0], first[1]].astype(float), images[:, second[0], second[1]].astype(float)
    if first == second:
        return _h(_counts(images, first))
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return -0.5 * np.log2(1 - np.corrcoef(a, b)[0, 1] ** 2)


@mutant("04.6", hint="merged into ten bins")
def pixel_information(images, first, second):  # noqa: F811
    t = np.histogram2d(images[:, first[0], first[1]], images[:, second[0], second[1]])[0] / len(images)
    return _h(t.sum(1)) + _h(t.sum(0)) - _h(t.ravel())


# 04.7 maximum_entropy


@mutant("04.7", hint="bracket that is too narrow")
def maximum_entropy(values, mean):
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")

    def tilted(t):
        w = np.exp(t * (values - mean) - np.max(t * (values - mean)))
        return w / w.sum()

    low, high = -1.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if tilted(middle) @ values < mean else (low, middle)
    return tilted(low)


@mutant("04.7", hint="strictly between")
def maximum_entropy(values, mean):  # noqa: F811
    if not values.min() <= mean <= values.max():
        raise ValueError("no such mean")

    def tilted(t):
        w = np.exp(t * (values - mean) - np.max(t * (values - mean)))
        return w / w.sum()

    low, high = -99 / np.ptp(values), 99 / np.ptp(values)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if tilted(middle) @ values < mean else (low, middle)
    return tilted(low)


@alternative("04.7")
def maximum_entropy(values, mean):  # noqa: F811
    values = np.asarray(values, dtype=float)
    if not values.min() < mean < values.max():
        raise ValueError(f"no distribution on these values has mean {mean}")
    scale = np.ptp(values)
    centred = (values - mean) / scale
    best = optimize.minimize(  # the dual: convex, and its minimum has the right mean
        lambda t: np.log(np.exp(t[0] * centred).sum()),
        [0.0],
        jac=lambda t: [np.exp(t[0] * centred) @ centred / np.exp(t[0] * centred).sum()],
        tol=1e-12,
    )
    w = np.exp(best.x[0] * centred)
    return w / w.sum()


@mutant("04.7", hint="ignores the constraint")
def maximum_entropy(values, mean):  # noqa: F811
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")
    return np.full(len(values), 1 / len(values))


@mutant("04.7", hint="straight line")
def maximum_entropy(values, mean):  # noqa: F811
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")
    p = np.zeros(len(values))  # all mass on the two ends
    low, high = values.argmin(), values.argmax()
    p[high] = (mean - values[low]) / (values[high] - values[low])
    p[low] = 1 - p[high]
    return p


@mutant("04.7", hint="straight line")
def maximum_entropy(values, mean):  # noqa: F811
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")

    def tilted(t):  # quadratic, not linear, in the value
        w = np.exp(-(10.0**t) * 0.3 * (values - shift) ** 2 / np.ptp(values) ** 2)
        return w / w.sum()

    shift = optimize.brentq(
        lambda s: _mean_at(values, s) - mean, values.min() - 50 * np.ptp(values), values.max() + 50 * np.ptp(values)
    )
    return tilted(1.0)


def _mean_at(values, shift):
    e = -3.0 * (values - shift) ** 2 / np.ptp(values) ** 2
    w = np.exp(e - e.max())
    return w @ values / w.sum()


@mutant("04.7", hint="raise ValueError")
def maximum_entropy(values, mean):  # noqa: F811
    def tilted(t):
        w = np.exp(t * (values - mean) - np.max(t * (values - mean)))
        return w / w.sum()

    low, high = -60.0 / np.ptp(values), 60.0 / np.ptp(values)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if tilted(middle) @ values < mean else (low, middle)
    return tilted(low)
