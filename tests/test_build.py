"""What re-runs when: a lesson's fingerprint changes exactly when its outputs could."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools import build_book
from tools import lessons as course

ROOT = course.ROOT


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A small course of two lessons and a copy of genutils, in a folder of its own."""
    shutil.copytree(ROOT / "genutils", tmp_path / "genutils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    (tmp_path / "lessons").mkdir()
    (tmp_path / "_build").mkdir()
    chapters = "chapters:\n- file: lessons/01_one\n- file: lessons/02_two\n"
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\n{chapters}")
    write(tmp_path / "lessons/01_one.ipynb", "from genutils.check.expect import brief\nprint(brief(1.0))")
    write(tmp_path / "lessons/02_two.ipynb", "import math\nprint(math.pi)")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for name, value in {"ROOT": tmp_path, "BUILD": tmp_path / "_build", "HTML": tmp_path / "_build/html"}.items():
        monkeypatch.setattr(build_book, name, value)
    monkeypatch.setitem(build_book.ENVIRONMENT, "PYTHONPATH", str(tmp_path))
    return tmp_path


def write(path: pathlib.Path, source: str, prose: str = "# Title") -> None:
    cells = [nbformat.v4.new_markdown_cell(prose, id="a"), nbformat.v4.new_code_cell(source, id="b")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def marks(root: pathlib.Path) -> dict[str, str]:
    return {p.stem: course.fingerprint(p) for p in course.lessons()}


def changed(root: pathlib.Path, before: dict[str, str]) -> set[str]:
    return {k for k, v in marks(root).items() if before[k] != v}


class TestFingerprint:
    def test_prose_changes_nothing(self, copy):
        before = marks(copy)
        write(
            copy / "lessons/01_one.ipynb",
            "from genutils.check.expect import brief\nprint(brief(1.0))",
            "# Another title",
        )
        assert changed(copy, before) == set()

    def test_code_changes_that_lesson(self, copy):
        before = marks(copy)
        write(copy / "lessons/02_two.ipynb", "print(3)")
        assert changed(copy, before) == {"02_two"}

    @pytest.mark.parametrize(
        "module, lessons",
        [
            ("check/expect", {"01_one"}),
            ("plot", set()),
            ("__init__", {"01_one", "02_two"}),
            ("lesson", {"01_one", "02_two"}),
        ],
    )
    def test_a_module_changes_the_lessons_that_use_it(self, copy, module, lessons):
        before = marks(copy)
        with (copy / "genutils" / f"{module}.py").open("a") as file:
            file.write("\nCHANGED = True\n")
        assert changed(copy, before) == lessons

    def test_a_pin_changes_every_lesson(self, copy):
        before = marks(copy)
        with (copy / "requirements.txt").open("a") as file:
            file.write("# another\n")
        assert changed(copy, before) == {"01_one", "02_two"}

    def test_what_is_imported_through_another_module_counts(self, copy):
        write(copy / "lessons/02_two.ipynb", "from genutils.check import check")
        used = {str(p.relative_to(copy / "genutils")) for p in course.dependencies(copy / "lessons/02_two.ipynb")}
        assert {"check/__init__.py", "check/expect.py", "check/record.py", "lesson.py"} <= used


class TestExecute:
    def test_runs_what_is_stale_and_nothing_else(self, copy, capsys):
        assert {name for name, _ in build_book.execute(2)} == {"01_one", "02_two"}
        assert build_book.execute(2) == []
        write(copy / "lessons/02_two.ipynb", "print(4)")
        assert [name for name, _ in build_book.execute(2)] == ["02_two"]
        expect = copy / "genutils/check/expect.py"
        expect.write_text(expect.read_text() + "\nCHANGED = True\n")
        assert [name for name, _ in build_book.execute(2)] == ["01_one"]
        assert "[1/2]" in capsys.readouterr().out

    def test_a_failing_lesson_is_named_and_runs_again_next_time(self, copy, capsys):
        write(copy / "lessons/02_two.ipynb", "1 / 0")
        with pytest.raises(SystemExit, match="did not run: 02_two"):
            build_book.execute(2)
        assert "cell b: ZeroDivisionError: division by zero" in capsys.readouterr().out
        assert set(json.loads((copy / "_build/fingerprints.json").read_text())) == {"01_one"}
        write(copy / "lessons/02_two.ipynb", "1 / 1")
        assert [name for name, _ in build_book.execute(2)] == ["02_two"]

    def test_a_dead_kernel_is_one_line(self, copy, capsys):
        write(copy / "lessons/02_two.ipynb", "import os; os._exit(1)")
        with pytest.raises(SystemExit, match="02_two"):
            build_book.execute(2)
        assert "02_two" in capsys.readouterr().out


class TestNames:
    def test_a_lesson_has_several_names(self):
        first = course.lessons()[0]
        assert course.find(first.stem) == course.find(first.stem[:2]) == course.find(str(first)) == first

    def test_an_unknown_lesson_lists_those_there_are(self):
        with pytest.raises(SystemExit, match="no lesson is called '99_x'; the lessons are .*04_entropy"):
            course.find("99_x")

    def test_toc_and_folder_agree(self):
        assert sorted(course.lessons()) == sorted((ROOT / "lessons").glob("*.ipynb"))


def test_wrong_jobs_get_one_line():
    command = [sys.executable, "-m", "tools.build_book", "--jobs", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "--jobs needs a number of at least 1; it was 0" in done.stderr


@pytest.mark.parametrize("what", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_code_is_clean(what):
    command = [sys.executable, "-m", "ruff", *what, "genutils", "tools", "tests", "book", "lessons", "solutions"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


class TestMake:
    def make(self, *words, **env):
        import os

        return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, env={**os.environ, **env})

    def test_help_fits_on_a_screen_and_lists_every_target(self):
        out = self.make("help").stdout
        assert len(out.splitlines()) <= 24
        for target in ("book", "lab", "test", "release", "grade", "bench", "clean"):
            assert f"make {target}" in out

    def test_an_old_python_is_refused_in_one_line(self, tmp_path):
        old = tmp_path / "python-old"
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
        done = self.make("-n", "help", PYTHON=str(old))
        assert done.returncode == 0
        (tmp_path / "requirements.txt").write_text("")
        (tmp_path / "pyproject.toml").write_text("")
        shutil.copy(ROOT / "Makefile", tmp_path)
        done = subprocess.run(["make", "setup", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode and "Python 3.11 or newer is needed" in done.stdout

    def test_clean_keeps_what_people_made(self, tmp_path):
        shutil.copy(ROOT / "Makefile", tmp_path)
        theirs = ["classroom/submitted/ada/04_entropy/x.ipynb", "progress.json"]
        for name in (*theirs, "_build/html/index.html", "lessons/__pycache__/x"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("")
        subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
        left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
        assert left == {"Makefile", *theirs}
