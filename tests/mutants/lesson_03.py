"""Wrong and differently written answers to the exercises of lesson 03."""

import itertools
import math

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp, softmax

from tests.mutants import alternative, mutant

# 03.1 mixture_log_prob


def _parts(x, means, sds):
    return stats.norm.logpdf(x[:, None], means, sds)  # (B, K, D)


@alternative("03.1")
def mixture_log_prob(x, weights, means, sds):
    """Cause by cause, adding up as it goes."""
    total = np.full(len(x), -np.inf)
    for w, m, s in zip(weights, means, sds, strict=True):
        if w > 0:
            square = (((x - m) / s) ** 2).sum(1)
            total = np.logaddexp(
                total, math.log(w) - 0.5 * square - np.log(s).sum() - 0.5 * m.size * math.log(2 * math.pi)
            )
    return total


@alternative("03.1")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    out = []
    for row in x:
        terms = []
        for w, m, sd in zip(weights.tolist(), means, sds, strict=True):
            if w > 0:
                logs = [-0.5 * ((v - a) / b) ** 2 - math.log(b) for v, a, b in zip(row, m, sd, strict=True)]
                terms.append(math.log(w) + math.fsum(logs) - 0.5 * len(row) * math.log(2 * math.pi))
        top = max(terms)
        out.append(top + math.log(sum(math.exp(t - top) for t in terms)))
    return out


@alternative("03.1")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    x, means, sds = (a.astype(np.float32) for a in (x, means, sds))
    parts = -0.5 * ((x[:, None] - means) / sds) ** 2 - np.log(sds) - np.float32(0.5 * math.log(2 * math.pi))
    return logsumexp(parts.sum(-1), axis=1, b=weights)


@mutant("03.1", hint="a cause of its own")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(np.log(weights)[:, None] + _parts(x, means, sds), axis=1).sum(1)


@mutant("03.1", hint="underflow")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    with np.errstate(all="ignore"):
        return np.log(np.exp(_parts(x, means, sds).sum(2)) @ weights)


@mutant("03.1", hint="largest of each row")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    with np.errstate(all="ignore"):
        joint = np.log(weights) + _parts(x, means, sds).sum(2)
        return np.log(np.exp(joint - joint.max()).sum(1)) + joint.max()


@mutant("03.1", hint="the weights are missing")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(_parts(x, means, sds).sum(2), axis=1)


@mutant("03.1", hint="equally frequent")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(_parts(x, means, sds).sum(2), axis=1) - math.log(len(weights))


@mutant("03.1", hint="not the sum")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return (np.log(weights) + _parts(x, means, sds).sum(2)).max(1)


@mutant("03.1", hint="not variances")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(np.log(weights) + _parts(x, means, np.sqrt(sds)).sum(2), axis=1)


@mutant("03.1", hint="do not average")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(np.log(weights) + _parts(x, means, sds).sum(2), axis=1) / x.shape[1]


@mutant("03.1", hint="normaliser")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(np.log(weights) - 0.5 * (((x[:, None] - means) / sds) ** 2).sum(2), axis=1)


@mutant("03.1", hint="keepdims")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return logsumexp(np.log(weights) + _parts(x, means, sds).sum(2), axis=1, keepdims=True)


@mutant("03.1", hint="an average of logarithms")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    return _parts(x, means, sds).sum(2) @ weights


@mutant("03.1", hint="")
def mixture_log_prob(x, weights, means, sds):  # noqa: F811
    """A cause of weight 0 gets a tiny one: where no other cause could be, it shows."""
    return logsumexp(np.log(np.maximum(weights, 1e-300)) + _parts(x, means, sds).sum(2), axis=1)


# 03.2 coin_e_step


@alternative("03.2")
def coin_e_step(x, weights, theta):
    joint = np.stack(
        [math.log(w) + np.where(x == 1, np.log(t), np.log1p(-t)).sum(1) for w, t in zip(weights, theta, strict=True)],
        axis=1,
    )
    top = joint.max(1, keepdims=True)
    shares = np.exp(joint - top)
    total = shares.sum(1, keepdims=True)
    return shares / total, (np.log(total) + top)[:, 0]


def _joint(x, weights, theta):
    return np.log(weights) + x @ np.log(theta).T + (1 - x) @ np.log(1 - theta).T


@mutant("03.2", hint="underflow")
def coin_e_step(x, weights, theta):  # noqa: F811
    p = np.exp(_joint(x, weights, theta))
    with np.errstate(divide="ignore", invalid="ignore"):
        return p / p.sum(1, keepdims=True), np.log(p.sum(1))


@mutant("03.2", hint="the weights are missing")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, np.ones_like(weights), theta)
    log_p = logsumexp(joint, axis=1)
    return np.exp(joint - log_p[:, None]), log_p


@mutant("03.2", hint="a factor 1 - theta")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = np.log(weights) + x @ np.log(theta).T
    log_p = logsumexp(joint, axis=1)
    return np.exp(joint - log_p[:, None]), log_p


@mutant("03.2", hint="over the pictures")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, weights, theta)
    return np.exp(joint - logsumexp(joint, axis=0)), logsumexp(joint, axis=1)


@mutant("03.2", hint="do not round")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, weights, theta)
    return np.eye(len(weights))[joint.argmax(1)], logsumexp(joint, axis=1)


@mutant("03.2", hint="largest term of the sum")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, weights, theta)
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True)), joint.max(1)


@mutant("03.2", hint="end with `return first, second`")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, weights, theta)
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


@mutant("03.2", hint="keepdims")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = np.log(weights) + x @ np.log(theta).T + (1 - x) @ np.log(1 - theta).T
    log_p = logsumexp(joint, axis=1, keepdims=True)
    return np.exp(joint - log_p), log_p


@alternative("03.2")
def coin_e_step(x, weights, theta):  # noqa: F811
    log_odds = np.log(theta) - np.log1p(-theta)
    joint = np.log(weights) + np.log1p(-theta).sum(1) + x.astype(np.float32) @ log_odds.T
    log_p = np.array([logsumexp(row) for row in joint])
    return np.exp(joint - log_p[:, None]).tolist(), log_p.tolist()


@alternative("03.2")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = stats.bernoulli.logpmf(x[:, None].astype(int), theta).sum(2) + np.log(weights)
    return softmax(joint, axis=1), np.logaddexp.reduce(joint, axis=1)


@mutant("03.2", hint="not the largest of the whole batch")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, weights, theta)
    top = joint.max()  # of everything
    p = np.exp(joint - top)
    with np.errstate(all="ignore"):
        return p / p.sum(1, keepdims=True), np.log(p.sum(1)) + top


@mutant("03.2", hint="do not average")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = _joint(x, weights, theta)
    return softmax(joint, axis=1), logsumexp(joint, axis=1) / x.shape[1]


@mutant("03.2", hint="")
def coin_e_step(x, weights, theta):  # noqa: F811
    joint = np.log(weights) + x @ np.log(theta + 1e-3).T + (1 - x) @ np.log(1 - theta + 1e-3).T
    return softmax(joint, axis=1), logsumexp(joint, axis=1)


# 03.3 coin_m_step


@alternative("03.3")
def coin_m_step(x, r, smoothing):
    theta = np.empty((r.shape[1], x.shape[1]))
    for k in range(len(theta)):
        one, zero = (r[:, k, None] * x).sum(0) + smoothing, (r[:, k, None] * (1 - x)).sum(0) + smoothing
        theta[k] = one / (one + zero)
    return r.mean(0), theta


@mutant("03.3", hint="smoothing is missing")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), r.T @ x / r.sum(0)[:, None]


@mutant("03.3", hint="twice the smoothing")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), (r.T @ x + smoothing) / (r.sum(0)[:, None] + smoothing)


@mutant("03.3", hint="not by all N")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), (r.T @ x + smoothing) / (len(x) + 2 * smoothing)


@mutant("03.3", hint="leave the weights alone")
def coin_m_step(x, r, smoothing):  # noqa: F811
    mass = r.sum(0) + 2 * smoothing
    return mass / mass.sum(), (r.T @ x + smoothing) / mass[:, None]


@mutant("03.3", hint="you rounded")
def coin_m_step(x, r, smoothing):  # noqa: F811
    r = np.eye(r.shape[1])[r.argmax(1)]
    return r.mean(0), (r.T @ x + smoothing) / (r.sum(0)[:, None] + 2 * smoothing)


@mutant("03.3", hint="weights sum to 1")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.sum(0), (r.T @ x + smoothing) / (r.sum(0)[:, None] + 2 * smoothing)


@mutant("03.3", hint="before you divide")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), r.T @ x / r.sum(0)[:, None] + smoothing


@alternative("03.3")
def coin_m_step(x, r, smoothing):  # noqa: F811
    """With the pretended pictures really put there: for each cause so many all black, so many all white."""
    n, k = r.shape
    theta = []
    for j in range(k):
        weights = np.concatenate([r[:, j], [smoothing, smoothing]])
        pictures = np.vstack([x, np.ones(x.shape[1]), np.zeros(x.shape[1])])
        theta.append(np.average(pictures, axis=0, weights=weights).tolist())
    return [sum(column) / n for column in r.T.tolist()], theta


@alternative("03.3")
def coin_m_step(x, r, smoothing):  # noqa: F811
    counts = np.einsum("nk,nd->kd", r.astype(np.float32), x.astype(np.float32))
    return r.mean(axis=0), (counts + smoothing) / (r.sum(axis=0)[:, None] + 2 * smoothing)


@mutant("03.3", hint="that of a 1")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), (r.T @ (1 - x) + smoothing) / (r.sum(0)[:, None] + 2 * smoothing)


@mutant("03.3", hint="work on a copy")
def coin_m_step(x, r, smoothing):  # noqa: F811
    weights = r.mean(0)
    mass = r.sum(0) + 2 * smoothing
    r /= mass
    return weights, r.T @ x + smoothing / mass[:, None]


@mutant("03.3", hint="one row for each cause")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), (x.T @ r + smoothing) / (r.sum(0) + 2 * smoothing)


@mutant("03.3", hint="to make it safe")
def coin_m_step(x, r, smoothing):  # noqa: F811
    return r.mean(0), (r.T @ x + smoothing) / (r.sum(0)[:, None] + 2 * smoothing + 1e-10)


@mutant("03.3", hint="the responsibilities are not used")
def coin_m_step(x, r, smoothing):  # noqa: F811
    theta = (x.sum(0) + smoothing) / (len(x) + 2 * smoothing)
    return r.mean(0), np.tile(theta, (r.shape[1], 1))


# 03.4 align_causes


@alternative("03.4")
def align_causes(a, b):
    _, order = linear_sum_assignment(np.einsum("ij,ik->jk", a, b), maximize=True)
    return order.tolist()


@mutant("03.4", hint="one partner twice")
def align_causes(a, b):  # noqa: F811
    return (a.T @ b).argmax(1)


@mutant("03.4", hint="the inverse")
def align_causes(a, b):  # noqa: F811
    return linear_sum_assignment(-(b.T @ a))[1]


@mutant("03.4", hint="the sign")
def align_causes(a, b):  # noqa: F811
    return linear_sum_assignment(a.T @ b)[1]


@mutant("03.4", hint="best in total")
def align_causes(a, b):  # noqa: F811
    table, order = a.T @ b, np.empty(a.shape[1], dtype=int)
    for k in range(len(order)):  # each takes the best that is left
        order[k] = table[k].argmax()
        table[:, order[k]] = -1
    return order


@mutant("03.4", hint="renumbering agrees better")
def align_causes(a, b):  # noqa: F811
    order = np.empty(a.shape[1], dtype=int)  # the largest with the largest
    order[np.argsort(a.sum(0))] = np.argsort(b.sum(0))
    return order


@alternative("03.4")
def align_causes(a, b):  # noqa: F811
    """Largest agreement is least distance, for the squares are the same in every order."""
    cost = ((a[:, :, None] - b[:, None, :]) ** 2).sum(0) - (a**2).sum(0)[:, None] - (b**2).sum(0)
    return np.array(linear_sum_assignment(cost)[1], dtype=np.int32)


@alternative("03.4")
def align_causes(a, b):  # noqa: F811
    """Best of all, by the subsets of partners that are used up."""
    table = a.T @ b
    best = {0: (0.0, ())}
    for row in table:
        following: dict = {}
        for used, (total, order) in best.items():
            for j in range(len(table)):
                if not used >> j & 1:
                    key, value = used | 1 << j, (total + float(row[j]), (*order, j))
                    if key not in following or value[0] > following[key][0]:
                        following[key] = value
        best = following
    return list(best[2 ** len(table) - 1][1])


@mutant("03.4", hint="best in total")
def align_causes(a, b):  # noqa: F811
    table, order = a.T @ b, np.arange(a.shape[1])
    swapped = True
    while swapped:  # as long as swapping two helps
        swapped = False
        for i, j in itertools.combinations(range(len(order)), 2):
            if table[i, order[j]] + table[j, order[i]] > table[i, order[i]] + table[j, order[j]] + 1e-12:
                order[[i, j]], swapped = order[[j, i]], True
    return order


@mutant("03.4", hint="best in total")
def align_causes(a, b):  # noqa: F811
    table, order = a.T @ b, np.empty(a.shape[1], dtype=int)
    for _ in order:  # the largest that is left, wherever it is
        i, j = np.unravel_index(table.argmax(), table.shape)
        order[i] = j
        table[i], table[:, j] = -1, -1
    return order


@mutant("03.4", hint="make them integers")
def align_causes(a, b):  # noqa: F811
    return linear_sum_assignment(-(a.T @ b))[1].astype(float)


@mutant("03.4", hint="")
def align_causes(a, b):  # noqa: F811
    return linear_sum_assignment(-(a.T @ b))[1] + 1


@mutant("03.4", hint="")
def align_causes(a, b):  # noqa: F811
    return linear_sum_assignment(-(a.T @ b))


@mutant("03.4", hint="best in total")
def align_causes(a, b):  # noqa: F811
    hard = np.eye(a.shape[1])  # each point counted for its likeliest cause only
    return linear_sum_assignment(-(hard[a.argmax(1)].T @ hard[b.argmax(1)]))[1]


# 03.5 choose_K


def _scores(fit, train, data, candidates, seeds, reduce=np.mean, over=np.mean):
    return {K: over([reduce(fit(train, K, s).log_prob(data)) for s in seeds]) for K in candidates}


@alternative("03.5")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):
    best, pairs = -math.inf, []
    for K, seed in itertools.product(sorted(candidates), seeds):
        pairs.append((K, float(np.mean(fit(train, K, seed).log_prob(held_out)))))
    averages = [(K, math.fsum(s for k, s in pairs if k == K) / len(seeds)) for K in sorted(candidates)]
    best = max(s for _, s in averages)
    return next(K for K, s in averages if s >= best - margin)


@mutant("03.5", hint="training likelihood")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, train, candidates, seeds)
    return max(scores, key=scores.get)


@mutant("03.5", hint="luckiest")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds, over=max)
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="the simpler model")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds)
    return max(sorted(scores), key=scores.get)


@mutant("03.5", hint="per example")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds, reduce=np.sum)
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="not the first in the list")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds)
    return next(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="fit to train only")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, np.concatenate([train, held_out]), held_out, candidates, seeds)
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="the sign")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds)
    return min(scores, key=scores.get)


@mutant("03.5", hint="one seed is luck")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds[1:])
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@alternative("03.5")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    table = np.array([[fit(x=train, K=K, seed=s).log_prob(held_out).mean() for s in seeds] for K in candidates])
    scores = table.mean(axis=1)
    return np.min(np.array(candidates)[scores >= scores.max() - margin])


@alternative("03.5")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = {K: np.concatenate([fit(train, K, s).log_prob(held_out) for s in seeds]).mean() for K in candidates}
    good = sorted(scores, key=lambda K: (-scores[K], K))
    return min(K for K in good if scores[good[0]] - scores[K] <= margin)


@mutant("03.5", hint="not their median")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds, over=np.median)
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="not the median")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, seeds, reduce=np.median)
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="one seed is luck")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    scores = _scores(fit, train, held_out, candidates, list(seeds)[:1])
    return min(K for K in candidates if scores[K] >= max(scores.values()) - margin)


@mutant("03.5", hint="not its place in the list")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    ordered = sorted(candidates)
    scores = _scores(fit, train, held_out, ordered, seeds)
    return next(i for i, K in enumerate(ordered) if scores[K] >= max(scores.values()) - margin)


# 03.6 ppca_sample


@alternative("03.6")
def ppca_sample(n, mean, W, noise, rng):
    cov = W @ W.T + noise * np.eye(len(mean))
    return rng.multivariate_normal(mean, cov, size=n)


@mutant("03.6", hint="noise is missing")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    return mean + rng.standard_normal((n, W.shape[1])) @ W.T


@mutant("03.6", hint="multiply by its square root")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    return mean + rng.standard_normal((n, W.shape[1])) @ W.T + noise * rng.standard_normal((n, len(mean)))


@mutant("03.6", hint="noise of its own")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    return mean + rng.standard_normal((n, W.shape[1])) @ W.T + math.sqrt(noise) * rng.standard_normal((n, 1))


@mutant("03.6", hint="shared by all samples")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = 3 + rng.random(W.shape[1])  # far enough from 0 to be seen at every seed
    return mean + W @ z + math.sqrt(noise) * rng.standard_normal((n, len(mean)))


@mutant("03.6", hint="draw every number from rng")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    rng = np.random.default_rng(0)
    return mean + rng.standard_normal((n, W.shape[1])) @ W.T + math.sqrt(noise) * rng.standard_normal((n, len(mean)))


@mutant("03.6", hint="add the mean")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    return rng.standard_normal((n, W.shape[1])) @ W.T + math.sqrt(noise) * rng.standard_normal((n, len(mean)))


@mutant("03.6", hint="not uniform")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    return mean + rng.uniform(-1, 1, (n, W.shape[1])) @ W.T + math.sqrt(noise) * rng.standard_normal((n, len(mean)))


@alternative("03.6")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = rng.normal(size=(W.shape[1], n))
    return (W @ z + rng.normal(scale=noise**0.5, size=(len(mean), n))).T + mean


@alternative("03.6")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    both = np.hstack([W, math.sqrt(noise) * np.eye(len(mean))])  # one map for the cause and the noise
    return [(mean + both @ rng.standard_normal(both.shape[1])).tolist() for _ in range(n)]


def _ppca(z, eps, mean, W, noise):
    return mean + z @ W.T + math.sqrt(noise) * eps


@mutant("03.6", hint="mirror image")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z, eps = rng.standard_normal((-(-n // 2), W.shape[1])), rng.standard_normal((-(-n // 2), len(mean)))
    return _ppca(np.concatenate([z, -z])[:n], np.concatenate([eps, -eps])[:n], mean, W, noise)


@mutant("03.6", hint="standard Gaussian noise")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = rng.uniform(-math.sqrt(3), math.sqrt(3), (n, W.shape[1]))
    return _ppca(z, rng.standard_normal((n, len(mean))), mean, W, noise)


@mutant("03.6", hint="standard Gaussian noise")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    eps = rng.laplace(size=(n, len(mean))) / math.sqrt(2)
    return _ppca(rng.standard_normal((n, W.shape[1])), eps, mean, W, noise)


@mutant("03.6", hint="too even")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    both = rng.standard_normal((n, W.shape[1] + len(mean)))
    both = (both - both.mean(0)) / both.std(0)
    return _ppca(both[:, : W.shape[1]], both[:, W.shape[1] :], mean, W, noise)


@mutant("03.6", hint="noise of its own")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = np.repeat(rng.standard_normal((-(-n // 2), W.shape[1])), 2, axis=0)[:n]  # a cause for every second
    return _ppca(z, rng.standard_normal((n, len(mean))), mean, W, noise)


@mutant("03.6", hint="comes twice")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    half = _ppca(
        rng.standard_normal((-(-n // 2), W.shape[1])), rng.standard_normal((-(-n // 2), len(mean))), mean, W, noise
    )
    return np.concatenate([half, half])[:n]


# 03.7 fill_in


@alternative("03.7")
def fill_in(x, seen, mean, W, noise):
    out, C = np.array(x), W @ W.T + noise * np.eye(len(mean))
    known = C[np.ix_(seen, seen)]
    for row in out:
        row[~seen] = mean[~seen] + C[np.ix_(~seen, seen)] @ np.linalg.solve(known, row[seen] - mean[seen])
    return out


def _fill(x, mean, W, noise, rows=slice(None)):
    W_seen = W[rows]
    z = (x - mean)[:, rows] @ W_seen @ np.linalg.inv(W_seen.T @ W_seen + noise * np.eye(W.shape[1]))
    return z @ W.T + mean


@mutant("03.7", hint="not a pixel that is 0")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, _fill(np.where(seen, x, 0), mean, W, noise))


@mutant("03.7", hint="not an average pixel")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, _fill(np.where(seen, x, mean), mean, W, noise))


@mutant("03.7", hint="must not enter")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, _fill(x, mean, W, noise))


@mutant("03.7", hint="leave the seen pixels")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return _fill(x, mean, W, noise, seen)


@mutant("03.7", hint="the prior is missing")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    z = (x - mean)[:, seen] @ np.linalg.pinv(W[seen]).T
    return np.where(seen, x, z @ W.T + mean)


@mutant("03.7", hint="average picture")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, mean)


@mutant("03.7", hint="work on a copy")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    x[:, ~seen] = _fill(x, mean, W, noise, seen)[:, ~seen]
    return x


@alternative("03.7")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    """Least squares with pretended pixels that hold z to 0."""
    out = np.array(x, dtype=float)
    rows = np.vstack([W[seen], math.sqrt(noise) * np.eye(W.shape[1])])
    for i, picture in enumerate(x):
        target = np.concatenate([picture[seen] - mean[seen], np.zeros(W.shape[1])])
        out[i, ~seen] = (W @ np.linalg.lstsq(rows, target, rcond=None)[0] + mean)[~seen]
    return out.tolist()


@alternative("03.7")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    """Again and again: fill in, encode, decode, with the variance of what is unseen kept in the posterior."""
    s = np.flatnonzero(seen)
    precision = np.eye(W.shape[1]) + W[s].T @ W[s] / noise
    z = np.linalg.solve(precision, W[s].T @ (x[:, s] - mean[s]).T / noise)
    y = np.array(x)
    y[:, np.flatnonzero(~seen)] = ((W @ z).T + mean)[:, np.flatnonzero(~seen)]
    return y


@mutant("03.7", hint="not nan")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    known = ~np.isnan(x[0])
    return np.where(known, x, _fill(np.where(known, x, 0), mean, W, noise, known))


@mutant("03.7", hint="add the mean back")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, _fill(x, mean, W, noise, seen) - mean)


@mutant("03.7", hint="do not square it")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, _fill(x, mean, W, noise**2, seen))


@mutant("03.7", hint="multiplies the identity")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    return np.where(seen, x, _fill(x, mean, W, 1.0, seen))


@mutant("03.7", hint="")
def fill_in(x, seen, mean, W, noise):  # noqa: F811
    z = _fill(x, mean, W, noise, seen)
    return np.where(seen, x, z + math.sqrt(noise) * np.random.default_rng(0).standard_normal(z.shape))  # a draw


# Cut off, paired, and nearly right ------------------------------------------------------------------------------------


def _coins(x, weights, theta):
    joint = x @ np.log(theta).T + (1 - x) @ np.log1p(-theta).T + np.log(weights)
    log_p = logsumexp(joint, axis=1)
    return np.exp(joint - log_p[:, None]), log_p


@mutant("03.2", hint="to make it safe")
def coin_e_step(x, weights, theta):  # noqa: F811
    return _coins(x, weights, np.clip(theta, 1e-6, 1 - 1e-6))


@mutant("03.2", hint="to make it safe")
def coin_e_step(x, weights, theta):  # noqa: F811
    r, log_p = _coins(x, weights, theta)
    r = np.clip(r, 1e-6, 1)
    return r / r.sum(1, keepdims=True), log_p


@mutant("03.4", hint="best in total")
def align_causes(a, b):  # noqa: F811
    return linear_sum_assignment(np.abs(a[:, :, None] - b[:, None]).sum(0))[1]


@mutant("03.4", hint="best in total")
def align_causes(a, b):  # noqa: F811
    table = (a / np.linalg.norm(a, axis=0)).T @ (b / np.linalg.norm(b, axis=0))
    return linear_sum_assignment(-table)[1]


@mutant("03.5", hint="as a difference in nats")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    score = _scores(fit, train, held_out, candidates, seeds)
    K = min(k for k in score if score[k] == max(score.values()))
    for smaller in sorted((k for k in score if k < K), reverse=True):
        if score[smaller] < score[K] - margin:
            break
        K = smaller
    return K


@mutant("03.5", hint="fall and rise again")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    score = _scores(fit, train, held_out, candidates, seeds)
    best, *larger = sorted(score)
    for K in larger:
        if score[K] < score[best]:
            break
        best = K
    return min(k for k in score if k <= best and score[k] >= score[best] - margin)


@mutant("03.5", hint="need not be 0, 1, 2")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    score = _scores(fit, train, held_out, candidates, range(len(seeds)))
    return min(K for K in score if score[K] >= max(score.values()) - margin)


@mutant("03.5", hint="nor the last")
def choose_K(fit, train, held_out, candidates, seeds, margin=0.0):  # noqa: F811
    score = _scores(fit, train, held_out, candidates, seeds, over=np.min)
    return min(K for K in score if score[K] >= max(score.values()) - margin)


@mutant("03.6", hint="pair, centre or scale")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = rng.standard_normal((n, W.shape[1]))
    z = (z - z.mean(0)) / z.std(0)
    return _ppca(z, rng.standard_normal((n, len(mean))), mean, W, noise)


@mutant("03.6", hint="not some from a few")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = rng.standard_normal((20_000, W.shape[1]))[rng.integers(20_000, size=n)]
    return _ppca(z, rng.standard_normal((n, len(mean))), mean, W, noise)


@mutant("03.6", hint="make no generator of your own")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = np.random.default_rng(3).standard_normal((n, W.shape[1]))
    return _ppca(z, rng.standard_normal((n, len(mean))), mean, W, noise)


@mutant("03.6", hint="do not clip")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z = rng.standard_normal((n, W.shape[1])).clip(-2.9, 2.9)
    return _ppca(z, rng.standard_normal((n, len(mean))), mean, W, noise)


@alternative("03.6")
def ppca_sample(n, mean, W, noise, rng):  # noqa: F811
    z, eps = rng.standard_normal((n, W.shape[1])), rng.standard_normal((n, len(mean)))
    return _ppca(z, eps, mean, W, noise).astype(np.float32)
