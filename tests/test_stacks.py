"""What a stack of convolutions sees, pixel by pixel: nothing from its own pixel on, and how much of what is before."""

from __future__ import annotations

import pytest
import torch

from genutils.stacks import MaskedConv2d, OneStack, TwoStacks

SIDE = 6


def sees(stack: torch.nn.Module, layers: int, side: int = SIDE) -> torch.Tensor:
    """(side², side²) whether what is computed at pixel i moves when pixel j does. By perturbation, in float64."""
    stack = stack.double()
    x = torch.randn(1, 2, side, side, dtype=torch.float64)
    place, told = torch.zeros(8, side, side, dtype=torch.float64), torch.zeros(1, layers, 16, 1, 1)
    moved = x.repeat(side**2, 1, 1, 1)
    for j in range(side**2):
        moved[j, :, j // side, j % side] += 3
    with torch.no_grad():
        before, after = stack(x, place, told.double()), stack(moved, place, told.double().expand(side**2, -1, -1, 1, 1))
    return ((after - before).abs().sum(1) > 0).flatten(1).T


def before(side: int = SIDE) -> torch.Tensor:
    return torch.ones(side**2, side**2).tril(-1).bool()


def blind(first: int, reach: int, side: int = SIDE) -> torch.Tensor:
    """(side², side²) pixels before that no depth of masked convolutions brings into sight.

    To come from the upper right, a way must go up; each row up it may go ``reach`` columns to the right, and once
    ``first``.
    """
    i, j = torch.arange(side**2)[:, None], torch.arange(side**2)
    up, right = i // side - j // side, j % side - i % side
    return (up > 0) & (right > first + reach * (up - 1))


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize(("first", "reach", "layers"), [(1, 1, 0), (1, 1, 1), (2, 1, 2), (1, 2, 3), (3, 1, 12)])
@pytest.mark.parametrize("kind", [OneStack, TwoStacks])
def test_no_pixel_sees_itself_or_a_later_one(kind, first, reach, layers, train):
    torch.manual_seed(layers)
    stack = kind(2, 8, layers, first=first, reach=reach).train(train)
    assert not (sees(stack, layers) & ~before()).any()


@pytest.mark.parametrize(("first", "reach"), [(1, 1), (2, 1), (1, 2), (3, 1)])
def test_two_stacks_see_every_pixel_before_and_one_has_a_blind_spot(first, reach):
    torch.manual_seed(0)
    deep = 2 * SIDE
    assert torch.equal(sees(TwoStacks(2, 8, deep, first=first, reach=reach), deep), before())
    one, spot = sees(OneStack(2, 8, deep, first=first, reach=reach), deep), blind(first, reach)
    assert torch.equal(one, before() & ~spot)
    assert spot.any()


def test_the_blind_spot_of_small_windows_is_a_wedge_to_the_upper_right():
    torch.manual_seed(0)
    seen = sees(OneStack(2, 8, 10, first=1), 10)[4 * SIDE + 1].view(SIDE, SIDE)  # from the pixel in row 4, column 1
    rows = ["".join("*" if s else "." for s in row) for row in seen]
    assert rows == ["******", "*****.", "****..", "***...", "*.....", "......"]


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_layer_more_sees_one_pixel_further(layers):
    torch.manual_seed(0)
    seen = sees(TwoStacks(2, 8, layers, first=1), layers, 9)[8 * 9 + 4].view(9, 9)
    assert seen.any(1).tolist() == [r >= 8 - layers - 1 for r in range(9)]
    assert seen[8].tolist() == [4 - layers - 1 <= c < 4 for c in range(9)]
    assert seen[7].tolist() == [abs(c - 4) <= layers + 1 for c in range(9)]


def test_a_mask_hides_what_comes_and_mask_b_shows_the_middle():
    a, b = (MaskedConv2d(1, 1, 5, sees_itself=s).mask for s in (False, True))
    assert (b - a).nonzero().tolist() == [[2, 2]]
    assert torch.equal(a.flatten(), (torch.arange(25) < 12).float())
    with pytest.raises(ValueError, match="kernel is odd.*it is 4"):
        MaskedConv2d(1, 1, 4, sees_itself=False)
