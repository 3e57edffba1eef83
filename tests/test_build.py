"""What re-runs when: a lesson's fingerprint changes exactly when its outputs could."""

from __future__ import annotations

import ast
import os
import pathlib
import shutil
import subprocess
import sys

import nbformat
import psutil
import pytest

from tools import build_book, setup
from tools import lessons as course
from tools.fingerprint import dependencies, fingerprint

ROOT = course.ROOT
MAKES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
OUTSIDE = {k: v for k, v in os.environ.items() if k not in MAKES}  # make says more within make, as in `make test`


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
    return tmp_path


def write(path: pathlib.Path, source: str, prose: str = "# Title") -> None:
    cells = [nbformat.v4.new_markdown_cell(prose, id="a"), nbformat.v4.new_code_cell(source, id="b")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def marks(root: pathlib.Path) -> dict[str, str]:
    return {p.stem: fingerprint(p) for p in course.lessons()}


def changed(root: pathlib.Path, before: dict[str, str]) -> set[str]:
    return {k for k, v in marks(root).items() if before[k] != v}


def used_by_two(copy: pathlib.Path) -> set[str]:
    """Files of genutils that the second lesson depends on."""
    return {p.relative_to(copy / "genutils").as_posix() for p in dependencies(copy / "lessons/02_two.ipynb")}


def run_stale() -> list[str]:
    return [name for name, _ in build_book.execute(2, clock=None)]


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
        assert {"check/__init__.py", "check/expect.py", "check/record.py", "lesson.py"} <= used_by_two(copy)

    def test_the_yardstick_depends_on_every_recipe(self, copy):
        write(copy / "lessons/02_two.ipynb", "from genutils.yardstick import table")
        recipes = {f"recipes/{p.name}" for p in (copy / "genutils/recipes").glob("*.py")}
        assert len(recipes) >= 6 and recipes <= used_by_two(copy)

    @pytest.mark.parametrize(
        "source, reached",
        [
            ("from . import far", {"pack/far.py"}),
            ("from .far import thing", {"pack/far.py"}),
            ("from .. import top", {"top.py"}),
            ("from ..top import thing", {"top.py"}),
            ("import importlib\nimportlib.import_module('genutils.top')", {"top.py"}),
            ("import importlib\nimportlib.import_module('.far', __package__)", {"pack/far.py"}),
            ("from importlib import import_module\nimport_module(f'{__package__}.f{1}')", {"pack/far.py"}),
            ("__import__(f'genutils.{1}')", {"top.py", "pack/far.py", "plot.py"}),
            ("import importlib\nimportlib.import_module(some())", {"top.py", "pack/far.py", "plot.py"}),
            ("def broken(:", {"top.py", "pack/far.py", "plot.py"}),
            ("import json\nfrom os import path", set()),
        ],
    )
    def test_every_way_to_import_counts(self, copy, source, reached):
        """``pack/near.py`` holds the source; ``reached`` of what lies around it."""
        (copy / "genutils/pack").mkdir()
        for name, text in {
            "pack/__init__": "",
            "pack/near": source,
            "pack/far": "thing = 1",
            "top": "thing = 1",
        }.items():
            (copy / "genutils" / f"{name}.py").write_text(text)
        write(copy / "lessons/02_two.ipynb", "import genutils.pack.near")
        around = {"top.py", "pack/far.py", "plot.py"}
        assert used_by_two(copy) & {*around, "pack/near.py", "pack/__init__.py"} == reached | {
            "pack/near.py",
            "pack/__init__.py",
        }

    def test_of_the_checks_only_those_of_the_lesson_count(self, copy):
        shutil.copy(copy / "genutils/check/lesson_03.py", copy / "genutils/check/lesson_99.py")
        write(copy / "lessons/02_two.ipynb", "from genutils.check import check")
        assert {name for name in used_by_two(copy) if "lesson_" in name} == {"check/lesson_02.py"}

    @pytest.mark.parametrize("file", ["live/runtime.js", "live/style.css", "live/data/table.csv"])
    def test_what_is_not_python_counts(self, copy, file):
        write(copy / "lessons/02_two.ipynb", "from genutils.live import Live")
        before = marks(copy)
        (copy / "genutils" / file).parent.mkdir(exist_ok=True)
        with (copy / "genutils" / file).open("a") as text:
            text.write("/* changed */")
        assert changed(copy, before) == {"02_two"}

    def test_moving_a_line_to_another_file_is_a_change(self, copy):
        write(copy / "lessons/02_two.ipynb", "import genutils.one, genutils.two")
        (copy / "genutils/one.py").write_text("A = 1\n")
        (copy / "genutils/two.py").write_text("")
        before = marks(copy)
        (copy / "genutils/one.py").rename(copy / "genutils/two.py")
        (copy / "genutils/one.py").write_text("")
        assert changed(copy, before) == {"02_two"}


class TestExecute:
    def test_runs_what_is_stale_and_nothing_else(self, copy, capsys):
        assert set(run_stale()) == {"01_one", "02_two"}
        assert run_stale() == []
        write(copy / "lessons/02_two.ipynb", "print(4)")
        assert run_stale() == ["02_two"]
        expect = copy / "genutils/check/expect.py"
        expect.write_text(expect.read_text() + "\nCHANGED = True\n")
        assert run_stale() == ["01_one"]
        assert "[1/2]" in capsys.readouterr().out

    def test_a_failing_lesson_is_named_and_runs_again_next_time(self, copy, capsys):
        write(copy / "lessons/02_two.ipynb", "1 / 0")
        with pytest.raises(SystemExit, match="did not run: 02_two"):
            run_stale()
        assert "cell b: ZeroDivisionError: division by zero" in capsys.readouterr().out
        assert set(build_book.took()) == {"01_one"}
        write(copy / "lessons/02_two.ipynb", "1 / 1")
        assert run_stale() == ["02_two"]

    def test_an_edit_during_the_run_is_not_lost(self, copy):
        edit = "import pathlib, genutils.check.expect\nfile = pathlib.Path('../genutils/check/expect.py')\n"
        once = "if 'EDITED' not in file.read_text():\n    file.write_text(file.read_text() + 'EDITED = True\\n')"
        write(copy / "lessons/01_one.ipynb", edit + once)
        assert "01_one" in run_stale()
        assert run_stale() == ["01_one"]  # it ran with the module as it was before
        assert run_stale() == []

    def test_a_failure_is_not_taken_for_the_outputs_of_before(self, copy):
        expect = copy / "genutils/check/expect.py"
        good = expect.read_text()
        run_stale()
        expect.write_text(good.replace("def brief", "def hidden"))
        with pytest.raises(SystemExit, match="01_one"):
            run_stale()
        assert set(build_book.took()) == {"02_two"}
        expect.write_text(good)
        assert run_stale() == ["01_one"]

    def test_what_a_lesson_took_is_kept_with_its_outputs(self, copy, capsys):
        write(copy / "lessons/02_two.ipynb", "x = 0\nfor i in range(10**7): x += i\nbytearray(3 * 10**8)[::4096]")
        build_book.execute(1)
        out, took = capsys.readouterr().out, build_book.took()
        for stem, spent in took.items():
            assert spent.fingerprint == fingerprint(copy / f"lessons/{stem}.ipynb")
            assert len(spent.figures) == 2 and all(0.5 < x < 100 for x in spent.figures)
            assert f"({spent.reference_seconds:.1f} on the reference core)" in out
        one, two = took["01_one"], took["02_two"]
        assert 0.1 < one.cpu_seconds < two.cpu_seconds and one.peak_bytes + 2e8 < two.peak_bytes < one.peak_bytes + 4e8
        cache = build_book.get_cache(str(copy / "_build/.jupyter_cache"))
        for record in cache.list_cache_records():
            assert [c.id for c in cache.get_cache_bundle(record.pk).nb.cells] == ["b"]  # no cell of ours is left

    def test_a_dead_kernel_is_one_line(self, copy, capsys):
        write(copy / "lessons/02_two.ipynb", "import os; os._exit(1)")
        with pytest.raises(SystemExit, match="02_two"):
            run_stale()
        assert "02_two" in capsys.readouterr().out


class TestNames:
    def test_a_lesson_has_several_names(self):
        first = course.lessons()[0]
        assert course.find(first.stem) == course.find(first.stem[:2]) == course.find(str(first)) == first

    def test_an_unknown_lesson_lists_those_there_are(self):
        with pytest.raises(SystemExit, match="no lesson is called '99_x'; the lessons are .*04_entropy"):
            course.find("99_x")

    @pytest.mark.parametrize("folder", ["lessons", "solutions"])
    def test_toc_and_folders_agree(self, folder):
        listed = [p.stem for p in course.lessons()]
        assert listed == sorted(listed) and len(listed) == len(set(listed)) >= 13
        assert listed == sorted(p.stem for p in (ROOT / folder).glob("*.ipynb"))


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
        return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, env={**OUTSIDE, **env})

    def test_help_fits_on_a_screen_and_lists_every_target(self):
        out = self.make("help").stdout
        assert len(out.splitlines()) <= 24
        for target in ("book", "lab", "test", "release", "grade", "bench", "clean"):
            assert f"make {target}" in out

    def test_a_python_that_does_not_run_is_named_in_one_line(self, tmp_path):
        for name in ("requirements.txt", "pyproject.toml"):
            (tmp_path / name).write_text("")
        shutil.copy(ROOT / "Makefile", tmp_path)
        command = ["make", "setup", "PYTHON=no-such-python"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=OUTSIDE)
        assert done.returncode and done.stdout.count("\n") == 1
        assert "Python 3.11 to 3.14 is needed; 'no-such-python' does not run" in done.stdout

    def test_setting_up_is_left_to_the_module_that_others_call_without_make(self, tmp_path):
        for name in ("requirements.txt", "pyproject.toml"):
            (tmp_path / name).write_text("")
        (tmp_path / "tools").mkdir()
        (tmp_path / "tools/setup.py").write_text("print('called')")
        shutil.copy(ROOT / "Makefile", tmp_path)
        done = subprocess.run(["make", "setup"], cwd=tmp_path, capture_output=True, text=True, env=OUTSIDE)
        assert done.stdout == "called\n"

    def test_clean_keeps_what_people_made(self, tmp_path):
        shutil.copy(ROOT / "Makefile", tmp_path)
        theirs = ["classroom/submitted/ada/04_entropy/x.ipynb", "progress.json"]
        for name in (*theirs, "_build/html/index.html", "lessons/__pycache__/x"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("")
        subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
        left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
        assert left == {"Makefile", *theirs}


class TestSetup:
    @pytest.mark.parametrize(
        "machine, words",
        [
            ({"version": (3, 10)}, "Python 3.11 or newer is needed; this is 3.10"),
            ({"version": (3, 15)}, "no PyTorch wheel for Python 3.15 yet; use Python 3.11 to 3.14"),
            ({"system": "Darwin", "machine": "x86_64"}, "no PyTorch wheel for Macs with an Intel processor"),
            ({"bits": 32}, "this Python has 32 bits"),
        ],
    )
    def test_what_cannot_work_is_said_before_pip_does(self, machine, words):
        assert words in setup.obstacle(**machine) and "\n" not in setup.obstacle(**machine)

    @pytest.mark.parametrize("version", [(3, 11), (3, 14)])
    @pytest.mark.parametrize("system", [("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64")], ids=str)
    def test_what_can_work_is_let_through(self, version, system):
        assert setup.obstacle(version, *system, 64) == ""

    def root(self, folder):
        for name in setup.INPUTS:
            (folder / name).write_text(f"# {name}")
        return folder

    def run(self, root, calls, fails=lambda command: False):
        """What ``setup`` says when the commands are only noted; making an environment makes its interpreter."""

        def call(command):
            calls.append(command)
            if command[1:3] == ["-m", "venv"]:
                setup.python(root / ".venv").parent.mkdir(parents=True)
                setup.python(root / ".venv").touch()
            return int(fails(command))

        return setup.setup(root, call)

    def test_it_installs_once_and_again_when_a_pin_changes(self, tmp_path):
        root, calls = self.root(tmp_path), []
        assert self.run(root, calls) == ""
        assert [c[1:4] for c in calls] == [["-m", "venv", str(root / ".venv")]] + [["-m", "pip", "install"]] * 2
        assert self.run(root, calls) == "" and len(calls) == 3
        (root / "requirements.txt").write_text("another==1")
        assert self.run(root, calls) == "" and len(calls) == 5

    @pytest.mark.parametrize("module, words", [("venv", "apt-get install python3-venv"), ("pip", "needs the network")])
    def test_what_fails_is_said_in_a_line_and_tried_again(self, tmp_path, module, words):
        root, calls = self.root(tmp_path), []
        said = self.run(root, calls, fails=lambda command: command[2] == module)
        assert words in said and "\n" not in said
        before = len(calls)
        self.run(root, calls)
        assert len(calls) > before and (root / ".venv/.ready").exists()

    def test_it_needs_nothing_but_python(self):
        tree = ast.parse((ROOT / "tools/setup.py").read_text(encoding="utf-8"))
        names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
        names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert names <= sys.stdlib_module_names and not (ROOT / "tools/__init__.py").read_text()

    def test_an_old_python_can_read_it(self):
        ast.parse((ROOT / "tools/setup.py").read_text(encoding="utf-8"), feature_version=(3, 7))


class TestJobs:
    def test_one_lesson_a_core(self):
        assert build_book.jobs_that_fit(8, 64 * 10**9) == (8, "")

    @pytest.mark.parametrize("free, jobs", [(2.5, 2), (1.3, 1), (0.2, 1)])
    def test_little_memory_limits_them_and_that_is_said_in_a_line(self, free, jobs):
        fit, said = build_book.jobs_that_fit(8, int(free * 1e9))
        assert fit == jobs and f"{free} GB are free" in said and f"{jobs} of 8 cores" in said and "\n" not in said

    def test_this_machine_is_looked_at(self):
        cores, free = build_book.machine()
        assert 1 <= cores <= os.cpu_count() and 1e7 < free < psutil.virtual_memory().total


def modules() -> list[pathlib.Path]:
    every = [*(ROOT / "tools").glob("*.py"), *(ROOT / "genutils").rglob("*.py"), ROOT / "conftest.py"]
    return [path for path in every if path.name != "setup.py"]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_needs_one_operating_system(path):
    """What only some systems have is imported in a function; files are read as UTF-8, not everywhere the default."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    somewhere = {"fcntl", "resource", "pwd", "grp", "termios", "msvcrt", "winreg"}
    at_top = {a.name for node in tree.body if isinstance(node, ast.Import) for a in node.names}
    assert not at_top & somewhere
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        mode = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        binary = name == "open" and any("b" in m for m in mode)
        if name in ("read_text", "write_text", "open") and not binary:
            owner = getattr(getattr(call.func, "value", None), "id", "")
            assert (
                owner in ("Image", "gzip", "os", "wave", "zipfile")
                or {"encoding"} <= {k.arg for k in call.keywords}
                or (name == "read_text" and call.args)
            ), f"{path.name}:{call.lineno} reads or writes text without an encoding"
