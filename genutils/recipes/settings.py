"""How long to train, with which numbers, and the one way in which most recipes do it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genutils.kinds import Kind
from genutils.model import Model, kind
from genutils.optimizers import adam
from genutils.tasks import Task
from genutils.training import cosine, fit


@dataclass(frozen=True)
class Budget:
    """How long to train: so many seconds of the reference core, or so many steps; exactly one of the two.

    Seconds become steps by what a step is stated to cost, so that a budget means the same numbers on every machine. On
    a faster one it takes less time.

    Args:
        seconds: CPU seconds of the reference core (AVX2, float32, one thread).
        steps: of the optimiser.

    >>> Budget(seconds=60).count(0.02), Budget(steps=7).count(0.02), str(Budget(seconds=15))
    (3000, 7, '15 s')
    """

    seconds: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.seconds, self.steps) if value is not None]
        if len(given) != 1 or not 0 < given[0] < math.inf:
            raise ValueError(
                f"a budget is either seconds or steps, more than 0; these are {self.seconds}, {self.steps}"
            )
        if self.steps is not None and self.steps != int(self.steps):
            raise ValueError(f"steps are whole; these are {self.steps}")

    def count(self, seconds_per_step: float) -> int:
        """How many steps that is, at least one."""
        return self.steps or max(1, int(self.seconds / seconds_per_step + 1e-9))

    def __str__(self) -> str:
        return f"{self.seconds:g} s" if self.seconds is not None else f"{self.steps} steps"


MINUTE = Budget(seconds=60)


@dataclass(frozen=True)
class Settings:
    """What one recipe does with one task: all of it data, but for who builds the model.

    Attributes:
        build: ``build(task, **model)`` gives the model to train.
        seconds_per_step: what a step of training costs on the reference core, as measured; None for models that are
            not trained in steps.
        model: settings of ``build``.
        batch: of ``task.batch``.
        fit: of the training loop.
        optimizer: called with the model, gives the optimizer of the training loop; `adam` unless given.
        loss: what is trained for; `cost` unless given.
        after: called with the trained model and the task, for what comes after training, on validation data.
    """

    build: Callable[..., Any]
    seconds_per_step: float | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    batch: Mapping[str, Any] = field(default_factory=dict)
    fit: Mapping[str, Any] = field(default_factory=dict)
    optimizer: Callable[[Any], Callable] | None = None
    loss: Callable[[Any, dict[str, Tensor]], Tensor] | None = None
    after: Callable[[Any, Task], Any] | None = None


def choose(settings: Mapping[str, Settings], task: Task) -> Settings:
    """The settings for a task: those under its name, or else those under its group.

    Raises:
        ValueError: there are none; says for what there are.
    """
    for key in (task.name, task.group):
        if key in settings:
            return settings[key]
    raise ValueError(f"there are no settings for the task {task.name!r}; there are some for {', '.join(settings)}")


def cost(model: Model, batch: dict[str, Tensor]) -> Tensor:
    """The mean over a batch of minus log p(x), or of minus the bound on it, in nats per example.

    Labels are given to a model that knows classes; all other fields of the batch go on to its networks.
    """
    told = {name: value for name, value in batch.items() if name not in ("x", "labels")}
    answer = model.log_prob if kind(model) is Kind.EXACT else model.elbo
    return -answer(batch["x"], batch.get("labels") if model.classes else None, **told).mean()


def by_gradient(settings: Settings, task: Task, seed: int, budget: Budget, **model: Any) -> Any:
    """Build a model and `genutils.training.fit` it to batches of a task; everything random follows from the seed.

    Args:
        settings: of the recipe.
        model: settings of the model, in place of the recipe's.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trained = settings.build(task, **(settings.model | model))
        optimizer = settings.optimizer(trained) if settings.optimizer else adam
        fit(
            trained,
            lambda n: task.batch(n, generator=generator, **settings.batch),
            loss=settings.loss or cost,
            steps=budget.count(settings.seconds_per_step),
            seed=seed,
            **({"schedule": cosine, "optimizer": optimizer} | settings.fit),
        )
        if settings.after:
            settings.after(trained, task)
    return trained


@torch.no_grad()
def make_less_sure(
    model: Any, task: Task, temperatures: Sequence[float] = (1.0, 1.06, 1.12, 1.18, 1.24, 1.3, 1.36, 1.42)
) -> float:
    """Divide the logits, by way of the last layer ``out``, by the temperature with which validation data are likeliest.

    A network that has seen a thousand images many times is too sure of what comes next in others.

    Returns:
        That temperature.

    Source: Guo, Pleiss, Sun, Weinberger (2017), section 4.2.
    """
    held_out, last = task.split("validation"), list(model.out.parameters())
    found = [p.clone() for p in last]

    def at(temperature: float) -> float:
        for p, trained in zip(last, found, strict=True):
            p.copy_(trained / temperature)
        return cost(model, held_out).item()

    best = min(temperatures, key=at)
    at(best)
    return best
