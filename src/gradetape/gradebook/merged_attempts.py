"""Adds the attempts of other gradebooks to a gradebook, and decides which attempt counts for each student.

Every attempt is kept. A student's attempts are numbered in the order in which they were graded, as if one grader had
recorded them all. Of the attempts that count in one of the gradebooks, the file that was handed in last counts
(`order`), and where that is not known the one that was graded last; a done grade counts before one of the same file
that is not done. At the same second the gradebook's own counts, then the one that is merged first. An attempt that was
merged before does not count again: what was graded since stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook.attempts import make_current
from gradetape.gradebook.bulk import add_rows
from gradetape.gradebook.other_books import AttemptHead, OtherBook, heads
from gradetape.gradebook.question_results import newest_ids
from gradetape.gradebook.tables import ATTEMPT_QUESTIONS, ATTEMPTS, CHECK_RESULTS, QUESTION_RESULTS, in_parts
from gradetape.records import Status

_OWN = 0  # the number of the gradebook into which the others are merged


class StudentAttempts:
    """The attempts of one student in one assignment, from all gradebooks.

    `own` are those that the gradebook has, `new` those that only others have, `counting` one for each gradebook in
    which one counts. `known` counts those of others that are among them already.
    """

    def __init__(self) -> None:
        self.own: list[AttemptHead] = []
        self.new: list[AttemptHead] = []
        self.counting: list[tuple[int, AttemptHead]] = []
        self.known = 0
        self._known: dict[tuple[str, ...], AttemptHead] = {}

    def take(self, head: AttemptHead) -> None:
        """Takes an attempt in; those of the gradebook itself come first."""
        known = self._known.setdefault(head.identity, head)
        if known is head or head.book == _OWN:
            (self.own if head.book == _OWN else self.new).append(head)
        else:
            self.known += 1
        if head.current:
            self.counting.append((head.book, known))

    @property
    def chosen(self) -> AttemptHead:
        """The attempt that counts when all are in one gradebook."""
        best: dict[str, AttemptHead] = {}
        for head in self._candidates():
            other = best.setdefault(head.sha256, head)
            if _rank(head) > _rank(other):
                best[head.sha256] = head
        return max(best.values(), key=lambda head: (head.rank, head.created))

    def _candidates(self) -> Sequence[AttemptHead]:
        """What counts in one of the gradebooks; what was merged before does not change what counts."""
        found = [head for book, head in self.counting if book == _OWN or head.book != _OWN]
        return found or [*self.own, *self.new]

    @property
    def numbers(self) -> dict[AttemptHead, int]:
        """The numbers of all attempts, in the order in which they were graded; an equal time keeps the order."""
        ordered = sorted((*self.own, *self.new), key=lambda head: head.created)
        if ordered[: len(self.own)] == self.own:
            start = max((head.number for head in self.own), default=0)
            numbered = {head: head.number for head in self.own}
            return numbered | {head: start + place for place, head in enumerate(ordered[len(self.own) :], 1)}
        return {head: place for place, head in enumerate(ordered, 1)}


def _rank(head: AttemptHead) -> tuple[bool, str]:
    return (head.status == Status.GRADED, head.created)


def gathered(every: Sequence[OtherBook]) -> dict[tuple[str, str], StudentAttempts]:
    """The attempts of the students whom other gradebooks have, by assignment and student.

    `every` has the gradebook into which the others are merged, then those.
    """
    students: dict[tuple[str, str], StudentAttempts] = defaultdict(StudentAttempts)
    own, *books = every
    others = [head for number, book in enumerate(books, _OWN + 1) for head in heads(number, book)]
    concerned = {head.whose for head in others}
    for head in sorted(heads(_OWN, own), key=lambda head: head.number):
        if head.whose in concerned:
            students[head.whose].take(head)
    for head in others:
        students[head.whose].take(head)
    return dict(students)


def add_attempts(connection: sa.Connection, books: Sequence[OtherBook], students: Iterable[StudentAttempts]) -> int:
    """Adds what is new, with the results of checks and the links to question results; returns how many."""
    numbers: dict[AttemptHead, int] = {}
    counting: set[AttemptHead] = set()
    for each in students:
        chosen = each.chosen
        counting.add(chosen)
        if each.new:
            of_student = each.numbers
            _renumber(connection, each.own, of_student)
            numbers |= {head: number for head, number in of_student.items() if head.book != _OWN}
        if chosen.book != _OWN:
            counted = ATTEMPTS.c.id.in_([head.id for head in each.own if head.current])
            connection.execute(sa.update(ATTEMPTS).where(counted).values(current=False))
        elif not chosen.current:
            make_current(connection, *chosen.whose, chosen.id)
    fresh = sorted(numbers, key=lambda head: head.created)
    for some in in_parts(fresh):
        _insert(connection, books, some, numbers, counting)
    return len(fresh)


def _renumber(connection: sa.Connection, own: Sequence[AttemptHead], numbers: dict[AttemptHead, int]) -> None:
    """Gives the attempts that are there their new numbers, by way of negative ones: no two may have the same."""
    changed = {head.id: numbers[head] for head in own if numbers[head] != head.number}
    for sign in (-1, 1):
        for attempt, number in changed.items():
            connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.id == attempt).values(number=sign * number))


def _insert(
    connection: sa.Connection, books: Sequence[OtherBook], some: Sequence[AttemptHead],
    numbers: dict[AttemptHead, int], counting: set[AttemptHead],
) -> None:  # fmt: skip
    rows = dict(_rows(books, some))
    values = [
        rows[head] | {"student": head.student, "number": numbers[head], "current": head in counting} for head in some
    ]
    insert = sa.insert(ATTEMPTS).returning(ATTEMPTS.c.id, sort_by_parameter_order=True)
    ids = dict(zip(some, connection.execute(insert, values).scalars(), strict=True))
    for number, book in enumerate(books, _OWN + 1):
        own = {head.id: attempt for head, attempt in ids.items() if head.book == number}
        if own:
            _add_checks(connection, book, own)
            _add_links(connection, book, own)


def _rows(books: Sequence[OtherBook], some: Sequence[AttemptHead]) -> Iterator[tuple[AttemptHead, dict[str, Any]]]:
    """The columns of attempts, but for their ids."""
    for number, book in enumerate(books, _OWN + 1):
        own = {head.id: head for head in some if head.book == number}
        for row in book.read(sa.select(ATTEMPTS).where(ATTEMPTS.c.id.in_(own))) if own else ():
            values = dict(row._mapping) | {"record": book.record(row)}
            del values["id"]
            yield own[row.id], values


def _add_checks(connection: sa.Connection, book: OtherBook, ids: dict[int, int]) -> None:
    checks = sa.select(CHECK_RESULTS).where(CHECK_RESULTS.c.attempt_id.in_(ids)).order_by(CHECK_RESULTS.c.id)
    rows = [dict(row._mapping) | {"attempt_id": ids[row.attempt_id]} for row in book.read(checks)]
    for row in rows:
        del row["id"]
    add_rows(connection, CHECK_RESULTS, rows)


def _add_links(connection: sa.Connection, book: OtherBook, ids: dict[int, int]) -> None:
    """Links attempts to the newest results under the digests of those that they are composed of."""
    links, results = ATTEMPT_QUESTIONS.c, QUESTION_RESULTS.c
    query = sa.select(links.attempt_id, links.question, results.digest).join_from(ATTEMPT_QUESTIONS, QUESTION_RESULTS)
    found = book.read(query.where(links.attempt_id.in_(ids)))
    newest = newest_ids(connection, (row.digest for row in found))
    rows = [
        {"attempt_id": ids[row.attempt_id], "question": row.question, "result_id": newest[row.digest]}
        for row in found
        if row.digest in newest
    ]
    add_rows(connection, ATTEMPT_QUESTIONS, rows)
