"""What a platform's file of grades looks like: whose a row is, and which columns hold points."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gradetape.text import composed

_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+")


class PointsColumn(NamedTuple):
    """A column that holds the points of an assignment: its place in a row, its title, and its whole header.

    The highest number of points is `maximum`, or that in the row's field at `maximum_at`; None if the file does not say
    it. `comment_at` is the place of the comments for students, if the file has them. `only` says that the file is of
    one assignment, whatever its title.
    """

    at: int
    title: str
    header: str
    maximum: float | None = None
    maximum_at: int | None = None
    comment_at: int | None = None
    only: bool = False


class FileRow(NamedTuple):
    """A student's row: its number as spreadsheets count, from 1, and by what the student is recognised.

    `own_ids` are ids that only this platform uses, `student_ids` those of the university. Nothing in it is empty.
    """

    number: int
    own_ids: tuple[str, ...] = ()
    student_ids: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Everything but the names."""
        return (*self.own_ids, *self.student_ids, *self.logins, *self.emails)

    @property
    def label(self) -> str:
        """The row's number and the student, for messages."""
        who = [*self.names[:1], *(f"({each})" for each in self.identifiers[:1])]
        return f"row {self.number}, {' '.join(who)}"


class PersonColumns(NamedTuple):
    """The headers of the columns that say whose a row is; each has its translations."""

    own_ids: tuple[tuple[str, ...], ...] = ()
    student_ids: tuple[tuple[str, ...], ...] = ()
    logins: tuple[tuple[str, ...], ...] = ()
    emails: tuple[tuple[str, ...], ...] = ()
    full_name: tuple[str, ...] = ()
    first_name: tuple[str, ...] = ()
    last_name: tuple[str, ...] = ()


def has_identifier(row: FileRow) -> bool:
    """Whether a row is a student's: it has an id, a login or an email address."""
    return bool(row.identifiers)


def as_it_is(text: str) -> tuple[str, ...]:
    """An identifier that is compared as it is."""
    return (text,)


def no_more_names(_: str) -> tuple[str, ...]:
    """No name but those in the file."""
    return ()


class GradePlatform(NamedTuple):
    """A platform and its file of grades.

    `title` is its name, `file` how to download the file, `layout` the layout of submissions whose ids are the own ids
    of its rows. `columns` finds whose a row is; `required` are headers that every such file has, each with its
    translations. `points` finds the columns of points in the rows of a file. `is_student` says whether a row is a
    student's, `kept` are values that are not replaced. `own_ids_of` reads a field with an own id, and `names_of` makes
    further names of one like `Doe, Jane`.
    """

    title: str
    file: str
    layout: str
    required: tuple[tuple[str, ...], ...]
    columns: PersonColumns
    points: Callable[[Sequence[Sequence[str]]], Iterable[PointsColumn]]
    is_student: Callable[[FileRow], bool] = has_identifier
    kept: frozenset[str] = frozenset()
    own_ids_of: Callable[[str], tuple[str, ...]] = as_it_is
    names_of: Callable[[str], tuple[str, ...]] = no_more_names

    def has_headers(self, header: Sequence[str]) -> bool:
        """Whether a first row has the headers of the platform's file."""
        return all(place_of(header, names) is not None for names in self.required)


def place_of(header: Sequence[str], names: Iterable[str]) -> int | None:
    """The place of the first column with one of these headers, in capitals or not."""
    wanted = {folded(name) for name in names}
    return next((place for place, text in enumerate(header) if folded(text) in wanted), None)


def tidied(text: str) -> str:
    """A text for comparison: composed characters, single spaces."""
    return " ".join(composed(text).split())


def folded(text: str) -> str:
    """The same without regard to capitals."""
    return tidied(text).casefold()


def number_in(text: str) -> float | None:
    """The number in a field, with a decimal point or a decimal comma; None if it holds something else."""
    text = text.strip()
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def written(points: float) -> str:
    """Points as platforms read them, without needless zeros."""
    return f"{points:.6f}".rstrip("0").rstrip(".")


def value_at(row: Sequence[str], place: int | None) -> str:
    """The value at a place of a row, without spaces around it; empty if there is no such column or field."""
    return row[place].strip() if place is not None and place < len(row) else ""
