"""Every lesson through the classroom: all right answers rehearsed at full points, and judged strictly."""

from __future__ import annotations

import re

import nbformat
import pytest

from tests import classroom_course as small
from tools.classroom.cells import ANSWER, grade_id
from tools.classroom.grade import grade
from tools.classroom.layout import Classroom
from tools.classroom.release import release
from tools.classroom.submission import Limits
from tools.classroom.verdict import Mode
from tools.lessons import ROOT, lessons

PAGE = (ROOT / "book" / "for_instructors.md").read_text(encoding="utf-8")


@pytest.fixture
def room(tmp_path) -> Classroom:
    return Classroom(ROOT, tmp_path / "class")


def hand_in(room: Classroom, lesson: str, student: str, answers: dict[str, str]) -> None:
    nb = nbformat.read(room.release / lesson / f"{lesson}.ipynb", as_version=4)
    for id, source in answers.items():
        small.answer(nb, id, source)
    (room.submitted / student / lesson).mkdir(parents=True)
    nbformat.write(nb, room.submitted / student / lesson / f"{lesson}.ipynb")


def solved(room: Classroom, lesson: str) -> dict[str, str]:
    """The solved cells of the instructor's copy."""
    source = nbformat.read(room.source / lesson / f"{lesson}.ipynb", as_version=4)
    return {c.metadata.exercise: c.source for c in source.cells if c.metadata.get("role") == "stub"}


def promised(id: str) -> Mode:
    """How *For instructors* says that an exercise is judged: all from outside, some with weights that come back."""
    assert "Every exercise of the lessons so far is judged like that" in PAGE
    trains = re.search(r"trains a network \(([\d., and]+)\): the weights .* come back", PAGE)[1]
    return Mode.LEARNING if id in re.findall(r"\d\d\.\d+", trains) else Mode.APART


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lesson", [path.stem for path in lessons()])
def test_no_right_answer_loses_a_point(room, lesson):
    """The solutions, and all that the tests know as right, each in the full notebook and as a student's submission."""
    said: list[str] = []
    release(room, lesson, validate=False, say=said.append)
    exercises = room.manifest(lesson)["exercises"]
    assert {id: e["mode"] for id, e in exercises.items()} == {id: promised(id) for id in exercises}
    answers = solved(room, lesson)
    assert set(answers) == set(exercises) and len(answers) >= 3
    known = (
        (ROOT / "tests" / "mutants" / f"lesson_{lesson[:2]}.py").read_text(encoding="utf-8").count("\n@alternative(")
    )
    assert f"{lesson}: rehearsed with {len(answers) + known} right answers" in said


@pytest.mark.timeout(600)
def test_lean_grading_gives_the_scores_of_the_whole_notebook(room):
    """Lesson 04 with every cell, and without those that nobody changed: what a student wrote runs in both."""
    lesson = "04_entropy"
    release(room, lesson, validate=False, say=lambda text: None)
    answers = solved(room, lesson)
    wrong, *_ = answers
    hand_in(room, lesson, "ada", answers | {wrong: answers[wrong].replace("return", "return 2 *")})
    file = room.submitted / "ada" / lesson / f"{lesson}.ipynb"
    nb = nbformat.read(file, as_version=4)
    at = next(i for i, c in enumerate(nb.cells) if c.get("metadata", {}).get("exercise") == wrong)
    nb.cells.insert(at, nbformat.v4.new_code_cell("1 / 0"))
    nbformat.write(nb, file)
    hand_in(room, lesson, "ben", {})
    whole, untouched = grade(room, lesson, limits=Limits(whole=True), say=lambda text: None)
    assert (untouched.total, untouched.notes) == (0, [])
    assert 5_000 < (room.feedback / "ada" / lesson / f"{lesson}.html").stat().st_size < 200_000
    ran = executed(room, lesson, "ada")
    (lean,) = grade(room, lesson, students=["ada"], say=lambda text: None)
    assert (lean.scores, lean.notes) == (whole.scores, whole.notes)
    assert whole.scores[wrong] == 0 and whole.total > 10 and "ZeroDivisionError" in whole.notes[0]
    few = executed(room, lesson, "ada")
    assert len(few) < len(ran) / 2
    assert {grade_id(id, ANSWER) for id in answers} <= set(few)


def executed(room: Classroom, lesson: str, student: str) -> list[str]:
    """Ids of the code cells that were run, in the notebook that grading leaves."""
    nb = nbformat.read(room.autograded / student / lesson / f"{lesson}.ipynb", as_version=4)
    return [c.metadata.get("nbgrader", {}).get("grade_id", c.id) for c in nb.cells if c.get("execution_count")]
