"""The layout of a gradebook: made when it is new, migrated in one transaction when it is older, refused when newer.

Each layout has a number, which stands in the table `meta`. A migration takes a gradebook from one layout to the next.
A SQLite file is copied before anything is changed. A database on a server is not: its dumps are its administrator's.
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

from gradetape import tempdirs as tempdirs
from gradetape.errors import GradebookError
from gradetape.gradebook.connect import explained
from gradetape.gradebook.tables import ATTEMPTS, CLAIMS, META, OVERRIDES, TABLES

SCHEMA = 2
_VERSION = META.c.name == "schema"


def prepare(connection: sa.Connection, place: str) -> str:
    """Makes the tables, or brings older ones up to date, within the transaction of `connection`.

    Returns what a person should know of that, or nothing. Raises GradebookError for what is no gradebook of ours.
    """
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        TABLES.create_all(connection)
        connection.execute(sa.insert(META).values(name="schema", value=str(SCHEMA)))
        return ""
    if not {META.name, ATTEMPTS.name}.issubset(tables):
        raise GradebookError(
            f"The database {place} belongs to something else: its tables are not a gradebook's. "
            "Give gradetape a database of its own, or choose another folder with --out or --results."
        )
    found = _layout(connection, place)
    return _migrated(connection, place, found) if found < SCHEMA else ""


def queue_behind_other_writers(connection: sa.Connection) -> str | None:
    """Waits until no other transaction writes; the layout's number as it stands."""
    return connection.scalar(sa.select(META.c.value).where(_VERSION).with_for_update())


def _layout(connection: sa.Connection, place: str) -> int:
    told = queue_behind_other_writers(connection) or ""
    if not told.isdecimal() or not 0 < int(told) <= SCHEMA:
        raise GradebookError(
            f"The gradebook {place} was made by another version of gradetape, which is newer (its layout is "
            f"{told or 'unknown'}, this version's is {SCHEMA}). Update gradetape, or choose another folder with "
            "--out or --results."
        )
    return int(told)


def _migrated(connection: sa.Connection, place: str, found: int) -> str:
    kept = _backup(connection, place, found)
    for layout in range(found, SCHEMA):
        _MIGRATIONS[layout](connection)
    connection.execute(sa.update(META).where(_VERSION).values(value=str(SCHEMA)))
    copy = f"As it was, it is kept in {kept}." if kept else "No copy was made: the server's own dumps are its backup."
    return f"The gradebook {place} was brought from layout {found} to layout {SCHEMA}. {copy}"


def _backup(connection: sa.Connection, place: str, layout: int) -> Path | None:
    """A copy of a SQLite file, whole or not at all; whoever holds the write lock copies, so that nothing changes."""
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
        told = f"Before the gradebook is changed it is copied to {kept}, which failed. {explained(error, place)}"
        raise GradebookError(told) from error
    return kept


def _free_name(path: Path, label: str) -> Path:
    """No copy takes the place of an earlier one."""
    names = (path.with_name(f"{path.name}.{label}{f'.{number}' if number > 1 else ''}.bak") for number in count(1))
    return next(name for name in names if not name.exists())


def _claims_and_overrides(connection: sa.Connection) -> None:
    TABLES.create_all(connection, tables=[CLAIMS, OVERRIDES])


# From each layout to the next. Once a table changes again, the older steps need their own description of it.
_MIGRATIONS: Mapping[int, Callable[[sa.Connection], None]] = MappingProxyType({1: _claims_and_overrides})
