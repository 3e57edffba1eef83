"""Measure what a test should not time: lessons, book, codec, grading. Writes ``_build/bench.json``, prints a table."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import nbformat

from tools.lessons import ROOT, find, lessons

BUILD = ROOT / "_build"


def timed(command: list[str], **options) -> float:
    """Wall seconds of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return time.perf_counter() - start


def lesson(path: str) -> None:
    """Run one lesson in this fresh process and print its seconds and the peak memory of its kernel (a child)."""
    from tools.build_book import run

    _, seconds, problem = run(path)
    if problem:
        raise SystemExit(f"{path}: {problem}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(
        json.dumps(
            {"seconds": round(seconds, 2), "peak_mb": round(peak / (1024 if sys.platform != "darwin" else 2**20))}
        )
    )


def measure_lessons() -> dict:
    result = {}
    for folder in ("lessons", "solutions"):
        for path in lessons():
            file = ROOT / folder / path.name
            command = [sys.executable, "-m", "tools.bench", "--lesson", str(file)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr.strip().splitlines()[-1])
            command = f"python -m tools.bench --lesson {folder}/{path.name}"
            result[f"{folder}/{path.stem}"] = {**json.loads(done.stdout.splitlines()[-1]), "command": command}
    return result


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
    notebook, solved = nbformat.read(submission, 4), nbformat.read(solutions, 4)
    bodies = {c.metadata["exercise"]: c.source for c in solved.cells if c.metadata.get("role") == "solution"}
    extra = [c for c in solved.cells if c.cell_type == "code"][0].source
    for cell in notebook.cells:
        for source in bodies.values():
            first = next(x for x in source.splitlines() if x.startswith(("def ", "class ")))
            if (
                cell.cell_type == "code"
                and cell.source.lstrip().startswith(first)
                and "NotImplementedError" in cell.source
            ):
                cell.source = f"{extra}\n\n\n{source}"
    nbformat.write(notebook, submission)


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
    parts = {"lessons": measure_lessons, "book": measure_book, "codec": measure_codec, "grading": None}
    parser.add_argument("--only", choices=parts, action="append", help="measure this part only (may be repeated)")
    parser.add_argument("--submissions", type=int, nargs="+", default=[1, 10, 50], help="how many submissions to grade")
    parser.add_argument("--lesson", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lesson:
        lesson(options.lesson)
        return
    if min(options.submissions) < 1:
        parser.error(f"--submissions needs numbers of at least 1; it was given {min(options.submissions)}")
    parts["grading"] = lambda: measure_grading(options.submissions)
    BUILD.mkdir(exist_ok=True)
    file = BUILD / "bench.json"
    report = json.loads(file.read_text()) if file.exists() and options.only else {}
    report |= {"python": platform.python_version(), "cores": os.cpu_count(), "when": time.strftime("%Y-%m-%d %H:%M")}
    for name in options.only or parts:
        print(f"measuring {name} ...", flush=True)
        report[name] = parts[name]()
        file.write_text(json.dumps(report, indent=1))
    print(table(report))
    print(f"\n{file}")


if __name__ == "__main__":
    main()
