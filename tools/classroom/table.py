"""The table of a lesson: one row for each student, what happened in words, on screen and as ``grades.csv``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.classroom import files
from tools.classroom.layout import Classroom
from tools.classroom.verdict import TO_INSTRUCTOR, Verdict


@dataclass
class Row:
    """One line of the table."""

    student: str
    scores: dict[str, float | None] = field(default_factory=dict)
    auto: float = 0.0
    manual: float = 0.0
    raw: float = 0.0  # auto and manual together
    days_late: int | None = None  # None if there is no deadline, or nobody knows when it was handed in
    penalty: float = 0.0  # what lateness costs
    total: float = 0.0  # what is left
    max: float = 0.0
    pending: int = 0
    status: str = "ok"
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def story_notes(story: dict | None) -> list[str]:
    """What happened in the run, in words."""
    if not story:
        return []
    notes = []
    for number, kind in story["errors"][:6]:
        syntax = kind in ("SyntaxError", "IndentationError", "TabError")
        notes.append(f"syntax error in cell {number}" if syntax else f"error in cell {number}: {kind}")
    if story["timeouts"]:
        notes.append(f"timeout in cell {', '.join(map(str, story['timeouts']))} (a loop that never ends?)")
    if story["flood"]:
        notes.append(f"gigantic output in cell {', '.join(map(str, story['flood']))} (cut)")
    notes += [f"cell {number} was given up: {why}" for number, why in story["dead"]]
    if story["cut"]:
        notes.append("not all cells were run: they took too long, or ended their process too often")
    said: dict[str, list[str]] = {}
    for id, verdict in story["verdicts"].items():
        if text := TO_INSTRUCTOR.get(Verdict(verdict)):
            said.setdefault(text, []).append(id)
    notes += [f"{', '.join(ids)} {text}" for text, ids in said.items()] + story["notes"]
    return notes


def write_csv(room: Classroom, lesson: str, ids: list[str], rows: list[Row], partial: bool) -> None:
    """Write ``grades.csv``.

    Args:
        ids: exercises and questions in words, a column each.
        partial: keep the rows of students who are not among these.
    """
    file = room.grades / lesson / "grades.csv"
    head = ["student", "lesson", *ids, "auto", "manual", "raw", "days_late", "penalty", "total", "max"]
    head += ["to_grade_by_hand", "status", "notes"]
    kept: dict[str, list] = {}
    if partial and (before := files.rows(file)):
        kept = {r[0]: [dict(zip(before[0], r, strict=False)).get(c, "") for c in head] for r in before[1:]}
    for row in rows:
        scores = ["" if row.scores.get(id) is None else f"{row.scores[id]:g}" for id in ids]
        late = ["" if row.days_late is None else row.days_late, f"{row.penalty:g}"]
        sums = [f"{row.auto:g}", f"{row.manual:g}", f"{row.raw:g}", *late, f"{row.total:g}", f"{row.max:g}"]
        notes = files.printable("; ".join(row.notes))
        kept[row.student] = [row.student, lesson, *scores, *sums, row.pending, row.status, notes]
    files.write_rows(file, [head, *(kept[k] for k in sorted(kept))])


def show(rows: list[Row], say: Callable) -> None:
    """A line for each student."""
    wide = max([len("student"), *(len(r.student) for r in rows)])
    say(f"\n{'student':{wide}}  {'score':>9}  {'status':10}  notes")
    for row in rows:
        notes = row.notes + ([f"{row.pending} to grade by hand"] if row.pending else [])
        said = files.printable("; ".join(notes))
        say(f"{row.student:{wide}}  {row.total:>4g}/{row.max:<4g}  {files.printable(row.status):10}  {said}".rstrip())
