"""Each pixel given four neighbours: the smallest network that is an honest likelihood model of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.door import countable, needs_tensor, usable
from genutils.model import Model


class Neighbours(Model, nn.Module):
    """P(x) = product over pixels of P(x_i | its left, upper, upper-left and upper-right neighbour, its place). Exact.

    Vectors for the place of a pixel and for the level of each neighbour; their sum goes through two layers.
    A neighbour outside the image has a vector of its own.

    Args:
        width: of the vectors and of the hidden layer.
        levels: L; images are whole numbers 0 ... L - 1.
        size: images are size x size.

    >>> model = Neighbours(8, levels=2, size=2)
    >>> x = torch.cartesian_prod(*[torch.arange(2)] * 4).view(16, 2, 2)
    >>> round(model.log_prob(x).exp().sum().item(), 5)
    1.0
    """

    def __init__(self, width: int, levels: int = 17, size: int = 8):
        super().__init__()
        self.levels, self.size = levels, size
        self.place = nn.Parameter(0.3 * torch.randn(size, size, width))
        self.near = nn.ParameterList(0.3 * torch.randn(levels + 1, width) for _ in range(4))
        self.guess = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, levels))

    def log_prob(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-probability in nats, (B, size, size) whole numbers to (B,)."""
        self._refuse(labels)
        x = self._whole(x)
        return self._log_p(x).gather(-1, x[..., None]).sum((1, 2, 3))  # (B,)

    @torch.no_grad()
    def sample(self, n: int = 1, labels: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """n images in reading order, (n, size, size)."""
        self._refuse(labels)
        x = torch.zeros(n, self.size, self.size, dtype=torch.long)
        for i in range(self.size):
            for j in range(self.size):
                p = usable(self._log_p(x)[:, i, j], self).exp()  # (n, L)
                x[:, i, j] = torch.multinomial(p, 1, generator=generator)[:, 0]
        return x

    def _log_p(self, x: Tensor) -> Tensor:
        """log p of each level at each pixel, (B, size, size, L)."""
        n = self.size
        padded = F.pad(x, (1, 1, 1, 0), value=self.levels)  # (B, n + 1, n + 2)
        left, above = padded[:, 1:, :n], padded[:, :n, 1:-1]
        views = left, above, padded[:, :n, :n], padded[:, :n, 2:]
        h = self.place  # (n, n, width), and with the neighbours (B, n, n, width)
        h = h + sum(table[v] for table, v in zip(self.near, views, strict=True))
        return self.guess(h).log_softmax(-1)

    def _whole(self, x: Tensor) -> Tensor:
        needs_tensor(self, x)
        x = countable(x)
        if x.shape[1:] != (self.size, self.size):
            raise ValueError(f"images are (B, {self.size}, {self.size}); these are {tuple(x.shape)}")
        if len(x) and not ((x >= 0) & (x < self.levels) & (x == x.round() if x.is_floating_point() else True)).all():
            raise ValueError(f"levels are whole numbers 0 ... {self.levels - 1}; there are others")
        return x.long()
