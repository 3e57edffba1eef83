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


@alternative("06.1")
def poisson_fit(counts):  # noqa: F811
    rate = np.mean(counts)
    return [rate, stats.poisson(rate).logpmf(counts).sum()]


@alternative("06.1")
def poisson_fit(counts):  # noqa: F811
    """From a table of how often each count came, in torch."""
    import torch

    often = torch.tensor(np.bincount(counts)).double()
    k = torch.arange(len(often)).double()
    rate = (often @ k) / often.sum()
    return rate, (often * (torch.xlogy(k, rate) - rate - torch.lgamma(k + 1))).sum()


@mutant("06.1", hint="the sign")
def poisson_fit(counts):  # noqa: F811
    rate = counts.mean()
    return rate, -(special.xlogy(counts, rate) - rate - special.gammaln(counts + 1)).sum()


@mutant("06.1", hint="n - 1 is for variances")
def poisson_fit(counts):  # noqa: F811
    rate = counts.sum() / max(len(counts) - 1, 1)
    return rate, (special.xlogy(counts, rate) - rate - special.gammaln(counts + 1)).sum()


@mutant("06.1", hint="")
def poisson_fit(counts):  # noqa: F811
    """A grid."""
    rates = np.linspace(0, counts.max() + 1, 2001)
    value = (special.xlogy(counts[:, None], rates) - rates - special.gammaln(counts[:, None] + 1)).sum(0)
    return rates[value.argmax()], value.max()


@mutant("06.1", hint="")
def poisson_fit(counts):  # noqa: F811
    """Stirling's formula for k!."""
    rate = counts.mean()
    fact = special.xlogy(counts, counts) - counts + 0.5 * np.log(2 * np.pi * np.maximum(counts, 1))
    return rate, (special.xlogy(counts, rate) - rate - fact).sum()


@mutant("06.1", hint="")
def poisson_fit(counts):  # noqa: F811
    """The rate rounded for the likelihood."""
    rate = counts.mean()
    return rate, stats.poisson(round(rate, 1)).logpmf(counts).sum()


@mutant("06.1", hint="")
def poisson_fit(counts):  # noqa: F811
    """A rate of four decimals."""
    rate = round(float(counts.mean()), 4)
    return rate, stats.poisson.logpmf(counts, rate).sum()


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


@alternative("06.2")
def truncated_rate(counts):  # noqa: F811
    """Newton's method in log rate, plain numbers."""
    counts = [int(k) for k in counts]
    if min(counts) < 1 or max(counts) == 1:
        raise ValueError("no maximum")
    mean = sum(counts) / len(counts)
    r = 2 * (mean - 1) if mean < 1.5 else mean
    for _ in range(60):
        low = -math.expm1(-r)
        value, slope = r / low - mean, 1 / low - r * math.exp(-r) / low**2
        r = max(r - value / slope, r / 10)
    return r


@alternative("06.2")
def truncated_rate(counts):  # noqa: F811
    """EM: guess how many zeros there were, and average again."""
    counts = np.asarray(counts, dtype=float)
    if counts.min() < 1 or counts.max() == 1:
        raise ValueError("no maximum")
    total, n = counts.sum(), len(counts)

    def step(t):
        missing = n / np.expm1(np.exp(t))
        return np.log(total / (n + missing))

    return np.array([np.exp(optimize.brentq(lambda t: step(t) - t, -12.0, np.log(total / n), xtol=1e-14))])


@mutant("06.2", hint="median")
def truncated_rate(counts):  # noqa: F811
    return np.median(counts)


@mutant("06.2", hint="at your rate the law's mean is")
def truncated_rate(counts):  # noqa: F811
    """A grid of rates."""
    if counts.min() < 1 or (counts == 1).all():
        raise ValueError("no maximum")
    rates = np.arange(0.013, counts.mean() + 0.05, 0.05)
    n = len(counts)
    return rates[(counts.sum() * np.log(rates) - n * rates - n * np.log(-np.expm1(-rates))).argmax()]


@mutant("06.2", hint="on a copy")
def truncated_rate(counts):  # noqa: F811
    if counts.min() < 1 or (counts == 1).all():
        raise ValueError("no maximum")
    counts.sort()
    mean = counts.mean()
    return float(mean + special.lambertw(-mean * np.exp(-mean)).real)


# 06.3 standard_error


@alternative("06.3")
def standard_error(log_likelihood, theta):
    h = 2e-3 * abs(theta)
    x = np.array([-2, -1, 0, 1, 2]) * h
    curvature = 2 * np.polyfit(x / h, [log_likelihood(theta + d) - log_likelihood(theta) for d in x], 4)[2] / h**2
    if not curvature < 0:
        raise ValueError("no maximum here")
    return (-curvature) ** -0.5


@alternative("06.3")
def standard_error(log_likelihood, theta):  # noqa: F811
    """The slope of the slope."""

    def slope(t):
        return (log_likelihood(t + h) - log_likelihood(t - h)) / (2 * h)

    h = 5e-4 * abs(theta)
    curvature = (slope(theta + h) - slope(theta - h)) / (2 * h)
    if curvature >= 0:
        raise ValueError("no maximum here")
    return np.float64(1 / math.sqrt(-curvature))


@alternative("06.3")
def standard_error(log_likelihood, theta):  # noqa: F811
    """Richardson's extrapolation from two steps."""

    def second(h):
        return (log_likelihood(theta + h) - 2 * log_likelihood(theta) + log_likelihood(theta - h)) / h**2

    c = (4 * second(1e-2 * theta) - second(2e-2 * theta)) / 3
    if not c < 0:
        raise ValueError("no maximum here")
    return (-1 / c) ** 0.5


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


@mutant("06.3", hint="as large as the parameter")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(_curvature(log_likelihood, theta, 1e-3))) ** -0.5


@mutant("06.3", hint="differences are rounding")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(_curvature(log_likelihood, theta, 1e-9 * abs(theta)))) ** -0.5


@mutant("06.3", hint="not negative")
def standard_error(log_likelihood, theta):  # noqa: F811
    return abs(_curvature(log_likelihood, theta, 1e-3 * abs(theta))) ** -0.5


@mutant("06.3", hint="not by 2 h squared")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(_curvature(log_likelihood, theta, 1e-3 * abs(theta))) / 2) ** -0.5


@mutant("06.3", hint="divided by h squared")
def standard_error(log_likelihood, theta):  # noqa: F811
    h = 1e-3 * abs(theta)
    return (-_refuse(_curvature(log_likelihood, theta, h)) * h) ** -0.5


@mutant("06.3", hint="at theta only")
def standard_error(log_likelihood, theta):  # noqa: F811
    return (-_refuse(-abs(log_likelihood(theta)))) ** -0.5


@mutant("06.3", hint="is not negative either")
def standard_error(log_likelihood, theta):  # noqa: F811
    c = _curvature(log_likelihood, theta, 1e-3 * abs(theta))
    if c > 0:
        raise ValueError("no maximum here")
    return (-min(c, -1e-300)) ** -0.5


@mutant("06.3", hint="")
def standard_error(log_likelihood, theta):  # noqa: F811
    """Steps of a tenth: too far for a law that is no parabola."""
    return (-_refuse(_curvature(log_likelihood, theta, 0.25 * abs(theta)))) ** -0.5


@mutant("06.3", hint="")
def standard_error(log_likelihood, theta):  # noqa: F811
    """A standard error for a mean over a hundred."""
    return (-_refuse(_curvature(log_likelihood, theta, 1e-3 * abs(theta)))) ** -0.5 / 10


@mutant("06.3", hint="take it relative")
def standard_error(log_likelihood, theta):  # noqa: F811
    """The step is relative only for positive parameters."""
    f, h = log_likelihood, 1e-3 * theta if theta > 0 else 1e-3
    curvature = (f(theta + h) - 2 * f(theta) + f(theta - h)) / h**2
    if curvature >= 0:
        raise ValueError("no maximum")
    return 1 / math.sqrt(-curvature)


@mutant("06.3", hint="differences are rounding")
def standard_error(log_likelihood, theta):  # noqa: F811
    f, h = log_likelihood, 1e-6 * abs(theta)
    curvature = (f(theta + h) - 2 * f(theta) + f(theta - h)) / h**2
    if curvature >= 0:
        raise ValueError("no maximum")
    return 1 / math.sqrt(-curvature)


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


@alternative("06.4")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    """Bits first, in Python's numbers."""
    sizes = [float(v) for v in batch_sizes]
    bits = [float(v) / math.log(2) / dims for v in batch_nll]
    mean = math.fsum(a * b for a, b in zip(bits, sizes, strict=True)) / math.fsum(sizes)
    return [mean, math.exp(mean * math.log(2))]


test_set_bpd.__test__ = False


@mutant("06.4", hint="divided by the dimensions twice")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = np.average(batch_nll, weights=batch_sizes) / dims
    return nats / dims / np.log(2), np.exp(nats)


@mutant("06.4", hint="summed over the images")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = (batch_nll * batch_sizes).sum() / dims
    return nats / np.log(2), np.exp(nats)


@mutant("06.4", hint="2 to the nats")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = np.average(batch_nll, weights=batch_sizes) / dims
    return nats / np.log(2), 2**nats


@mutant("06.4", hint="this multiplied")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    nats = np.average(batch_nll, weights=batch_sizes) / dims
    return nats * np.log(2), np.exp(nats)


@mutant("06.4", hint="")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    """All batches are as large as the first, but for the last."""
    sizes = np.full(len(batch_sizes), batch_sizes[0])
    sizes[-1] = batch_sizes[-1] + 1
    nats = np.average(batch_nll, weights=sizes) / dims
    return nats / np.log(2), np.exp(nats)


@mutant("06.4", hint="on a copy")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    batch_nll /= dims
    nats = np.average(batch_nll, weights=batch_sizes)
    return nats / np.log(2), np.exp(nats)


@mutant("06.4", hint="")
def test_set_bpd(batch_nll, batch_sizes, dims):  # noqa: F811
    """Sizes of eight bits: a batch of 300 counts as 44."""
    nats = np.average(batch_nll, weights=np.asarray(batch_sizes).astype(np.uint8)) / dims
    return nats / math.log(2), math.exp(nats)


# 06.5 train_in_time


@alternative("06.5")
def train_in_time(update, held_out, theta, patience):
    kept, costs = [np.array(theta)], [held_out(theta)]
    best = 0
    while len(costs) - 1 - best < patience:
        theta = update(theta)
        kept.append(np.array(theta))
        costs.append(held_out(theta))
        if costs[-1] < costs[best] or math.isnan(costs[best]) and not math.isnan(costs[-1]):
            best = len(costs) - 1
    return kept[best], len(costs) - 1


@alternative("06.5")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """nan is taken for infinity."""

    def judged(theta):
        cost = float(held_out(theta))
        return math.inf if cost != cost else cost

    best, low, left, steps = np.copy(theta), judged(theta), patience, 0
    while left:
        theta, steps = update(theta), steps + 1
        cost = judged(theta)
        if cost < low:
            best, low, left = np.copy(theta), cost, patience
        else:
            left -= 1
    return best.tolist(), steps


@alternative("06.5")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """By the list of all costs: stop when the best of them is patience steps old."""
    costs, best = [], theta.copy()
    while True:
        costs.append(np.nan_to_num(held_out(theta), nan=np.inf, posinf=np.inf))
        if int(np.argmin(costs)) == len(costs) - 1:
            best = theta.copy()
        if len(costs) - 1 - int(np.argmin(costs)) >= patience:
            return best, np.int64(len(costs) - 1)
        theta = update(theta)


def _train(update, held_out, theta, patience, *, copy=True, last=False, late=0, reset=True, previous=False, ties=False):
    best, cost, waited, steps = theta.copy() if copy else theta, held_out(theta), 0, 0
    before = cost
    nan = math.isnan
    while waited < patience + late:
        theta = update(theta)
        steps += 1
        now = held_out(theta)
        better = now <= cost if ties else now < cost
        if previous:
            better = now < before or nan(before) and not nan(now)
        elif nan(cost):
            better = not nan(now)
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


@mutant("06.5", hint="must not stay the best for ever")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """A nan at the start."""
    best, cost, waited, steps = theta.copy(), held_out(theta), 0, 0
    while waited < patience:
        theta = update(theta)
        steps += 1
        now = held_out(theta)
        if now < cost:
            best, cost, waited = theta.copy(), now, 0
        else:
            waited += 1
    return best, steps


@mutant("06.5", hint="nan is no improvement")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    best, cost, waited, steps = theta.copy(), held_out(theta), 0, 0
    while waited < patience:
        theta = update(theta)
        steps += 1
        now = held_out(theta)
        if not now >= cost:
            best, cost, waited = theta.copy(), now, 0
        else:
            waited += 1
    return best, steps


@mutant("06.5", hint="")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """The start is not judged."""
    best, cost, waited, steps = theta.copy(), math.inf, 0, 0
    while waited < patience:
        theta = update(theta)
        steps += 1
        now = held_out(theta)
        if now < cost:
            best, cost, waited = theta.copy(), now, 0
        else:
            waited += 1
    return best, steps


@mutant("06.5", hint="")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """The steps until the best, not those that were made."""
    kept = []

    def noting(theta):
        kept.append(held_out(theta))
        return kept[-1]

    best, _ = _train(update, noting, theta, patience)
    return best, int(np.argmin(np.nan_to_num(kept, nan=np.inf)))


@mutant("06.5", hint="")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """Counts the rises only."""
    best, cost, waited, steps = theta.copy(), held_out(theta), 0, 0
    while waited < patience:
        theta = update(theta)
        steps += 1
        now = held_out(theta)
        if now < cost or math.isnan(cost) and not math.isnan(now):
            best, cost, waited = theta.copy(), now, 0
        elif now > cost:
            waited += 1
    return best, steps


@mutant("06.5", hint="")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    """Gives up after a thousand steps."""
    now = theta.copy()
    best, low, waited, steps = now.copy(), held_out(now), 0, 0
    while waited < patience and steps < 1000:
        now, steps = update(now), steps + 1
        cost = held_out(now)
        if cost < low or (math.isnan(low) and not math.isnan(cost)):
            best, low, waited = now.copy(), cost, 0
        else:
            waited += 1
    return best, steps


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


@alternative("06.6")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    """A loop over examples and draws, one density at a time."""
    total = 0.0
    for row in np.asarray(x).tolist():
        for _ in range(draws):
            y = (np.array(row) + rng.uniform(0, 1, len(row))) / levels
            total += float(log_density(y[None])[0]) - len(row) * math.log(levels)
    return [-total / (len(x) * draws) / len(row) / math.log(2)]


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


@mutant("06.6", hint="log of the mean over the draws")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    """Of the draws of each example."""
    nats = np.array([log_density(y / levels) for y in _noise(x, draws, rng)])
    return _bpd(special.logsumexp(nats, axis=0) - math.log(draws), x, levels)


@mutant("06.6", hint="log of the mean over everything")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    nats = np.array([log_density(y / levels) for y in _noise(x, draws, rng)])
    return _bpd(np.log(np.mean(np.exp(nats))), x, levels)


@mutant("06.6", hint="draw the noise from rng")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    rng = np.random.default_rng(0)
    return _bpd([log_density(y / levels) for y in _noise(x, draws, rng)], x, levels)


@mutant("06.6", hint="")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    """Around the level, not above it."""
    return _bpd([log_density(((x + rng.random(x.shape) - 0.5) / levels) % 1) for _ in range(draws)], x, levels)


@mutant("06.6", hint="")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    """One draw, whatever was asked."""
    return _bpd([log_density(y / levels) for y in _noise(x, 1, rng)], x, levels)


@mutant("06.6", hint="in nats")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    return _bpd([log_density(y / levels) for y in _noise(x, draws, rng)], x, levels) * math.log(2)


@mutant("06.6", hint="a mean over the draws, not")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    nats = np.array([log_density(y / levels) for y in _noise(x, draws, rng)])
    return _bpd(nats.max(0), x, levels)


@mutant("06.6", hint="need not use all")
def dequantized_bpd(log_density, x, levels, draws, rng):  # noqa: F811
    """As many levels as were seen."""
    levels, dims = x.max() + 1, x.shape[1]
    total = np.mean([log_density((x + rng.random(x.shape)) / levels).mean() for _ in range(draws)])
    return (dims * math.log(levels) - total) / (dims * math.log(2))


@mutant("06.5", hint="stop at patience")
def train_in_time(update, held_out, theta, patience):  # noqa: F811
    best, least = theta.copy(), held_out(theta)
    while not np.isinf(least):  # ... until somebody presses Ctrl-C
        theta = update(theta)
        if held_out(theta) < least:
            best, least = np.copy(theta), held_out(theta)
    return best, 0
