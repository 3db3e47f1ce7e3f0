"""Pictures and files of an assignment reach the students, or release says why not."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gradetape.course import assignments as courses
from gradetape.errors import ReleaseError
from gradetape.release import release
from tests.course import called, tiny

PNG = b"\x89PNG\r\n\x1a\n a picture"
QUESTION = Path("assignments/tiny/q01_double")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tiny(tmp_path / "course")
    (root / QUESTION / "plot.png").write_bytes(PNG)
    return root


def prompt(course: Path, text: str) -> None:
    (course / QUESTION / "prompt.md").write_text(f"# Twice\n\n{text}\n", encoding="utf-8")


def released(course: Path) -> Path:
    return release(courses.find(course).assignment("tiny"), course / "student")


def cell(course: Path) -> Any:
    """The notebook's cell with the prompt."""
    made = nbformat.read(released(course) / "tiny.ipynb", as_version=4)
    return next(each for each in made.cells if each.source.startswith("## Twice"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a plot](plot.png)", "![a plot](attachment:q01_double-plot.png)"),
        ('![a plot](<plot.png> "with a title")', '![a plot](attachment:q01_double-plot.png "with a title")'),
        ("![a plot][1]\n\n[1]: plot.png", "![a plot][1]\n\n[1]: attachment:q01_double-plot.png"),
        ('<img width="9" src="plot.png">', '<img width="9" src="attachment:q01_double-plot.png">'),
        ("![](../q01_double/plot.png) ![](plot.png)", "![](attachment:q01_double-plot.png) " * 2),
    ],
)
def test_a_picture_travels_inside_the_notebook(course: Path, text: str, shown: str) -> None:
    prompt(course, text)
    made = cell(course)
    assert made.source.partition("\n\n")[2] == shown.strip()
    assert made.attachments == {"q01_double-plot.png": {"image/png": base64.b64encode(PNG).decode()}}


def test_a_name_with_spaces_is_found_and_a_picture_of_another_machine_is_left_alone(course: Path) -> None:
    (course / QUESTION / "the plot.svg").write_text("<svg/>")
    prompt(course, "![](the%20plot.svg) ![](https://example.org/plot.png) [more](https://example.org) [up](#top)")
    made = cell(course)
    assert "![](attachment:q01_double-the-plot.svg) ![](https://example.org/plot.png) [more](" in made.source
    assert set(made.attachments) == {"q01_double-the-plot.svg"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("![](plott.png)", "which is not in the assignment's folder. Put a picture (.png, .jpg, .gif or .svg) there"),
        ("![](starter.py)", "shows starter.py, which is no picture. Put a picture"),
        ("![](../../../solutions/tiny/plot.png)", "which is not in the assignment's folder. Put a picture"),
        ("[the data](iris.csv)", "links to iris.csv, which students do not receive. List the file under files in"),
        ('<a href="iris.csv">data</a>', "links to iris.csv, which students do not receive."),
    ],
)
def test_what_students_would_not_find_is_refused(course: Path, text: str, problem: str) -> None:
    (course / "solutions/tiny/plot.png").write_bytes(PNG)
    prompt(course, text)
    with pytest.raises(ReleaseError, match=re.escape(problem)) as refused:
        released(course)
    assert f"{QUESTION}/prompt.md" in str(refused.value)
    assert not (course / "student/tiny").exists()


def test_a_link_leads_to_a_data_file(course: Path) -> None:
    (course / "assignments/tiny/data").mkdir()
    (course / "assignments/tiny/data/iris.csv").write_text("1,2\n")
    with (course / "assignments/tiny/assignment.yml").open("a") as file:
        file.write("data: [data/iris.csv]\n")
    prompt(course, "[the data](data/iris.csv), [the rest](README.md#top)")
    assert "[the data](data/iris.csv)" in cell(course).source
    assert (course / "student/tiny/data/iris.csv").read_text() == "1,2\n"


def test_files_that_students_do_not_receive_are_named(course: Path) -> None:
    prompt(course, "![](plot.png)")
    (course / "assignments/tiny/iris.csv").write_text("1,2\n")
    (course / QUESTION / "draft.md").write_text("later")
    run = called(course, "release", "tiny")
    assert run.returncode == 0
    assert (
        "Students do not receive iris.csv, q01_double/draft.md: list files for them under files in "
        "assignments/tiny/assignment.yml." in " ".join(run.stdout.split())
    )
