"""The tables of what people write about results: comments, done marks, and regrade requests."""

from __future__ import annotations

import sqlalchemy as sa

from gradetape.gradebook.tables import TABLES

# Rows are only added; removing a comment fills its last two columns. `check_id` is empty unless it is about one check.
COMMENTS = sa.Table(
    "comments",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("check_id", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("removed_at", sa.String),
    sa.Column("removed_by", sa.String),
    sa.Index("comments_of", "assignment", "student"),
)
# Rows are only added: of the marks with one question, which is empty for the whole submission, the newest counts.
# `basis` is a digest of the result that was looked at; with another result the mark is void.
DONE_MARKS = sa.Table(
    "done_marks",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("basis", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Index("done_marks_of", "assignment", "student"),
)
# A request is answered once, which fills its last four columns; `points` stays empty where only a reason was given.
REGRADE_REQUESTS = sa.Table(
    "regrade_requests",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("answer", sa.String),
    sa.Column("points", sa.Float),
    sa.Column("answered_by", sa.String),
    sa.Column("answered_at", sa.String),
    sa.Index("regrade_requests_of", "assignment", "student"),
)
# All with a column `student`.
NOTES = (COMMENTS, DONE_MARKS, REGRADE_REQUESTS)
