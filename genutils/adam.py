"""Adam, with torch's own fused step but without its optimizer class, whose first use loads torch's compiler.

That costs more than a second and compiles nothing; for small networks the class costs as much at each step as the step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class Adam:
    """Adam to the same numbers as ``torch.optim.Adam(..., fused=True)``, for `genutils.training.fit` and loops like it.

    Args:
        parameters: tensors to train.
        lr: step size; ``param_groups[0]["lr"]`` changes it.
        betas: decay of the running means of the gradient and of its square.
        eps: added to the root of the latter.

    Raises:
        ValueError: there is nothing to train, or a number is out of its range.

    Source: Kingma, Ba (2015), algorithm 1.

    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> adam = Adam([x], lr=0.1)
    >>> x.square().sum().backward()
    >>> adam.step()
    >>> round(x.item(), 4)  # the first step has length lr
    2.9
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999), eps=1e-8
    ):
        parameters = list(parameters)
        if not parameters:
            raise ValueError("there are no parameters to train; give model.parameters()")
        if not (lr >= 0 and all(0 <= b < 1 for b in betas) and eps > 0):
            raise ValueError(f"Adam wants lr >= 0, 0 <= betas < 1, eps > 0; they are {lr}, {betas}, {eps}")
        self.param_groups: list[dict[str, Any]] = [{"params": parameters, "lr": lr}]
        self.betas, self.eps = betas, eps
        self.state = [(torch.zeros((), device=p.device), torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for p in self.param_groups[0]["params"]:
            if set_to_none or p.grad is None:
                p.grad = None
            else:
                p.grad.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """One step for every parameter that has a gradient."""
        group = self.param_groups[0]
        used = [(p, p.grad, *state) for p, state in zip(group["params"], self.state, strict=True) if p.grad is not None]
        if not used:
            return
        params, grads, steps, means, squares = (list(part) for part in zip(*used, strict=True))
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            params,
            grads,
            means,
            squares,
            [],
            steps,
            lr=group["lr"],
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs to go on to the same numbers."""
        return {"state": self.state, "lr": self.param_groups[0]["lr"]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of the same parameters."""
        for mine, other in zip(self.state, state["state"], strict=True):
            for a, b in zip(mine, other, strict=True):
                a.copy_(b)
        self.param_groups[0]["lr"] = state["lr"]
