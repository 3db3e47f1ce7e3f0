"""The statements on comments. No row is removed: removing a comment records who did it and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook.note_tables import COMMENTS
from gradetape.gradebook.overrides import now
from gradetape.records import Comment
from gradetape.text import printable


def add(connection: sa.Connection, assignment: str, comment: Comment) -> int:
    """Adds a comment; returns its number."""
    row = {
        "assignment": printable(assignment), "student": printable(comment.student), "question": comment.question,
        "check_id": comment.check, "text": printable(comment.text, len(comment.text)), "who": printable(comment.by),
        "created": comment.at,
    }  # fmt: skip
    return int(connection.execute(sa.insert(COMMENTS).values(row).returning(COMMENTS.c.id)).scalar_one())


def remove(connection: sa.Connection, number: int, by: str) -> sa.Row[Any] | None:
    """Removes a comment and returns it; None if there is none with this number, or if it was removed before."""
    row = connection.execute(_of_all().where(COMMENTS.c.id == number, COMMENTS.c.removed_at.is_(None))).first()
    if row is not None:
        removed = {"removed_at": now(), "removed_by": printable(by)}
        connection.execute(sa.update(COMMENTS).where(COMMENTS.c.id == number).values(removed))
    return row


def history(assignment: str, student: str | None = None) -> sa.Select[Any]:
    """All comments of an assignment or of one student, oldest first."""
    found = _of_all().where(COMMENTS.c.assignment == printable(assignment))
    return found if student is None else found.where(COMMENTS.c.student == printable(student))


def read(rows: Iterable[sa.Row[Any]]) -> list[Comment]:
    """The rows as records."""
    return [
        Comment(
            student=row.student, question=row.question, text=row.text, by=row.who, at=row.created, check=row.check_id,
            removed_at=row.removed_at or "", removed_by=row.removed_by or "", number=row.id,
        )
        for row in rows
    ]  # fmt: skip


def _of_all() -> sa.Select[Any]:
    return sa.select(COMMENTS).order_by(COMMENTS.c.created, COMMENTS.c.id)
