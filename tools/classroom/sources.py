"""The source of a function of a module, with all that it uses of that module, as it would stand in one cell.

The right answers that are written differently from the solutions (``tests/mutants``) become submissions like this.
"""

from __future__ import annotations

import ast
import builtins
import pathlib
import re
import symtable


def alternatives(file: pathlib.Path, names: dict[str, str]) -> dict[str, list[str]]:
    """The answers that are registered as right in a module of ``tests/mutants``, each as the text of a cell.

    Args:
        names: exercise id -> the name that its function must have.

    Returns:
        exercise id -> cells, in the order of the file; those without a name are left out.
    """
    source = file.read_text(encoding="utf-8")
    found: dict[str, list[str]] = {id: [] for id in names}
    for node in ast.parse(source).body:
        for call in getattr(node, "decorator_list", []):
            if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "alternative":
                if (id := ast.literal_eval(call.args[0])) in names:
                    found[id].append(extract(source, node, names[id]))
    return found


def extract(source: str, node: ast.FunctionDef | ast.ClassDef, name: str) -> str:
    """A function or class of a module without its decorators and under another name, after all that it uses there.

    Args:
        source: the module.
        node: a statement of its top level.
        name: what it is called in the result.

    What it uses are imports, constants, and functions and classes that are not decorated: a decorated one of the
    same name is another answer, and in a notebook the learner's own.
    """
    body = ast.parse(source).body
    given = {
        bound: i
        for i, other in enumerate(body)
        if other.lineno != node.lineno and not getattr(other, "decorator_list", [])
        for bound in _bound(other)
    }  # the last one, as for Python
    answer = _renamed(_text(source, node), node.name, name)
    used: set[int] = set()
    waiting = [answer]
    while waiting:
        for wanted in sorted(_globals(waiting.pop()) & given.keys() - {name}):
            if given[wanted] not in used:
                used.add(given[wanted])
                waiting.append(_text(source, body[given[wanted]]))
    parts = [_text(source, body[i]) for i in sorted(used)]
    lines = [p for i, p in zip(sorted(used), parts, strict=True) if isinstance(body[i], (ast.Import, ast.ImportFrom))]
    rest = [p for p in parts if p not in lines]
    return "\n\n\n".join([*(["\n".join(lines)] * bool(lines)), *rest, answer])


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement at the top level of a module gives a value."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(a.asname or a.name).partition(".")[0] for a in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _text(source: str, node: ast.stmt) -> str:
    """A statement as it is written, without its decorators and the remarks that are meant for a linter."""
    return re.sub(r"[ \t]+# noqa\b[^\n]*", "", ast.get_source_segment(source, node))


def _globals(text: str) -> set[str]:
    """The names that a statement looks for in its module, at once or when it is called; no local ones."""
    top = symtable.symtable(text, "cell", "exec")
    found = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    tables = list(top.get_children())
    while tables:
        table = tables.pop()
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
        tables += table.get_children()
    return found - set(dir(builtins))


def _renamed(text: str, before: str, after: str) -> str:
    """A definition under another name, with its calls of itself. (A local of its old name must not be in it.)"""
    if before == after:
        return text
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == before:
            node.id = after
    tree.body[0].name = after
    return ast.unparse(tree)
