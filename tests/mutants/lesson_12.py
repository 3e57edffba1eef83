"""Wrong and differently written answers to the exercises of lesson 12."""

import math

import numpy as np
from scipy import optimize, special

from tests.mutants import alternative, mutant

# 12.1 folded_log_density


@alternative("12.1")
def folded_log_density(x, places, slope, log_noise):
    z = places(x)
    return special.logsumexp(log_noise(z) - np.log(np.sqrt(slope(z) ** 2)), axis=0)


@alternative("12.1")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    total = np.full(len(x), -np.inf)
    for z in places(x):
        total = np.logaddexp(total, log_noise(z) - np.log(np.abs(slope(z))))
    return total


@alternative("12.1")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    found = []
    for value in x:
        z = places(np.array([value]))[:, 0]
        terms = [float(a) - np.log(abs(float(b))) for a, b in zip(log_noise(z), slope(z), strict=True)]
        top = max(terms)
        found.append(top + np.log(sum(np.exp(t - top) for t in terms)))
    return found


def _layers(x, places, slope, log_noise):
    z = places(x)
    return log_noise(z), np.log(np.abs(slope(z)))


@mutant("12.1", hint="stretch is missing")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    return np.logaddexp.reduce(log_noise(places(x)))


@mutant("12.1", hint="the sign")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    return np.logaddexp.reduce(base + logs)


@mutant("12.1", hint="absolute value")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    z = places(x)
    with np.errstate(invalid="ignore"):
        return np.logaddexp.reduce(log_noise(z) - np.log(slope(z)))


@mutant("12.1", hint="only the first place")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    return base[0] - logs[0]


@mutant("12.1", hint="their logarithms do not")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    return (base - logs).sum(0)


@mutant("12.1", hint="mean over places")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    return np.logaddexp.reduce(base - logs) - np.log(len(base))


@mutant("12.1", hint="only the densest")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    return (base - logs).max(0)


@mutant("12.1", hint="logaddexp")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    with np.errstate(divide="ignore"):
        return np.log((np.exp(base) / np.exp(logs)).sum(0))


@mutant("12.1", hint="density itself")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    base, logs = _layers(x, places, slope, log_noise)
    return np.exp(base - logs).sum(0)


@mutant("12.1", hint="at the places z, not at x")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    return np.logaddexp.reduce(log_noise(places(x)) - np.log(np.abs(slope(x)))[None])


# 12.2 affine_coupling


@alternative("12.2")
def affine_coupling(x, k, network):
    s, t = network(x[:, :k])
    z = x.copy()
    z[:, k:] = z[:, k:] * np.exp(s) + t
    return z, np.linalg.slogdet(np.exp(s)[:, None] * np.eye(s.shape[1]))[1]


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


@alternative("12.2")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k].copy())
    rows = [[*x[i, :k], *(x[i, k:] * np.exp(s[i]) + t[i])] for i in range(len(x))]
    return np.array(rows), np.array([math.fsum(row) for row in s])


@alternative("12.2")
def affine_coupling(x, k, network):  # noqa: F811
    log_scale, shift = network(x[:, :k])
    bent = np.einsum("bi,bi->bi", x[:, k:], np.exp(log_scale)) + shift
    return [np.column_stack([x[:, :k], bent]), log_scale @ np.ones(log_scale.shape[1])]


@mutant("12.2", hint="called once")
def affine_coupling(x, k, network):  # noqa: F811
    both = [network(row[None, :k]) for row in x] if len(x) > 1 else [network(x[:, :k])]
    s, t = (np.concatenate([b[i] for b in both]) for i in (0, 1))
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), s.sum(1)


@mutant("12.2", hint="work on a copy")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    x[:, k:] = x[:, k:] * np.exp(s) + t
    return x, s.sum(1)


@mutant("12.2", hint="stretch first")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    return np.hstack([x[:, :k], (x[:, k:] + t) * np.exp(s)]), s.sum(1)


@mutant("12.2", hint="overflows to inf: add the logarithms")
def affine_coupling(x, k, network):  # noqa: F811
    """The logarithm of a product, which overflows in many dimensions."""
    s, t = network(x[:, :k])
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), np.log(np.exp(s).prod(1))


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


@alternative("12.3")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d0, d1)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    with np.errstate(all="ignore"):  # whichever of the two forms is the stable one
        t = np.where(b >= 0, -2 * c / (b + root), (-b + root) / (2 * a))
    return x0 + w * np.clip(t, 0, 1)


@alternative("12.3")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    found = []
    for v, a, c, width, height, left, right in zip(y, x0, y0, w, h, d0, d1, strict=True):
        s = height / width

        def miss(t, v=v, c=c, s=s, height=height, left=left, right=right):
            below = s + (left + right - 2 * s) * t * (1 - t)
            return c + height * (s * t * t + left * t * (1 - t)) / below - v

        t = 0.0 if miss(0) >= 0 else 1.0 if miss(1) <= 0 else optimize.brentq(miss, 0, 1, xtol=1e-15)
        found.append(a + width * t)
    return found


@mutant("12.3", hint="it is t, not x")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d0, d1)
    with np.errstate(all="ignore"):
        return (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)


@mutant("12.3", hint="counts in widths")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    a, b, c = _quadratic(y, y0, w, h, d0, d1)
    return x0 - 2 * c / (b + np.sqrt(np.maximum(b * b - 4 * a * c, 0)))


@mutant("12.3", hint="")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    low, high = np.zeros_like(y), np.ones_like(y)
    s = h / w
    for _ in range(12):  # bisection that stops too early
        t = (low + high) / 2
        at = y0 + h * (s * t * t + d0 * t * (1 - t)) / (s + (d0 + d1 - 2 * s) * t * (1 - t))
        low, high = np.where(at < y, t, low), np.where(at < y, high, t)
    return x0 + w * (low + high) / 2


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


@alternative("12.4")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z = (np.asarray(x) - mean) / std
    total = np.full(len(z), -math.fsum(math.log(v) for v in std))
    for layer in layers:
        z, ladj = layer(z)
        total += ladj
    return [float(sum(row)) + float(t) for row, t in zip(log_noise(z), total, strict=True)]


@alternative("12.4")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    def go(z, rest):
        if not rest:
            return log_noise(z).sum(1)
        image, ladj = rest[0](z)
        return go(image, rest[1:]) + ladj

    return go((x - mean) / std, layers) + np.log(1 / std).sum()


@mutant("12.4", hint="in the order of the list")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers[::-1])
    return log_noise(z).sum(1) + sum(tolls) - np.log(std).sum()


@mutant("12.4", hint="one number for each example")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, tolls = _through(x, mean, std, layers)
    return log_noise(z) + (sum(tolls) - np.log(std).sum() + np.zeros(len(x)))[:, None]


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


@alternative("12.5")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.array(z, dtype=float)  # what is not known yet may be anything finite
    for i in range(z.shape[1]):
        s, t = network(x)
        x[:, i] = (z[:, i] - t[:, i]) / np.exp(s[:, i])
    return x


@alternative("12.5")
def autoregressive_inverse(z, network):  # noqa: F811
    columns, d = [], z.shape[1]
    for i in range(d):
        known = np.stack(columns + [np.zeros(len(z))] * (d - i), axis=1)
        s, t = network(known)
        columns.append((z[:, i] - t[:, i]) * np.exp(-s[:, i]))
    return np.stack(columns, axis=1).tolist()


@mutant("12.5", hint="from data to noise")
def autoregressive_inverse(z, network):  # noqa: F811
    s, t = network(np.zeros_like(z))
    return z * np.exp(s) + t


@mutant("12.5", hint="one call answers for the whole batch")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.zeros_like(z)
    for b in range(len(z)):  # row by row
        for i in range(z.shape[1]):
            s, t = network(x[b : b + 1])
            x[b, i] = (z[b, i] - t[0, i]) * np.exp(-s[0, i])
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


@alternative("12.6")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    total, count = 0.0, 0
    for u in noise:
        for a, b in zip(x, u, strict=True):
            total += float(log_density(((a + b) / levels)[None])[0])
            count += 1
    return -(total / count - x.shape[1] * math.log(levels)) / (x.shape[1] * math.log(2))


@alternative("12.6")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    nats = np.stack([log_density((x + u) / levels) for u in noise]) - x.shape[1] * np.log(levels)
    return (-nats / np.log(2) / x.shape[1]).mean(0).mean().reshape(1)


@mutant("12.6", hint="first draw")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    return np.log2(levels) - np.mean(log_density((x + noise[0]) / levels)) / (x.shape[1] * np.log(2))


@mutant("12.6", hint="per dimension")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    d = x.shape[1]
    return d * np.log2(levels) - np.mean([log_density((x + u) / levels) for u in noise]) / np.log(2)


@mutant("12.6", hint="there are `levels` levels")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    d = x.shape[1]
    return np.log2(levels - 1) - np.mean([log_density((x + u) / levels) for u in noise]) / (d * np.log(2))


# what easy inputs do not show


@mutant("12.1", hint="nothing is added to a slope")
def folded_log_density(x, places, slope, log_noise):  # noqa: F811
    z = places(x)
    return np.logaddexp.reduce(log_noise(z) - np.log(np.abs(slope(z)) + 1e-8))


@mutant("12.2", hint="unbounded")
def affine_coupling(x, k, network):  # noqa: F811
    s, t = network(x[:, :k])
    s = np.clip(s, -5, 5)
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), s.sum(1)


@mutant("12.3", hint="no special case")
def spline_bin_inverse(y, x0, y0, w, h, d0, d1):  # noqa: F811
    s, u = h / w, y - y0
    bend = d0 + d1 - 2 * s
    a, b, c = h * (s - d0) + u * bend, h * d0 - u * bend, -s * u
    flat = np.abs(a) < 1e-5
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    return x0 + w * np.where(flat, -c / b, (-b + root) / np.where(flat, 1, 2 * a))


@mutant("12.4", hint="add logarithms")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, total = (x - mean) / std, -np.log(np.prod(std))
    for layer in layers:
        z, ladj = layer(z)
        total = total + ladj
    return log_noise(z).sum(1) + total


@mutant("12.4", hint="ask log_noise")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, total = (x - mean) / std, -np.log(std).sum()
    for layer in layers:
        z, ladj = layer(z)
        total = total + ladj
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1) + total


@mutant("12.4", hint="")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    std = np.maximum(std, 1e-2)
    z, total = (x - mean) / std, -np.log(std).sum()
    for layer in layers:
        z, ladj = layer(z)
        total = total + ladj
    return log_noise(z).sum(1) + total


@mutant("12.5", hint="")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.zeros_like(z)
    for _ in range(z.shape[1]):
        s, t = network(x)
        before, x = x, (z - t) * np.exp(-s)
        if np.abs(x - before).max() < 2e-2:
            break
    return x


@mutant("12.5", hint="")
def autoregressive_inverse(z, network):  # noqa: F811
    x = np.zeros_like(z)
    for _ in range(min(z.shape[1], 8)):
        s, t = network(x)
        x = (z - t) * np.exp(-s)
    return x


@mutant("12.6", hint="its own example")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    d = x.shape[1]
    y = (np.repeat(x, len(noise), axis=0) + noise.reshape(-1, d)) / levels
    return np.log2(levels) - np.mean(log_density(y)) / (d * np.log(2))


@mutant("12.6", hint="not of the noise")
def dequantized_bits(log_density, x, levels, noise):  # noqa: F811
    y = (x + noise.mean(0)) / levels
    return np.log2(levels) - np.mean(log_density(y)) / (x.shape[1] * np.log(2))


@mutant("12.2", hint="becomes 0: add the logarithms")
def affine_coupling(x, k, network):  # noqa: F811
    """Safe from overflow, but not from the other end."""
    s, t = network(x[:, :k])
    det = np.exp(s).prod(1)
    ladj = np.where(np.isinf(det), s.sum(1), np.log(det))
    return np.hstack([x[:, :k], x[:, k:] * np.exp(s) + t]), ladj


@mutant("12.4", hint="that of their inverses inf: add logarithms")
def flow_log_prob(x, mean, std, layers, log_noise):  # noqa: F811
    z, total = (x - mean) / std, np.log(np.prod(1 / std))
    for layer in layers:
        z, ladj = layer(z)
        total = total + ladj
    return log_noise(z).sum(1) + total
