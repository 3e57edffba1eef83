"""One source of words: the kinds of answer and the units, wherever they are said, and one convention for labels."""

from __future__ import annotations

import importlib
import inspect
import json
import pathlib
import pickle
import pkgutil
import re
import subprocess
import sys

import pytest
import torch

import genutils
from genutils import kinds, recipes
from genutils.kinds import ANSWERS, Kind, Unit
from genutils.model import Model, kind
from genutils.tasks import task
from tools.lessons import outline

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import family_map  # noqa: E402


def families() -> list[type]:
    """Every model of the package."""
    names = [m.name for m in pkgutil.walk_packages(genutils.__path__, "genutils.") if ".check" not in m.name]
    things = [
        thing for name in names for thing in vars(importlib.import_module(name)).values() if inspect.isclass(thing)
    ]
    return sorted({c for c in things if issubclass(c, Model) and c is not Model}, key=lambda c: c.__name__)


def test_words_marks_and_methods_are_all_different():
    for name in ("value", "mark", "phrase", "meaning", "method"):
        assert len({getattr(k, name) for k in Kind}) == 5
    assert list(ANSWERS) == ["log_prob", "elbo", "log_prob_estimate", "energy"]
    assert len({u.short for u in Unit}) == len(Unit) == 6


def test_a_kind_is_its_word_also_in_a_file():
    for k in (*Kind, *Unit):
        assert json.loads(json.dumps(k)) == k == type(k)(str(k)) and pickle.loads(pickle.dumps(k)) is k


def test_the_notation_page_has_the_words_the_marks_and_the_methods():
    page = (ROOT / "book" / "notation.md").read_text(encoding="utf8")
    rows = re.findall(r"^\| (\S) (.+?) \| (.*?) \| (.+?) \|$", page, re.MULTILINE)
    want = [(k.mark, k.value, f"`{k.method}(x)`" if k.method else "", k.meaning) for k in Kind]
    assert [tuple(cell.strip() for cell in row) for row in rows] == want
    assert "`score(" not in page


SMALL = {
    "autoregressive": {"ring": {}, "digits": {"width": 8}},
    "transformer": {"text": {"width": 8, "layers": 1}, "digits": {"width": 8, "layers": 1}},
    "pixelcnn": {"digits": {"width": 4, "layers": 1}},
    "wavenet": {"strings": {"layers": 2, "channels": 4, "features": 4}},
    "flow": {"ring": {}, "digits": {"width": 8}},
    "vae": {"ring": {}, "digits": {"width": 4}},
    "diffusion": {"ring": {}, "digits": {"width": 8}},
    "gan": {"ring": {}, "digits": {"width": 8}},
    "histogram": {"ring": {"points": 500}, "digits": {}},
    "mixture": {"ring": {"points": 200, "K": 2}, "digits": {"K": 2}},
    "kde": {"ring": {"points": 50}},
    "ngram": {"digits": {}},
    "frequencies": {"digits": {}},
}


def test_the_map_says_what_the_models_are():
    """By the type of what the recipes train: the first mark on real numbers, another on whole ones."""
    on_map = {x.number: tuple(map(Kind, x.answers)) for part in outline() for x in part.lessons if x.answers}
    places = {"autoregressive": "08", "transformer": "09", "pixelcnn": "10", "wavenet": "11"}
    places |= {"flow": "12", "vae": "14", "gan": "15", "diffusion": "18"}
    for name, lesson in places.items():
        module = recipes.recipe(name)
        found = [
            kind(module.train(task(data), 0, recipes.Budget(steps=1), **small)) for data, small in SMALL[name].items()
        ]
        assert tuple(dict.fromkeys(found)) == on_map[lesson]
    assert [k for k, _ in family_map.LEGEND] == list(Kind)
    drawn = {family_map._mark(0, 0, k) for k in Kind}
    assert len(drawn) == 5


@pytest.mark.parametrize("family", families(), ids=lambda c: c.__name__)
def test_every_family_takes_labels_in_the_same_place(family):
    asked = 0
    for name in ("sample", *ANSWERS):
        method = getattr(family, name, None)
        if method is None:
            continue
        asked += 1
        parameters = list(inspect.signature(method).parameters.values())
        assert parameters[2].name == "labels" and parameters[2].default is None, name
        assert parameters[2].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        rest = [p for p in parameters[3:] if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
        assert not rest, f"{name}: what follows labels is asked for by name"
    assert asked


def test_the_families_are_found():
    assert {"Flow", "GAN", "VAE", "NGram", "PixelNet", "KDE", "LevelDiffusion", "PixelFlow"} <= {
        c.__name__ for c in families()
    }


@pytest.mark.parametrize(("name", "data"), [(n, d) for n, each in SMALL.items() for d in each])
def test_labels_are_refused_in_one_line_or_answered(name, data):
    given = task(data)
    model = recipes.recipe(name).train(given, 0, recipes.Budget(steps=1), **SMALL[name][data])
    neural = isinstance(model, torch.nn.Module)
    x = given.split("validation")["x"][:4]
    x, labels = (x if neural else x.flatten(1).numpy()), torch.tensor([1, 2, 3, -1])
    asked = {"sample": 4} | {m: x for m in ANSWERS if hasattr(model, m)}
    for method, first in asked.items():
        ask = getattr(model, method)
        if model.classes:
            assert len(ask(first, labels)) == 4
            last = model.classes - 1
            with pytest.raises(
                ValueError, match=f"labels are 4 whole numbers 0 ... {last}, one for each example, or -1"
            ):
                ask(first, torch.tensor([1, 2, 3, last + 1]))
        else:
            with pytest.raises(ValueError, match=f"this {type(model).__name__} was made without classes; ask without"):
                ask(first, labels)
    told = ("autoregressive", "transformer", "pixelcnn", "wavenet", "diffusion", "gan")
    assert model.classes == (given.classes if name in told else None)


def test_a_missing_label_among_labels_means_any():
    from genutils.autoregressive import PixelNet

    torch.manual_seed(0)
    model = PixelNet(levels=3, size=3, classes=2, width=8, blocks=1)
    x = torch.randint(3, (5, 3, 3), generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, -1, 1, -1, 1])
    got, marginal, given = model.log_prob(x, labels), model.log_prob(x), model.log_prob(x, labels.clamp(min=0))
    assert torch.allclose(got, torch.where(labels < 0, marginal, given)) and not torch.allclose(marginal, given)


def test_interface_and_words_need_no_torch():
    code = "import sys, genutils.model, genutils.kinds; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_nothing_else_spells_the_words():
    """A list of the kinds in another place would go its own way."""
    for file in [*(ROOT / "genutils").rglob("*.py"), *(ROOT / "book" / "_ext").glob("*.py")]:
        if file != pathlib.Path(kinds.__file__):
            text = file.read_text(encoding="utf8")
            assert '"up to a constant"' not in text and not re.search(r"\bEXACT\b.*= \"exact\"", text), file
