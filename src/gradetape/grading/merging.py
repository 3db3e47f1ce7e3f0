"""Merges the gradebooks of a batch that was graded in shares, or on several machines, into the course's gradebook."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gradetape.course.assignments import Course
from gradetape.errors import RequestError
from gradetape.gradebook import Gradebook, MergeReport
from gradetape.grading.people import names_when_merged
from gradetape.grading.results import GRADEBOOK, Results, options_again
from gradetape.text import one_line


@dataclass(frozen=True)
class Merge:
    """What was merged into a gradebook; `index` is the start page, `warnings` are in sentences.

    `assignments` are those that the gradebooks have, by gradebook. `attention` counts the grades and files that need
    it among all that count now.
    """

    into: str
    report: MergeReport
    assignments: Mapping[str, Sequence[str]]
    attention: int
    index: Path
    warnings: tuple[str, ...] = ()

    @property
    def needs_attention(self) -> bool:
        """Whether staff must look at something."""
        return bool(self.attention or self.report.disagreements or self.report.override_differences)


def merge(course: Course, places: Sequence[str], out: Path | None = None) -> Merge:
    """Adds what gradebooks hold to the course's, or to the one in the folder `out`, and writes the pages.

    `places` are results folders, SQLite files or database URLs. Raises RequestError for one that holds no gradebook,
    for the gradebook itself and for assignments of another course, GradebookError for different seeds; then nothing
    was merged.
    """
    folder = out or course.root / course.config.results
    into = str(course.config.gradebook or folder / GRADEBOOK)
    found = [_found(place) for place in dict.fromkeys(places)]
    _refuse_itself(found, into)
    with ExitStack() as stack:
        others = [stack.enter_context(Gradebook.open(place)) for place in found]
        assignments = {place: other.assignments() for place, other in zip(found, others, strict=True)}
        _refuse_others(course, assignments)
        book = stack.enter_context(Gradebook.open(into))
        report = book.merge(others, list(names_when_merged(book, others)))
        migrated = [each.migrated for each in (book, *others) if each.migrated]
        names = sorted({name for each in assignments.values() for name in each})
        attention, index, warnings = _written(course, book, names, folder, options_again(out))
    return Merge(into, report, assignments, attention, index, (*migrated, *warnings))


def _found(place: str) -> str:
    """A gradebook's file or URL; raises RequestError if there is none."""
    if "://" in place:
        return place
    path = Path(place)
    file = path / GRADEBOOK if path.is_dir() else path
    if not file.is_file():
        raise RequestError(
            f"There is no gradebook {one_line(str(file))}: nothing was graded into it. Name results folders, as they "
            "were given to grade --out, gradebook.sqlite files, or the URLs of databases. Nothing was merged."
        )
    return str(file)


def _refuse_itself(places: Sequence[str], into: str) -> None:
    for place in places:
        if place == into or ("://" not in place and os.path.realpath(place) == os.path.realpath(into)):
            raise RequestError(
                f"{one_line(place)} is the gradebook that the others are merged into: leave it out, or choose another "
                "folder with --out. Nothing was merged."
            )


def _refuse_others(course: Course, assignments: Mapping[str, Sequence[str]]) -> None:
    known = course.names()
    for place, names in assignments.items():
        unknown = [name for name in names if name not in known]
        if unknown:
            raise RequestError(
                f"{one_line(place)} has grades of {one_line(unknown[0])!r}, which is no assignment of this course "
                f"({', '.join(known)}). Run the command in the course that it was graded in. Nothing was merged."
            )


def _written(
    course: Course, book: Gradebook, names: Sequence[str], folder: Path, options: Sequence[str]
) -> tuple[int, Path, tuple[str, ...]]:
    """Writes the pages; returns how many grades and files need attention, the start page, and warnings."""
    results, attention, warnings = Results(course, book), 0, list[str]()
    index = folder / "index.html"
    for name in names:
        written = results.write_pages(name, folder, options=options)
        warnings += written.warnings
        index = written.index
        attention += book.unsettled(name)
    return attention, index, tuple(warnings)
