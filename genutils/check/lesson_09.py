"""Checks of lesson 09, Transformers: what may be seen, what is kept, and sums over everything there is."""

from __future__ import annotations

import itertools
import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import (
    FLOAT32,
    NATS,
    WRITTEN,
    brief,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    number,
    numbers,
    pair,
    unchanged,
)


def softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(a - a.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def attend(q: np.ndarray, k: np.ndarray, v: np.ndarray, *, first: int | None = None) -> np.ndarray:
    """Causal attention; the first query stands at place ``first``, by default so that the last one is at the end."""
    first = len(k) - len(q) if first is None else first
    scores = q @ k.T / math.sqrt(q.shape[1])
    seen = np.arange(len(k))[None] <= first + np.arange(len(q))[:, None]
    return softmax(np.where(seen, scores, -np.inf)) @ v


# 09.1 -----------------------------------------------------------------------------------------------------------------


@exercise("09.1", "window_attention", points=2)
def _(answer, rng):
    for t, d, e, w in (
        (6, 4, 3, 3),
        (7, 9, 9, 2),
        (1, 2, 5, 1),
        (9, 3, 2, 4),
        (8, 5, 4, 1),
        (5, 4, 3, 5),
        (5, 6, 2, 40),
    ):
        q, k, v = rng.normal(size=(t, d)) * 2, rng.normal(size=(t, d)), rng.normal(size=(t, e))
        scores, back = q @ k.T / math.sqrt(d), np.arange(t)[:, None] - np.arange(t)[None]
        see = (back >= 0) & (back < w)
        raw = scores * math.sqrt(d)
        with np.errstate(all="ignore"):
            hidden = lambda mask, scores=scores: np.where(mask, scores, -np.inf)  # noqa: E731
            mistakes = [
                (softmax(scores) @ v, "no mask: a place sees what comes after it, and what is too old"),
                (softmax(hidden(back >= 0)) @ v, "nothing later, but also nothing older than the window"),
                (softmax(hidden(back < w)) @ v, "a place sees what comes after it"),
                (
                    softmax(hidden(np.abs(back) < w)) @ v,
                    "a place sees what comes after it: the window reaches back only",
                ),
                (softmax(hidden((back >= 0) & (back <= w))) @ v, "w places are the place itself and w - 1 before it"),
                (softmax(hidden((back > 0) & (back <= w))) @ v, "the window includes the place itself"),
                (softmax(hidden(see, raw)) @ v, "the scores are divided by the square root of d"),
                (softmax(hidden(see, raw / d)) @ v, "divided by d: take its square root"),
                (softmax(hidden(see, raw / math.sqrt(e))) @ v, "d is the size of a key, not of a value"),
                (softmax(hidden(see, raw / math.sqrt(t))) @ v, "d is the size of a key, not the length"),
                (softmax(hidden(see), 0) @ v, "the softmax goes the wrong way: the weights of each *query* sum to one"),
                (
                    softmax(hidden(see.T)) @ v,
                    "the mask is the wrong way round: the future is seen, and the past is not",
                ),
                (softmax(scores * see) @ v, "a score of 0 is not hidden: exp(0) is 1. Put minus infinity there"),
                ((softmax(scores) * see) @ v, "masked after the softmax: what is left no longer sums to one"),
                (softmax(hidden(see, q @ q.T / math.sqrt(d))) @ v, "queries meet keys, not queries"),
                (softmax(hidden(see, scores.T)) @ v, "row i is query i: q @ k.T"),
            ]
        kept = q.copy(), k.copy(), v.copy()
        got = numbers(answer(*kept, w), "each place gets a mixture of values")
        given = f"q {q.shape}, k {k.shape}, v {v.shape}, window = {w}"
        unchanged((q, k, v), kept, given=given)
        expect_shape(got, (t, e), "each of T places gets a mixture of values", given=given)
        says = "each place mixes the values of its window, with weights that sum to one"
        want = softmax(np.where(see, scores, -np.inf)) @ v
        expect_close(got, want, says, given=given, mistakes=mistakes if w not in (1, 40) else [], **FLOAT32)
    q, k, v = rng.normal(size=(6, 4)) * 1e4, rng.normal(size=(6, 4)), rng.normal(size=(6, 2))
    expect_close(
        numbers(answer(q.copy(), k.copy(), v.copy(), 6), "large scores are no harder than small ones"),
        attend(q, k, v, first=0),
        "large scores are no harder than small ones",
        given="queries ten thousand times as long",
        hint="exp of a large number is infinite: subtract the largest score of each row first",
        rtol=1e-4,
        atol=1e-5,
    )


# 09.2 -----------------------------------------------------------------------------------------------------------------


def _one_head(x, E, P, Wq, Wk, Wv, U, *, fault: str = "") -> float:
    """log p(x) of a Transformer of one layer and one head without norms, or what a slip makes of it."""
    t = len(x)
    inputs = np.concatenate([[len(E) - 1], x[:-1]]).astype(int) if fault != "not shifted" else x
    h = E[inputs] + P[:t]
    q, k, v = h @ Wq, h @ Wk, h @ Wv
    scores = q @ k.T / (1 if fault == "root" else math.sqrt(q.shape[1]))
    see = np.tril(np.ones((t, t)))
    if fault == "zero":
        scores = scores * see
    elif fault != "no mask":
        scores = np.where(see > 0, scores, -np.inf)
    w = softmax(scores, 0 if fault == "axis" else 1)
    mixed = w @ v
    logits = (mixed if fault == "stream" else h + mixed) @ U
    logp = np.log(softmax(logits))[np.arange(t), x]
    if fault == "first":
        logp = logp[1:]
    return float(logp.mean() if fault == "mean" else logp.sum())


@exercise("09.2", "one_head_log_prob", points=3)
def _(answer, rng):
    hints = {
        "not shifted": "place i is to guess x[i] from the input at its place, and that input is x[i]: shift it by one",
        "no mask": "there is no mask: a place sees the inputs after it",
        "zero": "a score of 0 is not hidden: exp(0) is 1. Put minus infinity there",
        "axis": "the softmax goes the wrong way: the weights of each *query* sum to one",
        "root": "the scores are divided by the root of the size of a key",
        "stream": "what attention finds is added to h: the residual stream goes on beside it",
        "first": "the first symbol has a price, too: it is guessed from the beginning",
        "mean": "the log-probability of a sequence is a sum",
    }
    for k, t, d in ((2, 4, 3), (3, 3, 5), (3, 3, 2)):
        made = rng.normal(size=(k + 1, d)), rng.normal(size=(t, d)), *rng.normal(size=(3, d, d)) * 1.2
        parts = (*made, rng.normal(size=(d, k)) / 2)
        total, worst = 0.0, None
        for x in itertools.product(range(k), repeat=t):
            x = np.array(x)
            kept = [x.copy(), *(part.copy() for part in parts)]
            given = f"x = {brief(x)}, K = {k}, T = {t}, d = {d}"
            got = number(answer(*kept), "one number: log p(x)", given=given)
            unchanged([x, *parts], kept, given=given)
            total += math.exp(min(got, 50.0))
            want = _one_head(x, *parts)
            if not math.isclose(got, want, rel_tol=1e-5, abs_tol=1e-6) and worst is None:
                hint = next(
                    (
                        words
                        for fault, words in hints.items()
                        if math.isclose(got, _one_head(x, *parts, fault=fault), rel_tol=1e-6)
                    ),
                    "",
                )
                worst = given, want, got, hint
        if worst:
            expect_close(
                total, 1.0, f"p sums to one over all {k**t} sequences", given=f"K = {k}, T = {t}", hint=worst[3]
            )
            expect(
                False,
                "log p(x) is that of the network: embeddings, one masked look back, added to the stream, logits",
                given=worst[0],
                expected=f"{worst[1]:.6g}",
                got=f"{worst[2]:.6g}",
                hint=worst[3],
            )
    short = rng.integers(3, size=2)
    parts = rng.normal(size=(4, 4)), rng.normal(size=(5, 4)), *rng.normal(size=(3, 4, 4)), rng.normal(size=(4, 3))
    got = number(answer(short.copy(), *(part.copy() for part in parts)), "a sequence may be shorter than the window")
    expect_close(
        got,
        _one_head(short, *parts),
        "a sequence may be shorter than the window",
        given="T = 2 symbols, and P of 5 places",
        hint="take the first places of P",
        rtol=1e-5,
        atol=1e-6,
    )
    loud = [part * (30 if i == 5 else 1) for i, part in enumerate(parts)]
    x = rng.integers(3, size=5)
    expect_close(
        number(answer(x.copy(), *(part.copy() for part in loud)), "it stays finite where logits are large"),
        _loud(x, *loud),
        "it stays finite where logits are large",
        given="U thirty times as large",
        hint="log of a softmax that rounds to 0 is minus infinity: subtract the log of the sum instead",
        rtol=1e-4,
        atol=1e-4,
    )


def _loud(x, E, P, Wq, Wk, Wv, U) -> float:
    """As `_one_head`, in logarithms to the end."""
    h = E[np.concatenate([[len(E) - 1], x[:-1]])] + P[: len(x)]
    logits = (h + attend(h @ Wq, h @ Wk, h @ Wv, first=0)) @ U
    top = logits.max(1, keepdims=True)
    return float((logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)))[np.arange(len(x)), x].sum())


# 09.3 -----------------------------------------------------------------------------------------------------------------


def ranked(p: np.ndarray) -> np.ndarray:
    """Places from the largest number on, of equal ones the first."""
    return np.array(sorted(range(len(p)), key=lambda i: -p[i]))


@exercise("09.3", "nucleus", points=2)
def _(answer, rng):
    says = "the fewest likeliest symbols that together have top_p, scaled to sum to one"

    def rule(p, top_p, beyond=False):
        order = ranked(p)
        total = np.cumsum(p[order])
        count = min(int((total < top_p - 1e-12).sum()) + 1 + beyond, len(p))
        keep = np.zeros(len(p), dtype=bool)
        keep[order[:count]] = True
        return keep

    cases = [
        (np.array([0.08, 0.3, 0.02, 0.25, 0.2, 0.15]), 0.5),
        (np.array([0.2, 0.5, 0.3]), 0.6),
        (np.array([0.1, 0.15, 0.35, 0.4]), 0.75),
        (np.array([0.25, 0.75]), 0.3),
    ]
    for levels in (4, 9, 30):
        p = rng.dirichlet(np.full(levels, 0.7))
        for top_p in (0.5, 0.9, float(rng.uniform(0.05, 0.99))):
            if np.abs(np.cumsum(np.sort(p)[::-1]) - top_p).min() > 1e-6:  # a tie is a matter of rounding
                cases.append((p, top_p))
    cases += [(rng.dirichlet(np.ones(6)), 1.0), (rng.dirichlet(np.ones(6)), 1e-6), (np.array([0.0, 1.0, 0.0]), 0.9)]
    cases += [(np.array([0.5, 0.25, 0.25, 0.0]), 0.5), (np.array([1.0]), 0.5)]
    for p, top_p in cases:
        keep, order = rule(p, top_p), ranked(p)
        want = np.where(keep, p, 0) / p[keep].sum()
        short = np.zeros(len(p), dtype=bool)
        short[order[: max(int(keep.sum()) - 1, 0)]] = True
        unsorted = np.cumsum(p) <= top_p
        scaled = lambda m, p=p: np.where(m, p, 0) / max(p[m].sum(), 1e-300)  # noqa: E731
        in_line = np.cumsum(p) - p < top_p
        upwards = np.zeros(len(p), dtype=bool)
        rising = order[::-1]
        upwards[rising[np.cumsum(p[rising]) - p[rising] < top_p]] = True
        mistakes = [
            (np.where(keep, p, 0), "what is kept no longer sums to one: divide by its sum"),
            (
                scaled(short),
                "that stops one symbol short: together they must *have* top_p, so the one that reaches it stays",
            ),
            (np.where(short, p, 0), "that stops one symbol short, and what is kept does not sum to one"),
            (scaled(rule(p, top_p, beyond=True)), "one symbol too many: stop with the one that reaches top_p"),
            (scaled(in_line), "the symbols are taken in the order of the alphabet; take the likeliest first"),
            (scaled(unsorted), "the symbols are taken in the order of the alphabet; take the likeliest first"),
            (scaled(upwards), "the least likely are taken first; take the likeliest first"),
            (scaled(p >= top_p), "top_p is a share of all together, not a bar for each symbol"),
            (scaled(p >= (1 - top_p)), "top_p is a share of all together, not a bar for each symbol"),
            (scaled(p >= top_p * p.max()), "that is another rule (min-p): top_p is a share of all together"),
            (np.where(keep, p[order], 0) / p[keep].sum(), "the probabilities come back in the places of the alphabet"),
            (
                np.where(np.arange(len(p)) < keep.sum(), p[order], 0) / p[keep].sum(),
                "back in the places of the alphabet, please: this is sorted",
            ),
            (np.where(keep, 1, 0) / keep.sum(), "what is kept keeps its proportions; here all are equal"),
        ]
        kept = p.copy()
        got = numbers(answer(kept, top_p), says)
        given = f"p = {brief(p)}, top_p = {top_p:.3g}"
        unchanged(p, kept, given=given)
        expect_shape(got, p.shape, "a probability for each symbol", given=given)
        hint = ""
        if top_p == 1.0:
            hint = "with top_p = 1 all stay"
        elif top_p < 1e-3 or len(p) == 1:
            hint = "one symbol stays always"
        expect_close(got, want, says, given=given, mistakes=mistakes, hint=hint, rtol=1e-5, atol=1e-9)


# 09.4 -----------------------------------------------------------------------------------------------------------------


@exercise("09.4", "read_one", points=2)
def _(answer, rng):
    for d, e, t in ((5, 3, 6), (4, 4, 5), (2, 7, 4)):
        h = rng.normal(size=(t, d))
        Wq, Wk, Wv = rng.normal(size=(3, d, e))
        q, k, v = h @ Wq, h @ Wk, h @ Wv
        keys, values = np.zeros((0, e)), np.zeros((0, e))
        for i in range(t):
            kept = h[i].copy(), Wq.copy(), Wk.copy(), Wv.copy(), keys.copy(), values.copy()
            got = answer(*kept)
            given = f"place {i}, with {i} in the cache; d = {d}, e = {e}"
            expect(
                type(got) in (tuple, list) and len(got) == 3,
                "three things come back: the output, and the keys and values to keep",
                given=given,
                got=type(got).__name__,
                hint="end with `return output, keys, values`",
            )
            unchanged((h[i], Wq, Wk, Wv, keys, values), kept, given=given)
            out, new_k, new_v = (numbers(part, "the output, keys and values are arrays", given=given) for part in got)
            mistakes = [
                (k[: i + 1][::-1], "the new key goes to the end"),
                (v[: i + 1], "keys and values are swapped: the output comes first, then keys, then values"),
                (q[: i + 1], "what is kept is keys, not queries"),
                (k[:i], "the new place's own key belongs in the cache"),
                (
                    h[: i + 1] if d == e else k[:0],
                    "what is kept is keys, h @ Wk, so that they need not be computed anew",
                ),
            ]
            says = "the cache grows by one row, at its end"
            expect_close(new_k, k[: i + 1], f"{says}: keys", given=given, mistakes=mistakes, **FLOAT32)
            mistakes = [
                (v[: i + 1][::-1], "the new value goes to the end"),
                (v[:i], "the new place's own value belongs in the cache"),
            ]
            expect_close(new_v, v[: i + 1], f"{says}: values", given=given, mistakes=mistakes, **FLOAT32)
            want = attend(q, k, v)[i]
            past = attend(q[i : i + 1], k[:i], v[:i])[0] if i else np.full(e, np.nan)
            scores = k[: i + 1] @ q[i]
            mistakes = [
                (past, "a place may look at itself, too: add its key and value before you look"),
                (softmax(scores) @ v[: i + 1], "the scores are divided by the square root of e, the size of a key"),
                (softmax(scores / math.sqrt(d)) @ v[: i + 1], "divide by the root of e, the size of a key, not of h"),
                (softmax(scores / math.sqrt(i + 1)) @ v[: i + 1], "divide by the root of the size of a key"),
                (v[: i + 1].mean(0), "the weights come from the query: softmax of its products with the keys"),
                (v[i], "it looks back, over all that is in the cache"),
            ]
            says = "with the cache it is the same as without: row i of causal attention over the whole"
            expect_close(out, want, says, given=given, mistakes=mistakes if i else [], **FLOAT32)
            keys, values = k[: i + 1].copy(), v[: i + 1].copy()


# 09.5 -----------------------------------------------------------------------------------------------------------------


def _merged(tokens: list[int], what: tuple[int, int], new: int) -> list[int]:
    found, i = [], 0
    while i < len(tokens):
        both = tuple(tokens[i : i + 2]) == what
        found.append(new if both else tokens[i])
        i += 1 + both
    return found


def _longest(word: list[int], spelled: dict[tuple[int, ...], int]) -> list[int]:
    """From the left, the longest token that fits: not what byte-pair encoding does."""
    found, i = [], 0
    while i < len(word):
        size = max((len(s) for s in spelled if tuple(word[i : i + len(s)]) == s), default=1)
        found.append(spelled.get(tuple(word[i : i + size]), word[i]))
        i += size
    return found


@exercise("09.5", "bpe_encode", points=3)
def _(answer, rng):
    a, b, c, d = 97, 98, 99, 100
    cases = [
        ([a, b, c], [(a, b), (b, c), (a, 257)]),
        ([a, b, c, d], [(b, c), (a, b), (256, d), (a, 258)]),
        ([a, b, c], [(b, c), (a, b)]),
        ([a, b, c], [(a, b), (b, c)]),
        ([a, a, a], [(a, a)]),
        ([a, a, a, a], [(a, a), (256, 256)]),
        ([a, b, c, d], [(b, c), (a, b), (256, d), (a, 258)]),
        ([a, b, a, b, c], [(a, b), (256, 256), (256, c)]),
        ([], [(a, b)]),
        ([d], [(a, b)]),
        ([a, b], []),
    ]
    for _ in range(12):  # merges learned from random words of few letters
        words = [rng.integers(a, d + 1, size=rng.integers(2, 9)).tolist() for _ in range(8)]
        merges, spelled = [], list(words)
        for r in range(int(rng.integers(3, 9))):
            pairs = [tuple(w[i : i + 2]) for w in spelled for i in range(len(w) - 1)]
            merges.append(max(sorted(set(pairs)), key=pairs.count))
            spelled = [_merged(w, merges[-1], 256 + r) for w in spelled]
        cases.append((rng.integers(a, d + 1, size=10).tolist(), merges))
    for word, merges in cases:
        want, sounds = list(word), {(i,): i for i in range(256)}
        letters = {i: (i,) for i in range(256)}
        for r, (left, right) in enumerate(merges):
            want = _merged(want, (left, right), 256 + r)
            letters[256 + r] = letters[left] + letters[right]
            sounds.setdefault(letters[256 + r], 256 + r)
        once = list(word)
        for r, what in enumerate(merges):
            at = next((i for i in range(len(once) - 1) if tuple(once[i : i + 2]) == what), None)
            if at is not None:
                once[at : at + 2] = [256 + r]
        late = list(word)
        for r, what in reversed(list(enumerate(merges))):
            late = _merged(late, what, 256 + r)
        first = next((r for r, what in enumerate(merges) if _merged(word, what, 256 + r) != word), None)
        single = word if first is None else _merged(word, merges[first], 256 + first)
        numbered = list(word)
        for r, what in enumerate(merges):
            numbered = _merged(numbered, what, 257 + r)
        mistakes = [
            (once, "each merge joins every occurrence of its pair, not only the first"),
            (late, "the merge that was made first comes first; later ones build on it"),
            (
                _longest(word, sounds),
                "that takes the longest token that fits; byte-pair encoding replays its merges in order",
            ),
            (single, "one merge is not all: go on until no pair is left that was merged in training"),
            (list(word), "nothing was merged"),
            (numbered, "the first merge makes token 256"),
        ]
        kept, rules = list(word), [tuple(pair) for pair in merges]
        got = answer(kept, rules)
        given = f"tokens = {word}, merges = {merges}"
        written = any(thing is kept or thing is rules for thing in WRITTEN)
        same = kept == word and rules == merges and not written
        expect(same, "your arguments are left as they were", given=given, hint="work on a copy")
        got = numbers(got, "a list of tokens", given=given)
        expect(got.ndim == 1, "a list of tokens", given=given, got=brief(got))
        expect_equal(
            got.astype(int).tolist() if got.size else [],
            want,
            "the merges are replayed in the order in which they were made",
            given=given,
            mistakes=[(wrong, hint) for wrong, hint in mistakes if wrong != want],
        )


# 09.6 -----------------------------------------------------------------------------------------------------------------


@exercise("09.6", "per_byte", points=1)
def _(answer, rng):
    texts = ["naïve café, déjà vu", "plain letters only", "π ≈ 3.14159", "x" * 400]
    for text in texts:
        sizes = rng.integers(1, 9, size=rng.integers(2, 6))
        means = rng.uniform(0.5, 3, size=len(sizes))
        total, size = float(means @ sizes), len(text.encode())
        batches = [(float(m), int(n)) for m, n in zip(means, sizes, strict=True)]
        mistakes = [
            (total / size, NATS),
            (total / len(text) / math.log(2), "that is per character: some characters are several bytes"),
            (total / sizes.sum() / math.log(2), "that is per token, and changes with the tokens: divide by the bytes"),
            (means.mean() / math.log(2), "that is the mean of the batches' means, per token"),
            (means.sum() / size / math.log(2), "the mean of a batch counts for each of its tokens"),
            (
                means.mean() * sizes.sum() / size / math.log(2),
                "batches have different sizes: weigh their means by them",
            ),
            (math.exp(total / sizes.sum()), "that is the perplexity of a token"),
            (total * math.log(2) / size, "a nat is more than a bit: divide by log 2"),
            (total / math.log(2), "that is for the whole text: divide by its bytes"),
        ]
        expect_close(
            number(answer(list(batches), text), "one number: bits per byte"),
            total / size / math.log(2),
            "all nats of the text, in bits, shared among its bytes",
            given=f"batches = {[(round(m, 3), n) for m, n in batches]}, text = {text[:24]!r}",
            mistakes=mistakes,
        )
    one = [(0.7, 12)]
    cut = [(0.7, 5), (0.7, 7)]
    a, b = (number(answer(x, "the same text"), "one number: bits per byte") for x in (one, cut))
    expect_close(a, b, "it does not matter how the tokens were put into batches", given=f"{one} and {cut}")


# 09.7 -----------------------------------------------------------------------------------------------------------------


@exercise("09.7", "acceptance_rule", points=3)
def _(answer, rng):
    cases = []
    for levels in (3, 8, 2):
        cases.append((rng.dirichlet(np.ones(levels)), rng.dirichlet(np.ones(levels)), ""))
    zero = np.array([0.5, 0.5, 0.0])
    cases += [
        (np.array([0.2, 0.3, 0.5]), zero, "a symbol that the draft never draws must come from the refusals"),
        (zero, np.array([0.2, 0.3, 0.5]), "what the large model never says is never accepted"),
        (
            np.array([0.6, 0.4]),
            np.array([0.6, 0.4]),
            "where the two agree, everything is accepted, and nothing may be nan",
        ),
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), "where they have nothing in common, everything is refused"),
    ]
    for p, q, said in cases:
        given = f"p = {brief(p)}, q = {brief(q)}"
        kept = p.copy(), q.copy()
        with np.errstate(all="ignore"):
            got = pair(answer(*kept), "two things: what is accepted, and what is drawn instead", given=given)
        accept, instead = (numbers(part, "two arrays of probabilities", given=given) for part in got)
        unchanged((p, q), kept, given=given)
        for part in (accept, instead):
            expect_shape(part, p.shape, "a probability for each symbol", given=given)
        drafted = q > 0
        with np.errstate(all="ignore"):
            ratio = np.minimum(1, p / q)
        hint = said
        for wrong, words in (
            (np.minimum(1, q / np.maximum(p, 1e-300)), "that is upside down: accept with p / q, at most 1"),
            (p, "accept with p / q, at most 1: the draft has brought its own probability already"),
            (
                np.minimum(p, q),
                "min(p, q) is how often a symbol is drafted *and* accepted; given that it was drafted, divide by q",
            ),
            (p / (p + q), "that accepts too seldom: p / q, at most 1"),
            (p / np.maximum(q, 1e-300), "a probability is at most 1"),
            ((p >= q).astype(float), "a symbol with p < q is accepted sometimes: with p / q"),
        ):
            if np.allclose(accept[drafted], wrong[drafted]) and not np.allclose(wrong[drafted], ratio[drafted]):
                hint = words
        expect(
            bool((np.isfinite(accept[drafted]) & (accept[drafted] >= -1e-9) & (accept[drafted] <= 1 + 1e-9)).all()),
            "each drafted symbol is accepted with a probability",
            given=given,
            got=brief(accept),
            hint=hint,
        )
        refused = float((q[drafted] * (1 - accept[drafted])).sum())
        if refused > 1e-9:
            total = instead.sum()
            lost = np.maximum(p - q, 0)
            sound = bool(np.isfinite(instead).all() and (instead >= -1e-9).all() and abs(total - 1) < 1e-6)
            if not sound and np.allclose(instead, lost):
                hint = "what is drawn instead is a distribution: divide by its sum"
            elif not sound and np.allclose(instead, p - q):
                hint = "no probability is below 0: where p < q nothing is missing"
            expect(sound, "what is drawn after a refusal is a distribution", given=given, got=brief(instead), hint=hint)
            if hint == said and np.allclose(accept[drafted], ratio[drafted]):
                for wrong, words in (
                    (
                        p,
                        "after a refusal, p gives too much to what was accepted already: draw what is missing",
                    ),
                    (q, "after a refusal, the draft has had its turn: draw what p has and q lacks"),
                    (np.abs(p - q) / max(np.abs(p - q).sum(), 1e-300), "only where p is above q is something missing"),
                    (np.maximum(q - p, 0) / max(np.maximum(q - p, 0).sum(), 1e-300), "that is what q has too much of"),
                    (np.full(len(p), 1 / len(p)), "draw what p has and q lacks, not anything"),
                    (lost**2 / max((lost**2).sum(), 1e-300), "in proportion to p - q"),
                ):
                    if np.allclose(instead, wrong):
                        hint = words
        else:
            instead = np.zeros(len(p))
        comes = np.where(drafted, q * np.where(drafted, accept, 0), 0) + refused * instead
        says = "accepted or drawn instead, each symbol comes with the large model's probability p"
        expect_close(comes, p, says, given=given, hint=hint, rtol=1e-6, atol=1e-8)
        expect_close(
            q[drafted] @ accept[drafted],
            np.minimum(p, q).sum(),
            "as many drafts are accepted as can be: sum of min(p, q)",
            given=given,
            hint="right, but wasteful: accept whenever p is at least q, and with p / q otherwise",
        )
