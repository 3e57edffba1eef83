"""Exercises that answer back: ``check(fn)`` tests properties of an answer and names the mistake it sees."""

from __future__ import annotations

import contextlib
import difflib
import html
import importlib
import os
import pathlib
import re
import signal
import sys
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genutils.check import expect
from genutils.check import record as _record
from genutils.check.expect import StillRunning, Wrong
from genutils.lesson import display
from genutils.palette import VERDICTS

_HERE = str(pathlib.Path(__file__).parents[1])
_EXERCISES: dict[str, Exercise] = globals().get("_EXERCISES", {})  # kept when this file is edited and reloaded
_REGISTERED = re.compile(r'^@exercise\(\s*"(\d\d\.\d+)",\s*"(\w+)"', re.M)


@dataclass(frozen=True)
class Exercise:
    """One exercise: its id ``NN.k``, the name of the function it asks for, its points, and its test."""

    id: str
    name: str
    points: int
    test: Callable[[Any, np.random.Generator], None] = field(repr=False)
    trains: bool = False  # such a check may take seconds


def exercise(id: str, name: str, points: int = 2, *, trains: bool = False) -> Callable:
    """Decorator that registers ``test(answer, rng)`` as the check of an exercise.

    A check takes half a second at most, or five where it ``trains`` a network.
    Registering the same exercise again from the same module (it was reloaded after an edit) replaces its check.
    """

    def register(test: Callable) -> Callable:
        for other in _EXERCISES.values():
            again = (id, name, test.__module__) == (other.id, other.name, other.test.__module__)
            if (id == other.id or name == other.name) and not again:
                raise ValueError(
                    f"exercise {id} ({name}) collides with {other.id} ({other.name}); ids and names are unique"
                )
        _EXERCISES[id] = Exercise(id, name, points, test, trains)
        return test

    return register


def reading_order(id: str) -> tuple[int, ...]:
    """The key that sorts exercise ids as numbers.

    >>> sorted(["04.10", "04.9", "12.1"], key=reading_order)
    ['04.9', '04.10', '12.1']
    """
    return tuple(int(part) for part in id.split("."))


def exercises(lesson: str | None = None) -> dict[str, Exercise]:
    """All exercises of the course by id, in reading order; or those of one lesson, such as ``"04"``."""
    for number in {id.split(".")[0] for id in catalogue()} if lesson is None else [lesson]:
        importlib.import_module(f"{__name__}.lesson_{number}")
    found = {id: e for id, e in _EXERCISES.items() if lesson is None or id.split(".")[0] == lesson}
    return {id: found[id] for id in sorted(found, key=reading_order)}


def catalogue() -> dict[str, str]:
    """Names of the exercises' functions by id, in reading order, read from the checks without importing them."""
    found: dict[str, str] = {}
    for file in sorted(pathlib.Path(__file__).parent.glob("lesson_*.py")):
        found |= dict(_REGISTERED.findall(file.read_text(encoding="utf-8")))
    return {id: found[id] for id in sorted(found, key=reading_order)}


@dataclass(frozen=True)
class Report:
    """What `check` says, as one line of HTML in JupyterLab and as plain text elsewhere."""

    exercise: str
    name: str
    verdict: str  # "right", "wrong" or "not attempted"
    message: str
    details: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        mark = {"right": "✓", "wrong": "✗", "not attempted": "○"}[self.verdict]
        lines = [f"{mark} {self.exercise} {self.name}: {self.message}"]
        return "\n".join(lines + [f"    {key}: {value}" for key, value in self.details])

    def _repr_html_(self) -> str:
        mark, css = {"right": ("✓", "right"), "wrong": ("✗", "wrong"), "not attempted": ("○", "quiet")}[self.verdict]
        colour = VERDICTS[self.verdict]
        rows = "".join(
            f"<div style='margin-left:1.4em'><b>{html.escape(key)}</b> {html.escape(value)}</div>"
            for key, value in self.details
        )
        return (
            f"<div class='genutils-check genutils-check-{css}' role='status' style='border-left:4px solid {colour};"
            f"padding:.25em .7em;line-height:1.5'><b style='color:{colour}'>{mark}</b> "
            f"<b>{html.escape(self.exercise)}</b> <code>{html.escape(self.name)}</code> "
            f"{html.escape(self.message)}{rows}</div>"
        )


def check(
    fn: Callable,
    exercise: str | None = None,
    *,
    seed: int = 0,
    grading: bool | None = None,
    limit: float | None = None,
) -> None:
    """Test your answer to an exercise and say what it found.

    Args:
        fn: the function (or class) that the exercise asked you to write. Its name tells which exercise it is.
        exercise: the id, such as ``"04.1"``; needed only if you renamed the function.
        seed: the seed of the random inputs.
        grading: raise an error instead of showing a line, unless the answer is right. By default the environment
            variable ``GENUTILS_GRADING`` decides.
        limit: seconds after which a running check is stopped; by default none when you work, 20 when grading.

    Raises:
        TypeError, ValueError: if ``fn`` cannot be matched with an exercise.
        Wrong, NotImplementedError: in grading mode only.
    """
    grading = os.environ.get("GENUTILS_GRADING", "") not in ("", "0") if grading is None else grading
    found = _find(fn, exercise)
    report, error = _examine(fn, found, seed, limit if limit is not None else (20.0 if grading else None), grading)
    if not grading:
        _record.record(found.id, report.verdict)
        display(report)
    elif error is not None:
        raise error from None


def _find(fn: Any, id: str | None) -> Exercise:
    names = catalogue()
    if isinstance(fn, str) or not callable(fn):
        raise TypeError(f"check takes the function itself, for example check(entropy_bits); it was given {fn!r}")
    if id is None:
        name = getattr(fn, "__name__", type(fn).__name__)
        id = next((i for i, known in names.items() if known == name), None)
        if id is None:
            close = difflib.get_close_matches(name, names.values(), n=1)
            guess = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(
                f"no exercise asks for a function named {name!r}{guess} (or name the exercise: check({name}, '04.1'))"
            )
    elif id not in names:
        raise ValueError(f"no exercise {id!r}; the ids are {', '.join(names)}")
    return exercises(id.split(".")[0])[id]


def _examine(
    fn: Any, found: Exercise, seed: int, limit: float | None, grading: bool
) -> tuple[Report, BaseException | None]:
    rng = np.random.default_rng([seed, zlib.crc32(found.id.encode())])

    def report(verdict: str, message: str, *details: tuple[str, str]) -> Report:
        return Report(found.id, found.name, verdict, message, tuple(d for d in details if d[1]))

    try:
        with _time_limit(limit), np.errstate(all="ignore"), _torch_as_it_comes():
            found.test(fn, rng)
    except NotImplementedError:
        return report("not attempted", "not attempted yet."), NotImplementedError(
            f"{found.id} {found.name}: not attempted"
        )
    except _of_kind("Wrong") as wrong:
        details = [("given", wrong.given), ("expected", wrong.expected), ("got", wrong.got), ("hint", wrong.hint)]
        return report("wrong", f"not yet. {wrong.says[:1].upper()}{wrong.says[1:]}.", *details), wrong
    except KeyboardInterrupt as stopped:
        if grading:
            raise
        where = _where(stopped)
        message = "was stopped while it was still running. A loop that never ends?"
        return report("wrong", message, ("at", where)), stopped
    except BaseException as error:  # a learner's SystemExit must not pass as silence
        where = _where(error)
        kind = type(error).__name__
        message = f"raised {kind}: {error}" if str(error) else f"raised {kind}"
        return report("wrong", message, ("at", where)), Wrong(f"{found.name} {message}", got=where and f"at {where}")
    return report("right", "is right: every property holds."), None


def _of_kind(name: str) -> tuple[type, ...]:
    """The classes of this name in ``expect``: ours, and after an edit and ``%autoreload`` the one that is there now."""
    return tuple({getattr(expect, name), globals()[name]})


@contextlib.contextmanager
def _torch_as_it_comes() -> Iterator[None]:
    """Gradients on and numbers in float32, as checks expect, whatever the notebook has set."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "inference_mode"):
        yield
        return
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(before)


def _where(error: BaseException) -> str:
    """The innermost line of the learner's own code in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f
        for f in frames
        if not f.filename.startswith(_HERE)
        and "site-packages" not in f.filename
        and os.sep + "lib" + os.sep not in f.filename
    ]
    return f"line {own[-1].lineno} of your cell: {own[-1].line}" if own and own[-1].line else ""


@contextlib.contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Stop the body with `StillRunning` after so many seconds (where signals exist: a Unix process's main thread)."""
    usable = seconds and hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not usable:
        yield
        return

    def stop(signum: int, frame: Any) -> None:
        raise StillRunning(seconds)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def progress(lesson: str | None = None) -> None:
    """Show which exercises are done, as a small table; ``progress("04")`` shows one lesson."""
    every = [(id, name) for id, name in catalogue().items() if lesson is None or id.split(".")[0] == lesson]
    if not every:
        raise ValueError(f"no lesson {lesson!r} has exercises; lessons are named by two digits, such as '04'")
    display(_record.Table(every, _record.load()))
