"""What people give and write beside the results of checks, and the final score that it makes.

Nothing here decides how a check ends, so a change of it judges nothing again.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gradetape.records.grades import Grade
from gradetape.records.submissions import Question


class RubricItem(msgspec.Struct, frozen=True, kw_only=True):
    """What staff look for in a written answer, and its points; points below 0 are a deduction."""

    id: str
    text: str
    points: float


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Points that staff set for a question instead of the checks; `at` and `undone_at` are ISO times in UTC.

    In the gradebook, `question` may be the id of one check of it, whose points are set. In a final score it is not:
    there those of a question's checks are one, and `checks` are the ones that it was made of.
    """

    student: str
    question: str
    points: float
    reason: str
    by: str
    at: str
    undone_at: str = ""
    undone_by: str = ""
    checks: tuple[Override, ...] = ()


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What staff wrote on a student's answer, which the student reads; `at` and `removed_at` are ISO times in UTC.

    `check` is the id of the check that it is about, or empty. `number` is its number in the gradebook.
    """

    student: str
    question: str
    text: str
    by: str
    at: str
    check: str = ""
    removed_at: str = ""
    removed_by: str = ""
    number: int = 0


class DoneMark(msgspec.Struct, frozen=True, kw_only=True):
    """That a member of staff is done with a student's question, or is not after all; `at` is an ISO time in UTC.

    `question` is empty for the whole submission. `basis` is the digest of the result that was looked at.
    """

    student: str
    question: str
    done: bool
    basis: str
    by: str
    at: str


class RegradeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A student's question about points, and its answer; `by` recorded it at `at`, an ISO time in UTC.

    It is open while `answered_at` is empty. `points` are those that the answer set, None if it only gave a reason.
    `undone_by` took these back at `undone_at`. `number` is its number in the gradebook.
    """

    student: str
    question: str
    text: str
    by: str
    at: str
    answer: str = ""
    points: float | None = None
    answered_by: str = ""
    answered_at: str = ""
    undone_by: str = ""
    undone_at: str = ""
    number: int = 0


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A student who was renamed or removed, by whom and when (an ISO time in UTC), with the numbers of rows.

    `action` is `rename` or `forget`. The names are empty where the student was removed.
    """

    action: str
    by: str
    at: str
    old: str = ""
    new: str = ""
    attempts: int = 0
    overrides: int = 0


class MarkState(StrEnum):
    """Whether a person has marked a written answer.

    `AGAIN`: the answer or the rubric was changed since. `NOT_FOUND`: the notebook has no cell for the question, so that
    a person has to look. An `UNANSWERED` question waits for nobody.
    """

    MARKED = "marked"
    WAITING = "waiting"
    AGAIN = "to be marked again"
    NOT_FOUND = "no cell found"
    UNANSWERED = "unanswered"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What staff gave for a written answer: the ids of rubric items, points more or less, and a comment.

    `answer` is the digest of the answer that was marked, empty if none was found; `at` and `undone_at` are ISO times
    in UTC.
    """

    student: str
    question: str
    answer: str
    items: tuple[str, ...]
    adjustment: float
    comment: str
    by: str
    at: str
    undone_at: str = ""
    undone_by: str = ""


class WrittenScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a student has for a written question; without a mark in force there are no points.

    `items` are those that were applied, as the rubric has them now. `by` and `at` are for staff.
    """

    question: Question
    state: MarkState
    points: float = 0.0
    items: tuple[RubricItem, ...] = ()
    adjustment: float = 0.0
    comment: str = ""
    by: str = ""
    at: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a person has to mark it."""
        return self.state in (MarkState.WAITING, MarkState.AGAIN, MarkState.NOT_FOUND)


class FinalScore(msgspec.Struct, frozen=True, kw_only=True):
    """A student's points after overrides and the late policy, next to the measured points.

    `handed_in` is an ISO time, or empty if it is unknown; then `late_days` is None and there is no penalty. `lines`
    explain, for students too, how `measured` became `final`. `written` are the written questions, whose points are
    part of `final` alone.
    """

    measured: float
    final: float
    overrides: tuple[Override, ...] = ()
    handed_in: str = ""
    late_days: int | None = None
    late_percent: float = 0.0
    lines: tuple[str, ...] = ()
    written: tuple[WrittenScore, ...] = ()

    def most_points(self, grade: Grade) -> float:
        """The points that the student of a grade can have, with those of the written questions."""
        written = {each.question.id: each.question.points for each in self.written}
        return sum(({each.id: each.points for each in grade.questions} | written).values())

    @property
    def waiting(self) -> float:
        """The points of written answers that wait for a person."""
        return sum(each.question.points for each in self.written if each.is_open)
