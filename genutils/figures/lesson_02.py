"""The live figure of lesson 02: a kernel density estimate, and what its bandwidth does to seen and unseen points."""

import json

import numpy as np

from genutils.live import Slider, live_figure

BANDWIDTH = r"""
const seen = __SEEN__, unseen = __UNSEEN__, h = Math.pow(10, v.h);
const logKde = (x) => { // log of the mean of Gaussians, without underflow
  const e = seen.map((s) => draw.logNormal(x, s, h)), top = Math.max(...e);
  return top + Math.log(e.reduce((t, a) => t + Math.exp(a - top), 0) / seen.length);
};
const logTruth = (x) => draw.logAddExp(
  Math.log(0.35) + draw.logNormal(x, -1.5, 0.25), Math.log(0.65) + draw.logNormal(x, 1, 0.8));
const xs = draw.grid(-4, 5, 900);
draw.axes({ x: [-4, 5], y: [0, 1], xlabel: "x", ylabel: "density" });
const p = xs.map((x) => Math.min(1.5, Math.exp(logKde(x))));
draw.area(xs, p, "model");
draw.curve(xs, p, "model", "kernel estimate");
draw.curve(xs, xs.map((x) => Math.exp(logTruth(x))), "truth", "truth");
draw.dots(seen, seen.map(() => 0.015), "data", "points it has seen");
const mean = (points, f) => points.reduce((t, x) => t + f(x), 0) / points.length;
return [
  ["bandwidth h", h, ""],
  ["points seen", mean(seen, logKde), "nats"],
  ["unseen points", mean(unseen, logKde), "nats"],
  ["truth, unseen points", mean(unseen, logTruth), "nats"],
];
"""


def script(seen, unseen) -> str:
    """The script of the figure for 1-D arrays of seen and unseen points."""
    numbers = {"__SEEN__": seen, "__UNSEEN__": unseen}
    text = BANDWIDTH
    for name, values in numbers.items():
        text = text.replace(name, json.dumps([round(float(x), 5) for x in np.asarray(values)]))
    return text


def bandwidth(seen, unseen) -> None:
    """A kernel estimate of 0.35 N(-1.5, 0.25^2) + 0.65 N(1, 0.8^2) from 1-D points, with a slider for its bandwidth."""
    live_figure(
        [Slider("h", "log₁₀ of the bandwidth", -2.5, 0.7, -1.5, 0.05)],
        script(seen, unseen),
        alt="""A blue density estimate over grey points, and the dashed true density with a narrow and a wide hump.
            A slider sets the width of the kernels; the mean log-density of seen and of unseen points follows.""",
        caption="""Widen and narrow the kernels. The points that were seen always want them narrower; the unseen ones
            have a favourite.""",
    )
