"""The dashboard of a batch, for staff: what needs attention, how the points are spread, and how good the checks are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradetape.records import FinalScore, Grade, Question, Status, Unreadable, Verdict
from gradetape.report import plots, words
from gradetape.report.analysis import ENOUGH, CheckItem, QuestionItem, check_items, distribution, question_items
from gradetape.report.commands import grading
from gradetape.report.html import page_name, render, slug
from gradetape.report.tables import earned, questions_of

_SLOW = 10


def index_page(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], *, assignment: str, course: str = "", title: str = "",
    up: str = "", final_scores: Mapping[str, FinalScore] | None = None, options: Sequence[str] = (),
) -> str:  # fmt: skip
    """One assignment's dashboard; `up` leads from its folder to that of the results, `standings` say what counts.

    `options` are those of `grade` that lead to the same gradebook.
    """
    questions = questions_of(grades)
    items = check_items(grades)
    rows = [_student(grade, questions) for grade in grades] + [_unreadable(entry) for entry in unreadable]
    counts = final_scores or {}
    for row in rows:
        row["final"] = counts[row["student"]].final if row["student"] in counts else row["points"] or 0.0
    rows.sort(key=lambda row: row["student"].casefold())
    spread = distribution(grades)
    shares = _shares(items, questions)
    return render(
        "dashboard.html.j2",
        course=course,
        title=title or assignment,
        assignment=assignment,
        folder=slug(assignment),
        up=up,
        questions=questions,
        rows=rows,
        adjusted=any(final_score.final != final_score.measured for final_score in counts.values()),
        attention=_attention(grades, unreadable, assignment, options),
        review=[(grade.student, page_name(grade.student), grade.review) for grade in grades if grade.review],
        spread=spread,
        points_plot=plots.points(spread) if spread else "",
        verdicts=[verdict for verdict in Verdict if any(counts.get(verdict) for counts in shares.values())],
        shares=shares,
        verdicts_plot=plots.verdicts(shares) if items else "",
        question_items=[(item, _remark(item)) for item in question_items(grades, questions)],
        check_items=[(item, _check_remark(item)) for item in items],
        slowest=[(item, page_name(item.slowest)) for item in sorted(items, key=_median, reverse=True)[:_SLOW]],
        enough=ENOUGH,
    )


def overview_page(assignments: Sequence[dict[str, Any]], *, course: str = "") -> str:
    """For staff: the assignments that a folder of results holds, as `tables.summary` tells of each."""
    return render("overview.html.j2", course=course, assignments=assignments)


def _student(grade: Grade, questions: Iterable[Question]) -> dict[str, Any]:
    return {
        "student": grade.student,
        "page": page_name(grade.student),
        "status": words.STATUS[grade.status],
        "urgent": grade.status is not Status.GRADED,
        "points": grade.points,
        "max_points": grade.max_points,
        "by_question": [earned(grade, question.id) for question in questions],
        "file": grade.file,
    }


def _unreadable(entry: Unreadable) -> dict[str, Any]:
    return {
        "student": entry.student,
        "page": page_name(entry.student),
        "status": words.STATUS[Status.UNREADABLE],
        "urgent": True,
        "points": None,
        "file": entry.file,
    }


def _attention(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], assignment: str, options: Sequence[str]
) -> list[dict[str, Any]]:
    """What a person must look at, once for each reason; first what concerns the most students."""
    found: dict[str, dict[str, Any]] = {}
    for grade in grades:
        unexplained = ("no reason was recorded",) if grade.status is Status.NEEDS_ATTENTION else ()
        for reason in grade.attention or unexplained:
            entry = found.setdefault(reason, {"reason": reason, "students": []} | _seen(reason, grade, options))
            entry["students"].append((grade.student, page_name(grade.student)))
    urgent = sorted(found.values(), key=lambda entry: -len(entry["students"]))
    return urgent + [
        {
            "reason": f"{entry.file}: {entry.reason}",
            "students": [(entry.student, page_name(entry.student))],
            "command": grading(entry, assignment, options),
            "detail": "",
        }
        for entry in unreadable
    ]


def _seen(reason: str, grade: Grade, options: Sequence[str]) -> dict[str, str]:
    """How a reason can be looked into: the check's own message, and the command that runs it or the grading again."""
    blamed = next((result for result in grade.results if reason.startswith(f"{result.check.id}: ")), None)
    again = grading(grade, grade.assignment, options)
    if blamed is None:
        return {"detail": "", "command": again}
    return {"detail": blamed.staff_message, "command": blamed.command or again}


def _shares(items: Iterable[CheckItem], questions: Iterable[Question]) -> dict[str, Counter[Verdict]]:
    """How often each question's checks ended in each verdict, by its stem."""
    shares: dict[str, Counter[Verdict]] = {question.id: Counter() for question in questions}
    for item in items:
        shares.setdefault(item.check.question, Counter()).update(item.verdicts)
    return shares


def _remark(item: CheckItem | QuestionItem) -> str:
    if item.discrimination is not None and item.discrimination < 0:
        return "strong students do worse here than weak ones"
    return ""


def _check_remark(item: CheckItem) -> str:
    if item.verdicts.get(Verdict.FAULT):
        return "the grader could not judge it for everyone"
    if item.judged >= ENOUGH and item.passed in (0, item.judged):
        return "nobody passes" if item.passed == 0 else "everybody passes"
    return _remark(item)


def _median(item: CheckItem) -> float:
    return item.median_s
