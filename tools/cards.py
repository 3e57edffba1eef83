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
LINE = re.compile(r"(?m)^> \*\*It (runs|takes)\*\* .*$")
PACE = 150  # words a minute, with time for formulas and figures
END = "offline, with the same numbers every time."


def measured() -> dict[str, dict[str, Any]]:
    """``{"lessons": {stem: row}, "solutions": ..., "solved": ...}``; rows have ranges of seconds and megabytes.

    "solved" are the lessons with their solutions in place of the stubs.
    """
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    return {"lessons": {}, "solutions": {}, "solved": {}} | found


def sentence(row: dict[str, Any] | None, words: int) -> str:
    """The line of the card, for a row of the bench and the words of the core path.

    Minutes are in steps of five. Where nothing was measured yet (None), it says so.

    >>> print(sentence({"seconds": [19.2, 20.6], "memory_mb": [612, 655], "runs": 2}, 3400).split(" on one")[0])
    > **It takes** about 25 minutes to read, exercises not counted, and 19 to 21 seconds to run
    """
    minutes = f"about {5 * max(1, math.ceil(words / PACE / 5))} minutes to read, exercises not counted"
    if row is None:
        return f"> **It takes** {minutes}. How long it runs has not been measured yet; {END}"
    low, high = math.floor(row["seconds"][0]), math.ceil(row["seconds"][1])
    memory = 10 * math.ceil(row["memory_mb"][1] / 10)
    laptop = f"one core of an ordinary laptop, at most {memory} MB of memory"
    return f"> **It takes** {minutes}, and {low} to {high} seconds to run on {laptop}, {END}"


def carded(text: str, row: dict[str, Any] | None, words: int) -> str:
    """The first cell of a lesson with that line.

    Raises:
        ValueError: the cell has no line that begins ``> **It takes**`` (or ``> **It runs**``), or several.
    """
    text, count = LINE.subn(lambda _: sentence(row, words), text)
    if count != 1:
        raise ValueError(f"a card has one line that begins '> **It takes** '; this one has {count}")
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
