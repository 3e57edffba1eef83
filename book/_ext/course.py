"""What the book needs beyond the stock extensions: the map of families, the API page, and pages that stay offline."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from family_map import draw

ROOT = Path(__file__).parents[2]


class FamilyMap(Directive):
    """The map of the families, twice (wide and narrow), with links to the lessons that exist."""

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        folder = env.docname.count("/") * "../"
        written = {Path(doc).name: f"{folder}{doc}.html" for doc in env.found_docs if doc.startswith("lessons/")}
        return [nodes.raw("", draw(written), format="html")]


def public_modules() -> list[str]:
    """Modules of genutils with a section on the API page. A package with ``__all__`` shows its parts as its own."""
    whole = [p.parent.name for p in (ROOT / "genutils").glob("*/__init__.py") if "__all__" in p.read_text("utf-8")]
    names = []
    for file in (ROOT / "genutils").rglob("*.py"):
        *packages, module = file.relative_to(ROOT / "genutils").with_suffix("").parts
        if module == "__init__":
            names.append(".".join(packages))
        elif not packages or packages[0] not in (*whole, "figures", "recipes"):
            names.append(".".join([*packages, module]))
    return [name for name in names if name and name not in ("figures", "recipes") and "lesson_" not in name]


def insert_api(app, docname: str, source: list[str]) -> None:
    """Put one section per module of genutils where the API page says so: a new module shows up by itself."""
    if docname != "book/api":
        return
    order = app.config.genutils_order
    names = sorted(public_modules(), key=lambda name: (order.index(name) if name in order else len(order), name))
    sections = (f"## genutils.{name}\n\n```{{eval-rst}}\n.. automodule:: genutils.{name}\n```\n" for name in names)
    source[0] = source[0].replace("<!-- modules -->", "\n".join(sections))


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Remove sphinx-thebe's scripts: no server is there for them, and they clash with each other in the console."""

    def is_thebe(script) -> bool:
        body = getattr(script, "attributes", {}).get("body") or ""
        return "thebe" in str(getattr(script, "filename", "") or "") or "THEBE_JS_URL" in body

    context["script_files"] = [s for s in context.get("script_files", []) if not is_thebe(s)]


def prefer_lessons(app, config) -> None:
    """Let the search rank lessons first (the path must be absolute: a Jupyter Book has no folder of conf.py)."""
    config.html_search_scorer = str(ROOT / "book" / "_ext" / "scorer.js")


def setup(app):
    app.add_config_value("genutils_order", [], "env")
    app.add_directive("family-map", FamilyMap)
    app.connect("config-inited", prefer_lessons)
    app.connect("source-read", insert_api)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
