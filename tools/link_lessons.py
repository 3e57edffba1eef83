"""Turn every "lesson NN" in the lessons into a link where lesson NN is in the book. Run it after adding a lesson."""

from __future__ import annotations

import re

import nbformat

from tools.lessons import lessons

MENTION = re.compile(r"(?<!\[)\b([Ll]esson (\d\d))\b(?![^\[\]]*\]\()")


def linked(text: str, own: str, stems: list[str]) -> str:
    """The text with its mentions as links, except of the lesson itself and of lessons that are not there yet."""
    by_number = {stem[:2]: stem for stem in stems if stem[:2] != own}

    def link(match: re.Match) -> str:
        stem = by_number.get(match[2])
        return f"[{match[1]}]({stem}.ipynb)" if stem else match[1]

    return MENTION.sub(link, text)


def main() -> None:
    paths = lessons()
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        before = [cell.source for cell in notebook.cells]
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = linked(cell.source, path.stem[:2], [p.stem for p in paths])
        count = sum(a != b.source for a, b in zip(before, notebook.cells, strict=True))
        if count:
            nbformat.write(notebook, path)
            print(f"{path.name}: links in {count} cells")


if __name__ == "__main__":
    main()
