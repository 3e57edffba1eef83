"""The judge: questions answers that live elsewhere, at a public and at hidden seeds, and decides."""

from __future__ import annotations

import builtins
import importlib
import socket
import time
from dataclasses import dataclass
from typing import Any

from tools.classroom import remote
from tools.classroom.handover import Remote
from tools.classroom.verdict import Mode, Verdict, found

PUBLIC = 0  # the seed of the test that students run themselves: all that it says may be shown


@dataclass
class Held:
    """An answer that waits to be asked: of which exercise, where it was found, and the line to it."""

    id: str
    line: socket.socket
    note: str = ""
    again: bool = False  # the same function as before, at the end of the notebook


def judge(held: list[Held], jobs: dict[str, dict], limit: float) -> dict[str, dict]:
    """What becomes of each exercise; of two answers to it the better counts.

    All are asked the public test first, and an error's message is shown from there only: nobody has seen a hidden input
    by then who could have put it there.

    Args:
        jobs: for each exercise its ``mode`` (one of `Mode`) and its hidden ``seeds``.
        limit: seconds for each answer and each of the two rounds.
    """
    rounds: dict[str, list[tuple[Held, remote.Line, dict]]] = {}
    for one in held:
        if one.id not in jobs:
            continue
        others = rounds.setdefault(one.id, [])
        if one.again and not any("raised NameError" in about["says"] for _, _, about in others):
            continue  # all that may have come since is what it calls
        line = remote.Line(one.line, learning=jobs[one.id].get("mode") == Mode.LEARNING)
        others.append((one, line, _examine(line, one.id, [PUBLIC], limit)))
    said = {}
    for id, answers in rounds.items():
        for one, line, about in answers:
            if about["verdict"] == Verdict.RIGHT:
                about = _examine(line, id, jobs[id]["seeds"], limit)
            if id not in said or about["verdict"] == Verdict.RIGHT:
                said[id] = about | {"notes": [f"taken {one.note}"] if one.note else []}
            if about["verdict"] == Verdict.RIGHT:
                break
    return said


def _examine(line: remote.Line, id: str, seeds: list[int], limit: float) -> dict:
    line.deadline = time.monotonic() + limit
    for seed in seeds:  # the line sees to the answer's time; the check's own may be as much again
        about = _run(line, id, seed, 2 * max(0.01, line.deadline - time.monotonic()) + 2)
        if about["verdict"] != Verdict.RIGHT:
            return about
    return found(Verdict.RIGHT)


def _run(line: remote.Line, id: str, seed: int, limit: float) -> dict:
    check, expect = importlib.import_module("genutils.check"), importlib.import_module("genutils.check.expect")
    getattr(expect, "WRITTEN", []).clear()
    try:
        check.check(Remote(line, 0), id, seed=seed, grading=True, limit=limit)
        about = found(Verdict.RIGHT)
    except NotImplementedError:
        about = found(Verdict.NOT_ATTEMPTED)
    except expect.StillRunning:
        about = found(Verdict.TIMEOUT)
    except expect.Wrong as wrong:
        about = found(Verdict.WRONG, _says(wrong, line.theirs, check.catalogue()[id], seed == PUBLIC), wrong.hint)
    except BaseException as error:
        about = found(Verdict.WRONG, f"the check ended with {type(error).__name__}")
    return found(line.fault) if line.fault else about


def _says(wrong: Any, theirs: tuple[str, str] | None, name: str, public: bool) -> str:
    """What is wrong, in words; of a hidden test nothing that an answer could have put there."""
    if theirs:
        kind, message = theirs
        if public:
            return f"your function raised {kind}: {message}".rstrip(": ")
        return f"your function raised {kind if hasattr(builtins, kind) else 'an error'} at an input of the hidden test"
    if public:
        shown = {"given": wrong.given, "expected": wrong.expected, "got": wrong.got}
        return wrong.says + "".join(f"; {key} {value}" for key, value in shown.items() if value)
    if wrong.says.startswith(f"{name} raised "):  # an error of the check, over what came back
        return "the hidden test cannot use what your function returned"
    return wrong.says
