"""The answer's end of the line, in a process of its own: a student's function, as it was, does what the judge asks."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import socket
from typing import Any

import numpy as np

from tools.classroom import wire
from tools.classroom.remote import perform


def alone(line: socket.socket) -> None:
    """Cut a forked child off: no other file is open, and it ends with its parent."""
    os.setsid()
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):  # not Linux
        pass
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.closerange(3, line.fileno())
    os.closerange(line.fileno() + 1, 65536)


class Server:
    """What this process holds: the student's objects that the judge knows by number, and how to reach the judge.

    Args:
        answer: the student's function or class, number 0.
    """

    def __init__(self, line: socket.socket, answer: Any):
        self.line, self.inbox, self.keep = line, wire.Inbox(line), [answer]

    def run(self) -> None:
        """Answer questions until the judge hangs up."""
        while True:
            try:
                message, handed = self._receive()
            except (EOFError, OSError):
                return
            self._do(message, handed)

    def ask(self, op: str, lent: int, *rest: Any) -> Any:
        """Ask the judge to do something with an object of the check, and oblige it meanwhile."""
        wire.send(self.line, json.dumps(["ask", op, lent, *(wire.encode(r, self._plain) for r in rest)]).encode())
        while True:
            (kind, *found), handed = self._receive()
            if kind == "value":
                for at, array in found[1]:  # the check's function changed its argument
                    np.copyto(rest[0][at], array)
                return found[0]
            if kind == "error":
                raise wire.known_error(*found)
            self._do((kind, *found), handed)

    def _receive(self) -> tuple[Any, Handed]:
        unpickler = _Unpickler(io.BytesIO(self.inbox.next()))
        unpickler.server, unpickler.handed = self, Handed()
        return unpickler.load(), unpickler.handed

    def stands_for(self, what: tuple, handed: Handed) -> Any:
        leaves = handed.leaves
        match what:
            case ("array", at, kind, shape, data):
                return handed.plain(at, lambda: np.ndarray(shape, kind, bytearray(data) or None))
            case ("list", at, items):
                return handed.plain(at, lambda: list(items))
            case ("tensor", array):
                import torch

                return handed.tensor(array, torch.from_numpy)
            case ("kept", id):
                return self.keep[id]
            case ("lent", id, name):
                return Borrowed(self, id, name)
            case ("generator", kind, bit_generator):
                return kind(bit_generator)
            case ("leaf", at, data, grad, requires_grad, weight):
                import torch

                if at == len(leaves):
                    leaf = torch.as_tensor(data)
                    leaf = torch.nn.Parameter(leaf, requires_grad) if weight else leaf.requires_grad_(requires_grad)
                    leaf.grad = None if grad is None else torch.as_tensor(grad)
                    leaves.append(leaf)
                return leaves[at]
        raise ValueError(what)

    def _do(self, message: tuple, handed: Handed) -> None:
        op, id, *given = message
        if op == "grad":
            self._reply(lambda: _gradients(*self.keep[id], *given), Handed())
        else:
            self._reply(lambda: perform(op, self.keep[id], given), handed)

    def _reply(self, act: Any, handed: Handed) -> None:
        try:
            before = {at: _state_of(thing) for at, thing in handed.things.items()}
            value = wire.encode(act(), lambda thing: self._other(thing, handed.leaves))
            weights = [[wire.encode(w, self._plain) for w in _state(leaf)] for leaf in handed.leaves]
            changed = [at for at, thing in handed.things.items() if _state_of(thing) != before[at]]
            message = ["value", value, weights, changed]
        except BaseException as error:  # SystemExit and KeyboardInterrupt are answers too
            try:
                text = str(error)
            except BaseException:
                text = ""
            message = ["error", wire.names(error), text[:500]]
        wire.send(self.line, json.dumps(message).encode())

    def _other(self, thing: Any, leaves: list) -> Any:
        """JSON for what is no plain value: it is kept here, and named by its number."""
        if isinstance(thing, Borrowed):
            return ["lent", thing._id]
        if wire.is_tensor(thing):
            self.keep.append((thing, leaves))
            return ["tracked", len(self.keep) - 1, wire.encode(thing.detach(), self._plain)]
        self.keep.append(thing)
        return ["remote", len(self.keep) - 1, type(thing).__name__[:80]]

    def _plain(self, thing: Any) -> Any:
        if wire.is_tensor(thing):
            raise RuntimeError("gradients do not pass through a function of the check")
        return self._other(thing, [])


class _Unpickler(pickle.Unpickler):
    server: Server
    handed: Handed

    def persistent_load(self, what: tuple) -> Any:
        return self.server.stands_for(what, self.handed)


class Handed:
    """What came with a question: tensors that require gradients, arrays and lists that should stay as they are."""

    def __init__(self) -> None:
        self.leaves: list[Any] = []
        self.things: dict[int, Any] = {}
        self.tensors: dict[int, Any] = {}

    def plain(self, at: int, make: Any) -> Any:
        if at not in self.things:
            self.things[at] = make()
        return self.things[at]

    def tensor(self, array: np.ndarray, make: Any) -> Any:
        return self.tensors.setdefault(id(array), make(array))


def _state_of(thing: Any) -> Any:
    """What is compared to see whether an argument was changed."""
    return thing.tobytes() if type(thing) is np.ndarray else [id(item) for item in thing]


def _state(leaf: Any) -> tuple:
    return leaf.detach(), leaf.grad, leaf.requires_grad


def _gradients(output: Any, leaves: list, grad: Any) -> list:
    """The product of a vector with the Jacobian of an output, for each leaf; None where it does not depend on it."""
    import torch

    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, grad, retain_graph=True, allow_unused=True))
    return [next(found) if leaf.requires_grad else None for leaf in leaves]


class Borrowed:
    """A function or an object of the check, as the answer sees it."""

    def __init__(self, server: Server, id: int, name: str):
        self.__dict__.update(_server=server, _id=id, __name__=name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._server.ask("call", self._id, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._server.ask("get", self._id, name)

    def __getitem__(self, key: Any) -> Any:
        return self._server.ask("item", self._id, key)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return self._server.ask("len", self._id)

    def __iter__(self) -> Any:
        steps = self._server.ask("iter", self._id)
        while True:
            more, value = self._server.ask("next", steps._id)
            if not more:
                return
            yield value
