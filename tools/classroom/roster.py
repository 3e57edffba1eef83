"""Who is in the class: ``roster.csv``, names as platforms write them, and names of folders that nbgrader can use.

The roster is a csv with a head: ``id``, ``name``, ``email``, and where they are known ``canvas``, ``brightspace``
(numbers that these platforms give to people), ``moodle`` (its ID number, if it is not ``id``) and ``section``. A
gradebook exported from Canvas (``Student, ID, SIS User ID, SIS Login ID, Section, ...``, lib/gradebook_importer.rb of
canvas-lms), a list of participants or a gradebook from Moodle (``First name, Last name, ID number, Email address,
...``) and one from Brightspace (``OrgDefinedId, Username, Last Name, First Name, Email, ...``) are rosters as they are.
"""

from __future__ import annotations

import csv
import io
import pathlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.classroom.layout import Classroom, Problem

# Folders of students: nbgrader looks for submissions with glob, and takes their names from paths.
_REFUSED = r"/\\*?\[\]{}\x00-\x1f\x7f"
FOLDER = re.compile(rf"(?![-. ])[^{_REFUSED}]+(?<! )")
_COLUMNS = {  # ours -> what it is called in the files that platforms export, the best first
    "id": ("id", "id number", "sis login id", "sis user id", "username", "email address", "student", "orgdefinedid"),
    "name": ("name", "full name", "student"),
    "email": ("email", "email address", "e-mail"),
    "moodle": ("moodle",),
    "canvas": ("canvas",),
    "brightspace": ("brightspace", "orgdefinedid"),
    "sis": ("sis user id",),
    "login": ("sis login id", "username"),
    "section": ("section",),
}
_FIRST, _LAST = ("first name", "firstname"), ("last name", "lastname", "surname")


@dataclass(frozen=True)
class Member:
    """One of the class; ``""`` where the roster says nothing."""

    id: str
    name: str = ""
    email: str = ""
    moodle: str = ""
    canvas: str = ""
    brightspace: str = ""
    sis: str = ""
    login: str = ""
    section: str = ""

    @property
    def folder(self) -> str:
        return folder_name(self.id)


class Roster:
    """The members of a class, and who is meant by what a platform writes."""

    def __init__(self, members: Iterable[Member]):
        self.members = sorted(members, key=lambda m: m.folder)
        self._ids: dict[str, set[Member]] = {}
        self._names: dict[str, set[Member]] = {}
        for m in self.members:
            for id in (m.id, m.folder, m.email, m.email.partition("@")[0], m.canvas, m.brightspace, m.sis, m.login):
                if id:
                    self._ids.setdefault(_plain(id), set()).add(m)
            for form in _forms(m.name):
                self._names.setdefault(form, set()).add(m)
        self.by_folder = {m.folder: m for m in self.members}

    def find(self, name: str, owner: str = "", kind: str = "") -> list[Member]:
        """Those who can be meant: nobody, one, or several.

        Args:
            name: an id, an e-mail address, or a name in any order and with any punctuation.
            owner: the number that the platform gives to the person.
            kind: which platform. Canvas's numbers decide; those of others only between people of one name.
        """
        numbers = {m: getattr(m, kind) for m in self.members} if kind in ("canvas", "brightspace") else {}
        by_number = [m for m, number in numbers.items() if owner and number == owner]
        if kind == "canvas" and by_number:
            return by_number
        found = self._ids.get(_plain(name)) or self._names.get(_letters(name)) or set()
        both = [m for m in by_number if m in found]
        return both or sorted({*found, *by_number}, key=lambda m: m.folder)


def read(room: Classroom) -> Roster | None:
    """The class as ``roster.csv`` has it; None without such a file.

    Raises:
        Problem: for a file that is no roster, or one that names two people alike.
    """
    file = room.folder / "roster.csv"
    if not file.exists():
        return None
    everybody = list(_members(table(file), file))
    seen: dict[str, Member] = {}
    for m in everybody:
        other = seen.setdefault(m.folder.casefold(), m)
        if other is not m:
            raise Problem(
                f"{file}: {other.id!r} and {m.id!r} cannot be told apart; give each member an id of their own."
            )
    if not everybody:
        raise Problem(f"{file} names nobody; it has a head (id, name, email) and a line for each student.")
    return Roster(everybody)


def members(room: Classroom) -> list[Member]:
    """Everybody on the roster; nobody without one."""
    roster = read(room)
    return roster.members if roster else []


def _members(rows: list[dict[str, str]], file: pathlib.Path) -> Iterator[Member]:
    head = set(rows[0]) if rows else set()
    if rows and not head & set(_COLUMNS["id"]):
        raise Problem(f"{file} has no column id; its head is: id, name, email (found: {', '.join(sorted(head))}).")
    for row in rows:
        if {"student", "section"} <= head:  # Canvas: its ID is the number in the names of downloaded files
            row["canvas"] = row.pop("id", "")
            if "points possible" in row["student"].casefold() or row["student"] == "Student, Test":
                continue
        # Brightspace puts # before ids, so that spreadsheets keep their zeros.
        about = {field: _first(row, names).lstrip("#") for field, names in _COLUMNS.items()}
        about["name"] = turned(about["name"] or f"{_first(row, _FIRST)} {_first(row, _LAST)}".strip())
        if about["id"]:
            yield Member(**about)


def _first(row: dict[str, str], names: Iterable[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def table(file: pathlib.Path) -> list[dict[str, str]]:
    """The rows of a csv file by the lower-case names of its columns; commas, semicolons or tabs, with or without BOM.

    Raises:
        Problem: if it cannot be read, or is not UTF-8.
    """
    try:
        data = file.read_bytes()
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except OSError as error:
        raise Problem(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise Problem(f"{file} is not UTF-8; save it once more as 'CSV UTF-8'.") from None
    text = unicodedata.normalize("NFC", text)
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark)]
    except csv.Error as error:
        raise Problem(f"{file} is no csv file ({error}).") from None
    rows = [row for row in rows if any(row)]
    head = [cell.casefold() for cell in rows[0]] if rows else []
    return [dict(zip(head, row, strict=False)) for row in rows[1:]]


def turned(name: str) -> str:
    """A name as it is said.

    >>> turned("Lovelace, Ada")
    'Ada Lovelace'
    """
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() else name


def folder_name(name: str) -> str:
    """The name of a folder that nbgrader can use: NFC, and ``-`` for what it cannot.

    >>> folder_name("Lovelace, Ada (née Byron)"), folder_name(" ../x*y ")
    ('Lovelace, Ada (née Byron)', 'x-y')
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    return re.sub(rf'[{_REFUSED}:"<>|]+', "-", name).lstrip(" .-")[:60].rstrip(" .-") or "unnamed"


def _plain(id: str) -> str:
    return unicodedata.normalize("NFC", id.strip().casefold())


def _letters(name: str) -> str:
    """A name without what platforms drop from it: spaces, punctuation, capitals.

    >>> _letters("O'Brien, Ada")
    'obrienada'
    """
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return "".join(c for c in name if unicodedata.category(c)[0] in "LMN")


def _forms(name: str) -> set[str]:
    """A name in the orders in which it is written: ``Ada King Lovelace``, ``Lovelace, Ada King``, and so on."""
    words = [w for w in name.replace(",", " ").split() if _letters(w)]
    return {_letters("".join(words[i:] + words[:i])) for i in range(len(words))}
