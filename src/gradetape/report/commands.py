"""The command that staff paste to see for themselves; a check's own is in its result."""

from __future__ import annotations

from collections.abc import Sequence

from gradetape.records import Grade, Unreadable
from gradetape.text import shell_word


def grading(record: Grade | Unreadable, assignment: str, options: Sequence[str] = ()) -> str:
    """The command that grades a student's file again; with the `options` of `grade` that lead to the same gradebook."""
    whose = ("--student", record.student, "--assignment", assignment)
    return " ".join(map(shell_word, ("gradetape", "grade", record.file, *whose, *options, "--regrade")))
