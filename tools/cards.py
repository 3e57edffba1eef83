"""Write into the card at the top of each lesson how long it is and what the bench measured (``book/measured.json``).

To be run after a bench, and after a change of a lesson's length.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import nbformat

from tools.lessons import ROOT, core, lessons

MEASURED = ROOT / "book" / "measured.json"
LINE = re.compile(r"(?m)^(> \*\*It reads\*\* .*\n>\n)?> \*\*It runs\*\* .*$")
PACE = 150  # words a minute, with time for formulas and figures
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


def reading(words: int) -> str:
    """The line of the card for the words of a lesson's core path: minutes, in steps of five.

    >>> reading(3400)
    '> **It reads** in about 25 minutes, exercises not counted.'
    """
    return f"> **It reads** in about {5 * max(1, math.ceil(words / PACE / 5))} minutes, exercises not counted."


def carded(text: str, row: dict[str, Any] | None, words: int) -> str:
    """The first cell of a lesson with those two lines.

    Raises:
        ValueError: the cell has no line that begins ``> **It runs**``, or several.
    """
    text, count = LINE.subn(lambda _: f"{reading(words)}\n>\n{sentence(row)}", text)
    if count != 1:
        raise ValueError(f"a card has one line that begins '> **It runs** '; this one has {count}")
    return text


def main() -> None:
    rows = measured()["lessons"]
    for path in lessons():
        notebook = nbformat.read(path, as_version=4)
        card = carded(notebook.cells[0].source, rows.get(path.stem), core(path)[0])
        if card != notebook.cells[0].source:
            notebook.cells[0].source = card
            nbformat.write(notebook, path)
            print(f"{path.name}: card written")


if __name__ == "__main__":
    main()
