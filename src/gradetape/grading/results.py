"""The results of a course: its gradebook, and the pages and tables made from it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from gradetape.course.assignments import Assignment, Course
from gradetape.course.question_ids import resolve_among
from gradetape.errors import GradebookError
from gradetape.exports import GradeTable, merged
from gradetape.gradebook import Gradebook
from gradetape.grading.enrolment import Enrolment, absences
from gradetape.grading.final_scores import final_scores
from gradetape.grading.finding_students import student_named
from gradetape.grading.material import material_of
from gradetape.grading.mixed import mixed_questions
from gradetape.grading.staff_notes import staff_notes
from gradetape.records import FinalScore, Grade, MixedQuestion, NoSubmission, Unreadable
from gradetape.report import AssignmentPages, has_dashboard, write_pages
from gradetape.text import did_you_mean, printable

GRADEBOOK = "gradebook.sqlite"


class StudentResult(msgspec.Struct, frozen=True):
    """One student's result in one assignment."""

    assignment: str
    record: Grade | Unreadable
    final_score: FinalScore


class StudentResults(msgspec.Struct, frozen=True):
    """One student's results, and warnings in sentences."""

    results: tuple[StudentResult, ...]
    warnings: tuple[str, ...] = ()


class Written(msgspec.Struct, frozen=True):
    """The pages that were written: the start page, warnings in sentences, and what they list.

    `no_submission` is who has handed in nothing, `mixed` the questions that were judged under two versions.
    """

    index: Path
    warnings: tuple[str, ...] = ()
    no_submission: tuple[NoSubmission, ...] = ()
    mixed: tuple[MixedQuestion, ...] = ()


class ResultsTable(msgspec.Struct, frozen=True):
    """The grades of one or several assignments as one table, and warnings in sentences."""

    table: GradeTable
    warnings: tuple[str, ...] = ()


class ScoredAssignment(msgspec.Struct, frozen=True):
    """What counts in an assignment, with the final scores by student, and warnings in sentences.

    `no_submission` are the people of the class list who have handed in nothing.
    """

    assignment: Assignment
    grades: tuple[Grade, ...]
    unreadable: tuple[Unreadable, ...]
    by_student: Mapping[str, FinalScore]
    warnings: tuple[str, ...] = ()
    no_submission: tuple[NoSubmission, ...] = ()

    @property
    def records(self) -> tuple[Grade | Unreadable, ...]:
        """The grades, then the files that cannot be read."""
        return (*self.grades, *self.unreadable)


class Results:
    """A course's results, open for reading and writing. A context manager; every method raises GradetapeError."""

    def __init__(self, course: Course, book: Gradebook) -> None:
        self.course = course
        self.book = book

    @classmethod
    def open(cls, course: Course, folder: Path | None = None) -> Self:
        """The results in a folder, by default those of the configuration.

        Raises GradebookError if nothing was graded, or if the gradebook cannot be used.
        """
        place = _place(course, folder)
        if course.config.gradebook and (folder is None or not place.is_file()):
            return cls(course, Gradebook.open(course.config.gradebook))
        if not place.is_file():
            raise GradebookError(
                f"There is no gradebook {place}: nothing was graded into that folder. "
                "Grade first (gradetape grade PATH), or name the folder with --results."
            )
        return cls(course, Gradebook.open(place))

    def assignments(self, asked: str | None = None) -> Sequence[str]:
        """The assignments that have grades, or only the requested one; raises GradebookError if there are none."""
        known = self.book.assignments()
        if not known:
            raise GradebookError("The gradebook is empty. Grade first: gradetape grade PATH")
        if asked is not None and asked not in known:
            near = did_you_mean(asked, known)
            raise GradebookError(f"The gradebook has no grades of {asked!r}.{near} It has those of {', '.join(known)}.")
        return known if asked is None else [asked]

    def find_student(
        self, student: str, names: Sequence[str], *, parts: bool = True
    ) -> list[tuple[str, Grade | Unreadable]]:
        """A student's results in these assignments, by assignment; see `finding_students.student_named`.

        Raises GradebookError if no student or more than one is meant.
        """
        return _of_student({name: self.book.counting(name) for name in names}, student, parts=parts)

    def of_student(self, student: str, names: Sequence[str]) -> StudentResults:
        """A student's results in these assignments, with final scores; see `finding_students.student_named`.

        Raises GradebookError if no student or more than one is meant.
        """
        records = {name: self.book.counting(name) for name in names}
        results, warnings = [], list[str]()
        for name, record in _of_student(records, student):
            assignment = self.course.assignment(name)
            scores = final_scores(self.course, assignment, self.book, records[name])
            warnings += scores.warnings
            results.append(StudentResult(name, record, scores.by_student[record.student]))
        return StudentResults(tuple(results), tuple(warnings))

    def write_pages(
        self, name: str, folder: Path, *, options: Sequence[str] = (), students: Collection[str] | None = None
    ) -> Written:
        """Writes the pages and the table of an assignment into a folder; `index` is the start page.

        `options` are the options of `gradetape grade` for this gradebook, for the commands on the pages. With
        `students`, only their pages are written beside those about everybody.
        """
        found = self.scored(name)
        pages = pages_of(self, found, options)
        index = write_pages(folder, pages, students)
        return Written(
            index=index, warnings=found.warnings, no_submission=found.no_submission, mixed=tuple(pages.mixed)
        )  # fmt: skip

    def update_pages(
        self, name: str, folder: Path | None, student: str | None = None, *, options: Sequence[str] = ()
    ) -> Written:
        """Writes the pages of an assignment again, of one student where a folder has those of all.

        `folder` is the results folder, by default the configuration's; see `write_pages`.
        """
        place = folder or self.course.root / self.course.config.results
        some = {student} if student is not None and has_dashboard(place, name) else None
        return self.write_pages(name, place, options=options, students=some)

    def table(self, names: Sequence[str]) -> ResultsTable:
        """The grades of assignments as one table."""
        tables = {name: self._table(name) for name in names}
        warnings = tuple(warning for each in tables.values() for warning in each.warnings)
        return ResultsTable(merged({name: each.table for name, each in tables.items()}), warnings)

    def _table(self, name: str) -> ResultsTable:
        found = self.scored(name)
        table = GradeTable.of(
            found.grades, found.unreadable, max_points=max_points(found.assignment), final_scores=found.by_student,
            no_submission=found.no_submission,
        )  # fmt: skip
        return ResultsTable(table, found.warnings)

    def scored(self, name: str) -> ScoredAssignment:
        """An assignment's grades and files that count, with their final scores."""
        assignment, grades, unreadable = (
            self.course.assignment(name), self.book.latest(name), self.book.unreadable(name),
        )  # fmt: skip
        scores = final_scores(self.course, assignment, self.book, [*grades, *unreadable])
        absent = absences(Enrolment.of(self.course), [*grades, *unreadable], name)
        return ScoredAssignment(
            assignment, tuple(grades), tuple(unreadable), scores.by_student, (*scores.warnings, *absent.warnings),
            absent.people,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()


def pages_of(results: Results, found: ScoredAssignment, options: Sequence[str] = ()) -> AssignmentPages:
    """The pages of an assignment; see `Results.write_pages`."""
    name = found.assignment.name
    return AssignmentPages(
        course_title(results.course), name, found.assignment.title, max_points(found.assignment), found.grades,
        found.unreadable, found.by_student, options, results.book.changes(name), mixed_questions(results.book, name),
        found.no_submission, material_of(results.course, found.assignment), notes=staff_notes(results.book, name),
    )  # fmt: skip


def graded_students(course: Course, assignment: str, folder: Path | None = None) -> int:
    """The number of students with a result in an assignment; 0 if nothing was graded. Raises GradebookError."""
    if (folder or not course.config.gradebook) and not _place(course, folder).is_file():
        return 0
    with Results.open(course, folder) as results:
        return len(results.book.counting(assignment))


def question_of(found: Sequence[StudentResult], text: str) -> str | None:
    """The id of a question of these grades, by itself or a unique prefix of it; None if none of these is a grade.

    Raises RequestError if no grade has the question, or if several ids have this prefix.
    """
    ids = {
        each.assignment: [*(question.id for question in each.record.questions), *_written_ids(each.final_score)]
        for each in found
        if isinstance(each.record, Grade)
    }
    return resolve_among(text, ids) if ids else None


def _written_ids(final_score: FinalScore) -> list[str]:
    return [each.question.id for each in final_score.written]


def source_of(results: Path | None, out: Path | None) -> Path | None:
    """The results folder that is meant by a folder to read and one to write: the latter, if it has a gradebook."""
    return out if results is None and out is not None and (out / GRADEBOOK).is_file() else results


def _place(course: Course, folder: Path | None) -> Path:
    return (folder or course.root / course.config.results) / GRADEBOOK


def _of_student(
    records: Mapping[str, Sequence[Grade | Unreadable]], student: str, *, parts: bool = True
) -> list[tuple[str, Grade | Unreadable]]:
    """A student's records, by assignment."""
    found = [(name, record) for name, each in records.items() for record in each]
    known = student_named(student, (record for _, record in found), parts=parts)
    return [(name, record) for name, record in found if printable(record.student) == printable(known)]


def options_again(out: Path | None) -> tuple[str, ...]:
    """The options of `gradetape grade` for the same gradebook, from any working directory."""
    return ("--out", os.path.abspath(out)) if out else ()


def points_of_checks(assignment: Assignment, question: str | None = None) -> float:
    """The maximum points of an assignment's checks, or of those of one question."""
    return sum(each.points for each in assignment.questions if question in (None, each.id))


def max_points(assignment: Assignment, question: str | None = None) -> float:
    """The maximum points of an assignment, with those of written questions, or of one question of it."""
    return sum(each.points for each in (*assignment.questions, *assignment.written) if question in (None, each.id))


def course_title(course: Course) -> str:
    """The course's title, or an empty text if it is not set."""
    return course.config.course if "course" in course.config.model_fields_set else ""
