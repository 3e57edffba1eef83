"""The live figure of lesson 11: a keyboard. It plays what a network drew, and the strings that it has heard."""

import json
import string

import numpy as np

from genutils.live import Choice, Keys, live_figure

KEYS = ("C", "D", "E", "F", "G", "A", "B", "c")
DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"  # 64 levels: a character each

PLAY = r"""
const RATE = __RATE__, DIGITS = "__DIGITS__", KEYS = __KEYS__, ASKED = __ASKED__, NOTES = __NOTES__;
const middle = (l) => { // the wave that one of 64 levels stands for, by the mu-law
  const y = (l + 0.5) / 32 - 1;
  return Math.sign(y) * (64 ** Math.abs(y) - 1) / 63;
};
const table = Array.from({ length: 64 }, (_, l) => middle(l));
const waveOf = (who, key) => Array.from(NOTES[who][KEYS.indexOf(key)], (c) => table[DIGITS.indexOf(c)]);
const pitchOf = (w) => { // the lag at which a wave is most like itself, 28 ... 66 samples, refined by a parabola
  const like = (lag) => { let sum = 0; for (let t = lag; t < w.length; t++) sum += w[t] * w[t - lag]; return sum; };
  let best = 28, r = like(28);
  for (let lag = 29; lag <= 66; lag++) { const s = like(lag); if (s > r) { r = s; best = lag; } }
  const [a, b] = [like(best - 1), like(best + 1)];
  return RATE / (best + 0.5 * (a - b) / (a - 2 * r + b));
};
const cache = Object.fromEntries(
  Object.keys(NOTES).map((who) => [who, KEYS.map((key) => pitchOf(waveOf(who, key)))]));
const w = waveOf(v.who, v.key), k = KEYS.indexOf(v.key), heard = cache[v.who][k];
if (v.pressed) { // an uncompressed sound file, made here: 44 bytes of header, then one byte a sample
  const text = (s) => [...s].map((c) => c.charCodeAt(0));
  const four = (x) => [x & 255, (x >> 8) & 255, (x >> 16) & 255, (x >> 24) & 255];
  const fade = (t) => Math.min(1, (w.length - t) / 200);
  const data = w.map((x, t) => Math.max(0, Math.min(255, Math.round(128 + 250 * x * fade(t)))));
  const file = [...text("RIFF"), ...four(36 + data.length), ...text("WAVEfmt "), 16, 0, 0, 0, 1, 0, 1, 0,
    ...four(RATE), ...four(RATE), 1, 0, 8, 0, ...text("data"), ...four(data.length), ...data];
  const sound = new Audio("data:audio/wav;base64," + btoa(file.map((b) => String.fromCharCode(b)).join("")));
  Promise.resolve(sound.play()).catch(() => {});
}
draw.axes({ x: [0, 40], y: [-0.5, 0.5], xlabel: "milliseconds", ylabel: "wave", height: 145, part: 0.62 });
draw.curve(draw.grid(0, 40, 320), w.slice(0, 321), v.who === "the network" ? "model" : "data", v.who);
draw.axes({ x: [120, 270], y: [120, 270], xlabel: "asked, Hz", ylabel: "measured, Hz", height: 145, part: 0.38 });
draw.curve([120, 270], [120, 270], "truth", "as asked");
draw.dots(ASKED, cache[v.who], v.who === "the network" ? "model" : "data");
draw.dots([ASKED[k]], [heard], "second", "this key");
const size = 256, hop = 64, rows = 16, frames = Math.floor((w.length - size) / hop) + 1, ink = [];
for (let row = rows; row >= 1; row--) for (let j = 0; j < frames; j++) { // sines of 62.5 Hz and its multiples
  let [re, im] = [0, 0];
  for (let t = 0; t < size; t++) {
    const x = w[j * hop + t] * (1 - Math.cos(2 * Math.PI * t / size)), a = Math.PI * row * t / 64;
    re += x * Math.cos(a); im += x * Math.sin(a);
  }
  ink.push(Math.max(0, Math.min(1, 1 + Math.log10((re * re + im * im) / 160 + 1e-9) / 3.5)));
}
draw.pixels([ink], frames, { size: 620 });
return [["asked", ASKED[k], "Hz", 0, 1], ["measured", heard, "Hz", 0, 1],
  ["off by", 1200 * Math.log2(heard / ASKED[k]), "cents", 0, 0]];
"""


def play_script(notes: dict[str, np.ndarray], pitches: np.ndarray, rate: int) -> str:
    """The script for notes (8, T) of 64 levels by who played them, and the pitches (8,) in Hz that were asked for."""
    packed = {who: ["".join(DIGITS[level] for level in note) for note in np.asarray(x)] for who, x in notes.items()}
    asked = [round(float(p), 2) for p in pitches]
    names = {"RATE": rate, "KEYS": KEYS, "ASKED": asked, "NOTES": packed}
    script = PLAY.replace("__DIGITS__", DIGITS)
    for name, value in names.items():
        script = script.replace(f"__{name}__", json.dumps(value, separators=(",", ":")))
    return script


def play_keyboard(notes: dict[str, np.ndarray], pitches: np.ndarray, rate: int) -> None:
    """Eight keys that play; under them the wave, its measured pitch beside the asked one, and its spectrogram."""
    live_figure(
        [Keys("key", "press a key", KEYS, "C"), Choice("who", "who plays", list(notes), next(iter(notes)))],
        play_script(notes, pitches, rate),
        alt="""Eight keys. Above them the first forty milliseconds of the note that was pressed last, which repeat with
            its period; the pitch measured in each of eight notes against the one that was asked for, all close to
            the diagonal; and a spectrogram, in which horizontal lines at odd multiples of the pitch fade to the right,
            the upper ones first.""",
        caption="""Press the keys, on a phone with the sound on. The lowest panel is the spectrogram: half a second from
            left to right, the frequencies up to 1,000 Hz from below.""",
    )
