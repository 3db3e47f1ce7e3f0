"""The messages between the supervisor, the judge and its children. `number` is always that of the job."""

from __future__ import annotations

import msgspec

from gradetape.records import CellEvent, CheckResult, CollectedChecks, Job, Slot


class Collect(msgspec.Struct, frozen=True, kw_only=True):
    """The first message: collect the checks in these files below `root`.

    `student_files` are the paths of the files that lie beside every submission, by their names there.
    """

    root: str
    files: tuple[str, ...]
    student_files: dict[str, str] = {}


class RunJob(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Judge a job in a slot, with workers of the zygote that listens at the path `zygote`."""

    number: int
    zygote: str
    slot: Slot
    job: Job


class CancelJob(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """End a job; it is no longer reported."""

    number: int


class Began(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A check's clock has started; `index` counts the items of the child. The supervisor learns it of hidden checks."""

    number: int
    index: int
    seconds: float


class Waits(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A child has judged its public checks, and begins no hidden one until all parts of the submission have."""

    number: int


class GoOn(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The answer to a child that waits: every part of the submission has judged its public checks."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker has run all cells of the submission; `events` are those of all its workers so far."""

    number: int
    events: tuple[CellEvent, ...]


class Judged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A check has its result, with a message in the grader's words; `said` is what the student's code said.

    The submission sent `sent_bytes` bytes for it.
    """

    number: int
    result: CheckResult
    said: str = ""
    sent_bytes: int = 0


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Every check of a job has its result."""

    number: int
    events: tuple[CellEvent, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    review: tuple[str, ...] = ()


class JobLost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The grader's machinery failed, through no fault of the submission."""

    number: int
    reason: str


Message = CollectedChecks | Began | Waits | Loaded | Judged | Done | JobLost
Request = RunJob | CancelJob
