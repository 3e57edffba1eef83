"""Strings: normalised, sampled as they say, promises kept, and their pitch and damping where the formula puts them."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import integrate, stats

from genutils import mulaw
from genutils.strings import Strings, log_between


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def tiny():
    return Strings(delays=(1, 2), levels=3, loudness=(0.3, 0.9), noise=0.2, loss=0.9)


@pytest.mark.parametrize("labels", [None, 0, 1])
def test_all_notes_of_one_length_have_probability_one(tiny, labels):
    every = torch.cartesian_prod(*[torch.arange(3)] * 6)
    told = None if labels is None else torch.full((len(every),), labels)
    assert tiny.log_prob(every, told).exp().sum().item() == pytest.approx(1, abs=1e-10)


def test_without_a_label_the_strings_are_mixed_evenly(tiny):
    x = tiny.sample(30, length=7, generator=seeded())
    each = torch.stack([tiny.log_prob(x, torch.full((30,), c)) for c in range(2)])
    assert torch.allclose(tiny.log_prob(x), torch.logsumexp(each, 0) - math.log(2))
    told = torch.tensor([0, 1, -1] * 10)
    mixed = torch.where(told < 0, tiny.log_prob(x), each[told.clamp(min=0), torch.arange(30)])
    assert torch.allclose(tiny.log_prob(x, told), mixed)


def test_samples_come_as_often_as_their_probability_says(tiny):
    every = torch.cartesian_prod(*[torch.arange(3)] * 4)
    n, p = 40_000, tiny.log_prob(every).exp().numpy()
    x = tiny.sample(n, length=4, generator=seeded(1))
    counts = torch.bincount(x @ torch.tensor([27, 9, 3, 1]), minlength=81).numpy()
    assert counts[p * n < 1e-6].sum() == 0
    kept = p * n > 5
    assert stats.chisquare(counts[kept], p[kept] * counts[kept].sum() / p[kept].sum()).pvalue > 1e-4


def test_what_is_paid_is_what_was_promised():
    """The predictor is calibrated: over fresh notes its surprise equals its entropy, within its error."""
    strings, labels = Strings(), torch.arange(160) % 8
    x = strings.sample(160, labels, generator=seeded(2))
    p = strings.next_probs(x, labels)  # (B, T, L)
    promised = torch.special.entr(p).sum(2)
    difference = (strings.surprise(x, labels) - promised).nanmean(1)
    assert abs(difference.mean()) < 4 * difference.std() / math.sqrt(len(x))
    assert torch.allclose(p[~p.isnan()].view(-1, 64).sum(1), torch.ones(()).double())
    at = p.gather(2, x[..., None])[..., 0]
    ringing = ~at.isnan()
    assert torch.allclose(-at[ringing].log(), strings.surprise(x, labels)[ringing], atol=1e-6)
    assert (ringing.sum(1) == 512 - strings.delays[labels] - 1).all()


def test_nobody_who_knows_less_does_better():
    strings, labels = Strings(), torch.arange(80) % 8
    x = strings.sample(80, labels, generator=seeded(3))
    told, untold, wrong = (strings.log_prob(x, y) for y in (labels, None, labels.roll(1)))
    assert (told - untold).mean() > 0 and (untold - wrong).min() > 0
    assert (told - untold).max() <= math.log(8) + 1e-9  # p(x) >= p(x | y) p(y)


def test_pitch_and_damping_are_heard_in_the_samples():
    strings = Strings(delays=(30, 15), levels=2**14, noise=1e-4, loss=0.995)
    for label in (0, 1):
        x = strings.sample(50, torch.full((50,), label), length=4000, loudness=0.4, generator=seeded(4))
        w, pitch = mulaw.decode(x, 2**14).double(), strings.pitches[label].item()
        period = round(strings.rate / pitch)
        assert period == 2 * int(strings.delays[label]) + 1
        for overtone in (1, 3):
            turn = torch.exp(-2j * math.pi * overtone * pitch * torch.arange(4000) / strings.rate)
            size = ((w * turn).unfold(1, period, period).mean(2).abs() ** 2).mean(0).sqrt()
            fallen = -(size[35] / size[15]).log().item() * pitch / 20  # when faster waves are gone
            assert fallen == pytest.approx(strings.damping(overtone)[label].item(), rel=0.03)


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.2), (-1.0, 3.0), (-9.0, -8.5), (8.5, 9.0), (30.0, 31.0)])
def test_the_logarithm_of_an_interval_is_that_of_quadrature(a, b):
    near = min(abs(a), abs(b)) if a * b > 0 else 0.0
    area, _ = integrate.quad(lambda e: math.exp((near**2 - e**2) / 2), a, b, epsabs=0)
    want = math.log(area) - near**2 / 2 - math.log(2 * math.pi) / 2
    ends = (torch.tensor(end, dtype=torch.float64) for end in (a, b))
    assert log_between(*ends).item() == pytest.approx(want, rel=1e-9)


def test_an_interval_without_an_end_has_the_tail():
    a = torch.tensor([-math.inf, 2.0], dtype=torch.float64)
    b = torch.tensor([0.3, math.inf], dtype=torch.float64)
    want = [stats.norm.logcdf(0.3), stats.norm.logsf(2.0)]
    assert log_between(a, b).tolist() == pytest.approx(want, rel=1e-12)


def test_a_pitch_names_its_string_or_is_refused():
    strings = Strings()
    assert [strings.string(p) for p in strings.pitches.tolist()] == list(range(8))
    with pytest.raises(ValueError, match="no string is near 440 Hz: they go from 131 to 258 Hz.*N = "):
        strings.string(440.0)
