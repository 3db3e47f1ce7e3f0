"""A new course: what `gradetape init` writes, and what it does not touch."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradetape.course import assignments as course
from gradetape.course.gradable import GradableAssignment
from tests.course import called


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["course", "My course", "Kürs 🎓", "a'b", "\u202eesrever"])
def test_a_folder_of_any_name_becomes_a_course(tmp_path: Path, name: str) -> None:
    run = called(tmp_path, "init", name)
    assert (run.returncode, run.stderr) == (0, "")
    found = course.find(tmp_path / name)
    gradable = GradableAssignment.open(found, "first-steps")
    assert found.names() == ("first-steps",)
    assert {"assignments", "autograder", "solutions", "student"} == {
        path.name for path in (tmp_path / name).iterdir() if path.is_dir()
    }
    assert gradable.answer_key.mutants("q01_standardize") and gradable.answer_key.variants("q01_standardize")
    assert {"Makefile", ".gitignore", "grader_config.yml"} <= set(_files(tmp_path / name))


def test_each_course_has_a_seed_of_its_own(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert called(tmp_path, "init", name).returncode == 0
    seeds = {(tmp_path / name / "autograder" / "seed").read_text() for name in ("one", "two")}
    assert len(seeds) == 2


def test_what_is_there_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n")
    (tmp_path / "autograder").mkdir()
    (tmp_path / "autograder" / "seed").write_text("mine")
    before = _files(tmp_path)
    run = called(tmp_path, "init")
    assert run.returncode == 2
    assert "It already contains Makefile, autograder/seed" in run.stderr and "gradetape init FOLDER" in run.stderr
    assert _files(tmp_path) == before


def test_files_of_other_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "assignments").mkdir()
    assert called(tmp_path, "init").returncode == 0
    assert (tmp_path / "README.md").read_text() == "mine"
    assert course.find(tmp_path).names() == ("first-steps",)


def _a_file(root: Path) -> Path:
    (root / "here").write_text("")
    return root / "here"


def _a_file_above(root: Path) -> Path:
    return _a_file(root) / "course"


def _a_file_for_a_folder(root: Path) -> Path:
    (root / "solutions").write_text("")
    return root


def _a_course_above(root: Path) -> Path:
    (root / "grader_config.yml").write_text("")
    return root / "course"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (_a_file, "Choose another folder"),
        (_a_file_above, "Choose another folder"),
        (_a_file_for_a_folder, "It already contains solutions/first-steps"),
        (_a_course_above, "is inside the course"),
    ],
)
def test_a_place_that_cannot_hold_a_course_is_refused(tmp_path: Path, place: object, words: str) -> None:
    assert callable(place)
    folder = place(tmp_path)
    before = _files(tmp_path)
    run = called(tmp_path, "init", os.fspath(folder))
    assert run.returncode == 2
    assert words in run.stderr and "Traceback" not in run.stderr
    assert _files(tmp_path) == before
