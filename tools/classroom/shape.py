"""Cells by themselves: made clean, given the released marks and type again, and read for what they define."""

from __future__ import annotations

import ast
import copy
import re
from typing import Any

import nbformat


def kernel(nb: nbformat.NotebookNode, notes: list[str]) -> None:
    kernel = nb.metadata.get("kernelspec") if isinstance(nb.get("metadata"), dict) else None
    if not isinstance(kernel, dict) or not kernel.get("name"):
        notes.append("kernelspec missing (python3 was used)")
    elif kernel.get("name") != "python3":
        notes.append(f"strange kernelspec {str(kernel.get('name'))[:40]!r} (python3 was used)")
    nb.metadata = nbformat.from_dict(
        {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    nb.nbformat, nb.nbformat_minor = 4, 5


def clean_cells(nb: nbformat.NotebookNode) -> None:
    ids: set[str] = set()
    cells = []
    for number, old in enumerate(nb.cells):
        kind = old.get("cell_type")
        source = old.get("source", "")
        source = "".join(map(str, source)) if isinstance(source, list) else str(source)
        source = source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
        source = source.rstrip("\n")  # some editors add one to each cell, which no cell of a release ends with
        kind = kind if kind in ("code", "markdown", "raw") else "raw"
        id = str(old.get("id", ""))
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", id) or id in ids:
            id = f"cell-{number}-{len(ids)}"
        ids.add(id)
        make = {
            "code": nbformat.v4.new_code_cell,
            "markdown": nbformat.v4.new_markdown_cell,
            "raw": nbformat.v4.new_raw_cell,
        }[kind]
        cell = make(source, id=id)
        metadata = old.get("metadata") if isinstance(old.get("metadata"), dict) else {}
        cell.metadata.update({k: v for k, v in metadata.items() if k in ("nbgrader", "exercise", "role")})
        if isinstance(old.get("attachments"), dict) and kind == "markdown":
            cell["attachments"] = old["attachments"]
        cells.append(cell)
    nb.cells = cells


def restore(cell: Any, theirs: dict, was: dict, name: str, notes: list[str]) -> None:
    ours = was["nbgrader"]
    if ours.get("grade") and theirs.get("points") != ours.get("points"):
        notes.append(f"changed points of the {name} (restored)")
    if any(bool(theirs.get(k)) != bool(ours.get(k)) for k in ("grade", "solution", "locked")):
        notes.append(f"changed marks of the {name} (restored)")
    if cell.cell_type != was["type"]:
        notes.append(f"changed type of the {name} (restored)")
        retype(cell, was["type"])
    if ours.get("locked") and cell.source.strip() != was["source"].strip():
        notes.append(f"edited {name} (restored)")
        cell.source = was["source"]
    cell.metadata["nbgrader"] = nbformat.from_dict(copy.deepcopy(ours))


def retype(cell: Any, kind: str) -> None:
    cell.cell_type = kind
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    else:
        cell.pop("outputs", None), cell.pop("execution_count", None)


def _tree(source: str) -> list[ast.stmt] | None:
    """The statements of a cell; None if it is no valid Python, as one with a magic is not."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _binds(node: ast.stmt) -> set[str]:
    """The names that a statement at the top level defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(a.asname or a.name).partition(".")[0] for a in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {t.id for t in targets if isinstance(t, ast.Name)}


def defines(source: str, name: str) -> bool:
    if name not in source:
        return False
    if (body := _tree(source)) is not None:
        return any(name in _binds(node) for node in body)
    return bool(re.search(rf"^(def|class)\s+{re.escape(name)}\b", source, re.M))


def definition(source: str, name: str) -> str:
    """The statement that defines a name, with its decorators; of several the last."""
    for node in reversed(_tree(source) or []):
        if name in _binds(node):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    return ""


def one_definition(source: str) -> bool:
    return sum(isinstance(n, (ast.FunctionDef, ast.ClassDef)) for n in _tree(source) or []) == 1


def halves(first: str, second: str) -> bool:
    """Whether a cell ends within a function whose rest is another cell."""
    if not re.match(r"\s*\n*[ \t]+\S", second) or not re.search(r"^\s*(def|class)\b", first, re.M):
        return False
    body = _tree(first)
    inside = body is None or (bool(body) and isinstance(body[-1], (ast.FunctionDef, ast.ClassDef)))
    return inside and _tree(first.rstrip("\n") + "\n" + second.lstrip("\n")) is not None
