"""The dashboard of an assignment, for staff: what needs attention, the distribution of points, and item analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradetape.exports import AssignmentSummary, questions_of
from gradetape.records import (
    FinalScore,
    Grade,
    MixedQuestion,
    NoSubmission,
    PointsChange,
    Question,
    RegradeRequest,
    Status,
    Unreadable,
    Verdict,
    WrittenScore,
)
from gradetape.report import plots
from gradetape.report.actions import Actions
from gradetape.report.analysis import (
    ENOUGH,
    CheckItem,
    QuestionItem,
    check_items,
    distribution,
    question_items,
    time_spent,
)
from gradetape.report.commands import grading
from gradetape.report.done import ToDo, to_do
from gradetape.report.html import anchor, page_name, render, slug
from gradetape.report.notes import NO_NOTES, StaffNotes
from gradetape.report.question import check_anchor, question_page_name
from gradetape.report.rows import table_of

_SLOW = 10


def index_page(view: Mapping[str, Any], up: str = "") -> str:
    """One assignment's dashboard; `up` is the path from its folder to the results folder."""
    return render("dashboard.html.j2", **view, up=up, here="" if up else f"staff/{view['folder']}/")


def dashboard_view(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], *, assignment: str, course: str = "", title: str = "",
    final_scores: Mapping[str, FinalScore] | None = None, options: Sequence[str] = (),
    changes: Sequence[PointsChange] = (), mixed: Sequence[MixedQuestion] = (),
    no_submission: Sequence[NoSubmission] = (), notes: StaffNotes = NO_NOTES, actions: Actions | None = None,
    similar: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What one assignment's dashboard shows.

    `final_scores` are by student, `options` are the options of `grade` for the same gradebook, for the commands on the
    page, `changes` the points that changed since the attempts before, and `mixed` the questions that were judged under
    two versions. `no_submission` are the people of the class list who have handed in nothing. At the desk, `actions`
    are what its forms need, `notes` tell what is to do, and `similar` says when the pages about similar submissions
    were written, if they were.
    """
    records: list[Grade | Unreadable] = [*grades, *unreadable]
    questions = questions_of(grades)
    scores = final_scores or {}
    columns = _columns(questions, written := _written(scores))
    todo = {each.student: _to_do(each, notes, scores) for each in records} if actions else {}
    return dict(
        course=course,
        title=title or assignment,
        assignment=assignment,
        folder=slug(assignment),
        columns=columns,
        **table_of(grades, unreadable, columns, scores, no_submission, todo),
        todo=sum(not each.done for each in todo.values()),
        requests=_waiting(records, notes) if actions else [],
        actions=actions,
        attention=_attention(grades, unreadable, assignment, options),
        review=[(grade.student, page_name(grade.student), grade.review) for grade in grades if grade.review],
        **_points(grades, scores),
        **_analysis(grades, questions, scores),
        mixed=[(each, [(student, page_name(student)) for student in each.students]) for each in mixed],
        changes=[(change, page_name(change.student)) for change in changes],
        absent=len(no_submission),
        similar=similar,
        written=written,
    )


def _points(grades: Sequence[Grade], scores: Mapping[str, FinalScore]) -> dict[str, Any]:
    """The distribution of the final points, whether they differ from the measured ones, and what is not in them."""
    spread = distribution(grades, final_scores=scores)
    return {
        "spread": spread,
        "points_plot": plots.points(spread) if spread else "",
        "adjusted": any(score.final != score.measured for score in scores.values()),
        "unmarked": _unmarked(grades, scores),
    }


def _columns(questions: Sequence[Question], written: Sequence[dict[str, Any]]) -> list[Question]:
    """The questions with checks, then the written ones; one that has become a written one is among these alone."""
    marked = {each["question"].id: each["question"] for each in written}
    return [*(question for question in questions if question.id not in marked), *marked.values()]


def _unmarked(grades: Iterable[Grade], scores: Mapping[str, FinalScore]) -> tuple[int, int]:
    """How many written answers wait among the grades that are final apart from them, and of how many students."""
    known = [scores[each.student] for each in grades if each.status is Status.GRADED and each.student in scores]
    waiting = [count for score in known if (count := sum(each.is_open for each in score.written))]
    return sum(waiting), len(waiting)


def _analysis(
    grades: Sequence[Grade], questions: Sequence[Question], scores: Mapping[str, FinalScore]
) -> dict[str, Any]:  # fmt: skip
    """The verdicts and the item analysis of questions and checks, and the slowest checks."""
    items = check_items(grades)
    shares = _shares(items, questions)
    return {
        "enough": ENOUGH,
        "question_pages": {question.id: f"questions/{question_page_name(question)}" for question in questions},
        "verdicts": [verdict for verdict in Verdict if any(counts.get(verdict) for counts in shares.values())],
        "shares": shares,
        "verdicts_plot": plots.verdicts(shares) if items else "",
        "question_items": [(item, _remark(item)) for item in question_items(grades, questions, scores)],
        "check_items": [(item, _check_remark(item), where) for item, where in zip(items, _places(items), strict=True)],
        "time_spent": time_spent(grades),
        "slowest": [(item, page_name(item.slowest)) for item in sorted(items, key=_median, reverse=True)[:_SLOW]],
    }


def _to_do(record: Grade | Unreadable, notes: StaffNotes, scores: Mapping[str, FinalScore]) -> ToDo:
    score = scores.get(record.student)
    return to_do(record, notes.of(record.student), score.written if score else ())


def _waiting(records: Iterable[Grade | Unreadable], notes: StaffNotes) -> list[tuple[RegradeRequest, str, str]]:
    """The regrade requests without an answer, oldest first, each with the student's page and the question's anchor."""
    found = [(each, record) for record in records for each in notes.of(record.student).waiting]
    found.sort(key=lambda pair: (pair[0].at, pair[0].number))
    return [(each, page_name(record.student), anchor(each.question)) for each, record in found]


def overview_page(assignments: Sequence[AssignmentSummary], *, course: str = "") -> str:
    """The list of all assignments in a results folder, for staff."""
    absent = any(entry.no_submission for entry in assignments)
    return render("overview.html.j2", course=course, assignments=assignments, absent=absent)


def notice_page(title: str, text: str, warnings: Sequence[str] = ()) -> str:
    """A page of the desk with a message, and warnings in sentences."""
    return render("notice.html.j2", course="", title=title, text=text, warnings=warnings)


def _places(items: Iterable[CheckItem]) -> list[str]:
    """The anchor of each check on the page of its question."""
    counts: Counter[str] = Counter()
    found = []
    for item in items:
        counts[item.check.question] += 1
        found.append(check_anchor(counts[item.check.question]))
    return found


def _written(scores: Mapping[str, FinalScore]) -> list[dict[str, Any]]:
    """The written questions, and how many answers wait for a person."""
    found: dict[str, list[WrittenScore]] = {}
    for score in scores.values():
        for each in score.written:
            found.setdefault(each.question.id, []).append(each)
    return [
        {"question": own[0].question, "waiting": sum(each.is_open for each in own), "of": len(own)}
        for own in found.values()
    ]


def _attention(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], assignment: str, options: Sequence[str]
) -> list[dict[str, Any]]:
    """What needs attention, once for each reason; reasons that affect the most students come first."""
    found: dict[str, dict[str, Any]] = {}
    for grade in grades:
        unexplained = ("no reason was recorded",) if grade.status is Status.NEEDS_ATTENTION else ()
        for reason in grade.reasons or unexplained:
            entry = found.setdefault(reason, {"reason": reason, "students": []} | _next_step(reason, grade, options))
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


def _next_step(reason: str, grade: Grade, options: Sequence[str]) -> dict[str, str]:
    """The message of the check that is the reason, and the command that runs the check or the grading again."""
    failing = next((result for result in grade.results if reason.startswith(f"{result.check.id}: ")), None)
    again = grading(grade, grade.assignment, options)
    if failing is None:
        return {"detail": "", "command": again}
    return {"detail": failing.staff_message, "command": failing.command or again}


def _shares(items: Iterable[CheckItem], questions: Iterable[Question]) -> dict[str, Counter[Verdict]]:
    """The verdicts of each question's checks, counted, by question id."""
    shares: dict[str, Counter[Verdict]] = {question.id: Counter() for question in questions}
    for item in items:
        shares.setdefault(item.check.question, Counter()).update(item.verdicts)
    return shares


def _remark(item: CheckItem | QuestionItem) -> str:
    if item.discrimination is not None and item.discrimination < 0:
        return "strong students score lower here than weak ones"
    return ""


def _check_remark(item: CheckItem) -> str:
    if item.verdicts.get(Verdict.FAULT):
        return "not judged for every student"
    if item.judged >= ENOUGH and item.passed in (0, item.judged):
        return "no student passes" if item.passed == 0 else "every student passes"
    return _remark(item)


def _median(item: CheckItem) -> float:
    return item.median_s
