"""Gradebooks for tests: where they can be, a connection beside their own, and a course with one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from gradetape.gradebook import Gradebook
from gradetape.records import Grade, Unreadable
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
