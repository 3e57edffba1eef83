"""nbgrader's exchange: what is released can be fetched, what was submitted is its owner's, feedback finds only them."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest
from nbgrader.utils import notebook_hash

from tools.classroom import exchange, settings
from tools.classroom.incoming import collect
from tools.classroom.layout import Classroom, Problem

LESSON = "04_entropy"
ME = exchange._account(os.getuid())


@pytest.fixture
def room(tmp_path):
    room = Classroom(folder=tmp_path / "class")
    settings.make(room)
    return room


@pytest.fixture
def shared(tmp_path):
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange").chmod(0o1777)
    return tmp_path / "exchange"


def write(file: pathlib.Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def submit(shared: pathlib.Path, name: str, hour: int, text: str) -> None:
    write(shared / "course" / "inbound" / f"{name}+{LESSON}+2026-11-03 {hour}:00:00.0 UTC+x" / f"{LESSON}.ipynb", text)


def test_what_another_account_put_there_is_not_taken(room, shared):
    submit(shared, ME, 10, "mine")
    submit(shared, "bob", 11, "not by bob")
    said = []
    found = collect(room, LESSON, exchange.course(room, shared), say=said.append)
    assert found.done == {"new": 1} and room.students(LESSON) == [ME]
    assert f"put there by the account {ME}; --any-account" in "\n".join(said)
    found = collect(room, LESSON, exchange.course(room, shared), any_account=True, say=said.append)
    assert found.done == {"unchanged": 1, "new": 1} and room.students(LESSON) == sorted(["bob", ME])


def test_an_account_without_a_name_is_told_by_its_number():
    assert exchange._account(2**31 - 7) == f"number {2**31 - 7}"


def test_a_release_goes_there_and_feedback_comes_back_to_whom_it_belongs(room, shared, capsys):
    mine = room.folder / "nbgrader_config.py"
    mine.write_text('c = get_config()\nc.CourseDirectory.course_id = "bayes"\n' + mine.read_text())
    there = shared / "bayes"
    write(there / "outbound" / LESSON / f"{LESSON}.ipynb", "first")
    write(room.release / LESSON / f"{LESSON}.ipynb", "second")
    exchange.put(room, LESSON, shared)
    assert (there / "outbound" / LESSON / f"{LESSON}.ipynb").read_text() == "second"
    assert stat.S_IMODE((there / "inbound").stat().st_mode) & 0o777 == 0o733  # into it, and no list of it

    for name in ("ada", "bob", "by-mail"):
        write(room.feedback / name / LESSON / f"{LESSON}.html", f"<p>{name}'s")
        write(room.submitted / name / LESSON / f"{LESSON}.ipynb", "{}")
    for name in ("ada", "bob"):
        write(room.submitted / name / LESSON / "timestamp.txt", "2026-11-03 10:00:00.0 UTC")
        write(room.submitted / name / LESSON / exchange.SECRET, f"secret of {name}")
    exchange.give_back(room, LESSON, shared)
    found = {p.stem: p.read_text() for p in (there / "feedback").iterdir()}
    secret = {name: notebook_hash(secret=f"secret of {name}", notebook_id=LESSON) for name in ("ada", "bob")}
    assert found == {secret[name]: f"<p>{name}'s" for name in secret}
    assert stat.S_IMODE((there / "feedback").stat().st_mode) & 0o777 == 0o711
    assert "2 pages" in capsys.readouterr().out
    assert not list(room.private.glob("tmp*"))


def test_problems_are_said_in_a_line(room, shared, tmp_path):
    with pytest.raises(Problem, match="there is no exchange at .*nowhere; make the folder"):
        exchange.put(room, LESSON, tmp_path / "nowhere")
    with pytest.raises(Problem, match="nbgrader release_assignment: .*not found"):
        exchange.put(room, LESSON, shared)
