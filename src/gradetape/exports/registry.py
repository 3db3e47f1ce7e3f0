"""The formats that `gradetape export` writes. A new format is a module beside this one, and a line in `TARGETS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gradetape.exports import csv
from gradetape.exports.table import GradeTable


class ExportTarget(NamedTuple):
    """A format of `gradetape export`.

    `description` is one sentence for the help, `ending` that of its files, and `write` makes its text from a table.
    With `one_assignment` the format has no place for an assignment's name, so the table is always of one assignment;
    otherwise the first column of a table of several names the assignment.
    """

    description: str
    ending: str
    write: Callable[[GradeTable], str]
    one_assignment: bool = False


TARGETS: Mapping[str, ExportTarget] = MappingProxyType({
    "csv": ExportTarget(
        "Export one row per student as CSV: UTF-8, all text quoted, no formulas.", ".csv", csv.write
    ),
})  # fmt: skip
