"""The statements on attempts: which ones count, which are done, and how to add one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.order import counts_before
from gradetape.gradebook.tables import ATTEMPTS, CHECK_RESULTS, IS_CURRENT, IS_DONE
from gradetape.records import Grade, Status, Unreadable
from gradetape.text import printable


def row(record: Grade | Unreadable, assignment: str) -> dict[str, Any]:
    """The columns of a new attempt."""
    own = _grade_columns(record) if isinstance(record, Grade) else _unreadable_columns(record, assignment)
    return own | {
        "student": printable(record.student),
        "file": printable(record.file),
        "sha256": record.sha256,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "record": json.dumps(msgspec.to_builtins(record)),
    }


def _grade_columns(grade: Grade) -> dict[str, Any]:
    return {
        "assignment": printable(grade.assignment),
        "key": grade.key,
        "status": grade.status,
        "isolation": grade.isolation,
        "points": grade.points,
        "max_points": grade.max_points,
        "seconds": grade.seconds,
    }


def _unreadable_columns(entry: Unreadable, assignment: str) -> dict[str, Any]:
    return {
        "assignment": printable(assignment),
        "key": f"unreadable:{entry.sha256}",
        "status": Status.UNREADABLE,
        "isolation": "none",
    } | dict.fromkeys(("points", "max_points", "seconds"), 0.0)


def _of(assignment: str, student: str) -> sa.ColumnElement[bool]:
    return sa.and_(ATTEMPTS.c.assignment == assignment, ATTEMPTS.c.student == student)


def _under(assignment: str, student: str, key: str) -> sa.Select[Any]:
    """The attempts under a key, the newest first."""
    found = sa.select(ATTEMPTS).where(_of(assignment, student), ATTEMPTS.c.key == key)
    return found.order_by(ATTEMPTS.c.number.desc()).limit(1)


def done(assignment: str, student: str, key: str) -> sa.Select[Any]:
    """The student's done grade under a key."""
    return _under(assignment, student, key).where(IS_DONE)


def settled(work: dict[str, str], since: int, again: bool) -> sa.Select[Any]:
    """The attempt that makes judging this submission unnecessary; see `Gradebook.claim`."""
    news = ATTEMPTS.c.id > since
    return _under(**work).where(news if again else sa.or_(news, IS_DONE))


def current(assignment: str) -> sa.Select[Any]:
    """The attempts that count, by student."""
    found = sa.select(ATTEMPTS).where(ATTEMPTS.c.assignment == printable(assignment), IS_CURRENT)
    return found.order_by(ATTEMPTS.c.student)


def unsettled(assignment: str) -> sa.Select[Any]:
    """The ids of the attempts that count and are not done."""
    own = sa.select(ATTEMPTS.c.id).where(ATTEMPTS.c.assignment == printable(assignment))
    return own.where(IS_CURRENT, ~IS_DONE)


def known(connection: sa.Connection, row: dict[str, Any], since: int) -> int | None:
    """The id of the attempt that makes this one unnecessary: a done one under its key, or an equal one that counts.

    With `since`, only a done one that is newer.
    """
    if row["status"] != Status.UNREADABLE:
        newer = done(row["assignment"], row["student"], row["key"]).where(ATTEMPTS.c.id > since)
        found = connection.scalar(newer.with_only_columns(ATTEMPTS.c.id))
        if found is not None or since:
            return found
    counting = sa.select(ATTEMPTS.c.id).where(_of(row["assignment"], row["student"]), IS_CURRENT)
    return connection.scalar(counting.where(ATTEMPTS.c.record == row["record"]))


def add(connection: sa.Connection, row: dict[str, Any], record: Grade | Unreadable) -> int:
    """Adds an attempt with the results of its checks. Returns its id.

    It then counts for its student, unless the one that counts is another file that counts before it (`order`).
    """
    own = _of(row["assignment"], row["student"])
    counts = not _yields(connection, row["assignment"], row["student"], row["record"])
    number = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(ATTEMPTS.c.number), 0) + 1).where(own))
    if counts:
        connection.execute(sa.update(ATTEMPTS).where(own, IS_CURRENT).values(current=False))
    added = sa.insert(ATTEMPTS).values(row | {"number": number, "current": counts}).returning(ATTEMPTS.c.id)
    attempt: int = connection.execute(added).scalar_one()
    results = _check_rows(attempt, record)
    if results:
        connection.execute(sa.insert(CHECK_RESULTS), results)
    return attempt


def make_current(
    connection: sa.Connection, assignment: str, student: str, attempt: int, record: str | None = None
) -> None:  # fmt: skip
    """Makes an attempt the one that counts for its student, unless another file counts before it.

    `record` has the times of the file as it was handed in now; by default they are those of the attempt.
    """
    record = record or connection.scalar(sa.select(ATTEMPTS.c.record).where(ATTEMPTS.c.id == attempt))
    if record and _yields(connection, assignment, student, record):
        return
    # Two statements: the index allows no moment at which two attempts of a student are current.
    connection.execute(sa.update(ATTEMPTS).where(_of(assignment, student), IS_CURRENT).values(current=False))
    connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.id == attempt).values(current=True))


def of_file(assignment: str, student: str, sha256: str) -> sa.Select[Any]:
    """The attempts of a file, the newest first."""
    found = sa.select(ATTEMPTS).where(_of(assignment, student), ATTEMPTS.c.sha256 == sha256)
    return found.order_by(ATTEMPTS.c.number.desc()).limit(1)


def _yields(connection: sa.Connection, assignment: str, student: str, record: str) -> bool:
    """Whether the attempt that counts is another file's and counts before a record."""
    counting = connection.scalar(sa.select(ATTEMPTS.c.record).where(_of(assignment, student), IS_CURRENT))
    return counting is not None and counts_before(json.loads(counting), json.loads(record))


def _check_rows(attempt: int, record: Grade | Unreadable) -> list[dict[str, Any]]:
    return [
        {
            "attempt_id": attempt,
            "question": result.check.question,
            "name": result.check.name,
            "public": result.check.public,
            "verdict": result.verdict,
            "points": result.points,
            "max_points": result.check.points,
            "seconds": result.seconds,
        }
        for result in (record.results if isinstance(record, Grade) else ())
    ]
