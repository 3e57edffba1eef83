"""The contract of exercises: lesson, solution, check and mutants agree, and each check can tell right from wrong."""

from __future__ import annotations

import ast
import functools
import pathlib

import pytest

from genutils.check import exercises
from genutils.check.expect import Wrong
from tests.mutants import CANDIDATES, Candidate, mutant
from tests.notebooks import LESSONS, SOLUTIONS, by_role, cells
from tools import calibrate, checks
from tools.lessons import ROOT

EXERCISES = exercises()
IDS = list(EXERCISES)
for number in {id.split(".")[0] for id in IDS}:
    checks.candidates(number)
CANDIDATES.sort(key=lambda c: IDS.index(c.exercise))
SEEDS = range(10)  # solutions are graded at seeds that nobody has seen


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


def _name(candidate: Candidate) -> str:
    return f"{candidate.exercise}-" + ("right" if candidate.hint is None else candidate.hint or "wrong")


@functools.cache
def _figure() -> float:
    """How fast this core is, once for all exercises."""
    return calibrate.quick()


def _telling(source: str) -> dict[str, int]:
    """The statements that compute something in more than one step, in one spelling, and where they stand."""
    steps = ast.BinOp | ast.Call | ast.Subscript | ast.Compare | ast.UnaryOp
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    return {ast.unparse(n): n.lineno for n in nodes if sum(isinstance(part, steps) for part in ast.walk(n)) > 1}


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_no_line_of_a_check_is_one_of_a_solution(solution):
    """Students have the checks. What the lesson itself says may stand there, too."""
    lesson = next(path for path in LESSONS if path.stem == solution.stem)
    said = "".join("".join(c["source"].split()) for c in cells(lesson))
    check = _telling((ROOT / "genutils" / "check" / f"lesson_{solution.stem[:2]}.py").read_text(encoding="utf-8"))
    for id, cell in by_role(solution, "solution").items():
        for line in _telling(cell["source"]).keys() & check.keys():
            assert "".join(line.split()) in said, f"{id}: line {check[line]} of the check is {line!r}; say it otherwise"


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
            heading, _, body = cell["source"].partition("\n")
            assert heading.startswith(f"### Exercise {id} (")
            assert len(body.split()) >= 10, f"{id} has a heading and no statement in words"


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
        assert checks.report(id, checks.stub(id)).verdict == "not attempted"

    def test_solution_passes_at_ten_seeds(self, id):
        solved = Candidate(id, checks.solution(id), None)
        assert checks.faults(solved, checks.reports(solved, SEEDS)) == []

    def test_the_check_answers_at_once(self, id):
        took = calibrate.reference_seconds(checks.seconds(id, checks.solution(id)), _figure())
        assert took <= checks.LIMIT[EXERCISES[id].trains] * calibrate.TOLERANCE

    def test_there_are_six_mutants_and_three_alternatives(self, id):
        known = [c for c in CANDIDATES if c.exercise == id]
        assert sum(c.hint is not None for c in known) >= checks.LEAST["mutants"]
        assert sum(c.hint is None for c in known) >= checks.LEAST["alternatives"]

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


@pytest.mark.parametrize("candidate", CANDIDATES, ids=_name)
def test_a_wrong_answer_is_rejected_with_its_hint_and_a_right_one_passes(candidate):
    assert checks.faults(candidate) == []


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize(
    "nonsense",
    [lambda *a: None, lambda *a: "42", lambda *a: float("nan"), lambda *a: object(), lambda *a: [], lambda *a: -7.0],
    ids=["None", "text", "nan", "object", "empty", "negative"],
)
def test_nonsense_is_wrong_and_never_crashes_the_check(id, nonsense):
    assert checks.report(id, nonsense).verdict == "wrong"


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

    assert checks.report(id, lambda *a, **k: Yes()).verdict == "wrong"


def test_mutants_belong_to_exercises_and_carry_their_names():
    for candidate in CANDIDATES:
        assert candidate.answer.__name__ == EXERCISES[candidate.exercise].name


def test_a_check_cannot_hold_by_accident():
    from genutils.check.expect import expect

    with pytest.raises(TypeError, match="plain values"):
        expect([1], "a list is not a truth value")
    with pytest.raises(Wrong):
        expect(False, "no")


class TestTheJudgeOfChecks:
    """`tools.checks.faults` sees what is let through, what is refused, and what is shown the wrong hint."""

    def test_a_wrong_answer_that_passes(self):
        assert "called right" in checks.faults(Candidate("04.1", checks.solution("04.1"), "nats"))[0]

    def test_a_right_answer_that_is_refused(self):
        assert "called wrong" in checks.faults(Candidate("04.1", lambda p: 0.0, None))[0]

    def test_another_hint_and_a_hint_where_none_was_expected(self):
        nats = next(c for c in CANDIDATES if (c.exercise, c.hint) == ("04.1", "nats")).answer
        assert len(checks.faults(Candidate("04.1", nats, "swapped"))) == len(checks.SEEDS)
        assert "no hint was expected" in checks.faults(Candidate("04.1", nats, ""))[0]
        assert checks.faults(Candidate("04.1", nats, "nats")) == []

    def test_a_mutant_says_its_hint(self):
        with pytest.raises(TypeError, match="empty text for none"):
            mutant("04.1", hint=None)

    def test_the_report_marks_faults(self, monkeypatch):
        monkeypatch.setitem(checks.LEAST, "mutants", 99)
        said = list(checks.lines(EXERCISES["04.1"], _figure()))
        assert said[2].startswith("! ") and said[2].endswith("mutants of 99")

    def test_a_mutant_is_run_once_at_each_seed(self, monkeypatch):
        seen, report = [], checks.report
        monkeypatch.setattr(
            checks, "report", lambda id, answer, seed=0: (seen.append(answer), report(id, answer, seed))[1]
        )
        said = list(checks.lines(EXERCISES["04.1"], _figure()))
        wrong = [c.answer for c in CANDIDATES if c.exercise == "04.1" and c.hint is not None]
        assert [seen.count(answer) for answer in wrong] == [len(checks.SEEDS)] * len(wrong)
        assert sum(line.startswith("  mutant falls: ") for line in said) == len(wrong)
