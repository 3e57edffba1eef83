"""Reading lessons and solutions for the tests."""

from __future__ import annotations

import json
import pathlib

from tools.lessons import ROOT, lessons

LESSONS = lessons()
SOLUTIONS = [ROOT / "solutions" / path.name for path in LESSONS]


def cells(notebook: pathlib.Path) -> list[dict]:
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def by_role(notebook: pathlib.Path, role: str) -> dict[str, dict]:
    """Cells of one role, by exercise id; an id that comes twice is an error."""
    result: dict[str, dict] = {}
    for cell in cells(notebook):
        if cell["metadata"].get("role") == role:
            id = cell["metadata"]["exercise"]
            assert id not in result, f"{notebook.name}: two {role} cells for {id}"
            result[id] = cell
    return result


def imports(notebook: pathlib.Path) -> str:
    """The first code cell: all imports and the seed."""
    return next(c["source"] for c in cells(notebook) if c["cell_type"] == "code")
