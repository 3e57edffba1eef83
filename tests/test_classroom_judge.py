"""The clean process: what it hands to an answer, what it believes, and what an answer cannot do to it."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time

import cloudpickle
import numpy as np
import pytest

from tests import classroom_course as small
from tools.classroom import answer, remote, verify, wire
from tools.classroom import judge as clean
from tools.classroom.handover import Remote
from tools.classroom.layout import REPO, Classroom
from tools.classroom.verdict import TO_INSTRUCTOR, TO_STUDENT, Mode, Verdict, settle


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return Classroom(small.course(tmp_path_factory.mktemp("course")))


def judge(source: str, name: str, room: Classroom, id: str, mode: str = Mode.APART, limit: float = 20.0) -> dict:
    """What the clean process says about a function."""
    code = f"import base64, cloudpickle, numpy as np\n{source}\n"
    code += f"print(base64.b64encode(cloudpickle.dumps({name})).decode())"
    blob = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    jobs = [{"id": id, "blob": blob, "seeds": [5, 6], "mode": mode}]
    preload = ["torch"] if "torch" in source else []
    return verify.verdicts(room.root, jobs, limit=limit, preload=preload, env=room.environment())[id]


@pytest.mark.parametrize("mode", Mode)
def test_solutions_pass_in_every_mode(room, mode):
    blobs = {id: small.blob(id) for id in small.SOLVED}
    jobs = [{"id": id, "blob": blob, "seeds": [5, 6], "mode": mode} for id, blob in blobs.items()]
    said = verify.verdicts(room.root, jobs, limit=20, preload=[], env=room.environment())
    assert {id: found["verdict"] for id, found in said.items()} == dict.fromkeys(small.SOLVED, Verdict.RIGHT)


PATCHES = {
    "the check": "import genutils.check.lesson_90 as m\n    m.expect_close = lambda *a, **k: None",
    "numpy": "np.allclose = lambda *a, **k: True",
    "a function of torch": "import torch\n    torch.autograd.grad = lambda *a, **k: (0,)",
    "a builtin of torch": "import torch\n    torch.allclose = lambda *a, **k: True",
    "a method of tensors": "import torch\n    torch.Tensor.backward = lambda *a, **k: None",
    "the code of a module": "import torch\n    torch.nn.Module.zero_grad.__code__ = (lambda *a: 0).__code__",
}


@pytest.mark.parametrize("what", PATCHES)
def test_inside_mode_notices_a_patched(room, what):
    patch = f"def normalised(w):\n    {PATCHES[what]}\n    return np.asarray(w) / np.sum(w)"
    assert judge(patch, "normalised", room, "90.2", Mode.INSIDE)["verdict"] == Verdict.TAMPERED


def test_inside_mode_lets_torch_do_what_it_does_to_itself_at_first_use(room):
    honest = (
        "def normalised(w):\n    import torch\n    p = torch.nn.Parameter(torch.tensor(w))\n"
        "    o = torch.optim.SGD([p], lr=0.0)\n    (p / p.sum()).sum().backward()\n    o.step()\n"
        "    return (p / p.sum()).detach().numpy()"
    )
    assert judge(honest, "normalised", room, "90.2", Mode.INSIDE, limit=60)["verdict"] == Verdict.RIGHT


def test_what_a_student_says_never_becomes_the_verdict(room):
    shout = "def normalised(w):\n    from genutils.check.expect import Wrong\n    raise Wrong('SECRET')"
    said = judge(shout, "normalised", room, "90.2")
    assert said["verdict"] == Verdict.WRONG and "SECRET" not in said["says"] + said["hint"]
    forge = (
        "def normalised(w):\n    import os, json, struct\n    for fd in range(3, 64):\n"
        "        try:\n            os.write(fd, b'x' * 64)\n        except OSError:\n            pass\n    return w"
    )
    assert judge(forge, "normalised", room, "90.2")["verdict"] == Verdict.DIED
    endless = "def normalised(w):\n    while True: pass"
    assert judge(endless, "normalised", room, "90.2", limit=1.0)["verdict"] == Verdict.TIMEOUT


# -- what a check hands over, with a check and an answer of our own on the two ends of a line

WORDS = "genutils.check.lesson_test"  # functions of this module count as the check's own


def own(namespace: str) -> dict:
    """Names that a check defines."""
    names = {"__name__": WORDS, "np": np}
    exec(namespace, names)
    return names


@pytest.fixture
def line():
    """``line(function, learning=False)``: a `Remote` of a function that lives in a forked process."""
    children = []

    def new(function, learning: bool = False) -> Remote:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                ours.close()
                answer.serve(theirs)
            finally:
                os._exit(0)
        theirs.close()
        children.append((pid, ours))  # each child holds the lines before its own: it is ended, not left to notice
        wire.send(ours, cloudpickle.dumps(function))
        assert json.loads(wire.receive(ours))[0] == "value"
        line = remote.Line(ours, learning)
        line.deadline = time.monotonic() + 300  # no test of time: a machine may be busy
        return Remote(line, 0)

    yield new
    for pid, ours in children:
        ours.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_functions_of_the_check_are_lent(line):
    check = own("seen = []\ndef f(x):\n    seen.append(x)\n    return lambda y: x + y")
    assert line(lambda f: f(np.arange(3))(10))(check["f"]).tolist() == [10, 11, 12]
    assert [x.tolist() for x in check["seen"]] == [[0, 1, 2]]


def test_objects_of_the_check_are_lent_and_keep_their_secrets(line):
    check = own(
        "class Model:\n    truth, _hidden = 3, 4\n    def __init__(self):\n        self.asked = 0\n"
        "    def density(self, x):\n        self.asked += 1\n        return 2 * x\n"
        "    def __iter__(self):\n        yield from 'ab'"
    )
    model = check["Model"]()
    assert line(lambda m: (m.density(2.0), m.truth, list(m), m is not None))(model) == (4.0, 3, ["a", "b"], True)
    assert model.asked == 1
    for attempt in (lambda m: m._hidden, lambda m: m.density.__closure__, lambda m: m.density.__func__):
        with pytest.raises((AttributeError, wire.Lost)):
            line(attempt)(model)
    with pytest.raises(wire.Lost):  # not even by writing to the line itself
        line(lambda m: m._server.ask("get", m._id, "_hidden"))(model)
    with pytest.raises(wire.Lost):
        line(lambda m: m._server.ask("get", 7, "truth"))(model)


def test_a_function_of_the_check_may_change_its_argument(line):
    check = own("def step(x):\n    x += 1\n    return x")

    def walk(step):
        x = np.zeros(2)
        step(x)
        step(x)
        return x

    assert line(walk)(check["step"]).tolist() == [2, 2]


def test_an_answer_does_not_change_the_arrays_of_the_check(line):
    def spoil(x):
        x[:] = 0

    x = np.ones(3)
    line(spoil)(x)
    assert x.tolist() == [1, 1, 1]


def test_a_property_broken_in_a_function_of_the_check_cannot_be_swallowed(line):
    from genutils.check.expect import Wrong

    check = own("from genutils.check.expect import Wrong\ndef f(x):\n    raise Wrong('asked outside of the box')")

    def swallow(f):
        try:
            return f(0)
        except BaseException:
            return 1

    function = line(swallow)
    with pytest.raises(Wrong, match="outside of the box"):
        function(check["f"])
    assert not function._line.theirs and function(lambda x: 5) == 5


def test_other_errors_of_a_function_of_the_check_can_be_caught(line):
    check = own("def f(x):\n    raise ValueError('too large')")

    def careful(f):
        try:
            return f(0)
        except ValueError as error:
            return str(error)

    assert line(careful)(check["f"]) == "too large"


def test_a_generator_is_copied_and_moves_on(line):
    draw = line(lambda rng: rng.normal(size=3))
    assert np.array_equal(draw(np.random.default_rng(7)), np.random.default_rng(7).normal(size=3))
    rng = np.random.default_rng(7)
    first, second = draw(rng), draw(rng)
    assert not np.array_equal(first, second)
    seed = line(lambda rng: setattr(rng.bit_generator, "state", np.random.default_rng(1).bit_generator.state))
    seed(rng)
    assert not np.array_equal(rng.normal(size=3), np.random.default_rng(1).normal(size=3))
    check = own(
        "class Noise(np.random.Generator):\n    def normal(self, *a, **k):\n        raise ValueError('not this one')"
    )
    with pytest.raises(ValueError, match="not this one"):
        draw(check["Noise"](np.random.PCG64(3)))


def test_gradients_flow_through_an_answer(line):
    torch = pytest.importorskip("torch")

    def losses(x, y, scale):
        return (x * x * scale).sum(), x.detach().sum(), [torch.exp(y)]

    x, y = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True), torch.tensor([0.5], requires_grad=True)
    square, apart, (exponential,) = line(losses)(x, y, 3.0)
    assert type(square) is torch.Tensor and float(square) == 15.0 and not apart.requires_grad
    (by_x,) = torch.autograd.grad(square, x, retain_graph=True)
    assert by_x.tolist() == [6.0, 12.0] and by_x.dtype == torch.float64
    assert torch.autograd.grad(square, y, retain_graph=True, allow_unused=True) == (None,)
    (square * 2 + exponential.sum()).backward()
    assert x.grad.tolist() == [12.0, 24.0] and torch.allclose(y.grad, torch.exp(y))
    same, other = line(lambda a, b: (a * b, a is b))(x, x)  # one tensor handed over twice is one tensor
    assert other is True and torch.autograd.grad(same.sum(), x)[0].tolist() == [2.0, 4.0]


def test_a_gradient_of_another_shape_is_nonsense(line):
    torch = pytest.importorskip("torch")

    def lie(x):
        class Lie(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.sum()

            @staticmethod
            def backward(ctx, g):
                return torch.zeros(2)

        answer._gradients = lambda *a: [torch.zeros(3)]
        return Lie.apply(x)

    x = torch.ones(2, requires_grad=True)
    loss = line(lie)(x)
    with pytest.raises(wire.Lost):
        torch.autograd.grad(loss, x)


def test_weights_come_back_from_a_line_that_learns_and_from_no_other(line):
    torch = pytest.importorskip("torch")

    def step(net, optimizer, x):
        optimizer.zero_grad()
        net(x).sum().backward()
        optimizer.step()
        net.bias.requires_grad_(False)

    for learning in (True, False):
        net = torch.nn.Linear(2, 1)
        before = net.weight.detach().clone()
        line(step, learning)(net, torch.optim.SGD(net.parameters(), lr=0.5), torch.ones(4, 2))
        moved = before - 2.0 if learning else before
        assert torch.allclose(net.weight, moved) and net.bias.requires_grad is not learning
        assert (net.weight.grad is None) is not learning


def test_values_cross_unchanged():
    values = [
        None,
        True,
        3,
        2**200,
        -1.5,
        float("inf"),
        1 + 2j,
        "é",
        b"\0",
        [1, (2, {3})],
        {(1, 2): [np.float32(1.5)]},
        np.arange(6).reshape(2, 3),
        np.array(["a", "bc"]),
    ]

    def refuse(*what):
        raise ValueError(what)

    for value in values:
        back = wire.decode(json.loads(json.dumps(wire.encode(value, refuse))), refuse)
        assert type(back) is type(value) and repr(back) == repr(value)
    for bad in (["array", "|O8", [1], "AAAAAAAAAAA="], ["array", "<f8", [-1], "AAAAAAAAAAA="], ["getattr", []], [], {}):
        with pytest.raises(wire.Lost):
            wire.decode(bad, refuse)


# -- words


def test_judge_and_check_agree_about_time(monkeypatch):
    """The two ends of the time limit: the check stops an answer, and the judge knows it for what it is."""
    from genutils import check
    from genutils.check.expect import StillRunning

    def entropy_bits(p):
        time.sleep(60)

    assert clean._run(check, entropy_bits, "04.1", 1, 0.2)["verdict"] == Verdict.TIMEOUT
    with pytest.raises(StillRunning, match="0.2 seconds"):
        check.check(entropy_bits, "04.1", grading=True, limit=0.2)


@pytest.mark.parametrize("ran", [True, False])
def test_a_verdict_needs_both_the_notebook_and_the_judge(ran):
    for verdict in list(Verdict)[:8]:
        final, text = settle(ran, {"verdict": verdict, "says": "it is", "hint": "so"}, "")
        assert (final == Verdict.RIGHT) == (ran and verdict == Verdict.RIGHT)
        assert text and "{" not in text and (("hint: so" in text) == (verdict == Verdict.WRONG))
        if ran and verdict not in (Verdict.RIGHT, Verdict.TAMPERED, Verdict.LOST):
            assert final == Verdict.ONLY_INSIDE and text.startswith("passed inside the notebook")
    assert settle(ran, None, "")[0] == (Verdict.UNPICKLABLE if ran else Verdict.MISSING)
    assert settle(ran, None, "the kernel died")[0] == (Verdict.UNPICKLABLE if ran else Verdict.UNREACHED)
    assert set(TO_STUDENT) == set(Verdict) - {Verdict.ONLY_INSIDE} and set(TO_INSTRUCTOR) <= set(Verdict)


def test_clean_process_agrees_about_lesson_04(room):
    """Differently written right answers pass from outside too, and wrong ones fail there."""
    from tests.mutants import CANDIDATES, lesson_04

    cloudpickle.register_pickle_by_value(lesson_04)
    candidates = [c for c in CANDIDATES if c.exercise.startswith("04.")]
    said = []
    for found in (candidates[i : i + 16] for i in range(0, len(candidates), 16)):
        blobs = [base64.b64encode(cloudpickle.dumps(c.answer)).decode() for c in found]
        ids = [f"{c.exercise}#{i}" for i, c in enumerate(found)]
        jobs = [
            {"id": i, "exercise": c.exercise, "blob": b, "seeds": [3, 4], "mode": Mode.APART}
            for i, c, b in zip(ids, found, blobs, strict=True)
        ]
        verdicts = verify.verdicts(REPO, jobs, limit=20, preload=[], env=room.environment())
        said += [verdicts[i] for i in ids]
    for candidate, verdict in zip(candidates, said, strict=True):
        assert (verdict["verdict"] == Verdict.RIGHT) == (candidate.hint is None), (candidate, verdict)
    assert sum(c.hint is None for c in candidates) >= 6
