"""Densities integrate to one, samples follow them, and the entropies are those of an independent computation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from genutils import data
from genutils.densities import checkerboard, moons, pinwheel, ring, spiral

ALL = [ring, moons, pinwheel, checkerboard, spiral]
SMOOTH = [ring, moons, pinwheel, spiral]


def named(density):
    return density.name


def grid(density, n: int):
    """Cell centres of a regular grid (n * n, 2) in float64, and the area of a cell."""
    (x0, x1), (y0, y1) = density.bounds
    xs = torch.linspace(x0, x1, n + 1, dtype=torch.float64)[:-1] + (x1 - x0) / (2 * n)
    ys = torch.linspace(y0, y1, n + 1, dtype=torch.float64)[:-1] + (y1 - y0) / (2 * n)
    return torch.cartesian_prod(xs, ys), (x1 - x0) * (y1 - y0) / n**2


@pytest.fixture(scope="module")
def on_grid():
    result = {}
    for d in ALL:
        points, area = grid(d, 320)
        result[d.name] = (d.log_prob(points), area)
    return result


@pytest.mark.parametrize("density", ALL, ids=named)
class TestEvery:
    def test_integrates_to_one_inside_its_bounds(self, density, on_grid):
        log_p, area = on_grid[density.name]
        assert math.isclose(float(log_p.exp().sum() * area), 1, abs_tol=max(2e-9, density.outside))

    def test_entropy_agrees_with_quadrature(self, density, on_grid):
        log_p, area = on_grid[density.name]
        h = -float(torch.special.xlogy(log_p.exp(), log_p.exp()).sum() * area)
        assert abs(h - density.entropy) < max(1e-7, density.entropy_error) and density.entropy_error < 1e-3

    def test_entropy_agrees_with_samples(self, density):
        log_p = density.log_prob(density.sample(20_000, generator=torch.Generator().manual_seed(1)).double())
        error = float(log_p.std()) / math.sqrt(len(log_p))
        assert abs(-float(log_p.mean()) - density.entropy) <= 4 * error + 1e-9

    def test_samples_fall_where_the_density_says(self, density, on_grid):
        n, blocks = 20_000, 16
        log_p, area = on_grid[density.name]
        mass = (log_p.exp() * area).reshape(blocks, 20, blocks, 20).sum((1, 3)).flatten().numpy()
        (x0, x1), (y0, y1) = density.bounds
        x = density.sample(n, generator=torch.Generator().manual_seed(2)).double().numpy()
        i = np.floor((x - [x0, y0]) / [x1 - x0, y1 - y0] * blocks).astype(int)
        assert ((i >= 0) & (i < blocks)).all()
        counts = np.bincount(i[:, 0] * blocks + i[:, 1], minlength=blocks**2)
        assert counts[mass < 1e-12].sum() == 0
        big = mass * n >= 5
        observed = np.append(counts[big], counts[~big].sum())
        expected = np.append(mass[big], mass[~big].sum()) * n
        keep = expected > 1
        assert (
            stats.chisquare(observed[keep], expected[keep] * observed[keep].sum() / expected[keep].sum()).pvalue > 1e-4
        )

    def test_the_same_seed_gives_the_same_points(self, density):
        a, b, c = (density.sample(5, generator=torch.Generator().manual_seed(s)) for s in (3, 3, 4))
        assert torch.equal(a, b) and not torch.equal(a, c)
        assert a.dtype == torch.float32 and a.shape == (5, 2) and density.sample(0).shape == (0, 2)

    def test_keeps_the_dtype_and_does_not_depend_on_the_batch(self, density):
        x = density.sample(20_000, generator=torch.Generator().manual_seed(5))
        whole = density.log_prob(x)  # longer than a chunk
        assert whole.dtype == torch.float32 and density.log_prob(x.double()).dtype == torch.float64
        assert torch.allclose(whole[-3:], density.log_prob(x[-3:])) and whole.shape == (20_000,)

    def test_gradients_have_no_nan(self, density):
        x = torch.cat(
            [density.sample(50, generator=torch.Generator().manual_seed(6)), torch.zeros(1, 2)]
        ).requires_grad_()
        (score,) = torch.autograd.grad(density.log_prob(x).sum(), x)
        assert torch.isfinite(score).all()

    def test_is_reached_through_genutils_data(self, density):
        assert getattr(data, density.name) is density

    def test_tells_its_name_support_and_box(self, density):
        (x0, x1), (y0, y1) = density.bounds
        assert x0 < x1 and y0 < y1 and 0 <= density.outside < 1e-6 and isinstance(density.support, str)
        assert density.name in repr(density) and f"{density.entropy:.4f} nats" in repr(density)

    def test_support_says_where_it_is_positive(self, density):
        corner = torch.tensor([[-3.999, 3.999]])  # of the checkerboard, an empty cell
        assert bool(torch.isfinite(density.log_prob(corner))) == (density.support == "the whole plane")

    def test_what_is_not_a_number_stays_so(self, density):
        assert density.log_prob(torch.tensor([[math.nan, 0.0], [0.5, math.nan]])).isnan().all()

    def test_numpys_integers_count_samples_too(self, density):
        assert density.sample(np.int64(3)).shape == (3, 2)

    @pytest.mark.parametrize("n", [-1, 2.0, "3", True])
    def test_a_bad_number_of_samples_is_named(self, density, n):
        with pytest.raises(ValueError, match="n must be a whole number"):
            density.sample(n)

    def test_a_bad_generator_is_named(self, density):
        with pytest.raises(TypeError, match=r"not Generator; use torch\.Generator"):
            density.sample(2, generator=np.random.default_rng(0))

    def test_bad_points_are_named(self, density):
        with pytest.raises(ValueError, match=r"shape \(4,\)"):
            density.log_prob(torch.zeros(4))
        with pytest.raises(TypeError, match="not ndarray"):
            density.log_prob(np.zeros((4, 2)))
        with pytest.raises(TypeError, match="int64"):
            density.log_prob(torch.zeros(4, 2, dtype=torch.int64))


@pytest.mark.parametrize("density", SMOOTH, ids=named)
def test_score_agrees_with_finite_differences(density):
    x = density.sample(20, generator=torch.Generator().manual_seed(7)).double().requires_grad_()
    (score,) = torch.autograd.grad(density.log_prob(x).sum(), x)
    step = 1e-6
    for k in range(2):
        e = torch.zeros(1, 2, dtype=torch.float64)
        e[0, k] = step
        slope = (density.log_prob(x.detach() + e) - density.log_prob(x.detach() - e)) / (2 * step)
        assert torch.allclose(slope, score[:, k], rtol=1e-5, atol=1e-5)


class TestDefinitions:
    """What targets.md fixes, so that figures compare with those of others."""

    def test_the_ring(self):
        k = np.arange(8)
        centres = 2 * np.stack([np.cos(2 * np.pi * k / 8), np.sin(2 * np.pi * k / 8)], 1)
        x = np.array([[2.0, 0.1], [0.3, -1.7], [0.0, 0.0]])
        want = np.log(np.mean([stats.multivariate_normal(c, 0.04).pdf(x) for c in centres], 0))
        assert np.allclose(ring.log_prob(torch.tensor(x)), want) and round(ring.entropy, 4) == 1.6981

    def test_the_moons(self):
        t = (np.arange(400) + 0.5) * np.pi / 400
        centres = np.concatenate([np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)])
        x = np.array([[0.0, 1.0], [1.0, -0.45], [0.5, 0.3]])
        want = np.log(np.mean([stats.multivariate_normal(c, 0.01).pdf(x) for c in centres], 0))
        assert np.allclose(moons.log_prob(torch.tensor(x)), want) and round(moons.entropy, 4) == 1.0076

    def test_the_checkerboard(self):
        inside = torch.tensor([[-3.0, -3.0], [-1.0, -1.0], [1.0, -3.0], [3.0, 3.0]])
        outside = torch.tensor([[-3.0, -1.0], [-1.0, -3.0], [4.5, 3.0], [-5.0, -5.0]])
        assert torch.allclose(checkerboard.log_prob(inside), torch.full((4,), -math.log(32)))
        assert torch.equal(checkerboard.log_prob(outside), torch.full((4,), -math.inf))
        many = checkerboard.sample(200_000, generator=torch.Generator().manual_seed(8))
        assert torch.isfinite(checkerboard.log_prob(many)).all()

    def test_the_far_edge_of_a_checkerboards_cell_is_not_crossed(self, monkeypatch):
        largest = 1 - 2**-24  # what torch.rand can return at most; -4 + 2 * largest rounds to the next cell
        monkeypatch.setattr(torch, "rand", lambda *shape, generator: torch.full(shape, largest))
        assert torch.isfinite(checkerboard.log_prob(checkerboard.sample(200))).all()

    def test_the_pinwheel(self):
        x = np.array([[2.0, 0.4], [-0.3, 1.7], [0.1, -2.9]])
        want = []
        for radius, angle in zip(np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0]), strict=True):
            back = angle - 0.8 * radius - 2 * np.pi * np.arange(5) / 5  # in polar coordinates, each arm's own axis
            along, across = radius * np.cos(back), radius * np.sin(back)
            want.append(np.log(np.mean(stats.norm(2, 0.5).pdf(along) * stats.norm(0, 0.2).pdf(across))))
        assert np.allclose(pinwheel.log_prob(torch.tensor(x)), want)

    def test_the_pinwheels_entropy_is_that_of_its_arms_before_the_turn(self):
        x, y = (w.ravel() for w in np.meshgrid(np.linspace(-6, 6, 601), np.linspace(-6, 6, 601)))
        p = 0
        for turn in 2 * np.pi * np.arange(5) / 5:
            along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
            p = p + stats.norm(2, 0.5).pdf(along) * stats.norm(0, 0.2).pdf(across) / 5
        assert math.isclose(special.entr(p).sum() * 0.02**2, pinwheel.entropy, abs_tol=1e-7)

    def test_the_spiral(self):
        t = 3 * np.pi * np.sqrt((np.arange(400) + 0.5) / 400)
        arm = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 3
        x = np.array([[-1.0, 0.1], [0.2, 0.0], [2.0, -1.5]])
        want = np.log(np.mean([stats.multivariate_normal(c, 0.01).pdf(x) for c in np.concatenate([arm, -arm])], 0))
        assert np.allclose(spiral.log_prob(torch.tensor(x)), want)

    def test_the_pinwheels_turn_keeps_areas(self):
        x = pinwheel.sample(10, generator=torch.Generator().manual_seed(9)).double()
        for point in x:
            turned = torch.autograd.functional.jacobian(lambda p: pinwheel._turn(p[None], 1.0)[0], point)
            assert math.isclose(float(torch.linalg.det(turned)), 1, abs_tol=1e-9)
        assert torch.allclose(pinwheel._turn(pinwheel._turn(x, 1.0), -1.0), x)

    def test_the_spiral_has_two_arms_opposite_each_other(self):
        x = spiral.sample(100, generator=torch.Generator().manual_seed(10))
        assert torch.allclose(spiral.log_prob(x), spiral.log_prob(-x), atol=1e-4)
