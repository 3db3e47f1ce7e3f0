"""Comments that staff write on answers, for their students to read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.gradebook.overrides import now
from gradetape.grading.overrides import OverrideTarget
from gradetape.grading.results import Results
from gradetape.records import Comment

_LONGEST = 10_000


def give(results: Results, of: OverrideTarget, text: str | None, by: str, check: str = "") -> Comment:
    """Records a comment on a student's question, or on the check of it with this id; raises RequestError."""
    comment = Comment(
        student=of.student, question=of.question, text=written(text, "the comment"), by=by, at=now(), check=check
    )
    return msgspec.structs.replace(comment, number=results.book.notes.comment(of.assignment, comment))


def remove(results: Results, number: int, by: str) -> tuple[str, Comment]:
    """Removes a comment by its number; returns it with its assignment. Raises RequestError if there is none."""
    removed = results.book.notes.remove_comment(number, by)
    if removed is None:
        raise RequestError(
            f"there is no comment with the number {number}, or it was removed before. List all: gradetape comment "
            "--list"
        )
    return removed


def history(results: Results, names: Sequence[str], student: str | None) -> list[tuple[str, Comment]]:
    """All comments in these assignments, on all students or one, by assignment; oldest first."""
    known = results.find_student(student, names)[0][1].student if student else None
    found = [(name, comment) for name in names for comment in results.book.notes.comments(name, known)]
    return sorted(found, key=lambda pair: pair[1].at)


def written(text: str | None, what: str) -> str:
    """A text that was written by hand, without blank lines around it; raises RequestError if it is empty or too long.

    `what` names it in messages.
    """
    found = (text or "").replace("\r\n", "\n").strip()
    if not found:
        raise RequestError(f"{what} is empty: write a text that the student can read")
    if len(found) > _LONGEST:
        raise RequestError(f"{what} has {len(found):,} characters: write at most {_LONGEST:,}")
    return found
