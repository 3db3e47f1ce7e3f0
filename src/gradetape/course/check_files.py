"""The paths of a course's check files, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CONFIG_FILE = "grader_config.yml"
PUBLIC_CHECKS = "test_public.py"
_PREFIX = "test_"


@dataclass(frozen=True)
class CheckFile:
    """A file of checks: the course's root, its assignment and its question, and whether students receive it."""

    root: Path
    assignment: str
    question: str
    public: bool

    def check_id(self, name: str) -> str:
        """The id of the check of this name."""
        return f"{self.question}::{'public' if self.public else 'hidden'}::{name}"


def check_file(path: Path) -> CheckFile | None:
    """The check file at a path; None for any other file.

    Public checks are in `assignments/ASSIGNMENT/QUESTION/test_public.py`, hidden ones in
    `autograder/ASSIGNMENT/test_QUESTION.py`.
    """
    public = path.name == PUBLIC_CHECKS
    assignment = path.parent.parent if public else path.parent
    folder = assignment.parent
    if folder.name != ("assignments" if public else "autograder") or not (folder.parent / CONFIG_FILE).is_file():
        return None
    question = path.parent.name if public else path.stem.removeprefix(_PREFIX)
    return CheckFile(folder.parent, assignment.name, question, public)
