"""The judge: what it hands to an answer, what it believes, and what an answer cannot do to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import struct
import time

import numpy as np
import pytest

from tools.classroom import answer, remote, wire
from tools.classroom import judge as clean
from tools.classroom.handover import Remote
from tools.classroom.verdict import TO_INSTRUCTOR, TO_STUDENT, Mode, Verdict, found, words

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
                answer.Server(theirs, function).run()
            finally:
                os._exit(0)
        theirs.close()
        children.append((pid, ours))  # each child holds the lines before its own: it is ended, not left to notice
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


def test_what_a_check_has_bound_is_not_for_the_answer_to_give(line):
    check = own(
        "asked, truth = [], [3]\n"
        "def spied(t, asked=asked, *, truth=truth):\n    asked.append(t)\n    return t * truth[0]\n"
        "def any_number(*t, asked=asked):\n    asked.append(t)"
    )
    assert line(lambda f: f(2) + f(t=3))(check["spied"]) == 15
    for call in (lambda f: f(2, []), lambda f: f(2, asked=[]), lambda f: f(2, truth=[0])):
        with pytest.raises(TypeError, match="takes nothing else here"):
            line(call)(check["spied"])
    line(lambda f: f(4, 5))(check["any_number"])
    with pytest.raises(TypeError):
        line(lambda f: f(4, asked=[]))(check["any_number"])
    assert check["asked"] == [2, 3, (4, 5)]


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
        [np.float64(1.5), np.float64("inf")],  # many such travel as one array
        (np.bool_(True), np.bool_(False)),
        [np.float32(1.5), np.float64(1.5)],
        np.arange(6).reshape(2, 3),
        np.array(["a", "bc"]),
    ]

    def refuse(*what):
        raise ValueError(what)

    for value in values:
        back = wire.decode(json.loads(json.dumps(wire.encode(value, refuse))), refuse)
        assert type(back) is type(value) and repr(back) == repr(value)
    for bad in (
        ["array", "|O8", [1], "AAAAAAAAAAA="],
        ["array", "<f8", [-1], "AAAAAAAAAAA="],
        ["getattr", []],
        [],
        {},
        ["scalars", "set"],
    ):
        with pytest.raises(wire.Lost):
            wire.decode(bad, refuse)


# -- verdicts


def judged(line, function, id: str = "04.1", limit: float = 20.0) -> dict:
    """What becomes of a function that lives in a forked process."""
    ours = line(function)._line.socket
    return clean.judge([clean.Held(id, ours)], {id: {"mode": Mode.APART, "seeds": [5]}}, limit)[id]


def entropy(p):
    p = np.asarray(p, dtype=float)
    return float(-np.sum(p * np.log2(np.where(p > 0, p, 1))))


def test_an_answer_is_right_wrong_late_dead_or_not_to_be_read(line):
    assert judged(line, entropy)["verdict"] == Verdict.RIGHT
    assert judged(line, lambda p: 2 * entropy(p))["verdict"] == Verdict.WRONG
    assert judged(line, lambda p: os._exit(0))["verdict"] == Verdict.DIED
    assert judged(line, lambda p: time.sleep(60), limit=0.5)["verdict"] == Verdict.TIMEOUT

    def forge(p):
        for fd in range(3, 64):
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(fd).st_mode):
                    os.write(fd, struct.pack("!Q", 3) + b"{}x")

    assert judged(line, forge)["verdict"] == Verdict.UNREAD

    def attempt(p):
        raise NotImplementedError

    assert judged(line, attempt)["verdict"] == Verdict.NOT_ATTEMPTED


def test_a_reply_that_trickles_in_is_late_all_the_same():
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            theirs.sendall(struct.pack("!Q", 1000))
            while theirs.send(b" "):
                time.sleep(0.05)
        finally:
            os._exit(0)
    theirs.close()
    began = time.monotonic()
    for hears in (wire.Inbox(ours).next, lambda *limits: wire.hear(ours, *limits)):
        with pytest.raises(TimeoutError):
            hears(2**20, time.monotonic() + 0.3)
    ours.close()
    os.waitpid(pid, 0)
    assert time.monotonic() - began < 20


def test_the_better_of_two_answers_counts_and_that_is_said(line):
    jobs = {"04.1": {"mode": Mode.APART, "seeds": [5]}}

    def said(*functions, again=False):
        lines = [line(f)._line.socket for f in functions]
        held = [clean.Held("04.1", lines[0]), clean.Held("04.1", lines[1], "at the end", again)]
        return clean.judge(held, jobs, 20.0)["04.1"]

    assert said(lambda p: 0, entropy) == {"verdict": "right", "says": "", "hint": "", "notes": ["taken at the end"]}
    assert said(entropy, lambda p: 0)["notes"] == []
    assert said(lambda p: 0, lambda p: "no")["notes"] == []
    assert said(lambda p: 0, entropy, again=True)["verdict"] == Verdict.WRONG  # the same function, they say
    assert said(lambda p: nothing_of_this_name(p), entropy, again=True)["verdict"] == Verdict.RIGHT  # noqa: F821


def test_an_argument_that_was_written_into_is_noticed(line):
    """The answer gets copies; its end of the line says which of them are no longer as they were."""
    from genutils.check import expect

    def spoil(x):
        x[0] = x[0] + 1

    torch = pytest.importorskip("torch")
    for x in (np.ones(3), [1.0, 2.0], torch.ones(3)):
        expect.WRITTEN.clear()
        line(lambda x: x[0])(x)
        expect.unchanged([x], [x])
        line(spoil)(x)
        assert float(x[0]) == 1
        before = x if isinstance(x, list) else [x]
        with pytest.raises(expect.Wrong, match="left as they were"):
            expect.unchanged(before, before)
    expect.WRITTEN.clear()
    assert judged(line, lambda p: (entropy(p), p.fill(0))[0])["says"].startswith("your arguments are left")


# -- words


def test_judge_and_check_agree_about_time(line):
    """The two ends of the time limit: the check stops an answer, and the judge knows it for what it is."""
    from genutils import check
    from genutils.check.expect import StillRunning

    def entropy_bits(p):
        time.sleep(60)

    assert judged(line, entropy_bits, limit=0.2)["verdict"] == Verdict.TIMEOUT
    with pytest.raises(StillRunning, match="0.2 seconds"):
        check.check(entropy_bits, "04.1", grading=True, limit=0.2)


def test_the_time_of_the_check_is_not_the_answers(line):
    slow = own("import time\ndef f(x):\n    time.sleep(0.2)\n    return x")["f"]
    patient = line(lambda f: [f(k) for k in range(5)])
    patient._line.deadline = time.monotonic() + 0.9
    assert patient(slow) == [0, 1, 2, 3, 4] and patient._line.fault is None


def test_every_verdict_has_words():
    for verdict in Verdict:
        text = words(found(verdict, "it is", "so"))
        assert text and "{" not in text and ("hint: so" in text) == ("it is" in text)
    assert set(TO_STUDENT) == set(Verdict) and set(TO_INSTRUCTOR) < set(Verdict)


def test_judge_agrees_about_lesson_04(line):
    """Differently written right answers pass from outside too, and wrong ones fail there."""
    from tests.mutants import CANDIDATES, lesson_04

    assert lesson_04
    candidates = [c for c in CANDIDATES if c.exercise.startswith("04.")]
    for candidate in candidates:
        verdict = judged(line, candidate.answer, candidate.exercise)["verdict"]
        assert (verdict == Verdict.RIGHT) == (candidate.hint is None), (candidate, verdict)
    assert sum(c.hint is None for c in candidates) >= 6
