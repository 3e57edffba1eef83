"""n-grams: normalised after any prefix, as slow counting says, better on text with more context."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genutils.coding import decode, encode
from genutils.data import text
from genutils.ngram import NGram

sequences = st.lists(st.integers(0, 3), max_size=60).map(lambda x: np.array(x, dtype=np.int64))


def slow(ids, prefix, context, symbols):
    """Witten and Bell by the book, on tuples."""
    p = np.full(symbols, 1 / symbols)
    for k in range(context + 1):
        if k > len(prefix):
            break
        h = tuple(prefix[len(prefix) - k :])
        after = Counter(int(ids[i + k]) for i in range(len(ids) - k) if tuple(ids[i : i + k]) == h)
        if after:
            n, t = sum(after.values()), len(after)
            p = np.array([(after[c] + t * p[c]) / (n + t) for c in range(symbols)])
    return p


@given(sequences, sequences, st.integers(0, 4))
def test_the_next_symbol_is_what_slow_counting_says(ids, prefix, context):
    model = NGram(ids, symbols=4, context=context)
    assert np.allclose(model.next(prefix), slow(ids, prefix, context, 4), atol=1e-12)


@given(sequences, sequences, st.integers(0, 4))
def test_next_and_surprise_agree_and_are_normalised(ids, other, context):
    model = NGram(ids, symbols=4, context=context)
    each = [model.next(other[:i]) for i in range(len(other))]
    assert all(abs(p.sum() - 1) < 1e-12 and (p > 0).all() for p in each)
    assert np.allclose(model.surprise(other), [-np.log(p[c]) for p, c in zip(each, other, strict=True)])


def test_all_sequences_of_one_length_have_probability_one():
    model = NGram(np.array([0, 1, 1, 2, 0, 1, 2, 2]), symbols=3, context=2)
    every = np.array(np.meshgrid(*[range(3)] * 5)).reshape(5, -1).T
    assert np.exp(model.log_prob(every)).sum() == pytest.approx(1, abs=1e-12)


def test_samples_come_as_often_as_the_model_says():
    model = NGram(np.array([0, 1, 1, 0, 0, 1, 0, 1, 1, 1]), symbols=2, context=2)
    every = np.array(np.meshgrid(*[range(2)] * 3, indexing="ij")).reshape(3, -1).T
    drawn = model.sample(8000, length=3, generator=np.random.default_rng(0)) @ [4, 2, 1]
    p = np.exp(model.log_prob(every))
    assert np.abs(np.bincount(drawn, minlength=8) / 8000 - p).max() < 5 * np.sqrt(p.max() / 8000)
    again = model.sample(5, length=20, start=[1, 1], generator=np.random.default_rng(1))
    assert np.array_equal(again, model.sample(5, length=20, start=[1, 1], generator=np.random.default_rng(1)))


def test_on_text_context_helps_and_the_coder_reaches_the_surprise():
    corpus = text()
    train, held = corpus.encode(corpus.train), corpus.encode(corpus.validation[:3000])
    models = [NGram(train, symbols=len(corpus.alphabet), context=k) for k in range(6)]
    bits = [m.surprise(held).sum() / np.log(2) for m in models]
    assert all(a > b for a, b in zip(bits[:5], bits[1:5], strict=False)) and bits[4] < 0.6 * bits[0]
    message = encode(held[:500], models[4].next)
    assert 8 * len(message) <= models[4].surprise(held[:500]).sum() / np.log(2) + 10
    assert np.array_equal(decode(message, 500, models[4].next), held[:500])


@pytest.mark.parametrize(
    ("ids", "context", "says"),
    [
        ([0, 3], 1, "run from 0 to 3"),
        ([0.5], 1, "whole numbers"),
        ([0], 40, "context is 0 ... 38"),
        ([0], -1, "it is -1"),
    ],
)
def test_what_it_refuses(ids, context, says):
    with pytest.raises(ValueError, match=says):
        NGram(np.array(ids), symbols=3, context=context)
