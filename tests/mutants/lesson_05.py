"""Wrong and differently written answers to the exercises of lesson 05."""

import math

import numpy as np
from scipy import optimize, spatial, special, stats

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


@alternative("05.1")
def kl_bits(p, q):  # noqa: F811
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        if a > 0:
            total += math.inf if b == 0 else a * (math.log2(a) - math.log2(b))
    return total


@alternative("05.1")
def kl_bits(p, q):  # noqa: F811
    return np.float32(stats.entropy(p.astype(np.float32), q.astype(np.float32), base=2))


@mutant("05.1", hint="")
def kl_bits(p, q):  # noqa: F811
    if (q == 0).any():  # also where nothing comes
        return math.inf
    return _kl(p, q)


@mutant("05.1", hint="both directions")
def kl_bits(p, q):  # noqa: F811
    return (_kl(p, q) + _kl(q, p)) / 2


@mutant("05.1", hint="count as such")
def kl_bits(p, q):  # noqa: F811
    some = p > 0
    return np.abs(p[some] * np.log2(p[some] / q[some])).sum()


@mutant("05.1", hint="weight each log ratio")
def kl_bits(p, q):  # noqa: F811
    some = p > 0
    return np.log2(p[some] / q[some]).sum()


@mutant("05.1", hint="hides the infinite mistake")
def kl_bits(p, q):  # noqa: F811
    return _kl(p, np.clip(q, 1e-300, None))


@mutant("05.1", hint="")
def kl_bits(p, q):  # noqa: F811
    return min(_kl(p, q), 50.0) if (q > 0).all() else _kl(p, q)  # nothing may cost more


@mutant("05.1", hint="copy")
def kl_bits(p, q):  # noqa: F811
    q /= p  # in place
    with np.errstate(all="ignore"):
        return -np.sum(np.where(p > 0, p * np.log2(q), 0))


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


@alternative("05.2")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).sum(-1).mean()


@alternative("05.2")
def mean_kl(p, q):  # noqa: F811
    p, q = p.astype(np.float32), q.astype(np.float32)
    return np.mean(stats.entropy(p, q, axis=1), dtype=np.float32)


@mutant("05.2", hint="in bits")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).sum(1).mean() / np.log(2)


@mutant("05.2", hint="not the median")
def mean_kl(p, q):  # noqa: F811
    return np.median(special.rel_entr(p, q).sum(1))


@mutant("05.2", hint="KL of the averages")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p.mean(0), q.mean(0)).sum()


@mutant("05.2", hint="merely bad")
def mean_kl(p, q):  # noqa: F811
    rows = special.rel_entr(p, q).sum(1)
    return rows[np.isfinite(rows)].mean()


@mutant("05.2", hint="only where p > 0")
def mean_kl(p, q):  # noqa: F811
    return math.inf if (q == 0).any() else special.rel_entr(p, q).sum(1).mean()


@mutant("05.2", hint="cross-entropy")
def mean_kl(p, q):  # noqa: F811
    return -special.xlogy(p, q).sum(1).mean()


@mutant("05.2", hint="")
def mean_kl(p, q):  # noqa: F811
    return np.where(p > 1e-3, special.rel_entr(p, q), 0).sum(1).mean()  # what is rare is left out


@mutant("05.2", hint="")
def mean_kl(p, q):  # noqa: F811
    return math.inf if ((q < 1e-9) & (p > 0)).any() else special.rel_entr(p, q).sum(1).mean()


@mutant("05.2", hint="")
def mean_kl(p, q):  # noqa: F811
    return special.rel_entr(p, q).sum() / len(np.unique(p, axis=0))


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


@alternative("05.3")
def js_bits(p, q):  # noqa: F811
    return spatial.distance.jensenshannon(p, q, base=2) ** 2


@alternative("05.3")
def js_bits(p, q):  # noqa: F811
    total = 0.0
    for a, b in zip(p.astype(np.float32), q.astype(np.float32), strict=True):
        m = (a + b) / 2
        total += (a * np.log2(a / m) if a > 0 else 0) / 2 + (b * np.log2(b / m) if b > 0 else 0) / 2
    return total


@mutant("05.3", hint="square root")
def js_bits(p, q):  # noqa: F811
    return spatial.distance.jensenshannon(p, q, base=2)


@mutant("05.3", hint="total variation")
def js_bits(p, q):  # noqa: F811
    return np.abs(p - q).sum() / 2


@mutant("05.3", hint="alone")
def js_bits(p, q):  # noqa: F811
    return _kl(p, (p + q) / 2)


@mutant("05.3", hint="geometric")
def js_bits(p, q):  # noqa: F811
    m = np.sqrt(p * q)
    return (_kl(p, m / m.sum()) + _kl(q, m / m.sum())) / 2


@mutant("05.3", hint="*half* the sum")
def js_bits(p, q):  # noqa: F811
    return (_kl(p, p + q) + _kl(q, p + q)) / 2


@mutant("05.3", hint="0 times log 0")
def js_bits(p, q):  # noqa: F811
    m = (p + q) / 2
    return (p * np.log2(p / m) + q * np.log2(q / m)).sum() / 2


@mutant("05.3", hint="0 times log 0")
def js_bits(p, q):  # noqa: F811
    m = (p + q) / 2
    terms = np.where(p > 0, p * np.log2(p / m), 0 * m) + q * np.log2(np.where(q > 0, q, m) / m)
    return terms.sum() / 2  # breaks only where neither gives anything


@mutant("05.3", hint="")
def js_bits(p, q):  # noqa: F811
    both = (p > 0) & (q > 0)  # what only one of them gives is left out
    p, q = p[both], q[both]
    m = (p + q) / 2
    return (p * np.log2(p / m) + q * np.log2(q / m)).sum() / 2


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


@alternative("05.4")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    x, w = np.polynomial.hermite_e.hermegauss(20)
    x = mu_p + sigma_p * x
    log_p, log_q = stats.norm(mu_p, sigma_p).logpdf(x), stats.norm(mu_q, sigma_q).logpdf(x)
    return w @ (log_p - log_q) / w.sum()


@alternative("05.4")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    import torch

    p, q = (torch.distributions.Normal(float(m), float(s)) for m, s in ((mu_p, sigma_p), (mu_q, sigma_q)))
    return torch.distributions.kl_divergence(p, q)


@mutant("05.4", hint="both directions")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    a, b, d = sigma_p**2, sigma_q**2, (mu_p - mu_q) ** 2
    return ((a + d) / b + (b + d) / a - 2) / 4


@mutant("05.4", hint="equal widths only")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return (mu_p - mu_q) ** 2 / (2 * sigma_q**2)


@mutant("05.4", hint="cross-entropy")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return 0.5 * math.log(2 * math.pi * sigma_q**2) + (sigma_p**2 + (mu_p - mu_q) ** 2) / (2 * sigma_q**2)


@mutant("05.4", hint="squared")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    return math.log(sigma_q / sigma_p) + (sigma_p**2 + abs(mu_p - mu_q)) / (2 * sigma_q**2) - 0.5


@mutant("05.4", hint="")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    x = np.linspace(-10, 10, 20001)  # a grid that stays where it is
    p, q = stats.norm(mu_p, sigma_p), stats.norm(mu_q, sigma_q)
    return np.sum(p.pdf(x) * (p.logpdf(x) - q.logpdf(x))) * (x[1] - x[0])


@mutant("05.4", hint="")
def gaussian_kl_nats(mu_p, sigma_p, mu_q, sigma_q):  # noqa: F811
    x = np.random.default_rng(0).normal(mu_p, sigma_p, 100_000)
    return np.mean(stats.norm(mu_p, sigma_p).logpdf(x) - stats.norm(mu_q, sigma_q).logpdf(x))


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


@alternative("05.5")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    """Plain steps downhill, with finite differences, on a grid that moves with q."""
    v, rate = np.array([mu, math.log(sigma)]), 0.4
    cost = _reverse(log_p)
    for _ in range(150):
        slope = np.array([(cost(v + d) - cost(v - d)) / 2e-4 for d in np.eye(2) * 1e-4])
        step = rate * slope * np.array([math.exp(2 * v[1]), 1.0])
        v = v - np.clip(step, -0.2, 0.2)
    return [v[0], math.exp(v[1])]


@alternative("05.5")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    u = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)  # quantiles instead of weights
    found = optimize.minimize(
        lambda v: -np.mean(log_p(v[0] + np.exp(v[1]) * u)) - v[1], [mu, np.log(sigma)], method="Powell"
    )
    return np.array([found.x[0], np.exp(found.x[1])], dtype=np.float32)


@mutant("05.5", hint="Laplace")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    peak = optimize.minimize(lambda x: -log_p(x)[0], [mu], method="Nelder-Mead", options={"xatol": 1e-7}).x
    h = 1e-3
    bend = -(log_p(peak + h) - 2 * log_p(peak) + log_p(peak - h))[0] / h**2
    return peak[0], 1 / math.sqrt(bend)


@mutant("05.5", hint="")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    x = np.linspace(-12, 12, 2401)  # a grid that stays where it is

    def cost(v):
        q = stats.norm(v[0], math.exp(v[1])).pdf(x)
        return -(q @ log_p(x)) * (x[1] - x[0]) - v[1]

    v = _fit(cost, mu, sigma)
    return v[0], math.exp(v[1])


@mutant("05.5", hint="that is the variance")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    v = _fit(_reverse(log_p), mu, sigma)
    return v[0], math.exp(2 * v[1])


@mutant("05.5", hint="the other hump")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    starts = [_fit(_reverse(log_p), m, sigma) for m in (mu, mu + 8, mu - 8)]  # the best of three starts
    v = min(starts, key=_reverse(log_p))
    return v[0], math.exp(v[1])


@mutant("05.5", hint="")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    v = _fit(lambda v: -math.log(np.sum(_W * np.exp(log_p(v[0] + np.exp(v[1]) * _U)))) - v[1], mu, sigma)
    return v[0], math.exp(v[1])


@mutant("05.5", hint="begin with the mean *and* the sigma")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    v = _fit(_reverse(log_p), mu, 1.0)
    return v[0], math.exp(v[1])


# 05.6 reverse_kl_estimate


@alternative("05.6")
def reverse_kl_estimate(log_p, log_q):
    log_ratio = np.asarray(log_p) - np.asarray(log_q)
    r = np.exp(-log_ratio)
    terms = np.where(np.isinf(log_ratio), 0.0, -log_ratio) * r - np.expm1(-log_ratio)
    return float(np.mean(terms))


@alternative("05.6")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    total = 0.0
    for a, b in zip(list(log_p), list(log_q), strict=True):
        u = b - a
        total += 1.0 if u == -math.inf else u * math.exp(u) - math.expm1(u)
    return total / len(log_p)


@alternative("05.6")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    import torch

    u = torch.as_tensor(log_q) - torch.as_tensor(log_p)
    return (
        torch.xlogy(u.exp(), u.exp()) * (u.abs() > 0.5) + torch.where(u.abs() > 0.5, 0.0, u * u.exp()) - u.expm1()
    ).mean()


def _terms(log_p, log_q):
    u = log_q - log_p
    return np.where(np.isneginf(u), 0.0, u) * np.exp(u) - np.expm1(u)


@mutant("05.6", hint="average of r log r")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return np.mean(np.exp(u) * u)


@mutant("05.6", hint="as k3 does")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return np.mean(np.expm1(u) - u)


@mutant("05.6", hint="as k1 does")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return np.mean(log_p - log_q)


@mutant("05.6", hint="weight each sample by r")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return np.mean(log_q - log_p)


@mutant("05.6", hint="its mean is not KL")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return np.var(log_q - log_p) / 2 + np.mean(log_q - log_p) ** 2 / 2


@mutant("05.6", hint="subtracted, not added")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return np.mean(np.exp(u) * u + np.expm1(u))


@mutant("05.6", hint="upside down")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return _terms(log_q, log_p).mean()


@mutant("05.6", hint="biased in a small sample")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    w = np.exp(u - u.max())
    return (w * u).sum() / w.sum()


@mutant("05.6", hint="no longer unbiased")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return abs(np.mean(np.exp(u) * u))


@mutant("05.6", hint="do not add them up")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return _terms(log_p, log_q).sum()


@mutant("05.6", hint="")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return np.median(_terms(log_p, log_q))


@mutant("05.6", hint="before you exponentiate")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    with np.errstate(all="ignore"):
        r = np.exp(log_q) / np.exp(log_p)
        return np.mean(r * np.log(r) - (r - 1))


@mutant("05.6", hint="take care of r = 0")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return np.mean(np.exp(u) * u - np.expm1(u))


@mutant("05.6", hint="-(r - 1) is 1")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    some = np.isfinite(u)
    return np.sum(np.exp(u[some]) * u[some] - np.expm1(u[some])) / len(u)


@mutant("05.6", hint="np.expm1")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = log_q - log_p
    return np.mean(np.maximum(np.where(np.isneginf(u), 0.0, u) * np.exp(u) - (np.exp(u) - 1), 0))


@mutant("05.6", hint="")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return _terms(log_p[:20], log_q[:20]).mean()  # the rest is not looked at


def _quiet(u):
    return float(np.mean(np.exp(u) * u - np.expm1(u)))


@mutant("05.6", hint="clipped")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    return _quiet(np.clip(log_q - log_p, -700, 20))


@mutant("05.6", hint="")
def reverse_kl_estimate(log_p, log_q):  # noqa: F811
    u = np.maximum(log_q - log_p, -800)  # for "small" differences the first term of the series
    return float(np.mean(np.where(np.abs(u) < 0.3, u**2 / 2, np.exp(u) * u - np.expm1(u))))


@mutant("05.5", hint="descend from there")
def reverse_kl_fit(log_p, mu, sigma):  # noqa: F811
    return mu, sigma
