"""What this system can protect from, asked of it: without fork nothing is judged; what else is missing is said."""

from __future__ import annotations

import os

from tools.classroom.layout import Problem, fcntl

try:
    import resource
except ImportError:  # Windows
    resource = None


def can_judge() -> None:
    """`Problem` where a process cannot be forked: an answer would share its memory with the judge."""
    if not hasattr(os, "fork"):
        raise Problem(
            "releasing and grading need Linux or macOS: here a student's function cannot be kept apart from its judge, "
            "and nothing of yours would be protected from it (on Windows, use WSL)."
        )


def unprotected(refused: str) -> list[str]:
    """In words, what students' code is not kept from here.

    Args:
        refused: why it is not confined (`sandbox.refusal`), or "".
    """
    missing = []
    if refused:
        missing.append(
            f"students' code is not confined ({refused}): it can read and change what you can; grade on Linux with "
            "user namespaces, or in a container that has nothing else in it"
        )
    if resource is None:
        missing.append("memory and file size of students' code are not bounded")
    if fcntl is None:
        missing.append("nothing keeps two runs at a time from writing each other's files")
    return missing


def must_confine(refused: str) -> None:
    """`Problem` where students' code cannot be confined."""
    if refused:
        raise Problem(f"--strict: nothing was graded, for here {unprotected(refused)[0]}.")
