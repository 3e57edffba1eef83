"""A file that lets training go on where it was cut off, and never takes the weights of another run for its own."""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import re
import types
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Checkpoint:
    """The state of a run in one file, and what tells that run from others.

    Args:
        path: the file; the first process writes it, the others of a run on several write beside it.
        given: by name, all that changes the numbers; modules count as class, names, shapes and dtypes of their weights,
            and their attributes that are numbers or text.
        parts: by name, what has ``state_dict()`` and ``load_state_dict()`` and changes in training.
        where: the device whose random state is kept besides the CPU's.
        rank: which process this is.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        given: dict[str, Any],
        parts: dict[str, Any],
        *,
        where: torch.device | None = None,
        rank: int = 0,
    ):
        path = pathlib.Path(path)
        self.path = path.with_name(f"{path.name}.{rank}") if rank else path
        self.key, self.parts = key(given), {name: part for name, part in parts.items() if part is not None}
        self.card = where if where is not None and where.type == "cuda" else None

    @classmethod
    def at(cls, path: str | os.PathLike | None, *args: Any, **kwargs: Any) -> Checkpoint | None:
        """A checkpoint at a path; None if there is no path."""
        return None if path is None else cls(path, *args, **kwargs)

    def save(self, record: Any, step: int) -> None:
        """Write everything. A run killed while writing leaves the file as it was before.

        Raises:
            TypeError: the record holds what could not be read again.
        """
        state = {"key": self.key, "step": step, "record": vars(record), "rng": torch.get_rng_state()}
        state["card"] = torch.cuda.get_rng_state(self.card) if self.card else None
        state |= {"parts": {name: part.state_dict() for name, part in self.parts.items()}}
        unfinished = self.path.with_name(self.path.name + ".part")
        torch.save(_plain(state), unfinished)
        os.replace(unfinished, self.path)

    def load(self, record: Any) -> int:
        """Fill record, parts and random state from the file, and give its step; 0 if there is no file.

        Tensors, numbers and text only: ``weights_only`` refuses a file that would run code.

        Raises:
            ValueError: the file is of another run (says in what), or no checkpoint at all.
        """
        if not self.path.exists():
            return 0
        remedy = "delete it to start anew, or name another checkpoint"
        try:
            state = _back(torch.load(self.path, weights_only=True, map_location="cpu"))
            there = dict(state["key"])
        except Exception as error:
            raise ValueError(
                f"{self.path} is not a checkpoint of fit or play ({type(error).__name__}); {remedy}"
            ) from error
        differ = [
            f"{name} is {there.get(name, 'absent')} there and {self.key.get(name, 'absent')} here"
            for name in self.key | there
            if there.get(name) != self.key.get(name)
        ]
        if differ:
            more = f"; and {len(differ) - 6} more" if len(differ) > 6 else ""
            raise ValueError(f"{self.path} belongs to another run: {'; '.join(differ[:6])}{more}; {remedy}")
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        for name, value in state["record"].items():
            setattr(record, name, value)
        torch.set_rng_state(state["rng"])
        if self.card and state["card"] is not None:
            torch.cuda.set_rng_state(state["card"], self.card)
        return state["step"]


def key(given: dict[str, Any]) -> dict[str, str]:
    """What tells one run from another, as text by name: the same in another process and on another device."""
    found = {}
    for name, value in given.items():
        found[name] = describe(type(value) if isinstance(value, nn.Module) else value)
        if isinstance(value, nn.Module):
            learns = {n for n, p in value.named_parameters() if p.requires_grad}
            for part, tensor in value.state_dict().items():
                if isinstance(tensor, Tensor):
                    fixed = "" if part in learns else " fixed"
                    found[f"{name}.{part}"] = f"{tensor.dtype} {tuple(tensor.shape)}{fixed}"
            for part, inside in value.named_modules(prefix=name):
                found |= {f"{part}.{k}": v for k, v in _settings(inside).items()}
    return found


def _settings(thing: Any) -> dict[str, str]:
    """The public attributes of an object that are numbers or text, in words."""
    values = {} if isinstance(thing, type | types.FunctionType | types.ModuleType) else getattr(thing, "__dict__", {})
    return {k: describe(v) for k, v in values.items() if k[0] != "_" and k != "training" and _is_plain(v)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | complex | str | np.generic)


def describe(value: Any, *, depth: int = 4) -> str:
    """A value in words that are equal for equal values: numbers as they are, data by a digest of their bytes.

    A function is its qualified name, a digest of its code, what it encloses of numbers, text, tensors, arrays and
    functions, and what it finds by global names of numbers, text and functions of its own module, such as a notebook.
    Of other objects the type counts, and public attributes that are numbers or text. Of a tensor that learns, shape and
    dtype count.

    >>> describe(np.float64(0.5)), describe({"a": (1, None)}), describe(print)
    ('0.5', '{a: (1, None)}', 'builtins.print')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, Tensor):
        text = f"{value.dtype} {tuple(value.shape)}"
        if value.requires_grad:
            return text
        return f"{text} {_digest(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())}"
    if isinstance(value, np.ndarray):
        content = repr(value.tolist()).encode() if value.dtype.hasobject else value.tobytes()
        return f"numpy {value.dtype} {value.shape} {_digest(content)}"
    if isinstance(value, type) or depth == 0:
        kind = value if isinstance(value, type) else type(value)
        return f"{kind.__module__}.{kind.__qualname__}"
    below = functools.partial(describe, depth=depth - 1)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {below(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(below, value)) + ")"
    if isinstance(value, functools.partial):
        return f"{below(value.func)} with {below(value.args)} {below(value.keywords)}"
    if isinstance(value, types.MethodType):
        return f"{below(value.__func__)} of {below(value.__self__)}"
    if isinstance(value, types.FunctionType):
        holds = [value.__defaults__, value.__kwdefaults__, *map(_content, value.__closure__ or ())]
        text = f"{value.__module__}.{value.__qualname__} {_digest(_code(value.__code__).encode())} {below(holds)}"
        return f"{text} with {below(found)}" if (found := _by_global_names(value)) else text
    if isinstance(value, types.BuiltinFunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    text, kind = repr(value), f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, nn.Module) or " at 0x" in text:  # the address of an object says nothing about it
        return " ".join([kind, *map("=".join, _settings(value).items())])
    return text if len(text) <= 80 else f"{kind} {_digest(text.encode())}"


def _digest(data: bytes | np.ndarray) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _content(cell: Any) -> Any:
    """What a function encloses; of a list or a dictionary, which may grow as the function is called, only the type."""
    try:
        value = cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return None
    return type(value) if isinstance(value, list | dict) else value


def _by_global_names(function: types.FunctionType) -> dict[str, Any]:
    """The numbers, the text, and the functions of its own module that a function finds by global names."""
    names, codes = set(), [function.__code__]
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    found = {name: function.__globals__[name] for name in sorted(names & function.__globals__.keys())}
    return {
        name: value
        for name, value in found.items()
        if value is not function
        and (_is_plain(value) or (isinstance(value, types.FunctionType) and value.__module__ == function.__module__))
    }


def _code(code: types.CodeType) -> str:
    """What a function does, without the lines and the file where it stands."""
    constants = [
        _code(c) if isinstance(c, types.CodeType) else sorted(map(repr, c)) if isinstance(c, frozenset) else repr(c)
        for c in code.co_consts
    ]
    return re.sub(r" at 0x\w+", "", repr((code.co_code, code.co_names, constants)))


def _plain(value: Any) -> Any:
    """What ``weights_only`` can read again: numpy's scalars as Python's, numpy's arrays as marked tensors."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return {"numpy array": torch.from_numpy(value.copy())}
    if value is None or isinstance(value, bool | int | float | complex | str | Tensor):
        return value
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(_plain, value))
    raise TypeError(
        f"a checkpoint holds numbers, text, tensors and arrays, not a {type(value).__name__}; watch must return those, "
        "or give no checkpoint"
    )


def _back(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"numpy array"}:
            return value["numpy array"].numpy()
        return {k: _back(v) for k, v in value.items()}
    return type(value)(map(_back, value)) if type(value) in (tuple, list) else value
