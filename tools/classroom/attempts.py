"""A student's attempts on disk: the latest is the submission, the others are kept, and nothing is ever overwritten.

A submission's folder holds what was handed in latest, ``timestamp.txt`` as nbgrader writes it where the platform says
when, and ``.origin.json``: which attempt it is. Earlier ones are in ``submitted/<student>/earlier/<lesson>/``. A folder
is replaced by renaming, so that a run that is stopped leaves each submission whole, old or new; what was collected once
is recognised, so that a second run changes nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import pathlib
import shutil

from tools.classroom import files
from tools.classroom.layout import Classroom
from tools.classroom.platforms import Attempt, when

STAMP, ORIGIN = "timestamp.txt", ".origin.json"
EARLIER, NEW = "earlier", ".new-"
MOST_FILES, MOST_BYTES = 500, 300 * 2**20  # of one person


class Other(Exception):
    """The submission that is there belongs to somebody else of this name."""


def take(room: Classroom, lesson: str, student: str, kind: str, attempt: Attempt, refused: dict[str, str]) -> str:
    """Keep an attempt, as the submission or among the earlier ones.

    Args:
        kind: the platform that it comes from.
        refused: gets the files that were not taken, and why.

    Returns:
        "new", "newer", "older", "unchanged", or "empty" if nothing of it could be taken.

    Raises:
        Other: if by the platform's own numbers another person's submission is there.
    """
    home = room.submitted / student
    current, kept, part = home / lesson, home / EARLIER / lesson, home / f"{NEW}{lesson}.part"
    before = _origins(current, kept)
    old = before.get(current, {})
    if old.get("kind") == kind and old["owner"] != attempt.owner:
        raise Other(f"is number {attempt.owner}; the submission of {student} is that of number {old['owner']}")
    shutil.rmtree(part, ignore_errors=True)
    try:
        if not _unpack(attempt, part, refused):
            return "empty"
        origin = {"kind": kind, "owner": attempt.owner, "name": attempt.name, "rank": attempt.rank}
        origin |= {"late": attempt.late, "digest": digest(part)}
        origin["mark"] = attempt.mark or f"{origin['digest']} {attempt.rank:.0f}"
        files.write(part / ORIGIN, origin)
        stamp(part, attempt.time)
        if origin["digest"] == old.get("digest"):
            if attempt.time and not (current / STAMP).exists():
                stamp(current, attempt.time)
            return "unchanged"
        if (kind, origin["mark"]) in [(o.get("kind"), o.get("mark")) for o in before.values()]:
            return "unchanged"
        if not os.path.lexists(current):
            os.rename(part, current)
            return "new"
        if _later(origin, attempt.time, old, current):
            ready = home / f"{NEW}{lesson}"
            os.rename(part, ready)
            _keep(current, kept, old)
            os.rename(ready, current)
            return "newer"
        if origin["digest"] in [o.get("digest") for o in before.values()]:
            return "unchanged"
        _keep(part, kept, origin)
        return "older"
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):
            home.rmdir()  # if nothing was put there


def finish(room: Classroom, lesson: str) -> None:
    """Complete what a run left that was stopped between two steps."""
    for ready in room.submitted.glob(f"*/{NEW}{lesson}"):
        current = ready.with_name(lesson)
        if not os.path.lexists(current):
            os.rename(ready, current)
        shutil.rmtree(ready, ignore_errors=True)


def _unpack(attempt: Attempt, part: pathlib.Path, refused: dict[str, str]) -> int:
    """Write an attempt's files; how many."""
    count, bytes = 0, 0
    for name, item in sorted(attempt.items.items()):
        if name.startswith(".") or name == STAMP:
            continue  # what students put there tells neither time nor origin
        try:
            data = item.read()
            if count >= MOST_FILES or bytes + len(data) > MOST_BYTES:
                raise OSError(f"is more than one may hand in ({MOST_FILES} files, {MOST_BYTES // 2**20} MB)")
        except OSError as error:
            refused["/".join(item.path)] = str(error)
            continue
        try:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(data)
        except (NotADirectoryError, FileExistsError, IsADirectoryError):
            refused["/".join(item.path)] = "is a file and a folder at once"
            continue
        count, bytes = count + 1, bytes + len(data)
    return count


def _later(origin: dict, time: dt.datetime | None, old: dict, current: pathlib.Path) -> bool:
    """Whether an attempt is later than the submission; where nothing tells, what is collected later is."""
    if origin["kind"] == old.get("kind"):
        return origin["rank"] >= old["rank"]
    before = stamped(current)
    return time is None or before is None or time >= before


def _origins(current: pathlib.Path, kept: pathlib.Path) -> dict[pathlib.Path, dict]:
    """Where the submission and the earlier attempts are from; of what was put there by hand, the content."""
    found = {f: files.read(f / ORIGIN) or {} for f in (sorted(kept.iterdir()) if kept.is_dir() else [])}
    if current.exists():
        found[current] = (files.read(current / ORIGIN) or {}) | {"digest": digest(current)}
    return found


def _keep(folder: pathlib.Path, kept: pathlib.Path, origin: dict) -> None:
    """Put an attempt among the earlier ones, numbered as they come."""
    kept.mkdir(parents=True, exist_ok=True)
    numbers = [int(n) for n in (p.name.partition("-")[0] for p in kept.iterdir()) if n.isdigit()]
    os.rename(folder, kept / f"{1 + max(numbers, default=0):03d}-{origin.get('kind', 'by-hand')}")


def digest(folder: pathlib.Path) -> str:
    """What a submission's files amount to: their names and bytes, not their times."""
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not file.is_symlink() and name not in (STAMP, ORIGIN):
            total.update(f"{name}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape") + file.read_bytes())
    return total.hexdigest()


def stamp(folder: pathlib.Path, time: dt.datetime | None) -> None:
    """Note when it was handed in (UTC) as nbgrader does."""
    if time:
        (folder / STAMP).write_text(f"{time:%Y-%m-%d %H:%M:%S.%f} UTC", encoding="utf-8")


def stamped(folder: pathlib.Path) -> dt.datetime | None:
    """When it was handed in (UTC); None if nobody knows."""
    try:
        return when((folder / STAMP).read_text(encoding="utf-8"), dt.UTC)
    except (OSError, ValueError):
        return None
