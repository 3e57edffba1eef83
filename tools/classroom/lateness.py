"""Deadlines, extensions and what lateness costs, by the rule that ``deadlines.toml`` states.

::

    timezone = "Europe/Berlin"      # of times without a zone; else that of this computer

    [04_entropy]                    # or [default], for what lessons do not say themselves
    due = 2026-11-03 23:59:00
    grace = 15                      # minutes that cost nothing
    penalty = 10                    # % of the points reached, for every day begun after `due`
    floor = 50                      # % of the points reached that nobody loses

    [04_entropy.extensions]
    "ada" = 2026-11-10 23:59:00     # instead of `due`

Without ``penalty`` lateness is shown and costs nothing. The gradebook keeps the points without penalties, so that an
extension granted later needs no new grading: `feedback` writes the table again.
"""

from __future__ import annotations

import datetime as dt
import math
import pathlib
import tomllib
import zoneinfo
from dataclasses import dataclass, field

from tools.classroom import attempts, files, roster
from tools.classroom.layout import Classroom, Problem
from tools.classroom.table import Row

_KEYS = {"due", "grace", "penalty", "floor", "extensions"}


@dataclass(frozen=True)
class Rule:
    """What holds for one lesson."""

    due: dt.datetime | None = None  # UTC, as are all times
    grace: dt.timedelta = dt.timedelta()
    penalty: float = 0.0  # % of the points reached, a day
    floor: float = 0.0  # % of the points reached
    extensions: dict[str, dt.datetime] = field(default_factory=dict)  # by student's folder

    def days_late(self, student: str, handed_in: dt.datetime) -> int:
        """Days begun after the deadline; 0 within the grace.

        >>> rule = Rule(dt.datetime(2026, 11, 3, 23, tzinfo=dt.UTC), dt.timedelta(minutes=15))
        >>> [rule.days_late("ada", rule.due + dt.timedelta(minutes=m)) for m in (-5, 15, 16, 24 * 60, 24 * 60 + 1)]
        [0, 0, 1, 1, 2]
        """
        due = self.extensions.get(student, self.due)
        if due is None or handed_in <= due + self.grace:
            return 0
        return math.ceil((handed_in - due) / dt.timedelta(days=1))

    def cost(self, points: float, days: int) -> float:
        """What being late costs, in points.

        >>> rule = Rule(penalty=10, floor=50)
        >>> [rule.cost(8.0, days) for days in (0, 1, 3, 9)]
        [0.0, 0.8, 2.4, 4.0]
        """
        return round(max(points, 0.0) * min(self.penalty * days, 100 - self.floor) / 100, 2)

    def __str__(self) -> str:
        if not self.penalty:
            return "no penalty"
        return f"{self.penalty:g} % a day" + (f", at most {100 - self.floor:g} %" if self.floor else "")


def zone(room: Classroom) -> dt.tzinfo | None:
    """Where times without a zone are local; None for the zone of this computer, as in `datetime`."""
    return _zone(_read(room))


def rule(room: Classroom, lesson: str) -> Rule:
    """The rule of a lesson; one without a deadline if none is stated.

    Raises:
        Problem: for what ``deadlines.toml`` says and cannot mean.
    """
    every = _read(room)
    said = {**every.get("default", {}), **every.get(lesson, {})}
    where = f"{_file(room)} [{lesson}]"
    if unknown := set(said) - _KEYS:
        raise Problem(f"{where}: {', '.join(sorted(unknown))} is unknown; known are {', '.join(sorted(_KEYS))}.")
    local = _zone(every)
    numbers = {key: said.get(key, 0) for key in ("grace", "penalty", "floor")}
    for key, most in (("grace", math.inf), ("penalty", 100), ("floor", 100)):
        value = numbers[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise Problem(f"{where}: {key} is a number from 0 to {most}, not {value!r}.")
    extensions = said.get("extensions", {})
    if not isinstance(extensions, dict):
        raise Problem(f'{where}: extensions are lines "student" = 2026-11-10 23:59:00 below [{lesson}.extensions].')
    return Rule(
        due=_time(said["due"], local, f"{where}: due") if "due" in said else None,
        grace=dt.timedelta(minutes=numbers["grace"]),
        penalty=numbers["penalty"],
        floor=numbers["floor"],
        extensions={
            roster.folder_name(name): _time(time, local, f"{where}: the extension of {name}")
            for name, time in extensions.items()
        },
    )


def _file(room: Classroom) -> pathlib.Path:
    return room.folder / "deadlines.toml"


def _read(room: Classroom) -> dict:
    try:
        return tomllib.loads(_file(room).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Problem(f"{_file(room)} cannot be read: {error}.") from None


def _zone(every: dict) -> dt.tzinfo | None:
    name = every.get("timezone")
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Problem(f"deadlines.toml: timezone {name!r} is unknown; write one such as Europe/Berlin.") from None


def _time(value: object, local: dt.tzinfo | None, what: str) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        raise Problem(f"{what} is a day and a time such as 2026-11-03 23:59:00, without quotes, not {value!r}.")
    return (value if value.tzinfo else value.replace(tzinfo=local)).astimezone(dt.UTC)


def charge(room: Classroom, lesson: str, stated: Rule, rows: list[Row]) -> None:
    """Take from each row's total what lateness costs by the stated rule, and note it."""
    if stated.due is None and not stated.extensions:
        return
    for row in rows:
        if row.status == "missing":
            continue
        folder = room.submitted / row.student / lesson
        time = attempts.stamped(folder)
        if time is None:
            if (files.read(folder / attempts.ORIGIN) or {}).get("late"):
                row.notes.append("late, says Canvas, but not by how much")
            continue
        row.days_late = stated.days_late(roster.folder_name(row.student), time)
        row.penalty = stated.cost(row.total, row.days_late)
        row.total = round(row.total - row.penalty, 4)
        if row.days_late:
            days = "1 day" if row.days_late == 1 else f"{row.days_late} days"
            row.notes.append(f"{days} late: {row.penalty:g} of {row.raw:g} points taken off ({stated})")


def remarks(room: Classroom, lesson: str, stated: Rule, rows: list[Row]) -> list[str]:
    """What the instructor should know besides, of rows that were charged: whose time nobody knows, and so on."""
    if stated.due is None and not stated.extensions:
        return []
    said = []
    if unknown := [row.student for row in rows if row.status != "missing" and row.days_late is None]:
        said.append(
            f"nobody knows when these handed in, so nothing was taken off ({attempts.STAMP}): {', '.join(unknown)}"
        )
    known = {roster.folder_name(row.student) for row in rows} | {m.folder for m in roster.members(room)}
    if nobody := sorted(set(stated.extensions) - known):
        said.append(f"deadlines.toml: there is no {', '.join(nobody)}, who has an extension for {lesson}")
    return said
