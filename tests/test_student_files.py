"""Files of an assignment: students receive them, and where a submission is graded they lie beside it, read-only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine.unpacked import unpacked
from gradetape.errors import CourseError, InfrastructureError
from gradetape.records import AssignmentBundle, Limits
from tests.course import by_student, called, gradetape, notebook, tiny, write_files

HELPERS = "def twice(x):\n    return x + x\n"
LISTED = "files: [helpers.py, tables/factor.csv]\n"
WITH_FILES = """\
import csv
from pathlib import Path

import helpers

FACTOR = float(next(csv.reader(open("tables/factor.csv")))[0])
def double(x):
    return helpers.twice(x)
def halve(x):
    return x * FACTOR
"""
# What a notebook that may write to a file of the assignment would get no points for.
READ_ONLY = """\
for name in ("helpers.py", "tables/factor.csv"):
    for mode in ("w", "a", "r+"):
        try:
            open(name, mode)
        except PermissionError:
            continue
        del double, halve
        raise SystemExit(name)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny course with two files for students."""
    made = tiny(tmp_path / "course")
    write_files(made / "assignments/tiny", {"helpers.py": HELPERS, "tables/factor.csv": "0.5\n"})
    with (made / "assignments/tiny/assignment.yml").open("a") as file:
        file.write(LISTED)
    return made


@pytest.mark.parametrize("isolation", ["namespaces", "none"])
def test_the_files_lie_beside_the_notebook_and_cannot_be_written(root: Path, isolation: str) -> None:
    write_files(root, {"in/ada.ipynb": notebook(WITH_FILES, READ_ONLY)})
    run = gradetape(root, "grade", "in", "--json", "--isolation", isolation)
    ada = by_student(run)["ada"]
    assert (run.returncode, ada["points"]) == (0, 5), run.stdout + run.stderr


def test_they_lie_beside_a_submission_that_pytest_checks(root: Path) -> None:
    write_files(root, {"in/ada.ipynb": notebook(WITH_FILES)})
    command = [sys.executable, "-m", "pytest", "-q", "autograder", "--submission", "in/ada.ipynb"]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout


def test_they_are_released_with_the_notebook(root: Path) -> None:
    assert called(root, "release", "tiny").returncode == 0
    assert (root / "student/tiny/helpers.py").read_text() == HELPERS
    assert (root / "student/tiny/tables/factor.csv").read_text() == "0.5\n"


def test_the_older_key_means_the_same(root: Path) -> None:
    listed = root / "assignments/tiny/assignment.yml"
    listed.write_text(
        listed.read_text().replace(LISTED, "files: [helpers.py]\ndata: [tables/factor.csv, helpers.py]\n")
    )
    assignment = courses.find(root).assignment("tiny")
    assert list(assignment.student_files) == ["helpers.py", "tables/factor.csv"]


def test_files_that_would_fill_a_workers_folder_are_refused(root: Path) -> None:
    (root / "grader_config.yml").write_text("limits: {disk_mb: 2}\n")
    (root / "assignments/tiny/tables/factor.csv").write_bytes(b"1\n" * (1 << 20))
    with pytest.raises(CourseError) as refused:
        courses.find(root).assignment("tiny")
    assert str(refused.value) == (
        "assignments/tiny/assignment.yml: the files for students have 2 MiB together, and at most 1 lie beside a "
        "notebook, half of limits.disk_mb. Raise it in grader_config.yml, or shorten the files."
    )


def test_an_engine_without_the_course_has_them_too(root: Path) -> None:
    bundle = GradableAssignment.open(courses.find(root), "tiny").bundle()
    with unpacked(bundle) as made:
        assert (made / "assignments/tiny/tables/factor.csv").read_text() == "0.5\n"


def test_a_bundle_whose_files_lead_out_of_the_assignment_is_refused() -> None:
    bundle = AssignmentBundle(
        assignment="tiny", keras="3", limits=Limits(), files={}, student_files={"../../out.csv": b""}
    )
    with pytest.raises(InfrastructureError, match="which is not the path of a file for students"), unpacked(bundle):
        pass


def test_renaming_and_removing_a_question_moves_and_removes_its_files(root: Path) -> None:
    listed = root / "assignments/tiny/assignment.yml"
    write_files(root / "assignments/tiny", {"q01_double/numbers.csv": "1\n"})
    listed.write_text(listed.read_text().replace("[helpers.py,", "[helpers.py, q01_double/numbers.csv,"))
    assert called(root, "rename", "question", "q01", "q07_twice").returncode == 0
    assert "q07_twice/numbers.csv" in courses.find(root).assignment("tiny").student_files
    assert called(root, "copy", "question", "tiny/q07", "--as", "q08_again").returncode == 0
    assert called(root, "remove", "question", "q07").returncode == 0
    assert list(courses.find(root).assignment("tiny").student_files) == [
        "helpers.py", "tables/factor.csv", "q08_again/numbers.csv"
    ]  # fmt: skip
