"""The common interface: what a model can answer is its type, and units are converted in one place."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from genutils.data import ring
from genutils.kinds import ANSWERS, Estimate, Kind
from genutils.model import (
    Dequantized,
    Model,
    bits_per_dim,
    dequantize,
    evaluate,
    kind,
    nats_per_example,
    quantize,
    unwrapped,
)


class Uniform(Model):
    """Uniform over whole numbers 0 ... L - 1."""

    def __init__(self, levels):
        self.levels = levels

    def log_prob(self, x):
        return np.full(len(x), -math.prod(x.shape[1:]) * math.log(self.levels))

    def sample(self, n, *, generator=None):
        return (generator or np.random.default_rng()).integers(self.levels, size=(n, 3))


class Box(Model):
    """The density on [0, 1)^D that is constant within each of L bins a side: log_prob of the bins in ``table``."""

    def __init__(self, table):
        self.table = np.asarray(table) / np.mean(table)

    def log_prob(self, y):
        bins = quantize(y, len(self.table))
        table = torch.as_tensor(self.table) if isinstance(bins, torch.Tensor) else self.table
        with np.errstate(divide="ignore"):
            return (torch.log(table[bins]) if isinstance(bins, torch.Tensor) else np.log(table[bins])).sum(1)

    def sample(self, n, *, generator=None):
        p = self.table / self.table.sum()
        return (generator.choice(len(p), (n, 2), p=p) + generator.random((n, 2))) / len(p)


class Sampler(Model):
    why = "it is an implicit model: it never writes down p(x)"

    def sample(self, n, *, generator=None):
        return np.zeros((n, 2))


class Neural(Model, nn.Module):
    why = "only the ELBO"

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def elbo(self, x, *, generator=None):
        return -(self.layer(x) ** 2).sum(1)


class Weighed(Model):
    """A Gaussian whose constant is estimated only, and one whose constant nobody knows."""

    why = "log Z is not known"

    def __init__(self, direction="overstates"):
        self.direction = direction

    def energy(self, x, labels=None):
        return (x**2).sum(1) / 2

    def log_prob_estimate(self, x, labels=None, *, generator=None):
        return Estimate(-self.energy(x) - 1.0, np.full(len(x), 0.3), shared=0.4, direction=self.direction)

    def sample(self, n, labels=None, *, generator=None):
        return (generator or np.random.default_rng()).standard_normal((n, 2))


class Unnormalised(Model):
    why = "log Z is not known"

    def energy(self, x, labels=None):
        return (x**2).sum(1) / 2


def test_what_a_model_can_answer_is_its_type():
    assert kind(Uniform(17)) == "exact" and kind(Neural()) == "bound" and kind(Sampler()) == "none"
    assert kind(Weighed()) is Kind.ESTIMATE and kind(Unnormalised()) == "up to a constant"
    assert kind(ring) == "exact"


def test_a_wrapper_of_torch_does_not_hide_the_type():
    x = torch.ones(3, 2)
    for model, want in ((Neural(), "bound"), (Plain(), "exact")):
        for wrap in (torch.compile, nn.DataParallel, torch.optim.swa_utils.AveragedModel):
            assert kind(wrap(model)) == want
            wrapped = wrap(model)
            there = x.to(next(model.parameters()).device)  # with a GPU, DataParallel moves the model there
            assert evaluate(wrapped, there).value == pytest.approx(evaluate(model.cpu(), x).value)
        assert unwrapped(torch.compile(nn.DataParallel(model))) is model
    assert unwrapped(sequence := nn.Sequential(nn.Linear(2, 2))) is sequence and kind(sequence) == "none"


class Plain(Model, nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(2))

    def log_prob(self, x, labels=None):
        return -((x - self.mu) ** 2).sum(1) - math.log(math.pi)


def test_asking_for_what_a_model_cannot_answer_says_why():
    for name in ANSWERS:
        with pytest.raises(AttributeError) as caught:
            getattr(Sampler(), name)
        said = "a Sampler has no {}: it is an implicit model: it never writes down p(x). It can answer: sample"
        assert str(caught.value) == said.format(name)
        with pytest.raises(AttributeError, match=f"has no {name}: {ANSWERS[name].lacking}. It can answer: sample$"):
            getattr(Model(), name)
    with pytest.raises(AttributeError, match="a Neural has no log_prob: only the ELBO. It can answer: sample, elbo$"):
        Neural().log_prob  # noqa: B018
    with pytest.raises(AttributeError, match="It can answer: sample, log_prob_estimate, energy$"):
        Weighed().log_prob  # noqa: B018
    with pytest.raises(AttributeError, match="'Sampler' object has no attribute 'nonsense'"):
        Sampler().nonsense  # noqa: B018
    assert not hasattr(Sampler(), "log_prob") and hasattr(Uniform(2), "log_prob")


@pytest.mark.parametrize("truth", [None, ring])
def test_an_estimate_has_an_error_of_its_own_and_says_on_which_side_it_errs(truth):
    x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)).double()
    got = evaluate(Weighed(), x, truth=truth)
    nats = -Weighed().energy(x) - 1
    scale = 1 if truth else 1 / (2 * math.log(2))
    want = (truth.log_prob(x) - nats).mean() if truth else -nats.mean() * scale
    assert (got.kind, got.direction) == ("estimate", "overstates") and got.value == pytest.approx(want.item())
    assert got.error == pytest.approx(math.hypot(0.3 / 20, 0.4) * scale)  # the shared part does not average out
    assert evaluate(Unnormalised(), x) == evaluate(Sampler(), x).__class__(Kind.UP_TO_A_CONSTANT)


@pytest.mark.parametrize("bad", [{"direction": "up"}, {"stderr": -0.1}, {"shared": -1.0}, {"stderr": np.array([-1.0])}])
def test_an_estimate_without_sense_is_refused(bad):
    with pytest.raises(ValueError, match="direction is|0 or more"):
        Estimate(np.zeros(1), **bad)


class Labelled(Uniform):
    classes = 3

    def log_prob(self, x, labels=None):
        labels = self._labels(labels, len(x))
        return super().log_prob(x) if labels is None else -np.asarray(labels, dtype=float)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([0, 1], r"4 whole numbers 0 ... 2.*shape \(2,\)"),
        ([0, 1, 2, 3], "from 0 to 3"),
        ([0, -2, 1, 1], "from -2 to 1"),
        ([0.0, 1.0, 1.0, 1.0], "float64"),
        (torch.tensor([0, 1, 2, 7]), "from 0 to 7"),
    ],
)
def test_labels_that_are_none_are_named(labels, says):
    with pytest.raises(ValueError, match=says):
        Labelled(17).log_prob(np.zeros((4, 3)), labels)


def test_labels_condition_and_a_model_without_classes_refuses_them():
    x = np.zeros((4, 3))
    assert evaluate(Labelled(17), x, [0, 2, 2, -1]).value == pytest.approx(np.mean([0, 2, 2, -1]) / 3 / math.log(2))
    with pytest.raises(ValueError, match="this Uniform was made without classes; ask without labels"):
        Uniform(17)._labels([0, 0, 0, 0], 4)
    assert Labelled(17)._labels(None, 4) is None


def test_a_neural_model_keeps_its_parameters():
    model = Neural()
    assert len(list(model.parameters())) == 2 and model.layer.weight.shape == (2, 2)
    with pytest.raises(AttributeError, match="nonsense"):
        model.nonsense  # noqa: B018


def test_a_model_without_a_sampler_says_so():
    class Nothing(Model):
        pass

    with pytest.raises(NotImplementedError, match="Nothing must say how to sample"):
        Nothing().sample(1)


@given(st.integers(2, 300), st.integers(1, 100))
def test_a_uniform_model_over_l_levels_costs_exactly_log2_l(levels, dims):
    log_prob = Uniform(levels).log_prob(np.zeros((1, dims)))
    assert bits_per_dim(log_prob, dims)[0] == pytest.approx(math.log2(levels), rel=1e-12)


@given(st.floats(-1e4, 0), st.integers(1, 5000))
def test_units_there_and_back(log_prob, dims):
    assert nats_per_example(bits_per_dim(log_prob, dims), dims) == pytest.approx(-log_prob, abs=1e-9)


@pytest.mark.parametrize("dims", [0, -1, 2.5, True])
def test_dims_must_be_a_number_of_dimensions(dims):
    with pytest.raises(ValueError, match="number of dimensions"):
        bits_per_dim(-1.0, dims)


@pytest.mark.parametrize("levels", [2, 17, 256])
@pytest.mark.parametrize("tensor", [False, True])
def test_dequantized_data_stay_in_their_bins_and_come_back(levels, tensor):
    x = np.random.default_rng(0).integers(levels, size=(500, 7))
    g = torch.Generator().manual_seed(0) if tensor else np.random.default_rng(1)
    x = torch.as_tensor(x) if tensor else x
    y = dequantize(x, levels, generator=g)
    assert 0 <= y.min() and y.max() < 1
    assert (quantize(y, levels) == x).all()
    u = np.asarray(y * levels - x).ravel()  # the whole bin is used: half a bin would have a third of the variance
    assert abs(u.mean() - 0.5) < 4 * math.sqrt(1 / 12 / u.size) and abs(u.var() - 1 / 12) < 0.01


def test_noise_at_the_very_end_of_a_bin_does_not_leave_it():
    class Last:
        def random(self, shape):
            return np.full(shape, np.nextafter(1, 0))

    x = np.arange(256)
    assert (quantize(dequantize(x, 256, generator=Last()), 256) == x).all()


def test_the_same_seed_gives_the_same_noise():
    x = np.zeros((4, 3), dtype=int)
    a, b = (dequantize(x, 17, generator=np.random.default_rng(3)) for _ in range(2))
    assert (a == b).all()


@pytest.mark.parametrize("bad", [np.array([[17]]), np.array([[-1]]), np.array([[0.5]]), torch.tensor([[0.5]])])
def test_data_that_are_not_levels_are_refused(bad):
    with pytest.raises(ValueError, match="whole numbers 0 ... 16"):
        dequantize(bad, 17)


@pytest.mark.parametrize("tensor", [False, True])
def test_a_density_constant_on_bins_has_a_tight_bound(tensor):
    """There the noise does not matter, so the bound is the discrete log-likelihood itself, the D log L included."""
    table = np.array([0.1, 0.2, 0.3, 0.4])
    x = np.random.default_rng(0).integers(4, size=(50, 2))
    want = np.log(table[x]).sum(1)
    got = Dequantized(Box(table), 4).elbo(torch.as_tensor(x) if tensor else x)
    assert np.allclose(np.asarray(got), want)


def test_the_bound_is_below_the_discrete_likelihood_and_its_integral():
    """A Gaussian cut to [0, 1): log of the mass of a bin against the mean of the log-density in it."""
    from scipy import stats

    class Bump(Model):
        law = stats.truncnorm(-2, 2, loc=0.5, scale=0.25)

        def log_prob(self, y):
            return self.law.logpdf(y).sum(1)

        def sample(self, n, *, generator=None):
            return self.law.rvs((n, 1), random_state=generator)

    levels, model = 5, Bump()
    x = np.arange(levels)[:, None]
    exact = np.log(np.diff(model.law.cdf(np.arange(levels + 1) / levels)))
    bound = Dequantized(model, levels).elbo(x, generator=np.random.default_rng(0), samples=20_000)
    assert (bound < exact).all() and (bound > exact - 0.1).all()
    assert np.exp(exact).sum() == pytest.approx(1)
    counts = np.bincount(Dequantized(model, levels).sample(50_000, generator=np.random.default_rng(1))[:, 0])
    assert np.allclose(counts / 50_000, np.exp(exact), atol=0.01)


def test_a_model_that_only_samples_cannot_be_dequantized():
    with pytest.raises(ValueError, match="Sampler has no density to bound with"):
        Dequantized(Sampler(), 17)


def test_scores():
    x = np.random.default_rng(0).integers(17, size=(20, 8, 8))
    exact = evaluate(Uniform(17), x)
    assert (exact.kind, exact.unit) == ("exact", "bpd") and exact.value == pytest.approx(math.log2(17))
    assert exact.stderr < 1e-12
    assert evaluate(Sampler(), x).value is None and evaluate(Sampler(), x).kind == "none"
    bound = evaluate(Dequantized(Box([1, 1, 1, 1]), 4), x[:, 0, :2] % 4)
    assert bound.kind == "bound" and bound.value == pytest.approx(2)


def test_the_distance_to_a_known_density():
    points = ring.sample(2000, generator=torch.Generator().manual_seed(0))
    assert evaluate(ring, points, truth=ring).value == 0

    class Wide(Model):
        def log_prob(self, x):
            return torch.distributions.Normal(0, 2.0).log_prob(x).sum(1)

    found = evaluate(Wide(), points, truth=ring)
    nll = -Wide().log_prob(points.double()).mean().item()
    assert found.unit == "nats_above_limit" and found.value == pytest.approx(nll - ring.entropy, abs=0.1)
    assert 0 < found.stderr < 0.05


def test_an_example_without_probability_is_named():
    class Never(Uniform):
        def log_prob(self, x):
            return np.where(np.arange(len(x)) == 2, -np.inf, -1.0)

    with pytest.raises(ValueError, match="example 2 gets inf: the model gives it no probability"):
        evaluate(Never(17), np.zeros((4, 3)))


def test_the_noise_of_a_bound_comes_from_the_generator():
    model, x = Dequantized(Box([1.0, 3.0, 2.0]), 2), np.tile([[0, 1]], (40, 1))
    one, again, other = (evaluate(model, x, generator=np.random.default_rng(seed)).value for seed in (0, 0, 1))
    assert one == again != other
