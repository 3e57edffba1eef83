"""The yardstick: units, one line a run, resuming, and a table that says how each model answers."""

from __future__ import annotations

import json
import math
import os
import pathlib
import subprocess
import sys
import types
from dataclasses import asdict

import pytest
import torch

from genutils.data import ring
from genutils.kinds import Estimate, Kind, Unit
from genutils.model import Model
from genutils.recipes import RECIPES, Budget, Settings, recipe
from genutils.tasks import TASKS, task
from genutils.yardstick import (
    RESULTS,
    Line,
    append,
    count_operations,
    missing,
    operations,
    read,
    rows,
    run,
    runs,
    table,
)

ROOT = pathlib.Path(__file__).parents[1]

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


def pretended(model, **more):
    module = types.ModuleType("genutils.recipes.pretended")
    module.train = lambda task, seed, budget, **settings: model()
    for name, value in more.items():
        setattr(module, name, value)
    return module


def test_uniform_over_17_levels_costs_log2_17_on_real_digits():
    line = run(pretended(Uniform), "digits", 0)
    assert (line.kind, line.unit, line.parameters, line.model) == ("exact", "bpd", 3, "pretended")
    assert line.value == pytest.approx(math.log2(17), abs=1e-6) and line.stderr == pytest.approx(0, abs=1e-9)
    assert line.distance > 5 * line.distance_real


def test_on_a_density_the_value_is_the_gap_to_its_entropy():
    line = run(pretended(Truth), "ring", 3)
    assert (line.kind, line.unit) == ("exact", "nats_above_limit")
    assert line.value == pytest.approx(0.25, abs=1e-5) and line.seed == 3
    assert line.distance < 0.1


def test_a_bound_is_called_a_bound_and_the_recipe_may_name_a_tighter_one():
    line = run(pretended(Bounded), "digits", 0)
    assert (line.kind, line.bound) == ("bound", "ELBO")
    assert line.value == pytest.approx(math.log2(17) + 1 / (64 * math.log(2)), abs=1e-6)
    tighter = pretended(Bounded, BOUND="IWAE-64", bound=lambda model, x, generator: model.elbo(x) + 1)
    line = run(tighter, "digits", 0)
    assert line.bound == "IWAE-64" and line.value == pytest.approx(math.log2(17), abs=1e-6)


def test_what_only_samples_gets_no_likelihood_but_a_distance():
    line = run(pretended(Sampler), "digits", 0)
    assert (line.kind, line.value, line.unit, line.stderr, line.bound) == ("none", None, None, None, None)
    assert line.distance > 0
    text = table([line])
    assert "○ none" in text and "bits/dim" not in text


class Guessed(Model, torch.nn.Module):
    """A quarter of a nat too good, with an error that all share."""

    def log_prob_estimate(self, x, labels=None, *, generator=None):
        return Estimate(ring.log_prob(x) + 0.25, torch.full((len(x),), 0.5), shared=0.1, direction="overstates")

    sample = Truth.sample


def test_an_estimate_keeps_its_error_and_its_direction():
    line = run(pretended(Guessed), "ring", 0)
    assert (line.kind, line.unit, line.direction) == ("estimate", "nats_above_limit", "overstates")
    assert line.value == pytest.approx(-0.25, abs=1e-5) and line.error == pytest.approx(0.1, abs=1e-3)
    text = table([line])
    assert "◔ estimate, overstates" in text and "-0.2500 (error 0.1000)" in text


class Unnormalised(Model, torch.nn.Module):
    def energy(self, x, labels=None):
        return -ring.log_prob(x)

    sample = Truth.sample


def test_what_is_known_up_to_a_constant_gets_no_number_but_its_kind():
    line = run(pretended(Unnormalised), "ring", 0)
    assert (line.kind, line.value, line.unit) == ("up to a constant", None, None) and line.distance < 0.1
    assert "◌ up to a constant" in table([line])


class Letters(Model):
    """Knows how many characters there are; takes arrays, as classical models do."""

    def log_prob(self, x, labels=None):
        assert x.ndim == 2 and type(x).__module__ == "numpy"
        return -math.log(K) * (x >= 0).sum(1)

    def sample(self, n, labels=None, *, generator=None):
        return generator.integers(K, size=(n, 256))

    def parameter_count(self):
        return 5


K = task("text").levels


def test_text_is_measured_per_character_and_per_byte():
    line = run(pretended(Letters), "text", 0)
    assert (line.kind, line.unit, line.parameters, line.distance) == ("exact", "bpc", 5, None)
    assert line.value == pytest.approx(math.log2(K)) and line.also["bpb"] == pytest.approx(line.value, rel=0.01)
    text = task("text")
    whole = text.split("test")["x"]
    size = text._sizes[Unit.BITS_PER_BYTE][whole.numpy()].sum()
    assert line.also["bpb"] == pytest.approx(math.log2(K) * whole.numel() / size)
    assert f"bits/char, {line.also['bpb']:.4f} bits/byte" in table([line])


def test_a_recipe_that_has_looked_at_the_test_data_is_found_out():
    peeping = pretended(Uniform)
    peeping.train = lambda task, seed, budget: Uniform() if task.split("test") else None
    with pytest.raises(RuntimeError, match="have been touched before"):
        run(peeping, "digits", 0)


def test_classical_models_stand_beside_the_others():
    for name, least, most in (("frequencies", 2.94, 2.96), ("histogram", 2.38, 2.41), ("ngram", 2.4, 2.6)):
        line = run(name, "digits", 0)
        assert line.kind == "exact" and least < line.value < most and line.parameters > 0
        assert (line.steps, line.operations, line.unit) == (None, None, "bpd")


class Learner(Model, torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 3, bias=False)

    def log_prob(self, x, labels=None):
        return -self.layer(x).square().sum(1) + ring.log_prob(x)

    sample = Truth.sample


def test_operations_are_counted_once_and_multiplied():
    """Forward 2 * 4 * 2 * 3, backward as much for the weights; and 10 steps' worth of something before them."""

    def train(task, seed, budget):
        model = Learner()
        torch.ones(1, 5) @ torch.ones(5, 7)
        for _ in range(budget.count(0.5)):
            model.log_prob(task.batch(4)["x"]).mean().backward()
        return model

    step, before = 2 * (2 * 4 * 2 * 3), 2 * 5 * 7
    assert count_operations(train, lambda: task("ring"), 0, 100) == 100 * step + before
    module = pretended(Learner, SETTINGS={"plane": Settings(Learner, seconds_per_step=0.5)})
    module.train = train
    line = run(module, "ring", 0, Budget(seconds=2))
    assert (line.steps, line.operations, line.budget) == (4, 4 * step + before, "2 s")
    with pytest.raises(ValueError, match="pretended has no settings for 'digits'; there are some for plane"):
        run(module, "digits", 0)


def test_attention_counts_on_a_cpu():
    """Queries and keys, and weights and values: 2 * 5 * 7 * 4 each, in 3 * 2 heads; backward five products for two."""
    q, kv = torch.randn(3, 2, 5, 4, requires_grad=True), torch.randn(3, 2, 7, 4)
    attend = torch.nn.functional.scaled_dot_product_attention
    once = 2 * (2 * 5 * 7 * 4) * 6
    assert operations(lambda: attend(q.detach(), kv, kv)) == once
    assert operations(lambda: attend(q, kv, kv).sum().backward()) == once * 7 / 2


@pytest.mark.parametrize("name", ["gan", "flow"])
def test_recipes_of_networks_have_operations(name):
    line = run(name, "moons", 0, Budget(steps=2))
    assert line.steps == 2 and line.operations > 1e6 and line.budget == "2 steps"


def test_a_value_that_is_not_finite_is_an_error():
    class Impossible(Truth):
        def log_prob(self, x):
            return torch.full((len(x),), -torch.inf)

    with pytest.raises(ValueError, match="no finite value"):
        run(pretended(Impossible), "ring", 0)


def line(model="flow", data="ring", seed=0, value=0.5, **more) -> Line:
    given = {"kind": "exact", "unit": "nats_above_limit", "stderr": 0.01, "parameters": 10, "train_cpu_s": 2.0}
    given |= {"sample_1000_s": 0.1, "distance": 0.2, "distance_real": 0.1}
    return Line(model, data, seed, **(given | {"value": value} | more))


def test_results_lie_where_nothing_deletes_them_and_every_folder_finds_them(tmp_path):
    assert RESULTS == ROOT / "yardstick" / "results.jsonl"
    code = "from genutils.yardstick import RESULTS; print(RESULTS)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert said.stdout.strip() == str(RESULTS)
    clean = (ROOT / "Makefile").read_text().split("\nclean:")[1]
    assert "yardstick" not in clean and "yardstick/" not in (ROOT / ".gitignore").read_text().split()


def test_lines_survive_the_file_and_runs_resume(tmp_path):
    path = tmp_path / "new" / "lines.jsonl"
    first = line(model="gan", kind="none", value=None, unit=None, stderr=None)
    append(path, first)
    append(path, line("autoregressive", seed=1))
    assert read(path) == [first, line("autoregressive", seed=1)]
    assert set(NEEDED) <= set(json.loads(path.read_text().splitlines()[0]))
    todo = missing(["autoregressive", "gan"], ["ring", "moons"], 2, path)
    assert ("gan", "ring", 0) not in todo and ("autoregressive", "ring", 1) not in todo and len(todo) == 6
    assert len(missing(["autoregressive", "gan"], ["ring", "moons"], 2, path, Budget(seconds=5))) == 8


def test_a_run_is_missing_only_where_a_recipe_can_do_it(tmp_path):
    todo = missing(["kde", "ngram"], ["digits", "ring", "text"], 1, tmp_path / "none")
    assert todo == [("ngram", "digits", 0), ("kde", "ring", 0), ("ngram", "text", 0)]
    with pytest.raises(ValueError, match="none of kde has a recipe for digits, text"):
        missing(["kde"], ["digits", "text"], 1, tmp_path / "none")


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


def test_rows_keep_budgets_apart():
    found = rows([line(value=1.0), line(value=2.0, seed=1), line(value=9.0, budget="5 s")])
    assert [(r["budget"], r["value"], r["seeds"]) for r in found] == [("60 s", 1.5, 2), ("5 s", 9.0, 1)]


def test_lines_written_before_a_field_existed_are_read(tmp_path):
    path = tmp_path / "old.jsonl"
    old = {k: v for k, v in asdict(line()).items() if k in NEEDED}
    path.write_text(json.dumps(old) + "\n")
    (found,) = read(path)
    assert found.budget == "60 s" and found.operations is None and "● exact" in table([found])
    assert isinstance(rows([found])[0]["kind"], Kind)


def test_a_line_of_a_kind_that_does_not_exist_is_named(tmp_path):
    path = tmp_path / "odd.jsonl"
    append(path, line(kind="certain"))
    with pytest.raises(ValueError, match="line 1 is not a finished run"):
        read(path)


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
    """All five that are written have one for digits and for points; those that count have one for what they can."""
    for name in ("autoregressive", "flow", "vae", "gan", "diffusion"):
        assert name in RECIPES and {"digits", "plane"} <= set(recipe(name).SETTINGS)
    for name in ("frequencies", "histogram", "kde", "mixture", "ngram"):
        assert name in RECIPES and recipe(name).SETTINGS
    for name, data in (("transformer", {"digits", "text"}), ("pixelcnn", {"digits"}), ("wavenet", {"strings"})):
        assert data == set(recipe(name).SETTINGS)
    assert {"digits", "ring", "text", "strings", "photos"} <= set(TASKS)


def test_a_thousand_samples_are_timed(monkeypatch):
    asked, sample = [], runs._sample
    monkeypatch.setattr(runs, "_sample", lambda model, given, n, seed: asked.append(n) or sample(model, given, n, seed))
    run("frequencies", "digits", 0)
    assert asked[0] == 1000
