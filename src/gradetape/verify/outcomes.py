"""Remembers what solutions got in checks, as long as nothing changes that decides it.

The results of a command that ends are kept in a SQLite file of the user's cache folder, which only its owner can read:
messages of checks are in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from gradetape.files import cache_folder, keep_from_others, make_folder
from gradetape.records import CellEvent, CheckResult, CollectedChecks

_SCHEMA = "CREATE TABLE IF NOT EXISTS known (key TEXT PRIMARY KEY, value BLOB NOT NULL)"
_AT_ONCE = 500


class Outcomes:
    """What is known by key: results of checks, events of loading, and lists of checks.

    Nothing depends on it: where the file cannot be used, everything runs. Several processes may use it at the same
    time. With `fresh`, only what is kept during its own run is known.
    """

    def __init__(self, path: Path | None = None, *, fresh: bool = False) -> None:
        self._connection = _opened(path)
        self._kept: set[str] | None = set() if fresh else None

    @classmethod
    def of_user(cls, *, fresh: bool = False) -> Self:
        """What this user's earlier commands have kept."""
        return cls(cache_folder() / "verified.sqlite", fresh=fresh)

    def results(self, keys: Iterable[str]) -> dict[str, CheckResult]:
        """The results that are known under these keys."""
        return self._decoded(keys, CheckResult)

    def events(self, key: str) -> tuple[CellEvent, ...] | None:
        """What happened when a solution's cells were run, if it is known."""
        return self._decoded([key], tuple[CellEvent, ...]).get(key)

    def collected(self, key: str) -> CollectedChecks | None:
        """The list of checks, if it is known."""
        return self._decoded([key], CollectedChecks).get(key)

    def keep(self, values: Mapping[str, object]) -> None:
        """Remembers values by key."""
        rows = [(key, msgspec.msgpack.encode(value)) for key, value in values.items()]
        with suppress(sqlite3.OperationalError):  # the disk is full, or another process holds the file
            self._connection.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", rows)
            if self._kept is not None:
                self._kept.update(values)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decoded(self, keys: Iterable[str], kind: Any) -> dict[str, Any]:
        wanted = [key for key in keys if self._kept is None or key in self._kept]
        found: dict[str, Any] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            statement = f"SELECT key, value FROM known WHERE key IN ({', '.join('?' * len(some))})"
            with closing(self._connection.execute(statement, some)) as rows:
                for key, value in rows:
                    with suppress(msgspec.DecodeError):  # kept by another version
                        found[key] = msgspec.msgpack.decode(value, type=kind)
        return found


def _opened(path: Path | None) -> sqlite3.Connection:
    """The file; one that is damaged is replaced, and without a usable one the results are kept in memory."""
    if path is not None:
        for _ in range(2):
            try:
                return prepared(path, _SCHEMA)
            except (OSError, sqlite3.OperationalError):
                break
            except sqlite3.DatabaseError:  # it is no database any more
                with suppress(OSError):
                    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
                        file.unlink(missing_ok=True)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(_SCHEMA)
    return connection


def prepared(path: Path, schema: str) -> sqlite3.Connection:
    """A SQLite file with these tables, which only its owner can read; raises OSError or sqlite3.Error."""
    make_folder(path.parent)
    keep_from_others(path)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {schema}")
    except BaseException:
        connection.close()
        raise
    return connection
