"""The table of grades has typed columns, and CSV preserves every value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gradetape.cli import cli
from gradetape.cli.export import subcommand
from gradetape.errors import GradebookError
from gradetape.exports import (
    PLATFORMS,
    TARGETS,
    Column,
    ColumnKind,
    ExportTarget,
    GradeTable,
    csv,
    merged,
    questions_of,
)
from gradetape.gradebook import Gradebook
from gradetape.records import FinalScore, Origin, Override, Question, Status
from gradetape.report import write
from tests.course import tiny
from tests.factories import a_broken_file, a_class, a_grade, a_nasty_grade

MERCY = Override(student="alice", question="q01", points=1.0, reason="r", by="b", at="t")
LATE = FinalScore(
    measured=2.0, final=0.9, overrides=(MERCY,), handed_in="2026-10-02T11:00:00+00:00", late_days=1, late_percent=10.0
)
HEAD = '"student","points","max_points","status","handed_in"\n"alice",2.0,5.0,"graded"'
WEEK_2 = {"assignment": "week-2", "questions": (Question(id="q09", title="Later", points=2.0),)}


def a_table(**final_scores: FinalScore) -> GradeTable:
    grades = [a_grade("bob"), a_grade("alice")]
    return GradeTable.of(grades, [a_broken_file()], max_points=5.0, final_scores=final_scores)


def test_each_column_has_a_type_and_each_value_is_of_it() -> None:
    table = a_table(alice=LATE)
    types = {"text": str, "number": (int, float), "integer": int, "time": datetime}
    for row in table.rows:
        for column, value in zip(table.columns, row, strict=True):
            assert value is None or isinstance(value, types[column.kind])
    alice = table.records()[0]
    assert (alice["handed_in"], alice["late_days"]) == (datetime(2026, 10, 2, 11, tzinfo=UTC), 1)
    assert (alice["overridden"], alice["points"], alice["final"]) == ("q01", 2.0, 0.9)


def test_a_student_without_a_final_score_has_the_measured_points_and_no_time() -> None:
    bob, carol = a_table(alice=LATE).records()[1:]
    assert (bob["handed_in"], bob["late_days"], bob["late_percent"], bob["final"]) == (None, None, 0.0, 2.0)
    assert (carol["status"], carol["q01"], carol["final"]) == ("unreadable", None, None)
    assert "final" not in GradeTable.of([a_grade()], [], max_points=5.0).names


def test_a_file_that_cannot_be_read_has_no_points_but_those_that_staff_set() -> None:
    mercy = Override(student="carol", question="q01", points=0.0, reason="r", by="b", at="t")
    zero = FinalScore(measured=0.0, final=0.0)
    for score, final in ((zero, None), (FinalScore(measured=0.0, final=0.0, overrides=(mercy,)), 0.0)):
        carol = a_table(carol=score).records()[2]
        assert (carol["student"], carol["points"], carol["final"]) == ("carol", None, final)


def test_the_platforms_ids_come_first_where_there_are_any() -> None:
    origin = Origin(layout="canvas", id="12345")
    table = GradeTable.of([a_grade("bob"), a_grade("alice", origin=origin)], [a_broken_file()], max_points=5.0)
    assert table.names[:2] == ("id", "student")
    assert [(record["id"], record["student"]) for record in table.records()] == [
        ("12345", "alice"),
        ("", "bob"),
        ("", "carol"),
    ]
    assert csv.read(csv.write(table), "grades.csv") == table
    both = merged({"week-1": GradeTable.of([a_grade("zoe")], [], max_points=5.0), "week-2": table})
    assert both.names[:3] == ("assignment", "id", "student")
    assert [record["id"] for record in both.records()] == ["", "12345", "", ""]


def test_json_has_an_object_for_each_row() -> None:
    table = a_table(alice=LATE)
    alice, _, carol = json.loads(TARGETS["json"].write(table))
    assert list(alice) == list(table.names)
    assert (alice["final"], alice["handed_in"], alice["late_days"]) == (0.9, "2026-10-02T11:00:00+00:00", 1)
    assert (carol["status"], carol["points"], carol["q01"]) == ("unreadable", None, None)
    hostile = TARGETS["json"].write(GradeTable.of([a_nasty_grade()], [], max_points=1.0))
    assert "\x1b" not in hostile and hostile.isascii() and json.loads(hostile)


def test_rows_are_sorted_by_student_whatever_the_case() -> None:
    table = GradeTable.of([a_grade("Bob"), a_grade("carl"), a_grade("alice")], [a_broken_file("Al")], max_points=5.0)
    assert [record["student"] for record in table.records()] == ["Al", "alice", "Bob", "carl"]


def test_a_question_that_a_grade_does_not_have_is_missing_and_one_without_a_result_is_zero() -> None:
    table = GradeTable.of([a_grade("alice"), a_grade("bob", **WEEK_2)], [], max_points=5.0)
    assert [(record["q01"], record["q02"], record["q09"]) for record in table.records()] == [
        (2.0, 0, None),
        (None, None, 0),
    ]


def test_a_merged_table_names_the_assignment_first_and_has_the_columns_of_all() -> None:
    later = GradeTable.of([a_grade("zoe", **WEEK_2)], [], max_points=2.0)
    table = merged({"week-1": a_table(alice=LATE), "week-2": later})
    assert table.names[:5] == ("assignment", "student", "points", "max_points", "status")
    assert table.names[5:10] == ("q01", "q02", "q09", "file", "sha256")
    alice, *_, zoe = table.records()
    assert (alice["assignment"], alice["q09"], alice["late_days"]) == ("week-1", None, 1.0)
    assert (zoe["assignment"], zoe["q01"], zoe["handed_in"], zoe["overridden"], zoe["final"]) == (
        "week-2",
        None,
        None,
        "",
        None,
    )
    assert Column("late_days", ColumnKind.NUMBER) in table.columns
    assert merged({"week-1": later}) is later


def test_a_summary_counts_final_grades_alone() -> None:
    stuck = a_grade("stuck", status=Status.NEEDS_ATTENTION)
    summary = GradeTable.of(
        [*a_class([(True, True), (False, False)]), stuck], [a_broken_file()], max_points=5.0
    ).summary("x")
    assert (summary.assignment, summary.students, summary.attention) == ("x", 4, 2)
    assert (summary.mean, summary.max_points) == (2.0, 5.0)
    assert GradeTable.of([], [a_broken_file()], max_points=3.0).summary("x").mean is None


def test_the_questions_of_all_grades_come_in_the_order_of_the_assignment() -> None:
    assert [question.id for question in questions_of([a_grade(), a_grade(**WEEK_2)])] == ["q01", "q02", "q09"]


def test_a_table_in_a_file_is_the_table_that_was_written_with_its_types() -> None:
    table = a_table(alice=LATE)
    assert csv.read(csv.write(table), "grades.csv") == table


@given(st.text(st.characters(exclude_categories=())))
def test_a_table_that_is_read_and_written_again_stays_as_it_is(student: str) -> None:
    long = "\u200b" * 900  # as escapes it is longer than what a cell may hold
    grades = [a_grade(student), a_grade(f"{student};=1", file=long), a_nasty_grade()]
    table = csv.read(csv.write(GradeTable.of(grades, [a_broken_file("\r\n=1+1")], max_points=5.0)), "grades.csv")
    assert csv.read(csv.rewrite(table), "grades.csv") == table
    assert max(len(str(record["file"])) for record in table.records()) > 2000


@pytest.mark.parametrize(
    "spoilt",
    ["", "student,points\nalice,2\n", '"student","points"\n"alice",2.0\n', HEAD, f"{HEAD},1,2\n", f'{HEAD},"soon"\n'],
)
def test_a_table_that_another_program_has_changed_is_refused_with_its_path(tmp_path: Path, spoilt: str) -> None:
    write(tmp_path, [a_grade()], [], assignment="week-1", max_points=5.0)
    (tmp_path / "staff" / "week-1" / "grades.csv").write_text(spoilt)
    with pytest.raises(GradebookError, match=r"week-1/grades.csv is not in the format that gradetape writes: .*report"):
        write(tmp_path, [a_grade()], [], assignment="week-2", max_points=5.0)
    write(tmp_path, [a_grade()], [], assignment="week-1", max_points=5.0)


def test_every_target_has_a_command_with_the_same_options() -> None:
    group = cli.get_command(click.Context(cli), "export")
    assert isinstance(group, click.Group) and isinstance(TARGETS, MappingProxyType)
    assert set(group.commands) == {*TARGETS, *PLATFORMS, "feedback", "autograder", "parquet"}
    for name, target in TARGETS.items():
        assert {option.name for option in group.commands[name].params} == {
            "assignment", "results_folder", "out", "roster", "roster_map",
        }  # fmt: skip
        assert target.description in " ".join((group.commands[name].help or "").split())


def test_cells_may_be_separated_by_semicolons() -> None:
    assert csv.write(a_table(alice=LATE), separator=";").startswith('"student";"points";"max_points";"status"')


def test_a_format_without_a_column_for_assignments_asks_for_one_of_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An assignment's points would stand in another one's place without a word."""
    root = tiny(tmp_path / "course")
    (root / "results").mkdir()
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        for name in ("tiny", "week-2"):
            book.record(a_grade("alice", assignment=name), name)
    target = ExportTarget("Write points.", ".txt", lambda table: f"{len(table.rows)}\n", one_assignment=True)
    export = subcommand("lms", target)
    monkeypatch.chdir(root)
    refused = CliRunner().invoke(export, [])
    assert (
        refused.exit_code == 2 and "lms holds one assignment: choose tiny or week-2 with --assignment" in refused.output
    )
    assert CliRunner().invoke(export, ["--assignment", "tiny"]).output == "1\n"
    assert "With several assignments" not in CliRunner().invoke(export, ["--help"]).output
