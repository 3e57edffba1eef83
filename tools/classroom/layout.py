"""Where things are: the course and the instructor's classroom folder."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

from tools.lessons import lessons

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Only the instructor reads these; what is in release/ is for everyone.
CLOSED = ("source", "submitted", "collected", "autograded", "feedback", "grades", "private", "gradebooks")
REPO = pathlib.Path(__file__).resolve().parents[2]


class Problem(Exception):
    """Something the instructor can mend: one line that says what is wrong and what to do."""


class Classroom:
    """The course at ``root`` (lessons, solutions, genutils) and the instructor's folder.

    ``release/<lesson>/`` goes to students; ``submitted/<student>/<lesson>/`` is what came back and is never written;
    ``feedback/`` and ``grades/`` are results; ``source/``, ``private/`` (hidden seeds, and the course's package as it
    was when a lesson was released) and ``gradebooks/`` (one for each lesson) stay here.
    """

    def __init__(self, root: os.PathLike | str = REPO, folder: os.PathLike | str | None = None):
        self.root = pathlib.Path(root).resolve()
        folder = folder or os.environ.get("CLASSROOM") or self.root / "classroom"
        self.folder = pathlib.Path(folder).expanduser().resolve()
        if re.search(r"[\[\]*?{}]", str(self.folder)):
            raise Problem(
                f"nbgrader cannot work below a folder named with [ ] * ? {{ }}: {self.folder}; set CLASSROOM=path."
            )
        for name in ("release", *CLOSED):
            setattr(self, name, self.folder / name)
        self.trial: pathlib.Path | None = None

    source: pathlib.Path
    release: pathlib.Path
    submitted: pathlib.Path
    collected: pathlib.Path
    autograded: pathlib.Path
    feedback: pathlib.Path
    grades: pathlib.Path
    private: pathlib.Path
    gradebooks: pathlib.Path

    def gradebook(self, lesson: str) -> pathlib.Path:
        """nbgrader's database of one lesson, so that moving one aside touches no other."""
        return self.gradebooks / f"{lesson}.db"

    def course(self, lesson: str | None = None) -> pathlib.Path:
        """The folder whose ``genutils`` grades a lesson: the release's own copy, or the course itself before that."""
        frozen = self.private / (lesson or "") / "course"
        return self.trial or (frozen if lesson and frozen.is_dir() else self.root)

    def on_trial(self, course: pathlib.Path) -> Classroom:
        """The same classroom, graded by the ``genutils`` of another folder; it is for reading only."""
        room = copy.copy(self)
        room.trial = course
        return room

    def lesson(self, name: str) -> str:
        """The stem of a lesson that exists, from ``04_entropy``, ``04_entropy.ipynb``, a path, or ``04``."""
        every = [path.stem for path in lessons(self.root)]
        stem = pathlib.Path(name).name.removesuffix(".ipynb")
        found = [e for e in every if e == stem] or [e for e in every if stem and e.split("_")[0] == stem]
        if len(found) != 1:
            raise Problem(f"there is no lesson {name!r}; the lessons are: {', '.join(every) or '(none)'}.")
        return found[0]

    def manifest(self, lesson: str) -> dict[str, Any]:
        """What was released, with its hidden seeds."""
        file = self.private / f"{lesson}.json"
        if not file.exists():
            raise Problem(f"{lesson} was never released from {self.folder}; run: make release LESSON={lesson}")
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise Problem(
                f"{file} cannot be read ({error}); restore it from a backup, or release again with --force."
            ) from None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder: two runs at a time would write each other's files. Without ``fcntl`` nothing holds it."""
        if fcntl is None:
            yield
            return
        with open(self.private / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Problem(
                    f"another release or grade is at work in {self.folder}; wait until it has ended."
                ) from None
            yield

    def students(self, lesson: str) -> list[str]:
        """Names of those who have handed in something for a lesson."""
        if not self.submitted.is_dir():
            return []
        return sorted(p.name for p in self.submitted.iterdir() if (p / lesson).exists() or (p / lesson).is_symlink())

    def environment(self, lesson: str | None = None) -> dict[str, str]:
        """What grading processes see: no tokens or passwords of the instructor's, one thread each, no progress file.

        Python finds ``genutils`` in `course` of the lesson.
        """
        kept = (
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "TMPDIR",
            "USER",
            "LOGNAME",
            "TZ",
            "SYSTEMROOT",
            "MPLCONFIGDIR",
        )
        env = {k: os.environ[k] for k in kept if k in os.environ}
        env["PATH"] = os.path.dirname(sys.executable) + os.pathsep + env.get("PATH", os.defpath)
        env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        env |= {
            "GENUTILS_PROGRESS": "off",
            "PYTHONPATH": str(self.course(lesson)),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "MPLBACKEND": "Agg",
        }
        env |= {"PYTHONDONTWRITEBYTECODE": "1", "JUPYTER_PLATFORM_DIRS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        env |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        return env
