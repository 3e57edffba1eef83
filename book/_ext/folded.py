"""Folds the sentences of `claim` and `say` away in the code of a page, since the page shows them right below it.

Of a claim, what is asserted stays in sight. No script is needed: a check box shows the sentence again, and copying a
cell copies all of it.
"""

from __future__ import annotations

import ast
import re
from html import unescape

CELL = re.compile(r'(<div class="highlight-i?python3?[^"]*"><div class="highlight"><pre>)(.*?)(</pre>)', re.S)
SAYS = {"claim": 1, "say": 0}  # the place of the sentence among the arguments
BOX = '<label class="told"><input type="checkbox" aria-label="show the sentence in the code"></label>'


def fold(body: str) -> str:
    """The HTML of a page with the sentences in its cells folded."""
    return CELL.sub(lambda cell: cell[1] + _folded(cell[2]) + cell[3], body)


def sentences(code: str) -> list[tuple[int, int]]:
    """First and last line, counted from 0, of what can be folded: whole lines that hold a sentence and nothing else.

    >>> sentences('x = 2\\nclaim(\\n    x > 1,\\n    f"It is {x}.",\\n)\\nsay("short")')
    [(3, 3)]
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a magic of IPython
        return []
    found = []
    for node in ast.walk(tree):
        place = SAYS.get(getattr(node.func, "id", "")) if isinstance(node, ast.Call) else None
        if place is not None and len(node.args) > place:
            text = node.args[place]
            alone = code.splitlines()[text.lineno - 1][: text.col_offset].isspace()
            first, last = text.lineno - alone, text.end_lineno - 1
            if first <= last:
                found.append((first, last))
    return sorted(found)


def _folded(html: str) -> str:
    lines = html.split("\n")
    for first, last in reversed(sentences(unescape(re.sub(r"<[^>]+>", "", html)))):
        told = "\n".join(lines[first : last + 1])
        lines[first : last + 2] = [f'{BOX}<span class="told">{told}\n</span>{lines[last + 1]}']
    return "\n".join(lines)
