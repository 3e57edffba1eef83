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
