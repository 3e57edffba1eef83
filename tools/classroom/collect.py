"""From what a student handed in to a copy that nbgrader can grade, with a note of everything that was put right."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import warnings
from dataclasses import dataclass, field
from typing import Any

import nbformat

from tools.classroom import attempts, suspicion
from tools.classroom.files import LARGEST
from tools.classroom.layout import Classroom
from tools.classroom.repair import repair, texts
from tools.classroom.roster import FOLDER

USUAL = ("README.txt", "timestamp.txt", "submission_secret.txt")  # beside a notebook


@dataclass
class Submission:
    """One student's submission of a lesson: whether it can be graded, and what was noticed."""

    student: str
    gradable: bool = False
    status: str = ""  # why it cannot be graded
    notes: list[str] = field(default_factory=list)
    digest: str = ""
    key: str = ""  # what its grading depends on, in one word
    texts: dict[str, str] = field(default_factory=dict)  # exercise -> a digest of what it was answered with


class _Refused(Exception):
    pass


def collect(room: Classroom, lesson: str, student: str, manifest: dict[str, Any]) -> Submission:
    """Copy a submission to ``collected/<student>/<lesson>/``, repaired. ``submitted/`` is only read."""
    sub = Submission(student)
    target = room.collected / student / lesson
    try:
        if not FOLDER.fullmatch(student):
            raise _Refused("folder name has characters that nbgrader cannot use; rename it")
        shutil.rmtree(target, ignore_errors=True)
        folder = room.submitted / student / lesson
        data = _find(folder, lesson, manifest, sub).read_bytes()
        sub.digest = hashlib.sha256(data).hexdigest()
        nb = _parse(data, sub.notes)
        repair(nb, manifest, sub.notes)
        sub.notes += suspicion.of(nb, manifest, room.source / lesson / f"{lesson}.ipynb")
        sub.texts = texts(nb, manifest)
        target.mkdir(parents=True)
        nbformat.write(nb, target / f"{lesson}.ipynb")
        attempts.stamp(target, attempts.stamped(folder))  # nbgrader shows it
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
    others = [f.name for f in files if f != chosen and f.name not in (*manifest["images"], *USUAL)]
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
