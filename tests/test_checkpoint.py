"""Checkpoints: a run resumes to the same numbers, and no run takes the weights of another."""

from __future__ import annotations

import functools
import inspect
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from genutils import checkpoint as files
from genutils import gan, training
from genutils.checkpoint import describe, key
from genutils.training import cosine, fit
from tests.test_training import Normal, data, weights

HELD = data(50, 2)


class Killed(Exception):
    pass


class Switch:
    """A loss of one identity that breaks off after so many calls, if told to."""

    def __init__(self):
        self._left = math.inf

    def __call__(self, model, x):
        self._left -= model.training
        if self._left < 0:
            raise Killed
        return training.cost(model, x)


@pytest.mark.parametrize("form", ["tensor", "tuple", "function"])
@pytest.mark.parametrize("ema", [None, 0.9])
def test_a_resumed_run_gives_the_numbers_of_one_that_never_stopped(tmp_path, ema, form):
    given = {"tensor": data(), "tuple": (data(),), "function": lambda n: 2 + torch.randn(n, 1)}[form]
    switch = Switch()
    settings = dict(validation=HELD, loss=switch, steps=60, lr=0.05, every=10, seed=7, ema=ema, batch_size=64)
    settings["loss"] = (lambda m, b: switch(m, b[0] if isinstance(b, tuple) else b)) if form == "tuple" else switch
    whole = Normal(dropout=0.3)
    expected = fit(whole, given, **settings)

    file, switch._left = tmp_path / "run.pt", 37
    with pytest.raises(Killed):
        fit(Normal(dropout=0.3), given, checkpoint=file, **settings)
    switch._left = math.inf
    model = Normal(dropout=0.3)
    record = fit(model, given, checkpoint=file, **settings)
    assert switch._left == math.inf and torch.equal(weights(model), weights(whole))
    assert (record.train, record.validation, record.steps) == (expected.train, expected.validation, expected.steps)
    assert (record.best, record.best_step, record.stopped) == (expected.best, expected.best_step, "all steps")
    switch._left = 0  # a finished run has nothing left to do
    again = Normal(dropout=0.3)
    assert fit(again, given, checkpoint=file, **settings).steps == expected.steps
    assert torch.equal(weights(again), weights(whole))


def test_seconds_add_up_over_the_parts_of_a_run(tmp_path):
    def slow(m, x):
        return sum(training.cost(m, x) for _ in range(20)) / 20

    file = tmp_path / "run.pt"
    one = fit(Normal(), data(), loss=slow, steps=40, checkpoint=file)
    two = fit(Normal(), data(), loss=slow, steps=40, checkpoint=file)
    assert 0 < one.cpu_seconds * 0.5 < two.cpu_seconds and 0 < one.seconds * 0.5 < two.seconds


def test_a_run_that_lost_patience_stays_so(tmp_path):
    settings = dict(validation=HELD, steps=4000, lr=0.05, every=20, patience=3, checkpoint=tmp_path / "run.pt")
    one, two = fit(Normal(), data(), **settings), fit(Normal(), data(), **settings)
    assert one.stopped == two.stopped == "no progress" and one.steps == two.steps


def one(m, x):
    return training.cost(m, x)


def two(m, x):
    return 2 * training.cost(m, x)


OTHER = {
    "data": (data(400, 3), r"data is torch.float32 \(400, 1\) \w+ there and torch.float32 \(400, 1\) \w+ here"),
    "validation": (HELD + 1e-3, "validation is"),
    "loss": (two, r"loss is tests.test_checkpoint.one \w+ .* there and tests.test_checkpoint.two \w+ .* here"),
    "steps": (9, "steps is 8 there and 9 here"),
    "batch_size": (65, "batch_size is 64 there and 65 here"),
    "lr": (0.06, "lr is 0.05 there and 0.06 here"),
    "optimizer": (torch.optim.SGD, "optimizer is torch.optim.adam.Adam there and torch.optim.sgd.SGD here"),
    "schedule": (cosine, "schedule is None there and genutils.training.cosine"),
    "clip": (None, "clip is 1.0 there and None here"),
    "ema": (0.5, "ema is 0.9 there and 0.5 here"),
    "every": (3, "every is 4 there and 3 here"),
    "patience": (5, "patience is None there and 5 here"),
    "seed": (1, "seed is 0 there and 1 here"),
    "model": (Normal(2), r"model.mu is torch.float32 \(1,\) there and torch.float32 \(2,\) here; model.log_sigma"),
}
SETTINGS = dict(
    model=None,
    data=data(),
    validation=HELD,
    loss=one,
    steps=8,
    batch_size=64,
    lr=0.05,
    optimizer=torch.optim.Adam,
    schedule=None,
    clip=1.0,
    ema=0.9,
    every=4,
    patience=None,
    seed=0,
)


def test_every_argument_of_both_counts_but_the_device(tmp_path):
    assert SETTINGS.keys() == OTHER.keys() == inspect.signature(fit).parameters.keys() - {"device", "checkpoint"}
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "key", lambda given: seen.append(given) or {})
        gan.play(gan.GAN(nn.Linear(1, 1), 1), nn.Linear(1, 1), data, steps=0, checkpoint=tmp_path / "x")
    assert seen[0].keys() == inspect.signature(gan.play).parameters.keys() - {"checkpoint"}


@pytest.mark.parametrize("name", OTHER)
def test_another_run_is_refused_and_what_differs_is_named(tmp_path, name):
    file = tmp_path / "run.pt"
    fit(**SETTINGS | {"model": Normal()}, checkpoint=file)
    fit(**SETTINGS | {"model": Normal()}, checkpoint=file)
    value, says = OTHER[name]
    with pytest.raises(ValueError, match=f"belongs to another run: .*{says}.*delete it to start anew"):
        fit(**SETTINGS | {"model": Normal()} | {name: value}, checkpoint=file)


def test_at_most_six_differences_are_named_and_the_others_counted(tmp_path):
    file = tmp_path / "run.pt"
    fit(Normal(), data(), steps=2, checkpoint=file)
    six = {"steps": 3, "lr": 0.5, "batch_size": 7, "seed": 9, "clip": 2.0, "every": 1}
    with pytest.raises(ValueError, match="belongs to another run") as said:
        fit(Normal(), data(), checkpoint=file, **six)
    assert str(said.value).count(" there and ") == 6 and " more;" not in str(said.value)
    with pytest.raises(ValueError, match="belongs to another run.*; and 1 more;") as said:
        fit(Normal(), data(), checkpoint=file, ema=0.5, **six)
    assert str(said.value).count(" there and ") == 6


def test_another_class_or_frozen_weights_are_another_run(tmp_path):
    class Other(Normal):
        pass

    file = tmp_path / "run.pt"
    fit(Normal(), data(), steps=2, checkpoint=file)
    with pytest.raises(ValueError, match="model is tests.test_training.Normal there and .*Other here"):
        fit(Other(), data(), steps=2, checkpoint=file)
    model = Normal()
    model.mu.requires_grad_(False)
    with pytest.raises(ValueError, match=r"model.mu is torch.float32 \(1,\) there and torch.float32 \(1,\) fixed here"):
        fit(model, data(), steps=2, checkpoint=file)


def test_the_first_weights_and_the_device_do_not_count(tmp_path):
    file = tmp_path / "run.pt"
    fit(Normal(), data(), steps=2, lr=0.1, checkpoint=file)
    model = Normal()
    nn.init.ones_(model.mu)
    fit(model, data(), steps=2, lr=0.1, checkpoint=file, device="cpu")
    assert model.mu.item() < 0.5  # the run in the file began at 0


def test_functions_are_told_apart_by_what_they_do_and_hold():
    def times(k):
        return lambda m, x: k * x

    same = [describe(times(k)) for k in (2, 2, np.float64(2))]
    assert same[0] == same[1] and same[2].replace("2.0", "2") == same[0]
    different = [times(2), times(3), lambda m, x: 2 * x, lambda m, x: 3 * x, times(torch.ones(2)), times(torch.ones(3))]
    different += [functools.partial(times, 2), functools.partial(times, 3), functools.partial(times, k=3), max, min]
    different += [lambda m, x, k=2: k * x, lambda m, x, k=3: k * x, lambda m, x: lambda: 1, lambda m, x: lambda: 2]
    different += [lambda m, x: m.one(x), lambda m, x: m.two(x), lambda x: x in {"a", "b"}, lambda x: x in {"a", "c"}]
    different += [lambda m, x: m + x, lambda m, x: m - x]  # nothing but the operation differs
    found = [describe(f) for f in different]
    assert len(set(found)) == len(found)
    assert all(" at 0x" not in text for text in found)


def test_a_method_is_told_apart_by_whose_it_is():
    from genutils.densities import moons, ring

    assert describe(ring.sample) == describe(ring.sample) != describe(moons.sample)


def test_what_learns_and_what_has_no_value_is_no_part_of_an_identity():
    weight = nn.Parameter(torch.ones(2))

    def holds(part):
        return lambda m, x: part

    seen = []
    before = [describe(holds(part)) for part in (weight, torch.Generator(), Switch(), seen)]
    with torch.no_grad():
        weight += 1
    seen.append(1)
    assert before == [describe(holds(part)) for part in (weight, torch.Generator(), Switch(), seen)]


def test_values_are_told_apart_by_dtype_shape_and_content():
    x = torch.arange(6.0)
    values = [
        x,
        x.view(2, 3),
        x.double(),
        x + 1e-6,
        x.bfloat16(),
        x > 2,
        x.numpy(),
        1,
        1.5,
        "1",
        None,
        True,
        (1,),
        [1, 2],
    ]
    found = [describe(v) for v in [*values, torch.tensor(1.0), {"a": 1}, {"b": 1}, np.arange(6), x.numpy()[::-1]]]
    assert len(set(found)) == len(found)
    assert describe(x.view(2, 3).T) == describe(x.view(2, 3).T.contiguous())


def test_a_long_text_is_cut_to_its_digest_and_a_recursive_function_has_an_end():
    class Long:
        def __repr__(self):
            return "x" * 1000

    assert len(describe(Long())) < 200

    def again(n):
        return again(n - 1)

    assert len(describe(again)) < 400


def test_the_same_run_in_another_process_has_the_same_key():
    code = (
        "import torch; from torch import nn; from genutils.checkpoint import key;"
        "f = lambda m, x: x in {'a', 'b', 'c', 'd'};"
        "found = str(key({'m': nn.Linear(2, 3), 'x': torch.arange(5), 'l': key, 'f': f, 'g': lambda x: f}))"
    )
    done = subprocess.run([sys.executable, "-c", code + "; print(found)"], capture_output=True, text=True, check=True)
    exec(code, here := {"__name__": "__main__"})
    assert done.stdout.strip() == here["found"] and "m.weight" in here["found"]


# The file


def test_numpy_scalars_go_in_and_out(tmp_path):
    def adam(parameters, lr):
        return torch.optim.Adam(parameters, lr=lr, betas=(np.float64(0.9), np.float64(0.99)))

    def schedule(progress):
        return np.float64(1 - progress / 2)

    settings = dict(
        steps=np.int64(8), lr=np.float64(0.05), batch_size=np.int32(16), every=np.int64(4), seed=np.int64(3)
    )
    settings |= dict(ema=np.float32(0.5), clip=np.float64(1), optimizer=adam, schedule=schedule, validation=HELD)
    file, models = tmp_path / "run.pt", [Normal(), Normal()]
    records = [fit(model, data(), checkpoint=file, **settings) for model in models]
    assert torch.equal(weights(models[0]), weights(models[1])) and records[0].train == records[1].train
    fit(model := Normal(), data(), **settings | dict(lr=0.05, steps=8, seed=3))
    assert torch.equal(weights(model), weights(models[0]))


def test_a_run_killed_while_writing_leaves_the_file_before(tmp_path, monkeypatch):
    file, save, calls = tmp_path / "run.pt", torch.save, []

    def dies(state, path):
        calls.append(state["step"])
        if len(calls) == 3:
            path.write_bytes(b"half of a")
            raise Killed
        save(state, path)

    whole, model = Normal(), Normal()
    fit(whole, data(), steps=40, every=10, lr=0.05)
    monkeypatch.setattr(torch, "save", dies)
    with pytest.raises(Killed):
        fit(model, data(), steps=40, every=10, lr=0.05, checkpoint=file)
    fit(model, data(), steps=40, every=10, lr=0.05, checkpoint=file)
    assert calls == [10, 20, 30, 30, 40] and torch.equal(weights(model), weights(whole))


def test_what_is_no_checkpoint_is_refused(tmp_path):
    file = tmp_path / "run.pt"
    for content in (b"not a checkpoint", b""):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="is not a checkpoint of fit.*delete it"):
            fit(Normal(), data(), steps=4, checkpoint=file)
    torch.save({"settings": "of an older version"}, file)
    with pytest.raises(ValueError, match="is not a checkpoint of fit.*delete it"):
        fit(Normal(), data(), steps=4, checkpoint=file)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    file = tmp_path / "run.pt"
    torch.save({"key": Evil()}, file)
    with pytest.raises(ValueError, match="is not a checkpoint"):
        fit(Normal(), data(), steps=4, checkpoint=file)
    assert not (tmp_path / "ran").exists()


def test_a_file_is_read_onto_the_cpu_wherever_it_was_written(tmp_path, monkeypatch):
    file, load, asked = tmp_path / "run.pt", torch.load, []
    monkeypatch.setattr(torch, "load", lambda path, **more: asked.append(more) or load(path, **more))
    fit(Normal(), data(), steps=2, checkpoint=file)
    fit(Normal(), data(), steps=2, checkpoint=file)
    assert asked == [{"weights_only": True, "map_location": "cpu"}]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_file_of_the_gpu_goes_on_there_to_the_same_numbers_and_loads_on_a_cpu(tmp_path):
    switch, file = Switch(), tmp_path / "run.pt"
    settings = dict(loss=switch, steps=40, every=10, lr=0.05, ema=0.9)
    whole, model, host = (Normal(dropout=0.3) for _ in range(3))
    fit(whole, data(), device="cuda", **settings)
    switch._left = 25
    with pytest.raises(Killed):
        fit(model, data(), device="cuda", checkpoint=file, **settings)
    switch._left = math.inf
    fit(model, data(), device="cuda", checkpoint=file, **settings)
    assert torch.equal(weights(model), weights(whole))
    switch._left = 0
    fit(host, data(), device="cpu", checkpoint=file, **settings)
    assert torch.equal(weights(host), weights(whole).cpu())


def test_a_key_is_text():
    found = key({"model": nn.BatchNorm1d(2), "lr": np.float64(1)})
    assert found["model"] == "torch.nn.modules.batchnorm.BatchNorm1d" and found["lr"] == "1.0"
    assert found["model.running_mean"] == "torch.float32 (2,) fixed" and found["model.weight"] == "torch.float32 (2,)"


def named(k):
    exec("def loss(m, x):\n    return k * training.cost(m, x) + later(m)\n\ndef later(m):\n    return 0 * k", here := {
        "k": k, "training": training, "__name__": "a notebook"
    })  # fmt: skip
    return here


class Times(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, m, x):
        return self.k * training.cost(m, x)


class Plainly:
    def __init__(self, k):
        self.k, self._calls = k, 0

    def __call__(self, m, x):
        self._calls += 1
        return self.k * training.cost(m, x)

    def asked(self, m, x):
        return self(m, x)


SAME_CODE = {
    "a global number": lambda k: named(k)["loss"],
    "a module": Times,
    "an object": Plainly,
    "a method": lambda k: Plainly(k).asked,
    "an object in a function": lambda k: (lambda held: lambda m, x: held(m, x))(Times(k)),
    "a helper of the same notebook": lambda k: named(2)["loss"] if k == 2 else helped(),
}


def helped():
    here = named(2)
    exec("def later(m):\n    return 1 * k", here)
    return here["loss"]


@pytest.mark.parametrize("kind", SAME_CODE)
def test_a_loss_of_the_same_code_and_another_setting_is_another_run(tmp_path, kind):
    file, make = tmp_path / "run.pt", SAME_CODE[kind]
    for _ in range(2):
        fit(Normal(), data(), loss=make(2), steps=2, checkpoint=file)
    with pytest.raises(ValueError, match="belongs to another run: loss"):
        fit(Normal(), data(), loss=make(3), steps=2, checkpoint=file)


def test_a_model_of_the_same_weights_and_another_setting_is_another_run(tmp_path):
    def model(p):
        found = Normal()
        found.drop = nn.Dropout(p)
        return found

    fit(model(0.1), data(), steps=2, checkpoint=tmp_path / "run.pt")
    with pytest.raises(ValueError, match=r"model\.drop\.p is 0\.1 there and 0\.2 here"):
        fit(model(0.2), data(), steps=2, checkpoint=tmp_path / "run.pt")


@pytest.mark.parametrize("where", ["lr", "schedule", "both", "seed and batch size"])
def test_settings_that_are_scalars_of_numpy_can_be_read_again(tmp_path, where):
    numpy = {
        "lr": {"lr": np.float64(0.05)},
        "schedule": {"schedule": lambda t: np.float32(1 - t)},
        "both": {"lr": np.float32(0.05), "schedule": lambda t: np.cos(np.float64(t))},
        "seed and batch size": {"seed": np.int64(3), "batch_size": np.int32(16), "steps": np.int64(4)},
    }[where]
    settings = {"steps": 4, "every": 1} | numpy
    one, two = Normal(), Normal()
    fit(one, data(), checkpoint=tmp_path / "run.pt", **settings)
    record = fit(two, data(), checkpoint=tmp_path / "run.pt", **settings)
    assert record.stopped == "all steps" and torch.equal(one.mu, two.mu)
