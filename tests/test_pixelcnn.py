"""A PixelCNN peeks at no pixel, is normalised over all images there are, and draws what its probabilities say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import expit

from genutils.model import kind
from genutils.pixelcnn import PixelCNN, log_logistic

EVERY = torch.cartesian_prod(*[torch.arange(3)] * 4).view(-1, 2, 2)  # all 81 images of 2 x 2 pixels with 3 levels


def model(**settings) -> PixelCNN:
    torch.manual_seed(1)
    made = PixelCNN(**({"size": 2, "levels": 3, "classes": 2, "width": 8, "layers": 2} | settings))
    with torch.no_grad():
        for parameter in made.parameters():  # as after training: far from uniform
            parameter.mul_(2.0)
        made.told.weight.mul_(3.0)
        if made.components:
            made.out.weight.mul_(8.0)
    return made.eval()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


HEADS = pytest.mark.parametrize("settings", [{}, {"components": 2}, {"stacks": 1}, {"components": 3, "dropout": 0.3}])


@HEADS
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_no_pixel_depends_on_itself_or_what_follows(settings, train, layers):
    """Each pixel in turn is changed, to every other level, and the same units are left out before and after."""
    net = model(size=(4, 5), layers=layers, **settings).train(train)
    x, labels = torch.randint(3, (1, 4, 5), generator=seeded()), torch.tensor([1])
    moved = x.repeat(40, 1, 1)
    for k in range(40):
        pixel = moved[k].view(-1)
        pixel[k // 2] = (pixel[k // 2] + 1 + k % 2) % 3

    def answers(images):
        torch.manual_seed(0)
        return net.log_probs(images, labels).detach().flatten(1, 2)

    told, seen = answers(x), torch.zeros(20, 20, dtype=torch.bool)
    for k in range(40):
        seen[:, k // 2] |= (answers(moved[k : k + 1]) - told).abs().amax((0, 2)) > 1e-6
    before = torch.ones(20, 20).tril(-1).bool()
    assert not (seen & ~before).any()
    if layers == 3 and settings.get("stacks") != 1 and not train:
        assert torch.equal(seen, before)


@HEADS
def test_probabilities_of_all_images_sum_to_one(settings):
    net = model(**settings)
    with torch.no_grad():
        given = torch.stack([net.log_prob(EVERY, torch.full((81,), y)) for y in range(2)])
        mixed, any_label = net.log_prob(EVERY), net.log_prob(EVERY, torch.full((81,), -1))
    assert given.exp().sum(1).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert torch.allclose(mixed.exp(), given.exp().mean(0), atol=1e-7)
    assert torch.equal(mixed, any_label)
    assert (given[0] - given[1]).abs().max() > 0.1  # the label says something
    assert kind(net) == "exact"


@HEADS
def test_one_pass_gives_what_the_levels_say(settings):
    net, x, labels = model(**settings), EVERY[::7], torch.arange(12) % 2
    with torch.no_grad():
        table, given = net.log_probs(x, labels), net.log_prob_given(x, labels)
    assert torch.allclose(table.logsumexp(-1), torch.zeros(12, 2, 2), atol=1e-5)
    assert torch.allclose(table.gather(-1, x[..., None])[..., 0], given, atol=1e-5)
    assert torch.allclose(net.log_prob(x, labels), given.sum((1, 2)), atol=1e-5)


def test_labels_told_and_not_told_stand_in_one_batch():
    net, x, labels = model(), EVERY[:4], torch.tensor([0, -1, 1, -1])
    with torch.no_grad():
        found = net.log_prob(x, labels)
        alone = [net.log_prob(x[i : i + 1], labels[i : i + 1]) for i in range(4)]
    assert torch.allclose(found, torch.cat(alone), atol=1e-6)


def chi_square(x, p) -> float:
    """Of images against their probabilities (81,); about as large as there are images."""
    share = np.bincount(x.flatten(1).numpy() @ np.array([27, 9, 3, 1]), minlength=81)
    expected = len(x) * p.double().numpy()
    return float(((share - expected) ** 2 / np.maximum(expected, 1e-9)).sum())


@pytest.mark.parametrize("settings", [{}, {"components": 2}])
def test_samples_come_as_often_as_their_probability(settings):
    net = model(**settings)
    with torch.no_grad():
        p = [net.log_prob(EVERY).exp(), net.log_prob(EVERY, torch.ones(81).long()).exp()]
    x = net.sample(6000, generator=seeded())
    assert chi_square(x, p[0]) < 150 < chi_square(x, p[1])
    assert chi_square(net.sample(6000, torch.ones(6000).long(), generator=seeded()), p[1]) < 150


@pytest.mark.parametrize("known", [1, 2, 3])
@pytest.mark.parametrize("labels", [None, 1])
def test_a_completion_keeps_what_is_known_and_is_a_draw_from_the_conditional(known, labels):
    """The conditional by enumeration: all images that begin alike, their probabilities divided by their sum."""
    net, begin = model(components=2), torch.tensor([[2, 0], [1, 0]])
    given = None if labels is None else torch.full((6000,), labels)
    start = begin.expand(6000, 2, 2)
    x = net.sample(6000, given, start=start, known=known, generator=seeded())
    assert torch.equal(x.flatten(1)[:, :known], start.flatten(1)[:, :known])
    same = (EVERY.flatten(1)[:, :known] == begin.flatten()[:known]).all(1)
    with torch.no_grad():
        joint = net.log_prob(EVERY, None if labels is None else torch.full((81,), labels)).exp() * same
    assert chi_square(x, joint / joint.sum()) < same.sum() + 5 * math.sqrt(2 * same.sum())


def test_the_label_of_a_beginning_follows_by_bayes():
    net, x = model(), EVERY[[3, 40, 77]]
    with torch.no_grad():
        given = torch.stack([net.log_prob(EVERY, torch.full((81,), y)).exp() for y in range(2)], 1)  # (81, 2)
    for row, p in zip(x, net.label_given(x, 2), strict=True):
        same = (EVERY[:, 0] == row[0]).all(1)
        assert torch.allclose(p, given[same].sum(0) / given[same].sum(), atol=1e-5)
    assert torch.allclose(net.label_given(x, 0), torch.full((3, 2), 0.5))


def test_a_mask_of_a_beginning_is_that_number_and_one_with_a_hole_is_refused():
    net, start = model(classes=None), EVERY[50:55]
    mask = torch.tensor([[True, True], [True, False]])
    by_mask = net.sample(5, start=start, known=mask, generator=seeded())
    assert torch.equal(by_mask, net.sample(5, start=start, known=3, generator=seeded()))
    assert torch.equal(net.sample(5, start=start, known=4), start)
    hole = torch.tensor([[True, False], [True, False]])
    with pytest.raises(ValueError, match=r"pixel \(1, 0\) is known, but \(0, 1\), which comes before it, is not"):
        net.sample(5, start=start, known=hole)


def test_what_is_not_known_is_not_looked_at_and_nothing_is_written_into():
    net, start = model(), EVERY[:6].clone()
    kept, other = start.clone(), start.clone()
    other[:, 1] = 2
    found = [net.train().sample(6, start=s, known=2, generator=seeded(3)) for s in (start, other)]
    assert torch.equal(*found) and torch.equal(start, kept) and net.training


def test_warped_images_are_told_apart():
    net, x = model(), EVERY[:9]
    with torch.no_grad():
        plain = net.log_prob(x, torch.zeros(9).long(), warped=torch.zeros(9))
        warped = net.log_prob(x, torch.zeros(9).long(), warped=torch.ones(9))
    assert torch.equal(plain, net.log_prob(x, torch.zeros(9).long()))
    assert (plain - warped).abs().max() > 1e-3


def test_without_places_all_that_is_known_of_a_place_is_its_surroundings():
    """Far from the edges two equal windows get equal distributions."""
    net = model(size=(9, 9), places=False, classes=None, first=1, layers=1)
    x = torch.randint(3, (1, 9, 9), generator=seeded())
    x[0, 5:8, 1:6] = x[0, 2:5, 3:8]
    with torch.no_grad():
        found = net.log_probs(x)[0]
    assert torch.allclose(found[7, 3], found[4, 5], atol=1e-6)
    assert not torch.allclose(found[7, 3], found[4, 4], atol=1e-3)


# The logistic density in levels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [2, 17, 256])
@pytest.mark.parametrize("mu", [-30.0, 0.0, 7.3, 16.0, 300.0])
@pytest.mark.parametrize("log_s", [-3.0, 0.0, 3.0])
def test_levels_sum_to_one_with_their_edges(levels, mu, log_s):
    x = torch.arange(levels)
    found = log_logistic(x, torch.tensor(mu, dtype=torch.float64), torch.tensor(log_s, dtype=torch.float64), levels)
    s, edges = math.exp(log_s), np.arange(levels + 1) - 0.5
    below = expit((edges - mu) / s)
    below[0], below[-1] = 0, 1
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-10)
    assert np.allclose(found.exp().numpy(), np.diff(below), atol=1e-12)


def test_far_from_its_mean_a_level_has_a_small_probability_and_not_none():
    """In float32 a difference of two sigmoids is 0 there, or not a number in the logarithm."""
    mu, log_s = torch.tensor(0.0), torch.tensor(-2.0)
    found = log_logistic(torch.arange(256), mu, log_s, 256)
    s = math.exp(-2)
    assert found.isfinite().all()
    assert found[100].item() == pytest.approx(-99.5 / s + math.log1p(-math.exp(-1 / s)), rel=1e-5)
    mu = mu.requires_grad_()
    log_logistic(torch.tensor([0, 200, 255]), mu, log_s, 256).sum().backward()
    assert math.isfinite(mu.grad.item())


def test_errors_say_what_to_do():
    net = model()
    with pytest.raises(ValueError, match=r"shape \(B, 2, 2\); these have shape \(1, 3, 3\). Reshape them, or make one"):
        net.log_prob(torch.zeros(1, 3, 3).long())
    with pytest.raises(ValueError, match="whole numbers 0 ... 2; these .* 3"):
        net.log_prob(EVERY + 1)
    with pytest.raises(ValueError, match="0 ... 1.* from 2 to 2"):
        net.log_prob(EVERY[:1], torch.tensor([2]))
    with pytest.raises(ValueError, match="made without classes"):
        model(classes=None).sample(2, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="made without classes, so there is no label"):
        model(classes=None).label_given(EVERY[:1], 1)
    with pytest.raises(ValueError, match="2 pixels are said to be known: give start"):
        net.sample(1, known=2)
    with pytest.raises(ValueError, match="start must hold 3 images.*it holds 2"):
        net.sample(3, start=EVERY[:2], known=1)
    with pytest.raises(ValueError, match="known is how many of 4 pixels.*it is 5"):
        net.sample(1, start=EVERY[:1], known=5)
    with pytest.raises(ValueError, match=r"booleans of shape \(2, 2\); it is torch.int64"):
        net.sample(1, start=EVERY[:1], known=torch.ones(2, 2).long())
    for name, value in {"levels": 1, "width": 0, "stacks": 3, "components": -1, "classes": 0, "size": 0}.items():
        with pytest.raises(ValueError, match=f"{name} is .*; it is {value}"):
            model(**{name: value})
