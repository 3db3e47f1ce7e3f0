"""A gradable assignment: which question a cell belongs to, and what decides a grade."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.grading.builder import GradeBuilder
from gradetape.records import Cell, Environment
from tests.course import DOUBLE, tiny
from tests.submissions import script


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny(tmp_path / "course")


def opened(root: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(root), "tiny")


def key(root: Path) -> str:
    environment = Environment(isolation="none", identity="this test", message="")
    return GradeBuilder(opened(root), environment).key(script("ada", DOUBLE, assignment="tiny"))


def write(root: Path, question: str, text: str) -> None:
    (root / "assignments/tiny" / question / "starter.py").write_text(text)


def test_an_untagged_cell_belongs_to_the_question_whose_starter_defines_its_names(root: Path) -> None:
    write(root, "q01_double", "def double(x): ...\ndef helper(): ...\n")
    write(root, "q02_halve", "class Halver: ...\ndef helper(): ...\n")
    texts = ("def double(x): return 2", "class Halver: pass", "def helper(): pass", "x = 1")
    cells = opened(root).attributed(tuple(Cell(source=text) for text in texts))
    assert [cell.question for cell in cells] == ["q01_double", "q02_halve", None, None]


def test_a_starter_that_asks_for_another_name_changes_the_key_of_a_grade(root: Path) -> None:
    before = key(root)
    assert key(root) == before
    write(root, "q02_halve", "def halve(x): ...\ndef double(x): ...\n")
    moved = key(root)
    assert moved != before
    write(root, "q01_double", "def twice(x): ...\n")
    assert key(root) not in (before, moved)


def test_another_comment_in_a_starter_does_not(root: Path) -> None:
    before = key(root)
    starter = root / "assignments/tiny/q01_double/starter.py"
    starter.write_text(f"# A comment.\n{starter.read_text()}")
    assert key(root) == before
