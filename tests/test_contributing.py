"""The checklist in CONTRIBUTING is walked: its blocks make a lesson that book, checks and release pick up."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from tests.pages import soup
from tools.lessons import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHECKLIST = TEXT.partition("## How to add a lesson")[2].partition("\n## ")[0]
STEPS = re.split(r"(?m)^(?=\d+\. )", CHECKLIST)[1:]


def block(step: int) -> str:
    return re.search(r"```\w+\n(.*?)```", STEPS[step - 1], re.S)[1]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> pathlib.Path:
    """A course of one lesson, to which the steps of the checklist add another; its pages are built."""
    root = tmp_path_factory.mktemp("course")
    quiet = shutil.ignore_patterns("__pycache__")
    for folder in ("genutils", "tools", "book/_ext", "book/_static"):
        shutil.copytree(ROOT / folder, root / folder, ignore=quiet)
    for name in ("_config.yml", "requirements.txt", "book/contents.md", "book/references.bib"):
        shutil.copy(ROOT / name, root / name)
    (root / "book/index.md").write_text("# A course\n\n```{family-map}\n```\n")
    course = "parts:\n  Part 0. Start:\n  Part I. Coins:\nplanned:\nanswers:\n"
    toc = "format: jb-book\nroot: book/index\nparts:\n  - chapters:\n      - file: book/contents\n"
    toc += "  - caption: Part 0. Start\n    chapters:\n      - file: lessons/00_zero\n        title: 00 · Zero\n"
    toc += "  - caption: Part I. Coins\n    chapters:\n"
    (root / "_toc.yml").write_text(toc + block(1), encoding="utf-8")
    (root / "book/course.yml").write_text(course + block(2), encoding="utf-8")
    for folder in ("lessons", "solutions", "tests/mutants"):
        (root / folder).mkdir(parents=True)
    (root / "lessons/00_zero.py").write_text("# %% [markdown]\n# # Zero: where do we begin?\n\n# %%\nimport genutils\n")
    files = {3: "lessons/23_coin.py", 4: "solutions/23_coin.py", 6: "genutils/check/lesson_23.py"}
    for step, name in (files | {7: "tests/mutants/lesson_23.py"}).items():
        assert f"`{name}`" in STEPS[step - 1]
        (root / name).write_text(block(step), encoding="utf-8")
    for module in ("tests/__init__.py", "tests/mutants/__init__.py"):
        shutil.copy(ROOT / module, root / module)
    run(root, "-m", "tools.from_script", "lessons/00_zero.py", *block(5).split("\n")[0].split()[3:])
    run(root, "-c", "from tools import build_book as b; b.BUILD.mkdir(); b.execute(1, clock=None); b.pages()")
    return root


def run(root: pathlib.Path, *command: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(root), "GENUTILS_GRADING": ""}
    done = subprocess.run([sys.executable, *command], cwd=root, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_steps_are_numbered_and_name_files_that_exist():
    assert [step.split(".")[0] for step in STEPS] == [str(n) for n in range(1, len(STEPS) + 1)]
    named = set(re.findall(r"`([\w/]+\.(?:yml|md|bib|py|json))`", CHECKLIST))
    assert {name for name in named if "23" not in name and not (ROOT / name).exists()} == set()
    modules = set(re.findall(r"python -m (tools\.\w+)", CHECKLIST))
    assert len(modules) == 5 and all((ROOT / f"{name.replace('.', '/')}.py").exists() for name in modules)


def test_the_book_shows_it_in_contents_map_and_sidebar(copy):
    contents = soup(copy / "_build/html/book/contents.html")
    links = {a.get_text(): a["href"] for a in contents.find(id="main-content").select("dt a")}
    assert links == {"00 · Zero": "../lessons/00_zero.html", "23 · Coins": "../lessons/23_coin.html"}
    assert "Is this coin fair?" in contents.find(id="main-content").get_text()
    assert contents.find("nav", class_="bd-links").find("a", string=re.compile("23 · Coins"))
    drawings = soup(copy / "_build/html/book/index.html").select("svg.family-map")
    for drawing in drawings:
        (box,) = drawing.select(".family")
        assert box.select_one("a")["href"] == "../lessons/23_coin.html" and "exact" in box.select_one("a")["aria-label"]
    page = soup(copy / "_build/html/lessons/23_coin.html").find(id="main-content").get_text()
    assert "of the time" in page and "✓" in page and "not attempted" in page  # the claim holds, the stub waits


def test_its_checks_tell_right_from_wrong(copy):
    code = """
import nbformat, numpy as np
from genutils.check import check, exercises
from tests.mutants import CANDIDATES, lesson_23
assert list(exercises("23")) == ["23.1"] and len(CANDIDATES) == 2
cells = nbformat.read("solutions/23_coin.ipynb", 4).cells
scope = {"np": np}
exec(next(c.source for c in cells if c.metadata.get("role") == "solution"), scope)
right = [scope["coin_log_likelihood"]] + [c.answer for c in CANDIDATES if c.hint is None]
for answer in right:
    check(answer, grading=True)
for candidate in CANDIDATES:
    if candidate.hint:
        try:
            check(candidate.answer, grading=True)
        except Exception as wrong:
            assert candidate.hint in str(wrong), wrong
        else:
            raise SystemExit("a wrong answer passed")
"""
    run(copy, "-c", code)


def test_it_is_released_to_students(copy, tmp_path):
    code = """
import sys
from tools.classroom.layout import Classroom
from tools.classroom.release import release
release(Classroom(folder=sys.argv[1]), "23", validate=False, say=lambda text: None)
"""
    run(copy, "-c", code, str(tmp_path))
    handed_out = (tmp_path / "release/23_coin/23_coin.ipynb").read_text(encoding="utf-8")
    assert "coin_log_likelihood" in handed_out and "log1p" not in handed_out
