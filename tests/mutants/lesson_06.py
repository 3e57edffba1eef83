"""Wrong and differently written answers to the exercises of lesson 06."""

import math

import numpy as np
from scipy import optimize, special, stats

from tests.mutants import alternative, mutant

# 06.1 poisson_fit


@alternative("06.1")
def poisson_fit(counts):
    rate = float(sum(int(k) for k in counts)) / len(counts)
    if rate == 0:
        return 0.0, 0.0
    return rate, sum(int(k) * math.log(rate) - rate - math.lgamma(int(k) + 1) for k in counts)


@mutant("06.1", hint="log k! is missing")
def poisson_fit(counts):  # noqa: F811
    rate = counts.mean()
    return rate, (special.xlogy(counts, rate) - rate).sum()


@mutant("06.1", hint="a log-likelihood is summed")
def poisson_fit(counts):  # noqa: F811
    rate = counts.mean()
    return rate, (special.xlogy(counts, rate) - rate - special.gammaln(counts + 1)).mean()


@mutant("06.1", hint="0 log 0 is 0")
def poisson_fit(counts):  # noqa: F811
    rate = counts.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        return rate, (counts * np.log(rate) - rate - special.gammaln(counts + 1)).sum()


@mutant("06.1", hint="k! overflows")
def poisson_fit(counts):  # noqa: F811
    rate = counts.mean()
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return rate, (special.xlogy(counts, rate) - rate - np.log(special.factorial(counts))).sum()


@mutant("06.1", hint="that is the total")
def poisson_fit(counts):  # noqa: F811
    rate = counts.sum()
    return rate, stats.poisson(max(rate, 1e-9)).logpmf(counts).sum()


@mutant("06.1", hint="in bits")
def poisson_fit(counts):  # noqa: F811
    rate = counts.mean()
    return rate, (special.xlogy(counts, rate) - rate - special.gammaln(counts + 1)).sum() / np.log(2)


# 06.2 truncated_rate


@alternative("06.2")
def truncated_rate(counts):
    counts = np.asarray(counts)
    if counts.min() < 1 or (counts == 1).all():
        raise ValueError("no maximum")
    mean = counts.mean()
    return float(mean + special.lambertw(-mean * np.exp(-mean)).real)


@mutant("06.2", hint="here they are missing")
def truncated_rate(counts):  # noqa: F811
    return counts.mean()


@mutant("06.2", hint="shifted")
def truncated_rate(counts):  # noqa: F811
    return counts.mean() - 1


@mutant("06.2", hint="solve to convergence")
def truncated_rate(counts):  # noqa: F811
    return counts.mean() * (1 - np.exp(-counts.mean()))


def _iterated(counts, tolerance):
    if counts.min() < 1 or (counts == 1).all():
        raise ValueError("no maximum")
    before, rate = np.inf, counts.mean()
    while abs(before / rate - 1) > tolerance:  # the steps get small long before the root is near
        before, rate = rate, counts.mean() * -np.expm1(-rate)
    return rate


@mutant("06.2", hint="at your rate the law's mean is")
def truncated_rate(counts):  # noqa: F811
    return _iterated(counts, 1e-2)


@mutant("06.2", hint="six digits are asked for")
def truncated_rate(counts):  # noqa: F811
    return _iterated(counts, 1e-4)


@mutant("06.2", hint="rises for ever")
def truncated_rate(counts):  # noqa: F811
    if counts.min() < 1:
        raise ValueError("a zero")
    mean = counts.mean()
    if mean == 1:
        return 1e-9
    return optimize.brentq(lambda r: r / -np.expm1(-r) - mean, 1e-9, mean)


@mutant("06.2", hint="a zero cannot come from this law")
def truncated_rate(counts):  # noqa: F811
    if (counts == 1).all():
        raise ValueError("all ones")
    mean = max(counts.mean(), 1.001)
    return optimize.brentq(lambda r: r / -np.expm1(-r) - mean, 1e-9, mean)


# 06.3 standard_error


@alternative("06.3")
def standard_error(log_likelihood, theta):
    h = 2e-3 * abs(theta)
    x = np.array([-2, -1, 0, 1, 2]) * h
    curvature = 2 * np.polyfit(x / h, [log_likelihood(theta + d) - log_likelihood(theta) for d in x], 4)[2] / h**2
    if not curvature < 0:
        raise ValueError("no maximum here")
    return (-curvature) ** -0.5


def _curvature(f, t, h):
    return (f(t + h) - 2 * f(t) + f(t - h)) / h**2


def _refuse(c):
    if not c < 0:
        raise ValueError("no maximum here")
    return c


@mutant("06.3", hint="that is the variance")
def standard_error(log_likelihood, theta):  # noqa: F811
    return -1 / _refuse(_curvature(log_likelihood, theta, 1e-3 * abs(theta)))


@mutant("06.3", hint="its inverse is the variance")
def standard_error(log_likelihood, theta):  # noqa: F811
    return -_refuse(_curvature(log_likelihood, theta, 1e-3 * abs(theta)))


@mutant("06.3", hint="step larger than the parameter")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(_curvature(log_likelihood, theta, 1e-3))) ** -0.5


@mutant("06.3", hint="step")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(_curvature(log_likelihood, theta, 1e-9 * abs(theta)))) ** -0.5


@mutant("06.3", hint="not negative")
def standard_error(log_likelihood, theta):  # noqa: F811
    return abs(_curvature(log_likelihood, theta, 1e-3 * abs(theta))) ** -0.5


@mutant("06.3", hint="not by 2 h squared")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(_curvature(log_likelihood, theta, 1e-3 * abs(theta))) / 2) ** -0.5


# 06.4 test_set_bpd


@alternative("06.4")
def test_set_bpd(batch_nll, batch_sizes, dims):
    total = sum(float(a) * int(b) for a, b in zip(batch_nll, batch_sizes, strict=True))
    bits = total / math.log(2) / (dims * sum(map(int, batch_sizes)))
    return bits, 2**bits


test_set_bpd.__test__ = False


@alternative("06.4")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = (batch_nll * batch_sizes).sum() / (batch_sizes.sum() * dims)
    return np.array(nats / np.log(2)), np.exp(nats)


test_set_bpd.__test__ = False


@mutant("06.4", hint="weight by size")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    bits = np.mean(batch_nll) / dims / np.log(2)
    return bits, 2**bits


@mutant("06.4", hint="divide by ln 2")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = np.average(batch_nll, weights=batch_sizes) / dims
    return nats, np.exp(nats)


@mutant("06.4", hint="e to the bits")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    bits = np.average(batch_nll, weights=batch_sizes) / dims / np.log(2)
    return bits, np.exp(bits)


@mutant("06.4", hint="average the log first")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = np.asarray(batch_nll) / dims
    return np.average(nats, weights=batch_sizes) / np.log(2), np.average(np.exp(nats), weights=batch_sizes)


@mutant("06.4", hint="bits per image")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    bits = np.average(batch_nll, weights=batch_sizes) / np.log(2)
    return bits, 2 ** (bits / dims)


# 06.5 train_in_time


@alternative("06.5")
def train_in_time(update, held_out, theta, patience):
    kept, costs = [np.array(theta)], [held_out(theta)]
    best = 0
    while len(costs) - 1 - best < patience:
        theta = update(theta)
        kept.append(np.array(theta))
        costs.append(held_out(theta))
        if costs[-1] < costs[best]:
            best = len(costs) - 1
    return kept[best], len(costs) - 1


def _train(update, held_out, theta, patience, *, copy=True, last=False, late=0, reset=True, previous=False, ties=False):
    best, cost, waited, steps = theta.copy() if copy else theta, held_out(theta), 0, 0
    before = cost
    while waited < patience + late:
        theta = update(theta)
        steps += 1
        now = held_out(theta)
        better = now <= cost if ties else now < cost
        if previous:
            better = now < before
        before = now
        if better:
            best, cost = theta.copy() if copy else theta, now
            waited = 0 if reset else waited
        else:
            waited += 1
    return (theta if last else best), steps


@mutant("06.5", hint="the last parameters, not the best")
def train_in_time(*args):  # noqa: F811
    return _train(*args, last=True)


@mutant("06.5", hint="keep a copy of the best")
def train_in_time(*args):  # noqa: F811
    return _train(*args, copy=False)


@mutant("06.5", hint="one step too long")
def train_in_time(*args):  # noqa: F811
    return _train(*args, late=1)


@mutant("06.5", hint="sets the count back")
def train_in_time(*args):  # noqa: F811
    return _train(*args, reset=False)


@mutant("06.5", hint="compare with the best cost so far")
def train_in_time(*args):  # noqa: F811
    return _train(*args, previous=True)


@mutant("06.5", hint="equal is no improvement")
def train_in_time(*args):  # noqa: F811
    return _train(*args, ties=True)


@mutant("06.5", hint="one step too early")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    return _train(update, held_out, theta, patience, late=-1)


# 06.6 dequantized_bpd


@alternative("06.6")
def dequantized_bpd(log_density, x, levels, draws, rng):
    many = np.tile(np.asarray(x, dtype=float), (draws, 1))
    nats = log_density((many + rng.uniform(size=many.shape)) / levels)
    return float(math.log2(levels) - nats.mean() / math.log(2) / x.shape[1])


@alternative("06.6")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    many = np.repeat(x, draws, axis=0)
    y = (many + rng.random(many.shape)) / levels
    return np.mean(-log_density(y) / x.shape[1] + np.log(levels)) / np.log(2)


def _noise(x, draws, rng, width=1.0):
    return [x + width * rng.random(x.shape) for _ in range(draws)]


@mutant("06.6", hint="D log L is missing")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    nats = np.mean([log_density(y / levels) for y in _noise(x, draws, rng)])
    return -nats / (x.shape[1] * np.log(2))


@mutant("06.6", hint="the sign of the term")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    nats = np.mean([log_density(y / levels) + x.shape[1] * np.log(levels) for y in _noise(x, draws, rng)])
    return -nats / (x.shape[1] * np.log(2))


@mutant("06.6", hint="once for each dimension")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    nats = np.mean([log_density(y / levels) - np.log(levels) for y in _noise(x, draws, rng)])
    return -nats / (x.shape[1] * np.log(2))


def _bpd(nats, x, levels):
    return -(np.mean(nats) - x.shape[1] * np.log(levels)) / (x.shape[1] * np.log(2))


@mutant("06.6", hint="half a bin")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    return _bpd([log_density(y / levels) for y in _noise(x, draws, rng, 0.5)], x, levels)


@mutant("06.6", hint="there is no noise in it")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    return _bpd([log_density(x / levels) for _ in range(draws)], x, levels)


@mutant("06.6", hint="u is shaped like x")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    return _bpd([log_density((x + rng.random((len(x), 1))) / levels) for _ in range(draws)], x, levels)


@mutant("06.6", hint="the same noise came twice")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    u = rng.random(x.shape)
    return _bpd([log_density((x + u) / levels) for _ in range(draws)], x, levels)


@mutant("06.6", hint="u uniform in [0, 1)")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    return _bpd([log_density(y / (levels - 1)) for y in _noise(x, draws, rng)], x, levels)
