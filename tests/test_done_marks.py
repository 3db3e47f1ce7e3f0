"""Done marks: what staff are done with, in the terminal and at the desk, until the result changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.gradebook import Gradebook
from gradetape.grading.merging import merge
from gradetape.records import Cell, DoneMark, Grade, Verdict
from gradetape.report import basis_of
from tests.books import recorded
from tests.course import called
from tests.desk_client import DeskClient
from tests.factories import a_broken_file, a_tiny_grade

ALICE = "/staff/tiny/alice.html"
DASHBOARD = "/staff/tiny/index.html"
BY = ("--by", "Ana")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return recorded(tmp_path, a_tiny_grade(), a_tiny_grade("bob"), unreadable=(a_broken_file(),))


def record(course: Path, grade: Grade) -> None:
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(grade, "tiny")


def passed_now() -> Grade:
    """Alice's grade with another result in its second question."""
    grade = a_tiny_grade()
    one, two = grade.results
    results = (one, msgspec.structs.replace(two, verdict=Verdict.PASSED, points=2))
    return msgspec.structs.replace(grade, key="again", results=results)


def listed(course: Path) -> list[str]:
    return called(course, "done", "--list").stdout.splitlines()


def form(client: DeskClient, question: str | None = None) -> tuple[str, dict[str, str]]:
    """The form that marks Alice's submission, or a question of it."""
    return next(
        each for each in client.forms(ALICE) if each[0].endswith("/done") and each[1].get("question") == question
    )


def test_what_is_done_and_what_is_to_do_is_listed(course: Path) -> None:
    assert listed(course) == ["alice, tiny: to do", "bob, tiny: to do", "carol, tiny: to do"]
    assert called(course, "done", "ali", *BY).stdout == "alice: done in tiny.\n"
    assert called(course, "done", "carol", *BY).returncode == 0
    assert listed(course) == ["alice, tiny: done", "bob, tiny: to do", "carol, tiny: done"]
    assert "1 of 3 to do." in called(course, "done", "--list").stderr
    assert called(course, "done", "alice", "--undo", *BY).stdout == "alice: to do in tiny.\n"
    assert listed(course)[0] == "alice, tiny: to do"


def test_a_submission_is_done_when_each_of_its_questions_is(course: Path) -> None:
    assert called(course, "done", "alice", "--question", "q01", *BY).stdout == "alice, q01_double: done in tiny.\n"
    assert listed(course)[0] == "alice, tiny: 1 of 2 done"
    called(course, "done", "alice", "--question", "q02", *BY)
    assert listed(course)[0] == "alice, tiny: done"


def test_a_mark_is_void_once_the_result_has_changed(course: Path) -> None:
    called(course, "done", "alice", *BY)
    called(course, "done", "alice", "--question", "q01", *BY)
    record(course, passed_now())
    assert listed(course)[0] == "alice, tiny: changed since"
    page = DeskClient(course).get(ALICE).text
    assert "Ana marked this as done on 20" in page and "The result has changed since, so the mark is void." in page
    called(course, "done", "alice", *BY)
    assert listed(course)[0] == "alice, tiny: done"


def test_a_mark_of_a_question_is_for_its_cells_and_its_checks_alone() -> None:
    grade = a_tiny_grade()
    assert basis_of(passed_now(), "q01_double") == basis_of(grade, "q01_double")
    assert basis_of(passed_now(), "q02_halve") != basis_of(grade, "q02_halve")
    other = msgspec.structs.replace(grade, cells=(Cell(source="x = 1", question="q01_double"),), sha256="ef" * 32)
    assert basis_of(other, "q01_double") != basis_of(grade, "q01_double")
    assert basis_of(other, "q02_halve") == basis_of(grade, "q02_halve") and basis_of(other) != basis_of(grade)


def test_grading_again_with_the_same_result_overriding_and_commenting_leave_a_mark(course: Path) -> None:
    called(course, "done", "alice", *BY)
    record(course, msgspec.structs.replace(a_tiny_grade(), key="again", seconds=9.0))
    called(course, "override", "alice", "q02", "1", "--reason", "right idea", *BY)
    called(course, "comment", "alice", "--question", "q02", "Right idea.", *BY)
    assert listed(course)[0] == "alice, tiny: done"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the student, or list what is to do with --list"),
        (("zoe",), "The gradebook has no student 'zoe'"),
        (("alice", "--question", "q07"), "q07"),
    ],
)
def test_what_cannot_be_marked_is_explained(course: Path, arguments: tuple[str, ...], said: str) -> None:
    run = called(course, "done", *arguments)
    assert run.returncode == 2 and said in run.stderr


def test_of_several_assignments_one_is_named(course: Path) -> None:
    (course / "assignments" / "tiny").rename(course / "assignments" / "other")
    for part in ("solutions", "autograder"):
        if (course / part / "tiny").is_dir():
            (course / part / "tiny").rename(course / part / "other")
    record(course, a_tiny_grade())
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(a_tiny_grade(assignment="other"), "other")
    run = called(course, "done", "alice")
    assert (
        run.returncode == 2 and "the student has submissions to other, tiny: name one with --assignment" in run.stderr
    )


def test_at_the_desk_a_submission_and_a_question_are_marked_and_what_is_to_do_is_shown(course: Path) -> None:
    client = DeskClient(course)
    assert "3 to do" in client.get(DASHBOARD).text and "is:done" not in client.get(DASHBOARD).text
    to, fields = form(client)
    assert client.post(to, fields).headers["location"] == ALICE
    assert "Done: Ana, 20" in client.get(ALICE).text and "2 to do" in client.get(DASHBOARD).text
    to, fields = form(client)
    assert fields["done"] == "no" and client.post(to, fields).status_code == 303
    to, fields = form(client, "q02_halve.html")
    assert client.post(to, fields).headers["location"] == f"{ALICE}#q02halve"
    assert "1 of 2 done" in client.get(DASHBOARD).text
    to, fields = next(each for each in client.forms("/staff/tiny/carol.html") if each[0].endswith("/done"))
    assert client.post(to, fields).status_code == 303
    assert "2 to do" in client.get(DASHBOARD).text and "is:done" in client.get(DASHBOARD).text


def test_a_result_that_nobody_has_looked_at_is_not_marked(course: Path) -> None:
    client = DeskClient(course)
    forms = form(client), form(client, "q02_halve.html")
    record(course, passed_now())
    for to, fields in forms:
        answer = client.post(to, fields)
        assert answer.status_code in (400, 409) and "done" not in listed(course)[0]
    fields["token"] = form(client)[1]["token"]
    answer = client.post(to, fields)
    assert answer.status_code == 400 and "the result has changed since this page was made" in answer.text
    assert listed(course)[0] == "alice, tiny: to do"


def test_pages_in_the_folder_and_of_students_show_no_marks(course: Path) -> None:
    called(course, "done", "alice", *BY)
    called(course, "report")
    pages = [path.read_text("utf-8").partition("<main")[2] for path in (course / "results").rglob("*.html")]
    assert len(pages) > 5 and not any('class="done"' in page or "is:done" in page or "Ana" in page for page in pages)
    assert "Ana" not in DeskClient(course).get("/students/tiny/alice.html").text


def test_two_who_sit_at_different_desks_see_each_others_marks(tmp_path: Path, place: str) -> None:
    course = recorded(tmp_path, a_tiny_grade())
    if "://" in place:
        config = course / "grader_config.yml"
        config.write_text(f"{config.read_text()}\ngradebook: '{place}'\n")
        with Gradebook.open(place) as book:
            book.record(a_tiny_grade(), "tiny")
    one, other = DeskClient(course), DeskClient(course)
    to, fields = form(one)
    assert one.post(to, fields).status_code == 303
    assert "Done: Ana" in other.get(ALICE).text and "none to do" in other.get(DASHBOARD).text


def test_marks_are_merged_once_and_the_newest_counts(tmp_path: Path, place: str) -> None:
    course = recorded(tmp_path, a_tiny_grade())
    basis = basis_of(a_tiny_grade())
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade(), "tiny")
        for day, done in (("01", True), ("03", False)):
            at = f"2026-10-{day}T10:00:00+00:00"
            book.notes.mark("tiny", DoneMark(student="alice", question="", done=done, basis=basis, by="Bo", at=at))
    with Gradebook.open(course / "results" / "gradebook.sqlite") as own:
        at = "2026-10-02T10:00:00+00:00"
        own.notes.mark("tiny", DoneMark(student="alice", question="", done=True, basis=basis, by="Ana", at=at))
    assert merge(find(course), [place]).report.notes.done_marks == 2
    assert merge(find(course), [place]).report.notes.done_marks == 0
    assert listed(course) == ["alice, tiny: to do"]
