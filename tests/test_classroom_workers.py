"""Grading many: results are kept as they come, however a run ends, and nothing is run twice without need."""

from __future__ import annotations

import csv
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from unittest import mock

import psutil
import pytest

from tests import classroom_course as small
from tools.classroom import workers
from tools.classroom.grade import grade
from tools.classroom.layout import REPO, Classroom
from tools.classroom.regrade import regrade

START = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have it ignored
from tools.classroom.grade import grade
from tools.classroom.layout import Classroom
try:
    grade(Classroom({root!r}), {lesson!r}, at_a_time=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Classroom:
    return small.released(tmp_path_factory.mktemp("course"))


@pytest.fixture
def room(released, tmp_path) -> Classroom:
    shutil.copytree(released.root, tmp_path / "course", symlinks=True)
    return Classroom(tmp_path / "course")


def hand_in(room: Classroom, student: str, source: str = "") -> None:
    nb = small.read(room.release / small.LESSON)
    small.solve(nb)
    small.first(nb, source or f"# {student}")
    small.write(nb, room.submitted / student / small.LESSON)


def table(room: Classroom) -> dict[str, str]:
    """Totals by student, as they stand on disk."""
    file = room.grades / small.LESSON / "grades.csv"
    if not file.exists():
        return {}
    with open(file, newline="") as rows:
        return {row["student"]: row["total"] for row in csv.DictReader(rows)}


def at_work(root: pathlib.Path) -> list[str]:
    """Processes that were started for a course, or forked from such."""
    commands = (" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))
    return [command[:80] for command in commands if str(root) in command]


def wait_until(there: object, seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not there():
        time.sleep(0.05)
    return bool(there())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_loses_nothing_and_leaves_nothing(room, how):
    for student in ("ada", "ben"):
        hand_in(room, student)
    for student in ("yan", "zoe"):
        hand_in(room, student, "import time\ntime.sleep(50)")
    code = START.format(root=str(room.root), lesson=small.LESSON)
    env = os.environ | {"PYTHONPATH": str(REPO)}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.DEVNULL)
    assert wait_until(lambda: set(table(room)) == {"ada", "ben"})
    assert at_work(room.root)
    process.send_signal(how)
    assert process.wait(20) == (-9 if how == signal.SIGKILL else 130)
    assert wait_until(lambda: not at_work(room.root), 10), at_work(room.root)
    assert table(room) == {"ada": "6", "ben": "6"}
    for student in ("yan", "zoe"):
        hand_in(room, student)
    said: list[str] = []
    rows = grade(room, small.LESSON, say=said.append)
    assert [row.total for row in rows] == [6, 6, 6, 6] and set(table(room).values()) == {"6"}
    assert any(line.startswith("\n2 had not changed") for line in said) and any("\n2 graded in" in s for s in said)


def test_only_what_has_changed_is_run_again(room, monkeypatch):
    def ran(**options) -> int:
        said: list[str] = []
        rows = grade(room, small.LESSON, say=said.append, **options)
        assert [(row.student, row.total, row.pending) for row in rows] == [("ada", 6, 0), ("ben", 6, 0)]
        return sum(int(s.split()[0]) for s in said if " graded in " in s)

    hand_in(room, "ada")
    hand_in(room, "ben")
    stamp = "2026-11-03 10:17:00.000000 UTC"
    for student, when in (("ada", stamp), ("ben", "soon")):
        (room.submitted / student / small.LESSON / "timestamp.txt").write_text(when)
    collected = {s: room.collected / s / small.LESSON / "timestamp.txt" for s in ("ada", "ben")}
    assert ran() == 2 and collected["ada"].read_text() == stamp and not collected["ben"].exists()
    assert ran() == 0 and ran(again=True) == 2
    hand_in(room, "ben", "# another")
    assert ran() == 1
    shutil.rmtree(room.feedback / "ada")
    assert ran() == 1
    with monkeypatch.context() as stopped:
        stopped.setattr(workers, "run_all", mock.Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ran(again=True)
    assert ran() == 2  # whoever was to be graded may have been, in part
    check = room.root / "genutils" / "check" / "lesson_90.py"
    check.write_text(check.read_text() + "\n# stricter\n")
    assert ran() == 0  # the release's own copy grades
    regrade(room, small.LESSON, say=lambda text: None)
    assert ran() == 0
    check.write_text(check.read_text() + "\n# stricter still\n")
    said: list[str] = []
    regrade(room, small.LESSON, say=said.append)
    assert any(line.startswith("\n2 graded in") for line in said)


def test_who_could_not_be_graded_is_tried_again(room, monkeypatch):
    hand_in(room, "ada")
    monkeypatch.setattr(workers, "_autograde", lambda job, student, result: result.update(failed="full disk"))
    (row,) = grade(room, small.LESSON, say=lambda text: None)
    assert (row.status, row.total) == ("not graded", 0) and "full disk" in row.notes
    monkeypatch.undo()
    (row,) = grade(room, small.LESSON, say=lambda text: None)
    assert (row.status, row.total) == ("ok", 6)
