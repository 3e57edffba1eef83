"""The course's optimisers are torch's: the same numbers, options and state, without its compiler."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from genutils.optimizers import SGD, Adam, Muon, adam, orthogonal
from tools.lessons import ROOT


def trained(kind, steps=5, state=None, **settings):
    """Weights, and the optimiser, after a few steps on noise."""
    generator = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 2), (4,))]
    optimizer = kind(weights[:1], lr=0.1, **settings)
    optimizer.add_param_group({"params": weights[1:], "lr": 0.01})
    if state:
        optimizer.load_state_dict(state)
    for _ in range(steps):
        optimizer.zero_grad()
        sum((w.exp() * torch.randn(w.shape, generator=generator)).sum() for w in weights).backward()
        optimizer.step()
    return torch.cat([w.detach().flatten() for w in weights]), optimizer


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Adam, {}),
        (Adam, {"fused": True}),
        (Adam, {"betas": (0.0, 0.9)}),
        (Adam, {"amsgrad": True, "weight_decay": 0.1}),
        (SGD, {}),
        (SGD, {"momentum": 0.9}),
    ],
    ids=str,
)
def test_the_numbers_and_the_state_are_those_of_torch(kind, settings):
    original = getattr(torch.optim, kind.__name__)
    ours, optimizer = trained(kind, **settings)
    theirs, reference = trained(original, **settings)
    assert torch.equal(ours, theirs) and isinstance(optimizer, original)
    crossed = ((kind, reference), (original, optimizer))
    on, also_on = (trained(one, state=other.state_dict(), **settings)[0] for one, other in crossed)
    assert torch.equal(on, also_on)
    assert torch.equal(on, ours) == (settings == {} and kind is SGD)  # which has no state to go on from


def test_a_closure_is_differentiated_and_a_step_is_not():
    weight = nn.Parameter(torch.tensor(1.0))
    optimizer = Adam([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = weight**2
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 1.0 and weight.item() == pytest.approx(0.9)
    assert weight.is_leaf and weight.requires_grad and torch.is_grad_enabled()
    assert optimizer.zero_grad() is None and weight.grad is None


def test_hooks_and_schedules_work_as_with_torch():
    weight, seen = nn.Parameter(torch.tensor(1.0)), []
    optimizer = Adam([weight], lr=0.1)
    optimizer.register_step_post_hook(lambda *_: seen.append(weight.item()))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
    for _ in range(2):
        optimizer.zero_grad()
        (2 * weight).backward()
        optimizer.step()
        schedule.step()
    assert seen == pytest.approx([0.9, 0.85])  # a constant gradient: steps of length lr, which is halved


def test_training_does_not_load_the_compiler():
    code = """if True:
        import sys, torch
        from genutils.optimizers import SGD, adam
        from genutils.training import fit
        line = torch.nn.Linear(1, 1)
        for settings in ({}, {"optimizer": adam}, {"optimizer": SGD}, {"ema": 0.9, "clip": None}):
            fit(line, torch.ones(8, 1), loss=lambda m, x: m(x).mean(), steps=2, **settings)
        sys.exit("torch._dynamo" in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_short_memory_forgets_at_its_rate():
    group = adam([nn.Parameter(torch.zeros(2))], lr=0.3).param_groups[0]
    assert group["betas"] == (0.9, 0.99) and group["lr"] == 0.3 and group["fused"]


@pytest.mark.parametrize("shape", [(6, 6), (12, 4), (4, 12), (1, 5)])
def test_singular_values_come_near_to_one_and_directions_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    inside = u.T @ orthogonal(matrix) @ vt.T  # diagonal, if directions stay
    assert torch.allclose(inside, torch.diag(inside.diag()), atol=1e-4)
    assert 0.3 < inside.diag().min() and inside.diag().max() < 1.3
    assert torch.allclose(orthogonal(1e-3 * matrix), orthogonal(matrix), atol=1e-3)  # the size says nothing


def test_all_that_is_no_hidden_matrix_goes_by_adam():
    def steps(kind, **settings):
        weights = [nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(2))]
        optimizer = kind(weights, lr=0.1, **settings)
        generator = torch.Generator().manual_seed(0)
        for _ in range(4):
            optimizer.zero_grad()
            sum((w * torch.randn(w.shape, generator=generator)).sum() for w in weights).backward()
            optimizer.step()
        return [w.detach() for w in weights]

    ours, theirs = steps(Muon, adam=1.0), steps(torch.optim.Adam, betas=(0.9, 0.95))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ours, theirs, strict=True))


def test_a_hidden_matrix_moves_alike_in_all_its_directions():
    weight, bias = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2))
    optimizer = Muon([weight, bias], lr=0.1, hidden=[weight, bias], adam=0.5)
    ((weight * torch.tensor([[3.0, 0.0], [0.0, -0.3]])).sum() + bias.sum()).backward()
    optimizer.step()
    assert -0.13 < weight[0, 0] < -0.06 and 0.06 < weight[1, 1] < 0.13
    assert torch.allclose(
        bias, torch.full((2,), -0.05), atol=1e-5
    )  # a vector has no directions: Adam, at half the rate
