"""Several submissions in one transaction: all of them or none, and each gets what it gets by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.gradebook import Gradebook, NewAttempt, QuestionResult, attempts
from gradetape.gradebook.stored_text import record_of, text_of
from gradetape.grading.run import run
from gradetape.records import CellEvent, Grade
from tests.books import attempts as attempts_of
from tests.course import DOUBLE, HALVE, notebook, tiny, write_files
from tests.factories import ASSIGNMENT, a_result, a_stored_broken_file, a_stored_fault, a_stored_grade
from tests.regrading import planned


@pytest.fixture
def book(place: str) -> Iterator[Gradebook]:
    with Gradebook.open(place) as book:
        yield book


def new(student: str, key: str = "k1") -> NewAttempt:
    digest = f"{student} {key}"
    result = QuestionResult(question="q01", digest=digest, parts={}, results=(a_result(),))
    return NewAttempt(a_stored_grade(student, key), (result,), {"q01": digest})


def test_all_are_recorded_with_their_results_and_their_claims_are_released(book: Gradebook) -> None:
    me, works = book.grader(), [("ada", "k1"), ("bob", "k1")]
    assert book.claim_each(me, ASSIGNMENT, works) == [me, me]
    assert book.record_each([new("ada"), new("bob"), new("ada")], ASSIGNMENT, grader=me) == [True, True, False]
    assert [grade.student for grade in book.latest(ASSIGNMENT)] == ["ada", "bob"]
    assert {name: set(found) for name, found in book.composition(ASSIGNMENT).items()} == {
        "ada": {"q01"},
        "bob": {"q01"},
    }
    other = book.grader()
    assert book.claim_each(other, ASSIGNMENT, [("ada", "k2"), ("bob", "k2")]) == [other, other]


def test_if_one_cannot_be_recorded_none_is(book: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    real = attempts.add

    def fails_at_the_second(connection: Any, row: dict[str, Any], last: int) -> int:
        if row["student"] == "bob":
            raise OSError("the power is gone")
        return real(connection, row, last)

    monkeypatch.setattr("gradetape.gradebook.attempts.add", fails_at_the_second)
    with pytest.raises(OSError, match="power"):
        book.record_each([new("ada"), new("bob")], ASSIGNMENT)
    assert attempts_of(book, ASSIGNMENT, "ada") == [] == attempts_of(book, ASSIGNMENT, "bob")
    assert book.question_results(["ada k1", "bob k1"]) == {}


def test_each_claim_has_its_own_answer(book: Gradebook) -> None:
    one = book.grader()
    book.claim(one, ASSIGNMENT, "bob", "k1")
    book.record(a_stored_grade("cleo"), ASSIGNMENT)
    book.record(a_stored_fault("dan", "k1"), ASSIGNMENT)
    other = book.grader()
    works = [("ada", "k1"), ("bob", "k1"), ("cleo", "k1"), ("dan", "k1"), ("bob", "k2")]
    assert book.claim_each(other, ASSIGNMENT, works) == [other, one, a_stored_grade("cleo"), other, other]
    assert book.claim_each(other, ASSIGNMENT, []) == []
    assert getattr(book.claim(one, ASSIGNMENT, "ada", "k1"), "token", "") == other.token


def test_done_grades_are_looked_up_together(book: Gradebook) -> None:
    book.record(a_stored_grade("ada", "k1"), ASSIGNMENT)
    book.record(a_stored_fault("bob", "k2"), ASSIGNMENT)
    works = [("ada", "k1", None), ("bob", "k2", None), *((f"s{n}", str(n), None) for n in range(1200))]
    assert book.recall_each(ASSIGNMENT, works) == [a_stored_grade("ada", "k1"), None, *[None] * 1200]
    assert book.recall_each("other", [("ada", "k1", None)]) == [None]


@given(st.text())
def test_any_text_is_stored_as_ascii_and_comes_back(text: str) -> None:
    event = CellEvent(cell=1, kind="output", text=text)
    stored = text_of(event)
    assert stored.isascii() and json.loads(stored) == msgspec.to_builtins(event)
    assert record_of(stored, CellEvent) == event


@pytest.mark.parametrize("text", ["\ud800 ü", "\ud83d", '\\ue9 é "\x00\x7f', "😀\u2028"])
def test_half_characters_and_escapes_come_back(text: str) -> None:
    event = CellEvent(cell=1, kind="output", text=text)
    assert text_of(event).isascii() and record_of(text_of(event), CellEvent) == event


def test_a_record_of_an_earlier_version_is_read(book: Gradebook) -> None:
    grade = a_stored_grade("ada")
    assert record_of(json.dumps(msgspec.to_builtins(grade)), Grade) == grade
    with pytest.raises(msgspec.ValidationError):
        record_of('{"cell": "one"}', CellEvent)


def test_an_unreadable_file_that_an_earlier_version_recorded_is_not_recorded_again(book: Gradebook) -> None:
    broken = a_stored_broken_file("bob")
    assert attempts.row(broken, ASSIGNMENT)["record"] == json.dumps(msgspec.to_builtins(broken))


def test_more_submissions_than_one_transaction_holds_are_all_graded_once(tmp_path: Path) -> None:
    texts = {f"in/s{number}.ipynb": notebook(DOUBLE, HALVE, f"x = {number}") for number in range(150)}
    root = write_files(tiny(tmp_path / "course"), texts)

    plan, engine = planned(root)
    engine.capacity = lambda: 200  # type: ignore[method-assign]
    report = run(plan, lambda _: None)
    assert len({grade.student for grade in report.batch.grades}) == 150 == report.batch.fresh
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        assert all(len(attempts_of(book, "tiny", f"s{number}")) == 1 for number in range(150))
