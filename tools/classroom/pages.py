"""Pages that open from a disk: nothing from a network, no script but ours, by day, by night and on a telephone."""

from __future__ import annotations

import base64
import hashlib
import html

# A page may load files that lie beside it (MathJax), and run the one script of ours whose digest it names.
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
    "script-src {scripts}; font-src {fonts}; img-src data:"
)
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --faint: #5b6472; --paper: #fff; --panel: #f3f5f8; --line: #cfd5de;
  --good: #14693a; --bad: #a3260f; --open: #74520a; --mark: #fde9a9; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --faint: #a5afbd; --paper: #14181e; --panel: #1f252e;
  --line: #3b4554; --good: #74d39c; --bad: #ff9d8a; --open: #e9c46a; --mark: #57481a; --link: #8cc2ff; } }
* { box-sizing: border-box }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  padding: 1.5rem 1rem 4rem; max-width: 50rem }
body.wide { max-width: 90rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line) }
p { margin: .5rem 0 }
a { color: var(--link) }
pre, .text { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem;
  margin: .5rem 0; overflow-x: auto; font-size: .875rem }
pre { font-family: ui-monospace, monospace; line-height: 1.4; tab-size: 4 }
.text { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 1rem }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line) }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
summary { cursor: pointer; color: var(--faint) }
mark { background: var(--mark); color: inherit }
.faint { color: var(--faint) } .good { color: var(--good) } .bad { color: var(--bad) } .open { color: var(--open) }
.score { font-size: 1.3rem; font-weight: 600 }
.note { border-left: 4px solid var(--open); padding: .1rem .8rem; margin: .6rem 0 }
.scroll { overflow-x: auto }
"""


def escape(text: object, limit: int | None = None) -> str:
    """Text as it may stand in a page: no mark-up, no control characters, cut after ``limit`` characters."""
    text = str(text)
    cut = limit is not None and len(text) > limit
    text = text[:limit].replace("\r\n", "\n")
    kept = "".join(c if c.isprintable() or c in "\n\t" else " " * c.isspace() for c in text)
    return html.escape(kept) + ("\n… (the rest was left out)" if cut else "")


def digest(script: str) -> str:
    """How a policy names the one script of ours that a page may run."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


def page(title: str, body: str, *, maths: str | None = None, script: str = "", style: str = "", wide=False) -> str:
    """A whole page.

    Args:
        title: plain text.
        body: HTML, in which everything that was not written by the course is escaped already.
        maths: the relative address of a folder with ``maths.js`` and ``mathjax/``; None draws no formulas.
        script, style: ours, to stand in the page.
        wide: whether it is as wide as the window.
    """
    scripts = ([digest(script)] if script else []) + (["file:", "'self'"] if maths else [])
    policy = _POLICY.format(scripts=" ".join(scripts) or "'none'", fonts="file: 'self'" if maths else "'none'")
    files = ('maths.js"', 'mathjax/startup.js" defer') if maths else ()
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}{style}</style>",
            *(f'<script src="{maths}/{file}></script>' for file in files),
            "</head>",
            f"<body{' class=wide' if wide else ''}>\n{body}",
            *([f"<script>{script}</script>"] if script else []),
            "</body>\n</html>\n",
        ]
    )
