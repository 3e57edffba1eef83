"""Diffusion models for the yardstick: convolutions over the 17 levels of digits, a small network in the plane."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from genutils.augment import warp
from genutils.data import digits as load
from genutils.densities import Density
from genutils.diffusion import Diffusion, LevelDiffusion, Schedule
from genutils.networks import ResidualMLP, waves
from genutils.recipes import adam
from genutils.training import cosine, fit

LEVELS, SIZE, CLASSES = 17, 8, 10


class Block(nn.Module):
    """h plus two convolutions of it, between which the time and the label have their say."""

    def __init__(self, width: int, about: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.about = nn.Linear(about, 2 * width)
        self.norm = nn.GroupNorm(1, width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        for part in self.second.parameters():
            nn.init.zeros_(part)

    def forward(self, h: Tensor, about: Tensor) -> Tensor:
        gain, shift = self.about(about)[..., None, None].chunk(2, 1)
        seen = self.norm(self.first(nn.functional.silu(h))) * (1 + gain) + shift
        return h + self.second(nn.functional.silu(seen))


class ImageNet(nn.Module):
    """Noisy images (B, 8, 8), times (B,) and labels to logits (B, 8, 8, 17)."""

    def __init__(self, width: int = 32, blocks: int = 4):
        super().__init__()
        about = 2 * width
        self.label = nn.Embedding(CLASSES + 1, about)  # the last is "any"
        self.time = nn.Linear(32, about)
        self.place = nn.Embedding(CLASSES + 1, width * SIZE**2)
        nn.init.normal_(self.place.weight, std=0.1)
        self.inp = nn.Conv2d(1, width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(width, about) for _ in range(blocks))
        self.out = nn.Conv2d(width, LEVELS, 1)
        self.warp = nn.Parameter(torch.zeros(about))
        self.warped: Tensor | None = None  # (B,) while training: 1 where an image is a warped copy

    def forward(self, z: Tensor, t: Tensor, labels: Tensor | None) -> Tensor:
        y = torch.full((len(z),), CLASSES, device=z.device) if labels is None else labels
        about = self.time(waves(t, 16, slowest=1.5, fastest=60)) + self.label(y)
        if self.warped is not None:
            about = about + self.warped[:, None] * self.warp
        with torch.autocast("cpu", torch.bfloat16):
            h = self.inp(z[:, None]) + self.place(y).view(len(z), -1, SIZE, SIZE)
            for block in self.blocks:
                h = block(h, nn.functional.silu(about))
            return self.out(h).movedim(1, -1).float()


def digits(
    seed: int, *, steps: int = 3100, width: int = 32, blocks: int = 4, lr: float = 6e-3, share: float = 0.5
) -> LevelDiffusion:
    """A diffusion of the 17 levels; one image in five comes with its label, so that labels can be asked for."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images, labels = (torch.tensor(np.array(part)).long() for part in (load().train, load().train_labels))
    net = ImageNet(width, blocks).to(memory_format=torch.channels_last)
    model = LevelDiffusion(net, (SIZE, SIZE), LEVELS, schedule=Schedule(-8.5, 5.0))

    def batch(n: int) -> Tensor:  # 64 pixels, the label, and whether the image is warped: (n, 66)
        i = torch.randint(len(images), (n,), generator=generator)
        warped = torch.rand(n, generator=generator) < share
        x = torch.where(warped[:, None, None], warp(images[i], generator=generator), images[i])
        y = torch.where(torch.rand(n, generator=generator) < 0.2, labels[i], CLASSES)
        return torch.cat([x.flatten(1), y[:, None], warped[:, None].long()], 1)

    def loss(model: LevelDiffusion, batch: Tensor) -> Tensor:
        net.warped = batch[:, 65].float()
        value = -model.elbo(batch[:, :64].view(-1, SIZE, SIZE), batch[:, 64]).mean()
        net.warped = None
        return value

    settings = {"batch_size": 32, "lr": lr, "ema": 0.997, "clip": 50, "schedule": cosine, "optimizer": adam}
    fit(model, batch, loss=loss, steps=steps, **settings)
    return model


class PlaneNet(nn.Module):
    """Noisy points (B, 2) and times (B,) to v (B, 2)."""

    def __init__(self, width: int = 128, blocks: int = 3, frequencies: int = 6):
        super().__init__()
        self.frequencies = frequencies
        self.net = ResidualMLP(2 + 4 * frequencies + 16, 2, width=width, blocks=blocks, zero=True)

    def forward(self, z: Tensor, t: Tensor, labels: Tensor | None) -> Tensor:
        place = waves(z, self.frequencies, slowest=1, fastest=12).flatten(1)
        return self.net(torch.cat([z, place, waves(t, 8, slowest=1.5, fastest=20)], 1))


def plane(density: Density, seed: int, *, steps: int = 4200, batch_size: int = 1024, lr: float = 6e-3) -> Diffusion:
    """A diffusion on fresh samples of a density without end; from less noise than on digits, as sharp edges need it."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    some = density.sample(10_000, generator=generator)
    model = Diffusion(PlaneNet(), (2,), schedule=Schedule(-11.0, 6.0), shift=some.mean(0), scale=some.std(0))

    def batch(n: int) -> Tensor:
        return density.sample(n, generator=generator)

    settings = {"batch_size": batch_size, "lr": lr, "ema": 0.998, "clip": 50, "schedule": cosine, "optimizer": adam}
    fit(model, batch, steps=steps, **settings)
    return model


def bound(model: Diffusion, x: Tensor, generator: torch.Generator) -> Tensor:
    """The mean of 32 draws of times and noise for each example, (B,) nats: the same bound, with less noise."""
    return torch.stack([model.elbo(x, generator=generator) for _ in range(32)]).mean(0)
