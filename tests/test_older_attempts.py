"""Which attempt counts is decided by when it was handed in, never by when it was graded."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gradetape.exports.json import as_json
from gradetape.gradebook import Gradebook
from gradetape.gradebook.order import is_older
from gradetape.records import Check, Grade, Job, Origin, Outcome
from tests.books import attempts
from tests.course import DOUBLE, HALVE, notebook, write_files
from tests.factories import a_stored_grade
from tests.regrading import NOTEBOOK, Graded, compared, failed, grade, passed

MONDAY = datetime(2026, 10, 5, 12, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
RIGHT = (DOUBLE, HALVE)
OLDER = "recorded but not counted, since a file that was handed in later counts: ada"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return compared(tmp_path / "course")


def hand_in(root: Path, when: datetime, *cells: str) -> Graded:
    """Grades a file with this time, or the one that is there; one with a wrong cell gets no points."""
    if cells:
        write_files(root, {NOTEBOOK: notebook(*cells)})
    os.utime(root / NOTEBOOK, (when.timestamp(), when.timestamp()))

    def answer(job: Job, checks: tuple[Check, ...]) -> Outcome:
        wrong = any("wrong" in cell.source for cell in job.cells)
        return failed(job, checks) if wrong else passed(job, checks)

    return grade(root, answer=answer)


def counting(root: Path) -> list[float]:
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        return [each.points for each in book.latest("tiny")]


def test_an_older_file_is_recorded_and_does_not_count_and_the_command_says_so(root: Path) -> None:
    hand_in(root, TUESDAY, *RIGHT)
    older = hand_in(root, MONDAY, "# wrong", *RIGHT)
    assert (older.grade.points, counting(root)) == (0, [5])
    assert OLDER in older.report.messages
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        assert len(attempts(book, "tiny", "ada")) == 2


def test_grading_it_once_more_changes_nothing_either(root: Path) -> None:
    hand_in(root, MONDAY, "# wrong", *RIGHT)
    newer = hand_in(root, TUESDAY, *RIGHT)
    assert counting(root) == [5] and newer.report.older == ()
    known = hand_in(root, MONDAY, "# wrong", *RIGHT)
    assert (known.jobs, counting(root)) == ([], [5]) and OLDER in known.report.messages


def test_an_old_version_that_is_handed_in_anew_counts_again_and_goes_on_counting(root: Path) -> None:
    hand_in(root, MONDAY, "# wrong", *RIGHT)
    hand_in(root, TUESDAY, *RIGHT)
    again = hand_in(root, TUESDAY + timedelta(days=1), "# wrong", *RIGHT)
    assert (again.jobs, again.report.older, counting(root)) == ([], (), [0])
    hand_in(root, TUESDAY, *RIGHT)
    assert counting(root) == [0]


def test_the_same_file_counts_whatever_its_time(root: Path) -> None:
    hand_in(root, TUESDAY, *RIGHT)
    assert hand_in(root, MONDAY).report.older == ()
    assert counting(root) == [5]


def test_json_says_which_submission_does_not_count() -> None:
    grades = [stored("a", TUESDAY), a_stored_grade("bob")]
    found = as_json(grades, [], "tiny", "none", max_points=2, older=("alice",))["submissions"]
    assert [each.get("counts") for each in found] == [False, None]


def stored(file: str, modified: datetime | None, submitted: datetime | None = None) -> Grade:
    origin = None if submitted is None else Origin(layout="canvas", id="7", submitted=submitted)
    text = "" if modified is None else modified.isoformat()
    return a_stored_grade(key=file, sha256=file * 64, modified=text, origin=origin)


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (stored("a", TUESDAY), stored("b", MONDAY), "a"),
        (stored("a", MONDAY), stored("b", TUESDAY), "b"),
        (stored("a", MONDAY), stored("b", MONDAY), "b"),
        (stored("a", None), stored("b", MONDAY), "b"),
        (stored("a", MONDAY, TUESDAY), stored("b", TUESDAY, MONDAY), "a"),
        (stored("a", MONDAY, TUESDAY), stored("b", TUESDAY), "b"),
    ],
    ids=["older", "newer", "equal", "unknown", "the platform's time", "only one has the platform's time"],
)
def test_the_later_of_two_files_counts(tmp_path: Path, first: Grade, second: Grade, counts: str) -> None:
    with Gradebook.open(tmp_path / "book.sqlite") as book:
        for each in (first, second):
            book.record(each, "tiny")
        assert [each.key for each in book.latest(first.assignment)] == [counts]


def test_a_time_that_cannot_be_read_decides_nothing() -> None:
    one, other = {"sha256": "a", "modified": "yesterday"}, {"sha256": "b", "modified": MONDAY.isoformat()}
    assert not is_older(one, other) and not is_older(other, one)
