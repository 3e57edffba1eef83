"""Checks of lesson 06, maximum likelihood: optima that nothing beats, closed forms, invariance to batching."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from genutils.check import exercise
from genutils.check.expect import (
    BITS,
    NATS,
    RARE,
    Wrong,
    expect,
    expect_close,
    expect_raises,
    number,
    numbers,
    pair,
    unchanged,
)

# 06.1 -----------------------------------------------------------------------------------------------------------------


@exercise("06.1", "poisson_fit", points=2)
def _(answer, rng):
    for rate, n in ((0.6, 200), (7.3, 40), (60.0, 3), (3.0, 13)):
        counts = rng.poisson(rate, n)
        counts[0] += 1  # so that no list is empty of deaths
        if n == 13 and counts.sum() % n == 0:
            counts[0] += 1  # a mean with endless digits
        given = f"{n} counts with mean {counts.mean():.4f}"
        before = counts.copy()
        got = pair(answer(counts), "poisson_fit returns the rate and the log-likelihood", given)
        unchanged(before, counts, "the list is left as it was", given=given)
        best = counts.mean()
        says = "no other rate gives the list a higher likelihood"
        expect_close(
            got[0],
            best,
            says,
            given=given,
            mistakes=[
                (counts.sum(), "that is the total: the derivative is sum(k)/rate - n, and n is the number of entries"),
                (1 / best, "that is the time between events: the derivative is sum(k)/rate - n"),
                (np.median(counts), "that is the median; set the derivative to zero"),
                (np.sqrt(best), "that is the standard deviation of the law, not its rate"),
                (counts.sum() / (n - 1), "n - 1 is for variances: the derivative is sum(k)/rate - n"),
                (
                    counts.var(),
                    "that is the variance of the list. For a Poisson law it is near the rate, not equal to it",
                ),
            ],
        )
        total = stats.poisson(best).logpmf(counts).sum()
        without = (counts * np.log(best) - best).sum()
        expect_close(
            got[1],
            total,
            "the log-likelihood is the sum of log q(k) over the list, in nats",
            given=given,
            mistakes=[
                (without, "log k! is missing. It does not move the maximum, but it is part of the probability"),
                (total / n, "that is the mean over the entries: a log-likelihood is summed"),
                (without / n, "that is the mean over the entries, and log k! is missing"),
                (-total, "the sign: the log of a probability is never positive"),
                (total / math.log(2), BITS),
            ],
        )
    rate, value = pair(answer(np.zeros(5, dtype=int)), "an army in which nobody dies has a rate, too")
    says = "nobody died in any year: the best rate is 0, and that law is not surprised at all"
    expect_close(rate, 0.0, says, given="counts = [0, 0, 0, 0, 0]")
    expect_close(
        value, 0.0, says, given="counts = [0, 0, 0, 0, 0]", hint="0 log 0 is 0: scipy.special.xlogy(0, 0) knows it"
    )
    large = np.array([500, 470, 521])
    with np.errstate(over="ignore"):
        got = pair(answer(large), "large counts have a log-likelihood, too", "counts = [500, 470, 521]")
    came = numbers(got[1])
    expect_close(
        got[1],
        stats.poisson(large.mean()).logpmf(large).sum(),
        "large counts have a log-likelihood, too",
        given="counts = [500, 470, 521]",
        hint=""
        if np.isfinite(came).all()
        else "k! overflows beyond 170: take log k! = lgamma(k + 1) and never the factorial itself",
        rtol=1e-5,
    )
    one = pair(answer(np.array([4])), "a list of one entry has a rate, too")
    expect_close(one[0], 4.0, "a list of one entry has a rate, too", given="counts = [4]")
    expect_close(one[1], stats.poisson(4).logpmf(4), "a list of one entry has a rate, too", given="counts = [4]")


# 06.2 -----------------------------------------------------------------------------------------------------------------


@exercise("06.2", "truncated_rate", points=3)
def _(answer, rng):
    for rate, n in ((0.61, 300), (2.5, 100), (0.02, 4000), (30.0, 50), (0.002, 900)):
        counts = stats.poisson(rate).ppf(rng.uniform(np.exp(-rate), 1, n)).astype(int).clip(1)  # given k >= 1
        counts[0] = max(2, counts[0])
        mean = counts.mean()
        before = counts.copy()
        got = number(answer(counts), "truncated_rate returns one number")
        given = f"{n} counts, all 1 or more, with mean {mean:.4f}"
        expect(
            math.isfinite(got) and got > 0,
            "a rate is a positive number",
            given=given,
            got=got,
            hint="the root lies between 0 and the mean of the list",
        )
        mistakes = [
            (mean, "that is the rate of a list with its zeros: here they are missing, so the average is too high"),
            (np.median(counts), "that is the median: the equation has the mean of the list in it"),
            (mean - 1, "subtracting one gives a shifted Poisson law, not one that is known to be above zero"),
            (mean * (1 - math.exp(-mean)), "one step of the iteration is not yet the root: solve to convergence"),
        ]
        low, high = 1e-12, mean
        want = special.lambertw(-mean * math.exp(-mean)).real + mean if mean > 1 else 0.0  # closed form of the root
        if not low < got < high:
            hint = "write the log-likelihood with - n log(1 - exp(-rate)) in it and differentiate again"
        elif abs(got / want - 1) < 1e-3:
            hint = "nearly: six digits are asked for, so give the solver a smaller tolerance"
        else:
            hint = f"at your rate the law's mean is {got / -math.expm1(-got):.6f}, the list's {mean:.6f}"
        unchanged(before, counts, given=given)
        expect_close(
            got,
            want,
            "at the best rate the law's mean, rate / (1 - exp(-rate)), is the mean of the list",
            given=given,
            mistakes=mistakes,
            rtol=1e-5,
            hint=hint,
        )
    says = "input without a maximum is refused"
    ones = "if all counts are 1 the likelihood rises for ever as the rate goes to 0: raise a ValueError"
    expect_raises(
        lambda: answer(np.ones(6, dtype=int)), ValueError, says, given="counts = [1, 1, 1, 1, 1, 1]", hint=ones
    )
    expect_raises(
        lambda: answer(np.array([2, 0, 3])),
        ValueError,
        says,
        given="counts = [2, 0, 3]",
        hint="a zero cannot come from this law: raise a ValueError",
    )


# 06.3 -----------------------------------------------------------------------------------------------------------------


@exercise("06.3", "standard_error", points=3)
def _(answer, rng):
    n, rate = int(rng.integers(50, 400)), rng.uniform(0.5, 5)
    total = rate * n
    width = rng.uniform(0.5, 3)
    cases = [
        ("a Poisson list", lambda r: total * math.log(r) - n * r, rate, math.sqrt(rate / n)),
        ("a rare Poisson event, rate 0.0005", lambda r: 50 * math.log(r) - 1e5 * r, 0.0005, math.sqrt(0.0005 / 1e5)),
        (
            "the mean of a Gaussian, a distance of 40,000",
            lambda m: -n * (m - 40_000) ** 2 / (2 * (800 * width) ** 2) - 7.0,
            40_000.0,
            800 * width / math.sqrt(n),
        ),
        (
            "an exponential waiting time",
            lambda r: n * math.log(r) - n * r / rate,
            rate,
            rate / math.sqrt(n),
        ),
        ("a negative parameter", lambda m: -n * (m + 3.5) ** 2 / 2, -3.5, 1 / math.sqrt(n)),
        (
            "a small negative parameter, -0.0005",
            lambda m: 50 * math.log(-m) + 1e5 * m,
            -0.0005,
            math.sqrt(0.0005 / 1e5),
        ),
        ("a large negative parameter, -40,000", lambda m: 60 * math.log(-m) + m * 60 / 4e4, -4e4, 4e4 / math.sqrt(60)),
        (
            "a long list, whose log-likelihood is -50,000 at its best",
            lambda r: 62 * (math.log(r / rate) - r / rate) - 5e4,
            rate,
            rate / math.sqrt(62),
        ),
    ]
    for name, f, theta, want in cases:
        asked = []  # how far from theta the function was asked

        def spied(t, f=f, theta=theta, asked=asked):
            asked.append(abs(float(t) - theta) / abs(theta))
            return f(t)

        error = None
        try:
            got = number(answer(spied, theta), "standard_error returns one number", given=name)
        except (ValueError, ZeroDivisionError) as found:
            error = found
        step = max(asked, default=0.0)
        hint = ""
        if step > 0.3:
            hint = "the step is as large as the parameter: take it relative, such as 1e-3 * abs(theta)"
        elif 0 < step < 3e-6:
            hint = "the step is so small that the differences are rounding: take 1e-3 * abs(theta)"
        elif asked and step == 0:
            hint = "the function was asked at theta only: a curvature takes places on both sides"
        if error is not None:
            raise Wrong(
                "the standard error follows from the curvature",
                given=name,
                expected=f"{want:.4g}",
                got=f"{type(error).__name__}: {error}",
                hint=hint,
            ) from None
        expect_close(
            got,
            want,
            "the standard error follows from the curvature: 1 / sqrt(-f'')",
            given=name,
            rtol=5e-3,
            mistakes=[
                (want**2, "that is the variance: take the square root"),
                (1 / want**2, "that is the curvature, the information: its inverse is the variance"),
                (-1 / want**2, "that is the curvature: the standard error is 1 / sqrt(-f'')"),
                (1 / want, "that is the square root of the information: take its inverse"),
                (
                    want * math.sqrt(2),
                    "a factor of 2 in the second difference: it is divided by h squared, not by 2 h squared",
                ),
                (want / math.sqrt(step) if step else np.nan, ""),
                (
                    want / math.sqrt(step * abs(theta)) if step else np.nan,
                    "a second difference is divided by h squared",
                ),
            ],
            hint=hint,
        )
    expect_raises(
        lambda: answer(lambda t: t**2, 1.0),
        ValueError,
        "where the function curves upwards there is no maximum, and no standard error",
        given="a parabola that opens upwards",
        hint="raise a ValueError if the curvature is not negative",
    )
    expect_raises(
        lambda: answer(lambda t: 0.0 * t - 3.0, 1.0),
        ValueError,
        "where the function is flat there is no maximum, and no standard error",
        given="a function that is -3 everywhere",
        hint="a curvature of zero is not negative either: raise a ValueError",
    )


# 06.4 -----------------------------------------------------------------------------------------------------------------


@exercise("06.4", "test_set_bpd", points=2)
def _(answer, rng):
    for dims, sizes in (
        (64, [128, 128, 128, 63]),
        (784, [100, 100, 7]),
        (3, [1, 5]),
        (12, [9]),
        (2, [3, 1, 40, 2]),
        (5, [300, 300, 8]),
    ):
        each = rng.gamma(5.0, dims / 5.0, size=sum(sizes))  # nats an image
        ends = np.cumsum(sizes)
        means = np.array([part.mean() for part in np.split(each, ends[:-1])])
        given = f"batches of {sizes} images with {dims} dimensions"
        mine = [means.copy(), np.array(sizes)]
        got = pair(answer(mine[0], mine[1], dims), "test_set_bpd returns bits per dimension and perplexity", given)
        unchanged([means, np.array(sizes)], mine, given=given)
        nats = each.mean() / dims
        uneven = means.mean() / dims
        expect_close(
            got[0],
            nats / math.log(2),
            "bits per dimension are the mean over all images, divided by dimensions and by ln 2",
            given=given,
            mistakes=[
                (
                    uneven / math.log(2),
                    "the mean of batch means counts the small last batch as much as a full one: weight by size",
                ),
                (nats, "that is in nats per dimension: divide by ln 2"),
                (uneven, "that is in nats, and the batches are not weighted by their sizes"),
                (nats * math.log(2), "from nats to bits one divides by ln 2; this multiplied"),
                (nats * dims / math.log(2), "that is bits per image: divide by the dimensions"),
                (nats / dims / math.log(2), "divided by the dimensions twice"),
                ((means * sizes).sum() / dims / math.log(2), "that is summed over the images: a mean is asked for"),
            ],
        )
        expect_close(
            got[1],
            math.exp(nats),
            "perplexity is e to the nats per dimension, which is 2 to the bits per dimension",
            given=given,
            mistakes=[
                (math.exp(nats / math.log(2)), "2 to the bits, or e to the nats; this is e to the bits"),
                (2**nats, "2 to the bits, or e to the nats; this is 2 to the nats"),
                (
                    float(np.average(np.exp(means / dims), weights=sizes)),
                    "perplexities depend on how the test set was cut: average the log first, then take the exponential",
                ),
                (
                    float(np.exp(means / dims).mean()),
                    "average the log first, then take the exponential; and weight by size",
                ),
            ],
        )
    got = pair(answer(np.full(2, 64 * math.log(17)), np.array([10, 3]), 64), "a uniform model has a perplexity, too")
    expect_close(got[0], math.log2(17), "a uniform model of 17 levels costs log2(17)")
    expect_close(got[1], 17.0, "a uniform model of 17 levels has perplexity 17")


# 06.5 -----------------------------------------------------------------------------------------------------------------


def _policy(costs, patience, *, late=0, reset=True, previous=False, ties=False, last=False, nan="right"):
    """Best step and steps made by early stopping, or by a mistaken kind of it; None if it does not end."""
    best, waited, low, before = 0, 0, costs[0], costs[0]
    for k in range(1, len(costs)):
        if waited >= patience + late:
            return (k - 1 if last else best), k - 1
        now, against = costs[k], before if previous else low
        better = now <= against if ties else now < against
        if math.isnan(against):
            better = not math.isnan(now) if nan in ("right", "good") else False
        if math.isnan(now) and nan == "good":
            better = True
        if math.isnan(now) and nan == "skipped":
            continue
        before = now
        if better:
            best, low, waited = k, now, 0 if reset else waited
        else:
            waited += 1
    return None


MISTAKES = [
    (dict(last=True), "those are the last parameters, not the best"),
    (dict(late=1), "one step too long: stop as soon as patience steps in a row brought no improvement"),
    (dict(late=-1), "one step too early: patience steps without improvement are allowed to happen"),
    (dict(reset=False), "an improvement sets the count back to zero"),
    (dict(previous=True), "compare with the best cost so far, not with the one before"),
    (dict(ties=True), "equal is no improvement"),
    (dict(nan="stuck"), "any number is an improvement on nan: a nan at the start must not stay the best for ever"),
    (dict(nan="good"), "nan is no improvement"),
    (dict(nan="skipped"), "a step whose cost is nan counts as one without improvement"),
]


def _run(answer, costs: list[float], patience: int, in_place: bool, given: str):
    """What came back when parameters count the steps made, and the held-out cost after k steps is costs[k]."""
    calls = {"update": 0}

    class Endless(Exception):
        pass

    def update(theta):
        calls["update"] += 1
        if calls["update"] >= len(costs) - 1:
            raise Endless
        if in_place:
            theta += 1
            return theta
        return theta + 1

    def held_out(theta):
        return costs[int(round(float(np.asarray(theta).reshape(-1)[0])))]

    says = "train_in_time returns the best parameters and the steps"
    try:
        best, steps = pair(answer(update, held_out, np.zeros(2), patience), says, given)
    except Exception:
        if calls["update"] >= len(costs) - 1:
            return None, None, calls["update"]
        raise
    best = numbers(best, "the best parameters are an array", given=given)
    return best, number(steps, "steps is a number", given=given), calls["update"]


@exercise("06.5", "train_in_time", points=4)
def _(answer, rng):
    tail = [9.0] * 60
    nan = math.nan
    falling = [5.0, 4.0, 3.0, 2.5]
    k, p = int(rng.integers(2, 9)), int(rng.integers(2, 6))
    cases = [  # costs, patience
        (falling + [2.6, 2.7, 2.8, *tail], 3),
        (falling + [2.6, 2.7, 2.4, 2.9, 2.9, 2.9, *tail], 3),  # improves just in time: patience starts anew
        ([1.0, 2.0, 2.0, *tail], 2),  # the start was the best
        (falling + [2.5, 2.5, 2.5, *tail], 2),  # equal is not better
        (falling + [nan, nan, *tail], 2),
        (falling + [nan, 2.0, nan, 2.1, *tail], 2),
        ([nan, 4.0, 3.0, 3.5, *tail], 2),  # nothing is known of the start
        ([nan, nan, 4.0, *tail], 3),
        ([nan] * 60, 4),
        (falling + [2.7, 2.65, 2.6, 2.55, *tail], 3),  # better than the last, but not than the best
        (falling + [2.6, *tail], 1),
        ([-3.0, -4.0, -4.5, -4.2, *tail], 2),  # costs may be negative
        ([math.inf, 1e9, 1e8, 1e300, *tail], 2),
        ([20.0 - i for i in range(k + 1)] + [30.0] * 60, p),
        ([2000.0 - i for i in range(1501)] + [3000.0] * 60, p),
    ]
    seen = []
    for in_place in (False, True):
        for costs, patience in cases:
            head = ", ".join(f"{c:g}" for c in costs[: _policy(costs, patience)[1] + 2])
            given = f"patience {patience}, held-out costs {head} ..."
            if len(costs) > 1000:
                given = f"patience {patience}, held-out costs that fall for 1,500 steps and then rise"
            given += "; the step changes theta in place" * in_place
            seen.append((costs, patience, in_place, given, *_run(answer, costs, patience, in_place, given)))
    fits = []  # mistakes that explain everything that was seen
    for settings, words in MISTAKES:
        made = [_policy(costs, patience, **settings) for costs, patience, *_ in seen]
        told = [
            None if best is None else (float(best.reshape(-1)[0]) if best.size == 2 else np.nan, called)
            for *_, best, _, called in seen
        ]
        if all(a == b for a, b in zip(made, told, strict=True)):
            fits.append(words)
    hint = fits[0] if len(fits) == 1 else ""
    for costs, patience, in_place, given, got, made, called in seen:
        best, steps = _policy(costs, patience)
        own = hint
        if got is None:
            endless = "count the steps since the last improvement, also when the cost is nan, and stop at patience"
            says = "it stops when patience is over"
            came = f"{called} steps and no end"
            raise Wrong(says, given=given, expected=f"{steps} steps", got=came, hint=own or endless)
        if in_place and not own and called == steps and got.shape == (2,) and got[0] == called != best:
            own = "those are the last parameters: the step changed them in place, so keep a copy of the best"
        expect(
            called == steps,
            "it stops when patience is over",
            given=given,
            expected=f"{steps} steps",
            got=f"{called} steps",
            hint=own,
        )
        expect_close(
            got, np.full(2, float(best)), f"the best parameters are those after step {best}", given=given, hint=own
        )
        expect(made == called, "it says how many steps were made", given=given, expected=str(called), got=made)


# 06.6 -----------------------------------------------------------------------------------------------------------------


@exercise("06.6", "dequantized_bpd", points=4)
def _(answer, rng):
    for levels, dims, b in ((17, 6, 40), (256, 3, 25), (2, 10, 30)):
        x = rng.integers(max(2, levels - 2), size=(b, dims))  # data need not use all the levels
        given = f"{b} examples of {dims} dimensions with {levels} levels, of which the largest seen is {x.max()}"
        seed = int(rng.integers(2**32))

        def uniform(y):
            return np.zeros(len(y))

        bits = math.log2(levels)
        before = x.copy()
        got = answer(uniform, x, levels, 1, np.random.default_rng(seed))
        unchanged(before, x, "the data are left as they were", given=given)
        expect_close(
            got,
            bits,
            "the uniform density on [0, 1)^D gives each level the same probability: log2(levels) bits",
            given=given,
            mistakes=[
                (0.0, "the term D log L is missing: the density of y is not that of x"),
                (-bits, "the sign of the term D log L: changing to wider units makes a density lower"),
                (bits / dims, "the term log L comes once for each dimension: D log L"),
                (bits * dims, "that is bits per example: divide by the dimensions"),
                (math.log(levels), NATS),
                (8.0, "that is the constant for 256 levels; here the levels are an argument"),
                (math.log2(x.max() + 1), "levels is an argument: the data need not use all of them"),
            ],
        )

        x = rng.integers(levels, size=(b, dims))
        given = f"{b} examples of {dims} dimensions with {levels} levels"
        rise = np.linspace(0.3, 1.5, levels)
        table = rise / rise.mean()  # a density constant on each bin: noise inside the bin cannot matter

        def steps(y, table=table, levels=levels, given=given):
            y = numbers(y, "log_density is called with an array y")
            expect(
                y.ndim == 2 and y.shape[1] == dims,  # noqa: B023
                "log_density is called with y of shape (B, D)",
                given=given,
                got=f"shape {y.shape}",
            )
            expect(
                bool((y >= 0).all() and (y < 1).all()),
                "y lies in [0, 1): the noise is in [0, 1) and levels divides",
                given=given,
                got=f"y from {y.min():.4g} to {y.max():.4g}",
                hint="y = (x + u) / levels, with u uniform in [0, 1)",
            )
            return np.log(table[(y * levels).astype(int)]).sum(1)

        inside = np.log(table[x]).sum(1)  # (B,) whatever the noise
        want = -(np.log(table[x] / levels).sum(1)).mean() / (dims * math.log(2))
        expect_close(
            answer(steps, x.copy(), levels, 3, np.random.default_rng(seed)),
            want,
            "a density that is constant on each bin has a bound that is exact",
            given=given,
            mistakes=[
                (
                    math.log2(levels) - (special.logsumexp(inside) - math.log(b)) / (dims * math.log(2)),
                    "that is the log of the mean over everything: the bound is the mean of the logs",
                ),
                (math.log2(levels) - inside.sum() / (dims * math.log(2)), "a mean over examples, not a sum"),
            ],
        )
    for draws, dims in ((1, 4), (5, 2)):  # a density that is not constant inside a bin: the answer is known from y
        x, told = rng.integers(9, size=(30, dims)), []

        def sloping(y, told=told):
            value = -25 * ((numbers(y, "log_density is called with an array y") - 0.4) ** 2).sum(1)
            told.append(value)
            return value.copy()

        given = f"30 examples of {dims} dimensions with 9 levels, {draws} draws, a density with a slope in each bin"
        got = answer(sloping, x.copy(), 9, draws, np.random.default_rng(seed))
        values, unit = np.concatenate(told), dims * math.log(2)
        term = math.log2(9)
        even = values.size == 30 * draws
        by_draw = values.reshape(draws, 30) if even else values[None]
        by_row = values.reshape(30, draws).T if even else values[None]
        mistakes = []
        if draws > 1:
            words = "that is the log of the mean over the draws: the bound is the mean of the logs"
            for table in (by_draw, by_row):
                mistakes.append((term - (special.logsumexp(table, 0) - math.log(draws)).mean() / unit, words))
                mistakes.append((term - np.median(table, 0).mean() / unit, "a mean over the draws, not a median"))
                mistakes.append((term - table.max(0).mean() / unit, "a mean over the draws, not the best of them"))
        mistakes.append(
            (
                term - (special.logsumexp(values) - math.log(len(values))) / unit,
                "that is the log of the mean over everything: the bound is the mean of the logs",
            )
        )
        expect_close(
            got,
            term - values.mean() / unit,
            "the bound is the mean of log q over examples and draws, and the term D log L",
            given=given,
            mistakes=mistakes,
        )
    # where in its bin y lies, and how often: the noise is uniform over the whole bin, new for each value and each draw
    seen = []

    def spy(y):
        y = numbers(y, "log_density is called with an array y")
        seen.append(np.array(y, dtype=float))
        return np.zeros(len(y))

    x = rng.integers(17, size=(400, 8))
    answer(spy, x.copy(), 17, 3, np.random.default_rng(5))

    def noise(y):  # copies of x may follow one another as a whole, or example by example
        if len(y) % len(x):
            return y * 17 % 1
        copies = len(y) // len(x)
        ways = [y * 17 - np.tile(x, (copies, 1)), y * 17 - np.repeat(x, copies, axis=0)]
        return min(ways, key=lambda u: np.abs(u - 0.5).max())

    u = np.concatenate([noise(y) for y in seen]).reshape(-1)
    given = "400 examples of 8 dimensions, 3 draws"
    says = "the noise is uniform over the whole bin, [0, 1)"
    expect(
        u.size == 3 * x.size,
        "each example gets its noise `draws` times",
        given=given,
        expected=f"{3 * x.size} values",
        got=f"{u.size} values",
    )
    per = u.reshape(-1, 8) if u.size % 8 == 0 else u[:, None]
    same = per.shape[1] == 8 and bool(np.allclose(per.std(1), 0, atol=1e-6))
    expect(
        not same or u.std() < 1e-9,
        "each dimension has its own noise",
        given=given,
        hint="one u for a whole example is not enough: u is shaped like x",
    )
    repeated = u.std() > 1e-9 and len(np.unique(np.round(u, 9))) < 0.9 * u.size
    expect(
        not repeated, "each draw has new noise", given=given, hint="the same noise came twice: draw anew for each draw"
    )
    half = "noise over half a bin: a bin is one level wide" if u.max() - u.min() < 0.75 else ""
    zero = "there is no noise in it: the density is asked at the levels themselves" if u.std() < 1e-9 else half
    normal = "the noise must stay in its bin: uniform, not normal" if u.min() < -0.01 or u.max() > 1.01 else zero
    good = stats.kstest(u, "uniform").pvalue > RARE
    expect(bool(good), says, given=given, got=f"from {u.min():.3f} to {u.max():.3f}, mean {u.mean():.3f}", hint=normal)
    a, b = (
        answer(lambda y: -((y - 0.4) ** 2).sum(1) * 50, x.copy(), 17, 2, np.random.default_rng(9)) for _ in range(2)
    )
    expect_close(
        a,
        b,
        "the same seed gives the same number",
        given="two calls with equal generators",
        hint="draw the noise from rng",
    )
    other = answer(lambda y: -((y - 0.4) ** 2).sum(1) * 50, x.copy(), 17, 2, np.random.default_rng(10))
    expect(
        number(other) != number(a),
        "another seed gives other noise",
        given="two calls with generators of different seeds",
        got="the same number",
        hint="draw the noise from rng",
    )
