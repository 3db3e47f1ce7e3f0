"""Graders that share a gradebook claim what they judge: nothing is judged twice, and nobody waits for the dead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from gradetape.gradebook import Gradebook, Grader
from tests.books import engine_of
from tests.course import DOUBLE, HALVE, by_student, command, notebook, tiny
from tests.factories import ASSIGNMENT, a_stored_fault, a_stored_grade


@pytest.fixture
def book(place: str) -> Iterator[Gradebook]:
    with Gradebook.open(place) as book:
        yield book


def claim(book: Gradebook, me: Grader, key: str = "k1", **how: Any) -> Any:
    return book.claim(me, ASSIGNMENT, "alice", key, **how)


def test_what_one_grader_has_in_hand_another_leaves(book: Gradebook) -> None:
    first, second = book.grader(), book.grader()
    assert claim(book, first) is first
    other = claim(book, second)
    assert (other.token, other.pid) == (first.token, os.getpid())
    assert claim(book, first) is first
    assert claim(book, second, "another version") is second


def test_a_recorded_grade_is_taken_over_and_its_claim_is_gone(book: Gradebook) -> None:
    first, second = book.grader(), book.grader()
    claim(book, first)
    assert book.record(a_stored_grade(), ASSIGNMENT, grader=first)
    assert claim(book, second) == a_stored_grade()
    assert claim(book, second, again=True) == a_stored_grade()
    later = book.grader()
    assert claim(book, later) == a_stored_grade()
    assert claim(book, later, again=True) is later


def test_a_fault_that_another_has_just_recorded_is_not_judged_once_more(book: Gradebook) -> None:
    first, second = book.grader(), book.grader()
    claim(book, first)
    book.record(a_stored_fault(), ASSIGNMENT, grader=first)
    assert claim(book, second) == a_stored_fault()
    later = book.grader()
    assert claim(book, later) is later


def test_two_regrades_at_once_leave_one_new_attempt(book: Gradebook) -> None:
    book.record(a_stored_grade(points=1.0), ASSIGNMENT)
    first, second = book.grader(), book.grader()
    assert book.record(a_stored_grade(points=2.0), ASSIGNMENT, force=True, grader=first)
    assert not book.record(a_stored_grade(points=2.0), ASSIGNMENT, force=True, grader=second)
    assert len(book.attempts(ASSIGNMENT, "alice")) == 2


def test_what_a_grader_lets_go_of_is_free(book: Gradebook) -> None:
    first, second = book.grader(), book.grader()
    claim(book, first)
    book.release(first)
    assert claim(book, second) is second


def claim_and_die(place: str) -> None:
    with Gradebook.open(place) as book:
        claim(book, book.grader())
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_claim_of_a_grader_that_was_killed_is_free_at_once(place: str) -> None:
    Gradebook.open(place).close()
    grader = multiprocessing.get_context("spawn").Process(target=claim_and_die, args=(place,))
    grader.start()
    grader.join()
    with Gradebook.open(place) as book:
        me = book.grader()
        assert claim(book, me) is me


def test_a_process_that_got_a_dead_graders_number_does_not_hold_its_claims(book: Gradebook) -> None:
    first, me = book.grader(), book.grader()
    machine, _, began = first.process.rpartition(" ")
    claim(book, msgspec.structs.replace(first, process=f"{machine} {int(began) - 1}"))
    assert claim(book, me) is me


def test_the_claim_of_a_machine_that_fell_silent_is_free_after_a_while(place: str, book: Gradebook) -> None:
    there, me = msgspec.structs.replace(book.grader(), process="elsewhere 1", host="elsewhere"), book.grader()
    claim(book, there)
    _age(place, 170)
    assert claim(book, me).host == "elsewhere"
    book.heartbeat(there)
    _age(place, 170)
    assert claim(book, me).host == "elsewhere"
    _age(place, 20)
    assert claim(book, me) is me


def _age(place: str, seconds: float) -> None:
    """As if the last signs of life were so much longer ago."""
    engine = engine_of(place)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE claims SET beaten = beaten - :seconds"), {"seconds": seconds})
    engine.dispose()


def test_two_commands_on_one_folder_share_the_work_and_both_end_with_every_grade(tmp_path: Path) -> None:
    course = tiny(tmp_path / "course")
    students = [f"s{number}" for number in range(8)]
    (course / "in").mkdir()
    for student in students:
        wait = "import time\ntime.sleep(1.5)"
        (course / "in" / f"{student}.ipynb").write_text(notebook(DOUBLE, HALVE, wait, f"'{student}'"))
    line = command("grade", "in", "--workers", "1", "--json")
    graders = [
        subprocess.Popen(line, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = [(grader, *grader.communicate(timeout=300)) for grader in graders]
    runs = [subprocess.CompletedProcess(line, grader.returncode, out, err) for grader, out, err in ended]
    assert [run.returncode for run in runs] == [0, 0], [run.stderr for run in runs]
    for run in runs:
        assert {name: told["points"] for name, told in by_student(run).items()} == dict.fromkeys(students, 5)
    assert any("Another grader is at work" in run.stderr for run in runs)
    assert any("by another grader meanwhile" in run.stderr for run in runs)
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        assert [len(book.attempts("tiny", student)) for student in students] == [1] * len(students)
