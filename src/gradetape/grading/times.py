"""When work was handed in: the table that `late.times` names, one's own or a platform's file as it is.

A platform's file is recognised by its columns: Moodle's grading worksheet, Gradescope's grades, Canvas's report of
submissions. Its rows belong to people by the platform's id or the email address, else by a name that only one row has.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import msgspec

from gradetape.course.config import LatePolicy
from gradetape.errors import ConfigError
from gradetape.intake import aware, english
from gradetape.records import Grade, Unreadable
from gradetape.text import composed, printable

_UNIVERSITY, _EMAIL = "university", "email"


class Times(msgspec.Struct, frozen=True):
    """When work was handed in, by assignment and student, and by kind and id.

    The assignment is empty if the table has no such column. `of_platform` marks a platform's file, whose names may be
    written in another way than those of its submissions.
    """

    by_student: Mapping[tuple[str, str], datetime] = {}
    by_id: Mapping[tuple[str, str], datetime] = {}
    of_platform: bool = False

    def of(self, assignment: str, record: Grade | Unreadable) -> datetime | None:
        """When a submission was handed in; None if the table does not say it."""
        known = [self.by_id[key] for key in _ids_of(record) if key in self.by_id]
        student = printable(record.student)
        named = self.by_student.get((assignment, student)) or self.by_student.get(("", student))
        return known[0] if known else named


class PlatformTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a platform's file, in lower case: any one of each that is given here."""

    time: str
    ids: tuple[str, ...]
    kind: str
    names: tuple[tuple[str, ...], ...]


_PLATFORMS = (
    PlatformTimes(time="last modified (submission)", ids=("identifier",), kind="moodle", names=(("full name",),)),
    PlatformTimes(
        time="submission time", ids=("sid", "student id"), kind=_UNIVERSITY,
        names=(("name",), ("first name", "last name")),
    ),
    PlatformTimes(
        time="submission date", ids=("user id", "canvas user id", "id"), kind="canvas",
        names=(("user name",), ("student name",), ("name",), ("student",)),
    ),
    PlatformTimes(
        time="submitted at", ids=("user id", "canvas user id", "id"), kind="canvas",
        names=(("user name",), ("student name",), ("name",), ("student",)),
    ),
)  # fmt: skip
_EMAILS = ("email", "email address")


def times_in(path: Path, late: LatePolicy) -> Times:
    """The times in a platform's file, or in a table of one's own; a student's latest time counts.

    A table of one's own is CSV, with commas, semicolons or tabs, and has the columns student, time and optionally
    assignment. Raises ConfigError, which names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _times(csv.DictReader(file, delimiter=_separator(file)), path.name, late)
    except OSError as error:
        raise ConfigError(
            f"{path}, which late.times in grader_config.yml names, cannot be read: {error.strerror}. "
            "Put the table there, or correct the path, which is relative to the course's folder."
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"{path}, which late.times in grader_config.yml names, cannot be read as a CSV file: {error}. "
            "Export it as UTF-8, or remove late.times."
        ) from None


def _times(rows: csv.DictReader[str], name: str, late: LatePolicy) -> Times:
    columns = [(column or "").strip().casefold() for column in rows.fieldnames or ()]
    platform = next((each for each in _PLATFORMS if each.time in columns), None)
    if platform and not set(columns) >= {"student", "time"}:
        rows.fieldnames = columns
        return _of_platform(platform, rows, name, late)
    if missing := {"student", "time"} - set(rows.fieldnames or ()):
        raise ConfigError(f"{name}, line 1: the column {' and '.join(sorted(missing))} is missing. Add it.")
    return Times(by_student=dict(sorted(_handed_in(rows, name), key=lambda pair: pair[1])))


def _separator(file: TextIO) -> str:
    """The separator of the columns: a comma, or another one that spreadsheets use in some locales."""
    head = file.readline()
    file.seek(0)
    return max(",;\t", key=head.count)


def _handed_in(rows: csv.DictReader[str], name: str) -> Iterator[tuple[tuple[str, str], datetime]]:
    for row in rows:
        try:
            time = datetime.fromisoformat(row["time"] or "")
        except ValueError:
            time = datetime.min
        if time.tzinfo is None:
            written = printable(row["time"] or "", 40)
            raise ConfigError(
                f"{name}, line {rows.line_num}: {written!r} is not an ISO time with a time zone, "
                "like 2026-10-01T23:59:00+02:00."
            )
        yield (printable(row.get("assignment") or ""), printable(composed(row["student"] or ""))), time


def _of_platform(platform: PlatformTimes, rows: csv.DictReader[str], name: str, late: LatePolicy) -> Times:
    """The times of a platform's file; a row without a time is somebody's who has handed in nothing."""
    timed = [(row, time) for row in rows if (time := _time(row, platform, f"{name}, line {rows.line_num}", late))]
    timed.sort(key=lambda pair: pair[1])
    people = {(_name(platform, row), _ids(platform, row)) for row, _ in timed}
    shared = Counter(person for person, _ in people)
    named = {("", who): time for row, time in timed if (who := _name(platform, row)) and shared[who] == 1}
    return Times(
        by_student=named, by_id={key: time for row, time in timed for key in _ids(platform, row)}, of_platform=True
    )


def _time(row: Mapping[str, str | None], platform: PlatformTimes, where: str, late: LatePolicy) -> datetime | None:
    """A platform's time; None if there is none. Raises ConfigError."""
    text = row[platform.time] or ""
    if text.strip() in ("", "-"):
        return None
    local, known = _local(text), aware(text)
    if known:
        return known
    if local is None:
        raise ConfigError(
            f"{where}: {printable(text, 60)!r} is no time that is understood. Export the file in English, or make a "
            "table with the columns student and time."
        )
    if late.timezone is None:
        raise ConfigError(
            f"{where}: {printable(text, 60)!r} has no time zone. Set late.timezone in grader_config.yml, "
            "such as timezone: Europe/Berlin."
        )
    return local.replace(tzinfo=ZoneInfo(late.timezone))


def _local(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        written = english(text)
        return written[0] if written else None
    return time.replace(tzinfo=None)


def _name(platform: PlatformTimes, row: Mapping[str, str | None]) -> str:
    parts = next((names for names in platform.names if all(name in row for name in names)), ())
    return printable(composed(" ".join((row[part] or "").strip() for part in parts)).strip())


def _ids(platform: PlatformTimes, row: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """The ids of a row, each with its kind; Moodle writes its own as `Participant 12345`."""
    texts = _texts(row, platform.ids)
    own = [(platform.kind, text.rpartition(" ")[2] if platform.kind == "moodle" else text) for text in texts]
    return (*own, *((_EMAIL, text.casefold()) for text in _texts(row, _EMAILS)))


def _texts(row: Mapping[str, str | None], names: Sequence[str]) -> list[str]:
    return [text for name in names if (text := (row.get(name) or "").strip())]


def _ids_of(record: Grade | Unreadable) -> Iterator[tuple[str, str]]:
    if record.origin is None:
        return
    if record.origin.id:
        yield (record.origin.layout if record.origin.has_own_id else _UNIVERSITY), record.origin.id
    if record.origin.email:
        yield _EMAIL, record.origin.email.casefold()
