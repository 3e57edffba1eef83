"""What mutation testing changes in a source, and what it leaves alone."""

from __future__ import annotations

import textwrap

import pytest

from tools import mutants
from tools.mutations import offered, written


def changed(source: str) -> dict[str, str]:
    """What each change is called, and the line as it stands then."""
    source = textwrap.dedent(source)
    made = [mutant for change in offered(source) if (mutant := written("m", source, *change))]
    for mutant in made:
        assert mutant.source != source and mutant.source.count("\n") == source.count("\n")
    return {f"{m.before} -> {m.after}": m.source.splitlines()[m.line - 1].strip() for m in made}


@pytest.mark.parametrize(
    "source, change, line",
    [
        ("x = a + b * c", "b * c -> (b / c)", "x = a + (b / c)"),
        ("x = a < b", "a < b -> (a >= b)", "x = (a >= b)"),
        ("x = not a", "not a -> (a)", "x = (a)"),
        ("x = a and b", "a and b -> (a or b)", "x = (a or b)"),
        ("x = 3", "3 -> (4)", "x = (4)"),
        ("x = True", "True -> (False)", "x = (False)"),
        ("x = f(a, b)", "f(a, b) -> (f(b, a))", "x = (f(b, a))"),
        ("x = f(a, k=b)", "f(a, k=b) -> (f(a))", "x = (f(a))"),
        ("x = y == 'cat'", "'cat' -> ('cat?')", "x = y == ('cat?')"),
        ("def f():\n    return a", "return a -> return None", "return None"),
        ("x += 1", "x += 1 -> pass", "pass"),
        ("raise E('no ' + 1)", "raise E('no ' + 1) -> pass", "pass"),
        ("x.y = a", "x.y = a -> pass", "pass"),
        ("é = 'é' < a; b = 2", "2 -> (3)", "é = 'é' < a; b = (3)"),
    ],
)
def test_a_change_is_made_where_it_stands(source, change, line):
    assert changed(source)[change] == line


def test_what_no_test_should_pin_is_left_alone():
    source = """
    __all__ = ["a"] + ["b"]
    SETTINGS = {"digits": Settings(images, model={"width": 3}, fit={"lr": 1 + 2})}
    OTHER = Settings(images, fit={"lr": 1 + 2})
    def f(x: Literal[1], *, lw=None) -> Literal[2]:
        '''Adds 1 + 1.'''
        label = "nats" "bits"
        text = f"{x + 1}"
        if x:
            raise ValueError(3 + 4)
        plot(x, lw=5, zorder=6)
        expect(x, given=f"{x + 1}" or 3)
        return None
    """
    assert set(changed(source)) == {
        "raise ValueError(3 + 4) -> pass",
        "plot(x, lw=5, zorder=6) -> pass",
        'expect(x, given=f"{x + 1}" or 3) -> pass',
    }


def test_the_sample_is_spread_over_the_modules_and_the_same_every_time():
    some = ["ppca", "coding/huffman", "check/expect"]
    one, more = mutants.drawn(some, 400, 0), mutants.drawn(some, 900, 0)
    assert list(one) == some and all(5 <= len(found) < len(more[name]) for name, found in one.items())
    assert one == mutants.drawn(some, 400, 0) != mutants.drawn(some, 400, 1)
    assert all(more[name][: len(found)] == found for name, found in one.items())


def test_every_module_that_can_be_changed_has_tests():
    assert mutants.tests_of("ppca") == ["genutils/ppca.py", "tests/test_ppca.py"]
    assert mutants.tests_of("coding/huffman") == ["genutils/coding/huffman.py", "tests/test_coding.py"]
    assert "tests/test_check_draws.py" in mutants.tests_of("check/draws")
    assert mutants.tests_of("check/lesson_04")[:2] == ["tests/test_exercises.py", "-k"]
    assert {name for name in mutants.modules() if not mutants.tests_of(name)} <= {"__init__", "recipes/__init__"}


def test_a_mutant_of_a_check_runs_the_tests_of_its_exercises():
    source = textwrap.dedent("""
    import numpy as np
    LIMIT = {"a": 3}
    def _inner(x): return x + LIMIT["a"]
    def _outer(x):
        return _inner(x)
    @exercise("23.1", "f", points=1)
    def _(answer, rng):
        expect(answer(1) == 2)
    @exercise("23.2", "g", points=1)
    def _(answer, rng):
        expect(_outer(answer) == 2)
    def _alone(): return 7
    @exercise("23.3", "h", points=1)
    def _(answer, rng):
        for x in range(LIMIT["a"]):
            expect(answer(x) == x)
    """)
    used = {line: mutants.exercises_at(line, source) for line in range(1, source.count("\n") + 1)}
    assert used[9] == ["23.1"] and used[12] == used[6] == used[4] == ["23.2"] and used[16] == used[17] == ["23.3"]
    assert used[3] == ["23.2", "23.3"] and used[2] == used[13] == []


def test_a_line_that_no_exercise_uses_runs_the_whole_lesson(tmp_path):
    module = tmp_path / "genutils" / "check" / "lesson_23.py"
    module.parent.mkdir(parents=True)
    module.write_text("X = 3\n@exercise('23.1', 'f', points=1)\ndef _(answer, rng):\n    return answer\n")
    asked = {line: mutants.tests_of("check/lesson_23", tmp_path, line)[2].split(" and ")[0] for line in (None, 1, 4)}
    assert asked == {None: "(23.)", 1: "(23.)", 4: "(23.1)"}
    (tmp_path / "tests" / "mutants").mkdir(parents=True)
    for name in ("test_exercises.py", "mutants/lesson_23.py"):
        (tmp_path / "tests" / name).write_text("")
    tests = mutants.tests_of("check/lesson_23", tmp_path)
    before = mutants.digest(tests, tmp_path)
    (tmp_path / "tests" / "mutants" / "lesson_23.py").write_text("X = 1\n")
    assert mutants.digest(tests, tmp_path) != before
