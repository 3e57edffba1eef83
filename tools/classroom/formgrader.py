"""The command `formgrader`: nbgrader's pages for grading by hand, in JupyterLab, on the gradebook of one lesson."""

from __future__ import annotations

import argparse
import os
import sys

from tools.classroom import settings
from tools.classroom.layout import Classroom, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument("jupyter", nargs=argparse.REMAINDER, help="options of jupyter lab, such as --no-browser")


def run(room: Classroom, args: argparse.Namespace) -> None:
    """Become JupyterLab in the classroom's folder."""
    lesson = room.lesson(args.lesson)
    if not room.gradebook(lesson).exists():
        raise Problem(f"there is no gradebook of {lesson}; run: make release LESSON={lesson}")
    settings.make(room)
    os.chdir(room.folder)
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # in a container you are often root
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.root_dir=.", "--LabApp.default_url=/formgrader", *root]
    os.execve(sys.executable, [*command, *args.jupyter], os.environ | {settings.LESSON: lesson})
