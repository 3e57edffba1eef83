"""From what happened to each submission to its row of the table; the scores are those of nbgrader's gradebook."""

from __future__ import annotations

import contextlib
import shutil
import warnings
from typing import Any

from tools.classroom import feedback, files
from tools.classroom.collect import Submission
from tools.classroom.table import Row, story_notes
from tools.classroom.workers import Job


def settle(job: Job, manifest: dict, submissions: dict[str, Submission], results: dict[str, dict]) -> list[Row]:
    """Read everyone's scores. What could not be graded gets nothing automatically; scores given by hand stay."""
    from nbgrader.api import Gradebook

    tests = {e["test"]: id for id, e in manifest["exercises"].items()}
    tests |= {e["answer"]: id for id, e in manifest["manual"].items()}
    most = sum(e["points"] for e in [*manifest["exercises"].values(), *manifest["manual"].values()])
    file = job.room.grades / job.lesson / "submissions.json"
    memory = files.read(file) or {}  # of each student the latest run: digest, why it failed, notes
    rows = []
    with warnings.catch_warnings(), Gradebook(f"sqlite:///{job.room.db}?timeout=60", "course") as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for name, sub in submissions.items():
            result, before = results.get(name, {}), memory.get(name, {})
            failed = sub.status or result.get("failed", "")
            if job.execute:
                notes = sub.notes + story_notes(result.get("story"))
                memory[name] = {"digest": sub.digest, "failed": failed, "notes": notes}
            elif sub.gradable:
                notes = before.get("notes", [])
            else:
                failed, notes = before.get("failed") or "not graded yet", []
            row = Row(name, dict.fromkeys(tests.values(), 0.0), max=most)
            row.notes = [failed] * bool(failed) + notes + ([result["feedback"]] if "feedback" in result else [])
            row.status = "not graded" if failed else "see notes" if row.notes else "ok"
            if failed == "nothing handed in":
                row.status = "missing"
            try:
                submission = _submission(book, job.lesson, row, bool(failed) and job.execute)
                if submission is not None:
                    seen = not job.execute or before.get("digest") == sub.digest
                    _scores(submission.notebooks[0].grades, row, tests, bool(failed) and job.execute, seen)
                    book.db.commit()
            except Exception as error:
                row.status = "not graded"
                row.notes.append(f"gradebook: {type(error).__name__}: {str(error)[:80]}")
            if failed and job.execute:
                _forget(job, name, failed)
            rows.append(row)
    files.write(file, memory)
    return rows


def _submission(book: Any, lesson: str, row: Row, failed: bool) -> Any:
    """The gradebook's entry; one is made for what was handed in and could not be graded. None if there is none."""
    from nbgrader.api import MissingEntry

    try:
        found = book.find_submission(lesson, row.student)
    except MissingEntry:
        if not failed or row.status == "missing":
            return None
        book.update_or_create_student(row.student)
        return book.update_or_create_submission(lesson, row.student)
    return book.update_or_create_submission(lesson, row.student) if failed else found


def _scores(grades: Any, row: Row, tests: dict[str, str], failed: bool, seen: bool) -> None:
    """Add up a row.

    Args:
        tests: id of a graded cell -> exercise.
        failed: whether this submission could not be graded, so that nothing of it counts.
        seen: whether scores given by hand were given to this very submission.
    """
    for grade in grades:
        if failed:
            grade.auto_score, grade.needs_manual_grade = 0, False
        elif seen and grade.manual_score is not None:
            grade.needs_manual_grade = False
        id = tests.get(grade.name)
        if id is None:
            continue
        score = grade.manual_score if grade.manual_score is not None else grade.auto_score
        row.scores[id] = None if score is None else float(score) + float(grade.extra_credit or 0)
        if grade.manual_score is None:
            row.auto += float(grade.auto_score or 0)
        else:
            row.manual += float(grade.manual_score)
        row.manual += float(grade.extra_credit or 0)
        row.pending += bool(grade.needs_manual_grade)
    row.raw = row.total = row.auto + row.manual


def _forget(job: Job, student: str, why: str) -> None:
    """An earlier run's notebook and page do not stand for a submission that could not be graded."""
    for folder in (job.room.autograded, job.room.collected):
        shutil.rmtree(folder / student / job.lesson, ignore_errors=True)
    with contextlib.suppress(OSError):
        feedback.refused(job.room, student, job.lesson, why)
