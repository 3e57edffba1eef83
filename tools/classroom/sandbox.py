"""What a grading process gives up before a student's code runs in it. All of it is best effort."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct

import psutil

from tools.classroom.layout import fcntl
from tools.classroom.system import resource

_NEWUSER, _NEWNET, _SUBREAPER = 0x10000000, 0x40000000, 36


def isolate(memory: int) -> dict[str, bool]:
    """No network, bounded memory and file size, and no process that outlives this one unseen.

    Args:
        memory: bytes of address space for each process.
    """
    done = {"network": _no_network()}
    for what, limit in (("RLIMIT_AS", memory), ("RLIMIT_FSIZE", 2**30), ("RLIMIT_CORE", 0)) if resource else ():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, what), (limit, limit))
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    return done


def _no_network() -> bool:
    """A network namespace of our own, in which only the loopback device exists."""
    if fcntl is None:
        return False
    uid, gid = os.getuid(), os.getgid()
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEWUSER | _NEWNET) != 0:
            return False
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: loopback up
        return True
    except (OSError, AttributeError):
        return False


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
