"""From what happened to each submission to its row of the table; the scores are those of nbgrader's gradebook.

A score that a person gave belongs to the text that it was given for. What each student's texts were when they were
last graded is remembered (`Submission.texts`), and before the next run `tie` writes down which of them a person has
scored since: nbgrader says so by taking away its mark "needs manual grade". The same text keeps its score in silence;
when it is another the score stays, and so does the mark, until a person has looked.
"""

from __future__ import annotations

import contextlib
import shutil
import warnings
from typing import Any

from tools.classroom import feedback, files
from tools.classroom.bounds import open_gradebook
from tools.classroom.collect import Submission
from tools.classroom.layout import Classroom
from tools.classroom.table import Row, story_notes
from tools.classroom.verdict import Verdict
from tools.classroom.workers import Job


def tie(room: Classroom, lesson: str, manifest: dict) -> dict[str, list[str]]:
    """Before anything is graded again: tie what a person has scored since to the texts as they were graded then.

    Returns:
        Of each student notes about scores by hand that were written past `bound_scores` and lay outside their range.
    """
    from nbgrader.api import MissingEntry

    known, notes = memory(room, lesson), {}
    tests = _exercises(manifest)
    with warnings.catch_warnings(), open_gradebook(room, lesson) as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for student, before in known.items():
            try:
                grades = book.find_submission(lesson, student).notebooks[0].grades
            except (MissingEntry, IndexError):
                continue
            tied = before.get("by_hand", {})
            for grade in grades:
                id, score = tests.get(grade.name), grade.manual_score
                if id is None or score is None:
                    tied.pop(id, None)
                    continue
                if not grade.needs_manual_grade:
                    tied[id] = before.get("texts", {}).get(id)
                grade.manual_score = score  # within its bounds
                if grade.manual_score != score:
                    most = grade.cell.max_score
                    said = f"the score by hand of {id} was {score:g} of {most:g}; {grade.manual_score:g} counts"
                    notes.setdefault(student, []).append(said)
            before["by_hand"] = tied
        book.db.commit()
    _remember(room, lesson, known)
    return notes


def memory(room: Classroom, lesson: str) -> dict[str, dict]:
    """Of each student the latest run: the ``key`` of what was graded, why it failed, notes, texts, who scored them."""
    return files.read(room.grades / lesson / "submissions.json") or {}


def _remember(room: Classroom, lesson: str, known: dict[str, dict]) -> None:
    files.write(room.grades / lesson / "submissions.json", known)


def begin(job: Job, students: list[str]) -> None:
    """Nobody of these counts as graded until a result is there: the run may be killed in between."""
    known = memory(job.room, job.lesson)
    for name in students:
        known.get(name, {}).pop("key", None)
    _remember(job.room, job.lesson, known)


def _exercises(manifest: dict) -> dict[str, str]:
    """Name of a graded cell -> exercise."""
    tests = {e["test"]: id for id, e in manifest["exercises"].items()}
    return tests | {e["answer"]: id for id, e in manifest["manual"].items()}


def settle(job: Job, manifest: dict, submissions: dict[str, Submission], results: dict[str, dict]) -> list[Row]:
    """Read everyone's scores. What could not be graded gets nothing automatically; scores given by hand stay."""
    tests = _exercises(manifest)
    most = sum(e["points"] for e in [*manifest["exercises"].values(), *manifest["manual"].values()])
    known, rows = memory(job.room, job.lesson), []
    with warnings.catch_warnings(), open_gradebook(job.room, job.lesson) as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for name, sub in submissions.items():
            result, before = results.get(name, {}), known.get(name, {})
            failed = sub.status or result.get("failed", "")
            if job.execute:
                story = result.get("story") or {}
                lost = failed or Verdict.LOST in story.get("verdicts", {}).values()
                notes = sub.notes + story_notes(story)
                now = {"digest": sub.digest, "failed": failed, "notes": notes, "key": "" if lost else sub.key}
                known[name] = before | now | ({} if failed else {"texts": sub.texts})
            elif sub.gradable:
                notes = before.get("notes", [])
            else:
                failed, notes = before.get("failed") or "not graded yet", []
            row = Row(name, dict.fromkeys(tests.values(), 0.0), max=most)
            row.notes = [failed] * bool(failed) + notes + ([result["feedback"]] if "feedback" in result else [])
            if failed == "nothing handed in":
                row.status = "missing"
            else:  # nobody has read them
                row.scores |= dict.fromkeys(manifest["manual"])
                row.status = "not graded" if failed else "ok"
            try:
                submission = _submission(book, job.lesson, row, bool(failed) and job.execute)
                if submission is not None:
                    _scores(submission.notebooks[0].grades, row, tests, bool(failed), known.get(name, {}), job.execute)
                    book.db.commit()
            except Exception as error:
                row.status = "not graded"
                row.notes.append(f"gradebook: {type(error).__name__}: {str(error)[:80]}")
            if row.notes and row.status == "ok":
                row.status = "see notes"
            if failed and job.execute:
                _forget(job, name, failed)
            rows.append(row)
    _remember(job.room, job.lesson, known)
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


def _scores(grades: Any, row: Row, tests: dict[str, str], failed: bool, memory: dict, ran: bool) -> None:
    """Add up a row.

    Args:
        tests: id of a graded cell -> exercise.
        failed: whether this submission could not be graded, so that nothing of it counts.
        memory: of this student, the texts that are graded now, and those that were scored by hand.
        ran: whether the submission was graded just now, which made nbgrader ask for another look at each score by hand.
    """
    texts, tied = memory.get("texts", {}), memory.get("by_hand", {})
    for grade in grades:
        id = tests.get(grade.name)
        if ran and failed:
            grade.auto_score = 0
            grade.needs_manual_grade &= grade.manual_score is not None
        elif ran and grade.manual_score is not None:
            grade.needs_manual_grade = tied.get(id) != texts.get(id)
        if id is None:
            continue
        if grade.manual_score is not None:
            row.scores[id] = float(grade.manual_score)
            row.manual += float(grade.manual_score)
        elif id in row.scores and not (failed and row.scores[id] is None):
            row.scores[id] = None if grade.auto_score is None else float(grade.auto_score)
            row.auto += float(grade.auto_score or 0)
        if grade.extra_credit:
            row.scores[id] = (row.scores[id] or 0.0) + float(grade.extra_credit)
            row.manual += float(grade.extra_credit)
        row.pending += bool(grade.needs_manual_grade)
        if grade.needs_manual_grade and grade.manual_score is not None:
            row.notes.append(f"{id} was scored by hand before it was changed: look again")
    row.raw = row.total = row.auto + row.manual


def _forget(job: Job, student: str, why: str) -> None:
    """An earlier run's notebook and page do not stand for a submission that could not be graded."""
    for folder in (job.room.autograded, job.room.collected):
        shutil.rmtree(folder / student / job.lesson, ignore_errors=True)
    with contextlib.suppress(OSError):
        feedback.refused(job.room, student, job.lesson, why)
