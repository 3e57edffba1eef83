"""What critic and sampler of a GAN pay. All take logits, so that no logarithm meets a zero; all are means, in nats.

``critic(x)`` estimates ``log p(x)/q(x)``, p being the data and q the sampler; ``D(x) = sigmoid(critic(x))``.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """``-E_p[log D] - E_q[log(1 - D)]``, what the critic pays; 2 log 2 if it can tell nothing.

    Args:
        real: (B,) logits of data.
        fake: (C,) logits of samples.

    Source: Goodfellow et al. (2014), equation 1.

    >>> round(critic_loss(torch.zeros(3), torch.zeros(5)).item(), 4) == round(2 * math.log(2), 4)
    True
    """
    return F.softplus(-_some(real)).mean() + F.softplus(_some(fake)).mean()


def saturating(fake: Tensor) -> Tensor:
    """``E_q[log(1 - D)]``, the generator's side of the minimax game; its gradient is D(x), tiny where D is sure."""
    return -F.softplus(_some(fake)).mean()


def non_saturating(fake: Tensor) -> Tensor:
    """``-E_q[log D]``, which has the same optimum and the gradient 1 - D(x): strong where the critic is sure.

    Source: Goodfellow et al. (2014), section 3.
    """
    return F.softplus(-_some(fake)).mean()


def js_bound(real: Tensor, fake: Tensor) -> Tensor:
    """A lower bound on Jensen-Shannon(p, q) in nats: ``log 2 - critic_loss / 2``, tight for the optimal critic.

    It is a bound in expectation, and only on examples that the critic was not trained on. Negative if the critic is
    worse than a coin.

    >>> js_bound(torch.full((4,), 50.0), torch.full((4,), -50.0)).item() == math.log(2)  # told apart with certainty
    True
    """
    return math.log(2) - critic_loss(real.double(), fake.double()) / 2


def squared_gradient(logits: Tensor, x: Tensor) -> Tensor:
    """``|grad_x critic(x)|^2`` of each example, (B,): the R1 penalty where x is data, R2 where x is samples.

    Args:
        logits: (B,) ``critic(x)``, each of its own example only.
        x: (B, ...), which must require a gradient.

    Source: Mescheder, Geiger, Nowozin (2018), equation 9.

    >>> x = torch.zeros(1, 2, requires_grad=True)
    >>> squared_gradient(x @ torch.tensor([3.0, 4.0]), x).item()
    25.0
    """
    if not (x.requires_grad and logits.requires_grad):
        raise ValueError(
            "a gradient in x needs x.requires_grad_() before the critic is asked, and no torch.no_grad() around it"
        )
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.flatten(1).pow(2).sum(1)


def _some(logits: Tensor) -> Tensor:
    """Logits as floats; ValueError if there are none, whose mean would be nan."""
    if not logits.numel():
        raise ValueError(f"there are no logits to take the mean of: their shape is {tuple(logits.shape)}")
    return logits if logits.is_floating_point() else logits.float()
