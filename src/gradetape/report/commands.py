"""The command that staff paste to see for themselves; a check's own is in its result."""

from __future__ import annotations

import shlex


def grading(file: str, assignment: str) -> str:
    """The command that grades one file again."""
    return f"gradetape grade {shlex.quote(file)} --assignment {shlex.quote(assignment)} --regrade"
