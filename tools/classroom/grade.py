"""`grade`: every submission of a lesson, from what was handed in to feedback pages and a table that names everyone."""

from __future__ import annotations

import argparse
import hashlib
import json
import pathlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tools.classroom import (
    course,
    exchange,
    feedback,
    gradebook,
    incoming,
    lateness,
    roster,
    sandbox,
    settings,
    system,
    table,
    workers,
)
from tools.classroom.collect import Submission, collect
from tools.classroom.layout import Classroom, Problem
from tools.classroom.table import Row
from tools.classroom.workers import Job, Limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("--timeout", type=int, default=60, metavar="S", help="seconds for one cell (default 60)")
    parser.add_argument("--workers", type=int, default=2, help="submissions graded at the same time (default 2)")
    parser.add_argument("--whole", action="store_true", help="run all cells, also those that nobody changed or needs")
    parser.add_argument("--again", action="store_true", help="grade also what was graded and has not changed since")
    parser.add_argument("--strict", action="store_true", help="refuse where students' code cannot be confined")
    parser.add_argument("--student", action="append", metavar="NAME", help="only this student (may be repeated)")
    exchange.add_argument(parser, "first collect from")


def run(room: Classroom, args: argparse.Namespace) -> int:
    if args.timeout < 1 or args.workers < 1:
        raise Problem("--timeout and --workers are at least 1.")
    if args.strict:
        system.must_confine(sandbox.refusal())
    limits = Limits(timeout=args.timeout, whole=args.whole)
    if args.exchange:
        incoming.collect(room, args.lesson, exchange.course(room, args.exchange), kind="nbgrader")
    rows = grade(
        room,
        args.lesson,
        students=args.student,
        again=args.again,
        limits=limits,
        at_a_time=args.workers,
    )
    return int(any(row.status == "not graded" for row in rows))


def grade(
    room: Classroom,
    lesson: str,
    *,
    students: list[str] | None = None,
    execute: bool = True,
    again: bool = False,
    limits: Limits | None = None,
    at_a_time: int = 2,
    say: Callable[[str], Any] = print,
) -> list[Row]:
    """Grade a lesson's submissions, write feedback and ``grades.csv``, and say how everyone did.

    The table on disk is written as results come. What was graded, and has not changed since, is not run again.

    Args:
        students: only these.
        execute: False rewrites feedback and grades from the gradebook without running anything.
        again: run also what has not changed: neither the submission, nor the release, nor its checks.
        limits: how a submission is run: which cells, seconds, memory.
        at_a_time: how many submissions are graded side by side.

    Returns:
        One `Row` for each student, in order of name.

    Raises:
        Problem: with one line that says what to do.
    """
    system.can_judge()
    lesson = room.lesson(lesson)
    manifest = room.manifest(lesson)
    if "released" not in manifest or not room.gradebook(lesson).exists():
        raise Problem(f"{lesson} was not released completely; run: make release LESSON={lesson}")
    settings.make(room)
    deadline = lateness.rule(room, lesson)
    with room.alone():
        course.confirm(room, lesson, manifest)
        names = _names(room, lesson, students)
        began = time.monotonic()
        _folders(room, lesson)
        feedback.lesson_secrets(room, lesson)
        job = Job(room, lesson, limits or Limits(), execute)
        if execute:
            submissions = {n: collect(room, lesson, n, manifest) for n in names}
        else:
            submissions = {n: Submission(n, gradable=_graded(room, lesson, n)) for n in names}
        bounded = gradebook.tie(room, lesson, manifest)
        _sign(job, manifest, submissions)
        done = [] if again or not execute else _unchanged(job, submissions)
        rows: dict[str, Row] = {}

        def note(job: Job, some: dict[str, Submission], results: dict[str, dict]) -> None:
            """The rows of some students, at once on disk."""
            new = gradebook.settle(job, manifest, some, results)
            lateness.charge(room, lesson, deadline, new)
            for row in new:
                if more := bounded.get(row.student):
                    row.notes, row.status = row.notes + more, "see notes" if row.status == "ok" else row.status
                rows[row.student] = row
            ids = [*manifest["exercises"], *manifest["manual"]]
            table.write_csv(room, lesson, ids, [*rows.values()], partial=students is not None or len(rows) < len(names))

        note(replace(job, execute=False), {n: submissions[n] for n in done}, {})
        if refused := {n: s for n, s in submissions.items() if not s.gradable}:
            note(job, refused, {})
        todo = [n for n, s in submissions.items() if s.gradable and n not in done]
        gradebook.begin(job, todo)
        results = workers.run_all(job, todo, at_a_time, say, lambda n, r: note(job, {n: submissions[n]}, {n: r}))
        table.show([rows[n] for n in names], say)
        for remark in lateness.remarks(room, lesson, deadline, [rows[n] for n in names]):
            say(remark)
        if done:
            say(f"\n{len(done)} had not changed and were not run again (--again runs them)")
        _end(job, results, time.monotonic() - began, at_a_time, say)
    return [rows[n] for n in names]


def _sign(job: Job, manifest: dict, submissions: dict[str, Submission]) -> None:
    """Note with each submission what its grading depends on, in one word."""
    how = [manifest, job.limits.whole]  # the manifest holds the digest of what grades
    release = hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()
    for one in submissions.values():
        one.key = hashlib.sha256(f"{release} {one.digest}".encode()).hexdigest()


def _unchanged(job: Job, submissions: dict[str, Submission]) -> list[str]:
    """Who was graded before, by the same release and checks, and has handed in nothing else since."""
    memory = gradebook.memory(job.room, job.lesson)
    page = job.room.feedback / "{}" / job.lesson / f"{job.lesson}.html"
    same = [n for n, s in submissions.items() if s.gradable and memory.get(n, {}).get("key") == s.key]
    return [n for n in same if _graded(job.room, job.lesson, n) and pathlib.Path(str(page).format(n)).exists()]


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
    came = {p.name for p in room.submitted.iterdir() if (p.is_dir() or p.is_symlink()) and not p.name.startswith(".")}
    absent = {m.folder for m in roster.members(room)} - {roster.folder_name(name) for name in came}
    every = sorted(came | absent if came else came)
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
        refused = next((r["story"]["open"] for r in results.values() if (r.get("story") or {}).get("open")), "")
        for missing in system.unprotected(refused):
            say(f"note: here {missing}")
    say(f"grades:   {room.grades / lesson / 'grades.csv'}")
    say(f"feedback: {room.feedback}/<student>/{lesson}/{lesson}.html")
