"""Answers to written questions, and the marks that people give for them.

An answer belongs to a file, so that it counts where the file counts. Of marks no row is removed; undoing one records
who did it and when. A mark names the digest of the answer that was marked: it is void for another answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.other_books import OtherBook, paged
from gradetape.gradebook.overrides import now
from gradetape.gradebook.tables import TABLES
from gradetape.records import AnswerPart, Mark, WrittenAnswer
from gradetape.text import printable

ANSWERS = sa.Table(
    "answers",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("record", sa.String, nullable=False),
    sa.UniqueConstraint("assignment", "student", "sha256", "question"),
)
MARKS = sa.Table(
    "marks",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String, nullable=False),
    sa.Column("student", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("answer", sa.String, nullable=False),
    sa.Column("items", sa.String, nullable=False),
    sa.Column("adjustment", sa.Float, nullable=False),
    sa.Column("comment", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("undone_at", sa.String),
    sa.Column("undone_by", sa.String),
    sa.Index("marks_of", "assignment", "student"),
)
_BRIEF = (ANSWERS.c.student, ANSWERS.c.sha256, ANSWERS.c.question, ANSWERS.c.digest, ANSWERS.c.given)
_MOST = 4000


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of a student's file: its digest, and whether it is more than the cells that students receive."""

    student: str
    sha256: str
    question: str
    digest: str
    given: bool
    parts: tuple[AnswerPart, ...] = ()

    @classmethod
    def of(cls, student: str, sha256: str, answer: WrittenAnswer, *, given: bool) -> KeptAnswer:
        """An answer as intake read it."""
        return cls(
            student=student, sha256=sha256, question=answer.question, digest=_digest(answer.parts), given=given,
            parts=answer.parts,
        )  # fmt: skip


def _digest(parts: Iterable[AnswerPart]) -> str:
    """Equal for answers that are the same; spaces at the ends of lines do not count."""
    found = hashlib.sha256()
    for part in parts:
        text = "\n".join(line.rstrip() for line in part.text.strip().splitlines())
        for data in (part.kind.encode(), text.encode("utf-8", "surrogatepass"), part.picture):
            found.update(f"{len(data)}:".encode() + data)
    return found.hexdigest()


def keep(connection: sa.Connection, assignment: str, answers: Iterable[KeptAnswer]) -> None:
    """Adds answers, or replaces those of the same files."""
    own = printable(assignment)
    known = {
        (row.student, row.sha256, row.question): (row.digest, row.given)
        for row in connection.execute(sa.select(*_BRIEF).where(ANSWERS.c.assignment == own))
    }
    for answer in answers:
        place = (printable(answer.student), answer.sha256, answer.question)
        if known.get(place) == (answer.digest, answer.given):
            continue
        where = dict(zip(("student", "sha256", "question"), place, strict=True)) | {"assignment": own}
        connection.execute(sa.delete(ANSWERS).where(*(ANSWERS.c[name] == value for name, value in where.items())))
        record = json.dumps(msgspec.to_builtins(answer.parts))
        row = {**where, "digest": answer.digest, "given": answer.given, "record": record}
        connection.execute(sa.insert(ANSWERS).values(row))


def brief(assignment: str) -> sa.Select[Any]:
    """The answers of an assignment, without what is in them."""
    return sa.select(*_BRIEF).where(ANSWERS.c.assignment == printable(assignment))


def assignments_of(student: str) -> sa.Select[Any]:
    """The assignments with answers of a student."""
    place = ANSWERS.c.assignment
    return sa.select(place).distinct().where(ANSWERS.c.student == printable(student)).order_by(place)


def whole(assignment: str, student: str, sha256: str, question: str) -> sa.Select[Any]:
    """The answer of a file to a question, with what is in it."""
    return sa.select(*_BRIEF, ANSWERS.c.record).where(
        ANSWERS.c.assignment == printable(assignment), ANSWERS.c.student == printable(student),
        ANSWERS.c.sha256 == sha256, ANSWERS.c.question == question,
    )  # fmt: skip


def kept(row: sa.Row[Any]) -> KeptAnswer:
    """A row as a record."""
    found = dict(row._mapping)
    parts = json.loads(found.pop("record", "[]"))
    return KeptAnswer(**found, parts=msgspec.convert(parts, tuple[AnswerPart, ...]))


def mark(connection: sa.Connection, assignment: str, given: Mark) -> None:
    """Adds a mark, which is in force until it is undone or a newer one replaces it."""
    row = {
        "assignment": printable(assignment), "student": printable(given.student), "question": given.question,
        "answer": given.answer, "items": json.dumps(given.items), "adjustment": given.adjustment,
        "comment": printable(given.comment, _MOST), "who": printable(given.by), "created": given.at,
    }  # fmt: skip
    connection.execute(sa.insert(MARKS).values(row))


def undo(connection: sa.Connection, assignment: str, student: str, question: str, by: str) -> Mark | None:
    """Undoes the mark in force for a question; None if there is none. The one before it is in force again."""
    own = history(assignment).where(
        MARKS.c.student == printable(student), MARKS.c.question == question, MARKS.c.undone_at.is_(None)
    )
    rows = connection.execute(own).all()
    if not rows:
        return None
    undone = {"undone_at": now(), "undone_by": printable(by)}
    connection.execute(sa.update(MARKS).where(MARKS.c.id == rows[-1].id).values(undone))
    return as_mark(rows[-1])


def history(assignment: str) -> sa.Select[Any]:
    """All marks of an assignment, oldest first."""
    return sa.select(MARKS).where(MARKS.c.assignment == printable(assignment)).order_by(MARKS.c.created, MARKS.c.id)


def as_mark(row: sa.Row[Any]) -> Mark:
    """A row as a record."""
    return Mark(
        student=row.student, question=row.question, answer=row.answer, items=tuple(json.loads(row.items)),
        adjustment=row.adjustment, comment=row.comment, by=row.who, at=row.created,
        undone_at=row.undone_at or "", undone_by=row.undone_by or "",
    )  # fmt: skip


def rename(connection: sa.Connection, before: str, after: str) -> None:
    """Gives a student another name in answers and marks; an answer that is there under it already stays."""
    if before == after:
        return
    known = ANSWERS.alias()
    same = (known.c[name] == ANSWERS.c[name] for name in ("assignment", "sha256", "question"))
    there = sa.exists().where(known.c.student == after, *same)
    connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.student == before, there))
    for table in (ANSWERS, MARKS):
        connection.execute(sa.update(table).where(table.c.student == before).values(student=after))


def forget(connection: sa.Connection, student: str) -> None:
    """Removes a student's answers and marks."""
    for table in (ANSWERS, MARKS):
        connection.execute(sa.delete(table).where(table.c.student == student))


def add_answers(connection: sa.Connection, book: OtherBook) -> None:
    """Adds the answers of another gradebook whose files have none."""
    place = tuple(ANSWERS.c[name] for name in ("assignment", "student", "sha256", "question"))
    there = {tuple(row) for row in connection.execute(sa.select(*place))}
    for row in paged(book.read, sa.select(ANSWERS.c.id, *place), ANSWERS.c.id):
        student = printable(book.student(row))
        if (row.assignment, student, row.sha256, row.question) not in there:
            [own] = book.read(sa.select(ANSWERS).where(ANSWERS.c.id == row.id))
            values = {**own._mapping, "student": student}
            del values["id"]
            connection.execute(sa.insert(ANSWERS).values(values))
