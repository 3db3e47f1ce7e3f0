"""The course that a command is run in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gradetape.course import assignments
from gradetape.course.assignments import Course
from gradetape.errors import CourseError


def here() -> Course:
    """The course of the working directory; raises CourseError outside a course."""
    return assignments.find(Path.cwd())


def names_of(course: Course, asked: Sequence[str]) -> Sequence[str]:
    """The named assignments, or all; raises CourseError if the course has none."""
    if not (names := asked or course.names()):
        raise CourseError("There is no assignment in assignments/ yet. Create one: gradetape new assignment NAME")
    return names
