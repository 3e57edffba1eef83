"""A task gives batches with named fields, keeps its test data for one look, and counts in its own unit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genutils import data
from genutils.augment import warp
from genutils.kinds import Unit
from genutils.recipes import MINUTE, Budget
from genutils.tasks import TASKS, Notes, Pictures, Task, Windows, task
from genutils.tasks.interface import PARTS
from genutils.training import fit


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_it_is_and_its_parts_do_not_meet(name):
    given = task(name)
    batch = given.batch(7, generator=seeded())
    assert batch["x"].shape == (7, *given.shape) and given.dims == math.prod(given.shape)
    assert (given.levels is None) == batch["x"].is_floating_point() and (given.classes is None) == (
        "labels" not in batch
    )
    assert (given.truth is not None) == (given.group in ("plane", "strings")), "who has a truth is measured from it"
    assert not given.truth or {Unit.NATS_ABOVE_LIMIT, Unit.BITS_ABOVE_LIMIT} & {given.unit, *given.also}
    parts = [given.examples(3000, generator=seeded()), *(given.split(p)["x"] for p in ("validation", "test"))]
    assert all(x.shape[1:] == given.shape for x in parts)
    if given.levels:
        assert all(0 <= x.min() and x.max() < given.levels for x in parts)
    if name in ("ring", "text", "strings"):
        rows = [set(map(tuple, x.flatten(1).tolist())) for x in parts]
        assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]


def test_the_test_data_can_be_touched_once():
    given = task("digits")
    assert len(given.split("test")["x"]) == 447 and len(given.split("validation")["x"]) == 350
    with pytest.raises(RuntimeError, match="test data of 'digits' have been touched before.*new task"):
        given.split("test")
    given.split("validation")
    assert len(task("digits").split("test")["x"]) == 447


def test_wrong_names_are_named():
    with pytest.raises(ValueError, match="no task is called 'mnist'; there are digits, ring"):
        task("mnist")
    with pytest.raises(ValueError, match="train, validation, test; 'exam' is none"):
        task("digits").split("exam")
    with pytest.raises(ValueError, match="no end to the training data of 'ring'"):
        task("ring").split("train")
    with pytest.raises(ValueError, match="no end"):
        task("ring").examples()
    for name in ("text", "strings"):
        with pytest.raises(ValueError, match=f"of '{name}' has 1 .*length is 0"):
            task(name, length=0)
    with pytest.raises(ValueError, match="ask split"):
        task("text").sequence("test")


def test_digits_come_with_their_own_labels_and_a_flag_that_tells_copies():
    given, source = task("digits"), data.digits()
    batch = given.batch(400, generator=seeded(), warped=0.5)
    assert set(batch) == {"x", "labels", "warped"} and batch["warped"].dtype == torch.bool
    known = {x.tobytes(): y for x, y in zip(source.train.astype(np.int64), source.train_labels, strict=True)}
    plain = [known.get(x.numpy().tobytes()) for x in batch["x"]]
    for label, y, copy in zip(plain, batch["labels"].tolist(), batch["warped"].tolist(), strict=True):
        assert label == y if not copy else label in (None, y)
    assert 150 < sum(batch["warped"].tolist()) < 250
    assert sum(label is None for label in plain) > 0.8 * batch["warped"].sum()
    assert set(given.batch(3, generator=seeded())) == {"x", "labels"}


def test_a_share_of_labels_is_kept():
    labels = task("digits").batch(2000, generator=seeded(), labelled=0.2)["labels"]
    assert 300 < (labels >= 0).sum() < 500 and labels.min() == -1


def test_shares_are_shares_and_pictures_need_no_labels():
    for wrong in ({"warped": 1.5}, {"labelled": -0.1}, {"warped": math.nan}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} is a share of the images"):
            task("digits").batch(2, **wrong)
    images = {part: np.arange(18).reshape(2, 3, 3) % 5 for part in PARTS}
    assert set(Pictures("some", images, None, 5).batch(4, labelled=0.5)) == {"x"}


def test_a_task_that_does_not_say_what_its_parts_are_is_told_so():
    with pytest.raises(NotImplementedError, match="Task must say what its validation data are"):
        Task("nothing", (2,)).split("validation")


def test_the_same_generator_gives_the_same_examples():
    digits = task("digits")
    one, two, other = (digits.examples(9, generator=seeded(i)) for i in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_the_same_generator_gives_the_same_batch():
    for name in TASKS:
        one, two, other = (task(name).batch(20, generator=seeded(s))["x"] for s in (1, 1, 2))
        assert torch.equal(one, two) and not torch.equal(one, other)


def test_copies_are_those_of_warp():
    images = torch.tensor(np.array(data.digits().train)).long()
    generator = seeded(3)
    i = torch.randint(1000, (50,), generator=generator)
    flag = torch.rand(50, generator=generator) < 0.6
    want = torch.where(flag[:, None, None], warp(images[i], generator=generator), images[i])
    assert torch.equal(task("digits").batch(50, generator=seeded(3), warped=0.6)["x"], want)


def test_a_uniform_model_costs_the_logarithm_of_the_levels_in_every_unit():
    for name in ("digits", "photos", "text", "strings"):
        given = task(name)
        x = given.split("validation")["x"]
        values, scale = given.values(np.full(len(x), -given.dims * math.log(given.levels)), x)
        assert values.mean() == pytest.approx(math.log2(given.levels)) and values.std() < 1e-9
        assert scale == pytest.approx(1 / (given.dims * math.log(2)))


def test_bits_per_byte_are_all_bits_over_all_bytes():
    """Two-byte symbols, unevenly spread over the windows."""
    ids = np.random.default_rng(0).integers(3, size=400)
    parts = {part: np.where(np.arange(400) < 200, ids, 0) for part in ("train", "validation", "test")}
    sizes = {Unit.BITS_PER_BYTE: np.array([1.0, 2.0, 3.0])}
    units = {"unit": Unit.BITS_PER_CHARACTER, "also": (Unit.BITS_PER_BYTE,)}
    given = Windows("made", parts, levels=3, length=20, sizes=sizes, **units)
    x = given.split("test")["x"]
    log_prob = -np.random.default_rng(1).uniform(5, 30, len(x))
    values, _ = given.values(log_prob, x, Unit.BITS_PER_BYTE)
    size = sizes[Unit.BITS_PER_BYTE][parts["test"]].sum()
    assert values.mean() == pytest.approx(-log_prob.sum() / math.log(2) / size)
    assert given.values(log_prob, x)[0].mean() == pytest.approx(-log_prob.sum() / math.log(2) / 400)


def test_the_error_of_a_ratio_is_that_of_many_repeats():
    rng, values, errors = np.random.default_rng(0), [], []
    sizes = {Unit.BITS_PER_BYTE: np.array([1.0, 4.0])}
    for _ in range(300):
        share = np.repeat(rng.random(60), 10)
        ids = (rng.random(600) < share).astype(int)
        given = Windows(
            "made",
            dict.fromkeys(("train", "validation", "test"), ids),
            levels=2,
            length=10,
            unit=Unit.BITS_PER_BYTE,
            sizes=sizes,
        )
        x = given.split("test")["x"]
        found, _ = given.values(-(1 + x.sum(1).numpy() + rng.random(60)), x)
        values.append(found.mean())
        errors.append(found.std(ddof=1) / math.sqrt(60))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


def test_text_windows_are_the_text():
    given, text = task("text", length=100), data.text()
    x = given.split("test")["x"]
    assert text.decode(x.flatten().numpy()) == text.test[: len(x) * 100] and len(text.test) - x.numel() < 100
    windows = given.batch(5, generator=seeded(), length=40)["x"]
    assert windows.shape == (5, 40) and all(text.decode(w.numpy()) in text.train for w in windows)
    assert text.decode(given.sequence().numpy()) == text.train


def test_points_are_measured_from_the_truth():
    given = task("ring")
    x = given.split("validation")["x"]
    values, scale = given.values(data.ring.log_prob(x).double().numpy() - 0.25, x)
    assert np.allclose(values, 0.25, atol=1e-6) and scale == 1


class Bells:
    """Of two bells, one rings at even levels and one at odd ones, each level as likely as the others."""

    levels, classes = 6, 2

    def sample(self, n, labels, *, length, generator):
        return 2 * torch.randint(3, (n, length), generator=generator) + labels[:, None]

    def log_prob(self, x):
        same = (x % 2 == x[:, :1] % 2).all(1)
        return torch.where(same, math.log(0.5) - x.shape[1] * math.log(3), -math.inf)


def test_notes_are_paid_per_sample_and_above_what_the_instrument_pays():
    given = Notes("bells", Bells(), length=20)
    batch, x = given.batch(50, generator=seeded()), given.split("test")["x"]
    assert torch.equal(batch["x"][:, 0] % 2, batch["labels"]) and 0 < batch["labels"].sum() < 50
    assert given.batch(3, length=7)["x"].shape == (3, 7)
    assert x.shape == (given.SIZES["test"], 20) and given.split("validation")["labels"].max() == 1
    values, scale = given.values(np.full(len(x), -20 * math.log(6)), x)
    assert values.mean() == pytest.approx(math.log2(6)) and scale == pytest.approx(1 / (20 * math.log(2)))
    above, same = given.values(np.full(len(x), -20 * math.log(6)), x, Unit.BITS_ABOVE_LIMIT)
    assert np.allclose(above, (20 * math.log2(6) - 1 - 20 * math.log2(3)) / 20) and same == scale
    assert given.values(given.truth.log_prob(x), x, Unit.BITS_ABOVE_LIMIT)[0].mean() == pytest.approx(0, abs=1e-6)
    for wrong in (lambda: given.split("train"), given.examples):
        with pytest.raises(ValueError, match="no end to the training data of 'bells'"):
            wrong()


@pytest.mark.parametrize("kind", [dict, tuple])
def test_fit_hands_a_batch_to_the_loss_as_it_is(kind):
    seen, line = [], torch.nn.Linear(2, 1)

    def batch(n):
        fields = {"x": torch.randn(n, 2), "labels": torch.zeros(n).long()}
        return fields if kind is dict else tuple(fields.values())

    def loss(model, b):
        seen.append(b)
        x, labels = (b["x"], b["labels"]) if kind is dict else b
        return (model(x)[:, 0] - labels).square().mean()

    fit(line, batch, loss=loss, steps=3, batch_size=4)
    assert len(seen) == 3 and all(type(b) is kind and len(b) == 2 for b in seen)


def test_some_examples_or_all_there_are():
    given = task("digits")
    whole = given.split("train")["x"]
    assert torch.equal(given.examples(), whole) and torch.equal(given.examples(9_999), whole)
    some = given.examples(5, generator=torch.Generator().manual_seed(0))
    assert len(some) == 5 and not torch.equal(some, whole[:5])


def test_a_minute_has_sixty_seconds():
    assert MINUTE == Budget(seconds=60) and MINUTE.count(0.5) == 120


def test_windows_of_text_are_no_vectors_to_compare_and_characters_have_sizes_in_bytes():
    assert not task("text").comparable and task("digits").comparable
    sizes = task("text")._sizes[Unit.BITS_PER_BYTE]
    assert sizes.dtype == np.float64 and set(sizes) >= {1.0, 2.0}
