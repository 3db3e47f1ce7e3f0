"""The tables of a gradebook in the newest layout, and how many values fit a statement on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from gradetape.records import Status

AT_ONCE = 500  # parameters of one statement: SQLite has a limit
_Value = TypeVar("_Value")

TABLES = sa.MetaData()
META = sa.Table(
    "meta", TABLES, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.String, nullable=False)
)
ATTEMPTS = sa.Table(
    "attempts",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("key", sa.String, nullable=False, index=True),
    sa.Column("file", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("isolation", sa.String, nullable=False),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("max_points", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("record", sa.String, nullable=False),
    sa.UniqueConstraint("assignment", "student", "number"),
)
IS_DONE = ATTEMPTS.c.status == Status.GRADED
IS_CURRENT = ATTEMPTS.c.current == sa.true()
sa.Index(
    "attempts_current",
    ATTEMPTS.c.assignment,
    ATTEMPTS.c.student,
    unique=True,
    sqlite_where=IS_CURRENT,
    postgresql_where=IS_CURRENT,
)
CHECK_RESULTS = sa.Table(
    "check_results",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("attempt_id", sa.ForeignKey("attempts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("max_points", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)
# What a submission's code said and did while its questions were judged, once for each job.
RUNS = sa.Table(
    "runs",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("record", sa.String, nullable=False),
)
# Results of questions. Several may have the same digest, which is of everything that decides them: the newest counts.
QUESTION_RESULTS = sa.Table(
    "question_results",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String, nullable=False, index=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("record", sa.String, nullable=False),
)
# The results of which an attempt is composed.
ATTEMPT_QUESTIONS = sa.Table(
    "attempt_questions",
    TABLES,
    sa.Column("attempt_id", sa.ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("result_id", sa.ForeignKey("question_results.id"), nullable=False, index=True),
)
# The submissions that graders have claimed. `beaten` is the database's time of the last heartbeat, in seconds.
CLAIMS = sa.Table(
    "claims",
    TABLES,
    sa.Column("assignment", sa.String, primary_key=True),
    sa.Column("student", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("token", sa.String, nullable=False, index=True),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process", sa.String, nullable=False),
    sa.Column("beaten", sa.Float, nullable=False),
)
# Points set by staff instead of the checks. Rows are only added; undoing one fills its last two columns.
OVERRIDES = sa.Table(
    "overrides",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("undone_at", sa.String),
    sa.Column("undone_by", sa.String),
    sa.Index("overrides_of", "assignment", "student"),
)
# Who renamed or removed a student, and when. A removed student is in no row: the names in older rows are emptied.
AUDIT = sa.Table(
    "audit",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("old", sa.String, nullable=False),
    sa.Column("new", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("overrides", sa.Integer, nullable=False),
)


def in_parts(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """The values in parts of a size that fits a statement; each part is read when it is asked for."""
    left = iter(values)
    while some := list(islice(left, AT_ONCE)):
        yield some
