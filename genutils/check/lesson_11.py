"""Checks of lesson 11, WaveNet: definitions on random waves, and moments that must not matter."""

from __future__ import annotations

import math

import numpy as np

from genutils.check import exercise
from genutils.check.expect import FLOAT32, brief, expect, expect_close, expect_shape, numbers, pair, unchanged

# 11.1 -----------------------------------------------------------------------------------------------------------------


def _expand(y: np.ndarray, mu: float) -> np.ndarray:
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


@exercise("11.1", "mu_law", points=1)
def _(answer, rng):
    for levels in (64, 256, 5, 2, int(rng.integers(10, 400))):
        mu, n = levels - 1, 60
        level = rng.integers(levels, size=n)
        level[:4] = 0, levels - 1, (levels - 1) // 2, levels // 2
        inside = rng.uniform(0.02, 0.98, size=n)
        x = _expand((level + inside) / levels * 2 - 1, mu)
        if levels in (64, 256):
            x[:2] = -1.0, 1.0  # full scale on both sides; the other waves stay below
        x[2:4] = np.array([-1, 1]) * rng.uniform(0.5e-5, 1e-5)  # nearly silent, and still of one sign or the other
        y = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
        want = _expand((level + 0.5) / levels * 2 - 1, mu)
        given, kept = f"x = {brief(x)}, levels = {levels}", x.copy()
        got = pair(answer(kept, levels), "levels and wave come back", given)
        unchanged(x, kept, given=given)
        with np.errstate(all="ignore"):
            by_levels, by_255 = (
                np.floor((np.sign(x) * np.log1p(m * np.abs(x)) / np.log1p(m) + 1) / 2 * levels).clip(0, mu)
                for m in (levels, 255)
            )
            share = x / np.abs(x).max()
            share = np.sign(share) * np.log1p(mu * np.abs(share)) / np.log1p(mu)
            stretched = np.floor((share + 1) / 2 * levels).clip(0, mu)
            ends = np.floor((y + 1) / 2 * mu + 0.5)
            unbent = np.floor((x + 1) / 2 * levels).clip(0, mu)
            open_top = np.floor((y + 1) / 2 * levels)
            shifted = np.round((y + 1) / 2 * levels).clip(0, mu)
        at_ends = "bins of equal width after compression: L of them from -1 to 1, the level is floor((y + 1) / 2 * L)"
        expect_close(
            got[0],
            level,
            "the level is the number of the bin",
            given=given,
            mistakes=[
                (stretched, "the scale goes from -1 to 1, however loud the wave is"),
                (unbent, "the wave is to be compressed before it is cut into bins"),
                (open_top, f"the top of the scale belongs to the last bin, {mu}: there is no level {levels}"),
                (ends, at_ends),
                (shifted, at_ends),
                (by_levels, "mu is the number of levels minus one"),
                (by_255, "mu is the number of levels minus one: 255 goes with 256 levels only"),
                (mu - level, "level 0 is the lowest, at -1"),
            ],
            atol=1e-6,
        )
        lower, upper = (_expand((level + part) / levels * 2 - 1, mu) for part in (0, 1))
        expect_close(
            got[1],
            want,
            "a level stands for the middle of its bin after compression, expanded",
            given=given,
            mistakes=[
                (
                    np.abs(x).max() * _expand((stretched + 0.5) / levels * 2 - 1, mu),
                    "the scale goes from -1 to 1, however loud the wave is",
                ),
                (lower, "that is the lower edge of each bin, and the whole wave is pushed down: add a half"),
                (upper, "that is the upper edge of each bin: add a half, not one"),
                ((lower + upper) / 2, "take the middle of the bin in the compressed wave, then expand"),
                ((level + 0.5) / levels * 2 - 1, "that is still the compressed wave: expand it"),
                (_expand(level / mu * 2 - 1, mu), "levels stand for middles of bins, none of them for -1 or 1"),
                (x, "that is the wave itself: the levels alone must tell it"),
                (_expand((level + 0.5) / levels * 2 - 1, levels), "mu is the number of levels minus one"),
            ],
            **FLOAT32,
        )


# 11.2 -----------------------------------------------------------------------------------------------------------------


@exercise("11.2", "receptive_field", points=1)
def _(answer, rng):
    cases = [
        (2, [2**i for i in range(5)]),
        (3, [2**i for i in range(10)] * 3),
        (1, [1, 2, 4]),
        (4, []),
        (2, [1]),
        (int(rng.integers(3, 7)), rng.integers(1, 40, size=6).tolist()),
    ]
    for kernel, dilations in cases:
        rate = int(rng.integers(4, 45)) * 1000
        given = f"kernel = {kernel}, dilations = {dilations}, rate = {rate}"
        kept = list(dilations)
        got = pair(answer(kernel, kept, rate), "samples and milliseconds", given)
        expect(kept == dilations, "your arguments are left as they were", given=given, hint="work on a copy")
        reach = sum(d * (kernel - 1) for d in dilations)
        expect_close(
            got[0],
            1 + reach,
            "each layer adds the distance from its first tap to its last",
            given=given,
            mistakes=[
                (reach, "the moment itself is seen, too: one more"),
                (1 + kernel * sum(dilations), "between K taps there are K - 1 distances"),
                (kernel * sum(dilations), "between K taps there are K - 1 distances, and the moment itself counts"),
                (1 + sum(dilations), "K taps reach (K - 1) times the dilation"),
                (kernel ** len(dilations), "that holds for dilations 1, K, K^2, ... only"),
                (2 ** len(dilations), "that holds for two taps and dilations 1, 2, 4, ... only"),
                (1 + len(dilations) * (kernel - 1), "the taps of a layer are d apart"),
                (1 + (kernel - 1) * max(dilations, default=0), "the layers stand on each other: their reaches add"),
                (math.prod(1 + (kernel - 1) * d for d in dilations), "the reaches of layers add, they do not multiply"),
                (2 + reach, "the input is not moved here: the moment itself is counted once"),
            ],
        )
        expect_close(
            got[1],
            1000 * reach / rate,
            "from the first sample to the last, in milliseconds",
            given=given,
            mistakes=[
                (reach / rate, "that is in seconds"),
                (1000 * (1 + reach) / rate, "R samples are R - 1 steps apart"),
                (reach * rate / 1000, "a sample takes 1 / rate seconds"),
            ],
        )


# 11.3 -----------------------------------------------------------------------------------------------------------------


def _conv(x: np.ndarray, weight: np.ndarray, dilation: int, shift: int = 0) -> np.ndarray:
    """sum_k weight[:, :, k] x[t - (K - 1 - k) dilation - shift], zeros outside."""
    out = np.zeros((len(x), len(weight), x.shape[2]))
    for k in range(weight.shape[2]):
        back = (weight.shape[2] - 1 - k) * dilation + shift
        late = np.zeros_like(x)
        if back >= 0:
            late[:, :, back:] = x[:, :, : x.shape[2] - back] if back < x.shape[2] else late[:, :, back:]
        else:
            late[:, :, :back] = x[:, :, -back:] if -back < x.shape[2] else late[:, :, :back]
        out += np.einsum("oc,bct->bot", weight[:, :, k], late)
    return out


@exercise("11.3", "causal_conv", points=2)
def _(answer, rng):
    for taps, dilation, length in ((2, 1, 9), (3, 4, 30), (2, 8, 5), (1, 3, 6), (4, 2, 17), (3, 5, 12)):
        x, weight = rng.normal(size=(3, 2, length)), rng.normal(size=(5, 2, taps))
        given = f"x of shape {x.shape}, weight of shape {weight.shape}, dilation = {dilation}"
        kept = x.copy(), weight.copy()
        got = numbers(answer(*kept, dilation), "the outputs are an array", given=given)
        unchanged((x, weight), kept, given=given)
        reach = (taps - 1) * dilation
        says, want = "each output is a weighted sum of this moment and earlier ones", _conv(x, weight, dilation)
        cut = want[:, :, reach:]
        expect_shape(
            got,
            want.shape,
            "there is one output for each moment",
            given=given,
            hint="zeros go before the beginning: (K - 1) times the dilation of them" if got.shape == cut.shape else "",
        )
        flipped = weight[:, :, ::-1]
        backs = [(taps - 1 - k) * dilation for k in range(taps)]
        rolled = sum(np.einsum("oc,bct->bot", weight[:, :, k], np.roll(x, back, 2)) for k, back in enumerate(backs))
        mistakes = [
            (rolled, "before the beginning there are zeros, not the end of the wave"),
            (_conv(x, flipped, dilation), "the last tap belongs to the moment itself; these are in reversed order"),
            (_conv(x, weight, dilation, -reach), "all zeros went to the end: outputs see what is still to come"),
            (_conv(x, flipped, dilation, -reach), "outputs see what is still to come"),
            (_conv(x, weight, 1), "the taps are ``dilation`` moments apart"),
            (_conv(x, weight, dilation, 1), "the moment itself is seen, too; moving the input is another step"),
            (_conv(x, weight, dilation, -1), "the outputs are one moment early: they see what comes next"),
        ]
        if reach % 2 == 0:
            middle = _conv(x, weight, dilation, -reach // 2)
            mistakes.append((middle, "zeros went to both ends, so outputs see ahead: all of them go to the beginning"))
        expect_close(got, want, says, given=given, mistakes=mistakes if taps > 1 else (), **FLOAT32)


# 11.4 -----------------------------------------------------------------------------------------------------------------


@exercise("11.4", "cached_step", points=2)
def _(answer, rng):
    for taps, dilation in ((2, 1), (2, 4), (3, 1), (3, 3), (4, 2)):
        length, weight = 4 * taps * dilation + 3, rng.normal(size=(3, 2, taps))
        x = rng.normal(size=(length, 2))
        want = _conv(x.T[None], weight, dilation)[0].T  # (T, O)
        flipped = _conv(x.T[None], weight[:, :, ::-1], dilation)[0].T
        past = (taps - 1) * dilation
        for t in rng.permutation(np.arange(past, length)):  # what is to be remembered is handed over, each time
            memory = x[t - past : t]
            given = f"K = {taps}, dilation = {dilation}, moment {t}, memory = {brief(memory)}"
            kept = memory.copy(), x[t].copy(), weight.copy()
            out, new = pair(answer(*kept, dilation), "the output and the memory come back", given)
            unchanged((memory, x[t], weight), kept, given=given)
            after = np.concatenate([memory, x[t : t + 1]])
            late = np.einsum("ock,kc->o", weight, np.concatenate([after[1:][::dilation][: taps - 1], x[t : t + 1]]))
            stale = memory[::dilation][: taps - 1]  # taps of the right places, the moment itself missing
            mistakes = [
                (flipped[t], "the last tap belongs to this moment, the first to the oldest input"),
                (weight[:, :, -1] @ x[t], "that is this moment alone: the memory counts, too"),
                (late, "the taps are read after the memory has moved on: they are one moment late"),
                (np.einsum("ock,kc->o", weight[:, :, :-1], stale), "this moment counts, too, with the last tap"),
                (
                    np.einsum("ock,kc->o", weight, np.concatenate([memory[-(taps - 1) :], x[t : t + 1]])),
                    "the taps are ``dilation`` moments apart",
                ),
            ]
            expect_close(
                out, want[t], "a step gives what the convolution gives", given=given, mistakes=mistakes, **FLOAT32
            )
            right = after[1:]
            expect_close(
                new,
                right,
                "the memory holds the last inputs, the oldest first",
                given=given,
                mistakes=[
                    (memory, "the memory did not move on: this moment goes in, the oldest out"),
                    (right[::-1], "the oldest comes first"),
                    (np.concatenate([x[t : t + 1], memory[:-1]]), "the newest goes to the end, the oldest out"),
                    (np.concatenate([memory[:-1], x[t : t + 1]]), "the oldest goes out, not the last but one"),
                    (after, "the oldest is not needed again: leave it out, or the memory grows without end"),
                ],
                **FLOAT32,
            )


# 11.5 -----------------------------------------------------------------------------------------------------------------


def _likeness(x: np.ndarray, lags: np.ndarray, circular: bool = False) -> np.ndarray:
    """The sum of x[t] x[t - k] for each lag k, by way of the spectrum; zeros, or the end, before the beginning."""
    size = len(x) if circular else 2 * len(x)
    return np.fft.irfft(np.abs(np.fft.rfft(x, size)) ** 2, size)[lags]


def _ends(x: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """The likeness of the two parts of a wave, each minus a mean of its own."""
    return np.array([(x[k:] - x[k:].mean()) @ (x[:-k] - x[:-k].mean()) for k in lags])


def _best(x: np.ndarray, rate: float, low: float, high: float) -> tuple[int, np.ndarray, np.ndarray]:
    """The right lag, all lags that are allowed, and their likeness."""
    lags = np.arange(math.ceil(rate / high - 1e-9), math.floor(rate / low + 1e-9) + 1)
    likeness = _likeness(x - x.mean(), lags)
    return int(lags[likeness.argmax()]), lags, likeness


def _wrong_pitches(x: np.ndarray, rate: float, low: float, high: float, *, plain: bool) -> list[tuple[float, str]]:
    """What mistakes give, each with its hint, where that is not the right pitch; off by one for plain waves only."""
    best, lags, likeness = _best(x, rate, low, high)
    centred = x - x.mean()
    wide = np.arange(1, min(len(x) - 1, 4 * int(lags[-1])))
    grid, power = np.fft.rfftfreq(len(x), 1 / rate), np.abs(np.fft.rfft(centred)) ** 2
    inside = (grid >= low) & (grid <= high)
    beyond, ends = "only lags with low <= rate / lag <= high count", "both ends count: low <= rate / lag <= high"
    mistakes = [
        (best, "that is the lag: the pitch is rate / lag"),
        (best / rate, "that is the period in seconds: the pitch is rate / lag"),
        (rate / lags[:-1][likeness[:-1].argmax()], ends),
        (rate / lags[1:][likeness[1:].argmax()], ends),
        (rate / lags[_likeness(x, lags).argmax()], "take off the mean first: an offset is like itself at any lag"),
        (
            rate / lags[(likeness / (len(x) - lags)).argmax()],
            "take the sum, not the mean: the mean favours long lags of few terms",
        ),
        (rate / lags[_ends(x, lags).argmax()], "take off the mean of the whole wave, once, before it is shifted"),
        (rate / lags[_likeness(centred, lags, True).argmax()], "the end of the wave is not before its beginning"),
        (rate / lags[np.abs(likeness).argmax()], "most *like* itself: half a period away it is most unlike"),
        (rate / lags[likeness.argmin()], "that is where the wave is least like itself"),
        (rate / wide[_likeness(centred, wide).argmax()], beyond),
        (grid[inside][power[inside].argmax()] if inside.any() else 0, "that is the peak of the spectrum"),
    ]
    if plain:
        mistakes += [(rate / (best + 1), "the lag is one too long"), (rate / (best - 1), "the lag is one too short")]
    elif best in (lags[0], lags[-1]):
        mistakes += [(rate / (lags[0] - 1), beyond), (rate / (lags[-1] + 1), beyond)]
    return [(value, words) for value, words in mistakes if abs(value - rate / best) > 1e-6 * rate / best]


def _clear(x: np.ndarray, rate: float, low: float, high: float) -> bool:
    """Whether one lag is the best also in single precision, and no two mistakes give the same pitch."""
    _, _, likeness = _best(x, rate, low, high)
    first, second = np.sort(likeness)[::-1][:2]
    wrong = {(round(value, 5), words) for value, words in _wrong_pitches(x, rate, low, high, plain=True)}
    return first - second > 1e-4 * np.abs(likeness).max() and len(wrong) == len({value for value, _ in wrong})


def _waves(rng: np.random.Generator):
    """Waves (x, rate, low, high): one that drifts, one that changes, noisy tones, a string, the ends of the range."""
    for _ in range(500):
        n = int(rng.integers(125, 160))  # n - k is no lag that is allowed, too
        tone = np.sin(2 * np.pi * np.arange(n) / rng.uniform(25, 55))
        x = tone + rng.uniform(2, 5) * np.linspace(-1, 1, n) ** 3 + 0.1 * rng.normal(size=n)
        best, lags, _ = _best(x, 8000, 8000 / 60.5, 8000 / 20.5)
        drift = x - x.mean(), 8000, 8000 / 60.5, 8000 / 20.5
        others = (int(lags[rule.argmax()]) for rule in (_ends(x, lags), _likeness(drift[0], lags, True)))
        if 23 < best < 58 and min(abs(other - best) for other in others) > 3 and _clear(*drift):
            yield drift
            break
    first, low = int(rng.integers(14, 25)), int(rng.integers(80, 120))
    last, high, rate = 3 * first, 3 * low, 3 * first * low
    t = np.arange(24 * last)
    noise = 0.01 * rng.normal(size=t.size)
    soft, loud = (np.sin(2 * np.pi * t / rng.uniform(*period)) for period in ((45, 48), (26, 28)))
    yield np.concatenate([0.3 * soft, loud, 0.3 * soft]), 8000, 8000 / 50.5, 8000 / 20.5  # softer notes on both sides
    found = 0
    for i in range(200):
        rate_, low_, high_ = int(rng.integers(4, 17)) * 1000, 100.0 + i % 20, 100.0 * rng.choice([3, 4, 6])
        n = int(rate_ / low_ * rng.uniform(1.5, 6)) + 2
        tone = rate_ / rng.uniform(low_ * 1.05, high_ / 1.05)
        wave = np.zeros(n)
        for overtone in (1, 2, 3):
            wave += rng.normal() * np.sin(2 * np.pi * overtone * np.arange(n) / tone + rng.uniform(0, 6))
        x = wave * np.exp(-np.arange(n) / n * rng.uniform(0, 2)) + 0.2 * rng.normal(size=n)
        x += rng.choice([-1, 1]) * rng.uniform(2, 4) * (i % 3 > 0)
        if _clear(x, rate_, low_, high_):
            yield x, rate_, low_, high_
            found += 1
        if found == 11:
            break
    few = np.sin(2 * np.pi * np.arange(5 * first) / (first + 0.5)) + noise[: 5 * first]
    yield few, 8000, 8000 / (2 * first + 5.5), 8000 / (first - 5.5)  # two periods are a whole lag, one is not
    half = rng.normal(size=int(rng.integers(20, 30)))  # a string of ours: half a period on it is upside down
    yield np.concatenate([half * (-0.97) ** i for i in range(30)]), 8000, 8000 / 70.5, 8000 / 15.5
    yield np.sin(2 * np.pi * t / (last + 1.5)) + noise, 8000, 8000 / (last + 0.7), 16000 / last  # the last lag inside
    yield np.sin(2 * np.pi * t / (5 * last)) + noise, 8000, 8000 / last, 8000 / (first + 0.3)  # the first one inside
    for period in (first, last):  # both ends of the range are whole lags, and belong to it
        yield np.exp(-3 * t / t.size) * np.sin(2 * np.pi * t / period + 1) + noise / 10, rate, low, high


@exercise("11.5", "pitch", points=2)
def _(answer, rng):
    for x, rate, low, high in _waves(rng):
        best, _, likeness = _best(x, rate, low, high)
        first, second = np.sort(likeness)[::-1][:2]
        if first - second < 1e-4 * np.abs(likeness).max():
            continue  # too close to call in single precision
        given, kept = f"a wave of {len(x)} samples, rate = {rate}, low = {low:g}, high = {high:g}", x.copy()
        got = numbers(answer(kept, rate, low, high), "a pitch is one number", given=given)
        unchanged(x, kept, given=given)
        mistakes = _wrong_pitches(x, rate, low, high, plain=_clear(x, rate, low, high))
        expect_close(got, rate / best, "the wave is most like itself after a period", given=given, mistakes=mistakes)


# 11.6 -----------------------------------------------------------------------------------------------------------------


@exercise("11.6", "bits_per_sample", points=3)
def _(answer, rng):
    for levels, lengths in ((3, [5, 1, 9]), (6, [4, 4]), (4, [1]), (5, [30, 2, 7, 11]), (2, [1, 1, 6])):
        taste = rng.normal(size=(40, levels, levels)) * 1.5
        memory = rng.normal(size=(levels, levels))

        def predict(x, levels=levels, taste=taste, memory=memory):
            x = np.asarray(x)
            if x.ndim != 2 or x.dtype.kind not in "iu" or (x.size and not 0 <= x.min() <= x.max() < levels):
                raise ValueError(f"predict takes whole numbers 0 ... {levels - 1} of shape (B, T); not {brief(x)}")
            steps = np.arange(x.shape[1])
            seen = np.cumsum(memory[x], 1) / (1 + steps)[:, None]  # all that came before has a say
            logits = taste[steps[None], x] + seen
            p = np.exp(logits - logits.max(2, keepdims=True))
            return p / p.sum(2, keepdims=True)

        notes = [rng.integers(levels, size=n) for n in lengths]
        first = rng.dirichlet(np.ones(levels) * 2)
        padded = np.zeros((len(notes), max(lengths)), dtype=int)
        for row, note in zip(padded, notes, strict=True):
            row[: len(note)] = note
        p = predict(padded)
        real = np.arange(max(lengths)) < np.array(lengths)[:, None]
        bets = np.empty(padded.shape)
        bets[:, 0] = first[padded[:, 0]]
        bets[:, 1:] = np.take_along_axis(p[:, :-1], padded[:, 1:, None], 2)[:, :, 0]
        aligned = np.take_along_axis(p, padded[:, :, None], 2)[:, :, 0]
        rolled = np.take_along_axis(p, np.roll(padded, -1, 1)[:, :, None], 2)[:, :, 0]
        turned = np.take_along_axis(np.roll(p, 1, 1), padded[:, :, None], 2)[:, :, 0]
        cost, total = -np.log2(bets), real.sum()
        each = (cost * real).sum(1) / real.sum(1)
        want = (cost * real).sum() / total
        later = real.copy()
        later[:, 0] = False
        own = "each bet is on the sample *after* the one it stands at: here it is read off for that one itself"
        mistakes = [
            (-np.log(aligned).mean(), "nothing is mended yet"),
            (want * math.log(2), "that is in nats: bits take log2, or a division by log 2"),
            (cost.mean(), "what was added to fill the rows up costs nothing and counts nothing: leave it out"),
            ((cost * real).sum() / real.size, "divide by how many samples there are, without what was filled up"),
            (cost.sum() / total, "what was added to fill the rows up costs nothing: leave it out of the sum"),
            (-np.log2(aligned)[real].mean(), own),
            (-np.log2(aligned).mean(), own),
            (each.mean(), "all samples weigh alike, so long notes weigh more: one sum, one division"),
            ((cost * real).sum() / len(notes), "that is per note; divide by the number of samples"),
            ((cost * real).sum(), "that is the total; divide by the number of samples"),
            ((cost * later).sum() / total, "the first sample costs something, too: `first` knows"),
            ((cost * later).sum() / max(later.sum(), 1), "the first sample counts, too: `first` knows its bets"),
            (-np.log2(rolled)[real].mean(), "rolled round, the first sample of a row stands after its last"),
            (
                -np.log2(turned)[real].mean(),
                "rolled round, the first sample of a row gets the bet that follows its last",
            ),
            (
                -np.log2(bets)[padded != 0].sum() / max((padded != 0).sum(), 1),
                "0 is a level like any other: it is the lengths that say what was filled up",
            ),
            (-want, "a cost is positive"),
        ]
        mistakes = [(value, words) for value, words in mistakes if abs(value - want) > 1e-4]
        kept = [note.copy() for note in notes], first.copy()
        given = f"notes of lengths {lengths} with {levels} levels"
        got = answer(predict, kept[1], kept[0])
        unchanged((*notes, first), (*kept[0], kept[1]), given=given)
        expect_close(got, want, "all samples are paid for, each once", given=given, mistakes=mistakes, **FLOAT32)
    levels, notes = 8, [rng.integers(8, size=n) for n in (3, 7, 1)]
    expect_close(
        answer(lambda x: np.full((*np.shape(x), levels), 1 / levels), np.full(levels, 1 / levels), notes),
        3.0,
        "equal bets on 8 levels cost 3 bits a sample",
        given="notes of lengths 3, 7 and 1",
        **FLOAT32,
    )
    never = np.array([0.5, 0.5, 0.0])
    with np.errstate(divide="ignore"):
        found = answer(
            lambda x: np.broadcast_to(never, (*np.shape(x), 3)).copy(), never.copy(), [np.array([0, 2]), np.array([1])]
        )
    expect_close(
        [np.isposinf(numbers(found, "the cost is a number")).all()],
        [True],
        "what was called impossible and came costs all: the answer is infinite",
        given="bets of [0.5 0.5 0] every time, and a note with a 2",
        hint="nothing is added to the bets, and none is left out",
    )
