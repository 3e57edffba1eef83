"""House rules of notebooks: no outputs, one kernelspec, an anatomy, prose, live numbers, described figures."""

from __future__ import annotations

import ast
import json
import re

import nbformat
import pytest

from tests.notebooks import LESSONS, SOLUTIONS, cells, imports
from tools.lessons import lessons
from tools.link_lessons import linked

NOTEBOOKS = LESSONS + SOLUTIONS


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

    def test_every_code_cell_parses(self, path):
        for cell in cells(path):
            if cell["cell_type"] == "code":
                ast.parse(cell["source"])


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
class TestLesson:
    def test_opens_with_one_title_and_a_card(self, path):
        first = cells(path)[0]
        assert first["cell_type"] == "markdown" and first["source"].startswith("# ")
        for promise in ("You will be able to", "You need", "It runs"):
            assert promise in first["source"]
        titles = [c for c in cells(path) if c["cell_type"] == "markdown" and re.search(r"(?m)^# ", c["source"])]
        assert len(titles) == 1

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
