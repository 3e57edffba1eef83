"""What a notebook process does: which cells of a submission run, and where their answers are held."""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
from typing import Any

from tools.classroom.cells import ANSWER, grade_id, parse


def plan(manifest: dict, nb: Any, whole: bool = False) -> list[dict]:
    """What the notebook process does, in order.

    Cells to run are ``{"at": place, "source": ...}``; that of an untouched stub may say ``unless`` which name exists.
    Answers are ``{"hold": exercise, "name": ..., "other": a name to take instead, "given": whether the student defines
    it up to there, "late": whether below}``: the lesson itself may have something of that name, which is no answer.
    """
    released = manifest.get("released", [])
    public = {c["source"] for c in released}
    stubs = {c["nbgrader"]["grade_id"]: c["source"] for c in released if c.get("nbgrader")}
    tests = {e["test"]: (id, e["name"]) for id, e in manifest["exercises"].items()}
    answers = {grade_id(id, ANSWER): e["name"] for id, e in manifest["exercises"].items()}
    steps, spare, others, begun = [], [], {}, False
    given: set[str] = set()  # names that the student's own cells define so far
    for at, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        mark = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        step = {"at": at, "source": cell.source}
        if mark in tests:
            id, name = tests[mark]
            steps.append({"hold": id, "name": name, "other": others.get(id), "given": name in given, "late": False})
            continue
        if mark in answers:
            if stubs.get(mark) == cell.source and answers[mark] in given:
                step["unless"] = answers[mark]
            others[parse(mark)[0]] = _one_name(cell.source)
        elif begun and not whole and cell.source in public:
            spare.append(step)
            continue
        steps.append(step)
        begun = True
        if mark in answers or cell.source not in public:
            gives = _names(cell.source)[0]
            given |= gives
            for held in steps:
                held |= {"late": True} if held.get("name") in gives else {}
    return _with_needed(steps, spare)


def _one_name(source: str) -> str | None:
    """The function or class that a cell defines, if it defines exactly one."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        named = [n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        return named[0] if len(named) == 1 else None
    return None


def _with_needed(steps: list[dict], spare: list[dict]) -> list[dict]:
    """Add the cells of the lesson that give names which the others use; its checks are none of them."""
    spare = [step for step in spare if not re.match(r"\s*check\(", step["source"])]
    names = {step["at"]: _names(step["source"]) for step in [*steps, *spare] if "at" in step}
    given, wanted = set(vars(builtins)), set()
    for step in steps:
        if "at" in step:
            given |= names[step["at"]][0]
            wanted |= names[step["at"]][1]
    added: list[dict] = []
    while more := [s for s in spare if s not in added and names[s["at"]][0] & (wanted - given)]:
        added += more
        wanted |= set().union(*(names[s["at"]][1] for s in more))
        given |= set().union(*(names[s["at"]][0] for s in more))
    at = -1.0
    order = []
    for step in steps:  # an answer is held right after the cell before it
        at = step.get("at", at)
        order.append((at, "hold" in step, step))
    order += [(step["at"], False, step) for step in added]
    return [step for _, _, step in sorted(order, key=lambda o: o[:2])]


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell gives to others, and those that it uses."""
    source = "\n".join(line for line in source.splitlines() if not re.match(r"\s*[%!]", line))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    gives, uses = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (uses if isinstance(node.ctx, ast.Load) else gives).add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            gives |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            gives.add(node.name)
        elif isinstance(node, ast.arg):
            gives.add(node.arg)
    return gives, uses
