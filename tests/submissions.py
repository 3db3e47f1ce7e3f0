"""Submissions made from text, without a file."""

from __future__ import annotations

import hashlib

from gradetape.intake.notebooks import script_cells
from gradetape.records import Submission


def script(student: str, text: str, *, assignment: str | None) -> Submission:
    """The submission that a student's script with this text is read as."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    cells = script_cells(text)
    return Submission(student=student, file=f"{student}.py", sha256=digest, assignment=assignment, cells=cells)
