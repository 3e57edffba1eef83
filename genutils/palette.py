"""The colours of the course, each with one meaning, apart for colour-blind eyes too."""

from __future__ import annotations

INK = "#010203"  # becomes the page's own text colour
COLOURS = {"data": "#8b8f97", "model": "#3b82c4", "truth": INK, "second": "#d97706", "third": "#0d9488"}
VERDICTS = {"right": "#1a7f37", "wrong": "#c2410c", "not attempted": "#808080"}
