"""The box in which a student's code runs: it sees what Python needs, read-only, and nothing else of this machine.

Where the system has namespaces for its users (Linux 5.13 or later), a box has its own: no network, its own process
numbers, and as root a small file system in memory with the interpreter, the libraries and the course bound into it.
Elsewhere the code runs with the rights of whoever grades, and `Box.closed` says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import platform
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from tools.classroom.system import resource

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE, _DETACH = 1, 2, 4, 8, 4096, 16384, 1 << 18, 2
_PDEATHSIG, _DUMPABLE, _BOUNDING, _SECUREBITS, _SUBREAPER, _NO_NEW_PRIVS = 1, 4, 24, 28, 36, 38
_MOUNT_SETATTR = 442  # the number of this call is the same on every processor
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime")
DEVICES = ("null", "zero", "full", "random", "urandom")
ROOM = 256 * 2**20  # bytes of files that a submission may write
PROCESSES = 100
FILES = 1024


class Refused(Exception):
    """The system does not give what a closed box needs."""


# -- processes


def _prctl(option: int, *values: int) -> None:
    with contextlib.suppress(OSError, AttributeError, TypeError):  # not Linux
        ctypes.CDLL(None).prctl(option, *(*values, 0, 0, 0, 0)[:4])


def follow_parent() -> None:
    """End this process when its parent ends."""
    _prctl(_PDEATHSIG, signal.SIGKILL)


def hide() -> None:
    """Let nobody of the same user look into this process or write to its memory."""
    _prctl(_DUMPABLE, 0)


class Box:
    """Processes that run a student's code, and the line to the first of them.

    Args:
        inside: what runs in it, with the other end of the line.
        shown: folders of the course to be seen inside, besides Python and its packages.
        memory: bytes of address space of each process, and of what all of them may hold besides what they began with.
    """

    def __init__(self, inside: Callable[[socket.socket], Any], shown: list[str], memory: int):
        self.memory, self._looked, self._killed = memory, 0.0, ""
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
                _prctl(_DUMPABLE, 1)
                _prctl(_SUBREAPER, 1)
                follow_parent()
                _keeper(inside, theirs, tell, shown if closed else None, self.memory)
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
        if sum(max(0, _private(pid) - self._begun_with) for pid in inside) > self.memory:
            if sum(_share(pid) for pid in inside) > self.memory:
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


def _keeper(inside: Callable, line: socket.socket, tell: int, shown: list[str] | None, memory: int) -> None:
    """The process between session and box: enters the namespaces, and waits for the first process in them."""

    def say(what: str, text: str) -> None:
        os.write(tell, f"{what}={text}\n".encode())

    try:
        if shown is None:
            _no_network()
        elif sys.platform == "linux":
            _own_user(_NEWNS | _NEWPID | _NEWNET | _NEWIPC | _NEWUTS)
        else:
            raise Refused("this system has no namespaces")
        first = os.fork()
    except (OSError, Refused, AttributeError) as error:
        return say("missing", str(error).replace("\n", " ") or type(error).__name__)
    if first:
        say("first", str(first))
        os.close(tell)
        line.close()
        os.waitpid(first, 0)
        return
    follow_parent()
    try:
        if shown is not None:
            _enter(shown)
            _give_up_rights()
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
        limits["NPROC"] = PROCESSES
    for what, limit in limits.items() if resource else ():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (limit, limit))


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
    """Bytes of memory of a process, but for files, whoever else has the same pages."""
    with contextlib.suppress(psutil.Error):
        memory = psutil.Process(pid).memory_info()
        return memory.rss - getattr(memory, "shared", 0)
    return 0


def _share(pid: int) -> int:
    """Bytes of memory of a process, each page divided among those who have it, if that can be read."""
    with contextlib.suppress(OSError, StopIteration):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return _private(pid)


def end(pid: int, itself: bool = False) -> None:
    """Kill all descendants of a process of ours, and perhaps the process itself."""
    for _ in range(3):
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


# -- namespaces


def _call(name: str, *args: Any) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    try:
        _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode() or None)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} ({source} on {target})") from None


def _read_only(path: str, deep: bool = True) -> None:
    """Make a mount, and those below it, read-only, without devices and without programs that change rights."""
    wish = struct.pack("4Q", _RDONLY | _NOSUID | _NODEV, 0, 0, 0)
    numbers = [ctypes.c_long(n) for n in (_MOUNT_SETATTR, -100)]
    flags = ctypes.c_long(0x8000 if deep else 0)
    _call("syscall", *numbers, path.encode(), flags, wish, ctypes.c_long(len(wish)))


def _no_network() -> None:
    """Where no more is to be had: a network namespace of its own, in which nothing can be reached."""
    with contextlib.suppress(OSError, AttributeError):
        _own_user(_NEWNET)


def _own_user(others: int) -> None:
    """A user namespace of its own, with other namespaces, in which this user is the same as outside."""
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", _NEWUSER | others)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        pathlib.Path(f"/proc/self/{name}").write_text(text)


def _enter(shown: list[str]) -> None:
    """Leave this system's files for some that are only those shown."""
    with contextlib.suppress(OSError):  # no namespaces inside of this one
        pathlib.Path("/proc/sys/user/max_user_namespaces").write_text("0")
    _mount("", "/", "", _REC | _PRIVATE)
    _mount("tmpfs", "/tmp", "tmpfs", _NOSUID | _NODEV, "size=1m,mode=755")
    for name in ("new", "old"):
        os.mkdir(f"/tmp/{name}")
    _mount("/tmp/new", "/tmp/new", "", _BIND | _REC)
    _call("pivot_root", b"/tmp", b"/tmp/old")
    os.chdir("/")
    for name in ("proc", "tmp"):
        os.mkdir(f"/new/{name}")
    _mount("tmpfs", "/new/tmp", "tmpfs", _NOSUID | _NODEV, f"size={ROOM},mode=1777,nr_inodes=20000")
    for path in dict.fromkeys([*SYSTEM, *_python(), *shown]):
        _show(path)
    for name in DEVICES:
        _bind(f"/dev/{name}", devices=True)
    pathlib.Path("/new/etc/passwd").write_text(f"student:x:{os.getuid()}:{os.getgid()}::/tmp:/bin/sh\n")
    os.symlink("/tmp", "/new/dev/shm")
    with contextlib.suppress(OSError):  # where it is refused (in some containers) there is no /proc
        _mount("proc", "/new/proc", "proc", _NOSUID | _NODEV | _NOEXEC | _RDONLY, "subset=pid")
    os.chdir("/new")
    _call("pivot_root", b".", b".")
    _call("umount2", b".", _DETACH)
    os.chdir("/")
    _read_only("/", deep=False)


def _python() -> list[str]:
    """Where the interpreter and its packages are: as they are named here, and as they really are."""
    named = {sys.prefix, sys.base_prefix, *(p for p in sys.path if p.endswith("site-packages"))}
    return sorted({*named, *(os.path.realpath(path) for path in named)}, key=len)


def _show(path: str) -> None:
    old = f"/old{path}"
    if os.path.islink(old) and path in SYSTEM and not os.path.isabs(os.readlink(old)):
        os.symlink(os.readlink(old), f"/new{path}")
    elif os.path.lexists(old) and not os.path.exists(f"/new{path}"):
        _bind(path)


def _bind(path: str, devices: bool = False) -> None:
    source, target = _inside_old(path), f"/new{path}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        pathlib.Path(target).touch()
    _mount(source, target, "", _BIND | _REC)
    if not devices:
        _read_only(target)


def _inside_old(path: str) -> str:
    """A path of the former system, its links followed within that system."""
    parts, done, hops = path.strip("/").split("/"), "", 0
    while parts:
        part = parts.pop(0)
        if part in ("", "."):
            continue
        done = os.path.dirname(done) if part == ".." else f"{done}/{part}"
        if os.path.islink(f"/old{done}") and hops < 40:
            goal, hops = os.readlink(f"/old{done}"), hops + 1
            done = "" if goal.startswith("/") else os.path.dirname(done)
            parts = [*goal.strip("/").split("/"), *parts]
    return f"/old{done}"


def _give_up_rights() -> None:
    """No rights of root's, in this namespace too, and no way to get any."""
    with contextlib.suppress(OSError):
        for capability in range(64):
            ctypes.CDLL(None).prctl(_BOUNDING, capability, 0, 0, 0)
    _prctl(_SECUREBITS, 0b101111)  # no rights come with uid 0, locked
    _prctl(_NO_NEW_PRIVS, 1)
    _call("capset", struct.pack("2I", 0x20080522, 0), struct.pack("6I", *[0] * 6))
