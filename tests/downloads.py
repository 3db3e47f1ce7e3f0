"""What `grade` says of a download, beside what is right."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import Any

from tests.layouts import Download, Expected, right


def submissions(run: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """What `grade --json` says, by student."""
    found = json.loads(run.stdout)["submissions"]
    assert len({each["student"] for each in found}) == len(found)
    return {each["student"]: each for each in found}


def digest(number: int) -> str:
    return hashlib.sha256(right(number).encode()).hexdigest()


def found_of(each: dict[str, Any]) -> dict[str, Any]:
    """What was found for one student, in the words of `expected_of`."""
    origin = each.get("origin") or {}
    known = {name: origin.get(name) or "" for name in ("id", "login", "email")}
    said = {"late": origin.get("late"), "submitted": origin.get("submitted")}
    return known | said | {"sha256": each["sha256"] if each["status"] == "graded" else None}


def expected_of(each: Expected) -> dict[str, Any]:
    return {
        "id": each.id, "login": each.login, "email": each.email, "late": each.late, "submitted": each.submitted,
        "sha256": digest(each.owner) if each.owner else None,
    }  # fmt: skip


def headline(download: Download) -> str:
    students, attempts = len(download.expected), download.attempts
    older = attempts - students if attempts else 0
    more = f", {attempts} attempts, {older} older attempt{'s' if older > 1 else ''} left out" if older else ""
    return f"{download.title}, {students} students{more}\n"
