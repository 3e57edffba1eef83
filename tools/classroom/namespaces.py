"""Namespaces of a process's own: no network, other process numbers, and files that are only those shown (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import platform
import struct
import sys
from typing import Any

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE, _DETACH = 1, 2, 4, 8, 4096, 16384, 1 << 18, 2
_BOUNDING, _SECUREBITS, _NO_NEW_PRIVS = 24, 28, 38
_MOUNT_SETATTR = 442  # the number of this call is the same on every processor
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219}  # that of this one is not
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime")
DEVICES = ("null", "zero", "full", "random", "urandom")
ROOM = 256 * 2**20  # bytes of files that may be written


def prctl(option: int, *values: int) -> None:
    """Tell the kernel something about this process; where there is no such call, nothing happens."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(option, *(*values, 0, 0, 0, 0)[:4])


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


def leave_network() -> None:
    """A network of its own, in which nothing can be reached, if the system gives that."""
    with contextlib.suppress(OSError, AttributeError):
        _own_user(_NEWNET)


def leave() -> None:
    """The next process that is forked is the first of namespaces of its own.

    Raises:
        OSError: the system refuses that.
    """
    if sys.platform != "linux":
        raise OSError("this system has no namespaces")
    _own_user(_NEWNS | _NEWPID | _NEWNET | _NEWIPC | _NEWUTS)


def _own_user(others: int) -> None:
    """A user namespace of its own, with other namespaces, in which this user is the same as outside."""
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", _NEWUSER | others)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        pathlib.Path(f"/proc/self/{name}").write_text(text)


def enter(shown: list[str], hidden: tuple[str, ...] = ()) -> None:
    """In that first process: see only the files that Python needs and those shown, and give up all rights.

    Args:
        hidden: folders that are empty inside, but for what of Python's, or shown, lies in them.
    """
    with contextlib.suppress(OSError):  # no namespaces inside of this one
        pathlib.Path("/proc/sys/user/max_user_namespaces").write_text("0")
    for name, value in (("shm_rmid_forced", "1"), ("shmall", f"{ROOM // 4096}"), ("msgmni", "16")):
        with contextlib.suppress(OSError):  # memory that no process has mapped
            pathlib.Path(f"/proc/sys/kernel/{name}").write_text(value)
    if number := _KEYCTL.get(platform.machine()):
        ctypes.CDLL(None).syscall(*map(ctypes.c_long, (number, 1, 0)))  # an empty keyring, not that of the session
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
    for path in SYSTEM:
        _show(path)
    masks, wanted = [], {*_python(), *shown}
    for path in sorted({*wanted, *hidden}, key=len):
        if path in wanted:
            _show(path)
        elif os.path.isdir(f"/new{path}"):
            _mount("tmpfs", f"/new{path}", "tmpfs", _NOSUID | _NODEV, "size=1m,mode=755")
            masks.append(path)
    for path in masks:
        _read_only(f"/new{path}", deep=False)
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
    _give_up_rights()


def _python() -> list[str]:
    """Where the interpreter and its packages are: as they are named here, and as they really are."""
    named = {sys.prefix, sys.base_prefix, *(p for p in sys.path if p.endswith("site-packages"))}
    return sorted({*named, *(os.path.realpath(path) for path in named)}, key=len)


def _show(path: str) -> None:
    old = f"/old{path}"
    if os.path.islink(old) and path in SYSTEM and not os.path.isabs(os.readlink(old)):
        os.symlink(os.readlink(old), f"/new{path}")
    elif os.path.lexists(old) and not os.path.lexists(f"/new{path}"):
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
    prctl(_SECUREBITS, 0b101111)  # no rights come with uid 0, locked
    prctl(_NO_NEW_PRIVS, 1)
    _call("capset", struct.pack("2I", 0x20080522, 0), struct.pack("6I", *[0] * 6))
