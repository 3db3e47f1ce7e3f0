"""Looks for submissions that share code: reads the gradebook and what students were given, and runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gradetape.course.assignments import Assignment, Course
from gradetape.errors import RequestError, SubmissionError
from gradetape.gradebook import Gradebook
from gradetape.intake.notebooks import parse
from gradetape.records import Grade
from gradetape.similar import LONGEST, Given, SimilarPair, similar_pairs
from gradetape.text import few, one_line

_FENCED = re.compile(r"^(```|~~~)[^\n]*\n(.*?)^\1", re.DOTALL | re.MULTILINE)
_CODE = (".ipynb", ".py")
_NAME = 60


class SimilarityRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; see `similar_pairs`. `given` are further files that students were given."""

    question: str | None = None
    at_least: float = 0.0
    most: int = 50
    given: tuple[Path, ...] = ()


class Similarity(msgspec.Struct, frozen=True):
    """The pairs of an assignment, the grades whose code was compared, and warnings in sentences."""

    assignment: Assignment
    pairs: tuple[SimilarPair, ...]
    grades: tuple[Grade, ...]
    warnings: tuple[str, ...] = ()


def similarity_of(course: Course, book: Gradebook, name: str, request: SimilarityRequest) -> Similarity:
    """The most similar pairs among the submissions of an assignment that count.

    Raises RequestError if a file that students were given cannot be read, and CourseError or ConfigError.
    """
    assignment, every = course.assignment(name), book.latest(name)
    grades = [grade for grade in every if grade.cells]
    given = Given((*_of_course(course, assignment, grades), *map(_of_file, request.given)))
    pairs = similar_pairs(
        grades, given, question=request.question, at_least=request.at_least, most=request.most
    )  # fmt: skip
    return Similarity(assignment, tuple(pairs), tuple(grades), tuple(_warnings(every)))


def _warnings(grades: Sequence[Grade]) -> Iterator[str]:
    if without := [grade.student for grade in grades if not grade.cells]:
        yield (
            f"Not compared, since the gradebook has no code of theirs: {_named(without)}. An older version graded "
            "them: grade them again with --regrade."
        )
    if cut := [grade.student for grade in grades if sum(len(cell.source) for cell in grade.cells) > LONGEST]:
        yield f"Only the first {LONGEST:,} characters of code were compared of {_named(cut)}."


def _named(students: Sequence[str]) -> str:
    return few(one_line(student, _NAME) for student in students)


def _of_course(course: Course, assignment: Assignment, grades: Sequence[Grade]) -> Iterator[str]:
    """What students of an assignment read: prompts, starters, public checks, hints, files, and the notebook itself."""
    starters = [each.starter.read_text("utf-8-sig") for each in assignment.question_sources]
    yield from ("\n".join(starters), *starters)
    for prompt in (assignment.introduction, *(each.prompt for each in assignment.question_sources)):
        yield from _in_markdown(prompt.read_text("utf-8-sig"))
    for source in (*(each.public_checks for each in assignment.question_sources), *assignment.data):
        if source.suffix == ".py":
            yield source.read_text("utf-8-sig", errors="replace")
    yield from {result.check.hint for grade in grades for result in grade.results}
    notebook = course.root / "student" / assignment.name / f"{assignment.name}.ipynb"
    if notebook.is_file():
        yield _of_file(notebook)


def _in_markdown(text: str) -> Iterator[str]:
    """The code blocks of a text: one by one, and together, as they are pasted into one notebook."""
    blocks = [found[1] for found in _FENCED.findall(text)]
    yield from (*blocks, "\n".join(blocks))


def _of_file(path: Path) -> str:
    """The code of a notebook or a script, and the code blocks of any other text; raises RequestError."""
    try:
        if path.suffix.lower() in _CODE:
            return "\n".join(cell.source for cell in parse(path.suffix, path.read_bytes()).cells)
        return "\n".join(_in_markdown(path.read_text("utf-8-sig")))
    except (OSError, UnicodeDecodeError, SubmissionError) as error:
        raise RequestError(
            f"{path} cannot be read as a text that students were given: {error}. Pass a notebook, a script or a "
            "Markdown file in UTF-8"
        ) from error
