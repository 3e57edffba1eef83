"""What a check may say: each function raises `Wrong` with what was expected, what came, and the named mistake.

A learner's return value is not trusted: it is turned into plain numbers, text or lists *of exactly those types* before
it is compared, so that an object whose ``__eq__`` is always true earns nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

WRITTEN: list[Any] = []  # arguments that an answer in another process, which gets copies, says it has written into
_SCALARS = (bool, int, float, str, bytes, type(None))
BITS = "that is in bits: nats take the natural logarithm"  # hints for an answer in the other unit
NATS = "that is in nats: bits take log2, or a division by log 2"
RARE = 1e-9  # a p-value below it is no accident: a check makes about ten tests, and is run at many seeds
FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}  # tolerances of `expect_close` that let single precision pass


class Wrong(AssertionError):
    """An answer that breaks a property. ``str()`` gives the report as plain text."""

    def __init__(self, says: str, *, given: str = "", expected: str = "", got: str = "", hint: str = ""):
        self.says, self.given, self.expected, self.got, self.hint = says, given, expected, got, hint
        super().__init__(self.text())

    def text(self) -> str:
        parts = [self.says]
        if self.given:
            parts.append(f"given {self.given}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.got:
            parts.append(f"got {self.got}")
        if self.hint:
            parts.append(f"hint: {self.hint}")
        return "; ".join(parts)


class StillRunning(Wrong):
    """An answer that had not ended when its time was up; by this type, and by nothing else, a grader knows it."""

    def __init__(self, seconds: float):
        super().__init__(f"your function was still running after {seconds:g} seconds", hint="a loop that never ends?")


def brief(value: Any, limit: int = 160) -> str:
    """A value on one line, short enough for a report.

    >>> brief(np.arange(3) / 2)
    '[0.  0.5 1. ]'
    """
    if isinstance(value, np.ndarray) and value.ndim:
        text = np.array2string(value, precision=4, threshold=12, edgeitems=4, separator=" ")
    elif isinstance(value, (float, np.floating)):
        text = f"{float(value):.6g}"
    else:
        try:
            text = repr(value)
        except Exception:  # a learner's own __repr__ may fail
            text = f"an object of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def numbers(value: Any, says: str = "your function returns numbers", *, given: str = "") -> np.ndarray:
    """The value as a plain numeric array; `Wrong` if it is anything else (None, an object, text)."""
    kind = type(value)
    if value is None:
        raise Wrong(says, given=given, got="None", hint="the function ended without a `return`")
    if kind.__module__.partition(".")[0] == "torch" and kind.__name__ == "Tensor":
        value = value.detach().cpu().numpy()
    elif not (kind in (bool, int, float, list, tuple) or kind is np.ndarray or kind.__module__ == "numpy"):
        raise Wrong(says, given=given, expected="a number or an array", got=f"an object of type {kind.__name__}")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise Wrong(says, given=given, expected="numbers of one shape", got=brief(value)) from error
    if type(array) is not np.ndarray or array.dtype.kind not in "biuf":
        raise Wrong(says, given=given, expected="numbers", got=brief(value))
    return array


def number(value: Any, says: str = "your function returns one number", *, given: str = "") -> float:
    """The value as one float, from a scalar or an array of one entry; `Wrong` if it is anything else.

    >>> number(np.array([[2.5]]))
    2.5
    """
    array = numbers(value, says, given=given)
    if array.size != 1:
        raise Wrong(says, given=given, expected="one number", got=brief(array))
    return float(array.reshape(()))


def pair(value: Any, says: str, given: str = "") -> tuple:
    """The two things that a function was to return; `Wrong` if they are not two."""
    if type(value) is np.ndarray and value.ndim and value.dtype != object:
        value = list(value)
    if type(value) not in (tuple, list) or len(value) != 2:
        got = brief(value) if type(value) in (int, float, type(None)) else f"{type(value).__name__}"
        got += f" of {len(value)}" if type(value) in (tuple, list) else ""
        raise Wrong(says, given=given, expected="two things", got=got, hint="end with `return first, second`")
    return tuple(value)


def plain(value: Any, says: str, *, given: str = "") -> Any:
    """The value made of built-in types only (numpy scalars and arrays become Python numbers and lists)."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if (
        kind.__module__ == "numpy"
        and hasattr(value, "tolist")
        and getattr(value, "dtype", np.dtype(object)).kind != "O"
    ):
        return value.tolist()
    if kind in (list, tuple):
        return kind(plain(v, says, given=given) for v in value)
    if kind is dict:
        return {plain(k, says, given=given): plain(v, says, given=given) for k, v in value.items()}
    raise Wrong(says, given=given, expected="plain numbers, text or lists", got=f"an object of type {kind.__name__}")


def expect_close(
    got: Any,
    want: Any,
    says: str,
    *,
    given: str = "",
    mistakes: Iterable[tuple[Any, str]] = (),
    hint: str = "",
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Numbers equal up to rounding, with the same shape.

    Args:
        got: what the learner's function returned.
        want: the number or array that the property demands.
        says: the property, as a sentence.
        given: the input, in words.
        mistakes: pairs (value, hint); if ``got`` equals such a value, its hint names the mistake.
        hint: what to say if no such value is met.
        rtol, atol: tolerances, as `numpy.allclose`.
    """
    array, target = numbers(got, says, given=given), np.asarray(want, dtype=float) + 0.0  # nobody expects -0
    for value, words in mistakes:
        value = np.asarray(value, dtype=float)
        if value.shape == array.shape and np.allclose(array, value, rtol=rtol, atol=atol, equal_nan=True):
            hint = words
            break
    if array.shape == target.shape and np.allclose(array, target, rtol=rtol, atol=atol):
        return
    if array.shape != target.shape:
        expected, came = f"shape {target.shape}", f"shape {array.shape}, {brief(array)}"
        if array.size == target.size == 1:
            array, target = array.reshape(()), target.reshape(())
            return expect_close(array, target, says, given=given, mistakes=mistakes, hint=hint, rtol=rtol, atol=atol)
    else:
        expected, came = brief(target if target.ndim else float(target)), brief(array if array.ndim else array.item())
        if not hint and np.isnan(array).any():
            hint = "nan: is there a 0 times log 0, or 0/0, in it?"
    raise Wrong(says, given=given, expected=expected, got=came, hint=hint)


def expect_equal(
    got: Any, want: Any, says: str, *, given: str = "", mistakes: Iterable[tuple[Any, str]] = (), hint: str = ""
) -> None:
    """Discrete things (text, bytes, lists of integers) equal to the letter."""
    value = plain(got, says, given=given)
    want = plain(want, says)
    if type(value) is tuple and type(want) is list:
        value = list(value)
    if type(value) is type(want) and value == want:
        return
    hint = next((words for wrong, words in mistakes if type(value) is type(wrong) and value == wrong), hint)
    raise Wrong(says, given=given, expected=brief(want), got=brief(value), hint=hint)


def expect(
    condition: bool | np.bool_, says: str, *, given: str = "", expected: str = "", got: Any = "", hint: str = ""
) -> None:
    """A property that is true or false. The condition must come from plain numbers."""
    if type(condition) not in (bool, np.bool_):
        raise TypeError(f"a check must compare plain values; the condition is {type(condition).__name__}")
    if not condition:
        raise Wrong(says, given=given, expected=expected, got=got if isinstance(got, str) else brief(got), hint=hint)


def expect_shape(array: np.ndarray, shape: tuple[int, ...], says: str, *, given: str = "", hint: str = "") -> None:
    """An array (out of `numbers`) of the one shape that is right."""
    expect(array.shape == shape, says, given=given, expected=f"shape {shape}", got=f"shape {array.shape}", hint=hint)


def unchanged(
    before: Any, after: Any, says: str = "your arguments are left as they were", *, given: str = "", hint: str = ""
) -> None:
    """The arguments were not written into: an array, or several in a tuple or list, and what was handed over."""
    whole = [before, after]
    if isinstance(before, np.ndarray):
        before, after = [before], [after]
    same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True))
    same = same and not any(thing is w for w in WRITTEN for thing in (*whole, *before, *after))
    expect(same, says, given=given, hint=hint or "work on a copy")


def expect_raises(
    call: Callable[[], Any], kind: type[Exception], says: str, *, given: str = "", hint: str = ""
) -> None:
    """Bad input must be refused with the stated kind of error; an assertion that refuses it is told apart."""
    try:
        value = call()
    except NotImplementedError:
        raise
    except kind:
        return
    except Exception as error:
        if isinstance(error, AssertionError):
            hint = f"raise {kind.__name__}(...) yourself: an assert raises another kind of error"
        raise Wrong(
            says, given=given, expected=kind.__name__, got=f"{type(error).__name__}: {error}", hint=hint
        ) from None
    raise Wrong(says, given=given, expected=f"a {kind.__name__}", got=brief(value), hint=hint)


def is_distribution(p: np.ndarray, atol: float = 1e-6) -> bool:
    """Whether the last axis is finite, nonnegative and sums to one."""
    return bool(np.isfinite(p).all() and (p >= -atol).all() and np.allclose(p.sum(-1), 1, rtol=0, atol=atol))
