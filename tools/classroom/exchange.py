"""nbgrader's exchange, the folder through which students on a JupyterHub fetch, submit, and get feedback.

`release`, `grade` and `feedback` take ``--exchange PATH``: they put the assignment there, collect from there before
grading, and give the pages back. Which course it is, ``c.CourseDirectory.course_id`` in the classroom's
``nbgrader_config.py`` says; otherwise it is called ``course``.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

from traitlets.config import PyFileConfigLoader

from tools.classroom.layout import Classroom, Problem
from tools.classroom.platforms import Attempt
from tools.classroom.roster import FOLDER

try:
    import pwd
except ImportError:  # Windows
    pwd = None

SECRET = "submission_secret.txt"  # beside a submission; whoever knows it can fetch the feedback


def add_argument(parser: argparse.ArgumentParser, does: str) -> None:
    parser.add_argument("--exchange", type=pathlib.Path, metavar="PATH", help=f"{does} nbgrader's exchange at PATH")


def course(room: Classroom, exchange: pathlib.Path) -> pathlib.Path:
    """The folder of this course in an exchange."""
    config = PyFileConfigLoader("nbgrader_config.py", str(room.folder)).load_config()
    return exchange.expanduser().resolve() / config.CourseDirectory.course_id


def put(room: Classroom, lesson: str, exchange: pathlib.Path, say: Callable = print) -> None:
    """Let students fetch what was released; what lay there before is replaced."""
    _nbgrader(room, exchange, "release_assignment", lesson, "--force")
    say(f"students fetch it from:       {course(room, exchange) / 'outbound' / lesson}")


def give_back(room: Classroom, lesson: str, exchange: pathlib.Path, say: Callable = print) -> None:
    """Put feedback pages where only those find them who handed in the submissions."""
    given = 0
    with tempfile.TemporaryDirectory(dir=room.private) as scratch:
        for page in sorted(room.feedback.glob(f"*/{lesson}/{lesson}.html")):
            student = page.parts[-3]
            came = room.submitted / student / lesson
            if FOLDER.fullmatch(student) and (came / SECRET).is_file() and (came / "timestamp.txt").is_file():
                target = pathlib.Path(scratch, student, lesson)
                target.mkdir(parents=True)
                for file in (page, came / SECRET, came / "timestamp.txt"):
                    shutil.copyfile(file, target / file.name)
                given += 1
        if given:
            _nbgrader(room, exchange, "release_feedback", lesson, f"--CourseDirectory.feedback_directory={scratch}")
    say(f"feedback in the exchange: {given} pages (of submissions that came from there)")


def strangers(inbound: pathlib.Path, attempts: list[Attempt]) -> dict[str, str]:
    """Submissions in an exchange whose folder belongs to another account than the student it names: folder -> why."""
    found: dict[str, str] = {}
    for attempt in attempts if pwd else []:
        folder = inbound / attempt.mark
        if attempt.mark and folder.is_dir():
            account = _account(folder.stat().st_uid)
            if account != attempt.name:
                found[attempt.mark] = f"was put there by the account {account}; --any-account takes it all the same"
    return found


def _account(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"


def _nbgrader(room: Classroom, exchange: pathlib.Path, *args: str) -> None:
    exchange = exchange.expanduser().resolve()
    if not exchange.is_dir():
        raise Problem(f"there is no exchange at {exchange}; make the folder, writable by all (mode 1777).")
    command = [sys.executable, "-m", "nbgrader", *args, f"--Exchange.root={exchange}"]
    done = subprocess.run(command, cwd=room.folder, env=room.environment(), text=True, capture_output=True)
    if done.returncode:
        said = re.findall(r"^\[\w+ \| (?:CRITICAL|ERROR)\] (?!nbgrader )(.*)", done.stderr, re.M)
        raise Problem(f"nbgrader {args[0]}: {' '.join(said) or done.stderr[-300:].strip() or 'failed'}")
