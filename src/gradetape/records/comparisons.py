"""Results beside those from before: of other checks, of another attempt, of another version."""

from __future__ import annotations

import msgspec

from gradetape.records.grades import CheckResult


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """A student's results in checks of one question as they are recorded, and with the checks as they are now.

    `lost` says why there are no results now: the machinery failed, or the grade has no code.
    """

    student: str
    before: tuple[CheckResult, ...]
    now: tuple[CheckResult, ...] = ()
    lost: str = ""

    @property
    def points(self) -> tuple[float, float]:
        """The points before and now."""
        before, now = (round(sum(result.points for result in each), 6) for each in (self.before, self.now))
        return before, before if self.lost else now

    @property
    def gain(self) -> float:
        """How many points the student would gain; below 0, lose."""
        before, now = self.points
        return round(now - before, 6)


class PointsChange(msgspec.Struct, frozen=True, kw_only=True):
    """A question for which the same file got other points than in the attempt before; `at` is an ISO time in UTC."""

    student: str
    question: str
    before: float
    after: float
    at: str = ""


class MixedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was judged under two versions of something: `students` under another one than the newest.

    `what` names it, such as "its checks"; `of` counts all students with a result.
    """

    question: str
    what: str
    students: tuple[str, ...]
    of: int
