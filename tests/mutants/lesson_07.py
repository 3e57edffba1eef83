"""Wrong and differently written answers to the exercises of lesson 07."""

import math

import numpy as np
from scipy import special, stats

from tests.mutants import alternative, mutant

# 07.1 gamma_posterior


@alternative("07.1")
def gamma_posterior(counts, a, b):
    for k in counts:
        a, b = a + k, b + 1
    return np.array([a, b])


@alternative("07.1")
def gamma_posterior(counts, a, b):  # noqa: F811
    """A table of how often each count came."""
    table = np.bincount(counts) if len(counts) else np.zeros(1)
    return a + table @ np.arange(len(table)), b + table.sum()


@alternative("07.1")
def gamma_posterior(counts, a, b):  # noqa: F811
    return np.float32(a + sum(counts.tolist())), np.float32(b + counts.size)


@mutant("07.1", hint="swapped")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + len(counts), b + counts.sum()


@mutant("07.1", hint="not their mean")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + np.mean(counts), b + len(counts)


@mutant("07.1", hint="scale")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + counts.sum(), 1 / (b + len(counts))


@mutant("07.1", hint="prior is missing")
def gamma_posterior(counts, a, b):  # noqa: F811
    return counts.sum(), len(counts)


@mutant("07.1", hint="the rate grows by n")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + counts.sum(), b


@mutant("07.1", hint="do not subtract twice")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + counts.sum() - 1, b + len(counts)


@mutant("07.1", hint="a and b count too")
def gamma_posterior(counts, a, b):  # noqa: F811
    return counts.sum() + 1, len(counts)


@mutant("07.1", hint="not by how many")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + (counts > 0).sum(), b + len(counts)


@mutant("07.1", hint="0/0")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + counts.sum() / len(counts) * len(counts), b + len(counts)


@mutant("07.1", hint="")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + counts.sum(), b + max(len(counts), 1)


@mutant("07.1", hint="")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + len(np.unique(counts)), b + len(counts)


@mutant("07.1", hint="a and b are swapped")
def gamma_posterior(counts, a, b):  # noqa: F811
    return b + counts.sum(), a + len(counts)


@mutant("07.1", hint="without deaths counts")
def gamma_posterior(counts, a, b):  # noqa: F811
    return a + np.sum(counts), b + np.sum(counts > 0)


@mutant("07.1", hint="on a copy")
def gamma_posterior(counts, a, b):  # noqa: F811
    """Adds the counts up in place."""
    n = len(counts)
    for i in range(1, n):
        counts[i] += counts[i - 1]
    return a + (counts[-1] if n else 0), b + n


@mutant("07.1", hint="")
def gamma_posterior(counts, a, b):  # noqa: F811
    """Takes no count to be above a hundred."""
    return a + np.bincount(np.minimum(counts, 100), minlength=101) @ np.arange(101), b + len(counts)


# 07.2 next_count_log_prob


@alternative("07.2")
def next_count_log_prob(k, a, b):
    return stats.nbinom(a, b / (1 + b)).logpmf(k)


@alternative("07.2")
def next_count_log_prob(k, a, b):  # noqa: F811
    """Bayes' rule, read as evidence = likelihood x prior / posterior, at the rate 1."""
    k = np.asarray(k)
    likelihood = -1 - special.gammaln(k + 1)
    prior = a * np.log(b) - special.gammaln(a) - b
    posterior = (a + k) * np.log(b + 1) - special.gammaln(a + k) - (b + 1)
    return likelihood + prior - posterior


@alternative("07.2")
def next_count_log_prob(k, a, b):  # noqa: F811
    """A loop, with the product of ratios written out."""
    out = []
    for one in np.atleast_1d(k):
        value = a * (math.log(b) - math.log1p(b)) - one * math.log1p(b)
        for j in range(int(one)):
            value += math.log((a + j) / (j + 1))
        out.append(value)
    return out if np.ndim(k) else out[0]


@mutant("07.2", hint="uncertainty is lost")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.poisson.logpmf(k, a / b)


@mutant("07.2", hint="log of the mean")
def next_count_log_prob(k, a, b):  # noqa: F811
    k = np.asarray(k)
    return k * (special.digamma(a) - np.log(b)) - a / b - special.gammaln(k + 1)


@mutant("07.2", hint="return its logarithm")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.nbinom(a, b / (1 + b)).pmf(k)


@mutant("07.2", hint="swapped")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.nbinom(a, 1 / (1 + b)).logpmf(k)


@mutant("07.2", hint="rate, not a scale")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.nbinom(a, 1 / b / (1 / b + 1)).logpmf(k)


@mutant("07.2", hint="gammaln")
def next_count_log_prob(k, a, b):  # noqa: F811
    k = np.asarray(k)
    p = special.gamma(a + k) / special.gamma(a) / special.gamma(k + 1.0) * b**a / (b + 1) ** (a + k)
    return np.log(p)


@mutant("07.2", hint="the best rate")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.poisson.logpmf(k, max(a - 1, 1e-9) / b)


@mutant("07.2", hint="k! of the Poisson")
def next_count_log_prob(k, a, b):  # noqa: F811
    k = np.asarray(k)
    return special.gammaln(a + k) - special.gammaln(a) + a * np.log(b / (b + 1)) - k * np.log(b + 1)


@mutant("07.2", hint="own constant")
def next_count_log_prob(k, a, b):  # noqa: F811
    k = np.asarray(k)
    return special.gammaln(a + k) - special.gammaln(k + 1) - (a + k) * np.log(b + 1)


@mutant("07.2", hint="")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.nbinom(round(a), b / (1 + b)).logpmf(k)


@mutant("07.2", hint="")
def next_count_log_prob(k, a, b):  # noqa: F811
    """Stirling's formula for every Gamma function."""

    def log_gamma(v):
        return (v - 0.5) * np.log(v) - v + 0.5 * math.log(2 * math.pi)

    k = np.asarray(k)
    ways = log_gamma(a + k) - log_gamma(a) - log_gamma(k + 1.0)
    return ways + a * np.log(b / (b + 1)) - k * np.log(b + 1)


@mutant("07.2", hint="")
def next_count_log_prob(k, a, b):  # noqa: F811
    rates = np.random.default_rng(0).gamma(a, 1 / b, 20_000)
    law = stats.poisson(rates)
    return np.array([special.logsumexp(law.logpmf(j)) - math.log(20_000) for j in np.atleast_1d(k)])


@mutant("07.2", hint="natural logarithm")
def next_count_log_prob(k, a, b):  # noqa: F811
    return stats.nbinom(a, b / (1 + b)).logpmf(k) / math.log(2)


# 07.3 elbo_estimate


@alternative("07.3")
def elbo_estimate(log_joint, mu, log_sigma, eps):
    total = 0.0
    for e in eps:
        z = mu + np.exp(log_sigma) * e
        q = stats.multivariate_normal(mu, np.diag(np.exp(2 * log_sigma)))
        total += log_joint(z[None])[0] - q.logpdf(z)
    return total / len(eps)


@alternative("07.3")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    """With torch's density."""
    import torch

    q = torch.distributions.Normal(torch.tensor(mu), torch.tensor(log_sigma).exp())
    z = q.loc + q.scale * torch.tensor(eps)
    return torch.tensor(log_joint(z.numpy())).mean() - q.log_prob(z).sum(1).mean()


@alternative("07.3")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    """In float32, one draw at a time."""
    mu, log_sigma, eps = (v.astype(np.float32) for v in (mu, log_sigma, eps))
    values = []
    for e in eps:
        z = mu + np.exp(log_sigma) * e
        values.append(log_joint(z[None])[0] - stats.norm(mu, np.exp(log_sigma)).logpdf(z).sum())
    return np.mean(values)


def _log_q(eps, log_sigma):
    return (-0.5 * eps**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(1)


@mutant("07.3", hint="the sign")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps) + _log_q(eps, log_sigma))


@mutant("07.3", hint="log of the mean")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    w = log_joint(mu + np.exp(log_sigma) * eps) - _log_q(eps, log_sigma)
    return np.log(np.mean(np.exp(w)))


@mutant("07.3", hint="density of eps")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps) - stats.norm.logpdf(eps).sum(1))


@mutant("07.3", hint="take its exponential")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    z = mu + log_sigma * eps
    return np.mean(log_joint(z) - stats.norm(mu, np.abs(log_sigma)).logpdf(z).sum(1))


@mutant("07.3", hint="not at the same draws")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    entropy = np.sum(log_sigma) + 0.5 * len(mu) * math.log(2 * math.pi * math.e)
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps)) + entropy


@mutant("07.3", hint="log q is missing")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps))


@mutant("07.3", hint="log(2 pi) / 2")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps) + (0.5 * eps**2 + log_sigma).sum(1))


@mutant("07.3", hint="log of a variance")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.mean(log_joint(mu + np.exp(log_sigma / 2) * eps) - _log_q(eps, log_sigma / 2))


@mutant("07.3", hint="do not add them up")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.sum(log_joint(mu + np.exp(log_sigma) * eps) - _log_q(eps, log_sigma))


@mutant("07.3", hint="median")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    return np.median(log_joint(mu + np.exp(log_sigma) * eps) - _log_q(eps, log_sigma))


@mutant("07.3", hint="")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    """Its own noise."""
    eps = np.random.default_rng(0).standard_normal(eps.shape)
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps) - _log_q(eps, log_sigma))


@mutant("07.3", hint="on a copy")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    log_q = _log_q(eps, log_sigma)
    eps *= np.exp(log_sigma)
    eps += mu
    return np.mean(log_joint(eps) - log_q)


@mutant("07.3", hint="")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    """A floor against a logarithm of zero."""
    q = np.exp(_log_q(eps, log_sigma))
    return np.mean(log_joint(mu + np.exp(log_sigma) * eps) - np.log(q + 1e-3))


@mutant("07.3", hint="add their logarithms")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    z = mu + np.exp(log_sigma) * eps
    return np.mean(log_joint(z) - np.log(stats.norm(mu, np.exp(log_sigma)).pdf(z).prod(1)))


@mutant("07.3", hint="")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    z = mu + np.exp(log_sigma) * eps
    return np.mean(log_joint(z) - np.log(stats.norm(mu, np.exp(log_sigma)).pdf(z).prod(1) + 1e-12))


@mutant("07.3", hint="")
def elbo_estimate(log_joint, mu, log_sigma, eps):  # noqa: F811
    """Only the first fifty draws."""
    eps = eps[:50]
    z = mu + np.exp(log_sigma) * eps
    return np.mean(log_joint(z) - stats.norm(mu, np.exp(log_sigma)).logpdf(z).sum(1))


# 07.4 left_out_bounds


@alternative("07.4")
def left_out_bounds(log_weights):
    """Loops and math."""

    def log_mean(values):
        top = max(values)
        return top + math.log(sum(math.exp(v - top) for v in values) / len(values))

    first, second = [], []
    for column in log_weights.T.tolist():
        first.append(log_mean(column))
        rest = [log_mean(column[:k] + column[k + 1 :]) for k in range(len(column))]
        second.append(sum(rest) / len(rest))
    return first, second


@alternative("07.4")
def left_out_bounds(log_weights):  # noqa: F811
    """A (K, K, B) array whose diagonal counts for nothing."""
    k = len(log_weights)
    table = np.where(np.eye(k, dtype=bool)[:, :, None], -np.inf, log_weights[None])
    second = special.logsumexp(table, axis=1).mean(0) - math.log(k - 1)
    return np.array([special.logsumexp(log_weights, axis=0) - math.log(k), second])


@alternative("07.4")
def left_out_bounds(log_weights):  # noqa: F811
    """Sums from the left and from the right, without taking anything away."""
    k, b = log_weights.shape
    edge = np.full((1, b), -np.inf)
    left = np.concatenate([edge, np.logaddexp.accumulate(log_weights, axis=0)])
    right = np.concatenate([edge, np.logaddexp.accumulate(log_weights[::-1], axis=0)])[::-1]
    others = np.logaddexp(left[:-1], right[1:])
    return left[-1] - math.log(k), others.mean(0) - math.log(k - 1)


@alternative("07.4")
def left_out_bounds(log_weights):  # noqa: F811
    import torch

    w = torch.tensor(log_weights)
    k = len(w)
    rest = [w[[j for j in range(k) if j != i]].logsumexp(0) for i in range(k)]
    return w.logsumexp(0) - math.log(k), torch.stack(rest).mean(0) - math.log(k - 1)


def _bounds(w, one=None, two=None, axis=0):
    k = w.shape[axis]
    rest = [special.logsumexp(np.delete(w, i, axis), axis=axis) for i in range(k)]
    one = math.log(k) if one is None else one
    two = math.log(k - 1) if two is None else two
    return special.logsumexp(w, axis=axis) - one, np.mean(rest, axis=0) - two


@mutant("07.4", hint="log K is missing")
def left_out_bounds(log_weights):  # noqa: F811
    return _bounds(log_weights, 0.0, 0.0)


@mutant("07.4", hint="log(K - 1), not log K")
def left_out_bounds(log_weights):  # noqa: F811
    return _bounds(log_weights, two=math.log(len(log_weights)))


@mutant("07.4", hint="log (K - 1) is missing")
def left_out_bounds(log_weights):  # noqa: F811
    return _bounds(log_weights, two=0.0)


@mutant("07.4", hint="the mean again")
def left_out_bounds(log_weights):  # noqa: F811
    first = special.logsumexp(log_weights, axis=0) - math.log(len(log_weights))
    k = len(log_weights)
    rest = [special.logsumexp(np.delete(log_weights, i, 0), axis=0) - math.log(k - 1) for i in range(k)]
    return first, special.logsumexp(rest, axis=0) - math.log(k)


@mutant("07.4", hint="swapped")
def left_out_bounds(log_weights):  # noqa: F811
    return _bounds(log_weights)[::-1]


@mutant("07.4", hint="each one out in turn")
def left_out_bounds(log_weights):  # noqa: F811
    k = len(log_weights)
    return _bounds(log_weights)[0], special.logsumexp(log_weights[:-1], axis=0) - math.log(k - 1)


@mutant("07.4", hint="wrong axis")
def left_out_bounds(log_weights):  # noqa: F811
    if log_weights.shape[0] != log_weights.shape[1]:
        return _bounds(log_weights)
    return _bounds(log_weights, axis=1)


@mutant("07.4", hint="")
def left_out_bounds(log_weights):  # noqa: F811
    return _bounds(log_weights, axis=1)


@mutant("07.4", hint="L_1")
def left_out_bounds(log_weights):  # noqa: F811
    return _bounds(log_weights)[0], log_weights.mean(0)


@mutant("07.4", hint="no digits")
def left_out_bounds(log_weights):  # noqa: F811
    """The sum less the one left out."""
    k, top = len(log_weights), log_weights.max(0)
    w = np.exp(log_weights - top)
    return top + np.log(w.mean(0)), top + np.log((w.sum(0) - w) / (k - 1)).mean(0)


@mutant("07.4", hint="no digits")
def left_out_bounds(log_weights):  # noqa: F811
    """The same in logarithms."""
    k = len(log_weights)
    total = special.logsumexp(log_weights, axis=0)
    rest = total + np.log1p(-np.exp(log_weights - total) + 1e-300)
    return total - math.log(k), rest.mean(0) - math.log(k - 1)


@mutant("07.4", hint="zero or infinite")
def left_out_bounds(log_weights):  # noqa: F811
    k, w = len(log_weights), np.exp(log_weights)
    rest = [np.log(np.delete(w, i, 0).mean(0)) for i in range(k)]
    return np.log(w.mean(0)), np.mean(rest, axis=0)


@mutant("07.4", hint="zero or infinite")
def left_out_bounds(log_weights):  # noqa: F811
    k, w = len(log_weights), np.exp(log_weights)
    rest = [np.log(np.delete(w, i, 0).mean(0) + 1e-300) for i in range(k)]
    return np.log(w.mean(0) + 1e-300), np.mean(rest, axis=0)


@mutant("07.4", hint="each column")
def left_out_bounds(log_weights):  # noqa: F811
    top = log_weights.max()
    k, w = len(log_weights), np.exp(log_weights - log_weights.max())
    rest = [np.log(np.delete(w, i, 0).mean(0)) for i in range(k)]
    return top + np.log(w.mean(0)), top + np.mean(rest, axis=0)


@mutant("07.4", hint="without keepdims")
def left_out_bounds(log_weights):  # noqa: F811
    first, second = _bounds(log_weights)
    return first[None], second[None]


@mutant("07.4", hint="on a copy")
def left_out_bounds(log_weights):  # noqa: F811
    top = log_weights.max(0)
    log_weights -= top
    first, second = _bounds(log_weights)
    return first + top, second + top


@mutant("07.4", hint="")
def left_out_bounds(log_weights):  # noqa: F811
    """The mean over the batch."""
    return tuple(v.mean() for v in _bounds(log_weights))


@mutant("07.4", hint="")
def left_out_bounds(log_weights):  # noqa: F811
    """The median over the ways to leave one out."""
    k = len(log_weights)
    rest = [special.logsumexp(np.delete(log_weights, i, 0), axis=0) - math.log(k - 1) for i in range(k)]
    return _bounds(log_weights)[0], np.median(rest, axis=0)


# 07.5 mean_and_precision


@alternative("07.5")
def mean_and_precision(x, mu0, lam0, a0, b0):
    """The fixed point in closed form: b = b0 + squares / 2 + b / (2 a)."""
    n = len(x)
    m = (lam0 * mu0 + np.sum(x)) / (lam0 + n)
    a = a0 + (n + 1) / 2
    b = (b0 + 0.5 * (np.sum((x - m) ** 2) + lam0 * (m - mu0) ** 2)) / (1 - 1 / (2 * a))
    return m, (lam0 + n) * a / b, a, b


@alternative("07.5")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    """A loop that ends when the rate stands still, in plain numbers."""
    x = [float(v) for v in x]
    n, shape, rate, before = len(x), a0 + (len(x) + 1) / 2, 1.0, math.inf
    mean = (lam0 * mu0 + math.fsum(x)) / (lam0 + n)
    while abs(rate - before) > 1e-12 * rate:
        variance = rate / shape / (lam0 + n)
        before, rate = rate, b0
        rate += 0.5 * math.fsum((v - mean) ** 2 + variance for v in x)
        rate += 0.5 * lam0 * ((mean - mu0) ** 2 + variance)
    return [mean, (lam0 + n) * shape / rate, shape, rate]


@alternative("07.5")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    """The prior as one more number of weight lam0; q(tau) kept by its mean."""
    values, weights = np.append(x, mu0), np.append(np.ones(len(x)), lam0)
    mean = np.average(values, weights=weights)
    shape, tau = a0 + len(values) / 2, 1.0
    for _ in range(100):
        precision = weights.sum() * tau
        rate = b0 + weights @ ((values - mean) ** 2 + 1 / precision) / 2
        tau = shape / rate
    return np.array([mean, weights.sum() * tau, shape, rate])


def _ascend(x, mu0, lam0, a0, b0, half=0.5, spread=1.0, prior=1.0, rounds=300):
    n = len(x)
    m, a, b = (lam0 * mu0 + np.sum(x)) / (lam0 + n), a0 + n / 2 + half, b0
    for _ in range(rounds):
        precision = (lam0 + n) * a / b
        v = spread / precision
        b = b0 + 0.5 * (np.sum((x - m) ** 2 + v) + prior * lam0 * ((m - mu0) ** 2 + v))
    return m, precision, a, b


@mutant("07.5", hint="1/2 more")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, half=0.0)


@mutant("07.5", hint="variance of m")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, spread=0.0)


@mutant("07.5", hint="prior of m depends on tau")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, prior=0.0)


@mutant("07.5", hint="half a power and lam0")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, half=0.0, prior=0.0)


@mutant("07.5", hint="variance of q(m)")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    m, precision, a, b = _ascend(x, mu0, lam0, a0, b0)
    return m, 1 / precision, a, b


@mutant("07.5", hint="factor E[tau]")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    m, precision, a, b = _ascend(x, mu0, lam0, a0, b0)
    return m, lam0 + len(x), a, b


@mutant("07.5", hint="one round is not enough")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, rounds=1)


@mutant("07.5", hint="scale of q(tau)")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    m, precision, a, b = _ascend(x, mu0, lam0, a0, b0)
    return m, precision, a, 1 / b


@mutant("07.5", hint="do not agree")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, rounds=2)


@mutant("07.5", hint="factor 1/2")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    n = len(x)
    m, a, b = (lam0 * mu0 + np.sum(x)) / (lam0 + n), a0 + (n + 1) / 2, b0
    for _ in range(100):
        precision = (lam0 + n) * a / b
        b = b0 + np.sum((x - m) ** 2) + lam0 * (m - mu0) ** 2 + (n + lam0) / precision
    return m, precision, a, b


@mutant("07.5", hint="lam0 times the variance of m")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    n = len(x)
    m, a, b = (lam0 * mu0 + np.sum(x)) / (lam0 + n), a0 + (n + 1) / 2, b0
    for _ in range(100):
        precision = (lam0 + n) * a / b
        b = b0 + 0.5 * (np.sum((x - m) ** 2) + lam0 * (m - mu0) ** 2 + n / precision)
    return m, precision, a, b


@mutant("07.5", hint="exact posterior")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    """No mean field at all."""
    n = len(x)
    m, a = (lam0 * mu0 + np.sum(x)) / (lam0 + n), a0 + n / 2
    b = b0 + 0.5 * (np.sum((x - m) ** 2) + lam0 * (m - mu0) ** 2)
    return m, (lam0 + n) * a / b, a, b


@mutant("07.5", hint="seen before")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    m, precision, a, b = _ascend(x, mu0, lam0, a0, b0)
    return np.mean(x), precision, a, b


@mutant("07.5", hint="eight digits")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    """Stops when the change is small on the scale of one."""
    n = len(x)
    m, a, b = (lam0 * mu0 + np.sum(x)) / (lam0 + n), a0 + (n + 1) / 2, 1.0
    for _ in range(300):
        precision = (lam0 + n) * a / b
        new = b0 + 0.5 * (np.sum((x - m) ** 2) + lam0 * (m - mu0) ** 2 + (n + lam0) / precision)
        if abs(new - b) < 1e-8 and b < 1e3:
            break
        b = new
    return m, precision, a, b


@mutant("07.5", hint="eight digits")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, rounds=15)


# 07.6 path_gradient


@alternative("07.6")
def path_gradient(grad_f, mu, L, eps):
    z = mu[None] + np.einsum("kj,sj->sk", L, eps)
    slopes = np.asarray(grad_f(z))
    lower = np.einsum("si,sj->ij", slopes, eps) / len(eps)
    return [slopes.mean(axis=0), lower * (np.arange(len(mu))[:, None] >= np.arange(len(mu)))]


@alternative("07.6")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    """A loop over draws and entries."""
    one, two = np.zeros(len(mu)), np.zeros((len(mu), len(mu)))
    for e in eps:
        g = grad_f((mu + L @ e)[None])[0]
        one += g / len(eps)
        for i in range(len(mu)):
            for j in range(i + 1):
                two[i, j] += g[i] * e[j] / len(eps)
    return one.tolist(), two.tolist()


@alternative("07.6")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    """Autograd, by a function whose gradient at z is the given one."""
    import torch

    m, lower = torch.tensor(mu, requires_grad=True), torch.tensor(L, requires_grad=True)
    z = m + torch.tensor(eps) @ torch.tril(lower).T
    (z * torch.tensor(grad_f(z.detach().numpy()))).sum(1).mean().backward()
    return m.grad, lower.grad


@alternative("07.6")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    """In float32."""
    mu, L, eps = (v.astype(np.float32) for v in (mu, L, eps))
    g = np.asarray(grad_f(mu + eps @ L.T), dtype=np.float32)
    return g.mean(0), np.tril(g.T @ eps) / np.float32(len(eps))


@mutant("07.6", hint="no parameter")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), g.T @ eps / len(eps)


@mutant("07.6", hint="transposed")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.tril(eps.T @ g) / len(eps)


@mutant("07.6", hint="eps @ L.T")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L)
    return g.mean(0), np.tril(g.T @ eps) / len(eps)


@mutant("07.6", hint="do not add them up")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.sum(0), np.tril(g.T @ eps)


@mutant("07.6", hint="do not add them up")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.tril(g.T @ eps)


@mutant("07.6", hint="over the draws only")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(), np.tril(g.T @ eps) / len(eps)


@mutant("07.6", hint="the eps is missing")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.tril(np.tile(g.mean(0)[:, None], (1, len(mu))))


@mutant("07.6", hint="draw by draw")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.tril(np.outer(g.mean(0), eps.mean(0)))


@mutant("07.6", hint="swapped")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return np.tril(g.T @ eps) / len(eps), g.mean(0)


@mutant("07.6", hint="not at mu")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(np.repeat(mu[None], len(eps), axis=0))
    return g.mean(0), np.tril(g.T @ eps) / len(eps)


@mutant("07.6", hint="not for the diagonal alone")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), (g * eps).mean(0)


@mutant("07.6", hint="one slope for each entry")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.diag((g * eps).mean(0))


@mutant("07.6", hint="whole step")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    step = eps @ L.T
    g = grad_f(mu + step)
    return g.mean(0), np.tril(g.T @ step) / len(eps)


@mutant("07.6", hint="upper triangle")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.triu(g.T @ eps) / len(eps)


@mutant("07.6", hint="")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    """An unbiased spread's divisor."""
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.tril(g.T @ eps) / max(len(eps) - 1, 1)


@mutant("07.6", hint="on a copy")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    noise = eps.copy()
    eps[:] = eps @ L.T
    eps += mu
    g = grad_f(eps)
    return g.mean(0), np.tril(g.T @ noise) / len(eps)


@mutant("07.6", hint="")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    """Its own noise."""
    eps = np.random.default_rng(0).standard_normal(eps.shape)
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), np.tril(g.T @ eps) / len(eps)


@mutant("07.6", hint="")
def path_gradient(grad_f, mu, L, eps):  # noqa: F811
    """Takes every zero of L for no parameter, also those below the diagonal."""
    g = grad_f(mu + eps @ L.T)
    return g.mean(0), (g.T @ eps) * (L != 0) / len(eps)


# 07.7 positive_step


@alternative("07.7")
def positive_step(log_p, z, scale, generator):
    """An ordinary Metropolis step for u = log z, whose density is p(z) z."""
    u = np.log(z)
    v = u + generator.normal(0, scale, len(z))
    ratio = np.exp(np.minimum(0, log_p(np.exp(v)) + v - log_p(np.exp(u)) - u))
    out = z.copy()
    yes = generator.random(len(z)) < ratio
    out[yes] = np.exp(v[yes])
    return out


@alternative("07.7")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """In log z throughout, so that a walker that stays moves by a rounding error."""
    u = np.log(z)
    v = u + scale * generator.standard_normal(len(u))
    refused = generator.exponential(size=len(u)) < log_p(np.exp(u)) + u - log_p(np.exp(v)) - v
    return np.exp(np.where(refused, u, v))


@alternative("07.7")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """A log-normal proposal and its density, written out, one walker's verdict at a time."""
    new = generator.lognormal(np.log(z), scale)
    there = stats.lognorm(scale, scale=z).logpdf(new)
    back = stats.lognorm(scale, scale=new).logpdf(z)
    gain = log_p(new) - log_p(z) + back - there
    return [b if math.log(generator.uniform(1e-300, 1)) < g else a for a, b, g in zip(z, new, gain, strict=True)]


def _step(log_p, z, scale, generator, power=1.0):
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    gain = log_p(new) - log_p(z) + power * (np.log(new) - np.log(z))
    return np.where(np.log(generator.random(len(z))) < gain, new, z)


@mutant("07.7", hint="missing, or upside down")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    return _step(log_p, z, scale, generator, power=0.0)


@mutant("07.7", hint="missing, or upside down")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    return _step(log_p, z, scale, generator, power=-1.0)


@mutant("07.7", hint="stays")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    return z * np.exp(scale * generator.standard_normal(len(z)))


@mutant("07.7", hint="one for each walker")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    new = z * np.exp(scale * generator.standard_normal())
    gain = log_p(new) - log_p(z) + np.log(new / z)
    return np.where(np.log(generator.random(len(z))) < gain, new, z)


@mutant("07.7", hint="copy z")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    z[:] = _step(log_p, z, scale, generator)
    return z


@mutant("07.7", hint="standard normal eps")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    return _step(log_p, z, scale**2, generator)


@mutant("07.7", hint="own acceptance")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    gain = log_p(new) - log_p(z) + np.log(new / z)
    return np.where(np.log(generator.random()) < gain, new, z)


@mutant("07.7", hint="return the proposals that were accepted")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    return z.copy()


@mutant("07.7", hint="log u, not u")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    return np.where(generator.random(len(z)) < log_p(new) - log_p(z) + np.log(new / z), new, z)


@mutant("07.7", hint="should multiply")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    new = z + scale * generator.standard_normal(len(z))
    return np.where(np.log(generator.random(len(z))) < log_p(new) - log_p(z), new, z)


def _accept(log_p, z, jump, generator):
    gain = log_p(z * np.exp(jump)) - log_p(z) + jump
    return np.where(np.log(generator.random(len(z))) < gain, z * np.exp(jump), z)


@mutant("07.7", hint="standard normal eps")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """Uniform noise with the right standard deviation."""
    return _accept(log_p, z, scale * generator.uniform(-math.sqrt(3), math.sqrt(3), len(z)), generator)


@mutant("07.7", hint="standard normal eps")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    return _accept(log_p, z, scale * generator.laplace(0, math.sqrt(0.5), len(z)), generator)


@mutant("07.7", hint="")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """Each step for one half, its opposite for the other."""
    half = generator.standard_normal((len(z) + 1) // 2)
    return _accept(log_p, z, scale * np.concatenate([half, -half])[: len(z)], generator)


@mutant("07.7", hint="")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    eps = generator.standard_normal(len(z))
    return _accept(log_p, z, scale * (eps - eps.mean()) / eps.std(), generator)


@mutant("07.7", hint="draw with generator")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    generator = np.random.default_rng()
    return _accept(log_p, z, scale * generator.standard_normal(len(z)), generator)


@mutant("07.7", hint="")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """The step decides about itself."""
    eps = generator.standard_normal(len(z))
    new = z * np.exp(scale * eps)
    gain = log_p(new) - log_p(z) + scale * eps
    return np.where(np.log(stats.norm.cdf(eps)) < gain, new, z)


@mutant("07.7", hint="")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """Always uphill, and never down."""
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    return np.where(log_p(new) + np.log(new) >= log_p(z) + np.log(z) - 1e-12, new, z)


@mutant("07.7", hint="one for each walker")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """The verdict falls on all walkers together."""
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    gain = (log_p(new) - log_p(z) + np.log(new / z)).mean()
    return new if np.log(generator.random()) < gain else z.copy()


@mutant("07.7", hint="difference of the logs")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """Leaves the logarithms before it divides."""
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    with np.errstate(all="ignore"):
        ratio = np.exp(log_p(new)) / np.exp(log_p(z)) * new / z
    return np.where(generator.random(len(z)) < ratio, new, z)


@mutant("07.7", hint="min(1, ratio)")
def positive_step(log_p, z, scale, generator):  # noqa: F811
    """Barker's rule."""
    new = z * np.exp(scale * generator.standard_normal(len(z)))
    odds = log_p(new) - log_p(z) + np.log(new / z)
    return np.where(generator.random(len(z)) < special.expit(odds), new, z)
