"""The folder of results: each file in it is the old one or the new one, never half of it.

    index.html                        the assignment's dashboard, or a list where there are several
    grades.csv                        the points of all
    staff/ASSIGNMENT/                 its dashboard, its grades.csv, and a page for each student, for staff alone
    students/ASSIGNMENT/STUDENT.html  for that student; the only folder from which anything may be published

What the first two say of other assignments they take from the tables in `staff/`, so that each assignment can be
written by itself.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from gradetape import tempdirs as tempdirs
from gradetape.errors import GradebookError
from gradetape.records import FinalScore, Grade, Unreadable
from gradetape.report.dashboard import index_page, overview_page
from gradetape.report.html import page_name, slug
from gradetape.report.staff import staff_page, unreadable_for_staff
from gradetape.report.student import student_page, unreadable_page
from gradetape.report.tables import grades_csv, merged, summary

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and run the command again.",
    errno.EDQUOT: "Your share of the disk is used up: free some space and run the command again.",
    errno.EACCES: "You may not write there: choose another folder with --out.",
    errno.EPERM: "You may not write there: choose another folder with --out.",
    errno.EROFS: "That disk is read-only: choose another folder with --out.",
}
_UP = "../../"
_README = """\
students/   A page for each student: give each student their own. Nothing in it is for staff alone. The pages are named
            after the students, so where you put the whole folder on a server, let each student open only their own.
Everything else here is for staff. Never publish it: staff/ shows what the hidden checks ask and expect, and index.html,
grades.csv and the gradebook hold everybody's points.
"""


@dataclass(frozen=True)
class _Results:
    """What is known of one assignment."""

    course: str
    assignment: str
    title: str
    max_points: float
    grades: Sequence[Grade]
    unreadable: Sequence[Unreadable]
    final_scores: Mapping[str, FinalScore] | None
    options: Sequence[str]

    def index(self, up: str = "") -> str:
        """The dashboard."""
        return index_page(
            self.grades, self.unreadable, assignment=self.assignment, up=up, final_scores=self.final_scores,
            options=self.options, **self.heads,
        )  # fmt: skip

    @property
    def heads(self) -> dict[str, str]:
        """What stands above every page."""
        return {"course": self.course, "title": self.title}

    def counts(self, student: str) -> FinalScore | None:
        """What counts for a student, if that is known."""
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
) -> Path:
    """Write one assignment's pages and table, and last the folder's own index.html, which is returned.

    `course` and `title` stand above the pages. `max_points` is the assignment's, for those who have no grade;
    `standings` say what counts, by student; `options` are those of `grade` that lead to the same gradebook, for the
    commands on the pages.

    Raises GradebookError if the folder cannot be made or written.
    """
    folder = Path(folder)
    results = _Results(course, assignment, title, max_points, grades, unreadable, final_scores, options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempdirs.folder(".pages-", folder) as half:
            for name, content in chain(_for_students(results), _for_staff(results), _for_all(folder, results)):
                _put(folder / name, content, half)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Check that it is a folder that you may write to, or use --out.")
        raise GradebookError(f"The results cannot be written to {folder}: {error.strerror}. {advice}") from error
    return folder / "index.html"


def _for_students(results: _Results) -> Iterator[tuple[str, str]]:
    place = f"students/{slug(results.assignment)}"
    for grade in results.grades:
        page = student_page(grade, final_score=results.counts(grade.student), **results.heads)
        yield f"{place}/{page_name(grade.student)}", page
    for entry in results.unreadable:
        page = unreadable_page(entry, results.assignment, final_score=results.counts(entry.student), **results.heads)
        yield f"{place}/{page_name(entry.student)}", page


def _for_staff(results: _Results) -> Iterator[tuple[str, str]]:
    place = f"staff/{slug(results.assignment)}"
    around: dict[str, Any] = {"up": _UP, "options": results.options, **results.heads}
    for grade in results.grades:
        page = staff_page(grade, final_score=results.counts(grade.student), **around)
        yield f"{place}/{page_name(grade.student)}", page
    for entry in results.unreadable:
        final_score = results.counts(entry.student)
        page = unreadable_for_staff(entry, results.assignment, final_score=final_score, **around)
        yield f"{place}/{page_name(entry.student)}", page
    table = grades_csv(
        results.grades, results.unreadable, max_points=results.max_points, final_scores=results.final_scores
    )
    yield f"{place}/grades.csv", table
    yield f"{place}/index.html", results.index(_UP)


def _for_all(folder: Path, results: _Results) -> Iterator[tuple[str, str]]:
    """What stands beside the assignments; asked for when theirs is written."""
    yield "README.txt", _README
    tables = {path.parent.name: path.read_text("utf-8") for path in sorted(folder.glob("staff/*/grades.csv"))}
    yield "grades.csv", merged(tables)
    several = [summary(name, table) for name, table in tables.items()] if len(tables) > 1 else []
    yield "index.html", overview_page(several, course=results.course) if several else results.index()


def _put(path: Path, content: str, half: Path) -> None:
    """Replaces a file in one step; what is half written lies in a folder that the next writer removes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (half / "page").write_text(content, encoding="utf-8", newline="")
    os.replace(half / "page", path)
