"""Answers in words are read question by question, and their points come back to the text they were given for."""

from __future__ import annotations

import csv
import datetime
import io
import pathlib
import shutil

import pytest

from tests import classroom_course as small
from tests import classroom_results as results
from tests.classroom_results import LESSON
from tools.classroom import essays, similarity, statistics
from tools.classroom.__main__ import main
from tools.classroom.layout import Classroom, Problem
from tools.classroom.records import gradebook, records

TEXTS = {
    "ann": "Because <script>alert(1)</script> of additivity.",
    "=1+1": "-5 is no entropy.",
    "007": "Je ne sais pas, été.",
    "ben": "Because <script>alert(1)</script> of additivity.\n",
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Classroom:
    return results.classroom(tmp_path_factory.mktemp("essays"))


@pytest.fixture(scope="module")
def handed_in(empty, tmp_path_factory) -> Classroom:
    room = copy(empty, tmp_path_factory.mktemp("handed_in"))
    for student, text in TEXTS.items():
        results.graded(room, student, {"90.w": text, "90.2": small.SOLVED["90.2"]})
    results.graded(room, "silent", {"90.1": "def small_entropy(p):\n    return 1"}, {"90.1": results.WRONG})
    return room


@pytest.fixture
def room(handed_in, tmp_path) -> Classroom:
    """A classroom of a test's own; the course behind it is only read."""
    return copy(handed_in, tmp_path)


def copy(room: Classroom, folder: pathlib.Path) -> Classroom:
    shutil.copytree(room.folder, folder / "class")
    return Classroom(room.root, folder / "class")


def table(room) -> list[dict]:
    _, file = essays.write(room, LESSON)
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))


def read(room, rows: list[dict], separator: str = ",", encoding: str = "utf-8-sig"):
    out = io.StringIO()
    writer = csv.DictWriter(out, essays.HEAD, delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    file = room.folder / "filled.csv"
    file.write_bytes(out.getvalue().encode(encoding))
    return essays.read(room, LESSON, file)


def scores(room) -> dict[str, tuple]:
    return {r.student: (r.answers["90.w"].score, r.answers["90.w"].comment) for r in records(room, LESSON)}


def test_page_and_file_hold_every_answer_beside_rubric_and_model(room):
    html, _ = essays.write(room, LESSON)
    text = html.read_text()
    assert "if the word additivity occurs" in text and "says the model" in text and "MARK SCHEME" not in text
    assert text.count('<section class="essay"') == 4 and "silent" not in text
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
    assert "Word for word the same as ben." in text and "Word for word the same as ann." in text
    rows = table(room)
    assert {r["student"] for r in rows} == {"ann", "'=1+1", "007", "ben"}  # a spreadsheet computes nothing
    assert all(r["answer"].startswith("text-") and r["question"] == "90.w" and not r["score"] for r in rows)


def test_points_and_comments_come_back(room):
    rows = table(room)
    for row, score in zip(rows, ("4", "2,5", "0", ""), strict=True):
        row |= {"score": score, "comment": f"’tis {score}" if score else ""}
    taken, refused = read(room, rows, separator=";")
    assert (taken, refused) == (3, [])
    given = {r["student"].lstrip("'"): r for r in rows}
    for student, (score, comment) in scores(room).items():
        if student in given and given[student]["score"]:
            assert score == float(given[student]["score"].replace(",", ".")) and comment == given[student]["comment"]
        elif student in given:
            assert score is None
    again = {r["student"]: r["score"] for r in table(room)}
    assert sorted(again.values()) == ["", "0", "2.5", "4"]  # the next page knows them


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"score": "4.5"}, "4.5 is not between 0 and 4"),
        ({"score": "-1"}, "-1 is not between 0 and 4"),
        ({"score": "nan"}, "nan is not between 0 and 4"),
        ({"score": "two"}, "'two' is not a number"),
        ({"score": "1", "answer": "text-000000000000"}, "the answer has changed since"),
        ({"score": "1", "question": "90.1"}, "there is no such question; there are: 90.w"),
        ({"score": "1", "student": "nobody"}, "no answer to this question was handed in under that name"),
        ({"score": "1", "student": "silent"}, "no answer to this question was handed in under that name"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_name_and_the_others_count(room, change, reason):
    rows = table(room)
    rows = [next(r for r in rows if r["student"] == "ann") | change, next(r for r in rows if r["student"] == "ben")]
    rows[1] |= {"score": "3"}
    taken, (said,) = read(room, rows)
    assert taken == 1 and reason in said and rows[0]["student"] in said and "row 2" in said
    assert scores(room)["ben"][0] == 3 and scores(room)["ann"][0] is None


def test_a_text_that_was_handed_in_again_needs_another_look(room):
    rows = [r | {"score": "4"} for r in table(room) if r["student"] == "ann"]
    results.graded(room, "ann", {"90.w": "Something else."})
    taken, (said,) = read(room, rows)
    assert taken == 0 and "the answer has changed since" in said


def test_a_spreadsheet_may_eat_zeros_and_give_a_row_twice(room):
    (row,) = [r | {"score": "1"} for r in table(room) if r["student"] == "007"]
    taken, (said,) = read(room, [row | {"student": "7"}, row])
    assert taken == 1 and "a second row" in said and scores(room)["007"][0] == 1


def test_files_that_are_none(room):
    file = room.folder / "x.csv"
    for data, reason in (
        (b"", "needs a first row"),
        (b"name,points\na,1", "needs a first row"),
        ("é;".encode("latin-1"), "save it as 'CSV UTF-8'"),
    ):
        file.write_bytes(data)
        with pytest.raises(Problem, match=reason):
            essays.read(room, LESSON, file)
    with pytest.raises(Problem, match="cannot be read"):
        essays.read(room, LESSON, room.folder / "absent.csv")


@pytest.mark.browser
def test_the_page_is_filled_in_by_keyboard_and_saved(room, browser, tmp_path):
    html, _ = essays.write(room, LESSON)
    context = browser.new_context(accept_downloads=True)
    tab, errors = context.new_page(), []
    tab.on("console", lambda message: errors.append(message.text))
    tab.goto(html.as_uri())
    tab.locator(".essay input").first.focus()
    for key in ("3", "Enter", "1.5", "Tab"):
        tab.keyboard.press(key) if key in ("Enter", "Tab") else tab.keyboard.type(key)
    tab.keyboard.type('= "so, so"')
    tab.keyboard.press("Control+Enter")
    tab.keyboard.type("9")
    assert "3 of 4 have points" in tab.locator("#count").inner_text()
    tab.locator("#save").click()
    assert tab.evaluate("document.activeElement.value") == "9"  # too much: nothing is saved, the field is shown
    tab.keyboard.press("Backspace")
    tab.keyboard.type("0")
    with tab.expect_download() as download:
        tab.locator("#save").click()
    file = tmp_path / "saved.csv"
    download.value.save_as(file)
    assert errors == []
    assert essays.read(room, LESSON, file) == (3, [])
    order = [e.record.student for e in essays.collect(room, LESSON)["90.w"]]
    assert [scores(room)[s][0] for s in order] == [3, 1.5, 0, None] and scores(room)[order[1]][1] == '= "so, so"'
    tab.reload()  # what was typed is still there
    assert tab.locator(".essay input").first.input_value() == "3"
    context.close()


# -- statistics


def test_statistics_by_exercise(room, capsys):
    results.graded(room, "zed", {"90.1": "def small_entropy(p):\n    return 2"}, {"90.1": results.WRONG})
    results.graded(room, "yan", {"90.1": small.SOLVED["90.1"]})
    with gradebook(room, LESSON) as book:
        book.find_submission(LESSON, "zed").timestamp = datetime.datetime(2026, 3, 2, 23, 5)
        book.db.commit()
    (room.submitted / "yan" / LESSON / "timestamp.txt").write_text("2026-03-03 08:00:00.123456 UTC")
    summary = statistics.summarise(room, LESSON)
    first = summary.exercises[0]
    assert (first.tried, first.right, round(first.rate, 2)) == (3, 1, 0.33)
    assert first.hints == [("that is `bits`, not nats", 2)]
    assert summary.exercises[1].rate == 1 and summary.exercises[2].rate is None
    assert summary.exercises[3].tried == summary.exercises[3].open == 4 and summary.exercises[3].rate is None
    assert summary.hardest is first and sorted(summary.scores) == [0, 0, 2, 3, 3, 3, 3]
    assert summary.histogram() == [2, 0, 1, 4, 0, 0, 0, 0, 0, 0]
    assert summary.days == [("2026-03-02", 1), ("2026-03-03", 1)]
    statistics.show(summary)
    said = capsys.readouterr().out
    assert "mean 2.0, median 3" in said and "hardest: 90.1" in said and "not nats (2)" in said
    text = statistics.html(summary)
    assert text.count("<rect") == 12 and "script-src 'none'" in text and "hardest" in text


def test_nothing_to_add_up(empty):
    with pytest.raises(Problem, match="make grade LESSON=90_small"):
        statistics.summarise(empty, LESSON)


def test_a_copied_answer_is_on_the_page_side_by_side(room):
    odd = "def normalised(w):\n    {0} = 0.0\n    for i in range(len(w)):\n        {0} += w[i] * 1.0\n"
    odd += "    return [{1} / {0} for {1} in w]"
    for student, names in (("yan", ("z", "a")), ("zed", ("total", "x"))):
        results.graded(room, student, {"90.2": odd.format(*names)})
    students, _ = similarity.compare(room, LESSON)
    assert [(p.left, p.right) for p in students] == [("yan", "zed")]
    text = similarity.html(room, LESSON, students, [])
    assert "<mark>    for i in range(len(w)):</mark>" in text and "proves nothing" in text


def test_commands(room, capsys, monkeypatch):
    monkeypatch.setattr("tools.classroom.__main__.Classroom", lambda folder: room)
    for command in ("essays", "statistics", "similarity"):
        assert main([command, LESSON]) == 0
        assert (room.grades / LESSON / f"{command}.html").exists()
    assert main(["essays", LESSON, "--read", str(room.grades / LESSON / "essays.csv")]) == 0
    assert "0 scores and comments" in capsys.readouterr().out
