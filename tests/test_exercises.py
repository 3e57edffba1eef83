"""The contract of exercises: lesson, solution, check and mutants agree, and each check can tell right from wrong."""

from __future__ import annotations

import ast
import importlib
import pathlib

import pytest

from genutils.check import Exercise, _examine, exercises
from genutils.check.expect import Wrong
from tests.mutants import CANDIDATES
from tests.notebooks import LESSONS, ROOT, SOLUTIONS, by_role, cells, imports

for module in sorted((ROOT / "tests" / "mutants").glob("lesson_*.py")):
    importlib.import_module(f"tests.mutants.{module.stem}")

EXERCISES = exercises()
IDS = list(EXERCISES)
MUTANTS = [c for c in CANDIDATES if c.hint is not None]
ALTERNATIVES = [c for c in CANDIDATES if c.hint is None]
# Solutions are graded at seeds that nobody has seen; wrong answers and other right ones are three times as many.
SEEDS = {"solution": range(10), "candidate": range(3)}


def _lesson(id: str, folder: list[pathlib.Path]) -> pathlib.Path:
    return next(p for p in folder if p.stem.split("_")[0] == id.split(".")[0])


def _stub(id: str) -> str:
    return by_role(_lesson(id, LESSONS), "stub")[id]["source"]


def _solution(id: str) -> str:
    return by_role(_lesson(id, SOLUTIONS), "solution")[id]["source"]


def _definition(source: str) -> ast.FunctionDef | ast.ClassDef:
    found = [n for n in ast.parse(source).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    assert len(found) == 1, "an exercise cell defines one function or class"
    return found[0]


def _built(id: str, kind: str):
    """The stub's or the solution's function, run as the notebook runs it."""
    notebook = _lesson(id, LESSONS if kind == "stub" else SOLUTIONS)
    space: dict = {}
    sources = [imports(notebook)]
    if kind == "solution":  # a solution may use the ones before it
        sources += [c["source"] for k, c in by_role(notebook, "solution").items() if k <= id]
    else:
        sources.append(_stub(id))
    for source in sources:
        exec(compile(source, f"<{kind} {id}>", "exec"), space)
    return space[EXERCISES[id].name]


def _report(exercise: Exercise, answer, seed: int = 0):
    return _examine(answer, exercise, seed, 30.0, False)[0]


def test_every_lesson_has_its_solutions_and_checks():
    assert [p.name for p in LESSONS] == [p.name for p in SOLUTIONS]
    for lesson, solution in zip(LESSONS, SOLUTIONS, strict=True):
        number = lesson.stem.split("_")[0]
        ids = sorted(id for id in IDS if id.startswith(number + "."))
        stubs = list(by_role(lesson, "stub"))
        assert stubs == sorted(stubs), f"{lesson.name}: exercises are numbered in reading order"
        for found in (stubs, by_role(lesson, "statement"), by_role(lesson, "check")):
            assert sorted(found) == ids, lesson.name
        for role in ("solution", "derivation", "check"):
            assert sorted(by_role(solution, role)) == ids, f"{solution.name}: {role}"
        assert len(ids) >= 6


def test_every_lesson_has_one_question_in_words():
    for lesson, solution in zip(LESSONS, SOLUTIONS, strict=True):
        asked = list(by_role(lesson, "question"))
        assert len(asked) == 1 and asked == list(by_role(lesson, "answer"))
        assert asked == list(by_role(solution, "model-answer")) == list(by_role(solution, "rubric"))
        assert by_role(solution, "rubric")[asked[0]]["metadata"]["points"] > 0


def test_levels_are_named_and_two_are_a_challenge():
    for lesson in LESSONS:
        titles = [c["source"].splitlines()[0] for c in by_role(lesson, "statement").values()]
        levels = [t.split("(")[1].split(")")[0] for t in titles]
        assert set(levels) <= {"warm-up", "core", "challenge"}, levels
        assert levels.count("challenge") >= 2 and "warm-up" in levels
        for id, cell in by_role(lesson, "statement").items():
            assert cell["source"].startswith(f"### Exercise {id} (")


@pytest.mark.parametrize("id", IDS)
class TestExercise:
    def test_stub_and_solution_have_the_same_signature_and_docstring(self, id):
        stub, solution = _definition(_stub(id)), _definition(_solution(id))
        assert stub.name == solution.name == EXERCISES[id].name
        assert ast.get_docstring(stub) == ast.get_docstring(solution) and ast.get_docstring(stub)
        if isinstance(stub, ast.FunctionDef):
            assert ast.dump(stub.args) == ast.dump(solution.args)

    def test_check_cells_call_check_and_nothing_else(self, id):
        for folder in (LESSONS, SOLUTIONS):
            assert by_role(_lesson(id, folder), "check")[id]["source"].strip() == f"check({EXERCISES[id].name})"

    def test_stub_is_reported_as_not_attempted(self, id):
        assert _report(EXERCISES[id], _built(id, "stub")).verdict == "not attempted"

    def test_solution_passes_at_ten_seeds(self, id):
        solved = _built(id, "solution")
        for seed in SEEDS["solution"]:
            report = _report(EXERCISES[id], solved, seed)
            assert report.verdict == "right", (seed, report)

    def test_there_are_three_mutants_and_an_alternative(self, id):
        assert sum(c.exercise == id for c in MUTANTS) >= 3
        assert sum(c.exercise == id for c in ALTERNATIVES) >= 1

    def test_no_solution_body_stands_in_the_lesson(self, id):
        body = [n for n in _definition(_solution(id)).body if not isinstance(n, ast.Expr)]
        lines = {ast.unparse(n) for n in body for n in ast.walk(n) if isinstance(n, ast.stmt)}
        telling = {line for line in lines if len(line) > 40 and "\n" not in line}
        lesson = _lesson(id, LESSONS)
        code = [ast.parse(c["source"]) for c in cells(lesson) if c["cell_type"] == "code"]
        present = {ast.unparse(n) for tree in code for n in ast.walk(tree) if isinstance(n, ast.stmt)}
        assert len(telling & present) <= len(telling) / 2, telling & present
        whole = "\n".join(map(ast.unparse, body))
        assert all(whole not in ast.unparse(tree) for tree in code)


@pytest.mark.parametrize("candidate", ALTERNATIVES, ids=lambda c: f"{c.exercise}-{c.answer.__name__}")
def test_a_differently_written_right_answer_passes(candidate):
    for seed in SEEDS["candidate"]:
        report = _report(EXERCISES[candidate.exercise], candidate.answer, seed)
        assert report.verdict == "right", (seed, report)


@pytest.mark.parametrize("candidate", MUTANTS, ids=lambda c: f"{c.exercise}-{c.hint}")
def test_a_mutant_is_rejected_with_its_hint(candidate):
    for seed in SEEDS["candidate"]:
        report = _report(EXERCISES[candidate.exercise], candidate.answer, seed)
        assert report.verdict == "wrong", (seed, report)
        assert candidate.hint in repr(report), (seed, report)


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize(
    "nonsense",
    [lambda *a: None, lambda *a: "42", lambda *a: float("nan"), lambda *a: object(), lambda *a: [], lambda *a: -7.0],
    ids=["None", "text", "nan", "object", "empty", "negative"],
)
def test_nonsense_is_wrong_and_never_crashes_the_check(id, nonsense):
    assert _report(EXERCISES[id], nonsense).verdict == "wrong"


@pytest.mark.parametrize("id", IDS)
def test_an_object_that_equals_everything_earns_nothing(id):
    class Yes:
        def __getattr__(self, name):
            if name.startswith("__array"):
                raise AttributeError(name)
            return self

        def __eq__(self, other):
            return True

        __lt__ = __le__ = __gt__ = __ge__ = __eq__

        def __len__(self):
            return 3

        def __iter__(self):
            return iter([self, self, self])

        def __call__(self, *a, **k):
            return self

        def __bool__(self):
            return True

        def __hash__(self):
            return 0

    assert _report(EXERCISES[id], lambda *a, **k: Yes()).verdict == "wrong"


def test_mutants_belong_to_exercises_and_carry_their_names():
    for candidate in CANDIDATES:
        assert candidate.answer.__name__ == EXERCISES[candidate.exercise].name


def test_a_check_cannot_hold_by_accident():
    from genutils.check.expect import expect

    with pytest.raises(TypeError, match="plain values"):
        expect([1], "a list is not a truth value")
    with pytest.raises(Wrong):
        expect(False, "no")
