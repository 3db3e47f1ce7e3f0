"""What merging reads of a gradebook: in parts of a few hundred rows, so that its size does not matter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.order import NO_RANK, Rank, rank
from gradetape.gradebook.tables import AT_ONCE, ATTEMPTS, QUESTION_RESULTS
from gradetape.records import Origin
from gradetape.text import printable

Read = Callable[[sa.Select[Any]], list[sa.Row[Any]]]


@dataclass(frozen=True)
class OtherBook:
    """A gradebook that is merged into another one: its name in messages, and a way to read it.

    `names` are the students whose name is another one in the merged gradebook, by assignment and name.
    """

    name: str
    read: Read
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def student(self, row: sa.Row[Any]) -> str:
        """The student of a row, under the name in the merged gradebook."""
        return printable(self._name(row.assignment, row.student))

    def record(self, row: sa.Row[Any]) -> str:
        """The record of an attempt, under the student's name in the merged gradebook."""
        name = self._name(row.assignment, row.student)
        return row.record if name == row.student else json.dumps(json.loads(row.record) | {"student": name})

    def _name(self, assignment: str, student: str) -> str:
        return self.names.get((assignment, student), student)


class KnownPerson(msgspec.Struct, frozen=True):
    """A student of an attempt that counts, and what the platform says of the person."""

    student: str
    origin: Origin | None = None


class AttemptHead(msgspec.Struct, frozen=True):
    """What tells one attempt from another: `text` is a digest of its record in one form, `book` where it comes from.

    `id` and `number` are those in that gradebook; `current`: there it counts. `rank` is that of `gradebook.order`.
    """

    book: int
    id: int
    assignment: str
    student: str
    number: int
    key: str
    sha256: str
    status: str
    created: str
    text: str
    current: bool
    rank: Rank

    @property
    def identity(self) -> tuple[str, ...]:
        """Equal for copies of one attempt."""
        return (self.assignment, self.student, self.key, self.created, self.text)

    @property
    def whose(self) -> tuple[str, str]:
        """The assignment and the student."""
        return (self.assignment, self.student)


def heads(number: int, book: OtherBook) -> Iterator[AttemptHead]:
    """All attempts of a gradebook, in the order of their ids."""
    for row in paged(book.read, sa.select(ATTEMPTS), ATTEMPTS.c.id):
        record = book.record(row)
        text = hashlib.sha256(_in_one_form(record).encode()).hexdigest()
        yield AttemptHead(
            book=number, id=row.id, assignment=row.assignment, student=book.student(row), number=row.number,
            key=row.key, sha256=row.sha256, status=row.status, created=row.created, text=text, current=row.current,
            rank=_rank(record),
        )  # fmt: skip


def _in_one_form(record: str) -> str:
    """A record as equal records are written; how they are written in a gradebook has changed. As it is if damaged."""
    try:
        return json.dumps(json.loads(record))
    except ValueError:
        return record


def _rank(record: str) -> Rank:
    """The rank of a record; a damaged one counts after all others."""
    try:
        return rank(json.loads(record))
    except (ValueError, KeyError, TypeError, AttributeError):
        return NO_RANK


def known_people(rows: Iterable[sa.Row[Any]]) -> list[KnownPerson]:
    """The people of attempts; one whose record is damaged is left out."""
    found = []
    for row in rows:
        try:
            found.append(msgspec.convert(json.loads(row.record), KnownPerson))
        except (ValueError, msgspec.ValidationError):
            continue
    return found


def newest_parts(read: Read) -> dict[tuple[str, str], dict[str, str]]:
    """What decided the newest result of each question, by assignment and question; damaged ones are left out."""
    table = QUESTION_RESULTS.c
    newest = sa.select(sa.func.max(table.id)).group_by(table.assignment, table.question)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in read(sa.select(QUESTION_RESULTS).where(table.id.in_(newest))):
        try:
            found[row.assignment, row.question] = msgspec.convert(json.loads(row.record)["parts"], dict[str, str])
        except (ValueError, KeyError, TypeError, msgspec.ValidationError):
            continue
    return found


def paged(read: Read, query: sa.Select[Any], by: sa.Column[int]) -> Iterator[sa.Row[Any]]:
    """The rows of a query in the order of a numbered column, read in parts."""
    last = 0
    while rows := read(query.where(by > last).order_by(by).limit(AT_ONCE)):
        yield from rows
        last = rows[-1]._mapping[by]
