"""Marks that staff are done with a submission or a question."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.gradebook.overrides import now
from gradetape.grading import overrides
from gradetape.grading.results import Results
from gradetape.grading.staff_notes import staff_notes
from gradetape.grading.written import written_scores
from gradetape.records import DoneMark, Grade, Unreadable
from gradetape.report import ToDo, basis_of, to_do
from gradetape.text import collation_key, printable


class MarkTarget(msgspec.Struct, frozen=True):
    """What is marked: the student's record that counts, and a question of it, or all of it if that is empty."""

    assignment: str
    record: Grade | Unreadable
    question: str = ""


def target(results: Results, student: str, question: str | None, assignment: str | None) -> MarkTarget:
    """Finds what is to be marked; raises RequestError if it is ambiguous, and GradebookError for an unknown student."""
    if question is not None:
        of = overrides.target(results, student, question, assignment)
        return MarkTarget(of.assignment, results.find_student(of.student, [of.assignment])[0][1], of.question)
    found = results.find_student(student, results.assignments(assignment))
    if len(found) > 1:
        names = ", ".join(name for name, _ in found)
        raise RequestError(f"the student has submissions to {names}: name one with --assignment")
    return MarkTarget(*found[0])


def mark(results: Results, of: MarkTarget, by: str, *, done: bool) -> DoneMark:
    """Records that staff are done with it as it is now, or not."""
    made = DoneMark(
        student=of.record.student, question=of.question, done=done, basis=basis_of(of.record, of.question), by=by,
        at=now(),
    )  # fmt: skip
    results.book.notes.mark(of.assignment, made)
    return made


def all_to_do(results: Results, names: Sequence[str]) -> list[tuple[str, str, ToDo]]:
    """For each submission the assignment, the student, and what is left to do."""
    found = []
    for name in names:
        notes = staff_notes(results.book, name)
        records = sorted(results.book.counting(name), key=lambda record: collation_key(printable(record.student)))
        scores = written_scores(results.course, results.course.assignment(name), results.book, records)
        found += [
            (name, each.student, to_do(each, notes.of(each.student), scores.get(each.student, ()))) for each in records
        ]
    return found
