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
            moving = [p for p in group["params"] if p.grad is not None]
            if moving:
                (self._turned if group["matrix"] else self._scaled)(moving, group)

    def _turned(self, params: list[Tensor], group: dict) -> None:
        means, grads = self._kept(params, "mean"), [p.grad for p in params]
        torch._foreach_lerp_(means, grads, 1 - group["momentum"])
        ahead = torch._foreach_lerp(grads, means, group["momentum"])
        shapes: dict[tuple[int, int], list[int]] = {}
        for i, p in enumerate(params):
            shapes.setdefault(tuple(p.shape), []).append(i)
        for (rows, columns), which in shapes.items():  # matrices of one shape in one go
            steps = orthogonal(torch.stack([ahead[i] for i in which]))
            rate = -group["lr"] * max(1, rows / columns) ** 0.5
            torch._foreach_add_([params[i] for i in which], list(steps), alpha=rate)

    def _scaled(self, params: list[Tensor], group: dict) -> None:
        grads, group["t"] = [p.grad for p in params], group.get("t", 0) + 1
        means, squares = self._kept(params, "mean"), self._kept(params, "square")
        torch._foreach_lerp_(means, grads, 0.1)
        torch._foreach_lerp_(squares, torch._foreach_mul(grads, grads), 0.05)
        sizes = torch._foreach_sqrt(squares)
        torch._foreach_div_(sizes, (1 - 0.95 ** group["t"]) ** 0.5)
        torch._foreach_add_(sizes, 1e-10)
        rate = -group["lr"] * group["adam"] / (1 - 0.9 ** group["t"])
        torch._foreach_addcdiv_(params, means, sizes, value=rate)

    def _kept(self, params: list[Tensor], name: str) -> list[Tensor]:
        return [self.state[p].setdefault(name, torch.zeros_like(p)) for p in params]


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearly ``U V^T`` of a matrix ``U S V^T``, (..., rows, columns): singular values come near to 1, 0.7 ... 1.2.

    Each step applies ``a s + b s^3 + c s^5`` to all singular values by products of matrices, without finding them.

    Source: Jordan et al. (2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    wide = x.mT if (tall := x.shape[-2] > x.shape[-1]) else x
    for _ in range(steps):
        square = wide @ wide.mT
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide.mT if tall else wide
