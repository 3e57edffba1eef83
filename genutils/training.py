"""The one training loop of the course: `fit` trains any model and returns a `Record` that plots itself."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from genutils import model as interface
from genutils.batches import Batch, Batches, count, each, examples, split
from genutils.checkpoint import Checkpoint
from genutils.door import data_named, dtypes_named, spoilt
from genutils.loop import Diverged, Kept, Loop, Ranks, averaged, descend, one_number, randomness
from genutils.optimizers import Adam
from genutils.plot import COLOURS, curve, plt, show


@dataclass
class Record:
    """What happened: losses in nats per example unless the loss says otherwise, at the steps where they were taken."""

    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)  # mean over the batches since the entry before
    validation: list[float] = field(default_factory=list)  # nan without validation data
    best_step: int = 0
    best: float = math.inf
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stopped: str = "running"  # then "all steps", "no progress", "interrupted" or "diverged"

    def add(self, train: float, validation: float | None) -> bool:
        """Enter two losses, the held-out one None if there is none; whether the weights are the best so far."""
        self.train.append(train)
        self.validation.append(math.nan if validation is None else validation)
        if best := validation is None or validation < self.best:
            self.best_step, self.best = self.steps[-1], train if validation is None else validation
        return best

    def waited(self) -> int:
        """How many entries there are since the best one."""
        return len(self.steps) - 1 - self.steps.index(self.best_step)

    def curves(self, ax: Any, *, unit: str = "nats per example") -> None:
        """Training and held-out loss against steps, and a dot where the weights were kept."""
        curve(ax, self.steps, self.train, role="data", label="training")
        if not all(map(math.isnan, self.validation)):
            curve(ax, self.steps, self.validation, role="model", label="held out")
            ax.plot(self.best_step, self.best, "o", color=COLOURS["second"], label=f"kept: step {self.best_step:,}")
        ax.set(xlabel="step", ylabel=f"loss ({unit})")
        ax.legend()

    def show(self, caption: str = "The loss while training; the weights with the best held-out loss are kept.") -> None:
        """The curves as a figure of a lesson."""
        fig, ax = plt.subplots()
        self.curves(ax)
        show(fig, alt=f"Two curves of loss over {self.steps[-1]:,} steps: training and held out.", caption=caption)


def cost(model: Any, batch: Batch) -> Tensor:
    """Minus log p(x), or minus its lower bound where that is all there is: the mean over a batch, in nats.

    Args:
        model: has ``log_prob`` or ``elbo``; it may be wrapped by `torch.compile` and its like.
        batch: what that takes: x, a tuple ``(x, ...)`` of its arguments, or a dictionary of them by name.
    """
    model = interface.unwrapped(model)
    answer = model.log_prob if interface.kind(model) == "exact" else model.elbo
    found = (
        answer(**batch) if isinstance(batch, dict) else answer(*batch) if isinstance(batch, tuple) else answer(batch)
    )
    return -interface.one_each(found, count(batch), f"{answer.__name__} of a {type(model).__name__}").mean()


def fit(
    model: nn.Module,
    data: Batch | Callable[[int], Batch],
    *,
    validation: Batch | Callable[[int], Batch] | None = None,
    loss: Callable[[nn.Module, Any], Tensor] = cost,
    steps: int = 1000,
    batch_size: int = 128,
    lr: float = 1e-3,
    optimizer: Callable[..., torch.optim.Optimizer] = Adam,
    schedule: Callable[[float], float] | None = None,
    clip: float | None = 1.0,
    ema: float | None = None,
    every: int | None = None,
    patience: int | None = None,
    device: str | torch.device | None = None,
    seed: int = 0,
    checkpoint: str | os.PathLike | None = None,
) -> Record:
    """Train a model in place by stochastic gradient descent, and leave it with its best weights.

    "Best" is the lowest validation loss; without validation data, the last. With ``ema`` the weights that are
    judged and kept are the running average. Interrupting (the stop button) also leaves the best so far.

    Args:
        model: any module; it is moved to ``device`` (default: where it is). With ``DistributedDataParallel`` each
            process draws batches of its own from the data it is given, and all keep the same weights.
        data: (N, ...) examples, shuffled anew in each epoch, or a function of n that gives n fresh ones. A batch may
            also be a tuple or a dictionary of tensors, and so may the data that it is cut from.
        validation: held-out data, likewise. Noise in its loss is the same each time, so that losses compare.
        loss: a function of the model and a batch, which comes as ``data`` gives it; a scalar, in nats per example.
        steps, batch_size, lr, optimizer: as usual.
        schedule: factor of ``lr`` as a function of progress in [0, 1]; see `cosine`.
        clip: largest norm of the gradient; None for no clipping.
        ema: decay of the average of the weights, such as 0.999; less at first, see `genutils.loop.averaged`.
        every: steps from one entry of the record to the next; by default a fortieth of all.
        patience: stop after this many entries without a better validation loss.
        seed: of the batches, and of all noise inside the model.
        checkpoint: a file. The state is saved there at each entry, and a run that finds its file there goes on from it,
            to the same numbers as if it had never stopped, provided that ``data``, if it is a function, draws from
            torch's own generator: the state of another is not saved. The first weights do not count as part of a run.

    Returns:
        A `Record`.

    Raises:
        Diverged: loss, gradient or held-out loss is not finite; says at which step and what to try.
        ValueError: an argument cannot serve, or the checkpoint belongs to another run; says which or in what.
        TypeError: the data is of another dtype than the model, or no tensor.

    >>> line = nn.Linear(1, 1)
    >>> x = torch.linspace(-1, 1, 64)[:, None]
    >>> record = fit(line, x, loss=lambda m, b: ((m(b) - 3 * b) ** 2).mean(), steps=300, lr=0.1)
    >>> round(line.weight.item(), 3), record.stopped
    (3.0, 'all steps')
    """
    given = {name: value for name, value in locals().items() if name not in ("device", "checkpoint")}
    if patience is not None and patience < 1:
        raise ValueError(
            f"patience is how many entries without a better loss are waited for, 1 or more; it is {patience}"
        )
    if patience is not None and validation is None:
        raise ValueError(f"patience={patience} needs validation data to judge by; give validation=...")
    examples("data", data)
    if validation is not None:
        examples("validation", validation)
    model = model.to(device) if device is not None else model
    ranks, inner, where = Ranks(model), interface.unwrapped(model), _device(model)
    batches, optim = Batches(data, where), optimizer([p for p in inner.parameters() if p.requires_grad], lr=float(lr))
    average = averaged(inner, ema) if ema else None
    judge = _Judge(Record(), average.module if average else inner, validation, loss, patience, ranks)

    def turn(step: int) -> list[float]:
        batch, rate = batches(batch_size), lr * (schedule(step / steps) if schedule else 1.0)
        with dtypes_named(inner, batch), data_named(batch):
            paid = descend(ranks.loss(loss, batch), optim, inner.parameters(), rate=rate, clip=clip, mean=ranks.mean)
        if average:
            average.update_parameters(inner)
        return [paid]

    parts = {"model": inner, "optimizer": optim, "average": average, "batches": batches, "kept": judge.kept}
    file = Checkpoint.at(checkpoint, given | {"model": inner, "ranks": ranks.size}, parts, where=where, rank=ranks.rank)
    model.train()
    try:
        Loop(judge.record, steps, seed, every, where, _advice(lr, clip), ranks, file).run(turn, judge)
    finally:
        judge.kept.restore(inner)
        model.eval()
    return judge.record


class _Judge:
    """Each entry of the record of `fit`: the held-out loss, and the weights that had the best."""

    def __init__(
        self,
        record: Record,
        model: nn.Module,
        validation: Batch | Callable[[int], Batch] | None,
        loss: Callable[[nn.Module, Any], Tensor],
        patience: int | None,
        ranks: Ranks,
    ):
        self.record, self.model, self.validation, self.loss = record, model, validation, loss
        self.patience, self.ranks, self.kept = patience, ranks, Kept(model)

    def __call__(self, step: int, means: list[float]) -> str:
        held = None if self.validation is None else self.ranks.mean(held_out(self.model, self.validation, self.loss))
        if self.record.add(means[0], held):
            self.kept.take(self.model)
        if held is not None and not math.isfinite(held):  # no comparison with nan is true: nothing would be kept
            told = "" if callable(self.validation) else spoilt(self.validation)
            raise Diverged(f"the held-out loss is {held}{told}")
        if self.patience and self.record.waited() >= self.patience:
            self.record.stopped = "no progress"
        return f"training {self.record.train[-1]:.3f}, held out {self.record.validation[-1]:.3f}"


def cosine(progress: float) -> float:
    """A schedule: up within the first 5 %, then down to 0 along half a cosine. Source: Loshchilov, Hutter (2017)."""
    return min(1.0, progress / 0.05 + 0.01) * 0.5 * (1 + math.cos(math.pi * progress))


def flat_then_down(progress: float) -> float:
    """A schedule: up within the first 5 %, level until 60 %, then straight down to 0. Source: Zhai et al. (2022)."""
    return min(1.0, progress / 0.05 + 0.01, (1 - progress) / 0.4)


@torch.no_grad()
def held_out(
    model: nn.Module,
    x: Batch | Callable[[int], Batch],
    loss: Callable[[nn.Module, Any], Tensor] = cost,
    *,
    batch_size: int = 512,
) -> float:
    """Mean loss over examples, in evaluation mode, with the same noise at each call. The random state is kept.

    Args:
        x: a tensor (M, ...), a tuple or a dictionary of such; or a function of n, of which one batch is taken.
        loss: a function of the model and a batch: the mean over its examples.
    """
    training, where = model.training, _device(model)
    model.eval()
    try:
        with randomness(where):
            torch.manual_seed(0)
            parts = [x(batch_size)] if callable(x) else split(x, batch_size)
            total, size = 0.0, 0
            for part in parts:
                part, n = each(lambda tensor: tensor.to(where), part), count(part)
                with dtypes_named(model, part):
                    total, size = total + one_number(loss(model, part)).item() * n, size + n
    finally:
        model.train(training)
    if not size:
        raise ValueError("there are no examples to judge by: the function for held-out data gave none")
    return total / size


def low_precision(device: str | torch.device) -> contextlib.AbstractContextManager:
    """A context in which torch computes in bfloat16 where the hardware has units for it, and in float32 elsewhere.

    That is a GPU that says so; never a CPU, whatever it has, so that all CPUs give the numbers of float32. A bfloat16
    has 8 bits of mantissa: what is computed from it is off by up to 1 part in 256 and must not be reported as exact.

    Args:
        device: of the model.

    >>> with low_precision("cpu"):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    device = torch.device(device)
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", torch.bfloat16)
    return contextlib.nullcontext()


def _device(model: nn.Module) -> torch.device:
    first = next(model.parameters(), None)
    if first is None:
        raise ValueError(f"a {type(model).__name__} has no parameters to train")
    return first.device


def _advice(lr: float, clip: float | None) -> str:
    lower = f"a lower lr than {lr:g}" + (", clip=1.0" if clip is None else "")
    return (
        f"Try {lower}, inputs scaled to about -1 ... 1, and look for log(0), 0/0 or exp of a large number in the loss. "
        "The best weights are kept"
    )
