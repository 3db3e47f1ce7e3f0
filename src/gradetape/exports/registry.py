"""The formats that `gradetape export` writes. A new format is a module beside this one, and a line in `TARGETS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gradetape.exports import csv
from gradetape.exports.table import GradeTable


class ExportTarget(NamedTuple):
    """A format: its description for the help, the suffix of its files, and the function that writes it."""

    description: str
    ending: str
    write: Callable[[GradeTable], str]


TARGETS: Mapping[str, ExportTarget] = MappingProxyType({
    "csv": ExportTarget(
        "Export one row per student as CSV: UTF-8, all text quoted, no formulas.", ".csv", csv.write
    ),
})  # fmt: skip
