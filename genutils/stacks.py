"""Convolutions that respect the order of reading: the value at a pixel comes from pixels before it, and from no other.

A convolution respects the order if its window ends before the pixel. Masks do that on an ordinary one (`MaskedConv2d`),
but a stack of those (`OneStack`) never sees a wedge to the upper right, however deep it is. Two stacks (`TwoStacks`)
do, one for all rows above and one for the pixel's own row. They need no masks: shift the image down, or to the right,
by padding, and nothing is multiplied by zero.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaskedConv2d(nn.Conv2d):
    """A convolution, image to image of the same size, that sees no pixel after its own in the order of reading.

    Args:
        inputs, outputs: channels.
        kernel: size of the window, odd.
        sees_itself: False for mask A, which the first layer needs; True for mask B, for all later ones, whose input at
            a pixel has not seen that pixel.

    Source: van den Oord, Kalchbrenner, Kavukcuoglu (2016), section 3.4.

    >>> MaskedConv2d(1, 1, 3, sees_itself=False).mask.int().tolist()
    [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, sees_itself: bool):
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"a mask has a pixel in its middle, so kernel is odd: 1, 3, 5, ...; it is {kernel}")
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        mask = torch.ones(kernel, kernel)
        mask[kernel // 2, kernel // 2 + int(sees_itself) :] = 0
        mask[kernel // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W)."""
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


def gate(a: Tensor) -> Tensor:
    """(B, 2 C, ...) to (B, C, ...): the tanh of one half of the channels, let through by the sigmoid of the other.

    Source: van den Oord et al. (2016, conditional PixelCNN), equation 2.
    """
    what, how_much = a.chunk(2, 1)
    return what.tanh() * how_much.sigmoid()


class OneStack(nn.Module):
    """A stack of masked convolutions with gates: a mask A, then B's. It has a blind spot to the upper right.

    Args:
        inputs, width: channels of the image and of what is computed.
        layers: gated layers after the first convolution.
        first, reach: how many rows up and columns to either side the first layer sees, and the later ones.
        dropout: share of what passes the gates that is left out while training.
    """

    def __init__(self, inputs: int, width: int, layers: int, *, first: int = 3, reach: int = 1, dropout: float = 0.0):
        super().__init__()
        self.first = MaskedConv2d(inputs, width, 2 * first + 1, sees_itself=False)
        self.convs = nn.ModuleList(
            MaskedConv2d(width, 2 * width, 2 * reach + 1, sees_itself=True) for _ in range(layers)
        )
        self.outs = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, place: Tensor, told: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, width, H, W), at each pixel from pixels before it.

        Args:
            place: (width, H, W) or (B, width, H, W), what is known of a place.
            told: (B, layers, 2 width, 1, 1), what is known of an image.
        """
        h = self.first(x) + place
        for i, (conv, out) in enumerate(zip(self.convs, self.outs, strict=True)):
            h = h + out(self.dropout(gate(conv(h) + told[:, i])))
        return h


class TwoStacks(nn.Module):
    """A vertical stack v, which sees all rows above, and a horizontal stack h, which sees its own row and is told v.

    No pixel before is out of sight once there are layers enough, and none that is not before is ever seen. Arguments
    and shapes as `OneStack`.

    Source: van den Oord et al. (2016, conditional PixelCNN), section 2.2 and figure 2; by padding instead of masks as
    Salimans, Karpathy, Chen, Kingma (2017), section 2.3.
    """

    def __init__(self, inputs: int, width: int, layers: int, *, first: int = 3, reach: int = 1, dropout: float = 0.0):
        super().__init__()
        self.reach = first, reach
        self.above, self.left = nn.Conv2d(inputs, width, (first, 2 * first + 1)), nn.Conv2d(inputs, width, (1, first))

        def each(*shape: Any) -> nn.ModuleList:
            return nn.ModuleList(nn.Conv2d(*shape) for _ in range(layers))

        self.down = each(width, 2 * width, (reach + 1, 2 * reach + 1))
        self.right = each(width, 2 * width, (1, reach + 1))
        self.across, self.outs = each(2 * width, 2 * width, 1), each(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, place: Tensor, told: Tensor) -> Tensor:
        first, reach = self.reach
        v = self.above(F.pad(x, (first, first, first, -1))) + place  # the rows above, not its own
        h = self.left(F.pad(x, (first, -1))) + v  # those to the left, not itself
        for i, (down, right, across, out) in enumerate(zip(self.down, self.right, self.across, self.outs, strict=True)):
            a = down(F.pad(v, (reach, reach, reach, 0))) + told[:, i]  # v of its own row has not seen its own row
            b = right(F.pad(h, (reach, 0))) + across(a)
            v, h = v + gate(a), h + out(self.dropout(gate(b)))
        return h
