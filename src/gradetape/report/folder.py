"""The results folder. Files in it are replaced as a whole: each one is the old or the new version, never partial.
Only their owner can read them, and enter the folders that are made.

    index.html                        the assignment's dashboard, or a list if there are several assignments
    grades.csv                        the grades of all students
    staff/ASSIGNMENT/                 its dashboard, its grades.csv, and a page for each student, for staff only
    staff/ASSIGNMENT/questions/       a page for each question over all students, for staff only
    students/ASSIGNMENT/STUDENT.html  for that student; students/ is the only folder that may be published

The first two take the grades of other assignments from the tables in `staff/`, so each assignment can be written
separately.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from gradetape import files, tempdirs
from gradetape.errors import GradebookError
from gradetape.exports import GradeTable, csv, merged, questions_of
from gradetape.records import FinalScore, Grade, MixedQuestion, NoSubmission, PointsChange, Unreadable
from gradetape.report.dashboard import index_page, overview_page
from gradetape.report.html import page_name, slug
from gradetape.report.material import NO_MATERIAL, Material
from gradetape.report.question import question_page, question_page_name
from gradetape.report.staff import Neighbours, staff_page, unreadable_for_staff
from gradetape.report.student import student_page, unreadable_page
from gradetape.text import collation_key

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and run the command again.",
    errno.EDQUOT: "Your share of the disk is used up: free some space and run the command again.",
    errno.EACCES: "You may not write there: choose another folder with --out.",
    errno.EPERM: "You may not write there: choose another folder with --out.",
    errno.EROFS: "That disk is read-only: choose another folder with --out.",
}
_UP = "../../"
_README = """\
students/   A page for each student, without any information for staff. Give each student their own page. The file
            names contain the students' names: on a server, restrict each page to its student.
Everything else is for staff. Do not publish it: staff/ shows the inputs and expected values of hidden checks, and
index.html, grades.csv and the gradebook contain the points of all students.
"""


@dataclass(frozen=True)
class _Results:
    """The input for one assignment's pages."""

    course: str
    assignment: str
    title: str
    max_points: float
    grades: Sequence[Grade]
    unreadable: Sequence[Unreadable]
    final_scores: Mapping[str, FinalScore] | None
    options: Sequence[str]
    changes: Sequence[PointsChange] = ()
    mixed: Sequence[MixedQuestion] = ()
    no_submission: Sequence[NoSubmission] = ()
    material: Material = NO_MATERIAL

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All students with a page in the order of the dashboard."""
        students = [*(grade.student for grade in self.grades), *(entry.student for entry in self.unreadable)]
        return tuple(sorted(students, key=collation_key))

    def of(self, students: Collection[str] | None) -> _Results:
        """The results of some students; of all if `students` is None."""
        if students is None:
            return self
        grades = [grade for grade in self.grades if grade.student in students]
        return replace(self, grades=grades, unreadable=[each for each in self.unreadable if each.student in students])

    def neighbours(self) -> dict[str, Neighbours]:
        """The students before and after each one."""
        around = (None, *self.order, None)
        return {student: Neighbours(around[place], around[place + 2]) for place, student in enumerate(self.order)}

    def index(self, up: str = "") -> str:
        """The dashboard."""
        return index_page(
            self.grades, self.unreadable, assignment=self.assignment, up=up, final_scores=self.final_scores,
            options=self.options, changes=self.changes, mixed=self.mixed, no_submission=self.no_submission,
            **self.titles,
        )  # fmt: skip

    @property
    def titles(self) -> dict[str, str]:
        """The titles at the top of every page."""
        return {"course": self.course, "title": self.title}

    @property
    def table(self) -> GradeTable:
        """The table of grades."""
        scores = self.final_scores
        return GradeTable.of(
            self.grades, self.unreadable, max_points=self.max_points, final_scores=scores,
            no_submission=self.no_submission,
        )  # fmt: skip

    def final_score(self, student: str) -> FinalScore | None:
        """A student's final score, if it is known."""
        return (self.final_scores or {}).get(student)


def write(
    folder: str | Path,
    grades: Sequence[Grade],
    unreadable: Sequence[Unreadable],
    *,
    assignment: str,
    course: str = "",
    title: str = "",
    max_points: float,
    final_scores: Mapping[str, FinalScore] | None = None,
    options: Sequence[str] = (),
    changes: Sequence[PointsChange] = (),
    mixed: Sequence[MixedQuestion] = (),
    students: Collection[str] | None = None,
    no_submission: Sequence[NoSubmission] = (),
    material: Material = NO_MATERIAL,
) -> Path:
    """Write one assignment's pages and table, then the folder's own files; return the path of its index.html.

    `course` and `title` are the titles of the pages. `max_points` is the assignment's, for students without a grade;
    `final_scores` are by student; `options` are the options of `grade` for the same gradebook, for the commands on the
    pages, `changes` the points that changed since the attempts before, and `mixed` the questions that were judged under
    two versions. With `students`, only their pages are written beside those about everybody. `no_submission` are the
    people of the class list who have handed in nothing, and `material` is what of the course stands beside results on
    pages for staff.

    Raises GradebookError if the folder cannot be created or written, or if another assignment's table in it is invalid.
    """
    folder = Path(folder)
    results = _Results(
        course, assignment, title, max_points, grades, unreadable, final_scores, options, changes, mixed, no_submission,
        material,
    )  # fmt: skip
    try:
        _refuse_links(folder, results.assignment)
        files.make_folder(folder)
        with tempdirs.folder(".pages-", folder) as partial:
            some = results.of(students)
            own = chain(_for_students(some), _for_staff(some, results.neighbours()))
            for name, content in chain(own, _about_all(results), _for_all(folder, results)):
                _put(folder / name, content, partial)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Check that it is a folder that you may write to, or use --out.")
        raise GradebookError(f"The results cannot be written to {folder}: {error.strerror}. {advice}") from error
    return folder / "index.html"


def has_pages(folder: Path, assignment: str) -> bool:
    """Whether a results folder has pages of an assignment."""
    return (folder / "staff" / slug(assignment)).is_dir()


def has_dashboard(folder: Path, assignment: str) -> bool:
    """Whether the pages of all students of an assignment were written into a folder."""
    return (folder / "staff" / slug(assignment) / "index.html").is_file()


def remove_pages(folder: Path, assignment: str, student: str) -> None:
    """Removes the pages of a student in an assignment, and those of its questions; raises GradebookError."""
    _refuse_links(folder, assignment)
    staff, students = (folder / part / slug(assignment) for part in ("staff", "students"))
    try:
        for page in (students / page_name(student), staff / page_name(student), *staff.glob("questions/*.html")):
            page.unlink(missing_ok=True)
    except OSError as error:
        reason = f"The pages of a student in {folder} cannot be removed: {error.strerror}."
        raise GradebookError(f"{reason} Remove them by hand.") from error


def _refuse_links(folder: Path, assignment: str) -> None:
    """Raises GradebookError if the results would be written through a symbolic link."""
    for place in (folder / "students" / slug(assignment), folder / "staff" / slug(assignment) / "questions"):
        if link := files.link_in(place):
            raise GradebookError(
                f"The results folder {folder} is behind a symbolic link, or holds one: {link}. Links are not followed, "
                "since the results would be written wherever it points. Remove the link, or name the folder itself "
                f"with --out or in grader_config.yml (results:): {os.path.realpath(link)}"
            )


def _for_students(results: _Results) -> Iterator[tuple[str, str]]:
    place = f"students/{slug(results.assignment)}"
    for grade in results.grades:
        page = student_page(
            grade, final_score=results.final_score(grade.student), untouched=results.material.starters_of(grade),
            **results.titles,
        )  # fmt: skip
        yield f"{place}/{page_name(grade.student)}", page
    for entry in results.unreadable:
        final_score = results.final_score(entry.student)
        page = unreadable_page(entry, results.assignment, final_score=final_score, **results.titles)
        yield f"{place}/{page_name(entry.student)}", page


def _for_staff(results: _Results, neighbours: Mapping[str, Neighbours]) -> Iterator[tuple[str, str]]:
    place = f"staff/{slug(results.assignment)}"
    common: dict[str, Any] = {"up": _UP, "options": results.options, **results.titles}
    for grade in results.grades:
        page = staff_page(
            grade, final_score=results.final_score(grade.student), material=results.material,
            neighbours=neighbours[grade.student], **common,
        )  # fmt: skip
        yield f"{place}/{page_name(grade.student)}", page
    for entry in results.unreadable:
        final_score = results.final_score(entry.student)
        page = unreadable_for_staff(
            entry, results.assignment, final_score=final_score, neighbours=neighbours[entry.student], **common
        )
        yield f"{place}/{page_name(entry.student)}", page


def _about_all(results: _Results) -> Iterator[tuple[str, str]]:
    place = f"staff/{slug(results.assignment)}"
    yield f"{place}/grades.csv", csv.write(results.table)
    yield f"{place}/index.html", results.index(_UP)
    for question in questions_of(results.grades):
        page = question_page(
            question, results.grades, assignment=results.assignment, final_scores=results.final_scores,
            material=results.material, mixed=results.mixed, **results.titles,
        )  # fmt: skip
        yield f"{place}/questions/{question_page_name(question)}", page


def _for_all(folder: Path, results: _Results) -> Iterator[tuple[str, str]]:
    """The files beside the assignments' folders; it reads these, so it runs once this assignment's are written."""
    yield "README.txt", _README
    texts = {path: path.read_text("utf-8") for path in sorted(folder.glob("staff/*/grades.csv"))}
    if len(texts) == 1:
        yield from (("grades.csv", text) for text in texts.values())
        yield "index.html", results.index()
        return
    tables = {path.parent.name: csv.read(text, str(path)) for path, text in texts.items()}
    yield "grades.csv", csv.rewrite(merged(tables))
    summaries = [table.summary(name) for name, table in tables.items()]
    yield "index.html", overview_page(summaries, course=results.course)


def _put(path: Path, content: str, partial: Path) -> None:
    """Replace a file atomically; `partial`, where it is written, is removed by the next writer after a crash."""
    for folder in reversed(path.parents[:3]):
        files.make_folder(folder)
    files.write_text(partial / "page", content)
    os.replace(partial / "page", path)
