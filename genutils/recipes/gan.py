"""The GAN of the yardstick: a small conditional DCGAN on digits, two plain networks in the plane."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from genutils import data
from genutils.densities import Density
from genutils.gan import GAN, play, scale
from genutils.training import cosine

LEVELS = 17


def digits(seed: int, *, steps: int = 1700) -> GAN:
    """A class-conditional GAN on the 1,000 training images; its samples are whole levels 0 ... 16."""
    images, labels = (torch.from_numpy(a.copy()).long() for a in (data.digits().train, data.digits().train_labels))
    x, latent = scale(images, LEVELS), 16
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GAN(ImageSampler(latent, width=64, classes=10), latent, classes=10, levels=LEVELS)
        critic = ImageCritic(width=32, classes=10)

    def batch(n: int) -> tuple[Tensor, Tensor]:
        which = torch.randint(len(x), (n,))
        return x[which], labels[which]

    play(model, critic, batch, steps=steps, batch_size=96, lr=2e-3, penalty=0.5, ema=0.998, seed=seed)
    return model


def plane(density: Density, seed: int, *, steps: int = 5000) -> GAN:
    """A GAN on points (B, 2), trained on fresh samples of the density."""
    latent, generator = 6, torch.Generator().manual_seed(seed)
    settings = {"batch_size": 256, "lr": 1e-3, "critic_lr": 2e-3, "penalty": 0.02, "ema": 0.998, "schedule": cosine}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GAN(nn.Sequential(WithSigns(), _layers(2 * latent, 2)), latent)
        critic = nn.Sequential(_layers(2, 1), nn.Flatten(0))
    play(model, critic, lambda n: density.sample(n, generator=generator), steps=steps, seed=seed, **settings)
    return model


class WithSigns(nn.Module):
    """z (B, K) to (z, sign z), (B, 2 K): a continuous sampler would draw threads between separate modes."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([z, z.sign()], 1)


def _layers(inputs: int, outputs: int, width: int = 128) -> nn.Sequential:
    sizes = [inputs, width, width, width]
    parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*parts, nn.Linear(width, outputs))


class ImageSampler(nn.Module):
    """Noise, and a label where there are classes, to one grey image of 8 x 8 in -1 ... 1: a small DCGAN.

    Source: Radford, Metz, Chintala (2016).
    """

    def __init__(self, latent: int, *, width: int = 64, classes: int | None = None):
        super().__init__()
        self.label = nn.Embedding(classes, latent) if classes else None
        self.body = nn.Sequential(
            nn.Linear(latent * (2 if classes else 1), width * 4, bias=False),
            nn.Unflatten(1, (width, 2, 2)),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1, bias=False),  # (B, width, 4, 4)
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1),  # (B, 1, 8, 8)
            nn.Tanh(),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, latent), (B,) to (B, 8, 8)."""
        return self.body(z if self.label is None else torch.cat([z, self.label(labels)], 1)).squeeze(1)


class ImageCritic(nn.Module):
    """A logit for each grey image of 8 x 8, or for each image with its label where there are classes.

    The label enters by an inner product with the features. While training, half a level of noise is added to whatever
    comes in, data and samples alike: else the data's whole levels alone would give them away.

    Source: Radford, Metz, Chintala (2016); the inner product: Miyato and Koyama (2018), equation 3.
    """

    def __init__(self, *, width: int = 64, classes: int | None = None, noise: float = 1 / 16):
        super().__init__()
        self.noise = noise
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 4, stride=2, padding=1),  # (B, width, 4, 4)
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # (B, 2 width, 2, 2)
            nn.LeakyReLU(0.2),
            nn.Flatten(),  # (B, 8 width)
        )
        self.out = nn.Linear(8 * width, 1)
        self.label = nn.Embedding(classes, 8 * width) if classes else None
        if classes:
            nn.init.zeros_(self.label.weight)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, 8, 8), (B,) to (B,)."""
        if self.training and self.noise:
            x = x + self.noise * (2 * torch.rand_like(x) - 1)
        h = self.body(x[:, None])
        logit = self.out(h).squeeze(1)
        return logit if self.label is None else logit + (h * self.label(labels)).sum(1)
