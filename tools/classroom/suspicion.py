"""What a person may want to look at in a submission: told from its code without running it, in neutral words.

Nothing here changes a score. An answer is noted if it (or a helper that it uses) takes something of genutils that the
solution of that exercise does without; any cell of the student's own is noted if it names what tampering or reading
along would need. Cells as they were released are never noted.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tools.classroom.cells import ANSWER, grade_id

#: Modules of genutils that help to look or to check; an answer that uses them does not skip its exercise.
HELPERS = ("genutils.check", "genutils.data", "genutils.lesson", "genutils.palette", "genutils.plot", "genutils.rng")
#: Names from the top of genutils that lessons use everywhere.
_EVERYWHERE = {"genutils", "genutils.claim", "genutils.say", "genutils.took"}
_MODULES = {"sqlite3", "subprocess", "socket", "ctypes", "pickle", "importlib", "inspect", "gc", "multiprocessing"}
_CALLS = {"open", "exec", "eval", "compile", "__import__", "setattr", "delattr"}
_PLACES = re.compile(
    r"/proc\b|\bsolutions\b[/.]|\btests[./]mutants\b|\bgradebook\b|\bsubmitted/|\bautograded/|\bcollected/"
    r"|\bclassroom/|\bprivate/|\bsource/\d\d_|\.db\b|\bsqlite:|\bgenutils\.check\b"
)
_ROOTS = ("genutils", "numpy", "scipy", "torch", "math", "sys", "builtins")
_MAGIC = re.compile(r"^([ \t]*)((?:[\w., ]+=[ \t]*)?(?:!|%(?!%)).*|[\w.%]+\?{1,2})$", re.M)
_UNPARSED = re.compile(r"sys\s*\.\s*modules|_getframe|\bctypes\b|os\._exit|\bsqlite3\b|/proc\b|\bsetattr\s*\(")


def notes(cells: Iterable[tuple[int, str]], answers: dict[str, str], allowed: dict[str, set[str]]) -> list[str]:
    """Notes on the student's own code.

    Args:
        cells: number and source of each code cell that is not as it was released.
        answers: exercise -> source of its answer cell, if it was changed.
        allowed: exercise -> what of genutils its solution uses (see `used_by_solutions`).
    """
    cells = list(cells)
    found = []
    aliases: dict[str, str] = {}
    for _, source in cells:
        aliases |= imports(parse(source))
    known = definitions(s for _, s in cells)
    for id, source in answers.items():
        if id in allowed:
            taken = [n for n in genutils_of(source, known, aliases) if n not in allowed[id]]
            if taken:
                found.append(f"{id} uses {', '.join(taken[:3])}: is that the exercise?")
    for number, source in cells:
        said = list(dict.fromkeys(touches(source)))
        if said:
            found.append(f"cell {number} may touch the checker: {', '.join(said[:3])}")
        said = list(dict.fromkeys(reads(source)))
        if said:
            found.append(f"cell {number} names {', '.join(said[:3])}: what for?")
    return found


def of(nb: Any, manifest: dict[str, Any], source: pathlib.Path) -> list[str]:
    """Notes on a notebook that was handed in.

    Args:
        source: the instructor's copy of the release, which holds the solutions.
    """
    public = {c["source"] for c in manifest["released"]}
    cells = [(k, c.source) for k, c in enumerate(nb.cells, 1) if c.cell_type == "code" and c.source not in public]
    marked = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in nb.cells}
    answers = {id: marked.get(grade_id(id, ANSWER), "") for id in manifest["exercises"]}
    answers = {id: text for id, text in answers.items() if text not in public}
    changed = source.stat().st_mtime_ns if source.exists() else 0
    return notes(cells, answers, used_by_solutions(source, tuple(manifest["exercises"]), changed) if changed else {})


@functools.cache
def used_by_solutions(source: pathlib.Path, exercises: tuple[str, ...], changed: int) -> dict[str, set[str]]:
    """Exercise -> the names of genutils in its solution."""
    cells = [c for c in json.loads(source.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    sources = ["".join(c["source"]) for c in cells]
    aliases: dict[str, str] = {}
    for text in sources:
        aliases |= imports(parse(text))
    marked = {(c["metadata"].get("nbgrader") or {}).get("grade_id"): "".join(c["source"]) for c in cells}
    known = definitions(sources)
    return {id: set(genutils_of(marked.get(grade_id(id, ANSWER), ""), known, aliases)) for id in exercises}


@functools.lru_cache(maxsize=256)
def parse(source: str) -> ast.Module | None:
    """The tree of a cell, to be read only, IPython's own lines translated; None if it has a syntax error."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.parse(source)
    from IPython.core.inputtransformer2 import TransformerManager

    def translated(found: re.Match) -> str:
        return found[1] + TransformerManager().transform_cell(found[2]).rstrip("\n")

    # line by line, for IPython takes a second for the first hundred of a cell; then all, for what spans lines
    for translate in (lambda: _MAGIC.sub(translated, source), lambda: TransformerManager().transform_cell(source)):
        with contextlib.suppress(SyntaxError, ValueError, RuntimeError, MemoryError):  # RuntimeError: too many
            return ast.parse(translate())
    return None


def imports(tree: ast.Module | None) -> dict[str, str]:
    """Name -> what it was imported as, with its full path.

    >>> imports(parse("import numpy as np, os.path\\nfrom math import log as ln"))
    {'np': 'numpy', 'os': 'os', 'ln': 'math.log'}
    """
    found = {}
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            found |= {a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                      for a in node.names}  # fmt: skip
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module or ''}.{a.name}" for a in node.names}
    return found


def path(node: ast.AST, aliases: dict[str, str]) -> str:
    """The full path of a name or an attribute, such as ``numpy.random.rand``; "" if it does not begin with a name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([aliases.get(node.id, node.id), *reversed(parts)])


def definitions(sources: Iterable[str]) -> dict[str, ast.stmt]:
    """Name -> the function, class or constant of that name at the top level of cells; the last one counts."""
    known: dict[str, ast.stmt] = {}
    for source in sources:
        for node in getattr(parse(source), "body", []):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                known[node.name] = node
            elif isinstance(node, ast.Assign):
                known |= {t.id: node for t in node.targets if isinstance(t, ast.Name)}
    return known


def gather(source: str, known: dict[str, ast.stmt]) -> list[ast.stmt]:
    """The statements of an answer, and of what is defined elsewhere those that it uses, also indirectly."""
    tree = parse(source)
    chosen, at = list(tree.body) if tree else [], 0
    have = {getattr(node, "name", None) for node in chosen}
    while at < len(chosen):
        for node in ast.walk(chosen[at]):
            if isinstance(node, ast.Name) and node.id in known and node.id not in have:
                have.add(node.id)
                chosen.append(known[node.id])
        at += 1
    return chosen


def genutils_of(source: str, known: dict[str, ast.stmt], aliases: dict[str, str]) -> list[str]:
    """What of genutils an answer uses, by full path, in order of appearance."""
    nodes = [n for statement in gather(source, known) for n in ast.walk(statement)]
    aliases = dict(aliases)
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            aliases |= imports(ast.Module([node], []))
    inner = {id(n.value) for n in nodes if isinstance(n, ast.Attribute)}  # only the whole of a.b.c counts
    paths = (path(n, aliases) for n in nodes if isinstance(n, (ast.Name, ast.Attribute)) and id(n) not in inner)
    used = dict.fromkeys(p for p in paths if p.split(".")[0] == "genutils")
    return [p for p in used if not p.startswith(HELPERS) and p not in _EVERYWHERE]


def touches(source: str) -> Iterator[str]:
    """What tampering with the check would need."""
    tree = parse(source)
    if tree is None:
        yield from (" ".join(m.group().split()) for m in _UNPARSED.finditer(source))
        return
    aliases = imports(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name == "check":
                yield "def check"
            elif node.name in ("__eq__", "__reduce__"):
                yield node.name
        for target in _targets(node):
            where = path(target.value if isinstance(target, ast.Subscript) else target, aliases)
            if where == "check":
                yield "check ="
            elif "__eq__" in where or where.startswith("genutils.check") or where in ("sys.modules",):
                yield where
            elif isinstance(target, ast.Attribute) and "." in where and where.split(".")[0] in _ROOTS:
                yield f"{where} ="
        if isinstance(node, (ast.Attribute, ast.Name)):
            where = path(node, aliases)
            if where in ("sys.modules", "os._exit", "sys._getframe", "_ih"):
                yield where
            elif isinstance(node, ast.Attribute) and node.attr in ("__code__", "__globals__", "_EXERCISES"):
                yield node.attr
            elif isinstance(node, ast.Attribute) and re.search(r"hook|^events$|transformers", node.attr):
                yield node.attr


def reads(source: str) -> Iterator[str]:
    """What reading along would need: places, and modules that reach files, processes and memory."""
    tree = parse(source)
    if tree is None:
        return
    aliases = imports(tree)
    documents = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}  # a docstring reads nothing
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in imports(ast.Module([node], [])).values():
                if name.split(".")[0] in _MODULES:
                    yield name.split(".")[0]
                elif name.startswith(("tests.", "solutions", "tools.")):
                    yield name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield from (m.group() for m in _PLACES.finditer(node.value))
        elif isinstance(node, ast.Call) and path(node.func, aliases) in _CALLS:
            yield f"{path(node.func, aliases)}()"


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [t for target in node.targets for t in ([*target.elts] if hasattr(target, "elts") else [target])]
    return [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []
