"""From a model's logits to the next symbol: temperature, top-k, top-p, and drafts that a large model accepts."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def next_probs(
    logits: Tensor, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Probabilities of the next symbol, (..., L) logits to (..., L): first the temperature, then top-k, then top-p.

    Args:
        temperature: logits are divided by it: above 1 the draw is bolder, below 1 more timid; at 0 the likeliest symbol
            (the first of equals) has probability one.
        top_k: keep the k likeliest symbols; None for all.
        top_p: of what is left, keep the fewest likeliest symbols that together have this probability; None for all.

    Raises:
        ValueError: a setting has no meaning; says which have.

    Source: top-k: Fan, Lewis, Dauphin (2018); top-p: Holtzman et al. (2020), section 3.1.

    >>> next_probs(torch.tensor([0.5, 0.3, 0.2]).log(), top_p=0.6).tolist()  # 0.5 is too little, 0.5 + 0.3 is enough
    [0.625, 0.375, 0.0]
    """
    levels = logits.shape[-1]
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature is 0 (the likeliest) or more, and finite; it is {temperature}")
    if top_k is not None and (top_k != int(top_k) or top_k < 1):
        raise ValueError(f"top_k is how many symbols are kept, 1 or more; it is {top_k}. None keeps all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is a probability above 0, up to 1; it is {top_p}. 1 or None keeps all symbols")
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(-1), levels).to(logits.dtype)
    p = ((logits - logits.amax(-1, keepdim=True)) / temperature).softmax(-1)
    if top_k is None and top_p is None:
        return p
    ordered, which = p.sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        ordered[..., int(top_k) :] = 0
        ordered = ordered / ordered.sum(-1, keepdim=True)
    if top_p is not None and top_p < 1:
        before = ordered.cumsum(-1) - ordered
        ordered = torch.where(before < top_p, ordered, 0.0)
    p = torch.zeros_like(p).scatter(-1, which, ordered)
    return p / p.sum(-1, keepdim=True)


def draw(p: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """One symbol from each row of probabilities, (..., L) to (...); a generator of the CPU serves any device."""
    device = generator.device if generator is not None else p.device
    flat = torch.multinomial(p.reshape(-1, p.shape[-1]).to(device), 1, generator=generator)
    return flat.view(p.shape[:-1]).to(p.device)


def acceptance(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """How a draft from q becomes a draw from p: (..., L) and (..., L) to (..., L) and (..., L).

    Accept the drafted symbol c with probability ``min(1, p(c) / q(c))``; else draw from ``max(p - q, 0)``, normalised.
    Then c comes with probability ``min(p, q)``, plus what was refused, ``1 - sum min(p, q)``, times the second
    distribution: that is p, whatever q was.

    Returns:
        The probability that each symbol is accepted if drafted, and the distribution drawn from after a refusal (p
        itself where nothing is ever refused).

    Source: Leviathan, Kalman, Matias (2023), section 2.3 and appendix A.1.

    >>> acceptance(torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75]))
    (tensor([1.0000, 0.6667]), tensor([1., 0.]))
    """
    accept = torch.where(q > 0, p / q.clamp_min(torch.finfo(q.dtype).tiny), 1.0).clamp_max(1)
    left = (p - q).clamp_min(0)
    total = left.sum(-1, keepdim=True)
    return accept, torch.where(total > 0, left / total.clamp_min(torch.finfo(q.dtype).tiny), p)


@torch.no_grad()
def speculate(
    large: Any,
    small: Any,
    *,
    length: int,
    start: Any = (),
    ahead: int = 4,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, int]:
    """One sequence from the large model's distribution, exactly, with fewer of its passes: a small one drafts.

    The small model draws ``ahead`` symbols, the large one reads them all in one pass, and `acceptance` decides, from
    the first on; what follows a refused symbol is thrown away. If all are accepted, the same pass gives one more.

    Args:
        large, small: each a `genutils.transformer.Transformer` of the same symbols.
        length: how many symbols to draw, after the ``start``, (m,).
        ahead: drafted before each pass, 1 or more.
        temperature: of both; the result has the large model's distribution at it.

    Returns:
        (length,) symbols, and how many passes of the large model they took.
    """
    if large.levels != small.levels:
        raise ValueError(f"the models speak of {large.levels} and {small.levels} symbols; they must be the same ones")
    if ahead < 1:
        raise ValueError(f"ahead is how many symbols are drafted for each pass, 1 or more; it is {ahead}")
    ids, known, passes = torch.as_tensor(start).long().tolist(), len(start), 0
    window = min(large.length, small.length)
    if known + length > window:
        raise ValueError(f"the shorter window has {window} places; start and length need {known + length}")
    large_cache, small_cache = large.start(1), small.start(1)

    def probs(model: Any, cache: Any, end: int) -> Tensor:
        """(t, L): what comes after each symbol before ``end`` that the model has not read yet."""
        unread = torch.tensor([ids[max(0, cache.length - 1) : end]], dtype=torch.long, device=cache.keys.device)
        return next_probs(model.read(unread, cache)[0], temperature=temperature)

    while (kept := len(ids)) < known + length:
        drafts, guesses = min(ahead, known + length - kept), []
        for _ in range(drafts):
            guesses.append(probs(small, small_cache, len(ids))[-1])
            ids.append(int(draw(guesses[-1], generator)))
        more = len(ids) < known + length  # then the large model reads the last draft, too
        truth, passes = probs(large, large_cache, len(ids) - (not more)), passes + 1
        truth = truth[-drafts - more :]
        accept, instead = acceptance(truth[:drafts], torch.stack(guesses))
        for j in range(drafts):
            chance = accept[j, ids[kept + j]]
            if draw(torch.stack([chance, 1 - chance]), generator):  # refused
                ids = [*ids[: kept + j], int(draw(instead[j], generator))]
                break
        else:
            if more:
                ids.append(int(draw(truth[-1], generator)))
        for cache in (large_cache, small_cache):
            cache.length = min(cache.length, len(ids))  # the beginning, and all symbols but the last
    return torch.tensor(ids[known:], dtype=torch.long), passes
