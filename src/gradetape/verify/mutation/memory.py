"""Remembers the verdicts of earlier runs, in a SQLite file of the user's cache folder.

The file holds digests, ids of checks, verdicts and seconds: no text of a solution or of a check. It is in the user's
folder and not in the course's, so that all copies of a course share it, and it is neither committed nor handed out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import msgspec

from gradetape.errors import InfrastructureError
from gradetape.files import cache_folder
from gradetape.verify.outcomes import prepared

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pair (key TEXT PRIMARY KEY, passed INT NOT NULL, how TEXT NOT NULL, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS checks (key TEXT PRIMARY KEY, ids TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS last_failed (mutant TEXT PRIMARY KEY, checked TEXT NOT NULL);
"""


class Remembered(msgspec.Struct, frozen=True):
    """A pair's verdict in an earlier run."""

    passed: bool
    how: str
    seconds: float


class Memory:
    """The verdicts of earlier runs. A context manager; several processes may use the file at the same time.

    A `fresh` memory knows only what is kept during its own run.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self._path = path
        self._kept: set[str] | None = set() if fresh else None
        self._passing: dict[str, Remembered] = {}

    def __enter__(self) -> Self:
        try:
            self._connection = prepared(self._path, _SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise InfrastructureError(
                f"{self._path}, where verdicts of mutants are remembered, cannot be used: {error}. "
                "Remove the file, or set XDG_CACHE_HOME to a folder that you can write to."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def pair(self, key: str) -> Remembered | None:
        """The verdict under a key."""
        if key in self._passing:
            return self._passing[key]
        if self._kept is not None and key not in self._kept:
            return None
        row = self._row("SELECT passed, how, seconds FROM pair WHERE key = ?", key)
        return None if row is None else Remembered(bool(row[0]), row[1], row[2])

    def keep_pair(self, key: str, found: Remembered, *, lasting: bool = True) -> None:
        """Remembers a verdict; one that is not `lasting` only for this run."""
        if not lasting:
            self._passing[key] = found
            return
        if self._kept is not None:
            self._kept.add(key)
        self._write("INSERT OR REPLACE INTO pair VALUES (?, ?, ?, ?)", key, found.passed, found.how, found.seconds)

    def checks(self, key: str) -> tuple[str, ...] | None:
        """The ids of an assignment's checks."""
        row = self._row("SELECT ids FROM checks WHERE key = ?", key)
        return None if row is None else tuple(json.loads(row[0]))

    def keep_checks(self, key: str, ids: Sequence[str]) -> None:
        """Remembers the ids of an assignment's checks."""
        self._write("INSERT OR REPLACE INTO checks VALUES (?, ?)", key, json.dumps(list(ids)))

    def last_failed(self, mutant: str) -> str | None:
        """The id of the check that a mutant failed last."""
        row = self._row("SELECT checked FROM last_failed WHERE mutant = ?", mutant)
        return None if row is None else str(row[0])

    def keep_last_failed(self, mutant: str, check_id: str) -> None:
        """Remembers which check a mutant failed."""
        self._write("INSERT OR REPLACE INTO last_failed VALUES (?, ?)", mutant, check_id)

    def _row(self, statement: str, key: str) -> tuple[Any, ...] | None:
        with closing(self._connection.execute(statement, (key,))) as found:
            row: tuple[Any, ...] | None = found.fetchone()
            return row

    def _write(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)


def default_path() -> Path:
    """The file in the user's cache folder."""
    return cache_folder() / "mutation.sqlite"
