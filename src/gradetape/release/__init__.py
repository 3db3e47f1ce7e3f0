"""assignments/ -> student/: what students receive, built from the public masters alone."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from string import Template

from gradetape import scaffold as draft
from gradetape.course.assignments import Assignment, QuestionSource
from gradetape.errors import ReleaseError
from gradetape.release.notebook import notebook
from gradetape.release.starter import starter_cells
from gradetape.release.testfile import test_file
from gradetape.release.texts import due, shipped
from gradetape.text import few

__all__ = ["refuse_unfit", "release"]

_OWN = re.compile(r"tests/q\d\d_\w+\.py")


def refuse_unfit(question_source: QuestionSource) -> None:
    """Raises ReleaseError where a question's starter or public checks are nothing that students can use."""
    starter_cells(question_source.starter)
    test_file(question_source.question.id, question_source.public_checks)


def release(assignment: Assignment, out: Path, legacy_keras: bool = False) -> Path:
    """Build `out/<assignment>/` anew and return it; the same masters give the same bytes.

    The new folder takes the old one's place only when it is complete. `legacy_keras` asks for Keras 2.

    Raises:
        ReleaseError: the masters cannot be turned into something that students can use, the old folder holds files that
            the new one would not, or `out` cannot be written; `out` is as it was.
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
            f"{out} should be a folder that you may write to, on a disk with room."
        ) from error


def _build(assignment: Assignment, new: Path, work: Path, legacy_keras: bool) -> None:
    for folder in (new / "tests", work):
        folder.mkdir(parents=True)
    for question_source in assignment.question_sources:
        question_id = question_source.question.id
        _write(new / "tests" / f"{question_id}.py", test_file(question_id, question_source.public_checks))
    _write(new / f"{assignment.name}.ipynb", notebook(assignment, work, legacy_keras))
    _write(new / "README.md", _readme(assignment))
    _write(new / "requirements.txt", shipped("requirements.txt") + ("tf-keras\n" if legacy_keras else ""))
    for file in assignment.data:
        _copy(file, new / file.relative_to(assignment.folder))


def _refuse_placeholders(assignment: Assignment) -> None:
    if left := draft.placeholders(assignment):
        names = ", ".join(path.relative_to(assignment.folder).as_posix() for path in left)
        raise ReleaseError(
            f"{assignment.folder} is not ready: fill in {names}, and remove the placeholder line from each."
        )


def _refuse_losses(new: Path, old: Path) -> None:
    """A person's files in the old folder would go with it. What a program left there may, and so may old tests."""
    made = set(_files(new))
    lost = [name for name in _files(old) if name not in made and not _OWN.fullmatch(name)]
    if lost:
        raise ReleaseError(
            f"{old} holds files that release would delete: {few(lost)}. Move them elsewhere, "
            "or delete them. What students are to have goes into assignment.yml, under data."
        )


def _files(folder: Path) -> list[str]:
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return [path.as_posix() for path in paths if not any(part.startswith((".", "__pycache__")) for part in path.parts)]


def _copy(file: Path, target: Path) -> None:
    if target.exists():
        raise ReleaseError(f"{file}: students already get a file {target.name} that release writes. Rename yours.")
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
