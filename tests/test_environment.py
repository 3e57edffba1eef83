"""The environment report: what is found, and what it says when something is missing."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest
import torch

from genutils import environment
from genutils.environment import Finding, Report, _package, _python


def test_this_environment_will_do():
    report = environment.environment()
    assert report.good, report
    names = [f.what for f in report.findings]
    assert names[0] == "Python" and {"torch", "numpy", "accelerator", "processor cores", "data"} <= set(names)
    assert "1,797 digits" in report.findings[-1].found


def test_pins_are_read_from_requirements():
    assert environment._pins()["torch"] == "2.13.0"


def test_a_missing_package_is_named_with_what_to_do(monkeypatch):
    found = _package("no-such-package", "magic", "1.2")
    assert not found.good and "needed for magic" in found.remedy and "pip install no-such-package==1.2" in found.remedy
    assert "pip install no-such-package`" in _package("no-such-package", "magic", None).remedy


def test_another_version_is_a_remark_and_no_error():
    found = _package("numpy", "arrays", "0.1")
    assert found.good and "made with 0.1" in found.remedy and found.found == importlib.metadata.version("numpy")


def test_an_old_python_is_refused():
    assert _python((3, 11, 0)).good and not _python((3, 10, 9)).good
    assert "3.11 or newer" in _python((3, 10, 9)).remedy


def test_without_torch_the_rest_is_still_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    report = environment.environment()
    accelerator = next(f for f in report.findings if f.what == "accelerator")
    assert not accelerator.good and not report.good and "tools.setup" in accelerator.remedy


def test_broken_data_are_reported(monkeypatch):
    import genutils.data

    monkeypatch.setattr(genutils.data, "digits", lambda: 1 / 0)
    found = environment._data()
    assert not found.good and "ZeroDivisionError" in found.found


def test_the_report_reads_in_a_notebook_and_in_a_terminal():
    report = Report((Finding("a", "1"), Finding("b", "none", False, "get one")))
    assert "| b | none | ✗ get one |" in report._repr_markdown_()
    assert repr(report) == "✓ a: 1\n✗ b: none. get one"


@pytest.mark.parametrize("kind, name", [("cuda", "A fast card"), ("mps", "Apple GPU"), (None, "none")])
def test_an_accelerator_is_named_and_none_is_needed(monkeypatch, kind, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: ["A fast card", "another"][i])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: kind == "mps")
    found = environment._accelerator()
    assert found.found == name and found.good and found.remedy


def test_one_core_will_do(monkeypatch):
    for cores in (1, 2):
        monkeypatch.setattr(environment.os, "sched_getaffinity", lambda pid, n=cores: range(n), raising=False)
        found = environment._cores()
        assert found.good and found.found.startswith(f"{cores}, ") and bool(found.remedy) == (cores == 1)


def test_cores_are_counted_where_a_system_does_not_say_which_may_be_used(monkeypatch):
    monkeypatch.delattr(environment.os, "sched_getaffinity", raising=False)
    for known, cores in ((3, 3), (None, 1)):
        monkeypatch.setattr(environment.os, "cpu_count", lambda n=known: n)
        assert environment._cores().found.startswith(f"{cores}, ")
