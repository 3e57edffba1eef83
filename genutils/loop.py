"""What all training shares: steps, averages of weights, a record that grows, and whatever ends a run early."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from genutils.checkpoint import Checkpoint
from genutils.model import unwrapped


class Diverged(FloatingPointError):
    """A loss or its gradient is no longer finite. The model has its best weights so far; ``record`` is the record."""

    record: Any


@dataclass
class Loop:
    """Seeds, the bar, entries in a record, the checkpoint, and the ends that a run can come to.

    Args:
        record: has ``steps``, ``seconds``, ``cpu_seconds`` and ``stopped``.
        steps, seed: how many; of all randomness.
        every: steps from one entry to the next; None for a fortieth of all.
        where: the device whose random state is set, and given back at the end.
        advice: what to try after a divergence.
        ranks: the processes that train together; each has randomness of its own.
        checkpoint: None for none.
    """

    record: Any
    steps: int
    seed: int
    every: int | None
    where: torch.device
    advice: str
    ranks: Ranks
    checkpoint: Checkpoint | None

    def run(self, turn: Callable[[int], Sequence[float]], entry: Callable[[int, list[float]], str]) -> None:
        """Train until all steps are done, ``entry`` sets ``record.stopped``, or something breaks off.

        Args:
            turn: makes the step of that number (from 0) and returns its losses.
            entry: called with the number of steps made and the mean of each loss since the entry before; returns a
                line for the bar.
        """
        if self.steps < 0 or (self.every is not None and self.every < 1):
            raise ValueError(f"steps is 0 or more, and every 1 or more; they are {self.steps} and {self.every}")
        record, every = self.record, self.every or max(1, self.steps // 40)
        with randomness(self.where):
            torch.manual_seed(self.seed + 1_000_003 * self.ranks.rank)  # torch's CPU generator reads 32 bits of a seed
            start = self.checkpoint.load(record) if self.checkpoint else 0
            if self.ranks.mean(start) != start:
                raise ValueError(f"the processes' checkpoints are of different steps, here {start}: delete all of them")
            clock = time.perf_counter() - record.seconds, time.process_time() - record.cpu_seconds
            left, totals = range(start, self.steps if record.stopped == "running" else start), []
            bar = tqdm(left, disable=self.ranks.rank > 0 or os.environ.get("GENUTILS_PROGRESS") == "off", leave=False)
            try:
                for step in bar:
                    with torch.inference_mode(False), torch.enable_grad():  # whatever is set around the training
                        losses = turn(step)
                    totals = [a + b for a, b in zip(totals or [0.0] * len(losses), losses, strict=True)]
                    if (step + 1) % every and step + 1 < self.steps:
                        continue
                    since = step + 1 - (record.steps[-1] if record.steps else 0)
                    record.steps.append(step + 1)
                    bar.set_postfix_str(entry(step + 1, [total / since for total in totals]))
                    totals = []
                    self._time(clock)
                    if self.checkpoint:
                        self.checkpoint.save(record, step + 1)
                    if record.stopped != "running":
                        break
                record.stopped = "all steps" if record.stopped == "running" else record.stopped
            except KeyboardInterrupt:
                record.stopped = "interrupted"
            except Diverged as error:
                record.stopped, error.record = "diverged", record
                error.args = (f"at step {step + 1} {error}. {self.advice}",)
                raise
            finally:
                bar.close()
                self._time(clock)

    def _time(self, clock: tuple[float, float]) -> None:
        self.record.seconds = time.perf_counter() - clock[0]
        self.record.cpu_seconds = time.process_time() - clock[1]


def randomness(where: torch.device) -> Any:
    """A context at whose end the random state is what it was."""
    return torch.random.fork_rng(devices=[where] if where.type == "cuda" else [])


def descend(
    value: Tensor,
    optimizer: torch.optim.Optimizer,
    parameters: Iterable[nn.Parameter],
    *,
    rate: float,
    clip: float | None = None,
    name: str = "the loss",
    mean: Callable[[float], float] = float,
) -> float:
    """One step down the gradient of a loss, whose value is returned.

    Args:
        mean: over the processes that train together, so that they end together.

    Raises:
        Diverged: loss or gradient is not finite; the weights stay as they are.
        ValueError: the loss is not one number.
    """
    one_number(value, name)
    if not value.requires_grad:
        raise ValueError(f"{name} does not depend on any weight that learns: is it of the model, and not detached?")
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    parameters = [p for p in parameters if p.grad is not None]
    norm = nn.utils.get_total_norm([p.grad for p in parameters])
    if clip is not None and not clip > 0:
        raise ValueError(f"clip is the largest norm of a gradient, above 0, or None; it is {clip}")
    if clip:
        nn.utils.clip_grads_with_norm_(parameters, clip, norm)
    paid = mean(value.item())
    if not (math.isfinite(paid) and math.isfinite(norm)):
        raise Diverged(f"{name} is {paid} and its gradient has norm {norm}")
    optimizer.step()
    return paid


def one_number(value: Tensor, name: str = "the loss") -> Tensor:
    """A loss, if it is one number; ValueError otherwise."""
    if value.numel() != 1:
        raise ValueError(f"{name} must be one number, not of shape {tuple(value.shape)}: take its mean()")
    return value


def averaged(model: nn.Module, decay: float, *, buffers: bool = False) -> AveragedModel:
    """A copy of a model that follows the running average of its weights: ``update_parameters(model)`` at each step.

    After n steps the decay is ``min(decay, (1 + n) / (10 + n))``: about the last tenth of a short run is averaged, not
    its start. With ``buffers`` those are averaged as well, whole numbers excepted, and else copied.
    """
    if not 0 <= decay < 1:
        raise ValueError(f"ema is the share of the average that stays at each step, 0 <= ema < 1; it is {decay}")

    @torch.no_grad()
    def update(kept: list[Tensor], current: list[Tensor], n: Tensor | int) -> None:
        if kept[0].is_floating_point():
            get_ema_multi_avg_fn(min(decay, (1 + int(n)) / (10 + int(n))))(kept, current, n)
        else:
            for old, new in zip(kept, current, strict=True):
                old.copy_(new)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=buffers)


class Kept:
    """The weights of a model at the moment of ``take``, for ``restore``."""

    def __init__(self, model: nn.Module):
        self.take(model)

    def take(self, model: nn.Module) -> None:
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def restore(self, model: nn.Module) -> None:
        model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Tensor]:
        return self.weights

    def load_state_dict(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights


class Ranks:
    """The processes that train one model together, each on batches of its own; one, if nothing is distributed.

    Args:
        model: a ``DistributedDataParallel`` model, or any other.
    """

    def __init__(self, model: nn.Module | None = None):
        found = None if model is None else unwrapped(model, until=DistributedDataParallel)
        self.wrapper = found if isinstance(found, DistributedDataParallel) else None
        self.model = self.wrapper.module if self.wrapper else model
        group = self.wrapper.process_group if self.wrapper else None
        self.rank, self.size = (dist.get_rank(group), dist.get_world_size(group)) if self.wrapper else (0, 1)

    def loss(self, loss: Callable[[nn.Module, Any], Tensor], batch: Any) -> Tensor:
        """``loss(model, batch)``, so that its gradient will be the mean over the processes."""
        if self.wrapper is None:
            return loss(self.model, batch)
        forward = self.model.forward

        def inside(batch: Any) -> Tensor:  # gradients are shared only if the loss is found in the wrapper's forward
            self.model.forward = forward
            return loss(self.model, batch)

        self.model.forward = inside
        return self.wrapper(batch)

    def mean(self, value: float) -> float:
        """The mean over all processes, the same number on each."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=next(self.model.parameters()).device)
        dist.all_reduce(total, group=self.wrapper.process_group)
        return total.item() / self.size
