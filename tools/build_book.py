"""Run the lessons that changed, in parallel, then build the book from their outputs."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import time

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.lessons import ROOT, fingerprint, lessons

BUILD = ROOT / "_build"
HTML = BUILD / "html"
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # with two workers, more threads fight
    "GENUTILS_PROGRESS": "off",  # building is not learning
    "GENUTILS_GRADING": "",
    "PYTHONPATH": str(ROOT),
}


@contextlib.contextmanager
def one_at_a_time():
    """Let builds that start together (two shells, two test workers) wait for each other."""
    with (BUILD / "book.lock").open("w") as file:
        try:
            import fcntl
        except ImportError:  # Windows: no lock
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(path: str) -> tuple[str, float, str | None]:
    """Execute one notebook. Returns its JSON, the seconds it took, and an error in one line if it failed."""
    os.environ.update(ENVIRONMENT)
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    try:
        NotebookClient(
            notebook,
            timeout=300,
            record_timing=False,  # timing in the metadata would keep the cache from recognising the notebook
            extra_arguments=["--log-level=40"],
            resources={"metadata": {"path": str(pathlib.Path(path).parent)}},
        ).execute()
        problem = None
    except CellExecutionError as error:
        failed = [c["id"] for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))]
        name = failed[0] if failed else "?"
        problem = f"cell {name}: {error.ename}: {error.evalue}".splitlines()[0]
    except Exception as error:  # a dead kernel, a timeout
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
    return nbformat.writes(notebook), time.perf_counter() - start, problem


def execute(jobs: int, *, force: bool = False) -> list[tuple[str, float]]:
    """Run each lesson whose outputs could differ from the cached ones.

    Returns:
        (lesson, seconds) for those that ran.

    Raises:
        SystemExit: a lesson failed; its name, cell and error are printed.
    """
    cache = get_cache(str(BUILD / ".jupyter_cache"))
    stamps_file = BUILD / "fingerprints.json"
    stamps = json.loads(stamps_file.read_text()) if stamps_file.exists() else {}
    stale: list[pathlib.Path] = []
    for path in lessons():
        try:
            record = cache.match_cache_file(str(path))
        except KeyError:
            record = None
        if record is not None and stamps.get(path.stem) == fingerprint(path) and not force:
            continue
        if record is not None:
            cache.remove_cache(record.pk)
        stale.append(path)
    if not stale:
        print(f"lessons: {len(lessons())} up to date", flush=True)
        return []
    times, failures = [], []
    spawn = multiprocessing.get_context("spawn")  # a forked worker would hold the lock even after this one is killed
    with concurrent.futures.ProcessPoolExecutor(max_workers=min(jobs, len(stale)), mp_context=spawn) as pool:
        running = {pool.submit(run, str(path)): path for path in stale}
        for done, future in enumerate(concurrent.futures.as_completed(running), 1):
            path = running[future]
            text, seconds, problem = future.result()
            print(f"[{done}/{len(stale)}] {path.stem:<36} {seconds:5.1f} s  {problem or 'ok'}", flush=True)
            if problem:
                failures.append(path.stem)
                stamps.pop(path.stem, None)
            else:
                done_notebook = nbformat.reads(text, as_version=4)
                bundle = CacheBundleIn(done_notebook, str(path), data={"execution_seconds": seconds})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
                stamps[path.stem] = fingerprint(path)
                times.append((path.stem, seconds))
            stamps_file.write_text(json.dumps(stamps, indent=1, sort_keys=True))
    if failures:
        names = ", ".join(failures)
        raise SystemExit(f"these lessons did not run: {names}; open them in JupyterLab (make lab) to see where")
    return times


def _inputs() -> str:
    """A digest of everything that the pages are made of."""
    digest = hashlib.sha256()
    files = [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "requirements.txt", pathlib.Path(__file__)]
    for folder in ("book", "lessons", "genutils"):
        files += sorted(p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    for file in files:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def pages(*, force: bool = False) -> None:
    """Build the pages; any warning is an error. Nothing is done when nothing changed."""
    stamp, now = BUILD / "book.sha256", _inputs()
    if not force and stamp.exists() and stamp.read_text() == now and (HTML / "index.html").exists():
        print("book: up to date", flush=True)
        return
    stamp.unlink(missing_ok=True)
    log, aside = BUILD / "book.log", BUILD / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command = [*jupyter_book, "build", str(ROOT), "--path-output", str(aside), "--all", "-W", "-n", "--keep-going"]
    start = time.perf_counter()
    with log.open("w") as out:
        environment = {**os.environ, **ENVIRONMENT}
        done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment)
    built = aside / "_build" / "html"
    if done.returncode or not (built / "index.html").exists():
        lines = log.read_text().splitlines()
        print("\n".join([x for x in lines if "WARNING" in x or "ERROR" in x] or lines[-25:]), file=sys.stderr)
        raise SystemExit(f"the book did not build; the whole log is {log}")
    shutil.rmtree(HTML, ignore_errors=True)  # the old pages stay until the new ones are whole
    built.rename(HTML)
    shutil.rmtree(aside)
    stamp.write_text(now)
    print(f"book: built in {time.perf_counter() - start:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="lessons that run at a time")
    parser.add_argument("--force", action="store_true", help="run and build everything again")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error(f"--jobs needs a number of at least 1; it was {options.jobs}")
    try:
        BUILD.mkdir(exist_ok=True)
        probe = BUILD / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SystemExit(f"cannot write in {BUILD} ({error.strerror}); make it writable, or clone elsewhere") from error
    with one_at_a_time():
        execute(options.jobs, force=options.force)
        pages(force=options.force)
    print(HTML / "index.html")


if __name__ == "__main__":
    main()
