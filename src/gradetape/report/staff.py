"""A submission's page for staff: a section for each question, with the student's code beside what did not pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gradetape.records import CheckResult, FinalScore, Grade, Question, Unreadable, Verdict
from gradetape.report import code, words
from gradetape.report.actions import Actions
from gradetape.report.commands import grading, marking, overriding
from gradetape.report.done import DoneState, basis_of, done_state
from gradetape.report.html import anchor, page_name, render, slug
from gradetape.report.material import NO_MATERIAL, Material
from gradetape.report.notes import NO_STUDENT_NOTES, StudentNotes
from gradetape.report.question import question_page_name, question_page_name_of


class Neighbours(msgspec.Struct, frozen=True):
    """The students before and after one, in the order of the dashboard; None at its ends."""

    before: str | None = None
    after: str | None = None

    def links(self) -> list[tuple[str, str, str]]:
        """The word for the browser, the name and the page of each."""
        named = (("prev", self.before), ("next", self.after))
        return [(word, student, page_name(student)) for word, student in named if student is not None]


_ALONE = Neighbours()


def staff_page(
    grade: Grade, *, course: str = "", title: str = "", up: str = "", final_score: FinalScore | None = None,
    options: Sequence[str] = (), material: Material = NO_MATERIAL, neighbours: Neighbours = _ALONE,
    actions: Actions | None = None, notes: StudentNotes = NO_STUDENT_NOTES,
) -> str:  # fmt: skip
    """One submission as HTML, including the values in hidden checks; `up` is the path to the results folder.

    `options` are the options of `grade` for the same gradebook, `material` what of the course is shown beside results,
    `neighbours` the students before and after this one, `actions` what its forms need, if it has any, and `notes` what
    was written about the answers.
    """
    views = [
        _question(grade, question, final_score, options, material)
        | {
            "notes": notes.for_staff(question.id),
            "done": _done(grade, notes, actions, question.id),
            "basis": basis_of(grade, question.id),
        }
        for question in words.with_checks(grade, final_score)
    ]
    return render(
        "staff.html.j2",
        course=course,
        title=title or grade.assignment,
        assignment=grade.assignment,
        up=up,
        folder=slug(grade.assignment),
        page=page_name(grade.student),
        grade=grade,
        max_points=words.most_points(grade, final_score),
        written=[_written(grade, view, options, notes) for view in words.written(final_score)],
        final_score=final_score,
        status=words.STATUS[grade.status],
        questions=views,
        failing=any(view["failing"] for view in views),
        results=[_result(result, final_score) for result in grade.results],
        events=words.events(grade),
        facts=_facts(grade),
        again=grading(grade, grade.assignment, options),
        neighbours=neighbours.links(),
        done=_done(grade, notes, actions),
        basis=basis_of(grade),
        actions=actions,
    )


def unreadable_for_staff(
    entry: Unreadable, assignment: str, *, course: str = "", title: str = "", up: str = "",
    final_score: FinalScore | None = None, options: Sequence[str] = (), neighbours: Neighbours = _ALONE,
    notes: StudentNotes = NO_STUDENT_NOTES, actions: Actions | None = None,
) -> str:  # fmt: skip
    """The page for staff about a file that could not be read."""
    return render(
        "staff_unreadable.html.j2",
        course=course,
        title=title or assignment,
        assignment=assignment,
        up=up,
        folder=slug(assignment),
        page=page_name(entry.student),
        entry=entry,
        final_score=final_score,
        again=grading(entry, assignment, options),
        written=notes.without_grade(),
        done=_done(entry, notes, actions),
        basis=basis_of(entry),
        actions=actions,
        neighbours=neighbours.links(),
    )


def _done(
    record: Grade | Unreadable, notes: StudentNotes, actions: Actions | None, question: str = ""
) -> DoneState | None:
    """The done mark of a submission or question, which is shown at the desk alone."""
    return done_state(record, notes, question) if actions else None


def _facts(grade: Grade) -> list[tuple[str, str]]:
    rests = [("Points rest", bases)] if (bases := words.bases(grade)) else []
    return [("Path", grade.file), ("Time", f"{grade.seconds:.1f} s"), *rests, *words.facts(grade)[1:]]


def _question(
    grade: Grade, question: Question, final_score: FinalScore | None, options: Sequence[str],
    material: Material,
) -> dict[str, Any]:  # fmt: skip
    results = grade.of(question.id)
    failing = [result for result in results if result.verdict is not Verdict.PASSED]
    changed = [result for result in results if words.check_override_of(final_score, result.check)]
    untouched = material.is_untouched(grade, question)
    listed = changed if untouched else [each for each in results if each in failing or each in changed]
    return {
        "question": question,
        "anchor": anchor(question.id),
        "page": question_page_name(question),
        "points": words.points_of(grade, final_score, question.id),
        "measured": grade.earned(question.id),
        "override": words.override_of(final_score, question.id),
        "untouched": untouched,
        "checks": len(results),
        "failing": 0 if untouched else len(failing),
        "listed": [_listed(result, final_score, material) for result in listed],
        "failures": [] if untouched else words.failures(grade, question.id),
        "cells": [] if untouched else _cells(grade, question, failing),
        "command": overriding(grade, question.id, options),
    }


def _written(grade: Grade, view: dict[str, Any], options: Sequence[str], notes: StudentNotes) -> dict[str, Any]:
    """A written question, with the command that marks it and what was written about it."""
    return view | {
        "page": question_page_name_of(view["id"]),
        "command": marking(grade, view["id"], options),
        "notes": notes.for_staff(view["id"]),
    }


def _cells(grade: Grade, question: Question, failing: Sequence[CheckResult]) -> list[code.CodeCell]:
    own = [event for event in grade.events if event.question == question.id]
    marks = code.for_staff(failing, own)
    return code.cells_of(grade, question.id, marks, coloured=bool(failing or marks))


def _result(result: CheckResult, final_score: FinalScore | None) -> dict[str, Any]:
    tone, override = words.tone(result.verdict), words.check_override_of(final_score, result.check)
    return {
        "check": result.check,
        "verdict": result.verdict.value,
        "tone": tone,
        "sign": words.SIGNS[tone],
        "points": override.points if override else result.points,
        "measured": result.points,
        "override": override,
        "seconds": result.seconds,
        "basis": words.BASES[result.basis],
    }


def _listed(result: CheckResult, final_score: FinalScore | None, material: Material) -> dict[str, Any]:
    return _result(result, final_score) | {
        "for_student": result.message,
        "for_staff": result.staff_message,
        "command": result.command,
        **code.of_check(material.source_of(result.check)),
    }
