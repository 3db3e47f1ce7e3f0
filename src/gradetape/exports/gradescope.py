"""Gradescope's grades: of one assignment (Review Grades, Download Grades), or of the course (Download Grades)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradetape.exports.platform import GradePlatform, PersonColumns, PointsColumn, place_of

_TOTAL, _MOST = "Total Score", "Max Points"


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The total score of one assignment, or each column that has one of maximum points beside it."""
    header = rows[0]
    for place, text in enumerate(header):
        most = place_of(header, [_MOST if text == _TOTAL else f"{text} - {_MOST}"])
        if most is not None and text.strip():
            yield PointsColumn(place, text, text, maximum_at=most, only=text == _TOTAL)


GRADESCOPE = GradePlatform(
    title="Gradescope",
    file="the grades of an assignment or of the course (Download Grades, CSV)",
    layout="gradescope",
    required=(("Email",), ("SID", "Student ID")),
    columns=PersonColumns(
        student_ids=(("SID", "Student ID"),),
        emails=(("Email",),),
        full_name=("Name",),
        first_name=("First Name",),
        last_name=("Last Name",),
    ),
    points=points_columns,
)
