"""What staff are done with. A mark is void once the result for which it was given has changed.

The result of a question is what its cells say and what each check got; that of a submission is that of all questions,
its file and its status. Overrides, comments and penalties are no part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import msgspec

from gradetape.records import DoneMark, Grade, Unreadable, WrittenScore
from gradetape.report.notes import StudentNotes
from gradetape.text import counted


class DoneState(msgspec.Struct, frozen=True):
    """Whether staff are done with a submission or a question, and the mark behind it.

    It is void if the result has changed since the mark was given.
    """

    mark: DoneMark
    void: bool


class ToDo(msgspec.Struct, frozen=True):
    """Whether staff are done with a submission, in a few words, and the words by which it is found."""

    done: bool
    words: str
    filters: tuple[str, ...]


_DONE = ToDo(True, "done", ("is:done",))


def basis_of(record: Grade | Unreadable, question: str = "") -> str:
    """The digest of the result of a question, or of the whole submission if it is empty."""
    if isinstance(record, Unreadable):
        return _digest([record.sha256, record.reason])
    cells = [cell.source for cell in record.cells if question in ("", cell.question)]
    results = [
        [each.check.id, each.verdict.value, each.points]
        for each in record.results
        if question in ("", each.check.question)
    ]
    whole = [] if question else [record.sha256, record.status.value]
    return _digest([cells, sorted(results), whole])


def done_state(record: Grade | Unreadable, notes: StudentNotes, question: str = "") -> DoneState | None:
    """The mark that counts for a question, or for the whole submission; None if there is none or it was taken back."""
    mark = next((each for each in notes.marks if each.question == question), None)
    if mark is None or not mark.done:
        return None
    return DoneState(mark, mark.basis != basis_of(record, question))


def to_do(record: Grade | Unreadable, notes: StudentNotes, written: Iterable[WrittenScore] = ()) -> ToDo:
    """What is left to do of a submission.

    It is nothing if neither a regrade request nor a written answer waits, and it, or each question of it, has a mark
    that is not void.
    """
    if notes.waiting:
        return ToDo(False, "request", ("is:todo", "is:request"))
    whole = done_state(record, notes)
    ids = [question.id for question in record.questions] if isinstance(record, Grade) else []
    states = [done_state(record, notes, each) for each in ids]
    finished = sum(state is not None and not state.void for state in states)
    if (whole and not whole.void) or (ids and finished == len(ids)):
        waiting = sum(each.is_open for each in written)
        return ToDo(False, f"{counted(waiting, 'answer')} to mark", ("is:todo",)) if waiting else _DONE
    if any(state is not None and state.void for state in (whole, *states)):
        return ToDo(False, "changed since", ("is:todo", "is:changed"))
    return ToDo(False, f"{finished} of {len(ids)} done" if finished else "to do", ("is:todo",))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
