"""``statistics LESSON``: how the class did, exercise by exercise, as a table and as a page."""

from __future__ import annotations

import argparse
import collections
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tools.classroom.layout import Classroom, Problem
from tools.classroom.pages import escape, page
from tools.classroom.records import Record, heading, records, stubs, titles
from tools.classroom.verdict import Verdict

BINS = 10


@dataclass
class Exercise:
    """How a class did in one exercise. ``right`` counts full points, ``tried`` those who changed the stub."""

    id: str
    title: str
    points: float
    tried: int = 0
    right: int = 0
    open: int = 0
    mean: float = 0.0
    hints: list[tuple[str, int]] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """Share with full points among those who tried and were graded; None if there is nobody."""
        graded = self.tried - self.open
        return self.right / graded if graded else None


@dataclass
class Summary:
    """A lesson's results: scores are points of everyone whose submission could be graded."""

    lesson: str
    title: str
    most: float
    scores: list[float]
    failed: int
    exercises: list[Exercise]
    days: list[tuple[str, int]]

    @property
    def hardest(self) -> Exercise | None:
        """The exercise with the lowest pass rate; of equals the one that fewest tried."""
        rated = [e for e in self.exercises if e.rate is not None]
        return min(rated, key=lambda e: (e.rate, e.tried), default=None)

    def histogram(self) -> list[int]:
        """How many scores lie in each of `BINS` equal parts of 0 ... most; the top belongs to the last."""
        counts = [0] * BINS
        for score in self.scores:
            counts[min(BINS - 1, int(BINS * score / self.most))] += 1
        return counts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")


def run(room: Classroom, args: argparse.Namespace) -> None:
    lesson = room.lesson(args.lesson)
    summary = summarise(room, lesson)
    show(summary)
    file = room.grades / lesson / "statistics.html"
    file.write_text(html(summary), encoding="utf-8")
    print(f"page: {file}")


def summarise(room: Classroom, lesson: str) -> Summary:
    """Add up a lesson.

    Raises:
        Problem: nothing was graded yet.
    """
    manifest = room.manifest(lesson)
    every = records(room, lesson)
    graded = [r for r in every if not r.failed]
    if not graded:
        raise Problem(f"nothing of {lesson} was graded yet; run: make grade LESSON={lesson}")
    named, stub = titles(manifest), stubs(manifest)
    exercises = [
        _exercise(graded, id, named[id] or e.get("name", ""), stub[id], float(e["points"]))
        for id, e in [*manifest["exercises"].items(), *manifest["manual"].items()]
    ]
    return Summary(
        lesson,
        heading(manifest),
        sum(e.points for e in exercises),
        [r.score for r in graded],
        len(every) - len(graded),
        exercises,
        sorted(collections.Counter(t.date().isoformat() for r in every for t in r.times).items()),
    )


def _exercise(graded: Sequence[Record], id: str, title: str, stub: str, points: float) -> Exercise:
    found, hints = Exercise(id, title, points), collections.Counter()
    for answer in (r.answers[id] for r in graded):
        if answer.source.strip() in ("", stub.strip()) or answer.verdict == Verdict.NOT_ATTEMPTED:
            continue
        found.tried += 1
        found.open += answer.score is None
        found.right += answer.score is not None and answer.score >= points
        if answer.hint:
            hints[answer.hint] += 1
    scores = [r.answers[id].score for r in graded if r.answers[id].score is not None]
    found.mean = statistics.fmean(scores) if scores else 0.0
    found.hints = hints.most_common(3)
    return found


def show(summary: Summary, say: Callable = print) -> None:
    """The table."""
    say(f"\n{summary.title}: {len(summary.scores)} graded, {summary.failed} not")
    say(_sums(summary))
    wide = max(len(e.title) for e in summary.exercises)
    say(f"\n{'':5} {'':{wide}}  {'tried':>5} {'right':>5} {'rate':>5} {'points':>9}  commonest hint")
    for e in summary.exercises:
        hint = f"{e.hints[0][0]} ({e.hints[0][1]})" if e.hints else ""
        points = f"{e.mean:.1f}/{e.points:g}"
        say(f"{e.id:5} {e.title:{wide}}  {e.tried:5} {e.right:5} {_rate(e):>5} {points:>9}  {hint}".rstrip())
    if summary.hardest:
        say(f"hardest: {summary.hardest.id} {summary.hardest.title}")
    if summary.days:
        say("handed in: " + ", ".join(f"{day} {n}" for day, n in summary.days))


def _rate(exercise: Exercise) -> str:
    return "–" if exercise.rate is None else f"{exercise.rate:.0%}"


def _sums(summary: Summary) -> str:
    mean, median = statistics.fmean(summary.scores), statistics.median(summary.scores)
    return f"of {summary.most:g} points: mean {mean:.1f}, median {median:g}, best {max(summary.scores):g}"


def html(summary: Summary) -> str:
    """The page."""
    edges = [f"{summary.most * k / BINS:g}–{summary.most * (k + 1) / BINS:g}" for k in range(BINS)]
    parts = [
        f"<h1>{escape(summary.title)}</h1>",
        f"<p>{len(summary.scores)} graded, {summary.failed} not; {_sums(summary)}.</p>",
        "<h2>Points</h2>",
        bars(list(zip(edges, summary.histogram(), strict=True)), "students by points"),
        "<h2>Exercises</h2>",
        '<p class="faint">Rate: of those who changed the stub and were graded, how many have full points.</p>',
        '<div class="scroll"><table><thead><tr><th></th><th></th><th class=number>tried</th><th class=number>right</th>'
        "<th class=number>rate</th><th class=number>mean points</th><th>commonest hints</th></tr></thead><tbody>",
    ]
    for e in summary.exercises:
        hints = "<br>".join(f"{escape(hint)} ({n})" for hint, n in e.hints)
        label = ' <span class="bad">hardest</span>' if e is summary.hardest else ""
        parts.append(
            f"<tr><td>{escape(e.id)}</td><td>{escape(e.title)}{label}</td><td class=number>{e.tried}</td>"
            f"<td class=number>{e.right}</td><td class=number>{_rate(e)}</td>"
            f"<td class=number>{e.mean:.1f} of {e.points:g}</td><td>{hints}</td></tr>"
        )
    parts.append("</tbody></table></div>")
    if summary.days:
        parts += ["<h2>Handed in</h2>", bars(summary.days, "attempts by day")]
    return page(f"{summary.lesson}: statistics", "\n".join(parts), style=".bar { fill: var(--link) }\n", wide=True)


def bars(counts: Sequence[tuple[str, int]], what: str) -> str:
    """A picture of counts, one bar each, in the colours of the page; numbers stand above, labels below."""
    step, height = 84, 120
    top = max([1, *(n for _, n in counts)])
    drawn = []
    for k, (label, n) in enumerate(counts):
        tall = height * n / top
        below = height - tall
        middle = step * k + step / 2
        drawn.append(
            f'<rect class="bar" x="{step * k + 6}" y="{20 + below:.1f}" width="{step - 12}" height="{tall:.1f}"/>'
            f'<text x="{middle}" y="{15 + below:.1f}">{n}</text>'
            f'<text x="{middle}" y="{38 + height}">{escape(label)}</text>'
        )
    wide = step * len(counts)
    return (
        f'<div class="scroll"><svg role="img" aria-label="{escape(what)}" width="{wide}" height="{height + 46}" '
        f'viewBox="0 0 {wide} {height + 46}" fill="currentColor" font-size="12" text-anchor="middle">'
        f"{''.join(drawn)}</svg></div>"
    )
