"""What a lesson says about its own numbers, in a terminal and in a notebook."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys

import IPython
import numpy as np
import pytest

from genutils import lesson
from genutils.lesson import Markdown, claim, say, source


def documented(x):
    """One line."""

    def inner():
        """Another."""
        return x

    return inner


class Documented:
    """Of a class."""

    value = 1

    def method(self):
        """Of a method."""
        return "kept"


class Undone:
    """All there is."""


def test_a_sentence_is_shown_without_its_indentation(capsys):
    say(
        """
        First line,
          second.
        """
    )
    assert capsys.readouterr().out == "First line,\n  second.\n"


def test_a_line_that_begins_with_a_percent_is_escaped_and_no_other(capsys):
    say("5 % of it\n  % is\n%")
    assert capsys.readouterr().out == "5 % of it\n  \\% is\n\\%\n"


@pytest.mark.parametrize("true", [True, np.True_])
def test_a_claim_that_holds_is_shown(capsys, true):
    claim(true, "  it holds")
    assert capsys.readouterr().out == "\u2713 it holds\n"


@pytest.mark.parametrize("false", [False, np.False_])
def test_a_claim_that_fails_stops_the_lesson_and_shows_nothing(capsys, false):
    with pytest.raises(AssertionError, match="this claim does not hold here: pigs fly"):
        claim(false, "pigs fly")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("vague", [1, "yes", np.ones(2) > 0, [True], None])
def test_a_claim_is_a_plain_truth_value(vague):
    with pytest.raises(TypeError, match="was given " + type(vague).__name__):
        claim(vague, "anything")


def test_in_a_notebook_it_is_shown_richly(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(IPython, "get_ipython", object)
    monkeypatch.setattr(IPython.display, "display", shown.append)
    say("rich")
    assert [m._repr_markdown_() for m in shown] == ["rich"] and capsys.readouterr().out == ""


def test_markdown_reads_as_itself():
    assert repr(Markdown("a *b*")) == Markdown("a *b*")._repr_markdown_() == "a *b*"


def test_source_without_its_docstrings(capsys):
    source(documented)
    said = capsys.readouterr().out
    assert said.startswith("```python\ndef documented(x):\n") and said.endswith("    return inner\n```\n")
    assert "return x" in said and "One line" not in said and "Another" not in said
    source(Documented)
    said = capsys.readouterr().out
    assert "Of a" not in said and "value = 1" in said and 'return "kept"' in said


def test_source_with_its_docstrings_and_a_body_that_is_one(capsys):
    source(documented, docstring=True)
    assert '"""One line."""' in capsys.readouterr().out
    source(Documented.method, docstring=True)
    assert capsys.readouterr().out.startswith("```python\ndef method(self):\n")  # not indented
    source(Undone)
    assert "All there is." in capsys.readouterr().out  # without it the class would have no body


def test_what_numba_compiled_and_what_has_no_source(capsys):
    class Compiled:
        py_func = staticmethod(documented)

    source(Compiled)
    assert "def documented" in capsys.readouterr().out
    with pytest.raises(TypeError, match="has no source to show"):
        source(math.sqrt)


def test_a_run_says_what_it_took(monkeypatch, capsys):
    monkeypatch.setattr(lesson, "_STARTED", lesson.time.perf_counter() - 7)
    lesson.took()
    said = capsys.readouterr().out
    assert re.fullmatch(r"\*This run took 7 seconds( and at most [\d,]+ MB of memory)?, on .* cores\.\*\n", said)
    megabytes = int(said.split("at most ")[1].split(" MB")[0].replace(",", ""))
    assert 30 < megabytes < 50_000


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_terminal_without_the_check_mark_gets_it_in_letters(encoding):
    code = """
import numpy as np
from genutils import claim, say
from genutils.check import check, progress
claim(True, 'x -> y')
say('Zürich, α and 東京')
def right(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()
check(right, "04.1")
check(lambda p: 0, "04.1")
progress("04")
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "GENUTILS_PROGRESS": "off"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert not done.returncode, done.stderr.decode()
    said = done.stdout.decode(encoding).splitlines()
    assert said[0] == ("✓ x -> y" if encoding == "utf-8" else "[right] x -> y")
    assert said[2].startswith("✓ 04.1" if encoding == "utf-8" else "[right] 04.1")
    assert said[3].startswith("✗ 04.1" if encoding == "utf-8" else "[wrong] 04.1")
    assert "Zürich" in said[1] or encoding == "ascii"
