"""Adds many rows at once: what recording grades and merging gradebooks add most of.

PostgreSQL gets all rows as one JSON parameter of one statement, since its driver sends a message for each row of
`executemany`. SQLite's `executemany` is a loop in the same process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa


def add_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows with the same columns, in their order; nothing if there are none."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_from_json(table, tuple(rows[0])), {"rows": json.dumps(rows)})
    else:
        connection.execute(sa.insert(table), rows)


@cache
def _from_json(table: sa.Table, columns: tuple[str, ...]) -> sa.Insert:
    """Inserts the rows of a JSON list."""
    typed = [sa.column(name, table.c[name].type) for name in columns]
    records = sa.func.json_to_recordset(sa.cast(sa.bindparam("rows", type_=sa.String), sa.JSON(none_as_null=True)))
    found = records.table_valued(*typed).render_derived("added", with_types=True)
    return sa.insert(table).from_select(columns, sa.select(*found.c))
