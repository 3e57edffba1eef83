# ruff: noqa: E501  (students' cells stand here as they were typed)
"""A course of one small lesson, and the ways in which students hand it in: what `test_classroom` grades."""

from __future__ import annotations

import contextlib
import copy
import json
import pathlib
import shutil
from collections.abc import Callable, Iterator

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.classroom.cells import grade_id
from tools.classroom.layout import Classroom
from tools.classroom.release import release

REPO = pathlib.Path(__file__).resolve().parents[1]
LESSON = "90_small"

CHECKS = """
import numpy as np

from genutils.check import exercise
from genutils.check.expect import expect_close


@exercise("90.1", "small_entropy", points=2)
def _(answer, rng):
    for n in (2, 5):
        p = rng.dirichlet(np.ones(n))
        nats = -(p * np.log(p)).sum()
        got = answer(p)
        expect_close(got, nats, given=f"p = {p}", says="the entropy of p is the mean surprise, in nats",
                     mistakes=[(nats / np.log(2), "that is bits")])


@exercise("90.2", "normalised", points=3)
def _(answer, rng):
    w = rng.uniform(1, 2, size=4)
    got = answer(w)
    expect_close(got, w / w.sum(), given=f"w = {w}", says="the weights are divided by their sum")


@exercise("90.3", "Tally", points=1)
def _(answer, rng):
    tally = answer()
    steps = rng.integers(1, 9, size=6)
    for step in steps:
        tally.add(step)
    expect_close(tally.total(), steps.sum(), says="the total is the sum of what was added")
"""
STUBS = {
    "90.1": 'def small_entropy(p):\n    """Entropy of p in nats."""\n    raise NotImplementedError',
    "90.2": 'def normalised(w):\n    """Weights that sum to one."""\n    raise NotImplementedError',
    "90.3": 'class Tally:\n    """Counts."""\n\n    def add(self, n):\n        raise NotImplementedError\n\n    def total(self):\n        raise NotImplementedError',
}
SOLVED = {
    "90.1": 'def small_entropy(p):\n    """Entropy of p in nats."""\n    surprise_of_each = np.log(p)\n    return -np.dot(p, surprise_of_each)',
    "90.2": 'def normalised(w):\n    """Weights that sum to one."""\n    everything_together = np.sum(w)\n    return np.asarray(w) / everything_together',
    "90.3": 'class Tally:\n    """Counts."""\n\n    def __init__(self):\n        self.sum_so_far = 0\n\n    def add(self, n):\n        self.sum_so_far += n\n\n'
    "    def total(self):\n        return self.sum_so_far",
}
NAMES = {"90.1": "small_entropy", "90.2": "normalised", "90.3": "Tally"}


def released(root: pathlib.Path) -> Classroom:
    """The small course's own classroom, in which its lesson was released."""
    room = Classroom(course(root))
    release(room, LESSON, validate=False, say=lambda text: None)
    return room


def course(root: pathlib.Path) -> pathlib.Path:
    """Write the course: a lesson, its solution, and genutils without the checks of other lessons."""
    for folder in ("lessons", "solutions"):
        (root / folder).mkdir(parents=True)
    others = shutil.ignore_patterns("__pycache__", "figures", "recipes", "lesson_[0-9]*.py")
    shutil.copytree(REPO / "genutils", root / "genutils", ignore=others)
    (root / "_toc.yml").write_text(f"parts: [{{chapters: [{{file: lessons/{LESSON}}}]}}]\n")
    (root / "genutils" / "check" / "lesson_90.py").write_text(CHECKS)
    start = "import numpy as np\nfrom genutils.check import check"
    lesson, solution = (
        [new_markdown_cell("# A small lesson\n\n![a dot](dot.svg) and $p \\log p$"), new_code_cell(start)],
        [new_code_cell(start)],
    )
    for id, stub in STUBS.items():
        key = {"exercise": id}
        lesson.append(new_markdown_cell(f"### Exercise {id} (core): do it", metadata=key | {"role": "statement"}))
        lesson.append(new_code_cell(stub, metadata=key | {"role": "stub"}))
        lesson.append(new_code_cell(f"check({NAMES[id]})", metadata=key | {"role": "check"}))
        solution.append(new_markdown_cell(f"By the definition of {id}.", metadata=key | {"role": "derivation"}))
        solution.append(new_code_cell(SOLVED[id], metadata=key | {"role": "solution"}))
        solution.append(new_code_cell(f"check({NAMES[id]})", metadata=key | {"role": "check"}))
    key = {"exercise": "90.w"}
    lesson.append(new_markdown_cell("### Exercise 90.w: why?", metadata=key | {"role": "question"}))
    lesson.append(new_markdown_cell("*Your answer here.*", metadata=key | {"role": "answer"}))
    solution.append(
        new_markdown_cell("Because surprise adds up, says the model.", metadata=key | {"role": "model-answer"})
    )
    solution.append(
        new_markdown_cell("- 4 points if the word additivity occurs", metadata=key | {"role": "rubric", "points": 4})
    )
    lesson.append(new_markdown_cell("The end."))
    nbformat.write(_notebook(lesson), root / "lessons" / f"{LESSON}.ipynb")
    nbformat.write(_notebook(solution), root / "solutions" / f"{LESSON}.ipynb")
    (root / "lessons" / "dot.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return root


@contextlib.contextmanager
def one_at_a_time(lock: pathlib.Path) -> Iterator[None]:
    """Of all test processes one at a time goes on; the system lets go of the lock when a process ends."""
    import fcntl  # what waits here grades, and grading needs a system that has it

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _notebook(cells: list) -> nbformat.NotebookNode:
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )


# -- submissions: each takes the released notebook and spoils it

EVIL = "def small_entropy(p):\n    return 0.0"
Spoil = Callable[[nbformat.NotebookNode], None]
SUBMISSIONS: dict[str, Spoil] = {}


def submission(spoil: Spoil) -> Spoil:
    SUBMISSIONS[spoil.__name__] = spoil
    return spoil


def answer(nb: nbformat.NotebookNode, id: str, source: str) -> None:
    find(nb, id, "answer").source = source


def find(nb: nbformat.NotebookNode, id: str, kind: str) -> nbformat.NotebookNode:
    name = grade_id(id, kind)
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def read(folder: pathlib.Path) -> nbformat.NotebookNode:
    """The lesson's notebook in a folder."""
    return nbformat.read(folder / f"{LESSON}.ipynb", as_version=4)


def write(nb: nbformat.NotebookNode, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, folder / f"{LESSON}.ipynb")


def solve(nb: nbformat.NotebookNode, *ids: str) -> None:
    for id in ids or SOLVED:
        answer(nb, id, SOLVED[id])


def first(nb: nbformat.NotebookNode, source: str) -> None:
    """A cell before the exercises."""
    nb.cells.insert(2, new_code_cell(source))


@submission
def perfect(nb):
    solve(nb)
    answer(nb, "90.w", "Because of additivity.")


@submission
def partial(nb):
    solve(nb, "90.2")
    answer(nb, "90.1", "def small_entropy(p):\n    return -(p * np.log2(p)).sum()")


@submission
def untouched(nb):
    pass


@submission
def talkative(nb):
    """Right, although it writes to stderr and ends its cell with a value."""
    solve(nb)
    answer(
        nb,
        "90.1",
        "import sys\n"
        + SOLVED["90.1"].replace("    surprise", "    print('hm', file=sys.stderr)\n    surprise")
        + "\n0.0",
    )


@submission
def syntax_error(nb):
    solve(nb)
    answer(nb, "90.1", "def small_entropy(p:\n    return 1")


@submission
def endless_in_function(nb):
    solve(nb)
    answer(nb, "90.1", "def small_entropy(p):\n    while True:\n        pass")


@submission
def endless_at_top(nb):
    solve(nb)
    first(nb, "while True:\n    pass")


@submission
def endless_and_deaf(nb):
    solve(nb)
    answer(
        nb,
        "90.2",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    )


@submission
def deleted_test(nb):
    solve(nb, "90.2", "90.3")
    nb.cells.remove(find(nb, "90.1", "test"))


@submission
def deleted_answer(nb):
    solve(nb)
    nb.cells.remove(find(nb, "90.1", "answer"))
    nb.cells.remove(find(nb, "90.w", "answer"))


@submission
def edited_test(nb):
    find(nb, "90.1", "test").source = "pass"
    answer(nb, "90.1", EVIL)


@submission
def duplicated_test(nb):
    solve(nb)
    answer(nb, "90.1", EVIL)
    twin = copy.deepcopy(find(nb, "90.1", "test"))
    nb.cells.append(twin)


@submission
def duplicated_answer(nb):
    solve(nb)
    twin = copy.deepcopy(find(nb, "90.1", "answer"))
    twin.id = "another"
    nb.cells.insert(2, twin)


@submission
def changed_points(nb):
    solve(nb, "90.2")
    find(nb, "90.2", "test").metadata.nbgrader["points"] = 100
    find(nb, "90.w", "answer").metadata.nbgrader["points"] = 100


@submission
def unmarked_test(nb):
    """Wrong, and the test's own marks say that it is an answer to be read."""
    answer(nb, "90.1", EVIL)
    find(nb, "90.1", "test").metadata.nbgrader |= {"solution": True, "locked": False}


@submission
def lost_marks(nb):
    """An editor dropped all metadata; the work is honest."""
    solve(nb)
    for cell in nb.cells:
        cell.metadata = {}


@submission
def dead_kernel(nb):
    solve(nb)
    answer(nb, "90.2", "import os\nos._exit(0)")


@submission
def dies_when_called(nb):
    solve(nb)
    answer(
        nb,
        "90.2",
        "import os, sys\ndef normalised(w):\n    if 'matplotlib' in sys.argv:\n        return w / w.sum()\n    os._exit(0)",
    )


@submission
def gigantic_output(nb):
    solve(nb)
    first(nb, "for i in range(300):\n    print('x' * 100_000)")


@submission
def strange_kernelspec(nb):
    solve(nb)
    nb.metadata.kernelspec = {"name": "conda-env-x", "display_name": "x", "language": "python"}


@submission
def no_kernelspec(nb):
    solve(nb)
    del nb.metadata["kernelspec"]


@submission
def exits(nb):
    answer(nb, "90.1", "def small_entropy(p):\n    raise SystemExit(0)")
    answer(nb, "90.2", "import sys\nsys.exit(0)")


@submission
def unpicklable(nb):
    solve(nb)
    answer(
        nb,
        "90.1",
        "held = (i for i in range(9))\ndef small_entropy(p):\n    assert held\n    return -(p * np.log(p)).sum()",
    )


ATTACKS = {
    "redefines_check": "def check(*a, **k):\n    pass",
    "patches_check": "import genutils.check\ngenutils.check.check = lambda *a, **k: None",
    "replaces_modules": "import sys, types\nm = types.ModuleType('genutils.check')\nm.check = lambda *a, **k: None\nsys.modules['genutils.check'] = m",
    "patches_allclose": "import numpy\nnumpy.allclose = lambda *a, **k: True\nimport genutils.check.expect\ngenutils.check.expect.numbers = lambda v, *a, **k: np.zeros(())",
    "hooks_ipython": "ip = get_ipython()\nip.input_transformers_post.append(lambda lines: [l for l in lines if 'grading' not in l])",
    "patches_the_registry": "import genutils.check as g\nfrom dataclasses import replace\n"
    "g._EXERCISES.update({k: replace(e, test=lambda a, r: None) for k, e in g.exercises().items()})",
}
for _name, _source in ATTACKS.items():

    def _attack(nb, source=_source):
        first(nb, source)
        answer(nb, "90.1", EVIL)

    SUBMISSIONS[_name] = _attack


@submission
def equal_to_all(nb):
    """Objects that equal everything, as a value and as a whole class of answers."""
    thing = "class Same(float):\n    __eq__ = __le__ = __ge__ = __lt__ = lambda *a: True\n    __sub__ = __rsub__ = __abs__ = lambda *a: 0.0\n    __hash__ = None\n"
    answer(nb, "90.1", thing + "def small_entropy(p):\n    return Same()")
    answer(
        nb,
        "90.2",
        "class Array(np.ndarray):\n    __eq__ = lambda *a: True\ndef normalised(w):\n    return np.zeros(4).view(Array)",
    )


@submission
def patches_when_called(nb):
    """Attacks from inside the function, also in the clean process, and covers its tracks."""
    answer(
        nb,
        "90.1",
        "def small_entropy(p):\n    import sys\n    m = sys.modules.get('genutils.check.lesson_90')\n    real = m.expect_close\n"
        "    def fake(*a, **k):\n        m.expect_close = real\n    m.expect_close = fake\n    return 0.0",
    )
    answer(
        nb,
        "90.2",
        "def normalised(w):\n    import sys, gc\n    import genutils.check as g, genutils.check.expect as e\n    e.expect_close.__code__ = (lambda *a, **k: None).__code__\n"
        "    for f in [sys._getframe(i) for i in range(3)]:\n        f.f_globals['expect_close'] = lambda *a, **k: None\n    return w",
    )


@submission
def hostile_pickle(nb):
    """Code that runs when the function is carried over."""
    answer(
        nb,
        "90.1",
        "class Carrier:\n    __name__ = 'small_entropy'\n    def __call__(self, p):\n        return 0.0\n"
        "    def __reduce__(self):\n        return (exec, (\"import genutils.check as g, os\\ng.check = lambda *a, **k: None\\nos.write(1, b'{}')\",))\n"
        "small_entropy = Carrier()",
    )


@submission
def leaks_the_seed(nb):
    """Prints what it sees of the hidden test, and puts a script and a spy into the page; its answers are right."""
    solve(nb)
    spy = "<script>window.students_script_ran = true</script><img src='https://example.org/spy.png' onerror='window.students_script_ran = true'>"
    nb.cells.append(new_markdown_cell(spy))
    nb.cells.append(new_code_cell(f"from IPython.display import HTML\nHTML({spy!r})"))
    nb.cells.append(
        new_code_cell(
            "import re\nfound = re.findall(r'seed=(\\d+)', ' '.join(_ih))\nprint(found, [f'{int(f):,}' for f in found], [hex(int(f)) for f in found])\nraise ValueError(found)"
        )
    )


# what the table must say: points without the question in words, and a part of the notes ("" where there is nothing to say)
EXPECTED: dict[str, tuple[float, str]] = {
    "perfect": (6, ""),
    "partial": (3, ""),
    "untouched": (0, ""),
    "talkative": (6, ""),
    "syntax_error": (4, "syntax error in cell"),
    "endless_in_function": (4, "90.1 timeout in the hidden test"),
    "endless_at_top": (6, "timeout in cell"),
    "endless_and_deaf": (3, "cell 8 was given up: it did not stop"),
    "deleted_test": (4, "deleted test cell of 90.1"),
    "deleted_answer": (4, "deleted answer cell of 90.1"),
    "edited_test": (0, "edited test cell of 90.1"),
    "duplicated_test": (4, "duplicated test cell of 90.1"),
    "duplicated_answer": (6, "duplicated answer cell of 90.1"),
    "changed_points": (3, "changed points of the test cell of 90.2"),
    "unmarked_test": (0, "changed marks of the test cell of 90.1"),
    "lost_marks": (6, "had lost their marks"),
    "dead_kernel": (3, "cell 8 was given up: it ended its process"),
    "dies_when_called": (3, "90.2 ended its own process"),
    "gigantic_output": (6, "gigantic output in cell"),
    "strange_kernelspec": (6, "strange kernelspec 'conda-env-x'"),
    "no_kernelspec": (6, "kernelspec missing"),
    "exits": (0, "SystemExit"),
    "unpicklable": (6, ""),
    "equal_to_all": (0, "__eq__"),
    "patches_when_called": (0, "may touch the checker: sys.modules"),
    "hostile_pickle": (0, "may touch the checker: __reduce__"),
    "leaks_the_seed": (6, "error in cell"),
    "redefines_check": (0, "may touch the checker: def check"),
    "patches_check": (0, "may touch the checker"),
    "replaces_modules": (0, "may touch the checker"),
    "patches_allclose": (0, "may touch the checker"),
    "hooks_ipython": (0, "may touch the checker: input_transformers_post"),
    "patches_the_registry": (0, "may touch the checker: _EXERCISES"),
    "invalid_json": (0, "invalid JSON"),
    "not_a_notebook": (0, "not a valid notebook"),
    "empty_folder": (0, "empty folder"),
    "wrong_name": (6, "wrong file name (final (2).ipynb"),
    "two_wrong_names": (0, "2 notebooks could be meant"),
    "other_lesson": (0, "is not this lesson's notebook"),
    "linked": (0, "is a link"),
    "odd[name]": (0, "folder name has characters"),
    "absent": (0, "nothing handed in"),
    "beside": (6, "not in a folder named 90_small"),
    "repeated_ids": (6, "duplicated cell ids"),
    "brings_modules": (0, "other files were not used"),
}


def hand_in(submitted: pathlib.Path, released: pathlib.Path) -> None:
    """Everyone's folder."""
    text = (released / f"{LESSON}.ipynb").read_text(encoding="utf-8")

    def write(student: str, spoil: Spoil, name: str = f"{LESSON}.ipynb") -> pathlib.Path:
        nb = nbformat.reads(text, as_version=4)
        spoil(nb)
        file = submitted / student / LESSON / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(nb), encoding="utf-8")
        return file

    for student, spoil in SUBMISSIONS.items():
        write(student, spoil)
    write("invalid_json", perfect).write_text(text[: len(text) // 2], encoding="utf-8")
    write("not_a_notebook", perfect).write_text('{"cells": 3}', encoding="utf-8")
    (submitted / "empty_folder" / LESSON).mkdir(parents=True)
    write("wrong_name", perfect, "final (2).ipynb")
    write("two_wrong_names", perfect, "a.ipynb")
    write("two_wrong_names", perfect, "b.ipynb")
    write("other_lesson", perfect, "91.ipynb").write_text(json.dumps(_notebook([])), encoding="utf-8")
    (submitted / "linked" / LESSON).mkdir(parents=True)
    (submitted / "linked" / LESSON / f"{LESSON}.ipynb").symlink_to(submitted / "perfect" / LESSON / f"{LESSON}.ipynb")
    write("odd[name]", perfect)
    (submitted / "absent").mkdir()
    shutil.copytree(submitted / "perfect" / LESSON, submitted / "beside")

    def repeat(nb: nbformat.NotebookNode) -> None:
        perfect(nb)
        for cell in nb.cells:
            cell["id"] = "same"

    write("repeated_ids", repeat)
    file = write("brings_modules", lambda nb: answer(nb, "90.1", EVIL))
    (file.parent / "genutils").mkdir()
    (file.parent / "genutils" / "__init__.py").touch()
    (file.parent / "genutils" / "check").mkdir()
    (file.parent / "genutils" / "check" / "__init__.py").write_text("def check(*a, **k):\n    pass\n")
