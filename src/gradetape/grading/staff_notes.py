"""What people wrote about the results of an assignment, as pages show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from gradetape.gradebook import Gradebook
from gradetape.records import Comment, DoneMark, RegradeRequest
from gradetape.report import StaffNotes, StudentNotes

_Note = TypeVar("_Note", Comment, DoneMark, RegradeRequest)


def staff_notes(book: Gradebook, assignment: str) -> StaffNotes:
    """The notes that count, by student."""
    comments = _by_student([each for each in book.notes.comments(assignment) if not each.removed_at])
    marks, requests = _by_student(book.notes.marks(assignment)), _by_student(book.notes.requests(assignment))
    return StaffNotes({
        student: StudentNotes(
            comments=comments.get(student, ()), marks=marks.get(student, ()), requests=requests.get(student, ())
        )
        for student in {*comments, *marks, *requests}
    })  # fmt: skip


def _by_student(notes: Iterable[_Note]) -> dict[str, tuple[_Note, ...]]:
    found = defaultdict[str, list[_Note]](list)
    for note in notes:
        found[note.student].append(note)
    return {student: tuple(own) for student, own in found.items()}
