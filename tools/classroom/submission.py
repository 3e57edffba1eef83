"""Grade one notebook in memory: which of its cells run, what came of them, and a verdict for each exercise."""

from __future__ import annotations

import ast
import atexit
import contextlib
import hashlib
import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

from tools.classroom import wire
from tools.classroom.cells import ANSWER, grade_id
from tools.classroom.layout import REPO, Classroom
from tools.classroom.plan import plan
from tools.classroom.verdict import Mode, Verdict, found

FLOOD = 200_000  # bytes of a cell's output, above which that is noted


@dataclass(frozen=True)
class Limits:
    """How a submission is run, and what it may use.

    Args:
        timeout: seconds for one cell; the whole notebook gets ten times that.
        check: seconds for one exercise in each round of the judge's, at most those of a cell.
        memory: bytes of address space for each process.
        whole: run every cell, also those of the lesson that nobody changed and no answer needs.
    """

    timeout: int = 60
    check: float = 20.0
    memory: int = 16 * 2**30
    whole: bool = False


@dataclass
class Outcome:
    """What came of a submission.

    Args:
        verdicts: exercise -> what is known about it (`verdict.found`).
        cells: place of a cell -> its ``text``, ``size`` of all its output, ``error`` (kind and message) or None, and
            whether it was ``late``.
        lost: place of a cell that ended or blocked its process -> how.
        cut: whether cells after those were not run.
        open: why the code was not confined, or "".
    """

    verdicts: dict[str, dict] = field(default_factory=dict)
    cells: dict[int, dict] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    cut: bool = False
    open: str = ""


def judged(room: Classroom, lesson: str, manifest: dict, nb: Any, *, limits: Limits | None = None) -> dict[str, dict]:
    """Exercise -> ``verdict``, ``says``, ``hint`` and ``notes`` (for the instructor) of a notebook in memory.

    The cells run that the student wrote or changed, the first, the answers, and those of the lesson that they need; the
    whole notebook only if a name is still missing. The judge decides by itself, with the course of the release.
    """
    return outcome(room, lesson, manifest, nb, limits=limits).verdicts


def outcome(room: Classroom, lesson: str, manifest: dict, nb: Any, *, limits: Limits | None = None) -> Outcome:
    """As `judged`, with what happened in the cells."""
    limits = limits or Limits()
    first = _once(room, lesson, manifest, nb, limits)
    if limits.whole or not _lacks_a_name(first):
        return first
    second = _once(room, lesson, manifest, nb, replace(limits, whole=True))
    for id, about in first.verdicts.items():
        if about["verdict"] == Verdict.RIGHT:
            second.verdicts[id] = about
    return second


def _lacks_a_name(first: Outcome) -> bool:
    """Whether something that ran found no name which the rest of the notebook may give it."""
    errors = any(about["error"] and about["error"][0] == "NameError" for about in first.cells.values())
    return any(a["verdict"] != Verdict.RIGHT for a in first.verdicts.values()) and (
        errors or any("raised NameError" in a["says"] for a in first.verdicts.values())
    )


# -- the parent with everything imported

_PARENTS: dict[tuple[str, str, str], Parent] = {}


class Parent:
    """The process from which each submission's are forked (`warm`); it ends when nobody holds its door any more."""

    def __init__(self, room: Classroom, lesson: str, manifest: dict):
        self.door, theirs = socket.socketpair()
        ours, hidden = str(room.course(lesson)), tuple(map(str, (REPO, room.root, room.folder)))
        start = (
            f"import sys; sys.path[:0] = [{ours!r}, {str(REPO)!r}]; from tools.classroom.warm import main; "
            f"main({theirs.fileno()}, {lesson!r}, {_imports(manifest)!r}, {hidden!r})"
        )
        env = {k: v for k, v in room.environment().items() if k != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", start], env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd="/"
        )
        theirs.close()

    def session(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        socket.send_fds(self.door, [b"."], [theirs.fileno()])
        theirs.close()
        return ours


def parent(room: Classroom, lesson: str, manifest: dict) -> Parent:
    """The parent of a lesson's submissions; started once, also for the processes that are forked from this one."""
    key = str(room.course(lesson)), lesson, manifest["course"]
    if key not in _PARENTS:
        _PARENTS[key] = Parent(room, lesson, manifest)
    return _PARENTS[key]


@atexit.register
def forget_parents() -> None:
    """Close the doors, so that those processes end."""
    while _PARENTS:
        gone = _PARENTS.popitem()[1]
        gone.door.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            gone.process.wait(timeout=5)


def _imports(manifest: dict) -> list[str]:
    """The modules that the lesson's own cells import."""
    names: dict[str, None] = dict.fromkeys(["numpy", *manifest.get("preload", [])])
    for cell in manifest.get("released", []):
        with contextlib.suppress(SyntaxError, ValueError):
            for node in ast.walk(ast.parse(cell["source"] if cell["type"] == "code" else "")):
                if isinstance(node, ast.Import):
                    names |= dict.fromkeys(a.name for a in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names[node.module] = None
    return list(names)


# -- one run


def _once(room: Classroom, lesson: str, manifest: dict, nb: Any, limits: Limits) -> Outcome:
    steps = plan(manifest, nb, limits.whole)
    sent = {"plan": steps, "seconds": limits.timeout, "total": 10 * limits.timeout, "memory": limits.memory}
    sent["limit"] = min(limits.check, float(limits.timeout))
    jobs = _jobs(manifest, nb)
    try:
        with parent(room, lesson, manifest).session() as line:
            line.settimeout(12 * limits.timeout + 120)
            wire.say(line, sent)
            story, _ = wire.hear(line)
            line.settimeout(120 + 8 * len(jobs) * (sent["limit"] + 5))
            wire.say(line, jobs)
            said, _ = wire.hear(line)
            story, said = _whole(story), _whole(said)
    except (OSError, EOFError, ValueError) as error:
        lost = found(Verdict.LOST, f"{type(error).__name__}: {error}")
        return Outcome(verdicts={id: dict(lost) for id in jobs})
    cells = {int(at): about for at, about in story["cells"].items()}
    lost = {int(at): why for at, why in story["given_up"].items()}
    cut = any("at" in s and s["at"] not in cells and s["at"] not in lost for s in steps)
    verdicts = {id: said.get(id) or _absent(id, nb, cells, lost, cut) for id in jobs}
    return Outcome(verdicts, cells, lost, cut, story["open"])


def _whole(said: Any) -> Any:
    """The same without halves of characters (lone surrogates), which no file can hold."""
    return json.loads(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))


def _absent(id: str, nb: Any, cells: dict[int, dict], lost: dict[int, str], cut: bool) -> dict:
    """Why there is no answer."""
    answer = next((at for at, c in enumerate(nb.cells) if _mark(c) == grade_id(id, ANSWER)), None)
    if answer in lost:
        return found(Verdict.UNREACHED, f"its cell {answer + 1} was given up: {lost[answer]}")
    error = cells.get(answer, {}).get("error")
    if error:
        return found(Verdict.MISSING, f"; its cell ended with {error[0]}: {error[1]}")
    if cut:
        return found(Verdict.UNREACHED, "cells before it took all the time, or ended the notebook's process too often")
    return found(Verdict.MISSING)


def _mark(cell: Any) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _jobs(manifest: dict, nb: Any) -> dict[str, dict]:
    """Mode and hidden seed of each exercise: made of the release's seed, so that only this notebook has it."""
    text = "\0".join([manifest["secret"], *(c.source for c in nb.cells)]).encode("utf-8", "surrogatepass")
    jobs = {}
    for id, exercise in manifest["exercises"].items():
        own = hashlib.sha256(text + f"{id} {exercise['seed']}".encode()).digest()[:6]
        jobs[id] = {"mode": exercise.get("mode", Mode.APART), "seeds": [int.from_bytes(own, "big")]}
    return jobs
