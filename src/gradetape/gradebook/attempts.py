"""The statements on attempts: which ones count, which are done, and how to add one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.bulk import add_rows
from gradetape.gradebook.order import counts_before
from gradetape.gradebook.question_results import QuestionResult
from gradetape.gradebook.stored_text import text_of
from gradetape.gradebook.tables import ATTEMPTS, CHECK_RESULTS, IS_CURRENT, IS_DONE, in_parts
from gradetape.records import Grade, Status, Unreadable
from gradetape.text import printable

# Statements that run for every submission are made once: making them takes longer than running them.
_OF = sa.and_(ATTEMPTS.c.assignment == sa.bindparam("of_assignment"), ATTEMPTS.c.student == sa.bindparam("of_student"))
_LAST_NUMBER = sa.select(sa.func.coalesce(sa.func.max(ATTEMPTS.c.number), 0)).where(_OF)
_COUNTING = sa.select(ATTEMPTS.c.record).where(_OF, IS_CURRENT)
_NONE_COUNTS = sa.update(ATTEMPTS).where(_OF, IS_CURRENT).values(current=False)
_ADD = sa.insert(ATTEMPTS).returning(ATTEMPTS.c.id)
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
_NEWER = ATTEMPTS.c.id > sa.bindparam("since")
_UNDER_KEYS = (
    sa.select(ATTEMPTS)
    .where(ATTEMPTS.c.assignment == sa.bindparam("of_assignment"), ATTEMPTS.c.key.in_(_KEYS))
    .order_by(ATTEMPTS.c.number)
)
_SETTLED = _UNDER_KEYS.where(sa.or_(_NEWER, IS_DONE))
_SETTLED_AGAIN = _UNDER_KEYS.where(_NEWER)
_DONE = _UNDER_KEYS.where(IS_DONE)


class NewAttempt(msgspec.Struct, frozen=True):
    """What is recorded together: the attempt, the results that were judged for it, and those that it is composed of.

    `composed_of` has the digests of the latter, by question.
    """

    record: Grade | Unreadable
    results: Sequence[QuestionResult] = ()
    composed_of: Mapping[str, str] = {}


def row(record: Grade | Unreadable, assignment: str) -> dict[str, Any]:
    """The columns of a new attempt."""
    if isinstance(record, Grade):
        own, text = _grade_columns(record), text_of(record)
    else:  # as earlier versions wrote it: the text decides whether it was recorded before
        own, text = _unreadable_columns(record, assignment), json.dumps(msgspec.to_builtins(record))
    return own | {
        "student": printable(record.student),
        "file": printable(record.file),
        "sha256": record.sha256,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "record": text,
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


def _own(assignment: str, student: str) -> dict[str, str]:
    return {"of_assignment": assignment, "of_student": student}


def _of(assignment: str, student: str) -> sa.ColumnElement[bool]:
    return sa.and_(ATTEMPTS.c.assignment == assignment, ATTEMPTS.c.student == student)


def _under(assignment: str, student: str, key: str) -> sa.Select[Any]:
    """The attempts under a key, the newest first."""
    found = sa.select(ATTEMPTS).where(_of(assignment, student), ATTEMPTS.c.key == key)
    return found.order_by(ATTEMPTS.c.number.desc()).limit(1)


def done(assignment: str, student: str, key: str) -> sa.Select[Any]:
    """The student's done grade under a key."""
    return _under(assignment, student, key).where(IS_DONE)


def settled(
    connection: sa.Connection, assignment: str, keys: Sequence[str], since: int, again: bool
) -> dict[tuple[str, str], sa.Row[Any]]:  # fmt: skip
    """The attempts that make judging submissions unnecessary, by student and key; see `Gradebook.claim`."""
    statement, found = _SETTLED_AGAIN if again else _SETTLED, dict[tuple[str, str], sa.Row[Any]]()
    for some in in_parts(keys):
        rows = connection.execute(statement, {"of_assignment": assignment, "keys": some, "since": since})
        found |= {(row.student, row.key): row for row in rows}
    return found


def done_each(connection: sa.Connection, assignment: str, keys: Iterable[str]) -> dict[tuple[str, str], sa.Row[Any]]:
    """The done grades under keys, by student and key."""
    values = ({"of_assignment": assignment, "keys": some} for some in in_parts(dict.fromkeys(keys)))
    return {(row.student, row.key): row for each in values for row in connection.execute(_DONE, each)}


def counting_keys(connection: sa.Connection, assignment: str, students: Iterable[str]) -> dict[str, str]:
    """The keys of the attempts that count for students."""
    own = sa.select(ATTEMPTS.c.student, ATTEMPTS.c.key).where(ATTEMPTS.c.assignment == assignment, IS_CURRENT)
    parts = in_parts(dict.fromkeys(students))
    return {
        row.student: row.key for some in parts for row in connection.execute(own.where(ATTEMPTS.c.student.in_(some)))
    }


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


def last_number(connection: sa.Connection, assignment: str, student: str) -> int:
    """The number of the student's last attempt; 0 if there is none."""
    return connection.scalar(_LAST_NUMBER, _own(assignment, student)) or 0


def add(connection: sa.Connection, row: dict[str, Any], last: int) -> int:
    """Adds an attempt behind the `last` one. Returns its id.

    It then counts for its student, unless the one that counts is another file that counts before it (`order`).
    """
    counts = last == 0 or not _yields(connection, row["assignment"], row["student"], row["record"])
    if last and counts:
        connection.execute(_NONE_COUNTS, _own(row["assignment"], row["student"]))
    attempt: int = connection.execute(_ADD, row | {"number": last + 1, "current": counts}).scalar_one()
    return attempt


def add_checks(connection: sa.Connection, records: Mapping[int, Grade | Unreadable]) -> None:
    """Adds the results of the checks of attempts, by id."""
    rows = [row for attempt, record in records.items() for row in _check_rows(attempt, record)]
    add_rows(connection, CHECK_RESULTS, rows)


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
    connection.execute(_NONE_COUNTS, _own(assignment, student))
    connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.id == attempt).values(current=True))


def of_file(assignment: str, student: str, sha256: str) -> sa.Select[Any]:
    """The attempts of a file, the newest first."""
    found = sa.select(ATTEMPTS).where(_of(assignment, student), ATTEMPTS.c.sha256 == sha256)
    return found.order_by(ATTEMPTS.c.number.desc()).limit(1)


def _yields(connection: sa.Connection, assignment: str, student: str, record: str) -> bool:
    """Whether the attempt that counts is another file's and counts before a record."""
    counting = connection.scalar(_COUNTING, _own(assignment, student))
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
