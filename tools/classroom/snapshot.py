"""What the libraries under a check look like, to notice that an answer which shares their memory has changed them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

WATCHED = ("genutils", "numpy", "math", "builtins", "scipy")
# Of torch the parts that compute; it keeps caches and counters among its names, so only what can be called is compared.
TORCH = (
    "torch",
    "torch._tensor",
    "torch.functional",
    "torch.linalg",
    "torch.random",
    "torch.special",
    "torch.autograd",
    "torch.distributions",
    "torch.nn",
    "torch.optim",
)
_WHOLE = ("torch.autograd", "torch.distributions", "torch.nn", "torch.optim")  # with the modules below them
_IGNORED = ("_", "__warningregistry__", "__dict__", "__weakref__")
Snapshot = dict[tuple[str, str], tuple[int, int]]


def snapshot() -> Snapshot:
    """What each name of the watched modules, and each method of their classes, refers to, down to functions' code."""
    _settle_torch()
    return _taken()


def same(before: Snapshot) -> bool:
    """Whether all that a snapshot saw is still there; names that came later do not count."""
    after = _taken()
    return all(after.get(key) == value for key, value in before.items())


def _taken() -> Snapshot:
    taken: Snapshot = {}
    for name, module in list(sys.modules.items()):
        torch = name in TORCH or name.startswith(tuple(f"{part}." for part in _WHOLE))
        if module is None or not (torch or name.partition(".")[0] in WATCHED):
            continue
        for key, value in _names(module):
            if torch and not callable(value):
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
    inner = value.fget if type(value) is property else getattr(value, "__func__", value)
    return id(value), id(getattr(inner, "__code__", None))


def _settle_torch() -> None:
    """Let torch finish what it does to itself at first use: the first optimizer wraps the ``step`` of its class."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    for kind in vars(torch.optim).values():
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer:
            weight = torch.nn.Parameter(torch.zeros(2, 2))
            optimizer = kind([weight], lr=0.1)
            optimizer.zero_grad()
            if kind is torch.optim.SGD:
                weight.sum().backward()
                optimizer.step()
