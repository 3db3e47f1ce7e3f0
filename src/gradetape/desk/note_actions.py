"""From a form to what people write about results in the gradebook, by way of `grading`."""

from __future__ import annotations

from gradetape.desk.actions import target_at
from gradetape.desk.forms import Form
from gradetape.desk.pages import Desk
from gradetape.grading import check_overrides, comments
from gradetape.grading.results import Results


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
