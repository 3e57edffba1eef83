"""Checks of lesson 10, PixelCNN: windows that end in time, sums over all images, and draws that are weighed."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.special import expit, logsumexp

from genutils.check import exercise
from genutils.check.expect import (
    BITS,
    brief,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    numbers,
    pair,
    plain,
    unchanged,
)

# 10.1 -----------------------------------------------------------------------------------------------------------------


def _colour_mask(outputs, inputs, kernel, allowed) -> np.ndarray:
    """All before the middle, nothing after it, and in the middle what ``allowed`` (outputs, inputs) says."""
    window = np.zeros((outputs, inputs, kernel**2))
    window[..., : kernel**2 // 2] = 1
    window[..., kernel**2 // 2] = allowed
    return window.reshape(outputs, inputs, kernel, kernel)


@exercise("10.1", "colour_mask", points=1)
def _(answer, rng):
    for outputs, inputs, kernel in ((12, 6, 5), (3, 3, 3), (6, 12, 3), (3, 9, 7), (9, 3, 1), (6, 6, 3)):
        third = np.arange(outputs)[:, None] * 3 // outputs, np.arange(inputs)[None] * 3 // inputs
        turn = np.arange(outputs)[:, None] % 3, np.arange(inputs)[None] % 3
        for sees_itself in (False, True):
            said = f"outputs = {outputs}, inputs = {inputs}, kernel = {kernel}, sees_itself = {sees_itself}"
            got = numbers(answer(outputs, inputs, kernel, sees_itself), "a mask is an array of 0 and 1", given=said)
            expect_shape(
                got,
                (outputs, inputs, kernel, kernel),
                "a mask has the shape of the weights of a convolution",
                given=said,
                hint="outputs come first" if got.shape[:2] == (inputs, outputs) else "",
            )
            expect(bool(np.isin(got, (0, 1)).all()), "masks hold 0 and 1", given=said, got=brief(got))

            def by(of, sees_itself=sees_itself):
                return of[1] <= of[0] if sees_itself else of[1] < of[0]

            want = _colour_mask(outputs, inputs, kernel, by(third))
            mistakes = {
                "the middle of the window is not all or nothing: red before green before blue": (
                    _colour_mask(outputs, inputs, kernel, float(sees_itself)),
                    _colour_mask(outputs, inputs, kernel, 0.0),
                    _colour_mask(outputs, inputs, kernel, 1.0),
                ),
                "the channels of a colour stand together: the first third is red": (
                    _colour_mask(outputs, inputs, kernel, by(turn)),
                ),
                "the first axis is what is computed: green may see red, not red green": (
                    _colour_mask(outputs, inputs, kernel, third[1] >= third[0] if sees_itself else third[1] > third[0]),
                ),
                "`sees_itself` is about the pixel's own colour: with it the same colour is seen, without it is not": (
                    _colour_mask(outputs, inputs, kernel, by(third, not sees_itself)),
                ),
                "a window has rows first: the row above is all before, and only the left of its own row": (
                    want.swapaxes(2, 3),
                ),
                "that is what comes after: the mask keeps what comes before": (1 - want, want[..., ::-1, ::-1]),
                "after the middle nothing may be seen": (
                    np.maximum(want, np.concatenate([np.ones(kernel // 2 + 1), np.zeros(kernel // 2)])[:, None]),
                ),
            }
            right = np.array_equal(got, want)
            hint = next(
                (words for words, those in mistakes.items() for m in those if not right and np.array_equal(got, m)), ""
            )
            if not right:
                o, i, r, c = np.argwhere(got != want)[0]
                what = "more than may be seen" if got[o, i, r, c] else "less than may be seen"
                expect(
                    False,
                    "what comes before is seen, all of it, and nothing else",
                    given=said,
                    expected=f"{want[o, i, r, c]:.0f} for output {o}, input {i}, row {r}, column {c}",
                    got=f"{got[o, i, r, c]:.0f}: {what}",
                    hint=hint,
                )


# 10.2 -----------------------------------------------------------------------------------------------------------------


@exercise("10.2", "order_test", points=3)
def _(answer, rng):
    def network(d, sees, wakes, asked):
        """Output i moves with the inputs j that ``sees`` (d, d) says, when they are large enough."""
        weight = np.where(sees, rng.uniform(0.5, 1.5, size=(d, d)), 0.0)

        def f(x):
            x = np.asarray(x, dtype=float)
            expect(
                x.ndim == 3 and x.shape[1:] == asked,
                "f reads a batch of images",
                expected=f"shape (B, {asked[0]}, {asked[1]})",
                got=f"shape {x.shape}",
            )
            x = x.reshape(len(x), d)
            bump = {
                "always": np.tanh(x),
                "above": np.maximum(x - 1.5, 0),
                "below": np.maximum(-1.5 - x, 0),
                "gate": np.tanh(x) * (x[:, :1] > 1) + 0 * x,
                "faint": 2e-6 * np.tanh(x),
            }[wakes]
            if wakes == "gate":
                bump[:, 0] = np.tanh(x[:, 0])
            return (bump[:, None] * weight).sum(2).reshape(len(x), *asked)

        return f

    wide = "some outputs move only when an input is large, some only when it is very negative: try both, often"
    cases = [
        ((2, 3), [], [], "always", "both lists are empty for a network that keeps the order and sees all before"),
        ((3, 2), [(1, 1)], [], "always", "an output may not see its own pixel"),
        (
            (2, 3),
            [(2, 3)],
            [(3, 2)],
            "always",
            "",
        ),
        ((2, 4), [(0, 7), (5, 6)], [(4, 3)], "always", ""),
        ((1, 5), [(3, 4)], [(4, 0), (3, 1)], "above", wide),
        ((3, 1), [(0, 2)], [(2, 0)], "below", wide),
        ((2, 3), [(4, 4)], [(5, 1)], "gate", "some pixels are seen only when another one is large: try many points"),
        (
            (3, 3),
            [(1, 8)],
            [(8, 1), (5, 2)],
            "faint",
            "what moves a little moves: compare with 0, not with a tolerance",
        ),
        ((1, 1), [], [], "always", ""),
        ((1, 1), [(0, 0)], [], "always", "an output may not see its own pixel"),
    ]
    for shape, more, less, wakes, words in cases:
        d = shape[0] * shape[1]
        sees = np.tri(d, k=-1) > 0
        for i, j in more:
            sees[i, j] = True
        for i, j in less:
            sees[i, j] = False
        peeks, blind = sorted(more), sorted(less)
        said = f"images of shape {shape}; {len(peeks)} peeks and {len(blind)} pixels out of sight were planted"
        own = np.random.default_rng(int(rng.integers(2**40)))
        got = pair(answer(network(d, sees, wakes, shape), shape, own), "two lists are returned", said)
        got = [_pairs(part, said) for part in got]
        swapped = [sorted((j, i) for i, j in part) for part in (peeks, blind)]
        turned = np.arange(d).reshape(shape).T.ravel()  # the pixels, column by column
        mistaken = sees[np.ix_(turned, turned)]
        columns = [
            [(i, j) for i in range(d) for j in range(d) if mistaken[i, j] == peek and (j >= i) == peek]
            for peek in (True, False)
        ]
        seen_too_little = set(got[0]) <= set(peeks) and set(got[1]) >= set(blind)
        hint = words if seen_too_little or not peeks + blind else ""
        if got == columns and columns != [peeks, blind]:
            hint = "pixels are numbered row by row: pixel i is in row i // W, column i % W"
        elif got == swapped and swapped != [peeks, blind]:
            hint = "a pair is (output, pixel)"
        elif got == [blind, peeks] and peeks != blind:
            hint = "the peeks come first"
        elif [sorted(part) for part in got] == [peeks, blind]:
            hint = "the lists are sorted"
        elif got[0] == peeks and set(got[1]) >= set(blind) and len(got[1]) > d * (d - 1) // 2:
            hint = "a pixel is out of sight only if it comes before and is not seen"
        for part, want, name in zip(got, (peeks, blind), ("peeks", "pixels out of sight"), strict=True):
            expect_equal(part, want, f"all {name} are found, and nothing else is called one", given=said, hint=hint)


def _pairs(part, said) -> list:
    value = plain(part, "each list holds pairs of whole numbers", given=said)
    expect(type(value) in (list, tuple), "each list holds pairs of whole numbers", given=said, got=brief(value))
    found = []
    for one in value:
        right = type(one) in (list, tuple) and len(one) == 2 and all(type(k) is int for k in one)
        expect(right, "each list holds pairs of whole numbers", given=said, got=brief(one))
        found.append(tuple(one))
    return found


# 10.3 -----------------------------------------------------------------------------------------------------------------


def _window(x, weight, up, left) -> np.ndarray:
    """Sums over a window that begins ``up`` rows above a pixel and ``left`` columns before it: (B, O, H, W)."""
    (_, _, height, width), (_, _, rows, columns) = x.shape, weight.shape
    margin = rows + columns
    x = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    total = np.zeros((len(x), len(weight), height, width))
    for r, c in itertools.product(range(rows), range(columns)):
        top, start = margin + r - up, margin + c - left
        part = x[:, :, top : top + height, start : start + width]
        total += np.einsum("oi,bihw->bohw", weight[..., r, c], part)
    return total


def _gate(a, swapped=False) -> np.ndarray:
    what, how_much = np.split(a, 2, 1)
    return np.tanh(how_much) * expit(what) if swapped else np.tanh(what) * expit(how_much)


def _layer(v, h, down, right, across, out, *, v_pad=None, h_pad=None, **slip):
    """The gated layer; slips are mistakes by name."""
    reach = down.shape[2] - 1
    a = _window(v, down, reach if v_pad is None else v_pad, reach)
    told = _gate(a) if "gated across" in slip else a
    b = _window(h, right, 0, reach if h_pad is None else h_pad)
    weight = across[:, : told.shape[1]]
    if "no across" not in slip:
        b = b + np.einsum("oi,bihw->bohw", weight, told)
    made = np.einsum("oi,bihw->bohw", out, _gate(b, "swapped" in slip))
    new_v = _gate(a, "swapped" in slip)
    return (new_v if "no v" in slip else v + new_v), (made if "no h" in slip else h + made)


@exercise("10.3", "gated_layer", points=3)
def _(answer, rng):
    import torch

    for c, reach, (height, width), batch in (
        (2, 1, (4, 5), 3),
        (3, 2, (6, 4), 1),
        (1, 1, (1, 1), 2),
        (2, 3, (5, 3), 2),
    ):
        shapes = (batch, c, height, width), (batch, c, height, width), (2 * c, c, reach + 1, 2 * reach + 1)
        shapes += (2 * c, c, 1, reach + 1), (2 * c, 2 * c), (c, c)
        given = [rng.normal(size=shape) for shape in shapes]
        tensors = [torch.tensor(array, dtype=torch.float32) for array in given]
        kept = [tensor.clone() for tensor in tensors]
        said = f"v and h of shape {shapes[0]}, down of shape {shapes[2]}"
        got = pair(answer(*tensors), "v and h are returned", said)
        unchanged([t.numpy() for t in kept], [t.numpy() for t in tensors], given=said)
        wanted = _layer(*given)
        slips = {
            "the first half of the channels goes through tanh, the second through sigmoid": {"swapped": 1},
            "v keeps what it was: add it": {"no v": 1},
            "h keeps what it was: add it": {"no h": 1},
            "h is told a of the vertical stack: add `across` times a": {"no across": 1},
            "v's window reaches below the pixel's row: pad above, not below": {"v_pad": 0},
            "h's window reaches to the right of the pixel: pad on the left, not on the right": {"h_pad": 0},
            "a window of v that ends above its own row loses the row above: v of this row has not seen this row": {
                "v_pad": reach + 1
            },
            "h of the pixel itself belongs to the window: h has not seen its own pixel": {"h_pad": reach + 1},
        }
        wrongs = [(_layer(*given, **slip), words) for words, slip in slips.items() if slip]
        flipped = [given[0], given[1], given[2][:, :, ::-1, ::-1], given[3][:, :, :, ::-1], *given[4:]]
        wrongs.append((_layer(*flipped), "the weights are turned round: `F.conv2d` takes them as they stand"))
        parts = [numbers(part, f"{name} is a tensor", given=said) for name, part in zip("vh", got, strict=True)]
        hint = ""
        if parts[0].shape == parts[1].shape == shapes[0] and height * width > 1:
            wrongs.append((wanted[::-1], "v comes first"))
            for (v, h), words in wrongs:
                if all(np.allclose(p, w, rtol=1e-4, atol=1e-5) for p, w in zip(parts, (v, h), strict=True)):
                    hint = words
                    break
        for name, part, want in zip("vh", parts, wanted, strict=True):
            expect_close(part, want, f"{name} after one gated layer", given=said, hint=hint, rtol=1e-4, atol=1e-5)
    v, h = torch.randn(1, 1, 3, 3, requires_grad=True), torch.randn(1, 1, 3, 3)
    ones = [torch.ones(shape) for shape in ((2, 1, 2, 3), (2, 1, 1, 2), (2, 2), (1, 1))]
    new_v, _ = pair(answer(v, h, *ones), "v and h are returned")
    expect(
        type(new_v) is torch.Tensor and new_v.requires_grad,
        "a layer can be trained: gradients pass through it",
        hint="stay with torch's functions; no .item(), no numpy, no detach",
    )


# 10.4 -----------------------------------------------------------------------------------------------------------------


@exercise("10.4", "finish", points=3)
def _(answer, rng):
    d, levels, classes, n = 4, 2, 3, 20_000
    every = np.array(list(itertools.product(range(levels), repeat=d)))  # (16, 4)
    powers = levels ** np.arange(d)[::-1]

    def model():
        """p(x_i = 1 | x_<i, y) for each label: a table for each pixel, told well apart."""
        tables = [np.where(rng.permutation(classes * 2**i) % 2, 0.82, 0.18).reshape(classes, 2**i) for i in range(d)]
        tables = [table + rng.uniform(-0.12, 0.12, size=table.shape) for table in tables]

        def log_probs(x, y):
            x = np.asarray(x)
            expect(
                x.ndim == 2 and x.shape[1] == d and np.ndim(y) == 0 and 0 <= int(y) < classes,
                "`log_probs` is asked about images (B, D) and one label",
                given=f"D = {d}, {classes} classes",
                got=f"x of shape {x.shape} and label {brief(y)}",
            )
            x = x.astype(int)
            p = np.stack(
                [
                    tables[i][int(y)][x[:, :i] @ (2 ** np.arange(i)[::-1]) if i else np.zeros(len(x), dtype=int)]
                    for i in range(d)
                ],
                1,
            )
            return np.log(np.stack([1 - p, p], -1))  # (B, D, 2)

        return log_probs

    def joint(log_probs):
        """(classes, 16) log p(x | y)."""
        return np.array(
            [np.take_along_axis(log_probs(every, y), every[..., None], 2)[..., 0].sum(1) for y in range(classes)]
        )

    for known in (2, 0, 3, 1):
        log_probs = model()
        begin = rng.integers(levels, size=d)
        per_label = joint(log_probs)
        same = (every[:, :known] == begin[:known]).all(1)
        seen = logsumexp(np.where(same, per_label, -np.inf), axis=1)  # log p(x_known | y)
        after = np.exp(np.where(same, per_label, -np.inf) - seen[:, None])  # p(x | x_known, y)
        posterior = np.exp(seen - logsumexp(seen))
        right = posterior @ after
        by_lot, surest = after.mean(0), after[posterior.argmax()]
        junk = per_label[:, int(begin @ powers)]
        peeking = np.exp(junk - logsumexp(junk)) @ after
        start = np.tile(begin, (n, 1))
        kept = start.copy()
        said = f"the first {known} pixels of {brief(begin)} known, {n:,} times; {classes} labels"
        got = numbers(
            answer(log_probs, kept, known, classes, np.random.default_rng(int(rng.integers(2**40)))),
            "images are whole numbers",
            given=said,
        )
        unchanged(start, kept, given=said)
        expect_shape(got, (n, d), "an image for each that was given", given=said)
        expect(bool(np.isin(got, range(levels)).all()), "pixels are levels", given=said, got=brief(got))
        got = got.astype(int)
        expect(bool((got[:, :known] == start[:, :known]).all()), "what is known is kept", given=said, got=brief(got[0]))
        share = np.bincount(got @ powers, minlength=len(every)) / n
        worst = int(np.abs(share - right).argmax())

        def far(p, share=share):
            return float((n * (share - p) ** 2 / np.maximum(p, 1e-4)).sum())

        wrongs = [
            (by_lot, "the label is not drawn by lot: what is known says which labels are likely"),
            (
                surest,
                "one label for all, or the likeliest label? Each image needs one of its own, from p(label | known)",
            ),
            (peeking, "the label follows from what is known only; the rest of x is not data"),
        ]
        one = [after[y] for y in range(classes)]
        hint = next((words for wrong, words in wrongs if far(wrong) < 75 < far(right)), "")
        if not hint and any(far(p) < 75 < far(right) for p in one):
            hint = "each image needs a label of its own"
        expect(
            far(right) < 75,
            "what is drawn comes as often as p(rest | known) says, labels summed out",
            given=said,
            expected=f"{brief(every[worst])} with a share of {right[worst]:.3f}",
            got=f"{share[worst]:.3f}",
            hint=hint,
        )
        free = got[:, known:].astype(float) @ rng.normal(size=d - known)  # (n,)
        expect(
            free.std() > 0 and abs(float(np.corrcoef(free[:-1], free[1:])[0, 1])) < 7 / math.sqrt(n),
            "each image is drawn on its own: what one is says nothing about the next",
            given=said,
            hint="are rows sorted, repeated, or in pairs? Each needs random numbers of its own",
        )
    calls = []
    log_probs = model()
    begin = np.zeros((40, d), dtype=int)
    for _ in range(150):
        own = np.random.default_rng(int(rng.integers(2**40)))
        got = numbers(answer(log_probs, begin.copy(), 0, classes, own), "images are whole numbers")
        expect_shape(got, (40, d), "an image for each that was given")
        calls.append(got.sum(0))
    p = np.exp(logsumexp(joint(log_probs), axis=0)) @ every / classes
    spread = ((np.array(calls) - 40 * p) ** 2 / (40 * p * (1 - p))).sum(0)  # chi-square, 150 degrees
    expect(
        bool((spread > 75).all() and (spread < 270).all()),
        "each image is drawn on its own: how many pixels are 1 varies from call to call as chance demands",
        given="40 images with nothing known, 150 times",
        got=f"{brief(spread / 150)} times the variance of chance, pixel by pixel",
        hint="each image needs a label and random numbers of its own",
    )

    def improbable(x, y):
        """Two pixels. A first pixel of 1 is as improbable as a photograph, and least so with label 1."""
        x = np.asarray(x).astype(int)
        first = np.full(len(x), -[1002.0, 1000.0, 1009.0][int(y)])
        second = np.full(len(x), [0.05, 0.95, 0.5][int(y)])
        return np.stack([np.stack([0 * first, first], -1), np.log(np.stack([1 - second, second], -1))], 1)

    weight = np.exp([-2.0, 0.0, -9.0])
    p = float(weight @ [0.05, 0.95, 0.5] / weight.sum())
    own = np.random.default_rng(int(rng.integers(2**40)))
    said = "the first pixel known, 4,000 times; it costs 1002, 1000 and 1009 nats with the labels 0, 1 and 2"
    got = numbers(answer(improbable, np.ones((4000, 2), dtype=int), 1, 3, own), "images are whole numbers", given=said)
    expect_shape(got, (4000, 2), "an image for each that was given", given=said)
    expect(
        abs(got[:, 1].mean() - p) < 6 * math.sqrt(p * (1 - p) / 4000),
        "what is known may be as improbable as a photograph is, and still says which labels are likely",
        given=said,
        expected=f"a share of {p:.3f} of the second pixels is 1",
        got=f"{got[:, 1].mean():.3f}",
        hint="exp(-1000) is 0: take the largest of the labels' log-probabilities away before the exponential",
    )
    seed = int(rng.integers(2**40))
    first, again = (numbers(answer(log_probs, begin.copy(), 1, classes, np.random.default_rng(seed))) for _ in range(2))
    expect(
        np.array_equal(first, again),
        "the same generator gives the same images",
        hint="all randomness comes from `rng`, none from numpy's global functions",
    )


# 10.5 -----------------------------------------------------------------------------------------------------------------


@exercise("10.5", "level_log_probs", points=2)
def _(answer, rng):
    def by_bins(mu, s, levels, half=0.5, ends=True):
        edges = np.arange(levels + 1) - half
        b, a = (edges[1:] - mu[:, None]) / s[:, None], (edges[:-1] - mu[:, None]) / s[:, None]
        found = -np.logaddexp(0, -b) - np.logaddexp(0, a) + np.log(-np.expm1(a - b))
        if ends:
            found[:, 0], found[:, -1] = -np.logaddexp(0, -b[:, 0]), -np.logaddexp(0, a[:, -1])
        return found

    for levels in (5, 17, 2):
        mu, s = rng.uniform(-1, levels, size=4), np.exp(rng.uniform(0.1, 1.2, size=4))
        mu[0], s[1] = 0.3, 0.4 if levels < 17 else 1.3
        said = f"mu = {brief(mu)}, s = {brief(s)}, levels = {levels}"
        want, bare = by_bins(mu, s, levels), by_bins(mu, s, levels, ends=False)
        z = (np.arange(levels) - mu[:, None]) / s[:, None]
        density = -z - 2 * np.logaddexp(0, -z) - np.log(s)[:, None]
        mistakes = [
            (want / math.log(2), BITS),
            (np.exp(want), "these are the probabilities: take the logarithm"),
            (-want, "the sign: a log-probability is negative"),
            (bare, "the first and the last level get all that lies beyond them, so that the levels sum to one"),
            (
                bare - logsumexp(bare, axis=1, keepdims=True),
                "dividing by the sum gives to all what lies beyond the ends; it belongs to the end levels",
            ),
            (density, "that is the density at the level: take the mass of its bin, a difference of two sigmoids"),
            (
                density - logsumexp(density, axis=1, keepdims=True),
                "that is the density at the levels, divided by its sum: take the mass of each bin",
            ),
            (
                by_bins(mu, s, levels, half=0.0),
                "the bin of level l reaches from l - 1/2 to l + 1/2, not from l to l + 1",
            ),
            (
                by_bins(mu, s, levels, half=1.0),
                "the bin of level l reaches from l - 1/2 to l + 1/2, not from l - 1 to l",
            ),
            (by_bins(mu, 1 / s, levels), "divide by s: it is a width"),
            (by_bins(mu, np.exp(s), levels), "s is the width itself, not its logarithm"),
            (by_bins(mu, s**2, levels), "divide by s, not by its square"),
        ]
        kept = mu.copy(), s.copy()
        got = numbers(answer(*kept, levels), "log-probabilities are numbers", given=said)
        unchanged((mu, s), kept, given=said)
        total = np.exp(np.minimum(got, 50)).sum(-1) if got.ndim == 2 else math.nan
        expect_close(
            got,
            want,
            "the mass of each level's bin, and all that lies beyond the ends",
            given=f"{said}; your probabilities sum to {brief(total)}",
            mistakes=[] if levels == 2 else mistakes,
            rtol=1e-5,
            atol=1e-6,
        )
    far = (
        "far from mu the difference of two sigmoids is 0 or loses its digits: sigma(b) - sigma(a) = sigma(b) sigma(-a)"
    )
    far += " (1 - exp(a - b)), and of a product the logarithms add"
    for mu, s, levels, words in (
        (np.array([0.0, 255.0, -400.0]), np.array([0.2, 0.2, 0.5]), 256, far),
        (np.array([8.0]), np.array([1e4]), 17, far),
        (np.array([2.4, 0.5]), np.array([0.01, 0.004]), 5, "s is as it is given, however small: nothing limits it"),
    ):
        want = by_bins(mu, s, levels)
        got = numbers(answer(mu.copy(), s.copy(), levels), "log-probabilities are numbers")
        floors = [np.log(np.maximum(np.exp(want), tiny)) for tiny in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-300)]
        hidden = got.shape == want.shape and any(np.allclose(got, floor, atol=1e-3) for floor in floors)
        expect_close(
            got,
            want,
            "log-probabilities survive levels that are far from mu, and densities that are wide or narrow",
            given=f"mu = {brief(mu)}, s = {brief(s)}, levels = {levels}",
            hint="a floor hides what an improbable level costs. " * hidden + words,
            rtol=1e-5,
            atol=1e-6,
        )


# 10.6 -----------------------------------------------------------------------------------------------------------------


@exercise("10.6", "logistic_bits_per_dim", points=3)
def _(answer, rng):
    def network(components, levels, spread):
        """Weights, mu and s of each pixel, from the pixels before it."""
        w = rng.normal(size=(3, components))

        def net(grey):
            grey = np.asarray(grey, dtype=float)
            expect(grey.ndim == 3, "the network reads images (B, H, W)", got=f"shape {grey.shape}")
            flat = grey.reshape(len(grey), -1)
            seen = np.cumsum(np.sin(3 * flat + np.arange(flat.shape[1])), 1) - np.sin(
                3 * flat + np.arange(flat.shape[1])
            )
            seen = (seen + 0.3 * np.arange(flat.shape[1])).reshape(grey.shape)[..., None]  # (B, H, W, 1)
            logits = seen * w[0]
            weight = np.exp(logits - logsumexp(logits, axis=-1, keepdims=True))
            mu = (levels - 1) * (0.5 + 0.6 * np.tanh(seen * w[1] + w[2]))
            return weight, mu, spread * np.exp(0.4 * np.tanh(seen * w[2] - w[1]))

        return net

    def terms(net, x, levels, *, scaled, ends=True, jensen=False, floor=0.0, half=0.5):
        with np.errstate(all="ignore"):
            weight, mu, s = net(scaled)
            at = x[..., None]
            upper, lower = expit((at + half - mu) / s), expit((at + half - 1 - mu) / s)
            if ends:
                upper, lower = np.where(at == levels - 1, 1.0, upper), np.where(at == 0, 0.0, lower)
            p = upper - lower
            if jensen:
                return (weight * np.log(p + floor)).sum(-1).sum((1, 2))
            return np.log((weight * p).sum(-1) + floor).sum((1, 2))

    for components, levels, (height, width), batch in (
        (2, 3, (2, 2), 81),
        (3, 5, (2, 3), 7),
        (1, 17, (3, 2), 4),
        (2, 9, (2, 2), 1),
    ):
        net = network(components, levels, spread=0.35 * levels**0.5)
        x = np.array(list(itertools.product(range(3), repeat=4))).reshape(-1, 2, 2)
        if batch != 81:
            x = rng.integers(levels, size=(batch, height, width))
            x[0], x[-1] = 0, levels - 1
        if batch == 1:  # no end level anywhere: its smallest and largest are not those of all images
            x[:] = rng.permutation(np.arange(2, 6)).reshape(1, 2, 2)
        dims = height * width
        right = 2 * x / (levels - 1) - 1
        deviation = x.std((1, 2), keepdims=True)
        wrong_scales = {
            "": right,
            "the inputs are scaled by the batch's mean and spread, which hold what is to be guessed": (x - x.mean())
            / x.std(),
            "the inputs are scaled by the image's own mean and spread, which hold what is to be guessed": (
                x - x.mean((1, 2), keepdims=True)
            )
            / np.where(deviation > 0, deviation, 1),
            "the inputs are scaled by the image's own largest level, which holds what is to be guessed": 2
            * x
            / np.maximum(x.max((1, 2), keepdims=True), 1)
            - 1,
            "the inputs are scaled by the batch's smallest and largest level, which hold what is to be guessed": 2
            * (x - x.min())
            / max(x.max() - x.min(), 1)
            - 1,
            "the network was trained on 2 x / (levels - 1) - 1, from -1 to 1": x / (levels - 1),
            "the network was trained on 2 x / (levels - 1) - 1; with levels it never reaches 1": 2 * x / levels - 1,
            "the network reads 2 x / (levels - 1) - 1, not the levels": x.astype(float),
        }
        open_ends = "the first and the last level get all that lies beyond them"
        mean_of_logs = "the mean of logarithms is not the logarithm of the mean: mix the probabilities first"
        ends = {
            "": {},
            open_ends: {"ends": False},
            mean_of_logs: {"jensen": True},
            f"{open_ends}; {mean_of_logs}": {"ends": False, "jensen": True},
            "bins reach half a level to either side": {"half": 1.0},
        }
        units = {
            "": math.log(2) * dims,
            "that is nats per pixel: bits take log2, or a division by log 2": dims,
            "divide by the number of pixels": math.log(2),
            "that is a share of the cost of a uniform guess: bits take log2": math.log(levels) * dims,
            "in units of log(levels), and of the whole image: bits take log2, and divide by the pixels": math.log(
                levels
            ),
        }
        want = -terms(net, x, levels, scaled=right) / units[""]
        kept = x.copy()
        got = numbers(answer(net, kept, levels), "bits are numbers")
        unchanged(x, kept)
        total = ""
        if batch == 81 and got.shape == (81,):
            total = f"; your probabilities of all of them sum to {np.exp2(-4 * np.clip(got, -50, 99)).sum():.4g}"
        mistakes = []
        if got.shape != want.shape or not np.allclose(got, want, rtol=1e-5, atol=1e-6):
            mistakes = [
                (-want, "the sign: a cost is positive"),
                (np.full(len(x), want.mean()), "one number for each image"),
            ]
            for floor in (0.0, 1e-12):
                for (a, scaled), (b, slip), (c, unit) in itertools.product(
                    wrong_scales.items(), ends.items(), units.items()
                ):
                    words = "; ".join(filter(None, (a, b, c)))
                    if not words:
                        continue
                    value = -terms(net, x, levels, scaled=scaled, floor=floor, **slip) / unit
                    if np.isfinite(value).all() and not np.allclose(value, want, rtol=1e-4):
                        mistakes.append((value, words))
        if got.size == 1:
            mistakes.append((want.mean(), "one number for each image"))
        expect_close(
            got,
            want,
            "exact bits per pixel, one number for each image",
            given=f"{'all ' * (batch == 81)}{batch} images of {height} x {width} pixels with {levels} levels{total}",
            mistakes=mistakes,
            rtol=1e-5,
            atol=1e-6,
        )

    def sure(grey):
        shape = (*np.asarray(grey).shape, 1)
        return np.ones(shape), np.full(shape, 16.0), np.full(shape, 0.3)

    def low(grey):
        weight, mu, s = sure(grey)
        return weight, 16 - mu, s

    x = np.array([[[1, 16]], [[3, 15]]])
    want = -terms(sure, x, 17, scaled=2 * x / 16 - 1) / (2 * math.log(2))
    hidden = "the constant added inside the logarithm hides what an improbable pixel costs"
    digits = "far above mu both sigmoids are 1, whose difference can have no digits: sigma(-a) - sigma(-b) has them"
    for net, images, mu, words in ((sure, x, 16, hidden), (low, 16 - x, 0, digits)):  # mirrored, so they cost the same
        expect_close(
            answer(net, images.copy(), 17),
            want,
            "an improbable pixel costs what it costs",
            given=f"mu = {mu} and s = 0.3 everywhere, x = {images.tolist()}",
            hint=words,
            rtol=1e-4,
        )
