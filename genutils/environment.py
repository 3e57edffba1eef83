"""What this machine has and what the course needs of it, in words: versions, cores, memory, accelerator, data."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
import re
import sys
from dataclasses import dataclass

from genutils import threads

PACKAGES = {  # what lessons import, and what for
    "numpy": "arrays",
    "scipy": "special functions and tests",
    "torch": "networks and gradients",
    "matplotlib": "figures",
    "scikit-learn": "the digits and the photographs",
    "numba": "the fast arithmetic coder",
    "tqdm": "progress bars",
    "jupyterlab": "where you work the exercises",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked for, what was found, whether it will do, and what to do if not."""

    what: str
    found: str
    good: bool = True
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """The findings as a table, in a notebook and in a terminal."""

    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        return all(f.good for f in self.findings)

    def _repr_markdown_(self) -> str:
        rows = ["| | found | |", "|---|---|---|"]
        rows += [f"| {f.what} | {f.found} | {'✓' if f.good else '✗'} {f.remedy} |" for f in self.findings]
        return "\n".join(rows)

    def __repr__(self) -> str:
        lines = [
            f"{'✓' if f.good else '✗'} {f.what}: {f.found}" + f". {f.remedy}" * bool(f.remedy) for f in self.findings
        ]
        return "\n".join(lines)


def environment() -> Report:
    """Look at Python, the packages, the cores, the accelerator and the data; say in words what is missing.

    A version that differs from the pinned one is no error, but numbers may then differ in their last digits. Only scipy
    must be the one that is pinned: the text of the course is made from its documentation.
    """
    findings = [_python(sys.version_info[:3])]
    pins = _pins()
    findings += [_package(name, why, pins.get(name)) for name, why in PACKAGES.items()]
    findings += [_cores(), _accelerator(), _data()]
    return Report(tuple(findings))


def _python(version: tuple[int, int, int]) -> Finding:
    good = version >= (3, 11, 0)
    remedy = (
        "" if good else "the course needs Python 3.11 or newer: install one, then run `python -m tools.setup` with it"
    )
    return Finding("Python", f"{'.'.join(map(str, version))} on {platform.system()}", good, remedy)


def _pins() -> dict[str, str]:
    """Versions in requirements.txt, if the package runs from the course's folder."""
    file = pathlib.Path(__file__).parent.parent / "requirements.txt"
    if not file.is_file():
        return {}
    return dict(re.findall(r"^([\w.-]+)==(\S+)", file.read_text(encoding="utf-8"), re.M))


def _package(name: str, why: str, pin: str | None) -> Finding:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            name,
            "not installed",
            False,
            f"needed for {why}: run `python -m tools.setup`, or `pip install {_want(name, pin)}`",
        )
    if pin and version.split("+")[0] != pin:
        return Finding(name, version, True, f"the course was made with {pin}; last digits may differ")
    return Finding(name, version)


def _want(name: str, pin: str | None) -> str:
    return f"{name}=={pin}" if pin else name


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = f"{cores}, of which a calculation may use {threads.allowed()}"
    remedy = "" if cores >= 2 else "with one core building the book takes twice as long; nothing else changes"
    return Finding("processor cores", found, True, remedy)


def _accelerator() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("accelerator", "cannot look without torch", False, "run `python -m tools.setup`")
    if torch.cuda.is_available():
        return Finding(
            "accelerator", torch.cuda.get_device_name(0), True, "lessons run on the processor unless you say otherwise"
        )
    if torch.backends.mps.is_available():
        return Finding("accelerator", "Apple GPU", True, "lessons run on the processor unless you say otherwise")
    return Finding("accelerator", "none", True, "none is needed: every lesson is made for two cores")


def _data() -> Finding:
    try:
        from genutils.data import digits, text

        found = f"{sum(map(len, (digits().train, digits().validation, digits().test))):,} digits, {text().source}"
    except Exception as error:  # whatever is wrong belongs in the report
        return Finding("data", f"{type(error).__name__}: {error}", False, "run `python -m tools.setup` again")
    return Finding("data", found, True, "all of it came with the packages")
