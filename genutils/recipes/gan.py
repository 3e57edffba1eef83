"""The GAN of the yardstick: a small conditional DCGAN on images, two plain networks in the plane."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genutils.convolutional import ImageCritic, ImageSampler
from genutils.gan import GAN, play, scale
from genutils.planar import WithSigns, leaky_layers
from genutils.recipes.settings import MINUTE, Budget, Settings, choose
from genutils.tasks import Task
from genutils.training import cosine


def images(task: Task, *, latent: int, width: int, critic_width: int) -> tuple[GAN, nn.Module]:
    """Conditional where there are classes; samples are whole levels."""
    sampler = ImageSampler(latent, width=width, classes=task.classes)
    model = GAN(sampler, latent, classes=task.classes, levels=task.levels)
    return model, ImageCritic(width=critic_width, classes=task.classes)


def points(task: Task, *, latent: int, width: int) -> tuple[GAN, nn.Module]:
    """Plain layers; the sampler is told the signs of its noise."""
    model = GAN(nn.Sequential(WithSigns(), leaky_layers(2 * latent, 2, width)), latent)
    return model, nn.Sequential(leaky_layers(2, 1, width), nn.Flatten(0))


SETTINGS = {
    "digits": Settings(
        images,
        seconds_per_step=0.036,
        model={"latent": 16, "width": 64, "critic_width": 32},
        fit={"batch_size": 96, "lr": 2e-3, "penalty": 0.5, "ema": 0.998},
    ),
    "plane": Settings(
        points,
        seconds_per_step=0.012,
        model={"latent": 6, "width": 128},
        fit={"batch_size": 256, "lr": 1e-3, "critic_lr": 2e-3, "penalty": 0.02, "ema": 0.998, "schedule": cosine},
    ),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> GAN:
    """The sampler of a game of two; ``model`` in place of the settings."""
    settings, generator = choose(SETTINGS, task), torch.Generator().manual_seed(seed)

    def batch(n: int) -> tuple[Tensor, ...]:
        fields = task.batch(n, generator=generator, **settings.batch)
        x = scale(fields["x"], task.levels) if task.levels else fields["x"]
        return (x, fields["labels"]) if task.classes else (x,)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sampler, critic = settings.build(task, **(settings.model | model))
        play(sampler, critic, batch, steps=budget.count(settings.seconds_per_step), seed=seed, **settings.fit)
    return sampler
