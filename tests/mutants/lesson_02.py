"""Wrong and differently written answers to the exercises of lesson 02."""

import math

import numpy as np
import torch
from scipy import stats
from scipy.spatial.distance import cdist
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


@alternative("02.1")
def histogram_density(train, edges, x):  # noqa: F811
    heights, _ = np.histogram(train, bins=edges, density=True)
    heights = [0.0, *heights.tolist(), 0.0]
    return [heights[k] for k in np.digitize(x, edges)]


@alternative("02.1")
def histogram_density(train, edges, x):  # noqa: F811
    train, edges, x = (torch.tensor(v, dtype=torch.float64) for v in (train, edges, x))
    inside = (x[:, None] >= edges[:-1]) & (x[:, None] < edges[1:])  # (B, J)
    counts = ((train[:, None] >= edges[:-1]) & (train[:, None] < edges[1:])).sum(0)
    return (inside * (counts / len(train) / edges.diff())).sum(1).float()


@alternative("02.1")
def histogram_density(train, edges, x):  # noqa: F811
    whole = np.array([np.mean(train < e) for e in edges])  # the cumulative staircase at the edges
    slope = np.append(np.diff(whole) / np.diff(edges), 0.0)
    j = np.searchsorted(edges, x, side="right") - 1
    return np.where(j < 0, 0.0, slope[np.minimum(j, len(slope) - 1)])


@mutant("02.1", hint="the last edge belongs to a box on its right")
def histogram_density(train, edges, x):  # noqa: F811
    out = _histogram(train, edges, x, lambda c, w, n: c / n / w)
    return np.where(x == edges[-1], np.histogram(train, bins=edges, density=True)[0][-1], out)


@mutant("02.1", hint="not by that in x")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c / len(x) / w)


@mutant("02.1", hint="cut to whole numbers")
def histogram_density(train, edges, x):  # noqa: F811
    out = np.zeros_like(x)
    inside = (x >= edges[0]) & (x < edges[-1])
    out[inside] = _histogram(train, edges, x, lambda c, w, n: c / n / w)[inside]
    return out


@mutant("02.1", hint="left as they were")
def histogram_density(train, edges, x):  # noqa: F811
    train.sort()
    return _histogram(train, edges, x, lambda c, w, n: c / n / w)


@mutant("02.1", hint="nothing is added")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: (c + 1) / (c + 1).sum() / w)


@mutant("02.1", hint="those are counts")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c)


@mutant("02.1", hint="")
def histogram_density(train, edges, x):  # noqa: F811
    return _histogram(train, edges, x, lambda c, w, n: c / c.max())


@mutant("02.1", hint="in another order")
def histogram_density(train, edges, x):  # noqa: F811
    order = np.sort(x)  # right numbers, in the order of the line and not in that of x
    return _histogram(train, edges, order, lambda c, w, n: c / n / w)


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


@alternative("02.2")
def kde_log_density(x, points, h):  # noqa: F811
    square = torch.cdist(torch.tensor(x), torch.tensor(points), compute_mode="donot_use_mm_for_euclid_dist") ** 2
    logs = -square / (2 * h**2) - points.shape[1] * (math.log(h) + 0.5 * math.log(2 * math.pi))
    return (torch.logsumexp(logs, 1) - math.log(len(points))).float()


@alternative("02.2")
def kde_log_density(x, points, h):  # noqa: F811
    e = -cdist(x / h, points / h, "sqeuclidean") / 2
    top = e.max(axis=1, keepdims=True)
    out = top[:, 0] + np.log(np.exp(e - top).mean(axis=1))
    return (out - 0.5 * points.shape[1] * np.log(2 * np.pi * h**2)).tolist()


@alternative("02.2")
def kde_log_density(x, points, h):  # noqa: F811
    total = np.full(len(x), -np.inf)
    for p in points:
        total = np.logaddexp(total, stats.norm.logpdf(x, p, h).sum(1))
    return total - np.log(len(points))


@mutant("02.2", hint="its own largest exponent")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    with np.errstate(divide="ignore"):
        out = e.max() + np.log(np.exp(e - e.max()).mean(1))
    return out - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="no small constants")
def kde_log_density(x, points, h):  # noqa: F811
    p = np.exp(-_squares(x, points) / (2 * h * h)).mean(1) / (h * math.sqrt(2 * math.pi)) ** points.shape[1]
    return np.log(p + 1e-300)


@mutant("02.2", hint="never its power")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    with np.errstate(divide="ignore", over="ignore"):
        norm = np.float64(h * math.sqrt(2 * math.pi)) ** points.shape[1]
        return logsumexp(e, axis=1) - math.log(len(points)) - np.log(norm)


@mutant("02.2", hint="half the squared distance")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / h**2
    return logsumexp(e, axis=1) - math.log(len(points)) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="the squared distance stands")
def kde_log_density(x, points, h):  # noqa: F811
    e = -np.sqrt(_squares(x, points)) / (2 * h)
    return logsumexp(e, axis=1) - math.log(len(points)) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="that is the density")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    norm = points.shape[1] * math.log(h * math.sqrt(2 * math.pi))
    return np.exp(logsumexp(e, axis=1) - math.log(len(points)) - norm)


@mutant("02.2", hint="the wrong axis")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)
    return logsumexp(e, axis=0) - math.log(len(points)) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="left as they were")
def kde_log_density(x, points, h):  # noqa: F811
    x /= h
    points /= h
    e = -_squares(x, points) / 2
    return logsumexp(e, axis=1) - math.log(len(points)) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


@mutant("02.2", hint="")
def kde_log_density(x, points, h):  # noqa: F811
    e = -_squares(x, points) / (2 * h * h)  # the nearest point alone
    return e.max(1) - math.log(len(points)) - points.shape[1] * math.log(h * math.sqrt(2 * math.pi))


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


@alternative("02.3")
def leave_one_out_score(points, h):  # noqa: F811
    logs = torch.tensor(_pairs(points, h))
    logs = logs.masked_fill(torch.eye(len(points), dtype=torch.bool), -math.inf)
    return (torch.logsumexp(logs, 1) - math.log(len(points) - 1)).mean().float()


@alternative("02.3")
def leave_one_out_score(points, h):  # noqa: F811
    n = len(points)
    others = _pairs(points, h)[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    top = others.max(1)
    return np.mean(top + np.log(np.exp(others - top[:, None]).mean(1)))


@alternative("02.3")
def leave_one_out_score(points, h):  # noqa: F811
    total = 0.0
    for i, p in enumerate(points):
        score = -math.inf
        for j, o in enumerate(points):
            if i != j:
                score = np.logaddexp(score, sum(stats.norm.logpdf(a, b, h) for a, b in zip(p, o, strict=True)))
        total += score - math.log(len(points) - 1)
    return [total / len(points)]


@mutant("02.3", hint="its own largest exponent")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    with np.errstate(divide="ignore"):
        return (e.max() + np.log(np.exp(e - e.max()).sum(1) / (len(points) - 1))).mean()


@mutant("02.3", hint="no small constants")
def leave_one_out_score(points, h):  # noqa: F811
    p = np.exp(_pairs(points, h))
    np.fill_diagonal(p, 0)
    return np.log(p.sum(1) / (len(points) - 1) + 1e-300).mean()


@mutant("02.3", hint="to the power D")
def leave_one_out_score(points, h):  # noqa: F811
    e = -_squares(points, points) / (2 * h * h) - math.log(h * math.sqrt(2 * math.pi))
    np.fill_diagonal(e, -np.inf)
    return (logsumexp(e, axis=1) - math.log(len(points) - 1)).mean()


@mutant("02.3", hint="the median of the scores")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    return np.median(logsumexp(e, axis=1) - math.log(len(points) - 1))


@mutant("02.3", hint="the nearest neighbour's hill alone")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    return e.max(1).mean()


@mutant("02.3", hint="one score for each point")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    return logsumexp(e, axis=1) - math.log(len(points) - 1)


@mutant("02.3", hint="log first, then average")
def leave_one_out_score(points, h):  # noqa: F811
    e = _pairs(points, h)
    np.fill_diagonal(e, -np.inf)
    return logsumexp(e) - math.log(len(points) * (len(points) - 1))


@mutant("02.3", hint="never its power")
def leave_one_out_score(points, h):  # noqa: F811
    e = -_squares(points, points) / (2 * h * h)
    np.fill_diagonal(e, -np.inf)
    with np.errstate(divide="ignore", over="ignore"):
        norm = np.log(np.float64(h * math.sqrt(2 * math.pi)) ** points.shape[1])
    return (logsumexp(e, axis=1) - math.log(len(points) - 1)).mean() - norm


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


@alternative("02.4")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    keep = probabilities > 0
    reached = np.concatenate([[0], np.cumsum(probabilities[keep])])
    j = np.clip(np.searchsorted(reached, u, side="right") - 1, 0, keep.sum() - 1)
    rest = (u - reached[j]) / probabilities[keep][j]
    return (edges[:-1][keep][j] + rest * np.diff(edges)[keep][j]).astype(np.float32)


@alternative("02.4")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    low, high = np.full(len(u), edges[0]), np.full(len(u), edges[-1])  # by bisection of the cumulative curve
    reached = np.r_[0, np.cumsum(probabilities)]
    for _ in range(60):
        middle = (low + high) / 2
        below = np.interp(middle, edges, reached) < u
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return list(low)


@mutant("02.4", hint="1 - u")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    return np.interp(1 - u, np.r_[0, np.cumsum(probabilities)], edges)


@mutant("02.4", hint="different widths")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    reached = np.r_[0, np.cumsum(probabilities)]
    return np.interp(u, reached, edges[0] + (edges[1] - edges[0]) * np.arange(len(edges)))


@mutant("02.4", hint="the rest of u that counts")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    reached = np.r_[0, np.cumsum(probabilities)]
    j = np.clip(np.searchsorted(reached, u, side="right") - 1, 0, len(probabilities) - 1)
    return edges[j] + u * np.diff(edges)[j]


@mutant("02.4", hint="divide by it")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    reached = np.r_[0, np.cumsum(probabilities)]
    j = np.clip(np.searchsorted(reached, u, side="right") - 1, 0, len(probabilities) - 1)
    return edges[j] + (u - reached[j]) * np.diff(edges)[j]


@mutant("02.4", hint="left as they were")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    u *= probabilities.sum()
    np.cumsum(probabilities, out=probabilities)
    return np.interp(u, np.r_[0, probabilities], edges)


@mutant("02.4", hint="edges or middles")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    return edges[np.searchsorted(np.cumsum(probabilities)[:-1], u, side="right")]


@mutant("02.4", hint="")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    safe = probabilities + 1e-3  # every box gets a little
    return np.interp(u, np.r_[0, np.cumsum(safe / safe.sum())], edges)


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


@alternative("02.5")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    kept, proposed, current = [], 0, None
    while len(kept) < n:  # height is asked about each proposal twice, and once more about the sample before it
        x = low + (high - low) * rng.random((500, len(low)))
        if (height(x) > ceiling).any() or (current is not None and height(current) > ceiling):
            raise ValueError("the ceiling is too low")
        keep = rng.random(500) * ceiling < height(x)
        kept, proposed = [*kept, *x[keep]], proposed + 500
        current = kept[-1][None] if kept else None
    return np.array(kept[:n]), len(kept) / proposed


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


@mutant("02.5", hint="count all that were kept")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    def twice(x):
        height(x)
        return height(x)

    return _reject(twice, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) * ceiling < v, cut=True)


@mutant("02.5", hint="a u of its own")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: v > 0.5 * ceiling)


@mutant("02.5", hint="squared")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) < (v / ceiling) ** 2)


@alternative("02.5")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    samples, proposed = [], 0
    while len(samples) < n:  # one at a time
        x = low + (high - low) * rng.random(len(low))
        value = height(x[None])[0]
        if value > ceiling:
            raise ValueError("too high")
        proposed += 1
        if rng.random() * ceiling < value:
            samples.append(x)
    return np.array(samples), n / proposed


@alternative("02.5")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    out, proposed, kept, size = np.zeros((n, len(low)), np.float32), 0, 0, 10
    while kept < n:
        x = np.column_stack([rng.uniform(a, b, size) for a, b in zip(low, high, strict=True)])
        value = height(x)
        if not (value <= ceiling).all():
            raise ValueError("the ceiling is lower than the height")
        good = x[rng.binomial(1, value / ceiling).astype(bool)]
        room = out[kept : kept + len(good)]
        room[:] = good[: len(room)]
        kept, proposed = kept + len(good), proposed + size
        size = min(2 * size, 500)
    return [out.tolist(), float(kept / proposed)]


@alternative("02.5")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x = rng.uniform(low, high, size=(200 + 3 * n, len(low)))
    value = height(x)
    if value.max() > ceiling:
        raise ValueError("too high")
    good = x[value >= rng.uniform(0, ceiling, len(x))]
    if len(good) >= n:
        return good[:n], len(good) / len(x)
    more, share = sample_by_rejection_again(height, low, high, ceiling, n - len(good), rng)
    proposed = round((n - len(good)) / share)
    return np.concatenate([good, more]), n / (len(x) + proposed)


def sample_by_rejection_again(height, low, high, ceiling, n, rng):
    samples, proposed = [], 0
    while len(samples) < n:
        x, proposed = rng.uniform(low, high)[None], proposed + 1
        value = height(x)[0]
        if value > ceiling:
            raise ValueError("too high")
        if rng.random() * ceiling < value:
            samples.append(x[0])
    return np.array(samples), n / proposed


def _plain(value, ceiling, rng):
    return rng.random(len(value)) * ceiling < value


@mutant("02.5", hint="not by the greatest height")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, v.max(), r))


@mutant("02.5", hint="the top of the density would be cut off")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    if height(rng.uniform(low, high, size=(500, len(low)))).mean() > ceiling:
        raise ValueError("too high")
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r), refuse=False)


@mutant("02.5", hint="height may touch the ceiling")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x = rng.uniform(low, high, size=(1000, len(low)))
    if (height(x) >= ceiling).any():
        raise ValueError("too high")
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))


@mutant("02.5", hint="a seed is fixed inside")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    rng = np.random.default_rng(0)
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))


@mutant("02.5", hint="from nothing else")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, np.random.default_rng(), lambda v, r: _plain(v, ceiling, r))


@mutant("02.5", hint="each is drawn anew")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x, share = _reject(height, low, high, ceiling, n // 2, rng, lambda v, r: _plain(v, ceiling, r))
    return np.resize(x, (n, len(low))), share


@mutant("02.5", hint="are they sorted?")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x, share = _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))
    return x[np.argsort(x[:, 0])], share


@mutant("02.5", hint="a u of its own")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x, share = _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))
    return np.column_stack([rng.permutation(column) for column in x.T]), share  # right one by one, not together


@mutant("02.5", hint="proposed / kept")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x, share = _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))
    return x, 1 / share


@mutant("02.5", hint="raise ValueError(...) yourself")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    def keep(value, rng):
        assert (value <= ceiling).all()
        return _plain(value, ceiling, rng)

    return _reject(height, low, high, ceiling, n, rng, keep, refuse=False)


@mutant("02.5", hint="root of the height")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) ** 2 * ceiling < v)


@mutant("02.5", hint="with a u in")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low - 1, high + 1, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))


@mutant("02.5", hint="cut off what is too many")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x = rng.uniform(low, high, size=(n, len(low)))
    value = height(x)
    good = x[_plain(value, ceiling, rng)]
    return good, len(good) / n


@mutant("02.5", hint="a u of its own")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    samples, count, proposed = np.empty((0, len(low))), 0, 0
    while len(samples) < n:  # one u for a whole batch
        x = rng.uniform(low, high, size=(200, len(low)))
        value = height(x)
        if (value > ceiling).any():
            raise ValueError("too high")
        good = x[rng.random() * ceiling < value]
        samples, count, proposed = np.concatenate([samples, good]), count + len(good), proposed + len(x)
    return samples[:n], count / proposed


@mutant("02.5", hint="each is drawn anew")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x = rng.uniform(low, high, size=(20 * n, len(low)))
    value = height(x)
    if (value > ceiling).any():
        raise ValueError("too high")
    return x[rng.choice(len(x), n, p=value / value.sum())], (_plain(value, ceiling, rng)).mean()


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


@alternative("02.6")
def count_parameters(levels, dims, memory):  # noqa: F811
    total, tables = 0, 1
    for i in range(dims):
        total += tables * (levels - 1)
        if i < memory:
            tables *= levels
    return total


@alternative("02.6")
def count_parameters(levels, dims, memory):  # noqa: F811
    if memory >= dims - 1:
        return pow(levels, dims) - 1
    return count_parameters_of_a_chain(levels, dims, memory)


def count_parameters_of_a_chain(levels, dims, memory):
    if dims == 1:
        return levels - 1
    before = count_parameters_of_a_chain(levels, dims - 1, memory)
    return before + (levels - 1) * int(levels) ** min(dims - 1, memory)


@mutant("02.6", hint="nearly")
def count_parameters(levels, dims, memory):  # noqa: F811
    return int(sum(float(levels) ** min(i, memory) * (levels - 1) for i in range(dims)))


@mutant("02.6", hint="wrap around")
def count_parameters(levels, dims, memory):  # noqa: F811
    with np.errstate(over="ignore"):
        powers = np.int64(levels) ** np.minimum(np.arange(dims), memory)
        return int(((levels - 1) * powers).sum())


@mutant("02.6", hint="how many tables there are")
def count_parameters(levels, dims, memory):  # noqa: F811
    return sum(levels ** min(i, memory) for i in range(dims))


@mutant("02.6", hint="no part of its memory")
def count_parameters(levels, dims, memory):  # noqa: F811
    return (levels - 1) * sum(levels ** min(i, memory + 1) for i in range(dims))


@mutant("02.6", hint="the others have tables")
def count_parameters(levels, dims, memory):  # noqa: F811
    return levels ** (memory + 1) - 1


@mutant("02.6", hint="not L + L")
def count_parameters(levels, dims, memory):  # noqa: F811
    return (levels - 1) * sum(levels * min(i, memory) if i and memory else 1 for i in range(dims))


@mutant("02.6", hint="the first variables have tables")
def count_parameters(levels, dims, memory):  # noqa: F811
    return (levels - 1) * sum(levels ** min(i, memory) for i in range(1, dims))


@mutant("02.6", hint="variable i has i")
def count_parameters(levels, dims, memory):  # noqa: F811
    return (levels - 1) * sum(levels ** min(i + 1, memory) for i in range(dims))


# At the points, in pairs, and given up --------------------------------------------------------------------------------


@mutant("02.2", hint="nothing is left out")
def kde_log_density(x, points, h):  # noqa: F811
    square = ((x[:, None] - points) ** 2).sum(2)
    log_kernel = np.where(square == 0, -np.inf, -square / (2 * h * h))
    norm = math.log(len(points)) + points.shape[1] * math.log(h * math.sqrt(2 * math.pi))
    return logsumexp(log_kernel, axis=1) - norm


def _rejection(height, low, high, ceiling, n, rng, batch, unit, dart):
    found, total, kept = [], 0, 0
    while kept < n:
        x = low + (high - low) * unit(batch, len(low))
        density = height(x)
        if (density > ceiling).any():
            raise ValueError("the ceiling is too low")
        keep = dart(batch) * ceiling < density
        found.append(x[keep])
        total, kept = total + batch, kept + int(keep.sum())
    return np.concatenate(found)[:n], kept / total


@mutant("02.5", hint="u of its own")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    def dart(n):
        return np.sort(rng.random(n))

    return _rejection(height, low, high, ceiling, n, rng, 4096, lambda *s: rng.random(s), dart)


@mutant("02.5", hint="drawn anew")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    def mirrored(n, d):
        u = rng.random((n // 2, d))
        return np.stack([u, 1 - u], 1).reshape(-1, d)

    return _rejection(height, low, high, ceiling, n, rng, 256, mirrored, rng.random)


@mutant("02.5", hint="leave to chance")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    def dart(n):
        return (rng.permutation(n) + 0.5) / n

    return _rejection(height, low, high, ceiling, n, rng, 256, lambda *s: rng.random(s), dart)


@mutant("02.5", hint="keep proposing")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x = low + (high - low) * rng.random((60 * n, len(low)))
    density = height(x)
    if (density > ceiling).any():
        raise ValueError("the ceiling is too low")
    keep = rng.random(60 * n) * ceiling < density
    return x[keep][:n], keep.mean()


@mutant("02.4", hint="")
def sample_histogram(edges, probabilities, u):  # noqa: F811
    p = (probabilities + 0.02) / (probabilities + 0.02).sum()  # smoothed, as if nothing were impossible
    return np.interp(u, np.r_[0, np.cumsum(p)], edges)


@mutant("02.5", hint="divide by how many were proposed")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    made = []
    x, share = _reject(
        lambda x: made.append(len(x)) or height(x), low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r)
    )
    return x, share * sum(made)


@mutant("02.5", hint="thrown away")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    x, share = _reject(height, low, high, ceiling, n, rng, lambda v, r: _plain(v, ceiling, r))
    return x, 1 - share


@mutant("02.5", hint="mistaken for none")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    return _reject(height, low, high, ceiling, n, rng, lambda v, r: r.random(len(v)) * ceiling > 2 * ceiling - v)


@mutant("02.5", hint="proposals of shape (B, D)")
def sample_by_rejection(height, low, high, ceiling, n, rng):  # noqa: F811
    samples, proposed = [], 0
    while len(samples) < n:
        x, proposed = rng.uniform(low, high), proposed + 1
        if rng.random() * ceiling < height(x):
            samples.append(x)
    return np.array(samples), n / proposed
