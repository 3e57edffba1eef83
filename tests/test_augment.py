"""Warps keep what they promise: whole levels, no more ink than there was, known shifts, the same from the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from genutils.augment import warp
from genutils.data import digits

NOTHING = {"shift": 0, "rotation": 0, "scale": 0, "shear": 0}


def images(n: int = 64) -> torch.Tensor:
    return torch.tensor(np.array(digits().train[:n])).long()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_no_warp_changes_nothing():
    assert torch.equal(warp(images(), **NOTHING), images())


def test_levels_stay_whole_and_within_range():
    out = warp(images(), generator=seeded())
    assert out.dtype == torch.int64 and 0 <= out.min() and out.max() <= 16
    assert not torch.equal(out, images())


def test_the_same_seed_gives_the_same_copies_and_another_seed_others():
    assert torch.equal(warp(images(), generator=seeded(1)), warp(images(), generator=seeded(1)))
    assert not torch.equal(warp(images(), generator=seeded(1)), warp(images(), generator=seeded(2)))


def test_a_shift_moves_the_centre_of_mass_by_at_most_that_much():
    x = torch.zeros(500, 8, 8, dtype=torch.long)
    x[:, 3:5, 3:5] = 16
    out = warp(x, generator=seeded(), **(NOTHING | {"shift": 1.0})).numpy()
    centres = np.array([ndimage.center_of_mass(im) for im in out])
    assert np.abs(centres - 3.5).max() <= 1.05  # rounding to whole levels moves a centre a little
    assert np.abs(centres.mean(0) - 3.5).max() < 0.15 and centres.std(0).min() > 0.4


def test_a_rotation_turns_about_the_middle():
    x = torch.zeros(400, 9, 9, dtype=torch.long)
    x[:, 4, :] = 16  # a horizontal bar
    out = warp(x, generator=seeded(), **(NOTHING | {"rotation": 20.0})).numpy()
    assert (out[:, 4, 4] == 16).all()
    rows, cols = np.mgrid[-4:5, -4:5]
    inner = (rows**2 + cols**2) <= 16  # what no turn can push out of the picture
    slope = (out * rows * cols * inner).sum((1, 2)) / (out * cols**2 * inner).sum((1, 2))
    angles = np.degrees(np.arctan(slope))
    assert np.abs(angles).max() < 22 and angles.std() > 8


def test_a_stretch_divides_lengths_by_one_plus_at_most_scale():
    x = torch.zeros(400, 32, 32, dtype=torch.long)
    x[:, :, 12:20] = 16  # a vertical band, 8 wide
    out = warp(x, generator=seeded(), **(NOTHING | {"scale": 0.5})).numpy()
    wide = out[:, 16].sum(1) / 16
    assert 8 / 1.5 - 0.2 <= wide.min() < 5.7 and 14.5 < wide.max() <= 8 / 0.5 + 0.2


def test_the_defaults_are_what_they_are_said_to_be():
    said = {"shift": 1.0, "rotation": 8.0, "scale": 0.08, "shear": 0.1, "levels": 17}
    assert torch.equal(warp(images(), generator=seeded()), warp(images(), generator=seeded(), **said))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (torch.zeros(2, 8, 8), "whole numbers"),
        (torch.full((2, 8, 8), 17), "run from 17"),
        (torch.zeros(64).long(), "N, H, W"),
    ],
)
def test_what_it_refuses(bad, says):
    with pytest.raises(ValueError, match=says):
        warp(bad)
