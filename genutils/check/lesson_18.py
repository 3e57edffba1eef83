"""Checks of lesson 18, diffusion: moments of noise, Bayes between two Gaussians, samplers that give a Gaussian back."""

from __future__ import annotations

import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import brief, expect, expect_close, numbers, pair, unchanged

LOOSE = {"rtol": 1e-4, "atol": 1e-6}  # single precision is precise enough; every mistake below is further off


def _left(betas: np.ndarray) -> np.ndarray:
    """alpha^2 after 0 ... T steps, (T + 1,)."""
    return np.cumprod(np.append(1.0, 1 - betas))


def _levels(betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """alpha and sigma after 0 ... T steps, (T + 1,) each."""
    left = _left(betas)
    return np.sqrt(left), np.sqrt(1 - left)


def _at(gamma) -> tuple[np.ndarray, np.ndarray]:
    """alpha and sigma from gamma = log(sigma^2 / alpha^2)."""
    gamma = np.asarray(gamma, dtype=float)
    return np.sqrt(1 / (1 + np.exp(gamma))), np.sqrt(1 / (1 + np.exp(-gamma)))


# 18.1 -----------------------------------------------------------------------------------------------------------------


@exercise("18.1", "noise_on", points=1)
def _(answer, rng):
    betas = np.sort(rng.uniform(0.03, 0.5, size=9))
    left = _left(betas)
    total = np.concatenate([[0.0], np.cumsum(betas)])
    for s, t in (([0, 2, 5, 1], [3, 4, 9, 2]), ([0, 4, 9, 0], [9, 8, 9, 0]), ([3], [7])):
        s, t = np.array(s), np.array(t)
        b = len(s)
        x, eps = rng.normal(size=(b, 4)) + 2, rng.normal(size=(b, 4))
        c = (left[t] / left[s])[:, None]
        now, was = left[t][:, None], left[s][:, None]

        def mix(keep, noise, x=x, eps=eps):
            with np.errstate(invalid="ignore"):
                return np.sqrt(keep) * x + np.sqrt(noise) * eps

        def over(first, last, b=b):  # product of the factors number first + 1 ... last, where there are any
            pick = [np.prod((1 - betas)[max(i, 0) : j]) for i, j in zip(first, last, strict=True)]
            return np.array(pick).reshape(b, 1)

        same = x.copy()
        for i in range(b):
            for beta in betas[s[i] : t[i]]:
                same[i] = np.sqrt(1 - beta) * same[i] + np.sqrt(beta) * eps[i]
        last = betas[np.maximum(t - 1, 0)][:, None]
        summed = (total[t] - total[s])[:, None]
        late, early = over(s + 1, np.minimum(t + 1, 9)), over(s - 1, t - 1)
        more, fewer = over(s - 1, t), over(s, t - 1)
        mistakes = [
            (mix(more, 1 - more), "one step too many: from s to t there are t - s steps, numbers s + 1 ... t"),
            (mix(late, 1 - late), "all steps are one too late: step 1 uses the first beta, betas[0]"),
            (mix(over(s, np.minimum(t + 1, 9)), 1 - over(s, np.minimum(t + 1, 9))), "one step too many: s + 1 ... t"),
            (mix(early, 1 - early), "all steps are one too early: step s + 1, the next, uses betas[s]"),
            (mix(fewer, 1 - fewer), "one step too few: from s to t there are t - s steps, the last is number t"),
            (mix(now, 1 - now), "that starts from the data: x has taken s steps already, take those that are left"),
            (mix(c, 1 - now), "the noise in x counts too: the new noise has variance 1 - alpha_t^2 / alpha_s^2"),
            (mix(c, now * 0 + was - now), "the old noise shrinks on the way, so variances are not simply subtracted"),
            (mix(c, np.where(t > s, betas[np.maximum(t - 1, 0)], 0)[:, None]), "the noise of one step only: of all"),
            (mix(1 - last, last), "that is one step only: multiply over all steps from s to t"),
            (mix(np.exp(-summed), 1 - np.exp(-summed)), "exp(-beta) is 1 - beta for very small beta only: multiply"),
            (mix(1 - summed, summed), "betas do not add up: each step shrinks what was there by sqrt(1 - beta)"),
            (mix(c, summed), "the variances of the steps do not just add up: later steps shrink earlier noise"),
            (mix(c**2, 1 - c), "the picture is multiplied by the square root of the product"),
            (mix(c**2, (1 - c) ** 2), "both square roots are missing: variances were used as factors"),
            (mix(c, (1 - c) ** 2), "a variance is used as a standard deviation: its square root is the factor"),
            (mix(c, (1 - np.sqrt(c)) ** 2), "the noise has the standard deviation sqrt(1 - c), not 1 - sqrt(c)"),
            (mix(1 - c, c), "what is kept belongs to x, what is new to the noise"),
            (mix(c, 1 - c, eps=-eps), "the noise is added"),
            (mix(c, 0 * c), "the noise is missing"),
            (same, "the noises of the steps are independent: the same eps in each of them adds up to more"),
            (mix(1 + 0 * c, 1 - c), "x shrinks, too: without that the variance would grow and grow"),
        ]
        if b == 4:
            flat = left[t] / left[s]
            mistakes.append(
                (np.sqrt(flat) * x + np.sqrt(1 - flat) * eps, "axes: s and t belong to the rows, the examples")
            )
        given = [x.copy(), s.copy(), t.copy(), betas.copy(), eps.copy()]
        expect_close(
            answer(*given),
            mix(c, 1 - c),
            "sqrt(c) x + sqrt(1 - c) eps, where c is the product of 1 - beta over the steps s + 1 ... t",
            given=f"s = {brief(s)}, t = {brief(t)}, T = 9",
            mistakes=mistakes,
            **LOOSE,
        )
        unchanged([x, s, t, betas, eps], given)
    betas = np.linspace(1e-4, 0.06, 1000)  # a long chain, of which next to nothing is left at the end
    left = _left(betas)
    s, t = np.array([0, 300, 900, 850]), np.array([1000, 500, 1000, 900])
    x, eps = rng.normal(size=(4, 3)) + 2, rng.normal(size=(4, 3))
    c = (left[t] / left[s])[:, None]
    expect_close(
        answer(x.copy(), s.copy(), t.copy(), betas.copy(), eps.copy()),
        np.sqrt(c) * x + np.sqrt(1 - c) * eps,
        "a long chain, too, keeps sqrt(c) of x, however small that is",
        given=f"s = {brief(s)}, t = {brief(t)}, T = 1000, where alpha_T^2 = {left[-1]:.0e}",
        **LOOSE,
    )


# 18.2 -----------------------------------------------------------------------------------------------------------------


@exercise("18.2", "step_back", points=3)
def _(answer, rng):
    betas = np.sort(rng.uniform(0.03, 0.5, size=9))
    alpha, sigma = _levels(betas)
    says = "the answer is a pair: a mean (B, D) and a variance, one number"
    for t in (4, 9, 1):
        x0, xt = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)) + 1
        given = f"t = {t}, T = 9, x_0 = {brief(x0[0])}, x_t = {brief(xt[0])}"
        mine = [x0.copy(), xt.copy(), betas.copy()]
        mean, variance = pair(answer(mine[0], mine[1], t, mine[2]), says, given=given)

        def both(beta, now, then, x0=x0, xt=xt):
            root = math.sqrt(1 - beta)
            m = (root * sigma[then] ** 2 * xt + alpha[then] * beta * x0) / sigma[now] ** 2
            return m, beta * sigma[then] ** 2 / sigma[now] ** 2

        beta, ahead, s2 = betas[t - 1], min(t + 1, 9), sigma**2
        root, want = math.sqrt(1 - beta), both(beta, t, t - 1)
        off = both(betas[min(t, 8)], ahead, t)
        before = both(betas[t - 2], t - 1, t - 2) if t > 1 else (np.nan, np.nan)
        swapped = (root * s2[t - 1] * x0 + alpha[t - 1] * beta * xt) / s2[t]
        no_root = ((1 - beta) * s2[t - 1] * xt + alpha[t - 1] ** 2 * beta * x0) / s2[t]
        only_first = ((1 - beta) * s2[t - 1] * xt + alpha[t - 1] * beta * x0) / s2[t]
        only_second = (root * s2[t - 1] * xt + alpha[t - 1] ** 2 * beta * x0) / s2[t]
        now = (root * s2[t - 1] * xt + alpha[t] * beta * x0) / s2[t]
        if np.size(np.asarray(variance, dtype=object)) > 1 and np.size(np.asarray(mean, dtype=object)) == 1:
            expect(False, says, given=given, hint="the other way round: first the mean, then the variance")
        vague = s2[t - 1] > 0
        expect_close(
            variance,
            want[1],
            "the variance: one over the sum of the two precisions",
            given=given,
            mistakes=[
                (math.sqrt(want[1]), "that is the standard deviation: the variance is asked for"),
                (beta, "that is the variance of the step forward: knowing x_0 makes the step back narrower"),
                (s2[t - 1] if vague else np.nan, "that is the variance of q(x_{t-1} | x_0): it forgets x_t"),
                (off[1], "one step off: the step from t - 1 to t used betas[t - 1]"),
                (before[1], "one step off: alpha after t steps has t factors, and betas[t - 1] is the last"),
                (
                    beta * s2[9] / s2[1] if t == 1 else np.nan,
                    "at t = 1 an index of -1 reads the last entry: put a 1 before the cumulative product",
                ),
                (beta * s2[t] / s2[t - 1] if vague else np.nan, "the fraction is upside down"),
                (1 / want[1] if vague else np.nan, "that is the precision: the variance is one over it"),
                (beta + s2[t - 1] if vague else np.nan, "precisions add, not variances"),
                (
                    1 / (1 / beta + 1 / s2[t - 1]) if vague else np.nan,
                    "x_{t-1} is shrunk on the way to x_t: as a function of x_{t-1} the precision is (1 - beta) / beta",
                ),
                (beta * sigma[t - 1] / sigma[t], "squares are missing: variances, not standard deviations"),
                (np.nan, "0/0: at t = 1 nothing is left to guess; divide by sigma_t^2, not by sigma_{t-1}^2"),
            ],
            **LOOSE,
        )
        expect_close(
            mean,
            want[0],
            "the mean: x_0 and x_t, weighted by what each says about x_{t-1}",
            given=given,
            mistakes=[
                (swapped if vague else np.nan, "x_0 and x_t have changed places: close to the data, x_0 knows best"),
                (np.nan if vague else xt, "the step to t - 1 = 0 ends in the data: x_0, not x_t"),
                (no_root, "square roots are missing: sqrt(1 - beta) goes with x_t, alpha_{t-1} with x_0"),
                (only_first, "a square root is missing: x_t goes with sqrt(1 - beta)"),
                (only_second, "a square root is missing: x_0 goes with alpha_{t-1}, not with its square"),
                (now, "alpha of t was used where that of t - 1 belongs"),
                (off[0], "one step off: the step from t - 1 to t used betas[t - 1]"),
                (before[0], "one step off: alpha after t steps has t factors, and betas[t - 1] is the last"),
                (alpha[t - 1] * x0, "that is the mean of q(x_{t-1} | x_0): x_t knows something, too"),
                (xt / root, "that undoes the shrinking and forgets x_0"),
                (root * xt, "that shrinks once more and forgets x_0: the step goes back"),
                ((x0 + xt) / 2, "the weights are not equal: each says as much as its precision"),
                (want[0] * s2[t], "divide by sigma_t^2: the pulls are weighted by the variance"),
                (
                    np.full((3, 2), np.nan),
                    "0/0: at t = 1 sigma_{t-1} is 0; multiply out, so that nothing is divided by it",
                ),
            ],
            **LOOSE,
        )
        unchanged([x0, xt, betas], mine)


# 18.3 -----------------------------------------------------------------------------------------------------------------


@exercise("18.3", "noise_error", points=2)
def _(answer, rng):
    for b in (4, 1):
        gamma = np.array([-6.0, -0.7, 1.0, 3.5])[:b] + rng.uniform(-0.4, 0.4, size=b)
        alpha, sigma = _at(gamma)
        a, s = alpha[:, None], sigma[:, None]
        x, eps, off = (rng.normal(size=(b, 3)) for _ in range(3))
        off = off * np.array([1.0, 5.0, 0.3, 2.0])[:b, None]
        z = a * x + s * eps
        guesses = {  # each off by the same, in its own name, and the noise that follows from it
            "eps": eps + off,
            "x": (z - a * (x + off)) / s,
            "v": s * z + a * (a * eps - s * x + off),
        }
        squared = (off**2).sum(1)
        for kind, guess in guesses.items():
            factor = {"eps": np.ones(b), "x": np.exp(-gamma), "v": alpha**2}[kind]
            right = squared * factor
            twice = {"eps": factor, "x": np.exp(-2 * gamma), "v": 1 / (1 + np.exp(2 * gamma))}[kind]
            mistakes = [
                (squared.mean() * factor, "averaged over the batch: each example has an error of its own"),
                (np.full(b, right.mean()), "averaged over the batch: one number for each example"),
                (right.sum(), "summed over the batch: one number for each example"),
                (right / 3, "averaged over dimensions: the squared error is summed over them, as it comes"),
                (np.sqrt(right), "the squared error is asked for, not its root"),
            ]
            if kind == "eps":
                mistakes += [
                    (squared * v, "kind is 'eps': what the network puts out is the guessed noise already")
                    for v in (np.exp(gamma), np.exp(-gamma), alpha**2, sigma**2, 1 / alpha**2, 1 / sigma**2)
                ]
            else:
                mistakes += [
                    (squared, f"an error of {kind} is not of the same size in the noise: write eps_hat with the guess"),
                    (squared / factor, "upside down: that turns an error of the noise into one of " + kind),
                    (squared * np.sqrt(factor), "errors scale by the factor, squared errors by its square"),
                    (squared * twice, "gamma is the log of sigma^2 / alpha^2, of squares already"),
                    (squared * factor**2, "the factor is that of the squared error already: it is not squared again"),
                ]
            if kind == "v":
                mistakes += [
                    (squared * sigma**2, "that is the error of the data: eps_hat = sigma z + alpha v_hat"),
                    (squared * (alpha / sigma) ** 2, "that is the factor for x; with v nothing is divided"),
                    (squared * (sigma / alpha) ** 2, "with v nothing is divided: eps_hat = sigma z + alpha v_hat"),
                ]
            if kind == "x":
                mistakes += [
                    (squared / sigma**2, "x_hat comes with a factor: eps_hat = (z - alpha x_hat) / sigma"),
                    (squared * alpha**2, "that is the factor for v; eps_hat = (z - alpha x_hat) / sigma"),
                    (squared * sigma**2, "divide by sigma: eps_hat = (z - alpha x_hat) / sigma"),
                ]
            mine = [squared.copy(), gamma.copy()]
            expect_close(
                answer(kind, *mine),
                ((eps - guess) ** 2).sum(1),
                "the squared error of the noise that follows from the guess",
                given=f"kind = {kind!r}, squared = {brief(squared)}, gamma = {brief(gamma)}",
                mistakes=mistakes if b > 1 else mistakes[3:],
                **LOOSE,
            )
            unchanged([squared, gamma], mine)
    gamma, squared = np.array([-11.5, 11.5]) + rng.uniform(-0.3, 0.3, size=2), rng.uniform(1, 3, size=2)
    for kind, factor in (("eps", 1.0), ("x", np.exp(-gamma)), ("v", 1 / (1 + np.exp(gamma)))):
        expect_close(
            answer(kind, squared.copy(), gamma.copy()),
            squared * factor,
            "so it is at the far ends, too, where there is hardly any noise, or hardly anything else",
            given=f"kind = {kind!r}, squared = {brief(squared)}, gamma = {brief(gamma)}",
            rtol=0.02,  # sigma^2 = 1 - alpha^2 is not exact there in single precision
            atol=0.0,
        )


# 18.4 -----------------------------------------------------------------------------------------------------------------


@exercise("18.4", "best_variance", points=2)
def _(answer, rng):
    low = np.array([-5.0, -1.0, 0.5, 2.0, -2.0]) + rng.uniform(-0.3, 0.3, size=5)
    high = low + np.array([0.1, 1.0, 3.0, 0.4, 6.0]) * rng.uniform(0.8, 1.2, size=5)
    (a_s, s_s), (a_t, s_t) = _at(low), _at(high)
    forward = 1 - (a_t / a_s) ** 2  # beta
    k = 1 - np.exp(low - high)
    narrow, weight = k * s_s**2, k * a_s  # beta tilde, and the weight of the data in the mean
    for name, error in (
        ("some error", rng.uniform(0.2, 0.9, size=5)),
        ("an exact guess", np.zeros(5)),
        ("the best guess for data N(0, I)", s_t**2),
        ("more error than the data have variance", rng.uniform(3, 9, size=5)),
    ):
        want = narrow + weight**2 * error
        some = bool(error.any())
        other = (a_t / a_s) * (s_s / s_t) ** 2  # the weight of z_t in the mean
        mistakes = [
            (np.sqrt(want), "that is the standard deviation: the variance is asked for"),
            (1 / want, "that is the precision: the variance is one over it"),
            (forward, "that is the variance of the step forward: right only for data that are N(0, I)"),
            (s_s**2, "that is the variance of q(z_s | x): it forgets z_t"),
            (np.full(5, want.mean()), "averaged over the batch: each example has its own levels"),
        ]
        if some:
            mistakes += [
                (narrow, "as if the guess were exact: its error shifts the mean, and the width has to cover that"),
                (weight**2 * error, "the error of the mean alone: even with an exact guess there is beta tilde"),
                (narrow + error, "the guess enters the mean with a factor, and its squared error with its square"),
                (narrow + weight * error, "squared errors scale by the square of the factor"),
                (narrow + weight**2 * error**2, "error is a squared error already"),
                (narrow + weight * np.sqrt(error), "standard deviations do not add: variances do"),
                (narrow + k**2 * error, "the factor of the guess in the mean has alpha_s in it"),
                (narrow + a_s**2 * error, "z_t has a say in the mean, too: the guess has not the whole weight"),
                (narrow + (k * a_t) ** 2 * error, "alpha of s belongs here, not of t"),
                (narrow + other**2 * error, "that is the weight of z_t in the mean; the guess has the other one"),
                (forward + weight**2 * error, "beta tilde, not beta: in q(z_s | z_t, x) the data are known"),
                (narrow + weight**2 * error / 2, "the half of the KL stands at both terms: it cancels"),
                (np.maximum(narrow, weight**2 * error), "both add up: the width and the error of the mean"),
                (narrow + weight**2 * error.mean(), "each example has an error of its own"),
                (k * s_t**2 + weight**2 * error, "sigma of s belongs here, not of t"),
            ]
        mine = [error.copy(), low.copy(), high.copy()]
        expect_close(
            answer(*mine),
            want,
            "the width with an exact guess, plus the squared error of the mean",
            given=f"{name}, error = {brief(error)}, gamma_s = {brief(low)}, gamma_t = {brief(high)}",
            mistakes=mistakes,
            **LOOSE,
        )
        unchanged([error, low, high], mine)


# 18.5 -----------------------------------------------------------------------------------------------------------------


@exercise("18.5", "ddim_spread", points=2)
def _(answer, rng):
    for gammas in (
        np.array([2.0, -1.5]),
        np.array([5.0, 4.2, 1.0, 0.3, -2.0, -7.0]) + rng.uniform(-0.2, 0.2, size=6),
        np.linspace(6.0, -8.0, 65),
    ):
        _stretched(answer, np.array([0.15, 0.6, 1.0, 2.5]) * rng.uniform(0.8, 1.2, size=4), gammas)


def _stretched(answer, spread, gammas):
    """One walk by DDIM, for four spreads at once."""
    alpha, sigma = _at(gammas)
    s2 = spread**2

    def true(i):
        return alpha[i] ** 2 * s2 + sigma[i] ** 2

    def walk(step, first=1.0, s2=s2, n=None):
        width = np.ones(4) * first
        for i in range(len(gammas) - 1 if n is None else n):
            width = width * step(i, i + 1, s2)
        return width

    def ddim(i, j, s2):
        return (alpha[j] * alpha[i] * s2 + sigma[j] * sigma[i]) / (alpha[i] ** 2 * s2 + sigma[i] ** 2)

    def other_way(i, j, s2):  # from the last level to the first
        return ddim(len(gammas) - 1 - i, len(gammas) - 1 - j, s2)

    def ancestral():
        var = np.ones(4)
        for i in range(len(gammas) - 1):
            k, ratio = 1 - np.exp(gammas[i + 1] - gammas[i]), alpha[i] / alpha[i + 1]
            pull = ratio * (sigma[i + 1] / sigma[i]) ** 2 + k * alpha[i + 1] * alpha[i] * s2 / true(i)
            var = var * pull**2 + k * sigma[i + 1] ** 2
        return np.sqrt(var)

    want = walk(ddim)
    ideal = np.sqrt(true(-1) / true(0))
    mistakes = [
        (want**2, "that is the variance: the standard deviation is asked for"),
        (np.full(4, want[0]), "each spread is to be answered for itself"),
        (want / alpha[-1], "not divided by alpha: z itself is asked for, not the data"),
        (ideal, "that is the stream in infinitely many steps: here they are finite"),
        (np.sqrt(true(-1)), "that is how wide z should be; DDIM with finite steps is not quite there"),
        (spread, "that is how wide the data are; the walk with finite steps is not quite there"),
        (walk(ddim, np.sqrt(true(0))), "z starts as standard Gaussian noise, of standard deviation 1"),
        (walk(ddim, sigma[0]), "z starts as standard Gaussian noise, of standard deviation 1"),
        (walk(ddim, n=len(gammas) - 2), "the last step is missing: there are as many steps as gaps"),
        (walk(other_way), "the walk goes from the first gamma, noise, to the last"),
        (walk(ddim, s2=spread), "the spread is a standard deviation: its square is the variance"),
        (walk(ddim, s2=spread**4), "the spread is a standard deviation: square it once"),
        (walk(lambda i, j, s2: ddim(i, j, s2) ** 2), "the steps stretch z by the factor, not by its square"),
        (ancestral(), "that is the ancestral way: DDIM adds no fresh noise"),
        (walk(lambda i, j, s2: alpha[j] * alpha[i] * s2 / true(i)), "the guessed noise is missing"),
        (walk(lambda i, j, s2: sigma[j] * sigma[i] / true(i)), "the guessed data are missing: alpha x_hat"),
        (
            walk(lambda i, j, s2: (alpha[j] * alpha[i] * s2 + sigma[i] ** 2) / true(i)),
            "the noise is to be as strong as at the next level: sigma of there",
        ),
        (
            walk(lambda i, j, s2: (alpha[i] ** 2 * s2 + sigma[j] * sigma[i]) / true(i)),
            "the data are to be as strong as at the next level: alpha of there",
        ),
        (
            walk(lambda i, j, s2: alpha[j] / alpha[i]),
            "the best guess is not z / alpha: regression shrinks it, alpha s^2 / (alpha^2 s^2 + sigma^2) z",
        ),
        (
            walk(lambda i, j, s2: alpha[j] * alpha[i] * s2 / true(i) + sigma[j]),
            "eps_hat is z times sigma / (alpha^2 s^2 + sigma^2)",
        ),
        (ddim(0, -1, s2), "that is a single step from the first level to the last"),
        (
            walk(lambda i, j, s2: np.sqrt((alpha[j] * alpha[i] * s2) ** 2 + (sigma[j] * sigma[i]) ** 2) / true(i)),
            "x_hat and eps_hat are made of the same z, not independent: they add, not their squares",
        ),
    ]
    mistakes = [m for m in mistakes if not np.allclose(m[0], want, rtol=1e-3)]
    mine = [spread.copy(), gammas.copy()]
    expect_close(
        answer(*mine),
        want,
        "each step of DDIM with the exact guess of a Gaussian stretches z by a factor; the factors multiply",
        given=f"spread = {brief(spread)}, gammas = {brief(gammas)}",
        mistakes=mistakes,
        **LOOSE,
    )
    unchanged([spread, gammas], mine)


# 18.6 -----------------------------------------------------------------------------------------------------------------


@exercise("18.6", "walk_back", points=3)
def _(answer, rng):
    trace = np.concatenate([[-6.0], np.sort(rng.uniform(-5, 4, size=7)), [5.0]])
    for steps, b, clean in ((60, 5, True), (8, 3, False)):
        alphas, sigmas = _levels(np.linspace(1e-4, 0.02, steps) * 1000 / steps) if clean else _at(trace)
        z, noise = rng.normal(size=(b, 2)), rng.normal(size=(steps, b, 2))
        _walked(answer, alphas, sigmas, z, noise)


def _walked(answer, alphas, sigmas, z, noise):
    """One walk, compared with those that have a mistake in them."""
    centre, spread, asked = np.array([1.5, -0.5]), np.array([0.4, 0.8]), []
    steps, b, clean = len(noise), len(z), sigmas[0] == 0

    def denoise(z, t):
        """E[x | z_t] for independent Gaussians; keeps a record of the steps that it was asked for."""
        t = int(np.ravel(t)[0])
        asked.append(t)
        a, s = alphas[t], sigmas[t]
        return centre + spread**2 * a * (z - a * centre) / (a**2 * spread**2 + s**2)

    def walk(step, noise=noise, z=z):
        for t in range(steps, 0, -1):
            z = step(t, z, denoise(z, t), noise[t - 1])
        return z

    def usual(mean=lambda t: t - 1, width=None):
        def step(t, z, x, eps):
            ratio = alphas[t] / alphas[t - 1]
            grown = sigmas[t] ** 2 - ratio**2 * sigmas[t - 1] ** 2
            size = np.sqrt(grown) * sigmas[t - 1] / sigmas[t] if width is None else width(t, grown)
            centre = ratio * (sigmas[t - 1] / sigmas[t]) ** 2 * z + alphas[mean(t)] * grown / sigmas[t] ** 2 * x
            return centre + size * eps

        return step

    def ddim(t, z, x, eps):
        return alphas[t - 1] * x + sigmas[t - 1] * (z - alphas[t] * x) / sigmas[t]

    def anew(t, z, x, eps):
        return alphas[t - 1] * x + sigmas[t - 1] * eps

    plain = usual()
    want = walk(plain)
    wide = lambda t, grown: grown * sigmas[t - 1] / sigmas[t]  # noqa: E731
    squared = lambda t, grown: grown * (sigmas[t - 1] / sigmas[t]) ** 2  # noqa: E731
    part = lambda t, grown: np.sqrt(grown) * (sigmas[t - 1] / sigmas[t]) ** 2  # noqa: E731
    wrong = [
        (walk(usual(lambda t: t, wide)), "both mistakes of the code as found are still in it"),
        (walk(usual(lambda t: t)), "the mean is that of z_{t-1}: its share of the data is alpha of t - 1"),
        (walk(usual(width=wide)), "a variance was used as a standard deviation: the noise needs its square root"),
        (walk(usual(width=squared)), "not the variance but the standard deviation: take the root of all of it"),
        (walk(usual(width=part)), "the root of the variance has sigma_{t-1} / sigma_t in it once, not squared"),
        (
            walk(usual(width=lambda t, grown: np.sqrt(grown))),
            "the noise of the step forward is too wide: the guess of the data narrows it by sigma_{t-1} / sigma_t",
        ),
        (
            walk(usual(width=lambda t, grown: sigmas[t - 1])),
            "z_t says something about z_{t-1}, too: the noise is narrower than sigma_{t-1}",
        ),
        (walk(plain, noise[::-1]), "the noise is in the opposite order: noise[t - 1] is for the step to t - 1"),
        (walk(plain, np.roll(noise, -1, 0)), "noise[t - 1] is for the step from t to t - 1, not noise[t]"),
        (walk(plain, np.roll(noise, 1, 0)), "noise[t - 1] is for the step from t to t - 1, not noise[t - 2]"),
        (walk(plain, np.broadcast_to(noise[:1], noise.shape)), "each step has noise of its own"),
        (walk(anew), "all of z is replaced by the guess and new noise: a step back keeps part of where z is"),
        (walk(ddim), "that is DDIM: an ancestral step puts fresh noise back"),
        (walk(plain, 0 * noise), "no noise was put back: with these means the samples lose spread"),
        (
            np.full((b, 2), np.nan),
            "0/0: sigmas[0] is 0; multiply out, so that nothing is divided by it",
        ),
    ]
    if not clean:
        skipped = noise.copy()
        skipped[0] = 0
        early, first = z, list(range(steps, 1, -1))
        for t in first:
            early = plain(t, early, denoise(early, t), noise[t - 1])
        wrong += [
            (walk(plain, skipped), "the noise of the last step was left out: where sigmas[0] is not 0, it counts"),
            (denoise(early, 1), "the last step, too, is a draw: where sigmas[0] is not 0, the guess is not enough"),
        ]
    asked.clear()
    mine = [alphas.copy(), sigmas.copy(), z.copy(), noise.copy()]
    got = numbers(answer(denoise, *mine), "the sampler returns z at step 0")
    again = sorted(set(asked), reverse=True) == list(range(steps, 0, -1)) and len(asked) > steps
    expect(
        asked == list(range(steps, 0, -1)),
        "denoise is asked at the steps T, T - 1, ..., 1, once each",
        expected=f"{steps}, {steps - 1}, ..., 1",
        got=f"{brief(asked, 60)}",
        hint="once for each step is enough: keep what it says"
        if again
        else "z is at step t when denoise sees it; the first is T, and step 0 is data already",
    )
    expect_close(
        got,
        want,
        "each step draws from q(z_{t-1} | z_t, x) with the guessed x",
        given=f"T = {steps}, sigmas[0] = {sigmas[0]:.3f}, noise made in advance",
        mistakes=wrong,
        **LOOSE,
    )
    unchanged([alphas, sigmas, z, noise], mine)


# 18.7 -----------------------------------------------------------------------------------------------------------------


@exercise("18.7", "guided_gaussian", points=2)
def _(answer, rng):
    for w in (np.array([0.0, 1.0, 3.0, 0.5]), np.array([7.0])):
        b = len(w)
        shape = (b, 4)
        unit = np.array([1.0, 0.05, 10.0, 1.0])  # of each dimension
        m0, m1 = unit * rng.normal(size=shape), 2 * unit * rng.normal(size=shape)
        v0 = unit**2 * rng.uniform(0.8, 2.0, size=shape)
        v1 = v0 * rng.uniform(0.2, 0.9, size=shape)
        v1[:, 0] = v0[:, 0]
        column = w[:, None]
        says = "the answer is a pair: mean and variance, (B, D) each"
        given = f"w = {brief(w)}, D = 4, first row: means {brief(m0[0])}, {brief(m1[0])}"
        mine = [m0.copy(), v0.copy(), m1.copy(), v1.copy(), w.copy()]
        mean, variance = pair(answer(*mine), says, given=given)

        def tilted(a, b, m0=m0, v0=v0, m1=m1, v1=v1):  # a of the score without the label, b of that with it
            with np.errstate(divide="ignore", invalid="ignore"):
                v = 1 / (a / v0 + b / v1)
                return v * (a * m0 / v0 + b * m1 / v1), v

        want = tilted(1 - column, column)
        clipped = np.clip(column, 0, 1)
        kinds = [
            (tilted(-column, 1 + column), "another convention: there w = 0 is already the conditional model"),
            (tilted(column, 1 - column), "the ends have changed places: w = 0 ignores the label"),
            (tilted(1, column), "the weights are 1 - w and w: the difference label - any is weighted"),
            (tilted(1 + column, -column), "the sign: go towards the label's score"),
            (tilted(1 - clipped, clipped), "w above 1 exaggerates: do not cut it off"),
            (tilted(1 - w.mean(), w.mean()), "w belongs to the rows: each example has its own"),
        ]
        if b == 4:
            kinds.append((tilted(1 - w, w), "axes: w belongs to the rows, the examples; here it meets the columns"))
        straight = (1 - column) * v0 + column * v1
        halfway = np.sqrt(v0) ** (1 - column) * np.sqrt(v1) ** column
        expect_close(
            variance,
            want[1],
            "one over the variance is 1 - w times that without the label plus w times that with it",
            given=given,
            mistakes=[
                *((kind[1], words) for kind, words in kinds),
                (np.sqrt(want[1]), "that is the standard deviation: the variance is asked for"),
                (1 / want[1], "that is the precision: the variance is one over it"),
                (straight, "variances do not mix in a straight line: scores do, and their slopes are precisions"),
                (halfway**2, "variances do not mix so: scores do, and their slopes are -1 / variance"),
                ((1 - column) ** 2 * v0 + column**2 * v1, "that is the variance of a weighted sum of two draws"),
                (1 / (1 / v0 + 1 / v1), "that is the product of the two densities: the weights are 1 - w and w"),
                (np.broadcast_to(v1, want[1].shape), "that is the label's variance: guidance changes the width, too"),
                (want[0], "the other way round: first the mean, then the variance"),
                (tilted(1 - column, column, v0=v0**2, v1=v1**2)[1], "var_any and var_label are variances already"),
            ],
            **LOOSE,
        )
        line = (1 - column) * m0 + column * m1
        expect_close(
            mean,
            want[0],
            "the mean is where the guided score is zero: (1 - w) (m_any - z) / v_any + w (m_label - z) / v_label = 0",
            given=given,
            mistakes=[
                *((kind[0], words) for kind, words in kinds),
                (line, "means do not mix in a straight line: the narrower Gaussian has the steeper score"),
                (want[0] / want[1], "multiply by the variance: that is the mean times the precision"),
                (want[0] * want[1], "the variance was multiplied in twice"),
                ((m0 / v0 + m1 / v1) / (1 / v0 + 1 / v1), "the weights 1 - w and w are missing"),
                (((1 - column) * m0 * v0 + column * m1 * v1) / straight, "weighted by precisions, not by variances"),
                (np.broadcast_to(m1, want[0].shape), "that is the label's mean: guidance goes beyond it"),
            ],
            **LOOSE,
        )
        unchanged([m0, v0, m1, v1, w], mine)
