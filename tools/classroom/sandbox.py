"""The box in which a student's code runs, and how the processes of grading keep together and apart."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import psutil

_PDEATHSIG, _DUMPABLE, _SUBREAPER = 1, 4, 36


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError, TypeError):  # not Linux
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def follow_parent() -> None:
    """End this process when its parent ends."""
    _prctl(_PDEATHSIG, signal.SIGKILL)


def hide() -> None:
    """Let nobody of the same user look into this process or write to its memory."""
    _prctl(_DUMPABLE, 0)


class Box:
    """Processes that run a student's code, and the line to the first of them."""

    closed = False

    def __init__(self, inside: Callable[[socket.socket], Any], limits: dict):
        self.line, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.line.close()
                _prctl(_DUMPABLE, 1)
                _prctl(_SUBREAPER, 1)
                follow_parent()
                inside(theirs)
            finally:
                os._exit(0)
        theirs.close()

    def trouble(self) -> str:
        return ""

    def end(self) -> None:
        """Nothing that ran in it is left."""
        end(self.pid, itself=True)
        with contextlib.suppress(OSError):
            os.waitpid(self.pid, 0)
        self.line.close()


def end(pid: int, itself: bool = False) -> None:
    """Kill all descendants of a process of ours, and perhaps the process itself."""
    for _ in range(3):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            children = process.children(recursive=True)
            for child in children:
                with contextlib.suppress(psutil.Error):
                    child.kill()
            psutil.wait_procs(children, timeout=1)
            if not children:
                break
    if itself:
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).kill()
