"""Each model is causal in its own order, normalised, and samples what its density says."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from genutils.autoregressive import MADE, PixelNet, PlaneNet, temper
from genutils.data import digits, ring
from genutils.model import bits_per_dim, kind
from genutils.recipes import Budget
from genutils.recipes import autoregressive as recipe
from genutils.tasks import task

ORDERS = [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(**settings) -> PixelNet:
    torch.manual_seed(0)
    model = PixelNet(**({"levels": 3, "size": 4, "classes": 2, "width": 16, "dropout": 0} | settings))
    for block in model.net.blocks:  # as after training: no block is the identity
        torch.nn.init.normal_(block[-1].weight, std=0.2)
    return model.eval()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("hidden", [(64,), (64, 48)])
def test_made_sees_every_variable_before_and_none_after(order, hidden):
    """By perturbation, not by gradients, which a flat unit can hide."""
    torch.manual_seed(1)
    model = MADE(5, levels=3, hidden=hidden, order=order)
    place = np.array(order)
    for a in range(5):
        moved = np.zeros(5, dtype=bool)
        for x in torch.randint(3, (20, 1, 5), generator=seeded()):
            y = x.clone()
            y[0, a] = (y[0, a] + 1) % 3
            moved |= ((model.logits(x) - model.logits(y)).abs().amax(-1)[0] > 0).numpy()
        assert moved.tolist() == (place > place[a]).tolist()


@pytest.mark.parametrize("order", ORDERS)
def test_made_sums_to_one_and_samples_in_its_own_order(order):
    torch.manual_seed(2)
    model = MADE(5, levels=2, hidden=(32,), order=order)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)  # far from uniform
        x = torch.tensor(list(itertools.product([0, 1], repeat=5)))
        p = model.log_prob(x).exp()
        assert p.sum().item() == pytest.approx(1, abs=1e-5)
        assert p.max() > 0.08
        drawn = model.sample(20_000, generator=seeded())
    share = np.bincount((drawn * 2 ** torch.arange(4, -1, -1)).sum(1), minlength=32) / 20_000
    assert np.abs(share - p.numpy()).max() < 5 * math.sqrt(0.25 / 20_000)


def test_made_refuses_what_it_cannot_read():
    with pytest.raises(ValueError, match="permutation"):
        MADE(3, levels=2, order=[0, 1, 1])
    with pytest.raises(ValueError, match="from 0 to 2"):
        MADE(3, levels=2).log_prob(torch.tensor([[0, 1, 2]]))
    with pytest.raises(ValueError, match="float32"):
        MADE(3, levels=2).log_prob(torch.zeros(1, 3))


def test_one_variable_alone_and_a_uniform_start():
    model = MADE(1, levels=17, hidden=(8,))
    torch.nn.init.zeros_(model.out.bias)
    assert bits_per_dim(model.log_prob(torch.arange(17)[:, None]), 1).tolist() == pytest.approx([math.log2(17)] * 17)


@pytest.mark.parametrize("order", [0, 1])
def test_no_later_pixel_matters_and_every_earlier_one_within_reach_does(order):
    model = pixels(size=6, orders=2, reach=3)
    y = torch.zeros(1, dtype=torch.long)
    for a in range(36):
        x = torch.randint(3, (8, 6, 6), generator=seeded(a))
        other = x.clone().flatten(1)
        other[:, a] = (other[:, a] + 1) % 3
        read = (lambda t: t.mT) if order else (lambda t: t)  # a is a place in the order that is read
        out, new = (model.logits(read(t.view(-1, 6, 6)), y.expand(8), order=order) for t in (x, other))
        moved = ((out - new).abs().amax((0, 2)) > 1e-6).view(6, 6)
        row, col = divmod(a, 6)
        rows, cols = torch.meshgrid(torch.arange(6), torch.arange(6), indexing="ij")
        later = (rows * 6 + cols) > a
        within = (rows - row <= 3) & ((cols - col).abs() <= 3) & ((rows > row) | (cols > col))
        assert torch.equal(moved, later & within)


@pytest.mark.parametrize("orders", [1, 2])
def test_probabilities_of_all_small_images_sum_to_one_with_and_without_label(orders):
    model = pixels(levels=2, size=3, orders=orders)
    x = torch.tensor(list(itertools.product([0, 1], repeat=9))).view(-1, 3, 3)
    with torch.no_grad():
        assert model.log_prob(x).exp().sum().item() == pytest.approx(1, abs=1e-5)
        given = [model.log_prob(x, torch.full((512,), c)) for c in range(2)]
    assert [g.exp().sum().item() for g in given] == pytest.approx([1, 1], abs=1e-5)
    assert torch.allclose(torch.stack(given).exp().mean(0), model.log_prob(x).exp(), atol=1e-6)


@pytest.mark.parametrize("orders", [1, 2])
def test_samples_have_the_probabilities_that_the_model_says(orders):
    model = pixels(levels=2, size=2, orders=orders)
    x = torch.tensor(list(itertools.product([0, 1], repeat=4))).view(-1, 2, 2)
    p = model.log_prob(x).exp().detach().numpy()
    drawn = model.sample(20_000, generator=seeded())
    share = np.bincount((drawn.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1), minlength=16) / 20_000
    assert np.abs(share - p).max() < 5 * math.sqrt(p.max() / 20_000)


def test_sampling_by_windows_follows_the_full_pass():
    """With weights so large that every draw is certain, the cache must agree with the whole image's logits."""
    model = pixels()
    with torch.no_grad():
        model.net.out.weight.mul_(1e4)
    x = model.sample(5, labels=torch.zeros(5, dtype=torch.long), generator=seeded())
    assert torch.equal(model.logits(x, torch.zeros(5, dtype=torch.long)).argmax(-1).view(5, 4, 4), x)


def test_what_is_known_is_kept_and_the_rest_depends_on_it():
    model, start = pixels(orders=2), torch.randint(3, (200, 4, 4), generator=seeded())
    done = model.sample(200, start=start, known=8, generator=seeded())
    assert torch.equal(done[:, :2], start[:, :2])
    assert not torch.equal(done[:, 2:], start[:, 2:])


@pytest.mark.parametrize("known", [0, 2])
def test_completions_are_drawn_from_what_follows_what_is_known(known):
    """By enumeration: p(rest | known) is p(x) over the sum of p(x) over all that agrees with what is known."""
    model = pixels(levels=2, size=2)
    with torch.no_grad():
        model.label.mul_(20)  # so that classes differ
    x = torch.tensor(list(itertools.product([0, 1], repeat=4))).view(-1, 2, 2)
    start = torch.tensor([[1, 0], [0, 0]])
    agrees = (x.flatten(1)[:, :known] == start.flatten()[:known]).all(1)
    with torch.no_grad():
        p = model.log_prob(x).exp() * agrees
        joint = torch.stack([model.log_prob(x, torch.full((16,), c)).exp() for c in range(model.classes)], 1)
    label = (joint * agrees[:, None]).sum(0) / (joint * agrees[:, None]).sum()
    assert torch.allclose(model.label_given(start[None], known)[0], label, atol=1e-5)
    if known:
        assert (label - 1 / model.classes).abs().max() > 0.1
    drawn = model.sample(20_000, start=start.expand(20_000, 2, 2), known=known, generator=seeded())
    share = np.bincount((drawn.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1), minlength=16) / 20_000
    assert np.abs(share - (p / p.sum()).numpy()).max() < 5 * math.sqrt(0.25 / 20_000)


def test_same_seed_same_samples():
    model = pixels(orders=2)
    assert torch.equal(model.sample(20, generator=seeded(3)), model.sample(20, generator=seeded(3)))
    assert not torch.equal(model.sample(20, generator=seeded(3)), model.sample(20, generator=seeded(4)))


def test_one_image_does_not_depend_on_its_batch():
    model, x = pixels(), torch.randint(3, (6, 4, 4), generator=seeded())
    assert torch.allclose(model.log_prob(x)[2:3], model.log_prob(x[2:3]), atol=1e-5)


def plane() -> PlaneNet:
    torch.manual_seed(0)
    model = PlaneNet(((-2, 3), (-1, 1)), knots=32, width=16)
    with torch.no_grad():
        for p in model.firsts:
            p.normal_(std=0.3)
        model.net.out.weight.mul_(4)
    return model


def test_the_plane_holds_mass_one():
    n = 500
    xs, ys = -2.2 + 5.4 * (torch.arange(n) + 0.5) / n, -1.2 + 2.4 * (torch.arange(n) + 0.5) / n
    with torch.no_grad():
        density = plane().log_prob(torch.cartesian_prod(xs, ys)).exp()
    assert (density.double().sum() * 5.4 * 2.4 / n**2).item() == pytest.approx(1, abs=2e-3)
    assert density.max() / density.mean() > 3


def test_far_away_has_a_small_finite_density():
    far = plane().log_prob(torch.tensor([[50.0, 0.0], [0.0, -9.0]]))
    assert torch.isfinite(far).all() and (far < -12).all()


def test_samples_of_the_plane_follow_its_density():
    """The mean of log q over its own samples is minus the entropy, which a grid gives as well."""
    model, n = plane(), 500
    xs, ys = -2.2 + 5.4 * (torch.arange(n) + 0.5) / n, -1.2 + 2.4 * (torch.arange(n) + 0.5) / n
    with torch.no_grad():
        log_q = model.log_prob(torch.cartesian_prod(xs, ys)).double()
        entropy = -(log_q.exp() * log_q).sum() * 5.4 * 2.4 / n**2
        own = model.log_prob(model.sample(40_000, generator=seeded()))
    assert -own.mean().item() == pytest.approx(entropy.item(), abs=5 * own.std().item() / 200 + 2e-3)


def test_recipes_run_short_and_say_exact():
    model = recipe.train(task("ring"), 0, Budget(steps=30))
    assert kind(model) == "exact" and model.log_prob(ring.sample(8, generator=seeded())).shape == (8,)
    first = recipe.train(task("digits"), 0, Budget(steps=20), width=32)
    again = recipe.train(task("digits"), 0, Budget(steps=20), width=32)
    x = torch.tensor(np.array(digits().validation[:8])).long()
    assert torch.equal(first.log_prob(x), again.log_prob(x))
    assert bits_per_dim(first.log_prob(x), 64).mean() < math.log2(17)


def test_tempering_finds_how_much_too_sure_a_network_is():
    model = pixels(orders=1)
    with torch.no_grad():
        model.net.out.weight.normal_(0, 0.3, generator=seeded())
    x = model.sample(4000, labels=(labels := torch.arange(4000) % model.classes), generator=seeded(1))
    model.basis *= 1.2  # now it is too sure of what its own samples look like
    before = model.log_prob_given(x, labels).mean()
    assert temper(model, x, labels) == pytest.approx(1.2, abs=0.051)
    assert model.log_prob_given(x, labels).mean() > before
    everything = torch.cartesian_prod(*[torch.arange(3)] * 4).view(-1, 2, 2)
    small = PixelNet(levels=3, size=2, classes=1, width=8, blocks=1)
    temper(small, everything[:5], torch.zeros(5).long())
    assert small.log_prob(everything).exp().sum().item() == pytest.approx(1, abs=1e-5)  # still exact


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cpu_and_gpu_agree():
    """In float64, since cards round the inputs of float32 convolutions to 10 bits (TF32) unless told otherwise."""
    x = torch.randint(3, (6, 4, 4), generator=seeded())
    host, card = pixels(orders=2).double(), pixels(orders=2).double().cuda()
    assert torch.allclose(card.log_prob(x.cuda()).cpu(), host.log_prob(x), atol=1e-4)


def test_either_end_of_the_levels_has_a_logit_of_its_own():
    basis = PixelNet(levels=5, width=8).basis
    assert basis.shape == (7, 5) and basis[-2:].tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]
