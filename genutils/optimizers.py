"""Optimisers of torch as the course uses them: without torch's compiler, and set where its defaults do not serve."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class _Light(torch.optim.Optimizer):
    """To be put before an optimiser of torch: the same to the last digit, and torch's compiler is not loaded.

    Torch wraps an optimiser's methods so that ``torch.compile`` will not look into them, and the first call of one
    imports the compiler for that: a second or two, and 80 MB. Here are the methods below the wrappers. A model may
    still be compiled; a function that calls ``step`` should not be.
    """

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)
    state_dict = inspect.unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Optimizer.load_state_dict)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        below = inspect.unwrap(super(_Light, type(self)).step)
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return below(self, closure)


class Adam(_Light, torch.optim.Adam):
    """`torch.optim.Adam`, which does not load torch's compiler. Source: Kingma, Ba (2015).

    >>> weight = torch.tensor(1.0, requires_grad=True)
    >>> optimizer = Adam([weight], lr=0.1)
    >>> weight.square().backward()
    >>> optimizer.step()
    >>> round(weight.item(), 4)  # the first step is of length lr
    0.9
    """


class SGD(_Light, torch.optim.SGD):
    """`torch.optim.SGD`, which does not load torch's compiler.

    >>> weight = torch.tensor(1.0, requires_grad=True)
    >>> optimizer = SGD([weight], lr=0.1)
    >>> weight.square().backward()
    >>> optimizer.step()
    >>> round(weight.item(), 4)  # lr times the gradient, which is 2
    0.8
    """


def adam(parameters: Iterable[Tensor], lr: float) -> Adam:
    """Adam with a shorter memory of squared gradients than usual, for trainings of a few thousand steps.

    Source: Kingma, Ba (2015), with ``beta_2 = 0.99``.
    """
    return Adam(parameters, lr=lr, betas=(0.9, 0.99), fused=True)


class Muon(_Light, torch.optim.Optimizer):
    """Momentum made orthogonal, for matrices inside a network; Adam for all else. Quick where steps are few.

    The step of a matrix is ``U V^T`` of its momentum ``U S V^T``, so that all directions move equally
    far, the seldom ones, too; five steps of a polynomial come near enough. A matrix with more rows than columns moves
    further by the root of their ratio.

    Args:
        hidden: the parameters of which those with two axes are treated so: of blocks, not of embeddings or outputs.
        momentum: of the matrices.
        adam: what part of ``lr`` all else gets, with Adam's rule and ``betas`` of 0.9 and 0.95.

    Source: Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks".

    >>> weight = torch.zeros(2, 2, requires_grad=True)
    >>> optimizer = Muon([weight], lr=0.1, hidden=[weight])
    >>> (weight * torch.tensor([[3.0, 0.0], [0.0, -1e-3]])).sum().backward()
    >>> optimizer.step()
    >>> bool(weight[0, 0] < -0.06) and bool(weight[1, 1] > 0.0)
    True
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        *,
        hidden: Iterable[Tensor] = (),
        momentum: float = 0.9,
        adam: float = 0.3,
    ):
        params, inside = list(params), {id(p) for p in hidden if p.ndim == 2}
        groups = [{"params": [p for p in params if (id(p) in inside) == matrix], "matrix": matrix} for matrix in (1, 0)]
        super().__init__([g for g in groups if g["params"]], {"lr": lr, "momentum": momentum, "adam": adam})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                (self._turned if group["matrix"] else self._scaled)(p, group)

    def _turned(self, p: Tensor, group: dict) -> None:
        mean = self.state[p].setdefault("mean", torch.zeros_like(p))
        mean.lerp_(p.grad, 1 - group["momentum"])
        step = orthogonal(p.grad.lerp(mean, group["momentum"]))
        p.add_(step, alpha=-group["lr"] * max(1, p.shape[0] / p.shape[1]) ** 0.5)

    def _scaled(self, p: Tensor, group: dict) -> None:
        state = self.state[p]
        if not state:
            state.update(mean=torch.zeros_like(p), square=torch.zeros_like(p), t=0)
        state["t"] += 1
        mean, square = state["mean"].lerp_(p.grad, 0.1), state["square"].lerp_(p.grad**2, 0.05)
        sd = (square / (1 - 0.95 ** state["t"])).sqrt() + 1e-10
        p.addcdiv_(mean / (1 - 0.9 ** state["t"]), sd, value=-group["lr"] * group["adam"])


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearly ``U V^T`` of a matrix ``U S V^T``: its singular values come near to 1 (0.7 ... 1.2), those of 0 stay.

    Each step applies ``a s + b s^3 + c s^5`` to all singular values by products of matrices, without finding them.

    Source: Jordan et al. (2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm() + 1e-7)
    wide = x.T if (tall := x.shape[0] > x.shape[1]) else x
    for _ in range(steps):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide.T if tall else wide
