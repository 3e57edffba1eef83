"""One process for each submission: nbgrader's autograde and feedback. What a student wrote runs elsewhere (`warm`)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import nbformat

from tools.classroom import files, sandbox, submission
from tools.classroom.layout import Classroom
from tools.classroom.submission import Limits

TRIES = 3  # when the gradebook was locked


@dataclass(frozen=True)
class Job:
    """What every process is told: which lesson of which classroom, and how to grade it.

    Args:
        execute: False writes feedback again without running anything.
    """

    room: Classroom
    lesson: str
    limits: Limits
    execute: bool


Results = Callable[[str, dict], None]


def run_all(job: Job, names: list[str], workers: int, say: Callable, on_result: Results | None = None) -> dict:
    """Grade in forked processes, which run nothing that a student wrote; the results by student.

    Args:
        on_result: is told each student's name and result when it comes; a run that is stopped loses none of those.
    """
    import nbgrader.converters  # noqa: F401  (loaded once, inherited by every fork)
    from nbgrader.converters import autograde, generate_feedback  # noqa: F401

    from tools.classroom import settings  # noqa: F401

    nbformat.validate(nbformat.v4.new_notebook())  # what that compiles is inherited, too
    if job.execute and names:  # the boxes of all students are forked from one parent
        submission.parent(job.room, job.lesson, job.room.manifest(job.lesson))
    hard = 2 * (job.limits.timeout * 12 + 240)  # a notebook may be run twice
    waiting, tries, running, results = list(names), dict.fromkeys(names, 0), {}, {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="classroom-") as scratch, _stopped_by_signals() as stopped:
        try:
            while waiting or running:
                if stopped:
                    raise KeyboardInterrupt
                while waiting and len(running) < workers:
                    name = waiting.pop(0)
                    out = pathlib.Path(scratch) / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
                    out.unlink(missing_ok=True)
                    process = _CONTEXT.Process(target=_one, args=(job, name, out), name=f"grade {name}")
                    process.start()
                    running[process.sentinel] = (process, name, out, time.monotonic())
                for process, name, out, since in _ended(running, hard):
                    seconds = time.monotonic() - since
                    result = files.read(out)
                    if result is None and seconds > hard:
                        result = {"failed": f"timeout: stopped after {hard} seconds"}
                    elif result is None:
                        result = {"failed": f"the grading process ended (status {process.exitcode})"}
                    tries[name] += 1
                    if result.get("locked") and tries[name] < TRIES:
                        waiting.append(name)
                        continue
                    results[name] = result | {"seconds": seconds}
                    if on_result:
                        on_result(name, results[name])
                    if len(names) > 4 and len(results) % 10 == 0:
                        left = (time.monotonic() - began) / len(results) * (len(names) - len(results))
                        say(f"  {len(results)} of {len(names)} graded, about {left / 60:.1f} minutes left")
        finally:
            for process, *_ in running.values():
                process.kill()
                process.join()
            submission.forget_parents()
    return results


_CONTEXT = multiprocessing.get_context("fork" if hasattr(os, "fork") else None)
Running = tuple[multiprocessing.process.BaseProcess, str, pathlib.Path, float]


def _ended(running: dict[int, Running], hard: float) -> Iterator[Running]:
    """Wait a moment for processes that end, or have run for too long and are made to; they are no longer running."""
    for sentinel in multiprocessing.connection.wait(list(running), timeout=1.0) or list(running):
        process, *_, since = running[sentinel]
        if process.is_alive() and time.monotonic() - since <= hard:
            continue
        process.kill()
        process.join()
        yield running.pop(sentinel)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[list[int]]:
    """Meanwhile a request to end is like Ctrl-C: what runs is ended, and nothing that was done is lost.

    Yields:
        The signals that came: what they raise is lost if it comes while Python tidies up.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def stop(signum: int, frame: Any) -> None:
        came.append(signum)
        raise KeyboardInterrupt

    heard = [s for s in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, stop) for s in heard}
    try:
        yield came
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def _one(job: Job, student: str, out: pathlib.Path) -> None:
    """The process of one student: nbgrader's autograde, then its feedback."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    sandbox.follow_parent()
    os.setsid()
    room = job.room
    log = room.grades / job.lesson / "logs" / f"{student}.log"
    with contextlib.suppress(OSError):
        _speak_to(log)
    result: dict[str, Any] = {}
    try:
        os.environ.clear()
        os.environ.update(room.environment())
        os.chdir(room.folder)
        if job.execute:
            _autograde(job, student, result)
        if not result.get("failed"):
            try:
                _feedback(job, student)
            except Exception as error:  # costs the page, not the points
                traceback.print_exc()
                result["feedback"] = f"no feedback page ({type(error).__name__}: {str(error)[:80]})"
    except BaseException as error:
        traceback.print_exc()
        result.setdefault("failed", f"{type(error).__name__}: {str(error)[:120]}")
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            text = log.read_text(encoding="utf-8", errors="replace")
            result["locked"] = bool(result.get("failed") or result.get("feedback")) and "database is locked" in text
        temporary = out.with_suffix(".tmp")
        temporary.write_text(json.dumps(result), encoding="utf-8")
        os.replace(temporary, out)
        os._exit(0)


def convert(room: Classroom, lesson: str, env: dict[str, str]) -> str:
    """Run nbgrader's ``generate_assignment`` in a process of its own; what it said."""
    from nbgrader.converters.generate_assignment import GenerateAssignment

    from tools.classroom import settings  # noqa: F401  (loaded once, inherited by the fork)

    def start(log: pathlib.Path) -> None:
        _speak_to(log)
        try:
            os.environ.clear()
            os.environ.update(env)
            os.chdir(room.folder)
            converter = GenerateAssignment(**_settings(room, lesson))
            converter.force = True
            converter.start()
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(0)

    with tempfile.TemporaryDirectory(prefix="classroom-") as scratch:
        log = pathlib.Path(scratch) / "log"
        process = _CONTEXT.Process(target=start, args=(log,), name=f"release {lesson}")
        process.start()
        process.join()
        return log.read_text(encoding="utf-8", errors="replace")


def _speak_to(log: pathlib.Path) -> None:
    """All that this process and its children say goes to a file, and nothing can be asked of whoever started it."""
    with open(log, "w", encoding="utf-8") as file, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)


def _settings(room: Classroom, lesson: str, job: Job | None = None, student: str | None = None) -> dict[str, Any]:
    """What an nbgrader converter is made with: for a release, or for the submission of a student."""
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from tools.classroom.settings import configure

    c = configure(Config(), str(room.root), str(room.folder / "nbgrader_config.py"), lesson)
    c.CourseDirectory.assignment_id = lesson
    if job is not None:
        c.CourseDirectory.student_id = student
        c.VerifiedExecute.timeout = job.limits.timeout
        c.VerifiedExecute.check = job.limits.check
        c.VerifiedExecute.memory = job.limits.memory
        c.VerifiedExecute.whole = job.limits.whole
    return {"config": c, "coursedir": CourseDirectory(config=c)}


def _autograde(job: Job, student: str, result: dict) -> None:
    from nbgrader.converters.autograde import Autograde

    from tools.classroom.execute import VerifiedExecute

    converter = Autograde(**_settings(job.room, job.lesson, job, student))
    converter.force = True
    try:
        converter.start()
    except BaseException as error:
        traceback.print_exc()
        result["failed"] = f"nbgrader: {type(error).__name__}: {str(error)[:100]}"
    result["story"] = VerifiedExecute.last


def _feedback(job: Job, student: str) -> None:
    from nbgrader.converters.generate_feedback import GenerateFeedback

    converter = GenerateFeedback(**_settings(job.room, job.lesson, job, student))
    converter.force = True
    converter.start()
