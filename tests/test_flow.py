"""Every transform undoes itself, its log-determinant is autograd's, and every flow is normalised."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genutils.data import digits, moons, ring
from genutils.flow import Autoregressive, Constant, Coupling, Flow, Lookup, spline
from genutils.model import Dequantized, bits_per_dim, kind
from genutils.networks import ResidualMLP
from genutils.pixelflow import AtOnce, Maps, Pixels, Window, groups, multiscale_flow, squeeze
from genutils.recipes import Budget
from genutils.recipes import flow as recipe
from genutils.tasks import task


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noisy(module: torch.nn.Module, std: float = 0.5, seed: int = 0) -> torch.nn.Module:
    """As after training: nothing is zero."""
    generator = seeded(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * std / max(1, p.shape[-1]) ** 0.5)
    return module.double()


def parts(bins: int, shape=(500,), strength: float = 2.0):
    generator = seeded(bins)
    sizes = (bins, bins - 1, bins)
    return [strength * torch.randn(*shape, k, generator=generator, dtype=torch.float64) for k in sizes]


@pytest.mark.parametrize("which", ["lines", "equal", "full"])
@pytest.mark.parametrize("bins", [1, 2, 7, 40])
def test_splines_go_there_and_back_with_autograds_slope(which, bins):
    heights, slopes, widths = parts(bins)
    args = {"lines": (heights,), "equal": (heights, slopes), "full": (heights, slopes, widths)}[which]
    x = torch.rand(500, generator=seeded(1), dtype=torch.float64).requires_grad_()
    y, ladj = spline(x, *args)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(ladj.exp(), slope, rtol=1e-6) and (slope > 0).all()
    if bins > 1:
        assert ladj.abs().max() > 0.1  # a shared sign error would hide at zero
    back, other = spline(y.detach(), *args, inverse=True)
    assert torch.allclose(back, x, atol=1e-9) and torch.allclose(ladj + other, torch.zeros(()).double(), atol=1e-6)
    y = y.detach()
    assert 0 < y.min() and y.max() < 1
    outside = torch.tensor([-3.0, 1.5, 0.0, 1.0] * 125, dtype=torch.float64)
    assert torch.equal(spline(outside, *args)[0], outside) and (spline(outside, *args)[1] == 0).all()


def test_splines_are_monotone_through_all_their_knots():
    heights, slopes, widths = (p[:1].expand(4001, -1) for p in parts(12, (1,)))
    x = torch.linspace(-0.2, 1.2, 4001, dtype=torch.float64)
    y, ladj = spline(x, heights, slopes, widths)
    assert (y.diff() > 0).all()
    steps = (y.diff() / x.diff()).log()
    assert (steps - (ladj[1:] + ladj[:-1]) / 2).abs().median() < 1e-3


@pytest.mark.parametrize("bins", [1, 2, 9])
def test_outer_slopes_are_free_where_they_are_given(bins):
    heights, _, widths = parts(bins)
    slopes = 2 * torch.randn(500, bins + 1, generator=seeded(7), dtype=torch.float64)
    x = torch.rand(500, generator=seeded(1), dtype=torch.float64).requires_grad_()
    for more in ((), (widths,)):
        y, ladj = spline(x, heights, slopes, *more)
        (slope,) = torch.autograd.grad(y.sum(), x)
        assert torch.allclose(ladj.exp(), slope, rtol=1e-6) and (slope > 0).all()
        back, other = spline(y.detach(), heights, slopes, *more, inverse=True)
        assert torch.allclose(back, x, atol=1e-9) and torch.allclose(ladj + other, torch.zeros(()).double(), atol=1e-6)
    flat = torch.zeros(2, bins, dtype=torch.float64)  # bins of one size, so that an end is soon reached
    _, ladj = spline(torch.tensor([1e-7, 1 - 1e-7]).double(), flat, slopes[:2])
    wanted = torch.nn.functional.softplus(torch.stack([slopes[0, 0], slopes[1, -1]]) + math.log(math.e - 1))
    assert torch.allclose(ladj.exp(), wanted, rtol=1e-3)
    inner = slopes.clone()
    inner[:, [0, -1]] = 0  # slope one at both ends: the spline on the whole line
    one, other = spline(x, heights, inner), spline(x, heights, inner[:, 1:-1])
    assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_a_spline_names_the_part_that_does_not_fit():
    with pytest.raises(ValueError, match=r"slopes must have shape \(5, 3\).*K = 4"):
        spline(torch.zeros(5), torch.zeros(5, 4), torch.zeros(5, 4))


def couplings(dims: int, kind: str, layers: int = 4) -> list[Coupling]:
    each, made = {"affine": 2, "spline": 15, "box": 17, "lines": 8}[kind], []
    for i in range(layers):
        kept = [d for d in range(dims) if (d + i) % 2 == 0]
        bent = [d for d in range(dims) if (d + i) % 2]
        torch.manual_seed(i)
        made.append(Coupling(kept, bent, ResidualMLP(len(kept), each * len(bent), width=16, blocks=1), kind=kind))
    return made


@pytest.mark.parametrize("kind", ["affine", "spline", "box", "lines"])
@pytest.mark.parametrize("dims", [2, 3, 5])
def test_flows_invert_and_their_log_determinant_is_autograds(kind, dims):
    flow = noisy(Flow(dims, couplings(dims, kind), low=-1, high=2, base="normal" if kind == "affine" else "box"))
    x = torch.rand(6, dims, generator=seeded(), dtype=torch.float64) * 3 - 1
    z, ladj = flow(x)
    for i in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(lambda v: flow(v[None])[0][0], x[i])
        assert ladj[i].item() == pytest.approx(torch.linalg.slogdet(jacobian)[1].item(), abs=1e-6)
    assert ladj.std() > 0.05
    back, other = flow.inverse(z)
    assert torch.allclose(back, x, atol=1e-6) and torch.allclose(ladj + other, torch.zeros(()).double(), atol=1e-5)


@pytest.mark.parametrize("kind", ["affine", "spline", "box", "lines"])
def test_a_flow_integrates_to_one_and_samples_its_own_density(kind):
    flow = noisy(Flow(2, couplings(2, kind), low=-1, high=2, base="normal" if kind == "affine" else "box"), 0.15)
    flow = flow.float()
    low, high = (-14, 15) if kind == "affine" else (-1, 2)
    side = low + (high - low) * (torch.arange(900) + 0.5) / 900  # middles of cells
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        p = torch.cat([flow.log_prob(part).exp() for part in grid.split(200_000)]).view(900, 900)
    cell = (side[1] - side[0]).item() ** 2
    assert (p.sum() * cell).item() == pytest.approx(1, abs=5e-3)
    x = flow.sample(40_000, generator=seeded(3))
    means = ((p.sum(1) * side).sum() * cell, (p.sum(0) * side).sum() * cell)
    for axis in range(2):
        error = x[:, axis].std() / 200
        assert abs(x[:, axis].mean() - means[axis]) < 4.5 * error + 5e-3


def test_no_point_has_density_zero():
    flow = Flow(2, [], low=-4, high=4)
    assert torch.isfinite(flow.log_prob(torch.tensor([[100.0, 0.0], [0.0, 0.0]]))).all()


def test_a_coupling_sees_only_what_it_keeps():
    layer = noisy(couplings(5, "spline", 1)[0])
    x = torch.rand(8, 5, generator=seeded(), dtype=torch.float64)
    for d in range(5):
        moved = x.clone()
        moved[:, d] = torch.rand(8, generator=seeded(1), dtype=torch.float64)
        changed = ((layer(x)[0] - layer(moved)[0]).abs().amax(0) > 1e-12).tolist()
        assert changed == ([i == d or i % 2 == 1 for i in range(5)] if d % 2 == 0 else [i == d for i in range(5)])


class Triangle(torch.nn.Module):
    """s and t of each coordinate from those before it; counts its calls."""

    def __init__(self, dims: int):
        super().__init__()
        weight = torch.randn(2, dims, dims, generator=seeded(dims), dtype=torch.float64).tril(-1)
        self.register_buffer("weight", weight)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        s, t = x @ self.weight[0].T + 0.3, x @ self.weight[1].T - 0.5
        return s.tanh(), t.sin()


@pytest.mark.parametrize("reads", ["data", "noise"])
@pytest.mark.parametrize("dims", [1, 2, 5])
def test_autoregressive_maps_invert_and_are_fast_in_one_direction(reads, dims):
    net = Triangle(dims)
    flow = Autoregressive(net, reads=reads)
    x = torch.randn(6, dims, generator=seeded(), dtype=torch.float64)
    z, ladj = flow(x)
    there, net.calls = net.calls, 0
    back, other = flow.inverse(z)
    assert (there, net.calls) == ((1, dims) if reads == "data" else (dims, 1))
    assert torch.allclose(back, x, atol=1e-9) and torch.allclose(ladj + other, torch.zeros(()).double(), atol=1e-9)
    for i in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(lambda v: flow(v[None])[0][0], x[i])
        assert ladj[i].item() == pytest.approx(torch.linalg.slogdet(jacobian)[1].item(), abs=1e-9)
    assert ladj.abs().max() > 0.1


def test_wrong_lists_and_words_are_named():
    net = Constant(2)
    with pytest.raises(ValueError, match="'cubic'"):
        Coupling([0], [1], net, kind="cubic")
    with pytest.raises(ValueError, match="none of them kept"):
        Coupling([0, 1], [1], net)
    with pytest.raises(ValueError, match="'both'"):
        Autoregressive(net, reads="both")
    with pytest.raises(ValueError, match="'ball'"):
        Flow(2, [], base="ball")
    with pytest.raises(ValueError, match="high must be above low"):
        Flow(2, [], low=1, high=[0, 2])
    with pytest.raises(ValueError, match="of 2 numbers; these have 3"):
        Flow(2, []).log_prob(torch.zeros(4, 3))


def test_lookup_is_continuous_and_holds_beyond_its_ends():
    torch.manual_seed(0)
    net = noisy(Lookup(3, low=-2, high=2, knots=32)).float()
    x = torch.linspace(-3, 3, 2001)[:, None]
    y = net(x)
    ends = net(torch.tensor([[-2.0], [2.0]]))
    assert torch.allclose(y[[0, -1]], ends, atol=1e-5)
    assert y.diff(dim=0).abs().max() < 0.1 and y.std() > 0.05


def test_a_window_sees_the_known_pixels_around_and_no_others():
    torch.manual_seed(0)
    shared = noisy(Pixels(3, levels=4, size=5, reach=1, width=16, blocks=1, dropout=0)).float().eval()
    kept, bent = list(range(0, 25, 2)), [7, 11, 23]
    net = Window(shared, kept, bent)
    x = torch.rand(1, len(kept), generator=seeded())
    before = net(x).view(3, 3)
    for i, pixel in enumerate(kept):
        y = x.clone()
        y[0, i] = (y[0, i] + 0.25) % 1  # the next level
        for j, at in enumerate(bent):
            near = abs(pixel // 5 - at // 5) <= 1 and abs(pixel % 5 - at % 5) <= 1
            assert ((net(y).view(3, 3)[j] - before[j]).abs().max() > 1e-6).item() == near


def test_lines_on_the_bins_make_dequantization_free():
    """With one bin a level the density is flat on each level: the bound by uniform noise is the probability itself."""
    torch.manual_seed(0)
    flow = noisy(Flow(2, [Coupling([], [0, 1], Constant(8), kind="lines")]), 2.0).float()
    model = Dequantized(flow, 4)
    pairs = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    with torch.no_grad():
        values = torch.stack([model.elbo(pairs, generator=seeded(i)) for i in range(5)])
    assert values.std(0).max() < 1e-3 and values[0].exp().sum().item() == pytest.approx(1, abs=1e-3)


def test_networks_of_pixels_say_nothing_to_begin_with():
    """All outputs are zero, whatever is known: a fresh flow is the identity."""
    torch.manual_seed(0)
    kept, bent, x = torch.arange(20), torch.arange(20, 64), torch.rand(3, 20)
    assert (Pixels(5, width=16)(x, kept, bent) == 0).all()
    assert (Maps(4, 12, 3, size=5, width=8)(torch.rand(2, 4 * 25)) == 0).all()


def test_groups_hold_every_pixel_once():
    assert sorted(sum(groups(), [])) == list(range(64))
    with pytest.raises(ValueError, match="63"):
        groups((8, 55))


def test_squeezing_takes_every_second_row_and_column():
    channels = squeeze(range(64), 8)
    assert sorted(sum(channels, [])) == list(range(64)) and [len(c) for c in channels] == [16] * 4
    for (a, b), channel in zip(((0, 0), (0, 1), (1, 0), (1, 1)), channels, strict=True):
        assert all(i // 8 % 2 == a and i % 8 % 2 == b for i in channel) and channel == sorted(channel)
    assert squeeze(channels[3], 4)[0] == [9, 13, 41, 45]
    for pixels, size in ((range(9), 3), (range(15), 4)):
        with pytest.raises(ValueError, match="even side"):
            squeeze(pixels, size)


def test_maps_see_the_places_around_and_put_parameters_where_they_belong():
    torch.manual_seed(0)
    net = Maps(2, 3, 5, size=6, width=8)
    assert not net(torch.rand(2, 72)).any()
    noisy(net)
    x = torch.rand(1, 72, dtype=torch.float64)
    for place in (0, 14, 35):
        y = x.clone()
        y[0, 36 + place] += 0.1  # the second channel
        moved = ((net(y) - net(x)).view(3, 36, 5).abs().amax((0, 2)) > 1e-9).nonzero()[:, 0].tolist()
        near = [i for i in range(36) if abs(i // 6 - place // 6) <= 2 and abs(i % 6 - place % 6) <= 2]
        assert moved == near


def test_the_multiscale_flow_inverts_and_its_log_determinant_is_autograds():
    torch.manual_seed(0)
    model = noisy(multiscale_flow(levels=4, bins=4, width=8).model, 0.2)
    x = torch.rand(3, 64, generator=seeded(), dtype=torch.float64)
    z, ladj = model(x)
    back, other = model.inverse(z)
    assert torch.allclose(back, x, atol=1e-6) and torch.allclose(ladj, -other, atol=1e-5)
    jacobian = torch.autograd.functional.jacobian(lambda v: model(v[None])[0][0], x[0])
    assert ladj[0].item() == pytest.approx(torch.linalg.slogdet(jacobian)[1].item(), abs=1e-6)
    assert (jacobian.abs() > 0).float().mean() > 0.3 and ladj.std() > 0.05
    assert (jacobian - torch.diag(jacobian.diag())).abs().amax(1).min() > 0  # every pixel is bent as others say


def test_the_affine_recipe_turns_the_plane_and_is_exact():
    model = recipe.train(task("moons"), 0, Budget(steps=30), settings=recipe.AFFINE).double()
    turn = model.transforms[2]
    x = moons.sample(64, generator=seeded()).double()
    y, ladj = turn(x)
    assert torch.allclose(y.norm(dim=1), x.norm(dim=1)) and torch.allclose(turn.inverse(y)[0], x) and not ladj.any()
    one = torch.tensor([1.0, 0.0]).double()
    assert torch.allclose(turn(one[None])[0][0], torch.stack([turn.angle.cos(), turn.angle.sin()]))  # to the left
    z, ladj = model(x)
    back, other = model.inverse(z)
    assert torch.allclose(back, x, atol=1e-9) and torch.allclose(ladj + other, torch.zeros(64).double(), atol=1e-9)
    full = torch.stack([torch.func.jacrev(lambda v: model(v[None])[0][0])(v) for v in x[:8]])
    assert torch.allclose(torch.linalg.slogdet(full).logabsdet, ladj[:8], atol=1e-8) and ladj.std() > 0.01
    assert kind(model) == "exact"


def test_recipes_run_short_and_say_what_they_are():
    model = recipe.train(task("moons"), 0, Budget(steps=30))
    assert kind(model) == "exact" and model.log_prob(moons.sample(8, generator=seeded())).shape == (8,)
    first, again = (recipe.train(task("digits"), 0, Budget(steps=8), width=32) for _ in range(2))
    x = torch.tensor(np.array(digits().validation[:8])).long()
    assert kind(first) == "bound"
    with torch.no_grad():
        assert torch.equal(first.elbo(x, generator=seeded()), again.elbo(x, generator=seeded()))
    assert bits_per_dim(first.elbo(x, generator=seeded()).detach(), 64).mean() < math.log2(17) + 0.2
    drawn = first.sample(5, generator=seeded())
    assert drawn.dtype == torch.int64 and drawn.shape == (5, 8, 8)


def test_ten_steps_at_a_wild_rate_stay_finite():
    torch.manual_seed(0)
    flow = Flow(2, couplings(2, "affine", 8), low=-3, high=3, base="normal")
    from genutils.training import fit

    fit(flow, lambda n: ring.sample(n, generator=seeded()), steps=40, lr=0.3, clip=5)
    assert torch.isfinite(flow.log_prob(ring.sample(500, generator=seeded(2)))).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cpu_and_gpu_agree():
    flow = noisy(Flow(3, couplings(3, "spline"), low=-1, high=2)).float()
    x = torch.rand(6, 3, generator=seeded())
    here = flow.log_prob(x)
    assert torch.allclose(flow.cuda().log_prob(x.cuda()).cpu(), here, atol=1e-4)


@pytest.mark.parametrize("kind", ["spline", "lines"])
def test_couplings_at_once_are_the_couplings_one_after_another(kind):
    torch.manual_seed(0)
    shared = Pixels(5 if kind == "lines" else 9, levels=4, size=4, reach=1, width=16, blocks=1)
    order, couplings, known = torch.randperm(16, generator=seeded(1)).tolist(), [], []
    for part in (order[:2], order[2:5], order[5:10], order[10:]):
        couplings.append(Coupling(known, part, Window(shared, known, part), kind=kind))
        known = known + part
    slow, fast = Flow(16, couplings[::-1]), Flow(16, [AtOnce(couplings)])
    noisy(slow, 1.0)
    fast.double()
    x = torch.rand(7, 16, generator=seeded(2), dtype=torch.float64)
    (z, ladj), (other, toll) = slow(x), fast(x)
    assert torch.allclose(z, other, atol=1e-12) and torch.allclose(ladj, toll, atol=1e-10) and ladj.abs().min() > 1e-2
    back, other = fast.inverse(z)
    assert torch.allclose(back, x, atol=1e-8) and torch.allclose(ladj, -other, atol=1e-6)
    with pytest.raises(ValueError, match="must be bent once"):
        AtOnce(couplings[:-1])
    with pytest.raises(ValueError, match="may see what those before it bend"):
        AtOnce(couplings[::-1])


def test_the_box_has_thin_tails_around_its_middle(monkeypatch):
    flow = Flow(2, [], base="box")
    far = torch.tensor([[3.0, 0.5], [-2.0, 4.0]])
    want = torch.distributions.Normal(0.5, 1).log_prob(far).sum(1) + math.log(Flow.TAIL)
    assert torch.allclose(flow.log_prob(far), want, atol=1e-5)
    monkeypatch.setattr(Flow, "TAIL", 1.0)  # samples of the tail alone
    tail = flow.sample(20_000, generator=torch.Generator().manual_seed(0))
    assert (tail.mean(0) - 0.5).abs().max() < 0.03 and (tail.std(0) - 1).abs().max() < 0.03


def test_a_spline_of_zeros_is_the_identity_to_the_last_digit():
    x = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
    y, ladj = spline(x, torch.zeros(50, 6).double(), torch.zeros(50, 5).double())
    assert (y - x).abs().max() < 1e-12 and ladj.abs().max() < 1e-12


def test_what_a_network_is_told_counts_on_the_way_back_too():
    class Told(torch.nn.Module):
        def forward(self, x, *, warped):
            return torch.stack([warped.float(), 2 * warped.float()], 1)

    coupling = Coupling([0], [1], Told(), kind="affine")
    x, flags = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 2
    z, ladj = coupling(x, warped=flags)
    back, minus = coupling.inverse(z, warped=flags)
    assert torch.allclose(back, x, atol=1e-6) and torch.allclose(minus, -ladj) and ladj.tolist() != [0.0] * 6
