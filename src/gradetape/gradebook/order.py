"""Which of two attempts of a student counts: the one that was handed in later, never the one that was graded later.

The time is the platform's where it says one, else that of the file. An attempt with a time counts before one without.
At the same time, a file that can be read counts before one that cannot, then the file with the greater SHA-256, so
that it does not depend on the order in which files are graded. Only where neither has a time, as in the records of old
versions, the one that is graded last counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

_NO_TIME = datetime.min.replace(tzinfo=UTC)
Rank = tuple[bool, datetime, bool, str]
NO_RANK: Rank = (False, _NO_TIME, False, "")


class Order(StrEnum):
    """How a record of an attempt stands to another one of the same student; `SAME` is the same file."""

    SAME = "same"
    EARLIER = "earlier"
    LATER = "later"
    TIED = "tied"
    UNKNOWN = "unknown"


def order_of(one: Mapping[str, Any], other: Mapping[str, Any]) -> Order:
    """How a record stands to a second one; both are as they are stored."""
    if one["sha256"] == other["sha256"]:
        return Order.SAME
    first, second = _handed_in(one), _handed_in(other)
    if first is None or second is None:
        return Order.UNKNOWN
    if first == second:
        return Order.TIED
    return Order.EARLIER if first < second else Order.LATER


def counts_before(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a record counts before a second one; of the same file, whichever is recorded last counts."""
    return order_of(one, other) is not Order.SAME and rank(one) > rank(other)


def rank(record: Mapping[str, Any]) -> Rank:
    """The greater of two different files' ranks counts; all records without a time have the same one."""
    time = _handed_in(record)
    return NO_RANK if time is None else (True, time, "reason" not in record, record["sha256"])


def _handed_in(record: Mapping[str, Any]) -> datetime | None:
    return _read((record.get("origin") or {}).get("submitted")) or _read(record.get("modified"))


def _read(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
    return time if time is not None and time.tzinfo is not None else None
