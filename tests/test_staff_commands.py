"""The commands on a page for staff do what they promise: tried on the pages of a real batch, in the course's folder."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradetape.gradebook import Gradebook
from gradetape.report import page_name
from tests.books import attempts
from tests.course import DOUBLE, HALVE, by_student, gradetape, notebook, tiny

STUDENT = "o'brien & co"
CUT = "def halve(x):\n    return x // 2"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny course with a folder for each of two students, graded from elsewhere into a folder that was named.

    For one of them a check of q02 did not pass.
    """
    root = tiny(tmp_path_factory.mktemp("staff") / "course")
    for student, half in ((STUDENT, CUT), ("erin", HALVE)):
        (root / "handed in" / student).mkdir(parents=True)
        (root / "handed in" / student / "zero\u200bwidth.ipynb").write_text(notebook(DOUBLE, half))
    run = gradetape(root / "assignments", "grade", "../handed in", "--out", "../r3", "--json")
    assert {name: found["points"] for name, found in by_student(run).items()} == {STUDENT: 4, "erin": 5}
    return root


def page(course: Path, reader: str) -> str:
    return html.unescape((course / "r3" / reader / "tiny" / page_name(STUDENT)).read_text("utf-8"))


def commands(course: Path) -> list[str]:
    return re.findall(r'<pre class="command"[^>]*><code>(.*?)</code>', page(course, "staff"), re.DOTALL)


def run(folder: Path, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command as somebody who pastes it into a shell."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, input=stdin, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip


def test_both_values_are_on_the_page_for_staff_and_not_on_the_students(course: Path) -> None:
    assert "assert 2 == 2.5" in page(course, "staff")
    assert "2.5" not in page(course, "students")


def test_a_checks_command_runs_this_check_on_this_submission_and_no_other(course: Path) -> None:
    done = run(course, commands(course)[0])
    assert done.returncode == 1
    assert "assert 2 == 2.5" in done.stdout
    assert "1 failed in" in done.stdout


def test_the_debugger_opens_where_the_check_fails_and_can_ask_the_student_s_code(course: Path) -> None:
    done = run(course, f"{commands(course)[0]} --pdb", "p ('asked', student.halve(9))\nq\n")
    assert "('asked', 4)" in done.stdout


CHECKS = """
from gradetape.checks import assert_close, points, raises


@points(1)
def test_numbers(student):
    "It compares."
    odd = 3
    assert_close(student.halve(odd), 1.5)


@points(1)
def test_refusal(student):
    "It expects an exception."
    odd = 5
    with raises(ValueError):
        student.halve(odd)


@points(1)
def test_text(student):
    "It is not prepared for one."
    odd = 7
    student.halve(str(odd))
"""


def test_the_debugger_opens_in_the_check_whatever_of_gradetape_s_lies_behind_it(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (root / "autograder" / "tiny" / "test_q02_halve.py").write_text(CHECKS)
    (root / "ada.py").write_text(CUT)
    done = run(root, "pytest autograder/tiny -k halve --submission ada.py --pdb", "p ('asked', odd)\nc\n" * 3)
    assert [f"('asked', {odd})" in done.stdout for odd in (3, 5, 7)] == [True] * 3
    assert "vocabulary.py" not in done.stdout and "wire/" not in done.stdout
    assert "line 2, in halve" in done.stdout, "the student's own line"


def test_the_last_command_grades_the_submission_again_for_the_same_student_into_the_same_gradebook(
    course: Path,
) -> None:
    done = run(course / "assignments", commands(course)[-1])
    assert done.returncode == 0
    assert "1 graded now, 0 graded before" in done.stderr
    assert not (course / "results").exists()
    with Gradebook.open(course / "r3" / "gradebook.sqlite") as book:
        assert {grade.student for grade in book.latest("tiny")} == {STUDENT, "erin"}
        assert [attempt.current for attempt in attempts(book, "tiny", STUDENT)] == [False, True]
