"""What a release promises: honest work is recognised, scores by hand stay true, the checks are frozen and rehearsed."""

from __future__ import annotations

import argparse
import ast
import copy
import itertools
import os
import pathlib
import shutil
import sqlite3
import stat
import sys
import types

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from traitlets.config import Config, PyFileConfigLoader

from tests import classroom_course as small
from tools.classroom import assemble, course, files, formgrader, gradebook, settings, table
from tools.classroom.cells import ANSWER, TEST, grade_id
from tools.classroom.collect import Submission
from tools.classroom.grade import grade
from tools.classroom.layout import Classroom, Problem
from tools.classroom.regrade import regrade, would_change
from tools.classroom.release import release
from tools.classroom.repair import repair, texts
from tools.classroom.sources import alternatives, extract
from tools.lessons import ROOT, lessons

ESSAY = "Because surprise adds up when independent things happen together."


# -- what students move, rename, split, merge or leave without marks


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> tuple[nbformat.NotebookNode, dict]:
    """The small lesson as students get it, and its manifest; assembled, but not handed out."""
    room = Classroom(small.course(tmp_path_factory.mktemp("small") / "course"))
    registry = {id: {"name": name, "points": 2} for id, name in small.NAMES.items()}
    seeds = assemble.new_seeds(list(small.NAMES))
    nb, manifest = assemble.assemble(room, small.LESSON, registry, seeds)
    nb = assemble.for_students(nb)
    return nb, manifest | {"released": assemble.released_cells(nb)}


@pytest.fixture
def handed_in(released):
    """A copy of the notebook to be spoiled, and a function that repairs it: the answers' texts, and the notes."""
    nb, manifest = copy.deepcopy(released[0]), released[1]

    def repaired(nb: nbformat.NotebookNode) -> tuple[dict[str, str], str]:
        notes: list[str] = []
        repair(nb, manifest, notes)
        nbformat.validate(nb)
        marks = [c.metadata["nbgrader"]["grade_id"] for c in nb.cells if "nbgrader" in c.metadata]
        assert len(marks) == len(set(marks))
        tests = [e["test"] for e in manifest["exercises"].values()]
        assert set(tests) <= set(marks) and grade_id("90.w", ANSWER) in marks
        answers = {id: small.find(nb, id, "answer").source for id in [*small.NAMES, "90.w"] if has_answer(nb, id)}
        return answers, "; ".join(notes)

    return nb, repaired


def has_answer(nb, id):
    return any(c.metadata.get("nbgrader", {}).get("grade_id") == small.grade_id(id, "answer") for c in nb.cells)


SOLVED = small.SOLVED | {"90.w": ESSAY}


def test_nothing_is_said_about_a_notebook_in_order(handed_in):
    nb, repaired = handed_in
    small.solve(nb)
    small.answer(nb, "90.w", ESSAY)
    assert repaired(nb) == (SOLVED, "")


def dropped(nb, also_ids):
    for cell in nb.cells:
        cell.metadata = {}
        if also_ids:
            cell.pop("id")


@pytest.mark.parametrize("also_ids", [False, True])
def test_marks_that_an_editor_dropped_come_back(handed_in, also_ids):
    """The question in words included, which would get 0 and never be read otherwise."""
    nb, repaired = handed_in
    small.solve(nb)
    small.answer(nb, "90.w", ESSAY)
    dropped(nb, also_ids)
    answers, notes = repaired(nb)
    assert answers == SOLVED and "5 more had lost their marks (put back)" in notes and "deleted" not in notes


def test_one_mark(handed_in):
    nb, repaired = handed_in
    small.solve(nb)
    small.find(nb, "90.2", "answer").metadata = {}
    answers, notes = repaired(nb)
    assert answers["90.2"] == SOLVED["90.2"] and notes == "answer cell of 90.2 had lost its mark (put back)"


def test_an_essay_in_a_cell_of_another_type_without_its_mark(handed_in):
    nb, repaired = handed_in
    small.find(nb, "90.w", "answer").update(cell_type="raw", source=ESSAY, metadata={})
    answers, notes = repaired(nb)
    assert answers["90.w"] == ESSAY and "answer cell of 90.w had lost its mark" in notes


def test_a_newline_at_the_end_of_every_cell_changes_nothing(handed_in, released):
    """Some editors add one; the lesson's own cells are still its own, and none is taken for a stray essay."""
    nb, repaired = handed_in
    small.solve(nb)
    for cell in nb.cells:
        cell.source += "\n"
    answers, notes = repaired(nb)
    assert answers == SOLVED | {"90.w": "*Your answer here.*"} and notes == ""
    assert {c["source"] for c in released[1]["released"]} - {*small.STUBS.values()} <= {c.source for c in nb.cells}


def test_an_edited_question_without_its_mark_is_not_the_answer(handed_in):
    nb, repaired = handed_in
    dropped(nb, True)
    at = next(i for i, c in enumerate(nb.cells) if "90.w: why?" in c.source)
    nb.cells[at].source += "\n\n(I do not understand this.)"
    nb.cells[at + 1].source = ESSAY
    assert repaired(nb)[0]["90.w"] == ESSAY


def own(nb, at, *cells):
    """Put cells of the student's own after an exercise's answer cell."""
    where = next(i for i, c in enumerate(nb.cells) if c is at) + 1
    nb.cells[where:where] = cells


@pytest.mark.parametrize("kind", [new_markdown_cell, nbformat.v4.new_raw_cell])
def test_an_essay_in_a_cell_of_its_own_is_the_answer(handed_in, kind):
    nb, repaired = handed_in
    own(nb, small.find(nb, "90.w", "answer"), kind(ESSAY), kind("And so on."))
    answers, notes = repaired(nb)
    assert answers["90.w"] == ESSAY + "\n\nAnd so on." and "the answer to 90.w stands in cell" in notes


def test_an_essay_that_goes_on_below(handed_in):
    nb, repaired = handed_in
    small.answer(nb, "90.w", "First.")
    own(nb, small.find(nb, "90.w", "answer"), new_markdown_cell("Second."))
    answers, notes = repaired(nb)
    assert answers["90.w"] == "First.\n\nSecond." and "goes on in cell" in notes


def test_an_essay_far_from_its_question_is_asked_about(handed_in):
    nb, repaired = handed_in
    nb.cells.insert(2, new_markdown_cell("To the question why: " + ESSAY * 4))
    answers, notes = repaired(nb)
    assert answers["90.w"] == "*Your answer here.*"
    assert notes == "90.w is unanswered in its place; is cell 3 meant as the answer?"


def test_a_copied_answer_with_nothing_in_it_does_not_hide_the_other(handed_in):
    nb, repaired = handed_in
    twin = copy.deepcopy(small.find(nb, "90.w", "answer"))
    twin["id"] = "twin"
    small.answer(nb, "90.w", ESSAY)
    nb.cells.append(twin)
    answers, notes = repaired(nb)
    assert answers["90.w"] == ESSAY and "the last one with an answer counts" in notes


@pytest.mark.parametrize("marked_twice", [False, True])
def test_a_function_cut_in_two(handed_in, marked_twice):
    """*Split Cell* of JupyterLab copies the marks, other editors do not."""
    nb, repaired = handed_in
    cell = small.find(nb, "90.1", "answer")
    head, cut, rest = SOLVED["90.1"].partition("    surprise")
    cell.source = head
    half = new_code_cell(cut + rest, metadata=copy.deepcopy(cell.metadata) if marked_twice else {})
    own(nb, cell, half)
    answers, notes = repaired(nb)
    assert answers["90.1"] == SOLVED["90.1"] and "answer cell of 90.1 was split (joined)" in notes


def test_a_helper_in_a_cell_of_its_own_is_no_half(handed_in):
    nb, repaired = handed_in
    small.solve(nb)
    own(nb, small.find(nb, "90.1", "answer"), new_code_cell("def helper(x):\n    return x"))
    assert repaired(nb)[1] == ""


@pytest.mark.parametrize("where", ["above", "below", "with another", "instead"])
def test_a_function_written_elsewhere_counts(handed_in, where):
    nb, repaired = handed_in
    small.solve(nb, "90.2", "90.3")
    if where == "with another":
        small.answer(nb, "90.3", SOLVED["90.3"] + "\n\n\n" + SOLVED["90.1"])
    elif where == "above":
        nb.cells.insert(2, new_code_cell("import math\n" + SOLVED["90.1"]))
    else:
        nb.cells.append(new_code_cell(SOLVED["90.1"] + "\n\n\nprint(small_entropy(np.ones(1)))"))
    if where == "instead":
        nb.cells.remove(small.find(nb, "90.1", "answer"))
    answers, notes = repaired(nb)
    assert answers["90.1"] == SOLVED["90.1"] and "the answer to 90.1 stands in cell" in notes
    index = [c.metadata.get("nbgrader", {}).get("grade_id") for c in nb.cells].index
    assert index(grade_id("90.1", ANSWER)) < index(grade_id("90.1", TEST))


def test_an_answer_that_is_nowhere_is_said(handed_in):
    nb, repaired = handed_in
    nb.cells.remove(small.find(nb, "90.1", "answer"))
    answers, notes = repaired(nb)
    assert "90.1" not in answers and "no answer to 90.1 was found: nothing defines small_entropy" in notes


def test_a_renamed_answer_without_its_mark_is_found_by_its_place(handed_in):
    nb, repaired = handed_in
    small.solve(nb)
    cell = small.find(nb, "90.1", "answer")
    cell.source, cell.metadata = SOLVED["90.1"].replace("small_entropy", "my_entropy"), {}
    cell["id"] = "typed-anew"
    answers, notes = repaired(nb)
    assert "my_entropy" in answers["90.1"] and "answer cell of 90.1 had lost its mark" in notes


def test_a_released_cell_is_no_answer(handed_in, released):
    """A lesson that imports the tested version later on does not solve the exercise."""
    nb, repaired = handed_in
    for cells in (nb.cells, released[1]["released"]):
        public = "from genutils.information import entropy as small_entropy"
        cells.append(
            new_code_cell(public) if cells is nb.cells else {"type": "code", "source": public, "nbgrader": None}
        )
    try:
        assert repaired(nb)[0]["90.1"] == small.STUBS["90.1"]
    finally:
        released[1]["released"].pop()


def test_texts_change_with_the_answer_and_what_it_may_use(released):
    nb, manifest = copy.deepcopy(released[0]), released[1]
    before = texts(nb, manifest)
    assert set(before) == {*small.NAMES, "90.w"}
    small.answer(nb, "90.w", ESSAY)
    essay = texts(nb, manifest)
    assert {id for id in before if essay[id] != before[id]} == {"90.w"}
    nb.cells.insert(2, new_code_cell("helper = 1"))
    assert {id for id in before if texts(nb, manifest)[id] != essay[id]} == set(small.NAMES)


# -- alternatives as cells

MODULE = """
import math
import os  # noqa: F401
import numpy as np
from scipy import special, stats as st

from tests.mutants import alternative, mutant

_SIDES = 6
_WIDE, _HIGH = 2, 3


class _Base:
    unit = _SIDES


def _helper(x, scale=_WIDE):
    return st.norm.cdf(x) * _again(scale)


def _again(x):
    return x if x else _helper(x)


def stray(x):
    return x


@alternative("90.1")
@mutant("90.2", hint="")
def entropy(x):  # noqa: F811
    def inner(math, stray=1):  # a local name, not the module
        return math

    return [_helper(inner(v)) for v in x]


@alternative("90.1")
def other_name(n):
    return other_name(n - 1) if n else np.log(_HIGH)


@mutant("90.1", hint="")
def entropy(x):  # noqa: F811
    return 0


@alternative("90.3")
class Tally(_Base):
    def total(self):
        return entropy([1.0])
"""


@pytest.fixture
def found(tmp_path) -> dict[str, list[str]]:
    (tmp_path / "lesson_90.py").write_text(MODULE)
    return alternatives(tmp_path / "lesson_90.py", {"90.1": "entropy", "90.2": "unknown", "90.3": "Tally"})


def test_an_alternative_brings_what_it_uses_and_nothing_else(found):
    cell = found["90.1"][0]
    assert cell.startswith("from scipy import special, stats as st\n\n\n_WIDE, _HIGH = 2, 3\n\n\ndef _helper")
    names = {n.name for n in ast.walk(ast.parse(cell)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    assert names == {"_helper", "_again", "entropy", "inner"}
    assert "import math" not in cell and "import os" not in cell and "_SIDES" not in cell and "stray(" not in cell
    assert "noqa" not in cell and "@" not in cell and "# a local name, not the module" in cell
    space: dict = {}
    exec(cell, space)
    assert space["entropy"]([0.0]) == [1.0]


def test_an_alternative_of_another_name_is_renamed_with_its_calls_of_itself(found):
    space: dict = {}
    exec(found["90.1"][1], space)
    assert space["entropy"](3) == pytest.approx(1.0986, abs=1e-4) and "other_name" not in found["90.1"][1]


def test_an_alternative_that_is_a_class_calls_the_learners_own_answers(found):
    (cell,) = found["90.3"]
    assert "class _Base" in cell and "_SIDES = 6" in cell and "def entropy" not in cell
    assert found["90.2"] == []


def test_a_helper_that_bears_the_exercises_own_name_gives_way():
    source = "def wanted(x):\n    return -1\n\n\ndef answer(x):\n    return x and wanted(x)\n"
    cell = extract(source, ast.parse(source).body[1], "wanted")
    assert cell.count("def ") == 1 and cell.startswith("def wanted(x):")


# -- scores by hand


class Desk:
    """A gradebook of the small lesson and what nbgrader and Formgrader do to it, without running anything."""

    def __init__(self, room: Classroom, manifest: dict):
        self.room, self.manifest = room, manifest
        settings.make(room)
        (room.grades / small.LESSON).mkdir()
        with gradebook.open_gradebook(room, small.LESSON) as book:
            book.add_assignment(small.LESSON)
            book.add_notebook(small.LESSON, small.LESSON)
            for cell in manifest["graded"]:
                if cell["points"]:
                    kind = {"max_score": cell["points"], "cell_type": cell["type"]}
                    book.add_grade_cell(cell["grade_id"], small.LESSON, small.LESSON, **kind)
            book.add_student("ada")
            book.add_submission(small.LESSON, "ada")

    def grade(self, text: str | None, execute: bool = True):
        """A run; ``text`` stands for all answers, None for a submission that cannot be graded."""
        notes = gradebook.tie(self.room, small.LESSON, self.manifest)
        ids = [*self.manifest["exercises"], *self.manifest["manual"]]
        sub = Submission("ada", gradable=text is not None, status="" if text else "invalid JSON")
        if text and execute:
            sub.texts = dict.fromkeys(ids, text)
            with gradebook.open_gradebook(self.room, small.LESSON) as book:  # as nbgrader's SaveAutoGrades
                for grade in book.find_submission(small.LESSON, "ada").notebooks[0].grades:
                    grade.auto_score = None if grade.name == grade_id("90.w", ANSWER) else grade.cell.max_score
                    grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
                book.db.commit()
        job = types.SimpleNamespace(room=self.room, lesson=small.LESSON, execute=execute)
        (row,) = gradebook.settle(job, self.manifest, {"ada": sub}, {})
        row.notes += notes.get("ada", [])
        return row

    def by_hand(self, points: float | None, cell: str = grade_id("90.w", ANSWER)) -> None:
        """As Formgrader saves a score."""
        with gradebook.open_gradebook(self.room, small.LESSON) as book:
            grade = book.find_grade(cell, small.LESSON, small.LESSON, "ada")
            grade.manual_score = points
            grade.needs_manual_grade = points is None and grade.auto_score is None
            book.db.commit()


def test_a_gradebook_is_made_as_nbgrader_makes_it(tmp_path, monkeypatch):
    """Its version, for which nbgrader starts a program, is asked of the library behind that program."""
    monkeypatch.setenv("PATH", str(pathlib.Path(sys.executable).parent), prepend=os.pathsep)
    room = Classroom(ROOT, tmp_path)
    settings.make(room)
    theirs = f"{tmp_path}/theirs.db"
    Gradebook(f"sqlite:///{theirs}", "course").close()
    gradebook.open_gradebook(room, small.LESSON).close()
    ours, theirs = (sqlite3.connect(file) for file in (room.gradebook(small.LESSON), theirs))
    for question in ("select name, sql from sqlite_master order by name", "select * from alembic_version"):
        assert ours.execute(question).fetchall() == theirs.execute(question).fetchall()


@pytest.fixture
def desk(released, tmp_path) -> Desk:
    return Desk(Classroom(ROOT, tmp_path / "class"), released[1])


LOOK = "90.w was scored by hand before it was changed: look again"


def test_an_essay_that_nobody_read_has_no_score(desk):
    row = desk.grade("one")
    assert (row.scores["90.w"], row.pending, row.total, row.status) == (None, 1, 6, "ok")
    table.write_csv(desk.room, small.LESSON, list(row.scores), [row], partial=False)
    head, ada = files.rows(desk.room.grades / small.LESSON / "grades.csv")
    assert ada[head.index("90.w")] == "" and ada[head.index("to_grade_by_hand")] == "1"
    assert desk.grade(None).scores["90.w"] is None  # could not be read


def test_a_score_by_hand_belongs_to_the_text_it_was_given_for(desk):
    desk.grade("one")
    desk.by_hand(3)
    for execute in (True, False, True):
        row = desk.grade("one", execute)
        assert (row.scores["90.w"], row.pending, row.notes) == (3, 0, [])
    for execute in (True, True, False, True):  # replaced: until a person has looked
        row = desk.grade("two", execute)
        assert (row.scores["90.w"], row.pending, row.notes, row.status) == (3, 1, [LOOK], "see notes")
    desk.grade(None)
    assert desk.grade("two").notes == [LOOK]
    assert desk.grade("one").notes == []  # the old text again
    assert desk.grade("two").notes == [LOOK]
    desk.by_hand(2)
    for execute in (False, True, True):
        row = desk.grade("two", execute)
        assert (row.scores["90.w"], row.pending, row.notes) == (2, 0, [])
    assert desk.grade("one").notes == [LOOK]


def test_a_score_that_was_taken_back_leaves_no_trace(desk):
    desk.grade("one")
    desk.by_hand(3)
    desk.grade("one")
    desk.by_hand(None)
    row = desk.grade("two")
    assert (row.scores["90.w"], row.pending, row.notes) == (None, 1, [])


@pytest.mark.parametrize("given, counts", [(400, 4), (-1, 0), (4, 4), (2.5, 2.5)])
def test_no_score_by_hand_exceeds_its_maximum(desk, given, counts):
    desk.grade("one")
    desk.by_hand(given)
    row = desk.grade("one")
    assert (row.scores["90.w"], row.total, row.notes) == (counts, 6 + counts, [])
    with pytest.raises(ValueError, match="a score of nan for ex-90-w-answer; give a number from 0 to 4"):
        desk.by_hand(float("nan"))


def test_a_score_that_got_past_us_is_bounded_and_said(desk):
    desk.grade("one")
    with sqlite3.connect(desk.room.gradebook(small.LESSON)) as db:
        db.execute("update grade set manual_score = 400 where auto_score is null")
    row = desk.grade("one")
    assert row.scores["90.w"] == 4 and "the score by hand of 90.w was 400 of 4; 4 counts" in row.notes


# -- the instructor's folder


def test_only_the_release_can_be_read_by_others(desk):
    for folder in (p for p in desk.room.folder.iterdir() if p.is_dir()):
        mode = stat.S_IMODE(folder.stat().st_mode)
        assert (mode & 0o077 == 0) == (folder.name != "release"), folder.name


@pytest.mark.parametrize(
    "own", ["", "c = get_config()\nc.Exchange.root = '/srv/exchange'\nc.CourseDirectory.course_id = 'ml'"]
)
def test_the_instructors_settings_are_kept(tmp_path, own):
    room = Classroom(ROOT, tmp_path / "class")
    room.folder.mkdir()
    file = room.folder / "nbgrader_config.py"
    if own:
        file.write_text(own)
    settings.make(room)
    once = file.read_text()
    assert once.startswith(own) and once.count("configure(get_config()") == 1
    file.write_text(once + "\nc = get_config()\nc.NbGrader.logfile = ''\n")
    settings.make(room)
    assert file.read_text() == once + "\nc = get_config()\nc.NbGrader.logfile = ''\n"
    found = PyFileConfigLoader(file.name, str(room.folder)).load_config()
    assert found.NbGrader.logfile == "" and found.CourseDirectory.root == str(room.folder)
    assert found.CourseDirectory.course_id == ("ml" if own else "course")
    assert found.Exchange.get("root") == ("/srv/exchange" if own else None) or "root" not in found.Exchange


def test_formgrader_opens_the_gradebook_of_one_lesson(desk, monkeypatch, capsys):
    def url() -> str:
        return settings.configure(
            Config(), str(ROOT), str(desk.room.folder / "nbgrader_config.py")
        ).CourseDirectory.db_url

    monkeypatch.delenv(settings.LESSON, raising=False)
    assert f"gradebooks/{small.LESSON}.db" in url()  # there is only one
    desk.room.gradebook("91_other").touch()
    assert url() == "sqlite://" and "say which, CLASSROOM_LESSON=..., of 90_small, 91_other" in capsys.readouterr().err
    monkeypatch.setenv(settings.LESSON, "91_other")
    assert "gradebooks/91_other.db" in url()
    with pytest.raises(Problem, match="no gradebook of 04_entropy; run: make release"):
        formgrader.run(desk.room, argparse.Namespace(lesson="04", jupyter=[]))


# -- the copy of the course


def test_a_copy_holds_what_the_lesson_imports_and_changes_with_what_grades_it(tmp_path):
    root = small.course(tmp_path / "root")
    (root / "genutils" / "check" / "lesson_91.py").write_text("")
    (root / "genutils" / "__pycache__").mkdir()

    def today() -> str:
        return course.copy(root, small.LESSON, tmp_path / str(next(count)))

    count = itertools.count()
    first = course.copy(root, small.LESSON, tmp_path / "copy")
    names = {str(p.relative_to(tmp_path / "copy")) for p in (tmp_path / "copy").rglob("*")}
    assert "genutils/check/lesson_90.py" in names and "genutils/check/lesson_91.py" not in names
    assert "genutils/recipes" not in names and "genutils/baselines.json" in names
    assert not any("__pycache__" in name for name in names)
    assert first == course.digest(tmp_path / "copy") == today()
    (root / "genutils" / "check" / "lesson_91.py").write_text("# edited")
    assert today() == first
    (root / "genutils" / "check" / "lesson_90.py").write_text(small.CHECKS + "# edited")
    assert today() != first


@pytest.mark.parametrize("lesson", [path.stem for path in lessons()])
def test_every_import_of_a_lesson_is_in_its_copy(lesson, tmp_path):
    course.copy(ROOT, lesson, tmp_path / "copy")
    wanted = set()
    for folder in ("lessons", "solutions"):
        for cell in assemble.read(ROOT / folder / f"{lesson}.ipynb").cells:
            for node in ast.walk(ast.parse(cell.source if cell.cell_type == "code" else "")):
                if isinstance(node, ast.ImportFrom) and node.module.startswith("genutils"):
                    wanted |= {(node.module, a.name) for a in node.names}
    assert wanted
    for module, name in wanted:
        file = tmp_path / "copy" / module.replace(".", "/")
        assert file.with_suffix(".py").exists() or (file / "__init__.py").exists(), (module, name)
        if (ROOT / module.replace(".", "/") / f"{name}.py").exists():
            assert (file / f"{name}.py").exists(), (module, name)


# -- rehearsed before it goes out, and graded by what went out

ALTERNATIVES = """
import numpy as np

from tests.mutants import alternative


def _share(w, of):
    return np.asarray(w) / of


@alternative("90.2")
def normalised(w):
    return _share(w, sum(w))


@alternative("90.2")
def normalised(w):
    return _share(w, max(w))
"""


def quiet(text: str) -> None:
    pass


@pytest.fixture(scope="module")
def small_class(tmp_path_factory) -> Classroom:
    """A release of the small lesson, and two students graded."""
    root = small.course(tmp_path_factory.mktemp("class") / "course")
    room = Classroom(root, root.parent / "class")
    said: list[str] = []
    release(room, small.LESSON, validate=False, say=said.append)
    assert "note: rehearsed with the solutions only; this copy of the course has no tests/mutants/lesson_90.py" in said
    for student, spoil in (("perfect", small.perfect), ("partial", small.partial)):
        nb = nbformat.read(room.release / small.LESSON / f"{small.LESSON}.ipynb", as_version=4)
        spoil(nb)
        (room.submitted / student / small.LESSON).mkdir(parents=True)
        nbformat.write(nb, room.submitted / student / small.LESSON / f"{small.LESSON}.ipynb")
    assert totals(room) == {"partial": 3, "perfect": 6}
    return room


def totals(room: Classroom) -> dict[str, float]:
    return {row.student: row.total for row in grade(room, small.LESSON, say=quiet)}


@pytest.fixture
def own_class(small_class, tmp_path) -> Classroom:
    shutil.copytree(small_class.root.parent, tmp_path / "term")
    return Classroom(tmp_path / "term" / "course", tmp_path / "term" / "class")


def test_what_students_get_is_what_was_rehearsed(small_class):
    source = assemble.read(small_class.source / small.LESSON / f"{small.LESSON}.ipynb")
    ours = assemble.released_cells(assemble.for_students(source))
    theirs = small_class.manifest(small.LESSON)["released"]
    assert [(c["type"], c["source"], c["id"]) for c in ours] == [(c["type"], c["source"], c["id"]) for c in theirs]


def test_a_right_answer_that_would_lose_points_is_not_released(own_class):
    folder = own_class.root / "tests" / "mutants"
    folder.mkdir(parents=True)
    (folder / "lesson_90.py").write_text(ALTERNATIVES)
    with pytest.raises(
        Problem, match=r"would lose points \(alternative 2 of 90.2: wrong the weights are divided"
    ) as no:
        release(own_class, small.LESSON, force=True, validate=False, say=quiet)
    assert "alternative 1" not in str(no.value) and "90.1" not in str(no.value)
    (folder / "lesson_90.py").write_text(ALTERNATIVES.replace("max(w)", "np.sum(w)"))
    release(own_class, small.LESSON, force=True, validate=False, say=quiet)


def check_of_today(room: Classroom, change: tuple[str, str]) -> None:
    file = room.root / "genutils" / "check" / "lesson_90.py"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))


BITS_TOO = ("got = answer(p)\n", "got = answer(p)\n        nats = min(nats, got) * 0 + got\n")
TWICE = ("expect_close(got, w / w.sum()", "expect_close(got, 2 * w / w.sum()")


def test_an_edited_check_changes_no_score_until_it_is_taken(own_class):
    room, said = own_class, []
    assert would_change(room, small.LESSON, say=said.append) == {} and "no score would change" in said[0]
    check_of_today(room, BITS_TOO)
    assert totals(room) == {"partial": 3, "perfect": 6}
    release(room, small.LESSON, say=said.append)
    assert "only genutils has changed" in said[-2] and "regrade 90_small --dry-run" in said[-1]
    assert would_change(room, small.LESSON, say=said.append) == {"partial": {"90.1": (0, 2)}}
    assert "partial: 90.1 0 -> 2" in said
    assert totals(room) == {"partial": 3, "perfect": 6}
    regrade(room, small.LESSON, say=said.append)
    assert totals(room) == {"partial": 5, "perfect": 6}
    assert would_change(room, small.LESSON, say=quiet) == {}


def test_a_check_that_fails_its_own_solution_is_not_taken(own_class):
    check_of_today(own_class, TWICE)
    found = would_change(own_class, small.LESSON, say=quiet)
    assert found == {student: {"90.2": (3, 0)} for student in ("partial", "perfect")}
    with pytest.raises(Problem, match=r"the solution of 90.2: wrong"):
        regrade(own_class, small.LESSON, say=quiet)
    assert totals(own_class) == {"partial": 3, "perfect": 6}


def test_the_copy_that_grades_is_watched(own_class):
    file = own_class.private / small.LESSON / "course" / "genutils" / "check" / "lesson_90.py"
    before = file.read_text()
    file.write_text(before + "\n# mine")
    with pytest.raises(
        Problem, match="was changed since the release; restore it from a backup, or take today's: python"
    ):
        grade(own_class, small.LESSON, say=quiet)
    file.write_text(before)
    check_of_today(own_class, ('"90.1", "small_entropy"', '"90.1", "tiny_entropy"'))
    with pytest.raises(Problem, match="no check of 90.1 small_entropy; release the lesson again with --force"):
        would_change(own_class, small.LESSON, say=quiet)
