"""`gradetape export PLATFORM --into FILE` writes a filled file, or nothing at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click
import pytest

from gradetape.cli import cli
from gradetape.exports import COMMENT_MARK, PLATFORMS, TARGETS
from gradetape.gradebook import Gradebook
from gradetape.records import FinalScore, Origin, Override, Status, Verdict
from gradetape.report import comment
from tests.books import recorded
from tests.course import called
from tests.factories import NASTY, SECRET, a_broken_file, a_grade, a_nasty_grade, a_result, a_tiny_grade

HEAD = "Student,ID,Section,A tiny assignment (901),Current Score\r\n    Points Possible,,,5.00,(read only)\r\n"
ROWS = '"Doe, Jane",101,A,{},\r\n"Roe, Ann",102,A,{},\r\n"Poe, Bob",103,A,{},\r\n'
OVERRIDE = {"student": "Ann Roe", "reason": "r", "by": "b", "at": "2026-10-05T10:00:00+00:00"}


def canvas(*values: str) -> str:
    return HEAD + ROWS.format(*(*values, "", "", "")[:3])


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Jane has a grade, Ann an unreadable file, and Bob handed in nothing."""
    root = recorded(tmp_path, a_tiny_grade("Jane Doe"), unreadable=(a_broken_file("Ann Roe"),))
    (root / "grades.csv").write_bytes(canvas().encode())
    return root


def overridden(root: Path, student: str, **points: float) -> None:
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        for question, number in points.items():
            book.override("tiny", Override(**{**OVERRIDE, "student": student, "question": question, "points": number}))


def test_the_filled_file_is_written_beside_the_exported_one(course: Path) -> None:
    run = called(course, "export", "canvas", "--into", "grades.csv")
    assert run.returncode == 0, run.stderr
    assert (course / "grades-filled.csv").read_bytes() == canvas("3").encode()
    assert (course / "grades.csv").read_bytes() == canvas().encode()
    assert stat.S_IMODE((course / "grades-filled.csv").stat().st_mode) == 0o600
    assert "row 3, Doe, Jane (101): empty -> 3" in run.stdout and "1 score to change." in run.stdout
    assert "left as it is: Ann Roe: unreadable: It is no notebook" in run.stderr
    assert "no result: row 5, Poe, Bob (103)" in run.stderr


def test_a_dry_run_prints_the_same_and_writes_nothing(course: Path) -> None:
    before = sorted(os.listdir(course))
    run = called(course, "export", "canvas", "--into", "grades.csv", "--dry-run", "--out", "filled.csv")
    assert "row 3, Doe, Jane (101): empty -> 3" in run.stdout and "Nothing was written." in run.stdout
    assert (run.returncode, sorted(os.listdir(course))) == (0, before)


def test_the_exported_file_itself_is_filled_if_it_is_named_with_out(course: Path) -> None:
    assert called(course, "export", "canvas", "--into", "grades.csv", "--out", "grades.csv").returncode == 0
    assert (course / "grades.csv").read_bytes() == canvas("3").encode()
    assert [name for name in os.listdir(course) if name.startswith(".")] == []


def test_a_refused_file_leaves_everything_as_it_was(course: Path) -> None:
    (course / "grades.csv").write_bytes(canvas().replace("5.00", "2.50").encode())
    run = called(course, "export", "canvas", "--into", "grades.csv")
    assert run.returncode == 2 and "row 3, Doe, Jane (101): 3 points, more than the maximum, 2.5" in run.stderr
    assert not (course / "grades-filled.csv").exists() and "Traceback" not in run.stderr


def test_points_that_staff_set_for_every_ungraded_question_count(course: Path) -> None:
    overridden(course, "Ann Roe", q01_double=1.5)
    run = called(course, "export", "canvas", "--into", "grades.csv")
    assert "left as it is: Ann Roe: unreadable" in run.stderr
    overridden(course, "Ann Roe", q02_halve=2)
    run = called(course, "export", "canvas", "--into", "grades.csv")
    assert (course / "grades-filled.csv").read_bytes() == canvas("3", "3.5").encode()


def test_a_fault_and_a_grade_of_one_question_are_no_final_points(course: Path) -> None:
    whole = a_tiny_grade("Bob Poe")
    fault = a_result(check=whole.results[0].check, verdict=Verdict.FAULT, points=0)
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(
            a_grade(
                "Bob Poe",
                fault,
                assignment="tiny",
                questions=whole.questions,
                status=Status.NEEDS_ATTENTION,
                attention=("x",),
            ),
            "tiny",
        )
        book.record(
            a_grade("Jane Doe", whole.results[0], assignment="tiny", key="new", questions=whole.questions[:1]), "tiny"
        )
    run = called(course, "export", "canvas", "--into", "grades.csv")
    assert (course / "grades-filled.csv").read_bytes() == canvas().encode()
    assert "left as it is: Bob Poe: the submission needs attention: q01_double" in run.stderr
    assert "left as it is: Jane Doe: the submission is graded in part: q02_halve" in run.stderr
    overridden(course, "Bob Poe", q01_double=3)
    called(course, "export", "canvas", "--into", "grades.csv")
    assert (course / "grades-filled.csv").read_bytes() == canvas("", "", "3").encode()


def test_students_are_recognised_by_what_the_platform_said(tmp_path: Path) -> None:
    grade = a_tiny_grade("roeann")
    root = recorded(
        tmp_path,
        type(grade)(
            **{
                **{name: getattr(grade, name) for name in grade.__struct_fields__},
                "origin": Origin(layout="canvas", id="103"),
            }
        ),
    )
    (root / "grades.csv").write_bytes(canvas().encode())
    run = called(root, "export", "canvas", "--into", "grades.csv")
    assert "row 5, Poe, Bob (103), roeann in the gradebook: empty -> 3" in run.stdout


def test_moodle_gets_a_comment_with_points_and_hints_for_students_alone(course: Path) -> None:
    sheet = "Identifier,Full name,Grade,Maximum Grade,Feedback comments\nParticipant 1,Jane Doe,,5.00,\n"
    (course / "sheet.csv").write_text(sheet)
    run = called(course, "export", "moodle", "--into", "sheet.csv")
    text = (course / "sheet-filled.csv").read_text()
    assert run.returncode == 0 and "1 score, 1 comment to change." in run.stdout
    assert "3 of 5 points" in text and "Hint: H2." in text and SECRET not in text and "test_odd" not in text
    assert called(course, "export", "moodle", "--into", "sheet-filled.csv", "--dry-run").stdout.endswith(
        "0 scores to change.\nNothing was written.\n"
    )


def test_a_comment_is_one_line_of_html_without_untrusted_markup() -> None:
    score = FinalScore(measured=1.0, final=0.5, lines=(NASTY,))
    text = comment(a_nasty_grade(), score)
    assert text.startswith(COMMENT_MARK) and text.endswith("</div>") and "\n" not in text
    assert "<script" not in text and "<img" not in text and "0.5 of 1 point" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--into", "none.csv"), "cannot be read: No such file or directory. Name the exported file with --into."),
        ((), "Missing option '--into'"),
        (("--into", "grades.csv", "--match", "Jane"), "--match is STUDENT=ID, such as --match 'Jane Doe=12345', not"),
        (("--into", "grades.csv", "--out", "/dev/null"), "/dev/null is not a file. Choose another one with --out."),
        (
            ("--into", "grades.csv", "--out", "no/such/folder.csv"),
            "cannot be written: No such file or directory. Choose",
        ),
        (("--into", "grades.csv", "--assignment", "week-9"), "has no grades of 'week-9'"),
    ],
)
def test_a_mistake_is_reported_with_the_next_step(course: Path, options: tuple[str, ...], words: str) -> None:
    run = called(course, "export", "canvas", *options)
    assert run.returncode == 2 and words in run.stderr and "Traceback" not in run.stderr


def test_of_several_assignments_one_must_be_chosen(course: Path) -> None:
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(a_grade("Jane Doe", assignment="week-2"), "week-2")
    run = called(course, "export", "canvas", "--into", "grades.csv")
    assert run.returncode == 2 and "canvas holds one assignment: choose tiny or week-2 with --assignment" in run.stderr
    assert called(course, "export", "canvas", "--into", "grades.csv", "--assignment", "tiny").returncode == 0


def test_every_platform_has_a_command_that_says_how_to_download_its_file() -> None:
    group = cli.get_command(click.Context(cli), "export")
    assert isinstance(group, click.Group)
    assert not set(PLATFORMS) & set(TARGETS)
    for name, platform in PLATFORMS.items():
        assert platform.file in " ".join((group.commands[name].help or "").split())
