"""The final score: measured points, overrides and the late policy. The measured points never change.

An override replaces a question's points. Then the penalty, a percentage for each started day after the student's own
deadline, up to a maximum, reduces the sum. Within the grace period there is no penalty; the days still count from the
deadline. Days are those of the course's time zone, so that a day on which its clocks change has 23 or 25 hours. Without
a known submission time there is no penalty, and a note says so.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO
from unicodedata import normalize
from zoneinfo import ZoneInfo

import msgspec

from gradetape.course.config import LatePolicy
from gradetape.errors import ConfigError
from gradetape.records import FinalScore, Override
from gradetape.text import printable

Times = Mapping[tuple[str, str], datetime]


class Timing(msgspec.Struct, frozen=True):
    """A student's deadline, whether it is an extension, and when the work was handed in; None if unknown."""

    deadline: datetime | None = None
    extended: bool = False
    handed_in: datetime | None = None


def timing(late: LatePolicy, assignment: str, student: str, deadline: str | None, handed_in: datetime | None) -> Timing:
    """The timing under a policy, which may extend a single student's deadline."""
    own = late.extensions.get(assignment, {}).get(student)
    effective = own or deadline
    return Timing(datetime.fromisoformat(effective) if effective else None, own is not None, handed_in)


def read_times(path: Path) -> Times:
    """When work was handed in, by assignment and student; the assignment is empty if the table has no such column.

    The table is CSV, with commas, semicolons or tabs, and has the columns student, time and optionally assignment; a
    student's latest time counts. Raises ConfigError, which names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter=separator(file))
            if missing := {"student", "time"} - set(rows.fieldnames or ()):
                raise ConfigError(
                    f"{path.name}, line 1: the column {' and '.join(sorted(missing))} is missing. Add it."
                )
            return dict(sorted(_handed_in(rows, path.name), key=lambda pair: pair[1]))
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


def separator(file: TextIO) -> str:
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
        yield (printable(row.get("assignment") or ""), printable(normalize("NFC", row["student"] or ""))), time


def apply_late_policy(
    measured: Mapping[str, float], overrides: Iterable[Override], when: Timing, late: LatePolicy
) -> FinalScore:
    """The final score of one student, from the points of each question and the overrides in force."""
    given = {override.question: override for override in overrides}
    points = sum({**measured, **{question_id: override.points for question_id, override in given.items()}}.values())
    days = late_days(when, late)
    percent = min(late.percent_per_day * (days or 0), late.most_percent)
    return FinalScore(
        measured=round(sum(measured.values()), 6),
        final=round(points * (1 - percent / 100), 6),
        overrides=tuple(given.values()),
        handed_in=when.handed_in.isoformat(timespec="seconds") if when.handed_in else "",
        late_days=days,
        late_percent=percent,
        lines=(*(_given(override, measured) for override in given.values()), *_timed(when, late, days, percent)),
    )


def late_days(when: Timing, late: LatePolicy) -> int | None:
    """The started days since the deadline; 0 within the grace period, None if a time is unknown."""
    if when.deadline is None or when.handed_in is None:
        return None
    if when.handed_in.astimezone(UTC) - when.deadline.astimezone(UTC) <= timedelta(minutes=late.grace_minutes):
        return 0
    over = _clock(when.handed_in, late) - _clock(when.deadline, late)
    return max(math.ceil(over / timedelta(days=1)), 1)


def _clock(time: datetime, late: LatePolicy) -> datetime:
    """What the clocks of the course show at a time, without a time zone."""
    return time.astimezone(ZoneInfo(late.timezone) if late.timezone else UTC).replace(tzinfo=None)


def _given(override: Override, measured: Mapping[str, float]) -> str:
    before = measured.get(override.question, 0.0)
    points = f"{override.points:g} points instead of {before:g}"
    return f"{override.question}: {points}, set by the course staff: {override.reason}"


def _timed(when: Timing, late: LatePolicy, days: int | None, percent: float) -> Iterable[str]:
    if when.deadline is None or not late.percent_per_day:
        return
    deadline = f"{'extended ' if when.extended else ''}deadline, {_shown(when.deadline)}"
    if when.handed_in is None:
        yield f"The submission time is unknown, so there is no penalty. It was due by the {deadline}."
    elif days:
        yield f"Handed in {_shown(when.handed_in)}, {_days(days)} after the {deadline}: {percent:g} % penalty."
    elif when.handed_in > when.deadline:
        grace = f"the {late.grace_minutes:g}-minute grace period"
        yield f"Handed in {_shown(when.handed_in)}, within {grace} after the {deadline}: no penalty."


def _days(count: int) -> str:
    return "on the first day" if count == 1 else f"on day {count}"


def _shown(time: datetime) -> str:
    zone = "UTC" if time.utcoffset() == timedelta(0) or time.tzinfo is UTC else f"{time:%z}"
    return f"{time:%Y-%m-%d %H:%M} {zone}"
