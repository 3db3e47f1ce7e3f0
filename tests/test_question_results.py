"""Question results are stored once, together with the attempt that is composed of them, and the newest counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from gradetape.gradebook import Gradebook, QuestionResult, Run
from gradetape.records import CellEvent
from tests.books import attempts, engine_of
from tests.factories import ASSIGNMENT, NASTY, a_result, a_stored_grade

RUN = Run(events=(CellEvent(cell=0, kind="output", text="hello"),), review=("odd",), seconds=1.5)


@pytest.fixture
def book(place: str) -> Iterator[Gradebook]:
    with Gradebook.open(place) as book:
        yield book


def result(question: str = "q01", digest: str = "d1", **changes: Any) -> QuestionResult:
    given: dict[str, Any] = {"parts": {"cells": "c"}, "results": (a_result(),), "sent_bytes": {"a": 3}, "run": RUN}
    return QuestionResult(question=question, digest=digest, **(given | changes))


def record(book: Gradebook, student: str = "alice", *results: QuestionResult, key: str = "k1", **how: Any) -> bool:
    composed_of = how.pop("composed_of", {each.question: each.digest for each in results})
    grade = a_stored_grade(student, key)
    return book.record(grade, ASSIGNMENT, results=results, composed_of=composed_of, **how)


def rows(place: str, table: str) -> int:
    engine = engine_of(place)
    with engine.begin() as connection:
        found = connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
    engine.dispose()
    return int(found or 0)


def stored(book: Gradebook, digest: str = "d1") -> QuestionResult:
    return book.question_results([digest])[digest]


def test_a_result_comes_back_as_it_was_with_its_run(book: Gradebook) -> None:
    given = result(results=(a_result(message=NASTY),), run=Run(events=(CellEvent(cell=1, kind="error", text=NASTY),)))
    record(book, "alice", given)
    found = stored(book)
    assert (found.question, found.parts, found.results, found.run) == ("q01", given.parts, given.results, given.run)
    assert found.sent_bytes == {"a": 3} and found.created.endswith("+00:00")
    assert book.question_results(["unknown"]) == {}


def test_the_results_of_one_job_share_its_run(place: str, book: Gradebook) -> None:
    record(book, "alice", result(), result("q02", "d2"))
    assert (rows(place, "runs"), rows(place, "question_results"), rows(place, "attempt_questions")) == (1, 2, 2)
    found = book.question_results(["d1", "d2"])
    assert found["d1"].run is found["d2"].run


def test_a_result_is_stored_once(place: str, book: Gradebook) -> None:
    record(book, "alice", result())
    record(book, "bob", result(run=Run(seconds=9)))
    assert (rows(place, "runs"), rows(place, "question_results"), rows(place, "attempt_questions")) == (1, 1, 2)
    assert stored(book).run.seconds == 1.5


def test_to_grade_again_adds_a_newer_one_once_for_all_graders(place: str, book: Gradebook) -> None:
    record(book, "alice", result())
    first, second = book.grader(), book.grader()
    assert book.question_results(["d1"], first.since_result) == {}
    record(book, "alice", result(run=Run(seconds=2)), force=True, grader=first)
    assert book.question_results(["d1"], second.since_result)["d1"].run.seconds == 2
    record(book, "alice", result(run=Run(seconds=3)), force=True, grader=second)
    assert rows(place, "question_results") == 2 and stored(book).run.seconds == 2


def test_a_grade_is_composed_of_results_of_other_jobs_too(book: Gradebook) -> None:
    record(book, "alice", result(), result("q02", "d2"))
    record(book, "alice", result("q02", "d3"), key="k2", composed_of={"q01": "d1", "q02": "d3"})
    found = book.composition(ASSIGNMENT)["alice"]
    assert {question: each.digest for question, each in found.items()} == {"q01": "d1", "q02": "d3"}
    record(book, "alice", key="k1")
    found = book.composition(ASSIGNMENT)["alice"]
    assert found["q02"].digest == "d2", "the first attempt counts again, with the results that it had"


def test_an_attempt_that_fails_leaves_no_result_of_it(
    place: str, book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("the power is gone")

    monkeypatch.setattr("gradetape.gradebook.attempts.add", fails)
    with pytest.raises(OSError, match="power"):
        record(book, "alice", result())
    assert (rows(place, "runs"), rows(place, "question_results"), attempts(book, ASSIGNMENT, "alice")) == (0, 0, [])


def test_many_results_are_found_at_once(book: Gradebook) -> None:
    many = [result(f"q{number}", f"d{number}") for number in range(1201)]
    book.keep(ASSIGNMENT, many)
    assert len(book.question_results(each.digest for each in many)) == len(many)


def test_the_references_results_belong_to_no_student(book: Gradebook) -> None:
    book.keep(ASSIGNMENT, [result(digest="reference")])
    book.keep(ASSIGNMENT, [result(digest="reference", run=Run(seconds=7))])
    assert stored(book, "reference").run.seconds == 1.5
    assert book.composition(ASSIGNMENT) == {} and book.latest(ASSIGNMENT) == []
