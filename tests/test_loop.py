"""What fit and play share: the average of weights, wrapped models, and two processes that train one model."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import torch
from torch import nn

from genutils.checkpoint import Checkpoint
from genutils.loop import Diverged, Loop, Ranks, averaged, descend
from genutils.model import unwrapped


def test_the_decay_grows_from_a_tenth_to_what_was_asked():
    model = nn.Linear(1, 1, bias=False)
    follower, want = averaged(model, 0.9), None
    for n in range(120):
        nn.init.constant_(model.weight, float(n))
        follower.update_parameters(model)
        decay = min(0.9, (1 + n) / (10 + n))  # 0.9 from n = 80 on
        want = float(n) if want is None else decay * want + (1 - decay) * n
        assert follower.module.weight.item() == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("both", [False, True])
def test_buffers_are_copied_or_averaged_but_never_rounded(both):
    model = nn.BatchNorm1d(1)
    follower = averaged(model, 0.5, buffers=both)
    for n in range(1, 4):
        model.running_mean.fill_(n)
        model.num_batches_tracked.fill_(10 + n)
        follower.update_parameters(model)
    second = 2 / 11 * 1 + 9 / 11 * 2
    third = 3 / 12 * second + 9 / 12 * 3
    assert follower.module.running_mean.item() == pytest.approx(third if both else 3)
    assert follower.module.num_batches_tracked.item() == 13


def test_a_buffer_of_minus_infinities_stays_so():
    model = nn.Linear(1, 1)
    model.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    follower = averaged(model, 0.9)
    for _ in range(3):
        follower.update_parameters(model)
    assert torch.equal(follower.module.mask, model.mask)


def test_wrapped_models_are_unwrapped():
    inner = nn.Linear(1, 1)
    compiled = torch.compile(inner, backend="eager")
    assert unwrapped(inner) is unwrapped(compiled) is unwrapped(nn.DataParallel(inner)) is inner
    assert unwrapped(torch.compile(nn.DataParallel(compiled), backend="eager")) is inner
    holder = nn.Sequential(inner)
    assert unwrapped(holder) is holder


def test_a_step_that_cannot_be_taken_leaves_the_weights():
    line = nn.Linear(1, 1)
    before, optimizer = line.weight.item(), torch.optim.SGD(line.parameters(), lr=1.0)
    for bad in (torch.nan, torch.inf):
        with pytest.raises(Diverged, match=f"^what it pays is -?{bad} and its gradient has norm"):
            descend(line.weight.sum() * bad, optimizer, line.parameters(), rate=0.5, name="what it pays")
        with pytest.raises(Diverged, match=f"^the loss is {bad} and its gradient has norm 1.0"):
            descend(line.weight.sum() + bad, optimizer, line.parameters(), rate=0.5)
    assert line.weight.item() == before
    assert descend(3 * line.weight.sum(), optimizer, line.parameters(), rate=0.5) == pytest.approx(3 * before)
    assert line.weight.item() == pytest.approx(before - 1.5) and optimizer.param_groups[0]["lr"] == 0.5


def test_entries_are_means_since_the_one_before_and_the_last_step_has_one():
    class Book:
        steps, seconds, cpu_seconds, stopped = [], 0.0, 0.0, "running"

    seen = []
    loop = Loop(Book, 7, 0, 3, torch.device("cpu"), "", Ranks(), None)
    loop.run(lambda step: (float(step), 1.0), lambda step, means: seen.append((step, *means)) or "")
    assert seen == [(3, 1.0, 1.0), (6, 4.0, 1.0), (7, 6.0, 1.0)] and Book.stopped == "all steps"


def test_a_checkpoint_without_a_path_is_none(tmp_path):
    assert Checkpoint.at(None, {}, {}) is None and Checkpoint.at(tmp_path / "a", {}, {}).path.name == "a"
    assert Checkpoint.at(tmp_path / "a", {}, {}, rank=2).path.name == "a.2"


WORKER = """
import json, sys
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from genutils.training import Diverged, fit


class Normal(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu, self.log_sigma = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def log_prob(self, x):
        return torch.distributions.Normal(self.mu, self.log_sigma.exp()).log_prob(x).sum(1)


rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
torch.manual_seed(0)
model, seen = Normal(), []
x = torch.linspace(-1, 1, 64)[:, None]
held = torch.full((4, 1), 0.3 + rank / 10)


def loss(m, batch):
    if m.training:
        seen.append(batch[:, 0].tolist())
    return -m.log_prob(batch).mean()


sgd = dict(validation=held, steps=6, batch_size=4, lr=0.1, optimizer=torch.optim.SGD, clip=None, every=2, ema=0.5)
record = fit(DistributedDataParallel(model), x, loss=loss, checkpoint=f"{folder}/run.pt", **sgd)
again = Normal()
fit(DistributedDataParallel(again), x, loss=loss, checkpoint=f"{folder}/run.pt", **sgd)
plain = Normal()
default = fit(DistributedDataParallel(plain), x, validation=held, steps=4, patience=1, every=1)
compiled = Normal()
compiled_record = fit(torch.compile(DistributedDataParallel(compiled), backend="eager"), x, steps=2)
inner = Normal()
fit(DistributedDataParallel(torch.compile(inner, backend="eager")), x, steps=2)
assert [p.item() for p in inner.parameters()] == [p.item() for p in compiled.parameters()]
try:
    fit(DistributedDataParallel(Normal()), x, loss=lambda m, b: m.mu.sum() + (torch.inf if rank else 0), steps=2)
except Diverged as error:
    diverged = str(error)
out = {"seen": seen, "weights": [p.item() for p in model.parameters()], "again": [p.item() for p in again.parameters()]}
out |= {"train": record.train, "validation": record.validation, "default": default.validation, "stop": default.steps}
out |= {"compiled": [p.item() for p in compiled.parameters()], "diverged": diverged}
open(f"{folder}/{rank}.json", "w").write(json.dumps(out))
dist.destroy_process_group()
"""


def test_two_processes_train_one_model_on_batches_of_their_own(tmp_path):
    from tests.test_training import Normal

    root = pathlib.Path(__file__).parents[1]
    command = [sys.executable, "-c", WORKER]
    env = {"GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "GENUTILS_PROGRESS": "off"}
    started = [
        subprocess.Popen([*command, str(rank), str(tmp_path)], cwd=root, env=env, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    for process in started:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
    one, two = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert len(one["seen"]) == len(two["seen"]) == 6  # and nothing more when the finished run was read
    assert all(a != b for a, b in zip(one["seen"], two["seen"], strict=True))
    for name in ("weights", "again", "train", "validation", "default", "stop", "compiled", "diverged"):
        assert one[name] == two[name], name
    assert one["again"] == one["weights"] and one["diverged"].startswith("at step 1 the loss is inf")

    # By hand: the gradient is the mean over both, so that each step is one on both batches together.
    model, losses, follower = Normal(), [], None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for a, b in zip(one["seen"], two["seen"], strict=True):
        value = -model.log_prob(torch.tensor(a + b)[:, None]).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
        follower = follower or averaged(model, 0.5)
        follower.update_parameters(model)
    assert one["train"] == pytest.approx([sum(losses[i : i + 2]) / 2 for i in (0, 2, 4)], rel=1e-5)
    both = torch.cat([torch.full((4, 1), 0.3), torch.full((4, 1), 0.4)])
    assert one["validation"][-1] == pytest.approx(-follower.module.log_prob(both).mean().item(), rel=1e-5)
    assert one["weights"] == pytest.approx([p.item() for p in follower.module.parameters()], rel=1e-5)
