"""Temperature, top-k and top-p as defined; drafts accepted by the rule leave the large model's distribution."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genutils import decoding
from genutils.decoding import acceptance, draw, next_probs, speculate
from genutils.transformer import Transformer

P = torch.tensor([0.4, 0.1, 0.3, 0.2])
distributions = (
    st.lists(st.integers(0, 9), min_size=4, max_size=4)
    .filter(any)
    .map(lambda counts: torch.tensor(counts).double() / sum(counts))
)


def model(seed: int, **settings) -> Transformer:
    torch.manual_seed(seed)
    model = Transformer(**({"levels": 2, "dims": 4, "width": 8, "layers": 1, "heads": 2} | settings))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.5)
    return model


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        ({}, [0.4, 0.1, 0.3, 0.2]),
        ({"temperature": 0}, [1, 0, 0, 0]),
        ({"temperature": 0.5}, [16 / 30, 1 / 30, 9 / 30, 4 / 30]),
        ({"top_k": 2}, [4 / 7, 0, 3 / 7, 0]),
        ({"top_k": 9}, [0.4, 0.1, 0.3, 0.2]),
        ({"top_p": 0.39}, [1, 0, 0, 0]),
        ({"top_p": 0.41}, [4 / 7, 0, 3 / 7, 0]),
        ({"top_p": 0.9}, [4 / 9, 0, 3 / 9, 2 / 9]),
        ({"top_p": 1}, [0.4, 0.1, 0.3, 0.2]),
        ({"top_p": 1e-9}, [1, 0, 0, 0]),
        ({"temperature": 0.5, "top_p": 0.54}, [16 / 25, 0, 9 / 25, 0]),  # the temperature comes first
        ({"top_k": 2, "top_p": 0.5}, [1, 0, 0, 0]),  # top-p is a share of what top-k has left
    ],
)
def test_settings_do_what_they_say(settings, want):
    found = next_probs(P.log(), **settings)
    assert torch.allclose(found, torch.tensor(want).float(), atol=1e-6)
    rows = torch.stack([P, P.flip(0)]).log()
    assert torch.allclose(next_probs(rows, **settings)[1], found.flip(0), atol=1e-6)  # each row on its own


def test_impossible_symbols_and_equals():
    logits = torch.tensor([-math.inf, 1.0, 1.0])
    assert next_probs(logits).tolist() == [0, 0.5, 0.5] and next_probs(logits, temperature=0).tolist() == [0, 1, 0]
    assert next_probs(logits, temperature=1e-30).isfinite().all()
    assert next_probs(logits, top_k=1).tolist() == next_probs(logits, top_p=0.5).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "settings",
    [{"temperature": -1}, {"temperature": math.nan}, {"temperature": math.inf}, {"top_k": 0}, {"top_k": 1.5}]
    + [{"top_p": p} for p in (0, -0.1, 1.01, math.nan)],
)
def test_settings_without_a_meaning_are_refused_by_name(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        next_probs(P.log(), **settings)


def test_draws_come_as_often_as_they_should():
    drawn = draw(P.expand(100, 50, 4), torch.Generator().manual_seed(0))
    assert drawn.shape == (100, 50)
    share = np.bincount(drawn.flatten(), minlength=4) / 5000
    assert np.abs(share - P.numpy()).max() < 0.025


@given(distributions, distributions)
def test_accepted_or_refused_the_symbol_has_the_large_distribution(p, q):
    accept, instead = acceptance(p, q)
    refused = (q * (1 - accept)).sum()
    assert torch.allclose(q * accept + refused * instead, p, atol=1e-12)
    assert (q * accept).sum().item() == pytest.approx(torch.minimum(p, q).sum().item())


def enumerated(run) -> dict[tuple, float]:
    """The exact distribution of what ``run`` returns: each of its draws goes every way that has a probability."""
    found: dict[tuple, float] = {}
    todo = [()]
    while todo:
        path, weight, at = todo.pop(), 1.0, 0

        def choose(p, generator=None):
            nonlocal weight, at, path
            ways = [i for i in range(len(p)) if p[i] > 1e-9]
            if at == len(path):
                todo.extend(path + (i,) for i in ways[1:])
                path = path + (ways[0],)
            weight *= p[path[at]].item()
            at += 1
            return torch.tensor(path[at - 1])

        result = run(choose)
        found[result] = found.get(result, 0.0) + weight
    return found


@pytest.mark.parametrize("ahead", [1, 2, 3])
@pytest.mark.parametrize("start", [[], [1]])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_speculative_decoding_has_exactly_the_large_models_distribution(monkeypatch, ahead, start, temperature):
    large, small, length = model(0), model(1, dims=6), 3

    def run(choose):
        monkeypatch.setattr(decoding, "draw", choose)
        return tuple(
            speculate(large, small, length=length, start=start, ahead=ahead, temperature=temperature)[0].tolist()
        )

    found = enumerated(run)
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    with torch.no_grad():
        x = torch.tensor([[*start, *rest] for rest in itertools.product((0, 1), repeat=length)])
        each = (large.logits(x) / temperature).log_softmax(-1).gather(2, x[..., None])[..., 0]
        p = each[:, len(start) :].sum(1).exp()
    want = {tuple(row[len(start) :].tolist()): value.item() for row, value in zip(x, p, strict=True)}
    assert max(abs(found[key] - want[key]) for key in want) < 1e-5


def test_a_draft_by_the_model_itself_is_always_accepted():
    one = model(2, levels=5, dims=21)
    ids, passes = speculate(one, one, length=21, ahead=6, generator=torch.Generator().manual_seed(0))
    assert ids.shape == (21,) and passes == 3  # six drafts and one more each time


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"small": model(1, levels=3)}, "speak of 2 and 3 symbols"),
        ({"ahead": 0}, "1 or more; it is 0"),
        ({"start": [0, 1]}, "window has 4 places; start and length need 5"),
    ],
)
def test_what_cannot_serve_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        speculate(model(0), **({"small": model(1), "length": 3} | settings))
