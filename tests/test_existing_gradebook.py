"""Commands on an existing gradebook: results in the terminal, pages and tables."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradetape.gradebook import Gradebook
from gradetape.records import CellEvent, Status, Unreadable, Verdict
from tests.books import recorded
from tests.course import called, command
from tests.factories import SECRET, a_tiny_grade

NAMES = ["alice", "Zoë van der Berg", "a/b\\c", "🎓 José", "\u202eesrever", "=SUM(A1)", "[bold]x[/bold]", "-rf"]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    broken = Unreadable(student="bob", file="bob.ipynb", sha256="cd", reason="The file is empty.")
    return recorded(tmp_path, *map(a_tiny_grade, NAMES), unreadable=(broken,))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# show


def test_a_result_is_shown_without_what_only_staff_may_know(course: Path) -> None:
    run = called(course, "show", "alice")
    assert (run.returncode, run.stderr) == (0, "")
    for words in ("alice: 3 of 5 points in tiny", "Twice: 3 of 3", "failed", "0/2  Odd.", "H2."):
        assert words in run.stdout
    assert "H1." not in run.stdout, "a hint is for a check that did not pass"
    assert SECRET not in run.stdout and "test_odd" not in run.stdout and "hidden" not in run.stdout


def test_staff_see_the_hidden_checks_too(course: Path) -> None:
    output = called(course, "show", "alice", "--staff").stdout
    assert SECRET in output and "q02_halve::hidden::test_odd" in output


def test_what_is_for_review_is_shown_to_staff_alone(tmp_path: Path) -> None:
    grade = msgspec.structs.replace(a_tiny_grade("mallory"), review=("its cells replaced np.mean",))
    course = recorded(tmp_path, grade)
    assert "replaced" not in called(course, "show", "mallory").stdout
    assert "For review: its cells replaced np.mean" in called(course, "show", "mallory", "--staff").stdout


def test_a_result_that_is_not_final_says_so_and_gives_staff_the_reason(tmp_path: Path) -> None:
    changes = {"status": Status.NEEDS_ATTENTION, "attention": ("the zygote has ended",)}
    course = recorded(tmp_path, msgspec.structs.replace(a_tiny_grade("ada"), **changes))
    shown = called(course, "show", "ada").stdout
    assert "This result is not final: staff must review it." in shown and "zygote" not in shown
    assert "the zygote has ended" in called(course, "show", "ada", "--staff").stdout


def test_what_happened_to_the_cells_is_shown_to_all(tmp_path: Path) -> None:
    text = "Your code raised SyntaxError: '(' was never closed\n  Cell 2, line 1\n    print(\n         ^"
    broken = CellEvent(cell=1, kind="error", text=text, question="q02_halve")
    course = recorded(tmp_path, msgspec.structs.replace(a_tiny_grade("alice"), events=(broken,)))
    for more in ((), ("--staff",)):
        output = called(course, "show", "alice", *more).stdout
        assert "Code cell 2 (Half) raised an error" in output
        assert "    Your code raised SyntaxError: '(' was never closed\n" in output and "             ^\n" in output


def test_what_the_question_says_about_a_failed_check_is_shown_to_all(tmp_path: Path) -> None:
    grade = a_tiny_grade("alice")
    results = tuple(
        result if result.verdict is Verdict.PASSED else msgspec.structs.replace(result, sentences=("It says so.",))
        for result in grade.results
    )
    course = recorded(tmp_path, msgspec.structs.replace(grade, results=results))
    for more in ((), ("--staff",)):
        assert 'The question says: "It says so."' in called(course, "show", "alice", *more).stdout


def test_an_unreadable_file_is_shown_with_its_reason(course: Path) -> None:
    run = called(course, "show", "bob")
    assert run.returncode == 0 and "bob.ipynb could not be read: The file is empty." in run.stdout


def test_where_an_unreadable_file_lies_and_whose_it_may_be_is_shown_to_staff_alone(tmp_path: Path) -> None:
    reason = "sub/dave/hw.ipynb and sub/erin/hw.ipynb lead to the same student"
    entry = Unreadable(student="hw", file="sub/dave/hw.ipynb", sha256="cd", reason=reason, for_student="Ask.")
    course = recorded(tmp_path, unreadable=(entry,))
    output = called(course, "show", "hw").stdout
    assert "hw.ipynb could not be read: Ask." in output and "sub/" not in output and "erin" not in output
    assert f"sub/dave/hw.ipynb could not be read: {reason}" in " ".join(
        called(course, "show", "hw", "--staff").stdout.split()
    )


@pytest.mark.parametrize("student", NAMES)
def test_a_student_of_any_name_is_found_and_nothing_in_the_name_acts(course: Path, student: str) -> None:
    run = called(course, "show", "--", student)
    assert (run.returncode, run.stderr) == (0, "")
    assert f"{student.replace(chr(0x202E), chr(92) + 'u202e')}: 3 of 5" in run.stdout


def test_an_unknown_student_is_reported_with_the_nearest_name(course: Path) -> None:
    run = called(course, "show", "allice")
    assert (run.returncode, run.stdout) == (2, "")
    assert "The gradebook has no student 'allice'. Did you mean 'alice'?" in run.stderr


# report


def test_the_pages_are_written_again_from_the_gradebook(course: Path) -> None:
    run = called(course, "report")
    assert run.returncode == 0 and "index.html" in run.stdout
    assert "Zoë van der Berg" in (course / "results" / "index.html").read_text()


def test_the_courses_title_stands_on_the_pages_where_it_has_one(course: Path) -> None:
    (course / "grader_config.yml").write_text("")
    called(course, "report")
    assert "Untitled" not in (course / "results" / "index.html").read_text()
    (course / "grader_config.yml").write_text("course: Deep learning\n")
    called(course, "report")
    for place in ("index.html", "students/tiny/alice.html", "staff/tiny/alice.html"):
        assert "Deep learning" in (course / "results" / place).read_text()


def test_the_pages_can_go_elsewhere(course: Path, tmp_path: Path) -> None:
    assert called(course, "report", "--out", tmp_path / "meeting room").returncode == 0
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
    assert "Open the file on another one" in run.stderr and "index.html" in run.stdout


# export


def test_the_table_has_a_row_for_each_student_and_no_formula(course: Path) -> None:
    run = called(course, "export", "csv")
    assert (run.returncode, run.stderr) == (0, "")
    table = rows(run.stdout)
    assert len(table) == len(NAMES) + 1
    by_name = {row["student"]: row for row in table}
    assert (by_name["alice"]["points"], by_name["alice"]["max_points"]) == ("3.0", "5.0")
    assert (by_name["bob"]["status"], by_name["bob"]["points"]) == ("unreadable", "")
    assert "'=SUM(A1)" in by_name and "'-rf" in by_name


def test_the_table_goes_into_a_file(course: Path, tmp_path: Path) -> None:
    run = called(course, "export", "csv", "--out", tmp_path / "my grades.csv")
    assert (run.returncode, run.stdout) == (0, "")
    assert len(rows((tmp_path / "my grades.csv").read_text())) == len(NAMES) + 1


# override


def _override(course: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return called(course, "override", *arguments)


def _points(course: Path, student: str = "alice") -> tuple[float, float, float]:
    """What was measured for the second question and in all, and what counts, as the table has it."""
    [row] = [row for row in rows(called(course, "export", "csv").stdout) if row["student"] == student]
    return float(row["q02_halve"] or 0), float(row["points"] or 0), float(row["final"] or 0)


def test_an_override_counts_and_what_was_measured_stays(course: Path) -> None:
    run = _override(course, "alice", "q02_halve", "1.5", "--reason", "right idea", "--by", "Ana")
    assert (run.returncode, run.stderr) == (0, "")
    assert "alice: 1.5 points for q02_halve (right idea)" in run.stdout
    assert _points(course) == (0, 3, 4.5)
    shown = called(course, "show", "alice").stdout
    assert "q02_halve: 1.5 points instead of 0, set by the course staff: right idea" in shown
    assert "Final score: 4.5 points" in shown and "Ana" not in shown
    assert "by Ana at 20" in called(course, "show", "alice", "--staff").stdout


def test_a_student_is_found_however_the_accents_are_written(tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("Jos\u00e9"))
    typed = "Jose\u0301"
    assert "3 of 5 points" in called(course, "show", typed).stdout
    run = _override(course, typed, "q02_halve", "2", "--reason", "right idea")
    assert (run.returncode, run.stderr) == (0, "")


def test_an_override_outlives_grading_again(course: Path) -> None:
    _override(course, "alice", "q02_halve", "2", "--reason", "typo in the check")
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(msgspec.structs.replace(a_tiny_grade("alice"), key="another"), "tiny")
    assert _points(course) == (0, 3, 5)


def test_undone_the_override_before_it_counts_again(course: Path) -> None:
    _override(course, "alice", "q02_halve", "1", "--reason", "first", "--by", "Ana")
    _override(course, "alice", "q02_halve", "2", "--reason", "second", "--by", "Ana")
    assert _points(course)[2] == 5
    assert _override(course, "alice", "q02_halve", "--undo", "--by", "Ben").returncode == 0
    assert _points(course)[2] == 4
    assert _override(course, "alice", "q02_halve", "--undo").returncode == 0
    assert _points(course)[2] == 3
    again = _override(course, "alice", "q02_halve", "--undo")
    assert (
        again.returncode == 2
        and "the student has no override of q02_halve in force. List all: gradetape" in again.stderr
    )
    listed = _override(course, "--list").stdout
    assert "first" in listed and "second" in listed and "by Ben]" in listed


def test_an_unreadable_submission_can_be_given_points(course: Path) -> None:
    _override(course, "bob", "q02_halve", "2", "--reason", "read on paper")
    assert _points(course, "bob") == (0, 0, 2)


@pytest.mark.parametrize("student", NAMES)
def test_a_student_of_any_name_can_be_given_points(course: Path, student: str) -> None:
    run = _override(course, "--reason", "=1+1 [b]\u202e", "--", student, "q02_halve", "2")
    assert (run.returncode, run.stderr) == (0, "")
    assert "\u202e" not in run.stdout + called(course, "override", "--list").stdout
    assert [row["final"] for row in rows(called(course, "export", "csv").stdout)].count("5.0") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["alice", "q02_halve", "2.5", "--reason", "r"], "q02_halve is worth 0 to 2 points, not 2.5"),
        (["alice", "q02_halve", "nan", "--reason", "r"], "q02_halve is worth 0 to 2 points, not nan"),
        (["alice", "q02_halve", "--reason", "r"], "no points were given: write them after the question"),
        (["alice", "q02_halve", "1,5", "--reason", "r"], "'1,5' is not a number: write points like 2 or 1.5"),
        (["alice", "q02_halve", "-1", "--reason", "r"], "points cannot be negative: write a number such as 0"),
        (["alice", "q02_halve", "1", "--raeson", "r"], "No such option '--raeson'. Did you mean '--reason'?"),
        (["alice", "q02_halve", "1"], "give a reason, which the student can read: --reason"),
        (["alice", "q02_halve", "1", "--reason", " "], "--reason"),
        (["alice", "q02_havle", "1", "--reason", "r"], "there is no question q02_havle. Did you mean 'q02_halve'?"),
        (["allice", "q02_halve", "1", "--reason", "r"], "Did you mean 'alice'?"),
        (["alice"], "name the student and the question"),
        (["alice", "q02_halve", "1", "--reason", "r", "--assignment", "tinny"], "Did you mean 'tiny'?"),
        (["--list", "allice"], "Did you mean 'alice'?"),
    ],
)
def test_an_override_that_cannot_be_is_refused_and_changes_nothing(
    course: Path, arguments: list[str], words: str
) -> None:
    run = _override(course, *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr
    assert _points(course) == (0, 3, 3)


# several assignments


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A course of two assignments, both with q01_double, of which only the second has q03_halve_again."""
    root = recorded(tmp_path, a_tiny_grade("alice"), a_tiny_grade("alice", "week-2"), a_tiny_grade("bob", "week-2"))
    second = root / "assignments" / "week-2"
    shutil.copytree(root / "assignments" / "tiny", second)
    (second / "q02_halve").rename(second / "q03_halve_again")
    (second / "assignment.yml").write_text("title: Another\nquestions:\n  q01_double: 3\n  q03_halve_again: 2\n")
    return root


def test_the_table_is_of_all_assignments_or_of_the_one_that_is_named(two: Path) -> None:
    run = called(two, "export", "csv")
    assert (run.returncode, run.stderr) == (0, "")
    assert [(row["assignment"], row["student"]) for row in rows(run.stdout)] == [
        ("tiny", "alice"), ("week-2", "alice"), ("week-2", "bob"),
    ]  # fmt: skip
    called(two, "report")
    assert run.stdout == (two / "results" / "grades.csv").read_text()
    assert len(rows(called(two, "export", "csv", "--assignment", "tiny").stdout)) == 1


def test_a_question_of_one_assignment_says_which_one_is_meant(two: Path) -> None:
    for student, question in (("alice", "q02_halve"), ("bob", "q03_halve_again")):
        run = _override(two, student, question, "1", "--reason", "r", "--by", "Ana")
        assert (run.returncode, run.stderr) == (0, "")
    listed = _override(two, "--list").stdout
    assert "Ana, in tiny: alice: 1 point for q02_halve" in listed
    assert "Ana, in week-2: bob: 1 point for q03_halve_again" in listed
    assert "alice" not in _override(two, "--list", "bob").stdout
    assert _override(two, "bob", "q03_halve_again", "--undo").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["alice", "q01_double"], "q01_double is a question of tiny, week-2: name one with --assignment"),
        (["alice", "q03_halve_agian"], "Did you mean 'q03_halve_again'?"),
        (["alice", "q03_halve_again", "--assignment", "tiny"], "tiny has q01_double, q02_halve"),
    ],
)
def test_a_question_of_several_assignments_or_of_none_is_refused(two: Path, arguments: list[str], words: str) -> None:
    run = _override(two, *arguments, "1", "--reason", "r")
    assert run.returncode == 2 and words in run.stderr
    assert _override(two, "--list").stdout == ""
    assert _override(two, "alice", "q01_double", "1", "--reason", "r", "--assignment", "week-2").returncode == 0


# late work

LATE = "late:\n  percent_per_day: 10\n  most_percent: 25\n  grace_minutes: 30\n"


def _due(course: Path, config: str, times: str = "") -> None:
    with (course / "assignments" / "tiny" / "assignment.yml").open("a") as file:
        file.write("deadline: 2026-10-01T12:00:00+02:00\n")
    (course / "grader_config.yml").write_text(config)
    (course / "times.csv").write_text(times)


def test_late_work_costs_what_the_policy_says_beside_the_measured_points(course: Path) -> None:
    _due(course, LATE + "  times: times.csv\n", "student,time\nalice,2026-10-02T11:00:00Z\n")
    _override(course, "alice", "q02_halve", "2", "--reason", "r")
    assert _points(course) == (0, 3, 4)
    shown = called(course, "show", "alice").stdout
    assert "3 of 5 points" in shown and "Final score: 4 points" in shown
    assert "Handed in 2026-10-02 11:00 UTC, on day 2 after the deadline, 2026-10-01 12:00 +0200: 20 % penalty." in shown


@pytest.mark.parametrize("separator", [";", "\t"])
def test_the_table_of_times_may_come_from_a_spreadsheet_of_another_country(course: Path, separator: str) -> None:
    table = '"name, as handed in",student,time\n"Smith, Alice",alice,2026-10-02T11:00:00Z\n'
    _due(course, LATE + "  times: times.csv\n", "\ufeff" + re.sub(",(?! )", separator, table))
    assert "on day 2 after the deadline" in called(course, "show", "alice").stdout


def test_an_unknown_submission_time_costs_nothing_and_is_reported(course: Path) -> None:
    _due(course, LATE)
    assert _points(course) == (0, 3, 3)
    assert "The submission time is unknown, so there is no penalty" in called(course, "show", "alice").stdout


def test_a_misspelt_extension_is_reported(course: Path) -> None:
    _due(course, LATE + "  extensions:\n    tiny:\n      allice: 2026-10-03T12:00:00Z\n")
    run = called(course, "export", "csv")
    assert run.returncode == 0 and "names 'allice'" in run.stderr and "Did you mean 'alice'?" in run.stderr


def test_a_misspelt_name_in_the_table_of_times_is_reported_with_the_missing_students(course: Path) -> None:
    misspelt = "student,time\nallice,2026-10-02T11:00:00Z\nbob,2026-10-02T11:00:00Z\n"
    _due(course, LATE + "  times: times.csv\n", misspelt)
    output = called(course, "export", "csv").stderr
    assert f"times.csv has no time for {len(NAMES)} of {len(NAMES) + 1} students of tiny" in output
    assert "Zoë van der Berg" in output and "and 3 more" in output
    assert "names that have no submission (1): allice" in output
    every = "".join(f"{name},2026-10-02T11:00:00Z\n" for name in [*NAMES, "who handed nothing in"])
    (course / "times.csv").write_text(misspelt + every)
    assert called(course, "export", "csv").stderr == ""


def test_an_extension_in_an_assignment_that_is_not_there_is_refused(course: Path) -> None:
    _due(course, LATE + "  extensions:\n    tinny:\n      alice: 2026-10-03T12:00:00Z\n")
    run = called(course, "show", "alice")
    assert (run.returncode, run.stdout) == (2, "")
    assert "names 'tinny', which is not an assignment. Did you mean 'tiny'?" in run.stderr


def test_a_late_policy_that_cannot_be_followed_is_reported_before_anything_is_graded(course: Path) -> None:
    _due(course, LATE + "  times: nowhere.csv\n")
    (course / "ada.py").write_text("def double(x): return 2 * x\n")
    run = called(course, "grade", "ada.py", "--assignment", "tiny")
    assert run.returncode == 2
    assert "nowhere.csv, which late.times in grader_config.yml names, cannot be read" in run.stderr
    assert "Put the table there, or correct the path" in run.stderr and "Errno" not in run.stderr
    assert "ada:" not in run.stderr and not (course / "results" / "grades.csv").exists()


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ("student,when\na,b\n", "times.csv, line 1: the column time is missing. Add it."),
        (
            "student,time\nalice,2026-10-02 11:00\n",
            "line 2: '2026-10-02 11:00' is not an ISO time with a time zone",
        ),
        ("student,time\nalice\n", "times.csv, line 2: '' is not an ISO time"),
        ("student,time\n" + "x" * 200_000 + ",y\n", "Export it as UTF-8, or remove late.times"),
    ],
)
def test_a_table_of_times_that_is_wrong_is_reported_with_its_line(course: Path, times: str, words: str) -> None:
    _due(course, LATE + "  times: times.csv\n", times)
    run = called(course, "show", "alice")
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr


# What a person can get wrong


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
        (_no_such_assignment, "The gradebook has no grades of 'tinny'. Did you mean 'tiny'?"),
        (_not_a_course, "start a course in an empty one: gradetape init"),
    ],
)
def test_without_anything_to_show_the_error_names_the_next_step(
    course: Path, verb: tuple[str, ...], spoil: Any, words: str
) -> None:
    run = called(course, *verb, *spoil(course))
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (("report",), "Check that it is a folder that you may write to, or use --out"),
        (("export", "csv"), "Choose another file with --out"),
    ],
)
def test_a_place_that_cannot_be_written_is_reported(course: Path, verb: tuple[str, ...], words: str) -> None:
    before = (course / "grader_config.yml").read_bytes()
    run = called(course, *verb, "--out", "grader_config.yml/x")
    assert run.returncode == 2
    assert "cannot be written" in run.stderr and words in run.stderr and "Traceback" not in run.stderr
    assert (course / "grader_config.yml").read_bytes() == before
