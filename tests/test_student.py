"""The kit for students: it works, and gives nothing away."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest

from tools import student
from tools.classroom import assemble
from tools.classroom.layout import Classroom, Problem
from tools.lessons import ROOT, lessons


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return student.build(target=tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def installed(kit, tmp_path_factory):
    """The wheel in a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(target), *map(str, kit.glob("*.whl"))], check=True)
    return target


def test_it_holds_what_a_student_needs_and_nothing_else(kit):
    found = {p.relative_to(kit).as_posix() for p in kit.rglob("*") if p.is_file()}
    wheel = "genutils-0.1.0-py3-none-any.whl"
    assert found == {"README.txt", "requirements.txt", wheel, *(f"lessons/{p.name}" for p in lessons())}
    assert wheel in (kit / "README.txt").read_text()
    names = zipfile.ZipFile(kit.with_suffix(".zip")).namelist()
    assert {n.removeprefix("learning-data/") for n in names if not n.endswith("/")} == found
    inside = {pathlib.PurePosixPath(n).parts[0] for n in zipfile.ZipFile(kit / wheel).namelist()}
    assert inside == {"genutils", "genutils-0.1.0.dist-info"}


def test_lessons_are_the_course_s_own_without_outputs(kit):
    for file in lessons():
        ours, theirs = (nbformat.read(f, as_version=4) for f in (file, kit / "lessons" / file.name))
        assert [c.source for c in ours.cells] == [c.source for c in theirs.cells]
        assert not any(c.get("outputs") for c in theirs.cells)


def test_no_line_of_a_solution_is_given_away(kit, installed):
    assert student.given_away(ROOT, kit) == []
    checks = "\n".join(assemble.squeeze(p.read_text()) for p in (installed / "genutils" / "check").glob("*.py"))
    for file in lessons():  # what a check compares with may be written as the solution is, in single lines
        secrets = assemble.secrets_of(Classroom(), file.stem)
        assert sum(s in checks for s in secrets) < 0.1 * len(secrets), file.stem


def test_what_would_be_given_away_is_noticed(kit, tmp_path):
    secret = next(s for s in student.secrets(ROOT) if s.isascii())
    (tmp_path / "notes.txt").write_text("A b c\n" + " ".join(secret), encoding="utf-8")
    assert any("notes.txt: a line of the solution" in f for f in student.given_away(ROOT, tmp_path))


def test_no_wrong_or_right_answer_of_the_tests_stands_in_it(kit, installed):
    own = {"\n".join(p.parts[-2:]): assemble.squeeze(p.read_text()) for p in installed.rglob("*.py")}
    own |= {p.name: assemble.squeeze(p.read_text()) for p in (kit / "lessons").glob("*.ipynb")}
    assert not any("tests.mutants" in text or "@mutant(" in text or "@alternative(" in text for text in own.values())
    for file in (ROOT / "tests" / "mutants").glob("lesson_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                body = assemble.squeeze("".join(map(ast.unparse, node.body)))
                assert len(body) < 80 or not any(body in text for text in own.values()), (file.name, node.name)


def test_the_requirements_are_enough(kit, installed):
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)", (kit / "requirements.txt").read_text(), re.M))
    course = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M))
    assert pinned.items() <= course.items()
    package = {"sklearn": "scikit-learn", "PIL": "pillow", "IPython": "ipykernel", "psutil": "ipykernel"}
    sources = [p.read_text(encoding="utf-8") for p in installed.rglob("*.py")]
    for file in (kit / "lessons").glob("*.ipynb"):
        sources += [c.source for c in nbformat.read(file, as_version=4).cells if c.cell_type == "code"]
    for tree in map(ast.parse, sources):
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (n.partition(".")[0] for n in names):
                known = name == "genutils" or name in sys.stdlib_module_names
                assert known or package.get(name, name) in pinned, name


def test_a_lesson_runs_with_the_wheel_alone(kit, installed, tmp_path):
    """Its first cells, with a figure, and its first exercise, in a process that does not see the repository."""
    cells = [c.source for c in nbformat.read(kit / "lessons" / "00_start_here.ipynb", 4).cells if c.cell_type == "code"]
    first = next(n for n, source in enumerate(cells) if source.startswith("check("))
    script = ["from IPython.core.interactiveshell import InteractiveShell", "shell = InteractiveShell.instance()"]
    script += [f"shell.run_cell({source!r}).raise_error()" for source in cells[:5] + cells[first - 1 : first + 1]]
    script += ["import genutils; print('from', genutils.__file__)"]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(installed)}
    env |= {"IPYTHONDIR": str(tmp_path), "GENUTILS_PROGRESS": "off", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(script)], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"from {installed}" in done.stdout and "not attempted" in done.stdout


def test_a_wheel_that_cannot_be_built_is_said_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(student, "lessons", lambda root: [])
    (tmp_path / "genutils").mkdir()
    (tmp_path / "pyproject.toml").write_text("[build-system\n")
    with pytest.raises(Problem, match="pip could not build the wheel"):
        student.build(tmp_path)
