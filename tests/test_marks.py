"""The marks of checks: they are described where authors look, and what is missing or wrong is named."""

from __future__ import annotations

import inspect
import io
from pathlib import Path

import pytest
from rich.console import Console

from gradetape import checks
from gradetape.course import assignments as course
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import CourseError
from gradetape.grading.rubric import Rubric
from gradetape.judge.items import check_of
from gradetape.judge.registry import MARKS
from gradetape.records import Check, CollectedChecks
from gradetape.verify import Proof
from gradetape.verify.table import render
from tests.course import tiny


def a_check(name: str, points: float, *, hint: str = "Look there.", public: bool = True) -> Check:
    return Check(question="q01_double", name=name, public=public, title="T", hint=hint, points=points)


@pytest.mark.parametrize("name", [*(mark.name for mark in MARKS), "in_worker"])
def test_help_describes_every_mark_with_an_example(name: str) -> None:
    mark = getattr(checks, name)
    text = inspect.getdoc(mark) or ""
    assert f"@{name}" in text and len(text.splitlines()[0]) > 20


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: mark.name)
def test_the_functions_put_the_mark_of_their_name_on_a_check(mark: object) -> None:
    def test_it() -> None: ...

    name = mark.name  # type: ignore[attr-defined]
    decorator = getattr(checks, name)
    marked = decorator(test_it) if name == "gpu" else decorator(2)(test_it)
    [found] = marked.pytestmark
    assert (found.name, found.args) == (name, () if name == "gpu" else (2,))
    assert marked is test_it


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ((1, 0), r"its checks give 1 point, assignment.yml says 3. Without @points: hidden::test_any$"),
        ((1, 1), r"its checks give 2 points, assignment.yml says 3$"),
        ((0, 0), r"its checks give 0 points, .* 3. Without @points: public::test_two, hidden::test_any$"),
    ],
)
def test_points_that_do_not_add_up_name_the_checks_without_any(
    tmp_path: Path, points: tuple[float, float], message: str
) -> None:
    gradable = GradableAssignment.open(course.find(tiny(tmp_path / "course")), "tiny")
    found = (a_check("test_two", points[0]), a_check("test_any", points[1], public=False))
    with pytest.raises(CourseError, match=message):
        Rubric.of(gradable, CollectedChecks(checks=found), ["q01_double"])


def test_a_check_without_a_hint_is_a_note_and_no_problem() -> None:
    found = (a_check("test_two", 1), a_check("test_three", 1, hint=" "), a_check("test_any", 1, hint="", public=False))
    console = Console(file=io.StringIO(), width=400)
    render(Proof(assignment="tiny", checks=found), console)
    [note] = [line for line in console.file.getvalue().splitlines() if "hint" in line]  # type: ignore[attr-defined]
    assert note.startswith(
        "note: students get no hint when they do not pass q01_double::public::test_three, q01_double"
    )
    assert note.endswith("hidden::test_any: add @hint. Of a hidden check, they read only its title.")
    render(Proof(assignment="tiny", checks=found[:1]), quiet := Console(file=io.StringIO(), width=400))
    assert "hint" not in quiet.file.getvalue()  # type: ignore[attr-defined]


class AnItem:
    """A collected check, as far as its record needs it."""

    name = "test_two"

    def __init__(self, course: Path, function: object) -> None:
        self.path = course / "assignments" / "tiny" / "q01_double" / "test_public.py"
        self.function = function

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next((mark for mark in getattr(self.function, "pytestmark", []) if mark.name == name), None)


@pytest.mark.parametrize(("named", "given"), [((), "()"), (("Empty row",), "('Empty row')"), (("a", 3), "(3)")])
def test_requirements_that_are_no_ids_are_refused(tmp_path: Path, named: tuple[str, ...], given: str) -> None:
    def test_two() -> None:
        """Twice two is four."""

    item = AnItem(tiny(tmp_path / "course"), checks.proves(*named)(test_two))
    with pytest.raises(CourseError) as refused:
        check_of(item)  # type: ignore[arg-type]
    assert f"test_public.py: test_two has @proves{given}. Name requirements of the prompt, such as" in str(
        refused.value
    )


def test_requirements_are_in_the_record_of_a_check(tmp_path: Path) -> None:
    @checks.proves("empty-row", "ids-2")
    def test_two() -> None:
        """Twice two is four."""

    item = AnItem(tiny(tmp_path / "course"), test_two)
    assert check_of(item).requirements == ("empty-row", "ids-2")  # type: ignore[arg-type]
