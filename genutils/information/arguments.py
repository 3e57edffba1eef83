"""Arguments of measures of information, checked once: what is wrong, where, and what to do about it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def floats(values: ArrayLike, name: str, what: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be {what}; it is {type(values).__name__}: {error}") from None


def refuse(bad: np.ndarray, values: np.ndarray, name: str, why: str) -> None:
    """ValueError that names the first bad value and its place."""
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"[{', '.join(map(str, at))}]" if at else ""
        raise ValueError(f"{name}{where} = {values[at]} {why}")


def distribution(p: ArrayLike, name: str, axes: tuple[int, ...]) -> np.ndarray:
    """``p`` as float64, nonnegative and summing to 1 over the axes (to 1e-6), or ValueError."""
    p = floats(p, name, "an array of probabilities")
    if p.ndim < len(axes) or p.size == 0:
        raise ValueError(f"{name} needs at least {len(axes)} axes with something in them; its shape is {p.shape}")
    refuse(~(np.isfinite(p) & (p >= 0)), p, name, "is not a probability; they are finite and not negative")
    total = p.sum(axes, keepdims=True)
    off = np.abs(total - 1)
    if (off > 1e-6).any():
        worst = np.unravel_index(np.argmax(off), total.shape)
        summed = {axis % p.ndim for axis in axes}
        place = [":" if axis in summed else str(i) for axis, i in enumerate(worst)]
        where = f"[{', '.join(place)}]" if p.ndim > len(axes) else ""
        raise ValueError(
            f"{name}{where} sums to {total[worst]:.6g}, not to 1; if these are counts, divide them by their sum first"
        )
    return p


def scale(base: float | None) -> float:
    """Nats per unit of the given base."""
    if base is None:
        return 1.0
    if not isinstance(base, (int, float, np.number)) or not 1 < base < math.inf:
        raise ValueError(f"base must be a number above 1; it is {base!r}. Use base=2 for bits, or none for nats")
    return math.log(base)
