"""The built pages, without a browser: every link leads somewhere, nothing comes from elsewhere, all has a name."""

from __future__ import annotations

import pathlib
import re
import sys
from html import unescape
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from tests.pages import ROOT, anchors, discover, soup
from tools import build_book, calibrate
from tools.lessons import lessons, outline

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import course  # noqa: E402
import family_map  # noqa: E402
import folded  # noqa: E402


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


def test_every_lesson_keeps_to_its_budget(book):
    """By the build that made the pages; a busy machine is a bad clock, so a lesson that seems late runs once more."""
    took = build_book.took()
    assert set(took) == {path.stem for path in lessons()}
    late = {}
    for path in lessons():
        if calibrate.over_budget("lessons", took[path.stem].reference_seconds):
            _, again, problem = build_book.run(str(path))
            assert problem is None
            late[path.stem] = calibrate.over_budget("lessons", again.reference_seconds)
    assert not any(late.values()), late


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
                elif anchor and target.suffix == ".html" and anchor not in anchors(target):
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


# The contents page, the sidebar and the map name the same lessons; README's list does too.

COURSE = outline()
WRITTEN = [path.stem for path in lessons()]


CELL = """x = 2
claim(
    x > 1,
    f\"\"\"It is
    {x} &lt; 3.\"\"\",
)
say(f\"\"\"Two
lines.\"\"\")
say("short")
claim(x == 2, "short")
"""


class TestFolding:
    """A sentence of the code that the page shows is folded away: whole lines, which a tick brings back."""

    def test_what_is_asserted_stays_and_what_is_said_goes(self):
        page = f'<div class="highlight-ipython3 notranslate"><div class="highlight"><pre>{CELL}</pre></div></div>'
        pre = BeautifulSoup(folded.fold(page), "html.parser").pre
        assert pre.get_text() == unescape(CELL)  # what one copies
        assert len(pre.find_all("input", type="checkbox")) == 2
        for told in pre.find_all("span", class_="told"):
            told.decompose()
        assert pre.get_text() == 'x = 2\nclaim(\n    x > 1,\n)\nsay(f"""Two\nsay("short")\nclaim(x == 2, "short")\n'

    def test_other_code_is_left_alone(self):
        page = (
            f"<p>{CELL}</p>" + '<div class="highlight-python"><div class="highlight"><pre>%time x\n</pre></div></div>'
        )
        assert folded.fold(page) == page

    def test_lessons_are_folded(self, book, subtests):
        for path in lessons():
            with subtests.test(lesson=path.stem):
                boxes = soup(book / "lessons" / f"{path.stem}.html").select("pre label.told > input[aria-label]")
                assert len(boxes) >= 5


def test_the_course_is_whole():
    numbers = [lesson.number for part in COURSE for lesson in part.lessons]
    assert numbers == [f"{n:02d}" for n in range(23)]
    assert [lesson.stem for part in COURSE for lesson in part.lessons if lesson.written] == WRITTEN


def test_contents_lists_every_lesson_under_its_part_and_links_what_is_written(book):
    page = soup(book / "book" / "contents.html").find(id="main-content")
    shown, part = [], None
    for tag in page.find_all(["h2", "dt"]):
        words = " ".join(tag.get_text().replace("#", "").split())
        if tag.name == "h2":
            part = words
        else:
            link, question = tag.find("a"), " ".join(tag.find_next_sibling("dd").get_text().split())
            shown.append((part, words, link and pathlib.PurePosixPath(link["href"]).stem, question))
    want = [
        (
            f"{p.caption}: {p.says}" if p.says else p.caption,
            f"{x.number} · {x.title}",
            x.stem if x.written else None,
            x.question if x.written else f"{x.question} · in preparation",
        )
        for p in COURSE
        for x in p.lessons
    ]
    assert shown == want


def test_the_sidebar_shows_the_same_titles_under_the_same_parts(book):
    nav = soup(book / "book" / "contents.html").find("nav", class_="bd-links")
    shown = [(tag.name, tag.get_text(strip=True)) for tag in nav.find_all(["p", "a"]) if tag.get_text(strip=True)]
    want = []
    for part in COURSE:
        titles = [("a", f"{x.number} · {x.title}") for x in part.lessons if x.written]
        want += [("p", part.caption), *titles] if titles else []
    start = shown.index(want[0])
    assert shown[start : start + len(want)] == want


def test_the_map_shows_every_lesson_in_its_part_and_links_the_written_ones(book):
    drawings = soup(book / "book" / "index.html").find_all("svg", class_="family-map")
    assert len(drawings) == 2
    families = [part for part in COURSE if any(x.answers for x in part.lessons)]
    assert len(families) == 3
    for drawing in drawings:
        rows = {row.select_one(".num").get_text(): row for row in drawing.select("a, .todo")}
        assert len(rows) == len(drawing.select("a, .todo")) == 23
        for part in COURSE:
            for lesson in part.lessons:
                row = rows[lesson.number]
                assert row.select_one(".name").get_text() == lesson.title
                assert (row.name == "a") == lesson.written
                assert row.name != "a" or pathlib.PurePosixPath(row["href"]).stem == lesson.stem
                assert len(row.find_all("circle")) == len(lesson.answers)
        for box, part in zip(drawing.select(".family"), families, strict=True):
            assert box.select_one(".title").get_text() == part.caption.partition(". ")[2]
            assert [num.get_text() for num in box.select(".num")] == [x.number for x in part.lessons]


def test_the_marks_of_the_map_are_those_of_its_legend():
    kinds = {kind for kind, _ in family_map.LEGEND}
    used = {answer for part in COURSE for x in part.lessons for answer in x.answers}
    assert used == kinds
    drawn = {kind: family_map._mark(0, 0, kind) for kind in kinds}
    assert len(set(drawn.values())) == len(kinds)


def test_the_readme_names_the_same_parts_and_lessons():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    listed = text.partition("## The course")[2].partition("```")[2].partition("```")[0]
    numerals, parts = ["0", "I", "II", "III", "IV", "V"], {}
    for line in listed.strip().splitlines():
        if line.startswith("Part"):
            part = line
        parts[part] = parts.get(part, []) + re.findall(r"\b\d\d\b", line)
    for numeral, part, (line, numbers) in zip(numerals, COURSE, parts.items(), strict=True):
        assert part.caption.startswith(f"Part {numeral}. ") and re.match(rf"Part {numeral} +", line)
        assert line[10:].startswith(part.caption.partition(". ")[2])
        assert numbers == [x.number for x in part.lessons]


def test_the_api_page_has_every_public_module_in_reading_order(book):
    names = course.in_reading_order(course.public_modules())
    main = soup(book / "book" / "api.html").find(id="main-content")
    found = [h.get_text().strip("#") for h in main.find_all("h2")]
    headings = [words for words in found if words.startswith("genutils")]
    assert headings == [f"genutils.{name}" for name in names]
    assert names.index("mixture") < names.index("autoregressive") < names.index("vae") < names.index("data")


def test_the_first_page_has_three_doors(book):
    doors = soup(book / "book" / "index.html").select(".doors .sd-card")
    assert [d.select_one(".sd-card-title").get_text(strip=True) for d in doors] == ["Read", "Work", "Teach"]
    assert all(d.find("a", href=True) for d in doors)


def test_no_vendored_file_is_large():
    assert [p.name for p in (ROOT / "book").rglob("*") if p.is_file() and p.stat().st_size > 1_000_000] == []
