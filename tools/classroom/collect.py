"""From what a student handed in to a copy that nbgrader can grade, with a note of everything that was put right."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import os
import pathlib
import re
import shutil
import warnings
from dataclasses import dataclass, field
from typing import Any

import nbformat

from tools.classroom import suspicion
from tools.classroom.cells import ANSWER, QUESTION, TEST, parse
from tools.classroom.layout import Classroom

LARGEST = 50 * 2**20
_NAME = re.compile(r"[\w.'][\w.@' -]*")


@dataclass
class Submission:
    """One student's submission of a lesson: whether it can be graded, and what was noticed."""

    student: str
    gradable: bool = False
    status: str = ""  # why it cannot be graded
    notes: list[str] = field(default_factory=list)
    digest: str = ""


class _Refused(Exception):
    pass


def collect(room: Classroom, lesson: str, student: str, manifest: dict[str, Any]) -> Submission:
    """Copy a submission to ``collected/<student>/<lesson>/``, repaired. ``submitted/`` is only read."""
    sub = Submission(student)
    target = room.collected / student / lesson
    try:
        if not _NAME.fullmatch(student):
            raise _Refused("folder name has characters that nbgrader cannot use; rename it")
        shutil.rmtree(target, ignore_errors=True)
        folder = room.submitted / student / lesson
        data = _find(folder, lesson, manifest, sub).read_bytes()
        sub.digest = hashlib.sha256(data).hexdigest()
        nb = _parse(data, sub.notes)
        _repair(nb, manifest, sub.notes)
        sub.notes += suspicion.of(nb, manifest, room.source / lesson / f"{lesson}.ipynb")
        target.mkdir(parents=True)
        nbformat.write(nb, target / f"{lesson}.ipynb")
        for name in manifest["images"]:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(room.source / lesson / name, target / name)
        sub.gradable = True
    except _Refused as reason:
        sub.status = str(reason)
    except OSError as error:
        sub.status = f"cannot be read ({error.strerror})"
    except Exception as error:  # whatever else a file can hold is that student's affair alone
        sub.status = f"cannot be read ({type(error).__name__}: {str(error)[:80]})"
    return sub


def _find(folder: pathlib.Path, lesson: str, manifest: dict, sub: Submission) -> pathlib.Path:
    if folder.is_symlink() or folder.parent.is_symlink():
        raise _Refused("the folder is a link; hand in the files themselves")
    beside = folder.parent / f"{lesson}.ipynb"
    if not folder.exists() and beside.is_file() and not beside.is_symlink():
        sub.notes.append(f"not in a folder named {lesson} (graded all the same)")
        return beside
    if not folder.exists():
        raise _Refused("nothing handed in")
    if not folder.is_dir():
        raise _Refused("handed in a file where a folder belongs")
    files = sorted(pathlib.Path(d) / f for d, ds, fs in os.walk(folder) for f in fs if ".ipynb_checkpoints" not in d)
    files = [f for f in files if not f.name.startswith(".")]
    if not files:
        raise _Refused("empty folder")
    books = [f for f in files if f.suffix == ".ipynb"]
    right = folder / f"{lesson}.ipynb"
    if right in books:
        chosen = right
    else:
        shaped = [f for f in books if not f.is_symlink() and _shape(f, manifest)]
        if not books:
            raise _Refused(f"no notebook (found {', '.join(f.name for f in files[:3])})")
        if not shaped:
            raise _Refused(f"wrong file: {', '.join(f.name for f in books[:3])} is not this lesson's notebook")
        if len(shaped) > 1:
            raise _Refused(
                f"wrong file name, and {len(shaped)} notebooks could be meant: {', '.join(f.name for f in shaped[:3])}"
            )
        chosen = shaped[0]
        sub.notes.append(f"wrong file name ({chosen.relative_to(folder)}; graded all the same)")
    others = [f.name for f in files if f != chosen and f.name not in (*manifest["images"], "README.txt")]
    if others:
        sub.notes.append(f"other files were not used: {', '.join(others[:3])}{', ...' if len(others) > 3 else ''}")
    if chosen.is_symlink():
        raise _Refused("the notebook is a link; hand in the file itself")
    if not chosen.is_file():
        raise _Refused("the notebook is not a file")
    if chosen.stat().st_size > LARGEST:
        raise _Refused(f"the notebook is larger than {LARGEST // 2**20} MB; clear its outputs")
    return chosen


def _shape(file: pathlib.Path, manifest: dict) -> bool:
    """Whether a file is a version of this lesson: it has at least one of its graded cells."""
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            return False
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(f'"{g["grade_id"]}"' in text for g in manifest["graded"])


def _parse(data: bytes, notes: list[str]) -> nbformat.NotebookNode:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Refused("invalid JSON: the file is not text") from None
    if not text.strip():
        raise _Refused("invalid JSON: the file is empty")
    try:
        raw = json.loads(text)
        ids = [str(c.get("id")) for c in raw.get("cells", []) if isinstance(c, dict) and "id" in c]
        if len(ids) > len(set(ids)):
            notes.append(f"duplicated cell ids ({len(ids) - len(set(ids))}; new ones were given)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nb = nbformat.reads(text, as_version=4)
    except (nbformat.reader.NotJSONError, RecursionError, ValueError):
        raise _Refused("invalid JSON: not a notebook") from None
    except Exception as error:
        raise _Refused(f"not a valid notebook ({type(error).__name__})") from None
    if (
        not isinstance(nb, dict)
        or not isinstance(nb.get("cells"), list)
        or not all(isinstance(c, dict) for c in nb.cells)
    ):
        raise _Refused("not a valid notebook (it has no list of cells)")
    return nb


def _repair(nb: nbformat.NotebookNode, manifest: dict, notes: list[str]) -> None:
    """Restore the released shape around the student's own answers."""
    released = {c["nbgrader"]["grade_id"]: c for c in manifest["released"] if c["nbgrader"]}
    words = {TEST: "test cell of {}", ANSWER: "answer cell of {}", QUESTION: "question {}"}
    names = {id: words[kind].format(exercise) for id in released for exercise, kind in [parse(id)]}
    kernel = nb.metadata.get("kernelspec") if isinstance(nb.get("metadata"), dict) else None
    if not isinstance(kernel, dict) or not kernel.get("name"):
        notes.append("kernelspec missing (python3 was used)")
    elif kernel.get("name") != "python3":
        notes.append(f"strange kernelspec {str(kernel.get('name'))[:40]!r} (python3 was used)")
    nb.metadata = nbformat.from_dict(
        {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    nb.nbformat, nb.nbformat_minor = 4, 5

    _clean_cells(nb)
    seen: set[str] = set()
    for cell in reversed(nb.cells):  # of copies the last one counts, as in nbgrader
        theirs = cell.metadata.pop("nbgrader", None)
        id = theirs.get("grade_id") if isinstance(theirs, dict) else None
        if id is None:
            continue
        if id not in released:
            notes.append(f"a graded cell that was never released ({str(id)[:40]!r}) counts for nothing")
        elif id in seen:
            notes.append(f"duplicated {names[id]} (the last one counts)")
        else:
            seen.add(id)
            _restore(cell, theirs, released[id], names[id], notes)
    by_source = {c["source"]: i for i, c in released.items() if c["nbgrader"].get("locked")}
    for cell in nb.cells:  # editors that drop metadata
        id = by_source.get(cell.source)
        if id and id not in seen and "nbgrader" not in cell.metadata and cell.cell_type == released[id]["type"]:
            seen.add(id)
            cell.metadata["nbgrader"] = nbformat.from_dict(copy.deepcopy(released[id]["nbgrader"]))
            notes.append(f"{names[id]} had lost its mark (put back)")
    _put_back(nb, manifest, released, seen, names, notes)


def _clean_cells(nb: nbformat.NotebookNode) -> None:
    ids: set[str] = set()
    cells = []
    for number, old in enumerate(nb.cells):
        kind = old.get("cell_type")
        source = old.get("source", "")
        source = "".join(map(str, source)) if isinstance(source, list) else str(source)
        source = source.encode("utf-8", "replace").decode()
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


def _restore(cell: Any, theirs: dict, was: dict, name: str, notes: list[str]) -> None:
    ours = was["nbgrader"]
    if ours.get("grade") and theirs.get("points") != ours.get("points"):
        notes.append(f"changed points of the {name} (restored)")
    if any(bool(theirs.get(k)) != bool(ours.get(k)) for k in ("grade", "solution", "locked")):
        notes.append(f"changed marks of the {name} (restored)")
    if cell.cell_type != was["type"]:
        notes.append(f"changed type of the {name} (restored)")
        cell.cell_type = was["type"]
        if was["type"] == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.pop("outputs", None), cell.pop("execution_count", None)
    if ours.get("locked") and cell.source != was["source"]:
        notes.append(f"edited {name} (restored)")
        cell.source = was["source"]
    cell.metadata["nbgrader"] = nbformat.from_dict(copy.deepcopy(ours))


def _put_back(nb: Any, manifest: dict, released: dict, seen: set, names: dict, notes: list[str]) -> None:
    """Put deleted cells back: after the cell they followed, and a test after its function."""
    tests = {e["test"]: e["name"] for e in manifest["exercises"].values()}
    before = None
    for id, was in released.items():
        if id not in seen:
            notes.append(f"deleted {names[id]} (put back)" if was["nbgrader"].get("grade") else f"deleted {names[id]}")
            if was["nbgrader"].get("grade") or was["nbgrader"].get("locked"):
                make = nbformat.v4.new_code_cell if was["type"] == "code" else nbformat.v4.new_markdown_cell
                cell = make(was["source"])
                cell.metadata["nbgrader"] = nbformat.from_dict(copy.deepcopy(was["nbgrader"]))
                at = 0 if before is None else 1 + max(i for i, c in enumerate(nb.cells) if c is before)
                if id in tests:
                    defines = [
                        i for i, c in enumerate(nb.cells) if c.cell_type == "code" and _defines(c.source, tests[id])
                    ]
                    at = max([at, *(i + 1 for i in defines)])
                nb.cells.insert(at, cell)
                before = cell
            continue
        before = next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == id)


def _defines(source: str, name: str) -> bool:
    try:
        return any(getattr(node, "name", None) == name for node in ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return bool(re.search(rf"^(def|class)\s+{re.escape(name)}\b", source, re.M))
