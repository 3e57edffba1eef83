"""How the suite is spread over workers (loaded by the root's ``conftest.py``), and the same chance for every test.

Each test is a unit of work of its own, so that the workers end together. What shares a state stays on one worker: the
cells of a notebook (one kernel), tests that share a fixture of their module, and those that read the book.
"""

from __future__ import annotations

import os
import pathlib
import random
import sys
import zlib
from typing import Any

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile("suite", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("suite")  # the same examples every time, so that red is red again


@pytest.fixture(autouse=True)
def same_chance(request: pytest.FixtureRequest) -> None:
    """Global generators begin alike in every test, whatever ran before it on this worker."""
    seed_everything(request.node.nodeid)


def seed_everything(name: str) -> None:
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


# Tests of these files share something costly.
WHOLE = {
    "test_baselines",
    "test_classroom",
    "test_classroom_confined",
    "test_classroom_essays",
    "test_classroom_feedback",
    "test_classroom_judge",
    "test_classroom_release",
    "test_classroom_workers",
    "test_contributing",
    "test_densities",
    "test_jupyterhub",
    "test_student",
}
BOOK = {"test_book", "test_browser"}


def unit_of(nodeid: str) -> str:
    """What stays on one worker, by the id of a test: a notebook, a file, the book, or the test alone."""
    file = pathlib.PurePosixPath(nodeid.split("::")[0])
    if file.stem in BOOK:
        return "the book"
    return str(file) if file.suffix == ".ipynb" or file.stem in WHOLE else nodeid


def turn_of(nodeid: str) -> int:
    """When a unit begins: lessons (the book needs them), what is long, the book; single tests fill the gaps."""
    unit = unit_of(nodeid)
    first = [unit.startswith("lessons/"), unit.endswith(".py"), unit.startswith("solutions/"), unit == "the book"]
    return first.index(True) if any(first) else len(first)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: turn_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The units above as xdist's scopes. (Its marks `xdist_group` do nothing under pytest 9.2: it renames too late.)"""
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class Units(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False  # the order above, not the number of tests
    return Units(config, log)
