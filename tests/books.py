"""Records to put into gradebooks, the databases where gradebooks can be, and what is stored in one."""

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
from gradetape.records import Check, CheckResult, Grade, Question, Status, Unreadable, Verdict
from gradetape.text import printable

ASSIGNMENT = "custom-training"


def a_grade(student: str = "alice", key: str = "k1", points: float = 1.0, **changes: Any) -> Grade:
    check = Check(question="q01", name="test_x", public=True, title="It works.", hint="", points=2)
    result = CheckResult(check=check, verdict=Verdict.PASSED, points=points, seconds=0.25, message="fine")
    grade = Grade(
        assignment=ASSIGNMENT,
        student=student,
        file=f"{student}.ipynb",
        sha256="0" * 64,
        key=key,
        status=Status.GRADED,
        isolation="namespaces",
        questions=(Question(id="q01", title="One", points=2),),
        results=(result,),
        versions={"tensorflow": "2.21"},
    )
    return msgspec.structs.replace(grade, **changes)


def a_fault(student: str = "alice", key: str = "k1", **changes: Any) -> Grade:
    return a_grade(student, key, 0.0, status=Status.NEEDS_ATTENTION, attention=("the zygote is gone",), **changes)


def a_broken_file(student: str = "alice", reason: str = "It is empty.") -> Unreadable:
    return Unreadable(student=student, file=f"{student}.ipynb", sha256="1" * 64, reason=reason)


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


def done_keys(book: Gradebook, assignment: str = ASSIGNMENT) -> set[str]:
    """The keys of the done grades of an assignment."""
    query = sa.select(ATTEMPTS.c.key).where(ATTEMPTS.c.assignment == printable(assignment), IS_DONE)
    with book._engine.begin() as connection:
        return set(connection.scalars(query))
