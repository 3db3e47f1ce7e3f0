"""Packages of an assignment: told where they are missing, installed into images, and pinned for students."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from gradetape.bridges.bundle import gradescope_zip
from gradetape.course import assignments as courses
from gradetape.course import packages
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import EngineOptions, open_engine
from gradetape.errors import ConfigError
from gradetape.runtime.image import context
from tests.course import DOUBLE, called, notebook, tiny, write_files

ABSENT = "no-such-package==1.5"
TOLD = (
    "assignments/tiny/assignment.yml lists packages that this environment lacks: no-such-package is missing. Install "
    "them{}: pip install 'no-such-package==1.5'"
)


def course_with(folder: Path, *needed: str) -> Path:
    root = tiny(folder)
    with (root / "assignments/tiny/assignment.yml").open("a") as file:
        file.write(f"packages: {json.dumps(needed)}\n")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny course, whose assignment needs one package that is there and one that is not."""
    return course_with(tmp_path / "course", "NumPy", ABSENT)


def test_verify_refuses_to_prove_checks_without_them(root: Path) -> None:
    run = called(root, "verify", "tiny")
    assert run.returncode == 2
    assert TOLD.format("") in run.stderr


def test_grade_says_what_is_missing_before_it_starts(root: Path) -> None:
    write_files(root, {"in/ada.ipynb": notebook(DOUBLE)})
    run = called(root, "grade", "in", "--dry-run", "--isolation", "none")
    assert f"WARNING: {TOLD.format(', and grade again')}" in run.stderr


def test_the_doctor_names_what_is_missing_and_the_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradetape import doctor

    course = courses.find(root)
    [finding] = doctor.course_needs(course)
    assert (finding.name, finding.state, finding.found, finding.remedy) == (
        "course packages", doctor.State.WRONG, "no-such-package is missing: assignments list it under packages",
        "pip install 'no-such-package==1.5'",
    )  # fmt: skip
    monkeypatch.setattr(packages, "installed", lambda name: "1.5")
    assert [each.state for each in doctor.course_needs(course)] == [doctor.State.OK]


def test_the_doctor_says_nothing_of_a_course_without_packages_and_leaves_images_to_their_build(root: Path) -> None:
    from gradetape import doctor

    assert doctor.course_needs(courses.find(tiny(root / "plain"))) == []
    (root / "grader_config.yml").write_text("isolation: container\n")
    [finding] = doctor.course_needs(courses.find(root))
    assert finding.found == "NumPy, no-such-package==1.5: gradetape image build installs them"


def test_they_are_installed_into_the_image(root: Path) -> None:
    with context(root, courses.find(root).packages) as folder:
        assert (folder / "requirements.txt").read_text().splitlines()[-2:] == ["NumPy", ABSENT]


def test_autograders_install_them(root: Path) -> None:
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    with zipfile.ZipFile(io.BytesIO(gradescope_zip(gradable, "gradetape"))) as archive:
        setup = archive.read("setup.sh").decode()
    assert '/opt/gradetape/venv/bin/python "gradetape" NumPy no-such-package==1.5\n' in setup


def test_students_get_the_versions_that_grade(root: Path) -> None:
    assert called(root, "release", "tiny").returncode == 0
    lines = (root / "student/tiny/requirements.txt").read_text().splitlines()
    assert lines[1:6] == [
        *(f"{name}=={version(name)}" for name in ("tensorflow", "keras", "numpy")), f"NumPy=={version('numpy')}",
        ABSENT,
    ]  # fmt: skip


def test_the_courses_constraints_say_which_versions_grade(root: Path) -> None:
    (root / "constraints.txt").write_text(
        "# pins\nNo_Such.Package==1.5\ntensorflow-cpu==2.20.0  # no GPU\nkeras==3.9.1\n"
    )
    assert called(root, "release", "tiny").returncode == 0
    lines = (root / "student/tiny/requirements.txt").read_text().splitlines()
    assert {"tensorflow==2.20.0", "keras==3.9.1", "no-such-package==1.5"} < set(lines)


@pytest.mark.parametrize("text", ["sea born", "seaborn @ https://example.org/s.whl", "seaborn; python_version>'3'", ""])
def test_what_pip_does_not_read_as_a_package_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    root = course_with(tmp_path / "course", text)
    with pytest.raises(ConfigError) as refused:
        courses.find(root).assignment("tiny")
    assert "assignments/tiny/assignment.yml, line 5: 'packages.0' is" in str(refused.value)
    assert "write a package as pip reads it, like seaborn or seaborn==0.13.2" in str(refused.value)


def test_the_versions_of_packages_decide_results(root: Path) -> None:
    with open_engine(GradableAssignment.open(courses.find(root), "tiny"), EngineOptions(isolation="none")) as engine:
        assert engine.environment.versions["NumPy"] == version("numpy")
