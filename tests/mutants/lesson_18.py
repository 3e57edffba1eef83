"""Wrong and differently written answers to the exercises of lesson 18."""

import math

import numpy as np

from tests.mutants import alternative, mutant


def _left(betas):
    return np.concatenate([[1.0], np.cumprod(1 - np.asarray(betas))])


def _alpha_sigma(gamma):
    gamma = np.asarray(gamma, dtype=float)
    return np.sqrt(1 / (1 + np.exp(gamma))), np.sqrt(1 / (1 + np.exp(-gamma)))


# 18.1 noise_on


@alternative("18.1")
def noise_on(x, s, t, betas, eps):
    rows = []
    for row, first, last, noise in zip(x, s, t, eps, strict=True):
        for beta in betas[first:last]:  # the noises are one noise: only variances are followed
            row = np.sqrt(1 - beta) * row
        kept = np.prod(1 - betas[first:last])
        rows.append(row + np.sqrt(1 - kept) * noise)
    return np.array(rows)


@alternative("18.1")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    """By logarithms, which add."""
    logs = np.concatenate([[0.0], np.cumsum(np.log1p(-betas))])
    gap = (logs[t] - logs[s]).reshape(-1, 1)
    return np.exp(gap / 2) * x + np.sqrt(-np.expm1(gap)) * eps


@alternative("18.1")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    """In single precision."""
    left = np.append(1, np.cumprod(1 - betas)).astype(np.float32)
    kept = (left[t] / left[s])[:, None]
    return kept**0.5 * x.astype(np.float32) + (1 - kept) ** 0.5 * eps.astype(np.float32)


@alternative("18.1")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    """Lists; the variance as what is missing from sigma_t^2."""
    left = _left(betas)
    variance = [(1 - left[b]) - (left[b] / left[a]) * (1 - left[a]) for a, b in zip(s, t, strict=True)]
    return [
        [math.sqrt(left[b] / left[a]) * u + math.sqrt(max(v, 0)) * e for u, e in zip(p, q, strict=True)]
        for a, b, v, p, q in zip(s, t, variance, x, eps, strict=True)
    ]


@mutant("18.1", hint="one too late")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    kept = (np.append(np.cumprod(1 - betas), np.prod(1 - betas))[t] / np.append(np.cumprod(1 - betas), 1)[s])[:, None]
    kept = np.minimum(kept, 1)
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * eps


@mutant("18.1", hint="starts from the data")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)[t][:, None]
    return np.sqrt(left) * x + np.sqrt(1 - left) * eps


@mutant("18.1", hint="noise in x counts too")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    return np.sqrt(left[t] / left[s])[:, None] * x + np.sqrt(1 - left[t])[:, None] * eps


@mutant("18.1", hint="not simply subtracted")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    return np.sqrt(left[t] / left[s])[:, None] * x + np.sqrt(left[s] - left[t])[:, None] * eps


@mutant("18.1", hint="both square roots")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    kept = (left[t] / left[s])[:, None]
    return kept * x + (1 - kept) * eps


@mutant("18.1", hint="used as a standard deviation")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    kept = (left[t] / left[s])[:, None]
    return np.sqrt(kept) * x + (1 - kept) * eps


@mutant("18.1", hint="belong to the rows")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    kept = left[t] / left[s]
    if len(kept) != x.shape[1]:
        kept = kept[:, None]
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * eps


@mutant("18.1", hint="for very small beta only")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    total = np.append(0, np.cumsum(betas))
    rate = (total[t] - total[s])[:, None]
    return np.exp(-rate / 2) * x + np.sqrt(1 - np.exp(-rate)) * eps


@mutant("18.1", hint="")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    kept = np.prod(1 - betas[s[0] : t[0]])
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * eps


@mutant("18.1", hint="copy")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    kept = (left[t] / left[s])[:, None]
    x *= np.sqrt(kept)
    x += np.sqrt(1 - kept) * eps
    return x


@mutant("18.1", hint="")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    left = _left(betas)
    kept = (left[t] / left[s])[:, None]
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * np.random.default_rng(0).normal(size=x.shape)


@mutant("18.1", hint="the same eps")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    x = x.copy()
    for i, (first, last) in enumerate(zip(s, t, strict=True)):
        for beta in betas[first:last]:
            x[i] = np.sqrt(1 - beta) * x[i] + np.sqrt(beta) * eps[i]
    return x


@mutant("18.1", hint="")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    """Never less than a thousandth of the variance is kept."""
    left = _left(betas)
    kept = np.clip(left[t] / left[s], 1e-3, 1)[:, None]
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * eps


@mutant("18.1", hint="")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    """A small number against division by zero, which is not small against what is left of a long chain."""
    left = _left(betas)
    kept = (left[t] / np.maximum(left[s], 1e-6))[:, None]
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * eps


@mutant("18.1", hint="one too early")
def noise_on(x, s, t, betas, eps):  # noqa: F811
    kept = [np.prod(1 - betas[max(a - 1, 0) : max(b - 1, 0)]) for a, b in zip(s, t, strict=True)]
    kept = np.array(kept)[:, None]
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * eps


# 18.2 step_back


@alternative("18.2")
def step_back(x0, xt, t, betas):
    """By way of the joint Gaussian of x_{t-1} and x_t, given x_0."""
    before, keep = np.prod(1 - betas[: t - 1]), 1 - betas[t - 1]
    variance, together = 1 - before, 1 - before * keep
    gain = np.sqrt(keep) * variance / together
    mean = np.sqrt(before) * x0 + gain * (xt - np.sqrt(before * keep) * x0)
    return mean, variance - gain * np.sqrt(keep) * variance


@alternative("18.2")
def step_back(x0, xt, t, betas):  # noqa: F811
    """In precisions, with the first step apart."""
    beta = betas[t - 1]
    if t == 1:
        return x0.copy(), 0.0
    before = np.prod(1 - betas[: t - 1])
    precision = (1 - beta) / beta + 1 / (1 - before)
    return (np.sqrt(1 - beta) / beta * xt + np.sqrt(before) / (1 - before) * x0) / precision, 1 / precision


@alternative("18.2")
def step_back(x0, xt, t, betas):  # noqa: F811
    """In single precision; a list, and a variance of shape (1,)."""
    x0, xt, left = np.float32(x0), np.float32(xt), np.float32(_left(betas))
    beta = np.float32(betas[t - 1])
    mean = (1 - beta) ** 0.5 * (1 - left[t - 1]) * xt + left[t - 1] ** 0.5 * beta * x0
    return [mean / (1 - left[t]), np.array([beta * (1 - left[t - 1]) / (1 - left[t])])]


def _step(xt, x0, beta, before, after):
    mean = np.sqrt(1 - beta) * (1 - before) * xt + np.sqrt(before) * beta * x0
    return mean / (1 - after), beta * (1 - before) / (1 - after)


@mutant("18.2", hint="step forward")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = _left(betas)
    return _step(xt, x0, betas[t - 1], left[t - 1], left[t])[0], betas[t - 1]


@mutant("18.2", hint="standard deviation")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = _left(betas)
    mean, variance = _step(xt, x0, betas[t - 1], left[t - 1], left[t])
    return mean, np.sqrt(variance)


@mutant("18.2", hint="one step off")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = np.append(_left(betas), np.prod(1 - betas))
    return _step(xt, x0, betas[min(t, len(betas) - 1)], left[t], left[t + 1])


@mutant("18.2", hint="changed places")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = _left(betas)
    return _step(x0, xt, betas[t - 1], left[t - 1], left[t])


@mutant("18.2", hint="forgets x_0")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = _left(betas)
    return xt / np.sqrt(1 - betas[t - 1]), _step(xt, x0, betas[t - 1], left[t - 1], left[t])[1]


@mutant("18.2", hint="x_t goes with sqrt(1 - beta)")
def step_back(x0, xt, t, betas):  # noqa: F811
    left, beta = _left(betas), betas[t - 1]
    mean = (1 - beta) * (1 - left[t - 1]) * xt + np.sqrt(left[t - 1]) * beta * x0
    return mean / (1 - left[t]), beta * (1 - left[t - 1]) / (1 - left[t])


@mutant("18.2", hint="not with its square")
def step_back(x0, xt, t, betas):  # noqa: F811
    left, beta = _left(betas), betas[t - 1]
    mean = np.sqrt(1 - beta) * (1 - left[t - 1]) * xt + left[t - 1] * beta * x0
    return mean / (1 - left[t]), beta * (1 - left[t - 1]) / (1 - left[t])


@mutant("18.2", hint="(1 - beta) / beta")
def step_back(x0, xt, t, betas):  # noqa: F811
    left, beta = _left(betas), betas[t - 1]
    with np.errstate(all="ignore"):
        precision = 1 / beta + 1 / (1 - left[t - 1])
        mean = (np.sqrt(1 - beta) / beta * xt + np.sqrt(left[t - 1]) / (1 - left[t - 1]) * x0) / precision
        return mean, 1 / precision


@mutant("18.2", hint="reads the last entry")
def step_back(x0, xt, t, betas):  # noqa: F811
    left, beta = np.cumprod(1 - betas), betas[t - 1]
    return _step(xt, x0, beta, left[t - 2], left[t - 1])


@mutant("18.2", hint="0/0")
def step_back(x0, xt, t, betas):  # noqa: F811
    left, beta = _left(betas), betas[t - 1]
    with np.errstate(all="ignore"):
        precision = (1 - beta) / beta + 1 / (1 - left[t - 1])
        mean = (np.sqrt(1 - beta) / beta * xt + np.sqrt(left[t - 1]) / (1 - left[t - 1]) * x0) / precision
        return mean, 1 / precision


@mutant("18.2", hint="the other way round")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = _left(betas)
    return _step(xt, x0, betas[t - 1], left[t - 1], left[t])[::-1]


@mutant("18.2", hint="")
def step_back(x0, xt, t, betas):  # noqa: F811
    left = _left(betas)
    mean, variance = _step(xt, x0, betas[t - 1], left[t - 1], left[t])
    return mean, max(variance, 1e-3)


@mutant("18.2", hint="ends in the data")
def step_back(x0, xt, t, betas):  # noqa: F811
    """The first step is taken to have nothing to undo."""
    left = _left(betas)
    a, b = left[t - 1], left[t]
    mean = (np.sqrt(1 - betas[t - 1]) * (1 - a) * xt + np.sqrt(a) * betas[t - 1] * x0) / (1 - b)
    return (xt if t == 1 else mean), betas[t - 1] * (1 - a) / (1 - b)


# 18.3 noise_error


@alternative("18.3")
def noise_error(kind, squared, gamma):
    """By the angle: tan^2 = sigma^2 / alpha^2."""
    angle = np.arctan(np.exp(np.asarray(gamma) / 2))
    factor = {"eps": np.ones_like(angle), "x": 1 / np.tan(angle), "v": np.cos(angle)}[kind]
    return factor**2 * squared


@alternative("18.3")
def noise_error(kind, squared, gamma):  # noqa: F811
    """A loop, and lists."""
    if kind == "eps":
        return list(squared)
    one = 0.0 if kind == "x" else 1.0
    return [float(e) / (one + math.exp(g)) for e, g in zip(squared, gamma, strict=True)]


@alternative("18.3")
def noise_error(kind, squared, gamma):  # noqa: F811
    """Single precision, errors before they are squared."""
    squared, gamma = np.float32(squared), np.float32(gamma)
    alpha, sigma = (1 / (1 + np.exp(gamma))) ** 0.5, (1 / (1 + np.exp(-gamma))) ** 0.5
    return (np.sqrt(squared) * {"eps": 1, "x": alpha / sigma, "v": alpha}[kind]) ** 2


@mutant("18.3", hint="not of the same size")
def noise_error(kind, squared, gamma):  # noqa: F811
    return squared


@mutant("18.3", hint="upside down")
def noise_error(kind, squared, gamma):  # noqa: F811
    return squared * {"eps": 1, "x": np.exp(gamma), "v": 1 + np.exp(gamma)}[kind]


@mutant("18.3", hint="by its square")
def noise_error(kind, squared, gamma):  # noqa: F811
    alpha, sigma = _alpha_sigma(gamma)
    return squared * {"eps": 1, "x": alpha / sigma, "v": alpha}[kind]


@mutant("18.3", hint="the error of the data")
def noise_error(kind, squared, gamma):  # noqa: F811
    alpha, sigma = _alpha_sigma(gamma)
    return squared * {"eps": 1, "x": alpha**2 / sigma**2, "v": sigma**2}[kind]


@mutant("18.3", hint="comes with a factor")
def noise_error(kind, squared, gamma):  # noqa: F811
    alpha, sigma = _alpha_sigma(gamma)
    return squared * {"eps": 1, "x": 1 / sigma**2, "v": alpha**2}[kind]


@mutant("18.3", hint="")
def noise_error(kind, squared, gamma):  # noqa: F811
    alpha, sigma = _alpha_sigma(np.mean(gamma))
    return squared * {"eps": 1, "x": alpha**2 / sigma**2, "v": alpha**2}[kind]


@mutant("18.3", hint="")
def noise_error(kind, squared, gamma):  # noqa: F811
    alpha, sigma = _alpha_sigma(gamma)
    return (squared * {"eps": 1, "x": alpha**2 / sigma**2, "v": alpha**2}[kind]).mean()


@mutant("18.3", hint="of squares already")
def noise_error(kind, squared, gamma):  # noqa: F811
    return squared * {"eps": 1, "x": np.exp(-2 * gamma), "v": 1 / (1 + np.exp(2 * gamma))}[kind]


@mutant("18.3", hint="the guessed noise already")
def noise_error(kind, squared, gamma):  # noqa: F811
    alpha, sigma = _alpha_sigma(gamma)
    return squared * {"eps": alpha**2, "x": alpha**2 / sigma**2, "v": alpha**2}[kind]


@mutant("18.3", hint="copy")
def noise_error(kind, squared, gamma):  # noqa: F811
    squared *= {"eps": 1, "x": np.exp(-gamma), "v": 1 / (1 + np.exp(gamma))}[kind]
    return squared


def _parts(gamma_s, gamma_t):
    """beta, beta tilde, and the weight of the data in the mean of the step."""
    (alpha_s, sigma_s), (alpha_t, sigma_t) = _alpha_sigma(gamma_s), _alpha_sigma(gamma_t)
    beta = sigma_t**2 - (alpha_t / alpha_s) ** 2 * sigma_s**2
    return beta, beta * sigma_s**2 / sigma_t**2, alpha_s * beta / sigma_t**2


@mutant("18.3", hint="")
def noise_error(kind, squared, gamma):  # noqa: F811
    """Levels cut off for safety."""
    gamma = np.clip(gamma, -10, 10)
    return squared * {"eps": 1.0, "x": np.exp(-gamma), "v": 1 / (1 + np.exp(gamma))}[kind]


# 18.4 best_variance


@alternative("18.4")
def best_variance(error, gamma_s, gamma_t):
    """As in exercise 18.2, with the beta of the step."""
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return narrow + weight**2 * error


@alternative("18.4")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    """In signal-to-noise ratios, one at a time."""
    found = []
    for e, low, high in zip(error, gamma_s, gamma_t, strict=True):
        gain = math.exp(-low) - math.exp(-high)  # of signal-to-noise
        alpha2, sigma2 = 1 / (1 + math.exp(low)), 1 / (1 + math.exp(-low))
        found.append(sigma2 * gain / math.exp(-low) + alpha2 * (gain / math.exp(-low)) ** 2 * e)
    return found


@alternative("18.4")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    """In single precision."""
    error, gamma_s, gamma_t = np.float32(error), np.float32(gamma_s), np.float32(gamma_t)
    alpha2 = 1 / (1 + np.exp(gamma_s))
    k = 1 - np.exp(gamma_s - gamma_t)
    return k * ((1 - alpha2) + k * alpha2 * error)


@alternative("18.4")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    """By bisection of the derivative."""
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    low, high = 0 * narrow + 1e-12, 0 * narrow + 1e3
    for _ in range(200):  # the derivative of the cost changes its sign once
        v = np.sqrt(low * high)
        slope = 1 / v - (narrow + weight**2 * error) / v**2
        low, high = np.where(slope < 0, v, low), np.where(slope < 0, high, v)
    return v


@mutant("18.4", hint="its error shifts the mean")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    return _parts(gamma_s, gamma_t)[1]


@mutant("18.4", hint="step forward")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    return _parts(gamma_s, gamma_t)[0]


@mutant("18.4", hint="even with an exact guess")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return weight**2 * error


@mutant("18.4", hint="with a factor")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return narrow + error


@mutant("18.4", hint="square of the factor")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return narrow + weight * error


@mutant("18.4", hint="beta tilde, not beta")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return beta + weight**2 * error


@mutant("18.4", hint="standard deviation")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return np.sqrt(narrow + weight**2 * error)


@mutant("18.4", hint="a squared error already")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return narrow + weight**2 * error**2


@mutant("18.4", hint="an error of its own")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return narrow + weight**2 * np.mean(error)


@mutant("18.4", hint="")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return np.clip(narrow + weight**2 * error, narrow, beta)


@mutant("18.4", hint="has alpha_s in it")
def best_variance(error, gamma_s, gamma_t):  # noqa: F811
    beta, narrow, weight = _parts(gamma_s, gamma_t)
    return narrow + (weight / _alpha_sigma(gamma_s)[0]) ** 2 * error


def _factors(spread, gammas, first=1.0):
    alpha, sigma = _alpha_sigma(gammas)
    width = np.full(len(spread), first)
    for a, s, b, u in zip(alpha, sigma, alpha[1:], sigma[1:], strict=False):
        width = width * (a * b * spread**2 + s * u) / (a**2 * spread**2 + s**2)
    return width


# 18.5 ddim_spread


@alternative("18.5")
def ddim_spread(spread, gammas):
    """Follow the point at 1."""
    alpha, sigma = _alpha_sigma(gammas)
    result = []
    for s in spread:
        z = 1.0  # one standard deviation from the middle
        for t in range(1, len(gammas)):
            x = alpha[t - 1] * s**2 * z / (alpha[t - 1] ** 2 * s**2 + sigma[t - 1] ** 2)
            eps = (z - alpha[t - 1] * x) / sigma[t - 1]
            z = alpha[t] * x + sigma[t] * eps
        result.append(z)
    return result


@alternative("18.5")
def ddim_spread(spread, gammas):  # noqa: F811
    """All steps at once."""
    alpha, sigma = _alpha_sigma(gammas)
    v = np.asarray(spread)[:, None] ** 2
    now = alpha**2 * v + sigma**2
    return ((alpha[:-1] * alpha[1:] * v + sigma[:-1] * sigma[1:]) / now[:, :-1]).prod(1)


@alternative("18.5")
def ddim_spread(spread, gammas):  # noqa: F811
    """By angles, in single precision: each step loses the cosine of its turn."""
    spread, angle = np.float32(spread), np.float32(np.arctan(np.exp(np.asarray(gammas) / 2)))
    here = np.arctan2(np.sin(angle), np.cos(angle) * spread[:, None])  # the angle, as the data are stretched
    size = np.hypot(np.sin(angle), np.cos(angle) * spread[:, None])
    turn = np.cos(here[:, 1:] - here[:, :-1])
    return size[:, -1] / size[:, 0] * np.prod(turn, axis=1)


@mutant("18.5", hint="infinitely many steps")
def ddim_spread(spread, gammas):  # noqa: F811
    alpha, sigma = _alpha_sigma(gammas)
    wide = np.sqrt(alpha**2 * spread[:, None] ** 2 + sigma**2)
    return wide[:, -1] / wide[:, 0]


@mutant("18.5", hint="not divided by alpha")
def ddim_spread(spread, gammas):  # noqa: F811
    alpha, sigma = _alpha_sigma(gammas)
    return _factors(spread, gammas) / alpha[-1]


@mutant("18.5", hint="that is the variance")
def ddim_spread(spread, gammas):  # noqa: F811
    return _factors(spread, gammas) ** 2


@mutant("18.5", hint="its square is the variance")
def ddim_spread(spread, gammas):  # noqa: F811
    return _factors(np.sqrt(spread), gammas)


@mutant("18.5", hint="to the last")
def ddim_spread(spread, gammas):  # noqa: F811
    return _factors(spread, gammas[::-1])


@mutant("18.5", hint="the last step is missing")
def ddim_spread(spread, gammas):  # noqa: F811
    return _factors(spread, gammas[:-1])


@mutant("18.5", hint="single step")
def ddim_spread(spread, gammas):  # noqa: F811
    return _factors(spread, gammas[[0, -1]])


@mutant("18.5", hint="of standard deviation 1")
def ddim_spread(spread, gammas):  # noqa: F811
    alpha, sigma = _alpha_sigma(gammas)
    return _factors(spread, gammas) * np.sqrt(alpha[0] ** 2 * spread**2 + sigma[0] ** 2)


@mutant("18.5", hint="answered for itself")
def ddim_spread(spread, gammas):  # noqa: F811
    return np.full(len(spread), _factors(spread[:1], gammas)[0])


@mutant("18.5", hint="regression shrinks it")
def ddim_spread(spread, gammas):  # noqa: F811
    alpha, sigma = _alpha_sigma(gammas)
    return np.full(len(spread), alpha[-1] / alpha[0])


@mutant("18.5", hint="")
def ddim_spread(spread, gammas):  # noqa: F811
    alpha, sigma = _alpha_sigma(gammas)
    rng = np.random.default_rng(0)
    z = rng.normal(size=(20_000, len(spread)))
    for t in range(1, len(gammas)):
        x = alpha[t - 1] * spread**2 * z / (alpha[t - 1] ** 2 * spread**2 + sigma[t - 1] ** 2)
        narrow = sigma[t] ** 2 * (1 - np.exp(gammas[t] - gammas[t - 1]))
        eps = (z - alpha[t - 1] * x) / sigma[t - 1]
        z = alpha[t] * x + np.sqrt(sigma[t] ** 2 - narrow) * eps + np.sqrt(narrow) * rng.normal(size=z.shape)
    return z.std(0)


def _walk(denoise, alphas, sigmas, z, noise, size, shift=1, first=None, last=0):
    for t in range(first or len(alphas) - 1, last, -1):
        x, ratio = denoise(z, t), alphas[t] / alphas[t - 1]
        grown = sigmas[t] ** 2 - ratio**2 * sigmas[t - 1] ** 2
        mean = ratio * (sigmas[t - 1] / sigmas[t]) ** 2 * z + alphas[t - shift] * grown / sigmas[t] ** 2 * x
        z = mean + size(grown, sigmas[t - 1], sigmas[t]) * noise[t - 1]
    return z


def _right(grown, s, t):
    return np.sqrt(grown) * s / t


# 18.6 walk_back


@alternative("18.6")
def walk_back(denoise, alphas, sigmas, z, noise):
    """Each step in precisions."""
    for t in range(len(noise), 0, -1):
        ratio = alphas[t] / alphas[t - 1]
        if sigmas[t - 1] == 0:
            return denoise(z, t) * alphas[t - 1]
        forward = sigmas[t] ** 2 - ratio**2 * sigmas[t - 1] ** 2
        precision = 1 / sigmas[t - 1] ** 2 + ratio**2 / forward
        mean = alphas[t - 1] * denoise(z, t) / sigmas[t - 1] ** 2 + ratio * z / forward
        z = mean / precision + noise[t - 1] / np.sqrt(precision)
    return z


@alternative("18.6")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    """In the form of DDIM, with noise; t for each row."""
    for t in reversed(range(1, len(alphas))):
        x = denoise(z, np.full(len(z), t))
        eps = (z - alphas[t] * x) / sigmas[t]
        forward = 1 - (alphas[t] / alphas[t - 1]) ** 2
        spread = np.sqrt(forward) * sigmas[t - 1] / sigmas[t]
        z = alphas[t - 1] * x + np.sqrt(np.maximum(sigmas[t - 1] ** 2 - spread**2, 0)) * eps + spread * noise[t - 1]
    return z


@alternative("18.6")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    """By matching moments, in single precision."""
    z, noise = np.float32(z), np.float32(noise)
    alphas, sigmas = np.float32(alphas), np.float32(sigmas)
    t = len(alphas) - 1
    while t:
        x = np.float32(denoise(z, t))
        kept = (sigmas[t - 1] / sigmas[t]) ** 2 * alphas[t] / alphas[t - 1]  # share of z
        new = alphas[t - 1] - kept * alphas[t]
        spread = np.sqrt(np.maximum(sigmas[t - 1] ** 2 - kept**2 * sigmas[t] ** 2, 0))
        z = kept * z + new * x + spread * noise[t - 1]
        t -= 1
    return z


@mutant("18.6", hint="both mistakes")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: grown * s / t, shift=0)


@mutant("18.6", hint="alpha of t - 1")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, _right, shift=0)


@mutant("18.6", hint="needs its square root")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: grown * s / t)


@mutant("18.6", hint="too wide")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: np.sqrt(grown))


@mutant("18.6", hint="the first is T")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, _right, first=len(noise) - 1)


@mutant("18.6", hint="no noise was put back")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: 0.0)


@mutant("18.6", hint="opposite order")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise[::-1], _right)


@mutant("18.6", hint="last step was left out")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    z = _walk(denoise, alphas, sigmas, z, noise, _right, last=1)
    ratio = alphas[1] / alphas[0]
    grown = sigmas[1] ** 2 - ratio**2 * sigmas[0] ** 2
    return ratio * (sigmas[0] / sigmas[1]) ** 2 * z + alphas[0] * grown / sigmas[1] ** 2 * denoise(z, 1)


@mutant("18.6", hint="once for each step")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(lambda z, t: (denoise(z, t) + denoise(z, t)) / 2, alphas, sigmas, z, noise, _right)


@mutant("18.6", hint="all of z is replaced")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    for t in range(len(noise), 0, -1):
        z = alphas[t - 1] * denoise(z, t) + sigmas[t - 1] * noise[t - 1]
    return z


@mutant("18.6", hint="")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(lambda z, t: np.clip(denoise(z, t), -1, 1), alphas, sigmas, z, noise, _right)


@mutant("18.6", hint="")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    noise[:] = noise - noise.mean(1, keepdims=True)
    return _walk(denoise, alphas, sigmas, z, noise, _right)


def _tilted(mean_any, var_any, mean_label, var_label, a, b):
    precision = a / var_any + b / var_label
    return (a * mean_any / var_any + b * mean_label / var_label) / precision, 1 / precision


# 18.7 guided_gaussian


@alternative("18.7")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):
    """From the score at two points."""
    w = np.asarray(w).reshape(-1, 1)
    score = lambda z: (1 - w) * (mean_any - z) / var_any + w * (mean_label - z) / var_label  # noqa: E731
    slope = score(1.0) - score(0.0)  # a straight line
    return -score(0.0) / slope, -1 / slope


@alternative("18.7")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    """With one fraction."""
    w = w[:, None]
    variance = var_any * var_label / (w * var_any + (1 - w) * var_label)
    return variance * (w * mean_label / var_label - (w - 1) * mean_any / var_any), variance


@alternative("18.7")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    """Row by row, in single precision, the pair as a list."""
    means, variances = [], []
    for row in zip(mean_any, var_any, mean_label, var_label, w, strict=True):
        *four, g = row
        m0, v0, m1, v1 = (np.float32(v) for v in four)
        p0, p1 = 1 / v0, 1 / v1
        p = p0 + g * (p1 - p0)
        means.append((p0 * m0 + g * (p1 * m1 - p0 * m0)) / p)
        variances.append(1 / p)
    return [np.array(means), np.array(variances)]


@mutant("18.7", hint="another convention")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    return _tilted(mean_any, var_any, mean_label, var_label, -w[:, None], 1 + w[:, None])


@mutant("18.7", hint="belongs to the rows")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    if len(w) != mean_any.shape[1]:
        w = w[:, None]
    return _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)


@mutant("18.7", hint="changed places")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    return _tilted(mean_any, var_any, mean_label, var_label, w[:, None], 1 - w[:, None])


@mutant("18.7", hint="difference label - any")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    return _tilted(mean_any, var_any, mean_label, var_label, 1.0, w[:, None])


@mutant("18.7", hint="do not cut it off")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = np.minimum(w, 1)[:, None]
    return _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)


@mutant("18.7", hint="in a straight line")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    return (1 - w) * mean_any + w * mean_label, (1 - w) * var_any + w * var_label


@mutant("18.7", hint="means do not mix")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    variance = _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)[1]
    return (1 - w) * mean_any + w * mean_label, variance


@mutant("18.7", hint="standard deviation")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    mean, variance = _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)
    return mean, np.sqrt(variance)


@mutant("18.7", hint="precision")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    mean, variance = _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)
    return mean, 1 / variance


@mutant("18.7", hint="multiply by the variance")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    mean, variance = _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)
    return mean / variance, variance


@mutant("18.7", hint="each example has its own")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    return _tilted(mean_any, var_any, mean_label, var_label, 1 - w.mean(), w.mean())


@mutant("18.7", hint="label's variance")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    mean, variance = _tilted(mean_any, var_any, mean_label, var_label, 1 - w, w)
    return mean, var_label + 0 * variance


@mutant("18.7", hint="are variances already")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    w = w[:, None]
    return _tilted(mean_any, var_any**2, mean_label, var_label**2, 1 - w, w)


@mutant("18.7", hint="")
def guided_gaussian(mean_any, var_any, mean_label, var_label, w):  # noqa: F811
    """A variance that is never less than a twentieth."""
    w = w[:, None]
    precision = (1 - w) / var_any + w / var_label
    mean = ((1 - w) * mean_any / var_any + w * mean_label / var_label) / precision
    return mean, np.maximum(1 / precision, 0.05)
