"""Where gradebooks that are merged differ: the same submission with another grade, other checks, other overrides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.merged_attempts import StudentAttempts
from gradetape.gradebook.other_books import AttemptHead, OtherBook
from gradetape.gradebook.tables import CHECK_RESULTS, OVERRIDES, in_parts
from gradetape.records import Status

# What decides a result and is the same for all submissions of a batch.
_COMPARED = ("checks", "reference", "seed", "limits", "keras", "sandbox", "versions", "grader")
_Checks = dict[tuple[str, str, bool], tuple[str, float]]


class BookGrade(msgspec.Struct, frozen=True, kw_only=True):
    """What counts for a student in one gradebook: when it was recorded (ISO, UTC), and the points by question."""

    gradebook: str
    created: str
    status: Status
    points: dict[str, float]


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A student for whom gradebooks have different grades; `counts` is the one that counts now.

    `questions` are those in which a check had another result, of the same file; it is empty if the files differ.
    """

    assignment: str
    student: str
    same_file: bool
    questions: tuple[str, ...]
    counts: BookGrade
    others: tuple[BookGrade, ...]


class PartDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that decides results and differs between gradebooks: `part` is its name among the parts of a digest."""

    assignment: str
    part: str
    questions: tuple[str, ...]
    gradebooks: tuple[str, ...]


class OverrideDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A question with different overrides in several gradebooks: `points` by gradebook; `counts` are those in force."""

    assignment: str
    student: str
    question: str
    points: dict[str, float]
    counts: float


_Parts = Mapping[str, Mapping[tuple[str, str], Mapping[str, str]]]


def part_differences(parts: _Parts) -> Iterator[PartDifference]:
    """The parts of digests that differ between gradebooks, whose parts are given by assignment and question."""
    keys = sorted({key for found in parts.values() for key in found})
    for assignment in dict.fromkeys(assignment for assignment, _ in keys):
        for part in _COMPARED:
            said = {key: _said(parts, key, part) for key in keys if key[0] == assignment}
            differing = {question: books for (_, question), books in said.items() if len(set(books.values())) > 1}
            if differing:
                books = dict.fromkeys(book for found in differing.values() for book in found)
                yield PartDifference(
                    assignment=assignment, part=part, questions=tuple(differing), gradebooks=tuple(books)
                )


def _said(parts: _Parts, key: tuple[str, str], part: str) -> dict[str, str]:
    """What a part of a question's digest is, by gradebook."""
    return {book: found[key].get(part, "") for book, found in parts.items() if key in found}


def disagreements(every: Sequence[OtherBook], students: Iterable[StudentAttempts]) -> Iterator[Disagreement]:
    """The students with different grades in different gradebooks."""
    asked = [each for each in students if len({head.identity for _, head in each.counting}) > 1]
    checks = _checks(every, [head for each in asked for head in (each.chosen, *(own for _, own in each.counting))])
    for each in asked:
        counts = each.chosen
        others = [(book, head) for book, head in each.counting if _differ(book, head, counts, checks)]
        same = [head for _, head in others if head.sha256 == counts.sha256]
        differing = {question for head in same for question in _differing(checks[head], checks[counts])}
        if others:
            yield Disagreement(
                assignment=counts.assignment, student=counts.student, same_file=bool(same),
                questions=tuple(sorted(differing)), counts=_book_grade(every, each, counts, checks),
                others=tuple(_grade_in(every[book].name, head, checks[head]) for book, head in others),
            )  # fmt: skip


def _differ(
    book: int, head: AttemptHead, counts: AttemptHead, checks: Mapping[AttemptHead, _Checks]
) -> bool:  # fmt: skip
    """Whether a gradebook has another grade than the one that counts, which nobody has settled yet."""
    if head.identity == counts.identity:
        return False
    if head.sha256 == counts.sha256:
        return head.status != counts.status or checks[head] != checks[counts]
    return not (book != 0 and head.book == 0)  # else it was merged before, and the student has handed in since


def _differing(one: _Checks, other: _Checks) -> set[str]:
    return {check[0] for check in one.keys() | other.keys() if one.get(check) != other.get(check)}


def _checks(every: Sequence[OtherBook], heads: Iterable[AttemptHead]) -> dict[AttemptHead, _Checks]:
    """What each check got in these attempts."""
    found: dict[AttemptHead, _Checks] = {head: {} for head in heads}
    for number, book in enumerate(every):
        own = {head.id: head for head in found if head.book == number}
        for some in in_parts(own):
            query = sa.select(CHECK_RESULTS).where(CHECK_RESULTS.c.attempt_id.in_(some))
            for row in book.read(query):
                found[own[row.attempt_id]][row.question, row.name, row.public] = (row.verdict, row.points)
    return found


def _book_grade(
    every: Sequence[OtherBook], student: StudentAttempts, head: AttemptHead, checks: Mapping[AttemptHead, _Checks]
) -> BookGrade:
    book = next((number for number, counted in student.counting if counted is head), head.book)
    return _grade_in(every[book].name, head, checks[head])


def _grade_in(book: str, head: AttemptHead, checks: _Checks) -> BookGrade:
    points: dict[str, float] = {}
    for (question, _, _), (_, earned) in checks.items():
        points[question] = round(points.get(question, 0.0) + earned, 6)
    return BookGrade(gradebook=book, created=head.created, status=Status(head.status), points=points)


def in_force(book: OtherBook) -> dict[tuple[str, str, str], float]:
    """The points of the overrides that count, by assignment, student and question."""
    counting = sa.select(OVERRIDES).where(OVERRIDES.c.undone_at.is_(None))
    rows: Iterable[Any] = book.read(counting.order_by(OVERRIDES.c.created, OVERRIDES.c.id))
    return {(row.assignment, book.student(row), row.question): row.points for row in rows}


def override_differences(
    every: Sequence[OtherBook], before: Sequence[dict[tuple[str, str, str], float]],
    now: dict[tuple[str, str, str], float],
) -> Iterator[OverrideDifference]:  # fmt: skip
    """The questions whose overrides differed between gradebooks before they were merged."""
    for key in dict.fromkeys(chain.from_iterable(before)):
        points = {book.name: found[key] for book, found in zip(every, before, strict=True) if key in found}
        if key in now and len(set(points.values())) > 1:
            assignment, student, question = key
            yield OverrideDifference(
                assignment=assignment, student=student, question=question, points=points, counts=now[key]
            )
