"""The kit that a class gets: ``python -m tools.student`` builds ``_build/student/learning-data/`` and a zip of it.

It holds the lessons, ``genutils`` as a wheel and what to install, and nothing of solutions, tests or classrooms.
"""

from __future__ import annotations

import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

import nbformat

from tools.classroom import assemble
from tools.classroom.layout import Classroom, Problem
from tools.lessons import ROOT, lessons

NAME = "learning-data"
ASIDE = ("recipes", "yardstick", "__pycache__", "*.pyc")  # of genutils; no lesson needs them
COMPUTING, LAB = "# what the lessons compute with", ("jupyterlab", "ipykernel")
README = """Learning Data: the lessons
==========================

Needed: Python 3.11 to 3.14. In a terminal, in this folder:

    python3 -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/python -m pip install --no-deps {wheel}
    .venv/bin/jupyter lab lessons

On Windows write  py  for  python3,  and  .venv\\Scripts\\  for  .venv/bin/

The second line needs the network, once. With a folder of wheels instead (a USB stick, a computer room):

    .venv/bin/python -m pip install --no-index --find-links FOLDER -r requirements.txt

Begin with lessons/00_start_here.ipynb. Where a cell says NotImplementedError, write your answer, and run the cell
with check(...) below it: it tells you what holds and what does not. What you have done is kept in progress.json.
"""


def build(root: pathlib.Path = ROOT, target: pathlib.Path | None = None) -> pathlib.Path:
    """Write the kit anew.

    Returns:
        Its folder; the zip lies beside it.

    Raises:
        Problem: if the wheel cannot be built, or a line of a solution would be given away.
    """
    kit = (target or root / "_build" / "student") / NAME
    shutil.rmtree(kit, ignore_errors=True)
    (kit / "lessons").mkdir(parents=True)
    for file in lessons(root):
        nb = assemble.read(file)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(nb, kit / "lessons" / file.name)
        for image in assemble.images(root / "lessons", nb):
            (kit / "lessons" / image).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / "lessons" / image, kit / "lessons" / image)
    wheel = _wheel(root, kit)
    (kit / "requirements.txt").write_text(_requirements(root), encoding="utf-8")
    (kit / "README.txt").write_text(README.format(wheel=wheel.name), encoding="utf-8")
    if found := given_away(root, kit):
        shutil.rmtree(kit)
        raise Problem(f"the kit would have given something away, so it was removed: {'; '.join(found)}")
    shutil.make_archive(str(kit), "zip", kit.parent, NAME)
    return kit


def given_away(root: pathlib.Path, kit: pathlib.Path) -> list[str]:
    """Files of a kit, those in its wheel included, that hold a line of a solution.

    A check computes what it compares with, and may share a line with a solution; ``tests/test_student.py`` counts them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        shutil.copytree(kit, folder, dirs_exist_ok=True)
        for wheel in folder.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(folder)
        shutil.rmtree(folder / "genutils" / "check", ignore_errors=True)
        return assemble.leaks(folder, secrets(root), [])


@functools.cache
def secrets(root: pathlib.Path) -> list[str]:
    """Lines of the solutions that stand in no lesson."""
    room, files = Classroom(root), lessons(root)
    public = [assemble.squeeze(cell.source) for file in files for cell in assemble.read(file).cells]
    found = {s for file in files for s in assemble.secrets_of(room, file.stem)}
    return sorted(s for s in found if not any(s in text for text in public))


def _wheel(root: pathlib.Path, kit: pathlib.Path) -> pathlib.Path:
    """Build it from a copy, so that the repository stays as it is; the network is not used."""
    with tempfile.TemporaryDirectory() as scratch:
        source = pathlib.Path(scratch)
        shutil.copy(root / "pyproject.toml", source)
        shutil.copytree(root / "genutils", source / "genutils", ignore=shutil.ignore_patterns(*ASIDE))
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        done = subprocess.run([*command, "-w", str(kit), scratch], capture_output=True, text=True)
        if done.returncode:
            raise Problem(f"pip could not build the wheel of genutils; it said:\n{done.stderr[-2000:]}")
    (wheel,) = kit.glob("genutils-*.whl")
    return wheel


def _requirements(root: pathlib.Path) -> str:
    """Of the course's pins those that a student needs."""
    blocks = (root / "requirements.txt").read_text(encoding="utf-8").split("\n\n")
    (computing,) = (block.splitlines()[1:] for block in blocks if block.startswith(COMPUTING))
    every = [line for block in blocks for line in block.splitlines()]
    return "\n".join([*computing, *(line for line in every if re.split("==", line)[0] in LAB)]) + "\n"


def main() -> None:
    try:
        kit = build()
    except Problem as problem:
        sys.exit(f"student: {problem}")
    size = kit.with_suffix(".zip").stat().st_size / 2**20
    print(f"give this to students: {kit.with_suffix('.zip')} ({size:.1f} MB; unpacked it lies beside it)")


if __name__ == "__main__":
    main()
