"""Wrong and differently written answers to the exercises of lesson 12."""

import numpy as np

from tests.mutants import alternative, mutant

# 12.1 bent_log_density


@alternative("12.1")
def bent_log_density(x, f, slope, log_noise):
    return np.log(np.exp(log_noise(f(x))) * np.sqrt(slope(x) ** 2))


@mutant("12.1", hint="stretch is missing")
def bent_log_density(x, f, slope, log_noise):  # noqa: F811
    return log_noise(f(x))


@mutant("12.1", hint="the sign")
def bent_log_density(x, f, slope, log_noise):  # noqa: F811
    return log_noise(f(x)) - np.log(np.abs(slope(x)))


@mutant("12.1", hint="absolute value")
def bent_log_density(x, f, slope, log_noise):  # noqa: F811
    with np.errstate(invalid="ignore"):
        return log_noise(f(x)) + np.log(slope(x))


@mutant("12.1", hint="at f(x), not at x")
def bent_log_density(x, f, slope, log_noise):  # noqa: F811
    return log_noise(x) + np.log(np.abs(slope(x)))


@mutant("12.1", hint="a logarithm already")
def bent_log_density(x, f, slope, log_noise):  # noqa: F811
    return log_noise(f(x)) * np.abs(slope(x))


# 12.2 affine_coupling


@alternative("12.2")
def affine_coupling(x, k, network):
    s, t = network(x[:, :k])
    z = x.copy()
    z[:, k:] = z[:, k:] * np.exp(s) + t
    return z, np.log(np.exp(s).prod(axis=1))


@mutant("12.2", hint="summed over the batch")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), s.sum()


@mutant("12.2", hint="mean over dimensions")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), s.mean(1)


@mutant("12.2", hint="the sign")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), -s.sum(1)


@mutant("12.2", hint="belong to z")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    return x[:, k:] * np.exp(s) + t, s.sum(1)


@mutant("12.2", hint="takes the first")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x)
    return x * np.exp(s) + t, s.sum(1)


@mutant("12.2", hint="s first, then t")
def affine_coupling(x, k, network):  # noqa: F811
    t, s = network(x[:, :k])
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), s.sum(1)


@mutant("12.2", hint="not their sum")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])  # with one bent number the two are the same
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), np.log(np.exp(s).sum(1))


# 12.3 spline_bin_inverse


@alternative("12.3")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):
    low, high = np.zeros_like(y), np.ones_like(y)
    s = h / w
    for _ in range(60):  # bisection: the spline rises
        t = (low + high) / 2
        at = y0 + h * (s * t * t + d0 * t * (1 - t)) / (s + (d0 + d1 - 2 * s) * t * (1 - t))
        low, high = np.where(at < y, t, low), np.where(at < y, high, t)
    return x0 + w * (low + high) / 2


def _quadratic(y, y0, w, h, d0, d1):
    s, u = h / w, y - y0
    bend = d0 + d1 - 2 * s
    return h * (s - d0) + u * bend, h * d0 - u * bend, -s * u


@mutant("12.3", hint="other root")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d0, d1)
    with np.errstate(all="ignore"):
        return x0 + w * (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)


@mutant("12.3", hint="multiply above and below")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d0, d1)
    with np.errstate(all="ignore"):
        return np.nan_to_num(x0 + w * (-b + np.sqrt(b * b - 4 * a * c)) / (2 * a))


@mutant("12.3", hint="place within the bin")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d0, d1)
    return -2 * c / (b + np.sqrt(b * b - 4 * a * c))


@mutant("12.3", hint="straight line")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    return x0 + w * (y - y0) / h


@mutant("12.3", hint="you have them swapped")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d1, d0)
    return x0 + w * -2 * c / (b + np.sqrt(np.maximum(b * b - 4 * a * c, 0)))


# 12.4 flow_log_prob


@alternative("12.4")
def flow_log_prob(x, mean, std, layers, log_noise):
    z, total = x - mean, np.zeros(len(x))
    for layer in [lambda v: (v / std, -np.ones(len(v)) * np.log(std).sum()), *layers]:
        z, ladj = layer(z)
        total = total + ladj
    return log_noise(z).sum(axis=-1) + total


def _through(x, mean, std, layers):
    z, tolls = (x - mean) / std, []
    for layer in layers:
        z, ladj = layer(z)
        tolls.append(ladj)
    return z, tolls


@mutant("12.4", hint="summed over the batch")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).sum() + tolls[-1]


@mutant(
    "12.4",
    hint="averaged over dimensions: sum; only the last layer's log-determinant is counted: they add up; dividing",
)
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).mean(1) + (tolls[-1] if tolls else 0)


@mutant("12.4", hint="averaged over dimensions")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).mean(1) + sum(tolls) - np.log(std).sum()


@mutant("12.4", hint="not their mean")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).sum(1) + sum(tolls) - np.log(std).mean()


@mutant("12.4", hint="they add up")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).sum(1) + tolls[-1] - np.log(std).sum()


@mutant("12.4", hint="is a layer, too")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).sum(1) + sum(tolls)


@mutant("12.4", hint="the determinant 1 / (product of std)")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).sum(1) + sum(tolls) + np.log(std).sum()


@mutant("12.4", hint="each example has its own")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z).sum(1) + sum(t.mean() for t in tolls) - np.log(std).sum()


# 12.5 autoregressive_inverse


@alternative("12.5")
def autoregressive_inverse(z, network):
    x = np.zeros_like(z)
    for _ in range(z.shape[1]):  # each round makes one more column right
        s, t = network(x)
        x = (z - t) / np.exp(s)
    return x


@mutant("12.5", hint="one call is not enough")
def autoregressive_inverse(z, network):  # noqa: F811
    s, t = network(np.zeros_like(z))
    return (z - t) * np.exp(-s)


@mutant("12.5", hint="functions of x, not of z")
def autoregressive_inverse(z, network):  # noqa: F811
    s, t = network(z if z.shape[1] > 1 else np.zeros_like(z))
    return (z - t) * np.exp(-s)


@mutant("12.5", hint="not finite")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.full_like(z, np.nan)
    for i in range(z.shape[1]):
        s, t = network(x)
        x[:, i] = (z[:, i] - t[:, i]) * np.exp(-s[:, i])
    return x


@mutant("12.5", hint="one call answers for the whole batch")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.zeros_like(z)
    for _ in range(z.shape[1] + 1):
        s, t = network(x)
        x = (z - t) * np.exp(-s)
    return x


@mutant("12.5", hint="the sign of s")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.zeros_like(z)
    for i in range(z.shape[1]):
        s, t = network(x)
        x[:, i] = (z[:, i] - t[:, i]) * np.exp(s[:, i])
    return x


# 12.6 dequantized_bits


@alternative("12.6")
def dequantized_bits(log_density, x, levels, noise):
    s, b, d = noise.shape
    y = (np.repeat(x[None], s, 0) + noise).reshape(s * b, d) / levels
    return np.log2(levels) - np.mean(log_density(y)) / d / np.log(2)


@mutant("12.6", hint="D log L")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    return -np.mean([log_density((x + u) / levels) for u in noise]) / (x.shape[1] * np.log(2))


@mutant("12.6", hint="noise is missing")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    return np.log2(levels) - np.mean(log_density(x / levels)) / (x.shape[1] * np.log(2))


@mutant("12.6", hint="in nats")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    return np.log(levels) - np.mean([log_density((x + u) / levels) for u in noise]) / x.shape[1]


@mutant("12.6", hint="logarithm of the mean")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    p = np.mean([np.exp(log_density((x + u) / levels)) for u in noise], axis=0)
    return np.log2(levels) - np.log(p).mean() / (x.shape[1] * np.log(2))


@mutant("12.6", hint="outside [0, 1)")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    return np.log2(levels) - np.mean([log_density(x + u) for u in noise]) / (x.shape[1] * np.log(2))


@mutant("12.6", hint="half a bin")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    return np.log2(levels) - np.mean([log_density((x + u / 2) / levels) for u in noise]) / (x.shape[1] * np.log(2))
