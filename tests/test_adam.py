"""The course's Adam gives torch's numbers, goes on from a checkpoint, and does not load torch's compiler."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn

from genutils.adam import Adam
from genutils.networks import ResidualMLP
from genutils.training import cosine, fit

BETAS = (0.9, 0.99)
FUSED = partial(torch.optim.Adam, betas=BETAS, fused=True)


def trained(optimizer, steps: int = 25, **more) -> list[torch.Tensor]:
    torch.manual_seed(0)
    net = ResidualMLP(3, 2, width=8, blocks=1)
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    fit(
        net,
        x,
        loss=lambda m, b: (m(b) - b[:, :2].sin()).square().mean(),
        steps=steps,
        lr=0.02,
        schedule=cosine,
        optimizer=optimizer,
        **more,
    )
    return [p.detach() for p in net.parameters()]


def test_training_with_it_gives_the_numbers_of_torchs_fused_adam():
    ours, theirs = trained(partial(Adam, betas=BETAS)), trained(FUSED)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    other = trained(Adam)
    assert not all(torch.equal(a, b) for a, b in zip(other, theirs, strict=True))  # betas are heeded


def test_parameters_without_a_gradient_stay_and_count_no_steps():
    used, idle = (nn.Parameter(torch.ones(3)) for _ in range(2))
    adam = Adam([used, idle], lr=0.1)
    for _ in range(3):
        adam.zero_grad()
        used.square().sum().backward()
        adam.step()
    assert (idle == 1).all() and (used < 0.8).all()
    assert [state[0].item() for state in adam.state] == [3, 0]


def test_it_goes_on_from_its_state_to_the_same_numbers():
    def run(steps: int, p: nn.Parameter, adam: Adam) -> None:
        for _ in range(steps):
            adam.zero_grad()
            (p.square().sum() + p.sin().sum()).backward()
            adam.step()

    whole, half = (nn.Parameter(torch.linspace(-1, 1, 5)) for _ in range(2))
    run(9, whole, Adam([whole], lr=0.1))
    first = Adam([half], lr=0.1)
    run(4, half, first)
    second = Adam([half], lr=0.5)
    second.load_state_dict(first.state_dict())
    run(5, half, second)
    assert torch.equal(whole, half)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="no parameters"):
        Adam([])
    with pytest.raises(ValueError, match=r"lr >= 0.*-1"):
        Adam([nn.Parameter(torch.ones(1))], lr=-1)
    with pytest.raises(ValueError, match=r"betas < 1.*1\.0"):
        Adam([nn.Parameter(torch.ones(1))], betas=(0.9, 1.0))


def test_training_with_it_does_not_load_torchs_compiler():
    program = (
        "import sys, torch\nfrom torch import nn\nfrom genutils.adam import Adam\nfrom genutils.training import fit\n"
        "fit(nn.Linear(1, 1), torch.ones(4, 1), loss=lambda m, x: m(x).mean(), steps=2, optimizer=Adam)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
