"""The training loop: what it keeps, that it repeats, resumes to the same numbers, and says what to do when it fails."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genutils import training
from genutils.model import Model
from genutils.training import Diverged, cosine, fit, held_out


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
    fit(averaged, data(), steps=20, lr=0.1, ema=0.9)
    assert 0 < averaged.mu.item() < plain.mu.item()  # lags behind on its way from 0 to 2
    path = Normal()
    mus = []
    fit(path, data(), steps=20, lr=0.1, loss=lambda m, x: mus.append(m.mu.item()) or -m.log_prob(x).mean())
    mus = [*mus[1:], plain.mu.item()]  # after each step
    want = mus[0]
    for mu in mus[1:]:
        want = 0.9 * want + 0.1 * mu
    assert averaged.mu.item() == pytest.approx(want, rel=1e-5)


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


@pytest.mark.parametrize("ema", [None, 0.9])
def test_a_resumed_run_gives_the_numbers_of_one_that_never_stopped(tmp_path, ema):
    settings = dict(validation=data(50, 2), steps=60, lr=0.05, every=10, seed=7, ema=ema, batch_size=64)
    whole = Normal(dropout=0.3)
    expected = fit(whole, data(), **settings)

    calls = []

    def killed(m, x):
        calls.append(1)
        if len(calls) > 37 and m.training:
            raise MemoryError
        return training.negative_log_likelihood(m, x)

    file, model = tmp_path / "run.pt", Normal(dropout=0.3)
    with pytest.raises(MemoryError):
        fit(model, data(), loss=killed, checkpoint=file, **settings)
    model = Normal(dropout=0.3)
    record = fit(model, data(), checkpoint=file, **settings)
    assert torch.equal(weights(model), weights(whole))
    assert (record.train, record.validation, record.steps) == (expected.train, expected.validation, expected.steps)
    again = Normal(dropout=0.3)  # a finished run has nothing left to do
    assert fit(again, data(), checkpoint=file, **settings).steps == expected.steps
    assert torch.equal(weights(again), weights(whole))


def test_a_checkpoint_of_another_run_or_of_nothing_is_refused(tmp_path):
    file = tmp_path / "run.pt"
    fit(Normal(), data(), steps=4, checkpoint=file)
    with pytest.raises(ValueError, match="belongs to another run.*delete it"):
        fit(Normal(), data(), steps=8, checkpoint=file)
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="is not a checkpoint of fit.*delete it"):
        fit(Normal(), data(), steps=4, checkpoint=file)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    file = tmp_path / "run.pt"
    torch.save({"settings": Evil()}, file)
    with pytest.raises(ValueError, match="is not a checkpoint"):
        fit(Normal(), data(), steps=4, checkpoint=file)
    assert not (tmp_path / "ran").exists()


def test_data_may_be_a_function_that_draws_fresh_examples():
    model = Normal()
    record = fit(model, lambda n: 3 + torch.randn(n, 1), steps=300, lr=0.05, schedule=cosine)
    assert model.mu.item() == pytest.approx(3, abs=0.1) and len(record.steps) == 43
    assert record.seconds > 0 and record.cpu_seconds > 0


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="patience=3 needs validation"):
        fit(Normal(), data(), patience=3)
    with pytest.raises(ValueError, match=r"no examples.*\(0, 1\)"):
        fit(Normal(), torch.zeros(0, 1))


def test_the_record_plots_itself(capsys):
    record = fit(Normal(), data(), validation=data(50, 2), steps=40, lr=0.05)
    record.show()
    assert "Two curves of loss over 40 steps" in capsys.readouterr().out


def test_the_cosine_schedule_rises_and_falls_to_nothing():
    values = [cosine(t / 100) for t in range(101)]
    assert 0 < values[0] < 0.02 and max(values) > 0.98 and values[-1] == 0
    assert values[10:] == sorted(values[10:], reverse=True)


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
