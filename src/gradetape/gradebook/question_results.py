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

from gradetape.gradebook.bulk import add_rows
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
_ADD_RUNS = sa.insert(RUNS).returning(RUNS.c.id, sort_by_parameter_order=True)


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


def add(
    connection: sa.Connection, assignment: str, jobs: Iterable[Sequence[QuestionResult]], since: int | None
) -> None:  # fmt: skip
    """Adds the results of jobs, and the run of each job once.

    A result is left out if there is one under its digest; if `since` is given, only if that one is newer than `since`.
    """
    found = list(_fresh(connection, list(jobs), since or 0))
    if not found:
        return
    created = datetime.now(UTC).isoformat(timespec="seconds")
    ids = connection.scalars(
        _ADD_RUNS, [{"created": created, "record": text_of(fresh[0].run)} for fresh in found]
    ).all()
    pairs = zip(ids, found, strict=True)
    rows = [_row(each, assignment, number) for number, fresh in pairs for each in fresh]
    add_rows(connection, QUESTION_RESULTS, rows)


def _fresh(
    connection: sa.Connection, jobs: Sequence[Sequence[QuestionResult]], since: int
) -> Iterator[list[QuestionResult]]:  # fmt: skip
    """The results of each job that are to be added, for jobs that have some."""
    known = usable_ids(connection, (each.digest for job in jobs for each in job))
    there = {digest for digest, number in known.items() if number > since}
    for job in jobs:
        if fresh := [each for each in job if each.digest not in there]:
            there |= {each.digest for each in fresh}
            yield fresh


def link(connection: sa.Connection, composed: Mapping[int, Mapping[str, str]]) -> None:
    """Notes of which results attempts are composed: for each the newest under these digests, by question."""
    ids = newest_ids(connection, (digest for digests in composed.values() for digest in digests.values()))
    rows = [
        {"attempt_id": attempt, "question": question, "result_id": ids[digest]}
        for attempt, digests in composed.items()
        for question, digest in digests.items()
        if digest in ids
    ]
    add_rows(connection, ATTEMPT_QUESTIONS, rows)


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
