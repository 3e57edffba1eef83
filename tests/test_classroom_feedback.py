"""Feedback pages: what a student should read, and nothing that is not theirs to know, however it was printed."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbformat.v4 import new_output
from traitlets.config import Config

from tests import classroom_course as small
from tests import classroom_results as results
from tests.classroom_results import LESSON
from tools.classroom import feedback, suspicion
from tools.classroom.pages import escape, page
from tools.classroom.records import gradebook, records
from tools.classroom.verdict import Verdict

SPY = "<script>window.students_script_ran = true</script><img src='https://example.org/x' onerror='alert(1)'><form>"
FORMS = ["{0}", "{0:,}", "{0:x}", "{0:X}", "{0:_}", "{0:b}", "{0:o}"]


def printed(text: str) -> list:
    return [new_output("stream", name="stdout", text=text)]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = results.classroom(tmp_path_factory.mktemp("feedback"))
    right = {id: small.SOLVED[id] for id in results.POINTS}
    results.graded(room, "perfect", right | {"90.w": "Because of $\\log$ & additivity."})
    results.graded(
        room,
        "wrong",
        {"90.1": "def small_entropy(p):\n    return '<b>bold</b>'", "90.2": small.SOLVED["90.2"]},
        {"90.1": results.WRONG},
    )
    picture = new_output("display_data", data={"text/html": SPY, "image/png": "aGVsbG8="})
    results.graded(room, "spy", {"90.1": f"# {SPY}", "90.w": SPY}, outputs={"90.1": [picture]})
    with gradebook(room, LESSON) as book:
        book.update_or_create_student("perfect", first_name="Zoë", last_name="Ångström", email="zoe@uni.example")
        book.db.commit()
    return room


def write(room, student: str) -> str:
    (record,) = records(room, LESSON, [student])
    return feedback.write(room, LESSON, record)


def body(text: str) -> str:
    return text.partition("<body")[2]


def test_the_page_begins_with_name_score_and_what_is_open(room):
    text = body(write(room, "perfect"))
    assert text.index("Zoë Ångström") < text.index("6 of 10 points") < text.index("<table>") < text.index("<pre>")
    assert "Not graded yet: 90.w, 4 points" in text and "… not graded yet" in text and "0 of 4" not in text
    assert text.count("✓ right") == 6 and "surprise_of_each" in text  # the student's own code is shown
    assert "The end." not in text and "A small lesson" in text  # the lesson is not


def test_a_wrong_answer_comes_with_its_hint(room):
    text = body(write(room, "wrong"))
    assert "✗ not yet" in text and "the entropy of p is the mean surprise, in nats" in text
    assert "<b>Hint.</b> that is <code>bits</code>, not nats" in text
    assert "3 of 10 points" in text and text.count("– not attempted") == 4  # 90.3 and 90.w, above and below
    assert "NotImplementedError" not in text and "Your answer here" not in text


def test_score_and_comment_by_hand_and_the_penalty(room):
    results.graded(room, "late", {"90.2": small.SOLVED["90.2"], "90.w": "So."})
    with gradebook(room, LESSON) as book:
        book.find_grade(results.ESSAY, LESSON, LESSON, "late").manual_score = 2.5
        book.find_comment(results.ESSAY, LESSON, LESSON, "late").manual_comment = "Say <why>."
        book.find_submission_notebook(LESSON, LESSON, "late").late_submission_penalty = 1.5
        book.db.commit()
    text = body(write(room, "late"))
    assert "4 of 10 points" in text and "Handed in late" in text and "−1.5" in text
    assert "2.5 of 4" in text and "graded by hand" in text and "Say &lt;why&gt;." in text
    assert "Not graded yet" not in text


def test_nothing_a_student_wrote_is_more_than_text(room):
    text = write(room, "spy")
    policy = re.search('Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy and "form-action 'none'" in policy and "script-src 'none'" in policy
    assert not re.search(r"<(script|img|form|iframe|svg|link|base)\b", text) and "onerror=&#x27;" in text
    assert "aGVsbG8" not in text and "https:" not in re.sub("&lt;img src=&#x27;https:", "", text)


@pytest.mark.parametrize("form", FORMS)
def test_a_seed_is_withheld_in_any_shape(room, form):
    for exercise in room.manifest(LESSON)["exercises"].values():
        for text in (form.format(exercise["seed"]), " ".join(form.format(exercise["seed"]))):
            results.graded(room, "thief", {"90.1": "1"}, outputs={"90.1": printed(f"it is {text}!")})
            shown = write(room, "thief")
            assert feedback.WITHHELD in shown and "it is" not in body(shown), text
    results.graded(room, "thief", {"90.1": "1"}, outputs={"90.1": printed(f"it is {results.number()}!")})
    assert "it is" in write(room, "thief")


@pytest.mark.parametrize(
    "text",
    ["wrong", "Zoë Ångström: 6 points", "ZOË  ÅNGSTRÖM", "zoe@uni.example", "- 4 points if the word additivity occurs",
     "Because surprise adds up, says the model.", "everything_together = np.sum(w)", "the manifest's secret"],
)  # fmt: skip
def test_what_belongs_to_others_is_withheld(room, text):
    text = text.replace("the manifest's secret", room.manifest(LESSON)["secret"])
    results.graded(room, "reader", {"90.1": "1"}, outputs={"90.1": printed(text)})
    assert feedback.WITHHELD in write(room, "reader") and text not in body(write(room, "reader"))
    results.graded(room, "reader", {"90.1": "1"}, {"90.1": f"not yet: {text}"})
    assert feedback.WITHHELD in write(room, "reader") and escape(text) not in body(write(room, "reader"))


def test_own_names_and_ordinary_output_are_shown(room):
    results.graded(room, "reader", {"90.1": "1"}, outputs={"90.1": printed("reader: 17.25 is wrongly rounded")})
    assert "17.25" in write(room, "reader")


@pytest.mark.parametrize("sign", ["'", "\U0001f600", "a", "<"])
def test_a_page_is_small_whatever_is_handed_in(room, sign):
    much = {id: sign * 400_000 for id in [*results.POINTS, "90.w"]}
    said = {id: f"not yet: {sign * 400_000}" for id in results.POINTS}
    results.graded(room, "flood", much, said, {id: printed(sign * 400_000) for id in results.POINTS})
    assert len(write(room, "flood").encode()) < feedback.LARGEST


def test_control_characters_and_reversed_text_do_not_reach_the_page():
    assert escape("a\x00\x1b[31m\u202eb\ud800\r\n\tc\xa0d") == "a[31mb\n\tc d"
    assert escape("x" * 9, 4).startswith("xxxx\n…")
    assert "&lt;t&gt;" in page("<t>", "")


def test_formgraders_button_writes_the_same_page(room):
    """nbgrader's own converter, told by our settings and by nothing else; what lies beside a notebook is not copied."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    from tools.classroom.settings import configure

    (room.autograded / "wrong" / LESSON / "private.txt").write_text("hush")
    c = configure(Config(), str(room.root), str(room.folder / "nbgrader_config.py"))
    api = NbGraderAPI(CourseDirectory(config=c), config=c)
    said = api.generate_feedback(LESSON, "wrong")
    assert said["success"], said
    folder = room.feedback / "wrong" / LESSON
    assert [p.name for p in folder.iterdir()] == [f"{LESSON}.html"]
    assert (folder / f"{LESSON}.html").read_text() == write(room, "wrong")


def test_a_submission_that_cannot_be_graded_gets_a_page(room):
    text = feedback.refused(room, "gone<b>", LESSON, "no notebook (found <x>)").read_text()
    assert "gone&lt;b&gt;" in text and "found &lt;x&gt;" in text and "script-src 'none'" in text


def test_what_is_told_below_a_test_is_read_back(room):
    (record,) = records(room, LESSON, ["wrong"])
    answer = record.answers["90.1"]
    assert (answer.verdict, answer.says) == (Verdict.WRONG, "the entropy of p is the mean surprise, in nats")
    assert answer.hint == "that is `bits`, not nats"
    assert record.answers["90.2"].verdict == Verdict.RIGHT
    assert record.answers["90.3"].verdict == Verdict.NOT_ATTEMPTED


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_in_a_browser(room, browser, mode):
    """Formulas are drawn from the folder beside it, nothing else is loaded, and it fits on a telephone."""
    feedback.assets(room)
    file = room.feedback / "perfect" / LESSON / f"{LESSON}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(write(room, "perfect"), encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=mode)
    tab, errors, asked = context.new_page(), [], []
    tab.on("console", lambda message: errors.append(message.text))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    tab.wait_for_selector("mjx-container")
    assert errors == [] and all(url.startswith("file:") for url in asked)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)"
    assert dark == (mode == "dark")
    context.close()


# -- notes for a person


def noted(room, answers: dict[str, str], *own: str) -> list[str]:
    results.graded(room, "noted", answers, own=list(own))
    nb = nbformat.read(room.submitted / "noted" / LESSON / f"{LESSON}.ipynb", as_version=4)
    return suspicion.of(nb, room.manifest(LESSON), room.source / LESSON / f"{LESSON}.ipynb")


@pytest.mark.parametrize(
    "source",
    [
        "from genutils.information import entropy\ndef small_entropy(p):\n    return entropy(p)",
        "import genutils.information as gi\ndef small_entropy(p):\n    return gi.entropy(p)",
        "def small_entropy(p):\n    from genutils.information import entropy as h\n    return h(p)",
        "from genutils.information import entropy\nsmall_entropy = entropy",
    ],
)
def test_use_of_the_packages_own_function_is_noted(room, source):
    assert noted(room, {"90.1": source}) == ["90.1 uses genutils.information.entropy: is that the exercise?"]


def test_also_through_a_helper_in_another_cell(room):
    answer = "def small_entropy(p):\n    return mine(p)"
    helper = "from genutils.information import entropy\ndef mine(p):\n    return entropy(p)"
    assert noted(room, {"90.1": answer}, helper) == ["90.1 uses genutils.information.entropy: is that the exercise?"]


@pytest.mark.parametrize(
    "source, word",
    [
        ("print(open('/proc/self/maps').read())", "open(), /proc"),
        ("import sqlite3\nsqlite3.connect('x')", "sqlite3"),
        ("from tests.mutants import CANDIDATES", "tests.mutants.CANDIDATES"),
        ("import pathlib\npathlib.Path('../solutions/04_entropy.ipynb').read_text()", "solutions/"),
        ("!cat /proc/1/maps", "/proc"),
    ],
)
def test_reading_along_is_noted(room, source, word):
    (note,) = noted(room, {}, source)
    assert re.fullmatch(rf"cell \d+ names {re.escape(word)}: what for\?", note)


@pytest.mark.parametrize("source", [*small.ATTACKS.values(), "def check(*a):\n    pass", "import os\nos._exit(0)"])
def test_what_may_touch_the_checker_is_noted(room, source):
    assert any("may touch the checker" in note for note in noted(room, {}, source))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nfrom genutils.information import entropy\nprint(entropy(np.ones(3) / 3))",  # a look
        "import re\npattern = re.compile('solution of the equation')",
        "x = {}\nx['check'] = 1\nchecked = True",
        "def f(p):\n    '''Reads /proc/x, see solutions/ and sqlite3.'''\n    return p",
        "import torch\ntorch.manual_seed(0)\nopened = 3",
        "class A:\n    def __init__(self):\n        self.check = 3",
        "def f(:",
    ],
)
def test_honest_cells_are_not_noted(room, source):
    assert noted(room, {id: small.SOLVED[id] for id in results.POINTS}, source) == []
