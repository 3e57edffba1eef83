"""Huffman's optimal prefix code: one whole code word per symbol."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genutils.coding.compiled import compiled
from genutils.information.arguments import floats, tolerance


def as_distribution(p: ArrayLike, name: str = "p") -> np.ndarray:
    """Probabilities as float64, the last axis summing to 1 (float32's rounding is forgiven), or ValueError."""
    given, p = p, floats(p, name, "an array of probabilities")
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name} needs one probability per symbol, at least one; got shape {p.shape}")
    if p.size and not p.min() >= 0:  # also true for NaN
        where = tuple(map(int, np.argwhere(~(p >= 0))[0]))
        raise ValueError(f"{name}{list(where)} = {p[where]} is not a probability")
    total = np.cumsum(p, axis=-1)[..., -1]
    if not np.all(np.abs(total - 1) < tolerance(given, p.shape[-1])):
        worst = total.ravel()[np.argmax(np.nan_to_num(np.abs(total - 1), nan=np.inf))]
        raise ValueError(f"{name} must sum to 1, got {worst:.6g}; divide it by its sum")
    return p


def as_symbols(symbols: ArrayLike) -> np.ndarray:
    """A message as a one-dimensional int64 array, or ValueError."""
    array = np.asarray(symbols)
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, dtype=np.int64)
    if array.dtype.kind not in "iub":
        raise ValueError(
            f"symbols must be integers 0 ... K-1, got {array.dtype}; use .astype(int), "
            "or np.frombuffer(data, np.uint8) for bytes"
        )
    if array.ndim != 1:
        raise ValueError(f"symbols must be one sequence, got shape {array.shape}; use .ravel()")
    if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"symbol {array.max()} is far outside any alphabet")
    return array.astype(np.int64)


def as_length(n: int) -> int:
    """The length of a message as an int, or ValueError."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise ValueError(f"n must be a number of symbols, 0 or more; got {n!r}")
    return int(n)


def as_bytes(data: bytes) -> np.ndarray:
    """Coded bytes as a uint8 array of its own, or ValueError."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ValueError(f"data must be bytes, got {type(data).__name__}")
    return np.frombuffer(data, dtype=np.uint8).copy()


def check_range(symbols: np.ndarray, alphabet: int, first: int = 0) -> None:
    """ValueError that names the earliest symbol outside 0 ... alphabet - 1; symbols[0] stands at position first."""
    outside = (symbols < 0) | (symbols >= alphabet)
    if outside.any():
        i = int(np.argmax(outside))
        raise ValueError(f"symbol {symbols[i]} at position {first + i} is outside the alphabet 0 ... {alphabet - 1}")


@dataclass(frozen=True)
class PrefixCode:
    """A prefix-free code. ``words[k]`` is symbol k's code word, a string of 0s and 1s, or None if it has none.

    Huffman's code gives no word to a symbol of probability 0, and the empty word to a symbol of probability 1: its
    entropy is 0 bits, and its message is known from its length. Any other words can be tried, too.

    Raises:
        ValueError: a word that is not made of 0s and 1s, or is the beginning of another.

    >>> PrefixCode(["0", "01"])
    Traceback (most recent call last):
    ValueError: the word '0' is the beginning of '01', so the code is not prefix-free
    """

    words: tuple[str | None, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        words = sorted(word for word in self.words if word is not None)
        for word in words:
            if not isinstance(word, str) or set(word) - {"0", "1"}:
                raise ValueError(f"a code word is a string of 0s and 1s, or None; got {word!r}")
        for word, following in zip(words, words[1:], strict=False):  # in sorted order a prefix stands right before
            if following.startswith(word):
                raise ValueError(f"the word {word!r} is the beginning of {following!r}, so the code is not prefix-free")

    @property
    def lengths(self) -> np.ndarray:
        """Bits of each code word, int64 (K,); 0 for a symbol without one."""
        return np.array([len(word or "") for word in self.words], dtype=np.int64)

    def expected_length(self, p: ArrayLike) -> float:
        """Exact mean bits per symbol when symbols come from p: sum_k p_k lengths_k.

        Infinite if p gives a symbol without code word positive probability.

        >>> huffman_code([0.5, 0.25, 0.25]).expected_length([1 / 3, 1 / 3, 1 / 3])
        1.6666666666666665
        """
        p = as_distribution(p)
        if p.shape != (len(self.words),):
            raise ValueError(f"p must have shape ({len(self.words)},) like the code's alphabet, got {p.shape}")
        if any(word is None and p_k > 0 for word, p_k in zip(self.words, p, strict=True)):
            return math.inf
        return float(p @ self.lengths)


def huffman_code(p: ArrayLike) -> PrefixCode:
    """An optimal prefix-free code for the distribution p (exact): no other has a smaller mean length.

    Merge the two least probable nodes until one is left; a symbol's depth is its code word's length, and
    H(p) <= sum_k p_k lengths_k < H(p) + 1 in bits. Of equally probable nodes the shallower one is merged first, then
    the one with the smaller symbol, so that the same p always gives the same code, and one with the smallest longest
    word. Words are canonical: in order of length, then symbol, each is the next binary number.

    Args:
        p: (K,) probabilities. Symbols with p = 0 get no code word (None).

    Returns:
        A ``PrefixCode`` with ``words``, ``lengths`` in bits and ``expected_length(p)``.

    Raises:
        ValueError: p is not one distribution (negative, NaN, not summing to 1, not one-dimensional).

    Source: Huffman (1952); tie-break, Schwartz (1964); canonical words, Schwartz and Kallick (1964).

    >>> huffman_code([0.5, 0.25, 0.125, 0.125]).words
    ('0', '10', '110', '111')
    >>> huffman_code([0.0, 1.0]).words
    (None, '')
    """
    p = as_distribution(p)
    if p.ndim != 1:
        raise ValueError(f"p must be one distribution, got shape {p.shape}")
    heap = [(float(p_k), 0, k, (k,)) for k, p_k in enumerate(p) if p_k > 0]  # weight, depth, first symbol, leaves
    heapq.heapify(heap)
    depths = dict.fromkeys((k for *_, k, _ in heap), 0)
    while len(heap) > 1:
        weight, depth, first, leaves = heapq.heappop(heap)
        weight_2, depth_2, first_2, leaves_2 = heapq.heappop(heap)
        for k in leaves + leaves_2:
            depths[k] += 1
        heapq.heappush(heap, (weight + weight_2, 1 + max(depth, depth_2), min(first, first_2), leaves + leaves_2))
    words, value, length = [None] * len(p), 0, 0
    for depth, k in sorted((depth, k) for k, depth in depths.items()):
        value <<= depth - length
        words[k] = format(value, f"0{depth}b") if depth else ""
        value, length = value + 1, depth
    return PrefixCode(tuple(words))


def huffman_encode(symbols: ArrayLike, code: PrefixCode) -> bytes:
    """The symbols' code words, one after the other, padded with 0s to whole bytes (exact).

    Args:
        symbols: (n,) integers 0 ... K-1.
        code: a ``PrefixCode``.

    Returns:
        ceil(sum_i lengths[symbols_i] / 8) bytes.

    Raises:
        ValueError: a symbol outside the alphabet, or without a code word, with its position and the remedy.

    >>> huffman_encode([0, 1, 3, 0], huffman_code([0.5, 0.25, 0.125, 0.125])).hex()  # 0 10 111 0 + 0
    '5c'
    """
    symbols = as_symbols(symbols)
    check_range(symbols, len(code.words))
    missing = np.array([word is None for word in code.words])[symbols]
    if missing.any():
        i = int(np.argmax(missing))
        raise ValueError(
            f"symbol {symbols[i]} at position {i} has no code word because its probability was 0; "
            "build the code with p > 0 for every symbol that can occur"
        )
    text = "".join(map(code.words.__getitem__, symbols.tolist()))
    return np.packbits(np.frombuffer(text.encode(), dtype=np.uint8) & 1).tobytes()


def huffman_decode(data: bytes, n: int, code: PrefixCode) -> np.ndarray:
    """The n symbols whose code words stand in data (exact inverse of ``huffman_encode``).

    Damaged data gives another message or ValueError; it is not detected otherwise.

    Args:
        data: bytes from ``huffman_encode``.
        n: number of symbols.
        code: the same ``PrefixCode``.

    Returns:
        (n,) int64 symbols.

    Raises:
        ValueError: n symbols cannot be read.

    >>> huffman_decode(bytes.fromhex("5c"), 4, huffman_code([0.5, 0.25, 0.125, 0.125]))
    array([0, 1, 3, 0])
    """
    data, n = as_bytes(data), as_length(n)
    tree = _tree(code)
    if tree is None:
        return np.full(n, code.words.index(""), dtype=np.int64)
    if n > 8 * len(data):  # every word has at least one bit
        raise ValueError(f"{len(data)} bytes cannot hold {n} symbols; the data is truncated, or n is too large")
    out = np.empty(n, dtype=np.int64)
    done = _walk(data, tree, out)
    if done < n:
        raise ValueError(f"only {done} of {n} symbols can be read; the data is truncated, or n or the code is wrong")
    return out


def _tree(code: PrefixCode) -> np.ndarray | None:
    """Children (nodes, 2) of the code's tree: node j >= 1, symbol k as -1 - k, 0 nothing. None: only the empty word."""
    if "" in code.words:
        return None
    children = [[0, 0]]
    for k, word in enumerate(code.words):
        if word is None:
            continue
        node = 0
        for bit in map(int, word[:-1]):
            if children[node][bit] == 0:
                children[node][bit] = len(children)
                children.append([0, 0])
            node = children[node][bit]
        children[node][int(word[-1])] = -1 - k
    return np.array(children, dtype=np.int64)


@compiled("int64(uint8[::1], int64[:, ::1], int64[::1])")
def _walk(data: np.ndarray, tree: np.ndarray, out: np.ndarray) -> int:
    """Walk from the root, one bit a step; each leaf is a symbol. Returns how many symbols there were."""
    node, done = 0, 0
    for position in range(8 * len(data)):
        if done == len(out):
            break
        node = tree[node, (data[position >> 3] >> (7 - (position & 7))) & 1]
        if node == 0:  # bits that no word begins with
            break
        if node < 0:
            out[done] = -1 - node
            done += 1
            node = 0
    return done
