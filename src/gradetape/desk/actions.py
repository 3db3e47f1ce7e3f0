"""From a form to the gradebook, by way of `grading`, which knows what is allowed and notes who did it."""

from __future__ import annotations

from gradetape.desk.forms import Form
from gradetape.desk.pages import Desk, pages_at, question_at, record_at
from gradetape.grading import overrides
from gradetape.grading.results import Results, max_points
from gradetape.report import AssignmentPages, anchor


def override(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Sets the points of a student's question; returns the address to go on with."""
    target, back = _target(desk, results, address, form)
    overrides.give(results, target, form.number, form.reason, desk.by)
    return back


def undo(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Undoes the override in force for a student's question; returns the address to go on with."""
    target, back = _target(desk, results, address, form)
    overrides.undo(results, target, desk.by)
    return back


def _target(desk: Desk, results: Results, address: str, form: Form) -> tuple[overrides.OverrideTarget, str]:
    """The student's question that a form is about, and the address of its place on the student's page."""
    pages: AssignmentPages = pages_at(desk, results, address)
    record, question = record_at(pages, form.student), question_at(pages, form.question)
    most = max_points(results.course.assignment(pages.assignment), question.id)
    target = overrides.OverrideTarget(pages.assignment, record.student, question.id, most)
    return target, f"/staff/{address}/{form.student}#{anchor(question.id)}"
