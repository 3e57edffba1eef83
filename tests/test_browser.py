"""The book and a lesson as a reader meets them: in Chromium, from file://, by day, by night, on a phone, by keyboard, in JupyterLab."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest

from tests.mutants import CANDIDATES
from tests.pages import ROOT, discover, soup

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def go(page, book: pathlib.Path, name: str, query: str = "") -> None:
    """Open a page of the book from the disk and wait until its mathematics is set."""
    page.goto((book / name).as_uri() + query)
    if page.locator("span.math, div.math").count():
        page.wait_for_function("() => window.MathJax?.startup?.promise")
        page.evaluate("() => MathJax.startup.promise")
    page.evaluate("() => document.fonts.ready")


def test_pages_are_complete_offline_and_quiet(book, open_page, subtests):
    page = open_page()
    for name in discover(book):
        with subtests.test(page=name):
            page.left.clear(), page.errors.clear()
            go(page, book, name)
            assert page.left == [], "requests that leave this machine"
            assert page.errors == [], "errors in the console"
            assert page.locator("mjx-merror").count() == 0, "formulas that MathJax could not read"
            bare = page.evaluate(
                "() => [...document.querySelectorAll('span.math, div.math')].filter(m => !m.querySelector('mjx-container')).map(m => m.textContent)"
            )
            assert bare == [], "formulas that stayed raw"


def test_formulas_can_be_heard(book, open_page):
    page = open_page()
    go(page, book, "book/notation.html")
    assert page.locator("mjx-container").count() == page.locator("mjx-container mjx-assistive-mml math").count() > 0


def test_a_phone_never_scrolls_sideways(book, open_page, subtests):
    page = open_page(width=390, height=844)
    for name in discover(book):
        with subtests.test(page=name):
            go(page, book, name)
            wide = page.evaluate(
                """() => document.documentElement.scrollWidth <= 390 ? [] :
                [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 391).slice(0, 8).map(e => e.outerHTML.slice(0, 100))"""
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, wide


CONTRAST = """() => {
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = css => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = css; pen.fillRect(0, 0, 1, 1); const d = pen.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
  const lum = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const paper = e => { const layers = []; for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); layers.push(c); if (c[3] === 1) break; } return layers.reverse().reduce((under, c) => over(c, under), [255, 255, 255]); };
  const bad = [], seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || seen.has(e) || e.closest('script, style, noscript, mjx-assistive-mml, .headerlink, .genutils-figure svg')) continue;
    seen.add(e);
    const style = getComputedStyle(e);
    if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.getBoundingClientRect().width < 2) continue;
    let alpha = 1; for (let p = e; p; p = p.parentElement) alpha *= getComputedStyle(p).opacity;
    let under = paper(e);
    if (e instanceof SVGElement) { const box = e.parentElement.closest('g')?.parentElement?.querySelector(':scope > .box') ?? e.closest('.family')?.querySelector('.box'); const row = e.parentElement.querySelector(':scope > .row'); for (const shape of [box, row]) if (shape) { const f = getComputedStyle(shape).fill; if (f !== 'none') under = over(rgba(f), under); } }
    const ink = rgba(e instanceof SVGElement ? style.fill : style.color); ink[3] *= alpha;
    const a = lum(over(ink, under)), b = lum(under), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)} <${e.tagName.toLowerCase()} class="${e.getAttribute('class') ?? ''}"> ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return {bad, read: seen.size, paper: lum(paper(document.querySelector('#main-content')))};
}"""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_all_text_stands_out_from_its_background(book, open_page, subtests, mode):
    page = open_page(mode)
    for name in discover(book):
        with subtests.test(page=name):
            go(page, book, name)
            assert page.evaluate("document.documentElement.dataset.theme") == mode
            found = page.evaluate(CONTRAST)
            assert found["read"] > 10
            assert (found["paper"] < 0.1) == (mode == "dark")
            assert found["bad"] == []


FIGURES = """() => [...document.querySelectorAll('figure.genutils-figure')].map(f => {
  const opaque = []; for (let e = f; e && e.id !== 'main-content'; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/rgba\\(.*, 0\\)|transparent/.test(c)) opaque.push(e.className || e.tagName); }
  return [opaque, getComputedStyle(f).color === getComputedStyle(f.closest('article')).color];
})"""


def test_figures_take_the_ink_and_paper_of_the_page_at_night(book, open_page, subtests):
    page = open_page("dark")
    for name in discover(book):
        if soup(book / name).find("figure", class_="genutils-figure"):
            with subtests.test(page=name):
                go(page, book, name)
                assert [f for f in page.evaluate(FIGURES) if f != [[], True]] == []


def test_the_switch_changes_day_to_night_and_is_remembered(book, open_page):
    page = open_page()
    go(page, book, "book/index.html")
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert {"light", "dark"} <= seen


FOCUS = """() => {
  const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  const ring = x => { const s = getComputedStyle(x); return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== 'none'; };
  const shown = ring(e) || (e.parentElement && e.closest('.sd-card') && ring(e.closest('.sd-card'))) || (e instanceof SVGElement);
  const where = e.closest('.skip-link, #pst-skip-link') ? 'skip' : e.closest('.search-button-field, .search-button, .search-button__button') ? 'search' : e.closest('.bd-sidebar-primary') ? 'navigation' : e.closest('.bd-article') ? 'article' : e.closest('main') ? 'main' : 'other';
  return {where, shown: Boolean(shown), what: e.outerHTML.slice(0, 120), seen: r.width > 0 && r.bottom > 0};
}"""


def test_every_page_can_be_walked_by_keyboard(book, open_page, subtests):
    page = open_page()
    for name in discover(book):
        with subtests.test(page=name):
            go(page, book, name)
            stops = []
            for _ in range(6 + 3 * page.locator(".bd-sidebar-primary a").count()):
                page.keyboard.press("Tab")
                stops.append(page.evaluate(FOCUS))
                if stops[-1]["where"] in ("article", "main"):
                    break
            assert stops[0]["where"] == "skip"
            assert {"search", "navigation"} <= {s["where"] for s in stops}
            assert stops[-1]["where"] in ("article", "main")
            assert [s["what"] for s in stops if not s["shown"]] == [], "focus cannot be seen"


def test_the_skip_link_leads_into_the_page(book, open_page):
    page = open_page()
    go(page, book, "book/notation.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)["where"] in ("article", "main")


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
    found = page.eval_on_selector_all("#search-results ul.search li a", "links => links.map(a => a.getAttribute('href').split('?')[0].split('#')[0])")
    assert found
    if (ROOT / "lessons" / "04_entropy.ipynb").exists():
        assert any(address.endswith("lessons/04_entropy.html") for address in found[:4]), found
    assert page.left == [] and page.errors == []


def test_links_of_the_map_can_be_followed(book, open_page):
    for width, layout in ((1300, "wide"), (390, "narrow")):
        page = open_page(width=width)
        go(page, book, "book/index.html")
        assert page.locator(f"svg.family-map.{layout}").is_visible()
        assert page.locator("svg.family-map:visible").count() == 1
        links = page.locator(f"svg.family-map.{layout} a")
        if links.count():
            links.first.click()
            assert "/lessons/" in page.url


# JupyterLab


@pytest.fixture
def lab(tmp_path):
    """A real JupyterLab on a copy of the lessons; yields (address, folder)."""
    folder = tmp_path / "home"
    shutil.copytree(ROOT / "lessons", folder / "lessons", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    quiet = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    env = {**os.environ, **{k: str(tmp_path / v) for k, v in places.items()}}
    env |= {"PYTHONPATH": str(ROOT), "GENUTILS_PROGRESS": "off", "GENUTILS_GRADING": "", "OMP_NUM_THREADS": "1"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0"]
    command += ["--IdentityProvider.token=", "--allow-root", "--expose-app-in-browser", f"--ServerApp.root_dir={folder}"]
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


NOTEBOOK = "window.jupyterapp?.shell.currentWidget"
READY = f"() => {{ const w = {NOTEBOOK}; return w?.sessionContext?.session?.kernel?.status === 'idle'; }}"
RAN = f"() => {{ const w = {NOTEBOOK}; return w.sessionContext.session.kernel.status === 'idle' && [...w.content.model.cells].filter(c => c.type === 'code' && c.sharedModel.source.trim()).every(c => c.executionCount); }}"
ERRORS = f"""() => [...{NOTEBOOK}.content.model.cells].filter(c => c.type === 'code').flatMap(
  c => c.outputs.toJSON().filter(o => o.output_type === 'error').map(o => `${{o.ename}}: ${{o.evalue}}`))"""
FIND = f"""([exercise, role]) => [...{NOTEBOOK}.content.model.cells].findIndex(
  c => c.sharedModel.metadata.exercise === exercise && c.sharedModel.metadata.role === role)"""
RUN_CELL = f"""async index => {{
  const notebook = {NOTEBOOK}.content;
  notebook.deselectAll(); notebook.activeCellIndex = index;
  await jupyterapp.commands.execute('notebook:run-cell');
}}"""
SAYS = f"(index) => {NOTEBOOK}.content.widgets[index].node.querySelector('.jp-OutputArea')?.innerText ?? ''"


def type_answer(page, index: int, answer: str) -> None:
    """Put an answer into a cell as a learner does: click into it, select all, type over it."""
    page.evaluate(f"(index) => {{ const n = {NOTEBOOK}.content; n.activeCellIndex = index; return n.scrollToItem?.(index); }}", index)
    editor = page.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(answer)
    assert page.evaluate(f"(index) => {NOTEBOOK}.content.model.cells.get(index).sharedModel.getSource()", index) == answer


def solution_of(stem: str, exercise: str) -> str:
    notebook = nbformat.read(ROOT / "solutions" / f"{stem}.ipynb", as_version=4)
    return next(c.source for c in notebook.cells if c.metadata.get("exercise") == exercise and c.metadata.get("role") == "solution")


LESSON = "04_entropy"


@pytest.mark.skipif(not (ROOT / "lessons" / f"{LESSON}.ipynb").exists(), reason="lesson 04 is not written yet")
def test_lab_replies_to_a_wrong_and_a_right_answer(lab, open_page):
    address, _ = lab
    page = open_page()
    page.goto(f"{address}/lab/workspaces/auto-t/tree/lessons/{LESSON}.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
    page.wait_for_function(READY, timeout=90_000)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"() => ({RAN})() || ({ERRORS})().length", timeout=180_000)
    assert page.evaluate(ERRORS) == [], "the lesson as handed out runs without an error"

    stub = page.evaluate(FIND, ["04.1", "stub"])
    check = page.evaluate(FIND, ["04.1", "check"])
    assert 0 <= stub < check
    page.evaluate(f"(index) => {NOTEBOOK}.content.scrollToItem(index)", check)  # cells out of sight are not drawn
    page.wait_for_function(f"(index) => ({SAYS})(index).includes('waiting for you')", arg=check, timeout=30_000)

    right = solution_of(LESSON, "04.1")
    wrong, hint = mutant_of("lesson_04", "04.1")
    for answer, reply in ((wrong, "not yet"), (right, "is right")):
        type_answer(page, stub, answer)
        for index in (stub, check):
            page.evaluate(RUN_CELL, index)
        page.wait_for_function(f"([index, reply]) => ({SAYS})(index).includes(reply)", arg=[check, reply], timeout=30_000)
        if answer is wrong:
            assert hint in page.evaluate(SAYS, check)
    assert page.left == []
    assert page.locator(".genutils-check-right:visible").count() >= 1


def mutant_of(module: str, exercise: str) -> tuple[str, str]:
    """The source of the first wrong answer that is kept for an exercise, and a part of the hint it must get."""
    importlib.import_module(f"tests.mutants.{module}")
    wrong = next(c for c in CANDIDATES if c.exercise == exercise and c.hint)
    lines = inspect.getsource(wrong.answer).splitlines()
    return "\n".join(line.replace("  # noqa: F811", "") for line in lines if not line.startswith("@")), wrong.hint
