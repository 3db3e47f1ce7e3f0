"""Questions whose results that count come from two versions of what decides them, such as an edited check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradetape.gradebook import Gradebook, QuestionResult
from gradetape.records import MixedQuestion
from gradetape.text import counted, few, one_line, printable

# The parts of a result's digest that a course decides, and that are the same for everybody.
_SHARED = {
    "checks": "its checks", "reference": "the reference solution", "files": "the files for students",
    "limits": "the limits", "seed": "the course's seed", "keras": "the Keras generation",
}  # fmt: skip
_NAME = 60


def mixed_questions(book: Gradebook, assignment: str) -> tuple[MixedQuestion, ...]:
    """The questions that are mixed, until everybody is graded under one version."""
    by_question: dict[str, dict[str, QuestionResult]] = {}
    for student, results in book.composition(assignment).items():
        for question, result in results.items():
            by_question.setdefault(question, {})[student] = result
    return tuple(found for question, results in sorted(by_question.items()) for found in _mixed(question, results))


def lines(mixed: Sequence[MixedQuestion]) -> Iterator[str]:
    """The questions in lines for people."""
    for each in mixed:
        names = few(one_line(student, _NAME) for student in each.students)
        yield (
            f"mixed: {each.question}: {counted(len(each.students), 'student')} of {each.of} were graded under another "
            f"version of {each.what} ({names}). Grade all submissions again to compare them."
        )


def as_json(mixed: Sequence[MixedQuestion]) -> list[dict[str, object]]:
    """The questions as plain data."""
    return [
        {"question": each.question, "what": each.what, "students": [printable(student) for student in each.students]}
        for each in mixed
    ]


def _mixed(question: str, results: dict[str, QuestionResult]) -> Iterator[MixedQuestion]:
    newest = max(results.values(), key=lambda result: result.id)
    others = {student: _differing(result, newest) for student, result in results.items()}
    students = tuple(sorted(student for student, what in others.items() if what))
    if students:
        what = " and ".join(dict.fromkeys(_SHARED[name] for student in students for name in others[student]))
        yield MixedQuestion(question=question, what=what, students=students, of=len(results))


def _differing(one: QuestionResult, other: QuestionResult) -> list[str]:
    return [name for name in _SHARED if one.parts.get(name, "") != other.parts.get(name, "")]
