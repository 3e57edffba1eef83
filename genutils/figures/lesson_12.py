"""The live figure of lesson 12: a grid bent by two couplings."""

from genutils.live import Slider, live_figure

CONTROLS = [
    Slider("scale1", "first coupling: stretch s", -1.0, 1.0, 0.4, 0.05),
    Slider("shift1", "first coupling: shift t", -1.0, 1.0, 0.3, 0.05),
    Slider("scale2", "second coupling: stretch s", -1.0, 1.0, 0.0, 0.05),
    Slider("shift2", "second coupling: shift t", -1.0, 1.0, 0.0, 0.05),
    Slider("x1", "the square, left to right", -1.25, 1.25, 0.7, 0.05),
    Slider("x2", "the square, up and down", -1.25, 1.25, 0.6, 0.05),
]

GRID = r"""
const s = (scale, at) => scale * Math.sin(2 * at), t = (shift, at) => shift * Math.cos(1.5 * at);
const bend = ([a, b]) => { // vertically, as a says; then horizontally, as the new b says
  const c = b * Math.exp(s(v.scale1, a)) + t(v.shift1, a);
  return [a * Math.exp(s(v.scale2, c)) + t(v.shift2, c), c, s(v.scale1, a) + s(v.scale2, c)];
};
const outline = (half, n) => { // of the square, n points a side
  const side = draw.grid(-half, half, n), ends = side.slice(0, -1), back = [...side].reverse().slice(0, -1);
  return [...ends.map((d) => [d, -half]), ...ends.map((d) => [half, d]),
    ...back.map((d) => [d, half]), ...back.map((d) => [-half, d])].map(([a, b]) => [v.x1 + a, v.x2 + b]);
};
const area = (ps) => Math.abs(ps.reduce((sum, [a, b], i) => {
  const [c, d] = ps[(i + 1) % ps.length];
  return sum + ((a - v.x1) * (d - v.x2) - (c - v.x1) * (b - v.x2)) / 2;
}, 0));
const path = (ps, role, label) => draw.curve(ps.map((p) => p[0]), ps.map((p) => p[1]), role, label);
const closed = (ps) => [...ps, ps[0]], lines = draw.grid(-1.5, 1.5, 10), along = draw.grid(-1.5, 1.5, 81);

for (const after of [false, true]) {
  const move = after ? bend : (p) => p;
  const xlabel = after ? "z₁" : "x₁", ylabel = after ? "z₂" : "x₂";
  draw.axes({ x: [-3.9, 3.9], y: [-2.4, 2.4], xlabel, ylabel, height: 350 });
  for (const at of lines) {
    path(along.map((d) => move([at, d])), "data", after || at !== lines[0] ? undefined : "grid");
    path(along.map((d) => move([d, at])), "data");
  }
  path(closed(outline(0.2, 12)).map(move), "second", after ? undefined : "a small square");
}
const tiny = outline(0.001, 3), measured = area(tiny.map(bend)) / area(tiny), log = bend([v.x1, v.x2])[2];
return [["area, after by before", measured, "", 3], ["|det J|", Math.exp(log), "", 3], ["log |det J|", log, "nats"]];
"""


def bend_a_grid() -> None:
    """Two affine couplings, the first bending up and down, the second left and right."""
    live_figure(
        CONTROLS,
        GRID,
        alt="""Two drawings of the plane. Above, a regular grid with a small square in it. Below, the same grid after
            two couplings: the first bends the lines up and down, the second left and right, and the square is
            stretched with them. Below that, the square's change of area and the Jacobian determinant, which agree.""",
        caption="""Above the plane of the data, below where two couplings take it. The first moves points only up and
            down, as their place from left to right says; the second only left and right, as their new height says.""",
    )
