"""Copies are found however they are dressed up; answers that were written independently are left in peace."""

from __future__ import annotations

import ast
import collections
import functools
import pathlib

from tools.classroom import fingerprint, similarity
from tools.classroom.fingerprint import Answer, answer
from tools.classroom.similarity import candidates, matches

ROOT = pathlib.Path(__file__).parents[1]
LESSONS = [ROOT / "tests" / "mutants" / f"lesson_{n}.py" for n in ("02", "04", "07")]


@functools.cache
def known() -> dict[str, dict[str, list[Answer]]]:
    """Exercise -> kind -> the answers that the tests of the course know."""
    found: dict = collections.defaultdict(lambda: collections.defaultdict(list))
    for file in LESSONS:
        for id, kind, one in candidates(file):
            found[id][kind].append(Answer(f"{kind} {len(found[id][kind])}", one.source, one.prints))
    return found


@functools.cache
def plain(file: pathlib.Path) -> str:
    """The imports and helpers of a module of answers."""
    return "\n".join(ast.unparse(n) for n in ast.parse(file.read_text()).body if not getattr(n, "decorator_list", []))


class Disguise(ast.NodeTransformer):
    """New names for all locals, and another docstring."""

    def __init__(self, tree: ast.AST):
        self.new = {name: f"my_{k}" for k, name in enumerate(sorted(fingerprint._locals(tree)))}

    def visit_Name(self, node):
        node.id = self.new.get(node.id, node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.new.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.name = self.new.get(node.name, node.name)
        node.body = shuffled([ast.Expr(ast.Constant("Mine, all mine.")), *node.body])
        return node


def shuffled(body: list[ast.stmt]) -> list[ast.stmt]:
    """Neighbours change places where neither uses what the other sets."""

    def names(node: ast.stmt, kind: type) -> set[str]:
        return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}

    for k in range(1, len(body) - 1):
        a, b = body[k], body[k + 1]
        sets, other = names(a, ast.Store), names(b, ast.Store)
        met = sets & (other | names(b, ast.Load)) | other & names(a, ast.Load)
        if isinstance(a, ast.Assign) and isinstance(b, ast.Assign) and not met:
            body[k], body[k + 1] = b, a
    return body


def disguised(source: str) -> str:
    tree = ast.parse(source)
    return "# my own work\n" + ast.unparse(ast.fix_missing_locations(Disguise(tree).visit(tree)))


HONEST = """
def total(xs):
    '''Adds.'''
    result = 0.0
    for i, x in enumerate(xs):
        if x > 3 * i - 7:
            result += x ** 2 / (1 + i)
    return result
"""


def test_a_copy_in_disguise_has_the_same_fingerprints():
    copied = disguised(HONEST)
    assert "my_" in copied and "result" not in copied
    assert answer("a", HONEST, []).prints.keys() == answer("b", copied, []).prints.keys()


def test_names_of_modules_are_told_apart_from_locals_and_from_each_other():
    one = answer("a", "import numpy as np\ndef f(x):\n    return np.log(x)", []).prints
    two = answer("b", "from numpy import log\ndef g(y):\n    return log(y)", []).prints
    three = answer("c", "import math\ndef g(y):\n    return math.log(y)", []).prints
    assert one.keys() == two.keys() != three.keys()


def test_a_helper_in_another_cell_belongs_to_the_answer():
    helper = "def bits(p):\n    return -(p * 1.4427 * p).sum()"
    with_it = answer("a", "def f(p):\n    return bits(p)", [helper, "def unused():\n    return 7 * 7 * 7"])
    assert any("1.4427" in run for run in with_it.prints) and not any("7" in run for run in with_it.prints)


def test_what_the_background_or_many_have_is_no_evidence():
    a, b = answer("a", HONEST, []), answer("b", disguised(HONEST), [])
    others = [answer(f"o{k}", f"def f(x):\n    return {k} * x", []) for k in range(40)]
    (match,) = matches("1", [a, b, *others], [])
    assert match.share == 1 and match.bits > similarity.BITS and not match.verbatim
    assert not list(matches("1", [a, b, *others], [answer("solution", HONEST, [])]))
    same = [answer(f"s{k}", HONEST, []) for k in range(30)]
    assert not list(matches("1", [a, *same, *others], []))


def test_a_ring_is_found_if_its_statements_are_nobody_elses():
    """Eight of forty hand in one answer; of thirty who took the same obvious way, each with a line of its own, none."""
    ring = [answer(f"r{k}", disguised(HONEST.replace("my", f"m{k}")), []) for k in range(8)]
    others = [answer(f"o{k}", f"def f(x):\n    y = {k} * x\n    return y ** {k}", []) for k in range(32)]
    assert len(list(matches("1", [*ring, *others], []))) == 28
    way = ["    y = np.log(x) * (1 + x)", "    z = np.sqrt(y) / (y - 3)", "    w = np.exp(z) ** (z - y)"]
    for k in range(30):
        own = [line + f" - {k}" * (at == k % 3) for at, line in enumerate(way)]
        others.append(answer(f"w{k}", "\n".join(["def f(x):", *own, "    return w"]), []))
    assert len(list(matches("1", [*ring, *others], []))) == 28


def rings_in(id: str) -> tuple[int, int, int]:
    """A class of all known answers, with and without seven who copied one of them in disguise.

    Returns:
        Pairs of more than a few that are named without the ring, rings that are named whole, and how many there were.
    """
    everyone = [one for kind in known()[id].values() for one in kind]
    helpers = plain(next(f for f in LESSONS if f.stem.endswith(id[:2])))
    caught = 0
    for one in known()[id]["alternative"]:
        ring = [answer(f"copy {k}", disguised(one.source), [helpers]) for k in range(7)]
        named = {(m.left.owner, m.right.owner) for m in matches(id, [*everyone, *ring], [])}
        caught += {(one.owner, a.owner) for a in ring} <= named
    holders = collections.defaultdict(list)
    for one in everyone:
        for run in one.prints:
            holders[run].append(one)
    return len(similarity._rings(holders, 4, len(everyone) // 3)), caught, len(known()[id]["alternative"])


def test_rings_are_found_where_answers_are_long_enough():
    """Of all lessons 86 of 269 rings of eight, and one group of the known answers, which have common authors."""
    false, caught, rings = (sum(n) for n in zip(*map(rings_in, sorted(known())), strict=True))
    assert false == 0 and caught / rings > 0.25, (false, caught, rings)


def test_what_cannot_be_parsed_matches_nothing():
    assert answer("a", "def f(:", []).prints == {}
    assert answer("b", "%timeit 1 + 1\ndef f(x):\n    return x", []).prints


def found_in(id: str) -> tuple[int, int, int, int]:
    """A class in which each known right answer is one student's, with and without a friend who copied it in disguise.

    Returns:
        Independent pairs that are named, and how many there are; copies that are named, and how many there are.
    """
    students, background = known()[id]["alternative"], known()[id]["mutant"]
    helpers = plain(next(f for f in LESSONS if f.stem.endswith(id[:2])))
    copies = [answer(f"copy of {a.owner}", disguised(a.source), [helpers]) for a in students]
    alone = list(matches(id, students, background))
    named = {(m.left.owner, m.right.owner) for m in matches(id, [*students, *copies], background)}
    caught = sum((a.owner, f"copy of {a.owner}") in named for a in students)
    return len(alone), len(students) * (len(students) - 1) // 2, caught, len(students)


def test_independent_right_answers_are_not_taken_for_copies():
    """Of all lessons it is none of 306 pairs and 250 of 268 copies; the others are too short or too usual to tell."""
    false, pairs, caught, copies = (sum(n) for n in zip(*map(found_in, sorted(known())), strict=True))
    assert pairs > 80 and copies > 60
    assert false == 0 and caught / copies > 0.85, (false, pairs, caught, copies)
