"""What each student of an assignment gets on a platform: final points and a comment, or the reason for none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gradetape.course.assignments import Assignment
from gradetape.exports import ExportedScore
from gradetape.grading.results import Results
from gradetape.grading.staff_notes import staff_notes
from gradetape.records import FinalScore, Grade, Override, Status, Unreadable, Verdict
from gradetape.report import StudentNotes, comment
from gradetape.text import collation_key


class ExportedScores(msgspec.Struct, frozen=True):
    """The scores of an assignment by student, and warnings in sentences."""

    scores: tuple[ExportedScore, ...]
    warnings: tuple[str, ...] = ()


def exported_scores(results: Results, name: str) -> ExportedScores:
    """The final points of an assignment's students; none where a part of the submission is not graded."""
    found = results.scored(name)
    notes = staff_notes(results.book, name)
    scores = (
        _score(found.assignment, record, found.by_student[record.student], notes.of(record.student))
        for record in found.records
    )
    return ExportedScores(tuple(sorted(scores, key=lambda score: collation_key(score.student))), found.warnings)


def _score(
    assignment: Assignment, record: Grade | Unreadable, final_score: FinalScore, notes: StudentNotes
) -> ExportedScore:  # fmt: skip
    overridden = {each.question for each in final_score.overrides if _takes_the_place(each, record)}
    missing = [each for each in _ungraded(assignment, record) if each not in overridden]
    waiting = [each.question.id for each in final_score.written if each.is_open]
    if missing or waiting:
        reason = _reason(record, missing, waiting)
        return ExportedScore(student=record.student, origin=record.origin, reason=reason)
    text = comment(record, final_score, notes) if isinstance(record, Grade) else ""
    return ExportedScore(student=record.student, origin=record.origin, points=final_score.final, comment=text)


def _takes_the_place(override: Override, record: Grade | Unreadable) -> bool:
    """Whether points that staff set leave no result missing: those of checks do where each fault has some."""
    given = {each.question for each in override.checks}
    results = record.of(override.question) if given and isinstance(record, Grade) else ()
    return all(result.check.id in given for result in results if result.verdict is Verdict.FAULT)


def _ungraded(assignment: Assignment, record: Grade | Unreadable) -> Iterator[str]:
    """The questions without a result; points that staff set for one take the result's place."""
    graded = {question.id for question in record.questions} if isinstance(record, Grade) else set()
    faulty = _faulty(record) if isinstance(record, Grade) and record.status is not Status.GRADED else set()
    yield from (each for each in assignment.question_ids if each not in graded or each in faulty)


def _faulty(grade: Grade) -> set[str]:
    found = {result.check.question for result in grade.results if result.verdict is Verdict.FAULT}
    return found or {question.id for question in grade.questions}


def _reason(record: Grade | Unreadable, missing: Sequence[str], waiting: Sequence[str]) -> str:
    if isinstance(record, Unreadable):
        return f"unreadable: {record.reason}"
    what = "needs attention" if record.status is not Status.GRADED else "is graded in part"
    of_checks = [f"the submission {what}: {', '.join(missing)}"] if missing else []
    return "; ".join([*of_checks, *([f"waits to be marked: {', '.join(waiting)}"] if waiting else [])])
