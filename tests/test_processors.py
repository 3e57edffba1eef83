"""The same numbers on another kind of processor: one small computation of every family, again without wide vectors."""

from __future__ import annotations

import functools
import json
import math
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from torch import Tensor, nn

from genutils.autoregressive import MADE
from genutils.classifiers import GaussianClassifier
from genutils.data import digits
from genutils.diffusion import Diffusion
from genutils.flow import Coupling, Flow
from genutils.gan import GAN
from genutils.mixture import GaussianMixture
from genutils.ppca import PPCA
from genutils.vae import VAE, Gaussian, Levels

ROOT = pathlib.Path(__file__).parents[1]
# Largest relative difference. Rounding in float32 is 6e-8, and sums of thousands of terms, a hundred times as much;
# thirty steps of training make the difference grow.
TOLERANCE = {"float64": 1e-9, "float32": 1e-5, "trained": 3e-4}
KINDS = {
    "default": ("SSE41", "SSE4_2", "Nehalem"),
    "avx2": ("AVX2", "AVX2", "Haswell"),
}


def mlp(inputs: int, outputs: int, width: int = 48) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, outputs)
    )


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp(65, 64)

    def forward(self, z: Tensor, t: Tensor, *labels) -> Tensor:
        return self.net(torch.cat([z, t[:, None]], 1))


def vae() -> VAE:
    encoder = nn.Sequential(nn.Flatten(), mlp(64, 8))
    decoder = nn.Sequential(mlp(4, 64 * 17), nn.Unflatten(1, (8, 8, 17)))
    return VAE(4, lambda x: Gaussian(encoder)(x.float() / 16), Levels(decoder))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@functools.cache
def numbers() -> dict[str, list[float]]:
    """What one process computes, by precision and name; every number is a mean or a norm, so that none is near 0."""
    x = digits().train[:200]
    flat, grey = x.reshape(200, 64).astype(float), torch.as_tensor(x.astype(np.int64))
    unit = (grey.flatten(1).float() + 0.5) / 17
    found = {}

    def keep(name: str, *values) -> None:
        found[name] = [float(v.detach() if isinstance(v, Tensor) else v) for v in values]

    keep("float64 ppca", PPCA(6).fit(flat).log_prob(flat).mean(), PPCA(3).fit_em(flat, steps=20).noise)
    keep(
        "float64 classifier", GaussianClassifier(ridge=1.0).fit(flat, digits().train_labels[:200]).log_prob(flat).mean()
    )
    keep("float64 mixture", *GaussianMixture(4, floor=0.5).fit(flat, steps=8).history[-2:])

    torch.manual_seed(0)
    keep(
        "float32 noise",
        torch.randn(4097, generator=seeded(1)).abs().mean(),
        torch.rand(999, generator=seeded(1)).mean(),
    )
    keep("float32 made", MADE(64, levels=17, hidden=(96,)).log_prob(grey.flatten(1)).mean())
    couplings = [Coupling(range(0, 64, 2), range(1, 64, 2), mlp(32, 64), kind="affine") for _ in range(2)]
    flow = Flow(64, couplings)
    for coupling in couplings:
        nn.init.normal_(coupling.network[-1].weight, std=0.05)
    keep("float32 flow", flow.log_prob(unit).abs().mean(), flow.sample(50, generator=seeded(2)).norm())
    keep("float32 gan", GAN(mlp(8, 64), 8).sample(100, generator=seeded(3)).norm())
    keep("float32 diffusion", Diffusion(Denoiser(), (64,)).elbo(unit, generator=seeded(4)).mean())
    pixels = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.SiLU(), nn.Conv2d(16, 16, 3, padding=1), nn.AvgPool2d(8))
    keep("float32 convolution", pixels(unit.view(-1, 1, 8, 8)).norm())
    query = torch.randn(4, 2, 33, 16, generator=seeded(5))
    keep("float32 attention", nn.functional.scaled_dot_product_attention(query, query, query, is_causal=True).norm())

    model = vae()
    keep("float32 vae", model.elbo(grey, generator=seeded(6)).mean())
    decoder = list(model.decoder.parameters())
    adam = torch.optim.Adam(decoder, lr=3e-3)
    for step in range(30):
        loss = -model.elbo(grey, generator=seeded(step)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    keep("trained vae", loss.item(), math.sqrt(sum((p.detach() ** 2).sum().item() for p in decoder)))
    return found


@functools.cache
def elsewhere(kind: str) -> dict:
    """The same in a process that may not use wider vectors than this kind of processor has, and what it says it is."""
    onednn, mkl, blas = KINDS[kind]
    wide = [
        f for f in __cpu_dispatch__ if __cpu_features__[f] and (kind == "default" or f == "X86_V4" or "AVX512" in f)
    ]
    limits = {"ATEN_CPU_CAPABILITY": kind, "ONEDNN_MAX_CPU_ISA": onednn, "MKL_ENABLE_INSTRUCTIONS": mkl}
    limits |= {"OPENBLAS_CORETYPE": blas, "NPY_DISABLE_CPU_FEATURES": " ".join(wide), "PYTHONPATH": str(ROOT)}
    code = "import json, torch; from tests.test_processors import numbers; "
    code += "print(json.dumps(numbers() | {'kind': torch.backends.cpu.get_cpu_capability()}))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | limits, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform == "darwin", reason="the limits are those of x86 processors")
@pytest.mark.parametrize("kind", KINDS)
def test_every_family_computes_the_same_on_another_processor(kind, subtests):
    if kind == torch.backends.cpu.get_cpu_capability().lower():
        pytest.skip(f"this processor is {kind} itself; 'default' compares it with a lesser one")
    theirs, ours = elsewhere(kind), numbers()
    assert theirs["kind"].lower() == kind
    assert set(theirs) == {*ours, "kind"}
    for name, values in ours.items():
        with subtests.test(name):
            assert np.isfinite(values).all() and min(map(abs, values)) > 1e-3
            assert theirs[name] == pytest.approx(values, rel=TOLERANCE[name.split()[0]])


def test_the_comparison_is_between_processors_that_round_differently():
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        pytest.skip("this processor has no vectors to do without")
    assert any(values != numbers()[name] for name, values in elsewhere("default").items() if name != "kind")
