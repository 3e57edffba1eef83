"""Results on disk: read if they are whole, replaced in one step so that they are never half written."""

from __future__ import annotations

import csv
import json
import os
import pathlib
from collections.abc import Iterable


def read(file: pathlib.Path) -> dict | None:
    """The JSON in a file; None if there is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write(file: pathlib.Path, value: dict, mode: int = 0o666) -> None:
    """A file of JSON, with the given permissions if it is new."""
    temporary = file.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as out:
        json.dump(value, out, indent=1)
    os.replace(temporary, file)


def rows(file: pathlib.Path) -> list[list[str]]:
    """The rows of a csv file that are not empty, its head first; none if there is no file."""
    if not file.exists():
        return []
    with open(file, encoding="utf-8", newline="") as old:
        return [row for row in csv.reader(old) if row]


def write_rows(file: pathlib.Path, rows: Iterable[list]) -> None:
    temporary = file.with_suffix(".tmp")
    with open(temporary, "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    os.replace(temporary, file)
