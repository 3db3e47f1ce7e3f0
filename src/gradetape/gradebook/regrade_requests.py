"""The statements on regrade requests. No row is removed, and each is answered once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook.note_tables import REGRADE_REQUESTS
from gradetape.records import RegradeRequest
from gradetape.text import printable

_TABLE = REGRADE_REQUESTS.c


def add(connection: sa.Connection, assignment: str, request: RegradeRequest) -> bool:
    """Adds a request; returns False if the student has made it before, in the same words."""
    row = {
        "assignment": printable(assignment), "student": printable(request.student), "question": request.question,
        "text": printable(request.text, len(request.text)),
    }  # fmt: skip
    known = sa.select(_TABLE.id).where(*(_TABLE[name] == value for name, value in row.items()))
    if connection.execute(known).first() is not None:
        return False
    connection.execute(sa.insert(REGRADE_REQUESTS).values(row | {"who": printable(request.by), "created": request.at}))
    return True


def answer(connection: sa.Connection, request: RegradeRequest) -> bool:
    """Records the answer of a request; returns False if it was answered before."""
    row = {
        "answer": printable(request.answer, len(request.answer)), "points": request.points,
        "answered_by": printable(request.answered_by), "answered_at": request.answered_at,
    }  # fmt: skip
    mine = sa.and_(_TABLE.id == request.number, _TABLE.answered_at.is_(None))
    return bool(connection.execute(sa.update(REGRADE_REQUESTS).where(mine).values(row)).rowcount)


def history(assignment: str) -> sa.Select[Any]:
    """All requests of an assignment, oldest first."""
    found = sa.select(REGRADE_REQUESTS).where(_TABLE.assignment == printable(assignment))
    return found.order_by(_TABLE.created, _TABLE.id)


def read(rows: Iterable[sa.Row[Any]]) -> list[RegradeRequest]:
    """The rows as records."""
    return [
        RegradeRequest(
            student=row.student, question=row.question, text=row.text, by=row.who, at=row.created,
            answer=row.answer or "", points=row.points, answered_by=row.answered_by or "",
            answered_at=row.answered_at or "", number=row.id,
        )
        for row in rows
    ]  # fmt: skip
