"""Written questions: keeps the answers of files, and says what students have for them.

A rubric and a mark decide the points; nothing runs for either. A mark counts for the answer that was marked. For
another one, or where the rubric has lost an item that was applied, it is void until a person marks the answer again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gradetape.course.answer_key import AnswerKey
from gradetape.course.assignments import Assignment, Course
from gradetape.course.written import released_texts
from gradetape.gradebook import Gradebook, KeptAnswer
from gradetape.records import (
    AnswerPart,
    Grade,
    Mark,
    MarkState,
    Question,
    RubricItem,
    Submission,
    Unreadable,
    WrittenScore,
)
from gradetape.text import as_points, counted, few, printable

Rubrics = Mapping[str, tuple[RubricItem, ...]]


def keep_answers(book: Gradebook, assignment: Assignment, submissions: Iterable[Submission]) -> None:
    """Keeps the answers of submissions to the written questions of their assignment."""
    released = {source.question.id: released_texts(source) for source in assignment.written_sources}
    if not released:
        return
    found = (
        KeptAnswer.of(each.student, each.sha256, answer, given=_is_given(answer.parts, released[answer.question]))
        for each in submissions
        for answer in each.answers
        if answer.question in released
    )
    book.keep_answers(assignment.name, found)


def _is_given(parts: Sequence[AnswerPart], released: frozenset[str]) -> bool:
    """Whether a student has added anything to what was released."""
    return any(part.kind in ("picture", "note") or part.text.strip() not in {"", *released} for part in parts)


def key_of(course: Course, assignment: Assignment) -> AnswerKey:
    """The answer key as it is; nothing in it is checked."""
    root = course.root
    return AnswerKey(assignment, root / "solutions" / assignment.name, root / "autograder" / assignment.name)


def rubrics_of(course: Course, assignment: Assignment) -> Rubrics:
    """The rubrics of an assignment's written questions; raises ConfigError if one is missing or invalid."""
    key = key_of(course, assignment)
    return {source.question.id: key.rubric_items(source) for source in assignment.written_sources}


def written_scores(
    course: Course, assignment: Assignment, book: Gradebook, records: Iterable[Grade | Unreadable]
) -> dict[str, tuple[WrittenScore, ...]]:
    """What each student has for the written questions, by name; nothing for a file that cannot be read."""
    if not assignment.written:
        return {}
    known = list(records)
    files = {each.student: each.sha256 for each in known if isinstance(each, Grade)}
    return {each.student: () for each in known} | scores_of_files(course, assignment, book, files)


def scores_of_files(
    course: Course, assignment: Assignment, book: Gradebook, files: Mapping[str, str]
) -> dict[str, tuple[WrittenScore, ...]]:
    """The same for the digests of files, by student."""
    rubrics, name = rubrics_of(course, assignment), assignment.name
    answers = {(each.student, each.sha256, each.question): each for each in book.answers(name)}
    marks = {(each.student, each.question): each for each in book.marks(name) if not each.undone_at}
    return {
        student: tuple(
            _score(
                question, rubrics[question.id], answers.get((printable(student), sha256, question.id)),
                marks.get((printable(student), question.id)), sha256,
            )
            for question in assignment.written
        )
        for student, sha256 in files.items()
    }  # fmt: skip


def _score(
    question: Question, rubric: Sequence[RubricItem], answer: KeptAnswer | None, mark: Mark | None, sha256: str
) -> WrittenScore:
    items = {item.id: item for item in rubric}
    if mark is None:
        return WrittenScore(question=question, state=_without_mark(answer))
    counts = mark.answer == digest_of(answer, sha256) and all(each in items for each in mark.items)
    applied = tuple(items[each] for each in mark.items if each in items)
    return WrittenScore(
        question=question, state=MarkState.MARKED if counts else MarkState.AGAIN,
        points=points_of(question, applied, mark.adjustment) if counts else 0.0,
        items=applied, adjustment=mark.adjustment, comment=mark.comment, by=mark.by, at=mark.at,
    )  # fmt: skip


def digest_of(answer: KeptAnswer | None, sha256: str) -> str:
    """What a mark names as marked: the answer, or the file with this digest where no answer was found."""
    return answer.digest if answer else f"file:{sha256}"


def _without_mark(answer: KeptAnswer | None) -> MarkState:
    if answer is None:
        return MarkState.NOT_FOUND
    return MarkState.WAITING if answer.given else MarkState.UNANSWERED


def points_of(question: Question, items: Iterable[RubricItem], adjustment: float) -> float:
    """The points of applied items, more or less an adjustment; at least 0 and at most the question's."""
    points = sum(item.points for item in items) + adjustment
    return round(min(max(points, 0.0), question.points), 6)


def waiting_line(name: str, scores: Mapping[str, Sequence[WrittenScore]]) -> str:
    """How many answers wait for a person, in a sentence; empty if none does."""
    open_scores = [each for own in scores.values() for each in own if each.is_open]
    if not open_scores:
        return ""
    students = sum(any(each.is_open for each in own) for own in scores.values())
    ids = few(dict.fromkeys(each.question.id for each in open_scores))
    points = sum(each.question.points for each in open_scores)
    are = "is" if points == 1 else "are"
    verb = "waits" if len(open_scores) == 1 else "wait"
    return (
        f"{counted(len(open_scores), 'written answer')} of {counted(students, 'student')} {verb} for a person in "
        f"{name} ({ids}): {as_points(points)} {are} not in the final scores. Mark them: gradetape desk, or gradetape "
        "mark --waiting"
    )
