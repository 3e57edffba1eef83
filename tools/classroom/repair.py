"""Restore the released shape around a student's own answers, and say what was put right and what was not understood.

Cells of a release carry nbgrader's marks. Where an editor dropped them, a cell is recognised by its id, its text, the
name that it defines, or its place between cells that are known. An answer counts wherever it stands: a function that
was written elsewhere is copied into its place, halves of a split cell are joined, and so is an answer in words.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable
from typing import Any

import nbformat

from tools.classroom import shape
from tools.classroom.cells import ANSWER, QUESTION, TEST, parse

WORDS = {TEST: "test cell of {}", ANSWER: "answer cell of {}", QUESTION: "question {}"}
AN_ESSAY = 25  # words from which a cell of a student's own, far from an unanswered question, may be its answer


def repair(nb: nbformat.NotebookNode, manifest: dict[str, Any], notes: list[str]) -> None:
    """Make a submission gradable in place.

    Args:
        manifest: of the release.
        notes: receives a line for everything that the instructor should know.
    """
    shape.kernel(nb, notes)
    shape.clean_cells(nb)
    _Repair(nb, manifest, notes).run()


def texts(nb: nbformat.NotebookNode, manifest: dict[str, Any]) -> dict[str, str]:
    """A digest of what each exercise was answered with: the answer, and for a function the student's own cells, too."""
    public = {c["source"] for c in manifest["released"]}
    answers = {g["grade_id"]: c.source for c in nb.cells if (g := c.metadata.get("nbgrader"))}
    own = [c.source for c in nb.cells if c.cell_type == "code" and c.source not in public and not _id(c)]
    found = {}
    for id, exercise in (manifest["exercises"] | manifest["manual"]).items():
        answer = exercise.get("answer") or exercise["test"].removesuffix(TEST) + ANSWER
        parts = [answers.get(answer, ""), *(own if id in manifest["exercises"] else ())]
        found[id] = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return found


class _Repair:
    """One notebook on its way from what was handed in to what can be graded."""

    def __init__(self, nb: nbformat.NotebookNode, manifest: dict[str, Any], notes: list[str]):
        self.nb, self.manifest, self.notes = nb, manifest, notes
        self.all = manifest["released"]
        self.released = {c["nbgrader"]["grade_id"]: c for c in self.all if c["nbgrader"]}
        self.names = {
            id: WORDS[kind].format(exercise) for id in self.released for exercise, kind in [parse(id)]
        }  # of graded cells, in words
        self.functions = {e["test"].removesuffix(TEST) + ANSWER: e["name"] for e in manifest["exercises"].values()}
        self.number = {c.id: n for n, c in enumerate(nb.cells, 1)}  # as the student counts
        self.place: dict[int, Any] = {}  # number of a released cell -> the cell that it is here

    def run(self) -> None:
        self._marked()
        self._unmarked()
        self._put_back()
        self._join_halves()
        self._from_elsewhere()
        self._words()

    # -- which cell is which

    def _marked(self) -> None:
        """Cells that carry marks. Of copies the last one counts, as in nbgrader, unless nothing was written there."""
        marks: dict[str, list] = {}
        for cell in self.nb.cells:
            theirs = cell.metadata.pop("nbgrader", None)
            id = theirs.get("grade_id") if isinstance(theirs, dict) else None
            if id is not None and id not in self.released:
                self.notes.append(f"a graded cell that was never released ({str(id)[:40]!r}) counts for nothing")
            elif id is not None:
                marks.setdefault(id, []).append((cell, theirs))
        for id, copies in marks.items():
            written = [c for c in copies if self._written(c[0], id)] or copies
            cell, theirs = written[-1]
            if len(copies) > 1:
                self.notes.append(
                    f"duplicated {self.names[id]} (the last one{' with an answer' * (written != copies)} counts)"
                )
            self._take(id, cell)
            shape.restore(cell, theirs, self.released[id], self.names[id], self.notes)

    def _unmarked(self) -> None:
        """Cells that lost their marks, or never had any: by text, by id, by the name they define, then by place."""
        lost = []
        for at, was in enumerate(self.all):
            same = (c for c in self._free() if c.source == was["source"] and c.cell_type == was["type"])
            if at not in self.place and (cell := next(same, None)) is not None:
                self.place[at] = cell
                if was["nbgrader"]:
                    self._mark(was["nbgrader"]["grade_id"], cell, lost)
        for at, was in enumerate(self.all):
            if at in self.place or not was["nbgrader"] or was["nbgrader"].get("locked"):
                continue
            id = was["nbgrader"]["grade_id"]
            exercise, _ = parse(id)
            free, name = list(self._free()), self.functions.get(id)
            near = [c for c in self._between(at) if c in free]
            found = [c for c in free if c.metadata.get("exercise") == exercise and c.metadata.get("role")]
            found = found or [c for c in free if was.get("id") and c.id == was["id"]]
            if name:
                found = [c for c in found if c.cell_type == "code" or shape.defines(c.source, name)]
                found = found or [c for c in near if shape.defines(c.source, name)]
                found = found or [c for c in near if c.cell_type == "code" and shape.one_definition(c.source)]
            else:
                found = found or [c for c in near if c.source.strip() and not self._is_question(at, c)]
            if found:
                cell = found[-1] if name else found[0]
                if cell.cell_type != was["type"]:
                    shape.retype(cell, was["type"])
                self._mark(id, cell, lost)
        if lost:
            some = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
            self.notes.append(f"{some} had lost {'its mark' if len(lost) == 1 else 'their marks'} (put back)")

    def _mark(self, id: str, cell: Any, lost: list[str]) -> None:
        self._take(id, cell)
        cell.metadata["nbgrader"] = nbformat.from_dict(copy.deepcopy(self.released[id]["nbgrader"]))
        lost.append(self.names[id])

    def _take(self, id: str, cell: Any) -> None:
        at = next(n for n, c in enumerate(self.all) if c["nbgrader"] and c["nbgrader"]["grade_id"] == id)
        self.place[at] = cell

    def _free(self) -> Iterable[Any]:
        """Cells that are no released cell: the student's own."""
        taken = {id(c) for c in self.place.values()}
        return (c for c in self.nb.cells if id(c) not in taken)

    def _between(self, at: int) -> list[Any]:
        """The cells between the released cells that stood before and after this one and are known here."""
        index = {id(c): i for i, c in enumerate(self.nb.cells)}
        before = max((n for n in self.place if n < at), default=None)
        first = 0 if before is None else index[id(self.place[before])] + 1
        after = (index[id(self.place[n])] for n in sorted(self.place) if n > at)
        return self.nb.cells[first : next((i for i in after if i >= first), len(self.nb.cells))]

    def _is_question(self, at: int, cell: Any) -> bool:
        """Whether a cell before an answer in words is the question itself, edited."""
        head = self.all[at - 1]["source"].strip().partition("\n")[0] if at else ""
        return bool(head) and cell.source.strip().startswith(head)

    def _cell(self, id: str) -> Any | None:
        return next((c for c in self.nb.cells if _id(c) == id), None)

    def _written(self, cell: Any, id: str) -> bool:
        """Whether there is more in a cell than what was released."""
        return bool(cell.source.strip()) and cell.source.strip() != self.released[id]["source"].strip()

    # -- what is missing

    def _put_back(self) -> None:
        """Put deleted cells back: after the cell they followed, and a test after its function."""
        tests = {e["test"]: e["name"] for e in self.manifest["exercises"].values()}
        before = None
        for id, was in self.released.items():
            if (cell := self._cell(id)) is not None:
                before = cell
                continue
            ours = was["nbgrader"]
            self.notes.append(
                f"deleted {self.names[id]} (put back)" if ours.get("grade") else f"deleted {self.names[id]}"
            )
            if ours.get("grade") or ours.get("locked"):
                at = 0 if before is None else 1 + self._index(before)
                if id in tests:
                    at = max([at, *(1 + self._index(c) for c in self._defining(tests[id]))])
                before = self._insert(at, was, was["source"])

    def _insert(self, at: int, was: dict, source: str) -> Any:
        make = nbformat.v4.new_code_cell if was["type"] == "code" else nbformat.v4.new_markdown_cell
        cell = make(source)
        cell.metadata["nbgrader"] = nbformat.from_dict(copy.deepcopy(was["nbgrader"]))
        self.nb.cells.insert(at, cell)
        self._take(was["nbgrader"]["grade_id"], cell)
        return cell

    def _index(self, cell: Any) -> int:
        return next(i for i, c in enumerate(self.nb.cells) if c is cell)

    def _defining(self, name: str) -> list[Any]:
        return [c for c in self.nb.cells if c.cell_type == "code" and shape.defines(c.source, name)]

    # -- functions

    def _join_halves(self) -> None:
        """A function that was cut in two by *Split Cell*: the second half begins with an indented line."""
        free = {id(c) for c in self._free()}
        for answer in self.functions:
            while (cell := self._cell(answer)) is not None:
                at = self._index(cell)
                pairs = [(a, b) for a, b in ((at, at + 1), (at - 1, at)) if 0 <= a and b < len(self.nb.cells)]
                for first, second in ((self.nb.cells[a], self.nb.cells[b]) for a, b in pairs):
                    other = second if first is cell else first
                    if id(other) in free and other.cell_type == "code" and shape.halves(first.source, second.source):
                        cell.source = first.source.rstrip("\n") + "\n" + second.source.lstrip("\n")
                        self.nb.cells.remove(other)
                        self.notes.append(f"{self.names[answer]} was split (joined)")
                        break
                else:
                    break

    def _from_elsewhere(self) -> None:
        """A function whose place was left as it was released, or deleted, and that the student defined elsewhere."""
        public = {c["source"] for c in self.all}
        for answer, name in self.functions.items():
            cell, exercise = self._cell(answer), parse(answer)[0]
            others = [c for c in self._defining(name) if c is not cell and c.source not in public]
            if (cell is not None and self._written(cell, answer)) or not others:
                if cell is None:
                    self.notes.append(f"no answer to {exercise} was found: nothing defines {name}")
                continue
            source = shape.definition(others[-1].source, name)
            where = f"the answer to {exercise} stands in cell {self.number.get(others[-1].id, '?')}"
            if not source:
                self.notes.append(f"{where}, which is no valid Python")
                continue
            self.notes.append(f"{where} (graded)")
            if cell is not None:
                cell.source = source
            else:
                test = self._index(self._cell(answer.removesuffix(ANSWER) + TEST))
                self._insert(test, self.released[answer], source)

    # -- words

    def _words(self) -> None:
        """An answer in words that was written below its place, or goes on there; and one that may stand elsewhere."""
        for id in self.manifest["manual"]:
            answer = self.manifest["manual"][id]["answer"]
            cell, at = self._cell(answer), self._at(answer)
            written = self._written(cell, answer)
            free = [c for c in self._free() if c.cell_type != "code" and c.source.strip()]
            around = [c for c in self._between_answers(at) if any(c is f for f in free)]
            around = [c for c in around if not self._is_question(at, c)]
            if written:  # what follows at once
                after = [c for c in around if self._index(c) > self._index(cell)]
                around = [c for n, c in enumerate(after, 1) if self._index(c) == self._index(cell) + n]
            if around:
                parts = [cell.source] * written + [c.source for c in around]
                cell.source = "\n\n".join(parts)
                for c in around:
                    if "attachments" in c:
                        cell.setdefault("attachments", nbformat.from_dict({})).update(c.attachments)
                    self.nb.cells.remove(c)
                numbers = ", ".join(str(self.number.get(c.id, "?")) for c in around)
                self.notes.append(f"the answer to {id} {'goes on' if written else 'stands'} in cell {numbers} (joined)")
            elif not written:
                own = [self.number.get(c.id, "?") for c in free if len(c.source.split()) >= AN_ESSAY]
                if own:
                    self.notes.append(f"{id} is unanswered in its place; is cell {own[0]} meant as the answer?")

    def _at(self, id: str) -> int:
        return next(n for n, c in enumerate(self.all) if c["nbgrader"] and c["nbgrader"]["grade_id"] == id)

    def _between_answers(self, at: int) -> list[Any]:
        """The cells around an answer in words: from its question to the next released cell."""
        known = self.place.pop(at)
        try:
            return [c for c in self._between(at) if c is not known]
        finally:
            self.place[at] = known


def _id(cell: Any) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")
