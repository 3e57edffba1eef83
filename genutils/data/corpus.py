"""An English text in three parts, and the alphabet that it is written in; or a text file of your own."""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import platform
from dataclasses import dataclass, field

import numpy as np


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
