"""The commands that staff paste to see for themselves; they are run in the course's folder."""

from __future__ import annotations

import shlex

from gradetape.records import Grade


def grading(file: str, assignment: str) -> str:
    """The command that grades one file again."""
    return f"gradetape grade {shlex.quote(file)} --assignment {shlex.quote(assignment)} --regrade"


def behind(reason: str, grade: Grade) -> str:
    """The command that shows why a grade needs attention: its check's, or where no check is to blame, the grading."""
    about = (result for result in grade.results if result.command and reason.startswith(f"{result.check.id}: "))
    return next((result.command for result in about), grading(grade.file, grade.assignment))
