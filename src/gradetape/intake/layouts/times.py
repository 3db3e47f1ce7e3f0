"""Times as platforms write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UTC = re.compile(r"\s*(Z|UTC|GMT|Etc/UTC)$", re.IGNORECASE)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_ZONE_APART = re.compile(r"\s+([+-]\d\d):?(\d\d)$")
# Abbreviations that stand for one zone only. CST, EST, IST and others are left out: they are several zones.
_ZONES = {"EDT": "-04:00", "CDT": "-05:00", "MDT": "-06:00", "PDT": "-07:00", "CET": "+01:00", "CEST": "+02:00"}
_ENGLISH = re.compile(
    r"(?:\w+day,? )?(?P<month>[A-Z][a-z]{2,8})\.? (?P<day>\d{1,2}),? (?P<year>\d{4}),?(?: at)? (?P<rest>.+)"
)
_DAY_FIRST = re.compile(
    r"(?:\w+day,? )?(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]{2,8})\.? (?P<year>\d{4}),?(?: at)? (?P<rest>.+)"
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):?(?P<minute>\d\d)(?::?(?P<second>\d\d))?(?: ?(?P<half>[AP]M))?(?: (?P<zone>[\w:+/-]+))?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def aware(text: str) -> datetime | None:
    """An ISO time with a time zone; None if it is none or has no zone."""
    text = _FRACTION.sub(r"\1", _UTC.sub("+00:00", _ZONE_APART.sub(r"\1:\2", text.strip())))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def english(text: str) -> tuple[datetime, datetime | None] | None:
    """A time as `Sep 3, 2025 1159 PM` or `Wednesday, September 3, 2025 11:59:00 PM EDT`: without its zone, and with it.

    The second is None if the zone is missing or not certain; the whole is None if the text is no such time.
    """
    text = " ".join(text.split())
    day = _ENGLISH.fullmatch(text) or _DAY_FIRST.fullmatch(text)
    clock = day and _CLOCK.fullmatch(day["rest"])
    if not day or not clock or day["month"][:3].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(day["month"][:3].lower()) + 1
    try:
        local = datetime(
            int(day["year"]), month, int(day["day"]), _hour(clock), int(clock["minute"]), int(clock["second"] or 0)
        )
    except ValueError:
        return None
    return local, _in_zone(local, clock["zone"] or "")


def _hour(clock: re.Match[str]) -> int:
    hour, half = int(clock["hour"]), (clock["half"] or "").upper()
    return hour % 12 + (12 if half == "PM" else 0) if half else hour


def _in_zone(local: datetime, zone: str) -> datetime | None:
    if zone.upper() in ("UTC", "GMT", "Z"):
        return local.replace(tzinfo=UTC)
    return aware(f"{local.isoformat()}{_ZONES.get(zone.upper(), zone)}") if zone else None
