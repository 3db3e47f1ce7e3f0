"""Grades for other programs: one table with typed columns, one module per format, and platforms' own files filled."""

from gradetape.exports.class_list import ClassList, ClassLookup, ClassMember, read_class_list
from gradetape.exports.filling import COMMENT_MARK, FieldChange, FilledFile, FillRequest, fill
from gradetape.exports.json import as_json
from gradetape.exports.people import ExportedScore
from gradetape.exports.platform import GradePlatform
from gradetape.exports.registry import PLATFORMS, TARGETS, ExportTarget
from gradetape.exports.table import AssignmentSummary, Column, ColumnKind, GradeTable, merged, questions_of

__all__ = [
    "COMMENT_MARK", "PLATFORMS", "TARGETS", "AssignmentSummary", "ClassList", "ClassLookup", "ClassMember",
    "Column", "ColumnKind", "ExportTarget", "ExportedScore", "FieldChange", "FillRequest", "FilledFile",
    "GradePlatform", "GradeTable", "as_json", "fill", "merged", "questions_of", "read_class_list",
]  # fmt: skip
