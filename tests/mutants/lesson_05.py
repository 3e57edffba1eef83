"""Wrong and differently written answers to the exercises of lesson 05."""

import math

import numpy as np
from scipy import optimize, special, stats

from tests.mutants import alternative, mutant

# 05.1 kl_bits


@alternative("05.1")
def kl_bits(p, q):
    return float(special.rel_entr(p, q).sum() / np.log(2))


def _kl(p, q, log=np.log2):
    some = p > 0
    with np.errstate(divide="ignore"):
        return (p[some] * (log(p[some]) - log(q[some]))).sum()


@mutant("05.1", hint="nats")
def kl_bits(p, q):  # noqa: F811
    return _kl(p, q, np.log)


@mutant("05.1", hint="swapped")
def kl_bits(p, q):  # noqa: F811
    return _kl(q, p)


@mutant("05.1", hint="cross-entropy")
def kl_bits(p, q):  # noqa: F811
    return -(p * np.log2(q)).sum()


@mutant("05.1", hint="leave those terms out")
def kl_bits(p, q):  # noqa: F811
    return (p * np.log2(p / q)).sum()


@mutant("05.1", hint="hides the infinite mistake")
def kl_bits(p, q):  # noqa: F811
    some = (p > 0) & (q > 0)
    return (p[some] * np.log2(p[some] / q[some])).sum()


@mutant("05.1", hint="hides the infinite mistake")
def kl_bits(p, q):  # noqa: F811
    return (p * np.log2((p + 1e-12) / (q + 1e-12))).sum()


# 05.2 mean_kl


@alternative("05.2")
def mean_kl(p, q):
    total = 0.0
    for row_p, row_q in zip(p, q, strict=True):
        for a, b in zip(row_p, row_q, strict=True):
            if a > 0:
                total += math.inf if b == 0 else a * math.log(a / b)
    return total / len(p)


@mutant("05.2", hint="swapped")
def mean_kl(p, q):  # noqa: F811
    return (q * (np.log(q + 1e-8) - np.log(p + 1e-8))).mean()


@mutant("05.2", hint="swapped")
def mean_kl(p, q):  # noqa: F811
    return np.mean([_kl(b, a, np.log) for a, b in zip(p, q, strict=True)])


@mutant("05.2", hint="too small by K")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).mean()


@mutant("05.2", hint="wrong axis")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).sum(0).mean()


@mutant("05.2", hint="one number for each row")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).sum(1)


@mutant("05.2", hint="merely bad")
def mean_kl(p, q):  # noqa: F811
    return (p * (np.log(p + 1e-8) - np.log(q + 1e-8))).sum(1).mean()


@mutant("05.2", hint="average it")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).sum()


@mutant("05.2", hint="merely bad")
def mean_kl(p, q):  # noqa: F811
    return (special.xlogy(p, p) - special.xlogy(p, q + 1e-12)).sum(1).mean()


# 05.3 js_bits


@alternative("05.3")
def js_bits(p, q):
    joint = np.stack([p, q]) / 2
    return stats.entropy(joint.sum(0), base=2) + 1 - stats.entropy(joint.ravel(), base=2)


@mutant("05.3", hint="nats")
def js_bits(p, q):  # noqa: F811
    m = (p + q) / 2
    return (_kl(p, m, np.log) + _kl(q, m, np.log)) / 2


@mutant("05.3", hint="against the middle")
def js_bits(p, q):  # noqa: F811
    return (_kl(p, q) + _kl(q, p)) / 2


@mutant("05.3", hint="averaged, not added")
def js_bits(p, q):  # noqa: F811
    m = (p + q) / 2
    return _kl(p, m) + _kl(q, m)


@mutant("05.3", hint="truth comes first")
def js_bits(p, q):  # noqa: F811
    m = (p + q) / 2
    return (_kl(m, p) + _kl(m, q)) / 2


# 05.4 gaussian_kl_nats


@alternative("05.4")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):
    ratio = (sigma_p / sigma_q) ** 2
    return 0.5 * (ratio - 1 - math.log(ratio) + ((mu_p - mu_q) / sigma_q) ** 2)


@mutant("05.4", hint="swapped")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return math.log(sigma_p / sigma_q) + (sigma_q**2 + (mu_p - mu_q) ** 2) / (2 * sigma_p**2) - 0.5


@mutant("05.4", hint="standard deviation")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return 0.5 * (math.log(sigma_q / sigma_p) + (sigma_p + (mu_p - mu_q) ** 2) / sigma_q - 1)


@mutant("05.4", hint="-1/2 is missing")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return math.log(sigma_q / sigma_p) + (sigma_p**2 + (mu_p - mu_q) ** 2) / (2 * sigma_q**2)


@mutant("05.4", hint="squared in the denominator")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return math.log(sigma_q / sigma_p) + (sigma_p**2 + (mu_p - mu_q) ** 2) / (2 * sigma_q) - 0.5


@mutant("05.4", hint="in bits")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    nats = math.log(sigma_q / sigma_p) + (sigma_p**2 + (mu_p - mu_q) ** 2) / (2 * sigma_q**2) - 0.5
    return nats / math.log(2)


# 05.5 reverse_kl_fit


@alternative("05.5")
def reverse_kl_fit(log_p, mu, sigma):
    """Gradient descent with Gauss-Hermite quadrature instead of a simplex on a grid."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()

    def objective(v):
        return -float(weights @ log_p(v[0] + math.exp(v[1]) * nodes)) - v[1]

    found = optimize.minimize(objective, [mu, math.log(sigma)], method="BFGS", options={"gtol": 1e-6})
    return found.x[0], math.exp(found.x[1])


def _fit(objective, mu, sigma):
    found = optimize.minimize(objective, [mu, math.log(sigma)], method="Nelder-Mead", options={"xatol": 1e-6})
    return found.x


_U = np.linspace(-8, 8, 801)
_W = stats.norm(0, 1).pdf(_U) / stats.norm(0, 1).pdf(_U).sum()


@mutant("05.5", hint="random samples is noisy")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    u = np.random.default_rng(1).normal(size=400)
    v = _fit(lambda v: -log_p(v[0] + np.exp(v[1]) * u).mean() - v[1], mu, sigma)
    return v[0], math.exp(v[1])


@mutant("05.5", hint="entropy is missing")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    v = _fit(lambda v: -(_W @ log_p(v[0] + np.exp(v[1]) * _U)), mu, sigma)
    return v[0], math.exp(v[1])


def _reverse(log_p):
    return lambda v: -(_W @ log_p(v[0] + np.exp(v[1]) * _U)) - v[1]


@mutant("05.5", hint="other direction")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    x = np.linspace(-25, 25, 5001)
    w = np.exp(log_p(x) - np.max(log_p(x)))
    w /= w.sum()
    mean = w @ x
    if abs(mean - mu) > 1.6:  # right on two humps by luck, so that the last property must catch it
        v = _fit(_reverse(log_p), mu, sigma)
        return v[0], math.exp(v[1])
    return mean, math.sqrt(w @ (x - mean) ** 2)


@mutant("05.5", hint="covers both humps")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    x = np.linspace(-25, 25, 5001)
    w = np.exp(log_p(x) - np.max(log_p(x)))
    w /= w.sum()
    return w @ x, math.sqrt(w @ x**2 - (w @ x) ** 2)


@mutant("05.5", hint="its exponential")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    return tuple(_fit(_reverse(log_p), mu, sigma))


# 05.6 kl_estimate


@alternative("05.6")
def kl_estimate(log_p, log_q):
    log_ratio = np.asarray(log_p) - np.asarray(log_q)
    return float(np.mean(log_ratio + np.expm1(-log_ratio)))


@mutant("05.6", hint="plain averages")
def kl_estimate(log_p, log_q):  # noqa: F811
    return np.mean(log_p - log_q)


@mutant("05.6", hint="cancels most of the noise")
def kl_estimate(log_p, log_q):  # noqa: F811
    return abs(np.mean(log_p - log_q))


@mutant("05.6", hint="that is k2")
def kl_estimate(log_p, log_q):  # noqa: F811
    return np.mean((log_p - log_q) ** 2) / 2


@mutant("05.6", hint="upside down")
def kl_estimate(log_p, log_q):  # noqa: F811
    u = log_p - log_q
    return np.mean(np.expm1(u) - u)


@mutant("05.6", hint="exp(-5000) is 0")
def kl_estimate(log_p, log_q):  # noqa: F811
    with np.errstate(all="ignore"):
        r = np.exp(log_q) / np.exp(log_p)
        return np.mean(r - 1 - np.log(r))


@mutant("05.6", hint="np.expm1")
def kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return np.mean(np.maximum(np.exp(u) - 1 - u, 0))
