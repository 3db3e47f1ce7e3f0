"""A student's page. It contains nothing for staff only.

The template never sees a Grade, only the views built here. They hold no message for staff, neither name nor message of
a hidden check, and no durations: a submission could encode hidden inputs in the time that it takes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from gradetape.records import CheckResult, FinalScore, Grade, Override, Question, Status, Unreadable, Verdict
from gradetape.report import code, words
from gradetape.report.html import anchor, render
from gradetape.report.notes import NO_STUDENT_NOTES, StudentNotes


def student_page(
    grade: Grade, *, course: str = "", title: str = "", final_score: FinalScore | None = None,
    untouched: Collection[str] = (), notes: StudentNotes = NO_STUDENT_NOTES,
) -> str:  # fmt: skip
    """One student's result as HTML; `untouched` are the ids of the questions whose answer is the starter.

    `notes` is what was written about the answers.
    """
    views = [_on_page(grade, question, final_score, notes) for question in words.with_checks(grade, final_score)]
    events = words.events(grade)
    return render(
        "student.html.j2",
        course=course,
        title=title or grade.assignment,
        student=grade.student,
        points=grade.points,
        max_points=words.most_points(grade, final_score),
        final_score=final_score,
        needs_attention=grade.status is Status.NEEDS_ATTENTION,
        questions=views,
        untouched=untouched,
        steps=_steps(views),
        broken=[event["cell"] for event in events if event["failed"]],
        events=events,
        written=[view | {"notes": notes.for_student(view["id"])} for view in words.written(final_score)],
        notes=grade.notes,
        facts=words.facts(grade),
    )


def unreadable_page(
    entry: Unreadable, assignment: str, *, course: str = "", title: str = "", final_score: FinalScore | None = None,
    notes: StudentNotes = NO_STUDENT_NOTES,
) -> str:  # fmt: skip
    """The page of a student whose file could not be read: the reason and the next step."""
    return render(
        "unreadable.html.j2",
        course=course,
        title=title or assignment,
        student=entry.student,
        reason=words.reason(entry),
        file=words.file_name(entry),
        sha256=entry.sha256,
        final_score=final_score,
        written=notes.without_grade(),
    )


def question_view(
    grade: Grade, question: Question, final_score: FinalScore | None = None, notes: StudentNotes = NO_STUDENT_NOTES
) -> dict[str, Any]:
    """What the page and the comment show of one question."""
    results = grade.of(question.id)
    return {
        "title": question.title or question.id,
        "points": words.points_of(grade, final_score, question.id),
        "max_points": question.points,
        "checks": [check_view(result, words.check_override_of(final_score, result.check)) for result in results],
        "passed": sum(result.verdict is Verdict.PASSED for result in results),
        "notes": notes.for_student(question.id, grade),
    }


def _on_page(
    grade: Grade, question: Question, final_score: FinalScore | None, notes: StudentNotes
) -> dict[str, Any]:  # fmt: skip
    override, earned = words.override_of(final_score, question.id), grade.earned(question.id)
    return question_view(grade, question, final_score, notes) | {
        "id": question.id,
        "anchor": anchor(question.id),
        "measured": None if override is None or override.points == earned else earned,
        "failures": words.failures(grade, question.id),
        "cells": code.pointed_at(grade, code.for_students(grade.of(question.id))),
    }


def _steps(views: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions in which checks did not pass, those with the most points left first."""
    left = [view for view in views if view["passed"] < len(view["checks"])]
    return sorted(left, key=lambda view: view["points"] - view["max_points"])


def check_view(result: CheckResult, override: Override | None = None) -> dict[str, Any]:
    """What the page shows of one check: neither name nor message of a hidden one. `override` is the one that counts."""
    check, passed, tone = result.check, result.verdict is Verdict.PASSED, words.tone(result.verdict)
    return {
        "title": check.title or "A check",
        "public": check.public,
        "verdict": words.VERDICTS[result.verdict],
        "tone": tone,
        "sign": words.SIGNS[tone],
        "points": override.points if override else result.points,
        "measured": result.points,
        "reason": override.reason if override else "",
        "max_points": check.points,
        "hint": "" if passed else check.hint,
        "message": result.message if check.public else "",
        "sentences": result.sentences,
    }
