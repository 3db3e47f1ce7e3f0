"""Tables of grades as CSV. This is the only module that writes or reads them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import datetime

from gradetape.errors import GradebookError
from gradetape.exports.table import STUDENT_COLUMNS, Column, ColumnKind, GradeTable, Value, column_named
from gradetape.text import printable, spreadsheet


def write(table: GradeTable, separator: str = ",") -> str:
    """A table as CSV: all text is quoted, and lines end in a newline; `separator` stands between the cells.

    No cell is a formula, even in a spreadsheet that separates cells by semicolons or tabs.
    """
    return _written(table, _protected, separator)


def read(text: str, path: str) -> GradeTable:
    """The table in a file that `write` or `rewrite` made; its text stays protected.

    Raises GradebookError, which names the path, if another program changed the format.
    """
    rows = csv.reader(io.StringIO(text, newline=""), quoting=csv.QUOTE_NONNUMERIC)
    try:
        columns = tuple(column_named(str(name)) for name in next(rows, []))
        if missing := [column.name for column in STUDENT_COLUMNS if column not in columns]:
            raise ValueError(f"the column {missing[0]} is missing")
        return GradeTable(columns, tuple(_typed(row, columns) for row in rows))
    except (ValueError, csv.Error) as error:
        raise GradebookError(
            f"{path} is not in the format that gradetape writes: {error}. Delete it, then run: gradetape report"
        ) from error


def rewrite(table: GradeTable) -> str:
    """A table from `read` as CSV again; its text is already protected, and would be cut twice otherwise."""
    return _written(table, str)


def _written(table: GradeTable, shown: Callable[[str], str], separator: str = ",") -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(map(shown, table.names))
    writer.writerows([_cell(value, shown) for value in row] for row in table.rows)
    return file.getvalue()


def _cell(value: Value, shown: Callable[[str], str]) -> str | float:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, str):
        return shown(value)
    return "" if value is None else value


def _protected(text: str) -> str:
    line = re.sub(r"[\t\n]+", " ", printable(text))
    return ";".join(spreadsheet(part) for part in line.split(";"))


def _typed(row: Iterable[str | float], columns: Iterable[Column]) -> tuple[Value, ...]:
    return tuple(_value(cell, column.kind) for cell, column in zip(row, columns, strict=True))


def _value(cell: str | float, kind: ColumnKind) -> Value:
    if kind is ColumnKind.TEXT:
        return str(cell)
    if cell == "":
        return None
    if kind is ColumnKind.TIME:
        return datetime.fromisoformat(str(cell))
    return int(cell) if kind is ColumnKind.INTEGER else float(cell)
