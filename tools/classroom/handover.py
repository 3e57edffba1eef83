"""What a check hands over to an answer in another process, and the `Remote` that it gets for what it cannot copy back.

- Plain values, and objects of the libraries, are copied.
- Functions and objects that the check itself defines are *lent*: a call of them is a question back, so that a check can
  watch what it is asked, and nobody can read the truth in a closure.
- Random generators are copied, and the check's own moves on to a place that the answer does not know.
- Tensors that require gradients: a result that depends on them is a tensor through which gradients flow, by asking the
  answer's process for each product with its Jacobian.
- Weights of a network, if the line is ``learning``: what a step has made of them is copied back.
"""

from __future__ import annotations

import io
import sys
import types
from typing import Any

import cloudpickle
import numpy as np

from tools.classroom import wire
from tools.classroom.verdict import Verdict
from tools.classroom.wire import Lost

CHECKS = "genutils.check.lesson_"
_COPIED = frozenset({type(None), bool, int, float, complex, str, bytes, tuple, dict})


class _Pickler(cloudpickle.Pickler):
    parcel: Parcel

    def persistent_id(self, thing: Any) -> Any:
        return None if type(thing) in _COPIED else self.parcel.stands_for(thing)


class Parcel:
    """One question on its way: what was handed over with it, so that what comes back can be joined to it."""

    def __init__(self, line: Any, gradients: bool = True):
        self.line, self.gradients = line, gradients
        self.leaves: list[Any] = []  # tensors that require gradients, and weights
        self.things: list[Any] = []  # arrays and lists, which should come back as they were
        self._views: dict[int, tuple[Any, Any]] = {}  # of a tensor by its id: as an array, and itself

    def dumps(self, message: Any) -> bytes:
        out = io.BytesIO()
        pickler = _Pickler(out, protocol=5)
        pickler.parcel = self
        pickler.dump(message)
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
        if type(thing) is np.ndarray and thing.dtype.kind in "biufcUS":
            return "array", self._number(thing), thing.dtype.str, thing.shape, thing.tobytes()
        if type(thing) is list:
            return "list", self._number(thing), tuple(thing)
        if wire.is_tensor(thing) and thing.device.type == "cpu" and thing.layout is sys.modules["torch"].strided:
            if thing.dtype in _numpy_knows():
                return "tensor", self._views.setdefault(id(thing), (thing.numpy(), thing))[0]
        if _lendable(thing):
            at = self.line.lend(thing)
            return "lent", at, getattr(thing, "__name__", type(thing).__name__)
        return None

    def _number(self, thing: Any) -> int:
        at = next((i for i, known in enumerate(self.things) if known is thing), len(self.things))
        if at == len(self.things):
            self.things.append(thing)
        return at

    def written(self, changed: list) -> list[Any]:
        """The arguments that the answer says it has written into."""
        owners = {id(view): tensor for view, tensor in self._views.values()}
        things = [self.things[i] for i in changed if type(i) is int and 0 <= i < len(self.things)]
        return [owners.get(id(thing), thing) for thing in things]

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


class Remote:
    """An object that lives in the student's process."""

    def __init__(self, line: Any, id: int, kind: str = "function"):
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


def _numpy_knows() -> tuple:
    torch = sys.modules["torch"]
    return torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool, torch.complex64


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


def _through(line: Any, id: int, value: Any, leaves: list) -> Any:
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
                line.fault = Verdict.UNREAD
                raise Lost(line.fault)
            return tuple(None if g is None else g.to(leaf.dtype) for g, leaf in zip(found, leaves, strict=True))

    return Through.apply(*leaves)
