"""The book from file:// by day, by night, on a phone and by keyboard, and a lesson in JupyterLab: all in Chromium."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import playwright.sync_api as playwright
import pytest

from tests.conftest import new_tab
from tests.mutants import CANDIDATES
from tests.pages import ROOT, discover, soup
from tools.lessons import lessons

# The book is built and visited by the first test that asks; on a busy machine that takes a while.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]


def go(page, book: pathlib.Path, name: str) -> None:
    """Open a page of the book from the disk and wait until its mathematics is set (and, if it searches, has found)."""
    page.goto((book / name).as_uri() + ("?q=entropy" if name == "search.html" else ""))
    if name == "search.html":
        page.wait_for_selector("#search-results ul.search li:nth-child(5) a")
    if page.locator("span.math, div.math").count():
        page.wait_for_function("() => window.MathJax?.startup?.promise")
        page.evaluate("() => MathJax.startup.promise")
    page.evaluate("() => document.fonts.ready")


LAPTOP, PHONE = {"width": 1200, "height": 1000}, {"width": 390, "height": 844}


def visit(page, book: pathlib.Path, name: str) -> dict:
    """Open a page once and ask it by day, by night and as wide as a phone everything that the tests want to know."""
    page.left.clear(), page.errors.clear()
    page.set_viewport_size(LAPTOP)
    go(page, book, name)
    lesson = name.startswith("lessons/")
    found = {"cut": page.evaluate("probes.cutCode()"), "opening": page.evaluate("probes.opening()") if lesson else None}
    found |= {"merrors": page.locator("mjx-merror").count(), "bare": page.evaluate("probes.rawFormulas()")}
    for mode in ("light", "dark"):
        page.evaluate("probes.turn", mode)
        theme = page.evaluate("document.documentElement.dataset.theme")
        found[mode] = {"theme": theme, "contrast": page.evaluate("probes.contrast()")}
    found["figures"] = page.evaluate("probes.strangeFigures()")
    page.evaluate("probes.turn", "light")
    page.set_viewport_size(PHONE)
    found["wide"] = page.evaluate("probes.tooWide(390)")
    found["opening on a phone"] = page.evaluate("probes.opening()") if lesson else None
    page.set_viewport_size(LAPTOP)
    found["stops"] = []  # last, for it moves the focus
    for _ in range(6 + 3 * page.locator(".bd-sidebar-primary a").count()):
        page.keyboard.press("Tab")
        found["stops"].append(page.evaluate("probes.focus()"))
        if found["stops"][-1]["where"] == "page":
            break
    return found | {"left": list(page.left), "errors": list(page.errors)}


def visited(book: pathlib.Path) -> list[str]:
    """The pages to visit: all but listings of sources, which one template makes; of those the longest and shortest."""
    listings = [name for name in discover(book) if name.startswith("_modules/genutils/")]
    listings.sort(key=lambda name: (book / name).stat().st_size)
    return [name for name in discover(book) if name not in listings[1:-1]]


@pytest.fixture(scope="module")
def pages(book, browser):
    """What each page answered, by name."""
    page, found = new_tab(browser), {}
    for name in visited(book):
        try:
            found[name] = visit(page, book, name)
        except playwright.Error as error:  # one page that hangs must not hide what the others answered
            found[name] = Unvisited(f"{name} could not be visited: {error}")
    page.context.close()
    return found


class Unvisited:
    """The answers of a page that could not be visited: whoever asks for one fails, and says why."""

    def __init__(self, why: str):
        self.why = why

    def __getitem__(self, key: str):
        pytest.fail(self.why, pytrace=False)


def test_pages_are_complete_offline_and_quiet(pages, subtests):
    for name, page in pages.items():
        with subtests.test(page=name):
            assert page["left"] == [], "requests that leave this machine"
            assert page["errors"] == [], "errors in the console"
            assert page["merrors"] == 0, "formulas that MathJax could not read"
            assert page["bare"] == [], "formulas that stayed raw"


def test_formulas_can_be_heard(book, open_page):
    page = open_page()
    go(page, book, "book/notation.html")
    assert page.locator("mjx-container").count() == page.locator("mjx-container mjx-assistive-mml math").count() > 0


def test_a_phone_never_scrolls_sideways(pages, subtests):
    for name, page in pages.items():
        with subtests.test(page=name):
            assert page["wide"] == []


def shown(span: list[float], height: float) -> float:
    """How much of what stands from ``span[0]`` to ``span[1]`` is seen in a first screen so high."""
    top, bottom = span
    return min(1, max(0, height - top) / (bottom - top))


def test_a_lesson_opens_with_its_title_its_card_and_a_figure(pages, subtests):
    for lesson in lessons():
        with subtests.test(lesson=lesson.stem):
            page = pages[f"lessons/{lesson.stem}.html"]
            at, height = page["opening"], LAPTOP["height"]
            assert shown(at["title"], height) == shown(at["card"], height) == 1
            assert shown(at["figure"], height) >= 0.7
            assert page["opening on a phone"]["figure"][0] < 2 * PHONE["height"]


def test_no_line_of_code_is_cut_on_a_laptop(pages, subtests):
    for name, page in pages.items():
        with subtests.test(page=name):
            assert page["cut"] == []


def test_a_folded_sentence_is_shown_by_a_key(book, open_page):
    page = open_page()
    go(page, book, "lessons/04_entropy.html")
    cell = page.locator("div.cell_input pre:visible:has(label.told)").first
    box, told = cell.locator("label.told > input").first, cell.locator("span.told").first
    assert not told.is_visible()
    box.focus()
    page.keyboard.press("Space")
    assert told.is_visible()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_all_text_stands_out_from_its_background(pages, subtests, mode):
    for name, page in pages.items():
        with subtests.test(page=name):
            assert page[mode]["theme"] == mode
            contrast = page[mode]["contrast"]
            assert contrast["read"] > 10
            assert (contrast["paper"] < 0.1) == (mode == "dark")
            assert contrast["faint"] == []


def test_figures_take_the_ink_and_paper_of_the_page_at_night(book, pages, subtests):
    drawn = [name for name in pages if soup(book / name).find("figure", class_="genutils-figure")]
    assert drawn
    for name in drawn:
        with subtests.test(page=name):
            assert pages[name]["figures"] == []


def test_the_switch_changes_day_to_night_and_is_remembered(book, open_page):
    page = open_page()
    go(page, book, "book/index.html")
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert {"light", "dark"} <= seen


def test_every_page_can_be_walked_by_keyboard(pages, subtests):
    for name, page in pages.items():
        with subtests.test(page=name):
            stops = page["stops"]
            assert stops[0]["where"] == "skip"
            assert {"search", "navigation"} <= {s["where"] for s in stops}
            assert stops[-1]["where"] == "page"
            assert [s["what"] for s in stops if not s["visible"]] == [], "focus cannot be seen"


def test_the_skip_link_leads_into_the_page(book, open_page):
    page = open_page()
    go(page, book, "book/notation.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    page.keyboard.press("Tab")
    assert page.evaluate("probes.focus()")["where"] == "page"


def test_search_finds_entropy_from_the_disk(book, open_page):
    page = open_page()
    go(page, book, "book/contents.html")
    page.keyboard.press("Control+k")
    page.locator("dialog input[type=search], .search-button__wrapper input[type=search]").first.fill("entropy")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=entropy*")
    page.wait_for_selector("#search-results ul.search li a")
    page.wait_for_function("() => !document.querySelector('#search-results h2')?.textContent.includes('Searching')")
    page.wait_for_timeout(500)
    links = page.locator("#search-results ul.search li a").all()
    found = [re.split("[?#]", link.get_attribute("href"))[0] for link in links]
    assert found
    assert any(address.endswith("lessons/04_entropy.html") for address in found[:4]), found
    assert page.left == [] and page.errors == []


def test_links_of_the_map_can_be_followed(book, open_page):
    for width, layout in ((1300, "wide"), (390, "narrow")):
        page = open_page(width=width)
        go(page, book, "book/index.html")
        assert page.locator(f"svg.family-map.{layout}").is_visible()
        assert page.locator("svg.family-map:visible").count() == 1
        links = page.locator(f"svg.family-map.{layout} a")
        assert [pathlib.PurePosixPath(a.get_attribute("href")).stem for a in links.all()] == [p.stem for p in lessons()]
        links.last.click()
        page.wait_for_url(f"**/lessons/{lessons()[-1].stem}.html*")


# JupyterLab


@pytest.fixture
def lab(tmp_path):
    """A real JupyterLab on a copy of the lessons; yields (address, folder)."""
    folder = tmp_path / "home"
    shutil.copytree(ROOT / "lessons", folder / "lessons", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    quiet = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    settings = {"fetchNews": "false", "checkForUpdates": False}
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps(settings))
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    env = {**os.environ, **{k: str(tmp_path / v) for k, v in places.items()}}
    env |= {"PYTHONPATH": str(ROOT), "GENUTILS_PROGRESS": "off", "GENUTILS_GRADING": ""}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--port-retries=0", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder}"]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=5)
                break
            except (OSError, urllib.error.URLError):
                assert server.poll() is None, (tmp_path / "lab.log").read_text()[-2000:]
                time.sleep(0.25)
        yield address, folder
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def type_answer(page, index: int, answer: str) -> None:
    """Put an answer into a cell as a learner does: click into it, select all, type over it."""
    page.evaluate("index => lab.select(index)", index)
    page.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(answer)
    assert page.evaluate("index => lab.source(index)", index) == answer


def solution_of(stem: str, exercise: str) -> str:
    notebook = nbformat.read(ROOT / "solutions" / f"{stem}.ipynb", as_version=4)
    wanted = {"exercise": exercise, "role": "solution"}
    return next(c.source for c in notebook.cells if wanted.items() <= c.metadata.items())


LESSON = "04_entropy"


def test_lab_replies_to_a_wrong_and_a_right_answer(lab, open_page):
    address, _ = lab
    page = open_page()
    page.goto(f"{address}/lab/workspaces/auto-t/tree/lessons/{LESSON}.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
    page.wait_for_function("lab.idle()", timeout=90_000)
    page.evaluate("lab.runAll()")
    page.wait_for_function("lab.ran() || lab.errors().length", timeout=180_000)
    assert page.evaluate("lab.errors()") == [], "the lesson as handed out runs without an error"

    def wait_until_it_says(index: int, words: str) -> str:
        page.evaluate("index => lab.select(index)", index)
        page.wait_for_function("([index, words]) => lab.says(index).includes(words)", arg=[index, words])
        return page.evaluate("index => lab.says(index)", index)

    stub, check = (
        page.evaluate("([exercise, role]) => lab.find(exercise, role)", ["04.1", r]) for r in ("stub", "check")
    )
    assert 0 <= stub < check
    wait_until_it_says(check, "not attempted yet")

    right = solution_of(LESSON, "04.1")
    wrong, hint = mutant_of("lesson_04", "04.1")
    for answer, reply in ((wrong, "not yet"), (right, "is right")):
        type_answer(page, stub, answer)
        for index in (stub, check):
            page.evaluate("index => lab.select(index)", index)
            page.evaluate("lab.runSelected()")
        said = wait_until_it_says(check, reply)
        assert (hint in said) == (answer is wrong)
    assert page.left == []
    assert page.locator(".genutils-check-right:visible").count() >= 1


def mutant_of(module: str, exercise: str) -> tuple[str, str]:
    """The source of the first wrong answer that is kept for an exercise, and a part of the hint it must get."""
    importlib.import_module(f"tests.mutants.{module}")
    wrong = next(c for c in CANDIDATES if c.exercise == exercise and c.hint)
    lines = inspect.getsource(wrong.answer).splitlines()
    return "\n".join(line.replace("  # noqa: F811", "") for line in lines if not line.startswith("@")), wrong.hint
