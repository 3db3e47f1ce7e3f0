"""A batch of which some were graded under an older version of a check is marked as mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape.grading.mixed import as_json
from gradetape.records import MixedQuestion
from tests.course import DOUBLE, HALVE, notebook, write_files
from tests.regrading import DOUBLED, HIDDEN, NOTEBOOK, compared, edit, grade

MIXED = (
    "mixed: q01_double: 1 student of 2 were graded under another version of its checks (ada). Grade all submissions "
    "again to compare them."
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course with a changed check, under which only one of two students was graded."""
    made = compared(tmp_path / "course")
    grade(made)
    edit(made, HIDDEN, "2 * number", "number + number")
    (made / NOTEBOOK).rename(made / "ada.ipynb")
    return write_files(made, {"in/bob.ipynb": notebook("# Another one.", DOUBLE, HALVE)})


def test_a_batch_under_two_versions_is_mixed_in_the_terminal_and_on_the_dashboard(root: Path) -> None:
    report = grade(root).report
    assert MIXED in report.messages
    assert as_json(report.mixed) == [{"question": DOUBLED, "what": "its checks", "students": ["ada"]}]
    page = (root / "results/index.html").read_text()
    assert "Mixed: graded under two versions" in page and "another version of its checks" in page


def test_it_is_mixed_until_the_rest_is_graded_again(root: Path) -> None:
    assert grade(root).report.mixed and grade(root).report.mixed
    (root / "ada.ipynb").rename(root / NOTEBOOK)
    assert grade(root).report.mixed == ()
    assert "Mixed" not in (root / "results/index.html").read_text()


def test_another_hint_makes_nothing_mixed(tmp_path: Path) -> None:
    root = compared(tmp_path / "course")
    grade(root)
    edit(root, HIDDEN, "not whole?", "negative?")
    write_files(root, {"in/bob.ipynb": notebook("# Another one.", DOUBLE, HALVE)})
    (root / NOTEBOOK).rename(root / "ada.ipynb")
    assert grade(root).report.mixed == ()


def test_what_has_two_versions_is_named(root: Path) -> None:
    (root / "autograder/seed").write_text("ab" * 32)
    [first, _] = grade(root).report.mixed
    assert first == MixedQuestion(question=DOUBLED, what="its checks and the course's seed", students=("ada",), of=2)
