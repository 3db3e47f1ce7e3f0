"""Overrides of single checks, for one student or for all whose failures are alike."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.gradebook.overrides import now
from gradetape.grading.overrides import OverrideTarget, checked
from gradetape.grading.results import Results
from gradetape.records import Check, Grade, Override
from gradetape.report import groups_of
from gradetape.text import did_you_mean, few, one_line, printable


class CheckOverrides(msgspec.Struct, frozen=True):
    """The overrides of a check that were given, and the students who keep an override of the whole question."""

    given: tuple[Override, ...]
    kept: tuple[str, ...] = ()


def check_named(grades: Sequence[Grade], of: OverrideTarget, name: str) -> Check:
    """A check of a student's question by its id, the id within the question, or its name; raises RequestError."""
    own = [grade for grade in grades if grade.student == of.student]
    checks = [result.check for grade in own for result in grade.of(of.question)]
    found = [check for check in checks if name in (check.id, check.short_id, check.name)]
    if len(found) == 1:
        return found[0]
    ids = [check.short_id for check in found or checks]
    near = did_you_mean(name, [check.name for check in checks])
    raise RequestError(
        f"{one_line(name)!r} names {len(found) or 'no'} {'checks' if found else 'check'} of {of.question}.{near} "
        f"Write one of these: {few(map(one_line, ids))}"
    )


def alike(grades: Sequence[Grade], student: str, check: Check) -> tuple[str, ...]:
    """The students whose failure of a check is like this student's, who is among them; raises RequestError."""
    for group in groups_of(grades, check.question):
        if group.check.id == check.id and student in group.students:
            return group.students
    raise RequestError(f"{one_line(student)} passed {one_line(check.id)}: no failure of others can be like it")


def give(
    results: Results, assignment: str, check: Check, students: Sequence[str], points: float | None, reason: str | None,
    by: str,
) -> CheckOverrides:  # fmt: skip
    """Records the points of a check for students, all at once; raises RequestError for invalid points or no reason.

    A student who has an override of the whole question keeps that one.
    """
    valid, why = checked(one_line(check.id), check.points, points, reason)
    decided = {each.student for each in results.book.overrides(assignment) if _decides(each, check)}
    kept = tuple(student for student in students if printable(student) in decided)
    at = now()
    overrides = tuple(
        Override(student=student, question=check.id, points=valid, reason=why, by=by, at=at)
        for student in students
        if student not in kept
    )
    results.book.override(assignment, *overrides)
    return CheckOverrides(overrides, kept)


def undo(results: Results, assignment: str, check: Check, students: Sequence[str], by: str) -> tuple[Override, ...]:
    """Undoes the overrides of a check in force; raises RequestError if none of the students has one."""
    undone = [results.book.undo_override(assignment, student, check.id, by) for student in students]
    if not any(undone):
        raise RequestError(
            f"there is no override of {one_line(check.id)} in force. List all: gradetape override --list"
        )
    return tuple(each for each in undone if each is not None)


def _decides(override: Override, check: Check) -> bool:
    return override.question == check.question and not override.undone_at
