"""What people wrote about the results of an assignment, as pages show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from gradetape.gradebook import Gradebook
from gradetape.records import Comment, DoneMark, Override, RegradeRequest
from gradetape.report import StaffNotes, StudentNotes
from gradetape.text import printable

_Note = TypeVar("_Note", Comment, DoneMark, RegradeRequest)


def staff_notes(book: Gradebook, assignment: str) -> StaffNotes:
    """The notes that count, by student."""
    comments = _by_student([each for each in book.notes.comments(assignment) if not each.removed_at])
    marks, requests = _by_student(book.notes.marks(assignment)), _by_student(requests_of(book, assignment))
    return StaffNotes({
        student: StudentNotes(
            comments=comments.get(student, ()), marks=marks.get(student, ()), requests=requests.get(student, ())
        )
        for student in {*comments, *marks, *requests}
    })  # fmt: skip


def requests_of(book: Gradebook, assignment: str) -> list[RegradeRequest]:
    """The regrade requests, oldest first, with who took back the points of an answer."""
    found = book.notes.requests(assignment)
    if all(each.points is None for each in found):
        return found
    undone = [override for override in book.overrides(assignment) if override.undone_at]
    return [_with_undone(each, undone) for each in found]


def _with_undone(request: RegradeRequest, undone: Iterable[Override]) -> RegradeRequest:
    """A request with who undid the override that its answer gave, which has its points, words and author."""
    given = (request.student, request.question, request.points, printable(request.answer), request.answered_by)
    for each in undone:
        if (each.student, each.question, each.points, each.reason, each.by) == given and each.at <= request.answered_at:
            return msgspec.structs.replace(request, undone_by=each.undone_by, undone_at=each.undone_at)
    return request


def _by_student(notes: Iterable[_Note]) -> dict[str, tuple[_Note, ...]]:
    found = defaultdict[str, list[_Note]](list)
    for note in notes:
        found[note.student].append(note)
    return {student: tuple(own) for student, own in found.items()}
