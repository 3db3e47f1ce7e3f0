"""What `--question` shows of grades: that question alone, whatever else they are composed of."""

from __future__ import annotations

import msgspec

from gradetape.grading.builder import LEFT_OUT
from gradetape.grading.events import Event, Listener, SubmissionGraded, SubmissionKnown
from gradetape.records import Grade, Status


def only(grade: Grade, question: str | None) -> Grade:
    """The grade with one question and what concerns it, or the whole grade if `question` is None."""
    if question is None:
        return grade
    others = tuple(f"{each.id}::" for each in grade.questions if each.id != question)
    attention = tuple(reason for reason in grade.attention if not reason.startswith((LEFT_OUT, *others)))
    return msgspec.structs.replace(
        grade, questions=tuple(each for each in grade.questions if each.id == question), results=grade.of(question),
        attention=attention, status=Status.NEEDS_ATTENTION if attention else Status.GRADED,
    )  # fmt: skip


def listener_for(listener: Listener, question: str | None) -> Listener:
    """A listener that receives only one question of each grade."""

    def listen(event: Event) -> None:
        match event:
            case SubmissionGraded(grade):
                listener(SubmissionGraded(only(grade, question)))
            case SubmissionKnown(grade):
                listener(SubmissionKnown(only(grade, question)))
            case _:
                listener(event)

    return listen


def left_out(grade: Grade) -> str:
    """Why a grade does not have all questions; empty if it has."""
    return next((reason for reason in grade.attention if reason.startswith(LEFT_OUT)), "")
