"""Placeholders: the files of a new question that still have to be filled in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gradetape.course.answer_key import AnswerKey
from gradetape.course.assignments import Assignment

PLACEHOLDER = "gradetape: placeholder"


def unready(assignment: Assignment, answer_key: AnswerKey) -> dict[str, list[Path]]:
    """The placeholders by question id; those of the introduction by the assignment's name."""
    public = placeholders(assignment)
    found = {assignment.name: [path for path in public if path == assignment.introduction]}
    for source in assignment.question_sources:
        question_id = source.question.id
        secret = _unfilled(
            path
            for path in (
                answer_key.reference(question_id),
                answer_key.hidden_checks(question_id),
                answer_key.patches(question_id),
            )
            if path.is_file()
        )
        found[question_id] = [*(path for path in public if path.parent == source.folder), *secret]
    for source in assignment.written_sources:
        rubric = _unfilled([answer_key.rubric(source.question.id)])
        found[source.question.id] = [*(path for path in public if path.parent == source.folder), *rubric]
    return {name: paths for name, paths in found.items() if paths}


def placeholders(assignment: Assignment) -> list[Path]:
    """The placeholders among the files for students."""
    public: list[tuple[Path, ...]]
    public = [(source.prompt, source.starter, source.public_checks) for source in assignment.question_sources]
    public += [(source.prompt, source.starter) for source in assignment.written_sources]
    return _unfilled([assignment.introduction, *(path for paths in public for path in paths)])


def _unfilled(paths: Iterable[Path]) -> list[Path]:
    found = (path for path in paths if path.is_file())
    return [path for path in found if PLACEHOLDER in path.read_text(encoding="utf-8", errors="replace")]
