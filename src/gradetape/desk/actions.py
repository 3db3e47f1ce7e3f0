"""From a form to the gradebook, by way of `grading`, which knows what is allowed and notes who did it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gradetape.desk.forms import Form
from gradetape.desk.names import pseudonym, without_names
from gradetape.desk.pages import Desk, pages_at, question_at, record_at
from gradetape.desk.trials import BackgroundTrial, Stopped
from gradetape.errors import RequestError
from gradetape.grading import check_overrides, overrides
from gradetape.grading.results import Results, max_points
from gradetape.grading.trial import TrialRequest, tried
from gradetape.records import Check, Question, TrialResult
from gradetape.report import AssignmentPages, FailureGroup, anchor, answering, groups_of


def override(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Sets the points of a student's question or check; returns the address to go on with."""
    target, back = target_at(desk, results, address, form)
    if form.check:
        check = check_overrides.check_named(results.book.latest(target.assignment), target, form.check)
        _given(results, target.assignment, check, (target.student,), form, desk)
        return back
    overrides.give(results, target, form.number, form.reason, desk.by)
    return back


def undo(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Undoes the override in force for a student's question or check; returns the address to go on with."""
    target, back = target_at(desk, results, address, form)
    if form.check:
        check = check_overrides.check_named(results.book.latest(target.assignment), target, form.check)
        check_overrides.undo(results, target.assignment, check, (target.student,), desk.by)
        return back
    overrides.undo(results, target, desk.by)
    return back


def override_alike(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Sets the points of a check for all students of a group of failures; returns the address to go on with."""
    pages = pages_at(desk, results, address)
    question = question_at(pages, form.question)
    group = _group(pages, question, form.group)
    _given(results, pages.assignment, group.check, group.students, form, desk)
    return f"/staff/{address}/questions/{form.question}"


def trial(desk: Desk, results: Results, address: str, form: Form) -> BackgroundTrial:
    """A trial of a question's checks as they are now, for all students or one, or of one check for one student."""
    pages = pages_at(desk, results, address)
    question = question_at(pages, form.question)
    grades = [grade for grade in pages.grades if grade.has(question.id)]
    student = record_at(pages, form.student).student if form.student else ""
    grades = [grade for grade in grades if student in ("", grade.student)]
    request = TrialRequest(
        assignment=pages.assignment, question=question.id, checks=frozenset([form.check]) if form.check else None,
        hidden=(desk.folder or results.course.root / results.course.config.results,),
    )  # fmt: skip

    def made(stopped: Stopped) -> Iterator[TrialResult]:
        return tried(results.course, request, grades, open_engine=desk.open_engine, stopped=stopped)

    return BackgroundTrial(
        assignment=pages.assignment, question=question, student=student, folder=address, grades=grades, make=made
    )


def _group(pages: AssignmentPages, question: Question, digest: str) -> FailureGroup:
    """The group of a page, which may have had pseudonyms, under the students' names."""
    names = {pseudonym(pages.assignment, grade.student): grade.student for grade in pages.grades}
    for each in (pages, without_names(pages)):
        for group in groups_of(answering(question, each.grades, each.material), question.id):
            if group.digest == digest:
                return msgspec.structs.replace(group, students=tuple(names.get(name, name) for name in group.students))
    raise RequestError("these failures are others by now: a submission was graded since. Look at the question again")


def _given(results: Results, assignment: str, check: Check, students: Sequence[str], form: Form, desk: Desk) -> None:
    """Sets the points of a check; raises RequestError if nobody gets them."""
    done = check_overrides.give(results, assignment, check, students, form.number, form.reason, desk.by)
    if not done.given:
        raise RequestError(
            "an override of the whole question decides, so that nothing would change: undo it first, or change it"
        )


def target_at(desk: Desk, results: Results, address: str, form: Form) -> tuple[overrides.OverrideTarget, str]:
    """The student's question that a form is about, and the address of its place on the student's page."""
    pages: AssignmentPages = pages_at(desk, results, address)
    record, question = record_at(pages, form.student), question_at(pages, form.question)
    most = max_points(results.course.assignment(pages.assignment), question.id)
    target = overrides.OverrideTarget(pages.assignment, record.student, question.id, most)
    return target, f"/staff/{address}/{form.student}#{anchor(question.id)}"
