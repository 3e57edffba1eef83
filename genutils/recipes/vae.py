"""VAEs for the yardstick: convolutions on digits, small networks in the plane, and a flow as the prior of both."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from genutils.augment import warp
from genutils.data import digits as load
from genutils.densities import Density
from genutils.flow import Coupling, Flow, Lookup
from genutils.networks import ResidualMLP, waves
from genutils.recipes import adam
from genutils.training import cosine, fit
from genutils.vae import VAE, Gaussian, Levels

LEVELS, SIZE, BOUND = 17, 8, "IWAE-64"


class Block(nn.Module):
    """x plus two convolutions of it, of which the second begins at zero."""

    def __init__(self, width: int):
        super().__init__()
        convolutions = [nn.Conv2d(width, width, 3, padding=1) for _ in range(2)]
        self.go = nn.Sequential(nn.GroupNorm(1, width), nn.SiLU(), convolutions[0], nn.SiLU(), convolutions[1])
        for part in (convolutions[1].weight, convolutions[1].bias):
            nn.init.zeros_(part)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.go(x)


class ImageEncoder(nn.Module):
    """Images (B, 8, 8) of whole levels to means and log standard deviations (B, 2 K)."""

    def __init__(self, latent: int, width: int):
        super().__init__()
        self.level = nn.Embedding(LEVELS, 8)
        self.body = nn.Sequential(
            nn.Conv2d(8, width, 3, padding=1),
            Block(width),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # to 4 x 4
            Block(2 * width),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(32 * width, 2 * latent),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.level(x.long()).permute(0, 3, 1, 2))


class ImageDecoder(nn.Module):
    """Codes (B, K) to logits (B, 8, 8, 17)."""

    def __init__(self, latent: int, width: int):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(latent, 32 * width), nn.Unflatten(1, (2 * width, 4, 4)))
        self.body = nn.Sequential(
            Block(2 * width),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),  # to 8 x 8
            Block(width),
            nn.SiLU(),
            nn.Conv2d(width, LEVELS, 3, padding=1),
        )
        self.place = nn.Parameter(torch.zeros(SIZE, SIZE, LEVELS))
        self.warp = nn.Parameter(torch.zeros(2 * width, 4, 4))
        self.warped: Tensor | None = None  # (B,) while training: 1 where an image is a warped copy

    def forward(self, z: Tensor) -> Tensor:
        h = self.first(z)
        if self.warped is not None:
            h = h + self.warped[:, None, None, None] * self.warp
        return self.body(h).permute(0, 2, 3, 1) + self.place


def couplings(latent: int, layers: int, width: int) -> Flow:
    """A flow as prior on z, (B, K): affine couplings whose kept and bent halves are chosen anew each time."""
    generator, half, parts = torch.Generator().manual_seed(0), latent // 2, []
    for _ in range(layers):
        order = torch.randperm(latent, generator=generator).tolist()
        net = ResidualMLP(half, 2 * (latent - half), width=width, blocks=1, zero=True)
        parts.append(Coupling(sorted(order[:half]), sorted(order[half:]), net, kind="affine"))
    return Flow(latent, parts, low=-3, high=3, base="normal")


def digits(
    seed: int, *, steps: int = 2050, latent: int = 16, width: int = 24, layers: int = 4, lr: float = 5e-3, share=0.6
) -> VAE:
    """A convolutional VAE over the 17 levels, on the 1,000 training digits and warped copies of them."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images = torch.tensor(np.array(load().train)).long()
    decoder = ImageDecoder(latent, width)
    encoder = Gaussian(ImageEncoder(latent, width))
    model = VAE(latent, encoder, Levels(decoder), couplings(latent, layers, 64))

    def batch(n: int) -> Tensor:  # 64 pixels, and whether the image is warped: (n, 65)
        i = torch.randint(len(images), (n,), generator=generator)
        warped = torch.rand(n, generator=generator) < share
        x = torch.where(warped[:, None, None], warp(images[i], generator=generator), images[i])
        return torch.cat([x.flatten(1), warped[:, None].long()], 1)

    def loss(model: VAE, batch: Tensor) -> Tensor:
        decoder.warped = batch[:, 64].float()
        value = -model.elbo(batch[:, :64].view(-1, SIZE, SIZE)).mean()
        decoder.warped = None
        return value

    settings = {"batch_size": 32, "lr": lr, "ema": 0.997, "clip": 50, "schedule": cosine, "optimizer": adam}
    fit(model, batch, loss=loss, steps=steps, **settings)
    return model


class Near(nn.Module):
    """Means and log standard deviations (B, 4) for points (B, 2): to begin with, the points and ``sigma``."""

    def __init__(self, sigma: float, *, width: int = 96, blocks: int = 2, frequencies: int = 6):
        super().__init__()
        self.frequencies, self.start = frequencies, math.log(sigma)
        self.net = ResidualMLP(2 + 4 * frequencies, 4, width=width, blocks=blocks, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        features = torch.cat([x, waves(x, self.frequencies, slowest=0.7, fastest=8).flatten(1)], 1)
        mu, log_sigma = self.net(features).chunk(2, -1)
        return torch.cat([x + mu, self.start + log_sigma], -1)


def plane(density: Density, seed: int, *, steps: int = 2300, bins: int = 32, sigma: float = 0.03) -> VAE:
    """Codes that begin as the points themselves with a little noise, and a flow that learns where they lie."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    low, high = torch.tensor(density.bounds).T
    pair = [Coupling([0], [1], Lookup(2 * bins - 1)), Coupling([1], [0], Lookup(2 * bins - 1))]
    prior = Flow(2, pair, low=low - 1.5, high=high + 1.5)  # codes may lie outside the data
    model = VAE(2, Gaussian(Near(sigma)), Gaussian(Near(sigma)), prior)

    def batch(n: int) -> Tensor:
        return density.sample(n, generator=generator)

    settings = {"batch_size": 512, "lr": 4e-3, "ema": 0.998, "clip": 20, "schedule": cosine, "optimizer": adam}
    fit(model, batch, steps=steps, **settings)
    return model


def bound(model: VAE, x: Tensor, generator: torch.Generator) -> Tensor:
    """The importance-weighted bound with 64 draws, (B,) nats."""
    return torch.cat([model.iwae(part, 64, generator=generator) for part in x.split(64)])
