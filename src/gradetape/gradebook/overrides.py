"""Overrides: points set by staff instead of the checks.

No row is removed; undoing an override records who did it and when. Their order is that of their times: overrides that
are merged from another gradebook may be older than those that are there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook.tables import OVERRIDES
from gradetape.records import Override
from gradetape.text import printable

_IN_FORCE = OVERRIDES.c.undone_at.is_(None)


def add(connection: sa.Connection, assignment: str, override: Override) -> None:
    """Adds an override, which is in force until it is undone or a newer one replaces it."""
    row = {
        "assignment": printable(assignment), "student": printable(override.student), "question": override.question,
        "points": override.points, "reason": printable(override.reason), "who": printable(override.by),
        "created": override.at,
    }  # fmt: skip
    connection.execute(sa.insert(OVERRIDES).values(row))


def undo(connection: sa.Connection, assignment: str, student: str, question: str, by: str) -> Override | None:
    """Undoes the newest override in force for a question or a check of it, or for one check; None if there is none.

    The one before it is in force again.
    """
    own = sa.or_(OVERRIDES.c.question == question, OVERRIDES.c.question.startswith(f"{question}::", autoescape=True))
    found = _of(assignment, student).where(own, _IN_FORCE)
    row = connection.execute(found.order_by(OVERRIDES.c.created.desc(), OVERRIDES.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    undone = {"undone_at": now(), "undone_by": printable(by)}
    connection.execute(sa.update(OVERRIDES).where(OVERRIDES.c.id == row.id).values(undone))
    return _override(row)


def history(assignment: str, student: str | None) -> sa.Select[Any]:
    """All overrides of an assignment or of one student, oldest first."""
    return _of(assignment, student).order_by(OVERRIDES.c.created, OVERRIDES.c.id)


def read(rows: list[sa.Row[Any]]) -> list[Override]:
    """The rows as records."""
    return list(map(_override, rows))


def now() -> str:
    """The current time in the format of the gradebook."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _of(assignment: str, student: str | None) -> sa.Select[Any]:
    found = sa.select(OVERRIDES).where(OVERRIDES.c.assignment == printable(assignment))
    return found if student is None else found.where(OVERRIDES.c.student == printable(student))


def _override(row: sa.Row[Any]) -> Override:
    return Override(
        student=row.student, question=row.question, points=row.points, reason=row.reason, by=row.who, at=row.created,
        undone_at=row.undone_at or "", undone_by=row.undone_by or "",
    )  # fmt: skip
