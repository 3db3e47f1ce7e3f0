"""The formats that `gradetape export` writes, and the platforms whose files it fills.

A new format is a module beside this one and a line in `TARGETS`; a new platform is a module and a line in `PLATFORMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gradetape.exports import csv, json
from gradetape.exports.blackboard import BLACKBOARD
from gradetape.exports.brightspace import BRIGHTSPACE
from gradetape.exports.canvas import CANVAS
from gradetape.exports.google_classroom import GOOGLE_CLASSROOM
from gradetape.exports.gradescope import GRADESCOPE
from gradetape.exports.moodle import MOODLE
from gradetape.exports.platform import GradePlatform
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
    "json": ExportTarget(
        "Export one object per student as a JSON list, with the columns of the CSV as keys.", ".json", json.write
    ),
})  # fmt: skip

PLATFORMS: Mapping[str, GradePlatform] = MappingProxyType({
    "canvas": CANVAS,
    "moodle": MOODLE,
    "gradescope": GRADESCOPE,
    "blackboard": BLACKBOARD,
    "brightspace": BRIGHTSPACE,
    "google-classroom": GOOGLE_CLASSROOM,
})  # fmt: skip
