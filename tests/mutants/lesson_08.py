"""Wrong and differently written answers to the exercises of lesson 08."""

import numpy as np
from scipy import special

from tests.mutants import alternative, mutant

# 08.1 sequence_log_prob


@alternative("08.1")
def sequence_log_prob(next_probs, ids):
    total, prefix = 0.0, []
    for symbol in ids:
        total += float(np.log(next_probs(np.array(prefix, dtype=int))[symbol]))
        prefix.append(symbol)
    return total


def _bets(next_probs, ids, ahead=0):
    return np.array([next_probs(ids[: i + ahead])[c] for i, c in enumerate(ids)])


@mutant("08.1", hint="bits")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return np.log2(_bets(next_probs, ids)).sum()


@mutant("08.1", hint="mean over positions")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return np.log(_bets(next_probs, ids)).mean()


@mutant("08.1", hint="shown the symbol")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return np.log(_bets(next_probs, ids, ahead=1)).sum()


@mutant("08.1", hint="too small for a float")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    with np.errstate(divide="ignore"):
        return np.log(_bets(next_probs, ids).prod())


@mutant("08.1", hint="first symbol")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    bets = _bets(next_probs, ids)
    return np.log(bets[1:]).sum() if len(ids) > 1 else float(np.log(bets[0]))


# 08.2 back_off


@alternative("08.2")
def back_off(counts, shorter):
    kinds = np.count_nonzero(counts)
    keep = counts.sum() / max(1, counts.sum() + kinds)
    return keep * counts / max(1, counts.sum()) + (1 - keep) * shorter


@mutant("08.2", hint="still has probability 0")
def back_off(counts, shorter):  # noqa: F811
    return counts / counts.sum()


@mutant("08.2", hint="different")
def back_off(counts, shorter):  # noqa: F811
    return (counts + counts.sum() * shorter) / (2 * counts.sum())


@mutant("08.2", hint="adds one to each")
def back_off(counts, shorter):  # noqa: F811
    return (counts + 1) / (counts.sum() + len(counts))


@mutant("08.2", hint="not evenly")
def back_off(counts, shorter):  # noqa: F811
    kinds = (counts > 0).sum()
    return (counts + kinds / len(counts)) / (counts.sum() + kinds)


@mutant("08.2", hint="not only those that did not")
def back_off(counts, shorter):  # noqa: F811
    kinds = (counts > 0).sum()
    if not kinds:
        return shorter
    return np.where(counts > 0, counts, kinds * shorter) / (counts.sum() + kinds)


@mutant("08.2", hint="0 / 0")
def back_off(counts, shorter):  # noqa: F811
    kinds = (counts > 0).sum()
    with np.errstate(invalid="ignore"):
        return (counts + kinds * shorter) / (counts.sum() + kinds)


# 08.3 ancestral_sample


@alternative("08.3")
def ancestral_sample(conditional, order, n, rng):
    x = np.zeros((n, len(order)))
    for i in order:
        x[:, i] = rng.binomial(1, conditional(x, i))
    return x


@mutant("08.3", hint="order of their index")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in range(len(order)):
        x[:, i] = rng.random(n) < conditional(x, i)
    return x


@mutant("08.3", hint="before the others were written")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    return np.stack([rng.random(n) < conditional(x, i) for i in range(len(order))], 1).astype(int)


@mutant("08.3", hint="do not round")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in order:
        x[:, i] = conditional(x, i) > 0.5
    return x


@mutant("08.3", hint="with its own")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in order:
        x[:, i] = rng.random() < conditional(x, i)
    return x


@mutant("08.3", hint="of its own, too")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x, u = np.zeros((n, len(order)), dtype=int), rng.random(n)
    for i in order:
        x[:, i] = u < conditional(x, i)
    return x


@mutant("08.3", hint="not in column k")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for k, i in enumerate(order):
        x[:, k] = rng.random(n) < conditional(x, i)
    return x


@mutant("08.3", hint="who comes next")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in np.argsort(order):
        x[:, i] = rng.random(n) < conditional(x, i)
    return x


# 08.4 belief_net_log_prob


@alternative("08.4")
def belief_net_log_prob(x, W, b):
    logits = x @ (W * (np.arange(len(b))[:, None] > np.arange(len(b)))).T + b
    return special.log_expit((2 * x - 1) * logits).sum(-1)


def _terms(x, W, b):
    logits = x @ W.T + b
    return -np.logaddexp(0, np.where(x == 1, -logits, logits))


@mutant("08.4", hint="mean over pixels")
def belief_net_log_prob(x, W, b):  # noqa: F811
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-(x @ np.tril(W).T + b)))
    return np.log(np.where(x == 1, p, 1 - p) + 1e-9).mean(axis=1)


@mutant("08.4", hint="diagonal is in")
def belief_net_log_prob(x, W, b):  # noqa: F811
    return _terms(x, np.tril(W), b).sum(1)


@mutant("08.4", hint="transposed")
def belief_net_log_prob(x, W, b):  # noqa: F811
    return _terms(x, np.tril(W, -1).T, b).sum(1)


@mutant("08.4", hint="mean over pixels")
def belief_net_log_prob(x, W, b):  # noqa: F811
    return _terms(x, np.tril(W, -1), b).mean(1)


@mutant("08.4", hint="logaddexp")
def belief_net_log_prob(x, W, b):  # noqa: F811
    with np.errstate(over="ignore", divide="ignore"):
        p = 1 / (1 + np.exp(-(x @ np.tril(W, -1).T + b)))
        return np.log(np.where(x == 1, p, 1 - p)).sum(1)


@mutant("08.4", hint="1e-9")
def belief_net_log_prob(x, W, b):  # noqa: F811
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-(x @ np.tril(W, -1).T + b)))
    p = np.where(x == 1, p, 1 - p)
    return np.log(np.maximum(p, 1e-9)).sum(1)


# 08.5 made_masks


@alternative("08.5")
def made_masks(place, degrees):
    into = [[1 if p < m else 0 for p in place] for m in degrees]
    out = [[1 if m <= p else 0 for m in degrees] for p in place]
    return np.array(into), np.array(out)


@mutant("08.5", hint="sees its own input")
def made_masks(place, degrees):  # noqa: F811
    into = degrees[:, None] >= place[None] + 1
    return into.astype(int), (place[:, None] + 1 >= degrees[None]).astype(int)


@mutant("08.5", hint="use `place`")
def made_masks(place, degrees):  # noqa: F811
    place = np.arange(len(place))
    return (degrees[:, None] > place[None]).astype(int), (place[:, None] >= degrees[None]).astype(int)


@mutant("08.5", hint="transposed")
def made_masks(place, degrees):  # noqa: F811
    return (degrees[None] > place[:, None]).astype(int), (place[None] >= degrees[:, None]).astype(int)


@mutant("08.5", hint="places 0 ... m - 1")
def made_masks(place, degrees):  # noqa: F811
    return (degrees[:, None] > place[None] + 1).astype(int), (place[:, None] >= degrees[None]).astype(int)


@mutant("08.5", hint="degree i or less")
def made_masks(place, degrees):  # noqa: F811
    return (degrees[:, None] > place[None]).astype(int), (place[:, None] > degrees[None]).astype(int)


# 08.6 leaks


@alternative("08.6")
def leaks(f, place, rng):
    d, found = len(place), set()
    for size in (0.5, 2.0, 5.0):
        x = rng.uniform(-size, size, size=(300, d))
        for j in range(d):
            y = x.copy()
            y[:, j] = rng.uniform(-size, size, size=300)
            for i in range(d):
                if place[j] >= place[i] and not np.allclose(f(x)[:, i], f(y)[:, i], atol=1e-9):
                    found.add((i, j))
    return sorted(found)


def _search(f, place, points, step, bad=lambda place, i, j: place[j] >= place[i]):
    found = []
    for i in range(len(place)):
        for j in range(len(place)):
            moved = points.copy()
            moved[:, j] += step
            if bad(place, i, j) and np.abs(f(moved)[:, i] - f(points)[:, i]).max() > 1e-9:
                found.append((i, j))
    return found


@mutant("08.6", hint="far")
def leaks(f, place, rng):  # noqa: F811
    return _search(f, place, np.zeros((1, len(place))), 1e-3)


@mutant("08.6", hint="diagonal")
def leaks(f, place, rng):  # noqa: F811
    return _search(f, place, rng.normal(size=(200, len(place))) * 3, 2.0, lambda place, i, j: place[j] > place[i])


@mutant("08.6", hint="said by `place`")
def leaks(f, place, rng):  # noqa: F811
    return _search(f, place, rng.normal(size=(200, len(place))) * 3, 2.0, lambda place, i, j: j >= i)


@mutant("08.6", hint="output i sees input j")
def leaks(f, place, rng):  # noqa: F811
    return sorted((j, i) for i, j in _search(f, place, rng.normal(size=(200, len(place))) * 3, 2.0))


@mutant("08.6", hint="no leak")
def leaks(f, place, rng):  # noqa: F811
    return _search(f, place, rng.normal(size=(200, len(place))) * 3, 2.0, lambda place, i, j: True)
