"""nbgrader's gradebook: made without delay, with scores by hand that stay within their range, whoever writes them."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
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
    if not room.gradebook(lesson).exists():
        _make(room.gradebook(lesson))
    return Gradebook(f"sqlite:///{room.gradebook(lesson)}?timeout=60", "course")


def _make(file: pathlib.Path) -> None:
    """An empty gradebook as nbgrader makes it, which asks a program for its version that takes seconds to start."""
    import nbgrader
    from alembic.script import ScriptDirectory
    from nbgrader.api import Base
    from sqlalchemy import create_engine, text

    version = ScriptDirectory(str(pathlib.Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    new = file.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    engine = create_engine(f"sqlite:///{new}")
    Base.metadata.create_all(engine)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        db.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    engine.dispose()
    os.replace(new, file)
