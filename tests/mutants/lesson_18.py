"""Wrong and differently written answers to the exercises of lesson 18."""

import numpy as np

from tests.mutants import alternative, mutant

# 18.1 noised


@alternative("18.1")
def noised(x0, t, betas, eps):
    rows = []
    for x, steps, noise in zip(x0, t, eps, strict=True):
        left = np.prod(1 - betas[:steps])
        rows.append(np.sqrt(left) * x + np.sqrt(1 - left) * noise)
    return np.array(rows)


def _left(betas):
    return np.concatenate([[1.0], np.cumprod(1 - betas)])


@mutant("18.1", hint="one step too many")
def noised(x0, t, betas, eps):  # noqa: F811
    left = np.append(np.cumprod(1 - betas), np.prod(1 - betas))[t][:, None]
    return np.sqrt(left) * x0 + np.sqrt(1 - left) * eps


@mutant("18.1", hint="both square roots")
def noised(x0, t, betas, eps):  # noqa: F811
    left = _left(betas)[t][:, None]
    return left * x0 + (1 - left) * eps


@mutant("18.1", hint="used as a standard deviation")
def noised(x0, t, betas, eps):  # noqa: F811
    left = _left(betas)[t][:, None]
    return np.sqrt(left) * x0 + (1 - left) * eps


@mutant("18.1", hint="belongs to the rows")
def noised(x0, t, betas, eps):  # noqa: F811
    left = _left(betas)[t]
    return np.sqrt(left) * x0 + np.sqrt(1 - left) * eps


@mutant("18.1", hint="one step only")
def noised(x0, t, betas, eps):  # noqa: F811
    beta = betas[t - 1][:, None]
    return np.sqrt(1 - beta) * x0 + np.sqrt(beta) * eps


# 18.2 step_back


@alternative("18.2")
def step_back(x0, xt, t, betas):
    """By way of the joint Gaussian of x_{t-1} and x_t, given x_0."""
    before, keep = np.prod(1 - betas[: t - 1]), 1 - betas[t - 1]
    variance, together = 1 - before, 1 - before * keep
    gain = np.sqrt(keep) * variance / together
    mean = np.sqrt(before) * x0 + gain * (xt - np.sqrt(before * keep) * x0)
    return mean, variance - gain * np.sqrt(keep) * variance


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


# 18.3 noise_error


@alternative("18.3")
def noise_error(kind, squared, gamma):
    """By the angle: tan^2 = sigma^2 / alpha^2."""
    angle = np.arctan(np.exp(np.asarray(gamma) / 2))
    factor = {"eps": np.ones_like(angle), "x": 1 / np.tan(angle), "v": np.cos(angle)}[kind]
    return factor**2 * squared


def _alpha_sigma(gamma):
    return np.sqrt(1 / (1 + np.exp(gamma))), np.sqrt(1 / (1 + np.exp(-gamma)))


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


# 18.4 step_cost


@alternative("18.4")
def step_cost(eps, eps_hat, gamma_s, gamma_t):
    half = (gamma_t - gamma_s) / 2
    return np.exp(half) * np.sinh(half) * np.einsum("bd,bd->b", eps - eps_hat, eps - eps_hat)


@mutant("18.4", hint="half is missing")
def step_cost(eps, eps_hat, gamma_s, gamma_t):  # noqa: F811
    return np.expm1(gamma_t - gamma_s) * ((eps - eps_hat) ** 2).sum(1)


@mutant("18.4", hint="averaged over dimensions")
def step_cost(eps, eps_hat, gamma_s, gamma_t):  # noqa: F811
    return 0.5 * np.expm1(gamma_t - gamma_s) * ((eps - eps_hat) ** 2).mean(1)


@mutant("18.4", hint="expm1")
def step_cost(eps, eps_hat, gamma_s, gamma_t):  # noqa: F811
    return 0.5 * (np.exp(gamma_t - gamma_s) - 1) * ((eps - eps_hat) ** 2).sum(1)


@mutant("18.4", hint="infinitely small steps")
def step_cost(eps, eps_hat, gamma_s, gamma_t):  # noqa: F811
    return 0.5 * (gamma_t - gamma_s) * ((eps - eps_hat) ** 2).sum(1)


# 18.5 ddim_step


@alternative("18.5")
def ddim_step(z, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s):
    return alpha_s / alpha_t * z + (sigma_s - alpha_s * sigma_t / alpha_t) * eps_hat


@mutant("18.5", hint="divided by alpha_t")
def ddim_step(z, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s):  # noqa: F811
    return alpha_s * (z - sigma_t * eps_hat) + sigma_s * eps_hat


@mutant("18.5", hint="belongs to time s is missing")
def ddim_step(z, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s):  # noqa: F811
    return alpha_s * (z - sigma_t * eps_hat) / alpha_t


@mutant("18.5", hint="it is not squared")
def ddim_step(z, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s):  # noqa: F811
    return alpha_s * (z - sigma_t * eps_hat) / alpha_t + sigma_s**2 * eps_hat


@mutant("18.5", hint="too much noise is left")
def ddim_step(z, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s):  # noqa: F811
    return alpha_s * (z - sigma_t * eps_hat) / alpha_t + sigma_t * eps_hat


# 18.6 walk_back


def _walk(denoise, alphas, sigmas, z, noise, size, shift=1, first=None):
    for t in range(first or len(alphas) - 1, 0, -1):
        x, ratio = denoise(z, t), alphas[t] / alphas[t - 1]
        grown = sigmas[t] ** 2 - ratio**2 * sigmas[t - 1] ** 2
        mean = ratio * (sigmas[t - 1] / sigmas[t]) ** 2 * z + alphas[t - shift] * grown / sigmas[t] ** 2 * x
        z = mean + size(grown, sigmas[t - 1], sigmas[t]) * noise[t - 1]
    return z


@alternative("18.6")
def walk_back(denoise, alphas, sigmas, z, noise):
    """Each step in precisions."""
    for t in range(len(noise), 0, -1):
        ratio = alphas[t] / alphas[t - 1]
        if t == 1:
            return denoise(z, 1) * alphas[0]
        forward = sigmas[t] ** 2 - ratio**2 * sigmas[t - 1] ** 2
        precision = 1 / sigmas[t - 1] ** 2 + ratio**2 / forward
        mean = alphas[t - 1] * denoise(z, t) / sigmas[t - 1] ** 2 + ratio * z / forward
        z = mean / precision + noise[t - 1] / np.sqrt(precision)


@mutant("18.6", hint="both mistakes")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: grown * s / t, shift=0)


@mutant("18.6", hint="alpha of t - 1")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: np.sqrt(grown) * s / t, shift=0)


@mutant("18.6", hint="needs its square root")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: grown * s / t)


@mutant("18.6", hint="too wide")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    return _walk(denoise, alphas, sigmas, z, noise, lambda grown, s, t: np.sqrt(grown))


@mutant("18.6", hint="the first is T")
def walk_back(denoise, alphas, sigmas, z, noise):  # noqa: F811
    size = lambda grown, s, t: np.sqrt(grown) * s / t  # noqa: E731
    return _walk(denoise, alphas, sigmas, z, noise, size, first=len(noise) - 1)


# 18.7 guided


@alternative("18.7")
def guided(eps_any, eps_label, w):
    w = np.asarray(w).reshape(-1, 1)
    return (1 - w) * eps_any + w * eps_label


@mutant("18.7", hint="another convention")
def guided(eps_any, eps_label, w):  # noqa: F811
    return (1 + w[:, None]) * eps_label - w[:, None] * eps_any


@mutant("18.7", hint="belongs to the rows")
def guided(eps_any, eps_label, w):  # noqa: F811
    return eps_any + w * (eps_label - eps_any)


@mutant("18.7", hint="changed places")
def guided(eps_any, eps_label, w):  # noqa: F811
    return eps_label + w[:, None] * (eps_any - eps_label)


@mutant("18.7", hint="difference label - any")
def guided(eps_any, eps_label, w):  # noqa: F811
    return eps_any + w[:, None] * eps_label
