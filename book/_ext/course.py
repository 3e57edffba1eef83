"""What the book needs beyond the stock extensions: contents, map of families, API page, and pages that stay offline."""

from __future__ import annotations

from enum import Enum
from functools import reduce
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from family_map import draw
from folded import fold

from tools.fingerprint import imported
from tools.lessons import lessons, outline

ROOT = Path(__file__).parents[2]


class FamilyMap(Directive):
    """The map of the families, twice (wide and narrow), with links to the lessons that exist."""

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        folder = env.docname.count("/") * "../"
        written = {Path(doc).name: f"{folder}{doc}.html" for doc in env.found_docs if doc.startswith("lessons/")}
        return [nodes.raw("", draw(outline(), written), format="html")]


def public_modules() -> list[str]:
    """Modules of genutils with a section on the API page. A package with ``__all__`` shows its parts as its own."""
    whole = [p.parent.name for p in (ROOT / "genutils").glob("*/__init__.py") if "__all__" in p.read_text("utf-8")]
    names = []
    for file in (ROOT / "genutils").rglob("*.py"):
        *packages, module = file.relative_to(ROOT / "genutils").with_suffix("").parts
        if module == "__init__":
            names.append(".".join(packages))
        elif not packages or packages[0] not in (*whole, "figures"):
            names.append(".".join([*packages, module]))
    return [name for name in names if name and name != "figures" and "lesson_" not in name]


def in_reading_order(names: list[str]) -> list[str]:
    """Modules in the order in which the lessons first import them; then those of most lessons, then the rest."""
    used = [imported(path) for path in lessons()]

    def key(name: str) -> tuple:
        where = [i for i, found in enumerate(used) if f"genutils.{name}" in found]
        return (2, 0, name) if not where else (1, 0, name) if 3 * len(where) > 2 * len(used) else (0, where[0], name)

    return sorted(names, key=key)


def insert_api(app, docname: str, source: list[str]) -> None:
    """Put one section per module of genutils where the API page says so: a new module shows up by itself."""
    if docname != "book/api":
        return
    sections = (
        f"## genutils.{name}\n\n```{{eval-rst}}\n.. automodule:: genutils.{name}\n```\n"
        for name in in_reading_order(public_modules())
    )
    source[0] = source[0].replace("<!-- modules -->", "\n".join(sections))


def insert_contents(app, docname: str, source: list[str]) -> None:
    """Put the parts and lessons of the course where the contents page says so."""
    if docname != "book/contents":
        return
    lines = []
    for part in outline():
        lines.append(f"## {part.caption}" + (f": {part.says}" if part.says else "") + "\n")
        for lesson in part.lessons:
            name = f"{lesson.number} · {lesson.title}"
            lines.append(f"[{name}](../lessons/{lesson.stem}.ipynb)" if lesson.written else name)
            lines.append(f": {lesson.question}" + (" · in preparation" * (not lesson.written)) + "\n")
    source[0] = source[0].replace("<!-- lessons -->", "\n".join(lines))


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Remove sphinx-thebe's scripts: no server is there for them, and they clash with each other in the console."""

    def is_thebe(script) -> bool:
        body = getattr(script, "attributes", {}).get("body") or ""
        return "thebe" in str(getattr(script, "filename", "") or "") or "THEBE_JS_URL" in body

    context["script_files"] = [s for s in context.get("script_files", []) if not is_thebe(s)]


def fold_sentences(app, pagename, templatename, context, doctree) -> None:
    """Fold the sentences away that the code of a lesson says and the page shows."""
    if pagename.startswith("lessons/") and context.get("body"):
        context["body"] = fold(context["body"])


def prefer_lessons(app, config) -> None:
    """Let the search rank lessons first (the path must be absolute: a Jupyter Book has no folder of conf.py)."""
    config.html_search_scorer = str(ROOT / "book" / "_ext" / "scorer.js")


def source_of_a_value(app, module: str | None, name: str | None) -> str | None:
    """A member of an enumeration that is an attribute elsewhere is no object of its own: it is shown where it is."""
    if module is None or name is None:
        return None
    value = reduce(lambda owner, part: getattr(owner, part, None), name.split("."), import_module(module))
    return module if isinstance(value, Enum) else None


def setup(app):
    app.setup_extension("sphinx.ext.viewcode")
    app.connect("viewcode-follow-imported", source_of_a_value)
    app.add_directive("family-map", FamilyMap)
    app.connect("config-inited", prefer_lessons)
    app.connect("source-read", insert_api)
    app.connect("source-read", insert_contents)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", fold_sentences, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
