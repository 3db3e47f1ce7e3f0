"""Which of two attempts of a student was handed in earlier, where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def is_older(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a record is of another file than a second one, and was handed in earlier.

    The platform's times decide if both have one, and else the times of the files. Records are as they are stored.
    """
    if one["sha256"] == other["sha256"]:
        return False
    for time_of in (_of_platform, _of_file):
        first, second = time_of(one), time_of(other)
        if first is not None and second is not None:
            return first < second
    return False


def _of_platform(record: Mapping[str, Any]) -> datetime | None:
    return _read((record.get("origin") or {}).get("submitted"))


def _of_file(record: Mapping[str, Any]) -> datetime | None:
    return _read(record.get("modified"))


def _read(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
    return time if time is not None and time.tzinfo is not None else None
