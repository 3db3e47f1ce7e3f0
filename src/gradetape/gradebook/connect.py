"""Connections to SQLite and PostgreSQL, and plain explanations of their errors."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gradetape.errors import GradebookError
from gradetape.files import keep_from_others, link_in, make_folder

# The start of SQLite's name for an error, what is wrong, and what to do next.
_AGAIN = "run the command again: it continues where it stopped."
_OTHER = "or choose another folder with --out or --results."
_ADVICE = (
    ("SQLITE_BUSY", f"is locked by another program. Close that program, such as another gradetape, and {_AGAIN}"),
    ("SQLITE_FULL", f"could not grow: the disk is full. Free some space and {_AGAIN}"),
    ("SQLITE_READONLY", f"cannot be written. Check the owner of it and its folder, {_OTHER}"),
    ("SQLITE_CANTOPEN", f"cannot be opened. Check the owner of it and its folder, {_OTHER}"),
    ("SQLITE_NOTADB", f"is a file of another kind. Move it away, {_OTHER}"),
    ("SQLITE_CORRUPT", "is damaged. Restore it from a backup, or move it away and grade again."),
    ("SQLITE_IOERR", "cannot be read or written. Check the disk: SQLite needs a local disk, PostgreSQL does not."),
)

_LZ4 = """\
SELECT set_config(name, 'lz4', false) FROM pg_settings
WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"""


def locate(url_or_path: str | Path) -> tuple[sa.URL, str]:
    """The URL of a gradebook, and its name in messages; raises GradebookError."""
    if "://" not in str(url_or_path):
        return sa.URL.create("sqlite", database=str(url_or_path)), str(url_or_path)
    try:
        url = sa.make_url(str(url_or_path))
    except (ArgumentError, ValueError) as error:
        raise GradebookError(
            "The gradebook's URL cannot be parsed. "
            "Write postgresql://user:password@host/database, or the path of a SQLite file."
        ) from error
    return url, url.render_as_string(hide_password=True)


def engine_of(url: sa.URL, place: str, busy_s: float) -> sa.Engine:
    """An engine for a URL; creates the folder of a SQLite file. Raises GradebookError."""
    try:
        if url.get_backend_name() != "sqlite":
            engine = sa.create_engine(url)
            _set_up_postgresql(engine)
            return engine
        if url.database and url.database != ":memory:":
            _prepare_file(Path(url.database))
        engine = sa.create_engine(url, connect_args={"timeout": busy_s})
    except ModuleNotFoundError as error:
        raise GradebookError(
            f"The gradebook {place} needs the Python package {error.name}, which is not installed. "
            'For PostgreSQL: pip install "psycopg[binary]"'
        ) from error
    except SQLAlchemyError as error:
        raise GradebookError(explained(error, place)) from error
    _set_up_sqlite(engine)
    return engine


def _set_up_postgresql(engine: sa.Engine) -> None:
    """Compresses records with LZ4 where the server can: its default takes most of the time of adding them."""

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.execute(_LZ4)
        connection.commit()


def _prepare_file(database: Path) -> None:
    """Makes the folder and the file, for their owner alone; SQLite gives the files beside it the same rights."""
    if link := link_in(database):
        raise GradebookError(
            f"The gradebook {database} is behind a symbolic link: {link}. Links are not followed, since results would "
            f"be written wherever it points. Name the real path: {os.path.realpath(database)}"
        )
    try:
        make_folder(database.parent)
    except OSError as error:
        raise GradebookError(
            f"The folder {database.parent} cannot be created: {error.strerror}. Choose another folder with --out."
        ) from error
    with suppress(OSError):  # SQLite says what is wrong when it opens it
        keep_from_others(database)


def _set_up_sqlite(engine: sa.Engine) -> None:
    """Allows readers beside a writer, enforces foreign keys, and makes transactions queue as they begin."""

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # keeps the driver from beginning transactions of its own
        connection.execute("PRAGMA foreign_keys = ON")
        # SQLite does not wait for a lock here. The holder of the lock makes the same switch, or the next one to open
        # does.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")

    @sa.event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def explained(error: Exception, place: str) -> str:
    """The plain explanation of a database error, and what to do next."""
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", "")
    for prefix, advice in _ADVICE:
        if name.startswith(prefix):
            return f"The gradebook {place} {advice}"
    reason = " ".join(str(cause).split())
    return (
        f"The gradebook {place} cannot be used: {reason}. Check its name and that you may write there; for a server, "
        "check that it is running and accepts your login."
    )
