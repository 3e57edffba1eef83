"""A parent with everything imported, from which the processes of each submission are forked: a session and its box.

Started as ``python -I``, it never runs a student's code and never learns a seed. For each line that it is handed it
forks a *session*. That forks a *box* (`sandbox`), in which the cells run (`notebook`), collects a line to each answer,
is told the seeds only then, and judges. A cell that kills its process, or does not stop, costs itself only: a new box
runs the others.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import select
import signal
import socket
import time
from typing import Any

from tools.classroom import notebook, sandbox, wire
from tools.classroom.judge import Held, judge

GRACE = 3.0  # seconds after its time in which a cell may still stop by itself
HELD = 2  # answers to one exercise: as it was at its test, and at the end
LOSSES = 4  # cells that may be lost; after them the rest of the notebook is not run
MOST = 4 * 2**20  # bytes of one message from a box


def main(door: int, lesson: str, preload: list[str], hidden: tuple[str, ...]) -> None:
    """Wait for lines at the door, one byte each, until all who hold the other end are gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sandbox.follow_parent()
    for name in preload:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    importlib.import_module("genutils.check").exercises(lesson.split("_")[0])
    shown = os.path.dirname(importlib.import_module("genutils").__file__)
    shell = notebook.new_shell()
    entrance = socket.socket(fileno=door)
    while True:
        data, fds, _, _ = socket.recv_fds(entrance, 1, 1)
        if not data:
            os._exit(0)
        if fds and os.fork() == 0:
            try:
                entrance.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                sandbox.follow_parent()
                Session(socket.socket(fileno=fds[0]), shell, [shown], hidden).run()
            finally:
                os._exit(0)
        for fd in fds:
            os.close(fd)


class Session:
    """The trusted process of one submission."""

    def __init__(self, client: socket.socket, shell: Any, shown: list[str], hidden: tuple[str, ...]):
        self.client, self.shell, self.shown, self.hidden = client, shell, shown, hidden
        sandbox.hide()

    def run(self) -> None:
        """Run what the client sends, say what happened, judge, say the verdicts."""
        job, _ = wire.hear(self.client)
        began = time.monotonic()
        story: dict[str, Any] = {"cells": {}, "given_up": {}, "open": ""}
        while True:
            lost = story["given_up"]
            end = max(map(int, lost)) if len(lost) >= LOSSES else float("inf")
            plan = [s for s in job["plan"] if "hold" in s or (str(s["at"]) not in lost and s["at"] < end)]
            left = job["total"] - (time.monotonic() - began)
            inside = functools.partial(self._inside, job=job, plan=plan, left=left)
            box = sandbox.Box(inside, self.shown, job["memory"], self.hidden)
            story["open"] = box.missing
            held, loss = self._conduct(box, job, plan, story)
            if loss is None or len(lost) > LOSSES:
                break
            lost[str(loss[0])] = loss[1]
            box.end()
        try:
            wire.say(self.client, story)
            jobs, _ = wire.hear(self.client)
            sandbox.bound_memory(job["memory"])  # of what answers make the judge read and do, too
            with box.watched():
                said = judge(held, jobs, job["limit"])
            wire.say(self.client, said)
        finally:
            box.end()

    def _inside(self, line: socket.socket, job: dict, plan: list[dict], left: float) -> None:
        notebook.Notebook(line, self.shell).run(plan, job["seconds"], left)

    def _conduct(self, box: Any, job: dict, plan: list[dict], story: dict) -> tuple[list[Held], tuple[int, str] | None]:
        """Listen to a box until its cells are done: the answers, and the cell that it was lost in and how."""
        waiting = [step["at"] for step in plan if "at" in step]
        known = {step["hold"] for step in plan if "hold" in step}
        held: list[Held] = []
        patience = 60.0

        def enough(id: str) -> bool:  # no third guess
            return sum(one.id == id for one in held) >= HELD

        while True:
            why = self._wait(box, patience)
            try:
                until = time.monotonic() + job["seconds"] + GRACE
                message, line = (None, None) if why else wire.hear(box.line, MOST, until)
            except (OSError, EOFError, ValueError, RecursionError, MemoryError):
                why, message, line = "it ended its process", None, None
            match message:
                case ["cell", int(at), dict(about)] if at in waiting:
                    del waiting[: waiting.index(at) + 1]
                    story["cells"][str(at)] = _plain(about)
                case ["answer", str(id), str(note), bool(again)] if line and id in known and not enough(id):
                    held.append(Held(id, line, note[:80], again))
                case ["end"]:
                    return held, None
                case _:
                    if not waiting:
                        return held, None
                    return held, (waiting[0], why or "its process said what nobody understands")
            patience = job["seconds"] + GRACE

    def _wait(self, box: Any, seconds: float) -> str:
        """Until the box says something: "", or why it was given up. Without a client there is nobody to work for."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([box.line, self.client], [], [], min(left, 0.25))
            if self.client in ready and not self.client.recv(1, socket.MSG_PEEK):
                box.end()
                os._exit(1)
            if box.line in ready:
                box.line.settimeout(max(left, 1.0))
                return ""
            if trouble := box.trouble():
                return trouble
        return "it did not stop when asked to"


def _plain(about: dict) -> dict:
    """What a box says of a cell, whoever wrote it there."""
    error = about.get("error")
    fine = type(error) is list and len(error) == 2 and all(type(part) is str for part in error)
    return {
        "text": str(about.get("text", ""))[-notebook.KEPT :],
        "size": about["size"] if type(about.get("size")) is int else 0,
        "late": about.get("late") is True,
        "kept": about.get("kept") is True,
        "error": [part[:300] for part in error] if fine else None,
    }
