"""Brightspace's grades: Enter Grades, Export, with the points of each grade item.

A header is `Homework 1 Points Grade <Numeric MaxPoints:10 Weight:5>`; ids begin with a number sign, and so does the
last column, `End-of-Line Indicator`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gradetape.exports.platform import GradePlatform, PersonColumns, PointsColumn, number_in

_HEADER = re.compile(r"(?P<title>.+) Points Grade(?: <.*?MaxPoints:(?P<most>\d+(?:[.,]\d+)?).*>)?")


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The columns of points."""
    for place, header in enumerate(rows[0]):
        if found := _HEADER.fullmatch(header.strip()):
            yield PointsColumn(place, found["title"], header, number_in(found["most"] or ""))


BRIGHTSPACE = GradePlatform(
    title="Brightspace",
    file="the grades (Enter Grades, Export; key field Both, grade value Points grade)",
    layout="brightspace",
    required=(("OrgDefinedId", "Username"), ("End-of-Line Indicator",)),
    columns=PersonColumns(
        student_ids=(("OrgDefinedId",),),
        logins=(("Username",),),
        emails=(("Email",),),
        first_name=("First Name",),
        last_name=("Last Name",),
    ),
    points=points_columns,
)
