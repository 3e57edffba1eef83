"""`grade`: every submission through nbgrader, one process each, and a table that names everyone."""

from __future__ import annotations

import contextlib
import csv
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
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.classroom import feedback
from tools.classroom.collect import Submission, collect
from tools.classroom.layout import Classroom, Problem, configure

MEMORY = 16 * 2**30
TRIES = 3


@dataclass
class Row:
    """One line of the table."""

    student: str
    scores: dict[str, float | None] = field(default_factory=dict)
    auto: float = 0.0
    manual: float = 0.0
    total: float = 0.0
    max: float = 0.0
    pending: int = 0
    status: str = "ok"
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def grade(
    room: Classroom,
    lesson: str,
    *,
    timeout: int = 60,
    workers: int = 2,
    students: list[str] | None = None,
    execute: bool = True,
    check_limit: float | None = None,
    memory: int = MEMORY,
    say: Callable[[str], Any] = print,
) -> list[Row]:
    """Grade a lesson's submissions, write feedback and ``grades.csv``, and say how everyone did.

    Args:
        timeout: seconds for one cell; the whole notebook gets ten times that.
        students: only these.
        execute: False rewrites feedback and grades from the gradebook without running anything.

    Returns:
        One `Row` for each student, in order of name.

    Raises:
        Problem: with one line that says what to do.
    """
    if not hasattr(os, "fork"):
        raise Problem("grading needs Linux or macOS (on Windows, use WSL).")
    lesson = room.lesson(lesson)
    manifest = room.manifest(lesson)
    if "released" not in manifest or not room.db.exists():
        raise Problem(f"{lesson} was not released completely; run: make release LESSON={lesson}")
    room.make()
    with room.alone():
        return _grade(room, lesson, manifest, timeout, workers, students, execute, check_limit, memory, say)


def _grade(
    room: Classroom,
    lesson: str,
    manifest: dict,
    timeout: int,
    workers: int,
    students: list[str] | None,
    execute: bool,
    check_limit: float | None,
    memory: int,
    say: Callable[[str], Any],
) -> list[Row]:
    names = _names(room, lesson, students)
    began = time.monotonic()
    try:
        for folder in (room.collected, room.autograded, room.feedback, room.grades / lesson / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        maths = feedback.assets(room)
    except OSError as error:
        raise Problem(
            f"cannot write in {room.folder} ({error.strerror}); set CLASSROOM=path to a folder that you may write."
        ) from None
    job = {
        "root": str(room.root),
        "folder": str(room.folder),
        "lesson": lesson,
        "timeout": timeout,
        "check_limit": check_limit or min(20.0, float(timeout)),
        "memory": memory,
        "maths": maths,
        "execute": execute,
        "seeds": [e["seed"] for e in manifest["exercises"].values()],
    }
    strays = [p.name for p in sorted(room.submitted.iterdir()) if not p.is_dir() and not p.name.startswith(".")]
    submissions = {
        n: collect(room, lesson, n, manifest) if execute else Submission(n, _graded(room, lesson, n)) for n in names
    }
    ready = [n for n, s in submissions.items() if s.gradable]
    results = _run_all(room, job, ready, workers, timeout, say)
    rows = _settle(room, lesson, manifest, submissions, results, execute)
    _write(room, lesson, manifest, rows, partial=students is not None)
    _show(room, lesson, rows, results, time.monotonic() - began, workers, strays, say)
    return rows


def _names(room: Classroom, lesson: str, students: list[str] | None) -> list[str]:
    where = f"put each submission in {room.submitted}/<student>/{lesson}/{lesson}.ipynb"
    if not room.submitted.is_dir():
        raise Problem(f"there are no submissions; {where}")
    every = sorted(
        p.name for p in room.submitted.iterdir() if (p.is_dir() or p.is_symlink()) and not p.name.startswith(".")
    )
    if students:
        unknown = sorted(set(students) - set(every))
        if unknown:
            raise Problem(
                f"no folder of {', '.join(unknown)} in {room.submitted}; there are: {', '.join(every) or '(none)'}."
            )
        return sorted(set(students))
    if not every:
        raise Problem(f"there are no submissions; {where}")
    return every


def _graded(room: Classroom, lesson: str, student: str) -> bool:
    return (room.autograded / student / lesson / f"{lesson}.ipynb").exists()


# -- one process for each student


def _run_all(
    room: Classroom, job: dict, names: list[str], workers: int, timeout: int, say: Callable
) -> dict[str, dict]:
    """Grade in forked processes. The parent has nbgrader loaded and never runs a student's code."""
    import nbgrader.converters  # noqa: F401  (loaded once, inherited by every fork)
    from nbgrader.converters import autograde, generate_feedback  # noqa: F401

    from tools.classroom import preprocessors, sandbox  # noqa: F401

    context = multiprocessing.get_context("fork")
    hard = timeout * 11 + 120
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
                    result = _read(out)
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


def _read(file: pathlib.Path) -> dict | None:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _one(job: dict, student: str, out: pathlib.Path) -> None:
    """The process of one student: nbgrader's autograde, then its feedback."""
    from tools.classroom import sandbox

    os.setsid()
    room = Classroom(job["root"], job["folder"])
    log = room.grades / job["lesson"] / "logs" / f"{student}.log"
    with contextlib.suppress(OSError), open(log, "w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    result: dict[str, Any] = {}
    try:
        runtime = tempfile.mkdtemp(prefix="jupyter-")
        os.environ.clear()
        os.environ.update(room.environment() | {"JUPYTER_RUNTIME_DIR": runtime, "IPYTHONDIR": runtime})
        result["isolated"] = sandbox.isolate(job["memory"])
        os.chdir(room.folder)
        if job["execute"]:
            _autograde(room, job, student, result)
        if not result.get("failed"):
            try:
                _feedback(room, job, student)
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


def _settings(room: Classroom, job: dict, student: str) -> tuple[Any, Any]:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    c = configure(Config(), str(room.root), str(room.folder / "nbgrader_config.py"))
    c.CourseDirectory.assignment_id = job["lesson"]
    c.CourseDirectory.student_id = student
    c.Execute.timeout = c.ExecutePreprocessor.timeout = job["timeout"]
    c.VerifiedExecute.total = 10.0 * job["timeout"]
    c.VerifiedExecute.check_limit = float(job["check_limit"])
    return c, CourseDirectory(config=c)


def _autograde(room: Classroom, job: dict, student: str, result: dict) -> None:
    from nbgrader.converters.autograde import Autograde

    from tools.classroom.preprocessors import VerifiedExecute

    c, course = _settings(room, job, student)
    converter = Autograde(coursedir=course, config=c)
    converter.force = True
    try:
        converter.start()
    except BaseException as error:
        traceback.print_exc()
        result["failed"] = f"nbgrader: {type(error).__name__}: {str(error)[:100]}"
    result["story"] = VerifiedExecute.last


def _feedback(room: Classroom, job: dict, student: str) -> None:
    from nbgrader.converters.generate_feedback import GenerateFeedback

    c, course = _settings(room, job, student)
    converter = GenerateFeedback(coursedir=course, config=c)
    converter.force = True
    converter.start()
    folder = room.feedback / student / job["lesson"]
    for file in folder.iterdir():
        if file.suffix == ".html":
            page = feedback.polish(file.read_text(encoding="utf-8"), job["seeds"], job["maths"])
            file.write_text(page, encoding="utf-8")
        elif file.is_file():
            file.unlink()


# -- the gradebook and the table


def _settle(
    room: Classroom,
    lesson: str,
    manifest: dict,
    submissions: dict[str, Submission],
    results: dict[str, dict],
    execute: bool,
) -> list[Row]:
    """Read everyone's scores. What could not be graded gets nothing automatically; scores given by hand stay."""
    from nbgrader.api import Gradebook

    tests = {e["test"]: id for id, e in manifest["exercises"].items()} | {
        e["answer"]: id for id, e in manifest["manual"].items()
    }
    most = sum(e["points"] for e in [*manifest["exercises"].values(), *manifest["manual"].values()])
    memory = room.grades / lesson / "submissions.json"
    before = _read(memory) or {}
    rows = []
    with warnings.catch_warnings(), Gradebook(f"sqlite:///{room.db}?timeout=60", "course") as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for name, sub in submissions.items():
            result = results.get(name, {})
            row = Row(name, dict.fromkeys(tests.values(), 0.0), max=most, seconds=result.get("seconds", 0.0))
            rows.append(row)
            failed = sub.status or result.get("failed", "")
            if not execute and not sub.gradable:
                failed = before.get(name, {}).get("failed") or "not graded yet"
            if execute or sub.gradable:
                old = before.get(name, {})
                if execute:
                    before[name] = {
                        "digest": sub.digest,
                        "failed": failed,
                        "notes": sub.notes + _story(result.get("story"), row),
                    }
                row.notes = [failed] * bool(failed) + before.get(name, {}).get("notes", [])
                row.notes += [result["feedback"]] if "feedback" in result else []
            else:
                old, row.notes = {}, [failed]
            row.status = "not graded" if failed else "see notes" if row.notes else "ok"
            if failed == "nothing handed in":
                row.status = "missing"
            try:
                _scores(
                    book,
                    lesson,
                    name,
                    row,
                    tests,
                    bool(failed) and execute,
                    old.get("digest") == sub.digest or not execute,
                )
            except Exception as error:
                row.status = "not graded"
                row.notes.append(f"gradebook: {type(error).__name__}: {str(error)[:80]}")
            if failed and execute:
                for folder in (room.autograded, room.collected):
                    shutil.rmtree(folder / name / lesson, ignore_errors=True)
                with contextlib.suppress(OSError):
                    feedback.refused(room, name, lesson, failed)
    _replace(memory, json.dumps(before, indent=1))
    return rows


def _scores(book: Any, lesson: str, name: str, row: Row, tests: dict, failed: bool, same: bool) -> None:
    from nbgrader.api import MissingEntry

    if failed:
        try:
            book.find_submission(lesson, name)
        except MissingEntry:
            if row.status == "missing":
                return
            book.update_or_create_student(name)
        book.update_or_create_submission(lesson, name)
    try:
        submission = book.find_submission(lesson, name)
    except MissingEntry:
        return
    for grade in submission.notebooks[0].grades:
        if failed:
            grade.auto_score, grade.needs_manual_grade = 0, False
        elif same and grade.manual_score is not None:
            grade.needs_manual_grade = False  # the instructor has seen this very submission
        id = tests.get(grade.name)
        if id is None:
            continue
        score = grade.manual_score if grade.manual_score is not None else grade.auto_score
        row.scores[id] = None if score is None else float(score) + float(grade.extra_credit or 0)
        if grade.manual_score is None:
            row.auto += float(grade.auto_score or 0)
        else:
            row.manual += float(grade.manual_score)
        row.manual += float(grade.extra_credit or 0)
        row.pending += bool(grade.needs_manual_grade)
    row.total = row.auto + row.manual
    book.db.commit()


def _story(story: dict | None, row: Row) -> list[str]:
    """What happened in the run, in words."""
    if not story:
        return []
    notes = []
    for number, kind in story["errors"][:6]:
        syntax = kind in ("SyntaxError", "IndentationError", "TabError")
        notes.append(f"syntax error in cell {number}" if syntax else f"error in cell {number}: {kind}")
    if story["timeouts"]:
        notes.append(f"timeout in cell {', '.join(map(str, story['timeouts']))} (a loop that never ends?)")
    if story["flood"]:
        notes.append(f"gigantic output in cell {', '.join(map(str, story['flood']))} (cut)")
    if story["died"]:
        number, why = story["died"]
        notes.append(f"dead kernel: {why}" + (f" in cell {number}" if number else ""))
    words = {
        "only apart": "right alone, but fails in the notebook; look at it",
        "unpicklable": "passed in the notebook, cannot be carried out of it; look at it",
        "tampered": "changes the checker: tampering?",
        "timeout": "timeout in the hidden test",
        "died": "ended its own process",
        "lost": "could not be tested: the clean process failed (is genutils complete? grade again)",
        "unreadable": "does not work outside of the notebook",
    }
    said: dict[str, list[str]] = {}
    for id, kind in story["verdicts"].items():
        text = (
            "passed in the notebook only, not in a clean process: was check patched?"
            if kind.startswith("only inside")
            else words.get(kind)
        )
        if text:
            said.setdefault(text, []).append(id)
    notes += [f"{', '.join(ids)} {text}" for text, ids in said.items()]
    return notes


def _write(room: Classroom, lesson: str, manifest: dict, rows: list[Row], partial: bool) -> None:
    ids = [*manifest["exercises"], *manifest["manual"]]
    file = room.grades / lesson / "grades.csv"
    head = ["student", "lesson", *ids, "auto", "manual", "total", "max", "to_grade_by_hand", "status", "notes"]
    kept: dict[str, list] = {}
    if partial and file.exists():
        with open(file, encoding="utf-8", newline="") as old:
            kept = {r[0]: r for r in list(csv.reader(old))[1:] if r}
    for row in rows:
        scores = ["" if row.scores.get(id) is None else f"{row.scores[id]:g}" for id in ids]
        sums = [f"{x:g}" for x in (row.auto, row.manual, row.total, row.max)]
        kept[row.student] = [row.student, lesson, *scores, *sums, row.pending, row.status, "; ".join(row.notes)]
    temporary = file.with_suffix(".tmp")
    with open(temporary, "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([head, *(kept[k] for k in sorted(kept))])
    os.replace(temporary, file)


def _replace(file: pathlib.Path, text: str) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, file)


def _show(
    room: Classroom,
    lesson: str,
    rows: list[Row],
    results: dict,
    seconds: float,
    workers: int,
    strays: list[str],
    say: Callable,
) -> None:
    wide = max([len("student"), *(len(r.student) for r in rows)])
    say(f"\n{'student':{wide}}  {'score':>9}  {'status':10}  notes")
    for row in rows:
        notes = row.notes + ([f"{row.pending} to grade by hand"] if row.pending else [])
        say(f"{row.student:{wide}}  {row.total:>4g}/{row.max:<4g}  {row.status:10}  {'; '.join(notes)}".rstrip())
    for name in strays:
        say(f"{name}: a file in submitted/, not a student's folder; it was left alone")
    if results:
        say(f"\n{len(results)} graded in {seconds:.1f} s ({seconds / len(results):.2f} s each, {workers} at a time)")
        if not all(r.get("isolated", {}).get("network") for r in results.values()):
            say("note: here the network cannot be taken away from students' code; grade in a container if that matters")
    say(f"grades:   {room.grades / lesson / 'grades.csv'}")
    say(f"feedback: {room.feedback}/<student>/{lesson}/{lesson}.html")


def copies(room: Classroom, lesson: str, student: str, n: int) -> list[str]:
    """For the benchmark: hand a student's submission in n times, under the names ``copy-001`` and so on."""
    names = [f"copy-{i:03d}" for i in range(1, n + 1)]
    for name in names:
        shutil.copytree(room.submitted / student / lesson, room.submitted / name / lesson, dirs_exist_ok=True)
    return names


def time_grading(room: Classroom, lesson: str, student: str, n: int, **options: Any) -> float:
    """For the benchmark: seconds to grade n copies of a student's submission."""
    names = copies(room, lesson, student, n)
    began = time.monotonic()
    grade(room, lesson, students=names, say=lambda text: None, **options)
    return time.monotonic() - began
