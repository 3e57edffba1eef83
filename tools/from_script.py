"""Notebooks of percent scripts: ``python -m tools.from_script lessons/23_coin.py`` writes the ``.ipynb`` beside it.

A cell begins with ``# %%`` or ``# %% [markdown]``, and after it its metadata: ``exercise="23.1" role="stub"``.
"""

from __future__ import annotations

import pathlib
import sys

import jupytext
import nbformat

KEPT = ("exercise", "role", "tags", "points")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def convert(script: pathlib.Path) -> pathlib.Path:
    """Write the notebook beside the script, with the metadata that the course knows, and ids ``NN-000`` and so on."""
    notebook = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL}
    for i, cell in enumerate(notebook.cells):
        cell.id = f"{script.stem.split('_')[0]}{'s' * (script.parent.name == 'solutions')}-{i:03d}"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in KEPT}
    nbformat.write(notebook, script.with_suffix(".ipynb"))
    return script.with_suffix(".ipynb")


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("say which: python -m tools.from_script lessons/23_coin.py")
    for name in sys.argv[1:]:
        print(convert(pathlib.Path(name)))
