"""Marks for written answers: what waits, what is in an answer, and what staff give for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from gradetape.course.answer_key import AnswerKey
from gradetape.course.assignments import Assignment
from gradetape.course.question_ids import resolve_written
from gradetape.errors import RequestError
from gradetape.gradebook.overrides import now
from gradetape.grading.results import Results
from gradetape.grading.written import digest_of, key_of, rubrics_of, scores_of_files, written_scores
from gradetape.records import AnswerPart, Grade, Mark, Question, RubricItem, Unreadable, WrittenScore
from gradetape.text import as_points, collation_key, did_you_mean, one_line

_MOST_COMMENT = 4000


class WaitingAnswer(msgspec.Struct, frozen=True):
    """A written answer that waits for a person."""

    assignment: str
    student: str
    score: WrittenScore


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a person needs to mark an answer; `note` is what only instructors read, such as a model answer.

    `digest` names the answer, or the file if none was found. `file` is the student's.
    """

    assignment: str
    student: str
    question: Question
    rubric: tuple[RubricItem, ...]
    score: WrittenScore
    digest: str = ""
    parts: tuple[AnswerPart, ...] = ()
    note: str = ""
    file: str = ""
    sha256: str = ""


def written_question(results: Results, question: str, assignment: str | None = None) -> tuple[Assignment, Question]:
    """A written question by its id or a unique prefix of it; raises RequestError."""
    graded = [results.course.assignment(name) for name in results.assignments(assignment)]
    question_id = resolve_written(question, *graded)
    found = [(each, own) for each in graded for own in each.written if own.id == question_id]
    if len(found) > 1:
        several = ", ".join(each.name for each, _ in found)
        raise RequestError(f"{question_id} is a question of {several}: name one with --assignment")
    return found[0]


def view(results: Results, assignment: Assignment, question: Question, student: str) -> AnswerView:
    """A student's answer with its rubric; raises GradetapeError if the student is unknown or has no readable file."""
    record = results.find_student(student, [assignment.name])[0][1]
    if isinstance(record, Unreadable):
        raise RequestError(f"the file of {one_line(record.student)} cannot be read, so there is no answer to mark")
    return _view(results, assignment, question, record)


def waiting(results: Results, names: Sequence[str], question: str | None = None) -> list[WaitingAnswer]:
    """The answers to a question, or to all, that wait for a person, by question and student."""
    found = []
    for name in names:
        assignment = results.course.assignment(name)
        records = sorted(results.book.latest(name), key=lambda record: collation_key(record.student))
        scores = written_scores(results.course, assignment, results.book, records)
        found += [
            WaitingAnswer(name, record.student, score)
            for place, each in enumerate(assignment.written)
            for record in records
            for score in [scores[record.student][place]]
            if score.is_open and question in (None, each.id)
        ]
    return found


def give(
    results: Results, of: AnswerView, items: Sequence[str], by: str, *, adjustment: float = 0.0, comment: str = ""
) -> WrittenScore:
    """Records what staff give for an answer; returns what the student has for it now.

    `items` are ids of the rubric, or their numbers from 1. Raises RequestError for an unknown item, or for an
    adjustment or a comment that is none.
    """
    if not math.isfinite(adjustment) or abs(adjustment) > of.question.points:
        raise RequestError(f"{of.question.id} is worth {as_points(of.question.points)}: adjust by no more than that")
    if len(comment) > _MOST_COMMENT:
        raise RequestError(f"the comment has more than {_MOST_COMMENT:,} characters: write a shorter one")
    applied = list(dict.fromkeys(item_named(of, each) for each in items))
    ordered = tuple(item for item in of.rubric if item in applied)
    mark = Mark(
        student=of.student, question=of.question.id, answer=of.digest, items=tuple(item.id for item in ordered),
        adjustment=adjustment, comment=comment.strip(), by=by, at=now(),
    )  # fmt: skip
    results.book.mark(of.assignment, mark)
    return _score(results, results.course.assignment(of.assignment), of.question, of.student, of.sha256)


def undo(results: Results, of: AnswerView, by: str) -> Mark:
    """Undoes the mark in force; raises RequestError if there is none."""
    undone = results.book.undo_mark(of.assignment, of.student, of.question.id, by)
    if undone is None:
        raise RequestError(f"the student has no mark for {of.question.id} in force")
    return undone


def item_named(of: AnswerView, text: str) -> RubricItem:
    """An item of the rubric by its id or its number, from 1; raises RequestError."""
    for number, item in enumerate(of.rubric, start=1):
        if text in (item.id, str(number)):
            return item
    ids = [item.id for item in of.rubric]
    near = did_you_mean(text, ids)
    raise RequestError(
        f"the rubric of {of.question.id} has no item {one_line(text)!r}.{near} Its items are {', '.join(ids)}"
    )


def _view(results: Results, assignment: Assignment, question: Question, grade: Grade) -> AnswerView:
    answer = results.book.answer(assignment.name, grade.student, grade.sha256, question.id)
    return AnswerView(
        assignment=assignment.name, student=grade.student, question=question,
        rubric=rubrics_of(results.course, assignment)[question.id],
        score=_score(results, assignment, question, grade.student, grade.sha256),
        digest=digest_of(answer, grade.sha256),
        parts=answer.parts if answer else (), note=_note(key_of(results.course, assignment), question.id),
        file=grade.file, sha256=grade.sha256,
    )  # fmt: skip


def _score(results: Results, assignment: Assignment, question: Question, student: str, sha256: str) -> WrittenScore:
    [own] = scores_of_files(results.course, assignment, results.book, {student: sha256}).values()
    return next(each for each in own if each.question.id == question.id)


def _note(key: AnswerKey, question_id: str) -> str:
    try:
        return key.note(question_id).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
