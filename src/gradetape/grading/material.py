"""Reads what of a course stands beside results on pages for staff, as far as it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gradetape.course.answer_key import AnswerKey
from gradetape.course.assignments import Assignment, Course
from gradetape.course.check_code import check_functions
from gradetape.course.check_files import check_file
from gradetape.course.gradable import GradableAssignment
from gradetape.course.source import PythonSource
from gradetape.errors import CourseError
from gradetape.report import CheckSource, Material


def material_of(course: Course, assignment: Assignment) -> Material:
    """The sources of an assignment's checks, and its starters; a file that cannot be read is left out."""
    root = course.root
    key = AnswerKey(assignment, root / "solutions" / assignment.name, root / "autograder" / assignment.name)
    paths = GradableAssignment(course, assignment, key).check_files
    checks = {check_id: source for path in paths for check_id, source in _checks(root, path)}
    starters = {each.question.id: _texts(each.starter) for each in assignment.question_sources}
    return Material(checks, {question_id: texts for question_id, texts in starters.items() if texts})


def _checks(root: Path, path: Path) -> Iterator[tuple[str, CheckSource]]:
    """The checks of a file with their ids, each from its first decorator on."""
    file, source = check_file(path), _read(path)
    if file is None or source is None or source.syntax_error is not None:
        return
    lines = source.text.splitlines()
    for node in check_functions(source.tree):
        first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        yield file.check_id(node.name), CheckSource(path.relative_to(root).as_posix(), first, text)


def _texts(starter: Path) -> frozenset[str]:
    source = _read(starter)
    return frozenset(cell.text.strip() for cell in source.code) if source else frozenset()


def _read(path: Path) -> PythonSource | None:
    try:
        return PythonSource.read(path)
    except (OSError, CourseError):
        return None
