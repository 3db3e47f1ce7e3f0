"""assignments/ -> student/: what students receive, built from the public masters alone."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from string import Template

from gradetape.course import Assignment
from gradetape.errors import ReleaseError
from gradetape.release.notebook import notebook
from gradetape.release.testfile import test_file
from gradetape.release.texts import due, shipped

__all__ = ["release"]


def release(assignment: Assignment, out: Path, legacy_keras: bool = False) -> Path:
    """Build `out/<assignment>/` anew and return it; the same masters give the same bytes.

    The new folder takes the old one's place only when it is complete. `legacy_keras` asks for Keras 2.

    Raises:
        ReleaseError: the masters cannot be turned into something that students can use, or `out` cannot be written;
            `out` is as it was.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".release-", ignore_cleanup_errors=True) as work:
            new = Path(work) / "new"
            _build(assignment, new, Path(work) / "otter", legacy_keras)
            return _swap(new, out / assignment.name, Path(work) / "old")
    except OSError as error:
        raise ReleaseError(
            f"{assignment.name} was not released, and nothing was changed: {error.filename or out}: {error.strerror}. "
            f"{out} should be a folder that you may write to, on a disk with room."
        ) from error


def _build(assignment: Assignment, new: Path, work: Path, legacy_keras: bool) -> None:
    for folder in (new / "tests", work):
        folder.mkdir(parents=True)
    for master in assignment.masters:
        stem = master.question.stem
        _write(new / "tests" / f"{stem}.py", test_file(stem, master.public_checks))
    _write(new / f"{assignment.name}.ipynb", notebook(assignment, work, legacy_keras))
    _write(new / "README.md", _readme(assignment))
    _write(new / "requirements.txt", shipped("requirements.txt") + ("tf-keras\n" if legacy_keras else ""))
    for file in assignment.data:
        _copy(file, new / file.relative_to(assignment.folder))


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
