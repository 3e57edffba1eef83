"""What is known of the submissions of a lesson, read from the gradebook, the graded notebooks and ``submissions.json``.

The one place that knows where verdicts, hints, times and penalties are kept: feedback, essays, statistics and the
similarity report are written from what `records` returns.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib
import re
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tools.classroom import attempts, files
from tools.classroom.bounds import open_gradebook
from tools.classroom.cells import ANSWER, QUESTION, grade_id
from tools.classroom.layout import Classroom, Problem
from tools.classroom.preprocessors import redact
from tools.classroom.verdict import TO_STUDENT, Verdict

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@dataclass
class Answer:
    """What became of one exercise, or question in words, of a submission.

    ``score`` is None if nobody has graded it yet; ``verdict`` is None for a question and where no test ran; ``output``
    is what its cell printed, which nothing has searched for secrets.
    """

    id: str
    points: float
    source: str = ""
    output: str = ""
    score: float | None = None
    by_hand: bool = False
    verdict: Verdict | None = None
    says: str = ""
    hint: str = ""
    comment: str = ""


@dataclass
class Record:
    """A student's submission of a lesson. ``failed`` says why it could not be graded; ``times`` are its attempts."""

    student: str
    name: str
    answers: dict[str, Answer] = field(default_factory=dict)
    failed: str = ""
    penalty: float = 0.0
    times: list[datetime.datetime] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The points so far, after the penalty for being late; never below zero."""
        return max(0.0, sum(a.score or 0.0 for a in self.answers.values()) - self.penalty)

    @property
    def open(self) -> list[Answer]:
        """Answers that nobody has graded yet."""
        return [a for a in self.answers.values() if a.score is None]


def records(room: Classroom, lesson: str, students: Iterable[str] | None = None) -> list[Record]:
    """Everyone who handed in a lesson, in order of their names in ``submitted/``.

    Args:
        students: only these.
    """
    manifest = room.manifest(lesson)
    memory = files.read(room.grades / lesson / "submissions.json") or {}
    wanted = room.students(lesson) if students is None else students
    found = []
    with warnings.catch_warnings(), gradebook(room, lesson) as book:
        warnings.simplefilter("ignore")  # nbgrader's own models
        for student in sorted(wanted):
            record = Record(student, student, _blank(manifest))
            remembered = memory.get(student, {})
            record.failed = remembered.get("failed", "")
            if not record.failed:
                _read_notebook(record, room.autograded / student / lesson / f"{lesson}.ipynb", manifest)
            _read_gradebook(record, book, lesson, manifest)
            for id, said in (remembered.get("verdicts") or {}).items():
                if id in record.answers:
                    said = {"verdict": said} if isinstance(said, str) else said
                    answer = record.answers[id]
                    answer.verdict = Verdict(said["verdict"])
                    answer.says, answer.hint = said.get("says", answer.says), said.get("hint", answer.hint)
            if stamp := attempts.stamped(room.submitted / student / lesson):
                record.times = list({*record.times, stamp.replace(tzinfo=None, microsecond=0)})
            record.times.sort()
            found.append(record)
    return found


def gradebook(room: Classroom, lesson: str) -> Any:
    """nbgrader's gradebook of a lesson that was released, to be used with ``with``."""
    if not room.gradebook(lesson).exists():
        raise Problem(f"{lesson} has no gradebook; run: make release LESSON={lesson}")
    return open_gradebook(room, lesson)


def titles(manifest: dict[str, Any]) -> dict[str, str]:
    """Exercise or question -> what the lesson calls it, without its number; "" if it has no heading."""
    every = "\n".join(c["source"] for c in manifest["released"] if c["type"] == "markdown")
    found = dict.fromkeys([*manifest["exercises"], *manifest["manual"]], "")
    for id in found:
        key = re.escape(id)
        about = re.search(rf"^#+ (?:Exercise {key}\b[^:\n]*:\s*(.+)|(.+) \({key}\)\s*)$", every, re.M)
        found[id] = (about[1] or about[2]).strip() if about else ""
    return found


def heading(manifest: dict[str, Any]) -> str:
    """The lesson's title, as it stands in its first heading."""
    lines = (line for c in manifest["released"] if c["type"] == "markdown" for line in c["source"].splitlines())
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("# ")), manifest["lesson"])


def in_words(room: Classroom, lesson: str) -> dict[str, tuple[str, str]]:
    """Question -> its text, and its rubric with the model answer, from the instructor's copy of the release."""
    nb = json.loads((room.source / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8"))
    marked = _marked(nb)
    found = {}
    for id in room.manifest(lesson)["manual"]:
        text = marked.get(grade_id(id, QUESTION), "")
        scheme = re.search(r"=== BEGIN MARK SCHEME ===\n(.*?)\n=== END MARK SCHEME ===", text, re.S)
        found[id] = redact(text), scheme[1].strip() if scheme else ""
    return found


def stubs(manifest: dict[str, Any]) -> dict[str, str]:
    """Exercise or question -> its answer cell as it was released."""
    released = {c["nbgrader"]["grade_id"]: c["source"] for c in manifest["released"] if c["nbgrader"]}
    return {id: released.get(grade_id(id, ANSWER), "") for id in [*manifest["exercises"], *manifest["manual"]]}


def fingerprint(text: str) -> str:
    """A short digest of an answer in words, to which its score belongs. No spreadsheet takes it for a number.

    >>> fingerprint("Because. \\r\\n") == fingerprint("Because.")
    True
    """
    plain = unicodedata.normalize("NFC", "\n".join(line.rstrip() for line in text.strip().splitlines()))
    return "text-" + hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:12]


def _blank(manifest: dict[str, Any]) -> dict[str, Answer]:
    every = {**manifest["exercises"], **manifest["manual"]}
    return {id: Answer(id, float(e["points"])) for id, e in every.items()}


def _marked(nb: dict) -> dict[str, str]:
    cells = ((c, c.get("metadata", {}).get("nbgrader") or {}) for c in nb["cells"])
    return {marks["grade_id"]: _text(c["source"]) for c, marks in cells if "grade_id" in marks}


def _text(source: Any) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


def _read_notebook(record: Record, file: pathlib.Path, manifest: dict[str, Any]) -> None:
    """Sources, printed output and verdicts, from a graded copy."""
    nb = files.read(file)
    if nb is None:
        record.failed = record.failed or "not graded yet"
        return
    cells = {(c.get("metadata", {}).get("nbgrader") or {}).get("grade_id"): c for c in nb["cells"]}
    for id, answer in record.answers.items():
        cell = cells.get(grade_id(id, ANSWER), {})
        answer.source, answer.output = _text(cell.get("source", "")), _printed(cell)
        if id in manifest["exercises"]:
            test = _printed(cells.get(manifest["exercises"][id]["test"], {}))[:4000]
            answer.verdict, answer.says, answer.hint = _told(id, test)
    public = {c["source"] for c in manifest["released"]}
    code = (_text(c["source"]) for c in nb["cells"] if c["cell_type"] == "code")
    record.cells = [source for source in code if source not in public]


def _printed(cell: dict) -> str:
    """Text that a cell wrote; of a picture or a page of HTML nothing."""
    said = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            said.append(_text(output["text"]))
        elif output["output_type"] == "error":
            said.append(f"{output['ename']}: {output['evalue']}\n")
        elif "text/plain" in output.get("data", {}):
            said.append(_text(output["data"]["text/plain"]) + "\n")
    return _ANSI.sub("", "".join(said)).rstrip()


def _told(id: str, test: str) -> tuple[Verdict | None, str, str]:
    """Verdict, sentence and hint, from what grading wrote below the test."""
    said = test.removeprefix("NotYet: ").removeprefix(f"✓ {id} ").strip()
    if not said:
        return None, "", ""
    if test.startswith("✓"):
        return Verdict.RIGHT, "", ""
    for verdict, words in TO_STUDENT.items():
        start = words.split("{", 1)[0]
        if said.startswith(start):
            hint = re.search(r" \(hint: (.*)\)$", said, re.S)
            says = said[len(start) : hint.start() if hint else None] if "{" in words else ""
            return verdict, says, hint[1] if hint else ""
    return None, said, ""


def _read_gradebook(record: Record, book: Any, lesson: str, manifest: dict[str, Any]) -> None:
    from nbgrader.api import MissingEntry

    try:
        submission = book.find_submission(lesson, record.student)
    except MissingEntry:
        return
    student = submission.student
    record.name = " ".join(n for n in (student.first_name, student.last_name) if n) or record.student
    if submission.timestamp:
        record.times.append(submission.timestamp)
    ids = {e["test"]: id for id, e in manifest["exercises"].items()} | {
        e["answer"]: id for id, e in manifest["manual"].items()
    }
    for notebook in submission.notebooks:
        record.penalty += notebook.late_submission_penalty or 0.0
        for grade in notebook.grades:
            if grade.name in ids:
                answer, by_hand = record.answers[ids[grade.name]], grade.manual_score is not None
                answer.by_hand = by_hand
                waits = grade.needs_manual_grade and not by_hand and answer.id in manifest["manual"]
                score = grade.manual_score if by_hand else None if waits else grade.auto_score
                answer.score = None if score is None else float(score) + float(grade.extra_credit or 0)
        answers = {grade_id(id, ANSWER): a for id, a in record.answers.items()}
        for comment in notebook.comments:
            if comment.name in answers and comment.comment:
                answers[comment.name].comment = comment.comment
