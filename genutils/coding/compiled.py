"""Loops that numpy cannot express, compiled by numba when they are first called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def compiled(signature: str) -> Callable[[Callable], Callable]:
    """Decorator: compile a loop over numbers and arrays at its first call, and keep the result on disk.

    numba (half a second to import) is only loaded when a compiled loop is called. With the signature known, numba
    compiles once and stores the machine code beside the module, so that the next process starts at once. Where no
    cache folder can be written, the loop is compiled again in every process and works all the same.

    Args:
        signature: numba's signature of the function, such as ``"int64(int64[::1])"``.

    Returns:
        A decorator. ``py_func`` of the decorated function is the plain Python function, for reading and for tests.

    >>> @compiled("int64(int64)")
    ... def triangle(n):
    ...     total = 0
    ...     for i in range(n + 1):
    ...         total += i
    ...     return total
    >>> triangle(4), triangle.py_func(4)
    (10, 10)
    """

    def decorate(function: Callable) -> Callable:
        @functools.cache
        def build() -> Callable:
            import numba

            try:
                return numba.njit(signature, cache=True)(function)
            except Exception:  # no folder to write to, a full disk, a damaged cache; other errors come again
                return numba.njit(signature)(function)

        @functools.wraps(function)
        def call(*args: Any) -> Any:
            return build()(*args)

        call.py_func = function
        return call

    return decorate
