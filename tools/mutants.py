"""Mutation testing (``make mutants``): change one thing in `genutils` at a time, and see whether its tests notice.

A sample of the changes in `tools.mutations` is drawn over all modules with a fixed seed. Each is written into a scratch
copy of the course, and the tests that belong to its module (to its exercise, in a check) run there until the first one
fails, the fastest first. A process that has imported torch and scipy already is forked for every mutant, so that it
costs what its tests cost.

Results are kept in ``_build/mutants.jsonl``; a run that was stopped goes on, a mutant that was killed stays killed
while its module is the same, a survivor is tried again when its tests have changed.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from tools.mutations import Mutant, offered, written

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "_build" / "mutants.jsonl"
#: Tests of a module that bears another name than its test file (beside ``test_<module>`` and ``test_<package>``).
ALSO = {
    "batches": ["test_training"],
    "check/draws": ["test_check_draws"],
    "check/record": ["test_check"],
    "convolutional": ["test_diffusion", "test_gan", "test_recipes"],
    "data/files": ["test_own"],
    "data/sound": ["test_own"],
    "door": ["test_bad_models", "test_bad_input"],
    "loop": ["test_training", "test_gan"],
    "neighbours": ["test_baselines"],
    "optimizers": ["test_recipes"],
    "palette": ["test_plot"],
    "pixelflow": ["test_flow"],
    "planar": ["test_autoregressive", "test_diffusion", "test_flow", "test_recipes"],
    "schedules": ["test_diffusion"],
    "splines": ["test_flow"],
    "critics": ["test_gan"],
}


def modules(root: pathlib.Path = ROOT) -> list[str]:
    """Names of the modules that are mutated: all but the figures, whose numbers are tested in a browser."""
    found = (p.relative_to(root / "genutils") for p in (root / "genutils").rglob("*.py"))
    return sorted(p.with_suffix("").as_posix() for p in found if p.parts[0] != "figures" and p.name != "__main__.py")


def exercises_at(line: int, source: str) -> list[str]:
    """The ids of the exercises whose checks use a line of their module: its own, or all that call it."""
    parts = ast.parse(source).body
    words = [{n.id if isinstance(n, ast.Name) else getattr(n, "name", "") for n in ast.walk(p)} - {"_"} for p in parts]
    uses = {i for i, part in enumerate(parts) if part.lineno <= line <= part.end_lineno}
    while more := {i for i, said in enumerate(words) for j in uses if _made(parts[j]) & said} - uses:
        uses |= more
    found = (d for i in sorted(uses) for d in getattr(parts[i], "decorator_list", []) if isinstance(d, ast.Call))
    return [d.args[0].value for d in found if d.func.id == "exercise"]


def _made(part: ast.stmt) -> set[str]:
    """The names that a statement of a module makes."""
    if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
        return {part.name} - {"_"}  # every check is called _
    return {n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def tests_of(module: str, root: pathlib.Path = ROOT, line: int | None = None) -> list[str]:
    """What pytest is asked to run for a module, or for a line of it: its doctests, then its test files."""
    if module.startswith("check/lesson_"):
        source = (root / "genutils" / f"{module}.py").read_text("utf-8")
        ids = exercises_at(line, source) if line else []
        return ["tests/test_exercises.py", "-k", f"({' or '.join(ids) or module[-2:] + '.'}) and not answers_at_once"]
    parts = module.removesuffix("/__init__").split("/")
    names = [f"test_{part}" for part in reversed(parts)] + ALSO.get(module, [])
    files = [f"tests/{name}.py" for name in dict.fromkeys(names) if (root / "tests" / f"{name}.py").exists()]
    doctests = [f"genutils/{module}.py"] if ">>>" in (root / "genutils" / f"{module}.py").read_text("utf-8") else []
    return doctests + files


def digest(tests: list[str], root: pathlib.Path = ROOT) -> str:
    """A fingerprint of the tests of a module: a survivor is tried again when it has changed."""
    files = [root / t for t in tests if t.startswith("tests/")]
    if tests[1:2] == ["-k"]:
        files += [root / "tests" / "mutants" / f"lesson_{tests[2].lstrip('(')[:2]}.py"]
    return hashlib.sha1(b"".join(f.read_bytes() for f in files)).hexdigest()


class FastestFirst:
    """A plugin of pytest: note what each test takes, and next time begin with the fastest ones."""

    def __init__(self, file: pathlib.Path):
        self.file, self.times = file, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def pytest_collection_modifyitems(self, items: list) -> None:
        items.sort(key=lambda item: self.times.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report) -> None:
        self.times[report.nodeid] = self.times.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        if not self.file.exists():
            self.file.write_text(json.dumps(self.times), encoding="utf-8")


def run(scratch: pathlib.Path, tests: list[str], cpu: float, log: pathlib.Path) -> tuple[str, float]:
    """Run tests in a fork of this warm process: "green", "red", "endless" or an error, and the CPU seconds it took."""
    import resource  # not on Windows

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs in the background
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1), os.dup2(out, 2)
            limit = int(cpu) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
            os.chdir(scratch)
            sys.path[:] = [str(scratch)] + [p for p in sys.path if pathlib.Path(p or ".").resolve() != ROOT]
            os.environ["PYTHONPATH"] = str(scratch)
            sys.dont_write_bytecode = True
            import pytest

            options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin"]
            options += ["--tb=short", "-o", "addopts=--doctest-modules --strict-markers"]
            code = int(pytest.main([*options, *tests], plugins=[FastestFirst(log.with_suffix(".json"))]))
        finally:
            os._exit(code)
    deadline = time.monotonic() + 20 * cpu + 60
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    code = os.waitstatus_to_exitcode(done[1])
    names = {0: "green", 1: "red", 2: "red", -signal.SIGXCPU: "endless", -signal.SIGKILL: "endless"}
    return names.get(code, f"error {code}"), took


def warm() -> None:
    """Import, once, what the tests of every module import; nothing of the course itself."""
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "CI": ""}
    os.environ |= {"GENUTILS_PROGRESS": "off", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in "_hypothesis_pytestplugin _pytest.doctest hypothesis matplotlib.pyplot pytest pytest_timeout".split():
        __import__(name)
    for name in "IPython.display nbformat scipy.linalg scipy.optimize scipy.stats sklearn.datasets torch tqdm".split():
        __import__(name)
    for name in "hypothesis.extra.numpy torch.distributions torch.nn yaml".split():
        __import__(name)


def copy_of_the_course(place: pathlib.Path) -> pathlib.Path:
    """A scratch copy of every file that git knows or would take."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


def drawn(chosen: list[str], sample: int, seed: int) -> dict[str, list[Mutant]]:
    """The part of the sample in some modules. Each has a share by the root of what it offers, never less than five."""
    sources = {m: (ROOT / "genutils" / f"{m}.py").read_text(encoding="utf-8") for m in modules()}
    every = {m: offered(source) for m, source in sources.items()}
    total = sum(len(found) ** 0.5 for found in every.values())
    result = {}
    for module in chosen:
        random.Random(f"{seed} {module}").shuffle(every[module])
        mutants = filter(None, (written(module, sources[module], *change) for change in every[module]))
        result[module] = list(itertools.islice(mutants, max(5, round(sample * len(every[module]) ** 0.5 / total))))
    return result


def known() -> dict[str, dict]:
    if not RESULTS.exists():
        return {}
    return {r["key"]: r for r in map(json.loads, RESULTS.read_text(encoding="utf-8").splitlines())}


def try_module(module: str, mutants: list[Mutant], scratch: pathlib.Path, say: Callable[[str], None]) -> list[dict]:
    """Run all mutants of one module and return (and write down) their results."""
    tests, seen, results = tests_of(module, scratch), known(), []
    fingerprint, log = digest(tests, scratch), scratch / f"{module.replace('/', '.')}.log"
    old = [seen.get(m.key) for m in mutants]
    fresh = [r is None or (not r["killed"] and r["tests"] != fingerprint) for r in old]
    if any(fresh):
        if not tests:
            raise SystemExit(f"{module} has no tests: write tests/test_{module.split('/')[-1]}.py")
        state, took = run(scratch, tests, 600, log)
        if state != "green":
            raise SystemExit(
                f"{module}: its tests must pass before it is mutated\n{log.read_text(encoding='utf-8')[-3000:]}"
            )
        file = scratch / "genutils" / f"{module}.py"
        original = file.read_text(encoding="utf-8")
        file.write_text(f"{original}\n1 / 0\n", encoding="utf-8")
        if run(scratch, tests, took * 2 + 5, log)[0] != "red":
            raise SystemExit(f"{module}: {' '.join(tests)} does not read the scratch copy")
        say(f"{module}: {sum(fresh)} mutants, tests take {took:.1f} CPU seconds")
    for mutant, result, new in zip(mutants, old, fresh, strict=True):
        if new:
            mine = tests_of(module, scratch, mutant.line)
            file.write_text(mutant.source, encoding="utf-8")
            state, cost = run(scratch, mine, took * 2 + 5, log)
            result = {"key": mutant.key, "module": module, "mutant": str(mutant), "state": state}
            result |= {"killed": state in ("red", "endless"), "cpu": round(cost, 2), "tests": fingerprint}
            with RESULTS.open("a", encoding="utf-8") as out:
                out.write(json.dumps(result) + "\n")
            if not result["killed"]:
                say(f"  {state}: {mutant}")
        results.append(result)
    if any(fresh):
        file.write_text(original, encoding="utf-8")
    return results


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=400, help="how many mutants, over all modules")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--modules", default="", help="only these, such as 'ppca,check/expect'")
    parser.add_argument("--without", default="", help="not these")
    options = parser.parse_args(arguments)
    if not hasattr(os, "fork"):
        raise SystemExit("mutants are run in forks of a warm process, which Windows does not have: use Linux or macOS")
    every = modules()
    if unknown := set(filter(None, options.modules.split(","))) - set(every):
        parser.error(f"no module {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    chosen = [m for m in options.modules.split(",") if m] or every
    chosen = [m for m in chosen if m not in options.without.split(",")]
    sample = {m: found for m, found in drawn(chosen, options.sample, options.seed).items() if found}
    RESULTS.parent.mkdir(exist_ok=True)
    warm()
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        scratch = copy_of_the_course(pathlib.Path(place))
        results = {m: try_module(m, found, scratch, lambda s: print(s, flush=True)) for m, found in sample.items()}
    print(f"\n{'module':<28}{'mutants':>8}{'killed':>8}")
    for module, found in results.items():
        print(f"{module:<28}{len(found):>8}{sum(r['killed'] for r in found) / len(found):>8.0%}")
    flat = [r for found in results.values() for r in found]
    print(f"{'all':<28}{len(flat):>8}{sum(r['killed'] for r in flat) / len(flat):>8.1%}\n\nSurvivors:")
    print("\n".join(r["mutant"] for r in flat if not r["killed"]))


if __name__ == "__main__":
    main()
