"""What a course's gradebook holds, for the verbs that show it, and the pages that are made of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradetape.errors import GradebookError

if TYPE_CHECKING:
    from gradetape.course.assignments import Assignment, Course
    from gradetape.exports import GradeTable
    from gradetape.gradebook import Gradebook
    from gradetape.records import Grade, Unreadable

folder = click.option(
    "--results",
    "results_folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder that grade wrote to. [default: the config's results]",
)


def open_book(course: Course, results: Path | None) -> Gradebook:
    """The gradebook of what was graded; raises GradebookError where nothing was, or where it cannot be used."""
    if course.config.gradebook and results is None:
        return _opened(course.config.gradebook)
    place = (results or course.root / course.config.results) / "gradebook.sqlite"
    if not place.is_file():
        raise GradebookError(
            f"There is no gradebook {place}: nothing was graded into that folder. "
            "Grade first (gradetape grade PATH), or name the folder with --results."
        )
    return _opened(place)


def _opened(place: Path | str) -> Gradebook:
    from gradetape.gradebook import Gradebook

    book = Gradebook.open(place)
    tell_migrated(book)
    return book


def tell_migrated(book: Gradebook) -> None:
    """Says that a gradebook of an older version was brought up to date, and where its copy is."""
    if book.migrated:
        click.echo(book.migrated, err=True)


def graded(book: Gradebook, asked: str | None) -> Sequence[str]:
    """The assignments that the gradebook has grades of, or the one that was asked for; raises GradebookError."""
    from gradetape.course.config import did_you_mean

    known = book.assignments()
    if not known:
        raise GradebookError("The gradebook is empty: nothing was graded yet. Grade first: gradetape grade PATH")
    if asked is not None and asked not in known:
        near = did_you_mean(asked, known)
        raise GradebookError(f"The gradebook has no grades of {asked!r}.{near} It has those of {', '.join(known)}.")
    return known if asked is None else [asked]


def records(book: Gradebook, name: str) -> list[Grade | Unreadable]:
    """What counts for each student who handed in an assignment."""
    return [*book.latest(name), *book.unreadable(name)]


def of_student(book: Gradebook, names: Sequence[str], student: str) -> list[tuple[str, Grade | Unreadable]]:
    """What counts for a student, by assignment; raises GradebookError, with the nearest name, where nothing does."""
    from gradetape.course.config import did_you_mean
    from gradetape.text import printable

    found = [(name, record) for name in names for record in records(book, name)]
    mine = [(name, record) for name, record in found if printable(record.student) == printable(student)]
    if not mine:
        near = did_you_mean(student, {record.student for _, record in found})
        raise GradebookError(
            f"The gradebook has no student {printable(student)!r}.{near} grades.csv lists them: gradetape export csv"
        )
    return mine


def options_again(out: Path | None, question: str | None = None) -> tuple[str, ...]:
    """The options of `grade` with which it goes into the same gradebook again, from whatever folder."""
    place = ("--out", os.path.abspath(out)) if out else ()
    return (*place, *(("--question", question) if question else ()))


def write_pages(
    course: Course, assignment: Assignment, book: Gradebook, where: Path, *, question: str | None = None,
    options: Sequence[str] = (),
) -> Path:  # fmt: skip
    """Writes the pages and the table of all that the gradebook holds of an assignment; the page to begin with.

    `options` are those of `grade` that lead to this gradebook.
    """
    from gradetape.cli.standings import final_scores
    from gradetape.report.folder import write

    name, most = assignment.name, max_points(assignment, question)
    return write(
        where, book.latest(name), book.unreadable(name), course=_title(course), assignment=name, title=assignment.title,
        max_points=most, final_scores=final_scores(course, assignment, book), options=options,
    )  # fmt: skip


def _title(course: Course) -> str:
    """The course's title, where it was given one."""
    return course.config.course if "course" in course.config.model_fields_set else ""


def max_points(assignment: Assignment, question: str | None = None) -> float:
    """What an assignment, or one question of it, is worth."""
    return sum(each.points for each in assignment.questions if question in (None, each.id))


def table(course: Course, assignment: Assignment, book: Gradebook) -> GradeTable:
    """The grades of an assignment as a table."""
    from gradetape.cli.standings import final_scores
    from gradetape.exports import GradeTable

    name = assignment.name
    return GradeTable.of(
        book.latest(name), book.unreadable(name), max_points=max_points(assignment),
        final_scores=final_scores(course, assignment, book),
    )  # fmt: skip


def whole_table(course: Course, names: Sequence[str], book: Gradebook) -> GradeTable:
    """The grades of assignments as one table."""
    from gradetape.exports import merged

    return merged({name: table(course, course.assignment(name), book) for name in names})
