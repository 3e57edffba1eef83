"""The command `requests`: what students ask to have graded again, as a list with what was answered.

A student writes ``Regrade request 04.2: ...`` in a cell of the notebook and hands it in again, or a line stands in
``requests.csv`` (student, lesson, exercise, words), say from an e-mail. The command adds what it finds in notebooks to
that file; a line stays open until it has an answer.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tools.classroom import cells, files
from tools.classroom.files import LARGEST
from tools.classroom.layout import Classroom, Problem

OPEN, ANSWERED = "open", "answered"
_HEAD = ["student", "lesson", "exercise", "words", "state", "answer"]
_MARK = re.compile(r"^[^\w\n]*regrade request\b[ \t]*(?P<id>\d+\.\w+)?[\s:*_]*(?P<words>.*)", re.I | re.M | re.S)
_LONGEST = 2000  # characters


@dataclass
class Request:
    """One request; `exercise` is empty if it is about the whole lesson."""

    student: str
    lesson: str
    exercise: str
    words: str
    state: str = OPEN
    answer: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.student, self.lesson, self.exercise, self.words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    says = "answer the open requests of a student about an exercise"
    parser.add_argument("--answer", nargs=3, metavar=("STUDENT", "EXERCISE", "TEXT"), help=says)


def run(room: Classroom, args: argparse.Namespace) -> None:
    requests(room, args.lesson, answer=args.answer)


def requests(
    room: Classroom, lesson: str, *, answer: list[str] | None = None, say: Callable[[str], Any] = print
) -> list[Request]:
    """Bring ``requests.csv`` up to date, and list a lesson's requests, open ones first.

    Args:
        answer: student, exercise and text that answer what is open.

    Raises:
        Problem: if the file cannot be read or written, or nothing is open that the answer would be for.
    """
    lesson = room.lesson(lesson)
    file = room.folder / "requests.csv"
    every = _read(file)
    known = {r.key for r in every}
    for student in room.students(lesson):
        for request in found(room.submitted / student / lesson, student, lesson):
            if request.key not in known:
                known.add(request.key)
                every.append(request)
    if answer:
        student, exercise, text = answer
        asked = [r for r in every if (r.student, r.lesson, r.exercise, r.state) == (student, lesson, exercise, OPEN)]
        if not asked:
            raise Problem(f"{student} has no open request about {exercise} in {lesson}.")
        for request in asked:
            request.state, request.answer = ANSWERED, text
    if every:
        try:
            files.write_rows(file, [_HEAD, *([getattr(r, c) for c in _HEAD] for r in every)])
        except OSError as error:
            raise Problem(f"{file} cannot be written ({error.strerror}); close it where it is open.") from None
    mine = sorted((r for r in every if r.lesson == lesson), key=lambda r: (r.state != OPEN, r.student, r.exercise))
    _show(room, lesson, mine, file, say)
    return mine


def found(folder: pathlib.Path, student: str, lesson: str) -> Iterator[Request]:
    """The requests in the notebooks of a submission; what cannot be read holds none."""
    for file in sorted(folder.glob("*.ipynb")) if folder.is_dir() and not folder.is_symlink() else []:
        try:
            if file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST:
                continue
            book = json.loads(file.read_text(encoding="utf-8-sig"))["cells"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        above = ""
        for cell in book if isinstance(book, list) else []:
            if not isinstance(cell, dict):
                continue
            above = _exercise(cell) or above
            source = cell.get("source", "")
            source = "".join(map(str, source)) if isinstance(source, list) else str(source)
            if asked := _MARK.search(source):
                words = " ".join(line.lstrip("#> ") for line in asked["words"].strip("*_ \n").splitlines())
                words = " ".join(words.encode("utf-8", "replace").decode().split())[:_LONGEST]
                yield Request(student, lesson, asked["id"] or above, words)


def _exercise(cell: dict) -> str:
    """The exercise that a cell belongs to, by the mark of nbgrader or of the lesson."""
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    mark = metadata.get("nbgrader")
    graded = cells.parse(str(mark.get("grade_id"))) if isinstance(mark, dict) else None
    return graded[0] if graded else str(metadata.get("exercise") or "")


def _read(file: pathlib.Path) -> list[Request]:
    try:
        head, *lines = files.rows(file) or [_HEAD]
    except (OSError, ValueError) as error:
        raise Problem(f"{file} cannot be read ({error}); save it as 'CSV UTF-8'.") from None
    if missing := {"student", "lesson"} - set(head):
        raise Problem(f"{file} has no column {' and '.join(sorted(missing))}; its head is: {', '.join(_HEAD)}.")
    rows = [dict(zip(head, line, strict=False)) for line in lines]
    every = [Request(**{c: row.get(c, "").strip() for c in _HEAD}) for row in rows]
    for request in every:
        request.state = ANSWERED if request.answer or request.state == ANSWERED else OPEN
    return every


def _show(room: Classroom, lesson: str, mine: list[Request], file: pathlib.Path, say: Callable) -> None:
    head, *lines = files.rows(room.grades / lesson / "grades.csv") or [[]]
    grades = {line[0]: dict(zip(head, line, strict=False)) for line in lines}
    manifest = room.manifest(lesson) if (room.private / f"{lesson}.json").exists() else {}
    points = {id: e["points"] for kind in ("exercises", "manual") for id, e in manifest.get(kind, {}).items()}
    for r in mine:
        row = grades.get(r.student, {})
        score, most = (
            (row.get(r.exercise), points.get(r.exercise)) if r.exercise else (row.get("total"), row.get("max"))
        )
        now = f"{score} of {float(most):g}" if score and most else "not graded"
        said = f" -> {r.answer}" if r.answer else ""
        say(files.printable(f"{r.state:8}  {r.student}  {r.exercise or lesson}  ({now})  {r.words}{said}"))
    waiting = sum(r.state == OPEN for r in mine)
    say(f"{waiting} open, {len(mine) - waiting} answered" + (f": {file}" if mine else ""))
