"""What the bench measures: lessons with their solutions in them, and the rows that git keeps."""

import json
import subprocess
from types import SimpleNamespace

import nbformat
import pytest
import torch

from tests.notebooks import LESSONS, SOLUTIONS, by_role
from tools import bench, bench_sampling, cards
from tools.build_book import run
from tools.solved import solved

STUB = 'def two():\n    """Two."""\n    raise NotImplementedError'


def written(path, *sources):
    """A notebook of code cells, those that define ``two`` without a stub being solutions."""
    found = [nbformat.v4.new_code_cell(source) for source in sources]
    for cell in found:
        if cell.source.startswith("def ") and cell.source != STUB:
            cell.metadata |= {"exercise": "90.1", "role": "solution"}
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=found), path)
    return path


@pytest.mark.parametrize(
    ("lesson", "solutions"), list(zip(LESSONS, SOLUTIONS, strict=True)), ids=lambda path: path.stem
)
def test_every_stub_is_replaced_and_nothing_else(lesson, solutions):
    given = nbformat.read(lesson, 4)
    kept, found = nbformat.writes(given), solved(given, solutions)
    assert nbformat.writes(given) == kept
    answers = by_role(solutions, "solution")
    for before, after in zip(given.cells, found.cells, strict=True):
        if before.metadata.get("role") == "stub":
            assert after.source.endswith("\n\n\n" + answers[before.metadata["exercise"]]["source"])
            assert after.id == before.id and after.metadata == before.metadata
        else:
            assert after == before


@pytest.mark.parametrize(("stubs", "count"), [((), 0), ((STUB, STUB), 2)], ids=["none", "two"])
def test_a_solution_without_its_one_stub_is_refused(tmp_path, stubs, count):
    lesson = written(tmp_path / "lessons" / "90_x.ipynb", "import math", *stubs)
    answers = written(tmp_path / "solutions" / "90_x.ipynb", "import math", "def two():\n    return 2")
    with pytest.raises(ValueError, match=rf"90_x.ipynb answers 'def two\(\):', which {count} stubs ask for"):
        solved(nbformat.read(lesson, 4), answers)


def test_a_solved_lesson_runs_its_solutions_and_a_wrong_one_is_told(tmp_path):
    """In grading mode, where a check that is not content raises."""
    answer = "def two():\n    return count * int(os.environ['GENUTILS_GRADING'])"
    lesson = written(tmp_path / "lessons" / "90_x.ipynb", "count = 2", STUB, "assert two() == 2, 'not two'")
    for path in (tmp_path / "genutils", tmp_path / "requirements.txt"):
        path.symlink_to(bench.ROOT / path.name)
    right = written(tmp_path / "solutions" / "90_x.ipynb", "import os", answer)
    assert run(str(lesson), None, solutions=right)[2] is None
    wrong = written(tmp_path / "solutions" / "90_x.ipynb", "import os", answer + " + 1")
    assert "AssertionError: not two" in run(str(lesson), None, solutions=wrong)[2]
    assert "NotImplementedError" in run(str(lesson), None)[2]


@pytest.mark.parametrize("part", ["lessons", "solved"])
def test_a_measurement_changes_its_own_rows(tmp_path, monkeypatch, capsys, part):
    row = {"seconds": [41.0, 50.0], "memory_mb": [300, 310], "runs": 2, "cpu_seconds": [1.0, 2.0]}
    asked = []

    def instead(command, **_):
        asked.append(command)
        return SimpleNamespace(returncode=0, stdout=json.dumps(row), stderr="")

    old = {"lessons": {}, "solutions": {}, "solved": {LESSONS[0].stem: {"runs": 7}, "99_gone": {"runs": 7}}}
    kept = tmp_path / "measured.json"
    kept.write_text(json.dumps(old), encoding="utf-8")
    monkeypatch.setattr(subprocess, "run", instead)
    monkeypatch.setattr(cards, "MEASURED", kept)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    stem = LESSONS[1].stem
    found = bench.measure_lessons(part, 2, [stem])
    short = {key: row[key] for key in ("seconds", "memory_mb", "runs")}
    folders = bench.PARTS[part]
    assert set(found) == {f"{folder}/{stem}" for folder in folders}
    assert f"--only {part} --lessons {stem} --runs 2" in found[f"{folders[0]}/{stem}"]["command"]
    want = {folder: {stem: short} if folder in folders else {} for folder in old}
    want["solved"] = {LESSONS[0].stem: {"runs": 7}} | want["solved"]
    assert cards.measured() == want
    assert [("--solutions" in command) for command in asked] == [folder == "solved" for folder in folders]
    assert ("where 30 are allowed" in capsys.readouterr().out) == (part == "lessons")


def test_operations_of_sampling_grow_with_the_length_or_with_its_square():
    lengths = (64, 128)
    found = bench_sampling.measure(lengths, repeats=1)
    for model in bench_sampling.MODELS:
        short, long = (found[f"{model}, {length} symbols"] for length in lengths)
        assert 2 <= long["cached_operations"] / short["cached_operations"] < 2.2
        assert 3.8 < long["naive_operations"] / short["naive_operations"] < 4.5  # what looks back costs a little more
        assert long["naive_seconds"] > long["cached_seconds"] > 0


def test_both_ways_of_sampling_draw_the_same():
    for make in bench_sampling.MODELS.values():
        torch.manual_seed(0)
        model = make(24).eval()
        with torch.no_grad():
            for p in model.parameters():  # nothing is zero, as after a few steps
                p.add_(0.2 * torch.randn(p.shape))
        assert torch.equal(bench_sampling._cached(model, 24), bench_sampling._naive(model, 24))
