"""From an address to a page, made by `report` from the gradebook and the course of this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gradetape.course.assignments import find
from gradetape.desk.names import pseudonym, without_names
from gradetape.engine import OpenEngine, open_engine
from gradetape.exports import csv, merged
from gradetape.grading.results import Results, course_title, options_again, pages_of
from gradetape.records import Grade, Question, Unreadable
from gradetape.report import (
    Actions,
    AssignmentPages,
    overview_page,
    page_name,
    read_similar,
    similar_written_at,
    slug,
    written_at,
)
from gradetape.text import counted


class NoPage(LookupError):
    """The gradebook holds nothing under an address."""


@dataclass(frozen=True)
class Desk:
    """The course in a folder, its results folder (by default the configuration's), and who sits at the desk."""

    root: Path
    folder: Path | None
    by: str
    open_engine: OpenEngine = open_engine

    def open(self) -> Results:
        """The results of this moment; raises GradetapeError."""
        return Results.open(find(self.root), self.folder)


def assignment_named(results: Results, address: str) -> str:
    """The assignment under an address; raises NoPage."""
    for name in results.assignments():
        if slug(name) == address:
            return name
    raise NoPage(address)


def pages_at(
    desk: Desk, results: Results, address: str, token: str = "", *, hidden: bool = False
) -> AssignmentPages:  # fmt: skip
    """The pages of the assignment under an address, with forms if there is a token for them; raises NoPage.

    With `hidden`, they have pseudonyms instead of names.
    """
    name = assignment_named(results, address)
    pages = pages_of(results, results.scored(name), options_again(desk.folder))
    pages = without_names(pages) if hidden else pages
    if not token:
        return pages
    similar = "" if hidden else similar_written_at(results_folder(desk, results), name)
    return replace(pages, actions=Actions(token, slug(name), hidden), similar=similar)


def checked_address(results: Results, address: str) -> str:
    """The address if there is an assignment under it; raises NoPage."""
    assignment_named(results, address)
    return address


def results_folder(desk: Desk, results: Results) -> Path:
    """The folder into which the pages are written."""
    return desk.folder or results.course.root / results.course.config.results


def as_published(desk: Desk, results: Results, address: str) -> str:
    """When the dashboard of an assignment was written into the results folder, in sentences; raises NoPage."""
    name, folder = assignment_named(results, address), results_folder(desk, results)
    at = written_at(folder, name)
    if not at:
        return f"The pages of {name} were never written into {folder}."
    return (
        f"The dashboard of {name} in {folder} was last written at {at}. Publish and gradetape report write all pages; "
        f"other commands write the dashboard with the pages of one student, so that others can be older. Give each "
        f"student the page of the same name in {folder / 'students' / address}; all else there is for staff only."
    )


def warnings_at(results: Results, address: str, *, hidden: bool) -> tuple[str, ...]:
    """What is doubtful about the results under an address; with `hidden`, only how much. Raises NoPage."""
    found = results.scored(assignment_named(results, address)).warnings
    if found and hidden:
        return (f"{counted(len(found), 'warning')} may name students: show the names to read what they say.",)
    return found


def similar_page(desk: Desk, results: Results, address: str, page: str) -> str:
    """A page that `gradetape similar` wrote into the results folder; raises NoPage."""
    found = read_similar(results_folder(desk, results), assignment_named(results, address), page)
    if found is None:
        raise NoPage(page)
    return found


def record_at(pages: AssignmentPages, page: str) -> Grade | Unreadable:
    """The student's record whose page has this name, also that of the pseudonym; raises NoPage."""
    if page in pages.records:
        return pages.records[page]
    for record in pages.records.values():
        if page_name(pseudonym(pages.assignment, record.student)) == page:
            return record
    raise NoPage(page)


def page_with(desk: Desk, results: Results, address: str, page: str, *, hidden: bool) -> str:
    """The name of a student's page, with the pseudonym or with the name, from either of them; raises NoPage."""
    student = record_at(pages_at(desk, results, address), page).student
    return page_name(pseudonym(assignment_named(results, address), student) if hidden else student)


def question_at(pages: AssignmentPages, page: str) -> Question:
    """The question whose page has this name; raises NoPage."""
    if page not in pages.questions:
        raise NoPage(page)
    return pages.questions[page]


def overview(results: Results) -> str:
    """The list of all assignments."""
    tables = {slug(name): results.table([name]).table for name in results.assignments()}
    summaries = [table.summary(name) for name, table in tables.items()]
    return overview_page(summaries, course=course_title(results.course))


def start_of(results: Results) -> str:
    """The address of the page that the desk opens with: the dashboard, or the list of several."""
    names = results.assignments()
    return f"/staff/{slug(names[0])}/index.html" if len(names) == 1 else "/index.html"


def table_of_all(desk: Desk, results: Results, address: str | None = None, *, hidden: bool = False) -> str:
    """The table of the grades of all assignments, or of the one under an address."""
    names = results.assignments() if address is None else [assignment_named(results, address)]
    if not hidden:
        return csv.write(results.table(names).table)
    tables = {name: pages_at(desk, results, slug(name), hidden=True).table for name in names}
    return csv.write(merged(tables))
