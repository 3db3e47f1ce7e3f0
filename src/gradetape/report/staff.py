"""A submission's page for staff: every detail of the checks that did not pass, and the commands that rerun them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradetape.records import CheckResult, FinalScore, Grade, Unreadable, Verdict
from gradetape.report import words
from gradetape.report.commands import grading
from gradetape.report.html import page_name, render, slug


def staff_page(
    grade: Grade, *, course: str = "", title: str = "", up: str = "", final_score: FinalScore | None = None,
    options: Sequence[str] = (),
) -> str:  # fmt: skip
    """One submission as HTML, including the values in hidden checks; `up` is the path to the results folder.

    `options` are the options of `grade` for the same gradebook.
    """
    titles = {question.id: question.title or question.id for question in grade.questions}
    return render(
        "staff.html.j2",
        course=course,
        title=title or grade.assignment,
        assignment=grade.assignment,
        up=up,
        folder=slug(grade.assignment),
        page=page_name(grade.student),
        grade=grade,
        final_score=final_score,
        status=words.STATUS[grade.status],
        failures=_failures(grade),
        questions=[(question, grade.earned(question.id)) for question in grade.questions],
        failing=[_result(result, titles) for result in grade.results if result.verdict is not Verdict.PASSED],
        results=[_result(result, titles) for result in grade.results],
        events=words.events(grade),
        facts=_facts(grade),
        again=grading(grade, grade.assignment, options),
    )


def unreadable_for_staff(
    entry: Unreadable, assignment: str, *, course: str = "", title: str = "", up: str = "",
    final_score: FinalScore | None = None, options: Sequence[str] = (),
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
    )


def _failures(grade: Grade) -> list[dict[str, Any]]:
    """Where cells failed of questions that have not all their points, each once."""
    found = (event for question in grade.questions for event in words.failures(grade, question.id))
    return list({(event["cell"], event["what"]): event for event in found}.values())


def _facts(grade: Grade) -> list[tuple[str, str]]:
    rests = [("Points rest", bases)] if (bases := words.bases(grade)) else []
    return [("Path", grade.file), ("Time", f"{grade.seconds:.1f} s"), *rests, *words.facts(grade)[1:]]


def _result(result: CheckResult, titles: dict[str, str]) -> dict[str, Any]:
    tone = words.tone(result.verdict)
    return {
        "check": result.check,
        "question": titles.get(result.check.question, result.check.question),
        "verdict": result.verdict.value,
        "tone": tone,
        "sign": words.SIGNS[tone],
        "points": result.points,
        "seconds": result.seconds,
        "basis": words.BASES[result.basis],
        "for_student": result.message,
        "for_staff": result.staff_message,
        "command": result.command,
    }
