"""The baselines: what is kept is what comes out, and the table says what its rows are."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from genutils import baselines
from genutils.baselines import Baseline
from genutils.kinds import Kind, Unit
from genutils.model import Evaluation
from genutils.neighbours import Neighbours


@pytest.fixture(scope="module")
def again():
    """Measured anew, one seed each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "SEEDS", range(1))
        return baselines.measure()


@pytest.mark.parametrize("part", baselines.PARTS)
def test_what_is_kept_is_what_comes_out(again, part):
    kept = baselines.digits(part)
    assert set(kept) == set(again[part])
    for name, one in again[part].items():
        assert kept[name].kind == one.kind
        assert one.runs[0] == pytest.approx(kept[name].runs[0], abs=0.004 if len(kept[name].runs) > 1 else 1e-6), name


def test_every_step_of_understanding_costs_less():
    names = list(baselines.digits())
    steps = ["uniform", "one histogram for all", "one histogram a pixel", "pixel and digit", "40 tables", "neighbours"]
    places = [next(i for i, name in enumerate(names) if step in name) for step in steps]
    assert places == sorted(places)
    assert all(len(one.runs) in (1, len(baselines.SEEDS)) for one in baselines.digits().values())


def test_parts_differ_and_an_unknown_one_is_refused():
    assert baselines.digits("validation") != baselines.digits("test")
    with pytest.raises(ValueError, match="'train' is neither"):
        baselines.digits("train")


def test_spread_is_that_of_the_runs():
    assert Baseline("exact", (1.0,)).sd is None
    assert Baseline("exact", (1.0, 2.0, 3.0)).sd == pytest.approx(1.0)


def test_own_results_stand_in_bold_in_their_place():
    model = Evaluation(Kind.BOUND, 2.2, 0.01, Unit.BITS_PER_DIM)
    text = baselines.table({"evaluated": model, "given": ("exact", 1.5), "seeds": ("exact", [1.0, 1.2])})
    lines = text.splitlines()
    assert len(lines) == 2 + len(baselines.digits()) + 3
    values = [float(line.split("|")[3].replace("*", "").split("±")[0]) for line in lines[2:]]
    assert values == sorted(values, reverse=True)
    assert "| **evaluated** | bound | **2.200** |" in lines
    assert lines[-1] == f"| **seeds** | exact | **1.100** ± {math.sqrt(0.02):.3f} |"
    assert baselines.table(part="validation").startswith("| validation digits |")


def test_a_result_without_bits_is_refused():
    with pytest.raises(ValueError, match="'mine' has no value"):
        baselines.table({"mine": Evaluation(Kind.NONE)})
    with pytest.raises(ValueError, match="'mine' has no value"):
        baselines.table({"mine": Evaluation(Kind.EXACT, 0.3, 0.01, Unit.NATS_ABOVE_LIMIT)})
    for runs in ([], math.nan, [1.5, math.inf]):
        with pytest.raises(ValueError, match="'mine' has no finite value in bits per dimension"):
            baselines.table({"mine": ("exact", runs)})


def test_writing_keeps_all_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(baselines, "FILE", tmp_path / "baselines.json")
    monkeypatch.setattr(baselines, "measure", lambda: {"test": {"a": Baseline("exact", (1.23456789, 2.0))}})
    baselines.write()
    assert json.loads((tmp_path / "baselines.json").read_text()) == {
        "test": {"a": {"kind": "exact", "runs": [1.234568, 2.0]}}
    }
    assert baselines.digits()["a"].value == pytest.approx(1.617284)


class TestNeighbours:
    def test_each_pixel_sees_its_four_neighbours_and_nothing_else(self):
        torch.manual_seed(0)
        model, x = Neighbours(16, levels=5, size=4), torch.randint(5, (1, 4, 4))
        whole = model._log_p(x)
        for i in range(4):
            for j in range(4):
                y = x.clone()
                y[0, i, j] = (y[0, i, j] + 1) % 5
                changed = (model._log_p(y) != whole).any(-1)[0].nonzero().tolist()
                near = [[i, j + 1], [i + 1, j], [i + 1, j + 1], [i + 1, j - 1]]
                assert changed == sorted(place for place in near if max(place) < 4 and min(place) >= 0)

    def test_samples_follow_the_density(self):
        torch.manual_seed(1)
        model = Neighbours(8, levels=2, size=2)
        n, x = 20_000, torch.cartesian_prod(*[torch.arange(2)] * 4).view(16, 2, 2)
        drawn = model.sample(n, generator=torch.Generator().manual_seed(0)).flatten(1)
        seen = np.bincount((drawn * torch.tensor([8, 4, 2, 1])).sum(1).numpy(), minlength=16)
        want = n * model.log_prob(x).exp().detach().numpy()
        assert ((seen - want) ** 2 / want).sum() < 44  # chi squared with 15 degrees of freedom, one in 10,000

    def test_bad_images_are_named(self):
        model = Neighbours(8)
        with pytest.raises(ValueError, match=r"images are \(B, 8, 8\)"):
            model.log_prob(torch.zeros(2, 64))
        for bad in (17.0, -1.0, 0.5, float("nan")):
            with pytest.raises(ValueError, match="whole numbers 0 ... 16"):
                model.log_prob(torch.full((1, 8, 8), bad))
