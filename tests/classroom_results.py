"""A classroom of the small lesson as grading leaves it, made in a moment: no answer is run."""

from __future__ import annotations

import copy
import json
import pathlib
import secrets

import nbformat
from nbformat.v4 import new_output

from tests import classroom_course as small
from tools.classroom import assemble, files
from tools.classroom.bounds import open_gradebook
from tools.classroom.cells import ANSWER, grade_id
from tools.classroom.layout import Classroom
from tools.classroom.records import gradebook

LESSON = small.LESSON
POINTS = {"90.1": 2, "90.2": 3, "90.3": 1}
WRONG = "not yet: the entropy of p is the mean surprise, in nats (hint: that is `bits`, not nats)"
ESSAY = grade_id("90.w", ANSWER)


def classroom(root: pathlib.Path) -> Classroom:
    """Released; nobody has handed in."""
    room = Classroom(small.course(root / "course"), root / "class")
    registry = {id: {"name": small.NAMES[id], "points": p} for id, p in POINTS.items()}
    nb, manifest = assemble.assemble(room, LESSON, registry, assemble.new_seeds(list(POINTS)))
    for folder in (room.source / LESSON, room.private, room.submitted, room.feedback, room.grades / LESSON):
        folder.mkdir(parents=True)
    nbformat.write(nb, room.source / LESSON / f"{LESSON}.ipynb")
    manifest["released"] = assemble.released_cells(assemble.for_students(nb))
    files.write(room.private / f"{LESSON}.json", manifest)
    room.gradebooks.mkdir(exist_ok=True)
    with open_gradebook(room, LESSON) as book:
        book.add_assignment(LESSON)
        book.add_notebook(LESSON, LESSON)
        for id, points in POINTS.items():
            test = manifest["exercises"][id]["test"]
            book.add_grade_cell(test, LESSON, LESSON, max_score=points, cell_type="code")
            book.add_solution_cell(grade_id(id, ANSWER), LESSON, LESSON)
        book.add_grade_cell(ESSAY, LESSON, LESSON, max_score=4, cell_type="markdown")
        book.add_solution_cell(ESSAY, LESSON, LESSON)
    return room


def graded(
    room: Classroom,
    student: str,
    answers: dict[str, str],
    said: dict[str, str] | None = None,
    outputs: dict[str, list] | None = None,
    own: list[str] | None = None,
) -> None:
    """Somebody handed in, and was graded.

    Args:
        answers: exercise -> what stands in its cell; the others are as they were released.
        said: exercise -> what its test said; those that are answered and not here are right.
        outputs: exercise -> what its answer cell shows.
        own: cells of the student's own.
    """
    said, outputs = said or {}, outputs or {}
    manifest = room.manifest(LESSON)
    nb = nbformat.v4.new_notebook()
    tests = {e["test"]: id for id, e in manifest["exercises"].items()}
    cells = {grade_id(id, ANSWER): id for id in [*POINTS, "90.w"]}
    for was in copy.deepcopy(manifest["released"]):
        make = nbformat.v4.new_code_cell if was["type"] == "code" else nbformat.v4.new_markdown_cell
        cell = make(was["source"])
        mark = (was["nbgrader"] or {}).get("grade_id", "")
        if was["nbgrader"]:
            cell.metadata["nbgrader"] = was["nbgrader"]
        if (id := cells.get(mark)) in answers:
            cell.source = answers[id]
        if cell.cell_type == "code":
            cell.outputs = outputs.get(id, [])
        if (test := tests.get(mark)) is not None:
            text = said.get(test, "is right: every property holds." if test in answers else "was not attempted")
            right = text.startswith("is right")
            cell.outputs = [
                new_output("stream", name="stdout", text=f"✓ {test} {text}\n")
                if right
                else new_output("error", ename="NotYet", evalue=text, traceback=[f"✗ {test} {text}"])
            ]
        nb.cells.append(cell)
    nb.cells += [nbformat.v4.new_code_cell(source) for source in own or []]
    for folder in (room.submitted, room.autograded):
        file = folder / student / LESSON / f"{LESSON}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(nb), encoding="utf-8")
    with gradebook(room, LESSON) as book:
        book.update_or_create_student(student)
        submission = book.update_or_create_submission(LESSON, student)
        for grade in submission.notebooks[0].grades:
            id = tests.get(grade.name)
            right = id in answers and said.get(id, "is right").startswith("is right")
            grade.auto_score = (POINTS[id] if right else 0) if id else (None if "90.w" in answers else 0)
            grade.needs_manual_grade = id is None and "90.w" in answers
        book.db.commit()


def number() -> int:
    """A number like a hidden seed."""
    return secrets.randbelow(9 * 10**11) + 10**11
