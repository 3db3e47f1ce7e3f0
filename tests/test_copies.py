"""The same notebook twice is one submission: in a student's folder, under the names of copies, in a zip beside it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.records import Submission, Unreadable
from tests.course import DOUBLE, HALVE, notebook, write_files

SAME, OTHER = notebook(DOUBLE), notebook(HALVE)
MARKS = (
    "hw (1)", "hw(2)", "hw copy", "hw copy 2", "hw - Copy", "hw - Copy (3)", "hw-Copy1", "hw_copy", "Copy of hw",
    "Copy of Copy of hw", "Copy of hw (1)", "Kopie von hw", "hw - Kopie", "hw Kopie", "Copie de hw", "HW (1)",
)  # fmt: skip
PLACES = {
    "a folder each": "in/ada",
    "Moodle": "in/Ada Lovelace_7_assignsubmission_file_",
    "Brightspace": "in/10001-90001 - Ada Lovelace - Sep 3, 2025 1159 PM",
}


def read(folder: Path, files: dict[str, str]) -> dict[str, Submission | Unreadable]:
    """What becomes of these files beside those of two other students, by student."""
    found = intake.read([write_files(folder, files) / "in"])
    assert len({each.student for each in found}) == len(found)
    return {each.student: each for each in found}


def only(folder: Path, files: dict[str, str]) -> Submission | Unreadable:
    [found] = read(folder, files).values()
    return found


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("name", ["final", "old/hw", "hw (1)", "hw copy", "Copy of hw"])
def test_equal_notebooks_in_a_students_folder_are_one_submission(tmp_path: Path, place: str, name: str) -> None:
    found = only(tmp_path, {f"{place}/hw.ipynb": SAME, f"{place}/{name}.ipynb": SAME})
    assert isinstance(found, Submission) and Path(found.file).name == "hw.ipynb"
    copy = Path(name).name + ".ipynb"
    assert found.notes == (f"hw.ipynb was graded; of the same content: {copy}.",) and found.others == (copy,)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_another_notebook_beside_equal_ones_is_still_left_to_a_person(tmp_path: Path, place: str) -> None:
    files = {"hw": SAME, "hw (1)": SAME, "scratch": OTHER}
    found = only(tmp_path, {f"{place}/{name}.ipynb": text for name, text in files.items()})
    assert isinstance(found, Unreadable) and found.reason.startswith("Found 2 files, expected one: hw.ipynb, scratch")


@pytest.mark.parametrize("name", MARKS)
def test_equal_copies_beside_each_other_are_one_submission_of_the_original(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, {"in/hw.ipynb": SAME, f"in/{name}.ipynb": SAME, "in/bob.ipynb": SAME})
    assert {student: type(each) for student, each in found.items()} == {"hw": Submission, "bob": Submission}
    assert Path(found["hw"].file).name == "hw.ipynb"


def test_copies_that_differ_are_nobodys_for_certain(tmp_path: Path) -> None:
    found = intake.read([write_files(tmp_path, {"in/hw.ipynb": SAME, "in/hw (1).ipynb": OTHER}) / "in"])
    assert ["numbered like a copy" in getattr(each, "reason", "") for each in found] == [True, True]


def test_equal_notebooks_of_two_names_are_two_students(tmp_path: Path) -> None:
    assert set(read(tmp_path, {"in/ada.ipynb": SAME, "in/bob.ipynb": SAME})) == {"ada", "bob"}


def test_folders_of_equal_notebooks_are_sections_and_no_students(tmp_path: Path) -> None:
    names = ("north/ada", "north/bob", "south/carol", "south/dan")
    write_files(tmp_path, {f"{name}.ipynb": SAME for name in names})
    found = intake.read([tmp_path / "north", tmp_path / "south"])
    assert {each.student for each in found} == {"ada", "bob", "carol", "dan"}


def test_folders_with_a_copy_each_are_students(tmp_path: Path) -> None:
    names = ("ada/hw", "ada/hw (1)", "bob/hw", "bob/Copy of hw")
    write_files(tmp_path, {f"{name}.ipynb": SAME for name in names})
    assert {each.student for each in intake.read([tmp_path / "ada", tmp_path / "bob"])} == {"ada", "bob"}


def test_a_zip_of_the_notebook_beside_it_is_the_same_submission(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("hw.ipynb", SAME)
    write_files(tmp_path, {"in/ada/hw.ipynb": SAME})
    (tmp_path / "in/ada/hw_2026_11_22T16_35_00_123456.zip").write_bytes(made.getvalue())
    [found] = intake.read([tmp_path / "in"])
    assert isinstance(found, Submission) and Path(found.file).name == "hw.ipynb"


def test_which_copy_stands_for_all_does_not_depend_on_the_order_of_the_paths(tmp_path: Path) -> None:
    names = ("hw.ipynb", "hw (1).ipynb", "Copy of hw.ipynb")
    paths = [write_files(tmp_path, {name: SAME}) / name for name in names]
    found = [intake.read(paths), intake.read(paths[::-1])]
    assert [[Path(each.file).name for each in some] for some in found] == [["hw.ipynb"], ["hw.ipynb"]]


def test_equal_files_that_cannot_be_read_are_one_with_the_reason(tmp_path: Path) -> None:
    found = only(tmp_path, {"in/ada/hw.ipynb": "{", "in/ada/hw (1).ipynb": "{"})
    assert isinstance(found, Unreadable) and "cut off" in found.reason
