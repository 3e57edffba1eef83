"""Ask the clean process: which exercises there are, and what it says about the answers of one submission."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

from tools.classroom.layout import REPO
from tools.classroom.verdict import Verdict


def registry(root: pathlib.Path, env: dict[str, str]) -> dict[str, dict]:
    """Exercise id -> name and points, asked of the course's own genutils."""
    code = (
        "import json; from genutils.check import exercises; "
        "print(json.dumps({e.id: dict(name=e.name, points=e.points) for e in exercises().values()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def verdicts(
    root: pathlib.Path, jobs: list[dict], *, limit: float, preload: list[str], env: dict[str, str]
) -> dict[str, dict]:
    """Run the clean process (`judge.main`).

    Args:
        jobs: each with ``id``, ``exercise`` (if that is not the id), ``blob`` (a pickled function in base64),
            ``seeds``, and ``mode`` (one of `Mode`).
        limit: seconds for each exercise.

    Returns:
        id -> {"verdict", "says", "hint"}, where the verdict is one of the first eight of `Verdict`: LOST if the clean
        process itself failed. Only RIGHT earns points.
    """
    if not jobs:
        return {}
    start = (
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(REPO)!r}]; from tools.classroom.judge import main; "
        f"main({len(jobs)}, {preload!r})"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", start],
            input=json.dumps({"jobs": jobs, "limit": limit}),
            env={k: v for k, v in env.items() if k != "PYTHONPATH"},
            capture_output=True,
            text=True,
            timeout=60 + (limit + 5) * len(jobs),
        )
        found = json.loads(done.stdout) if done.returncode == 0 else {}
        trouble = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    except (subprocess.TimeoutExpired, ValueError) as error:
        found, trouble = {}, [type(error).__name__]
    lost = {"verdict": Verdict.LOST, "says": trouble[0][:200], "hint": ""}
    return {job["id"]: found.get(job["id"], lost) for job in jobs}
