"""What people write about results: `Gradebook.notes`, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from gradetape.gradebook import comments, done_marks, overrides, regrade_requests
from gradetape.gradebook.schema import queue_behind_other_writers
from gradetape.records import Comment, DoneMark, Override, RegradeRequest


class Notes:
    """Comments, done marks and regrade requests; every method is one transaction, and raises GradebookError."""

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

    def request(self, requests: Iterable[tuple[str, RegradeRequest]]) -> list[tuple[str, RegradeRequest]]:
        """Add regrade requests, by assignment; return those that are new."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            return [each for each in requests if regrade_requests.add(connection, *each)]

    def answer(self, assignment: str, request: RegradeRequest, override: Override | None) -> bool:
        """Record the answer of a request, with the override that it gives; return False if it was answered before."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            answered = regrade_requests.answer(connection, request)
            if answered and override is not None:
                overrides.add(connection, assignment, override)
        return answered

    def requests(self, assignment: str) -> list[RegradeRequest]:
        """Every regrade request, answered ones included, oldest first."""
        with self._transaction() as connection:
            return regrade_requests.read(connection.execute(regrade_requests.history(assignment)))
