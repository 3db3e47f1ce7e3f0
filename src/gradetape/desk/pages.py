"""From an address to a page, made by `report` from the gradebook and the course of this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gradetape.course.assignments import find
from gradetape.engine import OpenEngine, open_engine
from gradetape.exports import csv
from gradetape.grading.results import Results, course_title, options_again, pages_of
from gradetape.records import Grade, Question, Unreadable
from gradetape.report import Actions, AssignmentPages, overview_page, slug


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


def pages_at(desk: Desk, results: Results, address: str, token: str = "") -> AssignmentPages:
    """The pages of the assignment under an address, with forms if there is a token for them; raises NoPage."""
    name = assignment_named(results, address)
    pages = pages_of(results, results.scored(name), options_again(desk.folder))
    return replace(pages, actions=Actions(token, slug(name))) if token else pages


def record_at(pages: AssignmentPages, page: str) -> Grade | Unreadable:
    """The student's record whose page has this name; raises NoPage."""
    if page not in pages.records:
        raise NoPage(page)
    return pages.records[page]


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


def table_of_all(results: Results, address: str | None = None) -> str:
    """The table of the grades of all assignments, or of the one under an address."""
    names = results.assignments() if address is None else [assignment_named(results, address)]
    return csv.write(results.table(names).table)
