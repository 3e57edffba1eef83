"""`grade`: every submission of a lesson, from what was handed in to feedback pages and a table that names everyone."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from tools.classroom import feedback, gradebook, settings, system, table, workers
from tools.classroom.collect import Submission, collect
from tools.classroom.layout import Classroom, Problem
from tools.classroom.table import Row
from tools.classroom.workers import Job, Limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("--timeout", type=int, default=60, metavar="S", help="seconds for one cell (default 60)")
    parser.add_argument("--workers", type=int, default=2, help="submissions graded at the same time (default 2)")
    parser.add_argument("--student", action="append", metavar="NAME", help="only this student (may be repeated)")


def run(room: Classroom, args: argparse.Namespace) -> None:
    if args.timeout < 1 or args.workers < 1:
        raise Problem("--timeout and --workers are at least 1.")
    limits = Limits(timeout=args.timeout)
    grade(room, args.lesson, students=args.student, limits=limits, at_a_time=args.workers)


def grade(
    room: Classroom,
    lesson: str,
    *,
    students: list[str] | None = None,
    execute: bool = True,
    lean: bool = False,
    limits: Limits | None = None,
    at_a_time: int = 2,
    say: Callable[[str], Any] = print,
) -> list[Row]:
    """Grade a lesson's submissions, write feedback and ``grades.csv``, and say how everyone did.

    Args:
        students: only these.
        execute: False rewrites feedback and grades from the gradebook without running anything.
        lean: of the lesson's own cells run only the first; the exercises, and what the student wrote, always run.
        limits: seconds and memory of one submission.
        at_a_time: how many submissions are graded side by side.

    Returns:
        One `Row` for each student, in order of name.

    Raises:
        Problem: with one line that says what to do.
    """
    system.can_judge()
    lesson = room.lesson(lesson)
    manifest = room.manifest(lesson)
    if "released" not in manifest or not room.db.exists():
        raise Problem(f"{lesson} was not released completely; run: make release LESSON={lesson}")
    settings.make(room)
    with room.alone():
        names = _names(room, lesson, students)
        began = time.monotonic()
        _folders(room, lesson)
        feedback.lesson_secrets(room, lesson)
        job = Job(room, lesson, limits or Limits(), execute, lean)
        if execute:
            submissions = {n: collect(room, lesson, n, manifest) for n in names}
        else:
            submissions = {n: Submission(n, gradable=_graded(room, lesson, n)) for n in names}
        results = workers.run_all(job, [n for n, s in submissions.items() if s.gradable], at_a_time, say)
        rows = gradebook.settle(job, manifest, submissions, results)
        ids = [*manifest["exercises"], *manifest["manual"]]
        table.write_csv(room, lesson, ids, rows, partial=students is not None)
        table.show(rows, say)
        _end(job, results, time.monotonic() - began, at_a_time, say)
    return rows


def _folders(room: Classroom, lesson: str) -> None:
    """Make what grading writes to."""
    try:
        for folder in (room.collected, room.autograded, room.feedback, room.grades / lesson / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        feedback.assets(room)
    except OSError as error:
        raise Problem(
            f"cannot write in {room.folder} ({error.strerror}); set CLASSROOM=path to a folder that you may write."
        ) from None


def _names(room: Classroom, lesson: str, students: list[str] | None) -> list[str]:
    where = f"put each submission in {room.submitted}/<student>/{lesson}/{lesson}.ipynb"
    if not room.submitted.is_dir():
        raise Problem(f"there are no submissions; {where}")
    every = sorted(
        p.name for p in room.submitted.iterdir() if (p.is_dir() or p.is_symlink()) and not p.name.startswith(".")
    )
    if students:
        unknown = sorted(set(students) - set(every))
        if unknown:
            raise Problem(
                f"no folder of {', '.join(unknown)} in {room.submitted}; there are: {', '.join(every) or '(none)'}."
            )
        return sorted(set(students))
    if not every:
        raise Problem(f"there are no submissions; {where}")
    return every


def _graded(room: Classroom, lesson: str, student: str) -> bool:
    return (room.autograded / student / lesson / f"{lesson}.ipynb").exists()


def _end(job: Job, results: dict[str, dict], seconds: float, at_a_time: int, say: Callable) -> None:
    """What the instructor should know besides the table."""
    room, lesson = job.room, job.lesson
    for path in sorted(room.submitted.iterdir()):
        if not path.is_dir() and not path.name.startswith("."):
            say(f"{path.name}: a file in submitted/, not a student's folder; it was left alone")
    if results:
        say(f"\n{len(results)} graded in {seconds:.1f} s ({seconds / len(results):.2f} s each, {at_a_time} at a time)")
        network = all(r.get("isolated", {}).get("network") for r in results.values())
        for missing in system.unprotected(network):
            say(f"note: here {missing}")
    say(f"grades:   {room.grades / lesson / 'grades.csv'}")
    say(f"feedback: {room.feedback}/<student>/{lesson}/{lesson}.html")
