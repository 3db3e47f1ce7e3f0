"""Grades as JSON: what `grade --json` prints, and the table of grades as a list of objects."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from gradetape.exports.table import GradeTable, Value
from gradetape.records import CheckResult, Grade, NoSubmission, Origin, Question, Status, Unreadable
from gradetape.text import collation_key, printable


def as_json(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], assignment: str, isolation: str, *,
    max_points: float, older: Collection[str] = (), no_submission: Sequence[NoSubmission] = (),
) -> dict[str, Any]:  # fmt: skip
    """What `grade --json` prints, as plain data; `max_points` is the assignment's, for students without a grade.

    `older` are the students of whom another file counts than the one that was graded, `no_submission` the people of the
    class list who have handed in nothing.
    """
    graded = [_graded(grade) | ({"counts": False} if grade.student in older else {}) for grade in grades]
    graded += [
        _unreadable(entry, max_points) | ({"counts": False} if entry.student in older else {}) for entry in unreadable
    ]
    return {
        "assignment": assignment,
        "isolation": isolation,
        "submissions": sorted(graded, key=lambda submission: collation_key(submission["student"])),
        **({"no_submission": [_absent(person) for person in no_submission]} if no_submission else {}),
    }


def write(table: GradeTable) -> str:
    """A table as a JSON list of objects, one per row; a missing value is null, and a time is an ISO text."""
    rows = [{printable(name): _shown(value) for name, value in record.items()} for record in table.records()]
    return json.dumps(rows, indent=2) + "\n"


def _shown(value: Value) -> str | float | None:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return printable(value) if isinstance(value, str) else value


def _graded(grade: Grade) -> dict[str, Any]:
    review = {"review": [printable(reason) for reason in grade.review]} if grade.review else {}
    return {
        "student": printable(grade.student),
        "file": printable(grade.file),
        "sha256": grade.sha256,
        "status": grade.status.value,
        "points": round(grade.points, 6),
        "max_points": grade.max_points,
        "seconds": round(grade.seconds, 3),
        "questions": {question.id: _question(grade, question) for question in grade.questions},
        **({"attention": [printable(reason) for reason in grade.concerns]} if grade.concerns else {}),
        **review,
        **_origin(grade.origin),
    }


def _unreadable(entry: Unreadable, max_points: float) -> dict[str, Any]:
    return {
        "student": printable(entry.student),
        "file": printable(entry.file),
        "sha256": entry.sha256,
        "status": Status.UNREADABLE.value,
        "points": 0.0,
        "max_points": max_points,
        "seconds": 0.0,
        "questions": {},
        "reason": printable(entry.reason),
        **_origin(entry.origin),
    }


def _absent(person: NoSubmission) -> dict[str, str]:
    return {name: printable(getattr(person, name)) for name in person.__struct_fields__}


def _origin(origin: Origin | None) -> dict[str, Any]:
    """What the platform says, if the submission comes from one."""
    if origin is None:
        return {}
    texts = {name: printable(getattr(origin, name)) for name in ("layout", "id", "login", "email", "section")}
    submitted = origin.submitted.isoformat() if origin.submitted else None
    return {"origin": {**texts, "submitted": submitted, "late": origin.late}}


def _question(grade: Grade, question: Question) -> dict[str, Any]:
    return {
        "points": grade.earned(question.id),
        "max_points": question.points,
        "checks": [_check(result) for result in grade.of(question.id)],
    }


def _check(result: CheckResult) -> dict[str, Any]:
    return {
        "name": result.check.name,
        "public": result.check.public,
        "verdict": result.verdict.value,
        "points": result.points,
        "max_points": result.check.points,
        "seconds": round(result.seconds, 3),
        "message": printable(result.message),
    }
