"""`release`: from a lesson to the folder that is handed to students."""

from __future__ import annotations

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

import nbformat

from tools.classroom import assemble, course, exchange, files, system, verify
from tools.classroom.bounds import open_gradebook
from tools.classroom.layout import Classroom, Problem
from tools.classroom.rehearse import rehearse
from tools.classroom.settings import LESSON, make
from tools.classroom.workers import convert

README = """{title}
{rule}

Hand in: {lesson}.ipynb, under exactly this name.

To begin
  1. Once, set up the course that your class was given, as the README in its folder says. (On a JupyterHub that has
     been done for you.)
  2. Put this folder anywhere, and open {lesson}.ipynb in JupyterLab.
  3. Write your answers where a cell says NotImplementedError, or "Your answer here". Run the cell with check(...) below
     an answer: it tells you what holds and what does not. You may run it as often as you like.
  4. Before you hand in: Kernel > Restart Kernel and Run All Cells. Save. Hand in the notebook.

Good to know
  - Please do not delete, copy or edit cells that say "The points of ... are given here". Add cells of your own wherever
    you like.
  - Each answer is taken from the notebook and tested by itself, at random inputs that you have not seen. It may use the
    imports and helper functions of your notebook, but no other files.
  - {total:g} points: {points}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    parser.add_argument(
        "--force", action="store_true", help="release again although students have handed in (same hidden seeds)"
    )
    parser.add_argument("--new-seeds", action="store_true", help="draw new hidden seeds")
    parser.add_argument("--no-validate", action="store_true", help="do not run the solved lesson first")
    exchange.add_argument(parser, "let students fetch it from")


def run(room: Classroom, args: argparse.Namespace) -> None:
    release(room, args.lesson, force=args.force, new_seeds=args.new_seeds, validate=not args.no_validate)
    if args.exchange:
        exchange.put(room, room.lesson(args.lesson), args.exchange)


def release(
    room: Classroom,
    lesson: str,
    *,
    force: bool = False,
    new_seeds: bool = False,
    validate: bool = True,
    say: Callable = print,
) -> pathlib.Path:
    """Assemble a lesson, rehearse it, run ``nbgrader generate_assignment`` on it, and prove that it holds no secrets.

    The release keeps its own copy of ``genutils`` (`course`), which grades it from then on.

    Args:
        force: replace a release although students have handed in (the hidden seeds stay as they are).
        new_seeds: draw new hidden seeds; needs ``force`` once students have handed in.
        validate: also run the instructor's notebook through ``nbgrader validate``.

    Raises:
        Problem: with one line that says what to do.
    """
    system.can_judge()
    lesson = room.lesson(lesson)
    make(room)
    with room.alone(), tempfile.TemporaryDirectory(dir=room.private) as scratch:
        return _release(room, lesson, pathlib.Path(scratch), force, new_seeds, validate, say)


def _release(
    room: Classroom, lesson: str, scratch: pathlib.Path, force: bool, new_seeds: bool, validate: bool, say: Callable
) -> pathlib.Path:
    trial = room.on_trial(scratch / "course")
    digest = course.copy(room.root, lesson, trial.course(lesson))
    env = trial.environment(lesson)
    registry = registered(trial, lesson)
    old = room.manifest(lesson) if (room.private / f"{lesson}.json").exists() else None
    students = room.students(lesson)
    ids = assemble.exercise_ids(assemble.read(room.root / "lessons" / f"{lesson}.ipynb"))
    seeds = assemble.new_seeds(ids)
    if old is not None and not new_seeds:
        kept = {e: x["seed"] for e, x in old["exercises"].items()}
        seeds = {"secret": old["secret"], "seeds": {e: kept.get(e, s) for e, s in seeds["seeds"].items()}}
    nb, manifest = assemble.assemble(room, lesson, registry, seeds)
    manifest["course"] = digest
    text = nbformat.writes(nb) + "\n"
    source = room.source / lesson / f"{lesson}.ipynb"
    target = room.release / lesson
    if old is not None and students and not force:
        same = source.exists() and source.read_text(encoding="utf-8") == text and target.is_dir()
        if same and not new_seeds:
            same = digest == old.get("course")
            say(f"{lesson} is released already, and {'nothing' if same else 'only genutils'} has changed: {target}")
            if not same:
                look = course.REGRADE.format(lesson=f"{lesson} --dry-run")
                say(f"it is graded by the genutils of its release; to see what today's would change: {look}")
            return target
        raise Problem(
            f"{len(students)} students have handed in {lesson} ({', '.join(students[:3])}"
            f"{', ...' if len(students) > 3 else ''}), and "
            f"{'new seeds were asked for' if new_seeds else 'the lesson has changed since'}; --force releases it again"
            f"{'' if new_seeds else ' with the same hidden seeds'}."
        )
    rehearse(trial, lesson, manifest, nb, say)
    staged = scratch / lesson
    staged.mkdir()
    (staged / source.name).write_text(text, encoding="utf-8")
    for name in manifest["images"]:
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(room.root / "lessons" / name, staged / name)
    (staged / "README.txt").write_text(_readme(lesson, nb, manifest), encoding="utf-8")
    if validate:
        said = _nbgrader(room, env | {LESSON: lesson}, "validate", str(staged / source.name))
        if "Success" not in said:
            raise Problem(f"nbgrader validate: the solved lesson does not pass its own tests:\n{said[-2000:]}")
    shutil.rmtree(source.parent, ignore_errors=True)
    staged.rename(source.parent)
    shutil.rmtree(target, ignore_errors=True)
    open_gradebook(room, lesson).close()
    said = convert(room, lesson, env)
    released = target / f"{lesson}.ipynb"
    if not released.exists():
        reason = next((x for x in reversed(said.splitlines()) if "Error" in x), said[-1000:])
        if "Cannot add or remove cells" in reason:
            reason = (
                "exercises were added or removed after students were graded; "
                f"move {room.gradebook(lesson)} aside and grade again"
            )
        raise Problem(f"nbgrader generate_assignment failed: {reason}")
    found = assemble.leaks(
        target, assemble.secrets_of(room, lesson), [e["seed"] for e in manifest["exercises"].values()]
    )
    strangers = {str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()} - {
        f"{lesson}.ipynb",
        "README.txt",
        *manifest["images"],
    }
    if found or strangers:
        shutil.rmtree(target)
        raise Problem(
            f"the release would have given something away, so it was removed: {'; '.join(found + sorted(strangers))}"
        )
    manifest["released"] = assemble.released_cells(nbformat.reads(released.read_text(encoding="utf-8"), as_version=4))
    course.put(room, lesson, trial.course(lesson))
    files.write(room.private / f"{lesson}.json", manifest, mode=0o600)
    total = sum(e["points"] for e in [*manifest["exercises"].values(), *manifest["manual"].values()])
    say(f"{lesson}: {len(ids)} exercises and {len(manifest['manual'])} question(s) in words, {total:g} points")
    say(f"hand this folder to students: {target}")
    say(f"put what comes back in:       {room.submitted}/<student>/{lesson}/{lesson}.ipynb")
    say(f"then run:                     make grade LESSON={lesson}")
    return target


def registered(room: Classroom, lesson: str) -> dict[str, dict]:
    """Exercise id -> name and points, asked of the ``genutils`` that grades a lesson."""
    try:
        return verify.registry(room.course(lesson), room.environment(lesson))
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise Problem(f"genutils cannot be imported ({error}); run: make test") from None


def _nbgrader(room: Classroom, env: dict, *args: str) -> str:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *args], cwd=room.folder, env=env, text=True, timeout=900,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Problem(f"nbgrader {args[0]} took more than 15 minutes; does the solved lesson run?") from None
    return done.stdout


def _readme(lesson: str, nb: nbformat.NotebookNode, manifest: dict) -> str:
    heading = next(
        (
            line
            for c in nb.cells
            if c.cell_type == "markdown"
            for line in c.source.splitlines()
            if line.startswith("# ")
        ),
        f"# {lesson}",
    )
    title = heading.lstrip("# ").strip()
    points = [f"{id} {e['name']} {e['points']:g}" for id, e in manifest["exercises"].items()]
    points += [f"{id} in words {e['points']:g}" for id, e in manifest["manual"].items()]
    total = sum(e["points"] for e in [*manifest["exercises"].values(), *manifest["manual"].values()])
    return README.format(title=title, rule="=" * len(title), lesson=lesson, total=total, points=", ".join(points))
