"""A coupling flow on small images: groups of pixels are bent in turn, each as the known pixels around it say. A bound.

What `genutils.flow` does for any numbers, here with a network that knows what an image is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genutils.flow import Coupling, Flow
from genutils.model import Dequantized
from genutils.networks import ResidualMLP

SIZE, LEVELS = 8, 17  # of the digits


def groups(sizes: Sequence[int] = (2, 2, 4, 8, 8, 8, 8, 8, 8, 8)) -> list[list[int]]:
    """The pixels of an 8 x 8 image in groups, each spread over the whole image between those before it.

    The order is that of ordered dithering (Bayer, 1973).
    """
    if sum(sizes) != SIZE**2:
        raise ValueError(f"the groups must hold {SIZE**2} pixels together; {tuple(sizes)} hold {sum(sizes)}")
    rank = np.zeros((1, 1), int)
    for _ in range(3):
        rank = np.block([[4 * rank, 4 * rank + 2], [4 * rank + 3, 4 * rank + 1]])
    order = np.argsort(rank.ravel()).tolist()
    return [order[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(sizes))]


class Pixels(nn.Module):
    """The shared network of `Window`: levels of the known pixels around, the place, a residual network.

    Args:
        outputs: numbers for each bent pixel; all zero to begin with.
        levels, size: of the images.
        reach: the window reaches so many pixels to each side.
        width, more: of the `genutils.networks.ResidualMLP`.
    """

    def __init__(
        self, outputs: int, *, levels: int = LEVELS, size: int = SIZE, reach: int = 2, width: int = 128, **more
    ):
        super().__init__()
        self.levels, self.size, self.reach = levels, size, reach
        self.level = nn.Parameter(torch.randn(levels + 2, 8) * 0.5)  # then "not known", then "outside the image"
        side = 2 * reach + 1
        rows, cols = torch.arange(size**2) // size, torch.arange(size**2) % size
        offsets = torch.arange(side)
        around = (rows[:, None, None] + offsets[:, None]) * (size + 2 * reach) + cols[:, None, None] + offsets
        self.register_buffer("around", around.flatten(1))  # (H W, side^2) into the padded image
        self.window = nn.Linear(8 * side**2, width)
        self.place = nn.Parameter(torch.randn(size**2, width) * 0.1)
        self.net = ResidualMLP(None, outputs, width=width, zero=True, **more)
        self.warp = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, kept: Tensor, bent: Tensor, *, warped: Tensor | None = None) -> Tensor:
        """The known (B, kept) numbers in [0, 1) to (B, bent, outputs); ``warped`` (B,) is true for warped copies."""
        level = _level(x, self.levels)
        image = torch.full((len(x), self.size**2), self.levels, device=x.device).index_copy(1, kept, level)
        r = self.reach
        image = F.pad(image.view(-1, self.size, self.size), (r, r, r, r), value=self.levels + 1).flatten(1)
        e = F.embedding(image[:, self.around[bent]], self.level)  # (B, bent, side^2, 8)
        return self._outputs(e, self.place[bent], warped)

    def seen(self, before: Tensor) -> Tensor:
        """For `everywhere`: (H W, side^2) the place in the image of each pixel of each window, H W where it is not
        known and H W + 1 outside the image. ``before``: (H W,) which turn makes each pixel known."""
        r, n = self.reach, self.size**2
        place = torch.arange(n, device=before.device).view(1, self.size, self.size)
        near = F.pad(place, (r, r, r, r), value=n + 1).flatten()[self.around]
        turn = F.pad(before, (0, 2), value=-1)  # whatever lies outside is always seen to do so
        return torch.where(turn[near] < before[:, None], near, n)

    def everywhere(self, x: Tensor, seen: Tensor, *, warped: Tensor | None = None) -> Tensor:
        """Outputs (B, H W, outputs) for all pixels of x (B, H W), each from those in its window that are `seen`."""
        level = _level(x, self.levels)
        level = F.pad(F.pad(level, (0, 1), value=self.levels), (0, 1), value=self.levels + 1)  # (B, H W + 2)
        rows = F.embedding(level.T, self.level).flatten(1)  # (H W + 2, B * 8): gathered by rows, which is fast
        e = (
            F.embedding(seen, rows).unflatten(2, (len(x), self.level.shape[1])).permute(2, 0, 1, 3)
        )  # (B, H W, side^2, 8)
        return self._outputs(e, self.place, warped)

    def _outputs(self, e: Tensor, place: Tensor, warped: Tensor | None) -> Tensor:
        h = self.window(e.flatten(2)) + place
        return self.net(h if warped is None else h + warped[:, None, None] * self.warp)


def _level(x: Tensor, levels: int) -> Tensor:
    """Of numbers in [0, 1), for a network to look up; of nan, which goes its own way to the result, any."""
    return (x.nan_to_num(0.0) * levels).floor().clamp(0, levels - 1).long()


class Window(nn.Module):
    """For some pixels, from those in a window around each that are known: the parameters of a coupling.

    All couplings of an image share one network; each has its own lists of pixels, and its own ``Window`` around it.

    Args:
        shared: a `Pixels` network.
        kept, bent: indices of pixels, row by row.
    """

    def __init__(self, shared: Pixels, kept: Sequence[int], bent: Sequence[int]):
        super().__init__()
        self.shared = shared
        self.register_buffer("kept", torch.as_tensor(kept, dtype=torch.long))
        self.register_buffer("bent", torch.as_tensor(bent, dtype=torch.long))

    def forward(self, x: Tensor, *, warped: Tensor | None = None) -> Tensor:
        """(B, kept) numbers in [0, 1) to (B, bent * outputs); ``warped`` as in `Pixels`."""
        return self.shared(x, self.kept, self.bent, warped=warped).flatten(1)


class AtOnce(nn.Module):
    """Couplings with a `Window` each, in the order in which they make the pixels known: one call on the way to noise.

    A window looks at data as they are, so no coupling has to wait for another, and the shared network is called once,
    for all pixels. On the way back each coupling waits for those before it.

    Args:
        couplings: all pixels are bent, each once; all have one kind and share one `Pixels`. The window of each may see
            just what those before it bend.
    """

    def __init__(self, couplings: Sequence[Coupling]):
        super().__init__()
        self.couplings = nn.ModuleList(couplings)
        before = torch.cat([torch.full_like(c.bent, i) for i, c in enumerate(couplings)])
        bent = torch.cat([c.bent for c in couplings])
        pixels = couplings[0].network.shared
        if bent.sort().values.tolist() != list(range(pixels.size**2)):
            raise ValueError(f"each of the {pixels.size**2} pixels must be bent once; bent are {bent.tolist()}")
        for coupling in couplings:
            if sorted(coupling.kept.tolist()) != sorted(bent[: len(coupling.kept)].tolist()):
                raise ValueError(f"a window may see what those before it bend; this one sees {coupling.kept.tolist()}")
        self.register_buffer("seen", pixels.seen(torch.empty_like(before).index_copy(0, bent, before)))

    def forward(self, x: Tensor, *, warped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Data (B, H W) to noise, and ``log |det|``, (B,) nats."""
        first = self.couplings[0]
        z, ladj = first.bend(x, first.network.shared.everywhere(x, self.seen, warped=warped))
        return z, ladj.sum(1)

    def inverse(self, z: Tensor, *, warped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Noise to data, and ``log |det|`` of that map."""
        total = 0.0
        for coupling in self.couplings:
            z, ladj = coupling.inverse(z, warped=warped)
            total = total + ladj
        return z, total


def squeeze(pixels: Sequence[int], size: int) -> list[list[int]]:
    """A square of pixels, row by row, as four channels of half its side: those at even and odd rows and columns.

    Args:
        pixels: size^2 indices, row by row.
        size: the side, an even number.

    Raises:
        ValueError: the side is odd, or does not fit.

    Source: Dinh, Sohl-Dickstein, Bengio (2017), section 3.6.

    >>> squeeze(range(16), 4)
    [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]]
    """
    if size % 2 or len(pixels) != size**2:
        raise ValueError(f"a square with an even side is squeezed; side {size} and {len(pixels)} pixels are none")
    square = np.asarray(pixels).reshape(size, size)
    return [square[a::2, b::2].ravel().tolist() for a in (0, 1) for b in (0, 1)]


class Maps(nn.Module):
    """Channels of a squeezed image, (B, kept size^2), to the parameters of others, (B, bent size^2 outputs).

    Two convolutions: each place sees the 5 x 5 around it, and knows where it is. All zero to begin with.

    Args:
        kept, bent: how many channels.
        outputs: parameters for each number.
        size: side of the channels.
        width: of the network.
    """

    def __init__(self, kept: int, bent: int, outputs: int, *, size: int, width: int = 48):
        super().__init__()
        self.kept, self.bent, self.size = kept, bent, size
        self.first = nn.Conv2d(kept, width, 3, padding=1)
        self.place = nn.Parameter(torch.randn(width, size, size) * 0.1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, bent * outputs, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(len(x), self.kept, self.size, self.size)
        h = self.first(6 * x - 3) + self.place  # (B, width, size, size)
        h = self.out(F.silu(h + self.second(F.silu(h))))
        return h.view(len(x), self.bent, -1, self.size**2).transpose(2, 3).flatten(1)


def multiscale_flow(*, levels: int = LEVELS, bins: int | None = None, rounds: int = 1, width: int = 48) -> PixelFlow:
    """Couplings that alternate, on two scales, with a squeeze before each scale and a split after it.

    On 8 x 8 pixels: four channels of 4 x 4, two and two take turns, and two leave as noise; the other two take turns,
    and one leaves; the last is squeezed and goes the same way. What leaves was bent as the others say, and the others
    were bent as it says. After the few steps of a lesson its samples are blotches; recipes use `pixel_flow`.

    Args:
        levels: L.
        bins: of each spline; by default L.
        rounds: how often a turn is taken at each scale.
        width: of the networks.

    Raises:
        ValueError: there are no rounds.
    """
    if rounds < 1:
        raise ValueError(f"rounds is 1 or more; it is {rounds}")
    bins = bins or levels
    outputs = 2 * bins + 1
    transforms, image, size = [], list(range(SIZE**2)), SIZE

    def turns(one: list[list[int]], other: list[list[int]], side: int) -> None:
        for _ in range(rounds):
            for kept, bent in ((one, other), (other, one)):
                network = Maps(len(kept), len(bent), outputs, size=side, width=width)
                transforms.append(Coupling(sum(kept, []), sum(bent, []), network, kind="box"))

    while size > 2:
        a, b, c, d = squeeze(image, size)
        size //= 2
        turns([b, c], [a, d], size)  # then b and c leave
        turns([d], [a], size)  # then d leaves
        image = a
    return PixelFlow(Flow(SIZE**2, transforms), levels=levels)


class PixelFlow(Dequantized, nn.Module):
    """A flow on dequantized images, (B, size, size) whole numbers 0 ... levels - 1.

    Args:
        flow: of size^2 numbers in [0, 1), row by row.
    """

    def __init__(self, flow: Flow, *, levels: int = LEVELS, size: int = SIZE):
        nn.Module.__init__(self)
        Dequantized.__init__(self, flow, levels)
        self.size = size

    def sample(self, n: int, labels: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """(n, size, size), one pass back through the couplings."""
        return super().sample(n, labels, generator=generator).view(n, self.size, self.size)


def pixel_flow(*, levels: int = LEVELS, kind: str = "lines", bins: int | None = None, **network: float) -> PixelFlow:
    """Couplings that bend ten groups of pixels in turn, each as the pixels of the groups before it say.

    With straight lines on as many bins as there are levels, the density is flat on each level, and what uniform noise
    gives is no looser than the probability itself. Smooth splines ("spline") pay for their bends between the levels.

    Args:
        levels: L.
        kind: of the couplings, as in `genutils.flow.Coupling`: "lines" or "spline".
        bins: of each curve; by default L.
        network: settings of `Pixels`.
    """
    bins = bins or levels
    shared = Pixels(bins if kind == "lines" else 2 * bins - 1, levels=levels, **network)
    couplings, known = [], []
    for part in groups():
        couplings.append(Coupling(known, part, Window(shared, known, part), kind=kind))
        known = known + part
    return PixelFlow(Flow(SIZE**2, [AtOnce(couplings)]), levels=levels)  # to noise in one call, back one by one
