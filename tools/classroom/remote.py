"""The judge's end of the line: asks an answer that lives in another process, and obliges it meanwhile.

The judge never runs, unpickles or evaluates anything that comes from the student. Arguments travel as a pickle; values
come back as JSON that can only be numbers, text, arrays and containers of them. Any other object stays where it is, and
the check gets a `Remote` whose calls, attributes and items are further questions. So nothing that the student's code
does to its own process (patched libraries, edited frames, objects that equal everything) reaches the one that decides.
"""

from __future__ import annotations

import json
import pickle
import socket
import time
import types
from typing import Any

import numpy as np

from tools.classroom import wire
from tools.classroom.handover import Parcel
from tools.classroom.verdict import Verdict
from tools.classroom.wire import Lost


class Line:
    """Asks, waits until a deadline, and remembers what went wrong."""

    def __init__(self, socket: socket.socket, learning: bool = False):
        self.socket, self.learning, self.deadline = socket, learning, time.monotonic() + 60
        self._inbox = wire.Inbox(socket)
        self.fault: Verdict | None = None  # why nothing more can be asked: TIMEOUT, DIED or UNREAD
        self.theirs: tuple[str, str] | None = None  # the last answer, if it was an error of the student's own
        self.lent: list[Any] = []  # what the answer may ask of the check, by number
        self._numbers: dict[int, int] = {}
        self.broken: BaseException | None = None  # a property that the answer broke inside a function of the check

    def ask(self, *request: Any) -> Any:
        """The answer to a question, or the error that it raised; `Lost` if there is no answer."""
        from genutils.check import expect

        if self.fault:
            raise Lost(self.fault)
        self.theirs = None
        parcel = Parcel(self)
        try:
            self.socket.settimeout(max(0.01, self.deadline - time.monotonic()))
            wire.send(self.socket, parcel.dumps(request))
            kind, *rest = self._next_reply()
            if kind == "value":
                value = wire.decode(rest[0], parcel.decode)
                parcel.take_weights(rest[1])
                getattr(expect, "WRITTEN", []).extend(parcel.written(rest[2]))
                self._raise_broken()
                return value
            names, message = [str(n) for n in rest[0]], str(rest[1])[:500]
        except TimeoutError:
            self.fault = Verdict.TIMEOUT
        except (EOFError, OSError):
            self.fault = Verdict.DIED
        except (Lost, ValueError, TypeError, IndexError, RecursionError, MemoryError, pickle.PicklingError):
            self.fault = self.fault or Verdict.UNREAD
        else:
            self._raise_broken()
            self.theirs = names[0] if names else "error", message
            raise wire.known_error(names, message)
        raise Lost(self.fault)

    def lend(self, thing: Any) -> int:
        """The number by which the answer can ask for a thing of the check's."""
        at = self._numbers.setdefault(id(thing), len(self.lent))
        if at == len(self.lent):
            self.lent.append(thing)
        return at

    def _next_reply(self) -> list:
        """The reply; on the way to it, what the answer asks of the check's own functions is answered.

        The time that this takes here is not the answer's.
        """
        while True:
            reply = json.loads(self._inbox.next(wire.LIMIT, self.deadline).decode())
            if type(reply) is not list or not reply:
                raise ValueError("no reply")
            if reply[0] != "ask":
                return reply
            began = time.monotonic()
            self._oblige(*reply[1:])
            self.deadline += time.monotonic() - began

    def _oblige(self, op: str, id: int, *rest: Any) -> None:
        from genutils.check.expect import StillRunning

        parcel = Parcel(self, gradients=False)
        thing, given = parcel.decode("lent", [id]), [wire.decode(r, parcel.decode) for r in rest]
        if op == "get" and str(given[0]).startswith("_"):
            raise Lost("asks for what is not public")
        try:
            before = [np.array(a) if type(a) is np.ndarray else None for a in given[0]] if op == "call" else []
            if op == "call":
                _leaves_its_own(thing, *given)
            value = perform(op, thing, given)
            pairs = enumerate(zip(before, given[0] if before else [], strict=True))
            changed = [(i, a) for i, (b, a) in pairs if b is not None and a.tobytes() != b.tobytes()]
            reply = "value", value, changed
            data = pickle.dumps(reply, 5) if wire.is_flat(value) else parcel.dumps(reply)
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


def _leaves_its_own(thing: Any, args: Any, named: Any) -> None:
    """`TypeError` if an answer gives a parameter that the check has bound, as in ``def spied(x, asked=asked)``."""
    if type(thing) is types.FunctionType:
        code, bound = thing.__code__, len(thing.__defaults__ or ())
        positional = code.co_varnames[: code.co_argcount]
        own = {*positional[code.co_argcount - bound :], *(thing.__kwdefaults__ or ())}
        if own & set(named) or bound and len(args) > code.co_argcount - bound:
            takes = ", ".join(positional[: code.co_argcount - bound])
            raise TypeError(f"{thing.__name__}({takes}) takes nothing else here")


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
