"""The students' pages of an assignment, to be sent back to where the submissions came from."""

from __future__ import annotations

import msgspec

from gradetape.exports.feedback import FeedbackPage
from gradetape.grading.material import material_of
from gradetape.grading.results import Results, course_title
from gradetape.grading.staff_notes import staff_notes
from gradetape.records import Grade
from gradetape.report import page_name, student_page, unreadable_page


class FeedbackPages(msgspec.Struct, frozen=True):
    """A page for each student who handed in something, and warnings in sentences."""

    pages: tuple[FeedbackPage, ...]
    warnings: tuple[str, ...] = ()


def feedback_pages(results: Results, name: str) -> FeedbackPages:
    """The pages that `gradetape report` writes for students, with the final scores of today."""
    found = results.scored(name)
    titles = {"course": course_title(results.course), "title": found.assignment.title}
    material = material_of(results.course, found.assignment)
    pages, notes = [], staff_notes(results.book, name)
    for record in found.records:
        score, own = found.by_student[record.student], notes.of(record.student)
        if isinstance(record, Grade):
            untouched = material.starters_of(record)
            text = student_page(record, final_score=score, untouched=untouched, notes=own, **titles)
        else:
            text = unreadable_page(record, name, final_score=score, notes=own, **titles)
        pages.append(FeedbackPage(
            student=record.student, file=record.file, page_name=page_name(record.student), text=text,
            origin=record.origin,
        ))  # fmt: skip
    return FeedbackPages(tuple(pages), found.warnings)
