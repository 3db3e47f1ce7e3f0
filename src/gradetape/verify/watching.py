"""Knows which questions a saved file belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gradetape.course.gradable import GradableAssignment


def watched(gradable: GradableAssignment) -> tuple[Path, ...]:
    """The folders whose files decide what a verification of the assignment finds."""
    key = gradable.answer_key
    return gradable.assignment.folder, key.solutions, key.autograder


def affected(gradable: GradableAssignment, paths: Iterable[Path]) -> tuple[str, ...] | None:
    """The questions that these files belong to, in order; None if a file belongs to the whole assignment."""
    found: set[str] = set()
    for path in paths:
        names = {part.split(".")[0].removeprefix("test_") for part in _below(gradable, path)}
        own = names & set(gradable.assignment.question_ids)
        if not own:
            return None
        found |= own
    return tuple(question for question in gradable.assignment.question_ids if question in found)


def _below(gradable: GradableAssignment, path: Path) -> tuple[str, ...]:
    for folder in watched(gradable):
        if path.is_relative_to(folder):
            return path.relative_to(folder).parts
    return ()
