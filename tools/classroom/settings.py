"""What nbgrader is told about a classroom: its settings file, and the safeguards of the course behind it."""

from __future__ import annotations

import os
import pathlib
import re
import sys
from typing import Any

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as nbg

from tools.classroom import feedback
from tools.classroom.bounds import bound_scores
from tools.classroom.execute import VerifiedExecute
from tools.classroom.layout import CLOSED, REPO, Classroom, Problem
from tools.classroom.preprocessors import SwapStubs

LESSON = "CLASSROOM_LESSON"  # the environment variable that says whose gradebook Formgrader opens
_BEGIN = "# -- safeguards of the course; `make release` writes these lines again, and keeps what stands around them"
_END = "# -- end of the safeguards"
_SETTINGS = """{begin}
import sys

sys.path.insert(0, {repo!r})
from tools.classroom.settings import configure

configure(get_config(), {root!r}, __file__)
{end}
"""


def make(room: Classroom) -> None:
    """Create the instructor's folder, closed to others, with its nbgrader settings beside the instructor's own."""
    try:
        room.release.mkdir(parents=True, exist_ok=True)
        for name in CLOSED:
            (room.folder / name).mkdir(mode=0o700, exist_ok=True)
            (room.folder / name).chmod(0o700)
        file = room.folder / "nbgrader_config.py"
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        after = _with_safeguards(before, _SETTINGS.format(begin=_BEGIN, end=_END, repo=str(REPO), root=str(room.root)))
        if after != before:
            file.write_text(after, encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"cannot write in {room.folder} ({error.strerror}); set CLASSROOM=path to a folder that you may write."
        ) from None


def _with_safeguards(text: str, ours: str) -> str:
    """The instructor's settings with our lines in their place, or at the end, where they have the last word."""
    block = re.compile(rf"{re.escape(_BEGIN)}.*?{re.escape(_END)}\n?", re.S)
    if block.search(text):
        return block.sub(lambda _: ours, text)
    return (text.rstrip("\n") + "\n\n" if text.strip() else "") + ours


def configure(c: Any, root: str, settings: str, lesson: str | None = None) -> Any:
    """Tell nbgrader about a classroom (used by its command line, by Formgrader, and by `grade`).

    Args:
        lesson: whose gradebook is opened; by default the environment variable ``CLASSROOM_LESSON`` says, or there is
            only one. An instructor's own ``course_id`` and settings of the exchange stay.
    """
    room = Classroom(root, pathlib.Path(settings).resolve().parent)
    bound_scores()
    c.CourseDirectory.root = str(room.folder)
    if "course_id" not in c.CourseDirectory:
        c.CourseDirectory.course_id = "course"
    c.CourseDirectory.submitted_directory = (
        "collected"  # checked copies; what students handed in is never opened for writing
    )
    c.CourseDirectory.db_url = _database(room, lesson or os.environ.get(LESSON))
    c.ClearMarkScheme.enforce_metadata = False
    c.GenerateAssignment.preprocessors = [
        nbg.LockCells,
        SwapStubs,
        nbg.ClearOutput,
        nbg.CheckCellMetadata,
        nbg.ComputeChecksums,
        nbg.SaveCells,
        nbg.ClearHiddenTests,
        nbg.ClearMarkScheme,
        nbg.ComputeChecksums,
        nbg.CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        VerifiedExecute,
        nbg.IgnorePattern,
        ClearMetadataPreprocessor,
        nbg.LimitOutput,
        nbg.SaveAutoGrades,
        nbg.AssignLatePenalties,
        nbg.CheckCellMetadata,
    ]
    c.ClearMetadataPreprocessor.clear_notebook_metadata = False
    c.GenerateFeedback.preprocessors = []  # the page is ours, also when Formgrader's button asks for it
    c.GenerateFeedback.exporter_class = feedback.FeedbackPage
    c.GenerateFeedback.post_convert_hook = feedback.tidy(str(room.folder))
    c.FeedbackPage.root, c.FeedbackPage.folder = str(room.root), str(room.folder)
    c.VerifiedExecute.root = str(room.root)
    c.VerifiedExecute.private = str(room.private)
    c.Validator.validate_all = False
    return c


def _database(room: Classroom, lesson: str | None) -> str:
    every = sorted(file.stem for file in room.gradebooks.glob("*.db"))
    if lesson is None and len(every) == 1:
        (lesson,) = every
    if lesson is None:
        if every:
            said = f"classroom: each lesson has a gradebook of its own; say which, {LESSON}=..., of {', '.join(every)}."
            print(said, file=sys.stderr)
        return "sqlite://"  # empty, and nothing is written
    return f"sqlite:///{room.gradebook(lesson)}?timeout=60"
