"""The live figure of lesson 08: a digit is drawn pixel by pixel, in the order of your choice."""

import json

import numpy as np

from genutils.live import Choice, Slider, live_figure

SIDE = 8

DRAW = r"""
const { weights, bias, order } = __MODELS__[v.order], D = order.length, columns = __SIDE__;
const random = (() => { // Park and Miller's generator: the same draws for the same seed
  let state = 48271 * (v.seed + 12345) % 2147483647;
  return () => (state = 48271 * state % 2147483647) / 2147483647;
})();
for (let i = 0; i < 20; i++) random();
const x = Array(D).fill(null), bits = [];
let p = NaN, total = 0, shown = Array(D).fill(null), next = -1;
for (let k = 0; k < D; k++) { // the k-th in the order sees those before it
  const a = weights[k].reduce((sum, w, j) => sum + w * x[order[j]], bias[k]);
  const chance = 1 / (1 + Math.exp(-a)), u = random();
  if (k === v.step) { p = chance; next = order[k]; shown = [...x]; total = bits.reduce((s, b) => s + b, 0); }
  x[order[k]] = u < chance ? 1 : 0;
  bits.push(-Math.log2(x[order[k]] ? chance : 1 - chance));
}
if (v.step >= D) { shown = [...x]; total = bits.reduce((s, b) => s + b, 0); }
draw.pixels([shown], columns, { size: 230, mark: next });
draw.axes({ x: [0, D], y: [0, 40], xlabel: "pixels drawn", ylabel: "bits so far", height: 170 });
let sum = 0;
const path = [0, ...bits.map((b) => (sum += b))].slice(0, Math.min(v.step, D) + 1);
draw.curve(path.map((_, i) => i), path, "model", "surprise of the picture so far");
draw.dots([path.length - 1], [path[path.length - 1]], "second");
return [["P(next pixel is ink)", p, "", 1], ["this picture so far", total, "bits"]];
"""


def draw_script(models: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> str:
    """The script for models by name: weights (D, D) and bias (D,) in the order's own numbering, and the order (D,).

    Row k of the weights belongs to the k-th pixel of the order, and only its first k entries count.
    """
    packed = {
        name: {
            "weights": [np.round(row[:k], 3).tolist() for k, row in enumerate(weights)],
            "bias": np.round(bias, 3).tolist(),
            "order": np.asarray(order).tolist(),
        }
        for name, (weights, bias, order) in models.items()
    }
    return DRAW.replace("__MODELS__", json.dumps(packed, separators=(",", ":"))).replace("__SIDE__", str(SIDE))


def draw_digit(models: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    """A binary digit drawn by a sigmoid belief net, one pixel at a step; a choice of orders, and of seeds."""
    live_figure(
        [
            Slider("step", "pixels drawn", 0, SIDE**2, 20, 1),
            Slider("seed", "another digit", 1, 40, 3, 1),
            Choice("order", "order", list(models), next(iter(models))),
        ],
        draw_script(models),
        alt="""A picture of eight by eight pixels that fills up one pixel at a time; the pixel to be drawn next is
            framed. Below, a curve of the surprise in bits, which climbs in steps. The probability of ink there is
            given as a number. Sliders choose how many pixels are drawn and which digit; a list chooses the order.""",
        caption="""Move the first slider. Shaded pixels are not drawn yet; the framed one is next, and its probability
            comes from all those that are there. Nets for other orders draw as well.""",
    )
