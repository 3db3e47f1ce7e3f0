"""The events of a batch, for a listener."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gradetape.gradebook import Grader
from gradetape.records import Grade


class BatchBegan(msgspec.Struct, frozen=True):
    """A batch begins. `total` counts its submissions, None for an open stream; `known` of them have a grade already."""

    total: int | None
    known: int


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


class GraderJoined(msgspec.Struct, frozen=True):
    """Another grader works on the same gradebook and has claimed submissions of this batch."""

    other: Grader


class GradebookMigrated(msgspec.Struct, frozen=True):
    """An older gradebook was migrated; `message` says where its copy is."""

    message: str


Event = (
    BatchBegan | SubmissionBegan | SubmissionGraded | SubmissionRetried | SubmissionLost | GraderJoined
    | GradebookMigrated
)  # fmt: skip
Listener = Callable[[Event], None]
