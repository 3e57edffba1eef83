"""One process for each submission: nbgrader's autograde and feedback, in which a student's code may run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.classroom import files, sandbox
from tools.classroom.layout import Classroom

TRIES = 3  # when the gradebook was locked


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Args:
        timeout: seconds for one cell; the whole notebook gets ten times that.
        check: seconds for one exercise in the clean process, at most those of a cell.
        memory: bytes of address space for each process.
    """

    timeout: int = 60
    check: float = 20.0
    memory: int = 16 * 2**30


@dataclass(frozen=True)
class Job:
    """What every process is told: which lesson of which classroom, and how to grade it.

    Args:
        execute: False writes feedback again without running anything.
        lean: of the lesson's own cells run only the first (`VerifiedExecute.lean`).
    """

    room: Classroom
    lesson: str
    limits: Limits
    execute: bool
    lean: bool


def run_all(job: Job, names: list[str], workers: int, say: Callable) -> dict[str, dict]:
    """Grade in forked processes. The parent has nbgrader loaded and never runs a student's code."""
    import nbgrader.converters  # noqa: F401  (loaded once, inherited by every fork)
    from nbgrader.converters import autograde, generate_feedback  # noqa: F401

    from tools.classroom import settings  # noqa: F401

    context = multiprocessing.get_context("fork")
    hard = job.limits.timeout * 11 + 120
    waiting, tries, running, results = list(names), dict.fromkeys(names, 0), {}, {}
    with tempfile.TemporaryDirectory(prefix="classroom-") as scratch:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    name = waiting.pop(0)
                    out = pathlib.Path(scratch) / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
                    process = context.Process(target=_one, args=(job, name, out), name=f"grade {name}")
                    process.start()
                    running[process.sentinel] = (process, name, out, time.monotonic())
                soon = min(t + hard for _, _, _, t in running.values()) - time.monotonic()
                for sentinel in multiprocessing.connection.wait(list(running), timeout=max(0.1, soon)) or list(running):
                    process, name, out, since = running[sentinel]
                    late = process.is_alive() and time.monotonic() - since > hard
                    if process.is_alive() and not late:
                        continue
                    if late:
                        sandbox.end(process.pid, itself=True)
                    process.join()
                    del running[sentinel]
                    result = files.read(out)
                    if late:
                        result = {"failed": f"timeout: stopped after {hard} seconds"}
                    elif result is None:
                        result = {"failed": f"the grading process ended (status {process.exitcode})"}
                    tries[name] += 1
                    if result.get("locked") and tries[name] < TRIES:
                        waiting.append(name)
                        continue
                    results[name] = result | {"seconds": time.monotonic() - since}
                    if len(names) > 4 and len(results) % 10 == 0:
                        say(f"  {len(results)} of {len(names)} graded")
        finally:
            for process, *_ in running.values():
                sandbox.end(process.pid, itself=True)
                process.join()
    return results


def _one(job: Job, student: str, out: pathlib.Path) -> None:
    """The process of one student: nbgrader's autograde, then its feedback."""
    os.setsid()
    room = job.room
    log = room.grades / job.lesson / "logs" / f"{student}.log"
    with contextlib.suppress(OSError):
        _speak_to(log)
    result: dict[str, Any] = {}
    try:
        runtime = tempfile.mkdtemp(prefix="jupyter-")
        os.environ.clear()
        os.environ.update(room.environment() | {"JUPYTER_RUNTIME_DIR": runtime, "IPYTHONDIR": runtime})
        result["isolated"] = sandbox.isolate(job.limits.memory)
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
        sandbox.end(os.getpid())
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            text = log.read_text(encoding="utf-8", errors="replace")
            result["locked"] = bool(result.get("failed") or result.get("feedback")) and "database is locked" in text
        shutil.rmtree(runtime, ignore_errors=True)
        out.write_text(json.dumps(result), encoding="utf-8")
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
        process = multiprocessing.get_context("fork").Process(target=start, args=(log,), name=f"release {lesson}")
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

    c = configure(Config(), str(room.root), str(room.folder / "nbgrader_config.py"))
    c.CourseDirectory.assignment_id = lesson
    if job is not None:
        c.CourseDirectory.student_id = student
        c.Execute.timeout = c.ExecutePreprocessor.timeout = job.limits.timeout
        c.VerifiedExecute.total = 10.0 * job.limits.timeout
        c.VerifiedExecute.check_limit = min(job.limits.check, float(job.limits.timeout))
        c.VerifiedExecute.lean = job.lean
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
