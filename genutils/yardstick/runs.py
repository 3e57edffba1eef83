"""One run: train by a recipe, ask the model about the test data, time it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genutils.kinds import Estimate, Kind
from genutils.model import answers, as_array, kind, unwrapped
from genutils.recipes import MINUTE, Budget, choose, does, recipe
from genutils.tasks import Task, task
from genutils.twosample import energy_distance
from genutils.yardstick.counting import count_operations
from genutils.yardstick.results import Line

METRIC_SIZE = 2_000  # samples for the sample metric


def run(model: Any, data: str | Callable[[], Task], seed: int, budget: Budget = MINUTE, **settings: Any) -> Line:
    """Train by a recipe, then touch the test data, once.

    Args:
        model: a name in `genutils.recipes.RECIPES`, or a recipe of your own: whatever has ``train(task, seed, budget)``
            that gives a `genutils.model.Model` (and, if you like, ``SETTINGS``, ``BOUND``, ``bound`` like them).
        data: a name in `genutils.tasks.TASKS`, or a function that makes a task of your own.
        seed: of everything random.
        budget: of the training.
        settings: of the model, in place of the recipe's.

    Raises:
        ValueError: a name is not known, the recipe has no settings for the task, or a test example has no finite value.
    """
    chosen = recipe(model) if isinstance(model, str) else model
    make = data if callable(data) else lambda: task(data)
    given = make()
    if not does(chosen, given):
        raise ValueError(f"{_name(chosen)} has no settings for {given.name!r}; there are some for {_done(chosen)}")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        start = time.process_time()
        trained = unwrapped(chosen.train(given, seed, budget, **settings))
        seconds = time.process_time() - start
        test = given.split("test")["x"]
        found = _evaluate(trained, chosen, given, test)
        clock = time.perf_counter()
        _sample(trained, given, 1000, seed)
        sampling = time.perf_counter() - clock
        found |= _distances(trained, given, test, seed)
        steps = _steps(chosen, given, budget)
        operations = None if steps is None else count_operations(chosen.train, make, seed, steps, **settings)
    finally:
        torch.set_num_threads(threads)
    return Line(
        model=_name(chosen),
        data=given.name,
        seed=seed,
        kind=kind(trained),
        parameters=trained.parameter_count(),
        train_cpu_s=round(seconds, 2),
        sample_1000_s=round(sampling, 4),
        budget=str(budget),
        steps=steps,
        operations=operations,
        **found,
    )


def _evaluate(trained: Any, chosen: Any, given: Task, x: Tensor) -> dict[str, Any]:
    """Value, unit, errors and further units of a model on test examples."""
    answer, found = kind(trained), dict.fromkeys(("value", "unit", "stderr"))
    if answer in (Kind.NONE, Kind.UP_TO_A_CONSTANT):
        return found
    own = getattr(chosen, "bound", None) if answer is Kind.BOUND else None
    with torch.no_grad():
        if isinstance(trained, torch.nn.Module):
            noise = torch.Generator().manual_seed(2026)
            few = max(1, min(5_000, 2**16 // given.dims))  # at a time, for long ones take memory
            parts = [x] if answer is Kind.ESTIMATE else x.split(few)  # the error that is shared is shared by all
            if own:
                got = [Estimate(as_array(own(trained, part, noise))) for part in parts]
            else:
                got = [answers(trained, part, generator=noise) for part in parts]
        else:
            got = [answers(trained, _rows(x), generator=np.random.default_rng(2026))]
    log_prob = np.concatenate([part.log_prob for part in got])
    values, scale = given.values(log_prob, x)
    if not np.isfinite(values).all():
        raise ValueError(f"{np.sum(~np.isfinite(values))} of {len(values)} test examples have no finite value")
    found |= {"value": float(values.mean()), "unit": given.unit}
    found["stderr"] = float(values.std(ddof=1) / math.sqrt(len(values)))
    if answer is Kind.ESTIMATE:
        found |= {"error": got[0].error_of_mean() * scale, "direction": got[0].direction}
    if answer is Kind.BOUND:
        found["bound"] = getattr(chosen, "BOUND", "ELBO")
    if given.also:
        found["also"] = {str(unit): float(given.values(log_prob, x, unit)[0].mean()) for unit in given.also}
    return found


def _sample(trained: Any, given: Task, n: int, seed: int) -> Tensor:
    """n samples shaped like examples of the task, as a tensor."""
    if isinstance(trained, torch.nn.Module):
        return trained.sample(n, generator=torch.Generator().manual_seed(seed))
    return torch.as_tensor(trained.sample(n, generator=np.random.default_rng(seed))).view(n, *given.shape)


def _distances(trained: Any, given: Task, test: Tensor, seed: int) -> dict[str, float]:
    """Root energy distance of samples to test data, and of training data (or fresh points) to test data."""
    if not given.comparable:
        return {}
    samples = _sample(trained, given, METRIC_SIZE, 1_000 + seed)
    real = given.examples(METRIC_SIZE, generator=torch.Generator().manual_seed(1_000 + seed))
    roots = [
        math.sqrt(max(0.0, energy_distance(x.flatten(1).double(), test[:METRIC_SIZE].flatten(1).double())))
        for x in (samples, real)
    ]
    return dict(zip(("distance", "distance_real"), roots, strict=True))


def _rows(x: Tensor) -> np.ndarray:
    """Examples as classical models take them, (B, D)."""
    return x.flatten(1).numpy()


def _steps(chosen: Any, given: Task, budget: Budget) -> int | None:
    settings = getattr(chosen, "SETTINGS", None)
    per_step = choose(settings, given).seconds_per_step if settings else None
    return None if per_step is None else budget.count(per_step)


def _name(chosen: Any) -> str:
    return getattr(chosen, "__name__", type(chosen).__name__).split(".")[-1]


def _done(chosen: Any) -> str:
    return ", ".join(getattr(chosen, "SETTINGS", ()))
