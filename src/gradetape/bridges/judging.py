"""Grades one submission in a platform's folder as `gradetape grade` does, and keeps nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from gradetape import tempdirs
from gradetape.course import assignments
from gradetape.course.written import without_checks
from gradetape.engine import EngineOptions, OpenEngine, open_engine
from gradetape.grading.request import GradeRequest, plan
from gradetape.grading.run import run
from gradetape.records import Grade, Unreadable

STUDENT = "submission"
_NOTHING = "There is no notebook, script or zip in the submission. Hand in the notebook itself."


def graded(course: Path, files: Iterable[Path], open_engine: OpenEngine = open_engine) -> Grade | Unreadable:
    """The grade of the submission that consists of these files and folders; links are copied as links.

    `course` is a folder with one assignment. Raises GradetapeError.
    """
    found = assignments.find(course)
    [name] = found.names()
    with tempdirs.folder("gradetape-autograder-") as folder:
        place = folder / "in" / STUDENT
        place.mkdir(parents=True)
        for file in files:
            _copy(file, place / file.name)
        request = GradeRequest(
            paths=(folder / "in",), assignment=name, layout="plain", out=folder / "out", engine=EngineOptions(workers=1)
        )
        batch = run(plan(found, request, open_engine), lambda _: None).batch
    if batch.grades:
        left_out = without_checks(found.assignment(name))
        notes = (*batch.grades[0].notes, *([left_out] if left_out else []))
        return msgspec.structs.replace(batch.grades[0], notes=notes)
    return batch.unreadable[0] if batch.unreadable else Unreadable(student=STUDENT, file="", sha256="", reason=_NOTHING)


def _copy(file: Path, place: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.copytree(file, place, symlinks=True)
    elif file.is_file() or file.is_symlink():
        shutil.copy2(file, place, follow_symlinks=False)
