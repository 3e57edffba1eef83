"""Byte pairs: any bytes come back, merges are the commonest pairs, and cost per byte is no matter of tokens."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genutils.data import text
from genutils.tokens import _PIECE, BytePairs, bits_per_byte, merge

PROSE = text().train[:20_000]
PAIRS = BytePairs.train(PROSE, 60)


@given(st.binary(max_size=60))
def test_any_bytes_come_back(data):
    assert PAIRS.decode(PAIRS.encode(data)) == data == b"".join(_PIECE.findall(data))


@given(st.text(max_size=30))
def test_any_text_comes_back(data):
    assert PAIRS.decode(PAIRS.encode(data)) == data.encode("utf-8", "surrogatepass")


def slow(data: bytes, merges: int) -> list[tuple[int, int]]:
    """Count all pairs anew for each merge."""
    words, made = [list(piece) for piece in _PIECE.findall(data)], []
    while len(made) < merges:
        counts = Counter(pair for word in words for pair in zip(word, word[1:], strict=False))
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < 2:
            break
        words = [merge(word, best, 256 + len(made)) for word in words]
        made.append(best)
    return made


@given(st.text(alphabet="ab a", max_size=60), st.integers(0, 8))
def test_training_is_what_counting_anew_says(data, merges):
    assert BytePairs.train(data, merges).merges == slow(data.encode(), merges)


def test_training_on_prose_is_what_counting_anew_says():
    assert BytePairs.train(PROSE[:4000], 30).merges == slow(PROSE[:4000].encode(), 30)


def test_encoding_merges_in_the_order_of_training():
    words = _PIECE.findall(PROSE[:2000].encode())
    for word in words:
        tokens = list(word)
        for i, pair in enumerate(PAIRS.merges):
            tokens = merge(tokens, pair, 256 + i)
        assert PAIRS.encode(word).tolist() == tokens


def test_tokens_are_fewer_and_do_not_cross_words():
    tokens = PAIRS.encode(PROSE)
    assert len(tokens) < 0.7 * len(PROSE) and len(PAIRS) == 316
    assert not any(b" " in piece.strip(b" ") for piece in PAIRS.vocabulary if piece.strip(b" "))


@pytest.mark.parametrize(
    ("tokens", "pair", "want"),
    [
        ([1, 1, 1], (1, 1), [9, 1]),
        ([1, 1, 1, 1], (1, 1), [9, 9]),
        ([1, 2, 1, 2, 1], (1, 2), [9, 9, 1]),
        ([2, 1], (1, 2), [2, 1]),
        ([], (1, 2), []),
        ([1], (1, 2), [1]),
    ],
)
def test_merging_goes_from_left_to_right_and_counts_nothing_twice(tokens, pair, want):
    assert merge(tokens, pair, 9) == want


@given(st.integers(0, 200))
def test_a_model_that_ignores_tokens_costs_the_same_per_byte(merges):
    """Its price of a token is the sum over its bytes, so every way to cut the text has one price."""
    rng = np.random.default_rng(0)
    nats = -np.log(rng.dirichlet(np.ones(256)))
    data = PROSE[:500].encode()
    pairs = BytePairs(PAIRS.merges[:merges])
    tokens = pairs.encode(data)
    cost = sum(nats[list(piece)].sum() for piece in pairs.pieces(tokens))
    assert bits_per_byte(cost, data) == pytest.approx(nats[list(data)].mean() / math.log(2))


def test_bytes_are_counted_not_characters():
    assert bits_per_byte(math.log(2) * 12, "ééé") == pytest.approx(2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: BytePairs([(97, 300)]), ValueError, "0 ... 255; this is"),
        (lambda: BytePairs.train("a", -1), ValueError, "0 or more; it is -1"),
        (lambda: BytePairs.train(7, 1), TypeError, "str or bytes, not int"),
        (lambda: PAIRS.encode(None), TypeError, "not NoneType"),
        (lambda: PAIRS.decode([5, 316]), ValueError, r"0 ... 315; tokens\[1\] = 316"),
        (lambda: PAIRS.decode([1.5]), ValueError, "whole numbers"),
        (lambda: PAIRS.decode([-1]), ValueError, r"tokens\[0\] = -1"),
        (lambda: bits_per_byte(1.0, ""), ValueError, "no bytes"),
    ],
)
def test_what_cannot_serve_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
