"""Wrong and differently written answers to the exercises of lesson 14."""

import math

import numpy as np
from scipy.special import log_softmax, logsumexp

from tests.mutants import alternative, mutant


def _rate(mu, log_sigma):
    return 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1) - log_sigma


# 14.1 rate


@alternative("14.1")
def rate(mu, log_sigma):
    sigma = np.exp(log_sigma)
    return -0.5 * np.sum(1 + 2 * log_sigma - mu**2 - sigma**2, axis=-1)


@mutant("14.1", hint="mean over codes")
def rate(mu, log_sigma):  # noqa: F811
    return _rate(mu, log_sigma).mean(1)


@mutant("14.1", hint="logarithm of the variance")
def rate(mu, log_sigma):  # noqa: F811
    return -0.5 * (1 + log_sigma - mu**2 - np.exp(log_sigma)).sum(1)


@mutant("14.1", hint="summed over the batch")
def rate(mu, log_sigma):  # noqa: F811
    return _rate(mu, log_sigma).sum()


@mutant("14.1", hint="sum over the codes")
def rate(mu, log_sigma):  # noqa: F811
    return _rate(mu, log_sigma).sum(0)


@mutant("14.1", hint="not (B, 1)")
def rate(mu, log_sigma):  # noqa: F811
    return _rate(mu, log_sigma).sum(1, keepdims=True)


@mutant("14.1", hint="the sign")
def rate(mu, log_sigma):  # noqa: F811
    return -_rate(mu, log_sigma).sum(1)


@alternative("14.1")
def rate(mu, log_sigma):  # noqa: F811
    return [
        sum((m * m + math.exp(2 * s) - 1) / 2 - s for m, s in zip(*row, strict=True))
        for row in zip(mu.tolist(), log_sigma.tolist(), strict=True)
    ]


@alternative("14.1")
def rate(mu, log_sigma):  # noqa: F811
    import torch

    mu, sigma = torch.tensor(mu), torch.tensor(log_sigma).exp()
    return (0.5 * (mu.square() + sigma.square() - 1) - torch.tensor(log_sigma)).sum(-1)


@alternative("14.1")
def rate(mu, log_sigma):  # noqa: F811
    return 0.5 * (np.einsum("bk,bk->b", mu, mu) + np.expm1(2 * log_sigma).sum(1)) - log_sigma @ np.ones(mu.shape[1])


@mutant("14.1", hint="the other way round")
def rate(mu, log_sigma):  # noqa: F811
    return (0.5 * ((1 + mu**2) * np.exp(-2 * log_sigma) - 1) + log_sigma).sum(1)


@mutant("14.1", hint="-1 is missing")
def rate(mu, log_sigma):  # noqa: F811
    return (0.5 * (mu**2 + np.exp(2 * log_sigma)) - log_sigma).sum(1)


@mutant("14.1", hint="was halved")
def rate(mu, log_sigma):  # noqa: F811
    return 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1 - log_sigma).sum(1)


@mutant("14.1", hint="is 0, and its logarithm")
def rate(mu, log_sigma):  # noqa: F811
    variance = np.exp(log_sigma) ** 2
    return 0.5 * (mu**2 + variance - 1 - np.log(variance)).sum(1)


@mutant("14.1", hint="work on a copy")
def rate(mu, log_sigma):  # noqa: F811
    mu *= mu
    return (0.5 * (mu + np.exp(2 * log_sigma) - 1) - log_sigma).sum(1)


@mutant("14.1", hint="")
def rate(mu, log_sigma):  # noqa: F811
    eps = np.random.default_rng(0).normal(size=(1000, *mu.shape))
    z = mu + np.exp(log_sigma) * eps
    return (0.5 * z**2 - 0.5 * eps**2 - log_sigma).mean(0).sum(1)


@mutant("14.1", hint="sigma^2 = exp(2 log_sigma)")
def rate(mu, log_sigma):  # noqa: F811
    return (0.5 * (mu**2 + np.exp(log_sigma) - 1) - log_sigma).sum(1)


# 14.2 elbo


def _log_p(x, z, decoder):
    return np.take_along_axis(log_softmax(decoder(z), axis=-1), x[..., None], -1)[..., 0]


@alternative("14.2")
def elbo(x, mu, log_sigma, decoder, eps):
    import torch

    logits = torch.as_tensor(decoder(mu + np.exp(log_sigma) * eps))
    surprise = torch.nn.functional.cross_entropy(logits.mT, torch.as_tensor(x), reduction="none")
    return -surprise.sum(1) - torch.as_tensor(_rate(mu, log_sigma)).sum(1)


@mutant("14.2", hint="stay in logarithms")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    p = np.exp(log_softmax(decoder(mu + np.exp(log_sigma) * eps), axis=-1))
    found = np.array([[p[b, d, x[b, d]] for d in range(x.shape[1])] for b in range(len(x))])
    with np.errstate(divide="ignore"):
        return np.log(found).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="averaged over pixels")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    return _log_p(x, mu + np.exp(log_sigma) * eps, decoder).mean(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="not normalised")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    logits = decoder(mu + np.exp(log_sigma) * eps)
    return np.take_along_axis(logits, x[..., None], -1)[..., 0].sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="noise is missing")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    return _log_p(x, mu, decoder).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="sigma squared")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    return _log_p(x, mu + np.exp(2 * log_sigma) * eps, decoder).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="the last axis")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    log_p = log_softmax(decoder(mu + np.exp(log_sigma) * eps), axis=1)
    return np.take_along_axis(log_p, x[..., None], -1)[..., 0].sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="logarithm of the variance")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    cost = -0.5 * (1 + log_sigma - mu**2 - np.exp(log_sigma))
    return _log_p(x, mu + np.exp(log_sigma) * eps, decoder).sum(1) - cost.sum(1)


@alternative("14.2")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    found = []
    for row in range(len(x)):
        z = mu[row] + np.exp(log_sigma[row]) * eps[row]
        logits = decoder(z[None])[0]
        top = logits.max(axis=1)
        log_p = logits[np.arange(len(top)), x[row]] - top - np.log(np.exp(logits - top[:, None]).sum(axis=1))
        found.append(log_p.sum() - _rate(mu[row], log_sigma[row]).sum())
    return found


@alternative("14.2")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    logits = np.moveaxis(decoder(mu + np.exp(log_sigma) * eps), -1, 0)  # (L, B, D)
    picked = (logits * (np.arange(len(logits))[:, None, None] == x)).sum(0)
    cost = np.sum((mu**2 + np.exp(2 * log_sigma) - 2 * log_sigma - 1) / 2, axis=1)
    return (picked - logsumexp(logits, axis=0)).sum(axis=1) - cost


@mutant("14.2", hint="right on average")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    z = mu + np.exp(log_sigma) * eps
    return _log_p(x, z, decoder).sum(1) + (-0.5 * z**2 + 0.5 * eps**2 + log_sigma).sum(1)


@mutant("14.2", hint="stay in logarithms")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    with np.errstate(all="ignore"):
        p = np.exp(decoder(mu + np.exp(log_sigma) * eps))
        p = p / p.sum(-1, keepdims=True)
        return np.log(np.take_along_axis(p, x[..., None], -1)[..., 0]).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="stay in logarithms")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    p = np.exp(log_softmax(decoder(mu + np.exp(log_sigma) * eps), axis=-1)) + 1e-12
    return np.log(np.take_along_axis(p, x[..., None], -1)[..., 0]).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="most probable one")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    return log_softmax(decoder(mu + np.exp(log_sigma) * eps), -1).max(-1).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="from the prior")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    return _log_p(x, eps, decoder).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    eps = np.random.default_rng(0).normal(size=eps.shape)  # its own noise
    return _log_p(x, mu + np.exp(log_sigma) * eps, decoder).sum(1) - _rate(mu, log_sigma).sum(1)


@mutant("14.2", hint="the sign of the noise")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    return _log_p(x, mu - np.exp(log_sigma) * eps, decoder).sum(1) - _rate(mu, log_sigma).sum(1)


# 14.3 gaussian_bound


@alternative("14.3")
def gaussian_bound(x, mean, s, mu, log_var):
    log_p = -0.5 * ((x - mean) / s) ** 2 - np.log(s) - 0.5 * np.log(2 * np.pi)
    kl = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var)
    return log_p.sum(axis=1) - kl.sum(axis=1)


@mutant("14.3", hint="constant is missing")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    return -0.5 * (((x - mean) / s) ** 2).sum(1) - _rate(mu, log_var / 2).sum(1)


@mutant("14.3", hint="what was published")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    return -((x - mean) ** 2).mean() + 0.5 * (1 + log_var - mu**2 - np.exp(log_var)).sum(1).mean()


@mutant("14.3", hint="two of three")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    return -((x - mean) ** 2).mean(1) / (2 * s**2) - _rate(mu, log_var / 2).sum(1)


@mutant("14.3", hint="the variance in it")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    log_p = -((x - mean) ** 2) / (2 * s**2) - 0.5 * np.log(2 * np.pi * s)
    return log_p.sum(1) - _rate(mu, log_var / 2).sum(1)


@mutant("14.3", hint="no log-density")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    return -((x - mean) ** 2).sum(1) - _rate(mu, log_var / 2).sum(1)


@mutant("14.3", hint="averaged over pixels")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    constant = x.shape[1] * np.log(s * np.sqrt(2 * np.pi))
    return -0.5 * (((x - mean) / s) ** 2).mean(1) - constant - _rate(mu, log_var / 2).sum(1)


@mutant("14.3", hint="logarithm of the variance")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    constant = x.shape[1] * np.log(s * np.sqrt(2 * np.pi))
    return -0.5 * (((x - mean) / s) ** 2).sum(1) - constant - _rate(mu, log_var).sum(1)


@alternative("14.3")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    import torch
    from torch.distributions import Normal

    log_p = Normal(torch.tensor(mean), s).log_prob(torch.tensor(x)).sum(1)
    kl = -0.5 * (1 + torch.tensor(log_var) - torch.tensor(mu) ** 2 - torch.tensor(log_var).exp())
    return log_p - kl.sum(1)


@alternative("14.3")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    found = []
    for a, b, m, v in zip(x, mean, mu, log_var, strict=True):
        value = -len(a) / 2 * math.log(2 * math.pi * s**2) - ((a - b) @ (a - b)) / (2 * s**2)
        found.append(value - sum((p * p + math.exp(q) - 1 - q) / 2 for p, q in zip(m, v, strict=True)))
    return found


@mutant("14.3", hint="not the variance")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    log_p = -((x - mean) ** 2) / (2 * s) - 0.5 * np.log(2 * np.pi * s)
    return log_p.sum(1) - _rate(mu, log_var / 2).sum(1)


@mutant("14.3", hint="the rate is missing")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    return (-0.5 * ((x - mean) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))).sum(1)


@mutant("14.3", hint="not of the batch")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    log_p = -0.5 * ((x - mean) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))
    return log_p.sum(1) - _rate(mu, log_var / 2).sum(1).mean()


@mutant("14.3", hint="is 0, and its logarithm")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    log_p = -0.5 * ((x - mean) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))
    sigma = np.sqrt(np.exp(log_var))
    return log_p.sum(1) - (0.5 * (mu**2 + sigma**2 - 1) - np.log(sigma)).sum(1)


@mutant("14.3", hint="every pixel has its constant")
def gaussian_bound(x, mean, s, mu, log_var):  # noqa: F811
    density = -0.5 * ((x - mean) ** 2).sum(1) / s**2 - math.log(s * math.sqrt(2 * math.pi))
    return density - _rate(mu, log_var / 2).sum(1)


# 14.4 free_bits


def _sums(kl, groups):
    return np.array([kl.mean(0)[groups == g].sum() for g in np.unique(groups)])


@alternative("14.4")
def free_bits(kl, least, groups):
    total = {}
    for column, group in zip(kl.T.tolist(), groups.tolist(), strict=True):
        total[group] = total.get(group, 0.0) + sum(column) / len(column)
    return sum(max(least, value) for value in total.values())


@alternative("14.4")
def free_bits(kl, least, groups):  # noqa: F811
    _, index = np.unique(groups, return_inverse=True)
    return np.maximum(np.bincount(index, kl.mean(0)), least).sum()


@alternative("14.4")
def free_bits(kl, least, groups):  # noqa: F811
    import torch

    belongs = torch.tensor(groups)[:, None] == torch.unique(torch.tensor(groups))
    return (torch.tensor(kl).mean(0) @ belongs.double()).clamp_min(least).sum()


@mutant("14.4", hint="not in each example")
def free_bits(kl, least, groups):  # noqa: F811
    each = np.stack([kl[:, groups == g].sum(1) for g in np.unique(groups)], 1)
    return np.maximum(each, least).sum(1).mean()


@mutant("14.4", hint="not the smaller")
def free_bits(kl, least, groups):  # noqa: F811
    return np.minimum(_sums(kl, groups), least).sum()


@mutant("14.4", hint="cannot be lent")
def free_bits(kl, least, groups):  # noqa: F811
    return max(kl.sum(1).mean(), least * len(np.unique(groups)))


@mutant("14.4", hint="allowance is shared")
def free_bits(kl, least, groups):  # noqa: F811
    return np.maximum(kl.mean(0), least).sum()


@mutant("14.4", hint="is no group")
def free_bits(kl, least, groups):  # noqa: F811
    return np.maximum(np.bincount(groups, kl.mean(0)), least).sum()


@mutant("14.4", hint="need not be neighbours")
def free_bits(kl, least, groups):  # noqa: F811
    cuts = np.flatnonzero(np.diff(np.sort(groups))) + 1
    return sum(max(least, part.sum()) for part in np.split(kl.mean(0), cuts))


@mutant("14.4", hint="same gradient")
def free_bits(kl, least, groups):  # noqa: F811
    return np.maximum(_sums(kl, groups) - least, 0).sum()


@mutant("14.4", hint="no mean over the codes")
def free_bits(kl, least, groups):  # noqa: F811
    return sum(max(least, kl[:, groups == g].mean()) for g in np.unique(groups))


@mutant("14.4", hint="add them up")
def free_bits(kl, least, groups):  # noqa: F811
    return np.maximum(_sums(kl, groups), least)


@mutant("14.4", hint="")
def free_bits(kl, least, groups):  # noqa: F811
    return np.maximum(_sums(kl, groups), least)[1:].sum() + least


# 14.5 importance_weighted_bound


@alternative("14.5")
def importance_weighted_bound(log_joint, log_q):
    w = log_joint - log_q
    top = w.max(axis=0)
    return top + np.log(np.mean(np.exp(w - top), axis=0))


@mutant("14.5", hint="mean of the logarithms")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return (log_joint - log_q).mean(0)


@mutant("14.5", hint="-log S is missing")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return logsumexp(log_joint - log_q, axis=0)


@mutant("14.5", hint="largest before exp")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    with np.errstate(divide="ignore"):
        return np.log(np.exp(log_joint - log_q).mean(0))


@mutant("14.5", hint="log_q is missing")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return logsumexp(log_joint, axis=0) - np.log(len(log_joint))


@mutant("14.5", hint="axes")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return logsumexp(log_joint - log_q, axis=1) - np.log(log_q.shape[1])


@alternative("14.5")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    import torch

    w = torch.tensor(log_joint) - torch.tensor(log_q)
    return torch.logsumexp(w, 0) - math.log(len(w))


@alternative("14.5")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return np.logaddexp.reduce(log_joint - log_q, axis=0) - np.log(log_joint.shape[0])


@mutant("14.5", hint="own largest")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    w = log_joint - log_q
    with np.errstate(divide="ignore"):
        return w.max() + np.log(np.exp(w - w.max()).mean(0))


@mutant("14.5", hint="not the last")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return logsumexp(log_joint - log_q, axis=0) - np.log(log_joint.shape[1])


@mutant("14.5", hint="upside down")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return logsumexp(log_q - log_joint, axis=0) - np.log(len(log_q))


@mutant("14.5", hint="largest weight only")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return (log_joint - log_q).max(0)


@mutant("14.5", hint="ratio of means")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    return logsumexp(log_joint, axis=0) - logsumexp(log_q, axis=0)


@mutant("14.5", hint="before any exp")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    top = log_joint.max(0)
    with np.errstate(all="ignore"):
        return top + np.log((np.exp(log_joint - top) / np.exp(log_q)).mean(0))


@mutant("14.5", hint="")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    w = log_joint - log_q
    return w.mean(0) + 0.5 * w.var(0)  # a Gaussian's logarithm of a mean


@mutant("14.5", hint="own largest")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    w = log_joint - log_q
    return w[0] + np.log(np.exp(w - w[0]).mean(0))


@mutant("14.5", hint="own largest")
def importance_weighted_bound(log_joint, log_q):  # noqa: F811
    w = np.maximum(log_joint - log_q, -20_000)
    return w.mean(0) + np.log(np.exp(w - w.mean(0)).mean(0))


# 14.6 traversal


@alternative("14.6")
def traversal(decode, z, k, values):
    return decode(np.array([[v if i == k else z[i] for i in range(len(z))] for v in values]))


@mutant("14.6", hint="not moved by them")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.tile(z, (len(values), 1))
    codes[:, k] += values
    return decode(codes)


@mutant("14.6", hint="not at 0")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.zeros((len(values), len(z)))
    codes[:, k] = values
    return decode(codes)


@mutant("14.6", hint="own copy of z")
def traversal(decode, z, k, values):  # noqa: F811
    rows, code = [], z.copy()
    for v in values:
        code[k] = v
        rows.append(code)
    return decode(np.array([code for _ in rows]))


@mutant("14.6", hint="copy z before")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.tile(z, (len(values), 1))
    codes[:, k] = values
    z[k] = values[-1]
    return decode(codes)


@alternative("14.6")
def traversal(decode, z, k, values):  # noqa: F811
    import torch

    codes = torch.tensor(z).repeat(len(values), 1)
    codes[:, k] = torch.tensor(values)
    return torch.tensor(decode(codes.numpy()))


@alternative("14.6")
def traversal(decode, z, k, values):  # noqa: F811
    here = np.eye(len(z))[k]
    return decode(z * (1 - here) + np.outer(values, here))


@mutant("14.6", hint="decode them together")
def traversal(decode, z, k, values):  # noqa: F811
    pictures = []
    for value in values:
        code = z.copy()
        code[k] = value
        pictures.append(decode(code[None])[0])
    return np.array(pictures)


@mutant("14.6", hint="number 0")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.tile(z, (len(values), 1))
    codes[:, (k + 1) % len(z)] = values
    return decode(codes)


@mutant("14.6", hint="decode them")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.tile(z, (len(values), 1))
    codes[:, k] = values
    return codes


@mutant("14.6", hint="not sorted")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.tile(z, (len(values), 1))
    codes[:, k] = np.sort(values)
    return decode(codes)


@mutant("14.6", hint="")
def traversal(decode, z, k, values):  # noqa: F811
    codes = np.tile(z, (len(values), 1))
    codes[:, k] = np.linspace(values[0], values[-1], len(values))
    return decode(codes)
