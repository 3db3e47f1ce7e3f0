"""The command on staff pages that grades a file again; the command that runs one check is in its result."""

from __future__ import annotations

from collections.abc import Sequence

from gradetape.records import Grade, Unreadable
from gradetape.text import shell_word


def overriding(grade: Grade, question: str, options: Sequence[str] = ()) -> str:
    """The command that overrides a student's points for a question; POINTS and REASON are to be filled in."""
    words = ("gradetape", "override", grade.student, question, "POINTS", "--reason", "REASON")
    return " ".join(map(shell_word, (*words, "--assignment", grade.assignment, *options)))


def marking(grade: Grade, question: str, options: Sequence[str] = ()) -> str:
    """The command that shows a written answer with its rubric; with items it marks the answer."""
    words = ("gradetape", "mark", grade.student, question, "--assignment", grade.assignment, *options)
    return " ".join(map(shell_word, words))


def grading(record: Grade | Unreadable, assignment: str, options: Sequence[str] = ()) -> str:
    """The command that grades a student's file again; `options` are the options of `grade` for the same gradebook.

    If the student of the file is ambiguous, the command has the placeholder NAME.
    """
    ambiguous = isinstance(record, Unreadable) and record.for_student
    student = "NAME" if ambiguous else record.student
    words = ("gradetape", "grade", record.file, "--student", student, "--assignment", assignment, *options, "--regrade")
    return " ".join(map(shell_word, words))
