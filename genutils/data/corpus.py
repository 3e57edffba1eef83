"""An English text in three parts, and the alphabet that it is written in; or a text file of your own."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

PACKAGE, VERSION = "scipy", "1.17.1"  # whose prose it is; requirements.txt pins the same version
SHA256 = "f954d49f52dd243490881a8fcdec6de838ac81c14513e2555a8ed48acb85cf6b"  # of the whole text


@dataclass(frozen=True)
class Text:
    """A text in three parts, each a running text: 80 % for training, 10 % for validation, 10 % for the test.

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
    """English technical prose (what scipy's documentation says in whole sentences), or a text file of your own.

    The text is read from the sources of scipy 1.17.1, which the course pins, so it is the same everywhere; a digest is
    compared each time. It consists of those paragraphs of the docstrings that are prose: at least 120 characters, from
    a capital letter to a full stop, without formulas or code. Each is one line, with an empty line after it. Markup is
    taken off, nothing else is replaced: the few characters outside ASCII stay, each one symbol of the alphabet. A file
    holds them as several bytes, so bits per character and bits per byte differ a little.

    Docstrings are dealt out to the three parts in turn, each whole, so that the parts speak of the same things. And a
    paragraph that repeats 45 characters of an earlier one, from the beginning of a word on, is left out: documentation
    quotes itself, and a test text that was seen in training would flatter whatever looks far back, be it a model or xz.

    Args:
        path: a UTF-8 text file of your own, of at least 1,000 characters. A byte-order mark is dropped and every line
            end becomes a newline, as Python does when it reads text; all else stays. It is cut at 80 % and 90 %.

    Returns:
        A `Text`.

    Raises:
        ImportError: scipy is missing, has another version or was changed; says which, and how to install the right one.
        FileNotFoundError, IsADirectoryError, PermissionError, ValueError: the file cannot serve; says why, what was
            expected and what to do.

    >>> corpus = text()
    >>> corpus.decode(corpus.encode("entropy"))
    'entropy'
    """
    if path is None:
        return _documentation()
    return _split(_read(pathlib.Path(path).expanduser()), f"{path}")


@functools.cache
def _documentation() -> Text:
    remedy = f'run "pip install --force-reinstall {PACKAGE}=={VERSION}", or give text() a file of your own'
    wanted = f"text() is read from the documentation of {PACKAGE} {VERSION}"
    found = importlib.util.find_spec(PACKAGE)  # finds the package without importing it
    if found is None or not found.origin:
        raise ModuleNotFoundError(f"{wanted}, which is not installed: {remedy}", name=PACKAGE)
    version = importlib.metadata.version(PACKAGE)
    if version != VERSION:
        raise ImportError(f"{wanted}, and version {version} is installed, which says other things: {remedy}")
    train, validation, test = _deal(_docstrings(pathlib.Path(found.origin).parent))
    if hashlib.sha256((train + validation + test).encode()).hexdigest() != SHA256:
        raise ImportError(f"{wanted}, and the one that is installed was changed: {remedy}")
    return _text(train, validation, test, f"documentation of {PACKAGE} {VERSION}")


def _deal(docstrings: Iterator[str]) -> tuple[str, str, str]:
    """Training, validation and test: each docstring goes to a part that is short of a tenth of all so far, if any."""
    parts, seen = ([], [], []), set()
    size = [0, 0, 0]
    for docstring in docstrings:
        new = [paragraph + "\n\n" for paragraph in _paragraphs(docstring) if _is_new(paragraph, seen)]
        to = next((i for i in (2, 1) if 10 * size[i] < sum(size)), 0)
        parts[to].extend(new)
        size[to] += sum(map(len, new))
    return tuple("".join(part) for part in parts)


def _docstrings(folder: pathlib.Path) -> Iterator[str]:
    """What stands between triple quotes at the beginning of a line, module by module.

    ``ast`` would need ten times as long, and warns of what a newer Python calls an invalid escape.
    """
    # Subpackages that the world may see: what stands beside them was partly written by the installation, and differs.
    files = {file.relative_to(folder).as_posix(): file for file in folder.glob("[a-z]*/**/*.py")}
    for name, file in sorted(files.items()):
        if "/tests/" in name:
            continue
        pieces = file.read_bytes().decode().replace("\r\n", "\n").split('"""')
        for before, inside in zip(pieces[::2], pieces[1::2], strict=False):
            indent = before[before.rfind("\n") + 1 :].rstrip("rR")
            if not indent.strip():
                yield indent + inside


_BLOCK = re.compile(r"^( *)(\S.*(?:\n\1\S.*)*)", re.M)  # lines one below another that begin in the same column
_LISTED = re.compile(r"\.\. |[-*+] |\d|\[")  # a directive, an item of a list, a reference: what hangs below is no prose
_MARKUP = (
    (re.compile(r"\[([\w.-]+)\]_+"), r"[\1]"),  # a footnote: [1]_
    (re.compile(r":[a-z:]+:(?=`)"), ""),  # a role: :func:`quad`
    (re.compile(r"`+~?\.?([^`<]*?)(?: *<[^`]*>)?`+_{0,2}"), r"\1"),  # ``code``, `name`, `link <address>`__
    (re.compile(r"\*{1,2}(\w[^*]*?[\w.])\*{1,2}"), r"\1"),  # *emphasis*, **strong**
    (re.compile(r" {2,}"), " "),
)
_SYMBOL = re.compile(r"[^A-Za-z ]")
_NO_PROSE = re.compile(r"[\\|`<>{}~^@#$\u2500-\u257f]|\.\. |::|http|---|>>>|\*\*|==")


def _paragraphs(docstring: str) -> Iterator[str]:
    """Those that are prose, each one line, without markup."""
    for block in _BLOCK.finditer(docstring):
        raw = block[2]
        if len(raw) < 120 or not raw[0].isupper() or raw.rstrip()[-1] != ".":
            continue
        above = docstring[: block.start()].rpartition("\n")[0].rpartition("\n")[2].lstrip()
        if above and _LISTED.match(above):
            continue
        line = " ".join(map(str.strip, raw.split("\n")))
        for markup, plain in _MARKUP:
            line = markup.sub(plain, line)
        if len(line) >= 120 and not _NO_PROSE.search(line) and len(_SYMBOL.findall(line)) <= 0.1 * len(line):
            yield line


def _is_new(paragraph: str, seen: set[str], width: int = 45) -> bool:
    """Whether none of its runs of characters, from the beginning of each word on, was seen; those of a new one are."""
    begins = [0, *(i + 1 for i in range(len(paragraph) - width) if paragraph[i] == " ")]
    runs = {paragraph[i : i + width] for i in begins}
    if new := seen.isdisjoint(runs):
        seen |= runs
    return new


def _text(train: str, validation: str, test: str, name: str) -> Text:
    whole = train + validation + test
    mark = hashlib.sha256(whole.encode()).hexdigest()[:12]
    source = f"{name}, {len(whole):,} characters, sha256 {mark}"
    return Text(train, validation, test, "".join(sorted(set(whole))), source)


def _split(whole: str, name: str) -> Text:
    a, b = int(0.8 * len(whole)), int(0.9 * len(whole))
    return _text(whole[:a], whole[a:b], whole[b:], name)


def _read(path: pathlib.Path) -> str:
    wanted = "text() reads a plain text file in UTF-8 of at least 1,000 characters"
    try:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; {wanted}: name one file in it")
        if not path.exists():
            raise FileNotFoundError(
                f"there is no file {path} (looked in {pathlib.Path.cwd()}); {wanted}: check the name"
            )
        if not path.is_file():  # a pipe or a device would be read for ever
            raise ValueError(f"{path} is not an ordinary file; {wanted}: save the text in one")
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
