"""Sprites: pictures agree with their causes, change smoothly with them, and repeat where their symmetry says so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genutils import data
from genutils.sprites import SHAPES, sprite, sprites


def some(n=300, **settings):
    return sprites(n, generator=np.random.default_rng(0), **settings)


class TestPictures:
    def test_agree_with_their_factors(self):
        s = some()
        at = np.arange(16) + 0.5
        ink = s.images.sum((1, 2))
        assert np.abs((s.images.sum(1) @ at) / ink - s["x"]).max() < 0.1  # the centre of mass
        assert np.abs((s.images.sum(2) @ at) / ink - s["y"]).max() < 0.1
        assert np.abs(ink / (math.pi * s["size"] ** 2) - 1).max() < 0.1  # the ink is the area, whatever the shape

    def test_lie_in_the_unit_interval_with_no_ink_cut_off(self):
        s = some(1000)
        assert s.images.min() == 0 and s.images.max() == 1 and s.images.dtype == np.float64
        corner = 2 * s["size"].max() * math.sqrt(math.pi / (3 * math.sqrt(3)))  # of a triangle
        assert s["x"].min() > corner and s["y"].max() < 16 - corner

    @pytest.mark.parametrize("shape", SHAPES)
    def test_one_picture_is_drawn_as_among_many(self, shape):
        s = some()
        i = int(np.flatnonzero(s["shape"] == SHAPES.index(shape))[0])
        x, y, size, angle, _ = s.factors[i]
        assert np.allclose(sprite(x, y, size, angle, shape), s.images[i])

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("factor", ["x", "y", "size", "angle"])
    def test_change_smoothly(self, shape, factor):
        base = dict(x=8.1, y=7.7, size=3.2, angle=0.4)
        nudged = {**base, factor: base[factor] + 1e-3}
        assert np.abs(sprite(**base, shape=shape) - sprite(**nudged, shape=shape)).max() < 6e-3

    def test_symmetries(self):
        quarter, third = math.pi / 2, 2 * math.pi / 3
        assert np.allclose(sprite(angle=0.2, shape="square"), sprite(angle=0.2 + quarter, shape="square"))
        assert np.allclose(sprite(angle=0.2, shape="triangle"), sprite(angle=0.2 + third, shape="triangle"))
        assert np.allclose(sprite(angle=0.2), sprite(angle=1.0))
        assert not np.allclose(sprite(angle=0.2, shape="square"), sprite(angle=0.6, shape="square"), atol=0.1)
        assert np.allclose(sprite(x=7, angle=0), sprite(x=9, angle=0)[:, ::-1])
        turned = np.rot90(sprite(angle=0.0, shape="triangle"), -1)  # a quarter, clockwise
        assert np.allclose(turned, sprite(angle=quarter, shape="triangle"))

    def test_move_by_whole_pixels(self):
        assert np.allclose(np.roll(sprite(x=6, shape="triangle"), 3, axis=1), sprite(x=9, shape="triangle"))


class TestFactors:
    def test_are_independent_and_uniform(self):
        s = some(4000)
        for name, low, high in [("x", 5.5, 10.5), ("y", 5.5, 10.5), ("size", 1.8, 3.2)]:
            assert low <= s[name].min() and s[name].max() <= high
            assert abs(s[name].mean() - (low + high) / 2) < 5 * (high - low) / math.sqrt(12 * len(s))
        correlation = np.corrcoef(s.factors[:, :3].T) - np.eye(3)
        assert np.abs(correlation).max() < 5 / math.sqrt(len(s))
        assert (np.abs(np.bincount(s["shape"].astype(int)) - len(s) / 3) < 5 * math.sqrt(len(s) * 2 / 9)).all()

    def test_angles_run_until_the_shape_looks_the_same_again(self):
        s = some(4000)
        for shape, turn in (("disc", 0.0), ("square", math.pi / 2), ("triangle", 2 * math.pi / 3)):
            angles = s["angle"][s["shape"] == SHAPES.index(shape)]
            assert 0 <= angles.min() and 0.99 * turn <= angles.max() <= turn

    def test_one_is_enough_and_its_words_are_short(self):
        assert len(some(1)) == 1
        assert "images" not in repr(some(1)) and "names" in repr(some(1))

    def test_of_some_shapes_only(self):
        assert set(some(shapes=("square",))["shape"]) == {1.0}

    def test_noise_has_its_size(self):
        clean, noisy = some(), some(noise=0.1)
        assert np.array_equal(clean.factors, noisy.factors)
        assert abs((noisy.images - clean.images).std() - 0.1) < 0.002


def test_same_seed_same_pictures_and_the_data_module_has_them():
    assert data.sprites is sprites
    assert np.array_equal(some().images, some().images)


@pytest.mark.parametrize(
    "call, kind, words",
    [
        (lambda: sprites(0), ValueError, "1 or more"),
        (lambda: sprites(3, shapes=("star",)), ValueError, "disc, square, triangle"),
        (lambda: sprite(shape="star"), ValueError, "disc, square, triangle"),
        (lambda: sprite(size=0), ValueError, "positive"),
        (lambda: sprite(x=math.nan), ValueError, "finite"),
        (lambda: some()["colour"], KeyError, "x, y, size, angle, shape"),
    ],
)
def test_errors_say_what_to_do(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
