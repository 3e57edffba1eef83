"""Results on disk: read if they are whole, replaced in one step so that they are never half written."""

from __future__ import annotations

import csv
import json
import os
import pathlib
import re
import unicodedata
from collections.abc import Iterable

LARGEST = 50 * 2**20  # bytes of a notebook

# What spreadsheets take for a formula (OWASP, CSV Injection), also in full width; a number is none.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_TURNS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)


def read(file: pathlib.Path) -> dict | None:
    """The JSON in a file; None if there is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write(file: pathlib.Path, value: dict, mode: int = 0o666) -> None:
    """A file of JSON, a line for each key, with the given permissions if it is new."""
    temporary = file.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    lines = ",\n".join(f"{json.dumps(str(key))}: {json.dumps(about)}" for key, about in value.items())
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as out:
        out.write("{\n" + lines + "\n}\n")
    os.replace(temporary, file)


def rows(file: pathlib.Path) -> list[list[str]]:
    """The rows of a csv file that are not empty, its head first; none if there is no file."""
    if not file.exists():
        return []
    with open(file, encoding="utf-8-sig", newline="") as old:
        return [[_taken(cell) for cell in row] for row in csv.reader(old) if row]


def write_rows(file: pathlib.Path, rows: Iterable[list], encoding: str = "utf-8") -> None:
    """A csv file in which no cell is a formula; `rows` gives back what was written."""
    temporary = file.with_suffix(".tmp")
    with open(temporary, "w", encoding=encoding, newline="") as out:
        csv.writer(out).writerows([cell_of(value) for value in row] for row in rows)
    os.replace(temporary, file)


def cell_of(value: object) -> str:
    """A value as it can stand in a spreadsheet.

    >>> [cell_of(v) for v in ("=1+1", "@ada", "-0.5", "O'Brien", "'=x", None)]
    ["'=1+1", "'@ada", '-0.5', "O'Brien", "''=x", '']
    """
    text = "" if value is None else str(value)
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _taken(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def printable(text: str) -> str:
    """What students named or wrote, without what would steer a terminal or turn its lines around."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cs") or _TURNS.match(c) else c for c in text)
