"""Wrong and differently written answers to the exercises of lesson 04."""

import heapq
import itertools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
from scipy import optimize, stats

from genutils.coding import huffman_code
from tests.mutants import alternative, mutant


def _bits(p):
    p = np.asarray(p)[np.asarray(p) > 0]
    return float(-(p * np.log2(p)).sum())


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


@alternative("04.1")
def entropy_bits(p):  # noqa: F811
    return sum(-float(x) * math.log(x, 2) for x in p if x > 0)


@alternative("04.1")
def entropy_bits(p):  # noqa: F811
    p = np.asarray(p, dtype=np.float32)
    return -np.sum(np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0))


@alternative("04.1")
def entropy_bits(p):  # noqa: F811
    return float(np.nansum(-p * np.log(p)) / np.log(2))


@mutant("04.1", hint="Gini")
def entropy_bits(p):  # noqa: F811
    return 1 - np.sum(p**2)


@mutant("04.1", hint="log of the average p")
def entropy_bits(p):  # noqa: F811
    return -np.log2(np.sum(p**2))


@mutant("04.1", hint="commonest symbol only")
def entropy_bits(p):  # noqa: F811
    return -np.log2(np.max(p))


@mutant("04.1", hint="equally likely")
def entropy_bits(p):  # noqa: F811
    return np.log2(np.count_nonzero(p))


@mutant("04.1", hint="weight each surprise")
def entropy_bits(p):  # noqa: F811
    return -np.log2(p[p > 0]).sum()


@mutant("04.1", hint="base 10")
def entropy_bits(p):  # noqa: F811
    p = p[p > 0]
    return -(p * np.log10(p)).sum()


@mutant("04.1", hint="")
def entropy_bits(p):  # noqa: F811
    p = p[p > 1e-3]  # rare symbols are forgotten
    return -(p * np.log2(p)).sum()


@mutant("04.1", hint="")
def entropy_bits(p):  # noqa: F811
    p = p[p > 0]
    return round(float(-(p * np.log2(p)).sum()), 3)


@mutant("04.1", hint="")
def entropy_bits(p):  # noqa: F811
    return float(huffman_code(p).expected_length(p))


@mutant("04.1", hint="")
def entropy_bits(p):  # noqa: F811
    p = p + 1e-6  # never zero, and no longer a distribution
    return -(p * np.log2(p)).sum()


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


@alternative("04.2")
def huffman_words(p):  # noqa: F811
    return list(huffman_code(p).words)


@alternative("04.2")
def huffman_words(p):  # noqa: F811
    def walk(node, word, words):
        if isinstance(node, int):
            words[node] = word
            return
        walk(node[0], word + "1", words)
        walk(node[1], word + "0", words)

    nodes = [(q, i) for i, q in enumerate(p)]
    while len(nodes) > 1:
        nodes.sort(key=lambda node: -node[0])
        (a, left), (b, right) = nodes.pop(), nodes.pop()
        nodes.append((a + b, (left, right)))
    words = {}
    walk(nodes[0][1], "", words)
    return tuple(words[i] for i in range(len(p)))


@mutant("04.2", hint="splitting from the top")
def huffman_words(p):  # noqa: F811
    words, order = [""] * len(p), np.argsort(-p, kind="stable")

    def split(group):
        if len(group) < 2:
            return
        mass = np.cumsum(p[group])
        cut = int(np.argmin(np.abs(2 * mass[:-1] - mass[-1]))) + 1
        for i, s in enumerate(group):
            words[s] += "0" if i < cut else "1"
        split(group[:cut])
        split(group[cut:])

    split(order)
    return words


def _huffman(p):
    return _merge(p, lambda g: (g.pop(0), g.pop(0)), lambda bit, word: bit + word)


@mutant("04.2", hint="to the wrong symbols")
def huffman_words(p):  # noqa: F811
    return sorted(_huffman(p), key=len)  # in the order of probability, not of p


@mutant("04.2", hint="to the wrong symbols")
def huffman_words(p):  # noqa: F811
    return _huffman(p)[::-1]


@mutant("04.2", hint="taken again at once")
def huffman_words(p):  # noqa: F811
    order, words = np.argsort(-p, kind="stable"), [""] * len(p)
    for place, s in enumerate(order):  # 0, 10, 110, ...: best for steep distributions only
        words[s] = "1" * place + ("0" if place < len(p) - 1 else "")
    return words


@mutant("04.2", hint="")
def huffman_words(p):  # noqa: F811
    def pick(groups):  # by the most probable member instead of the sum
        groups.sort(key=lambda g: max(p[i] for i in g[1]))
        return groups.pop(0), groups.pop(0)

    return _merge(p, pick, lambda bit, word: bit + word)


@mutant("04.2", hint="")
def huffman_words(p):  # noqa: F811
    def pick(groups):  # neighbours only: a code in alphabetical order
        groups.sort(key=lambda g: min(g[1]))
        i = min(range(len(groups) - 1), key=lambda i: groups[i][0] + groups[i + 1][0])
        return groups.pop(i), groups.pop(i)

    return _merge(p, pick, lambda bit, word: bit + word)


@mutant("04.2", hint="")
def huffman_words(p):  # noqa: F811
    words = _huffman(p)
    words[0], words[1] = words[1] + "0", words[0]  # no longer what it was
    return words


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


@mutant("04.3", hint="integers do")
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


@mutant("04.3", hint="*and* stretch")
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


@mutant("04.3", hint="first that is wrong")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = Fraction(number, 2**bits), []
    for _ in range(n):
        s = min((i for i in range(len(counts)) if Fraction(starts[i], total) >= v), default=0)
        out.append(s)
        v = abs(v * total - starts[s]) / counts[s]
    return out


@alternative("04.3")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    if n == 0:
        return []
    target, total, start = (number * sum(counts)) // 2**bits, sum(counts), 0
    s = 0
    while target >= start + counts[s]:
        start, s = start + counts[s], s + 1
    rest = Fraction(number * total - start * 2**bits, counts[s] * 2**bits)
    return [s, *_rest(rest.numerator, rest.denominator, n - 1, counts)]


def _rest(above, below, n, counts):
    total, starts, out = sum(counts), [0, *itertools.accumulate(counts)], []
    for _ in range(n):
        s = np.searchsorted(np.array(starts, dtype=object), above * total // below, side="right") - 1
        out.append(int(s))
        above, below = above * total - starts[s] * below, below * counts[s]
    return out


@alternative("04.3")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts, out = sum(counts), [0, *itertools.accumulate(counts)], []
    low, width = Fraction(0), Fraction(1)  # narrow as the encoder does, instead of stretching
    for _ in range(n):
        for s, count in enumerate(counts):
            left = low + width * Fraction(starts[s], total)
            if left <= Fraction(number, 2**bits) < left + width * Fraction(count, total):
                low, width = left, width * Fraction(count, total)
                break
        out.append(s)
    return np.array(out, dtype=int)


@mutant("04.3", hint="")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    out = _decode_with(Fraction, number, bits, n, counts)
    while out and out[-1] == 0:  # stops when nothing is left of the number
        out.pop()
    return out


@mutant("04.3", hint="first that is wrong")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    return _decode_with(Fraction, number, number.bit_length(), n, counts)  # leading zeros are lost


@mutant("04.3", hint="53 binary digits")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = number / 2**bits, []
    for _ in range(n):  # in floats
        s = max(i for i in range(len(counts)) if starts[i] <= v * total)
        out.append(s)
        v = (v * total - starts[s]) / counts[s]
    return out


@mutant("04.3", hint="belongs to it: <=")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = Fraction(number, 2**bits), []
    for _ in range(n):  # < where <= belongs
        s = max((i for i in range(len(counts)) if Fraction(starts[i], total) < v), default=0)
        out.append(s)
        v = (v * total - starts[s]) / counts[s]
    return out


@mutant("04.3", hint="in proportion to the counts")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    return _decode_with(Fraction, number, bits, n, [1] * len(counts))  # as if all were equally likely


@mutant("04.3", hint="divide by its count")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    v, out = Fraction(number, 2**bits), []
    for _ in range(n):  # stretched by the total instead of by the share
        s = max(i for i in range(len(counts)) if Fraction(starts[i], total) <= v)
        out.append(s)
        v = v * total - starts[s]
    return out


def _decode_exact_but(number, bits, n, counts, stretch):
    total, starts = sum(counts), [0, *itertools.accumulate(counts)]
    one, out = stretch.unit(bits), []
    x = stretch.start(number, bits)
    for _ in range(n):
        s = max((i for i in range(len(counts)) if starts[i] * one <= x * total), default=0)
        out.append(s)
        x = stretch.divide(x * total - starts[s] * one, counts[s])
    return out


class _Floor:  # integers, but the division throws its remainder away
    def __init__(self, spare):
        self.spare = spare

    def unit(self, bits):
        return 1 << (bits + self.spare)

    def start(self, number, bits):
        return number << self.spare

    def divide(self, x, count):
        return x // count


class _Digits(_Floor):  # as many decimal digits as somebody thought enough
    def unit(self, bits):
        return Decimal(1)

    def start(self, number, bits):
        return Decimal(number) / Decimal(2**bits)

    def divide(self, x, count):
        return x / count


@mutant("04.3", hint="something was rounded")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    return _decode_exact_but(number, bits, n, counts, _Floor(0))


@mutant("04.3", hint="something was rounded")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    return _decode_exact_but(number, bits, n, counts, _Floor(200))


@mutant("04.3", hint="however many")
def arithmetic_decode(number, bits, n, counts):  # noqa: F811
    with localcontext() as context:
        context.prec = 2000
        return _decode_exact_but(number, bits, n, counts, _Digits(0))


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


@alternative("04.4")
def miller_madow_bits(counts):  # noqa: F811
    seen = [int(c) for c in counts if c > 0]
    n = sum(seen)
    return math.log2(n) - sum(c * math.log2(c) for c in seen) / n + (len(seen) - 1) / (2 * n * math.log(2))


@alternative("04.4")
def miller_madow_bits(counts):  # noqa: F811
    counts = np.asarray(counts, dtype=np.float32)
    p = counts / counts.sum()
    log_p = np.log2(p, out=np.zeros_like(p), where=p > 0)
    return -(p * log_p).sum() + (np.sum(p > 0) - 1) / (2 * counts.sum() * np.log(np.float32(2)))


@mutant("04.4", hint="a half is missing")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) + ((counts > 0).sum() - 1) / (counts.sum() * np.log(2))


@mutant("04.4", hint="is added")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) - ((counts > 0).sum() - 1) / (2 * counts.sum() * np.log(2))


@mutant("04.4", hint="seen - 1, not seen")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) + (counts > 0).sum() / (2 * counts.sum() * np.log(2))


@mutant("04.4", hint="nats")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) * np.log(2) + ((counts > 0).sum() - 1) / (2 * counts.sum())


@mutant("04.4", hint="sum of the counts")
def miller_madow_bits(counts):  # noqa: F811
    return _plug_in(counts) + ((counts > 0).sum() - 1) / (2 * len(counts) * np.log(2))


@mutant("04.4", hint="may lie above")
def miller_madow_bits(counts):  # noqa: F811
    right = _plug_in(counts) + ((counts > 0).sum() - 1) / (2 * counts.sum() * np.log(2))
    return min(right, np.log2(len(counts)))


@mutant("04.4", hint="0 times log 0")
def miller_madow_bits(counts):  # noqa: F811
    p = counts / counts.sum()
    return -(p * np.log2(p)).sum() + ((p > 0).sum() - 1) / (2 * counts.sum() * np.log(2))


@mutant("04.4", hint="")
def miller_madow_bits(counts):  # noqa: F811
    n, counts = counts.sum(), counts[counts > 0]  # the jackknife: another correction
    less = [_plug_in(counts - np.eye(len(counts), dtype=int)[k]) for k in range(len(counts))]
    return n * _plug_in(counts) - (n - 1) / n * (counts * less).sum()


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


@alternative("04.5")
def chain_rule_terms(joint):  # noqa: F811
    a, b = joint.shape
    px = [sum(joint[i][j] for j in range(b)) for i in range(a)]
    h = -sum(px[i] * math.log2(px[i]) for i in range(a) if px[i] > 0)
    rest = -sum(joint[i][j] * math.log2(joint[i][j] / px[i]) for i in range(a) for j in range(b) if joint[i][j] > 0)
    return h, rest, h + rest


@alternative("04.5")
def chain_rule_terms(joint):  # noqa: F811
    joint = joint.astype(np.float32)
    px = joint.sum(1)
    rows = stats.entropy(joint[px > 0], base=2, axis=1)  # divides each row by its sum
    return np.array([_h(px), px[px > 0] @ rows, _h(joint)])


@mutant("04.5", hint="in this order")
def chain_rule_terms(joint):  # noqa: F811
    hx, hxy = _h(joint.sum(1)), _h(joint)
    return hx, hxy, hxy - hx


@mutant("04.5", hint="H(X | Y)")
def chain_rule_terms(joint):  # noqa: F811
    return _h(joint.sum(1)), _h(joint) - _h(joint.sum(0)), _h(joint)


@mutant("04.5", hint="has not been used")
def chain_rule_terms(joint):  # noqa: F811
    return _h(joint.sum(1)), _h(joint.sum(0)), _h(joint)


@mutant("04.5", hint="only if X and Y are independent")
def chain_rule_terms(joint):  # noqa: F811
    hx, hy, hxy = _h(joint.sum(1)), _h(joint.sum(0)), _h(joint)
    return hx, hxy - hx, hx + hy


@mutant("04.5", hint="nats")
def chain_rule_terms(joint):  # noqa: F811
    hx, hxy = _h(joint.sum(1)), _h(joint)
    return [v * np.log(2) for v in (hx, hxy - hx, hxy)]


@mutant("04.5", hint="what knowing X saves")
def chain_rule_terms(joint):  # noqa: F811
    hx, hy, hxy = _h(joint.sum(1)), _h(joint.sum(0)), _h(joint)
    return hx, hx + hy - hxy, hxy


@mutant("04.5", hint="its probability p(x)")
def chain_rule_terms(joint):  # noqa: F811
    rows = [_h(r / r.sum()) for r in joint if r.sum()]
    return _h(joint.sum(1)), sum(rows), _h(joint)


@mutant("04.5", hint="")
def chain_rule_terms(joint):  # noqa: F811
    joint = joint[joint.sum(1) > 1e-2]  # rare rows are forgotten
    return _h(joint.sum(1)), _h(joint) - _h(joint.sum(1)), _h(joint)


@mutant("04.5", hint="")
def chain_rule_terms(joint):  # noqa: F811
    px = joint.sum(1)
    inside = sum(a * _bits(row / a) for a, row in zip(px, joint, strict=True) if a > 0)
    return _bits(px), inside, _bits(np.unique(joint))  # equal probabilities are counted once


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


@mutant("04.6", hint="what is left to say")
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


@alternative("04.6")
def pixel_information(images, first, second):  # noqa: F811
    pairs = [(int(im[first]), int(im[second])) for im in images]
    n, both = len(pairs), {}
    for pair in pairs:
        both[pair] = both.get(pair, 0) + 1
    left = {a: sum(c for (x, _), c in both.items() if x == a) for a, _ in both}
    right = {b: sum(c for (_, y), c in both.items() if y == b) for _, b in both}
    return sum(c / n * math.log2(c * n / (left[a] * right[b])) for (a, b), c in both.items())


@alternative("04.6")
def pixel_information(images, first, second):  # noqa: F811
    x, y = images[:, first[0], first[1]], images[:, second[0], second[1]]
    h, p_x = 0.0, {}
    for level in np.unique(x):  # H(Y) - H(Y | X)
        p_x[level] = np.mean(x == level)
        h += p_x[level] * stats.entropy(np.unique(y[x == level], return_counts=True)[1], base=2)
    return np.float32(stats.entropy(np.unique(y, return_counts=True)[1], base=2) - h)


@mutant("04.6", hint="overflows")
def pixel_information(images, first, second):  # noqa: F811
    x, y = images[:, first[0], first[1]], images[:, second[0], second[1]]
    pair = x.astype(np.uint8) * np.uint8(17) + y.astype(np.uint8)
    return sum(_h(np.unique(v, return_counts=True)[1] / len(v)) * s for v, s in ((x, 1), (y, 1), (pair, -1)))


@mutant("04.6", hint="")
def pixel_information(images, first, second):  # noqa: F811
    x, y = (images[:, q[0], q[1]].astype(int) for q in (first, second))  # pairs that share a number
    return sum(_h(np.unique(v, return_counts=True)[1] / len(v)) * s for v, s in ((x, 1), (y, 1), (10 * x + y, -1)))


@mutant("04.6", hint="joint entropy")
def pixel_information(images, first, second):  # noqa: F811
    return _h(_counts(images, first, second))


@mutant("04.6", hint="(row, column)")
def pixel_information(images, first, second):  # noqa: F811
    h = [_h(_counts(images.transpose(0, 2, 1), *q)) for q in ([first], [second], [first, second])]
    return h[0] + h[1] - h[2]


@mutant("04.6", hint="without a correction")
def pixel_information(images, first, second):  # noqa: F811
    n, parts = len(images), [_counts(images, *q) for q in ([first], [second], [first, second])]
    h = [_h(c) + (len(c) - 1) / (2 * n * np.log(2)) for c in parts]
    return h[0] + h[1] - h[2]


@mutant("04.6", hint="not divided by an entropy")
def pixel_information(images, first, second):  # noqa: F811
    h = [_h(_counts(images, *q)) for q in ([first], [second], [first, second])]
    return (h[0] + h[1] - h[2]) / h[0] if h[0] else 0.0


@mutant("04.6", hint="")
def pixel_information(images, first, second):  # noqa: F811
    h = [_h(_counts(images[:100], *q)) for q in ([first], [second], [first, second])]
    return h[0] + h[1] - h[2]


@mutant("04.6", hint="")
def pixel_information(images, first, second):  # noqa: F811
    table = np.zeros((17, 17))  # as many levels as the digits have, and no more
    x, y = (images[:, q[0], q[1]].clip(0, 16) for q in (first, second))
    np.add.at(table, (x, y), 1 / len(images))
    return _h(table.sum(1)) + _h(table.sum(0)) - _h(table)


@mutant("04.6", hint="")
def pixel_information(images, first, second):  # noqa: F811
    u, v = (images[:, r, c].tolist() for r, c in (first, second))

    def h(parts):
        return _bits(np.unique(parts, axis=0, return_counts=True)[1] / len(parts))

    found = h(u) + h(v) - h(list(zip(u, v, strict=True)))
    return found if found > 0.05 else 0.0  # little is called nothing


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


def _solved(values, mean):
    values = np.asarray(values, dtype=float)
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")
    u = (values - mean) / np.ptp(values)

    def tilted(t):
        w = np.exp(t * u - (t * u).max())
        return w / w.sum()

    return tilted(optimize.brentq(lambda t: tilted(t) @ u, -1e4, 1e4, xtol=1e-12))


@alternative("04.7")
def maximum_entropy(values, mean):  # noqa: F811
    if not min(values) < mean < max(values):
        raise ValueError("the mean lies outside")
    size = max(values) - min(values)
    low, high = -5000.0, 5000.0
    for _ in range(150):  # in plain Python
        slope = (low + high) / 2
        logs = [slope * (float(v) - mean) / size for v in values]
        weights = [math.exp(x - max(logs)) for x in logs]
        p = [w / sum(weights) for w in weights]
        low, high = (slope, high) if sum(q * v for q, v in zip(p, values, strict=True)) < mean else (low, slope)
    return p


@alternative("04.7")
def maximum_entropy(values, mean):  # noqa: F811
    if mean <= np.min(values) or mean >= np.max(values):
        raise ValueError("no such mean")
    u, t = (values - mean) / np.ptp(values), 0.0
    for _ in range(500):  # Newton's steps, kept short
        w = np.exp(t * u - np.max(t * u))
        p = w / w.sum()
        t -= np.clip((p @ u) / (p @ u**2 - (p @ u) ** 2), -2, 2)
    return p.astype(np.float32) / p.astype(np.float32).sum()


@mutant("04.7", hint="the order of the values")
def maximum_entropy(values, mean):  # noqa: F811
    return _solved(np.sort(values), mean)


@mutant("04.7", hint="")
def maximum_entropy(values, mean):  # noqa: F811
    values = np.asarray(values, dtype=float)
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")

    def tilted(t):  # overflows where the values lie far from zero
        w = np.exp(t * values)
        return w / w.sum()

    end = 1.0
    while tilted(end) @ values < mean or tilted(-end) @ values > mean:
        end *= 2
    return tilted(optimize.brentq(lambda t: tilted(t) @ values - mean, -end, end))


@mutant("04.7", hint="")
def maximum_entropy(values, mean):  # noqa: F811
    return _solved(values, mean) * np.log2(np.e)  # no longer sums to one


@mutant("04.7", hint="straight line")
def maximum_entropy(values, mean):  # noqa: F811
    p = _solved(values, mean)  # a tenth of the way towards the two ends, with the same mean
    ends = np.zeros(len(p))
    low, high = np.argmin(values), np.argmax(values)
    ends[high] = (mean - values[low]) / (values[high] - values[low])
    ends[low] = 1 - ends[high]
    return 0.9 * p + 0.1 * ends


@mutant("04.7", hint="bracket that is too narrow")
def maximum_entropy(values, mean):  # noqa: F811
    values = np.asarray(values, dtype=float)
    if not values.min() < mean < values.max():
        raise ValueError("no such mean")
    u = (values - mean) / np.ptp(values)

    def tilted(t):
        w = np.exp(t * u - (t * u).max())
        return w / w.sum()

    low, high = -20.0, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if tilted(middle) @ u < 0 else (low, middle)
    return tilted(low)


def _bisected(values, mean, steps):
    u, low, high = (values - mean) / np.ptp(values), -1e6, 1e6
    for _ in range(steps):
        slope = (low + high) / 2
        w = np.exp(slope * u - (slope * u).max())
        low, high = (slope, high) if w @ u < 0 else (low, slope)
    return w / w.sum()


@mutant("04.7", hint="stopped too soon")
def maximum_entropy(values, mean):  # noqa: F811
    if not min(values) < mean < max(values):
        raise ValueError("the mean is not between the values")
    return _bisected(values, mean, 24)


@mutant("04.7", hint="in no order")
def maximum_entropy(values, mean):  # noqa: F811
    if not values[0] < mean < values[-1]:
        raise ValueError("the mean is not between the values")
    return _bisected(values, mean, 300)
