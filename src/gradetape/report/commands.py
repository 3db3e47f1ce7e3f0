"""The command that staff paste to see for themselves; a check's own is in its result."""

from __future__ import annotations

from collections.abc import Sequence

from gradetape.records import Grade, Unreadable
from gradetape.text import shell_word


def grading(record: Grade | Unreadable, assignment: str, options: Sequence[str] = ()) -> str:
    """The command that grades a student's file again; with the `options` of `grade` that lead to the same gradebook.

    Where nobody but a person can tell whose the file is, or which one counts, a name has to be filled in.
    """
    doubted = isinstance(record, Unreadable) and record.for_student
    whose = ("--student", "NAME" if doubted else record.student, "--assignment", assignment)
    return " ".join(map(shell_word, ("gradetape", "grade", record.file, *whose, *options, "--regrade")))
