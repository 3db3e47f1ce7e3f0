"""Merges gradebooks: what others hold is added to one of them, in one transaction.

The others are only read, in parts; one that is being graded into may be merged again later. What is there already is
recognised and stays: merging twice changes nothing. Attempts keep the time at which they were recorded.

    attempts            all are kept; `merged_attempts.py` says which one counts
    question results    the newest under a digest counts, as everywhere; `merged_results.py`
    written answers     those of files that are not there; `written.py`
    entries             all are kept: overrides, marks, comments, done marks and regrade requests; the newest of them
                        that is not undone counts, as everywhere; `merged_entries.py`
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
from gradetape.gradebook.merged_entries import COMMENT, DONE_MARK, MARK, OVERRIDE, REQUEST, add_entries
from gradetape.gradebook.merged_results import add_results
from gradetape.gradebook.other_books import OtherBook, Read, newest_parts
from gradetape.gradebook.written import add_answers
from gradetape.text import few, one_line


class MergedNotes(msgspec.Struct, frozen=True, kw_only=True):
    """How many comments, done marks and regrade requests were added."""

    comments: int = 0
    done_marks: int = 0
    requests: int = 0


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
    overrides = add_entries(connection, books, OVERRIDE)
    for book in books:
        add_answers(connection, book)
    return MergeReport(
        attempts=attempts, known=sum(each.known for each in students.values()), results=results,
        overrides=overrides, marks=add_entries(connection, books, MARK), notes=_add_notes(connection, books),
        disagreements=disagreeing, differences=differences,
        override_differences=tuple(override_differences(every, before, in_force(own))),
        in_progress={book.name: number for book in books if (number := _claimed(book.read))},
    )  # fmt: skip


def _add_notes(connection: sa.Connection, books: Sequence[OtherBook]) -> MergedNotes:
    comments, done_marks, requests = (add_entries(connection, books, kind) for kind in (COMMENT, DONE_MARK, REQUEST))
    return MergedNotes(comments=comments, done_marks=done_marks, requests=requests)


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
