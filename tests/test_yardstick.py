"""The yardstick: units, one line a run, resuming, and a table that says exact, bound or none."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import types
from dataclasses import asdict

import pytest
import torch

from genutils import yardstick
from genutils.data import ring
from genutils.model import Model
from genutils.yardstick import Line, append, missing, read, rows, run, table

NEEDED = "model data seed kind value unit stderr parameters train_cpu_s sample_1000_s".split()


class Uniform(Model, torch.nn.Module):
    """Knows nothing: every level equally likely."""

    def __init__(self):
        super().__init__()
        self.anything = torch.nn.Parameter(torch.zeros(3))

    def log_prob(self, x):
        return torch.full((len(x),), -64 * math.log(17))

    def sample(self, n, *, generator=None):
        return torch.randint(17, (n, 8, 8), generator=generator)


class Truth(Model, torch.nn.Module):
    def log_prob(self, x):
        return ring.log_prob(x) - 0.25  # as if a quarter of a nat were lost

    def sample(self, n, *, generator=None):
        return ring.sample(n, generator=generator)


class Bounded(Model, torch.nn.Module):
    def elbo(self, x, *, generator=None):
        return torch.full((len(x),), -64 * math.log(17) - 1.0)

    sample = Uniform.sample


class Sampler(Model, torch.nn.Module):
    sample = Uniform.sample


def recipe(model, **more):
    module = types.ModuleType("genutils.recipes.pretended")
    module.digits = lambda seed, **settings: model()
    module.plane = lambda density, seed, **settings: model()
    for name, value in more.items():
        setattr(module, name, value)
    return module


def test_uniform_over_17_levels_costs_log2_17_on_real_digits():
    line = run(recipe(Uniform), "digits", 0)
    assert (line.kind, line.unit, line.parameters, line.model) == ("exact", "bpd", 3, "pretended")
    assert line.value == pytest.approx(math.log2(17), abs=1e-6) and line.stderr == pytest.approx(0, abs=1e-9)
    assert line.distance > 5 * line.distance_real


def test_on_a_density_the_value_is_the_gap_to_its_entropy():
    line = run(recipe(Truth), "ring", 3)
    assert (line.kind, line.unit) == ("exact", "nats_above_limit")
    assert line.value == pytest.approx(0.25, abs=1e-5) and line.seed == 3
    assert line.distance < 0.1


def test_a_bound_is_called_a_bound_and_the_recipe_may_name_a_tighter_one():
    line = run(recipe(Bounded), "digits", 0)
    assert (line.kind, line.bound) == ("bound", "ELBO")
    assert line.value == pytest.approx(math.log2(17) + 1 / (64 * math.log(2)), abs=1e-6)
    tighter = recipe(Bounded, BOUND="IWAE-64", bound=lambda model, x, generator: model.elbo(x) + 1)
    line = run(tighter, "digits", 0)
    assert line.bound == "IWAE-64" and line.value == pytest.approx(math.log2(17), abs=1e-6)


def test_what_only_samples_gets_no_likelihood_but_a_distance():
    line = run(recipe(Sampler), "digits", 0)
    assert (line.kind, line.value, line.unit, line.stderr, line.bound) == ("none", None, None, None, None)
    assert line.distance > 0
    text = table([line])
    assert "none" in text and "bits/dim" not in text


def test_a_score_that_is_not_finite_is_an_error():
    class Impossible(Truth):
        def log_prob(self, x):
            return torch.full((len(x),), -torch.inf)

    with pytest.raises(ValueError, match="no finite score"):
        run(recipe(Impossible), "ring", 0)


def line(model="flow", data="ring", seed=0, value=0.5, **more) -> Line:
    given = {"kind": "exact", "unit": "nats_above_limit", "stderr": 0.01, "parameters": 10, "train_cpu_s": 2.0}
    given |= {"sample_1000_s": 0.1, "distance": 0.2, "distance_real": 0.1}
    return Line(model, data, seed, **(given | {"value": value} | more))


def test_lines_survive_the_file_and_runs_resume(tmp_path):
    path = tmp_path / "new" / "lines.jsonl"
    first = line(model="gan", kind="none", value=None, unit=None, stderr=None)
    append(path, first)
    append(path, line("autoregressive", seed=1))
    assert read(path) == [first, line("autoregressive", seed=1)]
    assert set(NEEDED) <= set(json.loads(path.read_text().splitlines()[0]))
    todo = missing(["autoregressive", "gan"], ["ring", "moons"], 2, path)
    assert ("gan", "ring", 0) not in todo and ("autoregressive", "ring", 1) not in todo and len(todo) == 6


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "lines.jsonl"
    append(path, line())
    path.write_text(path.read_text() + '{"model": "flow"\n')
    with pytest.raises(ValueError, match="line 2 is not a finished run"):
        read(path)


def test_rows_give_mean_and_standard_deviation_over_seeds():
    row = rows([line(seed=s, value=v) for s, v in enumerate([1.0, 2.0, 3.0])])[0]
    assert (row["seeds"], row["value"], row["value_sd"]) == (3, 2.0, 1.0)
    assert rows([line()])[0]["value_sd"] is None
    assert "0.5000" in table([line()]) and "±" not in table([line()])


def test_rows_stand_in_the_order_of_the_course():
    lines = [line("diffusion", "moons"), line("flow", "moons"), line("flow", "digits"), line("mine", "digits")]
    assert [(r["data"], r["model"]) for r in rows(lines)] == [
        ("digits", "flow"),
        ("digits", "mine"),
        ("moons", "flow"),
        ("moons", "diffusion"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--models", "gpt"], "no model is called 'gpt'"),
        (["--data", "mnist"], "'mnist'"),
        (["--seeds", "0"], "it is 0"),
    ],
)
def test_the_command_says_what_it_did_not_understand(arguments, says, tmp_path):
    out = tmp_path / "lines.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "tools.yardstick", "--out", str(out), *arguments], capture_output=True, text=True
    )
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


def test_the_command_does_nothing_twice(tmp_path):
    out = tmp_path / "lines.jsonl"
    append(out, line("autoregressive"))
    command = [sys.executable, "-m", "tools.yardstick", "--out", str(out), "--models", "autoregressive"]
    done = subprocess.run([*command, "--data", "ring", "--seeds", "1"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("0 runs to do") and "nats above H" in done.stdout
    assert read(out) == [line("autoregressive")] and asdict(read(out)[0])["value"] == 0.5


def test_every_family_has_its_recipe():
    assert {"autoregressive", "gan"} <= set(yardstick.MODELS)
    for name in yardstick.MODELS:
        module = yardstick._recipe(name)
        assert callable(module.digits) and callable(module.plane)
