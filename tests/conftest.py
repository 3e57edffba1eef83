"""Fixtures that more than one test module needs: the built book, and a browser that may not leave this machine."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def book() -> pathlib.Path:
    """The folder of the built pages, built now (warnings are errors) if anything changed since last time."""
    command = [sys.executable, "-m", "tools.build_book"]  # it waits for a build that another worker has begun
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=3600
    )  # a slow machine, all lessons
    if done.returncode:
        pytest.fail(f"the book does not build:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}", pytrace=False)
    return HTML


def chromium() -> str:
    """Where Chromium is; without it browser tests skip on a learner's machine and fail in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    message = "browser tests need Chromium: install the package `chromium` (Debian, Ubuntu: apt-get install chromium)"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser():
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


def new_tab(browser, mode: str = "light", width: int = 1300, height: int = 900):
    """A tab in a context of its own that records requests off this machine (`left`) and errors of the console."""
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.add_init_script(f"localStorage.setItem('mode', '{mode}'); localStorage.setItem('theme', '{mode}')")
    context.add_init_script(path=ROOT / "tests" / "probes.js")
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.left, page.errors = [], []

    def failed(request):
        if request.failure != "net::ERR_ABORTED":
            page.errors.append(f"could not load {request.url}: {request.failure}")

    def gate(route):
        if route.request.url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:", "ws://127.0.0.1:")):
            return route.continue_()
        page.left.append(route.request.url)
        return route.abort()

    page.route("**/*", gate)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    # What the browser itself gives up (an image of a page that is being left) is "aborted"; a missing file is not.
    page.on("requestfailed", failed)
    return page


@pytest.fixture
def open_page(browser):
    """``open_page(mode="light", width=1300)``: a `new_tab` that is closed after the test."""
    tabs = []

    def new(*args, **kwargs):
        tabs.append(new_tab(browser, *args, **kwargs))
        return tabs[-1]

    yield new
    for tab in tabs:
        tab.context.close()


class LiveFigure:
    """A live figure in a page of its own, 390 pixels wide: move its controls, read its numbers."""

    def __init__(self, tab):
        self.tab = tab

    def put(self, **values) -> None:
        """Set controls by name: a number to a slider, a word to a choice."""
        for name, value in values.items():
            control = self.tab.locator(f"[data-name={name}]")
            if isinstance(value, str):
                control.select_option(value)
            else:
                control.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", str(value))

    def numbers(self) -> dict[str, float]:
        """The quantities below the figure by name; nan where there is none."""
        quantities = "[...document.querySelectorAll('dd')].map(e => [e.dataset.quantity, e.dataset.value])"
        return {name: float(value) for name, value in self.tab.evaluate(quantities)}


@pytest.fixture
def live_page(open_page, tmp_path):
    """``live_page(controls, script)``: a `LiveFigure`."""
    from genutils.live import Live

    def new(controls, script: str) -> LiveFigure:
        html = Live(tuple(controls), script, "A figure that moves for a test.", "Move it.")._repr_html_()
        file = tmp_path / "figure.html"
        file.write_text(f"<!doctype html><meta charset='utf-8'><body>{html}</body>")
        tab = open_page(width=390)
        tab.goto(file.as_uri())
        tab.wait_for_selector("dd")
        return LiveFigure(tab)

    return new
