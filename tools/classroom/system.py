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


def unprotected(network: bool) -> list[str]:
    """In words, what students' code is not kept from here.

    Args:
        network: whether the network was taken away from it.
    """
    missing = (
        []
        if network
        else ["the network cannot be taken away from students' code; grade in a container if that matters"]
    )
    if resource is None:
        missing.append("memory and file size of students' code are not bounded")
    if fcntl is None:
        missing.append("nothing keeps two runs at a time from writing each other's files")
    return missing
