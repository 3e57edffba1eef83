"""The command `regrade`: what today's checks would make of what was graded by those of the release, and take them.

Students keep the notebook that they have, and exercises the points that they were released with.
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

from tools.classroom import assemble, course, files, gradebook, system
from tools.classroom.grade import grade
from tools.classroom.layout import Classroom, Problem
from tools.classroom.rehearse import rehearse
from tools.classroom.release import registered
from tools.classroom.submission import Limits, judged
from tools.classroom.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("--dry-run", action="store_true", help="say whose score would change, and change nothing")


def run(room: Classroom, args: argparse.Namespace) -> None:
    if args.dry_run:
        would_change(room, args.lesson)
    else:
        regrade(room, args.lesson)


def would_change(
    room: Classroom, lesson: str, *, limits: Limits | None = None, say: Callable[[str], Any] = print
) -> dict[str, dict[str, tuple[float, float]]]:
    """Judge all graded submissions by today's checks, and say whose automatic score they would change.

    Returns:
        student -> exercise -> points by the checks of the release, points by those of today; equal ones are left out.

    Raises:
        Problem: if today's checks are not of the same exercises.
    """
    system.can_judge()
    lesson = room.lesson(lesson)
    manifest = room.manifest(lesson)
    with room.alone(), tempfile.TemporaryDirectory(dir=room.private) as scratch:
        course.confirm(room, lesson, manifest)
        trial, digest = _today(room, lesson, manifest, pathlib.Path(scratch), say)
        if digest == manifest["course"]:
            say(f"the checks of {lesson} and what they use are those of the release; no score would change")
            return {}
        changes = {}
        for student, scores in _scores(room, lesson, manifest).items():
            nb = assemble.read(room.collected / student / lesson / f"{lesson}.ipynb")
            new = _points(manifest, judged(trial, lesson, manifest, nb, limits=limits))
            if new != scores:  # by the checks, or by chance?
                old = _points(manifest, judged(room, lesson, manifest, nb, limits=limits))
                changes[student] = {id: (old[id], new[id]) for id in new if old[id] != new[id]}
                for id in (id for id in new if old[id] != scores[id]):
                    say(f"{student}: {id} has {scores[id]:g}, and {old[id]:g} when it is judged again: look at it")
        changes = {student: found for student, found in changes.items() if found}
        for student, found in changes.items():
            say(f"{student}: {', '.join(f'{id} {old:g} -> {new:g}' for id, (old, new) in found.items())}")
        say(f"the automatic scores of {len(changes)} would change; those given by hand stay")
        say(f"to do it: {course.REGRADE.format(lesson=lesson)}")
    return changes


def regrade(room: Classroom, lesson: str, *, limits: Limits | None = None, say: Callable[[str], Any] = print) -> None:
    """Take today's ``genutils`` into the release, after a rehearsal, and grade everybody again."""
    system.can_judge()
    lesson = room.lesson(lesson)
    manifest = room.manifest(lesson)
    with room.alone(), tempfile.TemporaryDirectory(dir=room.private) as scratch:
        trial, digest = _today(room, lesson, manifest, pathlib.Path(scratch), say)
        for exercise in manifest["exercises"].values():
            exercise.pop("mode", None)
        rehearse(trial, lesson, manifest, assemble.read(room.source / lesson / f"{lesson}.ipynb"), say)
        course.put(room, lesson, trial.course(lesson))
        files.write(room.private / f"{lesson}.json", manifest | {"course": digest}, mode=0o600)
    grade(room, lesson, limits=limits, say=say)


def _today(room: Classroom, lesson: str, manifest: dict, scratch: pathlib.Path, say: Callable) -> tuple[Classroom, str]:
    """The classroom graded by a copy of today's course, and the copy's digest."""
    trial = room.on_trial(scratch / "course")
    digest = course.copy(room.root, lesson, trial.course(lesson))
    now = registered(trial, lesson)
    for id, was in manifest["exercises"].items():
        if id not in now or now[id]["name"] != was["name"]:
            raise Problem(
                f"today's genutils has no check of {id} {was['name']}; release the lesson again with --force."
            )
        if now[id]["points"] != was["points"]:
            say(f"{id} has {now[id]['points']:g} points today; it keeps {was['points']:g}, as it was released")
    return trial, digest


def _points(manifest: dict, found: dict[str, dict]) -> dict[str, float]:
    return {id: float(e["points"] * (found[id]["verdict"] == Verdict.RIGHT)) for id, e in manifest["exercises"].items()}


def _scores(room: Classroom, lesson: str, manifest: dict) -> dict[str, dict[str, float]]:
    """The automatic points of everybody who was graded."""
    tests = {e["test"]: id for id, e in manifest["exercises"].items()}
    found = {}
    with warnings.catch_warnings(), gradebook.open_gradebook(room, lesson) as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for submission in book.assignment_submissions(lesson):
            grades = submission.notebooks[0].grades if submission.notebooks else []
            scores = {tests[g.name]: float(g.auto_score or 0) for g in grades if g.name in tests}
            if (room.collected / submission.student.id / lesson / f"{lesson}.ipynb").exists():
                found[submission.student.id] = dict.fromkeys(tests.values(), 0.0) | scores
    return found
