"""The one training loop of the course: `fit` trains any model and returns a `Record` that plots itself."""

from __future__ import annotations

import math
import os
import pathlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from genutils import model as interface
from genutils.plot import curve, plt, show


class Diverged(FloatingPointError):
    """The loss or its gradient is no longer finite. The model has its best weights so far; ``record`` is the record."""

    record: Record


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

    def curves(self, ax: Any, *, unit: str = "nats per example") -> None:
        """Training and held-out loss against steps, and a dot where the weights were kept."""
        curve(ax, self.steps, self.train, role="data", label="training")
        if not all(map(math.isnan, self.validation)):
            curve(ax, self.steps, self.validation, role="model", label="held out")
            ax.plot(self.best_step, self.best, "o", color="#d97706", label=f"kept: step {self.best_step:,}")
        ax.set(xlabel="step", ylabel=f"loss ({unit})")
        ax.legend()

    def show(self, caption: str = "The loss while training; the weights with the best held-out loss are kept.") -> None:
        """The curves as a figure of a lesson."""
        fig, ax = plt.subplots()
        self.curves(ax)
        show(fig, alt=f"Two curves of loss over {self.steps[-1]:,} steps: training and held out.", caption=caption)


def negative_log_likelihood(model: Any, x: Tensor) -> Tensor:
    """The default loss: the mean over the batch of ``-log_prob(x)``, or of ``-elbo(x)`` where that is all there is."""
    return -(model.log_prob(x) if interface.kind(model) == "exact" else model.elbo(x)).mean()


def fit(
    model: nn.Module,
    data: Tensor | Callable[[int], Any],
    *,
    validation: Tensor | None = None,
    loss: Callable[[nn.Module, Tensor], Tensor] = negative_log_likelihood,
    steps: int = 1000,
    batch_size: int = 128,
    lr: float = 1e-3,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
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
        model: any module; it is moved to ``device`` (default: where it is).
        data: (N, ...) examples, shuffled anew in each epoch, or a function of n that gives n fresh ones: a tensor, or a
            tuple or dictionary of tensors, which the loss is given as it is.
        validation: (M, ...) held-out examples. Noise in their loss is the same each time, so that losses compare.
        loss: a function of the model and a batch; a scalar, in nats per example.
        steps, batch_size, lr, optimizer: as usual.
        schedule: factor of ``lr`` as a function of progress in [0, 1]; see `cosine`.
        clip: largest norm of the gradient; None for no clipping.
        ema: decay of the average of the weights, such as 0.999.
        every: steps from one entry of the record to the next; by default a fortieth of all.
        patience: stop after this many entries without a better validation loss.
        seed: of the batches, and of all noise inside the model.
        checkpoint: a file. The state is saved there at each entry, and a run that finds its file there goes on from it,
            to the same numbers as if it had never stopped, provided that ``data``, if it is a function, draws from
            torch's own generator: the state of another is not saved.

    Returns:
        A `Record`.

    Raises:
        Diverged: loss or gradient is not finite; says at which step and what to try.
        ValueError: an argument cannot serve, or the checkpoint belongs to another run.

    >>> line = nn.Linear(1, 1)
    >>> x = torch.linspace(-1, 1, 64)[:, None]
    >>> record = fit(line, x, loss=lambda m, b: ((m(b) - 3 * b) ** 2).mean(), steps=300, lr=0.1)
    >>> round(line.weight.item(), 3), record.stopped
    (3.0, 'all steps')
    """
    if patience is not None and validation is None:
        raise ValueError(f"patience={patience} needs validation data to judge by; give validation=...")
    if not callable(data) and not len(data):
        raise ValueError(f"there are no examples to train on: data has shape {tuple(data.shape)}")
    every = every or max(1, steps // 40)
    model = model.to(device) if device is not None else model
    where = next(model.parameters()).device
    optim = optimizer([p for p in model.parameters() if p.requires_grad], lr=lr)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema)) if ema else None
    judged = average.module if average else model
    record, best, total, order, start = Record(), _copy(judged), 0.0, None, 0
    settings = (
        f"{type(model).__name__} steps={steps} batch_size={batch_size} lr={lr} ema={ema} every={every} seed={seed}"
    )

    with torch.random.fork_rng(devices=[] if where.type != "cuda" else [where]):
        torch.manual_seed(seed)
        if checkpoint is not None and pathlib.Path(checkpoint).exists():
            state = _load(checkpoint, settings)
            model.load_state_dict(state["model"])
            optim.load_state_dict(state["optimizer"])
            if average:
                average.load_state_dict(state["average"])
            record, best, order, start = Record(**state["record"]), state["best"], state["order"], state["step"]
            torch.set_rng_state(state["rng"])
        before, clock, cpu = (record.seconds, record.cpu_seconds), time.perf_counter(), time.process_time()
        steps_left = range(start, steps) if record.stopped == "running" else range(0)
        bar = tqdm(steps_left, disable=os.environ.get("GENUTILS_PROGRESS") == "off", leave=False)
        model.train()
        try:
            for step in bar:
                if callable(data):
                    batch = data(batch_size)
                else:
                    if order is None or len(order) < min(batch_size, len(data)):
                        order = torch.randperm(len(data))
                    batch, order = data[order[:batch_size]], order[batch_size:]
                for group in optim.param_groups:
                    group["lr"] = lr * (schedule(step / steps) if schedule else 1.0)
                value = loss(model, _to(batch, where))
                optim.zero_grad(set_to_none=True)
                value.backward()
                norm = nn.utils.clip_grad_norm_(model.parameters(), clip or math.inf)
                total += value.item()
                if not (math.isfinite(total) and math.isfinite(norm)):
                    raise Diverged(_diverged(step, value.item(), norm.item(), lr, clip))
                optim.step()
                if average:
                    average.update_parameters(model)
                if (step + 1) % every and step + 1 < steps:
                    continue
                record.steps.append(step + 1)
                record.train.append(total / ((step + 1) - (record.steps[-2] if len(record.steps) > 1 else 0)))
                record.validation.append(held_out(judged, validation, loss) if validation is not None else math.nan)
                total = 0.0
                if validation is None or record.validation[-1] < record.best:
                    record.best_step, best = step + 1, _copy(judged)
                    record.best = record.train[-1] if validation is None else record.validation[-1]
                bar.set_postfix_str(f"training {record.train[-1]:.3f}, held out {record.validation[-1]:.3f}")
                record.seconds = before[0] + time.perf_counter() - clock
                record.cpu_seconds = before[1] + time.process_time() - cpu
                if patience and len(record.steps) - 1 - record.steps.index(record.best_step) >= patience:
                    record.stopped = "no progress"
                if checkpoint is not None:
                    _save(checkpoint, settings, model, optim, average, record, best, order, step + 1)
                if record.stopped != "running":
                    break
            else:
                record.stopped = "all steps" if record.stopped == "running" else record.stopped
        except KeyboardInterrupt:
            record.stopped = "interrupted"
        except Diverged as error:
            record.stopped, error.record = "diverged", record
            raise
        finally:
            bar.close()
            model.load_state_dict(best)
            model.eval()
            record.seconds = before[0] + time.perf_counter() - clock
            record.cpu_seconds = before[1] + time.process_time() - cpu
    return record


def cosine(progress: float) -> float:
    """A schedule: up within the first 5 %, then down to 0 along half a cosine. Source: Loshchilov, Hutter (2017)."""
    return min(1.0, progress / 0.05 + 0.01) * 0.5 * (1 + math.cos(math.pi * progress))


@torch.no_grad()
def held_out(model: nn.Module, x: Tensor, loss: Callable = negative_log_likelihood, *, batch_size: int = 512) -> float:
    """Mean loss over examples, in evaluation mode, with the same noise at each call. The random state is kept."""
    training, where = model.training, next(model.parameters()).device
    model.eval()
    with torch.random.fork_rng(devices=[] if where.type != "cuda" else [where]):
        torch.manual_seed(0)
        total = sum(loss(model, part.to(where)).item() * len(part) for part in x.split(batch_size))
    model.train(training)
    return total / len(x)


def _to(batch: Any, where: torch.device) -> Any:
    """A batch on a device, part by part: a tensor, a tuple or a dictionary of them arrives as it was."""
    if isinstance(batch, dict):
        return {name: part.to(where) for name, part in batch.items()}
    return tuple(part.to(where) for part in batch) if isinstance(batch, tuple) else batch.to(where)


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _diverged(step: int, value: float, norm: float, lr: float, clip: float | None) -> str:
    advice = f"a lower lr than {lr:g}" + (", clip=1.0" if clip is None else "")
    return (
        f"at step {step + 1} the loss is {value} and its gradient has norm {norm}. Try {advice}, inputs scaled to "
        "about -1 ... 1, and look for log(0), 0/0 or exp of a large number in the loss. The best weights are kept"
    )


def _save(path, settings, model, optim, average, record, best, order, step) -> None:
    path = pathlib.Path(path)
    part = path.with_name(path.name + ".part")  # a run killed while writing leaves the file before untouched
    state = {"settings": settings, "model": model.state_dict(), "optimizer": optim.state_dict(), "best": best}
    state |= {"average": average.state_dict() if average else None, "order": order, "step": step}
    torch.save(state | {"record": asdict(record), "rng": torch.get_rng_state()}, part)
    os.replace(part, path)


def _load(path, settings: str) -> dict[str, Any]:
    """Tensors, numbers and text only: ``weights_only`` refuses a file that would run code."""
    remedy = "delete it to start anew, or name another checkpoint"
    try:
        state = torch.load(path, weights_only=True)
        found = state["settings"]
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint of fit ({type(error).__name__}); {remedy}") from error
    if found != settings:
        raise ValueError(f"{path} belongs to another run ({found}); this one is {settings}; {remedy}")
    return state
