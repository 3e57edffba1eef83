"""Draws the map of the families as inline SVG: ink follows the page, lessons that exist are links.

What stands on it comes from `tools.lessons.outline`: a part of the course in which models answer is a box, what comes
before and after stands in bands above and below. The same boxes are laid out twice, two columns for a desk and one for
a phone; the style sheet shows one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from genutils.kinds import Kind
from tools.lessons import Lesson, Part

LEGEND = [(kind, kind.phrase) for kind in Kind]  # the words and the circles are those of the code


def _text(x: float, y: float, words: str, css: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def _mark(x: float, y: float, kind: Kind) -> str:
    """The circle of a kind of answer to 'how likely is this x?', drawn: full, half, a quarter, dotted or empty."""
    dash = ' stroke-dasharray="2.2 2.2"' if kind.mark == "◌" else ""
    fill = "currentColor" if kind.mark == "●" else "none"
    ring = f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{fill}" stroke="currentColor" stroke-width="1.5"{dash}/>'
    part = {"◐": f"M{x:g} {y - 5:g}a5 5 0 0 0 0 10z", "◔": f"M{x:g} {y:g}v-5a5 5 0 0 1 5 5z"}.get(kind.mark)
    return ring + (f'<path d="{part}" fill="currentColor"/>' if part else "")


def _lesson(x: float, y: float, w: float, lesson: Lesson, written: dict[str, str]) -> str:
    """One lesson as a row 30 high: number, title, marks; a link if its page exists."""
    h, kinds = 30, [Kind(word) for word in lesson.answers]
    body = f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h}" rx="7" class="row"/>'
    body += _text(x + 10, y + 20, lesson.number, "num") + _text(x + 33, y + 20, lesson.title, "name")
    body += "".join(_mark(x + w - 14 - 15 * i, y + 15, kind) for i, kind in enumerate(reversed(kinds)))
    label = f"Lesson {lesson.number}: {lesson.title}" + (f", probability: {' or '.join(kinds)}" if kinds else "")
    if lesson.stem in written:
        return f'<a href="{escape(written[lesson.stem])}" aria-label="{escape(label)}">{body}</a>'
    return f'<g class="todo">{body}</g>'


def _band(y: float, width: float, title: str, lessons: list[Lesson], columns: int, written: dict) -> tuple[str, float]:
    """A titled band of lessons in so many columns; returns the drawing and the y below it."""
    gap, out = 10, [_text(0, y + 14, title, "title")]
    w = (width - gap * (columns - 1)) / columns
    for i, lesson in enumerate(lessons):
        out.append(_lesson((i % columns) * (w + gap), y + 26 + (i // columns) * 38, w, lesson, written))
    return "".join(out), y + 26 + -(-len(lessons) // columns) * 38


def _height(part: Part) -> int:
    return 66 + 38 * len(part.lessons)


def _family(x: float, y: float, w: float, part: Part, hue: int, written: dict[str, str]) -> str:
    """A part as a box: its name, what the contents page says of it, its lessons."""
    out = [f'<g class="family family-{hue}">']
    out.append(f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{_height(part)}" rx="12" class="box"/>')
    out.append(_text(x + 14, y + 28, _name(part), "title") + _text(x + 14, y + 47, part.says, "idea"))
    out += [_lesson(x + 10, y + 60 + i * 38, w - 20, lesson, written) for i, lesson in enumerate(part.lessons)]
    return "".join(out) + "</g>"


def _name(part: Part) -> str:
    return part.caption.partition(". ")[2]


def _split(parts: Sequence[Part]) -> tuple[list[Lesson], list[Part], list[Lesson]]:
    """The lessons before the families, the parts that are families of models, the lessons after them."""
    families = [i for i, part in enumerate(parts) if any(lesson.answers for lesson in part.lessons)]
    first, last = families[0], families[-1]
    before, after = ([x for p in some for x in p.lessons] for some in (parts[:first], parts[last + 1 :]))
    return before, list(parts[first : last + 1]), after


def _svg(width: float, columns: int, css: str, parts: Sequence[Part], written: dict[str, str]) -> str:
    wide = columns > 1
    foundations, families, yardstick = _split(parts)
    top, y = _band(0, width, "What does it mean to learn data?", foundations, 2 if wide else 1, written)
    out, y = [top], y + 14
    out.append(_text(0, y + 14, "Families of models", "title"))
    y += 30
    out.append(_text(0, y + 8, "Can it say how likely an x is?", "idea"))
    narrow = [(0, y + 24), (76, y + 24), (160, y + 24), (0, y + 48), (138, y + 48)]
    spots = [(218, y), (282, y), (358, y), (450, y), (590, y)] if wide else narrow
    for (kind, words), (x, ly) in zip(LEGEND, spots, strict=True):
        out.append(_mark(x + 6, ly + 4, kind) + _text(x + 18, ly + 8, words, "idea"))
    y += 26 if wide else 72
    gap = 14
    w = (width - gap * (columns - 1)) / columns
    below = [y] * columns  # where each column ends; the next box goes into the shortest
    for hue, part in enumerate(families, 1):
        column = below.index(min(below))
        out.append(_family(column * (w + gap), below[column], w, part, hue, written))
        below[column] += _height(part) + gap
    bottom, y = _band(max(below) + 10, width, "One yardstick for all of them", yardstick, 2 if wide else 1, written)
    out.append(bottom)
    names = ", ".join(_name(part).lower() for part in families)
    label = (
        f"Map of the course. Foundations lead to families of models: {escape(names)}. "
        "All are judged on one yardstick. The contents page lists every lesson."
    )
    return (
        f'<svg class="family-map {css}" viewBox="-1 -1 {width + 2:g} {y + 2:g}" role="group" aria-label="{label}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(out)}</svg>'
    )


def draw(parts: Sequence[Part], written: dict[str, str]) -> str:
    """Both layouts of the map; ``written`` gives the address of each lesson that has a page."""
    both = _svg(700, 2, "wide", parts, written) + _svg(350, 1, "narrow", parts, written)
    return f'<figure class="family-map-figure">{both}</figure>'
