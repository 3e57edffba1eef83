"""VAEs for the yardstick: convolutions on images, small networks in the plane, and a flow as the prior of both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genutils.convolutional import ImageDecoder, ImageEncoder
from genutils.flow import Coupling, Flow, Lookup, shuffled_couplings
from genutils.planar import NearPoint
from genutils.recipes.settings import MINUTE, Budget, Settings, by_gradient, choose
from genutils.tasks import Task
from genutils.vae import VAE, Gaussian, Levels

BOUND = "IWAE-64"


def images(task: Task, *, latent: int, width: int, layers: int, prior_width: int) -> VAE:
    """Convolutions there and back, over the levels of each pixel."""
    size = {"levels": task.levels, "size": task.shape[0]}
    decoder = Levels(ImageDecoder(latent, width, **size))
    encoder = Gaussian(ImageEncoder(latent, width, **size))
    return VAE(latent, encoder, decoder, shuffled_couplings(latent, layers, prior_width))


def points(task: Task, *, bins: int, sigma: float, margin: float) -> VAE:
    """Codes that begin as the points themselves with a little noise, and a flow that learns where they lie."""
    low, high = torch.tensor(task.truth.bounds).T
    pair = [Coupling([0], [1], Lookup(2 * bins - 1)), Coupling([1], [0], Lookup(2 * bins - 1))]
    prior = Flow(2, pair, low=low - margin, high=high + margin)  # codes may lie outside the data
    return VAE(2, Gaussian(NearPoint(sigma)), Gaussian(NearPoint(sigma)), prior)


SETTINGS = {
    "digits": Settings(
        images,
        seconds_per_step=0.0365,
        model={"latent": 16, "width": 24, "layers": 4, "prior_width": 64},
        batch={"warped": 0.6},
        fit={"batch_size": 32, "lr": 5e-3, "ema": 0.997, "clip": 50},
    ),
    "plane": Settings(
        points,
        seconds_per_step=0.026,
        model={"bins": 32, "sigma": 0.03, "margin": 1.5},
        fit={"batch_size": 512, "lr": 4e-3, "ema": 0.998, "clip": 20},
    ),
}


def train(task: Task, seed: int = 0, budget: Budget = MINUTE, **model: Any) -> VAE:
    """A VAE with a learned prior; ``model`` in place of the settings."""
    return by_gradient(choose(SETTINGS, task), task, seed, budget, **model)


def bound(model: VAE, x: Tensor, generator: torch.Generator) -> Tensor:
    """The importance-weighted bound with 64 draws, (B,) nats."""
    return torch.cat([model.iwae_bound(part, 64, generator=generator) for part in x.split(64)])
