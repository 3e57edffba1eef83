"""Wrong and differently written answers to the exercises of lesson 14."""

import numpy as np
from scipy.special import log_softmax, logsumexp

from tests.mutants import alternative, mutant


def _rate(mu, log_sigma):
    return 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1) - log_sigma


# 14.1 rate


@alternative("14.1")
def rate(mu, log_sigma):
    sigma = np.exp(log_sigma)
    return -0.5 * np.sum(1 + np.log(sigma**2) - mu**2 - sigma**2, axis=-1)


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


# 14.2 elbo


def _log_p(x, z, decoder):
    return np.take_along_axis(log_softmax(decoder(z), axis=-1), x[..., None], -1)[..., 0]


@alternative("14.2")
def elbo(x, mu, log_sigma, decoder, eps):
    import torch

    logits = torch.as_tensor(decoder(mu + np.exp(log_sigma) * eps))
    surprise = torch.nn.functional.cross_entropy(logits.mT, torch.as_tensor(x), reduction="none")
    return -surprise.sum(1) - torch.as_tensor(_rate(mu, log_sigma)).sum(1)


@alternative("14.2")
def elbo(x, mu, log_sigma, decoder, eps):  # noqa: F811
    p = np.exp(log_softmax(decoder(mu + np.exp(log_sigma) * eps), axis=-1))
    found = np.array([[p[b, d, x[b, d]] for d in range(x.shape[1])] for b in range(len(x))])
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


# 14.4 free_bits


@alternative("14.4")
def free_bits(kl, least):
    return float(sum(max(least, column.mean()) for column in kl.T))


@mutant("14.4", hint="not in each example")
def free_bits(kl, least):  # noqa: F811
    return np.maximum(kl, least).sum(1).mean()


@mutant("14.4", hint="not the smaller")
def free_bits(kl, least):  # noqa: F811
    return np.minimum(kl.mean(0), least).sum()


@mutant("14.4", hint="not for their sum")
def free_bits(kl, least):  # noqa: F811
    return max(kl.sum(1).mean(), least)


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
