"""The statements on measured points: those that count now, and those of the attempts before."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.tables import ATTEMPTS, CHECK_RESULTS, IS_CURRENT
from gradetape.records import PointsChange, Status
from gradetape.text import printable


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The points of one attempt by question; `created` is an ISO time in UTC, `sha256` of the file's bytes."""

    student: str
    sha256: str
    status: Status
    created: str
    points: dict[str, float]


def current(connection: sa.Connection, assignment: str) -> dict[str, Measured]:
    """The points that count, by student."""
    return _measured(connection, sa.and_(ATTEMPTS.c.assignment == printable(assignment), IS_CURRENT))


def changes(connection: sa.Connection, assignment: str) -> list[PointsChange]:
    """What the attempts that count changed in comparison with the newest other one of the same student."""
    own = ATTEMPTS.c.assignment == printable(assignment)
    newest = sa.select(sa.func.max(ATTEMPTS.c.id)).where(own, ~IS_CURRENT).group_by(ATTEMPTS.c.student)
    before, after = _measured(connection, ATTEMPTS.c.id.in_(newest)), current(connection, assignment)
    return [change for student in after if student in before for change in between(before[student], after[student])]


def between(before: Measured, after: Measured) -> list[PointsChange]:
    """The questions with other points; none if the file is another one or was unreadable."""
    if before.sha256 != after.sha256 or Status.UNREADABLE in (before.status, after.status):
        return []
    return [
        PointsChange(
            student=after.student, question=question, before=before.points[question], after=points, at=after.created
        )
        for question, points in after.points.items()
        if question in before.points and abs(before.points[question] - points) > 1e-9
    ]


def _measured(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, Measured]:
    columns = (ATTEMPTS.c.student, ATTEMPTS.c.sha256, ATTEMPTS.c.status, ATTEMPTS.c.created)
    points = sa.func.sum(CHECK_RESULTS.c.points).label("points")
    query = sa.select(*columns, CHECK_RESULTS.c.question, points).join_from(ATTEMPTS, CHECK_RESULTS, isouter=True)
    grouped = query.where(which).group_by(ATTEMPTS.c.id, *columns, CHECK_RESULTS.c.question)
    rows: dict[str, list[Any]] = {}
    for row in connection.execute(grouped.order_by(ATTEMPTS.c.student)):
        rows.setdefault(row.student, []).append(row)
    return {student: _of_rows(own) for student, own in rows.items()}


def _of_rows(rows: list[Any]) -> Measured:
    first = rows[0]
    points = {row.question: round(row.points, 6) for row in rows if row.question is not None}
    return Measured(
        student=first.student, sha256=first.sha256, status=Status(first.status), created=first.created, points=points
    )
