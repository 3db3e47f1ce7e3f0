"""The statements on done marks. Rows are only added; the newest of a student's question counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook.note_tables import DONE_MARKS
from gradetape.records import DoneMark
from gradetape.text import printable


def add(connection: sa.Connection, assignment: str, mark: DoneMark) -> None:
    """Adds a mark, which replaces those before it."""
    row = {
        "assignment": printable(assignment), "student": printable(mark.student), "question": mark.question,
        "done": mark.done, "basis": mark.basis, "who": printable(mark.by), "created": mark.at,
    }  # fmt: skip
    connection.execute(sa.insert(DONE_MARKS).values(row))


def history(assignment: str) -> sa.Select[Any]:
    """All marks of an assignment, oldest first."""
    found = sa.select(DONE_MARKS).where(DONE_MARKS.c.assignment == printable(assignment))
    return found.order_by(DONE_MARKS.c.created, DONE_MARKS.c.id)


def newest(rows: Iterable[sa.Row[Any]]) -> list[DoneMark]:
    """The mark of each student's question that counts."""
    found = {(row.student, row.question): row for row in rows}
    return [
        DoneMark(
            student=row.student, question=row.question, done=row.done, basis=row.basis, by=row.who, at=row.created
        )
        for row in found.values()
    ]  # fmt: skip
