"""The layout of a gradebook: created when it is new, migrated in one transaction if older, refused if newer.

Each layout has a number, stored in the table `meta`. A migration takes a gradebook from one layout to the next. A
SQLite file is copied before it is changed. A database on a server is not: its administrator makes the dumps.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa

from gradetape import tempdirs
from gradetape.errors import GradebookError
from gradetape.gradebook.connect import explained
from gradetape.gradebook.note_tables import NOTES
from gradetape.gradebook.tables import (
    ATTEMPT_QUESTIONS,
    ATTEMPTS,
    AUDIT,
    CLAIMS,
    META,
    OVERRIDES,
    QUESTION_RESULTS,
    RUNS,
    TABLES,
)
from gradetape.gradebook.written import ANSWERS, MARKS

SCHEMA = 6
_VERSION = META.c.name == "schema"


def prepare(connection: sa.Connection, place: str) -> str:
    """Creates the tables or migrates older ones, in the transaction of `connection`.

    Returns a description of the migration for people, or an empty text. Raises GradebookError for another database.
    """
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        TABLES.create_all(connection)
        connection.execute(sa.insert(META).values(name="schema", value=str(SCHEMA)))
        return ""
    if not {META.name, ATTEMPTS.name}.issubset(tables):
        raise GradebookError(
            f"The database {place} belongs to another program: its tables are not a gradebook's. "
            "Use a separate database for gradetape, or choose another folder with --out or --results."
        )
    found = _layout(connection, place)
    return _migrated(connection, place, found) if found < SCHEMA else ""


def queue_behind_other_writers(connection: sa.Connection) -> str | None:
    """Waits until no other transaction writes; returns the stored layout number."""
    return connection.scalar(sa.select(META.c.value).where(_VERSION).with_for_update())


def _layout(connection: sa.Connection, place: str) -> int:
    stored = queue_behind_other_writers(connection) or ""
    if not stored.isdecimal() or not 0 < int(stored) <= SCHEMA:
        raise GradebookError(
            f"The gradebook {place} was made by a newer version of gradetape (its layout is {stored or 'unknown'}, "
            f"this version's is {SCHEMA}). Update gradetape, or choose another folder with --out or --results."
        )
    return int(stored)


def _migrated(connection: sa.Connection, place: str, found: int) -> str:
    kept = _backup(connection, place, found)
    for layout in range(found, SCHEMA):
        _MIGRATIONS[layout](connection)
    connection.execute(sa.update(META).where(_VERSION).values(value=str(SCHEMA)))
    copy = f"A copy of the old one is in {kept}." if kept else "No copy was made: use the server's dumps as a backup."
    return f"The gradebook {place} was migrated from layout {found} to layout {SCHEMA}. {copy}"


def _backup(connection: sa.Connection, place: str, layout: int) -> Path | None:
    """Copies a SQLite file, completely or not at all; the caller holds the write lock, so that nothing changes."""
    if connection.dialect.name != "sqlite":
        return None
    path = Path(connection.engine.url.database or "")
    kept = _free_name(path, f"schema-{layout}")
    try:
        with tempdirs.folder(".backup-", path.parent) as half:
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(half / kept.name)) as copy:
                source.backup(copy)
            os.replace(half / kept.name, kept)
    except (sqlite3.Error, OSError) as error:
        reason = f"The gradebook is copied to {kept} before its migration, and the copy failed."
        raise GradebookError(f"{reason} {explained(error, place)}") from error
    return kept


def _free_name(path: Path, label: str) -> Path:
    """The name of a new copy, which replaces no earlier one."""
    names = (path.with_name(f"{path.name}.{label}{f'.{number}' if number > 1 else ''}.bak") for number in count(1))
    return next(name for name in names if not name.exists())


def _claims_and_overrides(connection: sa.Connection) -> None:
    TABLES.create_all(connection, tables=[CLAIMS, OVERRIDES])


def _question_results(connection: sa.Connection) -> None:
    """Older grades stay as they are: what decided each of their questions is unknown, so none is composed of them."""
    TABLES.create_all(connection, tables=[RUNS, QUESTION_RESULTS, ATTEMPT_QUESTIONS])


def _audit(connection: sa.Connection) -> None:
    TABLES.create_all(connection, tables=[AUDIT])


def _notes(connection: sa.Connection) -> None:
    TABLES.create_all(connection, tables=NOTES)


def _written_answers(connection: sa.Connection) -> None:
    """Answers to written questions are read when the files are graded again; nothing runs for that."""
    TABLES.create_all(connection, tables=[ANSWERS, MARKS])


# From each layout to the next. Once a table changes again, older steps need their own definition of it.
_MIGRATIONS: Mapping[int, Callable[[sa.Connection], None]] = MappingProxyType(
    {1: _claims_and_overrides, 2: _question_results, 3: _audit, 4: _notes, 5: _written_answers}
)
