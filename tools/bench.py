"""Measure what a test should not time: lessons, book, codec, sampling, grading. Into ``_build/bench.json`` and a table.

What the lessons took, their solutions, and the lessons with the solutions in them (``solved``) goes into
``book/measured.json`` too, which git keeps, in *reference seconds* (`tools.calibrate`): the lowest and highest of a few
runs. ``python -m tools.cards`` then writes what the lessons took into their cards.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial

import nbformat

from tools import calibrate, cards
from tools.lessons import ROOT, find, lessons
from tools.solved import solved

BUILD = ROOT / "_build"
PARTS = {"lessons": ("lessons", "solutions"), "solved": ("solved",)}  # of the bench: parts of book/measured.json


def timed(command: list[str], **options) -> float:
    """Wall seconds of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return time.perf_counter() - start


def notebook(path: str, runs: int, solutions: pathlib.Path | None = None) -> dict:
    """Run one lesson or solution a few times: ranges of reference seconds and of its kernel's peak memory, and figures.

    Args:
        solutions: a notebook whose solutions stand where the lesson's stubs are.

    Raises:
        SystemExit: it failed; the cell and the error are said.
    """
    from tools.build_book import run

    every = []
    for _ in range(runs):
        _, spent, problem = run(path, partial(calibrate.figure, repeats=1), solutions=solutions)
        if problem:
            raise SystemExit(f"{path}: {problem}")
        every.append(spent)
    seconds = [spent.reference_seconds for spent in every]
    megabytes = [spent.peak_bytes / 1e6 for spent in every]
    figures = [figure for spent in every for figure in spent.figures]
    return {
        "seconds": [round(min(seconds), 1), round(max(seconds), 1)],
        "memory_mb": [round(min(megabytes)), round(max(megabytes))],
        "runs": runs,
        "cpu_seconds": [round(spent.cpu_seconds, 1) for spent in every],
        "calibration": [round(min(figures), 2), round(max(figures), 2)],
    }


def measure_lessons(part: str, runs: int, names: list[str]) -> dict:
    """Rows of notebooks, each in a process of its own; ``book/measured.json`` is brought up to date.

    Args:
        part: "lessons" for lessons and solutions, "solved" for lessons with the solutions in them.
    """
    chosen = [find(name) for name in names] or lessons()
    kept, result = cards.measured(), {}
    for folder in PARTS[part]:
        for path in chosen:
            name = f"{'lessons' if folder == 'solved' else folder}/{path.name}"
            command = [sys.executable, "-m", "tools.bench", "--notebook", str(ROOT / name), "--runs", str(runs)]
            command += ["--solutions", str(ROOT / "solutions" / path.name)] if folder == "solved" else []
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr.strip().splitlines()[-1])
            row = json.loads(done.stdout.splitlines()[-1])
            kept[folder][path.stem] = {key: row[key] for key in ("seconds", "memory_mb", "runs")}
            excess = calibrate.over_budget(folder, row["seconds"][0])
            name = f"{folder}/{path.stem}"
            print(f"  {name:<46} {row['seconds'][0]:5.1f} to {row['seconds'][1]:.1f} reference s  {excess}", flush=True)
            command = f"python -m tools.bench --only {part} --lessons {path.stem} --runs {runs}"
            result[name] = {**row, "command": command}
    stems = {path.stem for path in lessons()}
    kept = {folder: {stem: rows[stem] for stem in sorted(rows) if stem in stems} for folder, rows in kept.items()}
    cards.MEASURED.write_text(_one_row_a_line(kept), encoding="utf-8")
    print(f"{cards.MEASURED.relative_to(ROOT)} is written; python -m tools.cards puts it into the lessons", flush=True)
    return result


def _one_row_a_line(rows: dict[str, dict[str, dict]]) -> str:
    """JSON with a line for each notebook, so that a change of one is a line in git."""
    folders = [
        f" {json.dumps(folder)}: {{\n"
        + ",\n".join(f"  {json.dumps(stem)}: {json.dumps(row)}" for stem, row in found.items())
        + "\n }"
        for folder, found in rows.items()
    ]
    return "{\n" + ",\n".join(folders) + "\n}\n"


def measure_book() -> dict:
    command = [sys.executable, "-m", "tools.build_book"]
    warm = "a page changed, no lesson"
    cold = timed([*command, "--force"])
    index = ROOT / "book" / "index.md"
    (BUILD / "book.sha256").unlink()
    rebuilt = timed(command)
    return {
        "cold": {"seconds": round(cold, 1), "command": "python -m tools.build_book --force"},
        warm: {"seconds": round(rebuilt, 1), "command": f"touch up {index.relative_to(ROOT)}; make book"},
        "nothing changed": {"seconds": round(timed(command), 1), "command": "make book"},
    }


def measure_codec() -> dict:
    from tools.bench_codec import measure

    return {**measure(), "command": "python -m tools.bench_codec"}


def measure_sampling() -> dict:
    from tools.bench_sampling import measure

    return {**measure(), "command": "python -m tools.bench_sampling"}


def measure_grading(sizes: list[int]) -> dict:
    from tools.classroom.layout import Classroom
    from tools.classroom.release import release
    from tools.classroom.timing import time_grading

    result = {"command": "python -m tools.bench --only grading"}
    with tempfile.TemporaryDirectory() as folder:
        room = Classroom(folder=folder)
        name = find("04_entropy").stem
        release(room, name, say=lambda text: None)
        perfect = room.submitted / "perfect" / name
        shutil.copytree(room.release / name, perfect)
        solve(perfect / f"{name}.ipynb", ROOT / "solutions" / f"{name}.ipynb")
        for n in sizes:
            seconds = time_grading(room, name, "perfect", n)
            result[f"{n} submissions"] = {"seconds": round(seconds, 1), "seconds_each": round(seconds / n, 2)}
            shutil.rmtree(room.submitted)
            shutil.copytree(room.release / name, perfect)
            solve(perfect / f"{name}.ipynb", ROOT / "solutions" / f"{name}.ipynb")
    return result


def solve(submission: pathlib.Path, solutions: pathlib.Path) -> None:
    """Put the solutions where the stubs are."""
    nbformat.write(solved(nbformat.read(submission, 4), solutions), submission)


def table(report: dict) -> str:
    lines = []
    for part, rows in report.items():
        if not isinstance(rows, dict):
            lines.append(f"{part}: {rows}")
            continue
        lines.append(f"\n{part}" + (f"   ({rows['command']})" if "command" in rows else ""))
        for name, row in rows.items():
            if name == "command":
                continue
            if isinstance(row, dict):
                command = f"   ({row['command']})" if "command" in row else ""
                row = ", ".join(
                    f"{k} {v:,}" if isinstance(v, (int, float)) else f"{k} {v}"
                    for k, v in row.items()
                    if k != "command"
                )
                row += command
            lines.append(f"  {name:<34} {row}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = dict.fromkeys(PARTS) | {"book": measure_book, "codec": measure_codec, "sampling": measure_sampling}
    parts["grading"] = None
    parser.add_argument("--only", choices=parts, action="append", help="measure this part only (may be repeated)")
    parser.add_argument("--submissions", type=int, nargs="+", default=[1, 10, 50], help="how many submissions to grade")
    parser.add_argument("--lessons", nargs="+", default=[], metavar="NAME", help="measure these lessons only")
    parser.add_argument("--runs", type=int, default=2, help="how often each lesson runs (2)")
    parser.add_argument("--notebook", help=argparse.SUPPRESS)
    parser.add_argument("--solutions", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.runs < 1:
        parser.error(f"--runs needs a number of at least 1; it was {options.runs}")
    if options.notebook:
        print(json.dumps(notebook(options.notebook, options.runs, options.solutions)))
        return
    if min(options.submissions) < 1:
        parser.error(f"--submissions needs numbers of at least 1; it was given {min(options.submissions)}")
    for part in PARTS:
        parts[part] = partial(measure_lessons, part, options.runs, options.lessons)
    parts["grading"] = lambda: measure_grading(options.submissions)
    BUILD.mkdir(exist_ok=True)
    file = BUILD / "bench.json"
    report = json.loads(file.read_text(encoding="utf-8")) if file.exists() and options.only else {}
    report |= {"python": platform.python_version(), "cores": os.cpu_count(), "when": time.strftime("%Y-%m-%d %H:%M")}
    for name in options.only or parts:
        print(f"measuring {name} ...", flush=True)
        report[name] = parts[name]()
        file.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(table(report))
    print(f"\n{file}")


if __name__ == "__main__":
    main()
