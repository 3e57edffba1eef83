"""Figures that you can move, without a library and without a kernel: sliders, SVG, and a few lines of script.

The same HTML works in the book (also from ``file://``) and in JupyterLab, by mouse, touch and keyboard; what changes is
also said in words, for screen readers. A script computes its numbers in the page; tests compare them with the package.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from genutils.lesson import display
from genutils.plot import COLOURS, INK

_HERE = pathlib.Path(__file__).parent
RUNTIME = (_HERE / "runtime.js").read_text(encoding="utf-8").strip()  # what every live figure carries along
STYLE = (_HERE / "style.css").read_text(encoding="utf-8").strip()
_OWN_KEYS = 'data-lm-suppress-shortcuts="true"'  # in JupyterLab the arrow keys then move the slider and not the cell


@dataclass(frozen=True)
class Slider:
    """A number that the reader can move: ``name`` in the script, ``label`` on the page."""

    name: str
    label: str
    low: float
    high: float
    value: float
    step: float = 0.1

    def __post_init__(self):
        _identifier(self.name)
        if not (self.low < self.high and self.low <= self.value <= self.high and self.step > 0):
            raise ValueError(
                f"slider {self.name!r}: {self.value} must lie in [{self.low}, {self.high}], the step be positive"
            )

    def _html(self) -> str:
        digits = next((d for d in range(7) if math.isclose(self.step, round(self.step, d))), 7)
        settings = f'min="{self.low}" max="{self.high}" step="{self.step}" value="{self.value}"'
        return (
            f"<label><span>{html.escape(self.label)}</span>"
            f'<input type="range" {settings} data-name="{self.name}" data-digits="{digits}" {_OWN_KEYS} '
            f'style="accent-color:{COLOURS["model"]}"></label><output aria-live="off"></output>'
        )


@dataclass(frozen=True)
class Choice:
    """One of several words that the reader can choose; the script gets the word."""

    name: str
    label: str
    options: Sequence[str]
    value: str

    def __post_init__(self):
        _identifier(self.name)
        if self.value not in self.options:
            raise ValueError(f"choice {self.name!r}: {self.value!r} is not among {list(self.options)}")

    def _html(self) -> str:
        options = "".join(
            f"<option{' selected' if o == self.value else ''}>{html.escape(o)}</option>" for o in self.options
        )
        select = f'<select data-name="{self.name}" {_OWN_KEYS}>{options}</select>'
        return f"<label><span>{html.escape(self.label)}</span>{select}</label>"


@dataclass(frozen=True)
class Keys:
    """A row of keys to press; the script gets the word of the last one, and ``v.pressed`` while it runs for a press."""

    name: str
    label: str
    options: Sequence[str]
    value: str

    def __post_init__(self):
        _identifier(self.name)
        if self.value not in self.options:
            raise ValueError(f"keys {self.name!r}: {self.value!r} is not among {list(self.options)}")

    def _html(self) -> str:
        words = [html.escape(o) for o in self.options]
        keys = "".join(f'<button type="button" data-sets="{w}" {_OWN_KEYS}>{w}</button>' for w in words)
        kept = f'<input type="hidden" data-name="{self.name}" value="{html.escape(self.value)}">'
        group = f'role="group" aria-label="{html.escape(self.label)}"'
        return f'<span>{html.escape(self.label)}</span>{kept}<div class="live-keys" {group}>{keys}</div>'


@dataclass(frozen=True)
class Live:
    """A figure with controls; JupyterLab and the book show it, a terminal says what it is."""

    controls: tuple
    script: str
    alt: str
    caption: str

    def __repr__(self) -> str:
        return f"[live figure: {self.alt}]\n{self.caption}"

    def _repr_html_(self) -> str:
        key = "live-" + hashlib.sha256(repr((self.controls, self.script, self.caption)).encode()).hexdigest()[:10]
        rows = "".join(f'<div class="live-control">{c._html()}</div>' for c in self.controls)
        colours = json.dumps({k: "currentColor" if v == INK else v for k, v in COLOURS.items()})
        code = RUNTIME.replace("__COLOURS__", colours).replace("__KEY__", key).replace("__SCRIPT__", self.script)
        return (
            f'<figure class="genutils-figure genutils-live" data-live="{key}"><style>{STYLE}</style>'
            f'<div class="live-chart" role="img" aria-label="{html.escape(self.alt)}"></div>'
            '<div class="live-legend" aria-hidden="true"></div>'
            f'<div class="live-controls" role="group" aria-label="Controls of the figure">{rows}</div>'
            '<dl class="live-numbers"></dl>'
            '<p class="live-words" aria-live="polite"></p>'
            f"<figcaption>{html.escape(self.caption)}</figcaption><script>{code}</script></figure>"
        )


def live_figure(controls: Sequence, script: str, *, alt: str, caption: str) -> None:
    """Show a figure that the reader can move.

    Args:
        controls: `Slider`, `Choice` and `Keys` objects.
        script: the body of a JavaScript function of ``v`` (values by control name) and ``draw``. It draws, and returns
            the quantities to show as an array of ``[name, value, unit]``, or ``[name, value, unit, full]`` for one with
            a bar that is full at that value; a fifth entry is the number of decimals, where three are too many.
            ``draw.axes({x: [0, 1], y: [0, 2], xlabel: "x", ylabel: "density"})``
            begins a panel below the one before, or beside it if their ``part: 0.6`` of the width leave room (on a
            phone every panel takes it all), with ``names: [...]`` in place of the numbers 0, 1, ... of x;
            ``draw.curve(xs, ys, role, label)``, ``draw.area``, ``draw.dots`` and
            ``draw.level(y)`` draw in it, in the roles of `genutils.plot`, in data coordinates. A panel of pictures is
            ``draw.pixels([ink, ...], columns, {size, mark, part})``, ink in 0 ... 1 row by row, null for not known; one
            of text is ``draw.letters(symbols, {ink, mark, read})``, where those from ``read`` on are pale. For
            the numbers there are ``draw.grid(a, b, n)``, ``draw.integral(ys, dx)``, ``draw.logNormal(x, mu, sigma)``,
            ``draw.logAddExp(a, b)`` and ``draw.nice(x)``, the next round number.
        alt: what is seen, and what moves, for someone who cannot see it.
        caption: the point of the figure; plain text.

    Raises:
        ValueError: two controls share a name, ``alt`` says nothing, or the script holds ``</script``.
    """
    names = [c.name for c in controls]
    if len(set(names)) < len(names):
        raise ValueError(f"each control needs a name of its own; they are {', '.join(names)}")
    alt, caption = " ".join(alt.split()), " ".join(caption.split())
    if len(alt.split()) < 4 or alt == caption:
        raise ValueError(f"alt must say in a sentence what is seen, and not repeat the caption; it is {alt!r}")
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a script may not hold </script or <!--, for the page would end it there; split the string")
    display(Live(tuple(controls), script, alt, caption))


def _identifier(name: str) -> None:
    if not (name.isidentifier() and name.isascii()):
        raise ValueError(f"a control's name stands in the script as v.name, so it must be an identifier; not {name!r}")
