"""Overrides: points that staff set for a question instead of the checks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from gradetape.course.assignments import Assignment
from gradetape.course.question_ids import resolve, resolve_any
from gradetape.errors import RequestError
from gradetape.gradebook.overrides import now
from gradetape.grading.results import Results, max_points
from gradetape.records import Override
from gradetape.text import as_points


class OverrideTarget(msgspec.Struct, frozen=True):
    """One question of one student."""

    assignment: str
    student: str
    question: str
    max_points: float


def target(
    results: Results, student: str, question: str, assignment: str | None = None, *, also_written: bool = False
) -> OverrideTarget:  # fmt: skip
    """Finds a student's question by its id or a unique prefix of it.

    With `also_written` it may be a written one, which has overrides from before it was. Raises RequestError for a
    question that no graded assignment has or that several have, GradebookError for an unknown student.
    """
    names = results.assignments(assignment)
    found, question_id = _assignment(results, names, question, also_written=also_written)
    known = results.find_student(student, [found.name])[0][1].student
    return OverrideTarget(found.name, known, question_id, max_points(found, question_id))


def question_of(
    results: Results, question: str, assignment: str | None, *, also_written: bool = False
) -> tuple[str, str]:  # fmt: skip
    """The assignment of a question with checks, or of any question, and its full id; see `target`."""
    found, question_id = _assignment(results, results.assignments(assignment), question, also_written=also_written)
    return found.name, question_id


def give(results: Results, of: OverrideTarget, points: float | None, reason: str | None, by: str) -> Override:
    """Records an override, which counts from now on; raises RequestError for invalid points or an empty reason."""
    valid, why = checked(of.question, of.max_points, points, reason)
    override = Override(student=of.student, question=of.question, points=valid, reason=why, by=by, at=now())
    results.book.override(of.assignment, override)
    return override


def checked(what: str, most: float, points: float | None, reason: str | None) -> tuple[float, str]:
    """Points and a reason that an override can have; raises RequestError for invalid points or an empty reason.

    `what` is the question or the check in messages, `most` its points.
    """
    if points is None or not math.isfinite(points) or not 0 <= points <= most:
        given = "no points were given: write them after the question" if points is None else f"not {points:g}"
        raise RequestError(f"{what} is worth 0 to {as_points(most)}, {given}")
    if not (reason and reason.strip()):
        raise RequestError('give a reason, which the student can read: --reason "…"')
    return points, reason.strip()


def undo(results: Results, of: OverrideTarget, by: str) -> Override:
    """Undoes the override in force; raises RequestError if there is none."""
    undone = results.book.undo_override(of.assignment, of.student, of.question, by)
    if undone is None:
        raise RequestError(
            f"the student has no override of {of.question} in force. List all: gradetape override --list"
        )
    return undone


def history(results: Results, names: Sequence[str], student: str | None) -> list[tuple[str, Override]]:
    """All overrides of these assignments, for all students or one, by assignment; oldest first."""
    known = results.find_student(student, names)[0][1].student if student else None
    found = [(name, override) for name in names for override in results.book.overrides(name, known)]
    return sorted(found, key=lambda pair: pair[1].at)


def _assignment(
    results: Results, names: Sequence[str], question: str, *, also_written: bool = False
) -> tuple[Assignment, str]:  # fmt: skip
    """The assignment that has the question, and the question's full id."""
    graded = [results.course.assignment(name) for name in names]
    question_id = (resolve_any if also_written else resolve)(question, *graded)
    found = [each for each in graded if question_id in (each.order if also_written else each.question_ids)]
    if len(found) > 1:
        several = ", ".join(each.name for each in found)
        raise RequestError(f"{question_id} is a question of {several}: name one with --assignment")
    return found[0], question_id
