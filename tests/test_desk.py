"""The grader's desk: a gradebook that is there already, shown in the terminal, as pages and as a table."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gradetape.gradebook import Gradebook
from gradetape.records import Check, CheckResult, Grade, Question, Status, Unreadable, Verdict
from tests.course import command, gradetape, tiny

SECRET = "expected 2.5, which only staff may know"
NAMES = ["alice", "Zoë van der Berg", "a/b\\c", "🎓 José", "\u202eesrever", "=SUM(A1)", "[bold]x[/bold]", "-rf"]


def a_grade(student: str, assignment: str = "tiny") -> Grade:
    checks = {
        "test_two": Check(question="q01_double", name="test_two", public=True, title="Two.", hint="H1.", points=3),
        "test_odd": Check(question="q02_halve", name="test_odd", public=False, title="Odd.", hint="H2.", points=2),
    }
    results = (
        CheckResult(check=checks["test_two"], verdict=Verdict.PASSED, points=3, seconds=0.1),
        CheckResult(check=checks["test_odd"], verdict=Verdict.FAILED, points=0, seconds=0.1, message=SECRET,
                    staff_message=SECRET),
    )  # fmt: skip
    questions = (
        Question(stem="q01_double", title="Twice", points=3),
        Question(stem="q02_halve", title="Half", points=2),
    )
    return Grade(
        assignment=assignment, student=student, file=f"{student}.ipynb", sha256="ab" * 32, key=student,
        status=Status.GRADED, isolation="namespaces", questions=questions, results=results,
    )  # fmt: skip


def recorded(folder: Path, *grades: Grade, unreadable: tuple[Unreadable, ...] = ()) -> Path:
    """A course whose results hold these grades."""
    root = tiny(folder / "course")
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        for grade in grades:
            book.record(grade, grade.assignment)
        for entry in unreadable:
            book.record(entry, "tiny")
    return root


@pytest.fixture
def course(tmp_path: Path) -> Path:
    broken = Unreadable(student="bob", file="bob.ipynb", sha256="cd", reason="The file is empty.")
    return recorded(tmp_path, *map(a_grade, NAMES), unreadable=(broken,))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# show


def test_a_result_is_shown_without_what_only_staff_may_know(course: Path) -> None:
    run = gradetape(course, "show", "alice")
    assert (run.returncode, run.stderr) == (0, "")
    for words in ("alice: 3 of 5 points in tiny", "Twice: 3 of 3", "failed", "0/2  Odd.", "H2."):
        assert words in run.stdout
    assert "H1." not in run.stdout, "a hint is for a check that did not pass"
    assert SECRET not in run.stdout and "test_odd" not in run.stdout and "hidden" not in run.stdout


def test_staff_see_the_hidden_checks_too(course: Path) -> None:
    told = gradetape(course, "show", "alice", "--staff").stdout
    assert SECRET in told and "q02_halve::hidden::test_odd" in told


def test_an_unreadable_file_is_shown_with_its_reason(course: Path) -> None:
    run = gradetape(course, "show", "bob")
    assert run.returncode == 0 and "bob.ipynb could not be read: The file is empty." in run.stdout


@pytest.mark.parametrize("student", NAMES)
def test_a_student_of_any_name_is_found_and_nothing_in_the_name_acts(course: Path, student: str) -> None:
    run = gradetape(course, "show", "--", student)
    assert (run.returncode, run.stderr) == (0, "")
    assert f"{student.replace(chr(0x202E), chr(92) + 'u202e')}: 3 of 5" in run.stdout


def test_an_unknown_student_is_told_with_the_nearest_name(course: Path) -> None:
    run = gradetape(course, "show", "allice")
    assert (run.returncode, run.stdout) == (2, "")
    assert "no student 'allice'. Did you mean 'alice'?" in run.stderr


# report


def test_the_pages_are_written_again_from_the_gradebook(course: Path) -> None:
    run = gradetape(course, "report")
    assert run.returncode == 0 and "index.html" in run.stdout
    assert "Zoë van der Berg" in (course / "results" / "index.html").read_text()


def test_the_pages_can_go_elsewhere(course: Path, tmp_path: Path) -> None:
    assert gradetape(course, "report", "--out", tmp_path / "meeting room").returncode == 0
    assert (tmp_path / "meeting room" / "index.html").is_file()
    assert not (course / "results" / "index.html").exists()


def _with_browser(course: Path, browser: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {**os.environ, "BROWSER": browser, "PATH": "/nowhere", "DISPLAY": ""}
    return subprocess.run(
        command("report", *arguments), cwd=course, env=environment, capture_output=True, text=True, check=False
    )


def test_the_browser_opens_the_index(course: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{tmp_path}/opened"\n')
    browser.chmod(0o755)
    assert _with_browser(course, f"{browser} %s", "--open").returncode == 0
    assert (tmp_path / "opened").read_text() == (course / "results" / "index.html").resolve().as_uri()


def test_without_a_browser_the_file_is_named(course: Path) -> None:
    run = _with_browser(course, "/nowhere/browser %s", "--open")
    assert run.returncode == 0
    assert "open that file in one" in run.stderr and "index.html" in run.stdout


# export


def test_the_table_has_a_row_for_each_student_and_no_formula(course: Path) -> None:
    run = gradetape(course, "export", "csv")
    assert (run.returncode, run.stderr) == (0, "")
    table = rows(run.stdout)
    assert len(table) == len(NAMES) + 1
    by_name = {row["student"]: row for row in table}
    assert (by_name["alice"]["points"], by_name["alice"]["max_points"]) == ("3.0", "5.0")
    assert (by_name["bob"]["status"], by_name["bob"]["points"]) == ("unreadable", "0.0")
    assert "'=SUM(A1)" in by_name and "'-rf" in by_name


def test_the_table_goes_into_a_file(course: Path, tmp_path: Path) -> None:
    run = gradetape(course, "export", "csv", "--out", tmp_path / "my grades.csv")
    assert (run.returncode, run.stdout) == (0, "")
    assert len(rows((tmp_path / "my grades.csv").read_text())) == len(NAMES) + 1


# What a person can get wrong


def test_of_several_assignments_one_must_be_named(tmp_path: Path) -> None:
    root = recorded(tmp_path, a_grade("alice"), a_grade("bob", "other"))
    run = gradetape(root, "export", "csv")
    assert run.returncode == 2 and "name one with --assignment" in run.stderr
    assert len(rows(gradetape(root, "export", "csv", "--assignment", "tiny").stdout)) == 1


def _no_gradebook(course: Path) -> list[Any]:
    (course / "results" / "gradebook.sqlite").unlink()
    return []


def _an_empty_one(course: Path) -> list[Any]:
    Gradebook.open(course / "empty" / "gradebook.sqlite").close()
    return ["--results", "empty"]


def _no_such_assignment(course: Path) -> list[Any]:
    return ["--assignment", "tinny"]


def _not_a_course(course: Path) -> list[Any]:
    (course / "grader_config.yml").unlink()
    return []


@pytest.mark.parametrize("verb", [("show", "alice"), ("report",), ("export", "csv")])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_no_gradebook, "Grade first (gradetape grade PATH), or name the folder with --results"),
        (_an_empty_one, "Grade first: gradetape grade PATH"),
        (_no_such_assignment, "Did you mean 'tiny'?"),
        (_not_a_course, "start a course in an empty one: gradetape init"),
    ],
)
def test_where_there_is_nothing_to_show_the_next_step_is_told(
    course: Path, verb: tuple[str, ...], spoil: Any, words: str
) -> None:
    run = gradetape(course, *verb, *spoil(course))
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize("verb", [("report",), ("export", "csv")])
def test_a_place_that_cannot_be_written_is_told(course: Path, verb: tuple[str, ...]) -> None:
    run = gradetape(course, *verb, "--out", "grader_config.yml/x")
    assert run.returncode == 2
    assert "--out" in run.stderr and "Traceback" not in run.stderr
