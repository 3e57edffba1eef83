"""House rules of notebooks: no outputs, one kernelspec, an anatomy, prose, live numbers, described figures."""

from __future__ import annotations

import ast
import json
import re
import time

import nbformat
import pytest

from tests.notebooks import LESSONS, SOLUTIONS, cells, imports
from tools import calibrate
from tools.cards import LINE, carded, measured, sentence
from tools.lessons import FURTHER, SITTING, core, heading, lessons, outline
from tools.link_lessons import linked

NOTEBOOKS = LESSONS + SOLUTIONS
#: How a caption names one of several panels by its place: "Left: ...", "On the right ...", "the upper panel".
SIDE = r"\b(Left|Middle|Right|Above|Below)[,:] |On the (left|right)|(left|right|upper|lower) panel"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
class TestNotebook:
    def test_is_valid_and_has_unique_cell_ids(self, path):
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        ids = [c["id"] for c in notebook.cells]
        assert len(ids) == len(set(ids))

    def test_has_no_outputs(self, path):
        for cell in cells(path):
            assert not cell.get("outputs") and cell.get("execution_count") is None

    def test_names_the_standard_kernel(self, path):
        metadata = json.loads(path.read_text())["metadata"]
        assert metadata["kernelspec"]["name"] == "python3"
        assert set(metadata) <= {"kernelspec", "language_info"}

    def test_cell_metadata_is_the_agreed_one(self, path):
        for cell in cells(path):
            assert set(cell["metadata"]) <= {"exercise", "role", "tags", "points"}
            assert ("exercise" in cell["metadata"]) == ("role" in cell["metadata"])

    def test_code_fits_the_page(self, path):
        for cell in cells(path):
            if cell["cell_type"] == "code":
                assert [line for line in cell["source"].splitlines() if len(line) > 100] == []

    def test_every_code_cell_parses(self, path):
        for cell in cells(path):
            if cell["cell_type"] == "code":
                ast.parse(cell["source"])


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
class TestLesson:
    def test_opens_with_one_title_and_a_card(self, path):
        first = cells(path)[0]
        assert first["cell_type"] == "markdown" and first["source"].startswith("# ")
        for promise in ("You will be able to", "You need", "It takes"):
            assert promise in first["source"]
        assert all(heading(path))
        titles = [c for c in cells(path) if c["cell_type"] == "markdown" and re.search(r"(?m)^# ", c["source"])]
        assert len(titles) == 1

    def test_the_card_says_what_was_measured(self, path):
        card, row = cells(path)[0]["source"], measured()["lessons"].get(path.stem)
        assert carded(card, row, core(path)[0]) == card, "run: python -m tools.cards"

    def test_is_one_sitting(self, path):
        words, count = core(path)
        assert words <= SITTING[0] and count <= SITTING[1], "cut, or move what is optional to '## Going further'"

    def test_what_is_optional_comes_last(self, path):
        text = "\n".join(c["source"] for c in cells(path) if c["cell_type"] == "markdown")
        assert FURTHER not in re.findall(r"(?m)^## .*", text)[:-1]

    def test_seeds_and_imports_in_the_first_code_cell(self, path):
        assert "default_rng(" in imports(path) or "manual_seed(" in imports(path)

    def test_at_least_half_of_the_cells_are_text(self, path):
        found = cells(path)
        text = [c for c in found if c["cell_type"] == "markdown"]
        assert len(text) >= 0.5 * len(found)
        assert sum(len(c["source"].split()) for c in text) >= 1200

    def test_asks_for_predictions_and_asserts_claims(self, path):
        sources = [c["source"] for c in cells(path)]
        assert sum("**Predict.**" in s for s in sources) >= 3
        assert sum(len(re.findall(r"\bclaim\(", s)) for s in sources) >= 5

    def test_every_figure_is_shown_with_words(self, path):
        for cell in cells(path):
            if cell["cell_type"] != "code":
                continue
            tree = ast.parse(cell["source"])
            calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
            named = [getattr(n.func, "id", getattr(n.func, "attr", "")) for n in calls]
            assert "plt.show" not in cell["source"]
            if "subplots" in named or "panels" in named:
                assert "show" in named, "a figure ends with show(fig, alt=..., caption=...)"
            for call in calls:
                if getattr(call.func, "id", "") == "show":
                    assert {"alt", "caption"} <= {k.arg for k in call.keywords}

    def test_panels_are_not_named_by_a_side(self, path):
        """A phone stacks `panels`: words that say "Left:" name a panel by its title, its order or what it shows."""
        for cell in cells(path):
            if cell["cell_type"] != "code" or "panels(" not in cell["source"]:
                continue
            for call in (n for n in ast.walk(ast.parse(cell["source"])) if getattr(n, "keywords", [])):
                for words in (k.value for k in call.keywords if k.arg in ("alt", "caption")):
                    said = " ".join(ast.unparse(words).replace("\\n", " ").split())
                    assert not re.search(SIDE, said), said

    def test_cites_its_sources_from_the_bibliography(self, path):
        keys = re.findall(r"\{cite[^}]*\}`([^`]+)`", "\n".join(c["source"] for c in cells(path)))
        bib = (path.parents[1] / "book" / "references.bib").read_text(encoding="utf-8")
        known = set(re.findall(r"@\w+\{([^,]+),", bib))
        cited = {k.strip() for group in keys for k in group.split(",")}
        assert len(cited) >= 3 and cited <= known, cited - known

    def test_no_line_of_prose_is_taken_for_a_comment(self, path):
        for cell in cells(path):
            assert cell["cell_type"] == "code" or not re.search(r"(?m)^\s*%", cell["source"])

    def test_lessons_that_are_named_are_linked(self, path):
        stems = [p.stem for p in lessons()]
        for cell in cells(path):
            if cell["cell_type"] == "markdown":
                source = cell["source"]
                assert linked(source, path.stem[:2], stems) == source, "run: python -m tools.link_lessons"

    def test_links_to_other_pages_lead_somewhere(self, path):
        for cell in cells(path):
            if cell["cell_type"] == "markdown":
                for target in re.findall(r"\]\(([^)#:\s]+\.(?:ipynb|md))", cell["source"]):
                    assert (path.parent / target).exists(), target


def test_lessons_about_models_have_something_to_debug():
    parts = [part for part in outline() if re.match("Part I[IV]+[. ]", part.caption)]
    stems = [lesson.stem for part in parts for lesson in part.lessons if lesson.written]
    assert len(stems) >= 5
    for path in LESSONS:
        text = " ".join(c["source"] for c in cells(path) if c["cell_type"] == "markdown")
        assert path.stem not in stems or re.search(r"(?i)\bdebug", text), path.stem


def test_the_first_figure_stands_at_the_top():
    for path in LESSONS:
        code = [c["source"] for c in cells(path) if c["cell_type"] == "code"]
        assert any(re.search(r"\b(show|play|live)\w*\(", source) for source in code[:3]), path.stem


class TestBudget:
    def test_a_third_more_is_let_pass(self):
        assert not calibrate.over_budget("lessons", 39.9) and not calibrate.over_budget("solutions", 46.6)
        assert calibrate.over_budget("lessons", 40.1).startswith("40 reference seconds, where 30 are allowed")
        assert calibrate.over_budget("solutions", 46.8)

    def test_seconds_are_scaled_by_the_core(self):
        assert calibrate.reference_seconds(20, 5.0) == 20
        assert calibrate.reference_seconds(20, 10.0) == 10  # a core half as fast
        assert calibrate.reference_seconds(20, 8.0, 12.0) == 10

    def test_the_workload_measures_processor_time_and_leaves_torch_as_it_was(self):
        torch = pytest.importorskip("torch")
        calibrate.figure(steps=1, repeats=1)  # what the first step loads is not counted
        torch.manual_seed(1)
        before, threads = torch.get_rng_state(), torch.get_num_threads()
        start = time.process_time()
        figure = calibrate.figure(steps=30, repeats=1)
        spent = time.process_time() - start
        assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
        assert 0.1 * spent < figure * 30 / calibrate.STEPS < spent


class TestCard:
    ROW = {"seconds": [19.2, 20.6], "memory_mb": [612, 655], "runs": 2}

    def test_the_range_is_rounded_outwards(self):
        assert "19 to 21 seconds to run on one core of an ordinary laptop, at most 660 MB" in sentence(self.ROW, 900)

    def test_minutes_to_read_come_in_steps_of_five(self):
        assert ["about 5 minutes" in sentence(None, words) for words in (10, 750, 751)] == [True, True, False]
        assert "about 25 minutes" in sentence(self.ROW, 3500)

    def test_without_a_measurement_it_says_so(self):
        assert "has not been measured" in sentence(None, 900)

    @pytest.mark.parametrize("line", ["> **It runs** long.", "> **It takes** 5."])
    def test_only_its_line_changes(self, line):
        text = f"# T: q?\n\n> **You need** x.\n>\n{line}\n> more"
        once = carded(text, self.ROW, 800)
        assert once == text.replace(line, sentence(self.ROW, 800))
        assert carded(once, None, 3000) == text.replace(line, sentence(None, 3000))

    @pytest.mark.parametrize("text", ["# T", "> **It takes** 1.\n> **It takes** 2."])
    def test_a_card_without_its_one_line_is_refused(self, text):
        with pytest.raises(ValueError, match="a card has one line that begins"):
            carded(text, None, 100)

    def test_what_git_keeps_was_measured_twice_and_is_of_lessons_that_exist(self):
        rows = measured()
        assert set(rows) == {"lessons", "solutions", "solved"} and LINE.pattern
        for folder, found in rows.items():
            assert set(found) <= {path.stem for path in LESSONS}
            for stem, row in found.items():
                (low, high), (small, large) = row["seconds"], row["memory_mb"]
                assert 0 < low <= high and 50 < small <= large < 8000 and row["runs"] >= 2
                assert not calibrate.over_budget(folder, low), stem
