"""Fills the grades of an assignment into a platform's own file: one column, and one of comments if it has them.

Everything is decided before anything is changed, and every problem is reported with its row. A file is filled
completely, or with `partial` except for students without a row, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.exports.fields import SEPARATORS, EncodedText, FieldTable, first_row
from gradetape.exports.people import ExportedScore, Matching, doubled, file_rows, matched
from gradetape.exports.platform import (
    FileRow,
    GradePlatform,
    PointsColumn,
    folded,
    number_in,
    tidied,
    value_at,
    written,
)
from gradetape.exports.registry import PLATFORMS
from gradetape.text import as_points, few_lines

_TOLERANCE = 1e-9
# What a comment of an earlier export begins with; any other comment is somebody's own.
COMMENT_MARK = '<div class="gradetape">'


class FillRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to fill in, and where.

    `name` is the file's, for messages; `titles` are the assignment's title and name, by which its column is found
    unless `column` names it. `chosen` are identifiers of rows by students' names, in composed characters. With
    `partial`, students without a row are left out. `max_points` are the assignment's.
    """

    name: str
    scores: tuple[ExportedScore, ...]
    titles: tuple[str, ...]
    max_points: float
    column: str = ""
    chosen: Mapping[str, str] = {}
    partial: bool = False


class FieldChange(msgspec.Struct, frozen=True):
    """A new value of a field, in the row of a student."""

    row: FileRow
    student: str
    at: int
    before: str
    after: str


class FilledFile(msgspec.Struct, frozen=True, kw_only=True):
    """A filled file: the bytes, what changed in them, and what staff should know, in sentences.

    `points` are the changes of points, `comments` those of comments for students.
    """

    content: bytes
    column: str
    points: tuple[FieldChange, ...]
    comments: tuple[FieldChange, ...]
    notes: tuple[str, ...]


def fill(platform: GradePlatform, content: bytes, request: FillRequest) -> FilledFile:
    """A platform's file with the points of an assignment.

    Raises RequestError if it is not such a file, if its column is unknown or ambiguous, or if a row is wrong; the text
    has every problem with its row.
    """
    table = _table(platform, EncodedText.of(content, request.name), request.name)
    column = _column(platform, table, request)
    rows = file_rows(platform, table.values)
    matching = matched(platform, rows, request.scores, request.chosen)
    filling = _Filling(platform, table, column, request, matching)
    problems = [*_misshapen(table), *doubled(rows), *matching.problems, *filling.problems()]
    _refuse(request.name, problems, [] if request.partial else list(filling.without_row()))
    points, comments = tuple(filling.points()), tuple(filling.comments())
    changes = {(change.row.number - 1, change.at): change.after for change in (*points, *comments)}
    return FilledFile(
        content=table.with_values(changes), column=column.header, points=points, comments=comments,
        notes=tuple(filling.notes(rows)),
    )  # fmt: skip


class _Filling:
    """One file, one column of it, and the rows of the students."""

    def __init__(
        self, platform: GradePlatform, table: FieldTable, column: PointsColumn, request: FillRequest, matching: Matching
    ) -> None:
        self._platform = platform
        self._values = table.values
        self._column = column
        self._request = request
        self._matching = matching
        self._comma = _uses_comma(self._values, column, table.separator)

    def points(self) -> Iterator[FieldChange]:
        """The points that change; the same number written in another way is no change."""
        for score, row in self._matched():
            before = value_at(self._of(row), self._column.at)
            if number_in(before) != score.points and before not in self._platform.kept:
                yield FieldChange(row, score.student, self._column.at, before, self._written(score.points or 0.0))

    def comments(self) -> Iterator[FieldChange]:
        """The comments that change; those that somebody else wrote stay."""
        place = self._column.comment_at
        for score, row in self._matched():
            if place is None or place >= len(self._of(row)):
                continue
            before = value_at(self._of(row), place)
            if score.comment not in ("", before) and _is_ours(before):
                yield FieldChange(row, score.student, place, before, score.comment)

    def problems(self) -> Iterator[str]:
        """Why the file cannot be filled."""
        for score, row in self._matched():
            yield from self._too_many(score, row)
        students = {tidied(score.student): score.student for score in self._request.scores}
        for student in self._request.chosen:
            why = self._matching.unmatched.get(students[student]) if student in students else "no result"
            if why:
                yield f"--match names {student!r}: {why}"

    def without_row(self) -> Iterator[str]:
        """The students with points who have no row."""
        for score in self._request.scores:
            if score.points is not None and score.student in self._matching.unmatched:
                yield f"{score.student} has {as_points(score.points)}: {self._matching.unmatched[score.student]}"

    def notes(self, rows: Iterable[FileRow]) -> Iterator[str]:
        """What is left as it is, and why."""
        yield from self._matching.left(self._request.scores)
        for score, row in self._matched():
            before = value_at(self._of(row), self._column.at)
            if before in self._platform.kept:
                yield f"left as it is: {row.label}: it is {before}, not {score.points:g}"
            comment = value_at(self._of(row), self._column.comment_at)
            if score.comment and not _is_ours(comment):
                yield f"left as it is: {row.label}: the comment is not gradetape's"
        taken = {row.number for row in self._matching.rows.values()}
        yield from (f"no result: {row.label}" for row in rows if row.number not in taken)
        yield from self._other_maximum()

    def _matched(self) -> Iterator[tuple[ExportedScore, FileRow]]:
        """The students with points who have a row."""
        return self._matching.pairs(self._request.scores)

    def _of(self, row: FileRow) -> list[str]:
        return self._values[row.number - 1]

    def _too_many(self, score: ExportedScore, row: FileRow) -> Iterator[str]:
        if self._column.at >= len(self._of(row)):
            yield f"{row.label}: the row ends before the column {self._column.header!r}"
            return
        text = self._maximum_in(row)
        most = number_in(text) if self._column.maximum_at is not None else self._column.maximum
        if most is None and self._column.maximum_at is not None:
            yield f"{row.label}: the maximum {text!r} is not a number"
        elif most is not None and (score.points or 0.0) > most + _TOLERANCE:
            yield f"{row.label}: {as_points(score.points or 0.0)}, more than the maximum, {most:g}"

    def _maximum_in(self, row: FileRow) -> str:
        """The field of the maximum; where it is empty, that of another row."""
        place = self._column.maximum_at
        return value_at(self._of(row), place) or next(
            filter(None, (value_at(each, place) for each in self._values[1:])), ""
        )

    def _other_maximum(self) -> Iterator[str]:
        column = self._column
        maxima = {number_in(self._maximum_in(row)) for _, row in self._matched()}
        most = column.maximum if column.maximum_at is None else next(iter(maxima), None)
        if most is not None and most != self._request.max_points:
            yield (
                f"the maximum in the file is {most:g}, that of the assignment {self._request.max_points:g}: points are "
                "not scaled"
            )

    def _written(self, points: float) -> str:
        return written(points).replace(".", ",") if self._comma else written(points)


def _table(platform: GradePlatform, source: EncodedText, name: str) -> FieldTable:
    """The file as fields, with the separator with which it has the platform's headers."""
    if separator := _separator(platform, source):
        return FieldTable.of(source, separator, name)
    if others := [each for each, one in PLATFORMS.items() if _separator(one, source)]:
        other = max(others, key=lambda each: len(PLATFORMS[each].required))
        raise RequestError(
            f"{name} is {PLATFORMS[other].title}'s file of grades. Fill it with: gradetape export {other}"
        )
    wanted = ", ".join(names[0] for names in platform.required)
    raise RequestError(
        f"{name} is not {platform.title}'s file of grades: its first row has no columns {wanted}. Download "
        f"{platform.file}, in English if the headers are in a language that gradetape does not know."
    )


def _separator(platform: GradePlatform, source: EncodedText) -> str:
    """The separator with which the first row has the headers of the platform; empty if there is none."""
    for separator in SEPARATORS:
        if platform.has_headers(first_row(source, separator)):
            return separator
    return ""


def _column(platform: GradePlatform, table: FieldTable, request: FillRequest) -> PointsColumn:
    """The column that is asked for, the assignment's, or the only one that a file of one assignment has."""
    columns = list(platform.points(table.values))
    if request.column:
        found = [each for each in columns if _is_called(each, request.column)]
    else:
        titles = set(map(_words, request.titles)) - {""}
        found = [each for each in columns if each.only or _words(each.title) in titles]
    if len(found) == 1:
        return found[0]
    if not columns:
        raise RequestError(
            f"{request.name} has no column of points. Download {platform.file}, with the assignment's column of points "
            "in it."
        )
    asked = f"--column {request.column!r}" if request.column else f"the title {request.titles[0]!r}"
    several = "Several columns have" if found else "No column has"
    known = ", ".join(repr(each.header) for each in found or columns)
    raise RequestError(f"{request.name}: {several} {asked}. Choose one with --column: {known}")


def _is_called(column: PointsColumn, name: str) -> bool:
    """Whether a column has this header, title, or id; Canvas's ids are in parentheses, Blackboard's follow a bar."""
    header = folded(column.header)
    ids = (f"({name})", f"|{name}") if name.isdecimal() else ()
    return folded(name) in (header, folded(column.title)) or header.endswith(ids)


def _words(text: str) -> str:
    """The words of a title: `homework-1` is Homework 1, and Homework 1.1 is not Homework 11."""
    return " ".join(re.findall(r"[^\W_]+", folded(text)))


def _misshapen(table: FieldTable) -> Iterator[str]:
    """Rows with more fields than headers: a separator without quotes moves points to another column."""
    width = len(table.rows[0])
    for number, row in enumerate(table.values, start=1):
        if any(row[width:]):
            yield f"row {number} has {len(row)} fields, the first row {width}"


def _uses_comma(values: Sequence[Sequence[str]], column: PointsColumn, separator: str) -> bool:
    """Whether numbers have a decimal comma: as the maxima have it, else as the points have it, else by separator."""
    for place in (column.maximum_at, column.at):
        texts = [value_at(row, place) for row in values[1:]]
        numbers = [text for text in texts if number_in(text) is not None]
        if any("." in text for text in numbers):
            return False
        if any("," in text for text in numbers):
            return True
    return separator == ";"


def _is_ours(comment: str) -> bool:
    return not comment or comment.startswith(COMMENT_MARK)


def _refuse(name: str, problems: Sequence[str], without_row: Sequence[str]) -> None:
    """Raises RequestError if there is a problem; it has one line for each."""
    if not problems and not without_row:
        return
    advice = (
        "Correct the file on the platform and download it again, or correct the results."
        if problems
        else "Name the row of such a student with --match STUDENT=ID, or leave them out with --partial."
    )
    raise RequestError("\n".join([f"{name} was not filled:", *few_lines([*problems, *without_row]), advice]))
