"""What the platform says of a person and of the time is kept from the folder to the gradebook and the JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import MockEngine
from gradetape.exports import as_json
from gradetape.gradebook import Gradebook
from gradetape.grading.batch import Batch, BatchGrader
from gradetape.records import Grade, Origin, Submission
from tests.books import attempts
from tests.course import tiny
from tests.engines.passing import CHECKS, RIGHT, all_pass
from tests.factories import a_broken_file, a_grade
from tests.submissions import script

SUBMITTED = datetime(2026, 10, 1, 21, 59, tzinfo=UTC)
CANVAS = Origin(
    layout="canvas", id="10001", login="jdoe", email="j@example.org", section="A", submitted=SUBMITTED, late=True
)


@pytest.fixture
def gradable(tmp_path: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(tiny(tmp_path / "course")), "tiny")


def graded(gradable: GradableAssignment, origin: Origin | None) -> tuple[Batch, MockEngine]:
    engine = MockEngine(all_pass, checks=CHECKS)
    submission = msgspec.structs.replace(script("ada", RIGHT, assignment="tiny"), origin=origin)
    with Gradebook.open(gradable.course.root / "gradebook.sqlite") as book:
        return BatchGrader(gradable, engine, book, lambda _: None).run([submission]), engine


def stored(gradable: GradableAssignment) -> tuple[Origin | None, int]:
    """The origin of the grade that counts, and the number of attempts."""
    with Gradebook.open(gradable.course.root / "gradebook.sqlite") as book:
        (grade,) = book.latest("tiny")
        return grade.origin, len(attempts(book, "tiny", "ada"))


def test_a_grade_keeps_the_origin_of_its_submission(gradable: GradableAssignment) -> None:
    batch, _ = graded(gradable, CANVAS)
    assert [grade.origin for grade in batch.grades] == [CANVAS]
    assert stored(gradable) == (CANVAS, 1)


def test_what_a_platform_says_later_is_recorded_without_grading_again(gradable: GradableAssignment) -> None:
    graded(gradable, None)
    batch, engine = graded(gradable, CANVAS)
    assert [grade.origin for grade in batch.grades] == [CANVAS] and engine.jobs == []
    assert stored(gradable) == (CANVAS, 2)
    graded(gradable, CANVAS)
    batch, _ = graded(gradable, None)
    assert [grade.origin for grade in batch.grades] == [CANVAS] and stored(gradable) == (CANVAS, 2)


def test_an_origin_is_the_same_after_it_was_stored() -> None:
    read = msgspec.convert(msgspec.to_builtins(CANVAS), Origin)
    assert read == CANVAS and read.submitted is not None and read.submitted.tzinfo is not None


def test_the_json_has_the_origin_where_there_is_one() -> None:
    grades = [a_grade("bob", origin=CANVAS), a_grade("eve")]
    broken = msgspec.structs.replace(a_broken_file("zoe"), origin=Origin(layout="moodle", id="7\x1b"))
    bob, eve, zoe = as_json(grades, [broken], "tiny", "none", max_points=5.0)["submissions"]
    assert bob["origin"] == {
        "layout": "canvas", "id": "10001", "login": "jdoe", "email": "j@example.org", "section": "A",
        "submitted": "2026-10-01T21:59:00+00:00", "late": True,
    }  # fmt: skip
    assert "origin" not in eve
    assert (zoe["origin"]["id"], zoe["origin"]["submitted"], zoe["origin"]["late"]) == ("7\\x1b", None, None)


@pytest.mark.parametrize("kind", [Grade, Submission])
def test_records_of_older_versions_have_no_origin(kind: type[Grade] | type[Submission]) -> None:
    made = a_grade() if kind is Grade else script("ada", RIGHT, assignment="tiny")
    fields = msgspec.to_builtins(made)
    del fields["origin"]
    read = msgspec.convert(fields, kind)
    assert read == made and read.origin is None
