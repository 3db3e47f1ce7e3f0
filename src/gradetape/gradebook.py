"""The gradebook: every attempt of every student, in SQLite or PostgreSQL.

An attempt is a row that is never changed or removed, but for one flag: `current` marks what counts for a student in
an assignment, and the database itself sees to it that only one attempt has it. A grade is *done* when its status is
`graded`; what is done under a key is not recorded again. A grade that needs attention is not done: the same key may be
tried again, each attempt is kept, and the last one counts.

Writers queue, so that two drivers that record the same result leave one: SQLite takes its write lock as a transaction
begins, and PostgreSQL locks the row that holds the schema's version. Everything else is the same code for both.
The whole record is kept as ASCII JSON, because neither database takes every character that a student can write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gradetape.errors import GradebookError
from gradetape.records import Grade, Status, Unreadable
from gradetape.text import printable

SCHEMA = 1

_Record = TypeVar("_Record", Grade, Unreadable)

_TABLES = sa.MetaData()
_META = sa.Table(
    "meta", _TABLES, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.String, nullable=False)
)
_ATTEMPTS = sa.Table(
    "attempts",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("key", sa.String, nullable=False, index=True),
    sa.Column("file", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("isolation", sa.String, nullable=False),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("max_points", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("record", sa.String, nullable=False),
    sa.UniqueConstraint("assignment", "student", "number"),
)
_IS_DONE = _ATTEMPTS.c.status == Status.GRADED
_IS_CURRENT = _ATTEMPTS.c.current == sa.true()
sa.Index(
    "attempts_current",
    _ATTEMPTS.c.assignment,
    _ATTEMPTS.c.student,
    unique=True,
    sqlite_where=_IS_CURRENT,
    postgresql_where=_IS_CURRENT,
)
_CHECK_RESULTS = sa.Table(
    "check_results",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("attempt_id", sa.ForeignKey("attempts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("max_points", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)

# How SQLite's name for an error begins, what is wrong, and what to do next.
_AGAIN = "run the command again: it goes on where it stopped."
_ADVICE = (
    ("SQLITE_BUSY", f"is locked by another program. Close what has it open, such as another gradetape, and {_AGAIN}"),
    ("SQLITE_FULL", f"could not grow: the disk is full. Free some space and {_AGAIN}"),
    ("SQLITE_READONLY", "cannot be written. Check who owns it and its folder, or choose another folder with --out."),
    ("SQLITE_CANTOPEN", "cannot be opened. Check who owns it and its folder, or choose another folder with --out."),
    ("SQLITE_NOTADB", "is a file of another kind. Move it away, or choose another folder with --out."),
    ("SQLITE_CORRUPT", "is damaged. Restore it from a backup, or move it away and grade again."),
    ("SQLITE_IOERR", "fails to be read or written. Check the disk; SQLite needs a local one, PostgreSQL does not."),
)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the gradebook: the student's `number`-th for the assignment, recorded at `created` (UTC, ISO)."""

    number: int
    created: str
    current: bool
    record: Grade | Unreadable


class Gradebook:
    """Grades and unreadable files, each recorded whole or not at all; every method raises GradebookError.

    A context manager; made by `Gradebook.open`.
    """

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self._place = place

    @classmethod
    def open(cls, url_or_path: str | Path, *, busy_s: float = 10.0) -> Self:
        """Open the SQLite file at a path, or the database at a URL; make its tables if it is empty.

        `busy_s` seconds is how long to wait for another program that is writing to the SQLite file.
        """
        url, place = _locate(url_or_path)
        book = cls(_connectable(url, place, busy_s), place)
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

    def record(self, record: Grade | Unreadable, assignment: str, *, force: bool = False) -> bool:
        """Add an attempt, which then counts for its student, in one transaction; False if nothing had to be added.

        Nothing is added if the student has a done grade under the same key, which then counts again, or if the same
        unreadable file is what counts already. With `force` the attempt is added all the same.
        """
        row = _row(record, assignment)
        with self._transaction() as connection:
            _queue_behind_other_writers(connection)
            known = None if force else _known(connection, row)
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
            _queue_behind_other_writers(connection)
            row = connection.execute(_done(assignment, student, key)).first()
            if row is not None:
                _make_current(connection, assignment, student, row.id)
        return None if row is None else self._grade(row)

    def has(self, key: str) -> bool:
        """Whether a grade under this key is done."""
        return bool(self._read(sa.select(_ATTEMPTS.c.id).where(_ATTEMPTS.c.key == key, _IS_DONE).limit(1)))

    def keys(self, assignment: str) -> set[str]:
        """The keys of the grades that are done."""
        wanted = sa.select(_ATTEMPTS.c.key).where(_ATTEMPTS.c.assignment == printable(assignment), _IS_DONE)
        return {row.key for row in self._read(wanted)}

    def assignments(self) -> list[str]:
        """The names of the assignments that have an attempt."""
        names = sa.select(_ATTEMPTS.c.assignment).distinct().order_by("assignment")
        return [row.assignment for row in self._read(names)]

    def latest(self, assignment: str) -> list[Grade]:
        """The grades that count, by student; a student whose last file was unreadable has none."""
        rows = self._read(_counting(assignment).where(_ATTEMPTS.c.status != Status.UNREADABLE))
        return [self._grade(row) for row in rows]

    def unreadable(self, assignment: str) -> list[Unreadable]:
        """The unreadable files of the students who have not handed in a readable one since."""
        rows = self._read(_counting(assignment).where(_ATTEMPTS.c.status == Status.UNREADABLE))
        return [self._decoded(row, Unreadable) for row in rows]

    def attempts(self, assignment: str, student: str) -> list[Attempt]:
        """All that was ever recorded of a student, the oldest first."""
        rows = self._read(sa.select(_ATTEMPTS).where(_of(printable(assignment), printable(student))).order_by("number"))
        return [
            Attempt(
                number=row.number,
                created=row.created,
                current=row.current,
                record=self._decoded(row, Unreadable) if row.status == Status.UNREADABLE else self._grade(row),
            )
            for row in rows
        ]

    def _prepare(self) -> None:
        with self._transaction() as connection:
            tables = sa.inspect(connection).get_table_names()
            if not tables:
                _TABLES.create_all(connection)
                connection.execute(sa.insert(_META).values(name="schema", value=str(SCHEMA)))
            elif not {_META.name, _ATTEMPTS.name}.issubset(tables):
                raise GradebookError(
                    f"The database {self._place} belongs to something else: its tables are not a gradebook's. "
                    "Give gradetape a database of its own, or choose another folder with --out."
                )
            else:
                self._refuse_other_versions(connection)

    def _refuse_other_versions(self, connection: sa.Connection) -> None:
        version = connection.scalar(sa.select(_META.c.value).where(_META.c.name == "schema"))
        if version != str(SCHEMA):
            raise GradebookError(
                f"The gradebook {self._place} was made by another version of gradetape (its layout is {version}, this "
                f"version's is {SCHEMA}). Use that version, or choose another folder with --out and grade again."
            )

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
            raise GradebookError(_explained(error, self._place)) from error


def _locate(url_or_path: str | Path) -> tuple[sa.URL, str]:
    if "://" not in str(url_or_path):
        return sa.URL.create("sqlite", database=str(url_or_path)), str(url_or_path)
    try:
        url = sa.make_url(str(url_or_path))
    except (ArgumentError, ValueError) as error:
        raise GradebookError(
            "The gradebook's URL cannot be understood. "
            "It should look like postgresql://user:password@machine/database, or be the path of a SQLite file."
        ) from error
    return url, url.render_as_string(hide_password=True)


def _connectable(url: sa.URL, place: str, busy_s: float) -> sa.Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return sa.create_engine(url)
        _make_folder(Path(url.database or "."))
        engine = sa.create_engine(url, connect_args={"timeout": busy_s})
    except ModuleNotFoundError as error:
        raise GradebookError(
            f"The gradebook {place} needs the Python package {error.name}, which is not installed. "
            'For PostgreSQL: pip install "psycopg[binary]"'
        ) from error
    except SQLAlchemyError as error:
        raise GradebookError(_explained(error, place)) from error
    _set_up_sqlite(engine)
    return engine


def _make_folder(database: Path) -> None:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GradebookError(
            f"The folder {database.parent} cannot be made: {error.strerror}. Choose another folder with --out."
        ) from error


def _set_up_sqlite(engine: sa.Engine) -> None:
    """Readers beside a writer, foreign keys, and transactions that queue as they begin."""

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver is not to begin transactions of its own
        connection.execute("PRAGMA foreign_keys = ON")
        # SQLite does not wait for a lock here. Whoever holds one is making the same switch, or the next to open does.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")

    @sa.event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _explained(error: Exception, place: str) -> str:
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", "")
    for beginning, advice in _ADVICE:
        if name.startswith(beginning):
            return f"The gradebook {place} {advice}"
    reason = " ".join(str(cause).split())
    return (
        f"The gradebook {place} cannot be used: {reason}. Check its name and that you may write there; for a server, "
        "check that it runs and lets you in."
    )


def _queue_behind_other_writers(connection: sa.Connection) -> None:
    connection.execute(sa.select(_META.c.value).where(_META.c.name == "schema").with_for_update())


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
    return sa.and_(_ATTEMPTS.c.assignment == assignment, _ATTEMPTS.c.student == student)


def _done(assignment: str, student: str, key: str) -> sa.Select[Any]:
    found = sa.select(_ATTEMPTS).where(_of(assignment, student), _ATTEMPTS.c.key == key, _IS_DONE)
    return found.order_by(_ATTEMPTS.c.number.desc()).limit(1)


def _counting(assignment: str) -> sa.Select[Any]:
    counting = sa.select(_ATTEMPTS).where(_ATTEMPTS.c.assignment == printable(assignment), _IS_CURRENT)
    return counting.order_by(_ATTEMPTS.c.student)


def _known(connection: sa.Connection, row: dict[str, Any]) -> int | None:
    """The attempt that makes this one superfluous."""
    if row["status"] != Status.UNREADABLE:
        return connection.scalar(_done(row["assignment"], row["student"], row["key"]).with_only_columns(_ATTEMPTS.c.id))
    current = sa.select(_ATTEMPTS.c.id).where(_of(row["assignment"], row["student"]), _IS_CURRENT)
    return connection.scalar(current.where(_ATTEMPTS.c.record == row["record"]))


def _add(connection: sa.Connection, row: dict[str, Any], record: Grade | Unreadable) -> None:
    mine = _of(row["assignment"], row["student"])
    number = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(_ATTEMPTS.c.number), 0) + 1).where(mine))
    connection.execute(sa.update(_ATTEMPTS).where(mine, _IS_CURRENT).values(current=False))
    added = sa.insert(_ATTEMPTS).values(row | {"number": number, "current": True}).returning(_ATTEMPTS.c.id)
    results = _check_rows(connection.execute(added).scalar_one(), record)
    if results:
        connection.execute(sa.insert(_CHECK_RESULTS), results)


def _make_current(connection: sa.Connection, assignment: str, student: str, attempt: int) -> None:
    # Two statements: the index allows no moment at which two attempts of a student are current.
    connection.execute(sa.update(_ATTEMPTS).where(_of(assignment, student), _IS_CURRENT).values(current=False))
    connection.execute(sa.update(_ATTEMPTS).where(_ATTEMPTS.c.id == attempt).values(current=True))


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
