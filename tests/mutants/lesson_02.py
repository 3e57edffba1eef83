"""Wrong and differently written answers to the exercises of lesson 02."""

import math

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from tests.mutants import alternative, mutant

# 02.1 histogram_density


@alternative("02.1")
def histogram_density(train, edges, x):
    out = np.zeros(len(x))
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        inside = (x >= a) & (x < b)
        out[inside] = np.mean((train >= a) & (train < b)) / (b - a)
    return out


def _histogram(train, edges, x, scale, outside=True, side="right"):
    counts, _ = np.histogram(train, bins=edges)
    values = scale(counts, np.diff(edges), len(train))
    index = np.searchsorted(edges, x, side=side) - 1
    out = values[np.clip(index, 0, len(values) - 1)]
    if outside:
        out = np.where((x >= edges[0]) & (x < edges[-1]), out, 0.0)
    return out


@mutant("02.1", hint="divide by its width")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c / n)


@mutant("02.1", hint="divide each by its own")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c / n / w[0])


@mutant("02.1", hint="outside all boxes the density is 0")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c / n / w, outside=False)


@mutant("02.1", hint="belongs to the box on its right")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c / n / w, side="left")


@mutant("02.1", hint="one number for each place")
def histogram_density(train, edges, x):  # noqa: F811
    return np.histogram(train, bins=edges, density=True)[0]


# 02.2 kde_log_density


@alternative("02.2")
def kde_log_density(x, points, h):
    out = []
    for place in x:
        logs = [stats.norm.logpdf(place, p, h).sum() for p in points]
        top = max(logs)
        out.append(top + math.log(np.mean([math.exp(v - top) for v in logs])))
    return np.array(out)


def _squares(x, points):
    return ((x[:, None] - points) ** 2).sum(2)


@mutant("02.2", hint="to the power D")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    return logsumexp(e, axis=1) - math.log(len(points)) - math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="exp underflowed")
def kde_log_density(x, points, h):  # noqa: F811
    with np.errstate(divide="ignore"):
        p = np.exp(-_squares(x, points) / (2 * h * h)).mean(1) / (h * math.sqrt(2 * math.pi)) ** points.shape[1]
        return np.log(p)


@mutant("02.2", hint="log of the sum")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    return logsumexp(e, axis=1) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="a mean of logs is not the log of a mean")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    return e.mean(1) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="its square stands in the exponent")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h)
    return logsumexp(e, axis=1) - math.log(len(points)) - points.shape[1] * 0.5 * math.log(2 * math.pi * h)


# 02.3 leave_one_out_score


@alternative("02.3")
def leave_one_out_score(points, h):
    scores = []
    for i in range(len(points)):
        others = np.delete(points, i, axis=0)
        logs = stats.norm.logpdf(points[i], others, h).sum(1)
        scores.append(logsumexp(logs) - math.log(len(others)))
    return float(np.mean(scores))


def _pairs(points, h):
    return -_squares(points, points) / (2 * h * h) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.3", hint="leave its own hill out")
def leave_one_out_score(points, h):  # noqa: F811
    return (logsumexp(_pairs(points, h), axis=1) - math.log(len(points))).mean()


@mutant("02.3", hint="divide by N - 1")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    return (logsumexp(e, axis=1) - math.log(len(points))).mean()


@mutant("02.3", hint="not every point at distance 0")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    e[_squares(points, points) == 0] = -np.inf
    with np.errstate(divide="ignore"):
        return (logsumexp(e, axis=1) - math.log(len(points) - 1)).mean()


@mutant("02.3", hint="work with logarithms throughout")
def leave_one_out_score(points, h):  # noqa: F811
    p = np.exp(_pairs(points, h))
    np.fill_diagonal(p, 0)
    with np.errstate(divide="ignore"):
        return np.log(p.sum(1) / (len(points) - 1)).mean()


@mutant("02.3", hint="take the mean")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    return (logsumexp(e, axis=1) - math.log(len(points) - 1)).sum()


@mutant("02.3", hint="leave it out before you add")
def leave_one_out_score(points, h):  # noqa: F811
    n, dims = points.shape
    hills = np.exp(-0.5 * ((points[:, None] - points) ** 2).sum(-1) / h**2)
    with np.errstate(divide="ignore"):
        others = np.log((hills.sum(1) - 1) / (n - 1))
    return np.mean(others - dims * math.log(h * math.sqrt(2 * math.pi)))


# 02.4 sample_histogram


@alternative("02.4")
def sample_histogram(edges, probabilities, u):
    out = np.empty(len(u))
    for i, v in enumerate(u):
        j, below = 0, 0.0
        while j < len(probabilities) - 1 and v >= below + probabilities[j]:
            below += probabilities[j]
            j += 1
        while probabilities[j] == 0:
            j -= 1
        out[i] = edges[j] + (v - below) / probabilities[j] * (edges[j + 1] - edges[j])
    return out


@mutant("02.4", hint="edges or middles")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    j = np.searchsorted(np.cumsum(probabilities)[:-1], u, side="right")
    return (edges[j] + edges[j + 1]) / 2


@mutant("02.4", hint="the probabilities were not used")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    return edges[0] + u * (edges[-1] - edges[0])


@mutant("02.4", hint="begins with 0 at the first edge")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    return np.interp(u, np.cumsum(probabilities), edges[1:])


@mutant("02.4", hint="sample i belongs to u[i]")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    return np.sort(np.interp(u, np.r_[0, np.cumsum(probabilities)], edges))


@mutant("02.4", hint="axes are swapped")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    return np.interp(u, edges, np.r_[0, np.cumsum(probabilities)])


@mutant("02.4", hint="no numbers of your own")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    rng = np.random.default_rng(0)
    box = rng.choice(len(probabilities), size=len(u), p=probabilities)
    return edges[box] + rng.random(len(u)) * np.diff(edges)[box]


# 02.5 sample_by_rejection


@alternative("02.5")
def sample_by_rejection(height, low, high, ceiling, n, rng):
    kept, got, proposed = [], 0, 0
    while got < n:
        x = low + (high - low) * rng.random((1024, len(low)))
        value = height(x)
        if np.max(value) > ceiling:
            raise ValueError("the ceiling is too low")
        good = x[rng.random(1024) < value / ceiling]
        kept.append(good)
        got, proposed = got + len(good), proposed + 1024
    return np.concatenate(kept)[:n], got / proposed


def _reject(height, low, high, ceiling, n, rng, keep, refuse=True, cut=False):
    samples, count, proposed = np.empty((0, len(low))), 0, 0
    while len(samples) < n:
        x = rng.uniform(low, high, size=(2 * n, len(low)))
        value = height(x)
        if refuse and (value > ceiling).any():
            raise ValueError("too high")
        good = x[keep(value, rng)]
        samples, count, proposed = np.concatenate([samples, good]), count + len(good), proposed + len(x)
    return samples[:n], (n if cut else count) / proposed


@mutant("02.5", hint="the top of the density would be cut off")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) * ceiling < v, refuse=False)


@mutant("02.5", hint="all proposals were kept")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: np.ones(len(v), bool))


@mutant("02.5", hint="count all that were kept")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) * ceiling < v, cut=True)


@mutant("02.5", hint="u uniform and new for each")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: v > 0.5 * ceiling)


@mutant("02.5", hint="squared")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) < (v / ceiling) ** 2)


# 02.6 count_parameters


@alternative("02.6")
def count_parameters(levels, dims, memory):
    m = min(memory, dims - 1)
    start = levels ** (m + 1) - 1  # the full table of the first m + 1
    return start + (dims - m - 1) * levels**m * (levels - 1)


@mutant("02.6", hint="L - 1 are free")
def count_parameters(levels, dims, memory):  # noqa: F811
    return sum(levels ** min(i, memory) * levels for i in range(dims))


@mutant("02.6", hint="fewer than `memory` before them")
def count_parameters(levels, dims, memory):  # noqa: F811
    return dims * levels**memory * (levels - 1)


@mutant("02.6", hint="floats have 53 bits")
def count_parameters(levels, dims, memory):  # noqa: F811
    return float(sum(levels ** min(i, memory) * (levels - 1) for i in range(dims)))


@mutant("02.6", hint="wrap around")
def count_parameters(levels, dims, memory):  # noqa: F811
    with np.errstate(over="ignore"):
        powers = np.int64(levels) ** np.minimum(np.arange(dims), memory)
        return ((levels - 1) * powers).sum()


@mutant("02.6", hint="that is the full table")
def count_parameters(levels, dims, memory):  # noqa: F811
    return levels**dims - 1


@mutant("02.6", hint="variable i has i variables before it")
def count_parameters(levels, dims, memory):  # noqa: F811
    first = sum((levels - 1) * levels**i for i in range(memory + 1))
    return first + (dims - memory - 1) * (levels - 1) * levels**memory
