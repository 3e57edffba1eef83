"""One place decides how many threads there are, whatever was imported first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from genutils import threads
from tests.notebooks import LESSONS, SOLUTIONS, cells

ASK = """
import numpy, scipy.linalg, torch
from threadpoolctl import threadpool_info
print(torch.get_num_threads(), *(lib["num_threads"] for lib in threadpool_info()))
"""
MANY = "import torch; torch.set_num_threads(3)"  # as a notebook that imports torch first, on a machine with three cores


def fresh(code: str, **variables: str) -> subprocess.CompletedProcess:
    """Run code in a new process that has only these of the variables that concern threads."""
    env = {k: v for k, v in os.environ.items() if not k.endswith("_THREADS")}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env | variables)


def counts(code: str, **variables: str) -> list[set[int]]:
    """The counts that a new process prints, a set for each line."""
    done = fresh(code, **variables)
    assert done.returncode == 0, done.stderr
    return [set(map(int, line.split())) for line in done.stdout.splitlines()]


def test_libraries_that_come_later_get_one_thread():
    assert counts(f"import genutils{ASK}", OMP_NUM_THREADS="3") == [{1}]


def test_libraries_that_came_first_get_one_thread():
    before, after = counts(f"{MANY}{ASK}import genutils{ASK}")
    assert 3 in before and after == {1}


def test_the_variable_overrides():
    (found,) = counts(f"{MANY}\nimport genutils{ASK}", GENUTILS_THREADS="2")
    assert 2 in found and 3 not in found


def test_children_inherit_the_limit():
    code = "import subprocess, sys, genutils; subprocess.run([sys.executable, '-c', sys.argv[0]])"
    child = "import os; print(*(v for k, v in os.environ.items() if k.endswith('_THREADS')))"
    assert counts(code.replace("sys.argv[0]", repr(child)), OMP_NUM_THREADS="3") == [{1}]


def test_it_does_not_load_torch():
    assert fresh("import sys, genutils; sys.exit('torch' in sys.modules)").returncode == 0


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_value_that_makes_no_sense_is_named(value, monkeypatch):
    monkeypatch.setenv("GENUTILS_THREADS", value)
    with pytest.raises(ValueError, match=f"GENUTILS_THREADS must be a whole number of at least 1; it is '{value}'"):
        threads.allowed()


def test_an_empty_value_is_none(monkeypatch):
    monkeypatch.setenv("GENUTILS_THREADS", "")
    assert threads.allowed() == 1


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_notebook_decides_for_itself(path):
    code = "\n".join(c["source"] for c in cells(path) if c["cell_type"] == "code")
    assert "_threads" not in code and "_THREADS" not in code
    assert "genutils" in next(c["source"] for c in cells(path) if c["cell_type"] == "code")  # which limits them
