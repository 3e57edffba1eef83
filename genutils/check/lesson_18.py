"""Checks of lesson 18, diffusion: moments of noise, Bayes between two Gaussians, samplers that give a Gaussian back."""

from __future__ import annotations

import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import BITS, brief, expect, expect_close, numbers, pair


def _levels(betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """alpha and sigma after 0 ... T steps, (T + 1,) each."""
    left = np.concatenate([[1.0], np.cumprod(1 - betas)])
    return np.sqrt(left), np.sqrt(1 - left)


# 18.1 -----------------------------------------------------------------------------------------------------------------


@exercise("18.1", "noised", points=1)
def _(answer, rng):
    betas = np.linspace(0.05, 0.4, 9)
    alpha, sigma = _levels(betas)
    for t in (np.array([3, 1, 5, 2]), np.array([9, 0, 4, 8])):
        x0, eps = rng.normal(size=(4, 4)) + 2, rng.normal(size=(4, 4))
        a, s = alpha[t][:, None], sigma[t][:, None]
        late, early = (np.minimum(t + 1, 9), np.maximum(t - 1, 0))
        one = betas[early][:, None]
        expect_close(
            answer(x0.copy(), t.copy(), betas.copy(), eps.copy()),
            a * x0 + s * eps,
            "alpha_t x_0 + sigma_t eps, where alpha_t^2 is the product of the first t factors 1 - beta",
            given=f"t = {brief(t)}, T = 9",
            mistakes=[
                (
                    alpha[late][:, None] * x0 + sigma[late][:, None] * eps,
                    "one step too many: after t = 0 steps nothing has happened, so the product has t factors",
                ),
                (
                    alpha[early][:, None] * x0 + sigma[early][:, None] * eps,
                    "one step too few: the product has t factors",
                ),
                (a**2 * x0 + s * eps, "alpha_t is the square root of the product"),
                (a**2 * x0 + s**2 * eps, "both square roots are missing: variances were used as factors"),
                (a * x0 + s**2 * eps, "a variance is used as a standard deviation: sigma_t is its square root"),
                (a * x0 + (1 - a) * eps, "sigma_t is sqrt(1 - alpha_t^2), not 1 - alpha_t"),
                (np.sqrt(1 - one) * x0 + np.sqrt(one) * eps, "that is one step only: multiply over all steps so far"),
                (
                    alpha[t] * x0 + sigma[t] * eps,
                    "axes: t belongs to the rows, the examples; here it meets the columns",
                ),
                (s * x0 + a * eps, "alpha belongs to the data, sigma to the noise"),
                (a * x0 - s * eps, "the noise is added"),
            ],
            hint="put a 1 before the cumulative product of 1 - betas; then its entry t has t factors",
        )


# 18.2 -----------------------------------------------------------------------------------------------------------------


@exercise("18.2", "step_back", points=3)
def _(answer, rng):
    betas = np.linspace(0.05, 0.4, 9)
    alpha, sigma = _levels(betas)
    says = "the answer is a pair: a mean (B, D) and a variance, one number"
    for t in (4, 9, 1):
        x0, xt = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)) + 1
        given = f"t = {t}, T = 9, x_0 = {brief(x0[0])}, x_t = {brief(xt[0])}"
        mean, variance = pair(answer(x0.copy(), xt.copy(), t, betas.copy()), says, given=given)

        def both(beta, now, then, x0=x0, xt=xt):
            root = math.sqrt(1 - beta)
            m = (root * sigma[then] ** 2 * xt + alpha[then] * beta * x0) / sigma[now] ** 2
            return m, beta * sigma[then] ** 2 / sigma[now] ** 2

        beta, ahead = betas[t - 1], min(t + 1, 9)
        want = both(beta, t, t - 1)
        off = both(betas[min(t, 8)], ahead, t)
        swapped = (math.sqrt(1 - beta) * sigma[t - 1] ** 2 * x0 + alpha[t - 1] * beta * xt) / sigma[t] ** 2
        no_root = ((1 - beta) * sigma[t - 1] ** 2 * xt + alpha[t - 1] ** 2 * beta * x0) / sigma[t] ** 2
        now = (math.sqrt(1 - beta) * sigma[t - 1] ** 2 * xt + alpha[t] * beta * x0) / sigma[t] ** 2
        expect_close(
            variance,
            want[1],
            "the variance: one over the sum of the two precisions",
            given=given,
            mistakes=[
                (math.sqrt(want[1]), "that is the standard deviation: the variance is asked for"),
                (beta, "that is the variance of the step forward: knowing x_0 makes the step back narrower"),
                (sigma[t - 1] ** 2, "that is the variance of q(x_{t-1} | x_0): it uses x_0 and forgets x_t"),
                (off[1], "one step off: the step from t - 1 to t used betas[t - 1]"),
                (
                    beta * sigma[9] ** 2 / sigma[1] ** 2 if t == 1 else np.nan,
                    "at t = 1 an index of -1 reads the last entry: put a 1 before the cumulative product",
                ),
                (beta * sigma[t] ** 2 / sigma[t - 1] ** 2 if t > 1 else np.nan, "the fraction is upside down"),
                (np.nan, "0/0: at t = 1 nothing is left to guess, the variance is 0; divide by sigma_t^2, not before"),
            ],
        )
        expect_close(
            mean,
            want[0],
            "the mean: x_0 and x_t, weighted by what each says about x_{t-1}",
            given=given,
            mistakes=[
                (swapped, "x_0 and x_t have changed places: close to the data, x_0 knows best"),
                (no_root, "square roots are missing: sqrt(1 - beta) goes with x_t, alpha_{t-1} with x_0"),
                (now, "alpha of t was used where that of t - 1 belongs"),
                (off[0], "one step off: the step from t - 1 to t used betas[t - 1]"),
                (alpha[t - 1] * x0, "that is the mean of q(x_{t-1} | x_0): x_t knows something, too"),
                (xt / math.sqrt(1 - beta), "that undoes the shrinking and forgets x_0"),
                (
                    np.full((3, 2), np.nan),
                    "0/0: at t = 1 sigma_{t-1} is 0; multiply out, so that nothing is divided by it",
                ),
            ],
        )


# 18.3 -----------------------------------------------------------------------------------------------------------------


@exercise("18.3", "noise_error", points=2)
def _(answer, rng):
    gamma = np.array([-3.0, -0.5, 1.0, 2.5]) + rng.uniform(-0.4, 0.4, size=4)
    alpha, sigma = np.sqrt(1 / (1 + np.exp(gamma))), np.sqrt(1 / (1 + np.exp(-gamma)))
    a, s = alpha[:, None], sigma[:, None]
    x, eps, off = (rng.normal(size=(4, 3)) for _ in range(3))
    z = a * x + s * eps
    guesses = {  # each off by the same, in its own name, and the noise that follows from it
        "eps": eps + off,
        "x": (z - a * (x + off)) / s,
        "v": s * z + a * (a * eps - s * x + off),
    }
    squared = (off**2).sum(1)
    for kind, guess in guesses.items():
        right = {"eps": squared, "x": squared * (alpha / sigma) ** 2, "v": squared * alpha**2}[kind]
        mistakes = [(np.full(4, right.mean()), "averaged over the batch: one number for each example")]
        if kind != "eps":
            mistakes += [
                (squared, f"an error of {kind} is not of the same size in the noise: write eps_hat with the guess"),
                (squared**2 / right, "upside down: that turns an error of the noise into one of " + kind),
                (np.sqrt(squared * right), "errors scale by the factor, squared errors by its square"),
            ]
        if kind == "v":
            mistakes += [
                (squared * sigma**2, "that is the error of the data: eps_hat = sigma z + alpha v_hat"),
                (squared * (alpha / sigma) ** 2, "that is the factor for x; with v nothing is divided"),
            ]
        if kind == "x":
            mistakes += [
                (squared / sigma**2, "x_hat comes with a factor: eps_hat = (z - alpha x_hat) / sigma"),
                (squared * alpha**2, "that is the factor for v; eps_hat = (z - alpha x_hat) / sigma"),
            ]
        expect_close(
            answer(kind, squared.copy(), gamma.copy()),
            ((eps - guess) ** 2).sum(1),
            "the squared error of the noise that follows from the guess",
            given=f"kind = {kind!r}, gamma = {brief(gamma)}",
            mistakes=mistakes,
            hint="alpha^2 / sigma^2 = exp(-gamma), and alpha^2 = 1 / (1 + exp(gamma))",
        )


# 18.4 -----------------------------------------------------------------------------------------------------------------


@exercise("18.4", "step_cost", points=2)
def _(answer, rng):
    eps, guess = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    square = (eps - guess) ** 2
    for low, high in ((-3.0, -2.5), (1.0, 1.2)):
        grown = math.expm1(high - low)
        expect_close(
            answer(eps.copy(), guess.copy(), low, high),
            0.5 * grown * square.sum(1),
            "half of (exp(gamma_t - gamma_s) - 1) times the squared error, summed over dimensions",
            given=f"B = 4, D = 3, gamma_s = {low}, gamma_t = {high}",
            mistakes=[
                (grown * square.sum(1), "the half is missing: it comes from the Gaussian's exponent"),
                (0.5 * grown * square.mean(1), "averaged over dimensions: nats of independent parts add up"),
                (0.5 * grown * square.sum(), "summed over the batch: one number for each example"),
                (0.5 * grown * square.sum(1).mean(), "averaged over the batch: one number for each example"),
                (0.5 * square.sum(1), "the weight is missing: without it this is no bound on anything"),
                (0.5 * (high - low) * square.sum(1), "that holds for infinitely small steps only: exp(...) - 1"),
                (0.5 * math.expm1(low - high) * square.sum(1), "the sign: gamma_t - gamma_s, a cost is not negative"),
                (0.5 * math.exp(high - low) * square.sum(1), "subtract 1: a step of no length costs nothing"),
                (0.5 * grown * np.sqrt(square.sum(1)), "the squared length, not the length"),
                (0.5 * grown * square.sum(1) / math.log(2), BITS),
            ],
        )
    tiny = 3e-14
    expect_close(
        answer(eps.copy(), guess.copy(), 0.0, tiny),
        0.5 * tiny * square.sum(1),
        "a step shorter than a hair costs its length times half the squared error",
        given=f"gamma_s = 0, gamma_t = {tiny}",
        hint="exp(d) - 1 loses its digits when d is tiny; numpy has expm1 for it",
        atol=0,
        rtol=1e-5,
    )


# 18.5 -----------------------------------------------------------------------------------------------------------------


@exercise("18.5", "ddim_step", points=2)
def _(answer, rng):
    for low, high in ((-2.0, 1.0), (-6.0, 3.0)):
        (a_s, s_s), (a_t, s_t) = (
            (math.sqrt(1 / (1 + math.exp(g))), math.sqrt(1 / (1 + math.exp(-g)))) for g in (low, high)
        )
        x, eps = rng.normal(size=(3, 2)) * 2, rng.normal(size=(3, 2))
        z = a_t * x + s_t * eps
        expect_close(
            answer(z.copy(), eps.copy(), a_t, s_t, a_s, s_s),
            a_s * x + s_s * eps,
            "with the right noise, the step lands on alpha_s x + sigma_s eps, the same data and noise at time s",
            given=f"alpha_t = {a_t:.3f}, sigma_t = {s_t:.3f}, alpha_s = {a_s:.3f}, sigma_s = {s_s:.3f}",
            mistakes=[
                (x, "that is the guess of the data: go to time s, not all the way to 0"),
                (a_s * x, "the noise that belongs to time s is missing: + sigma_s eps_hat"),
                (a_s * x + s_t * eps, "too much noise is left: sigma_s, not sigma_t"),
                (a_t * x + s_s * eps, "the data are to be as strong as at time s: alpha_s, not alpha_t"),
                (a_t * z + s_s * (z - a_t * eps) / s_t, "alpha and sigma have changed places"),
                (
                    a_s * (z - s_t * eps) + s_s * eps,
                    "the guess of the data is (z - sigma_t eps_hat) divided by alpha_t",
                ),
                (a_t * (z - s_s * eps) / a_s + s_t * eps, "s and t have changed places: z comes from t and goes to s"),
                (
                    math.sqrt(a_s) * (z - math.sqrt(s_t) * eps) / math.sqrt(a_t) + math.sqrt(s_s) * eps,
                    "no square roots: alpha and sigma are factors already (many papers write their squares)",
                ),
                (a_s * x + s_s**2 * eps, "sigma_s is a standard deviation: it is not squared"),
                (a_s * (z + s_t * eps) / a_t + s_s * eps, "the noise is taken away: (z - sigma_t eps_hat) / alpha_t"),
            ],
        )


# 18.6 -----------------------------------------------------------------------------------------------------------------


@exercise("18.6", "walk_back", points=3)
def _(answer, rng):
    steps = 60
    alphas, sigmas = _levels(np.linspace(1e-4, 0.02, steps) * 1000 / steps)
    centre, spread = np.array([1.5, -0.5]), np.array([0.4, 0.8])
    asked = []

    def denoise(z, t):
        """E[x | z_t] for independent Gaussians; keeps a record of the steps that it was asked for."""
        t = int(t)
        asked.append(t)
        a, s = alphas[t], sigmas[t]
        return centre + spread**2 * a * (z - a * centre) / (a**2 * spread**2 + s**2)

    def walk(z, noise, *, a_now=False, root=True, width=None, offset=0):
        for t in range(steps, 0, -1):
            x, ratio = denoise(z, t), alphas[t] / alphas[t - 1]
            grown = sigmas[t] ** 2 - ratio**2 * sigmas[t - 1] ** 2
            mean = ratio * (sigmas[t - 1] / sigmas[t]) ** 2 * z
            mean = mean + alphas[t if a_now else t - 1] * grown / sigmas[t] ** 2 * x
            size = (np.sqrt(grown) if root else grown) * sigmas[t - 1] / sigmas[t] if width is None else width(t, grown)
            z = mean + size * noise[t - 1 - offset]
        return z

    z, noise = rng.normal(size=(5, 2)), rng.normal(size=(steps, 5, 2))
    want = walk(z, noise)
    again = z
    for t in range(steps, 0, -1):
        again = alphas[t - 1] * denoise(again, t) + sigmas[t - 1] * noise[t - 1]
    wrong = [
        (walk(z, noise, a_now=True, root=False), "both mistakes of the code as found are still in it"),
        (walk(z, noise, a_now=True), "the mean is that of z_{t-1}: its share of the data is alpha of t - 1"),
        (walk(z, noise, root=False), "a variance was used as a standard deviation: the noise needs its square root"),
        (
            walk(z, noise, width=lambda t, grown: np.sqrt(grown)),
            "the noise of the step forward is too wide: the guess of the data narrows it by sigma_{t-1} / sigma_t",
        ),
        (
            walk(z, noise, width=lambda t, grown: sigmas[t - 1]),
            "z_t says something about z_{t-1}, too: the noise is narrower than sigma_{t-1}",
        ),
        (
            walk(z, noise[::-1]),
            "the noise is used in the opposite order: noise[t - 1] is for the step from t to t - 1",
        ),
        (again, "all of z is replaced by the guess and new noise: a step back keeps part of where z is"),
        (walk(z, noise, width=lambda t, grown: 0.0), "no noise was put back: with these means the samples lose spread"),
    ]
    asked.clear()
    got = numbers(
        answer(denoise, alphas.copy(), sigmas.copy(), z.copy(), noise.copy()), "the sampler returns z at step 0"
    )
    order = "denoise is asked at the steps T, T - 1, ..., 1, once each"
    expect(
        asked == list(range(steps, 0, -1)),
        order,
        expected=f"{steps}, {steps - 1}, ..., 1",
        got=f"{brief(asked, 60)}",
        hint="z is at step t when denoise sees it; the first is T, and step 0 is data already",
    )
    expect_close(
        got,
        want,
        "each step draws from q(z_{t-1} | z_t, x) with the guessed x",
        given=f"T = {steps}, noise made in advance",
        mistakes=wrong,
        hint="compare one step with exercise 18.2, with alphas[t] / alphas[t - 1] for sqrt(1 - beta_t)",
    )
    # The oracle: with the exact guess for a Gaussian, the sampler gives back its mean and spread.
    n = 4000
    got = numbers(
        answer(denoise, alphas, sigmas, rng.normal(size=(n, 2)), rng.normal(size=(steps, n, 2))),
        "once more, z at step 0",
    )
    expect(
        bool(np.abs(got.mean(0) - centre).max() < 0.1),
        "samples have the mean of the data",
        expected=brief(centre),
        got=got.mean(0),
    )
    expect(
        bool(np.abs(got.std(0) / spread - 1).max() < 0.2),
        "samples have the spread of the data, but for what 60 steps lose",
        expected=brief(spread),
        got=got.std(0),
    )


# 18.7 -----------------------------------------------------------------------------------------------------------------


@exercise("18.7", "guided", points=2)
def _(answer, rng):
    free, label, w = rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), np.array([0.0, 1.0, 3.0, 0.5])
    column = w[:, None]
    expect_close(
        answer(free.copy(), label.copy(), w.copy()),
        free + column * (label - free),
        "eps_any + w (eps_label - eps_any): w = 0 ignores the label, w = 1 is the conditional model",
        given=f"w = {brief(w)}, B = D = 4",
        mistakes=[
            (
                label + column * (label - free),
                "another convention: there w = 0 is already the conditional model; here that is w = 1",
            ),
            (free + w * (label - free), "axes: w belongs to the rows, the examples; here it meets the columns"),
            (label + column * (free - label), "the ends have changed places: w = 0 ignores the label"),
            (free - column * (label - free), "the sign: go towards the label's guess"),
            (free + column * label, "the difference label - any is weighted, not the label's guess itself"),
            (np.clip(column, 0, 1) * (label - free) + free, "w above 1 exaggerates: do not cut it off"),
        ],
    )
    expect_close(
        answer(free.copy(), free.copy(), np.full(4, 7.0)),
        free,
        "where the label changes nothing, guidance changes nothing, however strong",
        given="eps_label = eps_any, w = 7",
    )
