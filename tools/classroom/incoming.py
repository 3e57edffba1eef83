"""The command `collect`: what a platform lets you download, put where grading looks for it."""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.classroom import attempts, download, exchange, files, lateness, platforms, roster
from tools.classroom.layout import Classroom, Problem
from tools.classroom.platforms import Attempt
from tools.classroom.roster import Roster


@dataclass
class Summary:
    """What became of a download."""

    kind: str = ""
    done: collections.Counter = field(default_factory=collections.Counter)  # new, newer, older, unchanged
    unmatched: dict[str, str] = field(default_factory=dict)  # name in the download -> why
    refused: dict[str, str] = field(default_factory=dict)  # file -> why
    missing: list[str] = field(default_factory=list)  # on the roster, and nothing was ever handed in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("source", type=pathlib.Path, help="the zip file or the folder that you downloaded")
    parser.add_argument("--kind", choices=platforms.SAID, help="where it is from (default: told from its names)")
    says = "when they were handed in: Moodle's grading worksheet, or a csv of student,time"
    parser.add_argument("--times", type=pathlib.Path, metavar="CSV", help=says)
    says = "from an exchange, take also what another account of this machine put there, as in a copy of it"
    parser.add_argument("--any-account", action="store_true", help=says)


def run(room: Classroom, args: argparse.Namespace) -> int:
    how = {"kind": args.kind, "times": args.times, "any_account": args.any_account}
    found = collect(room, args.lesson, args.source.expanduser(), **how)
    return 1 if found.unmatched or found.refused else 0


def collect(
    room: Classroom,
    lesson: str,
    source: pathlib.Path,
    *,
    kind: str | None = None,
    times: pathlib.Path | None = None,
    any_account: bool = False,
    say: Callable[[str], Any] = print,
) -> Summary:
    """Put a download's submissions into ``submitted/<student>/<lesson>/``, and say what could not be.

    Args:
        kind: a name of `platforms.SAID`; None to tell it from the names.
        times: a csv with columns ``student`` and ``time``, or Moodle's grading worksheet.
        any_account: False takes from an exchange only what the student's own account put there.

    Raises:
        Problem: with one line that says what to do.
    """
    lesson = room.lesson(lesson)
    known, zone = roster.read(room), lateness.zone(room)
    stated = _times(times, zone) if times else {}
    summary = Summary()
    if (source / "inbound").is_dir():
        source, kind = source / "inbound", "nbgrader"
    try:
        for folder in (room.private, room.submitted):
            if not folder.exists():
                folder.mkdir(0o700, parents=True)
        with room.alone(), download.opened(source) as found:
            attempts.finish(room, lesson)
            summary.refused = dict(found.refused)
            summary.kind, came, summary.unmatched = platforms.recognise(found.items, lesson, kind, zone)
            if summary.kind == "nbgrader" and not any_account:
                others = exchange.strangers(source, came)
                summary.refused |= others
                came = [a for a in came if a.mark not in others]
            for student, theirs in _owners(came, known, summary).items():
                for attempt in sorted(theirs, key=lambda a: a.rank):
                    _put_time(attempt, student, known, stated)
                    _take(room, lesson, student, attempt, summary)
    except OSError as error:
        where = error.filename or room.submitted
        raise Problem(f"{where}: {error.strerror or error}; nothing is lost, run it again.") from None
    if known:
        summary.missing = [m.folder for m in known.members if not (room.submitted / m.folder / lesson).exists()]
    _report(summary, lesson, known, say)
    return summary


def _owners(came: list[Attempt], known: Roster | None, summary: Summary) -> dict[str, list[Attempt]]:
    """Student's folder -> attempts; what cannot be matched goes into the summary."""
    owners: dict[str, list[Attempt]] = {}
    for attempt in came:
        student = roster.folder_name(attempt.name)
        if known:
            found = known.find(attempt.name, attempt.owner, summary.kind)
            if len(found) != 1:
                several = f"can be {' or '.join(m.folder for m in found)}" if found else "is nobody on the roster"
                summary.unmatched[attempt.label] = several
                continue
            student = found[0].folder
        owners.setdefault(student, []).append(attempt)
    for student, theirs in list(owners.items()):
        if len({a.owner for a in theirs}) > 1:
            for attempt in owners.pop(student):  # people whom only the platform's numbers tell apart
                summary.unmatched[attempt.label] = (
                    "shares this name with somebody; put it into the right folder by hand"
                )
    return owners


def _take(room: Classroom, lesson: str, student: str, attempt: Attempt, summary: Summary) -> None:
    try:
        done = attempts.take(room, lesson, student, summary.kind, attempt, summary.refused)
    except attempts.Other as other:
        summary.unmatched[attempt.label] = str(other)
        return
    if done == "empty":
        summary.unmatched[attempt.label] = "holds no file that could be taken"
    else:
        summary.done[done] += 1


def _times(file: pathlib.Path, zone: dt.tzinfo | None) -> dict[str, dt.datetime]:
    """Who handed in when: by number, name or e-mail, in small letters."""
    stated: dict[str, dt.datetime] = {}
    rows = roster.table(file)
    head = set(rows[0]) if rows else set()
    if not head & {"student", "identifier"} or not head & {"time", "last modified (submission)"}:
        raise Problem(
            f"{file} says no times; it has columns student and time, or is Moodle's grading worksheet "
            "(View all submissions > Download grading worksheet, with the site in English)."
        )
    for row in rows:
        text = row.get("time") or row.get("last modified (submission)") or ""
        if text.strip(" -"):
            time = platforms.when(text, zone)
            if time is None:
                raise Problem(f"{file}: {text!r} is no time that can be read; write 2026-11-03 23:59.")
            number = row.get("identifier", "").rpartition(" ")[2]
            for key in (row.get("student"), number, row.get("full name"), row.get("email address")):
                if key:
                    stated[key.casefold()] = time
    return stated


def _put_time(attempt: Attempt, student: str, known: Roster | None, stated: dict[str, dt.datetime]) -> None:
    email = known.by_folder[student].email if known else ""
    for key in (attempt.owner, attempt.name, student, email):
        attempt.time = attempt.time or stated.get(key.casefold())


def _report(summary: Summary, lesson: str, known: Roster | None, say: Callable) -> None:
    words = {
        "new": "new",
        "newer": "newer than what was there (which is kept as an earlier attempt)",
        "older": "older than what is there (kept as an earlier attempt)",
        "unchanged": "there already",
    }
    counts = [f"{summary.done[k]} {w}" for k, w in words.items() if summary.done[k]]
    say(f"{lesson}, {platforms.SAID[summary.kind]}: {'; '.join(counts) or 'nothing was taken'}")
    for title, names in (("not matched", summary.unmatched), ("refused", summary.refused)):
        for name, why in sorted(names.items()):
            say(f"{title}: {files.printable(name)} {files.printable(why)}")
    if summary.unmatched and known is None:
        say("note: there is no roster.csv (id, name, email); names are taken as the download writes them")
    if summary.missing:
        say(f"handed in nothing ({len(summary.missing)}): {', '.join(summary.missing)}")
