"""Figures that you can move, without a library and without a kernel: sliders, SVG, and a few lines of script.

The same HTML works in the book (also from ``file://``) and in JupyterLab, by mouse, touch and keyboard; what changes is
also said in words, for screen readers. A script computes its numbers in the page; tests compare them with the package.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from genutils._live_runtime import RUNTIME, STYLE
from genutils.lesson import display
from genutils.plot import COLOURS, INK

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
        controls: `Slider` and `Choice` objects.
        script: the body of a JavaScript function of ``v`` (values by control name) and ``draw``. It draws, and returns
            the quantities to show as an array of ``[name, value, unit]``, or ``[name, value, unit, full]`` for one with
            a bar that is full at that value. ``draw.axes({x: [0, 1], y: [0, 2], xlabel: "x", ylabel: "density"})``
            begins a panel below the one before; ``draw.curve(xs, ys, role, label)``, ``draw.area``, ``draw.dots`` and
            ``draw.level(y)`` draw in it, in the roles of `genutils.plot`, in data coordinates. For the numbers there
            are ``draw.grid(a, b, n)``, ``draw.integral(ys, dx)``, ``draw.logNormal(x, mu, sigma)``,
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


DIVERGENCES = r"""
const N = 6000, xs = draw.grid(-30, 30, N), dx = 60 / N;
const lp = xs.map((x) => draw.logAddExp(
  Math.log(0.6) + draw.logNormal(x, -v.gap / 2, 1), Math.log(0.4) + draw.logNormal(x, v.gap / 2, 1)));
const lq = xs.map((x) => draw.logNormal(x, v.mu, v.sigma));
const lm = lp.map((a, i) => draw.logAddExp(a, lq[i]) - Math.LN2);
const p = lp.map(Math.exp), q = lq.map(Math.exp);
const pTerms = p.map((w, i) => w * (lp[i] - lq[i])), qTerms = q.map((w, i) => w * (lq[i] - lp[i]));

const seen = xs.map((x, i) => i).filter((i) => Math.abs(xs[i]) <= 8 && i % 4 === 0);
const pick = (ys) => seen.map((i) => ys[i]);
const top = Math.min(5, Math.max(0.4, draw.nice(Math.max(...pick(pTerms), ...pick(qTerms)))));
draw.axes({ x: [-8, 8], y: [0, Math.max(0.5, draw.nice(Math.max(...q)))], ylabel: "density" });
draw.area(pick(xs), pick(p));
draw.curve(pick(xs), pick(p), "truth", "truth p");
draw.curve(pick(xs), pick(q), "model", "belief q");
draw.axes({ x: [-8, 8], y: [-top / 2, top], xlabel: "x", ylabel: "nats per unit of x", height: 190 });
draw.level(0);
draw.curve(pick(xs), pick(pTerms), "second", "p log(p/q): its area is KL(p ‖ q)");
draw.curve(pick(xs), pick(qTerms), "third", "q log(q/p): its area is KL(q ‖ p)");

const mean = (weights, logs) => draw.integral(weights.map((w, i) => w * logs[i]), dx);
return [
  ["H(p)", -mean(p, lp), "nats"],
  ["H(p, q)", -mean(p, lq), "nats"],
  ["KL(p ‖ q)", draw.integral(pTerms, dx), "nats", 4],
  ["KL(q ‖ p)", draw.integral(qTerms, dx), "nats", 4],
  ["JS", (mean(p, lp) - mean(p, lm) + mean(q, lq) - mean(q, lm)) / 2, "nats", Math.LN2],
];
"""


def divergences() -> None:
    """The live figure of lesson 05: p is 0.6 N(-gap/2, 1) + 0.4 N(gap/2, 1), q is N(mu, sigma^2); all in nats."""
    live_figure(
        [
            Slider("gap", "gap of p's humps", 0, 8, 6),
            Slider("mu", "mean of q", -6, 6, 1.5),
            Slider("sigma", "width of q", 0.3, 4, 1.2, 0.05),
        ],
        DIVERGENCES,
        alt="""A dashed density p with one or two humps and a blue Gaussian q; below them, where on the axis the two KL
            divergences come from. Sliders move the gap between the humps of p and the mean and width of q, and the
            entropy, the cross-entropy, KL in both directions and Jensen-Shannon follow as numbers.""",
        caption="""Move q. H(p, q) is always H(p) and KL(p ‖ q) together. The bar of JS is full at log 2, its largest
            value; those of KL at 4 nats, but KL has none.""",
    )
