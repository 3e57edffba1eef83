"""Convolutional networks on small grey images: encoder and decoder, denoiser, sampler and critic."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from genutils.door import whole
from genutils.networks import waves


class ConvBlock(nn.Module):
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
    """Images (B, size, size) of whole levels to means and log standard deviations (B, 2 K).

    Args:
        latent: K.
        width: features of the first convolution; there are twice as many at half the size.
        levels, size: of the images; size is even.
    """

    def __init__(self, latent: int, width: int, *, levels: int = 17, size: int = 8):
        super().__init__()
        self.level = nn.Embedding(levels, 8)
        self.body = nn.Sequential(
            nn.Conv2d(8, width, 3, padding=1),
            ConvBlock(width),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # to half the size
            ConvBlock(2 * width),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(2 * width * (size // 2) ** 2, 2 * latent),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, size, size) whole numbers to (B, 2 K)."""
        return self.body(self.level(whole(x, self.level.num_embeddings)).permute(0, 3, 1, 2))


class ImageDecoder(nn.Module):
    """Codes (B, K) to logits of the L levels of each pixel, (B, size, size, L). The arguments are `ImageEncoder`'s."""

    def __init__(self, latent: int, width: int, *, levels: int = 17, size: int = 8):
        super().__init__()
        shape = 2 * width, size // 2, size // 2
        self.first = nn.Sequential(nn.Linear(latent, math.prod(shape)), nn.Unflatten(1, shape))
        self.body = nn.Sequential(
            ConvBlock(2 * width),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),  # and back
            ConvBlock(width),
            nn.SiLU(),
            nn.Conv2d(width, levels, 3, padding=1),
        )
        self.place = nn.Parameter(torch.zeros(size, size, levels))
        self.warp = nn.Parameter(torch.zeros(shape))

    def forward(self, z: Tensor, *, warped: Tensor | None = None) -> Tensor:
        """(B, K) to (B, size, size, L); ``warped`` (B,) is true where an image to learn from is a warped copy."""
        h = self.first(z)
        if warped is not None:
            h = h + warped[:, None, None, None] * self.warp
        return self.body(h).permute(0, 2, 3, 1) + self.place


class ToldConvBlock(nn.Module):
    """h plus two convolutions of it, between which what it is told about the example (time, label) has its say."""

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


class ImageDenoiser(nn.Module):
    """Noisy images (B, size, size), times (B,) and labels to logits of the L levels of each pixel, (B, size, size, L).

    Args:
        width, blocks: of the network.
        levels, size: of the images.
        classes: how many labels there are; 0 for none.
    """

    def __init__(self, width: int = 32, blocks: int = 4, *, levels: int = 17, size: int = 8, classes: int = 10):
        super().__init__()
        about = 2 * width
        self.size, self.classes = size, classes
        self.label = nn.Embedding(classes + 1, about)  # the last is "any"
        self.time = nn.Linear(32, about)
        self.place = nn.Embedding(classes + 1, width * size**2)
        nn.init.normal_(self.place.weight, std=0.1)
        self.inp = nn.Conv2d(1, width, 3, padding=1)
        self.blocks = nn.ModuleList(ToldConvBlock(width, about) for _ in range(blocks))
        self.out = nn.Conv2d(width, levels, 1)
        self.warp = nn.Parameter(torch.zeros(about))

    def forward(self, z: Tensor, t: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """A label ``classes``, or no labels, is "any"; ``warped`` (B,) is true where an image is a warped copy."""
        y = torch.full((len(z),), self.classes, device=z.device) if labels is None else labels
        about = self.time(waves(t, 16, slowest=1.5, fastest=60)) + self.label(y)
        if warped is not None:
            about = about + warped[:, None] * self.warp
        h = self.inp(z[:, None]) + self.place(y).view(len(z), self.inp.out_channels, self.size, self.size)
        for block in self.blocks:
            h = block(h, nn.functional.silu(about))
        return self.out(h).movedim(1, -1)


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
