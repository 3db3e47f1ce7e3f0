"""The statements on question results: the unit of which grades are composed, stored once for all who share it.

A result is stored under the digest of everything that decides it, so a submission that another student handed in too,
or that was graded before a hint was reworded, is not judged again. Results are only added: a check that is gone, and a
regrade, leave the earlier ones as history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.stored_text import record_of, text_of
from gradetape.gradebook.tables import ATTEMPT_QUESTIONS, ATTEMPTS, IS_CURRENT, QUESTION_RESULTS, RUNS, in_parts
from gradetape.records import CellEvent, CheckResult
from gradetape.text import printable


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job besides its results: see `Outcome`, whose fields these are."""

    events: tuple[CellEvent, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    review: tuple[str, ...] = ()
    seconds: float = 0.0


class QuestionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission got in one question, without what students read about the checks: that is read anew.

    `parts` holds a digest of each thing that decided it, by name, and `digest` is of all of them. `sent_bytes` is by
    check id. `id` is its number in the gradebook, 0 for one that is not recorded yet; `created` is an ISO time in UTC.
    """

    question: str
    digest: str
    parts: dict[str, str]
    results: tuple[CheckResult, ...]
    sent_bytes: dict[str, int] = {}
    run: Run = Run()
    id: int = 0
    created: str = ""


_NEWEST = sa.select(QUESTION_RESULTS.c.digest, sa.func.max(QUESTION_RESULTS.c.id).label("newest"))
_NEWEST_OF = _NEWEST.where(QUESTION_RESULTS.c.digest.in_(sa.bindparam("digests", expanding=True))).group_by(
    QUESTION_RESULTS.c.digest
)
_ADD_RUN = sa.insert(RUNS).returning(RUNS.c.id)
_ADD_RESULTS = sa.insert(QUESTION_RESULTS)
_ADD_LINKS = sa.insert(ATTEMPT_QUESTIONS)


class _Stored(msgspec.Struct, frozen=True):
    """The part of a result that its row holds as JSON."""

    parts: dict[str, str]
    results: tuple[CheckResult, ...]
    sent_bytes: dict[str, int] = {}


def newest(connection: sa.Connection, digests: Iterable[str]) -> dict[str, QuestionResult]:
    """The newest result under each digest that has one."""
    return {each.digest: each for each in _read(connection, newest_ids(connection, digests).values())}


def of_attempts(connection: sa.Connection, assignment: str) -> dict[str, dict[str, QuestionResult]]:
    """The results of which the attempts that count are composed, by student and question."""
    counting = sa.select(ATTEMPTS.c.student, ATTEMPT_QUESTIONS.c.result_id).join_from(ATTEMPTS, ATTEMPT_QUESTIONS)
    rows = connection.execute(counting.where(ATTEMPTS.c.assignment == printable(assignment), IS_CURRENT)).all()
    found = {each.id: each for each in _read(connection, {row.result_id for row in rows})}
    students: dict[str, dict[str, QuestionResult]] = {}
    for row in rows:
        if (result := found.get(row.result_id)) is not None:
            students.setdefault(row.student, {})[result.question] = result
    return students


def add(connection: sa.Connection, assignment: str, results: Sequence[QuestionResult], since: int | None) -> None:
    """Adds the results of one job, and their run once.

    A result is left out if there is one under its digest; if `since` is given, only if that one is newer than `since`.
    """
    known = usable_ids(connection, (each.digest for each in results))
    fresh = [each for each in results if known.get(each.digest, 0) <= (since or 0)]
    if not fresh:
        return
    created = datetime.now(UTC).isoformat(timespec="seconds")
    run_id = connection.execute(_ADD_RUN, {"created": created, "record": text_of(fresh[0].run)}).scalar_one()
    connection.execute(_ADD_RESULTS, [_row(each, assignment, run_id) for each in fresh])


def link(connection: sa.Connection, attempt: int, digests: Mapping[str, str]) -> None:
    """Notes that an attempt is composed of the newest results under these digests, by question."""
    ids = newest_ids(connection, digests.values())
    rows = [
        {"attempt_id": attempt, "question": question, "result_id": ids[digest]}
        for question, digest in digests.items()
        if digest in ids
    ]
    if rows:
        connection.execute(_ADD_LINKS, rows)


def last(connection: sa.Connection) -> int:
    """The id of the newest result."""
    return connection.scalar(sa.select(sa.func.coalesce(sa.func.max(QUESTION_RESULTS.c.id), 0))) or 0


def _row(result: QuestionResult, assignment: str, run_id: int) -> dict[str, Any]:
    stored = _Stored(result.parts, result.results, result.sent_bytes)
    return {
        "digest": result.digest, "assignment": printable(assignment), "question": result.question, "run_id": run_id,
        "record": text_of(stored),
    }  # fmt: skip


def newest_ids(connection: sa.Connection, digests: Iterable[str]) -> dict[str, int]:
    """The id of the newest result under each digest that has one."""
    found: dict[str, int] = {}
    for some in in_parts(dict.fromkeys(digests)):
        found |= {row.digest: row.newest for row in connection.execute(_NEWEST_OF, {"digests": some})}
    return found


def usable_ids(connection: sa.Connection, digests: Iterable[str]) -> dict[str, int]:
    """The id of the newest result under each digest; a damaged one is judged again, so it is none."""
    return {each.digest: each.id for each in _read(connection, newest_ids(connection, digests).values())}


def _read(connection: sa.Connection, ids: Iterable[int]) -> Iterator[QuestionResult]:
    columns = (QUESTION_RESULTS, RUNS.c.created, RUNS.c.record.label("run"))
    query, runs = sa.select(*columns).join_from(QUESTION_RESULTS, RUNS), dict[int, Run]()
    for some in in_parts(ids):
        for row in connection.execute(query.where(QUESTION_RESULTS.c.id.in_(some))):
            if (result := _result(row, runs)) is not None:
                yield result


def _result(row: sa.Row[Any], runs: dict[int, Run]) -> QuestionResult | None:
    """A row as a record; `runs` holds those that were read, by number. None if it is damaged: it is judged again."""
    try:
        if row.run_id not in runs:
            runs[row.run_id] = record_of(row.run, Run)
        stored = record_of(row.record, _Stored)
    except (ValueError, msgspec.ValidationError):
        return None
    return QuestionResult(
        question=row.question, digest=row.digest, parts=stored.parts, results=stored.results,
        sent_bytes=stored.sent_bytes, run=runs[row.run_id], id=row.id, created=row.created,
    )  # fmt: skip
