"""Blackboard's Grade Center: Work Offline, Download. Tab-delimited files are UTF-16, comma-delimited ones UTF-8.

A header is `Homework 1 [Total Pts: 10 Score] |90002`; columns that Blackboard computes say `up to`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gradetape.exports.platform import GradePlatform, PersonColumns, PointsColumn, number_in

_HEADER = re.compile(r"(?P<title>.+) \[[^\[\]:]*: (?P<most>\d+(?:[.,]\d+)?)(?: (?P<kind>[^\[\]]+))?\].*")
_NO_POINTS = frozenset({"Text", "Percentage", "Letter", "Complete/Incomplete"})


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The columns that hold points."""
    for place, header in enumerate(rows[0]):
        found = _HEADER.fullmatch(header.strip())
        if found and found["kind"] not in _NO_POINTS:
            yield PointsColumn(place, found["title"], header, number_in(found["most"]))


BLACKBOARD = GradePlatform(
    title="Blackboard",
    file="the Grade Center (Work Offline, Download; user information included)",
    layout="blackboard",
    required=(("Username",),),
    columns=PersonColumns(
        student_ids=(("Student ID",),),
        logins=(("Username",),),
        full_name=("Full Name", "Name"),
        first_name=("First Name",),
        last_name=("Last Name",),
    ),
    points=points_columns,
)
