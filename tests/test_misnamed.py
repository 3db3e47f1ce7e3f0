"""Students whose only file is not graded because of its name have a row that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape import intake
from gradetape.records import Submission, Unreadable
from tests.course import DOUBLE, called, notebook, tiny, write_files

ARCHIVE = "It ends in {}, an archive of a kind that is not opened. Unpack it, and hand in the notebook itself."


def handed_in(folder: Path, *names: str) -> dict[str, str]:
    """What becomes of these files: the reason by student, empty for a submission."""
    write_files(folder, {name: notebook(DOUBLE) for name in names})
    read = intake.read([folder])
    assert len({each.student for each in read}) == len(read)
    return {each.student: each.reason if isinstance(each, Unreadable) else "" for each in read}


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (".ipynb.txt", "It ends in .txt. Rename it to {}.ipynb."),
        (".ipynb.json", "It ends in .json. Rename it to {}.ipynb."),
        (".IPYNB.html.txt", "It ends in .html.txt. Rename it to {}.ipynb."),
        *((ending, ARCHIVE.format(ending)) for ending in (".tar.gz", ".tgz", ".rar", ".RAR", ".7z", ".tar", ".tar.xz")),
    ],
)
def test_a_file_of_another_ending_is_its_students_row(tmp_path: Path, ending: str, reason: str) -> None:
    found = handed_in(tmp_path, "ada.ipynb", f"bob{ending}", f"s/hw{ending}", "README.md", "grades.csv")
    assert found == {"ada": "", "bob": reason.format("bob"), "s": reason.format("hw")}


def test_whoever_has_handed_in_a_notebook_too_has_one_row(tmp_path: Path) -> None:
    found = handed_in(tmp_path, "ada.ipynb", "Ada.tar.gz", "ada.ipynb.txt", "bob/hw.ipynb", "bob/data.tar.gz")
    assert found == {"ada": "", "bob": ""}


def test_an_archive_beside_students_folders_makes_no_folder_a_students(tmp_path: Path) -> None:
    found = handed_in(tmp_path, "all/ada/hw.ipynb", "all/bob/hw.ipynb", "all/backup.rar")
    assert {student for student, reason in found.items() if not reason} == {"ada", "bob"}


def test_a_second_notebook_in_a_students_folder_is_their_row(tmp_path: Path) -> None:
    found = handed_in(tmp_path, "ada/hw.ipynb", "bob/hw.ipynb", "bob/scratch.ipynb")
    assert found["ada"] == "" and found["bob"].startswith("Found 2 files, expected one: hw.ipynb, scratch.ipynb.")


def test_a_file_that_is_passed_by_itself_says_what_it_is(tmp_path: Path) -> None:
    write_files(tmp_path, {"bob.rar": "Rar!"})
    [found] = intake.read([tmp_path / "bob.rar"])
    assert not isinstance(found, Submission) and found.student == "bob"


def test_everything_else_in_the_folder_is_named_in_full(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    names = [f"essay-{number:02}.pdf" for number in range(40)]
    write_files(root, {"in/ada.ipynb": notebook(DOUBLE), **{f"in/{name}": "%PDF" for name in names}})
    run = called(root, "grade", "in", "--dry-run")
    assert f"ignored, since they are not submissions: {', '.join(names)}" in run.stderr


def test_if_nothing_can_be_graded_every_file_is_named(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    names = [f"in/student-{number:02}.rar" for number in range(40)]
    write_files(root, dict.fromkeys(names, "Rar!"))
    run = called(root, "grade", "in")
    assert run.returncode != 0 and all(f"{name}: It ends in .rar" in run.stderr for name in names)
