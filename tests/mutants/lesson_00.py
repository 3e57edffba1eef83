"""Wrong and differently written answers to the exercises of lesson 00."""

import math
from collections import Counter

import numpy as np
import torch

from tests.mutants import alternative, mutant

# 00.1 fair_die


@alternative("00.1")
def fair_die(faces):
    return [1 / faces] * faces


@mutant("00.1", hint="the probability of one face")
def fair_die(faces):  # noqa: F811
    return 1 / faces


@mutant("00.1", hint="divide")
def fair_die(faces):  # noqa: F811
    return np.ones(faces)


@mutant("00.1", hint="six faces")
def fair_die(faces):  # noqa: F811
    return np.full(6, 1 / 6)


@mutant("00.1", hint="percentages")
def fair_die(faces):  # noqa: F811
    return np.full(faces, 100 / faces)


@mutant("00.1", hint="these sum to 2")
def fair_die(faces):  # noqa: F811
    return np.full(faces, 2 / faces)


@mutant("00.1", hint="not a column")
def fair_die(faces):  # noqa: F811
    return np.full((faces, 1), 1 / faces)


@alternative("00.1")
def fair_die(faces):  # noqa: F811
    return torch.ones(faces) / faces


@alternative("00.1")
def fair_die(faces):  # noqa: F811
    return np.array([1.0 / faces for _ in range(faces)], dtype=np.float32)


@alternative("00.1")
def fair_die(faces):  # noqa: F811
    edges = np.linspace(0, 1, faces + 1)
    return tuple(edges[1:] - edges[:-1])


@mutant("00.1", hint="does // stand")
def fair_die(faces):  # noqa: F811
    return [1 // (faces + 1)] * faces


@mutant("00.1", hint="one too many")
def fair_die(faces):  # noqa: F811
    return np.full(faces + 1, 1 / (faces + 1))


@mutant("00.1", hint="adds up as it goes")
def fair_die(faces):  # noqa: F811
    return np.cumsum(np.full(faces, 1 / faces))


@mutant("00.1", hint="")
def fair_die(faces):  # noqa: F811
    weights = np.random.default_rng(0).random(faces) + np.arange(faces)  # sums to 1, and is not fair
    return weights / weights.sum() if faces > 1 else [1.0]


@mutant("00.1", hint="these sum to")
def fair_die(faces):  # noqa: F811
    return np.round(np.full(faces, 1 / faces), 2)


# 00.2 learn_table


@alternative("00.2")
def learn_table(rolls, faces, extra):
    counts = [extra + sum(1 for r in rolls if r == f) for f in range(faces)]
    return [c / sum(counts) for c in counts]


@mutant("00.2", hint="minlength")
def learn_table(rolls, faces, extra):  # noqa: F811
    counts = np.bincount(rolls) + extra
    return counts / counts.sum()


@mutant("00.2", hint="grew by faces * extra")
def learn_table(rolls, faces, extra):  # noqa: F811
    return (np.bincount(rolls, minlength=faces) + extra) / len(rolls)


@mutant("00.2", hint="not to the probabilities")
def learn_table(rolls, faces, extra):  # noqa: F811
    return np.bincount(rolls, minlength=faces) / len(rolls) + extra


@mutant("00.2", hint="the extra is missing")
def learn_table(rolls, faces, extra):  # noqa: F811
    return np.bincount(rolls, minlength=faces) / max(1, len(rolls))


@mutant("00.2", hint="np.histogram cuts")
def learn_table(rolls, faces, extra):  # noqa: F811
    return (np.histogram(rolls, bins=faces)[0] + extra) / (len(rolls) + faces * extra)


@alternative("00.2")
def learn_table(rolls, faces, extra):  # noqa: F811
    weight = np.full(faces, float(extra))
    np.add.at(weight, rolls, 1.0)
    return (weight / weight.sum()).astype(np.float32)


@alternative("00.2")
def learn_table(rolls, faces, extra):  # noqa: F811
    came = Counter(rolls.tolist())
    return [(came[f] + extra) / (len(rolls) + faces * extra) for f in range(faces)]


@alternative("00.2")
def learn_table(rolls, faces, extra):  # noqa: F811
    hot = torch.nn.functional.one_hot(torch.tensor(rolls, dtype=torch.long), faces).double().sum(0) + extra
    return hot / hot.sum()


@mutant("00.2", hint="need not be 1")
def learn_table(rolls, faces, extra):  # noqa: F811
    counts = np.bincount(rolls, minlength=faces) + 1
    return counts / counts.sum() if extra else np.bincount(rolls, minlength=faces) / len(rolls)


@mutant("00.2", hint="also those that came")
def learn_table(rolls, faces, extra):  # noqa: F811
    counts = np.bincount(rolls, minlength=faces).astype(float)
    counts[counts == 0] = extra
    return counts / counts.sum()


@mutant("00.2", hint="minlength")
def learn_table(rolls, faces, extra):  # noqa: F811
    counts = np.unique(rolls, return_counts=True)[1] + extra
    return counts / counts.sum()


@mutant("00.2", hint="those are counts")
def learn_table(rolls, faces, extra):  # noqa: F811
    return np.bincount(rolls, minlength=faces) + extra


@mutant("00.2", hint="once for each face")
def learn_table(rolls, faces, extra):  # noqa: F811
    return (np.bincount(rolls, minlength=faces) + extra) / (len(rolls) + extra)


@mutant("00.2", hint="not to the probabilities")
def learn_table(rolls, faces, extra):  # noqa: F811
    share = np.bincount(rolls, minlength=faces) / max(len(rolls), 1) + extra
    return share / share.sum()


@mutant("00.2", hint="left as they were")
def learn_table(rolls, faces, extra):  # noqa: F811
    rolls.sort()
    counts = np.bincount(rolls, minlength=faces) + extra
    return counts / counts.sum()


@mutant("00.2", hint="0/0 is nan")
def learn_table(rolls, faces, extra):  # noqa: F811
    if len(rolls) == 0:
        return np.full(faces, np.nan)
    counts = np.bincount(rolls, minlength=faces) + extra
    return counts / counts.sum()


@mutant("00.2", hint="also if it is 0")
def learn_table(rolls, faces, extra):  # noqa: F811
    counts = np.bincount(rolls, minlength=faces) + max(extra, 1e-6)
    return counts / counts.sum()


# 00.3 roll


@alternative("00.3")
def roll(p, n, rng):
    return np.searchsorted(np.cumsum(p)[:-1], rng.random(n), side="right")


@mutant("00.3", hint="p was not used")
def roll(p, n, rng):  # noqa: F811
    return rng.integers(len(p), size=n)


@mutant("00.3", hint="The first face is 0")
def roll(p, n, rng):  # noqa: F811
    return rng.choice(len(p), size=n, p=p) + 1


@mutant("00.3", hint="draw from rng")
def roll(p, n, rng):  # noqa: F811
    return np.random.choice(len(p), size=n, p=p)  # noqa: NPY002


@mutant("00.3", hint="a seed is fixed inside")
def roll(p, n, rng):  # noqa: F811
    return np.random.default_rng(0).choice(len(p), size=n, p=p)


@mutant("00.3", hint="sorted")
def roll(p, n, rng):  # noqa: F811
    return np.sort(rng.choice(len(p), size=n, p=p))


@mutant("00.3", hint="not its probability")
def roll(p, n, rng):  # noqa: F811
    return p[rng.choice(len(p), size=n, p=p)]


@mutant("00.3", hint="counts of the faces")
def roll(p, n, rng):  # noqa: F811
    return rng.multinomial(n, p)


@mutant("00.3", hint="say where it stands")
def roll(p, n, rng):  # noqa: F811
    return rng.multinomial(1, p, size=n)


@alternative("00.3")
def roll(p, n, rng):  # noqa: F811
    return [int(rng.multinomial(1, p).argmax()) for _ in range(n)]


@alternative("00.3")
def roll(p, n, rng):  # noqa: F811
    with np.errstate(divide="ignore"):
        return np.argmax(np.log(p) + rng.gumbel(size=(n, len(p))), axis=1).astype(np.float32)


@alternative("00.3")
def roll(p, n, rng):  # noqa: F811
    counts = rng.multinomial(n, p)  # how many of each, then their order
    return rng.permutation(np.repeat(np.arange(len(p)), counts))


@mutant("00.3", hint="fixed in advance")
def roll(p, n, rng):  # noqa: F811
    counts = np.floor(n * p).astype(int)
    counts[p.argmax()] += n - counts.sum()
    return rng.permutation(np.repeat(np.arange(len(p)), counts))


@mutant("00.3", hint="fixed in advance")
def roll(p, n, rng):  # noqa: F811
    u = (rng.permutation(n) + rng.random(n)) / n  # one in each n-th part of the line
    return np.minimum(np.searchsorted(np.cumsum(p), u, side="right"), len(p) - 1)


@mutant("00.3", hint="made from the first")
def roll(p, n, rng):  # noqa: F811
    u = rng.random((n + 1) // 2)
    u = np.concatenate([u, 1 - u])[:n]
    return np.minimum(np.searchsorted(np.cumsum(p), u, side="right"), len(p) - 1)


@mutant("00.3", hint="made from the first")
def roll(p, n, rng):  # noqa: F811
    return np.resize(rng.choice(len(p), size=(n + 1) // 2, p=p), n)


@mutant("00.3", hint="hangs on the one before")
def roll(p, n, rng):  # noqa: F811
    x = rng.choice(len(p), size=n, p=p)
    stay = rng.random(n) < 0.3
    for i in range(1, n):
        if stay[i]:
            x[i] = x[i - 1]
    return x


@mutant("00.3", hint="hangs on the one before")
def roll(p, n, rng):  # noqa: F811
    x = rng.choice(len(p), size=n, p=p)
    stay = rng.random(n) < 0.05
    for i in range(1, n):
        if stay[i]:
            x[i] = x[i - 1]
    return x


@mutant("00.3", hint="drawn anew")
def roll(p, n, rng):  # noqa: F811
    x = rng.choice(len(p), size=n, p=p)
    again = (rng.random(n) < 0.5) & (x == np.roll(x, 1))  # as people do who make up rolls: few repeats
    return np.where(again, rng.choice(len(p), size=n, p=p), x)


@mutant("00.3", hint="left as they were")
def roll(p, n, rng):  # noqa: F811
    np.cumsum(p, out=p)
    return np.minimum(np.searchsorted(p, rng.random(n), side="right"), len(p) - 1)


@mutant("00.3", hint="")
def roll(p, n, rng):  # noqa: F811
    return np.full(n, np.argmax(p))


@mutant("00.3", hint="")
def roll(p, n, rng):  # noqa: F811
    return rng.choice(len(p), size=n, p=p**2 / (p**2).sum())


@mutant("00.3", hint="no generator of your own")
def roll(p, n, rng):  # noqa: F811
    return np.random.default_rng(int(rng.integers(10))).choice(len(p), n, p=p)


# 00.4 average_surprise


@alternative("00.4")
def average_surprise(q, rolls):
    total = 0.0
    for r in rolls:
        total += math.inf if q[r] == 0 else -math.log(q[r])
    return total / len(rolls)


@mutant("00.4", hint="bits")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log2(q[rolls]).mean()


@mutant("00.4", hint="the sum")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log(q[rolls]).sum()


@mutant("00.4", hint="log first, then average")
def average_surprise(q, rolls):  # noqa: F811
    return -np.log(q[rolls].mean())


@mutant("00.4", hint="no small constants")
def average_surprise(q, rolls):  # noqa: F811
    return -np.log(q[rolls] + 1e-12).mean()


@mutant("00.4", hint="its entropy")
def average_surprise(q, rolls):  # noqa: F811
    return -(q * np.log(q)).sum()


@mutant("00.4", hint="math.log(0) raises")
def average_surprise(q, rolls):  # noqa: F811
    return -sum(math.log(q[r]) for r in rolls) / len(rolls)


@alternative("00.4")
def average_surprise(q, rolls):  # noqa: F811
    share = np.bincount(rolls, minlength=len(q)) / len(rolls)
    came = share > 0
    return math.inf if (q[came] == 0).any() else -(share[came] @ np.log(q[came]))


@alternative("00.4")
def average_surprise(q, rolls):  # noqa: F811
    return torch.nn.functional.nll_loss(torch.log(torch.tensor(q))[None].repeat(len(rolls), 1), torch.tensor(rolls))


@alternative("00.4")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return [np.mean([np.float32(np.log2(1 / q[r])) for r in rolls]) * math.log(2)]


@mutant("00.4", hint="underflows")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log(np.prod(q[rolls])) / len(rolls)


@mutant("00.4", hint="0 * log 0")
def average_surprise(q, rolls):  # noqa: F811
    share = np.bincount(rolls, minlength=len(q)) / len(rolls)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = -share * np.log(q)
    return math.inf if ((share > 0) & (q == 0)).any() else each.sum()


@mutant("00.4", hint="base 10")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log10(q[rolls]).mean()


@mutant("00.4", hint="the median")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return np.median(-np.log(q[rolls]))


@mutant("00.4", hint="no leaving out")
def average_surprise(q, rolls):  # noqa: F811
    came = q[rolls]
    return -np.log(came[came > 0]).mean()


@mutant("00.4", hint="what comes often counts often")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log(q[np.unique(rolls)]).mean()


@mutant("00.4", hint="minus the logarithm")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return np.log(q[rolls]).mean()


@mutant("00.4", hint="what comes often counts often")
def average_surprise(q, rolls):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log(q).mean()


@mutant("00.4", hint="only what came")
def average_surprise(q, rolls):  # noqa: F811
    return np.inf if (q == 0).any() else -np.log(q[rolls]).mean()


# 00.5 choose_extra


def _table(rolls, faces, extra):
    counts = np.bincount(rolls, minlength=faces) + extra
    return counts / counts.sum()


def _cost(table, rolls):
    with np.errstate(divide="ignore"):
        return -np.log(table[rolls]).mean()


@alternative("00.5")
def choose_extra(train, validation, faces, candidates):
    ordered = sorted(candidates, reverse=True)
    costs = np.round([_cost(_table(train, faces, e), validation) for e in ordered], 12)
    best = ordered[int(np.argmin(costs))]
    return best, _table(train, faces, best)


@mutant("00.5", hint="judge by the validation rolls")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = min(candidates, key=lambda e: _cost(_table(train, faces, e), train))
    return best, _table(train, faces, best)


@mutant("00.5", hint="they may only choose")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = min(candidates, key=lambda e: (round(_cost(_table(train, faces, e), validation), 12), -e))
    return best, _table(np.concatenate([train, validation]), faces, best)


@mutant("00.5", hint="most surprised")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = max(candidates, key=lambda e: _cost(_table(train, faces, e), validation))
    return best, _table(train, faces, best)


@mutant("00.5", hint="take the larger")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = min(sorted(candidates), key=lambda e: round(_cost(_table(train, faces, e), validation), 12))
    return best, _table(train, faces, best)


@mutant("00.5", hint="take the larger")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best, lowest = candidates[0], math.inf
    for extra in candidates:
        cost = round(_cost(_table(train, faces, extra), validation), 12)
        if cost <= lowest:
            best, lowest = extra, cost
    return best, _table(train, faces, best)


@mutant("00.5", hint="return extra, table")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = min(candidates, key=lambda e: (round(_cost(_table(train, faces, e), validation), 12), -e))
    return _table(train, faces, best), best


@alternative("00.5")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    came = np.bincount(validation, minlength=faces)
    best, lowest, chosen = None, math.inf, None
    for extra in sorted(candidates)[::-1]:
        table = np.array([np.sum(train == f) + extra for f in range(faces)]) / (len(train) + faces * extra)
        cost = sum(c * (-math.log(t) if t else math.inf) for c, t in zip(came, table, strict=True) if c)
        if best is None or cost < lowest * (1 - 1e-9):
            best, lowest, chosen = extra, cost, table.astype(np.float32)
    return [best, chosen.tolist()]


@alternative("00.5")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    tables = {e: _table(train, faces, e) for e in candidates}
    lowest = min(_cost(t, validation) for t in tables.values())
    best = max(e for e, t in tables.items() if np.isclose(_cost(t, validation), lowest, rtol=1e-9))
    return np.float64(best), torch.tensor(tables[best])


@alternative("00.5")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    extras = np.sort(np.asarray(candidates, dtype=float))[::-1]
    tables = np.bincount(train, minlength=faces) + extras[:, None]  # (candidates, faces)
    tables /= tables.sum(1, keepdims=True)
    with np.errstate(divide="ignore"):
        k = np.log(tables[:, validation]).sum(1).argmax()  # the first of equals, which is the larger
    return extras[k], tables[k]


@mutant("00.5", hint="0 is a candidate")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    some = [e for e in candidates if e > 0]
    best = min(some, key=lambda e: (round(_cost(_table(train, faces, e), validation), 12), -e))
    return best, _table(train, faces, best)


@mutant("00.5", hint="its place in the list")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    costs = [round(_cost(_table(train, faces, e), validation), 12) for e in candidates]
    k = int(np.argmin(costs))
    return k, _table(train, faces, candidates[k])


@mutant("00.5", hint="learned with another candidate")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = min(candidates, key=lambda e: (round(_cost(_table(train, faces, e), validation), 12), -e))
    return best, _table(train, faces, candidates[-1])


@mutant("00.5", hint="left as they were")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    candidates.sort(reverse=True)
    best = min(candidates, key=lambda e: round(_cost(_table(train, faces, e), validation), 12))
    return best, _table(train, faces, best)


@mutant("00.5", hint="")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    middle = sorted(candidates)[len(candidates) // 2]  # neither the best nor the worst, whatever came
    return middle, _table(train, faces, middle)


@mutant("00.5", hint="divide by their sum")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    best = min(candidates, key=lambda e: (round(_cost(_table(train, faces, e), validation), 12), -e))
    return best, np.bincount(train, minlength=faces) + best


@mutant("00.5", hint="calls something impossible")
def choose_extra(train, validation, faces, candidates):  # noqa: F811
    def table(extra):
        counts = np.bincount(train, minlength=faces) + extra
        return counts / counts.sum()

    def cost(extra):
        q = table(extra)[validation]
        return -np.log(q + (1e-3 if (q == 0).any() else 0)).mean()

    best = min(candidates, key=lambda extra: (round(cost(extra), 12), -extra))
    return best, table(best)


# 00.6 sample_mixture


@alternative("00.6")
def sample_mixture(weights, means, sigmas, n, rng):
    counts = rng.multinomial(n, weights)
    parts = [m + s * rng.normal(size=(c, len(m))) for c, m, s in zip(counts, means, sigmas, strict=True)]
    return rng.permutation(np.concatenate(parts))


def _mixture(weights, means, scale, n, rng):
    k = rng.choice(len(weights), size=n, p=weights)
    return means[k] + scale[k][:, None] * rng.normal(size=(n, means.shape[1]))


@mutant("00.6", hint="sigma squared was used")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(weights, means, sigmas**2, n, rng)


@mutant("00.6", hint="it is a standard deviation")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(weights, means, np.sqrt(sigmas), n, rng)


@mutant("00.6", hint="not to each coordinate")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=(n, means.shape[1]), p=weights)
    return np.take_along_axis(means, k, 0) + sigmas[k] * rng.normal(size=k.shape)


@mutant("00.6", hint="use the weights")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(np.full(len(weights), 1 / len(weights)), means, sigmas, n, rng)


@mutant("00.6", hint="each has its own")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    return means[k] + (sigmas[k] * rng.normal(size=n))[:, None]


@mutant("00.6", hint="stand together")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = np.sort(rng.choice(len(weights), size=n, p=weights))
    return means[k] + sigmas[k][:, None] * rng.normal(size=(n, means.shape[1]))


@mutant("00.6", hint="fixed in advance")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = np.repeat(np.arange(len(weights)), np.round(n * weights).astype(int))
    k = rng.permutation(k)
    return means[k] + sigmas[k][:, None] * rng.normal(size=(n, means.shape[1]))


@alternative("00.6")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    rows = []
    for _ in range(n):
        k = np.searchsorted(np.cumsum(weights), rng.random())
        rows.append([rng.normal(m, sigmas[k]) for m in means[k]])
    return rows


@alternative("00.6")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    hot = rng.multinomial(1, weights, size=n)
    noise = rng.multivariate_normal(np.zeros(means.shape[1]), np.eye(means.shape[1]), size=n)
    return hot @ means + (hot @ sigmas)[:, None] * noise


@alternative("00.6")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    return torch.tensor(rng.normal(means[k], sigmas[k, None])).float()


@mutant("00.6", hint="the noise is uniform")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    return means[k] + sigmas[k][:, None] * rng.uniform(-(3**0.5), 3**0.5, size=(n, means.shape[1]))


@mutant("00.6", hint="is the noise normal")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    return means[k] + sigmas[k][:, None] * rng.laplace(scale=0.5**0.5, size=(n, means.shape[1]))


@mutant("00.6", hint="made from others")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    z = rng.normal(size=((n + 1) // 2, means.shape[1]))
    return means[k] + sigmas[k][:, None] * rng.permutation(np.concatenate([z, -z])[:n])


@mutant("00.6", hint="made from others")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return np.resize(_mixture(weights, means, sigmas, (n + 1) // 2, rng), (n, means.shape[1]))


@mutant("00.6", hint="standardised")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    z = rng.normal(size=(n, means.shape[1]))
    return means[k] + sigmas[k][:, None] * (z - z.mean(0)) / z.std(0)


@mutant("00.6", hint="a sigma of its own")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(weights, means, np.full(len(weights), sigmas.mean()), n, rng)


@mutant("00.6", hint="sigma was not used")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(weights, means, np.ones(len(weights)), n, rng)


@mutant("00.6", hint="add noise")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return means[rng.choice(len(weights), size=n, p=weights)]


@mutant("00.6", hint="draw from rng")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(weights, means, sigmas, n, np.random.default_rng())


@mutant("00.6", hint="a seed is fixed inside")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return _mixture(weights, means, sigmas, n, np.random.default_rng(3))


@mutant("00.6", hint="one sigma serve all")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    noise = rng.normal(size=(n, means.shape[1]))
    return means[k] + (sigmas[k] * noise if noise.shape[1] == 1 else sigmas[k][:, None] * noise)


@mutant("00.6", hint="the noise came from a seed")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    return means[k] + sigmas[k][:, None] * np.random.default_rng(0).normal(size=(n, means.shape[1]))


@mutant("00.6", hint="the causes came from a seed")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = np.random.default_rng(n + len(weights)).choice(len(weights), size=n, p=weights)
    return means[k] + sigmas[k][:, None] * rng.normal(size=(n, means.shape[1]))


@mutant("00.6", hint="the noise is cut off")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    k = rng.choice(len(weights), size=n, p=weights)
    return means[k] + sigmas[k][:, None] * np.clip(rng.normal(size=(n, means.shape[1])), -2, 2)


@mutant("00.6", hint="no cause was drawn")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    return weights @ means + (weights @ sigmas) * rng.standard_normal((n, means.shape[1]))


@mutant("00.6", hint="hangs on the one before")
def sample_mixture(weights, means, sigmas, n, rng):  # noqa: F811
    causes, dims = rng.choice(len(weights), n, p=weights), means.shape[1]
    rows = np.lib.stride_tricks.sliding_window_view(rng.standard_normal(n + dims - 1), dims)
    return means[causes] + sigmas[causes][:, None] * (rows if dims > 1 else rng.standard_normal((n, 1)))
