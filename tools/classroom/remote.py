"""The judge's end of the line: asks an answer that lives in another process, and lends it the functions of the check.

The judge never runs, unpickles or evaluates anything that comes from the student. Arguments travel as a pickle; values
come back as JSON that can only be numbers, text, arrays and containers of them. Any other object stays where it is, and
the check gets a `Remote` whose calls, attributes and items are further questions. So nothing that the student's code
does to its own process (patched libraries, edited frames, objects that equal everything) reaches the one that decides.

What a check hands over:

- plain values, and objects of the libraries, are copied;
- functions and objects that the check itself defines are *lent*: a call of them is a question back, so that a check can
  watch what it is asked, and nobody can read the truth in a closure;
- random generators are copied, and the check's own moves on to a place that the answer does not know;
- tensors that require gradients: a result that depends on them is a tensor through which gradients flow, by asking the
  answer's process for each product with its Jacobian;
- weights of a network, if the line is ``learning``: what a step has made of them is copied back.
"""

from __future__ import annotations

import io
import json
import pickle
import socket
import sys
import time
import types
from typing import Any

import cloudpickle
import numpy as np

from tools.classroom import wire
from tools.classroom.verdict import Verdict
from tools.classroom.wire import Lost

CHECKS = "genutils.check.lesson_"


class Line:
    """Asks, waits until a deadline, and remembers what went wrong."""

    def __init__(self, socket: socket.socket, learning: bool = False):
        self.socket, self.learning, self.deadline = socket, learning, time.monotonic() + 60
        self.fault: Verdict | None = None  # why nothing more can be asked: TIMEOUT, or DIED, also of nonsense
        self.theirs = False  # whether the last answer was an error of the student's own
        self.lent: list[Any] = []
        self.broken: BaseException | None = None  # a property that the answer broke inside a function of the check

    def ask(self, *request: Any) -> Any:
        """The answer to a question, or the error that it raised; `Lost` if there is no answer."""
        if self.fault:
            raise Lost(self.fault)
        self.theirs = False
        parcel = Parcel(self)
        try:
            self.socket.settimeout(max(0.01, self.deadline - time.monotonic()))
            wire.send(self.socket, parcel.dumps(request))
            kind, *rest = self._next_reply()
            if kind == "value":
                value = wire.decode(rest[0], parcel.decode)
                parcel.take_weights(rest[1])
                self._raise_broken()
                return value
            names, message = [str(n) for n in rest[0]], str(rest[1])[:500]
        except TimeoutError:
            self.fault = Verdict.TIMEOUT
        except (EOFError, OSError):
            self.fault = Verdict.DIED
        except (Lost, ValueError, TypeError, IndexError, RecursionError, MemoryError, pickle.PicklingError):
            self.fault = self.fault or Verdict.DIED
        else:
            self._raise_broken()
            self.theirs = True
            raise wire.known_error(names, message)
        raise Lost(self.fault)

    def _next_reply(self) -> list:
        """The reply; on the way to it, what the answer asks of the check's own functions is answered."""
        while True:
            self.socket.settimeout(max(0.01, self.deadline - time.monotonic()))
            reply = json.loads(wire.receive(self.socket, wire.LIMIT))
            if type(reply) is not list or not reply:
                raise ValueError("no reply")
            if reply[0] != "ask":
                return reply
            self._oblige(*reply[1:])

    def _oblige(self, op: str, id: int, *rest: Any) -> None:
        from genutils.check.expect import StillRunning

        parcel = Parcel(self, gradients=False)
        thing, given = parcel.decode("lent", [id]), [wire.decode(r, parcel.decode) for r in rest]
        if op == "get" and str(given[0]).startswith("_"):
            raise Lost("asks for what is not public")
        try:
            before = [np.array(a) if type(a) is np.ndarray else None for a in given[0]] if op == "call" else []
            value = perform(op, thing, given)
            pairs = enumerate(zip(before, given[0] if before else [], strict=True))
            changed = [(i, a) for i, (b, a) in pairs if b is not None and a.tobytes() != b.tobytes()]
            data = parcel.dumps(("value", value, changed))
        except (Lost, StillRunning):
            raise
        except Exception as error:
            if isinstance(error, AssertionError):
                self.broken = error
            data = parcel.dumps(("error", wire.names(error), str(error)[:500]))
        wire.send(self.socket, data)

    def _raise_broken(self) -> None:
        broken, self.broken = self.broken, None
        if broken is not None:
            raise broken


def perform(op: str, thing: Any, given: list) -> Any:
    """A question about an object of the check's or the student's own."""
    match op:
        case "call":
            return thing(*given[0], **given[1])
        case "get":
            return getattr(thing, given[0])
        case "item":
            return thing[given[0]]
        case "len":
            return len(thing)
        case "iter":
            return iter(thing)
        case "next":
            try:
                return True, next(thing)
            except StopIteration:
                return False, None
    raise ValueError(f"no question {op!r}")


class Parcel:
    """One question on its way: what was handed over with it, so that what comes back can be joined to it."""

    def __init__(self, line: Line, gradients: bool = True):
        self.line, self.gradients = line, gradients
        self.leaves: list[Any] = []  # tensors that require gradients, and weights

    def dumps(self, message: Any) -> bytes:
        parcel = self

        class Pickler(cloudpickle.Pickler):
            def persistent_id(self, thing: Any) -> Any:
                return parcel.stands_for(thing)

        out = io.BytesIO()
        Pickler(out, protocol=5).dump(message)
        return out.getvalue()

    def stands_for(self, thing: Any) -> Any:
        """What goes in place of a thing that is not simply copied; None for the others."""
        if type(thing) is Remote:
            return "kept", thing._id
        if isinstance(thing, np.random.Generator):
            copy = _copy(thing.bit_generator)
            thing.bit_generator.state = type(thing.bit_generator)(thing.integers(2**63, size=4)).state
            return "generator", type(thing), copy
        if wire.is_tensor(thing) and (thing.requires_grad or type(thing).__name__ == "Parameter"):
            if not self.gradients:
                raise TypeError("gradients do not pass through a function of the check")
            at = next((i for i, leaf in enumerate(self.leaves) if leaf is thing), len(self.leaves))
            if at == len(self.leaves):
                self.leaves.append(thing)
            grad = None if not thing.is_leaf or thing.grad is None else thing.grad.numpy()
            weight = type(thing).__name__ == "Parameter"
            return "leaf", at, thing.detach().numpy(), grad, thing.requires_grad, weight
        if _lendable(thing):
            lent = self.line.lent
            at = next((i for i, other in enumerate(lent) if other is thing), len(lent))
            if at == len(lent):
                lent.append(thing)
            return "lent", at, getattr(thing, "__name__", type(thing).__name__)
        return None

    def decode(self, kind: str, rest: list) -> Any:
        match kind:
            case "remote":
                return Remote(self.line, int(rest[0]), str(rest[1]))
            case "lent":
                if type(rest[0]) is not int or not 0 <= rest[0] < len(self.line.lent):
                    raise Lost("asks for something that it was not lent")
                return self.line.lent[rest[0]]
            case "tracked" if self.gradients:
                return _through(self.line, int(rest[0]), wire.decode(rest[1], self.decode), self.leaves)
        raise Lost(f"sent {kind[:40]}")

    def take_weights(self, weights: list | None) -> None:
        """Copy back what a step has made of the weights that were handed over."""
        if not self.line.learning:
            return
        import torch

        for leaf, (data, grad, requires_grad) in zip(self.leaves, weights or [], strict=True):
            new = [None if w is None else torch.as_tensor(wire.decode(w, self.decode)) for w in (data, grad)]
            if any(w is not None and (w.shape != leaf.shape or w.dtype != leaf.dtype) for w in new) or new[0] is None:
                raise Lost("sent weights of another shape")
            if type(leaf).__name__ == "Parameter":
                leaf.requires_grad_(requires_grad is True)
                leaf.data.copy_(new[0])
                leaf.grad = new[1]


def _copy(bit_generator: Any) -> Any:
    copy = type(bit_generator)()
    copy.state = bit_generator.state
    return copy


def _lendable(thing: Any) -> bool:
    """Whether a thing belongs to the checks: a function, or an object of a class, that one of them defines."""
    if isinstance(thing, types.MethodType):
        return _lendable(thing.__self__)
    if isinstance(thing, types.GeneratorType):
        return True
    if isinstance(thing, types.FunctionType):
        method = thing.__qualname__.split(".")[-2:-1] not in ([], ["<locals>"])  # copied with its class
        return str(thing.__module__).startswith(CHECKS) and not method
    torch = sys.modules.get("torch")
    kind = type(thing)
    copied = (type, BaseException, np.ndarray, *((torch.nn.Module, torch.Tensor) if torch else ()))
    return str(kind.__module__).startswith(CHECKS) and not isinstance(thing, copied)


def _through(line: Line, id: int, value: Any, leaves: list) -> Any:
    """A tensor that depends on the leaves by way of another process, which is asked for the gradients."""
    if not leaves:
        return value
    import torch

    class Through(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            return value

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, grad: Any) -> Any:
            found = line.ask("grad", id, grad)
            right = type(found) is list and len(found) == len(leaves)
            for g, leaf in zip(found, leaves, strict=True) if right else ():
                right = right and (g is None or type(g) is torch.Tensor and g.shape == leaf.shape)
            if not right:
                line.fault = Verdict.DIED
                raise Lost(line.fault)
            return tuple(None if g is None else g.to(leaf.dtype) for g, leaf in zip(found, leaves, strict=True))

    return Through.apply(*leaves)


class Remote:
    """An object that lives in the student's process."""

    def __init__(self, line: Line, id: int, kind: str = "function"):
        self.__dict__.update(_line=line, _id=id, _kind=kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._line.ask("call", self._id, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._line.ask("get", self._id, name)

    def __getitem__(self, key: Any) -> Any:
        return self._line.ask("item", self._id, key)

    def __len__(self) -> int:
        return int(self._line.ask("len", self._id))

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Any:
        steps = self._line.ask("iter", self._id)
        while True:
            more, value = self._line.ask("next", steps._id if isinstance(steps, Remote) else -1)
            if more is not True:
                return
            yield value

    def __repr__(self) -> str:
        return f"<{self._kind} object>"
