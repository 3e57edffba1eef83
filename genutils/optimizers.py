"""Optimisers as the course sets them, where that differs from torch's defaults."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def adam(parameters: Iterable[Tensor], lr: float) -> torch.optim.Optimizer:
    """Adam with a shorter memory of squared gradients than usual, for trainings of a few thousand steps.

    Source: Kingma, Ba (2015), with ``beta_2 = 0.99``.
    """
    return torch.optim.Adam(parameters, lr=lr, betas=(0.9, 0.99), fused=True)
