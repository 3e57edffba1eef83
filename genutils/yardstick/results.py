"""Finished runs: a line each, in a file that only grows, and the table of them."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from statistics import mean, stdev
from typing import Any

import genutils
from genutils.kinds import Kind, Unit
from genutils.recipes import MINUTE, RECIPES, Budget, does, recipe
from genutils.tasks import TASKS, task

RESULTS = pathlib.Path(genutils.__file__).parents[1] / "yardstick" / "results.jsonl"


@dataclass(frozen=True)
class Line:
    """One finished run.

    Attributes:
        model, data, seed, budget: which; a line of the same four is the same run.
        kind: a word of `genutils.kinds.Kind`.
        value, unit: what a test example costs, in a unit of `genutils.kinds.Unit`; less is better.
        stderr: of ``value``, from the choice of test examples.
        parameters: how many numbers were learned.
        train_cpu_s: CPU seconds of training on the machine that ran it.
        sample_1000_s: seconds for 1,000 samples there.
        bound: which bound it is, where it is one.
        distance: the root of the energy distance between 2,000 samples and as many test examples (of digits 447), where
            the task has one; ``distance_real`` is what training data get.
        error, direction: of an estimate, its own standard error, and whether it "overstates" or "understates" the
            likelihood on average.
        also: the value in further units.
        steps: of training; None for what is not trained in steps.
        operations: of training, floating-point, counted in matrix products, convolutions and attention alone.
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
    error: float | None = None
    direction: str | None = None
    also: dict[str, float] | None = None
    budget: str = str(MINUTE)
    steps: int | None = None
    operations: float | None = None


def missing(
    models: Iterable[str], data: Iterable[str], seeds: int, path: str | os.PathLike, budget: Budget = MINUTE
) -> list[tuple[str, str, int]]:
    """The runs that the file does not hold yet, data set by data set, of models that have a recipe for them.

    Raises:
        ValueError: a name is not known, there are no seeds, or none of the models has a recipe for any of the data.
        ImportError: a recipe does not import.
    """
    chosen, tasks = {m: recipe(m) for m in models}, {d: task(d) for d in data}
    if seeds < 1:
        raise ValueError(f"SEEDS is how many seeds to run, 1 or more; it is {seeds}")
    pairs = [(m, d) for d, given in tasks.items() for m, module in chosen.items() if does(module, given)]
    if not pairs:
        raise ValueError(f"none of {', '.join(chosen)} has a recipe for {', '.join(tasks)}")
    done = {(line.model, line.data, line.seed, line.budget) for line in read(path)}
    return [(m, d, s) for m, d in pairs for s in range(seeds) if (m, d, s, str(budget)) not in done]


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
            line = Line(**{k: v for k, v in json.loads(text).items() if k in names})
            Kind(line.kind), line.unit is None or Unit(line.unit)
            found.append(line)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, line {number} is not a finished run: {text[:80]!r}; delete that line") from error
    return found


def append(path: str | os.PathLike, line: Line) -> None:
    """Add a line at once and whole, so that a run that is stopped loses nothing."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), default=_of_python) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _of_python(value: Any) -> Any:
    """Numbers of numpy and of torch as Python's, which a line can hold."""
    if not hasattr(value, "item"):
        raise TypeError(f"a line holds numbers and words, not a {type(value).__name__}")
    return value.item()


def rows(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """One row per model, data set and budget, seeds together: means, and standard deviations over two seeds or more."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.data, line.model, line.budget), []).append(line)
    place = {name: i for i, name in enumerate((*TASKS, *RECIPES))}
    found = []
    for (data, model, budget), group in sorted(groups.items(), key=lambda g: [place.get(n, 99) for n in g[0][:2]]):
        row: dict[str, Any] = {"data": data, "model": model, "kind": Kind(group[0].kind), "seeds": len(group)}
        row |= {"budget": budget, "bound": group[0].bound, "direction": group[0].direction}
        row["unit"] = None if group[0].unit is None else Unit(group[0].unit)
        for name in NUMBERS:
            numbers = [getattr(line, name) for line in group if getattr(line, name) is not None]
            row[name] = mean(numbers) if numbers else None
            row[name + "_sd"] = stdev(numbers) if len(numbers) > 1 else None
        every = [line.also for line in group if line.also]
        row["also"] = {Unit(unit): mean(also[unit] for also in every) for unit in (every[0] if every else ())}
        found.append(row)
    return found


NUMBERS = ("value", "error", "distance", "distance_real", "parameters", "train_cpu_s", "sample_1000_s", "operations")


def table(lines: Iterable[Line]) -> str:
    """The rows as text, for a terminal.

    Less is better. A circle says how the model answers (`genutils.kinds.Kind`); ± is the standard deviation over seeds,
    and of an estimate "error" is its own. The last but one column is the root energy distance of samples, and in
    brackets that of real data.
    """
    head = ("data", "model", "budget", "answer", "value", "unit", "parameters", "train CPU s", "operations")
    cells = [(*head, "1,000 samples s", "distance (real)")]
    for row in rows(lines):
        answer = ", ".join(filter(None, (f"{row['kind'].mark} {row['kind']}", row["bound"], row["direction"])))
        value = "-" if row["value"] is None else f"{row['value']:.4f}" + _spread(row["value_sd"])
        value += "" if row["error"] is None else f" (error {row['error']:.4f})"
        unit = row["unit"].short if row["unit"] else "-"
        unit += "".join(f", {value:.4f} {other.short}" for other, value in row["also"].items())
        distance = "-"
        if row["distance"] is not None:
            distance = f"{row['distance']:.3f}{_spread(row['distance_sd'], 3)} ({row['distance_real']:.3f})"
        cells.append(
            (row["data"], row["model"], row["budget"], answer, value, unit, f"{row['parameters']:,.0f}")
            + (f"{row['train_cpu_s']:.1f}", "-" if row["operations"] is None else f"{row['operations']:.1e}")
            + (f"{row['sample_1000_s']:.3f}", distance)
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def _spread(sd: float | None, digits: int = 4) -> str:
    return "" if sd is None else f" ± {sd:.{digits}f}"
