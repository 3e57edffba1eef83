"""Feedback pages that open offline, say nothing secret, and run nothing that a student wrote."""

from __future__ import annotations

import html
import pathlib
import re
import shutil

from tools.classroom.cells import PATTERN
from tools.classroom.layout import REPO, Classroom
from tools.classroom.preprocessors import redact

# The page may load files that lie beside it, nothing from a network, and no script that stands in the page itself.
_POLICY = (
    "default-src 'none'; script-src file: 'self'; style-src 'unsafe-inline' file: 'self'; "
    "font-src file: data: 'self'; img-src data: file: 'self'"
)
_MATHS = """window.MathJax = {
  loader: {load: ["input/tex", "output/chtml"]},
  tex: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]], processEscapes: true, processEnvironments: true},
  options: {ignoreHtmlClass: "highlight|input_area|output_text"},
};
"""
_HEAD = """<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
{maths}"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{head}<title>{lesson}</title>
</head>
<body style="font-family: sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em">
<h1>{lesson}</h1>
<p>{student}, your submission could not be graded: <b>{reason}</b>.</p>
<p>Please mend it and hand it in again: one file named <code>{lesson}.ipynb</code>, saved from JupyterLab.</p>
</body>
</html>
"""


def assets(room: Classroom) -> bool:
    """Put one copy of MathJax where all feedback pages find it; whether there is one."""
    ours, target = REPO / "book" / "_static" / "mathjax", room.feedback / "_static"
    if not (ours / "startup.js").exists():
        return False
    if not (target / "mathjax" / "startup.js").exists():
        shutil.copytree(ours, target / "mathjax", dirs_exist_ok=True)
    (target / "maths.js").write_text(_MATHS, encoding="utf-8")
    return True


def polish(page: str, seeds: list[int], maths: bool) -> str:
    """nbgrader's page without scripts, without remote files, without seeds."""
    page = redact_seeds(page, seeds)
    page = re.sub(rf'(<a href="#{PATTERN}">)(?:Test cell|Written response)', r"\1Exercise \g<lesson>.\g<number>", page)
    page = re.sub(rf"Grade cell: <code>{PATTERN}</code>", r"Points of \g<lesson>.\g<number>", page)
    page = re.sub(r"<script\b.*?</script\s*>", "", page, flags=re.S | re.I)
    page = re.sub(r"<link\b[^>]*\bhref\s*=\s*[\"']?(https?:)?//[^>]*>", "", page, flags=re.I)
    page = re.sub(r"@import\s+(url\()?[\"']?(https?:)?//[^;]*;", "", page, flags=re.I)
    page = re.sub(
        r"(\b(?:src|srcset|poster|data|background)\s*=\s*)([\"']?)\s*(?:https?:)?//[^\s\"'>]*",
        r"\1\2",
        page,
        flags=re.I,
    )
    page = re.sub(r"url\(\s*[\"']?(https?:)?//[^)]*\)", "none", page, flags=re.I)
    page = re.sub(r"<(meta\b[^>]*http-equiv|base\b|iframe\b|object\b|embed\b)[^>]*>", "", page, flags=re.I)
    return re.sub(r"(<meta charset=[^>]*>)", lambda m: m.group(1) + "\n" + _head(maths), page, count=1)


def _head(maths: bool) -> str:
    files = ('maths.js"', 'mathjax/startup.js" defer')
    scripts = "".join(f'<script src="../../_static/{file}></script>\n' for file in files)
    return _HEAD.format(policy=_POLICY, maths=scripts if maths else "")


def redact_seeds(text: str, seeds: list[int]) -> str:
    for seed in seeds:
        text = re.sub(rf"{seed}|{seed:,}|{hex(seed)[2:]}|{seed:_}", "(hidden)", text, flags=re.I)
    return text


def refused(room: Classroom, student: str, lesson: str, reason: str) -> pathlib.Path:
    """The page of a student whose submission could not be graded."""
    file = room.feedback / student / lesson / f"{lesson}.html"
    shutil.rmtree(file.parent, ignore_errors=True)
    file.parent.mkdir(parents=True)
    words = {k: html.escape(v) for k, v in dict(student=student, lesson=lesson, reason=reason).items()}
    file.write_text(_PAGE.format(head=_head(False), **words), encoding="utf-8")
    return file


__all__ = ["assets", "polish", "redact", "redact_seeds", "refused"]
