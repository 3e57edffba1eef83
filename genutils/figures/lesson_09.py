"""The live figure of lesson 09: where a GPT looks, and what it makes of its next character before one is drawn."""

import json

import numpy as np

from genutils.live import Choice, Slider, live_figure

SHOWN = 14  # bars: the likeliest characters

LOOK = r"""
const { symbols, heads, logits, names } = __MODEL__;
const last = v.read, size = logits[last].length; // the beginning and v.read characters have been read
const row = heads[v.head][last], total = row.reduce((s, w) => s + w, 0) || 1, most = Math.max(...row, 1);
draw.letters(symbols, { ink: row.map((w) => 0.9 * w / most), mark: last, read: last + 1 });
const bits = (p) => p.reduce((s, x) => (x > 0 ? s - x * Math.log2(x) : s), 0);
const softmax = (a) => {
  const top = Math.max(...a), e = a.map((x) => Math.exp(x - top)), sum = e.reduce((s, x) => s + x, 0);
  return e.map((x) => x / sum);
};
const scores = logits[last].map((a) => a / 100), plain = softmax(scores);
const order = scores.map((_, i) => i).sort((i, j) => scores[j] - scores[i] || i - j);
let p = v.temperature > 0 ? softmax(scores.map((a) => a / v.temperature)) : scores.map((_, i) => +(i === order[0]));
let before = 0, kept = 0;
for (const i of order) { // from the likeliest on, until what is kept has the share asked for
  const mine = p[i];
  if (v.topP < 1 && before >= v.topP) p[i] = 0;
  if (p[i] > 0) kept++;
  before += mine;
}
const sum = p.reduce((s, x) => s + x, 0);
p = p.map((x) => x / sum);
const best = order.slice(0, __SHOWN__);
draw.axes({ x: [-0.6, __SHOWN__ - 0.4], y: [0, Math.min(1, draw.nice(Math.max(...p)))], height: 200,
  names: best.map((i) => names[i]), xlabel: "the likeliest next characters", ylabel: "probability" });
best.forEach((i, k) => draw.area([k - 0.4, k + 0.05], [plain[i], plain[i]], "data", k ? "" : "the model's"));
best.forEach((i, k) => draw.area([k - 0.05, k + 0.4], [p[i], p[i]], "model", k ? "" : "drawn from"));
return [["entropy of the model's", bits(plain), "bits"], ["of what is drawn from", bits(p), "bits"],
  ["characters that can come", kept, "", 0, 0], ["largest weight", Math.max(...row) / total, ""]];
"""


def shown(character: str) -> str:
    """A character as it can be seen: a space and a line end have signs."""
    return {" ": "␣", "\n": "⏎"}.get(character, character)


def look_script(line: str, alphabet: str, attention: np.ndarray, logits: np.ndarray) -> str:
    """The script for a line of T characters.

    Args:
        attention: (layers, heads, T, T), as of `genutils.transformer.Transformer.attention`.
        logits: (T, L) of each character given those before it.
    """
    layers, heads, length, _ = attention.shape
    whole = np.round(1000 * attention).astype(int)
    packed = {
        "symbols": ["▸", *map(shown, line[: length - 1])],
        "heads": {
            f"layer {i + 1}, head {j + 1}": [whole[i, j, t, : t + 1].tolist() for t in range(length)]
            for i in range(layers)
            for j in range(heads)
        },
        "logits": np.round(100 * (logits - logits.max(1, keepdims=True))).astype(int).tolist(),
        "names": list(map(shown, alphabet)),
    }
    model = json.dumps(packed, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
    return LOOK.replace("__MODEL__", model).replace("__SHOWN__", str(SHOWN))


def show_attention(
    line: str, alphabet: str, attention: np.ndarray, logits: np.ndarray, *, read: int = 20, head: str = ""
) -> None:
    """A line of text, the weights with which a head looks back over it, and the next character's probabilities."""
    layers, heads, length, _ = attention.shape
    names = [f"layer {i + 1}, head {j + 1}" for i in range(layers) for j in range(heads)]
    live_figure(
        [
            Slider("read", "characters read", 0, length - 1, min(read, length - 1), 1),
            Choice("head", "head", names, head or names[0]),
            Slider("temperature", "temperature", 0, 2, 1, 0.05),
            Slider("topP", "top-p", 0.05, 1, 1, 0.05),
        ],
        look_script(line, alphabet, attention, logits),
        alt="""A line of text, one box to a character. The character read last is framed, those before it are shaded
            by the weight with which one head of the network looks at them, those after it are pale. Below, pairs
            of bars for the likeliest next characters: what the model says, and what is drawn from after a
            temperature and a top-p. Sliders move the frame, the temperature and top-p; a list chooses the head.""",
        caption="""Move the first slider: the frame is what was read last, blue is where one head looks back, and
            the grey bars are the next character's probabilities. Temperature and top-p turn them into the blue
            ones. ▸ is the beginning, ␣ a space.""",
    )
