"""The live figure of lesson 14: a walk through the plane of two hidden causes."""

import json

import numpy as np

from genutils.live import Slider, live_figure

REACH, SIDE = 3.0, 21
STEP = 2 * REACH / (SIDE - 1)

WALK = r"""
const pictures = __PICTURES__, codes = __CODES__, side = __SIDE__, reach = __REACH__;
const place = (z) => Math.round((z + reach) / (2 * reach) * (side - 1));
const picture = pictures[place(v.z1) * side + place(v.z2)].map((grey) => grey / 99);
draw.pixels([picture], 8, { size: 200 });
draw.axes({ x: [-reach, reach], y: [-reach, reach], xlabel: "z₁", ylabel: "z₂", height: 330 });
codes.forEach((some, digit) => draw.dots(some.map((p) => p[0]), some.map((p) => p[1]),
  ["data", "second", "third"][digit % 3], ["0, 3, 6, 9", "1, 4, 7", "2, 5, 8"][digit]));
draw.curve([v.z1, v.z1], [-reach, reach], "model");
draw.curve([-reach, reach], [v.z2, v.z2], "model", "you are here");
return [
  ["prior log-density here", -(v.z1 ** 2 + v.z2 ** 2) / 2 - Math.log(2 * Math.PI), "nats", 2],
  ["ink in the picture", picture.reduce((sum, grey) => sum + grey, 0) / picture.length, "", 1],
];
"""


def walk_script(pictures: np.ndarray, codes: np.ndarray, labels: np.ndarray) -> str:
    """The script for pictures (SIDE^2, 64) in [0, 1] on the grid of z, first z_1, and codes (N, 2) with labels (N,)."""
    if pictures.shape != (SIDE**2, 64):
        raise ValueError(f"pictures must have shape {(SIDE**2, 64)}, one for each place; it is {pictures.shape}")
    grey = np.round(99 * np.clip(pictures, 0, 1)).astype(int).tolist()
    inside = np.abs(codes).max(1) < REACH
    some = [np.round(codes[inside & (labels == d)], 2).tolist() for d in range(10)]
    script = WALK.replace("__PICTURES__", json.dumps(grey, separators=(",", ":")))
    script = script.replace("__CODES__", json.dumps(some, separators=(",", ":")))
    return script.replace("__SIDE__", str(SIDE)).replace("__REACH__", str(REACH))


CONTROLS = [Slider("z1", "z₁", -REACH, REACH, 0.6, STEP), Slider("z2", "z₂", -REACH, REACH, 0.3, STEP)]


def walk(pictures: np.ndarray, codes: np.ndarray, labels: np.ndarray) -> None:
    """A picture for every place of the latent plane, and the codes of the training digits around it."""
    live_figure(
        CONTROLS,
        walk_script(pictures, codes, labels),
        alt="""A small picture of a digit, and below it the plane of two hidden causes with the codes of the training
            digits as dots and a cross at the place that two sliders choose. Moving the cross changes the picture
            smoothly from one digit to another.""",
        caption="""Walk through the plane. Above, what the decoder expects at this place; below, the cross where you
            are, among the codes of the training digits.""",
    )
