"""Grades for other programs: one table with typed columns, and one module per format."""

from gradetape.exports.json import as_json
from gradetape.exports.registry import TARGETS, ExportTarget
from gradetape.exports.table import AssignmentSummary, Column, ColumnKind, GradeTable, merged, questions_of

__all__ = [
    "TARGETS", "AssignmentSummary", "Column", "ColumnKind", "ExportTarget", "GradeTable", "as_json", "merged",
    "questions_of",
]  # fmt: skip
