"""PixelCNN: an image pixel by pixel in the order of reading, with all conditionals from one pass of convolutions.

The convolutions stand in `genutils.stacks`. What they compute at a pixel becomes its distribution over the grey levels,
a softmax or a mixture of logistic densities cut into levels (`log_logistic`).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.door import needs_tensor, usable, whole
from genutils.model import Model
from genutils.stacks import OneStack, TwoStacks

WAVES = 8  # features of a grey level: cosines over the levels, of which the first is 1 and says "there is a pixel"


def log_logistic(x: Tensor, mu: Tensor, log_s: Tensor, levels: int) -> Tensor:
    """Log-probability in nats of the level x under a logistic density cut into bins of width 1. Exact.

    P(x) = sigma((x + 1/2 - mu) / s) - sigma((x - 1/2 - mu) / s), where the first level gets all that lies below and the
    last all that lies above, so that the levels sum to one. With a, b the two arguments, the difference is
    sigma(b) sigma(-a) (1 - exp(a - b)), which loses no digits far from mu.

    Args:
        x: whole numbers 0 ... levels - 1.
        mu, log_s: in units of levels, of a shape that broadcasts with x.

    Source: Salimans, Karpathy, Chen, Kingma (2017), section 2.1.

    Raises:
        ValueError: x holds what is no level.

    >>> p = log_logistic(torch.arange(5), torch.tensor(1.3), torch.tensor(0.2), 5).exp()
    >>> round(p.sum().item(), 5)
    1.0
    """
    return _log_logistic(whole(x, levels), mu, log_s, levels)


def _log_logistic(x: Tensor, mu: Tensor, log_s: Tensor, levels: int) -> Tensor:
    per_level = torch.exp(-log_s)
    middle = (x - mu) * per_level
    below = F.logsigmoid(middle + per_level / 2).masked_fill(x == levels - 1, 0.0)  # log sigma(b)
    above = F.logsigmoid(per_level / 2 - middle).masked_fill(x == 0, 0.0)  # log sigma(-a)
    within = torch.log(-torch.expm1(-per_level)).masked_fill((x == 0) | (x == levels - 1), 0.0)
    return below + above + within


def neighbours(x: Tensor, levels: int) -> Tensor:
    """A guess at each pixel from two that are before it: the mean of the one to the left and the one above.

    (B, H, W) whole numbers to (B, H, W) floats. Where one of the two is missing the other counts alone, and the first
    pixel is guessed in the middle of the levels.

    >>> neighbours(torch.tensor([[[0, 4], [2, 9]]]), 17).tolist()
    [[[8.0, 0.0], [0.0, 3.0]]]
    """
    if x.ndim != 3:
        raise ValueError(f"images are (B, H, W); these have shape {tuple(x.shape)}")
    left, above = F.pad(x.float(), (1, -1)), F.pad(x.float(), (0, 0, 1, -1))
    guess = (left + above) / 2
    guess[:, 0], guess[:, :, 0] = left[:, 0], above[:, :, 0]
    guess[:, 0, 0] = (levels - 1) / 2
    return guess


class PixelCNN(Model, nn.Module):
    """Images of whole levels, p(x) = product over pixels in the order of reading of p(x_i | x_<i, label). Exact.

    Args:
        size: side of an image, or (H, W).
        levels: L, at least 2.
        classes: number of labels, or None for a model without.
        width, layers: of the stacks.
        first, reach: rows and columns that the first layer sees, and those after it.
        stacks: 2 (`TwoStacks`) or 1 (`OneStack`, with a blind spot).
        components: 0 for a softmax over the levels, which knows nothing of their order; K for a mixture of K logistic
            densities cut into levels (`log_logistic`), whose means are counted from what `neighbours` guess.
        places: learn something for each place (and label); without, the network knows where it is by the edges it sees.
        dropout: as `TwoStacks`.

    Raises:
        ValueError: an argument cannot serve; says which.

    Source: van den Oord et al. (2016, conditional PixelCNN); the mixture from Salimans et al. (2017).

    >>> model = PixelCNN(size=(1, 2), levels=3, width=4, layers=1)
    >>> x = torch.cartesian_prod(*[torch.arange(3)] * 2)[:, None]
    >>> round(model.log_prob(x).exp().sum().item(), 5)
    1.0
    """

    def __init__(
        self,
        *,
        size: int | tuple[int, int] = 8,
        levels: int = 17,
        classes: int | None = None,
        width: int = 32,
        layers: int = 4,
        first: int = 3,
        reach: int = 1,
        stacks: int = 2,
        components: int = 0,
        places: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        wanted = {"levels": (levels, 2), "classes": (classes, 1), "width": (width, 1), "layers": (layers, 0)}
        wanted |= {"first": (first, 1), "reach": (reach, 1), "components": (components, 0), "size": (min(self.size), 1)}
        for name, (value, least) in wanted.items():
            if value is not None and value < least:
                raise ValueError(f"{name} is {least} or more; it is {value}")
        if stacks not in (1, 2):
            raise ValueError(f"stacks is 1 (with a blind spot) or 2 (vertical and horizontal); it is {stacks!r}")
        self.levels, self.classes, self.width, self.layers, self.components = levels, classes, width, layers, components
        k = torch.arange(WAVES) * torch.arange(levels)[:, None]
        self.register_buffer("grey", torch.cos(math.pi / (levels - 1) * k))  # (L, WAVES)
        self.stack = (OneStack, TwoStacks)[stacks - 1](WAVES, width, layers, first=first, reach=reach, dropout=dropout)
        self.place = nn.Parameter(0.1 * torch.randn(1 + (classes or 0), width, *self.size), requires_grad=places)
        if not places:
            self.place.data.zero_()
        self.told = nn.Linear((classes or 0) + 1, layers * 2 * width, bias=False)  # the label, and whether it is warped
        self.out = nn.Conv2d(width, 3 * components or levels, 1)
        if components:  # begin near the guess, with densities from one level wide to a sixteenth of them all
            with torch.no_grad():
                self.out.weight *= 0.3
                self.out.bias.zero_()
                self.out.bias[2 * components :] = torch.linspace(0, math.log(levels / 16), components)

    # What the network says ---------------------------------------------------------------------------------------

    def head(self, x: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """What describes each pixel's distribution: (B, H, W) whole numbers to (B, H, W, L) logits, or (B, H, W, 3 K):
        the logits of the weights, mu and log s, in levels.

        Fewer rows than an image has are the first ones. ``labels`` (B,), none of them -1; ``warped`` (B,) is true where
        an image is a warped copy.
        """
        told = self.told.weight.new_zeros(len(x), self.told.in_features)
        if labels is not None:
            told[:, :-1] = F.one_hot(labels.long(), self.classes)
        if warped is not None:
            told[:, -1] = warped
        grey = F.embedding(x, self.grey).permute(0, 3, 1, 2)  # (B, WAVES, H, W)
        of_image = self.told(told).view(len(x), self.layers, 2 * self.width, 1, 1)
        place = self.place[:, :, : x.shape[1]]  # for all images, and for those of each label
        place = place[0] if labels is None else place[0] + place[1 + labels]
        h = self.stack(grey, place, of_image)
        said = self.out(F.elu(h)).permute(0, 2, 3, 1)
        if not self.components:
            return said
        weight, off, log_s = said.chunk(3, -1)  # (B, H, W, K) each
        mu = neighbours(x, self.levels).to(off.dtype)[..., None] + off * (self.levels / 16)
        return torch.cat([weight, mu, log_s.clamp(min=-7.0)], -1)

    def log_probs(self, x: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """log p(x_i = l | x_<i, label) for all levels l: (B, H, W) whole numbers to (B, H, W, L) nats. Exact.

        Arguments as `head`.
        """
        return self._levels(self.head(x, labels, warped=warped))

    def next_log_probs(self, x: Tensor, i: int, labels: Tensor | None = None) -> Tensor:
        """log p(x_i = l | x_<i, label) of pixel i alone, row by row: (B, H, W) to (B, L) nats. Exact.

        Only the rows down to the pixel are computed, and what x holds from it on does not matter. ``labels`` as `head`.
        """
        row, col = divmod(i, self.size[1])
        return self._levels(usable(self.head(x[:, : row + 1], labels)[:, row, col], self))

    def _levels(self, told: Tensor) -> Tensor:
        """(..., L) log-probabilities from what describes them: `log_logistic` for all levels at once."""
        if not self.components:
            return told.log_softmax(-1)
        weight, mu, log_s = told.chunk(3, -1)  # (..., K)
        per_level = torch.exp(-log_s)
        edges = torch.arange(self.levels - 1, device=told.device) + 0.5  # between two levels
        b = (edges - mu[..., None]) * per_level[..., None]  # (..., K, L - 1)
        below = F.logsigmoid(b)
        found = F.pad(below, (0, 1)) + F.pad(below - b, (1, 0))  # log sigma(-b) = log sigma(b) - b
        found[..., 1:-1] += torch.log(-torch.expm1(-per_level))[..., None]
        return torch.logsumexp(weight.log_softmax(-1)[..., None] + found, -2)

    def _mixed(self, told: Tensor, x: Tensor) -> Tensor:
        """log P(x) of the mixture alone: told (..., 3 K), x (...)."""
        weight, mu, log_s = told.chunk(3, -1)  # (..., K)
        return torch.logsumexp(weight.log_softmax(-1) + _log_logistic(x[..., None], mu, log_s, self.levels), -1)

    def log_prob_given(self, x: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """log p(x_i | x_<i, label) of each pixel as it is, (B, H, W) nats, in one pass. Arguments as `head`."""
        told = self.head(x, labels, warped=warped)
        if self.components:
            return self._mixed(told, x)
        return -F.cross_entropy(told.permute(0, 3, 1, 2), x, reduction="none")

    def log_prob(self, x: Tensor, labels: Tensor | None = None, *, warped: Tensor | None = None) -> Tensor:
        """Exact log-probability in nats, (B, H, W) whole numbers to (B,): of x given labels (B,).

        Without labels, and for an example whose label is -1, of x with all classes equally likely: one pass for each.

        Raises:
            TypeError: x is no tensor.
            ValueError: images of another shape, numbers that are no levels, labels that are none.
        """
        x, labels = self._checked(x), self._labels(labels, len(x))
        if self.classes is None:
            return self.log_prob_given(x, warped=warped).sum((1, 2))
        labels = torch.full((len(x),), -1) if labels is None else torch.as_tensor(labels)
        labels = labels.to(x.device).long()
        if bool((labels >= 0).all()):
            return self.log_prob_given(x, labels, warped=warped).sum((1, 2))
        found = self._by_class(x, warped=warped)  # (B, classes)
        known = found.gather(1, labels.clamp(min=0)[:, None])[:, 0]
        return torch.where(labels < 0, found.logsumexp(1) - math.log(self.classes), known)

    def _by_class(self, x: Tensor, known: int | None = None, warped: Tensor | None = None) -> Tensor:
        """(B, classes) log-probability of the first ``known`` pixels, or of all, given each label."""
        parts = [
            self.log_prob_given(x, torch.full((len(x),), c, device=x.device), warped=warped).flatten(1)[:, :known]
            for c in range(self.classes)
        ]
        return torch.stack([part.sum(1) for part in parts], 1)

    # Drawing -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def label_given(self, x: Tensor, known: int | Tensor) -> Tensor:
        """p(label | the known pixels), all labels equally likely before: (B, H, W) to (B, classes). Exact, by Bayes.

        ``known`` as in `sample`.
        """
        if self.classes is None:
            raise ValueError("this PixelCNN was made without classes, so there is no label to infer")
        return self._by_class(self._checked(x), self._count(known)).softmax(1)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        *,
        start: Tensor | None = None,
        known: int | Tensor = 0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """(n, H, W) whole numbers, pixel by pixel; for each, the rows down to its own are computed anew.

        Args:
            n: how many.
            labels: (n,); where not given, or -1, drawn from p(label | the known pixels), all equally likely if none is.
            start: (n, H, W) images whose known pixels are kept; the rest is drawn from p(rest | known, label).
            known: how many pixels, row by row, are known; or (H, W) booleans that are true for those. A known pixel
                after an unknown one is refused: its factor would have to be weighed in when the unknown one is drawn,
                which takes a sum over all that stands between, and no order of drawing gives it.

        Raises:
            ValueError: ``start`` or ``known`` or labels cannot serve; says why.
        """
        device, labels, known = self.out.weight.device, self._labels(labels, n), self._count(known)
        if start is None and known:
            raise ValueError(f"{known} pixels are said to be known: give start, (n, H, W) images that hold them")
        x = torch.zeros(n, *self.size, dtype=torch.long) if start is None else self._checked(start).clone()
        if len(x) != n:
            raise ValueError(f"start must hold {n} images, one for each sample; it holds {len(x)}")
        x = x.to(device)
        x.flatten(1)[:, known:] = 0  # what is not known is not looked at; and if it were, it would not be the answer
        if self.classes is not None:
            labels = torch.full((n,), -1) if labels is None else torch.as_tensor(labels).cpu().long()
            if bool((labels < 0).any()):
                p = self._by_class(x, known).softmax(1) if known else torch.ones(n, self.classes)
                labels = torch.where(labels < 0, torch.multinomial(p.cpu(), 1, generator=generator)[:, 0], labels)
            labels = labels.to(device)
        was = self.training
        self.eval()
        try:
            for i in range(known, x[0].numel() if n else known):
                p = self.next_log_probs(x, i, labels).exp().cpu()
                x.flatten(1)[:, i] = torch.multinomial(p, 1, generator=generator)[:, 0].to(device)
        finally:
            self.train(was)
        return x.cpu()

    def _checked(self, x: Tensor) -> Tensor:
        """x as int64, if it is images of the model's size and levels."""
        needs_tensor(self, x)
        if x.ndim != 3 or tuple(x.shape[1:]) != self.size:
            raise ValueError(
                f"this PixelCNN takes images of shape (B, {self.size[0]}, {self.size[1]}); these have shape "
                f"{tuple(x.shape)}. Reshape them, or make one with size={tuple(x.shape[1:]) if x.ndim == 3 else '...'}"
            )
        return whole(x, self.levels)

    def _count(self, known: int | Tensor) -> int:
        """How many pixels are known, from that number or from a mask of a beginning."""
        pixels = self.size[0] * self.size[1]
        if isinstance(known, int):
            if not 0 <= known <= pixels:
                raise ValueError(f"known is how many of {pixels} pixels are known, row by row; it is {known}")
            return known
        known = torch.as_tensor(known)
        if known.dtype != torch.bool or tuple(known.shape) != self.size:
            raise ValueError(
                f"known is a number of pixels, or booleans of shape {self.size}; it is {known.dtype} of shape "
                f"{tuple(known.shape)}"
            )
        flat, count = known.flatten(), int(known.sum())
        if not bool(flat[:count].all()):
            hole = int((~flat).nonzero()[0])
            late = int(flat[hole:].nonzero()[0]) + hole
            (r, c), (row, col) = divmod(hole, self.size[1]), divmod(late, self.size[1])
            raise ValueError(
                f"pixel ({row}, {col}) is known, but ({r}, {c}), which comes before it, is not: this order can go on "
                "from a beginning only. Give the pixels up to the first that is missing, or turn the image"
            )
        return count
