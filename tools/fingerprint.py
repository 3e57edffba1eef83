"""What a lesson depends on, read from its sources, and a fingerprint that changes exactly when its outputs could."""

from __future__ import annotations

import ast
import functools
import hashlib
import pathlib
import platform
import re

from tools import lessons

EVERYTHING = "genutils.*"


def _by_name(call: ast.Call, name: str, package: str) -> str:
    """What ``import_module`` may import: a module, a pattern if only the beginning of its name is known, or all."""
    argument = call.args[0] if call.args else None
    known = ""
    for part in argument.values if isinstance(argument, ast.JoinedStr) else [argument]:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            known += part.value
            continue
        variable = getattr(getattr(part, "value", None), "id", "") if isinstance(part, ast.FormattedValue) else ""
        if variable not in ("__name__", "__package__"):
            return f"{known}*" if "." in known else EVERYTHING  # f"genutils.recipes.{model}"
        known += name if variable == "__name__" else package
    return package + known if known.startswith(".") else known


@functools.cache
def _imports(source: str, name: str = "", package: str = "") -> frozenset[str]:
    """Names in ``genutils`` that a source imports; ``name`` and ``package``, for relative ones, say where it stands."""
    names: set[str] = set()
    try:
        tree = ast.parse("\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))))
    except SyntaxError:
        return frozenset({EVERYTHING})  # cannot be read: depend on everything
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names |= {module} | {f"{module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            names.add(_by_name(node, name, package))
    return frozenset(n for n in names if n.split(".")[0] == "genutils")


def _files(root: pathlib.Path, name: str) -> list[pathlib.Path]:
    """The sources of a module; of every module, if the name is a pattern."""
    base = root.joinpath(*name.split("."))
    if name.endswith("*"):
        return sorted(base.parent.rglob(f"{base.name}.py"))
    return [base.with_suffix(".py"), base / "__init__.py"]


def _beside(package: pathlib.Path) -> list[pathlib.Path]:
    """What lies in a package and is not Python: scripts, style sheets, data, also in folders that are no packages."""
    found = []
    for path in sorted(package.iterdir()):
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            found += _beside(path)
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            found.append(path)
    return found


def imported(notebook: pathlib.Path) -> set[str]:
    """Names in ``genutils`` that a notebook itself imports."""
    return set().union(*map(_imports, lessons.code(notebook)))


def dependencies(notebook: pathlib.Path) -> list[pathlib.Path]:
    """Files of ``genutils`` that a lesson can reach: what it imports, what that imports, and the data beside it.

    An import whose name is computed counts as every module that the name could mean; of the checks, ``check`` imports
    those of the lesson that it is called in.
    """
    root = notebook.parents[1]
    waiting, done, seen = imported(notebook) | {"genutils"}, set(), set()
    other_checks = re.compile(rf"genutils\.check\.lesson_(?!{re.escape(notebook.stem.split('_')[0])}\b)")
    while waiting := waiting - done:
        name = waiting.pop()
        done.add(name)
        waiting.add(name.rpartition(".")[0] or name)  # importing a module runs the packages that it is in
        for file in _files(root, name):
            module = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            if file in seen or not file.exists() or (name != module and other_checks.match(module)):
                continue
            seen.add(file)
            parent = module.rpartition(".")[0]
            package = module if file.name == "__init__.py" else parent
            waiting |= _imports(file.read_text(encoding="utf-8"), module, package) | {parent or module}
    for file in [f for f in seen if f.name == "__init__.py"]:
        seen |= set(_beside(file.parent))
    return sorted(seen)


def fingerprint(notebook: pathlib.Path) -> str:
    """Changes whenever the outputs of a lesson could: its code, the genutils it uses, the pins, or Python itself."""
    root = notebook.parents[1]
    digest = hashlib.sha256(platform.python_version().encode())
    for text in lessons.code(notebook):
        digest.update(text.encode() + b"\0")
    for file in [*dependencies(notebook), root / "requirements.txt"]:
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
