"""Written answers at the desk: the page of an answer, its pictures, which answer comes next, and what a form gives."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gradetape.desk.forms import Form
from gradetape.desk.names import HiddenName, hidden_name, pseudonym
from gradetape.desk.pages import Desk, NoPage, assignment_named
from gradetape.errors import RequestError
from gradetape.grading import marks
from gradetape.grading.results import Results
from gradetape.grading.staff_notes import staff_notes
from gradetape.records import AnswerPart, Question, RegradeRequest
from gradetape.report import Actions, MarkingView, marking_page, page_name, slug
from gradetape.text import collation_key


def page(results: Results, address: str, question_id: str, student: str, token: str, *, hidden: bool = False) -> str:
    """The page of a student's answer, with `hidden` under a pseudonym; raises NoPage."""
    name, question, order = _of(results, address, question_id)
    found = _view(results, name, question, _student(name, order, student))
    left = [each.student for each in marks.waiting(results, [name], question.id)]
    place = order.index(found.student)
    view = MarkingView(
        student=found.student, title=results.course.assignment(name).title, score=found.score, rubric=found.rubric,
        parts=found.parts, version=_version(found), left=len(left), note=found.note, file=found.file,
        requests=_requests(results, name, question, found.student),
        before=order[place - 1] if place else None, after=_next(order, left, found.student),
    )  # fmt: skip
    shown = _without_names(results, name, view) if hidden else view
    return marking_page(shown, Actions(token, slug(name), hidden))


def _without_names(results: Results, assignment: str, view: MarkingView) -> MarkingView:
    """The same page with pseudonyms."""
    [(_, record)] = results.find_student(view.student, [assignment], parts=False)
    name = hidden_name(assignment, record)
    parts = [msgspec.structs.replace(each, text=_hidden_text(name, each)) for each in view.parts]
    others = [each and pseudonym(assignment, each) for each in (view.before, view.after)]
    requests = [
        msgspec.structs.replace(each, text=name.written(each.text), answer=name.written(each.answer))
        for each in view.requests
    ]
    score = msgspec.structs.replace(view.score, comment=name.written(view.score.comment))
    return msgspec.structs.replace(
        view, student=name.name, parts=tuple(parts), file="submission.ipynb", score=score, before=others[0],
        after=others[1], requests=tuple(requests),
    )  # fmt: skip


def _hidden_text(name: HiddenName, part: AnswerPart) -> str:
    return name.code(part.text) if part.kind == "code" else name.written(part.text)


def _requests(results: Results, assignment: str, question: Question, student: str) -> tuple[RegradeRequest, ...]:
    """The regrade requests about an answer."""
    own = staff_notes(results.book, assignment).of(student).requests
    return tuple(each for each in own if each.question == question.id)


def picture(results: Results, address: str, question_id: str, student: str, number: str) -> bytes:
    """A picture of a student's answer by its number, from 1; raises NoPage."""
    name, question, order = _of(results, address, question_id)
    found = _view(results, name, question, _student(name, order, student))
    pictures = [part.picture for part in found.parts if part.kind == "picture"]
    known = {str(place): data for place, data in enumerate(pictures, start=1)}
    if number not in known:
        raise NoPage(number)
    return known[number]


def first(results: Results, address: str, question_id: str, *, hidden: bool = False) -> str:
    """The address of the first answer to a question that waits; empty if none does. Raises NoPage."""
    name, question, order = _of(results, address, question_id)
    return _address(results, name, question, order, hidden=hidden)


def mark(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Records what a form gives for an answer; returns the address of the next one that waits."""
    _refuse_empty(form)
    name, question, order = _of(results, address, form.question)
    found = _view(results, name, question, _student(name, order, form.student))
    _refuse_outdated(found, form)
    adjustment = form.number if form.points.strip() else 0.0
    hidden = form.student != page_name(found.student)
    kept = found.score.comment if hidden and not form.reason.strip() else form.reason  # hidden, it was not filled in
    marks.give(results, found, form.items, desk.by, adjustment=adjustment, comment=kept)
    following = _address(results, name, question, order, found.student, hidden=hidden)
    return following or f"/staff/{address}/index.html"


def undo(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Undoes the mark in force for an answer; returns the address of its page."""
    name, question, order = _of(results, address, form.question)
    found = _view(results, name, question, _student(name, order, form.student))
    _refuse_outdated(found, form)
    marks.undo(results, found, desk.by)
    return f"/written/{address}/{question.id}/{form.student}"


def _of(results: Results, address: str, question_id: str) -> tuple[str, Question, list[str]]:
    """The assignment, the written question, and the students in the order of the dashboard; raises NoPage."""
    name = assignment_named(results, address)
    for question in results.course.assignment(name).written:
        if question.id == question_id:
            return name, question, sorted((each.student for each in results.book.latest(name)), key=collation_key)
    raise NoPage(question_id)


def _student(assignment: str, order: Sequence[str], page: str) -> str:
    """The student whose page has this name, also that of the pseudonym; raises NoPage."""
    for student in order:
        if page in (page_name(student), page_name(pseudonym(assignment, student))):
            return student
    raise NoPage(page)


def _view(results: Results, name: str, question: Question, student: str) -> marks.AnswerView:
    return marks.view(results, results.course.assignment(name), question, student)


def _refuse_outdated(found: marks.AnswerView, form: Form) -> None:
    if form.group != _version(found):
        raise RequestError(
            "this answer was marked or handed in anew since the page was loaded. Look at it again before you mark it "
            "or undo a mark"
        )


def _version(found: marks.AnswerView) -> str:
    """Another text for another answer, and for another mark."""
    return "|".join((found.digest, found.score.state.value, found.score.at, found.score.by))


def _next(order: Sequence[str], waiting: Sequence[str], student: str) -> str | None:
    """The next student whose answer waits, from the beginning again after the last one."""
    place = order.index(student)
    return next((each for each in (*order[place + 1 :], *order[:place]) if each in waiting), None)


def _address(
    results: Results, name: str, question: Question, order: Sequence[str], student: str = "", *, hidden: bool
) -> str:  # fmt: skip
    """The address of the next answer that waits: after a student's, else the first; empty if none does."""
    waiting = [each.student for each in marks.waiting(results, [name], question.id)]
    in_order = [each for each in order if each in waiting]
    following = _next(order, waiting, student) if student else next(iter(in_order), None)
    shown = pseudonym(name, following) if following and hidden else following
    return f"/written/{slug(name)}/{question.id}/{page_name(shown)}" if shown else ""


def _refuse_empty(form: Form) -> None:
    if form.items and form.none:
        raise RequestError('items are ticked, and "Nothing applies" too: choose one of the two')
    if not (form.items or form.none or form.number_if_any):
        raise RequestError('nothing was saved: tick the items that apply, give points, or tick "Nothing applies"')
