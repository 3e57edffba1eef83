"""What a model gets on data that it has not seen: one function for every kind of answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from genutils.kinds import Estimate, Kind, Unit
from genutils.model.interface import kind, one_each, unwrapped
from genutils.model.units import bits_per_dim


@dataclass(frozen=True)
class Evaluation:
    """What a model gets on data: ``value`` in ``unit``, less is better, and the ``kind`` of answer that it is.

    Attributes:
        stderr: standard error of the value that comes from the choice of examples (and the noise of each answer); nan
            for one example.
        error: of an estimate, the standard error that is the method's own, in the same unit; None for other kinds.
        direction: of an estimate, whether it "overstates" or "understates" the likelihood on average, where known.

    All but ``kind`` are None where no absolute number can be given: a model that only samples, or knows its density up
    to a constant.
    """

    kind: Kind
    value: float | None = None
    stderr: float | None = None
    unit: Unit | None = None
    error: float | None = None
    direction: str | None = None


def evaluate(model: Any, x: Any, labels: Any = None, *, truth: Any = None, generator: Any = None) -> Evaluation:
    """How well a model knows data that it has not seen: bits per dimension, or nats above a known entropy.

    Args:
        model: any `Model`, also one that torch has wrapped.
        x: (B, ...) examples that the model has not seen.
        labels: (B,); with them, the value is that of x given its label.
        truth: the density that x was drawn from, for continuous data; the value is then the mean of
            ``log p(x) - log q(x)``, a paired estimate of KL(p || q).
        generator: for the noise of a bound or an estimate.

    Returns:
        An `Evaluation`. Its standard error is that of the mean over the B examples.
    """
    answer = kind(model)
    if answer in (Kind.NONE, Kind.UP_TO_A_CONSTANT):
        return Evaluation(answer)
    if not len(x):
        raise ValueError("there are no examples to evaluate: x is empty")
    found, dims = answers(model, x, labels, generator=generator), math.prod(x.shape[1:])
    if truth is None:
        values, unit = bits_per_dim(found.log_prob, dims), Unit.BITS_PER_DIM
        scale = -bits_per_dim(1.0, dims)
    else:
        true = one_each(as_array(truth.log_prob(x)), len(x), "the truth's log_prob")
        values, unit, scale = true - found.log_prob, Unit.NATS_ABOVE_LIMIT, 1.0
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"example {bad} gets {values[bad]}: the computation broke down. Look for nan in the model's "
            "weights, or train it anew"
            if np.isnan(values[bad])
            else f"example {bad} gets {values[bad]}: the model gives it no probability. Smooth the model, or see "
            "whether it was trained on data of this kind"
        )
    stderr = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
    error = found.error_of_mean() * scale if answer is Kind.ESTIMATE else None
    return Evaluation(answer, float(values.mean()), stderr, unit, error, found.direction)


def answers(model: Any, x: Any, labels: Any = None, *, generator: Any = None) -> Estimate:
    """The strongest answer of a model about each example, as an `Estimate` in float64, without error if it has none.

    Args:
        model: any `Model` with an exact density, a bound or an estimate; also one that torch has wrapped.
        x: (B, ...) examples, of the kind that the model takes.
        labels: (B,) or None.
        generator: for the noise of a bound or an estimate.

    Raises:
        ValueError: the model has no such answer.
    """
    model, answer = unwrapped(model), kind(model)
    if answer in (Kind.NONE, Kind.UP_TO_A_CONSTANT):
        raise ValueError(f"a {type(model).__name__} answers with {answer.phrase}, which is no number to compare")
    given, noise = () if labels is None else (labels,), {} if answer is Kind.EXACT else {"generator": generator}
    found = getattr(model, answer.method)(x, *given, **noise)
    what = f"{answer.method} of a {type(model).__name__}"
    if answer is not Kind.ESTIMATE:
        return Estimate(one_each(as_array(found), len(x), what))
    log_prob = one_each(as_array(found.log_prob), len(x), what)
    return Estimate(log_prob, as_array(found.stderr), float(found.shared), found.direction)


def as_array(values: Any) -> np.ndarray:
    """Numbers as a float64 array, from an array, or from a tensor wherever it is."""
    return np.asarray(values.detach().cpu().double() if hasattr(values, "detach") else values, dtype=np.float64)
