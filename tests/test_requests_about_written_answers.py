"""Regrade requests about written questions: imported like others, shown beside the answer, answered without points."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from gradetape.course.assignments import find
from gradetape.grading.results import Results
from gradetape.records import RegradeRequest
from tests.course import called, write_files
from tests.desk_client import DeskClient
from tests.regrading import grade
from tests.written_course import ESSAY, answered, with_essay

STAFF, MARKING = "/staff/tiny/alice.html", f"/written/tiny/{ESSAY}/alice.html"
TEXT = "I, Alice, did name the inverse. <b>Look</b>"
BY = ("--by", "Ana")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Alice, whose answer was marked, asks for another look at it, and at a question with checks."""
    course = with_essay(tmp_path / "course")
    write_files(course / "in", {"alice.ipynb": answered("It undoes it."), "bob.ipynb": answered("No.")})
    grade(course)
    called(course, "mark", "alice", "q03", "--item", "plot", "--by", "Ben")
    rows = f"student,question,text\nalice,q03,{TEXT!r}\nalice,q02,The sign.\n".replace("'", '"')
    run = called(course, "request", "import", write_files(course, {"r.csv": rows}) / "r.csv", *BY)
    assert run.returncode == 0, run.stderr
    return course


def request(course: Path) -> RegradeRequest:
    with Results.open(find(course)) as results:
        return next(each for each in results.book.notes.requests("tiny") if each.question == ESSAY)


def test_it_is_read_beside_the_answer_and_on_the_pages_of_the_student(course: Path) -> None:
    assert request(course).text == TEXT
    for reader in ("students", "staff"):
        page = html.unescape((course / "results" / reader / "tiny" / "alice.html").read_text("utf-8"))
        assert TEXT in page and "Not answered yet" in page
    client = DeskClient(course)
    assert 'href="../../staff/tiny/alice.html#q03why"' in client.get("/staff/tiny/index.html").text
    assert 'id="q03why"' in client.get(STAFF).text
    shown = client.get(MARKING).text
    assert html.escape(TEXT) in shown and f'href="{STAFF}#q03why">Answer the request' in shown
    assert "did name the inverse" not in client.get(MARKING.replace("alice", "bob")).text


def test_where_names_are_hidden_it_has_none_beside_the_answer(course: Path) -> None:
    client = DeskClient(course)
    client.cookie += "; gradetape-names=hidden"
    shown = client.get(MARKING).text
    assert "did name the inverse" in shown and "alice" not in shown.lower()


def test_it_is_answered_with_a_reason_alone_since_a_mark_gives_the_points(course: Path) -> None:
    number = str(request(course).number)
    run = called(course, "request", "answer", number, "4", "--reason", "Yes.", *BY)
    assert run.returncode == 2
    assert f"{ESSAY} is a written question, whose points only a mark gives. Mark it (gradetape mark " in run.stderr
    assert request(course).answered_at == ""
    client = DeskClient(course)
    to, fields = next(each for each in client.forms(STAFF) if each[1].get("entry") == number)
    assert client.get(STAFF).text.count("if they change") == 1
    answer = client.post(to, fields | {"reason": "You did."})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{STAFF}#q03why")
    assert (request(course).answer, request(course).points) == ("You did.", None)
    assert (
        "You did." in client.get("/students/tiny/alice.html").text
        and "Answer the request" not in client.get(MARKING).text
    )


def test_show_has_a_written_question_alone_with_its_request(course: Path) -> None:
    shown = called(course, "show", "alice", "--question", "q03")
    assert shown.returncode == 0, shown.stderr
    assert "q03 Why halve?: 2 of 4" in shown.stdout and "did name the inverse" in shown.stdout
    assert "Half" not in shown.stdout and "The sign." not in shown.stdout
    other = called(course, "show", "alice", "--question", "q02").stdout
    assert "Why halve?" not in other and "The sign." in other
