"""How fast is this core, now? ``python -m tools.calibrate`` prints the CPU seconds of a fixed piece of training.

A lesson takes other seconds on another processor, and on the same one when its neighbours are busy. So a lesson is
timed in CPU seconds with this workload beside it, in float32 on one thread, and reported in *reference seconds*: what
it would take on a core that needs 5.0 CPU seconds for the workload, as a laptop's with AVX2 does.
"""

from __future__ import annotations

import time
from statistics import mean, median

REFERENCE = 5.0  # CPU seconds of the workload on the reference core
STEPS = 600
BUDGET = {"lessons": 30, "solutions": 35, "solved": 35}  # reference seconds that a notebook may take
TOLERANCE = 4 / 3  # by which a test lets it be exceeded, for a loaded machine is no good clock


def figure(steps: int = STEPS, repeats: int = 3) -> float:
    """CPU seconds of the whole workload on this core: the median of a few trainings of so many steps, scaled to all."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return median(_train(steps) for _ in range(repeats)) * STEPS / steps
    finally:
        torch.set_num_threads(threads)


def quick() -> float:
    """`figure` in a twentieth of the time, to be taken before and after a lesson."""
    return figure(steps=STEPS // 20, repeats=2)


def reference_seconds(cpu_seconds: float, *figures: float) -> float:
    """Seconds on the reference core; the figures were taken on this core beside the calculation."""
    return cpu_seconds * REFERENCE / mean(figures)


def over_budget(folder: str, seconds: float) -> str:
    """What to say of a notebook in ``folder`` that took so many reference seconds; nothing if that is within budget."""
    if seconds <= BUDGET[folder] * TOLERANCE:
        return ""
    return f"{seconds:.0f} reference seconds, where {BUDGET[folder]} are allowed (and {TOLERANCE - 1:.0%} on top)"


def _train(steps: int) -> float:
    """CPU seconds of Adam steps on a small convolutional network, after twenty to warm up; the global seed is kept."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images, classes = torch.randn(32, 8, 8, 8), torch.randint(17, (32,))
        body = [nn.Conv2d(8, 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, 32, 3, padding=1), nn.SiLU()]
        network = nn.Sequential(*body, nn.Flatten(), nn.Linear(32 * 64, 128), nn.SiLU(), nn.Linear(128, 17))
    optimiser, loss = torch.optim.Adam(network.parameters(), 1e-3), nn.CrossEntropyLoss()
    for step in range(20 + steps):
        if step == 20:
            start = time.process_time()
        optimiser.zero_grad()
        loss(network(images), classes).backward()
        optimiser.step()
    return time.process_time() - start


if __name__ == "__main__":
    print(f"{figure():.2f}")
