"""Which cells, and which lines of them, a submission needs to be judged."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tools.classroom.cells import ANSWER, TEST, grade_id
from tools.classroom.plan import plan

OPENING = """import math
from genutils import train, use_style

use_style()
rng = make_generator(7)
SIZE, steps = 3, 4


def helper(x):
    return SIZE * offset(x)


def offset(x, by=steps):
    local = [k + by for k in x]
    return local


model = train(steps, rng)
history = [model.loss]
history.append(0)
model.show(history)"""
FIGURE = "grid = helper(range(9))\nscale = math.pi\nscale_of = {}\nscale_of['x'] = scale\nmodel.draw(grid)"
STUB = "def answer(x):\n    raise NotImplementedError"


def lines(*own: str, solved: str = "def answer(x):\n    return x", whole: bool = False) -> list[str]:
    """The lines that are run of the lesson, the answer and the student's own cells, in order."""
    nb = nbformat.v4.new_notebook()
    nb.cells = [new_code_cell(OPENING), new_code_cell(FIGURE), *map(new_code_cell, own), new_code_cell(solved)]
    nb.cells += [new_code_cell("check(answer)"), new_code_cell("model.draw(2)")]
    released = [{"type": "code", "source": s, "nbgrader": None} for s in (OPENING, FIGURE, "check(answer)")]
    marks = grade_id("90.1", ANSWER), grade_id("90.1", TEST)
    released += [{"type": "code", "source": STUB, "nbgrader": {"grade_id": marks[0]}}]
    released += [{"type": "code", "source": "model.draw(2)", "nbgrader": None}]
    nb.cells[-3].metadata["nbgrader"] = {"grade_id": marks[0]}
    manifest = {"released": released, "exercises": {"90.1": {"name": "answer", "test": marks[1]}}}
    steps = plan(manifest, nb, whole)
    return [line for step in steps if "at" in step for line in step["source"].splitlines() if line.strip()]


BEGINNING = ["import math", "from genutils import train, use_style", "use_style()"]


def test_of_the_lesson_only_imports_and_settings_run_if_nothing_else_is_used():
    """A first cell may train a network for its figure; no answer waits for that."""
    assert lines() == [*BEGINNING, "def answer(x):", "    return x"]


def test_what_an_answer_uses_runs_with_all_that_this_needs():
    ran = lines(solved="def answer(x):\n    return helper(x)")
    assert [line for line in OPENING.splitlines() if line in ran] == [
        *BEGINNING,
        "SIZE, steps = 3, 4",
        *("def helper(x):", "    return SIZE * offset(x)"),
        *("def offset(x, by=steps):", "    local = [k + by for k in x]", "    return local"),
    ]
    assert not any("model" in line or "rng" in line for line in ran)


def test_changes_of_what_is_used_run_too():
    ran = lines(solved="def answer(x):\n    return scale_of['x']")
    assert ran[len(BEGINNING) : -2] == ["scale = math.pi", "scale_of = {}", "scale_of['x'] = scale"]
    ran = lines("print(history)")
    assert "history.append(0)" in ran and "model = train(steps, rng)" in ran and "rng = make_generator(7)" in ran


@pytest.mark.parametrize("own", ["x = 1", "def f(model):\n    return model", "[grid for grid in (1, 2)]"])
def test_a_name_of_the_students_own_asks_for_nothing(own):
    assert lines(own)[: len(BEGINNING) + 1] == [*BEGINNING, own.splitlines()[0]]


def test_a_cell_that_was_changed_runs_whole_and_so_does_a_first_one_with_a_magic(monkeypatch):
    changed = FIGURE + "  # mine"
    ran = lines(changed)
    assert ran[-7:-2] == changed.splitlines() and "model = train(steps, rng)" in ran
    monkeypatch.setitem(globals(), "OPENING", "%matplotlib inline\n" + OPENING)
    assert [line for line in OPENING.splitlines() if line] == lines()[:-2]


def test_the_whole_notebook_if_that_is_wanted():
    assert len(lines(whole=True)) > len([line for line in OPENING.splitlines() if line]) + 5
