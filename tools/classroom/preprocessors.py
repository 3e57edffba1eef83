"""nbgrader's steps that are ours: the lesson's stubs for students, and cells without secrets."""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode
from nbgrader import preprocessors as nbg
from nbgrader import utils


class SwapStubs(nbg.ClearSolutions):
    """The student's version of an answer cell is the lesson's own stub, kept beside the solution."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        if utils.is_solution(cell):
            cell.source = cell.metadata.pop("classroom_stub")
        return cell, resources


def redact(text: str) -> str:
    """A cell without its hidden test or marking scheme."""
    text = re.sub(r"[^\n]*BEGIN HIDDEN TESTS.*?(END HIDDEN TESTS[^\n]*|\Z)", "# (hidden tests)", text, flags=re.S)
    return re.sub(r"[^\n]*BEGIN MARK SCHEME.*?(END MARK SCHEME[^\n]*|\Z)", "", text, flags=re.S).rstrip()
