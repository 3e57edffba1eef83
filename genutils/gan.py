"""Generative adversarial networks: a sampler trained by a critic that tries to tell its samples from data.

The critic's output is a logit: ``critic(x)`` estimates ``log p(x)/q(x)``, p being the data and q the sampler, so that
``D(x) = sigmoid(critic(x))`` is the probability that x is real.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from genutils.batches import Batch, Batches, examples
from genutils.checkpoint import Checkpoint
from genutils.critics import critic_loss, js_bound, non_saturating, saturating, squared_gradient
from genutils.door import data_named, dtypes_named, usable, whole
from genutils.loop import Kept, Loop, Ranks, averaged, descend, randomness
from genutils.model import Model, unwrapped
from genutils.optimizers import Adam

__all__ = [
    "GAN",
    "Game",
    "critic_loss",
    "js_bound",
    "non_saturating",
    "play",
    "saturating",
    "scale",
    "squared_gradient",
    "unscale",
]


class GAN(Model, nn.Module):
    """An implicit model: ``x = network(z)`` with ``z ~ N(0, I)``. It samples and can answer nothing else.

    Args:
        network: from noise z (B, latent), and labels y (B,) where there are classes, to (B, ...).
        latent: K, the size of z.
        classes: how many labels there are; they are drawn uniformly where none are asked for.
        levels: if the data are whole numbers 0 ... levels - 1, the network works on them scaled to -1 ... 1 and
            ``sample`` rounds its output to whole levels.
    """

    why = "it pushes noise through a network, and no formula says how much noise lands near x"

    def __init__(self, network: nn.Module, latent: int, *, classes: int | None = None, levels: int | None = None):
        super().__init__()
        self.network, self.latent, self.classes, self.levels = network, latent, classes, levels

    def forward(self, z: Tensor, *labels: Tensor) -> Tensor:
        """(B, K) noise to (B, ...), before any rounding: what the critic sees, and what gradients pass through."""
        return self.network(z, *labels)

    def noise(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """(n, K) standard normal, on the device of the network."""
        like = next(self.parameters())
        where = generator.device if generator else like.device
        return torch.randn(n, self.latent, generator=generator, device=where).to(like)

    @torch.no_grad()
    def sample(
        self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None, chunk: int = 2000
    ) -> Tensor:
        """n samples (n, ...), of the classes ``labels`` (n,) if given; whole numbers if the data has levels.

        Where no label is given, or -1, it is drawn uniformly. The network draws in evaluation mode, so that a sample
        does not depend on its batch and no running statistic moves; afterwards it is in the mode it was in.
        """
        z, labels = self.noise(n, generator=generator), self._labels(labels, n)
        if self.classes is not None:
            labels = torch.full((n,), -1) if labels is None else labels
            labels = torch.as_tensor(labels, device=z.device).long()
            if (labels < 0).any():
                where = generator.device if generator else z.device
                drawn = torch.randint(self.classes, (n,), generator=generator, device=where).to(z.device)
                labels = torch.where(labels < 0, drawn, labels)
        given = (z,) if labels is None else (z, labels)
        with _evaluating(self):
            x = torch.cat([self(*part) for part in zip(*(g.split(chunk) for g in given), strict=True)])
        return unscale(usable(x, "the sampler"), self.levels) if self.levels else x


def scale(x: Tensor, levels: int) -> Tensor:
    """Whole numbers 0 ... levels - 1 to -1 ... 1; ValueError for others."""
    if levels < 2:
        raise ValueError(f"levels is how many values there are, 2 or more; it is {levels}")
    x = whole(x, levels)
    return x.float() * (2 / (levels - 1)) - 1


def unscale(x: Tensor, levels: int) -> Tensor:
    """-1 ... 1 to the nearest whole number 0 ... levels - 1, int64; nan, which is near none, is refused."""
    if bool(x.isnan().any()):
        raise ValueError("a value is nan, which is no level. If a model made it, its weights are of no use")
    return ((x + 1) * ((levels - 1) / 2)).round().clamp(0, levels - 1).long()


@dataclass
class Game:
    """What happened: both losses in nats, averaged over the steps since the entry before.

    Neither says how good the samples are. ``seen`` holds what ``watch`` returned at the same steps.
    """

    steps: list[int] = field(default_factory=list)
    critic: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stopped: str = "running"  # then "all steps", "interrupted" or "diverged"


def play(
    model: GAN,
    critic: nn.Module,
    data: Batch | Callable[[int], Batch],
    *,
    steps: int = 1000,
    batch_size: int = 128,
    lr: float = 1e-3,
    critic_lr: float | None = None,
    betas: tuple[float, float] = (0.0, 0.99),
    loss: Callable[[Tensor], Tensor] = non_saturating,
    critic_loss: Callable[[Tensor, Tensor], Tensor] = critic_loss,
    penalty: float | Callable[..., Tensor] = 0.0,
    critic_steps: int = 1,
    schedule: Callable[[float], float] | None = None,
    ema: float | None = None,
    every: int | None = None,
    watch: Callable[[GAN, nn.Module], Any] | None = None,
    seed: int = 0,
    checkpoint: str | os.PathLike | None = None,
) -> Game:
    """Train a sampler and its critic in turns, in place. The sampler is left in evaluation mode.

    One step is: the critic learns to tell a batch of data from a batch of samples, through which no gradient passes;
    then the sampler learns to be taken for data by that critic, which stands still.

    Args:
        model, critic: the two players. ``critic(x)``, or ``critic(x, labels)``, gives logits (B,).
        data: a function of n that gives n fresh examples, or a tuple of examples and labels; scaled as the network's.
            Or all examples (N, ...), or a tuple with their labels, shuffled anew in each epoch.
        lr, critic_lr, betas: of Adam; the critic's rate is the sampler's unless given.
        loss: what the sampler pays, a function of the logits of its samples: `non_saturating` or `saturating`.
        critic_loss: what the critic pays, a function of the logits of data and of samples.
        penalty: gamma; the critic also pays ``gamma/2 E|grad critic|^2``, on data (R1) and on samples (R2). Or a
            function of critic, data, samples, and labels if there are any, that gives what it also pays.
        critic_steps: the critic's turns in each step.
        schedule: factor of both rates as a function of progress in [0, 1].
        ema: decay of a running average of the sampler's weights, which is what ``watch`` sees and what is kept.
        every: steps from one entry of the record to the next; by default a fortieth of all.
        watch: called with the model (in evaluation mode) and the critic at each entry, and before the first step.
        seed: of the noise, and of everything random inside the two networks and ``data`` if it uses no generator.
        checkpoint: a file from which a game that was cut off goes on, as in `genutils.training.fit`; ``watch`` must
            then return numbers, text, tensors or arrays.

    Returns:
        A `Game`.

    Raises:
        Diverged: a loss or its gradient is not finite; says at which step and what to try.
    """
    given = {name: value for name, value in locals().items() if name != "checkpoint"}
    examples("data", data)
    sampler = _Player(model, lr, betas, "the sampler's loss")
    judge = _Player(critic, lr if critic_lr is None else critic_lr, betas, "the critic's loss")
    batches, game, noise = Batches(data, next(model.parameters()).device), Game(), unwrapped(model).noise
    average = averaged(model, ema, buffers=True) if ema else None
    look = partial(_look, game, watch, model, average, critic)

    def turn(step: int) -> tuple[float, float]:
        if step == 0:
            look()
        factor = schedule(step / steps) if schedule else 1.0
        for _ in range(critic_steps):
            x, *labels = batch if isinstance(batch := batches(batch_size), tuple) else (batch,)
            cost, extra = _critic_pays(model, critic, x, labels, critic_loss, penalty)
            with data_named(x):
                judge.learn(cost + extra, factor)
        with _still(critic):  # gradients pass *through* it to the sampler
            paid = sampler.learn(loss(critic(model(noise(len(x)), *labels), *labels)), factor)
        if average:
            average.update_parameters(model)
        return cost.item(), paid

    def entry(step: int, means: list[float]) -> str:
        game.critic.append(means[0])
        game.generator.append(means[1])
        look()
        return f"critic {means[0]:.3f}, sampler {means[1]:.3f}"

    parts = {"model": model, "critic": critic, "adam": sampler.adam, "critic's adam": judge.adam}
    parts |= {"average": average, "batches": batches}
    file = Checkpoint.at(checkpoint, given, parts, where=batches.where)
    try:
        Loop(game, steps, seed, every, batches.where, _advice(lr, penalty), Ranks(), file).run(turn, entry)
    finally:
        if average:
            model.load_state_dict(average.module.state_dict())
        model.eval()
        critic.eval()
    return game


class _Player:
    """A network of the game, and its own way down what it pays."""

    def __init__(self, network: nn.Module, lr: float, betas: tuple[float, float], name: str):
        self.network, self.lr, self.name = network.train(), float(lr), name
        self.adam = Adam(network.parameters(), lr=self.lr, betas=betas, fused=True)

    def learn(self, value: Tensor, factor: float) -> float:
        return descend(value, self.adam, self.network.parameters(), rate=self.lr * factor, name=self.name)


def _critic_pays(
    model: GAN,
    critic: nn.Module,
    x: Tensor,
    labels: list[Tensor],
    critic_loss: Callable[[Tensor, Tensor], Tensor],
    penalty: float | Callable[..., Tensor],
) -> tuple[Tensor, Tensor | float]:
    """The critic's loss, and its penalty."""
    slopes = not callable(penalty) and bool(penalty)
    fake = (
        model(unwrapped(model).noise(len(x)), *labels).detach().requires_grad_(slopes)
    )  # the sampler does not help the critic
    x = x.detach().requires_grad_(slopes)
    with dtypes_named(critic, x):
        real_logits, fake_logits = critic(x, *labels), critic(fake, *labels)
    cost = critic_loss(real_logits, fake_logits)
    if callable(penalty):
        return cost, penalty(critic, x, fake, *labels)
    if not penalty:
        return cost, 0.0
    return cost, penalty / 2 * (squared_gradient(real_logits, x).mean() + squared_gradient(fake_logits, fake).mean())


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    was = {part: part.training for part in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for part, training in was.items():
            part.training = training


@contextlib.contextmanager
def _still(network: nn.Module) -> Iterator[None]:
    learning = [p for p in network.parameters() if p.requires_grad]
    for part in learning:
        part.requires_grad_(False)
    try:
        yield
    finally:
        for part in learning:
            part.requires_grad_(True)


def _look(game: Game, watch: Callable | None, model: GAN, average: nn.Module | None, critic: nn.Module) -> None:
    """Add to what is seen: the model as it would be kept now. All is as before at the end."""
    if watch is None:
        return
    now = Kept(model)
    if average:
        model.load_state_dict(average.module.state_dict())
    with randomness(next(model.parameters()).device):
        game.seen.append(watch(model.eval(), critic))
    now.restore(model.train())


def _advice(lr: float, penalty: float | Callable) -> str:
    now = "another" if callable(penalty) else f"now {penalty:g}"
    return f"Try a lower lr than {lr:g}, a penalty ({now}), and data scaled to about -1 ... 1"
