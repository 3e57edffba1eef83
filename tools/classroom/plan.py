"""What a notebook process does: which cells of a submission run, and where their answers are held."""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import symtable
from dataclasses import dataclass
from typing import Any

from tools.classroom.cells import ANSWER, grade_id, parse


def plan(manifest: dict, nb: Any, whole: bool = False) -> list[dict]:
    """What the notebook process does, in order.

    Cells to run are ``{"at": place, "source": ...}``; that of an untouched stub may say ``unless`` which name exists.
    Answers are ``{"hold": exercise, "name": ..., "other": a name to take instead, "given": whether the student defines
    it up to there, "late": whether below}``: the lesson itself may have something of that name, which is no answer.

    Of the lesson's own cells, if they are unchanged, only what the others use is run: a lesson may begin by training.
    """
    released = manifest.get("released", [])
    public = {c["source"] for c in released}
    stubs = {c["nbgrader"]["grade_id"]: c["source"] for c in released if c.get("nbgrader")}
    tests = {e["test"]: (id, e["name"]) for id, e in manifest["exercises"].items()}
    answers = {grade_id(id, ANSWER): e["name"] for id, e in manifest["exercises"].items()}
    steps, own, others = [], [], {}
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
        elif not whole and cell.source in public:
            own.append(step)
            continue
        steps.append(step)
        if mark in answers or cell.source not in public:
            gives = _names(cell.source)[0]
            given |= gives
            for held in steps:
                held |= {"late": True} if held.get("name") in gives else {}
    return _with_needed(steps, own)


def _one_name(source: str) -> str | None:
    """The function or class that a cell defines, if it defines exactly one."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        named = [n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        return named[0] if len(named) == 1 else None
    return None


@dataclass(eq=False)
class _Statement:
    """One of a lesson's own: its lines, the names that it gives and needs, and whether it runs."""

    lines: range
    gives: set[str]
    needs: set[str]
    kind: str  # "imports", "names" for what does nothing but name something, "acts"
    kept: bool = False


class _Cell:
    """A cell of the lesson's own; what cannot be parsed (a magic) is one statement."""

    def __init__(self, step: dict, first: bool):
        self.step, self.first, self.lines = step, first, step["source"].splitlines()
        try:
            self.statements = [self._statement(node) for node in ast.parse(step["source"]).body]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.statements = [_Statement(range(len(self.lines)), *_names(step["source"]), "acts", kept=first)]
        modules = set().union(*(one.gives for one in self.statements if one.kind == "imports"))
        for one in self.statements:
            one.gives -= modules if one.kind == "acts" else set()

    def _statement(self, node: ast.stmt) -> _Statement:
        lines = range(min(n.lineno for n in (node, *getattr(node, "decorator_list", ()))) - 1, node.end_lineno or 0)
        gives, uses = _names("\n".join(self.lines[i] for i in lines))
        if isinstance(node, ast.Import | ast.ImportFrom):
            return _Statement(lines, gives, set(), "imports")
        if (
            isinstance(node, ast.FunctionDef | ast.ClassDef)
            or isinstance(node, ast.Assign)
            and all(
                isinstance(part, ast.Name | ast.Tuple | ast.expr_context) for t in node.targets for part in ast.walk(t)
            )
        ):
            return _Statement(lines, gives, uses, "names")
        needs = uses | gives if isinstance(node, ast.AugAssign) else uses - gives
        return _Statement(lines, gives | _changed(node), needs, "acts")

    def want(self, wanted: set[str]) -> bool:
        """Keep what gives those names, and what that needs of this cell; whether there was anything new."""
        new = False
        for one in reversed(self.statements):
            if not one.kept and one.gives & (wanted | self.needs()):
                one.kept = new = True
        return new

    def needs(self) -> set[str]:
        return set().union(*(one.needs for one in self.statements if one.kept))

    def complete(self, there: set[str]) -> None:
        """Keep besides what does something, imports included, and needs nothing that is not there."""
        for one in self.statements if self.first or any(one.kept for one in self.statements) else ():
            one.kept = one.kept or one.kind != "names" and one.needs <= there
            there |= one.gives if one.kept else set()

    def kept(self) -> dict | None:
        """The step that runs, in which all other lines are empty; None if there is nothing to do."""
        keep = set().union(*(one.lines for one in self.statements if one.kept))
        source = "\n".join(line if i in keep else "" for i, line in enumerate(self.lines))
        return self.step | {"source": source} if keep else None


def _changed(statement: ast.stmt) -> set[str]:
    """Names of what a statement writes into, as in ``x[0] = 1``, or tells to change, as in ``x.sort()``."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            node = node.value.func
        elif not isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        if isinstance(node, ast.Attribute | ast.Subscript):
            while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
                node = node.func if isinstance(node, ast.Call) else node.value
            found |= {node.id} if isinstance(node, ast.Name) else set()
    return found


def _with_needed(steps: list[dict], own: list[dict]) -> list[dict]:
    """Add of the lesson's own cells what gives names that the others use; its checks are none of them.

    Of the first cell everything else is added, too, that works without what was left out: seeds, settings.
    """
    cells = [_Cell(step, i == 0) for i, step in enumerate(own) if not re.match(r"\s*check\(", step["source"])]
    given, wanted = set(vars(builtins)), set()
    for step in steps:
        if "at" in step:
            gives, uses = _names(step["source"])
            given, wanted = given | gives, wanted | uses
    opening = set().union(*(one.gives for cell in cells if cell.first for one in cell.statements))
    while any([cell.want(wanted - (set() if cell.first else given | opening)) for cell in cells]):
        wanted |= set().union(*(cell.needs() for cell in cells))
    given |= set().union(*(one.gives for cell in cells for one in cell.statements if one.kept))
    for cell in cells:
        cell.complete(given)
    at = -1.0
    order = []
    for step in steps:  # an answer is held right after the cell before it
        at = step.get("at", at)
        order.append((at, "hold" in step, step))
    order += [(step["at"], False, step) for step in map(_Cell.kept, cells) if step]
    return [step for _, _, step in sorted(order, key=lambda o: o[:2])]


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell gives to others, and those that it uses, its functions included."""
    source = "\n".join(line for line in source.splitlines() if not re.match(r"\s*[%!]", line))
    try:
        cell = symtable.symtable(source, "a cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    gives = {s.get_name() for s in cell.get_symbols() if s.is_assigned() or s.is_imported()}
    uses = {s.get_name() for s in cell.get_symbols() if s.is_referenced()}
    inside = cell.get_children()
    while inside:
        scope = inside.pop()
        inside += scope.get_children()
        uses |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
        gives |= {s.get_name() for s in scope.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return gives, uses
