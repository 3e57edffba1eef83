"""The live figure of lesson 05: how the divergences follow when the belief moves."""

from genutils.live import Slider, live_figure

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
    """p is 0.6 N(-gap/2, 1) + 0.4 N(gap/2, 1), q is N(mu, sigma^2); all in nats."""
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
