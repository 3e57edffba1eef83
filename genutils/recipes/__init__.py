"""What the yardstick trains: one file a family, each with ``digits(seed)`` and ``plane(density, seed)``.

Both return a trained `genutils.model.Model`. A recipe sees training and validation data only, and stays within one
minute of one core.
"""

from __future__ import annotations

import torch


def adam(parameters, lr: float) -> torch.optim.Optimizer:
    """Adam with a shorter memory of squared gradients than usual: there are only a few thousand steps."""
    return torch.optim.Adam(parameters, lr=lr, betas=(0.9, 0.99), fused=True)
