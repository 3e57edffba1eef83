"""The pages of the built book, as a reader meets them."""

from __future__ import annotations

import functools
import pathlib

from bs4 import BeautifulSoup

ROOT = pathlib.Path(__file__).parents[1]


def discover(book: pathlib.Path) -> list[str]:
    """Addresses of all real pages (a redirect has no article), the shortest first."""
    found = [p for p in book.rglob("*.html") if "_static" not in p.parts and "_sphinx_design_static" not in p.parts]
    real = [p for p in found if soup(p).find(id="main-content") is not None]
    assert real, f"no pages in {book}"
    return sorted((str(p.relative_to(book)) for p in real), key=lambda name: (name.count("/"), name))


@functools.cache
def _parsed(path: pathlib.Path, modified: int) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf8"), "html.parser")


def soup(path: pathlib.Path) -> BeautifulSoup:
    return _parsed(path, path.stat().st_mtime_ns)


@functools.cache
def anchors(path: pathlib.Path) -> set[str]:
    """The ids of a page: what a link can lead to."""
    return {tag["id"] for tag in soup(path).find_all(id=True)}
