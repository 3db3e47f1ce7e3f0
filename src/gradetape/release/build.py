"""Build the students' folder of an assignment, completely or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from string import Template

from gradetape import scaffold
from gradetape.course import packages
from gradetape.course.assignments import Assignment, QuestionSource
from gradetape.errors import ReleaseError
from gradetape.release.notebook import notebook
from gradetape.release.starter import starter_cells
from gradetape.release.testfile import test_file
from gradetape.release.texts import due, shipped
from gradetape.text import few

_LEGACY = "# To try legacy Keras: install tf-keras, and set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported.\n"
_OWN = re.compile(r"tests/q\d\d_\w+\.py")


def refuse_unfit(question_source: QuestionSource) -> None:
    """Raises ReleaseError where students could not use a question's starter or public checks."""
    starter_cells(question_source.starter)
    test_file(question_source)


def release(assignment: Assignment, out: Path, legacy_keras: bool = False) -> Path:
    """Build `out/<assignment>/` again and return it; the same sources give the same bytes.

    The new folder replaces the old one only when it is complete. `legacy_keras` asks for Keras 2.

    Raises:
        ReleaseError: students could not use what the sources hold, the old folder holds files that the new one does
            not, or `out` cannot be written; `out` is unchanged.
    """
    _refuse_placeholders(assignment)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".release-", ignore_cleanup_errors=True) as work:
            new = Path(work) / "new"
            _build(assignment, new, Path(work) / "otter", legacy_keras)
            _refuse_losses(new, out / assignment.name)
            return _swap(new, out / assignment.name, Path(work) / "old")
    except OSError as error:
        raise ReleaseError(
            f"{assignment.name} was not released, and nothing was changed: {error.filename or out}: {error.strerror}. "
            f"{out} should be a folder that you may write to, on a disk with free space."
        ) from error


def _build(assignment: Assignment, new: Path, work: Path, legacy_keras: bool) -> None:
    for folder in (new / "tests", work):
        folder.mkdir(parents=True)
    for question_source in assignment.question_sources:
        _write(new / "tests" / f"{question_source.question.id}.py", test_file(question_source))
    _write(new / f"{assignment.name}.ipynb", notebook(assignment, work, legacy_keras))
    _write(new / "README.md", _readme(assignment))
    _write(new / "requirements.txt", _requirements(assignment, legacy_keras))
    for file in assignment.data:
        _copy(file, new / file.relative_to(assignment.folder))


def _requirements(assignment: Assignment, legacy_keras: bool) -> str:
    """The versions that the grader runs: those of the course's constraints.txt, or else the installed ones."""
    constraints = assignment.folder.parent.parent / "constraints.txt"
    pins = constraints.read_text(encoding="utf-8-sig") if constraints.is_file() else ""
    needs = ["tensorflow", "keras", "numpy", *(["tf-keras"] if legacy_keras else ()), *assignment.packages]
    lines = (f"{packages.pinned(need, pins)}\n" for need in dict.fromkeys(needs))
    return shipped("requirements.txt") + "".join(lines) + ("" if legacy_keras else _LEGACY)


def _refuse_placeholders(assignment: Assignment) -> None:
    if left := scaffold.placeholders(assignment):
        names = ", ".join(path.relative_to(assignment.folder).as_posix() for path in left)
        raise ReleaseError(
            f"{assignment.folder} is not ready: fill in {names}, and remove the placeholder line from each."
        )


def _refuse_losses(new: Path, old: Path) -> None:
    """Refuse to delete a person's files with the old folder. Hidden files, caches and old tests may be deleted."""
    made = set(_files(new))
    lost = [name for name in _files(old) if name not in made and not _OWN.fullmatch(name)]
    if lost:
        raise ReleaseError(
            f"{old} holds files that release would delete: {few(lost)}. Move them elsewhere, "
            "or delete them. List files for students in assignment.yml, under files."
        )


def _files(folder: Path) -> list[str]:
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return [path.as_posix() for path in paths if not any(part.startswith((".", "__pycache__")) for part in path.parts)]


def _copy(file: Path, target: Path) -> None:
    if target.exists():
        raise ReleaseError(f"{file}: release writes a file {target.name} for students itself. Rename yours.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


def _readme(assignment: Assignment) -> str:
    words = {"name": assignment.name, "title": assignment.title, "due": due(assignment.deadline)}
    return Template(shipped("readme.md")).substitute(words)


def _swap(new: Path, target: Path, old: Path) -> Path:
    if target.exists():
        target.rename(old)
    try:
        return new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
