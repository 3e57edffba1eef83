"""What every test process and every kernel that it starts inherits; the clock of the solutions that nbval runs."""

import os
import pathlib

import psutil
import pytest

os.environ["GENUTILS_PROGRESS"] = "off"  # testing is not learning: a learner's progress.json stays as it is

import genutils  # noqa: E402, F401  (limits the threads: two workers with more would fight)
from tools import calibrate  # noqa: E402


def excess(folder: str, kernel: int) -> str:
    """What to say if the process of a kernel has used up the budget of a notebook in this folder; else nothing."""
    times = psutil.Process(kernel).cpu_times()
    cpu = times.user + times.system
    if cpu < calibrate.BUDGET[folder] / 2:
        return ""  # too much on a core that is more than twice as fast as the reference, but there is none
    return calibrate.over_budget(folder, calibrate.reference_seconds(cpu, calibrate.quick(), calibrate.quick()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """A solution that ran longer than it may fails after its last cell. Lessons are timed by the book's build."""
    file = item.parent
    last = getattr(file, "kernel", None) is not None and (nextitem is None or nextitem.parent is not file)
    if last and pathlib.Path(file.path).parent.name == "solutions" and file.kernel.is_alive():
        said = excess("solutions", file.kernel.km.provider.pid)
    else:
        said = ""
    yield
    if said:
        pytest.fail(f"{file.path.name} took {said}", pytrace=False)
