"""Tables of grades as Parquet, by the optional library pyarrow."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from gradetape.errors import RequestError
from gradetape.exports.table import ColumnKind, GradeTable, Value
from gradetape.text import printable


def write(table: GradeTable) -> bytes:
    """A table as Parquet: text, numbers, whole numbers and times in UTC; a missing value is null.

    Raises RequestError if pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise RequestError(
            f"Parquet needs the Python package {error.name}, which is not installed. Install it with: "
            "pip install 'gradetape[parquet]'"
        ) from None
    kinds = {
        ColumnKind.TEXT: pyarrow.string(), ColumnKind.NUMBER: pyarrow.float64(), ColumnKind.INTEGER: pyarrow.int64(),
        ColumnKind.TIME: pyarrow.timestamp("s", tz="UTC"),
    }  # fmt: skip
    fields = [pyarrow.field(printable(column.name), kinds[column.kind]) for column in table.columns]
    values = [[_plain(row[place]) for row in table.rows] for place in range(len(fields))]
    arrays = [pyarrow.array(column, field.type) for column, field in zip(values, fields, strict=True)]
    made = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)), made)
    return made.getvalue()


def _plain(value: Value) -> Value:
    """A value that any reader shows safely."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return printable(value) if isinstance(value, str) else value
