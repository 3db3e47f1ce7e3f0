"""The command that staff paste to see for themselves; a check's own is in its result."""

from __future__ import annotations

from gradetape.text import shell_word


def grading(file: str, assignment: str) -> str:
    """The command that grades one file again."""
    return f"gradetape grade {shell_word(file)} --assignment {shell_word(assignment)} --regrade"
