"""Which files of a download are whose, and when they were handed in, from the names that platforms give them.

- Moodle (mod/assign/classes/downloader.php): ``Ada Lovelace_1234567_assignsubmission_file/x.ipynb``, with ``_`` at the
  end of the folder in older versions, or without folders ``Ada Lovelace_1234567_assignsubmission_file_x.ipynb``. The
  number belongs to the assignment, not to the person. Before the name may stand ``Group A-``. Nothing tells when it was
  handed in: files in the zip have the time of the download (files/classes/local/archive_writer/zip_writer.php).
- Canvas (lib/content_zipper.rb of canvas-lms): ``lovelaceada_LATE_12345_67890_x-1.ipynb``: the sortable name in small
  letters and without punctuation, the number of the person, that of the attachment, which grows. No time either.
- Brightspace: ``12345-67890 - Ada Lovelace - Nov 3, 2026 1012 AM/x.ipynb``, a folder for each attempt. The first number
  is one of the person on some sites and the same for all on others, so it only tells people of one name apart.
- nbgrader's exchange, ``inbound`` (nbgrader/exchange/default/submit.py): ``ada+04_entropy+2026-11-03 10:12:03.123456
  UTC+random/04_entropy.ipynb``.
- plain: a folder or a notebook for each student, named after the student.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.classroom.download import Item

PLAIN = "plain"
_DAY = r"([^\W\d]{3,9} \d{1,2}|\d{1,2} [^\W\d]{3,9}),? \d{4}"
_TIME = rf"{_DAY},? \d{{1,2}}:?\d\d( ?[AaPp][Mm])?"
PATTERNS = {
    "nbgrader": r"(?P<name>[^/]+)\+(?P<lesson>[^/+]+)\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? "
    r"([+-]\d{4}|[A-Za-z][\w/]*))(\+[^/]*)?/(?P<file>.+)",
    "moodle": r"(?P<name>[^/]+?)_(?P<owner>\d+)_assignsubmission_[a-z]+_?(/|(?<=_))(?P<file>.+)",
    "brightspace": rf"((?P<owner>\d+)-\d+ - )?(?P<name>[^/]+?) - (?P<time>{_TIME})/(?P<file>.+)",
    "canvas": r"(?P<name>[^/]+?)(?P<late>_LATE)?_(?P<owner>\d+)"
    r"_((?P<attachment>\d+)_(?P<file>[^/]+)|(?P<page>(text|link)\.html))",
}
SAID = {
    "nbgrader": "nbgrader's exchange",
    "moodle": "a download from Moodle",
    "brightspace": "a download from Brightspace",
    "canvas": "a download from Canvas",
    PLAIN: "a folder or a notebook for each student",
}


@dataclass
class Attempt:
    """What one person handed in at one time."""

    name: str  # as the download writes it
    owner: str = ""  # the platform's number of this person
    mark: str = ""  # tells attempts apart; empty if only their content does
    rank: float = 0.0  # a later attempt of the same platform has a higher one
    time: dt.datetime | None = None  # when it was handed in, UTC; None if the platform does not say
    late: bool = False  # whether the platform says that it was late
    items: dict[str, Item] = field(default_factory=dict)  # name within the submission -> file

    @property
    def label(self) -> str:
        """What the instructor can look for in the download."""
        return self.mark if self.time else f"{self.name} ({self.owner})" if self.owner else self.name


def recognise(
    items: Iterable[Item], lesson: str, kind: str | None, zone: dt.tzinfo | None
) -> tuple[str, list[Attempt], dict]:
    """The attempts in a download.

    Args:
        kind: a name of `SAID`; None to tell it from the names.
        zone: in which platforms that name none give their times; None for that of this computer.

    Returns:
        The kind, its attempts, and what belongs to none: name -> why.
    """
    items = list(items)
    inner = items
    while inner:
        tops = {i.path[0] for i in inner} - {"index.html"}
        found = {k: len({i.path[0] for i in inner if _match(k, i)}) for k in PATTERNS}
        best = kind or max(found, key=lambda k: found[k])
        if best != PLAIN and (found[best] * 2 > len(tops) or (kind and found[best])):
            return best, *_parse(best, inner, lesson, zone)
        if len(tops) > 1 or any(len(i.path) == 1 for i in inner):
            break
        inner = [Item(i.path[1:], i.modified, i.open) for i in inner]
    if kind not in (None, PLAIN):
        return kind, [], {i.path[0]: f"is not named as in {SAID[kind]}" for i in items}
    return PLAIN, *_plain(items, lesson)


def _match(kind: str, item: Item) -> re.Match | None:
    return re.fullmatch(PATTERNS[kind], "/".join(item.path), re.S)


def _parse(kind: str, items: list[Item], lesson: str, zone: dt.tzinfo | None) -> tuple[list[Attempt], dict[str, str]]:
    attempts: dict[tuple, Attempt] = {}
    left: dict[str, str] = {}
    for item in sorted(items, key=lambda i: i.path):
        found = _match(kind, item)
        if not found:
            if item.path[0] != "index.html":
                left[item.path[0]] = f"is not named as in {SAID[kind]}"
            continue
        says = {"owner": "", "time": "", "lesson": lesson, "late": "", "attachment": "", "page": ""} | found.groupdict(
            ""
        )
        if says["lesson"] != lesson:
            continue  # the exchange holds all lessons of a course
        time = when(says["time"], zone)
        if says["time"] and time is None:
            left[item.path[0]] = f"has a time that cannot be read ({says['time']})"
            continue
        file, rank = says["file"] or says["page"], item.modified
        mark = item.path[0] if says["time"] else ""
        key = (says["owner"] or says["name"], mark)
        if kind == "canvas":
            rank = float(says["attachment"] or 0)
            if numbered := re.fullmatch(rf"({re.escape(lesson)})-\d+(\.ipynb)", file):
                file = numbered[1] + numbered[2]  # Canvas counts what is handed in again under the same name
            if file == f"{lesson}.ipynb":
                mark, key = says["attachment"], (*key, says["attachment"])
        new = Attempt(says["name"], says["owner"], mark, time.timestamp() if time else rank, time, bool(says["late"]))
        attempt = attempts.setdefault(key, new)
        attempt.rank = max(attempt.rank, new.rank)
        attempt.items[file] = item
    if kind == "canvas":
        attempts = _with_notebook(attempts)
    return list(attempts.values()), left


def _with_notebook(attempts: dict[tuple, Attempt]) -> dict[tuple, Attempt]:
    """What somebody handed in beside the notebook goes with the latest notebook."""
    merged = {key: a for key, a in attempts.items() if len(key) == 3}
    for key, rest in attempts.items():
        if len(key) == 2:
            theirs = [a for k, a in merged.items() if k[:2] == key and len(k) == 3]
            if theirs:
                latest = max(theirs, key=lambda a: a.rank)
                latest.items = rest.items | latest.items
            else:
                merged[key] = rest
    return merged


def _plain(items: list[Item], lesson: str) -> tuple[list[Attempt], dict[str, str]]:
    tops = {i.path[0] for i in items}
    if len(tops) == 1 and not {lesson, f"{lesson}.ipynb"} & {"".join(i.path[1:2]) or lesson for i in items}:
        inner = [Item(i.path[1:], i.modified, i.open) for i in items]
        if len({i.path[0] for i in inner}) > 1 or all(len(i.path) > 1 for i in inner):
            items = inner  # one folder that holds those of everybody
    attempts: dict[str, Attempt] = {}
    left: dict[str, str] = {}
    for item in sorted(items, key=lambda i: i.path):
        top, *rest = item.path
        if not rest and not top.casefold().endswith(".ipynb"):
            left[top] = "is neither a student's folder nor a notebook"
            continue
        if not rest:
            stem = re.sub(rf"[\s_-]*{re.escape(lesson)}[\s_-]*", " ", top[: -len(".ipynb")]).strip()
            rest = [f"{lesson}.ipynb"]
            if not stem:
                left[top] = "does not say whose it is; name it after the student"
                continue
        else:
            stem = top
        attempt = attempts.setdefault(top, Attempt(stem))
        attempt.rank = max(attempt.rank, item.modified)
        attempt.items["/".join(rest)] = item
    inside = {
        top: {name.partition("/")[2]: i for name, i in attempt.items.items() if name.startswith(f"{lesson}/")}
        for top, attempt in attempts.items()
    }
    if any(inside.values()):  # folders that hold a folder for each lesson, as submitted/ does
        for top, items in inside.items():
            attempts[top].items = items
    return [a for a in attempts.values() if a.items], left


def when(text: str, zone: dt.tzinfo | None) -> dt.datetime | None:
    """A time as platforms write it (in English), in UTC; None if it cannot be read.

    >>> berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    >>> when("Nov 3, 2026 1012 AM", berlin).isoformat()  # Brightspace's folders
    '2026-11-03T09:12:00+00:00'
    >>> when("Wednesday, 10 June 2026, 2:14 PM", berlin).isoformat()  # Moodle's grading worksheet
    '2026-06-10T12:14:00+00:00'
    >>> when("2026-11-03 10:12:03.5 UTC", berlin).isoformat()  # nbgrader
    '2026-11-03T10:12:03.500000+00:00'
    """
    text = " ".join(text.replace(",", " ").split())
    iso = re.fullmatch(r"(\d{4}-\d\d-\d\d.\d\d:\d\d\S*)(?: ([+-]\d{4}|[A-Za-z][\w/]*))?", text)
    time = None
    try:
        if iso:
            time = dt.datetime.fromisoformat(iso[1])
            if iso[2]:
                named = iso[2][0] not in "+-"
                zone = zoneinfo.ZoneInfo(iso[2]) if named else dt.datetime.strptime(iso[2], "%z").tzinfo
        else:
            text = re.sub(r"^\w+day ", "", text)
            text = re.sub(r"(?<=\d{4} )(\d{1,2}):?(\d\d) ?", r"\1:\2 ", text).strip()
            for day, hour in itertools.product(("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y"), ("%I:%M %p", "%H:%M")):
                try:
                    time = dt.datetime.strptime(text, f"{day} {hour}")
                except ValueError:
                    continue
        return time and (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError, zoneinfo.ZoneInfoNotFoundError):
        return None
