"""The final score of every student of an assignment: measured points, overrides, and the late policy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from gradetape.course.assignments import Assignment, Course
from gradetape.course.config import LatePolicy
from gradetape.errors import ConfigError
from gradetape.gradebook import Gradebook
from gradetape.grading.late_policy import apply_late_policy, timing
from gradetape.grading.question_overrides import of_questions
from gradetape.grading.times import Times, times_in
from gradetape.grading.written import waiting_line, written_scores
from gradetape.records import FinalScore, Grade, Override, Unreadable
from gradetape.text import did_you_mean, few, printable

_NAME = 60


class FinalScores(msgspec.Struct, frozen=True):
    """The final scores by student, and warnings about the late policy, in sentences."""

    by_student: Mapping[str, FinalScore]
    warnings: tuple[str, ...] = ()


def final_scores(
    course: Course, assignment: Assignment, book: Gradebook, records: Iterable[Grade | Unreadable]
) -> FinalScores:
    """The final score of each student who handed in an assignment; raises GradetapeError.

    `records` are what counts in the gradebook for the assignment, by student.
    """
    late, name = course.config.late, assignment.name
    times = times_of(course, name)
    marked = {question.id for question in assignment.written}
    overrides = _in_force(book, name, marked)
    found, known = {}, list(records)
    written = written_scores(course, assignment, book, known)
    for record in known:
        student = printable(record.student)
        handed_in = times.of(name, record) or _platform_time(record) or _file_time(record, late)
        when = timing(late, name, record.student, assignment.deadline, handed_in)
        found[record.student] = apply_late_policy(
            _measured(record, marked), of_questions(overrides.get(student, ()), record), when, late,
            written.get(record.student, ()),
        )  # fmt: skip
    applies = late.percent_per_day and (assignment.deadline or name in late.extensions)
    warnings = [*_unknown_students(late, name, found), *(_without_time(late, name, times, known) if applies else ())]
    warnings += [*_marked_late(name, known, found), *filter(None, [waiting_line(name, written)])]
    return FinalScores(found, tuple(warnings))


def times_of(course: Course, assignment: str) -> Times:
    """When work for an assignment was handed in; raises ConfigError for an invalid late policy.

    An extension for an assignment that does not exist would silently cost its student points.
    """
    late, names = course.config.late, course.names()
    named = [("extensions", name) for name in late.extensions]
    named += [("times", name) for name in late.times] if isinstance(late.times, dict) else []
    for key, name in named:
        if name not in names:
            near = did_you_mean(name, names)
            raise ConfigError(
                f"grader_config.yml: late.{key} names {printable(name)!r}, which is not an assignment.{near} "
                f"Assignments: {', '.join(names)}."
            )
    path = late.times_of(assignment)
    return times_in(course.root / path, late) if path else Times()


def _in_force(book: Gradebook, name: str, written: Collection[str]) -> dict[str, list[Override]]:
    """The overrides in force by student. Those of a question that has become a written one count for nothing."""
    found: dict[str, list[Override]] = {}
    for override in book.overrides(name):
        if not override.undone_at and override.question.partition("::")[0] not in written:
            found.setdefault(override.student, []).append(override)
    return found


def _platform_time(record: Grade | Unreadable) -> datetime | None:
    """When the platform's download says that the work was handed in."""
    return record.origin.submitted if record.origin else None


def _file_time(record: Grade | Unreadable, late: LatePolicy) -> datetime | None:
    known = late.by_file and isinstance(record, Grade) and record.modified
    return datetime.fromisoformat(known).replace(microsecond=0) if known else None  # due times have none


def _measured(record: Grade | Unreadable, written: Collection[str]) -> dict[str, float]:
    if isinstance(record, Unreadable):
        return {}
    return {question.id: record.earned(question.id) for question in record.questions if question.id not in written}


def _unknown_students(late: LatePolicy, name: str, students: Iterable[str]) -> Iterator[str]:
    """Warns of extensions for unknown names, which would silently cost their students points."""
    known = list(students)
    for student in late.extensions.get(name, {}):
        if student not in known:
            near = did_you_mean(student, known)
            yield f"late.extensions names {printable(student)!r}, but no submission to {name} has this name.{near}"


def _marked_late(name: str, records: Iterable[Grade | Unreadable], scores: Mapping[str, FinalScore]) -> Iterator[str]:
    """Warns of submissions that the platform marks late, without a penalty: a time or the deadline is unknown."""
    late = [each.student for each in records if each.origin and each.origin.late]
    timeless = [student for student in late if not scores[student].handed_in]
    endless = [student for student in late if scores[student].handed_in and scores[student].late_days is None]
    for students, why in ((timeless, "late.times has no time for it"), (endless, "the assignment has no deadline")):
        if students:
            what = "1 submission is marked late by the platform, and has"
            if len(students) > 1:
                what = f"{len(students)} submissions are marked late by the platform, and have"
            yield f"{what} no penalty, since {why}, in {name}: {_few(map(printable, students))}"


def _without_time(late: LatePolicy, name: str, times: Times, records: Iterable[Grade | Unreadable]) -> Iterator[str]:
    """Warns of names that the table spells differently, which would silently exempt their students."""
    without = {printable(each.student): times.of(name, each) or _platform_time(each) for each in records}
    known, timed = set(without), {student for assignment, student in times.by_student if assignment in ("", name)}
    missing = sorted(student for student, time in without.items() if time is None)
    unknown = [] if times.of_platform else sorted(timed - known)
    if not late.times_of(name) or not missing or (late.by_file and not unknown):
        return
    message = (
        f"{late.times_of(name)} has no time for {len(missing)} of {len(known)} students of {name}: {_few(missing)}."
    )
    if unknown:
        message += (
            f" It has names that have no submission ({len(unknown)}): {_few(unknown)}. Use the same names in both."
        )
    yield message


def _few(names: Iterable[str]) -> str:
    return few(name[:_NAME] for name in names)
