"""Recording, recalling and reading attempts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gradetape.errors import GradebookError
from gradetape.gradebook import claims, overrides
from gradetape.gradebook.claims import Grader
from gradetape.gradebook.connect import engine_of, explained, locate
from gradetape.gradebook.schema import prepare, queue_behind_other_writers
from gradetape.gradebook.tables import ATTEMPTS, CHECK_RESULTS, IS_CURRENT, IS_DONE
from gradetape.records import Grade, Override, Status, Unreadable
from gradetape.text import printable

_Record = TypeVar("_Record", Grade, Unreadable)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the gradebook: the student's `number`-th for the assignment, recorded at `created` (UTC, ISO)."""

    number: int
    created: str
    current: bool
    record: Grade | Unreadable


class Gradebook:
    """Grades and unreadable files, each recorded whole or not at all; every method raises GradebookError.

    A context manager; made by `Gradebook.open`. `migrated` says what was done to an older layout, if anything was.
    """

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self._place = place
        self.migrated = ""

    @classmethod
    def open(cls, url_or_path: str | Path, *, busy_s: float = 10.0) -> Self:
        """Open the SQLite file at a path, or the database at a URL; make its tables if it is empty, migrate older ones.

        `busy_s` seconds is how long to wait for another program that is writing to the SQLite file.
        """
        url, place = locate(url_or_path)
        book = cls(engine_of(url, place, busy_s), place)
        try:
            book._prepare()
        except BaseException:
            book.close()
            raise
        return book

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def grader(self) -> Grader:
        """This process as one that will claim work; everything recorded from now on is news to it."""
        newest = self._read(sa.select(sa.func.coalesce(sa.func.max(ATTEMPTS.c.id), 0).label("id")))
        return Grader.here(newest[0].id)

    def claim(self, me: Grader, assignment: str, student: str, key: str, *, again: bool = False) -> Grade | Grader:
        """Ask for a submission, so that nobody else judges it: `me` if I am to, else who does, or its grade.

        That is a done grade under the key, which then counts again (with `again` only one that is newer than `me`), or
        whatever else another grader has recorded under it since `me` was made.
        """
        assignment, student = printable(assignment), printable(student)
        work = {"assignment": assignment, "student": student, "key": key}
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            row = connection.execute(_settled(work, me.since, again)).first()
            if row is not None:
                _make_current(connection, assignment, student, row.id)
                return self._grade(row)
            other = claims.owner(connection, work, me)
            if other is None:
                claims.take(connection, work, me)
        return other or me

    def heartbeat(self, me: Grader) -> None:
        """Show a sign of life: without one, after a while others may take over what is claimed."""
        with self._transaction() as connection:
            claims.heartbeat(connection, me)

    def release(self, me: Grader) -> None:
        """Let go of everything that is claimed."""
        with self._transaction() as connection:
            claims.release(connection, me)

    def record(
        self, record: Grade | Unreadable, assignment: str, *, force: bool = False, grader: Grader | None = None
    ) -> bool:
        """Add an attempt, which then counts for its student, in one transaction; False if nothing had to be added.

        Nothing is added if the student has a done grade under the same key, which then counts again, or if the same
        unreadable file is what counts already. With `force` the attempt is added all the same, unless the done grade
        is newer than `grader`. The grader's claim is let go of.
        """
        row = _row(record, assignment)
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            if grader is not None:
                claims.release(connection, grader, {name: row[name] for name in ("assignment", "student", "key")})
            known = (
                None if force and grader is None else _known(connection, row, grader.since if force and grader else 0)
            )
            if known is None:
                _add(connection, row, record)
            else:
                _make_current(connection, row["assignment"], row["student"], known)
        return known is None

    def recall(self, assignment: str, student: str, key: str) -> Grade | None:
        """The student's done grade under a key, which from now on counts again; None if there is none.

        This is how a batch skips what it has graded before: a student may hand in an older version again, and an
        instructor may take a change of the checks back.
        """
        assignment, student = printable(assignment), printable(student)
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            row = connection.execute(_done(assignment, student, key)).first()
            if row is not None:
                _make_current(connection, assignment, student, row.id)
        return None if row is None else self._grade(row)

    def has(self, key: str) -> bool:
        """Whether a grade under this key is done."""
        return bool(self._read(sa.select(ATTEMPTS.c.id).where(ATTEMPTS.c.key == key, IS_DONE).limit(1)))

    def keys(self, assignment: str) -> set[str]:
        """The keys of the grades that are done."""
        wanted = sa.select(ATTEMPTS.c.key).where(ATTEMPTS.c.assignment == printable(assignment), IS_DONE)
        return {row.key for row in self._read(wanted)}

    def assignments(self) -> list[str]:
        """The names of the assignments that have an attempt."""
        names = sa.select(ATTEMPTS.c.assignment).distinct().order_by("assignment")
        return [row.assignment for row in self._read(names)]

    def latest(self, assignment: str) -> list[Grade]:
        """The grades that count, by student; a student whose last file was unreadable has none."""
        rows = self._read(_counting(assignment).where(ATTEMPTS.c.status != Status.UNREADABLE))
        return [self._grade(row) for row in rows]

    def unreadable(self, assignment: str) -> list[Unreadable]:
        """The unreadable files of the students who have not handed in a readable one since."""
        rows = self._read(_counting(assignment).where(ATTEMPTS.c.status == Status.UNREADABLE))
        return [self._decoded(row, Unreadable) for row in rows]

    def attempts(self, assignment: str, student: str) -> list[Attempt]:
        """All that was ever recorded of a student, the oldest first."""
        rows = self._read(sa.select(ATTEMPTS).where(_of(printable(assignment), printable(student))).order_by("number"))
        return [
            Attempt(
                number=row.number,
                created=row.created,
                current=row.current,
                record=self._decoded(row, Unreadable) if row.status == Status.UNREADABLE else self._grade(row),
            )
            for row in rows
        ]

    def override(self, assignment: str, override: Override) -> None:
        """Give points in place of a question's own, whatever was or will be measured; nothing measured changes."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            overrides.add(connection, assignment, override)

    def undo_override(self, assignment: str, student: str, question: str, by: str) -> Override | None:
        """Take back the override that is in force for a question, and return it; the one before it counts again."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            return overrides.undo(connection, assignment, student, question, by)

    def overrides(self, assignment: str, student: str | None = None) -> list[Override]:
        """Every override that was ever given, the oldest first; of what is not undone, a question's newest counts."""
        return overrides.read(self._read(overrides.history(assignment, student)))

    def _prepare(self) -> None:
        with self._transaction() as connection:
            self.migrated = prepare(connection, self._place)

    def _read(self, wanted: sa.Select[Any]) -> list[sa.Row[Any]]:
        with self._transaction() as connection:
            return list(connection.execute(wanted))

    def _grade(self, row: sa.Row[Any]) -> Grade:
        return self._decoded(row, Grade)

    def _decoded(self, row: sa.Row[Any], kind: type[_Record]) -> _Record:
        try:
            return msgspec.convert(json.loads(row.record), kind)
        except (ValueError, msgspec.ValidationError) as error:
            raise GradebookError(
                f"Entry {row.id} of the gradebook {self._place} ({row.student}, {row.file}) cannot be read: {error}. "
                "Restore the gradebook from a backup, or remove that entry and grade the file again."
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise GradebookError(explained(error, self._place)) from error


def _row(record: Grade | Unreadable, assignment: str) -> dict[str, Any]:
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


def _done(assignment: str, student: str, key: str) -> sa.Select[Any]:
    return _under(assignment, student, key).where(IS_DONE)


def _settled(work: dict[str, str], since: int, again: bool) -> sa.Select[Any]:
    """What makes it needless to judge this: see `Gradebook.claim`."""
    news = ATTEMPTS.c.id > since
    return _under(**work).where(news if again else sa.or_(news, IS_DONE))


def _counting(assignment: str) -> sa.Select[Any]:
    counting = sa.select(ATTEMPTS).where(ATTEMPTS.c.assignment == printable(assignment), IS_CURRENT)
    return counting.order_by(ATTEMPTS.c.student)


def _known(connection: sa.Connection, row: dict[str, Any], since: int) -> int | None:
    """The attempt that makes this one superfluous; a done one only where it is newer than `since`."""
    if row["status"] != Status.UNREADABLE:
        done = _done(row["assignment"], row["student"], row["key"]).where(ATTEMPTS.c.id > since)
        return connection.scalar(done.with_only_columns(ATTEMPTS.c.id))
    current = sa.select(ATTEMPTS.c.id).where(_of(row["assignment"], row["student"]), IS_CURRENT)
    return connection.scalar(current.where(ATTEMPTS.c.record == row["record"]))


def _add(connection: sa.Connection, row: dict[str, Any], record: Grade | Unreadable) -> None:
    mine = _of(row["assignment"], row["student"])
    number = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(ATTEMPTS.c.number), 0) + 1).where(mine))
    connection.execute(sa.update(ATTEMPTS).where(mine, IS_CURRENT).values(current=False))
    added = sa.insert(ATTEMPTS).values(row | {"number": number, "current": True}).returning(ATTEMPTS.c.id)
    results = _check_rows(connection.execute(added).scalar_one(), record)
    if results:
        connection.execute(sa.insert(CHECK_RESULTS), results)


def _make_current(connection: sa.Connection, assignment: str, student: str, attempt: int) -> None:
    # Two statements: the index allows no moment at which two attempts of a student are current.
    connection.execute(sa.update(ATTEMPTS).where(_of(assignment, student), IS_CURRENT).values(current=False))
    connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.id == attempt).values(current=True))


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
