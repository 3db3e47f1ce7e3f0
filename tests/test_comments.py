"""Comments on answers: given and removed in the terminal and at the desk, read by the student, and kept."""

from __future__ import annotations

import html
from pathlib import Path

import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.gradebook import Gradebook
from gradetape.grading.feedback import feedback_pages
from gradetape.grading.merging import merge
from gradetape.grading.results import Results
from gradetape.grading.scores import exported_scores
from gradetape.records import Comment
from tests.books import recorded
from tests.course import called
from tests.desk_client import DeskClient
from tests.factories import NASTY, SECRET, a_broken_file, a_tiny_grade

ODD = "q02_halve::hidden::test_odd"
ALICE = "/staff/tiny/alice.html"
TEXT = "Look at the sign.\n\n<b>Then</b> it is right."
BY = ("--by", "Ana")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return recorded(tmp_path, a_tiny_grade(), a_tiny_grade("bob"), unreadable=(a_broken_file(),))


def given(student: str = "alice", text: str = TEXT, at: str = "2026-10-01T10:00:00+00:00") -> Comment:
    return Comment(student=student, question="q02_halve", text=text, by="Ana", at=at)


def comments(course: Path) -> list[Comment]:
    with Results.open(find(course)) as results:
        return results.book.notes.comments("tiny")


def page(course: Path, reader: str, student: str = "alice") -> str:
    return html.unescape((course / "results" / reader / "tiny" / f"{student}.html").read_text("utf-8"))


def form(client: DeskClient, action: str, check: str | None = None) -> tuple[str, dict[str, str]]:
    """The form of this action that is about the second question, or a check of it."""
    wanted = (each for each in client.forms(ALICE) if each[0].endswith(f"/{action}"))
    return next(each for each in wanted if each[1]["question"] == "q02_halve.html" and each[1].get("check") == check)


def test_a_comment_is_read_by_its_student_and_no_other(course: Path) -> None:
    run = called(course, "comment", "ali", "--question", "q02", TEXT, *BY)
    assert run.returncode == 0, run.stderr
    assert "alice, q02_halve: Look at the sign." in run.stdout and "Wrote the pages" in run.stdout
    assert TEXT in page(course, "students") and "Comment of the course staff, 20" in page(course, "students")
    assert "Ana" not in page(course, "students") and f"Comment of {BY[1]}, 20" in page(course, "staff")
    called(course, "report")
    assert "Look at the sign" not in page(course, "students", "bob") + page(course, "staff", "bob")


def test_a_comment_on_a_hidden_check_names_its_title_to_the_student_and_not_the_check(course: Path) -> None:
    run = called(course, "comment", "alice", "--question", "q02", "--check", "test_odd", "Odd numbers too.", *BY)
    assert f"alice, {ODD}: Odd numbers too.\n" in run.stdout
    assert "Comment of the course staff on “Odd.”" in page(course, "students")
    assert f"on <code>{ODD}</code>" in page(course, "staff")
    shown = called(course, "show", "alice").stdout
    assert "Comment on Odd. of the course staff" in shown and "Odd numbers too." in shown
    for text in (page(course, "students"), shown):
        assert "test_odd" not in text and SECRET not in text and "Ana" not in text
    assert f"Comment on {ODD} of Ana" in called(course, "show", "alice", "--staff").stdout


def test_a_comment_on_an_answer_that_cannot_be_read_is_shown(course: Path) -> None:
    assert called(course, "comment", "carol", "--question", "q01", "Hand in the notebook.", *BY).returncode == 0
    for text in (
        page(course, "students", "carol"),
        page(course, "staff", "carol"),
        called(course, "show", "carol").stdout,
    ):
        assert "Hand in the notebook." in text


def test_comments_are_listed_and_removed_by_their_numbers(course: Path) -> None:
    called(course, "comment", "alice", "--question", "q02", "first word", *BY)
    called(course, "comment", "bob", "--question", "q01", "second", *BY)
    listed = called(course, "comment", "--list").stdout.splitlines()
    assert [line.partition(":")[0] for line in listed] == ["1", "2"]
    assert listed[1].endswith("Ana, in tiny: bob, q01_double: second")
    assert called(course, "comment", "--list", "bob").stdout.splitlines() == listed[1:]
    removed = called(course, "comment", "--remove", "1", "--by", "Bo")
    assert removed.stdout.startswith("Removed: alice, q02_halve: first word.")
    assert "first word" not in page(course, "students") + page(course, "staff") + called(course, "show", "alice").stdout
    assert "by Bo]" in called(course, "comment", "--list").stdout
    again = called(course, "comment", "--remove", "1")
    assert again.returncode == 2 and "there is no comment with the number 1, or it was removed before" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("alice", "--question", "q02"), "the comment is empty: write a text that the student can read"),
        (("alice", "--question", "q02", " \n"), "the comment is empty: write a text"),
        (("alice", "--question", "q02", "x" * 10_001), "the comment has 10,001 characters: write at most 10,000"),
        (("alice", "text"), "name the student and the question: gradetape comment NAME --question"),
        (("alice", "--question", "q02", "--check", "test_even", "x"), "no check of q02_halve"),
        (("zoe", "--question", "q02", "x"), "The gradebook has no student 'zoe'"),
    ],
)
def test_what_cannot_be_commented_on_is_explained(course: Path, arguments: tuple[str, ...], said: str) -> None:
    run = called(course, "comment", *arguments, *BY)
    assert run.returncode == 2 and said in run.stderr
    assert comments(course) == [] and "There are no comments." in called(course, "comment", "--list").stderr


def test_a_comment_stays_when_the_submission_is_graded_again(course: Path) -> None:
    called(course, "comment", "alice", "--question", "q02", TEXT, *BY)
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(msgspec.structs.replace(a_tiny_grade(), key="again"), "tiny")
    called(course, "report")
    assert TEXT in page(course, "students")


def test_comments_are_in_what_platforms_and_students_get(course: Path) -> None:
    with Results.open(find(course)) as results:
        before = {each.student: each.comment for each in exported_scores(results, "tiny").scores}
        results.book.notes.comment("tiny", given())
        after = {each.student: each.comment for each in exported_scores(results, "tiny").scores}
        pages = {each.student: each.text for each in feedback_pages(results, "tiny").pages}
    assert "Comment of the course staff: Look at the sign. &lt;b&gt;Then&lt;/b&gt; it is right." in after["alice"]
    assert before["bob"] == after["bob"]
    assert "&lt;b&gt;Then&lt;/b&gt;" in pages["alice"] and "Look at the sign" not in pages["bob"]


def test_a_table_is_the_same_byte_for_byte_whatever_was_commented(course: Path) -> None:
    before = called(course, "export", "csv").stdout
    called(course, "comment", "alice", "--question", "q02", TEXT, *BY)
    assert called(course, "export", "csv").stdout == before


def test_at_the_desk_a_comment_is_added_and_removed(course: Path) -> None:
    client = DeskClient(course)
    to, fields = form(client, "comment")
    answer = client.post(to, fields | {"text": TEXT.replace("\n", "\r\n")})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ALICE}#q02halve")
    [comment] = comments(course)
    assert (comment.student, comment.question, comment.text, comment.by) == ("alice", "q02_halve", TEXT, "Ana")
    assert html.escape(TEXT, quote=False) in client.get(ALICE).text
    assert html.escape(TEXT, quote=False) in client.get("/students/tiny/alice.html").text
    to, fields = form(client, "remove-comment")
    assert client.post(to, fields).status_code == 303
    assert "Look at the sign" not in client.get(ALICE).text and comments(course)[0].removed_by == "Ana"


def test_at_the_desk_a_comment_on_a_check_is_about_that_check(course: Path) -> None:
    client = DeskClient(course)
    to, fields = form(client, "comment", ODD)
    assert client.post(to, fields | {"text": "Why?"}).status_code == 303
    assert comments(course)[0].check == ODD
    assert "test_odd" not in client.get("/students/tiny/alice.html").text


@pytest.mark.parametrize("entry", ["", "x", "-1", "1" * 40, "²"])
def test_a_form_that_names_no_comment_changes_nothing(course: Path, entry: str) -> None:
    client = DeskClient(course)
    client.post(form(client, "comment")[0], form(client, "comment")[1] | {"text": "first"})
    to, fields = form(client, "remove-comment")
    answer = client.post(to, fields | {"entry": entry})
    assert answer.status_code == 400 and "the form names nothing in the gradebook" in html.unescape(answer.text)
    assert comments(course)[0].removed_at == ""


def test_a_hostile_comment_is_shown_as_text(tmp_path: Path) -> None:
    hard = msgspec.structs.replace(a_tiny_grade(NASTY), key="n")
    course = recorded(tmp_path, a_tiny_grade(), hard)
    with Results.open(find(course)) as results:
        for student in ("alice", NASTY):
            results.book.notes.comment("tiny", given(student, NASTY))
        text = exported_scores(results, "tiny").scores[0].comment
        pages = [each.text for each in feedback_pages(results, "tiny").pages]
    client = DeskClient(course)
    for shown in (text, *pages, client.get(ALICE).text):
        assert "<script>alert(1)" not in shown and "<img src=x" not in shown and "\u202e" not in shown
        assert "&lt;script&gt;alert(1)" in shown


def test_two_who_sit_at_different_desks_see_each_others_comments(tmp_path: Path, place: str) -> None:
    course = recorded(tmp_path, a_tiny_grade())
    if "://" in place:
        config = course / "grader_config.yml"
        config.write_text(f"{config.read_text()}\ngradebook: '{place}'\n")
        with Gradebook.open(place) as book:
            book.record(a_tiny_grade(), "tiny")
    one, other = DeskClient(course), DeskClient(course)
    to, fields = form(one, "comment")
    assert one.post(to, fields | {"text": "from one"}).status_code == 303
    assert "from one" in other.get(ALICE).text
    to, fields = form(other, "remove-comment")
    assert other.post(to, fields).status_code == 303
    assert "from one" not in one.get(ALICE).text


def test_comments_are_merged_once_and_one_that_was_removed_is_removed(tmp_path: Path, place: str) -> None:
    course = recorded(tmp_path, a_tiny_grade())
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade("bob"), "tiny")
        for text in ("kept", "removed"):
            book.notes.comment("tiny", given("bob", text))
    first = merge(find(course), [place])
    assert first.report.notes.comments == 2
    assert merge(find(course), [place]).report.notes.comments == 0
    assert [each.text for each in comments(course)] == ["kept", "removed"]
    with Gradebook.open(place) as book:
        book.notes.remove_comment(2, "Bo")
    merge(find(course), [place])
    assert [(each.text, each.removed_by) for each in comments(course)] == [("kept", ""), ("removed", "Bo")]


def test_comments_go_with_a_student_who_is_renamed_or_removed(place: str) -> None:
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade(), "tiny")
        book.notes.comment("tiny", given())
        book.rename_student("alice", "Alice Doe", "Ana")
        assert [each.student for each in book.notes.comments("tiny")] == ["Alice Doe"]
        book.forget_student("Alice Doe", "Ana")
        assert book.notes.comments("tiny") == []


def test_the_comments_of_an_older_check_are_shown_with_their_question(course: Path) -> None:
    with Results.open(find(course)) as results:
        old = msgspec.structs.replace(given(text="about a check that is gone"), check="q02_halve::hidden::test_gone")
        results.book.notes.comment("tiny", old)
    student = html.unescape(DeskClient(course).get("/students/tiny/alice.html").text)
    assert "about a check that is gone" in student and "test_gone" not in student
