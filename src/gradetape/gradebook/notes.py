"""What people write about results: `Gradebook.notes`, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from gradetape.gradebook import comments, done_marks
from gradetape.gradebook.schema import queue_behind_other_writers
from gradetape.records import Comment, DoneMark


class Notes:
    """Comments on answers and done marks; every method is one transaction, and raises GradebookError."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._transaction = transaction

    def comment(self, assignment: str, comment: Comment) -> int:
        """Add a comment, which stays when the submission is graded again; return its number."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            return comments.add(connection, assignment, comment)

    def remove_comment(self, number: int, by: str) -> tuple[str, Comment] | None:
        """Remove a comment; return it with its assignment, or None if there is none with this number."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            row = comments.remove(connection, number, by)
        return None if row is None else (row.assignment, comments.read([row])[0])

    def comments(self, assignment: str, student: str | None = None) -> list[Comment]:
        """Every comment ever given, removed ones included, oldest first."""
        with self._transaction() as connection:
            return comments.read(connection.execute(comments.history(assignment, student)))

    def mark(self, assignment: str, mark: DoneMark) -> None:
        """Add a done mark, which replaces the one before it."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            done_marks.add(connection, assignment, mark)

    def marks(self, assignment: str) -> list[DoneMark]:
        """The mark of each student's question that counts."""
        with self._transaction() as connection:
            return done_marks.newest(connection.execute(done_marks.history(assignment)))
