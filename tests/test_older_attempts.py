"""Which attempt counts is decided by when it was handed in, never by when it was graded."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from gradetape.exports.json import as_json
from gradetape.gradebook import Gradebook, Order, order_of
from gradetape.grading.which_counts import FileComparison, comparisons, lines
from gradetape.records import Check, Grade, Job, Origin, Outcome, Unreadable
from tests.books import attempts
from tests.course import DOUBLE, HALVE, notebook, write_files
from tests.factories import a_stored_grade
from tests.regrading import NOTEBOOK, Graded, compared, failed, grade, passed

MONDAY = datetime(2026, 10, 5, 12, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
RIGHT = (DOUBLE, HALVE)
OLDER = "recorded but not counted, since a file that was handed in later counts: ada"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return compared(tmp_path / "course")


def hand_in(root: Path, when: datetime, *cells: str) -> Graded:
    """Grades a file with this time, or the one that is there; one with a wrong cell gets no points."""
    if cells:
        write_files(root, {NOTEBOOK: notebook(*cells)})
    os.utime(root / NOTEBOOK, (when.timestamp(), when.timestamp()))

    def answer(job: Job, checks: tuple[Check, ...]) -> Outcome:
        wrong = any("wrong" in cell.source for cell in job.cells)
        return failed(job, checks) if wrong else passed(job, checks)

    return grade(root, answer=answer)


def counting(root: Path) -> list[float]:
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        return [each.points for each in book.latest("tiny")]


def test_an_older_file_is_recorded_and_does_not_count_and_the_command_says_so(root: Path) -> None:
    hand_in(root, TUESDAY, *RIGHT)
    older = hand_in(root, MONDAY, "# wrong", *RIGHT)
    assert (older.grade.points, counting(root)) == (0, [5])
    assert OLDER in older.report.messages
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        assert len(attempts(book, "tiny", "ada")) == 2


def test_grading_it_once_more_changes_nothing_either(root: Path) -> None:
    hand_in(root, MONDAY, "# wrong", *RIGHT)
    newer = hand_in(root, TUESDAY, *RIGHT)
    assert counting(root) == [5] and newer.report.older == ()
    known = hand_in(root, MONDAY, "# wrong", *RIGHT)
    assert (known.jobs, counting(root)) == ([], [5]) and OLDER in known.report.messages


def test_an_old_version_that_is_handed_in_anew_counts_again_and_goes_on_counting(root: Path) -> None:
    hand_in(root, MONDAY, "# wrong", *RIGHT)
    hand_in(root, TUESDAY, *RIGHT)
    again = hand_in(root, TUESDAY + timedelta(days=1), "# wrong", *RIGHT)
    assert (again.jobs, again.report.older, counting(root)) == ([], (), [0])
    hand_in(root, TUESDAY, *RIGHT)
    assert counting(root) == [0]


def test_the_same_file_counts_whatever_its_time(root: Path) -> None:
    hand_in(root, TUESDAY, *RIGHT)
    assert hand_in(root, MONDAY).report.older == ()
    assert counting(root) == [5]


def test_json_says_which_submission_does_not_count() -> None:
    grades = [stored("a", TUESDAY), a_stored_grade("bob")]
    found = as_json(grades, [], "tiny", "none", max_points=2, older=("alice",))["submissions"]
    assert [each.get("counts") for each in found] == [False, None]


def stored(file: str, modified: datetime | None, submitted: datetime | None = None) -> Grade:
    origin = None if submitted is None else Origin(layout="canvas", id="7", submitted=submitted)
    text = "" if modified is None else modified.isoformat()
    return a_stored_grade(key=file, sha256=file * 64, modified=text, origin=origin)


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (stored("a", TUESDAY), stored("b", MONDAY), "a"),
        (stored("a", MONDAY), stored("b", TUESDAY), "b"),
        (stored("a", MONDAY), stored("b", MONDAY), "b"),
        (stored("a", None), stored("b", MONDAY), "b"),
        (stored("a", MONDAY, TUESDAY), stored("b", TUESDAY, MONDAY), "a"),
        (stored("a", MONDAY, TUESDAY), stored("b", TUESDAY), "b"),
    ],
    ids=["older", "newer", "equal", "unknown", "the platform's time", "only one has the platform's time"],
)
def test_the_later_of_two_files_counts(tmp_path: Path, first: Grade, second: Grade, counts: str) -> None:
    with Gradebook.open(tmp_path / "book.sqlite") as book:
        for each in (first, second):
            book.record(each, "tiny")
        assert [each.key for each in book.latest(first.assignment)] == [counts]


def test_a_time_that_cannot_be_read_decides_nothing() -> None:
    one, other = {"sha256": "a", "modified": "yesterday"}, {"sha256": "b", "modified": MONDAY.isoformat()}
    assert Order.EARLIER not in (order_of(one, other), order_of(other, one))


# Where times do not decide


def broken(file: str, modified: datetime | None) -> Unreadable:
    text = "" if modified is None else modified.isoformat()
    return Unreadable(student="alice", file=file, sha256=file * 64, reason="It is empty.", modified=text)


UNDECIDED = [
    (stored("b", MONDAY), stored("a", MONDAY), "b", Order.TIED),
    (stored("b", None), stored("a", MONDAY), "a", Order.UNKNOWN),
    (stored("a", MONDAY, TUESDAY), stored("b", MONDAY, TUESDAY), "b", Order.TIED),
    (stored("a", MONDAY, TUESDAY), stored("b", TUESDAY), "b", Order.TIED),
    (stored("a", MONDAY), broken("b", MONDAY), "a", Order.TIED),
    (stored("a", MONDAY), broken("b", None), "a", Order.UNKNOWN),
    (stored("a", None), broken("b", MONDAY), "b", Order.UNKNOWN),
    (broken("a", MONDAY), broken("b", MONDAY), "b", Order.TIED),
    (stored("a", MONDAY), broken("b", TUESDAY), "b", Order.LATER),
    (broken("a", MONDAY), stored("b", TUESDAY), "b", Order.LATER),
]  # fmt: skip
Pair = tuple[Grade | Unreadable, Grade | Unreadable, str, Order]


@pytest.mark.parametrize("pair", UNDECIDED)
@pytest.mark.parametrize("swapped", [False, True])
def test_which_of_two_files_counts_never_depends_on_which_was_graded_first(
    tmp_path: Path, pair: Pair, swapped: bool
) -> None:
    first, second, counts, order = pair
    kinds = {Order.LATER: {Order.LATER, Order.EARLIER}}.get(order, {order})
    assert order_of(msgspec.to_builtins(second), msgspec.to_builtins(first)) in kinds
    with Gradebook.open(tmp_path / "book.sqlite") as book:
        for _ in range(2):
            for each in (second, first) if swapped else (first, second):
                book.record(each, first.assignment if isinstance(first, Grade) else "custom-training", force=True)
        [found] = [record for name in book.assignments() for record in book.counting(name)]
    assert found.sha256 == counts * 64


def test_of_two_files_without_any_time_the_one_that_is_graded_last_counts_and_it_is_told(tmp_path: Path) -> None:
    with Gradebook.open(tmp_path / "book.sqlite") as book:
        first, second = stored("b", None), stored("a", None)
        book.record(first, first.assignment)
        before = book.measured(first.assignment)
        book.record(second, first.assignment)
        found = comparisons(book, first.assignment, [second], before, book.measured(first.assignment))
    assert found == (FileComparison("alice", True, Order.UNKNOWN),)
    [line] = lines(found)
    assert line.startswith("counts now: alice: it is not known when one of two files of the same student was handed in")


def test_a_file_of_the_same_second_is_told_whether_it_counts_or_not(root: Path) -> None:
    texts = sorted((notebook(*RIGHT), notebook("# wrong", *RIGHT)), key=lambda text: sha256(text.encode()).hexdigest())
    told = []
    for text in (*texts, *texts):
        write_files(root, {NOTEBOOK: text})
        told.append([line for line in hand_in(root, MONDAY).report.messages if "at the same time" in line])
    assert [[line.partition(":")[0] for line in lines] for lines in told] == [
        [], ["counts now"], ["recorded but not counted"], [],
    ]  # fmt: skip
    assert "ada: handed in at the same time as another file" in told[1][0] and "touch FILE" in told[1][0]


def test_a_file_that_is_gone_does_not_take_the_place_of_a_grade(root: Path) -> None:
    hand_in(root, MONDAY, *RIGHT)
    (root / NOTEBOOK).unlink()
    (root / NOTEBOOK).symlink_to(root / "grader_config.yml")
    run = grade(root)
    assert counting(root) == [5]
    [line] = [line for line in run.report.messages if "recorded but not counted" in line]
    assert line.startswith("recorded but not counted: ada: it is not known when one of two files")
    assert (
        as_json([], run.report.batch.unreadable, "tiny", "none", max_points=5, older=run.report.older)["submissions"][
            0
        ]["counts"]
        is False
    )


def test_a_second_file_beside_it_does_not_keep_the_first_from_counting_again(root: Path) -> None:
    write_files(root, {"in/ada/hw.ipynb": notebook(*RIGHT)})
    (root / NOTEBOOK).unlink()
    os.utime(root / "in/ada/hw.ipynb", (MONDAY.timestamp(),) * 2)
    grade(root)
    write_files(root, {"in/ada/scratch.ipynb": notebook(DOUBLE)})
    grade(root)
    (root / "in/ada/scratch.ipynb").unlink()
    assert grade(root).report.comparisons == () and counting(root) == [5]
