"""Autoregressive models: log p(x) = sum over i of log p(x_i | x_<i), exact because each factor is normalised.

Three ways to build the factors: masks on an ordinary network (`MADE`), one small network moved over the pixels of an
image (`PixelNet`), and densities on a line that a network bends (`PlaneNet`). Characters have `genutils.ngram`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.door import countable, needs_tensor, usable
from genutils.model import Model, unwrapped
from genutils.networks import ResidualMLP
from genutils.planar import PlaneNet as PlaneNet


class MADE(Model, nn.Module):
    """A masked network for D variables of L levels each: one pass gives all D conditionals. Exact.

    Every unit gets a degree m, the place in the order up to which it has seen; a connection is kept only if it does not
    lead back: hidden units see inputs of degree <= m, the outputs of variable i see hidden units of degree < m(i).

    Args:
        dims: D.
        levels: L.
        hidden: sizes of the hidden layers.
        order: the place of each variable, a permutation of 0 ... D - 1; by default their own order.

    Source: Germain, Gregor, Murray, Larochelle (2015), section 3.

    >>> model = MADE(3, levels=2, hidden=(16,))
    >>> x = torch.cartesian_prod(*[torch.arange(2)] * 3)
    >>> round(model.log_prob(x).exp().sum().item(), 5)
    1.0
    """

    def __init__(
        self, dims: int, *, levels: int, hidden: Sequence[int] = (256,), order: Sequence[int] | Tensor | None = None
    ):
        super().__init__()
        place = torch.arange(dims) if order is None else torch.as_tensor(order).long()
        if sorted(place.tolist()) != list(range(dims)):
            raise ValueError(f"order must be a permutation of 0 ... {dims - 1}; it is {place.tolist()}")
        self.dims, self.levels = dims, levels
        self.register_buffer("place", place)
        degrees = [(place + 1).repeat_interleave(levels)]  # inputs: 1 ... D
        degrees += [torch.arange(size) % max(1, dims - 1) + 1 for size in hidden]  # hidden: 1 ... D - 1
        self.layers = nn.ModuleList(nn.Linear(len(a), len(b)) for a, b in zip(degrees, degrees[1:], strict=False))
        self.out = nn.Linear(len(degrees[-1]), dims * levels)
        for i, (a, b) in enumerate(zip(degrees, degrees[1:], strict=False)):
            self.register_buffer(f"mask{i}", (b[:, None] >= a[None]).float())  # (outputs, inputs)
        self.register_buffer("mask_out", (degrees[0][:, None] > degrees[-1][None]).float())

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log p(x_i = l | what comes before i): (B, D) whole numbers to (B, D, L)."""
        h = F.one_hot(x.long(), self.levels).flatten(1).to(self.out.weight.dtype)  # (B, D L)
        for i, layer in enumerate(self.layers):
            h = F.silu(F.linear(h, layer.weight * getattr(self, f"mask{i}"), layer.bias))
        return F.linear(h, self.out.weight * self.mask_out, self.out.bias).view(len(x), self.dims, self.levels)

    def log_prob(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-probability, (B, ...) whole numbers to (B,) nats. It knows no classes: labels are refused."""
        self._refuse(labels)
        needs_tensor(self, x)
        x = _whole(x.flatten(1), (self.dims,), self.levels)
        return -F.cross_entropy(self.logits(x).transpose(1, 2), x, reduction="none").sum(1)

    @torch.no_grad()
    def sample(self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """(n, D): one variable after another, in the model's order; one pass through the network for each."""
        self._refuse(labels)
        x = torch.zeros(n, self.dims, dtype=torch.long, device=self.place.device)
        for i in self.place.argsort().tolist():
            p = usable(self.logits(x)[:, i], self).softmax(-1)
            x[:, i] = torch.multinomial(p, 1, generator=generator)[:, 0]
        return x


class PixelNet(Model, nn.Module):
    """One small network for all pixels: it sees the window of pixels before its own, where it is, and the class. Exact.

    The window is a masked convolution; the rest acts on each pixel alone, so training takes one pass over an image.
    Without labels p(x) is the mean over classes of p(x | class), and over orders of p(x | order): exact as well.

    Args:
        levels: L.
        size: side of the square image.
        classes: number of labels; 1 for none.
        orders: 1 for row by row; 2 adds column by column, as a second way to read the same image.
        width, blocks, dropout: of the network (`genutils.networks.ResidualMLP`).
        reach: the window has ``reach`` rows above and as many columns to either side.

    Source: van den Oord, Kalchbrenner, Kavukcuoglu (2016) for the mask; the shared network as in Uria et al. (2016).
    """

    def __init__(
        self,
        *,
        levels: int = 17,
        size: int = 8,
        classes: int = 10,
        orders: int = 1,
        width: int = 128,
        blocks: int = 3,
        reach: int = 3,
        dropout: float = 0.2,
    ):
        super().__init__()
        if orders not in (1, 2):
            raise ValueError(f"orders is 1 (rows) or 2 (rows and columns); it is {orders!r}")
        self.levels, self.size, self.classes, self.orders, self.reach = levels, size, classes, orders, reach
        self.level = nn.Embedding(levels + 1, 8)  # the last stands for "outside the image"
        nn.init.normal_(self.level.weight, std=0.5)
        mask = torch.ones(reach + 1, 2 * reach + 1)
        mask[-1, reach:] = 0  # nothing from the pixel itself on
        self.register_buffer("mask", mask)
        self.window = nn.Conv2d(8, width, mask.shape)
        self.place = nn.Parameter(torch.randn(orders, size * size, width) * 0.1)
        self.label = nn.Parameter(torch.randn(classes, width) * 0.1)
        self.warped = nn.Parameter(torch.zeros(width))
        # Greys are ordered: logits are sums of cosines over the levels, slow ones first, and something for either end.
        place = torch.arange(levels)[:, None] / max(1, levels - 1)
        waves = torch.cos(math.pi * place * torch.arange(levels)) / (1 + torch.arange(levels) / 2)
        self.register_buffer("basis", torch.cat([waves.T, torch.eye(levels)[[0, -1]]]))  # (L + 2, L)
        self.net = ResidualMLP(None, levels + 2, width=width, blocks=blocks, dropout=dropout)

    def logits(self, x: Tensor, labels: Tensor, *, order: int = 0, warped: Tensor | None = None) -> Tensor:
        """Unnormalised log p(x_i | x_<i, label): (B, H, W) and (B,) to (B, H W, L), pixels in the order that is read.

        ``warped`` (B,) is 1 where an image is a warped copy, told to the network while training.
        """
        e = self.level(self._frame(x.mT if order else x)).permute(0, 3, 1, 2)  # (B, 8, H + r, W + 2r)
        h = F.conv2d(e, self.window.weight * self.mask, self.window.bias).flatten(2).mT  # (B, H W, width)
        h = h + self.place[order] + self.label[labels][:, None]
        return self.net(h if warped is None else h + warped[:, None, None] * self.warped) @ self.basis

    def log_prob(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-probability in nats, (B, H, W) to (B,): of x given labels (B,), or with all classes equally likely.

        So it is for each example whose label is -1. With two orders it is the log of the mean of both probabilities.
        """
        needs_tensor(self, x)
        x, labels = _whole(x, (self.size, self.size), self.levels), self._labels(labels, len(x))
        asked = torch.full((len(x),), -1) if labels is None else torch.as_tensor(labels)
        asked = asked.to(x.device).long()
        known = asked >= 0
        if known.all() and len(x):
            return self._mixed(x, [asked])
        if not known.any():
            return self._mixed(x, [torch.full_like(asked, c) for c in range(self.classes)])
        return self.log_prob(x).masked_scatter(known, self.log_prob(x[known], asked[known]))

    def _mixed(self, x: Tensor, given: Sequence[Tensor]) -> Tensor:
        """The log of the mean of p(x | label, order) over some labels for each image and all orders."""
        parts = [self.log_prob_given(x, y, order=o) for y in given for o in range(self.orders)]
        return torch.logsumexp(torch.stack(parts), 0) - math.log(len(parts))

    @torch.no_grad()
    def label_given(self, x: Tensor, known: int) -> Tensor:
        """p(label | the first ``known`` pixels, row by row), labels equally likely before: (B, H, W) to (B, classes).

        By Bayes' rule, and exact: what comes first in the order has a probability that needs no sum over the rest.
        """
        nats = x.new_zeros(len(x), self.classes, dtype=torch.float)
        if known:
            for c in range(self.classes):
                logits = self.logits(x, torch.full((len(x),), c, device=x.device))[:, :known].float()
                nats[:, c] = -F.cross_entropy(logits.mT, x.flatten(1)[:, :known], reduction="none").sum(1)
        return nats.softmax(1)

    def log_prob_given(self, x: Tensor, labels: Tensor, *, order: int = 0, warped: Tensor | None = None) -> Tensor:
        """log p(x | label, order) in nats, (B,); each image has a label, none of them -1."""
        x = _whole(x, (self.size, self.size), self.levels)
        if labels.shape != (len(x),) or (len(x) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes):
            raise ValueError(
                f"labels are {len(x)} whole numbers 0 ... {self.classes - 1}, one for each image; these have shape "
                f"{tuple(labels.shape)}" + (f", from {labels.min()} to {labels.max()}" if labels.numel() else "")
            )
        logits = self.logits(x, labels, order=order, warped=warped).float()
        target = (x.mT if order else x).flatten(1)
        return -F.cross_entropy(logits.mT, target, reduction="none").sum(1)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        *,
        start: Tensor | None = None,
        known: int = 0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """(n, H, W) images, pixel by pixel; at each only its own window is computed, as the rest does not change.

        Args:
            labels: (n,); where not given, or -1, drawn from p(label | the known pixels), all equally likely if none is.
            start: (n, H, W) images of which the first ``known`` pixels, row by row, are kept; the rest is drawn from
                p(rest | known, label). With two orders that is the answer of the one that reads by rows, in which
                p(known) is known; by columns it would take a sum over all that is not.
        """
        device, labels = self.place.device, self._labels(labels, n)
        if labels is None:
            labels = torch.full((n,), -1)
        labels = torch.as_tensor(labels).cpu().long()
        x = torch.zeros(n, self.size, self.size, dtype=torch.long) if start is None else start.clone().long()
        if (labels < 0).any():
            p = self.label_given(x.to(device), known).cpu()
            labels = torch.where(labels < 0, torch.multinomial(p, 1, generator=generator)[:, 0], labels)
        # A whole image comes from either order, half of the time each; a completion from rows, which saw what is known.
        column = torch.rand(n, generator=generator) < 0.5 if self.orders == 2 and not known else torch.zeros(n).bool()
        canvas = self._frame(x).to(device)
        said = self.label[labels.to(device)]
        weight = (self.window.weight * self.mask).flatten(1)
        order = column.long().to(device)
        r = self.reach
        for i in range(known, self.size**2):
            row, col = divmod(i, self.size)
            e = self.level(canvas[:, row : row + r + 1, col : col + 2 * r + 1])  # (n, r + 1, 2r + 1, 8)
            h = F.linear(e.permute(0, 3, 1, 2).flatten(1), weight, self.window.bias) + self.place[order, i] + said
            p = usable(self.net(h) @ self.basis, self).softmax(-1)
            drawn = torch.multinomial(p.cpu(), 1, generator=generator)[:, 0]
            canvas[:, row + r, col + r] = drawn.to(device)
        x = canvas[:, r:, r:-r].cpu()
        return torch.where(column[:, None, None], x.mT, x)

    def _frame(self, x: Tensor) -> Tensor:
        return F.pad(x.long(), (self.reach, self.reach, self.reach, 0), value=self.levels)


def in_all_orders(model: PixelNet, batch: dict[str, Tensor]) -> Tensor:
    """What a `PixelNet` is trained for: minus log p(x | label, order), nats per image, with the orders taking turns.

    Args:
        batch: ``x`` (B, H, W), and where there are more than one class ``labels`` (B,), none of them -1; ``warped``
            (B,) is true where an image is a warped copy.
    """
    model = unwrapped(model)
    x, labels, warped, orders = batch["x"], _known(model, batch), batch.get("warped"), model.orders
    parts = [
        model.log_prob_given(
            x[i::orders], labels[i::orders], order=i, warped=None if warped is None else warped[i::orders]
        )
        for i in range(orders)
    ]
    return -torch.cat(parts).mean()


@torch.no_grad()
def temper(
    model: PixelNet,
    x: Tensor,
    labels: Tensor | None = None,
    temperatures: Sequence[float] = (1.0, 1.1, 1.15, 1.2, 1.25, 1.3),
) -> float:
    """Divide all logits by the one of some temperatures with which held-out images are likeliest, and return it.

    A network that has seen a thousand images a hundred times is too sure of what comes next in others.

    Source: Guo, Pleiss, Sun, Weinberger (2017), section 4.2.
    """
    model = unwrapped(model)
    basis, labels, costs = model.basis.clone(), _known(model, {"x": x, "labels": labels}), []
    for temperature in temperatures:
        model.basis.copy_(basis / temperature)
        costs.append(-sum(model.log_prob_given(x, labels, order=i).mean() for i in range(model.orders)))
    if not bool(torch.stack(costs).isfinite().all()):  # argmin would take nan for the least
        model.basis.copy_(basis)
        raise ValueError(f"held-out images cost {[round(c.item(), 3) for c in costs]} nats: the model is of no use")
    best = temperatures[int(torch.stack(costs).argmin())]
    model.basis.copy_(basis / best)
    return best


def _known(model: PixelNet, batch: dict[str, Tensor]) -> Tensor:
    """A label for each image; 0 where a model has one class for all."""
    if model.classes == 1:
        return torch.zeros(len(batch["x"]), dtype=torch.long, device=batch["x"].device)
    labels = batch.get("labels")
    if labels is None:
        raise ValueError(f"this model knows {model.classes} classes: give a label for each image")
    return labels


def _whole(x: Tensor, shape: tuple[int, ...], levels: int) -> Tensor:
    x = countable(x)
    if x.is_floating_point() or x.shape[1:] != shape or (len(x) and not 0 <= int(x.min()) <= int(x.max()) < levels):
        raise ValueError(
            f"expected whole numbers 0 ... {levels - 1} in examples of shape {shape}; these are {x.dtype} of shape "
            f"{tuple(x.shape)}" + (f" from {x.min().item()} to {x.max().item()}" if x.numel() else "")
        )
    return x.long()
