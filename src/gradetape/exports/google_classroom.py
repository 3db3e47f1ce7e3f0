"""Google Classroom's grades: Grades, Download these grades as CSV.

Students have an email address. Rows without one hold the dates and the points of the assignments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradetape.exports.platform import FileRow, GradePlatform, PersonColumns, PointsColumn, folded, number_in, value_at

_EMAIL = ("Email Address",)
_PERSON = {folded(text) for text in (*_EMAIL, "Last Name", "First Name", "Name", "Overall Grade")}


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The columns of assignments; the maxima are in the row `Points`, if there is one."""
    most = next((row for row in rows[1:] if "points" in map(folded, row[:3])), ())
    for place, header in enumerate(rows[0]):
        if header.strip() and folded(header) not in _PERSON:
            yield PointsColumn(place, header, header, number_in(value_at(most, place)))


def is_student(row: FileRow) -> bool:
    """Whether a row is a student's: it has an email address."""
    return any("@" in each for each in row.emails)


GOOGLE_CLASSROOM = GradePlatform(
    title="Google Classroom",
    file="the grades (Grades, Download these grades as CSV)",
    layout="google",
    required=(_EMAIL, ("Last Name",), ("First Name",)),
    columns=PersonColumns(emails=(_EMAIL,), first_name=("First Name",), last_name=("Last Name",)),
    points=points_columns,
    is_student=is_student,
)
