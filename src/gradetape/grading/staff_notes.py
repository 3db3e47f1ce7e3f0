"""What people wrote about the results of an assignment, as pages show it."""

from __future__ import annotations

from collections import defaultdict

from gradetape.gradebook import Gradebook
from gradetape.records import Comment
from gradetape.report import StaffNotes, StudentNotes


def staff_notes(book: Gradebook, assignment: str) -> StaffNotes:
    """The notes that count, by student."""
    comments = defaultdict[str, list[Comment]](list)
    for comment in book.notes.comments(assignment):
        if not comment.removed_at:
            comments[comment.student].append(comment)
    return StaffNotes({student: StudentNotes(comments=tuple(comments[student])) for student in comments})
