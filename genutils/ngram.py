"""n-grams that back off: the next symbol from the last few, by counting, with a probability for what never came."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from genutils.model import Model


class NGram(Model):
    """A sequence of symbols 0 ... K - 1, each given the ``context`` symbols before it. Exact.

    Counts of the longest context are mixed with those of the next shorter one, down to the uniform distribution:

        p_k(c | h) = (N(h c) + T(h) p_{k-1}(c | h')) / (N(h) + T(h)),

    where h is the context of k symbols, h' the same without its oldest, N counts how often, and T(h) is how many
    different symbols followed h: the more surprises there were, the more are to come. A context that never came leaves
    p_{k-1} as it is, and where a sequence begins, contexts are short.

    Args:
        ids: (n,) the sequence to count in, whole numbers.
        symbols: K.
        context: how many symbols are seen; 0 for none.
        length: of samples, unless another is asked for.

    Raises:
        ValueError: symbols out of range, or contexts too long to be numbered in 63 bits.

    Source: Witten and Bell (1991), method C; interpolated as in Chen and Goodman (1999), section 2.6.

    >>> model = NGram(np.array([0, 1, 0, 1, 0]), symbols=2, context=1)
    >>> model.next(np.array([0])).round(3).tolist()  # after 0: 1 came twice; T = 1, below it (0.571, 0.429)
    [0.19, 0.81]
    """

    def __init__(self, ids: np.ndarray, *, symbols: int, context: int, length: int = 100):
        if symbols < 1:
            raise ValueError(f"symbols is how many there are, 1 or more; it is {symbols}")
        if context != int(context) or context < 0 or (context + 1) * math.log2(max(2, symbols)) >= 63:
            longest = int(63 / math.log2(max(2, symbols))) - 1
            raise ValueError(f"context is 0 ... {longest} for {symbols} symbols; it is {context}")
        self.symbols, self.context, self.length = int(symbols), int(context), length
        ids = self._checked(ids)
        self.grams, self.counts = [], []  # for k = 0, 1, ...: the sorted numbers of h c, and how often each came
        self.contexts, self.totals, self.kinds = [], [], []  # of h: their numbers, N(h) and T(h)
        before = np.zeros(len(ids), dtype=np.int64)  # the number of the k symbols before each place
        for k in range(context + 1):
            if k:
                before[k:] += ids[:-k] * symbols ** (k - 1)
            grams, counts = np.unique(before[k:] * symbols + ids[k:], return_counts=True)
            contexts, start = np.unique(grams // symbols, return_index=True)
            self.grams.append(grams)
            self.counts.append(counts)
            self.contexts.append(contexts)
            self.totals.append(np.add.reduceat(counts, start) if len(start) else counts)
            self.kinds.append(np.diff(np.append(start, len(grams))))

    def surprise(self, ids: np.ndarray) -> np.ndarray:
        """(n,) nats: minus the log-probability of each symbol given those before it in the same sequence."""
        ids = self._checked(ids)
        p = np.full(len(ids), 1 / self.symbols)
        before = np.zeros(len(ids), dtype=np.int64)
        for k in range(self.context + 1):
            if k:
                before[k:] += ids[:-k] * self.symbols ** (k - 1)
            here = before[k:]
            count = _look_up(self.grams[k], self.counts[k], here * self.symbols + ids[k:])
            total, kinds = (_look_up(self.contexts[k], table, here) for table in (self.totals[k], self.kinds[k]))
            p[k:] = np.where(total > 0, (count + kinds * p[k:]) / np.maximum(total + kinds, 1), p[k:])
        return -np.log(p)

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Exact log-probability of whole sequences, (B, T) to (B,) nats. It knows no classes: labels are refused."""
        self._refuse(labels)
        return np.array([-self.surprise(row).sum() for row in np.atleast_2d(x)])

    def next(self, prefix: np.ndarray) -> np.ndarray:
        """(K,) probabilities of the symbol after a prefix (n,), of which the last ``context`` symbols matter."""
        prefix = self._checked(prefix)
        p = np.full(self.symbols, 1 / self.symbols)
        number = 0
        for k in range(min(self.context, len(prefix)) + 1):
            if k:
                number += int(prefix[-k]) * self.symbols ** (k - 1)
            low, high = np.searchsorted(self.grams[k], (number * self.symbols, (number + 1) * self.symbols))
            if low == high:
                break  # what never came in a short context never came in a longer one
            count = np.zeros(self.symbols)
            count[self.grams[k][low:high] % self.symbols] = self.counts[k][low:high]
            p = (count + (high - low) * p) / (count.sum() + (high - low))
        return p

    def sample(
        self,
        n: int,
        labels: np.ndarray | None = None,
        *,
        length: int | None = None,
        start: Any = (),
        generator: np.random.Generator | None = None,
    ) -> np.ndarray:
        """(n, length) sequences, symbol by symbol, each going on from ``start``, which is not repeated."""
        self._refuse(labels)
        length = self.length if length is None else length
        generator = generator or np.random.default_rng()
        start = self._checked(start)
        out = np.empty((n, len(start) + length), dtype=np.int64)
        out[:, : len(start)] = start
        chance = generator.random((n, length))
        for i in range(length):
            seen = out[:, max(0, len(start) + i - self.context) : len(start) + i]
            number = seen @ self.symbols ** np.arange(seen.shape[1])
            _, first, which = np.unique(number, return_index=True, return_inverse=True)
            for context, row in enumerate(first):  # what follows a context is worked out once for all that share it
                share = which == context
                drawn = np.searchsorted(self.next(seen[row]).cumsum(), chance[share, i])
                out[share, len(start) + i] = drawn.clip(max=self.symbols - 1)
        return out[:, len(start) :]

    def parameter_count(self) -> int:
        """How many counts are kept: one for each context and what came after it."""
        return sum(map(len, self.counts))

    def _checked(self, ids: Any) -> np.ndarray:
        ids = np.asarray(ids)
        if ids.shape == (0,):
            return ids.astype(np.int64)
        if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(f"a sequence is whole numbers of shape (n,); this is {ids.dtype} of shape {ids.shape}")
        if len(ids) and not 0 <= ids.min() <= ids.max() < self.symbols:
            raise ValueError(f"the symbols are 0 ... {self.symbols - 1}; these run from {ids.min()} to {ids.max()}")
        return ids.astype(np.int64)


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where it is not among the sorted keys."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
