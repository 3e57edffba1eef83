"""Seconds that grading takes, for the benchmark: copies of one submission, graded together."""

from __future__ import annotations

import shutil
import time
from typing import Any

from tools.classroom.grade import grade
from tools.classroom.layout import Classroom


def time_grading(room: Classroom, lesson: str, student: str, n: int, **options: Any) -> float:
    """Seconds to grade n copies of a student's submission, handed in as ``copy-001`` and so on."""
    names = [f"copy-{i:03d}" for i in range(1, n + 1)]
    for name in names:
        shutil.copytree(room.submitted / student / lesson, room.submitted / name / lesson, dirs_exist_ok=True)
    began = time.monotonic()
    grade(room, lesson, students=names, again=True, say=lambda text: None, **options)
    return time.monotonic() - began
