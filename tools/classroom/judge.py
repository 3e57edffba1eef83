"""The clean process that decides: it runs the checks of one submission against functions that live elsewhere.

Started as ``python -I``, it imports genutils, forks one process for each answer *before* it learns any seed, reads the
jobs from its standard input and writes verdicts to its standard output.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import pickle
import socket
import sys
import time
from typing import Any

from tools.classroom import answer, remote, snapshot, wire
from tools.classroom.handover import Remote
from tools.classroom.verdict import CLAIMS, Mode, Verdict


def main(answers: int, preload: list[str]) -> None:
    """The clean process (see `verify.verdicts`)."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a check prints stays out of the verdicts
    check = importlib.import_module("genutils.check")
    check.exercises()
    for name in preload:
        importlib.import_module(name)
    lines = []
    for _ in range(answers):
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                answer.alone(theirs)
                _hold(theirs)
            finally:
                os._exit(0)
        theirs.close()
        lines.append(ours)
    job = json.load(sys.stdin)
    json.dump({j["id"]: _judge(j, line, job["limit"], check) for j, line in zip(job["jobs"], lines, strict=True)}, out)
    out.flush()
    os._exit(0)


def _judge(job: dict, socket: socket.socket, limit: float, check: Any) -> dict[str, str]:
    mode, id = Mode(job["mode"]), job.get("exercise", job["id"])
    line = remote.Line(socket, learning=mode == Mode.LEARNING)
    line.deadline = time.monotonic() + limit
    try:
        wire.send(socket, json.dumps([mode, id, job["seeds"] if mode == Mode.INSIDE else []]).encode())
        socket.settimeout(limit)
        wire.send(socket, base64.b64decode(job["blob"]))
        first = json.loads(wire.receive(socket, wire.LIMIT))
    except TimeoutError:
        return _verdict(Verdict.TIMEOUT)
    except (EOFError, OSError, ValueError):
        return _verdict(Verdict.DIED)
    if mode == Mode.INSIDE:
        if type(first) is dict and first.get("verdict") in CLAIMS:
            return _verdict(Verdict(first["verdict"]), first.get("says", ""), first.get("hint", ""))
        return _verdict(Verdict.UNREADABLE)
    if type(first) is not list or first[:1] != ["value"]:
        return _verdict(Verdict.UNREADABLE)
    function = Remote(line, 0)
    for seed in job["seeds"]:
        verdict = _run(check, function, id, seed, line.deadline - time.monotonic() + 2)
        if line.fault:
            return _verdict(line.fault)
        if verdict["verdict"] == Verdict.WRONG and line.theirs:  # not what the student's own message says
            return _verdict(Verdict.WRONG, "your function raised an error at an input of the hidden test")
        if verdict["verdict"] != Verdict.RIGHT:
            return verdict
    return _verdict(Verdict.RIGHT)


def _run(check: Any, function: Any, id: str, seed: int, limit: float) -> dict[str, str]:
    from genutils.check.expect import StillRunning, Wrong

    try:
        check.check(function, id, seed=seed, grading=True, limit=limit)
    except NotImplementedError:
        return _verdict(Verdict.NOT_ATTEMPTED)
    except StillRunning:
        return _verdict(Verdict.TIMEOUT)
    except Wrong as wrong:
        return _verdict(Verdict.WRONG, wrong.says, wrong.hint)
    except BaseException as error:
        return _verdict(Verdict.WRONG, f"the check ended with {type(error).__name__}")
    return _verdict(Verdict.RIGHT)


def _verdict(verdict: Verdict, says: str = "", hint: str = "") -> dict[str, str]:
    return {"verdict": verdict, "says": str(says)[:300], "hint": str(hint)[:300]}


def _hold(line: socket.socket) -> None:
    """A forked process that holds one answer."""
    mode, id, seeds = json.loads(wire.receive(line))
    if mode != Mode.INSIDE:
        answer.serve(line)
        return
    check = importlib.import_module("genutils.check")
    before = snapshot.snapshot()
    with contextlib.suppress(BaseException):
        function = pickle.loads(wire.receive(line))
        for seed in seeds:
            verdict = _run(check, function, id, seed, 60.0) if snapshot.same(before) else _verdict(Verdict.TAMPERED)
            if verdict["verdict"] != Verdict.RIGHT:
                break
        if not snapshot.same(before):
            verdict = _verdict(Verdict.TAMPERED)
        wire.send(line, json.dumps(verdict).encode())
