"""What nbgrader is told about a classroom: its settings file, and the safeguards of the course behind it."""

from __future__ import annotations

import pathlib
from typing import Any

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as nbg

from tools.classroom import feedback
from tools.classroom.execute import VerifiedExecute
from tools.classroom.layout import REPO, Classroom, Problem
from tools.classroom.preprocessors import SwapStubs

_SETTINGS = """# Written by `make release`: nbgrader and Formgrader work here with the safeguards of the course.
import sys

sys.path.insert(0, {repo!r})
from tools.classroom.settings import configure

configure(get_config(), {root!r}, __file__)
"""


def make(room: Classroom) -> None:
    """Create the instructor's folder with its nbgrader settings."""
    try:
        for path in (room.folder, room.source, room.release, room.submitted, room.private):
            path.mkdir(parents=True, exist_ok=True)
        room.private.chmod(0o700)
        settings = room.folder / "nbgrader_config.py"
        settings.write_text(_SETTINGS.format(repo=str(REPO), root=str(room.root)), encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"cannot write in {room.folder} ({error.strerror}); set CLASSROOM=path to a folder that you may write."
        ) from None


def configure(c: Any, root: str, settings: str) -> Any:
    """Tell nbgrader about a classroom (used by its command line, by Formgrader, and by `grade`)."""
    room = Classroom(root, pathlib.Path(settings).resolve().parent)
    c.CourseDirectory.root = str(room.folder)
    c.CourseDirectory.course_id = "course"
    c.CourseDirectory.submitted_directory = (
        "collected"  # checked copies; what students handed in is never opened for writing
    )
    c.CourseDirectory.db_url = f"sqlite:///{room.db}?timeout=60"
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
    for section in ("Execute", "ExecutePreprocessor"):
        c[section].timeout = 60
        c[section].kernel_name = "python3"
    c.Validator.validate_all = False
    return c
