"""The ids of graded cells: nbgrader's name of an exercise's answer, test or question, made and read here only."""

from __future__ import annotations

import re

ANSWER, TEST, QUESTION = "answer", "test", "question"
_KINDS = f"{ANSWER}|{TEST}|{QUESTION}"
PATTERN = rf"ex-(?P<lesson>\d+)-(?P<number>\w+)-(?P<kind>{_KINDS})"  # as it stands in nbgrader's pages


def grade_id(exercise: str, kind: str) -> str:
    """The id of a graded cell of an exercise.

    >>> grade_id("04.10", TEST)
    'ex-04-10-test'

    Raises:
        ValueError: if no exercise could be read back from it.
    """
    id = f"ex-{exercise.replace('.', '-')}-{kind}"
    if parse(id) != (exercise, kind):
        raise ValueError(f"{exercise!r} and {kind!r} make no id of a graded cell; exercises are named NN.k")
    return id


def parse(id: str) -> tuple[str, str] | None:
    """Exercise and kind of a graded cell, from its id; None if it is none of ours.

    >>> parse("ex-04-w-answer")
    ('04.w', 'answer')
    """
    found = re.fullmatch(PATTERN, id)
    return found and (f"{found['lesson']}.{found['number']}", found["kind"])
