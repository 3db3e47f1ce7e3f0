"""The flagship as students receive it: the committed folder, its secrecy, and its checks in a real kernel."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from gradetape.course import assignments as course
from gradetape.course.source import PythonSource
from gradetape.release import release

ROOT = Path(__file__).parents[1]
NAME = "custom-training"
QUESTION_IDS = course.find(ROOT).assignment(NAME).question_ids
BLOCKER = """\
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"gradetape", "pytest", "_pytest"}:
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Blocker())
"""


def public_copy(folder: Path) -> Path:
    """A course that has neither solutions/ nor autograder/."""
    shutil.copytree(ROOT / "assignments", folder / "assignments", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "grader_config.yml", folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_committed_folder_is_what_the_question_sources_give_every_time(tmp_path: Path) -> None:
    alone = course.find(public_copy(tmp_path / "alone")).assignment(NAME)
    again = course.find(ROOT).assignment(NAME)
    first, second = release(alone, tmp_path / "first"), release(again, tmp_path / "second")
    assert contents(first) == contents(second)
    assert contents(ROOT / "student" / NAME) == contents(first), "run make release and commit student/"


def test_no_secret_line_reaches_students() -> None:
    public = {line.strip() for line in lines(ROOT / "assignments")}
    secret = {line.strip() for folder in ("solutions", "autograder") for line in lines(ROOT / folder)} - public
    released = "\n".join(path.read_text() for path in (ROOT / "student").rglob("*") if path.is_file())
    leaked = [line for line in secret if len(line) >= 40 and (line in released or line.replace('"', '\\"') in released)]
    assert not leaked
    assert len(secret) > 100, "the secrets were read"


def lines(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            yield from path.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the released notebook shows, from top to bottom and then with the solutions pasted in; and its export."""
    folder = tmp_path_factory.mktemp("student") / "work"
    shutil.copytree(ROOT / "student" / NAME, folder)
    blocker = tmp_path_factory.mktemp("blocker")
    (blocker / "sitecustomize.py").write_text(BLOCKER)
    notebook = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
    export = next(number for number, cell in enumerate(notebook.cells) if "ignore_log=True" in cell.source)
    notebook.cells[export:export] = list(solved())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(blocker))
        NotebookClient(
            notebook, timeout=300, allow_errors=True, resources={"metadata": {"path": str(folder)}}
        ).execute()
    found = {cell.metadata.get("step", cell.source): text(cell) for cell in notebook.cells if cell.cell_type == "code"}
    with zipfile.ZipFile(next(folder.glob("*.zip"))) as archive:
        found["export"] = " ".join(archive.namelist())
    return found


def solved() -> Iterator[Any]:
    """Each solution's cells, and then its check."""
    for question_id in QUESTION_IDS:
        for cell in PythonSource.read(ROOT / "solutions" / NAME / f"{question_id}.py").code:
            yield nbformat.v4.new_code_cell(cell.text)
        yield nbformat.v4.new_code_cell(f'grader.check("{question_id}")', metadata={"step": f"solved {question_id}"})


def text(cell: Any) -> str:
    found = [out.get("text") or out.get("data", {}).get("text/plain") or out.get("evalue", "") for out in cell.outputs]
    return "\n".join(found)


def public_checks(question_id: str) -> int:
    return (ROOT / "assignments" / NAME / question_id / "test_public.py").read_text().count("\ndef test_")


@pytest.mark.parametrize("question_id", QUESTION_IDS)
def test_every_public_check_fails_on_the_starter_with_a_message(outputs: dict[str, str], question_id: str) -> None:
    shown = outputs[f'grader.check("{question_id}")']
    assert shown.count("❌") == public_checks(question_id)
    assert "✅" not in shown
    for words in ("Not yet:", "Your code raised an error:", "Missing:", "The check could not continue:"):
        shown = shown.replace(words, "MESSAGE")
    assert shown.count("MESSAGE") >= public_checks(question_id)


@pytest.mark.parametrize("question_id", QUESTION_IDS)
def test_every_public_check_passes_on_the_solution(outputs: dict[str, str], question_id: str) -> None:
    assert "All test cases passed!" in outputs[f"solved {question_id}"]


def test_the_export_holds_the_notebook(outputs: dict[str, str]) -> None:
    assert f"{NAME}.ipynb" in outputs["export"]
