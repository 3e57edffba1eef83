"""Wrong and differently written answers to the exercises of lesson 00."""

import math

import numpy as np

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
