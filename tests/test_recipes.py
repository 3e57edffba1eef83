"""Recipes: one list finds them, no clock decides, fields reach the networks, and the names of weights stay."""

from __future__ import annotations

import hashlib
import inspect
import pathlib
import re
import sys
import types

import numpy as np
import pytest
import torch

import genutils.recipes
from genutils.optimizers import adam
from genutils.recipes import MINUTE, RECIPES, Budget, Settings, choose, does, recipe
from genutils.recipes.settings import by_gradient, cost, make_less_sure
from genutils.tasks import TASKS, task

FOLDER = pathlib.Path(genutils.recipes.__file__).parent


def test_every_recipe_is_on_the_list_and_does_something():
    assert sorted(RECIPES) == sorted(f.stem for f in FOLDER.glob("*.py") if f.stem not in ("__init__", "settings"))
    for name in RECIPES:
        module = recipe(name)
        assert list(inspect.signature(module.train).parameters)[:3] == ["task", "seed", "budget"]
        assert inspect.signature(module.train).parameters["budget"].default is MINUTE
        assert set(module.SETTINGS) <= {*TASKS, "plane"} and all(
            isinstance(s, Settings) for s in module.SETTINGS.values()
        )
    able = {n: [name for name in RECIPES if does(recipe(name), task(n))] for n in TASKS}
    assert all(able.values()), f"nothing can do {[n for n in able if not able[n]]}"
    assert "kde" in able["ring"] and "kde" not in able["digits"] and "wavenet" in able["strings"]
    assert {"ngram", "transformer"} == set(able["text"]) and {"transformer", "pixelcnn"} < set(able["digits"])
    assert not does(types.SimpleNamespace(SETTINGS={}), task("ring")) and does(types.SimpleNamespace(), task("ring"))


def test_a_recipe_that_is_missing_or_broken_is_an_error_that_names_it(monkeypatch):
    with pytest.raises(ValueError, match="no model is called 'gpt'; there are frequencies"):
        recipe("gpt")
    monkeypatch.setattr(genutils.recipes, "RECIPES", (*RECIPES, "gpt"))
    with pytest.raises(ImportError, match="the recipe 'gpt' does not import: ModuleNotFoundError"):
        recipe("gpt")
    half = types.ModuleType("genutils.recipes.gpt")
    half.train, half.__file__ = len, "gpt.py"
    monkeypatch.setitem(sys.modules, "genutils.recipes.gpt", half)
    with pytest.raises(ImportError, match="'gpt' .*gpt.py. has no SETTINGS"):
        recipe("gpt")


def test_settings_go_by_name_and_then_by_group():
    one, other = Settings(len), Settings(max)
    assert choose({"ring": one, "plane": other}, task("ring")) is one
    assert choose({"ring": one, "plane": other}, task("moons")) is other
    with pytest.raises(ValueError, match="no settings for the task 'digits'; there are some for ring, plane"):
        choose({"ring": one, "plane": other}, task("digits"))


def test_a_budget_is_steps_or_seconds_and_asks_no_clock():
    assert (Budget(seconds=30).count(0.3), Budget(seconds=0.1).count(0.3), Budget(steps=5).count(0.3)) == (100, 1, 5)
    assert (str(Budget(seconds=60)), str(Budget(seconds=0.5)), str(Budget(steps=5))) == ("60 s", "0.5 s", "5 steps")
    for wrong in (
        {},
        {"seconds": 1, "steps": 1},
        {"seconds": 0},
        {"steps": -1},
        {"steps": 1.5},
        {"seconds": float("inf")},
        {"seconds": float("nan")},
    ):
        with pytest.raises(ValueError, match="seconds or steps|whole"):
            Budget(**wrong)
    for file in FOLDER.glob("*.py"):
        assert not re.search(r"^(import time|from time)|perf_counter|process_time", file.read_text(), re.MULTILINE), (
            file
        )


@pytest.mark.parametrize("name", [n for n in RECIPES if getattr(recipe(n), "SETTINGS", {}).get("plane")])
def test_a_seed_gives_one_model_and_keeps_the_callers_randomness(name):
    small = {"histogram": {"points": 200}, "mixture": {"points": 200, "K": 3}, "kde": {"points": 60}}.get(name, {})
    x = task("moons").split("validation")["x"][:50]

    def once(*seed):
        torch.manual_seed(sum(seed) + 10)
        before = torch.get_rng_state()
        model = recipe(name).train(task("moons"), *seed, budget=Budget(steps=2), **small)
        assert torch.equal(before, torch.get_rng_state())
        if isinstance(model, torch.nn.Module):
            return torch.cat([v.flatten().double() for v in model.state_dict().values()])
        return torch.as_tensor(model.log_prob(x.numpy()))

    one, two, other = once(0), once(), once(1)
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_a_model_is_trained_as_its_settings_say():
    seen, rates, after, optimizers = [], [], [], []

    class Mean(torch.nn.Module):
        def __init__(self, task, *, start, scale):
            super().__init__()
            self.at, self.scale = torch.nn.Parameter(torch.full(task.shape, start)), scale

    def loss(model, batch):
        seen.append(batch)
        return (model.at - batch["x"] / model.scale).square().mean()

    def schedule(progress):
        rates.append(progress)
        return 1 - progress

    how = {"batch_size": 50, "lr": 0.1, "schedule": schedule}
    settings = Settings(
        Mean,
        seconds_per_step=0.5,
        model={"start": 1.0, "scale": 1},
        batch={"warped": 0.5, "labelled": 0.25},
        fit=how,
        optimizer=lambda model: optimizers.append(model) or adam,
        loss=loss,
        after=lambda *what: after.append(what),
    )
    digits = task("digits")
    model = by_gradient(settings, digits, 3, Budget(seconds=30), scale=16)
    mean = digits.split("train")["x"].float().mean(0) / 16
    assert (model.at - mean).abs().mean() < 0.08 and model.scale == 16  # copies are softer
    assert after == [(model, digits)] and optimizers == [model] and len(seen) == 60 == len(rates) and max(rates) < 1
    assert {len(b["x"]) for b in seen} == {50}
    for field, share in (("warped", 0.5), ("labels", 0.25)):
        told = torch.cat([b[field].long() >= (field == "warped") for b in seen]).float().mean()
        assert abs(told - share) < 0.05, field


def test_counting_recipes_count_the_training_data():
    digits = task("digits")
    x, held_out = (digits.split(part)["x"].flatten(1).numpy() for part in ("train", "validation"))
    one = np.bincount(x.ravel(), minlength=17) + 0.1
    found = recipe("frequencies").train(digits).log_prob(held_out)
    assert np.allclose(found, np.log(one / one.sum())[held_out].sum(1))
    each = np.stack([np.bincount(column, minlength=17) + 0.1 for column in x.T])  # (64, 17)
    found = recipe("histogram").train(digits).log_prob(held_out)
    assert np.allclose(found, np.log(each / each.sum(1, keepdims=True))[np.arange(64), held_out].sum(1))
    for name, length in (("digits", 64), ("text", task("text").dims)):
        model = recipe("ngram").train(task(name), context=1)
        assert (model.context, model.symbols, model.length) == (1, task(name).levels, length)
        some = task(name).examples()[:2000].numpy().reshape(-1, length)
        share = np.bincount(some.ravel()) / some.size
        entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
        assert model.log_prob(some).mean() / length > -0.95 * entropy  # the symbol before tells something


def test_mixtures_of_tables_get_their_prior_their_seed_and_what_is_held_out():
    digits = task("digits")
    one, two, other = (recipe("mixture").train(digits, seed, K=3, tolerance=0.3) for seed in (0, 0, 1))
    assert (one.K, one.levels, one.smoothing, one.towards) == (3, 17, 0.02, 2.0) and len(one.held_out) > 1
    assert not np.allclose(one.kernel, np.eye(17)), "levels near each other share what was counted"
    x = digits.split("validation")["x"].flatten(1).numpy()
    assert np.array_equal(one.log_prob(x), two.log_prob(x)) and not np.allclose(one.log_prob(x), other.log_prob(x))


@pytest.mark.parametrize("name", ["digits", "ring"])
def test_the_critic_of_a_recipe_gives_one_number_for_each_example(name):
    settings, some = choose(recipe("gan").SETTINGS, task(name)), task(name).batch(5)
    sampler, critic = settings.build(task(name), **settings.model)
    told = [some["labels"]] if "labels" in some else []
    assert critic(some["x"].float(), *told).shape == (5,)
    assert sampler.sample(4, *[t[:4] for t in told]).shape == (4, *task(name).shape)


def test_less_sure_is_as_sure_as_held_out_data_bear():
    """Logits that are twice too large are halved, and those that are right stay."""

    class Sure(torch.nn.Module):
        classes = None

        def __init__(self, by):
            super().__init__()
            self.out = torch.nn.Linear(1, 17)
            share = torch.bincount(task("digits").split("validation")["x"].flatten(), minlength=17) / (350 * 64)
            self.out.weight.data, self.out.bias.data = torch.zeros(17, 1), by * share.log()

        def log_prob(self, x, labels=None):
            return self.out(torch.zeros(1)).log_softmax(-1)[x].sum((1, 2))

    for by in (1.0, 2.0):
        model = Sure(by)
        assert make_less_sure(model, task("digits"), (1.0, 1.5, 2.0, 2.5)) == by
        assert torch.allclose(model.out.bias, Sure(1.0).out.bias)


NETWORKS = {
    "autoregressive": "warped",
    "transformer": "warped",
    "pixelcnn": "told.weight",  # the last of its columns, after those of the labels
    "flow": "model.transforms.0.couplings.0.network.shared.warp",
    "vae": "decoder.network.warp",
    "diffusion": "network.warp",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_flag_of_a_warped_copy_reaches_the_network(name):
    """As an argument: the gradient of what only copies see is there for copies, and not without them."""
    settings = recipe(name).SETTINGS["digits"]
    small = {"vae": {"width": 4}}.get(name, {"width": 8})
    torch.manual_seed(0)
    model = settings.build(task("digits"), **({k: v for k, v in settings.model.items()} | small))
    with torch.no_grad():
        for p in model.parameters():  # nothing is zero, as after a few steps
            p.add_(0.1 * torch.randn(p.shape))
    weight = dict(model.named_parameters())[NETWORKS[name]]
    batch = task("digits").batch(16, generator=torch.Generator().manual_seed(0), warped=0.5)
    for flags, reached in ((batch["warped"], True), (torch.zeros(16).bool(), False)):
        weight.grad = None
        (settings.loss or cost)(model, batch | {"warped": flags}).backward()
        found = (
            None if weight.grad is None else weight.grad[:, -1] if name == "pixelcnn" else weight.grad
        )  # after labels
        assert (found is not None and bool(found.abs().sum() > 0)) == reached
    hidden = [n for m in model.modules() for n, v in vars(m).items() if n == "warped" and not callable(v)]
    assert not hidden


@pytest.mark.parametrize("name", ["autoregressive", "transformer", "pixelcnn", "diffusion"])
def test_a_label_reaches_the_network(name):
    settings, some = (
        recipe(name).SETTINGS["digits"],
        task("digits").batch(8, generator=torch.Generator().manual_seed(0)),
    )
    torch.manual_seed(0)
    model = settings.build(task("digits"), **(dict(settings.model) | {"width": 8}))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    costs = []
    for label in (0, 0, 9):
        torch.manual_seed(1)
        costs.append(cost(model.eval(), {"x": some["x"], "labels": torch.full((8,), label)}).item())
    assert costs[0] == costs[1] != costs[2]


def test_a_transformer_begins_with_what_its_task_says_and_muon_turns_its_blocks():
    small = {"width": 8, "layers": 1, "heads": 2}
    module, digits, text = recipe("transformer"), task("digits"), task("text")
    torch.manual_seed(0)
    model = module.pixels(digits, **small)
    assert model.place.shape == (64, 8) and model.blocks[0].attention.turns is not None
    apart = (model.symbol.weight[:17, None] - model.symbol.weight[None, :17]).square().sum(-1)
    assert apart.diagonal(1).max() < apart[0, 8:].min()  # the next level is nearer than any far one
    share = torch.bincount(text.sequence(), minlength=text.levels) / len(text.sequence())
    begun = module.characters(text, **small)
    assert torch.allclose(begun.out.bias.softmax(0), share, atol=1e-3) and begun.place is None
    for name, chosen in (("digits", model), ("text", begun)):
        optimizer = module.SETTINGS[name].optimizer(chosen)(list(chosen.parameters()), lr=0.1)
        turned = {id(p) for group in optimizer.param_groups if group["matrix"] for p in group["params"]}
        assert turned == {id(p) for p in chosen.blocks.parameters() if p.ndim == 2}


def test_affine_couplings_bend_both_coordinates():
    flow = recipe("flow").AFFINE.build(task("ring"), pairs=1)
    assert [one.bent.tolist() for one in flow.transforms[:2]] == [[1], [0]]


def test_flows_begin_where_the_data_lie_and_are_built_as_they_are_told():
    ring, steps = task("ring"), Budget(steps=1)
    low, high = torch.tensor(ring.truth.bounds).T
    splines = recipe("flow").train(ring, budget=steps, bins=7)
    affine = recipe("flow").train(ring, budget=steps, settings=recipe("flow").AFFINE, pairs=3)
    assert splines.transforms[0].network(torch.zeros(1, 1)).shape[-1] == 2 * 7 - 1 and len(affine.transforms) == 9
    assert (splines.base, affine.base) == ("box", "normal")
    prior = recipe("vae").train(ring, budget=steps, margin=0.5).prior
    for flow, margin in ((splines, 0), (affine, 0), (prior, 0.5)):
        corners = torch.stack([low - margin, high + margin])
        moved = (corners - flow.shift) / flow.scale
        assert torch.allclose(moved[1], torch.tensor(3.0 if flow.base == "normal" else 1.0))
        assert torch.allclose(moved[0], torch.tensor(-3.0 if flow.base == "normal" else 0.0), atol=1e-6)


def test_the_game_is_played_by_its_settings(monkeypatch):
    gan, played = recipe("gan"), {}

    def play(sampler, critic, batch, **how):
        played.update(how, batch=batch(4000))

    monkeypatch.setattr(gan, "play", play)
    for name in ("digits", "ring"):
        gan.train(task(name), 7, Budget(steps=3))
        fit, x = choose(gan.SETTINGS, task(name)).fit, played["batch"][0]
        assert played | fit | {"steps": 3, "seed": 7} == played
        assert name == "ring" or (x.min() == -1 and x.max() == 1 and len(played["batch"]) == 2)


def test_the_bandwidth_is_the_best_of_the_candidates_in_units_of_the_spread():
    model = recipe("kde").train(task("moons"), 3, points=80, bandwidths=(0.2, 0.01, 5.0))
    x = task("moons").examples(80, generator=torch.Generator().manual_seed(3)).double().numpy()
    assert np.array_equal(model.x, x) and model.bandwidth == pytest.approx(0.2 * x.std(0).mean())


def test_boxes_count_what_lies_between_the_bounds():
    x = torch.tensor([[0.1, 0.1], [0.1, 0.6], [0.6, 0.6], [1.5, 0.6], [0.6, -0.5], [1.0, 0.2]])
    truth = types.SimpleNamespace(bounds=((0, 1), (0, 1)))
    flat = types.SimpleNamespace(truth=truth, examples=lambda n, generator: x[:n])
    model = recipe("histogram").boxes(flat, 0, points=6, bins=2, smoothing=0)
    assert np.allclose(model.p, [1 / 3, 1 / 3, 0, 1 / 3])


NAMES = {
    ("autoregressive", "digits"): (30, "1ef536db4517"),
    ("autoregressive", "ring"): (28, "ea88a03412b3"),
    ("transformer", "digits"): (47, "0e8415c15932"),
    ("transformer", "text"): (44, "b633f3c1d76f"),
    ("pixelcnn", "digits"): (41, "764dc5fd219f"),
    ("wavenet", "strings"): (32, "110d4578f403"),
    ("flow", "digits"): (263, "5f9f8af57425"),
    ("flow", "ring"): (30, "2749ea769910"),
    ("vae", "digits"): (97, "53f8c3fa104b"),
    ("vae", "ring"): (66, "78aaeb801b8d"),
    ("gan", "digits"): (15, "cfa16334667e"),
    ("gan", "ring"): (8, "a5038ef734f5"),
    ("diffusion", "digits"): (44, "81d7f4cda6d3"),
    ("diffusion", "ring"): (26, "860a33cd106e"),
}


@pytest.mark.parametrize(("name", "data"), NAMES)
def test_the_names_of_the_weights_stay(name, data):
    """Saved models must load: a name that changes breaks them. The digest is of the sorted names."""
    settings = choose(recipe(name).SETTINGS, task(data))
    model = settings.build(task(data), **settings.model)
    model = model[0] if isinstance(model, tuple) else model
    names = sorted(model.state_dict())
    assert (len(names), hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]) == NAMES[name, data], names


def test_no_low_precision_is_asked_for():
    for file in FOLDER.parent.rglob("*.py"):
        if file.parent == FOLDER or file.stem in ("convolutional", "planar", "pixelflow", "networks"):
            assert "autocast" not in file.read_text(encoding="utf8"), file


def test_recipes_hold_no_networks():
    for name in RECIPES:
        module = recipe(name)
        own = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
        assert not own, f"{name} defines {own}"


def test_lessons_import_nothing_from_recipes():
    root = FOLDER.parents[1]
    for file in [*(root / "lessons").glob("*.ipynb"), *(root / "solutions").glob("*.ipynb")]:
        assert "genutils.recipes" not in file.read_text(encoding="utf8"), file
