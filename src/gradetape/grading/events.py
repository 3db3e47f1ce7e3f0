"""The events of a batch, for a listener."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gradetape.gradebook import Grader
from gradetape.grading.workload import Workload
from gradetape.records import Grade


class BatchBegan(msgspec.Struct, frozen=True):
    """A batch begins. `total` counts its submissions, None for an open stream; `known` of them have a grade already."""

    total: int | None
    known: int


class WorkPlanned(msgspec.Struct, frozen=True):
    """What will run and why, before it starts."""

    workload: Workload


class SubmissionBegan(msgspec.Struct, frozen=True):
    """A submission was given to the engine."""

    student: str


class SubmissionGraded(msgspec.Struct, frozen=True):
    """A submission's grade was recorded in the gradebook."""

    grade: Grade


class SubmissionRetried(msgspec.Struct, frozen=True):
    """A submission will be judged once more after the others, because the machinery or a check failed."""

    student: str
    reason: str


class SubmissionLost(msgspec.Struct, frozen=True):
    """A submission was lost twice; its grade needs attention."""

    student: str
    reason: str


class SubmissionReplaced(msgspec.Struct, frozen=True):
    """A newer submission of the same student arrived, so this one is not judged (again)."""

    student: str


class SubmissionKnown(msgspec.Struct, frozen=True):
    """A submission has its grade from an earlier run."""

    grade: Grade


class GraderJoined(msgspec.Struct, frozen=True):
    """Another grader works on the same gradebook and has claimed submissions of this batch."""

    other: Grader


class Warned(msgspec.Struct, frozen=True):
    """Something that staff should know, in a sentence: an older gradebook was migrated, or a name in the late policy
    matches no student.
    """

    message: str


Event = (
    BatchBegan | WorkPlanned | SubmissionKnown | SubmissionBegan | SubmissionGraded | SubmissionRetried
    | SubmissionReplaced | SubmissionLost | GraderJoined | Warned
)  # fmt: skip
Listener = Callable[[Event], None]
