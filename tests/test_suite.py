"""How the suite itself is run: what stays on one worker, and how a lesson's run under nbval serves the book."""

from __future__ import annotations

import ast
import os
import pathlib
import random
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch

from tests.one_run import Run, merged
from tests.units import BOOK, WHOLE, seed_everything, turn_of, unit_of
from tools import build_book, calibrate

ROOT = pathlib.Path(__file__).parents[1]


def test_a_notebook_and_the_book_stay_together_and_other_tests_do_not():
    for folder in ("lessons", "solutions"):
        assert unit_of(f"{folder}/04_x.ipynb::Cell 0") == unit_of(f"{folder}/04_x.ipynb::Cell 31")
    assert unit_of("lessons/04_x.ipynb::Cell 0") != unit_of("solutions/04_x.ipynb::Cell 0")
    assert unit_of("tests/test_book.py::test_a") == unit_of("tests/test_browser.py::test_b[x::y]")
    assert unit_of("tests/test_ppca.py::A::test_a[1]") != unit_of("tests/test_ppca.py::A::test_a[2]")
    assert unit_of("genutils/ppca.py::genutils.ppca.PPCA") != unit_of("genutils/ppca.py::genutils.ppca")


def test_lessons_come_before_the_book_and_single_tests_last():
    files = [
        "lessons/04_x.ipynb",
        "tests/test_densities.py",
        "solutions/04_x.ipynb",
        "tests/test_book.py",
        "tests/x.py",
    ]
    assert [turn_of(f"{file}::a") for file in files] == [0, 1, 2, 3, 4]


def test_what_needs_the_book_stays_with_it():
    """Elsewhere such a test would keep its worker waiting while the other builds the pages."""

    def asks(file: pathlib.Path) -> bool:
        functions = (n for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef))
        return any(a.arg == "book" for f in functions if f.name.startswith("test_") for a in f.args.args)

    assert {file.stem for file in (ROOT / "tests").glob("test_*.py") if asks(file)} == BOOK


def test_every_file_that_shares_a_fixture_stays_together():
    def shares(file: pathlib.Path) -> bool:
        wide = ("module", "class", "package")
        calls = (n for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))
        scopes = (k.value for call in calls for k in call.keywords if k.arg == "scope")
        return any(isinstance(scope, ast.Constant) and scope.value in wide for scope in scopes)

    sharing = {file.stem for file in (ROOT / "tests").glob("test_*.py") if shares(file)}
    assert sharing and sharing <= WHOLE | BOOK


def test_chance_is_the_same_in_every_test():
    first = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002
    seed_everything("tests/test_suite.py::test_chance_is_the_same_in_every_test")
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == first  # noqa: NPY002
    seed_everything("another test")
    assert random.random() != first[0]


def message(kind: str, key: str = "k", **content) -> dict:
    return {"header": {"msg_type": kind}, "msg_type": kind, "parent_header": {"msg_id": key}, "content": content}


def said(text: str, name: str = "stdout") -> dict:
    return message("stream", name=name, text=text)


def shown(text: str) -> dict:
    return message("display_data", data={"text/plain": text}, metadata={})


class File:
    """What nbval gives of a notebook: its path, and the messages of its kernel."""

    def __init__(self, path: pathlib.Path, sources: list[str]):
        cells = [nbformat.v4.new_markdown_cell("# Title"), *map(nbformat.v4.new_code_cell, sources)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        self.path, self.queue = path, []
        self.kernel = SimpleNamespace(km=SimpleNamespace(provisioner=SimpleNamespace(pid=os.getpid())))

    def get_kernel_message(self, timeout: float | None = None, stream: str = "iopub") -> dict:
        return self.queue.pop(0)


@pytest.fixture(autouse=True)
def known_core(monkeypatch):
    monkeypatch.setattr(calibrate, "quick", lambda: 5.0)


def ran(tmp_path: pathlib.Path, *messages: dict, passed: bool = True, source: str = "a") -> Run:
    for name in ("lessons", "genutils"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "requirements.txt").touch()
    file = File(tmp_path / "lessons" / "x.ipynb", ["a"])
    run = Run(file)
    file.queue = [message("execute_input", code="a", execution_count=1), *messages, message("status")]
    for _ in file.queue[:]:
        file.get_kernel_message()
    run.add(source, passed)
    return run


def test_outputs_keep_their_order_and_what_is_printed_in_a_row_is_one(tmp_path):
    run = ran(tmp_path, said("1"), said("2"), shown("f"), said("3"), said("4", "stderr"), message("stream", "other"))
    outputs = run.notebook.cells[1].outputs
    assert [o.get("text", "f") for o in outputs] == ["12", "f", "3", "4"]
    assert run.whole and not run.left and run.notebook.cells[1].execution_count == 1
    assert list(merged([])) == []


@pytest.mark.parametrize("kind", ["clear_output", "update_display_data", "error"])
def test_what_the_cache_could_not_tell_is_left_to_the_build(tmp_path, kind):
    assert not ran(tmp_path, shown("f"), message(kind)).whole


def test_a_run_with_a_cell_that_failed_or_is_another_is_not_kept(tmp_path):
    assert not ran(tmp_path, passed=False).whole
    assert not ran(tmp_path, source="b").whole


def test_a_lessons_outputs_are_kept_for_the_book_with_what_they_took(tmp_path, monkeypatch):
    monkeypatch.setattr(build_book, "BUILD", tmp_path / "_build")
    run = ran(tmp_path, shown("f"))
    assert run.finish("lessons") == ""
    key, spent = build_book.cached(build_book.get_cache(str(tmp_path / "_build" / ".jupyter_cache")), run.path)
    assert spent.fingerprint == build_book.fingerprint(run.path) and spent.figures == (5.0, 5.0)
    assert 0 < spent.reference_seconds == pytest.approx(spent.cpu_seconds)


def test_a_solution_that_took_too_long_is_told(tmp_path, monkeypatch):
    run = ran(tmp_path)
    monkeypatch.setitem(calibrate.BUDGET, "solutions", 1e6)
    assert run.finish("solutions") == ""
    monkeypatch.setitem(calibrate.BUDGET, "solutions", 1e-3)
    assert "are allowed" in run.finish("solutions")
