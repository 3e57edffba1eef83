"""Wrong answers that people really give, and right answers written in another way, one module a lesson.

The suite proves that each mutant is rejected with its hint, and that each alternative passes. What
``python -m tools.checks 04`` shows is the same, for one lesson.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """An answer to an exercise, and, if it is wrong, a part of the hint that must be shown; "" if there may be none."""

    exercise: str
    answer: Callable
    hint: str | None


CANDIDATES: list[Candidate] = []


def mutant(exercise: str, *, hint: str) -> Callable:
    """Register a wrong answer. ``hint`` must occur in what the learner is shown; if it is empty, no hint may be shown.

    A hint that names another mistake is worse than none, so a mutant that the check cannot name says ``hint=""``.
    """
    if not isinstance(hint, str):
        raise TypeError(f"the hint of the mutant of {exercise} is text, or empty text for none; it is {hint!r}")
    return _register(exercise, hint)


def alternative(exercise: str) -> Callable:
    """Register a right answer that is written differently from the solution."""
    return _register(exercise, None)


def _register(exercise: str, hint: str | None) -> Callable:
    def register(answer: Callable) -> Callable:
        CANDIDATES.append(Candidate(exercise, answer, hint))
        return answer

    return register
