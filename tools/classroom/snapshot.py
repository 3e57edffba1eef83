"""What the libraries under a check look like, to notice that an answer which shares their memory has changed them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

WATCHED = ("genutils", "numpy", "math", "builtins", "scipy", "torch")
_IGNORED = ("_", "__warningregistry__", "__dict__", "__weakref__")
_ONLY_CALLED = ("torch",)  # torch keeps caches and counters among its names: only what can be called is compared
Snapshot = dict[tuple[str, str], tuple[int, int]]


def snapshot() -> Snapshot:
    """What each name of the watched modules, and each method of their classes, refers to, down to functions' code."""
    taken: Snapshot = {}
    for name, module in list(sys.modules.items()):
        if module is None or name.partition(".")[0] not in WATCHED:
            continue
        only_called = name.partition(".")[0] in _ONLY_CALLED
        for key, value in _names(module):
            if only_called and not callable(value):
                continue
            taken[name, key] = _identity(value)
            if isinstance(value, type) and value.__module__ == name:
                for inner, method in _names(value):
                    if callable(method) or isinstance(method, (property, staticmethod, classmethod)):
                        taken[name, f"{key}.{inner}"] = _identity(method)
    return taken


def _names(thing: Any) -> Iterator[tuple[str, Any]]:
    return ((k, v) for k, v in list(vars(thing).items()) if k not in _IGNORED and not isinstance(v, type(sys)))


def _identity(value: Any) -> tuple[int, int]:
    inner = value.fget if type(value) is property else value
    return id(value), id(getattr(inner, "__code__", None))


def same(before: Snapshot) -> bool:
    """Whether all that a snapshot saw is still there; names that came later do not count."""
    after = snapshot()
    return all(after.get(key) == value for key, value in before.items())
