"""Gradebooks for tests: their databases, a second connection, a course with one, and its contents."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import sqlalchemy as sa

from gradetape.gradebook import Gradebook
from gradetape.gradebook.tables import ATTEMPTS, IS_DONE
from gradetape.records import Grade, Status, Unreadable
from gradetape.text import printable
from tests.course import tiny


def recorded(folder: Path, *grades: Grade, unreadable: tuple[Unreadable, ...] = ()) -> Path:
    """A tiny course whose gradebook holds these grades."""
    root = tiny(folder / "course")
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        for grade in grades:
            book.record(grade, grade.assignment)
        for entry in unreadable:
            book.record(entry, "tiny")
    return root


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[str]:
    """Where a gradebook can be; on PostgreSQL where GRADETAPE_TEST_POSTGRESQL names a server."""
    if kind == "sqlite":
        yield str(folder / "results" / "gradebook.sqlite")
        return
    server = os.environ.get("GRADETAPE_TEST_POSTGRESQL")
    if not server:
        pytest.skip("GRADETAPE_TEST_POSTGRESQL names no server")
    schema, engine = f"test_{uuid.uuid4().hex}", sa.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    yield sa.make_url(server).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
    engine.dispose()


def engine_of(place: str) -> sa.Engine:
    """A way into a gradebook beside its own."""
    return sa.create_engine(place if "://" in place else f"sqlite:///{place}")


class Attempt(NamedTuple):
    """An attempt as it is stored: the student's `number`-th for the assignment, recorded at `created` (UTC, ISO)."""

    number: int
    created: str
    current: bool
    record: Grade | Unreadable


def attempts(book: Gradebook, assignment: str, student: str) -> list[Attempt]:
    """Everything that was ever recorded for a student, oldest first."""
    own = sa.and_(ATTEMPTS.c.assignment == printable(assignment), ATTEMPTS.c.student == printable(student))
    with book._engine.begin() as connection:
        rows = connection.execute(sa.select(ATTEMPTS).where(own).order_by("number")).all()
    return [Attempt(row.number, row.created, row.current, _record(row)) for row in rows]


def _record(row: sa.Row[Any]) -> Grade | Unreadable:
    return msgspec.convert(json.loads(row.record), Unreadable if row.status == Status.UNREADABLE else Grade)


def done_keys(book: Gradebook, assignment: str) -> set[str]:
    """The keys of the done grades of an assignment."""
    query = sa.select(ATTEMPTS.c.key).where(ATTEMPTS.c.assignment == printable(assignment), IS_DONE)
    with book._engine.begin() as connection:
        return set(connection.scalars(query))
