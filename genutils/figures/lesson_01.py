"""The live figure of lesson 01: put any fruit on the belt, and ask both machines about it."""

import json

import numpy as np

from genutils.classifiers import GaussianClassifier
from genutils.live import Slider, live_figure

HEIGHTS, WIDTHS = (3.0, 21.0), (3.0, 23.0)

BELT = r"""
const fruits = __FRUITS__, w = __W__, b = __B__, means = __MEANS__, [[s, c], [, t]] = __COV__;
const prior = [1 - v.pears / 100, v.pears / 100], roles = ["second", "third"], names = ["apples", "pears"];
const det = s * t - c * c, sigmoid = (a) => 1 / (1 + Math.exp(-a));
const logJoint = (x, y) => means.map(([mx, my], k) => {
  const [dx, dy] = [x - mx, y - my], square = (t * dx * dx - 2 * c * dx * dy + s * dy * dy) / det;
  return Math.log(prior[k]) - 0.5 * (square + Math.log(det)) - Math.log(2 * Math.PI);
});
const logP = (x, y) => logJoint(x, y).reduce(draw.logAddExp);
const byLine = (x, y) => sigmoid(w[0] * x + w[1] * y + b);
const byBayes = (x, y) => { const [apple, pear] = logJoint(x, y); return sigmoid(pear - apple); };

const [x0, x1] = __HEIGHTS__, [y0, y1] = __WIDTHS__;
draw.axes({ x: [x0 - 1, x1 + 1], y: [y0 - 1, y1 + 1], xlabel: "height (cm)", ylabel: "width (cm)", height: 340 });
names.forEach((name, k) => {
  const mine = fruits.filter((f) => f[2] === k);
  draw.dots(mine.map((f) => f[0]), mine.map((f) => f[1]), roles[k], name);
  const turns = draw.grid(0, 2 * Math.PI, 60), l = Math.sqrt(s), m = c / l, n = Math.sqrt(t - m * m);
  draw.curve(turns.map((a) => means[k][0] + 3 * l * Math.cos(a)),
    turns.map((a) => means[k][1] + 3 * (m * Math.cos(a) + n * Math.sin(a))), roles[k]);
});
const ends = [x0 - 1, x1 + 1];
draw.curve(ends, ends.map((x) => -(w[0] * x + b) / w[1]), "data", "the line that was learned");
const odds = (y) => { const [apple, pear] = logJoint(0, y); return pear - apple; }; // linear in x and in y
const slope = odds(1) - odds(0), tilt = (() => { const j = logJoint(1, 0); return j[1] - j[0] - odds(0); })();
draw.curve(ends, ends.map((x) => -(tilt * x + odds(0)) / slope), "model", "the line from the distribution");
draw.dots([v.height], [v.width], "truth", "this fruit");

const xs = draw.grid(x0, x1, 200);
draw.axes({ x: [x0 - 1, x1 + 1], y: [-0.03, 1.03], ylabel: "p(pear)", height: 120 });
draw.curve(xs, xs.map((x) => byLine(x, v.width)), "data");
draw.curve(xs, xs.map((x) => byBayes(x, v.width)), "model");
draw.dots([v.height], [byBayes(v.height, v.width)], "truth");
draw.axes({ x: [x0 - 1, x1 + 1], y: [-95, 5], xlabel: "height (cm), at this width", ylabel: "log p(x)", height: 150 });
draw.curve(xs, xs.map((x) => logP(x, v.width)), "model");
draw.dots([v.height], [Math.max(-95, logP(v.height, v.width))], "truth"); // below the axis: on its edge

const here = logP(v.height, v.width);
return [
  ["a pear, says the line", byLine(v.height, v.width), "", 1],
  ["says the distribution", byBayes(v.height, v.width), "", 1],
  ["log p(x)", here, "nats"],
  ["share of stranger fruit", fruits.filter(([x, y]) => logP(x, y) < here).length / fruits.length, "", 1],
];
"""


def belt_script(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float, model: GaussianClassifier) -> str:
    """The script for fruits x (N, 2) with labels y (N,), a line ``w . x + b = 0``, and LDA fitted to them."""
    fruits = [[*row, int(k)] for row, k in zip(np.round(x, 3).tolist(), y, strict=True)]
    places = {
        "FRUITS": fruits,
        "W": np.asarray(w).tolist(),
        "B": float(b),
        "MEANS": model.means.tolist(),
        "COV": model.covariances[0].tolist(),
        "HEIGHTS": HEIGHTS,
        "WIDTHS": WIDTHS,
    }
    script = BELT
    for name, value in places.items():
        script = script.replace(f"__{name}__", json.dumps(value))
    return script


def belt(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float, model: GaussianClassifier) -> None:
    """Two machines, one that learned a line and one that learned a distribution, asked about any fruit."""
    live_figure(
        [
            Slider("height", "height (cm)", *HEIGHTS, 8.0),
            Slider("width", "width (cm)", *WIDTHS, 7.0),
            Slider("pears", "pears in 100 fruits", 1, 99, round(100 * float(model.prior[1])), 1),
        ],
        belt_script(x, y, w, b, model),
        alt="""A plane of heights and widths with the apples and pears that were learned from, an ellipse round each
            kind, two nearly equal lines between them, and one black dot, the fruit in question, which two sliders
            move. Below, over all heights at its width: the probability of a pear, a step from 0 to 1 that stays at its
            ends however far one goes, and the log-density, a hill that falls away on both sides. A third slider
            changes how frequent pears are, and with it the line from the distribution.""",
        caption="""Put a melon on the belt: 17 high, 21 wide. Both machines stay sure which of the two it is; only the
            density, below, says that it is neither. Then let the season change: which line moves?""",
    )
