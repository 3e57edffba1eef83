"""Every family: a gradient reaches all that learns, and weights and whole models go to a file and back."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import nn

from genutils.autoregressive import MADE, PixelNet, PlaneNet
from genutils.diffusion import Cosine, Diffusion, LevelDiffusion, Schedule
from genutils.flow import Autoregressive, Constant, Coupling, Flow, Lookup
from genutils.gan import GAN, non_saturating
from genutils.networks import ResidualMLP
from genutils.pixelcnn import PixelCNN
from genutils.training import cost
from genutils.vae import VAE, Gaussian, Levels

BOX = ((-3.0, 3.0), (-3.0, 3.0))


class Shifts(nn.Module):
    """Log-scales and shifts of two coordinates, the second as the first says."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Parameter(torch.zeros(2)), nn.Linear(1, 2)

    def forward(self, x):
        return torch.stack([self.first.expand(len(x), 2), self.second(x[:, :1])], 2).unbind(1)


class Denoiser(nn.Module):
    """Noisy points (B, ...), times and labels to numbers (B, ..., outputs), or (B, ...) where there are none."""

    def __init__(self, dims: int, outputs: int | None = None):
        super().__init__()
        self.outputs, self.label = outputs, nn.Embedding(3, 8)  # two classes, and any
        self.net = ResidualMLP(dims + 1 + 8, dims * (outputs or 1), width=16, blocks=1)

    def forward(self, z, t, labels):
        said = self.label(labels)
        out = self.net(torch.cat([z.flatten(1), t[:, None], said], 1))
        return out.view(*z.shape, self.outputs) if self.outputs else out.view_as(z)


class Both(nn.Module):
    """A sampler that reads noise and labels."""

    def __init__(self):
        super().__init__()
        self.label, self.net = nn.Embedding(3, 2), ResidualMLP(6, 2, width=8, blocks=1)

    def forward(self, z, labels):
        return self.net(torch.cat([z, self.label(labels)], 1))


def points(n: int) -> torch.Tensor:
    return torch.randn(n, 2).clamp(-2.9, 2.9)


def bits(n: int) -> torch.Tensor:
    return torch.randint(3, (n, 4))


def images(n: int) -> torch.Tensor:
    return torch.randint(17, (n, 8, 8))


def labelled(draw: Callable) -> Callable:
    return lambda n: (draw(n), torch.randint(-1, 2, (n,)))  # -1 is "any"


def vae(prior: nn.Module | None = None) -> VAE:
    encoder, decoder = (nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 4)) for _ in range(2))
    return VAE(2, Gaussian(encoder), Gaussian(decoder), prior)


def level_vae() -> VAE:
    encoder = nn.Sequential(nn.Embedding(3, 2), nn.Flatten(), nn.Linear(8, 4))
    return VAE(2, Gaussian(encoder), Levels(nn.Sequential(nn.Linear(2, 12), nn.Unflatten(1, (4, 3)))))


def spline_flow() -> Flow:
    return Flow(2, [Coupling([], [0], Constant(15)), Coupling([0], [1], Lookup(15, knots=16, width=8))], low=-3, high=3)


def affine_flow() -> Flow:
    return Flow(
        2, [Coupling([0], [1], nn.Linear(1, 2), kind="affine"), Coupling([1], [0], nn.Linear(1, 6), kind="lines")]
    )


FAMILIES: dict[str, tuple[Callable[[], nn.Module], Callable]] = {
    "MADE": (lambda: MADE(4, levels=3, hidden=(16, 8), order=[2, 0, 3, 1]), bits),
    "PixelNet": (lambda: PixelNet(width=8, blocks=1, classes=3, orders=2, dropout=0.1), images),
    "PixelCNN": (lambda: PixelCNN(width=4, layers=2, classes=2), labelled(images)),
    "PixelCNN, one stack": (lambda: PixelCNN(width=4, layers=1, stacks=1, components=2), images),
    "PlaneNet": (lambda: PlaneNet(BOX, knots=16, width=8, blocks=1), points),
    "Flow of splines": (spline_flow, points),
    "Flow of lines and scales": (affine_flow, lambda n: torch.rand(n, 2)),
    "Flow, autoregressive": (lambda: Flow(2, [Autoregressive(Shifts())], low=-3, high=3, base="normal"), points),
    "Flow, inverse": (lambda: Flow(2, [Autoregressive(Shifts(), reads="noise")], base="normal"), points),
    "VAE": (vae, points),
    "VAE with a flow as prior": (lambda: vae(Flow(2, [Autoregressive(Shifts())], base="normal")), points),
    "VAE of levels": (level_vae, bits),
    "Diffusion": (lambda: Diffusion(Denoiser(2), (2,), schedule=Schedule(-6.0, 4.0), classes=2), labelled(points)),
    "Diffusion, cosine": (lambda: Diffusion(Denoiser(2), (2,), schedule=Cosine(), classes=2), labelled(points)),
    "LevelDiffusion": (lambda: LevelDiffusion(Denoiser(4, 3), (4,), 3, classes=2), labelled(bits)),
    "GAN": (lambda: GAN(ResidualMLP(4, 2, width=8, blocks=1), 4), points),
    "GAN of classes": (lambda: GAN(Both(), 4, classes=3), points),
}
# These learn only from batches that say which images are warped copies (and here the last has no labels to be told).
NOT_TOLD = {"PixelNet": {"warped"}, "PixelCNN, one stack": {"told.weight"}}

family = pytest.mark.parametrize("name", FAMILIES)


def made(name: str, seed: int = 0) -> nn.Module:
    """A model with no weight left at zero, as after training."""
    torch.manual_seed(seed)
    model = FAMILIES[name][0]()
    with torch.no_grad():
        for part in model.parameters():
            part += 0.05 * torch.randn_like(part)
    return model


def loss(name: str, model: nn.Module, n: int = 256) -> torch.Tensor:
    torch.manual_seed(1)
    if isinstance(model, GAN):  # against a critic that stands still
        labels = () if model.classes is None else (torch.randint(model.classes, (n,)),)
        return non_saturating(model(model.noise(n), *labels).square().sum(1))
    return cost(model, FAMILIES[name][1](n))


@family
def test_a_gradient_reaches_every_parameter(name):
    model = made(name)
    loss(name, model).backward()
    parts = dict(model.named_parameters())
    missed = {part for part, p in parts.items() if p.grad is None or not p.grad.abs().sum() > 0}
    assert len(parts) > 1 and missed == NOT_TOLD.get(name, set())
    assert all(p.grad.isfinite().all() for p in parts.values() if p.grad is not None)


def test_warped_copies_reach_the_rest_of_pixelnet():
    model = made("PixelNet")
    (-model.log_prob_given(images(4), torch.tensor([0, 1, 2, 0]), warped=torch.ones(4)).mean()).backward()
    assert model.warped.grad.abs().sum() > 0


@family
def test_a_state_dict_carries_all_that_counts(name):
    one, other = made(name, 0).eval(), made(name, 1).eval()
    before = loss(name, one), loss(name, other)
    assert before[0] != before[1]
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(loss(name, other), before[0])
    same_samples(one, other)


@family
def test_a_whole_model_is_pickled_and_back(name):
    one = made(name).eval()
    other = pickle.loads(pickle.dumps(one))
    assert type(other) is type(one) and other is not one and not other.training
    assert torch.equal(loss(name, other), loss(name, one))
    same_samples(one, other)
    with torch.no_grad():  # no weight is shared
        for part in other.parameters():
            part.zero_()
    assert all(p.abs().sum() > 0 for p in one.parameters())


def same_samples(one: nn.Module, other: nn.Module) -> None:
    a, b = (model.sample(5, generator=torch.Generator().manual_seed(2)) for model in (one, other))
    assert torch.equal(a, b) and len(a) == 5
