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


# 07.3 elbo_estimate


@alternative("07.3")
def elbo_estimate(log_joint, mu, log_sigma, eps):
    total = 0.0
    for e in eps:
        z = mu + np.exp(log_sigma) * e
        q = stats.multivariate_normal(mu, np.diag(np.exp(2 * log_sigma)))
        total += log_joint(z[None])[0] - q.logpdf(z)
    return total / len(eps)


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


# 07.4 importance_bound


@alternative("07.4")
def importance_bound(log_weights):
    top = np.max(log_weights, axis=0)
    return top + np.log(np.mean(np.exp(log_weights - top), axis=0))


@mutant("07.4", hint="log K is missing")
def importance_bound(log_weights):  # noqa: F811
    return special.logsumexp(log_weights, axis=0)


@mutant("07.4", hint="mean of the logs")
def importance_bound(log_weights):  # noqa: F811
    return np.mean(log_weights, axis=0)


@mutant("07.4", hint="wrong axis")
def importance_bound(log_weights):  # noqa: F811
    return special.logsumexp(log_weights, axis=1) - np.log(log_weights.shape[1])


@mutant("07.4", hint="zero or infinite")
def importance_bound(log_weights):  # noqa: F811
    return np.log(np.mean(np.exp(log_weights), axis=0))


@mutant("07.4", hint="each column")
def importance_bound(log_weights):  # noqa: F811
    top = np.max(log_weights)
    return top + np.log(np.mean(np.exp(log_weights - top), axis=0))


@mutant("07.4", hint="mean over the batch")
def importance_bound(log_weights):  # noqa: F811
    return np.mean(special.logsumexp(log_weights, axis=0) - np.log(len(log_weights)))


@mutant("07.4", hint="zero or infinite")
def importance_bound(log_weights):  # noqa: F811
    return np.log(np.mean(np.exp(log_weights), axis=0) + 1e-300)


@mutant("07.4", hint="without keepdims")
def importance_bound(log_weights):  # noqa: F811
    return special.logsumexp(log_weights, axis=0, keepdims=True) - np.log(len(log_weights))


@mutant("07.4", hint="on a copy")
def importance_bound(log_weights):  # noqa: F811
    top = log_weights.max(0)
    log_weights -= top
    return top + np.log(np.mean(np.exp(log_weights), axis=0))


# 07.5 mean_and_precision


@alternative("07.5")
def mean_and_precision(x, mu0, lam0, a0, b0):
    """The fixed point in closed form: b = b0 + squares / 2 + b / (2 a)."""
    n = len(x)
    m = (lam0 * mu0 + np.sum(x)) / (lam0 + n)
    a = a0 + (n + 1) / 2
    b = (b0 + 0.5 * (np.sum((x - m) ** 2) + lam0 * (m - mu0) ** 2)) / (1 - 1 / (2 * a))
    return m, (lam0 + n) * a / b, a, b


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


@mutant("07.5", hint="not converged")
def mean_and_precision(x, mu0, lam0, a0, b0):  # noqa: F811
    return _ascend(x, mu0, lam0, a0, b0, rounds=2)


# 07.6 path_gradient


@alternative("07.6")
def path_gradient(grad_f, mu, log_sigma, eps):
    z = mu[None] + np.exp(log_sigma)[None] * eps
    slopes = np.asarray(grad_f(z))
    return [slopes.mean(axis=0), np.einsum("sk,sk->k", slopes, z - mu) / len(eps)]


@mutant("07.6", hint="with respect to sigma")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + np.exp(log_sigma) * eps)
    return g.mean(0), (g * eps).mean(0)


@mutant("07.6", hint="take its exponential")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + log_sigma * eps)
    return g.mean(0), (g * log_sigma * eps).mean(0)


@mutant("07.6", hint="do not add them up")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + np.exp(log_sigma) * eps)
    return g.sum(0), (g * np.exp(log_sigma) * eps).sum(0)


@mutant("07.6", hint="over the draws only")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + np.exp(log_sigma) * eps)
    return g.mean(), (g * np.exp(log_sigma) * eps).mean()


@mutant("07.6", hint="the eps is missing")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + np.exp(log_sigma) * eps)
    return g.mean(0), (g * np.exp(log_sigma)).mean(0)


@mutant("07.6", hint="draw by draw")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + np.exp(log_sigma) * eps)
    return g.mean(0), g.mean(0) * (np.exp(log_sigma) * eps).mean(0)


@mutant("07.6", hint="swapped")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(mu + np.exp(log_sigma) * eps)
    return (g * np.exp(log_sigma) * eps).mean(0), g.mean(0)


@mutant("07.6", hint="not at mu")
def path_gradient(grad_f, mu, log_sigma, eps):  # noqa: F811
    g = grad_f(np.repeat(mu[None], len(eps), axis=0))
    return g.mean(0), (g * np.exp(log_sigma) * eps).mean(0)


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
