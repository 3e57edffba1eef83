"""Sprites: small pictures drawn from causes that are known, so that what a model finds can be held to the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

SIZE = 16
SHAPES = ("disc", "square", "triangle")
FACTORS = ("x", "y", "size", "angle", "shape")


@dataclass(frozen=True)
class Sprites:
    """Pictures and what caused them.

    ``images`` is (N, 16, 16) float64 in [0, 1], 0 being paper. ``factors`` is (N, 5), its columns named by ``names``:

    - ``x``, ``y``: the centre, in pixels from the left and from the top, 5.5 ... 10.5;
    - ``size``: radius of the disc of the same area, 1.8 ... 3.2 pixels;
    - ``angle``: radians. A square looks the same after a quarter of a turn, a triangle after a third, a disc always;
    - ``shape``: 0, 1 or 2, a place in ``SHAPES``.

    ``sprites["x"]`` is one column.
    """

    images: np.ndarray = field(repr=False)
    factors: np.ndarray = field(repr=False)
    names: tuple[str, ...] = FACTORS

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(f"no factor {name!r}; the factors are {', '.join(self.names)}")
        return self.factors[:, self.names.index(name)]

    def __len__(self) -> int:
        return len(self.images)


def sprites(
    n: int, *, generator: np.random.Generator | None = None, shapes: tuple[str, ...] = SHAPES, noise: float = 0.0
) -> Sprites:
    """n pictures of independent causes: every factor uniform on its range, every shape equally likely.

    Args:
        n: how many.
        generator: of numpy.
        shapes: which of ``SHAPES`` come.
        noise: standard deviation of Gaussian noise on each pixel; the values are then no longer within [0, 1].

    Raises:
        ValueError: n is not positive, or a shape is not known.

    >>> some = sprites(3, generator=np.random.default_rng(0))
    >>> some.images.shape, some["x"].shape
    ((3, 16, 16), (3,))
    """
    if n < 1:
        raise ValueError(f"n is the number of pictures, 1 or more; it is {n!r}")
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise is a standard deviation, 0 or more; it is {noise}")
    unknown = [s for s in shapes if s not in SHAPES]
    if unknown or not shapes:
        raise ValueError(f"shapes are some of {', '.join(SHAPES)}; not {unknown or shapes}")
    rng = generator or np.random.default_rng()
    kind = rng.choice([SHAPES.index(s) for s in shapes], size=n)
    turn = np.where(kind == 1, math.pi / 2, np.where(kind == 2, 2 * math.pi / 3, 0.0))  # then it looks the same again
    factors = np.stack(
        [rng.uniform(5.5, 10.5, n), rng.uniform(5.5, 10.5, n), rng.uniform(1.8, 3.2, n), rng.random(n) * turn, kind],
        axis=1,
    )
    images = _draw(factors)
    if noise:
        images = images + noise * rng.standard_normal(images.shape)
    return Sprites(images, factors)


def sprite(x: float = 8.0, y: float = 8.0, size: float = 3.0, angle: float = 0.0, shape: str = "disc") -> np.ndarray:
    """(16, 16) one picture drawn from given causes, in [0, 1]; anything off the paper is cut off.

    The ink of a pixel is how far it lies inside the shape, from half a pixel outside (0) to half a pixel inside (1), so
    that a picture changes smoothly with its causes.

    Args:
        x, y: the centre, in pixels from the left and from the top; 8 is the middle.
        size: radius of a disc, in pixels; of the disc with the same area, for a square or triangle.
        angle: radians, clockwise on the page.
        shape: one of ``SHAPES``.

    Raises:
        ValueError: a factor cannot be drawn.

    >>> bool(abs(sprite(size=3).sum() - math.pi * 3**2) < 0.3)  # ink is area
    True
    """
    if shape not in SHAPES:
        raise ValueError(f"no shape {shape!r}; the shapes are {', '.join(SHAPES)}")
    values = np.array([[x, y, size, angle, SHAPES.index(shape)]], dtype=np.float64)
    if not np.isfinite(values).all() or size <= 0:
        raise ValueError(f"factors are finite and size is positive; they are {values[0, :4].tolist()}")
    return _draw(values)[0]


def _draw(factors: np.ndarray) -> np.ndarray:
    """(N, 16, 16) by the signed distance of each pixel's centre to the rim."""
    x, y, size, angle, kind = (c[:, None, None] for c in factors.T)
    at = np.arange(SIZE) + 0.5
    dx, dy = at[None, None, :] - x, at[None, :, None] - y
    u, v = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx  # as the shape sees it
    disc = size - np.hypot(u, v)
    square = _regular(u, v, 4, size)
    triangle = _regular(u, v, 3, size)
    inside = np.where(kind == 0, disc, np.where(kind == 1, square, triangle))
    return np.clip(inside + 0.5, 0.0, 1.0)


def _regular(u: np.ndarray, v: np.ndarray, sides: int, size: np.ndarray) -> np.ndarray:
    """Distance inside a regular polygon that has the area of a disc of radius ``size``."""
    inner = size * math.sqrt(math.pi / (sides * math.tan(math.pi / sides)))  # from the centre to a side
    turns = 2 * math.pi * np.arange(sides) / sides
    return inner - np.max([u * math.sin(t) - v * math.cos(t) for t in turns], axis=0)
