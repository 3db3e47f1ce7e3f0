"""The final score: measured points, overrides and the late policy. The measured points never change.

An override replaces a question's points. The points of written questions are added as far as a person has marked them.
Then the penalty, a percentage for each started day after the student's own
deadline, up to a maximum, reduces the sum. Within the grace period there is no penalty; the days still count from the
deadline. Days are those of the course's time zone, so that a day on which its clocks change has 23 or 25 hours. Without
a known submission time there is no penalty, and a note says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from gradetape.course.config import LatePolicy
from gradetape.records import FinalScore, MarkState, Override, WrittenScore
from gradetape.text import as_points


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


def apply_late_policy(
    measured: Mapping[str, float], overrides: Iterable[Override], when: Timing, late: LatePolicy,
    written: Sequence[WrittenScore] = (),
) -> FinalScore:  # fmt: skip
    """The final score of one student, from the points of each question, the overrides in force, and what was marked."""
    given = {override.question: override for override in overrides}
    points = sum({**measured, **{question_id: override.points for question_id, override in given.items()}}.values())
    points += sum(each.points for each in written)
    days = late_days(when, late)
    percent = min(late.percent_per_day * (days or 0), late.most_percent)
    return FinalScore(
        measured=round(sum(measured.values()), 6),
        final=round(points * (1 - percent / 100), 6),
        overrides=tuple(given.values()),
        handed_in=when.handed_in.isoformat(timespec="seconds") if when.handed_in else "",
        late_days=days,
        late_percent=percent,
        lines=(
            *(_given(override, measured) for override in given.values()),
            *_marked(written),
            *_timed(when, late, days, percent),
        ),
        written=tuple(written),
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
    points = f"{as_points(override.points)} instead of {before:g}"
    return f"{override.question}: {points}, set by the course staff: {override.reason}"


def _marked(written: Sequence[WrittenScore]) -> Iterable[str]:
    """How many points of written answers are among the final ones, and how many wait."""
    marked = [each for each in written if each.state is MarkState.MARKED]
    if marked:
        points, most = (
            sum(each) for each in zip(*((each.points, each.question.points) for each in marked), strict=True)
        )
        yield f"Written answers: {points:g} of {as_points(most)}, given by the course staff."
    if left := sum(each.question.points for each in written if each.is_open):
        wait, are = ("waits", "is") if left == 1 else ("wait", "are")
        yield f"{as_points(left)} of written answers {wait} for a person and {are} not counted yet."


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
