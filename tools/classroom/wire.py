"""Messages between the judge and an answer: framed bytes, and plain values as JSON that is checked on its way back."""

from __future__ import annotations

import base64
import builtins
import functools
import json
import os
import re
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

LIMIT = 64 * 2**20  # bytes of one message from an answer
_AHEAD = 2**15  # bytes that are read at once if so many are there
_SLACK = 0.05  # seconds by which something may come too late; to set a line's limit costs as much as a message
_DTYPE = re.compile(r"[<>|=](?:[biufc]\d{1,2}|[US]\d{1,7})")


class Lost(Exception):
    """The student's process ended, sent nonsense, or ran out of time."""


def send(line: socket.socket, data: bytes) -> None:
    line.sendall(struct.pack("!Q", len(data)) + data)


class Inbox:
    """What comes in over a line, message by message. It reads ahead, so that a short message costs one call."""

    def __init__(self, line: socket.socket):
        self.line, self._came = line, bytearray()

    def next(self, limit: int = 2**34, until: float | None = None) -> bytes:
        """One message; `EOFError` when the other side is gone or says more than the limit.

        Args:
            until: when all of it must have come (as `time.monotonic`); else the line's own limit holds for each part.
        """
        came, end = self._came, 0
        while True:
            if not end and len(came) >= 8:
                end = 8 + int.from_bytes(came[:8], "big")
                if end > 8 + limit:
                    raise EOFError(f"a reply of {end - 8} bytes")
            if end and len(came) >= end:
                message = bytes(came[8:end])
                del came[:end]
                return message
            _hurry(self.line, until)
            part = self.line.recv(max(_AHEAD, min(end - len(came), 2**20)))
            if not part:
                raise EOFError("closed")
            came += part


def say(line: socket.socket, message: Any, handed: socket.socket | None = None) -> None:
    """Send JSON, and perhaps an end of another line with it."""
    data = json.dumps(message).encode()
    head = struct.pack("!Q", len(data))
    if handed is None:
        line.sendall(head)
    else:
        socket.send_fds(line, [head], [handed.fileno()])
    line.sendall(data)


def hear(line: socket.socket, limit: int = 2**34, until: float | None = None) -> tuple[Any, socket.socket | None]:
    """What `say` sent, from somebody who may send anything.

    Args:
        until: when all of it must have come, as for `receive`.

    Raises:
        EOFError, OSError, ValueError: the other side is gone, late, or sent something else.
    """
    head, handed = b"", []
    while len(head) < 8:
        _hurry(line, until)
        part, fds, _, _ = socket.recv_fds(line, 8 - len(head), 4)
        handed += fds
        if not part:
            raise EOFError("closed")
        head += part
    for fd in handed[1:]:
        os.close(fd)
    other = socket.socket(fileno=handed[0]) if handed else None
    size = struct.unpack("!Q", head)[0]
    if size > limit:
        raise EOFError(f"a message of {size} bytes")
    return json.loads(_exactly(line, size, until)), other


def _hurry(line: socket.socket, until: float | None) -> None:
    if until is not None:
        left, now = max(0.01, until - time.monotonic()), line.gettimeout()
        if now is None or not left <= now <= left + _SLACK:
            line.settimeout(left)


def _exactly(line: socket.socket, n: int, until: float | None = None) -> bytes:
    data = bytearray()
    while len(data) < n:
        _hurry(line, until)
        part = line.recv(min(n - len(data), 2**20))
        if not part:
            raise EOFError("closed")
        data += part
    return bytes(data)


def encode(value: Any, other: Callable[[Any], Any]) -> Any:
    """JSON for a plain value; ``other(thing)`` gives the JSON of whatever is not plain, gradients included."""
    kind = type(value)
    if value is None or kind in (bool, str, float):
        return value
    if kind is int:
        return value if abs(value) < 2**62 else ["int", hex(value)]
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind in (bytes, bytearray):
        return [kind.__name__, base64.b64encode(value).decode()]
    if kind in (list, tuple) and (dtype := _alike(value)):
        return ["scalars", kind.__name__, *encode(np.array(value, dtype), other)[1:]]
    if kind in (list, tuple, set, frozenset):
        return [kind.__name__, [encode(v, other) for v in value]]
    if isinstance(value, dict):
        return ["dict", [[encode(k, other), encode(v, other)] for k, v in value.items()]]
    if kind is np.ndarray and value.dtype.kind in "biufcUS":
        return ["array", value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return ["scalar", value.dtype.str, [], base64.b64encode(value.tobytes()).decode()]
    if is_tensor(value) and not value.requires_grad:
        return ["tensor", encode(value.detach().cpu().numpy(), other)]
    return other(value)


def decode(value: Any, other: Callable[[str, list], Any]) -> Any:
    """The plain value of checked JSON; ``other(kind, rest)`` decodes the kinds that are not plain.

    Raises:
        Lost: if it is malformed in any way.
    """
    if value is None or type(value) in (bool, str, float, int):
        return value
    try:
        kind, *rest = value
        match kind:
            case "int":
                return int(rest[0], 16)
            case "complex":
                return complex(float(rest[0]), float(rest[1]))
            case "bytes" | "bytearray":
                data = base64.b64decode(rest[0], validate=True)
                return data if kind == "bytes" else bytearray(data)
            case "list" | "tuple" | "set" | "frozenset":
                return getattr(builtins, kind)(decode(v, other) for v in rest[0])
            case "scalars":
                return {"list": list, "tuple": tuple}[rest[0]](decode(["array", *rest[1:]], other))
            case "dict":
                return {decode(k, other): decode(v, other) for k, v in rest[0]}
            case "array" | "scalar":
                name, shape, data = rest
                if not all(type(n) is int and n >= 0 for n in shape):
                    raise ValueError(shape)
                array = np.frombuffer(base64.b64decode(data, validate=True), _dtype(name)).reshape(shape).copy()
                return array if kind == "array" else array[()]
            case "tensor":
                import torch

                array = decode(rest[0], other)
                return torch.from_numpy(array if type(array) is np.ndarray else np.asarray(array))
        return other(str(kind), rest)
    except Lost:
        raise
    except Exception as error:
        raise Lost(f"sent something that is no plain value ({type(error).__name__})") from None


@functools.lru_cache(maxsize=64)
def _dtype(name: str) -> np.dtype:
    if not _DTYPE.fullmatch(name):
        raise ValueError(name)
    return np.dtype(name)


def _alike(value: list | tuple) -> np.dtype | None:
    """The dtype of a row of numpy scalars that can travel as one array; None of any other."""
    kind = type(value[0]) if value else None
    if kind is None or not issubclass(kind, np.generic) or any(type(v) is not kind for v in value):
        return None
    return value[0].dtype if value[0].dtype.kind in "biufc" else None


def is_flat(value: Any) -> bool:
    """Whether a value is a number or an array of numbers: it says the same in every process, and holds nothing else."""
    kind = type(value)
    return kind in (float, int, bool, type(None)) or (
        (kind is np.ndarray or isinstance(value, np.generic)) and value.dtype.kind in "biufc"
    )


def is_tensor(value: Any) -> bool:
    """Whether a value is one of torch's own tensors, asked without importing torch."""
    return type(value).__module__.partition(".")[0] == "torch" and type(value).__name__ in ("Tensor", "Parameter")


def names(error: BaseException) -> list[str]:
    """The classes of an error, its own first: what the other side is told about it."""
    return [kind.__name__ for kind in type(error).__mro__]


def known_error(names: list[str], message: str) -> Exception:
    """The built-in error that was meant, so that it can be caught by type; RuntimeError if there is none."""
    kind = next((_ERRORS[n] for n in names if n in _ERRORS), None)
    if kind is None or kind is Exception:
        return RuntimeError(f"{names[0] if names else 'error'}: {message}")
    return kind(message)


_UNFIT = (
    UnicodeError,
    StopIteration,
    StopAsyncIteration,
    BaseExceptionGroup,
)  # need more than a message, or mean control
_ERRORS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, _UNFIT)
}
