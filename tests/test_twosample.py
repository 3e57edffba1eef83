"""Two samples compared: closed forms, an integral that must agree, bias, invariances, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genutils import twosample
from genutils.twosample import energy_distance, mode_counts, modes_covered, real_against_real


def by_cdf(x, y):
    """The squared energy distance of two samples on the line, ``2 * integral (F - G)^2``, with self-pairs counted."""
    places = np.sort(np.concatenate([x, y]))
    f, g = (np.searchsorted(np.sort(s), places, side="right") / len(s) for s in (x, y))
    return 2 * ((f - g)[:-1] ** 2 * np.diff(places)).sum()


def test_on_the_line_it_is_twice_the_squared_distance_of_the_cdfs():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=70), rng.normal(0.5, 2, size=110)
    inner = [np.abs(s[:, None] - s).mean() / (len(s) - 1) for s in (x, y)]  # what leaving self-pairs out changes
    assert energy_distance(x[:, None], y[:, None]) == pytest.approx(by_cdf(x, y) - sum(inner), abs=1e-12)


def test_two_gaussians_have_the_distance_of_the_closed_form():
    rng = np.random.default_rng(1)
    mean, n = 1.5, 1500

    def folded(mu, sigma):  # E|N(mu, sigma^2)|
        return sigma * math.sqrt(2 / math.pi) * math.exp(-(mu**2) / (2 * sigma**2)) + mu * math.erf(
            mu / (sigma * math.sqrt(2))
        )

    want = 2 * folded(mean, math.sqrt(2)) - 2 * folded(0, math.sqrt(2))
    found = [energy_distance(rng.normal(size=(n, 1)), rng.normal(mean, 1, size=(n, 1))) for _ in range(12)]
    assert abs(np.mean(found) - want) < 4 * np.std(found, ddof=1) / math.sqrt(len(found))


def test_it_is_unbiased_where_there_is_no_difference():
    rng = np.random.default_rng(2)
    found = np.array([energy_distance(rng.normal(size=(12, 3)), rng.normal(size=(9, 3))) for _ in range(3000)])
    assert abs(found.mean()) < 4 * found.std() / math.sqrt(len(found))
    assert (found < 0).any() and (found > 0).any()


def test_it_is_symmetric_and_knows_shift_rotation_and_scale():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 3)), rng.normal(1, 2, size=(30, 3))
    value = energy_distance(x, y)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert energy_distance(y, x) == pytest.approx(value)
    assert energy_distance(x @ turn + 5, y @ turn + 5) == pytest.approx(value)
    assert energy_distance(3 * x, 3 * y) == pytest.approx(3 * value)


def test_chunks_and_kinds_of_arrays_change_nothing(monkeypatch):
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 17, (30, 8, 8)), rng.integers(0, 17, (20, 8, 8))
    whole = energy_distance(x, y)
    monkeypatch.setattr(twosample, "CHUNK", 50)
    assert energy_distance(x, y) == pytest.approx(whole)
    assert energy_distance(torch.from_numpy(x), torch.from_numpy(y.astype(np.uint8))) == pytest.approx(whole)
    assert energy_distance(x.reshape(30, 64), y.reshape(20, 64)) == pytest.approx(whole)


def test_modes_are_counted_by_the_nearest_centre(monkeypatch):
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    samples = np.array([[0.1, 0.0], [0.45, 0.0], [0.55, 0.0], [1.2, 0.0], [1.3, 0.0], [5.0, 5.0]])
    assert mode_counts(samples, centres, 1.0).tolist() == [2, 3, 0]
    assert mode_counts(torch.from_numpy(samples).float(), torch.from_numpy(centres), 0.25).tolist() == [1, 1, 0]
    monkeypatch.setattr(twosample, "CHUNK", 3)
    assert mode_counts(samples, centres, 1.0).tolist() == [2, 3, 0]


def test_a_stray_sample_covers_nothing():
    centres = np.array([[0.0, 0.0], [10.0, 0.0]])
    samples = np.concatenate([np.zeros((999, 2)), [[10.0, 0.0]]])
    assert modes_covered(samples, centres, 1.0) == 1
    assert modes_covered(samples, centres, 1.0, least=0) == 2
    assert modes_covered(samples[:3], centres, 1.0, least=0) == 1  # none at all never counts


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: energy_distance(np.zeros((3, 2)), np.zeros((3, 4))), "cannot be compared"),
        (lambda: energy_distance(np.zeros((1, 2)), np.zeros((3, 2))), "two examples"),
        (lambda: energy_distance(np.zeros(5), np.zeros((3, 2))), r"\(B, D\)"),
        (lambda: energy_distance(np.array([[0.0], [np.nan]]), np.zeros((3, 1))), "example 1 is not finite"),
        (lambda: mode_counts(np.zeros((3, 2)), np.zeros((3, 3)), 1.0), "agree"),
        (lambda: mode_counts(np.zeros((3, 2)), np.zeros((3, 2)), 0.0), "positive"),
    ],
)
def test_it_says_what_is_wrong(call, words):
    with pytest.raises(ValueError, match=words):
        call()


class TestRealAgainstReal:
    def test_samples_do_not_overlap_and_have_the_size(self):
        seen = []
        values = real_against_real(lambda a, b: seen.append((a, b)) or 0.0, np.arange(10), 5, repeats=50)
        assert values.shape == (50,)
        assert all(sorted([*a, *b]) == list(range(10)) and len(a) == len(b) == 5 for a, b in seen)
        assert len({tuple(a) for a, _ in seen}) > 40

    def test_the_second_sample_may_come_from_elsewhere(self):
        values = real_against_real(lambda a, b: float(b.min() - a.max()), np.arange(5), 5, against=np.arange(9) + 100)
        assert values.min() >= 96 and len(set(values)) > 1

    def test_the_order_of_the_data_plays_no_part_and_tensors_serve(self):
        writers = torch.arange(2).repeat_interleave(500).float()[:, None]
        first = energy_distance(writers[:500], writers[500:])
        honest = real_against_real(energy_distance, writers, 500)
        assert first > 0.9 and abs(honest).max() < 0.02

    def test_the_seed_decides(self):
        one, same, other = (
            real_against_real(lambda a, b: float(a[0] - b[0]), np.arange(50), 3, seed=s) for s in (1, 1, 2)
        )
        assert (one == same).all() and (one != other).any()

    @pytest.mark.parametrize(
        ("n", "more", "says"),
        [
            (6, {}, "10 real examples are too few for samples of 6"),
            (5, {"against": np.arange(4)}, "4 examples to compare with are too few"),
            (0, {}, "1 or more; they are 0"),
            (2, {"repeats": 0}, "1 or more; they are 2 and 0"),
        ],
    )
    def test_too_few_are_refused(self, n, more, says):
        with pytest.raises(ValueError, match=says):
            real_against_real(lambda a, b: 0.0, np.arange(10), n, **more)
