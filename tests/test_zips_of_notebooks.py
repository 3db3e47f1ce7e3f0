"""Zips of one notebook: in copies, and with the backslashes of Windows programs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.records import Submission, Unreadable
from tests.course import DOUBLE, HALVE, notebook


def read(folder: Path, **entries: str) -> Submission | Unreadable:
    """What is read from a zip whose entries are these texts, by their names with | for a backslash."""
    with zipfile.ZipFile(folder / "ada.zip", "w") as made:
        for name, text in entries.items():
            made.writestr(name.replace("|", "\\"), text)
    [found] = intake.read([folder])
    return found


def test_the_same_notebook_twice_in_a_zip_is_one_submission(tmp_path: Path) -> None:
    text = notebook(DOUBLE)
    found = read(tmp_path, **{"hw.ipynb": text, "copy/hw.ipynb": text, "hw (1).ipynb": text})
    assert isinstance(found, Submission) and [cell.source for cell in found.cells] == [DOUBLE]


def test_two_notebooks_of_one_size_are_two(tmp_path: Path) -> None:
    other = notebook(DOUBLE.replace("x + x", "x * 2"))
    assert isinstance(read(tmp_path, **{"hw.ipynb": notebook(DOUBLE), "b.ipynb": other}), Unreadable)


@pytest.mark.parametrize("folder", [".ipynb_checkpoints", "week 1|.ipynb_checkpoints", "__MACOSX"])
def test_a_checkpoint_is_none_under_backslashes_too(tmp_path: Path, folder: str) -> None:
    found = read(tmp_path, **{"hw|hw.ipynb": notebook(DOUBLE), f"hw|{folder}|hw-checkpoint.ipynb": notebook(HALVE)})
    assert isinstance(found, Submission) and [cell.source for cell in found.cells] == [DOUBLE]


def test_a_download_with_backslashes_is_unpacked_into_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as made:
        for name, text in {"ada": DOUBLE, "bob": HALVE}.items():
            made.writestr(f"Ada Lovelace_{len(text)}_assignsubmission_file_\\{name}.ipynb", notebook(text))
            made.writestr(
                f"Ada Lovelace_{len(text)}_assignsubmission_file_\\.ipynb_checkpoints\\x-checkpoint.ipynb", notebook()
            )
    found = intake.read([tmp_path / "all.zip"])
    assert [type(each) for each in found] == [Submission, Submission], found


def test_a_path_that_leads_out_of_the_zip_is_refused_with_backslashes_too(tmp_path: Path) -> None:
    found = read(tmp_path, **{"..|ada.ipynb": notebook(DOUBLE)})
    assert isinstance(found, Unreadable) and "has a path outside the zip" in found.reason
