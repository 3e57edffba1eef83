"""The data of the course: digits, photographs, text, five densities of known entropy. Offline, never shuffled."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pathlib
import platform
from dataclasses import dataclass, field

import numpy as np

DENSITIES = ("ring", "moons", "pinwheel", "checkerboard", "spiral")


def __getattr__(name: str):
    """The 2-D densities come from `genutils.densities`, which needs torch, only when one is asked for."""
    if name in DENSITIES:
        from genutils import densities

        return getattr(densities, name)
    if name == "sprites":
        from genutils.sprites import sprites

        return sprites
    raise AttributeError(
        f"module 'genutils.data' has no {name!r}; it has digits, photos, text, sprites and the densities "
        + ", ".join(DENSITIES)
    )


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


@dataclass(frozen=True)
class Text:
    """A text in three contiguous parts: the first 80 % for training, 10 % for validation, the last 10 % for the test.

    ``alphabet`` holds the distinct characters of the *whole* text, sorted: which characters exist is taken as known, so
    that a model can give each of them a probability; how often they occur must be learned from ``train``. ``source``
    says which text it is: its name, length and the first digits of its SHA-256.
    """

    train: str = field(repr=False)
    validation: str = field(repr=False)
    test: str = field(repr=False)
    alphabet: str = field(repr=False)
    source: str

    def encode(self, characters: str) -> np.ndarray:
        """(n,) int64 places in the alphabet; ValueError names a character that is not in it."""
        if not isinstance(characters, str):
            raise TypeError(f"encode takes a str, not {type(characters).__name__}")
        codes = np.frombuffer(characters.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        known = np.frombuffer(self.alphabet.encode("utf-32-le"), dtype=np.uint32)
        ids = np.searchsorted(known, codes).clip(max=len(known) - 1)
        wrong = np.flatnonzero(known[ids] != codes)
        if len(wrong):
            raise ValueError(
                f"character {characters[wrong[0]]!r} at position {wrong[0]} is not among the {len(self.alphabet)} of "
                "this text; leave it out or replace it"
            )
        return ids.astype(np.int64)

    def decode(self, ids: np.ndarray) -> str:
        """The characters at these (n,) places in the alphabet; ValueError names a place that is not in it."""
        ids, last = np.asarray(ids), len(self.alphabet) - 1
        if ids.ndim != 1 or (ids.size and not np.issubdtype(ids.dtype, np.integer)):
            raise ValueError(f"decode needs integers 0 ... {last} of shape (n,); these are {ids.dtype} of {ids.shape}")
        wrong = np.flatnonzero((ids < 0) | (ids > last))
        if len(wrong):
            raise ValueError(f"decode needs integers 0 ... {last}; ids[{wrong[0]}] = {ids[wrong[0]]}")
        return "".join(self.alphabet[i] for i in ids)


def text(path: str | os.PathLike | None = None) -> Text:
    """English technical prose (the topics of Python's own ``help()``), or a text file of your own.

    The topics are joined in the order of their names, with an empty line between them. Their wording and length change
    from one version of CPython to the next, and measured numbers with them; ``source`` says which text it is. Nothing
    is replaced: the few characters outside ASCII (curly quotes, dashes) stay, each one symbol of the alphabet. A file
    holds them as several bytes, so bits per character and bits per byte differ a little.

    Real text repeats itself: some help topics quote whole paragraphs of others, so about a seventh of ``test`` (CPython
    3.11) stands, 60 characters or more at a time, in ``train`` too. Whatever looks far back gains from that, be it a
    model or xz: read a test score as one on *this* manual, not on English.

    Args:
        path: a UTF-8 text file of your own, of at least 1,000 characters. A byte-order mark is dropped and every line
            end becomes a newline, as Python does when it reads text; all else stays.

    Returns:
        A `Text`.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError, ValueError: the file cannot serve; says why, what was
            expected and what to do.

    >>> corpus = text()
    >>> corpus.decode(corpus.encode("entropy"))
    'entropy'
    """
    if path is None:
        return _topics()
    return _split(_read(pathlib.Path(path).expanduser()), f"{path}")


@functools.cache
def _topics() -> Text:
    from pydoc_data.topics import topics

    return _split(
        "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n",
        f"help topics of CPython {platform.python_version()}",
    )


def _split(whole: str, name: str) -> Text:
    n = len(whole)
    a, b = int(0.8 * n), int(0.9 * n)
    mark = hashlib.sha256(whole.encode()).hexdigest()[:12]
    source = f"{name}, {n:,} characters, sha256 {mark}"
    return Text(whole[:a], whole[a:b], whole[b:], "".join(sorted(set(whole))), source)


def _read(path: pathlib.Path) -> str:
    wanted = "text() reads a plain text file in UTF-8 of at least 1,000 characters"
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; {wanted}: name one file in it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path} (looked in {pathlib.Path.cwd()}); {wanted}: check the name")
    if not path.is_file():  # a pipe or a device would be read for ever
        raise ValueError(f"{path} is not an ordinary file; {wanted}: save the text in one")
    try:
        data = path.read_bytes()
    except PermissionError as error:
        raise PermissionError(f"{path} may not be read by you; {wanted}: change its permissions or copy it") from error
    remedy = "save it again as UTF-8 in your editor"
    try:
        whole = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start + 3 * data.startswith(b"\xef\xbb\xbf")  # the codec counts from after a byte-order mark
        raise ValueError(f"{path} is not UTF-8: byte {at} is 0x{data[at]:02x}; {wanted}: {remedy}") from error
    if "\0" in whole:
        raise ValueError(f"{path} is not plain text: byte {data.index(0)} is 0x00; {wanted}: if it is UTF-16, {remedy}")
    whole = whole.replace("\r\n", "\n").replace("\r", "\n")
    if len(whole) < 1000:
        held = f"holds {len(whole):,} characters" if whole else "is empty"
        raise ValueError(f"{path} {held}, too few to split in three; {wanted}: choose a longer one")
    return whole
