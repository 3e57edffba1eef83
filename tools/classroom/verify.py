"""The clean process that decides: it runs the checks of one submission against functions that live elsewhere.

Started as ``python -I``, it imports genutils, forks one process for each answer *before* it learns any seed, reads the
job from its standard input and writes verdicts to its standard output. Exercises whose own solution cannot be
questioned from outside (it needs autograd through the answer, for example) are checked ``inside`` such a process
instead; `release` finds out which, and says so.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import pathlib
import pickle
import socket
import subprocess
import sys
import time
from typing import Any

REPO = pathlib.Path(__file__).resolve().parents[2]


def registry(root: pathlib.Path, env: dict[str, str]) -> dict[str, dict]:
    """Exercise id -> name and points, asked of the course's own genutils."""
    code = (
        "import json; from genutils.check import exercises; "
        "print(json.dumps({e.id: dict(name=e.name, points=e.points) for e in exercises().values()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def verdicts(
    root: pathlib.Path, jobs: list[dict], *, limit: float, preload: list[str], env: dict[str, str]
) -> dict[str, dict]:
    """Run the clean process.

    Args:
        jobs: each with ``id``, ``exercise`` (if that is not the id), ``blob`` (a pickled function in base64),
            ``seeds``, and ``mode`` ("apart" or "inside").
        limit: seconds for each exercise.

    Returns:
        id -> {"verdict", "says", "hint"}, where the verdict is "right", "wrong", "not attempted", "timeout", "died",
        "unreadable" or "tampered"; "lost" if the clean process itself failed. Only "right" earns points.
    """
    if not jobs:
        return {}
    start = (
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(REPO)!r}]; from tools.classroom.verify import main; "
        f"main({len(jobs)}, {preload!r})"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", start],
            input=json.dumps({"jobs": jobs, "limit": limit}),
            env={k: v for k, v in env.items() if k != "PYTHONPATH"},
            capture_output=True,
            text=True,
            timeout=60 + (limit + 5) * len(jobs),
        )
        found = json.loads(done.stdout) if done.returncode == 0 else {}
        trouble = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    except (subprocess.TimeoutExpired, ValueError) as error:
        found, trouble = {}, [type(error).__name__]
    lost = {"verdict": "lost", "says": trouble[0][:200], "hint": ""}
    return {job["id"]: found.get(job["id"], lost) for job in jobs}


def main(answers: int, preload: list[str]) -> None:
    """The clean process (see `verdicts`)."""
    from tools.classroom import isolation

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
                isolation.alone(theirs)
                _answer(theirs)
            finally:
                os._exit(0)
        theirs.close()
        lines.append(ours)
    job = json.load(sys.stdin)
    json.dump({j["id"]: _judge(j, line, job["limit"], check) for j, line in zip(job["jobs"], lines, strict=True)}, out)
    out.flush()
    os._exit(0)


def _judge(job: dict, socket: socket.socket, limit: float, check: Any) -> dict[str, str]:
    from tools.classroom import isolation

    line = isolation.Line(socket)
    line.deadline = time.monotonic() + limit
    blob = base64.b64decode(job["blob"])
    try:
        isolation.send(
            socket, json.dumps([job["mode"], _exercise(job), job["seeds"] if job["mode"] == "inside" else []]).encode()
        )
        socket.settimeout(limit)
        isolation.send(socket, blob)
        first = json.loads(isolation.receive(socket, isolation.LIMIT))
    except TimeoutError:
        return _verdict("timeout")
    except (EOFError, OSError, ValueError):
        return _verdict("died")
    if job["mode"] == "inside":
        known = type(first) is dict and first.get("verdict") in ("right", "wrong", "not attempted", "tampered")
        return (
            _verdict(first["verdict"], first.get("says", ""), first.get("hint", ""))
            if known
            else _verdict("unreadable")
        )
    if type(first) is not list or first[0] != "value":
        return _verdict("unreadable")
    answer = isolation.Remote(line, 0)
    for seed in job["seeds"]:
        verdict = _run(check, answer, _exercise(job), seed, line.deadline - time.monotonic() + 2)
        if line.fault:
            return _verdict(line.fault)
        if verdict["verdict"] != "right":
            if (
                line.theirs and verdict["verdict"] == "wrong"
            ):  # the message is the student's own: only what it is, not what it says
                verdict = _verdict("wrong", "your function raised an error at an input of the hidden test")
            return verdict
    return _verdict("right")


def _exercise(job: dict) -> str:
    return job.get("exercise", job["id"])


def _run(check: Any, answer: Any, id: str, seed: int, limit: float) -> dict[str, str]:
    from genutils.check.expect import Wrong

    try:
        check.check(answer, id, seed=seed, grading=True, limit=limit)
    except NotImplementedError:
        return _verdict("not attempted")
    except Wrong as wrong:
        if "still running after" in wrong.says:
            return _verdict("timeout")
        return _verdict("wrong", wrong.says, wrong.hint)
    except BaseException as error:
        return _verdict("wrong", f"the check ended with {type(error).__name__}")
    return _verdict("right")


def _verdict(verdict: str, says: str = "", hint: str = "") -> dict[str, str]:
    return {"verdict": "died" if verdict == "nonsense" else verdict, "says": str(says)[:300], "hint": str(hint)[:300]}


def _answer(line: socket.socket) -> None:
    """A forked process that holds one answer."""
    from tools.classroom import isolation

    mode, id, seeds = json.loads(isolation.receive(line))
    if mode == "apart":
        isolation.serve(line)
        return
    check = importlib.import_module("genutils.check")
    before = _snapshot()
    with contextlib.suppress(BaseException):
        answer = pickle.loads(isolation.receive(line))
        for seed in seeds:
            verdict = _run(check, answer, id, seed, 60.0) if _same(before) else _verdict("tampered")
            if verdict["verdict"] != "right":
                break
        if not _same(before):
            verdict = _verdict("tampered")
        isolation.send(line, json.dumps(verdict).encode())


def _snapshot() -> dict[tuple[str, str], tuple[int, int]]:
    """What each name of the checker and of the libraries under it refers to, down to the code of functions."""
    taken = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("genutils", "numpy", "math", "builtins", "scipy") and module is not None:
            for key, value in list(vars(module).items()):
                if key not in ("_", "__warningregistry__") and not isinstance(value, type(sys)):
                    taken[name, key] = (id(value), id(getattr(value, "__code__", None)))
    return taken


def _same(before: dict) -> bool:
    after = _snapshot()
    return all(after.get(key) == value for key, value in before.items())
