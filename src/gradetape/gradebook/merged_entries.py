"""Adds what people gave in other gradebooks to a gradebook: overrides, marks, comments, done marks, regrade requests.

Nothing is added twice. What was undone, removed or answered in one gradebook is so in the merged one; a request that
has several answers keeps the first that was merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from gradetape.gradebook.note_tables import COMMENTS, DONE_MARKS, REGRADE_REQUESTS
from gradetape.gradebook.other_books import OtherBook
from gradetape.gradebook.tables import OVERRIDES
from gradetape.gradebook.written import MARKS

_WHOSE = ("assignment", "student", "question")
_GIVEN = ("who", "created")
_UNDONE = ("undone_by", "undone_at")


class EntryKind(NamedTuple):
    """The columns that are equal for copies of one row, and those that are filled later, of which the last tells it."""

    table: sa.Table
    same: tuple[str, ...]
    later: tuple[str, ...] = ()


OVERRIDE = EntryKind(OVERRIDES, (*_WHOSE, "points", "reason", *_GIVEN), _UNDONE)
MARK = EntryKind(MARKS, (*_WHOSE, "answer", "items", "adjustment", "comment", *_GIVEN), _UNDONE)
COMMENT = EntryKind(COMMENTS, (*_WHOSE, "check_id", "text", *_GIVEN), ("removed_by", "removed_at"))
DONE_MARK = EntryKind(DONE_MARKS, (*_WHOSE, "done", "basis", *_GIVEN))
REQUEST = EntryKind(REGRADE_REQUESTS, (*_WHOSE, "text"), ("answer", "points", "answered_by", "answered_at"))


def add_entries(connection: sa.Connection, books: Iterable[OtherBook], kind: EntryKind) -> int:
    """Adds the entries of a kind; returns how many are new."""
    return sum([_add(connection, book, kind) for book in books])


def _add(connection: sa.Connection, book: OtherBook, kind: EntryKind) -> int:
    table = kind.table
    query = sa.select(table).order_by(table.c.id)
    known = dict(_identified(map(_values, connection.execute(query)), kind))
    there = ({**_values(row), "student": book.student(row)} for row in book.read(query))
    fresh: list[dict[str, Any]] = []
    for identity, values in _identified(there, kind):
        before = known.get(identity)
        if before is None:
            fresh.append({name: value for name, value in values.items() if name != "id"})
        elif kind.later and values[kind.later[-1]] and not before[kind.later[-1]]:
            filled = {name: values[name] for name in kind.later}
            connection.execute(sa.update(table).where(table.c.id == before["id"]).values(filled))
    if fresh:
        connection.execute(sa.insert(table), fresh)
    return len(fresh)


def _values(row: sa.Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


def _identified(rows: Iterable[dict[str, Any]], kind: EntryKind) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Rows, each with what is equal for copies of it: the same may be given, undone and given again in one second."""
    seen: Counter[tuple[Any, ...]] = Counter()
    for values in rows:
        same = tuple(values[name] for name in kind.same)
        seen[same] += 1
        yield (*same, seen[same]), values
