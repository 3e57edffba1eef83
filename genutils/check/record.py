"""The learner's own record of exercises done: one small JSON file, never in git, never removed by ``make clean``."""

from __future__ import annotations

import html
import json
import os
import pathlib
import sys
import tempfile
from dataclasses import dataclass


def path() -> pathlib.Path | None:
    """The file: ``$GENUTILS_PROGRESS`` (``off`` keeps none), else ``progress.json`` beside ``lessons/``."""
    wish = os.environ.get("GENUTILS_PROGRESS", "")
    if wish.lower() == "off":
        return None
    if wish:
        return pathlib.Path(wish).expanduser()
    root = pathlib.Path(__file__).resolve().parents[2]
    return (root if (root / "lessons").is_dir() else pathlib.Path.cwd()) / "progress.json"


def _warn(message: str) -> None:
    print(f"progress: {message}", file=sys.stderr)


def load() -> dict[str, str]:
    """Verdicts by exercise id. A damaged file is set aside, not overwritten."""
    file = path()
    if file is None:
        return {}
    try:
        if not file.exists():  # in a folder that may not be read, Python 3.11 raises PermissionError
            return {}
        record = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError("not a table of exercises")
        return {str(k): str(v) for k, v in record.items()}
    except OSError as error:
        _warn(f"cannot read {file} ({error.strerror}); set GENUTILS_PROGRESS to another file.")
    except ValueError:
        aside = file.with_suffix(".damaged.json")
        try:
            file.replace(aside)
            _warn(f"{file} is damaged; it was kept as {aside.name} and a new one begun.")
        except OSError:
            _warn(f"{file} is damaged; remove it, or set GENUTILS_PROGRESS to another file.")
    return {}


def record(exercise: str, verdict: str) -> None:
    """Note a verdict. An exercise that was once right stays done. Failing to write costs one line, never the lesson."""
    file = path()
    if file is None:
        return
    before = load()
    if before.get(exercise) in ("right", verdict) or verdict == "not attempted":
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".progress", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({**before, exercise: verdict}, out, indent=1, sort_keys=True)
        os.replace(temporary, file)
    except OSError as error:
        _warn(f"cannot write {file} ({error.strerror}); set GENUTILS_PROGRESS to a file you may write.")


@dataclass(frozen=True)
class Table:
    """Exercises (id, name) and their verdicts, grouped by lesson."""

    exercises: list[tuple[str, str]]
    verdicts: dict[str, str]

    def _rows(self) -> list[tuple[str, int, int, list[tuple[str, str, str]]]]:
        lessons: dict[str, list[tuple[str, str, str]]] = {}
        for id, name in self.exercises:
            mark = {"right": "●", "wrong": "◐"}.get(self.verdicts.get(id, ""), "○")
            lessons.setdefault(id.split(".")[0], []).append((mark, id, name))
        return [(k, sum(m == "●" for m, _, _ in v), len(v), v) for k, v in lessons.items()]

    def __repr__(self) -> str:
        lines = [f"lesson {k}  {done} of {n}  {''.join(m for m, _, _ in v)}" for k, done, n, v in self._rows()]
        return "\n".join(lines + ["● right   ◐ tried   ○ not yet"])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>lesson {html.escape(k)}</td><td>{done} of {n}</td><td>"
            + " ".join(f"<span title='{html.escape(id)} {html.escape(name)}'>{m}</span>" for m, id, name in v)
            + "</td></tr>"
            for k, done, n, v in self._rows()
        )
        return (
            "<table class='genutils-progress'><thead><tr><th>lesson</th><th>done</th>"
            f"<th>exercises (● right, ◐ tried, ○ not yet)</th></tr></thead><tbody>{rows}</tbody></table>"
        )
