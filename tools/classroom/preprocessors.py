"""nbgrader's steps that are ours: the lesson's stubs for students, and feedback without secrets."""

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


class Redact(nbg.NbGraderPreprocessor):
    """Take hidden tests, marking schemes and seeds out of a notebook before it becomes feedback."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        for cell in nb.cells:
            cell.source = redact(cell.source)
        return nb, resources


def redact(text: str) -> str:
    text = re.sub(r"[^\n]*BEGIN HIDDEN TESTS.*?(END HIDDEN TESTS[^\n]*|\Z)", "# (hidden tests)", text, flags=re.S)
    return re.sub(r"[^\n]*BEGIN MARK SCHEME.*?(END MARK SCHEME[^\n]*|\Z)", "", text, flags=re.S).rstrip()
