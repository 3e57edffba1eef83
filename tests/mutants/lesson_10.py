"""Wrong and differently written answers to the exercises of lesson 10."""

import itertools

import numpy as np
from scipy import special, stats

from tests.mutants import alternative, mutant

# 10.1 colour_mask


@alternative("10.1")
def colour_mask(outputs, inputs, kernel, sees_itself):
    mask = np.zeros((outputs, inputs, kernel, kernel), dtype=bool)
    half = kernel // 2
    mask[:, :, :half] = True
    mask[:, :, half, :half] = True
    for o, i in itertools.product(range(3), range(3)):
        if i < o or (sees_itself and i == o):
            mask[o * outputs // 3 : (o + 1) * outputs // 3, i * inputs // 3 : (i + 1) * inputs // 3, half, half] = True
    return mask


@alternative("10.1")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    colours = np.kron(np.tril(np.ones((3, 3)), 0 if sees_itself else -1), np.ones((outputs // 3, inputs // 3)))
    mask = [[[[0.0] * kernel for _ in range(kernel)] for _ in range(inputs)] for _ in range(outputs)]
    for o, i, r, c in itertools.product(range(outputs), range(inputs), range(kernel), range(kernel)):
        place = r * kernel + c
        if place < kernel**2 // 2:
            mask[o][i][r][c] = 1.0
        elif place == kernel**2 // 2:
            mask[o][i][r][c] = float(colours[o, i])
    return mask


@alternative("10.1")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    r, c = np.ogrid[:kernel, :kernel]
    half = kernel // 2
    pixel = (r < half) | ((r == half) & (c < half))
    to, of = np.repeat(np.arange(3), outputs // 3), np.repeat(np.arange(3), inputs // 3)
    colour = of[None] - to[:, None] < (1 if sees_itself else 0)
    here = (r == half) & (c == half)
    return (pixel | (here & colour[:, :, None, None])).astype(np.float32)


def _mask(outputs, inputs, kernel, colour):
    mask = np.zeros((outputs, inputs, kernel, kernel))
    mask[:, :, : kernel // 2] = 1
    mask[:, :, kernel // 2, : kernel // 2] = 1
    mask[:, :, kernel // 2, kernel // 2] = colour
    return mask


def _thirds(outputs, inputs):
    return np.arange(outputs)[:, None] * 3 // outputs, np.arange(inputs)[None] * 3 // inputs


@mutant("10.1", hint="not all or nothing")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    return _mask(outputs, inputs, kernel, sees_itself)


@mutant("10.1", hint="stand together")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = np.arange(outputs)[:, None] % 3, np.arange(inputs)[None] % 3
    return _mask(outputs, inputs, kernel, of <= to if sees_itself else of < to)


@mutant("10.1", hint="first axis is what is computed")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    return _mask(outputs, inputs, kernel, of >= to if sees_itself else of > to)


@mutant("10.1", hint="without it is not")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    return _mask(outputs, inputs, kernel, of < to if sees_itself else of <= to)


@mutant("10.1", hint="rows first")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    return _mask(outputs, inputs, kernel, of <= to if sees_itself else of < to).swapaxes(2, 3)


@mutant("10.1", hint="what comes after")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    return 1 - _mask(outputs, inputs, kernel, of <= to if sees_itself else of < to)


@mutant("10.1", hint="outputs come first")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    return _mask(outputs, inputs, kernel, of <= to if sees_itself else of < to).swapaxes(0, 1)


@mutant("10.1", hint="after the middle")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    mask = _mask(outputs, inputs, kernel, of <= to if sees_itself else of < to)
    mask[:, :, : kernel // 2 + 1, : kernel // 2 + 1] = np.maximum(
        mask[:, :, : kernel // 2 + 1, : kernel // 2 + 1], [[1.0]]
    )
    return np.maximum(mask, np.concatenate([np.ones(kernel // 2 + 1), np.zeros(kernel // 2)])[:, None])


@mutant("10.1", hint="")
def colour_mask(outputs, inputs, kernel, sees_itself):  # noqa: F811
    to, of = _thirds(outputs, inputs)
    mask = _mask(outputs, inputs, kernel, of <= to if sees_itself else of < to)
    mask[:, :, 0] = 0  # the window's first row is lost
    return mask


# 10.2 order_test


@alternative("10.2")
def order_test(f, shape, rng):
    h, w = shape
    d = h * w
    seen = set()
    for _ in range(150):
        x = rng.normal(scale=2.5, size=(1, h, w))
        y = np.repeat(x, d, 0)
        for j in range(d):
            y[j, j // w, j % w] = rng.uniform(-6, 6)
        here = f(x)[0].ravel()
        there = f(y).reshape(d, d)
        for j, i in zip(*np.nonzero(there != here), strict=True):
            seen.add((int(i), int(j)))
    before = {(i, j) for i in range(d) for j in range(i)}
    return sorted(seen - before), sorted(before - seen)


@alternative("10.2")
def order_test(f, shape, rng):  # noqa: F811
    d = shape[0] * shape[1]
    moved = np.zeros((d, d))
    for _ in range(40):
        x = rng.uniform(-4, 4, size=(30, d))
        y0 = f(x.reshape(30, *shape)).reshape(30, d)
        for j in range(d):
            z = x.copy()
            z[:, j] = -z[:, j] + rng.choice([-1.0, 0.0, 1.0], size=30)
            moved[:, j] += np.abs(f(z.reshape(30, *shape)).reshape(30, d) - y0).sum(0)
    allowed = np.arange(d)[None] < np.arange(d)[:, None]
    return [tuple(p) for p in np.argwhere((moved > 0) & ~allowed).tolist()], [
        tuple(p) for p in np.argwhere((moved == 0) & allowed).tolist()
    ]


@alternative("10.2")
def order_test(f, shape, rng):  # noqa: F811
    sees = _sees(f, shape, rng, 600, 3.0, 0)
    i, j = np.indices(sees.shape)
    return (
        [[int(a), int(b)] for a, b in zip(*np.where(sees & (j >= i)), strict=True)],
        [[int(a), int(b)] for a, b in zip(*np.where(~sees & (j < i)), strict=True)],
    )


def _sees(f, shape, rng, points, size, least, columns=False):
    d = shape[0] * shape[1]
    x = size * rng.normal(size=(points, *shape))
    base, sees = f(x), np.zeros((d, d), dtype=bool)
    for j in range(d):
        y = x.copy()
        r, c = (j % shape[0], j // shape[0]) if columns else divmod(j, shape[1])
        y[:, r, c] += rng.uniform(-5, 5, size=points)
        moved = np.abs(f(y) - base).max(0) > least
        sees[:, j] = (moved.T if columns else moved).ravel()
    return sees


def _both(sees, diagonal=0):
    d = len(sees)
    return (
        [(i, j) for i in range(d) for j in range(d) if sees[i, j] and j >= i + diagonal],
        [(i, j) for i in range(d) for j in range(d) if not sees[i, j] and j < i],
    )


@mutant("10.2", hint="its own pixel")
def order_test(f, shape, rng):  # noqa: F811
    return _both(_sees(f, shape, rng, 400, 2.0, 0), diagonal=1)


@mutant("10.2", hint="row by row")
def order_test(f, shape, rng):  # noqa: F811
    return _both(_sees(f, shape, rng, 400, 2.0, 0, columns=True))


@mutant("10.2", hint="many points")
def order_test(f, shape, rng):  # noqa: F811
    d = shape[0] * shape[1]
    sees = np.zeros((d, d), dtype=bool)
    for step in (-5, -3, 3, 5):
        for j in range(d):
            x = np.zeros((1, *shape))
            y = x.copy()
            y[0, j // shape[1], j % shape[1]] = step
            sees[:, j] |= (f(y) != f(x)).ravel()
    return _both(sees)


@mutant("10.2", hint="very negative")
def order_test(f, shape, rng):  # noqa: F811
    return _both(_sees(f, shape, rng, 400, 0.1, 0) & False | _small(f, shape, rng))


def _small(f, shape, rng):
    d = shape[0] * shape[1]
    x = rng.normal(size=(400, *shape)) * 0.3
    base, sees = f(x), np.zeros((d, d), dtype=bool)
    for j in range(d):
        y = x.copy()
        y[:, j // shape[1], j % shape[1]] += 0.3
        sees[:, j] = (f(y) != base).any(0).ravel()
    return sees


@mutant("10.2", hint="compare with 0")
def order_test(f, shape, rng):  # noqa: F811
    return _both(_sees(f, shape, rng, 400, 2.0, 1e-2))


@mutant("10.2", hint="(output, pixel)")
def order_test(f, shape, rng):  # noqa: F811
    return tuple(sorted((j, i) for i, j in part) for part in _both(_sees(f, shape, rng, 400, 2.0, 0)))


@mutant("10.2", hint="peeks come first")
def order_test(f, shape, rng):  # noqa: F811
    return _both(_sees(f, shape, rng, 400, 2.0, 0))[::-1]


@mutant("10.2", hint="comes before and is not seen")
def order_test(f, shape, rng):  # noqa: F811
    sees = _sees(f, shape, rng, 400, 2.0, 0)
    d = len(sees)
    return _both(sees)[0], [(i, j) for i in range(d) for j in range(d) if not sees[i, j]]


@mutant("10.2", hint="compare with 0")
def order_test(f, shape, rng):  # noqa: F811
    return _both(_sees(f, shape, rng, 400, 2.0, 1e-5))


@mutant("10.2", hint="")
def order_test(f, shape, rng):  # noqa: F811
    peeks, blind = _both(_sees(f, shape, rng, 400, 2.0, 0))
    return peeks, [(i, j) for i, j in blind if j // shape[1] < i // shape[1]]  # its own row is forgotten


# 10.3 gated_layer


@alternative("10.3")
def gated_layer(v, h, down, right, across, out):
    import torch
    import torch.nn.functional as F

    r, c = down.shape[2] - 1, v.shape[1]
    full = torch.zeros(*down.shape[:2], 2 * r + 1, 2 * r + 1)
    full[:, :, : r + 1] = down
    row = torch.zeros(*right.shape[:2], 1, 2 * r + 1)
    row[..., : r + 1] = right
    a = F.conv2d(v, full, padding=r)
    b = F.conv2d(h, row, padding=(0, r)) + torch.einsum("oi,bihw->bohw", across, a)
    va, hb = a[:, :c].tanh() * a[:, c:].sigmoid(), b[:, :c].tanh() * b[:, c:].sigmoid()
    return v + va, h + torch.einsum("oi,bihw->bohw", out, hb)


@alternative("10.3")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    import torch

    r = down.shape[2] - 1
    _, _, height, width = v.shape
    pv = torch.nn.functional.pad(v, (r, r, r, 0))
    ph = torch.nn.functional.pad(h, (r, 0, 0, 0))
    a = sum(
        torch.einsum("oi,bihw->bohw", down[:, :, i, j], pv[:, :, i : i + height, j : j + width])
        for i in range(r + 1)
        for j in range(2 * r + 1)
    )
    b = sum(
        torch.einsum("oi,bihw->bohw", right[:, :, 0, j], ph[:, :, :, j : j + width]) for j in range(r + 1)
    ) + torch.einsum("oi,bihw->bohw", across, a)
    gates = [torch.tanh(k.chunk(2, 1)[0]) / (1 + torch.exp(-k.chunk(2, 1)[1])) for k in (a, b)]
    return [v + gates[0], h + torch.einsum("oi,bihw->bohw", out, gates[1])]


@alternative("10.3")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    import torch
    import torch.nn.functional as F

    r, c = down.shape[2] - 1, v.shape[1]
    a = F.conv2d(torch.nn.ZeroPad2d((r, r, r, 0))(v), down)
    both = torch.cat([F.pad(h, (r, 0)), F.pad(a, (r, 0))], 1)  # one convolution does both
    told = F.pad(across[:, :, None, None], (r, 0))
    b = F.conv2d(both, torch.cat([right, told], 1))
    gated = torch.tanh(b[:, :c]) * torch.special.expit(b[:, c:])
    return v + torch.tanh(a[:, :c]) * torch.special.expit(a[:, c:]), h + (out @ gated.flatten(2)).view_as(h)


def _gated(v, h, down, right, across, out, v_pad=None, h_pad=None, gate=None, told=None, keep=(1, 1)):
    import torch
    import torch.nn.functional as F

    r = down.shape[2] - 1

    def usual(a):
        x, y = a.chunk(2, 1)
        return torch.tanh(x) * torch.sigmoid(y)

    gate = gate or usual
    a = F.conv2d(F.pad(v, v_pad or (r, r, r, 0)), down)
    b = F.conv2d(F.pad(h, h_pad or (r, 0)), right) + (told or (lambda a: F.conv2d(a, across[:, :, None, None])))(a)
    return keep[0] * v + gate(a), keep[1] * h + F.conv2d(gate(b), out[:, :, None, None])


@mutant("10.3", hint="first half")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down, right, across, out, gate=lambda a: a.chunk(2, 1)[0].sigmoid() * a.chunk(2, 1)[1].tanh())


@mutant("10.3", hint="h keeps what it was")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down, right, across, out, keep=(1, 0))


@mutant("10.3", hint="v keeps what it was")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down, right, across, out, keep=(0, 1))


@mutant("10.3", hint="h is told")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down, right, across, out, told=lambda a: 0)


@mutant("10.3", hint="pad above, not below")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    r = down.shape[2] - 1
    return _gated(v, h, down, right, across, out, v_pad=(r, r, 0, r))


@mutant("10.3", hint="not on the right")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    r = down.shape[2] - 1
    return _gated(v, h, down, right, across, out, h_pad=(0, r))


@mutant("10.3", hint="loses the row above")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    r = down.shape[2] - 1
    return _gated(v, h, down, right, across, out, v_pad=(r, r, r + 1, -1))


@mutant("10.3", hint="belongs to the window")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    r = down.shape[2] - 1
    return _gated(v, h, down, right, across, out, h_pad=(r + 1, -1))


@mutant("10.3", hint="turned round")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down.flip(2, 3), right.flip(3), across, out)


@mutant("10.3", hint="v comes first")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down, right, across, out)[::-1]


@mutant("10.3", hint="gradients")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return tuple(part.detach() for part in _gated(v, h, down, right, across, out))


@mutant("10.3", hint="")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    return _gated(v, h, down, right, across, out, gate=lambda a: a.chunk(2, 1)[0].relu() * a.chunk(2, 1)[1].sigmoid())


@mutant("10.3", hint="work on a copy")
def gated_layer(v, h, down, right, across, out):  # noqa: F811
    new_v, new_h = _gated(v, h, down, right, across, out)
    if not v.requires_grad:
        v += 1
    return new_v, new_h


# 10.4 finish


@alternative("10.4")
def finish(log_probs, x, known, classes, rng):
    x = x.copy()
    n, d = x.shape
    nats = np.zeros((n, classes))
    for i in range(d):  # each pixel from the mixture of all labels, weighed anew after each
        p = np.stack([log_probs(x, y)[:, i] for y in range(classes)], 1)  # (n, classes, L)
        if i >= known:
            weight = special.softmax(nats, 1)
            q = (weight[..., None] * np.exp(p)).sum(1)
            x[:, i] = (rng.random(n)[:, None] > q.cumsum(1)).sum(1).clip(max=q.shape[1] - 1)
        nats += p[np.arange(n), :, x[:, i]]
    return x


@alternative("10.4")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    n, d = x.shape
    out = np.array(x)
    scores = []
    for y in range(classes):
        table = log_probs(out, y)
        scores.append(sum((table[np.arange(n), i, out[:, i]] for i in range(known)), np.zeros(n)))
    label = (np.array(scores).T + rng.gumbel(size=(n, classes))).argmax(1)
    for i in range(known, d):
        q = np.zeros((n, 1))
        for y in range(classes):
            mine = label == y
            if mine.any():
                table = log_probs(out[mine], y)[:, i]
                out[mine, i] = (table + rng.gumbel(size=table.shape)).argmax(1)
        del q
    return out


@alternative("10.4")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    done = []
    nats = np.array([np.take_along_axis(log_probs(x, y), x[..., None], 2)[:, :known, 0].sum(1) for y in range(classes)])
    p = special.softmax(nats, 0).T
    label = (p.cumsum(1) < rng.random((len(x), 1))).sum(1).clip(max=classes - 1)
    x = x.copy()
    x[:, known:] = 0
    for i in range(known, x.shape[1]):
        q = np.exp(np.array([log_probs(x, y)[:, i] for y in range(classes)])[label, range(len(x))])
        x[:, i] = (q.cumsum(1) < rng.random((len(x), 1))).sum(1).clip(max=q.shape[1] - 1)
    done.append(x)
    return done[0].tolist()


def _finish(log_probs, x, known, classes, rng, choose, alone=True):
    x = x.copy()
    n, d = x.shape
    nats = np.array(
        [np.take_along_axis(log_probs(x, y), x[..., None], 2)[..., 0] for y in range(classes)]
    )  # (classes, n, D)
    label = choose(nats)
    for i in range(known, d):
        q = np.exp(np.array([log_probs(x, y)[:, i] for y in range(classes)])[label, np.arange(n)])
        u = rng.random((n, 1)) if alone else rng.random((1, 1))
        x[:, i] = (u > q.cumsum(1)[:, :-1]).sum(1)
    return x


def _draw(nats, rng):
    return (nats + rng.gumbel(size=nats.shape)).argmax(0)


@mutant("10.4", hint="by lot")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    return _finish(log_probs, x, known, classes, rng, lambda nats: rng.integers(classes, size=len(x)))


@mutant("10.4", hint="the likeliest label")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    return _finish(log_probs, x, known, classes, rng, lambda nats: nats[..., :known].sum(2).argmax(0))


@mutant("10.4", hint="what is known only")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    return _finish(log_probs, x, known, classes, rng, lambda nats: _draw(nats.sum(2), rng))


@mutant("10.4", hint="of its own")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    return _finish(
        log_probs, x, known, classes, rng, lambda nats: np.full(len(x), _draw(nats[:, :1, :known].sum(2), rng)[0])
    )


@mutant("10.4", hint="")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    return _finish(log_probs, x, known, classes, rng, lambda nats: _draw(nats[..., :known].sum(2), rng), alone=False)


@mutant("10.4", hint="")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    def mean(nats):
        return _draw(nats[..., : max(known, 1)].mean(2) * (known > 0), rng)

    return _finish(log_probs, x, known, classes, rng, mean)


@mutant("10.4", hint="")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    x = x.copy()
    nats = np.array([np.take_along_axis(log_probs(x, y), x[..., None], 2)[..., 0] for y in range(classes)])
    label = _draw(nats[..., :known].sum(2), rng)
    q = np.exp(np.array([log_probs(x, y) for y in range(classes)])[label, np.arange(len(x))])  # all in one go
    u = rng.random((*x.shape, 1))
    x[:, known:] = (u > q.cumsum(2)[..., :-1]).sum(2)[:, known:]
    return x


@mutant("10.4", hint="")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    x = x.copy()
    nats = np.array([np.take_along_axis(log_probs(x, y), x[..., None], 2)[..., 0] for y in range(classes)])
    label = _draw(nats[..., :known].sum(2), rng)
    for i in range(known, x.shape[1]):
        q = np.array([log_probs(x, y)[:, i] for y in range(classes)])[label, np.arange(len(x))]
        x[:, i] = q.argmax(1)  # the likeliest pixel
    return x


@mutant("10.4", hint="none from numpy's global")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    own = np.random.default_rng()
    return _finish(log_probs, x, known, classes, own, lambda nats: _draw(nats[..., :known].sum(2), own))


@mutant("10.4", hint="work on a copy")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    x[:] = _finish(log_probs, x, known, classes, rng, lambda nats: _draw(nats[..., :known].sum(2), rng))
    return x


@mutant("10.4", hint="in pairs")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    done = _finish(log_probs, x, known, classes, rng, lambda nats: _draw(nats[..., :known].sum(2), rng))
    return done[np.lexsort(done.T)]


@mutant("10.4", hint="exp(-1000) is 0")
def finish(log_probs, x, known, classes, rng):  # noqa: F811
    def choose(nats):
        p = np.exp(nats[..., :known].sum(2))
        total = p.sum(0)
        return _draw(np.log(np.where(total > 0, p, 1) + 1e-300), rng)

    return _finish(log_probs, x, known, classes, rng, choose)


# 10.5 level_log_probs


@alternative("10.5")
def level_log_probs(mu, s, levels):
    rows = []
    for m, w in zip(mu, s, strict=True):
        row = []
        for level in range(levels):
            b, a = (level + 0.5 - m) / w, (level - 0.5 - m) / w
            if level == 0:
                row.append(stats.logistic.logcdf(b))
            elif level == levels - 1:
                row.append(stats.logistic.logsf(a))
            else:
                row.append(special.log_expit(b) + special.log_expit(-a) + np.log1p(-np.exp(-1 / w)))
        rows.append(row)
    return rows


@alternative("10.5")
def level_log_probs(mu, s, levels):  # noqa: F811
    edges = (np.arange(1, levels) - 0.5 - mu[:, None]) / s[:, None]  # the inner edges
    low, high = special.log_expit(edges), special.log_expit(-edges)
    # below the middle a difference of distribution functions, above it one of what is left
    up = low[:, 1:] + np.log(-np.expm1(low[:, :-1] - low[:, 1:] - 1e-300))
    down = high[:, :-1] + np.log(-np.expm1(high[:, 1:] - high[:, :-1] - 1e-300))
    inner = np.where(edges[:, 1:] < 0, up, down)
    return np.concatenate([low[:, :1], inner, high[:, -1:]], 1)


@alternative("10.5")
def level_log_probs(mu, s, levels):  # noqa: F811
    import torch
    import torch.nn.functional as F

    x, mu, s = torch.arange(levels).double(), torch.tensor(mu)[:, None], torch.tensor(s)[:, None]
    plus, minus = (x + 0.5 - mu) / s, (x - 0.5 - mu) / s
    plus[:, -1], minus[:, 0] = torch.inf, -torch.inf
    return -F.softplus(-plus) - F.softplus(minus) + torch.log(-torch.expm1(minus - plus))


def _levels(mu, s, levels, half=0.5, floor=0.0, ends=True):
    x = np.arange(levels)
    b, a = (x + half - mu[:, None]) / s[:, None], (x + half - 1 - mu[:, None]) / s[:, None]
    upper, lower = special.expit(b), special.expit(a)
    if ends:
        upper[:, -1], lower[:, 0] = 1, 0
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(upper - lower, floor))


@mutant("10.5", hint="that lies beyond them")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, s, levels, ends=False)


@mutant("10.5", hint="belongs to the end levels")
def level_log_probs(mu, s, levels):  # noqa: F811
    p = _levels(mu, s, levels, ends=False)
    return p - special.logsumexp(p, axis=1, keepdims=True)


@mutant("10.5", hint="density at the level")
def level_log_probs(mu, s, levels):  # noqa: F811
    return stats.logistic.logpdf(np.arange(levels), mu[:, None], s[:, None])


@mutant("10.5", hint="bits")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, s, levels) / np.log(2)


@mutant("10.5", hint="take the logarithm")
def level_log_probs(mu, s, levels):  # noqa: F811
    return np.exp(_levels(mu, s, levels))


@mutant("10.5", hint="l - 1/2 to l + 1/2")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, s, levels, half=1.0)


@mutant("10.5", hint="divide by s")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, 1 / s, levels)


@mutant("10.5", hint="loses its digits")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, s, levels)


@mutant("10.5", hint="a floor hides")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, s, levels, floor=1e-12)


@mutant("10.5", hint="not its logarithm")
def level_log_probs(mu, s, levels):  # noqa: F811
    return _levels(mu, np.exp(s), levels)


@mutant("10.5", hint="nothing limits it")
def level_log_probs(mu, s, levels):  # noqa: F811
    b = (np.arange(levels) + 0.5 - mu[:, None]) / np.maximum(s, 0.05)[:, None]
    a = b - 1 / np.maximum(s, 0.05)[:, None]
    below, above = special.log_expit(b), special.log_expit(-a)
    below[:, -1], above[:, 0] = 0, 0
    inner = (np.arange(levels) > 0) & (np.arange(levels) < levels - 1)
    return below + above + np.log(-np.expm1(-1 / s))[:, None] * inner


# 10.6 logistic_bits_per_dim


@alternative("10.6")
def logistic_bits_per_dim(net, x, levels):
    weight, mu, s = net(x / (levels - 1) * 2.0 - 1.0)
    edges = np.concatenate([[-np.inf], np.arange(levels - 1) + 0.5, [np.inf]])
    b, a = ((edges[x + k][..., None] - mu) / s for k in (1, 0))
    log_p = special.log_expit(b) + special.log_expit(-a) + np.log(-np.expm1(-(b - a)))
    bits = -special.logsumexp(np.log(weight) + log_p, axis=-1) / np.log(2)
    return bits.mean((1, 2))


@alternative("10.6")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    weight, mu, s = net((x - (levels - 1) / 2) / ((levels - 1) / 2))
    at = x[..., None]
    b = np.where(at == levels - 1, np.inf, (at + 0.5 - mu) / s)
    a = np.where(at == 0, -np.inf, (at - 0.5 - mu) / s)
    above = a + b > 0  # there the mirrored difference has more digits
    mass = special.expit(np.where(above, -a, b)) - special.expit(np.where(above, -b, a))
    return -np.log2((weight * mass).sum(-1)).reshape(len(x), -1).mean(1)


@alternative("10.6")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    found = []
    for image in x:
        weight, mu, s = net(2 * image[None] / (levels - 1) - 1)
        bits = 0.0
        for r, c in np.ndindex(image.shape):
            level, p = image[r, c], 0.0
            for w, m, d in zip(weight[0, r, c], mu[0, r, c], s[0, r, c], strict=True):
                above = level > m
                tail = stats.logistic.sf if above else stats.logistic.cdf  # the one that is small has the digits
                ends = [float(above)] if level == 0 else [tail((level - 0.5 - m) / d)]
                ends += [float(not above)] if level == levels - 1 else [tail((level + 0.5 - m) / d)]
                p += w * abs(ends[1] - ends[0])
            bits -= np.log2(p)
        found.append(bits / image.size)
    return found


def _cost(net, x, levels, scaled, ends=True, jensen=False, floor=0.0, unit=None):
    weight, mu, s = net(scaled)
    at = x[..., None]
    upper, lower = special.expit((at + 0.5 - mu) / s), special.expit((at - 0.5 - mu) / s)
    if ends:
        upper, lower = np.where(at == levels - 1, 1, upper), np.where(at == 0, 0, lower)
    p = upper - lower
    with np.errstate(divide="ignore"):
        if jensen:
            nats = (weight * np.log(p + floor)).sum(-1).sum((1, 2))
        else:
            nats = np.log((weight * p).sum(-1) + floor).sum((1, 2))
    return -nats / (unit or np.log(2) * x[0].size)


def _scaled(x, levels):
    return 2 * x / (levels - 1) - 1


@mutant("10.6", hint="scaled by")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, (x - x.mean()) / x.std())


@mutant("10.6", hint="own mean and spread")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    spread = x.std((1, 2), keepdims=True)
    return _cost(net, x, levels, (x - x.mean((1, 2), keepdims=True)) / np.where(spread > 0, spread, 1))


@mutant("10.6", hint="own largest level")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, 2 * x / np.maximum(x.max((1, 2), keepdims=True), 1) - 1)


@mutant("10.6", hint="that lies beyond them")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels), ends=False)


@mutant("10.6", hint="mean of logarithms")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels), jensen=True, floor=1e-12)


@mutant("10.6", hint="nats per pixel")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels), unit=x[0].size)


@mutant("10.6", hint="share of the cost of a uniform guess")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels), unit=np.log(levels) * x[0].size)


@mutant("10.6", hint="hides what an improbable pixel costs")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels), floor=1e-12)


@mutant("10.6", hint="one number for each image")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels)).mean()


@mutant("10.6", hint="scaled by")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    """As it stood in the notebook."""
    unit = np.log(levels) * x[0].size
    return _cost(net, x, levels, (x - x.mean()) / x.std(), ends=False, jensen=True, floor=1e-12, unit=unit)


@mutant("10.6", hint="own largest level")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    """By the largest level of the batch, which mostly is the last."""
    return _cost(net, x, levels, 2 * x / max(x.max(), 1) - 1)


@mutant("10.6", hint="can have no digits")
def logistic_bits_per_dim(net, x, levels):  # noqa: F811
    return _cost(net, x, levels, _scaled(x, levels), floor=1e-300)
