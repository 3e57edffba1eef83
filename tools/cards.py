"""Write what the bench measured (``book/measured.json``) into the card at the top of each lesson; run after a bench."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import nbformat

from tools.lessons import ROOT, lessons

MEASURED = ROOT / "book" / "measured.json"
LINE = re.compile(r"(?m)^> \*\*It runs\*\* .*$")
END = "without network, with the same numbers every time. What it took when this page was made is said at the end."


def measured() -> dict[str, dict[str, Any]]:
    """``{"lessons": {stem: row}, "solutions": {stem: row}}``; a row has ranges of reference seconds and megabytes."""
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    return {"lessons": {}, "solutions": {}} | found


def sentence(row: dict[str, Any] | None) -> str:
    """The line of the card for a row of the bench; for None, that nothing was measured yet.

    >>> print(sentence({"seconds": [19.2, 20.6], "memory_mb": [612, 655], "runs": 2}).split(",")[0])
    > **It runs** in 19 to 21 seconds and at most 660 MB of memory on one core of an ordinary laptop
    """
    if row is None:
        return f"> **It runs** {END} How long it takes in general has not been measured yet."
    low, high = math.floor(row["seconds"][0]), math.ceil(row["seconds"][1])
    memory = 10 * math.ceil(row["memory_mb"][1] / 10)
    took = f"{low} to {high} seconds and at most {memory} MB of memory"
    return f"> **It runs** in {took} on one core of an ordinary laptop, {END}"


def carded(text: str, row: dict[str, Any] | None) -> str:
    """The first cell of a lesson with that line.

    Raises:
        ValueError: the cell has no line that begins ``> **It runs**``, or several.
    """
    text, count = LINE.subn(lambda _: sentence(row), text)
    if count != 1:
        raise ValueError(f"a card has one line that begins '> **It runs** '; this one has {count}")
    return text


def main() -> None:
    rows = measured()["lessons"]
    for path in lessons():
        notebook = nbformat.read(path, as_version=4)
        card = carded(notebook.cells[0].source, rows.get(path.stem))
        if card != notebook.cells[0].source:
            notebook.cells[0].source = card
            nbformat.write(notebook, path)
            print(f"{path.name}: card written")


if __name__ == "__main__":
    main()
