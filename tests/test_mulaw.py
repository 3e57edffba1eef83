"""Mu-law: there and back within the stated error, the same share of loud and soft, nothing beyond full scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genutils import mulaw
from genutils.data import Audio

LEVELS = st.sampled_from([2, 4, 64, 255, 256, 1024])
WAVES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40).map(lambda x: torch.tensor(x).double())


@given(WAVES, st.sampled_from([1.0, 63.0, 255.0]))
def test_expand_undoes_compress(x, mu):
    y = mulaw.compress(x, mu)
    assert torch.allclose(mulaw.expand(y, mu), x, atol=1e-12)
    assert torch.allclose(mulaw.compress(-x, mu), -y)  # odd
    assert (y.abs() >= x.abs() - 1e-12).all()  # what is soft gets louder


@given(WAVES, LEVELS)
def test_the_error_of_rounding_is_below_its_bound(x, levels):
    mu, back = levels - 1, mulaw.decode(mulaw.encode(x, levels), levels).double()
    larger = torch.maximum(x.abs(), back.abs())
    bound = math.log1p(mu) * (1 + mu * larger) / (mu * levels)  # half a bin times the steepest slope of `expand`
    assert ((x - back).abs() <= bound * (1 + 1e-6) + 1e-7).all()
    assert torch.equal(mulaw.encode(back, levels), mulaw.encode(x, levels))  # nothing is lost a second time


@pytest.mark.parametrize("levels", [2, 5, 64, 256])
def test_levels_edges_and_middles_fit_together(levels):
    edges, middles = mulaw.edges(levels), mulaw.middles(levels)
    assert edges[0] == pytest.approx(-1) and edges[-1] == pytest.approx(1) and len(edges) == levels + 1
    assert ((edges[:-1] < middles) & (middles < edges[1:])).all()
    assert torch.allclose(middles, -middles.flip(0), atol=1e-12)
    inside = edges[:-1] + (edges[1:] - edges[:-1]) * torch.tensor([[1e-4], [0.5], [1 - 1e-4]]).double()
    assert (mulaw.encode(inside, levels) == torch.arange(levels)).all()
    assert mulaw.encode(torch.tensor([-1.0, 1.0]), levels).tolist() == [0, levels - 1]


def test_soft_sounds_keep_their_share_of_error_and_equal_steps_do_not():
    generator, ratios = torch.Generator().manual_seed(0), {"mu-law": [], "equal steps": []}
    for loud in (0.9, 0.09, 0.009):
        x = loud * (2 * torch.rand(20_000, generator=generator) - 1)
        ratios["mu-law"].append(mulaw.signal_to_noise(x, mulaw.decode(mulaw.encode(x))))
        ratios["equal steps"].append(mulaw.signal_to_noise(x, ((x * 128).floor() + 0.5) / 128))
    assert np.ptp(ratios["mu-law"]) < 12 and min(ratios["mu-law"]) > 25
    assert np.diff(ratios["equal steps"]) == pytest.approx([-20, -20], abs=1.5)  # a tenth as loud: 20 dB less


def test_a_tone_of_known_error_has_its_ratio():
    x = torch.sin(torch.arange(1000) * 0.1)
    assert mulaw.signal_to_noise(x, x * 0.99) == pytest.approx(40, abs=1e-3)


def test_a_sound_as_it_is_or_what_is_wrong_with_it():
    tone = (0.9 * np.sin(np.arange(800) * 0.3)).astype(np.float32)
    assert torch.equal(mulaw.wave(Audio(tone, 8000, "tone.wav"), 8000), torch.tensor(tone))
    with pytest.raises(ValueError, match=r"44,100 Hz, and 8,000 Hz is wanted.*resample_poly\(audio.samples, 80, 441\)"):
        mulaw.wave(Audio(tone, 44_100, "tone.wav, 0.02 seconds at 44,100 Hz"), 8000)
    with pytest.raises(ValueError, match="tone.wav: from sample 3 on it stays at 0.6: it was cut off there"):
        mulaw.wave(Audio(tone.clip(-0.6, 0.6), 8000, "tone.wav"), 8000)
    with pytest.raises(ValueError, match="silent"):
        mulaw.wave(Audio(tone * 0, 8000, "tone.wav"), 8000)
