"""How a model answers "how likely is this x?", and in which unit: the words, once, for all that says them.

`genutils.model.kind`, the lines and the table of `genutils.yardstick`, the map of the families and the notation page
all take their words and marks from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a model says about the probability of an x, the strongest answer first. A `Kind` is its own word.

    Attributes:
        method: the method that gives the answer; "" where there is none.
        mark: a circle, full to empty, that stands for it in tables and on the map.
        phrase: as a legend says it.
        meaning: in a sentence, against the true log p(x) of the model.
        lacking: why a model without this method cannot answer so, unless the model knows better.

    >>> Kind.BOUND == "bound", Kind.BOUND.method, [k.mark for k in Kind]
    (True, 'elbo', ['●', '◐', '◔', '◌', '○'])
    """

    method: str
    mark: str
    phrase: str
    meaning: str
    lacking: str

    def __new__(cls, word: str, method: str, mark: str, phrase: str, meaning: str, lacking: str = "") -> Kind:
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.method, kind.mark, kind.phrase, kind.meaning, kind.lacking = method, mark, phrase, meaning, lacking
        return kind

    EXACT = (
        "exact",
        "log_prob",
        "●",
        "exact",
        "the number itself, up to rounding",
        "it has no exact density",
    )
    BOUND = (
        "bound",
        "elbo",
        "◐",
        "a bound",
        "a number that is not above it, on average over the noise of the answer",
        "it has no bound on its log-density",
    )
    ESTIMATE = (
        "estimate",
        "log_prob_estimate",
        "◔",
        "an estimate",
        "a number near it, with an error and, where known, the side on which it errs",
        "nothing estimates its log-density",
    )
    UP_TO_A_CONSTANT = (
        "up to a constant",
        "energy",
        "◌",
        "up to a constant",
        "minus an energy, which is short of it by a constant log Z that nobody knows: differences are exact",
        "it has no energy",
    )
    NONE = ("none", "", "○", "no answer", "nothing: it only samples")


ANSWERS = {kind.method: kind for kind in Kind if kind.method}
"""The kind of answer by the name of the method that gives it, the strongest first."""

DIRECTIONS = ("overstates", "understates", None)


@dataclass(frozen=True)
class Estimate:
    """Estimates of log p(x), what their own noise is, and on which side they err.

    Args:
        log_prob: (B,) nats, an array or a tensor.
        stderr: (B,) or a number, nats: the standard error of each estimate that is its own, independent of the others'.
        shared: nats: the standard error that all of them share, such as that of one log Z for all x. An average over
            examples makes it no smaller.
        direction: "overstates" if the estimate is too high on average (annealed importance sampling takes log Z for
            too small, and so log p(x) for too large), "understates" if too low, None where it is not known.

    Raises:
        ValueError: an error is negative, or the direction is another word.

    >>> Estimate(-3.0, 0.1, shared=0.2, direction="overstates").direction
    'overstates'
    """

    log_prob: Any
    stderr: Any = 0.0
    shared: float = 0.0
    direction: str | None = None

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction is 'overstates', 'understates' or None; it is {self.direction!r}")
        least = float(self.stderr.min()) if getattr(self.stderr, "ndim", 0) else float(self.stderr)
        for error in (least, self.shared):  # each by itself: min() may pass over nan
            if not error >= 0:
                raise ValueError(f"a standard error is 0 or more; the smallest here is {error}")
        shapes = [tuple(getattr(v, "shape", ())) for v in (self.log_prob, self.stderr)]
        if shapes[1] and shapes[0] != shapes[1]:
            raise ValueError(f"stderr is a number or shaped like log_prob, {shapes[0]}; its shape is {shapes[1]}")

    def error_of_mean(self) -> float:
        """The standard error, in nats, that the estimates' noise gives to their mean over the B examples.

        >>> import numpy as np
        >>> round(Estimate(np.zeros(4), np.full(4, 0.6), shared=0.4).error_of_mean(), 6)  # 0.6 / sqrt(4) and 0.4
        0.5
        """
        n = len(self.log_prob)
        squares = self.stderr**2
        mean = float(squares.mean()) if getattr(squares, "ndim", 0) else float(squares)
        return (mean / n + self.shared**2) ** 0.5


class Unit(StrEnum):
    """What a number on the yardstick counts. Less is better in all of them.

    Attributes:
        phrase: in words.
        short: in a table.

    >>> Unit.BITS_PER_DIM.short, Unit("bpd") is Unit.BITS_PER_DIM
    ('bits/dim', True)
    """

    phrase: str
    short: str

    def __new__(cls, word: str, phrase: str, short: str) -> Unit:
        unit = str.__new__(cls, word)
        unit._value_ = word
        unit.phrase, unit.short = phrase, short
        return unit

    BITS_PER_DIM = "bpd", "bits per dimension", "bits/dim"
    BITS_PER_CHARACTER = "bpc", "bits per character", "bits/char"
    BITS_PER_BYTE = "bpb", "bits per byte", "bits/byte"
    BITS_PER_SAMPLE = "bps", "bits per sample of sound", "bits/sample"
    NATS_ABOVE_LIMIT = "nats_above_limit", "nats above the entropy, which no model can beat", "nats above H"
    BITS_ABOVE_LIMIT = "bits_above_limit", "bits per sample above what the source itself takes", "bits above H"
