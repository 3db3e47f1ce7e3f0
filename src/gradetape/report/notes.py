"""What people wrote about results, as the pages of staff and of students show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gradetape.records import Comment, DoneMark, Grade, RegradeRequest
from gradetape.text import as_points, printable


class StudentNotes(msgspec.Struct, frozen=True, kw_only=True):
    """What was written about one student's answers."""

    comments: tuple[Comment, ...] = ()
    marks: tuple[DoneMark, ...] = ()
    requests: tuple[RegradeRequest, ...] = ()

    def for_student(self, question: str, grade: Grade | None = None) -> dict[str, Any]:
        """What the student reads about a question, for templates: of a check the title alone, and of staff no name."""
        titles = {result.check.id: result.check.title for result in grade.results} if grade else {}
        comments = [
            {"text": each.text, "day": each.at[:10], "about": titles.get(each.check, "")}
            for each in self.comments
            if each.question == question
        ]
        requests = [
            {
                "text": each.text, "day": each.at[:10], "answer": each.answer, "points": each.points,
                "answer_day": each.answered_at[:10], "undone_day": each.undone_at[:10],
            }
            for each in self.requests
            if each.question == question
        ]  # fmt: skip
        return {"comments": comments, "requests": requests}

    def for_staff(self, question: str) -> dict[str, Any]:
        """What staff read about a question, for templates."""
        return {
            "comments": [each for each in self.comments if each.question == question],
            "requests": [each for each in self.requests if each.question == question],
        }

    @property
    def waiting(self) -> tuple[RegradeRequest, ...]:
        """The requests without an answer."""
        return tuple(each for each in self.requests if not each.answered_at)

    def texts(self, question: str, grade: Grade | None = None, *, staff: bool) -> Iterator[tuple[str, str]]:
        """What was written about a question for the terminal: a line that says what it is, and the text."""
        pairs = zip(self.for_staff(question)["comments"], self.for_student(question, grade)["comments"], strict=True)
        for each, shown in pairs:
            about = each.check if staff else shown["about"]
            who = each.by if staff else "the course staff"
            yield f"Comment{f' on {about}' if about else ''} of {who}, {shown['day']}:", each.text
        for request in self.for_staff(question)["requests"]:
            yield f"Regrade request, {request.at[:10]}:", request.text
            if request.answered_at:
                who = request.answered_by if staff else "the course staff"
                points = "" if request.points is None else f": {as_points(request.points)}"
                back = request.undone_by if staff else "the course staff"
                points += f", later taken back by {back}, {request.undone_at[:10]}" if request.undone_at else ""
                yield f"Answer of {who}, {request.answered_at[:10]}{points}:", request.answer

    def without_grade(self) -> list[dict[str, Any]]:
        """What was written about a submission that cannot be read, by question, for templates."""
        return [{"id": question, "notes": self.for_student(question)} for question in self.questions()]

    def questions(self) -> tuple[str, ...]:
        """The questions about which something was written."""
        written = {each.question for each in self.comments} | {each.question for each in self.requests}
        return tuple(sorted(written))


NO_STUDENT_NOTES = StudentNotes()
_NOBODY: Mapping[str, StudentNotes] = MappingProxyType({})


class StaffNotes(msgspec.Struct, frozen=True):
    """What was written about the results of an assignment, by the student's name as the gradebook has it."""

    by_student: Mapping[str, StudentNotes] = _NOBODY

    def of(self, student: str) -> StudentNotes:
        """What was written about one student's answers."""
        return self.by_student.get(printable(student), NO_STUDENT_NOTES)


NO_NOTES = StaffNotes()
