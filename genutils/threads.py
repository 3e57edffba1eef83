"""How many threads a calculation may use. This is the only place that decides: lessons, build, tests and grading agree.

The models of the course are small, and for small matrices a second thread costs more than it brings: lesson 07 took 23
seconds with one thread and 39 with two. Importing `genutils` limits the numerical libraries to one thread, those that
are loaded already and those that will be. ``GENUTILS_THREADS=4`` in the environment, before Python starts, allows four.
"""

from __future__ import annotations

import os
import sys

VARIABLE = "GENUTILS_THREADS"
_READ_WHEN_LOADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def allowed() -> int:
    """The number of threads: what ``GENUTILS_THREADS`` says, else one.

    Raises:
        ValueError: the variable is not a whole number of at least 1.
    """
    text = os.environ.get(VARIABLE, "").strip() or "1"
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{VARIABLE} must be a whole number of at least 1; it is {text!r}. Unset it for one thread")
    return int(text)


def limit() -> int:
    """Limit the numerical libraries to `allowed` threads; returns that number. None of them is imported for it.

    A library that is not loaded yet reads the environment when it is, and so do child processes. One that is loaded
    is told directly. Whoever wants more in a part of a program calls ``torch.set_num_threads`` after the import.
    """
    count = allowed()
    os.environ.update(dict.fromkeys(_READ_WHEN_LOADED, str(count)))
    if "numpy" in sys.modules or "torch" in sys.modules:
        from threadpoolctl import threadpool_limits  # a fiftieth of a second: it looks through the loaded libraries

        threadpool_limits(count)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):  # one that failed to load has none
        torch.set_num_threads(count)
    return count
