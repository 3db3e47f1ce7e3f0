"""What the supervisor, the judge and its children say to each other."""

from __future__ import annotations

import msgspec

from gradetape.records import CellEvent, CheckResult, CollectedChecks, Job, Slot


class RunJob(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The supervisor has a case to be judged, in a slot, with the help of the zygote that listens at a path."""

    number: int
    zygote: str
    slot: Slot
    job: Job


class CancelJob(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The supervisor no longer wants to know what becomes of an order."""

    order: int


class Began(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The clock of a check has started; `index` counts the items of the child."""

    order: int
    index: int
    seconds: float


class Judged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A check has its result."""

    order: int
    result: CheckResult


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Every check of an order has its result."""

    order: int
    events: tuple[CellEvent, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    review: tuple[str, ...] = ()


class JobLost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The machinery failed, through no fault of the submission."""

    order: int
    reason: str


Message = CollectedChecks | Began | Judged | Done | JobLost
Request = RunJob | CancelJob
