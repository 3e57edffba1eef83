"""One run of a lesson serves the tests and the book: what nbval saw is put where ``make book`` looks for outputs.

A lesson whose every cell passed is kept, so that the book's own fixture has only pages left to make. A solution that
used up more seconds than its budget fails after its last cell.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from tools import build_book, calibrate


class Run:
    """What a notebook shows while nbval runs it, as Jupyter would write it into the notebook, and what it takes."""

    def __init__(self, file: Any):
        self.path, self.begun = file.path, build_book.Begun(file.path, lambda: calibrate.quick())
        self.kernel = psutil.Process(file.kernel.km.provisioner.pid)
        self.notebook = nbformat.read(file.path, as_version=4)
        self.left = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        self.whole, self.done, self.messages, ask = True, 0, [], file.get_kernel_message

        def listen(timeout: float | None = None, stream: str = "iopub") -> dict:
            self.messages.append(ask(timeout, stream))
            return self.messages[-1]

        file.get_kernel_message = listen

    def add(self, source: str, passed: bool) -> None:
        """Write the outputs of the next cell; a cell that was left out, failed or redrew its output spoils the run."""
        cell = self.left.pop(0) if self.left else None
        own = [m for m in self.messages if m["msg_type"] == "execute_input"]
        self.whole &= passed and cell is not None and cell.source == source and len(own) == 1
        if self.whole:
            key = own[0]["parent_header"]["msg_id"]
            said = [m for m in self.messages if m["parent_header"].get("msg_id") == key]
            self.whole &= not {m["msg_type"] for m in said} & {"clear_output", "update_display_data", "error"}
            shown = [m for m in said if m["msg_type"] in ("display_data", "execute_result", "stream")]
            self.done += 1
            cell.execution_count, cell.outputs = self.done, list(merged(shown))  # nbval keeps no history, all are 1
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = self.done
        self.messages.clear()

    def spent(self) -> build_book.Spent:
        times = self.kernel.cpu_times()
        return self.begun.spent(times.user + times.system)

    def finish(self, folder: str) -> str:
        """Put a lesson's outputs where the build of the book looks for them; say it if a solution was too slow.

        A lesson's seconds are kept beside its outputs; a test of the book judges them, and may run a late one again.
        """
        spent = self.spent()
        if folder == "solutions":
            return calibrate.over_budget(folder, spent.reference_seconds)
        build_book.BUILD.mkdir(exist_ok=True)
        bundle = CacheBundleIn(self.notebook, str(self.path), data=dataclasses.asdict(spent))
        cache = get_cache(str(build_book.BUILD / ".jupyter_cache"))
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        return ""


def merged(messages: list[dict]) -> Iterator[nbformat.NotebookNode]:
    """Outputs of messages; what was printed in a row is one output."""
    last = None
    for message in messages:
        output = nbformat.v4.output_from_msg(message)
        if last is not None and last.output_type == output.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            if last is not None:
                yield last
            last = output
    if last is not None:
        yield last


RUNS: dict[pathlib.Path, Run] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report = yield
    folder = item.path.parent.name
    if item.path.suffix == ".ipynb" and folder in calibrate.BUDGET:
        if call.when == "setup" and item.path not in RUNS:
            RUNS[item.path] = Run(item.parent)
        elif call.when == "call":
            run = RUNS[item.path]
            run.add(item.cell.source, report.outcome == "passed")
            if run.whole and not run.left:
                if said := run.finish(folder):
                    report.outcome, report.longrepr = "failed", f"{item.path.name} took {said}"
    return report
