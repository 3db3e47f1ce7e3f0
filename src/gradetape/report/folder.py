"""The results folder. Files in it are replaced as a whole: each one is the old or the new version, never partial.
Only their owner can read them, and enter the folders that are made.

    index.html                        the assignment's dashboard, or a list if there are several assignments
    grades.csv                        the grades of all students
    staff/ASSIGNMENT/                 its dashboard, its grades.csv, and a page for each student, for staff only
    staff/ASSIGNMENT/questions/       a page for each question over all students, for staff only
    staff/ASSIGNMENT/similar/         pairs of submissions that share code, for staff only
    students/ASSIGNMENT/STUDENT.html  for that student; students/ is the only folder that may be published

The first two take the grades of other assignments from the tables in `staff/`, so each assignment can be written
separately.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from gradetape import files, tempdirs
from gradetape.errors import GradebookError
from gradetape.exports import csv, merged
from gradetape.records import FinalScore, Grade, MixedQuestion, NoSubmission, PointsChange, Unreadable
from gradetape.report.dashboard import overview_page
from gradetape.report.html import page_name, slug
from gradetape.report.material import NO_MATERIAL, Material
from gradetape.report.pages import AssignmentPages

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and run the command again.",
    errno.EDQUOT: "Your share of the disk is used up: free some space and run the command again.",
    errno.EACCES: "You may not write there: choose another folder with --out.",
    errno.EPERM: "You may not write there: choose another folder with --out.",
    errno.EROFS: "That disk is read-only: choose another folder with --out.",
}
_README = """\
students/   A page for each student, without any information for staff. Give each student their own page. The file
            names contain the students' names: on a server, restrict each page to its student.
Everything else is for staff. Do not publish it: staff/ shows the inputs and expected values of hidden checks, and
index.html, grades.csv and the gradebook contain the points of all students.
"""


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
    pages = AssignmentPages(
        course, assignment, title, max_points, grades, unreadable, final_scores, options, changes, mixed, no_submission,
        material,
    )  # fmt: skip
    return write_pages(folder, pages, students)


def write_pages(folder: str | Path, pages: AssignmentPages, students: Collection[str] | None = None) -> Path:
    """The same for pages that are there; see `write`."""
    folder = Path(folder)
    own = _of_each(pages, pages.of(students))
    _write(folder, pages.assignment, chain(own, _about_all(pages), _for_all(folder, pages)))
    return folder / "index.html"


def write_similar(folder: Path, assignment: str, pages: Iterable[tuple[str, str]]) -> Path:
    """Replaces the pages about similar submissions by these (pairs of file name and HTML); returns the first one.

    Raises GradebookError if the folder cannot be created or written.
    """
    place = f"staff/{slug(assignment)}/similar"
    remove_similar(folder, assignment)
    _write(folder, assignment, ((f"{place}/{name}", content) for name, content in pages))
    return folder / place / "index.html"


def remove_similar(folder: Path, assignment: str) -> None:
    """Removes the pages about similar submissions, which show the code of students; raises GradebookError."""
    _refuse_links(folder, assignment)
    _remove(folder, (folder / "staff" / slug(assignment) / "similar").glob("*.html"))


def _write(folder: Path, assignment: str, pages: Iterable[tuple[str, str]]) -> None:
    """Writes pages, by their paths in the folder."""
    try:
        _refuse_links(folder, assignment)
        files.make_folder(folder)
        with tempdirs.folder(".pages-", folder) as partial:
            for name, content in pages:
                _put(folder / name, content, partial)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Check that it is a folder that you may write to, or use --out.")
        raise GradebookError(f"The results cannot be written to {folder}: {error.strerror}. {advice}") from error


def has_pages(folder: Path, assignment: str) -> bool:
    """Whether a results folder has pages of an assignment."""
    return (folder / "staff" / slug(assignment)).is_dir()


def has_dashboard(folder: Path, assignment: str) -> bool:
    """Whether the pages of all students of an assignment were written into a folder."""
    return (folder / "staff" / slug(assignment) / "index.html").is_file()


def written_at(folder: Path, assignment: str) -> str:
    """When the dashboard of an assignment was written into a folder (ISO, UTC); empty if it never was."""
    return _written_at(folder / "staff" / slug(assignment) / "index.html")


def similar_written_at(folder: Path, assignment: str) -> str:
    """When the pages about similar submissions were written (ISO, UTC); empty if they never were."""
    return _written_at(folder / "staff" / slug(assignment) / "similar" / "index.html")


def read_similar(folder: Path, assignment: str, name: str) -> str | None:
    """A page about similar submissions by its file name, None if there is none; raises GradebookError."""
    _refuse_links(folder, assignment)
    pages = {page.name: page for page in (folder / "staff" / slug(assignment) / "similar").glob("*.html")}
    return pages[name].read_text("utf-8") if name in pages and not pages[name].is_symlink() else None


def _written_at(page: Path) -> str:
    try:
        return datetime.fromtimestamp(page.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except OSError:
        return ""


def remove_pages(folder: Path, assignment: str, student: str) -> None:
    """Removes the pages of a student in an assignment, and those of questions and of pairs; raises GradebookError."""
    _refuse_links(folder, assignment)
    staff, students = (folder / part / slug(assignment) for part in ("staff", "students"))
    _remove(folder, (students / page_name(student), staff / page_name(student), *staff.glob("questions/*.html")))
    remove_similar(folder, assignment)


def _remove(folder: Path, pages: Iterable[Path]) -> None:
    try:
        for page in pages:
            page.unlink(missing_ok=True)
    except OSError as error:
        reason = f"The pages of a student in {folder} cannot be removed: {error.strerror}."
        raise GradebookError(f"{reason} Remove them by hand.") from error


def _refuse_links(folder: Path, assignment: str) -> None:
    """Raises GradebookError if the results would be written through a symbolic link."""
    staff = folder / "staff" / slug(assignment)
    for place in (folder / "students" / slug(assignment), staff / "questions", staff / "similar"):
        if link := files.link_in(place):
            raise GradebookError(
                f"The results folder {folder} is behind a symbolic link, or holds one: {link}. Links are not followed, "
                "since the results would be written wherever it points. Remove the link, or name the folder itself "
                f"with --out or in grader_config.yml (results:): {os.path.realpath(link)}"
            )


def _of_each(pages: AssignmentPages, records: Iterable[Grade | Unreadable]) -> Iterator[tuple[str, str]]:
    for record in records:
        name = f"{slug(pages.assignment)}/{page_name(record.student)}"
        yield f"students/{name}", pages.for_student(record)
        yield f"staff/{name}", pages.for_staff(record)


def _about_all(pages: AssignmentPages) -> Iterator[tuple[str, str]]:
    place = f"staff/{slug(pages.assignment)}"
    yield f"{place}/grades.csv", csv.write(pages.table)
    yield f"{place}/index.html", pages.dashboard()
    for name, question in pages.questions.items():
        yield f"{place}/questions/{name}", pages.of_question(question)


def _for_all(folder: Path, pages: AssignmentPages) -> Iterator[tuple[str, str]]:
    """The files beside the assignments' folders; it reads these, so it runs once this assignment's are written."""
    yield "README.txt", _README
    texts = {path: path.read_text("utf-8") for path in sorted(folder.glob("staff/*/grades.csv"))}
    if len(texts) == 1:
        yield from (("grades.csv", text) for text in texts.values())
        yield "index.html", pages.dashboard("")
        return
    tables = {path.parent.name: csv.read(text, str(path)) for path, text in texts.items()}
    yield "grades.csv", csv.rewrite(merged(tables))
    summaries = [table.summary(name) for name, table in tables.items()]
    yield "index.html", overview_page(summaries, course=pages.course)


def _put(path: Path, content: str, partial: Path) -> None:
    """Replace a file atomically; `partial`, where it is written, is removed by the next writer after a crash.

    A file with the same content gets a new time only: to replace it takes longer than to read it.
    """
    if files.has_text(path, content):
        os.utime(path)
        return
    for folder in reversed(path.parents[:3]):
        files.make_folder(folder)
    files.write_text(partial / "page", content)
    os.replace(partial / "page", path)
