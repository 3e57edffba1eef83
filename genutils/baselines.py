"""What any model of the digits must beat: one table, computed in one place, for every lesson that has a result on them.

``python -m tools.baselines`` computes the numbers (`measure`) and keeps them in ``baselines.json`` beside this file; a
test computes them again. All are in bits per dimension of 8 x 8 digits with 17 levels, learned from the training part;
what was chosen was chosen on the validation part.
"""

from __future__ import annotations

import bz2
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np

from genutils.model import Model, evaluate

FILE = pathlib.Path(__file__).with_suffix(".json")
PARTS = ("validation", "test")
SEEDS = range(5)


@dataclass(frozen=True)
class Baseline:
    """What one of the simple models costs, in bits per dimension.

    Attributes:
        kind: "exact", or "file" for the size of a real file.
        runs: one value for each seed; a single one where nothing is random.

    >>> Baseline("exact", (2.0, 2.5)).value
    2.25
    """

    kind: str
    runs: tuple[float, ...]

    @property
    def value(self) -> float:
        """The mean over runs."""
        return mean(self.runs)

    @property
    def sd(self) -> float | None:
        """The standard deviation over runs; None where there is but one."""
        return stdev(self.runs) if len(self.runs) > 1 else None


def digits(part: str = "test") -> dict[str, Baseline]:
    """Baselines on the digits by name, the dearest first.

    Args:
        part: "test" or "validation".

    Raises:
        ValueError: there is no such part.

    >>> list(digits())[0], round(digits()["uniform over 17 levels"].value, 4)
    ('uniform over 17 levels', 4.0875)
    """
    if part not in PARTS:
        raise ValueError(f"baselines are known for {' and '.join(PARTS)}; {part!r} is neither")
    stored = json.loads(FILE.read_text(encoding="utf-8"))[part]
    found = {name: Baseline(row["kind"], tuple(row["runs"])) for name, row in stored.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1].value))


def table(results: Mapping[str, Any] | None = None, part: str = "test") -> str:
    """The baselines and, in bold among them, one's own results: a Markdown table for `genutils.say`, the dearest first.

    Args:
        results: by name, what `genutils.model.evaluate` returned, or a pair (kind, bits per dimension), or of kind
            and a list of bits per dimension, one for each seed.
        part: of the digits that the results are about.

    Raises:
        ValueError: a result has no value in bits per dimension.

    >>> "| **mine** | bound | **1.900** |" in table({"mine": ("bound", 1.9)})
    True
    """
    rows = {name: (one.value, one.sd, one.kind, False) for name, one in digits(part).items()}
    for name, result in (results or {}).items():
        rows[name] = (*_own(name, result), True)
    lines = [f"| {part} digits | kind | bits per dimension |", "|---|---|--:|"]
    for name, (value, sd, kind, own) in sorted(rows.items(), key=lambda row: -row[1][0]):
        bold = "**" if own else ""
        spread = "" if sd is None else f" ± {sd:.3f}"
        lines.append(f"| {bold}{name}{bold} | {kind} | {bold}{value:.3f}{bold}{spread} |")
    return "\n".join(lines)


def measure() -> dict[str, dict[str, Baseline]]:
    """All baselines anew, by part and name; about a quarter of a minute."""
    from genutils.data import digits as images

    data = images()
    arrays = {part: getattr(data, part).reshape(-1, 64).astype(int) for part in PARTS}
    runs = _models(SEEDS)
    files = {part: _file(getattr(data, part), _order(data.validation)) for part in PARTS}
    found = {part: {"uniform over 17 levels": Baseline("exact", (math.log2(17),))} for part in PARTS}
    for part in PARTS:
        for name, models in runs.items():
            found[part][name] = Baseline("exact", tuple(_cost(model, arrays[part]) for model in models))
        found[part]["bz2, all pictures in one file"] = Baseline("file", (files[part],))
    return found


def write() -> None:
    """Compute all baselines and keep them."""
    stored = {
        part: {name: {"kind": one.kind, "runs": [round(v, 6) for v in one.runs]} for name, one in rows.items()}
        for part, rows in measure().items()
    }
    FILE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def _models(seeds: Sequence[int]) -> dict[str, list[Any]]:
    """The models by name, one for each seed where chance plays a part."""
    from genutils.recipes import recipe
    from genutils.tasks import task

    given = task("digits")
    once = {"one histogram for all pixels": "frequencies", "one histogram a pixel": "histogram"}
    return {
        **{name: [recipe(key).train(given)] for name, key in once.items()},
        "one histogram a pixel and digit": [_ByClass(given)],
        "mixture of 40 tables": [recipe("mixture").train(given, seed) for seed in seeds],
        "network of four neighbours": [_network(given, seed) for seed in seeds],
    }


class _ByClass(Model):
    """Naive Bayes as a density: p(x) = sum over classes of p(y) p(x | y), where p(x | y) has a table for each pixel."""

    def __init__(self, given: Any):
        from genutils.nonparametric import Frequencies

        part = given.split("train")
        x, y = part["x"].flatten(1).numpy(), part["labels"].numpy()
        self.log_prior = np.log(np.bincount(y) / len(y))
        self.tables = [Frequencies(given.levels, 0.1).fit(x[y == k]) for k in range(given.classes)]

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        self._refuse(labels)
        return np.logaddexp.reduce([p + t.log_prob(x) for p, t in zip(self.log_prior, self.tables, strict=True)])

    def sample(
        self, n: int, labels: np.ndarray | None = None, *, generator: np.random.Generator | None = None
    ) -> np.ndarray:
        self._refuse(labels)
        rng = generator or np.random.default_rng()
        of = rng.choice(len(self.tables), size=n, p=np.exp(self.log_prior))
        drawn = np.stack([table.sample(n, generator=rng) for table in self.tables])  # (K, n, D)
        return drawn[of, np.arange(n)]


def _network(given: Any, seed: int) -> Any:
    """The network of lesson 06 with the lesson's settings."""
    import torch

    from genutils.neighbours import Neighbours
    from genutils.training import cosine, fit

    x, held_out = given.split("train")["x"].long(), given.split("validation")["x"].long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Neighbours(width=32)
        fit(network, x, validation=held_out, steps=400, batch_size=64, lr=5e-3, schedule=cosine, seed=seed)
    return network


def _cost(model: Any, x: np.ndarray) -> float:
    """Bits per dimension of (B, 64) whole numbers."""
    import torch

    return evaluate(model, torch.tensor(x).view(-1, 8, 8) if isinstance(model, torch.nn.Module) else x).value


ORDERS = {
    "side by side": lambda x: x.transpose(1, 0, 2).reshape(8, -1),
    "picture after picture": lambda x: x.reshape(len(x), 64),
    "pixel after pixel": lambda x: x.reshape(len(x), 64).T,
}


def _file(x: np.ndarray, order: str) -> float:
    """Bits for each pixel of one bz2 file with all images."""
    return 8 * len(bz2.compress(np.ascontiguousarray(ORDERS[order](x)).tobytes(), 9)) / x.size


def _order(x: np.ndarray) -> str:
    return min(ORDERS, key=lambda order: _file(x, order))


def _own(name: str, result: Any) -> tuple[float, float | None, str]:
    """Value, spread and kind of a result."""
    if isinstance(result, tuple):
        kind, runs = result
        runs = [float(v) for v in np.atleast_1d(runs)]
    else:
        if result.value is None or result.unit.short != "bits/dim":
            raise ValueError(f"{name!r} has no value in bits per dimension: {result}")
        kind, runs = result.kind, [result.value]
    if not runs or not all(map(math.isfinite, runs)):
        raise ValueError(f"{name!r} has no finite value in bits per dimension: {runs}")
    return mean(runs), stdev(runs) if len(runs) > 1 else None, str(kind)
