"""Adds what people wrote about results in other gradebooks to a gradebook; nothing is added twice.

A comment that was removed in one gradebook is removed, and a request that was answered in one is answered, by the first
answer that was merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.note_tables import COMMENTS, DONE_MARKS, REGRADE_REQUESTS
from gradetape.gradebook.other_books import OtherBook

_WHOSE = ("assignment", "student", "question")


class _Kind(NamedTuple):
    """The columns that are equal for copies of one row, and those that are filled later, of which the last tells it."""

    table: sa.Table
    same: tuple[str, ...]
    later: tuple[str, ...] = ()


_COMMENT = _Kind(COMMENTS, (*_WHOSE, "check_id", "text", "who", "created"), ("removed_by", "removed_at"))
_MARK = _Kind(DONE_MARKS, (*_WHOSE, "done", "basis", "who", "created"))
_REQUEST = _Kind(REGRADE_REQUESTS, (*_WHOSE, "text"), ("answer", "points", "answered_by", "answered_at"))


class MergedNotes(msgspec.Struct, frozen=True, kw_only=True):
    """How many comments, done marks and regrade requests were added."""

    comments: int = 0
    done_marks: int = 0
    requests: int = 0


def add_notes(connection: sa.Connection, books: Sequence[OtherBook]) -> MergedNotes:
    """Adds the notes of gradebooks; returns how many are new."""
    return MergedNotes(
        comments=sum(_add(connection, book, _COMMENT) for book in books),
        done_marks=sum(_add(connection, book, _MARK) for book in books),
        requests=sum(_add(connection, book, _REQUEST) for book in books),
    )


def _add(connection: sa.Connection, book: OtherBook, kind: _Kind) -> int:
    table = kind.table
    known = {_identity(dict(row._mapping), kind): row for row in connection.execute(sa.select(table))}
    fresh: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in book.read(sa.select(table).order_by(table.c.id)):
        values = dict(row._mapping) | {"student": book.student(row)}
        del values["id"]
        before = known.get(_identity(values, kind))
        if before is None:
            fresh.setdefault(_identity(values, kind), values)
        elif kind.later and values[kind.later[-1]] and not before._mapping[kind.later[-1]]:
            filled = {name: values[name] for name in kind.later}
            connection.execute(sa.update(table).where(table.c.id == before.id).values(filled))
    if fresh:
        connection.execute(sa.insert(table), list(fresh.values()))
    return len(fresh)


def _identity(values: dict[str, Any], kind: _Kind) -> tuple[Any, ...]:
    return tuple(values[name] for name in kind.same)
