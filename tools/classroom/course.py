"""The course's package as it was when a lesson was released: this copy grades it, whatever is edited afterwards."""

from __future__ import annotations

import hashlib
import pathlib
import re
import shutil

from tools.classroom.layout import Classroom, Problem

# Grading a lesson needs neither of them, and not the checks and figures of other lessons.
_LEFT_OUT = {"__pycache__", "recipes", "yardstick"}
REGRADE = "python -m tools.classroom regrade {lesson}"


def copy(root: pathlib.Path, lesson: str, folder: pathlib.Path) -> str:
    """Copy what grades a lesson from the course at ``root`` into a folder that does not exist; the copy's digest.

    Args:
        lesson: its stem, such as ``04_entropy``.
    """
    number = lesson.partition("_")[0]

    def others(where: str, names: list[str]) -> set[str]:
        lessons = {n for n in names if re.fullmatch(r"lesson_\d+\.py", n)} - {f"lesson_{number}.py"}
        return (_LEFT_OUT & set(names)) | lessons

    shutil.copytree(root / "genutils", folder / "genutils", ignore=others)
    return digest(folder)


def digest(folder: pathlib.Path) -> str:
    """A digest of the names and contents of all files of a copy, but for what Python writes beside them."""
    total = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def put(room: Classroom, lesson: str, new: pathlib.Path) -> None:
    """Make a copy the one that grades a lesson from now on."""
    target = room.private / lesson / "course"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(new, target)


def confirm(room: Classroom, lesson: str, manifest: dict) -> None:
    """`Problem` if the copy that grades a lesson is not the one that was released."""
    folder = room.private / lesson / "course"
    if not folder.is_dir():
        trouble = "is missing"
    elif digest(folder) != manifest.get("course"):
        trouble = "was changed since the release"
    else:
        return
    how = REGRADE.format(lesson=lesson)
    raise Problem(f"{folder}, which grades {lesson}, {trouble}; restore it from a backup, or take today's: {how}")
