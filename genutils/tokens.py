"""Byte-pair encoding: the commonest pair of neighbours becomes a token of its own, again and again.

It starts from bytes, so that whatever can be stored can be encoded, and every token is a run of bytes.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

BYTES = 256
# A word with the space before it, a number, a run of signs, or white space: no token reaches across two of these.
_PIECE = re.compile(rb" ?[A-Za-z\x80-\xff]+| ?[0-9]+| ?[^\sA-Za-z0-9\x80-\xff]+|\s+(?!\S)|\s+")


class BytePairs:
    """Tokens made by merging pairs: 0 ... 255 are the bytes, 256 + r the pair that was merged r-th.

    Args:
        merges: the pairs in the order in which they were made, each of two tokens that exist by then.

    Raises:
        ValueError: a pair is of tokens that do not exist yet; says which.

    Source: Gage (1994); for words: Sennrich, Haddow, Birch (2016), section 3.2; from bytes: Radford et al. (2019).

    >>> pairs = BytePairs.train("low low lower", 2)
    >>> [piece.decode() for piece in pairs.pieces(pairs.encode("a slow owl"))]
    ['a', ' ', 's', 'low', ' ', 'o', 'w', 'l']
    """

    def __init__(self, merges: Iterable[Sequence[int]] = ()):
        self.merges = [(int(a), int(b)) for a, b in merges]
        self.vocabulary = [bytes([i]) for i in range(BYTES)]  # what each token stands for
        for a, b in self.merges:
            if not (0 <= a < len(self.vocabulary) and 0 <= b < len(self.vocabulary)):
                last = len(self.vocabulary) - 1
                raise ValueError(f"a merge is of two tokens that exist by then, 0 ... {last}; this is {a, b}")
            self.vocabulary.append(self.vocabulary[a] + self.vocabulary[b])
        self._rank = {pair: i for i, pair in enumerate(self.merges)}
        self._known: dict[bytes, list[int]] = {}

    @classmethod
    def train(cls, text: str | bytes, merges: int) -> BytePairs:
        """Merge the commonest pair of neighbouring tokens within words, ``merges`` times or until none comes twice.

        Of pairs that are equally common, the one with the smaller numbers is merged first, so that the result is the
        same everywhere.

        >>> BytePairs.train("aaab aaab", 2).merges  # 97 is "a": first aa, then aa a
        [(97, 97), (97, 98)]
        """
        if merges < 0:
            raise ValueError(f"merges is how many tokens to make, 0 or more; it is {merges}")
        often = Counter(_PIECE.findall(_as_bytes(text)))
        words, weights = [list(piece) for piece in often], list(often.values())
        counts: Counter[tuple[int, int]] = Counter()  # of each pair of neighbours, in all words
        where: dict[tuple[int, int], set[int]] = defaultdict(set)  # the words that (may) hold it
        for i, word in enumerate(words):
            for pair in zip(word, word[1:], strict=False):
                counts[pair] += weights[i]
                where[pair].add(i)
        made: list[tuple[int, int]] = []
        while len(made) < merges and counts:
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            if counts[best] < 2:
                break
            for i in where.pop(best):
                old, new = words[i], merge(words[i], best, BYTES + len(made))
                for pair in zip(old, old[1:], strict=False):
                    counts[pair] -= weights[i]
                    if not counts[pair]:
                        del counts[pair]
                for pair in zip(new, new[1:], strict=False):
                    counts[pair] += weights[i]
                    where[pair].add(i)
                words[i] = new
            made.append(best)
        return cls(made)

    def __len__(self) -> int:
        """How many tokens there are."""
        return len(self.vocabulary)

    def encode(self, text: str | bytes) -> np.ndarray:
        """(n,) int64 tokens of any text or bytes; within each word, the pair that was made first is merged first."""
        return np.array([t for piece in _PIECE.findall(_as_bytes(text)) for t in self._word(piece)], dtype=np.int64)

    def decode(self, tokens: Iterable[int]) -> bytes:
        """The bytes of some tokens. They may end inside a character: ``.decode(errors="replace")`` shows what can be.

        Raises:
            ValueError: there is no such token; says which there are.
        """
        return b"".join(self.pieces(tokens))

    def pieces(self, tokens: Iterable[int]) -> list[bytes]:
        """The bytes of each token."""
        found = []
        for i, token in enumerate(np.asarray(tokens).tolist()):
            if not isinstance(token, int) or not 0 <= token < len(self):
                raise ValueError(f"tokens are whole numbers 0 ... {len(self) - 1}; tokens[{i}] = {token}")
            found.append(self.vocabulary[token])
        return found

    def _word(self, piece: bytes) -> list[int]:
        if piece not in self._known:
            word = list(piece)
            while len(word) > 1:
                pair = min(zip(word, word[1:], strict=False), key=lambda pair: self._rank.get(pair, math.inf))
                if pair not in self._rank:
                    break
                word = merge(word, pair, BYTES + self._rank[pair])
            self._known[piece] = word
        return self._known[piece]


def merge(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    """The tokens with each occurrence of the pair replaced by ``new``, from left to right, none counted twice.

    >>> merge([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    found, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == tuple(pair):
            found.append(new)
            i += 2
        else:
            found.append(tokens[i])
            i += 1
    return found


def bits_per_byte(nats: float, text: str | bytes) -> float:
    """What a text costs for each of its bytes in UTF-8: the only unit in which models with different tokens compare.

    Args:
        nats: minus the log-probability of the whole text, however it was cut.
        text: that text.

    >>> bits_per_byte(8 * math.log(2), "abcd")
    2.0
    """
    size = len(_as_bytes(text))
    if not size:
        raise ValueError("an empty text has no bytes to share its cost among")
    return float(nats) / (size * math.log(2))


def _as_bytes(text: str | bytes) -> bytes:
    if isinstance(text, str):
        return text.encode("utf-8", "surrogatepass")
    if not isinstance(text, (bytes, bytearray)):
        raise TypeError(f"a text is str or bytes, not {type(text).__name__}")
    return bytes(text)
