"""The built pages, without a browser: every link leads somewhere, nothing comes from elsewhere, all has a name."""

from __future__ import annotations

import pathlib
import re
import sys
from urllib.parse import unquote, urlsplit

from tests.pages import ROOT, discover, lessons_in_toc, soup

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import family_map  # noqa: E402


def resources(page) -> list[tuple[str, str]]:
    """What a browser loads by itself when it opens the page: (tag, address)."""
    found = [(tag.name, tag["src"]) for tag in page.find_all(src=True)]
    found += [("link", tag["href"]) for tag in page.find_all("link", href=True) if tag.get("rel") != ["canonical"]]
    found += [(tag.name, tag["data"]) for tag in page.find_all("object", data=True)]
    found += [("image", tag.get("href") or tag.get("xlink:href")) for tag in page.find_all("image")]
    return found


def local(book: pathlib.Path, page: str, address: str) -> tuple[pathlib.Path, str]:
    """The file and the anchor that a relative address on a page means."""
    parts = urlsplit(address)
    target = (book / page).parent / unquote(parts.path) if parts.path else book / page
    return target.resolve(), unquote(parts.fragment)


def test_there_are_pages(book):
    pages = discover(book)
    assert {"book/index.html", "book/contents.html", "genindex.html", "search.html"} <= set(pages)
    assert (book / "index.html").exists()


def test_every_link_and_anchor_resolves(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            page, broken = soup(book / name), []
            addresses = [a["href"] for a in page.find_all("a", href=True)] + [address for _, address in resources(page)]
            for address in dict.fromkeys(addresses):
                if urlsplit(address).scheme or address.startswith("//"):
                    continue
                target, anchor = local(book, name, address)
                if not target.is_file():
                    broken.append(address)
                elif anchor and target.suffix == ".html" and not soup(target).find(id=anchor):
                    broken.append(address)
            assert broken == []


def test_pages_load_nothing_from_elsewhere(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            far = [(tag, a) for tag, a in resources(soup(book / name)) if re.match(r"(https?:)?//", a or "")]
            assert far == []


def test_style_sheets_load_nothing_from_elsewhere(book, subtests):
    for sheet in book.rglob("*.css"):
        with subtests.test(sheet=str(sheet.relative_to(book))):
            text = sheet.read_text(encoding="utf8")
            assert re.findall(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")]*)", text) == []


def test_headings_descend_one_step_at_a_time(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            every = soup(book / name).find(id="main-content").find_all(re.compile(r"^h[1-6]$"))
            headings = [h for h in every if h.find_parent(id="jb-print-docs-body") is None]  # that one is for paper
            levels = [int(h.name[1]) for h in headings]
            assert levels[:1] == [1] and levels.count(1) == 1
            pairs = zip(levels, levels[1:], strict=False)
            assert [headings[i + 1].get_text() for i, (before, now) in enumerate(pairs) if now > before + 1] == []
            assert [h for h in headings if not h.get_text(strip=True).strip("#")] == []


def is_name(words: str | None) -> bool:
    """Whether an alternative text says something (a file's name does not)."""
    return bool(words and words.strip()) and not re.fullmatch(r"[\w./\\-]+\.(png|svg|jpe?g|gif)", words.strip())


def test_every_picture_says_what_is_seen(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            page = soup(book / name)
            mute = [i for i in page.find_all("img") if not is_name(i.get("alt"))]
            beside_words = [
                i for i in mute if i.get("alt") == "" and i.parent.name == "a" and i.parent.get_text(strip=True)
            ]
            assert [i.get("src", "")[:80] for i in mute if i not in beside_words] == []
            mute = []
            for drawing in page.find_all("svg"):
                if drawing.get("aria-hidden") == "true" or drawing.find_parent(["a", "button", "svg"]):
                    continue
                if not is_name(drawing.get("aria-label")) and not is_name(drawing.title and drawing.title.get_text()):
                    mute.append(str(drawing)[:120])
            assert mute == []
            figures = page.find_all("figure", class_="genutils-figure")
            assert [str(f)[:120] for f in figures if f.find("figcaption") is None] == []


def test_no_id_twice(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            ids = [tag["id"] for tag in soup(book / name).find(id="main-content").find_all(id=True)]
            assert sorted({i for i in ids if ids.count(i) > 1}) == []


MARKUP = re.compile(r"\$|\]\(|\*\*[A-Za-z]|\{(cite|doc|ref|term|glue)\b|:::")


def test_no_markup_is_left_raw(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            raw = []
            for words in soup(book / name).find("main").find_all(string=MARKUP):
                literal = words.find_parent(["pre", "code", "script", "style", "svg"])
                if not literal and not words.find_parent(class_=["math", "sig"]):
                    raw.append(words.strip()[:100])
            assert raw == []


def test_every_page_has_language_title_and_no_traceback(book, subtests):
    for name in discover(book):
        with subtests.test(page=name):
            page = soup(book / name)
            assert page.html.get("lang") == "en" and page.title.get_text(strip=True)
            outputs = [o.get_text() for o in page.find_all(class_="cell_output")]
            assert [o[:200] for o in outputs if "Traceback (most recent call last)" in o] == []


# The contents page, _toc.yml, the map and the lessons folder name the same lessons.

LINKED, PLAIN = r"\[(\d\d) · [^\]]+\]\(\.\./lessons/(\w+)\.ipynb\)", r"(\d\d) · .+"
LINE = re.compile(rf"^(?:{LINKED}|{PLAIN})\n: (.+\?)( · in preparation)?$", re.M)


def contents() -> list[tuple[str, str | None, bool]]:
    """(number, lesson it links to, whether it says 'in preparation') for each line of the contents page."""
    text = (ROOT / "book" / "contents.md").read_text(encoding="utf8")
    return [(m[1] or m[3], m[2], bool(m[5])) for m in LINE.finditer(text)]


def test_contents_lists_all_lessons_in_order():
    assert [number for number, _, _ in contents()] == [f"{n:02d}" for n in range(23)]


def test_a_lesson_is_linked_exactly_when_it_is_written():
    written = sorted(p.stem for p in (ROOT / "lessons").glob("[0-9][0-9]_*.ipynb"))
    assert [lesson for _, lesson, _ in contents() if lesson] == written
    assert lessons_in_toc() == written
    assert all(waiting == (lesson is None) for _, lesson, waiting in contents())
    assert all(lesson is None or lesson.startswith(number) for number, lesson, _ in contents())


def test_the_map_links_the_written_lessons_and_names_the_others(book):
    page = soup(book / "book" / "index.html")
    on_map = [name for name, _ in family_map.FOUNDATIONS + family_map.YARDSTICK]
    on_map += [name for *_, lessons in family_map.FAMILIES for name, _, _ in lessons]
    assert sorted(name[:2] for name in on_map) == [f"{n:02d}" for n in range(23)]
    written = {p.stem for p in (ROOT / "lessons").glob("*.ipynb")} & set(on_map)
    drawings = page.find_all("svg", class_="family-map")
    assert len(drawings) == 2
    for drawing in drawings:
        assert {pathlib.PurePosixPath(a["href"]).stem for a in drawing.find_all("a")} == written
        assert len(drawing.select("a, .todo")) == len(on_map)


def test_the_first_page_has_three_doors(book):
    doors = soup(book / "book" / "index.html").select(".doors .sd-card")
    assert [d.select_one(".sd-card-title").get_text(strip=True) for d in doors] == ["Read", "Work", "Teach"]
    assert all(d.find("a", href=True) for d in doors)


def test_no_vendored_file_is_large():
    assert [p.name for p in (ROOT / "book").rglob("*") if p.is_file() and p.stat().st_size > 1_000_000] == []
