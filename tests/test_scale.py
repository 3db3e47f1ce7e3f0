"""The simulation of large batches: its clock, its model, and a small batch with the real driver and gradebook."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import scale
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.gradebook import Gradebook
from gradetape.records import CollectedChecks
from tests.course import tiny
from tests.regrading import checks_of


@pytest.fixture
def gradable(tmp_path: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(tiny(tmp_path / "course")), "tiny")


def simulated(gradable: GradableAssignment, nodes: int, place: Path) -> scale.Simulated:
    checks = CollectedChecks(checks=checks_of(gradable))
    return scale.simulate(gradable, checks, nodes, 2, 40, (100.0, 300.0), place)


def test_few_nodes_are_busy_all_the_time_and_every_submission_is_graded_once(
    gradable: GradableAssignment, tmp_path: Path
) -> None:
    found = simulated(gradable, 1, tmp_path / "book.sqlite")
    assert found.slots == 2 and 40 * 100 <= found.worked <= 40 * 300
    assert found.worked / 2 <= found.duration < found.worked / 2 + 300 + found.driver
    assert found.driver < 60, "waiting takes no time"
    assert 0.9 < found.model / found.duration <= 1
    with Gradebook.open(tmp_path / "book.sqlite") as book:
        assert {grade.student for grade in book.latest("tiny")} == {f"student {number}" for number in range(40)}


def test_with_many_nodes_the_longest_job_and_the_driver_remain(gradable: GradableAssignment, tmp_path: Path) -> None:
    found = simulated(gradable, 1000, tmp_path / "book.sqlite")
    assert 300 <= found.duration < 300 + found.driver + 1
    assert found.rate == 40 / found.driver


def test_the_conclusion_says_where_the_driver_saturates() -> None:
    batch = scale.Simulated(
        nodes=10, slots=80, submissions=1000, duration=300, driver=5, worked=20_000, grown_mb=1
    )  # fmt: skip
    assert (batch.rate, batch.model) == (200, 250)
    text = scale.conclusion([batch], [10.0, 30.0])
    assert "finishes 200 submissions a second" in text and "saturates at 500 nodes (4,000 slots)" in text


def test_the_times_of_a_real_batch_are_read_from_its_gradebook(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "book.sqlite") as connection:
        connection.execute("CREATE TABLE attempts (status TEXT, seconds REAL)")
        connection.executemany(
            "INSERT INTO attempts VALUES (?, ?)", [("graded", 2.5), ("unreadable", 9), ("graded", 0)]
        )
    assert scale.seconds_of(tmp_path / "book.sqlite") == [2.5]


def test_the_command_prints_a_batch_for_each_number_of_nodes(
    gradable: GradableAssignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(gradable.course.root)
    monkeypatch.setattr(scale, "collected", lambda gradable: CollectedChecks(checks=checks_of(gradable)))
    options = ["--submissions", "5", "--nodes", "1,3", "--assignment", "tiny", "--cpu"]
    run = CliRunner().invoke(scale.main, options, catch_exceptions=False)
    assert "saturates at" in run.output
    book = tmp_path / "all.sqlite"
    run = CliRunner().invoke(scale.main, [*options, "--json", "--gradebook", str(book)], catch_exceptions=False)
    assert [(each["nodes"], each["submissions"]) for each in json.loads(run.output)] == [(1, 5), (3, 5)]
    with Gradebook.open(book) as opened:
        assert len(opened.latest("tiny")) == 10, "the second batch finds no grade of the first"
