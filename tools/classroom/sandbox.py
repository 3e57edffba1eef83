"""The box in which a student's code runs: it sees what Python needs, read-only, and nothing else of this machine.

Where the system has namespaces for its users (Linux 5.12 or later), a box has its own (`namespaces`). Elsewhere the
code runs with the rights of whoever grades, and `Box.missing` says why.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from tools.classroom import namespaces
from tools.classroom.system import resource

_PDEATHSIG, _DUMPABLE, _SUBREAPER = 1, 4, 36
PROCESSES = 100
FILES = 1024


def follow_parent() -> None:
    """End this process when its parent ends."""
    namespaces.prctl(_PDEATHSIG, signal.SIGKILL)


def hide() -> None:
    """Let nobody of the same user look into this process or write to its memory."""
    namespaces.prctl(_DUMPABLE, 0)


class Box:
    """Processes that run a student's code, and the line to the first of them.

    Args:
        inside: what runs in it, with the other end of the line.
        shown: folders of the course to be seen inside, besides Python and its packages.
        memory: bytes of address space of each process, and of what all of them may hold besides what they began with.
        hidden: folders that are not to be seen, even if they lie in one that is (a course below ``/usr``).
    """

    def __init__(
        self, inside: Callable[[socket.socket], Any], shown: list[str], memory: int, hidden: tuple[str, ...] = ()
    ):
        self.memory, self.hidden, self._looked = memory, hidden, 0.0
        self._begun_with = _private(os.getpid())
        self.missing = self._begin(inside, shown, closed=True)
        if self.missing:
            os.waitpid(self.pid, 0)
            self.line.close()
            self._begin(inside, shown, closed=False)
        self.closed = not self.missing

    def _begin(self, inside: Callable, shown: list[str], closed: bool) -> str:
        """Fork the processes; what the system refuses, or ""."""
        self.line, theirs = socket.socketpair()
        told, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _alone(theirs.fileno(), tell)
                namespaces.prctl(_DUMPABLE, 1)
                namespaces.prctl(_SUBREAPER, 1)
                with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
                    file.write("1000")  # if memory runs out, this goes first
                follow_parent()
                _keeper(inside, theirs, tell, (shown, self.hidden) if closed else None, self.memory)
            finally:
                os._exit(0)
        os.close(tell)
        theirs.close()
        with open(told, encoding="utf-8") as file:
            said = dict(line.rstrip("\n").split("=", 1) for line in file)
        self.first = int(said.get("first", self.pid))
        return said.get("missing", "the process that was to set it up has ended")

    def trouble(self) -> str:
        """Why this box must be ended now: too many processes, or too much memory."""
        if time.monotonic() - self._looked < 0.2:
            return ""
        self._looked = time.monotonic()
        inside = _descendants(self.pid)
        if len(inside) > PROCESSES:
            return f"it started more than {PROCESSES} processes"
        unmapped = _unmapped(inside)
        if sum(max(0, _private(pid) - self._begun_with) for pid in inside) + unmapped > self.memory:
            if sum(_share(pid) for pid in inside) + unmapped > self.memory:
                return f"it used more than {self.memory / 2**30:g} GB of memory"
        return ""

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Meanwhile a thread looks for trouble, and ends the box if there is some."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.25):
                if self.trouble():
                    self._kill()
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _kill(self) -> None:
        if self.closed:  # the first process takes all others of its namespace along
            with contextlib.suppress(OSError):
                os.kill(self.first, signal.SIGKILL)
        else:
            end(self.pid, itself=True)

    def end(self) -> None:
        """Nothing that ran in it is left."""
        self._kill()
        with contextlib.suppress(OSError):
            os.waitpid(self.pid, 0)
        self.line.close()


def refusal() -> str:
    """What this system refuses to a closed box, in its words; "" if it can be closed."""
    try:
        box = Box(lambda line: None, [], 2**40)
    except (OSError, AttributeError) as error:
        return str(error)
    box.end()
    return box.missing


def _keeper(inside: Callable, line: socket.socket, tell: int, seen: tuple | None, memory: int) -> None:
    """The process between session and box: enters the namespaces, and waits for the first process in them."""

    def say(what: str, text: str) -> None:
        os.write(tell, f"{what}={text}\n".encode())

    try:
        namespaces.leave_network() if seen is None else namespaces.leave()
        first = os.fork()
    except (OSError, AttributeError) as error:
        return say("missing", str(error).replace("\n", " ") or type(error).__name__)
    if first:
        say("first", str(first))
        os.close(tell)
        line.close()
        os.waitpid(first, 0)
        return
    follow_parent()
    try:
        if seen is not None:
            namespaces.enter(*seen)
            os.environ |= {"HOME": "/tmp", "TMPDIR": "/tmp", "USER": "student", "LOGNAME": "student"}
        os.chdir("/tmp")
        _bound(memory)
    except (OSError, AttributeError) as error:
        return say("missing", str(error))
    say("missing", "")
    os.close(tell)
    runs = os.fork()
    if runs == 0:
        inside(line)
        os._exit(0)
    line.close()
    while os.wait()[0] != runs:  # others come here when their parents have ended
        pass


def _alone(*kept: int) -> None:
    """No other file is open, and nothing is read or said."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    low = 3
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 65536)


def _bound(memory: int) -> None:
    limits = {"AS": memory, "FSIZE": 2**30, "CORE": 0, "NOFILE": FILES}
    release = tuple(int(part) for part in platform.release().split(".")[:2] if part.isdigit())
    if sys.platform == "linux" and release >= (5, 14):  # from then on counted for each user namespace
        limits["NPROC"] = 2 * PROCESSES
    for what, limit in limits.items() if resource else ():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (limit, limit))


def bound_memory(memory: int) -> None:
    """From now on this process gets no more address space than that."""
    with contextlib.suppress(ValueError, OSError, AttributeError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _descendants(pid: int) -> list[int]:
    """Numbers of all processes below one, read where the system lists them, else looked for."""
    found, todo = [], [pid]
    try:
        while todo:
            one = todo.pop()
            with contextlib.suppress(ProcessLookupError):
                for thread in os.listdir(f"/proc/{one}/task"):
                    with open(f"/proc/{one}/task/{thread}/children") as file:
                        todo += map(int, file.read().split())
            found.append(one)
        return found[1:]
    except OSError:
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        return []


def _private(pid: int) -> int:
    """Bytes of memory of a process, but for files, whoever else has the same pages; memory that is shared, too."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:
        said = dict(line.split(":", 1) for line in file)
        return 1024 * sum(int(said[kind].split()[0]) for kind in ("RssAnon", "RssShmem") if kind in said)
    with contextlib.suppress(psutil.Error):
        memory = psutil.Process(pid).memory_info()
        return memory.rss - getattr(memory, "shared", 0)
    return 0


def _unmapped(pids: list[int]) -> int:
    """Bytes in files that exist only in memory, and are open in these processes."""
    sizes = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/memfd:"):
                        file = os.stat(f"/proc/{pid}/fd/{fd}")
                        sizes[file.st_dev, file.st_ino] = 512 * file.st_blocks
    return sum(sizes.values())


def _share(pid: int) -> int:
    """Bytes of memory of a process, each page divided among those who have it, if that can be read."""
    with contextlib.suppress(OSError, StopIteration):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return _private(pid)


def end(pid: int, itself: bool = False) -> None:
    """Kill all descendants of a process of ours, and perhaps the process itself."""
    for _ in range(50):  # what is read while processes come and go is not complete
        children = _descendants(pid)
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        if not children:
            break
        time.sleep(0.01)
    if itself:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
