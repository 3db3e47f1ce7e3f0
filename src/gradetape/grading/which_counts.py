"""Which of a student's files counts, where that is not the one that was just graded or where no time decides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from gradetape.gradebook import Gradebook, Measured, Order, order_of
from gradetape.records import Grade, Status, Unreadable
from gradetape.text import few, one_line, printable

_NAME = 60
_OLDER = "recorded but not counted, since a file that was handed in later counts"
_TIED = "handed in at the same time as another file of the same student"
_UNKNOWN = "it is not known when one of two files of the same student was handed in"
_RULES = {
    Order.TIED: "one that can be read counts before one that cannot, then the one with the greater SHA-256",
    Order.UNKNOWN: "one with a time counts before one without; without any, the one that is graded last",
}
_NEXT = "To let the other one count, give it a later time (touch FILE) and grade it by itself"


class FileComparison(NamedTuple):
    """How a student's file stands to another one: whether it counts, and how the two were handed in."""

    student: str
    counts: bool
    order: Order


def comparisons(
    book: Gradebook, assignment: str, records: Iterable[Grade | Unreadable], before: Mapping[str, Measured],
    counting: Mapping[str, Measured],
) -> tuple[FileComparison, ...]:  # fmt: skip
    """How what was graded stands to what counted before or counts now, where these are other files.

    What could not be read before, and can be now, is left out.
    """
    found = (_comparison(book, assignment, each, before, counting) for each in records)
    return tuple(each for each in found if each and not (each.counts and each.order is Order.LATER))


def _comparison(
    book: Gradebook, assignment: str, record: Grade | Unreadable, before: Mapping[str, Measured],
    counting: Mapping[str, Measured],
) -> FileComparison | None:  # fmt: skip
    name = printable(record.student)
    was, now = before.get(name), counting.get(name)
    if now is None:
        return None
    counts = now.sha256 == record.sha256
    other = was if counts else now
    if other is None or other.sha256 == record.sha256 or (counts and _is_read_at_last(other, record)):
        return None
    stored = book.file_record(assignment, name, other.sha256)
    order = order_of(msgspec.to_builtins(record), stored) if stored else Order.UNKNOWN
    return FileComparison(record.student, counts, order if counts or order is not Order.LATER else Order.EARLIER)


def _is_read_at_last(before: Measured, record: Grade | Unreadable) -> bool:
    return before.status is Status.UNREADABLE and isinstance(record, Grade)


def lines(found: Iterable[FileComparison]) -> Iterator[str]:
    """What staff should know, in lines."""
    known = list(found)
    older = [each.student for each in known if not each.counts and each.order is Order.EARLIER]
    if older:
        yield f"{_OLDER}: {_names(older)}"
    for order, why in ((Order.TIED, _TIED), (Order.UNKNOWN, _UNKNOWN)):
        for counts, what in ((True, "counts now"), (False, "recorded but not counted")):
            if own := [each.student for each in known if each.order is order and each.counts is counts]:
                yield f"{what}: {_names(own)}: {why}; {_RULES[order]}. {_NEXT}"


def _names(students: Iterable[str]) -> str:
    return few(one_line(student, _NAME) for student in students)
