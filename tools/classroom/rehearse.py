"""Before a release: every right answer that is known goes the way of a student's submission, and must lose nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import nbformat

from tools.classroom import assemble
from tools.classroom.cells import ANSWER, grade_id
from tools.classroom.layout import Classroom, Problem
from tools.classroom.repair import repair
from tools.classroom.sources import alternatives
from tools.classroom.submission import judged
from tools.classroom.verdict import Mode, Verdict


def rehearse(room: Classroom, lesson: str, manifest: dict, nb: nbformat.NotebookNode, say: Callable) -> None:
    """Grade submissions that are right in all exercises, each a full notebook of the lesson.

    One has the solutions; the k-th has the k-th answer to each exercise that is written differently, as the tests of
    the course know them (``tests/mutants``).

    Writes into the manifest how each exercise is judged, its ``mode``: the strictest in which the solution passes.

    Args:
        room: graded by the ``genutils`` that will be released (`Classroom.on_trial`).
        manifest: of the release; it need not hold ``released`` yet.
        nb: the instructor's notebook.

    Raises:
        Problem: if one of them loses a point; it names the exercises and what the check said.
    """
    public = assemble.for_students(nb)
    as_released = manifest | {"released": assemble.released_cells(public)}
    lost, tried = [], 0
    for title, answers in right_answers(room, lesson, manifest, nb, say):
        tried += len(answers)
        handed_in, notes = copy.deepcopy(public), []
        for id in manifest["exercises"]:  # an answer may build on those before it
            _cell(handed_in, id).source = answers.get(id) or _cell(nb, id).source
        repair(handed_in, as_released, notes)
        found = _verdicts(room, lesson, as_released, handed_in)
        lost += [f"{title}: {note}" for note in notes]
        for id, said in found.items():
            if said["verdict"] != Verdict.RIGHT:
                lost.append(f"{title} of {id}: {said['verdict']} {said['says']}".strip())
    say(f"{lesson}: rehearsed with {tried} right answers{' of which some lose points' if lost else ''}")
    if lost:
        more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise Problem(
            f"a right answer to {lesson} would lose points ({'; '.join(lost[:5])}{more}); "
            "mend the solution, the alternative or the check, then release."
        )


def _verdicts(room: Classroom, lesson: str, manifest: dict, nb: nbformat.NotebookNode) -> dict[str, dict]:
    """As a student's submission; where it is not known yet how an exercise is judged, one way after the other."""
    open_, found = {id for id, e in manifest["exercises"].items() if "mode" not in e}, {}
    for mode in Mode if open_ else [None]:
        for id in open_:
            manifest["exercises"][id]["mode"] = mode
        found = judged(room, lesson, manifest, nb)
        open_ = {id for id in open_ if found[id]["verdict"] != Verdict.RIGHT}
        if not open_:
            break
    return found


def right_answers(
    room: Classroom, lesson: str, manifest: dict, nb: nbformat.NotebookNode, say: Callable
) -> Iterator[tuple[str, dict[str, str]]]:
    """What to call it, and for each exercise the text of its answer cell."""
    names = {id: e["name"] for id, e in manifest["exercises"].items()}
    solved = {id: _cell(nb, id).source for id in names}
    yield "the solution", solved
    file = room.root / "tests" / "mutants" / f"lesson_{lesson.partition('_')[0]}.py"
    if not file.exists():
        say(f"note: rehearsed with the solutions only; this copy of the course has no {file.relative_to(room.root)}")
        return
    others = alternatives(file, names)
    for k in range(max(map(len, others.values()))):
        yield (
            f"alternative {k + 1}",
            {id: others[id][k] for id in names if k < len(others[id])},
        )


def _cell(nb: nbformat.NotebookNode, id: str) -> nbformat.NotebookNode:
    name = grade_id(id, ANSWER)
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)
