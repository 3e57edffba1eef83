"""The lessons of the course, discovered from ``_toc.yml``, and what each of them depends on."""

from __future__ import annotations

import ast
import hashlib
import json
import pathlib
import platform

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]


def lessons() -> list[pathlib.Path]:
    """Notebooks in reading order."""
    found: list[pathlib.Path] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            name = node.get("file", "")
            if isinstance(name, str) and name.startswith("lessons/"):
                found.append(ROOT / (name.removesuffix(".ipynb") + ".ipynb"))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    return found


def find(name: str) -> pathlib.Path:
    """The lesson of a name such as ``04_entropy``, ``04`` or ``lessons/04_entropy.ipynb``."""
    stem = pathlib.Path(name).stem
    every = lessons()
    matches = [p for p in every if p.stem == stem or p.stem.split("_")[0] == stem]
    if len(matches) != 1:
        raise SystemExit(f"no lesson is called {name!r}; the lessons are {', '.join(p.stem for p in every)}")
    return matches[0]


def code(notebook: pathlib.Path) -> list[str]:
    """The sources of a notebook's code cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


def _imports(source: str) -> set[str]:
    names: set[str] = set()
    try:
        tree = ast.parse("\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))))
    except SyntaxError:
        return {"genutils.*"}  # cannot be read: depend on everything
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    return {n for n in names if n.split(".")[0] == "genutils"}


def dependencies(notebook: pathlib.Path) -> list[pathlib.Path]:
    """Files of ``genutils`` that a lesson imports, directly or through one another."""
    package = ROOT / "genutils"
    waiting, seen = set(), {package / "__init__.py"}
    for source in code(notebook):
        waiting |= _imports(source)
    waiting |= _imports((package / "__init__.py").read_text(encoding="utf-8"))
    while waiting:
        name = waiting.pop()
        if name.count(".") > 1:
            waiting.add(name.rpartition(".")[0])  # importing a module runs the packages that it is in
        base = ROOT.joinpath(*name.split("."))
        files = [base.with_suffix(".py"), base / "__init__.py"]
        if name == "genutils.*":
            files = sorted(package.rglob("*.py"))
        for file in files:
            if file.exists() and file not in seen:
                seen.add(file)
                waiting |= _imports(file.read_text(encoding="utf-8"))
    if package / "check" / "__init__.py" in seen:  # check() reaches the lesson's own checks by name
        own = package / "check" / f"lesson_{notebook.stem.split('_')[0]}.py"
        seen |= {own} if own.exists() else set()
    return sorted(seen)


def fingerprint(notebook: pathlib.Path) -> str:
    """Changes whenever the outputs of a lesson could: its code, the genutils it uses, the pins, or Python itself."""
    digest = hashlib.sha256(platform.python_version().encode())
    for text in code(notebook):
        digest.update(text.encode() + b"\0")
    for file in [*dependencies(notebook), ROOT / "requirements.txt"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
