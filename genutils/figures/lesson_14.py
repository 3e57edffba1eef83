"""The live figure of lesson 14: a walk through the plane of two hidden causes."""

import json

import numpy as np

from genutils.live import Choice, Slider, live_figure

REACH, SIDE = 3.0, 21
STEP = 2 * REACH / (SIDE - 1)

WALK = r"""
const pictures = __PICTURES__, unsure = __UNSURE__, codes = __CODES__, side = __SIDE__, reach = __REACH__;
const place = (z) => Math.round((z + reach) / (2 * reach) * (side - 1));
const here = place(v.z1) * side + place(v.z2);
const picture = pictures[here].map((grey) => grey / 99);
draw.pixels([picture], 8, { size: 240, part: 0.34 });
draw.axes({ x: [-reach, reach], y: [-reach, reach], xlabel: "z₁", ylabel: "z₂", height: 330, part: 0.66 });
const dots = (some, role, label) => draw.dots(some.map((p) => p[0]), some.map((p) => p[1]), role, label);
dots(codes.flatMap((some, digit) => String(digit) === v.digit ? [] : some), "data", "codes of the other digits");
dots(codes[Number(v.digit)], "second", `codes of the digit ${v.digit}`);
draw.curve([v.z1, v.z1], [-reach, reach], "model");
draw.curve([-reach, reach], [v.z2, v.z2], "model", "you are here");
return [
  ["prior log-density here", -(v.z1 ** 2 + v.z2 ** 2) / 2 - Math.log(2 * Math.PI), "nats"],
  ["the decoder's doubt", unsure[here], "bits a pixel", Math.log2(17)],
  ["ink in the picture", picture.reduce((sum, grey) => sum + grey, 0) / picture.length, "", 1],
];
"""


def walk_script(pictures: np.ndarray, unsure: np.ndarray, codes: np.ndarray, labels: np.ndarray) -> str:
    """The script for pictures (SIDE^2, 64) in [0, 1] and doubts (SIDE^2,) on the grid of z, first z_1, and for codes
    (N, 2) with labels (N,)."""
    if pictures.shape != (SIDE**2, 64):
        raise ValueError(f"pictures must have shape {(SIDE**2, 64)}, one for each place; it is {pictures.shape}")
    if unsure.shape != (SIDE**2,):
        raise ValueError(f"unsure must have shape {(SIDE**2,)}, one number for each place; it is {unsure.shape}")
    inside = np.abs(codes).max(1) < REACH
    values = {
        "__PICTURES__": np.round(99 * np.clip(pictures, 0, 1)).astype(int).tolist(),
        "__UNSURE__": [round(float(u), 3) for u in unsure],
        "__CODES__": [[[round(float(c), 2) for c in p] for p in codes[inside & (labels == d)]] for d in range(10)],
        "__SIDE__": SIDE,
        "__REACH__": REACH,
    }
    script = WALK
    for name, value in values.items():
        script = script.replace(name, json.dumps(value, separators=(",", ":")))
    return script


CONTROLS = [
    Slider("z1", "z₁", -REACH, REACH, 0.6, STEP),
    Slider("z2", "z₂", -REACH, REACH, 0.3, STEP),
    Choice("digit", "mark the digit", tuple("0123456789"), "6"),
]


def walk(pictures: np.ndarray, unsure: np.ndarray, codes: np.ndarray, labels: np.ndarray) -> None:
    """A picture for every place of the latent plane, and the codes of the training digits around it."""
    live_figure(
        CONTROLS,
        walk_script(pictures, unsure, codes, labels),
        alt="""A small picture of a digit, and the plane of two hidden causes with the codes of the training
            digits as dots, those of one digit marked, and a cross at the place that two sliders choose. Moving the
            cross changes the picture smoothly from one digit to another.""",
        caption="""Walk through the plane. The picture is what the decoder expects where the cross is,
            among the codes of the training digits. Between two digits the decoder's doubt rises.""",
    )
