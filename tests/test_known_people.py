"""One person keeps one name in the gradebook, and two people of one name never share it, whenever they hand in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from gradetape.errors import RequestError
from gradetape.gradebook import Gradebook
from gradetape.grading.people import under_known_names
from gradetape.grading.selection import Selection
from gradetape.records import Origin
from tests.course import called
from tests.engines.passing import RIGHT, passing_course
from tests.layouts import right
from tests.submissions import script


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return passing_course(tmp_path / "course", monkeypatch)


def grade(course: Path, *names: str, status: int = 0) -> str:
    folder = course / "in"
    shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(right(len(name) + sum(map(ord, name))))
    run = called(course, "grade", "in")
    assert run.returncode == status, run.stderr
    return run.stderr


def known(course: Path) -> dict[str, str]:
    """The ids in the gradebook, by student."""
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        return {each.student: each.origin.id if each.origin else "" for each in book.latest("tiny")}


def test_the_second_person_of_a_name_gets_the_id_behind_it_also_on_another_day(course: Path) -> None:
    grade(course, "doejane_10001_90001_hw.ipynb")
    grade(course, "doejane_10002_90002_hw.ipynb")
    assert known(course) == {"doejane": "10001", "doejane (10002)": "10002"}
    grade(course, "doejane_10001_90003_hw-1.ipynb", "doejane_10002_90004_hw-1.ipynb")
    assert known(course) == {"doejane": "10001", "doejane (10002)": "10002"}


def test_a_person_whose_name_has_changed_keeps_the_one_in_the_gradebook(course: Path) -> None:
    grade(course, "doejane_10001_90001_hw.ipynb")
    grade(course, "roejane_10001_90002_hw-1.ipynb")
    assert known(course) == {"doejane": "10001"}


def test_a_name_that_somebody_else_has_by_an_id_gets_its_own_id(course: Path) -> None:
    grade(course, "doejane_10001_90001_hw.ipynb")
    grade(course, "roejane_10001_90002_hw.ipynb", "doejane_10002_90003_hw.ipynb")
    assert known(course) == {"doejane": "10001", "doejane (10002)": "10002"}


def test_two_that_would_have_one_name_are_refused(course: Path) -> None:
    grade(course, "doejane_10001_90001_hw.ipynb")
    canvas = Origin(layout="canvas", id="10001")
    by_id = replace(script("roejane", RIGHT, assignment="tiny"), origin=canvas)
    selection = Selection("tiny", (by_id, script("doejane", RIGHT, assignment="tiny")), ())
    words = "2 submissions are of 'doejane': one by its id, which the gradebook has under this name, another by its own"
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book, pytest.raises(RequestError, match=words):
        under_known_names(book, selection)


def test_ids_of_different_platforms_are_not_compared(course: Path) -> None:
    grade(course, "Jane Doe_7_assignsubmission_file_/hw.ipynb")
    grade(course, "7-90001 - Jane Doe - Sep 3, 2025 1159 PM/hw.ipynb")
    assert set(known(course)) == {"Jane Doe"}
