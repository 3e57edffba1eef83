"""Monotone splines of the unit interval onto itself, with their slopes: what couplings bend numbers with."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST = 1e-5  # of a bin's share, and of a slope: no bin may close
UNIT = math.log(math.expm1(1 - LEAST))  # so that softplus(0 + UNIT) + LEAST is 1


def spline(
    x: Tensor, heights: Tensor, slopes: Tensor | None = None, widths: Tensor | None = None, *, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """A monotone rational-quadratic spline of each number, from [0, 1] onto itself; the identity outside.

    Args:
        x: (...) numbers.
        heights: (..., K) logits of the shares of the K bins in the image.
        slopes: slopes at knots before a softplus, 0 for slope 1. With (..., K - 1) they are those at the inner knots,
            and the outer two are 1, as the identity outside asks; with (..., K + 1) the outer two are free, which is
            right from box to box, where nothing lies outside. Without them the curve is made of straight lines.
        widths: (..., K) logits of the shares of the bins in [0, 1]; without them all are equal.
        inverse: go back.

    Returns:
        The image of x and the logarithm of the slope there, both shaped like x, in nats.

    Raises:
        ValueError: the shapes do not fit.

    Source: Durkan, Bekasov, Murray, Papamakarios (2019), equations 4 to 8; straight lines: Müller et al. (2019).

    >>> y, ladj = spline(torch.tensor([0.3, 9.0]), torch.zeros(2, 4), torch.zeros(2, 3))
    >>> [round(v, 5) for v in y.tolist()], ladj.abs().max().item() < 1e-5
    ([0.3, 9.0], True)
    """
    bins = heights.shape[-1]
    if not 1 <= bins <= 0.5 / LEAST:
        raise ValueError(f"a spline has 1 ... {0.5 / LEAST:,.0f} bins; there are {bins:,}")
    free = slopes is not None and slopes.shape[-1] == bins + 1
    wanted = {
        "heights": (heights, bins),
        "slopes": (slopes, bins + 1 if free else bins - 1),
        "widths": (widths, bins),
    }
    for name, (part, size) in wanted.items():
        if part is not None and part.shape != (*x.shape, size):
            raise ValueError(
                f"{name} must have shape {(*x.shape, size)}, as x and K = {bins} bins ask; it is {tuple(part.shape)}"
            )
    h = LEAST + (1 - LEAST * bins) * heights.softmax(-1)
    ys = F.pad(h.cumsum(-1), (1, 0))  # (..., K + 1) knots
    inside = (x > 0) & (x < 1)
    v = x.clamp(1e-7, 1 - 1e-7)
    if widths is not None:
        w = LEAST + (1 - LEAST * bins) * widths.softmax(-1)
        xs = F.pad(w.cumsum(-1), (1, 0))
    if inverse or widths is not None:
        knots = ys if inverse else xs
        k = (torch.searchsorted(knots.detach().contiguous(), v[..., None].contiguous()) - 1).clamp(0, bins - 1)
    else:
        k = (v.detach().nan_to_num(0.5)[..., None] * bins).long().clamp(max=bins - 1)  # (..., 1)

    def at(values: Tensor, i: Tensor) -> Tensor:
        return values.gather(-1, i)[..., 0]

    x0, w = (k[..., 0].to(v.dtype) / bins, 1 / bins) if widths is None else (at(xs, k), at(w, k))
    y0, h = at(ys, k), at(h, k)
    s = h / w
    if slopes is None:
        t = ((v - y0) / h if inverse else (v - x0) / w).clamp(0, 1)
        out, ladj = x0 + t * w if inverse else y0 + t * h, s.log()
    else:  # the slopes of this bin alone; what stands for 1 before the softplus is 0, as at ends that are not free
        knots = slopes if free else F.pad(slopes, (1, 1))
        d = F.softplus(knots.gather(-1, torch.cat([k, k + 1], -1)) + UNIT) + LEAST
        d0, d1 = d.unbind(-1)
        bend = d0 + d1 - 2 * s
        if inverse:  # a quadratic in the place t within the bin
            u = v - y0
            b = h * d0 - u * bend
            t = 2 * s * u / (b + (b * b + 4 * s * u * (h * (s - d0) + u * bend)).clamp_min(0).sqrt())
        else:
            t = (v - x0) / w
        t = t.clamp(0, 1)
        t2, tt = t * t, t * (1 - t)
        below = s + bend * tt
        ladj = (s * s * (d1 * t2 + 2 * s * tt + d0 * (1 - t) ** 2) / (below * below)).log()
        out = x0 + t * w if inverse else y0 + h * (s * t2 + d0 * tt) / below
    return torch.where(inside, out, x), torch.where(inside, -ladj if inverse else ladj, 0.0)
