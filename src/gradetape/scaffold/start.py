"""A new course: everything needed to verify, release and grade, with one example question."""

from __future__ import annotations

import secrets
from importlib.resources import as_file, files
from pathlib import Path

from gradetape.course import config
from gradetape.course.assignments import root_of
from gradetape.errors import CourseError
from gradetape.scaffold.writing import write
from gradetape.text import few

EXAMPLE = "first-steps"


def new_course(root: Path) -> list[Path]:
    """Creates a course in a folder, which is created if necessary; returns the written files, relative to it.

    Raises CourseError, with nothing written, if a file with one of the names exists, if the folder is inside another
    course, or if it cannot be written.
    """
    made = {
        **_example(),
        Path(config.FILE): config.commented(),
        Path("autograder", "seed"): secrets.token_hex(32) + "\n",
    }
    _refuse_nesting(root)
    try:
        taken = sorted(path.as_posix() for path in made if _in_the_way(root, path))
        if taken:
            raise CourseError(_not_empty(root, taken))
        root.mkdir(parents=True, exist_ok=True)
        write(root, made, [*made])
    except OSError as error:
        raise CourseError(f"{root} cannot be written: {error.strerror}. Choose another folder.") from error
    return sorted(made)


def _example() -> dict[Path, str]:
    with as_file(files("gradetape.scaffold") / "course") as folder:
        return {
            path.relative_to(folder).with_suffix(""): path.read_text(encoding="utf-8")
            for path in folder.rglob("*.tmpl")
        }


def _refuse_nesting(root: Path) -> None:
    if (above := root_of(root.resolve().parent)) is not None:
        raise CourseError(
            f"{root} is inside the course {above}. Create the new course outside it, or add an assignment to it: "
            "gradetape new assignment NAME"
        )


def _in_the_way(root: Path, path: Path) -> bool:
    """Whether the file exists, or a file is in the place of one of its folders."""
    above = [root / parent for parent in path.parents]
    return (root / path).exists() or any(parent.exists() and not parent.is_dir() for parent in above)


def _not_empty(root: Path, taken: list[str]) -> str:
    return (
        f"{root} is not empty, and nothing was written. It already contains {few(taken)}. "
        "Choose another folder: gradetape init FOLDER"
    )
