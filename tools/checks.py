"""Try the checks of a lesson: ``python -m tools.checks 04`` runs every known wrong and right answer at three seeds.

For each exercise it prints how long the check takes with the solution, which wrong answers fall, with which hint, and
whether the right ones pass. ``python -m tools.checks 04.2 05`` takes exercises and lessons alike. A line that
begins with ``!`` is a fault; the exit status is 1 if there is one. ``--lines`` says instead which lines of a lesson's
checks none of these answers reaches: a hint that is never shown, a case that never comes.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import pathlib
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator

from genutils.check import Exercise, Report, _examine, exercises
from tests.mutants import CANDIDATES, Candidate
from tests.notebooks import by_role, imports
from tools import calibrate
from tools.lessons import ROOT, find

SEEDS = range(3)
LIMIT = {False: 0.5, True: 5.0}  # reference seconds that a check may take, and one that trains a network
LEAST = {"mutants": 6, "alternatives": 3}  # for each exercise


def solution(id: str) -> Callable:
    """The solution of an exercise, run as its notebook runs it: it may use the solutions before it."""
    return _built(id, ROOT / "solutions" / find(id.split(".")[0]).name, "solution")


def stub(id: str) -> Callable:
    """What a learner starts from."""
    return _built(id, find(id.split(".")[0]), "stub")


def _built(id: str, notebook: pathlib.Path, role: str) -> Callable:
    roles, space = by_role(notebook, role), dict(_begun(notebook))
    before = list(roles)[: list(roles).index(id)] if role == "solution" else []
    for source in [roles[i]["source"] for i in (*before, id)]:
        exec(compile(source, f"<{role} {id}>", "exec"), space)
    return space[exercises(id.split(".")[0])[id].name]


@functools.cache
def _begun(notebook: pathlib.Path) -> dict:
    """What the first code cell of a notebook defines; in some lessons it plays a game first, so once is enough."""
    space: dict = {}
    exec(compile(imports(notebook), f"<{notebook.stem}>", "exec"), space)
    return space


def candidates(lesson: str) -> list[Candidate]:
    """The wrong and the differently written right answers to the exercises of a lesson."""
    importlib.import_module(f"tests.mutants.lesson_{lesson}")
    return [c for c in CANDIDATES if c.exercise.split(".")[0] == lesson]


def report(id: str, answer: Callable, seed: int = 0) -> Report:
    """What `genutils.check.check` shows for an answer."""
    return _examine(answer, exercises(id.split(".")[0])[id], seed, 30.0, False)[0]


def reports(candidate: Candidate, seeds: Iterable[int] = SEEDS) -> dict[int, Report]:
    """What is shown for one answer at each seed."""
    return {seed: report(candidate.exercise, candidate.answer, seed) for seed in seeds}


def faults(candidate: Candidate, shown: dict[int, Report] | None = None) -> list[str]:
    """What is wrong with a check as one answer sees it: nothing, or a line for each seed at which it errs.

    A right answer must pass. A wrong one must be called wrong; the words it was registered with are part of what it is
    shown, and if there are none (`tests.mutants`), no hint may be shown. ``shown``: its `reports`, if there are any.
    """
    found = []
    for seed, said in (reports(candidate) if shown is None else shown).items():
        if said.verdict != ("right" if candidate.hint is None else "wrong"):
            found.append(f"seed {seed}: called {said.verdict}: {said!r}")
        elif candidate.hint == "" and hint(said):
            found.append(f"seed {seed}: no hint was expected: {hint(said)}")
        elif candidate.hint and candidate.hint not in repr(said):
            found.append(f"seed {seed}: {candidate.hint!r} is not in {said!r}")
    return found


def hint(said: Report) -> str:
    """The hint of a report, empty if it has none."""
    return dict(said.details).get("hint", "")


def seconds(id: str, answer: Callable, seeds: Iterable[int] = SEEDS) -> float:
    """CPU seconds of the check with an answer: the least of a few runs."""
    took = []
    for seed in seeds:
        start = time.process_time()
        report(id, answer, seed)
        took.append(time.process_time() - start)
    return min(took)


def lines(exercise: Exercise, figure: float) -> Iterator[str]:
    """The report on one exercise; a line that begins with ! is a fault. ``figure`` is `tools.calibrate.quick`'s."""
    solved, known = solution(exercise.id), [c for c in candidates(exercise.id[:2]) if c.exercise == exercise.id]
    took, limit = calibrate.reference_seconds(seconds(exercise.id, solved), figure), LIMIT[exercise.trains]
    yield f"{exercise.id} {exercise.name}"
    yield f"{' !'[took > limit]} the check takes {took:.2f} reference seconds of {limit}"
    wrong = [c for c in known if c.hint is not None]
    for word, count in (("mutants", len(wrong)), ("alternatives", len(known) - len(wrong))):
        yield f"{' !'[count < LEAST[word]]} {count} {word} of {LEAST[word]}"
    for candidate in [Candidate(exercise.id, solved, None), *known]:
        shown = reports(candidate)
        bad, which = faults(candidate, shown), "solution" if candidate.answer is solved else "alternative"
        if candidate.hint is None:
            yield "\n".join(f"! {which} {line}" for line in bad) if bad else f"  {which} passes"
        else:
            said = hint(shown[0]) or "(no hint)"
            yield "\n".join(f"! mutant {candidate.hint!r} {line}" for line in bad) if bad else f"  mutant falls: {said}"


def unreached(lesson: str) -> list[str]:
    """The lines of a lesson's checks that no known answer, no solution and no stub reaches at three seeds."""
    module = importlib.import_module(f"genutils.check.lesson_{lesson}")
    own = [Candidate(id, make(id), None) for id in exercises(lesson) for make in (solution, stub)]
    reached: set[int] = set()

    def step(frame: types.FrameType, event: str, argument: object) -> Callable:
        reached.add(frame.f_lineno)
        return step

    def enter(frame: types.FrameType, event: str, argument: object) -> Callable | None:
        return step(frame, event, argument) if frame.f_code.co_filename == module.__file__ else None

    threading.settrace(enter), sys.settrace(enter)
    try:
        for answer in own + candidates(lesson):
            reports(answer)
    finally:
        threading.settrace(None), sys.settrace(None)
    text = pathlib.Path(module.__file__).read_text(encoding="utf-8")
    missed = sorted(_inside(compile(text, module.__file__, "exec")) - reached)
    return [f"{line}: {text.splitlines()[line - 1].strip()}" for line in missed]


def _inside(code: types.CodeType) -> set[int]:
    """The lines of the bodies of all functions in a module."""
    found = set()
    for inner in (c for c in code.co_consts if isinstance(c, types.CodeType)):
        found |= {line for _, _, line in inner.co_lines() if line and line != inner.co_firstlineno} | _inside(inner)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", help="a lesson such as 04, or an exercise such as 04.2")
    parser.add_argument("--lines", action="store_true", help="which lines of a lesson's checks no answer reaches")
    given = parser.parse_args()
    what, figure, failed = given.what, calibrate.quick(), False
    if given.lines:
        missed = [f"! lesson_{name}.py:{line}" for name in what for line in unreached(name)]
        print("\n".join(missed) or "every line is reached")
        raise SystemExit(bool(missed))
    for name in what:
        found = exercises(name.split(".")[0])
        if name not in found and "." in name:
            parser.error(f"there is no exercise {name}; there are {', '.join(found)}")
        for exercise in [found[name]] if name in found else found.values():
            for line in lines(exercise, figure):
                failed |= line.startswith("!")
                print(line, flush=True)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
