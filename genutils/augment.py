"""Warped copies of images, so that a small training set holds what a hand could have written as well."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(
    images: Tensor,
    *,
    generator: torch.Generator | None = None,
    shift: float = 1.0,
    rotation: float = 8.0,
    scale: float = 0.08,
    shear: float = 0.1,
    levels: int = 17,
) -> Tensor:
    """Each image under a small affine map of its own: shifted, turned, stretched and slanted, each uniformly.

    Between pixels the picture is interpolated linearly, outside it is 0, and the result is rounded to whole levels, so
    thin strokes come out a little softer: a model should be told by a flag which images are warped.

    Args:
        images: (N, H, W) whole numbers 0 ... levels - 1.
        shift: largest shift along each axis, in pixels.
        rotation: largest angle, in degrees.
        scale: largest relative change of each side.
        shear: largest slant.

    Returns:
        (N, H, W) int64.

    Raises:
        ValueError: images are not three-dimensional whole numbers within the levels.

    >>> a = torch.arange(9).reshape(1, 3, 3)
    >>> bool((warp(a, shift=0, rotation=0, scale=0, shear=0) == a).all())
    True
    """
    if not isinstance(images, Tensor):
        raise TypeError(f"warp takes a tensor, not a {type(images).__name__}: give torch.as_tensor(images)")
    if images.ndim != 3 or images.is_floating_point():
        raise ValueError(f"warp takes whole numbers of shape (N, H, W); these are {images.dtype} {tuple(images.shape)}")
    if len(images) and not 0 <= int(images.min()) <= int(images.max()) < levels:
        raise ValueError(f"the levels are 0 ... {levels - 1}; these run from {images.min()} to {images.max()}")
    if not images.numel():
        return images.long()
    n, height, width = images.shape

    def uniform(largest: float) -> Tensor:
        return (2 * torch.rand(n, generator=generator) - 1) * largest

    angle, slant = uniform(math.radians(rotation)), uniform(shear)
    wide, high = 1 + uniform(scale), 1 + uniform(scale)
    right, down = uniform(shift) * 2 / width, uniform(shift) * 2 / height
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([cos * wide, cos * slant - sin * high, right], 1),
        torch.stack([sin * wide, sin * slant + cos * high, down], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 1, height, width], align_corners=False)
    moved = F.grid_sample(images[:, None].float(), grid, align_corners=False)[:, 0]
    return moved.round().clamp(0, levels - 1).long()
