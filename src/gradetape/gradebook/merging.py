"""Merges gradebooks: what others hold is added to one of them, in one transaction.

The others are only read, in parts; one that is being graded into may be merged again later. What is there already is
recognised and stays: merging twice changes nothing. Attempts keep the time at which they were recorded.

    attempts            all are kept; `merged_attempts.py` says which one counts
    question results    the newest under a digest counts, as everywhere; `merged_results.py`
    overrides           all are kept; the newest of a question that is not undone counts, as everywhere
    written answers     those of files that are not there; all marks are kept, as overrides are; `written.py`
    notes               all are kept: comments, done marks and regrade requests; `merged_notes.py`
    claims              are not merged: nothing is being graded in the merged gradebook
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from gradetape.errors import GradebookError
from gradetape.gradebook import claims
from gradetape.gradebook.merge_differences import (
    Disagreement,
    OverrideDifference,
    PartDifference,
    disagreements,
    in_force,
    override_differences,
    part_differences,
)
from gradetape.gradebook.merged_attempts import add_attempts, gathered
from gradetape.gradebook.merged_notes import MergedNotes, add_notes
from gradetape.gradebook.merged_results import add_overrides, add_results
from gradetape.gradebook.other_books import OtherBook, Read, newest_parts
from gradetape.gradebook.written import add_written
from gradetape.text import few, one_line


class MergeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was added, and where the gradebooks differ.

    `known` counts the attempts that were there already. `in_progress` has the number of submissions that are being
    graded, by gradebook.
    """

    attempts: int
    known: int
    results: int
    overrides: int
    notes: MergedNotes = MergedNotes()
    disagreements: tuple[Disagreement, ...] = ()
    differences: tuple[PartDifference, ...] = ()
    override_differences: tuple[OverrideDifference, ...] = ()
    in_progress: dict[str, int] = {}
    marks: int = 0


def merge(connection: sa.Connection, own_name: str, books: Sequence[OtherBook]) -> MergeReport:
    """Adds what the other gradebooks hold, in the transaction of `connection`.

    Raises GradebookError if the results rest on different seeds.
    """
    own = OtherBook(own_name, lambda query: list(connection.execute(query)))
    every = (own, *books)
    differences = tuple(part_differences({book.name: newest_parts(book.read) for book in every}))
    _refuse_other_seeds(differences)
    students = gathered(every)
    disagreeing = tuple(disagreements(every, students.values()))
    before = [in_force(book) for book in every]
    results = sum([add_results(connection, book) for book in books])
    attempts = add_attempts(connection, books, students.values())
    overrides = sum([add_overrides(connection, book) for book in books])
    marks = sum([add_written(connection, book) for book in books])
    return MergeReport(
        attempts=attempts, known=sum(each.known for each in students.values()), results=results,
        overrides=overrides, notes=add_notes(connection, books), disagreements=disagreeing, differences=differences,
        override_differences=tuple(override_differences(every, before, in_force(own))),
        in_progress={book.name: number for book in books if (number := _claimed(book.read))}, marks=marks,
    )  # fmt: skip


def _claimed(read: Read) -> int:
    """How many submissions are being graded."""
    return sum(1 for _ in claims.holders(read(claims.valid())))


def _refuse_other_seeds(differences: Iterable[PartDifference]) -> None:
    for each in differences:
        if each.part == "seed":
            raise GradebookError(
                f"These gradebooks cannot be merged: the results of {one_line(each.assignment)} rest on different "
                f"seeds in {few(map(one_line, each.gradebooks))}, so the checks had other inputs. Nothing was merged. "
                "Grade all with one autograder/seed, or merge into another folder with --out."
            )
