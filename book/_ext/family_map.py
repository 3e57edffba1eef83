"""Draws the map of the families as inline SVG: ink follows the page, lessons that exist are links.

The same boxes are laid out twice, two columns for a desk and one for a phone; the style sheet shows one of them.
"""

from __future__ import annotations

from html import escape

from genutils.kinds import Kind

EXACT, BOUND, ESTIMATE, UPTO, NONE = Kind  # the words and the circles are those of the code

# (lesson, what stands on the map, what its models can say about the probability of an x: on real numbers first, and
# after it what they can on whole numbers, or by a further effort, where that is another)
FOUNDATIONS = [
    ("00_start_here", "start here"),
    ("01_discriminative_vs_generative", "boundary or distribution"),
    ("02_learning_a_distribution", "learning a distribution"),
    ("03_latent_variables", "latent variables"),
    ("04_entropy", "entropy"),
    ("05_cross_entropy_and_kl", "cross-entropy and KL"),
    ("06_maximum_likelihood", "maximum likelihood"),
    ("07_bayes_and_variational_inference", "variational inference"),
]
FAMILIES = [
    (
        "Step by step",
        "sequential models",
        "x is written one piece at a time",
        [
            ("08_autoregressive_models", "autoregressive models", (EXACT,)),
            ("09_transformers_and_gpt", "Transformers and GPT", (EXACT,)),
            ("10_pixelcnn", "PixelCNN", (EXACT,)),
            ("11_wavenet", "WaveNet", (EXACT,)),
        ],
    ),
    (
        "Refine",
        "iterative refinement",
        "noise is bent into data",
        [
            ("12_normalizing_flows", "normalizing flows", (EXACT, BOUND)),
            ("13_energy_based_models", "energy-based models", (UPTO, ESTIMATE)),
            ("18_diffusion", "diffusion", (BOUND,)),
            ("19_flow_matching", "flow matching", (ESTIMATE, BOUND)),
        ],
    ),
    (
        "Explain",
        "prescribed latent variables",
        "hidden causes, and a way back",
        [
            ("14_autoencoders_and_vaes", "autoencoders and VAEs", (BOUND,)),
        ],
    ),
    (
        "Imitate",
        "implicit latent variables",
        "samples, and no way back",
        [
            ("15_gans", "GANs", (NONE,)),
            ("16_beyond_the_gan_loss", "beyond the GAN loss", (NONE,)),
        ],
    ),
]
YARDSTICK = [
    ("17_judging_samples", "judging samples"),
    ("20_compression", "compression"),
    ("21_one_yardstick", "one yardstick"),
    ("22_scaling_up", "scaling up"),
]
LEGEND = [(kind, kind.phrase) for kind in Kind]


def _text(x: float, y: float, words: str, css: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def _mark(x: float, y: float, kind: Kind) -> str:
    """The circle of a kind of answer to 'how likely is this x?', drawn: full, half, a quarter, dotted or empty."""
    dash = ' stroke-dasharray="2.2 2.2"' if kind.mark == "◌" else ""
    fill = "currentColor" if kind.mark == "●" else "none"
    ring = f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{fill}" stroke="currentColor" stroke-width="1.5"{dash}/>'
    part = {"◐": f"M{x:g} {y - 5:g}a5 5 0 0 0 0 10z", "◔": f"M{x:g} {y:g}v-5a5 5 0 0 1 5 5z"}.get(kind.mark)
    return ring + (f'<path d="{part}" fill="currentColor"/>' if part else "")


def _lesson(x: float, y: float, w: float, name: str, words: str, written: dict, kinds: tuple[Kind, ...] = ()) -> str:
    """One lesson as a row 30 high: number, words, marks; a link if its page exists."""
    number, h = name[:2], 30
    body = f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h}" rx="7" class="row"/>'
    body += _text(x + 10, y + 20, number, "num") + _text(x + 33, y + 20, words, "name")
    body += "".join(_mark(x + w - 14 - 15 * i, y + 15, kind) for i, kind in enumerate(reversed(kinds)))
    answer = f", probability: {' or '.join(kinds)}" if kinds else ""
    if name in written:
        return f'<a href="{escape(written[name])}" aria-label="Lesson {number}: {escape(words)}{answer}">{body}</a>'
    return f'<g class="todo">{body}</g>'


def _band(y: float, width: float, title: str, lessons: list, columns: int, written: dict) -> tuple[str, float]:
    """A titled band of lessons in so many columns; returns the drawing and the y below it."""
    gap, out = 10, [_text(0, y + 14, title, "title")]
    w = (width - gap * (columns - 1)) / columns
    for i, (name, words) in enumerate(lessons):
        out.append(_lesson((i % columns) * (w + gap), y + 26 + (i // columns) * 38, w, name, words, written))
    return "".join(out), y + 26 + -(-len(lessons) // columns) * 38


def _family(x: float, y: float, w: float, h: float, family: tuple, hue: int, written: dict[str, str]) -> str:
    title, formal, idea, lessons = family
    out = [f'<g class="family family-{hue}">']
    out.append(f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="12" class="box"/>')
    for below, words, css in ((28, title, "title"), (48, formal, "formal"), (66, idea, "idea")):
        out.append(_text(x + 14, y + below, words, css))
    for i, (name, words, kinds) in enumerate(lessons):
        out.append(_lesson(x + 10, y + 80 + i * 38, w - 20, name, words, written, kinds))
    return "".join(out) + "</g>"


def _svg(width: float, columns: int, css: str, written: dict[str, str]) -> str:
    wide = columns > 1
    top, y = _band(0, width, "What does it mean to learn data?", FOUNDATIONS, 2 if wide else 1, written)
    out, y = [top], y + 14
    out.append(_text(0, y + 14, "Four ways to make an x", "title"))
    y += 30
    out.append(_text(0, y + 8, "Can it say how likely an x is?", "idea"))
    narrow = [(0, y + 24), (76, y + 24), (160, y + 24), (0, y + 48), (138, y + 48)]
    spots = [(218, y), (282, y), (358, y), (450, y), (590, y)] if wide else narrow
    for (kind, words), (x, ly) in zip(LEGEND, spots, strict=True):
        out.append(_mark(x + 6, ly + 4, kind) + _text(x + 18, ly + 8, words, "idea"))
    y += 26 if wide else 72
    gap = 14
    w = (width - gap * (columns - 1)) / columns
    for first in range(0, len(FAMILIES), columns):
        row = FAMILIES[first : first + columns]
        h = max(86 + 38 * len(family[3]) for family in row)
        for i, family in enumerate(row):
            out.append(_family(i * (w + gap), y, w, h, family, first + i + 1, written))
        y += h + gap
    bottom, y = _band(y + 10, width, "One yardstick for all of them", YARDSTICK, 2 if wide else 1, written)
    out.append(bottom)
    label = (
        "Map of the course. Foundations lead to four families of models: step by step, refine, explain, imitate. "
        "All are judged on one yardstick. The text below lists every lesson."
    )
    return (
        f'<svg class="family-map {css}" viewBox="-1 -1 {width + 2:g} {y + 2:g}" role="group" aria-label="{label}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(out)}</svg>'
    )


def draw(written: dict[str, str]) -> str:
    """Both layouts of the map; ``written`` gives the address of each lesson that has a page."""
    both = _svg(700, 2, "wide", written) + _svg(350, 1, "narrow", written)
    return f'<figure class="family-map-figure">{both}</figure>'
