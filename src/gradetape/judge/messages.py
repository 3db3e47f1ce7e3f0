"""What the supervisor, the judge and its children say to each other."""

from __future__ import annotations

import msgspec

from gradetape.judge.bench import Case
from gradetape.records import CellEvent, Check, CheckResult, Slot


class Order(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The supervisor has a case to be judged, in a slot, with the help of the zygote that listens at a path."""

    number: int
    zygote: str
    slot: Slot
    case: Case


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The supervisor no longer wants to know what becomes of an order."""

    order: int


class Collected(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The checks that can be run, and why a file or a check cannot, by its path."""

    checks: tuple[Check, ...]
    broken: dict[str, str]


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


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The machinery failed, through no fault of the submission."""

    order: int
    reason: str


Message = Collected | Began | Judged | Done | Lost
Request = Order | Cancel
