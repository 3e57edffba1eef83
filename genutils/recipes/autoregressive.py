"""Autoregressive models for the yardstick: every pixel from those before it, x_2 from x_1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from genutils.augment import warp
from genutils.autoregressive import PixelNet, PlaneNet
from genutils.data import digits as load
from genutils.recipes import adam
from genutils.training import cosine, fit

TEMPERATURES = (1.0, 1.1, 1.15, 1.2, 1.25, 1.3)


def digits(seed: int, *, steps: int = 2000, share: float = 0.6, **settings) -> PixelNet:
    """`PixelNet` on the 1,000 training digits and warped copies of them.

    Labels are used in training only, and with ``classes=1`` not at all. Half of each batch is read row by row, half
    column by column. At the end the network is made less sure of itself, by `temper`.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images, labels = (torch.tensor(np.array(part)).long() for part in (load().train, load().train_labels))
    model = PixelNet(**({"orders": 2, "dropout": 0.06} | settings))
    labels = labels % model.classes

    def batch(n: int) -> Tensor:  # 64 pixels, the label, and whether the image is warped: (n, 66)
        i = torch.randint(len(images), (n,), generator=generator)
        warped = torch.rand(n, generator=generator) < share
        x = torch.where(warped[:, None, None], warp(images[i], generator=generator), images[i])
        return torch.cat([x.flatten(1), labels[i, None], warped[:, None].long()], 1)

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        x, y, warped = batch[:, :64].view(-1, 8, 8), batch[:, 64], batch[:, 65].float()
        with torch.autocast("cpu", torch.bfloat16):
            parts = [
                model.log_prob_given(
                    x[i :: model.orders], y[i :: model.orders], order=i, warped=warped[i :: model.orders]
                )
                for i in range(model.orders)
            ]
        return -torch.cat(parts).mean()

    fit(
        model,
        batch,
        loss=loss,
        steps=steps,
        batch_size=32,
        lr=4e-3,
        ema=0.997,
        clip=50,
        schedule=cosine,
        optimizer=adam,
    )
    held = [torch.tensor(np.array(part)).long() for part in (load().validation, load().validation_labels)]
    temper(model, held[0], held[1] % model.classes)
    return model


@torch.no_grad()
def temper(model: PixelNet, x: Tensor, labels: Tensor, temperatures: Sequence[float] = TEMPERATURES) -> float:
    """Divide all logits by the one of some temperatures with which held-out images are likeliest, and return it.

    A network that has seen a thousand images a hundred times is too sure of what comes next in others.

    Source: Guo, Pleiss, Sun, Weinberger (2017), section 4.2.
    """
    basis, costs = model.basis.clone(), []
    for temperature in temperatures:
        model.basis.copy_(basis / temperature)
        costs.append(-sum(model.log_prob_given(x, labels, order=i).mean() for i in range(model.orders)))
    best = temperatures[int(torch.stack(costs).argmin())]
    model.basis.copy_(basis / best)
    return best


def plane(density, seed: int, *, steps: int = 3000, batch_size: int = 1024) -> PlaneNet:
    """`PlaneNet` on fresh samples of a density without end."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = PlaneNet(density.bounds)

    def batch(n: int) -> Tensor:
        return density.sample(n, generator=generator)

    fit(model, batch, steps=steps, batch_size=batch_size, lr=6e-3, ema=0.998, clip=5, schedule=cosine, optimizer=adam)
    return model
