"""WaveNet: nothing later matters, everything in reach does; the cache gives what the whole pass gives."""

from __future__ import annotations

import math

import pytest
import torch

from genutils.strings import Strings
from genutils.training import fit
from genutils.wavenet import WaveNet, from_full_past


def net(**changed):
    torch.manual_seed(0)
    settings = {"levels": 8, "classes": 3, "layers": 3, "channels": 12, "features": 16} | changed
    return WaveNet(**settings)


def notes(n=4, length=30, levels=8):
    return torch.randint(levels, (n, length), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("layers", "cycles", "reach"), [(1, 1, 2), (3, 1, 8), (2, 2, 7)])
def test_outputs_see_the_past_within_reach_and_nothing_else(layers, cycles, reach):
    model, x, y = net(layers=layers, cycles=cycles).double(), notes(1), torch.tensor([2])
    assert model.receptive_field == reach
    was = model.logits(x, y)
    for i in range(30):
        other = x.clone()
        other[0, i] = (x[0, i] + 3) % 8
        moved = (model.logits(other, y) - was).abs().amax(2)[0] > 1e-12  # (T,)
        t = torch.arange(30)
        assert torch.equal(moved, (t > i) & (t <= i + reach)), f"sample {i} moves {moved.nonzero().flatten()}"


@pytest.mark.parametrize("cycles", [1, 2])
def test_a_step_of_the_cache_equals_the_whole_pass_at_every_place(cycles):
    model, x, y = net(cycles=cycles), notes(), torch.tensor([0, 2, 1, 0])
    with torch.no_grad():
        whole, cache = model.logits(x, y), model.begin(y)
        for t in range(30):
            found = model.step(cache, x[:, t - 1] if t else None)
            assert torch.allclose(found, whole[:, t], atol=1e-5), t


def test_cached_samples_are_those_of_the_slow_way():
    model, y = net(), torch.tensor([0, 2, 1, 0])
    fast = model.sample(4, y, length=40, generator=torch.Generator().manual_seed(5))
    generator, slow = torch.Generator().manual_seed(5), torch.zeros(4, 40, dtype=torch.long)
    with torch.no_grad():
        for t in range(40):
            p = model.logits(slow[:, : t + 1], y)[:, -1].softmax(-1)
            slow[:, t] = torch.multinomial(p, 1, generator=generator)[:, 0]
    assert torch.equal(fast, slow)


def test_what_has_begun_goes_on_from_its_past():
    model, y, start = net(), torch.tensor([0, 2, 1, 0]), notes(length=11)
    x = model.sample(4, y, length=25, start=start, generator=torch.Generator().manual_seed(5))
    assert x.shape == (4, 25) and torch.equal(x[:, :11], start)
    assert torch.equal(model.sample(4, y, length=11, start=start), start)
    p = model.log_prob(torch.cat([start[:1, :3].expand(8, 3), torch.arange(8)[:, None]], 1), torch.zeros(8).long())
    drawn = model.sample(4000, torch.zeros(4000).long(), length=4, start=start[:1, :3].expand(4000, 3))[:, 3]
    share = torch.bincount(drawn, minlength=8) / 4000
    assert (share - p.softmax(0)).abs().max() < 0.04


def test_probabilities_add_up_given_a_label_or_none():
    model, every = net(levels=3, layers=2), torch.cartesian_prod(*[torch.arange(3)] * 5)
    each = [model.log_prob(every, torch.full((243,), c)) for c in range(3)]
    for log_prob in (*each, model.log_prob(every)):
        assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-4)
    assert torch.allclose(model.log_prob(every).exp(), torch.stack(each).exp().mean(0), atol=1e-6)
    posterior = torch.stack(each, 1).softmax(1)
    assert torch.allclose(model.label_given(every), posterior, atol=1e-5)
    told = torch.tensor([0, 1, 2, -1] * 60 + [2, -1, 0])
    mixed = torch.where(told < 0, model.log_prob(every), torch.stack(each)[told.clamp(min=0), torch.arange(243)])
    assert torch.allclose(model.log_prob(every, told), mixed, atol=1e-5)


def test_a_label_that_nobody_gave_is_drawn_from_what_is_heard():
    model, start = net(), notes(1, 6)
    with torch.no_grad():
        for block in model.blocks:
            block.told.weight.mul_(3)
    drawn = model.sample(3000, length=7, start=start.expand(3000, 6), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        p = sum(
            model.label_given(start)[0, c] * model.logits(notes(1, 7), torch.tensor([c]))[0, 6].softmax(0)
            for c in range(3)
        )
    assert (torch.bincount(drawn[:, 6], minlength=8) / 3000 - p).abs().max() < 0.05


def test_it_learns_a_string_towards_the_limit():
    strings = Strings(delays=(3, 2), levels=16, noise=0.02, loudness=(0.4,), length=64)
    model, generator = net(levels=16, classes=2, layers=2), torch.Generator().manual_seed(3)

    def batch(n):
        y = torch.randint(2, (n,), generator=generator)
        return strings.sample(n, y, generator=generator), y

    x, y = batch(200)
    gap = [(strings.log_prob(x, y) - model.log_prob(x, y)).mean().item() / 64]
    fit(model, batch, steps=80, batch_size=16, lr=2e-2)
    gap.append((strings.log_prob(x, y) - model.log_prob(x, y)).mean().item() / 64)
    assert gap[0] > 1 and 0 < gap[1] < 0.5 * gap[0], gap


def test_windows_from_within_are_scored_from_a_full_past_only():
    model, x = net(), notes()
    batch = {"x": x, "labels": torch.tensor([0, 2, 1, 0])}
    want = model.surprise(**batch)[:, 8:].mean()
    assert from_full_past(model, batch).item() == pytest.approx(want.item(), rel=1e-6)
    cut = {"x": x[:, 5:], "labels": batch["labels"]}  # the same samples, with less before them
    assert torch.allclose(model.surprise(**cut)[:, 8:], model.surprise(**batch)[:, 13:], atol=1e-5)
    with pytest.raises(ValueError, match="a window of 8 samples is no longer than the receptive field of 8"):
        from_full_past(model, {"x": x[:, :8]})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"start": torch.zeros(2, 0, dtype=torch.long)}, "An empty one is no beginning: leave start out"),
        ({"start": torch.zeros(2, 9, dtype=torch.long)}, r"T = 1 \.\.\. 5; its shape is \(2, 9\)"),
        ({"start": torch.full((2, 2), 8)}, r"0 \.\.\. 7; these are"),
        ({"labels": torch.tensor([0, 3])}, r"0 \.\.\. 2, one for each example"),
    ],
)
def test_what_sample_refuses(changed, words):
    with pytest.raises(ValueError, match=words):
        net().sample(2, length=5, **changed)


def test_a_new_net_already_bets_evenly_enough():
    assert net(levels=64).log_prob(notes(levels=64), None).mean().item() == pytest.approx(-30 * math.log(64), rel=0.1)
