"""A Transformer sees all that is earlier and nothing else, with and without a cache, and is a distribution."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genutils.model import kind
from genutils.training import fit
from genutils.transformer import Transformer, angles, rotate

POSITIONS = ["learned", "rotary", "none"]
PROMPT = [1, 0, 2]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(**settings) -> Transformer:
    """A model whose weights are all in play, as after training."""
    torch.manual_seed(0)
    model = Transformer(**({"levels": 3, "dims": 6, "width": 16, "layers": 2, "heads": 2} | settings))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.15)
    return model.eval()


def every(levels: int, length: int) -> torch.Tensor:
    return torch.cartesian_prod(*[torch.arange(levels)] * length).view(-1, length)


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("mode", ["eval", "train", "dropout"])
def test_what_is_earlier_matters_and_nothing_else(positions, layers, mode):
    """By perturbation at every place, with the same units dropped in both passes."""
    model = made(positions=positions, layers=layers, dropout=0.2 if mode == "dropout" else 0.0)
    model.train(mode != "eval")

    def logits(x):
        torch.manual_seed(3)
        with torch.no_grad():
            return model.logits(x)

    x = torch.randint(3, (20, 6), generator=seeded())
    before = logits(x)
    for j in range(6):
        y = x.clone()
        y[:, j] = (y[:, j] + 1) % 3
        moved = (logits(y) - before).abs().amax(-1)  # (20, 6)
        assert not moved[:, : j + 1].any()  # exactly: not by a rounding
        assert (moved[:, j + 1 :].amax(0) > 1e-5).all()


@pytest.mark.parametrize("positions", POSITIONS)
def test_probabilities_of_all_sequences_sum_to_one(positions):
    model = made(positions=positions, dims=4, classes=2)
    x = every(3, 4)
    with torch.no_grad():
        for labels in (None, torch.zeros(81).long(), torch.ones(81).long()):
            p = model.log_prob(x, labels).exp()
            assert p.sum().item() == pytest.approx(1, abs=1e-5) and p.max() > 2 / 81
        short = model.log_prob(every(3, 2)).exp()
        assert torch.allclose(short, model.log_prob(x).exp().view(9, 9).sum(1), atol=1e-6)  # the rest is left open
    assert kind(model) == "exact"


@pytest.mark.parametrize("positions", POSITIONS)
def test_reading_in_pieces_equals_reading_at_once(positions):
    """In each of the sixteen ways to cut five symbols into pieces."""
    model, x = made(positions=positions), torch.randint(3, (4, 6), generator=seeded(1))
    with torch.no_grad():
        want = model.logits(x)
    for cuts in itertools.product([False, True], repeat=4):
        edges = [0, *(i for i, cut in enumerate(cuts, 1) if cut), 5]
        cache = model.start(4)
        found = [model.read(x[:, a:b], cache) for a, b in itertools.pairwise(edges)]
        assert torch.allclose(torch.cat(found, 1), want, atol=1e-5)


def test_what_is_forgotten_can_be_read_anew():
    model, x = made(), torch.randint(3, (2, 5), generator=seeded(2))
    cache = model.start(2)
    model.read((x + 1) % 3, cache)
    cache.length = 0
    with torch.no_grad():
        assert torch.allclose(model.read(x, cache)[:, :5], model.logits(x), atol=1e-5)
    with pytest.raises(ValueError, match="window has 6 places"):
        model.read(x, cache)


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.5, "top_k": 2}, {"top_p": 0.7}, {"temperature": 0}])
@pytest.mark.parametrize("start", [[], PROMPT])
def test_samples_are_the_same_with_and_without_the_cache(settings, start):
    model = made()
    drawn = [model.sample(30, start=start, cached=c, generator=seeded(4), **settings) for c in (True, False)]
    assert torch.equal(*drawn) and drawn[0].shape == (30, 6 - len(start))
    assert settings == {"temperature": 0} or len(drawn[0].unique(dim=0)) > 5


def test_samples_come_as_often_as_the_density_says():
    model, n = made(dims=3, classes=2), 20_000
    for labels in (None, torch.ones(n).long()):
        x = model.sample(n, labels, generator=seeded(5))
        with torch.no_grad():
            p = model.log_prob(every(3, 3), None if labels is None else labels[:27]).exp().double().numpy()
        counts = np.bincount((x @ torch.tensor([9, 3, 1])).numpy(), minlength=27)
        assert ((counts - n * p) ** 2 / (n * p)).sum() < 60  # chi-square of 26


def test_a_label_is_drawn_from_what_the_beginning_says_of_it():
    """Of sequences that go on from a start, the rest comes as p(rest | start), classes mixed."""
    model, n, start = made(dims=3, classes=2), 20_000, torch.tensor([2, 0])
    rest = model.sample(n, start=start, generator=seeded(6))[:, 0]
    with torch.no_grad():
        whole = torch.cat([start.expand(3, 2), torch.arange(3)[:, None]], 1)
        p = (model.log_prob(whole) - model.log_prob(start[None])).exp().double().numpy()
    counts = np.bincount(rest.numpy(), minlength=3)
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert ((counts - n * p) ** 2 / (n * p)).sum() < 20


def test_labels_that_are_not_told_are_averaged_over():
    model, x = made(classes=2), torch.randint(3, (3, 6), generator=seeded(7))
    with torch.no_grad():
        each = torch.stack([model.log_prob(x, torch.full((3,), c)) for c in (0, 1)])
        mixed = each.logsumexp(0) - math.log(2)
        assert torch.allclose(model.log_prob(x), mixed, atol=1e-5)
        found = model.log_prob(x, torch.tensor([1, -1, 0]))
    assert torch.allclose(found, torch.stack([each[1, 0], mixed[1], each[0, 2]]), atol=1e-5)


def test_images_keep_their_shape_and_hear_of_warps():
    model = made(dims=(2, 3), classes=2)
    x = model.sample(5, torch.zeros(5).long(), generator=seeded())
    with torch.no_grad():
        told, untold, no = (
            model.log_prob(x, torch.zeros(5).long(), warped=w) for w in (torch.ones(5), None, torch.zeros(5))
        )
    assert x.shape == (5, 2, 3) and torch.equal(untold, no) and not torch.allclose(told, untold, atol=1e-3)
    done = model.sample(2, start=x[:2].flatten(1)[:, :4], generator=seeded(1))
    assert torch.equal(done.flatten(1)[:, :4], x[:2].flatten(1)[:, :4])


def test_without_positions_the_past_of_one_layer_is_a_bag():
    model, x = made(positions="none", layers=1), torch.tensor([[0, 1, 1, 2, 0, 2]])
    mixed = x[:, [3, 1, 0, 2, 4, 5]]  # another order of the first four; the fifth, which is read last, stays
    with torch.no_grad():
        assert torch.allclose(model.logits(x)[:, 5], model.logits(mixed)[:, 5], atol=1e-5)
        assert not torch.allclose(made(layers=1).logits(x)[:, 5], made(layers=1).logits(mixed)[:, 5], atol=1e-2)


def test_attention_weights_are_the_ones_that_mix():
    """Rows sum to one, nothing later is seen, and one head's values, so weighted, are what the layer adds."""
    model, x = made(layers=1, heads=1), torch.randint(3, (2, 6), generator=seeded(8))
    weights, block = model.attention(x), model.blocks[0]
    assert weights.shape == (2, 1, 1, 6, 6) and not weights.triu(1).any()
    assert torch.allclose(weights.sum(-1), torch.ones(2, 1, 1, 6), atol=1e-6)
    with torch.no_grad():
        h = model.symbol(model._inputs(x)) + model.place
        _, _, v = block.attention.queries_keys_values(block.norm1(h), 0)
        assert torch.allclose(
            block.attention.out((weights[:, 0] @ v)[:, 0]), block.attention(block.norm1(h)), atol=1e-5
        )


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 20))
def test_rotated_products_know_the_distance_alone(m, n, shift):
    turns = angles(61, 8).double()
    q, k = torch.randn(2, 8, generator=seeded(9), dtype=torch.float64)
    product = lambda a, b: (rotate(q[None], turns[:, a : a + 1]) * rotate(k[None], turns[:, b : b + 1])).sum().item()  # noqa: E731
    assert product(m, n) == pytest.approx(product(m + shift, n + shift), abs=1e-5)
    assert rotate(q[None], turns[:, m : m + 1]).norm().item() == pytest.approx(q.norm().item())


def test_it_learns_to_repeat():
    torch.manual_seed(0)
    model = Transformer(levels=4, dims=8, width=16, layers=2, heads=2)
    half = torch.randint(4, (256, 4), generator=seeded(10))
    fit(model, torch.cat([half, half], 1), steps=100, lr=1e-2, batch_size=64)
    with torch.no_grad():
        second = (model.log_prob(torch.cat([half, half], 1)) - model.log_prob(half)).mean().item()
    assert second > -0.7 * 4 * math.log(4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 10, "heads": 4}, "width must be a multiple of heads; they are 10 and 4"),
        ({"width": 6, "heads": 2, "positions": "rotary"}, "width must be an even multiple of heads; they are 6 and 2"),
        ({"positions": "sine"}, "not 'sine'"),
        ({"layers": 0}, "1 or more; they are 3, 6, 0, 2"),
        ({"dims": ()}, "1 or more"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        made(**settings)


def test_what_does_not_fit_the_window_or_the_alphabet_is_refused():
    model = made()
    with pytest.raises(ValueError, match=r"shape \(1, 7\). Cut what is longer into windows"):
        model.log_prob(torch.zeros(1, 7).long())
    with pytest.raises(ValueError, match="expected whole numbers 0 ... 2; these are torch.int64 from 3 to 3"):
        model.log_prob(torch.full((1, 6), 3))
    with pytest.raises(ValueError, match="window has 6 places, of which start takes 3; length is 4"):
        model.sample(1, start=PROMPT, length=4)
    with pytest.raises(ValueError, match="whole numbers 0 ... 2"):
        model.sample(1, start=[3])
    with pytest.raises(ValueError, match=r"start is \(m,\) symbols or \(2, m\)"):
        model.sample(2, start=torch.zeros(3, 2).long())
    with pytest.raises(ValueError, match="length is 2"):
        made(dims=(2, 3)).sample(1, length=2)
    with pytest.raises(ValueError, match="only images can be warped"):
        model.log_prob(torch.zeros(1, 6).long(), warped=torch.ones(1))
    with pytest.raises(ValueError, match="give each of 1 examples a label"):
        made(classes=2).logits(torch.zeros(1, 6).long())
    with pytest.raises(ValueError, match="made without classes"):
        model.log_prob(torch.zeros(1, 6).long(), torch.zeros(1).long())
    with pytest.raises(ValueError, match="temperature is 0"):
        model.sample(1, temperature=-1)
