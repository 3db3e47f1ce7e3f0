"""What several verbs share: exit statuses, the course that they are run in, and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from gradetape.course.assignments import Assignment, Course
    from gradetape.course.config import Config
    from gradetape.course.gradable import GradableAssignment

OK, ATTENTION, WRONG, INTERRUPTED = 0, 1, 2, 130

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, to stdout.")


def here() -> Course:
    """The course that the command is run in; raises CourseError outside of one."""
    from gradetape.course import assignments as course

    return course.find(Path.cwd())


def names_of(course: Course, asked: Sequence[str]) -> Sequence[str]:
    """The assignments that were asked for, or all; raises CourseError where there are none at all."""
    from gradetape.errors import CourseError

    if not (names := asked or course.names()):
        raise CourseError("There is no assignment in assignments/ yet. Make one: gradetape new assignment NAME")
    return names


def gradable_assignment(course: Course, name: str, question: str | None) -> GradableAssignment:
    """An assignment with its secrets; raises UsageError for a question that it does not have."""
    from gradetape.course.gradable import GradableAssignment

    gradable = GradableAssignment.open(course, name)
    if question is not None:
        refuse_unknown_question(question, gradable.assignment)
    return gradable


def refuse_unknown_question(question: str, *assignments: Assignment) -> None:
    """Raises UsageError, with the nearest one, for a question that none of the assignments has."""
    from gradetape.course.config import did_you_mean
    from gradetape.text import printable

    question_ids = [question_id for each in assignments for question_id in each.question_ids]
    if question not in question_ids:
        near = did_you_mean(question, question_ids)
        known = "; ".join(f"{each.name} has {', '.join(each.question_ids)}" for each in assignments)
        raise click.UsageError(f"there is no question {printable(question)}.{near} {known}")


def workers_of(config: Config) -> int:
    """The number of workers that the configuration asks for; `auto` is one per processor."""
    from gradetape.runtime import processors

    return processors.workers_of(config)


def console(*, stderr: bool = True) -> Console:
    """A terminal, or a file that gets neither colours nor broken lines."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True)


def bar(verb: str) -> Progress:
    """A progress bar with an estimate of the time that is left, on stderr."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[Any] = [
        TextColumn(f"{verb} {{task.description}}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    ]  # fmt: skip
    return Progress(*columns, console=console(), transient=True)
