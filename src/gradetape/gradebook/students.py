"""The statements that rename or remove a student in everything that was ever recorded, and the audit of both.

A question result is shared by all students with the same cells: one that nobody else has is removed with its student,
together with what the code printed. The audit has no row with the name of a student who was removed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook import written
from gradetape.gradebook.note_tables import NOTES
from gradetape.gradebook.overrides import now
from gradetape.gradebook.tables import (
    ATTEMPT_QUESTIONS,
    ATTEMPTS,
    AUDIT,
    CLAIMS,
    OVERRIDES,
    QUESTION_RESULTS,
    RUNS,
    in_parts,
)
from gradetape.records import AuditEntry, Unreadable
from gradetape.text import printable


def rename(connection: sa.Connection, old: str, new: str, by: str) -> AuditEntry:
    """Gives a student another name in attempts, overrides, notes, written answers, marks and claims."""
    before, after = printable(old), printable(new)
    rows = connection.execute(sa.select(ATTEMPTS.c.id, ATTEMPTS.c.record).where(ATTEMPTS.c.student == before)).all()
    for row in rows:
        record = json.dumps(json.loads(row.record) | {"student": new})
        connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.id == row.id).values(student=after, record=record))
    given = sa.update(OVERRIDES).where(OVERRIDES.c.student == before).values(student=after)
    overrides = connection.execute(given).rowcount
    written.rename(connection, before, after)
    for table in NOTES:
        connection.execute(sa.update(table).where(table.c.student == before).values(student=after))
    connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.student == before))
    return _noted(connection, AuditEntry(
        action="rename", by=by, at=now(), old=before, new=after, attempts=len(rows), overrides=overrides
    ))  # fmt: skip


def forget(connection: sa.Connection, student: str, by: str) -> AuditEntry:
    """Removes everything that was recorded of a student, and the question results that nobody else has."""
    name = printable(student)
    own = sa.select(ATTEMPTS.c.id).where(ATTEMPTS.c.student == name)
    digests = _digests_of(connection, own)
    connection.execute(sa.delete(ATTEMPT_QUESTIONS).where(ATTEMPT_QUESTIONS.c.attempt_id.in_(own)))
    attempts = connection.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.student == name)).rowcount
    overrides = connection.execute(sa.delete(OVERRIDES).where(OVERRIDES.c.student == name)).rowcount
    written.forget(connection, name)
    for table in NOTES:
        connection.execute(sa.delete(table).where(table.c.student == name))
    connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.student == name))
    _remove_results(connection, digests)
    _empty_names(connection, name)
    return _noted(connection, AuditEntry(action="forget", by=by, at=now(), attempts=attempts, overrides=overrides))


def overwrite_removed(connection: sa.Connection) -> None:
    """Makes SQLite overwrite what this connection removes."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def compact(engine: sa.Engine) -> None:
    """Writes a SQLite file anew, without what was removed, and empties its log."""
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if (cursor.fetchone() or (0,))[0]:
            raise sa.exc.OperationalError("checkpoint", {}, RuntimeError("the log is in use"))


def naming(entries: Iterable[Unreadable], texts: Iterable[str]) -> set[str]:
    """The students of those entries whose reason has one of these texts in it, as whole words."""
    found = re.compile("|".join(rf"(?<!\w){re.escape(printable(text))}(?!\w)" for text in texts if text))
    return {entry.student for entry in entries if found.search(printable(entry.reason, len(entry.reason)))}


def history() -> sa.Select[Any]:
    """All entries, oldest first."""
    return sa.select(AUDIT).order_by(AUDIT.c.id)


def read(rows: Iterable[sa.Row[Any]]) -> list[AuditEntry]:
    """The rows as records."""
    return [
        AuditEntry(
            action=row.action, by=row.who, at=row.created, old=row.old, new=row.new, attempts=row.attempts,
            overrides=row.overrides,
        )
        for row in rows
    ]  # fmt: skip


def _digests_of(connection: sa.Connection, own: sa.Select[Any]) -> set[str]:
    linked = sa.select(QUESTION_RESULTS.c.digest).join_from(ATTEMPT_QUESTIONS, QUESTION_RESULTS)
    return set(connection.scalars(linked.where(ATTEMPT_QUESTIONS.c.attempt_id.in_(own))))


def _remove_results(connection: sa.Connection, digests: set[str]) -> None:
    """Removes the results under these digests that no attempt has any more, and runs without a result."""
    linked = sa.select(QUESTION_RESULTS.c.digest).join_from(ATTEMPT_QUESTIONS, QUESTION_RESULTS)
    alone = sorted(digests - set(connection.scalars(linked)))
    runs = set[int]()
    for some in in_parts(alone):
        mine = QUESTION_RESULTS.c.digest.in_(some)
        runs |= set(connection.scalars(sa.select(QUESTION_RESULTS.c.run_id).where(mine)))
        connection.execute(sa.delete(QUESTION_RESULTS).where(mine))
    left = set(connection.scalars(sa.select(QUESTION_RESULTS.c.run_id)))
    for run in sorted(runs - left):
        connection.execute(sa.delete(RUNS).where(RUNS.c.id == run))


def _empty_names(connection: sa.Connection, name: str) -> None:
    """Empties the student's names, former ones included, in the audit."""
    names, size = {name}, 0
    while len(names) > size:
        size = len(names)
        names |= set(connection.scalars(sa.select(AUDIT.c.old).where(AUDIT.c.new.in_(list(names)), AUDIT.c.old != "")))
    mine = sa.or_(AUDIT.c.old.in_(list(names)), AUDIT.c.new.in_(list(names)))
    connection.execute(sa.update(AUDIT).where(mine).values(old="", new=""))


def _noted(connection: sa.Connection, entry: AuditEntry) -> AuditEntry:
    row = {
        "created": entry.at, "who": printable(entry.by), "action": entry.action, "old": entry.old, "new": entry.new,
        "attempts": entry.attempts, "overrides": entry.overrides,
    }  # fmt: skip
    connection.execute(sa.insert(AUDIT).values(row))
    return entry
