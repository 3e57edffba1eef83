"""nbgrader's steps that are ours: the lesson's stubs for students, and cells without secrets."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader import preprocessors as nbg
from nbgrader import utils

_HIDDEN = {"HIDDEN TESTS": "# (hidden tests)", "MARK SCHEME": ""}  # what stands in their place


class SwapStubs(nbg.ClearSolutions):
    """The student's version of an answer cell is the lesson's own stub, kept beside the solution."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        if utils.is_solution(cell):
            cell.source = cell.metadata.pop("classroom_stub")
        return cell, resources


def redact(text: str) -> str:
    """A cell without its hidden test or marking scheme, which end with the cell if their last line is missing."""
    kept, end = [], ""
    for line in text.split("\n"):  # line by line: a pattern would take minutes for a line that is very long
        if not end:
            begun = next((hidden for hidden in _HIDDEN if f"BEGIN {hidden}" in line), None)
            kept.append(line if begun is None else _HIDDEN[begun])
            end = "" if begun is None else f"END {begun}"
        if end and end in line:
            end = ""
    return "\n".join(kept).rstrip()
