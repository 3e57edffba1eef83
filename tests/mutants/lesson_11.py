"""Wrong and differently written answers to the exercises of lesson 11."""

import math
from collections import deque

import numpy as np

from tests.mutants import alternative, mutant

# 11.1 mu_law


def _bend(x, mu):
    return np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)


def _unbend(y, mu):
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


def _bins(y, levels):
    return np.clip(np.floor((y + 1) / 2 * levels), 0, levels - 1).astype(int)


def _middles(level, levels):
    return (level + 0.5) / levels * 2 - 1


@alternative("11.1")
def mu_law(x, levels):
    edges = np.linspace(-1, 1, levels + 1)[1:-1]
    level = np.digitize(_bend(x, levels - 1), edges)
    return level.astype(float), _unbend(((edges[0] + 1) * level + edges[0] / 2 - 0.5), levels - 1)


@alternative("11.1")
def mu_law(x, levels):  # noqa: F811
    mu, found = levels - 1, []
    for value in x.tolist():
        y = math.copysign(math.log(1 + mu * abs(value)) / math.log(1 + mu), value)
        found.append(min(mu, int((y + 1) * levels / 2)))
    wave = [math.copysign(((1 + mu) ** abs(y) - 1) / mu, y) for y in ((2 * k + 1) / levels - 1 for k in found)]
    return found, wave


@alternative("11.1")
def mu_law(x, levels):  # noqa: F811
    edges = _unbend(np.linspace(-1, 1, levels + 1), levels - 1)
    level = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, levels - 1)
    return level, _unbend(_middles(level, levels), levels - 1).astype(np.float32)


@mutant("11.1", hint="number of levels minus one")
def mu_law(x, levels):  # noqa: F811
    level = _bins(_bend(x, levels), levels)
    return level, _unbend(_middles(level, levels), levels)


@mutant("11.1", hint="bins of equal width")
def mu_law(x, levels):  # noqa: F811
    mu = levels - 1
    level = np.floor((_bend(x, mu) + 1) / 2 * mu + 0.5).astype(int)
    return level, _unbend(level / mu * 2 - 1, mu)


@mutant("11.1", hint="lower edge")
def mu_law(x, levels):  # noqa: F811
    level = _bins(_bend(x, levels - 1), levels)
    return level, _unbend(level / levels * 2 - 1, levels - 1)


@mutant("11.1", hint="compressed before")
def mu_law(x, levels):  # noqa: F811
    level = _bins(x, levels)
    return level, _middles(level, levels)


@mutant("11.1", hint="belongs to the last bin")
def mu_law(x, levels):  # noqa: F811
    level = np.floor((_bend(x, levels - 1) + 1) / 2 * levels).astype(int)
    return level, _unbend(_middles(level, levels), levels - 1)


@mutant("11.1", hint="then expand")
def mu_law(x, levels):  # noqa: F811
    level = _bins(_bend(x, levels - 1), levels)
    edges = _unbend(np.linspace(-1, 1, levels + 1), levels - 1)
    return level, (edges[level] + edges[level + 1]) / 2


@mutant("11.1", hint="still the compressed wave")
def mu_law(x, levels):  # noqa: F811
    level = _bins(_bend(x, levels - 1), levels)
    return level, _middles(level, levels)


@mutant("11.1", hint="the levels alone")
def mu_law(x, levels):  # noqa: F811
    return _bins(_bend(x, levels - 1), levels), x.copy()


@mutant("11.1", hint="return first, second")
def mu_law(x, levels):  # noqa: F811
    return _bins(_bend(x, levels - 1), levels)


@mutant("11.1", hint="work on a copy")
def mu_law(x, levels):  # noqa: F811
    level = _bins(_bend(x, levels - 1), levels)
    x[:] = _unbend(_middles(level, levels), levels - 1)
    return level, x


@mutant("11.1", hint="255 goes with")
def mu_law(x, levels):  # noqa: F811
    level = _bins(_bend(x, 255), levels)
    return level, _unbend(_middles(level, levels), 255)


@mutant("11.1", hint="however loud")
def mu_law(x, levels):  # noqa: F811
    loudest = np.abs(x).max()
    level = _bins(_bend(x / loudest, levels - 1), levels)
    return level, loudest * _unbend(_middles(level, levels), levels - 1)


@mutant("11.1", hint="")
def mu_law(x, levels):  # noqa: F811
    """Takes what is nearly silent for silence."""
    level = _bins(_bend(np.where(np.abs(x) < 1e-3, 0, x), levels - 1), levels)
    return level, _unbend(_middles(level, levels), levels - 1)


@mutant("11.1", hint="")
def mu_law(x, levels):  # noqa: F811
    """Loses the sign."""
    level = _bins(_bend(np.abs(x), levels - 1), levels)
    return level, _unbend(_middles(level, levels), levels - 1)


# 11.2 receptive_field


@alternative("11.2")
def receptive_field(kernel, dilations, rate):
    seen = {0}
    for d in reversed(dilations):
        seen = {t - k * d for t in seen for k in range(kernel)}
    return 1 - min(seen), -min(seen) / rate * 1e3


@alternative("11.2")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    moved, size = np.zeros(4000 + kernel * sum(dilations)), 1 + (kernel - 1) * sum(dilations)
    moved[:size] = 1
    return int(moved.sum()), np.float64(size - 1) / (rate / 1000)


@alternative("11.2")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    field = 1
    for d in dilations:
        field += kernel * d - d
    return [field, 1000 * (field - 1) / rate]


@mutant("11.2", hint="the moment itself is seen")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    return (kernel - 1) * sum(dilations), 1000 * (kernel - 1) * sum(dilations) / rate


@mutant("11.2", hint="K - 1 distances")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    return 1 + kernel * sum(dilations), 1000 * kernel * sum(dilations) / rate


@mutant("11.2", hint="dilations 1, 2, 4, ... only")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    return 2 ** len(dilations), 1000 * (2 ** len(dilations) - 1) / rate


@mutant("11.2", hint="the layers stand on each other")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    reach = (kernel - 1) * max(dilations, default=0)
    return 1 + reach, 1000 * reach / rate


@mutant("11.2", hint="R - 1 steps apart")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    size = 1 + (kernel - 1) * sum(dilations)
    return size, 1000 * size / rate


@mutant("11.2", hint="in seconds")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    reach = (kernel - 1) * sum(dilations)
    return 1 + reach, reach / rate


@mutant("11.2", hint="they do not multiply")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    size = math.prod(1 + (kernel - 1) * d for d in dilations)
    return size, 1000 * (size - 1) / rate


@mutant("11.2", hint="K taps reach")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    return 1 + sum(dilations), 1000 * sum(dilations) / rate


@mutant("11.2", hint="")
def receptive_field(kernel, dilations, rate):  # noqa: F811
    """Counts each dilation once, however often it comes."""
    reach = (kernel - 1) * sum(set(dilations))
    return 1 + reach, 1000 * reach / rate


# 11.3 causal_conv


def _shifted(x, back):
    """x (B, C, T), ``back`` moments late; early where that is negative."""
    T = x.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), (max(back, 0), max(-back, 0))))
    return padded[:, :, :T] if back >= 0 else padded[:, :, -T:]


def _taps(x, weight, backs):
    return sum(np.einsum("oc,bct->bot", weight[:, :, k], _shifted(x, back)) for k, back in enumerate(backs))


def _backs(weight, dilation):
    K = weight.shape[2]
    return [(K - 1 - k) * dilation for k in range(K)]


@alternative("11.3")
def causal_conv(x, weight, dilation):
    import torch

    x, weight = torch.tensor(x), torch.tensor(weight)
    padded = torch.nn.functional.pad(x, ((weight.shape[2] - 1) * dilation, 0))
    return torch.nn.functional.conv1d(padded, weight, dilation=dilation)


@alternative("11.3")
def causal_conv(x, weight, dilation):  # noqa: F811
    B, C, T = x.shape
    out = np.zeros((B, len(weight), T), dtype=np.float32)
    for t in range(T):
        for k, back in enumerate(_backs(weight, dilation)):
            if t >= back:
                out[:, :, t] += x[:, :, t - back] @ weight[:, :, k].T
    return out


@alternative("11.3")
def causal_conv(x, weight, dilation):  # noqa: F811
    return _taps(x, weight, _backs(weight, dilation)).tolist()


@mutant("11.3", hint="reversed order")
def causal_conv(x, weight, dilation):  # noqa: F811
    return _taps(x, weight[:, :, ::-1], _backs(weight, dilation))


@mutant("11.3", hint="still to come")
def causal_conv(x, weight, dilation):  # noqa: F811
    reach = (weight.shape[2] - 1) * dilation
    return _taps(x, weight, [back - reach for back in _backs(weight, dilation)])


@mutant("11.3", hint="both ends")
def causal_conv(x, weight, dilation):  # noqa: F811
    half = (weight.shape[2] - 1) * dilation // 2
    if half * 2 != (weight.shape[2] - 1) * dilation:
        return _taps(x, weight, _backs(weight, dilation))
    return _taps(x, weight, [back - half for back in _backs(weight, dilation)])


@mutant("11.3", hint="dilation`` moments apart")
def causal_conv(x, weight, dilation):  # noqa: F811
    return _taps(x, weight, _backs(weight, 1))


@mutant("11.3", hint="moving the input is another step")
def causal_conv(x, weight, dilation):  # noqa: F811
    return _taps(x, weight, [back + 1 for back in _backs(weight, dilation)])


@mutant("11.3", hint="zeros go before the beginning")
def causal_conv(x, weight, dilation):  # noqa: F811
    return _taps(x, weight, _backs(weight, dilation))[:, :, (weight.shape[2] - 1) * dilation :]


@mutant("11.3", hint="not the end of the wave")
def causal_conv(x, weight, dilation):  # noqa: F811
    backs = _backs(weight, dilation)
    return sum(np.einsum("oc,bct->bot", weight[:, :, k], np.roll(x, b, 2)) for k, b in enumerate(backs))


@mutant("11.3", hint="")
def causal_conv(x, weight, dilation):  # noqa: F811
    """Repeats the first number before the beginning, instead of zeros."""
    reach = (weight.shape[2] - 1) * dilation
    padded = np.pad(x, ((0, 0), (0, 0), (reach, 0)), mode="edge")
    return _taps(padded, weight, _backs(weight, dilation))[:, :, reach:]


@mutant("11.3", hint="")
def causal_conv(x, weight, dilation):  # noqa: F811
    """Only the first and the last tap."""
    return _taps(x, weight * (np.arange(weight.shape[2]) % max(weight.shape[2] - 1, 1) == 0), _backs(weight, dilation))


@mutant("11.3", hint="work on a copy")
def causal_conv(x, weight, dilation):  # noqa: F811
    out = _taps(x, weight, _backs(weight, dilation))
    x[:] = 0
    return out


# 11.4 cached_step


_OWN_MEMORY = {}


def _read(inputs, weight):
    return np.einsum("ock,kc->o", weight, inputs)


@alternative("11.4")
def cached_step(memory, now, weight, dilation):
    ring = deque(memory, maxlen=len(memory))
    out = weight[:, :, -1] @ now
    for k in range(weight.shape[2] - 1):
        out = out + weight[:, :, k] @ ring[k * dilation]
    ring.append(now)
    return out, np.array(ring)


@alternative("11.4")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    new = np.roll(memory, -1, axis=0)
    new[-1] = now
    taken = np.vstack([memory[::dilation], now]).T  # (C, K)
    return (weight * taken).sum((1, 2)), new


@alternative("11.4")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    inputs = [*memory.tolist(), now.tolist()]
    out = [
        sum(w[c][k] * inputs[k * dilation][c] for c in range(len(now)) for k in range(weight.shape[2]))
        for w in weight.tolist()
    ]
    return out, inputs[1:]


@mutant("11.4", hint="the last tap belongs to this moment")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    inputs = np.concatenate([memory, now[None]])
    return _read(inputs[::dilation], weight[:, :, ::-1]), inputs[1:]


@mutant("11.4", hint="did not move on")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    return _read(np.concatenate([memory, now[None]])[::dilation], weight), memory.copy()


@mutant("11.4", hint="the oldest comes first")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    inputs = np.concatenate([memory, now[None]])
    return _read(inputs[::dilation], weight), inputs[:0:-1]


@mutant("11.4", hint="the newest goes to the end")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    inputs = np.concatenate([memory, now[None]])
    return _read(inputs[::dilation], weight), np.concatenate([now[None], memory[:-1]])


@mutant("11.4", hint="moments apart")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    inputs = np.concatenate([memory, now[None]])
    return _read(inputs[-weight.shape[2] :], weight), inputs[1:]


@mutant("11.4", hint="grows without end")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    inputs = np.concatenate([memory, now[None]])
    return _read(inputs[::dilation], weight), inputs


@mutant("11.4", hint="this moment counts, too")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    return _read(memory[::dilation], weight[:, :, :-1]), np.concatenate([memory, now[None]])[1:]


@mutant("11.4", hint="one moment late")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    moved = np.concatenate([memory, now[None]])[1:]
    return _read(np.concatenate([moved[::dilation], now[None]]), weight), moved


@mutant("11.4", hint="the memory counts, too")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    return weight[:, :, -1] @ now, np.concatenate([memory[1:], now[None]])


@mutant("11.4", hint="")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    """Only two taps, however many there are."""
    inputs = np.concatenate([memory, now[None]])
    return _read(inputs[[-1 - dilation, -1]], weight[:, :, -2:]), inputs[1:]


@mutant("11.4", hint="")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    """Trusts a memory of its own, whatever is handed over."""
    key = memory.shape, weight.shape
    inputs = np.concatenate([_OWN_MEMORY.get(key, memory), now[None]])
    _OWN_MEMORY[key] = inputs[1:]
    return _read(inputs[::dilation], weight), inputs[1:]


@mutant("11.4", hint="work on a copy")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    out = _read(np.concatenate([memory, now[None]])[::dilation], weight)
    memory[:-1] = memory[1:].copy()
    memory[-1] = now
    return out, memory


@mutant("11.4", hint="not the last but one")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    out = _read(np.concatenate([memory, now[None]])[::dilation], weight)
    return out, np.concatenate([memory[:-1], now[None]])


@mutant("11.4", hint="")
def cached_step(memory, now, weight, dilation):  # noqa: F811
    """Reads the oldest input only, whatever lies between."""
    inputs = np.concatenate([memory, now[None]])
    return weight[:, :, 0] @ inputs[0] + weight[:, :, -1] @ now, inputs[1:]


# 11.5 pitch


def _lags(rate, low, high):
    return np.arange(math.ceil(rate / high), math.floor(rate / low) + 1)


def _alike(x, lags):
    return np.array([x[k:] @ x[: len(x) - k] for k in lags])


@alternative("11.5")
def pitch(x, rate, low, high):
    x = x - x.mean()
    power = np.abs(np.fft.rfft(x, 2 * len(x))) ** 2  # zeros after the wave: nothing wraps round
    likeness = np.fft.irfft(power)
    lags = _lags(rate, low, high)
    return rate / lags[likeness[lags].argmax()]


@alternative("11.5")
def pitch(x, rate, low, high):  # noqa: F811
    x = (x - np.mean(x)) / np.std(x)
    likeness = np.correlate(x, x, mode="full")[len(x) - 1 :]
    allowed = [k for k in range(1, len(x)) if low <= rate / k <= high]
    return np.array([rate / allowed[int(np.argmax(likeness[allowed]))]])


@alternative("11.5")
def pitch(x, rate, low, high):  # noqa: F811
    x = (x - x.mean()).astype(np.float32)
    best = max((float((x[k:] * x[:-k]).sum()), -k) for k in _lags(rate, low, high).tolist())
    return rate / -best[1]


@mutant("11.5", hint="the pitch is rate / lag")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return int(lags[_alike(x - x.mean(), lags).argmax()])


@mutant("11.5", hint="take off the mean")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return rate / lags[_alike(x, lags).argmax()]


@mutant("11.5", hint="the sum, not the mean")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return rate / lags[(_alike(x - x.mean(), lags) / (len(x) - lags)).argmax()]


@mutant("11.5", hint="not before its beginning")
def pitch(x, rate, low, high):  # noqa: F811
    x, lags = x - x.mean(), _lags(rate, low, high)
    return rate / lags[np.argmax([x @ np.roll(x, k) for k in lags])]


@mutant("11.5", hint="only lags with")
def pitch(x, rate, low, high):  # noqa: F811
    lags = np.arange(1, min(len(x) - 1, 4 * int(_lags(rate, low, high)[-1])))
    return rate / lags[_alike(x - x.mean(), lags).argmax()]


@mutant("11.5", hint="the peak of the spectrum")
def pitch(x, rate, low, high):  # noqa: F811
    f, power = np.fft.rfftfreq(len(x), 1 / rate), np.abs(np.fft.rfft(x - x.mean())) ** 2
    inside = (f >= low) & (f <= high)
    return f[inside][power[inside].argmax()] if inside.any() else 0.0


@mutant("11.5", hint="one too long")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return rate / (lags[_alike(x - x.mean(), lags).argmax()] + 1)


@mutant("11.5", hint="period in seconds")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return lags[_alike(x - x.mean(), lags).argmax()] / rate


@mutant("11.5", hint="least like itself")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return rate / lags[_alike(x - x.mean(), lags).argmin()]


@mutant("11.5", hint="work on a copy")
def pitch(x, rate, low, high):  # noqa: F811
    x -= x.mean()
    lags = _lags(rate, low, high)
    return rate / lags[_alike(x, lags).argmax()]


@mutant("11.5", hint="both ends count")
def pitch(x, rate, low, high):  # noqa: F811
    lags = np.arange(math.ceil(rate / high), math.ceil(rate / low))
    return rate / lags[_alike(x - x.mean(), lags).argmax()]


@mutant("11.5", hint="both ends count")
def pitch(x, rate, low, high):  # noqa: F811
    lags = np.arange(math.floor(rate / high) + 1, math.floor(rate / low) + 1)
    return rate / lags[_alike(x - x.mean(), lags).argmax()]


@mutant("11.5", hint="most *like* itself")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return rate / lags[np.abs(_alike(x - x.mean(), lags)).argmax()]


@mutant("11.5", hint="of the whole wave")
def pitch(x, rate, low, high):  # noqa: F811
    lags = _lags(rate, low, high)
    return rate / lags[np.argmax([(x[k:] - x[k:].mean()) @ (x[:-k] - x[:-k].mean()) for k in lags])]


@mutant("11.5", hint="")
def pitch(x, rate, low, high):  # noqa: F811
    """Listens to the beginning only."""
    lags, x = _lags(rate, low, high), x[: max(256, math.floor(rate / low) + 2)]
    return rate / lags[_alike(x - x.mean(), lags).argmax()]


@mutant("11.5", hint="")
def pitch(x, rate, low, high):  # noqa: F811
    """Refines the lag by a parabola, which was not asked for."""
    lags = _lags(rate, low, high)
    likeness = _alike(x - x.mean(), lags)
    k = int(np.clip(likeness.argmax(), 1, max(len(lags) - 2, 1)))
    if len(lags) < 3:
        return rate / (lags[k - 1] + 0.3)
    a, b, c = likeness[k - 1 : k + 2]
    return rate / (lags[k] + 0.5 * (a - c) / (a - 2 * b + c))


# 11.6 bits_per_sample


def _filled(notes, value=0):
    x = np.full((len(notes), max(map(len, notes))), value, dtype=int)
    for row, note in zip(x, notes, strict=True):
        row[: len(note)] = note
    return x, np.arange(x.shape[1]) < np.array([[len(note)] for note in notes])


def _bets(predict, first, notes):
    """The bet on each sample (B, T), and which of them are real."""
    x, real = _filled(notes)
    after = np.take_along_axis(predict(x), np.roll(x, -1, 1)[:, :, None], 2)[:, :-1, 0]
    return np.concatenate([first[x[:, :1]], after], 1), real


def _aligned(predict, notes):
    x, real = _filled(notes)
    return np.take_along_axis(predict(x), x[:, :, None], 2)[:, :, 0], real


def _bits(p):
    with np.errstate(divide="ignore"):
        return -np.log2(p)


@alternative("11.6")
def bits_per_sample(predict, first, notes):
    bits, count = 0.0, 0
    for note in notes:
        p = np.concatenate([[first], predict(note[None])[0, :-1]])  # (T, L): one note at a time
        bits += _bits(p[np.arange(len(note)), note]).sum()
        count += len(note)
    return bits / count


@alternative("11.6")
def bits_per_sample(predict, first, notes):  # noqa: F811
    x, real = _filled(notes, 1)
    p = np.concatenate([np.broadcast_to(first, (len(x), 1, len(first))), predict(x)], 1)
    hit = np.arange(len(first)) == x[:, :, None]
    cost = np.where(real, _bits((p[:, :-1] * hit).sum(2)), 0)
    return np.array([cost.sum() / real.sum()])


@alternative("11.6")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, total = predict(_filled(notes)[0]), []
    for row, note in zip(p, notes, strict=True):
        total.append(first[note[0]])
        total += [row[t - 1, note[t]] for t in range(1, len(note))]
    return float(_bits(np.array(total, dtype=np.float32)).mean())


@mutant("11.6", hint="nothing is mended")
def bits_per_sample(predict, first, notes):  # noqa: F811
    with np.errstate(divide="ignore"):
        return -np.log(_aligned(predict, notes)[0]).mean()


@mutant("11.6", hint="in nats")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _bets(predict, first, notes)
    return _bits(p[real]).mean() * math.log(2)


@mutant("11.6", hint="leave it out")
def bits_per_sample(predict, first, notes):  # noqa: F811
    return _bits(_bets(predict, first, notes)[0]).mean()


@mutant("11.6", hint="without what was filled up")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _bets(predict, first, notes)
    return _bits(p[real]).sum() / real.size


@mutant("11.6", hint="for that one itself")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _aligned(predict, notes)
    return _bits(p[real]).mean()


@mutant("11.6", hint="long notes weigh more")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _bets(predict, first, notes)
    return np.mean([_bits(row[mask]).mean() for row, mask in zip(p, real, strict=True)])


@mutant("11.6", hint="`first` knows")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _bets(predict, first, notes)
    real[:, 0] = False
    return _bits(p[real]).sum() / max(real.sum(), 1)


@mutant("11.6", hint="rolled round")
def bits_per_sample(predict, first, notes):  # noqa: F811
    x, real = _filled(notes)
    p = np.take_along_axis(predict(x), np.roll(x, -1, 1)[:, :, None], 2)[:, :, 0]
    return _bits(p[real]).mean()


@mutant("11.6", hint="nothing is added")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _bets(predict, first, notes)
    return -np.log2(p[real] + 1e-12).mean()


@mutant("11.6", hint="per note")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, real = _bets(predict, first, notes)
    return _bits(p[real]).sum() / len(notes)


@mutant("11.6", hint="bet that follows its last")
def bits_per_sample(predict, first, notes):  # noqa: F811
    x, real = _filled(notes)
    return _bits(np.take_along_axis(np.roll(predict(x), 1, 1), x[:, :, None], 2)[:, :, 0][real]).mean()


@mutant("11.6", hint="it is the lengths")
def bits_per_sample(predict, first, notes):  # noqa: F811
    p, counted = _bets(predict, first, notes)[0], _filled(notes)[0] != 0
    return _bits(p[counted]).sum() / max(counted.sum(), 1)


@mutant("11.6", hint="")
def bits_per_sample(predict, first, notes):  # noqa: F811
    """Cuts all notes to the length of the shortest."""
    n = min(map(len, notes))
    return _bits(_bets(predict, first, notes)[0][:, :n]).mean()
