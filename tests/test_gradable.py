"""A gradable assignment: which question a cell belongs to, and what decides a grade."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Check, CheckResult, Environment, Outcome, Verdict
from tests.course import DOUBLE, tiny
from tests.submissions import script


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny(tmp_path / "course")


def opened(root: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(root), "tiny")


def builder(root: Path) -> GradeBuilder:
    return GradeBuilder(opened(root), Environment(isolation="none", identity="this test", message=""))


def key(root: Path) -> str:
    return builder(root).key(script("ada", DOUBLE, assignment="tiny"))


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


PROMPT = """\
# Twice as much

`double(x)` <!-- requirement: twice --> returns **twice** a number.
<!-- requirement: same-type --> The type stays:

- <!-- requirement: integers --> an integer becomes an integer, as in \\*these\\* examples; `2 * x` is one,
  [another](https://example.org) is `x+x`
- <!-- requirement: long --> {long}.
- <!-- requirement: last --> No more.
"""


def quoted(root: Path, verdict: Verdict, *requirements: str) -> tuple[str, ...]:
    """What a student's result for a check quotes."""
    (root / "assignments/tiny/q01_double/prompt.md").write_text(PROMPT.format(long="A long word or two " * 30))
    check = Check(
        question="q01_double", name="test_two", public=False, title="Two.", hint="", points=1, requirements=requirements
    )
    result = CheckResult(check=check, verdict=verdict, points=0, seconds=0)
    rubric = Rubric(opened(root), (check,), {})
    grade = builder(root).graded(rubric, script("ada", DOUBLE, assignment="tiny"), Outcome(results=(result,))).grade
    return grade.results[0].sentences


def test_a_check_that_fails_quotes_the_prompt_without_markdown(root: Path) -> None:
    assert quoted(root, Verdict.FAILED, "twice", "same-type", "integers") == (
        "… returns twice a number.",
        "The type stays …",
        "… an integer becomes an integer, as in *these* examples; 2 * x is one, another is x+x …",
    )
    [long] = quoted(root, Verdict.ERROR, "long")
    assert 200 < len(long) < 250 and long.endswith("A long word …")


def test_a_check_quotes_at_most_three_sentences_and_none_that_is_not_there(root: Path) -> None:
    assert len(quoted(root, Verdict.FAILED, "twice", "twice", "same-type", "integers", "last")) == 3
    assert quoted(root, Verdict.FAILED, "unknown", "last") == ("No more.",)


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.SKIPPED, Verdict.MISSING, Verdict.FAULT])
def test_nothing_is_quoted_where_the_answer_did_not_fail(root: Path, verdict: Verdict) -> None:
    assert quoted(root, verdict, "twice") == ()
