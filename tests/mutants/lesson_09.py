"""Wrong and differently written answers to the exercises of lesson 09."""

import math

import numpy as np
from scipy import special

from tests.mutants import alternative, mutant

# 09.1 window_attention


def _seen(t, window):
    back = np.arange(t)[:, None] - np.arange(t)
    return (back >= 0) & (back < window)


def _attended(q, k, v, see, scale=None, axis=1):
    scores = q @ k.T / (math.sqrt(q.shape[1]) if scale is None else scale)
    return special.softmax(np.where(see, scores, -np.inf), axis=axis) @ v


@alternative("09.1")
def window_attention(q, k, v, window):
    out = []
    for i in range(len(q)):
        first = max(0, i + 1 - window)
        scores = k[first : i + 1] @ q[i] / np.sqrt(q.shape[1])
        w = np.exp(scores - scores.max())
        out.append(w @ v[first : i + 1] / w.sum())
    return out


@alternative("09.1")
def window_attention(q, k, v, window):  # noqa: F811
    import torch

    mask = torch.ones(len(q), len(q), dtype=torch.bool).tril().triu(1 - window)
    parts = (torch.tensor(part, dtype=torch.float32) for part in (q, k, v))
    return torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask)


@alternative("09.1")
def window_attention(q, k, v, window):  # noqa: F811
    t = len(q)
    penalty = np.triu(np.full((t, t), 1e30), 1) + np.tril(np.full((t, t), 1e30), -window)
    scores = np.einsum("id,jd->ij", q, k) * q.shape[1] ** -0.5 - penalty
    return np.exp(scores - special.logsumexp(scores, axis=1, keepdims=True)) @ v


@mutant("09.1", hint="nothing older")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), len(q)))


@mutant("09.1", hint="w - 1 before it")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window + 1))


@mutant("09.1", hint="reaches back only")
def window_attention(q, k, v, window):  # noqa: F811
    t = np.arange(len(q))
    return _attended(q, k, v, np.abs(t[:, None] - t) < window)


@mutant("09.1", hint="square root of d")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window), scale=1)


@mutant("09.1", hint="take its square root")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window), scale=q.shape[1])


@mutant("09.1", hint="wrong way: the weights")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window), axis=0)


@mutant("09.1", hint="wrong way round")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window).T)


@mutant("09.1", hint="exp(0) is 1")
def window_attention(q, k, v, window):  # noqa: F811
    scores = q @ k.T / math.sqrt(q.shape[1]) * _seen(len(q), window)
    return special.softmax(scores, axis=1) @ v


@mutant("09.1", hint="after the softmax")
def window_attention(q, k, v, window):  # noqa: F811
    w = special.softmax(q @ k.T / math.sqrt(q.shape[1]), axis=1)
    return (w * _seen(len(q), window)) @ v


@mutant("09.1", hint="not of a value")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window), scale=math.sqrt(v.shape[1]))


@mutant("09.1", hint="not the length")
def window_attention(q, k, v, window):  # noqa: F811
    return _attended(q, k, v, _seen(len(q), window), scale=math.sqrt(len(q)))


@mutant("09.1", hint="subtract the largest")
def window_attention(q, k, v, window):  # noqa: F811
    with np.errstate(all="ignore"):
        w = np.exp(q @ k.T / math.sqrt(q.shape[1])) * _seen(len(q), window)
        return w / w.sum(1, keepdims=True) @ v


@mutant("09.1", hint="work on a copy")
def window_attention(q, k, v, window):  # noqa: F811
    out = _attended(q, k, v, _seen(len(q), window))
    q /= math.sqrt(q.shape[1])
    return out


# 09.2 one_head_log_prob


def _logits(x, E, P, Wq, Wk, Wv, U, *, shifted=True, hidden=-np.inf, axis=1, stream=True, scale=True):
    inputs = np.concatenate([[len(E) - 1], x[:-1]]).astype(int) if shifted else x
    h = E[inputs] + P[: len(x)]
    scores = (h @ Wq) @ (h @ Wk).T / (math.sqrt(h.shape[1]) if scale else 1)
    later = np.triu(np.ones(scores.shape, dtype=bool), 1)
    mixed = special.softmax(np.where(later, hidden, scores) if hidden is not None else scores, axis=axis) @ (h @ Wv)
    return ((h if stream else 0) + mixed) @ U


def _priced(x, logits):
    return special.log_softmax(logits, axis=1)[np.arange(len(x)), x]


@alternative("09.2")
def one_head_log_prob(x, E, P, Wq, Wk, Wv, U):
    total = 0.0
    for i in range(len(x)):  # anew for each prefix
        before = np.append(len(E) - 1, x[:i]).astype(int)
        h = E[before] + P[: i + 1]
        w = special.softmax((h @ Wk) @ (h[-1] @ Wq) / np.sqrt(h.shape[1]))
        logits = (h[-1] + w @ (h @ Wv)) @ U
        total += logits[x[i]] - special.logsumexp(logits)
    return total


@alternative("09.2")
def one_head_log_prob(x, E, P, Wq, Wk, Wv, U):  # noqa: F811
    import torch
    import torch.nn.functional as F

    E, P, Wq, Wk, Wv, U = (torch.tensor(part) for part in (E, P, Wq, Wk, Wv, U))
    x = torch.tensor(x).long()
    h = F.embedding(F.pad(x, (1, 0), value=len(E) - 1)[:-1], E) + P[: len(x)]
    mixed = F.scaled_dot_product_attention(*((h @ W)[None] for W in (Wq, Wk, Wv)), is_causal=True)[0]
    return -F.cross_entropy((h + mixed) @ U, x, reduction="sum")


@alternative("09.2")
def one_head_log_prob(x, E, P, Wq, Wk, Wv, U):  # noqa: F811
    return float(_priced(x, _logits(x, E, P, Wq, Wk, Wv, U)).sum())


@mutant("09.2", hint="shift it by one")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts, shifted=False)).sum()


@mutant("09.2", hint="exp(0) is 1")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts, hidden=0.0)).sum()


@mutant("09.2", hint="no mask")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts, hidden=None)).sum()


@mutant("09.2", hint="each *query*")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts, axis=0)).sum()


@mutant("09.2", hint="residual stream")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts, stream=False)).sum()


@mutant("09.2", hint="root of the size")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts, scale=False)).sum()


@mutant("09.2", hint="has a price, too")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts))[1:].sum()


@mutant("09.2", hint="is a sum")
def one_head_log_prob(x, *parts):  # noqa: F811
    return _priced(x, _logits(x, *parts)).mean()


@mutant("09.2", hint="rounds to 0")
def one_head_log_prob(x, *parts):  # noqa: F811
    p = special.softmax(_logits(x, *parts), axis=1)
    return np.log(p[np.arange(len(x)), x] + 1e-12).sum()


@mutant("09.2", hint="first places of P")
def one_head_log_prob(x, E, P, *parts):  # noqa: F811
    return _priced(x, _logits(x, E, P[-len(x) :], *parts)).sum()


@mutant("09.2", hint="")
def one_head_log_prob(x, *parts):  # noqa: F811
    """As it stood in the notebook."""
    logits = _logits(x, *parts, shifted=False, hidden=0.0, axis=0)
    p = special.softmax(logits, axis=1)
    return np.log(p[np.arange(len(x)), x] + 1e-12).sum()


# 09.3 nucleus


def _order(p):
    return np.argsort(-p, kind="stable")


@alternative("09.3")
def nucleus(p, top_p):
    out, total = np.zeros(len(p)), 0.0
    for i in sorted(range(len(p)), key=lambda i: -p[i]):
        out[i] = p[i]
        total += p[i]
        if total >= top_p:
            break
    return out / total


@alternative("09.3")
def nucleus(p, top_p):  # noqa: F811
    order = _order(p)
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros(len(p))
    kept[order] = np.where(before < top_p - 1e-12, p[order], 0)
    return (kept / kept.sum()).tolist()


@alternative("09.3")
def nucleus(p, top_p):  # noqa: F811
    import torch

    ordered, which = torch.tensor(p).sort(descending=True, stable=True)
    count = min(int((ordered.cumsum(0) < top_p).sum()) + 1, len(p))
    out = torch.zeros(len(p), dtype=torch.float64)
    out[which[:count]] = ordered[:count]
    return out / out.sum()


@mutant("09.3", hint="divide by its sum")
def nucleus(p, top_p):  # noqa: F811
    out, order = np.zeros(len(p)), _order(p)
    kept = order[: int((np.cumsum(p[order]) < top_p).sum()) + 1]
    out[kept] = p[kept]
    return out


@mutant("09.3", hint="one symbol short")
def nucleus(p, top_p):  # noqa: F811
    out, order = np.zeros(len(p)), _order(p)
    kept = order[: max(1, int((np.cumsum(p[order]) < top_p).sum()))]
    out[kept] = p[kept]
    return out / out.sum()


@mutant("09.3", hint="one symbol too many")
def nucleus(p, top_p):  # noqa: F811
    out, order = np.zeros(len(p)), _order(p)
    kept = order[: int((np.cumsum(p[order]) < top_p).sum()) + 2]
    out[kept] = p[kept]
    return out / out.sum()


@mutant("09.3", hint="in the order of the alphabet")
def nucleus(p, top_p):  # noqa: F811
    out = np.where(np.cumsum(p) - p < top_p, p, 0)
    return out / out.sum()


@mutant("09.3", hint="least likely are taken first")
def nucleus(p, top_p):  # noqa: F811
    out, order = np.zeros(len(p)), _order(p)[::-1]
    kept = order[np.cumsum(p[order]) - p[order] < top_p]
    out[kept] = p[kept]
    return out / out.sum()


@mutant("09.3", hint="not a bar for each symbol")
def nucleus(p, top_p):  # noqa: F811
    out = np.where(p >= 1 - top_p, p, 0)
    return out / max(out.sum(), 1e-300)


@mutant("09.3", hint="min-p")
def nucleus(p, top_p):  # noqa: F811
    out = np.where(p >= top_p * p.max(), p, 0)
    return out / out.sum()


@mutant("09.3", hint="places of the alphabet")
def nucleus(p, top_p):  # noqa: F811
    ordered = np.sort(p)[::-1].copy()
    ordered[int((np.cumsum(ordered) < top_p).sum()) + 1 :] = 0
    return ordered / ordered.sum()


@mutant("09.3", hint="all are equal")
def nucleus(p, top_p):  # noqa: F811
    out, order = np.zeros(len(p)), _order(p)
    out[order[: int((np.cumsum(p[order]) < top_p).sum()) + 1]] = 1
    return out / out.sum()


@mutant("09.3", hint="work on a copy")
def nucleus(p, top_p):  # noqa: F811
    order = _order(p)
    p[order[int((np.cumsum(p[order]) < top_p).sum()) + 1 :]] = 0
    return p / p.sum()


# 09.4 read_one


def _kept(h, Wq, Wk, Wv, keys, values):
    return h @ Wq, np.vstack([keys, h @ Wk]), np.vstack([values, h @ Wv])


@alternative("09.4")
def read_one(h, Wq, Wk, Wv, keys, values):
    keys, values = np.append(keys, [h @ Wk], axis=0), np.append(values, [h @ Wv], axis=0)
    w = np.exp(keys @ (h @ Wq) / np.sqrt(keys.shape[1]))
    return (w[:, None] * values).sum(0) / w.sum(), keys, values


@alternative("09.4")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    keys, values = [*keys.tolist(), list(h @ Wk)], [*values.tolist(), list(h @ Wv)]
    scores = [sum(a * b for a, b in zip(k, h @ Wq, strict=True)) / len(k) ** 0.5 for k in keys]
    w = [math.exp(s - max(scores)) for s in scores]
    out = [sum(a * v[j] for a, v in zip(w, values, strict=True)) / sum(w) for j in range(len(values[0]))]
    return out, keys, values


@alternative("09.4")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    import torch
    import torch.nn.functional as F

    q, k, v = (torch.tensor((h @ W)[None], dtype=torch.float32) for W in (Wq, Wk, Wv))
    k, v = (torch.cat([torch.tensor(old, dtype=torch.float32), new]) for old, new in ((keys, k), (values, v)))
    return [F.scaled_dot_product_attention(q[None], k[None], v[None])[0, 0], k, v]


@mutant("09.4", hint="look at itself, too")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, new_keys, new_values = _kept(h, Wq, Wk, Wv, keys, values)
    if not len(keys):
        return h @ Wv, new_keys, new_values
    return special.softmax(keys @ q / math.sqrt(len(q))) @ values, new_keys, new_values


@mutant("09.4", hint="square root of e")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, keys, values = _kept(h, Wq, Wk, Wv, keys, values)
    return special.softmax(keys @ q) @ values, keys, values


@mutant("09.4", hint="not of h")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, keys, values = _kept(h, Wq, Wk, Wv, keys, values)
    return special.softmax(keys @ q / math.sqrt(len(h))) @ values, keys, values


@mutant("09.4", hint="goes to the end")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, keys, values = h @ Wq, np.vstack([h @ Wk, keys]), np.vstack([h @ Wv, values])
    return special.softmax(keys @ q / math.sqrt(len(q))) @ values, keys, values


@mutant("09.4", hint="own key belongs")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, new_keys, new_values = _kept(h, Wq, Wk, Wv, keys, values)
    return special.softmax(new_keys @ q / math.sqrt(len(q))) @ new_values, keys, values


@mutant("09.4", hint="keys, not queries")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, _, new_values = _kept(h, Wq, Wk, Wv, keys, values)
    queries = np.vstack([keys, q])
    return special.softmax(queries @ q / math.sqrt(len(q))) @ new_values, queries, new_values


@mutant("09.4", hint="keys and values are swapped")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, new_keys, new_values = _kept(h, Wq, Wk, Wv, keys, values)
    return special.softmax(new_keys @ q / math.sqrt(len(q))) @ new_values, new_values, new_keys


@mutant("09.4", hint="come from the query")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    _, keys, values = _kept(h, Wq, Wk, Wv, keys, values)
    return values.mean(0), keys, values


@mutant("09.4", hint="it looks back")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    _, keys, values = _kept(h, Wq, Wk, Wv, keys, values)
    return h @ Wv, keys, values


@mutant("09.4", hint="return output, keys, values")
def read_one(h, Wq, Wk, Wv, keys, values):  # noqa: F811
    q, keys, values = _kept(h, Wq, Wk, Wv, keys, values)
    return special.softmax(keys @ q / math.sqrt(len(q))) @ values


# 09.5 bpe_encode


def _merge(tokens, pair, new):
    out = []
    for token in tokens:
        if out and (out[-1], token) == tuple(pair):
            out[-1] = new
        else:
            out.append(token)
    return out


@alternative("09.5")
def bpe_encode(tokens, merges):
    for r, pair in enumerate(merges):
        tokens = _merge(tokens, pair, 256 + r)
    return tokens


@alternative("09.5")
def bpe_encode(tokens, merges):  # noqa: F811
    tokens, rank = list(tokens), {tuple(pair): r for r, pair in enumerate(merges)}
    while True:
        pairs = [(rank[pair], i) for i, pair in enumerate(zip(tokens, tokens[1:], strict=False)) if pair in rank]
        if not pairs:
            return np.array(tokens, dtype=int)
        r, i = min(pairs)
        tokens[i : i + 2] = [256 + r]


@alternative("09.5")
def bpe_encode(tokens, merges):  # noqa: F811
    text = "".join(map(chr, tokens))
    for r, (a, b) in enumerate(merges):
        text = text.replace(chr(a) + chr(b), chr(256 + r))
    return tuple(map(ord, text))


@mutant("09.5", hint="every occurrence")
def bpe_encode(tokens, merges):  # noqa: F811
    text = "".join(map(chr, tokens))
    for r, (a, b) in enumerate(merges):
        text = text.replace(chr(a) + chr(b), chr(256 + r), 1)
    return [ord(c) for c in text]


@mutant("09.5", hint="made first comes first")
def bpe_encode(tokens, merges):  # noqa: F811
    for r, pair in reversed(list(enumerate(merges))):
        tokens = _merge(tokens, pair, 256 + r)
    return tokens


@mutant("09.5", hint="longest token")
def bpe_encode(tokens, merges):  # noqa: F811
    words = {(i,): i for i in range(256)}
    spelled = {i: (i,) for i in range(256)}
    for r, (a, b) in enumerate(merges):
        spelled[256 + r] = spelled[a] + spelled[b]
        words.setdefault(spelled[256 + r], 256 + r)
    out, i = [], 0
    while i < len(tokens):
        n = next(n for n in range(len(tokens) - i, 0, -1) if tuple(tokens[i : i + n]) in words)
        out.append(words[tuple(tokens[i : i + n])])
        i += n
    return out


@mutant("09.5", hint="makes token 256")
def bpe_encode(tokens, merges):  # noqa: F811
    for r, pair in enumerate(merges, 1):
        tokens = _merge(tokens, pair, 256 + r)
    return tokens


@mutant("09.5", hint="one merge is not all")
def bpe_encode(tokens, merges):  # noqa: F811
    for r, pair in enumerate(merges):
        if (merged := _merge(tokens, pair, 256 + r)) != tokens:
            return merged
    return tokens


@mutant("09.5", hint="")
def bpe_encode(tokens, merges):  # noqa: F811
    """Counts the middle of three equal ones twice."""
    for r, pair in enumerate(merges):
        found = [i for i in range(len(tokens) - 1) if tuple(tokens[i : i + 2]) == tuple(pair)]
        tokens = [256 + r if i in found else t for i, t in enumerate(tokens) if i - 1 not in found or i in found]
    return tokens


@mutant("09.5", hint="work on a copy")
def bpe_encode(tokens, merges):  # noqa: F811
    for r, (a, b) in enumerate(merges):
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) == (a, b):
                tokens[i : i + 2] = [256 + r]
            i += 1
    return list(tokens)


# 09.6 per_byte


def _total(batches):
    return sum(mean * n for mean, n in batches)


@alternative("09.6")
def per_byte(batches, text):
    return _total(batches) / (len(text.encode()) * math.log(2))


@alternative("09.6")
def per_byte(batches, text):  # noqa: F811
    means, sizes = np.array(batches).T
    return np.array([np.average(means, weights=sizes) / np.log(2) * sizes.sum() / len(bytes(text, "utf-8"))])


@alternative("09.6")
def per_byte(batches, text):  # noqa: F811
    size = sum(1 if ord(c) < 128 else 2 if ord(c) < 2048 else 3 if ord(c) < 65536 else 4 for c in text)
    return math.fsum(n * math.log2(math.exp(mean)) for mean, n in batches) / size


@mutant("09.6", hint="nats")
def per_byte(batches, text):  # noqa: F811
    return _total(batches) / len(text.encode())


@mutant("09.6", hint="per character")
def per_byte(batches, text):  # noqa: F811
    return _total(batches) / len(text) / math.log(2)


@mutant("09.6", hint="per token")
def per_byte(batches, text):  # noqa: F811
    return _total(batches) / sum(n for _, n in batches) / math.log(2)


@mutant("09.6", hint="batches' means")
def per_byte(batches, text):  # noqa: F811
    return float(np.mean([mean for mean, _ in batches])) / math.log(2)


@mutant("09.6", hint="for each of its tokens")
def per_byte(batches, text):  # noqa: F811
    return sum(mean for mean, _ in batches) / len(text.encode()) / math.log(2)


@mutant("09.6", hint="different sizes")
def per_byte(batches, text):  # noqa: F811
    tokens = sum(n for _, n in batches)
    return float(np.mean([mean for mean, _ in batches])) * tokens / len(text.encode()) / math.log(2)


@mutant("09.6", hint="divide by log 2")
def per_byte(batches, text):  # noqa: F811
    return _total(batches) * math.log(2) / len(text.encode())


@mutant("09.6", hint="whole text")
def per_byte(batches, text):  # noqa: F811
    return _total(batches) / math.log(2)


# 09.7 acceptance_rule


@alternative("09.7")
def acceptance_rule(p, q):
    accept = np.minimum(1, np.divide(p, q, out=np.ones(len(p)), where=q > 0))
    left = np.maximum(p - q, 0)
    return accept, left / left.sum() if left.sum() > 0 else p


@alternative("09.7")
def acceptance_rule(p, q):  # noqa: F811
    both = [min(a, b) for a, b in zip(p, q, strict=True)]
    accept = [m / b if b else 0.0 for m, b in zip(both, q, strict=True)]
    missing = 1 - sum(both)
    if missing < 1e-12:
        return accept, [1 / len(p)] * len(p)
    return accept, [(a - m) / missing for a, m in zip(p, both, strict=True)]


@alternative("09.7")
def acceptance_rule(p, q):  # noqa: F811
    with np.errstate(all="ignore"):
        return [np.where(p >= q, 1, p / q), np.clip(p - q, 0, None) / np.clip(p - q, 0, None).sum()]


def _left(p, q):
    left = np.maximum(p - q, 0)
    return left / left.sum() if left.sum() > 0 else p


def _ratio(p, q):
    return np.minimum(1, np.divide(p, q, out=np.ones(len(p)), where=q > 0))


@mutant("09.7", hint="upside down")
def acceptance_rule(p, q):  # noqa: F811
    return _ratio(q, p), _left(p, q)


@mutant("09.7", hint="gives too much")
def acceptance_rule(p, q):  # noqa: F811
    return _ratio(p, q), p.copy()


@mutant("09.7", hint="divide by its sum")
def acceptance_rule(p, q):  # noqa: F811
    return _ratio(p, q), np.maximum(p - q, 0)


@mutant("09.7", hint="no probability is below 0")
def acceptance_rule(p, q):  # noqa: F811
    return _ratio(p, q), p - q


@mutant("09.7", hint="only where p is above q")
def acceptance_rule(p, q):  # noqa: F811
    apart = np.abs(p - q)
    return _ratio(p, q), apart / apart.sum() if apart.sum() else p


@mutant("09.7", hint="too much of")
def acceptance_rule(p, q):  # noqa: F811
    return _ratio(p, q), _left(q, p)


@mutant("09.7", hint="divide by q")
def acceptance_rule(p, q):  # noqa: F811
    return np.minimum(p, q), _left(p, q)


@mutant("09.7", hint="brought its own")
def acceptance_rule(p, q):  # noqa: F811
    return p.copy(), _left(p, q)


@mutant("09.7", hint="at most 1")
def acceptance_rule(p, q):  # noqa: F811
    return np.divide(p, q, out=np.ones(len(p)), where=q > 0), _left(p, q)


@mutant("09.7", hint="wasteful")
def acceptance_rule(p, q):  # noqa: F811
    """Refuses everything, and draws from p."""
    return np.zeros(len(p)), p.copy()


@mutant("09.7", hint="sometimes")
def acceptance_rule(p, q):  # noqa: F811
    return (p >= q).astype(float), _left(p, q)
