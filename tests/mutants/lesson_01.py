"""Wrong and differently written answers to the exercises of lesson 01."""

import math

import numpy as np
from scipy import special, stats

from tests.mutants import alternative, mutant

# 01.1 posterior_from_joint


@alternative("01.1")
def posterior_from_joint(log_joint):
    evidence = np.logaddexp.reduce(log_joint, axis=1)
    return np.exp(log_joint - evidence[:, None]), evidence


@mutant("01.1", hint="exp(-900) is 0")
def posterior_from_joint(log_joint):  # noqa: F811
    joint = np.exp(log_joint)
    with np.errstate(all="ignore"):
        return joint / joint.sum(1, keepdims=True), np.log(joint.sum(1))


@mutant("01.1", hint="the wrong axis")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.softmax(log_joint, axis=0), special.logsumexp(log_joint, axis=1)


@mutant("01.1", hint="never added back")
def posterior_from_joint(log_joint):  # noqa: F811
    p = np.exp(log_joint - log_joint.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True), np.log(p.sum(1))


@mutant("01.1", hint="its own largest")
def posterior_from_joint(log_joint):  # noqa: F811
    p = np.exp(log_joint - log_joint.max())
    with np.errstate(all="ignore"):
        return p / p.sum(1, keepdims=True), np.log(p.sum(1)) + log_joint.max()


@mutant("01.1", hint="log of a product")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.softmax(log_joint, axis=1), log_joint.sum(1)


@mutant("01.1", hint="joint probabilities")
def posterior_from_joint(log_joint):  # noqa: F811
    return np.exp(log_joint), special.logsumexp(log_joint, axis=1)


@mutant("01.1", hint="its logarithm is asked for")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.softmax(log_joint, axis=1), np.exp(special.logsumexp(log_joint, axis=1))


@mutant("01.1", hint="work on a copy")
def posterior_from_joint(log_joint):  # noqa: F811
    evidence = special.logsumexp(log_joint, axis=1)
    log_joint -= evidence[:, None]
    return np.exp(log_joint), evidence


@mutant("01.1", hint="a column of shape (B, 1)")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.softmax(log_joint, axis=1), special.logsumexp(log_joint, axis=1, keepdims=True)


@mutant("01.1", hint="swap the two")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.logsumexp(log_joint, axis=1), special.softmax(log_joint, axis=1)


@alternative("01.1")
def posterior_from_joint(log_joint):  # noqa: F811
    """Row by row, in lists, from log odds."""
    posterior = [
        [1 / sum(math.exp(min(b - a, 700)) for b in row) if a > -math.inf else 0.0 for a in row]
        for row in log_joint.tolist()
    ]
    top = [max(row) for row in log_joint.tolist()]
    evidence = [m + math.log(sum(math.exp(a - m) for a in row)) for m, row in zip(top, log_joint.tolist(), strict=True)]
    return posterior, evidence


@alternative("01.1")
def posterior_from_joint(log_joint):  # noqa: F811
    joint = log_joint.astype(np.float32)
    return special.softmax(joint, axis=1), special.logsumexp(joint, axis=1)


@mutant("01.1", hint="to make it safe")
def posterior_from_joint(log_joint):  # noqa: F811
    p = special.softmax(log_joint, axis=1) + 1e-10
    return p / p.sum(1, keepdims=True), special.logsumexp(log_joint, axis=1)


@mutant("01.1", hint="its own largest")
def posterior_from_joint(log_joint):  # noqa: F811
    middle = log_joint.mean(1, keepdims=True)  # the mean of the row, not its largest
    with np.errstate(all="ignore"):
        p = np.exp(log_joint - middle)
        return p / p.sum(1, keepdims=True), np.log(p.sum(1)) + middle[:, 0]


@mutant("01.1", hint="")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.softmax(log_joint, axis=1).squeeze(), special.logsumexp(log_joint, axis=1)


@mutant("01.1", hint="log of a product")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.softmax(log_joint, axis=1), log_joint.sum(axis=1) + 0.0


@mutant("01.1", hint="exponentiate it")
def posterior_from_joint(log_joint):  # noqa: F811
    return special.log_softmax(log_joint, axis=1), special.logsumexp(log_joint, axis=1)


@mutant("01.1", hint="takes away the batch")
def posterior_from_joint(log_joint):  # noqa: F811
    evidence = np.logaddexp.reduce(log_joint, axis=1, keepdims=True)
    return np.exp(log_joint - evidence), np.squeeze(evidence)


@mutant("01.1", hint="cut off")
def posterior_from_joint(log_joint):  # noqa: F811
    kept = np.maximum(log_joint, log_joint.max(1, keepdims=True) - 50)
    return special.softmax(kept, axis=1), special.logsumexp(kept, axis=1)


# 01.2 lda_weights


@alternative("01.2")
def lda_weights(mean_0, mean_1, cov, prior_1):
    precision = np.linalg.inv(cov)
    w = precision @ mean_1 - precision @ mean_0
    b = 0.5 * (mean_0 @ precision @ mean_0 - mean_1 @ precision @ mean_1) + special.logit(prior_1)
    return w, float(b)


def _lda(mean_0, mean_1, cov):
    w = np.linalg.solve(cov, mean_1 - mean_0)
    return w, -w @ (mean_0 + mean_1) / 2


@mutant("01.2", hint="the prior is missing")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    return _lda(mean_0, mean_1, cov)


@mutant("01.2", hint="is no odds")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_0, mean_1, cov)
    return w, b + math.log(prior_1)


@mutant("01.2", hint="swap the means")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_1, mean_0, cov)
    return w, b + special.logit(prior_1)


@mutant("01.2", hint="covariance is missing")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w = mean_1 - mean_0
    return w, -w @ (mean_0 + mean_1) / 2 + special.logit(prior_1)


@mutant("01.2", hint="its inverse is needed")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w = cov @ (mean_1 - mean_0)
    return w, -w @ (mean_0 + mean_1) / 2 + special.logit(prior_1)


@mutant("01.2", hint="covariances between the dimensions")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w = (mean_1 - mean_0) / np.diag(cov)
    return w, -w @ (mean_0 + mean_1) / 2 + special.logit(prior_1)


@mutant("01.2", hint="factor of one half")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_0, mean_1, cov)
    return w, 2 * b + special.logit(prior_1)


@mutant("01.2", hint="no square of a difference")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, _ = _lda(mean_0, mean_1, cov)
    return w, special.logit(prior_1) - w @ (mean_1 - mean_0) / 2


@mutant("01.2", hint="the square of mean_0 is missing")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, _ = _lda(mean_0, mean_1, cov)
    return w, special.logit(prior_1) - mean_1 @ np.linalg.solve(cov, mean_1) / 2


@alternative("01.2")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    """The log odds at the origin and one step along each axis."""
    law = stats.multivariate_normal
    corners = np.vstack([np.zeros(len(mean_0)), np.eye(len(mean_0))]) * 1e-4
    odds = np.atleast_1d(law(mean_1, cov).logpdf(corners) - law(mean_0, cov).logpdf(corners))
    return ((odds[1:] - odds[0]) * 1e4).tolist(), odds[0] + math.log(prior_1) - math.log1p(-prior_1)


@alternative("01.2")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w = np.linalg.lstsq(cov.astype(np.float32), (mean_1 - mean_0).astype(np.float32), rcond=None)[0]
    return w, np.array([-w @ (mean_0 + mean_1) / 2 + special.logit(prior_1)])


@mutant("01.2", hint="the sign of b as a whole")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_0, mean_1, cov)
    return w, -(b + special.logit(prior_1))


@mutant("01.2", hint="yours does so at mean_1")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, _ = _lda(mean_0, mean_1, cov)
    return w, special.logit(prior_1) - w @ mean_1


@mutant("01.2", hint="")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_0, mean_1, cov)
    return w, b + special.logit(np.clip(prior_1, 1e-6, 1 - 1e-6))


@mutant("01.2", hint="added to the covariance")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_0, mean_1, cov + 1e-9 * np.eye(len(cov)))
    return w, b + special.logit(prior_1)


@mutant("01.2", hint="wrong sign")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w, b = _lda(mean_0, mean_1, cov)
    return w, b - special.logit(prior_1)


@mutant("01.2", hint="")
def lda_weights(mean_0, mean_1, cov, prior_1):  # noqa: F811
    w = np.linalg.solve(cov, mean_1 - mean_0)
    even = abs(prior_1 - 0.5) < 0.05  # as good as equal?
    return w, (0 if even else math.log(prior_1 / (1 - prior_1))) - w @ (mean_0 + mean_1) / 2


# 01.3 change_prior


@alternative("01.3")
def change_prior(posterior, old_prior, new_prior):
    with np.errstate(divide="ignore"):
        return special.softmax(np.log(posterior) + np.log(new_prior) - np.log(old_prior), axis=1)


def _rows(p):
    return p / p.sum(1, keepdims=True)


@mutant("01.3", hint="divide by it first")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return _rows(posterior * new_prior)


@mutant("01.3", hint="no longer sum to 1")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return posterior * new_prior / old_prior


@mutant("01.3", hint="upside down")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    with np.errstate(all="ignore"):
        return _rows(posterior * old_prior / new_prior)


@mutant("01.3", hint="the new one is not in")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return _rows(posterior / old_prior)


@mutant("01.3", hint="old posterior")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return posterior


@mutant("01.3", hint="work on a copy")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    posterior *= new_prior / old_prior
    return _rows(posterior)


@mutant("01.3", hint="divide by its sum")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    p = posterior * new_prior / old_prior
    return p / p.max(1, keepdims=True)


@mutant("01.3", hint="over everything")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    p = posterior * new_prior / old_prior
    return p / p.sum()


@alternative("01.3")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    out = []
    for row in posterior:
        joint = [float(p) * float(n) / float(o) for p, o, n in zip(row, old_prior, new_prior, strict=True)]
        out.append([j / sum(joint) for j in joint])
    return out


@alternative("01.3")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    p = posterior.astype(np.float32) @ np.diag(new_prior / old_prior)
    return (p.T / p.T.sum(0)).T


@mutant("01.3", hint="do not estimate them")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return _rows(posterior / posterior.mean(0) * new_prior)


@mutant("01.3", hint="to make it safe")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return _rows(posterior / (old_prior + 1e-8) * new_prior)


@mutant("01.3", hint="not shifted by a difference")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return posterior + new_prior - old_prior


@mutant("01.3", hint="that is the new prior alone")
def change_prior(posterior, old_prior, new_prior):  # noqa: F811
    return np.tile(new_prior, (len(posterior), 1))


# 01.4 log_prob_of_seen


@alternative("01.4")
def log_prob_of_seen(x, mean, cov):
    """Pixel by pixel: log p(x_1) + log p(x_2 | x_1) + ..., each a conditional of one dimension."""
    out = np.zeros(len(x))
    for n, row in enumerate(x):
        before = []
        for i in np.flatnonzero(~np.isnan(row)):
            mu, var = mean[i], cov[i, i]
            if before:
                weights = np.linalg.solve(cov[np.ix_(before, before)], cov[before, i])
                mu, var = mu + weights @ (row[before] - mean[before]), var - weights @ cov[before, i]
            out[n] += -0.5 * math.log(2 * math.pi * var) - (row[i] - mu) ** 2 / (2 * var)
            before.append(i)
    return out


def _log_gaussian(x, mean, cov):
    d = x - mean
    squared = (d * np.linalg.solve(cov, d.T).T).sum(1)
    return -0.5 * (squared + np.linalg.slogdet(cov)[1] + len(mean) * math.log(2 * math.pi))


@mutant("01.4", hint="the means were put in")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    return _log_gaussian(np.where(np.isnan(x), mean, x), mean, cov)


@mutant("01.4", hint="zeros were put in")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    return _log_gaussian(np.nan_to_num(x), mean, cov)


@mutant("01.4", hint="left out of the inverse")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    precision, out = np.linalg.inv(cov), np.zeros(len(x))
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        d, part = row[s] - mean[s], precision[np.ix_(s, s)]
        out[n] = -0.5 * (d @ part @ d - np.linalg.slogdet(part)[1] + s.sum() * math.log(2 * math.pi))
    return out


@mutant("01.4", hint="not for all D")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        if s.any():
            out[n] = _log_gaussian(row[None, s], mean[s], cov[np.ix_(s, s)])[0]
            out[n] -= 0.5 * (len(mean) - s.sum()) * math.log(2 * math.pi)
    return out


@mutant("01.4", hint="do not calculate with the missing numbers")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    return _log_gaussian(x, mean, cov)


@mutant("01.4", hint="slogdet")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        d, part = row[s] - mean[s], cov[np.ix_(s, s)]
        with np.errstate(divide="ignore"):
            volume = np.log(np.linalg.det(2 * math.pi * part)) if s.any() else 0.0
        out[n] = -0.5 * (d @ np.linalg.solve(part, d) + volume)
    return out


@mutant("01.4", hint="taken to be independent")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    return np.nansum(stats.norm(mean, np.sqrt(np.diag(cov))).logpdf(x), axis=1)


@mutant("01.4", hint="do not calculate with the missing numbers")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    seen = ~np.isnan(x[0])  # the first row's pattern for all
    return _log_gaussian(x[:, seen], mean[seen], cov[np.ix_(seen, seen)])


@mutant("01.4", hint="np.ix_")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        if s.any():
            out[n] = _log_gaussian(row[None, s], mean[s], np.diag(cov[s, s]))[0]
    return out


@alternative("01.4")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    """Missing numbers given a variance so large that they say nothing, and its log taken out again."""
    out = []
    for row in x:
        s = np.flatnonzero(~np.isnan(row)).tolist()
        law = stats.multivariate_normal(mean[s], cov[s][:, s]) if s else None
        out.append(float(law.logpdf(row[s])) if s else 0.0)
    return out


@alternative("01.4")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    seen = ~np.isnan(x)
    block = seen[:, :, None] & seen[:, None, :]
    covs = np.where(block, cov, np.eye(len(mean)))  # (B, D, D): the missing stand apart, with variance 1, at 0
    d = np.where(seen, x - mean, 0.0)
    squared = (d * np.linalg.solve(covs, d[:, :, None])[:, :, 0]).sum(1)
    return -0.5 * (squared + np.linalg.slogdet(covs)[1] + seen.sum(1) * math.log(2 * math.pi))


@mutant("01.4", hint="do not go by way of the density")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        if s.any():
            out[n] = np.log(np.exp(_log_gaussian(row[None, s], mean[s], cov[np.ix_(s, s)])[0]) + 1e-100)
    return out


@mutant("01.4", hint="work on a copy")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        row -= mean
        if s.any():
            out[n] = _log_gaussian(row[None, s], np.zeros(s.sum()), cov[np.ix_(s, s)])[0]
    return out


@mutant("01.4", hint="")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.full(len(x), -np.inf)  # where nothing is seen
    for n, row in enumerate(x):
        s = ~np.isnan(row)
        if s.any():
            out[n] = _log_gaussian(row[None, s], mean[s], cov[np.ix_(s, s)])[0]
    return out


@mutant("01.4", hint="exp(-900)")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for i, row in enumerate(x):
        s = ~np.isnan(row)
        if s.any():
            density = stats.multivariate_normal(mean[s], cov[np.ix_(s, s)]).pdf(row[s])
            out[i] = math.log(max(density, 5e-324))
    return out


@mutant("01.4", hint="work on a copy")
def log_prob_of_seen(x, mean, cov):  # noqa: F811
    out = np.zeros(len(x))
    for i, row in enumerate(x):
        s = ~np.isnan(row)
        if s.any():
            out[i] = stats.multivariate_normal(mean[s], cov[np.ix_(s, s)]).logpdf(row[s])
        row[~s] = 0
    return out


# 01.5 sample_class


@alternative("01.5")
def sample_class(mean, cov, n, generator):
    values, vectors = np.linalg.eigh(cov)  # another root of the covariance
    return mean + generator.standard_normal((n, len(mean))) * np.sqrt(values) @ vectors.T


@mutant("01.5", hint="from the wrong side")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean + generator.standard_normal((n, len(mean))) @ np.linalg.cholesky(cov)


@mutant("01.5", hint="where its root belongs")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean + generator.standard_normal((n, len(mean))) @ cov


@mutant("01.5", hint="only the variances")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean + generator.standard_normal((n, len(mean))) * np.sqrt(np.diag(cov))


@mutant("01.5", hint="add the mean")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return generator.standard_normal((n, len(mean))) @ np.linalg.cholesky(cov).T


@mutant("01.5", hint="take chance only from the generator")
def sample_class(mean, cov, n, generator):  # noqa: F811
    rng = np.random.default_rng()
    return mean + rng.standard_normal((n, len(mean))) @ np.linalg.cholesky(cov).T


@mutant("01.5", hint="its seed fixed")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean + np.random.default_rng(0).standard_normal((n, len(mean))) @ np.linalg.cholesky(cov).T


@mutant("01.5", hint="standard Gaussian noise")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean + generator.uniform(-math.sqrt(3), math.sqrt(3), (n, len(mean))) @ np.linalg.cholesky(cov).T


@mutant("01.5", hint="what you are to write")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return generator.multivariate_normal(mean, cov, size=n)


@mutant("01.5", hint="not a column")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean[:, None] + np.linalg.cholesky(cov) @ generator.standard_normal((len(mean), n))


@mutant("01.5", hint="its own noise")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return np.tile(mean + np.linalg.cholesky(cov) @ generator.standard_normal(len(mean)), (n, 1))


@mutant("01.5", hint="one noise served all dimensions")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return mean + np.sqrt(np.diag(cov)) * generator.standard_normal((n, 1))


@alternative("01.5")
def sample_class(mean, cov, n, generator):  # noqa: F811
    root = np.linalg.cholesky(cov)
    return [(mean + root @ generator.standard_normal(len(mean))).tolist() for _ in range(n)]


@alternative("01.5")
def sample_class(mean, cov, n, generator):  # noqa: F811
    """One dimension after the other, each given those before."""
    x = np.empty((n, len(mean)))
    for i in range(len(mean)):
        weights = np.linalg.solve(cov[:i, :i], cov[:i, i]) if i else np.zeros(0)
        spread = math.sqrt(cov[i, i] - weights @ cov[:i, i])
        x[:, i] = mean[i] + (x[:, :i] - mean[:i]) @ weights + spread * generator.standard_normal(n)
    return x


def _through(white, mean, cov):
    return mean + white @ np.linalg.cholesky(cov).T


@mutant("01.5", hint="mirror image")
def sample_class(mean, cov, n, generator):  # noqa: F811
    z = generator.standard_normal((-(-n // 2), len(mean)))
    return _through(np.concatenate([z, -z])[:n], mean, cov)


@mutant("01.5", hint="too even")
def sample_class(mean, cov, n, generator):  # noqa: F811
    z = generator.standard_normal((n, len(mean)))
    return _through((z - z.mean(0)) / z.std(0), mean, cov) if n > 1 else _through(z, mean, cov)


@mutant("01.5", hint="come twice")
def sample_class(mean, cov, n, generator):  # noqa: F811
    z = generator.standard_normal((-(-n // 2), len(mean)))
    return _through(np.repeat(z, 2, axis=0)[:n], mean, cov)


@mutant("01.5", hint="standard Gaussian noise")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return _through(generator.laplace(size=(n, len(mean))) / math.sqrt(2), mean, cov)


@mutant("01.5", hint="noise of its own")
def sample_class(mean, cov, n, generator):  # noqa: F811
    z = generator.standard_normal((n, len(mean)))
    return _through(z[np.argsort(z[:, 0])], mean, cov)


@mutant("01.5", hint="added to the covariance")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return _through(generator.standard_normal((n, len(mean))), mean, cov + 1e-9 * np.eye(len(mean)))


@mutant("01.5", hint="")
def sample_class(mean, cov, n, generator):  # noqa: F811
    return np.squeeze(_through(generator.standard_normal((n, len(mean))), mean, cov))


@mutant("01.5", hint="cut off")
def sample_class(mean, cov, n, generator):  # noqa: F811
    eps = np.clip(generator.standard_normal((n, len(mean))), -2.5, 2.5)
    return mean + eps @ np.linalg.cholesky(cov).T


@mutant("01.5", hint="noise of its own")
def sample_class(mean, cov, n, generator):  # noqa: F811
    eps = generator.standard_normal(n + len(mean) - 1)  # each draw shares all its numbers but one with the next
    rows = np.lib.stride_tricks.sliding_window_view(eps, len(mean))
    return mean + rows @ np.linalg.cholesky(cov).T


# 01.6 classify_or_reject


@alternative("01.6")
def classify_or_reject(log_joint, calibration, rate):
    known = np.sort([special.logsumexp(row) for row in calibration])
    place = rate * (len(known) - 1)
    low = int(place)
    bar = known[low] + (place - low) * (known[min(low + 1, len(known) - 1)] - known[low])
    return np.array([-1 if special.logsumexp(row) < bar else int(row.argmax()) for row in log_joint])


def _bar(score, log_joint, calibration, rate):
    return np.where(score(log_joint) < np.quantile(score(calibration), rate), -1, log_joint.argmax(1))


@mutant("01.6", hint="by certainty")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return _bar(lambda j: special.softmax(j, axis=1).max(1), log_joint, calibration, rate)


@mutant("01.6", hint="belongs to the calibration set")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return _bar(lambda j: special.logsumexp(j, axis=1), log_joint, log_joint, rate)


@mutant("01.6", hint="not the largest of them")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return _bar(lambda j: j.max(1), log_joint, calibration, rate)


@mutant("01.6", hint="log of a product")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return _bar(lambda j: j.sum(1), log_joint, calibration, rate)


@mutant("01.6", hint="the wrong end")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return _bar(lambda j: special.logsumexp(j, axis=1), log_joint, calibration, 1 - rate)


@mutant("01.6", hint="nothing was refused")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return log_joint.argmax(1)


@mutant("01.6", hint="upside down")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    level, known = special.logsumexp(log_joint, axis=1), special.logsumexp(calibration, axis=1)
    return np.where(level > np.quantile(known, rate), -1, log_joint.argmax(1))


@mutant("01.6", hint="stay with logarithms")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    return _bar(lambda j: np.exp(j).sum(1), log_joint, calibration, rate)


@mutant("01.6", hint="inf - inf is nan")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    def level(j):
        top = j.max(1)
        with np.errstate(invalid="ignore"):
            return top + np.log(np.exp(j - top[:, None]).sum(1))

    return _bar(level, log_joint, calibration, rate)


@mutant("01.6", hint="<, not <=")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    level, known = special.logsumexp(log_joint, axis=1), special.logsumexp(calibration, axis=1)
    return np.where(level <= np.quantile(known, rate), -1, log_joint.argmax(1))


@mutant("01.6", hint="left out")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    level, known = special.logsumexp(log_joint, axis=1), special.logsumexp(calibration, axis=1)
    return log_joint.argmax(1)[level >= np.quantile(known, rate)]


@mutant("01.6", hint="which are refused")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    level, known = special.logsumexp(log_joint, axis=1), special.logsumexp(calibration, axis=1)
    return level < np.quantile(known, rate)


@alternative("01.6")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    level, known = special.logsumexp(log_joint, axis=1), special.logsumexp(calibration, axis=1)
    labels = log_joint.argmax(1)
    labels[level < np.percentile(known, 100 * rate)] = -1
    return labels.astype(float)


@alternative("01.6")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    bar = np.quantile([np.logaddexp.reduce(row) for row in calibration], rate)
    return [int(np.argmax(row)) if np.logaddexp.reduce(row) >= bar else -1 for row in log_joint]


@mutant("01.6", hint="the lower of the two")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    known = np.sort(special.logsumexp(calibration, axis=1))
    return np.where(special.logsumexp(log_joint, axis=1) < known[int(rate * (len(known) - 1))], -1, log_joint.argmax(1))


@mutant("01.6", hint="work on a copy")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    calibration.sort(axis=1)
    known = special.logsumexp(calibration, axis=1)
    return np.where(special.logsumexp(log_joint, axis=1) < np.quantile(known, rate), -1, log_joint.argmax(1))


@mutant("01.6", hint="numbered from 0")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    level, known = special.logsumexp(log_joint, axis=1), special.logsumexp(calibration, axis=1)
    return np.where(level < np.quantile(known, rate), -1, log_joint.argmax(1) + 1)


@mutant("01.6", hint="a bar for each class")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    known, named = special.logsumexp(calibration, axis=1), calibration.argmax(1)
    classes = range(log_joint.shape[1])
    bars = np.array([np.quantile(known[named == k], rate) if (named == k).any() else -np.inf for k in classes])
    best = log_joint.argmax(1)
    return np.where(special.logsumexp(log_joint, axis=1) >= bars[best], best, -1)


@mutant("01.6", hint="Gaussian's quantile")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    known = special.logsumexp(calibration, axis=1)
    bar = known.mean() + known.std() * special.ndtri(rate)
    return np.where(special.logsumexp(log_joint, axis=1) >= bar, log_joint.argmax(1), -1)


@mutant("01.6", hint="in the place of -inf")
def classify_or_reject(log_joint, calibration, rate):  # noqa: F811
    floor = [np.where(np.isinf(a), -1000.0, a) for a in (log_joint, calibration)]
    level, known = (special.logsumexp(a, axis=1) for a in floor)
    return np.where(level >= np.quantile(known, rate), log_joint.argmax(1), -1)
