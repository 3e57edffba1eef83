"""What drawing a sequence costs with what was read kept, and with all read again: python -m tools.bench_sampling"""

import json
import time
from functools import partial

import torch
import torch.nn.functional as F

from genutils.transformer import Transformer
from genutils.wavenet import WaveNet
from genutils.yardstick import operations

LENGTHS = (128, 256, 512)
MODELS = {
    "transformer": lambda length: Transformer(levels=64, dims=length, width=64, layers=2),
    "wavenet": lambda length: WaveNet(levels=256, layers=6, channels=32),
}


def measure(lengths=LENGTHS, repeats=3):
    """For each model and length: operations and the least seconds of a few runs, with the cache and without.

    With it operations grow with the length, without it with its square. What a Transformer spends on looking back grows
    by one power more in both; it is a small part as long as sequences are not much longer than the network is wide.
    """
    report = {}
    for name, make in MODELS.items():
        torch.manual_seed(0)
        model = make(max(lengths)).eval()
        for length in lengths:
            row = {}
            for way, draw in (("cached", _cached), ("naive", _naive)):
                row[f"{way}_operations"] = operations(partial(draw, model, length))
                row[f"{way}_seconds"] = round(min(_timed(draw, model, length) for _ in range(repeats)), 4)
            row["times_faster"] = round(row["naive_seconds"] / row["cached_seconds"], 1)
            report[f"{name}, {length} symbols"] = row
    return report


def _cached(model, length):
    return model.sample(1, _label(model), length=length, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def _naive(model, length):
    """The whole sequence through the network for each symbol."""
    generator, x = torch.Generator().manual_seed(0), torch.zeros(1, 0, dtype=torch.long)
    for _ in range(length):
        logits = model.logits(F.pad(x, (0, 1)), _label(model))[:, -1]  # which do not see the last symbol
        x = torch.cat([x, torch.multinomial(logits.softmax(-1), 1, generator=generator)], 1)
    return x


def _label(model):
    """For the one sequence; None where a model knows no classes."""
    return torch.tensor([0]) if model.classes else None


def _timed(draw, model, length):
    start = time.perf_counter()
    draw(model, length)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
