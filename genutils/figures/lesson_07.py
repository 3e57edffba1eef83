"""The live figure of lesson 07: a coin's prior becomes its posterior as tosses arrive."""

from genutils.live import Slider, live_figure

COIN = r"""
const lgamma = (x) => { // Stirling's series, after stepping up to where it is accurate
  let shift = 0;
  while (x < 12) { shift -= Math.log(x); x += 1; }
  const s = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7);
  return shift + (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + s;
};
const logB = (a, b) => lgamma(a) + lgamma(b) - lgamma(a + b);
const a = v.a + v.heads, b = v.b + v.tails, n = v.heads + v.tails;
const xs = draw.grid(0.001, 0.999, 499);
const beta = (a, b) => xs.map((x) => Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - logB(a, b)));
const prior = beta(v.a, v.b), likelihood = beta(1 + v.heads, 1 + v.tails), posterior = beta(a, b);

const top = Math.max(...[...prior, ...likelihood, ...posterior].filter((y, i) => i % 500 > 9 && i % 500 < 490));
draw.axes({ x: [0, 1.02], y: [0, Math.min(20, draw.nice(top))], xlabel: "θ, probability of heads", ylabel: "density" });
draw.area(xs, posterior, "model");
draw.curve(xs, prior, "data", "prior");
if (n) draw.curve(xs, likelihood, "second", "likelihood, scaled to area 1");
draw.curve(xs, posterior, "model", "posterior");

// with θ = sin² u the density has no poles: the share of the posterior above one half
const m = 4000, du = Math.PI / 4 / m, us = draw.grid(Math.PI / 4, Math.PI / 2, m);
const inU = us.map((u) => {
  const s = (2 * a - 1) * Math.log(Math.sin(u)), c = Math.max(Math.cos(u), 1e-300);
  return 2 * Math.exp(s + (2 * b - 1) * Math.log(c) - logB(a, b));
});
return [
  ["next toss heads", a / (a + b), "", 1],
  ["best θ (likelihood)", n ? v.heads / n : NaN, "", 1],
  ["posterior sd of θ", Math.sqrt(a * b / (a + b + 1)) / (a + b), ""],
  ["P(θ > ½)", draw.integral(inU, du), "", 1],
  ["log p(tosses)", logB(a, b) - logB(v.a, v.b), "nats"],
];
"""


def coin() -> None:
    """Prior Beta(a, b), tosses with so many heads and tails, posterior Beta(a + heads, b + tails)."""
    live_figure(
        [
            Slider("a", "prior's a", 0.5, 20, 2, 0.5),
            Slider("b", "prior's b", 0.5, 20, 2, 0.5),
            Slider("heads", "heads seen", 0, 60, 3, 1),
            Slider("tails", "tails seen", 0, 60, 0, 1),
        ],
        COIN,
        alt="""Three densities over the probability of heads between 0 and 1: a grey prior, an orange likelihood and a
            blue, shaded posterior that lies between the two. Sliders set the prior's two parameters and the heads and
            tails seen; the probability of heads at the next toss and the log-probability of the tosses follow.""",
        caption="""Give it tosses. The posterior goes from the prior to the likelihood, and narrows; the prior's a and b
            count like tosses that were seen before.""",
    )
