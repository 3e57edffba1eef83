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
    is_distribution,
    numbers,
    plain,
)


def every(d: int) -> np.ndarray:
    """(2^d, d) all binary vectors."""
    return np.array(list(itertools.product([0, 1], repeat=d)))


# 08.1 -----------------------------------------------------------------------------------------------------------------


@exercise("08.1", "sequence_log_prob", points=1)
def _(answer, rng):
    start, move = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), size=3)

    def chain(prefix):  # a Markov chain
        return (start if not len(prefix) else move[int(prefix[-1])]).copy()

    for n in (1, 7):
        ids = rng.integers(3, size=n)
        bets = np.array([start[ids[0]], *(move[a, b] for a, b in zip(ids, ids[1:], strict=False))])
        with np.errstate(divide="ignore"):
            peek = np.log([move[a, a] for a in ids]).sum()
        want = np.log(bets).sum()
        mistakes = [
            (want / math.log(2), BITS),
            (-want, "that is the surprise: the log-probability is negative"),
            (want / n, "that is the mean over positions; a sequence's log-probability is the sum"),
            (bets.prod(), "that is the probability itself: take the logarithm"),
            (peek, "the guesser was shown the symbol that it is to guess: the prefix ends before it"),
        ]
        if n > 1:
            mistakes.append((np.log(bets[1:]).sum(), "the first symbol costs something too: its prefix is empty"))
        given = f"ids = {brief(ids)} and a chain with start {brief(start)}"
        got = answer(chain, ids.copy())
        expect_close(got, want, "the logarithm of a product is a sum of logarithms", given=given, mistakes=mistakes)
    long = rng.integers(3, size=2000)
    bets = [start[long[0]], *(move[a, b] for a, b in zip(long, long[1:], strict=False))]
    expect_close(
        answer(chain, long.copy()),
        np.log(bets).sum(),
        "long sequences have tiny probabilities",
        given="2,000 symbols",
        mistakes=[(-math.inf, "the product is too small for a float and becomes 0: add logarithms instead")],
    )


# 08.2 -----------------------------------------------------------------------------------------------------------------


@exercise("08.2", "back_off", points=2)
def _(answer, rng):
    for k in (4, 9):
        counts, shorter = rng.poisson(1.2, size=k), rng.dirichlet(np.ones(k))
        counts[rng.integers(k)] += 5
        counts[(counts.argmax() + 1) % k] = 0
        n, kinds = counts.sum(), (counts > 0).sum()
        given = f"counts = {brief(counts)}, shorter = {brief(shorter)}"
        got = answer(counts.copy(), shorter.copy())
        expect_close(
            got,
            (counts + kinds * shorter) / (n + kinds),
            "p = (N + T p_shorter) / (sum of N + T)",
            given=given,
            mistakes=[
                (counts / n, "that is counting alone: what never came still has probability 0"),
                ((counts + n * shorter) / (2 * n), "T is how many *different* symbols came, not how often any came"),
                ((counts + 1) / (n + k), "that adds one to each; spread T as the shorter context says"),
                ((counts + kinds / k) / (n + kinds), "the T imaginary ones go to `shorter`, not evenly to all"),
                (
                    np.where(counts > 0, counts, kinds * shorter) / (n + kinds),
                    "symbols that came get their share of the imaginary ones as well, not only those that did not",
                ),
                (
                    (counts + kinds * shorter) / n,
                    "they do not sum to one: the T imaginary ones belong in the total too",
                ),
                ((counts + k * shorter) / (n + k), "T counts the symbols that came, not all there are"),
            ],
        )
        expect(is_distribution(numbers(got)), "the result is a distribution", given=given, got=brief(got))
    got = numbers(answer(np.zeros(k, dtype=int), shorter.copy()), "what never came is asked below")
    expect_close(
        got,
        shorter,
        "a context that never came knows no better than the shorter one",
        given="counts = all zero",
        mistakes=[(np.full(k, np.nan), "0 / 0: return `shorter` where no symbol was counted")],
    )


# 08.3 -----------------------------------------------------------------------------------------------------------------


@exercise("08.3", "ancestral_sample", points=2)
def _(answer, rng):
    d, n = 3, 20_000
    order = np.array([2, 0, 1])
    place = np.argsort(order)
    tables = [np.array([0.25]), np.array([0.9, 0.2]), np.array([0.15, 0.7, 0.6, 0.1])]  # p(1 | values before)
    tables = [np.clip(t + rng.uniform(-0.05, 0.05, size=len(t)), 0.05, 0.95) for t in tables]

    def conditional(x, i):
        k = int(place[i])
        before = np.asarray(x)[:, order[:k]].astype(int)  # (n, k)
        return tables[k][before @ (2 ** np.arange(k)[::-1]) if k else np.zeros(len(before), dtype=int)]

    def joint(drawn):  # probabilities of all x if each is drawn knowing only what stands in `drawn`
        x, p = every(d), np.ones(2**d)
        for i in range(d):
            known = np.where([place[j] < place[i] and drawn(j, i) for j in range(d)], x, 0)
            a = conditional(known, i)
            p *= np.where(x[:, i] == 1, a, 1 - a)
        return p

    source = np.random.default_rng(int(rng.integers(2**31)))

    def simulated(
        draws, columns
    ):  # the shares if variable order[k] is compared with draws[:, k] and goes to columns[k]
        x = np.zeros((n, d), dtype=int)
        for k, i in enumerate(order):
            x[:, columns[k]] = draws[:, k] < conditional(x, i)
        return np.bincount(x @ [4, 2, 1], minlength=8) / n

    x = numbers(answer(conditional, order.copy(), n, source), "samples are an array of 0 and 1")
    expect_shape(x, (n, d), "n samples of D variables")
    expect(
        bool(np.isin(x, (0, 1)).all()), "entries are 0 or 1", got=brief(x), hint="1 where a uniform number is below p"
    )
    share = np.bincount((x.astype(int) @ [4, 2, 1]), minlength=8) / n
    right = joint(lambda j, i: True)
    hint = ""
    if share.max() > 0.999:
        hint = "all are equal: do not round p; compare it with a uniform number, each sample with its own"
    uniform = rng.random((n, d))
    for wrong, words in (
        (simulated(uniform[:, :1].repeat(d, 1), order), "each variable needs a uniform number of its own, too"),
        (simulated(uniform, range(d)), "variable order[k] stands in column order[k] of x, not in column k"),
        (
            joint(lambda j, i: order[j] < order[i]),
            "`order` itself says who comes next; argsort(order) says something else",
        ),
        (joint(lambda j, i: j < i), "the variables are drawn in the order of their index; order[0] comes first"),
        (joint(lambda j, i: False), "each was asked before the others were written into x"),
        (right[::-1], "0 and 1 are swapped: a uniform number is below p with probability p"),
    ):
        if np.abs(share - wrong).max() < 5 * math.sqrt(0.25 / n):
            hint = words
    expect(
        bool(np.abs(share - right).max() < 5 * math.sqrt(0.25 / n)),
        "samples come as often as the chain rule says",
        given=f"{n:,} samples of {d} variables, order = {brief(order)}",
        expected=brief(right),
        got=brief(share),
        hint=hint,
    )


# 08.4 -----------------------------------------------------------------------------------------------------------------


@exercise("08.4", "belief_net_log_prob", points=3)
def _(answer, rng):
    d = 6
    x = every(d)
    for _ in range(2):
        W, b = rng.normal(size=(d, d)) * 2, rng.normal(size=d)
        got = numbers(answer(x.copy(), W.copy(), b.copy()), "log-probabilities are numbers")
        expect_shape(got, (2**d,), "one number for each picture")

        def log_prob(weights, b=b):
            logits = x @ weights.T + b
            return -np.logaddexp(0, np.where(x == 1, -logits, logits))  # (B, D)

        low = np.tril(W, -1)
        expect_close(
            got,
            log_prob(low).sum(1),
            "the sum over pixels of the log-probability of each, given those before it",
            given=f"all {2**d} pictures; your probabilities sum to {np.exp(np.minimum(got, 50)).sum():.4g}",
            mistakes=[
                (log_prob(low).mean(1), "that is the mean over pixels; a picture's log-probability is the sum"),
                (log_prob(np.tril(W)).sum(1), "the diagonal is in: each pixel sees itself, and guesses itself well"),
                (log_prob(np.tril(W)).mean(1), "the diagonal is in, and the mean over pixels was taken"),
                (log_prob(W).sum(1), "all weights are used: each pixel sees the later ones, too"),
                (log_prob(np.triu(W, 1)).sum(1), "that is the triangle above: each pixel sees those after it"),
                (log_prob(low.T).sum(1), "W is transposed: W[i, j] tells pixel i about pixel j"),
                (log_prob(low).sum(1) / math.log(2), BITS),
                (-log_prob(low).sum(1), "the sign: a log-probability is negative"),
            ],
            atol=1e-7,
        )
    W, b = np.zeros((2, 2)), np.array([1000.0, -1000.0])
    got = numbers(answer(np.array([[1, 0], [0, 1]]), W, b), "log-probabilities are numbers")
    expect_close(
        got,
        [0.0, -2000.0],
        "log-probabilities survive large logits",
        given="W = 0, b = [1000, -1000], x = [[1, 0], [0, 1]]",
        mistakes=[
            ([0.0, 2 * math.log(1e-9)], "the constant 1e-9 hides the cost"),
            ([2e-9, 2 * math.log(1e-9)], "the constant 1e-9 hides the cost"),
            ([0.0, -math.inf], "exp overflowed: use logaddexp, log sigma(a) = -log(1 + exp(-a))"),
            ([np.nan, np.nan], "exp overflowed: use logaddexp, log sigma(a) = -log(1 + exp(-a))"),
        ],
        atol=1e-6,
    )


# 08.5 -----------------------------------------------------------------------------------------------------------------


@exercise("08.5", "made_masks", points=2)
def _(answer, rng):
    for d, h in ((3, 5), (6, 40)):
        place = rng.permutation(d)
        degrees = np.concatenate([np.arange(1, d), rng.integers(1, d, size=h - d + 1)])
        given = f"place = {brief(place)}, degrees = {brief(degrees)}"
        got = answer(place.copy(), degrees.copy())
        expect(isinstance(got, (tuple, list)) and len(got) == 2, "two masks are returned", given=given, got=type(got))
        into, out = (numbers(m, "a mask is an array of 0 and 1").astype(float) for m in got)
        for name, mask, shape in (("inputs to hidden", into, (h, d)), ("hidden to outputs", out, (d, h))):
            expect_shape(
                mask,
                shape,
                f"the mask from {name} has the shape of a weight matrix, (outputs, inputs)",
                given=given,
                hint="transposed: rows are what is computed" if mask.shape == shape[::-1] else "",
            )
            expect(np.isin(mask, (0, 1)).all(), "masks hold 0 and 1", given=given, got=brief(mask))
        ways = out @ into
        inside = place[None] < place[:, None]  # j before i
        leaking = np.argwhere((ways > 0) & ~inside)
        hint = ""
        if len(leaking):
            i, j = leaking[0]
            if ((ways > 0) == (np.tril(np.ones((d, d)), -1) > 0)).all():
                hint = "these are masks for the order 0, 1, 2, ...; use `place`"
            elif i == j:
                hint = "an output sees its own input: the second mask needs a strict inequality"
            elif ((ways > 0) == (np.argsort(place)[None] < np.argsort(place)[:, None])).all():
                hint = "place[j] is where variable j stands, not which variable stands at j"
        expect(
            not len(leaking),
            "no way leads from an input to an output at its own place or before it",
            given=given,
            got=f"variable {leaking[0][1]} reaches output {leaking[0][0]}" if len(leaking) else "",
            hint=hint,
        )
        expect_equal(
            into.sum(1).astype(int).tolist(),
            degrees.tolist(),
            "a hidden unit of degree m sees the first m variables, all of them",
            given=given,
            hint="how many inputs each hidden unit sees is compared here: places 0 ... m - 1 are m places",
        )
        for at in np.argwhere(out == 0):
            more = out.copy()
            more[tuple(at)] = 1
            expect(
                bool(((more @ into > 0) & ~inside).any()),
                "as many connections as possible are kept",
                given=given,
                got=f"in the mask from hidden to outputs, entry {tuple(at.tolist())} is 0 but would let nothing leak",
                hint="the output at place i may see every unit of degree i or less",
            )


# 08.6 -----------------------------------------------------------------------------------------------------------------


@exercise("08.6", "leaks", points=3)
def _(answer, rng):
    def network(place, extra, sleepy):
        """Causal in the order, with extra dependences (i, j) added, which sleep near 0 if asked."""
        d = len(place)
        allowed = place[None] < place[:, None]
        A = np.where(allowed, rng.uniform(0.5, 1.5, size=(d, d)), 0.0)
        B = np.zeros((d, d))
        for i, j in extra:
            B[i, j] = rng.uniform(1, 2)

        def f(x):
            x = np.asarray(x, dtype=float)
            expect(x.ndim == 2 and x.shape[1] == d, "f reads a batch", expected=f"shape (B, {d})", got=f"{x.shape}")
            bump = np.maximum(np.abs(x) - 1.5, 0) if sleepy else np.tanh(x)
            return np.sin(x) @ A.T + bump @ B.T

        return f

    cases = [
        (np.arange(4), [], False, ""),
        (np.arange(4), [(1, 1)], False, "the diagonal counts: output i may not see x[i]"),
        (np.arange(4), [(0, 3), (2, 3)], False, ""),
        (np.array([2, 0, 3, 1]), [], False, "what is before what is said by `place`, not by the index"),
        (np.array([2, 0, 3, 1]), [(1, 2), (3, 3)], False, "what is before what is said by `place`, not by the index"),
        (
            np.arange(5),
            [(0, 4), (3, 3)],
            True,
            "some outputs move only when an input moves far, or far from 0: try more",
        ),
        (
            np.arange(3),
            [(0, 0), (1, 1), (2, 2)],
            True,
            "some outputs move only when an input moves far: try more points",
        ),
    ]
    for place, extra, sleepy, hint in cases:
        got = plain(answer(network(place, extra, sleepy), place.copy(), rng), "a list of pairs of whole numbers")
        given = f"place = {brief(place)}, and a network that leaks at {extra or 'no pair'}"
        expect(isinstance(got, list), "the answer is a list of pairs", given=given, got=type(got).__name__)
        got = sorted([int(v) for v in pair] for pair in got)
        swapped = sorted([j, i] for i, j in extra)
        if got == swapped and got != sorted(map(list, extra)):
            hint = "the pair is (i, j): output i sees input j"
        elif not hint and any(0 <= i < len(place) and 0 <= j < len(place) and place[j] < place[i] for i, j in got):
            hint = "a dependence on a variable *before* i is no leak"
        expect_equal(got, sorted(map(list, extra)), "the leaks, all of them and no others", given=given, hint=hint)
