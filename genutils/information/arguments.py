"""Arguments of measures of information, checked once: what is wrong, where, and what to do about it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def floats(values: ArrayLike, name: str, what: str) -> np.ndarray:
    try:
        return np.asarray(values.detach().cpu().double() if hasattr(values, "detach") else values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be {what}; it is {type(values).__name__}: {error}") from None


def refuse(bad: np.ndarray, values: np.ndarray, name: str, why: str) -> None:
    """ValueError that names the first bad value and its place."""
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"[{', '.join(map(str, at))}]" if at else ""
        raise ValueError(f"{name}{where} = {values[at]} {why}")


def tolerance(p: ArrayLike, outcomes: int) -> float:
    """How far from 1 the sum of probabilities may be that were computed and added up in float32, or in float16.

    Measured on the softmax of torch and of numpy: 2e-6 for a thousand outcomes, 2e-5 for 50,257, 5e-4 for a million.
    """
    kind = str(getattr(p, "dtype", "")).removeprefix("torch.")
    return max(1e-5, outcomes / 32 * 2.0**-23, {"float16": 2.0**-9, "bfloat16": 2.0**-6}.get(kind, 0.0))


def distribution(p: ArrayLike, name: str, axes: tuple[int, ...]) -> np.ndarray:
    """``p`` as float64, nonnegative and summing to 1 over the axes, or ValueError.

    A sum that is off by what float32 may have lost (`tolerance`) is divided out.
    """
    given, p = p, floats(p, name, "an array of probabilities")
    if p.ndim < len(axes) or p.size == 0:
        raise ValueError(f"{name} needs at least {len(axes)} axes with something in them; its shape is {p.shape}")
    refuse(~(np.isfinite(p) & (p >= 0)), p, name, "is not a probability; they are finite and not negative")
    total = p.sum(axes, keepdims=True)
    off = np.abs(total - 1)
    if (off > tolerance(given, p.size // total.size)).any():
        worst = np.unravel_index(np.argmax(off), total.shape)
        summed = {axis % p.ndim for axis in axes}
        place = [":" if axis in summed else str(i) for axis, i in enumerate(worst)]
        where = f"[{', '.join(place)}]" if p.ndim > len(axes) else ""
        raise ValueError(
            f"{name}{where} sums to {total[worst]:.6g}, not to 1; if these are counts, divide them by their sum first"
        )
    return p / total if (off > 1e-9).any() else p


def scale(base: float | None) -> float:
    """Nats per unit of the given base."""
    if base is None:
        return 1.0
    if not isinstance(base, (int, float, np.number)) or not 1 < base < math.inf:
        raise ValueError(f"base must be a number above 1; it is {base!r}. Use base=2 for bits, or none for nats")
    return math.log(base)
