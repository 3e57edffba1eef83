"""How an answer is judged and what can become of it: each once, with the words that student and instructor read."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How an exercise is judged, strictest first; `release` takes the first in which the solution passes."""

    APART = "apart"  # questioned from outside
    LEARNING = "learning"  # so, too; the weights of networks that it was handed come back changed
    INSIDE = "inside"  # in the process of the answer: protects less


class Verdict(StrEnum):
    """The judge finds the first eight; the last five also need to know what happened in the notebook."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"
    TIMEOUT = "timeout"
    DIED = "died"
    UNREADABLE = "unreadable"
    TAMPERED = "tampered"
    LOST = "lost"
    ONLY_APART = "only apart"
    ONLY_INSIDE = "only inside"
    UNPICKLABLE = "unpicklable"
    UNREACHED = "unreached"
    MISSING = "absent"


# What an answer that is judged inside its own process may say of itself.
CLAIMS = (Verdict.RIGHT, Verdict.WRONG, Verdict.NOT_ATTEMPTED, Verdict.TAMPERED)

TO_STUDENT = {
    Verdict.RIGHT: "is right: every property holds.",
    Verdict.WRONG: "not yet: {says}",
    Verdict.NOT_ATTEMPTED: "was not attempted",
    Verdict.TIMEOUT: "was still running when the time was up: a loop that never ends?",
    Verdict.DIED: "the process of your function ended before it answered",
    Verdict.UNREADABLE: "your function does not work outside of your notebook",
    Verdict.TAMPERED: "your function changes the library that checks it",
    Verdict.LOST: "could not be tested: the clean process failed; tell your instructor",
    Verdict.ONLY_APART: "failed when your notebook was run: does the function depend on, or change, something outside "
    "of it?",
    Verdict.UNPICKLABLE: "your function could not be carried out of the notebook; use plain values only",
    Verdict.UNREACHED: "was not reached: {says}",
    Verdict.MISSING: "no such function was found",
}
WRONG_APART = "passed inside the notebook, fails in a clean process: was check or a library changed? {says}"
FAILED_APART = "passed inside the notebook, but not in a clean process: {says}"

TO_INSTRUCTOR = {
    Verdict.ONLY_APART: "right alone, but fails in the notebook; look at it",
    Verdict.ONLY_INSIDE: "passed in the notebook only, not in a clean process: was check patched?",
    Verdict.UNPICKLABLE: "passed in the notebook, cannot be carried out of it; look at it",
    Verdict.TAMPERED: "changes the checker: tampering?",
    Verdict.TIMEOUT: "timeout in the hidden test",
    Verdict.DIED: "ended its own process",
    Verdict.LOST: "could not be tested: the clean process failed (is genutils complete? grade again)",
    Verdict.UNREADABLE: "does not work outside of the notebook",
}


def settle(ran: bool, found: dict | None, gone: str) -> tuple[Verdict, str]:
    """The verdict about an exercise and the sentence for the student.

    Args:
        ran: whether the test passed in the student's own notebook.
        found: what the judge says, with its keys ``verdict``, ``says`` and ``hint``; None if it had no answer to judge.
        gone: why the notebook's kernel had ended before, or "".
    """
    if found is None:
        verdict = Verdict.UNPICKLABLE if ran else Verdict.UNREACHED if gone else Verdict.MISSING
        return verdict, TO_STUDENT[verdict].format(says=gone)
    verdict, says = Verdict(found["verdict"]), found["says"] + (f" (hint: {found['hint']})" if found["hint"] else "")
    if verdict == Verdict.RIGHT and not ran:
        verdict = Verdict.ONLY_APART
    if not ran or verdict not in (
        Verdict.WRONG,
        Verdict.DIED,
        Verdict.UNREADABLE,
        Verdict.TIMEOUT,
        Verdict.NOT_ATTEMPTED,
    ):
        return verdict, TO_STUDENT[verdict].format(says=says)
    if verdict == Verdict.WRONG:
        return Verdict.ONLY_INSIDE, WRONG_APART.format(says=says)
    return Verdict.ONLY_INSIDE, FAILED_APART.format(says=TO_STUDENT[verdict])
