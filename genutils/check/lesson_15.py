"""Checks of lesson 15, GANs: exact ratios, bounds, gradients that are known, and leaks that must not be."""

from __future__ import annotations

import contextlib
import math

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import expit, logsumexp

from genutils.check import exercise
from genutils.check.expect import (
    BITS,
    Wrong,
    brief,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    number,
    numbers,
    unchanged,
)


def _asked(answer, *arguments):
    """What the answer says about copies of the arguments, which it must leave as they are."""
    handed = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    said = answer(*handed)
    arrays = [(a, b) for a, b in zip(arguments, handed, strict=True) if isinstance(a, np.ndarray)]
    unchanged([a for a, _ in arrays], [b for _, b in arrays])
    return said


@contextlib.contextmanager
def _gradients():
    """Gradients are recorded, whatever the learner's notebook has switched off."""
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        yield


# 15.1 -----------------------------------------------------------------------------------------------------------------


@exercise("15.1", "optimal_discriminator", points=2)
def _(answer, rng):
    says = "the best discriminator is p / (p + q)"
    under = "exp of a log-density in the thousands is 0, and 0/0 is no number: take the difference of the logs first"
    for size in (5, 11, 1):
        log_p, log_q = rng.normal(-2, 2, size=(2, size))
        want = expit(log_p - log_q)
        expect_close(
            _asked(answer, log_p, log_q),
            want,
            says,
            given=f"log p = {brief(log_p)}, log q = {brief(log_q)}",
            mistakes=[
                (1 - want, "swapped: D is the probability that x is *data*, so p stands on top"),
                (log_p - log_q, "that is the logit, log p/q: the probability is its sigmoid"),
                (np.exp(log_p - log_q), "that is the ratio p/q itself; D = p / (p + q)"),
                (log_p / (log_p + log_q), "those are logarithms: turn them into a ratio of densities first"),
                (expit(log_p), "both densities belong in it: D compares p with q"),
                (2.0 ** (log_p - log_q) / (1 + 2.0 ** (log_p - log_q)), "nats take exp, not powers of 2"),
                (expit((log_p - log_q) / 2), "the logit is the whole difference, not half of it"),
                (np.exp(log_p) / (np.exp(log_p) + np.exp(log_q)).sum(), "every point by itself: no sum over the batch"),
                (want.mean(), "one number for each point"),
                (np.log(want), "that is log D: the probability is asked for"),
                ((log_p > log_q).astype(float), "that is the decision; asked for is the probability"),
            ],
        )
    far = np.array([-5000.0, -5001.0, -4000.0, 1.0]), np.array([-5001.0, -5000.0, -9000.0, 0.0])
    expect_close(
        answer(*(a.copy() for a in far)),
        expit(far[0] - far[1]),
        "log-densities in the thousands are no trouble",
        given="log p = [-5000, -5001, -4000, 1], log q = [-5001, -5000, -9000, 0]",
        mistakes=[(np.nan, under)],
        hint=under,
    )
    fine = np.array([-4321.1, -4321.1, -30.0, -1.0]), np.array([-4320.3, -4333.1, -18.0, -26.0])
    expect_close(
        answer(*(a.copy() for a in fine)),
        expit(fine[0] - fine[1]),
        says,
        given=f"log p = {brief(fine[0])}, log q = {brief(fine[1])}",
        hint="nearly certain is not certain, and -4321.1 needs all the digits of a float64",
    )
    high = np.array([3000.0, 10.0]), np.array([10.0, 3000.0])
    expect_close(
        answer(*(a.copy() for a in high)),
        [1.0, 0.0],
        "log-densities may be large, too: a density is not a probability",
        given="log p = [3000, 10], log q = [10, 3000]",
        hint="exp overflows: use a sigmoid that is safe on both sides, such as scipy.special.expit",
    )
    expect_close(
        answer(np.array([-np.inf, -3.0]), np.array([-1.0, -np.inf])),
        [0.0, 1.0],
        "a point that one of the two excludes settles it",
        given="log p = [-inf, -3], log q = [-1, -inf]",
        hint="a small constant added to a density changes the answer where both are small; leave it out",
    )


ADDED = "L is the *sum* of what data and samples cost, not their difference"
APART = "average data and samples apart, then add: there are not equally many of them"

# 15.2 -----------------------------------------------------------------------------------------------------------------


@exercise("15.2", "js_reading", points=3)
def _(answer, rng):
    says = "judge on the second halves, in logits: log 2 - L/2"
    trained, asked = [], []

    def by_heart(real, fake):
        """A critic that knows every point it has seen, and says 'data' to all others."""
        known = {row.tobytes() for row in np.asarray(fake, dtype=float)}
        sure = {row.tobytes() for row in np.asarray(real, dtype=float)}
        trained.append((np.array(real), np.array(fake)))

        def critic(x):
            x = np.asarray(x, dtype=float)
            asked.append(x.copy())
            return np.array([-9.0 if r.tobytes() in known else 9.0 if r.tobytes() in sure else 1.0 for r in x])

        return critic

    real, fake = rng.normal(size=(61, 2)), rng.normal(size=(41, 2))  # two samples of one distribution
    given = "61 and 41 points of the same distribution, and a critic that learns by heart"
    found = number(answer(by_heart, real.copy(), fake.copy()), "the reading is one number", given=given)
    expect(
        len(trained) == 1 and len(asked) > 0,
        "you train one critic with fit and ask it",
        given=given,
        got=f"{len(trained)} calls of fit, {len(asked)} of the critic",
        hint="call fit once",
    )
    flatter = "judged by the points that it has learned by heart: train on the first halves, judge on the second"
    want = math.log(2) - (np.logaddexp(0, -1.0) + np.logaddexp(0, 1.0)) / 2
    expect_close(
        found,
        want,
        says,
        given=given,
        mistakes=[
            (math.log(2) - np.logaddexp(0, -9.0), flatter),
            (math.log(2) - 2 * np.logaddexp(0, -9.0), flatter),
            (0.0, "the truth is a small negative number, for this critic does worse than a coin: do not clip it away"),
            (2 * want - math.log(2), "L holds two terms, one for data and one for samples: the bound takes half of it"),
            (2 * want, "that is 2 log 2 - L: Jensen-Shannon is half of it"),
            (want / math.log(2), BITS),
            (math.log(2) - (31 * np.logaddexp(0, -1.0) + 21 * np.logaddexp(0, 1.0)) / 52, APART),
            (math.log(2) - (np.logaddexp(0, -1.0) - np.logaddexp(0, 1.0)) / 2, ADDED),
            (math.log(2) - (np.logaddexp(0, 1.0) - np.logaddexp(0, -1.0)) / 2, ADDED),
        ],
        hint=flatter if found > 0.1 else "",
    )
    expect(
        bool(np.array_equal(trained[-1][0], real[:30]) and np.array_equal(trained[-1][1], fake[:20])),
        "the first half of each sample is for training",
        given="61 points of data and 41 samples",
        expected="fit gets 30 points of data, then 20 samples",
        got=f"shapes {trained[-1][0].shape} and {trained[-1][1].shape}",
        hint="fit(real, fake): data first"
        if np.array_equal(trained[-1][0], fake[:20])
        else "of an odd number N // 2 points train, the smaller half"
        if np.array_equal(trained[-1][0], real[:31])
        else "the two samples differ in size: halve each by its own length"
        if len(trained[-1][0]) not in (30, 31) or len(trained[-1][1]) not in (20, 21)
        else "the *first* halves train and the second ones judge, in the order in which they came",
    )

    # an exact critic: the reading must be JS, and survive certainty
    n, shift = 301, float(rng.uniform(1.5, 2.5))  # odd, and few: each point counts
    real, fake = rng.normal(size=(n, 1)), rng.normal(shift, 1, size=(n + 50, 1))
    logit = lambda x: -shift * x[:, 0] + shift**2 / 2  # noqa: E731
    halves = logit(real[n // 2 :]), logit(fake[(n + 50) // 2 :])
    loss = np.logaddexp(0, -halves[0]).mean() + np.logaddexp(0, halves[1]).mean()
    want = math.log(2) - loss / 2
    together = np.concatenate([np.logaddexp(0, -halves[0]), np.logaddexp(0, halves[1])]).mean()
    expect_close(
        answer(lambda a, b: logit, real.copy(), fake.copy()),
        want,
        says,
        given=f"data N(0, 1), samples N({shift:.2f}, 1), and the exact critic",
        rtol=1e-6,
        mistakes=[
            (math.log(2) - loss, "L holds two terms: the bound takes half of their sum, log 2 - L/2"),
            (want / math.log(2), BITS),
            (want * 2, "that is 2 log 2 - L: Jensen-Shannon is half of it"),
            (math.log(2) - together, APART),
            (loss, "that is the critic's loss itself"),
            (
                math.log(2) - (np.median(np.logaddexp(0, -halves[0])) + np.median(np.logaddexp(0, halves[1]))) / 2,
                "means over the points, not medians",
            ),
            (
                math.log(2) - sum(np.logaddexp(0, u[:-1]).mean() for u in (-halves[0], halves[1])) / 2,
                "of an odd number of points the second half has one more: all of them judge",
            ),
            (
                math.log(2) - (np.logaddexp(0, halves[0]).mean() + np.logaddexp(0, -halves[1]).mean()) / 2,
                "the labels are swapped: data costs -log D = log(1 + exp(-logit)), a sample log(1 + exp(logit))",
            ),
        ],
    )
    sure = lambda x: 800.0 * np.sign(x[:, 0])  # noqa: E731
    apart = np.abs(rng.normal(size=(40, 1))) + 1.0, -np.abs(rng.normal(size=(40, 1))) - 1.0
    certainty = "a logit of 800: exp overflows, or the constant in the logarithm decides. Use log(1 + exp(u)) safely"
    expect_close(
        answer(lambda a, b: sure, apart[0].copy(), apart[1].copy()),
        math.log(2),
        "told apart with certainty: log 2",
        given="a critic that says 800 to all data and -800 to all samples",
        rtol=1e-13,
        atol=1e-13,
        mistakes=[(np.nan, certainty), (np.inf, certainty), (-np.inf, certainty)],
        hint=certainty,
    )
    expect_close(
        answer(lambda a, b: sure, apart[1].copy(), apart[0].copy()),
        math.log(2) - 800,
        "certain and always wrong costs 800 nats, not what a small constant allows",
        given="a critic that says -800 to all data and 800 to all samples",
        mistakes=[(0.0, "do not clip: a negative reading says that the critic is worse than a coin")],
        hint=certainty,
    )


# 15.3 -----------------------------------------------------------------------------------------------------------------


@exercise("15.3", "gan_losses", points=3)
def _(answer, rng):
    with _gradients():
        _losses(answer, rng)


def _losses(answer, rng):
    import torch

    def three(value, given):
        if type(value) is torch.Tensor and value.shape == (3,):
            value = value.unbind()
        if not isinstance(value, (tuple, list)) or len(value) != 3:
            raise Wrong("you return three losses", given=given, got=brief(value))
        for loss in value:
            if type(loss) is not torch.Tensor or loss.ndim:
                raise Wrong(
                    "each loss is a scalar tensor, so that gradients flow",
                    given=given,
                    got=f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else brief(loss),
                    hint="average over the batch" if isinstance(loss, torch.Tensor) else "stay in torch",
                )
        return value

    names = ("the critic's loss", "the minimax loss", "the non-saturating loss")
    for *sizes, spread in ((5, 9, 2), (6, 6, 2), (1, 4, 2), (40, 40, 5)):
        real = torch.tensor(rng.normal(1, spread, size=sizes[0]), requires_grad=True)
        fake = torch.tensor(rng.normal(-1, spread, size=sizes[1]), requires_grad=True)
        a, b = real.detach().numpy(), fake.detach().numpy()
        d_real, d_fake = expit(a), expit(b)
        want = (
            -np.log(d_real).mean() - np.log(1 - d_fake).mean(),
            np.log(1 - d_fake).mean(),
            -np.log(d_fake).mean(),
        )
        given = f"real = {brief(a)}, fake = {brief(b)}"
        found = three(answer(real, fake), given)
        values = [float(f.detach()) for f in found]
        if np.allclose([values[0], values[2], values[1]], want):
            expect(False, "the order is critic, minimax, non-saturating", given=given, hint="swap the last two")
        flipped = -np.log(d_fake).mean() - np.log(1 - d_real).mean()
        mistakes = (
            [
                (-want[0], "that is V, which the critic *maximises*; its loss is -V"),
                (want[0] / 2, "the two means are added, not averaged: a critic that cannot tell pays 2 log 2"),
                (flipped, "the labels are swapped: D is the probability of being data"),
                (-np.log(d_real).sum() - np.log(1 - d_fake).sum(), "means over each batch, not sums"),
                (
                    (-np.log(d_real).sum() - np.log(1 - d_fake).sum()) / sum(sizes),
                    "a mean over data plus a mean over samples: the two batches are averaged apart",
                ),
                (-np.log(d_real).mean() + np.log(d_fake).mean(), "log(1 - D) for samples, which is not -log D"),
                (
                    -np.log(d_real).mean() + np.log(1 - d_fake).mean(),
                    "the sign of the second term: the critic pays -log(1 - D) for a sample",
                ),
            ],
            [
                (-want[1], "the sign: the sampler *minimises* log(1 - D), and with this sign it would help the critic"),
                (want[0], "the sampler pays for its samples only"),
                (want[1] * sizes[1], "means over the batch, not sums"),
            ],
            [
                (-want[2], "the sign: the sampler minimises *minus* log D"),
                (-want[1], "that is -log(1 - D), which falls as the samples look *less* real; -log D is meant"),
                (want[2] * sizes[1], "means over the batch, not sums"),
            ],
        )
        for value, target, name, wrong in zip(values, want, names, mistakes, strict=True):
            expect_close(value, target, f"{name} is as defined", given=given, mistakes=wrong)
        slopes = (
            (found[0], real, (d_real - 1) / sizes[0], "the critic's loss"),
            (found[0], fake, d_fake / sizes[1], "the critic's loss"),
            (found[1], fake, -d_fake / sizes[1], "the minimax loss"),
            (found[2], fake, (d_fake - 1) / sizes[1], "the non-saturating loss"),
        )
        for loss, leaf, slope, name in slopes:
            if not loss.requires_grad:
                raise Wrong(f"gradients flow through {name}", given=given, hint="no detach, item or numpy in a loss")
            (gradient,) = torch.autograd.grad(loss, leaf, retain_graph=True, allow_unused=True)
            expect_close(
                np.zeros(len(slope)) if gradient is None else gradient,
                slope,
                f"the gradient of {name} is D or 1 - D, up to its sign",
                given=given,
                hint="nothing is detached in a loss: who may be moved by it is decided in the loop"
                if gradient is None
                else "",
            )
    sure = torch.tensor([800.0, -800.0], dtype=torch.float64, requires_grad=True)
    cut = "log of a probability that was rounded to 0 or 1, or a clamp: use softplus of the logit as it is"
    found = three(answer(sure, sure), "logits of 800 and -800")
    for value, target, name in zip(found, (800.0, -400.0, 400.0), names, strict=True):
        expect_close(
            value.detach(),
            target,
            f"{name} survives certainty",
            given="real = fake = [800, -800]",
            mistakes=[(np.inf, cut), (-np.inf, cut), (np.nan, cut)],
            hint=cut,
        )
    (gradient,) = torch.autograd.grad(found[2], sure, allow_unused=True)
    expect_close(
        np.zeros(2) if gradient is None else gradient,
        [0.0, -0.5],
        "and so does its gradient",
        given="fake = [800, -800]",
        hint="clamping the logits kills the gradient exactly where it is needed",
    )


# 15.4 -----------------------------------------------------------------------------------------------------------------


@exercise("15.4", "gan_step", points=4)
def _(answer, rng):
    with _gradients():
        _step(answer, rng)


def _step(answer, rng):
    import torch
    from torch import nn

    from genutils.optimizers import SGD

    class Shift(nn.Module):  # x = z + theta, by a product that keeps its factors, as the layers of a network do
        def __init__(self, theta, found=None):
            super().__init__()
            self.found = found
            self.theta = nn.Parameter(torch.tensor(theta, dtype=torch.float64))

        def forward(self, z):
            return z + self.theta * torch.ones_like(z) + (self.found is not None and self.training != self.found)

    class Line(nn.Module):  # logit = a x + b
        def __init__(self, a, b, found=None):
            super().__init__()
            self.found = found
            self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))
            self.b = nn.Parameter(torch.tensor(b, dtype=torch.float64))

        def forward(self, x):
            return self.a * x[:, 0] + self.b + (self.found is not None and self.training != self.found)

    n, rates = 7, (0.3, 0.2)
    start = float(rng.normal()), float(rng.uniform(0.4, 1.2) * rng.choice([-1, 1])), float(rng.normal())
    batches = [(rng.normal(1.5, 1, size=(n, 1)), rng.normal(size=(n, 1))) for _ in range(3)]

    def by_hand(
        *, leak=0.0, still=False, kept=False, old=False, minimax=False, first=False, half=False, both=False, pile=""
    ):
        """Three steps in closed form, with the mistakes that people make; the losses and all weights after each."""
        theta, a, b = start
        rest, heap, trace = np.zeros(2), 0.0, []
        for x, z in batches:
            x, z = x[:, 0], z[:, 0]

            def critic_turn(a, b, theta, x=x, z=z):
                fake = z + theta
                up, down = 1 - expit(a * x + b), expit(a * fake + b)  # -slopes of the loss in the two kinds of logits
                loss = np.logaddexp(0, -(a * x + b)).mean() + np.logaddexp(0, a * fake + b).mean()
                return (
                    loss,
                    np.array([(-up * x).mean() + (down * fake).mean(), -up.mean() + down.mean()]),
                    down.mean() * a,
                )

            def sampler_turn(a, b, theta, z=z):
                logit = a * (z + theta) + b
                slope = -expit(logit) if minimax else -(1 - expit(logit))
                loss = (-np.logaddexp(0, logit) if minimax else np.logaddexp(0, -logit)).mean()
                return loss, (slope * a).mean(), np.array([(slope * (z + theta)).mean(), slope.mean()])

            before = (a, b, theta)
            if first:
                loss_s, g_theta, _ = sampler_turn(a, b, theta)
                theta = theta - rates[0] * g_theta
            loss_c, g, leaked = critic_turn(a, b, theta)
            g = g / (2 if half else 1) + (sampler_turn(a, b, theta)[2] if both else 0) + rest
            a, b = np.array([a, b]) - rates[1] * g
            if not first:
                loss_s, g_theta, into = sampler_turn(*(before[:2] if old else (a, b)), theta)
                heap = g_theta + leak * leaked + (heap if "sampler" in pile else 0)
                theta = theta - rates[0] * (0 if still else heap)
                rest = (into if kept or "critic" in pile else 0) + (g if "critic" in pile else 0)
            trace.append((loss_c, loss_s, theta, a, b))
        return np.array(trace)

    sampler, critic = Shift(start[0]), Line(*start[1:])
    optimizers = SGD([sampler.theta], lr=rates[0]), SGD(critic.parameters(), lr=rates[1])
    sampler.train()
    critic.eval()  # as nobody would; but it is not for the step to decide
    trace = []
    given = "a sampler z + theta, a critic a x + b, three steps of plain gradient descent"
    for x, z in batches:
        try:
            losses = answer(sampler, critic, *optimizers, torch.tensor(x), torch.tensor(z))
        except RuntimeError as error:
            hints = {
                "second time": "the same graph was walked twice: detach the samples in the critic's turn, or draw anew",
                "does not require grad": "the sampler's loss carries no gradient: nothing may be detached in its turn",
                "inplace": "the sampler's loss was taken before the critic moved: ask critic(sampler(z)) after it",
            }
            hint = next((hint for words, hint in hints.items() if words in str(error)), None)
            if hint is None:
                raise
            raise Wrong("both turns can go backward", given=given, got=str(error)[:100], hint=hint) from None
        if isinstance(losses, (tuple, list)):
            losses = [loss.detach() if type(loss) is torch.Tensor else loss for loss in losses]
        losses = numbers(losses, "you return two numbers, the losses of critic and sampler", given=given)
        expect_shape(losses, (2,), "you return two numbers, the losses of critic and sampler", given=given)
        trace.append((*losses, sampler.theta.item(), critic.a.item(), critic.b.item()))
    trace, want = np.array(trace), by_hand()
    mistakes = [
        (by_hand(still=True), "the sampler never moves: its turn was detached, so no gradient reached it"),
        (by_hand(leak=1.0), "the critic's turn leaks into the sampler's gradient: detach the samples there, or clear"),
        (by_hand(kept=True), "what the sampler's turn left in the critic's gradient was not cleared: zero_grad first"),
        (by_hand(kept=True, leak=1.0), "gradients pile up: clear each player's before its own backward"),
        (by_hand(pile="critic"), "the critic's gradient piles up from step to step: zero_grad before its backward"),
        (by_hand(pile="sampler"), "the sampler's gradient piles up from step to step: zero_grad before its backward"),
        *(
            (by_hand(pile="critic and sampler", leak=leak), "gradients pile up: zero_grad before each backward")
            for leak in (0.0, 1.0)
        ),
        (by_hand(half=True), "the critic's two means are added, not averaged"),
        (
            by_hand(old=True, both=True),
            "the sampler's backward came before the critic's step and added to its gradient",
        ),
        (by_hand(old=True), "the sampler plays against the critic as it was *before* its turn: ask it again"),
        (by_hand(minimax=True), "that is the minimax loss log(1 - D); asked for is -log D"),
        (by_hand(first=True), "the critic moves first, then the sampler"),
    ]
    weights = "the weights go where the two gradients take them"
    for wrong, hint in mistakes:
        if np.allclose(trace[:, 2:], wrong[:, 2:], rtol=1e-6, atol=1e-9) and not np.allclose(wrong[:, 2:], want[:, 2:]):
            raise Wrong(weights, given=given, expected=brief(want[-1, 2:]), got=brief(trace[-1, 2:]), hint=hint)
    if np.allclose(trace[:, 2], start[0], atol=1e-12):
        raise Wrong(weights, given=given, got="theta stays where it was", hint=mistakes[0][1])
    if np.allclose(trace[:, 3:], start[1:], atol=1e-12):
        raise Wrong(weights, given=given, got="the critic stays where it was", hint="step the critic's optimizer, too")
    right = np.isclose(trace, want, rtol=1e-6)
    if not right[0, 0] and not np.isclose(trace[0, 1], want[0, 0], rtol=1e-6):
        where = "the critic's first loss is wrong already: -log D on data plus -log(1 - D) on samples, each a mean"
    elif not right[0, 3:].all():
        where = (
            "the critic's loss is right, but not where it moves: what else is in its gradient, or does it move twice?"
        )
    elif not right[0, 2]:
        where = (
            "the critic's first turn is right, the sampler's is not: the mean of -log D at sampler(z), with the same z"
        )
    else:
        where = "the first step is right, a later one is not: is something of the step before left in a gradient?"
    expect_close(trace[:, 2:], want[:, 2:], weights, given=given, rtol=1e-6, hint=where)
    expect_close(
        trace[:, :2],
        want[:, :2],
        "the losses are those before each turn: critic first, then sampler",
        given=given,
        rtol=1e-6,
        mistakes=[(want[:, [1, 0]], "the order: the critic's loss first")],
    )
    alone = "train() and eval() change more than this step: leave them alone, or set the mode back"

    def as_found(sampler, critic, modes):
        expect(
            (sampler.training, critic.training) == modes,
            "both players are left in the mode in which they were",
            given=f"sampler.training = {modes[0]}, critic.training = {modes[1]}",
            got=f"sampler.training = {sampler.training}, critic.training = {critic.training}",
            hint=alone,
        )

    as_found(sampler, critic, (True, False))
    expect(
        all(w.requires_grad for w in (*sampler.parameters(), *critic.parameters())),
        "both players can still learn afterwards",
        given=given,
        hint="requires_grad_(False) on the critic must be taken back",
    )
    for modes in ((False, True), (True, True)):  # players whose answers depend on their mode
        sampler, critic = Shift(start[0], modes[0]).train(modes[0]), Line(*start[1:], modes[1]).train(modes[1])
        optimizers = SGD([sampler.theta], lr=rates[0]), SGD(critic.parameters(), lr=rates[1])
        answer(sampler, critic, *optimizers, *(torch.tensor(some) for some in batches[0]))
        as_found(sampler, critic, modes)
        expect_close(
            [sampler.theta.item(), critic.a.item(), critic.b.item()],
            want[0, 2:],
            "each player is asked in the mode in which it was",
            given=f"one step; sampler.training = {modes[0]}, critic.training = {modes[1]}",
            rtol=1e-6,
            hint=alone,
        )


# 15.5 -----------------------------------------------------------------------------------------------------------------


@exercise("15.5", "count_modes", points=2)
def _(answer, rng):
    def truth(samples, centres, radius, least=0.1, nearest=True, fair=True, inside=True):
        distance = cdist(samples, centres)  # (B, K)
        if nearest:
            owner, ok = distance.argmin(1), distance.min(1) <= (radius if inside else np.inf)
            counts = np.bincount(owner[ok], minlength=len(centres))
        else:
            counts = (distance <= radius).sum(0)
        floor = least * len(samples) / len(centres) if fair else 0
        return int((counts >= max(1, floor)).sum())

    angle = 2 * np.pi * np.arange(8) / 8
    ring = 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
    for modes in (3, 8, int(rng.integers(1, 8))):
        samples = ring[np.arange(800) % modes] + 0.05 * rng.normal(size=(800, 2))
        rng.shuffle(samples)
        given = f"800 samples near {modes} of 8 centres on a ring, radius 0.6"
        found = _whole(_asked(answer, samples, ring, 0.6), given)
        expect_equal(found, modes, "each mode with enough samples counts once", given=given)
    share = np.concatenate([np.full(9, 0), np.full(8, 1), np.full(383, 2)])  # a tenth of 400 / 5 is 8
    centres = np.array([[0.0, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5], [5, 5, 5]])
    samples = rng.permutation(centres[share] + 0.01 * rng.normal(size=(400, 3)))
    given = "400 samples, of which 9, 8 and 383 lie at three of 5 centres in space; least = 0.1"
    expect_equal(
        _whole(answer(samples.copy(), centres.copy(), 1.0), given),
        3,
        "a mode with a tenth of its fair share, B/K, is covered",
        given=given,
        mistakes=[
            (1, "the fair share is B / K, not B: a tenth of *that* is enough"),
            (2, "exactly a tenth is enough: at least, not more than"),
        ],
    )
    unused = "least is not used: a mode with a few stray samples is not covered"
    for least, want, hint in ((0.2, 1, unused), (0.0, 3, ""), (0.11, 2, "8 are fewer than 8.8: round nothing down")):
        expect_equal(
            _whole(answer(samples.copy(), centres.copy(), 1.0, least), given),
            want,
            f"with least = {least} it is {want}",
            given=given,
            mistakes=[
                (5, "a mode without a single sample is never covered, also if least is 0"),
                *([(3, hint)] if hint else []),
            ],
        )
    stray = np.concatenate([np.zeros((99, 2)), [[4.0, 0.0]]])
    expect_equal(
        _whole(answer(stray, np.array([[0.0, 0.0], [4.0, 0.0]]), 1.0), "99 samples at one centre, 1 at another"),
        1,
        "a stray sample covers nothing",
        given="99 samples at one centre, 1 at another",
        mistakes=[(2, "a single stray sample is not coverage: ask for a tenth of the fair share")],
    )
    close = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 9.0]])
    samples = 0.02 * rng.normal(size=(300, 2)) + [0.2, 0.0]
    given = "all samples at (0.2, 0); centres (0, 0), (1, 0), (0, 9); radius 1.5"
    expect_equal(
        _whole(answer(samples, close, 1.5), given),
        1,
        "a sample belongs to its nearest centre only",
        given=given,
        mistakes=[(2, "one sample was counted for two centres: it belongs to the nearest")],
    )
    far = rng.normal(size=(200, 2)) * 0.1 + [5.0, 0.0]
    given = "all samples at (5, 0), outside the radius 1 of the centres (0, 0) and (9, 0)"
    expect_equal(
        _whole(answer(far, np.array([[0.0, 0.0], [9.0, 0.0]]), 1.0), given),
        0,
        "samples between the modes cover nothing",
        given=given,
        mistakes=[(1, "the nearest centre may still be too far: use the radius")],
    )
    samples = np.concatenate([np.zeros((6, 2)), np.full((60, 2), 9.0), np.full((334, 2), 40.0)])
    given = "6 and 60 of 400 samples at two of 4 centres, the others far from all; least = 0.1"
    expect_equal(
        _whole(answer(samples, np.array([[0.0, 0], [9, 9], [0, 9], [9, 0]]), 1.0), given),
        1,
        "the fair share is B / K of *all* samples",
        given=given,
        mistakes=[(2, "B counts all samples, also those that belong to no mode")],
    )
    for size, distance, want in ((0.5, 0.6, 0), (2.0, 1.5, 1)):
        given = f"all samples at a distance of {distance} from the only centre, radius {size}"
        expect_equal(
            _whole(answer(np.full((50, 2), [distance, 0.0]), np.zeros((1, 2)), size), given),
            want,
            "the distance is compared with the radius",
            given=given,
            mistakes=[(1 - want, "a squared distance belongs beside a squared radius")],
        )
    given = "in space, all samples 5 above the centre (0, 0, 0), radius 1"
    expect_equal(
        _whole(answer(np.full((50, 3), [0.0, 0.0, 5.0]), np.array([[0.0, 0, 0], [9, 0, 0]]), 1.0), given),
        0,
        "every coordinate counts",
        given=given,
        mistakes=[(1, "the distance takes all D coordinates, not the first two")],
    )
    at = "a sample at exactly the radius is not further than the radius: it belongs to the mode"
    expect_equal(
        _whole(answer(np.full((50, 1), 3.0), np.array([[1.0], [9.0]]), 2.0), "samples at a distance of 2, radius 2"),
        1,
        "a sample further than the radius belongs to no mode, and no other",
        given="on a line, all samples at 3, centres 1 and 9, radius 2",
        mistakes=[(0, at)],
    )
    for corner, want in ((0.8, 0), (0.6, 1)):
        given = f"all samples {corner} up and {corner} to the right of the only centre, radius 1"
        expect_equal(
            _whole(answer(np.full((50, 2), corner), np.zeros((1, 2)), 1.0), given),
            want,
            "distances are Euclidean",
            given=given,
            mistakes=[(1 - want, "the distance is the root of the sum of squares over the coordinates")],
        )
    for _ in range(3):  # crowds of every size around centres in any order, some too small to count
        places, crowd = rng.normal(size=(7, 3)) * 4, rng.integers(0, 12, size=7)
        samples = np.repeat(places, crowd, axis=0) + 0.2 * rng.normal(size=(crowd.sum(), 3))
        samples, part = rng.permutation(samples), float(rng.choice([0.3, 0.7, 1.0]))
        given = f"crowds of {crowd.tolist()} around 7 centres in space, radius 1, least = {part}"
        expect_equal(
            _whole(answer(samples.copy(), places.copy(), 1.0, part), given),
            truth(samples, places, 1.0, part),
            "counted right",
            given=given,
        )
    samples = rng.normal(size=(500, 2)) * 2
    radius = float(rng.uniform(0.5, 1.0))
    given = f"500 samples of a broad Gaussian, radius {radius:.3f}"
    expect_equal(_whole(answer(samples.copy(), ring, radius), given), truth(samples, ring, radius), "counted right")


def _whole(value, given: str) -> int:
    array = numbers(value, "you return a whole number", given=given)
    if array.size != 1 or float(array.reshape(())) != int(array.reshape(())):
        hint = "that is one entry a mode: count how many of them are covered"
        if array.size == 1:
            hint = "modes are counted, not divided by K"
        raise Wrong("you return one whole number", given=given, got=brief(array), hint=hint)
    return int(array.reshape(()))


# 15.6 -----------------------------------------------------------------------------------------------------------------


@exercise("15.6", "slerp", points=3)
def _(answer, rng):
    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    for batch, size in ((4, 3), (6, 16), (1, 2)):
        z0, z1 = rng.normal(size=(2, batch, size)) * rng.uniform(0.5, 2, size=(2, batch, 1))
        t = float(rng.uniform(0.15, 0.4))
        omega = np.arccos((unit(z0) * unit(z1)).sum(1))[:, None]
        want = (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)
        cosine = (unit(z0) * unit(z1)).sum(1)[:, None]
        whole = np.arccos(np.clip((unit(z0) * unit(z1)).sum(), -1, 1))
        inner = (z0 * z1).sum(1)[:, None]
        sums = np.arccos(inner.sum() / (np.linalg.norm(z0) * np.linalg.norm(z1)))
        raw, flat = (np.arccos(np.clip(inner / d, -1, 1)) for d in (1.0, np.linalg.norm(z0) * np.linalg.norm(z1)))
        lengths = "measure the angle between directions: divide the inner product by both lengths"

        def turned(angle, z0=z0, z1=z1, t=t):
            with np.errstate(all="ignore"):
                return (np.sin((1 - t) * angle) * z0 + np.sin(t * angle) * z1) / np.sin(angle)

        straight = (1 - t) * z0 + t * z1
        given = f"{batch} pairs of {size} numbers, t = {t:.3f}"
        expect_close(
            _asked(answer, z0, z1, t),
            want,
            "the direction turns at a constant rate",
            given=given,
            mistakes=[
                (straight, "that is the straight line"),
                (want[::-1], "the rows are mixed up"),
                (turned(omega, z0, z1, 1 - t), "t = 0 is z0, not z1"),
                (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1, "the division by sin(omega) is missing"),
                (
                    (np.sin((1 - t) * omega) * unit(z0) + np.sin(t * omega) * unit(z1)) / np.sin(omega),
                    "only the *angle* is measured between directions; the noises themselves keep their lengths",
                ),
                (
                    unit(straight) * np.linalg.norm(z0, axis=1, keepdims=True),
                    "a straight line pushed out to the sphere: its direction does not turn at a constant rate",
                ),
                (turned(cosine), "that uses the cosine as if it were the angle: take arccos"),
                (turned(sums), "every pair has an angle of its own: take it row by row"),
                (turned(whole), "every pair has an angle of its own: take it row by row"),
                (turned(flat), "every noise has a length of its own: take the norm row by row, with axis=1"),
                (turned(raw), lengths),
            ],
            hint=lengths if np.isnan(numbers(answer(z0.copy(), z1.copy(), t))).any() else "",
        )
        for end, z in ((0.0, z0), (1.0, z1)):
            expect_close(answer(z0.copy(), z1.copy(), end), z, f"t = {end:.0f} is an end", given=given)
    z0, z1 = (3 * unit(rng.normal(size=(5, 8))) for _ in range(2))
    lengths = np.linalg.norm(numbers(answer(z0.copy(), z1.copy(), 0.5)), axis=1)
    expect_close(
        lengths, np.full(5, 3.0), "between noises of one length, that length is kept", given="length 3, t = 1/2"
    )
    z = rng.normal(size=(240, 16))  # so many that rounding lifts some cosines above 1
    same = (
        "sin(omega) is 0 for noises that point the same way: take the straight line there "
        "(and rounding may lift a cosine above 1, whose arccos is no number: clip it)"
    )
    factor = np.tile([1.0, 2.0, 1.0, 1.0, 0.5, 1.0], 40)[:, None]
    expect_close(
        answer(z.copy(), z * factor, 0.25),
        0.75 * z + 0.25 * z * factor,
        "noises that point the same way: the straight line",
        given="z1 = z0, or a multiple of it",
        rtol=1e-6,
        mistakes=[(np.nan, same)],
        hint=same,
    )
    mixed = rng.normal(size=(2, 40, 16))
    mixed[1, 1:] = mixed[0, 1:]
    one = numbers(answer(mixed[0].copy(), mixed[1].copy(), 0.3))
    alone = numbers(answer(mixed[0][:1].copy(), mixed[1][:1].copy(), 0.3))
    expect_close(
        one[:1],
        alone,
        "a pair that points the same way does not change the pairs beside it",
        given="forty pairs; all but the first are twice the same noise",
        hint="decide row by row, with np.where",
    )
    side = rng.normal(size=z.shape)
    side = unit(side - (side * unit(z)).sum(1, keepdims=True) * unit(z)) * np.linalg.norm(z, axis=1, keepdims=True)
    expect_close(
        answer(z.copy(), math.cos(0.04) * z + math.sin(0.04) * side, 0.5),
        math.cos(0.02) * z + math.sin(0.02) * side,
        "the direction turns at a constant rate",
        given="pairs of one length, at an angle of 0.04",
        hint="the straight line is for noises that point the *same* way; at an angle of 0.04 the formula still works",
    )
    near = z + 1e-9 * rng.normal(size=z.shape)
    expect_close(
        answer(z.copy(), near, 0.5), (z + near) / 2, "nearly the same way: nearly the straight line", hint=same
    )


# 15.7 -----------------------------------------------------------------------------------------------------------------


@exercise("15.7", "corrected_mean", points=3)
def _(answer, rng):
    def pair(value, given):
        found = numbers(value, "you return two numbers, the mean and the effective sample size", given=given)
        expect_shape(found, (2,), "you return two numbers, the mean and the effective sample size", given=given)
        return found

    for n in (6, 300):
        f, logits = rng.normal(2, 1, size=n), rng.normal(0, 1.2, size=n)
        w = np.exp(logits)
        want = (w * f).sum() / w.sum(), w.sum() ** 2 / (w**2).sum()
        given = f"n = {n}, f = {brief(f)}, logits = {brief(logits)}"
        mean, size = pair(_asked(answer, f, logits), given)
        d = expit(logits)
        expect_close(
            mean,
            want[0],
            "the mean is weighted by exp(logit)",
            given=given,
            mistakes=[
                (f.mean(), "that is the sampler's own average: weight it"),
                ((w * f).mean(), "divide by the sum of the weights: the average of the weights is 1 only in theory"),
                (
                    (d * f).sum() / d.sum(),
                    "those weights are D: the ratio p/q is D / (1 - D), the exponential of the logit",
                ),
                ((logits * f).sum() / logits.sum(), "the weights are exp(logit), not the logits"),
                ((f / w).sum() / (1 / w).sum(), "upside down: the weight is p/q, data over samples"),
                ((w * f).sum(), "divide by the sum of the weights"),
                ((w * f).mean() / w.max(), "divide by the sum of the weights, not by n"),
                ((w * f).sum() / w.max(), "divide by the sum of the weights"),
            ],
        )
        expect_close(
            size,
            want[1],
            "the effective sample size is (sum w)^2 / sum w^2",
            given=given,
            mistakes=[
                (1 / want[1], "upside down"),
                (want[1] / n, "that is the share of n; the size itself is asked for"),
                (math.sqrt(want[1]), "that is its square root"),
                ((w**2).sum() / w.sum() ** 2, "upside down"),
                (
                    np.exp(-(w / w.sum() * np.log(w / w.sum())).sum()),
                    "that is the exponential of the weights' entropy, another size: here it is (sum w)^2 / sum w^2",
                ),
                (w.sum() / w.max(), "that compares with the largest weight only: (sum w)^2 / sum w^2"),
                (float(n), "that counts the samples: with unequal weights they are worth fewer"),
                (w.sum(), "the sum of weights depends on a constant in the logits; their squares must enter, too"),
            ],
        )
    f, logits = rng.normal(size=50), rng.normal(size=50)
    flow = "exp overflows: subtract the largest logit first, which changes no ratio"
    base = pair(answer(f.copy(), logits.copy()), "50 samples")
    for constant in (1000.0, -1000.0):
        given = f"the same logits, all of them {constant:+.0f}"
        expect_close(
            answer(f.copy(), logits + constant),
            base,
            "a constant added to all logits changes nothing",
            given=given,
            rtol=1e-6,
            mistakes=[(np.nan, flow)],
            hint=flow,
        )
    value = pair(answer(f.copy(), np.zeros(50)), "all logits 0")
    expect_close(value, (f.mean(), 50.0), "equal weights: the plain mean, and a size of n", given="all logits 0")
    spike = np.zeros(50)
    spike[7] = 900.0
    expect_close(
        answer(f.copy(), spike),
        (f[7], 1.0),
        "one sample carries everything: its value, and a size of 1",
        given="one logit of 900, the others 0",
        mistakes=[(np.nan, flow)],
        hint=flow,
    )
    n, shift = 40_000, 0.8  # samples N(shift, 1), data N(0, 1): E_p[x^2] = 1
    x = rng.normal(shift, 1, size=n)
    logits = -shift * x + shift**2 / 2
    found = pair(answer(x**2, logits), f"samples of N({shift}, 1), data N(0, 1), f = x^2")
    share = math.exp(-(logsumexp(2 * logits) - 2 * logsumexp(logits))) / n
    expect(
        bool(abs(found[0] - 1) < 0.1 and abs(found[1] / n - share) < 1e-6),
        "with the exact ratio the corrected average is that of the data",
        given=f"{n:,} samples of N({shift}, 1), data N(0, 1), f = x^2",
        expected="about 1",
        got=found,
    )
