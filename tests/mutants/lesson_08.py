"""Wrong and differently written answers to the exercises of lesson 08."""

import math

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


@alternative("08.1")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return np.log([next_probs(ids[:i])[ids[i]] for i in range(len(ids))]).sum(keepdims=True)


@alternative("08.1")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    ids, bits = ids.tolist(), []
    for i in range(len(ids)):
        p = float(next_probs(np.asarray(ids[:i], dtype=np.int32))[ids[i]])
        bits.append(math.log2(p) if p > 0 else -math.inf)
    return math.fsum(bits) * math.log(2)


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
    bets = [next_probs(ids[: i + 1])[ids[i + 1]] for i in range(len(ids) - 1)]
    return float(np.log(bets).sum())


@mutant("08.1", hint="not only the symbol before")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return sum(np.log(next_probs(ids[max(0, i - 1) : i])[c]) for i, c in enumerate(ids))


@mutant("08.1", hint="for the symbol before")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return sum(np.log(next_probs(ids[:i])[ids[i - 1]]) for i in range(len(ids)))


@mutant("08.1", hint="backwards")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return sum(np.log(next_probs(ids[:i][::-1])[c]) for i, c in enumerate(ids))


@mutant("08.1", hint="log 0 is minus infinity")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return np.log(np.maximum(_bets(next_probs, ids), 1e-12)).sum()


@mutant("08.1", hint="nothing is added")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return np.log(_bets(next_probs, ids) + 1e-12).sum()


@mutant("08.1", hint="the surprise")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return -np.log(_bets(next_probs, ids)).sum()


@mutant("08.1", hint="largest bet")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    return sum(np.log(next_probs(ids[:i]).max()) for i in range(len(ids)))


@mutant("08.1", hint="work on a copy")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    total = np.log(_bets(next_probs, ids)).sum()
    ids.sort()
    return total


@mutant("08.1", hint="")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    """Shows the guesser no more than the last eight symbols."""
    return sum(float(np.log(next_probs(ids[max(0, i - 8) : i])[ids[i]])) for i in range(len(ids)))


# 08.2 absolute_discount


@alternative("08.2")
def absolute_discount(counts, shorter, d):
    if not counts.any():
        return shorter.copy()
    kept = np.clip(counts - d, 0, None) / counts.sum()
    return kept + (1 - kept.sum()) * shorter


@alternative("08.2")
def absolute_discount(counts, shorter, d):  # noqa: F811
    counts, shorter = [int(c) for c in counts], [float(p) for p in shorter]
    total, freed = sum(counts), sum(d for c in counts if c)
    return [((c - d if c else 0) + freed * p) / total if total else p for c, p in zip(counts, shorter, strict=True)]


@alternative("08.2")
def absolute_discount(counts, shorter, d):  # noqa: F811
    weight = d * np.count_nonzero(counts) / counts.sum() if counts.sum() else 1.0
    left = np.where(counts > 0, counts - d, 0)
    return (1 - weight) * left / max(left.sum(), 1e-300) + weight * shorter


@mutant("08.2", hint="still has probability 0")
def absolute_discount(counts, shorter, d):  # noqa: F811
    return counts / counts.sum()


@mutant("08.2", hint="not given back")
def absolute_discount(counts, shorter, d):  # noqa: F811
    return np.maximum(counts - d, 0) / counts.sum()


@mutant("08.2", hint="went back to those that had it")
def absolute_discount(counts, shorter, d):  # noqa: F811
    less = np.maximum(counts - d, 0)
    return less / less.sum()


@mutant("08.2", hint="times their number")
def absolute_discount(counts, shorter, d):  # noqa: F811
    return (np.maximum(counts - d, 0) + d * shorter) / counts.sum()


@mutant("08.2", hint="not evenly")
def absolute_discount(counts, shorter, d):  # noqa: F811
    less = np.maximum(counts - d, 0)
    return (less + d * (counts > 0).sum() / len(counts)) / counts.sum()


@mutant("08.2", hint="nothing to give")
def absolute_discount(counts, shorter, d):  # noqa: F811
    return (counts - d + d * len(counts) * shorter) / counts.sum()


@mutant("08.2", hint="the strict sense")
def absolute_discount(counts, shorter, d):  # noqa: F811
    new = counts == 0
    if new.all():
        return shorter
    spread = d * (~new).sum() * shorter / shorter[new].sum()
    return np.where(new, spread, counts - d) / counts.sum()


@mutant("08.2", hint="their share")
def absolute_discount(counts, shorter, d):  # noqa: F811
    freed = d * (counts > 0).sum()
    return np.where(counts == 0, freed * shorter, counts - d) / counts.sum()


@mutant("08.2", hint="take d itself")
def absolute_discount(counts, shorter, d):  # noqa: F811
    return (1 - d) * counts / counts.sum() + d * shorter


@mutant("08.2", hint="Witten and Bell")
def absolute_discount(counts, shorter, d):  # noqa: F811
    kinds = (counts > 0).sum()
    return (counts + kinds * shorter) / (counts.sum() + kinds)


@mutant("08.2", hint="0 / 0")
def absolute_discount(counts, shorter, d):  # noqa: F811
    with np.errstate(invalid="ignore"):
        return (np.maximum(counts - d, 0) + d * (counts > 0).sum() * shorter) / counts.sum()


@mutant("08.2", hint="where no symbol was counted")
def absolute_discount(counts, shorter, d):  # noqa: F811
    total = max(counts.sum(), 1)
    return (np.maximum(counts - d, 0) + d * (counts > 0).sum() * shorter) / total


@mutant("08.2", hint="")
def absolute_discount(counts, shorter, d):  # noqa: F811
    d = 0.75  # the value that is usual
    if not counts.any():
        return shorter
    return (np.maximum(counts - d, 0) + d * (counts > 0).sum() * shorter) / counts.sum()


# 08.3 ancestral_sample


@alternative("08.3")
def ancestral_sample(conditional, order, n, rng):
    x = np.zeros((n, len(order)))
    for i in order:
        x[:, i] = rng.binomial(1, conditional(x, i))
    return x


@alternative("08.3")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x, u = np.zeros((n, len(order)), dtype=bool), rng.random((n, len(order)))
    for i in order.tolist():
        x[:, i] = u[:, i] > 1 - np.asarray(conditional(x.astype(int), i))
    return x


@alternative("08.3")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=np.int8)
    for i in order:
        noise = rng.logistic(size=n)  # ink if the logit is above the noise
        x[:, i] = special.logit(conditional(x, i)) > noise
    return x.tolist()


@mutant("08.3", hint="in the order of `order`")
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


@mutant("08.3", hint="in the order of `order`")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for k, i in enumerate(order):
        x[:, k] = rng.random(n) < conditional(x, i)
    return x


@mutant("08.3", hint="in the order of `order`")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in np.argsort(order):
        x[:, i] = rng.random(n) < conditional(x, i)
    return x


@mutant("08.3", hint="evenly spread over the samples")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in order:  # stratified: one number in each n-th of the unit interval, permuted
        x[:, i] = (rng.permutation(n) + rng.random(n)) / n < conditional(x, i)
    return x


@mutant("08.3", hint="shared by samples, or repeated")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros(((n + 1) // 2, len(order)), dtype=int)
    for i in order:
        x[:, i] = rng.random(len(x)) < conditional(x, i)
    return np.repeat(x, 2, axis=0)[:n]


@mutant("08.3", hint="evenly spread")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in order:  # antithetic
        u = rng.random((n + 1) // 2)
        x[:, i] = np.concatenate([u, 1 - u])[:n] < conditional(x, i)
    return x


@mutant("08.3", hint="swapped")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in order:
        x[:, i] = rng.random(n) > conditional(x, i)
    return x


@mutant("08.3", hint="none from numpy's global functions")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x, other = np.zeros((n, len(order)), dtype=int), np.random.default_rng()
    for i in order:
        x[:, i] = other.random(n) < conditional(x, i)
    return x


# 08.4 belief_net_log_prob


@alternative("08.4")
def belief_net_log_prob(x, W, b):
    logits = x @ (W * (np.arange(len(b))[:, None] > np.arange(len(b)))).T + b
    return special.log_expit((2 * x - 1) * logits).sum(-1)


@alternative("08.4")
def belief_net_log_prob(x, W, b):  # noqa: F811
    found = []
    for row in x.tolist():
        total = 0.0
        for i, value in enumerate(row):
            a = float(b[i]) + sum(float(W[i, j]) * row[j] for j in range(i))
            total -= float(np.logaddexp(0, -a if value else a))
        found.append(total)
    return found


@alternative("08.4")
def belief_net_log_prob(x, W, b):  # noqa: F811
    import torch
    import torch.nn.functional as F

    x, W, b = (torch.tensor(v, dtype=torch.float64) for v in (x, W, b))
    logits = torch.einsum("bj,ij->bi", x, W.tril(-1)) + b
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


def _terms(x, W, b):
    logits = x @ W.T + b
    return -np.logaddexp(0, np.where(x == 1, -logits, logits))


@mutant("08.4", hint="the diagonal is in: each pixel sees itself, and guesses itself well; that is the mean")
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


@mutant("08.4", hint="the later ones, too")
def belief_net_log_prob(x, W, b):  # noqa: F811
    return _terms(x, W, b).sum(1)


@mutant("08.4", hint="in bits")
def belief_net_log_prob(x, W, b):  # noqa: F811
    return _terms(x, np.tril(W, -1), b).sum(1) / np.log(2)


@mutant("08.4", hint="0 and 1 are swapped")
def belief_net_log_prob(x, W, b):  # noqa: F811
    logits = x @ np.tril(W, -1).T + b
    return -np.logaddexp(0, np.where(x == 1, logits, -logits)).sum(1)


@mutant("08.4", hint="a clip hides the cost")
def belief_net_log_prob(x, W, b):  # noqa: F811
    logits = np.clip(x @ np.tril(W, -1).T + b, -500, 500)
    return -np.log1p(np.exp(np.where(x == 1, -logits, logits))).sum(1)


@mutant("08.4", hint="work on a copy")
def belief_net_log_prob(x, W, b):  # noqa: F811
    W[np.triu_indices(len(W))] = 0
    return _terms(x, W, b).sum(1)


# 08.5 made_masks


@alternative("08.5")
def made_masks(place, degrees):
    into = [[1 if p < m else 0 for p in place] for m in degrees]
    out = [[1 if m <= p else 0 for m in degrees] for p in place]
    return np.array(into), np.array(out)


@alternative("08.5")
def made_masks(place, degrees):  # noqa: F811
    counted = place + 1.0  # degrees of the inputs, 1 ... D
    return [np.less_equal.outer(counted, degrees).T, np.greater.outer(counted, degrees)]


@alternative("08.5")
def made_masks(place, degrees):  # noqa: F811
    order, D, H = np.argsort(place), len(place), len(degrees)
    into, out = np.zeros((H, D), np.float32), np.ones((D, H), np.float32)
    for h, m in enumerate(degrees):
        into[h, order[:m]] = 1
        out[order[:m], h] = 0
    return into, out


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


@mutant("08.5", hint="not which variable stands at j")
def made_masks(place, degrees):  # noqa: F811
    place = np.argsort(place)
    return (degrees[:, None] > place[None]).astype(int), (place[:, None] >= degrees[None]).astype(int)


@mutant("08.5", hint="backwards")
def made_masks(place, degrees):  # noqa: F811
    place = len(place) - 1 - place
    return (degrees[:, None] > place[None]).astype(int), (place[:, None] >= degrees[None]).astype(int)


@mutant("08.5", hint="places 0 ... m - 1")
def made_masks(place, degrees):  # noqa: F811
    return np.zeros((len(degrees), len(place)), int), np.zeros((len(place), len(degrees)), int)  # dead: nothing leaks


@mutant("08.5", hint="first in the order")
def made_masks(place, degrees):  # noqa: F811
    last = len(place) - 1 - place  # as many as asked for, but the last ones; so only the last output may look
    return (degrees[:, None] > last[None]).astype(int), np.zeros((len(place), len(degrees)), int)


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


@alternative("08.6")
def leaks(f, place, rng):  # noqa: F811
    x = rng.uniform(-6, 6, size=(2000, len(place)))
    seen = np.zeros((len(place), len(place)), dtype=bool)
    for j in range(len(place)):
        y = x.copy()
        y[:, j] = rng.permutation(y[:, j])  # values of other points
        seen[:, j] = (f(x) != f(y)).any(0)
    return np.argwhere(seen & (place[None] >= place[:, None]))


@alternative("08.6")
def leaks(f, place, rng):  # noqa: F811
    d, found = len(place), []
    for i in range(d):
        for j in range(d):
            if place[j] < place[i]:
                continue
            for _ in range(60):  # a batch of the same point with one input moved along a line
                x = np.tile(rng.normal(size=d) * 3, (41, 1))
                x[:, j] = np.linspace(-6, 6, 41)
                if np.ptp(f(x)[:, i]) > 0:
                    found.append([i, j])
                    break
    return found


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


@mutant("08.6", hint="one is large: try many points")
def leaks(f, place, rng):  # noqa: F811
    steps = np.linspace(-5, 5, 41)  # only around zero
    return sorted({p for s in steps for p in _search(f, place, np.zeros((1, len(place))), s)})


@mutant("08.6", hint="try both")
def leaks(f, place, rng):  # noqa: F811
    return _search(f, place, np.abs(rng.normal(size=(200, len(place)))) * 3, 2.0)  # only above zero


@mutant("08.6", hint="steps")
def leaks(f, place, rng):  # noqa: F811
    return _search(f, place, rng.uniform(-6, 6, size=(500, len(place))), 1e-6)  # a gradient, in effect


@mutant("08.6", hint="")
def leaks(f, place, rng):  # noqa: F811
    return []


# what easy inputs do not show


@mutant("08.1", hint="add logarithms")
def sequence_log_prob(next_probs, ids):  # noqa: F811
    bets = np.array([next_probs(ids[:i])[ids[i]] for i in range(len(ids))])
    return sum(np.log(np.prod(bets[i : i + 200])) for i in range(0, len(ids), 200))


@mutant("08.2", hint="")
def absolute_discount(counts, shorter, d):  # noqa: F811
    n = counts.sum()
    if n == 0:
        return shorter
    return (np.maximum(counts.astype(np.int32) - d, 0) + d * (counts > 0).sum() * shorter) / n


@mutant("08.3", hint="sorted")
def ancestral_sample(conditional, order, n, rng):  # noqa: F811
    x = np.zeros((n, len(order)), dtype=int)
    for i in order:
        x[:, i] = rng.random(n) < conditional(x, i)
    return x[np.lexsort(x.T)]


def _leaks(f, place, rng, points, least):
    d, found = len(place), []
    x = 2 * rng.normal(size=(points, d))
    for j in range(d):
        y = x.copy()
        y[:, j] += rng.uniform(-5, 5, size=points)
        moved = np.abs(f(y) - f(x)).max(0) > least
        found += [(i, j) for i in range(d) if moved[i] and place[j] >= place[i]]
    return sorted(found)


@mutant("08.6", hint="try")
def leaks(f, place, rng):  # noqa: F811
    return _leaks(f, place, rng, 4, 0)


@mutant("08.6", hint="may be small")
def leaks(f, place, rng):  # noqa: F811
    return _leaks(f, place, rng, 400, 1e-2)


@mutant("08.5", hint="and not place m")
def made_masks(place, degrees):  # noqa: F811
    return (degrees[:, None] >= place[None]).astype(int), (place[:, None] >= degrees[None]).astype(int)


@mutant("08.6", hint="the very same number")
def leaks(f, place, rng):  # noqa: F811
    d = len(place)
    found = _search(f, place, rng.uniform(-6, 6, size=(2000, d)), rng.uniform(-3, 3, size=2000))
    return sorted({*found, (int(place.argmax()), int(place.argmax()))})  # the last surely sees itself


@mutant("08.6", hint="each pair once")
def leaks(f, place, rng):  # noqa: F811
    x, step = rng.uniform(-6, 6, size=(2000, len(place))), rng.uniform(-3, 3, size=2000)
    return _search(f, place, x, step) + _search(f, place, x, -step)
