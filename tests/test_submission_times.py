"""`late.times` takes platforms' files as they are; a platform's own time counts; a late mark without a time is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gradetape.course.config import LatePolicy
from gradetape.errors import ConfigError
from gradetape.grading.times import Times, times_in
from gradetape.records import Origin
from tests.books import recorded
from tests.course import called
from tests.factories import a_tiny_grade

MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Last modified (submission)"\r\n'
    '"Participant 10001","Jane Doe",jane@example.org,Submitted,,5.00,"Thursday, 1 October 2026, 11:59 PM"\r\n'
    '"Participant 10002","Jane Doe",jdoe2@example.org,Submitted,,5.00,"Friday, 2 October 2026, 8:05 AM"\r\n'
    '"Participant 10003","Max Poe",max@example.org,"No submission",,5.00,-\r\n'
)
GRADESCOPE = (
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,Lateness\n"
    "Jane,Doe,u1,jane@example.org,,5.0,5.0,Graded,340000001,2026-10-02 01:00:00 -0700,00:00:00\n"
    "Max,Poe,u2,max@example.org,,,5.0,Missing,,,\n"
)
CANVAS = (
    "user id,user name,assignment id,assignment name,submission date,score\n"
    "10001,Jane Doe,7,tiny,2026-10-01T21:59:00Z,\n10001,Jane Doe,7,tiny,2026-10-02T08:00:00Z,\n"
)


def read(folder: Path, text: str, zone: str | None = None) -> Times:
    (folder / "times.csv").write_text(text)
    return times_in(folder / "times.csv", LatePolicy(timezone=zone))


def handed_in(times: Times, student: str, origin: Origin | None = None) -> datetime | None:
    grade = msgspec.structs.replace(a_tiny_grade(student), origin=origin)
    return times.of("tiny", grade)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def test_moodles_worksheet_gives_times_by_its_own_ids_and_by_email(tmp_path: Path) -> None:
    times = read(tmp_path, MOODLE, "Europe/Berlin")
    assert handed_in(times, "Jane Doe (10001)", Origin(layout="moodle", id="10001")) == utc(1, 21, 59)
    assert handed_in(times, "Jane Doe (10002)", Origin(layout="moodle", id="10002")) == utc(2, 6, 5)
    assert handed_in(times, "jdoe", Origin(layout="gradescope", email="JDoe2@example.org")) == utc(2, 6, 5)
    assert handed_in(times, "Max Poe", Origin(layout="moodle", id="10003")) is None


def test_an_id_of_another_platform_and_a_name_of_two_people_give_no_time(tmp_path: Path) -> None:
    times = read(tmp_path, MOODLE, "Europe/Berlin")
    assert handed_in(times, "somebody", Origin(layout="canvas", id="10001")) is None
    assert handed_in(times, "Jane Doe") is None


def test_gradescopes_grades_and_canvass_report_are_read(tmp_path: Path) -> None:
    times = read(tmp_path, GRADESCOPE)
    assert handed_in(times, "jdoe", Origin(layout="gradescope", id="u1")) == utc(2, 8)
    assert handed_in(times, "Jane Doe") == utc(2, 8)
    times = read(tmp_path, CANVAS)
    assert handed_in(times, "doejane", Origin(layout="canvas", id="10001")) == utc(2, 8) == handed_in(times, "Jane Doe")
    assert read(tmp_path, CANVAS.replace("submission date", "submitted at")).by_id == times.by_id


def test_a_platforms_file_with_a_damaged_row_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    """It does not lack the columns of a table of one's own."""
    with pytest.raises(ConfigError, match=r"times.csv, which late.times .* cannot be read as a CSV file: field larger"):
        read(tmp_path, f"{CANVAS}10002,{'x' * 200_000},7,tiny,2026-10-01T21:59:00Z,\n")


def test_a_time_without_a_zone_needs_the_courses(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"times.csv, line 2: 'Thursday, 1 October 2026, 11:59 PM' has no time zone. Set"
    ):
        read(tmp_path, MOODLE)
    with pytest.raises(ConfigError, match=r"'torstai 1. lokakuuta' is no time that is understood. Export the file"):
        read(tmp_path, MOODLE.replace("Thursday, 1 October 2026, 11:59 PM", "torstai 1. lokakuuta"), "UTC")


def test_ones_own_table_is_read_as_before(tmp_path: Path) -> None:
    times = read(tmp_path, "student,time\nada,2026-10-01T10:00:00Z\n")
    assert (times.of_platform, handed_in(times, "ada")) == (False, utc(1, 10))
    with pytest.raises(ConfigError, match="line 1: the column time is missing"):
        read(tmp_path, "student,when\na,b\n")


LATE = "late:\n  percent_per_day: 10\n"


def graded(folder: Path, origin: Origin, config: str) -> Path:
    course = recorded(folder, msgspec.structs.replace(a_tiny_grade("ada"), origin=origin))
    (course / "grader_config.yml").write_text((course / "grader_config.yml").read_text() + config)
    file = course / "assignments" / "tiny" / "assignment.yml"
    file.write_text(file.read_text() + "deadline: 2026-10-01T23:59:00Z\n")
    return course


def test_the_time_that_a_download_has_counts_without_a_table(tmp_path: Path) -> None:
    course = graded(tmp_path, Origin(layout="gradescope", id="u1", submitted=utc(3, 1)), LATE)
    run = called(course, "show", "ada")
    assert "on day 2 after the deadline" in " ".join(run.stdout.split()) and run.stderr == ""


@pytest.mark.parametrize("config", ["", LATE])
def test_a_late_mark_without_a_time_is_told(tmp_path: Path, config: str) -> None:
    course = graded(tmp_path, Origin(layout="canvas", id="10001", late=True), config)
    run = called(course, "report")
    words = "1 submission is marked late by the platform, and has no penalty, since late.times has no time for it"
    assert words in run.stderr and "in tiny: ada" in run.stderr
    (course / "times.csv").write_text(CANVAS)
    text = (course / "grader_config.yml").read_text()
    timed = text + "  times: times.csv\n" if config else text + "late:\n  times: times.csv\n"
    (course / "grader_config.yml").write_text(timed)
    assert "marked late by the platform" not in called(course, "report").stderr


def test_each_assignment_can_have_a_file_of_its_own(tmp_path: Path) -> None:
    grade = msgspec.structs.replace(a_tiny_grade("Jane Doe"), origin=Origin(layout="moodle", id="10001"))
    course = recorded(tmp_path, grade)
    (course / "other.csv").write_text(MOODLE)
    text = (course / "grader_config.yml").read_text()
    late = "late:\n  timezone: Europe/Berlin\n  times:\n    {}: other.csv\n"
    (course / "grader_config.yml").write_text(text + late.format("tiny"))
    assert "2026-10-01T23:59:00" in called(course, "export", "csv").stdout
    (course / "grader_config.yml").write_text(text + late.format("tinny"))
    run = called(course, "export", "csv")
    assert (
        run.returncode == 2
        and "late.times names 'tinny', which is not an assignment. Did you mean 'tiny'?" in run.stderr
    )


def test_a_late_mark_with_a_time_and_without_a_deadline_is_told(tmp_path: Path) -> None:
    submitted = datetime(2026, 10, 1, 23, 59, tzinfo=UTC)
    late = Origin(layout="gradescope", id="u1", submitted=submitted, late=True)
    course = recorded(tmp_path, msgspec.structs.replace(a_tiny_grade("ada"), origin=late))
    words = "1 submission is marked late by the platform, and has no penalty, since the assignment has no deadline"
    assert words in called(course, "report").stderr
    with (course / "assignments" / "tiny" / "assignment.yml").open("a") as file:
        file.write("deadline: 2026-10-01T20:00:00+00:00\n")
    assert "marked late" not in called(course, "report").stderr
