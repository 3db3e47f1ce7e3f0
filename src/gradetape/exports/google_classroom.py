"""Google Classroom's grades: Grades, Download these grades as CSV.

Students have an email address. The two rows before them have none: the dates and the points of the assignments. Google
documents the file nowhere; docs/lms.md says against what it was checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradetape.exports.platform import FileRow, GradePlatform, PersonColumns, PointsColumn, folded, number_in, value_at

_EMAIL = ("Email Address",)
_PERSON = {folded(text) for text in (*_EMAIL, "Last Name", "First Name", "Name", "Overall Grade")}


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The columns of assignments; the maxima are in the row `Points`, or in the third row if it has no such word."""
    labelled = (row for row in rows[1:] if "points" in map(folded, row[:3]))
    most = next(labelled, next((row for row in rows[2:3] if _are_points(row)), ()))
    for place, header in enumerate(rows[0]):
        if header.strip() and folded(header) not in _PERSON:
            yield PointsColumn(place, header, header, number_in(value_at(most, place)))


def _are_points(row: Sequence[str]) -> bool:
    """Whether a row is nobody's, and holds numbers alone."""
    texts = [text.strip() for text in row[3:] if text.strip()]
    return not any("@" in text for text in row[:3]) and all(number_in(text) is not None for text in texts)


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
