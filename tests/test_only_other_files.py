"""Whoever has handed in only a file that is not graded has a row that says so, in every layout."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.records import Submission, Unreadable
from tests.course import DOUBLE, by_student, called, notebook, tiny, write_files

LAYOUTS = {
    "Canvas": "{0}doe_{1}_77_hw",
    "Moodle": "{0} Doe_{1}_assignsubmission_file_/hw",
    "Moodle, flat": "{0} Doe_{1}_assignsubmission_file_hw",
    "Blackboard": "Hw_{0}_attempt_2025-09-03-23-59-00_hw",
    "Brightspace": "{1}-9 - {0} Doe - Sep 3, 2025 1159 PM/hw",
    "Brightspace, flat": "{1}-9 - {0} Doe - Sep 3, 2025 1159 PM - hw",
    "nbgrader": "submitted/{0}/tiny/hw",
    "nbgrader's exchange": "{0}+tiny+2025-09-03 10:00:00 UTC/hw",
    "GitHub Classroom": "tiny-submissions/tiny-{0}/hw",
    "JupyterHub": "{0}/tiny/hw",
    "Google Classroom": "{0} Doe - hw",
    "a folder each": "{0}/hw",
    "a folder each, in a section": "north/{0}/hw",
    "files": "{0}",
}
ENDINGS = {
    ".ipynb.txt": "It ends in .txt. Rename it to ",
    ".tar.gz": "It ends in .tar.gz, an archive of a kind that is not opened.",
    ".rar": "It ends in .rar, an archive of a kind that is not opened.",
    ".7z": "It ends in .7z, an archive of a kind that is not opened.",
    ".pdf": "It is a PDF, which is not a notebook",
    ".docx": "It is a Word document, which is not a notebook",
    ".html": "It is a web page (HTML), which is not a notebook",
}


def handed_in(folder: Path, layout: str, ending: str) -> dict[str, Submission | Unreadable]:
    """Two students hand in notebooks, and Cleo a file with this ending."""
    endings = {"ada": ".ipynb", "bob": ".ipynb", "cleo": ending}
    names = [layout.format(name, number) + endings[name] for number, name in enumerate(endings, 1)]
    write_files(folder, {name: notebook(DOUBLE) for name in names})
    found = intake.read([folder])
    assert len(found) == 3, found
    return {each.student.lower()[:3]: each for each in found}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_only_file_is_a_row_with_its_reason(tmp_path: Path, layout: str, ending: str) -> None:
    found = handed_in(tmp_path, layout, ending)
    cleo = found.pop("cle")
    assert all(isinstance(each, Submission) for each in found.values()) and isinstance(cleo, Unreadable)
    told = cleo.for_student or cleo.reason
    assert told.startswith(ENDINGS[ending]) or f"Found only: hw{ending}. Hand in the notebook itself." in told


def test_a_folder_with_one_document_beside_loose_files_is_a_row(tmp_path: Path) -> None:
    write_files(tmp_path, {"ada.ipynb": notebook(DOUBLE), "bob/hw.pdf": "%PDF", "data/table.csv": "1"})
    found = {each.student: type(each) for each in intake.read([tmp_path])}
    assert found == {"ada": Submission, "bob": Unreadable}


@pytest.mark.parametrize("name", ["README.html", "syllabus.pdf", "hw1.pdf", "instructions-2.docx", "index.html"])
def test_a_document_that_is_named_like_the_task_is_nobodys(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {"ada.ipynb": notebook(DOUBLE), "bob.ipynb": notebook(DOUBLE), name: "x"})
    assert [each.student for each in intake.read([tmp_path])] == ["ada", "bob"]
    assert [path.name for path in intake.take_in([tmp_path]).passed_over] == [name]


def test_the_row_is_in_the_table_on_the_page_and_in_the_json(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    write_files(root, {"in/cleo.pdf": "%PDF", "in/dora/hw.docx": "PK", "in/ada.ipynb": "{", "in/b.ipynb": "{"})
    run = called(root, "grade", "in", "--assignment", "tiny", "--json")
    rows = by_student(run)
    assert rows["cleo"]["status"] == rows["dora"]["status"] == "unreadable" and run.returncode == 1
    with (root / "results/grades.csv").open(encoding="utf-8", newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert {"cleo", "dora"} <= table.keys()
    page = (root / "results/students/tiny/cleo.html").read_text(encoding="utf-8")
    assert "It is a PDF, which is not a notebook" in page
    page = (root / "results/students/tiny/dora.html").read_text(encoding="utf-8")
    assert "Found only: hw.docx. Hand in the notebook itself." in page
