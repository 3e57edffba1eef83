"""Figures that you can move, without a library and without a kernel: sliders, SVG, and a few lines of script.

The same HTML works in the book (also from ``file://``) and in JupyterLab, by mouse, touch and keyboard; what changes is also
said in words, for screen readers. A script computes its numbers in the page; tests compare them with the package.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

from genutils.lesson import display
from genutils.plot import COLOURS, INK

WIDTH = 640
_ROW = "display:flex;flex:1 1 18em;align-items:center;gap:.6em;margin:0"
_INPUT = f"flex:1 1 6em;min-width:5em;min-height:2em;accent-color:{COLOURS['model']}"


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
        if not (self.low <= self.value <= self.high and self.step > 0):
            raise ValueError(
                f"slider {self.name!r}: {self.value} must lie in [{self.low}, {self.high}], the step be positive"
            )

    def _html(self) -> str:
        attributes = (
            f'min="{self.low}" max="{self.high}" step="{self.step}" value="{self.value}" data-name="{self.name}"'
        )
        return (
            f'<label style="{_ROW}"><span style="flex:0 0 9.5em">{html.escape(self.label)}</span>'
            f'<input type="range" {attributes} style="{_INPUT}"></label>'
            f'<output style="min-width:3em;text-align:right">{self.value:g}</output>'
        )


@dataclass(frozen=True)
class Choice:
    """One of several words that the reader can choose."""

    name: str
    label: str
    options: Sequence[str]
    value: str

    def __post_init__(self):
        if self.value not in self.options:
            raise ValueError(f"choice {self.name!r}: {self.value!r} is not among {list(self.options)}")

    def _html(self) -> str:
        chosen = {self.value: " selected"}
        options = "".join(f"<option{chosen.get(o, '')}>{html.escape(o)}</option>" for o in self.options)
        return (
            f'<label style="{_ROW}"><span style="flex:0 0 9.5em">{html.escape(self.label)}</span>'
            f'<select data-name="{self.name}" style="{_INPUT}">{options}</select></label>'
        )


# What a figure's own script may use: draw.axes, draw.curve, draw.area, draw.dot, draw.text, draw.grid. Coordinates are data.
_DRAW = """
const NS = "http://www.w3.org/2000/svg", W = WIDTH_, H = HEIGHT_, pad = {l: 46, r: 10, t: 10, b: 38};
function tools(svg) {
  let X, Y;
  const add = (tag, attributes, text) => {
    const e = document.createElementNS(NS, tag);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (text !== undefined) e.textContent = text;
    svg.appendChild(e);
    return e;
  };
  const sx = x => pad.l + (x - X[0]) / (X[1] - X[0]) * (W - pad.l - pad.r);
  const sy = y => H - pad.b - (y - Y[0]) / (Y[1] - Y[0]) * (H - pad.t - pad.b);
  const points = (xs, ys) => xs.map((x, i) => sx(x).toFixed(1) + "," + sy(Math.max(Y[0], Math.min(Y[1], ys[i]))).toFixed(1));
  const colour = role => COLOURS_[role] || "currentColor";
  const ticks = (a, b, n) => {
    const raw = (b - a) / n, p = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].map(k => k * p).find(s => s >= raw - 1e-12), out = [];
    for (let t = Math.ceil(a / step - 1e-9) * step; t <= b + 1e-9; t += step) out.push(Math.abs(t) < 1e-9 ? 0 : t);
    return out;
  };
  const ink = {fill: "currentColor", "font-size": 15};
  return {
    grid: (a, b, n) => Array.from({length: n + 1}, (_, i) => a + (b - a) * i / n),
    axes({x, y, xlabel = "", ylabel = ""}) {
      X = x; Y = y;
      add("path", {d: `M${sx(x[0])},${sy(y[1])}V${sy(y[0])}H${sx(x[1])}`, fill: "none", stroke: "currentColor"});
      for (const t of ticks(x[0], x[1], 7)) add("text", {x: sx(t), y: H - pad.b + 17, "text-anchor": "middle", ...ink}, +t.toPrecision(6));
      for (const t of ticks(y[0], y[1], 4)) add("text", {x: pad.l - 6, y: sy(t) + 5, "text-anchor": "end", ...ink}, +t.toPrecision(6));
      add("text", {x: (pad.l + W - pad.r) / 2, y: H - 3, "text-anchor": "middle", ...ink}, xlabel);
      add("text", {x: pad.l + 8, y: pad.t + 12, ...ink}, ylabel);
    },
    curve: (xs, ys, role, dashed = false) => add("polyline", {points: points(xs, ys).join(" "), fill: "none", stroke: colour(role),
      "stroke-width": 2.5, "stroke-dasharray": dashed ? "7 4" : "none"}),
    area: (xs, ys, role, opacity = 0.25) => add("polygon", {fill: colour(role), "fill-opacity": opacity,
      points: [sx(xs[0]) + "," + sy(Y[0]), ...points(xs, ys), sx(xs[xs.length - 1]) + "," + sy(Y[0])].join(" ")}),
    dot: (x, y, role, r = 5) => add("circle", {cx: sx(x), cy: sy(y), r, fill: colour(role)}),
    text: (x, y, words, role = "truth", anchor = "middle") => add("text", {x: sx(x), y: sy(y), ...ink, fill: colour(role),
      "text-anchor": anchor}, words),
  };
}
"""

_RUN = """
for (const root of document.querySelectorAll('[data-live="KEY_"]')) {
  if (root.dataset.ready) continue;
  root.dataset.ready = "yes";
  const svg = root.querySelector("svg"), list = root.querySelector("dl"), said = root.querySelector("[aria-live]");
  const inputs = [...root.querySelectorAll("[data-name]")];
  let later;
  const update = () => {
    const v = {};
    for (const i of inputs) {
      v[i.dataset.name] = i.type === "range" ? Number(i.value) : i.value;
      if (i.type === "range") i.closest("div").querySelector("output").value = i.value;
    }
    svg.replaceChildren();
    const found = figure(v, tools(svg));
    list.replaceChildren(...found.map(([name, value, unit]) => {
      const box = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
      box.style.cssText = "flex:1 1 6.5em";
      dt.style.cssText = "font-weight:normal;opacity:.85;margin:0"; dd.style.cssText = "margin:0;font-weight:bold;font-variant-numeric:tabular-nums";
      dt.textContent = name; dd.textContent = value.toFixed(3) + " " + unit; dd.dataset.value = value; dd.dataset.quantity = name;
      box.append(dt, dd);
      return box;
    }));
    clearTimeout(later);
    later = setTimeout(() => { said.textContent = found.map(([n, x, u]) => n + " is " + x.toFixed(2) + " " + u).join(", "); }, 600);
  };
  for (const i of inputs) i.addEventListener("input", update);
  update();
}
"""


@dataclass(frozen=True)
class Live:
    """A figure with controls; JupyterLab and the book show it, a terminal says what it is."""

    controls: tuple
    script: str
    alt: str
    caption: str
    height: int = 300

    def __repr__(self) -> str:
        return f"[live figure: {self.alt}]\n{self.caption}"

    def _repr_html_(self) -> str:
        key = "live-" + hashlib.sha256(repr((self.controls, self.script, self.caption)).encode()).hexdigest()[:10]
        row = "display:flex;align-items:center;gap:.6em"
        rows = "".join(f'<div style="{row}">{c._html()}</div>' for c in self.controls)
        colours = json.dumps({k: "currentColor" if v == INK else v for k, v in COLOURS.items()})
        library = (
            _DRAW.replace("WIDTH_", str(WIDTH)).replace("HEIGHT_", str(self.height)).replace("COLOURS_", f"({colours})")
        )
        script = (
            f"(() => {{{library}\nfunction figure(v, draw) {{\n{self.script}\n}}\n{_RUN.replace('KEY_', key)}}})();"
        )
        return (
            f'<figure class="genutils-figure genutils-live" data-live="{key}" style="margin:.6em 0;max-width:{WIDTH + 60}px">'
            f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{html.escape(self.alt)}" '
            f'style="width:100%;height:auto"></svg>'
            f'<div role="group" aria-label="Controls of the figure">{rows}</div>'
            '<dl style="display:flex;flex-wrap:wrap;gap:.3em 1em;margin:.6em 0"></dl>'
            '<p aria-live="polite" style="position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);margin:0"></p>'
            f'<figcaption style="opacity:.85;font-size:.92em">{html.escape(self.caption)}</figcaption>'
            f"<script>{script}</script></figure>"
        )


def live_figure(controls: Sequence, script: str, *, alt: str, caption: str, height: int = 300) -> None:
    """Show a figure that the reader can move.

    Args:
        controls: `Slider` and `Choice` objects.
        script: the body of a JavaScript function of ``v`` (values by control name) and ``draw`` (``axes``, ``curve``, ``area``,
            ``dot``, ``text`` in data coordinates, and ``grid(a, b, n)``). It draws, and returns the quantities to show as
            an array of ``[name, value, unit]``.
        alt: what is seen, and what moves, for someone who cannot see it.
        caption: the point of the figure.
        height: of the picture, where its width is 640.

    Raises:
        ValueError: two controls share a name, or ``alt`` says nothing.
    """
    names = [c.name for c in controls]
    if len(set(names)) < len(names):
        raise ValueError(f"each control needs a name of its own; they are {', '.join(names)}")
    if len(alt.split()) < 4:
        raise ValueError(f"alt must say in a sentence what is seen; it is {alt!r}")
    display(Live(tuple(controls), script, " ".join(alt.split()), " ".join(caption.split()), height))


_DIVERGENCES = """
const N = 6000, xs = draw.grid(-30, 30, N), dx = 60 / N;
const logN = (x, m, s) => -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
const logsum = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
const lp = xs.map(x => logsum(Math.log(0.6) + logN(x, -v.gap / 2, 1), Math.log(0.4) + logN(x, v.gap / 2, 1)));
const lq = xs.map(x => logN(x, v.mu, v.sigma));
const mean = (weights, f) => weights.reduce((sum, w, i) => sum + (w > 0 ? w * f(i) : 0), 0) * dx;
const p = lp.map(Math.exp), q = lq.map(Math.exp), lm = lp.map((a, i) => logsum(a, lq[i]) - Math.LN2);
const shown = xs.map((x, i) => i).filter(i => Math.abs(xs[i]) <= 8), pick = a => shown.map(i => a[i]);
draw.axes({x: [-8, 8], y: [0, 0.8], xlabel: "x", ylabel: "density"});
draw.area(pick(xs), pick(p), "data", 0.35);
draw.curve(pick(xs), pick(p), "truth", true);
draw.curve(pick(xs), pick(q), "model");
draw.text(-7.4, 0.66, "truth p, dashed", "truth", "start");
draw.text(-7.4, 0.6, "belief q", "model", "start");
return [["H(p)", -mean(p, i => lp[i]), "nats"], ["H(p, q)", -mean(p, i => lq[i]), "nats"],
  ["KL(p ‖ q)", mean(p, i => lp[i] - lq[i]), "nats"], ["KL(q ‖ p)", mean(q, i => lq[i] - lp[i]), "nats"],
  ["JS", 0.5 * mean(p, i => lp[i] - lm[i]) + 0.5 * mean(q, i => lq[i] - lm[i]), "nats"]];
"""


def divergences() -> None:
    """The live figure of lesson 05: p is 0.6 N(-gap/2, 1) + 0.4 N(gap/2, 1), q is N(mu, sigma^2); five quantities in nats."""
    live_figure(
        [
            Slider("gap", "gap between p's humps", 0, 8, 5),
            Slider("mu", "mean of q", -6, 6, 1.5),
            Slider("sigma", "width of q", 0.3, 4, 1.2, 0.05),
        ],
        _DIVERGENCES,
        alt="A dashed density p with one or two humps and a blue Gaussian q. Sliders move the gap between the humps of p and the mean "
        "and width of q; below, the entropy, the cross-entropy, KL in both directions and Jensen-Shannon change.",
        caption="Move q. JS never exceeds log 2 = 0.693 nats. H(p, q) − H(p) is always KL(p ‖ q).",
    )
