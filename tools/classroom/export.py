"""The command `export`: the grades of a lesson in the form that Canvas, Moodle or a spreadsheet take.

- Canvas (lib/gradebook_importer.rb of canvas-lms): columns ``Student, ID, SIS User ID, SIS Login ID, Section`` in this
  order, then the assignment as ``Title (number)``; a second line with the points possible. People are found by ``ID``,
  else by the SIS ids; an unknown title makes a new assignment.
- Moodle (grade/import/csv/classes/load_data.php): any columns, which are mapped when the file is uploaded; people by
  ``ID number`` or ``Email address``. One person whom Moodle does not know stops the whole import.
- csv: every exercise, for spreadsheets, which know UTF-8 by its BOM.

In all of them text that a spreadsheet would take for a formula begins with ``'``.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable
from typing import Any

from tools.classroom import files, roster
from tools.classroom.layout import Classroom, Problem
from tools.classroom.roster import Member

CANVAS, MOODLE, CSV = TARGETS = ("canvas", "moodle", "csv")
_CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
_SUMS = ["raw", "days_late", "penalty", "total", "max", "status"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("--to", choices=TARGETS, default=CSV, help="what it is for (default: csv, for a spreadsheet)")
    parser.add_argument(
        "--column", metavar="TITLE", help="the assignment; in Canvas 'Title (number)' for one that exists"
    )


def run(room: Classroom, args: argparse.Namespace) -> None:
    export(room, args.lesson, args.to, column=args.column)


def export(
    room: Classroom, lesson: str, to: str, *, column: str | None = None, say: Callable[[str], Any] = print
) -> pathlib.Path:
    """Write ``canvas.csv``, ``moodle.csv`` or ``spreadsheet.csv`` beside ``grades.csv``; say whose grade is missing.

    Args:
        to: one of `TARGETS`.
        column: what the assignment is called there.

    Raises:
        Problem: if nothing was graded, or there is no roster where people are known by its ids.
    """
    lesson = room.lesson(lesson)
    head, *lines = files.rows(room.grades / lesson / "grades.csv") or [[]]
    grades = {roster.folder_name(line[0]): dict(zip(head, line, strict=False)) for line in lines}
    if not grades:
        raise Problem(f"nothing of {lesson} was graded yet; run: make grade LESSON={lesson}")
    members = roster.members(room)
    if not members and to != CSV:
        raise Problem(
            f"{to} knows people by ids; put them into {room.folder / 'roster.csv'} (id, name, email, canvas)."
        )
    members = members or [Member(id=name) for name in sorted(grades)]
    column = column or lesson
    if column in _CANVAS:
        raise Problem(f"Canvas keeps the column {column!r} for people; give the assignment another title.")
    without: dict[str, list[str]] = {}
    table = []
    for member in members:
        row = grades.get(member.folder, {})
        if why := _ungraded(row):
            without.setdefault(why, []).append(member.folder)
        total = "" if why else _number(row["total"])
        if to == CANVAS:
            known = member.canvas or member.sis or member.login
            cells = [member.name, member.canvas, member.sis, member.login, member.section, total]
        elif to == MOODLE:
            known = member.id
            cells = [member.moodle or member.id, member.email, member.name, total]
        else:
            known = member.id
            cells = [member.id, member.name, member.email, *_details(head, row | {"total": total})]
        if known:
            table.append(cells)
        else:
            without.setdefault("have no Canvas id on the roster and are left out", []).append(member.folder)
    if to == CANVAS:
        most = max(_number(row["max"]) for row in grades.values())
        table = [[*_CANVAS, column], ["    Points Possible", "", "", "", "", most], *table]
    elif to == MOODLE:
        table.insert(0, ["ID number", "Email address", "Full name", column])
    else:
        table.insert(0, ["id", "name", "email", *_exercises(head), *_SUMS])
    file = room.grades / lesson / f"{'spreadsheet' if to == CSV else to}.csv"
    try:
        files.write_rows(file, table, encoding="utf-8-sig" if to == CSV else "utf-8")
    except OSError as error:
        raise Problem(f"{file} cannot be written ({error.strerror}); close it where it is open.") from None
    strangers = sorted(set(grades) - {m.folder for m in members})
    if strangers:
        without["are not on the roster and are left out"] = strangers
    for why, names in without.items():
        say(f"{len(names)} {why}: {', '.join(names)}")
    if to != CSV and any(row[-1] == "" for row in table):
        say(f"note: an empty cell takes back a grade that {to.capitalize()} already has")
    say(f"{to}: {file}")
    return file


def _ungraded(row: dict[str, str]) -> str:
    """Why somebody has no grade yet; empty if they have one."""
    if not row or row.get("status") == "missing":
        return "handed in nothing (cell empty)"
    if row.get("status") == "not graded":
        return "could not be graded (cell empty)"
    if row.get("to_grade_by_hand", "0") not in ("", "0"):
        return "have an answer in words that is not graded yet (cell empty)"
    return ""


def _number(text: str) -> float:
    value = round(float(text), 2)
    return int(value) if value == int(value) else value


def _exercises(head: list[str]) -> list[str]:
    """The columns of exercises and questions in words: between who and the sums."""
    return head[2 : head.index("auto")]


def _details(head: list[str], row: dict[str, Any]) -> list[Any]:
    return [row.get(c, "") for c in (*_exercises(head), *_SUMS)]
