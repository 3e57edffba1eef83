"""One yardstick for all families: train a model on a data set with a seed, score it, time it, keep one line of it."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import pathlib
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from statistics import mean, stdev
from typing import Any

import numpy as np

from genutils import data as sources
from genutils.model import bits_per_dim, kind

ORDER = ("autoregressive", "flow", "vae", "gan", "diffusion")  # of the course
MODELS = tuple(name for name in ORDER if importlib.util.find_spec(f"genutils.recipes.{name}"))
DATA = ("digits", *sources.DENSITIES)
TEST_SIZE = 50_000  # fresh points of a density
METRIC_SIZE = 2_000  # samples for the sample metric


@dataclass(frozen=True)
class Line:
    """One finished run. ``value`` is bits per dimension of the test digits ("bpd"), or nats above the entropy.

    ``stderr`` is the standard error of ``value`` over test examples. ``distance`` is the root of the energy distance
    between 2,000 samples and as many (447 digits) test examples, of which ``distance_real`` is what training data gets.
    """

    model: str
    data: str
    seed: int
    kind: str
    value: float | None
    unit: str | None
    stderr: float | None
    parameters: int
    train_cpu_s: float
    sample_1000_s: float
    bound: str | None = None
    distance: float | None = None
    distance_real: float | None = None


def run(model: str, data: str, seed: int, **settings: Any) -> Line:
    """Train with the recipe of ``genutils.recipes.<model>``, then touch the test data, once.

    Args:
        model: a name in `MODELS` (the families that have a recipe), or a module with ``digits(seed)`` and
            ``plane(density, seed)``.
        data: a name in `DATA`.
        settings: handed to the recipe, for a shorter run.

    Raises:
        ValueError: a name is not known.
    """
    import torch

    recipe = _recipe(model)
    _known("data", [data], DATA)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        start = time.process_time()
        if data == "digits":
            trained = recipe.digits(seed, **settings)
        else:
            trained = recipe.plane(getattr(sources, data), seed, **settings)
        seconds = time.process_time() - start
        values, unit, stderr = _values(trained, recipe, data)
        clock = time.perf_counter()
        trained.sample(1000, generator=torch.Generator().manual_seed(seed))
        sampling = time.perf_counter() - clock
        distance, real = _distances(trained, data, seed)
    finally:
        torch.set_num_threads(threads)
    return Line(
        model=getattr(recipe, "__name__", str(model)).split(".")[-1],
        data=data,
        seed=seed,
        kind=kind(trained),
        value=values,
        unit=unit,
        stderr=stderr,
        parameters=sum(p.numel() for p in trained.parameters() if p.requires_grad),
        train_cpu_s=round(seconds, 2),
        sample_1000_s=round(sampling, 4),
        bound=getattr(recipe, "BOUND", "ELBO") if kind(trained) == "bound" else None,
        distance=distance,
        distance_real=real,
    )


def _values(trained: Any, recipe: Any, data: str) -> tuple[float | None, str | None, float | None]:
    """Mean score over the test data, its unit, and its standard error."""
    import torch

    if kind(trained) == "none":
        return None, None, None
    noise = torch.Generator().manual_seed(2026)

    def answer(x: Any) -> np.ndarray:
        with torch.no_grad():
            if kind(trained) == "exact":
                return trained.log_prob(x).double().numpy()
            bound = getattr(recipe, "bound", None)
            return (bound(trained, x, noise) if bound else trained.elbo(x, generator=noise)).double().numpy()

    x = _test(data)
    nats = np.concatenate([answer(part) for part in x.split(5_000)])
    if data == "digits":
        values, unit = bits_per_dim(nats, 64), "bpd"
    else:
        values, unit = getattr(sources, data).log_prob(x).double().numpy() - nats, "nats_above_limit"
    if not np.isfinite(values).all():
        raise ValueError(f"{np.sum(~np.isfinite(values))} of {len(values)} test examples have no finite score")
    return float(values.mean()), unit, float(values.std(ddof=1) / math.sqrt(len(values)))


def _test(data: str, n: int = TEST_SIZE) -> Any:
    import torch

    if data == "digits":
        return torch.tensor(np.array(sources.digits().test)).long()
    return getattr(sources, data).sample(n, generator=torch.Generator().manual_seed(20_261_123))


def _distances(trained: Any, data: str, seed: int) -> tuple[float, float]:
    """Root energy distance of samples to test data, and of training data (or fresh samples) to test data."""
    import torch

    from genutils.twosample import energy_distance

    generator = torch.Generator().manual_seed(1_000 + seed)
    samples = trained.sample(METRIC_SIZE, generator=generator)
    if data == "digits":
        real = torch.tensor(np.array(sources.digits().train))
    else:
        real = getattr(sources, data).sample(METRIC_SIZE, generator=generator)
    test = _test(data, METRIC_SIZE).flatten(1).double()
    return tuple(math.sqrt(max(0.0, float(energy_distance(x.flatten(1).double(), test)))) for x in (samples, real))  # type: ignore[return-value]


def missing(
    models: Iterable[str], data: Iterable[str], seeds: int, path: str | os.PathLike
) -> list[tuple[str, str, int]]:
    """The runs that the file does not hold yet, data set by data set."""
    models, data = list(models), list(data)
    _known("model", models, MODELS)
    _known("data", data, DATA)
    if seeds < 1:
        raise ValueError(f"SEEDS is how many seeds to run, 1 or more; it is {seeds}")
    done = {(line.model, line.data, line.seed) for line in read(path)}
    return [(m, d, s) for d in data for m in models for s in range(seeds) if (m, d, s) not in done]


def read(path: str | os.PathLike) -> list[Line]:
    """The lines of a file; none if it is not there.

    Raises:
        ValueError: a line is not one of ours; says which.
    """
    path = pathlib.Path(path)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names, found = {f.name for f in fields(Line)}, []
    for number, text in enumerate(lines, 1):
        try:
            found.append(Line(**{k: v for k, v in json.loads(text).items() if k in names}))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, line {number} is not a finished run: {text[:80]!r}; delete that line") from error
    return found


def append(path: str | os.PathLike, line: Line) -> None:
    """Add a line at once and whole, so that a run that is stopped loses nothing."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def rows(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """One row per model and data set, seeds together: means, and standard deviations over seeds where there are two."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.data, line.model), []).append(line)
    place = {name: i for i, name in enumerate((*DATA, *ORDER))}
    found = []
    for (data, model), group in sorted(groups.items(), key=lambda g: [place.get(name, 99) for name in g[0]]):
        row: dict[str, Any] = {"data": data, "model": model, "kind": group[0].kind, "seeds": len(group)}
        row["bound"], row["unit"] = group[0].bound, group[0].unit
        for name in ("value", "distance", "distance_real", "parameters", "train_cpu_s", "sample_1000_s"):
            numbers = [getattr(line, name) for line in group if getattr(line, name) is not None]
            row[name] = mean(numbers) if numbers else None
            row[name + "_sd"] = stdev(numbers) if len(numbers) > 1 else None
        found.append(row)
    return found


def table(lines: Iterable[Line]) -> str:
    """The rows as text, for a terminal.

    Values on digits are bits per dimension of the test split, on a density nats above its entropy; ± is the standard
    deviation over seeds. The last but one column is the root energy distance of samples, and in brackets that of real
    data.
    """
    head = ("data", "model", "kind", "value", "unit", "parameters", "train CPU s", "1,000 samples s", "distance (real)")
    cells = [head]
    for row in rows(lines):
        answer = f"{row['kind']}, {row['bound']}" if row["bound"] else row["kind"]
        value = "-" if row["value"] is None else f"{row['value']:.4f}" + _spread(row["value_sd"])
        unit = {"bpd": "bits/dim", "nats_above_limit": "nats above H"}.get(row["unit"], "-")
        distance = f"{row['distance']:.3f}{_spread(row['distance_sd'], 3)} ({row['distance_real']:.3f})"
        cells.append(
            (row["data"], row["model"], answer, value, unit, f"{row['parameters']:,.0f}", f"{row['train_cpu_s']:.1f}")
            + (f"{row['sample_1000_s']:.3f}", distance)
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def _spread(sd: float | None, digits: int = 4) -> str:
    return "" if sd is None else f" ± {sd:.{digits}f}"


def _recipe(model: Any) -> Any:
    if not isinstance(model, str):
        return model
    _known("model", [model], MODELS)
    return importlib.import_module(f"genutils.recipes.{model}")


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"no {what} is called {name!r}; there are {', '.join(known)}")
