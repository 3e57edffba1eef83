"""Networks start where they promise to, mind only their own row, and tell times apart."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genutils.networks import Dropout, Lookup, ResidualMLP, waves


def test_zero_starts_at_zero_and_still_learns():
    net = ResidualMLP(2, 3, zero=True)
    out = net(torch.randn(4, 2))
    assert (out == 0).all()
    (out - 1).square().sum().backward()
    assert net.out.bias.grad.abs().min() > 0


def test_each_row_minds_itself_alone():
    net, x = ResidualMLP(2, 3).eval(), torch.randn(6, 2)
    assert torch.allclose(net(x)[2:3], net(x[2:3]), atol=1e-6)


@pytest.mark.parametrize("inputs", [None, 4])
def test_shapes_with_more_axes(inputs):
    net = ResidualMLP(inputs, 5, width=16, dropout=0.5)
    assert net(torch.randn(3, 7, inputs or 16)).shape == (3, 7, 5)


def test_dropout_only_while_training():
    net, x = ResidualMLP(3, 2, dropout=0.5), torch.randn(5, 3)
    with torch.no_grad():
        for block in net.blocks:
            block[-1].weight.normal_()
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_leaves_out_its_share_independently_and_keeps_the_mean(p):
    torch.manual_seed(0)
    x = torch.ones(1000, 37)
    y = Dropout(p)(x)
    share = (y == 0).float().mean().item()
    assert share == pytest.approx(round(256 * p) / 256, abs=4 * (p * (1 - p) / 37_000) ** 0.5)
    assert y.mean().item() == pytest.approx(1, abs=5 * (p / (1 - p) / 37_000) ** 0.5)
    left = torch.corrcoef((y == 0).float().T).fill_diagonal_(0)
    assert left.abs().max() < 0.16  # 5 standard errors of 1,000 draws


def test_dropout_refuses_to_leave_out_all():
    with pytest.raises(ValueError, match="0 <= p < 1"):
        Dropout(1.0)


def test_waves_tell_times_apart_and_know_no_batch():
    t = torch.linspace(0, 1, 200)
    features = waves(t, 8)
    assert features.shape == (200, 16)
    assert torch.cdist(features, features).add(torch.eye(200) * 9).min() > 0.02
    assert torch.equal(waves(t[7:8], 8), features[7:8])
    assert torch.allclose(features[:, :8].square() + features[:, 8:].square(), torch.ones(200, 8), atol=1e-5)


def test_a_lookup_is_linear_between_its_entries_and_holds_beyond_them():
    torch.manual_seed(0)
    table = Lookup(4, low=-1, high=3, knots=17, width=5)
    table.net = nn.Identity()  # what the small network is given
    at = torch.linspace(-1, 3, 17)[:, None]
    with torch.no_grad():
        entries, between = table(at), table((at[:-1] + at[1:]) / 2)
        assert torch.allclose(between, (entries[:-1] + entries[1:]) / 2, atol=1e-5)
        assert entries.std(0).min() > 0.01 and torch.allclose(table(torch.tensor([[-9.0], [9.0]])), entries[[0, -1]])
