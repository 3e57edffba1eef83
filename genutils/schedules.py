"""How fast noise grows in a diffusion: gamma(t), alpha_t and sigma_t, t = 0 being data and t = 1 noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Schedule(nn.Module):
    """gamma(t), rising along a straight line from ``low`` at t = 0 to ``high`` at t = 1.

    >>> alpha, sigma = Schedule(-10, 10)(torch.tensor(0.5))
    >>> round(alpha.item(), 4), round(sigma.item(), 4)
    (0.7071, 0.7071)
    """

    def __init__(self, low: float = -8.0, high: float = 6.0):
        super().__init__()
        if not -math.inf < low < high < math.inf:
            raise ValueError(
                f"noise grows with t, between finite ends: low must be below high; they are {low} and {high}"
            )
        self.low, self.high = float(low), float(high)

    def gamma(self, t: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * t

    def slope(self, t: Tensor) -> Tensor:
        """The derivative of gamma."""
        return torch.full_like(t, self.high - self.low)

    def forward(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha_t and sigma_t, shaped like t."""
        gamma = self.gamma(t)
        return torch.sigmoid(-gamma).sqrt(), torch.sigmoid(gamma).sqrt()


class Cosine(Schedule):
    """alpha_t = cos of an angle that grows evenly with t, cut off where gamma reaches low and high.

    Source: Nichol, Dhariwal (2021), in the form for all t.
    """

    def _angle(self, t: Tensor) -> Tensor:
        a, b = (math.atan(math.exp(end / 2)) for end in (self.low, self.high))
        return a + (b - a) * t

    def gamma(self, t: Tensor) -> Tensor:
        return 2 * self._angle(t).tan().log()

    def slope(self, t: Tensor) -> Tensor:
        a, b = (math.atan(math.exp(end / 2)) for end in (self.low, self.high))
        return 4 * (b - a) / (2 * self._angle(t)).sin()
