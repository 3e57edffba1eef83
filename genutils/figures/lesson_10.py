"""The live figures of lesson 10: what stacked convolutions see of an image, and a digit drawn pixel by pixel."""

from __future__ import annotations

import json

import numpy as np

from genutils.live import Choice, Slider, live_figure

SIDE, DEEPEST = 13, 8

FIELDS = r"""
const side = __SIDE__, r = v.window === "3 x 3" ? 1 : 2, target = (v.row - 1) * side + v.column - 1;
const inside = (a, b) => a >= 0 && a < side && b >= 0 && b < side;
const all = Array.from({ length: side * side }, (_, i) => i);
const start = (reads) => all.map((i) => new Set(reads.map(([d, e]) => [Math.floor(i / side) + d, i % side + e])
  .filter(([a, b]) => inside(a, b)).map(([a, b]) => a * side + b)));
const later = (fields, reads) => all.map((i) => {
  const found = new Set();
  for (const [d, e] of reads) {
    const a = Math.floor(i / side) + d, b = i % side + e;
    if (inside(a, b)) for (const j of fields[a * side + b]) found.add(j);
  }
  return found;
});
const across = Array.from({ length: 2 * r + 1 }, (_, i) => i - r), back = Array.from({ length: r }, (_, i) => i - r);
const above = back.flatMap((d) => across.map((e) => [d, e])), left = back.map((e) => [0, e]);
const joined = (a, b) => a.map((s, i) => new Set([...s, ...b[i]]));
let one = start([...above, ...left]), vertical = start(above), two = joined(start(left), vertical);
const counts = [[one[target].size], [two[target].size]];
let shown = [one[target], two[target]];
for (let layer = 2; layer <= __DEEPEST__; layer++) {
  one = later(one, [...above, ...left, [0, 0]]);
  vertical = later(vertical, [...above, ...across.map((e) => [0, e])]);
  two = joined(later(two, [...left, [0, 0]]), vertical);
  if (layer === v.layers) shown = [one[target], two[target]];
  counts[0].push(one[target].size);
  counts[1].push(two[target].size);
}
const picture = (seen) => all.map((i) => i >= target ? null : seen.has(i) ? 0.75 : 0);
draw.pixels(shown.map(picture), side, { size: 250, mark: target });
const layers = counts[0].map((_, i) => i + 1);
draw.axes({ x: [1, __DEEPEST__], y: [0, draw.nice(target + 1)], xlabel: "layers", ylabel: "pixels seen", height: 170 });
draw.curve([1, __DEEPEST__], [target, target], "truth", "all that are before");
draw.curve(layers, counts[0], "second", "one stack (left)");
draw.curve(layers, counts[1], "model", "two stacks (right)");
draw.dots([v.layers], [shown[0].size], "second");
draw.dots([v.layers], [shown[1].size], "model");
return [["pixels before", target, "", target, 0], ["seen by one stack", shown[0].size, "", target, 0],
  ["seen by two stacks", shown[1].size, "", target, 0]];
"""


def fields_script() -> str:
    """The script that grows both receptive fields, by sets of pixels."""
    return FIELDS.replace("__SIDE__", str(SIDE)).replace("__DEEPEST__", str(DEEPEST))


def fields_controls() -> tuple:
    return (
        Slider("layers", "layers", 1, DEEPEST, 4, 1),
        Choice("window", "window", ["3 x 3", "5 x 5"], "3 x 3"),
        Slider("row", "row of the pixel", 1, SIDE, 9, 1),
        Slider("column", "its column", 1, SIDE, 5, 1),
    )


def receptive_fields() -> None:
    """What a pixel's prediction sees through layers of convolutions: one masked stack beside two stacks."""
    live_figure(
        fields_controls(),
        fields_script(),
        alt="""Two pictures of thirteen by thirteen pixels with the same pixel framed. Dark pixels are seen by its
            prediction, white ones come before it and are not seen, shaded ones come after. On the left a wedge to the
            upper right stays white; on the right the dark area grows over everything before. Below, two curves of the
            number of pixels seen over layers. Sliders choose the layers and the pixel, a list the window.""",
        caption="""Dark: seen by the prediction of the framed pixel. White: before it and not seen. Shaded: not drawn
            yet. Left, one stack of masked convolutions; right, a vertical and a horizontal stack. Move the layers.""",
    )


DRAWN = r"""
const drawings = __DRAWINGS__, { x, p } = drawings[v.digit], levels = p[0].length, D = x.length;
const shown = x.map((value, i) => i < v.step ? value / (levels - 1) : null);
draw.pixels([shown], __COLUMNS__, { size: 230, mark: v.step < D ? v.step : -1, part: 0.42 });
const next = p[Math.min(v.step, D - 1)], top = draw.nice(Math.max(...next));
draw.axes({ x: [-0.5, levels - 0.5], y: [0, top], xlabel: "grey level", ylabel: "probability of the next", height: 234,
  part: 0.56 });
const xs = next.flatMap((_, l) => [l - 0.5, l - 0.45, l + 0.45, l + 0.5]);
if (v.step < D) draw.area(xs, next.flatMap((value) => [0, value, value, 0]), "model");
const bits = x.map((value, i) => -Math.log2(p[i][value]));
const paid = bits.slice(0, v.step).reduce((sum, b) => sum + b, 0);
const doubt = v.step < D ? -next.reduce((sum, q) => sum + (q > 0 ? q * Math.log2(q) : 0), 0) : NaN;
return [["doubt about the next pixel", doubt, "bits", 4, 2], ["this picture so far", paid, "bits", 0, 1]];
"""


def drawing_script(images: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """The script for drawings by name: the image (H, W) of whole levels, and (H, W, L) what each pixel was drawn from.

    Raises:
        ValueError: a pixel has a level that its probabilities, rounded to four decimals, call impossible.
    """
    packed = {}
    for name, (x, p) in images.items():
        p = np.maximum(np.round(np.asarray(p, dtype=float).reshape(-1, p.shape[-1]), 4), 0)
        x = np.asarray(x)
        if not (p[np.arange(x.size), x.ravel()] > 0).all():
            raise ValueError(
                f"{name}: a pixel has a level that is less likely than 1 in 20,000; choose another drawing"
            )
        packed[name] = {"x": x.ravel().tolist(), "p": p.tolist()}
        columns = x.shape[1]
    said = json.dumps(packed, separators=(",", ":"))
    return DRAWN.replace("__DRAWINGS__", said).replace("__COLUMNS__", str(columns))


def show_drawing(images: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Drawings by name, one pixel at a step, beside the distribution from which the next pixel is drawn."""
    pixels = next(iter(images.values()))[0].size
    live_figure(
        [
            Slider("step", "pixels drawn", 0, pixels, 26 * pixels // 64, 1),
            Choice("digit", "digit", list(images), next(iter(images))),
        ],
        drawing_script(images),
        alt="""A picture of eight by eight pixels that fills up one pixel at a time; the next one is framed. Beside it,
            the probabilities of the seventeen grey levels of that pixel: one tall bar where the network is sure, many
            low ones where it is in doubt. A slider chooses how many pixels are drawn, a list the digit.""",
        caption="""Move the slider: the bars are the distribution from which the framed pixel will be drawn. In a
            margin there is nothing to decide; where a stroke may turn there is.""",
    )
