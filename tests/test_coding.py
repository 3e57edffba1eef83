"""genutils.coding: what comes out is what went in, and its size is the information."""

import heapq
import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genutils.coding import (
    TOTAL,
    PrefixCode,
    decode,
    encode,
    huffman_code,
    huffman_decode,
    huffman_encode,
    ideal_bits,
    narrow,
    quantise,
)

pytestmark = pytest.mark.timeout(120)
some = settings(max_examples=60, deadline=None)


@st.composite
def distributions(draw, least=1, most=40):
    """Distributions of every kind: flat, almost certain, down to 1e-300, with zeros."""
    logs = draw(st.lists(st.floats(-690, 0), min_size=least, max_size=most))
    p = np.exp(np.array(logs) - max(logs))
    zeros = draw(st.lists(st.booleans(), min_size=len(p), max_size=len(p)))
    p = np.where(np.array(zeros) & (np.arange(len(p)) != p.argmax()), 0, p)
    return p / p.sum()


@st.composite
def messages(draw):
    """A distribution and a message of possible symbols, likely or not."""
    p = draw(distributions())
    return p, np.array(draw(st.lists(st.sampled_from(np.flatnonzero(p).tolist()), max_size=200)), dtype=int)


def laplace(alphabet):
    return lambda prefix: (np.bincount(prefix, minlength=alphabet) + 1) / (len(prefix) + alphabet)


def entropy_bits(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


# --- Huffman


@some
@given(distributions())
def test_huffman_is_prefix_free_complete_and_within_one_bit_of_entropy(p):
    code = huffman_code(p)
    words = [word for word in code.words if word is not None]
    assert [word is None for word in code.words] == list(p == 0)
    assert not any(a.startswith(b) for a, b in itertools.permutations(words, 2))
    assert sum(2.0 ** -len(word) for word in words if len(word) < 1000) == pytest.approx(1, abs=1e-12)  # Kraft
    assert entropy_bits(p) - 1e-9 <= code.expected_length(p) <= entropy_bits(p) + 1  # = by rounding, p ~ 1e-300
    assert code == huffman_code(p.copy())


def best_lengths(p):
    """The smallest mean length of any code, by trying all lengths that satisfy Kraft's inequality."""
    tries = itertools.product(range(1, len(p)), repeat=len(p))
    return min(p @ np.array(lengths) for lengths in tries if sum(2.0**-x for x in lengths) <= 1)


@pytest.mark.parametrize("alphabet", [2, 3, 4, 5])
def test_no_code_is_shorter_than_huffmans(alphabet):
    rng = np.random.default_rng(alphabet)
    for concentration in (0.1, 1, 10):
        p = rng.dirichlet(np.full(alphabet, concentration))
        assert huffman_code(p).expected_length(p) == pytest.approx(best_lengths(p))


@some
@given(distributions(least=2))
def test_huffman_against_an_independent_one(p):
    p = (p + 1e-6) / (p + 1e-6).sum()
    tree = constriction.symbol.huffman.EncoderHuffmanTree(p)
    theirs = 0
    for k, p_k in enumerate(p):
        coder = constriction.symbol.QueueEncoder()
        coder.encode_symbol(k, tree)
        theirs += p_k * coder.get_compressed()[1]
    assert huffman_code(p).expected_length(p) == pytest.approx(theirs, rel=1e-5)  # their tree holds float32
    heap, mean = list(p), 0.0  # the mean length is the sum of the merged weights
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        mean += merged
        heapq.heappush(heap, merged)
    assert huffman_code(p).expected_length(p) == pytest.approx(mean)


@some
@given(messages())
def test_huffman_round_trip(case):
    p, message = case
    code = huffman_code(p)
    data = huffman_encode(message, code)
    assert len(data) == math.ceil(code.lengths[message].sum() / 8)
    assert np.array_equal(huffman_decode(data, len(message), code), message)


def test_huffman_prefers_short_longest_words_and_counts_bits():
    assert huffman_code([0.4, 0.2, 0.2, 0.1, 0.1]).lengths.max() == 3  # the other optimal code has a word of 4
    assert sorted(huffman_code(np.array([3, 2, 2, 2, 1, 1]) / 11).lengths) == [2, 2, 3, 3, 3, 3]  # or 2, 2, 2, 3, 4, 4
    assert huffman_code([1.0]).words == ("",)
    assert huffman_encode([0] * 9, huffman_code([1.0])) == b""
    assert huffman_decode(b"", 3, huffman_code([0, 1.0])).tolist() == [1, 1, 1]
    assert huffman_code([0.5, 0.5, 0]).expected_length([0.5, 0.25, 0.25]) == math.inf
    depth = huffman_code(2.0 ** -np.r_[1:61, 60]).lengths
    assert depth.tolist() == [*range(1, 61), 60]


@some
@given(st.binary(max_size=40), st.integers(0, 400), distributions())
def test_huffman_takes_any_bytes(data, n, p):
    try:
        message = huffman_decode(data, n, huffman_code(p))
    except ValueError as problem:
        assert "truncated" in str(problem)
    else:
        assert message.shape == (n,) and np.all(p[message] > 0)


def test_learners_words_can_be_used_and_are_checked():
    mine = PrefixCode(["00", "01", "1000"])  # prefix-free, wasteful
    assert huffman_decode(huffman_encode([2, 0, 1], mine), 3, mine).tolist() == [2, 0, 1]
    with pytest.raises(ValueError, match="only 0 of 1"):
        huffman_decode(b"\xff", 1, mine)
    for words, why in [(["1", "10"], "beginning of '10'"), (["", "1"], "beginning"), (["a"], "0s and 1s")]:
        with pytest.raises(ValueError, match=why):
            PrefixCode(words)


# --- the arithmetic coder


@some
@given(distributions(most=300))
def test_quantise_never_forgets_a_symbol_and_hardly_lengthens_any(p):
    counts = quantise(p)
    assert np.array_equal(counts > 0, p > 0)
    assert counts.sum() <= TOTAL
    longer = np.log2(p[p > 0]) - np.log2(counts[p > 0] / TOTAL)
    assert longer.max() <= -np.log2(1 - 2 * (np.count_nonzero(p) - 1) / TOTAL) + 1e-12
    assert np.array_equal(quantise(np.stack([p, p]))[1], counts)


@some
@given(messages())
def test_round_trip_and_length_in_every_form(case):
    p, message = case
    data = encode(message, p)
    assert np.array_equal(decode(data, len(message), p), message)
    assert 8 * len(data) < ideal_bits(message, p) + 2 + 8
    rows = np.tile(p, (len(message), 1))
    assert encode(message, rows) == data == encode(message, lambda prefix: p)
    assert np.array_equal(decode(data, len(message), rows), message)
    assert np.array_equal(decode(data, len(message), lambda prefix: p), message)
    half = len(message) // 2
    assert np.array_equal(decode(data, half, p), message[:half])


def overhead_bound(n, alphabet):
    """The bound that ``encode`` states."""
    return max(2, 1 + n * math.log2(math.e) * (2 * (alphabet - 1) / 2**35 + 2.0**-26))


def bits(message, p):
    """The number of bits before padding."""
    counts = quantise(p)
    starts = np.cumsum(counts) - counts
    return narrow(starts[message], counts[message], np.zeros(5 * len(message) + 2, dtype=np.uint8))


@pytest.mark.parametrize("alphabet", [1, 2, 3, 64, 256])
@pytest.mark.parametrize("kind", ["flat", "random", "tiny"])
@pytest.mark.parametrize("n", [1, 2, 10, 1000, 300_000])
def test_overhead_is_below_two_bits_for_likely_and_unlikely_messages(alphabet, kind, n):
    rng = np.random.default_rng(n + alphabet)
    p = {
        "flat": np.ones(alphabet),
        "random": rng.dirichlet(np.ones(alphabet)),
        "tiny": np.geomspace(1, 1e-9, alphabet),
    }[kind]
    p = p / p.sum()
    for message in (rng.choice(alphabet, n, p=p), rng.integers(0, alphabet, n), np.full(n, p.argmin())):
        overhead = bits(message, p) - ideal_bits(message, p)
        assert overhead <= overhead_bound(n, alphabet) <= 2
        if kind != "tiny":  # there, rounding 1e-9 up to a count makes it cheaper
            assert overhead > 0
        assert bits(message, p) > ideal_bits(message, quantise(p) / TOTAL) - 1e-6


def test_a_message_of_symbols_believed_to_be_rare_may_be_shorter_than_its_information():
    p = np.array([1 - 2e-6, 1.01e-6, 0.99e-6])
    message = np.tile([1, 2], 250_000)
    gift = (np.log2(quantise(p) / TOTAL / p)[1:] * 250_000).sum()
    short = ideal_bits(message, p) - bits(message, p)
    assert 2 < short < gift < len(message) * np.log2(1 + 1 / (p.min() * TOTAL))


def test_bound_holds_for_millions_of_symbols():
    n = 10_000_000
    p = np.random.default_rng(0).dirichlet(np.ones(256))
    message = np.random.default_rng(0).choice(256, n, p=p)
    counts = quantise(p)
    information = -(np.bincount(message, minlength=256) * np.log2(p)).sum()
    rounding = (np.bincount(message, minlength=256) * np.log2(p * TOTAL / counts)).sum()
    assert 0 < bits(message, p) - information <= overhead_bound(n, 256) <= 2
    assert 0 < rounding < 0.3
    assert overhead_bound(23_000_000, 256) <= 2 and overhead_bound(45_000_000, 2) <= 2


def test_compiled_steps_equal_plain_python():
    p = np.array([0.5, 0.3, 0.2 - 1e-9, 1e-9])
    message = np.random.default_rng(1).choice(4, 300)
    counts = quantise(p)
    starts = np.cumsum(counts) - counts
    out = np.zeros(1500, dtype=np.uint8)
    length = narrow.py_func([int(x) for x in starts[message]], [int(x) for x in counts[message]], out)
    assert out[: (length + 7) // 8].tobytes() == encode(message, p)


def test_numbers_lie_in_their_intervals_in_the_order_of_the_messages():
    """Against rational arithmetic, for all messages of 6 symbols: the coder rounds a width by less than 2**-26."""
    counts = [int(c) for c in quantise([0.7, 0.2, 0.1])]
    numbers = []
    for message in itertools.product(range(3), repeat=6):
        low, width = Fraction(0), Fraction(1)
        for s in message:
            low, width = low + width * Fraction(sum(counts[:s]), TOTAL), width * Fraction(counts[s], TOTAL)
        data = encode(message, [0.7, 0.2, 0.1])
        numbers.append(Fraction(int.from_bytes(data, "big"), 256 ** len(data)))
        assert low - Fraction(1, 2**23) < numbers[-1] < low + width
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_long_runs_of_pending_bits_and_carries(byte):
    """Messages whose number is near 0.0111...1 or 0.1000...0: E3 after E3."""
    for tail in (0, 1):
        message = np.array([byte & 1] + [1 - (byte & 1)] * 5000 + [tail])
        for p in ([0.5, 0.5], [0.25, 0.75], [1 / 3, 2 / 3]):
            data = encode(message, p)
            assert np.array_equal(decode(data, len(message), p), message)
            assert 8 * len(data) < ideal_bits(message, p) + 10
    thirds = np.ones(5000, dtype=int)  # the middle third for ever
    assert np.array_equal(decode(encode(thirds, [0.375, 0.25, 0.375]), 5000, [0.375, 0.25, 0.375]), thirds)


@some
@given(st.integers(1, 8), st.data())
def test_adaptive_model(alphabet, data):
    message = np.array(data.draw(st.lists(st.integers(0, alphabet - 1), max_size=120)), dtype=int)
    model = laplace(alphabet)
    coded = encode(message, model)
    assert np.array_equal(decode(coded, len(message), model), message)
    counts = np.bincount(message, minlength=alphabet)
    exact = (
        math.lgamma(len(message) + alphabet)
        - math.lgamma(alphabet)  # Laplace's rule of succession
        - sum(math.lgamma(c + 1) for c in counts)
    ) / math.log(2)
    assert ideal_bits(message, model) == pytest.approx(exact, abs=1e-6)
    assert 8 * len(coded) < exact + 10


def test_rows_that_differ_equal_a_callable():
    rng = np.random.default_rng(3)
    rows = rng.dirichlet(np.ones(7), size=500)
    message = np.array([rng.choice(7, p=p) for p in rows])
    data = encode(message, rows)
    assert data == encode(message, lambda prefix: rows[len(prefix)])
    assert np.array_equal(decode(data, 500, rows), message)
    assert np.array_equal(decode(data, 500, lambda prefix: rows[len(prefix)]), message)
    assert ideal_bits(message, rows) == pytest.approx(-np.log2(rows[np.arange(500), message]).sum())


def test_many_rows_are_coded_in_blocks(monkeypatch):
    rng = np.random.default_rng(4)
    rows = rng.dirichlet(np.ones(5), size=100)
    message = rng.integers(0, 5, 100)
    data = encode(message, rows)
    monkeypatch.setattr("genutils.coding.arithmetic.BLOCK", 35)
    assert encode(message, rows) == data and np.array_equal(decode(data, 100, rows), message)
    with pytest.raises(ValueError, match="symbol 9 at position 93"):
        encode(np.where(np.arange(100) == 93, 9, message), rows)


def test_float32_rows_are_accepted():
    p = np.random.default_rng(5).dirichlet(np.ones(50)).astype(np.float32)
    message = np.arange(50, dtype=np.uint8)
    assert np.array_equal(decode(encode(message, p), 50, p), message)


@some
@given(messages())
def test_against_constrictions_range_coder(case):
    p, message = case
    p = (p + 1e-4) / (p + 1e-4).sum()
    if len(p) < 2 or len(message) == 0:
        return
    model = constriction.stream.model.Categorical(p, perfect=False)
    coder = constriction.stream.queue.RangeEncoder()
    coder.encode(message.astype(np.int32), model)
    theirs = coder.get_compressed()
    decoded = constriction.stream.queue.RangeDecoder(theirs).decode(model, len(message))
    ours = encode(message, p)
    assert np.array_equal(decoded, decode(ours, len(message), p))
    assert -9 <= len(ours) - theirs.nbytes <= 1 + 1e-3 * len(message)  # theirs are whole words of 4 bytes


def test_text_costs_what_constriction_needs():
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.full(64, 0.3))
    message = rng.choice(64, 200_000, p=p)
    coder = constriction.stream.queue.RangeEncoder()
    coder.encode(message.astype(np.int32), constriction.stream.model.Categorical(p, perfect=True))
    assert len(encode(message, p)) <= coder.get_compressed().nbytes


# --- damaged, truncated, wrong


@some
@given(st.binary(max_size=60), st.integers(0, 400), distributions())
def test_any_bytes_decode_or_raise(data, n, p):
    for model in (p, lambda prefix: p):
        try:
            message = decode(data, n, model)
        except ValueError as problem:
            assert "stops making sense" in str(problem)
        else:
            assert message.shape == (n,) and np.all(p[message] > 0)


@some
@given(messages(), st.data())
def test_damage_never_crashes(case, draw):
    p, message = case
    data = bytearray(encode(message, p))
    if data:
        data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    cut = bytes(data[: draw.draw(st.integers(0, len(data)))])
    for n in (len(message), len(message) + 1, 10 * len(message)):
        try:
            assert decode(cut, n, p).shape == (n,)
        except ValueError:
            pass


def test_truncation_and_too_many_symbols_are_noticed():
    p = [0.3, 0.7]
    message = np.random.default_rng(7).choice(2, 1000)
    data = encode(message, p)
    with pytest.raises(ValueError, match="it is truncated"):
        decode(data[:-20], 1000, p)
    with pytest.raises(ValueError, match="of 100000 symbols"):
        decode(data, 100_000, p)
    assert np.array_equal(decode(data + b"more", 1000, p), message)


def test_nothing_and_certainty():
    for model in ([0.5, 0.5], np.empty((0, 2)), laplace(2)):
        assert encode([], model) == b""
        assert decode(b"", 0, model).shape == (0,)
        assert ideal_bits([], model) == 0
    assert len(encode(np.zeros(1_000_000, dtype=int), [1.0])) == 1
    assert decode(encode([1, 1, 1], [0, 1.0]), 3, [0, 1.0]).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "symbols, model, why",
    [
        ([0, 2], [0.5, 0.5], r"symbol 2 at position 1 is outside the alphabet 0 \.\.\. 1"),
        ([-1], [0.5, 0.5], "symbol -1 at position 0"),
        ([2**64 - 1], [0.5, 0.5], "outside any alphabet"),
        ([0, 1], [1.0, 0.0], "symbol 1 at position 1 has probability 0.*mixing in"),
        ([0, 1], lambda prefix: [1.0, 0.0], "symbol 1 at position 1 has probability 0"),
        ([0.0, 1.0], [0.5, 0.5], "integers.*float64"),
        ([[0, 1]], [0.5, 0.5], r"shape \(1, 2\)"),
        ("abc", [0.5, 0.5], "integers"),
        ([0], [0.5, 0.6], "sum to 1, got 1.1"),
        ([0], [1.5, -0.5], r"model\[1\] = -0.5"),
        ([0], [math.nan, 1], r"model\[0\] = nan"),
        ([0], [math.inf, 1], "sum to 1, got inf"),
        ([0], [], "at least one"),
        ([0], 1.0, "at least one"),
        ([0], "model", "must be an array of probabilities"),
        ([0], None, "got"),
        ([0], [[[1.0]]], r"shape \(1, 1, 1\)"),
        ([0], np.full((2, 2), 0.5), "2 rows for 1 symbols"),
        ([0, 0], lambda prefix: [0.5, 0.5 + len(prefix)], "model.prefix of 1 symbols. must sum to 1, got 2"),
        ([0], lambda prefix: np.full((1, 2), 0.5), r"shape \(1, 2\)"),
    ],
)
def test_bad_input_is_named(symbols, model, why):
    with pytest.raises(ValueError, match=why):
        encode(symbols, model)


@pytest.mark.parametrize(
    "data, n, why",
    [(b"a", -1, "0 or more; got -1"), (b"a", 1.0, "got 1.0"), (b"a", True, "got True"), ("a", 1, "must be bytes")],
)
def test_bad_decoder_input_is_named(data, n, why):
    for call in (lambda: decode(data, n, [0.5, 0.5]), lambda: huffman_decode(data, n, huffman_code([0.5, 0.5]))):
        with pytest.raises(ValueError, match=why):
            call()


def test_bad_huffman_input_is_named():
    with pytest.raises(ValueError, match="sum to 1, got 0.5"):
        huffman_code([0.5])
    with pytest.raises(ValueError, match="one distribution"):
        huffman_code([[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        huffman_code([0.5, 0.5]).expected_length([1.0])
    with pytest.raises(ValueError, match="symbol 1 at position 2 has no code word"):
        huffman_encode([0, 0, 1], huffman_code([1.0, 0.0]))
    with pytest.raises(ValueError, match="outside the alphabet"):
        huffman_encode([2], huffman_code([0.5, 0.5]))
    with pytest.raises(ValueError, match="at most 1048576"):
        quantise(np.full(2**20 + 1, 1 / (2**20 + 1)))


def test_a_model_sees_the_past_and_cannot_change_it():
    def spy(prefix):
        seen.append(prefix.tolist())
        with pytest.raises(ValueError, match="read-only"):
            prefix[...] = 0
        return [0.5, 0.5]

    seen = []
    data = encode([1, 0, 1], spy)
    assert seen == [[], [1], [1, 0]]
    seen.clear()
    decode(data, 3, spy)
    assert seen == [[], [1], [1, 0]]


def run(code, **variables):
    """What Python prints for the code in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | variables, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


ROUND_TRIP = "from genutils.coding import *; print(decode(encode([1, 0], [.5, .5]), 2, [.5, .5]))\n"


def test_numba_waits_until_it_is_needed_and_needs_no_folder_to_write_to():
    assert run("import sys, genutils.coding; print('numba' in sys.modules)") == "False\n"
    no_folder = "from numba.core import caching; caching.CacheImpl._locator_classes = []\n"
    assert run(no_folder + ROUND_TRIP) == "[1 0]\n"


def test_a_damaged_cache_is_no_obstacle(tmp_path):
    assert run(ROUND_TRIP, NUMBA_CACHE_DIR=str(tmp_path)) == "[1 0]\n"
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    for path in written:
        path.write_bytes(b"damaged")
    assert run(ROUND_TRIP, NUMBA_CACHE_DIR=str(tmp_path)) == "[1 0]\n"


def test_a_file_may_be_shorter_than_its_information_where_probabilities_are_rounded_up():
    model = np.array([1 - 1e-14, 1e-14])
    message = np.ones(20, dtype=int)
    assert 8 * len(encode(message, model)) < ideal_bits(message, model) - 200  # 35 bits each, and not 46.5
    rng = np.random.default_rng(0)
    p = np.r_[np.full(64, 1.1 * 2.0**-20), 0]
    p[-1] = 1 - p.sum()
    message = rng.integers(0, 64, size=20_000)  # all as unlikely as the docstring allows
    short = ideal_bits(message, p) - 8 * len(encode(message, p))
    assert -10 < short < len(message) / 20_000


def test_what_float32_adds_up_over_many_outcomes_is_taken_for_one():
    rng = np.random.default_rng(0)
    for outcomes in (50_257, 10**6):
        z = rng.standard_normal(outcomes).astype(np.float32)
        p = np.exp(z) / np.exp(z).sum()
        p = p * np.float32(1 + 1e-4 * (outcomes > 10**5))  # as a running sum in float32 loses
        assert abs(p.astype(float).sum() - 1) < 1e-3
        symbols = rng.integers(0, outcomes, size=3)
        assert np.array_equal(decode(encode(symbols, p), 3, p), symbols)
