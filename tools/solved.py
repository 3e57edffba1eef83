"""A lesson with its exercises solved: each stub replaced by the cell of the solution."""

from __future__ import annotations

import pathlib

import nbformat
from nbformat import NotebookNode


def solved(given: NotebookNode, solutions: pathlib.Path) -> NotebookNode:
    """A notebook with the solutions, and the imports that they need, where the stubs of the same name are.

    Args:
        given: a lesson, or an assignment made of one; it stays as it is.
        solutions: the notebook of its solutions.

    Raises:
        ValueError: a solution finds no stub, or more than one.
    """
    result, code = nbformat.from_dict(given), [c for c in nbformat.read(solutions, 4).cells if c.cell_type == "code"]
    imports, answers = code[0].source, [c.source for c in code if c.metadata.get("role") == "solution"]
    stubs = [c for c in result.cells if c.cell_type == "code" and "raise NotImplementedError" in c.source]
    for answer in answers:
        begins = next(line for line in answer.splitlines() if line.startswith(("def ", "class ")))
        places = [c for c in stubs if c.source.lstrip().startswith(begins)]
        if len(places) != 1:
            raise ValueError(f"{solutions.name} answers {begins!r}, which {len(places)} stubs ask for")
        places[0].source = f"{imports}\n\n\n{answer}"
    return result
