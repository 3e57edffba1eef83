"""The training loop: what it keeps, that it repeats, what it hands to a loss, and what it says when it fails."""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from genutils.model import Model
from genutils.training import Diverged, cosine, cost, fit, flat_then_down, held_out, low_precision


class Normal(Model, nn.Module):
    """N(mu, sigma^2) in D dimensions, with noise to test the seeds by."""

    def __init__(self, dims: int = 1, dropout: float = 0.0):
        super().__init__()
        self.mu, self.log_sigma = nn.Parameter(torch.zeros(dims)), nn.Parameter(torch.zeros(dims))
        self.noise = nn.Dropout(dropout)

    def log_prob(self, x):
        return torch.distributions.Normal(self.noise(self.mu), self.log_sigma.exp()).log_prob(x).sum(1)

    def sample(self, n, *, generator=None):
        return self.mu + self.log_sigma.exp() * torch.randn(n, len(self.mu), generator=generator)


def data(n: int = 400, seed: int = 1) -> torch.Tensor:
    return 2 + 0.5 * torch.randn(n, 1, generator=torch.Generator().manual_seed(seed))


def weights(model) -> torch.Tensor:
    return torch.cat([v.flatten() for v in model.state_dict().values()])


def test_it_finds_the_maximum_of_the_likelihood():
    x, model = data(), Normal()
    record = fit(model, x, steps=600, lr=0.05, batch_size=400, schedule=cosine)
    assert torch.allclose(model.mu, x.mean(0), atol=2e-3)
    assert torch.allclose(model.log_sigma.exp(), x.std(0, unbiased=False), atol=2e-3)
    entropy = 0.5 * math.log(2 * math.pi * math.e * x.var(unbiased=False).item())
    assert record.train[-1] == pytest.approx(entropy, abs=1e-3) and record.stopped == "all steps"


def test_an_elbo_is_used_where_there_is_no_log_prob():
    class Bound(Model, nn.Module):
        why = "only a bound"

        def __init__(self):
            super().__init__()
            self.inner = Normal()

        def elbo(self, x, *, generator=None):
            return self.inner.log_prob(x) - 1

    model = Bound()
    fit(model, data(), steps=300, lr=0.05)
    assert model.inner.mu.item() == pytest.approx(2, abs=0.1)


def test_the_same_seed_gives_the_same_numbers_and_the_caller_keeps_its_randomness():
    runs = []
    for seed, disturb in ((3, 0), (3, 99), (4, 0)):
        torch.manual_seed(disturb)
        before = torch.get_rng_state()
        model = Normal(dropout=0.2)
        record = fit(model, data(), validation=data(50, 2), steps=50, lr=0.05, seed=seed)
        assert torch.equal(before, torch.get_rng_state())
        runs.append((weights(model), record.train, record.validation))
    assert torch.equal(runs[0][0], runs[1][0]) and runs[0][1:] == runs[1][1:]
    assert not torch.equal(runs[0][0], runs[2][0])


def test_every_example_comes_once_an_epoch():
    seen = []

    def spy(model, batch):
        seen.extend(batch[:, 0].tolist())
        return (model(batch) ** 2).mean()

    x = torch.arange(20.0)[:, None]
    fit(nn.Linear(1, 1), x, loss=spy, steps=8, batch_size=5)
    assert sorted(seen[:20]) == sorted(seen[20:]) == list(range(20)) and seen[:20] != seen[20:]


def test_the_best_weights_on_validation_data_are_restored():
    x, held = data(8), data(500, 2)  # eight points: overfitting is certain
    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 1))
    noise = torch.randn(8, 1, generator=torch.Generator().manual_seed(5))

    def loss(m, b):  # regress on noise in training, on zero when held out
        return ((m(b) - (noise if m.training else 0)) ** 2).mean()

    record = fit(model, x, validation=held, loss=loss, steps=400, batch_size=8, lr=0.01, every=10)
    assert record.best == min(record.validation) < record.validation[-1]
    assert held_out(model, held, loss) == pytest.approx(record.best, rel=1e-6)
    assert not model.training


def test_patience_stops_early():
    model = Normal()
    record = fit(model, data(), validation=data(50, 2), steps=5000, lr=0.05, every=20, patience=5)
    assert record.stopped == "no progress" and record.steps[-1] < 5000
    assert record.steps[-1] - record.best_step == 5 * 20


def test_validation_noise_is_the_same_each_time():
    class Noisy(Normal):
        def log_prob(self, x):
            return super().log_prob(x) + torch.randn(len(x))

    model, held = Noisy(), data(50, 2)
    assert held_out(model, held) == held_out(model, held)


def test_the_mean_over_examples_does_not_depend_on_the_batch_size():
    model, held = Normal(), data(101, 2)
    assert held_out(model, held, batch_size=7) == pytest.approx(held_out(model, held, batch_size=101), rel=1e-6)


def test_ema_keeps_the_average_of_the_weights():
    plain, averaged = Normal(), Normal()
    fit(plain, data(), steps=20, lr=0.1)
    fit(averaged, data(), steps=20, lr=0.1, ema=0.5)
    assert 0 < averaged.mu.item() < plain.mu.item()  # lags behind on its way from 0 to 2
    path = Normal()
    mus = []
    fit(path, data(), steps=20, lr=0.1, loss=lambda m, x: mus.append(m.mu.item()) or -m.log_prob(x).mean())
    mus = [*mus[1:], plain.mu.item()]  # after each step
    want = mus[0]
    for n, mu in enumerate(mus[1:], 1):
        decay = min(0.5, (1 + n) / (10 + n))  # below 0.5 up to n = 8
        want = decay * want + (1 - decay) * mu
    assert averaged.mu.item() == pytest.approx(want, rel=1e-5)


def test_a_long_average_of_a_short_run_is_not_near_its_start():
    line = nn.Linear(1, 1)
    x = torch.linspace(-1, 1, 64)[:, None]
    fit(line, x, loss=lambda m, b: ((m(b) - 3 * b) ** 2).mean(), steps=300, lr=0.1, ema=0.999)
    assert line.weight.item() == pytest.approx(3, abs=0.01)


def test_a_decay_that_is_none_is_refused():
    for bad in (1.0, 1.5, -0.1):
        with pytest.raises(ValueError, match=f"0 <= ema < 1; it is {bad}"):
            fit(Normal(), data(), steps=1, ema=bad)


def test_clipping_bounds_the_step():
    def loss(m, x):
        return 1e6 * m.mu.sum()

    model = Normal()
    fit(model, data(), loss=loss, steps=1, lr=1.0, optimizer=torch.optim.SGD, clip=0.5)
    assert model.mu.item() == pytest.approx(-0.5, rel=1e-4)
    fit(model := Normal(), data(), loss=loss, steps=1, lr=1e-6, optimizer=torch.optim.SGD, clip=None)
    assert model.mu.item() == pytest.approx(-1.0, rel=1e-4)


def test_divergence_stops_with_advice_and_keeps_the_best_weights():
    def loss(m, x):
        return -m.log_prob(x).mean() * (math.nan if len(m.seen) > 25 else 1) + 0 * m.seen.append(1).__bool__()

    model = Normal()
    model.seen = []
    with pytest.raises(Diverged, match=r"step 27 the loss is nan.*lower lr than 0.05") as caught:
        fit(model, data(), loss=lambda m, x: loss(m, x), steps=100, lr=0.05, every=10)
    assert caught.value.record.stopped == "diverged" and caught.value.record.best_step == 20
    assert torch.isfinite(weights(model)).all() and model.mu.item() > 0.1


def test_an_interrupted_run_keeps_its_best_weights():
    calls = []

    def loss(m, x):
        calls.append(1)
        if len(calls) == 33:
            raise KeyboardInterrupt
        return -m.log_prob(x).mean()

    model = Normal()
    record = fit(model, data(), loss=loss, steps=100, lr=0.05, every=10)
    assert record.stopped == "interrupted" and record.best_step == 30 and model.mu.item() > 0.5


def test_data_may_be_a_function_that_draws_fresh_examples():
    model = Normal()
    record = fit(model, lambda n: 3 + torch.randn(n, 1), steps=300, lr=0.05, schedule=cosine)
    assert model.mu.item() == pytest.approx(3, abs=0.1) and len(record.steps) == 43
    assert record.seconds > 0 and record.cpu_seconds > 0


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="patience=3 needs validation"):
        fit(Normal(), data(), patience=3)
    with pytest.raises(ValueError, match=r"no examples in data.*\(0, 1\)"):
        fit(Normal(), torch.zeros(0, 1))
    with pytest.raises(ValueError, match=r"no examples in validation.*\(0, 1\)"):
        fit(Normal(), data(), validation=torch.zeros(0, 1))
    with pytest.raises(TypeError, match=r"data is a ndarray: give a tensor \(torch.as_tensor\)"):
        fit(Normal(), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"one number of examples; their shapes are \[\(400, 1\), \(399,\)\]"):
        fit(Normal(), (data(), torch.zeros(399)))
    with pytest.raises(ValueError, match=r"the loss must be one number, not of shape \(128,\): take its mean"):
        fit(Normal(), data(), loss=lambda m, x: -m.log_prob(x))
    with pytest.raises(ValueError, match="a Identity has no parameters to train"):
        fit(nn.Identity(), data())


# What arrives in the loss


class Pair(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


X = torch.arange(12.0)[:, None]
FORMS = {
    "tensor": X,
    "tuple": (X, 2 * X[:, 0]),
    "named tuple": Pair(X, 2 * X[:, 0]),
    "dictionary": {"x": X, "label": 2 * X[:, 0], "order": 1, "name": None},
    "number first": {"weight": torch.tensor(0.5), "x": X},
    "default": defaultdict(list, x=X),
    "nested": {"x": X, "more": (2 * X[:, 0], ["as it is"])},
}


def flat(batch) -> list:
    if isinstance(batch, dict):
        return [(name, *flat(part)) for name, part in batch.items()]
    if isinstance(batch, tuple | list):
        return [flat(part) for part in batch]
    return [batch.tolist() if isinstance(batch, torch.Tensor) else batch]


@pytest.mark.parametrize("form", FORMS)
def test_a_function_s_batch_arrives_as_it_is(form):
    seen, asked = [], []

    def loss(model, batch):
        assert model is line
        seen.append(batch)
        return model(X).square().mean()

    line = nn.Linear(1, 1)
    fit(line, lambda n: asked.append(n) or FORMS[form], loss=loss, steps=2, batch_size=5)
    assert asked == [5, 5] and len(seen) == 2
    assert type(seen[0]) is type(FORMS[form]) and flat(seen[0]) == flat(FORMS[form])


@pytest.mark.parametrize("form", ["tensor", "tuple", "named tuple", "dictionary", "nested"])
def test_a_batch_of_arrays_is_the_same_rows_of_each(form):
    seen, judged = [], []

    def loss(model, batch):
        (seen if model.training else judged).append(batch)
        return model(X).square().mean()

    fit(nn.Linear(1, 1), FORMS[form], validation=FORMS[form], loss=loss, steps=3, batch_size=4, every=3)
    rows = {"tensor": lambda b: (b, 2 * b[:, 0]), "tuple": lambda b: b, "named tuple": lambda b: b}
    rows |= {"dictionary": lambda b: (b["x"], b["label"]), "nested": lambda b: (b["x"], b["more"][0])}
    pairs = [rows[form](batch) for batch in seen]
    assert all(torch.equal(2 * x[:, 0], y) and x.shape == (4, 1) for x, y in pairs)
    assert sorted(torch.cat([x for x, _ in pairs])[:, 0].tolist()) == list(range(12))  # once an epoch
    assert type(seen[0]) is type(FORMS[form]) and len(judged) == 1 and flat(judged[0]) == flat(FORMS[form])
    if form == "dictionary":
        assert seen[0]["order"] == 1 and seen[0]["name"] is None


class Labelled(Model, nn.Module):
    """N(mu of the label, 1)."""

    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(2))

    def log_prob(self, x, labels=None):
        at = self.mu.mean() if labels is None else self.mu[labels]
        return torch.distributions.Normal(at, 1.0).log_prob(x[:, 0])


def test_the_cost_passes_a_batch_on_by_place_and_by_name():
    model, x, y = Labelled(), data(60), torch.arange(60) % 2
    with torch.no_grad():
        model.mu.copy_(torch.tensor([1.0, 3.0]))
    given, plain = -model.log_prob(x, y).mean(), -model.log_prob(x).mean()
    assert given != plain and torch.equal(cost(model, x), plain)
    assert torch.equal(cost(model, (x, y)), given) and torch.equal(cost(model, {"labels": y, "x": x}), given)


@pytest.mark.parametrize("form", [tuple, dict])
def test_a_conditional_model_learns_from_examples_and_labels(form):
    y = torch.arange(400) % 2
    x = data() + 4 * y[:, None]
    batch = (x, y) if form is tuple else {"x": x, "labels": y}
    record = fit(model := Labelled(), batch, validation=batch, steps=400, lr=0.05, schedule=cosine)
    assert model.mu.tolist() == pytest.approx([x[::2].mean().item(), x[1::2].mean().item()], abs=0.05)
    assert record.best == pytest.approx(-model.log_prob(x, y).mean().item(), rel=1e-5)


def test_validation_may_be_a_function_whose_batch_is_the_same_each_time():
    asked = []

    def fresh(n):
        asked.append(torch.randn(n, 1))
        return asked[-1]

    record = fit(Normal(), data(), validation=fresh, steps=4, lr=0.0, every=1)
    assert len(asked) == 4 and all(torch.equal(asked[0], x) for x in asked) and len(set(record.validation)) == 1


# Small and odd batches


def test_an_empty_batch_is_named():
    with pytest.raises(ValueError, match="a batch of no examples: asked for 5"):
        fit(Normal(), lambda n: torch.zeros(0, 1), batch_size=5)
    with pytest.raises(ValueError, match="the function for held-out data gave none"):
        fit(Normal(), data(), validation=lambda n: torch.zeros(0, 1), steps=1)
    with pytest.raises(ValueError, match="a batch of no examples: asked for 0"):
        fit(Normal(), data(), batch_size=0)


def test_batches_of_one_are_steps_of_one():
    x = torch.tensor([[1.0], [3.0]])
    line, seen = nn.Linear(1, 1, bias=False), []
    nn.init.zeros_(line.weight)

    def loss(m, b):
        seen.append(b.item())
        return ((m(b) - 1) ** 2).mean()

    fit(line, x, loss=loss, steps=4, batch_size=1, lr=0.01, clip=None, optimizer=torch.optim.SGD)
    w = 0.0
    for v in seen:
        w -= 0.01 * 2 * v * (w * v - 1)
    assert sorted(seen[:2]) == sorted(seen[2:]) == [1, 3] and line.weight.item() == pytest.approx(w, rel=1e-5)
    fit(Normal(), data(1), validation=data(1, 2), steps=2)


def test_more_examples_asked_for_than_there_are_gives_all():
    sizes = []
    fit(nn.Linear(1, 1), X, loss=lambda m, b: sizes.append(len(b)) or m(b).square().mean(), steps=2, batch_size=50)
    assert sizes == [12, 12]


def test_data_of_another_dtype_gets_one_clear_line():
    def loss(m, b):
        return m(b).square().mean()

    want = r"the data is torch.float64 and the model torch.float32: give data.to\(torch.float32\)"
    with pytest.raises(TypeError, match=want):
        fit(nn.Linear(1, 1), data().double(), loss=loss)
    with pytest.raises(TypeError, match=want):
        fit(nn.Linear(1, 1), data(), validation=data().double(), loss=loss, steps=1)
    fit(nn.Linear(1, 1).double(), data().double(), loss=loss, steps=1)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):  # what has another cause keeps its words
        fit(nn.Linear(2, 1), data(), loss=loss)


# When it fails


@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_held_out_loss_that_is_no_number_is_said(bad, patience):
    entries = []

    def loss(m, x):
        if not m.training:
            entries.append(1)
        return -m.log_prob(x).mean() + (0 if m.training or len(entries) < 3 else bad)

    model = Normal()
    with pytest.raises(Diverged, match=f"step 30 the held-out loss is {bad}.*lower lr than 0.05.*are kept") as caught:
        fit(model, data(), validation=data(50, 2), loss=loss, steps=100, lr=0.05, every=10, patience=patience)
    record = caught.value.record
    assert record.stopped == "diverged" and record.best_step == 20 and record.steps == [10, 20, 30]
    assert len(record.train) == len(record.validation) == 3
    assert -model.log_prob(data(50, 2)).mean().item() == pytest.approx(record.best, rel=1e-6)


def test_a_gradient_that_is_no_number_does_not_reach_the_weights():
    model = Normal()
    with pytest.raises(Diverged, match="step 1 the loss is 0.0 and its gradient has norm nan.*clip=1.0"):
        fit(model, data(), loss=lambda m, x: (m.mu * 0).sqrt().sum(), clip=None)
    assert torch.equal(model.mu, torch.zeros(1))


# Wrapped models, low precision


def test_a_compiled_model_learns_the_same():
    plain, inner = Normal(), Normal()
    fit(plain, data(), validation=data(50, 2), steps=30, lr=0.05, ema=0.9)
    compiled = torch.compile(inner, backend="eager")
    record = fit(compiled, data(), validation=data(50, 2), steps=30, lr=0.05, ema=0.9)
    assert torch.equal(weights(inner), weights(plain)) and not inner.training and record.best_step == 30
    assert held_out(compiled, data()) == held_out(plain, data())


def test_low_precision_is_float32_on_every_cpu():
    with low_precision("cpu"):
        assert not torch.is_autocast_enabled("cpu")
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("native", [True, False])
def test_low_precision_asks_torch_for_units_of_its_own(monkeypatch, native):
    def supported(including_emulation=True):
        return native or including_emulation

    asked = []
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch, "autocast", lambda *args: asked.append(args) or contextlib.nullcontext())
    with low_precision(torch.device("cuda", 0)):
        pass
    assert asked == ([("cuda", torch.bfloat16)] if native else [])


def test_the_record_plots_itself(capsys):
    record = fit(Normal(), data(), validation=data(50, 2), steps=40, lr=0.05)
    record.show()
    assert "Two curves of loss over 40 steps" in capsys.readouterr().out


def test_the_cosine_schedule_rises_and_falls_to_nothing():
    values = [cosine(t / 100) for t in range(101)]
    assert 0 < values[0] < 0.02 and max(values) > 0.98 and values[-1] == 0
    assert values[10:] == sorted(values[10:], reverse=True)


def test_the_flat_schedule_stays_level_until_it_falls():
    values = [flat_then_down(t / 100) for t in range(101)]
    assert values[0] == 0.01 and set(values[5:61]) == {1.0} and values[-1] == 0
    assert values[80] == pytest.approx(0.5) and values[61:] == sorted(values[61:], reverse=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_cpu_and_gpu_agree():
    host, card = Normal(), Normal()
    fit(host, data(), steps=100, lr=0.05, batch_size=400)
    fit(card, data(), steps=100, lr=0.05, batch_size=400, device="cuda")
    assert torch.allclose(weights(host), weights(card).cpu(), atol=1e-4)


def test_ema_leaves_buffers_as_they_are():
    class Indexed(Normal):
        def __init__(self):
            super().__init__()
            self.register_buffer("order", torch.arange(10))

    model = Indexed()
    fit(model, data(), steps=20, lr=0.1, ema=0.9)
    assert model.order.tolist() == list(range(10))  # an average of whole numbers would be rounded down
