"""The classroom's own ground: one definition of what its parts agree on, no circle, and any system it is started on."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

from tools.classroom import cells, layout, namespaces, sandbox, system, wire
from tools.classroom.__main__ import main
from tools.classroom.cells import ANSWER, QUESTION, TEST, grade_id, parse
from tools.classroom.layout import Classroom
from tools.classroom.verdict import Verdict

REPO = pathlib.Path(__file__).resolve().parents[1]
CLASSROOM = REPO / "tools" / "classroom"


def sources(*folders: str) -> dict[str, str]:
    found = {}
    for folder in folders:
        for path in sorted((REPO / folder).rglob("*.py")):
            found[str(path.relative_to(REPO))] = path.read_text(encoding="utf-8")
    return found


def literals(source: str) -> set[str]:
    """Strings of a file, but for its docstrings; the constant parts of f-strings too."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    }


# -- one definition


def test_ids_of_graded_cells_go_there_and_back():
    for exercise in ("04.1", "04.10", "90.w"):
        for kind in (ANSWER, TEST, QUESTION):
            assert parse(grade_id(exercise, kind)) == (exercise, kind)
            assert re.search(cells.PATTERN, f'<a href="#{grade_id(exercise, kind)}">')["lesson"] == exercise[:2]
    assert parse("ex-04-1-spare") is None and parse("cell-3") is None
    for exercise, kind in (("4", TEST), ("04.1", "spare"), ("04-1", TEST), ("04.1.2", TEST)):
        with pytest.raises(ValueError, match="make no id of a graded cell"):
            grade_id(exercise, kind)


def test_ids_of_graded_cells_are_made_in_one_file():
    made = re.compile(r"^#?" + "ex" + r"-(\d+-\w+-|$|\(|\\d)")
    where = {
        file for file, text in sources("tools", "genutils", "tests").items() if any(map(made.search, literals(text)))
    }
    assert where == {"tools/classroom/cells.py", "tests/test_classroom_system.py"}  # here one that is none of ours


def test_the_time_limit_is_told_by_a_type_that_one_file_defines():
    said = "still running" + " after"
    where = {file for file, text in sources("tools", "genutils").items() if any(said in x for x in literals(text))}
    assert where == {"genutils/check/expect.py"}
    defined = [f for f, text in sources("tools", "genutils").items() if re.search(r"^class StillRunning\b", text, re.M)]
    assert defined == ["genutils/check/expect.py"]


def test_verdicts_are_named_in_one_file():
    other = {"right", "wrong", "not attempted"}  # words of the checks themselves
    names = set(Verdict) - other
    where = {f: literals(text) & names for f, text in sources("tools/classroom").items() if literals(text) & names}
    assert where == {"tools/classroom/verdict.py": names}


# -- the house


def test_no_module_imports_in_a_circle():
    graph = {}
    for path in CLASSROOM.glob("*.py"):
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):  # also imports inside functions
            if isinstance(node, ast.ImportFrom) and node.module == "tools.classroom":
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tools.classroom."):
                found.add(node.module.rpartition(".")[2])
        graph[path.stem] = found
    assert graph["grade"] and graph["workers"]
    done: set[str] = set()
    while len(done) < len(graph):
        ready = {name for name, needs in graph.items() if name not in done and needs <= done}
        assert ready, f"a circle among {sorted(set(graph) - done)}"
        done |= ready


def test_every_module_is_one_idea_and_says_which():
    for path in CLASSROOM.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        assert len(first) > 30, path.name
        assert len(text.splitlines()) <= 300, path.name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                count = len([*node.args.args, *node.args.kwonlyargs])
                assert count <= 8, f"{path.name}: {node.name} takes {count} arguments"


# -- any system

WITHOUT_POSIX = """
import os, signal, sys

import cloudpickle, nbconvert, nbgrader.converters, nbgrader.preprocessors, psutil  # they see to themselves

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "setsid", "getuid", "getgid", "killpg", "closerange"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGKILL", "setitimer", "ITIMER_REAL"):
    delattr(signal, name)
import importlib, pathlib

for path in sorted(pathlib.Path("tools/classroom").glob("*.py")):
    importlib.import_module(f"tools.classroom.{path.stem}")
from tools.classroom import sandbox, system
from tools.classroom.__main__ import main

print(system.unprotected(sandbox.refusal()))
for command in ("release", "grade", "feedback"):
    assert main(["--classroom", sys.argv[1], command, "04_entropy"]) == 2
"""


def test_without_posix_it_imports_and_says_what_is_not_protected(tmp_path):
    """As on Windows: what is missing there is taken away before anything is imported."""
    command = [sys.executable, "-c", WITHOUT_POSIX, str(tmp_path / "class")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for words in ("not confined", "memory and file size", "two runs at a time"):
        assert words in done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 3 and all(
        "use WSL" in line and "nothing of yours would be protected" in line for line in lines
    )
    assert not (tmp_path / "class").exists()


def test_nothing_is_said_where_nothing_is_missing():
    if os.name == "posix":
        assert system.unprotected("") == []
    assert "not confined (no: it)" in system.unprotected("no: it")[0]


def test_strict_refuses_where_code_cannot_be_confined(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sandbox, "refusal", lambda: "unshare: not permitted")
    assert main(["--classroom", str(tmp_path), "grade", "--strict", "04_entropy"]) == 2
    said = capsys.readouterr().err
    assert "--strict: nothing was graded" in said and "unshare: not permitted" in said and said.count("\n") == 1


@pytest.mark.parametrize("command", ["release", "grade"])
def test_without_fork_nothing_is_judged(command, monkeypatch, tmp_path, capsys):
    monkeypatch.delattr(os, "fork")
    assert main(["--classroom", str(tmp_path), command, "04_entropy"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "use WSL" in said


def test_without_locks_a_room_can_still_be_held(monkeypatch, tmp_path):
    room = Classroom(REPO, tmp_path)
    monkeypatch.setattr(layout, "fcntl", None)
    with room.alone(), room.alone():
        pass


def test_without_namespaces_code_runs_unconfined_and_that_is_known(monkeypatch):
    monkeypatch.setattr(namespaces, "_own_user", lambda others: namespaces._mount("", "/nowhere", "", 0))
    box = sandbox.Box(lambda line: wire.say(line, "hello"), [], 2**40)
    assert not box.closed and box.missing.startswith("[Errno") and "mount" in box.missing
    assert wire.hear(box.line) == ("hello", None)
    box.end()
    assert sandbox.refusal() == box.missing
