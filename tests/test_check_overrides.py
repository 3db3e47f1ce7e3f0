"""Overrides of single checks in the terminal: for one student, or for all whose failures are alike."""

from __future__ import annotations

import html
from pathlib import Path

import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.grading.question_overrides import of_questions
from gradetape.grading.results import Results
from gradetape.grading.scores import exported_scores
from gradetape.records import Override, Status, Verdict
from tests.books import recorded
from tests.course import called
from tests.factories import SECRET, a_broken_file, a_tiny_grade

ODD = "q02_halve::hidden::test_odd"
WHY = ("--reason", "the sign was not asked for", "--by", "Ana")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Ada and Bob fail a check alike, and Eve in another way."""
    eve = a_tiny_grade("eve")
    others = tuple(
        msgspec.structs.replace(each, staff_message="TypeError") if each.message == SECRET else each
        for each in eve.results
    )
    return recorded(tmp_path, a_tiny_grade("ada"), a_tiny_grade("bob"), msgspec.structs.replace(eve, results=others))


def page(course: Path, *place: str) -> str:
    return html.unescape((course / "results").joinpath(*place).read_text("utf-8"))


def given(question: str, points: float, reason: str = "typo", at: str = "2026-10-01T10:00") -> Override:
    return Override(student="ada", question=question, points=points, reason=reason, by="Ana", at=at)


def test_all_whose_failures_are_alike_get_the_points_of_the_check(course: Path) -> None:
    run = called(course, "override", "ada", "q02", "1.5", "--check", "test_odd", "--alike", *WHY)
    assert run.returncode == 0, run.stderr
    lines = [f"{student}: 1.5 points for {ODD} (the sign was not asked for)." for student in ("ada", "bob")]
    assert run.stdout.splitlines()[:2] == lines
    assert "eve" not in run.stdout
    student = page(course, "students", "tiny", "bob.html")
    at_the_check = student.partition("<h3>Odd.</h3>")[2].partition("</li>")[0]
    assert "1.5 of 2 points" in at_the_check
    assert "1.5 points instead of 0, set by the course staff: the sign was not asked for" in at_the_check
    assert "test_odd" not in student and "Ana" not in student
    question = page(course, "staff", "tiny", "questions", "q02_halve.html")
    assert question.count("<p>Ana set 1.5 points on ") == 1
    assert question.count('failed; Ana set 1.5 points: the sign was not asked for"') == 2


def test_a_check_of_one_student_is_overridden_listed_and_undone(course: Path) -> None:
    called(course, "override", "ada", "q02", "1", "--check", "hidden::test_odd", *WHY)
    assert f"ada: 1 point for {ODD}" in called(course, "override", "--list").stdout
    shown = called(course, "show", "ada").stdout
    assert "4 of 5" in shown and "1/2  Odd." in shown
    assert "1 instead of 0, set by the course staff: the sign was not asked for" in shown and "Ana" not in shown
    assert "1 instead of 0, set by Ana at 20" in called(course, "show", "ada", "--staff").stdout
    undone = called(course, "override", "ada", "q02", "--undo", "--check", "test_odd", "--by", "Bo")
    assert undone.stdout.startswith(f"Undone: ada: 1 point for {ODD}")
    again = called(course, "override", "ada", "q02", "--undo", "--check", "test_odd")
    assert "Ana set" not in page(course, "staff", "tiny", "ada.html")
    assert again.returncode == 2 and f"there is no override of {ODD} in force" in again.stderr


def test_a_check_that_passed_is_listed_once_its_points_are_changed(course: Path) -> None:
    called(course, "override", "ada", "q01", "2", "--check", "test_two", *WHY)
    staff = page(course, "staff", "tiny", "ada.html")
    assert "2 of 3 points (3 from the check)" in staff and "Ana set 2 points on " in staff
    assert "the check passed" in staff
    assert "2 points instead of 3, set by the course staff" in page(course, "students", "tiny", "ada.html")


def test_the_points_of_one_check_do_not_stand_for_another_that_was_not_judged(tmp_path: Path) -> None:
    grade = a_tiny_grade("ada")
    odd, even = grade.results[1], msgspec.structs.replace(grade.results[1].check, name="test_even")
    faults = [msgspec.structs.replace(odd, verdict=Verdict.FAULT, check=check) for check in (odd.check, even)]
    course = recorded(tmp_path, msgspec.structs.replace(
        grade, results=(grade.results[0], *faults), status=Status.NEEDS_ATTENTION, attention=("a fault",)
    ))  # fmt: skip

    def points() -> float | None:
        with Results.open(find(course)) as results:
            return exported_scores(results, "tiny").scores[0].points

    called(course, "override", "ada", "q02", "1", "--check", "test_odd", *WHY)
    assert points() is None
    called(course, "override", "ada", "q02", "2", "--check", "test_even", *WHY)
    assert points() == 6.0


def test_undoing_a_question_undoes_the_newest_override_of_it_or_of_its_checks(course: Path) -> None:
    called(course, "override", "ada", "q02", "1", "--check", "test_odd", *WHY)
    assert called(course, "override", "ada", "q02", "--undo").stdout.startswith(f"Undone: ada: 1 point for {ODD}")


def test_who_has_an_override_of_the_whole_question_keeps_it(course: Path) -> None:
    called(course, "override", "bob", "q02", "2", *WHY)
    run = called(course, "override", "ada", "q02", "1", "--check", "test_odd", "--alike", *WHY)
    assert "bob has an override of the whole question, which decides." in run.stderr and "bob" not in run.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("ada", "q02", "1", "--check", "test_even"),
            "no check of q02_halve. Write one of these: hidden::test_odd",
        ),
        (("ada", "q01", "1", "--check", "test_two", "--alike"), "no failure of others can be like it"),
        (("ada", "q02", "9", "--check", "test_odd"), "is worth 0 to 2 points, not 9"),
        (("ada", "q02", "--check", "test_odd"), "no points were given: write them after the question"),
        (("ada", "q02", "1", "--alike"), "--alike is about the failures of one check"),
    ],
)
def test_what_is_asked_for_in_vain_is_explained(course: Path, arguments: tuple[str, ...], said: str) -> None:
    run = called(course, "override", *arguments, *WHY)
    assert run.returncode == 2 and said in run.stderr
    assert called(course, "override", "--list").stdout == ""


def test_a_check_without_a_reason_is_refused(course: Path) -> None:
    run = called(course, "override", "ada", "q02", "1", "--check", "test_odd")
    assert run.returncode == 2 and "give a reason, which the student can read" in run.stderr


def test_overrides_of_checks_become_one_of_their_question() -> None:
    grade = a_tiny_grade("ada")
    twice = [given(ODD, 2.0), given(ODD, 1.0, "less", "2026-10-02T10:00")]
    [one] = of_questions(twice, grade)
    assert (one.question, one.points, one.reason) == ("q02_halve", 1.0, "less")
    assert one.checks == (twice[1],)
    both = of_questions([given("q01_double::public::test_two", 1.0), *twice], grade)
    assert {each.question: each.points for each in both} == {"q01_double": 1.0, "q02_halve": 1.0}
    assert of_questions([given("q02_halve", 0.5), *twice], grade) == [given("q02_halve", 0.5)]
    assert of_questions([given("q02_halve::hidden::test_gone", 2.0)], grade) == []
    assert of_questions(twice, a_broken_file("ada")) == []
