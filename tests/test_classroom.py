"""A class, from release to feedback: honest work gets its points, nothing else does, and nobody stops anybody."""

from __future__ import annotations

import csv
import hashlib
import os
import pathlib
import pickle
import re
import shutil
import types
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest

from tests import classroom_course as small
from tools.classroom import assemble
from tools.classroom.__main__ import main
from tools.classroom.cells import ANSWER, TEST, grade_id
from tools.classroom.grade import grade
from tools.classroom.gradebook import open_gradebook
from tools.classroom.layout import Classroom, Problem
from tools.classroom.preprocessors import redact
from tools.classroom.release import release
from tools.classroom.verdict import Mode
from tools.classroom.workers import Limits

REPO = pathlib.Path(__file__).resolve().parents[1]


def fingerprint(folder: pathlib.Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if "__pycache__" not in p.parts)
    return {
        str(p.relative_to(folder)): "link"
        if p.is_symlink()
        else hashlib.sha256(p.read_bytes()).hexdigest()
        if p.is_file()
        else "folder"
        for p in files
    }


# A class is graded once in a run of the tests, whichever worker comes first, and is then only read: a test that changes
# anything takes a copy. The fixtures below look again when the last test of a worker has ended.


def once(base: pathlib.Path, name: str, make: Callable[[pathlib.Path], Any]) -> tuple[pathlib.Path, Any]:
    """A folder that the first process fills and the others wait for, and what ``make`` said about it."""
    folder, said = base / name, base / f"{name}.pickle"
    with small.one_at_a_time(base / f"{name}.lock"):
        if not said.exists():
            folder.mkdir()
            result = make(folder)
            said.write_bytes(pickle.dumps((result, fingerprint(folder))))
    return folder, pickle.loads(said.read_bytes())


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> pathlib.Path:
    """A folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="module")
def room(base) -> Iterator[Classroom]:
    """A released small lesson; only to be read."""

    def make(root: pathlib.Path) -> None:
        release(Classroom(small.course(root), root / "my class"), small.LESSON, say=lambda text: None)

    root, (_, before) = once(base, "released", make)
    yield Classroom(root, root / "my class")  # a space in the path
    assert fingerprint(root) == before, "a test changed what others read"


@pytest.fixture(scope="module")
def graded(base, room) -> Iterator[types.SimpleNamespace]:
    """Everyone's submission, graded once; only to be read."""

    def make(folder: pathlib.Path) -> dict[str, Any]:
        mine, said = copy(room, folder), []
        small.hand_in(mine.submitted, mine.release / small.LESSON)
        (mine.submitted / "note.txt").write_text("a stray file")
        before = fingerprint(mine.submitted)
        rows = grade(mine, small.LESSON, limits=Limits(timeout=5, check=5), say=said.append)
        rows = {r.student: r for r in rows}
        return dict(rows=rows, said="\n".join(said), before=before, after=fingerprint(mine.submitted))

    folder, (result, before) = once(base, "graded", make)
    yield types.SimpleNamespace(room=Classroom(folder / "course", folder / "course" / "my class"), **result)
    assert fingerprint(folder) == before, "a test changed what others read"


def copy(room: Classroom, folder: pathlib.Path) -> Classroom:
    """A course and classroom of a test's own."""
    shutil.copytree(room.root, folder / "course", symlinks=True)
    return Classroom(folder / "course", folder / "course" / "my class")


@pytest.fixture
def own_room(room, tmp_path) -> Classroom:
    return copy(room, tmp_path)


@pytest.fixture
def own(graded, tmp_path) -> types.SimpleNamespace:
    """The graded class, to be changed."""
    return types.SimpleNamespace(room=copy(graded.room, tmp_path), rows=graded.rows, before=graded.before)


# -- release


def released(room) -> nbformat.NotebookNode:
    return nbformat.read(room.release / small.LESSON / f"{small.LESSON}.ipynb", as_version=4)


def test_release_holds_exactly_what_students_get(room):
    files = {str(p.relative_to(room.release / small.LESSON)) for p in (room.release / small.LESSON).rglob("*")}
    assert files == {f"{small.LESSON}.ipynb", "README.txt", "dot.svg"}
    readme = (room.release / small.LESSON / "README.txt").read_text()
    assert (
        "A small lesson" in readme
        and "set up the course" in readme
        and "10 points" in readme
        and f"{small.LESSON}.ipynb" in readme
    )


def test_students_see_the_lesson_and_its_stubs(room):
    nb = released(room)
    lesson = nbformat.read(room.root / "lessons" / f"{small.LESSON}.ipynb", as_version=4)
    sources = [c.source for c in nb.cells]
    assert [s for s in sources if "The points of" not in s] == [c.source for c in lesson.cells]
    assert {id: small.find(nb, id, "answer").source for id in small.STUBS} == small.STUBS
    assert [small.find(nb, id, "test").metadata.nbgrader.points for id in small.STUBS] == [2, 3, 1]
    assert small.find(nb, "90.w", "answer").metadata.nbgrader.points == 4
    assert nb.metadata.kernelspec.name == "python3"


def test_release_gives_nothing_away(room):
    manifest = room.manifest(small.LESSON)
    text = "".join(p.read_text() for p in (room.release / small.LESSON).iterdir())
    for secret in (
        "surprise_of_each",
        "everything_together",
        "sum_so_far",
        "surprise adds up",
        "additivity",
        "HIDDEN",
        "MARK SCHEME",
        manifest["secret"],
    ):
        assert secret not in text, secret
    for exercise in manifest["exercises"].values():
        assert str(exercise["seed"]) not in text
        assert str(exercise["seed"]) in (room.source / small.LESSON / f"{small.LESSON}.ipynb").read_text()
        assert exercise["mode"] == Mode.APART
    assert (room.private / f"{small.LESSON}.json").stat().st_mode & 0o077 == 0


def test_a_leak_is_found(room, tmp_path):
    forbidden = assemble.secrets_of(room, small.LESSON)
    assert any("surprise_of_each" in line for line in forbidden)
    (tmp_path / "README.txt").write_text("surprise_of_each =   np.log(p)\nseed 123456789012")
    assert len(assemble.leaks(tmp_path, forbidden, [123456789012])) == 2
    nb = released(room)
    nb.cells[0].metadata["spare"] = small.SOLVED["90.2"]
    nbformat.write(nb, tmp_path / "x.ipynb")
    assert any("x.ipynb" in leak for leak in assemble.leaks(tmp_path, forbidden, []))
    assert assemble.leaks(room.release / small.LESSON, forbidden, []) == []


def test_seeds_differ_between_releases_and_stay_within_one(own_room):
    room = own_room
    assert assemble.new_seeds(["90.1"]) != assemble.new_seeds(["90.1"])
    before = room.manifest(small.LESSON)
    release(room, small.LESSON, force=True, validate=False, say=lambda text: None)
    assert room.manifest(small.LESSON) == before


def test_a_running_assignment_is_not_changed_silently(own):
    room, said = own.room, []
    before = room.manifest(small.LESSON)
    release(room, small.LESSON, say=said.append)
    assert "released already" in said[0]
    with pytest.raises(Problem, match="students have handed in .*new seeds.*--force"):
        release(room, small.LESSON, new_seeds=True)
    file = room.root / "lessons" / f"{small.LESSON}.ipynb"
    file.write_text(file.read_text().replace("The end.", "The real end."))
    with pytest.raises(Problem, match="the lesson has changed since; --force"):
        release(room, small.LESSON)
    assert room.manifest(small.LESSON) == before


def test_a_solution_that_fails_its_own_check_is_not_released(tmp_path):
    root = small.course(tmp_path / "c")
    file = root / "solutions" / f"{small.LESSON}.ipynb"
    file.write_text(file.read_text().replace("-np.dot", "np.dot"))
    with pytest.raises(Problem, match="90.1: wrong .*mend the solution"):
        release(Classroom(root), small.LESSON)
    assert not (root / "classroom" / "release" / small.LESSON).exists()


# -- grading


@pytest.mark.parametrize("student", small.EXPECTED)
def test_score_and_report(graded, student):
    points, note = small.EXPECTED[student]
    row = graded.rows[student]
    notes = "; ".join(row.notes)
    assert row.total == points, notes
    assert note in notes
    assert bool(note) == bool(row.notes), notes
    line = next(x for x in graded.said.splitlines() if x.startswith(student + " "))
    assert note in line and f"{points:g}/10" in line


def test_nobody_is_forgotten(graded):
    assert set(graded.rows) == set(small.EXPECTED) == {p.name for p in graded.room.submitted.iterdir() if p.is_dir()}
    assert "note.txt: a file in submitted/" in graded.said


def test_points_of_each_exercise(graded):
    assert graded.rows["partial"].scores == {"90.1": 0, "90.2": 3, "90.3": 0, "90.w": 0}
    assert (
        graded.rows["dead_kernel"].scores | {"90.1": 2, "90.2": 0, "90.3": 1} == graded.rows["dead_kernel"].scores
    )  # one cell
    assert graded.rows["perfect"].scores["90.w"] is None and graded.rows["perfect"].pending == 1
    assert graded.rows["untouched"].pending == 0


def test_modules_beside_a_notebook_are_not_imported(graded):
    """A check of the student's own would have passed in the notebook, and that would be said."""
    (note,) = graded.rows["brings_modules"].notes
    assert note.startswith("other files were not used")


def test_what_was_handed_in_is_untouched(graded):
    assert graded.before == graded.after


def test_grades_csv(graded):
    with open(graded.room.grades / small.LESSON / "grades.csv", newline="") as file:
        rows = {r["student"]: r for r in csv.DictReader(file)}
    assert set(rows) == set(small.EXPECTED)
    assert (
        rows["perfect"]
        | {"auto": "6", "manual": "0", "total": "6", "max": "10", "status": "ok", "90.1": "2", "to_grade_by_hand": "1"}
        == rows["perfect"]
    )
    assert rows["invalid_json"]["status"] == "not graded" and rows["absent"]["status"] == "missing"


def pages(graded) -> dict[str, str]:
    return {s: p.read_text() for s in graded.rows for p in (graded.room.feedback / s / small.LESSON).glob("*.html")}


def test_everyone_gets_feedback_that_opens_offline(graded):
    found = pages(graded)
    assert set(found) == set(graded.rows)
    for student, page in found.items():
        assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", re.sub(r"<a\b[^>]*>", "", page)), student
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", page), student
        assert "Content-Security-Policy" in page and "<script" not in re.sub(
            r'<script src="\.\./\.\./_static/[\w./-]+"( defer)?></script>', "", page
        )
    assert "that is bits" in found["partial"] and "✓ right" in found["perfect"]
    assert "invalid JSON" in found["invalid_json"]


@pytest.mark.browser
def test_feedback_in_a_browser(graded, open_page):
    """Nothing leaves the machine, and what a student wrote does not run."""
    page = open_page()
    page.goto((graded.room.feedback / "leaks_the_seed" / small.LESSON / f"{small.LESSON}.html").as_uri())
    assert page.left == [] and page.title() == "A small lesson"
    assert page.get_by_role("link", name="90.1").count() == 1
    assert not page.evaluate("window.students_script_ran === true")


def test_feedback_keeps_secrets(graded):
    manifest = graded.room.manifest(small.LESSON)
    for student, page in pages(graded).items():
        for exercise in manifest["exercises"].values():
            seed = exercise["seed"]
            for form in (str(seed), f"{seed:,}", hex(seed)[2:]):
                assert form not in page, student
        assert "HIDDEN TESTS" not in page and "grading=True" not in page.replace("&#39;", "'"), student
        assert "MARK SCHEME" not in page and "if the word additivity" not in page and "says the model" not in page, (
            student
        )
    autograded = (graded.room.autograded / "perfect" / small.LESSON / f"{small.LESSON}.ipynb").read_text()
    assert "if the word additivity" in autograded  # the instructor sees the rubric in Formgrader
    assert str(manifest["exercises"]["90.1"]["seed"]) in autograded  # so the pages above were cleaned, not empty


def test_redaction():
    text = "a\n### BEGIN HIDDEN TESTS\ncheck(f, seed=123456789012)\n### END HIDDEN TESTS\nb"
    assert redact(text) == "a\n# (hidden tests)\nb"
    assert redact("q\n=== BEGIN MARK SCHEME ===\nsecret") == "q"
    assert redact("a\n### BEGIN HIDDEN TESTS\nnever ended" + "x" * 10**6) == "a\n# (hidden tests)"


def test_scores_given_by_hand_survive(own):
    room = own.room

    def by_hand(student: str, name: str, score: float) -> None:
        with open_gradebook(room, small.LESSON) as book:
            found = book.find_grade(name, small.LESSON, small.LESSON, student)
            found.manual_score, found.needs_manual_grade = score, False
            book.db.commit()

    by_hand("perfect", grade_id("90.w", ANSWER), 3.5)
    by_hand("partial", grade_id("90.1", TEST), 1)
    again = {
        r.student: r
        for r in grade(
            room, small.LESSON, students=["perfect", "partial"], limits=Limits(timeout=20), say=lambda text: None
        )
    }
    assert (again["perfect"].total, again["perfect"].manual, again["perfect"].pending) == (9.5, 3.5, 0)
    assert (again["partial"].total, again["partial"].manual, again["partial"].auto) == (4, 1, 3)
    said = []
    some = ["perfect", "syntax_error", "invalid_json"]
    everyone = {r.student: r for r in grade(room, small.LESSON, execute=False, students=some, say=said.append)}
    assert (
        everyone["perfect"].total == 9.5
        and "9.5" in (room.feedback / "perfect" / small.LESSON / f"{small.LESSON}.html").read_text()
    )
    assert everyone["syntax_error"].total == 4 and "syntax error in cell" in everyone["syntax_error"].notes[0]
    assert everyone["invalid_json"].status == "not graded"
    assert fingerprint(room.submitted) == own.before


def test_a_broken_second_submission_counts_for_nothing_and_comes_back(own):
    room = own.room
    file = room.submitted / "talkative" / small.LESSON / f"{small.LESSON}.ipynb"
    text = file.read_text()
    file.write_text("{")
    (row,) = grade(room, small.LESSON, students=["talkative"], say=lambda text: None)
    assert (row.total, row.status) == (0, "not graded")
    file.write_text(text)
    (row,) = grade(room, small.LESSON, students=["talkative"], say=lambda text: None)
    assert row.total == 6
    with open(room.grades / small.LESSON / "grades.csv", newline="") as found:
        assert len(list(csv.DictReader(found))) == len(small.EXPECTED)  # the others stay in the file


# -- what grading processes see


def test_environment_holds_no_secrets_of_the_instructor(room, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hush")
    env = room.environment()
    assert "MY_TOKEN" not in env and env["OMP_NUM_THREADS"] == "1" and env["GENUTILS_PROGRESS"] == "off"


# -- one clear line


@pytest.mark.parametrize("command", ["release", "grade"])
def test_unknown_lesson_lists_the_lessons(command, tmp_path, capsys):
    assert main(["--classroom", str(tmp_path), command, "99_nothing"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "04_entropy" in said


def test_never_released(tmp_path, capsys):
    assert main(["--classroom", str(tmp_path), "grade", "04_entropy"]) == 2
    assert "make release LESSON=04_entropy" in capsys.readouterr().err


def test_not_a_folder_that_can_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--classroom", str(tmp_path / "file" / "x"), "release", "04_entropy"]) == 2
    assert "set CLASSROOM=path" in capsys.readouterr().err
    with pytest.raises(Problem, match="nbgrader cannot work"):
        Classroom(tmp_path, tmp_path / "a[b]")


def test_no_submissions(own_room):
    with pytest.raises(Problem, match=r"put each submission in .*submitted/<student>/90_small/90_small.ipynb"):
        grade(own_room, small.LESSON)
    with pytest.raises(Problem, match="no folder of zoe"):
        grade(own_room, small.LESSON, students=["zoe"])


def test_two_runs_at_a_time_are_refused(own_room):
    room = own_room
    with room.alone(), pytest.raises(Problem, match="another release or grade is at work"):
        release(room, small.LESSON)


def test_classroom_moves_with_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASSROOM", str(tmp_path / "elsewhere"))
    assert Classroom().folder == tmp_path / "elsewhere"
    monkeypatch.delenv("CLASSROOM")
    assert Classroom().folder == REPO / "classroom"
