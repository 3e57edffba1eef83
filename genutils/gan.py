"""Generative adversarial networks: a sampler trained by a critic that tries to tell its samples from data.

The critic's output is a logit: ``critic(x)`` estimates ``log p(x)/q(x)``, p being the data and q the sampler, so that
``D(x) = sigmoid(critic(x))`` is the probability that x is real.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from genutils.model import Model
from genutils.training import Diverged


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
        where = next(self.parameters()).device
        return torch.randn(n, self.latent, generator=generator, device=generator.device if generator else where).to(
            where
        )

    @torch.no_grad()
    def sample(
        self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None, chunk: int = 2000
    ) -> Tensor:
        """n samples (n, ...), of the classes ``labels`` (n,) if given; whole numbers if the data has levels.

        Where no label is given, or -1, it is drawn uniformly.
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
        x = torch.cat([self(*part) for part in zip(*(g.split(chunk) for g in given), strict=True)])
        return unscale(x, self.levels) if self.levels else x


def scale(x: Tensor, levels: int) -> Tensor:
    """Whole numbers 0 ... levels - 1 to -1 ... 1."""
    return x.float() * (2 / (levels - 1)) - 1


def unscale(x: Tensor, levels: int) -> Tensor:
    """-1 ... 1 to the nearest whole number 0 ... levels - 1, int64."""
    return ((x + 1) * ((levels - 1) / 2)).round().clamp(0, levels - 1).long()


# The losses. All take logits, so that no logarithm meets a zero; all are means over the batch, in nats.


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """``-E_p[log D] - E_q[log(1 - D)]``, what the critic pays; 2 log 2 if it can tell nothing.

    Args:
        real: (B,) logits of data.
        fake: (C,) logits of samples.

    Source: Goodfellow et al. (2014), equation 1.

    >>> round(critic_loss(torch.zeros(3), torch.zeros(5)).item(), 4) == round(2 * math.log(2), 4)
    True
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def saturating(fake: Tensor) -> Tensor:
    """``E_q[log(1 - D)]``, the generator's side of the minimax game; its gradient is D(x), tiny where D is sure."""
    return -F.softplus(fake).mean()


def non_saturating(fake: Tensor) -> Tensor:
    """``-E_q[log D]``, which has the same optimum and the gradient 1 - D(x): strong where the critic is sure.

    Source: Goodfellow et al. (2014), section 3.
    """
    return F.softplus(-fake).mean()


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
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.flatten(1).pow(2).sum(1)


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
    data: Callable[[int], Any],
    *,
    steps: int = 1000,
    batch_size: int = 128,
    lr: float = 1e-3,
    critic_lr: float | None = None,
    betas: tuple[float, float] = (0.0, 0.99),
    loss: Callable[[Tensor], Tensor] = non_saturating,
    penalty: float = 0.0,
    critic_steps: int = 1,
    schedule: Callable[[float], float] | None = None,
    ema: float | None = None,
    every: int | None = None,
    watch: Callable[[GAN, nn.Module], Any] | None = None,
    seed: int = 0,
) -> Game:
    """Train a sampler and its critic in turns, in place. The sampler is left in evaluation mode.

    One step is: the critic learns to tell a batch of data from a batch of samples, through which no gradient passes;
    then the sampler learns to be taken for data by that critic, which stands still.

    Args:
        model, critic: the two players. ``critic(x)``, or ``critic(x, labels)``, gives logits (B,).
        data: a function of n that gives n fresh examples, or a tuple of examples and labels; scaled as the network's.
        lr, critic_lr, betas: of Adam; the critic's rate is the sampler's unless given.
        loss: what the sampler pays, a function of the logits of its samples: `non_saturating` or `saturating`.
        penalty: gamma; the critic also pays ``gamma/2 E|grad critic|^2``, on data (R1) and on samples (R2).
        critic_steps: the critic's turns in each step.
        schedule: factor of both rates as a function of progress in [0, 1].
        ema: decay of a running average of the sampler's weights, which is what ``watch`` sees and what is kept.
        every: steps from one entry of the record to the next; by default a fortieth of all.
        watch: called with the model (in evaluation mode) and the critic at each entry, and before the first step.
        seed: of the noise, and of everything random inside the two networks and ``data`` if it uses no generator.

    Returns:
        A `Game`.

    Raises:
        Diverged: a loss is not finite; says at which step and what to try.
    """
    every = every or max(1, steps // 40)
    where = next(model.parameters()).device
    rates = lr, lr if critic_lr is None else critic_lr
    players = (model, rates[0]), (critic, rates[1])
    optim, optim_critic = (torch.optim.Adam(p.parameters(), lr=rate, betas=betas, fused=True) for p, rate in players)
    average = {k: v.detach().clone() for k, v in model.state_dict().items()} if ema else None
    game, totals, clock, cpu = Game(), [0.0, 0.0], time.perf_counter(), time.process_time()

    def look(step: int) -> None:
        if watch is None:
            return
        kept = {k: v.detach().clone() for k, v in model.state_dict().items()}
        model.load_state_dict(average or kept)
        with torch.random.fork_rng(devices=[] if where.type != "cuda" else [where]):
            game.seen.append(watch(model.eval(), critic))
        model.load_state_dict(kept)
        model.train()

    def draw() -> tuple[Tensor, ...]:
        batch = data(batch_size)
        return tuple(part.to(where) for part in (batch if isinstance(batch, tuple) else (batch,)))

    with torch.random.fork_rng(devices=[] if where.type != "cuda" else [where]):
        torch.manual_seed(seed)
        model.train()
        critic.train()
        bar = tqdm(range(steps), disable=os.environ.get("GENUTILS_PROGRESS") == "off", leave=False)
        try:
            look(0)
            for step in bar:
                for optimizer, rate in zip((optim, optim_critic), rates, strict=True):
                    optimizer.param_groups[0]["lr"] = rate * (schedule(step / steps) if schedule else 1.0)
                for _ in range(critic_steps):
                    x, *labels = draw()
                    fake = model(model.noise(len(x)), *labels).detach()  # the sampler does not help the critic
                    x, fake = x.requires_grad_(bool(penalty)), fake.requires_grad_(bool(penalty))
                    real_logits, fake_logits = critic(x, *labels), critic(fake, *labels)
                    cost = both = critic_loss(real_logits, fake_logits)
                    if penalty:
                        slopes = squared_gradient(real_logits, x).mean() + squared_gradient(fake_logits, fake).mean()
                        both = cost + penalty / 2 * slopes
                    optim_critic.zero_grad(set_to_none=True)
                    both.backward()
                    optim_critic.step()
                critic.requires_grad_(False)  # the critic stands still; gradients pass *through* it to the sampler
                cost_sampler = loss(critic(model(model.noise(len(x)), *labels), *labels))
                optim.zero_grad(set_to_none=True)
                cost_sampler.backward()
                optim.step()
                critic.requires_grad_(True)
                totals = [totals[0] + cost.item(), totals[1] + cost_sampler.item()]
                if not all(map(math.isfinite, totals)):
                    raise Diverged(
                        f"at step {step + 1} the critic's loss is {cost.item()} and the sampler's "
                        f"{cost_sampler.item()}. Try a lower lr than {lr:g}, a penalty (now {penalty:g}), and data "
                        "scaled to about -1 ... 1"
                    )
                if average:
                    for name, value in model.state_dict().items():
                        if value.is_floating_point():
                            average[name].lerp_(value.detach(), 1 - min(ema, (1 + step) / (10 + step)))
                        else:
                            average[name].copy_(value)
                if (step + 1) % every and step + 1 < steps:
                    continue
                since = (step + 1) - (game.steps[-1] if game.steps else 0)
                game.steps.append(step + 1)
                game.critic.append(totals[0] / since)
                game.generator.append(totals[1] / since)
                bar.set_postfix_str(f"critic {game.critic[-1]:.3f}, sampler {game.generator[-1]:.3f}")
                totals = [0.0, 0.0]
                look(step + 1)
            game.stopped = "all steps"
        except KeyboardInterrupt:
            game.stopped = "interrupted"
        except Diverged as error:
            game.stopped, error.record = "diverged", game
            raise
        finally:
            bar.close()
            critic.requires_grad_(True)
            if average:
                model.load_state_dict(average)
            model.eval()
            critic.eval()
            game.seconds, game.cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    return game
