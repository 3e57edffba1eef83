"""What a lesson says with the numbers it has just computed: sentences, claims that are asserted, and source to read."""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import pathlib
import re
import sys
import textwrap
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

_STARTED = time.perf_counter()


def display(thing: Any) -> None:
    """Show an object richly in a notebook, print it elsewhere."""
    try:
        from IPython import get_ipython
        from IPython.display import display as rich
    except ImportError:
        _print(thing)
        return
    if get_ipython() is None:
        _print(thing)
    else:
        rich(thing)


_MARKS = str.maketrans({"✓": "[right]", "✗": "[wrong]", "○": "o", "●": "@", "◐": "%", "−": "-", "–": "-", "→": "->"})


def _print(thing: Any) -> None:
    """Print, also where the terminal's encoding has no check mark: then in letters, the rest with question marks."""
    try:
        print(thing)
    except UnicodeEncodeError as error:
        print(str(thing).translate(_MARKS).encode(error.encoding, "replace").decode(error.encoding))


@dataclass(frozen=True)
class Markdown:
    """A piece of Markdown that reads as itself in a terminal."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def say(text: str) -> None:
    """Show a sentence of the lesson whose numbers were computed by the run (an f-string, Markdown and ``$`` maths)."""
    display(Markdown(_prose(text)))


def claim(condition: bool, text: str) -> None:
    """Assert a claim of the lesson, then show it.

    Args:
        condition: a plain truth value. Anything else is refused, so that a claim cannot hold by accident.
        text: the claim in Markdown, with its numbers.

    Raises:
        AssertionError: the claim does not hold; the message is the claim.
        TypeError: the condition is not a truth value.

    >>> claim(2 + 2 == 4, "Two and two are four.")
    ✓ Two and two are four.
    """
    if type(condition) not in (bool, np.bool_):
        raise TypeError(f"claim needs True or False, but was given {type(condition).__name__}; use .all() or bool(...)")
    if not condition:
        raise AssertionError(f"this claim does not hold here: {text}")
    display(Markdown(f"✓ {_prose(text)}"))


def source(thing: Any, *, docstring: bool = False) -> None:
    """Show the source of a tested function or class, highlighted, so that the package is read and not pasted.

    Args:
        thing: a function, method, class or module.
        docstring: keep the docstrings.

    Raises:
        TypeError: there is no Python source, for example for something built in.
    """
    thing = getattr(thing, "py_func", thing)  # what numba compiled
    try:
        text = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError) as error:
        raise TypeError(
            f"source shows Python functions, classes and modules; {thing!r} has no source to show"
        ) from error
    if not docstring:
        text = _without_docstrings(text)
    display(Markdown(f"```python\n{text.strip()}\n```"))


def took() -> None:
    """Say what this run of a lesson has taken so far: seconds since ``genutils`` was imported, and peak memory.

    The one sentence of a lesson that differs from run to run, and so it stands at its end.
    """
    seconds = time.perf_counter() - _STARTED
    memory = f"at most {spent()[1] / 1e6:,.0f} MB of memory"
    say(f"*This run took {seconds:.0f} seconds and {memory}, on a machine with {os.cpu_count()} cores.*")


def spent() -> tuple[float, int]:
    """CPU seconds of this process and of the children it waited for, and its peak memory in bytes, since it began."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system, _peak_memory()


def _peak_memory() -> int:
    """In bytes. Linux says it of this program alone; ``resource`` there may mean the process that started it."""
    with contextlib.suppress(OSError):
        if found := re.search(r"VmHWM:\s*(\d+) kB", pathlib.Path("/proc/self/status").read_text(encoding="utf-8")):
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _prose(text: str) -> str:
    """Without its indentation; a % that begins a line is escaped, or the book would take the line for a comment."""
    return re.sub(r"(?m)^(\s*)%", r"\1\\%", inspect.cleandoc(text))


def _without_docstrings(text: str) -> str:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)) and len(node.body) > 1:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                for i in range(first.lineno - 1, first.end_lineno):
                    lines[i] = None
    return "\n".join(line for line in lines if line is not None)
