"""Canvas's gradebook: Grades, Export.

Its first row has the headers, such as `Homework 1 (90002)`. A row `Points Possible`, below a row that says which
assignments are hidden, has the maxima, and `(read only)` or a translation of it above everything that Canvas computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gradetape.exports.platform import FileRow, GradePlatform, PersonColumns, PointsColumn, number_in, value_at

_HEADER = re.compile(r"(?P<title>.+) \((?P<id>\d+)\)")


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The columns of assignments; those that Canvas computes have no number of possible points."""
    possible = next((row for row in rows if row[0].strip() == "Points Possible"), ())
    for place, header in enumerate(rows[0]):
        found, most = _HEADER.fullmatch(header.strip()), value_at(possible, place)
        if found and (not most or number_in(most) is not None):
            yield PointsColumn(place, found["title"], header, number_in(most))


def is_student(row: FileRow) -> bool:
    """Whether a row is a student's: it has Canvas's id, which is a number."""
    return any(each.isdecimal() for each in row.own_ids)


def names(name: str) -> tuple[str, ...]:
    """The name as in the names of downloaded files: `doejane` for Doe, Jane."""
    return ("".join(letter for letter in name.lower() if letter.isalnum()),)


CANVAS = GradePlatform(
    title="Canvas",
    file="the gradebook (Grades, Export)",
    layout="canvas",
    required=(("ID",), ("Section",)),
    columns=PersonColumns(
        own_ids=(("ID",),),
        student_ids=(("SIS User ID",), ("Integration ID",)),
        logins=(("SIS Login ID",),),
        full_name=("Student",),
        first_name=("FirstName",),
        last_name=("LastName",),
    ),
    points=points_columns,
    is_student=is_student,
    kept=frozenset({"EX", "N/A"}),
    names_of=names,
)
