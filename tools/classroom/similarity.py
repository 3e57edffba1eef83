"""``similarity LESSON``: which answers are more alike than chance explains, for a person to judge.

An answer is reduced to the shape of its code: names of locals, comments, docstrings, the contents of strings and the
order of statements are gone. Of each statement all runs of `RUN` tokens are kept, the fingerprints of Schleimer,
Wilkerson and Aiken, *Winnowing: local algorithms for document fingerprinting*, SIGMOD 2003 (answers are short, so none
is thinned out). What the stub, the solution and the known answers in ``tests/mutants`` have is what everybody gets from
the obvious way, and tells nothing; the rest tells more, the fewer others have it: log2((n + 1) / (k + 1)) bits when k
of n others do. Runs overlap, so the sum is divided by their length.
"""

from __future__ import annotations

import argparse
import ast
import collections
import copy
import itertools
import json
import math
import pathlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tools.classroom.cells import ANSWER, grade_id
from tools.classroom.fingerprint import RUN, Answer, answer
from tools.classroom.layout import Classroom
from tools.classroom.pages import escape, page
from tools.classroom.records import heading, records, stubs

SHARE = 0.6  # of what is unusual in the shorter answer, at least so much is shared
BITS = 4.0  # evidence in one exercise, at least
STATEMENTS = 3  # which nobody else has, make a ring of more than a few
SHOWN = 25  # pairs on the page side by side
_STYLE = """
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1rem }
"""


@dataclass
class Match:
    """Two answers to one exercise: bits of evidence, and the share of what is unusual in the shorter one."""

    exercise: str
    left: Answer
    right: Answer
    bits: float
    share: float
    common: set[tuple[str, ...]]

    @property
    def verbatim(self) -> bool:
        """Whether names and comments are the same, too."""
        return "".join(self.left.source.split()) == "".join(self.right.source.split())


@dataclass
class Pair:
    """Two students, or a student and a known answer, with the exercises in which they are alike."""

    left: str
    right: str
    matches: list[Match] = field(default_factory=list)

    @property
    def bits(self) -> float:
        return sum(m.bits for m in self.matches)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")


def run(room: Classroom, args: argparse.Namespace) -> None:
    lesson = room.lesson(args.lesson)
    students, sources = compare(room, lesson)
    show(students, "students", print)
    show(sources, "with the solution or a known answer", print)
    file = room.grades / lesson / "similarity.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html(room, lesson, students, sources), encoding="utf-8")
    print(f"page: {file}")


def compare(room: Classroom, lesson: str) -> tuple[list[Pair], list[Pair]]:
    """Pairs of students, and of a student and a known right answer, the strongest evidence first."""
    manifest = room.manifest(lesson)
    stub, everyone = stubs(manifest), [r for r in records(room, lesson) if not r.failed]
    known = references(room, lesson)
    students: dict[tuple[str, str], Pair] = {}
    sources: dict[tuple[str, str], Pair] = {}
    given: dict[str, list[Answer]] = {id: [] for id in manifest["exercises"]}
    for r in everyone:
        for id, answers in given.items():
            if r.answers[id].source.strip() not in ("", stub[id].strip()):
                answers.append(answer(r.student, r.answers[id].source, r.cells))
    for id, answers in given.items():
        released = answer("stub", stub[id], [])
        background = [released, *(a for _, a in known.get(id, []))]
        origins = [a for kind, a in known.get(id, []) if kind != "mutant"]
        for found, match in (
            (students, matches(id, answers, background)),
            (sources, resemblances(id, answers, origins, released)),
        ):
            for m in match:
                owners = m.left.owner, m.right.owner
                found.setdefault(owners, Pair(*owners)).matches.append(m)
    return tuple(sorted(p.values(), key=lambda p: -p.bits) for p in (students, sources))


def matches(id: str, answers: list[Answer], background: Iterable[Answer]) -> Iterator[Match]:
    """Pairs of answers to an exercise that are alike beyond what the background and others explain."""
    usual = set().union(*(b.prints for b in background))
    have = collections.Counter(p for a in answers for p in a.prints)
    unusual = {a.owner: a.prints.keys() - usual for a in answers}
    holders = collections.defaultdict(list)
    for a in answers:
        for p in unusual[a.owner]:
            holders[p].append(a)
    few = max(4, len(answers) // 20)  # if more have it, it is a way that people come upon
    groups = [those for those in holders.values() if 1 < len(those) <= few] + _rings(holders, few, len(answers) // 3)
    pairs = {(a.owner, b.owner): (a, b) for those in groups for a, b in itertools.combinations(those, 2)}
    others = len(answers) - 2 + sum(1 for _ in background)
    for a, b in pairs.values():
        common = unusual[a.owner] & unusual[b.owner]

        def bits(p: tuple[str, ...], pair: set = common) -> float:
            return math.log2((others + 1) / max(1, have[p] - (1 if p not in pair else 2) + 1)) / RUN

        yield from _match(id, a, b, common, [unusual[a.owner], unusual[b.owner]], bits)


def _rings(holders: dict[tuple[str, ...], list[Answer]], few: int, many: int) -> list[list[Answer]]:
    """Groups of more than a few who have several statements that nobody else has, not even one of them.

    People who come upon the same way part company: of the runs of their statements each is held by others.
    """
    lines: dict[tuple[str, ...], set[int]] = collections.defaultdict(set)
    of = {a.owner: a for those in holders.values() for a in those}
    for run_, those in holders.items():
        if few < len(those) <= many:
            lines[tuple(a.owner for a in those)] |= those[0].prints[run_]
    return [[of[owner] for owner in owners] for owners, found in lines.items() if len(found) >= STATEMENTS]


def resemblances(id: str, answers: list[Answer], origins: list[Answer], stub: Answer) -> Iterator[Match]:
    """Answers that are alike a known right answer beyond what the other answers explain."""
    everything = [*answers, *origins]
    have = collections.Counter(p for a in everything for p in a.prints)
    for a, b in itertools.product(answers, origins):
        left, right = a.prints.keys() - stub.prints, b.prints.keys() - stub.prints
        common = left & right

        def bits(p: tuple[str, ...], pair: set = common) -> float:
            others = have[p] - (2 if p in pair else 1)
            return math.log2((len(everything) - 1) / max(1, others + 1)) / RUN

        yield from _match(id, a, b, common, [left, right], bits)


def _match(id: str, a: Answer, b: Answer, common: set, each: list[set], bits: Callable) -> Iterator[Match]:
    shared = sum(map(bits, common))
    if shared >= BITS:
        whole = min(sum(map(bits, prints)) for prints in each)
        if shared >= SHARE * whole:
            yield Match(id, a, b, shared, shared / whole, common)


# -- what is known


def references(room: Classroom, lesson: str) -> dict[str, list[tuple[str, Answer]]]:
    """Exercise -> known answers with their kind: the solution, other right ones (alternative), wrong ones (mutant)."""
    found: dict[str, list[tuple[str, Answer]]] = collections.defaultdict(list)
    source = room.source / lesson / f"{lesson}.ipynb"
    cells = [c for c in json.loads(source.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    marked = {(c["metadata"].get("nbgrader") or {}).get("grade_id"): "".join(c["source"]) for c in cells}
    for id in room.manifest(lesson)["exercises"]:
        solution = marked.get(grade_id(id, ANSWER), "")
        found[id].append(("solution", answer("the solution", solution, ["".join(c["source"]) for c in cells])))
    file = room.root / "tests" / "mutants" / f"lesson_{lesson.partition('_')[0]}.py"
    if file.exists():
        for id, kind, known in candidates(file):
            number = sum(k == kind for k, _ in found[id]) + 1
            found[id].append((kind, Answer(f"{kind} {number}", known.source, known.prints)))
    return found


def candidates(file: pathlib.Path) -> Iterator[tuple[str, str, Answer]]:
    """Exercise, kind (alternative or mutant) and answer of each that a module of ``tests/mutants`` registers."""
    text = file.read_text(encoding="utf-8")
    body = ast.parse(text).body
    plain = "\n".join(ast.unparse(n) for n in body if not getattr(n, "decorator_list", []))
    for node in body:
        for call in getattr(node, "decorator_list", []):
            kind = getattr(getattr(call, "func", None), "id", "")
            if kind in ("alternative", "mutant"):
                bare = copy.copy(node)
                bare.decorator_list = []
                yield ast.literal_eval(call.args[0]), kind, answer(kind, ast.unparse(bare), [plain])


# -- what is shown


def show(pairs: list[Pair], title: str, say: Callable) -> None:
    say(f"\n{title}: {len(pairs)} alike" + (", the first ten:" if len(pairs) > 10 else ""))
    for pair in pairs[:10]:
        parts = (f"{m.exercise} {m.bits:.0f}" + (" word for word" if m.verbatim else "") for m in pair.matches)
        say(f"  {pair.left} - {pair.right}: {pair.bits:.0f} bits ({', '.join(parts)})")


def html(room: Classroom, lesson: str, students: list[Pair], sources: list[Pair]) -> str:
    """The page: both lists, and the strongest pairs side by side."""
    parts = [
        f"<h1>{escape(heading(room.manifest(lesson)))}</h1>",
        "<p>Answers that are more alike than chance explains. That proves nothing: two may have had the same tutor, "
        "book or idea. Look at them side by side before you speak with anybody.</p>",
        "<p class=faint>Names of variables, comments and the order of statements are ignored. What the lesson, its "
        "solution or the known answers have is no evidence between students; nor is what one in twenty has, unless "
        "they share several statements that nobody else has. Marked lines hold what only these share.</p>",
    ]
    for name, title, pairs in (("s", "Students", students), ("k", "With a known answer", sources)):
        parts += [f"<h2>{title}</h2>", _table(name, pairs)] if pairs else [f"<h2>{title}</h2>", "<p>None.</p>"]
        parts += [_beside(f"{name}{k}", pair) for k, pair in enumerate(pairs[:SHOWN])]
    return page(f"{lesson}: similarity", "\n".join(parts), style=_STYLE, wide=True)


def _table(name: str, pairs: list[Pair]) -> str:
    rows = []
    for k, pair in enumerate(pairs[:200]):
        parts = ", ".join(f"{m.exercise} ({m.bits:.0f} bits, {m.share:.0%})" for m in pair.matches)
        who = f"{escape(pair.left)} – {escape(pair.right)}"
        who = f'<a href="#{name}{k}">{who}</a>' if k < SHOWN else who
        rows.append(f"<tr><td>{who}</td><td class=number>{pair.bits:.0f}</td><td>{escape(parts)}</td></tr>")
    head = "<tr><th>Pair</th><th class=number>bits</th><th>exercises: evidence, share of what is unusual</th></tr>"
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _beside(anchor: str, pair: Pair) -> str:
    parts = [f'<h3 id="{anchor}">{escape(pair.left)} – {escape(pair.right)}</h3>']
    for m in pair.matches:
        same = ", word for word" if m.verbatim else ""
        parts.append(f"<p>{escape(m.exercise)}: {m.bits:.0f} bits, {m.share:.0%}{same}</p>")
        parts.append(f'<div class="pair">{_marked(m.left, m.common)}{_marked(m.right, m.common)}</div>')
    return "\n".join(parts)


def _marked(answer: Answer, common: set) -> str:
    lines = set().union(*(answer.prints[p] for p in common))
    shown = []
    for number, line in enumerate(answer.source.splitlines(), 1):
        shown.append(f"<mark>{escape(line, 300)}</mark>" if number in lines else escape(line, 300))
    return f"<pre><b>{escape(answer.owner)}</b>\n\n{chr(10).join(shown[:400])}</pre>"
