"""From a form to what people write about results in the gradebook, by way of `grading`."""

from __future__ import annotations

from gradetape.desk.actions import target_at
from gradetape.desk.forms import Form
from gradetape.desk.names import pseudonym, without_names
from gradetape.desk.pages import Desk, assignment_named, pages_at, question_at, record_at, results_folder
from gradetape.errors import RequestError
from gradetape.grading import check_overrides, comments, done_marks, regrade_requests
from gradetape.grading.results import Results, options_again
from gradetape.records import Grade, Unreadable
from gradetape.report import AssignmentPages, anchor, basis_of, page_name


def comment(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Comments on a student's question or check; returns the address to go on with."""
    target, back = target_at(desk, results, address, form)
    check = ""
    if form.check:
        check = check_overrides.check_named(results.book.latest(target.assignment), target, form.check).id
    comments.give(results, target, form.text, desk.by, check)
    return back


def remove_comment(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Removes a comment; returns the address to go on with."""
    _, back = target_at(desk, results, address, form)
    comments.remove(results, form.entry_number, desk.by)
    return back


def mark(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Marks a submission or a question of it as done or not; returns the address to go on with."""
    pages = pages_at(desk, results, address)
    record = record_at(pages, form.student)
    question = question_at(pages, form.question).id if form.question else ""
    _refuse_changed(pages, record, question, form.basis)
    target = done_marks.MarkTarget(pages.assignment, record, question)
    done_marks.mark(results, target, desk.by, done=form.done == "yes")
    place = f"#{anchor(question)}" if question else ""
    return f"/staff/{address}/{form.student}{place}"


def _refuse_changed(pages: AssignmentPages, record: Grade | Unreadable, question: str, basis: str) -> None:
    """Raises RequestError if the page showed another result, with names or without."""
    if basis != basis_of(record, question):
        name = page_name(pseudonym(pages.assignment, record.student))
        if basis != basis_of(without_names(pages).records[name], question):
            raise RequestError("the result has changed since this page was made: load the page again, and look at it")


def answer(desk: Desk, results: Results, address: str, form: Form) -> str:
    """Answers a regrade request with points or a reason; returns the address to go on with."""
    record_at(pages_at(desk, results, address), form.student)
    made = regrade_requests.answer(results, form.entry_number, form.number_if_any, form.reason, desk.by)
    return f"/staff/{address}/{form.student}#{anchor(made.question)}"


def publish(desk: Desk, results: Results, address: str, _: Form) -> str:
    """Writes the pages of an assignment into the results folder; returns the address that says so."""
    name = assignment_named(results, address)
    results.update_pages(name, results_folder(desk, results), options=options_again(desk.folder))
    return f"/published/{address}"
