"""What a learner sees, and what a grader gets, from check()."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from genutils.check import check, exercises, progress
from genutils.check import record as progress_file
from genutils.check.expect import (
    BITS,
    NATS,
    Wrong,
    brief,
    expect_close,
    expect_equal,
    expect_raises,
    expect_shape,
    is_distribution,
    number,
    numbers,
    pair,
    plain,
    unchanged,
)


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("GENUTILS_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("GENUTILS_GRADING", raising=False)
    return tmp_path / "progress.json"


def right(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def in_nats(p):
    p = p[p > 0]
    return -(p * np.log(p)).sum()


def stub(p):
    raise NotImplementedError


def broken(p):
    return p.no_such_attribute


def quits(p):
    raise SystemExit(0)


def endless(p):
    while True:
        pass


class TestReplies:
    def test_right_is_one_happy_line(self, capsys):
        check(right, "04.1")
        out = capsys.readouterr().out
        assert out.startswith("✓ 04.1 entropy_bits") and out.count("\n") == 1

    def test_wrong_says_expected_got_and_names_the_mistake(self, capsys):
        check(in_nats, "04.1")
        out = capsys.readouterr().out
        assert out.startswith("✗ 04.1")
        says = ("a fair coin carries one bit", "given: p = [0.5, 0.5]", "expected: 1", "got: 0.693147", "hint: ")
        for words in says:
            assert words.lower() in out.lower(), words
        assert "nats" in out

    def test_not_attempted_is_one_quiet_line(self, capsys):
        check(stub, "04.1")
        assert capsys.readouterr().out == "○ 04.1 entropy_bits: not attempted yet.\n"

    def test_a_learners_exception_is_shown_as_theirs_without_our_frames(self, capsys):
        check(broken, "04.1")
        out = capsys.readouterr().out
        assert "raised AttributeError" in out and "return p.no_such_attribute" in out
        assert "genutils/" not in out and "Traceback" not in out and out.count("\n") <= 3

    def test_system_exit_is_not_taken_for_success(self, capsys):
        check(quits, "04.1")
        assert "raised SystemExit" in capsys.readouterr().out
        with pytest.raises(Wrong, match="SystemExit"):
            check(quits, "04.1", grading=True)

    def test_whoever_grades_can_stop_the_grading(self):
        def entropy_bits(p):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            check(entropy_bits, grading=True)

    def test_an_endless_loop_can_be_interrupted(self, capsys, request):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs behind it
        request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        check(endless, "04.1")
        assert "was stopped while it was still running" in capsys.readouterr().out

    def test_html_is_escaped_and_has_a_status_role(self):
        from genutils.check import _examine

        report = _examine(lambda p: ["<script>"], exercises()["04.1"], 0, None, False)[0]
        page = report._repr_html_()
        assert "<script>" not in page and "&lt;script&gt;" in page and "role='status'" in page

    @pytest.mark.parametrize(
        "given, kind, words",
        [
            (3, TypeError, "takes the function itself"),
            ("entropy_bits", TypeError, "takes the function itself"),
            (lambda: 0, ValueError, "no exercise asks for a function named"),
        ],
    )
    def test_bad_arguments_get_the_remedy(self, given, kind, words):
        with pytest.raises(kind, match=words):
            check(given)

    def test_a_near_miss_of_the_name_is_suggested(self):
        def entropy_bit(p):
            return 0

        with pytest.raises(ValueError, match="did you mean entropy_bits"):
            check(entropy_bit)

    def test_an_unknown_id_lists_the_ids(self):
        with pytest.raises(ValueError, match=r"no exercise '99\.1'.*04\.1"):
            check(right, "99.1")


class TestGrading:
    def test_raises_unless_right(self):
        check(right, "04.1", grading=True)
        with pytest.raises(Wrong, match="nats"):
            check(in_nats, "04.1", grading=True)
        with pytest.raises(NotImplementedError, match="not attempted"):
            check(stub, "04.1", grading=True)

    def test_the_environment_switches_it_on(self, monkeypatch):
        monkeypatch.setenv("GENUTILS_GRADING", "1")
        with pytest.raises(Wrong):
            check(in_nats, "04.1")

    def test_an_endless_loop_is_stopped_in_time(self):
        start = time.perf_counter()
        with pytest.raises(Wrong, match="still running after 0.3 seconds"):
            check(endless, "04.1", grading=True, limit=0.3)
        assert time.perf_counter() - start < 3

    def test_leaves_no_progress(self, own_progress):
        check(right, "04.1", grading=True)
        assert not own_progress.exists()

    def test_the_seed_changes_the_inputs(self):
        seen = []

        def spy(p):
            seen.append(np.asarray(p).copy())
            return right(p)

        for seed in (0, 0, 1):
            check(spy, "04.1", seed=seed, grading=True)
        third = len(seen) // 3
        a, b, c = seen[:third], seen[third : 2 * third], seen[2 * third :]
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        assert any(not np.array_equal(x, y) for x, y in zip(a, c, strict=True))


class TestProgress:
    def test_what_was_right_stays_done(self, own_progress, capsys):
        check(in_nats, "04.1")
        assert json.loads(own_progress.read_text()) == {"04.1": "wrong"}
        check(right, "04.1")
        check(in_nats, "04.1")
        assert json.loads(own_progress.read_text()) == {"04.1": "right"}
        capsys.readouterr()
        progress("04")
        out = capsys.readouterr().out
        assert out.startswith("lesson 04  1 of ") and out.count("●") == 2  # one exercise and the legend

    def test_the_table_of_a_page_counts_and_names_each_exercise(self):
        table = progress_file.Table([("04.1", "a<b"), ("04.2", "c"), ("05.1", "d")], {"04.1": "right", "04.2": "wrong"})
        page = table._repr_html_()
        assert "<td>lesson 04</td><td>1 of 2</td>" in page and "<td>lesson 05</td><td>0 of 1</td>" in page
        assert "<span title='04.1 a&lt;b'>●</span> <span title='04.2 c'>◐</span>" in page and "○</span>" in page
        assert repr(table).splitlines()[:2] == ["lesson 04  1 of 2  ●◐", "lesson 05  0 of 1  ○"]

    def test_the_folder_is_made_with_the_file(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GENUTILS_PROGRESS", str(tmp_path / "mine" / "of 2026" / "progress.json"))
        progress_file.record("04.1", "right")
        assert progress_file.load() == {"04.1": "right"}

    def test_the_file_can_be_read_by_people_too(self, own_progress):
        for id in ("05.1", "04.2"):
            progress_file.record(id, "right")
        assert own_progress.read_text() == '{\n "04.2": "right",\n "05.1": "right"\n}'

    def test_a_damaged_file_is_kept_aside(self, own_progress, capsys):
        own_progress.write_text("{ not json")
        check(right, "04.1")
        assert "damaged" in capsys.readouterr().err
        assert own_progress.with_suffix(".damaged.json").read_text() == "{ not json"
        assert json.loads(own_progress.read_text()) == {"04.1": "right"}

    def test_no_permission_costs_one_line_and_not_the_lesson(self, tmp_path, monkeypatch, capsys):
        blocked = tmp_path / "blocked"
        blocked.write_text("a file where a folder is wanted")
        monkeypatch.setenv("GENUTILS_PROGRESS", str(blocked / "progress.json"))
        check(right, "04.1")
        captured = capsys.readouterr()
        assert "✓" in captured.out and "GENUTILS_PROGRESS" in captured.err and captured.err.count("\n") == 1

    def test_a_folder_that_may_not_be_read_costs_one_line_and_not_the_lesson(self, monkeypatch, capsys):
        def stat(path, **kwargs):  # root may read everything: the system's answer is played
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(pathlib.Path, "stat", stat)
        assert progress_file.load() == {}
        assert "cannot read" in (said := capsys.readouterr().err) and "set GENUTILS_PROGRESS to another file" in said

    def test_off_keeps_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GENUTILS_PROGRESS", "off")
        check(right, "04.1")
        assert progress_file.path() is None and not list(tmp_path.iterdir())

    def test_the_default_lies_beside_the_lessons(self, monkeypatch):
        monkeypatch.delenv("GENUTILS_PROGRESS")
        assert progress_file.path().name == "progress.json" and (progress_file.path().parent / "lessons").is_dir()

    def test_an_unknown_lesson_is_named(self):
        with pytest.raises(ValueError, match="no lesson '77'"):
            progress("77")

    def test_the_file_is_replaced_in_one_step(self, own_progress):
        check(right, "04.1")
        assert [p.name for p in own_progress.parent.iterdir()] == ["progress.json"]
        assert stat.S_ISREG(own_progress.stat().st_mode)


class TestExpect:
    def test_the_first_matching_mistake_is_named(self):
        with pytest.raises(Wrong) as info:
            expect_close(2.0, 1.0, "it is one", mistakes=[(3.0, "three"), (2.0, "doubled")])
        assert info.value.hint == "doubled"

    def test_shapes_matter(self):
        with pytest.raises(Wrong, match=r"shape \(2,\)"):
            expect_close(np.ones(3), np.ones(2), "two numbers")

    def test_nobody_expects_minus_zero(self):
        with pytest.raises(Wrong) as info:
            expect_close(1.0, -0.0, "nothing")
        assert info.value.expected == "0"

    def test_a_number_may_come_as_an_array_of_one(self):
        expect_close(np.ones((1, 1)), 1.0, "one")
        expect_close(np.full((1, 1), 1.01), 1.0, "one", rtol=0.1)
        expect_close(np.full((1, 1), 0.01), 0.0, "nothing", atol=0.1)

    def test_stubs_inside_stay_unattempted(self):
        def stub():
            raise NotImplementedError

        with pytest.raises(NotImplementedError):
            expect_raises(stub, ValueError, "no number")

    def test_two_things_are_two_and_what_came_is_counted(self):
        assert pair([1, 2], "two") == (1, 2) and pair(np.arange(2), "two") == (0, 1)
        for value, got in (((1, 2, 3), "tuple of 3"), ([1], "list of 1"), (7, "7"), (None, "None"), ({1, 2}, "set")):
            with pytest.raises(Wrong, match=f"two; given x; expected two things; got {got}; hint: end with"):
                pair(value, "two", "x")

    def test_probabilities_are_finite_not_negative_and_sum_to_one(self):
        assert is_distribution(np.array([0.0, 1.0])) and is_distribution(np.array([-1e-7, 1 + 1e-7]))
        for bad in ([-0.01, 1.01], [0.5, 0.4], [np.nan, 1.0], [[0.5, 0.5], [0.5, 0.6]]):
            assert not is_distribution(np.array(bad))

    def test_a_long_array_shows_both_ends(self):
        assert brief(np.arange(20.0)) == "[ 0. 1. 2. 3. ... 16. 17. 18. 19.]"
        assert brief(np.arange(12.0) / 3).count(".") == 12 and brief(2 / 3) == "0.666667"

    def test_a_shape_is_named_on_both_sides(self):
        expect_shape(np.ones((2, 3)), (2, 3), "two rows")
        with pytest.raises(
            Wrong, match=r"two rows; given x; expected shape \(2, 3\); got shape \(3, 2\); hint: turn it"
        ):
            expect_shape(np.ones((3, 2)), (2, 3), "two rows", given="x", hint="turn it")

    def test_arguments_that_were_written_into_are_noticed(self):
        a, b = np.array([1.0, np.nan]), np.arange(3)
        unchanged(a, a.copy())
        unchanged((a, b), (a.copy(), b.copy()))
        with pytest.raises(Wrong, match="arguments are left as they were; given x; hint: work on a copy"):
            unchanged([a, b], [a, b + 1], given="x")
        with pytest.raises(Wrong, match="stays; hint: copy b"):
            unchanged(b, b[::-1], "stays", hint="copy b")

        with pytest.raises(ValueError, match="shorter"):  # a check that forgot an argument
            unchanged([a, b], [a])

    def test_a_forgotten_return_is_named(self):
        with pytest.raises(Wrong, match="got None; hint: the function ended without a `return`"):
            numbers(None)

    def test_a_number_is_one_number(self):
        assert [number(2), number(np.float32(0.5)), number([[7]])] == [2.0, 0.5, 7.0]
        assert type(number(np.array([3]))) is float
        with pytest.raises(Wrong, match=r"a rate; given x; expected one number; got \[1. 1.\]"):
            number(np.ones(2), "a rate", given="x")

    def test_each_unit_has_a_hint_that_names_it(self):
        assert "in bits" in BITS and "in nats" in NATS and BITS != NATS

    def test_nan_is_never_close(self):
        with pytest.raises(Wrong, match="nan"):
            expect_close(np.nan, 1.0, "one")

    @pytest.mark.parametrize("value", [None, object(), {1: 2}, "1", [object()], [[1], [1, 2]], np.array(["a"])])
    def test_only_plain_numbers_are_numbers(self, value):
        with pytest.raises(Wrong):
            numbers(value)

    def test_subclasses_of_arrays_are_refused(self):
        class Sly(np.ndarray):
            def __array_wrap__(self, *a, **k):
                return np.True_

        with pytest.raises(Wrong):
            numbers(np.ones(2).view(Sly))

    def test_torch_tensors_are_numbers(self):
        torch = pytest.importorskip("torch")
        assert numbers(torch.ones(2, requires_grad=True)).tolist() == [1.0, 1.0]

    def test_equal_needs_the_same_type(self):
        expect_equal((1, 2), [1, 2], "a list")
        with pytest.raises(Wrong):
            expect_equal(1.0, 1, "an integer")
        with pytest.raises(Wrong):
            expect_equal("1", 1, "an integer")

    def test_plain_takes_numpy_apart(self):
        assert plain([np.int64(1), np.arange(2)], "") == [1, [0, 1]]

    def test_expect_raises_wants_the_stated_kind(self):
        expect_raises(lambda: int("x"), ValueError, "no number")
        with pytest.raises(Wrong, match="got TypeError"):
            expect_raises(lambda: int([]), ValueError, "no number")
        with pytest.raises(Wrong, match="got 1"):
            expect_raises(lambda: 1, ValueError, "no number")

    def test_brief_is_brief_even_for_hostile_objects(self):
        class Hostile:
            def __repr__(self):
                raise RuntimeError

        assert "Hostile" in brief(Hostile())
        assert len(brief("x" * 10_000)) <= 160


RELOADED = """
import importlib, numpy as np
import genutils.check
from genutils.check import check, expect, lesson_04

def in_nats(p):
    p = p[p > 0]
    return -(p * np.log(p)).sum()

def say(when):
    print(when, end=" ")
    check(in_nats, "04.1")

say("at first")
importlib.reload(expect)
say("after an edit of expect.py")
importlib.reload(lesson_04)
say("and of the check")
importlib.reload(genutils.check)
say("and of check itself")
from genutils.check import check
say("asked anew")
"""


def test_checks_that_are_edited_and_reloaded_say_the_same():
    done = subprocess.run([sys.executable, "-c", RELOADED], capture_output=True, text=True, encoding="utf-8")
    assert not done.returncode, done.stderr
    said = done.stdout.replace("\n    ", " | ").splitlines()
    assert len(said) == 5 and all("not yet" in line and "hint: that is in nats" in line for line in said), said


@pytest.mark.parametrize("without", ["no_grad", "inference_mode"])
def test_a_notebook_without_gradients_does_not_make_an_answer_wrong(without, capsys):
    torch = pytest.importorskip("torch")

    def answer(p):
        x = torch.ones(1, requires_grad=True)
        assert torch.get_default_dtype() == torch.float32 and torch.autograd.grad((2 * x).sum(), x)[0].item() == 2
        return right(p)

    torch.set_default_dtype(torch.float64)
    try:
        with getattr(torch, without)():
            check(answer, "04.1")
            assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert "✓" in capsys.readouterr().out
