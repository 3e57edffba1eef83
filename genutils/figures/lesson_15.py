"""The live figure of lesson 15: two games between a sampler and its critic, a few steps at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genutils.live import Choice, Slider, live_figure

SIDE = 3.4  # the square [-SIDE, SIDE]^2 is shown
CELLS = 18  # of the critic's field, along each side


@dataclass(frozen=True)
class Moment:
    """One moment of a game: samples (N, 2), and the critic's logits (CELLS + 1, CELLS + 1) on a grid, rows upwards."""

    samples: np.ndarray
    logits: np.ndarray


def field_grid() -> np.ndarray:
    """((CELLS + 1)^2, 2) the places, row by row from below, at which a `Moment` wants the critic's logits."""
    ticks = np.linspace(-SIDE, SIDE, CELLS + 1)
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)


CHASE = r"""
const games = __GAMES__, real = __REAL__, centres = __CENTRES__, every = __EVERY__, radius = __RADIUS__;
const side = __SIDE__, n = __CELLS__, size = 2 * side / n, moments = games[v.game], now = Math.round(v.step / every);
const { samples, logits } = moments[now];
const gap = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const covered = (points) => {
  const counts = centres.map(() => 0);
  points.forEach((p) => {
    const near = centres.map((c) => gap(p, c)), k = near.indexOf(Math.min(...near));
    if (near[k] <= radius) counts[k]++;
  });
  const least = Math.max(1, 0.1 * points.length / centres.length);
  return [counts.filter((c) => c >= least).length, counts.reduce((a, b) => a + b) / points.length];
};
const total = (a, b) => a.reduce((sum, p) => sum + b.reduce((s, q) => s + gap(p, q), 0), 0);
const within = (a) => total(a, a) / (a.length * (a.length - 1));
const distance = 2 * total(samples, real) / (samples.length * real.length) - within(samples) - within(real);

const at = (i, j) => logits[Math.min(n, Math.max(0, j))][Math.min(n, Math.max(0, i))];
const place = (i) => -side + i * size;
const slope = ([x, y]) => { // of the bilinear surface through the four corners of the cell
  const clamp = (t) => Math.min(n - 1e-9, Math.max(0, (t + side) / size));
  const [a, b] = [clamp(x), clamp(y)], i = Math.floor(a), j = Math.floor(b), [s, t] = [a - i, b - j];
  return [((1 - t) * (at(i + 1, j) - at(i, j)) + t * (at(i + 1, j + 1) - at(i, j + 1))) / size,
    ((1 - s) * (at(i, j + 1) - at(i, j)) + s * (at(i + 1, j + 1) - at(i + 1, j))) / size];
};

draw.axes({ x: [-side, side], y: [-side, side], xlabel: "x₁", ylabel: "x₂", height: 360, part: 0.55 });
const dots = (ps, role, label) => draw.dots(ps.map((p) => p[0]), ps.map((p) => p[1]), role, label);
dots(real, "data", "data");
let named = false;
for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) { // where the critic is in doubt: its logit crosses zero
  const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], cuts = [];
  corners.forEach(([a, b], k) => {
    const [c, d] = corners[(k + 1) % 4], here = at(a, b), there = at(c, d);
    if (here > 0 !== there > 0) {
      const s = here / (here - there);
      cuts.push([place(a + s * (c - a)), place(b + s * (d - b))]);
    }
  });
  for (let k = 0; k + 1 < cuts.length; k += 2) {
    draw.curve([cuts[k][0], cuts[k + 1][0]], [cuts[k][1], cuts[k + 1][1]], "third",
      named ? undefined : "critic in doubt, D = 1/2");
    named = true;
  }
}
samples.forEach((p, k) => {
  const g = slope(p), long = Math.hypot(...g), reach = long > 0 ? 0.7 / (1 + long) : 0;
  const label = k ? undefined : "where it would look more real to the critic";
  draw.curve([p[0], p[0] + reach * g[0]], [p[1], p[1] + reach * g[1]], "second", label);
});
dots(samples, "model", "samples");
draw.axes({ x: [0, 1.04 * __LAST__], y: [0, 8.9], xlabel: "steps played", ylabel: "modes", height: 200, part: 0.45 });
const history = moments.map((m) => covered(m.samples)[0]);
draw.curve(history.map((_, i) => i * every), history, "model", "modes covered");
draw.dots([now * every], [history[now]], "second");
const [modes, share] = covered(samples);
return [
  ["modes covered", modes, "", 8, 0],
  ["samples in a mode", 100 * share, "%", 100, 1],
  ["energy distance", distance, ""],
];
"""


def chase_script(
    games: Mapping[str, Sequence[Moment]], real: np.ndarray, centres: np.ndarray, radius: float, every: int
) -> str:
    """The script for games of equally many moments, ``every`` steps apart, beside data ``real`` (M, 2)."""
    counts = {len(moments) for moments in games.values()}
    if len(counts) != 1:
        raise ValueError(f"every game needs as many moments as the others; they have {sorted(counts)}")

    def listed(x: np.ndarray, digits: int = 2) -> list:
        return np.round(np.asarray(x, dtype=float), digits).tolist()

    told = {
        name: [{"samples": listed(m.samples), "logits": listed(m.logits)} for m in moments]
        for name, moments in games.items()
    }
    script = CHASE.replace("__GAMES__", json.dumps(told, separators=(",", ":")))
    words = {"REAL": listed(real), "CENTRES": listed(centres, 6), "RADIUS": radius, "EVERY": every, "SIDE": SIDE}
    words |= {"CELLS": CELLS, "LAST": every * (counts.pop() - 1)}
    for name, value in words.items():
        script = script.replace(f"__{name}__", json.dumps(value, separators=(",", ":")))
    return script


def chase(
    games: Mapping[str, Sequence[Moment]], real: np.ndarray, centres: np.ndarray, radius: float, every: int
) -> None:
    """Step through games by a slider: samples, the critic's field, and how many modes are covered."""
    script = chase_script(games, real, centres, radius, every)
    last = every * (len(next(iter(games.values()))) - 1)
    live_figure(
        [Choice("game", "the game", list(games), next(iter(games))), Slider("step", "steps played", 0, last, 0, every)],
        script,
        alt="""Grey data in eight clouds on a ring, blue samples, and from each sample a short orange line in the
            direction in which the critic would find it more real; a green line where the critic is in doubt. A slider
            moves through the steps of a game. A second panel: the number of modes covered, as a curve with a dot at
            the step shown.""",
        caption="""Move the slider, first through one game, then through the other. The orange lines are what the
            sampler learns from, and all that it ever learns from.""",
    )
