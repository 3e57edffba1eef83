"""Floating-point operations, counted and not timed: of a piece of work, and of a whole training from two short ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import flop_counter

from genutils.recipes import Budget
from genutils.tasks import Task

aten = torch.ops.aten


def operations(work: Callable[[], Any]) -> float:
    """What one call of ``work`` takes: matrix products, convolutions and attention alone, forward and backward.

    Attention counts whole, also what its mask hides. Source: `torch.utils.flop_counter`, which knows attention on a
    GPU only.

    >>> operations(lambda: torch.ones(2, 3) @ torch.ones(3, 5))  # a product and a sum for each of 2 * 3 * 5
    60.0
    """
    counter = flop_counter.FlopCounterMode(display=False, custom_mapping=ON_A_CPU)
    counter.mod_tracker = _NoModules()
    with counter:
        work()
    return float(counter.get_total_flops())


def count_operations(train: Callable, make: Callable[[], Task], seed: int, steps: int, **settings: Any) -> float:
    """Operations of a training of so many steps: what one step takes, times steps, and the rest.

    What a step takes is the difference of trainings of two steps and of one, so what comes before and after counts
    once.
    """
    one, two = (operations(lambda n=n: train(make(), seed, Budget(steps=n), **settings)) for n in (1, 2))
    return one + (steps - 1) * (two - one)


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return flop_counter.sdpa_flop_count(query, key, value)


def _attention_backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return flop_counter.sdpa_backward_flop_count(grad, query, key, value)


ON_A_CPU = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


class _NoModules:
    """In place of the counter's record of which module is at work, whose hooks forbid gradients of gradients."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...
