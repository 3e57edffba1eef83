"""Lesson + solution + check -> nbgrader's source notebook, and a manifest of its graded cells."""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import pathlib
import re
import secrets
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell

from tools.classroom.cells import ANSWER, QUESTION, TEST, grade_id
from tools.classroom.layout import Classroom, Problem

POINTS_IN_WORDS = 4
IMPORT = "from genutils.check import check"
VISIBLE = (
    "# The points of {id} are given here, at random inputs that are not shown. Leave this cell as it is.\n" + IMPORT
)
MARK = ("=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ===")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")


def read(path: pathlib.Path) -> nbformat.NotebookNode:
    """A notebook of ours; `Problem` if it cannot be read."""
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except FileNotFoundError:
        raise Problem(f"{path} is missing; a lesson needs its solution beside it in solutions/.") from None
    except Exception as error:
        raise Problem(f"{path} cannot be read as a notebook: {error}") from None


def new_seeds(exercises: list[str]) -> dict[str, Any]:
    """Hidden seeds of a release: one for each exercise, and a secret from which each submission's own are made."""
    return {"secret": secrets.token_hex(32), "seeds": {e: secrets.randbelow(9 * 10**11) + 10**11 for e in exercises}}


def exercise_ids(lesson: nbformat.NotebookNode) -> list[str]:
    return [c.metadata.exercise for c in lesson.cells if c.metadata.get("role") == "stub"]


def assemble(room: Classroom, lesson: str, registry: dict, seeds: dict) -> tuple[nbformat.NotebookNode, dict[str, Any]]:
    """The instructor's notebook and the manifest.

    Args:
        registry: exercise id -> {"name", "points"}, from ``genutils.check``.
        seeds: as `new_seeds` makes them.
    """
    nb = read(room.root / "lessons" / f"{lesson}.ipynb")
    solution = read(room.root / "solutions" / f"{lesson}.ipynb")
    solved = _by_key(solution, lesson)
    imports = {k: v for k, v in _imports(solution).items() if k not in _imports(nb)}
    cells, graded = [], []
    exercises: dict[str, dict] = {}
    manual: dict[str, dict] = {}
    for cell in nb.cells:
        cell = copy.deepcopy(cell)
        role, id = cell.metadata.get("role"), cell.metadata.get("exercise")
        if role == "stub":
            if id not in registry:
                raise Problem(
                    f"exercise {id} of {lesson} has no check in genutils/check; there are: {', '.join(registry)}."
                )
            answer = _need(solved, id, "solution", lesson)
            exercises[id] = dict(registry[id], seed=seeds["seeds"][id], test=grade_id(id, TEST))
            _mark(cell, grade_id(id, ANSWER), solution=True)
            cell.metadata["classroom_stub"] = cell.source
            used = {n.id for n in ast.walk(ast.parse(answer.source)) if isinstance(n, ast.Name)}
            cell.source = "\n".join([*(line for name, line in imports.items() if name in used), answer.source])
            _forget(cell)
            cells.append(cell)
        elif role == "check":
            if id not in exercises:
                raise Problem(f"{lesson}: the check of {id} comes before its stub; put the stub first.")
            _forget(cell)
            name = exercises[id]["name"]
            hidden = f'check({name}, "{id}", seed={exercises[id]["seed"]}, grading=True)'
            test = new_code_cell(
                "\n".join([VISIBLE.format(id=id), HIDDEN[0], hidden, HIDDEN[1]]), id=grade_id(id, TEST)
            )
            _mark(test, grade_id(id, TEST), grade=True, locked=True, points=exercises[id]["points"])
            cells += [cell, test]
        elif role == "question":
            rubric = _need(solved, id, "rubric", lesson)
            model = solved.get((id, "model-answer"))
            points = rubric.metadata.get("points", POINTS_IN_WORDS)
            manual[id] = {"points": points, "answer": grade_id(id, ANSWER)}
            scheme = [MARK[0], "", f"**Rubric ({points} points)**", "", rubric.source]
            if model is not None:
                scheme += ["", "**Model answer**", "", model.source]
            cell.source = "\n".join([cell.source, *scheme, MARK[1]])
            _mark(cell, grade_id(id, QUESTION), locked=True)
            _forget(cell)
            cells.append(cell)
        elif role == "answer":
            if id not in manual:
                raise Problem(f"{lesson}: the answer {id} comes before its question; put the question first.")
            model = solved.get((id, "model-answer"))
            _mark(cell, grade_id(id, ANSWER), grade=True, solution=True, points=manual[id]["points"])
            cell.metadata["classroom_stub"] = cell.source
            cell.source = model.source if model is not None else "(see the rubric)"
            _forget(cell)
            cells.append(cell)
        else:
            cells.append(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    untested = [
        e
        for e in exercises
        if not any(c.metadata.get("nbgrader", {}).get("grade_id") == exercises[e]["test"] for c in cells)
    ]
    if not exercises or untested:
        lacks = f"no check cell for {', '.join(untested)}" if exercises else "no exercises"
        raise Problem(f"{lesson} has {lacks}; see CONTRIBUTING.md.")
    nb.cells = cells
    nb.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    _unique_ids(nb)
    for cell in nb.cells:
        if "nbgrader" in cell.metadata:
            m = cell.metadata.nbgrader
            graded.append({"grade_id": m.grade_id, "type": cell.cell_type, "points": m.get("points", 0)})
    sources = [c.source for c in nb.cells if c.cell_type == "code"]
    manifest = {
        "lesson": lesson,
        "secret": seeds["secret"],
        "exercises": exercises,
        "manual": manual,
        "graded": graded,
        "preload": ["torch"] if any(re.search(r"^\s*(import|from) torch\b", s, re.M) for s in sources) else [],
        "images": images(room.root / "lessons", nb),
    }
    return nb, manifest


def for_students(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The instructor's notebook as students get it: stubs for solutions, nothing hidden. (nbgrader makes it, too.)"""
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        cell.source = cell.metadata.pop("classroom_stub", cell.source)
        for first, last in (MARK, HIDDEN):
            kept, _, rest = cell.source.partition(f"\n{first}")
            cell.source = kept + rest.partition(last)[2]
    return nb


def released_cells(nb: nbformat.NotebookNode) -> list[dict]:
    """What a manifest keeps of a released notebook, to compare submissions with (`shape.clean_cells`)."""
    return [
        dict(type=c.cell_type, source=c.source.rstrip("\n"), nbgrader=c.metadata.get("nbgrader"), id=c.get("id"))
        for c in nb.cells
    ]


def secrets_of(room: Classroom, lesson: str) -> list[str]:
    """Lines that stand in the solution and nowhere in the lesson: none may reach a student."""
    public = "\n".join(c.source for c in read(room.root / "lessons" / f"{lesson}.ipynb").cells)
    known = {squeeze(line) for line in public.splitlines()}
    secret = set()
    for cell in read(room.root / "solutions" / f"{lesson}.ipynb").cells:
        role = cell.metadata.get("role")
        if role == "solution":
            secret |= {squeeze(line) for line in _bodies(cell.source)}
        elif role in ("model-answer", "rubric", "derivation"):
            secret |= {squeeze(line) for line in cell.source.splitlines()}
    return sorted(s for s in secret if len(s) >= 16 and s not in known and s not in squeeze(public))


def leaks(folder: pathlib.Path, forbidden: list[str], seeds: list[int]) -> list[str]:
    """Files of a release that hold one of the forbidden lines or a hidden seed."""
    found = []
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = file.read_bytes()
        texts = [data.decode("utf-8", "replace")]
        if file.suffix == ".ipynb":
            texts += [
                c["source"] if isinstance(c["source"], str) else "".join(c["source"]) for c in json.loads(data)["cells"]
            ]
        squeezed = "\n".join(squeeze(t) for t in texts)
        found += [f"{file.name}: a hidden seed" for s in seeds if str(s).encode() in data]
        found += [f"{file.name}: a line of the solution ({line[:40]}...)" for line in forbidden if line in squeezed]
        found += [
            f"{file.name}: {mark}" for mark in ("HIDDEN TESTS", "MARK SCHEME", "classroom_stub") if mark in texts[0]
        ]
    return found


def squeeze(text: str) -> str:
    """A text without its white space."""
    return "".join(text.split())


def _bodies(source: str) -> list[str]:
    """Lines of function bodies without docstrings and comments."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source.splitlines()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and isinstance(body[0], ast.Expr):
            if isinstance(body[0].value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
    kept = {
        line
        for line in ast.unparse(tree).splitlines()
        if not line.lstrip().startswith(("def ", "class ", "import ", "from "))
    }
    return sorted(kept) + [line for line in source.splitlines() if squeeze(line) in {squeeze(k) for k in kept}]


def _by_key(nb: nbformat.NotebookNode, lesson: str) -> dict[tuple[str, str], nbformat.NotebookNode]:
    found: dict[tuple[str, str], nbformat.NotebookNode] = {}
    for cell in nb.cells:
        if "role" in cell.metadata and "exercise" in cell.metadata:
            key = (cell.metadata.exercise, cell.metadata.role)
            if key in found and key[1] == "solution":
                raise Problem(f"solutions/{lesson}.ipynb has two {key[1]} cells for {key[0]}; keep one.")
            if key in found:
                found[key].source += "\n\n" + cell.source
            else:
                found[key] = copy.deepcopy(cell)
    return found


def _imports(nb: nbformat.NotebookNode) -> dict[str, str]:
    """Name -> the line that imports it, at the top level of a notebook's cells."""
    found = {}
    for cell in nb.cells:
        if cell.cell_type == "code":
            with contextlib.suppress(SyntaxError):  # a magic
                for node in ast.parse(cell.source).body:
                    if isinstance(node, (ast.Import, ast.ImportFrom)):
                        found |= {(a.asname or a.name).partition(".")[0]: ast.unparse(node) for a in node.names}
    return found


def _need(solved: dict, id: str, role: str, lesson: str) -> nbformat.NotebookNode:
    if (id, role) not in solved:
        raise Problem(f"solutions/{lesson}.ipynb has no {role} cell for {id}; write one (see CONTRIBUTING.md).")
    return solved[id, role]


def _mark(
    cell: Any,
    id: str,
    *,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> None:
    cell.metadata["nbgrader"] = nbformat.NotebookNode(
        grade_id=id,
        grade=grade,
        solution=solution,
        locked=locked,
        task=False,
        schema_version=3,
        cell_type=cell.cell_type,
    )
    if points is not None:
        cell.metadata["nbgrader"]["points"] = points


def _forget(cell: Any) -> None:
    cell.metadata.pop("points", None)


def _unique_ids(nb: Any) -> None:
    seen: set[str] = set()
    for i, cell in enumerate(nb.cells):
        if not cell.get("id") or cell.id in seen:
            cell.id = f"cell-{i}"
        seen.add(cell.id)


def images(folder: pathlib.Path, nb: Any) -> list[str]:
    """Files in the lessons' folder that the text of a lesson shows."""
    names = set()
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            names |= set(re.findall(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)", cell.source)) | set(
                re.findall(r"<img[^>]+src=[\"']([^\"']+)", cell.source)
            )
    kept = []
    for name in sorted(n for n in names if not re.match(r"[a-z]+:|/", n)):
        file = (folder / name).resolve()
        if not file.is_file():
            raise Problem(f"the lesson shows {name}, but {file} does not exist; add the file or mend the link.")
        if folder.resolve() not in file.parents:
            raise Problem(f"the lesson shows {name}, which lies outside lessons/; put the file there, for students.")
        kept.append(name)
    return kept
