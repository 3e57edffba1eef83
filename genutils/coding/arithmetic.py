"""An arithmetic coder: the whole message is one number, under any model that says how probable each next symbol is.

How the arithmetic coder works. A message is an interval. It starts as [0, 1), and each symbol narrows it to that
symbol's share of it: ``low += width * (probability of all smaller symbols)``, ``width *= probability``. In the end the
width is the probability of the message, so a number inside can be written in about -log2 p(message) bits. The decoder
follows the same narrowing by asking, symbol after symbol, in whose share the number lies.

Exact integers do this with a window of 63 bits. Whenever the interval is no wider than a quarter of the window, the
window is doubled:

- E1: the interval lies in the lower half. Its next bit is 0.
- E2: it lies in the upper half. Its next bit is 1; subtract the half.
- E3: it straddles the middle, within the middle two quarters. Its next bit is not known yet, but if it is 0 the one
  after it is 1, and the other way round: subtract a quarter, count one pending bit, and write it, inverted, after the
  next bit that is known. (This is how a carry is kept from running back through the output.)

Sources: Rissanen (1976) and Pasco (1976), arithmetic coding with finite precision; Witten, Neal and Cleary (1987), the
three doublings; Moffat, Neal and Witten (1998), low and width in place of low and high, and a decoder without low.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from genutils.coding.compiled import compiled
from genutils.coding.huffman import as_bytes, as_distribution, as_length, as_symbols, check_range

WINDOW = 63  # bits; every number below fits in a signed 64-bit integer
FULL, HALF, QUARTER = 2**WINDOW - 1, 2 ** (WINDOW - 1), 2 ** (WINDOW - 2)
SHARE = 35  # bits of a quantised probability: balances what rounding p and what rounding the width costs
TOTAL = 2**SHARE
MOST_SYMBOLS = 2**20
BLOCK = 2**21  # probabilities quantised at a time when there are many distributions


def quantise(p: ArrayLike) -> np.ndarray:
    """Integer counts c that stand for the probabilities p in the coder, as c / TOTAL with TOTAL = 2**35.

    c_k = ceil(p_k (TOTAL - 2 (m - 1))), m the number of symbols with p_k > 0. So sum_k c_k <= TOTAL, p_k = 0 gives 0,
    p_k > 0 gives at least 1, and *every* symbol, however improbable, costs at most
    log2(TOTAL / (TOTAL - 2 (m - 1))) bits more than -log2 p_k: 2e-8 bits for m = 256.

    p is first divided by its sum, taken from left to right; each operation is rounded as IEEE 754 says. So the same
    floats give the same counts on every machine.

    Args:
        p: (K,) or (n, K) probabilities; each last axis sums to 1, up to what float32 loses in adding up.

    Returns:
        int64 counts, shaped like p.

    Raises:
        ValueError: a negative or NaN probability, a sum that is not 1, more than 2**20 symbols.

    >>> quantise([0.5, 0.0, 0.5]) / TOTAL
    array([0.5, 0. , 0.5])
    >>> int(quantise([1.0, 1e-300])[1])
    1
    """
    return _counts(as_distribution(p))


def ideal_bits(symbols: ArrayLike, model: ArrayLike | Callable[[np.ndarray], ArrayLike]) -> float:
    """-sum_i log2 p(symbol_i given the ones before), the information of the message under the model, in bits (exact).

    Args:
        symbols: (n,) integers.
        model: as for ``encode``.

    Returns:
        A float; infinite if a symbol has probability 0. (p is divided by its sum first, as in the coder.)

    >>> ideal_bits([0, 1, 1], [0.5, 0.5])
    3.0
    >>> ideal_bits([1], [1.0, 0.0])
    inf
    """
    symbols, bits = as_symbols(symbols), 0.0
    for p, block in _blocks(len(symbols), model, symbols):
        p = _pick(p / np.cumsum(p, axis=-1)[..., -1:], symbols, block)
        with np.errstate(divide="ignore"):
            bits -= np.log2(p).sum()
    return float(bits) + 0.0  # + 0.0: not -0.0


def encode(symbols: ArrayLike, model: ArrayLike | Callable[[np.ndarray], ArrayLike]) -> bytes:
    """A message as bytes, by arithmetic coding: exact, and at most 2 bits (and padding) above its information.

    Bits before padding <= -sum_i log2 p(symbol_i) + 2 for every message, likely or not, of up to 23 million symbols
    for K = 256 (45 million for K = 2). In full: + max(2, 1 + n log2(e) (2 (K - 1) / 2**35 + 2**-26)), where at most
    one bit ends the message (two, if it holds less than a bit), the term in K pays for rounding p, the last for
    rounding the width.

    It may also fall *below* the information, because p is rounded up to a multiple of 2**-35: a symbol of probability
    p saves up to log2(1 + 1 / (p 2**35)) bits, n symbols with p above 2**-20 less than n / 20,000 bits together. That
    is nothing where p is a frequency in the message itself, but with half a million symbols believed to have p = 1e-6
    it can make several bits. No file is shorter than the information under the rounded probabilities,
    ``quantise(p) / TOTAL``.

    Args:
        symbols: (n,) integers 0 ... K-1.
        model: one of three, which give the same bytes where their probabilities agree:
            (K,) probabilities, the same for every symbol;
            (n, K) probabilities, row i for symbol i, known in advance;
            a callable ``model(prefix) -> (K,) probabilities`` of the next symbol, where prefix is the read-only int64
            array of the symbols before it. It must return bit for bit the same floats to the decoder: the same code,
            machine, number of threads and batch shape. (A network evaluated on all prefixes in one batch may differ
            in the last digit from one evaluated prefix by prefix, and then the message is lost.)

    Returns:
        bytes. They do not hold n, nor the model: the decoder is told both. No symbols give no bytes.

    Raises:
        ValueError: a symbol outside the alphabet or of probability 0, with its position and the remedy; a model that
            is not a distribution.

    Source: Witten, Neal and Cleary (1987); Moffat, Neal and Witten (1998). See the module's first lines.

    >>> data = encode([0, 1, 1, 0, 0, 1], [0.5, 0.5])   # 6 bits and an end of 2 bits
    >>> data.hex(), decode(data, 6, [0.5, 0.5])
    ('64', array([0, 1, 1, 0, 0, 1]))
    >>> count = lambda prefix: (np.bincount(prefix, minlength=2) + 0.5) / (len(prefix) + 1)
    >>> len(encode(np.zeros(1000, dtype=int), count))   # learns, symbol by symbol, that all are 0
    1
    """
    symbols = as_symbols(symbols)
    if len(symbols) == 0:
        return b""
    starts, counts = np.empty_like(symbols), np.empty_like(symbols)
    for p, block in _blocks(len(symbols), model, symbols):
        count = _counts(p)
        counts[block] = _pick(count, symbols, block)
        starts[block] = _pick(np.cumsum(count, axis=-1) - count, symbols, block)
        if not counts[block].all():
            i = block.start + int(np.argmin(counts[block]))
            raise ValueError(
                f"symbol {symbols[i]} at position {i} has probability 0, so it has no code; give every "
                "symbol that can occur p > 0, for example by mixing in 0.1 % of a uniform distribution"
            )
    out = np.zeros(len(symbols) * (SHARE + 1) // 8 + 2, dtype=np.uint8)
    bits = narrow(starts, counts, out)
    return out[: (bits + 7) // 8].tobytes()


def decode(data: bytes, n: int, model: ArrayLike | Callable[[np.ndarray], ArrayLike]) -> np.ndarray:
    """The n symbols that ``encode`` wrote as data under the same model (its exact inverse).

    Damaged data, another model or another n give ValueError or a wrong message, which is not detected otherwise. A
    smaller n gives the first n symbols.

    Args:
        data: bytes from ``encode``.
        n: number of symbols.
        model: as for ``encode``; a callable sees the symbols decoded so far.

    Returns:
        (n,) int64 symbols.

    Raises:
        ValueError: the data ends too early, or no symbol of the model fits it.

    >>> decode(encode([2, 0, 2], [0.1, 0.2, 0.7]), 3, [0.1, 0.2, 0.7])
    array([2, 0, 2])
    """
    data, out = as_bytes(data), np.empty(as_length(n), dtype=np.int64)
    first = int.from_bytes(data[:8].tobytes().ljust(8, b"\0"), "big") >> (64 - WINDOW)
    state = np.array([FULL, first, WINDOW], dtype=np.int64)  # width, the number minus low, bits read
    for p, block in _blocks(n, model, out):
        count = _counts(np.atleast_2d(p))
        cumulative = np.zeros((len(count), count.shape[1] + 1), dtype=np.int64)
        np.cumsum(count, axis=1, out=cumulative[:, 1:])
        done = block.start + _follow(data, cumulative, state, out[block])
        if done < block.stop:
            raise ValueError(
                f"the data stops making sense after {done} of {n} symbols: it is truncated or damaged, n "
                "is too large, or the model is not bit for bit the one that encoded it"
            )
    return out


def _blocks(
    n: int, model: ArrayLike | Callable[[np.ndarray], ArrayLike], symbols: np.ndarray
) -> Iterator[tuple[np.ndarray, slice]]:
    """Pairs of a distribution (K,), or one for each symbol (k, K), and the slice of the n symbols that it is for.

    A callable is asked for the next distribution when the block before is done, so the decoder passes as symbols the
    array that it is filling.
    """
    if callable(model):
        prefix = symbols.view()
        prefix.flags.writeable = False
        for i in range(n):
            p = as_distribution(model(prefix[:i]), f"model(prefix of {i} symbols)")
            if p.ndim != 1:
                raise ValueError(f"model(prefix) must return one distribution (K,), got shape {p.shape}")
            yield p, slice(i, i + 1)
        return
    p = model if isinstance(model, np.ndarray) and model.ndim == 2 else as_distribution(model, "model")
    if p.ndim > 2:
        raise ValueError(f"a model is (K,) or (n, K) probabilities or a callable, got shape {p.shape}")
    if p.ndim == 1:
        yield p, slice(0, n)
        return
    if len(p) != n:
        raise ValueError(f"the model has {len(p)} rows for {n} symbols; it needs one row per symbol")
    rows = max(1, BLOCK // max(1, p.shape[1]))
    for i in range(0, n, rows):
        yield as_distribution(p[i : i + rows], "model"), slice(i, min(i + rows, n))


def _counts(p: np.ndarray) -> np.ndarray:
    """``quantise`` without the check that p is a distribution."""
    if p.shape[-1] > MOST_SYMBOLS:
        raise ValueError(f"an alphabet of {p.shape[-1]} symbols is too large; at most {MOST_SYMBOLS} can be coded")
    support = np.count_nonzero(p, axis=-1, keepdims=True)
    p = p / np.cumsum(p, axis=-1)[..., -1:]
    return np.ceil(p * (TOTAL - 2 * (support - 1))).astype(np.int64)


def _pick(table: np.ndarray, symbols: np.ndarray, block: slice) -> np.ndarray:
    """The entries of a table (K,) or (k, K) at the block's k symbols, which must be in 0 ... K-1."""
    symbols = symbols[block]
    check_range(symbols, table.shape[-1], block.start)
    return table[symbols] if table.ndim == 1 else np.take_along_axis(table, symbols[:, None], axis=1)[:, 0]


@compiled("int64(int64[::1], int64[::1], uint8[::1])")
def narrow(starts: np.ndarray, counts: np.ndarray, out: np.ndarray) -> int:
    """Narrow the interval to each share [start, start + count) of TOTAL in turn; bits go to out, their number back."""
    low, width, pending, position = 0, FULL, 0, 0
    for i in range(len(starts) + 1):
        if i < len(starts):
            step = width >> SHARE
            low += step * starts[i]
            width = step * counts[i]
        else:  # the end: a multiple of a quarter inside, which two bits tell; the decoder reads 0s after them
            low, width = (((low - 1) >> (WINDOW - 2)) + 1) << (WINDOW - 2), QUARTER >> 1
        while width <= QUARTER:
            if low <= HALF - width or low >= HALF:  # E1, E2
                bit = low >= HALF
                if bit:
                    low -= HALF
                    out[position >> 3] |= 128 >> (position & 7)
                position += 1
                while pending > 0:
                    if not bit:
                        out[position >> 3] |= 128 >> (position & 7)
                    position += 1
                    pending -= 1
            else:  # E3
                low -= QUARTER
                pending += 1
            low *= 2
            width *= 2
    return position


@compiled("int64(uint8[::1], int64[:, ::1], int64[::1], int64[::1])")
def _follow(data: np.ndarray, cumulative: np.ndarray, state: np.ndarray, out: np.ndarray) -> int:
    """Fill out with the symbols in whose share the number lies; returns how many there were before sense ended."""
    width, offset, position = state[0], state[1], state[2]
    done = 0
    for i in range(len(out)):
        row = cumulative[i] if len(cumulative) > 1 else cumulative[0]
        step = width >> SHARE
        target = offset // step
        if target >= row[-1]:
            break
        below, above = 0, len(row) - 1
        while above - below > 1:
            middle = (below + above) >> 1
            if row[middle] <= target:
                below = middle
            else:
                above = middle
        offset -= step * row[below]
        width = step * (row[below + 1] - row[below])
        while width <= QUARTER:
            bit = 0
            if position < 8 * len(data):
                bit = (data[position >> 3] >> (7 - (position & 7))) & 1
            offset = 2 * offset + bit
            width *= 2
            position += 1
        if position - (WINDOW - 2) > 8 * len(data):  # the encoder would have written more bits than there are
            break
        out[i] = below
        done += 1
    state[0], state[1], state[2] = width, offset, position
    return done
