"""What counts for each student, from the gradebook, the configuration and the table of times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import click

from gradetape.cli.results import records
from gradetape.course.assignments import Assignment, Course
from gradetape.course.config import LatePolicy, did_you_mean
from gradetape.errors import ConfigError
from gradetape.gradebook import Gradebook
from gradetape.grading import late_policy as policy
from gradetape.records import FinalScore, Grade, Override, Unreadable
from gradetape.text import few, printable


def final_scores(course: Course, assignment: Assignment, book: Gradebook) -> dict[str, FinalScore]:
    """The measured points, the overrides in force and the late policy, by student; raises GradetapeError."""
    late, name = course.config.late, assignment.name
    times = times_of(course)
    given = _in_force(book, name)
    found = {}
    for record in records(book, name):
        student = printable(record.student)
        handed_in = times.get((name, student)) or times.get(("", student)) or _changed(record, late)
        when = policy.timing(late, name, record.student, assignment.deadline, handed_in)
        found[record.student] = policy.apply_late_policy(_measured(record), given.get(student, ()), when, late)
    _tell_strangers(late, name, found)
    if late.percent_per_day and (assignment.deadline or name in late.extensions):
        _tell_untimed(late, name, times, found)
    return found


def times_of(course: Course) -> policy.Times:
    """When work was handed in; raises ConfigError for a late policy that cannot be followed.

    An extension in an assignment that is not there would cost its student points in silence.
    """
    late, names = course.config.late, course.names()
    for name in late.extensions:
        if name not in names:
            near = did_you_mean(name, names)
            raise ConfigError(
                f"grader_config.yml: late.extensions names {printable(name)!r}, which is no assignment.{near} "
                f"There are: {', '.join(names)}."
            )
    return policy.read_times(course.root / late.times) if late.times else {}


def _in_force(book: Gradebook, name: str) -> dict[str, list[Override]]:
    given: dict[str, list[Override]] = {}
    for override in book.overrides(name):
        if not override.undone_at:
            given.setdefault(override.student, []).append(override)
    return given


def _changed(record: Grade | Unreadable, late: LatePolicy) -> datetime | None:
    known = late.by_file and isinstance(record, Grade) and record.modified
    return datetime.fromisoformat(known) if known else None


def _measured(record: Grade | Unreadable) -> dict[str, float]:
    if isinstance(record, Unreadable):
        return {}
    return {question.id: record.earned(question.id) for question in record.questions}


def _tell_strangers(late: LatePolicy, name: str, students: Iterable[str]) -> None:
    """An extension for a name that nobody has would cost its student points in silence."""
    known = list(students)
    for student in late.extensions.get(name, {}):
        if student not in known:
            told = f"late.extensions names {printable(student)!r}, and nobody of that name handed in {name}."
            click.echo(told + did_you_mean(student, known), err=True)


def _tell_untimed(late: LatePolicy, name: str, times: policy.Times, students: Iterable[str]) -> None:
    """A name that the table writes in another way would let its student off in silence."""
    known = {printable(student) for student in students}
    timed = {student for of, student in times if of in ("", name)}
    untimed, strangers = sorted(known - timed), sorted(timed - known)
    if not late.times or not untimed or (late.by_file and not strangers):
        return
    some = few(each[:60] for each in untimed)
    told = f"{late.times} has no time for {len(untimed)} of {len(known)} students of {name}: {some}."
    if strangers:
        some = few(each[:60] for each in strangers)
        told += f" It has one for {len(strangers)} that nobody there is called: {some}. Write names alike."
    click.echo(told, err=True)
