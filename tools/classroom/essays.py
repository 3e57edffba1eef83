"""``essays LESSON``: all answers in words on one page, question by question, and a csv file for points and comments.

The page and the file hold the same; either may be filled in, and ``essays LESSON --read FILE`` takes the points over. A
point belongs to the text that it was given for: of an answer that has changed since it is refused.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import pathlib
import unicodedata
import warnings
from dataclasses import dataclass

from nbconvert.filters import markdown2html

from tools.classroom.layout import Classroom, Problem
from tools.classroom.pages import escape, page
from tools.classroom.records import Answer, Record, fingerprint, gradebook, heading, in_words, records, stubs

HEAD = ["student", "question", "answer", "score", "comment"]
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so
_STYLE = """
.essays { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 1.5rem }
.essays aside { align-self: start; position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto }
.essay { border-top: 1px solid var(--line); padding-top: .5rem; margin-bottom: 1.5rem }
.essay label { display: inline-block; margin-right: 1rem }
.essay label.comment { display: block; margin: 0 }
.essay input { font: inherit; width: 5em } .essay textarea { font: inherit; width: 100%; display: block }
.bar { position: sticky; bottom: 0; background: var(--paper); border-top: 1px solid var(--line); padding: .6rem 0 }
button { font: inherit; padding: .3rem .8rem }
input:invalid { outline: 2px solid var(--bad) }
.anchor-link { display: none }
@media (max-width: 50rem) { .essays { grid-template-columns: minmax(0, 1fr) } .essays aside { position: static;
  max-height: none } }
"""
_SCRIPT = """
const essays = [...document.querySelectorAll(".essay")];
const fields = essay => ({score: essay.querySelector("input"), comment: essay.querySelector("textarea")});
const key = essay => ["essays", essay.dataset.lesson, essay.dataset.student, essay.dataset.question,
  essay.dataset.answer].join("|");
const kept = action => { try { return action() } catch { return null } };  // a browser may refuse to remember
const count = () => {
  const done = essays.filter(e => fields(e).score.value !== "").length;
  document.getElementById("count").textContent = `${done} of ${essays.length} have points`;
};
let saved = true;
for (const essay of essays) {
  const {score, comment} = fields(essay);
  const before = score.value + "|" + comment.value;  // what was typed since the page was written comes back
  const old = kept(() => JSON.parse(localStorage.getItem(key(essay))));
  if (old && old[0] === before) [score.value, comment.value] = old.slice(1);
  essay.addEventListener("input", () => {
    saved = false;
    kept(() => localStorage.setItem(key(essay), JSON.stringify([before, score.value, comment.value])));
    count();
  });
}
const go = step => {
  const here = essays.indexOf(document.activeElement.closest?.(".essay"));
  const next = essays[Math.max(0, Math.min(essays.length - 1, here + step))];
  fields(next).score.focus();
  next.scrollIntoView({block: "start"});
};
document.addEventListener("keydown", event => {
  const leaves = event.key === "Enter" && (event.target.tagName === "INPUT" || event.ctrlKey);
  if (leaves || (event.altKey && event.key === "ArrowDown")) { event.preventDefault(); go(1) }
  if (event.altKey && event.key === "ArrowUp") { event.preventDefault(); go(-1) }
});
const cell = text => '"' + (/^[=+\\-@\\t\\r]/.test(text) ? "'" : "") + text.replaceAll('"', '""') + '"';
document.getElementById("save").addEventListener("click", () => {
  const bad = essays.find(e => !fields(e).score.checkValidity());
  if (bad) { fields(bad).score.focus(); fields(bad).score.reportValidity(); return }
  const rows = essays.map(e => [e.dataset.student, e.dataset.question, e.dataset.answer, fields(e).score.value,
    fields(e).comment.value].map(cell).join(","));
  const text = "\\ufeff" + [document.body.dataset.head, ...rows].join("\\r\\n") + "\\r\\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = document.body.dataset.file;
  link.click();
  saved = true;
});
addEventListener("beforeunload", event => { if (!saved) event.preventDefault() });
count();
"""


@dataclass(frozen=True)
class Essay:
    """One answer in words; ``same`` are other students who handed in the very same text."""

    record: Record
    answer: Answer
    digest: str
    same: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("--read", metavar="FILE", type=pathlib.Path, help="take points and comments from a filled csv")


def run(room: Classroom, args: argparse.Namespace) -> int:
    """Write page and file, or read a file; 1 if a row of it was refused."""
    lesson = room.lesson(args.lesson)
    if args.read is None:
        every = [essay for answered in collect(room, lesson).values() for essay in answered]
        html, table = write(room, lesson)
        waits = sum(e.answer.score is None for e in every)
        print(f"{len(every)} answers, {waits} of them without points")
        print(f"page: {html}\nfile: {table}")
        print(f"then: python -m tools.classroom essays {lesson} --read FILE")
        return 0
    taken, refused = read(room, lesson, args.read)
    print(f"{taken} scores and comments taken over" + (f", {len(refused)} refused:" if refused else ""))
    for reason in refused:
        print(f"  {reason}")
    print(f"then: make feedback LESSON={lesson}")
    return 1 if refused else 0


def collect(room: Classroom, lesson: str) -> dict[str, list[Essay]]:
    """Question -> the answers to it that are not empty, in an order that has nothing to do with names."""
    manifest = room.manifest(lesson)
    empty = {id: fingerprint(stub) for id, stub in stubs(manifest).items()}
    everyone = records(room, lesson)
    found = {}
    for id in manifest["manual"]:
        digests = {r.student: fingerprint(r.answers[id].source) for r in everyone if not r.failed}
        given = [r for r in everyone if digests.get(r.student) not in (None, empty[id], fingerprint(""))]
        found[id] = [
            Essay(r, r.answers[id], d, [o.student for o in given if o is not r and digests[o.student] == d])
            for r in given
            for d in [digests[r.student]]
        ]
        found[id].sort(key=lambda e: (e.digest, e.record.student))
    return found


def write(room: Classroom, lesson: str) -> tuple[pathlib.Path, pathlib.Path]:
    """Write ``grades/<lesson>/essays.html`` and ``essays.csv``; where they are."""
    manifest, answered = room.manifest(lesson), collect(room, lesson)
    folder = room.grades / lesson
    folder.mkdir(parents=True, exist_ok=True)
    rows = [[*_row(e), _number(e.answer.score), e.answer.comment] for es in answered.values() for e in es]
    table = folder / "essays.csv"
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, *([_safe(cell) for cell in row] for row in rows)])
    table.write_text("\ufeff" + out.getvalue(), encoding="utf-8", newline="")
    asked = in_words(room, lesson)
    parts = [f"<h1>{escape(heading(manifest))}</h1>", "<p class=faint>Enter: next answer. Alt+arrows: up and down.</p>"]
    for id, essays in answered.items():
        question, scheme = asked[id]
        cards = "\n".join(_card(e, lesson) for e in essays) or "<p>Nobody has answered this.</p>"
        beside = f"<aside>{markdown2html(question)}{markdown2html(scheme)}</aside>"
        parts.append(f'<h2>{escape(id)}</h2>\n<div class="essays">{beside}<div>{cards}</div></div>')
    count = '<span id="count" aria-live="polite"></span>'
    parts.append(f'<p class="bar"><button id="save">Save as csv</button> {count}</p>')
    maths = "../../feedback/_static" if (room.feedback / "_static" / "maths.js").exists() else None
    text = page(f"{lesson}: answers in words", "\n".join(parts), maths=maths, script=_SCRIPT, style=_STYLE, wide=True)
    text = text.replace("<body", f'<body data-head="{",".join(HEAD)}" data-file="essays-{escape(lesson)}.csv"', 1)
    html = folder / "essays.html"
    html.write_text(text, encoding="utf-8")
    return html, table


def read(room: Classroom, lesson: str, file: pathlib.Path) -> tuple[int, list[str]]:
    """Take points and comments from a csv file into the gradebook.

    Rows without points and comment are passed over. A row that cannot be taken does not keep the others back.

    Returns:
        How many rows were taken, and for each that was refused who and why.
    """
    manifest = room.manifest(lesson)
    today = collect(room, lesson)
    taken, refused, seen = 0, [], set()
    with room.alone(), warnings.catch_warnings(), gradebook(room, lesson) as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for number, row in enumerate(_rows(file), 2):
            student, id, digest, score, comment = (cell.strip() for cell in row)
            if not score and not comment:
                continue
            who = f"row {number}, {student} {id}"
            essay = _find(today.get(id, []), student)
            points = _points(score, manifest["manual"].get(id, {}).get("points", 0))
            if id not in manifest["manual"]:
                refused.append(f"{who}: there is no such question; there are: {', '.join(manifest['manual'])}")
            elif essay is None:
                refused.append(f"{who}: no answer to this question was handed in under that name")
            elif (essay.record.student, id) in seen:
                refused.append(f"{who}: a second row for the same answer")
            elif digest != essay.digest:
                refused.append(f"{who}: the answer has changed since; write the page again and look")
            elif isinstance(points, str):
                refused.append(f"{who}: {points}")
            else:
                student, cell = essay.record.student, manifest["manual"][id]["answer"]
                seen.add((student, id))
                if points is not None:
                    grade = book.find_grade(cell, lesson, lesson, student)
                    grade.manual_score, grade.needs_manual_grade = points, False
                if comment:
                    book.find_comment(cell, lesson, lesson, student).manual_comment = comment
                book.db.commit()
                taken += 1
    return taken, refused


def _find(essays: list[Essay], student: str) -> Essay | None:
    """The answer of a student, whose id may have lost the zeros at its beginning in a spreadsheet."""

    def plain(name: str) -> str:
        return unicodedata.normalize("NFC", name)

    right = [e for e in essays if plain(e.record.student) == plain(student)]
    right = right or [e for e in essays if e.record.student.lstrip("0") == student]
    return right[0] if len(right) == 1 else None


def _row(essay: Essay) -> list[str]:
    return [essay.record.student, essay.answer.id, essay.digest]


def _number(score: float | None) -> str:
    return "" if score is None else f"{score:g}"


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_RISKY) else cell


def _points(score: str, most: float) -> float | str | None:
    """The points, or in words why they are none; None if the cell is empty."""
    if not score:
        return None
    try:
        points = float(score.replace(",", "."))
    except ValueError:
        return f"{score!r} is not a number"
    if not (math.isfinite(points) and 0 <= points <= most):
        return f"{score} is not between 0 and {most:g}"
    return points


def _rows(file: pathlib.Path) -> list[list[str]]:
    """The rows of a file as a spreadsheet saves it: any of its separators, with or without a byte-order mark."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Problem(f"{file} is not UTF-8; save it as 'CSV UTF-8'.") from None
    except OSError as error:
        raise Problem(f"{file} cannot be read ({error.strerror}).") from None
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(row)]
    except csv.Error as error:
        raise Problem(f"{file} is not a csv file ({error}).") from None
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not set(HEAD) <= set(head):
        raise Problem(f"{file} needs a first row with {', '.join(HEAD)}; it has {', '.join(head) or 'nothing'}.")
    at = [head.index(name) for name in HEAD]
    width = len(head)
    return [[_plain(cell) for i in at for cell in [(row + [""] * width)[i]]] for row in rows[1:]]


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_RISKY) else cell


def _card(essay: Essay, lesson: str) -> str:
    answer, student = essay.answer, essay.record.student
    who = escape(student) + (f" ({escape(essay.record.name)})" if essay.record.name != student else "")
    same = f'<p class="note">Word for word the same as {escape(", ".join(essay.same))}.</p>' if essay.same else ""
    data = dict(lesson=lesson, student=student, question=answer.id, answer=essay.digest)
    marks = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return (
        f'<section class="essay" {marks}><p><b>{who}</b></p>{same}<div class="text">{escape(answer.source)}</div>'
        f"<label>Points of {answer.points:g} <input type=number min=0 max={answer.points:g} step=any "
        f'value="{_number(answer.score)}" aria-label="points of {escape(student)} for {escape(answer.id)}"></label>'
        f'<label class="comment">Comment<textarea rows=2>{escape(answer.comment)}</textarea></label></section>'
    )
