"""How an answer is judged and what can become of it: each once, with the words that student and instructor read."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How an exercise is judged, strictest first; `release` takes the first in which the solution passes."""

    APART = "apart"  # questioned from outside
    LEARNING = "learning"  # so, too; the weights of networks that it was handed come back changed


class Verdict(StrEnum):
    """What became of an answer; only RIGHT earns points."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"
    TIMEOUT = "timeout"
    DIED = "died"
    UNREAD = "could not be read"
    LOST = "lost"
    UNREACHED = "unreached"
    MISSING = "absent"


TO_STUDENT = {
    Verdict.RIGHT: "is right: every property holds.",
    Verdict.WRONG: "not yet: {says}",
    Verdict.NOT_ATTEMPTED: "was not attempted",
    Verdict.TIMEOUT: "was still running when the time was up: a loop that never ends?",
    Verdict.DIED: "the process of your function ended before it answered",
    Verdict.UNREAD: "what your function returned could not be read: numbers, text, arrays, or lists of them?",
    Verdict.LOST: "could not be tested: the judge failed; tell your instructor",
    Verdict.UNREACHED: "was not reached: {says}",
    Verdict.MISSING: "no such function was found{says}",
}
TO_INSTRUCTOR = {
    Verdict.TIMEOUT: "timeout in the hidden test",
    Verdict.DIED: "ended its own process in the hidden test",
    Verdict.UNREAD: "returned what could not be read",
    Verdict.LOST: "could not be tested: the judge failed (is genutils complete? grade again)",
    Verdict.UNREACHED: "was not reached",
}


def found(verdict: Verdict, says: str = "", hint: str = "", notes: tuple[str, ...] = ()) -> dict:
    """What is known about an answer, as it is handed on: verdict, property or error, hint, notes for the instructor."""
    return {"verdict": verdict, "says": str(says)[:600], "hint": str(hint)[:300], "notes": list(notes)}


def words(about: dict) -> str:
    """The sentence for the student.

    >>> words(found(Verdict.WRONG, "the weights sum to one", "divide by their sum"))
    'not yet: the weights sum to one (hint: divide by their sum)'
    """
    hint = f" (hint: {about['hint']})" if about["hint"] else ""
    return TO_STUDENT[Verdict(about["verdict"])].format(says=about["says"] + hint)
