"""The one style of the course. Helpers take ``ax`` and return nothing; `show` ends a figure with its words.

A figure is one inline SVG whose ink is the colour of the surrounding text, so the same output serves light and dark
pages, scales to a phone, and carries its description for screen readers.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from genutils.lesson import display
from genutils.model import unwrapped
from genutils.palette import COLOURS, INK

_LINES = {"truth": {"linestyle": (0, (4, 2)), "zorder": 5}}
INTENSITY = LinearSegmentedColormap.from_list("intensity", [(0.23, 0.51, 0.77, a) for a in (0.0, 0.35, 0.7, 1.0)])


def use_style() -> None:
    """Set the course's style for matplotlib. Call it once, in the cell of imports."""
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.dpi": 72,
            "savefig.transparent": True,
            "svg.fonttype": "path",
            "svg.hashsalt": "genutils",
            "font.size": 11,
            "axes.titlesize": 11.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(color=[COLOURS[k] for k in ("model", "second", "third", "data")]),
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "patch.linewidth": 0,
            "hatch.color": INK,
            **dict.fromkeys(
                ["text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"],
                INK,
            ),
        }
    )


def panels(n: int, *, width: float = 4.4, height: float = 3.3) -> tuple[list[Figure], list[Axes]]:
    """Several small figures that stand side by side on a wide page and one above another on a phone.

    Returns:
        ``(figs, axes)``, each of length ``n``; hand ``figs`` to `show`.
    """
    pairs = [plt.subplots(figsize=(width, height)) for _ in range(n)]
    return [f for f, _ in pairs], [a for _, a in pairs]


def curve(
    ax: Axes, x: Any, y: Any, *, role: str = "model", label: str | None = None, spread: Any = None, **style
) -> None:
    """A line in the colour of its role, with a band of ``spread`` (same units as ``y``) where there are repeats."""
    x, y = _numbers(x), _numbers(y)
    ax.plot(x, y, color=_colour(role), label=label, **{**_LINES.get(role, {}), **style})
    if spread is not None:
        low, high = np.asarray(y) - _numbers(spread), np.asarray(y) + _numbers(spread)
        ax.fill_between(x, low, high, color=_colour(role), alpha=0.2, linewidth=0)


def bars(ax: Axes, x: Any, height: Any, *, role: str = "model", label: str | None = None, **style) -> None:
    """Bars in the colour of their role."""
    ax.bar(_numbers(x), _numbers(height), color=_colour(role), label=label, **style)


def points(ax: Axes, x: Any, *, role: str = "data", label: str | None = None, size: float = 4, **style) -> None:
    """Points of shape (B, 2), drawn as one bitmap when there are many."""
    x = np.asarray(_numbers(x))
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"points draws an array of shape (B, 2); this one has shape {x.shape}")
    ax.scatter(
        x[:, 0], x[:, 1], s=size, color=_colour(role), label=label, linewidths=0, rasterized=len(x) > 300, **style
    )


def show_images(
    ax: Axes, images: Any, *, columns: int = 10, vmin: float = 0, vmax: float | None = None, gap: int = 1
) -> None:
    """A contact sheet of grey images, dark strokes on white paper.

    Args:
        images: (B, H, W), any numbers; ``vmin`` is drawn white, ``vmax`` (by default the largest value) black.
        columns: images in a row.
        gap: white pixels between images.
    """
    images = np.asarray(_numbers(images), dtype=float)
    if images.ndim != 3 or not images.size:
        raise ValueError(f"show_images draws an array of shape (B, H, W); this one has shape {images.shape}")
    if np.isinf(images).any() or np.isnan(images).all():
        raise ValueError("show_images draws finite numbers, and leaves a pixel without ink where one is nan")
    if columns < 1:
        raise ValueError(f"columns is how many images stand in a row, 1 or more; it is {columns}")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    b, h, w = images.shape
    sheet = np.full((rows * (h + gap) + gap, columns * (w + gap) + gap), float(vmin))
    for i, image in enumerate(images):
        r, c = divmod(i, columns)
        sheet[gap + r * (h + gap) :, gap + c * (w + gap) :][:h, :w] = image
    ax.imshow(
        sheet, cmap="gray_r", vmin=vmin, vmax=np.nanmax(images) if vmax is None else vmax, interpolation="nearest"
    )
    ax.set_axis_off()


def show_density(ax: Axes, density: Any, *, resolution: int = 200, bounds: Any = None) -> None:
    """The density of a 2-D object with ``log_prob`` (and ``bounds``) as shades of blue, zero being no ink at all."""
    import torch

    density = unwrapped(density)
    (x0, x1), (y0, y1) = bounds or density.bounds
    xs, ys = np.linspace(x0, x1, resolution), np.linspace(y0, y1, resolution)
    grid = torch.tensor(np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2), dtype=torch.float32)
    with torch.no_grad():
        p = density.log_prob(grid).exp().reshape(resolution, resolution).numpy()
    ax.imshow(
        p, origin="lower", extent=(x0, x1, y0, y1), cmap=INTENSITY, vmin=0, aspect="equal", interpolation="bilinear"
    )
    ax.set(xlabel="$x_1$", ylabel="$x_2$")


def show(fig: Figure | Sequence[Figure], *, alt: str, caption: str = "") -> None:
    """Show a figure (or `panels`) with its alternative text and caption, and close it.

    Args:
        fig: one matplotlib figure or several.
        alt: what is seen, for someone who cannot see it.
        caption: the point of the figure; plain text.

    Raises:
        ValueError: ``alt`` is empty, or repeats the caption.
    """
    alt, caption = " ".join(alt.split()), " ".join(caption.split())
    if len(alt.split()) < 4 or alt == caption:
        raise ValueError(f"alt must say in a sentence what is seen, and not repeat the caption; it is {alt!r}")
    figs = [fig] if isinstance(fig, Figure) else list(fig)
    drawn = [_svg(f) for f in figs]
    for f in figs:
        plt.close(f)
    display(_Shown(drawn, alt, caption))


@dataclass(frozen=True)
class _Shown:
    svgs: list[tuple[str, float]]
    alt: str
    caption: str

    def __repr__(self) -> str:
        return f"[figure: {self.alt}]" + (f"\n{self.caption}" if self.caption else "")

    def _repr_html_(self) -> str:
        inner = "".join(
            f"<div style='flex:1 1 {0.72 * width:.0f}px;min-width:0;max-width:{width:.0f}px'>{svg}</div>"
            for svg, width in self.svgs
        )
        caption = (
            f"<figcaption style='opacity:.85;font-size:.92em'>{html.escape(self.caption)}</figcaption>"
            if self.caption
            else ""
        )
        layout = "display:flex;flex-wrap:wrap;gap:12px"
        picture = f"<div role='img' aria-label=\"{html.escape(self.alt)}\" style='{layout}'>{inner}</div>"
        return f"<figure class='genutils-figure' style='margin:.6em 0'>{picture}{caption}</figure>"


def _numbers(values: Any) -> Any:
    """Tensors as arrays, wherever they are and whatever learns; all else as it is."""
    if not hasattr(values, "detach"):
        return values
    values = values.detach().cpu()
    return (values.float() if "bfloat16" in str(values.dtype) else values).numpy()


def _colour(role: str) -> str:
    if role not in COLOURS:
        raise ValueError(f"no role {role!r}; the roles are {', '.join(COLOURS)}")
    return COLOURS[role]


def _svg(fig: Figure) -> tuple[str, float]:
    """The figure as SVG markup to stand inside a page, and its natural width in pixels."""
    buffer = io.StringIO()
    fig.savefig(
        buffer, format="svg", bbox_inches="tight", pad_inches=0.04, metadata={"Date": None, "Creator": None}, dpi=144
    )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    width, height = (float(v) for v in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups())
    head = f'<svg viewBox="0 0 {width:.1f} {height:.1f}" style="width:100%;height:auto" aria-hidden="true" '
    head += 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    text = head + text[text.index(">") + 1 :]
    text = text.replace(INK, "currentColor")
    # ids must not clash between the figures of one page: keep those that are used, make them this figure's own
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{own}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{own}-", text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    return text.strip(), width * 1.25
