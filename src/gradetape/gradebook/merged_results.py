"""Adds the question results of other gradebooks to a gradebook.

Of results with one digest the newest counts, which is the one with the largest id. So a result is added if there is
none under its digest, or if it says something else and was judged later. One that says the same, or that was judged
earlier, would never be read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from gradetape.gradebook.bulk import add_rows
from gradetape.gradebook.other_books import OtherBook, paged
from gradetape.gradebook.tables import QUESTION_RESULTS, RUNS, in_parts

_Judged = tuple[str, str, str]  # when, what each check got, and the rest of it
_RESULTS = sa.select(QUESTION_RESULTS, RUNS.c.created, RUNS.c.record.label("run")).join_from(QUESTION_RESULTS, RUNS)


def add_results(connection: sa.Connection, book: OtherBook) -> int:
    """Adds what is new among the question results of a gradebook; returns how many."""
    runs: dict[int, int] = {}
    found = paged(book.read, _RESULTS, QUESTION_RESULTS.c.id)
    return sum(_add(connection, book, rows, runs) for rows in in_parts(found))


def _add(connection: sa.Connection, book: OtherBook, rows: Sequence[sa.Row[Any]], runs: dict[int, int]) -> int:
    known = _known(connection, [row.digest for row in rows])
    fresh = [row for row in rows if _is_news(known.setdefault(row.digest, []), row)]
    if not fresh:
        return 0
    _add_runs(connection, book, sorted({row.run_id for row in fresh} - set(runs)), runs)
    added = [
        {
            "digest": row.digest, "assignment": row.assignment, "question": row.question,
            "run_id": runs[row.run_id], "record": row.record,
        }
        for row in fresh
    ]  # fmt: skip
    add_rows(connection, QUESTION_RESULTS, added)
    return len(fresh)


def _known(connection: sa.Connection, digests: Sequence[str]) -> dict[str, list[_Judged]]:
    """What was judged under each of these digests, oldest first."""
    found: dict[str, list[_Judged]] = {}
    some = _RESULTS.where(QUESTION_RESULTS.c.digest.in_(dict.fromkeys(digests)))
    for row in connection.execute(some.order_by(QUESTION_RESULTS.c.id)):
        if (judged := _judged(row)) is not None:
            found.setdefault(row.digest, []).append(judged)
    return found


def _is_news(known: list[_Judged], row: sa.Row[Any]) -> bool:
    """Whether a result is to be added; it is then known."""
    judged = _judged(row)
    if judged is None or judged in known:
        return False
    if known and (known[-1][1] == judged[1] or known[-1][0] > judged[0]):
        return False
    known.append(judged)
    return True


def _judged(row: sa.Row[Any]) -> _Judged | None:
    """What distinguishes a result; None if it is damaged: it will be judged again."""
    try:
        results = json.loads(row.record)["results"]
        checks = [
            [*(each["check"][name] for name in ("question", "name", "public")), each["verdict"], each["points"]]
            for each in results
        ]
    except (ValueError, KeyError, TypeError):
        return None
    whole = hashlib.sha256(f"{row.record}\0{row.run}".encode()).hexdigest()
    return (row.created, json.dumps(sorted(checks)), whole)


def _add_runs(connection: sa.Connection, book: OtherBook, ids: Sequence[int], runs: dict[int, int]) -> None:
    """Copies runs; notes their new numbers by their old ones."""
    if not ids:
        return
    rows = book.read(sa.select(RUNS).where(RUNS.c.id.in_(ids)).order_by(RUNS.c.id))
    insert = sa.insert(RUNS).returning(RUNS.c.id, sort_by_parameter_order=True)
    made = connection.execute(insert, [{"created": row.created, "record": row.record} for row in rows])
    runs.update(zip((row.id for row in rows), made.scalars(), strict=True))
