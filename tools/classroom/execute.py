"""nbgrader's step that runs a submission: the cells are run and judged elsewhere, what came of it is written here."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer, Unicode

from tools.classroom.layout import Classroom
from tools.classroom.submission import FLOOD, Limits, Outcome, outcome
from tools.classroom.verdict import Verdict, words


class VerifiedExecute(NbGraderPreprocessor):
    """Write the judge's verdict into the test cell of each exercise, and into other cells what they printed."""

    root = Unicode(help="the course").tag(config=True)
    private = Unicode(help="folder of the manifests").tag(config=True)
    timeout = Integer(Limits.timeout, help="seconds for a cell").tag(config=True)
    check = Float(Limits.check, help="seconds for an exercise in each round of the judge's").tag(config=True)
    memory = Integer(Limits.memory, help="bytes of address space for each process").tag(config=True)
    whole = Bool(False, help="run all cells of the lesson, also those that nobody changed or needs").tag(config=True)
    last: dict[str, Any] | None = None  # what happened in the latest run, for the table

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        lesson = resources["nbgrader"]["assignment"]
        private = pathlib.Path(self.private)
        manifest = json.loads((private / f"{lesson}.json").read_text(encoding="utf-8"))
        limits = Limits(self.timeout, self.check, self.memory, self.whole)
        room = Classroom(self.root, private.parent)
        came = outcome(room, lesson, manifest, nb, limits=limits)
        tests = {e["test"]: id for id, e in manifest["exercises"].items()}
        for at, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
                id = tests.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
                if id is not None:
                    cell.outputs = [_verdict(id, came.verdicts[id])]
                elif at in came.cells:
                    cell.outputs, cell.execution_count = _outputs(came.cells[at]), at + 1
        VerifiedExecute.last = story(came)
        return nb, resources


def story(came: Outcome) -> dict[str, Any]:
    """What happened in a run, for `table.story_notes`; cells are counted from one."""
    return {
        "errors": [[at + 1, about["error"][0]] for at, about in came.cells.items() if _failed(about)],
        "timeouts": [at + 1 for at, about in came.cells.items() if about["late"]],
        "flood": [at + 1 for at, about in came.cells.items() if about["size"] > FLOOD],
        "dead": [[at + 1, why] for at, why in came.lost.items()],
        "cut": came.cut,
        "open": came.open,
        "verdicts": {id: str(about["verdict"]) for id, about in came.verdicts.items()},
        "notes": [f"{id} {note}" for id, about in came.verdicts.items() for note in about["notes"]],
    }


def _failed(about: dict) -> bool:
    return bool(about["error"]) and not about["late"]


def _verdict(id: str, about: dict) -> NotebookNode:
    text = f"{id} {words(about)}"
    if about["verdict"] == Verdict.RIGHT:
        return new_output("stream", name="stdout", text=f"✓ {text}\n")
    return new_output("error", ename="NotYet", evalue=words(about), traceback=[f"✗ {text}"])


def _outputs(about: dict) -> list[NotebookNode]:
    outputs = []
    if about["size"] > len(about["text"].encode()):
        outputs.append(new_output("stream", name="stdout", text="... earlier output was left out ...\n"))
    if about["text"]:
        outputs.append(new_output("stream", name="stdout", text=about["text"]))
    if about["error"]:
        kind, message = about["error"]
        outputs.append(new_output("error", ename=kind, evalue=message, traceback=[f"{kind}: {message}"]))
    return outputs
