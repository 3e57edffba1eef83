"""Feedback pages: how it went, then the student's own exercises, and nothing else; they open offline and run nothing.

nbgrader's ``generate_feedback``, and so the button of Formgrader, writes its pages through `FeedbackPage`.
"""

from __future__ import annotations

import contextlib
import functools
import pathlib
import re
import shutil
import sqlite3
import unicodedata
from collections.abc import Iterable
from typing import Any

from nbconvert.exporters import Exporter
from traitlets import Unicode

from tools.classroom import assemble
from tools.classroom.layout import REPO, Classroom, Problem
from tools.classroom.pages import escape, page
from tools.classroom.preprocessors import redact
from tools.classroom.records import Answer, Record, heading, in_words, records, stubs, titles
from tools.classroom.verdict import TO_STUDENT, Verdict

LARGEST = 200_000  # bytes of a page
_LIMITS = (20_000, 6_000, 2_000, 600, 100)  # characters of each text on it, until the page is small enough
# A formula that a student wrote may not link, nor lay itself over the page (\href, \style).
_MATHS = """window.MathJax = {
  loader: {load: ["input/tex", "output/chtml"]},
  tex: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]], processEscapes: true, processEnvironments: true,
    autoload: {html: []}, require: {defaultAllow: false}},
  options: {ignoreHtmlClass: "highlight|input_area|output_text"},
};
"""
WITHHELD = "What this cell printed is not shown: it may contain something that is not yours to know."


class FeedbackPage(Exporter):
    """What nbgrader writes a student's feedback with."""

    root = Unicode(help="the course").tag(config=True)
    folder = Unicode(help="the instructor's folder").tag(config=True)
    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        names, room = resources["nbgrader"], Classroom(self.root, self.folder)
        resources["output_extension"] = self.file_extension
        (record,) = records(room, names["assignment"], [names["student"]])
        return write(room, names["assignment"], record), resources


def tidy(folder: str) -> Any:
    """What nbgrader calls after it has written pages: of the files that it copied beside them nothing stays."""

    def hook(assignment: str, student: str, notebooks: list[str]) -> None:
        for notebook in map(pathlib.Path, notebooks):
            for file in (pathlib.Path(folder) / "feedback" / notebook.parts[-3] / assignment).rglob("*"):
                if file.is_file() and file.suffix != ".html":
                    file.unlink()

    return hook


def assets(room: Classroom) -> bool:
    """Put one copy of MathJax where all feedback pages find it; whether there is one."""
    ours, target = REPO / "book" / "_static" / "mathjax", room.feedback / "_static"
    if not (ours / "startup.js").exists():
        return False
    if not (target / "mathjax" / "startup.js").exists():
        shutil.copytree(ours, target / "mathjax", dirs_exist_ok=True)
    (target / "maths.js").write_text(_MATHS, encoding="utf-8")
    return True


def write(room: Classroom, lesson: str, record: Record) -> str:
    """The page of one student: at most `LARGEST` bytes, whatever was handed in."""
    manifest = room.manifest(lesson)
    hidden = secrets(room, lesson, record)
    maths = "../../_static" if (room.feedback / "_static" / "maths.js").exists() else None
    for limit in _LIMITS:
        text = page(heading(manifest), _body(manifest, record, hidden, limit), maths=maths)
        if len(text.encode()) < LARGEST:
            return text
    raise Problem(f"{lesson} has too many exercises for a feedback page of {LARGEST // 1000} kB.")


def refused(room: Classroom, student: str, lesson: str, reason: str) -> pathlib.Path:
    """The page of a student whose submission could not be graded."""
    file = room.feedback / student / lesson / f"{lesson}.html"
    shutil.rmtree(file.parent, ignore_errors=True)
    file.parent.mkdir(parents=True)
    said = (
        f"<h1>{escape(lesson)}</h1>\n<p>{escape(student, 100)}, your submission could not be graded: "
        f"<b>{escape(reason, 1000)}</b>.</p>\n<p>Please mend it and hand it in again: one file named "
        f"<code>{escape(lesson)}.ipynb</code>, saved from JupyterLab.</p>"
    )
    file.write_text(page(lesson, said), encoding="utf-8")
    return file


# -- what a page must not say


def secrets(room: Classroom, lesson: str, record: Record) -> list[str]:
    """What must not be read from a student's output, as `squeeze` writes it.

    Hidden seeds, the rubric and the model answer, lines of the solution, and the names and ids of all other students.
    """
    found = lesson_secrets(room, lesson)
    mine = {squeeze(record.student), squeeze(record.name)}
    return [*found, *(s for s in map(squeeze, _people(room, lesson)) if len(s) > 2 and s not in mine)]


def lesson_secrets(room: Classroom, lesson: str) -> tuple[str, ...]:
    """What no student may read; found once for each release by a process and those that it is forked into."""
    return _lesson_secrets(room.root, room.folder, lesson, (room.private / f"{lesson}.json").stat().st_mtime_ns)


@functools.cache
def _lesson_secrets(root: pathlib.Path, folder: pathlib.Path, lesson: str, changed: int) -> tuple[str, ...]:
    room = Classroom(root, folder)
    manifest = room.manifest(lesson)
    seeds = [e["seed"] for e in manifest["exercises"].values()]
    found = [form for s in seeds for form in (str(s), str(s)[::-1], f"{s:x}", f"{s:o}", f"{s:b}")]
    found += [manifest["secret"]]
    try:
        schemes = [line for _, scheme in in_words(room, lesson).values() for line in scheme.splitlines()]
        found += [s for s in map(squeeze, schemes) if len(s) >= 16]
        found += [s for s in map(squeeze, assemble.secrets_of(room, lesson)) if len(s) >= 16]
    except (OSError, ValueError, Problem):  # without them: what a release was made from is not there any more
        pass
    return tuple(found)


def _people(room: Classroom, lesson: str) -> set[str]:
    """Ids of all students, and the names and addresses that the gradebook has for them."""
    found = {p.name for p in room.submitted.iterdir()} if room.submitted.is_dir() else set()
    for row in _roster(room, lesson):
        found |= {part for part in row if part}
    return found


def _roster(room: Classroom, lesson: str) -> Iterable[tuple[str | None, ...]]:
    try:
        with contextlib.closing(sqlite3.connect(f"{room.gradebook(lesson).as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT id, first_name, last_name, email FROM student").fetchall()
    except sqlite3.Error:
        return []
    return [(id, f"{first or ''} {last or ''}".strip(), email) for id, first, last, email in rows]


def squeeze(text: str) -> str:
    """Letters and digits only, in one case: however a secret is set out, it is found."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def tells(output: str, hidden: Iterable[str]) -> bool:
    """Whether an output says one of these; names of a word count only as words."""
    text = squeeze(output)
    words = {squeeze(w) for w in re.findall(r"[\w.@'-]+", output)} | {squeeze(w) for w in re.findall(r"\w+", output)}
    return any(s in text if len(s) >= 10 else s in words for s in hidden)


# -- what it says


def _body(manifest: dict[str, Any], record: Record, hidden: list[str], limit: int) -> str:
    names, stub = titles(manifest), stubs(manifest)
    most = sum(a.points for a in record.answers.values())
    rows, parts = [], []
    for id, answer in record.answers.items():
        name = names[id] or manifest["exercises"].get(id, {}).get("name", "in your own words")
        anchor = f"exercise-{id.replace('.', '-')}"
        colour, word = _word(answer, blank=id in manifest["manual"] and answer.source.strip() == stub[id].strip())
        points = f"{_points(answer.score)} of {answer.points:g}"
        rows.append(
            f'<tr><td><a href="#{anchor}">{escape(id)}</a></td><td>{escape(name)}</td>'
            f'<td class="{colour}">{word}</td><td class=number>{points}</td></tr>'
        )
        parts.append(f'<h2 id="{anchor}">{escape(id)} {escape(name)} <span class=faint>({points} points)</span></h2>')
        parts.append(f'<p class="{colour}">{word}</p>')
        if answer.source.strip() not in ("", stub[id].strip()) or answer.by_hand:
            shows = _in_words if id in manifest["manual"] else _exercise
            parts += shows(answer, hidden, limit)
    if record.penalty:
        rows.append(
            "<tr><td></td><td>Handed in late</td><td class=bad>penalty</td>"
            f"<td class=number>−{record.penalty:g}</td></tr>"
        )
    waits = sum(a.points for a in record.open)
    wait = f'<p class="note">Not graded yet: {_listed(record.open)}, {waits:g} points.</p>' if waits else ""
    return "\n".join(
        [
            f"<h1>{escape(heading(manifest))}</h1>",
            f"<p>{escape(record.name, 100)}</p>",
            f"<p class=score>{record.score:g} of {most:g} points</p>",
            wait,
            "<table><thead><tr><th></th><th>Exercise</th><th></th><th class=number>Points</th></tr></thead><tbody>",
            *rows,
            "</tbody></table>",
            *parts,
        ]
    )


def _listed(answers: list[Answer]) -> str:
    return ", ".join(escape(a.id) for a in answers)


def _points(score: float | None) -> str:
    return "–" if score is None else f"{score:g}"


def _word(answer: Answer, blank: bool) -> tuple[str, str]:
    """Colour and verdict in a word or two."""
    if answer.score is None:
        return "open", "… not graded yet"
    if blank or (answer.verdict == Verdict.NOT_ATTEMPTED and not answer.by_hand):
        return "faint", "– not attempted"
    full = answer.score >= answer.points
    if answer.by_hand:
        return ("good" if full else "open"), "✓ graded by hand" if full else "graded by hand"
    return ("good", "✓ right") if full else ("bad", "✗ not yet")


def _exercise(answer: Answer, hidden: list[str], limit: int) -> list[str]:
    """Verdict, hint, code, and what the cell printed."""
    right = answer.verdict == Verdict.RIGHT
    parts = []
    if answer.verdict is None and answer.says:
        parts.append(f"<p>{_told(answer.says, hidden, limit)}</p>")
    elif answer.verdict not in (None, Verdict.RIGHT, Verdict.NOT_ATTEMPTED):
        told = TO_STUDENT[answer.verdict].removeprefix("not yet: ").format(says=answer.says)
        parts.append(f"<p>{_told(told, hidden, limit)}</p>")
    if answer.hint:
        parts.append(f'<p class="note"><b>Hint.</b> {_told(answer.hint, [], limit)}</p>')
    parts += _comment(answer, limit)
    code = f"<pre>{escape(redact(answer.source), limit)}</pre>" if answer.source.strip() else ""
    if tells(answer.output, hidden):
        printed = f"<p class=faint>{WITHHELD}</p>"
    else:
        printed = f"<p class=faint>It printed:</p><pre>{escape(answer.output, limit // 4)}</pre>" * bool(answer.output)
    if code:
        parts.append(f"<details{'' if right else ' open'}><summary>Your answer</summary>{code}{printed}</details>")
    return parts


def _told(text: str, hidden: list[str], limit: int) -> str:
    if tells(text, hidden):  # an answer of the student's that a message quotes
        return WITHHELD
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(text, limit))


def _in_words(answer: Answer, hidden: list[str], limit: int) -> list[str]:
    return [*_comment(answer, limit), f'<div class="text">{escape(answer.source, limit)}</div>']


def _comment(answer: Answer, limit: int) -> list[str]:
    if not answer.comment:
        return []
    return [f'<div class="note"><b>Comment.</b> <span class="text-plain">{escape(answer.comment, limit)}</span></div>']
