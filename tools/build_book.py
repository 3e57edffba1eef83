"""Run the lessons that changed, in parallel, then build the book from their outputs."""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import nbformat
import psutil
from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.main import JupyterCacheBase
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import calibrate
from tools.fingerprint import fingerprint
from tools.lessons import ROOT, lessons
from tools.solved import solved

BUILD = ROOT / "_build"
HTML = BUILD / "html"
MEMORY = 1.2e9  # bytes that a lesson may need at its peak, its kernel and the process that runs it together
ENVIRONMENT = {
    "GENUTILS_PROGRESS": "off",  # building is not learning
    "GENUTILS_GRADING": "",
}


@dataclass(frozen=True)
class Spent:
    """What a run of a lesson took, as it is kept beside its outputs, and the fingerprint of what it was run from."""

    fingerprint: str
    execution_seconds: float
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    figures: tuple[float, ...] = ()  # `calibrate.quick` before and after

    @property
    def reference_seconds(self) -> float | None:
        return calibrate.reference_seconds(self.cpu_seconds, *self.figures) if self.figures else None


class Begun:
    """The beginning of a run of a notebook: what it is run from, and when; ``clock`` says how fast the core is."""

    def __init__(self, path: pathlib.Path, clock: Callable[[], float] | None = None):
        self.mark, self.clock = fingerprint(path), clock
        self.before, self.start = (clock(),) if clock else (), time.perf_counter()

    def spent(self, cpu_seconds: float | None = None, peak_bytes: int = 0) -> Spent:
        """What the run took until now; without CPU seconds, as of one that failed, not how fast the core was."""
        seconds = time.perf_counter() - self.start
        if cpu_seconds is None:
            return Spent(self.mark, seconds)
        return Spent(self.mark, seconds, cpu_seconds, peak_bytes, (*self.before, self.clock()) if self.clock else ())


def jobs_that_fit(cores: int, available: int) -> tuple[int, str]:
    """How many lessons to run at a time, one a core if the memory allows, and what to say if it does not."""
    fit = max(1, int(available / MEMORY))
    if fit >= cores:
        return cores, ""
    said = f"memory: {available / 1e9:.1f} GB are free and a lesson may need {MEMORY / 1e9:.1f} GB"
    return fit, f"{said}, so {fit} of {cores} cores {'works' if fit == 1 else 'work'} (--jobs says otherwise)"


def machine() -> tuple[int, int]:
    """Cores that this process may use, and bytes of memory that are free; a container may have less than its host."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free, group = psutil.virtual_memory().available, pathlib.Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / f"memory.{name}").read_text(encoding="utf-8") for name in ("max", "current"))
        free = min(free, int(limit) - int(used))
    except (OSError, ValueError):  # no such group, or "max"
        pass
    return cores, free


def run(
    path: str, clock: Callable[[], float] | None = calibrate.quick, *, solutions: pathlib.Path | None = None
) -> tuple[str, Spent, str | None]:
    """Execute one notebook. Returns its JSON, what it took, and an error in one line if it failed.

    The fingerprint is that of the sources before the run: what is edited while the lesson runs makes it stale.
    ``clock`` is asked before and after how fast the core is. With a notebook of ``solutions`` these stand where the
    stubs are, and an answer that its check does not call right is an error.
    """
    grading = {"GENUTILS_GRADING": "1"} if solutions else {}
    os.environ.update(ENVIRONMENT | grading | {"PYTHONPATH": str(pathlib.Path(path).parents[1])})
    begun = Begun(pathlib.Path(path), clock)
    notebook = nbformat.read(path, as_version=4)
    notebook = solved(notebook, solutions) if solutions else notebook
    notebook.cells.append(nbformat.v4.new_code_cell("from genutils.lesson import spent\nprint(*spent())", id="spent"))
    try:
        NotebookClient(
            notebook,
            timeout=300,
            record_timing=False,  # timing in the metadata would keep the cache from recognising the notebook
            extra_arguments=["--log-level=40"],
            resources={"metadata": {"path": str(pathlib.Path(path).parent)}},
        ).execute()
        cpu, peak = notebook.cells[-1].outputs[0].text.split()
        spent, problem = begun.spent(float(cpu), int(peak)), None
    except CellExecutionError as error:
        failed = [c["id"] for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))]
        name = failed[0] if failed else "?"
        problem = f"cell {name}: {error.ename}: {error.evalue}".splitlines()[0]
    except Exception as error:  # a dead kernel, a timeout
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
    if problem:
        spent = begun.spent()
    notebook.cells.pop()
    return nbformat.writes(notebook), spent, problem


def cached(cache: JupyterCacheBase, path: pathlib.Path) -> tuple[int, Spent] | None:
    """Key and record of the cached outputs of a lesson's code; they may be stale."""
    try:
        record = cache.match_cache_file(str(path))
        return record.pk, Spent(**{**record.data, "figures": tuple(record.data["figures"])})
    except (KeyError, TypeError):  # never run, or kept by an earlier version of this file
        return None


def took() -> dict[str, Spent]:
    """What each lesson took when the outputs were made that the book shows now."""
    cache = get_cache(str(BUILD / ".jupyter_cache"))
    found = {path.stem: cached(cache, path) for path in lessons()}
    return {stem: kept[1] for stem, kept in found.items() if kept}


def execute(
    jobs: int, *, force: bool = False, clock: Callable[[], float] | None = calibrate.quick
) -> list[tuple[str, float]]:
    """Run each lesson whose outputs could differ from the cached ones.

    Returns:
        (lesson, seconds) for those that ran.

    Raises:
        SystemExit: a lesson failed; its name, cell and error are printed.
    """
    cache = get_cache(str(BUILD / ".jupyter_cache"))
    stale: list[pathlib.Path] = []
    for path in lessons():
        kept = cached(cache, path)
        if force or kept is None or kept[1].fingerprint != fingerprint(path):
            stale.append(path)
    if not stale:
        print(f"lessons: {len(lessons())} up to date", flush=True)
        return []
    times, failures = [], []
    spawn = multiprocessing.get_context("spawn")  # a forked worker would hold the lock even after this one is killed
    with concurrent.futures.ProcessPoolExecutor(max_workers=min(jobs, len(stale)), mp_context=spawn) as pool:
        running = {pool.submit(run, str(path), clock): path for path in stale}
        for done, future in enumerate(concurrent.futures.as_completed(running), 1):
            path = running[future]
            text, spent, problem = future.result()
            if problem:
                failures.append(path.stem)
                if kept := cached(cache, path):
                    cache.remove_cache(kept[0])
            else:
                bundle = CacheBundleIn(nbformat.reads(text, as_version=4), str(path), data=asdict(spent))
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
                times.append((path.stem, spent.execution_seconds))
            calm = f"({spent.reference_seconds:.1f} on the reference core)  " if spent.reference_seconds else ""
            seconds = f"{spent.execution_seconds:5.1f} s  {calm}"
            print(f"[{done}/{len(stale)}] {path.stem:<36} {seconds}{problem or 'ok'}", flush=True)
    if failures:
        names = ", ".join(failures)
        raise SystemExit(f"these lessons did not run: {names}; open them in JupyterLab (make lab) to see where")
    return times


def _inputs() -> str:
    """A digest of everything that the pages are made of."""
    digest = hashlib.sha256()
    files = [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "requirements.txt", *sorted((ROOT / "tools").glob("*.py"))]
    for folder in ("book", "lessons", "genutils"):
        files += sorted(p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    for file in files:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def pages(*, force: bool = False) -> None:
    """Build the pages; any warning is an error. Nothing is done when nothing changed."""
    stamp, now = BUILD / "book.sha256", _inputs()
    if not force and stamp.exists() and stamp.read_text(encoding="utf-8") == now and (HTML / "index.html").exists():
        print("book: up to date", flush=True)
        return
    stamp.unlink(missing_ok=True)
    log, aside = BUILD / "book.log", BUILD / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command = [*jupyter_book, "build", str(ROOT), "--path-output", str(aside), "--all", "-W", "-n", "--keep-going"]
    start = time.perf_counter()
    with log.open("w", encoding="utf-8") as out:
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment)
    built = aside / "_build" / "html"
    if done.returncode or not (built / "index.html").exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join([x for x in lines if "WARNING" in x or "ERROR" in x] or lines[-25:]), file=sys.stderr)
        raise SystemExit(f"the book did not build; the whole log is {log}")
    shutil.rmtree(HTML, ignore_errors=True)  # the old pages stay until the new ones are whole
    built.rename(HTML)
    shutil.rmtree(aside)
    stamp.write_text(now, encoding="utf-8")
    print(f"book: built in {time.perf_counter() - start:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, help="lessons that run at a time; by default one a core, as memory allows")
    parser.add_argument("--force", action="store_true", help="run and build everything again")
    options = parser.parse_args()
    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs needs a number of at least 1; it was {options.jobs}")
    try:
        BUILD.mkdir(exist_ok=True)
        probe = BUILD / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SystemExit(f"cannot write in {BUILD} ({error.strerror}); make it writable, or clone elsewhere") from error
    with FileLock(BUILD / "book.lock"):  # builds that start together (two shells, two test workers) wait
        jobs, note = (options.jobs, "") if options.jobs else jobs_that_fit(*machine())
        if note:
            print(note, flush=True)
        execute(jobs, force=options.force)
        pages(force=options.force)
    print(HTML / "index.html")


if __name__ == "__main__":
    main()
