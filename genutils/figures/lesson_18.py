"""The live figure of lesson 18: points walk from noise to a ring of eight blobs, by the exact score."""

from genutils.live import Choice, Slider, live_figure

STEPS, LOW, HIGH, COUNT = 60, -8.0, 6.0, 160
WAYS = ["deterministic", "with fresh noise"]

WALK = r"""
const steps = __STEPS__, low = __LOW__, high = __HIGH__, count = __COUNT__, scale = 1.45;
const random = (() => { // Park and Miller's generator: the same draws for the same seed
  let state = 48271 * (v.seed + 12345) % 2147483647;
  return () => (state = 48271 * state % 2147483647) / 2147483647;
})();
for (let i = 0; i < 20; i++) random();
const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
const centres = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => [Math.cos, Math.sin].map((f) => 2 / scale * f(Math.PI * k / 4)));
const at = (t) => { // alpha and sigma
  const gamma = low + (high - low) * t;
  return [1 / Math.sqrt(1 + Math.exp(gamma)), 1 / Math.sqrt(1 + Math.exp(-gamma))];
};
const noise = ([a, b], [alpha, sigma]) => { // E[eps | z], exactly
  const variance = (0.2 / scale * alpha) ** 2 + sigma ** 2;
  const away = centres.map(([x, y]) => [a - alpha * x, b - alpha * y]);
  const logs = away.map(([x, y]) => -0.5 * (x * x + y * y) / variance), top = Math.max(...logs);
  const share = logs.map((l) => Math.exp(l - top)), total = share.reduce((s, w) => s + w, 0);
  return [0, 1].map((i) => sigma / variance * away.reduce((s, d, k) => s + share[k] * d[i], 0) / total);
};
let points = Array.from({ length: count }, () => [normal(), normal()]);
const nearest = ([a, b]) => {
  const far = centres.map(([x, y]) => Math.hypot(a - x, b - y));
  return far.indexOf(Math.min(...far));
};
let shown = points, when = at(1);
for (let step = 1; step <= steps; step++) {
  const now = at(1 - (step - 1) / steps), then = at(1 - step / steps), ratio = now[0] / then[0];
  const grown = Math.max(0, now[1] ** 2 - (ratio * then[1]) ** 2);
  const spread = v.way === "deterministic" ? 0 : Math.sqrt(grown) * then[1] / now[1];
  points = points.map((p) => {
    const eps = noise(p, now), back = Math.sqrt(Math.max(0, then[1] ** 2 - spread ** 2));
    return p.map((z, i) => then[0] * (z - now[1] * eps[i]) / now[0] + back * eps[i] + (spread ? spread * normal() : 0));
  });
  if (step === v.step) { shown = points; when = then; }
}
const ends = points.map(nearest), roles = ["data", "second", "third", "model"];
draw.axes({ x: [-4.2, 4.2], y: [-3.2, 3.2], xlabel: "x₁", ylabel: "x₂", height: 360 });
roles.forEach((role, k) => {
  const some = shown.filter((_, i) => ends[i] % 4 === k);
  draw.dots(some.map((p) => p[0] * scale), some.map((p) => p[1] * scale), role);
});
const distance = shown.reduce((s, [a, b]) => {
  const [x, y] = centres[nearest([a / when[0], b / when[0]])];
  return s + Math.hypot(a - when[0] * x, b - when[0] * y) * scale;
}, 0) / count;
const decided = shown.filter((p, i) => nearest(p) === ends[i]).length / count;
return [
  ["mean distance to the nearest blob", distance, "", 3],
  ["noise σ", when[1], "", 1],
  ["share already nearest to its last blob", decided, "", 1],
];
"""

CONTROLS = [
    Slider("step", "steps back from noise", 0, STEPS, 30, 1),
    Slider("seed", "another start", 1, 40, 1, 1),
    Choice("way", "each step", WAYS, WAYS[0]),
]


def walk_script() -> str:
    script = WALK.replace("__STEPS__", str(STEPS)).replace("__COUNT__", str(COUNT))
    return script.replace("__LOW__", str(LOW)).replace("__HIGH__", str(HIGH))


def way_back() -> None:
    """160 points on their way from noise to the ring; deterministic, or with fresh noise in each step."""
    live_figure(
        CONTROLS,
        walk_script(),
        alt="""A cloud of points in the plane. A slider moves back through the steps: the cloud contracts to a ring, the
            ring breaks into eight blobs. Each point has the colour of the blob in which it ends. Below, the mean
            distance to the nearest blob, the noise, and the share of points already nearest to their last blob.""",
        caption="""Each point has the colour of the place where it will end (two opposite blobs share one). Without
            fresh noise the colours are sorted from the start; with it, they are mixed until late.""",
    )
