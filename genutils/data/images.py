"""Pictures: handwritten digits of 8 x 8 pixels and 17 grey levels, and patches of two photographs of 256."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, split by row and never shuffled across.

    ``train``, ``validation`` and ``test`` are (N, 8, 8) uint8 with grey levels 0 ... 16 (0 is paper), for N = 1000,
    350 and 447; ``train_labels`` and so on are (N,) uint8, 0 ... 9. The arrays are read-only.
    """

    train: np.ndarray = field(repr=False)
    validation: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    train_labels: np.ndarray = field(repr=False)
    validation_labels: np.ndarray = field(repr=False)
    test_labels: np.ndarray = field(repr=False)
    levels: int = 17


@functools.cache
def digits() -> Digits:
    """1,797 real scans of handwritten digits, 8 x 8 pixels with 17 grey levels, from scikit-learn.

    Rows 0-999 are for training, 1000-1349 for validation and 1350-1796 for the test, in scikit-learn's order.

    Returns:
        A `Digits`.

    Source: Alpaydin and Kaynak (1998), as distributed with scikit-learn.

    >>> digits().train.shape, digits().test.shape, int(digits().train.max())
    ((1000, 8, 8), (447, 8, 8), 16)
    """
    package = importlib.util.find_spec("sklearn")  # found, not imported: that would take longer than reading the file
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError(
            "the digits come with scikit-learn, which is not installed; run: pip install scikit-learn"
        )
    file = pathlib.Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    table = np.loadtxt(file, delimiter=",", dtype=np.uint8)  # 64 levels and a label in each row
    images, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    parts = slice(0, 1000), slice(1000, 1350), slice(1350, 1797)
    arrays = [images[p].copy() for p in parts] + [labels[p].copy() for p in parts]
    for array in arrays:
        array.setflags(write=False)
    return Digits(*arrays)


@dataclass(frozen=True)
class Photos:
    """Square patches of two photographs, no pixel in two of them, split by region.

    ``train``, ``validation`` and ``test`` are (N, size, size) uint8, or (N, size, size, 3) in colour, with levels
    0 (black) ... 255. Mind the sign: in `Digits` 0 is white paper. The arrays are read-only.
    """

    train: np.ndarray = field(repr=False)
    validation: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    levels: int = 256


def photos(size: int = 8, colour: bool = False) -> Photos:
    """Patches of scikit-learn's two photographs (a temple roof and a flower, 427 x 640 pixels each), 256 levels.

    Each photograph is cut into upright strips, over and over: 96 columns for training, 32 for validation, 32 for the
    test. So every part sees the whole scene, and none shares a pixel, or a block of the JPEG file, with another. Strips
    do touch: read a test score as one on *these* photographs. Patches come photograph by photograph, strip by strip and
    row by row; what does not fill a patch is left out.

    Grey is the luma of Rec. 601, ``0.299 R + 0.587 G + 0.114 B``, rounded.

    Args:
        size: of a patch, 2 ... 32 pixels.
        colour: red, green and blue instead of grey.

    Returns:
        A `Photos`. With size 8 there are 5,088, 1,696 and 1,696 patches.

    Raises:
        ValueError: size is not a whole number 2 ... 32, or colour is not True or False.

    Source: the photographs of scikit-learn, china.jpg and flower.jpg.

    >>> photos().train.shape, photos(16, colour=True).test.shape
    ((5088, 8, 8), (416, 16, 16, 3))
    """
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 2 <= size <= 32:
        raise ValueError(f"size is that of a patch, a whole number 2 ... 32 (a strip is 32 wide); it is {size!r}")
    if not isinstance(colour, bool):
        raise ValueError(f"colour is True or False; it is {colour!r}")
    return _patches(int(size), colour)


@functools.cache
def _patches(size: int, colour: bool) -> Photos:
    from sklearn.datasets import load_sample_images

    parts = {"train": (0, 96), "validation": (96, 128), "test": (128, 160)}
    found: dict[str, list[np.ndarray]] = {name: [] for name in parts}
    for image in load_sample_images().images:  # (427, 640, 3)
        if not colour:
            image = np.rint(image @ np.array([[0.299], [0.587], [0.114]])).astype(np.uint8)  # (427, 640, 1)
        for left in range(0, image.shape[1], 160):
            for name, (a, b) in parts.items():
                strip = image[:, left + a : left + b]
                rows, columns = strip.shape[0] // size, strip.shape[1] // size
                grid = strip[: rows * size, : columns * size].reshape(rows, size, columns, size, -1)
                found[name].append(grid.swapaxes(1, 2).reshape(rows * columns, size, size, -1))
    arrays = [np.concatenate(patches) for patches in found.values()]
    if not colour:
        arrays = [array[..., 0] for array in arrays]  # (N, size, size)
    for array in arrays:
        array.setflags(write=False)
    return Photos(*arrays)
