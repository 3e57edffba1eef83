"""A download, zip or folder, as a list of files; what is dangerous or cannot be read is refused by name."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import stat
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from tools.classroom import files
from tools.classroom.files import LARGEST
from tools.classroom.layout import Problem

MOST_FILES, MOST_BYTES = 100_000, 20 * 2**30
_BOMB = 200  # a notebook packs to a tenth; what packs to less than a two-hundredth is refused
_JUNK = re.compile(r"__MACOSX|\.DS_Store|Thumbs\.db|\._.*|\.ipynb_checkpoints|\.git")


@dataclass(frozen=True)
class Item:
    """A file of a download: where it stands in it (NFC), when it was changed (seconds since 1970), and its bytes."""

    path: tuple[str, ...]
    modified: float
    open: Callable[[], IO[bytes]]

    def read(self) -> bytes:
        """The whole file.

        Raises:
            OSError: if it is damaged or larger than a notebook may be; its text says so.
        """
        try:
            with self.open() as file:
                data = file.read(LARGEST + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
            raise OSError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
        except Exception as error:  # of zlib, lzma and bz2
            raise OSError(f"is damaged ({error})") from None
        if len(data) > LARGEST:
            raise OSError(f"is larger than {LARGEST // 2**20} MB")
        return data


@dataclass
class Download:
    """What was downloaded."""

    items: list[Item] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # name -> why


@contextlib.contextmanager
def opened(source: pathlib.Path) -> Iterator[Download]:
    """The files of a zip or of a folder, to be read while it is open.

    Raises:
        Problem: if it is neither, or larger than any class could hand in.
    """
    if source.is_dir():
        yield _bounded(_folder(source), source)
    elif not source.exists():
        raise Problem(f"there is no {source}; give the zip file or the folder that you downloaded.")
    elif not zipfile.is_zipfile(source):
        raise Problem(f"{source} is neither a folder nor a zip file; unpack it, and give the folder.")
    else:
        try:
            archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
            raise Problem(f"{source} is damaged ({error}); download it again.") from None
        with archive:
            yield _bounded(_zip(archive), source)


def _bounded(found: Download, source: pathlib.Path) -> Download:
    if len(found.items) > MOST_FILES:
        raise Problem(f"{source} holds more than {MOST_FILES:,} files; no class hands in as many.")
    return found


def _zip(archive: zipfile.ZipFile) -> Download:
    found, seen, bytes = Download(), set(), 0
    for info in archive.infolist():
        name = _name(info)
        path = tuple(p for p in name.split("/") if p not in ("", "."))
        if info.is_dir() or not path or any(map(_JUNK.fullmatch, path)):
            continue
        bytes += info.file_size
        why = _entry(info) or _place(name, path) or ("is twice in the zip" if path in seen else "")
        if not why and bytes > MOST_BYTES:
            why = f"unpacks to more than {MOST_BYTES // 2**30} GB together with what stands before it"
        if why:
            found.refused[files.printable(name)] = why
            continue
        seen.add(path)
        found.items.append(Item(path, _modified(info), lambda info=info: archive.open(info)))
    return found


def _name(info: zipfile.ZipInfo) -> str:
    """The name of an entry: Windows packs with backslashes, macOS in UTF-8 without saying so."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _entry(info: zipfile.ZipInfo) -> str:
    """Why an entry of a zip is refused; empty if it is not."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x1:
        return "is encrypted"
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFREG):
        return "is not a file"
    if info.file_size > LARGEST:
        return f"is larger than {LARGEST // 2**20} MB"
    if info.file_size > 2**20 and info.file_size > _BOMB * info.compress_size:
        return f"unpacks to {info.file_size // max(info.compress_size, 1)} times its size"
    return ""


def _place(name: str, path: tuple[str, ...]) -> str:
    """Why a path is refused; empty if it is not."""
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in path:
        return "leads out of its folder"
    if len(path) > 20 or any(len(p.encode("utf-8", "replace")) > 200 for p in path):
        return "has too long a name"
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        return "has a name that cannot be printed"
    return ""


def _modified(info: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def _folder(source: pathlib.Path) -> Download:
    found = Download()

    def unreadable(error: OSError) -> None:
        found.refused[files.printable(os.path.relpath(error.filename, source))] = f"cannot be read ({error.strerror})"

    for folder, folders, names in os.walk(source, onerror=unreadable):
        folders[:] = sorted(f for f in folders if not _JUNK.fullmatch(f))
        for name in [*(f for f in folders if os.path.islink(os.path.join(folder, f))), *sorted(names)]:
            file = pathlib.Path(folder, name)
            relative = unicodedata.normalize("NFC", file.relative_to(source).as_posix())
            path = tuple(relative.split("/"))
            if _JUNK.fullmatch(name):
                continue
            about = file.lstat()
            why = _place(relative, path)
            if stat.S_ISLNK(about.st_mode):
                why = "is a link"
            elif not stat.S_ISREG(about.st_mode):
                why = "is not a file"
            elif about.st_size > LARGEST:
                why = f"is larger than {LARGEST // 2**20} MB"
            if why:
                found.refused[files.printable(relative)] = why
            else:
                found.items.append(Item(path, about.st_mtime, lambda file=file: open(file, "rb")))  # noqa: SIM115
    return found
