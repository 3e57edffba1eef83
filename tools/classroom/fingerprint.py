"""What an answer is recognised by: runs of its tokens, whatever its variables are called and however it is ordered."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.classroom.suspicion import definitions, gather, imports, parse, path

RUN = 5  # tokens of a fingerprint
Prints = dict[tuple[str, ...], set[int]]


@dataclass(frozen=True)
class Answer:
    """An answer, and its fingerprints with the lines on which they stand."""

    owner: str
    source: str
    prints: Prints


def answer(owner: str, source: str, others: Iterable[str]) -> Answer:
    """The fingerprints of an answer cell; ``others`` are cells of the same notebook, whose functions it may use."""
    aliases, known = _context(tuple(others))
    own = parse(source)
    aliases = aliases | imports(own)
    prints: Prints = {}
    for k, statement in enumerate(gather(source, known)):
        here = own is not None and k < len(own.body)
        for run_, line in fingerprints(statement, aliases):
            prints.setdefault(run_, set()).update({line} if here else ())
    return Answer(owner, source, prints)


@functools.lru_cache(maxsize=8)
def _context(cells: tuple[str, ...]) -> tuple[dict[str, str], dict[str, ast.stmt]]:
    """What the cells of a notebook import and define."""
    aliases: dict[str, str] = {}
    for text in cells:
        aliases |= imports(parse(text))
    return aliases, definitions(cells)


def fingerprints(tree: ast.AST, aliases: dict[str, str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """All runs of tokens of each statement in a tree, with the line on which the statement begins."""
    local = _locals(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            tokens = list(_tokens(_head(node), local, aliases))
            for k in range(max(1, len(tokens) - RUN + 1)):
                yield tuple(tokens[k : k + RUN]), node.lineno


def _locals(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            found.add(node.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _head(statement: ast.stmt) -> ast.stmt:
    """A statement without the statements inside it, which are looked at by themselves."""
    if not hasattr(statement, "body"):
        return statement
    head = copy.copy(statement)
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        if hasattr(head, name):
            setattr(head, name, [])
    return head


def _tokens(node: ast.AST, local: set[str], aliases: dict[str, str]) -> Iterator[str]:
    """The tree in order, root first: kinds of nodes, numbers, full names of what comes from outside, v for a local."""
    if isinstance(node, ast.Name):
        yield "v" if node.id in local else aliases.get(node.id, node.id)
        return
    if isinstance(node, ast.Attribute):
        whole = path(node, aliases)
        if whole and whole.split(".")[0] in {a.split(".")[0] for a in aliases.values()} - local:
            yield whole
            return
        yield "." + node.attr
        yield from _tokens(node.value, local, aliases)
        return
    if isinstance(node, ast.Constant):
        yield "text" if isinstance(node.value, (str, bytes)) else repr(node.value)
        return
    yield type(node).__name__ + (f" {node.arg}" if isinstance(node, ast.keyword) else "")
    for name, value in ast.iter_fields(node):
        if name in ("ctx", "annotation", "returns", "type_comment", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _tokens(child, local, aliases)
