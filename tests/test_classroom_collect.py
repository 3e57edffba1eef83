"""What comes in and what goes out: downloads of four platforms, the roster, deadlines, gradebooks, requests."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import os
import pathlib
import shutil
import stat
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from tools.classroom import attempts, download, files, lateness, platforms, roster
from tools.classroom.__main__ import main
from tools.classroom.cells import ANSWER, grade_id
from tools.classroom.collect import collect as repair
from tools.classroom.export import export
from tools.classroom.incoming import collect
from tools.classroom.lateness import Rule
from tools.classroom.layout import Classroom, Problem
from tools.classroom.requests import requests
from tools.classroom.roster import Member, Roster
from tools.classroom.table import Row, write_csv

LESSON = "04_entropy"
BOOK = f"{LESSON}.ipynb"
CLASS = """id,name,email,canvas,brightspace
ada,Ada King Lovelace,ada@example.org,12345,501
brien,Flann O'Brien,brien@example.org,12346,502
jose,José Núñez,jose@example.org,12347,503
li,李 小龙,li@example.org,12348,504
ram,राम कुमार,ram@example.org,12349,505
zoe,"Zoë Müller (née Schön), MSc",zoe@example.org,12350,506
late,Nobody Yet,late@example.org,12351,507
"""
# What each platform makes of these names, and of a notebook handed in.
DOWNLOADS = {
    "moodle": lambda name, number: f"{unicodedata.normalize('NFD', name)}_{900 + number}_assignsubmission_file_/{BOOK}",
    "moodle flat": lambda name, number: f"{name}_{900 + number}_assignsubmission_file_{BOOK}",
    "canvas": lambda name, number: f"dl/{canvas_name(name)}_LATE_{12345 + number}_{67890 + number}_{LESSON}-1.ipynb",
    "brightspace": lambda name, number: f"{501 + number}-9 - {name} - Nov 3, 2026 1012 AM/my work.ipynb",
    "nbgrader": lambda name, number: f"{IDS[number]}+{LESSON}+2026-11-03 10:12:03.123456 UTC+r4nd0m/{BOOK}",
    "plain": lambda name, number: f"the class/{name}/{BOOK}",
    "plain files": lambda name, number: f"{LESSON} {IDS[number]}.ipynb",
}
NAMES = ["Ada King Lovelace", "Flann OBrien", "José Núñez", "李 小龙", "राम कुमार", "Zoë Müller (née Schön), MSc"]
IDS = ["ada", "brien", "jose", "li", "ram", "zoe"]


def canvas_name(name: str) -> str:
    """Last name first, small, nothing but letters (lib/content_zipper.rb)."""
    first, _, last = name.partition(" ")
    return "".join(c for c in (last + first).lower() if unicodedata.category(c)[0] in "LMN")


@pytest.fixture
def room(tmp_path) -> Classroom:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "roster.csv").write_text(CLASS, encoding="utf-8")
    (tmp_path / "class" / "deadlines.toml").write_text('timezone = "Europe/Berlin"\n', encoding="utf-8")
    return Classroom(folder=tmp_path / "class")


def packed(file: pathlib.Path, content: dict[str, str], when=(2026, 11, 4, 12, 0, 0)) -> pathlib.Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(zipfile.ZipInfo(name, when), text)
    return file


def unpacked(folder: pathlib.Path, content: dict[str, str]) -> pathlib.Path:
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def quiet(*args, **kwargs):
    return collect(*args, say=lambda text: None, **({"any_account": True} | kwargs))


def tree(folder: pathlib.Path) -> dict[str, bytes]:
    """Everything below a folder, with its times."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() + str(p.stat().st_mtime_ns).encode()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def works(room: Classroom) -> dict[str, str]:
    return {s: (room.submitted / s / LESSON / BOOK).read_text() for s in room.students(LESSON)}


# -- platforms


@pytest.mark.parametrize("packing", [packed, unpacked])
@pytest.mark.parametrize("platform", DOWNLOADS)
def test_everybody_is_found_in_every_download(room, tmp_path, platform, packing):
    content = {DOWNLOADS[platform](name, i): f"work {i}" for i, name in enumerate(NAMES)}
    junk = {"__MACOSX/x": "", ".DS_Store": "", "index.html": ""} if platform == "brightspace" else {}
    found = quiet(room, LESSON, packing(tmp_path / "download", content | junk))
    assert found.kind == platform.partition(" ")[0]
    assert not found.unmatched and not found.refused
    assert found.done == {"new": 6} and found.missing == ["late"]
    if platform == "brightspace":  # other names stay as they are: grading finds the notebook by what it holds
        assert all((room.submitted / s / LESSON / "my work.ipynb").exists() for s in IDS)
    else:
        assert works(room) == {s: f"work {i}" for i, s in enumerate(IDS)}
    stamp = room.submitted / "ada" / LESSON / "timestamp.txt"
    known = {"brightspace": dt.datetime(2026, 11, 3, 9, 12), "nbgrader": dt.datetime(2026, 11, 3, 10, 12, 3, 123456)}
    assert (parse_utc(stamp.read_text()) if stamp.exists() else None) == known.get(found.kind)  # as nbgrader reads it

    before = tree(room.submitted)
    again = quiet(room, LESSON, tmp_path / "download")
    assert again.done == {"unchanged": 6} and tree(room.submitted) == before


def test_the_exchange_is_given_by_its_folder_and_other_lessons_stay_there(room, tmp_path):
    inbound = {
        f"inbound/ada+{LESSON}+2026-11-03 10:00:00.0 UTC/{BOOK}": "one",
        f"inbound/ada+{LESSON}+2026-11-03 11:00:00.0 UTC+x/{BOOK}": "two",
        "inbound/ada+05_other+2026-11-03 12:00:00.0 UTC/a.ipynb": "another lesson",
        f"outbound/{LESSON}/x": "released",
    }
    found = quiet(room, LESSON, unpacked(tmp_path / "course", inbound))
    assert found.done == {"new": 1, "newer": 1} and works(room) == {"ada": "two"}
    kept = room.submitted / "ada" / "earlier" / LESSON / "001-nbgrader"
    assert (kept / BOOK).read_text() == "one" and parse_utc((kept / "timestamp.txt").read_text()).hour == 10


def test_without_a_roster_names_are_taken_as_they_are(tmp_path):
    room = Classroom(folder=tmp_path / "class")
    name = 'Ada "the/first" Lovelace'.replace("/", "-")
    quiet(room, LESSON, unpacked(tmp_path / "dl", {f"{name}_901_assignsubmission_file_/{BOOK}": "work"}))
    assert works(room) == {"Ada -the-first- Lovelace": "work"}


def test_namesakes_are_not_mixed_up(room, tmp_path, capsys):
    two = {f"Ada King Lovelace_{n}_assignsubmission_file_/{BOOK}": str(n) for n in (1, 2)}
    found = collect(room, LESSON, packed(tmp_path / "a.zip", two))
    assert not found.done and len(found.unmatched) == 2
    assert "not matched: Ada King Lovelace (1) shares this name" in capsys.readouterr().out
    one, other = ({k: v} for k, v in two.items())
    assert quiet(room, LESSON, packed(tmp_path / "b.zip", one)).done == {"new": 1}
    assert "number 2" in str(quiet(room, LESSON, packed(tmp_path / "c.zip", other)).unmatched)
    assert works(room) == {"ada": "1"}
    bright = {f"{n}-9 - José Núñez - Nov 3, 2026 1012 AM/{BOOK}": str(n) for n in (503, 504)}
    found = quiet(room, LESSON, packed(tmp_path / "d.zip", bright))
    assert found.done == {"new": 1} and works(room)["jose"] == "503"  # the roster has this number
    assert list(found.unmatched.values()) == ["can be jose or li"]


def test_folders_may_hold_one_for_each_lesson(room, tmp_path):
    content = {f"ada/{LESSON}/{BOOK}": "a", "ada/05_other/x.ipynb": "b", "brien/05_other/x.ipynb": "c"}
    found = quiet(room, LESSON, unpacked(tmp_path / "dl", content))
    assert found.done == {"new": 1} and works(room) == {"ada": "a"} and "brien" in found.missing


def test_what_cannot_be_matched_is_listed_and_changes_nothing(room, tmp_path, capsys):
    content = {
        f"ada/{BOOK}": "a",
        f"Ada K/{BOOK}": "who?",
        "notes.txt": "",
        f"brien/.hidden/{BOOK}": "h",
    }
    assert main(["--classroom", str(room.folder), "collect", LESSON, str(unpacked(tmp_path / "dl", content))]) == 1
    said = capsys.readouterr().out
    assert "1 new" in said
    for words in ("Ada K is nobody on the roster", "notes.txt is neither", "brien holds no file"):
        assert f"not matched: {words}" in said
    assert "handed in nothing (6): brien, jose, late, li, ram, zoe" in said
    assert sorted(p.name for p in room.submitted.iterdir()) == ["ada"]


def test_the_kind_can_be_said_and_must_fit(room, tmp_path):
    source = packed(tmp_path / "a.zip", {f"ada/{BOOK}": "a"})
    found = quiet(room, LESSON, source, kind="moodle")
    assert not found.done and "is not named as in a download from Moodle" in str(found.unmatched)
    assert quiet(room, LESSON, source, kind="plain").done == {"new": 1}


def test_times_come_from_moodles_grading_worksheet(room, tmp_path):
    source = packed(tmp_path / "a.zip", {DOWNLOADS["moodle"](n, i): "w" for i, n in enumerate(NAMES)})
    worksheet = tmp_path / "Grades.csv"
    worksheet.write_text(
        "\ufeffIdentifier,Full name,Email address,Status,Last modified (submission)\n"
        'Participant 900,Ada King Lovelace,,Submitted,"Tuesday, 3 November 2026, 2:14 PM"\n'
        "Participant 977,Nobody Yet,late@example.org,No submission,-\n"
        'Participant 978,Another,jose@example.org,Submitted,"Tuesday, November 3, 2026, 3:14 PM"\n'
    )
    quiet(room, LESSON, source)  # without times, and again with them
    assert attempts.stamped(room.submitted / "ada" / LESSON) is None
    quiet(room, LESSON, source, times=worksheet)
    utc = [dt.datetime(2026, 11, 3, h, 14, tzinfo=dt.UTC) for h in (13, 14)]
    assert [attempts.stamped(room.submitted / s / LESSON) for s in ("ada", "jose", "li")] == [*utc, None]
    worksheet.write_text("Identifier,Last modified (submission)\nParticipant 900,mardi soir\n")
    with pytest.raises(Problem, match="'mardi soir' is no time"):
        quiet(room, LESSON, source, times=worksheet)


# -- attempts


def handed_in(tmp_path: pathlib.Path, minute: int, text: str) -> pathlib.Path:
    name = f"501-9 - Ada King Lovelace - Nov 3, 2026 10{minute:02d} AM/{BOOK}"
    return packed(tmp_path / f"{minute}.zip", {name: text})


@given(order=st.permutations(range(4)))
def test_the_latest_attempt_counts_in_whatever_order_they_come(tmp_path_factory, order):
    tmp_path = tmp_path_factory.mktemp("order")
    room = Classroom(folder=tmp_path / "class")
    downloads = [handed_in(tmp_path, i, text) for i, text in enumerate("abca")]  # the last is the first once more
    for i in [*order, *order]:
        quiet(room, LESSON, downloads[i])
    (student,) = room.students(LESSON)
    assert works(room) == {student: "a"}
    assert attempts.stamped(room.submitted / student / LESSON).minute in (0, 3)
    kept = [(p / BOOK).read_text() for p in (room.submitted / student / "earlier" / LESSON).glob("*")]
    assert {"b", "c"} <= set(kept) and len(kept) <= 4


def test_what_was_put_there_by_hand_is_kept(room, tmp_path):
    unpacked(room.submitted, {f"ada/{LESSON}/{BOOK}": "by hand", f"ada/{LESSON}/notes.txt": "and more"})
    assert quiet(room, LESSON, handed_in(tmp_path, 1, "new")).done == {"newer": 1}
    kept = room.submitted / "ada" / "earlier" / LESSON / "001-by-hand"
    assert (kept / BOOK).read_text() == "by hand" and (kept / "notes.txt").exists()
    assert works(room) == {"ada": "new"}


def test_canvas_counts_attempts_by_their_numbers(room, tmp_path):
    def names(*numbers: int) -> dict[str, str]:
        return {f"lovelaceadaking_12345_{n}_{LESSON}-{n}.ipynb": str(n) for n in numbers}

    extra = {"lovelaceadaking_12345_9_figure.png": "beside it"}
    found = quiet(room, LESSON, packed(tmp_path / "a.zip", names(7, 8, 6) | extra))
    assert works(room) == {"ada": "8"} and found.done == {"new": 1, "newer": 2}
    assert (room.submitted / "ada" / LESSON / "figure.png").exists()
    assert quiet(room, LESSON, packed(tmp_path / "b.zip", names(5))).done == {"older": 1}
    assert works(room) == {"ada": "8"}


@pytest.mark.parametrize("step", range(8))
def test_stopped_anywhere_nothing_is_lost_and_a_second_run_completes_it(room, tmp_path, monkeypatch, step):
    first = {f"{n}-9 - {s} - Nov 3, 2026 1001 AM/{BOOK}": f"old {s}" for n, s in enumerate(NAMES[:3])}
    second = {k.replace("1001", "1002"): v.replace("old", "new") for k, v in first.items()}
    quiet(room, LESSON, packed(tmp_path / "a.zip", first))
    really, count = os.rename, iter(range(100))

    def rename(*args):
        if next(count) == step:
            raise KeyboardInterrupt
        really(*args)

    monkeypatch.setattr(attempts.os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        quiet(room, LESSON, packed(tmp_path / "b.zip", second))
    monkeypatch.undo()
    texts = {p.read_text() for p in room.submitted.rglob(BOOK)}
    assert {f"old {s}" for s in NAMES[:3]} <= texts
    quiet(room, LESSON, tmp_path / "b.zip")
    assert works(room) == {s: f"new {n}" for s, n in zip(IDS[:3], NAMES[:3], strict=True)}
    assert not list(room.submitted.rglob(".new-*"))
    for student, name in zip(IDS[:3], NAMES[:3], strict=True):
        kept = list((room.submitted / student / "earlier" / LESSON).iterdir())
        assert [(k / BOOK).read_text() for k in kept] == [f"old {name}"]


# -- hostile downloads


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_a_hostile_zip_gives_up_only_what_is_safe(room, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LARGEST", 2**21)
    file = tmp_path / "evil.zip"
    bad = {
        "ada/../../../../evil.ipynb": "leads out of its folder",
        "/tmp/evil.ipynb": "has an absolute path",
        "C:\\evil.ipynb": "has an absolute path",
        "brien\\..\\..\\evil.ipynb": "leads out of its folder",
        "jose/link.ipynb": "is a link",
        "jose/pipe": "is not a file",
        "li/bomb.ipynb": "unpacks to",
        "li/huge.bin": "is larger than 2 MB",
        "ram/" + "x" * 300: "has too long a name",
        "zoe/locked.ipynb": "is encrypted",
        "zoe/a\nb.ipynb": "has a name that cannot be printed",
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in IDS:
            archive.writestr(f"{student}/{BOOK}", f"good {student}")
            archive.writestr(f"{student}/timestamp.txt", "2020-01-01 00:00:00 UTC")
            archive.writestr(f"{student}/.origin.json", '{"kind": "plain", "owner": "", "rank": 1e99}')
        for name, why in bad.items():
            mode = {"is a link": stat.S_IFLNK, "is not a file": stat.S_IFIFO}.get(why, 0)
            size = {"unpacks to": 2**20 + 1, "is larger than 2 MB": 2**21 + 1}.get(why)
            archive.writestr(entry(name, mode), b"0" * size if size else "/etc/passwd", zipfile.ZIP_DEFLATED)
        archive.writestr("jose/twice.txt", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("jose/twice.txt", "2")
        archive.writestr("ram/damaged.txt", "this text will not be what its sum says")
    data = bytearray(file.read_bytes())
    for at in range(len(data)):  # zipfile cannot write what is encrypted
        if data[at : at + 4] in (b"PK\1\2", b"PK\3\4") and b"zoe/locked" in data[at : at + 70]:
            data[at + (8 if data[at + 2] == 1 else 6)] |= 1
    at = data.index(b"ram/damaged.txt") + len("ram/damaged.txt") + 5
    data[at] ^= 0xFF
    file.write_bytes(data)

    found = quiet(room, LESSON, file)
    assert works(room) == {s: f"good {s}" for s in IDS}
    assert "is twice in the zip" in found.refused["jose/twice.txt"]
    assert "damaged" in found.refused["ram/damaged.txt"] or "cannot be read" in found.refused["ram/damaged.txt"]
    for name, why in bad.items():
        shown = unicodedata.normalize("NFC", name.replace("\\", "/").replace("\n", "?"))
        assert why in found.refused[shown], name
    assert not list(tmp_path.rglob("evil.ipynb")) and not pathlib.Path("/tmp/evil.ipynb").exists()
    assert not any(p.is_symlink() for p in room.submitted.rglob("*"))
    assert attempts.stamped(room.submitted / "ada" / LESSON) is None  # a student's own time stamp is none
    assert quiet(room, LESSON, file).done == {"unchanged": 6}


def test_links_and_pipes_in_a_folder_are_refused(room, tmp_path):
    source = unpacked(tmp_path / "dl", {f"ada/{BOOK}": "a", f"brien/{BOOK}": "b"})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("hush")
    (source / "ada" / "key.txt").symlink_to(tmp_path / "secret" / "key")
    (source / "ada" / "all").symlink_to(tmp_path / "secret")
    os.mkfifo(source / "brien" / "pipe")
    found = quiet(room, LESSON, source)
    assert found.refused == {"ada/key.txt": "is a link", "ada/all": "is a link", "brien/pipe": "is not a file"}
    assert found.done == {"new": 2} and "hush" not in str(tree(room.submitted))


def test_a_crowd_of_files_is_cut_off(room, tmp_path, monkeypatch):
    monkeypatch.setattr(attempts, "MOST_FILES", 3)
    content = {f"ada/{BOOK}": "a"} | {f"ada/{i}": "x" for i in range(5, 9)}
    found = quiet(room, LESSON, packed(tmp_path / "a.zip", content))
    assert len(found.refused) == 2 and all("more than one may hand in" in why for why in found.refused.values())
    monkeypatch.setattr(download, "MOST_FILES", 3)
    with pytest.raises(Problem, match="no class hands in as many"):
        quiet(room, LESSON, tmp_path / "a.zip")


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and no more", b"7z\xbc\xaf\x27\x1c", b"{}"])
def test_what_is_no_zip_is_said_in_a_line(room, tmp_path, capsys, content):
    (tmp_path / "a.zip").write_bytes(content)
    for name in ("a.zip", "nothing.zip"):
        assert main(["--classroom", str(room.folder), "collect", LESSON, str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@given(st.binary(max_size=400), st.integers(0, 400))
def test_a_damaged_zip_ends_in_a_line_or_in_whole_files(tmp_path_factory, noise, at):
    tmp_path = tmp_path_factory.mktemp("damaged")
    file = packed(tmp_path / "a.zip", {f"ada/{BOOK}": "good" * 50, f"bob/{BOOK}": "fine"})
    data = file.read_bytes()
    file.write_bytes(data[:at] + noise + data[at + len(noise) :])
    room = Classroom(folder=tmp_path / "class")
    with contextlib.suppress(Problem):
        quiet(room, LESSON, file)
    books = [p.read_text() for p in room.submitted.rglob(BOOK)] if room.submitted.exists() else []
    assert set(books) <= {"good" * 50, "fine"}
    assert {p.name for p in tmp_path.iterdir()} == {"a.zip", "class"} or not room.folder.exists()


# -- roster

EXPORTS = {
    "canvas": "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Entropy (99)\n    Points Possible,,,,,10\n"
    '"Lovelace, Ada",12345,s1,ada,A,7\n"Student, Test",1,,,A,\n',
    "moodle": '"First name","Last name","ID number","Email address","Course total"\nAda,Lovelace,ada,a@x.org,7\n',
    "moodle participants": "First name\tSurname\tEmail address\nAda\tLovelace\tada\n",
    "brightspace": "OrgDefinedId;Username;Last Name;First Name;Email\n#0501;#ada;Lovelace;Ada;a@x.org\n",
    "ours": "id,name\r\nada,Ada Lovelace\r\n",
}


@pytest.mark.parametrize("source", EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_exported_gradebooks_are_rosters(tmp_path, source, encoding):
    room = Classroom(folder=tmp_path)
    (tmp_path / "roster.csv").write_bytes(EXPORTS[source].removeprefix("\ufeff").encode(encoding))
    (member,) = roster.members(room)
    assert (member.id, member.name) == ("ada", "Ada Lovelace")
    assert member.canvas == ("12345" if source == "canvas" else "")
    assert member.brightspace == ("0501" if source == "brightspace" else "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name;mail\nAda;x\n", "no column id"),
        ("id,name\na:b,Ada\na/b,Bob\n", "cannot be told apart"),
        ("id,name\n", "names nobody"),
        ("id,name\n,Ada\n", "names nobody"),
    ],
)
def test_a_roster_that_is_none_is_said(tmp_path, text, says):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(Problem, match=says):
        roster.read(Classroom(folder=tmp_path))
    (tmp_path / "roster.csv").write_bytes("id,name\nada,Zoë\n".encode("latin-1"))
    with pytest.raises(Problem, match="is not UTF-8"):
        roster.read(Classroom(folder=tmp_path))


WORDS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Mc"]), min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=4), st.data())
def test_a_name_is_found_however_it_is_written(words, data):
    member = Member("s1", " ".join(words))
    first = data.draw(st.integers(0, len(words) - 1))
    last = " ".join(words[first:])
    turned = f"{last}, {' '.join(words[:first])}" if first else last
    known = Roster([member, Member("s2", "Somebody Else")])
    for name in (member.name, turned, turned.upper().lower(), unicodedata.normalize("NFD", member.name)):
        if roster._letters(name) in roster._forms(member.name):
            assert known.find(name) == [member]
    assert known.find(member.name) == known.find(turned) == [member] or not roster._letters(member.name)


def test_numbers_decide_in_canvas_and_break_ties_elsewhere():
    one, two = Member("s1", "Ada Lovelace", canvas="1", brightspace="1"), Member("s2", "Ada Lovelace", canvas="2")
    known = Roster([one, two])
    assert known.find("Somebody", "2", "canvas") == [two] and known.find("Ada Lovelace", "1", "canvas") == [one]
    assert known.find("Ada Lovelace", "1", "brightspace") == [one]
    assert known.find("Ada Lovelace", "7", "moodle") == [one, two]
    assert known.find("Eve") == []


@given(st.text(max_size=100))
def test_every_name_makes_a_folder_that_can_be_graded(name):
    folder = roster.folder_name(name)
    assert roster.FOLDER.fullmatch(folder) and roster.folder_name(folder) == folder
    assert len(folder.encode("utf-8", "replace")) <= 240 and not set(folder) & set("/\\*?[]{}")


@pytest.mark.parametrize("name", [*NAMES, "Lovelace, Ada", unicodedata.normalize("NFD", "José"), "Dr. O'Brien"])
def test_folders_made_by_hand_may_have_any_name(room, name):
    unpacked(room.submitted, {f"{name}/{LESSON}/{BOOK}": '{"cells": []}'})
    manifest = {"graded": [], "released": [], "images": [], "exercises": {}, "manual": {}}
    with contextlib.suppress(KeyError):
        assert "folder name" not in repair(room, LESSON, name, manifest).status


# -- csv


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.lists(CELL | st.sampled_from(["=1+1", "'=1", "''@x", "-5", "\t"]), min_size=2), min_size=1))
def test_no_cell_is_a_formula_and_reading_gives_back_what_was_written(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("csv") / "a.csv"
    files.write_rows(file, rows, encoding="utf-8-sig")
    assert files.rows(file) == rows
    with open(file, encoding="utf-8-sig", newline="") as raw:
        for cell in (c for row in csv.reader(raw) for c in row if c):
            with contextlib.suppress(ValueError):
                float(cell)
                continue
            assert cell[0] not in "=+-@\t\r\n＝＋－＠"


# -- deadlines


def deadlines(room: Classroom, text: str) -> Rule:
    (room.folder / "deadlines.toml").write_text(f'timezone = "Europe/Berlin"\n{text}', encoding="utf-8")
    return lateness.rule(room, LESSON)


def test_a_rule_is_read_with_defaults_extensions_and_time_zones(room):
    rule = deadlines(
        room,
        "[default]\npenalty = 10\nfloor = 50\n[04_entropy]\ndue = 2026-10-24 23:59:00\ngrace = 15\n"
        '[04_entropy.extensions]\nada = 2026-10-25 23:59:00\n"a/b" = 2026-10-30T23:59:00Z\n',
    )
    assert rule.due.hour == 21 and rule.extensions["ada"].hour == 22  # summer time ends in between
    assert rule.extensions["a-b"].hour == 23 and rule.penalty == 10 and str(rule) == "10 % a day, at most 50 %"
    assert lateness.rule(room, "05_cross_entropy_and_kl").due is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[04_entropy]\ndue = "soon"', "due is a day and a time"),
        ("[04_entropy]\ndue = 2026-11-03", "due is a day and a time"),
        ("[04_entropy]\npenalty = 110", "penalty is a number from 0 to 100"),
        ("[04_entropy]\nfloor = true", "floor is a number"),
        ("[04_entropy]\ndeu = 2026-11-03 23:59:00", "deu is unknown"),
        ("[04_entropy]\nextensions = 3", "extensions are lines"),
        ("[04_entropy", "cannot be read"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(room, text, says):
    with pytest.raises(Problem, match=says):
        deadlines(room, text)
    (room.folder / "deadlines.toml").write_text('timezone = "Mars/Base"')
    with pytest.raises(Problem, match="timezone 'Mars/Base' is unknown"):
        lateness.zone(room)


DUE = dt.datetime(2026, 11, 3, 23, tzinfo=dt.UTC)


@given(
    st.floats(0, 100), st.floats(0, 100), st.floats(0, 30), st.floats(-9, 40), st.floats(0, 9), st.integers(0, 10_000)
)
def test_lateness_costs_more_by_the_day_and_never_more_than_the_floor_allows(p, floor, points, after, more, grace):
    rule = Rule(DUE, dt.timedelta(minutes=grace), p, floor)
    early, later = (rule.days_late("x", DUE + dt.timedelta(days=d)) for d in (after, after + more))
    assert 0 <= early <= later and (early == 0) == (after * 1440 <= grace or after <= 0) or abs(after) < 1e-6
    assert 0 <= rule.cost(points, early) <= rule.cost(points, later)
    assert points - rule.cost(points, later) >= points * floor / 100 - 0.005
    assert rule.cost(points, 0) == 0


def test_the_table_shows_points_days_penalty_and_total(room, tmp_path):
    rule = deadlines(
        room,
        "[04_entropy]\ndue = 2026-11-03 10:00:00\ngrace = 15\npenalty = 10\n"
        "[04_entropy.extensions]\nbrien = 2026-11-04 10:00:00\nghost = 2026-11-04 10:00:00\n",
    )
    names = {f"{501 + i}-9 - {n} - Nov 3, 2026 10{15 + i} AM/{BOOK}": n for i, n in enumerate(NAMES[:3])}
    quiet(room, LESSON, packed(tmp_path / "a.zip", names))
    unpacked(room.submitted, {f"li/{LESSON}/{BOOK}": "by hand"})
    rows = [Row(s, {"04.1": 8.0}, auto=8, raw=8, total=8, max=10) for s in ("ada", "brien", "jose", "li")]
    rows += [Row("late", {"04.1": 0.0}, max=10, status="missing")]
    lateness.charge(room, LESSON, rule, rows)
    remarks = lateness.remarks(room, LESSON, rule, rows)
    assert [(r.raw, r.days_late, r.penalty, r.total) for r in rows] == [
        (8, 0, 0, 8),  # within the grace
        (8, 0, 0, 8),  # extended
        (8, 1, 0.8, 7.2),
        (8, None, 0, 8),
        (0, None, 0, 0),
    ]
    assert rows[2].notes == ["1 day late: 0.8 of 8 points taken off (10 % a day)"]
    assert "nothing was taken off (timestamp.txt): li" in remarks[0] and "there is no ghost" in remarks[1]
    (room.grades / LESSON).mkdir(parents=True)
    write_csv(room, LESSON, ["04.1"], rows, partial=False)
    head, *lines = files.rows(room.grades / LESSON / "grades.csv")
    jose = dict(zip(head, lines[2], strict=True))
    assert [jose[c] for c in ("raw", "days_late", "penalty", "total", "max")] == ["8", "1", "0.8", "7.2", "10"]
    assert lines[3][head.index("days_late")] == ""


def test_canvas_says_late_but_not_how_late(room, tmp_path):
    rule = deadlines(room, "[04_entropy]\ndue = 2026-11-03 10:00:00\npenalty = 10\n")
    quiet(room, LESSON, packed(tmp_path / "a.zip", {DOWNLOADS["canvas"](NAMES[0], 0): "w"}))
    row = Row("ada", auto=8, raw=8, total=8, max=10)
    lateness.charge(room, LESSON, rule, [row])
    assert row.total == 8 and row.notes == ["late, says Canvas, but not by how much"]


# -- gradebooks


@pytest.fixture
def graded(room) -> Classroom:
    text = CLASS + '=cmd,"=HYPERLINK(""x""), Eve",,12352,\nnoid,No Number,n@example.org,,\n'
    (room.folder / "roster.csv").write_text(text, encoding="utf-8")
    one = dict(auto=1, raw=1, total=1, max=10)
    rows = [
        Row("ada", {"04.1": 2.0, "04.w": 3.5}, raw=5.5, days_late=1, penalty=0.55, total=4.95, max=10),
        Row("brien", {"04.1": 2.0, "04.w": None}, raw=2, total=2, max=10, pending=1),
        Row("jose", {"04.1": 0.0}, max=10, status="not graded", notes=["=x"]),
        *(Row(s, {"04.1": 1.0, "04.w": 0.0}, **one) for s in ("=cmd", "noid", "stranger")),
    ]
    (room.grades / LESSON).mkdir(parents=True)
    write_csv(room, LESSON, ["04.1", "04.w"], rows, partial=False)
    return room


def raw(file: pathlib.Path, encoding: str = "utf-8") -> list[list[str]]:
    with open(file, encoding=encoding, newline="") as found:
        return list(csv.reader(found))


def test_canvas_gets_its_columns_and_ids(graded):
    said: list[str] = []
    file = export(graded, LESSON, "canvas", column="Entropy (99)", say=said.append)
    head, points, *rows = raw(file)
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Entropy (99)"]
    assert "Points Possible" in points[0] and points[-1] == "10"
    assert not file.read_bytes().startswith(b"\xef\xbb\xbf")
    totals = {r[1]: r[-1] for r in rows}
    assert totals == {n: "" for n in "12347 12348 12349 12350 12351".split()} | {
        "12345": "4.95",
        "12346": "",
        "12352": "1",
    }
    assert next(r[0] for r in rows if r[1] == "12352") == 'Eve =HYPERLINK("x")'
    text = "\n".join(said)
    assert "1 have an answer in words that is not graded yet (cell empty): brien" in text
    assert "1 could not be graded (cell empty): jose" in text and "have no Canvas id" in text and "noid" in text
    assert "not on the roster and are left out: stranger" in text and "takes back a grade" in text


def test_moodle_gets_ids_and_addresses(graded):
    head, *rows = raw(export(graded, LESSON, "moodle", say=lambda text: None))
    assert head == ["ID number", "Email address", "Full name", LESSON]
    assert ["ada", "ada@example.org", "Ada King Lovelace", "4.95"] in rows
    assert ["'=cmd", "", 'Eve =HYPERLINK("x")', "1"] in rows and len(rows) == 9


def test_a_spreadsheet_gets_every_exercise_and_a_bom(graded):
    file = export(graded, LESSON, "csv", say=lambda text: None)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    head, *rows = raw(file, "utf-8-sig")
    people = {r[0]: dict(zip(head, r, strict=True)) for r in rows}
    assert people["ada"]["04.w"] == "3.5" and people["ada"]["penalty"] == "0.55" and people["ada"]["total"] == "4.95"
    assert people["brien"]["04.w"] == people["brien"]["total"] == "" and people["brien"]["04.1"] == "2"
    assert people["'=cmd"]["total"] == "1"


def test_an_export_without_grades_or_ids_says_what_to_do(room, graded, capsys):
    run = ["--classroom", str(graded.folder), "export"]
    assert main([*run, "05"]) == 2 and "make grade LESSON=05_cross_entropy_and_kl" in capsys.readouterr().err
    (graded.folder / "roster.csv").unlink()
    assert main([*run, LESSON, "--to", "canvas"]) == 2 and "roster.csv" in capsys.readouterr().err
    assert main([*run, LESSON]) == 0 and "csv: " in capsys.readouterr().out
    with pytest.raises(Problem, match="another title"):
        graded.folder.joinpath("roster.csv").write_text(CLASS)
        export(graded, LESSON, "canvas", column="ID")


# -- requests


def notebook(*cells: tuple[str, str | list[str], dict]) -> str:
    return json.dumps({"cells": [dict(cell_type=k, source=s, metadata=m) for k, s, m in cells]})


def test_requests_are_found_kept_and_answered(graded, capsys):
    text = notebook(
        ("code", "def f(): ...", {"nbgrader": {"grade_id": grade_id("04.1", ANSWER)}}),
        ("markdown", ["**Regrade request:** my answer\n", "is right, see `f`."], {}),
        ("code", "# Regrade request 04.w: =read \x1b[31mit again", {}),
        ("markdown", "I do not request a regrade.", {}),
    )
    broken = '{"cells": [3, {"source": 7}]}'
    unpacked(graded.submitted, {f"ada/{LESSON}/{BOOK}": text, f"brien/{LESSON}/x.ipynb": broken})
    asked = requests(graded, LESSON)
    assert [(r.student, r.exercise, r.words) for r in asked] == [
        ("ada", "04.1", "my answer is right, see `f`."),
        ("ada", "04.w", "=read \x1b[31mit again"),
    ]
    said = capsys.readouterr().out
    assert "open      ada  04.1  (not graded)" in said and "2 open, 0 answered" in said and "\x1b" not in said

    (graded.private / f"{LESSON}.json").parent.mkdir(exist_ok=True)
    points = {"exercises": {"04.1": {"points": 2}}, "manual": {"04.w": {"points": 4}}}
    (graded.private / f"{LESSON}.json").write_text(json.dumps(points))
    run = ["--classroom", str(graded.folder), "requests", LESSON]
    assert main([*run, "--answer", "ada", "04.1", "=one point more"]) == 0
    said = capsys.readouterr().out
    assert "open      ada  04.w  (3.5 of 4)" in said and "answered  ada  04.1  (2 of 2)" in said
    assert main([*run, "--answer", "ada", "04.1", "again"]) == 2 and "no open request" in capsys.readouterr().err

    file = graded.folder / "requests.csv"
    assert any(cell == "'=one point more" for row in raw(file) for cell in row)
    with open(file, "a", encoding="utf-8", newline="") as more:
        csv.writer(more).writerow(["brien", LESSON, "", "by e-mail", "", ""])
    before = file.read_text()
    asked = requests(graded, LESSON, say=lambda text: None)
    assert [(r.student, r.state) for r in asked] == [("ada", "open"), ("brien", "open"), ("ada", "answered")]
    assert requests(graded, LESSON, say=lambda text: None) == asked
    assert file.read_text().count("my answer") == before.count("my answer") == 1
    file.write_text("a,b\n1,2\n")
    with pytest.raises(Problem, match="has no column lesson and student"):
        requests(graded, LESSON)


# -- one clear line


def test_a_folder_that_cannot_be_written_is_said(room, tmp_path, capsys):
    source = packed(tmp_path / "a.zip", {f"ada/{BOOK}": "a"})
    shutil.rmtree(room.folder)
    room.folder.write_text("a file")
    assert main(["--classroom", str(room.folder), "collect", LESSON, str(source)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_two_at_a_time_are_refused(room, tmp_path):
    room.private.mkdir(parents=True)
    with room.alone(), pytest.raises(Problem, match="at work"):
        quiet(room, LESSON, packed(tmp_path / "a.zip", {f"ada/{BOOK}": "a"}))


def test_every_kind_is_said_in_words():
    assert set(platforms.SAID) == {*platforms.PATTERNS, platforms.PLAIN}
