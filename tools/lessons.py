"""The course as ``_toc.yml`` has it: its lessons in reading order, its parts, what is planned (``book/course.yml``)."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
FURTHER = "## Going further"
SITTING = (3500, 90)  # words and cells that the core path of a lesson may have


@dataclass(frozen=True)
class Lesson:
    """A line of the contents page. ``answers``: kinds of answer of its models to how likely an x is, for the map."""

    stem: str
    title: str
    question: str
    written: bool
    answers: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        return self.stem.split("_")[0]


@dataclass(frozen=True)
class Part:
    """A part of the course: its caption in the sidebar, what the contents page adds to it, and its lessons."""

    caption: str
    says: str
    lessons: tuple[Lesson, ...]


def _chapters(root: pathlib.Path) -> list[tuple[str, pathlib.Path, str]]:
    """(caption of the part, notebook, title) of every lesson in ``_toc.yml``."""
    found: list[tuple[str, pathlib.Path, str]] = []

    def walk(node: Any, caption: str) -> None:
        if isinstance(node, dict):
            caption = node.get("caption", caption)
            name = node.get("file", "")
            if isinstance(name, str) and name.startswith("lessons/"):
                found.append((caption, root / (name.removesuffix(".ipynb") + ".ipynb"), node.get("title", "")))
            for value in node.values():
                walk(value, caption)
        elif isinstance(node, list):
            for value in node:
                walk(value, caption)

    walk(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")), "")
    return found


def lessons(root: pathlib.Path | None = None) -> list[pathlib.Path]:
    """Notebooks in reading order."""
    return [path for _, path, _ in _chapters(root or ROOT)]


def find(name: str) -> pathlib.Path:
    """The lesson of a name such as ``04_entropy``, ``04`` or ``lessons/04_entropy.ipynb``."""
    stem = pathlib.Path(name).stem
    every = lessons()
    matches = [p for p in every if p.stem == stem or p.stem.split("_")[0] == stem]
    if len(matches) != 1:
        raise SystemExit(f"no lesson is called {name!r}; the lessons are {', '.join(p.stem for p in every)}")
    return matches[0]


def code(notebook: pathlib.Path) -> list[str]:
    """The sources of a notebook's code cells."""
    return [source for kind, source in _cells(notebook) if kind == "code"]


def core(notebook: pathlib.Path) -> tuple[int, int]:
    """How long the core path of a lesson is: words of its Markdown, and cells, before its last section "Going further".

    A lesson is one sitting (`SITTING`); what is optional comes after the core, or goes.
    """
    found = _cells(notebook)
    end = next((i for i, (kind, text) in enumerate(found) if kind == "markdown" and text.startswith(FURTHER)), None)
    return sum(len(text.split()) for kind, text in found[:end] if kind == "markdown"), len(found[:end])


def heading(notebook: pathlib.Path) -> tuple[str, str]:
    """Title and question of a lesson: its first line is ``# Title: what is asked?``.

    Raises:
        ValueError: the first line has another form.
    """
    first = next((source for kind, source in _cells(notebook) if kind == "markdown"), "").split("\n")[0].strip()
    title, _, question = first.removeprefix("# ").partition(": ")
    if not (first.startswith("# ") and question.endswith("?")):
        raise ValueError(f"{notebook.name} must begin with '# Title: what is asked?'; its first line is {first!r}")
    return title, question[0].upper() + question[1:]


def outline(root: pathlib.Path | None = None) -> list[Part]:
    """The parts of the course with their lessons, written and planned, in reading order.

    Raises:
        ValueError: ``_toc.yml`` and ``book/course.yml`` disagree; the message says what to change.
    """
    root = root or ROOT
    chapters = _chapters(root)
    plan = yaml.safe_load((root / "book" / "course.yml").read_text(encoding="utf-8"))
    says, answers, planned = plan["parts"], plan["answers"] or {}, plan["planned"] or {}
    found: dict[str, list[Lesson]] = {caption: [] for caption in says}

    def place(caption: str, lesson: Lesson, file: str) -> None:
        if caption not in found:
            raise ValueError(f"{file} puts {lesson.stem} into {caption!r}, which is not in `parts` of book/course.yml")
        found[caption].append(lesson)

    for caption, path, title in chapters:
        if path.stem in planned:
            raise ValueError(f"{path.stem} is in _toc.yml, so its lines under `planned` in book/course.yml must go")
        own, question = heading(path)
        title = title.removeprefix(f"{path.stem.split('_')[0]} · ") or own
        place(caption, Lesson(path.stem, title, question, True, tuple(answers.get(path.stem, ()))), "_toc.yml")
    for stem, entry in planned.items():
        lesson = Lesson(stem, entry["title"], entry["question"], False, tuple(answers.get(stem, ())))
        place(entry["part"], lesson, "book/course.yml")
    known = {lesson.stem for every in found.values() for lesson in every}
    if strange := sorted(set(answers) - known):
        raise ValueError(f"`answers` in book/course.yml names {', '.join(strange)}, which is no lesson")
    return [Part(c, says[c] or "", tuple(sorted(every, key=lambda x: x.stem))) for c, every in found.items()]


def _cells(notebook: pathlib.Path) -> list[tuple[str, str]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [(c["cell_type"], "".join(c["source"])) for c in cells]
