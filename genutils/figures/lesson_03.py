"""The live figure of lesson 03: expectation maximisation, one step at a time."""

import json

import numpy as np

from genutils.live import Choice, Slider, live_figure

STARTS = {
    "far apart": [[-2.0, -2.0], [4.0, -1.0], [0.0, 4.0]],
    "nearly in one place": [[1.2, 1.2], [1.4, 1.2], [1.3, 1.4]],
    "two in one cloud": [[3.2, 0.9], [3.3, 2.6], [-2.0, 1.2]],
}
FIRST = "nearly in one place"
STEPS = 40

EM_STEPS = r"""
const points = __POINTS__, truth = __TRUTH__, K = 3, N = points.length;
let means = __STARTS__[v.start].map((m) => [...m]), weights = Array(K).fill(1 / K);
let covs = means.map(() => [1, 0, 1]); // the round unit Gaussian: xx, xy, yy
const roles = ["model", "second", "third"], history = [], paths = means.map(() => []);
let shown;

const logJoint = ([x, y], k) => {
  const [a, b, c] = covs[k], det = a * c - b * b, dx = x - means[k][0], dy = y - means[k][1];
  const square = (c * dx * dx - 2 * b * dx * dy + a * dy * dy) / det;
  return Math.log(weights[k]) - 0.5 * (square + Math.log(det)) - Math.log(2 * Math.PI);
};
for (let step = 0; step <= __STEPS__; step++) {
  let total = 0;
  const r = points.map((p) => { // E-step, in logs
    const joint = means.map((_, k) => logJoint(p, k));
    const log = joint.reduce(draw.logAddExp);
    total += log;
    return joint.map((j) => Math.exp(j - log));
  });
  history.push(total / N);
  if (step <= v.step) means.forEach((m, k) => paths[k].push([...m]));
  if (step === v.step) shown = { r, means: means.map((m) => [...m]), covs: covs.map((c) => [...c]), weights };
  const mass = means.map((_, k) => r.reduce((s, row) => s + row[k], 0)); // M-step
  const average = (k, f) => points.reduce((s, p, i) => s + r[i][k] * f(p), 0) / mass[k];
  weights = mass.map((m) => m / N);
  means = mass.map((_, k) => [average(k, (p) => p[0]), average(k, (p) => p[1])]);
  covs = means.map(([mx, my], k) => [
    average(k, (p) => (p[0] - mx) ** 2), average(k, (p) => (p[0] - mx) * (p[1] - my)),
    average(k, (p) => (p[1] - my) ** 2)]);
}

const some = (test) => points.filter((_, i) => test(shown.r[i]));
const dots = (ps, role, label) => draw.dots(ps.map((p) => p[0]), ps.map((p) => p[1]), role, label);
draw.axes({ x: [-4, 6], y: [-3.2, 5.8], xlabel: "x₁", ylabel: "x₂", height: 340 });
dots(some((r) => Math.max(...r) < 0.9), "data", "no cause is 90 % responsible");
roles.forEach((role, k) => dots(some((r) => r[k] >= 0.9), role));
roles.forEach((role, k) => {
  const [a, b, c] = shown.covs[k], l = Math.sqrt(a), m = b / l, n = Math.sqrt(c - m * m);
  for (const size of [1, 2]) { // standard deviations
    const turns = draw.grid(0, 2 * Math.PI, 60);
    draw.curve(turns.map((t) => shown.means[k][0] + size * l * Math.cos(t)),
      turns.map((t) => shown.means[k][1] + size * (m * Math.cos(t) + n * Math.sin(t))), role,
      size === 1 ? `cause ${k + 1}` : undefined);
  }
});
paths.forEach((path, k) =>
  draw.curve(path.map((p) => p[0]), path.map((p) => p[1]), "data", k ? undefined : "way of the means"));
draw.axes({ x: [0, __STEPS__], y: [-4.1, -3.1], xlabel: "step of EM", ylabel: "nats", height: 160 });
draw.curve([0, __STEPS__], [truth, truth], "truth", "the truth, on these points");
draw.curve(history.map((_, i) => i), history, "model", "log-likelihood per point");
draw.dots([v.step], [Math.max(history[v.step], -4.1)], "second"); // below the axis: on its edge
return [
  ["log-likelihood", history[v.step], "nats"],
  ["this step gained", v.step ? history[v.step] - history[v.step - 1] : 0, "nats"],
  ...shown.weights.map((w, k) => [`weight ${k + 1}`, w, "", 1]),
];
"""


def em_script(x: np.ndarray, truth: float) -> str:
    """The script for points x (N, 2), and the log-likelihood per point of the distribution they came from, in nats."""
    points = json.dumps(np.round(np.asarray(x, dtype=float), 4).tolist())
    script = EM_STEPS.replace("__POINTS__", points).replace("__TRUTH__", repr(float(truth)))
    return script.replace("__STARTS__", json.dumps(STARTS)).replace("__STEPS__", str(STEPS))


def em_steps(x: np.ndarray, truth: float) -> None:
    """EM for three Gaussians on the points x (N, 2), from three starts; ``truth`` in nats per point."""
    live_figure(
        [Slider("step", "step of EM", 0, STEPS, 0, 1), Choice("start", "the means start", list(STARTS), FIRST)],
        em_script(x, truth),
        alt="""Points in the plane and three Gaussians, each drawn as two ellipses. A slider moves through the steps of
            EM: the ellipses wander to the clouds and the points take the colour of the cause that is responsible.
            Below, the log-likelihood as a curve over steps, with a dot at the step shown, and that of the truth.""",
        caption="""Move the slider. The ellipses are one and two standard deviations. Dashed below: what the true
            distribution scores on the same points. Then try the other two starts.""",
    )
