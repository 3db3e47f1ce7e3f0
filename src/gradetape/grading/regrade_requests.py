"""Regrade requests of students: imported, listed, and answered with points or a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gradetape.errors import GradetapeError, RequestError
from gradetape.gradebook.overrides import now
from gradetape.grading import overrides
from gradetape.grading.comments import written
from gradetape.grading.request_files import RequestText
from gradetape.grading.results import Results, max_points
from gradetape.grading.staff_notes import requests_of
from gradetape.records import Override, RegradeRequest
from gradetape.text import few_lines


class ImportedRequests(msgspec.Struct, frozen=True):
    """The requests that were added, by assignment, and how many the gradebook had before."""

    added: tuple[tuple[str, RegradeRequest], ...]
    known: int


def add(results: Results, requests: Sequence[RequestText], by: str, *, parts: bool = False) -> ImportedRequests:
    """Adds requests; raises RequestError, with each that is wrong, and then adds none.

    With `parts`, a part of a student's name is enough, as staff may write it: a file has to give the whole one.
    """
    found, wrong = list[tuple[str, RegradeRequest]](), list[str]()
    for each in requests:
        try:
            found.append(_made(results, each, by, parts=parts))
        except GradetapeError as error:
            wrong.append(f"{each.where}: {error}")
    if wrong:
        raise RequestError("\n".join(["Nothing was imported, since not every request can be:", *few_lines(wrong)]))
    added = results.book.notes.request(found)
    return ImportedRequests(tuple(added), len(found) - len(added))


def all_of(results: Results, names: Sequence[str], *, only_open: bool = False) -> Iterator[tuple[str, RegradeRequest]]:
    """The requests of these assignments, by assignment; oldest first."""
    found = [(name, each) for name in names for each in requests_of(results.book, name)]
    for name, each in sorted(found, key=lambda pair: pair[1].at):
        if not (only_open and each.answered_at):
            yield name, each


def answer(results: Results, number: int, points: float | None, reason: str | None, by: str) -> RegradeRequest:
    """Answers a request with points, which become an override, or with a reason alone; raises RequestError."""
    assignment, request = _numbered(results, number)
    override, text = None, written(reason, "the answer")
    if points is not None:
        _refuse_written(results, assignment, request)
        most = max_points(results.course.assignment(assignment), request.question)
        points, text = overrides.checked(request.question, most, points, text)
        override = Override(
            student=request.student, question=request.question, points=points, reason=text, by=by, at=now()
        )
    made = msgspec.structs.replace(request, answer=text, points=points, answered_by=by, answered_at=now())
    if not results.book.notes.answer(assignment, made, override):
        raise RequestError(
            f"request {number} was answered before, so nothing was changed: look at the answer. An override can set "
            "other points"
        )
    return made


def _refuse_written(results: Results, assignment: str, request: RegradeRequest) -> None:
    """Raises RequestError for points of a written question, which only its mark gives."""
    if request.question in {each.id for each in results.course.assignment(assignment).written}:
        raise RequestError(
            f"{request.question} is a written question, whose points only a mark gives. Mark it "
            f"(gradetape mark STUDENT {request.question}), and answer the request without points"
        )


def assignment_of(results: Results, number: int) -> str:
    """The assignment of a request; raises RequestError."""
    return _numbered(results, number)[0]


def _numbered(results: Results, number: int) -> tuple[str, RegradeRequest]:
    for name, each in all_of(results, results.assignments()):
        if each.number == number:
            return name, each
    raise RequestError(f"there is no request with the number {number}. List all: gradetape request list")


def _made(results: Results, text: RequestText, by: str, *, parts: bool) -> tuple[str, RegradeRequest]:
    if not text.question:
        raise RequestError("no question is named: write a line such as question: q06 at the top, or give --question")
    assignment, question = overrides.question_of(results, text.question, text.assignment or None, also_written=True)
    known = results.find_student(text.student, [assignment], parts=parts)[0][1].student
    return assignment, RegradeRequest(
        student=known, question=question, text=written(text.text, "the request"), by=by, at=now()
    )
