"""The gradebook keeps every attempt, counts the right one, and is never half-written."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gradetape.errors import GradebookError
from gradetape.gradebook import Gradebook
from gradetape.gradebook.connect import explained
from tests.books import attempts, done_keys, engine_of
from tests.factories import ASSIGNMENT, a_stored_broken_file, a_stored_fault, a_stored_grade


@pytest.fixture
def book(place: str) -> Iterator[Gradebook]:
    with Gradebook.open(place) as book:
        yield book


def test_what_was_recorded_is_there_after_opening_again(place: str) -> None:
    grade, broken = a_stored_grade(), a_stored_broken_file("bob")
    with Gradebook.open(place) as book:
        assert book.record(grade, ASSIGNMENT)
        assert book.record(broken, ASSIGNMENT)
    with Gradebook.open(place) as book:
        assert book.latest(ASSIGNMENT) == [grade]
        assert book.unreadable(ASSIGNMENT) == [broken]
        assert book.assignments() == [ASSIGNMENT]


def test_a_done_grade_is_recorded_once(book: Gradebook) -> None:
    first = a_stored_grade(points=1.0)
    assert book.record(first, ASSIGNMENT)
    assert not book.record(a_stored_grade(points=2.0), ASSIGNMENT)
    assert not book.record(a_stored_fault(), ASSIGNMENT)
    assert book.latest(ASSIGNMENT) == [first]
    assert [attempt.record for attempt in attempts(book, ASSIGNMENT, "alice")] == [first]


def test_a_fault_is_not_done_and_every_attempt_at_it_is_kept(book: Gradebook) -> None:
    for record in (a_stored_fault(seconds=1.0), a_stored_fault(seconds=2.0)):
        assert book.record(record, ASSIGNMENT)
    assert "k1" not in done_keys(book, ASSIGNMENT)
    assert done_keys(book, ASSIGNMENT) == set()
    assert [grade.seconds for grade in book.latest(ASSIGNMENT)] == [2.0]

    assert book.record(a_stored_grade(), ASSIGNMENT)
    assert "k1" in done_keys(book, ASSIGNMENT)
    assert done_keys(book, ASSIGNMENT) == {"k1"}
    assert book.latest(ASSIGNMENT) == [a_stored_grade()]
    kept = attempts(book, ASSIGNMENT, "alice")
    assert [(attempt.number, attempt.current) for attempt in kept] == [(1, False), (2, False), (3, True)]
    assert all(attempt.created.endswith("+00:00") for attempt in kept)


def test_a_regrade_adds_another_attempt_under_the_same_key(book: Gradebook) -> None:
    book.record(a_stored_grade(points=1.0), ASSIGNMENT)
    assert book.record(a_stored_grade(points=2.0), ASSIGNMENT, force=True)
    assert [grade.points for grade in book.latest(ASSIGNMENT)] == [2.0]
    assert len(attempts(book, ASSIGNMENT, "alice")) == 2


def test_the_last_attempt_of_each_student_counts(book: Gradebook) -> None:
    for student, key, points in [("bob", "b1", 0.0), ("alice", "a1", 1.0), ("bob", "b2", 2.0)]:
        book.record(a_stored_grade(student, key, points), ASSIGNMENT)
    assert [(grade.student, grade.points) for grade in book.latest(ASSIGNMENT)] == [("alice", 1.0), ("bob", 2.0)]


def test_two_students_with_the_same_file_both_get_their_grade(book: Gradebook) -> None:
    assert book.record(a_stored_grade("alice", "same"), ASSIGNMENT)
    assert book.record(a_stored_grade("bob", "same"), ASSIGNMENT)
    assert [grade.student for grade in book.latest(ASSIGNMENT)] == ["alice", "bob"]


def test_a_version_that_is_handed_in_again_counts_again(book: Gradebook) -> None:
    old, new = a_stored_grade(key="old", points=2.0), a_stored_grade(key="new", points=1.0)
    book.record(old, ASSIGNMENT)
    book.record(new, ASSIGNMENT)
    assert book.recall(ASSIGNMENT, "alice", "old") == old
    assert book.latest(ASSIGNMENT) == [old]
    assert not book.record(new, ASSIGNMENT)
    assert book.latest(ASSIGNMENT) == [new]
    assert len(attempts(book, ASSIGNMENT, "alice")) == 2


def test_nothing_is_recalled_that_is_not_done(book: Gradebook) -> None:
    book.record(a_stored_fault(key="fault"), ASSIGNMENT)
    assert book.recall(ASSIGNMENT, "alice", "fault") is None
    assert book.recall(ASSIGNMENT, "bob", "fault") is None
    assert book.latest(ASSIGNMENT) == [a_stored_fault(key="fault")]


def test_assignments_do_not_mix(book: Gradebook) -> None:
    book.record(a_stored_grade(), ASSIGNMENT)
    book.record(a_stored_grade(key="k2", assignment="data-pipelines"), "data-pipelines")
    assert done_keys(book, ASSIGNMENT) == {"k1"}
    assert [grade.key for grade in book.latest("data-pipelines")] == ["k2"]
    assert attempts(book, "data-pipelines", "bob") == []
    assert book.assignments() == [ASSIGNMENT, "data-pipelines"]


def test_an_unreadable_file_counts_until_a_readable_one_comes(book: Gradebook) -> None:
    assert book.record(a_stored_broken_file(), ASSIGNMENT)
    assert not book.record(a_stored_broken_file(), ASSIGNMENT)
    assert book.unreadable(ASSIGNMENT) == [a_stored_broken_file()]
    book.record(a_stored_grade(), ASSIGNMENT)
    assert book.unreadable(ASSIGNMENT) == []
    assert len(attempts(book, ASSIGNMENT, "alice")) == 2


def test_a_student_whose_last_file_is_unreadable_is_listed_once(book: Gradebook) -> None:
    book.record(a_stored_grade(), ASSIGNMENT)
    book.record(a_stored_broken_file(), ASSIGNMENT)
    assert book.latest(ASSIGNMENT) == []
    assert book.unreadable(ASSIGNMENT) == [a_stored_broken_file()]
    assert not book.record(a_stored_grade(), ASSIGNMENT)
    assert (book.latest(ASSIGNMENT), book.unreadable(ASSIGNMENT)) == ([a_stored_grade()], [])


def test_whatever_a_student_writes_comes_back_as_it_was(book: Gradebook) -> None:
    nasty = "'); DROP TABLE attempts;-- \0 \ud800 \u202e \U0001f600 <b>"
    grade = a_stored_grade(nasty, notes=(nasty,))
    assert book.record(grade, ASSIGNMENT)
    assert book.record(a_stored_broken_file(nasty + "2", reason=nasty), ASSIGNMENT)
    assert book.latest(ASSIGNMENT) == [grade]
    assert [attempt.record for attempt in attempts(book, ASSIGNMENT, nasty)] == [grade]
    assert book.unreadable(ASSIGNMENT) == [a_stored_broken_file(nasty + "2", reason=nasty)]


def test_checks_can_be_queried(place: str) -> None:
    with Gradebook.open(place) as book:
        book.record(a_stored_grade(points=1.5), ASSIGNMENT)
    engine = engine_of(place)
    wanted = (
        "SELECT student, question, name, verdict, r.points FROM check_results r JOIN attempts a ON a.id = attempt_id"
    )
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(wanted))]
    engine.dispose()
    assert rows == [("alice", "q01", "test_x", "passed", 1.5)]


def record_in_a_process(place: str, student: str, start: Any) -> None:
    start.wait()
    with Gradebook.open(place) as book:
        for number in range(5):
            book.record(a_stored_grade("everyone", f"k{number}"), ASSIGNMENT)
            book.record(a_stored_grade(student, f"{student}{number}"), ASSIGNMENT)


def test_drivers_that_write_at_once_lose_nothing_and_double_nothing(place: str) -> None:
    if "://" in place:
        Gradebook.open(place).close()  # of two that create one on a server, the second gets the message to run again
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    drivers = [context.Process(target=record_in_a_process, args=(place, f"s{n}", start)) for n in range(4)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert [driver.exitcode for driver in drivers] == [0, 0, 0, 0]
    with Gradebook.open(place) as book:
        assert len(attempts(book, ASSIGNMENT, "everyone")) == 5
        assert [len(attempts(book, ASSIGNMENT, f"s{n}")) for n in range(4)] == [5, 5, 5, 5]


def test_a_locked_gradebook_says_so_and_works_again_later(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook.open(path, busy_s=0.05) as book:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradebookError, match=r"gradebook\.sqlite is locked .* run the command again"):
            book.record(a_stored_grade(), ASSIGNMENT)
        other.execute("ROLLBACK")
        other.close()
        assert book.record(a_stored_grade(), ASSIGNMENT)


@contextmanager
def a_disk_of(pages: int) -> Iterator[None]:
    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(sa.Engine, "connect", limit)
    yield
    sa.event.remove(sa.Engine, "connect", limit)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    big = a_stored_grade("bob", "big", results=a_stored_grade().results * 5000)
    with a_disk_of(pages=310), Gradebook.open(path) as book:
        book.record(a_stored_grade(), ASSIGNMENT)
        with pytest.raises(GradebookError, match="the disk is full"):
            book.record(big, ASSIGNMENT)
        assert book.latest(ASSIGNMENT) == [a_stored_grade()]
        assert attempts(book, ASSIGNMENT, "bob") == []
    with Gradebook.open(path) as book:
        assert book.record(big, ASSIGNMENT)


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    path.write_bytes(b"student,points\n" * 100)
    with pytest.raises(GradebookError, match=r"file of another kind.*--out"):
        Gradebook.open(path)
    assert path.read_bytes() == b"student,points\n" * 100


def test_the_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (id)")
    with pytest.raises(GradebookError, match="belongs to another program"):
        Gradebook.open(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()


def test_a_damaged_gradebook_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook.open(path) as book:
        book.record(a_stored_grade(), ASSIGNMENT)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(GradebookError, match=r"gradebook\.sqlite is damaged\. Restore it from a backup"):
        Gradebook.open(path)


def test_an_entry_that_somebody_edited_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook.open(path) as book:
        book.record(a_stored_grade(), ASSIGNMENT)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE attempts SET record = '{}'")
    connection.close()
    with (
        Gradebook.open(path) as book,
        pytest.raises(GradebookError, match=r"alice\.ipynb.*cannot be read.*Restore the gradebook from a backup"),
    ):
        book.latest(ASSIGNMENT)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(GradebookError, match=r"results cannot be created: .* --out"):
        Gradebook.open(tmp_path / "results" / "gradebook.sqlite")


def test_a_folder_in_the_files_place_is_reported(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match="cannot be opened"):
        Gradebook.open(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_gradebook_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    Gradebook.open(path).close()
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    with pytest.raises(GradebookError, match=r"cannot be (written|opened)"):
        Gradebook.open(path)
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SQLITE_READONLY_DIRECTORY", "cannot be written. Check the owner of it and its folder, or choose another"),
        ("SQLITE_CANTOPEN_ISDIR", "cannot be opened. Check the owner of it and its folder, or choose another"),
        ("SQLITE_IOERR_READ", "cannot be read or written. Check the disk: SQLite needs a local disk"),
        ("SQLITE_MISUSE", "cannot be used: odd. Check its name and that you may write there; for a server, check"),
    ],
)
def test_what_sqlite_refuses_is_reported_with_what_to_do(name: str, words: str) -> None:
    error = sqlite3.OperationalError("odd")
    error.sqlite_errorname = name
    assert words in explained(error, "results/gradebook.sqlite")


def test_a_wrong_url_is_reported_without_its_password() -> None:
    for url in ("postgresql://teacher:sesame@127.0.0.1:1/grades", "nosuchdatabase://teacher:sesame@host/grades"):
        with pytest.raises(GradebookError) as caught:
            Gradebook.open(url)
        assert "sesame" not in str(caught.value)
        assert "grades" in str(caught.value)
