"""A batch that is graded in shares: every submission is in one share, which no name and no order changes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.errors import RequestError
from gradetape.grading.selection import Selection
from gradetape.grading.shards import Shard
from gradetape.records import Cell, Submission, Unreadable
from tests.course import DOUBLE, HALVE, called, notebook, tiny, write_files

_texts = st.text(max_size=8)
_submissions = st.builds(
    Submission,
    student=_texts, file=_texts, sha256=_texts, assignment=st.just("tiny"),
    cells=st.lists(st.builds(Cell, source=_texts, question=st.sampled_from([None, "q01"])), max_size=3).map(tuple),
)  # fmt: skip
_files = st.builds(Unreadable, student=_texts, file=_texts, sha256=_texts, reason=_texts)


def every(count: int) -> list[Shard]:
    return [Shard(number, count) for number in range(1, count + 1)]


@given(st.one_of(_submissions, _files), st.integers(1, 40))
def test_every_submission_is_in_one_share(result: Submission | Unreadable, count: int) -> None:
    assert sum(shard.holds(result) for shard in every(count)) == 1


@given(_submissions, _submissions)
def test_the_cells_alone_decide_the_share(one: Submission, other: Submission) -> None:
    other = Submission(
        student=other.student, file=other.file, sha256=other.sha256, assignment=None, cells=one.cells,
        notes=("a note",), modified="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    assert [shard.holds(one) for shard in every(16)] == [shard.holds(other) for shard in every(16)]


def test_a_share_of_a_selection_keeps_its_order_and_says_its_size() -> None:
    made = [a_submission(number) for number in range(100)]
    broken = tuple(Unreadable(student=f"u{number}", file="f", sha256=str(number), reason="r") for number in range(20))
    whole = Selection("tiny", tuple(made), broken, ("a warning",), "Canvas, 120 students")
    shares = [shard.of(whole) for shard in every(4)]
    assert {each.student for share in shares for each in share.submissions} == {each.student for each in made}
    assert sum(len(share.unreadable) for share in shares) == 20
    assert all(10 < len(share.submissions) < 40 for share in shares), "the shares have about the same size"
    for number, share in enumerate(shares, 1):
        assert list(share.submissions) == [each for each in made if each in share.submissions]
        size = len(share.submissions) + len(share.unreadable)
        assert share.recognised == f"Canvas, 120 students; share {number}/4: {size} of 120 submissions"
        assert share.warnings == ("a warning",)
    random.Random(1).shuffle(made)
    again = Shard(3, 4).of(Selection("tiny", tuple(made), broken))
    assert set(again.submissions) == set(shares[2].submissions)


def a_submission(number: int) -> Submission:
    cells = (Cell(source=f"x = {number}"),)
    return Submission(student=f"s{number}", file=f"s{number}.py", sha256=str(number), assignment="tiny", cells=cells)


def test_a_share_is_written_with_its_number_and_their_count() -> None:
    assert Shard.parse("3/16") == Shard(3, 16) and str(Shard(3, 16)) == "3/16"
    assert Shard.parse(" 1/1 ") == Shard(1, 1)


@pytest.mark.parametrize(
    "text", ["", "3", "0/16", "17/16", "3/0", "-1/16", "1/16/2", "1.0/2", "x/16", "3/16\n4/16", "³/9"]
)
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"is not a share: write its number and how many there are, from 1/16"):
        Shard.parse(text)


def test_the_command_grades_a_share(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    texts = {f"in/s{number}.ipynb": notebook(DOUBLE, HALVE, f"x = {number}") for number in range(12)}
    write_files(root, texts)
    planned = [called(root, "grade", "in", "--shard", f"{number}/4", "--dry-run", "--json") for number in range(1, 5)]
    assert [run.returncode for run in planned] == [0, 0, 0, 0]
    students = [{student for work in json.loads(run.stdout)["runs"] for student in work["students"]} for run in planned]
    assert set.union(*students) == {f"s{number}" for number in range(12)} and sum(map(len, students)) == 12
    for number, (run, share) in enumerate(zip(planned, students, strict=True), 1):
        assert f"share {number}/4: {len(share)} of 12 submissions" in run.stderr
    wrong = called(root, "grade", "in", "--shard", "5/4")
    assert wrong.returncode == 2 and "--shard '5/4' is not a share" in wrong.stderr
