"""Scores by hand that stay within their range, whoever writes them: Formgrader, an import, a script."""

from __future__ import annotations

import math
from typing import Any

from tools.classroom.layout import Classroom


def bound_scores() -> None:
    """From now on no score by hand of this process lies below zero or above its maximum. Extra credit is what it is."""
    from nbgrader.api import Grade
    from sqlalchemy import event

    if not event.contains(Grade.manual_score, "set", _bounded):
        event.listen(Grade.manual_score, "set", _bounded, retval=True)


def _bounded(grade: Any, value: Any, *_: Any) -> float | None:
    if value is None or grade.cell is None:
        return value
    if not math.isfinite(value := float(value)):
        raise ValueError(f"a score of {value} for {grade.name}; give a number from 0 to {grade.cell.max_score:g}")
    return min(max(value, 0.0), float(grade.cell.max_score))


def open_gradebook(room: Classroom, lesson: str) -> Any:
    """nbgrader's gradebook of a lesson, to be used with ``with``; scores that are put into it are bounded."""
    from nbgrader.api import Gradebook

    bound_scores()
    return Gradebook(f"sqlite:///{room.gradebook(lesson)}?timeout=60", "course")
